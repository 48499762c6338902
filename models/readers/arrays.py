"""Samples made of named arrays: which are samples and which labels, which axis is what, and what is missing."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models import Problem
from models.columns import Column
from models.data import TEST, TRAIN, VALIDATION
from models.readers.array_files import by
from models.readers.labels import LABEL_NAMES, as_text, classes_of
from models.readers.pixels import as_images, chunks, square
from models.readers.result import ReadResult
from models.readers.work import AXES, Work, plain

SAMPLE_NAMES = ("x", "images", "image", "data", "samples", "arr_0", "features", "imgs")
PARTS = {
    **dict.fromkeys(("train", "training"), TRAIN),
    **dict.fromkeys(("val", "valid", "validation"), VALIDATION),
    **dict.fromkeys(("test", "testing", "t10k"), TEST),
}


@dataclass(frozen=True)
class Part:
    """Samples and labels of one split."""

    split: int
    samples_name: str
    samples: NDArray[Any]
    labels: NDArray[Any] | None


def found(arrays: Mapping[str, NDArray[Any]], work: Work, source: str) -> ReadResult:
    """Samples made of named arrays: the parts of a split one after the other. Others are skipped."""
    parts, split = _parts(arrays, work, source)
    shapes = {part.samples.shape[1:] for part in parts}
    if len(shapes) > 1:
        raise Problem(
            f"the parts of {source} have samples of different shapes: {' and '.join(sorted(map(by, shapes)))}",
            do="make them equal, or choose one array",
        )
    axes = _axes(parts[0].samples, work)
    pieces = [_laid(part.samples, axes) for part in parts]
    total = sum(len(piece) for piece in pieces)
    kind = KIND_OF[axes]
    if kind == "image":
        samples: NDArray[Any] = as_images(pieces, work)
    else:
        samples = _as_floats(pieces, work)
    labels, classes = _labels(parts, work)
    splits = np.concatenate([np.full(len(part.samples), part.split, np.uint8) for part in parts]) if split else None
    keep = np.ones(total, bool)
    holes = ~np.isfinite(samples) if kind == "table" and work.choices.missing == "keep" else None
    if kind != "image":
        keep = _sound(samples, work)
        samples = samples if keep.all() else samples[keep]  # most often there are no others, and nothing is copied
    names = [str(i) for i in np.flatnonzero(keep)]
    splits = splits[keep] if splits is not None else None
    columns = of_features(samples, splits, [f"{i + 1}" for i in range(samples.shape[-1])]) if kind != "image" else ()
    if holes is not None:
        samples[holes] = np.nan  # after its columns were measured
    return work.found(kind, samples, labels[keep], classes, names, splits, columns)


def _sound(samples: NDArray[Any], work: Work) -> NDArray[np.bool_]:
    """Which samples are kept: where a table's missing values become the mean, all; else those without any."""
    keep = np.ones(len(samples), bool)
    total, count = np.zeros(samples.shape[-1]), np.zeros(samples.shape[-1])
    for some in chunks(samples):
        known = np.isfinite(samples[some])
        keep[some] = known.all(axis=tuple(range(1, samples.ndim)))
        if samples.ndim == 2:
            total += np.where(known, samples[some], 0).sum(0, dtype=np.float64)
            count += known.sum(0)
    if keep.all():
        return keep
    holes = np.flatnonzero(~keep)
    filled = samples.ndim == 2 and work.choices.missing != "skip"
    told = "these become the mean of their column" if filled else "these samples are left out"
    words = f"{len(holes):,} samples have values that are no finite numbers; {told}."
    work.decide("missing", "mean" if filled else "skip", ["mean", "skip"] if samples.ndim == 2 else ["skip"], words)
    if not filled:
        for row in holes[: work.limits.told]:
            work.skip(f"sample {row}", "it holds values that are no finite numbers")
        return keep
    mean = total / np.maximum(count, 1)
    for some in chunks(samples):
        samples[some] = np.where(np.isfinite(samples[some]), samples[some], mean)
    return np.ones(len(samples), bool)


def of_features(samples: NDArray[Any], split: NDArray[np.uint8] | None, names: Sequence[str]) -> list[Column]:
    """A column of numbers for each feature (N, F) or channel (N, T, C), measured on the training samples."""
    count, total, squares = 0, np.zeros(samples.shape[-1]), np.zeros(samples.shape[-1])
    for again in (False, True):  # the mean first: the sum of squares of numbers far from 0 loses all digits
        for some in chunks(samples):
            rows = samples[some] if split is None else samples[some][split[some] == TRAIN]
            flat = rows.reshape(-1, samples.shape[-1]).astype(np.float64)
            if again:
                squares += ((flat - total / max(1, count)) ** 2).sum(0)
            else:
                total, count = total + flat.sum(0), count + len(flat)
    mean, deviation = total / max(1, count), np.sqrt(squares / max(1, count))
    deviation = np.where(deviation > 0, deviation, 1.0)
    return [Column(name, "number", i, 1, float(mean[i]), float(deviation[i])) for i, name in enumerate(names)]


def _parts(arrays: Mapping[str, NDArray[Any]], work: Work, source: str) -> tuple[list[Part], bool]:
    """Which arrays are samples and which labels, by name, shape and choice; and whether they came split."""
    numeric = {name: each for name, each in arrays.items() if each.ndim >= 2 and each.dtype.kind in "buif"}
    flat = {name: each for name, each in arrays.items() if each.ndim == 1 or (each.ndim == 2 and each.shape[1] == 1)}
    taken = _named(work.choices.samples, numeric, "samples") or _guessed(numeric, flat, work)
    if not taken:
        came = ", ".join(f"{name} {by(each.shape)} of {each.dtype}" for name, each in list(arrays.items())[:6])
        raise Problem(
            f"{source} holds no array of samples ({plain(came or 'nothing', 200)})",
            "an array of samples has numbers and two to four axes, the first of which counts the samples",
            "save it so, for example as (N, H, W)",
        )
    places = [part_of(name) for name in taken]
    split = len(taken) > 1 and None not in places
    if split:
        taken = sorted(taken, key=lambda name: part_of(name) or 0)
    labels = _named(work.choices.labels, flat, "labels")
    if labels is None:
        others = {name: each for name, each in flat.items() if name not in taken}
        labels = [_label_of(name, len(arrays[name]), others) for name in taken]
    elif len(labels) != len(taken):
        labels = [*labels, *[""] * len(taken)][: len(taken)]
    parts = []
    for name, label in zip(taken, labels, strict=True):
        if label and len(arrays[name]) != len(arrays[label]):
            raise Problem(
                f"{name} holds {len(arrays[name]):,} samples but {label} {len(arrays[label]):,} labels",
                do="correct one of the two, or choose other arrays",
            )
        parts.append(Part(part_of(name) or 0 if split else TRAIN, name, arrays[name], arrays[label] if label else None))
    for name in arrays:
        if name not in (*taken, *labels):
            work.skip(name, f"the array {by(arrays[name].shape)} is not needed")
    if len(numeric) > 1 or work.choices.samples:
        several = [list(taken)] if len(taken) > 1 else []
        chosen = several[0] if several else taken[0]
        work.decide("samples", chosen, [*several, *numeric], f"Samples are taken from {' and '.join(taken)}.")
    if flat:
        given = " and ".join(filter(None, labels))
        words = f"Labels are taken from {given}." if given else "No array is taken for labels."
        options = ["", *flat] if len(labels) == 1 else [list(labels), ""] if given else [""]
        work.decide("labels", list(labels) if given and len(labels) > 1 else labels[0], options, words)
    return parts, split


def _named(chosen: str | Sequence[str] | None, there: Mapping[str, NDArray[Any]], what: str) -> list[str] | None:
    """The names that were chosen, None where none were. `Problem` when one is not there; "" is no labels."""
    if chosen is None:
        return None
    names = [chosen] if isinstance(chosen, str) else list(chosen)
    absent = [name for name in names if name not in there and (name or what == "samples")]
    if absent or len(set(names) - {""}) < len([name for name in names if name]):
        raise Problem(
            f"the array “{plain((absent or names)[0])}” cannot be chosen for {what}",
            f"{plain(' or '.join(list(there)[:20]) or 'nothing', 300)} can be, each once",
        )
    return names


def _guessed(numeric: Mapping[str, NDArray[Any]], flat: Mapping[str, NDArray[Any]], work: Work) -> list[str]:
    """The arrays that look like samples: all parts of a split, else one called so, else the largest."""
    candidates = [name for name in numeric if name not in flat]
    split = [name for name in candidates if part_of(name) is not None and _stem(name) not in LABEL_NAMES]
    named = [name for name in candidates if name.lower() in SAMPLE_NAMES]
    return split or (named or sorted(candidates, key=lambda name: -numeric[name].size))[:1]


def part_of(name: str) -> int | None:
    """The split that a name tells, such as "x_train" or "t10k-images"; None where it tells none."""
    words = re.split(r"[^a-z0-9]+", name.lower())
    return next((PARTS[word] for word in words if word in PARTS), None)


def _stem(name: str) -> str:
    """A name without its split: "x_train" and "train-x" are "x"."""
    return "_".join(word for word in re.split(r"[^a-z0-9]+", name.lower()) if word and word not in PARTS)


def _label_of(name: str, count: int, flat: Mapping[str, NDArray[Any]]) -> str:
    """The flat array that goes with these samples: of the same split, called as labels are, or as long as they."""
    same = [label for label in flat if part_of(label) == part_of(name)]
    named = [label for label in same if _stem(label).split("_")[-1] in LABEL_NAMES]
    fitting = [label for label in same if len(flat[label]) == count and flat[label].dtype.kind in "buiUS"]
    return next(iter(named or fitting), "")


KIND_OF = {"NHW": "image", "NHWC": "image", "NCHW": "image", "NF": "table", "NTC": "signal"}
AXES_TOLD = {
    "NHW": "samples are grey images, height before width",
    "NHWC": "samples are images, channels last",
    "NCHW": "samples are images, channels first",
    "NF": "samples are rows of features",
    "NTC": "samples are signals, time before channels",
}


def _axes(array: NDArray[Any], work: Work) -> str:
    """Which axis is what: the choice, else what shape and type say. Rows of pixels are "NHW" with a decided shape."""
    shape, choice = array.shape, work.choices
    possible = _possible(shape)
    if not possible:
        raise Problem(
            f"samples cannot have the shape {by(shape)}",
            "they are (N, F), (N, H, W), (N, T, C), or (N, H, W, C) or (N, C, H, W) with 1 to 4 channels",
            "save them so",
        )
    fitting = [axes for axes in possible if choice.axes in (None, axes) and choice.kind in (None, KIND_OF[axes])]
    if not fitting:
        asked = f"axes {choice.axes}" if choice.axes else f"samples of kind {choice.kind}"
        raise Problem(
            f"samples of shape {by(shape)} cannot have the axes {asked}",
            f"they can have {' or '.join(f'{axes} ({KIND_OF[axes]})' for axes in possible)}",
        )
    sides = choice.shape or (square(shape[1]) if len(shape) == 2 else None)
    chosen = fitting[0]
    if len(shape) == 3 and len(fitting) > 1:
        image = array.dtype.kind in "bu" or (min(shape[1:]) >= 8 and max(shape[1:]) <= 4 * min(shape[1:]))
        chosen = "NHW" if image else "NTC"
    elif len(shape) == 2 and "NHW" in fitting and (choice.shape or (sides and _pixels(array))):
        chosen = "NHW"
    words = f"The shape is {by(shape)}: {AXES_TOLD[chosen]}."
    work.decide("axes", chosen, [axes for axes in AXES if axes in possible], words)
    if chosen == "NHW" and len(shape) == 2:
        if not sides or math.prod(sides) != shape[1]:
            raise Problem(
                f"rows of {shape[1]:,} values cannot become images" + (f" of {by(sides)}" if sides else ""),
                "height x width x channels must give that number",
                "choose a shape that does, or the kind table",
            )
        work.decide("shape", list(sides), [list(sides)], f"Rows of {shape[1]:,} values are images of {by(sides)}.")
    return chosen


def _possible(shape: Sequence[int]) -> tuple[str, ...]:
    """What the axes of an array may be, the likeliest first."""
    if len(shape) == 4:
        return tuple(axes for axes, at in (("NHWC", 3), ("NCHW", 1)) if shape[at] in (1, 2, 3, 4))
    return {2: ("NF", "NHW", "NTC"), 3: ("NHW", "NTC")}.get(len(shape), ())


def _pixels(array: NDArray[Any]) -> bool:
    """Whether the first values look like grey levels: whole numbers from 0 to 255, or fractions from 0 to 1."""
    some = np.asarray(array[:200]).astype(np.float64)
    low, high = some.min(initial=0), some.max(initial=0)
    return bool(low >= 0 and (high <= 1 or (high <= 255 and (some == np.round(some)).all())))


def _laid(array: NDArray[Any], axes: str) -> NDArray[Any]:
    """The array seen as (N, H, W, C), (N, T, C) or (N, F); pixels in rows stay (N, F)."""
    if axes == "NCHW":
        return array.transpose(0, 2, 3, 1)
    if array.ndim == {"NHW": 3, "NTC": 2}.get(axes):
        return array[..., None]
    return array


def _as_floats(pieces: Sequence[NDArray[Any]], work: Work) -> NDArray[np.float32]:
    """All pieces one after the other as float32."""
    shape = pieces[0].shape[1:]
    if shape[-1] > work.limits.columns or 0 in shape:
        raise Problem(
            f"samples of {by(shape)} have too many or no features",
            f"1 to {work.limits.columns:,} are allowed",
            "bring fewer",
        )
    out = work.allocate((sum(map(len, pieces)), *shape), np.float32)
    at = 0
    for piece in pieces:
        for some in chunks(piece):
            work.progress("reading arrays", at, len(out))
            with np.errstate(over="ignore", invalid="ignore"):
                block = np.asarray(piece[some]).astype(np.float32)
            out[at : at + len(block)] = block
            at += len(block)
    return out


def _labels(parts: Sequence[Part], work: Work) -> tuple[NDArray[np.int32], tuple[str, ...]]:
    """Labels of all parts (N,) and their class names; -1 where a part has none or a label is no finite number."""
    texts: list[NDArray[Any]] = []
    for part in parts:
        values = None if part.labels is None else np.asarray(part.labels).reshape(len(part.labels), -1)
        if values is not None and values.shape[1] != 1:
            work.warn(f"The labels of {part.samples_name} have more than one number each, and are not taken.")
            values = None
        texts.append(np.full(len(part.samples), None, object) if values is None else as_text(values[:, 0]))
    return classes_of(np.concatenate(texts) if texts else np.zeros(0, object), work)

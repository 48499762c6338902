"""Samples made of named arrays: which are samples and which labels, which axis is what, and what is missing."""

from __future__ import annotations

import dataclasses
import itertools
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
from models.readers import precision
from models.readers.array_files import by
from models.readers.labels import CLASS_NAMES, LABEL_NAMES, as_text, classes_of
from models.readers.pixels import as_images, chunks, factors, square
from models.readers.result import ReadResult
from models.readers.work import Work, plain

SAMPLE_NAMES = ("x", "images", "image", "data", "samples", "arr_0", "features", "imgs")
PARTS = {
    **dict.fromkeys(("train", "training", "tr", "trn"), TRAIN),
    **dict.fromkeys(("val", "valid", "validation"), VALIDATION),
    **dict.fromkeys(("test", "testing", "t10k", "te", "tst"), TEST),
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
    asked = work.choices.axes or "N"
    if "N" in asked[1:]:  # samples are counted along another axis than the first
        arrays = {
            name: np.moveaxis(each, asked.index("N"), 0) if each.ndim == len(asked) else each
            for name, each in arrays.items()
        }
    parts, split = _parts(arrays, work, source)
    shapes = {part.samples.shape[1:] for part in parts}
    if len(shapes) > 1:
        raise Problem(
            f"the parts of {source} have samples of different shapes: {' and '.join(sorted(map(by, shapes)))}",
            do="make them equal, or choose one array",
        )
    if "N" in asked[1:]:
        axes = "N" + asked.replace("N", "")
        if parts[0].samples.ndim != len(asked) or axes not in possible_axes(parts[0].samples.shape):
            raise Problem(
                f"samples of shape {by(parts[0].samples.shape)} cannot have the axes {asked}", do="choose others"
            )
        words = f"The axes are {', '.join(AXIS[axis] for axis in asked)}, as chosen."
        work.decide("axes", asked, [asked, *possible_axes(parts[0].samples.shape)], words)
    else:
        axes = _axes(parts[0].samples, work)
    pieces = [_laid(part.samples, axes) for part in parts]
    total = sum(len(piece) for piece in pieces)
    kind = kind_of(axes)
    if kind == "image":
        samples: NDArray[Any] = as_images(pieces, work)
    else:
        samples = _as_floats(pieces, work)
    labels, classes = _labels(parts, work)
    splits = np.concatenate([np.full(len(part.samples), part.split, np.uint8) for part in parts]) if split else None
    keep = np.ones(total, bool)
    holes = ~np.isfinite(samples) if kind == "table" and work.choices.missing == "keep" else None
    gone = _holes(samples) if kind == "table" else None
    if kind != "image":
        keep = _sound(samples, work)
        samples = samples if keep.all() else samples[keep]  # most often there are no others, and nothing is copied
    names = [str(i + 1) for i in np.flatnonzero(keep)]
    splits = splits[keep] if splits is not None else None
    columns = of_features(samples, splits, [f"{i + 1}" for i in range(samples.shape[-1])]) if kind != "image" else ()
    if holes is not None:
        samples[holes] = np.nan  # after its columns were measured
    found = work.found(kind, samples, labels[keep], classes, names, splits, columns)
    filled = gone is not None and work.choices.missing != "keep" and len(gone) == len(samples)
    return dataclasses.replace(found, missing=gone) if filled else found


def _holes(samples: NDArray[Any]) -> NDArray[np.uint8] | None:
    """Where rows (N, F) have no finite number, a bit for each as `ReadResult` has them; None where all are."""
    out = np.zeros((len(samples), -(-samples.shape[1] // 8)), np.uint8)
    for some in chunks(samples):
        out[some] = np.packbits(~np.isfinite(samples[some]), axis=1)
    return out if out.any() else None


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
            work.skip(f"sample {row + 1}", "it holds values that are no finite numbers")
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
    arrays = _with_one_hot(arrays, work)
    numeric = {name: each for name, each in arrays.items() if each.ndim >= 2 and each.dtype.kind in "buif"}
    flat = {name: each for name, each in arrays.items() if each.ndim == 1 or (each.ndim == 2 and each.shape[1] == 1)}
    taken = _named(work.choices.samples, numeric, "samples") or _guessed(numeric, flat, work)
    if not taken:
        came = ", ".join(f"{name} {by(each.shape)} of {each.dtype}" for name, each in list(arrays.items())[:6])
        raise Problem(
            f"{source} holds no array of samples ({plain(came or 'nothing', 200)}{_why(work)})",
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
        rivals = [
            name
            for name in flat
            if name not in labels and len(flat[name]) == len(arrays[taken[0]]) and _few(flat[name])
        ]
        called = {_stem(name).split("_")[-1] for name in labels if name} <= {*CLASS_NAMES, "activity"}
        asks = len(taken) == 1 and bool(labels[0] and rivals) and not called
        work.decide("labels", list(labels) if given and len(labels) > 1 else labels[0], options, words, asks=asks)
    return parts, split


def _with_one_hot(arrays: Mapping[str, NDArray[Any]], work: Work) -> dict[str, NDArray[Any]]:
    """The arrays, with those that are labels one-hot as labels (N,): each row holds a single 1 and else 0."""
    out = dict(arrays)
    for name, each in arrays.items():
        others = [
            other
            for key, other in arrays.items()
            if key != name and other.ndim >= 2 and other.shape[:1] == each.shape[:1]
        ]
        called = _stem(name).split("_")[-1] in LABEL_NAMES or name in _listed(work.choices.labels)
        fitting = each.ndim == 2 and 2 <= each.shape[1] <= work.limits.classes and each.dtype.kind in "buif"
        if not fitting or not others or name in _listed(work.choices.samples):
            continue
        likely = called or each.size < max(other.size for other in others)
        if likely and all(_single(np.asarray(each[some])) for some in chunks(each)):
            out[name] = np.concatenate([np.asarray(each[some]).argmax(1) for some in chunks(each)])
            work.warn(
                f"“{name}” holds {each.shape[1]:,} numbers for each sample, one of which is 1: it is taken for labels."
            )
    return out


def _single(rows: NDArray[Any]) -> bool:
    """Whether each row holds one 1, and else 0."""
    return bool(((rows == 0) | (rows == 1)).all() and ((rows == 1).sum(1) == 1).all())


def _listed(chosen: str | Sequence[str] | None) -> list[str]:
    return [] if chosen is None else [chosen] if isinstance(chosen, str) else list(chosen)


def _whole(values: NDArray[Any]) -> bool:
    """Whether these could be labels: texts, whole numbers, or fractions that all are whole."""
    return values.dtype.kind in "buiUS" or (
        values.dtype.kind == "f" and bool((~np.isfinite(values) | (values == np.round(values))).all())
    )


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


def _why(work: Work) -> str:
    """What was left out, and why, as the rest of a sentence."""
    some = [f"{name}: {reasons[0]}" for name, reasons in list(work.left_out.items())[:2]]
    return f"; left out: {plain('; '.join(some), 300)}" if some else ""


def part_of(name: str) -> int | None:
    """The split that a name tells, such as "x_train" or "t10k-images"; None where it tells none."""
    return next((PARTS[word] for word in _words(name) if word in PARTS), None)


def _words(name: str) -> list[str]:
    """The words of a name, small: "x", "train" of "xTrain" and "x_train"; "x", "te" of "Xte"."""
    apart = re.sub(r"^([xy])(tr|te|trn|tst|train|test|val|valid)$", r"\1 \2", name, flags=re.IGNORECASE)
    apart = re.sub(r"([a-z0-9])([A-Z])", r"\1 \2", apart)
    return [word for word in re.split(r"[^a-z0-9]+", apart.lower()) if word]


def _stem(name: str) -> str:
    """A name without its split: "x_train" and "train-x" are "x"."""
    return "_".join(word for word in _words(name) if word not in PARTS)


def _label_of(name: str, count: int, flat: Mapping[str, NDArray[Any]]) -> str:
    """The flat array that goes with these samples: of the same split, called as labels are, or as long as they."""
    same = [label for label in flat if part_of(label) == part_of(name)]
    few = [label for label in same if _few(flat[label])]
    named = [label for label in few if _stem(label).split("_")[-1] in (*CLASS_NAMES, "activity")]
    fitting = [label for label in few if len(flat[label]) == count and not {"id", "ids", "index"} & set(_words(label))]
    return next(iter(named or fitting), "")


def _few(values: NDArray[Any]) -> bool:
    """Whether values are such as classes have: texts or whole numbers, of which many are the same."""
    return _whole(values) and len(np.unique(values)) <= max(10, min(1000, len(values) // 2))


def kind_of(axes: str) -> str:
    """The kind of sample that axes such as "NCHW" make."""
    return {"F": "table", "T": "signal"}.get("".join(set(axes) & set("FT")), "image")


AXIS = {"N": "sample", "H": "height", "W": "width", "C": "channel", "T": "time", "F": "feature"}


def _axes(array: NDArray[Any], work: Work) -> str:
    """Which axis is what: the choice, else what shape and values say. Rows of pixels are "NHW" with a decided shape."""
    shape, choice = array.shape, work.choices
    possible = possible_axes(shape)
    if not possible:
        raise Problem(
            f"samples cannot have the shape {by(shape)}",
            "they have the axes NF (features), NHW (grey images), NTC (signals), or NHWC with 1 to 4 channels, in any order",
            "save them so",
        )
    fitting = [axes for axes in possible if choice.axes in (None, axes) and choice.kind in (None, kind_of(axes))]
    if not fitting:
        asked = f"axes {choice.axes}" if choice.axes else f"samples of kind {choice.kind}"
        raise Problem(
            f"samples of shape {by(shape)} cannot have the axes {asked}",
            f"they can have {' or '.join(f'{axes} ({kind_of(axes)})' for axes in possible[:6])}",
        )
    sides = choice.shape or (square(shape[1]) if len(shape) == 2 else None)
    chosen, asks = fitting[0], False
    if len(shape) == 3 and len(fitting) > 1:
        chosen, asks = _of_three(array, fitting)
    elif len(shape) == 2 and "NHW" in fitting and (choice.shape or (sides and _pixels(array))):
        chosen = "NHW"
    words = f"The shape is {by(shape)}: its axes are {', '.join(AXIS[axis] for axis in chosen)}."
    if asks:
        words = f"The shape is {by(shape)}, and its values could be images or signals: {', '.join(AXIS[axis] for axis in chosen)}."
    work.decide("axes", chosen, [chosen, *(axes for axes in possible if axes != chosen)], words, asks=asks)
    if chosen == "NHW" and len(shape) == 2:
        possible_sides = factors(shape[1])
        if not sides and choice.kind == "image" and possible_sides:
            sides = possible_sides[0]
        if not sides or math.prod(sides) != shape[1]:
            raise Problem(
                f"rows of {shape[1]:,} values cannot become images" + (f" of {by(sides)}" if sides else ""),
                "height x width x channels must give that number",
                "choose a shape that does, or the kind table",
            )
        options = [list(sides), *(list(each) for each in possible_sides if each != tuple(sides))]
        told = f"Rows of {shape[1]:,} values are images of {by(sides)}."
        work.decide("shape", list(sides), options, told, asks=not square(shape[1]))
    return chosen


def _of_three(array: NDArray[Any], fitting: Sequence[str]) -> tuple[str, bool]:
    """The axes of (N, A, B): images where the values are grey levels and the sides alike, else signals whose longer side is
    time; and whether somebody should say so, since both are as likely."""
    first, second = array.shape[1:]
    alike = max(first, second) < 4 * min(first, second)
    sided = min(first, second) >= 8 and max(first, second) <= 4 * min(first, second)
    grey = array.dtype.kind in "bu" or (sided and _pixels(array))
    likely = "NHW" if grey or (sided and first == second) else "NCT" if second >= 4 * first else "NTC"
    scaled = array.dtype.kind == "f" and first != second  # series are scaled to 0 and 1 as images are
    return likely if likely in fitting else fitting[0], alike and (not grey or scaled)


def possible_axes(shape: Sequence[int]) -> list[str]:
    """What the axes of an array may be, the likeliest first: the usual orders, then all others."""
    usual = {2: ["NF", "NHW", "NTC", "FN"], 3: ["NHW", "NTC", "NCT"], 4: ["NHWC", "NCHW"]}.get(len(shape), [])
    letters = {3: ("NHW", "NTC"), 4: ("NHWC",)}.get(len(shape), ())
    all_orders = ["".join(order) for each in letters for order in itertools.permutations(each)]
    out = list(dict.fromkeys([*usual, *all_orders]))
    return [axes for axes in out if len(shape) < 4 or shape[axes.index("C")] in (1, 2, 3, 4)]


def _pixels(array: NDArray[Any]) -> bool:
    """Whether the first values look like grey levels: whole numbers from 0 to 255, or fractions from 0 to 1."""
    some = np.asarray(array[:200]).astype(np.float64)
    low, high = some.min(initial=0), some.max(initial=0)
    return bool(low >= 0 and (high <= 1 or (high <= 255 and (some == np.round(some)).all())))


def _laid(array: NDArray[Any], axes: str) -> NDArray[Any]:
    """The array seen as (N, H, W, C), (N, T, C) or (N, F); pixels in rows stay (N, F)."""
    if len(axes) == array.ndim:
        order = {"table": "NF", "signal": "NTC", "image": "NHWC"}[kind_of(axes)]
        array = array.transpose([axes.index(axis) for axis in order if axis in axes])
    if array.ndim == {"signal": 2, "image": 3}.get(kind_of(axes)):
        return array[..., None]
    return array


def _as_floats(pieces: Sequence[NDArray[Any]], work: Work) -> NDArray[Any]:
    """All pieces one after the other as float32, or as float64 where that would lose much."""
    shape = pieces[0].shape[1:]
    if shape[-1] > work.limits.columns or 0 in shape:
        raise Problem(
            f"samples of {by(shape)} have too many or no features",
            f"1 to {work.limits.columns:,} are allowed",
            "bring fewer",
        )
    goal = (sum(map(len, pieces)), *shape)
    parts = (np.asarray(piece[some]) for piece in pieces for some in chunks(piece))
    out = work.allocate(goal, precision.of_numbers(parts, shape[-1], goal, work))
    at = 0
    for piece in pieces:
        for some in chunks(piece):
            work.progress("reading arrays", at, len(out))
            with np.errstate(over="ignore", invalid="ignore"):
                block = np.asarray(piece[some]).astype(out.dtype)
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

"""Array files: NPY, NPZ, safetensors and idx. Nothing is unpickled; a header is a claim, checked before memory is taken.

Each format is turned into named arrays, memory-mapped where they are large; one function makes samples of these.
"""

from __future__ import annotations

import gzip
import io
import itertools
import json
import math
import mmap
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from models import Problem
from models.columns import Column
from models.datasets import TEST, TRAIN, VALIDATION
from models.readers import bags
from models.readers.found import Found, Levels
from models.readers.images import KEPT_SIDE, SIDES, fitted
from models.readers.work import AXES, FITS, SCALINGS, Work, decoding, plain, reason

NPY = b"\x93NUMPY"
GZIP = b"\x1f\x8b"
CHUNK = 1 << 20
IDX_TYPES = {0x08: "u1", 0x09: "i1", 0x0B: ">i2", 0x0C: ">i4", 0x0D: ">f4", 0x0E: ">f8"}
SAFE_TYPES = {
    **{"F64": "<f8", "F32": "<f4", "F16": "<f2", "BF16": "bf16", "BOOL": "?"},
    **{f"{kind}{bits}": f"<{kind.lower()}{bits // 8}" for kind in "IU" for bits in (8, 16, 32, 64)},
}
LABEL_NAMES = ("y", "label", "labels", "target", "targets", "class", "classes")
SAMPLE_NAMES = ("x", "images", "image", "data", "samples", "arr_0", "features", "imgs")
PARTS = {
    **dict.fromkeys(("train", "training"), TRAIN),
    **dict.fromkeys(("val", "valid", "validation"), VALIDATION),
    **dict.fromkeys(("test", "testing", "t10k"), TEST),
}


Arrays = dict[str, NDArray[Any]]


def read_npy(path: Path, work: Work) -> Arrays:
    """The one array of an NPY file, memory-mapped, under the name "array"."""
    size = bags.check_upload(path, work)
    with path.open("rb") as stream:
        shape, fortran, dtype = _npy_header(stream, plain(path.name), work)
        start = stream.tell()
    _check_size(plain(path.name), shape, dtype, size - start)
    if 0 in shape:
        return {"array": np.zeros(shape, dtype)}
    with decoding(plain(path.name), "a whole NPY file"):
        return {"array": np.memmap(path, dtype, "r", start, shape, "F" if fortran else "C")}


def read_npz(path: Path, work: Work) -> Arrays:
    """The arrays of an NPZ file by name. One that cannot be taken, such as one of Python objects, is skipped."""
    archive, entries = bags.open_zip(path, work)
    out: Arrays = {}
    with archive:
        for i, entry in enumerate(entries[: work.limits.arrays]):
            work.progress("unpacking arrays", i, len(entries))
            name = plain(entry.name.removesuffix(".npy"), 100)
            try:
                out[name] = _npz_member(entry, name, work)
            except Problem as problem:
                work.tick()
                work.skip(entry.name, f"{reason(problem)}; {problem.do}")
    if not out:
        why = next((f" ({name}: {why[0]})" for name, why in work.left_out.items()), "")
        raise Problem(
            f"{plain(path.name)} holds no array that can be read{why}",
            "arrays of numbers were expected",
            "save it again with numpy.savez and arrays of one numeric type each",
        )
    return out


def _npz_member(entry: bags.Entry, name: str, work: Work) -> NDArray[Any]:
    with decoding(name, "a whole array"):
        stream = entry.open()
    with stream:
        shape, fortran, dtype = _npy_header(stream, name, work)
        with decoding(name, "a whole array"):
            start = stream.tell()
        _check_size(name, shape, dtype, entry.size - start)
        flat = _poured(stream, name, math.prod(shape), dtype, work)
    return flat.reshape(shape, order="F" if fortran else "C")


def _npy_header(stream: IO[bytes], name: str, work: Work) -> tuple[tuple[int, ...], bool, np.dtype[Any]]:
    """Shape, order and type that an NPY header claims. `Problem` for objects, records and what is no header."""
    with decoding(name, "an array in NumPy's format"):
        version = np.lib.format.read_magic(stream)
        if version == (1, 0):
            header = np.lib.format.read_array_header_1_0(stream)
        elif version == (2, 0):
            header = np.lib.format.read_array_header_2_0(stream)
        else:
            raise ValueError(f"version {version[0]}.{version[1]}")
    shape, fortran, dtype = header
    if dtype.hasobject:
        raise Problem(
            f"{name} holds Python objects, which could run code when they are read",
            "an array of numbers was expected",
            "convert it to one numeric type, for example with numpy.stack, and save it again",
        )
    if dtype.kind not in "buifUS" or dtype.itemsize > 4 * work.limits.cell:
        raise Problem(
            f"{name} holds values of type {plain(str(dtype))}",
            "whole numbers, fractions or text were expected",
            "convert it to float32 or uint8 and save it again",
        )
    return shape, fortran, dtype


def _check_size(name: str, shape: Sequence[int], dtype: np.dtype[Any], there: int) -> None:
    """`Problem` unless the bytes that are there are those that the header claims."""
    if any(side < 0 for side in shape) or len(shape) > 8:
        raise Problem(
            f"{name} claims the shape {plain(str(tuple(shape)))}", "1 to 8 axes were expected", "save it again"
        )
    claimed = math.prod(shape) * dtype.itemsize
    if claimed != there:
        raise Problem(
            f"{name} claims the shape {plain(_by(shape))} of {dtype}, which is {plain(f'{claimed:,}')} bytes, and holds {there:,}",
            "as many bytes as the header claims were expected",
            "copy or save it again; it may have been cut short",
        )


def _poured(stream: IO[bytes] | gzip.GzipFile, name: str, count: int, dtype: np.dtype[Any], work: Work) -> NDArray[Any]:
    """`count` values out of a stream that has to be unpacked: in memory when few, else in an unnamed file.

    It grows with the bytes that really come, and stops where more come than were claimed.
    """
    promised = count * dtype.itemsize
    if promised > work.limits.unpacked:
        raise Problem(
            f"{name} claims {promised:,} bytes",
            f"at most {work.limits.unpacked:,} were expected",
            "bring fewer samples",
        )
    small = promised <= 16 * CHUNK
    with io.BytesIO() if small else work.spool() as out:
        done = 0
        while done <= promised:
            with decoding(name, "a whole array"):
                chunk = stream.read(CHUNK)
            if not chunk:
                break
            out.write(chunk)
            done += len(chunk)
            work.tick()
        if done != promised:
            came = f"{done:,}" if done < promised else "more"
            raise Problem(
                f"{name} promises {promised:,} bytes of values and holds {came}",
                "as many as its header promises were expected",
                "copy or make it again; it may have been cut short",
            )
        if isinstance(out, io.BytesIO):
            return np.frombuffer(out.getvalue(), dtype)
        out.flush()
        return np.frombuffer(mmap.mmap(out.fileno(), promised, access=mmap.ACCESS_READ), dtype)


def read_safetensors(path: Path, work: Work) -> Arrays:
    """The arrays of a safetensors file by name, memory-mapped. Raises `Problem` when its header lies."""
    name, size = plain(path.name), bags.check_upload(path, work)
    do = "save it again with safetensors"
    with path.open("rb") as stream:
        length = int.from_bytes(stream.read(8), "little")
        if not 2 <= length <= min(work.limits.header, size - 8):
            raise Problem(
                f"the header of {name} claims {length:,} bytes",
                f"2 to {min(work.limits.header, max(2, size - 8)):,} bytes were expected",
                do,
            )
        with decoding(f"the header of {name}", "a table of arrays in JSON", do):
            table = json.loads(stream.read(length).decode("utf-8"))
    if not isinstance(table, dict) or len(table) > work.limits.arrays:
        raise Problem(
            f"the header of {name} is no table of arrays", f"at most {work.limits.arrays:,} arrays were expected", do
        )
    table.pop("__metadata__", None)
    with path.open("rb") as stream:
        content = np.frombuffer(mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ), np.uint8)[8 + length :]
    out: Arrays = {}
    spans: list[tuple[int, int]] = []
    for key, facts in table.items():
        shape, kind, begin, end = _tensor(key, facts, len(content), name)
        spans.append((begin, end))
        raw = content[begin:end]
        half = kind == "bf16"  # the upper half of a float32
        values = (raw.view("<u2").astype("<u4") << 16).view("<f4") if half else raw.view(kind)
        out[plain(key, 100)] = values.reshape(shape)
    spans.sort()
    if any(second[0] < first[1] for first, second in itertools.pairwise(spans)):
        raise Problem(f"in {name} arrays lie one within the other", "one after the other was expected", do)
    return out


def _tensor(key: str, facts: Any, there: int, name: str) -> tuple[list[int], str, int, int]:
    """Shape, type and place of one entry of a safetensors header."""

    about = facts if isinstance(facts, dict) else {}
    shape, offsets, kind = _wholes(about.get("shape")), _wholes(about.get("data_offsets")), about.get("dtype")
    dtype = SAFE_TYPES.get(kind) if isinstance(kind, str) else None
    if shape is None or len(shape) > 8 or offsets is None or len(offsets) != 2 or dtype is None:
        raise Problem(
            f"{name} describes the array “{plain(key)}” in a way that is not known",
            f"a shape, two offsets and one of the types {', '.join(SAFE_TYPES)} were expected",
            "save it again with safetensors",
        )
    begin, end = offsets
    item = 2 if dtype == "bf16" else np.dtype(dtype).itemsize
    if not begin <= end <= there or math.prod(shape) * item != end - begin:
        raise Problem(
            f"{name} claims that “{plain(key)}” of shape {plain(_by(shape))} lies at bytes {plain(f'{begin:,} to {end:,}')} of {there:,}",
            f"{plain(f'{math.prod(shape) * item:,}')} bytes within the file were expected",
            "copy or save it again; it may have been cut short",
        )
    return shape, dtype, begin, end


def _wholes(values: Any) -> list[int] | None:
    right = isinstance(values, list) and all(type(value) is int and 0 <= value < 1 << 62 for value in values)
    return values if right else None


def is_idx(start: bytes) -> bool:
    """Whether a file that begins so is idx: two zero bytes, a known type, one to four dimensions."""
    return len(start) >= 8 and start[:2] == b"\0\0" and start[2] in IDX_TYPES and 1 <= start[3] <= 4


def unzipped_start(path: Path, start: bytes) -> bytes:
    """The first bytes of what a gzip file holds; the first bytes as they are of another file; none of a broken one."""
    if not start.startswith(GZIP):
        return start
    try:
        with decoding(path.name, "a gzip file"), gzip.open(path) as stream:
            return stream.read(len(start))
    except Problem:
        return b""


def idx(path: Path, work: Work) -> NDArray[Any]:
    """The values of an idx file, gzipped or not."""
    size, name = bags.check_upload(path, work), plain(path.name)
    packed = bags.start_of(path, 2) == GZIP
    with gzip.open(path) if packed else path.open("rb") as stream:
        with decoding(name, "a whole gzip file" if packed else "a whole file"):
            start = stream.read(4)
        if len(start) < 4 or start[:2] != b"\0\0" or start[2] not in IDX_TYPES or not 1 <= start[3] <= 4:
            raise Problem(
                f"{name} starts with the bytes {start.hex(' ') or 'none'}",
                "two zero bytes, a type and one to four dimensions were expected, as idx has",
                "bring a file in the format of MNIST, or an image, a table or an array file",
            )
        with decoding(name, "a whole gzip file" if packed else "a whole file"):
            header = stream.read(4 * start[3])
        if len(header) < 4 * start[3]:
            raise Problem(f"{name} ends within its header", f"{start[3]} sizes were expected there", "copy it again")
        shape = tuple(int(side) for side in np.frombuffer(header, ">u4"))
        dtype = np.dtype(IDX_TYPES[start[2]])
        if not packed:
            _check_size(name, shape, dtype, size - 4 - len(header))
        elif math.prod(shape) * dtype.itemsize > max(work.limits.ratio_from, size * 1100):  # deflate gives 1032 at most
            raise Problem(
                f"{name} has {size:,} bytes and promises {plain(_by(shape))} values",
                "no more than can be in it were expected",
                "copy or make it again",
            )
        return _poured(stream, name, math.prod(shape), dtype, work).reshape(shape)


@dataclass(frozen=True)
class Part:
    """Samples and labels of one split."""

    split: int
    samples_name: str
    samples: NDArray[Any]
    labels: NDArray[Any] | None


def found(arrays: Mapping[str, NDArray[Any]], work: Work, source: str) -> Found:
    """Samples made of named arrays: the parts of a split one after the other. Others are skipped."""
    parts, split = _parts(arrays, work, source)
    shapes = {part.samples.shape[1:] for part in parts}
    if len(shapes) > 1:
        raise Problem(
            f"the parts of {source} have samples of the shapes {' and '.join(sorted(map(_by, shapes)))}",
            "samples of one shape were expected",
            "make them equal, or choose one array",
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
    for some in _chunks(samples):
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
    for some in _chunks(samples):
        samples[some] = np.where(np.isfinite(samples[some]), samples[some], mean)
    return np.ones(len(samples), bool)


def of_features(samples: NDArray[Any], split: NDArray[np.uint8] | None, names: Sequence[str]) -> list[Column]:
    """A column of numbers for each feature (N, F) or channel (N, T, C), measured on the training samples."""
    count, total, squares = 0, np.zeros(samples.shape[-1]), np.zeros(samples.shape[-1])
    for again in (False, True):  # the mean first: the sum of squares of numbers far from 0 loses all digits
        for some in _chunks(samples):
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
        came = ", ".join(f"{name} {_by(each.shape)} of {each.dtype}" for name, each in list(arrays.items())[:6])
        raise Problem(
            f"{source} holds no array of samples ({plain(came or 'nothing', 200)})",
            "numbers with two to four axes, the first of which counts the samples, were expected",
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
                f"{name} holds {len(arrays[name]):,} samples and {label} {len(arrays[label]):,} labels",
                "one label for each sample was expected",
                "correct one of the two, or choose other arrays",
            )
        parts.append(Part(part_of(name) or 0 if split else TRAIN, name, arrays[name], arrays[label] if label else None))
    for name in arrays:
        if name not in (*taken, *labels):
            work.skip(name, f"the array {_by(arrays[name].shape)} is not needed")
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
            f"the array “{plain((absent or names)[0])}” was chosen for {what}",
            f"{plain(' or '.join(list(there)[:20]) or 'nothing', 300)} was expected, each once",
            "choose one of these",
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
            f"the samples have the shape {_by(shape)}",
            "(N, F), (N, H, W), (N, T, C), or (N, H, W, C) or (N, C, H, W) with 1 to 4 channels was expected",
            "save them so",
        )
    fitting = [axes for axes in possible if choice.axes in (None, axes) and choice.kind in (None, KIND_OF[axes])]
    if not fitting:
        asked = f"axes {choice.axes}" if choice.axes else f"samples of kind {choice.kind}"
        raise Problem(
            f"{asked} were chosen for samples of shape {_by(shape)}",
            f"one of {', '.join(f'{axes} ({KIND_OF[axes]})' for axes in possible)} was expected",
            "choose one of these",
        )
    sides = choice.shape or (square(shape[1]) if len(shape) == 2 else None)
    chosen = fitting[0]
    if len(shape) == 3 and len(fitting) > 1:
        image = array.dtype.kind in "bu" or (min(shape[1:]) >= 8 and max(shape[1:]) <= 4 * min(shape[1:]))
        chosen = "NHW" if image else "NTC"
    elif len(shape) == 2 and "NHW" in fitting and (choice.shape or (sides and _pixels(array))):
        chosen = "NHW"
    words = f"The shape is {_by(shape)}: {AXES_TOLD[chosen]}."
    work.decide("axes", chosen, [axes for axes in AXES if axes in possible], words)
    if chosen == "NHW" and len(shape) == 2:
        if not sides or math.prod(sides) != shape[1]:
            raise Problem(
                f"rows of {shape[1]:,} values were to become images" + (f" of {_by(sides)}" if sides else ""),
                "height x width x channels were expected to give that number",
                "choose a shape that does, or the kind table",
            )
        work.decide("shape", list(sides), [list(sides)], f"Rows of {shape[1]:,} values are images of {_by(sides)}.")
    return chosen


def _possible(shape: Sequence[int]) -> tuple[str, ...]:
    """What the axes of an array may be, the likeliest first."""
    if len(shape) == 4:
        return tuple(axes for axes, at in (("NHWC", 3), ("NCHW", 1)) if shape[at] in (1, 2, 3, 4))
    return {2: ("NF", "NHW", "NTC"), 3: ("NHW", "NTC")}.get(len(shape), ())


def square(features: int) -> tuple[int, ...] | None:
    """(H, W) or (H, W, 3) of the square image with that many values, from 8 x 8 on."""
    for channels, tail in ((1, ()), (3, (3,))):
        side = math.isqrt(features // channels)
        if side >= 8 and side * side * channels == features:
            return (side, side, *tail)
    return None


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


def as_images(pieces: Sequence[NDArray[Any]], work: Work) -> NDArray[np.uint8]:
    """Numbers (N, H, W, C), or (N, F) with the decided shape, as uint8 (N, H, W, 1 or 3) of the decided size."""
    shape = pieces[0].shape[1:]
    if len(shape) == 1:
        sides = work.decisions["shape"].chosen
        shape = (sides[0], sides[1], sides[2] if len(sides) > 2 else 1)
        pieces = [piece.reshape(len(piece), *shape) for piece in pieces]
    if max(shape[:2]) > 4096 or min(shape) < 1:
        raise Problem(f"images of {_by(shape)} came", "sides from 1 to 4,096 pixels were expected", "make them smaller")
    low, high = _levels(pieces, work)
    size, fit = _size(shape, work)
    channels = 1 if shape[2] <= 2 else 3
    if work.choices.colour and (1, 3)[work.choices.colour == "colour"] != channels:
        channels = (1, 3)[work.choices.colour == "colour"]
    if shape[2] in (3, 4) or work.choices.colour:
        words = "Images are kept in colour." if channels == 3 else "Images are kept in greys."
        work.decide("colour", ("grey", "colour")[channels == 3], ("grey", "colour"), words)
    if shape[2] in (2, 4):
        work.warn("The last channel is taken for transparency; images are shown over white.")
    out = work.room((sum(map(len, pieces)), *size, channels), np.uint8)
    at = 0
    for piece in pieces:
        for some in _chunks(piece):
            work.progress("scaling images", at, len(out))
            values = np.asarray(piece[some], np.float32)
            if (low, high) != (0, 255) or piece.dtype != np.uint8:
                values = np.clip(
                    (np.nan_to_num(values, nan=low, posinf=high, neginf=low) - low) * (255 / (high - low)), 0, 255
                )
            block = _in_channels(values, channels)
            block = np.round(block).astype(np.uint8)
            if shape[:2] != size:
                block = np.stack([_resized(image, size, fit) for image in block])
            out[at : at + len(block)] = block
            at += len(block)
    return out


def _in_channels(values: NDArray[np.float32], channels: int) -> NDArray[np.float32]:
    """Values from 0 to 255 (N, H, W, 1 to 4) over white and in 1 or 3 channels."""
    if values.shape[-1] in (2, 4):
        share = values[..., -1:] / 255
        values = np.asarray(values[..., :-1] * share + 255 * (1 - share), np.float32)
    if values.shape[-1] == channels:
        return values
    if channels == 3:
        return np.repeat(values, 3, -1)
    return np.asarray(values @ np.array([0.299, 0.587, 0.114], np.float32), np.float32)[..., None]


def _resized(image: NDArray[np.uint8], size: tuple[int, int], fit: str) -> NDArray[np.uint8]:
    picture = Image.fromarray(image[..., 0] if image.shape[-1] == 1 else image)
    return np.asarray(fitted(picture, size, fit)).reshape(*size, image.shape[-1])


def _size(shape: tuple[int, ...], work: Work) -> tuple[tuple[int, int], str]:
    height, width = shape[:2]
    chosen = work.choices.size
    if chosen is not None:
        size = (chosen, chosen) if isinstance(chosen, int) else (int(chosen[0]), int(chosen[1]))
    elif max(height, width) <= KEPT_SIDE:
        size = (height, width)
    else:
        scale = KEPT_SIDE / max(height, width)
        size = (max(1, round(height * scale)), max(1, round(width * scale)))
    words = f"Images are {height} × {width} pixels (height × width)"
    words += " and stay so." if size == (height, width) else f"; each becomes {size[0]} × {size[1]}."
    work.decide("size", list(size), [list(size), *([side, side] for side in SIDES if (side, side) != size)], words)
    fit = work.choices.fit or "crop"
    if height * size[1] != width * size[0]:
        work.decide("fit", fit, FITS, "Images of other proportions are made to fit that way.")
    return size, fit


def _levels(pieces: Sequence[NDArray[Any]], work: Work) -> tuple[float, float]:
    """The values that become 0 and 255."""
    dtype, chosen = pieces[0].dtype, work.choices.scaling
    least, most = math.inf, -math.inf
    bad = 0
    for piece in pieces:
        for some in _chunks(piece):
            work.tick()
            values = np.asarray(piece[some])
            if dtype.kind == "f":
                sound = np.isfinite(values)
                bad += int(values.size - np.count_nonzero(sound))
                values = values[sound]
            if values.size:
                least, most = min(least, float(values.min())), max(most, float(values.max()))
    if bad:
        work.warn(f"{bad:,} values are no finite numbers, and are shown as black or white.")
    if least > most:
        least = most = 0.0
    if dtype.kind == "b":
        full = (0.0, 1.0)
    elif dtype.kind == "f":
        full = (0.0, 1.0 if most <= 1 else 255.0) if least >= 0 and most <= 255 else (least, most)
    else:
        limit = np.iinfo(dtype)
        full = (0.0, 255.0 if most <= 255 else float(limit.max)) if least >= 0 else (float(limit.min), float(limit.max))
    # Few greys of many, as in the digits from 0 to 16, or wide types that are hardly used, would be all but black.
    dark = most < 32 and most > 1 if full == (0.0, 255.0) else full not in ((0.0, 1.0), (0.0, 255.0))
    way = chosen or ("stretch" if dark else "as they are" if full == (0.0, 255.0) else "full")
    low, high = {"stretch": (min(least, 0.0) if dark and not chosen else least, most), "full": full}.get(
        way, (0.0, 255.0)
    )
    if not high > low:
        low, high = (0.0, 255.0) if 0 <= low <= 255 else (low, low + 1)
    sort = {"b": "bool", "f": "float"}.get(dtype.kind, "uint8" if dtype == np.uint8 else "int")
    levels = work.level(Levels(low, high, sort), least, most, stretched=way == "stretch")
    low, high = levels.low, levels.high
    told = (
        "Values stay as they are." if (low, high) == (0, 255) else f"Values from {low:g} to {high:g} become 0 to 255."
    )
    work.decide("scaling", way, SCALINGS, told)
    return low, high


def _as_floats(pieces: Sequence[NDArray[Any]], work: Work) -> NDArray[np.float32]:
    """All pieces one after the other as float32."""
    shape = pieces[0].shape[1:]
    if shape[-1] > work.limits.columns or 0 in shape:
        raise Problem(
            f"samples of {_by(shape)} came", f"1 to {work.limits.columns:,} features were expected", "bring fewer"
        )
    out = work.room((sum(map(len, pieces)), *shape), np.float32)
    at = 0
    for piece in pieces:
        for some in _chunks(piece):
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


def as_text(values: NDArray[Any]) -> NDArray[Any]:
    """Labels as text (N,) of objects: whole numbers without a point; None where there is none."""
    out = np.full(len(values), None, object)
    if values.dtype.kind == "S":
        values = np.char.decode(values, "utf-8", "replace")
    kinds, places = np.unique(values, return_inverse=True)
    names = np.full(len(kinds), None, object)
    for i, kind in enumerate(kinds.tolist()[:100_000]):
        if isinstance(kind, float):
            names[i] = None if not math.isfinite(kind) else f"{kind:.0f}" if kind == round(kind) else f"{kind:g}"
        else:
            names[i] = plain(str(int(kind) if isinstance(kind, bool) else kind).strip(), 100) or None
    out[:] = names[places]
    return out


def classes_of(texts: NDArray[Any], work: Work) -> tuple[NDArray[np.int32], tuple[str, ...]]:
    """Labels (N,) and class names from text or None for each sample; none at all when there are too many classes."""
    from models.readers.images import natural

    classes = sorted({text for text in texts if text is not None}, key=natural)
    if len(classes) > work.limits.classes:
        work.warn(
            f"The labels have {len(classes):,} values, more than the {work.limits.classes:,} classes that may be: they are not taken."
        )
        classes = []
    place = {name: i for i, name in enumerate(classes)}
    return np.array([place.get(text, -1) for text in texts], np.int32), tuple(classes)


def _chunks(array: NDArray[Any]) -> list[slice]:
    """Slices of the first axis of about 4 MiB in the widest type."""
    rows = max(1, (4 << 20) // max(1, 8 * math.prod(array.shape[1:])))
    return [slice(start, start + rows) for start in range(0, len(array), rows)]


def _by(shape: Sequence[int]) -> str:
    return " x ".join(map(str, shape)) or "one value"

"""Array files: NPY, NPZ, safetensors and idx. Nothing is unpickled; a header is a claim, checked before memory is taken.

Each format is turned into named arrays, memory-mapped where they are large.
"""

from __future__ import annotations

import gzip
import io
import itertools
import json
import math
import mmap
from collections.abc import Sequence
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from models import Problem
from models.readers import sources
from models.readers.work import Work, decoding, plain, reason

NPY = b"\x93NUMPY"
GZIP = b"\x1f\x8b"
CHUNK = 1 << 20
IDX_TYPES = {0x08: "u1", 0x09: "i1", 0x0B: ">i2", 0x0C: ">i4", 0x0D: ">f4", 0x0E: ">f8"}
SAFE_TYPES = {
    **{"F64": "<f8", "F32": "<f4", "F16": "<f2", "BF16": "bf16", "BOOL": "?"},
    **{f"{kind}{bits}": f"<{kind.lower()}{bits // 8}" for kind in "IU" for bits in (8, 16, 32, 64)},
}
Arrays = dict[str, NDArray[Any]]


def read_npy(path: Path, work: Work) -> Arrays:
    """The one array of an NPY file, memory-mapped, under the name "array"."""
    size = sources.check_upload(path, work)
    with path.open("rb") as stream:
        shape, fortran, dtype = _npy_header(stream, plain(path.name), work)
        start = stream.tell()
    _check_size(plain(path.name), shape, dtype, size - start)
    with decoding(plain(path.name), "a whole NPY file"):
        return {"array": np.memmap(path, dtype, "r", start, shape, "F" if fortran else "C")}


def read_npz(path: Path, work: Work) -> Arrays:
    """The arrays of an NPZ file by name. One that cannot be taken, such as one of Python objects, is skipped."""
    archive, entries = sources.open_zip(path, work)
    out: Arrays = {}
    with archive:
        for i, entry in enumerate(entries[: work.limits.arrays]):
            work.progress("unpacking arrays", i, len(entries))
            name = plain(entry.name.removesuffix(".npy"), 100)
            try:
                out[name] = _npz_member(entry, name, work)
            except Problem as problem:
                work.tick()
                work.skip(entry.name, "; ".join(filter(None, [reason(problem), problem.do])))
    if not out:
        why = next((f" ({name}: {why[0]})" for name, why in work.left_out.items()), "")
        raise Problem(
            f"{plain(path.name)} holds no array of numbers that can be read{why}",
            do="save it again with numpy.savez and arrays of one numeric type each",
        )
    return out


def _npz_member(entry: sources.Entry, name: str, work: Work) -> NDArray[Any]:
    with decoding(name, "a whole array"):
        stream = entry.open()
    with stream:
        shape, fortran, dtype = _npy_header(stream, name, work)
        with decoding(name, "a whole array"):
            start = stream.tell()
        _check_size(name, shape, dtype, entry.size - start)
        _check_count(name, shape, work)
        flat = _copied(stream, name, math.prod(shape), dtype, work)
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
            do="convert it to one numeric type, for example with numpy.stack, and save it again",
        )
    if dtype.kind not in "buifUS" or dtype.itemsize > 4 * work.limits.cell:
        raise Problem(
            f"{name} holds values of type {plain(str(dtype))}",
            "whole numbers, fractions or text can be read",
            "convert it to float32 or uint8 and save it again",
        )
    return shape, fortran, dtype


def _check_size(name: str, shape: Sequence[int], dtype: np.dtype[Any], there: int) -> None:
    """`Problem` unless the bytes that are there are those that the header claims."""
    if any(type(side) is not int or side < 0 for side in shape) or len(shape) > 8:
        raise Problem(
            f"arrays must have 1 to 8 axes; {name} claims the shape {plain(str(tuple(shape)))}",
            do="save it again with fewer axes",
        )
    if 0 in shape:
        raise Problem(f"{name} claims the shape {plain(by(shape))}, which holds nothing", do="bring another file")
    claimed = math.prod(shape) * dtype.itemsize
    if claimed != there:
        raise Problem(
            f"{name} claims the shape {plain(by(shape))} of {dtype}, which is {plain(f'{claimed:,}')} bytes, but holds {there:,}",
            do="copy or save it again; it may have been cut short",
        )


def _check_count(name: str, shape: Sequence[int], work: Work) -> None:
    """`Problem` where an array that has to be unpacked claims more samples than may be."""
    if shape and shape[0] > work.limits.samples:
        raise Problem(
            f"{name} claims {shape[0]:,} samples", f"at most {work.limits.samples:,} are allowed", "bring fewer samples"
        )


def _copied(stream: IO[bytes] | gzip.GzipFile, name: str, count: int, dtype: np.dtype[Any], work: Work) -> NDArray[Any]:
    """`count` values out of a stream that has to be unpacked: in memory when few, else in an unnamed file.

    It grows with the bytes that really come, and stops where more come than were claimed.
    """
    promised = count * dtype.itemsize
    if promised > work.limits.unpacked:
        raise Problem(
            f"{name} claims {promised:,} bytes", f"at most {work.limits.unpacked:,} are allowed", "bring fewer samples"
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
                f"{name} claims {promised:,} bytes of values but holds {came}",
                do="copy or make it again; it may have been cut short",
            )
        if isinstance(out, io.BytesIO):
            return np.frombuffer(out.getvalue(), dtype)
        out.flush()
        return np.frombuffer(mmap.mmap(out.fileno(), promised, access=mmap.ACCESS_READ), dtype)


def read_safetensors(path: Path, work: Work) -> Arrays:
    """The arrays of a safetensors file by name, memory-mapped. Raises `Problem` when its header lies."""
    name, size = plain(path.name), sources.check_upload(path, work)
    do = "save it again with safetensors"
    with path.open("rb") as stream:
        length = int.from_bytes(stream.read(8), "little")
        if not 2 <= length <= min(work.limits.header, size - 8):
            raise Problem(
                f"the header of {name} claims {length:,} bytes",
                f"it may have 2 to {min(work.limits.header, max(2, size - 8)):,}",
                do,
            )
        with decoding(f"the header of {name}", "a table of arrays in JSON", do):
            table = json.loads(stream.read(length).decode("utf-8"))
    if not isinstance(table, dict) or len(table) > work.limits.arrays:
        raise Problem(f"the header of {name} is not a table of at most {work.limits.arrays:,} arrays", do=do)
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
        raise Problem(f"arrays in {name} overlap", do=do)
    return out


def _tensor(key: str, facts: Any, there: int, name: str) -> tuple[list[int], str, int, int]:
    """Shape, type and place of one entry of a safetensors header."""

    about = facts if isinstance(facts, dict) else {}
    shape, offsets, kind = _integers(about.get("shape")), _integers(about.get("data_offsets")), about.get("dtype")
    dtype = SAFE_TYPES.get(kind) if isinstance(kind, str) else None
    if shape is None or len(shape) > 8 or offsets is None or len(offsets) != 2 or dtype is None:
        raise Problem(
            f"{name} describes the array “{plain(key)}” in an unknown way",
            f"it must have a shape, two offsets and one of the types {', '.join(SAFE_TYPES)}",
            "save it again with safetensors",
        )
    begin, end = offsets
    item = 2 if dtype == "bf16" else np.dtype(dtype).itemsize
    if not begin <= end <= there or math.prod(shape) * item != end - begin:
        raise Problem(
            f"{name} claims that “{plain(key)}” of shape {plain(by(shape))} lies at bytes {plain(f'{begin:,} to {end:,}')} of {there:,}",
            f"that shape takes {plain(f'{math.prod(shape) * item:,}')} bytes within the file",
            "copy or save it again; it may have been cut short",
        )
    return shape, dtype, begin, end


def _integers(values: Any) -> list[int] | None:
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
    size, name = sources.check_upload(path, work), plain(path.name)
    packed = sources.start_of(path, 2) == GZIP
    with gzip.open(path) if packed else path.open("rb") as stream:
        with decoding(name, "a whole gzip file" if packed else "a whole file"):
            start = stream.read(4)
        if len(start) < 4 or start[:2] != b"\0\0" or start[2] not in IDX_TYPES or not 1 <= start[3] <= 4:
            raise Problem(
                f"{name} is not an idx file: it starts with the bytes {start.hex(' ') or 'none'}",
                "idx starts with two zero bytes, a type and one to four dimensions",
                "bring a file in the format of MNIST, or an image, a table or an array file",
            )
        with decoding(name, "a whole gzip file" if packed else "a whole file"):
            header = stream.read(4 * start[3])
        if len(header) < 4 * start[3]:
            raise Problem(
                f"{name} ends within its header of {start[3]} sizes", do="copy it again; it may have been cut short"
            )
        shape = tuple(int(side) for side in np.frombuffer(header, ">u4"))
        dtype = np.dtype(IDX_TYPES[start[2]])
        _check_size(name, shape, dtype, math.prod(shape) * dtype.itemsize if packed else size - 4 - len(header))
        _check_count(name, shape, work)
        if packed and math.prod(shape) * dtype.itemsize > max(
            work.limits.ratio_from, size * 1100
        ):  # deflate gives 1032 at most
            raise Problem(
                f"{name} claims {plain(by(shape))} values, more than fit into its {size:,} bytes",
                do="copy or make it again",
            )
        return _copied(stream, name, math.prod(shape), dtype, work).reshape(shape)


def by(shape: Sequence[int]) -> str:
    return " x ".join(map(str, shape)) or "one value"

"""What reading gives: arrays, what was decided on the way, and what was left out."""

from __future__ import annotations

import hashlib
import math
import mmap
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from models.beside import Beside
from models.columns import MISSING, Column, inverse


@dataclass(frozen=True)
class Decision:
    """One thing that had to be decided. Reading again with the choice {what: one of options} decides it otherwise.

    chosen and options are plain JSON values. Options are examples where any number would do. words: a sentence. asks:
    whether two readings are as likely as each other, so that somebody has to say before the samples are kept.
    """

    what: str
    chosen: Any
    options: tuple[Any, ...]
    words: str
    asks: bool = False


@dataclass(frozen=True)
class ColumnFacts:
    """What was seen in a column of a table, and what it is used as.

    kind: "number", "category", "time" or "empty". numbers, times: the shares, 0 to 1, of its cells that are some, without
    empty ones. distinct: how many different values it has, None where that was not counted. examples: of its cells. role:
    "number", "category", "time", "id", "class" or "leave out"; why: the reason where it is no feature, a clause.
    """

    name: str
    kind: str
    numbers: float
    times: float
    distinct: int | None
    examples: tuple[str, ...] = ()
    role: str = ""
    why: str = ""


VALUES = ("bool", "uint8", "int", "float")  # "int": whole numbers of other types than 8 bits


@dataclass(frozen=True)
class Levels:
    """The values that become 0 and 255 in images, and what they are values of, one of VALUES."""

    low: float
    high: float
    of: str


@dataclass(frozen=True)
class ReadResult:
    """What a file or folder held.

    kind: "image", "signal" or "table". samples: uint8 (N, H, W, C) with C 1 or 3 for images; float32, or float64 where that
    would lose much, raw and not scaled, (N, T, C) for signals and (N, F) for tables; in memory or memory-mapped. labels: int32 (N,), the place
    in `classes`, -1 where unknown. names: a file name or row number for each sample. split: uint8 (N,) of
    models.datasets.TRAIN, VALIDATION and TEST where the data came split, else None. columns: of a table; of a
    signal one for each channel, with width 1. missing: of a table uint8 (N, columns / 8), a bit for each value that was not
    there and was filled, as numpy.packbits has them along the columns; None where all were. label: what the column of the
    classes is called, called: the column that names come from, "" where there is none. beside: what a table holds besides.
    levels: of images. facts: of all columns that a table came with, also those
    that are no features. skipped: (file or place, why), the first of them when there are many.
    warnings: sentences that a person should read before going on.
    """

    kind: str
    samples: NDArray[Any]
    labels: NDArray[np.int32]
    classes: tuple[str, ...]
    names: tuple[str, ...]
    split: NDArray[np.uint8] | None = None
    columns: tuple[Column, ...] = ()
    decisions: tuple[Decision, ...] = ()
    skipped: tuple[tuple[str, str], ...] = ()
    warnings: tuple[str, ...] = ()
    levels: Levels | None = None
    facts: tuple[ColumnFacts, ...] = ()
    missing: NDArray[np.uint8] | None = None
    label: str = ""
    called: str = ""
    beside: tuple[Beside, ...] = ()

    @property
    def shape(self) -> tuple[int, ...]:
        """One sample's shape: (H, W, C), (T, C) or (F,)."""
        return tuple(self.samples.shape[1:])

    def decision(self, what: str) -> Decision | None:
        """The decision of that name, None where it did not have to be made."""
        return next((decision for decision in self.decisions if decision.what == what), None)


def content_fingerprint(found: ReadResult) -> str:
    """The SHA-256, as 64 hex digits, over kind, shape, samples and labels: equal for equal content, however it came."""
    digest = hashlib.sha256(f"{found.kind} {found.samples.shape} {found.samples.dtype.str}\n".encode())
    for piece in pieces(found.samples):
        digest.update(np.ascontiguousarray(piece).tobytes())
    digest.update(np.ascontiguousarray(found.labels, "<i4").tobytes())
    return digest.hexdigest()


def pieces(samples: NDArray[Any], size: int = 8 << 20) -> Iterator[NDArray[Any]]:
    """Samples (N, ...) one part after the other, of about `size` bytes each.

    Of a file that is mapped each part is mapped by itself and let go, so that a large dataset does not count as memory
    of whoever walks through it.
    """
    row = samples[:1].nbytes
    rows = max(1, size // max(1, row))
    whole: Any = samples  # a mapping of a file by its name, and no part of one: then parts of the file can be mapped
    named = isinstance(getattr(whole, "base", None), mmap.mmap) and isinstance(whole.filename, str | Path)
    for start in range(0, len(samples), rows):
        if named and samples.flags.c_contiguous:
            shape = (min(rows, len(samples) - start), *samples.shape[1:])
            yield np.memmap(whole.filename, samples.dtype, "r", whole.offset + start * row, shape)
        else:
            yield samples[start : start + rows]


def value_range(found: ReadResult) -> tuple[NDArray[Any], NDArray[Any]]:
    """The least and the greatest value of each channel or feature, (C,) or (F,); of images over all channels, (1,)."""
    if found.kind == "image":  # by channel it would take ten times as long
        ends = [(piece.min(), piece.max()) for piece in pieces(found.samples)]
        return np.array([min(low for low, _ in ends)]), np.array([max(high for _, high in ends)])
    flat = (piece.reshape(-1, piece.shape[-1]) for piece in pieces(found.samples))
    least, most = zip(*((piece.min(0), piece.max(0)) for piece in flat), strict=True)
    return np.min(least, axis=0), np.max(most, axis=0)


COUNTED = 20_000_000  # values that are counted at most


def counts(found: ReadResult) -> dict[str, tuple[int, int]]:
    """How many values of each column of a table are missing, and how many different ones there are, by its name: those that
    are learnt and those beside them. Nothing of other kinds, or where it would take seconds."""
    if found.kind != "table" or not found.columns or found.samples.size > COUNTED:
        return {}
    holes = np.zeros((len(found.samples), len(found.columns)), bool)
    if found.missing is not None:
        holes = missing_of(found.missing, len(found.columns))
    out = {one.name: (int(np.isnan(one.values).sum()), _different(one.values)) for one in found.beside}
    if found.classes:
        out[found.label] = int((found.labels < 0).sum()), len(np.unique(found.labels[found.labels >= 0]))
    for i, column in enumerate(found.columns):
        there = found.samples[~holes[:, i], column.start : column.start + column.width]
        if column.kind == "number":
            out[column.name] = int(holes[:, i].sum()), _different(there[:, 0])
        else:  # a row of a category that is missing has none of its values
            known = int((there > 0).any(1).sum())
            out[column.name] = len(holes) - known, int((there > 0).any(0).sum())
    return out


def _different(values: NDArray[Any]) -> int:
    return len(np.unique(values[~np.isnan(values)]))


def contact_sheet(found: ReadResult, count: int = 64, side: int = 56) -> Image.Image:
    """Up to `count` samples, evenly spread over all, in a square grid of cells of `side` pixels: an RGB image.

    Images are shown as they are, signals as one line for each channel. Rows of a table have no picture: see
    `some_rows`.
    """
    assert found.kind != "table"
    rows = _spread(found, count)
    across = max(1, math.ceil(math.sqrt(len(rows))))
    down = max(1, math.ceil(len(rows) / across))
    gap = 2
    sheet = Image.new("RGB", (across * (side + gap) - gap, down * (side + gap) - gap), "white")
    some = np.asarray(found.samples[rows])
    if found.kind == "signal":
        some = np.nan_to_num(some.astype(np.float64))
        low, high = some.min((0, 1)), some.max((0, 1))
        some = (some - low) / np.where(high > low, high - low, 1)
    for i, sample in enumerate(some):
        cell = _image_cell(sample, side) if found.kind == "image" else _signal_cell(sample, side)
        left = (i % across) * (side + gap) + (side - cell.width) // 2
        sheet.paste(cell, (left, (i // across) * (side + gap) + (side - cell.height) // 2))
    return sheet


def missing_of(packed: NDArray[np.uint8], columns: int) -> NDArray[np.bool_]:
    """What `ReadResult.missing` says of some rows, as (N, columns)."""
    return np.unpackbits(packed, axis=1, count=columns).astype(bool)


def some_rows(found: ReadResult, count: int = 12) -> dict[str, Sequence[float | str | None]]:
    """Up to `count` rows of a table, evenly spread over all, in its own units: the ids first, then the class, each column that
    is learnt, and what else stands beside them. What was missing is None; the numbers are as they came, to about seven
    digits. Of what is not learnt the name says so."""
    rows = _spread(found, count)
    aside = {f"{one.name} (not learnt)": [cell or None for cell in one.said(rows)] for one in found.beside}
    ids = {f"{one.name} (not learnt)" for one in found.beside if one.kind == "id"}
    first, last = ({name: cells for name, cells in aside.items() if (name in ids) == front} for front in (True, False))
    # The shortest number of that float32: 112645.5, not 112645.5039.
    real = inverse(found.columns, found.samples[rows].astype(str).astype(np.float64))
    cells: dict[str, Sequence[float | str | None]] = {
        name: [
            None if value == MISSING or (isinstance(value, float) and math.isnan(value)) else value for value in values
        ]
        for name, values in real.items()
    }
    if found.missing is not None:
        holes = missing_of(found.missing[rows], len(found.columns))
        for place, column in enumerate(found.columns):
            gone = holes[:, place].tolist()
            cells[column.name] = [None if hole else value for hole, value in zip(gone, cells[column.name], strict=True)]
    if not found.classes:
        return {**first, **cells, **last}
    name = found.label or "class"
    while name in cells:
        name += " (label)"
    classes = {name: [found.classes[label] if label >= 0 else None for label in found.labels[rows]]}
    return {**first, **classes, **cells, **last}


def _spread(found: ReadResult, count: int) -> NDArray[np.intp]:
    """Indices of up to `count` samples, evenly spread over all."""
    total = len(found.samples)
    return (
        np.unique(np.linspace(0, total - 1, min(max(1, count), total)).astype(np.intp))
        if total
        else np.zeros(0, np.intp)
    )


def _image_cell(sample: NDArray[np.uint8], side: int) -> Image.Image:
    cell = Image.fromarray(sample[..., 0] if sample.shape[-1] == 1 else sample)
    scale = side / max(cell.size)
    size = (max(1, round(cell.width * scale)), max(1, round(cell.height * scale)))
    way = Image.Resampling.NEAREST if scale >= 1 else Image.Resampling.BOX
    return cell.resize(size, way).convert("RGB")


def _signal_cell(sample: NDArray[np.float64], side: int) -> Image.Image:
    cell = Image.new("RGB", (side, side), "white")
    pen = ImageDraw.Draw(cell)
    inks = ("#0B5C8A", "#B3541E", "#3B7D3B", "#7A4F9A")
    at = np.linspace(0, side - 1, len(sample))
    for channel in range(min(4, sample.shape[1])):
        height = (side - 1) * (1 - sample[:, channel])
        pen.line([(float(x), float(y)) for x, y in zip(at, height, strict=True)], fill=inks[channel])
    return cell

"""What points can be coloured by beside what a run holds: the columns of its dataset, and what is missing there.

Nothing of it is stored in a run: it is made from the dataset, for those who may read that.
"""

from __future__ import annotations

import gzip
import json
import re
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from models import datasets, kinds, uploads
from models.columns import Column, as_they_came
from models.readers.result import pieces
from models.runs.run import Run

MOST = 500  # columns of a sample's own that are offered
NAMED = 200_000  # codes up to which a browser is sent what each is called
WIDE = 250  # values of a category that are told apart by their colours
MISSING = "missing values"
VALUES = re.compile(r"colours/(\d{1,5})\.f64\.gz")


@dataclass(frozen=True)
class Colour:
    """One thing to colour by. kind: "number", "time" (in seconds since 1970) or "category", with its words. column: of the
    samples themselves; beside: its place among the columns beside them."""

    name: str
    kind: str
    words: tuple[str, ...] = ()
    column: Column | None = None
    beside: int = -1

    @property
    def told(self) -> dict[str, object]:
        """What the browser is told of it."""
        return {"name": self.name, "kind": self.kind, "words": self.words}


def columns(run: Run) -> list[Colour]:
    """All that there is. Does not ask who may see it."""
    mean = " (mean)" if run.kind == "signal" else ""
    out = [
        Colour(f"{one.name}{mean}", one.kind, one.values, one)
        for one in run.columns[:MOST]
        if one.kind == "number" or one.width <= WIDE
    ]
    for place, one in enumerate(_beside(run)):
        kind = "number" if one.kind == "id" and not one.words else one.kind
        if kind in ("number", "time") or (kind == "category" and len(one.words) <= WIDE):
            out.append(Colour(one.name, kind, one.words, beside=place))
    if _missing(run, np.zeros(1, np.int64)) is not None:
        out.append(Colour(MISSING, "number"))
    return out


def values(run: Run, place: int) -> NDArray[np.float64]:
    """The values of `columns(run)[place]` for each stored code (M,), of a category their places among its words; NaN where
    there is none. LookupError where there is no such column, `Problem` where the dataset is not at hand."""
    one, rows = columns(run)[place], run.rows.astype(np.int64)
    if one.beside >= 0:
        return np.asarray(_beside(run)[one.beside].values[rows])
    gone = _missing(run, rows)
    if one.column is None:
        assert gone is not None
        return np.asarray(gone.sum(1), np.float64)
    out = _of_column(run, one.column)[rows]
    if gone is not None:
        out[gone[:, run.columns.index(one.column)]] = np.nan
    return out


def _of_column(run: Run, column: Column) -> NDArray[np.float64]:
    """A column of the whole dataset (N,), of a signal its mean over time."""
    parts = []
    for piece in pieces(datasets.arrays(run.dataset).samples):
        part = np.asarray(piece[..., column.start : column.start + column.width])
        if part.ndim == 3:
            part = part.mean(1, dtype=np.float64).astype(np.float32)
        if column.kind == "number":
            parts.append(as_they_came([replace(column, start=0)], part)[:, 0])
        else:
            parts.append(np.where(part.max(1) > 0, part.argmax(1), np.nan))
    return np.concatenate(parts)


def listed(run: Run) -> bytes:
    """`columns` as gzipped JSON, for the browser."""
    return gzip.compress(json.dumps([one.told for one in columns(run)]).encode(), 1, mtime=0)


def file_of(place: int) -> str:
    """The file in which a browser looks for the values of `columns(run)[place]`."""
    return f"colours/{place}.f64.gz"


def block(run: Run, name: str) -> bytes:
    """The values that a file's name asks for, as gzipped float64 (M,)."""
    match = VALUES.fullmatch(name)
    if match is None:
        raise LookupError
    return gzip.compress(np.ascontiguousarray(values(run, int(match[1])), "<f8").tobytes(), 1, mtime=0)


def names(run: Run) -> bytes:
    """`called` as gzipped JSON, for the browser. LookupError where there are no names, or too many."""
    told = called(run)
    if told is None:
        raise LookupError
    return gzip.compress(json.dumps(told).encode(), 1, mtime=0)


def called(run: Run) -> list[str] | None:
    """What the sample of each code is called (M): its id, its file's name, or its row. None where there are no names, or too
    many for a browser."""
    known = datasets.names(run.dataset)
    if known is None or run.count > NAMED:
        return None
    row = "" if kinds.get(run.kind).pixels or uploads.called(run.card.dataset.name) else "row "
    return [f"{row}{known[place]}" for place in run.rows.tolist()]


def _beside(run: Run) -> tuple[uploads.Beside, ...]:
    return uploads.beside(run.card.dataset.name, run.card.dataset.count)


def _missing(run: Run, rows: NDArray[np.int64]) -> NDArray[np.bool_] | None:
    known = None if kinds.get(run.kind).pixels else uploads.missing(run.card.dataset.name, rows, len(run.columns))
    return known if run.kind == "table" else None

"""Tables: columns of numbers and categories, gathered block by block.

A table is held as one float32 matrix (N, P) that lies in an unnamed file: a number as it is, a category as the
place of its value among those met, NaN where there is none.
"""

from __future__ import annotations

import itertools
import math
import mmap
import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models import Problem
from models.readers.times import COUNTERS, FORMS, TIMES, first_word, moment
from models.readers.work import Work, plain

NOTHING = frozenset(("", "na", "n/a", "nan", "null", "none", "nil", "?", "-"))
EMPTY = NOTHING - {"none", "nil"}  # of texts: "none" may well be a class
MISTAKEN = 0.1  # a column of numbers with more texts than this share is one of categories
GROUPED = {
    ".": re.compile(r"\s*[+-]?\d{1,3}(,\d{3})+(\.\d*)?\s*"),
    ",": re.compile(r"\s*[+-]?\d{1,3}(\.\d{3})+(,\d*)?\s*"),
}


@dataclass(frozen=True)
class Table:
    """values (N, P), the values of the columns of categories by their place, and the number of each row (N,).

    moments: of the columns that are called like a time, in float64 (N,): as they are, texts in seconds; NaN where none.
    """

    names: list[str]
    values: NDArray[np.float32]
    categories: dict[int, list[str]]
    rows: NDArray[np.int64]
    moments: dict[int, NDArray[np.float64]]


class WrongColumnKind(Exception):
    """Columns that had begun as numbers turned out to be text: never leaves this room."""

    def __init__(self, columns: set[int]) -> None:
        self.columns = columns


class TableBuilder:
    """Takes a table block by block."""

    def __init__(self, names: Sequence[str], work: Work, texts: set[int], decimal: str = ".") -> None:
        """texts: the places of columns that are categories whatever they look like."""
        self.names, self.work, self.decimal = _unique(names), work, decimal
        self.kinds: list[str] = ["category" if i in texts else "" for i in range(len(names))]
        self.places: list[dict[str, int]] = [{} for _ in names]
        self.bad, self.there = np.zeros(len(names), np.int64), np.zeros(len(names), np.int64)
        self.infinite = 0
        self.moments: dict[int, list[NDArray[np.float64]]] = {
            i: [] for i, name in enumerate(names) if first_word(name) in TIMES | COUNTERS
        }
        self.forms: dict[int, str | None] = {}
        self.rows: list[NDArray[np.int64]] = []
        self.count = 0
        self.out = work.spool()

    def close(self) -> None:
        """Lets go of the file. A table made of it keeps its pages."""
        self.out.close()

    def texts(self, rows: list[list[str]], numbers: Sequence[int], underscores: bool) -> None:
        """A block of rows of text, each as long as there are columns; numbers: of the rows."""
        block = None
        if not underscores and all(kind == "number" for kind in self.kinds):
            cells = itertools.chain.from_iterable(rows)
            if self.decimal == ",":  # with a point in it, it has thousands: float would take it for a fraction
                cells = ("" if "." in cell else cell.replace(",", ".") for cell in cells)  # type: ignore[assignment]
            try:
                block = np.fromiter(map(float, cells), np.float64, len(rows) * len(self.names))
                block = block.reshape(len(rows), -1)
            except ValueError:
                block = None
        if block is None:
            block = np.stack([self._column(i, cells) for i, cells in enumerate(zip(*rows, strict=True))], axis=1)
        else:
            self.there += len(rows)
        self.add(block, numbers)

    def add(self, block: NDArray[np.float64], numbers: Sequence[int]) -> None:
        """A block (n, P) of numbers and places of categories."""
        self.count += len(block)
        size = self.count * len(self.names) * 4
        if self.count > self.work.limits.rows or size > self.work.limits.output:
            raise Problem(
                f"the table has {self.count:,} rows or more, which take {size:,} bytes",
                f"at most {self.work.limits.rows:,} rows and {self.work.limits.output:,} bytes are allowed",
                "bring fewer rows",
            )
        with np.errstate(over="ignore"):
            values = block.astype(np.float32)
        endless = np.isinf(values)
        if endless.any():
            self.infinite += int(endless.sum())
            values[endless] = np.nan
        self.out.write(values.tobytes())
        for i, so_far in self.moments.items():
            if self.kinds[i] != "category":
                so_far.append(block[:, i].copy())
        self.rows.append(np.asarray(numbers, np.int64))

    def _column(self, i: int, cells: Sequence[str]) -> NDArray[np.float64]:
        if self.kinds[i] == "":
            some = [cell for cell in cells if cell.strip().lower() not in NOTHING]
            if some:
                right = sum(_number(cell, self.decimal) is not None for cell in some)
                self.kinds[i] = "number" if right >= (1 - MISTAKEN) * len(some) else "category"
        if self.kinds[i] == "category":
            return self.category(i, cells)
        out = np.full(len(cells), np.nan)
        for row, cell in enumerate(cells):
            value = _number(cell, self.decimal)
            if value is not None:
                out[row] = value
                self.there[i] += 1
            elif cell.strip().lower() not in NOTHING:
                self.bad[i] += 1
        return out

    def category(self, i: int, cells: Sequence[str | None]) -> NDArray[np.float64]:
        """The places of a column's values, new ones at the end; past the limit they count as missing."""
        places, out = self.places[i], np.full(len(cells), np.nan)
        if i in self.moments:
            self.moments[i].append(self._moments(i, cells))
        for row, cell in enumerate(cells):
            text = plain(cell.strip(), 100) if cell is not None else ""
            if text.lower() in EMPTY:
                continue
            if text not in places and len(places) <= self.work.limits.classes:
                places[text] = len(places)
            if text in places:
                out[row] = places[text]
        return out

    def _moments(self, i: int, cells: Sequence[str | None]) -> NDArray[np.float64]:
        """Times in seconds, in the form that the first of them has; NaN where there is none."""
        texts = [(cell or "").strip().replace(",", ".") for cell in cells]
        some = [text for text in texts if text][:50]
        if i not in self.forms and some:
            fitting = (form for form in ("", *FORMS) if not any(math.isnan(moment(text, form)) for text in some))
            self.forms[i] = next(fitting, None)
        form = self.forms.get(i)
        if form is None:
            return np.full(len(texts), np.nan)
        return np.array([moment(text, form) for text in texts])

    def table(self) -> Table:
        """Everything taken so far."""
        wrong = np.flatnonzero(self.bad > MISTAKEN * (self.bad + self.there))
        if len(wrong):
            raise WrongColumnKind(set(wrong.tolist()))
        for i in np.flatnonzero(self.bad):
            self.work.warn(
                f"In the column “{self.names[i]}” {self.bad[i]:,} of {self.bad[i] + self.there[i]:,} values are no numbers, and count as missing."
            )
        if self.infinite:
            self.work.warn(f"{self.infinite:,} values are infinite or too large, and count as missing.")
        if not self.count:
            raise Problem("the table has no rows", do="bring another file")
        self.out.flush()
        size = self.count * len(self.names) * 4
        values = np.frombuffer(mmap.mmap(self.out.fileno(), size, access=mmap.ACCESS_READ), np.float32)
        categories = {i: list(self.places[i]) for i, kind in enumerate(self.kinds) if kind == "category"}
        moments = {i: np.concatenate(parts) for i, parts in self.moments.items()}
        return Table(self.names, values.reshape(self.count, -1), categories, np.concatenate(self.rows), moments)


def pointed(cell: str, decimal: str) -> str:
    """A number without marks between thousands, and with a decimal point."""
    if GROUPED[decimal].fullmatch(cell):
        cell = cell.replace("." if decimal == "," else ",", "")
    return cell.replace(",", ".") if decimal == "," else cell


def _number(cell: str, decimal: str) -> float | None:
    """The number that a cell holds, None where it holds none. "1_000" is text, whatever Python thinks.

    Where the comma is the decimal mark, the point may part thousands, and the other way round.
    """
    try:
        value = float(pointed(cell, decimal))
    except ValueError:
        return None
    return value if "_" not in cell and not math.isnan(value) else None


def _unique(names: Sequence[str]) -> list[str]:
    """Column names as they may be shown, each once."""
    out: list[str] = []
    taken: set[str] = set()
    for i, name in enumerate(names):
        base = plain(name.strip(), 100) or f"column {i + 1}"
        best, again = base, 2
        while best in taken:
            best, again = f"{base} ({again})", again + 1
            if again > 1000:
                best = f"column {i + 1}"
                break
        taken.add(best)
        out.append(best)
    return out


def slices(values: NDArray[np.float32]) -> list[slice]:
    step = max(1, (1 << 20) // max(1, values.shape[1]))
    return [slice(start, start + step) for start in range(0, len(values), step)]


def columns_of(values: NDArray[np.float32], columns: Sequence[int], work: Work) -> NDArray[np.float32]:
    """Some columns (N, len(columns)): a view where they lie side by side."""
    if list(columns) == list(range(columns[0], columns[0] + len(columns))):
        return values[:, columns[0] : columns[0] + len(columns)]
    out = work.allocate((len(values), len(columns)), np.float32)
    for some in slices(values):
        out[some] = values[some][:, list(columns)]
    return out

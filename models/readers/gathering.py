"""Tables: columns of numbers, categories and times, gathered block by block.

A table is held as one float64 matrix (N, P) that lies in an unnamed file: a number as it is, so that no two whole numbers
below 2^53 become one; a category as the place of its value among those met; NaN where there is none.
"""

from __future__ import annotations

import itertools
import mmap
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models import Problem
from models.readers import reporting
from models.readers.cells import MISSING, NumberFormat, numeral
from models.readers.column import ColumnBuilder, Shared, Times
from models.readers.result import ColumnFacts
from models.readers.work import Work, plain


@dataclass(frozen=True)
class Table:
    """values (N, P), the values of the columns of categories by their place, and the number of each row (N,).

    times: the columns of times by their place. units: of columns of numbers. facts: what was seen in each column. texts:
    gives the cells of some columns as they were written, for which the file is read again. split (N,), parts (N), what comes before the number of a row, and
    counts, how many rows each file has: of a table that came in several; lacking: the columns that not all files have. index:
    the columns that the file itself calls its index. durations: the places of columns of seconds that were written as such.
    """

    names: list[str]
    values: NDArray[np.float64]
    categories: dict[int, list[str]]
    rows: NDArray[np.int64]
    times: dict[int, Times]
    units: dict[int, str]
    facts: list[ColumnFacts]
    texts: Callable[[Sequence[int]], list[list[str]]]
    split: NDArray[np.uint8] | None = None
    parts: list[str] = field(default_factory=list)
    counts: tuple[int, ...] = ()
    lacking: frozenset[str] = frozenset()
    index: frozenset[str] = frozenset()
    durations: frozenset[int] = frozenset()


class WrongColumnKind(Exception):
    """Columns turned out to hold something else than their beginning: never leaves the readers of tables."""

    def __init__(self, columns: set[int]) -> None:
        self.columns = columns


class TableBuilder:
    """Takes a table block by block."""

    def __init__(self, names: Sequence[str], work: Work, texts: set[int], separator: str = "") -> None:
        """texts: the places of columns that are categories whatever they look like. separator: of cells, if there is one."""
        self.names, self.work, self.separator = _unique(names), work, separator
        words = work.choices.missing_values
        missing = MISSING if words is None else frozenset(["", *(each.strip().lower() for each in words)])
        self.shared = Shared(work, missing, len(self.names), any(numeral(word) for word in missing))
        self.columns = [
            ColumnBuilder(name, self.shared, "category" if i in texts else "") for i, name in enumerate(self.names)
        ]
        for column in self.columns:
            chosen = (work.choices.columns or {}).get(column.name)
            if chosen in ("number", "category", "time"):
                column.kind, column.forced = ("" if chosen != "category" else chosen), True
        self.infinite = 0
        self.fresh = False
        self.rows: list[NDArray[np.int64]] = []
        self.count = 0
        self.out = work.spool()

    def begin_file(self, separator: str) -> None:
        """Rows of another file follow, which may be written with another decimal mark."""
        self.separator, self.fresh, self.shared.decimal = separator, True, ""

    def close(self) -> None:
        """Lets go of the file. A table made of it keeps its pages."""
        self.out.close()

    def texts(self, rows: list[list[str]], numbers: Sequence[int], underscores: bool) -> None:
        """A block of rows of text, each as long as there are columns; numbers: of the rows."""
        block = None
        usual = NumberFormat()
        if (
            not underscores
            and not self.fresh
            and not self.shared.numeric
            and all(each.kind == "number" and each.format == usual for each in self.columns)
        ):
            try:
                block = np.fromiter(
                    map(float, itertools.chain.from_iterable(rows)), np.float64, len(rows) * len(self.names)
                ).reshape(len(rows), -1)
            except ValueError:
                block = None
            else:
                for column in self.columns:
                    column.present += len(rows)
        if block is None:
            block = self.block(list(zip(*rows, strict=True)), underscores)
        self.add(block, numbers)

    def block(
        self, columns: Sequence[Sequence[str | None] | NDArray[np.float64]], underscores: bool = True
    ) -> NDArray[np.float64]:
        """A block (n, P) of columns of cells, None where there is none, or of numbers."""
        cells: list[NDArray[np.float64] | list[str]] = [
            each if isinstance(each, np.ndarray) else [cell or "" for cell in each] for each in columns
        ]
        self._look({i: each for i, each in enumerate(cells) if isinstance(each, list) and not self.columns[i].kind})
        if self.fresh:
            self._look_again(cells)
        made = [
            each if isinstance(each, np.ndarray) else self.columns[i].read(each, underscores)
            for i, each in enumerate(cells)
        ]
        for i, each in enumerate(cells):
            column = self.columns[i]
            if isinstance(each, np.ndarray):
                column.kind = column.kind or "number"
                known = ~np.isnan(each)
                column.present += int(known.sum())
                if len(column.examples) < 3:
                    column.examples += list(dict.fromkeys(f"{value:.10g}" for value in each[known][:50].tolist()))[:3]
            elif len(column.examples) < 3:
                column.examples += list(dict.fromkeys(plain(cell.strip(), 40) for cell in each[:50] if cell.strip()))[
                    :3
                ]
        return np.stack(made, axis=1)

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
        values = np.ascontiguousarray(block, np.float64)
        endless = np.abs(values) > np.finfo(np.float32).max
        if endless.any():
            self.infinite += int(endless.sum())
            values = np.where(endless, np.nan, values)
        self.out.write(values.tobytes())
        self.rows.append(np.asarray(numbers, np.int64))

    def times(self, i: int, moments: NDArray[np.float64], *, days: bool) -> NDArray[np.float64]:
        """Seconds of a column of times that needs no reading; gives what stands in the block for them."""
        column = self.columns[i]
        column.kind, column.hours = "time", column.hours or not days
        if not column.moments:
            column.forms, column.moments, column.failures = ["ymd"], [[]], [0]
        column.moments[0].append(moments)
        column.present += int(np.isfinite(moments).sum())
        return np.full(len(moments), np.nan)

    def durations(self, i: int) -> None:
        """A column holds seconds that are written as durations."""
        self.columns[i].format = NumberFormat(unit="s", durations=True)

    def _look(self, undecided: dict[int, list[str]]) -> None:
        """Tells what columns hold by some of their cells, evenly spread."""
        for i, cells in undecided.items():
            self.columns[i].look(cells)
        self.work.tick()
        if not self.shared.decimal:
            self.shared.decimal = self.work.choices.decimal or self._usual_mark()
        for i, cells in undecided.items():
            if self.columns[i].counts.cells:
                self.columns[i].decide(cells)

    def _look_again(self, cells: Sequence[list[str] | NDArray[np.float64]]) -> None:
        """Tells how numbers are written in another file."""
        numbers = [(column, each) for column, each in zip(self.columns, cells, strict=True) if column.kind == "number"]
        for _ in range(2):  # first what each column proves, then what they prove together
            for column, each in numbers:
                if isinstance(each, list):
                    column.again(each)
            self.shared.decimal = self.work.choices.decimal or self._usual_mark()
        self.fresh = False

    def _usual_mark(self) -> str:
        """The decimal mark where a column proves none: that of the others, else the comma between semicolons."""
        points = sum(each.counts.marks.get(".", 0) for each in self.columns)
        commas = sum(each.counts.marks.get(",", 0) for each in self.columns)
        if points or commas:
            return "," if commas > points else "."
        return "," if self.separator == ";" and any(each.counts.maybe.get(",") for each in self.columns) else "."

    def table(self, texts: Callable[[Sequence[int]], list[list[str]]]) -> Table:
        """Everything taken so far. texts: gives the cells of some columns as they were written."""
        wrong = {i for i, column in enumerate(self.columns) if not column.forced and column.mistaken()}
        if wrong:
            raise WrongColumnKind(wrong)
        if not self.count:
            raise Problem("the table has no rows", do="bring another file")
        self.out.flush()
        size = self.count * len(self.names) * 8
        mapped = mmap.mmap(self.out.fileno(), size, access=mmap.ACCESS_COPY)
        values = np.frombuffer(mapped, np.float64).reshape(self.count, -1)
        categories = {
            i: column.values(values[:, i]) for i, column in enumerate(self.columns) if column.kind == "category"
        }
        told = {i: column.times() for i, column in enumerate(self.columns) if column.kind == "time"}
        reporting.report(self.columns, categories, self.infinite, self.separator, self.shared)
        units = {i: column.format.unit for i, column in enumerate(self.columns) if column.format.unit}
        facts = [column.facts(categories.get(i)) for i, column in enumerate(self.columns)]
        lasting = frozenset(i for i, column in enumerate(self.columns) if column.format.durations)
        rows = np.concatenate(self.rows)
        return Table(self.names, values, categories, rows, told, units, facts, texts, durations=lasting)


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


def with_unit(name: str, unit: str) -> str:
    """A column's name with the unit of its numbers, where it does not have it already."""
    there = re.search(rf"(?<!\w){re.escape(unit)}(?!\w)", name.replace("_", " ")) if unit else None
    return name if not unit or there else f"{name} ({unit})"


def slices(values: NDArray[Any]) -> list[slice]:
    """Slices of the rows of (N, P), of about a million values each."""
    step = max(1, (1 << 20) // max(1, values.shape[1]))
    return [slice(start, start + step) for start in range(0, len(values), step)]


def columns_of(
    values: NDArray[np.float64], columns: Sequence[int], work: Work, dtype: type[np.generic] = np.float32
) -> NDArray[Any]:
    """Some columns (N, len(columns)): a view where they lie side by side, else in that type."""
    if list(columns) == list(range(columns[0], columns[0] + len(columns))):
        return values[:, columns[0] : columns[0] + len(columns)]
    out = work.allocate((len(values), len(columns)), dtype)
    for some in slices(values):
        out[some] = values[some][:, list(columns)]
    return out

"""One column of a table: what it holds is told by some of its cells, and held against all of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from models.readers import times as written
from models.readers.cells import BOUND, NEVER, PERHAPS, VALUES, NumberCounts, NumberFormat, duration, is_missing
from models.readers.result import ColumnFacts
from models.readers.work import Work, plain

LOOKED_AT = 1000  # cells of a column, evenly spread over the first block, by which it is told what the column holds
MISTAKEN = 0.1  # a column is one of numbers where no greater share of its cells is something else
FEW = 5  # different texts beside at least VARIED different numbers stand for something missing, however often
VARIED = 20
FEW_CLOCKS = 12  # different hours and minutes, up to which they are a category
NO_TIME = 0.02  # the share of cells of a column of times that may be something else
CODES = 64  # columns from which numbers with leading zeros are pixels and the like, and not codes


@dataclass(frozen=True)
class Times:
    """A column of times: seconds (N,), NaN where there is none. clock: they tell the time of the day alone. days: the day
    alone."""

    moments: NDArray[np.float64]
    clock: bool = False
    days: bool = False


@dataclass
class Shared:
    """What the columns of a table have in common. missing: the words for nothing. numeric: whether a number is among them,
    so that each cell has to be looked at. width: how many columns there are. decimal: the mark where a column proves none."""

    work: Work
    missing: frozenset[str]
    width: int
    numeric: bool = False
    decimal: str = ""


@dataclass
class ColumnBuilder:
    """One column while a table is read.

    kind: "number", "category", "time", or "" as long as every cell was empty. forced: whether somebody chose it. format: of
    numbers. forms: of times, those that are still possible, with the moments read in each and how many cells failed.
    counts: of the cells that were looked at, a sample of the first block. present: how many cells could be read.
    unreadable: the others and how often they came. places: the values of a category. either: whether day and month could
    change places. hours: whether times tell more than the day.
    """

    name: str
    shared: Shared
    kind: str = ""
    forced: bool = False
    format: NumberFormat = field(default_factory=NumberFormat)
    forms: list[str] = field(default_factory=list)
    counts: NumberCounts = field(default_factory=NumberCounts)
    present: int = 0
    unreadable: Counter[str] = field(default_factory=Counter)
    places: dict[str, int] = field(default_factory=dict)
    moments: list[list[NDArray[np.float64]]] = field(default_factory=list)
    failures: list[int] = field(default_factory=list)
    either: bool = False
    hours: bool = False
    examples: list[str] = field(default_factory=list)
    sample: Counter[str] = field(default_factory=Counter)

    def look(self, cells: Sequence[str]) -> None:
        """Counts what some of the cells are, evenly spread."""
        self.sample = Counter(cells[:: max(1, len(cells) // LOOKED_AT)])
        if any(not is_missing(cell, self.shared.missing) for cell in self.sample):
            self.counts.add(self.sample, self.shared.missing)

    def decide(self, cells: Sequence[str]) -> None:
        """Tells by what was counted what the column holds. cells: all that there are so far."""
        counts, chosen = self.counts, (self.shared.work.choices.columns or {}).get(self.name, "")
        right, texts = counts.right(), [cell for cell in self.sample if not is_missing(cell, self.shared.missing)]
        lasting = [text for text in texts if duration(text) is not None]
        # Of whole days alone the days are a unit.
        if len(lasting) >= (1 - NO_TIME) * len(texts) and any(
            not text.strip().endswith(("day", "days")) for text in lasting
        ):
            self.kind, self.format = "number", NumberFormat(unit="s", durations=True)
            return
        numbers = chosen == "number" or self._are_numbers(cells)
        if chosen == "time" or not numbers or (chosen != "number" and right < (1 - MISTAKEN) * counts.asked()):
            self.forms = written.forms_of(texts) or (written.forms_of(texts, 0.5) if chosen == "time" else [])
            order, self.either = self.shared.work.choices.dates, len(self.forms) > 1
            if order and len(self.forms) > 1:
                self.forms = ["dmy" if order == "day first" else "mdy"]
            if (
                self.forms == ["clock"]
                and chosen != "time"
                and len(texts) <= FEW_CLOCKS
                and not any(t.count(":") > 1 for t in texts)
            ):
                self.forms = []  # 1:10 and 2:50 are dilutions, or scores
            if self.forms:
                self.kind = "time"
                self.moments, self.failures = [[] for _ in self.forms], [0] * len(self.forms)
                self.hours = written.with_hours(texts)
                return
        if numbers:
            self.kind = "number"
            self.format = NumberFormat(
                self.mark(counts), self.shared.work.choices.grouping, counts.unit(), counts.multiples()
            )
        else:
            self.kind = "category"

    def mark(self, counts: NumberCounts) -> str:
        """The decimal mark of numbers: that which most of them prove; a choice decides what few or none do."""
        points, commas = (counts.marks.get(mark, 0) for mark in ".,")
        proved = "," if commas > points else "." if points else ""
        if proved and not weak(counts):
            return proved
        return self.shared.work.choices.decimal or proved or self.shared.decimal

    def again(self, cells: Sequence[str]) -> None:
        """Another file begins, perhaps written with another decimal mark."""
        counts = NumberCounts()
        counts.add(Counter(cells[:: max(1, len(cells) // LOOKED_AT)]), self.shared.missing)
        self.counts = counts if counts.numbers else self.counts
        if not self.format.durations:
            self.format = replace(self.format, decimal=self.mark(self.counts))

    def _are_numbers(self, cells: Sequence[str]) -> bool:
        counts = self.counts
        right = counts.right()
        if not right:
            return False
        whole = not (counts.marks or counts.maybe or counts.units)
        narrow = self.shared.width <= CODES
        if whole and narrow and right == counts.cells and (counts.codes or any(map(_is_code, cells))):
            return written.called_time(self.name) and not any(map(_is_code, cells))  # nanoseconds since 1970
        if right >= (1 - MISTAKEN) * counts.asked():
            return True
        others = sum(BOUND.fullmatch(word) is None for word in counts.others)
        return 2 * right >= counts.asked() and others <= FEW and counts.distinct >= VARIED

    def read(self, cells: list[str], underscores: bool) -> NDArray[np.float64]:
        """What stands for these cells (n,) in the table: numbers, places of values, NaN where there is none.

        underscores: whether one may be in a cell, which Python would take for a part of a number.
        """
        if self.kind == "category":
            return self._categories(cells)
        if self.kind == "time":
            return self._moments(cells)
        form = self.format
        if (
            not underscores
            and not form.unit
            and not self.shared.numeric
            and (form.decimal == "." or not any("." in cell for cell in cells))
        ):
            plainly = cells if form.decimal == "." else [cell.replace(",", ".") for cell in cells]
            try:
                out = np.fromiter(map(float, plainly), np.float64, len(cells))
            except ValueError:
                pass
            else:
                self.present += len(out) - int(np.isnan(out).sum())
                return out
        out = np.full(len(cells), np.nan)
        for row, cell in enumerate(cells):
            value = form.number(cell)
            if value is not None and not (self.shared.numeric and is_missing(cell, self.shared.missing)):
                out[row] = value
                self.present += 1
            elif cell.strip():
                text = plain(cell.strip(), 40)
                self.unreadable[text if text in self.unreadable or len(self.unreadable) < 1000 else "…"] += 1
        return out

    def _categories(self, cells: list[str]) -> NDArray[np.float64]:
        """The places of a column's values, new ones at the end; past the limit they count as missing."""
        places, out = self.places, np.full(len(cells), np.nan)
        never = self.shared.missing if self.shared.work.choices.missing_values is not None else NEVER
        for row, cell in enumerate(cells):
            text = plain(cell.strip(), 100)
            if text.lower() in never:
                if text:
                    self.unreadable[text if text in self.unreadable or len(self.unreadable) < 1000 else "…"] += 1
                continue
            self.present += 1
            if text not in places and len(places) <= self.shared.work.limits.classes:
                places[text] = len(places)
            if text in places:
                out[row] = places[text]
        return out

    def _moments(self, cells: list[str]) -> NDArray[np.float64]:
        for at, form in enumerate(self.forms):
            moments = np.array([written.moment(cell, form) for cell in cells])
            self.moments[at].append(moments)
            bad = np.flatnonzero(np.isnan(moments))
            lost = [plain(cells[row].strip(), 40) for row in bad if not is_missing(cells[row], self.shared.missing)]
            self.failures[at] += len(lost)
            if not at:
                self.present += len(cells) - len(bad)
                self.unreadable.update(lost[:1000])
        return np.full(len(cells), np.nan)

    def mistaken(self) -> bool:
        """Whether a column that was read to its end is not what its beginning was."""
        if self.kind == "time":
            return min(self.failures) > NO_TIME * max(1, self.present + min(self.failures))
        if self.kind != "number":
            return False
        missing = self.shared.missing
        words = Counter(
            {w: count for w, count in self.unreadable.items() if not is_missing(w, missing) and not BOUND.fullmatch(w)}
        )
        bad = words.total()
        few = len(words) <= FEW and bad <= self.present and self.counts.distinct >= VARIED
        return bad > MISTAKEN * (bad + self.present) and not few

    def values(self, places: NDArray[np.float64]) -> list[str]:
        """The values of a category. A word such as “-” is one of them where it is about as frequent as the others; else
        its places (N,) become NaN."""
        names = list(self.places)
        doubtful = [name for name in names if name.lower() in PERHAPS - VALUES]
        if not doubtful or self.shared.work.choices.missing_values is not None:
            return names
        counts = np.bincount(places[~np.isnan(places)].astype(np.int64), minlength=len(names))
        sure = [count for name, count in zip(names, counts.tolist(), strict=True) if name not in doubtful]
        lost = {name for name in doubtful if not sure or counts[self.places[name]] < 0.5 * sum(sure) / len(sure)}
        if "+" in names:
            lost.discard("-")
        if len(sure) > self.shared.work.limits.categories:
            lost = set(doubtful)  # of names and remarks nearly each is met once
        if not lost:
            return names
        kept = [name for name in names if name not in lost]
        place = np.array([kept.index(name) if name not in lost else np.nan for name in names])
        known = ~np.isnan(places)
        places[known] = place[places[known].astype(np.int64)]
        for name in lost:
            self.unreadable[name] += int(counts[self.places[name]])
            self.present -= int(counts[self.places[name]])
        return kept

    def times(self) -> Times:
        """Times in the form that fits the most cells; where both orders of day and month do, in that which is more even."""
        best = min(self.failures)
        fitting = [at for at, count in enumerate(self.failures) if count == best]
        arrays = [np.concatenate(self.moments[at]) for at in fitting]
        form = self.forms[fitting[0]]
        clock = form == "clock"
        order = {"dmy": "day first", "mdy": "month first"}
        if form in order:
            chosen, asks = order[form], False
            if len(arrays) > 1 and not np.array_equal(arrays[0], arrays[1], equal_nan=True):
                even, jumps = [_evenness(each) for each in arrays], [_jumps(each) for each in arrays]
                if min(jumps) <= 0.2 * max(jumps):  # read wrongly, time jumps by a month every night
                    even = [float(count == min(jumps)) for count in jumps]
                dotted = any(example[1:3].count(".") for example in self.examples)
                if even[1] > even[0] + 0.5 and not dotted:
                    arrays, chosen = arrays[::-1], order["mdy"]
                asks = not dotted and abs(even[1] - even[0]) <= 0.5
            words = f"Dates in “{self.name}” are read {chosen}"
            words += "; each of them could be read the other way." if asks else ", which fits all of them."
            known = self.shared.work.decisions.get("dates")
            if self.either and best == max(self.failures) and not (known is not None and known.asks):
                self.shared.work.decide("dates", chosen, ["day first", "month first"], words, asks=asks)
        return Times(arrays[0], clock, not clock and not self.hours)

    def facts(self, values: list[str] | None) -> ColumnFacts:
        """What was seen. values: of a category."""
        cells = self.present + self.unreadable.total()
        looked = max(1, self.counts.cells)
        numbers = self.present / max(1, cells) if self.kind == "number" else self.counts.right() / looked
        right = self.present / max(1, cells) if self.kind == "time" else 0.0
        return ColumnFacts(
            self.name,
            self.kind or "empty",
            round(numbers if self.kind != "category" or self.counts.cells else 0.0, 4),
            round(right, 4),
            len(values) if values is not None else None,
            tuple(self.examples[:3]),
        )


def weak(counts: NumberCounts) -> bool:
    """Whether few numbers prove the decimal mark on which the size of many others hangs: one 5,5 among many 1.234."""
    points, commas = (counts.marks.get(mark, 0) for mark in ".,")
    other = counts.maybe.get("." if commas > points else ",", 0)
    return 0 < 10 * max(points, commas) < other


def _is_code(cell: str) -> bool:
    return cell[:1] == "0" and len(cell) > 1 and cell.isdigit()


def _jumps(moments: NDArray[np.float64]) -> int:
    """How many steps go back, or are much larger than usual; the same in both directions."""
    steps = np.diff(moments[np.isfinite(moments)])
    steps = -steps if len(steps) and np.median(steps) < 0 else steps
    usual = float(np.median(steps[steps > 0])) if (steps > 0).any() else 0.0
    return int(((steps < 0) | (steps > 3 * usual)).sum())


def _evenness(moments: NDArray[np.float64]) -> float:
    """The share of steps that are of about the usual size and go one way, 0 to 1."""
    steps = np.diff(moments[np.isfinite(moments)])
    usual = float(np.median(steps)) if len(steps) else 0.0
    return float(np.mean(np.abs(steps - usual) <= 0.5 * abs(usual))) if usual else 0.0

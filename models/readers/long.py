"""Long tables, with a row for each time and sensor: the sensors' values become columns side by side."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models import Problem
from models.readers.clocks import Clock
from models.readers.column import Times
from models.readers.gathering import Table
from models.readers.result import ColumnFacts
from models.readers.roles import LABELS, Measures, ids_of, measures
from models.readers.work import Work, plain

SENSORS = 64  # at most: more are likely names of rows
FULL = 0.5  # the least share of times and sensors that have a row
ONCE = 0.99  # the least share of rows that have their time and sensor for themselves


@dataclass(frozen=True)
class _Grid:
    """Times (M,); for each row its place among them and among the sensors (N,), -1 where one is missing; what the sensors
    are called."""

    sensor: int
    times: NDArray[np.float64]
    row: NDArray[np.int64]
    place: NDArray[np.int64]
    names: list[str]


def pivoted(table: Table, clock: Clock | None, work: Work) -> Table:
    """The table with a column for each sensor and value, if each time comes once for every sensor and that is chosen; else
    the table as it came. Asks where somebody has to say. `Problem` where it was chosen and no column tells the time.

    clock: of the rows as they came.
    """
    choice = work.choices
    if choice.pivot == "" or choice.kind == "image" or choice.shape or table.split is not None:
        return table
    of, grid = None, None
    if clock is not None:
        times, row = np.unique(clock.moments, return_inverse=True)
        row = np.where(np.isnan(clock.moments), -1, row)
        times = times[~np.isnan(times)]
        if choice.pivot or (len(times) > 2 and 3 * len(times) <= 2 * len(table.values)):
            of = measures(table, work)
            grid = _grid(table, of, clock.columns, times, row, choice.pivot)
    if clock is None or of is None or grid is None:
        if choice.pivot:
            raise Problem(
                f"the values of “{plain(choice.pivot)}” cannot become columns",
                f"each time must have one row for each of its values, of which there may be 2 to {SENSORS}",
                "choose another column, or none",
            )
        return table
    ids = ids_of(table, of, None, work)
    free = [i for i in range(len(table.names)) if i != grid.sensor and i not in clock.columns and i not in table.times]
    numbers = [i for i in free if i not in table.categories and i not in ids]
    if not numbers:
        return table
    alone = len(numbers) == 1
    channels = [name if alone else f"{table.names[i]} ({name})" for i in numbers for name in grid.names]
    known = set(channels) & {*(choice.columns or ()), *(choice.leave_out or ()), choice.label}
    turn = bool(choice.pivot or alone or known)
    name = table.names[grid.sensor]
    words = f"Each time has {len(grid.names)} rows, one for each “{name}”: "
    if choice.pivot is None:
        words += "they can become columns side by side, or stay rows."
    else:
        words += "they become columns side by side."
    work.decide("pivot", name if turn else "", [name, ""], words, asks=True)
    if not turn:
        return table
    for i in free:
        if i not in numbers:
            work.skip(table.names[i], ids.get(i, "the column holds text, and columns side by side hold numbers"))
    return _turned(table, grid, clock.columns, numbers, channels, work)


def _grid(
    table: Table,
    of: Measures,
    clock: Sequence[int],
    times: NDArray[np.float64],
    row: NDArray[np.int64],
    chosen: str | None,
) -> _Grid | None:
    """The first column of few texts or whole numbers whose values come with most times, once with each and in their order."""
    for i, name in enumerate(table.names):
        right = 2 <= of.distinct.get(i, 0) <= SENSORS and (not chosen or name == chosen)
        if not right or i in clock or i in table.times or (not chosen and name.lower() in LABELS):
            continue
        cells = table.values[:, i]
        values, place = np.unique(cells, return_inverse=True)
        values, place = values[~np.isnan(values)], np.where(np.isnan(cells), -1, place)
        text = table.categories.get(i)
        names = [text[int(value)] if text else f"{name} {value:g}" for value in values.tolist()]
        known = (row >= 0) & (place >= 0)
        pairs = len(np.unique(row[known] * len(names) + place[known]))
        often = pairs >= ONCE * len(row) and pairs >= FULL * len(times) * len(names)
        if chosen or (often and _in_order(row[known], place[known])):
            return _Grid(i, times, row, place, names)
    return None


def _in_order(row: NDArray[np.int64], place: NDArray[np.int64]) -> bool:
    """Whether the times of each sensor rise from row to row, or all fall: else texts and times met by chance."""
    order = np.argsort(place, kind="stable")
    steps = np.diff(row[order])[np.diff(place[order]) == 0]
    return bool((steps > 0).all() or (steps < 0).all())


def _turned(
    table: Table, grid: _Grid, clock: Sequence[int], numbers: Sequence[int], channels: Sequence[str], work: Work
) -> Table:
    """The times, then the numbers of each sensor in a column of their own, NaN where there is no row."""
    count, known = len(grid.names), (grid.row >= 0) & (grid.place >= 0)
    row, place = grid.row[known], grid.place[known]
    lost = len(table.values) - len(np.unique(row * count + place))
    if lost:
        words = "lack a time or the name of a column, or have those of a later row, which counts."
        work.warn(f"{lost:,} rows {words}")
    values = work.allocate((len(grid.times), 1 + len(channels)), np.float64)
    values[:] = np.nan
    units: dict[int, str] = {}
    for at, i in enumerate(numbers):
        work.tick()
        values[row, 1 + at * count + place] = table.values[known, i]
        units |= {1 + at * count + j: table.units[i] for j in range(count) if i in table.units}
    first = np.full(len(grid.times), len(table.values))
    np.minimum.at(first, row, np.flatnonzero(known))
    facts = [table.facts[clock[0]]]
    for at, name in enumerate(channels, 1):
        there = values[:, at][~np.isnan(values[:, at])][:3]
        facts.append(ColumnFacts(name, "number", 1.0, 0.0, None, tuple(f"{value:.10g}" for value in there.tolist())))

    def texts(places: Sequence[int]) -> list[list[str]]:
        out = [[f"{value!r}" for value in values[:, i].tolist()] for i in places]
        if 0 in places:  # the times as they were written
            cells = table.texts(clock)
            out[list(places).index(0)] = [" ".join(each[at] for each in cells) for at in first.tolist()]
        return out

    names = [table.names[clock[0]], *channels]
    return Table(names, values, {}, table.rows[first], {0: Times(grid.times)}, units, facts, texts)

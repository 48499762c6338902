"""Which columns of a table tell the time of its rows, and how they go on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from models.readers import times
from models.readers.column import Times
from models.readers.gathering import Table
from models.readers.work import Work


@dataclass(frozen=True)
class Clock:
    """The times of the rows: the columns that tell them, and seconds (N,); how, as the end of a sentence, if they are
    numbers. even: whether they go on in steps of about one size, jumps aside. rising: whether they never fall. newest,
    shuffled: whether the newest came first, or they came in no order. changes: how often clocks were changed."""

    columns: tuple[int, ...]
    moments: NDArray[np.float64]
    even: bool
    rising: bool
    newest: bool = False
    how: str = ""
    shuffled: bool = False
    changes: int = 0


def clock_of(table: Table, work: Work) -> tuple[Clock | None, dict[int, str]]:
    """The times of the rows, of the column that tells them best, or of one of dates and one of hours; and all columns that
    hold times, each with how its numbers count them, "" where it is no number."""
    found: dict[int, Times] = dict(table.times)
    told = dict.fromkeys(found, "")
    for i, name in enumerate(table.names):
        use = (work.choices.columns or {}).get(name)
        if i in table.categories or i in found or use not in (None, "time") or name == work.choices.label:
            continue
        if len(table.names) > 200 and i and not times.called_time(name) and use != "time":
            continue
        if i in table.durations and (use == "time" or times.called_time(name) or _goes_on(table.values[:, i])):
            found[i], told[i] = Times(table.values[:, i]), "seconds since the beginning"
            continue
        counted = times.numbered(table.values[:, i], "time" if use == "time" else name)
        if counted is not None:
            found[i], told[i] = Times(counted[0]), counted[1]
    possible: list[tuple[tuple[int, ...], NDArray[np.float64], str]] = [
        ((i,), times.unwound(each.moments) if each.clock else each.moments, told[i]) for i, each in found.items()
    ]
    for i, day in found.items():
        hour = next((j for j in sorted(found, key=lambda j: abs(j - i)) if found[j].clock), None)
        if day.days and hour is not None:
            possible.insert(0, ((i, hour), day.moments + found[hour].moments, ""))
    together = _of_parts(table, work)
    if together is not None:
        possible.append(together)
    clocks = [
        _clock(columns, *(times.without_changes(moments) if not how else (moments, 0)), how)
        for columns, moments, how in possible
    ]
    best = max(clocks, key=lambda each: (each.even, each.rising, len(each.columns)), default=None)
    return best, told


def _of_parts(table: Table, work: Work) -> tuple[tuple[int, ...], NDArray[np.float64], str] | None:
    """The times of columns of years, months, days and so on, if these go on evenly: else they are features."""
    places = times.parts_of(table.names)
    chosen = {*(work.choices.columns or ()), *(work.choices.leave_out or ()), work.choices.label}
    if not places or chosen & {table.names[i] for i in places} or set(places) & set(table.times):
        return None
    parts = np.full((len(table.values), len(places)), np.nan)
    for at, i in enumerate(places):
        values = table.values[:, i]
        if i in table.categories:  # 01 is text
            if not all(text.isdecimal() for text in table.categories[i]):
                return None
            known = ~np.isnan(values)
            parts[known, at] = np.array(table.categories[i], np.float64)[values[known].astype(np.int64)]
        else:
            parts[:, at] = values
    if np.nanmax(np.abs(parts), initial=0.0) > 9999 or not _goes_on(moments := times.joined(parts)):
        return None
    return places, moments, ""


def _goes_on(moments: NDArray[np.float64]) -> bool:
    """Whether times rise or fall evenly, with at least twenty rows."""
    clock = _clock((), moments, 0, "")
    return len(moments) >= 20 and clock.even and clock.rising


def _clock(columns: tuple[int, ...], moments: NDArray[np.float64], changes: int, how: str) -> Clock:
    steps = np.diff(moments)
    known = steps[np.isfinite(steps)]
    usual = float(np.median(known)) if len(known) else 0.0
    if usual == 0 and len(known):
        usual = float(np.median(known[known != 0])) if (known != 0).mean() > 0.4 else 0.0
    newest = usual < 0
    steps, usual = (-steps, -usual) if newest else (steps, usual)
    even = usual > 0 and bool(np.mean((steps > 0.5 * usual) & (steps < 1.5 * usual)) >= 0.75)
    rising = usual > 0 and bool((steps[np.isfinite(steps)] >= 0).all())
    return Clock(columns, moments, even, rising, newest, how, changes=changes)


def in_order(table: Table, clock: Clock) -> tuple[Table, Clock]:
    """A table with its oldest row first, whose newest came first or which was in no order."""
    shuffled = not (clock.even or clock.rising)
    order = np.argsort(clock.moments, kind="stable") if shuffled else np.arange(len(table.values))[::-1]

    def texts(places: Sequence[int]) -> list[list[str]]:
        return [[cells[row] for row in order] for cells in table.texts(places)]

    back = replace(
        table,
        values=table.values[order] if shuffled else table.values[::-1],
        rows=table.rows[order],
        times={i: replace(each, moments=each.moments[order]) for i, each in table.times.items()},
        texts=texts,
    )
    made = _clock(clock.columns, clock.moments[order], clock.changes, clock.how)
    return back, replace(made, newest=not shuffled, shuffled=shuffled)

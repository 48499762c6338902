"""Dates among the columns of a table as features that mean something: days since 1970, the weekday, the hour."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping

import numpy as np
from numpy.typing import NDArray

from models.readers.clocks import Clock
from models.readers.gathering import Table, slices
from models.readers.kept import HOUR, seconds_of
from models.readers.times import DAY
from models.readers.work import Work

WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
DAYS, WEEKDAY, HOURS = " (days since 1970)", " (weekday)", " (hour)"
Made = tuple[str, NDArray[np.float64], bool]


def made_of_dates(names: Iterable[str]) -> bool:
    """Whether features of these names were made of dates, so that new rows need them, too."""
    return any(name.endswith((DAYS, WEEKDAY, HOURS)) for name in names)


def with_features(
    table: Table, clock: Clock | None, moments: Mapping[int, str], work: Work
) -> tuple[Table, dict[int, str]]:
    """The table with the features that its times become, behind its columns, where that was chosen; and what those columns
    of times become, each as a reason why it is itself no feature. Without a choice they are left out. moments: how the
    numbers of those that hold times count them."""
    uses, choice = work.choices.columns or {}, work.choices
    made: list[Made] = []
    out: dict[int, str] = {}
    for i, name in enumerate(table.names):
        dropped = name in (choice.leave_out or ()) or uses.get(name) == "leave out" or name == choice.label
        if dropped or not (i in table.times or moments.get(i, "") not in ("", "a count")):
            continue
        features = _of(name, table, i, moments.get(i, ""), clock)
        if features:
            made += features
            parts = [feature.removeprefix(name).strip(" ()") for feature, _, _ in features]
            out[i] = f"the column holds times, of which come {' and '.join(parts)}"
    if not out:
        return table, {}
    some = ", ".join(f"“{table.names[i]}”" for i in list(out)[:3]) + (" and others" if len(out) > 3 else "")
    way = choice.times or "leave out"
    words = f"Times in {some} are not learnt from; the map can be coloured by them."
    if way == "features":
        words = f"Times in {some} become features: days since 1970, the weekday, the hour."
    work.decide("times", way, ["leave out", "features"], words)
    return (_joined(table, made, work), out) if way == "features" else (table, {})


def _of(name: str, table: Table, i: int, how: str, clock: Clock | None) -> list[Made]:
    """The features of a column of times: name, values (N,), and whether they are places among WEEKDAYS."""
    seconds = seconds_of(table, i, how, clock)
    if seconds is None:  # hours alone
        return [(name + HOURS, np.array(table.times[i].moments) / HOUR, False)] if i in table.times else []
    day = np.floor(seconds / DAY)
    out = [(name + DAYS, day, False), (name + WEEKDAY, (day + 3) % 7, True)]  # 1 January 1970 was a Thursday
    hours = (seconds - day * DAY) / HOUR
    return [*out, (name + HOURS, hours, False)] if (hours > 0).any() else out


def _joined(table: Table, made: list[Made], work: Work) -> Table:
    width = len(table.names)
    values = work.allocate((len(table.values), width + len(made)), np.float64)
    for some in slices(table.values):
        values[some, :width] = table.values[some]
    for at, (_, feature, _) in enumerate(made, start=width):
        values[:, at] = feature
    names, weekdays = [*table.names, *(name for name, _, _ in made)], list(WEEKDAYS)
    places = {at: weekdays for at, (_, _, category) in enumerate(made, start=width) if category}
    return dataclasses.replace(table, names=names, values=values, categories={**table.categories, **places})

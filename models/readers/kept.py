"""Columns of a table that are no features and stand beside its samples: what people tell rows by, and colour them by."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from models.beside import Beside
from models.readers import times
from models.readers.clocks import Clock
from models.readers.gathering import Table, with_unit
from models.readers.work import Work, plain

TEXTS = 500_000  # cells of texts that differ in most rows, which are kept: of more a process would hold too much
CELLS = 8_000_000  # of all columns beside the rows: 64 MB
LENGTH = 200  # characters of such a cell
HOUR = 3600.0
# What day of numbers that count days is 1 January 1970.
EPOCHS = {"Julian days": 2_440_587.5, "modified Julian days": 40_587.0, "days since 1900": 25_569.0}


def columns_beside(
    table: Table,
    reasons: Mapping[int, str],
    ids: Mapping[int, str],
    clock: Clock | None,
    moments: Mapping[int, str],
    work: Work,
) -> list[Beside]:
    """The columns that were left out, for reasons, of all rows (N,). ids: which of them are ids. moments: how the numbers of
    those that hold times count them."""
    out, texts = [], []
    places = sorted(reasons)
    most = CELLS // max(1, len(table.values))
    if places[most:]:
        some = ", ".join(f"“{table.names[i]}”" for i in places[most : most + 3]) + (
            " …" if len(places) > most + 3 else ""
        )
        work.warn(f"Left out, and too much to be kept beside so many rows: {some}.")
    for i in places[:most]:
        name = with_unit(table.names[i], table.units.get(i, ""))
        if i in moments or i in table.times:
            seconds = seconds_of(table, i, moments.get(i, ""), clock)
            if seconds is not None:
                out.append(Beside(name, "time", seconds))
                continue
            if i in table.times:  # hours alone
                out.append(Beside(f"{name} (hours)", "number", np.array(table.times[i].moments) / HOUR))
                continue
        if i not in table.categories:
            values = np.array(table.values[:, i])
            if not np.isnan(values).all():
                out.append(Beside(name, "id" if i in ids else "number", values))
        elif len(table.categories[i]) <= work.limits.classes:
            many = len(table.categories[i]) > work.limits.categories
            kind = "id" if i in ids else "text" if many else "category"
            out.append(Beside(name, kind, np.array(table.values[:, i]), tuple(table.categories[i])))
        else:
            texts.append(i)
    few = TEXTS // max(1, len(table.values))
    for i in texts[few:]:
        work.warn(f"The texts of “{table.names[i]}” are too many to be kept beside the rows.")
    return out + _texts(table, texts[:few], ids, work)


def _texts(table: Table, places: list[int], ids: Mapping[int, str], work: Work) -> list[Beside]:
    """Columns with more different texts than were counted: the file is read again for them."""
    out = []
    for i, cells in zip(places, table.texts(places) if places else [], strict=True):
        work.tick()
        words: dict[str, int] = {}
        values = np.full(len(cells), np.nan)
        for row, cell in enumerate(cells):
            text = plain(cell.strip(), LENGTH)
            if text:
                values[row] = words.setdefault(text, len(words))
        out.append(Beside(table.names[i], "id" if i in ids else "text", values, tuple(words)))
    return out


def seconds_of(table: Table, i: int, how: str, clock: Clock | None) -> NDArray[np.float64] | None:
    """Seconds since 1970 (N,) that a column tells; None where it tells the hours alone, or only counts."""
    if i in table.times:
        told = table.times[i]
        if told.clock:
            return None
        whole = clock is not None and len(clock.columns) == 2 and clock.columns[0] == i
        return np.array(clock.moments if whole and clock is not None else told.moments)  # a date with its hour
    found = times.numbered(table.values[:, i], table.names[i])
    if found is None or how in ("", "a count"):
        return None
    return found[0] - EPOCHS.get(how, 0.0) * times.DAY

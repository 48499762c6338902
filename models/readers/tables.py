"""Samples made of a table: what its columns are used as, and whether its rows are pixels, moments or samples."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from models import Problem
from models.beside import number, take
from models.columns import Column
from models.readers import precision, ratings
from models.readers.cells import is_missing
from models.readers.clocks import Clock, clock_of, in_order
from models.readers.dates import with_features
from models.readers.gathering import Table, columns_of, slices, with_unit
from models.readers.kept import columns_beside
from models.readers.labels import as_text, classes_of
from models.readers.long import pivoted
from models.readers.payments import time_of_payments
from models.readers.pixels import as_images, factors, square
from models.readers.result import ColumnFacts, ReadResult
from models.readers.roles import Measures, ids_of, label_of, measures, pixel_names
from models.readers.series import SERIES, signals
from models.readers.times import called_time, counts_moments
from models.readers.work import Work, plain

PERSISTS = 0.5  # of the changes of class in an order by chance; rows with fewer may follow each other in time
REPEATED = 0.05  # the share of rows with the time of the row before, above which rows are events and no series


def found(table: Table, work: Work, source: str, titles: Mapping[str, str] | None = None) -> ReadResult:
    """Samples made of a table: images of its pixels, windows of its signals, or its rows. titles: of what is rated, by ids."""
    choice = work.choices
    if (wide := ratings.widened(table, work, titles or {})) is not None:
        return _of_people(*wide, work)
    came = table.names
    clock, moments = clock_of(table, work)
    turned = pivoted(table, clock, work) if choice.pivot is None or choice.pivot in came else table
    if turned is not table:
        table = turned
        clock, moments = clock_of(table, work)
    asked = [*([choice.label] if choice.label else []), *([choice.pivot] if choice.pivot else [])]
    asked += choice.leave_out or ()
    asked += [] if choice.missing == "keep" else choice.columns or ()  # a run may know columns that new rows lack
    unknown = [name for name in asked if name not in table.names and name not in came]
    if unknown:
        raise Problem(
            f"there is no column “{plain(unknown[0])}”",
            f"the columns are {', '.join(table.names[:20])}{' …' if len(table.names) > 20 else ''}",
            "choose one of these",
        )
    kind, uneven = choice.kind, False
    paid = time_of_payments(table.names)
    if kind is None and paid is None:
        kind, uneven = _kind(table, clock, moments, work)
    if kind == "signal" and clock is not None and choice.layout != "across":
        table, clock = _ordered(table, clock)
    known, dated = range(len(table.names)), dict[int, str]()
    if kind != "signal":
        table, dated = with_features(table, clock, moments, work)
    of = measures(table, work)
    reasons = _left_out(table, of, moments, clock, kind, work)
    if paid is not None and table.names[paid] not in (*(choice.columns or ()), choice.label):
        reasons.setdefault(paid, "the column tells the time of each row")
    reasons |= dated
    ids = {} if choice.missing == "keep" else ids_of(table, of, kind, work)
    ids = {i: why for i, why in ids.items() if i not in reasons}
    reasons |= ids
    label, crowded = label_of(table, [i for i in known if i not in reasons], of, kind, work)
    reasons |= crowded
    columns = [i for i in range(len(table.names)) if i not in reasons and i != label]
    _crowded(table, of, columns, reasons, work)
    columns = [i for i in columns if i not in reasons]
    for i, why in sorted(reasons.items()):
        if i not in dated:
            work.skip(table.names[i], why)
    numbers = [i for i in columns if i not in table.categories]
    labels, classes = _labels(table, label, work)
    uneven = uneven and not _by_chance(labels)
    if not columns:
        raise Problem(
            f"{source} has no column to learn from",
            "columns of numbers, or of a few categories, are",
            "bring another table, or choose another separator or label",
        )
    names, called = _names(table, list(ids), of)
    result = _made(table, columns, numbers, labels, classes, names, of, kind, clock, uneven, work)
    apart = dict(reasons)
    if result.kind == "signal":  # which has channels of numbers only
        apart |= dict.fromkeys((i for i in columns if i in table.categories), "the column holds text")
    beside = [] if choice.missing == "keep" else columns_beside(table, apart, ids, clock, moments, work)
    return dataclasses.replace(
        result,
        facts=tuple(_facts(table, label, ids, reasons, of, work.limits.classes)),
        label="" if label is None else table.names[label],
        called=called
        if result.kind != "signal" or choice.layout == "across"
        else "",  # a window has the number of its first row
        beside=take(beside, work.taken) if work.taken is not None else tuple(beside),
        warnings=tuple(work.words),
    )


def _made(
    table: Table,
    columns: list[int],
    numbers: list[int],
    labels: NDArray[np.int32],
    classes: tuple[str, ...],
    names: list[str],
    of: Measures,
    kind: str | None,
    clock: Clock | None,
    uneven: bool,
    work: Work,
) -> ReadResult:
    full = len(numbers) == len(columns) and bool((of.present[columns] == len(table.values)).all())
    values = bool(of.whole[columns].all()), float(of.most[columns].max(initial=0))
    named = pixel_names([table.names[i] for i in columns], *values)
    sides = None if kind == "signal" else _image_sides(columns, full, of, named, work)
    if sides:
        samples = as_images([columns_of(table.values, columns, work)], work)
        return work.found("image", samples, labels, classes, names, table.split)
    if kind == "signal":
        return signals(table, columns, numbers, labels, classes, names, clock, work)
    return _rows(table, columns, labels, classes, names, uneven, work)


def _of_people(table: Table, people: list[str], called: str, work: Work) -> ReadResult:
    """A row for each person, with what they rated, as `ratings.widened` gives it."""
    nobody = np.full(len(people), -1, np.int32)
    result = _rows(table, range(len(table.names)), nobody, (), people, False, work)
    return dataclasses.replace(result, facts=tuple(table.facts), called=called, warnings=tuple(work.words))


def _ordered(table: Table, clock: Clock) -> tuple[Table, Clock | None]:
    """A table with its oldest row first. Without a clock where its times are in no order and come again, as birthdays do:
    they are not those of the rows."""
    if clock.even or clock.rising:
        return in_order(table, clock) if clock.newest else (table, clock)
    again = 1 - len(np.unique(clock.moments)) / len(clock.moments)
    return in_order(table, clock) if again < REPEATED and clock.how != "a count" else (table, None)


def _kind(table: Table, clock: Clock | None, moments: Mapping[int, str], work: Work) -> tuple[str | None, bool]:
    """ "signal" where rows are moments that follow each other evenly, with numbers beside their times, else None; and
    whether they follow each other unevenly, so that they could be moments or samples."""
    if work.choices.shape or clock is None or len(table.values) < SERIES:
        return None, False
    numbers = [i for i in range(len(table.names)) if i not in moments and i not in table.categories]
    told = len(clock.columns) > 2 or any(
        i in table.times or clock.how not in ("", "a count") or called_time(table.names[i]) for i in clock.columns
    )
    if not numbers or not told:
        return None, False
    alone = all(i in moments or i not in table.categories for i in range(len(table.names)))
    often = float(np.mean(np.diff(clock.moments) == 0))
    return ("signal" if clock.even else None), not clock.even and clock.rising and alone and often < REPEATED


def _by_chance(labels: NDArray[np.int32]) -> bool:
    """Whether the class of a row (N,) says little about that of the next: then rows are samples of their own, and not moments
    of something that goes on for a while."""
    if len(labels) < 2 or (labels < 0).all():
        return False
    shares = np.unique(labels, return_counts=True)[1] / len(labels)
    expected = 1 - float(np.square(shares).sum())
    return expected > 0 and float(np.mean(np.diff(labels) != 0)) > PERSISTS * expected


def _left_out(
    table: Table, of: Measures, moments: Mapping[int, str], clock: Clock | None, kind: str | None, work: Work
) -> dict[int, str]:
    """The columns that say nothing whatever the others are, each with the reason."""
    uses, out = work.choices.columns or {}, {}
    alone = len(table.names) == 1
    for i, name in enumerate(table.names):
        alike = clock is not None and i in clock.columns and clock.rising and not counts_moments(name)
        counted = alike or moments.get(i, "") not in ("", "a count")
        timed = i in table.times or uses.get(name) == "time" or (counted and work.choices.missing != "keep")
        if name in (work.choices.leave_out or ()) or uses.get(name) == "leave out":
            out[i] = "the column was left out by choice"
        elif name == work.choices.label:
            continue
        elif timed or (kind == "signal" and i in moments and clock is not None and i in clock.columns and not alone):
            across = kind == "signal" and work.choices.layout == "across" and i not in table.times
            if not across:
                out[i] = (
                    "the column tells the time of each row"
                    if clock is not None and i in clock.columns and (clock.even or clock.rising or kind == "signal")
                    else "the column holds times, which are no features"
                )
        elif not of.present[i]:
            out[i] = "the column is empty"
    return out


def _crowded(table: Table, of: Measures, columns: Sequence[int], reasons: dict[int, str], work: Work) -> None:
    """Adds the columns with too many texts to be categories."""
    uses = work.choices.columns or {}
    for i in columns:
        if i in table.categories and of.distinct[i] > work.limits.categories:
            if uses.get(table.names[i]) == "category" and of.distinct[i] <= work.limits.classes:
                continue
            reasons[i] = f"the column holds more than {work.limits.categories} different texts"


def _names(table: Table, ids: Sequence[int], of: Measures) -> tuple[list[str], str]:
    """What each row is called: by the first column of ids that differ in each row, whose name comes with them, else its
    number in the file."""
    count = len(table.values)
    for i in ids:
        if i in table.categories:
            texts = [plain(text.strip(), 200) for text in table.texts([i])[0]]
        elif of.distinct.get(i) == count:
            texts = ["" if math.isnan(value) else number(value) for value in table.values[:, i].tolist()]
        else:
            continue
        if len(texts) == count == len(set(texts)) and not any(is_missing(text) for text in texts):
            return texts, table.names[i]
    return [f"{part}{row}" for part, row in zip(table.parts or [""] * count, table.rows.tolist(), strict=True)], ""


def _facts(
    table: Table, label: int | None, ids: Mapping[int, str], reasons: Mapping[int, str], of: Measures, most: int
) -> list[ColumnFacts]:
    out = []
    for i, facts in enumerate(table.facts):
        role = "number" if i not in table.categories else "category"
        if i == label:
            role = "class"
        elif i in reasons:
            role = "id" if i in ids else "time" if "time" in reasons[i] else "leave out"
        distinct = of.distinct.get(i)
        if distinct is not None and i in table.categories and distinct > most:
            distinct = None  # more were not counted
        out.append(dataclasses.replace(facts, distinct=distinct, role=role, why=reasons.get(i, "")))
    return out


def _labels(table: Table, label: int | None, work: Work) -> tuple[NDArray[np.int32], tuple[str, ...]]:
    if label is None:
        return np.full(len(table.values), -1, np.int32), ()
    values = np.array(table.values[:, label])
    if np.isnan(values).any():
        work.warn(f"{np.isnan(values).sum():,} rows have no class: the cell is empty, or says NA or the like.")
    if label not in table.categories:
        return classes_of(as_text(values), work)
    names = np.array([*table.categories[label], None], object)
    places = np.where(np.isnan(values), len(names) - 1, values).astype(np.int64)
    return classes_of(names[places], work)


def _image_sides(columns: Sequence[int], full: bool, of: Measures, named: bool, work: Work) -> tuple[int, ...] | None:
    """The shape of the images that rows are, None when they are none. `Problem` when images were asked for in vain."""
    choice = work.choices
    asked = choice.kind == "image" or bool(choice.shape)
    if choice.kind in ("table", "signal"):
        return None
    possible = factors(len(columns))
    sides = (
        tuple(choice.shape) if choice.shape else square(len(columns)) or (possible[0] if asked and possible else None)
    )
    if asked and (not sides or math.prod(sides) != len(columns) or not full):
        raise Problem(
            f"rows of {len(columns):,} values{'' if full else ', some of them missing or text,'} cannot become images",
            "each row must have as many numbers as the image has pixels",
            "choose a shape such as [28, 28], another label, or the kind table",
        )
    least, most, whole = (measure[list(columns)] for measure in (of.least, of.most, of.whole))
    grey = least.min() >= 0 and (most.max() <= 1 or (most.max() <= 255 and whole.all()))
    if not (asked or (full and sides and grey)):
        return None
    assert sides
    words = "The columns are the pixels of images."
    if not named:
        words = f"The {len(columns):,} columns could be the pixels of images, or features."
    work.decide("kind", "image", ["image", "table", "signal"], words, asks=not named)
    others = [list(each) for each in possible if each != sides]
    words = (
        f"Each row of {len(columns):,} values is an image of {' × '.join(map(str, sides[:2]))} pixels (height × width)."
    )
    work.decide("shape", list(sides), [list(sides), *others], words, asks=not square(len(columns)))
    return sides


def _rows(
    table: Table,
    columns: Sequence[int],
    labels: NDArray[np.int32],
    classes: tuple[str, ...],
    names: Sequence[str],
    uneven: bool,
    work: Work,
) -> ReadResult:
    """Samples (N, F): numbers as they are, then in their place each category's values one-hot. uneven: whether rows could
    be moments of a signal as well."""
    words = "Each row is a sample, each column a feature."
    if uneven:
        words = "Rows have uneven times: they could be samples, or moments of a signal. They are taken for samples."
    work.decide("kind", "table", ["table", "image", "signal"], words, asks=uneven)
    missing = "skip" if work.choices.missing == "skip" else "mean"
    holes = np.zeros(len(table.values), bool)
    for some in slices(table.values):
        holes[some] = np.isnan(table.values[some][:, list(columns)]).any(1)
    if holes.any():
        told = {
            "mean": "a missing number becomes its column's mean, a missing category none of its values",
            "skip": "they are left out",
        }
        work.decide("missing", missing, ["mean", "skip"], f"{holes.sum():,} rows have missing values: {told[missing]}.")
    keep = ~holes if missing == "skip" else np.ones(len(holes), bool)
    if missing == "skip" and holes.any():
        for row in table.rows[holes]:
            work.skip(f"row {row}", "it has missing values")
    widths = [len(table.categories[i]) if i in table.categories else 1 for i in columns]
    if sum(widths) > work.limits.columns:
        raise Problem(
            f"the table has {sum(widths):,} features, one for each number and each value of a category",
            f"at most {work.limits.columns:,} are allowed",
            "leave some columns out",
        )
    shape, numbers = (int(keep.sum()), sum(widths)), [i for i in columns if i not in table.categories]
    pieces = (table.values[some][keep[some]][:, numbers] for some in slices(table.values))
    out = work.allocate(shape, precision.of_numbers(pieces, len(numbers), shape, work))
    starts = np.concatenate([[0], np.cumsum(widths)[:-1]]).astype(int)
    at = 0
    mean = _means(table.values, keep)
    gone = np.zeros((len(out), -(-len(columns) // 8)), np.uint8)
    for some in slices(table.values):
        part = table.values[some][keep[some]]
        gone[at : at + len(part)] = np.packbits(np.isnan(part[:, list(columns)]), axis=1)
        work.progress("laying out rows", at, len(out))
        for i, start in zip(columns, starts, strict=True):
            cells = part[:, i]
            if i in table.categories:
                known = np.flatnonzero(~np.isnan(cells))
                out[at + known, start + cells[known].astype(int)] = 1
            else:
                # Of new rows for a run what is missing stays so: the run knows better means.
                gap = np.nan if work.choices.missing == "keep" else mean[i]
                out[at : at + len(part), start] = np.where(np.isnan(cells), gap, cells)
        at += len(part)
    deviation = _deviations(table.values, keep, mean, missing == "mean")
    described = _described(table, columns, starts.tolist(), widths, mean, deviation)
    called = [name for name, there in zip(names, keep.tolist(), strict=True) if there]
    split = None if table.split is None else table.split[keep]
    work.taken = np.flatnonzero(keep)
    found = work.found("table", out, labels[keep], classes, called, split, described)
    return dataclasses.replace(found, missing=gone) if holes[keep].any() else found


def _described(
    table: Table,
    columns: Sequence[int],
    starts: Sequence[int],
    widths: Sequence[int],
    mean: NDArray[np.float64],
    deviation: NDArray[np.float64],
) -> list[Column]:
    """What each column is, and where it stands in the samples."""
    described = []
    for i, start, width in zip(columns, starts, widths, strict=True):
        name = with_unit(table.names[i], table.units.get(i, ""))
        if i in table.categories:
            described.append(Column(name, "category", start, width, values=tuple(table.categories[i])))
            continue
        spread = float(deviation[i]) if deviation[i] > 1e-12 * abs(mean[i]) else 1.0  # of a constant but rounding
        described.append(Column(name, "number", start, 1, float(mean[i]), spread))
    return described


def _deviations(
    values: NDArray[np.float64], keep: NDArray[np.bool_], mean: NDArray[np.float64], filled: bool
) -> NDArray[np.float64]:
    """The standard deviation of each column (P,) over the rows that are kept, where a missing value is the mean."""
    squares, count = np.zeros(values.shape[1]), np.zeros(values.shape[1])
    for some in slices(values):
        part = values[some][keep[some]] - mean
        squares += np.nansum(part**2, axis=0)
        count += len(part) if filled else (~np.isnan(part)).sum(0)
    return np.asarray(np.sqrt(squares / np.maximum(count, 1)))


def _means(values: NDArray[np.float64], keep: NDArray[np.bool_]) -> NDArray[np.float64]:
    total, count = np.zeros(values.shape[1]), np.zeros(values.shape[1])
    for some in slices(values):
        part = values[some][keep[some]].astype(np.float64)
        total += np.nansum(part, axis=0)
        count += (~np.isnan(part)).sum(0)
    return np.asarray(total / np.maximum(count, 1))

"""Samples made of a table: which column is the class, which say something, and whether rows are pixels."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from models import Problem
from models.columns import Column
from models.readers import arrays
from models.readers.gathering import Table, columns_of, slices
from models.readers.labels import LABEL_NAMES, as_text, classes_of
from models.readers.pixels import as_images, square
from models.readers.result import ReadResult
from models.readers.series import is_series, signals, times_of
from models.readers.work import Work, plain

LABELS = (*LABEL_NAMES, "species", "digit", "category")
NAMES = 20  # rows from which a column that differs in each is taken for their names


def found(table: Table, work: Work, source: str) -> ReadResult:
    """Samples made of a table: images of its pixels, windows of its signals, or its rows."""
    choice = work.choices
    unknown = [
        name
        for name in (*([choice.label] if choice.label else []), *(choice.leave_out or ()))
        if name not in table.names
    ]
    if unknown:
        raise Problem(
            f"there is no column “{plain(unknown[0])}”",
            f"the columns are {', '.join(table.names[:20])}{' …' if len(table.names) > 20 else ''}",
            "choose one of these",
        )
    least, most, whole, there = _measures(table, work)
    distinct = _distinct(table, whole, there, work)
    times = times_of(table)
    kind = choice.kind or ("signal" if is_series(table, times, work) else None)
    timed = times if kind == "signal" and choice.layout != "across" and len(table.names) > 1 else {}
    columns = _usable(table, least, most, there, distinct, list(timed), work)
    label = _label(table, columns, distinct, kind, work)
    columns = [i for i in columns if i != label]
    numbers = [i for i in columns if i not in table.categories]
    labels, classes = _labels(table, label, work)
    if not columns:
        raise Problem(
            f"{source} has no column to learn from",
            "columns of numbers, or of a few categories, are",
            "bring another table, or choose another separator or label",
        )
    full = len(numbers) == len(columns) and bool((there[columns] == len(table.values)).all())
    sides = None if kind == "signal" else _image_sides(table, columns, full, (least, most, whole), work)
    if sides:
        work.decide(
            "shape",
            list(sides),
            [list(sides)],
            f"Each row of {len(columns):,} values is an image of {' x '.join(map(str, sides))}.",
        )
        samples = as_images([columns_of(table.values, columns, work)], work)
        return work.found("image", samples, labels, classes, [str(row) for row in table.rows])
    if kind == "signal":
        time = next((i for i, even in timed.items() if even), next(iter(timed), None))
        return signals(table, columns, numbers, labels, classes, time, work)
    return _rows(table, columns, labels, classes, work)


def _measures(
    table: Table, work: Work
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.bool_], NDArray[np.int64]]:
    """Of each column the least and greatest value, whether all are whole, and how many there are."""
    width = len(table.names)
    least, most = np.full(width, np.inf), np.full(width, -np.inf)
    whole, there = np.ones(width, bool), np.zeros(width, np.int64)
    for some in slices(table.values):
        work.tick()
        part = table.values[some]
        known = ~np.isnan(part)
        there += known.sum(0)
        least = np.minimum(least, np.where(known, part, np.inf).min(0))
        most = np.maximum(most, np.where(known, part, -np.inf).max(0))
        whole &= (~known | (part == np.floor(part))).all(0)
    return least, most, whole, there


def _distinct(table: Table, whole: NDArray[np.bool_], there: NDArray[np.int64], work: Work) -> dict[int, int]:
    """How many values each column has that may be a label: categories, and whole numbers. Counted in the first and last columns of wide tables only."""
    width = len(table.names)
    asked = (
        range(width)
        if width <= 200
        else [i for i in range(width) if i in (0, width - 1) or table.names[i].lower() in LABELS]
    )
    out = {i: len(values) for i, values in table.categories.items()}
    for i in asked:
        if i not in out and whole[i] and there[i]:
            work.tick()
            values = table.values[:, i]
            out[i] = len(np.unique(values[~np.isnan(values)]))
    return out


def _usable(
    table: Table,
    least: NDArray[np.float64],
    most: NDArray[np.float64],
    there: NDArray[np.int64],
    distinct: dict[int, int],
    times: Sequence[int],
    work: Work,
) -> list[int]:
    """The places of the columns that say something; why others do not is noted. times: those that only tell the time."""
    out = []
    count = len(table.values)
    for i, name in enumerate(table.names):
        if name in (work.choices.leave_out or ()):
            work.skip(name, "the column was left out by choice")
        elif not there[i]:
            work.skip(name, "the column is empty")
        elif i in times and name != work.choices.label:
            work.skip(name, "the column tells the time of each row")
        elif i in table.categories and distinct[i] > work.limits.categories and not _is_label(name, work):
            work.skip(name, f"the column holds more than {work.limits.categories} different texts")
        elif work.choices.missing == "keep":  # new rows for a run, which knows what each column is
            out.append(i)
        elif i in table.categories and distinct[i] == there[i] >= NAMES and not _is_label(name, work):
            work.skip(name, "the column holds another text in every row")
        elif _names_rows(name) and distinct.get(i, 0) == count >= NAMES and not _is_label(name, work):
            work.skip(name, "the column only tells the rows apart")
        elif (name.startswith(("column ", "Unnamed:")) or name.lower() in ("index", "id")) and _counts(
            table, i, least, most, count
        ):
            work.skip(name, "the column only counts the rows")
        else:
            out.append(i)
    return out


def _names_rows(name: str) -> bool:
    """Whether a column is called an identifier: "id", "Customer ID", "kunden_nr"."""
    return bool({"id", "uuid", "nr", "identifier"} & set(re.findall(r"[a-z]+", name.lower())))


def _is_label(name: str, work: Work) -> bool:
    return name.lower() in LABELS if work.choices.label is None else name == work.choices.label


def _counts(table: Table, i: int, least: NDArray[np.float64], most: NDArray[np.float64], count: int) -> bool:
    """Whether a column is 0, 1, 2, … or 1, 2, 3, … with three rows or more."""
    if i in table.categories or count < 3 or least[i] not in (0, 1) or most[i] - least[i] != count - 1:
        return False
    return bool((np.diff(table.values[:, i]) == 1).all())


def _label(table: Table, columns: Sequence[int], distinct: dict[int, int], kind: str | None, work: Work) -> int | None:
    """The place of the column that holds the classes: the choice, else the one that is called so, else an odd one beside
    pixels, or the only one of texts beside a signal."""
    possible = [i for i in columns if 0 < distinct.get(i, 0) <= work.limits.classes]
    names = [table.names[i] for i in possible]
    options = ["", *(table.names[i] for i in possible if distinct[i] <= work.limits.categories)]
    chosen, words = None, "No column is taken for the class."
    if work.choices.label is not None:
        if work.choices.label:
            if work.choices.label not in names:
                raise Problem(
                    f"the column “{plain(work.choices.label)}” cannot be the label",
                    f"a label has 1 to {work.limits.classes:,} different texts or whole numbers",
                    "choose another column, or none",
                )
            chosen = possible[names.index(work.choices.label)]
            words = f"The column “{table.names[chosen]}” is the class, as chosen."
    else:
        called = [i for i in possible if table.names[i].lower() in LABELS]
        beside = [i for i in (columns[:1] + columns[-1:]) if i in possible and distinct[i] > 1]  # type: ignore[operator]
        if called:
            chosen = called[0]
            words = f"The column “{table.names[chosen]}” is the class, by its name."
        elif kind == "signal":
            of_texts = [i for i in possible if i in table.categories and 1 < distinct[i] <= work.limits.categories]
            if len(of_texts) == 1:
                chosen = of_texts[0]
                words = f"The column “{table.names[chosen]}” is the class: the others hold numbers."
        elif beside and len(columns) > 64 and square(len(columns) - 1) and not square(len(columns)):
            chosen = beside[0]
            words = f"{len(columns) - 1:,} columns are pixels, and the {'first' if chosen == columns[0] else 'last'} is the class."
    if len(options) > 1 or chosen is not None:
        if chosen is not None and table.names[chosen] not in options:
            options.append(table.names[chosen])
        work.decide("label", table.names[chosen] if chosen is not None else "", options[:200], words)
    return chosen


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


def _image_sides(
    table: Table,
    columns: Sequence[int],
    full: bool,
    measures: tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.bool_]],
    work: Work,
) -> tuple[int, ...] | None:
    """The shape of the images that rows are, None when they are none. `Problem` when images were asked for in vain."""
    choice = work.choices
    asked = choice.kind == "image" or bool(choice.shape)
    if choice.kind in ("table", "signal"):
        return None
    sides = tuple(choice.shape) if choice.shape else square(len(columns))
    if asked and (not sides or math.prod(sides) != len(columns) or not full):
        raise Problem(
            f"rows of {len(columns):,} values{'' if full else ', some of them missing or text,'} cannot become images",
            "each row must have as many numbers as the image has pixels",
            "choose a shape such as [28, 28], another label, or the kind table",
        )
    least, most, whole = (measure[list(columns)] for measure in measures)
    grey = least.min() >= 0 and (most.max() <= 1 or (most.max() <= 255 and whole.all()))
    if asked or (full and sides and grey):
        work.decide("kind", "image", ["image", "table", "signal"], "The columns are the pixels of images.")
        return sides
    return None


def _rows(
    table: Table, columns: Sequence[int], labels: NDArray[np.int32], classes: tuple[str, ...], work: Work
) -> ReadResult:
    """Samples (N, F): numbers as they are, then in their place each category's values one-hot."""
    work.decide("kind", "table", ["table", "image", "signal"], "Each row is a sample, each column a feature.")
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
    out = work.allocate((int(keep.sum()), sum(widths)), np.float32)
    starts = np.concatenate([[0], np.cumsum(widths)[:-1]]).astype(int)
    at = 0
    mean = _means(table.values, keep)
    for some in slices(table.values):
        part = table.values[some][keep[some]]
        work.progress("laying out rows", at, len(out))
        for i, start in zip(columns, starts, strict=True):
            cells = part[:, i]
            if i in table.categories:
                known = np.flatnonzero(~np.isnan(cells))
                out[at + known, start + cells[known].astype(int)] = 1
            else:
                out[at : at + len(part), start] = np.where(np.isnan(cells), mean[i], cells)
        at += len(part)
    measured = arrays.of_features(out, None, [""] * out.shape[1]) if len(out) else []
    described = []
    for i, start, width in zip(columns, starts.tolist(), widths, strict=True):
        if i in table.categories:
            values = tuple(table.categories[i])
            described.append(Column(table.names[i], "category", start, width, values=values))
        elif measured:
            of = measured[start]
            described.append(Column(table.names[i], "number", start, 1, of.mean, of.deviation))
    names = [str(row) for row in table.rows[keep]]
    return work.found("table", out, labels[keep], classes, names, None, described)


def _means(values: NDArray[np.float32], keep: NDArray[np.bool_]) -> NDArray[np.float64]:
    total, count = np.zeros(values.shape[1]), np.zeros(values.shape[1])
    for some in slices(values):
        part = values[some][keep[some]].astype(np.float64)
        total += np.nansum(part, axis=0)
        count += (~np.isnan(part)).sum(0)
    return np.asarray(total / np.maximum(count, 1))

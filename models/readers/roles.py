"""What each column of a table is used as: a feature, the class, the time, the row's id, or nothing. Told by content."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models import Problem
from models.readers import times
from models.readers.gathering import Table, slices
from models.readers.labels import CLASS_NAMES
from models.readers.pixels import square
from models.readers.work import Work, plain

WEAK = ("y", "target", "targets")  # as often an axis or a price as a class
LABELS = (
    *(*CLASS_NAMES, "variety", "diagnosis", "group"),
    *("fraud", "isfraud", "is_fraud", "outlier", "is_outlier", "anomaly", "is_anomaly", "anomalous"),
    *("klasse", "kategorie", "gruppe", "classe", "catégorie", "categorie", "clase", "categoría", "categoria"),
)
FEW = 50  # values of the only column of texts that may be the class without being called so
NAMES = 20  # rows from which a column that differs in each is taken for their names
CATEGORIES = 100  # texts of a column that may be the class of a signal without being called so
LARGE = 2.0**24  # whole numbers above are ids where they differ in every row
# What a column is called that differs in each row and only counts them.
NUMBERED = frozenset(("no", "nr", "sr", "serial", "number", "nummer", "numero", "número", "pk", "fid", "oid", "gid"))
NUMBERED |= {"objectid", "idx", "row", "instant", "matrikelnummer", "kundennummer", "code"}
PIXELS = re.compile(r"(col|column|x|v|c)?[ _-]?\d+", re.IGNORECASE)
CALLED_PIXELS = re.compile(r"(p|px|pix|pixels?)[ _-]?\d+([ _x-]\d+)?|\d+x\d+", re.IGNORECASE)
OF_IDS = re.compile(
    r"(user|item|movie|tweet|post|customer|product|order|session|transaction|account|client|patient|device|employee|student"
    r"|visitor|member|record|row|case|sample|image|img|file|passenger|loan|policy|invoice|ticket|track|song|book|store)id"
)


@dataclass(frozen=True)
class Measures:
    """Of each column (P,) the least and greatest value, whether all are whole, and how many there are; of some columns
    how many different values they have."""

    least: NDArray[np.float64]
    most: NDArray[np.float64]
    whole: NDArray[np.bool_]
    present: NDArray[np.int64]
    distinct: dict[int, int]


def measures(table: Table, work: Work) -> Measures:
    """Measure all columns of a table."""
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
    return Measures(least, most, whole, there, _distinct(table, whole, there, work))


def _distinct(table: Table, whole: NDArray[np.bool_], there: NDArray[np.int64], work: Work) -> dict[int, int]:
    """How many values each column has that may be a label: categories, and whole numbers. Counted in the first and last
    columns of wide tables only."""
    width = len(table.names)
    asked = (
        range(width)
        if width <= 200
        else [i for i in range(width) if i in (0, width - 1) or table.names[i].lower() in LABELS]
    )
    out = {i: len(values) for i, values in table.categories.items()}
    for i in asked:
        if i not in out and (whole[i] or table.names[i].lower() in LABELS) and there[i]:
            work.tick()
            values = table.values[:, i]
            out[i] = len(np.unique(values[~np.isnan(values)]))
    return out


def ids_of(table: Table, of: Measures, kind: str | None, work: Work) -> dict[int, str]:
    """The columns that tell rows apart and say nothing else, each with the reason."""
    out: dict[int, str] = {}
    named = any(not name.startswith("column ") for name in table.names)
    every = _names_of_rows(table, of, work)
    for i, name in enumerate(table.names):
        use = (work.choices.columns or {}).get(name)
        if use == "id":
            out[i] = "the column is the row's id, as chosen"
        elif use is None and name != work.choices.label and name.lower() not in LABELS and i not in table.times:
            why = _id(table, i, of, named, i in every) if of.present[i] else ""
            if kind == "signal" and called_id(name) and not why:
                why = "the column only tells the rows apart"
            if why:
                out[i] = why
    return out


def _names_of_rows(table: Table, of: Measures, work: Work) -> set[int]:
    """The columns with another value in each row. Of those with so many texts that they were not counted only the first is
    looked into, for which the file is read again: it may name the rows."""
    count = len(table.values)
    crowded = [i for i in table.categories if of.distinct[i] > work.limits.classes]
    out = {i for i, distinct in of.distinct.items() if distinct == of.present[i] == count and i not in crowded}
    if crowded and len({cell.strip() for cell in table.texts(crowded[:1])[0]}) == count:
        out.add(crowded[0])
    return out


def _id(table: Table, i: int, of: Measures, named: bool, every: bool) -> str:
    """Why a column is an id; "" where it is none. named: whether the columns have names. every: whether it has another
    value in each row."""
    name, distinct, text, count = table.names[i], of.distinct.get(i, 0), i in table.categories, len(table.values)
    unnamed = name == "column 1" and i == 0 and named
    index = (
        unnamed
        or name in table.index
        or name.startswith(("Unnamed:", "__index_level_"))
        or name.lower() in ("index", "level_0", "rownames", "rowid", "row_id")
    )
    many, apart = count >= NAMES, "the column only tells the rows apart"
    if text:
        return "the column holds a different text in every row" if every and many else apart if index and every else ""
    if not of.whole[i] or count < 3:
        return ""
    numbers = (index or name.lower() == "id") and (every or distinct >= max(2, count // 2))
    if numbers or ((name in ("X", "...1") or name.startswith("column ")) and _counts(table, i, of, count)):
        return "the column only numbers the rows"
    # Large numbers of one length and close together in the first column, another in each row: nobody measures so.
    dense, words = of.most[i] - of.least[i] <= 100 * count, times.words_of(name)
    if i == 0 and not named and many and _scattered(table, of):
        return apart
    large = i == 0 and named and of.least[i] > LARGE and dense and len(f"{of.least[i]:.0f}") == len(f"{of.most[i]:.0f}")
    loosely = dense and "of" not in words and bool(NUMBERED & set(words[-1:] if len(words) < 3 else words[-2:]))
    if every and many and (large or loosely or called_id(name)):
        return apart
    return "the column holds ids, which are no features" if called_id(name) and distinct > 100 else ""


def _scattered(table: Table, of: Measures) -> bool:
    """Whether the first column of a table without names holds large whole numbers, nearly another in each row, which are not
    round and of quite another size than all others: nobody measures so."""
    others = [j for j in range(1, len(table.names)) if j not in table.categories and of.present[j]]
    if len(others) < 3 or of.least[0] < 0 or of.most[0] < 1e5 or of.distinct.get(0, 0) < 0.9 * len(table.values):
        return False
    size = max(float(max(abs(of.most[j]), abs(of.least[j]))) for j in others)
    return of.most[0] > 1e3 * size and float(np.mean(table.values[:, 0] % 10 == 0)) <= 0.3


def called_id(name: str) -> bool:
    """Whether a column is called an identifier: "id", "Customer ID", "userId", "kunden_nr"."""
    words = times.words_of(name)
    return bool({"id", "uuid", "guid", "identifier"} & set(words)) or any(OF_IDS.fullmatch(word) for word in words)


def _counts(table: Table, i: int, of: Measures, count: int) -> bool:
    """Whether a column is 0, 1, 2, … or 1, 2, 3, … with three rows or more."""
    if count < 3 or of.least[i] not in (0, 1) or of.most[i] - of.least[i] != count - 1:
        return False
    return bool((np.diff(table.values[:, i]) == 1).all())


def label_of(
    table: Table, columns: Sequence[int], of: Measures, kind: str | None, work: Work
) -> tuple[int | None, dict[int, str]]:
    """The place of the column that holds the classes: the choice, else the one that is called so and has few values for
    its rows, else an odd one beside pixels, or the only one of texts beside a signal. And the columns that are called so
    but are left out, with the reason."""
    possible = [i for i in columns if 0 < of.distinct.get(i, 0) <= work.limits.classes]
    likely = [i for i in possible if of.distinct[i] <= work.limits.categories]
    uses = work.choices.columns or {}  # who says what a column is used as says also that it is no class
    small = {name.lower() for name in table.names}
    called = [i for i in columns if table.names[i].lower() in LABELS and table.names[i] not in uses]
    called = [i for i in called if not (table.names[i].lower() == "y" and "x" in small)]  # it is an axis
    asks = False
    if work.choices.label is not None:
        chosen, words = _chosen(table, possible, work)
    else:
        free = [i for i in possible if table.names[i] not in uses]
        chosen, words, asks = _guessed(table, columns, called, of, kind, free)
    out: dict[int, str] = {}
    for i in called:
        if i != chosen and i in table.categories and of.distinct[i] > work.limits.categories:
            most = work.limits.classes
            some = f"{of.distinct[i]:,}" if of.distinct[i] <= most else f"more than {most:,}"
            out[i] = f"the column holds {some} different texts, too many for a class"
    taken = [] if chosen is None else [chosen]
    options = list(dict.fromkeys(["", *(table.names[i] for i in [*taken, *likely])]))
    if len(options) > 1:
        work.decide("label", table.names[chosen] if chosen is not None else "", options[:200], words, asks=asks)
    return chosen, out


def _chosen(table: Table, possible: Sequence[int], work: Work) -> tuple[int | None, str]:
    """The column that was chosen for the class."""
    if not work.choices.label:
        return None, "No column is taken for the class."
    chosen = next((i for i in possible if table.names[i] == work.choices.label), None)
    if chosen is None:
        raise Problem(
            f"the column “{plain(work.choices.label)}” cannot be the label",
            f"a label has 1 to {work.limits.classes:,} different texts or whole numbers",
            "choose another column, or none",
        )
    return chosen, f"The column “{table.names[chosen]}” is the class, as chosen."


def _guessed(
    table: Table, columns: Sequence[int], called: Sequence[int], of: Measures, kind: str | None, possible: Sequence[int]
) -> tuple[int | None, str, bool]:
    """The column that is likely the class, why, and whether another is as likely."""
    fitting = [i for i in called if i in possible and _few(table, i, of, len(table.values))]
    words = "by its name and its few values."
    if not fitting:  # what is to be told of the rows that lack it
        fitting = [i for i in possible if table.names[i] in table.lacking and _few(table, i, of, len(table.values))]
        fitting, words = fitting if len(fitting) == 1 else [], "since the test rows lack it."
    if fitting:
        return fitting[0], f"The column “{table.names[fitting[0]]}” is the class, {words}", False
    if kind == "signal":
        texts = [i for i in possible if i in table.categories and 1 < of.distinct[i] <= CATEGORIES]
        if len(texts) == 1:
            return texts[0], f"The column “{table.names[texts[0]]}” is the class: the others hold numbers.", False
    elif len(columns) > 64 and square(len(columns) - 1) and not square(len(columns)):
        chosen, asks = _beside_pixels(table, columns, of, possible)
        if chosen is not None:
            place = "first" if chosen == columns[0] else "last"
            others = [i for i in columns if i != chosen]
            sure = pixel_names(
                [table.names[i] for i in others], bool(of.whole[others].all()), float(of.most[others].max())
            )
            asks = asks or not (sure or chosen in table.categories)
            return chosen, f"{len(columns) - 1:,} columns are pixels, and the {place} is the class.", asks
    texts = [i for i in columns if i in table.categories]
    bare = all(name.startswith("column ") for name in table.names)
    places = columns[-1:] if not bare else [*columns[:1], *columns[-1:]]  # with names, the first is as often a name
    alone = len(texts) == 1 and len(columns) > 2 and texts[0] in possible and texts[0] in places
    alone = alone and not all(value.isdigit() for value in table.categories[texts[0]])
    ends = texts if alone and 1 < of.distinct[texts[0]] <= min(FEW, len(table.values) // 5) else []
    words = "it has few values, the others hold numbers"
    if columns and not texts and bare:
        ends, words = _beside_fractions(table, columns, of, possible), "it has few whole numbers, most others fractions"
    if ends:
        return ends[0], f"The column “{table.names[ends[0]]}” is the class: {words}.", len(ends) > 1
    return None, "No column is taken for the class.", False


def pixel_names(names: Sequence[str], whole: bool, most: float) -> bool:
    """Whether columns are surely pixels: they are called so, or have numbers for names or none and bytes for values."""
    counted = [name for name in names if PIXELS.fullmatch(name)]
    return all(CALLED_PIXELS.fullmatch(name) for name in names) or (
        len(counted) == len(names) and whole and most >= 128
    )


def _beside_fractions(table: Table, columns: Sequence[int], of: Measures, possible: Sequence[int]) -> list[int]:
    """The first and the last column of a table without names, if they hold few whole numbers side by side, and most of
    the others fractions."""
    count = len(table.values)
    out = []
    for i in dict.fromkeys((columns[0], columns[-1])):
        others = [j for j in columns if j != i]
        few = i in possible and 1 < of.distinct[i] <= min(20, max(10, count // 5))
        beside = few and of.most[i] - of.least[i] < 2 * of.distinct[i] and abs(of.least[i]) <= 1
        if beside and len(others) >= 3 and sum(not of.whole[j] for j in others) > 0.6 * len(others):
            out.append(i)
    return out


def _few(table: Table, i: int, of: Measures, count: int) -> bool:
    """Whether a column has few values for its rows, as classes are: whole numbers side by side, or texts."""
    distinct = of.distinct[i]
    if i in table.categories:
        return distinct <= max(10, count // 2)
    if not of.whole[i]:
        return distinct <= 10
    if table.names[i].lower() in WEAK:
        return distinct <= max(10, min(50, count // 10))
    beside = of.most[i] - of.least[i] < 2 * distinct
    return distinct <= max(10, count // 5) and (beside or distinct <= 100)


def _beside_pixels(
    table: Table, columns: Sequence[int], of: Measures, possible: Sequence[int]
) -> tuple[int | None, bool]:
    """The first or the last column, whichever is the class of pixels; and whether both could be."""
    ends = [i for i in (columns[0], columns[-1]) if i in possible and of.distinct[i] > 1]
    texts = [i for i in ends if i in table.categories]
    if texts or len(ends) < 2:
        return next(iter(texts or ends), None), False
    count = len(table.values)
    like = [
        i
        for i in ends
        if of.most[i] - of.least[i] < 1.5 * of.distinct[i] and of.distinct[i] <= max(10, min(200, count // 5))
    ]
    return (like or ends)[0], len(like) != 1

"""Rows below a table's names that are no samples: units, further levels of names, questions and answers, formats.

Written so by pandas for several levels of columns (yfinance: Price, Ticker, Date), by Qualtrics (names, questions,
{"ImportId": …}), by SurveyMonkey (questions, answers), in the RDB files of the USGS (a row of formats such as 5s) and by
spreadsheets (names over merged cells, units).
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

from models.readers.cells import BOUND, UNITS, is_missing, mostly_numbers, numeral
from models.readers.times import forms_of

IMPORT = re.compile(r"""\s*\{\s*['"]ImportId['"].*\}\s*""", re.DOTALL)
# RDB's width and kind of a column, and what other programs call kinds.
FORMAT = re.compile(
    r"\d+[sdn]|string|str|text|char|varchar|integer|int\d*|u?int\d+|long|float\d*|double|real|numeric|number|bool|boolean|"
    r"object|date|datetime(64)?|timestamp|category|factor",
    re.IGNORECASE,
)
LEVELS = 4  # rows of names at most
UNIT = 12  # characters of a unit
CALLED = {"yr", "mo", "dy", "hr", "mn", "sec", "deg", "degt", "degc", "degf", "nmi"}
CALLED |= {"count", "counts", "-", "1", "none"}
ANSWERS = ("response", "open-ended response")  # as SurveyMonkey calls the only answer to a question


def describes(rows: Sequence[list[str]]) -> int:
    """How many of these rows, the first ones below the names, say in each cell where its column comes from or which format
    it has; with the questions of a questionnaire, if they stand before that."""
    for count, row in enumerate(rows[:2], 1):
        told = [cell for cell in row if cell.strip()]
        if told and all(map(IMPORT.fullmatch, told)):
            return count
        if count == 1 and _are_formats(row) and len(rows) > 1 and not _are_formats(rows[1]):
            return count
    return 0


def _are_formats(row: Sequence[str]) -> bool:
    return len(row) > 1 and all(FORMAT.fullmatch(cell.strip()) for cell in row)


def names_below(rows: list[list[str]], names: Sequence[str]) -> tuple[list[str], int]:
    """The names of columns with what the rows below them add, and how many rows are no samples for that.

    rows: those below the names. A level of names or a unit is added in brackets: "Close (MSFT)".
    """
    described = describes(rows)
    if described:
        return list(names), described
    levels = [[name.strip() for name in names]]
    index: list[str] = []
    for row in rows[: LEVELS - 1]:
        others = [each for each in rows[len(levels) : len(levels) + 100] if len(each) == len(names)]
        if len(others) < 2 or len(row) != len(names):
            break
        numbers = [i for i in range(len(names)) if mostly_numbers([each[i] for each in others])]
        # Below units it is a sample without numbers.
        several = len(set(levels[0][1:])) < len(names) - 1 or len(set(levels[-1][1:])) == 1
        if len(levels) > 1 and several and _names_index(row, numbers):
            index = [cell.strip() for cell in row]
            break
        kind = _kind(levels[-1], row, numbers)
        if not kind:
            break
        levels.append([cell.strip() if kind == "names" or i in numbers else "" for i, cell in enumerate(row)])
    taken = len(levels) - 1 + bool(index)
    return (_joined(levels, index), taken) if taken else (list(names), 0)


def _names_index(row: Sequence[str], numbers: Sequence[int]) -> bool:
    """Whether a row names the first columns only, as pandas does below several levels of names."""
    told = [i for i, cell in enumerate(row) if cell.strip()]
    first = told == list(range(len(told))) and len(told) < len(row) and not set(told) & (set(numbers) - {0})
    # Else it is a sample whose numbers are all missing.
    return first and not any(numeral(row[i]) is not None or forms_of([row[i]]) for i in told)


def _kind(above: Sequence[str], row: Sequence[str], numbers: Sequence[int]) -> str:
    """What a row below names is: "names" where it has texts over columns of numbers and others stand where the names above
    are empty or the same, "units" where these are short, else "" for a sample."""
    over = [row[i].strip() for i in numbers]
    if any(numeral(cell) is not None or BOUND.fullmatch(cell) for cell in over):
        return ""
    if any(is_missing(cell) and cell and cell != "-" for cell in over):
        return ""
    told = any(cell not in ("", "-") for cell in over)
    below = [i for i, cell in enumerate(row) if cell.strip()]
    blank = any(not above[i] for i in below if i)
    same = len({above[i] for i in below if above[i]}) < sum(bool(above[i]) for i in below)
    answers = any(row[i].strip().lower() in ANSWERS for i in below)
    if (blank or same) and (told or answers):
        return "names"
    return "units" if numbers and told and max(map(len, over)) <= UNIT else ""


def are_units(row: Sequence[str]) -> bool:
    """Whether most of these cells are called like units."""
    return 2 * sum(cell.strip("[]() ") in UNITS or cell.strip("[]() ").lower() in CALLED for cell in row) >= len(row)


def over_several(row: Sequence[str]) -> bool:
    """Whether at least two names in a row stand over several columns: they are repeated, or empty cells follow."""
    filled = _filled(row, ["below"] * len(row))
    return sum(count > 1 for name, count in Counter(filled).items() if name.strip()) > 1


def _joined(levels: Sequence[list[str]], index: Sequence[str]) -> list[str]:
    """Names of several levels as one each. index: pandas' names of the first columns, where a row holds them; then a level
    that is the same everywhere tells nothing."""
    width, columns = len(levels[0]), sum(bool(cell) for cell in index)
    first = _filled(levels[0], levels[1])
    rest = [[cell.strip("[]()").strip() for cell in level] for level in levels[1:]]
    rest = [["" if cell == "-" or cell.lower() in ANSWERS else cell for cell in level] for level in rest]
    every = [first, *rest]
    if index:
        every = [level for level in every if len(set(level[columns:])) > 1] or every[:1]
    out = []
    for i in range(width):
        parts = [level[i] for level in every if level[i]]
        if i < columns:
            parts = [index[i]]
        out.append(f"{parts[0]} ({', '.join(parts[1:])})" if len(parts) > 1 else "".join(parts))
    return out


def _filled(names: Sequence[str], below: Sequence[str]) -> list[str]:
    """Names with those over merged cells repeated, of which only the first one is written."""
    out: list[str] = []
    for i, name in enumerate(names):
        out.append(name or (out[-1] if i and below[i] else ""))
    return out

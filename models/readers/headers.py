"""Where the names of a table's columns stand, if they stand anywhere."""

from __future__ import annotations

import itertools
import re

from models.readers.cells import is_missing, numeral

COMMENT = ("#", "%", "//")
COMMENT_MARK = re.compile(r"^(#|%|//)+\s*")


def first_row(rows: list[list[str]], width: int) -> tuple[int, list[str]]:
    """How many rows come before the table, and its names where they are written in a way of their own: one cell shorter
    than the rows, as R writes them and where rows end in a separator too many, or in a comment."""
    comments = next((i for i, row in enumerate(rows) if not row[0].startswith(COMMENT)), 0)
    named = rows[comments - 1] if comments else []
    table = [row for row in rows[comments:] if len(row) == width]
    first = comments + next((i for i, row in enumerate(rows[comments:]) if len(row) == width), 0)
    before = rows[first - 1] if first > comments else []
    if len(before) == width - 1 >= 1 and not any(_numeric(cell) for cell in before) and len(table) > 1:
        padded = all(not row[-1].strip() for row in table)
        return first, [*before, ""] if padded else ["", *before]
    if len(named) == width > 1 and first == comments and not has_header(table):
        return first, [COMMENT_MARK.sub("", named[0]), *named[1:]]
    return first, []


def has_header(rows: list[list[str]]) -> bool:
    """Whether the first row names the columns: it has texts over numbers, or numbers that name, or is unlike all others."""
    first, others = rows[0], [row for row in rows[1:] if len(row) == len(rows[0])]
    if not others:
        return not any(_numeric(cell) for cell in first)
    numbers = [i for i in range(len(first)) if mostly_numbers([row[i] for row in others])]
    over = [first[i].strip() for i in numbers if not is_missing(first[i])]
    texts = [cell for cell in over if not _numeric(cell)]
    if texts and 2 * len(texts) >= len(over):
        return True
    told = [cell.strip() for cell in first if cell.strip()]
    if numbers:
        counting = [str(i) for i in range(len(told))], [str(i + 1) for i in range(len(told))]
        if len(told) >= 3 and told in counting:
            return [row for row in others[:1] if row == first] == []
        return not texts and _names_numbers(first, others, numbers)
    return len(set(told)) == len(first) and all(first[i] not in {row[i] for row in others} for i in range(len(first)))


def _names_numbers(first: list[str], others: list[list[str]], numbers: list[int]) -> bool:
    """Whether numbers in the first row are names, as wavelengths and years are: beside a word that is in no row below they
    go on evenly, or are of another size than all numbers below."""
    texts = [i for i in range(len(first)) if i not in numbers]
    word = bool(texts) and all(first[i] not in {row[i] for row in others} for i in texts if first[i].strip())
    values = [value for i in numbers if (value := _value(first[i])) is not None]
    below = [abs(value) for row in others for i in numbers if (value := _value(row[i])) is not None]
    if len(values) < max(3, len(numbers)) or not below or not word:
        return False
    steps = [after - before for before, after in itertools.pairwise(values)]
    even = steps[0] != 0 and all(abs(step - steps[0]) <= 0.02 * abs(steps[0]) for step in steps)
    rising = all(step > 0 for step in steps) or all(step < 0 for step in steps)
    size = max(below)
    apart = min(map(abs, values)) > 5 * size or 5 * max(map(abs, values)) < min(below)
    years = all(1800 <= value <= 2200 and value == round(value) for value in values)
    years_below = sum(1800 <= value <= 2200 for value in below) > len(below) / 2
    return (even and len(values) >= 8) or (rising and apart) or (rising and years and not years_below)


def units_of(rows: list[list[str]], names: list[str]) -> list[str]:
    """The units in a row below the names; none where that row is a sample."""
    if len(rows) < 3 or len(rows[0]) != len(names):
        return []
    others = [row for row in rows[1:] if len(row) == len(names)]
    numbers = [i for i in range(len(names)) if others and mostly_numbers([row[i] for row in others])]
    over = [rows[0][i].strip().strip("[]()") for i in numbers]
    texts = [cell for cell in over if not _numeric(cell)]
    if not numbers or len(texts) < len(over) or not any(texts) or max(map(len, over)) > 12:
        return []
    if any(is_missing(cell) and cell and cell != "-" for cell in over):
        return []
    return [rows[0][i].strip().strip("[]()").strip("-") if i in numbers else "" for i in range(len(names))]


def mostly_numbers(cells: list[str]) -> bool:
    some = [cell for cell in cells if not is_missing(cell)]
    return bool(some) and sum(_numeric(cell) for cell in some) > len(some) / 2


def _numeric(cell: str) -> bool:
    return numeral(cell) is not None


def _value(cell: str) -> float | None:
    found = numeral(cell)
    return found.value(".") if found is not None else None

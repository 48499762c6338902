"""Where the names of a table's columns stand, if they stand anywhere."""

from __future__ import annotations

import itertools
import re
from collections.abc import Sequence

from models.readers.cells import is_missing, mostly_numbers, numeral
from models.readers.levels import are_units, describes, over_several

COMMENT = ("#", "%", "//")
COMMENT_MARK = re.compile(r"^(#|%|//)+\s*")
REMARKS = 4  # comments directly above a table in which its names may stand


def first_row(rows: list[list[str]], width: int) -> tuple[int, list[str]]:
    """How many rows come before the table, and its names where they are written in a way of their own: one cell shorter
    than the rows, as R writes them and where rows end in a separator too many, or in a comment."""
    comments = next((i for i, row in enumerate(rows) if not row[0].startswith(COMMENT)), 0)
    remarks = rows[:comments]
    while comments + 2 < len(rows) and _is_title(rows[comments], rows[comments + 1], width):
        comments += 1
    facts = 0 if describes(rows[comments + 1 : comments + 3]) else _facts_above(rows, comments, width)
    if facts:
        return facts, []
    table = [row for row in rows[comments:] if len(row) == width]
    first = comments + next((i for i, row in enumerate(rows[comments:]) if len(row) == width), 0)
    before = rows[first - 1] if first > comments else []
    if len(before) == width + 1 and not before[-1].strip() and not any(map(_numeric, before)):
        return first, before[:-1]
    if (
        len(before) == width - 1 >= 1
        and not has_header(table)
        and not any(_numeric(cell) for cell in before)
        and len(table) > 1
    ):
        padded = all(not row[-1].strip() for row in table)
        return first, [*before, ""] if padded else ["", *before]
    named = _in_remarks(remarks, width)
    if named and first == len(remarks) and not has_header(table):
        return first, named
    return first, []


def _in_remarks(remarks: Sequence[list[str]], width: int) -> list[str]:
    """The names in the last comments above a table, with units where the line below them holds these; none where none of
    the last has as many cells as the table."""
    found: list[list[str]] = []
    for row in remarks[-REMARKS:]:
        cells = [COMMENT_MARK.sub("", row[0]), *row[1:]]
        cells = [cell.strip() for cell in (cells[1:] if not cells[0] and len(cells) == width + 1 else cells)]
        lettered = sum(any(map(str.isalpha, cell)) for cell in cells)
        if len(cells) == width > 1 and 2 * lettered >= width and not any(map(_numeric, cells)):
            found.append(cells)
    if len(found) > 1 and are_units(found[-1]):
        units = [unit.strip("[]()-") for unit in found[-1]]
        return [f"{name} ({unit})" if unit else name for name, unit in zip(found[-2], units, strict=True)]
    return found[-1] if found else []


def _facts_above(rows: list[list[str]], start: int, width: int) -> int:
    """Where the names stand below facts that instruments write in as many cells: the last row with texts over all columns
    of numbers. 0 where no row above it has such a text."""
    later = [row for row in rows[len(rows) // 2 :] if len(row) == width]
    if len(rows) < 6 or not later:
        return 0
    numbers = [i for i in range(width) if sum(_numeric(row[i]) for row in later) >= 0.9 * len(later)]
    texts = [
        (i, all(not _numeric(row[j]) and row[j].strip() for j in numbers))
        for i, row in enumerate(rows[: len(rows) // 2])
        if i >= start and len(row) == width and any(not _numeric(row[j]) and not is_missing(row[j]) for j in numbers)
    ]
    places = [i for i, _ in texts]
    if not numbers or len(texts) < 2 or not texts[-1][1] or places[-1] < start + 2:
        return 0
    if places != list(range(start, places[-1] + 1)):  # samples between: a cell of a sample is no number
        return 0
    above = [i for i, whole in texts if whole]
    if len(above) >= len(texts) - 1 and over_several(rows[start]):
        return 0  # several levels of names
    return texts[-1][0] if len(above) < 2 or above[-2] != texts[-1][0] - 1 else above[-2]  # names above units


def _is_title(row: list[str], below: list[str], width: int) -> bool:
    """Whether a row is a title over the table, as spreadsheets write it: one cell, and empty ones up to its width."""
    told = [cell for cell in row if cell.strip()]
    return width > 2 and len(row) == width and len(told) <= 1 and sum(bool(cell.strip()) for cell in below) != 1


def may_be_names(rows: list[list[str]]) -> bool:
    """Whether the numbers in the first row could be names as well as a sample: they go on evenly, and nothing below does."""
    first, others = rows[0], [row for row in rows[1:] if len(row) == len(rows[0])]
    values, below = [_value(cell) for cell in first], [[_value(cell) for cell in row] for row in others[:20]]
    return len(first) >= 3 and len(others) >= 3 and _goes_on(values) and not any(map(_goes_on, below))


def _goes_on(values: Sequence[float | None]) -> bool:
    """Whether numbers rise or fall in equal steps."""
    if any(value is None for value in values):
        return False
    steps = [after - before for before, after in itertools.pairwise(value for value in values if value is not None)]
    return steps[0] != 0 and all(abs(step - steps[0]) <= 0.02 * abs(steps[0]) for step in steps)


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
        return _names_numbers(first, others, [i for i in numbers if _numeric(first[i])])
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
    rising = all(step > 0 for step in steps) or all(step < 0 for step in steps)
    size = max(below)
    apart = min(map(abs, values)) > 5 * size or 5 * max(map(abs, values)) < min(below)
    years = all(1800 <= value <= 2200 and value == round(value) for value in values)
    years_below = sum(1800 <= value <= 2200 for value in below) > len(below) / 2
    return (_goes_on(values) and len(values) >= 8) or (rising and apart) or (rising and years and not years_below)


def _numeric(cell: str) -> bool:
    return numeral(cell) is not None


def _value(cell: str) -> float | None:
    found = numeral(cell)
    return found.value(".") if found is not None else None

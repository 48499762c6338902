"""What parts the cells of a text table."""

from __future__ import annotations

import csv
from collections import Counter

from models.readers.cells import mostly_numbers, numeral
from models.readers.work import decoding


def split(head: list[str], separator: str, name: str) -> list[list[str]]:
    """The cells of the first lines. Where a quote swallows most of them, quotes are left out."""
    with decoding(name, "rows of a table"):
        rows = [row for row in csv.reader(head, delimiter=separator, skipinitialspace=True) if row]
        often = max(Counter(map(len, rows)).values(), default=0)
        if 2 * len(rows) < len(head) and (2 * often < len(rows) or len(rows) < 4):
            rows = [row for row in csv.reader(head, delimiter=separator, quoting=csv.QUOTE_NONE) if row]
    return rows


def later(rows: list[list[str]]) -> list[list[str]]:
    """Those of the first rows that are surely of the table: instruments write a page of facts above it."""
    return rows[len(rows) // 2 :] if len(rows) >= 20 else rows


def separator_of(head: list[str], name: str) -> str:
    """The separator that gives rows of one length, more than one cell long; a comma for a single column.

    The comma comes last: where it is the decimal mark, it gives rows of one length too.
    """
    for separator in ("\t", ";", "|", ",", " "):
        rows = split(head, separator, name)
        below = later(rows)
        width, often = Counter(map(len, below)).most_common(1)[0]
        told = separator != " " or mostly_numbers([cell for row in below for cell in row])  # not in plain prose
        ends = width == 2 and not any(
            len(row) == 2 and row[1].strip() for row in below
        )  # a mark at the end of each row
        stray = separator in "|;\t" and len(rows[0]) == 1 and _is_of_commas(head, name)  # a mark in a text below
        if width > 1 and often >= 0.8 * len(below) and told and not ends and not stray:
            return separator if separator != "," else _comma(head, name)
    return ","


def _is_of_commas(head: list[str], name: str) -> bool:
    """Whether commas part all of these lines into as many cells, the first one too."""
    rows = split(head, ",", name)
    width, often = Counter(map(len, rows)).most_common(1)[0]
    return width > 1 and often >= 0.8 * len(rows) and len(rows[0]) == width


def _comma(head: list[str], name: str) -> str:
    """The comma, unless it is the decimal mark: of numbers between blanks, or of a single column of numbers."""
    lines = [line.strip() for line in head[1:] or head]
    marks = [found.mark == "," for line in lines if (found := numeral(line)) is not None]
    if len(marks) == len(lines) and sum(marks) > len(marks) / 2 and "," not in head[0]:
        return ";"  # which is in no line: one column
    rows = later(split(head, " ", name))
    cells = [
        found.mark == "," and not cell.endswith(",")  # which parts cells
        for row in rows
        for cell in row
        if (found := numeral(cell)) is not None
    ]
    width, often = Counter(map(len, rows)).most_common(1)[0]
    first = split(head[:1], " ", name)[0]
    names = "," not in head[0] or any((found := numeral(cell)) is not None and found.mark == "," for cell in first)
    blanks = width > 1 and often >= 0.8 * len(rows) and sum(cells) > 0.4 * sum(map(len, rows)) and names
    return " " if blanks else ","

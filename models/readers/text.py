"""Text with separators (CSV, TSV and their kin) to a table: encoding, separator, decimal mark and header are found out."""

from __future__ import annotations

import codecs
import contextlib
import csv
import itertools
import re
from collections import Counter, deque
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from models import Problem
from models.readers import sources
from models.readers.gathering import GROUPED, NOTHING, Table, TableBuilder, WrongColumnKind, pointed
from models.readers.work import SEPARATORS, Work, decoding, plain

MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),  # before UTF-16, whose mark it begins with
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
HEAD = 100  # lines looked at
CELLS = 200_000  # cells turned into numbers at a time
COMMA = re.compile(r"\s*[+-]?\d+,\d+\s*")
POINT = re.compile(r"\s*[+-]?\d+\.\d+\s*")
TITLES = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "bars", " ": "blanks"}


@dataclass
class Lines:
    """The lines of a text file, each no longer than may be. underscores: whether one was met; whoever asks resets it."""

    stream: IO[str]
    name: str
    work: Work
    underscores: bool = False

    def __iter__(self) -> Iterator[str]:
        most = self.work.limits.line
        while line := self.stream.readline(most + 1):
            if len(line) > most:
                raise Problem(
                    f"{self.name} has a line of more than {most:,} characters",
                    do="save it with one line for each sample",
                )
            if "_" in line:
                self.underscores = True
            yield line


@dataclass(frozen=True)
class Dialect:
    """How a table is written. above: how many rows, blank lines not counted, come before the first sample."""

    encoding: str
    separator: str
    decimal: str
    above: int
    names: list[str]


def read(path: Path, work: Work) -> Table:
    """A table of text. `Problem` when it is none, or none of its rows is as long as the others."""
    sources.check_upload(path, work)
    manner = _dialect(path, work)
    texts: set[int] = set()
    while True:
        words = list(work.words)
        skipped = {name: list(why) for name, why in work.left_out.items()}, work.left_out_count
        try:
            return _read(path, manner, texts, work)
        except WrongColumnKind as again:  # each time one column more, at least, is known to be text
            texts |= again.columns
            work.words, (work.left_out, work.left_out_count) = words, skipped


def _read(path: Path, manner: Dialect, texts: set[int], work: Work) -> Table:
    width, name = len(manner.names), plain(path.name)
    number = ragged = 0
    size = path.stat().st_size
    with (
        contextlib.closing(TableBuilder(manner.names, work, texts, manner.decimal)) as gatherer,
        path.open(encoding=manner.encoding, newline="") as stream,
    ):
        lines = Lines(stream, name, work)
        reader = filter(None, csv.reader(iter(lines), delimiter=manner.separator, skipinitialspace=True))
        with decoding(name, "rows of a table", "correct the row, or save it again"):
            deque(itertools.islice(reader, manner.above), maxlen=0)
        while True:
            lines.underscores = False
            with decoding(name, "rows of a table", "correct the row, or save it again"):
                block = list(itertools.islice(reader, max(1, CELLS // width)))
            if not block:
                break
            rows: list[list[str]] = []
            numbers: list[int] = []
            for row in block:
                number += 1
                if len(row) == width:
                    rows.append(row)
                    numbers.append(number)
                else:
                    ragged += 1
                    work.skip(f"row {number:,}", f"it has {len(row):,} cells instead of {width:,}")
            if rows:
                gatherer.texts(rows, numbers, lines.underscores)
            work.progress("reading rows", min(size, stream.buffer.tell()), size)  # type: ignore[attr-defined]
        if ragged > max(1, number // 2):
            raise Problem(
                f"rows must have the same number of cells; {ragged:,} of the {number:,} rows of {name} have another number than most ({width:,})",
                do="choose another separator, or correct the table",
            )
        if ragged:
            work.warn(f"{ragged:,} of {number:,} rows have another number of cells than most, and are left out.")
        return gatherer.table()


def encoding_of(path: Path, work: Work) -> str:
    """How a file's text is encoded. `Problem` when it holds no text."""
    start = sources.start_of(path, 65536)
    marked = next((encoding for mark, encoding in MARKS if start.startswith(mark)), "")
    if not marked and start[1:2] == b"\0" and start[:2] != b"\0\0":
        marked = "utf-16-le"
    elif not marked and start[:1] == b"\0" and start[1:2] != b"\0":
        marked = "utf-16-be"
    if _decodes(path, marked or "utf-8", work):
        encoding = marked or "utf-8"
    elif marked:
        encoding = ""
    else:
        encoding = "cp1252" if _decodes(path, "cp1252", work) else "latin-1"
    with decoding(plain(path.name), "text"):
        text = start.decode(encoding or "latin-1", "ignore")
    controls = sum(c < " " and c not in "\t\r\n\f" for c in text)
    if not encoding or controls > len(text) // 1000:
        raise Problem(
            f"the content of {plain(path.name)} is neither text nor of any other format that can be read",
            "images, a zip of images, CSV, Parquet, NPZ, NPY, idx and safetensors can be",
            "save it in one of these formats",
        )
    if encoding in ("cp1252", "latin-1"):
        work.warn("The text is not UTF-8 and was read as Western European; letters with accents may be wrong.")
    return encoding


def _decodes(path: Path, encoding: str, work: Work) -> bool:
    decoder = codecs.getincrementaldecoder(encoding)()
    try:
        with path.open("rb") as stream:
            while chunk := stream.read(1 << 20):
                work.tick()
                decoder.decode(chunk)
            decoder.decode(b"", final=True)
    except UnicodeError:
        return False
    return True


def _dialect(path: Path, work: Work) -> Dialect:
    encoding, name = encoding_of(path, work), plain(path.name)
    csv.field_size_limit(work.limits.cell)
    with path.open(encoding=encoding, newline="") as stream:
        head = [line for line in itertools.islice(Lines(stream, name, work), HEAD) if line.strip()]
    if not head:
        raise Problem(f"{name} holds nothing but blanks", do="bring another file")
    separator = work.choices.separator or _separator(head, name)
    with decoding(name, "rows of a table"):
        rows = [row for row in csv.reader(head, delimiter=separator, skipinitialspace=True) if row]
    width = Counter(map(len, rows)).most_common(1)[0][0]
    if width > work.limits.columns:
        raise Problem(
            f"{name} has {width:,} columns",
            f"at most {work.limits.columns:,} are allowed",
            "bring fewer, or choose another separator",
        )
    if separator:
        words = f"Cells are separated by {TITLES[separator]}."
        work.decide("separator", separator, SEPARATORS, words)
    decimal = work.choices.decimal or ("," if _commas(rows, separator) else ".")
    if decimal == "," or (separator != "," and any(COMMA.fullmatch(cell) for row in rows for cell in row)):
        mark = {",": "comma", ".": "point"}[decimal]
        work.decide("decimal", decimal, [".", ","], f"Numbers are written with a decimal {mark}.")
    first = next(i for i, row in enumerate(rows) if len(row) == width)
    rows = rows[first:]
    header = _has_header(rows, decimal) if work.choices.header is None else work.choices.header
    words = "The first row names the columns." if header else "There is no row of names."
    work.decide("header", header, [True, False], words)
    names = rows[0] if header else [""] * width
    if first and header:
        work.warn(f"The first {first:,} lines, above the names of the columns, are no part of the table.")
    return Dialect(encoding, separator, decimal, first + 1 if header else 0, list(names))


def _separator(head: list[str], name: str) -> str:
    """The separator that gives rows of one length, more than one cell long; a comma for a single column.

    The comma comes last: where it is the decimal mark, it gives rows of one length too.
    """
    for separator in ("\t", ";", "|", ",", " "):
        with decoding(name, "rows of a table"):
            rows = [row for row in csv.reader(head, delimiter=separator, skipinitialspace=True) if row]
        width, often = Counter(map(len, rows)).most_common(1)[0]
        told = separator != " " or _mostly_numbers([cell for row in rows for cell in row], ".")  # not in plain prose
        if width > 1 and often >= 0.8 * len(rows) and told:
            return separator
    return ","


def _commas(rows: list[list[str]], separator: str) -> bool:
    """Whether the comma is the decimal mark. What may be thousands, 1,234 or 5.678, proves neither; where there is nothing
    else, a semicolon between cells speaks for the comma."""
    if separator == ",":
        return False
    cells = [cell for row in rows for cell in row]
    commas = [cell for cell in cells if COMMA.fullmatch(cell)]
    fractions = [
        cell for cell in commas if not GROUPED["."].fullmatch(cell) or cell.strip().lstrip("+-").startswith("0")
    ]
    points = [cell for cell in cells if POINT.fullmatch(cell) and not GROUPED[","].fullmatch(cell)]
    return not points and bool(fractions or (commas and separator == ";"))


def _has_header(rows: list[list[str]], decimal: str) -> bool:
    """Whether the first row names the columns: it has text over numbers, or counts, or is unlike all others."""
    first, others = rows[0], [row for row in rows[1:] if len(row) == len(rows[0])]
    if not others:
        return not any(_is_number(cell, decimal) for cell in first)
    numbers = [i for i in range(len(first)) if _mostly_numbers([row[i] for row in others], decimal)]
    if any(first[i].strip().lower() not in NOTHING and not _is_number(first[i], decimal) for i in numbers):
        return True
    told = [cell.strip() for cell in first if cell.strip()]
    if numbers:
        counting = [str(i) for i in range(len(told))], [str(i + 1) for i in range(len(told))]
        return len(told) >= 3 and told in counting and [row for row in others[:1] if row == first] == []
    return len(set(told)) == len(first) and all(first[i] not in {row[i] for row in others} for i in range(len(first)))


def _mostly_numbers(cells: list[str], decimal: str) -> bool:
    some = [cell for cell in cells if cell.strip().lower() not in NOTHING]
    return bool(some) and sum(_is_number(cell, decimal) for cell in some) > len(some) / 2


def _is_number(cell: str, decimal: str) -> bool:
    try:
        float(pointed(cell, decimal))
    except ValueError:
        return False
    return "_" not in cell

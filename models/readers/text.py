"""Text with separators (CSV, TSV and their kin) to a table: encoding, separator, decimal mark and header are found out."""

from __future__ import annotations

import codecs
import contextlib
import csv
import itertools
import re
from collections import Counter, deque
from collections.abc import Container, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import IO

from models import Problem
from models.readers import arff, sources
from models.readers.cells import numeral
from models.readers.gathering import Table, TableBuilder, WrongColumnKind
from models.readers.headers import first_row, has_header, may_be_names, mostly_numbers, units_of
from models.readers.work import ENCODINGS, SEPARATORS, Work, decoding, plain

MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),  # before UTF-16, whose mark it begins with
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
HEAD = 100  # lines looked at
CELLS = 200_000  # cells turned into numbers at a time
SEP = re.compile(r'"?sep=([,;\t| ])"?', re.IGNORECASE)  # the first line of Excel's files
MENDED = 20  # lines with an unclosed quote that are mended
TONGUES = {
    **{"cp1252": "Western European", "latin-1": "Western European", "cp1250": "Central European", "cp1251": "Cyrillic"},
    **{"cp866": "Cyrillic (DOS)", "cp1253": "Greek", "cp1254": "Turkish", "shift_jis": "Japanese"},
    **{"gb18030": "Chinese", "big5": "Chinese (Big5)", "euc_kr": "Korean"},
}
TITLES = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "bars", " ": "blanks"}


@dataclass
class Lines:
    """The lines of a text file, each no longer than may be. literal: the numbers of lines whose quotes are left out.
    underscores: whether one was met, and lately: what was read; whoever asks resets them."""

    stream: IO[str]
    name: str
    work: Work
    literal: Container[int] = ()
    underscores: bool = False
    number: int = 0
    lately: list[str] = field(default_factory=list)

    def __iter__(self) -> Iterator[str]:
        most = self.work.limits.line
        while line := self.stream.readline(most + 1):
            if len(line) > most:
                raise Problem(
                    f"{self.name} has a line of more than {most:,} characters",
                    do="save it with one line for each sample",
                )
            self.number += 1
            if "_" in line:
                self.underscores = True
            if self.number in self.literal:
                line = line.replace('"', "")
            self.lately.append(line)
            yield line


@dataclass(frozen=True)
class Dialect:
    """How a table is written. above: how many rows, blank lines not counted, come before the first sample. lines: how
    many lines come before any row. texts: places of columns that are declared to be text."""

    encoding: str
    separator: str
    above: int
    names: list[str]
    lines: int = 0
    quote: str = '"'
    texts: frozenset[int] = frozenset()


class UnclosedQuote(Problem):
    """A quote opens in that line and swallows the lines below."""

    def __init__(self, name: str, line: int) -> None:
        super().__init__(
            f"in line {line:,} of {name} a quote is opened and not closed", do="close or remove it, and bring it again"
        )
        self.name, self.line = name, line


def read(path: Path, work: Work, others: Sequence[Path] = ()) -> Table:
    """A table of text. `Problem` when it is none, or none of its rows is as long as the others.

    others: further files with columns of the same names, whose rows follow; a column that one of them lacks is empty there.
    """
    sources.check_upload(path, work)
    manner = _dialect(path, work)
    rest = [(other, *_order(other, manner, work)) for other in others]
    texts: set[int] = set(manner.texts)
    literal: dict[Path, set[int] | _Every] = {each: set() for each in (path, *others)}
    while True:
        words = list(work.words)
        skipped = {name: list(why) for name, why in work.left_out.items()}, work.left_out_count
        try:
            return _read(path, manner, texts, literal, rest, work)
        except WrongColumnKind as again:  # each time one column more, at least, is known to be text
            texts |= again.columns
        except UnclosedQuote as again:
            where = next(each for each in literal if plain(each.name) == again.name)
            there = literal[where]
            if isinstance(there, _Every):
                raise
            literal[where] = there | {again.line} if len(there) < MENDED else _Every()
        work.words, (work.left_out, work.left_out_count) = words, skipped


def _order(path: Path, first: Dialect, work: Work) -> tuple[Dialect, list[int | None]]:
    """How another file is written, and where in it the columns of the first are; None for one that it lacks."""
    sources.check_upload(path, work)
    manner = _dialect(path, work)
    if not any(first.names) and len(manner.names) == len(first.names):
        return manner, list(range(len(first.names)))
    place = {name.strip(): i for i, name in enumerate(manner.names)}
    order = [place.get(name.strip()) for name in first.names]
    if 2 * sum(i is not None for i in order) < len(order):
        raise Problem(f"{plain(path.name)} has other columns than the file beside it", do="bring one of them alone")
    return manner, order


def _read(
    path: Path,
    manner: Dialect,
    texts: set[int],
    literal: dict[Path, set[int] | _Every],
    rest: Sequence[tuple[Path, Dialect, list[int | None]]],
    work: Work,
) -> Table:
    files = [(path, manner, list[int | None](range(len(manner.names)))), *rest]
    with contextlib.closing(TableBuilder(manner.names, work, texts, manner.separator)) as gatherer:
        counts = []
        for one, its, order in files:
            before = gatherer.count
            if one != path:
                gatherer.begin_file(its.separator)
            _gather(one, its, order if one != path else None, literal[one], gatherer, work)
            counts.append(gatherer.count - before)

        def cells(places: Sequence[int]) -> list[list[str]]:
            out: list[list[str]] = [[] for _ in places]
            for one, its, order in files:
                for row in _taken(one, its, literal[one], work):
                    for at, i in enumerate(places):
                        there = order[i]
                        out[at].append(row[there] if there is not None else "")
            return out

        lacking = {gatherer.names[i] for _, _, order in rest for i, at in enumerate(order) if at is None}
        return replace(gatherer.table(cells), counts=tuple(counts), lacking=frozenset(lacking))


def _gather(
    path: Path,
    manner: Dialect,
    order: Sequence[int | None] | None,
    literal: set[int] | _Every,
    gatherer: TableBuilder,
    work: Work,
) -> None:
    """The rows of one file. order: where in it the columns of the table are, None for one that it lacks."""
    width, name = len(manner.names), plain(path.name)
    number = ragged = 0
    size = path.stat().st_size
    with path.open(encoding=manner.encoding, errors="replace", newline="") as stream:
        lines = Lines(stream, name, work, literal)
        rows_there = _rows(lines, manner)
        with decoding(name, "rows of a table", "correct the row, or save it again"):
            deque(itertools.islice(rows_there, manner.above), maxlen=0)
        while True:
            lines.underscores = False
            with decoding(name, "rows of a table", "correct the row, or save it again"):
                block = list(itertools.islice(rows_there, max(1, CELLS // width)))
            if not block:
                break
            rows: list[list[str]] = []
            numbers: list[int] = []
            for row in block:
                number += 1
                if _is_blank(row, manner):
                    continue
                if len(row) == width + 1 and not row[-1].strip():
                    row.pop()  # a separator too many at its end
                if len(row) == width:
                    rows.append(row)
                    numbers.append(number)
                else:
                    ragged += 1
                    work.skip(f"row {number:,}", f"it has {len(row):,} cells instead of {width:,}")
            if rows and order is not None:
                rows = [[row[i] if i is not None else "" for i in order] for row in rows]
            if rows:
                gatherer.texts(rows, numbers, lines.underscores)
            work.progress("reading rows", min(size, stream.buffer.tell()), size)  # type: ignore[attr-defined]
        _report(path, number, ragged, width, literal, work)


def _report(path: Path, number: int, ragged: int, width: int, literal: set[int] | _Every, work: Work) -> None:
    """Tells of the rows that were not taken as they are. `Problem` where these are most."""
    if ragged > max(1, number // 2):
        raise Problem(
            f"rows must have the same number of cells; {ragged:,} of the {number:,} rows of {plain(path.name)} have another number than most ({width:,})",
            do="choose another separator, or correct the table",
        )
    if ragged:
        work.warn(f"{ragged:,} of {number:,} rows have another number of cells than most, and are left out.")
    if isinstance(literal, _Every):
        work.warn("Many quotes are opened and not closed: all of them are left out.")
    elif literal:
        where = ", ".join(f"{line:,}" for line in sorted(literal)[:5])
        places = f"line {where}" if len(literal) == 1 else f"lines {where}{', …' if len(literal) > 5 else ''}"
        work.warn(f"In {places} a quote is opened and not closed; it is left out, and the rows below are kept.")


def _rows(lines: Lines, manner: Dialect) -> Iterator[list[str]]:
    """The rows of a table, without empty ones. `UnclosedQuote` where a row takes several lines and has too few or too many
    cells for it."""
    for _ in itertools.islice(lines, manner.lines):
        pass
    lines.lately.clear()
    reader = csv.reader(iter(lines), delimiter=manner.separator, skipinitialspace=True, quotechar=manner.quote)
    width = len(manner.names)
    while True:
        before = reader.line_num
        try:
            row = next(reader)
        except StopIteration:
            return
        except csv.Error:
            if reader.line_num > before + 1:
                raise UnclosedQuote(lines.name, manner.lines + before + 1) from None
            raise
        if reader.line_num > before + 1 and (len(row) not in (width, width + 1) or not _closed(lines.lately, manner)):
            raise UnclosedQuote(lines.name, manner.lines + before + 1)
        lines.lately.clear()
        if row:
            yield row


def _is_blank(row: list[str], manner: Dialect) -> bool:
    """Whether a row holds nothing, as those that spreadsheets write below a table, or a remark of ARFF."""
    return (len(row) > 1 and not any(map(str.strip, row))) or (manner.quote == "'" and row[0].startswith("%"))


def _closed(lines: Sequence[str], manner: Dialect) -> bool:
    """Whether each quote in these lines, which are one row, stands at the beginning or the end of a cell: else one that was
    never closed has met the next one."""
    try:
        deque(csv.reader(lines, delimiter=manner.separator, quotechar=manner.quote, strict=True), maxlen=0)
    except csv.Error:
        return False
    return True


class _Every:
    """All lines."""

    def __contains__(self, line: object) -> bool:
        return True


def _taken(path: Path, manner: Dialect, literal: set[int] | _Every, work: Work) -> Iterator[list[str]]:
    """The rows that were taken, cell by cell as they were written."""
    width = len(manner.names)
    with path.open(encoding=manner.encoding, errors="replace", newline="") as stream:
        rows = itertools.islice(_rows(Lines(stream, plain(path.name), work, literal), manner), manner.above, None)
        for row in rows:
            if not _is_blank(row, manner) and (len(row) == width or (len(row) == width + 1 and not row[-1].strip())):
                yield row


def encoding_of(path: Path, work: Work) -> str:
    """How a file's text is encoded. `Problem` when it holds no text."""
    start = sources.start_of(path, 65536)
    marked = next((encoding for mark, encoding in MARKS if start.startswith(mark)), "")
    if not marked and start[1:2] == b"\0" and start[:2] != b"\0\0":
        marked = "utf-16-le"
    elif not marked and start[:1] == b"\0" and start[1:2] != b"\0":
        marked = "utf-16-be"
    chosen = work.choices.encoding
    if chosen and _decodes(path, chosen, work):
        encoding = chosen
    elif chosen:
        raise Problem(f"{plain(path.name)} is no text in {chosen}", do="choose another encoding")
    elif _decodes(path, marked or "utf-8", work):
        encoding = marked or "utf-8"
    elif marked:
        encoding = ""
    else:
        encoding = _guessed(path, work)
    with decoding(plain(path.name), "text"):
        text = start.decode(encoding or "latin-1", "ignore")
    controls = sum(c < " " and c not in "\t\r\n\f\x1a" for c in text)
    if not encoding or controls > max(2, len(text) // 1000):
        raise Problem(
            f"the content of {plain(path.name)} is neither text nor of any other format that can be read",
            "images, a zip of images, CSV, Parquet, NPZ, NPY, idx and safetensors can be",
            "save it in one of these formats",
        )
    if chosen or (not marked and encoding != "utf-8"):
        words = f"The text is not UTF-8 and was read as {TONGUES.get(encoding, encoding)}."
        work.decide("encoding", encoding, list(dict.fromkeys([encoding, *ENCODINGS])), words)
        if not chosen:
            work.warn(f"{words} Letters that are not English may be wrong.")
    return encoding


def _guessed(path: Path, work: Work) -> str:
    """The likeliest encoding of text that is not UTF-8, by its lines with other letters than English ones."""
    with path.open("rb") as stream:
        odd = (line[:2000] for line in itertools.islice(stream, 20_000) if not line.isascii())
        joined = b"".join(itertools.islice(odd, 500))
    read = joined.decode("utf-8", "replace")
    if 5 * read.count("\ufffd") < sum(letter > "\x7f" for letter in read):  # a byte or two went wrong
        work.warn(f"{read.count(chr(0xFFFD)):,} letters of {plain(path.name)} are no UTF-8, and are lost.")
        return "utf-8"
    guess = sources.guessed_encoding(joined, sources.LEGACY)
    return next((each for each in (guess, "cp1252") if _decodes(path, each, work)), "latin-1")


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
    csv.field_size_limit(work.limits.line)
    with path.open(encoding=encoding, errors="replace", newline="") as stream:
        head = [line for line in itertools.islice(Lines(stream, name, work), HEAD) if line.strip()]
    if not head:
        raise Problem(f"{name} holds nothing but blanks", do="bring another file")
    if arff.is_arff(head):
        with path.open(encoding=encoding, errors="replace", newline="") as stream:
            lines, names, texts = arff.header(Lines(stream, name, work), name)
            if next((line for line in stream if line.strip()), "").lstrip().startswith("{"):
                raise Problem(
                    f"{name} is a sparse ARFF file", "ARFF with all values in each row can be read", "save it as CSV"
                )
        csv.field_size_limit(work.limits.cell)
        return Dialect(encoding, ",", 0, names, lines, "'", texts)
    told = SEP.fullmatch(head[0].strip("\r\n"))
    separator = work.choices.separator or (told[1] if told else _separator(head, name))
    rows = _split(head, separator, name)
    above = 1 if told else 0
    rows = rows[above:]
    if not rows:
        raise Problem(f"{name} holds no rows", do="bring another file")
    width = Counter(map(len, _later(rows))).most_common(1)[0][0]
    csv.field_size_limit(work.limits.cell)
    if width > work.limits.columns:
        raise Problem(
            f"{name} has {width:,} columns",
            f"at most {work.limits.columns:,} are allowed",
            "bring fewer, or choose another separator",
        )
    if separator:
        words = f"Cells are separated by {TITLES.get(separator, f'“{separator}”')}."
        work.decide("separator", separator, list(dict.fromkeys([*SEPARATORS, separator])), words)
    first, names = first_row(rows, width)
    rows = rows[first:]
    unsure = False
    if names:  # one cell shorter, or a comment
        header = work.choices.header is not False
    else:
        header = has_header(rows) if work.choices.header is None else work.choices.header
        unsure = not header and may_be_names(rows)
        names = rows[0] if header else []
        rows, first = (rows[1:], first + 1) if header else (rows, first)
    words = "The first row names the columns." if header else "There is no row of names."
    if unsure:
        words = "The numbers of the first row could be the names of the columns, or a sample."
    work.decide("header", header, [True, False], words, asks=unsure)
    if not header:
        return Dialect(encoding, separator, above, [""] * width)  # what is above is left out in words
    if first > 1:
        many = "line" if first == 2 else f"{first - 1:,} lines"
        work.warn(
            f"The first {many}, above the names of the columns, {'is' if first == 2 else 'are'} no part of the table."
        )
    units = units_of(rows, names)
    if units:
        names = [f"{name} ({unit})" if unit else name for name, unit in zip(names, units, strict=True)]
        first += 1
    return Dialect(encoding, separator, above + first, list(names))


def _split(head: list[str], separator: str, name: str) -> list[list[str]]:
    """The cells of the first lines. Where a quote swallows most of them, quotes are left out."""
    with decoding(name, "rows of a table"):
        rows = [row for row in csv.reader(head, delimiter=separator, skipinitialspace=True) if row]
        often = max(Counter(map(len, rows)).values(), default=0)
        if 2 * len(rows) < len(head) and (2 * often < len(rows) or len(rows) < 4):
            rows = [row for row in csv.reader(head, delimiter=separator, quoting=csv.QUOTE_NONE) if row]
    return rows


def _later(rows: list[list[str]]) -> list[list[str]]:
    """Those of the first rows that are surely of the table: instruments write a page of facts above it."""
    return rows[len(rows) // 2 :] if len(rows) >= 20 else rows


def _separator(head: list[str], name: str) -> str:
    """The separator that gives rows of one length, more than one cell long; a comma for a single column.

    The comma comes last: where it is the decimal mark, it gives rows of one length too.
    """
    for separator in ("\t", ";", "|", ",", " "):
        rows = _split(head, separator, name)
        later = _later(rows)
        width, often = Counter(map(len, later)).most_common(1)[0]
        told = separator != " " or mostly_numbers([cell for row in later for cell in row])  # not in plain prose
        ends = width == 2 and not any(
            len(row) == 2 and row[1].strip() for row in later
        )  # a mark at the end of each row
        stray = separator in "|;\t" and len(rows[0]) == 1 and _is_of_commas(head, name)  # a mark in a text below
        if width > 1 and often >= 0.8 * len(later) and told and not ends and not stray:
            return separator if separator != "," else _comma(head, name)
    return ","


def _is_of_commas(head: list[str], name: str) -> bool:
    """Whether commas part all of these lines into as many cells, the first one too."""
    rows = _split(head, ",", name)
    width, often = Counter(map(len, rows)).most_common(1)[0]
    return width > 1 and often >= 0.8 * len(rows) and len(rows[0]) == width


def _comma(head: list[str], name: str) -> str:
    """The comma, unless it is the decimal mark: of numbers between blanks, or of a single column of numbers."""
    lines = [line.strip() for line in head[1:] or head]
    marks = [found.mark == "," for line in lines if (found := numeral(line)) is not None]
    if len(marks) == len(lines) and sum(marks) > len(marks) / 2 and "," not in head[0]:
        return ";"  # which is in no line: one column
    rows = _later(_split(head, " ", name))
    cells = [found.mark == "," for row in rows for cell in row if (found := numeral(cell)) is not None]
    width, often = Counter(map(len, rows)).most_common(1)[0]
    first = _split(head[:1], " ", name)[0]
    names = "," not in head[0] or any((found := numeral(cell)) is not None and found.mark == "," for cell in first)
    blanks = width > 1 and often >= 0.8 * len(rows) and sum(cells) > 0.4 * sum(map(len, rows)) and names
    return " " if blanks else ","

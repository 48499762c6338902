"""Text with separators (CSV, TSV and their kin) to a table: encoding, separator, decimal mark and header are found out."""

from __future__ import annotations

import contextlib
import csv
import itertools
import re
from collections import Counter, deque
from collections.abc import Container, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import IO

from models import Problem
from models.readers import arff, separators, sources
from models.readers.encodings import encoding_of
from models.readers.gathering import Table, TableBuilder, WrongColumnKind
from models.readers.headers import COMMENT, first_row, has_header, may_be_names
from models.readers.levels import describes, names_below
from models.readers.work import SEPARATORS, Work, decoding, plain

HEAD = 100  # lines looked at
CELLS = 200_000  # cells turned into numbers at a time
SEP = re.compile(r'"?sep=([,;\t| ])"?', re.IGNORECASE)  # the first line of Excel's files
MENDED = 20  # lines with an unclosed quote that are mended
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


def _dialect(path: Path, work: Work) -> Dialect:
    encoding, name = encoding_of(path, work), plain(path.name)
    csv.field_size_limit(work.limits.line)
    with path.open(encoding=encoding, errors="replace", newline="") as stream:
        head = list(_head(Lines(stream, name, work)))
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
    bare = [line for line in head if not line.startswith(COMMENT)] or head
    separator = work.choices.separator or (told[1] if told else separators.separator_of(bare, name))
    rows = separators.split(head, separator, name)
    above = 1 if told else 0
    rows = rows[above:]
    if not rows:
        raise Problem(f"{name} holds no rows", do="bring another file")
    below = separators.split(bare, separator, name)[above:] or rows
    width = Counter(map(len, separators.later(below))).most_common(1)[0][0]
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
    described = describes(rows)
    if described:
        work.warn(
            f"Below the names of the columns {'one row describes' if described == 1 else 'two rows describe'} them, and "
            f"{'is no sample' if described == 1 else 'are no samples'}."
        )
    names, taken = names_below(rows, names)
    return Dialect(encoding, separator, above + first + taken, names)


def _head(lines: Iterable[str]) -> Iterator[str]:
    """The first lines that hold something: so many of them, beside comments above the table."""
    count = 0
    for line in itertools.islice(lines, 10 * HEAD):
        if line.strip():
            yield line
        count += not line.startswith(COMMENT)
        if count == HEAD:
            return

"""Tables: columns of numbers and categories, gathered block by block; then samples made of them.

A table is held as one float32 matrix (N, P) that lies in an unnamed file: a number as it is, a category as the
place of its value among those met, NaN where there is none.
"""

from __future__ import annotations

import contextlib
import itertools
import math
import mmap
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models import Problem
from models.columns import Column
from models.datasets import TEST, TRAIN, VALIDATION
from models.readers import arrays, bags
from models.readers.found import Found
from models.readers.work import Work, decoding, plain

NOTHING = frozenset(("", "na", "n/a", "nan", "null", "none", "nil", "?", "-"))
LABELS = (*arrays.LABEL_NAMES, "species", "digit", "category")
EMPTY = NOTHING - {"none", "nil"}  # of texts: "none" may well be a class
TIMES = {"time", "t", "ts", "timestamp", "date", "datetime", "elapsed", "seconds", "sec", "ms"}
TIMES |= {"zeit", "datum", "uhrzeit", "zeitstempel", "temps", "fecha"}
COUNTERS = {"index", "step", "sample", "frame"}  # tell the time of a signal, but do not make a table one
DATES = ("%d.%m.%Y", "%m/%d/%Y", "%d/%m/%Y", "%Y/%m/%d")
HOURS = ("", " %H:%M", " %H:%M:%S", " %H:%M:%S.%f", " %I:%M %p", " %I:%M:%S %p")
FORMS = (*(day + hour for hour in HOURS for day in DATES), "%H:%M:%S.%f", "%H:%M:%S", "%H:%M")
JUMP = 3  # steps of time after which the next row is no longer of the same stretch
HOLE = 8  # the part of a window that may be missing in one piece, and is drawn as a straight line
NAMES = 20  # rows from which a column that differs in each is taken for their names
SERIES = 512  # rows from which evenly timed ones are taken for a signal: fewer make too few windows to learn from
MISTAKEN = 0.1  # a column of numbers with more texts than this share is one of categories
PARQUET = b"PAR1"
GROUPED = {
    ".": re.compile(r"\s*[+-]?\d{1,3}(,\d{3})+(\.\d*)?\s*"),
    ",": re.compile(r"\s*[+-]?\d{1,3}(\.\d{3})+(,\d*)?\s*"),
}


@dataclass(frozen=True)
class Table:
    """values (N, P), the values of the columns of categories by their place, and the number of each row (N,).

    moments: of the columns that are called like a time, in float64 (N,): as they are, texts in seconds; NaN where none.
    """

    names: list[str]
    values: NDArray[np.float32]
    categories: dict[int, list[str]]
    rows: NDArray[np.int64]
    moments: dict[int, NDArray[np.float64]]


class Again(Exception):
    """Columns that had begun as numbers turned out to be text: never leaves this room."""

    def __init__(self, columns: set[int]) -> None:
        self.columns = columns


class Gatherer:
    """Takes a table block by block."""

    def __init__(self, names: Sequence[str], work: Work, texts: set[int], decimal: str = ".") -> None:
        """texts: the places of columns that are categories whatever they look like."""
        self.names, self.work, self.decimal = _unique(names), work, decimal
        self.kinds: list[str] = ["category" if i in texts else "" for i in range(len(names))]
        self.places: list[dict[str, int]] = [{} for _ in names]
        self.bad, self.there = np.zeros(len(names), np.int64), np.zeros(len(names), np.int64)
        self.infinite = 0
        self.moments: dict[int, list[NDArray[np.float64]]] = {
            i: [] for i, name in enumerate(names) if _first(name) in TIMES | COUNTERS
        }
        self.forms: dict[int, str | None] = {}
        self.rows: list[NDArray[np.int64]] = []
        self.count = 0
        self.out = work.spool()

    def close(self) -> None:
        """Lets go of the file. A table made of it keeps its pages."""
        self.out.close()

    def texts(self, rows: list[list[str]], numbers: Sequence[int], underscores: bool) -> None:
        """A block of rows of text, each as long as there are columns; numbers: of the rows."""
        block = None
        if not underscores and all(kind == "number" for kind in self.kinds):
            cells = itertools.chain.from_iterable(rows)
            if self.decimal == ",":  # with a point in it, it has thousands: float would take it for a fraction
                cells = ("" if "." in cell else cell.replace(",", ".") for cell in cells)  # type: ignore[assignment]
            try:
                block = np.fromiter(map(float, cells), np.float64, len(rows) * len(self.names))
                block = block.reshape(len(rows), -1)
            except ValueError:
                block = None
        if block is None:
            block = np.stack([self._column(i, cells) for i, cells in enumerate(zip(*rows, strict=True))], axis=1)
        else:
            self.there += len(rows)
        self.add(block, numbers)

    def add(self, block: NDArray[np.float64], numbers: Sequence[int]) -> None:
        """A block (n, P) of numbers and places of categories."""
        self.count += len(block)
        size = self.count * len(self.names) * 4
        if self.count > self.work.limits.rows or size > self.work.limits.output:
            raise Problem(
                f"the table has {self.count:,} rows or more, which take {size:,} bytes",
                f"at most {self.work.limits.rows:,} rows and {self.work.limits.output:,} bytes were expected",
                "bring fewer rows",
            )
        with np.errstate(over="ignore"):
            values = block.astype(np.float32)
        endless = np.isinf(values)
        if endless.any():
            self.infinite += int(endless.sum())
            values[endless] = np.nan
        self.out.write(values.tobytes())
        for i, so_far in self.moments.items():
            if self.kinds[i] != "category":
                so_far.append(block[:, i].copy())
        self.rows.append(np.asarray(numbers, np.int64))

    def _column(self, i: int, cells: Sequence[str]) -> NDArray[np.float64]:
        if self.kinds[i] == "":
            some = [cell for cell in cells if cell.strip().lower() not in NOTHING]
            if some:
                right = sum(_number(cell, self.decimal) is not None for cell in some)
                self.kinds[i] = "number" if right >= (1 - MISTAKEN) * len(some) else "category"
        if self.kinds[i] == "category":
            return self.category(i, cells)
        out = np.full(len(cells), np.nan)
        for row, cell in enumerate(cells):
            value = _number(cell, self.decimal)
            if value is not None:
                out[row] = value
                self.there[i] += 1
            elif cell.strip().lower() not in NOTHING:
                self.bad[i] += 1
        return out

    def category(self, i: int, cells: Sequence[str | None]) -> NDArray[np.float64]:
        """The places of a column's values, new ones at the end; past the limit they count as missing."""
        places, out = self.places[i], np.full(len(cells), np.nan)
        if i in self.moments:
            self.moments[i].append(self._moments(i, cells))
        for row, cell in enumerate(cells):
            text = plain(cell.strip(), 100) if cell is not None else ""
            if text.lower() in EMPTY:
                continue
            if text not in places and len(places) <= self.work.limits.classes:
                places[text] = len(places)
            if text in places:
                out[row] = places[text]
        return out

    def _moments(self, i: int, cells: Sequence[str | None]) -> NDArray[np.float64]:
        """Times in seconds, in the form that the first of them has; NaN where there is none."""
        texts = [(cell or "").strip().replace(",", ".") for cell in cells]
        some = [text for text in texts if text][:50]
        if i not in self.forms and some:
            fitting = (form for form in ("", *FORMS) if not any(math.isnan(_moment(text, form)) for text in some))
            self.forms[i] = next(fitting, None)
        form = self.forms.get(i)
        if form is None:
            return np.full(len(texts), np.nan)
        return np.array([_moment(text, form) for text in texts])

    def table(self) -> Table:
        """Everything taken so far."""
        wrong = np.flatnonzero(self.bad > MISTAKEN * (self.bad + self.there))
        if len(wrong):
            raise Again(set(wrong.tolist()))
        for i in np.flatnonzero(self.bad):
            self.work.warn(
                f"In the column “{self.names[i]}” {self.bad[i]:,} of {self.bad[i] + self.there[i]:,} values are no numbers, and count as missing."
            )
        if self.infinite:
            self.work.warn(f"{self.infinite:,} values are infinite or too large, and count as missing.")
        if not self.count:
            raise Problem("the table has no row", "a row for each sample was expected", "bring another file")
        self.out.flush()
        size = self.count * len(self.names) * 4
        values = np.frombuffer(mmap.mmap(self.out.fileno(), size, access=mmap.ACCESS_READ), np.float32)
        categories = {i: list(self.places[i]) for i, kind in enumerate(self.kinds) if kind == "category"}
        moments = {i: np.concatenate(parts) for i, parts in self.moments.items()}
        return Table(self.names, values.reshape(self.count, -1), categories, np.concatenate(self.rows), moments)


def pointed(cell: str, decimal: str) -> str:
    """A number without marks between thousands, and with a decimal point."""
    if GROUPED[decimal].fullmatch(cell):
        cell = cell.replace("." if decimal == "," else ",", "")
    return cell.replace(",", ".") if decimal == "," else cell


def _number(cell: str, decimal: str) -> float | None:
    """The number that a cell holds, None where it holds none. "1_000" is text, whatever Python thinks.

    Where the comma is the decimal mark, the point may part thousands, and the other way round.
    """
    try:
        value = float(pointed(cell, decimal))
    except ValueError:
        return None
    return value if "_" not in cell and not math.isnan(value) else None


def _first(name: str) -> str:
    """The first word of a column's name: "time" of "Time (s)"."""
    return next(iter(re.findall(r"[a-z]+", name.lower())), "")


def _unique(names: Sequence[str]) -> list[str]:
    """Column names as they may be shown, each once."""
    out: list[str] = []
    taken: set[str] = set()
    for i, name in enumerate(names):
        base = plain(name.strip(), 100) or f"column {i + 1}"
        best, again = base, 2
        while best in taken:
            best, again = f"{base} ({again})", again + 1
            if again > 1000:
                best = f"column {i + 1}"
                break
        taken.add(best)
        out.append(best)
    return out


def read_parquet(path: Path, work: Work) -> Table:
    """A Parquet file; columns that are neither numbers nor text nor times are skipped."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    name, do = plain(path.name), "write it again, for example with pandas.DataFrame.to_parquet"
    bags.check_upload(path, work)
    with decoding(name, "a whole Parquet file", do):
        file = pq.ParquetFile(
            path, thrift_string_size_limit=64 << 20, thrift_container_size_limit=10_000_000, pre_buffer=False
        )
        about, schema = file.metadata, file.schema_arrow
        claimed = sum(about.row_group(i).total_byte_size for i in range(about.num_row_groups))
    with file:
        if about.num_rows > work.limits.rows or about.num_columns > work.limits.columns or about.num_rows < 1:
            raise Problem(
                f"{name} claims {about.num_rows:,} rows and {about.num_columns:,} columns",
                f"1 to {work.limits.rows:,} rows and at most {work.limits.columns:,} columns were expected",
                "bring fewer",
            )
        if not 0 <= claimed <= work.limits.unpacked:
            raise Problem(
                f"{name} claims {claimed:,} bytes",
                f"at most {work.limits.unpacked:,} were expected",
                "bring fewer rows",
            )
        kinds = {field.name: _parquet_kind(field.type, pa) for field in schema}
        for column, kind in kinds.items():
            if not kind:
                work.skip(column, f"the column holds {plain(str(schema.field(column).type))}, neither numbers nor text")
        taken = [column for column, kind in kinds.items() if kind]
        if not taken or len(kinds) < len(schema):
            raise Problem(
                f"{name} has no column of numbers or text"
                if not taken
                else f"two columns of {name} have the same name",
                "columns of numbers and text, each with a name of its own, were expected",
                do,
            )
        texts = {i for i, column in enumerate(taken) if kinds[column] == "category"}
        with contextlib.closing(Gatherer(taken, work, texts)) as gatherer:
            gatherer.kinds = [kinds[column] for column in taken]
            with decoding(name, "a whole Parquet file", do):
                batches = file.iter_batches(max(1, 500_000 // len(taken)), columns=taken, use_threads=False)
            while True:
                with decoding(name, "a whole Parquet file", do):
                    batch = next(batches, None)
                    if batch is None:
                        break
                    read = [_parquet_values(batch.column(i), i in texts, pa) for i in range(len(taken))]
                work.progress("reading rows", gatherer.count, about.num_rows)
                columns = [gatherer.category(i, each) if i in texts else each for i, each in enumerate(read)]
                numbers = range(gatherer.count + 1, gatherer.count + len(columns[0]) + 1)
                gatherer.add(np.stack(columns, axis=1), numbers)
            return gatherer.table()


def _parquet_kind(kind: Any, pa: Any) -> str:
    value = kind.value_type if pa.types.is_dictionary(kind) else kind
    is_ = pa.types
    if is_.is_string(value) or is_.is_large_string(value) or is_.is_timestamp(value) or is_.is_date(value):
        return "category"
    numbers = is_.is_integer(value) or is_.is_floating(value) or is_.is_boolean(value) or is_.is_decimal(value)
    return "number" if numbers else ""


def _parquet_values(column: Any, text: bool, pa: Any) -> Any:
    if pa.types.is_dictionary(column.type):
        column = column.dictionary_decode()
    if pa.types.is_timestamp(column.type):  # without its zone: that would need a table of zones
        column = column.cast(pa.timestamp(column.type.unit))
    if text:
        return column.cast(pa.string()).to_pylist()
    return column.cast(pa.float64(), safe=False).to_numpy(zero_copy_only=False).astype(np.float64)


def found(table: Table, work: Work, source: str) -> Found:
    """Samples made of a table: images of its pixels, windows of its signals, or its rows."""
    choice = work.choices
    unknown = [
        name
        for name in (*([choice.label] if choice.label else []), *(choice.leave_out or ()))
        if name not in table.names
    ]
    if unknown:
        raise Problem(
            f"the column “{plain(unknown[0])}” was chosen",
            f"one of {', '.join(table.names[:20])}{' …' if len(table.names) > 20 else ''} was expected",
            "choose one of these",
        )
    least, most, whole, there = _measures(table, work)
    distinct = _distinct(table, whole, there, work)
    times = _times(table)
    kind = choice.kind or ("signal" if _is_series(table, times, work) else None)
    timed = times if kind == "signal" and choice.layout != "across" and len(table.names) > 1 else {}
    columns = _usable(table, least, most, there, distinct, list(timed), work)
    label = _label(table, columns, distinct, kind, work)
    columns = [i for i in columns if i != label]
    numbers = [i for i in columns if i not in table.categories]
    labels, classes = _labels(table, label, work)
    if not columns:
        raise Problem(
            f"{source} has no column to learn from",
            "columns of numbers, or of a few categories, were expected",
            "bring another table, or another separator or label",
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
        samples = arrays.as_images([_taken(table.values, columns, work)], work)
        return work.found("image", samples, labels, classes, [str(row) for row in table.rows])
    if kind == "signal":
        time = next((i for i, even in timed.items() if even), next(iter(timed), None))
        return _signals(table, columns, numbers, labels, classes, time, work)
    return _rows(table, columns, labels, classes, work)


def _slices(values: NDArray[np.float32]) -> list[slice]:
    step = max(1, (1 << 20) // max(1, values.shape[1]))
    return [slice(start, start + step) for start in range(0, len(values), step)]


def _measures(
    table: Table, work: Work
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.bool_], NDArray[np.int64]]:
    """Of each column the least and greatest value, whether all are whole, and how many there are."""
    width = len(table.names)
    least, most = np.full(width, np.inf), np.full(width, -np.inf)
    whole, there = np.ones(width, bool), np.zeros(width, np.int64)
    for some in _slices(table.values):
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


def _times(table: Table) -> dict[int, bool]:
    """The columns that tell the time of each row, and whether evenly: called so, and rising in steps of about one size,
    jumps aside; or unevenly, and never falling."""
    out = {}
    for i, moments in table.moments.items():
        steps = np.diff(moments)
        known = steps[np.isfinite(steps)]
        usual = float(np.median(known)) if len(known) else 0.0
        if usual <= 0:
            continue
        if np.mean((steps > 0.5 * usual) & (steps < 1.5 * usual)) >= 0.9:
            out[i] = True
        elif (steps > 0).all():
            out[i] = False
    return out


def _stretches(moments: NDArray[np.float64]) -> list[tuple[int, int]]:
    """From where to where time goes on without a jump."""
    steps = np.diff(moments)
    whole = (steps > 0) & (steps <= JUMP * np.nanmedian(steps))
    ends = np.flatnonzero(~whole) + 1
    return list(zip([0, *ends.tolist()], [*ends.tolist(), len(moments)], strict=True))


def _moment(text: str, form: str) -> float:
    """Seconds of a time in a form of `datetime.strptime`, or, where that is "", in ISO 8601; NaN where it is none."""
    try:
        time = datetime.strptime(text, form) if form else datetime.fromisoformat(text)
    except ValueError:
        return math.nan
    return (time.replace(tzinfo=None) - datetime(1970, 1, 1)).total_seconds()


def _names_rows(name: str) -> bool:
    """Whether a column is called an identifier: "id", "Customer ID", "kunden_nr"."""
    return bool({"id", "uuid", "nr", "identifier"} & set(re.findall(r"[a-z]+", name.lower())))


def _is_series(table: Table, times: dict[int, bool], work: Work) -> bool:
    """Whether rows are moments that follow each other evenly, with numbers beside their times."""
    if work.choices.shape or len(table.values) < SERIES:
        return False
    numbers = set(range(len(table.names))) - set(times) - set(table.categories)
    return bool(numbers) and any(even and _first(table.names[i]) in TIMES for i, even in times.items())


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
                    f"the column “{plain(work.choices.label)}” was chosen as label",
                    f"a column with 1 to {work.limits.classes:,} different texts or whole numbers was expected",
                    "choose another one, or none",
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
        elif beside and len(columns) > 64 and arrays.square(len(columns) - 1) and not arrays.square(len(columns)):
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
        return arrays.classes_of(arrays.as_text(values), work)
    names = np.array([*table.categories[label], None], object)
    places = np.where(np.isnan(values), len(names) - 1, values).astype(np.int64)
    return arrays.classes_of(names[places], work)


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
    sides = tuple(choice.shape) if choice.shape else arrays.square(len(columns))
    if asked and (not sides or math.prod(sides) != len(columns) or not full):
        raise Problem(
            f"rows of {len(columns):,} values{'' if full else ', some of them missing or text,'} were to become images",
            "as many numbers as the image has pixels were expected in each row",
            "choose a shape such as [28, 28], another label, or the kind table",
        )
    least, most, whole = (measure[list(columns)] for measure in measures)
    grey = least.min() >= 0 and (most.max() <= 1 or (most.max() <= 255 and whole.all()))
    if asked or (full and sides and grey):
        work.decide("kind", "image", ["image", "table", "signal"], "The columns are the pixels of images.")
        return sides
    return None


def _taken(values: NDArray[np.float32], columns: Sequence[int], work: Work) -> NDArray[np.float32]:
    """Some columns (N, len(columns)): a view where they lie side by side."""
    if list(columns) == list(range(columns[0], columns[0] + len(columns))):
        return values[:, columns[0] : columns[0] + len(columns)]
    out = work.room((len(values), len(columns)), np.float32)
    for some in _slices(values):
        out[some] = values[some][:, list(columns)]
    return out


def _signals(
    table: Table,
    columns: Sequence[int],
    numbers: list[int],
    labels: NDArray[np.int32],
    classes: tuple[str, ...],
    time: int | None,
    work: Work,
) -> Found:
    words = "The table is taken for signals, as chosen."
    if work.choices.kind is None and time is not None:
        words = f"The column “{table.names[time]}” tells the time, so that the rows are taken for moments of a signal."
    work.decide("kind", "signal", ["signal", "table"], words)
    for i in columns:
        if i not in numbers:
            work.skip(table.names[i], "the column holds text, and a signal is made of numbers")
    if not numbers:
        raise Problem("no column holds numbers", "a column for each channel was expected", "bring another table")
    values = _taken(table.values, numbers, work)
    layouts = {"down": "Time runs down the rows.", "across": "Each row is one signal."}
    layout = work.choices.layout or "down"
    work.decide("layout", layout, ["down", "across"], layouts[layout])
    if layout == "across":
        keep = ~np.isnan(values).any(1)
        for row in table.rows[~keep]:
            work.skip(f"row {row}", "the signal has missing values")
        out = work.room((int(keep.sum()), len(numbers), 1), np.float32)
        out[..., 0] = values[keep]
        split_names = [str(row) for row in table.rows[keep]]
        return work.found(
            "signal", out, labels[keep], classes, split_names, None, arrays.of_features(out, None, ["value"])
        )
    return _windows(table, values, numbers, labels, classes, time, work)


def _windows(
    table: Table,
    values: NDArray[np.float32],
    numbers: Sequence[int],
    labels: NDArray[np.int32],
    classes: tuple[str, ...],
    time: int | None,
    work: Work,
) -> Found:
    stretches = [(0, len(values))] if time is None else _stretches(table.moments[time])
    longest = max(end - start for start, end in stretches)
    usual = 2 ** int(np.log2(max(2, min(64, len(values) // 8, longest))))
    window = work.choices.window or usual
    step = work.choices.step or window
    if window > longest:
        raise Problem(
            f"windows of {window:,} rows were to be cut from {longest:,} rows",
            f"1 to {longest:,} rows were expected",
            "choose a shorter window",
        )
    work.decide("window", window, [16, 32, 64, 128, 256], f"Signals are cut into windows of {window:,} rows.")
    work.decide("step", step, [window, max(1, window // 2)], f"A window begins every {step:,} rows.")
    starts = np.concatenate([np.arange(start, end - window + 1, step) for start, end in stretches])
    if time is not None and len(stretches) > 1:
        work.warn(f"“{plain(table.names[time])}” jumps {len(stretches) - 1:,} times, and no window lies across a jump.")
    split = None
    if step < window:
        split, apart = _split_in_time(starts, window)
        if split is not None:
            work.warn(
                f"Windows overlap. So that none shares rows with one of another split, {np.count_nonzero(~apart):,} are left "
                "out, and each split has stretches of its own."
            )
            starts, split = starts[apart], split[apart]
    missing = work.choices.missing or "line"
    holes = sum(int(np.isnan(values[some]).sum()) for some in _slices(values))
    if holes:
        told = {
            "line": f"short gaps are drawn as straight lines, and windows with gaps of more than {window // HOLE:,} rows left out",
            "skip": "windows that have one are left out",
        }
        missing = missing if missing in told else "line"
        work.decide("missing", missing, list(told), f"{holes:,} values are missing: {told[missing]}.")
    out = work.room((len(starts), window, len(numbers)), np.float32)
    kept: list[int] = []
    mixed = 0
    label = np.full(len(starts), -1, np.int32)
    for i, start in enumerate(starts.tolist()):
        if i % 1024 == 0:
            work.progress("cutting windows", i, len(starts))
        part: NDArray[np.float32] | None = values[start : start + window]
        if part is not None and holes:
            part = _filled(part, window // HOLE if missing == "line" else 0)
        if part is None:
            work.skip(f"rows {table.rows[start]} to {table.rows[start + window - 1]}", "the window has missing values")
            continue
        out[len(kept)] = part
        within = labels[start : start + window]
        if classes:
            counts = Counter(within.tolist()).most_common(1)
            label[len(kept)] = counts[0][0]
            mixed += counts[0][1] < window
        kept.append(i)
    if mixed:
        work.warn(f"{mixed:,} windows have rows of several classes; each counts for the class with the most rows.")
    out, label = out[: len(kept)], label[: len(kept)]
    split = None if split is None else split[kept]
    columns = arrays.of_features(out, None, [table.names[i] for i in numbers])
    names = [str(row) for row in table.rows[starts[kept]]]
    return work.found("signal", out, label, classes, names, split, columns)


def _filled(part: NDArray[np.float32], longest: int) -> NDArray[np.float32] | None:
    """A window (T, C) whose gaps of up to `longest` rows are straight lines; None when a gap is longer."""
    holes = np.isnan(part)
    if not holes.any():
        return part
    out, rows = part.copy(), np.arange(len(part))
    for c in np.flatnonzero(holes.any(0)):
        gaps = np.flatnonzero(np.diff(np.concatenate([[0], holes[:, c], [0]]).astype(np.int8)))
        if np.diff(gaps)[::2].max() > longest:
            return None
        there = ~holes[:, c]
        out[:, c] = np.interp(rows, rows[there], part[there, c])
    return out


def _split_in_time(starts: NDArray[np.int64], window: int) -> tuple[NDArray[np.uint8] | None, NDArray[np.bool_]]:
    """The split of windows that begin at these rows, in blocks of time: 80, 10 and 10 per cent of the blocks; and which
    windows share no row with one of another split. None where there are too few windows for that."""
    apart = np.ones(len(starts), bool)
    block = max(-(-len(starts) // 50), 2 * int(np.searchsorted(starts, starts[0] + window)))
    count = -(-len(starts) // block)
    if count < 5:
        return None, apart
    tenth = max(1, count // 10)
    parts = np.full(count, TRAIN, np.uint8)
    order = np.random.default_rng(2006).permutation(count)
    parts[order[:tenth]], parts[order[tenth : 2 * tenth]] = TEST, VALIDATION
    for begin in block * (1 + np.flatnonzero(np.diff(parts))):  # where the split changes
        apart[begin : np.searchsorted(starts, starts[begin - 1] + window)] = False
    return parts[np.arange(len(starts)) // block], apart


def _rows(
    table: Table, columns: Sequence[int], labels: NDArray[np.int32], classes: tuple[str, ...], work: Work
) -> Found:
    """Samples (N, F): numbers as they are, then in their place each category's values one-hot."""
    work.decide("kind", "table", ["table", "image", "signal"], "Each row is a sample, each column a feature.")
    missing = "skip" if work.choices.missing == "skip" else "mean"
    holes = np.zeros(len(table.values), bool)
    for some in _slices(table.values):
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
            f"the table makes {sum(widths):,} features, one for each number and each value of a category",
            f"at most {work.limits.columns:,} were expected",
            "leave some columns out",
        )
    out = work.room((int(keep.sum()), sum(widths)), np.float32)
    starts = np.concatenate([[0], np.cumsum(widths)[:-1]]).astype(int)
    at = 0
    mean = _means(table.values, keep)
    for some in _slices(table.values):
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
    for some in _slices(values):
        part = values[some][keep[some]].astype(np.float64)
        total += np.nansum(part, axis=0)
        count += (~np.isnan(part)).sum(0)
    return np.asarray(total / np.maximum(count, 1))

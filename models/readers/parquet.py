"""Parquet files: tables of numbers, texts and times, embeddings in lists, and images in bytes."""

from __future__ import annotations

import contextlib
import dataclasses
import io
import json
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import IO, Any

import numpy as np

from models import Problem
from models.readers import images, sources
from models.readers.gathering import Table, TableBuilder, WrongColumnKind
from models.readers.labels import CLASS_NAMES, as_text, classes_of
from models.readers.result import ReadResult
from models.readers.work import Work, decoding, plain

PARQUET = b"PAR1"
DO = "write it again, for example with pandas.DataFrame.to_parquet"
SAFE = 2**53  # whole numbers up to here are the same in float64; larger ones are texts
NESTED = "lists of numbers of one length, and images in bytes, can be read"


@dataclasses.dataclass(frozen=True)
class Field:
    """A column of the file and what is made of it: "number", "text", "time", "day", "duration" or "list" of so many numbers."""

    name: str
    kind: str
    width: int = 1


def read(path: Path, work: Work) -> Table | ReadResult:
    """A Parquet file as a table, or as images where a column holds them; what can be neither is skipped with the reason."""
    name = plain(path.name)
    with _opened(path, work) as file:
        found = _images(file, name, work)
        if found is not None:
            return found
        fields = _fields(file, name, work)
        if not fields:
            why = "; ".join(f"“{column}”: {reasons[0]}" for column, reasons in list(work.left_out.items())[:3])
            raise Problem(f"{name} has no column of numbers or text ({why})", do=DO)
        texts: set[int] = set()
        while True:
            words, skipped = (
                list(work.words),
                ({name: list(why) for name, why in work.left_out.items()}, work.left_out_count),
            )
            try:
                return _read(file, fields, texts, path, work)
            except WrongColumnKind as again:
                texts |= again.columns
            work.words, (work.left_out, work.left_out_count) = words, skipped


@contextlib.contextmanager
def _opened(path: Path, work: Work) -> Iterator[Any]:
    """The file, held to what it claims."""
    import pyarrow.parquet as pq

    name = plain(path.name)
    sources.check_upload(path, work)
    with decoding(name, "a whole Parquet file", DO):
        file = pq.ParquetFile(
            path, thrift_string_size_limit=64 << 20, thrift_container_size_limit=10_000_000, pre_buffer=False
        )
        about, schema = file.metadata, file.schema_arrow
        claimed = sum(about.row_group(i).total_byte_size for i in range(about.num_row_groups))
    with file:
        if about.num_rows > work.limits.rows or about.num_columns > work.limits.columns or about.num_rows < 1:
            raise Problem(
                f"{name} claims {about.num_rows:,} rows and {about.num_columns:,} columns",
                f"1 to {work.limits.rows:,} rows and at most {work.limits.columns:,} columns are allowed",
                "bring fewer",
            )
        if not 0 <= claimed <= work.limits.unpacked:
            raise Problem(
                f"{name} claims {claimed:,} bytes", f"at most {work.limits.unpacked:,} are allowed", "bring fewer rows"
            )
        if len({field.name for field in schema}) < len(schema):
            raise Problem(f"two columns of {name} have the same name", do=DO)
        yield file


def _read(file: Any, fields: list[Field], texts: set[int], path: Path, work: Work) -> Table:
    name = plain(path.name)
    names = [column for field in fields for column in _names(field)]
    if len(names) > work.limits.columns:
        raise Problem(
            f"{name} has {len(names):,} features", f"at most {work.limits.columns:,} are allowed", "bring fewer"
        )
    with contextlib.closing(TableBuilder(names, work, texts)) as gatherer:
        for batch in _batches(file, [field.name for field in fields], max(1, 500_000 // len(names)), name):
            work.progress("reading rows", gatherer.count, file.metadata.num_rows)
            columns: list[Any] = []
            for field in fields:
                with decoding(name, "a whole Parquet file", DO):
                    values = _values(batch.column(field.name), field)
                if field.kind in ("time", "day"):
                    columns.append(gatherer.times(len(columns), values, days=field.kind == "day"))
                elif field.kind == "duration":
                    gatherer.durations(len(columns))
                    columns.append(values)
                elif field.kind == "list":
                    columns += list(values.T)
                elif field.kind == "number" and gatherer.columns[len(columns)].kind == "category":
                    columns.append(as_text(values).tolist())  # as chosen
                else:
                    columns.append(values)
            numbers = range(gatherer.count + 1, gatherer.count + len(columns[0]) + 1)
            gatherer.add(gatherer.block(columns), numbers)

        def cells(places: Sequence[int]) -> list[list[str]]:
            with _opened(path, work) as again:
                there = again.schema_arrow.names
                return [_cells(again, names[i], name) if names[i] in there else [] for i in places]

        return dataclasses.replace(gatherer.table(cells), index=_index(file.schema_arrow.metadata))


def _names(field: Field) -> list[str]:
    return [field.name] if field.kind != "list" else [f"{field.name} {i}" for i in range(field.width)]


def _batches(file: Any, columns: list[str], rows: int, name: str) -> Iterator[Any]:
    with decoding(name, "a whole Parquet file", DO):
        batches = file.iter_batches(rows, columns=columns, use_threads=False)
    while True:
        with decoding(name, "a whole Parquet file", DO):
            batch = next(batches, None)
        if batch is None:
            return
        yield batch


def _cells(file: Any, column: str, name: str) -> list[str]:
    """The cells of a column as text."""
    import pyarrow as pa

    out: list[str] = []
    for batch in _batches(file, [column], 100_000, name):
        with decoding(name, "a whole Parquet file", DO):
            out += [text or "" for text in _plainly(batch.column(0)).cast(pa.string()).to_pylist()]
    return out


def _fields(file: Any, name: str, work: Work) -> list[Field]:
    out = []
    for column in file.schema_arrow:
        field = _field(column, file, name)
        if isinstance(field, Field):
            out.append(field)
        else:
            work.skip(column.name, field)
    return out


def _field(column: Any, file: Any, name: str) -> Field | str:
    """What is made of a column, or why nothing is."""
    import pyarrow as pa

    is_ = pa.types
    value = column.type.value_type if is_.is_dictionary(column.type) else column.type
    kinds = {
        "text": is_.is_string(value) or is_.is_large_string(value) or is_.is_string_view(value),
        "time": is_.is_timestamp(value),
        "day": is_.is_date(value),
        "duration": is_.is_duration(value),
        "number": is_.is_integer(value) or is_.is_floating(value) or is_.is_boolean(value) or is_.is_decimal(value),
    }
    kind = next((kind for kind, right in kinds.items() if right), "")
    if kind:
        return Field(column.name, "text" if kind == "number" and _is_large(file, column, name) else kind)
    if is_.is_list(value) or is_.is_large_list(value) or is_.is_fixed_size_list(value):
        return _list(column, value, file, name)
    return f"the column holds {plain(str(column.type))}, neither numbers nor text; {NESTED}"


def _list(column: Any, value: Any, file: Any, name: str) -> Field | str:
    """Lists of numbers of one length, or why they are none."""
    import pyarrow as pa

    inner = value.value_type
    if not (pa.types.is_integer(inner) or pa.types.is_floating(inner) or pa.types.is_boolean(inner)):
        return f"the column holds {plain(str(column.type))}, neither numbers nor text; {NESTED}"
    lengths: set[int] = {value.list_size} if pa.types.is_fixed_size_list(value) else set()
    if not lengths:
        for batch in _batches(file, [column.name], 100_000, name):
            with decoding(name, "a whole Parquet file", DO):
                lengths |= set(batch.column(0).value_lengths().drop_null().unique().to_pylist())
    if len(lengths) == 1 and max(lengths) > 0:
        return Field(column.name, "list", int(lengths.pop()))
    if not any(lengths):
        return "its lists are empty"
    return f"the column holds lists of {len(lengths):,} different lengths; {NESTED}"


def _is_large(file: Any, column: Any, name: str) -> bool:
    """Whether a column of whole numbers has such as float64 would merge. Not by the statistics in the file: they are only
    claimed, and Arrow ends the process over broken ones."""
    import pyarrow as pa
    import pyarrow.compute as pc

    if column.type not in (pa.int64(), pa.uint64()):
        return False
    for batch in _batches(file, [column.name], 200_000, name):
        with decoding(name, "a whole Parquet file", DO):
            ends = pc.min_max(batch.column(0)).as_py()
        if any(end is not None and abs(end) > SAFE for end in ends.values()):
            return True
    return False


def _plainly(column: Any) -> Any:
    import pyarrow as pa

    return column.dictionary_decode() if pa.types.is_dictionary(column.type) else column


def _values(column: Any, field: Field) -> Any:
    """Numbers (n,), seconds (n,), texts, or numbers (n, width) of a list."""
    import pyarrow as pa

    column = _plainly(column)
    if field.kind == "text":
        return column.cast(pa.string()).to_pylist()
    if field.kind in ("time", "day"):
        # Microseconds since 1970, in UTC where there is a zone; without the zone itself, which would need a table of them.
        if field.kind == "time":
            column = column.cast(pa.timestamp(column.type.unit))
        moments = column.cast(pa.timestamp("us"), safe=False).to_numpy(zero_copy_only=False)
        seconds = moments.astype("datetime64[us]").astype(np.int64) / 1e6
        return np.where(np.isnat(moments), np.nan, seconds)
    if field.kind == "duration":
        lasting = column.cast(pa.duration("us"), safe=False).to_numpy(zero_copy_only=False).astype("timedelta64[us]")
        return np.where(np.isnat(lasting), np.nan, lasting.astype(np.int64) / 1e6)
    if field.kind == "list":
        flat = column.flatten().cast(pa.float64(), safe=False).to_numpy(zero_copy_only=False).astype(np.float64)
        if column.null_count:
            out = np.full((len(column), field.width), np.nan)
            out[np.flatnonzero(np.asarray(column.is_valid()))] = flat.reshape(-1, field.width)
            return out
        return flat.reshape(-1, field.width)
    return column.cast(pa.float64(), safe=False).to_numpy(zero_copy_only=False).astype(np.float64)


# Images


def _images(file: Any, name: str, work: Work) -> ReadResult | None:
    """The images in the first column of bytes that holds some, with the labels beside them; None where there is none."""
    import pyarrow as pa

    for column in file.schema_arrow:
        of_struct = pa.types.is_struct(column.type) and column.type.get_field_index("bytes") >= 0
        if of_struct or pa.types.is_binary(column.type) or pa.types.is_large_binary(column.type):
            first = next(iter(_bytes(file, column.name, of_struct, name)), None)
            if first is not None and images.is_image(first[:32]):
                return _collected(file, column.name, of_struct, name, work)
    return None


def _bytes(file: Any, column: str, of_struct: bool, name: str) -> Iterator[bytes]:
    for batch in _batches(file, [column], 64, name):
        with decoding(name, "a whole Parquet file", DO):
            values = batch.column(0)
            there = (values.field("bytes") if of_struct else values).to_pylist()
        for value in there:
            yield value or b""


def _collected(file: Any, column: str, of_struct: bool, name: str, work: Work) -> ReadResult:
    entries: list[sources.Entry] = []
    with work.spool() as spooled:
        at = 0
        for row, content in enumerate(_bytes(file, column, of_struct, name)):
            if row % 64 == 0:
                work.progress("unpacking images", row, file.metadata.num_rows)
            spooled.write(content)
            entries.append(sources.Entry(str(row + 1), len(content), _part(spooled, at, len(content))))
            at += len(content)
            if at > work.limits.unpacked:
                raise Problem(f"the images of {name} have more than {work.limits.unpacked:,} bytes", do="bring fewer")
        found = images.collect(entries, work, name)
    labelled = next((each.name for each in file.schema_arrow if each.name.lower() in CLASS_NAMES), None)
    if labelled is None or work.choices.label == "":
        return found
    cells = np.array(_cells(file, labelled, name), object)[[int(row) - 1 for row in found.names]]
    called = _class_names(file.schema_arrow.metadata, labelled)
    texts = np.array([called.get(text, text) or None for text in cells], object)
    labels, classes = classes_of(texts, work)
    work.decide("label", labelled, [labelled, ""], f"The column “{plain(labelled)}” is the class.")
    return dataclasses.replace(found, labels=labels, classes=classes, decisions=tuple(work.decisions.values()))


def _part(spooled: IO[bytes], start: int, size: int) -> Callable[[], IO[bytes]]:
    def opened() -> IO[bytes]:
        spooled.seek(start)
        return io.BytesIO(spooled.read(size))

    return opened


def _index(metadata: Any) -> frozenset[str]:
    """The columns that pandas calls the index of the frame."""
    try:
        return frozenset(
            str(name) for name in json.loads((metadata or {})[b"pandas"])["index_columns"] if isinstance(name, str)
        )
    except (KeyError, ValueError, TypeError, RecursionError):
        return frozenset()


def _class_names(metadata: Any, column: str) -> dict[str, str]:
    """What the numbers of a label are called, where the file says so as Hugging Face's datasets do."""
    try:
        facts = json.loads((metadata or {})[b"huggingface"])["info"]["features"][column]
        return {str(i): plain(str(name), 100) for i, name in enumerate(facts["names"])}
    except (KeyError, ValueError, TypeError, RecursionError):
        return {}

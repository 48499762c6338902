"""Parquet files."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import Any

import numpy as np

from models import Problem
from models.readers import sources
from models.readers.gathering import Table, TableBuilder
from models.readers.work import Work, decoding, plain

PARQUET = b"PAR1"


def read(path: Path, work: Work) -> Table:
    """A Parquet file; columns that are neither numbers nor text nor times are skipped."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    name, do = plain(path.name), "write it again, for example with pandas.DataFrame.to_parquet"
    sources.check_upload(path, work)
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
                f"1 to {work.limits.rows:,} rows and at most {work.limits.columns:,} columns are allowed",
                "bring fewer",
            )
        if not 0 <= claimed <= work.limits.unpacked:
            raise Problem(
                f"{name} claims {claimed:,} bytes", f"at most {work.limits.unpacked:,} are allowed", "bring fewer rows"
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
                do=do,
            )
        texts = {i for i, column in enumerate(taken) if kinds[column] == "category"}
        with contextlib.closing(TableBuilder(taken, work, texts)) as gatherer:
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

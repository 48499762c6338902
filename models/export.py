"""What leaves a run: the whole of it, its weights and graphs, its codes as tables for other tools."""

from __future__ import annotations

import csv
import io
import re
import unicodedata
import zipfile
from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from models import Problem, datasets, uploads
from models.codes import to_float
from models.columns import as_they_came, inverse
from models.graphs import standalone
from models.runs import DERIVED, Run

TAKEN = ("row", "name", "row in the file", "split", "error", "map")  # columns of ours
Columns: TypeAlias = dict[str, NDArray[Any] | Sequence[Any]]


def file_name(run: Run, what: str) -> str:
    """The name under which a part of a run leaves: run, weights, encoder, decoder, codes, table or page. It says what the run
    is; the end of it tells runs apart that are of the same choices but a few."""
    stem = run.folder.name if run.pretrained else f"{_plain(run.title)}-{run.id[:6]}"
    tails = {"run": ".zip", "weights": "-weights.safetensors", "codes": "-codes.csv", "table": "-codes.parquet"}
    tails["page"] = ".html"
    return stem + tails.get(what, f"-{what}.onnx")


def _plain(title: str) -> str:
    """A title as part of a file's name on every computer: letters of ASCII, digits and hyphens."""
    letters = (
        unicodedata.normalize("NFKD", title.replace("D = ", "").replace("ß", "ss")).encode("ascii", "ignore").decode()
    )
    return re.sub(r"[^a-z0-9]+", "-", letters.lower()).strip("-")[:80].strip("-") or "run"


def compared_name(runs: Sequence[Run]) -> str:
    """The name of the page on which several runs leave."""
    return f"compare-{'-'.join(run.folder.name if run.pretrained else run.id[:8] for run in runs)[:120]}.html"


def part(run: Run, what: str, *, named: bool = False) -> bytes:
    """One part of a run: run (zip), weights, encoder, decoder, codes (CSV) or table (the codes as Parquet).

    named: whether codes go with the names that the samples came with, the columns that stand beside them, and what rows
    hold, where the dataset keeps any: for its owner alone.
    """
    if what == "run":
        return pack(run)
    if what == "weights":
        return (run.folder / "weights.safetensors").read_bytes()
    if what in ("codes", "table"):
        numbers: Columns = {"error": run.errors, **{f"z{i + 1}": run.codes[:, i] for i in range(run.code_size)}}
        return _table(run, numbers, what, named)
    return standalone(run.folder / f"{what}.onnx")


def features(run: Run, layer: NDArray[np.float32], what: str, *, named: bool = False) -> bytes:
    """What a hidden layer gives (N, F) of each stored sample, as h1, h2, …, beside what `part` tells of it: "codes" for a CSV
    file, "table" for Parquet."""
    return _table(run, {f"h{i + 1}": layer[:, i] for i in range(layer.shape[1])}, what, named)


def _table(run: Run, numbers: Columns, what: str, named: bool) -> bytes:
    """Numbers of all stored samples beside what these are known by."""
    columns = {
        **identity(run, run.rows, named=named),
        "split": [datasets.SPLITS[split] for split in run.splits],
        **class_column(run, [run.classes[label] if label >= 0 else "" for label in run.labels]),
        **numbers,
    }
    columns = joined(columns, beside(run, run.rows) if named else {}, values(run, run.rows) if named else {})
    return codes_csv(columns).encode() if what == "codes" else codes_parquet(columns)


def pack(run: Run) -> bytes:
    """The run as a zip: run.json, every file it names and what was made from these, under a folder of the run's id."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        derived = [name for name in DERIVED if (run.folder / name).is_file()]
        for name in ("run.json", *run.card.files, *derived):
            deflate = zipfile.ZIP_STORED if name.endswith((".safetensors", ".onnx")) else zipfile.ZIP_DEFLATED
            entry = zipfile.ZipInfo(f"{run.id}/{name}")  # dated 1980: the same run is the same zip
            entry.external_attr = 0o644 << 16  # else unzip makes files that nobody may read
            archive.writestr(entry, (run.folder / name).read_bytes(), deflate)
    return out.getvalue()


def identity(run: Run, rows: NDArray[np.integer[Any]], *, named: bool) -> Columns:
    """What samples in these rows of a run's dataset are known by, as columns: the row, counted from 1, and where named what
    they came with: names, and ids."""
    out: Columns = {"row": rows + 1}
    if not named:
        return out
    called = uploads.called(run.card.dataset.name)
    out |= name_column(datasets.names(run.dataset), rows, called)
    ids = {
        one.name: one.said(rows)
        for one in uploads.beside(run.card.dataset.name, run.card.dataset.count)
        if one.kind == "id" and one.name != called
    }
    return joined(out, ids)


def beside(run: Run, rows: NDArray[np.integer[Any]]) -> Columns:
    """The columns that stand beside the samples in these rows and are no ids: numbers as such, all else as text."""
    return joined(
        *(
            {one.name: one.values[rows] if one.kind == "number" else one.said(rows)}
            for one in uploads.beside(run.card.dataset.name, run.card.dataset.count)
            if one.kind != "id"
        )
    )


def values(run: Run, rows: NDArray[np.integer[Any]]) -> Columns:
    """What these rows of a table hold, in its own units as they came; nothing of other kinds, or where they are not at hand."""
    if run.kind != "table" or not run.columns:
        return {}
    try:
        there = to_float(datasets.originals_at(run.dataset, rows.astype(np.int64)))
    except Problem:
        return {}
    return dict(inverse(run.columns, as_they_came(run.columns, there)))


def joined(*tables: Mapping[str, Any]) -> dict[str, Any]:
    """Tables side by side. A column whose name is taken gets "(data)" after its own."""
    out: dict[str, Any] = {}
    for table in tables:
        for name, values in table.items():
            while name in out:
                name += " (data)"  # noqa: PLW2901
            out[name] = values
    return out


def name_column(names: Sequence[str] | None, rows: NDArray[np.integer[Any]], called: str = "") -> dict[str, list[str]]:
    """The names that these rows of a dataset came with, as a column, called so where they have a name of their own; none
    where they tell no more than a column of the rows beside it: those of a table of which none was left out."""
    if not names:
        return {}
    column = called if called not in ("", *TAKEN) else f"{called or 'name'}{' (id)' if called else ''}"
    if not called and all(name.isdecimal() for name in names):
        counted = [int(name) for name in names]
        if counted == list(range(counted[0], counted[0] + len(counted))):
            return {}
        column = "row in the file"
    return {column: [names[row] for row in rows]}


def class_column(run: Run, names: Sequence[str], prefix: str = "") -> dict[str, Sequence[str]]:
    """The names of classes as a column; none where the dataset has no classes. It is called by the dataset's word for
    them, unless a column of ours has that name, after the prefix."""
    if not run.classes:
        return {}
    word = run.card.dataset.label
    taken = word in TAKEN or re.fullmatch(r"z\d+", word)
    return {f"{prefix}{word} (class)" if taken else f"{prefix}{word}": names}


FORMULAS = frozenset("=+-@\t\r＝＋－＠")  # the latter as Japanese keyboards write them
BEHIND = re.compile(r"""([;|\t\r\n]["\s]*)(?=[=+\-@＝＋－＠])""")


def escape_cell(text: str) -> str:
    """Text for a cell of a CSV file. An apostrophe goes before what a spreadsheet would run as a formula: at the beginning,
    and behind what other countries' spreadsheets take for the end of a cell, in quotes or not."""
    text = BEHIND.sub(r"\1'", text)
    return "'" + text if text.lstrip(" \u00a0\u3000")[:1] in FORMULAS and text else text


def codes_csv(columns: Mapping[str, NDArray[Any] | Sequence[Any]]) -> str:
    """Columns of equal length as CSV with a header line. Text that a spreadsheet would run as a formula is escaped."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(map(escape_cell, columns))
    writer.writerows(zip(*(map(_cell, column) for column in columns.values()), strict=True))
    return out.getvalue()


def codes_parquet(columns: Mapping[str, NDArray[Any] | Sequence[Any]]) -> bytes:
    """The same columns as a Parquet file, each of its own type. Text stays as it is: nothing there is a formula."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    out = io.BytesIO()
    pq.write_table(pa.table({name: pa.array(np.asarray(values)) for name, values in columns.items()}), out)
    return out.getvalue()


def _cell(value: Any) -> Any:
    if isinstance(value, str):
        return escape_cell(value)
    if value is None or (isinstance(value, float | np.floating) and np.isnan(value)):
        return ""
    if isinstance(value, np.float32):
        return f"{value:.6g}"
    return f"{value:.15g}" if isinstance(value, float | np.floating) else value

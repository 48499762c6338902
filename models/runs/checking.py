"""Opening a run folder: its files, sizes, checksums and numbers are checked before anything is made of them."""

from __future__ import annotations

import hashlib
import json
import math
import re
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import SafetensorError

from models import Problem, kinds
from models.readers.limits import LIMITS
from models.runs.configuration import Configuration, read_configuration
from models.runs.facts import run_card
from models.runs.format import COLUMN, EPOCH, FORMAT, HEADER, check_facts, check_type, finite
from models.runs.run import Run


def open_run(folder: Path) -> Run:
    """Read a run folder and check it whole: format, files, sizes, checksums, shapes. A `Problem` says what is wrong."""
    run = read_run(folder)
    files = run.card.files
    for name, facts in files.items():
        path = folder / name
        size = path.stat().st_size if path.is_file() else None
        if size != facts.bytes:
            came = "is absent" if size is None else f"has {size:,} bytes"
            raise damaged(folder, f"{name} {came}", f"it had {facts.bytes:,} bytes when the run was written")
        if sha256(path) != facts.sha256:
            raise damaged(folder, f"{name} was altered (its SHA-256 is no longer {facts.sha256[:12]}…)")
    for name, numbers in _numbers(run).items():
        size = files[name].bytes if name in files else 0
        if size != 4 * numbers:
            raise damaged(
                folder,
                f"{name} has {size:,} bytes",
                f"{run.count:,} codes of size {run.code_size} take {4 * numbers:,}",
            )
    try:
        _check_content(run)
    except (KeyError, TypeError, ValueError, OverflowError, RecursionError, SafetensorError) as error:
        raise damaged(folder, f"its files do not fit together ({error})") from error
    return run


def is_complete(folder: Path) -> bool:
    """Whether `open_run` would open it."""
    try:
        open_run(folder)
    except Problem:
        return False
    return True


def _check_content(run: Run) -> None:
    """ValueError when a file of the right size holds numbers that nothing could be done with."""
    tsne = run.tsne[1] if run.tsne else np.zeros(0)
    replay = np.fromfile(run.folder / "replay/index.i32", "<i4")
    for name, index, low, high in (
        ("rows.i32", run.rows, 0, run.card.dataset.count),
        ("labels.i32", run.labels, -1, len(run.classes)),
        ("projections/tsne-index.i32", tsne, 0, run.count),
        ("replay/index.i32", replay, 0, run.count),
    ):
        if len(index) and not low <= index.min() <= index.max() < high:
            raise ValueError(f"{name} points at what is not there")
    for name, numbers in (("codes.f32", run.codes), ("errors.f32", run.errors), ("factors.f32", run.factors)):
        if not np.isfinite(numbers).all():
            raise ValueError(f"{name} holds infinite or undefined numbers")
    size = math.prod(run.shape)
    if (run.folder / "baseline.safetensors").stat().st_size > 4 * size * (run.code_size + 1) + HEADER:
        raise ValueError("baseline.safetensors is larger than it can be")
    baseline = run.baseline
    if baseline.mean.shape != (size,) or baseline.components.shape[1:] != (size,):
        raise ValueError("baseline.safetensors is of another sample's shape")
    _check_columns(run)
    if (came := (run.folder / "history.jsonl").stat().st_size) > LIMITS.history:
        raise ValueError(f"history.jsonl has {came:,} bytes, at most {LIMITS.history:,} are allowed")
    for line in run.history():
        check_type(line, EPOCH, "a line of history.jsonl")
        for term, value in line["loss"].items():
            if not re.fullmatch(r"[\w -]{1,40}", term):
                raise ValueError("history.jsonl names a loss in a way that is not known")
            check_type(value, float, term)


def _check_columns(run: Run) -> None:
    """ValueError when the columns are not those of its samples: their widths become arrays."""
    if kinds.get(run.kind).pixels or not (columns := run.stored_columns):
        return
    check_type(columns, [COLUMN, LIMITS.columns], "columns")
    at = 0
    for column in columns:
        if column["start"] != at or column["kind"] not in ("number", "category"):
            raise ValueError("its columns are not one after the other")
        if column["width"] != (len(column["values"]) if column["kind"] == "category" else 1):
            raise ValueError("a column is of another width than its values")
        at += column["width"]
    if at != run.shape[-1]:
        raise ValueError("its columns are of another sample's shape")


def _numbers(run: Run) -> dict[str, float]:
    """How many 4-byte numbers each array file must hold."""
    m, d, replay = run.count, run.code_size, run.card.replay
    out: dict[str, float] = {"codes.f32": m * d, "rows.i32": m, "labels.i32": m, "errors.f32": m}
    if k := len(run.card.dataset.factors):
        out["factors.f32"] = m * k
    if run.pca:
        out["projections/pca.f32"] = 2 * m
    if "splits.u8" in run.card.files:
        out["splits.u8"] = m / 4
    if tsne := run.card.projections.tsne:
        out |= {"projections/tsne.f32": 2 * tsne.count, "projections/tsne-index.i32": tsne.count}
        if "projections/umap.f32" in run.card.files:
            out["projections/umap.f32"] = 2 * tsne.count
    return out | {"replay/codes.f32": len(replay.epochs) * replay.count * d, "replay/index.i32": replay.count}


def read_run(folder: Path) -> Run:
    """run.json alone, checked for what `Run` reads from it."""
    try:
        text = text_of(folder / "run.json")
        about = json.loads(text, parse_float=finite, parse_constant=finite)
        if not isinstance(about, dict):
            raise ValueError("it is not an object")
    except (OSError, ValueError, RecursionError) as error:
        raise damaged(folder, f"run.json cannot be read ({error})") from error
    if about.get("format") != FORMAT:
        raise _foreign_format(folder.name, str(about.get("format"))[:40])
    try:
        check_facts(about)
    except ValueError as error:
        raise damaged(folder, f"run.json does not describe a run ({error})") from error
    card = run_card(about, _choices(folder.name, about))
    return Run(folder, card, hashlib.sha256(text).hexdigest()[:16])


def text_of(path: Path, most: int = LIMITS.about) -> bytes:
    """The content of a run.json. ValueError where it has more than `most` bytes, not counting the columns that the first
    runs of signals and tables have in it."""
    size = path.stat().st_size
    text = path.read_bytes() if size <= most + LIMITS.table else b""
    if size > most:
        try:
            about = json.loads(text)
            about["dataset"].pop("columns")
            size = len(json.dumps(about))
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
            pass  # there are no columns that would explain it
        if size > most:
            raise ValueError(f"it has {path.stat().st_size:,} bytes, at most {most:,} are allowed")
    return text


def damaged(folder: Path, came: str, expected: str | None = None) -> Problem:
    # Without the path: a visitor reads it, too.
    return Problem(f"the run {folder.name} is damaged: {came}", expected, "train it again, or restore its folder")


def sha256(path: Path) -> str:
    """The checksum of a file, as hex digits."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def foreign(folder: Path) -> Problem | None:
    """Why a run.json may be whole and not understood, as another version wrote it; None where it is ours, or none."""
    path = folder / "run.json"
    try:
        if path.stat().st_size > LIMITS.about + LIMITS.table:
            return _foreign_format(folder.name, "that is not known, with a run.json larger than any of ours")
        about = json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError):
        return None
    if not isinstance(about, dict):
        return None
    if (form := about.get("format", FORMAT)) != FORMAT:
        return _foreign_format(folder.name, str(form)[:40])
    if "configuration" in about:
        try:
            _choices(folder.name, about)
        except Problem as problem:
            return problem
    return None


LEFT_ALONE = "open it with the version of Hourglass that made it, or a newer one; here it is left as it is"


def _foreign_format(name: str, form: str) -> Problem:
    return Problem(f"the run {name} is of format {form}", f"this version reads format {FORMAT}", LEFT_ALONE)


def _choices(name: str, about: dict[str, Any]) -> Configuration:
    """What the run of that name was trained with. A `Problem` where a later version may have written it."""
    try:
        return read_configuration(about["configuration"])
    except Problem as problem:
        raise Problem(f"the run {name} is not understood: {problem.came}", problem.expected, LEFT_ALONE) from problem

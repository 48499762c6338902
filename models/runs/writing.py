"""Writing a run folder: each file whole or not at all, run.json last."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from models import architectures, datasets, home, kinds, private, unwritable
from models.columns import plain
from models.runs.checking import foreign, is_complete, open_run, sha256
from models.runs.format import DERIVED, WORKING
from models.runs.run import Run


def seal(folder: Path, about: dict[str, Any]) -> Run:
    """Write run.json with the size and checksum of every file beside it, whole or not at all, and check the result.

    The columns of about["dataset"] go into a file of their own: of a wide table they are megabytes, and run.json is read
    for every list of runs.
    """
    dataset = dict(about["dataset"])
    if columns := dataset.pop("columns", []):
        about = {**about, "dataset": dataset}
        content = json.dumps(columns, allow_nan=False, ensure_ascii=False, separators=(",", ":")).encode()
        write_whole(folder / "columns.json", content)
    names = sorted(
        str(path.relative_to(folder))
        for path in folder.rglob("*")
        if path.is_file() and path.name not in ("run.json", *DERIVED, *WORKING) and path.name[0] != "."
    )
    files = {name: {"bytes": (folder / name).stat().st_size, "sha256": sha256(folder / name)} for name in names}
    write_whole(folder / "run.json", json.dumps({**about, "files": files}, indent=1, allow_nan=False).encode())
    return open_run(folder)


def thinned_replay(run: Run, most: int) -> dict[str, Any]:
    """Leave at most so many epochs in a run's replay, the first and the last among them, or none; returns what run.json then
    says of it."""
    epochs = run.card.replay.epochs
    folder = run.folder / "replay"
    kept = sorted({int(i) for i in np.linspace(0, len(epochs) - 1, min(most, len(epochs))).round()})
    frames = np.fromfile(folder / "codes.f32", "<f4").reshape(len(epochs), -1)
    write_whole(folder / "codes.f32", frames[kept].tobytes())
    if not kept:
        write_whole(folder / "index.i32", b"")
    return {"count": run.card.replay.count if kept else 0, "epochs": [epochs[i] for i in kept]}


def write_whole(path: Path, content: bytes) -> None:
    """Write a file so that a reader sees the old or the new content, never a part: beside, flushed, renamed."""
    part = path.with_name(f".{path.name}-{os.getpid()}")
    try:
        with part.open("wb") as stream:
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
        part.replace(path)
    except OSError as error:
        with contextlib.suppress(OSError):
            part.unlink(missing_ok=True)
        raise unwritable(path.parent, error) from error


@contextmanager
def staged() -> Iterator[Path]:
    """A folder under <home>/runs in which a run is made of what somebody brings; it goes in the end. A `Problem` where the disk
    takes nothing."""
    own = home() / "runs"
    try:
        private(own)
        staging = Path(tempfile.mkdtemp(dir=own, prefix=".opened-"))
        try:
            yield staging
        finally:
            shutil.rmtree(staging, ignore_errors=True)
    except OSError as error:
        raise unwritable(own, error) from error


def publish(folder: Path, id_: str) -> Path:
    """Move a sealed run to its place. A whole run that is there already stays: browsers may have it cached."""
    place = home() / "runs" / id_
    try:
        private(place.parent)
        if is_complete(place):
            shutil.rmtree(folder, ignore_errors=True)
        else:
            set_aside(place)
            folder.rename(place)
    except OSError as error:
        raise unwritable(place.parent, error) from error
    return place


def set_aside(place: Path) -> None:
    """Make room where a damaged run lies, which is kept under another name. Nothing happens where none lies.

    A `Problem` where the run may well be whole and only this version does not understand it: that is left alone.
    """
    if not place.exists():
        return
    if (problem := foreign(place)) is not None:
        raise problem
    place.rename(place.with_name(f".damaged-{place.name}-{time.time_ns()}"))


def architecture_facts(architecture: architectures.Architecture, blueprint: architectures.Blueprint) -> dict[str, Any]:
    """What run.json keeps of an architecture."""
    return {
        "name": architecture.name,
        "title": architecture.title,
        "variational": architecture.variational,
        "parameters": blueprint.parameters,
        "layers": blueprint.listed(),
    }


def dataset_facts(dataset: datasets.Dataset) -> dict[str, Any]:
    """What run.json keeps of a dataset."""
    names = (
        "name",
        "title",
        "fingerprint",
        "kind",
        "shape",
        "classes",
        "label",
        "factors",
        "count",
        "source",
        "licence",
    )
    facts = {name: getattr(dataset, name) for name in names}
    return facts if kinds.get(dataset.kind).pixels else facts | {"columns": plain(dataset.columns)}

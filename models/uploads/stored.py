"""Reading stored datasets by name."""

from __future__ import annotations

import contextlib
import json
import logging
import os
import re
import secrets
import time
from functools import lru_cache, partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models import Problem, home
from models import beside as besides
from models.columns import Column, from_plain
from models.data import Arrays, Dataset

log = logging.getLogger("hourglass.uploads")


NAME = re.compile(r"own-[0-9a-f]{16}")
MISSING_FILE = "missing.npy"  # which values were not there, packed as in `models.readers.result.ReadResult`
HOUR, DAY = 3600.0, 86_400.0
# The fields that about.json of a dataset has at least; a later version may add more.
FIELDS = {"owner", "shared", "title", "kind", "shape", "count", "classes", "source", "bytes", "made"}
FIELDS |= {"warnings", "skipped"}


def write_text(path: Path, text: str) -> None:
    part = path.with_name(f".{path.name}-{secrets.token_hex(4)}")
    with part.open("w") as stream:
        stream.write(text)
        stream.flush()
        os.fsync(stream.fileno())
    part.replace(path)


def dataset(name: str) -> Dataset | None:
    """The dataset of that name, without checking who asks; None where there is none (any more)."""
    about = about_of(name)
    if about is None:
        return None
    split = partial(_split, folder_of(name)) if (folder_of(name) / "split.npy").is_file() else None
    return described(
        name,
        about["kind"],
        tuple(about["shape"]),
        about["count"],
        title=about["title"],
        summary="",
        classes=tuple(about["classes"]),
        source=about["source"],
        label=about.get("label") or "class",
        columns=columns_of(name, about),
        split=split,
    )


def scaled(name: str) -> dict[str, Any]:
    """How the images of that dataset became samples, as choices for the reader of others, "levels" and "fit"; none of
    what is not known, as of datasets that are gone, or were kept before this was."""
    about = about_of(name) or {}
    return {what: chosen for what, chosen in about.get("scaled", {}).items() if chosen is not None}


def described(name: str, kind: str, shape: tuple[int, ...], count: int, **more: Any) -> Dataset:
    usual = {"title": name, "summary": "", "classes": (), "source": ""}
    return Dataset(
        name=name,
        kind=kind,
        shape=shape,
        count=count,
        licence="its owner's",
        read=partial(_gone, name),
        given=name.removeprefix("own-"),
        **usual | more,
    )


def _gone(name: str) -> Arrays:
    raise gone()


def gone() -> Problem:
    """What is said where the samples of somebody's own dataset would be needed and are no more."""
    return Problem(
        "the samples of this dataset were deleted, by their owner or because they had not been used for long",
        do="bring them again on the page Data; the map and the decoder work without them",
    )


def _split(folder: Path) -> NDArray[np.uint8]:
    try:
        return np.asarray(np.load(folder / "split.npy", allow_pickle=False), np.uint8)
    except (OSError, ValueError, EOFError) as error:
        raise gone() from error


def folder_of(name: str) -> Path:
    return home() / "data" / name.removeprefix("own-")


def about_of(name: str) -> dict[str, Any] | None:
    if not NAME.fullmatch(name):
        return None
    path = folder_of(name) / "about.json"
    try:
        return _read(path, path.stat().st_mtime_ns)
    except OSError:
        return None


@lru_cache(maxsize=1024)
def _read(path: Path, _changed: int) -> dict[str, Any] | None:
    """None where it is not understood: damaged, or of a later version. Then it is left alone, and named in the log."""
    try:
        about = json.loads(path.read_text())
        if isinstance(about, dict) and about.keys() >= FIELDS:
            return about
        why = "it lacks fields"
    except (ValueError, RecursionError) as error:
        why = str(error)
    log.warning("%s is not understood (%s) and left alone", path, why)
    return None


def columns_of(name: str, about: dict[str, Any]) -> tuple[Column, ...]:
    """What the columns of a table or signal are. The first datasets have them in about.json, too."""
    path = folder_of(name) / "columns.json"
    try:
        return _read_columns(path, path.stat().st_mtime_ns)
    except OSError:
        return from_plain(about.get("columns", []))


@lru_cache(maxsize=16)
def _read_columns(path: Path, _changed: int) -> tuple[Column, ...]:
    return from_plain(json.loads(path.read_text()))


def beside(name: str, count: int) -> tuple[besides.Beside, ...]:
    """The columns that stand beside the samples of that dataset; () where there are none, or no such dataset any more."""
    return besides.read(folder_of(name), count) if own(name) else ()


def called(name: str) -> str:
    """The column that the names of its samples come from; "" where they are file names or numbers."""
    return str((about_of(name) or {}).get("called", ""))


def missing(name: str, rows: NDArray[np.integer[Any]], columns: int) -> NDArray[np.bool_] | None:
    """Which values of these rows (K, columns) were not there and were filled; None where all of the dataset were."""
    if not own(name):
        return None
    try:
        packed = np.load(folder_of(name) / MISSING_FILE, mmap_mode="r", allow_pickle=False)
    except (OSError, ValueError, EOFError):
        return None
    if packed.dtype != np.uint8 or packed.ndim != 2 or packed.shape[1] != -(-columns // 8):
        return None
    return np.unpackbits(packed[rows], axis=1, count=columns).astype(bool)


def own(name: str) -> bool:
    """Whether a dataset of this name was brought by somebody."""
    return bool(NAME.fullmatch(name))


def readable(name: str, owner: str) -> bool:
    """Whether this owner may see the samples of that dataset and train on them: all may, of those that come with
    Hourglass; of those that people bring their owner alone, as long as they are there. Asking counts as using."""
    if not own(name):
        return True
    about = about_of(name)
    if about is None or not (about["owner"] == owner or about["shared"]):
        return False
    touch(folder_of(name))
    return True


def used(folder: Path) -> float:
    for name in ("used", "about.json"):
        with contextlib.suppress(OSError):
            return (folder / name).stat().st_mtime
    return time.time()


def touch(folder: Path) -> None:
    """Note that it was used, at most once in an hour."""
    if abs(time.time() - used(folder)) > HOUR or not (folder / "used").exists():
        with contextlib.suppress(OSError):
            (folder / "used").touch()

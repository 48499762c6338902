"""Datasets that people bring: each belongs to its owner, and goes when it has not been used for a time.

One lies under <home>/data/<fingerprint>/ as every dataset does (samples.npy, labels.npy, factors.npy), and beside
these split.npy where the data came split, names.json (a file name or row for each sample), columns.json (of signals and
tables), about.json (what it is) and used (whose time of change is the last use). Its name is "own-<fingerprint>"; the fingerprint is that of the
content, salted with the owner, so that nobody meets another's samples or runs. Until something is kept it lies in a
room of its own, <home>/uploads/<random>/, which is swept after a day. What was not used for a time is set aside as
<home>/data/.swept-<fingerprint>-<seconds since 1970> for a week; whoever renames it back has it back.

Only `dataset` (and `datasets.names`) read without being asked by whom: whoever shows or trains asks `readable` or `check` first.
"""

from __future__ import annotations

import contextlib
import dataclasses
import hashlib
import json
import logging
import os
import re
import secrets
import shutil
import tempfile
import threading
import time
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache, partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models import Problem, datasets, home, private, unwritable
from models.columns import Column, from_plain, plain, standardised
from models.datasets import TEST, TRAIN, VALIDATION, Arrays, Dataset, Progress
from models.readers.found import Found, content_fingerprint, pieces

NAME = re.compile(r"own-[0-9a-f]{16}")
LEAST = 20  # samples: fewer leave none to validate and to test
SHELL = "shell"  # as in models.queue: whoever has a shell here is not held by limits
ROOMS = 4  # of one owner: whoever begins a fifth has left the first
HOUR, DAY = 3600.0, 86_400.0
ASIDE = 7 * DAY  # for which what was swept lies aside: a clock may have been wrong
TITLE = 60  # characters
# What about.json of a dataset says at least; a later version may say more.
FIELDS = {"owner", "shared", "title", "kind", "shape", "count", "classes", "source", "bytes", "made"}
FIELDS |= {"warnings", "skipped"}

log = logging.getLogger("hourglass.uploads")


@dataclass(frozen=True)
class Kept:
    """A dataset as its owner sees it in a list. bytes on disk; made and used in seconds since 1970, expires too.

    shared: everybody here may see it and train on it (only a shell can say so). skipped: (file or place, why).
    """

    name: str
    title: str
    owner: str
    shared: bool
    kind: str
    shape: tuple[int, ...]
    count: int
    classes: tuple[str, ...]
    columns: tuple[Column, ...]
    source: str
    bytes: int
    made: float
    expires: float
    warnings: tuple[str, ...]
    skipped: tuple[tuple[str, str], ...]


def days() -> int:
    """After how many days without use a dataset is removed: HOURGLASS_UPLOAD_DAYS, by default 30."""
    return setting("HOURGLASS_UPLOAD_DAYS", 30)


def quota() -> int:
    """How many bytes one owner may keep: HOURGLASS_UPLOAD_BYTES, by default 5 GB."""
    return setting("HOURGLASS_UPLOAD_BYTES", 5_000_000_000)


def total() -> int:
    """How many bytes may lie under <home> in all when somebody brings more: HOURGLASS_TOTAL_BYTES, by default 100 GB."""
    return setting("HOURGLASS_TOTAL_BYTES", 100_000_000_000)


def setting(name: str, default: int) -> int:
    """A whole number that whoever runs this computer set in the environment; a `Problem` for what is none."""
    text = os.environ.get(name, "")
    if text and not (text.isdecimal() and int(text)):
        raise Problem(f"{name} is “{text}”", "a whole number above 0 was expected", "correct or remove it")
    return int(text) if text else default


def make_sure_all_fits(more: int) -> None:
    """A `Problem` when all that lies under <home>, whosever it is, would take more than `total()` with so many bytes
    more. An owner is a cookie, and cookies are free: what one may keep bounds nothing.

    The folder is measured at most every ten seconds; what came in between counts as it was announced.
    """
    with _MEASURING:
        when, taken = _MEASURED.get(home(), (-TURN, 0))
        if time.monotonic() - when >= TURN:
            when, taken = time.monotonic(), _size(home())
        if taken + more > total():
            raise Problem(
                f"this takes {more:,} bytes, and what everybody keeps here takes {taken:,}",
                f"at most {total():,} in all may be kept here",
                "bring less, or ask whoever runs this computer for room (HOURGLASS_TOTAL_BYTES)",
            )
        _MEASURED[home()] = (when, taken + more)


TURN = 10.0  # seconds
_MEASURED: dict[Path, tuple[float, int]] = {}
_MEASURING = threading.Lock()


def _size(folder: Path) -> int:
    """The bytes of all files in a folder and the folders in it."""
    size = 0
    with contextlib.suppress(OSError), os.scandir(folder) as entries:
        for entry in entries:
            with contextlib.suppress(OSError):
                inner = entry.is_dir(follow_symlinks=False)
                size += _size(Path(entry.path)) if inner else entry.stat(follow_symlinks=False).st_size
    return size


# ── rooms: where something lies until it is kept ─────────────────────────────


def room(owner: str, more: int = 0) -> Path:
    """An empty folder under <home>/uploads for what this owner brings next, so many bytes if that is known. Their oldest
    make room for it. A `Problem` when all that everybody keeps here would be too much."""
    if owner != SHELL:
        make_sure_all_fits(more)
    place = home() / "uploads"
    mark = hashlib.sha256(owner.encode()).hexdigest()[:16]
    try:
        private(place)
        theirs = sorted(place.glob(f"{mark}-*"), key=lambda folder: folder.stat().st_mtime)
        for old in theirs[: max(0, len(theirs) - ROOMS + 1)]:
            shutil.rmtree(old, ignore_errors=True)
        new = place / f"{mark}-{secrets.token_hex(12)}"
        new.mkdir(mode=0o700)
    except OSError as error:
        raise unwritable(place, error) from error
    return new


def leave(folder: Path) -> None:
    """Remove a room with all that is in it."""
    if folder.parent == home() / "uploads":
        shutil.rmtree(folder, ignore_errors=True)


# ── keeping ──────────────────────────────────────────────────────────────────


def keep(
    found: Found,
    owner: str,
    title: str,
    source: str = "",
    *,
    shared: bool = False,
    progress: Progress = lambda _what, _share: None,
) -> Dataset:
    """Make a dataset of what was found, for this owner; the same content again is the same dataset.

    Images that lie in a file under <home>/uploads are moved from there, not copied. Signals and tables are
    standardised with the mean and deviation of the training split, piece by piece. Rows that the data came with as
    training, validation and test stay so; what of the three is missing is drawn from the training rows. title is cut
    to letters, digits and a few marks; source says where it came from, for people. Raises `Problem` when there are
    fewer than 20 samples, when the owner keeps too much already, or when the folder cannot be written.
    """
    count = len(found.samples)
    if count < LEAST:
        raise Problem(
            f"{count} samples came",
            f"at least {LEAST} were expected, so that some are left to validate and to test",
            "bring more",
        )
    split, told = _whole_split(found)
    fingerprint = _fingerprint(found, split, owner, progress)
    folder = home() / "data" / fingerprint
    with _writing(folder, fingerprint) as part:
        known = dataset(f"own-{fingerprint}")
        if known is None:
            _within_quota(found.samples.nbytes, owner)
            training = split if split is not None else _ours(found, fingerprint)
            columns = _store(found, training == TRAIN, part, progress)
            _save(part / "labels.npy", found.labels.astype(np.int32))
            _save(part / "factors.npy", np.zeros((count, 0), np.float32))
            if split is not None:
                _save(part / "split.npy", split)
            (part / "names.json").write_text(json.dumps(found.names))
            if columns:  # of a wide table they are megabytes, and about.json is read for everybody's list
                (part / "columns.json").write_text(json.dumps(plain(columns)))
            about = {
                "owner": owner,
                "shared": shared,
                "title": fit_title(title),
                "kind": found.kind,
                "shape": found.shape,
                "count": count,
                "classes": found.classes,
                "source": source or "brought by its owner",
                "bytes": sum(file.stat().st_size for file in part.iterdir()),
                "made": time.time(),
                "warnings": [*found.warnings, *told],
                "skipped": found.skipped,
                "scaled": _scaled(found),
            }
            (part / "used").touch()
            _write(part / "about.json", about)
            part.rename(folder)
        else:
            about = json.loads((folder / "about.json").read_text()) | {"title": fit_title(title), "shared": shared}
            about.setdefault("scaled", _scaled(found))
            _write(folder / "about.json", about)
            _touch(folder)
    kept = dataset(f"own-{fingerprint}")
    assert kept is not None
    return kept


def _scaled(found: Found) -> dict[str, Any]:
    """How images became samples, where it is known: `scaled` gives it back."""
    levels, fit = found.levels, found.decision("fit")
    return {"levels": dataclasses.asdict(levels) if levels else None, "fit": fit.chosen if fit else None}


def fit_title(title: str) -> str:
    """A title that may stand in any page, figure and file as it is: letters, digits and marks that mean nothing there."""
    kept = (c if unicodedata.category(c)[0] in "LN" or c in " -.,()&+'%" else " " for c in title)
    return " ".join("".join(kept).split())[:TITLE].strip() or "Untitled"


def _fingerprint(found: Found, split: NDArray[np.uint8] | None, owner: str, progress: Progress) -> str:
    """16 hex digits: of the content, of what else is stored of it, and of the owner."""
    progress("taking a fingerprint", 0.0)
    digest = hashlib.sha256(content_fingerprint(found).encode())
    for more in (owner, list(found.classes), plain(found.columns), list(found.names)):
        digest.update(json.dumps(more).encode())
    digest.update(b"" if split is None else split.tobytes())
    return digest.hexdigest()[:16]


def _whole_split(found: Found) -> tuple[NDArray[np.uint8] | None, list[str]]:
    """The split that the data came with, each of its three parts there, and words on what had to be added.

    None is the house's own split. As for publishers' test sets, a tenth of the training rows (at most 5,000)
    validates or tests where the data do not say which.
    """
    if found.split is None:
        return None, []
    split, told, order = found.split.copy(), [], np.random.default_rng(2006)
    if (split == TRAIN).sum() < LEAST - 4:
        return None, ["The data name too few samples to train on, so their split is not kept."]
    for part, word in ((VALIDATION, "validate"), (TEST, "test")):
        if not (split == part).any():
            rows = order.permutation(np.flatnonzero(split == TRAIN))
            split[rows[: max(1, min(len(rows) // 10, 5000))]] = part
            told.append(f"The data do not say which samples {word}; a tenth of the training samples does.")
    return split, told


def _ours(found: Found, fingerprint: str) -> NDArray[np.uint8]:
    return _described(f"own-{fingerprint}", found.kind, found.shape, len(found.samples)).splits()


def _within_quota(more: int, owner: str) -> None:
    if owner == SHELL:
        return
    make_sure_all_fits(more)
    taken = sum(one.bytes for one in of(owner) if one.owner == owner)
    if taken + more > quota():
        raise Problem(
            f"this dataset takes {more:,} bytes, and your others take {taken:,}",
            f"at most {quota():,} in all may be kept here",
            "delete one of your datasets, or bring fewer or smaller samples",
        )


def _store(found: Found, training: NDArray[np.bool_], part: Path, progress: Progress) -> tuple[Column, ...]:
    """Write samples.npy into `part`; returns the columns with the scaling that was applied."""
    target = part / "samples.npy"
    if found.kind == "image":
        came = getattr(found.samples, "filename", None)
        if came is not None and (home() / "uploads").resolve() in Path(came).resolve().parents:
            Path(came).rename(target)
            with target.open("rb") as stream:
                os.fsync(stream.fileno())
        else:
            _stream(target, found.samples.shape, np.dtype(np.uint8), pieces(found.samples), progress)
        return ()
    columns = measured(found, training)
    scaled = (standardised(columns, piece) for piece in pieces(found.samples))
    _stream(target, found.samples.shape, np.dtype(np.float32), scaled, progress)
    return columns


def measured(found: Found, training: NDArray[np.bool_]) -> tuple[Column, ...]:
    """The columns of a table or signal, those of numbers with mean and deviation of the training rows.

    What varies by less than its rounding counts as constant: its deviation is 1.
    """
    width = found.samples.shape[-1]
    count, total, squares = 0, np.zeros(width), np.zeros(width)
    for again in (False, True):  # the mean first: the sum of squares of numbers far from 0 loses all digits
        at = 0
        for piece in pieces(found.samples):
            rows = piece[training[at : at + len(piece)]].reshape(-1, width).astype(np.float64)
            at += len(piece)
            if again:
                squares += ((rows - total / count) ** 2).sum(0)
            else:
                total, count = total + rows.sum(0), count + len(rows)
    mean, deviation = total / count, np.sqrt(squares / count)
    deviation = np.where(deviation > 1e-6 * np.abs(mean), deviation, 1.0)
    named = found.columns or tuple(Column(f"{i + 1}", "number", i, 1) for i in range(width))
    return tuple(
        dataclasses.replace(column, mean=float(mean[column.start]), deviation=float(deviation[column.start]))
        if column.kind == "number"
        else column
        for column in named
    )


def _stream(
    path: Path, shape: Sequence[int], dtype: np.dtype[Any], parts: Iterator[NDArray[Any]], progress: Progress
) -> None:
    """An NPY file written piece by piece: a mapping would count as memory of this process until it is written back."""
    done = 0
    with path.open("wb") as stream:
        header = {"descr": np.lib.format.dtype_to_descr(dtype), "fortran_order": False, "shape": tuple(shape)}
        np.lib.format.write_array_header_1_0(stream, header)
        for part in parts:
            stream.write(np.ascontiguousarray(part, dtype).tobytes())
            done += len(part)
            progress("keeping it", done / shape[0])
        stream.flush()
        os.fsync(stream.fileno())


def _save(path: Path, array: NDArray[Any]) -> None:
    with path.open("wb") as stream:
        np.save(stream, array, allow_pickle=False)
        stream.flush()
        os.fsync(stream.fileno())


def _write(path: Path, about: dict[str, Any]) -> None:
    _write_text(path, json.dumps(about, allow_nan=False))


def _write_text(path: Path, text: str) -> None:
    part = path.with_name(f".{path.name}-{secrets.token_hex(4)}")
    with part.open("w") as stream:
        stream.write(text)
        stream.flush()
        os.fsync(stream.fileno())
    part.replace(path)


@contextlib.contextmanager
def _writing(folder: Path, fingerprint: str) -> Iterator[Path]:
    """A folder beside `folder` to write in, removed where it was not renamed. What the disk refuses is a `Problem`."""
    part = None
    try:
        private(folder.parent)
        part = Path(tempfile.mkdtemp(dir=folder.parent, prefix=f".{fingerprint}-"))
        yield part
    except OSError as error:
        raise unwritable(folder.parent, error) from error
    finally:
        if part is not None:
            shutil.rmtree(part, ignore_errors=True)


# ── finding ──────────────────────────────────────────────────────────────────


def dataset(name: str) -> Dataset | None:
    """The dataset of that name, whoever asks; None where there is none, or none any more."""
    about = _about(name)
    if about is None:
        return None
    split = partial(_split, _folder(name)) if (_folder(name) / "split.npy").is_file() else None
    return _described(
        name,
        about["kind"],
        tuple(about["shape"]),
        about["count"],
        title=about["title"],
        summary="",
        classes=tuple(about["classes"]),
        source=about["source"],
        columns=_columns(name, about),
        split=split,
    )


def scaled(name: str) -> dict[str, Any]:
    """How the images of that dataset became samples, as choices for the reader of others, "levels" and "fit"; none of
    what is not known, as of datasets that are gone, or were kept before this was."""
    about = _about(name) or {}
    return {what: chosen for what, chosen in about.get("scaled", {}).items() if chosen is not None}


def stand_in(facts: dict[str, Any]) -> Dataset:
    """What a run knows (`facts` are its run.json's) of a dataset that was deleted; reading it is a `Problem`."""
    return _described(
        facts["name"],
        facts["kind"],
        tuple(facts["shape"]),
        facts["count"],
        title=facts["title"],
        summary="Deleted since.",
        classes=tuple(facts["classes"]),
        source=facts["source"],
        columns=from_plain(facts.get("columns", [])),
    )


def _described(name: str, kind: str, shape: tuple[int, ...], count: int, **more: Any) -> Dataset:
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
        "the samples of this dataset were deleted, by their owner or after their time",
        "they are needed for this",
        "bring them again on the page Data; the map and the decoder work without",
    )


def _split(folder: Path) -> NDArray[np.uint8]:
    try:
        return np.asarray(np.load(folder / "split.npy", allow_pickle=False), np.uint8)
    except (OSError, ValueError, EOFError) as error:
        raise gone() from error


def _folder(name: str) -> Path:
    return home() / "data" / name.removeprefix("own-")


def _about(name: str) -> dict[str, Any] | None:
    if not NAME.fullmatch(name):
        return None
    path = _folder(name) / "about.json"
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


def _columns(name: str, about: dict[str, Any]) -> tuple[Column, ...]:
    """What the columns of a table or signal are. The first datasets have them in about.json, too."""
    path = _folder(name) / "columns.json"
    try:
        return _read_columns(path, path.stat().st_mtime_ns)
    except OSError:
        return from_plain(about.get("columns", []))


@lru_cache(maxsize=16)
def _read_columns(path: Path, _changed: int) -> tuple[Column, ...]:
    return from_plain(json.loads(path.read_text()))


def own(name: str) -> bool:
    """Whether a dataset of this name was brought by somebody."""
    return bool(NAME.fullmatch(name))


def readable(name: str, owner: str) -> bool:
    """Whether this owner may see the samples of that dataset and train on them: all may, of those that come with
    Hourglass; of those that people bring their owner alone, as long as they are there. Asking counts as using."""
    if not own(name):
        return True
    about = _about(name)
    if about is None or not (about["owner"] == owner or about["shared"]):
        return False
    _touch(_folder(name))
    return True


def check(name: str, owner: str) -> None:
    """The `Problem` of a dataset that does not exist, also for one that is somebody else's."""
    if not readable(name, owner):
        raise datasets.unknown(name)


def of(owner: str) -> list[Kept]:
    """The datasets that this owner may train on, the newest first; what is out of time is removed before."""
    sweep()
    out = []
    for path in (home() / "data").glob("*/about.json"):
        name = f"own-{path.parent.name}"
        about = _about(name)
        if about is not None and (about["owner"] == owner or about["shared"]):
            out.append(_kept(name, about))
    return sorted(out, key=lambda one: one.made, reverse=True)


def _kept(name: str, about: dict[str, Any]) -> Kept:
    return Kept(
        name,
        about["title"],
        about["owner"],
        about["shared"],
        about["kind"],
        tuple(about["shape"]),
        about["count"],
        tuple(about["classes"]),
        _columns(name, about),
        about["source"],
        about["bytes"],
        about["made"],
        _used(_folder(name)) + days() * DAY,
        tuple(about["warnings"]),
        tuple((place, why) for place, why in about["skipped"]),
    )


# ── going ────────────────────────────────────────────────────────────────────


def delete(name: str, owner: str) -> None:
    """Remove a dataset of this owner's with all that was derived from its samples; its runs stay. The `Problem` of an
    unknown dataset where it is not theirs."""
    about = _about(name)
    if about is None or about["owner"] != owner:
        raise datasets.unknown(name)
    _remove(_folder(name))


def _remove(folder: Path) -> None:
    try:
        away = folder.rename(folder.with_name(f".deleted-{folder.name}-{secrets.token_hex(4)}"))
    except FileNotFoundError:
        return
    except OSError as error:
        raise unwritable(folder.parent, error) from error
    shutil.rmtree(away, ignore_errors=True)


def sweep() -> None:
    """Set aside datasets that were not used for `days()`, and remove what lay aside for a week or was left for a day by
    those who never kept it. Nothing is done for a day after the clock has moved by more than a day since the last time:
    it may be wrong, or the app was not running, and nobody loses their data by that."""
    now, longest = time.time(), days() * DAY
    data = home() / "data"
    for aside in data.glob(".swept-*"):
        if _since(aside) > now + DAY:  # the clock was ahead when that was set aside
            with contextlib.suppress(OSError):
                aside.rename(data / aside.name.split("-")[1])
                (data / aside.name.split("-")[1] / "used").touch()
    if not _steady(now):
        return
    for path in data.glob("*/about.json"):
        folder = path.parent
        if now - _used(folder) > longest and _about(f"own-{folder.name}") is not None:
            with contextlib.suppress(OSError):
                folder.rename(data / f".swept-{folder.name}-{now:.0f}")
                log.warning("%s was not used for %d days and is set aside for a week", folder, days())
    for aside in data.glob(".swept-*"):
        if now - _since(aside) > ASIDE:
            shutil.rmtree(aside, ignore_errors=True)
    for pattern in ("uploads/*", "data/.deleted-*", "data/.????????????????-*"):
        for left in home().glob(pattern):
            with contextlib.suppress(OSError):
                if now - left.stat().st_mtime > DAY:
                    shutil.rmtree(left, ignore_errors=True)


def _steady(now: float) -> bool:
    """Whether the clock has run evenly for a day, as far as is known: <home>/.clock holds when that was noted last,
    and since when it has."""
    path = home() / ".clock"
    try:
        last, since = map(float, path.read_text().split())
    except (OSError, ValueError):
        last, since = now, 0.0
    moved = abs(now - last) > DAY
    if moved:
        since = now
    if moved or since == 0.0 or abs(now - last) > HOUR:
        with contextlib.suppress(OSError):
            path.parent.mkdir(parents=True, exist_ok=True)
            _write_text(path, f"{now} {since or now - 2 * DAY}")
    return now - since > DAY


def _since(aside: Path) -> float:
    """When that was set aside, in seconds since 1970."""
    text = aside.name.rpartition("-")[2]
    return float(text) if text.isdecimal() else 0.0


def _used(folder: Path) -> float:
    for name in ("used", "about.json"):
        with contextlib.suppress(OSError):
            return (folder / name).stat().st_mtime
    return time.time()


def _touch(folder: Path) -> None:
    """Note that it was used, at most once in an hour."""
    if abs(time.time() - _used(folder)) > HOUR or not (folder / "used").exists():
        with contextlib.suppress(OSError):
            (folder / "used").touch()

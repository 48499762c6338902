"""Datasets: one file in this folder is one dataset, found by its presence.

Such a file defines `DATASET`, a `Dataset`. Images are stored uint8 (N, H, W, C) and seen by a model as
float32 in [0, 1]; signals (N, T, C) and table rows (N, F) are stored float32. Reading a dataset for the first
time lays it down as memory-mappable arrays under <home>/data/<fingerprint>/, shared by all its runs.
"""

import contextlib
import hashlib
import http.client
import json
import os
import re
import shutil
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models import Problem, home, kinds, private, unwritable, uploads
from models.columns import with_gaps
from models.data import SPLITS, TEST, TRAIN, VALIDATION, Arrays, Dataset, Progress, Remote
from models.discovery import Unusable, discover, named_like_file, texts

__all__ = [
    "SPLITS",
    "TEST",
    "TRAIN",
    "VALIDATION",
    "Arrays",
    "Dataset",
    "Progress",
    "Remote",
    "arrays",
    "available",
    "broken",
    "check",
    "delete",
    "download",
    "file",
    "get",
    "missing",
    "missing_at",
    "names",
    "originals_at",
    "samples_at",
    "unknown",
]


def available() -> dict[str, Dataset]:
    """Every dataset in this folder by name, in the order a newcomer should meet them: those that are here before those that
    have to be downloaded, images before the others, small ones first."""
    return _discovered()[0]


def broken() -> list[Problem]:
    """What is wrong with the files in this folder that give no dataset."""
    return _discovered()[1]


@cache
def _discovered() -> tuple[dict[str, Dataset], list[Problem]]:
    all_, problems = discover(__name__, __path__, "DATASET", Dataset, _check, names=lambda dataset: (dataset.name,))
    ordered = sorted(
        all_, key=lambda dataset: (len(dataset.files) > 0, dataset.kind != "image", dataset.count, dataset.name)
    )
    return {dataset.name: dataset for dataset in ordered}, problems


def _check(dataset: Dataset, file: str) -> None:
    """`Unusable` where what a dataset declares cannot be. Whether `read()` gives that is seen when it is read."""
    named_like_file(dataset.name, file)
    texts(dataset, "title", "summary", "source", "licence")
    if dataset.kind not in kinds.KINDS:
        raise Unusable(f"is of kind “{dataset.kind}”", f"one of {', '.join(kinds.KINDS)} was expected")
    shape, wanted = dataset.shape, kinds.get(dataset.kind).axes
    if len(shape) != wanted or not all(isinstance(size, int) and size > 0 for size in shape):
        raise Unusable(
            f"has samples of shape {shape}",
            f"{wanted} whole numbers above 0 were expected, as its kind is {dataset.kind}",
        )
    if dataset.colours and set(dataset.colours) != set(dataset.classes):
        raise Unusable(f"has colours for {', '.join(dataset.colours)}", "one for each class, or none, was expected")
    if wrong := [one for one in dataset.colours.values() if not re.fullmatch("#[0-9a-f]{6}", one)]:
        raise Unusable(f"has “{wrong[0]}” as a colour", "colours like #e69f00 were expected")
    if dataset.count < 10:
        raise Unusable(f"has {dataset.count} samples", "at least 10 were expected, which are split into three parts")


def get(name: str) -> Dataset:
    """The dataset of that name, of this folder or brought by somebody; a `Problem` with the names that exist otherwise."""
    dataset = available().get(name) or uploads.dataset(name)
    if dataset is None:
        raise unknown(name)
    return dataset


def unknown(name: str) -> Problem:
    """What is said of a dataset that does not exist, and of one that somebody else has brought."""
    return Problem(
        f"the dataset “{name}” is unknown",
        f"known datasets are {', '.join(available())} and those of your own",
        "choose one of these; datasets of visitors are removed when they have not been used for some time",
    )


def check(name: str, owner: str) -> None:
    """The `Problem` of a dataset that does not exist, also for one that is somebody else's."""
    if not uploads.readable(name, owner):
        raise unknown(name)


def delete(name: str, owner: str) -> None:
    """Remove a dataset that this owner brought; its runs stay. The `Problem` of an unknown dataset where it is not theirs."""
    if not uploads.remove(name, owner):
        raise unknown(name)


def missing(dataset: Dataset) -> tuple[Remote, ...]:
    """The files that have to be downloaded before `arrays()` can read this dataset: absent ones and cut ones.

    Looks at sizes only, so that a page may ask at every rerun; `file()` checks the content.
    """
    if _read_arrays(dataset) is not None:
        return ()
    folder = dataset.downloads
    return tuple(remote for remote in dataset.files if _bytes(folder / remote.name) != remote.bytes)


def file(dataset: Dataset, name: str) -> Path:
    """The path of a downloaded file after checking its MD5; a `Problem` when absent, cut short or altered."""
    remote = next(remote for remote in dataset.files if remote.name == name)
    path = dataset.downloads / name
    again = f"download it on the Train page, or run python -m models download {dataset.name}"
    if _bytes(path) is None:
        raise Problem(
            f"{dataset.title} is not on this computer: {path} is missing",
            f"it is a file of {remote.bytes:,} bytes from {remote.url}",
            again,
        )
    came = _facts(path)
    if came != (remote.bytes, remote.md5):
        raise _altered(str(path), came, remote, f"{again}; what is there will be replaced")
    return path


def download(dataset: Dataset, progress: Progress = lambda _what, _share: None) -> None:
    """Fetch what is absent, cut short or altered, file by file: to a temporary name, checked, then renamed.

    Nothing half-done stays, so that one may try again as often as one likes.
    """
    if _read_arrays(dataset) is not None:
        return
    for remote in dataset.files:
        target = dataset.downloads / remote.name
        if _bytes(target) != remote.bytes or _facts(target) != (remote.bytes, remote.md5):
            _fetch(remote, target, progress)


def _fetch(remote: Remote, target: Path, progress: Progress) -> None:
    part = None
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        _sweep(target.parent, f".{remote.name}-*")
        handle, part = tempfile.mkstemp(dir=target.parent, prefix=f".{remote.name}-")
        done = 0
        with os.fdopen(handle, "wb") as out:
            for chunk in _stream(remote, target):
                out.write(chunk)
                done += len(chunk)
                progress(f"downloading {remote.name}", min(1.0, done / remote.bytes))
        came = _facts(Path(part))
        if came != (remote.bytes, remote.md5):
            advice = f"try again later or on another network, or put the file at {target} yourself"
            raise _altered(f"what came from {remote.url}", came, remote, advice)
        Path(part).chmod(0o644)  # mkstemp lets only its owner read, but a download folder may be shared
        Path(part).replace(target)
    except OSError as error:
        raise unwritable(target.parent, error) from error
    finally:
        if part is not None:
            Path(part).unlink(missing_ok=True)


def _stream(remote: Remote, target: Path) -> Iterator[bytes]:
    """The bytes behind an address, at most one chunk more than expected. Only what the network does is caught here."""
    try:
        request = urllib.request.Request(remote.url, headers={"User-Agent": "hourglass"})  # noqa: S310 (ours, not a person's)
        with urllib.request.urlopen(request, timeout=20) as response:  # noqa: S310
            left = remote.bytes
            while left >= 0 and (chunk := response.read(1 << 18)):
                left -= len(chunk)
                yield chunk
    except (OSError, http.client.HTTPException) as error:
        if isinstance(error, urllib.error.HTTPError):
            error.close()  # it is the response too, and would keep its socket
        raise Problem(
            f"{remote.url} could not be downloaded ({getattr(error, 'reason', None) or error})",
            do=f"connect to the internet and try again, or put the file at {target} yourself ({remote.bytes:,} bytes)",
        ) from error


def arrays(dataset: Dataset, progress: Progress = lambda _what, _share: None) -> Arrays:
    """The whole dataset, memory-mapped read-only from <home>/data/<fingerprint>/, laid down there at first use.

    Raises `Problem` when its files are missing or broken, or the folder cannot be written.
    """
    content = _read_arrays(dataset)
    if content is None:
        progress(f"preparing {dataset.title}", 0.0)
        _write_arrays(dataset)
        progress(f"preparing {dataset.title}", 1.0)
        content = _read_arrays(dataset)
    if content is None:
        raise Problem(
            f"{dataset.title} was written to {_folder(dataset)} but cannot be read back",
            do="check that disk, or name another folder in HOURGLASS_HOME",
        )
    return content


def laid_down(dataset: Dataset) -> bool:
    """Whether `arrays` finds the dataset as it laid it down before: else it reads or draws all of it."""
    return _read_arrays(dataset) is not None


def samples_at(dataset: Dataset, rows: NDArray[np.integer]) -> NDArray[np.generic]:
    """The samples of these rows (len(rows), *shape). Reads or draws no more than it must and writes nothing.

    Raises `Problem` when the dataset has to be downloaded first.
    """
    content = _read_arrays(dataset)
    if content is not None:
        return np.asarray(content.samples[rows])
    if dataset.draw is not None:
        return dataset.draw(np.asarray(rows, np.int64))
    return np.asarray(_read_once(dataset).samples[rows])


def missing_at(dataset: Dataset, rows: NDArray[np.integer]) -> NDArray[np.bool_] | None:
    """Which values of these rows of a table (K, columns) were not there and were filled; None where none was."""
    if dataset.gaps is not None:
        return np.asarray(dataset.gaps()[rows])
    return uploads.missing(dataset.name, rows, len(dataset.columns)) if dataset.kind == "table" else None


def originals_at(dataset: Dataset, rows: NDArray[np.integer]) -> NDArray[np.generic]:
    """`samples_at`, to be shown: what was missing is NaN, or none of a category's values, and not what it was filled with."""
    samples, gone = samples_at(dataset, rows), missing_at(dataset, rows)
    return samples if gone is None or not gone.any() else with_gaps(dataset.columns, samples, gone)


def names(dataset: Dataset) -> tuple[str, ...] | None:
    """The file name or row number that each sample came with (N,); None where the dataset keeps none.

    They stand in names.json beside the arrays, a list of texts. Whoever brought the files chose them: escape them.
    """
    path = _folder(dataset) / "names.json"
    try:
        return _names(path, path.stat().st_mtime_ns, dataset.count)
    except OSError:
        return None


@lru_cache(maxsize=4)
def _names(path: Path, _changed: int, count: int) -> tuple[str, ...] | None:
    try:
        read = json.loads(path.read_bytes())
    except (ValueError, RecursionError):
        return None
    whole = isinstance(read, list) and len(read) == count and all(isinstance(name, str) for name in read)
    return tuple(read) if whole else None


@lru_cache(maxsize=2)  # a dataset is up to 200 MB, and a person looks at one or two at a time
def _read_once(dataset: Dataset) -> Arrays:
    return dataset.read()


def _folder(dataset: Dataset) -> Path:
    return home() / "data" / dataset.fingerprint


def _read_arrays(dataset: Dataset) -> Arrays | None:
    """The arrays in their folder; None where they are absent or broken, so that they are laid down anew.

    Mapping a file fails when it is shorter than its header says, which a full disk or a crash would leave; no
    sample is read, and it takes less than a millisecond.
    """
    folder = _folder(dataset)
    try:
        content = Arrays(*(_mapped(folder / f"{part}.npy") for part in Arrays._fields))
    except (OSError, ValueError, EOFError):
        return None
    return None if _difference(dataset, content) else content


def _mapped(path: Path) -> NDArray[Any]:
    """The array in a file, mapped. Its header is Python's to parse, and CPython before 3.11.8 now and then refuses that
    with a SystemError where two threads parse at once, as a worker's do: it is asked again."""
    for _ in range(3):
        try:
            return np.lib.format.open_memmap(path, mode="r")
        except SystemError as error:
            refused = error
    raise refused


def _difference(dataset: Dataset, content: Arrays) -> str:
    """Words for the first array that is not as the dataset declares; none when all are."""
    stored = np.dtype(np.uint8 if kinds.get(dataset.kind).pixels else np.float32)
    declared = (
        ((dataset.count, *dataset.shape), stored),
        ((dataset.count,), np.dtype(np.int32)),
        ((dataset.count, len(dataset.factors)), np.dtype(np.float32)),
    )
    for part, array, (shape, dtype) in zip(Arrays._fields, content, declared, strict=True):
        if (array.shape, array.dtype) != (shape, dtype):
            return f"{part} {array.shape} {array.dtype} instead of {shape} {dtype}"
    return ""


def _write_arrays(dataset: Dataset) -> None:
    """Write the arrays beside their place and rename the folder: two processes may do it at once, one wins."""
    folder = _folder(dataset)
    part = None
    try:
        private(folder.parent)
        _sweep(folder.parent, f".{folder.name}-*")
        # Before reading: whoever cannot write should not wait for that.
        part = Path(tempfile.mkdtemp(dir=folder.parent, prefix=f".{folder.name}-"))
        content = _read(dataset)
        for name, array in zip(Arrays._fields, content, strict=True):
            with (part / f"{name}.npy").open("wb") as stream:
                np.save(stream, array)
                stream.flush()
                os.fsync(stream.fileno())  # or a power cut after the rename leaves files of zeros that look whole
        _place(dataset, part, folder)
    except OSError as error:
        raise unwritable(folder.parent, error) from error
    finally:
        if part is not None:
            shutil.rmtree(part, ignore_errors=True)


def _read(dataset: Dataset) -> Arrays:
    content = dataset.read()
    unlike = _difference(dataset, content)
    if unlike:
        raise Problem(
            f"reading {dataset.title} gave {unlike}",
            "that is not what its DATASET declares",
            f"correct read() or DATASET in models/datasets/{dataset.name.replace('-', '_')}.py",
        )
    return content


def _place(dataset: Dataset, part: Path, folder: Path) -> None:
    """Rename `part` to `folder`, unless another process was first; broken files give way to whole ones."""
    try:
        part.rename(folder)
    except OSError:
        if _read_arrays(dataset) is not None:
            return
        if not folder.is_dir():
            raise
        # File by file, so that nothing is absent at any moment; two processes doing this write the same bytes.
        for name in Arrays._fields:
            (part / f"{name}.npy").replace(folder / f"{name}.npy")


def _sweep(folder: Path, pattern: str) -> None:
    """Remove what a killed process left behind, once it is a day old: a younger one may still be at work."""
    for left in folder.glob(pattern):
        with contextlib.suppress(OSError):
            if time.time() - left.stat().st_mtime > 86_400:
                shutil.rmtree(left) if left.is_dir() else left.unlink()


def _bytes(path: Path) -> int | None:
    """The size of a file; None where there is none, or none that we may see."""
    try:
        return path.stat().st_size if path.is_file() else None
    except OSError:
        return None


def _facts(path: Path) -> tuple[int, str]:
    """The size and MD5 of a file."""
    done, digest = 0, hashlib.md5(usedforsecurity=False)
    try:
        with path.open("rb") as stream:
            while chunk := stream.read(1 << 20):
                digest.update(chunk)
                done += len(chunk)
    except OSError as error:
        raise Problem(
            f"{path} cannot be read ({error.strerror or error})",
            do="correct its permissions, or name another folder in HOURGLASS_DATA",
        ) from error
    return done, digest.hexdigest()


def _altered(what: str, came: tuple[int, str], remote: Remote, advice: str) -> Problem:
    return Problem(
        f"{what} has {came[0]:,} bytes and MD5 {came[1]}",
        f"the right file has {remote.bytes:,} bytes and MD5 {remote.md5}",
        advice,
    )

"""Datasets: one file in this folder is one dataset, found by its presence.

Such a file defines `DATASET`, a `Dataset`. Images are stored uint8 (N, H, W, C) and seen by a model as
float32 in [0, 1]; signals (N, T, C) and table rows (N, F) are stored float32. Reading a dataset for the first
time lays it down as memory-mappable arrays under <home>/data/<fingerprint>/, shared by all its runs.
"""

import hashlib
import importlib
import json
import os
import pkgutil
import shutil
import tempfile
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from models import Problem, downloads, home

TRAIN, VALIDATION, TEST = 0, 1, 2
SPLITS = ("train", "validation", "test")

Progress = Callable[[str, float], None]
"""Told (what is being done, share done in [0, 1])."""


class Arrays(NamedTuple):
    """A dataset in memory or memory-mapped: samples (N, ...), labels (N,) -1 where unknown, factors (N, K)."""

    samples: NDArray[np.generic]
    labels: NDArray[np.int32]
    factors: NDArray[np.float32]


@dataclass(frozen=True)
class Remote:
    """A file to download: its name under <downloads>/<dataset>/, where it comes from and what must arrive."""

    name: str
    url: str
    md5: str
    bytes: int


@dataclass(frozen=True)
class Dataset:
    """What a dataset is, without its samples.

    shape is one sample's: (H, W, C) for an image, (T, C) for a signal, (F,) for a table row. Rows are split
    into train, validation and test once and for all by `splits()`; `test_from` is the first row of a test
    set that the publisher fixed, None where the split is ours. `read` returns everything; `draw` returns the
    samples of some rows only and is there for datasets that can make one sample without the others.
    """

    name: str
    title: str
    summary: str
    kind: str
    shape: tuple[int, ...]
    count: int
    classes: tuple[str, ...]
    source: str
    licence: str
    read: Callable[[], Arrays]
    draw: Callable[[NDArray[np.int64]], NDArray[np.uint8]] | None = None
    factors: tuple[str, ...] = ()
    files: tuple[Remote, ...] = ()
    test_from: int | None = None
    version: int = 1
    label: str = "class"
    splits_seed: int = field(default=2006, repr=False)

    @property
    def fingerprint(self) -> str:
        """16 hex digits that change when the samples would: name, version, count, shape, checksums of its files."""
        facts = [self.name, self.version, self.count, list(self.shape), [remote.md5 for remote in self.files]]
        return hashlib.sha256(json.dumps(facts).encode()).hexdigest()[:16]

    @property
    def size(self) -> int:
        """How many numbers one sample holds."""
        return int(np.prod(self.shape))

    def splits(self) -> NDArray[np.uint8]:
        """The split of each row (N,): TRAIN, VALIDATION or TEST. Fixed by seed; needs no samples.

        Ours are 80 / 10 / 10 %. Where the publisher fixed the test set, a tenth of the others (at most 5,000)
        validates.
        """
        order = np.random.default_rng(self.splits_seed)
        out = np.zeros(self.count, np.uint8)
        if self.test_from is None:
            rows = order.permutation(self.count)
            tenth = self.count // 10
            out[rows[:tenth]] = TEST
            out[rows[tenth : 2 * tenth]] = VALIDATION
        else:
            out[self.test_from :] = TEST
            rows = order.permutation(self.test_from)
            out[rows[: min(self.test_from // 10, 5000)]] = VALIDATION
        return out


@cache
def found() -> dict[str, Dataset]:
    """Every dataset in this folder by name, in the order a newcomer should meet them (small ones first)."""
    modules = [importlib.import_module(f"{__name__}.{info.name}") for info in pkgutil.iter_modules(__path__)]
    all_ = [module.DATASET for module in modules if hasattr(module, "DATASET")]
    return {dataset.name: dataset for dataset in sorted(all_, key=lambda d: (len(d.files) > 0, d.count, d.name))}


def get(name: str) -> Dataset:
    """The dataset of that name; a `Problem` with the names that exist otherwise."""
    try:
        return found()[name]
    except KeyError:
        raise Problem(
            f"the dataset “{name}” is unknown", f"one of {', '.join(found())} was expected", "choose one of these"
        ) from None


def missing(dataset: Dataset) -> tuple[Remote, ...]:
    """The files that have to be downloaded before `arrays()` can read this dataset. Looks at presence only."""
    if _prepared(dataset):
        return ()
    return tuple(remote for remote in dataset.files if not (downloads() / dataset.name / remote.name).is_file())


def file(dataset: Dataset, name: str) -> Path:
    """The path of a downloaded file after checking its MD5; a `Problem` when absent, cut short or altered."""
    remote = next(remote for remote in dataset.files if remote.name == name)
    path = downloads() / dataset.name / name
    if not path.is_file():
        raise Problem(
            f"{dataset.title} is not on this computer: {path} is absent",
            f"a file of {remote.bytes:,} bytes from {remote.url} was expected",
            "download it on the Train page, or run python -m models download " + dataset.name,
        )
    _check(path, remote)
    return path


def download(dataset: Dataset, progress: Progress = lambda _what, _share: None) -> None:
    """Fetch what is missing, file by file: to a temporary name, checked, then renamed. Nothing half-done stays."""
    for remote in missing(dataset):
        target = downloads() / dataset.name / remote.name
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            handle, part = tempfile.mkstemp(dir=target.parent, prefix=f".{remote.name}-")
        except OSError as error:
            raise _unwritable(target.parent, error) from error
        try:
            with os.fdopen(handle, "wb") as out, urllib.request.urlopen(remote.url, timeout=20) as response:
                done = 0
                while chunk := response.read(1 << 18):
                    out.write(chunk)
                    done += len(chunk)
                    progress(f"downloading {remote.name}", min(1.0, done / remote.bytes))
            _check(Path(part), remote)
            os.replace(part, target)
        except OSError as error:
            raise Problem(
                f"{remote.url} could not be fetched ({getattr(error, 'reason', error)})",
                f"{remote.bytes:,} bytes were expected from it",
                f"connect to the internet and try again, or put the file at {target} yourself",
            ) from error
        finally:
            Path(part).unlink(missing_ok=True)


def arrays(dataset: Dataset, progress: Progress = lambda _what, _share: None) -> Arrays:
    """The whole dataset, memory-mapped read-only from <home>/data/<fingerprint>/, laid down there at first use.

    Raises `Problem` when its files are missing or broken, or the folder cannot be written.
    """
    folder = _folder(dataset)
    if not _prepared(dataset):
        progress(f"preparing {dataset.title}", 0.0)
        _lay_down(folder, dataset.read())
        progress(f"preparing {dataset.title}", 1.0)
    samples, labels, factors = (
        np.load(folder / f"{part}.npy", mmap_mode="r", allow_pickle=False) for part in Arrays._fields
    )
    return Arrays(samples, labels, factors)


def samples_at(dataset: Dataset, rows: NDArray[np.integer]) -> NDArray[np.generic]:
    """The samples of these rows (len(rows), *shape). Reads or draws no more than it must and writes nothing.

    Raises `Problem` when the dataset has to be downloaded first.
    """
    if _prepared(dataset):
        return np.asarray(np.load(_folder(dataset) / "samples.npy", mmap_mode="r", allow_pickle=False)[rows])
    if dataset.draw is not None:
        return dataset.draw(np.asarray(rows, np.int64))
    return _read_once(dataset.name).samples[rows]


@cache
def _read_once(name: str) -> Arrays:
    return get(name).read()


def _folder(dataset: Dataset) -> Path:
    return home() / "data" / dataset.fingerprint


def _prepared(dataset: Dataset) -> bool:
    return (_folder(dataset) / "factors.npy").is_file()


def _lay_down(folder: Path, content: Arrays) -> None:
    """Write the arrays beside their place and rename the folder: two processes may do it at once, one wins."""
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        part = Path(tempfile.mkdtemp(dir=folder.parent, prefix=f".{folder.name}-"))
    except OSError as error:
        raise _unwritable(folder.parent, error) from error
    try:
        for name, array in zip(Arrays._fields, content, strict=True):
            np.save(part / f"{name}.npy", array)
        os.rename(part, folder)
    except OSError as error:
        if not folder.is_dir():
            raise _unwritable(folder.parent, error) from error
    finally:
        shutil.rmtree(part, ignore_errors=True)


def _check(path: Path, remote: Remote) -> None:
    came = path.stat().st_size
    digest = hashlib.md5(usedforsecurity=False)
    with path.open("rb") as stream:
        while chunk := stream.read(1 << 20):
            digest.update(chunk)
    if digest.hexdigest() != remote.md5:
        raise Problem(
            f"{path.name} has {came:,} bytes and MD5 {digest.hexdigest()}",
            f"{remote.bytes:,} bytes with MD5 {remote.md5} were expected",
            f"delete {path} and download it again",
        )


def _unwritable(folder: Path, error: OSError) -> Problem:
    return Problem(
        f"{folder} cannot be written ({error.strerror or error})",
        "a folder with free space that this program may write to was expected",
        "free some space or name another folder in HOURGLASS_HOME and HOURGLASS_DATA",
    )

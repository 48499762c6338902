"""Storing an upload as a dataset."""

from __future__ import annotations

import contextlib
import dataclasses
import hashlib
import json
import os
import shutil
import tempfile
import time
import unicodedata
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models import Problem, home, kinds, private, unwritable
from models import beside as besides
from models.columns import Column, plain, standardised, to_asinh
from models.data import TEST, TRAIN, VALIDATION, Dataset, Progress
from models.readers.result import ReadResult, content_fingerprint, pieces
from models.uploads.listing import of
from models.uploads.quotas import SHELL, make_sure_all_fits, quota
from models.uploads.stored import MISSING_FILE, dataset, described, touch, write_text

FAR = 10.0  # excess kurtosis (0 of a normal, 6 of an exponential distribution) of columns with far outliers
APART = 10.0  # spreads from the median from which a value is far
JUDGED = 100_000  # rows that medians are taken from, at most
LEAST = 20  # samples: fewer leave none to validate and to test
TITLE = 60  # characters
Doubles = NDArray[np.float64]


def save(
    found: ReadResult,
    owner: str,
    title: str,
    source: str = "",
    *,
    shared: bool = False,
    progress: Progress = lambda _what, _share: None,
) -> Dataset:
    """Store the samples that were read as a dataset of this owner; the same content again is the same dataset.

    Images that lie in a file under <home>/uploads are moved from there, not copied. Signals and tables are
    standardised with the mean and deviation of the training split, piece by piece; columns of tables with far outliers
    are put on an asinh scale before. Rows that the data came with as
    training, validation and test stay so; what of the three is missing is drawn from the training rows. title is cut
    to letters, digits and a few marks; source says where it came from, for people. Raises `Problem` when there are
    fewer than 20 samples, when the owner keeps too much already, or when the folder cannot be written.
    """
    count = len(found.samples)
    if count < LEAST:
        raise Problem(
            f"a dataset needs at least {LEAST} samples, so that some are left to validate and to test; this one has {count}",
            do="bring more",
        )
    split, notes = _complete_split(found)
    fingerprint = _fingerprint(found, split, owner, progress)
    folder = home() / "data" / fingerprint
    with _writing(folder, fingerprint) as part:
        known = dataset(f"own-{fingerprint}")
        if known is None:
            _within_quota(found.samples.size * (1 if kinds.get(found.kind).pixels else 4), owner)  # as they are stored
            training = split if split is not None else _own_split(found, fingerprint)
            columns = _store(found, training == TRAIN, part, progress)
            _save(part / "labels.npy", found.labels.astype(np.int32))
            _save(part / "factors.npy", np.zeros((count, 0), np.float32))
            if split is not None:
                _save(part / "split.npy", split)
            (part / "names.json").write_text(json.dumps(found.names))
            _keep_beside(found, part)
            if columns:  # megabytes for a wide table, and about.json is read for every list
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
                "warnings": [*found.warnings, *notes, *_told(columns)],
                "skipped": found.skipped,
                "scaled": _scaled(found),
                "label": found.label,
                "called": found.called,
            }
            (part / "used").touch()
            _write(part / "about.json", about)
            part.rename(folder)
        else:
            about = json.loads((folder / "about.json").read_text()) | {"title": fit_title(title), "shared": shared}
            about.setdefault("scaled", _scaled(found))
            about |= {"label": found.label, "called": found.called}
            _keep_beside(found, folder)
            _write(folder / "about.json", about)
            touch(folder)
    kept = dataset(f"own-{fingerprint}")
    assert kept is not None
    return kept


def _keep_beside(found: ReadResult, folder: Path) -> None:
    """What is not learnt from: which values are missing, and the columns beside the samples."""
    besides.write(folder, found.beside)
    if found.missing is not None:
        _save(folder / f".{MISSING_FILE}", found.missing)
        (folder / f".{MISSING_FILE}").replace(folder / MISSING_FILE)


def _told(columns: Sequence[Column]) -> list[str]:
    """A sentence on the columns that are on an asinh scale, if any."""
    names = [f"“{column.name}”" for column in columns if column.linear_width]
    if not names:
        return []
    some = ", ".join(names[:5]) + (f" and {len(names) - 5} more" if len(names) > 5 else "")
    verb = "has" if len(names) == 1 else "have"
    return [
        f"{some} {verb} values far from the others: the network sees them on a scale like a logarithm's (asinh), so that a few "
        "rows do not decide everything. Pages show your own units."
    ]


def _scaled(found: ReadResult) -> dict[str, Any]:
    """How images became samples, where it is known: `scaled` gives it back."""
    levels, fit = found.levels, found.decision("fit")
    return {"levels": dataclasses.asdict(levels) if levels else None, "fit": fit.chosen if fit else None}


def fit_title(title: str) -> str:
    """A title that needs no escaping in pages, figures and files: letters, digits and harmless marks only."""
    kept = (c if unicodedata.category(c)[0] in "LN" or c in " -.,()&+'%" else " " for c in title)
    return " ".join("".join(kept).split())[:TITLE].strip() or "Untitled"


def _fingerprint(found: ReadResult, split: NDArray[np.uint8] | None, owner: str, progress: Progress) -> str:
    """16 hex digits: of the content, of what else is stored of it, and of the owner."""
    progress("taking a fingerprint", 0.0)
    digest = hashlib.sha256(content_fingerprint(found).encode())
    for more in (owner, list(found.classes), plain(found.columns), list(found.names)):
        digest.update(json.dumps(more).encode())
    digest.update(b"" if split is None else split.tobytes())
    return digest.hexdigest()[:16]


def _complete_split(found: ReadResult) -> tuple[NDArray[np.uint8] | None, list[str]]:
    """The split (N,) that the data came with, completed to three parts, and sentences on what was added.

    None stands for our own split. Where the data lack validation or test samples, a tenth of the training rows (at
    most 5,000) is taken for it, as for published datasets.
    """
    if found.split is None:
        return None, []
    split, notes, order = found.split.copy(), [], np.random.default_rng(2006)
    if (split == TRAIN).sum() < LEAST - 4:
        return None, ["The data name too few samples to train on, so their split is not kept."]
    for part, word in ((VALIDATION, "validate"), (TEST, "test")):
        if not (split == part).any():
            rows = order.permutation(np.flatnonzero(split == TRAIN))
            split[rows[: max(1, min(len(rows) // 10, 5000))]] = part
            notes.append(f"The data do not say which samples {word}; a tenth of the training samples does.")
    return split, notes


def _own_split(found: ReadResult, fingerprint: str) -> NDArray[np.uint8]:
    return described(f"own-{fingerprint}", found.kind, found.shape, len(found.samples)).splits()


def _within_quota(more: int, owner: str) -> None:
    if owner == SHELL:
        return
    make_sure_all_fits(more)
    taken = sum(one.bytes for one in of(owner) if one.owner == owner)
    if taken + more > quota():
        raise Problem(
            f"this dataset takes {more:,} bytes, and your others take {taken:,}",
            f"at most {quota():,} in all are allowed",
            "delete one of your datasets, or bring fewer or smaller samples",
        )


def _store(found: ReadResult, training: NDArray[np.bool_], part: Path, progress: Progress) -> tuple[Column, ...]:
    """Write samples.npy into `part`; returns the columns with the scaling that was applied."""
    target = part / "samples.npy"
    if kinds.get(found.kind).pixels:
        source = getattr(found.samples, "filename", None)  # of a memory map
        if source is not None and (home() / "uploads").resolve() in Path(source).resolve().parents:
            Path(source).rename(target)
            with target.open("rb") as stream:
                os.fsync(stream.fileno())
        else:
            _stream(target, found.samples.shape, np.dtype(np.uint8), pieces(found.samples), progress)
        return ()
    columns = measured(found, training)
    scaled = (standardised(columns, piece) for piece in pieces(found.samples))
    _stream(target, found.samples.shape, np.dtype(np.float32), scaled, progress)
    return columns


def measured(found: ReadResult, training: NDArray[np.bool_]) -> tuple[Column, ...]:
    """The columns of a table or signal, numeric ones with mean and standard deviation of the training rows; those of a table
    that have far outliers are put on an asinh scale (see `Column`).

    A column that varies by less than its rounding error counts as constant and gets a standard deviation of 1.
    """
    width = found.samples.shape[-1]
    columns = found.columns or tuple(Column(f"{i + 1}", "number", i, 1) for i in range(width))
    mean, deviation, kurtosis = _moments(found, training, columns)
    far = [c for c in columns if c.kind == "number" and kurtosis[c.start] > FAR] if found.kind == "table" else []
    if far:
        some = _some_rows(found, training)
        columns = tuple(
            _on_asinh_scale(column, some[:, column.start]) if column in far else column for column in columns
        )
        mean, deviation, _ = _moments(found, training, columns)
    return tuple(
        dataclasses.replace(column, mean=float(mean[column.start]), deviation=float(deviation[column.start]))
        if column.kind == "number"
        else column
        for column in columns
    )


def _moments(found: ReadResult, training: NDArray[np.bool_], columns: Sequence[Column]) -> tuple[Doubles, ...]:
    """Mean, standard deviation and excess kurtosis of each feature, or channel, over the training rows."""
    width = found.samples.shape[-1]
    count, total, squares, fourth = 0, np.zeros(width), np.zeros(width), np.zeros(width)
    for again in (False, True):  # two passes: the sum of squares of numbers far from 0 loses all digits
        for rows in _training_rows(found, training):
            values = to_asinh(columns, rows)
            if again:
                apart = (values - total / count) ** 2
                squares, fourth = squares + apart.sum(0), fourth + (apart**2).sum(0)
            else:
                total, count = total + values.sum(0), count + len(values)
    mean, deviation = total / count, np.sqrt(squares / count)
    least = 1e-6 if found.samples.dtype == np.float32 else 1e-13
    varies = deviation > least * np.abs(mean)
    deviation = np.where(varies, deviation, 1.0)
    return mean, deviation, np.where(varies, fourth / count / deviation**4 - 3, 0.0)


def _training_rows(found: ReadResult, training: NDArray[np.bool_]) -> Iterator[Doubles]:
    """The training samples piece by piece, of signals each step as a row: (R, F) or (R, C)."""
    at = 0
    for piece in pieces(found.samples):
        rows = piece[training[at : at + len(piece)]]
        at += len(piece)
        yield rows.reshape(-1, found.samples.shape[-1]).astype(np.float64)


def _some_rows(found: ReadResult, training: NDArray[np.bool_]) -> Doubles:
    """At most `JUDGED` of the training rows of a table, spread over it."""
    step = -(-int(training.sum()) // JUDGED)
    return np.concatenate([rows[::step] for rows in _training_rows(found, training)])


def _on_asinh_scale(column: Column, values: Doubles) -> Column:
    """The column on an asinh scale, by its values (R,) in training rows; as it is where none of them is `APART` spreads away.

    Centre and linear width are median and spread, which outliers leave alone: the spread is that of a normal distribution with the
    same quartiles; where half of the values are equal, the median distance of the others from these.
    """
    low, median, high = np.percentile(values, [25, 50, 75])
    away = np.abs(values - median)
    spread = (high - low) / 1.349 or float(np.median(away[away > 0])) if away.any() else 0.0
    if away.max() <= APART * spread:
        return column
    return dataclasses.replace(column, centre=float(median), linear_width=float(spread))


def _stream(
    path: Path, shape: Sequence[int], dtype: np.dtype[Any], parts: Iterator[NDArray[Any]], progress: Progress
) -> None:
    """Write an NPY file piece by piece: a memory map would count as memory of this process until it is written back."""
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
    write_text(path, json.dumps(about, allow_nan=False))


@contextlib.contextmanager
def _writing(folder: Path, fingerprint: str) -> Iterator[Path]:
    """A staging directory beside `folder`, removed unless it was renamed. An OSError becomes a `Problem`."""
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

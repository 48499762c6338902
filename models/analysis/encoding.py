"""New samples through a trained run: read safely, fitted to what the run takes, encoded and held against its data."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models import Problem, datasets, kinds, uploads
from models.analysis.checks import nearest_of
from models.analysis.metrics import squared_errors
from models.codes import Floats, to_float
from models.columns import Column, standardised, with_gaps
from models.datasets import Progress
from models.export import class_column
from models.readers.dates import made_of_dates
from models.readers.guarded import guarded_read
from models.readers.result import ReadResult, missing_of
from models.readers.work import plain
from models.runs import Run

MOST = 10_000  # samples encoded at once
HELD = 128 << 20  # bytes of them
NEIGHBOURS = 5


@dataclass(frozen=True)
class Fitted:
    """Samples as the run's dataset would store them (N, *shape), what each is called, what was left out of what came
    (name, why), and what was done on the way, in sentences. Names are what somebody else wrote. shown: the same of rows with
    what was missing as NaN."""

    samples: NDArray[Any]
    names: tuple[str, ...]
    skipped: tuple[tuple[str, str], ...]
    said: tuple[str, ...]
    shown: NDArray[Any]


def read(
    run: Run,
    paths: Sequence[Path],
    folder: Path,
    *,
    fit: str | None = None,
    inverted: bool = False,
    progress: Progress = lambda _what, _share: None,
) -> Fitted:
    """The samples in these files, fitted to the run; read by another process (see `models.readers.guarded`).

    folder: takes what is read, and belongs to the caller, who removes it; what is returned does not need it. fit:
    how images of other sizes get there, "crop", "resize" or "pad"; None as those of the run did. inverted: images are turned from dark on light to
    light on dark. Raises `Problem` when the files cannot be read or do not fit the run.
    """
    readings = 0

    def reading(**choices: Any) -> ReadResult:
        nonlocal readings
        readings += 1
        return guarded_read(list(paths), folder / str(readings), choices, progress)

    found, samples, said = _WAYS[run.kind].read(run, reading, fit)
    most = min(MOST, max(1, HELD // max(1, samples[:1].nbytes)))
    if len(samples) > most:
        said.append(f"The first {most:,} of {len(samples):,} samples are encoded.")
    samples = np.array(samples[:most])  # the folder goes
    if inverted and samples.dtype == np.uint8:
        samples = 255 - samples
        said.append("Dark and light were exchanged.")
    words = [decision.words for decision in found.decisions if decision.what != "kind"]
    shown = samples
    if run.kind == "table" and found.missing is not None:
        shown = with_gaps(run.columns, samples, missing_of(found.missing[:most], len(run.columns)))
    return Fitted(samples, found.names[:most], found.skipped, (*words, *said, *found.warnings), shown)


def takes(run: Run) -> str:
    """What a run takes, as the end of a sentence."""
    return _WAYS[run.kind].takes(run)


def _takes_images(run: Run) -> str:
    height, width, channels = run.shape
    return f"images of {width} x {height} pixels in {'greys' if channels == 1 else 'colour'}"


def _takes_signals(run: Run) -> str:
    steps, channels = run.shape
    names = ", ".join(plain(column.name, 30) for column in run.columns[:8])
    words = f"{channels} channel{'s' if channels > 1 else ''}{f' ({names})' if names else ''}"
    return f"signals of {steps} steps with {words}"


def _takes_rows(run: Run) -> str:
    names = ", ".join(plain(column.name, 30) for column in run.columns[:12])
    more = " and others" if len(run.columns) > 12 else ""
    return f"rows with the columns {names}{more}" if names else f"rows of {run.shape[0]} numbers"


def _unfit(run: Run, came: str, do: str) -> Problem:
    return Problem(came, f"this run takes {takes(run)}", do)


Read = tuple[ReadResult, NDArray[Any], list[str]]


def _images(run: Run, reading: Any, fit: str | None) -> Read:
    height, width, channels = run.shape
    colour = "grey" if channels == 1 else "colour"
    known = uploads.scaled(run.configuration.dataset)
    found = reading(kind="image", size=[height, width], colour=colour, **known | ({"fit": fit} if fit else {}))
    if found.shape != run.shape:
        raise _unfit(run, f"images of {' x '.join(map(str, found.shape))} came", "bring others")
    scaling, said = found.decision("scaling"), []
    if "levels" not in known and scaling is not None and scaling.chosen == "stretch":
        said.append(
            "How the run's own data were scaled is not known: if not by the same levels, the codes are not comparable."
        )
    return found, found.samples, said


def _signals(run: Run, reading: Any, _fit: str | None) -> Read:
    steps, channels = run.shape
    ways: list[dict[str, Any]] = [{"window": steps}]
    if channels == 1:  # a table may hold one signal in each row
        ways.insert(0, {"layout": "across"})
    problem: Problem | None = None
    for way in ways:
        try:
            found = reading(kind="signal", **way)
        except Problem as error:
            problem = error
            continue
        taken = _channels(run, found)
        if found.shape[0] == steps and taken is not None:
            places, said = taken
            return found, standardised(run.columns, found.samples[..., places]), said
        problem = _unfit(
            run,
            f"signals of {found.shape[0]:,} steps with {found.shape[1]} channels came",
            "cut or resample them to that length, and keep its channels",
        )
    raise problem or _unfit(run, "no signal came", "bring others")


def _channels(run: Run, found: ReadResult) -> tuple[list[int], list[str]] | None:
    """Which channels of what was found are the run's, by name, else by their order; None where they are too few."""
    there = {column.name: i for i, column in enumerate(found.columns)}
    wanted = [column.name for column in run.columns]
    if all(name in there for name in wanted):
        extra = [name for name in there if name not in wanted]
        return [there[name] for name in wanted], _left_out(extra)
    if found.shape[-1] != len(wanted):
        return None
    return list(range(len(wanted))), ["Its channels have other names and are taken in their order."]


def _left_out(extra: Sequence[str]) -> list[str]:
    if not extra:
        return []
    some = ", ".join(f"“{plain(name, 40)}”" for name in extra[:5])
    more = f" and {len(extra) - 5} more" if len(extra) > 5 else ""
    return [f"The run does not know {some}{more}, and goes without."]


def _rows(run: Run, reading: Any, _fit: str | None) -> Read:
    # No column is taken for a label: what the run has learnt from may well be called “class”.
    categories = {
        column.name: "category" for column in run.columns if column.kind == "category"
    }  # also of 007 and days
    times = "features" if made_of_dates(column.name for column in run.columns) else None
    found = reading(kind="table", label="", missing="keep", columns=categories, times=times)
    # What is missing is filled as where the run learnt, and not with the mean of a few new rows.
    found = replace(found, decisions=tuple(one for one in found.decisions if one.what != "missing"))
    found = replace(found, columns=tuple(_as_known(run.columns, found.columns)))
    known = {column.name for column in run.columns}
    extra = [column.name for column in found.columns if column.name not in known]
    counted = [str(i + 1) for i in range(len(found.columns))]
    if [column.name for column in found.columns] == counted and not known & set(counted):  # an array has no names
        if found.shape != run.shape or any(column.kind != "number" for column in run.columns):
            raise _unfit(run, f"rows of {found.shape[0]:,} numbers without names came", "bring a table with a header")
        words = "What came names no columns; they are taken in their order."
        rows = standardised(run.columns, found.samples)
        found = replace(found, missing=np.packbits(np.isnan(rows), axis=1))
        return found, np.nan_to_num(rows, nan=0.0), [words, *_filled(np.isnan(rows))]
    left = {name: why for name, why in found.skipped if why.startswith("the column ")}
    there = {column.name for column in found.columns} | {name for name, why in left.items() if "is empty" in why}
    absent = [column.name for column in run.columns if column.name not in there]
    if absent:
        some = ", ".join(f"“{plain(name, 40)}”" for name in absent[:6])
        raise _unfit(run, f"the table lacks {some}{' and others' if len(absent) > 6 else ''}", "add or rename columns")
    extra += [name for name in left if name not in known]
    samples, missing, said = _laid(run.columns, found)
    # The mean of a column is 0 once it is standardised.
    samples = np.nan_to_num(standardised(run.columns, samples), nan=0.0)
    found = replace(found, skipped=tuple(one for one in found.skipped if one[0] not in left))
    found = replace(found, missing=np.packbits(missing, axis=1))
    return found, samples, _left_out(extra) + _filled(missing) + said


def _as_known(columns: Sequence[Column], came: Sequence[Column]) -> list[Column]:
    """The columns that came, by the names that the run knows them by: of two tables one may have a unit beside each number,
    which is told in the name, and the other none."""
    plainly = {re.sub(r" \([^()]*\)$", "", column.name): column.name for column in columns}
    known = {column.name for column in columns}
    out = []
    for column in came:
        base = re.sub(r" \([^()]*\)$", "", column.name)
        name = column.name if column.name in known else base if base in known else plainly.get(column.name, column.name)
        taken = name != column.name and any(other.name == name for other in came)
        out.append(column if taken else replace(column, name=name))
    return out


def _filled(missing: NDArray[np.bool_]) -> list[str]:
    """What becomes of missing values (N, columns), in words."""
    rows, count = int(missing.any(1).sum()), int(missing.sum())
    if not count:
        return []
    return [
        f"{rows:,} row{'s lack' if rows > 1 else ' lacks'} {count:,} value{'s' if count > 1 else ''}: a missing number "
        "becomes the mean of the data that the run has learnt from, a missing category none of its values."
    ]


def _laid(columns: Sequence[Column], found: ReadResult) -> tuple[NDArray[np.float64], NDArray[np.bool_], list[str]]:
    """What was found in the run's columns (N, F), in the table's own units: by name, categories by their value; and
    what is missing there (N, columns): NaN where it is a number, else no category. A column may be missing whole."""
    out = np.zeros((len(found.samples), sum(column.width for column in columns)), np.float64)
    missing = np.zeros((len(out), len(columns)), bool)
    there, said = {column.name: column for column in found.columns}, []
    for at, column in enumerate(columns):
        if column.name not in there:
            missing[:, at] = True
            if column.kind == "number":
                out[:, column.start] = np.nan
            continue
        came = there[column.name]
        part = np.asarray(found.samples[:, came.start : came.start + came.width])
        name = plain(column.name, 40)
        if column.kind == "number":
            if came.kind != "number":
                raise Problem(
                    f"the column “{name}” must hold numbers, as in the run's own data",
                    f"it holds text, such as “{plain(came.values[0], 40)}”",
                    "correct the column",
                )
            out[:, column.start] = part[:, 0]
            missing[:, at] = np.isnan(part[:, 0])
            continue
        place = {value: i for i, value in enumerate(column.values)}
        if came.kind == "category":
            texts, which = list(came.values), np.where(part.max(1) > 0, part.argmax(1), -1)
        else:  # categories that look like numbers, as “1” and “2”, when no other is among the new rows
            numbers, which = np.unique(part[:, 0], return_inverse=True)
            which = np.where(np.isnan(part[:, 0]), -1, which)
            texts = [f"{number:g}" for number in numbers]
        missing[:, at] = which == -1
        for i, text in enumerate(texts):
            rows = which == i
            if text in place:
                out[rows, column.start + place[text]] = 1
            elif rows.any():
                said.append(
                    f"The run has never met “{plain(text, 40)}” in “{name}”: {int(rows.sum()):,} "
                    f"row{'s have' if rows.sum() > 1 else ' has'} none of the values it knows."
                )
    return out, missing, said


@dataclass(frozen=True)
class Encoded:
    """New samples in the run's code space, all arrays (N, …).

    codes (N, D). errors (N,): mean squared error per value of the reconstruction. percentile (N,): the per cent of the
    run's own test samples (of all stored ones where it keeps none) with a smaller error. nearest (N, k): places of
    the nearest stored codes, nearest first. distance (N,): to the first of them.
    """

    codes: Floats
    errors: Floats
    percentile: Floats
    nearest: NDArray[np.int64]
    distance: Floats

    def far(self, run: Run) -> NDArray[np.bool_]:
        """Which lie further from the data than 99 % of the data lie from each other (N,), as the explorer says it."""
        return np.asarray(self.distance > run.card.codes.nearest_p99)


def encode(run: Run, samples: NDArray[Any], progress: Progress = lambda _what, _share: None) -> Encoded:
    """Samples (N, *shape), N >= 1, as the run's dataset stores them, through its encoder and decoder."""
    codes, errors = [], []
    for start in range(0, len(samples), 512):
        progress("encoding", start / len(samples))
        part = samples[start : start + 512]
        code = run.coder.encode(part)
        codes.append(code)
        errors.append(squared_errors(to_float(part), run.coder.decode(code)))
    code, error = np.concatenate(codes), np.concatenate(errors)
    test = run.errors[run.splits == datasets.TEST]
    usual = np.sort(test if len(test) else run.errors)
    percentile = (100 * np.searchsorted(usual, error) / len(usual)).astype(np.float32)
    nearest, distance = nearest_of(run.codes, code, NEIGHBOURS)
    return Encoded(code, error, percentile, nearest, distance[:, 0])


@dataclass(frozen=True)
class _Way:
    """How new samples of one kind get to a run: what it says that it takes, and how what was brought is read."""

    takes: Callable[[Run], str]
    read: Callable[[Run, Any, str | None], Read]


_WAYS = {
    "image": _Way(_takes_images, _images),
    "signal": _Way(_takes_signals, _signals),
    "table": _Way(_takes_rows, _rows),
}


def called(run: Run, names: Sequence[str]) -> str:
    """What a column of the names of new samples is called: rows and signals of a file have none but their number."""
    return "name" if kinds.get(run.kind).pixels or not all(name.isdecimal() for name in names) else "row in the file"


def table(run: Run, names: Sequence[str], encoded: Encoded) -> Mapping[str, Any]:
    """What is known of new samples as the columns of a table: name, code, error, distance, the nearest stored sample."""
    first = encoded.nearest[:, 0]
    labels = run.labels[first]
    return {
        called(run, names): list(names),
        **{f"z{i + 1}": encoded.codes[:, i] for i in range(run.code_size)},
        "error": encoded.errors,
        "error percentile": encoded.percentile,
        "distance": encoded.distance,
        "far from the data": ["yes" if far else "no" for far in encoded.far(run)],
        "nearest row": run.rows[first] + 1,
        **class_column(run, run.class_names(labels), "nearest "),
    }

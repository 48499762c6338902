"""Signals made of a table: time series cut into windows, or a signal in each row."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from models import Problem
from models.data import TEST, TRAIN, VALIDATION
from models.readers import arrays, precision
from models.readers.gathering import Table, columns_of, slices, with_unit
from models.readers.result import ReadResult
from models.readers.work import Work

if TYPE_CHECKING:
    from models.readers.clocks import Clock

JUMP = 3  # steps of time after which the next row is no longer of the same stretch
MIXED = 0.3  # the share of rows with another class than the row before, above which they are hardly of one signal
HOLE = 8  # the part of a window that may be missing in one piece, and is drawn as a straight line
SERIES = 512  # rows from which evenly timed ones are taken for a signal: fewer make too few windows to learn from


def stretches_of(moments: NDArray[np.float64]) -> list[tuple[int, int]]:
    """From where to where time goes on without a jump. A time that is repeated is none, nor is a step as nine of ten are
    where times are uneven."""
    steps = np.diff(moments)
    ahead = steps[steps > 0]
    whole = (steps >= 0) & (steps <= JUMP * (np.quantile(ahead, 0.9) if len(ahead) else 0.0))
    ends = np.flatnonzero(~whole) + 1
    return list(zip([0, *ends.tolist()], [*ends.tolist(), len(moments)], strict=True))


def signals(
    table: Table,
    columns: Sequence[int],
    numbers: list[int],
    labels: NDArray[np.int32],
    classes: tuple[str, ...],
    names: Sequence[str],
    clock: Clock | None,
    work: Work,
) -> ReadResult:
    """Samples (N, T, C) of the columns of numbers. clock: the times of the rows, which are in their order."""
    words = "The table is taken for signals, as chosen."
    many = clock is not None and len(clock.columns) > 2
    called = (" to " if many else " and ").join(f"“{name}”" for name in _ends(table, clock))
    if clock is not None:
        telling = f"{'The columns' if len(clock.columns) > 1 else 'The column'} {called} tell{'' if len(clock.columns) > 1 else 's'} the time"
        telling += f" in {clock.how}" if clock.how not in ("", "a count") else ""
        if work.choices.kind is None:
            words = f"{telling}, so that the rows are taken for moments of a signal."
        if clock.newest:
            words += " The newest came first; they were turned round."
        if clock.changes:
            words += " Clocks were changed, which is no gap."
        if clock.shuffled:
            words += " They came in no order, and were put into that of their times."
    changes = float(np.mean(np.diff(labels) != 0)) if classes and len(labels) > 1 else 0.0
    if changes > MIXED:
        words += " But its class changes all the time: they could be several signals at once, or samples."
    work.decide("kind", "signal", ["signal", "table"], words, asks=changes > MIXED)
    for i in columns:
        if i not in numbers:
            work.skip(table.names[i], "the column holds text, and a signal is made of numbers")
    if not numbers:
        raise Problem("no column holds numbers", "a time series has one column for each channel", "bring another table")
    pieces = (table.values[some][:, numbers] for some in slices(table.values))
    dtype = precision.of_numbers(pieces, len(numbers), (len(table.values), len(numbers)), work)
    values = columns_of(table.values, numbers, work, dtype)
    layouts = {"down": "Time runs down the rows.", "across": "Each row is one signal."}
    layout = work.choices.layout or "down"
    work.decide("layout", layout, ["down", "across"], layouts[layout])
    if layout == "across":
        keep = ~np.isnan(values).any(1)
        for row in table.rows[~keep]:
            work.skip(f"row {row}", "the signal has missing values")
        out = work.allocate((int(keep.sum()), len(numbers), 1), dtype)
        out[..., 0] = values[keep]
        work.taken = np.flatnonzero(keep)
        kept = [name for name, there in zip(names, keep.tolist(), strict=True) if there]
        return work.found("signal", out, labels[keep], classes, kept, None, arrays.of_features(out, None, ["value"]))
    return _windows(table, values, dtype, numbers, labels, classes, clock, called, work)


def _ends(table: Table, clock: Clock | None) -> list[str]:
    """The names of the columns that tell the time; of more than two the first and the last."""
    names = [table.names[i] for i in clock.columns] if clock is not None else []
    return names if len(names) < 3 else [names[0], names[-1]]


@dataclass(frozen=True)
class Moments:
    """Values (N, C), labels (N,), numbers (N,) and places in the table (N,) of rows that follow each other in time, and from
    where to where they do so without a jump."""

    values: NDArray[Any]
    labels: NDArray[np.int32]
    rows: NDArray[np.int64]
    places: NDArray[np.int64]
    stretches: list[tuple[int, int]]


def _windows(
    table: Table,
    values: NDArray[Any],
    dtype: type[np.generic],
    numbers: Sequence[int],
    labels: NDArray[np.int32],
    classes: tuple[str, ...],
    clock: Clock | None,
    called: str,
    work: Work,
) -> ReadResult:
    moments = Moments(values, labels, table.rows, np.arange(len(values)), [(0, len(values))])
    if clock is not None:
        moments = _in_time(moments, clock.moments, called, work)
    longest = max(end - start for start, end in moments.stretches)
    usual = 2 ** int(np.log2(max(2, min(64, len(moments.values) // 8, longest))))
    window = work.choices.window or usual
    step = work.choices.step or window
    if window > longest:
        raise Problem(f"window must be 1 to {longest:,} rows; {window:,} was given", do="choose a shorter window")
    work.decide("window", window, [16, 32, 64, 128, 256], f"Signals are cut into windows of {window:,} rows.")
    work.decide("step", step, [window, max(1, window // 2)], f"A window begins every {step:,} rows.")
    starts = np.concatenate([np.arange(start, end - window + 1, step) for start, end in moments.stretches])
    if len(moments.stretches) > 1:
        gaps = len(moments.stretches) - 1
        work.warn(
            f"The time in {called} has {'one gap' if gaps == 1 else f'{gaps:,} gaps'}; no window spans {'it' if gaps == 1 else 'one'}."
        )
    split = None
    if step < window:
        split, apart = split_in_time(starts, window)
        if split is not None:
            work.warn(left_out(apart))
            starts, split = starts[apart], split[apart]
    out, label, kept = _cut(moments, starts, window, dtype, bool(classes), work)
    split = None if split is None else split[kept]
    columns = arrays.of_features(out, None, [with_unit(table.names[i], table.units.get(i, "")) for i in numbers])
    names = [str(row) for row in moments.rows[starts[kept]]]
    work.taken = moments.places[starts[kept]]
    return work.found("signal", out, label, classes, names, split, columns)


def _in_time(moments: Moments, seconds: NDArray[np.float64], called: str, work: Work) -> Moments:
    """Rows with their stretches; where times are uneven as they come, or at even steps."""
    moments = replace(moments, stretches=stretches_of(seconds))
    if not _uneven(seconds):
        return moments
    way = work.choices.rhythm or "as they come"
    told = {
        "as they come": "windows are cut by rows, as if they were even",
        "even": "values are interpolated between them at even steps",
    }
    work.decide("rhythm", way, list(told), f"The times in {called} are uneven: {told[way]}.")
    return _resampled(seconds, moments, work) if way == "even" else moments


def _cut(
    moments: Moments, starts: NDArray[np.int64], window: int, dtype: type[np.generic], labelled: bool, work: Work
) -> tuple[NDArray[Any], NDArray[np.int32], list[int]]:
    """Windows (N, T, C) that begin at these rows, their labels (N,), and which of them have no hole that is too long."""
    values, rows = moments.values, moments.rows
    missing = work.choices.missing or "line"
    holes = sum(int(np.isnan(values[some]).sum()) for some in slices(values))
    if holes:
        told = {
            "line": f"short gaps are drawn as straight lines, and windows with gaps of more than {window // HOLE:,} rows left out",
            "skip": "windows that have one are left out",
        }
        missing = missing if missing in told else "line"
        work.decide("missing", missing, list(told), f"{holes:,} values are missing: {told[missing]}.")
    out = work.allocate((len(starts), window, values.shape[1]), dtype)
    kept: list[int] = []
    mixed = 0
    label = np.full(len(starts), -1, np.int32)
    for i, start in enumerate(starts.tolist()):
        if i % 1024 == 0:
            work.progress("cutting windows", i, len(starts))
        part: NDArray[Any] | None = values[start : start + window]
        if part is not None and holes:
            part = _filled(part, window // HOLE if missing == "line" else 0)
        if part is None:
            work.skip(f"rows {rows[start]} to {rows[start + window - 1]}", "the window has missing values")
            continue
        out[len(kept)] = part
        if labelled:
            counts = Counter(moments.labels[start : start + window].tolist()).most_common(1)
            label[len(kept)] = counts[0][0]
            mixed += counts[0][1] < window
        kept.append(i)
    if mixed:
        work.warn(f"{mixed:,} windows have rows of several classes; each counts for the class with the most rows.")
    return out[: len(kept)], label[: len(kept)], kept


def _uneven(moments: NDArray[np.float64]) -> bool:
    """Whether more than a tenth of the steps of time are not of about the usual size."""
    steps = np.diff(moments)
    ahead = steps[steps > 0]
    if not len(ahead):
        return False
    usual = np.median(ahead)
    return bool(np.mean(np.abs(steps - usual) <= 0.5 * usual) < 0.9)


def _resampled(seconds: NDArray[np.float64], moments: Moments, work: Work) -> Moments:
    """Rows at even steps of the usual size, each stretch by itself: values on straight lines between their neighbours in
    time, labels and numbers of the last row before. Missing values stay missing."""
    steps = np.diff(seconds)
    usual = float(np.median(steps[steps > 0]))
    made: list[NDArray[Any]] = []
    taken: list[NDArray[np.int64]] = []
    stretches: list[tuple[int, int]] = []
    at = 0
    for start, end in moments.stretches:
        work.tick()
        there, values = seconds[start:end], moments.values[start:end]
        goal = np.arange(there[0], there[-1] + usual / 1000, usual)
        before = np.clip(np.searchsorted(there, goal, side="right") - 1, 0, len(there) - 1)
        after = np.clip(before + 1, 0, len(there) - 1)
        gap = there[after] - there[before]
        share = np.where(gap > 0, (goal - there[before]) / np.where(gap > 0, gap, 1), 0.0)[:, None]
        low, high = values[before], values[after]
        made.append(np.where(share > 0, low + share * (high - low), low))
        taken.append(start + before)
        stretches.append((at, at + len(goal)))
        at += len(goal)
        if at > work.limits.rows:
            raise Problem(
                f"even steps would make {at:,} rows",
                f"at most {work.limits.rows:,} are allowed",
                "read them as they come",
            )
    rows = np.concatenate(taken)
    return Moments(np.concatenate(made), moments.labels[rows], moments.rows[rows], moments.places[rows], stretches)


def _filled(part: NDArray[Any], longest: int) -> NDArray[Any] | None:
    """A window (T, C) whose gaps of up to `longest` rows are straight lines; None when a gap is longer."""
    holes = np.isnan(part)
    if not holes.any():
        return part
    out, rows = part.copy(), np.arange(len(part))
    for c in np.flatnonzero(holes.any(0)):
        gaps = np.flatnonzero(np.diff(np.concatenate([[0], holes[:, c], [0]]).astype(np.int8)))
        if np.diff(gaps)[::2].max() > longest:
            return None
        there = ~holes[:, c]
        out[:, c] = np.interp(rows, rows[there], part[there, c])
    return out


def left_out(apart: NDArray[np.bool_]) -> str:
    """What is said of the windows that `split_in_time` tells to leave out."""
    return (
        f"Windows overlap. So that none shares rows with one of another split, {np.count_nonzero(~apart):,} are left "
        "out, and each split has stretches of its own."
    )


def split_in_time(starts: NDArray[np.int64], window: int) -> tuple[NDArray[np.uint8] | None, NDArray[np.bool_]]:
    """The split of windows that begin at these rows, in blocks of time: 80, 10 and 10 per cent of the blocks; and which
    windows share no row with one of another split. None where there are too few windows for that."""
    apart = np.ones(len(starts), bool)
    block = max(-(-len(starts) // 50), 2 * int(np.searchsorted(starts, starts[0] + window)))
    count = -(-len(starts) // block)
    if count < 5:
        return None, apart
    tenth = max(1, count // 10)
    parts = np.full(count, TRAIN, np.uint8)
    order = np.random.default_rng(2006).permutation(count)
    parts[order[:tenth]], parts[order[tenth : 2 * tenth]] = TEST, VALIDATION
    for begin in block * (1 + np.flatnonzero(np.diff(parts))):  # where the split changes
        apart[begin : np.searchsorted(starts, starts[begin - 1] + window)] = False
    return parts[np.arange(len(starts)) // block], apart

"""Signals made of a table: time series cut into windows, or a signal in each row."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from models import Problem
from models.data import TEST, TRAIN, VALIDATION
from models.readers import arrays
from models.readers.gathering import Table, columns_of, slices
from models.readers.result import ReadResult
from models.readers.times import TIMES, first_word
from models.readers.work import Work, plain

JUMP = 3  # steps of time after which the next row is no longer of the same stretch
HOLE = 8  # the part of a window that may be missing in one piece, and is drawn as a straight line
SERIES = 512  # rows from which evenly timed ones are taken for a signal: fewer make too few windows to learn from


def times_of(table: Table) -> dict[int, bool]:
    """The columns that tell the time of each row, and whether evenly: called so, and rising in steps of about one size,
    jumps aside; or unevenly, and never falling."""
    out = {}
    for i, moments in table.moments.items():
        steps = np.diff(moments)
        known = steps[np.isfinite(steps)]
        usual = float(np.median(known)) if len(known) else 0.0
        if usual <= 0:
            continue
        if np.mean((steps > 0.5 * usual) & (steps < 1.5 * usual)) >= 0.9:
            out[i] = True
        elif (steps > 0).all():
            out[i] = False
    return out


def stretches_of(moments: NDArray[np.float64]) -> list[tuple[int, int]]:
    """From where to where time goes on without a jump."""
    steps = np.diff(moments)
    whole = (steps > 0) & (steps <= JUMP * np.nanmedian(steps))
    ends = np.flatnonzero(~whole) + 1
    return list(zip([0, *ends.tolist()], [*ends.tolist(), len(moments)], strict=True))


def is_series(table: Table, times: dict[int, bool], work: Work) -> bool:
    """Whether rows are moments that follow each other evenly, with numbers beside their times."""
    if work.choices.shape or len(table.values) < SERIES:
        return False
    numbers = set(range(len(table.names))) - set(times) - set(table.categories)
    return bool(numbers) and any(even and first_word(table.names[i]) in TIMES for i, even in times.items())


def signals(
    table: Table,
    columns: Sequence[int],
    numbers: list[int],
    labels: NDArray[np.int32],
    classes: tuple[str, ...],
    time: int | None,
    work: Work,
) -> ReadResult:
    words = "The table is taken for signals, as chosen."
    if work.choices.kind is None and time is not None:
        words = f"The column “{table.names[time]}” tells the time, so that the rows are taken for moments of a signal."
    work.decide("kind", "signal", ["signal", "table"], words)
    for i in columns:
        if i not in numbers:
            work.skip(table.names[i], "the column holds text, and a signal is made of numbers")
    if not numbers:
        raise Problem("no column holds numbers", "a time series has one column for each channel", "bring another table")
    values = columns_of(table.values, numbers, work)
    layouts = {"down": "Time runs down the rows.", "across": "Each row is one signal."}
    layout = work.choices.layout or "down"
    work.decide("layout", layout, ["down", "across"], layouts[layout])
    if layout == "across":
        keep = ~np.isnan(values).any(1)
        for row in table.rows[~keep]:
            work.skip(f"row {row}", "the signal has missing values")
        out = work.allocate((int(keep.sum()), len(numbers), 1), np.float32)
        out[..., 0] = values[keep]
        split_names = [str(row) for row in table.rows[keep]]
        return work.found(
            "signal", out, labels[keep], classes, split_names, None, arrays.of_features(out, None, ["value"])
        )
    return _windows(table, values, numbers, labels, classes, time, work)


def _windows(
    table: Table,
    values: NDArray[np.float32],
    numbers: Sequence[int],
    labels: NDArray[np.int32],
    classes: tuple[str, ...],
    time: int | None,
    work: Work,
) -> ReadResult:
    stretches = [(0, len(values))] if time is None else stretches_of(table.moments[time])
    longest = max(end - start for start, end in stretches)
    usual = 2 ** int(np.log2(max(2, min(64, len(values) // 8, longest))))
    window = work.choices.window or usual
    step = work.choices.step or window
    if window > longest:
        raise Problem(f"window must be 1 to {longest:,} rows; {window:,} was given", do="choose a shorter window")
    work.decide("window", window, [16, 32, 64, 128, 256], f"Signals are cut into windows of {window:,} rows.")
    work.decide("step", step, [window, max(1, window // 2)], f"A window begins every {step:,} rows.")
    starts = np.concatenate([np.arange(start, end - window + 1, step) for start, end in stretches])
    if time is not None and len(stretches) > 1:
        work.warn(f"“{plain(table.names[time])}” jumps {len(stretches) - 1:,} times, and no window lies across a jump.")
    split = None
    if step < window:
        split, apart = _split_in_time(starts, window)
        if split is not None:
            work.warn(
                f"Windows overlap. So that none shares rows with one of another split, {np.count_nonzero(~apart):,} are left "
                "out, and each split has stretches of its own."
            )
            starts, split = starts[apart], split[apart]
    missing = work.choices.missing or "line"
    holes = sum(int(np.isnan(values[some]).sum()) for some in slices(values))
    if holes:
        told = {
            "line": f"short gaps are drawn as straight lines, and windows with gaps of more than {window // HOLE:,} rows left out",
            "skip": "windows that have one are left out",
        }
        missing = missing if missing in told else "line"
        work.decide("missing", missing, list(told), f"{holes:,} values are missing: {told[missing]}.")
    out = work.allocate((len(starts), window, len(numbers)), np.float32)
    kept: list[int] = []
    mixed = 0
    label = np.full(len(starts), -1, np.int32)
    for i, start in enumerate(starts.tolist()):
        if i % 1024 == 0:
            work.progress("cutting windows", i, len(starts))
        part: NDArray[np.float32] | None = values[start : start + window]
        if part is not None and holes:
            part = _filled(part, window // HOLE if missing == "line" else 0)
        if part is None:
            work.skip(f"rows {table.rows[start]} to {table.rows[start + window - 1]}", "the window has missing values")
            continue
        out[len(kept)] = part
        within = labels[start : start + window]
        if classes:
            counts = Counter(within.tolist()).most_common(1)
            label[len(kept)] = counts[0][0]
            mixed += counts[0][1] < window
        kept.append(i)
    if mixed:
        work.warn(f"{mixed:,} windows have rows of several classes; each counts for the class with the most rows.")
    out, label = out[: len(kept)], label[: len(kept)]
    split = None if split is None else split[kept]
    columns = arrays.of_features(out, None, [table.names[i] for i in numbers])
    names = [str(row) for row in table.rows[starts[kept]]]
    return work.found("signal", out, label, classes, names, split, columns)


def _filled(part: NDArray[np.float32], longest: int) -> NDArray[np.float32] | None:
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


def _split_in_time(starts: NDArray[np.int64], window: int) -> tuple[NDArray[np.uint8] | None, NDArray[np.bool_]]:
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

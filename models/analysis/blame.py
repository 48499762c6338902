"""Which column of a row, or channel of a signal, makes it stand out, said in the person's own units."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from models import datasets
from models.codes import Floats, to_float
from models.columns import Column, as_they_came, inverse, unscaled
from models.runs import Run

COMPARED = 2000  # stored samples that say which errors are usual
LOOKED_AT = 5000  # samples of which a column is named, at most
HELD = 64 << 20  # bytes of samples held at once
FEW, SHARE = 3, 0.01  # so many rows, or this share of all, may lie outside of all others together
TIMES = 2.5  # as far from the median as all others, at least: a number so far away lies outside of them
SAMPLED = 20_000  # rows that say where the middle of a column and the beginning of its tails are
SCARCER = 10  # times: a category so much scarcer than the next one is outside of all others
BY_CHANCE = 0.05  # of all rows have a value in some column that is as rare as one that is named
OF_ERROR = 1 / 3  # of what a row's error has above the usual: a column with less is not to blame for it
LEAST = 0.2  # of a row's error: a column with a smaller share is not to blame for it
NO_COLUMN = "no single column: an unusual combination"
Doubles = NDArray[np.float64]
Places = NDArray[np.int64]


@dataclass(frozen=True)
class Blame:
    """Of K samples: the name of the column to blame, "" where none stands out, and why, in words."""

    columns: tuple[str, ...]
    words: tuple[str, ...]


@dataclass(frozen=True)
class Ends:
    """The ends of a column of numbers without missing ones, as the network sees them.

    low, high: the least and the greatest, the most extreme first, as many as may lie outside of all others and one more.
    below, above: how many of these lie outside of all others by far. middle: the median. known: how many rows have a value.
    """

    low: Floats
    high: Floats
    below: int
    above: int
    middle: float
    known: int


@dataclass(frozen=True)
class Counts:
    """How many rows have each value of a category, and the values (a mask) that are outside of all others: few and scarce."""

    of: NDArray[np.int64]
    outside: NDArray[np.bool_]


Usual = tuple[Ends | Counts, ...]  # of each column


def usual(run: Run) -> Usual:
    """What the values of a table's columns are usually, over all stored rows. Raises `Problem` where they are not at hand."""
    most = max(FEW, int(SHARE * run.count))
    numbers = [i for i, column in enumerate(run.columns) if column.kind == "number"]
    low, high = ({i: np.zeros(0, np.float32) for i in numbers} for _ in range(2))
    known = np.zeros(len(run.columns), np.int64)
    counts = [np.zeros(column.width, np.int64) for column in run.columns]
    for rows in _rows(run, np.arange(run.count)):
        for i, column in enumerate(run.columns):
            part = rows[:, column.start : column.start + column.width]
            if i not in low:
                counts[i] += (part > 0).sum(0)
                continue
            values = part[np.isfinite(part[:, 0]), 0]
            known[i] += len(values)
            low[i] = _least(np.concatenate([low[i], values]), most + 1)
            high[i] = -_least(-np.concatenate([high[i], values]), most + 1)
    some = np.concatenate(list(_rows(run, np.random.default_rng(0).permutation(run.count)[:SAMPLED])))
    return tuple(
        _ends(column, low[i], high[i], some[:, column.start], int(known[i])) if i in low else _counts(counts[i], most)
        for i, column in enumerate(run.columns)
    )


def _least(values: Floats, count: int) -> Floats:
    """So many of the least values, ascending."""
    return np.sort(values if len(values) <= count else np.partition(values, count - 1)[:count])


def _ends(column: Column, low: Floats, high: Floats, some: Floats, known: int) -> Ends:
    """How many values lie outside on either side. some: of the column's values, which say what is usual."""
    some = some[np.isfinite(some)]
    if known <= 2 * len(low):  # too few to say
        return Ends(low, high, 0, 0, 0.0, known)
    middle = np.median(some)
    away = _real(column, some) - _real(column, middle)
    below = _outside_of(_real(column, middle) - _real(column, low), -away)
    return Ends(low, high, below, _outside_of(_real(column, high) - _real(column, middle), away), float(middle), known)


def _outside_of(ends: Doubles, away: Doubles) -> int:
    """How many of the furthest distances from the median on a side lie outside of all others.

    Outside is what is `TIMES` as far as all within, and also as many times as these are further than where the tail begins
    (a tenth of all values lies there): a heavy tail has its furthest values far apart, and they are no surprise in it.
    """
    tail = away[away > 0]
    if not len(tail):
        return 0
    begin = float(np.quantile(tail, 0.8))
    within = np.maximum(ends[1:], 1e-9 * begin)
    return int(np.flatnonzero(np.append(False, ends[:-1] >= within * np.maximum(TIMES, within / begin))).max(initial=0))


def _real(column: Column, values: Floats | np.floating) -> Doubles:
    """Values of a column of numbers in the person's own units."""
    return unscaled([replace(column, start=0)], np.asarray(values, np.float64)[..., None])[..., 0]


def _counts(of: NDArray[np.int64], most: int) -> Counts:
    order = np.argsort(of, kind="stable")
    rising, together = of[order], np.cumsum(of[order])
    next_one = np.append(rising[1:], 0)
    cut = np.flatnonzero((rising > 0) & (together <= most) & (next_one >= SCARCER * rising)).max(initial=-1)
    outside = np.zeros(len(of), bool)
    outside[order[: cut + 1]] = True
    return Counts(of, outside)


def outside(run: Run, usual: Usual, places: Places) -> NDArray[np.bool_]:
    """Whether the row at each of these places (K,) has a value that lies outside of those of all others by far."""
    return np.concatenate(
        [(_beyond(run.columns, usual, rows) > 0).any(1) for rows in _rows(run, places)] or [np.zeros(0, bool)]
    )


def _rows(run: Run, places: Places) -> Iterator[Floats]:
    """Rows at these places as the network sees them, piece by piece; what was missing is NaN, or none of its values."""
    each = max(1, HELD // (8 * run.dataset.size))
    for start in range(0, len(places), each):
        some = places[start : start + each]
        yield to_float(datasets.originals_at(run.dataset, run.rows[some].astype(np.int64)))


def _beyond(columns: Sequence[Column], usual: Usual, rows: Floats) -> Doubles:
    """How many times further from the median than all others each value is, of a category how many times scarcer, in powers
    of ten (K, P); 0 where it is not outside of all others."""
    out = np.zeros((len(rows), len(columns)))
    for i, (column, known) in enumerate(zip(columns, usual, strict=True)):
        part = rows[:, column.start : column.start + column.width]
        if isinstance(known, Counts):
            if known.outside.any():
                which = part.argmax(1)
                hit = (part.max(1) > 0) & known.outside[which]
                out[hit, i] = np.log10(known.of[~known.outside & (known.of > 0)].min() / known.of[which[hit]])
            continue
        for ends, count, side in ((known.high, known.above, 1), (known.low, known.below, -1)):
            if count:
                hit = side * part[:, 0] >= side * ends[count - 1]  # not where it is missing
                middle = _real(column, np.float32(known.middle))
                times = np.abs(_real(column, part[hit, 0]) - middle) / np.maximum(
                    np.abs(_real(column, ends[count]) - middle), 1e-9
                )
                out[hit, i] = np.log10(np.maximum(times, TIMES))
    return out


def blame(run: Run, places: Places, large: NDArray[np.bool_], known: Usual | None = None) -> Blame:
    """The column to blame of the samples at these places (K,) among the run's codes, of the first `LOOKED_AT` of them.

    Of a row it is the column whose value lies outside of all others by far, where there is one. Else, where the reconstruction
    error is large (K,), it is the column whose squared error is furthest above its median over the stored samples, so that
    a column that is always hard is not blamed for being so; and where it is not, so that the code lies alone though the
    sample comes back well, the column with the rarest value, where this is rare. A missing value is never to blame; where no
    column is, it is said what was missing, since what stands in its place may make the row unusual. Of a signal it is the
    channel with such an error, or with the step furthest from its mean. known: what `usual` gives.
    Raises `Problem` where the samples are not at hand.
    """
    rest = ("",) * max(0, len(places) - LOOKED_AT)
    if not run.columns or not len(places):
        return Blame(("",) * len(places), ("",) * len(places))
    places, large = places[:LOOKED_AT], large[:LOOKED_AT]
    some = np.random.default_rng(0).permutation(run.count)[:COMPARED]
    typical = np.nanmedian(_compared(run, some)[3], axis=0)
    there, own, out, errors = _compared(run, places)
    excess = np.where(there, errors - typical, -np.inf)
    if run.kind == "table":
        known = known or usual(run)
        gaps = np.where(there, _beyond(run.columns, known, own), 0)
        said = [
            _of_row(run.columns, known, there[i], own[i], out[i], errors[i], excess[i], gaps[i], large[i])
            for i in range(len(own))
        ]
    else:
        furthest = np.abs(own).max(1)
        which = np.where(large, excess.argmax(1), furthest.argmax(1))
        said = [
            (run.columns[at].name, (_of_steps if large[i] else _of_step)(own[i, :, at], out[i, :, at], errors[i], at))
            for i, at in enumerate(which.tolist())
        ]
    names, words = zip(*said, strict=True)
    return Blame((*names, *rest), (*words, *rest))


def _compared(run: Run, places: Places) -> tuple[NDArray[np.bool_], Floats, Floats, Doubles]:
    """Samples at these places: which columns are known (K, P), the samples and what they become (K, *shape), and the squared
    error of each column (K, P)."""
    rows = run.rows[places].astype(np.int64)
    clean = to_float(datasets.samples_at(run.dataset, rows))
    out = run.coder.decode(run.codes[places])
    gone = datasets.missing_at(run.dataset, rows)
    known = np.ones((len(rows), len(run.columns)), bool) if gone is None else ~gone
    squared = np.square(clean.astype(np.float64) - out)
    squared = squared.sum(1) if squared.ndim == 3 else squared
    errors = np.stack([squared[:, one.start : one.start + one.width].sum(1) for one in run.columns], axis=1)
    return known, clean, out, errors


def _of_row(
    columns: Sequence[Column],
    usual: Usual,
    there: NDArray[np.bool_],
    own: Floats,
    out: Floats,
    errors: Doubles,
    excess: Doubles,
    gaps: Doubles,
    large: bool,
) -> tuple[str, str]:
    """The column to blame of a row, and why."""
    if gaps.any():
        at = int(gaps.argmax())
        return columns[at].name, _outside(columns[at], usual[at], own)
    if large:
        at = int(excess.argmax())
        share = errors[at] / max(float(errors.sum()), 1e-30)
        if share >= LEAST and excess[at] > 0 and excess[at] >= OF_ERROR * excess[excess > 0].sum():
            became = _value(columns[at], out, decoded=True)
            return columns[
                at
            ].name, f"{_value(columns[at], own)}, reconstructed as {became}: {share:.0%} of the row's error"
        return "", _gaps(columns, there)
    rare = [
        _rarity(column, known, own) if here else (1.0, "")
        for column, known, here in zip(columns, usual, there, strict=True)
    ]
    at = min(range(len(columns)), key=lambda i: rare[i][0])
    if rare[at][0] * len(columns) > BY_CHANCE:
        return "", _gaps(columns, there)
    return columns[at].name, f"{_value(columns[at], own)}, {rare[at][1]}"


def _gaps(columns: Sequence[Column], there: NDArray[np.bool_]) -> str:
    """What is said of a row without a column to blame: what is missing in it and what stands there instead."""
    gone = [column for column, here in zip(columns, there, strict=True) if not here]
    filled = [
        f"{one.name} is missing" + (f": the mean, {_number(one, one.mean)}, was put in" if one.kind == "number" else "")
        for one in gone[:3]
    ]
    return "; ".join(filled + ([f"so are {len(gone) - 3} more"] if len(gone) > 3 else [])) or NO_COLUMN


def _outside(column: Column, known: Ends | Counts, row: Floats) -> str:
    """Why a value lies outside of all others."""
    value = _value(column, row)
    if isinstance(known, Counts):
        return f"{value}, {_had_by(int(known.of[_part(column, row).argmax()]), int(known.of.sum()))}"
    above = bool(known.above and row[column.start] >= known.high[known.above - 1])
    edge = np.array([(known.high[known.above] if above else known.low[known.below])], np.float32)
    count = known.above if above else known.below
    others = "all others" if count == 1 else f"all but {count} rows"
    return f"{value}; {others} are at {'most' if above else 'least'} {_value(replace(column, start=0), edge)}"


def _rarity(column: Column, known: Ends | Counts, row: Floats) -> tuple[float, str]:
    """The share of rows with a value as rare as this one in its column, on either side of it; and how to say so."""
    if isinstance(known, Counts):
        count, total = int(known.of[_part(column, row).argmax()]), int(known.of.sum())
        return float(known.of[known.of <= count].sum()) / max(total, 1), _had_by(count, total)
    value, best = row[column.start], (1.0, "")
    for values, side in ((known.high, "higher"), (-known.low, "lower")):
        mine = value if side == "higher" else -value
        as_far, further = int((values >= mine).sum()), int((values > mine).sum())
        if as_far < len(values):  # else it is not among the most extreme ones
            share = 2 * as_far / max(known.known, 1)
            end = "highest" if side == "higher" else "lowest"
            words = f"the {end} of all" if not further else f"{side} than {1 - as_far / known.known:.1%} of all"
            best = min(best, (share, words))
    return best


def _had_by(count: int, total: int) -> str:
    return "which no other row has" if count == 1 else f"which only {count:,} of {total:,} rows have"


def _of_steps(own: Floats, out: Floats, errors: Doubles, at: int) -> str:
    """Of a channel (T,) with a large error."""
    share = errors[at] / max(float(errors.sum()), 1e-30)
    return f"{share:.0%} of the signal's error, most at step {int(np.abs(own - out).argmax()) + 1}"


def _of_step(own: Floats, _out: Floats, _errors: Doubles, _at: int) -> str:
    """Of a channel (T,) that goes far from its mean."""
    step = int(np.abs(own).argmax())
    return f"{abs(float(own[step])):.1f} standard deviations from the mean at step {step + 1}"


def _part(column: Column, row: Floats) -> Floats:
    return row[column.start : column.start + column.width]


def _value(column: Column, row: Floats, *, decoded: bool = False) -> str:
    """A cell of a row (F,) in words: an original as it came, a decoded one with the digits that its column has."""
    alone = replace(column, start=0)
    part = _part(column, row)[None]
    real = unscaled([alone], part) if decoded else as_they_came([alone], part)
    (value,) = inverse([alone], real)[column.name]
    if isinstance(value, str):
        return value or "none of its values"
    value += 0.0  # no −0
    return _number(column, value) if decoded else f"{value:,.12g}"


def _number(column: Column, value: float) -> str:
    """A number that stood in no file, with the digits that its column has."""
    return f"{value:,.{digits(column)}f}" if abs(value) < 1e12 else f"{value:,.12g}"


def digits(column: Column) -> int:
    """Decimals of a decoded number that are worth reading: two digits of the column's deviation."""
    return int(np.clip(1 - np.floor(np.log10(column.unit)), 0, 8))

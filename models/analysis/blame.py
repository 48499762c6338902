"""Which column of a row, or channel of a signal, makes it stand out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from models import datasets
from models.codes import Floats, to_float
from models.columns import Column, as_they_came, inverse, unscaled
from models.runs import Run

COMPARED = 2000  # stored samples that say what is usual
LOOKED_AT = 5000  # samples of which a column is named, at most
Doubles = NDArray[np.float64]


@dataclass(frozen=True)
class Blame:
    """Of K samples: the name of the column to blame and why, in words; "" for both where nothing can be said."""

    columns: tuple[str, ...]
    words: tuple[str, ...]


def blame(run: Run, places: NDArray[np.int64], large: NDArray[np.bool_]) -> Blame:
    """The column to blame of the samples at these places (K,) among the run's codes, of the first `LOOKED_AT` of them.

    large (K,): whose reconstruction error is large: there it is the column whose squared error is furthest above its median
    over the stored samples, so that a column that is always hard is not blamed for being so. Elsewhere the code lies alone
    though the sample comes back well, and it is the column whose value is the most unusual: by its distance from the mean in
    standard deviations, (1 - p) / p under the root for a category that a share p of the samples has. A missing value is
    never to blame. Raises `Problem` where the samples are not at hand.
    """
    rest = ("",) * max(0, len(places) - LOOKED_AT)
    if not run.columns or not len(places):
        return Blame(("",) * len(places), ("",) * len(places))
    places, large = places[:LOOKED_AT], large[:LOOKED_AT]
    some = np.random.default_rng(0).permutation(run.count)[:COMPARED]
    _, clean, _, errors = _compared(run, some)
    usual = np.nanmedian(errors, axis=0)
    shares = _shares(run.columns, clean)
    known, own, out, errors = _compared(run, places)
    excess = np.where(known, errors - usual, -np.inf)
    odd = np.where(known, _unusual(run.columns, own, shares), -np.inf)
    which = np.where(large, excess.argmax(1), odd.argmax(1))
    said = [
        _of_error(run.columns[at], own[i], out[i], errors[i, at] / max(float(errors[i].sum()), 1e-30))
        if large[i]
        else _of_value(run.columns[at], own[i], float(odd[i, at]), shares)
        for i, at in enumerate(which.tolist())
    ]
    return Blame((*(run.columns[at].name for at in which.tolist()), *rest), (*said, *rest))


def _compared(run: Run, places: NDArray[np.int64]) -> tuple[NDArray[np.bool_], Floats, Floats, Doubles]:
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


def _shares(columns: Sequence[Column], samples: Floats) -> Floats:
    """The share of samples that has each feature of a category (F,); 0 for numbers."""
    out = np.zeros(samples.shape[-1], np.float32)
    for one in columns:
        if one.kind == "category":
            out[one.start : one.start + one.width] = samples[:, one.start : one.start + one.width].mean(0)
    return out


def _unusual(columns: Sequence[Column], samples: Floats, shares: Floats) -> Doubles:
    """How many standard deviations each column is from its mean (K, P); of a signal at the step where it is furthest."""
    out = np.zeros((len(samples), len(columns)))
    for place, one in enumerate(columns):
        part = samples[..., one.start : one.start + one.width]
        if one.kind == "number":
            out[:, place] = np.abs(part.reshape(len(part), -1)).max(1)
        else:
            share = np.maximum(shares[one.start : one.start + one.width][part.argmax(1)], 1 / COMPARED)
            out[:, place] = np.sqrt((1 - share) / share)
    return out


def _of_error(column: Column, own: Floats, out: Floats, share: float) -> str:
    whole = f"{share:.0%} of its error"
    if own.ndim == 2:
        step = int(np.abs(own[:, column.start] - out[:, column.start]).argmax())
        return f"{whole}, most at step {step + 1}"
    return f"{_value(column, own)}, reconstructed as {_value(column, out, decoded=True)}: {whole}"


def _of_value(column: Column, own: Floats, odd: float, shares: Floats) -> str:
    if column.kind == "category":
        share = float(shares[column.start : column.start + column.width][_part(column, own).argmax()])
        return f"{_value(column, own)}, as {share:.1%} of the samples"
    if own.ndim == 2:
        step = int(np.abs(own[:, column.start]).argmax())
        return f"{odd:.1f} standard deviations from the mean at step {step + 1}"
    return f"{_value(column, own)}, {odd:.1f} standard deviations from the mean"


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
    return f"{value:,.{digits(column)}f}" if decoded and abs(value) < 1e12 else f"{value:,.12g}"


def digits(column: Column) -> int:
    """Decimals of a decoded number that are worth reading: two digits of the column's deviation."""
    return int(np.clip(1 - np.floor(np.log10(column.unit)), 0, 8))

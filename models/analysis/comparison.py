"""How sure a difference between runs is: intervals of mean errors, and differences on the same samples.

Arrays in, numbers out. An interval says how far a mean would move if the test split were drawn anew from the same data;
it says nothing of training again with another seed.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.datasets import TEST

RESAMPLES = 2000  # times that the samples are drawn anew
LEAST_RESAMPLES = 400  # of very many samples, whose mean hardly moves
DRAWS = 40_000_000  # samples drawn in all, about: a second
CHUNK = 2_000_000  # drawn at once: 16 MB
SHARE = 0.95  # of the means that an interval holds


@dataclass(frozen=True)
class Interval:
    """A mean of `count` values and the interval that holds `SHARE` of its bootstrapped means, all in the values' unit."""

    mean: float
    low: float
    high: float
    count: int

    @property
    def chance(self) -> bool:
        """Of a difference: whether 0 lies in the interval, so that it is no more than chance."""
        return self.low <= 0 <= self.high

    def overlaps(self, other: "Interval") -> bool:
        """Whether both hold some value in common."""
        return self.low <= other.high and other.low <= self.high


def interval(values: NDArray[np.floating[Any]], seed: int = 0) -> Interval:
    """The mean of values (N,) with its percentile bootstrap interval (Efron 1979; Efron and Tibshirani 1993, section 13.3):
    N of them are drawn with replacement again and again, and the middle `SHARE` of the means is kept.

    Equal values and seed give the same interval. ValueError for no values.
    """
    count = len(values)
    if not count:
        raise ValueError("an interval needs at least one value")
    exact = np.asarray(values, np.float64)
    drawn = np.random.default_rng(seed)
    resamples = int(np.clip(DRAWS // count, LEAST_RESAMPLES, RESAMPLES))
    each = max(1, CHUNK // count)
    means = np.concatenate(
        [
            exact[drawn.integers(count, size=(min(each, resamples - at), count))].mean(1)
            for at in range(0, resamples, each)
        ]
    )
    low, high = np.quantile(means, [(1 - SHARE) / 2, (1 + SHARE) / 2])
    mean = float(exact.mean())
    # Rounding must not put the mean of equal values outside of its own interval.
    return Interval(mean, min(float(low), mean), max(float(high), mean), count)


def on_test(values: NDArray[Any], splits: NDArray[np.uint8]) -> NDArray[Any]:
    """Of one value (N, …) for each sample those of the test split (K, …). splits (N,): 0 train, 1 validation, 2 test."""
    return np.asarray(values[splits == TEST])


def differences(
    rows: NDArray[np.integer[Any]],
    errors: NDArray[np.floating[Any]],
    other_rows: NDArray[np.integer[Any]],
    other_errors: NDArray[np.floating[Any]],
) -> NDArray[np.float64]:
    """errors − other_errors (K,) of the samples that both have, by their row of the dataset, in the errors' unit.

    rows (N,) and other_rows (M,) name the sample of each error. How hard a sample is drops out of its difference, which
    is why a paired difference is told from chance sooner than two means.
    """
    _, ours, theirs = np.intersect1d(rows, other_rows, assume_unique=True, return_indices=True)
    return np.asarray(errors[ours], np.float64) - np.asarray(other_errors[theirs], np.float64)


def best(values: Sequence[float | None], better: str) -> frozenset[int]:
    """The places of the best values: the least where better is "low", the greatest where it is "high".

    Empty where there is nothing to choose: no better, fewer than two values, or all equal.
    """
    known = [value for value in values if value is not None]
    if better not in ("low", "high") or len(known) < 2 or min(known) == max(known):
        return frozenset()
    wanted = min(known) if better == "low" else max(known)
    return frozenset(i for i, value in enumerate(values) if value == wanted)

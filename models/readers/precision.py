"""Whether numbers keep what tells them apart as float32, whose 24 bits are few for a time in seconds since 1970."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.readers.work import Work

WHOLE = 2.0**24  # whole numbers up to here are the same as float32
SPREAD = 16  # times its range that a column's greatest number may be: four bits of 24 are lost at most


def of_numbers(
    pieces: Iterable[NDArray[Any]], channels: int, shape: Sequence[int], work: Work
) -> type[np.float32] | type[np.float64]:
    """The type in which numbers, in pieces (n, ..., channels), are kept in an array of that shape until they are scaled:
    float32, or float64 where a channel lies so far from 0 that float32 would lose its differences. NaN do not count.

    Where float64 is more than a dataset may be, it is float32 and a warning.
    """
    least, most, whole = np.full(channels, np.inf), np.full(channels, -np.inf), np.ones(channels, bool)
    for piece in pieces:
        work.tick()
        flat = np.asarray(piece).reshape(-1, channels)
        if not flat.size:
            continue
        if flat.dtype.itemsize < 4 or flat.dtype == np.float32:
            return np.float32
        with np.errstate(invalid="ignore"):
            least, most = np.fmin(least, np.fmin.reduce(flat, axis=0)), np.fmax(most, np.fmax.reduce(flat, axis=0))
            whole &= ((flat == np.floor(flat)) | np.isnan(flat)).all(0)
    finite = np.isfinite(least) & np.isfinite(most)
    largest = np.where(finite, np.maximum(np.abs(least), np.abs(most)), 0.0)
    spread = np.where(finite, most, 0.0) - np.where(finite, least, 0.0)
    coarse = (largest > SPREAD * spread) & ~(whole & (largest <= WHOLE)) & (largest > 0)
    if not coarse.any():
        return np.float32
    if math.prod(shape) * 8 > work.limits.output:
        work.warn(
            f"The numbers of {np.count_nonzero(coarse):,} columns lie far from 0 and close together, and lose digits in a "
            "dataset of this size: subtract a constant before."
        )
        return np.float32
    return np.float64

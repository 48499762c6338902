"""In which type numbers are kept until they are scaled, so that they are in the end what came."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.readers.work import Work

SPREAD = (
    2.0**14
)  # times its range that a column's greatest number may be: beyond, float32 keeps ten bits of 24 or fewer


def of_numbers(
    pieces: Iterable[NDArray[Any]], channels: int, shape: Sequence[int], work: Work
) -> type[np.float32] | type[np.float64]:
    """The type for numbers, in pieces (n, ..., channels), in an array of that shape: float32 where each is the same number
    as float32, else float64. NaN do not count.

    Where float64 is more than a dataset may be, it is float32, with a warning where that loses what tells numbers apart.
    """
    if math.prod(shape) * 8 <= work.limits.output:
        return np.float64 if any(_loses(piece, work) for piece in pieces) else np.float32
    least, most = np.full(channels, np.inf), np.full(channels, -np.inf)
    for piece in pieces:
        work.tick()
        if len(piece):
            flat = np.asarray(piece).reshape(-1, channels)
            least, most = np.fmin(least, np.fmin.reduce(flat, axis=0)), np.fmax(most, np.fmax.reduce(flat, axis=0))
    with np.errstate(invalid="ignore"):
        coarse = (most > least) & (np.maximum(np.abs(least), np.abs(most)) > SPREAD * (most - least))
    if coarse.any():
        work.warn(
            f"The numbers of {np.count_nonzero(coarse):,} columns lie far from 0 and close together, and lose digits in a "
            "dataset of this size: subtract a constant before."
        )
    return np.float32


def _loses(piece: NDArray[Any], work: Work) -> bool:
    """Whether some of these numbers are others as float32; infinite ones, which do not stay, are not."""
    work.tick()
    if piece.dtype.itemsize < 4 or piece.dtype == np.float32:
        return False
    with np.errstate(over="ignore", invalid="ignore"):
        near = piece.astype(np.float32)
    return bool((np.isfinite(near) & (near != piece)).any())

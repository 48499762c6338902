"""Long things cut into windows that overlap, and joined again: pages into patches, sounds into pieces.

Each value is the mean of what the windows over it say, weighted by a Hann window: the middle of a window knows more of its
surroundings than its edge does, and no seam is left. What is changed nowhere comes back as it was.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]


def places(length: int, size: int, step: int) -> NDArray[np.int64]:
    """Where windows of `size` begin in so many values, every `step`, so that all are in one; the last ends at the end.

    length must be at least size: `padded` sees to that.
    """
    return np.unique(np.append(np.arange(0, length - size, step), length - size))


def padded(values: Floats, sizes: tuple[int, ...]) -> Floats:
    """Values (…) with as many more at the end of each axis, the last one repeated, as a window needs."""
    more = [(0, max(0, size - length)) for length, size in zip(values.shape, sizes, strict=True)]
    return np.pad(values, more, "edge") if any(after for _, after in more) else values


def hann(size: int) -> Floats:
    """A Hann window (size,) without its zeros, so that the outermost values of a whole count, too."""
    return np.asarray(np.sin(np.pi * (np.arange(size) + 0.5) / size) ** 2, np.float32)


def cut(values: Floats, sizes: tuple[int, ...], steps: tuple[int, ...]) -> Floats:
    """Values (T,) or (H, W) as windows (N, *sizes)."""
    values = padded(values, sizes)
    seen = np.lib.stride_tricks.sliding_window_view(values, sizes)
    axes = [places(length, *each) for length, *each in zip(values.shape, sizes, steps, strict=True)]
    return np.ascontiguousarray(seen[np.ix_(*axes)].reshape(-1, *sizes))


def join(windows: Floats, shape: tuple[int, ...], steps: tuple[int, ...]) -> Floats:
    """Windows (N, *sizes), as `cut` gives them of something of this shape, as one again."""
    sizes = windows.shape[1:]
    whole = tuple(max(length, size) for length, size in zip(shape, sizes, strict=True))
    total, weights = np.zeros(whole, np.float64), np.zeros(whole, np.float64)
    window = hann(sizes[0])
    for size in sizes[1:]:
        window = window[..., None] * hann(size)
    axes = [places(length, *each) for length, *each in zip(whole, sizes, steps, strict=True)]
    for i, start in enumerate(np.stack(np.meshgrid(*axes, indexing="ij"), -1).reshape(-1, len(sizes))):
        at = tuple(slice(one, one + size) for one, size in zip(start, sizes, strict=True))
        total[at] += window * windows[i]
        weights[at] += window
    return (total / weights)[tuple(slice(length) for length in shape)].astype(np.float32)

"""Shapes: white squares, ellipses and hearts of known size, tilt and place, in the manner of dSprites.

After L. Matthey, I. Higgins, D. Hassabis and A. Lerchner, dSprites, 2017. Two things differ. The factors are drawn
from continuous ranges instead of walked on a grid, so that no image occurs twice and none is in both the training
and the test split. And shapes tilt by at most 45 degrees to either side, because a square looks the same again
after 90: here each image has one true set of factors, which is what an axis of a code is compared with.
32x32 instead of 64x64 keeps every factor visible and trains four times as fast.

Counts you should see: 24,000 samples, 8,000 of each shape.
"""

import math
from functools import cache

import numpy as np
from numpy.typing import NDArray

from models.datasets import Arrays, Dataset

Floats = NDArray[np.floating]

COUNT, SIDE = 24_000, 32
SHAPES = ("square", "ellipse", "heart")
RANGES = {
    "scale": (0.5, 1.0),  # 1 is a square of 13 x 13 pixels; all shapes stay inside the image
    "rotation": (-45.0, 45.0),  # degrees, counter-clockwise
    "x": (-0.36, 0.36),  # of the centre, in half widths of the image; -1 is the left edge
    "y": (-0.36, 0.36),  # -1 is the upper edge
}


@cache
def _factors() -> NDArray[np.float32]:
    """(N, 5): which shape, then a value from each of RANGES."""
    low, high = np.array(list(RANGES.values())).T
    values = np.random.default_rng(2017).uniform(low, high, (COUNT, len(RANGES)))
    return np.column_stack([np.arange(COUNT) % len(SHAPES), values]).astype(np.float32)


def draw(rows: NDArray[np.int64]) -> NDArray[np.uint8]:
    """The images of these rows (len(rows), 32, 32, 1): how much of each pixel the shape covers."""
    out = np.empty((len(rows), SIDE, SIDE, 1), np.uint8)
    for start in range(0, len(rows), 512):  # blocks that stay in the processor's cache
        block = slice(start, start + 512)
        out[block, ..., 0] = _draw_block(_factors()[rows[block]])
    return out


def _draw_block(factors: NDArray[np.float32]) -> NDArray[np.uint8]:
    kind, scale, rotation, x, y = (column[:, None, None] for column in factors.T)
    pixels = (np.arange(SIDE, dtype=np.float32) + 0.5) * (2 / SIDE) - 1
    right, up = pixels[None, None, :] - x, y - pixels[None, :, None]
    cosine, sine = np.cos(np.radians(rotation)), np.sin(np.radians(rotation))
    size = 0.52 * scale
    u, v = (cosine * right + sine * up) / size, (cosine * up - sine * right) / size
    distance = np.select([kind == 0, kind == 1], [_square(u, v), _ellipse(u, v)], _heart(u, v)) * size
    coverage = np.clip(0.5 - distance * (SIDE / 2), 0, 1)  # a soft edge one pixel wide
    return np.asarray(np.round(coverage * 255), np.uint8)


# Distance from the outline of a shape about one unit large, negative inside (after I. Quilez's 2-D distance functions).


def _square(u: Floats, v: Floats) -> Floats:
    return np.maximum(np.abs(u), np.abs(v)) - 0.8


def _ellipse(u: Floats, v: Floats) -> Floats:
    wide, high = 1.1, 0.6
    inside = np.sqrt((u / wide) ** 2 + (v / high) ** 2)
    slope = np.sqrt((u / wide**2) ** 2 + (v / high**2) ** 2)
    return np.asarray(inside * (inside - 1) / np.maximum(slope, 1e-6))


def _heart(u: Floats, v: Floats) -> Floats:
    """Two discs above, a tip below: each half is symmetric, so the right one is enough."""
    u, v = np.abs(u) / 1.7, v / 1.7 + 0.66  # 0.66 puts its centre of mass in the middle
    disc = np.sqrt((u - 0.25) ** 2 + (v - 0.75) ** 2) - math.sqrt(2) / 4
    along = np.maximum(u + v, 0) / 2
    tip = np.minimum(u**2 + (v - 1) ** 2, (u - along) ** 2 + (v - along) ** 2)
    return np.where(u + v > 1, disc, np.sqrt(tip) * np.sign(u - v)) * 1.7


def read() -> Arrays:
    """24,000 grey images (32, 32, 1) with their five factors."""
    factors = _factors()
    return Arrays(draw(np.arange(COUNT)), factors[:, 0].astype(np.int32), factors.copy())


DATASET = Dataset(
    name="shapes",
    title="Shapes",
    summary="Squares, ellipses and hearts whose size, tilt and place are known: does the code find them?",
    kind="image",
    shape=(SIDE, SIDE, 1),
    count=COUNT,
    classes=SHAPES,
    source="Drawn by Hourglass, in the manner of dSprites (L. Matthey et al., 2017)",
    licence="CC0 1.0",
    label="shape",
    factors=("shape", *RANGES),
    draw=draw,
    read=read,
)

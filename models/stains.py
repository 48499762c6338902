"""Paper that had a life: stains, folds and blur, on a page or on many small images.

A stain darkens what lies under it, most at its rim, as coffee does. A fold has a line from which the ink is worn off, and a
shadow on one side. Blur is that of a lens, a normal distribution, and comes with the grain of a camera. What is drawn is of no picture
or program of others.
"""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

Floats = NDArray[np.float32]

DARK = 0.85  # of the light that a stain takes away, at most
SHADOW = 0.5  # the same of a fold's shadow
WORN = 0.95  # how light paper is where the ink is worn off
BLUR = 1.8  # pixels: standard deviation of the strongest blur
GRAIN = 0.04  # standard deviation of the grain
SHEETS, SIDES, MOST = 6, 12, 512  # of the store that training takes windows from: how many, sides of an image, pixels
TAPS = 4  # pixels that a blur reaches to each side


def spoil(image: Floats, stain: float, fold: float, blur: float, seed: int, side: int = 32) -> Floats:
    """An image (H, W) in [0, 1] stained, folded and blurred, each with a strength in [0, 1].

    side: what a stain is measured in, in pixels; they are about 1 to 8 of it wide.
    """
    random = np.random.default_rng(seed)
    height, width = image.shape
    dark, worn, shadow = (each[None] for each in _sheet(height, width, side, random))
    grain = random.standard_normal((1, height, width), np.float32)
    of_each = np.array([stain, fold, blur], np.float32).reshape(3, 1, 1, 1)
    out: Floats = _spoilt(image[None], dark, worn, shadow, grain, *of_each)[0]
    return out


def spoil_all(images: Floats, level: float | Floats, random: Generator) -> Floats:
    """Images (N, H, W, C) in [0, 1], each with stains, folds and blur of strengths of its own, between 0 and the level, which is
    one for all or one for each (N, 1, 1, 1)."""
    count, height, width, channels = images.shape
    sheets = _store(height, width)
    which = random.integers(0, SHEETS, (count, 1, 1))
    down = random.integers(0, sheets.shape[2] - height + 1, (count, 1))
    right = random.integers(0, sheets.shape[3] - width + 1, (count, 1))
    rows, columns = down + np.arange(height), right + np.arange(width)
    dark, worn, shadow = (sheet[which, rows[:, :, None], columns[:, None, :]] for sheet in sheets)
    most = np.asarray(level, np.float32).reshape(-1, 1, 1)
    strengths = most * random.random((3, count, 1, 1), np.float32)
    grain = random.standard_normal((count, height, width), np.float32)
    planes = [_spoilt(images[..., c], dark, worn, shadow, grain, *strengths) for c in range(channels)]
    return np.stack(planes, -1)


def _spoilt(
    images: Floats, dark: Floats, worn: Floats, shadow: Floats, grain: Floats, stain: Floats, fold: Floats, blur: Floats
) -> Floats:
    """Images, what lies on them, and grain, all (N, H, W); strengths (N, 1, 1)."""
    rubbed = images + fold * worn * (WORN - images)
    light = (1 - DARK * stain * dark) * (1 - SHADOW * fold * shadow)
    soft = blurred(rubbed * light, BLUR * blur)
    return np.clip(soft + GRAIN * np.maximum(np.maximum(stain, fold), blur) * grain, 0, 1)


def blurred(images: Floats, deviations: Floats) -> Floats:
    """Images (N, H, W), each blurred by a normal distribution of its own deviation (N, 1, 1) in pixels, cut off at `TAPS`;
    beyond its edge an image goes on as its outermost pixels."""
    taps = np.arange(-TAPS, TAPS + 1, dtype=np.float32)
    weights = np.exp(-0.5 * np.square(taps / np.maximum(deviations, 1e-3)))  # (N, 1, taps)
    weights = (weights / weights.sum(2, keepdims=True)).astype(np.float32)
    for axis in (1, 2):
        size = images.shape[axis]
        around = [(0, 0), (0, 0), (0, 0)]
        around[axis] = (TAPS, TAPS)
        wide = np.pad(images, around, "edge")
        images = sum(weights[:, :, k : k + 1] * wide.take(range(k, k + size), axis) for k in range(len(taps)))
    return images


@cache
def _store(height: int, width: int) -> Floats:
    """Sheets (3, SHEETS, side, side) of darkness, wear and shadow for images of this size, from which windows are taken:
    a training spoils every batch anew, and drawing a stain for each image would take longer than the step."""
    random = np.random.default_rng(1928)
    side = min(SIDES * max(height, width), max(MOST, 2 * max(height, width)))
    return np.stack([_sheet(side, side, max(height, width), random) for _ in range(SHEETS)], 1)


def _sheet(height: int, width: int, side: int, random: Generator) -> Floats:
    """(3, H, W): how dark stains are, how worn the ink is in folds, and the folds' shadows, each in [0, 1]."""
    light = np.ones((height, width), np.float32)
    for _ in range(max(3, round(height * width / (side * side) / 12))):
        _stain(light, side * 0.5 * 8 ** random.random(), random)
    folds = np.zeros((2, height, width), np.float32)
    for i in range(max(3, round(max(height, width) / side / 5))):
        _fold(folds, i % 2 == 0, side, random)
    return np.stack([1 - light, *folds])


def _stain(light: Floats, radius: float, random: Generator) -> None:
    """Take the light of one stain away: a round with an uneven outline, a darker rim, and mottled inside."""
    height, width = light.shape
    y, x = random.uniform(0, height), random.uniform(0, width)
    reach = 1.6 * radius
    top, left = max(0, int(y - reach)), max(0, int(x - reach))
    bottom, right = min(height, int(y + reach) + 1), min(width, int(x + reach) + 1)
    down, across = np.mgrid[top:bottom, left:right].astype(np.float32)
    down, across = (down - y) / radius, (across - x) / radius
    angle, distance = np.arctan2(down, across), np.hypot(down, across)
    outline, mottled = 1.0, 0.0
    for k in range(1, 6):
        strength, phase, tilt = random.uniform(0, 0.25 / k), *random.uniform(0, 2 * np.pi, 2)
        outline = outline + strength * np.cos(k * angle + phase)
        mottled = mottled + np.cos(2 * k * (across * np.cos(tilt) + down * np.sin(tilt)) + phase) / 5
    edge = 0.02 + 1.5 / radius * random.random()  # from a sharp edge to a soft one
    inside = 1 / (1 + np.exp(np.clip((distance / outline - 1) / edge, -30, 30)))
    rim = np.exp(-np.square((distance / outline - 1 + edge) / (1.5 * edge)))
    body, ring = random.uniform(0.2, 0.8), random.uniform(0, 0.5)
    light[top:bottom, left:right] *= 1 - np.clip(inside * (body + 0.15 * mottled) + ring * rim, 0, 1)


def _fold(folds: Floats, level: bool, side: int, random: Generator) -> None:
    """Add a fold, about level or upright, to the wear and the shadows (2, H, W)."""
    height, width = folds.shape[1:]
    down, across = np.arange(height, dtype=np.float32)[:, None], np.arange(width, dtype=np.float32)
    tilt = random.normal(0, 0.05) + (np.pi / 2 if level else 0.0)
    y, x = random.uniform(0, height), random.uniform(0, width)
    along = (down - y) * np.float32(np.cos(tilt)) - (across - x) * np.float32(np.sin(tilt))
    away = (across - x) * np.float32(np.cos(tilt)) + (down - y) * np.float32(np.sin(tilt))
    away += np.float32(0.03 * side) * np.sin(
        along * np.float32(random.uniform(1, 3) / side) + np.float32(random.uniform(0, 6))
    )
    thick = side * random.uniform(0.02, 0.07)
    patchy = np.clip(0.7 + 0.5 * np.sin(along * np.float32(random.uniform(2, 9) / side)), 0, 1)
    worn = np.exp(-np.square(away / np.float32(thick))) * patchy * np.float32(random.uniform(0.6, 1))
    far = side * random.uniform(0.3, 2.5)
    shadow = np.exp(-np.where(away > 0, away / np.float32(far), -away / np.float32(0.1 * side)))
    shadow *= np.float32(random.uniform(0.4, 1))
    np.maximum(folds[0], worn, out=folds[0])
    folds[1] = 1 - (1 - folds[1]) * (1 - shadow)

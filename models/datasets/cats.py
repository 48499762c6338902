"""Cats: 20,000 cartoon cat faces drawn with Pillow from eight independent factors.

Each factor changes many pixels, smoothly and in one direction only, so that an axis of a code can be compared with
it. All else (background, eye colour, nose, cheeks) stays as it is. Counts you should see: 20,000 samples, about
5,000 of each coat.
"""

from functools import cache
from math import cos, radians, sin

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from models.datasets import Arrays, Dataset

COUNT, SIDE, SCALE = 20_000, 64, 4  # drawn four times as large and averaged: soft edges
FACTORS = ("ear size", "face width", "eye opening", "pupil width", "coat colour", "stripes", "smile", "whisker angle")
COATS = ("ginger", "cream", "silver", "blue")
# The coat's ramp: ginger, cream, silver, blue. A path with two ends; a hue circle would bite its own tail.
RAMP = np.array([[226, 124, 48], [240, 196, 128], [188, 192, 200], [88, 112, 158]], float)
BACKGROUND, INK, NOSE, WHITE = (226, 238, 232), (52, 40, 44), (222, 110, 120), (255, 252, 246)
EYE = (150, 200, 90)


@cache
def _factors() -> NDArray[np.float32]:
    """(N, 8) in [0, 1], each uniform and independent of the others."""
    return np.random.default_rng(9).random((COUNT, len(FACTORS)), np.float32)


def draw(rows: NDArray[np.int64]) -> NDArray[np.uint8]:
    """The faces of these rows (len(rows), 64, 64, 3)."""
    out = np.empty((len(rows), SIDE, SIDE, 3), np.uint8)
    for i, factors in enumerate(_factors()[rows]):
        out[i] = face(factors)
    return out


def face(factors: NDArray[np.floating]) -> NDArray[np.uint8]:
    """One face (64, 64, 3) from its eight factors in [0, 1], in the order of FACTORS."""
    ears, wide, opening, pupil, coat, stripes, smile, whiskers = (float(value) for value in factors)
    fur = _ramp(coat)
    shade, light = _mix(fur, INK, 0.32), _mix(fur, WHITE, 0.62)
    page = Image.new("RGB", (SIDE * SCALE,) * 2, BACKGROUND)
    pen = ImageDraw.Draw(page)
    x, y = 128, 146  # the middle of the face
    half, tall = 72 + 32 * wide, 82
    _ears(pen, x, y, half, 20 + 62 * ears, fur, shade)
    pen.ellipse((x - half, y - tall, x + half, y + tall), fur, shade, 5)
    _stripes(pen, x, y, half, tall, _mix(fur, INK, 0.62 * stripes))
    for side in (-1, 1):
        _oval(pen, x + side * half * 0.62, y + 30, 15, 10, _mix(fur, (240, 120, 120), 0.4))
    for side in (-1, 1):
        _oval(pen, x + side * 19, y + 36, 25, 20, light)
    _oval(pen, x, y + 52, 22, 16, light)
    _eyes(pen, x, y - 8, 0.46 * half, 5 + 23 * opening, 4 + 15 * pupil)
    _whiskers(pen, x, y + 32, -32 + 64 * whiskers)
    pen.polygon(((x - 12, y + 17), (x + 12, y + 17), (x, y + 31)), NOSE)
    _mouth(pen, x, y + 47, -20 + 42 * smile)
    return np.asarray(page.reduce(SCALE))


Colour = tuple[int, ...]


def _ramp(share: float) -> Colour:
    place = share * (len(RAMP) - 1)
    low = min(int(place), len(RAMP) - 2)
    return tuple(round(v) for v in RAMP[low] + (RAMP[low + 1] - RAMP[low]) * (place - low))


def _mix(first: Colour, second: Colour, share: float) -> Colour:
    return tuple(round(a + (b - a) * share) for a, b in zip(first, second, strict=True))


def _oval(pen: ImageDraw.ImageDraw, x: float, y: float, wide: float, high: float, colour: Colour) -> None:
    pen.ellipse((x - wide, y - high, x + wide, y + high), colour)


def _ears(pen: ImageDraw.ImageDraw, x: float, y: float, half: float, height: float, fur: Colour, shade: Colour) -> None:
    for side in (-1, 1):
        outer, inner = (x + side * half * 0.93, y - 34), (x + side * half * 0.2, y - 70)
        middle = ((outer[0] + inner[0]) / 2, (outer[1] + inner[1]) / 2)
        tip = (middle[0] + side * (10 + 0.16 * height), middle[1] - 8 - height)
        pen.polygon((outer, tip, inner), fur)
        pen.line((outer, tip, inner), shade, 6, joint="curve")
        core = [(0.5 * (a + middle[0]), 0.5 * (b + middle[1])) for a, b in (outer, inner)]
        top = (middle[0] + 0.72 * (tip[0] - middle[0]), middle[1] + 0.72 * (tip[1] - middle[1]))
        pen.polygon((core[0], top, core[1]), _mix(NOSE, fur, 0.35))


def _stripes(pen: ImageDraw.ImageDraw, x: float, y: float, half: float, tall: float, colour: Colour) -> None:
    for place, length in ((-0.26, 30), (0, 42), (0.26, 30)):  # on the forehead
        top = y - tall * (0.94 - 0.9 * place**2)
        pen.line(((x + place * half, top), (x + 0.8 * place * half, top + length)), colour, 13)
    for side in (-1, 1):  # on the cheeks
        for drop in (4, 26):
            outer = half * (0.97 - (drop / 160) ** 1.5)
            pen.line(((x + side * outer, y + drop), (x + side * (outer - 26), y + drop + 3)), colour, 12)


def _eyes(pen: ImageDraw.ImageDraw, x: float, y: float, apart: float, opening: float, pupil: float) -> None:
    for side in (-1, 1):
        middle = x + side * apart
        _oval(pen, middle, y, 27, opening + 4, INK)
        _oval(pen, middle, y, 23, opening, EYE)
        _oval(pen, middle, y, pupil, opening, INK)
        shine = min(6.5, opening * 0.5)
        _oval(pen, middle - 7, y - opening * 0.42, shine, shine, WHITE)


def _whiskers(pen: ImageDraw.ImageDraw, x: float, y: float, angle: float) -> None:
    """Three on each side; `angle` in degrees, upwards positive."""
    for side in (-1, 1):
        for fan in (-13, 0, 13):
            turn = radians(angle + fan)
            start = (x + side * 34, y - 0.6 * fan)
            end = (start[0] + side * 74 * cos(turn), start[1] - 74 * sin(turn))
            pen.line((start, end), INK, 4)


def _mouth(pen: ImageDraw.ImageDraw, x: float, y: float, lift: float) -> None:
    """A line from the nose, and two curves whose ends are `lift` above (or, negative, below) the middle."""
    pen.line(((x, y - 17), (x, y)), INK, 5)
    for side in (-1, 1):
        share = np.linspace(0, 1, 9)
        # Quadratic: level at the middle, then up or down to the end.
        points = [(x + side * 34 * t, y + 9 * 4 * t * (1 - t) * 0.5 - lift * t * t) for t in share]
        pen.line(points, INK, 7, joint="curve")


def read() -> Arrays:
    """20,000 colour images (64, 64, 3), their coats as labels and their eight factors."""
    factors = _factors()
    coats = np.minimum(factors[:, FACTORS.index("coat colour")] * len(COATS), len(COATS) - 1).astype(np.int32)
    return Arrays(draw(np.arange(COUNT)), coats, factors.copy())


DATASET = Dataset(
    name="cats",
    title="Cats",
    summary="Cartoon cat faces whose ears, eyes, coat, smile and whiskers are known numbers.",
    kind="image",
    shape=(SIDE, SIDE, 3),
    count=COUNT,
    classes=COATS,
    source="Drawn by Hourglass",
    licence="CC0 1.0",
    label="coat",
    factors=FACTORS,
    draw=draw,
    read=read,
)

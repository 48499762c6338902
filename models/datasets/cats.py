"""Cats: 20,000 cartoon cat faces (64, 64, 3), each drawn from nine numbers that are known and independent.

Real photographs never tell which numbers made them. These do, so that one can check whether an axis of a code is
the ears, and they are drawn on demand instead of shipped. Every factor is uniform over its range, changes many
pixels, and always in the same direction: the fur fades from ginger to blue by way of silver instead of
running round the colour circle, because a circle has no end that an axis could point to.

Counts you should see: 20,000 samples, 5,000 of each fur colour, give or take a hundred.
"""

import math
from functools import cache

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from models.datasets import Arrays, Dataset

COUNT, SIDE = 20_000, 64
FINE = 4  # drawn four times as large, then averaged: edges are soft and small changes show
FACTORS = {
    "fur": (0.0, 1.0),  # ginger to blue
    "face width": (19.5, 26.0),  # pixels from the middle to the cheek
    "ear height": (7.0, 19.0),  # pixels
    "stripes": (0.0, 1.0),  # none to dark
    "eye opening": (0.28, 1.0),  # sleepy to wide awake
    "pupil width": (0.14, 0.86),  # slit to round, as a share of the eye's width
    "eye colour": (0.0, 1.0),  # amber to blue
    "mouth": (-1.0, 1.0),  # sulking to laughing
    "whisker angle": (-24.0, 24.0),  # degrees, hanging to raised
}
FURS = ("ginger", "fawn", "silver", "blue")  # quarters of the fur factor; breeders call a slate grey cat blue

Colour = tuple[int, int, int]
BACKGROUND, HALO, OUTLINE, WHITE = (252, 245, 233), (241, 229, 208), (75, 52, 54), (255, 253, 249)
PINK, BLUSH, TONGUE = (240, 150, 150), (246, 138, 128), (238, 118, 124)
GINGER, SILVER, BLUE = (250, 154, 58), (202, 188, 178), (92, 124, 180)
AMBER, AQUA = (255, 196, 40), (74, 186, 226)
EYES, MUZZLE = 37.0, 47.5  # y in pixels; x is counted from the axis of the face to the right
EYE = (6.9, 7.9)  # half width and half height when wide open


@cache
def _factors() -> NDArray[np.float32]:
    """(N, 9): a value from each range of FACTORS."""
    low, high = np.array(list(FACTORS.values())).T
    return np.random.default_rng(1865).uniform(low, high, (COUNT, len(FACTORS))).astype(np.float32)


def draw(rows: NDArray[np.int64]) -> NDArray[np.uint8]:
    """The cats of these rows (len(rows), 64, 64, 3)."""
    return faces(_factors()[rows])


def faces(factors: NDArray[np.float32]) -> NDArray[np.uint8]:
    """Cats with any factors (N, 9), the columns in the order of FACTORS; also those that no row has."""
    out = np.empty((len(factors), SIDE, SIDE, 3), np.uint8)
    for image, values in zip(out, factors.tolist(), strict=True):
        image[:] = _face(*values)
    return out


def _face(
    fur: float,
    width: float,
    ears: float,
    stripes: float,
    opening: float,
    pupil: float,
    iris: float,
    mouth: float,
    whiskers: float,
) -> NDArray[np.uint8]:
    """One cat: the right half from back to front, mirrored, and light in both eyes from the same side."""
    half = Image.new("RGB", (SIDE * FINE // 2, SIDE * FINE), BACKGROUND)
    pen = Pen(half)
    pen.dot((0, 35), 27.5, 27.5, HALO)
    coat = coat_of(fur)
    eye = 0.25 * width + 4.9
    _ear(pen, width, ears, coat)
    _head(pen, width, coat, mix(coat, mix(coat, OUTLINE, 0.72), stripes))
    _eye(pen, eye, opening, pupil, mix(AMBER, AQUA, iris))
    _mouth(pen, mouth)
    _whiskers(pen, whiskers)
    whole = Image.new("RGB", (SIDE * FINE, SIDE * FINE))
    whole.paste(half, (half.width, 0))
    whole.paste(half.transpose(Image.Transpose.FLIP_LEFT_RIGHT), (0, 0))
    for x in (SIDE / 2 - eye, SIDE / 2 + eye):
        _light(Pen(whole), x, opening)
    return np.asarray(whole.reduce(FINE))


def _ear(pen: "Pen", width: float, height: float, coat: Colour) -> None:
    tip = (0.9 * width, 23.0 - height)
    outside = curve((0.97 * width, 33.0), (0.97 * width + 1.5, 24.0 - 0.4 * height), tip)
    inside = curve(tip, (0.55 * width, 21.0 - 0.45 * height), (0.2 * width, 21.0))
    ear = outside + inside[1:]
    pen.shape(ear, coat, 1.4)
    # The pink is the same ear, shrunk towards a point low in its middle.
    x, y = 0.68 * width, 27.0
    pen.shape([(x + 0.6 * (px - x), y + 0.68 * (py - y)) for px, py in ear], PINK)


def _head(pen: "Pen", width: float, coat: Colour, dark: Colour) -> None:
    """A wide cushion with tufts on the cheek, stripes on forehead and cheek, a blush, a white muzzle."""
    outline = [(width * x, y) for x, y in HALF_HEAD]
    pen.shape(outline, coat)
    for x, top, tip in ((0.0, 18.6, 32.0), (0.3 * width, 18.6, 28.5)):
        pen.shape(curve((x - 2.6, top), (x, 2 * tip - top), (x + 2.6, top)), dark)
    edge = 0.98 * width
    for y, long in ((33.5, 11.0), (39.5, 13.0), (45.5, 14.0)):
        pen.shape(curve((edge, y - 2.2), (edge - long, y + 1.4), (edge, y + 2.2)), dark)
    pen.line(outline, 1.4)  # after the stripes, over their ends
    pen.dot((0.4 * width + 5.2, 48.2), 3.8, 2.3, mix(coat, BLUSH, 0.65))
    pen.dot((4.6, MUZZLE), 6.8, 5.4, WHITE)
    pen.dot((0, MUZZLE + 4.2), 7.0, 5.0, WHITE)


def _eye(pen: "Pen", x: float, opening: float, pupil: float, iris: Colour) -> None:
    wide, high = EYE[0], EYE[1] * opening
    pen.dot((x, EYES), wide + 1.1, high + 1.1, OUTLINE)
    pen.dot((x, EYES), wide, high, iris)
    pen.dot((x, EYES), wide * pupil, 0.94 * high, OUTLINE)


def _light(pen: "Pen", x: float, opening: float) -> None:
    up = 0.42 * EYE[1] * opening
    pen.dot((x - 2.0, EYES - up), 2.0, 2.3 * opening, WHITE)
    pen.dot((x + 2.1, EYES + up), 1.1, 1.2 * opening, WHITE)


def _mouth(pen: "Pen", mood: float) -> None:
    """An arc from under the nose; its end rises with the mood, and a laughing mouth opens."""
    top, depth = MUZZLE - 0.8, 3.1 * (mood + 1)
    open_ = [(x, top + 1.6 + depth * (1 - (x / 4.6) ** 4)) for x in (0, 2, 3.4, 4.2, 4.6)]
    pen.shape([(-4.6, top), (-2, open_[1][1]), *open_, (0, top)], TONGUE, 1.1)
    pen.line(curve((0, top), (3.0, top + 3.4 + 2.2 * mood), (6.8, top + 1.2 - 3.6 * mood)), 1.3)
    wing, tip = (2.6, MUZZLE - 4.2), (0, MUZZLE - 1.2)
    nose = curve((-2.6, MUZZLE - 4.2), (0, MUZZLE - 5.2), wing) + curve(wing, (1.8, MUZZLE - 1.4), tip)[1:]
    pen.shape(nose, PINK, 1.0)


def _whiskers(pen: "Pen", angle: float) -> None:
    for spread, y in ((11.0, 46.3), (0.0, 48.0), (-11.0, 49.7)):
        turn = math.radians(angle + spread)
        pen.line([(11.0, y), (11.0 + 19 * math.cos(turn), y - 19 * math.sin(turn))], 1.0)


Point = tuple[float, float]


class Pen:
    """Draws in pixels of the final image on one that is FINE times as large."""

    def __init__(self, image: Image.Image) -> None:
        self.draw = ImageDraw.Draw(image)

    def shape(self, points: list[Point], fill: Colour, outline: float = 0) -> None:
        self.draw.polygon([(x * FINE, y * FINE) for x, y in points], fill)
        if outline:
            self.line([*points, *points[:2]], outline)

    def line(self, points: list[Point], width: float) -> None:
        large = [(x * FINE, y * FINE) for x, y in points]
        self.draw.line(large, OUTLINE, round(width * FINE), joint="curve")

    def dot(self, middle: Point, wide: float, high: float, fill: Colour) -> None:
        (x, y), w, h = middle, wide * FINE, high * FINE
        self.draw.ellipse((x * FINE - w, y * FINE - h, x * FINE + w, y * FINE + h), fill)


def curve(start: Point, pull: Point, end: Point, steps: int = 8) -> list[Point]:
    """A quadratic Bézier curve."""
    (x0, y0), (x1, y1), (x2, y2) = start, pull, end
    weights = [((1 - t) ** 2, 2 * t * (1 - t), t**2) for t in (step / steps for step in range(steps + 1))]
    return [(a * x0 + b * x1 + c * x2, a * y0 + b * y1 + c * y2) for a, b, c in weights]


def mix(one: Colour, other: Colour, share: float) -> Colour:
    red, green, blue = (round(a + (b - a) * share) for a, b in zip(one, other, strict=True))
    return red, green, blue


def coat_of(fur: float) -> Colour:
    return mix(GINGER, SILVER, 2 * fur) if fur < 0.5 else mix(SILVER, BLUE, 2 * fur - 1)


# The outline of the right half of the head from crown to chin: (share of the face width, y in pixels).
HALF_HEAD = [
    *curve((0.0, 18.0), (0.6, 17.8), (0.84, 25.5)),
    *curve((0.84, 25.5), (1.0, 31.0), (1.0, 39.5))[1:],
    *curve((1.0, 39.5), (1.04, 43.0), (1.12, 45.5), 4)[1:],
    *curve((1.12, 45.5), (1.04, 46.5), (0.96, 46.5), 4)[1:],
    *curve((0.96, 46.5), (0.97, 48.5), (1.02, 50.5), 4)[1:],
    *curve((1.02, 50.5), (0.92, 51.5), (0.83, 51.5), 4)[1:],
    *curve((0.83, 51.5), (0.58, 59.0), (0.0, 59.0))[1:],
]


def read() -> Arrays:
    """20,000 cats with their nine factors."""
    factors = _factors()
    labels = np.minimum(factors[:, 0] * len(FURS), len(FURS) - 1).astype(np.int32)
    return Arrays(draw(np.arange(COUNT)), labels, factors.copy())


DATASET = Dataset(
    name="cats",
    title="Cats",
    summary="Cartoon cats drawn from nine numbers: ears, eyes, fur, whiskers. Which will the code find?",
    kind="image",
    shape=(SIDE, SIDE, 3),
    count=COUNT,
    classes=FURS,
    source="Drawn by Hourglass",
    licence="CC0 1.0",
    label="fur",
    factors=tuple(FACTORS),
    draw=draw,
    read=read,
    # From end to end of the factor in equal steps, each within its own quarter: as far apart as they can be.
    colours={name: "#{:02x}{:02x}{:02x}".format(*coat_of(i / (len(FURS) - 1))) for i, name in enumerate(FURS)},
)

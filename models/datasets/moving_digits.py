"""Moving digits: films of 20 frames in which one or two handwritten digits move evenly and bounce off the edges.

After N. Srivastava, E. Mansimov and R. Salakhutdinov, Unsupervised Learning of Video Representations using LSTMs, 2015, with the digits of
`digits` (8 x 8) in frames of 16 x 16. A film is one image, its frames side by side.

Counts you should see: 3,000 films, 1,500 with one digit and 1,500 with two.
"""

from functools import cache

import numpy as np
from numpy.typing import NDArray

from models.datasets import Arrays, Dataset
from models.datasets.digits import read as read_digits

COUNT, FRAMES, SIDE, DIGIT = 3_000, 20, 16, 8
SPEEDS = (0.5, 1.5)  # pixels a frame
KINDS = ("one digit", "two digits")


@cache
def _digits() -> NDArray[np.float64]:
    """(N, 8, 8) from 0 to 1."""
    return np.asarray(read_digits().samples[..., 0], np.float64) / 255


def draw(rows: NDArray[np.int64]) -> NDArray[np.uint8]:
    """The films of these rows (len(rows), 16, 320, 1)."""
    films = [np.concatenate(list(film(int(row))), 1) for row in rows]
    return np.stack(films)[..., None] if films else np.zeros((0, SIDE, SIDE * FRAMES, 1), np.uint8)


def film(row: int) -> NDArray[np.uint8]:
    """One film (20, 16, 16)."""
    random = np.random.default_rng([1878, row])
    frames = np.zeros((FRAMES, SIDE, SIDE))
    for _ in range(1 + row % 2):
        digit = _digits()[random.integers(len(_digits()))]
        place, angle = random.uniform(0, SIDE - DIGIT, 2), random.uniform(0, 2 * np.pi)
        speed = random.uniform(*SPEEDS) * np.array([np.sin(angle), np.cos(angle)])
        for frame in frames:
            np.maximum(frame, _placed(digit, place), out=frame)
            place = place + speed
            beyond = (place < 0) | (place > SIDE - DIGIT)
            speed = np.where(beyond, -speed, speed)
            place = np.where(place < 0, -place, np.where(beyond, 2 * (SIDE - DIGIT) - place, place))
    return np.asarray((255 * frames).round(), np.uint8)


def _placed(digit: NDArray[np.float64], place: NDArray[np.float64]) -> NDArray[np.float64]:
    """A digit with its corner at a place (2,) between pixels: each pixel is shared by those that it lies over."""
    out = np.zeros((SIDE + 1, SIDE + 1))
    whole = place.astype(int)
    (down, right), (y, x) = place - whole, whole.tolist()
    for i, vertical in ((0, 1 - down), (1, down)):
        for j, horizontal in ((0, 1 - right), (1, right)):
            out[y + i : y + i + DIGIT, x + j : x + j + DIGIT] += vertical * horizontal * digit
    return out[:SIDE, :SIDE]


def read() -> Arrays:
    """3,000 films."""
    rows = np.arange(COUNT)
    return Arrays(draw(rows), (rows % 2).astype(np.int32), np.zeros((COUNT, 0), np.float32))


DATASET = Dataset(
    name="moving-digits",
    title="Moving digits",
    summary="Films of one or two digits that bounce off the edges: how does it go on?",
    kind="image",
    shape=(SIDE, SIDE * FRAMES, 1),
    count=COUNT,
    classes=KINDS,
    source="Drawn by Hourglass, after Srivastava et al., 2015, from the digits of E. Alpaydin and C. Kaynak, 1998",
    licence="CC BY 4.0",
    label="number of digits",
    frames=FRAMES,
    draw=draw,
    read=read,
)

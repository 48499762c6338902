"""Ways to spoil a sample, for denoising training (Vincent et al. 2008) and for the pages that show it."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from math import ceil

import numpy as np
from numpy.typing import NDArray

from models import stains

Floats = NDArray[np.float32]
Bytes = NDArray[np.uint8]

# How strong each kind of `mixed` is at level 1, where its samples can hardly be told any more.
STRONGEST = {"gaussian": 0.7, "salt-and-pepper": 0.5, "masking": 0.7, "strokes": 1.0, "watermarks": 1.0}
EVERYWHERE = ("gaussian", "salt-and-pepper", "masking")  # kinds that go on samples of any kind
WORDS = (
    "COPY", "SAMPLE", "DRAFT", "PROOF", "VOID", "DEMO", "preview", "secret", "paid", "photo", "studio", "archive", "2019",
    "No. 7", "press", "stock", "Do not use", "www", "original", "test",
)  # fmt: skip
UNSEEN = (
    "Hourglass", "CONFIDENTIAL", "museum", "gallery", "TRIAL", "Watermark", "licensed", "agency", "(c) 2026", "Property",
    "EXAMPLE", "private", "blocked", "unpaid", "PRINT",
)  # fmt: skip
LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
MASKS = 512  # that are drawn once; a training picks among them and cuts another piece out at each step
NUMBERS = 24_000_000  # of all masks together: of large images there are fewer


def corrupt(samples: Floats, noise: str, level: float, seed: int, unseen: bool = False) -> Floats:
    """Samples (N, …) as float32 with noise; images stay in [0, 1]. level as in `Configuration.noise_level`.

    unseen: with words, lines and places that no training sees, to measure with; other noises are the same.
    """
    if noise == "none" or level == 0:
        return samples
    source = np.random.default_rng(seed)
    if noise == "mixed":
        return _mixed(samples, level, source, unseen)
    return _SPOIL[noise](samples, level, source, unseen)


def corrupt_rows(samples: Floats, noise: str, level: float, rows: NDArray[np.integer], unseen: bool = False) -> Floats:
    """As `corrupt`, each sample by the number of its row: whoever looks at a row meets the same noise."""
    if noise == "none" or level == 0 or not len(rows):
        return samples
    return np.concatenate([corrupt(samples[i : i + 1], noise, level, int(row), unseen) for i, row in enumerate(rows)])


Level = float | Floats  # of all samples, or one for each (N, 1, …)


def _gaussian(samples: Floats, level: Level, source: np.random.Generator, _unseen: bool) -> Floats:
    spoilt = samples + level * source.standard_normal(samples.shape, np.float32)
    return np.clip(spoilt, 0, 1) if samples.ndim == 4 else spoilt


def _masking(samples: Floats, level: Level, source: np.random.Generator, _unseen: bool) -> Floats:
    pixels = (*samples.shape[:-1], 1) if samples.ndim == 4 else samples.shape  # whole ones, not single colours
    return np.asarray(samples * (source.random(pixels, np.float32) >= level), np.float32)


def _salt_and_pepper(samples: Floats, level: Level, source: np.random.Generator, _unseen: bool) -> Floats:
    pixels = (*samples.shape[:-1], 1) if samples.ndim == 4 else samples.shape
    dice = source.random(pixels, np.float32)
    low, high = (0.0, 1.0) if samples.ndim == 4 else (samples.min(), samples.max())
    return np.where(dice < level / 2, np.float32(low), np.where(dice < level, np.float32(high), samples)).astype(
        np.float32
    )


def _watermark(samples: Floats, level: Level, source: np.random.Generator, _unseen: bool) -> Floats:
    shifts = source.integers(0, samples.shape[1:3], (len(samples), 2))
    mark = watermark(*samples.shape[1:3])
    marks = np.stack([np.roll(mark, tuple(shift), (0, 1)) for shift in shifts])[..., None]
    return np.asarray(samples + level * marks * (1 - samples), np.float32)


def _watermarks(samples: Floats, level: Level, source: np.random.Generator, unseen: bool) -> Floats:
    bank = words(*samples.shape[1:3], unseen)
    places = np.array(_places(*samples.shape[1:3], unseen))
    down, right = places[source.integers(0, len(places), len(samples))].T
    return _inked(samples, level, source, bank, down, right)


def _strokes(samples: Floats, level: Level, source: np.random.Generator, unseen: bool) -> Floats:
    bank = scribbles(*samples.shape[1:3], unseen)
    down, right = (source.integers(0, bank.shape[i] - samples.shape[i] + 1, len(samples)) for i in (1, 2))
    return _inked(samples, level, source, bank, down, right)


def _stains(samples: Floats, level: Level, source: np.random.Generator, _unseen: bool) -> Floats:
    return stains.spoil_all(samples, level, source)


_SPOIL: dict[str, Callable[[Floats, Level, np.random.Generator, bool], Floats]] = {
    "gaussian": _gaussian,
    "salt-and-pepper": _salt_and_pepper,
    "masking": _masking,
    "watermark": _watermark,
    "watermarks": _watermarks,
    "strokes": _strokes,
    "stains": _stains,
}


def _mixed(samples: Floats, level: float, source: np.random.Generator, unseen: bool) -> Floats:
    """Each sample with another kind, and another strength up to `level` times the strongest of that kind."""
    known = list(STRONGEST) if samples.ndim == 4 else list(EVERYWHERE)
    chosen = source.integers(0, len(known), len(samples))
    strength = np.float32(level) * source.random((len(samples), *(1 for _ in samples.shape[1:])), np.float32)
    out = np.empty_like(samples)
    for i, kind in enumerate(known):
        own = chosen == i
        if own.any():
            out[own] = _SPOIL[kind](samples[own], STRONGEST[kind] * strength[own], source, unseen)
    return out


def _inked(
    samples: Floats,
    level: Level,
    source: np.random.Generator,
    bank: Bytes,
    down: NDArray[np.int64],
    right: NDArray[np.int64],
) -> Floats:
    """Images under a piece of a mask each, cut out of the bank at these places, in black or white ink of this opacity."""
    pieces = np.lib.stride_tricks.sliding_window_view(bank, samples.shape[1:3], (1, 2))
    marks = pieces[source.integers(0, len(bank), len(samples)), down, right, :, :, None]
    ink = source.integers(0, 2, (len(samples), 1, 1, 1)).astype(np.float32)
    return np.asarray(samples + (marks * np.float32(1 / 255)) * level * (ink - samples), np.float32)


# ── masks, which are drawn once ──────────────────────────────────────────────────────────


@cache
def watermark(height: int, width: int) -> Floats:
    """The word COPY written slantwise as a mask (H, W) in [0, 1], as large as the image."""
    side = max(height, width)
    mask = written("COPY", side, side, 1 / 3, 30, (0.5, 0.5), finer=8)
    return mask[:height, :width]


def written(
    word: str,
    height: int,
    width: int,
    size: float,
    angle: float = 0.0,
    place: tuple[float, float] = (0.5, 0.5),
    bold: float = 0.0,
    finer: int = 4,
) -> Floats:
    """A word as a mask (H, W) in [0, 1], 1 where its ink is.

    size: the font's, as a share of the longer side; angle in degrees, against the clock; place: of the word's middle, as
    shares of height and width from the top left; bold: by how much lines are thickened, as a share of the font's size; finer:
    how many times as large it is drawn.
    """
    from PIL import Image, ImageDraw, ImageFont

    side = max(height, width)
    # As large as needed for every place of the middle, so that turning cuts nothing off.
    page = Image.new("L", (finer * side,) * 2)
    points = max(4, int(size * finer * side))
    font = ImageFont.load_default(points)
    middle = finer * side / 2
    ImageDraw.Draw(page).text(
        (middle, middle), word, fill=255, font=font, anchor="mm", stroke_width=round(bold * points)
    )
    shift = (round((place[1] - 0.5) * width * finer), round((place[0] - 0.5) * height * finer))
    turned = page.rotate(angle, Image.Resampling.BILINEAR, translate=shift)
    left, top = (finer * (side - width)) // 2, (finer * (side - height)) // 2
    cut = turned.crop((left, top, left + finer * width, top + finer * height))
    return np.asarray(cut.resize((width, height), Image.Resampling.BOX), np.float32) / np.float32(255)


def _count(height: int, width: int, unseen: bool) -> int:
    """How many masks of this size there are."""
    return max(8, min(MASKS // (4 if unseen else 1), NUMBERS // (height * width)))


def _finer(side: int) -> int:
    """How many times as large the lines of a mask are drawn: small ones more, since they are coarse."""
    return 4 if side <= 64 else 2 if side <= 128 else 1


def words_of(unseen: bool) -> tuple[str, ...]:
    """The words that watermarks are written with, half of them letters at random; none is in both sets."""
    known = UNSEEN if unseen else WORDS
    source = np.random.default_rng([1, unseen])
    made: list[str] = []
    while len(made) < (40 if unseen else 160):
        word = "".join(source.choice(list(LETTERS), source.integers(2, 9)))
        if (sum(map(ord, word)) % 5 == 0) == unseen:  # a fifth of all strings is kept for measuring
            made.append(word)
    return (*known, *made)


@cache
def words(height: int, width: int, unseen: bool = False) -> Bytes:
    """Masks (M, H', W') of watermarks, larger than the image, the middle of each word in the middle."""
    known = words_of(unseen)
    source = np.random.default_rng([2, unseen])
    high, wide = (size + 2 * ceil(0.4 * size) for size in (height, width))
    finer = _finer(max(height, width))
    out = []
    for i in range(_count(high, wide, unseen)):
        # Every other one of the words that are words: there are fewer of these.
        word = known[i // 2 % len(WORDS if not unseen else UNSEEN)] if i % 2 else known[source.integers(0, len(known))]
        size = source.uniform(0.22, 0.5) * max(height, width) / max(high, wide)
        slant, bold = source.uniform(-50, 50), source.choice([0.0, 0.03, 0.06])
        out.append(written(word, high, wide, size, slant, bold=bold, finer=finer))
    return np.rint(255 * np.stack(out)).astype(np.uint8)


@cache
def _places(height: int, width: int, unseen: bool) -> tuple[tuple[int, int], ...]:
    """Where an image may be cut out of a mask of `words`: every fourth place is kept for measuring."""
    down, right = (np.arange(2 * ceil(0.4 * size) + 1) for size in (height, width))
    return tuple((int(y), int(x)) for y in down for x in right if ((y + 2 * x) % 4 == 0) == unseen)


@cache
def scribbles(height: int, width: int, unseen: bool = False) -> Bytes:
    """Masks (M, H', W') of smooth lines that a pen might draw, somewhat larger than the image."""
    from PIL import Image, ImageDraw

    source = np.random.default_rng([3, unseen])
    high, wide = (size + 2 * ceil(size / 8) for size in (height, width))
    finer, side = _finer(max(height, width)), max(height, width)
    out = []
    for _ in range(_count(high, wide, unseen)):
        page = Image.new("L", (finer * wide, finer * high))
        draw = ImageDraw.Draw(page)
        thick = source.uniform(0.04, 0.13) * side * finer
        for _ in range(source.integers(1, 4)):
            points = _line(source, finer * high, finer * wide)
            draw.line([tuple(point) for point in points], 255, max(1, round(thick)), joint="curve")
            for x, y in points[[0, -1]]:  # round ends
                draw.ellipse((x - thick / 2, y - thick / 2, x + thick / 2, y + thick / 2), 255)
        out.append(np.asarray(page.resize((wide, high), Image.Resampling.BOX)))
    return np.stack(out)


def _line(source: np.random.Generator, height: int, width: int) -> NDArray[np.float64]:
    """Points (P, 2) as (x, y) of a line whose direction changes smoothly, from a random place on."""
    count, step = int(source.integers(8, 30)), 0.05 * max(height, width)
    bends = np.cumsum(source.normal(0, 0.25, count)) + source.uniform(-0.2, 0.2)
    direction = source.uniform(0, 2 * np.pi) + np.cumsum(np.clip(bends, -0.6, 0.6))
    begin = source.uniform(0.15, 0.85, 2) * (width, height)
    return np.asarray(begin + step * np.cumsum(np.stack([np.cos(direction), np.sin(direction)], 1), 0))

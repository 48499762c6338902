"""Tones: pieces of 16 ms of sound at 8 kHz, drawn from known numbers: notes, chords, vowel-like tones and sweeps.

A note is a row of harmonics, softer the higher they are, that dies away; a chord is three of them, major or minor; a vowel
is a deep tone whose harmonics are loud near the resonances of a mouth (the formants of G. E. Peterson and H. L.
Barney, Control Methods Used in a Study of the Vowels, 1952, rounded); a sweep glides up or down. All phases are random, so that no piece
begins as another does. Made for cleaning sounds: a sound is cut into such pieces, and put together again.

Counts you should see: 12,000 samples, 3,000 of each kind.
"""

from functools import cache

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from models.columns import Column, standardised
from models.datasets import Arrays, Dataset

COUNT, STEPS, RATE = 12_000, 128, 8000
KINDS = ("note", "chord", "vowel", "sweep")
HIGHEST = 3600.0  # Hz: what lies above would be heard as something else at this rate
PITCHES = (80.0, 700.0)  # Hz of the deepest tone
LOUDNESS = (0.03, 0.5)  # smallest and largest standard deviation; 1 is what a file can hold
# First three resonances of vowels in Hz: as in heed, hid, head, had, hod, hawed, hood, who'd, hud.
FORMANTS = np.array(
    [
        (270, 2290, 3010),
        (390, 1990, 2550),
        (530, 1840, 2480),
        (660, 1720, 2410),
        (730, 1090, 2440),
        (570, 840, 2410),
        (440, 1020, 2240),
        (300, 870, 2240),
        (640, 1190, 2390),
    ],
    np.float64,
)
WIDTHS = np.array([60.0, 90.0, 150.0])  # Hz: half widths of these
COLUMNS = (Column("amplitude", "number", 0, 1, 0.0, 0.2119),)


@cache
def _factors() -> NDArray[np.float32]:
    """(N, 3): which kind, the pitch in Hz, the loudness."""
    random = np.random.default_rng(1863)
    kind = np.arange(COUNT) % len(KINDS)
    pitch = np.exp(random.uniform(np.log(PITCHES[0]), np.log(PITCHES[1]), COUNT))
    loudness = np.exp(random.uniform(np.log(LOUDNESS[0]), np.log(LOUDNESS[1]), COUNT))
    return np.column_stack([kind, pitch, loudness]).astype(np.float32)


def draw(rows: NDArray[np.int64]) -> NDArray[np.float32]:
    """The pieces of these rows (len(rows), 128, 1), standardised."""
    out = np.stack([_piece(int(row)) for row in rows]) if len(rows) else np.zeros((0, STEPS))
    return standardised(COLUMNS, out[..., None])


def _piece(row: int) -> NDArray[np.float64]:
    kind, pitch, loudness = _factors()[row].tolist()
    sound = tone(KINDS[int(kind)], pitch, STEPS, np.random.default_rng([1863, row]))
    return np.asarray(sound * loudness / max(float(sound.std()), 1e-9))


def tone(kind: str, pitch: float, steps: int, random: Generator) -> NDArray[np.float64]:
    """So many steps of a tone of this kind and pitch in Hz, with an amplitude of about 1: what else there is to choose, such as
    which vowel, is drawn."""
    seconds = np.arange(steps) / RATE
    if kind == "chord":
        third = 4 if random.random() < 0.5 else 3
        slope, tops = random.uniform(0.8, 2.2), [pitch * 2 ** (k / 12) for k in (0, third, 7)]
        return np.asarray(
            np.sum([_harmonics(top, slope, seconds, random) for top in tops], 0) * _decay(seconds, random)
        )
    if kind == "vowel":
        formants = FORMANTS[random.integers(len(FORMANTS))] * random.uniform(0.85, 1.2)
        return vowel(pitch * (1 + 0.03 * np.sin(2 * np.pi * (5 * seconds + random.random()))), formants, random)
    if kind == "sweep":
        end = pitch * 2 ** random.uniform(-0.5, 0.5)
        return _of_phase(np.linspace(pitch, end, steps), random.uniform(0.8, 2.5), random)
    return _harmonics(pitch, random.uniform(0.6, 2.5), seconds, random) * _decay(seconds, random)


def _decay(seconds: NDArray[np.float64], random: Generator) -> NDArray[np.float64]:
    """How a string dies away, within 0.05 to 2 seconds."""
    return np.asarray(np.exp(-seconds / np.exp(random.uniform(np.log(0.05), np.log(2)))))


def _harmonics(pitch: float, slope: float, seconds: NDArray[np.float64], random: Generator) -> NDArray[np.float64]:
    """A tone whose k-th harmonic has an amplitude of about 1 / k^slope."""
    k = np.arange(1, max(2, int(HIGHEST / pitch) + 1))
    amplitudes = k**-slope * random.uniform(0.3, 1, len(k))
    phases = random.uniform(0, 2 * np.pi, len(k))
    return np.asarray(amplitudes @ np.sin(2 * np.pi * pitch * k[:, None] * seconds + phases[:, None]))


def _of_phase(pitch: NDArray[np.float64], slope: float, random: Generator) -> NDArray[np.float64]:
    """The same for a pitch (T,) that changes."""
    phase = 2 * np.pi * np.cumsum(pitch) / RATE
    k = np.arange(1, max(2, int(HIGHEST / pitch.max()) + 1))
    amplitudes, phases = k**-slope * random.uniform(0.3, 1, len(k)), random.uniform(0, 2 * np.pi, len(k))
    return np.asarray(amplitudes @ np.sin(k[:, None] * phase + phases[:, None]))


def vowel(pitch: NDArray[np.float64], formants: NDArray[np.float64], random: Generator) -> NDArray[np.float64]:
    """A voice of this pitch (T,) in Hz, whose harmonics are loud near the formants (3,)."""
    phase = 2 * np.pi * np.cumsum(pitch) / RATE
    k = np.arange(1, max(2, int(HIGHEST / pitch.max()) + 1))
    near = (pitch.mean() * k[:, None] - formants) / WIDTHS
    amplitudes = (1 / (1 + near**2)).dot([1.0, 0.5, 0.25]) / np.sqrt(k) + 0.02 / k
    phases = random.uniform(0, 2 * np.pi, len(k))
    return np.asarray(amplitudes @ np.sin(k[:, None] * phase + phases[:, None]))


def read() -> Arrays:
    """12,000 signals (128, 1), standardised, with their three factors."""
    factors = _factors()
    return Arrays(draw(np.arange(COUNT)), factors[:, 0].astype(np.int32), factors.copy())


DATASET = Dataset(
    name="tones",
    title="Tones",
    summary="Pieces of notes, chords, vowels and sweeps: learn to clean them, then hear a melody before and after.",
    kind="signal",
    shape=(STEPS, 1),
    count=COUNT,
    classes=KINDS,
    source="Drawn by Hourglass; formants after Peterson and Barney, 1952",
    licence="CC0 1.0",
    label="kind of tone",
    factors=("kind", "pitch", "loudness"),
    columns=COLUMNS,
    draw=draw,
    read=read,
)

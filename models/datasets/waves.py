"""Waves: signals of 64 steps, each drawn from four numbers that are known and independent, and a little noise.

Whether a code finds form, frequency, phase and amplitude is a question of its own: the phase runs round a circle, which has
no end that one axis could point to.

Counts you should see: 6,000 samples, 1,500 of each form.
"""

from functools import cache

import numpy as np
from numpy.typing import NDArray

from models.columns import Column, standardised
from models.datasets import Arrays, Dataset

COUNT, STEPS = 6_000, 64
FORMS = ("sine", "triangle", "square", "sawtooth")
RANGES = {
    "frequency": (1.0, 4.0),  # periods in the window
    "phase": (0.0, 360.0),  # degrees, at the first step
    "amplitude": (0.4, 1.6),  # volts
}
NOISE = 0.05  # standard deviation, volts
COLUMNS = (Column("voltage [V]", "number", 0, 1, 0.0, 0.774),)


@cache
def _factors() -> NDArray[np.float32]:
    """(N, 4): which form, then a value from each of RANGES."""
    low, high = np.array(list(RANGES.values())).T
    values = np.random.default_rng(1822).uniform(low, high, (COUNT, len(RANGES)))
    return np.column_stack([np.arange(COUNT) % len(FORMS), values]).astype(np.float32)


@cache
def _noise() -> NDArray[np.float32]:
    return np.random.default_rng(1928).normal(0, NOISE, (COUNT, STEPS)).astype(np.float32)


def draw(rows: NDArray[np.int64]) -> NDArray[np.float32]:
    """The waves of these rows (len(rows), 64, 1), standardised."""
    values = waves(_factors()[rows]) + _noise()[rows]
    return standardised(COLUMNS, values[..., None])


def waves(factors: NDArray[np.float32]) -> NDArray[np.float64]:
    """Waves without noise with any factors (N, 4), in volts (N, 64)."""
    form, frequency, phase, amplitude = (column[:, None].astype(np.float64) for column in factors.T)
    turn = (frequency * np.arange(STEPS) / STEPS + phase / 360) % 1  # how much of a period has passed
    triangle = 1 - 4 * np.abs((turn + 0.25) % 1 - 0.5)
    forms = [np.sin(2 * np.pi * turn), triangle, np.where(turn < 0.5, 1.0, -1.0), 2 * ((turn + 0.5) % 1) - 1]
    return np.asarray(amplitude * np.choose(form.astype(int), forms))


def read() -> Arrays:
    """6,000 signals (64, 1), standardised, with their four factors."""
    factors = _factors()
    return Arrays(draw(np.arange(COUNT)), factors[:, 0].astype(np.int32), factors.copy())


DATASET = Dataset(
    name="waves",
    title="Waves",
    summary="Signals of known form, frequency, phase and amplitude: does the code find them?",
    kind="signal",
    shape=(STEPS, 1),
    count=COUNT,
    classes=FORMS,
    source="Drawn by Hourglass",
    licence="CC0 1.0",
    label="form",
    factors=("form", *RANGES),
    columns=COLUMNS,
    draw=draw,
    read=read,
)

"""Heartbeats: three seconds of a curve like an electrocardiogram, drawn from known numbers, and a little noise.

A beat is five bumps, called P, Q, R, S and T by their order, as in P. E. McSharry et al., A Dynamical Model for Generating Synthetic
Electrocardiogram Signals, 2003; where they stand and how large they are is rounded from there. Beats follow each other nearly
evenly. In one sample of ten a premature one comes too early: it is wide, has no P and is followed by a pause. A toy to learn with,
not what a heart does.

Counts you should see: 6,000 samples, 600 of them with a premature beat.
"""

from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from models.columns import Column, standardised
from models.datasets import Arrays, Dataset

COUNT, STEPS, RATE = 6_000, 160, 50
KINDS = ("normal", "premature")
RANGES = {
    "pulse": (70.0, 110.0),  # beats a minute
    "phase": (0.0, 1.0),  # share of a beat that has passed at the first step
    "height": (0.7, 1.3),  # millivolts, of R
    "T": (0.1, 0.45),  # height of T as a share of R's
}
# Of P, Q, R, S and T: seconds after R at a pulse of 60, height as a share of R's, width in seconds.
BUMPS = np.array(
    [(-0.19, 0.12, 0.030), (-0.04, -0.13, 0.014), (0.0, 1.0, 0.016), (0.04, -0.22, 0.016), (0.27, 1.0, 0.055)]
)
WIDE = np.array([(0.0, 1.1, 0.045), (0.13, -0.35, 0.060)])  # of a premature beat
UNEVEN = 0.01  # standard deviation of the time between beats, as a share of it
NOISE = 0.03  # standard deviation, millivolts
COLUMNS = (Column("voltage [mV]", "number", 0, 1, 0.1109, 0.2133),)


@cache
def _factors() -> NDArray[np.float32]:
    """(N, 5): which kind, then a value from each of RANGES."""
    low, high = np.array(list(RANGES.values())).T
    values = np.random.default_rng(1903).uniform(low, high, (COUNT, len(RANGES)))
    return np.column_stack([np.arange(COUNT) % 10 == 0, values]).astype(np.float32)


def draw(rows: NDArray[np.int64]) -> NDArray[np.float32]:
    """The curves of these rows (len(rows), 160, 1), standardised."""
    out = np.stack([_curve(int(row)) for row in rows]) if len(rows) else np.zeros((0, STEPS))
    return standardised(COLUMNS, out[..., None])


def _curve(row: int) -> NDArray[np.float64]:
    premature, pulse, phase, height, t = _factors()[row].tolist()
    random = np.random.default_rng([1903, row])
    period = 60 / pulse
    beats = -phase * period + np.cumsum(period * (1 + UNEVEN * random.normal(size=8))) - period
    early = np.full(len(beats), False)
    if premature:
        inside = np.flatnonzero((beats > 0.3) & (beats < STEPS / RATE + 0.2))
        which = int(random.choice(inside))
        beats[which] -= random.uniform(0.3, 0.45) * period
        early[which] = True
    return curve(STEPS, beats, early, pulse, height, t) + NOISE * random.normal(size=STEPS)


def curve(
    steps: int, beats: NDArray[np.float64], early: NDArray[np.bool_], pulse: float, height: float, t: float
) -> NDArray[np.float64]:
    """So many steps in millivolts, without noise, of beats whose R stands at these seconds; some of them are premature."""
    seconds = np.arange(steps) / RATE
    out = np.zeros(steps)
    for at, wide in zip(beats.tolist(), early.tolist(), strict=True):
        bumps = (WIDE if wide else BUMPS).copy()
        if not wide:
            bumps[4, 1] = t
            bumps[[0, 4], 0] *= np.sqrt(60 / pulse)  # Bazett: a faster heart has all nearer, by the root
        for after, share, width in bumps.tolist():
            out += height * share * np.exp(-0.5 * ((seconds - at - after) / width) ** 2)
    return out


@dataclass(frozen=True)
class Record:
    """A long curve (L,) in millivolts, which of its steps (L,) do not belong, and what each such stretch is, by where it begins."""

    values: NDArray[np.float64]
    strange: NDArray[np.bool_]
    names: dict[int, str]


def record(seconds: int = 60, seed: int = 0) -> Record:
    """One heart for so long, at least 40 seconds: with two premature beats, a beat that is left out, and a moment in which the electrode
    slips."""
    random = np.random.default_rng([1903, COUNT, seed])
    pulse, height, t = random.uniform(70, 90), random.uniform(0.9, 1.1), random.uniform(0.2, 0.35)
    period, steps = 60 / pulse, seconds * RATE
    beats = np.cumsum(period * (1 + UNEVEN * random.normal(size=int(seconds / period) + 2)))
    early = np.full(len(beats), False)
    quarter = seconds / 5
    names: dict[int, str] = {}
    strange = np.full(steps, False)

    def told(begin: float, end: float, name: str) -> None:
        strange[int(begin * RATE) : int(end * RATE)] = True
        names[int(begin * RATE)] = name

    for share in (1, 3):
        which = int(np.searchsorted(beats, quarter * share + random.uniform(0, 3)))
        beats[which] -= 0.38 * period
        early[which] = True
        told(beats[which] - 0.1, beats[which + 1] - 0.2, "premature beat")
    gone = int(np.searchsorted(beats, 2 * quarter + random.uniform(0, 3)))
    told(beats[gone] - 0.25, beats[gone] + 0.4, "beat left out")
    kept = np.arange(len(beats)) != gone
    values = curve(steps, beats[kept], early[kept], pulse, height, t)
    slip = 4 * quarter + random.uniform(0, 3)
    at = np.arange(steps) / RATE
    values += 0.9 * np.exp(-(at - slip) / 0.4) * (at >= slip)
    told(slip, slip + 1, "electrode slips")
    return Record(values + NOISE * random.normal(size=steps), strange, names)


def read() -> Arrays:
    """6,000 signals (160, 1), standardised, with their five factors."""
    factors = _factors()
    return Arrays(draw(np.arange(COUNT)), factors[:, 0].astype(np.int32), factors.copy())


DATASET = Dataset(
    name="heartbeats",
    title="Heartbeats",
    summary="Curves like an electrocardiogram, drawn here: go on with them, and find the beats that come too early.",
    kind="signal",
    shape=(STEPS, 1),
    count=COUNT,
    classes=KINDS,
    source="Drawn by Hourglass, after McSharry et al., 2003",
    licence="CC0 1.0",
    label="rhythm",
    factors=("kind", *RANGES),
    columns=COLUMNS,
    draw=draw,
    read=read,
)

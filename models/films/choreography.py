"""What each frame of a film shows, in numbers alone.

The explorer's films/choreography.ts says the same for the browser; a test compares the two frame by frame.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models import Problem, codes
from models.runs import Run

Floats = NDArray[np.float32]

WHAT = ("replay", "path", "dimensions", "walk")
FRAMES, SECONDS, RATES, SIZES = (2, 1500), (0.5, 60.0), (1.0, 50.0), (96, 1024)  # from, to
DIMENSIONS, STOPS = 10, 5  # so many where nobody chose
REST = 100  # hundredths of a second that the map stays once it has formed
REACH = 1.5  # how far from the middle the walk goes, in standard deviations


@dataclass(frozen=True)
class Choices:
    """What a person chose. size: pixels from top to bottom; rate: frames a second; samples: positions of codes that a path
    leads through, the first also what is held by `dimensions` and `walk`; plane: "pca", or two dimensions as "z1,z2"."""

    what: str
    size: int = 320
    seconds: float | None = None
    rate: float = 15.0
    loop: bool = True
    alone: bool = False
    samples: tuple[int, ...] = ()
    plane: str = ""

    def settled(self, run: Run) -> Choices:
        """With what is usual where nothing was chosen; a `Problem` where something cannot be filmed."""
        replay = run.card.replay
        if self.what == "replay" and not (replay.count and len(replay.epochs) > 1):
            raise Problem(
                f"the run {run.folder.name} keeps no codes of its training", do="film something else, or train it again"
            )
        _within("a height", self.size, SIZES, "pixels")
        _within("a speed", self.rate, RATES, "frames a second")
        strange = [sample for sample in self.samples if not 0 <= sample < run.count]
        if strange:
            raise Problem(
                f"the run {run.folder.name} has no sample {strange[0] + 1:,}", f"it has samples 1 to {run.count:,}"
            )
        if self.what == "path" and len(self.samples) == 1:
            raise Problem("a path needs two samples or more", do="name another one, or none")
        seconds = self.seconds
        if seconds is None:
            parts = len(dimensions_of(run.card.codes))
            if self.what == "path":
                parts = len(self.samples or stops_of(run.codes, run.labels, len(run.classes))) - (not self.loop)
            seconds = usual_seconds(self.what, parts)
        _within("a film", seconds, SECONDS, "seconds")
        count = frames_of(seconds, self.rate)
        _within("a film", count, FRAMES, "frames")
        return replace(self, seconds=seconds)


def _within(what: str, value: float, limits: tuple[float, float], unit: str) -> None:
    low, high = limits
    if not low <= value <= high:
        raise Problem(f"{what} of {value:,g} {unit} was asked for", f"{low:g} to {high:,g} are possible")


def usual_seconds(what: str, parts: int) -> float:
    """The seconds that suit a film where nobody chose: of a path with so many legs, of so many dimensions."""
    return {"path": 1.5 * parts, "dimensions": 2.0 * parts}.get(what, 6.0)


def frames_of(seconds: float, rate: float) -> int:
    return math.floor(seconds * rate + 0.5)


def hundredths_of(what: str, count: int, rate: float) -> list[int]:
    """How long each frame is shown, in hundredths of a second, in which GIF counts: together as long as was asked."""
    ends = [math.floor(100 * frames / rate + 0.5) for frames in range(count + 1)]
    out = [after - before for before, after in itertools.pairwise(ends)]
    if what == "replay":
        out[-1] += REST
    return out


def _share(k: int, count: int, loop: bool) -> float:
    """How far frame `k` is, from 0 to 1. The first frame of a loop comes after its last, once more."""
    return k / (count if loop else count - 1)


def _on_path(stops: Sequence[Floats], share: float) -> Floats:
    """Where a walk through the stops is, with equal speed on all legs."""
    wide = [np.asarray(stop, np.float64) for stop in stops]
    legs = [float(np.sqrt(np.square(b - a).sum())) for a, b in itertools.pairwise(wide)]
    left, leg = max(0.0, min(1.0, share)) * sum(legs), 0
    while leg < len(legs) - 1 and left > legs[leg]:
        left -= legs[leg]
        leg += 1
    along = min(1.0, left / legs[leg]) if legs[leg] else 0.0
    return np.asarray(wide[leg] + (wide[leg + 1] - wide[leg]) * along, np.float32)


def path(stops: Sequence[Floats], count: int, loop: bool) -> Floats:
    """The codes (count, D) from stop to stop with equal speed; a loop goes back to the first."""
    every = [*stops, stops[0]] if loop else list(stops)
    return np.stack([_on_path(every, _share(k, count, loop)) for k in range(count)])


def dimension_at(order: Sequence[int], k: int, count: int, loop: bool) -> tuple[int, float]:
    """Which dimension moves in frame `k`, and how far it is on its way."""
    at = _share(k, count, loop) * len(order)
    which = min(len(order) - 1, math.floor(at))
    return order[which], at - which


def dimensions(base: Floats, facts: Any, order: Sequence[int], count: int, loop: bool) -> Floats:
    """Each of these numbers goes down to where few samples are lower, up, and back, while the others are held."""
    out = []
    for k in range(count):
        d, share = dimension_at(order, k, count, loop)
        low, high = base.copy(), base.copy()
        low[d], high[d] = facts.low[d], facts.high[d]
        out.append(_on_path([base, low, high, base], share))
    return np.stack(out)


def dimensions_of(facts: Any) -> list[int]:
    """The dimensions that say something, the most informative first."""
    use = facts.kl if facts.kl is not None else facts.variance
    order = sorted(range(facts.size), key=lambda d: (-use[d], d))
    return ([d for d in order if not facts.dead[d]] or order)[:DIMENSIONS]


def walk(plane: codes.Plane, xy: Floats, base: Floats, count: int, loop: bool) -> Floats:
    """Once around the middle of the plane's points `xy` (M, 2)."""
    known = [column[np.isfinite(column)].astype(np.float64) for column in xy.T]
    middle = [float(column.mean()) if len(column) else 0.0 for column in known]
    spread = [float(column.std()) if len(column) else 1.0 for column in known]
    out = []
    for k in range(count):
        angle = 2 * math.pi * _share(k, count, loop)
        at = [middle[0] + REACH * spread[0] * math.cos(angle), middle[1] + REACH * spread[1] * math.sin(angle)]
        out.append(plane.move(base, np.array(at)))
    return np.stack(out)


def epochs(count: int, stored: int) -> list[float]:
    """Where between the stored epochs each frame is: 0 the first of them, 1 the second. It never goes back."""
    return [k / (count - 1) * (stored - 1) for k in range(count)]


def stops_of(values: Floats, labels: NDArray[np.int32], classes: int) -> list[int]:
    """The samples that a path leads through where nobody set stops: of some classes the one in the middle, where it is of
    its kind. Without classes some as they come."""
    usable = np.flatnonzero(np.isfinite(values).all(1))
    present = [c for c in range(classes) if (labels[usable] == c).any()]
    if len(present) < 2:
        return [int(usable[part * len(usable) // 8]) for part in (1, 3, 5, 7) if len(usable)]
    if len(present) > STOPS:
        present = [present[i * len(present) // STOPS] for i in range(STOPS)]
    out = []
    for c in present:
        own = usable[labels[usable] == c]
        wide = values[own].astype(np.float64)
        out.append(int(own[np.square(wide - wide.mean(0)).sum(1).argmin()]))
    return out

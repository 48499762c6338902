"""A sweep: one choice of a training takes several values, each perhaps with several seeds, and all else stays.

It is nothing but the configurations that follow from the choices: asked for again they are the same runs.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from models import Problem, runs
from models.runs import Configuration

MOST = 20  # values of one sweep
SEEDS = 5  # of each value, at most


@dataclass(frozen=True)
class Point:
    """One value of a sweep, with a configuration for each seed."""

    value: Any
    configurations: tuple[Configuration, ...]


@dataclass(frozen=True)
class Sweep:
    """The trainings of a sweep over the choice `varied`; refused: a sentence for each value that cannot be."""

    varied: str
    points: tuple[Point, ...] = ()
    refused: tuple[str, ...] = field(default=())

    @property
    def configurations(self) -> list[Configuration]:
        """All of them, value by value."""
        return [chosen for point in self.points for chosen in point.configurations]


def split(text: str) -> list[str]:
    """The values that somebody wrote: separated by commas, semicolons or spaces, none twice."""
    return list(dict.fromkeys(filter(None, re.split(r"[,;\s]+", text.strip()))))


def plan(values: Mapping[str, Any], varied: str, tried: Sequence[str], seeds: int = 1) -> Sweep:
    """The trainings that differ in the choice `varied`, which takes the tried values, and in seeds, which count up from the
    chosen one.

    values: the other choices, as `configure` takes them; what is absent is as suggested for each value. A value is checked
    as if it had been chosen alone.
    """
    points: dict[tuple[str, ...], Point] = {}
    refused = [f"{len(tried)} values are too many; the first {MOST} are taken."] if len(tried) > MOST else []
    first = int(values.get("seed", 0))
    for text in tried[:MOST]:
        try:
            if varied in ("code_size", *runs.RANGES) and not _number(text):
                raise Problem("it is no number")
            made = tuple(
                runs.configure({**values, varied: text, "seed": seed})
                for seed in range(first, first + min(max(seeds, 1), SEEDS))
            )
        except Problem as problem:
            refused.append(f"{text[:80]} is left out: {problem}")
            continue
        # Two ways to write a value, and one that has no effect here, are one training.
        points.setdefault(tuple(one.id for one in made), Point(getattr(made[0], varied), made))
    found = list(points.values())
    if all(isinstance(point.value, int | float) for point in found):
        found.sort(key=lambda point: point.value)
    return Sweep(varied, tuple(found), tuple(refused))


def _number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True

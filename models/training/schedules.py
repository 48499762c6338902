"""How the learning rate and beta change from step to step."""

from __future__ import annotations

from dataclasses import dataclass
from math import cos, pi, sqrt

WARM, SLOW = 100, 3000  # steps of an open-ended training until its rate is whole, and until it begins to fall
STEADY = 0.5  # share of its time after which the rate of a training for a time begins to fall


def annealed(step: int, steps: int, share: float) -> float:
    """The share of beta at `step` (from 0): rising linearly to 1 over `share` of the steps (Bowman et al. 2016)."""
    return min(1.0, (step + 1) / (share * steps)) if share else 1.0


def schedule(step: int, steps: int, recipe: str = "hourglass") -> float:
    """Share of the learning rate at `step` (from 0) of `steps`, by the recipe.

    hourglass: linear warm-up over 5 % of the steps, then a cosine to zero. open-ended: warm-up over `WARM` steps, then
    with the inverse square root of the step (Zhai et al. 2022, appendix), whose end is a cool-down; a linear one
    over the last tenth, should it come so far. article: constant.
    """
    if recipe == "article":
        return 1.0
    if recipe == "open-ended":
        slow = sqrt(SLOW / max(SLOW, step))
        return min((step + 1) / WARM, slow, slow * 10 * (steps - step) / steps)
    warm = max(1, steps // 20)
    if step < warm:
        return (step + 1) / warm
    return 0.5 * (1 + cos(pi * (step - warm) / max(1, steps - warm)))


@dataclass
class Timetable:
    """The steps of a training for a time: how long its rate is steady, and when it ends (Hu et al. 2024, section 4).

    seconds: the time; most: steps beyond which no training goes. steady and steps: how many steps there are before the
    rate begins to fall, and in all; both 0 until it does, since a busy computer must not make the training longer: then
    they are fixed by the speed of the half before. article: whether the rate never falls, so that the end is what is fixed.
    """

    seconds: float
    most: int
    article: bool = False
    steady: int = 0
    steps: int = 0
    seen: tuple[int, float] = (0, 0.0)  # steps and seconds of when the speed began to count

    def fix(self, step: int, elapsed: float) -> bool:
        """Whether the rate begins to fall now, after `step` steps that took `elapsed` seconds."""
        share = 1.0 if self.article else STEADY
        if not self.seen[0] and share * self.seconds / 2 <= elapsed < share * self.seconds:
            self.seen = step, elapsed  # the first steps are slower than others
        if self.steps or step <= self.seen[0] or (elapsed < share * self.seconds and step < share * self.most):
            return False
        steps, seconds = step - self.seen[0], elapsed - self.seen[1]
        left = 0 if self.article else round((self.seconds - elapsed) * steps / max(seconds, 1e-9))
        self.steady, self.steps = step, min(self.most, step + max(0 if self.article else 1, left))
        return True

    def rate(self, step: int) -> float:
        """Share of the learning rate at `step` (from 0): warm-up over `WARM` steps, steady, then falling to zero."""
        if self.article:
            return 1.0
        rising = min(1.0, (step + 1) / WARM)
        return (
            rising
            if step < self.steady or not self.steps
            else min(rising, (self.steps - step) / (self.steps - self.steady))
        )

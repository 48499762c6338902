"""How the learning rate and beta change from step to step."""

from __future__ import annotations

from math import cos, pi, sqrt

WARM, SLOW = 100, 3000  # steps of an open-ended training until its rate is whole, and until it begins to fall


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

"""Checkpoints: everything that the next epoch depends on, as one safetensors file."""

from __future__ import annotations

import dataclasses

from torch import Tensor

CHECKPOINT = 1.0  # seconds between two checkpoints, at least; the writing may take a twentieth of the time


class Damaged(Exception):
    """A checkpoint cannot be gone on from. It costs its epochs and no more: the training starts again."""


@dataclasses.dataclass
class Progress:
    """How far a training has come: finished epochs, the best validation loss, its epoch and weights, seconds so far.

    precision is what products are computed in; kept, so that what goes on elsewhere goes on in the same way.
    """

    epoch: int = 0
    best: float = float("inf")
    best_epoch: int = 0
    seconds: float = 0.0
    precision: str = "float32"
    weights: dict[str, Tensor] = dataclasses.field(default_factory=dict)

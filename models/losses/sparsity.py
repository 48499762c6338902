"""Codes near zero: the L1 penalty."""

from __future__ import annotations

from typing import TYPE_CHECKING

from models.losses import Batch, Choice, LossTerm

if TYPE_CHECKING:
    from torch import Tensor


def sparsity(code: Tensor) -> Tensor:
    """Mean absolute code, averaged over batch and dimensions (Glorot et al. 2011, section 3.2)."""
    return code.abs().mean()


def compute(batch: Batch) -> Tensor:
    """Of the code, of variational architectures of its mean."""
    return sparsity(batch.mean)


TERM = LossTerm(
    name="sparsity",
    weight=Choice(
        "sparsity",
        title="Sparsity",
        help="Weight of the mean absolute code (the L1 penalty): draws numbers of a code to 0 that are not needed",
        paper="Glorot et al. 2011",
        range=(0, 1000),
    ),
    compute=compute,
    order=3,
)

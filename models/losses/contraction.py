"""Codes that move little when samples do: the contractive autoencoder."""

from __future__ import annotations

from typing import TYPE_CHECKING

from models.losses import Batch, Choice, LossTerm

if TYPE_CHECKING:
    from torch import Tensor


def contraction(code: Tensor, given: Tensor, probe: Tensor) -> Tensor:
    """Squared Frobenius norm of dz/dx, averaged over the batch (Rifai et al. 2011, equation 7).

    An unbiased estimate from one product (Hutchinson 1990): E |vᵀ J|² = |J|² for v ~ N(0, 1). code and probe v are
    (B, D), given (B, *shape) with gradients.
    """
    import torch

    (product,) = torch.autograd.grad((code * probe).sum(), given, create_graph=True)
    return product.square().sum() / len(code)


def compute(batch: Batch) -> Tensor:
    """Of the code, of variational architectures of its mean, by the input as the network got it."""
    return contraction(batch.mean, batch.given, batch.normal())


TERM = LossTerm(
    name="contraction",
    weight=Choice(
        "contraction",
        title="Contraction",
        help="Weight of how fast codes move when samples change (the squared norm of dz/dx): they move less",
        paper="Rifai et al. 2011",
        range=(0, 1000),
        step=0.01,
        decimals=3,
    ),
    compute=compute,
    order=4,
    input_gradient=True,
)

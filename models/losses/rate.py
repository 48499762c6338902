"""Codes that take few bits once they are rounded: what a compressor is trained by."""

from __future__ import annotations

from math import log
from typing import TYPE_CHECKING

from models.losses import Batch, Choice, LossTerm

if TYPE_CHECKING:
    from torch import Tensor

ROUNDING = 1 / 12  # the variance of the error of rounding to whole numbers


def bits(code: Tensor) -> Tensor:
    """Bits of one sample's code (B, D) at an error as that of rounding to whole numbers, as its covariance C over the batch tells
    them: ½ log2 det(I + 12 C) (Ma et al. 2007, equation 10). Rounding takes up to a quarter of a bit more in each dimension.

    What dimensions tell of each other in a line costs nothing, since who writes codes can foretell them by it.
    """
    import torch

    apart = code - code.mean(0)
    covariance = apart.T @ apart / len(code)
    one = torch.eye(code.shape[1], dtype=code.dtype, device=code.device)
    told: Tensor = torch.linalg.cholesky(one + covariance / ROUNDING).diagonal().log().sum() / log(2)
    return told


def rounded(code: Tensor, seed: int | None = None) -> Tensor:
    """Codes (B, D) as far off as rounding to whole numbers would put them, by a noise that lets gradients through (Ballé et
    al. 2017, section 3); the same for the same seed."""
    import torch

    source = None if seed is None else torch.Generator().manual_seed(seed)
    return code + (torch.rand(code.shape, generator=source) - 0.5).to(code)


def compute(batch: Batch) -> Tensor:
    """Bits a value of the sample, as bits a pixel are counted of images."""
    return bits(batch.mean) / batch.clean[0].numel()


TERM = LossTerm(
    name="rate",
    weight=Choice(
        "rate",
        title="Rate",
        help="Weight of the bits a value that codes take once they are rounded, as they are while training: for few bytes in the lab Compress",
        paper="Ballé et al. 2017",
        range=(0, 1000),
        step=0.01,
        decimals=3,
    ),
    compute=compute,
    order=5,
    plain=True,
    disturb=rounded,
    compares_samples=True,
)

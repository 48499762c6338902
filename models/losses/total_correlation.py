"""How much the dimensions of a code know of each other."""

from __future__ import annotations

from math import isqrt, log, pi
from typing import TYPE_CHECKING, Any

from models import Problem
from models.losses import Batch, Choice, LossTerm

if TYPE_CHECKING:
    from torch import Tensor

PAIRS = 2**25  # numbers that a batch may take: each sample with every other, in each dimension


def total_correlation(code: Tensor, mean: Tensor, log_variance: Tensor) -> Tensor:
    """KL(q(z) || Π q(z_d)) in nats, estimated within the batch: how much the dimensions know of each other.

    code is a draw; all are (B, D). Chen et al. 2018, section 3.1, without the size of the dataset, which adds a constant
    and no gradient. Of narrow posteriors a batch knows few, so the estimate is high: for independent dimensions it
    may say up to (D - 1) log B. As a penalty its gradient counts, not its height.
    """
    apart = (code[:, None] - mean[None]).square() * (-log_variance).exp()[None]
    each = -0.5 * (apart + log_variance[None] + log(2 * pi))  # log q(z_d of i | x of j), (B, B, D)
    together, alone = each.sum(2).logsumexp(1), each.logsumexp(1).sum(1)
    return (together - alone).mean() + (code.shape[1] - 1) * log(len(code))


def compute(batch: Batch) -> Tensor:
    """Of draws, in validation too: it is a statement about draws."""
    assert batch.log_variance is not None
    return total_correlation(batch.draw(), batch.mean, batch.log_variance)


def check(configuration: Any) -> None:
    """Each sample of a batch is compared with every other, which has to fit into memory."""
    size, code_size = configuration.batch_size, configuration.code_size
    pairs = size**2 * code_size
    if pairs > PAIRS:
        raise Problem(
            f"the total correlation of batches of {size:,} at D = {code_size} compares {pairs:,} numbers, each sample with "
            "every other in each dimension",
            f"at most {PAIRS:,} fit",
            f"choose batches of {isqrt(PAIRS // code_size):,} at most",
        )


TERM = LossTerm(
    name="total_correlation",
    weight=Choice(
        "total_correlation",
        title="Total correlation",
        help="Weight of what the dimensions know of each other: above 0, each tends to stand for one thing",
        paper="Chen et al. 2018",
        range=(0, 1000),
        step=0.5,
    ),
    compute=compute,
    order=2,
    variational=True,
    annealed=True,
    compares_samples=True,
    check=check,
)

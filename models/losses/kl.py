"""How far the codes' distributions are from a standard normal one: what makes an autoencoder variational."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from models import Problem
from models.losses import Batch, Choice, LossTerm

if TYPE_CHECKING:
    from torch import Tensor


def kl(mean: Tensor, log_variance: Tensor) -> Tensor:
    """KL(N(mean, variance) || N(0, 1)) per dimension in nats, averaged over the batch: (B, D) becomes (D,).

    -½ (1 + log σ² - μ² - σ²), Kingma and Welling 2013, appendix B.
    """
    return -0.5 * (1 + log_variance - mean.square() - log_variance.exp()).mean(0)


def compute(batch: Batch) -> Tensor:
    """The sum over dimensions in nats, each at least `free_bits` (Kingma et al. 2016, appendix C.8)."""
    assert batch.log_variance is not None
    return kl(batch.mean, batch.log_variance).clamp(min=batch.configuration.free_bits).sum()


def check(configuration: Any) -> None:
    """Annealing is a share of the training's steps, of which one without a known end, or for a time, has no number yet."""
    if configuration.annealing and (configuration.recipe == "open-ended" or configuration.seconds):
        raise Problem(
            "annealing of beta needs a training whose length is known",
            do="choose a number of epochs, or no annealing",
        )


TERM = LossTerm(
    name="kl",
    weight=Choice(
        "beta",
        title="Beta",
        help="Weight of the KL term, the price of each bit of a code: above 1, fewer dimensions are used, each more cleanly",
        paper="Higgins et al. 2017",
        range=(0, 1000),
        default=1.0,
    ),
    settings=(
        Choice(
            "free_bits",
            title="Free bits",
            help="How much each dimension may say for nothing (in nats of KL): against dead dimensions",
            paper="Kingma et al. 2016",
            range=(0, 10),
            step=0.05,
        ),
        Choice(
            "annealing",
            title="Beta annealing",
            help="Share of the training in which beta rises from 0, so that the code is used first",
            paper="Bowman et al. 2016",
            range=(0, 1),
        ),
    ),
    compute=compute,
    order=1,
    variational=True,
    always=True,
    annealed=True,
    check=check,
)

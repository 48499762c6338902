"""What a reconstruction is measured by: the term that every loss has. `models.losses` holds those that may be added.

Errors are summed over the values of a sample and averaged over the batch, as in the literature;
`training` divides by the number of values where a code has no distribution, so that the printed loss of an
ordinary autoencoder is Keras's mean squared error.
"""

from torch import Tensor
from torch.nn.functional import binary_cross_entropy, mse_loss


def squared_error(reconstruction: Tensor, sample: Tensor) -> Tensor:
    """Sum over values of (x - x̂)², averaged over the batch. Both (B, *shape)."""
    return mse_loss(reconstruction, sample, reduction="sum") / len(sample)


def bernoulli(reconstruction: Tensor, sample: Tensor) -> Tensor:
    """-log p(x|z) in nats for independent Bernoulli values (Kingma and Welling 2013, appendix C.1), both in [0, 1]."""
    if reconstruction.isnan().any():  # torch raises there; every other loss hands NaN on, and the loop tells of it
        return reconstruction.sum()
    return binary_cross_entropy(reconstruction, sample, reduction="sum") / len(sample)


RECONSTRUCTION = {"squared-error": squared_error, "bernoulli": bernoulli}

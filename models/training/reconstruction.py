"""What a reconstruction is measured by: the term that every loss has. `models.losses` holds those that may be added.

Errors are summed over the values of a sample and averaged over the batch, as in the literature;
`training` divides by the number of values where a code has no distribution, so that the printed loss of an
ordinary autoencoder is Keras's mean squared error.
"""

from math import pi

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


def calibrated(reconstruction: Tensor, sample: Tensor) -> Tensor:
    """-log p(x|z) in nats for independent normal values of one variance, which is the batch's own mean squared error:
    F/2 (log 2π MSE + 1), Rybkin, Daniilidis and Levine 2021, section 4.1. Below 0 where the values are told finely.

    So the error weighs as much beside the KL divergence as the samples say, whatever their scale and the code size.
    """
    error = mse_loss(reconstruction, sample).clamp(min=1e-8)
    return sample[0].numel() / 2 * ((2 * pi * error).log() + 1)


RECONSTRUCTION = {"squared-error": squared_error, "calibrated": calibrated, "bernoulli": bernoulli}

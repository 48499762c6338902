"""What a training lowers, term by term. Tensors in, scalars out; imported only where torch already is.

Reconstruction terms are summed over the values of a sample and averaged over the batch, as in the literature;
`training` divides by the number of values where a code has no distribution, so that the printed loss of an
ordinary autoencoder is Keras's mean squared error.
"""

from math import log, pi

import torch
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


def kl(mean: Tensor, log_variance: Tensor) -> Tensor:
    """KL(N(mean, variance) || N(0, 1)) per dimension in nats, averaged over the batch: (B, D) becomes (D,).

    -½ (1 + log σ² - μ² - σ²), Kingma and Welling 2013, appendix B.
    """
    return -0.5 * (1 + log_variance - mean.square() - log_variance.exp()).mean(0)


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


def sparsity(code: Tensor) -> Tensor:
    """Mean absolute code, averaged over batch and dimensions: the L1 penalty (Glorot et al. 2011, section 3.2)."""
    return code.abs().mean()


def contraction(code: Tensor, given: Tensor, probe: Tensor) -> Tensor:
    """Squared Frobenius norm of dz/dx, averaged over the batch (Rifai et al. 2011, equation 7).

    An unbiased estimate from one product (Hutchinson 1990): E |vᵀ J|² = |J|² for v ~ N(0, 1). code and probe v are
    (B, D), given (B, *shape) with gradients.
    """
    (product,) = torch.autograd.grad((code * probe).sum(), given, create_graph=True)
    return product.square().sum() / len(code)


RECONSTRUCTION = {"squared-error": squared_error, "bernoulli": bernoulli}

"""The variational autoencoder (Kingma and Welling 2013) with dense layers.

The encoder gives a normal distribution for each sample, mean and log-variance; the loss keeps it near the
standard normal (their equation 10), so that codes drawn at random decode to something.
"""

from math import prod

from models.architectures import Architecture
from models.architectures.modern import NARROW, hidden
from models.layers import Dense, Flatten, Layer, Reshape, Shape


def layers(shape: Shape, code_size: int) -> tuple[tuple[Layer, ...], tuple[Layer, ...]]:
    """(…) -> hidden -> (2 D,): D means and D log-variances; (D,) -> hidden -> (…)."""
    encoder = (Flatten(), *hidden(NARROW), Dense(2 * code_size))
    decoder = (*hidden(NARROW[::-1]), Dense(prod(shape)), Reshape(shape))
    return encoder, decoder


ARCHITECTURE = Architecture(
    name="variational",
    title="Variational",
    summary="Every sample becomes a small cloud around its code, so that the space between samples decodes too.",
    paper="Kingma and Welling, Auto-Encoding Variational Bayes, 2013",
    layers=layers,
    variational=True,
    defaults={"loss": "calibrated", "learning_rate": 0.002},
)

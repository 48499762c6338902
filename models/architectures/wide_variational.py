"""The variational autoencoder (Kingma and Welling 2013) at twice the width, for the tightest bound of a dense network."""

from math import prod

from models.architectures import Architecture
from models.architectures.modern import hidden
from models.architectures.wide import DROPPED, FEW
from models.layers import Dense, Flatten, Layer, Reshape, Shape


def layers(shape: Shape, code_size: int) -> tuple[tuple[Layer, ...], tuple[Layer, ...]]:
    """(…) -> hidden -> (2 D,): D means and D log-variances; (D,) -> hidden -> (…)."""
    encoder = (Flatten(), *hidden(FEW, DROPPED), Dense(2 * code_size))
    return encoder, (*hidden(FEW[::-1]), Dense(prod(shape)), Reshape(shape))


ARCHITECTURE = Architecture(
    name="wide-variational",
    title="Variational, wide",
    summary="The variational network at twice the width: slower, and a tighter bound.",
    paper="Kingma and Welling, Auto-Encoding Variational Bayes, 2013",
    layers=layers,
    variational=True,
    defaults={"loss": "calibrated", "learning_rate": 0.002},
)

"""One hidden layer on either side of the code (the article's second network).

The nonlinearity (ReLU) before the code lets the map curve, which PCA cannot. 327,368 parameters at 28x28 and D = 48.
"""

from math import prod

from models.architectures import Architecture
from models.layers import Activation, Dense, Flatten, Layer, Reshape, Shape

HIDDEN = 196  # a quarter of 784, the article's choice


def layers(shape: Shape, code_size: int) -> tuple[tuple[Layer, ...], tuple[Layer, ...]]:
    """(…) -> (196,) -> (D,) -> (196,) -> (…)."""
    encoder = (Flatten(), Dense(HIDDEN), Activation("relu"), Dense(code_size), Activation("sigmoid"))
    decoder = (Dense(HIDDEN), Activation("relu"), Dense(prod(shape)), Reshape(shape))
    return encoder, decoder


ARCHITECTURE = Architecture(
    name="multi-layer",
    title="Multi-layer",
    summary="A hidden layer of 196 units on either side of the code.",
    paper="Hinton and Salakhutdinov, Reducing the Dimensionality of Data with Neural Networks, Science 313, 2006",
    layers=layers,
)

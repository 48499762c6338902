"""The smallest autoencoder there is: one dense layer in, one dense layer out (the article's first network).

The code is squeezed through a sigmoid, so it lies in the unit cube. 88,648 parameters at 28x28 and D = 56.
"""

from math import prod

from models.architectures import Architecture
from models.layers import Activation, Dense, Flatten, Layer, Reshape, Shape


def layers(shape: Shape, code_size: int) -> tuple[tuple[Layer, ...], tuple[Layer, ...]]:
    """(…) -> (D,) -> (…)."""
    encoder = (Flatten(), Dense(code_size), Activation("sigmoid"))
    decoder = (Dense(prod(shape)), Reshape(shape))
    return encoder, decoder


ARCHITECTURE = Architecture(
    name="single-layer",
    title="Single-layer",
    summary="One dense layer to the code and one back: the least that can be called an autoencoder.",
    paper="Bourlard and Kamp, Auto-association by multilayer perceptrons, Biological Cybernetics 59, 1988",
    layers=layers,
)

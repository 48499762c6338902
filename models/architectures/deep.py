"""The net that made autoencoders famous: 1000-500-250-D-250-500-1000 (Hinton and Salakhutdinov 2006).

They had to pre-train it layer by layer; today's initialisation, ReLU and Adam do without. The code is linear, as theirs.
"""

from math import prod

from models.architectures import Architecture
from models.layers import Activation, Dense, Flatten, Layer, Reshape, Shape

WIDTHS = (1000, 500, 250)


def layers(shape: Shape, code_size: int) -> tuple[tuple[Layer, ...], tuple[Layer, ...]]:
    """(…) -> 1000 -> 500 -> 250 -> (D,) -> 250 -> 500 -> 1000 -> (…)."""
    down = tuple(layer for width in WIDTHS for layer in (Dense(width), Activation("relu")))
    up = tuple(layer for width in reversed(WIDTHS) for layer in (Dense(width), Activation("relu")))
    return (Flatten(), *down, Dense(code_size)), (*up, Dense(prod(shape)), Reshape(shape))


ARCHITECTURE = Architecture(
    name="deep",
    title="Deep",
    summary="Seven layers wide and narrow, the network of the 2006 Science paper.",
    paper="Hinton and Salakhutdinov, Reducing the Dimensionality of Data with Neural Networks, Science 313, 2006",
    layers=layers,
    defaults={"learning_rate": 0.001},
)

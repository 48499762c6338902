"""The article's convolutional network: the encoder looks through 4x4 windows, the decoder paints with them.

All convolutions are padded to keep their size. 88,345 parameters at 28x28 and D = 48. The article ends in a
ReLU; here a sigmoid ends it, as in every image decoder of ours: a ReLU's zero gradient leaves pixels that once
went dark dark for ever, and nothing holds it below 1. Sides that are no multiple of four are padded and cropped.
Where the article's four channels would be fewer than four numbers for each of the code, as for small images, more begin
the decoder: half of them are cut off by the ReLU.
"""

from math import ceil

from models.architectures import Architecture
from models.layers import (
    Activation,
    ChannelsFirst,
    ChannelsLast,
    Convolution,
    Dense,
    Flatten,
    Layer,
    MaxPool,
    Reshape,
    Shape,
    Upsample,
)

PER_DIMENSION = 4  # numbers to paint from: the article has 196 at 28x28 for D = 48


def layers(shape: Shape, code_size: int) -> tuple[tuple[Layer, ...], tuple[Layer, ...]]:
    """The article's, with more channels where its four would be too few."""
    pixels = ceil(shape[0] / 4) * ceil(shape[1] / 4)
    return with_channels(max(4, ceil(PER_DIMENSION * code_size / pixels)), shape, code_size)


def with_channels(first: int, shape: Shape, code_size: int) -> tuple[tuple[Layer, ...], tuple[Layer, ...]]:
    """(H, W, C) -> (16, H, W) -> (8, H/2, W/2) -> (D,) -> (first, H/4, W/4) -> (8, H/4, W/4) -> (4, H/2, W/2) -> (H, W, C)."""
    height, width, channels = shape
    rows, columns = -(-height // 4), -(-width // 4)
    encoder = (
        ChannelsFirst(multiple=4),
        Convolution(16, kernel=4),
        MaxPool(),  # before the ReLU, which gives the same and has a quarter left to do
        Activation("relu"),
        Convolution(8, kernel=4),
        Activation("relu"),
        Flatten(),
        Dense(code_size),
        Activation("sigmoid"),
    )
    decoder = (
        Dense(first * rows * columns),
        Activation("relu"),
        Reshape((first, rows, columns)),
        Convolution(8, kernel=4),
        Activation("relu"),
        Upsample(),
        Convolution(4, kernel=4),
        Activation("relu"),
        Upsample(),
        Convolution(channels, kernel=4),
        ChannelsLast(height, width),
    )
    return encoder, decoder


ARCHITECTURE = Architecture(
    name="convolutional",
    title="Convolutional",
    summary="Looks at the image through small windows and paints it back by doubling its size twice.",
    paper="Masci, Meier, Cireşan and Schmidhuber, Stacked Convolutional Auto-Encoders, ICANN 2011",
    layers=layers,
    kinds=("image",),
    defaults={"learning_rate": 0.006},
    earlier={4: lambda shape, code_size: with_channels(4, shape, code_size)},
)

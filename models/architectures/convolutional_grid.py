"""A convolutional network without a dense layer: its code is a small picture, a few numbers for each place of a grid.

Such a code keeps where things are, and every place is treated alike: a good choice for codes of many numbers, and for
cleaning images (Mao, Shen and Yang 2016, without their connections past the code: here all goes through it). Where a code has
fewer numbers than the grid has places, a dense layer on each side joins the two.
"""

from models.architectures import Architecture
from models.architectures.convolutional_variational import normal
from models.layers import ChannelsFirst, ChannelsLast, Convolution, Dense, Flatten, Layer, PixelShuffle, Reshape, Shape

STEP, WIDTH = 4, 64  # pixels from place to place; channels
LEAST = 4  # numbers for each place that a dense layer reads


def layers(shape: Shape, code_size: int) -> tuple[tuple[Layer, ...], tuple[Layer, ...]]:
    """(H, W, C) -> (64, H/4, W/4) -> (k, H/4, W/4) = (D,) -> (64, H/4, W/4) -> (H, W, C)."""
    height, width, channels = shape
    rows, columns = -(-height // STEP), -(-width // STEP)
    each, rest = divmod(code_size, rows * columns)
    grid = (each if not rest else LEAST, rows, columns)
    encoder = (
        ChannelsFirst(multiple=STEP),
        *normal(Convolution(WIDTH // 2, kernel=STEP, stride=STEP)),
        *normal(Convolution(WIDTH)),
        *normal(Convolution(WIDTH)),
        Convolution(grid[0]),
        Flatten(),
        *((Dense(code_size),) if rest else ()),
    )
    decoder = (
        *((Dense(grid[0] * rows * columns),) if rest else ()),
        Reshape(grid),
        *normal(Convolution(WIDTH)),
        *normal(Convolution(WIDTH)),
        Convolution(STEP * STEP * channels),
        PixelShuffle(STEP),
        ChannelsLast(height, width),
    )
    return encoder, decoder


ARCHITECTURE = Architecture(
    name="convolutional-grid",
    title="Convolutional, code on a grid",
    summary="Its code is a small picture, a few numbers for each place: for codes of many numbers, and for cleaning images.",
    paper="Mao, Shen and Yang, Image Restoration Using Very Deep Convolutional Encoder-Decoder Networks, NIPS 2016",
    layers=layers,
    kinds=("image",),
    defaults={"learning_rate": 0.002},
)

"""A variational autoencoder (Kingma and Welling 2013) for images, convolutional and quick on a CPU.

A 4x4 patch becomes one position at once, so that all further convolutions run at a quarter of the size or less;
the decoder goes back by pixel shuffle (Shi et al. 2016), which costs no more than the small convolution before it.
"""

from models.architectures import Architecture
from models.layers import (
    Activation,
    ChannelsFirst,
    ChannelsLast,
    Convolution,
    Dense,
    Flatten,
    GroupNorm,
    Layer,
    PixelShuffle,
    Reshape,
    Shape,
)

WIDTH = 48
GROUPS = 8


def normal(*layers: Layer) -> tuple[Layer, ...]:
    """The layers, then group norm and GELU."""
    return (*layers, GroupNorm(GROUPS), Activation("gelu"))


def stacks(shape: Shape, outputs: int) -> tuple[tuple[Layer, ...], tuple[Layer, ...]]:
    """(H, W, C) -> (48, h, w) -> 128 -> (outputs,); (D,) -> 128 -> (48, h, w) -> (H, W, C).

    h = H / 4 up to 40 pixels and H / 8 above, each rounded up.
    """
    height, width, channels = shape
    large = max(height, width) > 40
    step = 8 if large else 4
    rows, columns = -(-height // step), -(-width // step)
    shrink = normal(Convolution(WIDTH, kernel=3, stride=2)) if large else ()
    # Twice the size costs four times as much a channel: half the channels there.
    grow = normal(Convolution(WIDTH * 2), PixelShuffle(2)) if large else ()
    last = WIDTH // 2 if large else WIDTH
    encoder = (
        ChannelsFirst(multiple=step),
        *normal(Convolution(WIDTH // 2, kernel=4, stride=4)),
        *shrink,
        *normal(Convolution(WIDTH)),
        Flatten(),
        Dense(128),
        Activation("gelu"),
        Dense(outputs),
    )
    decoder = (
        Dense(128),
        Activation("gelu"),
        Dense(WIDTH * rows * columns),
        Reshape((WIDTH, rows, columns)),
        Activation("gelu"),
        *grow,
        *normal(Convolution(last)),
        Convolution(16 * channels),
        PixelShuffle(4),
        ChannelsLast(height, width),
    )
    return encoder, decoder


def layers(shape: Shape, code_size: int) -> tuple[tuple[Layer, ...], tuple[Layer, ...]]:
    """(H, W, C) -> (2 D,): D means and D log-variances; (D,) -> (H, W, C)."""
    return stacks(shape, 2 * code_size)


ARCHITECTURE = Architecture(
    name="convolutional-variational",
    title="Convolutional variational",
    summary="The variational idea with convolutions: the one to choose for larger or coloured images.",
    paper="Kingma and Welling, Auto-Encoding Variational Bayes, 2013; Higgins et al., beta-VAE, 2017 for beta above 1",
    layers=layers,
    variational=True,
    kinds=("image",),
    defaults={"loss": "calibrated", "learning_rate": 0.002},
)

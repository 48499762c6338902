"""The convolutional network as one builds it for a processor today, with a plain code: see convolutional_variational.py."""

from models.architectures import Architecture
from models.architectures.convolutional_variational import stacks
from models.layers import Layer, Shape


def layers(shape: Shape, code_size: int) -> tuple[tuple[Layer, ...], tuple[Layer, ...]]:
    """(H, W, C) -> (48, h, w) -> 128 -> (D,) and back."""
    return stacks(shape, code_size)


ARCHITECTURE = Architecture(
    name="modern-convolutional",
    title="Modern, convolutional",
    summary="Takes the image in by patches and paints it back by pixel shuffle: for larger or coloured images.",
    paper="Shi et al., Efficient Sub-Pixel Convolutional Neural Network, CVPR 2016; Wu and He, Group Normalization, 2018",
    layers=layers,
    kinds=("image",),
    defaults={"learning_rate": 0.002},
)

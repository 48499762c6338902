"""The modern network at twice the width: what a person who waits minutes instead of seconds gets the lowest error from.

So large an encoder learns its training samples by heart within a hundred epochs of MNIST; dropout in the encoder
keeps it from that (the decoder is better without).
"""

from models.architectures import Architecture
from models.architectures.modern import of_widths
from models.layers import Layer, Shape

FEW, MANY = (512, 256, 128), (1024, 512)
DROPPED = 0.05


def layers(shape: Shape, code_size: int) -> tuple[tuple[Layer, ...], tuple[Layer, ...]]:
    """As the modern network, of these widths, with dropout in the encoder."""
    return of_widths(FEW, MANY, shape, code_size, DROPPED)


ARCHITECTURE = Architecture(
    name="wide",
    title="Modern, wide",
    summary="The modern network at twice the width: the lowest error of all after some minutes.",
    paper="Ba, Kiros and Hinton, Layer Normalization, 2016; Srivastava et al., Dropout, 2014",
    layers=layers,
)

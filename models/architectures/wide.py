"""The modern network at twice the width: what a person who waits minutes instead of seconds gets the lowest error from."""

from math import prod

from models.architectures import Architecture
from models.architectures.modern import hidden
from models.layers import Dense, Flatten, Layer, Reshape, Shape, Sum

FEW, MANY = (512, 256, 128), (1024, 512)


def layers(shape: Shape, code_size: int) -> tuple[tuple[Layer, ...], tuple[Layer, ...]]:
    """(…) -> hidden -> (D,) -> hidden -> (…), with a linear skip on both sides for D >= 8."""
    size = prod(shape)
    if code_size < 8:
        return (Flatten(), *hidden(FEW), Dense(code_size)), (*hidden(FEW[::-1]), Dense(size), Reshape(shape))
    down = Sum(((*hidden(MANY), Dense(code_size)), (Dense(code_size),)))
    up = Sum(((*hidden(MANY[::-1]), Dense(size)), (Dense(size),)))
    return (Flatten(), down), (up, Reshape(shape))


ARCHITECTURE = Architecture(
    name="wide",
    title="Modern, wide",
    summary="The modern network at twice the width: the lowest error of all after some minutes.",
    paper="Ba, Kiros and Hinton, Layer Normalization, 2016; Hendrycks and Gimpel, Gaussian Error Linear Units, 2016",
    layers=layers,
    defaults={"batch_size": 256, "epochs": 100},
)

"""Our best small network: dense layers with layer norm and GELU, a linear code.

Narrowing step by step helps a code of two or three numbers, which has to bend far from PCA; from D = 8 on a
wider pair of layers with a linear path beside them wins, since PCA is then a good first guess to correct.
"""

from math import prod

from models.architectures import Architecture
from models.layers import Activation, Dense, Dropout, Flatten, Layer, LayerNorm, Reshape, Shape, Sum

NARROW, WIDE = (256, 128, 64), (512, 256)


def hidden(widths: tuple[int, ...], dropped: float = 0.0) -> tuple[Layer, ...]:
    """Dense, layer norm, GELU for each width, then dropout of so large a share."""
    after = (Dropout(dropped),) if dropped else ()
    return tuple(layer for width in widths for layer in (Dense(width), LayerNorm(), Activation("gelu"), *after))


def of_widths(
    narrow: tuple[int, ...], wide: tuple[int, ...], shape: Shape, code_size: int, dropped: float = 0.0
) -> tuple[tuple[Layer, ...], tuple[Layer, ...]]:
    """(…) -> narrow -> (D,) -> narrow -> (…) for D < 8; for more, wide with a linear skip on both sides.

    dropped: share of dropout in the encoder.
    """
    size = prod(shape)
    if code_size < 8:
        encoder = (Flatten(), *hidden(narrow, dropped), Dense(code_size))
        return encoder, (*hidden(narrow[::-1]), Dense(size), Reshape(shape))
    down = Sum(((*hidden(wide, dropped), Dense(code_size)), (Dense(code_size),)))
    up = Sum(((*hidden(wide[::-1]), Dense(size)), (Dense(size),)))
    return (Flatten(), down), (up, Reshape(shape))


def layers(shape: Shape, code_size: int) -> tuple[tuple[Layer, ...], tuple[Layer, ...]]:
    """(…) -> hidden -> (D,) -> hidden -> (…), with a linear skip on both sides for D >= 8."""
    return of_widths(NARROW, WIDE, shape, code_size)


ARCHITECTURE = Architecture(
    name="modern",
    title="Modern",
    summary="Dense layers with layer norm and GELU: the lowest error here for a few seconds of training.",
    paper="Ba, Kiros and Hinton, Layer Normalization, 2016; Hendrycks and Gimpel, Gaussian Error Linear Units, 2016",
    layers=layers,
)

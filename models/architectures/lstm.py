"""An autoencoder that reads a sample step by step (Srivastava, Mansimov and Salakhutdinov 2015).

One LSTM reads the rows of an image, or the steps of a signal, and its last state becomes the code; another one is told
the code at every step and writes the sample again.
"""

from math import prod

from models.architectures import Architecture
from models.layers import Dense, EachStep, Flatten, Layer, Recurrent, Repeat, Reshape, Shape

UNITS = 128


def step_by_step(kind: str, shape: Shape, code_size: int) -> tuple[tuple[Layer, ...], tuple[Layer, ...]]:
    """(T, …) -> (128,) -> (D,); (D,) -> (T, D) -> (T, 128) -> (T, …). The first axis of a sample is its time."""
    steps, features = shape[0], prod(shape[1:])
    encoder = (Flatten(), Reshape((steps, features)), Recurrent(kind, UNITS), Dense(code_size))
    decoder = (Repeat(steps), Recurrent(kind, UNITS, every=True), EachStep(features), Flatten(), Reshape(shape))
    return encoder, decoder


def layers(shape: Shape, code_size: int) -> tuple[tuple[Layer, ...], tuple[Layer, ...]]:
    """With long short-term memory."""
    return step_by_step("lstm", shape, code_size)


ARCHITECTURE = Architecture(
    name="lstm",
    title="LSTM",
    summary="Reads a sample row by row, or step by step, and writes it again from the code.",
    paper="Srivastava, Mansimov and Salakhutdinov, Unsupervised Learning of Video Representations using LSTMs, 2015",
    layers=layers,
    kinds=("image", "signal"),
)

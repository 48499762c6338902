"""An autoencoder that reads a sample step by step (Srivastava, Mansimov and Salakhutdinov 2015).

One LSTM reads the rows of an image, or the steps of a signal, and its last state becomes the code; another one is told
the code at every step and writes the sample again. Of a long sample several steps are read and written at once (Nie et
al. 2023): each step waits for the one before, so that hundreds of them are too slow to learn anything in a minute. A linear
path beside each LSTM is a good first guess, which PCA finds; what is not linear is left to the LSTM.
"""

from math import prod

from models.architectures import Architecture
from models.layers import Dense, EachStep, Flatten, Layer, Patches, Recurrent, Repeat, Reshape, Shape, Sum, Unpatch

UNITS = 128
STEPS = 28  # as many as MNIST has rows; of more, several are one


def step_by_step(kind: str, shape: Shape, code_size: int) -> tuple[tuple[Layer, ...], tuple[Layer, ...]]:
    """(T, …) -> (128,) -> (D,); (D,) -> (T, D) -> (T, 128) -> (T, …), each beside a linear path. The first axis of a sample
    is its time; of more than `STEPS` steps, several are one."""
    time, features = shape[0], prod(shape[1:])
    at_once = -(-time // STEPS)
    steps = -(-time // at_once)
    together: tuple[Layer, ...] = (Patches(at_once),) if at_once > 1 else ()
    apart: tuple[Layer, ...] = (Unpatch(time),) if at_once > 1 else ()
    reading = (Reshape((time, features)), *together, Recurrent(kind, UNITS), Dense(code_size))
    writing = (Repeat(steps), Recurrent(kind, UNITS, every=True), EachStep(at_once * features), *apart, Flatten())
    return (
        (Flatten(), Sum((reading, (Dense(code_size),)))),
        (Sum((writing, (Dense(time * features),))), Reshape(shape)),
    )


def each_step(kind: str, shape: Shape, code_size: int) -> tuple[tuple[Layer, ...], tuple[Layer, ...]]:
    """The same up to the recipe's version 4: one step after the other, and no path beside."""
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
    earlier={4: lambda shape, code_size: each_step("lstm", shape, code_size)},
)

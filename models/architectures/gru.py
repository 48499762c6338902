"""The step-by-step autoencoder with gated recurrent units (Cho et al. 2014): a quarter fewer weights than the LSTM's."""

from models.architectures import Architecture
from models.architectures.lstm import each_step, step_by_step
from models.layers import Layer, Shape


def layers(shape: Shape, code_size: int) -> tuple[tuple[Layer, ...], tuple[Layer, ...]]:
    """With gated recurrent units."""
    return step_by_step("gru", shape, code_size)


ARCHITECTURE = Architecture(
    name="gru",
    title="GRU",
    summary="As the LSTM, with a simpler memory that is often as good.",
    paper="Cho et al., Learning Phrase Representations using RNN Encoder-Decoder, EMNLP 2014",
    layers=layers,
    kinds=("image", "signal"),
    earlier={4: lambda shape, code_size: each_step("gru", shape, code_size)},
)

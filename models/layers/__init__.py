"""Layers described once, in plain Python: their shapes and parameters, their torch module, their ONNX nodes.

An architecture is two tuples of these. The Train page draws and counts them without torch, training builds them,
and export writes them to ONNX straight from the saved weights: torch's own exporter takes seconds a graph and
would have to be imported to open a run, while the dozen operators used here are a line each. Pages show them as a
program in PyTorch, written without torch, too.

Shapes are without the batch axis B: a vector is (F,), an image inside a network (C, H, W). Samples are channels-last.
"""

from models.layers.branches import Sum, definitions, sequence, sequence_text
from models.layers.convolutional import (
    ChannelsFirst,
    ChannelsLast,
    Convolution,
    GroupNorm,
    MaxPool,
    PixelShuffle,
    Upsample,
)
from models.layers.dense import Activation, Dense, Dropout, Flatten, LayerNorm, Reshape
from models.layers.graph import Graph
from models.layers.layer import (
    Layer,
    Shape,
    append_nodes,
    count,
    listed,
    products,
    shape_after,
    weight_shapes,
    with_shapes,
)
from models.layers.steps import EachStep, Patches, Recurrent, Repeat, Unpatch

__all__ = [
    "Activation",
    "ChannelsFirst",
    "ChannelsLast",
    "Convolution",
    "Dense",
    "Dropout",
    "EachStep",
    "Flatten",
    "Graph",
    "GroupNorm",
    "Layer",
    "LayerNorm",
    "MaxPool",
    "Patches",
    "PixelShuffle",
    "Recurrent",
    "Repeat",
    "Reshape",
    "Shape",
    "Sum",
    "Unpatch",
    "Upsample",
    "append_nodes",
    "count",
    "definitions",
    "listed",
    "products",
    "sequence",
    "sequence_text",
    "shape_after",
    "weight_shapes",
    "with_shapes",
]

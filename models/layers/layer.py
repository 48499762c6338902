"""What every layer says of itself, and what is said of several in a row."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from math import prod
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from torch import nn

    from models.layers.graph import Graph


Shape = tuple[int, ...]


@dataclass(frozen=True)
class Layer:
    """One step of an encoder or decoder. Those without weights leave `weights` empty."""

    def output(self, shape: Shape) -> Shape:
        """The shape that comes out when `shape` goes in."""
        return shape

    def weights(self, shape: Shape) -> dict[str, Shape]:
        """Name and shape of every weight, as torch stores them."""
        return {}

    def products(self, shape: Shape) -> int:
        """How many pairs of numbers are multiplied for one sample: each weight of a matrix once, where no layer says more."""
        return sum(prod(size) for size in self.weights(shape).values() if len(size) > 1)

    def module(self, shape: Shape) -> nn.Module:
        """The torch module, with weights named as in `weights`."""
        raise NotImplementedError

    def nodes(self, graph: Graph, x: str, shape: Shape, name: str) -> str:
        """Append the ONNX nodes that compute this layer of `x`; weights are `name`.weight and so on."""
        raise NotImplementedError

    def pytorch(self, shape: Shape) -> str:
        """The module of `module` as a person would write it, with `nn` for torch.nn and `F` for its functions."""
        raise NotImplementedError

    def definitions(self, shape: Shape) -> tuple[str, ...]:
        """The classes that `pytorch` needs and torch does not have, each as its source."""
        return ()

    def words(self, shape: Shape) -> str:
        """What it is called on a page: the field's name, then its sizes."""
        return type(self).__name__


# A layer without weights as one function, for programs that `pytorch` writes.
LAMBDA = """class Lambda(nn.Module):  # a function as a layer
    def __init__(self, function):
        super().__init__()
        self.forward = function"""


def listed(layers: Sequence[Layer]) -> list[dict[str, Any]]:
    """The layers as plain values: [{"layer": "Dense", "units": 128}, ...], what holds layers as lists of such lists."""

    def plain(value: Any) -> Any:
        if isinstance(value, Layer):
            return {"layer": type(value).__name__} | {
                one.name: plain(getattr(value, one.name)) for one in fields(value)
            }
        return [plain(one) for one in value] if isinstance(value, tuple) else value

    return [plain(layer) for layer in layers]


def with_shapes(layers: Sequence[Layer], shape: Shape) -> list[tuple[Layer, Shape]]:
    """Each layer with the shape that enters it."""
    out = []
    for layer in layers:
        out.append((layer, shape))
        shape = layer.output(shape)
    return out


def append_nodes(graph: Graph, layers: Sequence[Layer], x: str, shape: Shape, name: str) -> str:
    """The ONNX nodes of these layers one after the other; weights are named `name`.<place>.<weight>."""
    for i, (layer, at) in enumerate(with_shapes(layers, shape)):
        x = layer.nodes(graph, x, at, f"{name}.{i}")
        graph.values.append((layer, x, layer.output(at)))
    return x


def shape_after(layers: Sequence[Layer], shape: Shape) -> Shape:
    """The shape that leaves the last of the layers."""
    for layer in layers:
        shape = layer.output(shape)
    return shape


def weight_shapes(layers: Sequence[Layer], shape: Shape, name: str) -> dict[str, Shape]:
    """Every weight of the layers: `name`.<place>.<weight> and its shape."""
    return {
        f"{name}.{i}.{weight}": size
        for i, (layer, at) in enumerate(with_shapes(layers, shape))
        for weight, size in layer.weights(at).items()
    }


def products(layers: Sequence[Layer], shape: Shape) -> int:
    """How many pairs of numbers these layers multiply for one sample."""
    return sum(layer.products(at) for layer, at in with_shapes(layers, shape))


def count(shapes: Mapping[str, Shape]) -> int:
    """How many numbers these weights are."""
    return sum(prod(shape) for shape in shapes.values())

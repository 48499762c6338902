"""Layers one after the other, and ways beside each other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from models import Problem
from models.layers.convolutional import Convolution
from models.layers.layer import Layer, Shape, append_nodes, products, shape_after, with_shapes

if TYPE_CHECKING:
    from torch import nn

    from models.layers.graph import Graph


@dataclass(frozen=True)
class Sum(Layer):
    """Several ways from the same input to the same shape, added: a linear skip beside a deep branch. `Problem` where
    they end in different shapes."""

    branches: tuple[tuple[Layer, ...], ...]

    def output(self, shape: Shape) -> Shape:
        shapes = [shape_after(branch, shape) for branch in self.branches]
        if len(set(shapes)) > 1:
            raise Problem(
                f"the branches of a Sum give the shapes {', '.join(map(str, shapes))}",
                "the same shape was expected of each",
                "correct the layers of its branches",
            )
        return shapes[0]

    def weights(self, shape: Shape) -> dict[str, Shape]:
        return {
            f"{i}.{j}.{name}": size
            for i, branch in enumerate(self.branches)
            for j, (layer, at) in enumerate(with_shapes(branch, shape))
            for name, size in layer.weights(at).items()
        }

    def products(self, shape: Shape) -> int:
        return sum(products(branch, shape) for branch in self.branches)

    def module(self, shape: Shape) -> nn.Module:
        from torch import Tensor, nn

        class Added(nn.ModuleList):
            def forward(self, x: Tensor) -> Tensor:
                total: Tensor = self[0](x)
                for branch in list(self)[1:]:
                    total = total + branch(x)
                return total

        return Added(sequence(branch, shape) for branch in self.branches)

    def nodes(self, graph: Graph, x: str, shape: Shape, name: str) -> str:
        first, *others = [
            append_nodes(graph, branch, x, shape, f"{name}.{i}") for i, branch in enumerate(self.branches)
        ]
        for other in others:
            first = graph.add("Add", first, other)
        return first


def sequence(layers: Sequence[Layer], shape: Shape) -> nn.Sequential:
    """The layers as one torch module; its weights are named <place>.<weight>."""
    from torch import nn

    modules: list[nn.Module] = []
    for layer, at in with_shapes(layers, shape):
        doubles = bool(modules) and isinstance(modules[-1], nn.Upsample)
        if doubles and isinstance(layer, Convolution) and layer.stride == 1 and layer.kernel in (3, 4, 5):
            modules[-1:] = [nn.Identity(), layer.upsampling(at)]
        else:
            modules.append(layer.module(at))
    return nn.Sequential(*modules)

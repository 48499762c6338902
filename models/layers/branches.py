"""Layers one after the other, and ways beside each other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from textwrap import indent
from typing import TYPE_CHECKING

from models import Problem
from models.layers.convolutional import Convolution, GroupNorm
from models.layers.dense import LayerNorm
from models.layers.layer import Layer, Shape, append_nodes, products, shape_after, with_shapes

if TYPE_CHECKING:
    from torch import nn

    from models.layers.graph import Graph

SUM = """class Sum(nn.ModuleList):  # the same input through each, added
    def forward(self, x):
        return sum(branch(x) for branch in self)"""
LINE = 84  # characters of a line of a program, without what it is indented by


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

    def pytorch(self, shape: Shape) -> str:
        branches = ",\n".join(sequence_text(branch, shape) for branch in self.branches)
        return f"Sum([\n{indent(branches, '    ')},\n])"

    def definitions(self, shape: Shape) -> tuple[str, ...]:
        return SUM, *(text for branch in self.branches for text in definitions(branch, shape))

    def words(self, shape: Shape) -> str:
        return f"Sum of {len(self.branches)} branches"

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


def sequence_text(layers: Sequence[Layer], shape: Shape) -> str:
    """The module of `sequence` as a person would write it: a line for each layer that computes, what follows it behind.

    Modules without weights are not joined here as `sequence` joins some of them; the numbers are the same.
    """
    lines: list[str] = []
    computes = False  # whether there was a layer with weights yet
    for layer, at in with_shapes(layers, shape):
        text = f"{layer.pytorch(at)},"
        begins = bool(layer.weights(at)) and not isinstance(layer, LayerNorm | GroupNorm)
        if not lines or (begins and computes) or "\n" in lines[-1] + text or len(lines[-1]) + len(text) >= LINE:
            lines.append(text)
        else:
            lines[-1] += f" {text}"
        computes = computes or begins
    if len(lines) == 1 and "\n" not in lines[0]:
        return f"nn.Sequential({lines[0].removesuffix(',')})"
    inner = "\n".join(lines)
    return f"nn.Sequential(\n{indent(inner, '    ')}\n)"


def definitions(layers: Sequence[Layer], shape: Shape) -> tuple[str, ...]:
    """The classes that `sequence_text` needs beside torch's own, each once, as source."""
    return tuple(dict.fromkeys(text for layer, at in with_shapes(layers, shape) for text in layer.definitions(at)))

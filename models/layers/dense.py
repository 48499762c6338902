"""Layers without a place: dense ones, activations, dropout, normalisation, and the shapes between them."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod, sqrt
from typing import TYPE_CHECKING

import numpy as np

from models import Problem
from models.layers.layer import Layer, Shape

if TYPE_CHECKING:
    from torch import nn

    from models.layers.graph import Graph


@dataclass(frozen=True)
class Flatten(Layer):
    """(…) becomes (F,)."""

    def output(self, shape: Shape) -> Shape:
        return (prod(shape),)

    def module(self, shape: Shape) -> nn.Module:
        from torch import nn

        return nn.Flatten()

    def pytorch(self, shape: Shape) -> str:
        return "nn.Flatten()"

    def words(self, shape: Shape) -> str:
        return "Flatten, all values in one row"

    def nodes(self, graph: Graph, x: str, shape: Shape, name: str) -> str:
        return graph.add("Flatten", x, axis=1)


@dataclass(frozen=True)
class Reshape(Layer):
    """(F,) becomes `shape`. `Problem` where it has another number of values."""

    shape: Shape

    def output(self, shape: Shape) -> Shape:
        if prod(shape) != prod(self.shape):
            raise Problem(
                f"a layer Reshape({self.shape}) gets the shape {shape}",
                f"{prod(self.shape):,} values were expected",
                "correct the layers before it",
            )
        return self.shape

    def module(self, shape: Shape) -> nn.Module:
        from torch import nn

        return nn.Unflatten(1, self.shape)

    def pytorch(self, shape: Shape) -> str:
        return f"nn.Unflatten(1, {self.shape})"

    def words(self, shape: Shape) -> str:
        return "Reshape, the same numbers in rows and columns"

    def nodes(self, graph: Graph, x: str, shape: Shape, name: str) -> str:
        return graph.add("Reshape", x, graph.constant(np.array([-1, *self.shape], np.int64)))


@dataclass(frozen=True)
class Dense(Layer):
    """Every output is a weighted sum of all inputs: (F,) becomes (units,)."""

    units: int

    def output(self, shape: Shape) -> Shape:
        return (self.units,)

    def weights(self, shape: Shape) -> dict[str, Shape]:
        return {"weight": (self.units, shape[0]), "bias": (self.units,)}

    def module(self, shape: Shape) -> nn.Module:
        from torch import nn

        return nn.Linear(shape[0], self.units)

    def pytorch(self, shape: Shape) -> str:
        return f"nn.Linear({shape[0]}, {self.units})"

    def words(self, shape: Shape) -> str:
        return f"Dense, {self.units:,} unit{'' if self.units == 1 else 's'}"

    def nodes(self, graph: Graph, x: str, shape: Shape, name: str) -> str:
        return graph.add("Gemm", x, graph.weight(f"{name}.weight"), graph.weight(f"{name}.bias"), transB=1)


@dataclass(frozen=True)
class Activation(Layer):
    """relu, gelu (Hendrycks and Gimpel 2016, the exact form) or sigmoid, value by value."""

    kind: str

    def module(self, shape: Shape) -> nn.Module:
        from torch import nn

        kinds: dict[str, type[nn.Module]] = {"relu": nn.ReLU, "gelu": nn.GELU, "sigmoid": nn.Sigmoid}
        return kinds[self.kind]()

    def pytorch(self, shape: Shape) -> str:
        return {"relu": "nn.ReLU()", "gelu": "nn.GELU()", "sigmoid": "nn.Sigmoid()"}[self.kind]

    def words(self, shape: Shape) -> str:
        return {
            "relu": "ReLU, negative values become 0",
            "gelu": "GELU, a ReLU without a corner",
            "sigmoid": "Sigmoid, squeezes values between 0 and 1",
        }[self.kind]

    def nodes(self, graph: Graph, x: str, shape: Shape, name: str) -> str:
        if self.kind == "gelu":  # spelled out, as in ONNX before opset 20; the runtimes fuse it again
            erf = graph.add("Erf", graph.add("Mul", x, graph.constant(np.float32(1 / sqrt(2)))))
            half = graph.add("Mul", x, graph.constant(np.float32(0.5)))
            return graph.add("Mul", half, graph.add("Add", erf, graph.constant(np.float32(1))))
        return graph.add({"relu": "Relu", "sigmoid": "Sigmoid"}[self.kind], x)


@dataclass(frozen=True)
class Dropout(Layer):
    """While training, a share of the values is set to zero and the others are enlarged for it (Srivastava et al. 2014)."""

    share: float

    def module(self, shape: Shape) -> nn.Module:
        from torch import nn

        return nn.Dropout(self.share)

    def pytorch(self, shape: Shape) -> str:
        return f"nn.Dropout({self.share})"

    def words(self, shape: Shape) -> str:
        return f"Dropout, sets {self.share:.0%} of them to 0 at random while training"

    def nodes(self, graph: Graph, x: str, shape: Shape, name: str) -> str:
        return x


@dataclass(frozen=True)
class LayerNorm(Layer):
    """All values of a sample to mean 0 and variance 1, then scaled and shifted (Ba et al. 2016)."""

    def weights(self, shape: Shape) -> dict[str, Shape]:
        return {"weight": shape, "bias": shape}

    def module(self, shape: Shape) -> nn.Module:
        from torch import nn

        return nn.LayerNorm(shape)

    def pytorch(self, shape: Shape) -> str:
        return f"nn.LayerNorm({shape[0] if len(shape) == 1 else shape})"

    def words(self, shape: Shape) -> str:
        return "Layer norm, brings the numbers of a sample to mean 0 and variance 1"

    def nodes(self, graph: Graph, x: str, shape: Shape, name: str) -> str:
        weights = graph.weight(f"{name}.weight"), graph.weight(f"{name}.bias")
        return graph.add("LayerNormalization", x, *weights, axis=-len(shape), epsilon=1e-5)

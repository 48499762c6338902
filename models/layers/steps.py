"""Layers along a sequence (T, F)."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod
from typing import TYPE_CHECKING

import numpy as np

from models.layers.layer import LAMBDA, Layer, Shape

if TYPE_CHECKING:
    from torch import nn

    from models.layers.graph import Graph


@dataclass(frozen=True)
class EachStep(Layer):
    """The same dense layer at every step of a sequence: (T, F) becomes (T, units)."""

    units: int

    def output(self, shape: Shape) -> Shape:
        return (shape[0], self.units)

    def weights(self, shape: Shape) -> dict[str, Shape]:
        return {"weight": (self.units, shape[1]), "bias": (self.units,)}

    def products(self, shape: Shape) -> int:
        return shape[0] * super().products(shape)

    def module(self, shape: Shape) -> nn.Module:
        from torch import nn

        return nn.Linear(shape[1], self.units)

    def pytorch(self, shape: Shape) -> str:
        return f"nn.Linear({shape[1]}, {self.units})"

    def words(self, shape: Shape) -> str:
        return f"Dense at each step, {self.units:,} unit{'' if self.units == 1 else 's'}"

    def nodes(self, graph: Graph, x: str, shape: Shape, name: str) -> str:
        turned = graph.add("Transpose", graph.weight(f"{name}.weight"), perm=[1, 0])
        return graph.add("Add", graph.add("MatMul", x, turned), graph.weight(f"{name}.bias"))


@dataclass(frozen=True)
class Repeat(Layer):
    """A vector at every step of a sequence: (F,) becomes (steps, F)."""

    steps: int

    def output(self, shape: Shape) -> Shape:
        return (self.steps, *shape)

    def module(self, shape: Shape) -> nn.Module:
        from torch import Tensor, nn

        steps = self.steps

        class Repeated(nn.Module):
            def forward(self, x: Tensor) -> Tensor:
                return x.unsqueeze(1).expand(-1, steps, -1)

        return Repeated()

    def pytorch(self, shape: Shape) -> str:
        return f"Lambda(lambda x: x.unsqueeze(1).expand(-1, {self.steps}, -1))"

    def definitions(self, shape: Shape) -> tuple[str, ...]:
        return (LAMBDA,)

    def words(self, shape: Shape) -> str:
        return f"Repeat, the code at each of {self.steps:,} steps"

    def nodes(self, graph: Graph, x: str, shape: Shape, name: str) -> str:
        row = graph.add("Unsqueeze", x, graph.constant(np.array([1], np.int64)))
        return graph.add("Tile", row, graph.constant(np.array([1, self.steps, 1], np.int64)))


@dataclass(frozen=True)
class Patches(Layer):
    """Several steps of a sequence as one: (T, F) becomes (T / size, size F), rounded up, with zeros behind the last step."""

    size: int

    def output(self, shape: Shape) -> Shape:
        return (-(-shape[0] // self.size), self.size * shape[1])

    def module(self, shape: Shape) -> nn.Module:
        from torch import Tensor, nn
        from torch.nn.functional import pad

        after, patches = -shape[0] % self.size, self.output(shape)

        class Patched(nn.Module):
            def forward(self, x: Tensor) -> Tensor:
                return pad(x, (0, 0, 0, after)).reshape(-1, *patches)

        return Patched()

    def pytorch(self, shape: Shape) -> str:
        after = -shape[0] % self.size
        whole = f"F.pad(x, (0, 0, 0, {after}))" if after else "x"
        return f"Lambda(lambda x: {whole}.reshape(-1, {', '.join(map(str, self.output(shape)))}))"

    def definitions(self, shape: Shape) -> tuple[str, ...]:
        return (LAMBDA,)

    def words(self, shape: Shape) -> str:
        return f"Patches, {self.size:,} steps at once"

    def nodes(self, graph: Graph, x: str, shape: Shape, name: str) -> str:
        if after := -shape[0] % self.size:
            x = graph.add("Pad", x, graph.constant(np.array([0, 0, 0, 0, after, 0], np.int64)))
        return graph.add("Reshape", x, graph.constant(np.array([-1, *self.output(shape)], np.int64)))


@dataclass(frozen=True)
class Unpatch(Layer):
    """The way back from `Patches`: (T / size, size F) becomes (steps, F), what is behind the last step cut off."""

    steps: int

    def output(self, shape: Shape) -> Shape:
        return (self.steps, self._features(shape))

    def _features(self, shape: Shape) -> int:
        return shape[1] // -(-self.steps // shape[0])

    def module(self, shape: Shape) -> nn.Module:
        from torch import Tensor, nn

        steps, features = self.output(shape)

        class Unpatched(nn.Module):
            def forward(self, x: Tensor) -> Tensor:
                return x.flatten(1)[:, : steps * features].reshape(-1, steps, features)

        return Unpatched()

    def pytorch(self, shape: Shape) -> str:
        steps, features = self.output(shape)
        return f"Lambda(lambda x: x.flatten(1)[:, :{steps * features}].reshape(-1, {steps}, {features}))"

    def definitions(self, shape: Shape) -> tuple[str, ...]:
        return (LAMBDA,)

    def words(self, shape: Shape) -> str:
        return f"Steps of patches, {self.steps:,} one by one"

    def nodes(self, graph: Graph, x: str, shape: Shape, name: str) -> str:
        steps, features = self.output(shape)
        one_by_one = np.array([-1, prod(shape) // features, features], np.int64)
        x = graph.add("Reshape", x, graph.constant(one_by_one))
        if steps * features != prod(shape):
            begin, end, axis = (graph.constant(np.array([at], np.int64)) for at in (0, steps, 1))
            x = graph.add("Slice", x, begin, end, axis)
        return x


# Where torch's gates stand in ONNX's order: LSTM i f g o -> i o f g, GRU r z n -> z r n.
_GATES = {"lstm": (0, 3, 1, 2), "gru": (1, 0, 2)}


@dataclass(frozen=True)
class Recurrent(Layer):
    """An LSTM (Hochreiter and Schmidhuber 1997) or GRU (Cho et al. 2014) along a sequence.

    (T, F) becomes (units,), the state after the last step, or with `every` (T, units), the states after each.
    """

    kind: str
    units: int
    every: bool = False

    def output(self, shape: Shape) -> Shape:
        return (shape[0], self.units) if self.every else (self.units,)

    def weights(self, shape: Shape) -> dict[str, Shape]:
        rows = len(_GATES[self.kind]) * self.units
        sizes: dict[str, Shape] = {"weight_ih_l0": (rows, shape[1]), "weight_hh_l0": (rows, self.units)}
        return {**sizes, "bias_ih_l0": (rows,), "bias_hh_l0": (rows,)}

    def products(self, shape: Shape) -> int:
        return shape[0] * super().products(shape)

    def module(self, shape: Shape) -> nn.Module:
        from torch import Tensor, nn

        kinds: dict[str, type[nn.LSTM] | type[nn.GRU]] = {"lstm": nn.LSTM, "gru": nn.GRU}
        cell, every = kinds[self.kind], self.every

        class Along(cell):  # type: ignore[misc, valid-type]
            def forward(self, x: Tensor) -> Tensor:
                states: Tensor = super().forward(x)[0]
                return states if every else states[:, -1]

        return Along(shape[1], self.units, batch_first=True)

    def pytorch(self, shape: Shape) -> str:
        return f"{self._defined}({shape[1]}, {self.units}, batch_first=True)"

    def definitions(self, shape: Shape) -> tuple[str, ...]:
        told, cut = ("each step", "") if self.every else ("the last step", "[:, -1]")
        return (
            f"class {self._defined}(nn.{self.kind.upper()}):  # gives the state after {told}\n"
            "    def forward(self, x):\n"
            f"        return super().forward(x)[0]{cut}",
        )

    @property
    def _defined(self) -> str:
        return f"{'Every' if self.every else 'Last'}{self.kind.upper()}"

    def words(self, shape: Shape) -> str:
        told = "each step" if self.every else "the last step"
        return f"{self.kind.upper()}, {self.units:,} units, its state after {told}"

    def nodes(self, graph: Graph, x: str, shape: Shape, name: str) -> str:
        axis = graph.constant(np.array([0], np.int64))

        def turned(weight: str) -> str:
            edges = [graph.constant(np.array([i * self.units], np.int64)) for i in range(len(_GATES[self.kind]) + 1)]
            whole = graph.weight(f"{name}.{weight}")
            parts = [graph.add("Slice", whole, edges[i], edges[i + 1], axis) for i in _GATES[self.kind]]
            return graph.add("Concat", *parts, axis=0)

        inner, outer = (graph.add("Unsqueeze", turned(part), axis) for part in ("weight_ih_l0", "weight_hh_l0"))
        both = graph.add("Concat", turned("bias_ih_l0"), turned("bias_hh_l0"), axis=0)
        habits = {"linear_before_reset": 1} if self.kind == "gru" else {}
        steps_first = graph.add("Transpose", x, perm=[1, 0, 2])
        states = graph.add(  # (T, 1, B, units)
            self.kind.upper(),
            steps_first,
            inner,
            outer,
            graph.add("Unsqueeze", both, axis),
            hidden_size=self.units,
            **habits,
        )
        flat = graph.add("Squeeze", states, graph.constant(np.array([1], np.int64)))
        if self.every:
            return graph.add("Transpose", flat, perm=[1, 0, 2])
        last = graph.constant(np.array(shape[0] - 1, np.int64))
        return graph.add("Gather", flat, last, axis=0)

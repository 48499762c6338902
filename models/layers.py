"""Layers described once, in plain Python: their shapes and parameters, their torch module, their ONNX nodes.

An architecture is two tuples of these. The Train page draws and counts them without torch, training builds them,
and export writes them to ONNX straight from the saved weights: torch's own exporter takes seconds a graph and
would have to be imported to open a run, while the dozen operators used here are a line each.

Shapes are without the batch axis B: a vector is (F,), an image inside a network (C, H, W). Samples are channels-last.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import prod, sqrt
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from torch import nn

    from models.export import Graph

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


@dataclass(frozen=True)
class Flatten(Layer):
    """(…) becomes (F,)."""

    def output(self, shape: Shape) -> Shape:
        return (prod(shape),)

    def module(self, shape: Shape) -> nn.Module:
        from torch import nn

        return nn.Flatten()

    def nodes(self, graph: Graph, x: str, shape: Shape, name: str) -> str:
        return graph.add("Flatten", x, axis=1)


@dataclass(frozen=True)
class Reshape(Layer):
    """(F,) becomes `shape`."""

    shape: Shape

    def output(self, shape: Shape) -> Shape:
        return self.shape

    def module(self, shape: Shape) -> nn.Module:
        from torch import nn

        return nn.Unflatten(1, self.shape)

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

    def nodes(self, graph: Graph, x: str, shape: Shape, name: str) -> str:
        return graph.add("Gemm", x, graph.weight(f"{name}.weight"), graph.weight(f"{name}.bias"), transB=1)


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

    def nodes(self, graph: Graph, x: str, shape: Shape, name: str) -> str:
        row = graph.add("Unsqueeze", x, graph.constant(np.array([1], np.int64)))
        return graph.add("Tile", row, graph.constant(np.array([1, self.steps, 1], np.int64)))


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


@dataclass(frozen=True)
class Activation(Layer):
    """relu, gelu (Hendrycks and Gimpel 2016, the exact form) or sigmoid, value by value."""

    kind: str

    def module(self, shape: Shape) -> nn.Module:
        from torch import nn

        kinds: dict[str, type[nn.Module]] = {"relu": nn.ReLU, "gelu": nn.GELU, "sigmoid": nn.Sigmoid}
        return kinds[self.kind]()

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

    def nodes(self, graph: Graph, x: str, shape: Shape, name: str) -> str:
        return x


@dataclass(frozen=True)
class LayerNorm(Layer):
    """Each sample's vector to mean 0 and variance 1, then scaled and shifted (Ba et al. 2016)."""

    def weights(self, shape: Shape) -> dict[str, Shape]:
        return {"weight": shape, "bias": shape}

    def module(self, shape: Shape) -> nn.Module:
        from torch import nn

        return nn.LayerNorm(shape)

    def nodes(self, graph: Graph, x: str, shape: Shape, name: str) -> str:
        weights = graph.weight(f"{name}.weight"), graph.weight(f"{name}.bias")
        return graph.add("LayerNormalization", x, *weights, axis=-1, epsilon=1e-5)


@dataclass(frozen=True)
class GroupNorm(Layer):
    """Groups of channels to mean 0 and variance 1, then scaled and shifted (Wu and He 2018)."""

    groups: int

    def weights(self, shape: Shape) -> dict[str, Shape]:
        return {"weight": (shape[0],), "bias": (shape[0],)}

    def module(self, shape: Shape) -> nn.Module:
        from torch import nn

        return nn.GroupNorm(self.groups, shape[0])

    def nodes(self, graph: Graph, x: str, shape: Shape, name: str) -> str:
        # As an instance norm over (B, groups, rest): every runtime has that operator, not all have opset 21's.
        # The -1 stands first: in the last place it would refuse an empty batch.
        flat = np.array([-1, self.groups, prod(shape) // self.groups], np.int64)
        rows = graph.add("Reshape", x, graph.constant(flat))
        one, zero = np.ones(self.groups, np.float32), np.zeros(self.groups, np.float32)
        normal = graph.add("InstanceNormalization", rows, graph.constant(one), graph.constant(zero), epsilon=1e-5)
        back = graph.add("Reshape", normal, graph.constant(np.array([-1, *shape], np.int64)))
        column = graph.constant(np.array([shape[0], 1, 1], np.int64))
        scale, shift = (graph.add("Reshape", graph.weight(f"{name}.{part}"), column) for part in ("weight", "bias"))
        return graph.add("Add", graph.add("Mul", back, scale), shift)


@dataclass(frozen=True)
class Convolution(Layer):
    """(C, H, W) becomes (channels, H / stride, W / stride), padded as Keras's "same" pads (the odd one at the end)."""

    channels: int
    kernel: int = 3
    stride: int = 1

    def output(self, shape: Shape) -> Shape:
        return (self.channels, -(-shape[1] // self.stride), -(-shape[2] // self.stride))

    def weights(self, shape: Shape) -> dict[str, Shape]:
        return {"weight": (self.channels, shape[0], self.kernel, self.kernel), "bias": (self.channels,)}

    def products(self, shape: Shape) -> int:
        return prod(self.output(shape)[1:]) * super().products(shape)

    def padding(self, shape: Shape) -> tuple[int, int, int, int]:
        """Zeros added before and after: top, left, bottom, right."""
        needs = [max((-(-n // self.stride) - 1) * self.stride + self.kernel - n, 0) for n in shape[1:]]
        return needs[0] // 2, needs[1] // 2, needs[0] - needs[0] // 2, needs[1] - needs[1] // 2

    def module(self, shape: Shape) -> nn.Module:
        from torch import Tensor, nn
        from torch.nn.functional import pad

        top, left, bottom, right = self.padding(shape)
        even = (top, left) == (bottom, right)

        class Padded(nn.Conv2d):
            def forward(self, x: Tensor) -> Tensor:
                return super().forward(pad(x, (left, right, top, bottom)))

        kind = nn.Conv2d if even else Padded
        return kind(shape[0], self.channels, self.kernel, self.stride, padding=(top, left) if even else 0)

    def upsampling(self, shape: Shape) -> nn.Module:
        """An `Upsample` and this convolution in one, a third of the time; kernel 3, 4 or 5, stride 1.

        Doubled pixels meet several taps of the kernel. These are added up once, so that a 3x3 convolution of the small
        image computes the four pixels that each of its pixels becomes (Shi et al. 2016, section 3.2, read backwards).
        shape: of what the convolution alone would see.
        """
        import torch
        from torch import Tensor, nn
        from torch.nn import functional

        # taps[a, p, r]: whether tap r of the kernel meets small pixel p - 1 when it paints the a-th of two pixels.
        met = (np.arange(2)[:, None] + np.arange(self.kernel) - (self.kernel - 1) // 2) // 2 + 1
        taps = torch.from_numpy((met[:, None] == np.arange(3)[:, None]).astype(np.float32))

        class Upsampling(nn.Conv2d):
            def forward(self, x: Tensor) -> Tensor:
                rows = taps.to(self.weight)
                small = torch.einsum("apr,bqs,oirs->oabipq", rows, rows, self.weight)
                bias = self.bias.repeat_interleave(4) if self.bias is not None else None
                small = small.reshape(4 * self.out_channels, self.in_channels, 3, 3)
                return functional.pixel_shuffle(functional.conv2d(x, small, bias, padding=1), 2)

        return Upsampling(shape[0], self.channels, self.kernel)

    def nodes(self, graph: Graph, x: str, shape: Shape, name: str) -> str:
        weights = graph.weight(f"{name}.weight"), graph.weight(f"{name}.bias")
        return graph.add("Conv", x, *weights, strides=[self.stride] * 2, pads=list(self.padding(shape)))


@dataclass(frozen=True)
class MaxPool(Layer):
    """The largest of each 2x2: (C, H, W) becomes (C, H/2, W/2)."""

    def output(self, shape: Shape) -> Shape:
        return (shape[0], shape[1] // 2, shape[2] // 2)

    def module(self, shape: Shape) -> nn.Module:
        from torch import nn

        return nn.MaxPool2d(2)

    def nodes(self, graph: Graph, x: str, shape: Shape, name: str) -> str:
        return graph.add("MaxPool", x, kernel_shape=[2, 2], strides=[2, 2])


@dataclass(frozen=True)
class Upsample(Layer):
    """Every value twice in both directions: (C, H, W) becomes (C, 2H, 2W)."""

    def output(self, shape: Shape) -> Shape:
        return (shape[0], 2 * shape[1], 2 * shape[2])

    def module(self, shape: Shape) -> nn.Module:
        from torch import nn

        return nn.Upsample(scale_factor=2, mode="nearest")

    def nodes(self, graph: Graph, x: str, shape: Shape, name: str) -> str:
        scales = graph.constant(np.array([1, 1, 2, 2], np.float32))
        habits = {"mode": "nearest", "coordinate_transformation_mode": "asymmetric", "nearest_mode": "floor"}
        return graph.add("Resize", x, "", scales, **habits)


@dataclass(frozen=True)
class PixelShuffle(Layer):
    """Channels become pixels (Shi et al. 2016): (C r r, H, W) becomes (C, H r, W r)."""

    factor: int

    def output(self, shape: Shape) -> Shape:
        return (shape[0] // self.factor**2, shape[1] * self.factor, shape[2] * self.factor)

    def module(self, shape: Shape) -> nn.Module:
        from torch import nn

        return nn.PixelShuffle(self.factor)

    def nodes(self, graph: Graph, x: str, shape: Shape, name: str) -> str:
        return graph.add("DepthToSpace", x, blocksize=self.factor, mode="CRD")


@dataclass(frozen=True)
class ChannelsFirst(Layer):
    """A stored image as networks want it: (H, W, C) becomes (C, H, W), padded with zeros to a multiple of `multiple`."""

    multiple: int = 1

    def output(self, shape: Shape) -> Shape:
        height, width, channels = shape
        return (channels, height + -height % self.multiple, width + -width % self.multiple)

    def module(self, shape: Shape) -> nn.Module:
        from torch import Tensor, nn
        from torch.nn.functional import pad

        bottom, right = -shape[0] % self.multiple, -shape[1] % self.multiple

        class ToChannelsFirst(nn.Module):
            def forward(self, x: Tensor) -> Tensor:
                return pad(x.permute(0, 3, 1, 2), (0, right, 0, bottom))

        return ToChannelsFirst()

    def nodes(self, graph: Graph, x: str, shape: Shape, name: str) -> str:
        first = graph.add("Transpose", x, perm=[0, 3, 1, 2])
        bottom, right = -shape[0] % self.multiple, -shape[1] % self.multiple
        if not bottom and not right:
            return first
        return graph.add("Pad", first, graph.constant(np.array([0, 0, 0, 0, 0, 0, bottom, right], np.int64)))


@dataclass(frozen=True)
class ChannelsLast(Layer):
    """A network's image as it is stored: (C, H', W') becomes (height, width, C), the padding cut off."""

    height: int
    width: int

    def output(self, shape: Shape) -> Shape:
        return (self.height, self.width, shape[0])

    def module(self, shape: Shape) -> nn.Module:
        from torch import Tensor, nn

        height, width = self.height, self.width

        class ToChannelsLast(nn.Module):
            def forward(self, x: Tensor) -> Tensor:
                return x[:, :, :height, :width].permute(0, 2, 3, 1)

        return ToChannelsLast()

    def nodes(self, graph: Graph, x: str, shape: Shape, name: str) -> str:
        if shape[1:] != (self.height, self.width):
            ends, axes = np.array([self.height, self.width], np.int64), np.array([2, 3], np.int64)
            zero = graph.constant(np.zeros(2, np.int64))
            x = graph.add("Slice", x, zero, graph.constant(ends), graph.constant(axes))
        return graph.add("Transpose", x, perm=[0, 2, 3, 1])


@dataclass(frozen=True)
class Sum(Layer):
    """Several ways from the same input to the same shape, added: a linear skip beside a deep branch."""

    branches: tuple[tuple[Layer, ...], ...]

    def output(self, shape: Shape) -> Shape:
        return shape_after(self.branches[0], shape)

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
        first, *others = [graph.layers(branch, x, shape, f"{name}.{i}") for i, branch in enumerate(self.branches)]
        for other in others:
            first = graph.add("Add", first, other)
        return first


def with_shapes(layers: Sequence[Layer], shape: Shape) -> list[tuple[Layer, Shape]]:
    """Each layer with the shape that enters it."""
    out = []
    for layer in layers:
        out.append((layer, shape))
        shape = layer.output(shape)
    return out


def shape_after(layers: Sequence[Layer], shape: Shape) -> Shape:
    """The shape that leaves the last of the layers."""
    for layer in layers:
        shape = layer.output(shape)
    return shape


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

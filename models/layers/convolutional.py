"""Layers of images (C, H, W)."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod
from typing import TYPE_CHECKING

import numpy as np

from models.layers.layer import LAMBDA, Layer, Shape

if TYPE_CHECKING:
    from torch import nn

    from models.layers.graph import Graph

PADDED = """class Padded(nn.Conv2d):  # zeros added left, right, above and below, one side more than the other
    def __init__(self, *sizes, pad):
        super().__init__(*sizes)
        self.pad = pad
    def forward(self, x):
        return super().forward(F.pad(x, self.pad))"""


@dataclass(frozen=True)
class GroupNorm(Layer):
    """Groups of channels to mean 0 and variance 1, then scaled and shifted (Wu and He 2018)."""

    groups: int

    def weights(self, shape: Shape) -> dict[str, Shape]:
        return {"weight": (shape[0],), "bias": (shape[0],)}

    def module(self, shape: Shape) -> nn.Module:
        from torch import nn

        return nn.GroupNorm(self.groups, shape[0])

    def pytorch(self, shape: Shape) -> str:
        return f"nn.GroupNorm({self.groups}, {shape[0]})"

    def words(self, shape: Shape) -> str:
        return f"Group norm, {self.groups} groups of channels to mean 0 and variance 1"

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

    def pytorch(self, shape: Shape) -> str:
        top, left, bottom, right = self.padding(shape)
        sizes = f"{shape[0]}, {self.channels}, {self.kernel}"
        if self.stride == 1:
            return f'nn.Conv2d({sizes}, padding="same")'  # torch, too, puts the odd one at the end
        if (top, left) != (bottom, right):
            return f"Padded({sizes}, {self.stride}, pad={(left, right, top, bottom)})"
        padding = f", padding={(top, left)}" if top or left else ""
        return f"nn.Conv2d({sizes}, {self.stride}{padding})"

    def definitions(self, shape: Shape) -> tuple[str, ...]:
        return (PADDED,) if self.pytorch(shape).startswith("Padded") else ()

    def words(self, shape: Shape) -> str:
        steps = "" if self.stride == 1 else f", in steps of {self.stride} pixels"
        return f"Convolution {self.kernel}×{self.kernel}, {self.channels:,} filter{'' if self.channels == 1 else 's'}{steps}"

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

    def pytorch(self, shape: Shape) -> str:
        return "nn.MaxPool2d(2)"

    def words(self, shape: Shape) -> str:
        return "Max pooling 2×2, the largest of four pixels"

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

    def pytorch(self, shape: Shape) -> str:
        return "nn.Upsample(scale_factor=2)"

    def words(self, shape: Shape) -> str:
        return "Upsampling 2×2, each pixel becomes four"

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

    def pytorch(self, shape: Shape) -> str:
        return f"nn.PixelShuffle({self.factor})"

    def words(self, shape: Shape) -> str:
        return f"Pixel shuffle, {self.factor**2} channels become {self.factor}×{self.factor} pixels"

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

    def pytorch(self, shape: Shape) -> str:
        bottom, right = -shape[0] % self.multiple, -shape[1] % self.multiple
        first = "x.permute(0, 3, 1, 2)"
        return f"Lambda(lambda x: {f'F.pad({first}, (0, {right}, 0, {bottom}))' if bottom or right else first})"

    def definitions(self, shape: Shape) -> tuple[str, ...]:
        return (LAMBDA,)

    def words(self, shape: Shape) -> str:
        _, height, width = self.output(shape)
        padded = (height, width) != shape[:2]
        return (
            f"Channels first, as convolutions read images{f', zeros added up to {height} × {width}' if padded else ''}"
        )

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

    def pytorch(self, shape: Shape) -> str:
        cut = "" if shape[1:] == (self.height, self.width) else f"[:, :, :{self.height}, :{self.width}]"
        return f"Lambda(lambda x: x{cut}.permute(0, 2, 3, 1))"

    def definitions(self, shape: Shape) -> tuple[str, ...]:
        return (LAMBDA,)

    def words(self, shape: Shape) -> str:
        cut = shape[1:] != (self.height, self.width)
        return f"Channels last, as images are stored{f', cut to {self.height} × {self.width}' if cut else ''}"

    def nodes(self, graph: Graph, x: str, shape: Shape, name: str) -> str:
        if shape[1:] != (self.height, self.width):
            ends, axes = np.array([self.height, self.width], np.int64), np.array([2, 3], np.int64)
            zero = graph.constant(np.zeros(2, np.int64))
            x = graph.add("Slice", x, zero, graph.constant(ends), graph.constant(axes))
        return graph.add("Transpose", x, perm=[0, 2, 3, 1])

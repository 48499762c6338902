"""A small classifier of samples: trained on clean ones, it says what can still be read of others, and whether new ones look
like real ones.

It is no run: nobody chooses it, and it is trained again in seconds with each answer. Its layers are those of `models.layers`,
so that the browser computes it as it computes encoders.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from models.codes import Floats
from models.layers import (
    Activation,
    ChannelsFirst,
    Convolution,
    Dense,
    Dropout,
    Flatten,
    Layer,
    LayerNorm,
    Shape,
    listed,
    products,
    sequence,
)
from models.training.augmentation import distorted, shifted

NAME = "reader"  # what the names of its weights begin with
SMALLEST = 8  # images are halved while a side is longer than this
CHANNELS = (16, 32, 64, 64, 64, 64)
BATCH = 128
RATE = 3e-3
EPOCHS = 40  # at most
FEWEST = 200  # steps, however few samples there are
PRODUCTS = 3.3e11  # at most: about 20 seconds of one core
AT_ONCE = 500


def layers(
    shape: Shape, classes: int, channels: tuple[int, ...] = CHANNELS, smallest: int = SMALLEST, hidden: int = 128
) -> tuple[Layer, ...]:
    """What gives a logit for each class: convolutions for images, dense layers for signals and rows.

    channels, smallest, hidden: of images, those of the convolutions, the side at which they end, and the units after them.
    """
    if len(shape) != 3:
        first = (Dense(128), LayerNorm(), Activation("gelu"), Dropout(0.2))
        return (Flatten(), *first, Dense(64), LayerNorm(), Activation("gelu"), Dense(classes))
    out: list[Layer] = [ChannelsFirst()]
    side = max(shape[:2])
    for i, width in enumerate(channels):
        stride = 2 if side > smallest // (1 if i == 0 else 2) else 1
        out += [Convolution(width, kernel=5 if side > 2 * SMALLEST else 3, stride=stride), Activation("relu")]
        side = -(-side // stride)
        if i > 0 and side <= smallest:
            break
    return (*out, Flatten(), Dropout(0.2), Dense(hidden), Activation("relu"), Dense(classes))


@dataclass(frozen=True)
class Reader:
    """A trained classifier of samples (N, *shape) as models see them."""

    shape: Shape
    layers: tuple[Layer, ...]
    module: nn.Sequential

    @torch.no_grad()
    def logits(self, samples: Floats) -> Floats:
        """One number for each class (N, K)."""
        given = torch.from_numpy(np.ascontiguousarray(samples, np.float32))
        return np.concatenate([self.module(part).numpy() for part in given.split(AT_ONCE)])

    @torch.no_grad()
    def features(self, samples: Floats) -> Floats:
        """What the last layer but one says of each sample: (N, units)."""
        given = torch.from_numpy(np.ascontiguousarray(samples, np.float32))
        return np.concatenate([self.module[:-1](part).numpy() for part in given.split(AT_ONCE)])

    def read(self, samples: Floats, classes: int | None = None) -> NDArray[np.int64]:
        """The class of each sample (N,). classes: how many of the logits are of classes; None, all of them."""
        return np.asarray(self.logits(samples)[:, :classes].argmax(1))

    @property
    def listed(self) -> list[dict[str, Any]]:
        """Its layers as plain values, as run.json has those of an encoder."""
        return listed(self.layers)

    @property
    def weights(self) -> dict[str, Floats]:
        """Its weights by the names that the browser expects."""
        return {f"{NAME}.{name}": value.detach().numpy().copy() for name, value in self.module.state_dict().items()}


def train(
    stored: NDArray[np.generic],
    labels: NDArray[np.int32],
    classes: int,
    tell: Callable[[float], None],
    seed: int = 0,
    *,
    parts: tuple[Layer, ...] | None = None,
    factors: Floats | None = None,
) -> Reader:
    """A reader of stored samples (N, *shape), trained on all of those that have a label.

    Images are moved by a pixel and turned a little, each time otherwise. tell is given the share that is done, and may raise.
    The same seed gives the same weights. parts: other layers than `layers` gives. factors: numbers (N, K) with mean 0 and
    variance 1 that the last K logits are to say; images are then left as they are, since moving one may change its factors.
    """
    torch.set_num_threads(1)
    known = np.flatnonzero(labels >= 0) if factors is None else np.arange(len(stored))
    given = torch.from_numpy(np.ascontiguousarray(stored[known]))
    wanted = torch.from_numpy(labels[known].astype(np.int64))
    numbers = None if factors is None else torch.from_numpy(np.ascontiguousarray(factors, np.float32))
    shape = tuple(stored.shape[1:])
    parts = parts or layers(shape, classes)
    random = torch.Generator().manual_seed(seed)
    each = products(parts, shape)
    steps = int(max(FEWEST, min(EPOCHS * len(known) / BATCH, PRODUCTS / (3 * BATCH * each))))
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        module = sequence(parts, shape)
        module.train()
        optimizer = torch.optim.AdamW(module.parameters(), RATE, weight_decay=0.02, fused=True)
        schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, RATE, steps)
        loss = nn.CrossEntropyLoss(label_smoothing=0.05, ignore_index=-1)
        order: Tensor = torch.randperm(len(known), generator=random)
        for step in range(steps):
            if len(order) < min(BATCH, len(known)):
                order = torch.cat([order, torch.randperm(len(known), generator=random)])
            batch, order = order[:BATCH], order[BATCH:]
            x = given[batch]
            if len(shape) == 3 and x.dtype == torch.uint8 and numbers is None:
                x = (
                    distorted(shifted(x, 1, step), 0.08, step)
                    if max(shape) > 2 * SMALLEST
                    else distorted(x, 0.08, step)
                )
            x = x.float() / 255 if x.dtype == torch.uint8 else x.float()
            optimizer.zero_grad(set_to_none=True)
            out = module(x)
            cost = loss(out[:, :classes], wanted[batch]) if classes else out.new_zeros(())
            if numbers is not None:
                cost = cost + nn.functional.mse_loss(out[:, classes:], numbers[batch])
            cost.backward()
            optimizer.step()
            schedule.step()
            if step % 20 == 0:
                tell(step / steps)
    module.eval()
    return Reader(shape, parts, module)

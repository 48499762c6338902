"""The small networks of the lab Anomalies, trained on normal rows alone in a loop of their own.

They do not go through `Training`: a lab trains five splits of a table, with and without anomalies among them, in seconds
each, on rows that no dataset calls its training split; and its denoisers are told how much noise there is, which no
architecture of ours is. What comes out is arrays, with which numpy computes the scores (`models.analysis.anomalies`).
"""

from __future__ import annotations

from collections.abc import Callable
from math import log

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

WIDTH = 128  # units of each hidden layer
BATCH = 256
RATE = 4e-3  # the largest learning rate; it rises to it and falls to nothing
NOISE = (0.05, 3.0)  # standard deviations of the noise, drawn evenly on a logarithmic scale
LITTLE = 0.1  # noise of the autoencoder's input
TOLD = 25  # steps after which it is told how far they are
Weights = dict[str, NDArray[np.float32]]


class WithLine(nn.Module):
    """Two hidden layers, and a linear path beside them."""

    def __init__(self, given: int, out: int) -> None:
        super().__init__()
        self.hidden = nn.Sequential(
            nn.Linear(given, WIDTH), nn.SiLU(), nn.Linear(WIDTH, WIDTH), nn.SiLU(), nn.Linear(WIDTH, out)
        )
        self.line = nn.Linear(given, out)

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.hidden(x) + self.line(x)
        return out


class Direct(nn.Module):
    """Rows (B, F) with noise of known deviation (B, 1) become what they were without it."""

    def __init__(self, features: int) -> None:
        super().__init__()
        self.part = WithLine(features + 1, features)

    def forward(self, x: Tensor, noise: Tensor) -> Tensor:
        out: Tensor = self.part(torch.cat([x, noise.log()], 1))
        return out


class Scaled(nn.Module):
    """The same, but it looks for the difference, scaled so that it has deviation 1 at every noise, for rows of deviation 1.

    After Karras et al., Elucidating the Design Space of Diffusion-Based Generative Models, 2022.
    """

    def __init__(self, features: int) -> None:
        super().__init__()
        self.part = WithLine(features + 1, features)

    def forward(self, x: Tensor, noise: Tensor) -> Tensor:
        scale = (1 + noise * noise).sqrt()
        found: Tensor = self.part(torch.cat([x / scale, noise.log()], 1))
        return x / scale**2 + found * (noise / scale)


def train(
    rows: NDArray[np.float32],
    code_size: int,
    steps: int,
    seed: int,
    tell: Callable[[float, Callable[[], Weights]], None],
    stronger: float = 1.0,
) -> Weights:
    """An autoencoder with this code size and two denoisers, trained on these rows (N, F) of mean 0 and deviation 1.

    The denoisers see noises of `NOISE`, so many times as strong. tell is given the share that is done and what gives the weights as
    they are then, and may raise. The same seed gives the same weights. They are named
    "encoder.…", "decoder.…", "direct.…" and "scaled.…", as torch names them.
    """
    torch.set_num_threads(1)
    random = torch.Generator().manual_seed(seed)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        features = rows.shape[1]
        parts = {
            "encoder": WithLine(features, code_size),
            "decoder": WithLine(code_size, features),
            "direct": Direct(features),
            "scaled": Scaled(features),
        }
    encoder, decoder, direct, scaled = parts.values()

    def weights_now() -> Weights:
        return {
            f"{name}.{key}": value.detach().numpy().copy()
            for name, part in parts.items()
            for key, value in part.state_dict().items()
        }

    weights = [weight for part in parts.values() for weight in part.parameters()]
    optimizer = torch.optim.AdamW(weights, RATE, weight_decay=1e-3, fused=True)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, RATE, steps)
    given = torch.from_numpy(rows)
    for step in range(steps):
        x = given[torch.randint(len(given), (BATCH,), generator=random)]
        deviation = torch.empty(BATCH, 1).uniform_(log(NOISE[0]), log(NOISE[1]), generator=random).exp() * stronger
        noise = torch.randn(x.shape, generator=random)
        error = (decoder(encoder(x + LITTLE * noise)) - x).square().mean()
        noisy, variance = x + deviation * noise, deviation**2
        # Little noise counts more, since there is less to correct; of the direct one not more than it could ever do.
        left = (direct(noisy, deviation) - x).square() * ((variance + 0.3) / variance).clamp(max=20)
        loss = error + left.mean() + ((scaled(noisy, deviation) - x).square() * (1 + 1 / variance)).mean()
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        optimizer.step()
        schedule.step()
        if step % TOLD == 0:
            tell(step / steps, weights_now)
    return weights_now()

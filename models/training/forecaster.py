"""The encoder-decoder of the lab Sequences: one GRU reads what is given, another writes what comes next.

Sequence to sequence (Sutskever, Vinyals and Le 2014) with gated recurrent units (Cho et al. 2014), and attention: at each token the writer
looks at the reader's states, at those most that are like its own (Luong, Pham and Manning 2015, by scaled dot products). Several steps of a signal
are one token, as in `models.architectures.lstm`, and each token carries its place. While it learns, the writer is often told
the true token before (teacher forcing, Williams and Zipser 1989), first always and later never, so that in the end it can go on from
its own (Bengio et al., Scheduled Sampling, 2015).

It does not go through `Training`, which makes runs that give back what they were given. What comes out is arrays, with which numpy
(`models.analysis.forecasting`) and the browser compute the same.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

Weights = dict[str, NDArray[np.float32]]

BATCH = 64
RATE = 4e-3  # the largest learning rate; it rises to it and falls to nothing
DECAY = 1e-2
LONGEST = 1.0  # of a gradient
TOLD = 20  # steps after which it is told how far they are


class Forecaster(nn.Module):
    """Tokens (B, read, F), each with its place as the last of the F numbers, become those that follow (B, places, F - 1)."""

    def __init__(self, features: int, units: int) -> None:
        super().__init__()
        self.reader = nn.GRU(features, units, batch_first=True)
        self.writer = nn.GRUCell(features, units)
        self.out = nn.Linear(2 * units, features - 1)

    def forward(self, given: Tensor, places: Tensor, truth: Tensor | None = None, taught: float = 0.0) -> Tensor:
        """places: (write,) of the tokens to come. truth (B, write, F - 1): what is told instead of its own last token, with the
        probability `taught` at each step."""
        states: Tensor = self.reader(given)[0]
        state, last, written = states[:, -1], given[:, -1, :-1], []
        for i, place in enumerate(places):
            state = self.writer(torch.cat([last, place.expand(len(last), 1)], 1), state)
            looks = torch.softmax(states @ state.unsqueeze(2) / states.shape[2] ** 0.5, 1)
            last = self.out(torch.cat([state, (looks * states).sum(1)], 1))
            written.append(last)
            if truth is not None and float(torch.rand(())) < taught:
                last = truth[:, i]
        return torch.stack(written, 1)


def train(
    given: NDArray[np.float32],
    rest: NDArray[np.float32],
    places: NDArray[np.float32],
    counted: int,
    units: int,
    steps: int,
    noise: float,
    seed: int,
    tell: Callable[[float, Callable[[], Weights]], None],
) -> Weights:
    """Train one network on tokens (N, read, F) and what follows (N, write, F - 1).

    places: (write,) of the tokens to come; counted: how many of their numbers are wanted, the last of all being filled up;
    noise: standard deviation of what is added to the given numbers. tell is given the share done and what gives the weights as they are then, and may
    raise. The same seed gives the same weights, named as torch names them.
    """
    torch.set_num_threads(1)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        net = Forecaster(given.shape[2], units)

        def weights_now() -> Weights:
            return {name: value.detach().numpy().copy() for name, value in net.state_dict().items()}

        optimizer = torch.optim.AdamW(net.parameters(), RATE, weight_decay=DECAY, fused=True)
        schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, RATE, steps)
        x, y, at = (torch.from_numpy(np.ascontiguousarray(each)) for each in (given, rest, places))
        for step in range(steps):
            some = torch.randint(len(x), (BATCH,))
            read, truth = x[some], y[some]
            read[..., :-1] += noise * torch.randn_like(read[..., :-1])
            written = net(read, at, truth, max(0.0, 1 - 2 * step / steps))
            error = (written - truth).flatten(1)[:, :counted].square().mean()
            optimizer.zero_grad(set_to_none=True)
            error.backward()
            nn.utils.clip_grad_norm_(net.parameters(), LONGEST)
            optimizer.step()
            schedule.step()
            if step % TOLD == 0:
                tell(step / steps, weights_now)
        return weights_now()

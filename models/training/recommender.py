"""The small networks of the lab Recommend, trained on ratings with gaps in a loop of their own.

They do not go through `Training`: a lab trains on five splits of the ratings, in seconds each, and a gap in a row counts neither in
the input nor in the loss (a masked loss), which no architecture of ours knows.

- `autorec`: AutoRec (Sedhain et al., AutoRec: Autoencoders Meet Collaborative Filtering, WWW 2015), by person.
- `mult_vae`: Mult-VAE (Liang et al., Variational Autoencoders for Collaborative Filtering, WWW 2018).
- `denoiser`: a part of each person's ratings is hidden, and the network learns from the hidden ones alone, as it will be used: what it
  has seen, it need not guess (after Wu et al., Collaborative Denoising Auto-Encoders, WSDM 2016, and Strub and Mary, Collaborative Filtering with
  Stacked Denoising AutoEncoders and Sparse Inputs, 2015). It is told which are known, dislikes as well as likes.

Residuals are ratings less what their thing usually gets, in deviations; what a gap holds is never looked at.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

BATCH = 256
RATE = 2e-3  # the largest learning rate; it rises to it and falls to nothing
DECAY = 0.1
TOLD = 25  # steps after which it is told how far they are
ANNEALED = 0.4  # share of the steps of a Mult-VAE over which the weight of its KL divergence rises
Weights = dict[str, NDArray[np.float32]]
Rows = NDArray[np.float32]
Tell = Callable[[float], None]


def _chain(sizes: Sequence[int], dropout: float = 0.0, between: type[nn.Module] = nn.Tanh) -> nn.Sequential:
    """Dense layers of these sizes, each but the last with an activation."""
    layers: list[nn.Module] = []
    for given, out in pairwise(sizes[:-1]):
        layers += [nn.Linear(given, out), between(), nn.Dropout(dropout)]
    return nn.Sequential(*layers, nn.Linear(sizes[-2], sizes[-1]))


def _weights(**parts: nn.Sequential) -> Weights:
    """The weights of dense layers, named "part.0.weight", "part.0.bias", "part.1.weight" …"""
    out: Weights = {}
    for name, part in parts.items():
        dense = (one for one in part if isinstance(one, nn.Linear))
        for i, one in enumerate(dense):
            out[f"{name}.{i}.weight"] = one.weight.detach().numpy().copy()
            out[f"{name}.{i}.bias"] = one.bias.detach().numpy().copy()
    return out


def _descend(
    parts: Sequence[nn.Module],
    count: int,
    steps: int,
    seed: int,
    loss_of: Callable[[Tensor, torch.Generator, float], Tensor],
    tell: Tell,
    decay: float = DECAY,
) -> None:
    """So many steps of AdamW on batches of `count` rows. loss_of(rows (B,), random, the share of steps done)."""
    torch.set_num_threads(1)
    random = torch.Generator().manual_seed(seed)
    weights = [weight for part in parts for weight in part.parameters()]
    optimizer = torch.optim.AdamW(weights, RATE, weight_decay=decay)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, RATE, steps, pct_start=0.1)
    order = torch.randperm(count, generator=random)
    at = 0
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)  # for dropout, which takes no generator
        for step in range(steps):
            if at + min(BATCH, count) > count:
                order, at = torch.randperm(count, generator=random), 0
            loss = loss_of(order[at : at + BATCH], random, step / steps)
            at += BATCH
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            optimizer.step()
            schedule.step()
            if step % TOLD == 0:
                tell(step / steps)
    for part in parts:
        part.eval()


def autorec(residuals: Rows, known: Rows, *, width: int, decay: float, steps: int, seed: int, tell: Tell) -> Weights:
    """AutoRec by person: one hidden layer of sigmoids, zeros for gaps, the squared error of all that is known.

    residuals, known (N, I), 1 where there is a rating. Weights of one part, "net", with sigmoids.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        net = _chain((residuals.shape[1], width, residuals.shape[1]), between=nn.Sigmoid)
    given, there = torch.from_numpy(residuals), torch.from_numpy(known)

    def loss_of(rows: Tensor, _random: torch.Generator, _share: float) -> Tensor:
        error = (net(given[rows]) - given[rows]).square() * there[rows]
        found: Tensor = error.sum() / there[rows].sum().clamp(min=1)
        return found

    _descend([net], len(residuals), steps, seed, loss_of, tell, decay)
    return _weights(net=net)


def mult_vae(likes: Rows, *, width: int, code_size: int, beta: float, steps: int, seed: int, tell: Tell) -> Weights:
    """Mult-VAE: the multinomial likelihood of what was liked, of likes (N, I) of 0 and 1; the weight of the KL divergence rises to
    beta. Weights of "encoder", which gives mean and log variance, and "decoder"."""
    things = likes.shape[1]
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        encoder, decoder = _chain((things, width, 2 * code_size)), _chain((code_size, width, things))
    liked = torch.from_numpy(likes)

    def loss_of(rows: Tensor, random: torch.Generator, share: float) -> Tensor:
        x = liked[rows]
        kept = (torch.rand(x.shape, generator=random) >= 0.5).float() / 0.5
        mean, log_variance = encoder(functional.normalize(x, dim=1) * kept).chunk(2, 1)
        noise = torch.randn(mean.shape, generator=random)
        found = functional.log_softmax(decoder(mean + noise * (log_variance / 2).exp()), 1)
        kl = 0.5 * (log_variance.exp() + mean.square() - 1 - log_variance).sum(1).mean()
        lost: Tensor = -(found * x).sum(1).mean() + beta * min(1.0, share / ANNEALED) * kl
        return lost

    _descend([encoder, decoder], len(likes), steps, seed, loss_of, tell, 0.01)
    return _weights(encoder=encoder, decoder=decoder)


def denoiser(
    residuals: Rows,
    known: Rows,
    likes: Rows | None = None,
    *,
    width: int,
    code_size: int | None = None,
    dropout: float,
    hidden: tuple[float, float],
    damping: float,
    steps: int,
    seed: int,
    tell: Tell,
) -> Weights:
    """A network that guesses the hidden ratings, or without code_size and with likes (N, I) which of the things without a rating in its
    input are liked (the multinomial likelihood over these).

    hidden: between which shares of a person's ratings are hidden. damping: of a person's mean, see `models.analysis.recommending.Centre`.
    Weights of "net", or of "encoder" and "decoder" with a linear code between them where there is a code_size.
    """
    things = residuals.shape[1]
    wide = things * (2 if likes is None else 3)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        if code_size is None:
            parts = [_chain((wide, width, width, things), dropout)]
        else:
            parts = [_chain((wide, width, code_size), dropout), _chain((code_size, width, things), dropout)]
    given, there = torch.from_numpy(residuals), torch.from_numpy(known)
    liked = None if likes is None else torch.from_numpy(likes)
    low, high = hidden

    def loss_of(rows: Tensor, random: torch.Generator, _share: float) -> Tensor:
        x, m = given[rows], there[rows]
        share = low + (high - low) * torch.rand(len(rows), 1, generator=random)
        seen = (torch.rand(x.shape, generator=random) >= share).float() * m
        usual = (x * seen).sum(1, keepdim=True) / (seen.sum(1, keepdim=True) + damping)
        told = [(x - usual) * seen, seen]
        if liked is not None:
            told.append(liked[rows] * seen)
        out = torch.cat(told, 1)
        for part in parts:
            out = part(out)
        if liked is None:
            left = m - seen
            return ((out + usual - x).square() * left).sum() / left.sum().clamp(min=1)
        left = liked[rows] * (1 - seen)
        return -(functional.log_softmax(out - 1e4 * seen, 1) * left).sum() / left.sum().clamp(min=1)

    _descend(parts, len(residuals), steps, seed, loss_of, tell)
    return _weights(net=parts[0]) if code_size is None else _weights(encoder=parts[0], decoder=parts[1])

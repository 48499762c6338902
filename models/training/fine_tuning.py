"""A run's encoder as a classifier: from scratch, pre-trained as the run was, and pre-trained layer by layer.

What unsupervised pre-training is worth where few samples have labels (Hinton and Salakhutdinov 2006; Erhan et al. 2010).
Layer by layer, each layer learns for itself to give back what entered it (Bengio et al. 2007), then all learn together.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.torch import load_file
from torch import Tensor, nn
from torch.nn import functional

from models.codes import to_float
from models.runs import Run, networks

STEPS, LOOKS = 600, 30  # of a training, and how often it is judged
BATCH, RATE = 32, 1e-3  # of Adam, for all three alike
LAYER_STEPS, LAYER_BATCH = 300, 256  # that a layer learns alone
DENSE = (nn.Flatten, nn.Linear, nn.LayerNorm, nn.ReLU, nn.GELU, nn.Sigmoid, nn.Dropout)
WAYS = {
    "scratch": "from scratch",
    "pre-trained": "pre-trained as this run",
    "greedy": "pre-trained layer by layer",
}


@dataclass(frozen=True)
class Curve:
    """How one way went: share right of validation and test samples (DRAWS, LOOKS + 1) each, before the first step and after
    every `STEPS` / `LOOKS` steps."""

    validation: NDArray[np.float64]
    test: NDArray[np.float64]

    @property
    def best(self) -> NDArray[np.float64]:
        """The share right of test samples (DRAWS,) where that of validation samples was highest, the first of several."""
        at = self.validation.argmax(1)
        return np.asarray(self.test[np.arange(len(at)), at])


class Classifier(nn.Module):
    """An encoder, and a linear layer from its code to the classes."""

    def __init__(self, encoder: nn.Module, code_size: int, classes: int) -> None:
        super().__init__()
        self.encoder, self.code_size = encoder, code_size
        self.head = nn.Linear(code_size, classes)

    def forward(self, x: Tensor) -> Tensor:
        """(B, *shape) to what speaks for each class (B, C); of a variational encoder the means count."""
        out: Tensor = self.head(self.encoder(x)[:, : self.code_size])
        return out


def encoders(run: Run, unlabelled: NDArray[np.generic], told: Callable[[str, float], None]) -> dict[str, nn.Module]:
    """The encoder of each of `WAYS`, before it meets a label; layer by layer only where all layers are dense."""
    blueprint = networks.blueprint(run)
    if blueprint is None:
        raise ValueError("the architecture of this run is not here any more")
    torch.set_num_threads(1)
    torch.manual_seed(run.configuration.seed)
    fresh = blueprint.build().encoder
    weights = load_file(run.folder / "weights.safetensors")
    trained = copy.deepcopy(fresh)
    trained.load_state_dict(
        {k.removeprefix("encoder."): v.float() for k, v in weights.items() if k.startswith("encoder.")}
    )
    out: dict[str, nn.Module] = {"scratch": fresh, "pre-trained": trained}
    greedy = copy.deepcopy(fresh)
    if (chain := _chain(greedy)) is not None:
        _layer_by_layer(chain, torch.from_numpy(to_float(unlabelled)), told)
        out["greedy"] = greedy
    return out


def _chain(encoder: nn.Module) -> list[nn.Module] | None:
    """The layers of an encoder one after the other; None where some are not dense. Of ways beside each other it is the
    first, and the others begin at nothing."""
    out: list[nn.Module] = []
    for module in encoder.children():
        if isinstance(module, nn.ModuleList):
            first, *others = module
            for other in others:
                for weight in other.parameters():
                    nn.init.zeros_(weight)
            inner = _chain(first)
            if inner is None:
                return None
            out += inner
        else:
            out.append(module)
    return out if all(isinstance(module, DENSE) for module in out) else None


def _layer_by_layer(chain: list[nn.Module], x: Tensor, told: Callable[[str, float], None]) -> None:
    """Have each dense layer, with what follows it, learn to give back what enters it, with a linear decoder of its own."""
    starts = [i for i, module in enumerate(chain) if isinstance(module, nn.Linear)]
    with torch.no_grad():
        for module in chain[: starts[0]]:
            x = module(x)
    source = torch.Generator().manual_seed(0)
    for i, start in enumerate(starts):
        end = [*starts, len(chain)][i + 1]
        layer = nn.Sequential(*chain[start:end])
        with torch.no_grad():
            back = nn.Linear(layer(x[:2]).shape[1], x.shape[1])
            back.bias.copy_(x.mean(0))
        adam = torch.optim.Adam([*layer.parameters(), *back.parameters()], RATE)
        for step in range(LAYER_STEPS):
            some = x[torch.randint(len(x), (min(LAYER_BATCH, len(x)),), generator=source)]
            loss = functional.mse_loss(back(layer(some)), some)
            adam.zero_grad()
            loss.backward()
            adam.step()
            if step % 20 == 0:
                told(f"layer {i + 1} learns alone", (i + step / LAYER_STEPS) / len(starts))
        with torch.no_grad():
            x = torch.cat([layer(part) for part in x.split(1000)])


def learn(
    begun: dict[str, nn.Module],
    code_size: int,
    samples: NDArray[np.generic],
    labels: NDArray[np.int64],
    draws: list[NDArray[np.int64]],
    judged: list[tuple[NDArray[np.generic], NDArray[np.int64]]],
    told: Callable[[float, dict[str, list[float]]], None],
) -> dict[str, Curve]:
    """Train a classifier of each encoder on each draw of labelled samples, all side by side.

    samples (N, *shape) and labels (N,) from 0 up; draws: places in these; judged: validation and test samples with their
    labels. told: the share done, and how each way went so far, as shares of validation samples right.
    """
    classes = int(labels.max()) + 1
    pairs = [(torch.from_numpy(to_float(x)), torch.from_numpy(y)) for x, y in judged]
    shares: dict[str, list[list[list[float]]]] = {way: [[], []] for way in begun}
    for d, draw in enumerate(draws):
        given, truth = torch.from_numpy(to_float(samples[draw])), torch.from_numpy(labels[draw])
        models: dict[str, tuple[Classifier, Any, torch.Generator]] = {}
        for way, encoder in begun.items():
            torch.manual_seed(d)  # the head begins alike
            model = Classifier(copy.deepcopy(encoder), code_size, classes)
            models[way] = model, torch.optim.Adam(model.parameters(), RATE), torch.Generator().manual_seed(d)
            for part in shares[way]:
                part.append([])
        for look in range(LOOKS + 1):
            for way, (model, adam, source) in models.items():
                if look:
                    _steps(model, adam, given, truth, source)
                for part, (x, y) in zip(shares[way], pairs, strict=True):
                    part[-1].append(_right(model, x, y))
            so_far = {way: np.mean([one[: look + 1] for one in part[0]], 0).tolist() for way, part in shares.items()}
            told((d + (look + 1) / (LOOKS + 1)) / len(draws), so_far)
    return {way: Curve(*(np.array(part) for part in parts)) for way, parts in shares.items()}


def _steps(model: nn.Module, adam: torch.optim.Optimizer, x: Tensor, y: Tensor, source: torch.Generator) -> None:
    model.train()
    for _ in range(STEPS // LOOKS):
        some = torch.randperm(len(x), generator=source)[:BATCH]
        loss = functional.cross_entropy(model(x[some]), y[some])
        adam.zero_grad()
        loss.backward()
        adam.step()


@torch.no_grad()
def _right(model: nn.Module, x: Tensor, y: Tensor) -> float:
    model.eval()
    return float(
        torch.cat([model(part).argmax(1) == truth for part, truth in zip(x.split(1000), y.split(1000), strict=True)])
        .float()
        .mean()
    )

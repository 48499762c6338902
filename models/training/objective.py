"""What a training lowers: the loss of a batch, term by term, and its mean over a split."""

from __future__ import annotations

import torch
from torch import Tensor

from models import losses, noise
from models.datasets import Dataset
from models.runs import Configuration
from models.training.augmentation import distorted, mixed, shifted
from models.training.network import Network, drawn_from
from models.training.reconstruction import RECONSTRUCTION


class Objective:
    """The loss of a configuration with its network on a dataset.

    others: the terms beside the reconstruction's.
    """

    def __init__(self, configuration: Configuration, dataset: Dataset, network: Network) -> None:
        self.configuration, self.dataset, self.network = configuration, dataset, network
        self.others = losses.used(configuration, dataset.kind, network.variational)

    def terms(self, stored: Tensor, seed: int, learning: Network | None = None) -> dict[str, Tensor]:
        """Each term of the loss for a batch of stored samples, in the units that `history.jsonl` keeps.

        learning is the copy that a step is computed with: it decodes a draw from the code's distribution instead of its
        mean, and images are moved where that is chosen. Without it the same seed gives the same terms.
        """
        chosen, train, network = self.configuration, learning is not None, learning or self.network
        if train and chosen.mixing:
            stored = mixed(stored, chosen.mixing, seed)
        if train and chosen.shift:
            stored = shifted(stored, chosen.shift, seed)
        if train and chosen.distortion:
            stored = distorted(stored, chosen.distortion, seed)
        clean, given = self.given(stored, seed)
        given.requires_grad_(any(term.input_gradient for term in self.others))
        mean, log_variance = network.encode(given)
        code = mean
        if log_variance is not None and train:
            code = drawn_from(mean, log_variance)
        for term in self.others:
            if term.disturb is not None:
                code = term.disturb(code, None if train else seed)
        out = network.decode(code)
        error = RECONSTRUCTION[chosen.loss](out, clean)
        terms = {"reconstruction": error if log_variance is not None else error / self.dataset.size}
        batch = losses.Batch(chosen, clean, given, mean, log_variance, code, out, None if train else seed)
        for term in self.others:
            terms[term.name] = term.compute(batch)
        return terms

    def given(self, stored: Tensor, seed: int) -> tuple[Tensor, Tensor]:
        """Stored samples as the clean target and as the, perhaps corrupted, input."""
        clean = stored.float().div_(255) if stored.dtype == torch.uint8 else stored
        chosen = self.configuration
        given = clean
        if chosen.noise != "none":
            given = torch.from_numpy(noise.corrupt(clean.numpy(), chosen.noise, chosen.noise_level, seed))
        return clean.to(self.network.device), given.to(self.network.device)

    def mean(self, stored: Tensor) -> float:
        """The mean of the whole loss over these stored samples, with the code's mean decoded instead of a draw.
        A term that disturbs codes does so here, too.

        The same samples give the same mean.
        """
        chosen, size, sums = self.configuration, 1000, 0.0
        if any(term.compares_samples for term in self.others):
            size = chosen.batch_size  # on which the value of such a term depends: as in training
        derivative = any(term.input_gradient for term in self.others)
        for i, part in enumerate(stored.split(size)):
            with torch.set_grad_enabled(derivative):
                sums += float(total(self.terms(part, seed=i), chosen).detach()) * len(part)
        return sums / len(stored)


def total(terms: dict[str, Tensor], configuration: Configuration, annealing: float = 1.0) -> Tensor:
    """The number that is lowered: the sum of the terms, each times its weight (`Configuration.weights`)."""
    weights = configuration.weights(annealing)
    return torch.stack([weights[name] * value for name, value in terms.items()]).sum()


def add(sums: dict[str, Tensor], terms: dict[str, Tensor], count: int) -> None:
    """Add the terms of a batch of so many samples to the sums over samples."""
    for name, value in terms.items():
        sums[name] = sums.get(name, 0.0) + value.detach() * count

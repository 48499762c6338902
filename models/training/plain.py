"""Networks that are trained within an answer and make no run: that of a run without its noise, to stand beside it."""

from __future__ import annotations

import dataclasses
import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch

from models import architectures, datasets
from models.codes import Floats
from models.datasets import Dataset
from models.runs import Configuration, Run
from models.training.loop import Training
from models.training.report import Report

PRODUCTS = 2.5e11  # at most: about 10 seconds of one core


class Told(Report):
    """A report that hands on how far a training is; `tell` raises where nobody waits for it any more."""

    def __init__(self, folder: Path, configuration: Configuration, tell: Callable[[float], None]) -> None:
        self.tell = tell
        super().__init__(folder, configuration, 1)

    def look(self) -> bool:
        """Never asked to end but by an exception."""
        keep = super().look()
        self.tell(self.epoch / max(1, self.epochs))
        return keep


def epochs_for(run: Run) -> int:
    """How many epochs of this run's training are few enough to wait for: at most all of them, at least one."""
    blueprint = architectures.get(run.configuration.architecture).blueprint(run.kind, run.shape, run.code_size)
    train = int((run.dataset.splits() == datasets.TRAIN).sum())
    return max(1, min(run.card.training.epochs, int(PRODUCTS / (3 * train * blueprint.products))))


def without_noise(run: Run, epochs: int) -> Configuration:
    """What the run was trained with, but for its noise and for how long. A `Problem` where that cannot be trained any more."""
    return dataclasses.replace(
        run.configuration,
        noise="none",
        noise_level=0.0,
        epochs=epochs,
        seconds=0.0,
        steps=0,
        steady=0,
        stopped_after=None,
        cooled=0,
    ).check()


def trained(
    configuration: Configuration, dataset: Dataset, tell: Callable[[float], None]
) -> Callable[[Floats], Floats]:
    """Train this, keep no run, and give what becomes of samples (N, *shape) in the network. Needs the dataset."""
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as name, torch.random.fork_rng(devices=[]):
        folder = Path(name)
        report = Told(folder, configuration, tell)
        torch.manual_seed(configuration.seed)
        device = torch.device("cpu")
        work = Training(configuration, dataset, datasets.arrays(dataset), folder, report, device)
        work.run()

    @torch.no_grad()
    def clean(given: Floats) -> Floats:
        parts = torch.from_numpy(np.ascontiguousarray(given, np.float32)).split(500)
        return np.concatenate([work.network.decode(work.network.encode(part)[0]).numpy() for part in parts])

    return clean

"""Who judges whether drawn samples look like real ones: a small network, in whose features they are compared.

For digits and clothes its weights ship, so that a Frechet distance here is the same number everywhere (as with FID-MNIST).
Elsewhere it is trained on the training samples, to tell classes and known factors; where there are neither, the encoder of
another run of the same dataset judges, or PCA. `python -m models.labs._judge NAME` makes the weights that ship.
"""

from __future__ import annotations

import gzip
import hashlib
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from models import Problem, datasets, runs
from models.analysis import metrics
from models.codes import Floats, to_float
from models.datasets import TRAIN, Dataset
from models.runs import Run

if TYPE_CHECKING:
    from models.training.reader import Reader

FOLDER = Path(__file__).parent / "judges"
CHANNELS, SMALLEST, FEATURES = (16, 32, 48, 48, 48, 48), 4, 64
LABELLED = 50  # training samples with a label that it learns from, at least
COMPONENTS = 32  # of PCA, where nothing else can judge
LEARNT = (
    20_000  # training samples that are looked at where there are factors, at most: so many batches are not seen twice
)


@dataclass(frozen=True)
class Judge:
    """title: who it is, as words behind "by". digest: 16 hex digits of its weights. features: samples (N, *shape) as models
    see them become (N, K). reader: what tells classes, then factors, None where neither is known; factors: names of these,
    with mean and deviation (F,) in their own units."""

    title: str
    digest: str
    features: Callable[[Floats], Floats]
    reader: Reader | None = None
    classes: int = 0
    factors: tuple[str, ...] = ()
    mean: Floats | None = None
    deviation: Floats | None = None

    def read(self, samples: Floats) -> NDArray[np.int64]:
        """The class of each sample (N,)."""
        assert self.reader is not None
        return self.reader.read(samples, self.classes)

    def factors_of(self, samples: Floats) -> Floats:
        """The factors (N, F) of samples, each in standard deviations from its mean."""
        assert self.reader is not None
        return self.reader.logits(samples)[:, self.classes :]


def of(run: Run, tell: Callable[[float], None]) -> Judge:
    """The judge of a run's dataset. tell is given the share that is done, and may raise."""
    dataset = run.dataset
    if (FOLDER / f"{dataset.name}.safetensors.gz").is_file():
        return shipped(dataset)
    content, train = datasets.arrays(dataset), np.flatnonzero(dataset.splits() == TRAIN)
    labels = np.asarray(content.labels[train], np.int32)
    counts = np.bincount(labels[labels >= 0], minlength=1)
    classes = len(dataset.classes) if (counts > 1).sum() > 1 and counts.sum() >= LABELLED else 0
    names, values = known_factors(dataset, content.factors[train], labels)
    if classes or names:
        return _trained(
            dataset, content, train, labels if classes else np.full_like(labels, -1), classes, names, values, tell
        )
    others = [one for one in runs.find()[0] if one.card.dataset.fingerprint == dataset.fingerprint and one.id != run.id]
    if others:
        other = runs.open_run(max(others, key=lambda one: (one.code_size, one.id)).folder)
        return Judge(f"the encoder of another run ({other.code_size} numbers)", other.digest, other.coder.encode)
    plane = metrics.fit_pca(np.asarray(content.samples[train[:5000]]), COMPONENTS)
    digest = hashlib.sha256(plane.components.tobytes()).hexdigest()[:16]
    return Judge(f"PCA ({len(plane.components)} numbers)", digest, lambda x: plane.project(x.reshape(len(x), -1)))


def known_factors(dataset: Dataset, factors: Floats, labels: NDArray[np.int32]) -> tuple[tuple[str, ...], Floats]:
    """The factors that are numbers which vary, and no second name for the classes: their names and values (N, F)."""
    kept = [
        k
        for k in range(len(dataset.factors))
        if np.ptp(factors[:, k]) > 0 and not np.array_equal(factors[:, k], labels.astype(factors.dtype))
    ]
    return tuple(dataset.factors[k] for k in kept), np.asarray(factors[:, kept], np.float32)


def _trained(
    dataset: Dataset,
    content: datasets.Arrays,
    train: NDArray[np.int64],
    labels: NDArray[np.int32],
    classes: int,
    names: tuple[str, ...],
    values: Floats,
    tell: Callable[[float], None],
) -> Judge:
    from models.training import reader

    few = slice(0, LEARNT if names else None)
    stored, values = np.asarray(content.samples[train[few]]), values[few]
    mean, deviation = values.mean(0), np.maximum(values.std(0), 1e-6)
    parts = reader.layers(dataset.shape, classes + len(names), CHANNELS, SMALLEST, FEATURES)
    found = reader.train(
        stored, labels[few], classes, tell, parts=parts, factors=(values - mean) / deviation if names else None
    )
    what = " and ".join(["classes"] * bool(classes) + ["factors"] * bool(names))
    weights = b"".join(value.tobytes() for value in found.weights.values())
    digest = hashlib.sha256(weights).hexdigest()[:16]
    title = f"a small network that was trained here to tell {what}"
    return Judge(title, digest, found.features, found, classes, names, mean, deviation)


# Weights that ship


def shipped(dataset: Dataset) -> Judge:
    """The judge whose weights ship."""
    import torch
    from safetensors.numpy import load

    from models.layers import sequence
    from models.training import reader

    packed = (FOLDER / f"{dataset.name}.safetensors.gz").read_bytes()
    content = gzip.decompress(packed)
    stored = load(content)
    classes = len(dataset.classes)
    parts = reader.layers(dataset.shape, classes, CHANNELS, SMALLEST, FEATURES)
    module = sequence(parts, dataset.shape)
    weights = {
        name.removeprefix(f"{reader.NAME}."): torch.from_numpy(_whole(stored, name))
        for name in stored
        if not name.endswith(".scale")
    }
    module.load_state_dict(weights)
    module.eval()
    found = reader.Reader(dataset.shape, parts, module)
    digest = hashlib.sha256(content).hexdigest()[:16]
    return Judge("a small network whose weights ship", digest, found.features, found, classes)


def _whole(stored: dict[str, NDArray[np.generic]], name: str) -> Floats:
    """A weight as float32: those of 8 bits are multiplied by a scale for each output."""
    values = np.asarray(stored[name], np.float32)
    scale = stored.get(f"{name}.scale")
    return values if scale is None else values * np.asarray(scale, np.float32).reshape(-1, *[1] * (values.ndim - 1))


def make(name: str) -> float:
    """Train the judge of a dataset, write its weights in 8 bits, and give the share of validation samples that it reads
    correctly as it ships."""
    from safetensors.numpy import save

    from models.training import reader

    dataset = datasets.get(name)
    content, splits = datasets.arrays(dataset), dataset.splits()
    train, held = np.flatnonzero(splits == TRAIN), np.flatnonzero(splits == datasets.VALIDATION)
    parts = reader.layers(dataset.shape, len(dataset.classes), CHANNELS, SMALLEST, FEATURES)
    labels = np.asarray(content.labels[train], np.int32)
    found = reader.train(
        np.asarray(content.samples[train]), labels, len(dataset.classes), lambda _share: None, parts=parts
    )
    arrays: dict[str, NDArray[np.generic]] = {}
    for weight, values in found.weights.items():
        if values.ndim == 1:
            arrays[weight] = values.astype(np.float16)
            continue
        scale = np.abs(values.reshape(len(values), -1)).max(1) / 127
        arrays[weight] = np.rint(values / scale.reshape(-1, *[1] * (values.ndim - 1))).astype(np.int8)
        arrays[f"{weight}.scale"] = scale.astype(np.float32)
    FOLDER.mkdir(exist_ok=True)
    (FOLDER / f"{name}.safetensors.gz").write_bytes(gzip.compress(save(arrays), 9, mtime=0))
    judge = shipped(dataset)
    return float((judge.read(to_float(np.asarray(content.samples[held]))) == content.labels[held]).mean())


if __name__ == "__main__":
    for asked in sys.argv[1:]:
        try:
            print(f"{asked}: reads {make(asked):.2%} of the validation samples correctly")
        except Problem as problem:
            sys.exit(str(problem))

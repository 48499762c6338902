"""A finished run, read from its folder."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models import PRETRAINED, datasets, density, kinds, uploads
from models.codes import Coder, Plane
from models.columns import Column, from_plain, numbered
from models.density import Density
from models.readers.limits import LIMITS
from models.runs.configuration import Configuration
from models.runs.facts import RunCard
from models.runs.format import finite

ONLY_MEAN = 0.95  # of the mean sample's error: what does no better has learnt the mean sample and nothing else

UNLABELLED = "no label"  # what the class of a sample is called that has none, in a dataset that has classes


@dataclass(frozen=True)
class Run:
    """A finished run, read from its folder. Arrays are memory-mapped; nothing is loaded before it is asked for."""

    folder: Path
    card: RunCard = field(compare=False)  # the digest is its own
    digest: str

    @property
    def id(self) -> str:
        return self.card.id

    @property
    def url(self) -> str:
        """Where the web process serves this run, relative to the app's own address."""
        return f"run/{self.id}/{self.digest}"

    @property
    def pretrained(self) -> bool:
        return self.folder.parent == PRETRAINED

    @property
    def title(self) -> str:
        """A few words that tell this run from others."""
        chosen = self.configuration
        noise = "" if chosen.noise == "none" else f", {chosen.noise} noise"
        architecture = self.card.architecture.title + chosen.called
        return f"{self.card.dataset.title} · {architecture} · D = {self.code_size}{noise}"

    @property
    def configuration(self) -> Configuration:
        return self.card.configuration

    @property
    def shape(self) -> tuple[int, ...]:
        return self.card.dataset.shape

    @property
    def kind(self) -> str:
        """image, signal or table."""
        return self.card.dataset.kind

    @property
    def classes(self) -> tuple[str, ...]:
        return self.card.dataset.classes

    def class_names(self, labels: Iterable[int]) -> list[str]:
        """The classes of labels by their names; a label of -1 is "no label"."""
        return [self.classes[label] if label >= 0 else UNLABELLED for label in labels]

    @cached_property
    def columns(self) -> tuple[Column, ...]:
        """What the features of a row or the channels of a signal are; none for images."""
        if kinds.get(self.kind).pixels:
            return ()
        return from_plain(self.stored_columns) or numbered(self.kind, self.shape)

    @cached_property
    def stored_columns(self) -> list[dict[str, Any]]:
        """Columns as they are stored; none where the run knows nothing of them."""
        if "columns.json" not in self.card.files:
            return list(self.card.dataset.columns or ())  # as the first runs have them
        path = self.folder / "columns.json"
        if (size := path.stat().st_size) > LIMITS.table:
            raise ValueError(f"columns.json has {size:,} bytes, at most {LIMITS.table:,} are allowed")
        return list(json.loads(path.read_bytes(), parse_float=finite, parse_constant=finite))

    @property
    def code_size(self) -> int:
        return self.card.codes.size

    @property
    def count(self) -> int:
        return self.card.codes.count

    @property
    def variational(self) -> bool:
        return self.card.architecture.variational

    @cached_property
    def codes(self) -> NDArray[np.float32]:
        return self._array("codes.f32", np.float32, (self.count, self.code_size))

    @cached_property
    def rows(self) -> NDArray[np.int32]:
        return self._array("rows.i32", np.int32, (self.count,))

    @cached_property
    def labels(self) -> NDArray[np.int32]:
        return self._array("labels.i32", np.int32, (self.count,))

    @cached_property
    def errors(self) -> NDArray[np.float32]:
        return self._array("errors.f32", np.float32, (self.count,))

    @cached_property
    def factors(self) -> NDArray[np.float32]:
        k = len(self.card.dataset.factors)
        return self._array("factors.f32", np.float32, (self.count, k)) if k else np.zeros((self.count, 0), np.float32)

    @property
    def dataset(self) -> datasets.Dataset:
        """Its dataset. Where it was somebody's own and is deleted since, what run.json says of it: reading that is a
        `Problem`. A `Problem` as well for a dataset that this version does not know."""
        name = self.configuration.dataset
        if uploads.own(name):
            return uploads.dataset(name) or self.deleted_dataset
        return datasets.get(name)

    @property
    def deleted_dataset(self) -> datasets.Dataset:
        """What the run knows of its dataset, where that was somebody's own and is deleted; reading it is a `Problem`."""
        known = self.card.dataset
        return uploads.described(
            known.name,
            known.kind,
            known.shape,
            known.count,
            title=known.title,
            summary="Deleted since.",
            classes=known.classes,
            source=known.source,
            columns=from_plain(self.stored_columns),
        )

    @cached_property
    def splits(self) -> NDArray[np.uint8]:
        """The split of each stored code (M,), by the dataset's own rule."""
        if "splits.u8" in self.card.files:
            return self._array("splits.u8", np.uint8, (self.count,))
        return self.dataset.splits()[self.rows]

    @cached_property
    def coder(self) -> Coder:
        return Coder(self.folder)

    @cached_property
    def pca(self) -> Plane | None:
        """The stored plane of largest variance, None when the code has fewer than three dimensions."""
        stored = self.card.projections.pca
        return Plane(np.array(stored.mean, np.float32), np.array(stored.components, np.float32)) if stored else None

    @cached_property
    def tsne(self) -> tuple[NDArray[np.float32], NDArray[np.int32]] | None:
        """Stored t-SNE positions (K, 2) and the places of their codes (K,), None when there are none."""
        stored = self.card.projections.tsne
        if not stored:
            return None
        k = stored.count
        return (
            self._array("projections/tsne.f32", np.float32, (k, 2)),
            self._array("projections/tsne-index.i32", np.int32, (k,)),
        )

    @cached_property
    def umap(self) -> NDArray[np.float32] | None:
        """Stored UMAP positions (K, 2) of the codes that the t-SNE shows, None when there are none."""
        stored = self.card.projections.tsne
        there = stored and "projections/umap.f32" in self.card.files
        return self._array("projections/umap.f32", np.float32, (stored.count, 2)) if stored and there else None

    @cached_property
    def density(self) -> Density:
        """How its codes are spread. Of a run without such a file, or with one that cannot be read, one normal distribution."""
        found = density.stored(self.folder / density.FILE, self.code_size)
        return density.gaussian(np.asarray(self.codes)) if found is None else found

    @cached_property
    def baseline(self) -> Plane:
        """PCA of the training samples at the same code size, as mean (F,) and components (D', F)."""
        from safetensors.numpy import load_file

        stored = load_file(self.folder / "baseline.safetensors")
        return Plane(stored["mean"], stored["components"])

    def metric(self, name: str, split: str = "test") -> float | None:
        """One measured number, None when it was not measured."""
        found = (m.value for m in self.card.metrics if m.name == name and m.split == split)
        return next(found, None)

    @property
    def only_mean(self) -> bool:
        """Whether it does hardly better than the mean training sample would; False in runs where that was not measured."""
        mse, mean = self.metric("mse"), self.metric("mean_mse")
        return mse is not None and mean is not None and mse >= ONLY_MEAN * mean

    def history(self) -> list[dict[str, Any]]:
        """A dict per epoch, as in history.jsonl."""
        return [json.loads(line) for line in (self.folder / "history.jsonl").read_text().splitlines()]

    def stored_card(self) -> dict[str, Any]:
        """run.json itself, with what this version does not know, for a copy that is sealed anew."""
        return dict(json.loads((self.folder / "run.json").read_bytes(), parse_float=finite, parse_constant=finite))

    def _array(self, name: str, kind: type, shape: tuple[int, ...]) -> NDArray[Any]:
        array = np.memmap(self.folder / name, kind, mode="r") if math.prod(shape) else np.zeros(0, kind)
        return np.asarray(array).reshape(shape)

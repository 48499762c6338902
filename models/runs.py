"""Runs: one training is one folder, and everything else reads that folder.

Format 1. All binary files are little-endian and contiguous; M is the number of stored codes, D the code size.

    run.json             what the run is (see below); its SHA-256 stands for the whole folder
    history.jsonl        a line for each epoch: {"epoch", "loss": {term: value}, "validation", "learning_rate", "samples_per_second", "seconds"}
    weights.safetensors  float32, or float16 for runs that ship; names "encoder.…" and "decoder.…"
    encoder.onnx         "sample" (B, *shape) float32 -> "code" (B, D), for a variational run also "log_variance" (B, D)
    decoder.onnx         "code" (B, D) float32 -> "sample" (B, *shape); both graphs keep their weights in
                         weights.safetensors (ONNX external data), so that no number is stored twice
    codes.f32            (M, D); for a variational run the mean
    rows.i32             (M,) the dataset's row of each code      labels.i32  (M,) -1 where unknown
    errors.f32           (M,) mean squared error per value of the sample
    factors.f32          (M, K), absent when K = 0
    splits.u8            (M,) train 0, validation 1, test 2; only where the data came split
    baseline.safetensors PCA of the samples at the same code size: "mean" (F,), "components" (D', F), D' = min(D, F, N)
    projections/pca.f32  (M, 2), D > 2 only      projections/tsne.f32  (K, 2) with projections/tsne-index.i32 (K,) into the M codes
    columns.json         of signals and tables: [{name, kind, start, width, mean, deviation, values}], see models/columns.py
    replay/codes.f32     (E, R, D) codes of R fixed samples after the epochs listed in run.json; replay/index.i32 (R,) into the M codes

run.json (1 MB at most, not counting columns; numbers are finite and within `FACTS`; absent things are null):

    format 1, id, recipe, configuration {…}, versions {package: version},
    dataset {name, title, fingerprint, kind, shape, classes, label, factors, count, source, licence; the first runs of
        format 1 have the columns here, too, and no columns.json}
    architecture {name, title, variational, parameters}
    codes {count, size, low [D], high [D], mean [D], variance [D], kl [D] | null, dead [D] of booleans, nearest_p99}
    projections {pca: {mean [D], components [2][D], explained [2]} | null, tsne: {count, perplexity} | null}
    replay {count, epochs [E]}      thumbnails {shape [h, w, C]} | null
    metrics [{name, title, split, count, value, unit}]
    training {epochs, best_epoch, seconds, samples_per_second, pca_validation (null where the loss is no error; young),
        device, machine, finished}
    files {name: {bytes, sha256}} for every other file of the folder

Over HTTP a run is /run/<id>/<digest>/<file>, digest being the first 16 hex digits of run.json's SHA-256: such an
address never changes its content. Two more names are served there without being stored, made from the dataset when
it is at hand, 404 when it is not: for images thumbnails.u8.gz, the M samples as gzipped uint8 (M, h, w, C); for
signals and tables samples.f32.gz, the first K <= M samples as gzipped float32 (K, *shape), K so that 64 MB hold them.
"""

from __future__ import annotations

import contextlib
import dataclasses
import hashlib
import io
import json
import logging
import math
import os
import re
import shutil
import tempfile
import threading
import time
import zipfile
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError

from models import PRETRAINED, Problem, architectures, datasets, home, private, unwritable, uploads
from models.architectures import MAX_CODE_SIZE
from models.codes import Coder, Plane
from models.columns import Column, from_plain, numbered, plain
from models.readers.limits import LIMITS, RUN

if TYPE_CHECKING:
    from models.readers.limits import Limits

FORMAT = 1
FRAMES = 24  # epochs kept for the replay, at most
REPLAYED = 1000  # codes that are kept of each of them, at most
RECIPE = 3  # raised by hand when the same configuration would train to another result
ID = re.compile(r"[0-9a-f]{16}")
MOST = 2**53  # the largest whole number up to which JSON means the same everywhere
HEADER = 1 << 20  # bytes of the table of a safetensors file, at most
VALUES = 2**26  # numbers of one sample, at most: a dataset of the least count that fills `LARGE.output` has fewer
REMEMBERED = 32 << 20  # bytes of run.json whose content `find` keeps in memory, at most
REQUIRED = (
    "history.jsonl",
    "weights.safetensors",
    "encoder.onnx",
    "decoder.onnx",
    "codes.f32",
    "rows.i32",
    "labels.i32",
    "errors.f32",
    "baseline.safetensors",
    "replay/codes.f32",
    "replay/index.i32",
)
OPTIONAL = (
    "factors.f32",
    "splits.u8",
    "projections/pca.f32",
    "projections/tsne.f32",
    "projections/tsne-index.i32",
    "columns.json",
    "card.md",
)
# What a folder holds while it grows, and not when it is finished.
WORKING = ("configuration.json", "control.json", "status.json", "strip.npy", "checkpoint.safetensors")
COOLING = "cooling down"  # what status.json says in the last seconds of a training that was stopped
NOISES = ("none", "gaussian", "salt-and-pepper", "masking", "watermark")
LOSSES = ("squared-error", "bernoulli")
RECIPES = ("hourglass", "open-ended", "article")
# Choices that came after the first runs.
YOUNG = ("contraction", "free_bits", "annealing", "shift", "total_correlation", "distortion", "cooled")
UNLABELLED = "no label"  # what the class of a sample is called that has none, in a dataset that has classes
NOISE_LEVEL = 0.3  # where a noise is chosen and no level
PAIRS = 2**25  # numbers that a batch's total correlation may take: each sample with every other, in each dimension
log = logging.getLogger("hourglass.runs")
RANGES: dict[str, tuple[float, float]] = {
    "noise_level": (0, 1),
    "epochs": (1, 10_000),
    "batch_size": (1, 8192),
    "learning_rate": (1e-6, 1),
    "beta": (0, 1000),
    "sparsity": (0, 1000),
    "contraction": (0, 1000),
    "free_bits": (0, 10),
    "annealing": (0, 1),
    "shift": (0, 8),
    "total_correlation": (0, 1000),
    "distortion": (0, 0.5),
    "seed": (0, 2**31 - 1),
}


@dataclass(frozen=True)
class Configuration:
    """Every choice that decides what a training gives. Equal configurations are the same run.

    noise_level: standard deviation (gaussian), share of values hit (salt-and-pepper, masking) or opacity
    (watermark), each in [0, 1]. beta weighs the KL term of a variational architecture (1 is the evidence lower
    bound). sparsity weighs the mean absolute code (L1), contraction the squared norm of the encoder's Jacobian (Rifai
    et al. 2011). For variational ones free_bits leaves so many nats of each dimension's KL unpunished (Kingma et al.
    2016) and annealing is the share of the training in which beta rises from 0 (Bowman et al. 2016);
    total_correlation weighs what the dimensions know of each other (Chen et al. 2018). shift moves each batch by up to
    so many pixels, another way at each step; distortion turns, shears and stretches images, by so large a standard
    deviation of each number of a 2x2 matrix. recipe: "hourglass" warms up and anneals the learning rate,
    starts the output at the mean sample and keeps the best epoch; "open-ended" is the same for a training whose end is
    not known, with a rate that falls slowly; "article" keeps Keras's habits (constant rate, last epoch).

    stopped_after is set when a person, or a limit of time, ended the training before its last epoch; cooled is then
    how many steps its last epoch had, where that was a cool-down. Nobody chooses these two, and how many steps a
    machine takes in the time of a cool-down is its own affair.
    """

    dataset: str
    architecture: str
    code_size: int = 2
    noise: str = "none"
    noise_level: float = 0.0
    epochs: int = 30
    batch_size: int = 128
    learning_rate: float = 0.004
    loss: str = "squared-error"
    beta: float = 1.0
    sparsity: float = 0.0
    recipe: str = "hourglass"
    seed: int = 0
    stopped_after: int | None = None
    contraction: float = 0.0
    free_bits: float = 0.0
    annealing: float = 0.0
    shift: int = 0
    total_correlation: float = 0.0
    distortion: float = 0.0
    cooled: int = 0

    @property
    def called(self) -> str:
        """What follows the architecture's name where the article's recipe trains it: one of its networks, or another."""
        if self.recipe != "article":
            return ""
        known = any(self.architecture == preset["architecture"] for preset in PRESETS.values())
        return " (article)" if known else " (article's recipe)"

    def weights(self, annealing: float = 1.0) -> dict[str, float]:
        """What each term of the loss is multiplied by, by its name. annealing is the share of beta that counts yet."""
        return {
            "reconstruction": 1.0,
            "kl": self.beta * annealing,
            "total_correlation": self.total_correlation * annealing,
            "sparsity": self.sparsity,
            "contraction": self.contraction,
        }

    def whole(self, loss: Mapping[str, float]) -> float:
        """The number that a training lowers, from the terms that history.jsonl keeps: what validation is measured in."""
        weights = self.weights()
        return sum(weights.get(name, 1.0) * value for name, value in loss.items())

    def canonical(self, recipe: int = RECIPE) -> str:
        """The configuration, the dataset's fingerprint and the recipe's version as one unambiguous line.

        A choice of `YOUNG` at its default is left out: runs from before there was such a choice keep their ids.
        """
        chosen = {
            field.name: getattr(self, field.name)
            for field in dataclasses.fields(self)
            if field.name not in YOUNG or getattr(self, field.name) != field.default
        }
        facts = {**chosen, "fingerprint": datasets.get(self.dataset).fingerprint, "recipe_version": recipe}
        return json.dumps(facts, sort_keys=True, separators=(",", ":"))

    @property
    def id(self) -> str:
        """16 hex digits: the first of the SHA-256 of `canonical()`."""
        return self.id_of(RECIPE)

    def id_of(self, recipe: int) -> str:
        """The id under an earlier version of the recipe: what was trained then stays what it is."""
        return hashlib.sha256(self.canonical(recipe).encode()).hexdigest()[:16]

    def check(self) -> Configuration:
        """The configuration itself when everything in it is known and in range; a `Problem` otherwise."""
        dataset, architecture = datasets.get(self.dataset), architectures.get(self.architecture)
        architecture.blueprint(dataset.kind, dataset.shape, self.code_size)
        for name, value, known in (
            ("noise", self.noise, NOISES),
            ("loss", self.loss, LOSSES),
            ("recipe", self.recipe, RECIPES),
        ):
            if value not in known:
                raise Problem(
                    f"{name} “{value}” is unknown", f"one of {', '.join(known)} was expected", "choose one of these"
                )
        if self.noise not in noises(dataset.kind):
            raise Problem(
                f"a watermark was asked for on samples of kind {dataset.kind}",
                "watermarks go on images",
                "choose another noise",
            )
        if self.loss not in losses(dataset.kind):
            raise Problem(
                f"the Bernoulli loss was asked for on samples of kind {dataset.kind}",
                "it needs values in [0, 1], as images have",
                "choose squared-error",
            )
        for name, (low, high) in RANGES.items():
            value = getattr(self, name)
            if not low <= value <= high:  # also catches NaN
                raise Problem(
                    f"{name.replace('_', ' ')} {value} was asked for",
                    f"{low:g} to {high:g} was expected",
                    "choose a value in that range",
                )
        pairs = self.batch_size**2 * self.code_size
        if architecture.variational and self.total_correlation and pairs > PAIRS:
            raise Problem(
                f"the total correlation of batches of {self.batch_size:,} at D = {self.code_size} was asked for",
                f"each sample is compared with every other in each dimension: {pairs:,} numbers, where {PAIRS:,} fit",
                f"choose batches of {math.isqrt(PAIRS // self.code_size):,} at most",
            )
        if architecture.variational and self.annealing and self.recipe == "open-ended":
            raise Problem(
                "annealed beta was asked for in a training without an end",
                "annealing takes a share of a training whose length is known",
                "choose a number of epochs or a time, or no annealing",
            )
        return self


def noises(kind: str) -> tuple[str, ...]:
    """The noises that go on samples of this kind."""
    return NOISES if kind == "image" else tuple(noise for noise in NOISES if noise != "watermark")


def losses(kind: str) -> tuple[str, ...]:
    """The losses that fit samples of this kind."""
    return LOSSES if kind == "image" else tuple(loss for loss in LOSSES if loss != "bernoulli")


def configuration(values: dict[str, Any]) -> Configuration:
    """A checked configuration from plain values (a URL, a form, a file). Unknown names are a `Problem`.

    What is absent takes the architecture's default where it fits the samples, then the general one; a noise without a
    level takes `NOISE_LEVEL`.
    """
    fields = {field.name: field for field in dataclasses.fields(Configuration)}
    if unknown := sorted(set(values) - set(fields)):
        raise Problem(
            f"the choices {', '.join(unknown)} are unknown",
            f"choices are {', '.join(fields)}",
            "leave the unknown ones out",
        )
    if absent := [name for name in ("dataset", "architecture") if not values.get(name)]:
        options = " and ".join(f"--{name}" for name in absent)
        raise Problem(
            f"no {' and no '.join(absent)} was chosen",
            "a training takes a dataset and an architecture",
            f"add {options}, or choose {'one' if len(absent) == 1 else 'one of each'}",
        )
    defaults = dict(architectures.get(str(values["architecture"])).defaults)
    if defaults.get("loss") not in losses(datasets.get(str(values["dataset"])).kind):
        defaults.pop("loss", None)
    chosen = {**defaults, **values}
    if values.get("noise", "none") != "none":
        chosen.setdefault("noise_level", NOISE_LEVEL)
    kinds: dict[str, Callable[[Any], Any]] = {
        "int": _whole,
        "float": float,
        "str": str,
        "int | None": lambda value: None if value is None else _whole(value),
    }
    cast = {}
    for name, value in chosen.items():
        try:
            cast[name] = kinds[str(fields[name].type)](value)
        except (TypeError, ValueError, OverflowError) as error:
            raise Problem(
                f"the choice {name} is not of its type ({error})",
                "a number was expected where one belongs",
                "correct the value",
            ) from error
    checked = Configuration(**cast).check()
    # What has no effect must not make another run of the same training.
    if checked.noise == "none" or not checked.noise_level:
        checked = dataclasses.replace(checked, noise="none", noise_level=0.0)
    if not architectures.get(checked.architecture).variational:
        checked = dataclasses.replace(
            checked, beta=Configuration.beta, free_bits=0.0, annealing=0.0, total_correlation=0.0
        )
    if datasets.get(checked.dataset).kind != "image":
        checked = dataclasses.replace(checked, shift=0, distortion=0.0)
    return checked


def recorded(values: dict[str, Any]) -> Configuration | None:
    """A configuration that was written down by this version or an earlier one, not checked against what is here now;
    None for one that this version does not understand, as a later one may have written it."""
    types = {"int": (int,), "float": (int, float), "str": (str,), "int | None": (int, type(None))}
    fields = {field.name: field for field in dataclasses.fields(Configuration)}
    for name, value in values.items():
        if name not in fields or isinstance(value, bool) or not isinstance(value, types[str(fields[name].type)]):
            return None
    return Configuration(**values) if {"dataset", "architecture"} <= set(values) else None


def _whole(value: Any) -> int:
    number = float(value)
    if not number.is_integer():
        raise ValueError(f"{value!r} is not a whole number")
    return int(number)


# The article's three networks with the article's habits: Keras's Adam at its default rate, mean squared error,
# ten epochs of shuffled batches of 256, and nothing of ours.
_ARTICLE: dict[str, Any] = {
    "recipe": "article",
    "epochs": 10,
    "batch_size": 256,
    "learning_rate": 0.001,
    "loss": "squared-error",
}
PRESETS: dict[str, dict[str, Any]] = {
    "Single-layer (article)": {**_ARTICLE, "architecture": "single-layer", "code_size": 56},
    "Multi-layer (article)": {**_ARTICLE, "architecture": "multi-layer", "code_size": 48},
    "Convolutional (article)": {**_ARTICLE, "architecture": "convolutional", "code_size": 48},
}


@dataclass(frozen=True)
class Run:
    """A finished run, read from its folder. Arrays are memory-mapped; nothing is loaded before it is asked for."""

    folder: Path
    about: dict[str, Any]
    digest: str

    @property
    def id(self) -> str:
        return str(self.about["id"])

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
        architecture = self.about["architecture"]["title"] + chosen.called
        return f"{self.about['dataset']['title']} · {architecture} · D = {self.code_size}{noise}"

    @cached_property
    def configuration(self) -> Configuration:
        known = {field.name for field in dataclasses.fields(Configuration)}
        return Configuration(**{name: value for name, value in self.about["configuration"].items() if name in known})

    @property
    def shape(self) -> tuple[int, ...]:
        return tuple(self.about["dataset"]["shape"])

    @property
    def kind(self) -> str:
        """image, signal or table."""
        return str(self.about["dataset"]["kind"])

    @property
    def classes(self) -> tuple[str, ...]:
        return tuple(self.about["dataset"]["classes"])

    def class_names(self, labels: Iterable[int]) -> list[str]:
        """The classes of labels by their names; a label of -1 is "no label"."""
        return [self.classes[label] if label >= 0 else UNLABELLED for label in labels]

    @cached_property
    def columns(self) -> tuple[Column, ...]:
        """What the features of a row or the channels of a signal are; none for images."""
        if self.kind == "image":
            return ()
        return from_plain(self.stored_columns) or numbered(self.kind, self.shape)

    @cached_property
    def stored_columns(self) -> list[dict[str, Any]]:
        """Columns as they are stored; none where the run knows nothing of them."""
        if "columns.json" not in self.about["files"]:
            return list(self.about["dataset"].get("columns", []))  # as the first runs have them
        path = self.folder / "columns.json"
        if (size := path.stat().st_size) > LIMITS.table:
            raise ValueError(f"columns.json has {size:,} bytes, at most {LIMITS.table:,} were expected")
        return list(json.loads(path.read_bytes(), parse_float=_finite, parse_constant=_finite))

    @property
    def code_size(self) -> int:
        return int(self.about["codes"]["size"])

    @property
    def count(self) -> int:
        return int(self.about["codes"]["count"])

    @property
    def variational(self) -> bool:
        return bool(self.about["architecture"]["variational"])

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
        k = len(self.about["dataset"]["factors"])
        return self._array("factors.f32", np.float32, (self.count, k)) if k else np.zeros((self.count, 0), np.float32)

    @property
    def dataset(self) -> datasets.Dataset:
        """Its dataset. Where it was somebody's own and is deleted since, what run.json says of it: reading that is a
        `Problem`. A `Problem` as well for a dataset that this version does not know."""
        name = self.configuration.dataset
        if uploads.own(name):
            return uploads.dataset(name) or uploads.stand_in(self.about["dataset"] | {"columns": self.stored_columns})
        return datasets.get(name)

    @cached_property
    def splits(self) -> NDArray[np.uint8]:
        """The split of each stored code (M,), by the dataset's own rule."""
        if "splits.u8" in self.about["files"]:
            return self._array("splits.u8", np.uint8, (self.count,))
        return self.dataset.splits()[self.rows]

    @cached_property
    def coder(self) -> Coder:
        return Coder(self.folder)

    @cached_property
    def pca(self) -> Plane | None:
        """The stored plane of largest variance, None when the code has fewer than three dimensions."""
        stored = self.about["projections"]["pca"]
        return Plane(*(np.array(stored[part], np.float32) for part in ("mean", "components"))) if stored else None

    @cached_property
    def tsne(self) -> tuple[NDArray[np.float32], NDArray[np.int32]] | None:
        """Stored t-SNE positions (K, 2) and the places of their codes (K,), None when there are none."""
        stored = self.about["projections"]["tsne"]
        if not stored:
            return None
        k = stored["count"]
        return (
            self._array("projections/tsne.f32", np.float32, (k, 2)),
            self._array("projections/tsne-index.i32", np.int32, (k,)),
        )

    @cached_property
    def baseline(self) -> Plane:
        """PCA of the training samples at the same code size, as mean (F,) and components (D', F)."""
        from safetensors.numpy import load_file

        stored = load_file(self.folder / "baseline.safetensors")
        return Plane(stored["mean"], stored["components"])

    def metric(self, name: str, split: str = "test") -> float | None:
        """One measured number, None when it was not measured."""
        found = (m["value"] for m in self.about["metrics"] if m["name"] == name and m["split"] == split)
        return next(found, None)

    def history(self) -> list[dict[str, Any]]:
        """A dict per epoch, as in history.jsonl."""
        return [json.loads(line) for line in (self.folder / "history.jsonl").read_text().splitlines()]

    def _array(self, name: str, kind: type, shape: tuple[int, ...]) -> NDArray[Any]:
        array = np.memmap(self.folder / name, kind, mode="r") if math.prod(shape) else np.zeros(0, kind)
        return np.asarray(array).reshape(shape)


def frame_epochs(chosen: Configuration) -> list[int]:
    """The epochs whose codes are kept for the replay, at most `FRAMES`: the first, the last, and between them closer
    together at the start, where most happens; by equal factors where the end is not known, so that any has some."""
    if chosen.recipe == "open-ended":
        return sorted(set(np.geomspace(1, chosen.epochs, min(FRAMES, chosen.epochs)).round().astype(int).tolist()))
    shares = np.linspace(0, 1, min(FRAMES, chosen.epochs)) ** (1 if chosen.epochs <= FRAMES else 2)
    return sorted({1, *(1 + (chosen.epochs - 1) * shares).round().astype(int).tolist()})


def thumbnail_shape(shape: tuple[int, ...], count: int, most: int = 64 * 2**20) -> tuple[int, int, int]:
    """The size (h, w, C) at which `count` images (H, W, C) are sent to the browser: whole, or halved until they fit."""
    height, width, channels = shape
    while height * width * channels * count > most and max(height, width) > 1:
        height, width = -(-height // 2), -(-width // 2)
    return height, width, channels


def open_run(folder: Path) -> Run:
    """Read a run folder and check it whole: format, files, sizes, checksums, shapes. A `Problem` says what is wrong."""
    run = _read(folder)
    for name, facts in run.about["files"].items():
        path = folder / name
        size = path.stat().st_size if path.is_file() else None
        if size != facts["bytes"]:
            came = "is absent" if size is None else f"has {size:,} bytes"
            raise _damaged(folder, f"{name} {came}", f"{facts['bytes']:,} bytes were expected")
        if sha256(path) != facts["sha256"]:
            raise _damaged(folder, f"{name} has been altered", f"the SHA-256 {facts['sha256'][:12]}… was expected")
    for name, numbers in _numbers(run).items():
        came = run.about["files"].get(name, {"bytes": 0})["bytes"]
        if came != 4 * numbers:
            raise _damaged(
                folder,
                f"{name} has {came:,} bytes",
                f"{4 * numbers:,} were expected for {run.count:,} codes of size {run.code_size}",
            )
    try:
        _check_content(run)
    except (KeyError, TypeError, ValueError, OverflowError, RecursionError, SafetensorError) as error:
        raise _damaged(
            folder, f"its files do not fit together ({error})", "one run's own files were expected"
        ) from error
    return run


def whole(folder: Path) -> bool:
    """Whether `open_run` would open it."""
    try:
        open_run(folder)
    except Problem:
        return False
    return True


def _check_content(run: Run) -> None:
    """ValueError when a file of the right size holds numbers that nothing could be done with."""
    stored = run.about["dataset"]
    tsne = run.tsne[1] if run.tsne else np.zeros(0)
    replay = np.fromfile(run.folder / "replay/index.i32", "<i4")
    for name, index, low, high in (
        ("rows.i32", run.rows, 0, stored["count"]),
        ("labels.i32", run.labels, -1, len(run.classes)),
        ("projections/tsne-index.i32", tsne, 0, run.count),
        ("replay/index.i32", replay, 0, run.count),
    ):
        if len(index) and not low <= index.min() <= index.max() < high:
            raise ValueError(f"{name} points at what is not there")
    for name, numbers in (("codes.f32", run.codes), ("errors.f32", run.errors), ("factors.f32", run.factors)):
        if not np.isfinite(numbers).all():
            raise ValueError(f"{name} holds infinite or undefined numbers")
    size = math.prod(run.shape)
    if (run.folder / "baseline.safetensors").stat().st_size > 4 * size * (run.code_size + 1) + HEADER:
        raise ValueError("baseline.safetensors is larger than it can be")
    baseline = run.baseline
    if baseline.mean.shape != (size,) or baseline.components.shape[1:] != (size,):
        raise ValueError("baseline.safetensors is of another sample's shape")
    _check_columns(run)
    if (came := (run.folder / "history.jsonl").stat().st_size) > LIMITS.history:
        raise ValueError(f"history.jsonl has {came:,} bytes, at most {LIMITS.history:,} were expected")
    for line in run.history():
        _check_type(line, _EPOCH, "a line of history.jsonl")
        for term, value in line["loss"].items():
            if not re.fullmatch(r"[\w -]{1,40}", term):
                raise ValueError("history.jsonl names a loss in a way that is not known")
            _check_type(value, float, term)


def _check_columns(run: Run) -> None:
    """ValueError when the columns are not those of its samples: their widths become arrays."""
    if run.kind == "image" or not (columns := run.stored_columns):
        return
    _check_type(columns, [_COLUMN, LIMITS.columns], "columns")
    at = 0
    for column in columns:
        if column["start"] != at or column["kind"] not in ("number", "category"):
            raise ValueError("its columns are not one after the other")
        if column["width"] != (len(column["values"]) if column["kind"] == "category" else 1):
            raise ValueError("a column is of another width than its values")
        at += column["width"]
    if at != run.shape[-1]:
        raise ValueError("its columns are of another sample's shape")


def _numbers(run: Run) -> dict[str, float]:
    """How many 4-byte numbers each array file must hold."""
    m, d, replay = run.count, run.code_size, run.about["replay"]
    out: dict[str, float] = {"codes.f32": m * d, "rows.i32": m, "labels.i32": m, "errors.f32": m}
    if k := len(run.about["dataset"]["factors"]):
        out["factors.f32"] = m * k
    if run.pca:
        out["projections/pca.f32"] = 2 * m
    if "splits.u8" in run.about["files"]:
        out["splits.u8"] = m / 4
    if tsne := run.about["projections"]["tsne"]:
        out |= {"projections/tsne.f32": 2 * tsne["count"], "projections/tsne-index.i32": tsne["count"]}
    return out | {"replay/codes.f32": len(replay["epochs"]) * replay["count"] * d, "replay/index.i32": replay["count"]}


def _read(folder: Path) -> Run:
    """run.json alone, checked for what `Run` reads from it."""
    try:
        text = text_of(folder / "run.json")
        about = json.loads(text, parse_float=_finite, parse_constant=_finite)
        if not isinstance(about, dict):
            raise ValueError("it is not an object")
    except (OSError, ValueError, RecursionError) as error:
        raise _damaged(
            folder, f"run.json cannot be read ({error})", "a JSON file that describes the run was expected"
        ) from error
    if about.get("format") != FORMAT:
        raise _later(folder.name, str(about.get("format"))[:40])
    try:
        _check_facts(about)
        return Run(folder, about, hashlib.sha256(text).hexdigest()[:16])
    except ValueError as error:
        raise _damaged(
            folder, f"run.json does not describe a run ({error})", "the fields of format 1 were expected"
        ) from error


def text_of(path: Path, most: int = LIMITS.about) -> bytes:
    """The content of a run.json. ValueError where it has more than `most` bytes, not counting the columns that the first
    runs of signals and tables have in it."""
    size = path.stat().st_size
    text = path.read_bytes() if size <= most + LIMITS.table else b""
    if size > most:
        try:
            about = json.loads(text)
            about["dataset"].pop("columns")
            size = len(json.dumps(about))
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
            pass  # there are no columns that would explain it
        if size > most:
            raise ValueError(f"it has {path.stat().st_size:,} bytes, at most {most:,} were expected")
    return text


def _finite(text: str) -> float:
    number = float(text)
    if not np.isfinite(number):
        raise ValueError(f"{text} is no finite number")
    return number


_D, _MANY = [float, MAX_CODE_SIZE], 2**31 - 1  # a number for each dimension; rows are kept as int32

# run.json as `Run` and the pages rely on it: a type, a range of whole numbers, [type of each, how many at most],
# {field: type}, or (type or null,). Every number is held against its limit before anything is made of it.
FACTS: dict[str, Any] = {
    "id": str,
    "recipe": int,
    "configuration": {
        "dataset": str,
        "architecture": str,
        "code_size": range(1, MAX_CODE_SIZE + 1),
        "noise": str,
        "recipe": str,
    },
    "dataset": {
        **dict.fromkeys(("name", "title", "fingerprint", "kind", "label", "source", "licence"), str),
        "shape": [range(1, VALUES + 1), 3],
        "classes": [str, LIMITS.classes],
        "factors": [str, 1000],
        "count": range(1, _MANY + 1),
    },
    "architecture": {"name": str, "title": str, "variational": bool, "parameters": int},
    "codes": {
        "count": range(1, _MANY + 1),
        "size": range(1, MAX_CODE_SIZE + 1),
        "low": _D,
        "high": _D,
        "mean": _D,
        "variance": _D,
        "kl": (_D,),
        "dead": [bool, MAX_CODE_SIZE],
        "nearest_p99": float,
    },
    "projections": {
        "pca": ({"mean": _D, "components": [_D, 2], "explained": [float, 2]},),
        "tsne": ({"count": range(_MANY + 1), "perplexity": float},),
    },
    "replay": {"count": range(_MANY + 1), "epochs": [int, 2 * FRAMES]},
    "thumbnails": ({"shape": [range(1, VALUES + 1), 3]},),
    "metrics": [
        {"name": str, "title": str, "split": str, "count": range(_MANY + 1), "value": float, "unit": str},
        100,
    ],
    "training": {
        **dict.fromkeys(("epochs", "best_epoch"), int),
        **dict.fromkeys(("seconds", "samples_per_second"), float),
        **dict.fromkeys(("device", "machine", "finished"), str),
    },
    "files": dict,
}

_COLUMN = {
    "name": str,
    "kind": str,
    "start": range(LIMITS.columns),
    "width": range(LIMITS.columns + 1),
    "mean": float,
    "deviation": float,
    "values": [str, LIMITS.columns],
}


_EPOCH = {
    "epoch": int,
    "loss": dict,
    **dict.fromkeys(("validation", "learning_rate", "samples_per_second", "seconds"), float),
}
SIDES = {"image": 3, "signal": 2, "table": 1}  # how many numbers the shape of a sample has
MEASURED = ("mse", "pca_mse", "squared_error", "pca_squared_error")  # on the test split, by every training


def _check_facts(about: dict[str, Any]) -> None:
    """ValueError when run.json lacks a field of format 1, has one of another type or size, or contradicts itself."""
    _check_type(about, FACTS, "run.json")
    codes, dataset = about["codes"], about["dataset"]
    _check_dataset(dataset)
    if not ID.fullmatch(about["id"]):
        raise ValueError("its id is not as it should be")
    for name, facts in about["files"].items():
        _check_type(facts, {"bytes": int, "sha256": str}, name)
        if _outside(name):
            raise ValueError("it names files outside its folder")
    if absent := [name for name in REQUIRED if name not in about["files"]]:
        raise ValueError(f"{', '.join(absent)} is not named")
    if not max(about["replay"]["count"], (about["projections"]["tsne"] or {"count": 0})["count"]) <= codes["count"]:
        raise ValueError("it shows more codes than there are")
    if about["replay"]["count"] > REPLAYED:
        raise ValueError(f"it replays {about['replay']['count']:,} codes, at most {REPLAYED:,} were expected")
    if not codes["count"] <= dataset["count"]:
        raise ValueError("it has more codes than the dataset has samples")
    rows = [codes[name] for name in ("low", "high", "mean", "variance", "dead")]
    rows += [codes["kl"]] if codes["kl"] is not None else []
    if pca := about["projections"]["pca"]:
        rows += [pca["mean"], *pca["components"]]
        if not len(pca["components"]) == len(pca["explained"]) == 2:
            raise ValueError("a plane has two axes")
    if any(len(row) != codes["size"] for row in rows):
        raise ValueError("it describes codes of another size")
    shape, thumbnails = tuple(dataset["shape"]), about["thumbnails"]
    if thumbnails and (len(shape) != 3 or tuple(thumbnails["shape"]) != thumbnail_shape(shape, codes["count"])):
        raise ValueError("its thumbnails are of another shape")
    measured = [metric["name"] for metric in about["metrics"] if metric["split"] == "test"]
    if absent := [name for name in MEASURED if name not in measured]:
        raise ValueError(f"it does not say what was measured: {', '.join(absent)} on the test split")


def _check_dataset(dataset: dict[str, Any]) -> None:
    """ValueError when samples of that kind do not have such a shape, or are too large."""
    shape, kind = tuple(dataset["shape"]), dataset["kind"]
    if len(shape) != SIDES.get(kind) or math.prod(shape) > VALUES:
        raise ValueError(f"samples of kind {kind[:20]} and shape {shape} are not known")
    if kind != "image":
        if shape[-1] > LIMITS.columns:
            raise ValueError(f"its samples have {shape[-1]:,} columns, at most {LIMITS.columns:,} were expected")
        _check_type(dataset.get("columns", []), [_COLUMN, LIMITS.columns], "columns")


def _check_type(value: Any, wanted: Any, where: str) -> None:  # noqa: PLR0912 - one branch for each way to say a type
    """ValueError unless `value` is as `FACTS` puts it; whole numbers are not negative."""
    if isinstance(wanted, tuple):
        if value is not None:
            _check_type(value, wanted[0], where)
    elif isinstance(wanted, dict):
        _check_type(value, dict, where)
        for name, inner in wanted.items():
            if name not in value:
                raise ValueError(f"{where} has no {name}")
            _check_type(value[name], inner, f"{where}: {name}")
    elif isinstance(wanted, list):
        _check_type(value, list, where)
        if len(value) > wanted[1]:
            raise ValueError(f"{where} lists {len(value):,} things, at most {wanted[1]:,} were expected")
        for one in value:
            _check_type(one, wanted[0], where)
    elif isinstance(wanted, range):
        _check_type(value, int, where)
        if value < wanted.start:
            raise ValueError(f"{where} is {value:,}, at least {wanted.start:,} was expected")
        if value >= wanted.stop:
            raise ValueError(f"{where} is too large ({value:,}, at most {wanted.stop - 1:,} was expected)")
    else:
        kinds = (int, float) if wanted is float else (wanted,)
        if not isinstance(value, kinds) or (isinstance(value, bool) and wanted is not bool):
            raise ValueError(f"{where} is no {wanted.__name__}")
        if wanted is int and value < 0:
            raise ValueError(f"{where} is below zero")
        if isinstance(value, int) and abs(value) > MOST:
            raise ValueError(f"{where} is too large")


def _outside(name: str) -> bool:
    return not re.fullmatch(r"[a-z0-9-]+(/[a-z0-9-]+)?\.[a-z0-9]+", name)


def _damaged(folder: Path, came: str, expected: str) -> Problem:
    # Without the path: a visitor reads it, too.
    return Problem(f"the run {folder.name} is damaged: {came}", expected, "train it again, or restore its folder")


def sha256(path: Path) -> str:
    """The checksum of a file, as hex digits."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


class Unreadable(Problem):
    """Why the folder of a run is none that this version can open."""

    def __init__(self, folder: Path, problem: Problem) -> None:
        super().__init__(problem.came, problem.expected, problem.do)
        self.folder = folder


def find() -> tuple[list[Run], list[Unreadable]]:
    """All finished runs, those that ship first, then the newest; and a `Problem` for each folder that is none.

    Reads each run.json only, and again only when it has changed: pages ask at every touch of every visitor. `open_run`
    checks the rest of the one that is opened.
    """
    runs: list[Run] = []
    problems: list[Unreadable] = []
    own = home() / "runs"
    shipped = sorted(p for p in PRETRAINED.iterdir() if p.is_dir()) if PRETRAINED.is_dir() else []
    mine = (
        sorted(
            (p for p in own.iterdir() if p.is_dir() and p.name[0] != "."), key=lambda p: p.stat().st_mtime, reverse=True
        )
        if own.is_dir()
        else []
    )
    with _FINDING:
        for gone in set(_FOUND) - {*shipped, *mine}:
            del _FOUND[gone]
        room = REMEMBERED - sum(size for (*_, size), _ in _FOUND.values())
        for folder in (*shipped, *mine):
            now = stamp(folder / "run.json")
            known = _FOUND.get(folder)
            if known is None or known[0] != now:
                found = _found(folder)
                # Beyond the room, a run is read each time: what many visitors bring shall not fill the memory.
                room -= now[-1] - (known[0][-1] if known else 0)
                _FOUND[folder] = known = (now, found)
                if room < 0:
                    room += now[-1]
                    del _FOUND[folder]
            if isinstance(known[1], Run):
                runs.append(known[1])
            else:
                problems.append(known[1])
    return runs, problems


_FOUND: dict[Path, tuple[tuple[int, ...], Run | Unreadable]] = {}
_FINDING = threading.Lock()


def stamp(path: Path) -> tuple[int, ...]:
    """What tells one content of a file from another without reading it, its size last."""
    try:
        facts = path.stat()
    except OSError:
        return (0,)
    return facts.st_mtime_ns, facts.st_ctime_ns, facts.st_ino, facts.st_size


def _found(folder: Path) -> Run | Unreadable:
    """Read once: whoever keeps this computer hears of it in the log, and then the run's owners do on their pages."""
    try:
        return _read(folder)
    except Problem as problem:
        log.warning("%s: %s", folder, problem)
        return Unreadable(folder, problem)  # without what was in memory when it was met


def folder_of(id_or_name: str) -> Path:
    """Where a run of this id, or a shipped run of this name, lies. A `Problem` when there is none."""
    if ID.fullmatch(id_or_name) and (home() / "runs" / id_or_name / "run.json").is_file():
        return home() / "runs" / id_or_name
    for run in find()[0]:
        if run.pretrained and id_or_name in (run.id, run.folder.name):
            return run.folder
    raise Problem(
        f"the run “{id_or_name[:80]}” is not here",
        "the id or name of a finished run was expected",
        "choose one from the list, or train it",
    )


def seal(folder: Path, about: dict[str, Any]) -> Run:
    """Write run.json with the size and checksum of every file beside it, whole or not at all, and check the result.

    The columns of about["dataset"] go into a file of their own: of a wide table they are megabytes, and run.json is read
    for every list of runs.
    """
    dataset = dict(about["dataset"])
    if columns := dataset.pop("columns", []):
        about = {**about, "dataset": dataset}
        content = json.dumps(columns, allow_nan=False, ensure_ascii=False, separators=(",", ":")).encode()
        write_whole(folder / "columns.json", content)
    names = sorted(
        str(path.relative_to(folder))
        for path in folder.rglob("*")
        if path.is_file() and path.name not in ("run.json", *WORKING) and path.name[0] != "."
    )
    files = {name: {"bytes": (folder / name).stat().st_size, "sha256": sha256(folder / name)} for name in names}
    write_whole(folder / "run.json", json.dumps({**about, "files": files}, indent=1, allow_nan=False).encode())
    return open_run(folder)


def write_whole(path: Path, content: bytes) -> None:
    """Write a file so that a reader sees the old or the new content, never a part: beside, flushed, renamed."""
    part = path.with_name(f".{path.name}-{os.getpid()}")
    try:
        with part.open("wb") as stream:
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
        part.replace(path)
    except OSError as error:
        with contextlib.suppress(OSError):
            part.unlink(missing_ok=True)
        raise unwritable(path.parent, error) from error


def keep(folder: Path, id_: str) -> Path:
    """Move a sealed run to its place. A whole run that is there already stays: browsers may have it cached."""
    place = home() / "runs" / id_
    try:
        private(place.parent)
        if whole(place):
            shutil.rmtree(folder, ignore_errors=True)
        else:
            set_aside(place)
            folder.rename(place)
    except OSError as error:
        raise unwritable(place.parent, error) from error
    return place


def set_aside(place: Path) -> None:
    """Make room where a damaged run lies, which is kept under another name. Nothing happens where none lies.

    A `Problem` where the run may well be whole and only this version does not understand it: that is left alone.
    """
    if not place.exists():
        return
    if (form := _another_format(place)) is not None:
        raise _later(place.name, form)
    place.rename(place.with_name(f".damaged-{place.name}-{time.time_ns()}"))


def _another_format(folder: Path) -> str | None:
    """What a run.json of another format than ours says of its format; None where it is ours, or none."""
    path = folder / "run.json"
    try:
        if path.stat().st_size > LIMITS.about + LIMITS.table:
            return "that is not known, with a run.json larger than any of ours"
        about = json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError):
        return None
    form = about.get("format", FORMAT) if isinstance(about, dict) else FORMAT
    return None if form == FORMAT else str(form)[:40]


def _later(name: str, form: str) -> Problem:
    return Problem(
        f"the run {name} is of format {form}",
        f"format {FORMAT} was expected",
        "open it with the version of Hourglass that made it, or a newer one; here it is left as it is",
    )


def pack(run: Run) -> bytes:
    """The run as a zip: run.json and every file it names, under a folder of the run's id."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name in ("run.json", *run.about["files"]):
            deflate = zipfile.ZIP_STORED if name.endswith((".safetensors", ".onnx")) else zipfile.ZIP_DEFLATED
            entry = zipfile.ZipInfo(f"{run.id}/{name}")  # dated 1980: the same run is the same zip
            entry.external_attr = 0o644 << 16  # else unzip makes files that nobody may read
            archive.writestr(entry, (run.folder / name).read_bytes(), deflate)
    return out.getvalue()


def unpack(content: bytes, limits: Limits = RUN) -> Run:
    """Open a run zip: check it as any run, rebuild its graphs from its weights, and keep it under <home>/runs.

    A process of its own does it (`models.unpacking`), within `limits`: a zip says of itself what it likes.
    """
    from models.readers.guarded import asked

    own = home() / "runs"
    uploads.make_sure_all_fits(len(content))
    try:
        private(own)
        room = Path(tempfile.mkdtemp(dir=own, prefix=".opened-"))
    except OSError as error:
        raise unwritable(own, error) from error
    try:
        (room / "the zip").write_bytes(content)
        # HOURGLASS_HOME is where its dataset may lie, and where the run may be already.
        place = asked(
            "models.unpacking",
            {},
            room,
            lambda room: Path(json.loads((room / "facts.json").read_text())["run"]),
            limits,
            expected="a zip downloaded from Hourglass was expected",
            again="choose such a zip",
            less="choose a zip downloaded from Hourglass",
            told={"HOURGLASS_HOME": str(home().absolute())},
        )
        run = open_run(place)
        return run if place.parent == own.absolute() else open_run(keep(place, run.id))
    except OSError as error:
        raise unwritable(own, error) from error
    finally:
        shutil.rmtree(room, ignore_errors=True)


def architecture_facts(architecture: architectures.Architecture, blueprint: architectures.Blueprint) -> dict[str, Any]:
    """What run.json keeps of an architecture."""
    return {
        "name": architecture.name,
        "title": architecture.title,
        "variational": architecture.variational,
        "parameters": blueprint.parameters,
    }


def dataset_facts(dataset: datasets.Dataset) -> dict[str, Any]:
    """What run.json keeps of a dataset."""
    names = (
        "name",
        "title",
        "fingerprint",
        "kind",
        "shape",
        "classes",
        "label",
        "factors",
        "count",
        "source",
        "licence",
    )
    facts = {name: getattr(dataset, name) for name in names}
    return facts if dataset.kind == "image" else facts | {"columns": plain(dataset.columns)}

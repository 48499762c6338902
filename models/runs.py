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
    replay/codes.f32     (E, R, D) codes of R fixed samples after the epochs listed in run.json; replay/index.i32 (R,) into the M codes

run.json (numbers are finite; absent things are null):

    format 1, id, recipe, configuration {…}, versions {package: version},
    dataset {name, title, fingerprint, kind, shape, classes, label, factors, count, source, licence; for signals and
        tables also columns [{name, kind, start, width, mean, deviation, values}], see models/columns.py}
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
import math
import os
import re
import shutil
import tempfile
import time
import zipfile
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError

from models import PRETRAINED, Problem, architectures, datasets, home, private, unwritable, uploads
from models.codes import Coder, Plane
from models.columns import Column, from_plain, numbered, plain

if TYPE_CHECKING:
    from models.readers.limits import Limits

FORMAT = 1
FRAMES = 24  # epochs kept for the replay, at most
RECIPE = 3  # raised by hand when the same configuration would train to another result
ID = re.compile(r"[0-9a-f]{16}")
MOST = 2**53  # the largest whole number up to which JSON means the same everywhere
HEADER = 1 << 20  # bytes of the table of a safetensors file, at most
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
NOISE_LEVEL = 0.3  # where a noise is chosen and no level
PAIRS = 2**25  # numbers that a batch's total correlation may take: each sample with every other, in each dimension
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

    @cached_property
    def columns(self) -> tuple[Column, ...]:
        """What the features of a row or the channels of a signal are; none for images."""
        if self.kind == "image":
            return ()
        return from_plain(self.about["dataset"]["columns"]) or numbered(self.kind, self.shape)

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
            return uploads.dataset(name) or uploads.stand_in(self.about["dataset"])
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
        array = np.memmap(self.folder / name, kind, mode="r") if np.prod(shape) else np.zeros(0, kind)
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
        if _sha256(path) != facts["sha256"]:
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
    size = int(np.prod(run.shape))
    if (run.folder / "baseline.safetensors").stat().st_size > 4 * size * (run.code_size + 1) + HEADER:
        raise ValueError("baseline.safetensors is larger than it can be")
    baseline = run.baseline
    if baseline.mean.shape != (size,) or baseline.components.shape[1:] != (size,):
        raise ValueError("baseline.safetensors is of another sample's shape")
    for line in run.history():
        _check_type(line, _EPOCH, "a line of history.jsonl")
        for term, value in line["loss"].items():
            if not re.fullmatch(r"[\w -]{1,40}", term):
                raise ValueError("history.jsonl names a loss in a way that is not known")
            _check_type(value, float, term)


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
        text = (folder / "run.json").read_bytes()
        about = json.loads(text, parse_float=_finite, parse_constant=_finite)
        if not isinstance(about, dict):
            raise ValueError("it is not an object")
    except (OSError, ValueError, RecursionError) as error:
        raise _damaged(
            folder, f"run.json cannot be read ({error})", "a JSON file that describes the run was expected"
        ) from error
    if about.get("format") != FORMAT:
        raise Problem(
            f"the run {folder.name} is of format {about.get('format')}",
            f"format {FORMAT} was expected",
            "open it with the version of Hourglass that made it, or a newer one",
        )
    try:
        _check_facts(about)
        return Run(folder, about, hashlib.sha256(text).hexdigest()[:16])
    except ValueError as error:
        raise _damaged(
            folder, f"run.json does not describe a run ({error})", "the fields of format 1 were expected"
        ) from error


def _finite(text: str) -> float:
    number = float(text)
    if not np.isfinite(number):
        raise ValueError(f"{text} is no finite number")
    return number


# run.json as `Run` and the pages rely on it: a type, [type of each], {field: type}, or (type or null,).
_FACTS: dict[str, Any] = {
    "id": str,
    "recipe": int,
    "configuration": {"dataset": str, "architecture": str, "code_size": int, "noise": str, "recipe": str},
    "dataset": {
        **dict.fromkeys(("name", "title", "fingerprint", "kind", "label", "source", "licence"), str),
        "shape": [int],
        "classes": [str],
        "factors": [str],
        "count": int,
    },
    "architecture": {"name": str, "title": str, "variational": bool, "parameters": int},
    "codes": {
        "count": int,
        "size": int,
        "low": [float],
        "high": [float],
        "mean": [float],
        "variance": [float],
        "kl": ([float],),
        "dead": [bool],
        "nearest_p99": float,
    },
    "projections": {
        "pca": ({"mean": [float], "components": [[float]], "explained": [float]},),
        "tsne": ({"count": int, "perplexity": float},),
    },
    "replay": {"count": int, "epochs": [int]},
    "thumbnails": ({"shape": [int]},),
    "metrics": [{"name": str, "title": str, "split": str, "count": int, "value": float, "unit": str}],
    "training": {
        **dict.fromkeys(("epochs", "best_epoch"), int),
        **dict.fromkeys(("seconds", "samples_per_second"), float),
        **dict.fromkeys(("device", "machine", "finished"), str),
    },
    "files": dict,
}

_COLUMN = {"name": str, "kind": str, "start": int, "width": int, "mean": float, "deviation": float, "values": [str]}


_EPOCH = {
    "epoch": int,
    "loss": dict,
    **dict.fromkeys(("validation", "learning_rate", "samples_per_second", "seconds"), float),
}


def _check_facts(about: dict[str, Any]) -> None:
    """ValueError when run.json lacks a field of format 1, has one of another type, or contradicts itself."""
    _check_type(about, _FACTS, "run.json")
    codes, dataset = about["codes"], about["dataset"]
    if not ID.fullmatch(about["id"]) or codes["count"] < 1 or codes["size"] < 1:
        raise ValueError("its id, count or code size is not as it should be")
    if dataset["kind"] != "image":
        # Runs of format 1 from before there were columns have none.
        _check_type(dataset.setdefault("columns", []), [_COLUMN], "columns")
    for name, facts in about["files"].items():
        _check_type(facts, {"bytes": int, "sha256": str}, name)
        if _outside(name):
            raise ValueError("it names files outside its folder")
    if absent := [name for name in REQUIRED if name not in about["files"]]:
        raise ValueError(f"{', '.join(absent)} is not named")
    if not max(about["replay"]["count"], (about["projections"]["tsne"] or {"count": 0})["count"]) <= codes["count"]:
        raise ValueError("it shows more codes than there are")
    if not codes["count"] <= dataset["count"]:
        raise ValueError("it has more codes than the dataset has samples")
    pca = about["projections"]["pca"] or {"mean": [0.0] * codes["size"], "components": []}
    rows = (codes["low"], codes["high"], codes["mean"], codes["variance"], codes["dead"], codes["kl"], pca["mean"])
    if any(row is not None and len(row) != codes["size"] for row in (*rows, *pca["components"])):
        raise ValueError("it describes codes of another size")
    if len(pca["components"]) not in (0, 2):
        raise ValueError("a plane has two axes")
    shape, thumbnails = tuple(dataset["shape"]), about["thumbnails"]
    if thumbnails and (len(shape) != 3 or tuple(thumbnails["shape"]) != thumbnail_shape(shape, codes["count"])):
        raise ValueError("its thumbnails are of another shape")


def _check_type(value: Any, wanted: Any, where: str) -> None:
    """ValueError unless `value` is as `_FACTS` puts it; whole numbers are not negative."""
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
        for one in value:
            _check_type(one, wanted[0], where)
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
    return Problem(f"the run {folder.name} is damaged: {came}", expected, f"train it again, or restore {folder}")


def _sha256(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def find() -> tuple[list[Run], list[Problem]]:
    """All finished runs, those that ship first, then the newest; and a `Problem` for each folder that is none.

    Reads each run.json only; `open_run` checks the rest of the one that is opened.
    """
    runs, problems = [], []
    own = home() / "runs"
    shipped = sorted(p for p in PRETRAINED.iterdir() if p.is_dir()) if PRETRAINED.is_dir() else []
    mine = (
        sorted(
            (p for p in own.iterdir() if p.is_dir() and p.name[0] != "."), key=lambda p: p.stat().st_mtime, reverse=True
        )
        if own.is_dir()
        else []
    )
    for folder in (*shipped, *mine):
        try:
            runs.append(_read(folder))
        except Problem as problem:
            problems.append(problem)
    return runs, problems


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
    """Write run.json with the size and checksum of every file beside it, whole or not at all, and check the result."""
    names = sorted(
        str(path.relative_to(folder))
        for path in folder.rglob("*")
        if path.is_file() and path.name not in ("run.json", *WORKING) and path.name[0] != "."
    )
    files = {name: {"bytes": (folder / name).stat().st_size, "sha256": _sha256(folder / name)} for name in names}
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
    """Make room where a damaged run lies, which is kept under another name. Nothing happens where none lies."""
    if place.exists():
        place.rename(place.with_name(f".damaged-{place.name}-{time.time_ns()}"))


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


def unpack(content: bytes, limits: Limits | None = None) -> Run:
    """Open a run zip: check it as any run, rebuild its graphs from its weights, and keep it under <home>/runs.

    Only files that format 1 knows are taken out, under names of ours, after everything that the zip claims has been
    held against `limits`, by default `models.readers.limits.RUN`. The ONNX files in it are never run: they are written again from the weights and the
    architecture named in run.json, and anything else is refused.
    """
    if not zipfile.is_zipfile(io.BytesIO(content)):
        raise _no_run("it is no whole zip")
    own = home() / "runs"
    try:
        private(own)
        room = Path(tempfile.mkdtemp(dir=own, prefix=".opened-"))
    except OSError as error:
        raise unwritable(own, error) from error
    part = room / "run"
    try:
        (room / "the zip").write_bytes(content)
        _take_out(room / "the zip", part, limits)
        run = open_run(part)
        if uploads.own(run.configuration.dataset) and uploads.dataset(run.configuration.dataset) is None:
            return _kept_already(run)
        run = _rebuild(run)
        return open_run(keep(part, run.id))
    except (zipfile.BadZipFile, EOFError, NotImplementedError, RuntimeError, ValueError, zlib.error) as error:
        # RecursionError is a RuntimeError.
        raise Problem(
            f"the zip is broken ({error})", "a whole zip downloaded from Hourglass was expected", "download it again"
        ) from error
    except Problem as problem:
        came = problem.came.replace(str(part), str(own)).replace(f"the run {part.name} ", "the run in the zip ")
        do = "choose a zip downloaded from Hourglass" if str(part) in problem.do else problem.do
        raise Problem(came, problem.expected, do) from problem
    except OSError as error:
        raise unwritable(own, error) from error
    finally:
        shutil.rmtree(room, ignore_errors=True)


def _kept_already(run: Run) -> Run:
    """The run of just these weights and codes that is here; without its dataset nothing else of a zip can be checked."""
    place = home() / "runs" / _opened_id(run.id, run.folder)
    if whole(place):
        return open_run(place)
    raise Problem(
        "the zip holds a run of somebody's own dataset, which is not kept here (it stayed elsewhere, or was deleted)",
        "such a zip can be opened only where its dataset is kept",
        "open it there, or bring the same data again on the page Data and then open the zip",
    )


def _no_run(why: str) -> Problem:
    return Problem(
        f"the file cannot be opened as a run ({why})",
        "a zip downloaded from Hourglass was expected",
        "choose such a zip",
    )


def _take_out(path: Path, folder: Path, limits: Limits | None) -> None:
    """A run's files out of a zip into a new folder, each bit by bit: none is ever in memory as a whole."""
    from models.readers import bags
    from models.readers.limits import RUN
    from models.readers.work import Work

    limits = limits or RUN
    work = Work(limits=limits)
    archive, members = bags.open_zip(path, work)
    with archive:
        tops = {name.partition("/")[0] for name in archive.namelist()}
        if len(tops) != 1:
            raise _no_run("it does not hold one run")
        known = {f"{next(iter(tops))}/{name}": name for name in ("run.json", *REQUIRED, *OPTIONAL)}
        for name, why in work.left_out.items():
            if name in known:
                raise _no_run(f"{known[name]}: {why[0]}")
        taken = {known[entry.name]: entry for entry in members if entry.name in known}
        if "run.json" not in taken:
            raise _no_run("it holds no run.json")
        for name, most in (("run.json", limits.about), ("history.jsonl", limits.history), ("card.md", limits.about)):
            if name in taken and taken[name].size > most:
                raise Problem(
                    f"the {name} in the zip has {taken[name].size:,} bytes",
                    f"at most {most:,} bytes were expected",
                    "choose a zip downloaded from Hourglass",
                )
        for name, entry in taken.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            # zipfile stops at the size that the entry claims, and checks its sum.
            with entry.open() as packed, (folder / name).open("wb") as out:
                shutil.copyfileobj(packed, out, 1 << 20)


def _rebuild(run: Run) -> Run:
    """Check an opened run against our own architectures and put graphs of our own writing in place of the zip's."""
    from safetensors.numpy import load_file

    from models import export

    chosen = configuration(dataclasses.asdict(run.configuration))
    dataset, architecture = datasets.get(chosen.dataset), architectures.get(chosen.architecture)
    blueprint = architecture.blueprint(dataset.kind, dataset.shape, chosen.code_size)
    facts = dataset_facts(dataset)
    stored = {name: run.about["dataset"].get(name) for name in facts}
    trained = chosen.id_of(run.about["recipe"])
    opened = _opened_id(trained, run.folder)
    same_size = (run.code_size, run.variational) == (chosen.code_size, architecture.variational)
    if json.dumps(stored) != json.dumps(facts) or not same_size or run.id not in (trained, opened):
        raise _damaged(
            run.folder,
            "its configuration and its codes disagree",
            "the same dataset, shape and code size in both were expected",
        )
    weights = run.folder / "weights.safetensors"
    if (size := weights.stat().st_size) > (most := 4 * blueprint.parameters + HEADER):
        raise _damaged(run.folder, f"its weights have {size:,} bytes", f"at most {most:,} were expected")
    try:
        values = load_file(weights)
    except SafetensorError as error:
        raise _damaged(
            run.folder, f"its weights cannot be read ({error})", "a whole safetensors file was expected"
        ) from error
    if {name: value.shape for name, value in values.items()} != blueprint.weights or any(
        value.dtype not in (np.float32, np.float16) or not np.isfinite(value).all() for value in values.values()
    ):
        raise _damaged(
            run.folder,
            "its weights are not those of its architecture",
            f"the {len(blueprint.weights)} finite weights of {chosen.architecture} were expected",
        )
    for name, graph in export.graphs(blueprint, weights).items():
        (run.folder / name).write_bytes(graph)
    shown = [*run.about["training"].values(), *(text for metric in run.about["metrics"] for text in metric.values())]
    if not all(_HARMLESS.fullmatch(text) for text in shown if isinstance(text, str)):
        raise _damaged(run.folder, "run.json describes it in words of its own", "the words of Hourglass were expected")
    (run.folder / "card.md").unlink(missing_ok=True)  # a text of somebody else's
    versions = run.about.get("versions")
    if not isinstance(versions, dict) or not all(
        isinstance(text, str) and _HARMLESS.fullmatch(text) for pair in versions.items() for text in pair
    ):
        versions = {}
    ours = {"architecture": architecture_facts(architecture, blueprint), "versions": versions, "id": opened}
    known = ("format", "versions", *(name for name in _FACTS if name != "files"))
    return seal(run.folder, {name: ours.get(name, value) for name, value in run.about.items() if name in known})


def _opened_id(trained: str, folder: Path) -> str:
    """The id of a run from a zip: another than that of its choices, unless just this run was trained here.

    Whoever asks for the same choices would get it as if it had been trained, and nobody knows what made its numbers.
    """
    parts = [_sha256(folder / name) for name in ("weights.safetensors", "codes.f32")]
    here = home() / "runs" / trained
    if whole(here) and parts == [_sha256(here / name) for name in ("weights.safetensors", "codes.f32")]:
        return trained
    return hashlib.sha256(" ".join([trained, *parts]).encode()).hexdigest()[:16]


_HARMLESS = re.compile(r"[\w ,.:()²+%'-]{0,100}")  # no address, no markup


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

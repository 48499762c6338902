"""Runs: one training is one folder, and everything else reads that folder.

Format 1. All binary files are little-endian and contiguous; M is the number of stored codes, D the code size.

    run.json             what the run is (see below); its SHA-256 stands for the whole folder
    history.jsonl        a line per epoch: {"epoch", "loss": {term: value}, "validation", "learning_rate", "samples_per_second", "seconds"}
    weights.safetensors  float32, or float16 for runs that ship; names "encoder.…" and "decoder.…"
    encoder.onnx         "sample" (B, *shape) float32 -> "code" (B, D), for a variational run also "log_variance" (B, D)
    decoder.onnx         "code" (B, D) float32 -> "sample" (B, *shape); both graphs keep their weights in
                         weights.safetensors (ONNX external data), so that no number is stored twice
    codes.f32            (M, D); for a variational run the mean
    rows.i32             (M,) the dataset's row of each code      labels.i32  (M,) -1 where unknown
    errors.f32           (M,) mean squared error per value of the sample
    factors.f32          (M, K), absent when K = 0
    baseline.safetensors PCA of the samples at the same code size: "mean" (F,), "components" (D', F), D' = min(D, F, N)
    projections/pca.f32  (M, 2), D > 2 only      projections/tsne.f32  (K, 2) with projections/tsne-index.i32 (K,) into the M codes
    replay/codes.f32     (E, R, D) codes of R fixed samples after the epochs listed in run.json; replay/index.i32 (R,) into the M codes

run.json (numbers are finite; absent things are null):

    format 1, id, recipe, configuration {…}, versions {package: version},
    dataset {name, title, fingerprint, kind, shape, classes, label, factors, count, source, licence}
    architecture {name, title, variational, parameters}
    codes {count, size, low [D], high [D], mean [D], variance [D], kl [D] | null, dead [D] of booleans, nearest_p99}
    projections {pca: {mean [D], components [2][D], explained [2]} | null, tsne: {count, perplexity} | null}
    replay {count, epochs [E]}      thumbnails {shape [h, w, C]} | null
    metrics [{name, title, split, value, unit}]
    training {epochs, best_epoch, seconds, samples_per_second, device, machine, finished}
    files {name: {bytes, sha256}} for every other file of the folder

Over HTTP a run is /run/<id>/<digest>/<file>, digest being the first 16 hex digits of run.json's SHA-256: such an
address never changes its content. One more name is served there without being stored: thumbnails.u8.gz, the M
samples as gzipped uint8 (M, h, w, C), made from the dataset when it is at hand, 404 when it is not.
"""

import dataclasses
import hashlib
import io
import json
import os
import re
import shutil
import tempfile
import zipfile
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models import PRETRAINED, Problem, datasets, home

FORMAT = 1
RECIPE = 1  # raised by hand when the same configuration would train to another result
ID = re.compile(r"[0-9a-f]{16}")
REQUIRED = ("history.jsonl", "weights.safetensors", "encoder.onnx", "decoder.onnx", "codes.f32", "rows.i32", "labels.i32", "errors.f32")
NOISES = ("none", "gaussian", "salt-and-pepper", "masking", "watermark")
LOSSES = ("squared-error", "bernoulli")
RECIPES = ("hourglass", "article")


@dataclass(frozen=True)
class Configuration:
    """Every choice that decides what a training gives. Equal configurations are the same run.

    noise_level: standard deviation (gaussian), share of values hit (salt-and-pepper, masking) or opacity
    (watermark), each in [0, 1]. beta weighs the KL term of a variational architecture (1 is the evidence lower
    bound). sparsity weighs the mean absolute code. recipe: "hourglass" warms up and anneals the learning rate,
    starts the output at the mean sample and keeps the best epoch; "article" keeps Keras's habits (constant
    rate, last epoch). stopped_after is set when a person ended the training before its last epoch.
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

    def canonical(self) -> str:
        """The configuration, the dataset's fingerprint and the recipe's version as one unambiguous line."""
        facts = {**dataclasses.asdict(self), "fingerprint": datasets.get(self.dataset).fingerprint, "recipe_version": RECIPE}
        return json.dumps(facts, sort_keys=True, separators=(",", ":"))

    @property
    def id(self) -> str:
        """16 hex digits: the first of the SHA-256 of `canonical()`."""
        return hashlib.sha256(self.canonical().encode()).hexdigest()[:16]

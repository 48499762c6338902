"""The run folder, format 1: what lies in it, and what run.json has to say for it to be one.

All binary files are little-endian and contiguous; M is the number of stored codes, D the code size.

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
    projections/umap.f32 (K, 2) of the same K codes; only where umap-learn was installed
    columns.json         of signals and tables: [{name, kind, start, width, mean, deviation, values}], see models/columns.py
    density.safetensors  how the codes are spread, see models/density.py. It can be made from the codes again, so run.json does not
                         name it: a run to which it is added stays the same run; absent in runs from before there was one
    replay/codes.f32     (E, R, D) codes of R fixed samples after the epochs listed in run.json; replay/index.i32 (R,) into the M codes

run.json (1 MB at most, not counting columns; numbers are finite and within `FACTS`; absent things are null):

    format 1, id, recipe, configuration {…}, versions {package: version},
    dataset {name, title, fingerprint, kind, shape, classes, label, factors, count, source, licence; the first runs of
        format 1 have the columns here, too, and no columns.json}
    architecture {name, title, variational, parameters, layers {encoder: [{layer, …}], decoder: […]}: each layer by its
        class in models/layers and that class's fields; absent in the first runs}
    codes {count, size, low [D], high [D], mean [D], variance [D], kl [D] | null, dead [D] of booleans, nearest_p99}
    projections {pca: {mean [D], components [2][D], explained [2]} | null, tsne: {count, perplexity} | null}
    replay {count, epochs [E]}      thumbnails {shape [h, w, C]} | null
    metrics [{name, title, split, count, value, unit}]
    training {epochs, best_epoch, seconds, samples_per_second, pca_validation (null where the loss is no error; young),
        device, machine, finished}
    files {name: {bytes, sha256}} for every other file of the folder

Over HTTP a run is /run/<id>/<digest>/<file>, digest being the first 16 hex digits of run.json's SHA-256: such an
address never changes its content. More names are served there without being stored, made from the dataset when
it is at hand, 404 when it is not: for images thumbnails.u8.gz, the M samples as gzipped uint8 (M, h, w, C); for
signals and tables samples.f32.gz, the first K <= M samples as gzipped float32 (K, *shape), K so that 64 MB hold them, NaN
where a value was missing. So are colours.json, [{name, kind, words}] for each column of the dataset, colours/<k>.f64.gz, the
values of the k-th of them (M,), and names.json, what the sample of each code is called. For the browser's own decoder
encoder.safetensors and decoder.safetensors are the weights of one part alone, and layers.json has the layers of both.
density.safetensors is one normal distribution where a run has none.
"""

from __future__ import annotations

import math
import re
from typing import Any

import numpy as np

from models import kinds
from models.architectures import MAX_CODE_SIZE
from models.readers.limits import LIMITS
from models.runs.configuration import Configuration

FORMAT = 1
FRAMES = 24  # epochs kept for the replay, at most
REPLAYED = 1000  # codes that are kept of each of them, at most
ID = re.compile(r"[0-9a-f]{16}")
MOST = 2**53  # the largest whole number up to which JSON means the same everywhere
HEADER = 1 << 20  # bytes of the table of a safetensors file, at most
VALUES = 2**26  # numbers of one sample, at most: a dataset of the least count that fills `LARGE.output` has fewer
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
    "projections/umap.f32",
    "columns.json",
    "card.md",
)
DERIVED = ("density.safetensors",)  # run.json does not name what can be made again
# What a folder holds while it grows, and not when it is finished.
WORKING = ("configuration.json", "control.json", "status.json", "strip.npy", "checkpoint.safetensors", "plan.json")
COOLING = "cooling down"  # what status.json says in the last seconds of a training that was stopped


def frame_epochs(chosen: Configuration) -> list[int]:
    """The epochs whose codes are kept for the replay, at most `FRAMES`: the first, the last, and between them closer
    together at the start, where most happens; by equal factors where the end is not known, so that any has some."""
    if chosen.recipe == "open-ended" or chosen.seconds:
        return sorted(set(np.geomspace(1, chosen.epochs, min(FRAMES, chosen.epochs)).round().astype(int).tolist()))
    shares = np.linspace(0, 1, min(FRAMES, chosen.epochs)) ** (1 if chosen.epochs <= FRAMES else 2)
    return sorted({1, *(1 + (chosen.epochs - 1) * shares).round().astype(int).tolist()})


def thumbnail_shape(shape: tuple[int, ...], count: int, most: int = 64 * 2**20) -> tuple[int, int, int]:
    """The size (h, w, C) at which `count` images (H, W, C) are sent to the browser: whole, or halved until they fit."""
    height, width, channels = shape
    while height * width * channels * count > most and max(height, width) > 1:
        height, width = -(-height // 2), -(-width // 2)
    return height, width, channels


def finite(text: str) -> float:
    number = float(text)
    if not np.isfinite(number):
        raise ValueError(f"{text} is no finite number")
    return number


_D, _MANY = [float, MAX_CODE_SIZE], 2**31 - 1  # a number for each dimension; rows are kept as int32
# run.json as it is checked before it becomes a `RunCard`: a type, a range of whole numbers, [type of each, how many at most],
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
COLUMN = {
    "name": str,
    "kind": str,
    "start": range(LIMITS.columns),
    "width": range(LIMITS.columns + 1),
    "mean": float,
    "deviation": float,
    "values": [str, LIMITS.columns],
}
EPOCH = {
    "epoch": int,
    "loss": dict,
    **dict.fromkeys(("validation", "learning_rate", "samples_per_second", "seconds"), float),
}
MEASURED = ("mse", "pca_mse", "squared_error", "pca_squared_error")  # on the test split, by every training


def check_facts(about: dict[str, Any]) -> None:
    """ValueError when run.json lacks a field of format 1, has one of another type or size, or contradicts itself."""
    check_type(about, FACTS, "run.json")
    codes, dataset = about["codes"], about["dataset"]
    _check_dataset(dataset)
    if not ID.fullmatch(about["id"]):
        raise ValueError("its id is not as it should be")
    for name, facts in about["files"].items():
        check_type(facts, {"bytes": int, "sha256": str}, name)
        if outside(name):
            raise ValueError("it names files outside its folder")
    if absent := [name for name in REQUIRED if name not in about["files"]]:
        raise ValueError(f"{', '.join(absent)} is not named")
    if not max(about["replay"]["count"], (about["projections"]["tsne"] or {"count": 0})["count"]) <= codes["count"]:
        raise ValueError("it shows more codes than there are")
    if about["replay"]["count"] > REPLAYED:
        raise ValueError(f"it replays {about['replay']['count']:,} codes, at most {REPLAYED:,} are allowed")
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
    known = kinds.KINDS.get(kind)
    if known is None or len(shape) != known.axes or math.prod(shape) > VALUES:
        raise ValueError(f"samples of kind {kind[:20]} and shape {shape} are not known")
    if not known.pixels:
        if shape[-1] > LIMITS.columns:
            raise ValueError(f"its samples have {shape[-1]:,} columns, at most {LIMITS.columns:,} are allowed")
        check_type(dataset.get("columns", []), [COLUMN, LIMITS.columns], "columns")


def check_type(value: Any, wanted: Any, where: str) -> None:  # noqa: PLR0912 - one branch for each way to say a type
    """ValueError unless `value` is as `FACTS` puts it; whole numbers are not negative."""
    if isinstance(wanted, tuple):
        if value is not None:
            check_type(value, wanted[0], where)
    elif isinstance(wanted, dict):
        check_type(value, dict, where)
        for name, inner in wanted.items():
            if name not in value:
                raise ValueError(f"{where} has no {name}")
            check_type(value[name], inner, f"{where}: {name}")
    elif isinstance(wanted, list):
        check_type(value, list, where)
        if len(value) > wanted[1]:
            raise ValueError(f"{where} lists {len(value):,} things, at most {wanted[1]:,} are allowed")
        for one in value:
            check_type(one, wanted[0], where)
    elif isinstance(wanted, range):
        check_type(value, int, where)
        if value < wanted.start:
            raise ValueError(f"{where} is {value:,}, at least {wanted.start:,} is required")
        if value >= wanted.stop:
            raise ValueError(f"{where} is too large ({value:,}, at most {wanted.stop - 1:,} is allowed)")
    else:
        types = (int, float) if wanted is float else (wanted,)
        if not isinstance(value, types) or (isinstance(value, bool) and wanted is not bool):
            raise ValueError(f"{where} is no {wanted.__name__}")
        if wanted is int and value < 0:
            raise ValueError(f"{where} is below zero")
        if isinstance(value, int) and abs(value) > MOST:
            raise ValueError(f"{where} is too large")


def outside(name: str) -> bool:
    return not re.fullmatch(r"[a-z0-9-]+(/[a-z0-9-]+)?\.[a-z0-9]+", name)

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
    metrics [{name, title, split, count, value, unit}]
    training {epochs, best_epoch, seconds, samples_per_second, device, machine, finished}
    files {name: {bytes, sha256}} for every other file of the folder

Over HTTP a run is /run/<id>/<digest>/<file>, digest being the first 16 hex digits of run.json's SHA-256: such an
address never changes its content. One more name is served there without being stored: thumbnails.u8.gz, the M
samples as gzipped uint8 (M, h, w, C), made from the dataset when it is at hand, 404 when it is not.
"""

from __future__ import annotations

import dataclasses
import hashlib
import io
import json
import os
import re
import shutil
import tempfile
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models import PRETRAINED, Problem, architectures, datasets, home
from models.codes import Coder, Plane

FORMAT = 1
RECIPE = 1  # raised by hand when the same configuration would train to another result
ID = re.compile(r"[0-9a-f]{16}")
REQUIRED = (
    "history.jsonl",
    "weights.safetensors",
    "encoder.onnx",
    "decoder.onnx",
    "codes.f32",
    "rows.i32",
    "labels.i32",
    "errors.f32",
)
NOISES = ("none", "gaussian", "salt-and-pepper", "masking", "watermark")
LOSSES = ("squared-error", "bernoulli")
RECIPES = ("hourglass", "article")
RANGES: dict[str, tuple[float, float]] = {
    "noise_level": (0, 1),
    "epochs": (1, 10_000),
    "batch_size": (1, 8192),
    "learning_rate": (1e-6, 1),
    "beta": (0, 1000),
    "sparsity": (0, 1000),
    "seed": (0, 2**31 - 1),
}


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
        facts = {
            **dataclasses.asdict(self),
            "fingerprint": datasets.get(self.dataset).fingerprint,
            "recipe_version": RECIPE,
        }
        return json.dumps(facts, sort_keys=True, separators=(",", ":"))

    @property
    def id(self) -> str:
        """16 hex digits: the first of the SHA-256 of `canonical()`."""
        return hashlib.sha256(self.canonical().encode()).hexdigest()[:16]

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
        if self.noise == "watermark" and dataset.kind != "image":
            raise Problem(
                f"a watermark was asked for on samples of kind {dataset.kind}",
                "watermarks go on images",
                "choose another noise",
            )
        if self.loss == "bernoulli" and dataset.kind != "image":
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
        return self


def configuration(values: dict[str, Any]) -> Configuration:
    """A checked configuration from plain values (a URL, a form, a file). Unknown names are a `Problem`.

    What is absent takes the architecture's default, then the general one.
    """
    fields = {field.name: field for field in dataclasses.fields(Configuration)}
    if unknown := sorted(set(values) - set(fields)):
        raise Problem(
            f"the choices {', '.join(unknown)} are unknown",
            f"choices are {', '.join(fields)}",
            "leave the unknown ones out",
        )
    if absent := [name for name in ("dataset", "architecture") if not values.get(name)]:
        raise Problem(f"no {' and no '.join(absent)} was chosen", "both have to be named", "name them")
    chosen = {**architectures.get(values["architecture"]).defaults, **values}
    kinds: dict[str, Callable[[Any], Any]] = {
        "int": _whole,
        "float": float,
        "str": str,
        "int | None": lambda value: None if value is None else _whole(value),
    }
    try:
        cast = {name: kinds[str(fields[name].type)](value) for name, value in chosen.items()}
    except (TypeError, ValueError) as error:
        raise Problem(
            f"a choice is not of its type ({error})", "numbers were expected where numbers belong", "correct the value"
        ) from error
    return Configuration(**cast).check()


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
        article = " (article)" if chosen.recipe == "article" else ""
        return f"{self.about['dataset']['title']} · {self.about['architecture']['title']}{article} · D = {self.code_size}{noise}"

    @cached_property
    def configuration(self) -> Configuration:
        known = {field.name for field in dataclasses.fields(Configuration)}
        return Configuration(**{name: value for name, value in self.about["configuration"].items() if name in known})

    @property
    def shape(self) -> tuple[int, ...]:
        return tuple(self.about["dataset"]["shape"])

    @property
    def classes(self) -> tuple[str, ...]:
        return tuple(self.about["dataset"]["classes"])

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

    @cached_property
    def splits(self) -> NDArray[np.uint8]:
        """The split of each stored code (M,), by the dataset's own rule."""
        return datasets.get(self.configuration.dataset).splits()[self.rows]

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


def thumbnail_shape(shape: tuple[int, ...], count: int, most: int = 64 * 2**20) -> tuple[int, int, int]:
    """The size (h, w, C) at which `count` images (H, W, C) are sent to the browser: whole, or halved until they fit."""
    height, width, channels = shape
    while height * width * channels * count > most:
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
    return run


def _numbers(run: Run) -> dict[str, int]:
    """How many 4-byte numbers each array file must hold."""
    m, d, replay = run.count, run.code_size, run.about["replay"]
    out = {"codes.f32": m * d, "rows.i32": m, "labels.i32": m, "errors.f32": m}
    if k := len(run.about["dataset"]["factors"]):
        out["factors.f32"] = m * k
    if run.pca:
        out["projections/pca.f32"] = 2 * m
    if tsne := run.about["projections"]["tsne"]:
        out |= {"projections/tsne.f32": 2 * tsne["count"], "projections/tsne-index.i32": tsne["count"]}
    return out | {"replay/codes.f32": len(replay["epochs"]) * replay["count"] * d, "replay/index.i32": replay["count"]}


def _read(folder: Path) -> Run:
    """run.json alone, checked for what `Run` reads from it."""
    try:
        text = (folder / "run.json").read_bytes()
        about = json.loads(text)
        if not isinstance(about, dict):
            raise ValueError("it is not an object")
    except (OSError, ValueError) as error:
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
        run = Run(folder, about, hashlib.sha256(text).hexdigest()[:16])
        needed = [
            run.id,
            run.title,
            run.shape,
            run.classes,
            run.count,
            run.code_size,
            run.variational,
            run.pca,
            about["metrics"],
            about["training"],
            about["replay"]["epochs"],
        ]
        absent = [name for name in REQUIRED if name not in about["files"]]
        if not ID.fullmatch(run.id) or absent or len(needed) == 0:
            raise ValueError(f"{', '.join(absent) or 'its id'} is not as it should be")
        if any(_outside(name) for name in about["files"]):
            raise ValueError("it names files outside its folder")
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise _damaged(
            folder, f"run.json does not describe a run ({error})", "the fields of format 1 were expected"
        ) from error
    return run


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
        str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file() and path.name != "run.json"
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
        part.unlink(missing_ok=True)
        raise Problem(
            f"{path.parent} cannot be written ({error.strerror or error})",
            "a folder with free space that this program may write to was expected",
            "free some space or name another folder in HOURGLASS_HOME",
        ) from error


def pack(run: Run) -> bytes:
    """The run as a zip: run.json and every file it names, under a folder of the run's id."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name in ("run.json", *run.about["files"]):
            deflate = zipfile.ZIP_STORED if name.endswith((".safetensors", ".onnx")) else zipfile.ZIP_DEFLATED
            archive.writestr(zipfile.ZipInfo(f"{run.id}/{name}"), (run.folder / name).read_bytes(), deflate)
    return out.getvalue()


MOST_UNPACKED = 512 * 2**20  # bytes: ten times the largest run that ships


def unpack(content: bytes) -> Run:
    """Open a run zip: check it as any run, rebuild its graphs from its weights, and keep it under <home>/runs.

    Only files that format 1 knows are taken out, under names of ours. The ONNX files in the zip are never run:
    they are written again from the weights and the architecture named in run.json, and anything else is refused.
    """
    try:
        archive = zipfile.ZipFile(io.BytesIO(content))
        entries = {
            entry.filename.partition("/")[2] if "/" in entry.filename else entry.filename: entry
            for entry in archive.infolist()
            if not entry.is_dir()
        }
        tops = {entry.filename.partition("/")[0] for entry in archive.infolist()}
        if "run.json" not in entries or len(tops) > 1:
            raise ValueError("it does not hold one run")
        size = sum(entry.file_size for entry in entries.values())
    except (zipfile.BadZipFile, ValueError, OSError) as error:
        raise Problem(
            f"the file cannot be opened as a run ({error})",
            "a zip downloaded from Hourglass was expected",
            "choose such a zip",
        ) from error
    if size > MOST_UNPACKED or any(_outside(name) for name in entries):
        raise Problem(
            f"the zip holds {size:,} bytes in {len(entries)} files, or odd file names",
            f"at most {MOST_UNPACKED:,} bytes of a run's own files were expected",
            "choose a zip downloaded from Hourglass",
        )
    own = home() / "runs"
    try:
        own.mkdir(parents=True, exist_ok=True)
        part = Path(tempfile.mkdtemp(dir=own, prefix=".opened-"))
    except OSError as error:
        raise Problem(
            f"{own} cannot be written ({error.strerror})",
            "a folder this program may write to was expected",
            "name another folder in HOURGLASS_HOME",
        ) from error
    try:
        for name, entry in entries.items():
            target = part / name
            target.parent.mkdir(exist_ok=True)
            with archive.open(entry) as stream:
                data = stream.read(entry.file_size + 1)
            if len(data) != entry.file_size:
                raise Problem(
                    f"{name} in the zip is larger than it says",
                    f"{entry.file_size:,} bytes were expected",
                    "choose a zip downloaded from Hourglass",
                )
            target.write_bytes(data)
        run = open_run(part)
        _rebuild(run)
        place = own / run.id
        if not place.is_dir():
            part.rename(place)
        return open_run(place)
    except (zipfile.BadZipFile, EOFError, NotImplementedError, RuntimeError) as error:
        raise Problem(
            f"the zip is broken ({error})", "a whole zip downloaded from Hourglass was expected", "download it again"
        ) from error
    finally:
        shutil.rmtree(part, ignore_errors=True)


def _rebuild(run: Run) -> Run:
    """Check an opened run against our own architectures and put graphs of our own writing in place of the zip's."""
    from models import export

    chosen = run.configuration.check()
    dataset = datasets.get(chosen.dataset)
    blueprint = architectures.get(chosen.architecture).blueprint(dataset.kind, dataset.shape, chosen.code_size)
    if run.shape != dataset.shape or run.code_size != chosen.code_size or run.id != chosen.id:
        raise _damaged(
            run.folder,
            "its configuration and its codes disagree",
            "the same dataset, shape and code size in both were expected",
        )
    table, start = export.header(run.folder / "weights.safetensors")
    if {name: tuple(place["shape"]) for name, place in table.items()} != blueprint.weights:
        raise _damaged(
            run.folder,
            "its weights are not those of its architecture",
            f"the {len(blueprint.weights)} weights of {chosen.architecture} were expected",
        )
    if (
        max(place["data_offsets"][1] for place in table.values()) + start
        != (run.folder / "weights.safetensors").stat().st_size
    ):
        raise _damaged(run.folder, "its weights are cut short", "a whole safetensors file was expected")
    if not np.isfinite(run.codes).all() or not np.isfinite(run.errors).all():
        raise _damaged(run.folder, "its codes hold infinite or undefined numbers", "finite numbers were expected")
    for name, graph in export.graphs(blueprint, run.folder / "weights.safetensors").items():
        (run.folder / name).write_bytes(graph)
    return seal(run.folder, {name: value for name, value in run.about.items() if name != "files"})

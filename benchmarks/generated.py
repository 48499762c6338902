"""Runs that nobody trained, for measuring: more codes than any dataset here has, or a network with random weights."""

import hashlib
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import serving  # noqa: F401  (puts the project on the path)
from numpy.typing import NDArray

from models import architectures, codes, datasets, graphs, runs


def enlarged(home: Path, run: runs.Run, count: int) -> runs.Run:
    """The run with `count` codes: its own again and again, each a little beside itself, so that no two are equal."""
    folder, id_ = _place(home, f"{run.id} {count}")
    shutil.copytree(run.folder, folder, ignore=shutil.ignore_patterns("projections", "run.json"))
    random = np.random.default_rng(0)
    source = random.integers(0, run.count, count)
    spread = run.codes.std(0) * 0.02
    many = (run.codes[source] + random.normal(0, spread, (count, run.code_size))).astype("<f4")
    columns = {"rows.i32": run.rows, "labels.i32": run.labels, "errors.f32": run.errors, "factors.f32": run.factors}
    for name, column in columns.items():
        if (folder / name).is_file():
            (folder / name).write_bytes(column[source].tobytes())
    (folder / "codes.f32").write_bytes(many.tobytes())
    about = {**run.stored_card(), "id": id_, "codes": _described(many), "projections": {"pca": None, "tsne": None}}
    about["dataset"] = {**about["dataset"], "count": max(count, about["dataset"]["count"])}
    if about["thumbnails"]:
        about["thumbnails"] = {"shape": runs.thumbnail_shape(run.shape, count)}
    return runs.seal(folder, {name: value for name, value in about.items() if name != "files"})


def untrained(home: Path, like: runs.Run, dataset: str, architecture: str, code_size: int, count: int) -> runs.Run:
    """A run of this architecture with random weights and random codes: it decodes noise at its true price.

    `like` lends what does not matter here: the history and the metrics.
    """
    from safetensors.numpy import save_file

    folder, id_ = _place(home, f"{dataset} {architecture} {code_size} {count}")
    of, kind = datasets.get(dataset), architectures.get(architecture)
    blueprint = kind.blueprint(of.kind, of.shape, code_size)
    random = np.random.default_rng(0)
    (folder / "replay").mkdir(parents=True)
    shutil.copy(like.folder / "history.jsonl", folder)
    weights = {name: random.normal(0, 0.05, shape).astype(np.float32) for name, shape in blueprint.weights.items()}
    save_file(weights, folder / "weights.safetensors")
    for name, graph in graphs.graphs(blueprint, folder / "weights.safetensors").items():
        (folder / name).write_bytes(graph)
    some = random.normal(0, 1, (count, code_size)).astype("<f4")
    plane, _ = codes.pca_plane(some)
    size = int(np.prod(of.shape))
    save_file(
        {"mean": np.zeros(size, np.float32), "components": np.eye(code_size, size, dtype=np.float32)},
        folder / "baseline.safetensors",
    )
    numbers = {
        "codes.f32": some,
        "rows.i32": np.arange(count, dtype="<i4"),
        "labels.i32": np.full(count, -1, "<i4"),
        "errors.f32": np.ones(count, "<f4"),
        "factors.f32": np.zeros((count, len(of.factors)), "<f4"),
        "replay/codes.f32": np.stack([some[:100], some[:100]]),
        "replay/index.i32": np.arange(100, dtype="<i4"),
        "projections/pca.f32": plane.project(some).astype("<f4"),
    }
    for name, values in numbers.items():
        (folder / name).parent.mkdir(exist_ok=True)
        if values.size:
            (folder / name).write_bytes(values.tobytes())
    stored = {"mean": plane.mean.tolist(), "components": plane.components.tolist(), "explained": [0.5, 0.5]}
    chosen = runs.configure({"dataset": dataset, "architecture": architecture, "code_size": code_size})
    facts = {"name": architecture, "title": kind.title, "variational": kind.variational}
    lent = like.stored_card()
    about = {
        **{name: value for name, value in lent.items() if name != "files"},
        "id": id_,
        "configuration": {**lent["configuration"], **vars(chosen)},
        "dataset": runs.dataset_facts(of),
        "architecture": {**facts, "parameters": blueprint.parameters},
        "codes": _described(some),
        "projections": {"pca": stored, "tsne": None},
        "replay": {"count": 100, "epochs": [1, 2]},
        "thumbnails": {"shape": runs.thumbnail_shape(of.shape, count)},
    }
    return runs.seal(folder, about)


def _place(home: Path, what: str) -> tuple[Path, str]:
    id_ = hashlib.sha256(what.encode()).hexdigest()[:16]
    return home / "runs" / id_, id_


def _described(some: NDArray[np.float32]) -> dict[str, Any]:
    return codes.describe(some, None)

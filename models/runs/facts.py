"""What run.json says of a run, typed. Its fields are those that `format` describes; what it says beyond them is left out."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from models.runs.configuration import Configuration

T = TypeVar("T")


@dataclass(frozen=True)
class DatasetFacts:
    name: str
    title: str
    fingerprint: str
    kind: str
    shape: tuple[int, ...]
    classes: tuple[str, ...]
    label: str
    factors: tuple[str, ...]
    count: int
    source: str
    licence: str
    columns: tuple[dict[str, Any], ...] | None  # only in the first runs: later ones have a columns.json


@dataclass(frozen=True)
class ArchitectureFacts:
    name: str
    title: str
    variational: bool
    parameters: int


@dataclass(frozen=True)
class CodeFacts:
    """M codes of size D: `count` is M, `size` is D, and each tuple has one entry for each dimension."""

    count: int
    size: int
    low: tuple[float, ...]
    high: tuple[float, ...]
    mean: tuple[float, ...]
    variance: tuple[float, ...]
    kl: tuple[float, ...] | None  # in nats; None unless the run is variational
    dead: tuple[bool, ...]
    nearest_p99: float


@dataclass(frozen=True)
class PlaneFacts:
    """The plane of largest variance: mean (D,), components (2, D) and the share of the variance of each (2,)."""

    mean: tuple[float, ...]
    components: tuple[tuple[float, ...], ...]
    explained: tuple[float, ...]


@dataclass(frozen=True)
class TsneFacts:
    count: int
    perplexity: float


@dataclass(frozen=True)
class ProjectionFacts:
    pca: PlaneFacts | None
    tsne: TsneFacts | None


@dataclass(frozen=True)
class ReplayFacts:
    count: int
    epochs: tuple[int, ...]


@dataclass(frozen=True)
class ThumbnailFacts:
    shape: tuple[int, int, int]  # (h, w, C)


@dataclass(frozen=True)
class MetricFacts:
    name: str
    title: str
    split: str
    count: int
    value: float
    unit: str


@dataclass(frozen=True)
class TrainingFacts:
    epochs: int
    best_epoch: int
    seconds: float
    samples_per_second: float
    device: str
    machine: str
    finished: str  # 2026-11-26T12:00:00Z
    precision: str | None  # None in runs from before there was a choice
    pca_validation: float | None  # None in the first runs, and where the loss is no error


@dataclass(frozen=True)
class FileFacts:
    bytes: int
    sha256: str


@dataclass(frozen=True)
class RunCard:
    """What run.json says, format 1. The explorer has the same under this name, in card.ts."""

    id: str
    recipe: int
    configuration: Configuration
    dataset: DatasetFacts
    architecture: ArchitectureFacts
    codes: CodeFacts
    projections: ProjectionFacts
    replay: ReplayFacts
    thumbnails: ThumbnailFacts | None
    metrics: tuple[MetricFacts, ...]
    training: TrainingFacts
    files: Mapping[str, FileFacts]


def run_card(stored: dict[str, Any], configuration: Configuration) -> RunCard:
    """The card of a run.json that `check_facts` let through. configuration: its choices, as they were read."""
    training = _facts(TrainingFacts, stored["training"])
    # Only nice to have, and not among what is checked: anything else than expected is as good as nothing.
    precision = training.precision if isinstance(training.precision, str) else None
    pca = training.pca_validation if isinstance(training.pca_validation, float) else None
    plane, tsne = stored["projections"]["pca"], stored["projections"]["tsne"]
    return RunCard(
        stored["id"],
        stored["recipe"],
        configuration,
        _facts(DatasetFacts, stored["dataset"]),
        _facts(ArchitectureFacts, stored["architecture"]),
        _facts(CodeFacts, stored["codes"]),
        ProjectionFacts(_facts(PlaneFacts, plane) if plane else None, _facts(TsneFacts, tsne) if tsne else None),
        _facts(ReplayFacts, stored["replay"]),
        _facts(ThumbnailFacts, stored["thumbnails"]) if stored["thumbnails"] else None,
        tuple(_facts(MetricFacts, metric) for metric in stored["metrics"]),
        dataclasses.replace(training, precision=precision, pca_validation=pca),
        {name: _facts(FileFacts, facts) for name, facts in stored["files"].items()},
    )


def _facts(kind: type[T], stored: dict[str, Any]) -> T:
    """A dataclass from a part of run.json: lists as tuples, fields that it does not know left out, absent ones None."""
    return kind(*(_frozen(stored.get(name)) for name in kind.__annotations__))


def _frozen(value: Any) -> Any:
    if not isinstance(value, list):
        return value
    return tuple(map(_frozen, value)) if value and isinstance(value[0], list) else tuple(value)

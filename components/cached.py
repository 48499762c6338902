"""The only cached functions of the pages. Finished runs never change, so their id and digest are all the key they need.
Of a growing run the second is part of the key: a class that watches one training has it drawn once a second, not thirty times.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ParamSpec

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from components import figures, pictures, visitor
from models import Problem, datasets, engine, export, home, runs, uploads
from models.analysis import checks, metrics, reconstruct
from models.codes import pca_plane
from models.columns import numbered, unscaled

P = ParamSpec("P")
LIVE = 3  # signals, and channels of them, that are drawn while one trains
TESTED = 2000  # test samples that a page reconstructs: one to three seconds, once


@st.cache_resource(max_entries=16, show_spinner=False)
def _opened(folder: str, digest: str) -> runs.Run:
    return runs.open_run(Path(folder))


def opened(run: runs.Run) -> runs.Run:
    """The run, checked whole once: a `Problem` when its files are not as they were written."""
    return _opened(str(run.folder), run.digest)


@st.cache_data(max_entries=16, show_spinner=False)
def _part(folder: str, digest: str, what: str, named: bool) -> bytes:
    return export.part(_opened(folder, digest), what, named=named)


def part(run: runs.Run, what: str, named: bool = False) -> bytes:
    """The content of a download; named: with the names of the samples, where this visitor may read them."""
    return _part(str(run.folder), run.digest, what, named)


@st.cache_data(max_entries=8, show_spinner="Reconstructing the test split…")
def _test_errors(
    folder: str, digest: str, most: int
) -> tuple[NDArray[np.int64], NDArray[np.float32], NDArray[np.float32]]:
    run = _opened(folder, digest)
    test = np.flatnonzero(run.dataset.splits() == datasets.TEST)[:most]
    parts = [reconstruct.rows(run, some) for some in np.array_split(test, max(1, len(test) // 1000))]
    return test, np.concatenate([p.errors for p in parts]), np.concatenate([p.pca_errors for p in parts])


@st.cache_data(max_entries=8, show_spinner=False)
def _column_errors(folder: str, digest: str, most: int) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    run = _opened(folder, digest)
    rows = _test_errors(folder, digest, most)[0]
    parts = [reconstruct.rows(run, some) for some in np.array_split(rows, max(1, len(rows) // 1000))]
    clean, ours, pca = (np.concatenate([getattr(part, name) for part in parts]) for name in ("clean", "run", "pca"))
    return metrics.by_column(run.columns, clean, ours), metrics.by_column(run.columns, clean, pca)


def column_errors(run: runs.Run, most: int = TESTED) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """The error of each column or channel (K,), the run's and PCA's, on the rows of `test_errors`."""
    return _column_errors(str(run.folder), run.digest, most)


def test_errors(
    run: runs.Run, most: int = TESTED
) -> tuple[NDArray[np.int64], NDArray[np.float32], NDArray[np.float32]]:
    """The first `most` rows of the test split, the run's error of each and PCA's (N,). Needs the dataset at hand."""
    return _test_errors(str(run.folder), run.digest, most)


@st.cache_data(max_entries=16, show_spinner=False)
def _factors(folder: str, digest: str) -> tuple[NDArray[np.float64], list[tuple[int, int]], float]:
    run = _opened(folder, digest)
    told = metrics.factors_told(run.codes, run.factors)
    return told, metrics.own_dimensions(told), metrics.mutual_information_gap(run.codes, run.factors)


def factors(run: runs.Run) -> tuple[NDArray[np.float64], list[tuple[int, int]], float]:
    """What the stored codes tell of the factors (D, K), the dimension of each factor's own, the mutual information gap."""
    return _factors(str(run.folder), run.digest)


@st.cache_data(max_entries=64, show_spinner=False)
def _originals(dataset: str, rows: tuple[int, ...]) -> NDArray[Any] | None:
    found = datasets.get(dataset)
    return None if datasets.missing(found) else datasets.samples_at(found, np.array(rows, np.int64))


def originals(dataset: str, rows: tuple[int, ...]) -> NDArray[Any] | None:
    """These rows of a dataset as it stores them, None when it has to be downloaded first, was deleted, or belongs to
    somebody else than this visitor."""
    return _originals(dataset, rows) if uploads.readable(dataset, visitor.owner()) else None


def forget_originals() -> None:
    """Look again: a dataset has arrived."""
    _originals.clear()


@st.cache_resource(max_entries=4, show_spinner="Finding the nearest codes…")
def _neighbours(folder: str, digest: str) -> checks.Near:
    return checks.neighbours(_opened(folder, digest).codes)


@st.cache_resource(max_entries=8, show_spinner="Comparing samples…")
def _duplicates(folder: str, digest: str, alike: float, samples: bool) -> checks.Duplicates:
    run = _opened(folder, digest)
    return checks.duplicates(run, _neighbours(folder, digest), alike, samples=samples)


@st.cache_resource(max_entries=8, show_spinner=False)
def _outliers(folder: str, digest: str) -> checks.Outliers:
    run = _opened(folder, digest)
    return checks.outliers(run.errors, run.splits, _neighbours(folder, digest))


@st.cache_resource(max_entries=8, show_spinner=False)
def _mislabelled(folder: str, digest: str) -> checks.Mislabelled:
    return checks.mislabelled(_opened(folder, digest).labels, _neighbours(folder, digest))


def neighbours(run: runs.Run) -> checks.Near:
    """The nearest codes of each stored code. Read only, as what follows."""
    return _neighbours(str(run.folder), run.digest)


def duplicates(run: runs.Run, alike: float, samples: bool) -> checks.Duplicates:
    """Pairs that differ by at most `alike` times what two random samples differ by."""
    return _duplicates(str(run.folder), run.digest, alike, samples)


def outliers(run: runs.Run) -> checks.Outliers:
    """Samples by how much they stand out."""
    return _outliers(str(run.folder), run.digest)


def mislabelled(run: runs.Run) -> checks.Mislabelled:
    """Samples by how much their neighbours disagree with their label."""
    return _mislabelled(str(run.folder), run.digest)


@dataclass(frozen=True)
class Live:
    """A growing run as it is drawn: its newest epoch, the whole training loss of it, the median seconds of one, the
    losses and the forming map as figures, samples by their names: a picture as an HTML element, or a figure."""

    newest: dict[str, Any]
    loss: float
    seconds: float
    losses: Any
    forming: Any | None
    strips: dict[str, Any]


@st.cache_resource(max_entries=32, show_spinner=False)
def _live(id_: str, root: str, second: int) -> Live | None:
    history, chosen = engine.progress(id_), engine.configuration(id_)
    if not history or chosen is None:
        return None
    seconds = float(np.median([line["seconds"] for line in history[-100:]]))
    newest, drawn = history[-1], figures.losses(history, chosen, status(id_).pca)
    return Live(newest, chosen.whole(newest["loss"]), seconds, drawn, _forming(id_), _strips(id_))


def live(id_: str) -> Live | None:
    """None before the first epoch has ended. Else what is to be seen of a training in this second, the same for everybody who watches it."""
    return _live(id_, str(home()), int(time.monotonic()))


@st.cache_resource(max_entries=256, show_spinner=False)
def _status(id_: str, root: str, second: int) -> engine.Status:
    return engine.status(id_)


def status(id_: str) -> engine.Status:
    """Where a training stood when somebody first asked in this second."""
    return _status(id_, str(home()), int(time.monotonic()))


def drawing(draw: Callable[P, None]) -> Callable[P, None]:
    """A function that draws, without widgets: what it drew is drawn again for whoever brings the same arguments.

    Arguments that begin with an underscore do not count. Drawing again skips what a figure costs each time.
    """
    return st.cache_resource(max_entries=32, show_spinner=False)(draw)


def _forming(id_: str) -> Any | None:
    """The map as it forms: the codes of the replay samples after the newest epoch."""
    facts = engine.configuration(id_)
    if facts is None or (found := engine.codes(id_)) is None:
        return None
    codes, labels = found
    if codes.shape[1] == 1:
        points, axes = np.column_stack([codes[:, 0], np.zeros(len(codes))]), ("z1", "")
    elif codes.shape[1] == 2:
        points, axes = codes, ("z1", "z2")
    else:
        points, axes = pca_plane(codes)[0].project(codes), ("PCA 1 of the codes", "PCA 2")
    try:
        classes = datasets.get(facts.dataset).classes
    except Problem:  # deleted while it is trained on
        classes = tuple(f"class {label}" for label in range(int(labels.max(initial=-1)) + 1))
    figure = figures.latent_map(points, labels, classes, axes, height=260)
    return figure.update_layout(showlegend=False, uirevision=None)


def _strips(id_: str) -> dict[str, Any]:
    """A few validation samples and what the network makes of them now. Images as elements that hold the picture itself:
    a file of its own would be gone before a slow browser has asked for it. Signals and rows as a figure."""
    strip, facts = engine.strip(id_), engine.configuration(id_)
    if strip is None or facts is None:
        return {}
    if strip.ndim == 3:
        return {"originals and reconstructions of a few rows": figures.parity(strip[0], strip[-1])}
    if strip.ndim == 4:
        try:
            dataset = datasets.get(facts.dataset)
        except Problem:  # deleted while it is trained on
            return {}
        columns = (dataset.columns or numbered("signal", dataset.shape))[:LIVE]
        real = unscaled(dataset.columns or numbered("signal", dataset.shape), strip[:, :LIVE])[..., : len(columns)]
        lines = {"original": real[0]} | ({"noisy input": real[1]} if len(real) == 3 else {})
        drawn = figures.signals(lines | {"reconstruction": real[-1]}, columns, [""] * real.shape[1], across=LIVE)
        return {"a few signals and what the network makes of them": drawn}
    names = ["originals", "noisy inputs", "reconstructions"] if len(strip) == 3 else ["originals", "reconstructions"]
    return {name: pictures.element(pictures.strip(row / 255, 64), name) for name, row in zip(names, strip, strict=True)}

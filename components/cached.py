"""What several pages keep between reruns, and `per_run`, by which a page keeps what it computes of a finished run.

Of a growing run the second is part of the key: a class that watches one training has it drawn once a second, not thirty times.
"""

import functools
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Concatenate, ParamSpec, TypeAlias, TypeVar

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from components import figures, pictures, visitor
from models import Problem, datasets, engine, export, home, runs, shown, uploads
from models.codes import pca_plane
from models.columns import numbered, unscaled

P = ParamSpec("P")
T = TypeVar("T")
OfRun: TypeAlias = Callable[Concatenate[runs.Run, P], T]
LEGEND = 14  # classes that the map of a training names, as many as have a colour of their own
LIVE = 3  # signals, and channels of them, that are drawn while one trains


def _key(run: runs.Run) -> tuple[str, str]:
    return str(run.folder), run.digest


@st.cache_resource(max_entries=16, show_spinner=False, hash_funcs={runs.Run: _key})
def opened(run: runs.Run) -> runs.Run:
    """The run, checked whole once: a `Problem` when its files are not as they were written."""
    return runs.open_run(run.folder)


def per_run(max_entries: int, spinner: str | bool = False) -> Callable[[OfRun[P, T]], OfRun[P, T]]:
    """A decorator: what a function computes of a finished run is kept for the runs and arguments that came last.

    A finished run never changes: its folder and digest are the whole key, and the function gets it checked, as `opened`
    gives it (a `Problem` when its files are not as they were written). Everybody gets the same object: read only.
    spinner: what a visitor reads meanwhile, where it takes seconds.
    """

    keep = st.cache_resource(max_entries=max_entries, show_spinner=spinner, hash_funcs={runs.Run: _key})

    def decorate(compute: OfRun[P, T]) -> OfRun[P, T]:
        @functools.wraps(compute)
        def of_checked(run: runs.Run, /, *args: P.args, **kwargs: P.kwargs) -> T:
            return compute(opened(run), *args, **kwargs)

        return keep(of_checked)

    return decorate


@st.cache_data(max_entries=64, show_spinner=False)
def _originals(dataset: str, rows: tuple[int, ...]) -> NDArray[Any] | None:
    found = datasets.get(dataset)
    return None if datasets.missing(found) else datasets.originals_at(found, np.array(rows, np.int64))


def originals(dataset: str, rows: tuple[int, ...]) -> NDArray[Any] | None:
    """These rows of a dataset as it stores them, NaN where a value was missing; None when it has to be downloaded first, was deleted, or belongs to
    somebody else than this visitor."""
    return _originals(dataset, rows) if uploads.readable(dataset, visitor.owner()) else None


def called(run: runs.Run, rows: NDArray[np.integer[Any]]) -> list[str]:
    """What these rows of a run's dataset are called: by the id or name that they came with, for whoever may read them, else
    "row 17", counted from 1."""
    name = run.card.dataset.name
    known = datasets.names(run.dataset) if uploads.own(name) and uploads.readable(name, visitor.owner()) else None
    if known is None or not export.name_column(known, np.zeros(0, np.int64), uploads.called(name)):
        return [f"row {row + 1}" for row in rows.tolist()]
    bare = bool(uploads.called(name)) or not known[0].isdecimal()
    return [known[row] if bare else f"row {known[row]}" for row in rows.tolist()]


def forget_originals() -> None:
    """Look again: a dataset has arrived."""
    _originals.clear()


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
    return Live(newest, chosen.total_loss(newest["loss"]), seconds, drawn, _forming(id_), _strips(id_))


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
    tones = shown.class_colours(facts.dataset, classes)
    figure = figures.latent_map(points, labels, classes, axes, height=400, palette=tones)
    return figure.update_layout(showlegend=0 < len(classes) <= LEGEND, uirevision=None)


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
    name = "originals, noisy inputs and reconstructions" if len(strip) == 3 else "originals and reconstructions"
    return {
        f"{name}, one below the other": pictures.element(
            pictures.below(strip / 255, across=8 if len(strip) == 3 else 4), name
        )
    }

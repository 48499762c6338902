"""The explorer: a live map of a run's codes, on which every pointer move decodes a sample in the browser.

Only addresses and plain numbers cross between here and the browser. Python hears of a code when the pointer is
released, and of a selection when its shape is closed.
"""

import json
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, TypedDict

import streamlit as st

from components.explorer.assets import loader, sent


class View(TypedDict, total=False):
    """How the explorer opens. palette: class colours as "#rrggbb". code: where the marker stands; free: from there it
    follows the pointer, else it is held. plane: "pca", "tsne", "umap" or two dimensions as "z1,z2". colour: "class", "error",
    "factor:0", "column:0" (see `models.runs.colours`) or "plain". layer: "none",
    "manifold", "density", "classes" or "stretch". tool: "explore", "lasso", "path", "draw" or "replay". hidden: classes
    that are not shown, as "0,2" (-1: without a class), or all but some, as "!3". points: "no" where the points are not
    shown. camera: the middle of the map and how much larger than the whole it is shown, as "x,y,zoom"."""

    palette: list[str]
    code: list[float] | None
    free: bool
    plane: str
    colour: str
    layer: str
    tool: str
    hidden: str
    points: str
    camera: str


SHOWN = ("plane", "colour", "layer", "tool", "hidden", "points", "camera")  # what the browser reports of a view


@dataclass(frozen=True)
class Selection:
    """A closed lasso: its corners (x, y) in coordinates of the plane, the plane's name, how many samples it holds.

    hidden: labels that were hidden and are not selected, -1 for samples without a label.
    """

    plane: str
    polygon: list[tuple[float, float]]
    count: int
    hidden: tuple[int, ...] = ()


@dataclass(frozen=True)
class ExplorerResult:
    """What the person last let go of: a code (D numbers) and a selection; None where there is none yet.

    view: how the map is shown, by the names that `View` has for it ("" where nothing is hidden and all is shown);
    empty until the explorer has opened.
    """

    code: list[float] | None
    selection: Selection | None
    view: dict[str, str]


@cache
def _component() -> Callable[..., Mapping[str, Any]]:
    return st.components.v2.component("hourglass.explorer", js=loader("explorer.js"), isolate_styles=False)


def payload(run_url: str, view: Mapping[str, Any], about: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """What is sent to the browser. Raises when something other than texts and finite numbers is in it.

    Streamlit would turn the whole payload into text without a word if an array or a numpy scalar were in it.
    """
    out = {"run_url": run_url, "view": dict(view), "about": dict(about or {})}
    json.dumps(out, allow_nan=False)
    return out


def explorer(
    run_url: str, *, view: View | None = None, about: Mapping[str, Any] | None = None, key: str
) -> ExplorerResult:
    """Draw the explorer of the run served at `run_url`, relative to the app ("run/<id>/<digest>/").

    about: what is known of the run beside its folder, in words; its parts are listed in frontend/src/about.ts.

    Returns the code and the selection that the person released last on this run.
    """
    state = _component()(
        key=key,
        data=sent(payload(run_url, view or {}, about)),
        on_code_change=_nothing,
        on_selection_change=_nothing,
        on_view_change=_nothing,
    )
    return read(state, run_url)


COMPARED = ("colour", "layer", "points", "hidden", "tool", "aligned", "together", "held")  # what is reported of several


@cache
def _comparison() -> Callable[..., Mapping[str, Any]]:
    return st.components.v2.component("hourglass.comparison", js=loader("compare.js"), isolate_styles=False)


def comparison(runs: Sequence[tuple[str, str, Sequence[str]]], *, view: Mapping[str, Any], key: str) -> dict[str, str]:
    """Draw several runs of one dataset side by side, joined by the rows of the dataset.

    runs: for each its address relative to the app, what it is called, and what its dimensions stand for (may be empty).
    view: how they open, by the names in `View` and "aligned" ("no": each map as it is), "together" ("no": each map has its
    own colours), "held" (the row of the dataset that is held, or the map on which a place between samples is held and its
    code, as "2:0.5,-1").

    Returns how they are shown now, by the names in `COMPARED`; "" stands for what is usual. Empty until they have opened.
    """
    shown = [{"run_url": url, "title": title, "about": {"meanings": list(words)}} for url, title, words in runs]
    data = {"runs": shown, "view": dict(view)}
    json.dumps(data, allow_nan=False)
    said = _comparison()(key=key, data=sent(data), on_view_change=_nothing).get("view")
    if not isinstance(said, Mapping) or said.get("runs") != " ".join(url for url, *_ in runs):
        return {}
    return {name: said[name] for name in COMPARED if isinstance(said.get(name), str)}


@cache
def _lab() -> Callable[..., Mapping[str, Any]]:
    return st.components.v2.component("hourglass.lab", js=loader("lab.js"), isolate_styles=False)


def lab(name: str, run_url: str, data: Mapping[str, Any], *, view: Mapping[str, str], key: str) -> dict[str, str]:
    """Draw the browser's part of a lab about the run served at `run_url`: data is what Python computed for it.

    Returns how it is shown now, by the lab's own names; "" stands for what is usual. Empty until it was touched.
    """
    about = {"lab": name, "run_url": run_url, "data": dict(data), "view": dict(view)}
    json.dumps(about, allow_nan=False)
    said = _lab()(key=key, data=sent(about), on_view_change=_nothing).get("view")
    if not isinstance(said, Mapping) or said.get("of") != f"{name} {run_url}":
        return {}
    return {str(name): value for name, value in said.items() if name != "of" and isinstance(value, str)}


def read(state: Mapping[str, Any], run_url: str) -> ExplorerResult:
    """The result in what the browser reported. What belongs to another run, or is not of the right kind, is None."""
    code = selection = None
    said = state.get("code")
    if isinstance(said, Mapping) and said.get("run") == run_url and _finite(said.get("code")):
        code = [float(value) for value in said["code"]]
    drawn = state.get("selection")
    if (
        isinstance(drawn, Mapping)
        and drawn.get("run") == run_url
        and _finite(drawn.get("polygon"))
        and isinstance(drawn.get("count"), int)
    ):
        flat = [float(value) for value in drawn["polygon"]]
        corners = list(zip(flat[::2], flat[1::2], strict=False))
        if len(corners) >= 3:
            hidden = drawn.get("hidden")
            labels = tuple(one for one in hidden if isinstance(one, int)) if isinstance(hidden, Sequence) else ()
            selection = Selection(str(drawn.get("plane")), corners, drawn["count"], labels)
    shown = state.get("view")
    view = {}
    if isinstance(shown, Mapping) and shown.get("run") == run_url:
        view = {name: shown[name] for name in SHOWN if isinstance(shown.get(name), str)}
    return ExplorerResult(code=code, selection=selection, view=view)


def _finite(values: object) -> bool:
    return (
        isinstance(values, Sequence)
        and len(values) > 0
        and all(isinstance(v, int | float) and math.isfinite(v) for v in values)
    )


def _nothing() -> None:
    """Streamlit knows a component's state by its callbacks; the page reads the state itself."""

"""Features: what codes are good for where few samples have labels, measured, and by naming samples on the map."""

import base64
from collections.abc import Mapping
from functools import partial
from typing import Any

import numpy as np
import streamlit as st

from components import address, cached, choosing, labs, pictures, visitor
from components.labs import Try
from components.views import Page
from models import datasets, export, runs, uploads
from models.analysis import hidden, probing
from models.labs import Answer, features
from models.shown import palette

LAB = features.LAB
SHOWN = ("count", "method", "named")  # what the browser reports
ON_MAP = 2000  # samples that can be named, and others by which it is judged what that taught
FEWEST = 500  # samples beside the test split, without which test samples are named, and judged by others
LONGEST = 4000  # characters of the address for what was named

EXPLAINED = (
    "Labels are drawn at random, as many of each class, five times; the lines are means, the bars standard deviations. "
    "**Logistic regression** is a linear probe, **support vectors** have Gaussian kernels. **Label spreading** joins each training "
    "sample to its 7 nearest and lets the few labels flow along; training samples without a label take part, test samples never "
    "do: a new sample gets the class of its 7 nearest training samples. All methods have the same settings for all features, "
    "chosen on another dataset. Which features and method speak for a side was chosen by validation samples; the figures are of "
    "test samples. A tie is where 0 lies in the 95 % interval of the difference (paired bootstrap of draws and samples)."
)


def show() -> None:
    """Draw the page."""
    run = labs.begin(LAB)
    if run is None:
        return
    view = labs.opened_as(LAB, run.id, SHOWN, LONGEST)
    found = labs.answer(LAB, run, {})
    tuned: dict[str, str] = {}
    if found is not None:
        view = labs.drawn(LAB, run.url, {**payload(found.digest, found), **on_map(run)}, view)
        labs.to_try("Features", tries(run))
        if found.facts["layer"]:
            st.markdown(choosing.escaped(found.facts["layer"]))
        tuned = fine_tuning(run)
        with st.expander("The features as a table"):
            tables(run)
        with st.expander("How this is measured"):
            st.markdown(EXPLAINED)
        facts = found.facts
        measured = f"Labels come from {facts['samples']:,} training samples; judged by {facts['judged']:,} test samples, which take no part."
        labs.origin(LAB, run, {}, measured)
    address.publish(run=run.id, **{name: value for name, value in view.items() if value}, **tuned)


@st.cache_resource(max_entries=8, show_spinner=False)
def payload(digest: str, _found: Answer) -> dict[str, Any]:
    """What the browser gets of an answer."""
    names = ("counts", "classes", "features", "methods", "curves", "verdicts", "usual")
    return {"id": digest, "facts": {name: _found.facts[name] for name in names}}


@cached.per_run(8)
def on_map(run: runs.Run) -> dict[str, Any]:
    """Which stored codes can be named on the map, and which judge (places among the codes, as int32 in base64), and the
    colours of classes. Test samples judge; where hardly any others are stored, those off the map."""
    labelled = run.labels >= 0
    shown = np.zeros(run.count, bool)
    if run.tsne is not None and run.code_size > 2:
        shown[run.tsne[1]] = True
    else:
        shown[:] = True
    test = run.splits == datasets.TEST
    named, judging = shown & ~test & labelled, test & labelled
    if named.sum() < min(FEWEST, int(labelled.sum()) // 2):
        if shown.all():  # half of them
            shown[np.random.default_rng(0).permutation(run.count)[: run.count // 2]] = False
        named, judging = shown & labelled, ~shown & labelled
    dice = np.random.default_rng(0)
    places = [np.sort(dice.permutation(np.flatnonzero(one))[:ON_MAP]).astype("<i4") for one in (named, judging)]
    pool, judges = (base64.b64encode(one.tobytes()).decode() for one in places)
    return {"pool": pool, "judges": judges, "palette": palette(run)}


def tries(run: runs.Run) -> list[Try]:
    """Three things to do."""
    every = [
        Try("One label a class", {"run": run.id, "count": "1"}),
        Try("A map of two numbers is a bad feature space", {"run": "mnist-variational"}),
        Try("Shirt or pullover? Fashion with few labels", {"run": "fashion-mnist-modern-16"}),
        Try("Digits of 28 x 28 pixels", {"run": "mnist-modern-30"}),
        Try("Small digits: a tie", {"run": "digits-modern-8"}),
    ]
    some = [one for one in every if one.query["run"] != run.folder.name][:3]
    return [*some, Try("Bring your own, with classes", {}, page="Data")]


def fine_tuning(run: runs.Run) -> dict[str, str]:
    """The encoder itself as a classifier, from scratch and pre-trained, side by side. Returns what the address says of it."""
    st.subheader("Is pre-training worth it?", anchor=False)
    st.caption(
        "The same encoder with a linear layer behind it learns from a few labels: from scratch, beginning as this run's, and "
        "pre-trained one layer after the other, as deep networks first were."
    )
    choices = [str(count) for count in probing.COUNTS]
    address.seed("tuned", "10", str, choices)
    count = st.segmented_control("Labels a class", choices, key="tuned", required=True)
    asked = {"labels": int(count or 10)}
    found = labs.answer(LAB, run, asked, forming, on_demand=True)
    if found is not None:
        st.markdown(f"**{choosing.escaped(found.facts['verdict'])}**")
        st.html(drawing({one["name"]: one["mean"] for one in found.facts["ways"]}, found.facts["steps"]))
        st.caption(
            "Test samples classified correctly, mean of three draws of labels. What counts in the end is the step at which validation "
            "samples were told best."
        )
    return {} if count in (None, "10") else {"tuned": str(count)}


WIDE, HIGH, LEFT, FOOT = 640, 260, 44, 40  # of the drawing
TONES = {"scratch": "#d55e00", "pre-trained": "#2b8ad9", "greedy": "#009e73"}
TITLES = {"scratch": "from scratch", "pre-trained": "pre-trained as this run", "greedy": "pre-trained layer by layer"}


def forming(sketch: Mapping[str, Any]) -> str:
    """How all ways went so far, as HTML."""
    return drawing(sketch["curves"], [])


def drawing(curves: Mapping[str, Any], steps: list[int]) -> str:
    """The share classified correctly, by steps of learning, of each way, as HTML. steps: those of a whole training; none: one that
    goes on."""
    bottom, most = HIGH - FOOT, 30

    def place(i: int, share: float) -> str:
        return f"{LEFT + (WIDE - LEFT - 10) * i / most:.1f},{10 + (bottom - 10) * (1 - float(share)):.1f}"

    lines = "".join(
        f'<polyline points="{" ".join(place(i, share) for i, share in enumerate(curves[name]))}" fill="none" '
        f'stroke="{tone}" stroke-width="2.5"/>'
        for name, tone in TONES.items()
        if name in curves
    )
    grid = "".join(
        f'<path d="M{LEFT} {place(0, share).split(",")[1]}H{WIDE - 10}" stroke="{pictures.GREY}" stroke-opacity="0.25"/>'
        f'<text x="{LEFT - 6}" y="{float(place(0, share).split(",")[1]) + 4}" text-anchor="end">{100 * share:.0f}</text>'
        for share in (0, 0.25, 0.5, 0.75, 1)
    )
    last = f"{steps[-1]:,}" if steps else ""
    words = "steps of learning; upwards: samples classified correctly, in %"
    legend = " ".join(
        f'<b style="color:{tone}">■</b> {TITLES[name]}&emsp;' for name, tone in TONES.items() if name in curves
    )
    content = (
        f'{grid}{lines}<text x="{WIDE - 10}" y="{bottom + 17}" text-anchor="end">{last}</text>'
        f'<text x="{LEFT}" y="{bottom + 17}">0</text>'
        f'<text x="{(LEFT + WIDE) / 2}" y="{HIGH - 8}" text-anchor="middle">{words}</text>'
    )
    return f'<div data-testid="lab-curves">{legend}<br>{pictures.drawing(content, WIDE, HIGH, words)}</div>'


def tables(run: runs.Run) -> None:
    """The code, or what a hidden layer gives, of the run's stored samples, to take along."""
    shapes = hidden_shapes(run)
    layers = {"the code": -1} | {f"hidden layer {i + 1}: {' × '.join(map(str, s))}": i for i, s in enumerate(shapes)}
    chosen = st.selectbox("Which layer", list(layers), key="layer of table", width=320)
    layer = layers[chosen]
    named = uploads.readable(run.configuration.dataset, visitor.owner())
    with st.container(horizontal=True):
        for what, title in (("codes", "CSV"), ("table", "Parquet")):
            st.download_button(
                title,
                partial(table, run, layer, what, named),
                export.file_name(run, what).replace("codes", f"hidden-{layer + 1}" if layer >= 0 else "codes"),
                on_click="ignore",
                icon=":material/download:",
                key=f"take {what}",
            )
    st.caption(
        f"{run.count:,} samples, one a row: its row in the dataset, name, split, class, and the numbers. "
        f"Numbers of a layer with more than {hidden.MOST:,} are averaged over neighbours. In Python: `models.estimator.Autoencoder`."
    )


@cached.per_run(8)
def hidden_shapes(run: runs.Run) -> list[tuple[int, ...]]:
    """The shape of what each hidden layer of the encoder gives."""
    return hidden.Encoder(run).shapes


def table(run: runs.Run, layer: int, what: str, named: bool) -> bytes:
    """The file: made when it is asked for."""
    if layer < 0:
        return export.part(run, what, named=named)
    values = hidden.Encoder(run)(np.asarray(datasets.samples_at(run.dataset, run.rows.astype(np.int64))))[layer]
    return export.features(run, values, what, named=named)


PAGE = Page("Features", ":material/label:", 4, show)

"""Sequences: what comes next in a signal under a pen, or in a film, beside the plain methods."""

import base64
from typing import Any

import numpy as np
import streamlit as st
from numpy.typing import NDArray
from safetensors.numpy import save

from components import address, choosing, labs
from components.labs import Try
from components.views import Page
from models import datasets
from models.analysis import forecasting
from models.analysis.forecasting import Rows
from models.datasets import Dataset
from models.labs import Answer, _series, sequences

LAB = sequences.LAB
SHOWN = ("sample", "drawn", "lines", "ahead", "channel", "by", "level")  # what the browser reports
SHARES = {share: f"the first {100 * share:.0f} % is given" for share in sequences.SHARES}


def show() -> None:
    """Draw the page."""
    dataset = labs.begin_dataset(LAB)
    if dataset is None:
        return
    address.seed("given", LAB.settings["given"], float, SHARES, SHARES.__getitem__)
    given = st.radio(
        "What is given",
        list(SHARES),
        format_func=SHARES.__getitem__,
        key="given",
        horizontal=True,
        label_visibility="collapsed",
    )
    settings = {"given": given}
    view = labs.opened_as(LAB, f"{dataset.fingerprint} {settings['given']}", SHOWN)
    found = labs.answer(LAB, dataset, settings)
    if found is not None:
        st.markdown(f"**{choosing.escaped(found.facts['verdict'])}**", help=VERDICT)
        sent = (film if dataset.frames else payload)(found.digest, found, dataset)
        view = labs.drawn(LAB, dataset.fingerprint, sent, view)
        labs.to_try("Sequences", tries(dataset))
        table(found)
        labs.origin(LAB, dataset, settings, measured(found))
    shown = {name: value for name, value in view.items() if value}
    said = {} if settings == LAB.settings else {"given": f"{settings['given']:g}"}
    address.publish(data=dataset.name, **said, **shown)


VERDICT = (
    "Squared error: how far the prediction is from what came, squared, on the mean of all steps and of all test samples; signals are in "
    "standard deviations, so that the mean of all has about 1. All methods learn from the same rows; the best plain one is "
    "chosen on held-out rows. A tie is where 0 lies in the 95 % interval of the difference (paired bootstrap)."
)


@st.cache_resource(max_entries=6, show_spinner=False)
def payload(digest: str, _found: Answer, _dataset: Dataset) -> dict[str, Any]:
    """What the browser gets to go on with a signal by itself: the networks, and what makes the plain methods."""
    facts, arrays = _found.facts, _found.arrays
    form = forecasting.Form(facts["steps"], facts["channels"], facts["given"])
    rows = {name: arrays[name].astype(np.int64) for name in ("train", "held", "shown")}
    parts = {name: np.asarray(datasets.samples_at(_dataset, each), np.float32) for name, each in rows.items()}
    # They travel as float16: what they are then, the plain methods are fitted to.
    train, rest = (part.astype(np.float16).astype(np.float32) for part in form.parts(parts["train"]))
    held, _ = form.parts(parts["held"])
    weights = {name: array for name, array in arrays.items() if name[0].isdecimal()}
    numbers: dict[str, NDArray[Any]] = {
        **weights,
        "errors": arrays["errors"],
        "held": held,
        "shown": parts["shown"],
        "train": train.astype(np.float16),
        "rest": rest.astype(np.float16),
        **plain(train, rest, facts["chosen"]),
    }
    values = parts["train"]
    low, high = float(values.min()), float(values.max())
    edge = 0.06 * (high - low)
    packed = save({name: np.ascontiguousarray(one) for name, one in numbers.items()})
    return {
        "id": digest,
        "facts": {name: facts[name] for name in ("methods", "factor", "chosen")},
        "form": {"steps": form.steps, "channels": form.channels, "given": form.given, "size": form.size},
        "draws": forecasting.DRAWS,
        "members": sum(name.endswith(".out.bias") for name in weights),
        "channels": channels(_dataset),
        "range": [low - edge, high + edge],
        "rows": rows["shown"].tolist(),
        "numbers": encoded(packed),
        "series": series(_found, form) if "series" in facts else None,
    }


def plain(train: Rows, rest: Rows, chosen: dict[str, dict[str, float]]) -> dict[str, Rows]:
    """What makes kernel ridge and ridge regression, as scikit-learn fits them, of what was given of the training rows (N, F)
    and the rest (N, R): "dual" (N, R), "ridge.weight" (R, F) and "ridge.bias" (R,)."""
    x, y = train.astype(np.float64), rest.astype(np.float64)
    lengths = np.square(x).sum(1)
    like = np.exp(-chosen["kernel"]["gamma"] * np.maximum(lengths[:, None] + lengths - 2 * x @ x.T, 0))
    like[np.diag_indices_from(like)] += chosen["kernel"]["alpha"]
    middle, mean = x.mean(0), y.mean(0)
    centred = x - middle
    gram = centred.T @ centred + chosen["ridge"]["alpha"] * np.eye(x.shape[1])
    weight = np.linalg.solve(gram, centred.T @ (y - mean))
    out = {"dual": np.linalg.solve(like, y), "ridge.weight": weight.T, "ridge.bias": mean - middle @ weight}
    return {name: value.astype(np.float32) for name, value in out.items()}


def channels(dataset: Dataset) -> list[dict[str, Any]]:
    """What each channel is called and how its numbers become its unit; those on an asinh scale stay standard deviations."""
    out: list[dict[str, Any]] = []
    for i in range(dataset.shape[-1]):
        column = dataset.columns[i] if i < len(dataset.columns) else None
        if column is None or column.linear_width:
            name = column.name if column is not None else f"channel {i + 1}"
            out.append({"name": f"{name}, standardised", "mean": 0.0, "deviation": 1.0})
        else:
            out.append({"name": column.name, "mean": column.mean, "deviation": column.deviation})
    return out


def series(found: Answer, form: forecasting.Form) -> dict[str, Any]:
    """The long series: its first channel, what is known of it, and the scores."""
    facts, arrays = found.facts["series"], found.arrays
    strange = arrays.get("strange")
    return {
        "words": facts["words"],
        "given": form.given,
        "near": max(1, form.steps // _series.SMOOTH),
        "wide": form.steps,
        "quiet": _series.QUIET,
        "values": encoded(arrays["series"][:, 0].astype("<f4").tobytes()),
        "strange": None if strange is None else [list(one) for one in _series.stretches(strange.astype(bool))],
        "methods": [
            {
                **{name: one[name] for name in ("name", "title", "threshold")},
                "scores": encoded(arrays[f"score {one['name']}"].astype("<f4").tobytes()),
                "usual": labs.plain(arrays[f"usual {one['name']}"].astype(np.float64), 5),
            }
            for one in facts["methods"]
        ],
    }


@st.cache_resource(max_entries=2, show_spinner=False)
def film(digest: str, _found: Answer, _dataset: Dataset) -> dict[str, Any]:
    """What the browser gets of films: rows of frames, those that are given, how it went on, and what the methods say."""
    facts, arrays, dataset = _found.facts, _found.arrays, _dataset
    whole = np.asarray(datasets.samples_at(dataset, arrays["shown"].astype(np.int64)))
    frames = sequences.frames_of(whole, dataset.frames)
    given = facts["given"]
    titles = {one["name"]: one["title"] for one in facts["methods"]}
    rows = [
        ("given", f"given: the first {given} frames", frames[:, :given]),
        ("truth", "how it went on", frames[:, given:]),
    ]
    order = ["network", facts["best"], "moved", "ridge", "last"]
    rows += [(name, titles[name], arrays[f"predicted {name}"]) for name in dict.fromkeys(order)]
    return {
        "id": digest,
        "film": True,
        "given": given,
        "rest": facts["steps"] - given,
        "count": len(frames),
        "shape": [dataset.shape[0], dataset.shape[1] // dataset.frames, dataset.shape[2]],
        "methods": facts["methods"],
        "rows": [{"name": name, "title": title, "pixels": encoded(each.tobytes())} for name, title, each in rows],
    }


def encoded(content: bytes) -> str:
    """As JSON takes bytes."""
    return base64.b64encode(content).decode()


def tries(dataset: Dataset) -> list[Try]:
    """Three things to do, and where one brings data of one's own."""
    name = dataset.name
    every = [
        Try("Heartbeats, and a minute of one heart", {"data": "heartbeats"}),
        Try("Films: digits that bounce", {"data": "moving-digits"}),
        Try("Waves: draw half of one", {"data": "waves"}),
    ]
    some = [one for one in every if one.query["data"] != name]
    return [*some, Try("Bring your own series", {}, page="Data")]


def table(found: Answer) -> None:
    """Every method in numbers, and how it is measured."""
    facts = found.facts
    with st.expander("All numbers, and how this is measured"):
        fan = facts["fan"]
        st.markdown(
            f"The **fan** is to hold the truth in {100 * fan['wanted']:.0f} of 100 cases; of the test samples' steps it held "
            f"**{100 * fan['inside']:.0f} %**, and its inner band, meant for 50, {100 * fan['half']:.0f} %. Each of its draws goes on step by "
            "step and misses as the network missed on a similar held-out sample; its width was set on held-out samples."
        )
        st.markdown(
            "The **network** reads what is given with one GRU, a few steps at once; another writes what comes next, looks back at what was read "
            "(attention), and goes on from its own words. While it learns it is told the right ones, less and less often. "
            "**Kernel ridge**, **ridge** and **k nearest neighbours** are scikit-learn's, each tuned by five folds."
        )
        rest = facts["steps"] - facts["given"]
        quarter = max(1, rest // 4)
        rows = sorted(facts["methods"], key=lambda one: one["error"])
        columns = {
            "method": [one["title"] for one in rows],
            "squared error": [one["error"] for one in rows],
            f"first {quarter} steps": [float(np.mean(one["horizon"][:quarter])) for one in rows],
            f"last {quarter} steps": [float(np.mean(one["horizon"][-quarter:])) for one in rows],
            "setting": [one["setting"] for one in rows],
            "seconds": [one["seconds"] for one in rows],
        }
        form = {name: st.column_config.NumberColumn(format="%.4g") for name in [*columns][1:4]}
        st.dataframe(columns, hide_index=True, column_config=form)
        if "series" in facts and "roc" in facts["series"]["methods"][0]:
            told = "; ".join(f"{one['title']} {one['roc']:.2f}" for one in facts["series"]["methods"])
            st.markdown(
                f"**Long series**, steps that do not belong against the others, area under the ROC curve: {told}."
            )


def measured(found: Answer) -> str:
    """What the answer was computed from and with, in sentences."""
    counts = found.facts["counts"]
    return (
        f"All methods learnt from the same {counts['train']:,} samples; {counts['held']:,} were held out, and {counts['test']:,} test samples "
        f"judge. Plain methods: {found.facts['libraries']}."
    )


PAGE = Page("Sequences", ":material/timeline:", 6, show)

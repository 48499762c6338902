"""Anomalies: which samples are not like the others, by three scores of small networks beside the plain methods."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import streamlit as st

from components import address, choosing, labs, pictures
from components.labs import Try
from components.listing import MAP
from components.views import Page
from models import datasets, engine, kinds
from models.analysis import anomalies as computed
from models.codes import to_float
from models.datasets import Dataset
from models.labs import Answer, Settings, anomalies

LAB = anomalies.LAB
SHOWN = ("score", "at", "miss", "week", "room")  # what the browser reports
SENT = 4000  # scores of each kind that the browser gets, at most: of more the quantiles are the same
LONG = 1e8  # numbers of a dataset that takes longer to be drawn than a page may: the worker that answers draws it
PICTURES = 8  # alarms that are drawn
COLOURS = {"normal": "#56b4e9", "other": "#d55e00"}  # as in the browser's part
KINDS = {"normal": "normal samples that were held out", "other": "samples that do not belong"}
EXPLAINED = {
    "error": "An autoencoder learns to squeeze normal samples into a few numbers and back. What is not like them comes back wrong.",
    "code": "The code of a normal sample lies among codes of others. This is how far away the nearest of them are.",
    "correction": "A denoiser that knows normal samples is told that this one is noisy. This is how far it moves it.",
    "combined": "All three on one scale, 0 being the median of held-out normal samples.",
}


def show() -> None:
    """Draw the page."""
    dataset = labs.begin_dataset(LAB)
    if dataset is None:
        return
    settings, lacks = chosen(dataset)
    if lacks:
        st.info(choosing.escaped(lacks))
    view = labs.opened_as(LAB, f"{dataset.fingerprint} {settings['normal']} {settings['contaminated']}", SHOWN)
    found = None if lacks else labs.answer(LAB, dataset, settings, forming)
    if found is not None:
        st.markdown(f"**{choosing.escaped(found.facts['verdict'])}**", help=VERDICT)
        view = labs.drawn(LAB, dataset.fingerprint, payload(found.digest, found), view)
        labs.to_try("Anomalies", tries(dataset))
        alarms(dataset, found, here(dataset, settings, view))
        clean = engine.question(LAB, dataset, {**settings, "contaminated": False})
        table(found, labs.kept(clean) if settings["contaminated"] else None)
        labs.origin(LAB, dataset, settings, measured(dataset, found))
    address.publish(**here(dataset, settings, view))


def measured(dataset: Dataset, found: Answer) -> str:
    """What the answer was computed from and with, in sentences."""
    facts, shape = found.facts, found.arrays["expected"].shape[1:]
    drawn = "" if facts["count"] == facts["of"] else f", drawn at random from {facts['of']:,},"
    size = "" if shape == dataset.shape else f" They were made smaller, to {' × '.join(map(str, shape))} numbers."
    count = f"{facts['count']:,} samples{drawn} of which {facts['anomalies']:,} do not belong.{size}"
    return f"{count} Plain methods: {facts['libraries']}."


def here(dataset: Dataset, settings: Settings, view: Mapping[str, str]) -> dict[str, str]:
    """The address of the page as it stands."""
    said = {name: value for name, value in settings.items() if name != "splits" and value != LAB.settings[name]}
    words = {name: "yes" if value is True else str(value) for name, value in said.items()}
    return {"data": dataset.name, **words, **{name: value for name, value in view.items() if value}}


VERDICT = (
    "Average precision: of the alarms down to each sample that does not belong, how many are right, on average. 100 % would rank "
    "all that does not belong first. The mean over five splits of the samples; the best plain method is chosen with the test "
    "samples, in its favour. A tie is where 0 lies in the 95 % interval of the difference (paired bootstrap)."
)


def chosen(dataset: Dataset) -> tuple[dict[str, Any], str]:
    """The settings, by controls, and what the lab lacks with these, in sentences."""
    words = anomalies.choices(dataset)
    labels, usual = None, ""
    if dataset.draw is None or dataset.count * dataset.size < LONG or datasets.laid_down(dataset):
        labels = datasets.arrays(dataset).labels
        usual = anomalies.usual(dataset, labels)
    else:
        words = {"": "as the classes suggest", **words}
    linked = address.first_time("normal of") and "normal" in st.query_params
    if st.session_state.get("normal of") != dataset.fingerprint:  # a choice among other classes says nothing of these
        st.session_state["normal of"] = dataset.fingerprint
        if not linked:
            address.choose("normal", usual)
    address.seed("normal", usual, str, words, words.__getitem__)
    address.seed("contaminated", False, lambda asked: asked == "yes")
    with st.container(horizontal=True, vertical_alignment="bottom"):
        normal = st.selectbox("What is normal", list(words), format_func=words.__getitem__, key="normal", width=320)
        contaminated = st.toggle(
            "The training samples contain anomalies",
            key="contaminated",
            help="As in life, where nobody has sorted them out: half of the anomalies are among the samples that all methods "
            "learn from. How far each falls is told in the table below, once it was computed without them, too.",
        )
    settings = {**LAB.settings, "normal": "" if normal == usual else normal, "contaminated": bool(contaminated)}
    return settings, "" if labels is None else anomalies.lacking(dataset, labels, normal)


WIDE, HIGH, FOOT = 640, 200, 44  # of the drawing: its width, its height, and what stands below its axis


def forming(sketch: Mapping[str, Any]) -> str:
    """Both histograms of an autoencoder that still learns (`models.analysis.anomalies.forming`), as HTML."""
    low, high = computed.SEEN
    bottom = HIGH - FOOT
    shares = {name: np.array(sketch[name], float) / max(1, sum(sketch[name])) for name in COLOURS}
    top = max(0.15, *(share.max() for share in shares.values()))  # so that the first of all do not fill it
    shapes = []
    for name, share in shares.items():
        edges = np.repeat(np.linspace(0, WIDE, len(share) + 1), 2)[1:-1]
        heights = np.repeat(bottom - (bottom - 4) * share / top, 2)
        corners = " ".join(f"{x:.1f},{y:.1f}" for x, y in zip(edges, heights, strict=True))
        shapes.append(
            f'<polyline points="0,{bottom} {corners} {WIDE},{bottom}" fill="{COLOURS[name]}" fill-opacity="0.25" '
            f'stroke="{COLOURS[name]}" stroke-width="2"/>'
        )
    marks = "".join(
        f'<text x="{WIDE * (power - low) / (high - low):.0f}" y="{bottom + 17}" text-anchor="middle">{10.0**power:g}</text>'
        for power in range(int(low) + 1, int(high))
    )
    words = "mean squared error of what the autoencoder gives back; 1 is what the mean of all would have"
    legend = " ".join(f'<b style="color:{COLOURS[name]}">■</b> {KINDS[name]}&emsp;' for name in COLOURS)
    content = (
        f'{"".join(shapes)}<path d="M0 {bottom}H{WIDE}" stroke="{pictures.GREY}"/>{marks}'
        f'<text x="{WIDE / 2}" y="{HIGH - 6}" text-anchor="middle">{words}</text>'
    )
    return f'<div data-testid="lab-forming">{legend}<br>{pictures.drawing(content, WIDE, HIGH, words)}</div>'


@st.cache_resource(max_entries=8, show_spinner=False)
def payload(digest: str, _found: Answer) -> dict[str, Any]:
    """What the browser gets: of our scores and of the best plain method, test samples by what they are, and the threshold."""
    facts, arrays = _found.facts, _found.arrays
    methods = []
    for method in facts["methods"]:
        if not method["ours"] and method["name"] != facts["best"]:
            continue
        scores, held = arrays[f"score {method['name']}"], arrays[f"held {method['name']}"]
        parts = {
            "normal": some(scores[~arrays["anomalous"].astype(bool)]),
            "other": some(scores[arrays["anomalous"].astype(bool)]),
        }
        level = float(computed.threshold(held.astype(np.float64)))
        about = EXPLAINED.get(method["name"], "Of the plain methods the one that finds most here.")
        methods.append({"name": method["name"], "title": method["title"], "about": about, "threshold": level, **parts})
    methods.sort(key=lambda one: one["name"] != "combined")
    return {"id": digest, "facts": {"share": facts["anomalies"] / facts["count"]}, "methods": methods}


def some(scores: Any) -> list[float]:
    """The scores, rising; of very many as many quantiles."""
    ordered = np.sort(scores.astype(np.float64))
    if len(ordered) > SENT:
        ordered = np.quantile(ordered, np.linspace(0, 1, SENT))
    return list(labs.plain(ordered, 6))


def tries(dataset: Dataset) -> list[Try]:
    """Three things to do, and where one brings data of one's own."""
    name = dataset.name
    here = [
        Try("A miss costs a hundred false alarms", {"data": name, "miss": "100"}),
        Try("Only twenty alarms a week can be looked at", {"data": name, "room": "20"}),
    ]
    # Those whose answers ship: nobody waits for what is only tried.
    others = [
        Try("Handwritten digits: find the nines", {"data": "digits"}),
        Try("Breast cancer: which are malignant?", {"data": "breast-cancer"}),
    ]
    some = [*here, *(one for one in others if one.query["data"] != name)]
    return [*some[:3], Try("Bring your own, with classes", {}, page="Data")]


def alarms(dataset: Dataset, found: Answer, address_here: Mapping[str, str]) -> None:
    """The samples with the highest combined scores, why, and where they lie on a map."""
    arrays = found.arrays
    places = arrays["alarms"].astype(int)
    rows, nearest = arrays["test"][places].astype(np.int64), arrays["nearest"].astype(np.int64)
    truth = arrays["anomalous"].astype(bool)[places]
    st.subheader("The first alarms, and why", anchor=False)
    labels = datasets.arrays(dataset).labels
    names = [dataset.classes[label] if label >= 0 else "" for label in labels[rows]]
    if kinds.get(dataset.kind).pixels:
        expected = arrays["expected"][:PICTURES]
        stored = (
            to_float(anomalies.smaller(np.asarray(datasets.samples_at(dataset, which[:PICTURES]))))
            for which in (rows, nearest)
        )
        first, close = stored
        sheet = pictures.below(np.stack([first, np.clip(expected, 0, 1), close]), across=PICTURES, side=72)
        words = "the sample, what the denoiser makes of it, and the normal sample with the nearest code"
        st.html(f'<div class="hg-strips">{pictures.element(sheet, words)}</div>')
        st.caption(f"One below the other: {words}.")
    links = labs.on_map(LAB, dataset, rows, address_here)
    why = [anomalies.because(dataset.columns, dataset.kind, one, dataset.shape) for one in arrays["deviations"]]
    st.dataframe(
        {
            **({} if links is None else {"map": links}),
            "row": rows + 1,
            "class": names,
            "alarm": np.where(truth, "right", "false"),
            "why": why,
            "nearest normal row": nearest + 1,
            "score": arrays["score combined"][places],
        },
        hide_index=True,
        column_config={"map": MAP},
    )


def _dots(places: Sequence[tuple[int, int]], colour: str) -> str:
    return "".join(f'<circle cx="{x}" cy="{y}" r="5" fill="{colour}"/>' for x, y in places)


def _line(path: str, colour: str, wide: float = 3, more: str = "") -> str:
    return f'<path d="{path}" fill="none" stroke="{colour}" stroke-width="{wide}" stroke-linecap="round" {more}/>'


NORMAL, OTHER = COLOURS["normal"], COLOURS["other"]
# Each score, drawn: a sample with a spike that comes back without it; a code far from all others; an arrow to where samples lie.
DRAWN = {
    "error": _line("M8 66 h14 l6 -46 l6 46 h34", OTHER)
    + f'<path d="M84 26 L112 46 V56 L84 76Z M140 26 L112 46 V56 L140 76Z" fill="{pictures.GREY}"/>'
    + _line("M160 66 h14 l6 -46 l6 46 h34", OTHER, 2, 'stroke-dasharray="3 5"')
    + _line("M160 66 h14 q6 -14 12 0 h34", NORMAL),
    "code": _dots([(30, 60), (44, 48), (58, 62), (46, 72), (70, 52), (34, 42), (60, 40), (72, 70)], NORMAL)
    + _line("M82 54 L186 34", pictures.GREY, 2, 'stroke-dasharray="4 5"')
    + _dots([(196, 32)], OTHER),
    "correction": _line("M10 82 C70 82 90 56 130 56 S200 70 230 50", NORMAL, 8, 'opacity="0.5"')
    + _line("M60 66 V73 M150 16 V46 M143 38 L150 47 L157 38", pictures.GREY, 2)
    + _dots([(60, 60)], NORMAL)
    + _dots([(150, 12)], OTHER),
}


def table(found: Answer, without: Answer | None) -> None:
    """Every method in numbers. without: the answer where no anomalies are among the training samples, to stand beside."""
    st.subheader("All methods on the same splits", anchor=False)
    rows = sorted(found.facts["methods"], key=lambda one: -float(np.mean(one["ap"])))
    before = {one["name"]: one for one in without.facts["methods"]} if without is not None else {}
    columns: dict[str, list[Any]] = {
        "method": [one["title"] for one in rows],
        "": ["network" if one["ours"] else "plain" for one in rows],
    }
    columns["average precision [%]"] = [100 * float(np.mean(one["ap"])) for one in rows]
    columns["± over splits"] = [100 * float(np.std(one["ap"])) for one in rows]
    columns["ROC-AUC [%]"] = [100 * float(np.mean(one["roc"])) for one in rows]
    if before:  # average precision falls by itself where fewer anomalies are left for testing
        columns["ROC-AUC without anomalies in training [%]"] = [
            100 * float(np.mean(before[one["name"]]["roc"])) for one in rows
        ]
    columns["seconds"] = [one["seconds"] for one in rows]
    form = {name: st.column_config.NumberColumn(format="%.1f") for name in [*columns][2:]}
    st.dataframe(columns, hide_index=True, column_config=form)
    with st.expander("What the three scores are"):
        for place, (name, words) in zip(st.columns(len(DRAWN)), EXPLAINED.items(), strict=False):
            place.html(pictures.drawing(DRAWN[name], 240, 100, words))
            place.markdown(f"**{anomalies.TITLES[name]}**: {words}")
        st.markdown(
            f"**combined**: {EXPLAINED['combined']} The networks learn from half of "
            "the normal samples; a tenth is held out, from which the threshold comes; the rest and all that does not belong are "
            "test samples. One recipe for all data, chosen on other tables than those of the benchmark."
        )


PAGE = Page("Anomalies", ":material/notification_important:", 3, show)

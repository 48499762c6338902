"""Codes: what a run's codes keep and what they give up, beside other ways to a few numbers, and dimension by dimension."""

from typing import Any

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from components import address, cached, choosing, figures, labs
from components.labs import Try
from components.views import Page
from models import engine, runs, shown
from models.analysis import metrics
from models.codes import DEAD_KL, NO_VARIANCE
from models.labs import Answer
from models.labs import codes as computed

LAB = computed.LAB
SHOWN = ("sample",)  # what the browser reports
ABOUT = {
    "run": "Where this run's encoder puts them.",
    "pca": "Principal component analysis: the straight projection that loses the least.",
    "tsne": "t-SNE moves points about until those that are alike lie together. It makes no map of other samples than these, and "
    "no sample of a place.",
    "umap": "UMAP draws a graph of who is near whom and lays it out. It places new samples, more slowly than a network.",
}
PLAIN = {"displayModeBar": False}


def show() -> None:
    """Draw the page."""
    run = choosing.run()
    if run is None:
        return
    view = beside(run)
    dimensions(run)
    factors(run)
    address.publish(run=run.id, **{name: value for name, value in view.items() if value})


def beside(run: runs.Run) -> dict[str, str]:
    """The run beside PCA, t-SNE and UMAP, where that was computed; else what was measured with the run, and a way to have it
    computed. Returns how it is shown."""
    view = labs.opened_as(LAB, run.id, SHOWN)
    asked = engine.question(LAB, run, {})
    found = labs.kept(asked)
    if found is None:
        neighbours(run)
        if not LAB.fits(run) and choosing.at_hand(run):
            st.caption("This run beside PCA, t-SNE and, where it is installed, UMAP, on the same test samples:")
            labs.waiting(asked, on_demand=True)
        return view
    st.subheader(LAB.question)
    for i, part in enumerate(found.facts["sizes"]):
        said = choosing.escaped(part["verdict"])
        st.markdown(said if i else f"**{said}**", help=None if i else VERDICT)
    view = labs.drawn(LAB, run.url, payload(found.digest, found, shown.palette(run)), view)
    for part in found.facts["sizes"]:
        if len(found.facts["sizes"]) > 1:
            st.caption(f"With {computed.numbers(part['size'])}:")
        st.dataframe(table(part), hide_index=True)
    labs.to_try("Codes", tries(run))
    labs.origin(
        LAB, run, {}, f"Measured on {found.facts['many']}. {found.facts['libraries']}. Seconds are of one processor."
    )
    return view


VERDICT = (
    "Trustworthiness: whether what lies side by side on the map is alike. Continuity: whether what is alike lies side by side. "
    "Both are 1 at best, and look at ten neighbours. Neighbours of the same class: of how many samples the five nearest vote for "
    "its class. The way back: the mean squared error of what is made of the numbers again. A tie is where the difference is less "
    "than twice its standard error."
)


@st.cache_resource(max_entries=16, show_spinner=False)
def payload(digest: str, _found: Answer, colours: list[str]) -> dict[str, Any]:
    """What the browser gets: where each method puts the samples that are drawn, and who is like whom."""
    facts, arrays = _found.facts, _found.arrays
    measure = computed.MEASURES["trustworthiness"]
    maps = [
        {
            "name": method["name"],
            "title": method["title"],
            "about": ABOUT[method["name"]],
            "figure": measure.written(method["trustworthiness"]),
            "points": labs.plain(arrays[f"map {method['name']}"].astype(float) / computed.LEVELS, 4),
        }
        for method in facts["sizes"][-1]["methods"]
    ]
    whole = {name: arrays[name].astype(int).tolist() for name in ("places", "labels", "like")}
    return {"id": digest, "maps": maps, **whole, "classes": facts["classes"], "colours": colours}


def table(part: dict[str, Any]) -> dict[str, list[str]]:
    """All methods with as many numbers, in words."""
    methods = part["methods"]
    columns = {"method": [one["title"] for one in methods]}
    for name, measure in computed.MEASURES.items():
        if any(name in one for one in methods):
            columns[measure.title] = [measure.written(one[name]) if name in one else "none" for one in methods]
    columns["a new sample"] = [
        f"{one['again']:.2g} ms" if one["again"] is not None else "all is made anew" for one in methods
    ]
    columns["seconds to make"] = [f"{one['seconds']:,.1f}" for one in methods]
    columns["how"] = [one["how"] for one in methods]
    return columns


def tries(run: runs.Run) -> list[Try]:
    """Other runs of which the answer is another."""
    every = [
        Try("One layer: is it better than PCA?", {"run": "digits-single-layer"}),
        Try("Clothes in two numbers", {"run": "fashion-mnist-modern"}),
        Try("Digits in 30 numbers", {"run": "mnist-modern-30"}),
        Try("Digits in two numbers", {"run": "mnist-variational"}),
    ]
    return [one for one in every if one.query["run"] != run.folder.name][:3]


def neighbours(run: runs.Run) -> None:
    """What was measured with the run: how well samples of a class lie together, beside PCA, and whether neighbours stay such."""
    ours = run.metric("knn_accuracy")
    trust, continuity = run.metric("trustworthiness"), run.metric("continuity")
    if ours is not None:
        st.subheader("How well the codes keep classes apart")
        left, right = st.columns([3, 2], gap="large")
        bars = {
            f"PCA, D = {run.code_size}": run.metric("pca_knn_accuracy"),
            f"this run, D = {run.code_size}": ours,
        }
        known = {name: value for name, value in bars.items() if value is not None}
        left.plotly_chart(figures.shares(known, "share classified correctly"), config=PLAIN, key="neighbours")
        left.caption(
            f"The five nearest codes vote on the {choosing.escaped(run.card.dataset.label)} of each test sample."
            + (
                ""
                if run.metric("pca_knn_accuracy") is None
                else " PCA is the simplest code: a network should do better."
            ),
            help=choosing.PCA,
        )
    elif trust is not None:
        st.subheader("Whether neighbours stay neighbours")
        right = st.container(horizontal=True, gap="large")
    if trust is not None and continuity is not None:
        right.metric(
            "Trustworthiness",
            f"{trust:.3f}",
            width="content",
            help="Whether what lies side by side on the map is alike: 1 where the nearest codes of every sample belong to the "
            "samples that are most like it, 0 at worst (Venna and Kaski 2006).",
        )
        right.metric(
            "Continuity",
            f"{continuity:.3f}",
            width="content",
            help="Whether what is alike lies side by side on the map: 1 where no sample has been torn away from those that are "
            "most like it, 0 at worst.",
        )


def dimensions(run: runs.Run) -> None:
    """How much each dimension carries, and which are dead."""
    choosing.collapse(run, some=False)  # the heading counts them
    facts = run.card.codes
    dead = np.array(facts.dead, bool)
    used = int((~dead).sum())
    some = dead.any() and not run.only_mean
    st.subheader(f"{used} of {run.code_size} dimensions are used" if some else "What each dimension carries")
    if facts.kl is not None:
        figure = figures.dimensions(facts.kl, dead, "KL divergence in nats")
        st.plotly_chart(figure, config=PLAIN, key="dimensions")
        st.caption(
            f"How much each dimension says about a sample: {sum(facts.kl):.1f} nats in all (a nat is 1.44 bits). Below {DEAD_KL} "
            "nats a dimension is dead: the decoder has learnt to do without it (posterior collapse). Free bits or a lower "
            "beta keep more of them alive; a higher beta leaves fewer, each closer to one property of the samples.",
            help="A variational encoder gives each number as a bell curve, a mean and a width. The KL divergence says how far "
            "this curve is from the one that is the same for every sample (mean 0, width 1): 0 where the number tells nothing of "
            "the sample. Beta is the weight of this term in the loss; free bits are an amount that costs nothing. Both are on "
            "the page Train, under More.",
        )
        if (bound := run.metric("negative_elbo")) is not None:
            st.metric(
                "Negative evidence lower bound",
                f"{bound:.1f} nats",
                help="Reconstruction error and KL divergence of a test sample, added. It is what the training of a variational "
                "network lowers: the lower, the more likely are real samples to the network.",
            )
    else:
        figure = figures.dimensions(facts.variance, dead, "variance of the codes")
        st.plotly_chart(figure, config=PLAIN, key="dimensions")
        st.caption(
            "The variance of each dimension: how much it differs from sample to sample. One that hardly does is counted as dead: it tells nothing.",
            help=f"Hardly: less than a hundredth of the greatest variance, or less than {NO_VARIANCE:.9f}.",
        )


@cached.per_run(16)
def factor_scores(run: runs.Run) -> tuple[NDArray[np.float64], list[tuple[int, int]], float]:
    """What the stored codes tell of the factors (D, K), the dimension of each factor's own, the mutual information gap."""
    told = metrics.factor_scores(run.codes, run.factors)
    return told, metrics.own_dimensions(told), metrics.mutual_information_gap(run.codes, run.factors)


def factors(run: runs.Run) -> None:
    """Which dimension stands for which of the numbers that made the samples, where these are known."""
    names = run.card.dataset.factors
    if not names:
        return
    told, pairs, gap = factor_scores(run)
    st.subheader("What the dimensions stand for")
    own = sum(told[d, k] >= 0.7 for d, k in pairs)
    st.plotly_chart(figures.correlations(told, names), config=PLAIN, key="factors")
    st.caption(
        f"Absolute rank correlation of each dimension with each number that the samples were drawn from. {own} of "
        f"{len(names)} have a dimension of their own with 0.7 or more. Open Explore and colour the map by one of them.",
        help="Rank correlation (Spearman 1904): 1 where the samples stand in the same order by both numbers, or in the opposite "
        "one; 0 where one says nothing of the other.",
    )
    st.metric(
        "Mutual information gap",
        f"{gap:.2f}",
        help="From 0 to 1: whether each factor is in one dimension alone (1) or spread over several (0). Chen et al. 2018.",
    )


PAGE = Page("Codes", ":material/scatter_plot:", 6, show)

"""Codes: what a run's codes keep and what they give up, dimension by dimension."""

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from components import address, cached, choosing, figures
from components.views import Page
from models import runs
from models.analysis import metrics
from models.codes import DEAD_KL, NO_VARIANCE

PLAIN = {"displayModeBar": False}
TIE = 0.005  # shares no further apart than this are counted as equal


def show() -> None:
    """Draw the page."""
    run = choosing.run()
    if run is None:
        return
    neighbours(run)
    dimensions(run)
    factors(run)
    address.publish(run=run.id)


def neighbours(run: runs.Run) -> None:
    """How well samples of a class lie together, beside PCA, which decodes too, and t-SNE, which does not."""
    ours = run.metric("knn_accuracy")
    trust, continuity = run.metric("trustworthiness"), run.metric("continuity")
    if ours is not None:
        st.subheader("How well the codes keep classes apart")
        left, right = st.columns([3, 2], gap="large")
        bars = {
            f"PCA, D = {run.code_size}": run.metric("pca_knn_accuracy"),
            f"this run, D = {run.code_size}": ours,
            "t-SNE, two numbers": run.metric("tsne_knn_accuracy"),
        }
        known = {name: value for name, value in bars.items() if value is not None}
        left.plotly_chart(figures.shares(known, "share classified correctly"), config=PLAIN, key="neighbours")
        left.caption(
            f"The five nearest codes vote on the {choosing.escaped(run.card.dataset.label)} of each test sample."
            + beside_others(ours, run.metric("pca_knn_accuracy"), run.metric("tsne_knn_accuracy")),
            help=f"{choosing.PCA} t-SNE places samples in a plane so that those that are alike lie together; it has no decoder.",
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


def beside_others(ours: float, pca: float | None, tsne: float | None) -> str:
    """Which of them keeps classes apart best, and what can be decoded of it; nothing where there is nothing beside."""
    if tsne is None:
        return "" if pca is None else " PCA is the simplest code: a network should do better."
    shares = {"t-SNE": tsne, "This run": ours} | ({} if pca is None else {"PCA": pca})
    best = [name for name, share in shares.items() if share >= max(shares.values()) - TIE]
    if len(best) == 1:
        first = f"{best[0]} keeps classes apart best."
    else:
        *others, last = [name if i == 0 else name.replace("This", "this") for i, name in enumerate(best)]
        first = f"{', '.join(others)} and {last} keep classes apart equally well."
    return f" {first} A t-SNE cannot be decoded: no place on it becomes a sample. A code can."


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

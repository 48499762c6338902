"""Reconstructions: what a run makes of samples it never saw, beside PCA with a code of the same size."""

from collections.abc import Iterator

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from components import address, cached, choosing, figures, samples
from components.views import Page
from models import Problem, datasets, export, kinds, runs
from models.analysis import metrics, reconstruct

WHICH = {"random": "Random", "best": "Best", "worst": "Worst", "class": "One per class"}
COUNT = 10
TESTED = 2000  # test samples that are reconstructed: one to three seconds, once
CLASSES = 40  # of which a sample each is shown
COLUMNS = 30  # columns whose errors are drawn


def show() -> None:
    """Draw the page."""
    run = choosing.run()
    if run is None:
        return
    choosing.collapse(run)
    numbers(run)
    if not choosing.originals_at_hand(run):
        stored_class_errors(run)
        address.publish(run=run.id)
        return
    across, down = st.columns([3, 1], vertical_alignment="bottom")
    ways = [way for way in WHICH if way != "class" or run.classes]
    with across:
        address.seed("which", "random", known=ways, called=WHICH.__getitem__)
        which = (
            st.segmented_control(
                "Test samples",
                ways,
                format_func=WHICH.__getitem__,
                key="which",
                required=True,
                help=f"Among the first {TESTED:,} of the test split.",
            )
            or "random"
        )
    with down:
        address.seed("draw", 0, int)
        if which == "random":
            st.button(
                "Others",
                icon=":material/shuffle:",
                on_click=lambda: st.session_state.update(draw=st.session_state["draw"] + 1),
            )
    try:
        rows, errors, pca = test_errors(run)
        labels = labels_of(run, rows)
        chosen = pick(which, errors, labels, int(st.session_state["draw"]))
        sheet(run, reconstruct.rows(run, rows[chosen]), labels[chosen])
    except Problem as problem:
        st.error(str(problem))
        return
    if which == "class" and (count := len(np.unique(labels[labels >= 0]))) > CLASSES:
        st.caption(f"The first {CLASSES} of {count:,} classes.")
    per_class(run, labels, errors, pca)
    per_column(run)
    address.publish(
        run=run.id,
        which=which,
        draw=st.session_state["draw"] if which == "random" and st.session_state["draw"] else None,
    )


@cached.per_run(8, "Reconstructing the test split…")
def test_errors(run: runs.Run) -> tuple[NDArray[np.int64], NDArray[np.float32], NDArray[np.float32]]:
    """The first `TESTED` rows of the test split, the run's error of each and PCA's (N,). Needs the dataset at hand."""
    rows = np.flatnonzero(run.dataset.splits() == datasets.TEST)[:TESTED]
    parts = list(reconstructed(run, rows))
    return rows, np.concatenate([p.errors for p in parts]), np.concatenate([p.pca_errors for p in parts])


@cached.per_run(8)
def column_errors(run: runs.Run) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """The error of each column or channel (K,), the run's and PCA's, on the rows of `test_errors`."""
    parts = list(reconstructed(run, test_errors(run)[0]))
    clean, ours, pca = (np.concatenate([getattr(part, name) for part in parts]) for name in ("clean", "run", "pca"))
    return metrics.by_column(run.columns, clean, ours), metrics.by_column(run.columns, clean, pca)


def reconstructed(run: runs.Run, rows: NDArray[np.int64]) -> Iterator[reconstruct.Reconstructed]:
    """The reconstructions of many rows, a thousand at a time."""
    return (reconstruct.rows(run, some) for some in np.array_split(rows, max(1, len(rows) // 1000)))


def numbers(run: runs.Run) -> None:
    """Test error of the run and of PCA, with units."""
    with st.container(key="numbers"):
        whole, sample, ratio, similar = st.columns(4)
    choosing.test_error(whole, run, metrics.meaning(run.kind))
    sample.metric(
        "PCA, same code size",
        f"{run.metric('pca_mse') or 1.0:.4f}",
        help=f"{choosing.PCA} D = {run.code_size}, fitted on the training samples and measured on the same test samples.",
    )
    ratio.metric(
        f"Squared error per {kinds.get(run.kind).one}",
        f"{run.metric('squared_error'):.2f}",
        f"PCA {run.metric('pca_squared_error'):.2f}",
        delta_color="off",
        delta_arrow="off",
        help=f"The squared differences of all values of one {kinds.get(run.kind).one}, added.",
    )
    if (psnr := run.metric("psnr")) is not None:
        ssim = run.metric("ssim")
        similar.metric(
            "PSNR",
            f"{psnr:.1f} dB",
            None if ssim is None else f"SSIM {ssim:.2f}",
            delta_color="off",
            delta_arrow="off",
            help="PSNR (peak signal-to-noise ratio): the error on a logarithmic scale, 10 dB more is a tenth of the squared "
            "error; above 30 dB it is hard to see. SSIM (structural similarity): how alike edges and textures are, 1 for the "
            "same image.",
        )


def labels_of(run: runs.Run, rows: NDArray[np.int64]) -> NDArray[np.int32]:
    """The labels of dataset rows: from the run where it stores them (it keeps the test split first)."""
    place = np.full(run.card.dataset.count, -1, np.int32)
    place[run.rows] = run.labels
    return place[rows]


def pick(which: str, errors: NDArray[np.float32], labels: NDArray[np.int32], draw: int) -> NDArray[np.int64]:
    """Places of the samples to show."""
    if which == "best":
        return np.argsort(errors)[:COUNT]
    if which == "worst":
        return np.argsort(-errors)[:COUNT]
    shuffled = np.random.default_rng(draw).permutation(len(errors))
    if which == "class" and labels.max(initial=-1) >= 0:
        present = np.unique(labels[labels >= 0])[:CLASSES]
        return np.array([shuffled[labels[shuffled] == label][0] for label in present])
    return shuffled[:COUNT]


def sheet(run: runs.Run, shown: reconstruct.Reconstructed, labels: NDArray[np.int32]) -> None:
    """These samples, what they became and what PCA makes of them, each kind in its own way; and their errors."""
    names = run.class_names(labels) if run.classes else [""] * len(labels)
    samples.of(run).compared(run, shown, names)
    with st.expander("These samples in numbers"):
        table = {
            **export.identity(run, shown.rows, named=True),
            **export.class_column(run, names),
            "error": shown.errors,
            "error of PCA": shown.pca_errors,
        }
        st.dataframe(table, hide_index=True)


def per_column(run: runs.Run) -> None:
    """Which columns of a table, or channels of a signal, are hard, for the run and for PCA."""
    if len(run.columns) < 2:
        return
    word = kinds.get(run.kind).column
    ours, pca = column_errors(run)
    hardest = np.sort(np.argsort(-ours)[:COLUMNS])
    few = "" if len(ours) <= COLUMNS else f" The {COLUMNS} hardest of {len(ours):,}."
    st.subheader(f"Error by {word}", help=f"Mean over the test samples. {metrics.meaning(run.kind)}{few}")
    figure = figures.column_errors([run.columns[i] for i in hardest], ours[hardest], pca[hardest])
    st.plotly_chart(figure, config={"displayModeBar": False}, key="columns")


def per_class(run: runs.Run, labels: NDArray[np.int32], errors: NDArray[np.float32], pca: NDArray[np.float32]) -> None:
    """Which classes are hard, for the run and for PCA."""
    present = np.unique(labels[labels >= 0])
    if len(present) < 2:
        return
    st.subheader(
        f"Error by {choosing.escaped(run.card.dataset.label)}", help=f"Mean over {len(labels):,} test samples."
    )
    ours, theirs = (np.array([values[labels == label].mean() for label in present]) for values in (errors, pca))
    st.plotly_chart(
        figures.class_errors([run.classes[label] for label in present], ours, theirs, unit_of(run)),
        config={"displayModeBar": False},
    )


def unit_of(run: runs.Run) -> str:
    """The unit of an error on the axis of a figure."""
    return kinds.get(run.kind).error_axis


def stored_class_errors(run: runs.Run) -> None:
    """The run's error per class from its own files, when the dataset is not at hand."""
    test = run.splits == datasets.TEST
    labels, errors = run.labels[test], run.errors[test]
    present = np.unique(labels[labels >= 0])
    if len(present) > 1:
        st.subheader(
            f"Error by {choosing.escaped(run.card.dataset.label)}", help=f"Mean over {len(labels):,} test samples."
        )
        means = np.array([errors[labels == label].mean() for label in present])
        st.plotly_chart(
            figures.class_errors([run.classes[label] for label in present], means, None, unit_of(run)),
            config={"displayModeBar": False},
        )


PAGE = Page("Reconstructions", ":material/compare:", 4, show)

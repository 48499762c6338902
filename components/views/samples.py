"""Samples: which of a run's samples deserve a look, and where new ones lie; every line leads to the map."""

import contextlib
from typing import Any

import numpy as np
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from components import address, cached, choosing, new_samples
from components.listing import Table, counted, identity, listed, part_looked_at
from components.views import Page
from models import Problem, kinds, runs
from models.analysis import blame, checks

LOOKS = {
    "outliers": "Outliers",
    "duplicates": "Duplicates",
    "mislabelled": "Likely mislabelled",
    "new": "New samples",
}
ABOVE = 90.0, 99.9  # per cent


def show() -> None:
    """Draw the page."""
    run = choosing.run()
    if run is None:
        return
    address.seed("look", "outliers", known=LOOKS)  # there always are some
    left, right = st.columns([3, 4], gap="large")
    look = left.segmented_control(
        "What to look for", list(LOOKS), format_func=LOOKS.__getitem__, key="look", required=True
    )
    at_hand = choosing.originals_at_hand(run)
    looks = {"duplicates": duplicates, "outliers": outliers, "mislabelled": mislabelled, "new": new_samples.show}
    choice = looks[look or "outliers"](run, at_hand, right)
    address.publish(run=run.id, look=look, **choice)


@cached.per_run(4, "Finding the nearest codes…")
def nearest(run: runs.Run) -> checks.Neighbours:
    """The nearest codes of each stored code."""
    return checks.neighbours(run.codes)


@cached.per_run(8, "Comparing samples…")
def near_duplicates(run: runs.Run, alike: float, samples: bool) -> checks.Duplicates:
    """Pairs that differ by at most `alike` times what two random samples differ by."""
    return checks.duplicates(run, nearest(run), alike, samples=samples)


@cached.per_run(8)
def usual(run: runs.Run) -> blame.Usual:
    """What the values of a table's columns are usually."""
    return blame.usual(run)


@cached.per_run(8, "Looking for values outside of all others…")
def outliers_of(run: runs.Run, at_hand: bool) -> checks.Outliers:
    """Samples by how much they stand out, of rows at hand by their values too."""
    near, outside = nearest(run), None
    if at_hand and run.kind == "table":
        with contextlib.suppress(Problem):  # deleted since the page was drawn
            outside = blame.outside(run, usual(run), near.places)
    return checks.outliers(run.errors, run.splits, near, outside)


@cached.per_run(8)
def disagreeing(run: runs.Run) -> checks.Mislabelled:
    """Samples by how much their neighbours disagree with their label."""
    return checks.mislabelled(run.labels, nearest(run))


def duplicates(run: runs.Run, at_hand: bool, place: DeltaGenerator) -> dict[str, Any]:
    """Pairs of samples that are the same or nearly so."""
    address.seed("alike", 5, int, range(11))
    alike = place.slider(
        "Show pairs that differ by at most … % of what two random samples do",
        0,
        10,
        key="alike",
        disabled=not at_hand,
        help="Mean absolute difference of the values. At 0 only exact duplicates are listed.",
    )
    found = near_duplicates(run, alike / 100, at_hand)
    first, second = found.first, found.second
    if not at_hand:
        st.caption(
            "Without the originals only pairs of equal codes are listed. Whether their samples are equal is not known."
        )
    elif len(first):
        exact = int((found.difference == 0).sum())
        crossing = int((run.splits[first] != run.splits[second]).sum())
        other = int((run.labels[first] != run.labels[second]).sum())
        word = choosing.escaped(run.card.dataset.label)
        st.markdown(
            f"**{counted(len(first), 'pair')}**: {exact:,} of equal samples, {len(first) - exact:,} of nearly equal ones. "
            f"{crossing:,} reach across two splits, so that a test would meet what was trained on"
            + (f"; {other:,} have another {word}." if run.classes else ".")
        )
    if not len(first):
        st.info("No duplicates are among these samples. Raise the slider to list pairs that are less alike.")
        return {"alike": alike}
    say = np.where(
        found.difference == 0,
        "equal",
        [f"differ by {share:.1%} of usual" for share in found.difference / max(found.random, 1e-12)],
    )
    if not at_hand:
        say = np.full(len(first), "equal codes")
    columns: Table = {}
    for which, places in (("", first), (" of the other", second)):
        columns |= {name + which: values for name, values in identity(run, places, at_hand).items()}
    columns |= {"how alike": say, "difference": found.difference}
    listed(
        run,
        columns,
        {"": first, " of the other": second},
        "duplicates",
        at_hand,
    )
    part_looked_at(found.looked, run.count, "Near duplicates were sought among the neighbours of")
    return {"alike": alike}


def outliers(run: runs.Run, at_hand: bool, place: DeltaGenerator) -> dict[str, Any]:
    """Samples that the run reconstructs badly, or whose code lies alone."""
    address.seed("above", 99.0, percentile)
    above = place.slider("Show samples more unusual than … % of all", *ABOVE, step=0.1, key="above", format="%.1f %%")
    found = outliers_of(run, at_hand)
    chosen = found.rank >= above
    bad, far = found.error_rank[chosen] >= above, found.distance_rank[chosen] >= above
    outside = found.outside[chosen]
    first = f", {int(outside.sum()):,} with a value outside of all others (listed first)" if outside.any() else ""
    st.markdown(
        f"**{counted(int(chosen.sum()), 'sample')}**: {int((bad & ~far).sum()):,} with a large reconstruction error, "
        f"{int((far & ~bad).sum()):,} with a code far from all others, {int((bad & far).sum()):,} with both{first}.",
        help="A large reconstruction error: the network draws the sample badly, compared with others of its split "
        "(training samples with training samples). Far from all others: the "
        f"{nearest(run).near.shape[1]}th nearest code is far away (Ramaswamy et al. 2000). “error / median” 3 is three times "
        "the error that half of the samples stay below. A rare but good sample stands out, too.",
    )
    places = found.places[chosen]
    reasons = ((outside, "value outside of others"), (bad, "large error"), (far, "far from others"))
    known = identity(run, places, at_hand)
    split = known.pop("split")  # the reason stands beside the name, where a phone shows it
    columns: Table = {
        **known,
        **(to_blame(run, above) if at_hand else {}),
        "why": [", ".join(word for which, word in reasons if which[i]) for i in range(len(places))],
        "error / median": found.error[chosen],
        "error percentile": found.error_rank[chosen],
        "distance / median": found.distance[chosen],
        "distance percentile": found.distance_rank[chosen],
        "split": split,
    }
    listed(run, columns, {"": places}, "outliers", at_hand)
    part_looked_at(len(found.places), run.count, "Looked at were")
    return {"above": above}


@cached.per_run(8, "Looking for the columns to blame…")
def blamed(run: runs.Run, above: float) -> blame.Blame:
    """The column to blame for each sample that stands out so much."""
    found = outliers_of(run, True)
    chosen = found.rank >= above
    known = usual(run) if run.kind == "table" else None
    return blame.blame(run, found.places[chosen], found.error_rank[chosen] >= above, known)


def to_blame(run: runs.Run, above: float) -> Table:
    """The column that makes each of these samples stand out, of rows and signals, and why."""
    word = kinds.get(run.kind).column
    if not word:
        return {}
    try:
        found = blamed(run, above)
    except Problem:  # deleted since the page was drawn
        return {}
    return {f"{word} to blame": list(found.columns), "because": list(found.words)}


def percentile(asked: str) -> float:
    """What the address asks for, as the slider has it."""
    value = round(float(asked), 1)
    if not ABOVE[0] <= value <= ABOVE[1]:
        raise ValueError
    return value


def mislabelled(run: runs.Run, at_hand: bool, place: DeltaGenerator) -> dict[str, Any]:
    """Samples whose neighbours have another label."""
    address.seed("disagree", 90, int, range(50, 101))
    least = place.slider(
        "Neighbours that disagree", 50, 100, key="disagree", format="%d %%", help="Near neighbours weigh more."
    )
    found = disagreeing(run)
    if not len(found.places) or found.voted.max(initial=-1) < 0:
        st.info("These samples have no labels, or all the same one. With two classes or more, neighbours can disagree.")
        return {"disagree": least}
    chosen = found.disagreement >= least / 100
    places = found.places[chosen]
    accuracy = run.metric("knn_accuracy")
    st.markdown(
        f"**{counted(len(places), 'sample')}** of {len(found.places):,} lie among codes of another class. "
        + (
            f"Neighbours classify {accuracy:.0%} of the test samples correctly; with the others they disagree "
            "though the label may well be right."
            if accuracy is not None
            else ""
        ),
        help="Each sample is held against its nearest codes (after Brodley and Friedl 1999). With 5 % of the labels of "
        "digits changed on purpose, 79 % of as many samples ranked first were the changed ones (D = 2, variational); "
        "with codes that mix the classes, 54 %.",
    )
    if not len(places):
        st.info("No sample has so many neighbours of another class. Lower the slider.")
        return {"disagree": least}
    word = run.card.dataset.label
    voted = [run.classes[label] for label in found.voted[chosen]]
    columns: Table = {
        **identity(run, places, at_hand),
        f"neighbours' {word}": voted,
        "in words": [
            f"{votes} of {found.k} neighbours are {name}"
            for votes, name in zip(found.votes[chosen], voted, strict=True)
        ],
        "disagree": 100 * found.disagreement[chosen],
    }
    listed(run, columns, {"": places}, "likely-mislabelled", at_hand)
    labelled = int((run.labels >= 0).sum())
    if labelled < run.count:
        st.caption(f"{run.count - labelled:,} samples have no label and are not judged.")
    part_looked_at(len(found.places), labelled, "Looked at were")
    return {"disagree": least}


PAGE = Page("Samples", ":material/fact_check:", 5, show)

"""Recommend: rate things, watch yourself move on the map of people and things, and see what is suggested, and why."""

import base64
from collections.abc import Mapping
from html import escape
from operator import itemgetter
from typing import Any

import numpy as np
import streamlit as st

from components import address, choosing, labs
from components.labs import Try
from components.views import Page
from models.datasets import Dataset, tastes
from models.labs import Answer, recommend

LAB = recommend.LAB
SHOWN = ("rated", "at")  # what the browser reports
PARTS = ("net", "encoder", "decoder")  # of the networks of the page
VERDICT = (
    "Stars: a tenth of all ratings is held out, and foretold; RMSE is the root of the mean squared error, in the units of the "
    "ratings. Suggestions: people whom no method knows give four fifths of their ratings, and what they liked of the rest should be "
    "among the first of what is suggested; NDCG@10 is 1 where it all comes first. Plain methods and networks are tuned on other "
    "ratings; the best plain method is chosen with the test ratings, in its favour. A tie is where 0 lies in the 95 % interval of "
    "the difference (paired bootstrap over people)."
)
MEASURES = {
    "rmse": "RMSE",
    "nmae": "NMAE [%]",
    "ndcg@10": "NDCG@10 [%]",
    "ndcg@100": "NDCG@100 [%]",
    "recall@5": "recall@5 [%]",
    "recall@20": "recall@20 [%]",
}
MOVIELENS = "https://grouplens.org/datasets/movielens/"


def show() -> None:
    """Draw the page."""
    dataset = labs.begin_dataset(LAB)
    if dataset is None:
        return
    view = labs.opened_as(LAB, dataset.fingerprint, SHOWN)
    found = labs.answer(LAB, dataset, {}, forming)
    if found is not None:
        view = labs.drawn(LAB, dataset.fingerprint, payload(found.digest, found), view)
        labs.to_try("Recommend", tries(dataset))
        st.markdown(f"**{choosing.escaped(found.facts['verdict'])}**", help=VERDICT)
        tables(found)
        labs.origin(LAB, dataset, {}, measured(found))
    address.publish(data=dataset.name, **{name: value for name, value in view.items() if value})


WIDE, HIGH = 640, 360  # of the drawing


def forming(sketch: Mapping[str, Any]) -> str:
    """The map while the methods are still measured (see `models.labs.recommend.answer`), as HTML."""
    people = np.array(sketch["people"], float)
    low, high = np.quantile(people, [0.005, 0.995], axis=0)

    def at(x: float, y: float) -> tuple[float, float]:
        share = np.clip((np.array([x, y]) - low) / (high - low + 1e-9), 0, 1)
        return 40 + (WIDE - 80) * float(share[0]), 20 + (HIGH - 40) * (1 - float(share[1]))

    dots = "".join(f'<circle cx="{px:.0f}" cy="{py:.0f}" r="2"/>' for x, y in people.tolist() for px, py in [at(x, y)])
    names = "".join(
        f'<text x="{px:.0f}" y="{py:.0f}" text-anchor="middle">{escape(str(name)[:24])}</text>'
        for x, y, name in sketch["things"][:12]
        for px, py in [at(x, y)]
    )
    drawing = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDE} {HIGH}" width="{WIDE}" height="{HIGH}" fill="#808495" '
        f'font-family="sans-serif" font-size="13"><g fill="#56b4e9" fill-opacity="0.5">{dots}</g>{names}</svg>'
    )
    # A page takes no drawing but as a picture.
    encoded = base64.b64encode(drawing.encode()).decode()
    words = "The map is there; the methods are still compared."
    return (
        f'<div data-testid="lab-forming">{words}<br><img alt="A map of people and things" width="{WIDE}" height="{HIGH}" '
        f'style="max-width: 100%; height: auto" src="data:image/svg+xml;base64,{encoded}"></div>'
    )


@st.cache_resource(max_entries=8, show_spinner=False)
def payload(digest: str, _found: Answer) -> dict[str, Any]:
    """What the browser gets: things and people with their places, and the two networks as numbers of 16 bits."""
    facts, arrays = _found.facts, _found.arrays
    names = [name for name in arrays if name.split(".")[0] in PARTS]
    joined = np.concatenate([arrays[name].ravel() for name in names]).astype("<f2")
    return {
        "id": digest,
        "facts": {name: facts[name] for name in ("things", "classes", "low", "high", "deviation", "damping")},
        "usual": labs.plain(arrays["usual"], 6),
        "counts": arrays["counts"].tolist(),
        "places": labs.plain(arrays["places"], 4),
        "people": labs.plain(arrays["codes"].astype(np.float64), 4),
        "labels": arrays["labels"].tolist(),
        "first": arrays["first"].tolist(),
        "shapes": [[name, list(arrays[name].shape)] for name in names],
        "weights": base64.b64encode(joined.tobytes()).decode(),
    }


def tries(dataset: Dataset) -> list[Try]:
    """Things to do, and where one brings ratings of one's own."""
    ours = [
        Try(
            "Somebody who likes it dark",
            {"data": "tastes", "rated": stars({"The House That Waited": 5, "Fogmoor Abbey": 5})},
        ),
        Try(
            "Loves chilli, hates soup",
            {
                "data": "tastes",
                "rated": stars({"Volcano noodles": 5, "Dragon's egg curry": 5, "Grandmother's Tuesday soup": 1}),
            },
        ),
        Try("What do people here like?", {"data": "tastes", "at": "1.20,0.80"}),
    ]
    return [*ours, Try("Bring ratings of your own", {}, page="Data")]


def stars(given: Mapping[str, int]) -> str:
    """Stars for some of our things, as the address of this page has them."""
    places = {one.name: i for i, one in enumerate(tastes.THINGS)}
    return "".join(f"{np.base_repr(places[name], 36).lower():0>2}{count}" for name, count in given.items())


def tables(found: Answer) -> None:
    """Every method in numbers, for stars and for suggestions, and how it is measured."""
    facts = found.facts
    left, right = st.columns(2)
    for place, title, rows, ahead in (
        (left, "How many stars?", facts["stars"], "rmse"),
        (right, "What is suggested?", facts["likes"], "ndcg@10"),
    ):
        place.markdown(f"**{title}**")
        ordered = sorted(rows, key=itemgetter(ahead), reverse=ahead != "rmse")
        columns: dict[str, list[Any]] = {
            "method": [one["title"] for one in ordered],
            "": ["network" if one["ours"] else "plain" for one in ordered],
        }
        for name, words in MEASURES.items():
            if name in rows[0]:
                columns[words] = [one[name] * (100 if "%" in words else 1) for one in ordered]
        columns["setting"] = [one["setting"] for one in ordered]
        columns["seconds"] = [one.get("seconds") for one in ordered]
        form = {
            name: st.column_config.NumberColumn(format="%.3f" if name == "RMSE" else "%.1f")
            for name in columns
            if name not in ("method", "", "setting")
        }
        place.dataframe(columns, hide_index=True, column_config=form)
    with st.expander("How this works, and how it is measured"):
        ease = facts["differences"]
        st.markdown(
            "A row of ratings is mostly empty. The **denoising autoencoder** sees which cells are filled and with what, some of them "
            "hidden from it, and its loss counts the hidden ones alone (a masked loss): it learns to guess what it has not seen. For "
            "suggestions it learns which things are liked, as a Mult-VAE does, but sees dislikes, too.\n\n"
            "**The map** is the code of a second, smaller network, of two numbers. A person lies where their ratings lead; a thing "
            "lies among the 4 % of people who, says the network, would like it best. The list beside it comes from a network "
            "without that bottleneck, which guesses better: both stand in the table.\n\n"
            "**Why**: what is foretold, less what would be foretold without that one rating of yours.\n\n"
            f"Against EASE (Steck 2019) alone: RMSE better by {ease['stars ease']['mean']:.3f} ({between(ease['stars ease'])}), "
            f"NDCG@10 by {100 * ease['likes ease']['mean']:.1f} points ({between(ease['likes ease'], 100, 1)}), in 95 of 100 draws."
        )
        st.markdown(
            f"**Your own ratings**: bring a CSV of person, thing and stars, a table with a column for each thing, or the zip of "
            f"[MovieLens]({MOVIELENS}) to the page Data, and open it here."
        )


def between(one: Mapping[str, float], times: float = 1.0, digits: int = 3) -> str:
    """An interval in words."""
    return f"{times * one['low']:.{digits}f} to {times * one['high']:.{digits}f}".replace("-", "−")


def measured(found: Answer) -> str:
    """What the answer was computed from and with, in sentences."""
    facts = found.facts
    count = f"{facts['people']:,} people, {len(facts['things']):,} things, {100 * facts['filled']:.0f} % of the cells filled"
    return f"{count}; {facts['splits']} splits. {facts['libraries']}."


PAGE = Page("Recommend", ":material/thumb_up:", 7, show)

"""Recommend: rate things, watch yourself move on the map of people and things, and see what is suggested, and why."""

import base64
from collections.abc import Mapping
from html import escape
from operator import itemgetter
from typing import Any

import numpy as np
import streamlit as st

from components import address, choosing, labs, pictures
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
        labs.to_try("Recommend", tries(dataset, view))
        st.markdown(f"**{choosing.escaped(found.facts['verdict'])}**", help=VERDICT)
        tables(found)
        labs.origin(LAB, dataset, {}, measured(found))
    address.publish(data=dataset.name, **{name: value for name, value in view.items() if value})


WIDE, HIGH = 640, 360  # of the drawing


def forming(sketch: Mapping[str, Any]) -> str:
    """The map while the methods are still measured (see `models.labs.recommend.answer`), as HTML."""
    people = np.array(sketch["people"], float)
    low, high = np.quantile(people, [0.005, 0.995], axis=0)

    def at(places: Any) -> list[list[float]]:
        shares = np.clip((np.array(places, float) - low) / (high - low + 1e-9), 0, 1)
        drawn: list[list[float]] = (np.array([40, HIGH - 20]) + np.array([WIDE - 80, 40 - HIGH]) * shares).tolist()
        return drawn

    dots = "".join(f'<circle cx="{x:.0f}" cy="{y:.0f}" r="2"/>' for x, y in at(people))
    things = sketch["things"][:12]
    names = "".join(
        f'<text x="{x:.0f}" y="{y:.0f}" text-anchor="middle">{escape(str(name)[:24])}</text>'
        for (x, y), (*_, name) in zip(at([thing[:2] for thing in things]), things, strict=True)
    )
    content = f'<g fill="#56b4e9" fill-opacity="0.5">{dots}</g>{names}'
    words = "The map is there; the methods are still compared."
    drawn = pictures.drawing(content, WIDE, HIGH, "A map of people and things")
    return f'<div data-testid="lab-forming">{words}<br>{drawn}</div>'


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


def tries(dataset: Dataset, view: Mapping[str, str]) -> list[Try]:
    """Things to do, and where one brings ratings of one's own. view: how the map is shown now."""
    own = Try("Bring ratings of your own", {}, page="Data")
    ours = tastes.DATASET.name
    if dataset.name != ours:  # what follows names things of ours
        return [Try("Dishes, places and films that nobody knows", {"data": ours}), own]
    mine = {"rated": view["rated"]} if view.get("rated") else {}
    return [
        Try(
            "Somebody who likes it dark",
            {"data": ours, "rated": stars({"The House That Waited": 5, "Fogmoor Abbey": 5})},
        ),
        Try(
            "Loves chilli, hates soup",
            {
                "data": ours,
                "rated": stars({"Volcano noodles": 5, "Dragon's egg curry": 5, "Grandmother's Tuesday soup": 1}),
            },
        ),
        Try("What do people here like?", {"data": ours, **mine, "at": "1.20,0.80"}),
        own,
    ]


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
        ordered.sort(key=lambda one: one["name"] in recommend.STARS_OF_PAGE)  # measured on one split: last, no rank
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
            f"Against EASE (Steck 2019) alone: RMSE {apart(ease['stars ease'])}, NDCG@10 {apart(ease['likes ease'], 100, 1)} points, "
            "each with what it is in 95 of 100 draws."
        )
        st.markdown(
            f"**Your own ratings**: bring a CSV of person, thing and stars, a table with a column for each thing, or the zip of "
            f"[MovieLens]({MOVIELENS}) to the page Data, and open it here."
        )


def apart(one: Mapping[str, float], times: float = 1.0, digits: int = 3) -> str:
    """How much better or worse, and between what, in words."""
    mean, low, high = (times * one[name] for name in ("mean", "low", "high"))
    words = f"{'better' if mean >= 0 else 'worse'} by {abs(mean):.{digits}f} ({low:+.{digits}f} to {high:+.{digits}f})"
    return words.replace("-", "−")


def measured(found: Answer) -> str:
    """What the answer was computed from and with, in sentences."""
    facts = found.facts
    count = f"{facts['people']:,} people, {len(facts['things']):,} things, {100 * facts['filled']:.0f} % of the cells filled"
    return f"{count}; {facts['splits']} splits. {facts['libraries']}."


PAGE = Page("Recommend", ":material/thumb_up:", 7, show)

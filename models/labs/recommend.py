"""What else would you like? Ratings with gaps: a network that fills them beside the plain methods, and a map of who likes what.

What is computed, and from which papers, stands in `models/analysis/recommending.py`. Of two networks that are small enough for a page
the first foretells stars, and the second has a code of two numbers, which is the map. Both learn from few ratings of each
person, since whoever tries them has given few.
"""

from __future__ import annotations

from functools import lru_cache
from importlib.metadata import version
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models import Problem, datasets, uploads
from models.analysis import recommending
from models.analysis.recommending import OURS, TITLES, Centre, Difference, Outcome, Ratings
from models.columns import as_they_came
from models.datasets import Dataset, tastes
from models.labs import Answer, Lab, Report, Settings, Sketch, lead
from models.readers.result import ReadResult

FEWEST_PEOPLE, FEWEST_THINGS = 100, 8
FEWEST_RATINGS = 5  # of a person, and of a thing: others are left out
EMPTY = 0.05  # of the cells, at least: a table with fewer gaps has nothing to recommend
MOST_PEOPLE, MOST_THINGS = 10_000, 1000  # of more people so many at random, of more things those with most ratings
LOOKED_AT = 400  # rows by which ratings are told from other tables with gaps
SPLITS = 5
SPLITS_OF_OWN = 2  # somebody waits for these
SHOWN_WIDTH, SHOWN_STEPS = 96, 1200  # of the networks of the page
FEW = (0.4, 0.97)  # shares of a person's ratings that are hidden from them
DOTS, SKETCHED = 3000, 600  # people that are drawn, at most; while the rest is computed
FIRST = 24  # things that are offered first
FILLED = "nearly all of its cells are filled, and what would somebody like who has tried everything?"
FANS = 0.04  # of the people: so many of those who would like a thing best say where it lies


def gaps_of(dataset: Dataset, rows: NDArray[np.integer[Any]]) -> NDArray[np.bool_] | None:
    """Which cells of these rows are empty (K, F), without reading the others."""
    return datasets.missing_at(dataset, rows)


def fits(dataset: Dataset) -> str:
    """A table of people by things: numbers on one scale, with gaps."""
    if dataset.kind != "table" or any(column.kind != "number" for column in dataset.columns):
        return "it is no table of ratings: people, things, and a number for some of both"
    if dataset.size < FEWEST_THINGS or dataset.count < FEWEST_PEOPLE:
        return (
            f"it has {dataset.count:,} rows of {dataset.size:,} numbers, and this lab takes ratings of at least "
            f"{FEWEST_PEOPLE} people for {FEWEST_THINGS} things"
        )
    if dataset.gaps is not None:
        return ""
    if not uploads.own(dataset.name):
        return FILLED
    return _like_ratings(dataset.name, dataset.fingerprint)


@lru_cache(maxsize=64)
def _like_ratings(name: str, _fingerprint: str) -> str:
    """ "" where cells are empty and all columns have one scale, as some rows show."""
    dataset = datasets.get(name)
    rows = _some(dataset.count)
    try:
        gone = gaps_of(dataset, rows)
        if gone is None:
            return FILLED
        values = as_they_came(dataset.columns, np.asarray(datasets.samples_at(dataset, rows), np.float32))
    except Problem as problem:
        return problem.clause
    return on_one_scale(values, gone)


def _some(count: int) -> NDArray[np.int64]:
    """The rows by which ratings are told from other tables."""
    return np.unique(np.linspace(0, count - 1, LOOKED_AT).astype(np.int64))


def brought(found: ReadResult) -> bool:
    """Whether what was read, and is no dataset yet, are ratings that this lab takes."""
    if found.kind != "table" or found.missing is None or any(column.kind != "number" for column in found.columns):
        return False
    count, size = found.samples.shape
    if size < FEWEST_THINGS or count < FEWEST_PEOPLE:
        return False
    rows = _some(count)
    gone = np.unpackbits(found.missing[rows], axis=1, count=size).astype(bool)
    return not on_one_scale(np.asarray(found.samples[rows], np.float64), gone)


def on_one_scale(values: NDArray[np.floating[Any]], gone: NDArray[np.bool_]) -> str:
    """Whether numbers (K, F) of which some were `gone` (K, F) are ratings: "", else why not, as a clause."""
    if gone.mean() < EMPTY:
        return FILLED
    values = np.where(gone, np.nan, values)
    some = values[:, (~gone).sum(0) >= FEWEST_RATINGS]
    if not some.size:
        return f"no column has {FEWEST_RATINGS} numbers"
    low, high = np.nanmin(some), np.nanmax(some)
    middle, spread = np.nanmean(some), np.nanstd(some)
    mean, deviation = np.nanmean(some, 0), np.nanstd(some, 0)
    alike = (np.abs(mean - middle) < 2 * spread) & (deviation < 2.5 * spread) & (deviation > 0.2 * spread)
    if high <= low or alike.mean() < 0.8:
        return "its columns are on different scales, and ratings are all on one, such as 1 to 5"
    return ""


def ratings_of(dataset: Dataset) -> Ratings:
    """All ratings of a dataset (N, I) as they came, NaN for gaps."""
    rows = np.arange(dataset.count)
    gone = gaps_of(dataset, rows)
    values = as_they_came(dataset.columns, np.asarray(datasets.arrays(dataset).samples, np.float32))
    return values if gone is None else np.where(gone, np.nan, values)


def chosen(ratings: Ratings) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Which rows and columns are learnt from: those with enough ratings, at most so many. A `Problem` where they are too few."""
    known = ~np.isnan(ratings)
    things = np.argsort(-known.sum(0), kind="stable")[:MOST_THINGS]
    things = np.sort(things[known[:, things].sum(0) >= FEWEST_RATINGS])
    people = np.flatnonzero(known[:, things].sum(1) >= FEWEST_RATINGS)
    if len(people) > MOST_PEOPLE:
        people = np.sort(np.random.default_rng(0).permutation(people)[:MOST_PEOPLE])
    if len(people) < FEWEST_PEOPLE or len(things) < FEWEST_THINGS:
        raise Problem(
            f"{len(people):,} people and {len(things):,} things have {FEWEST_RATINGS} ratings or more",
            f"at least {FEWEST_PEOPLE} people and {FEWEST_THINGS} things are needed",
            "bring more ratings",
        )
    return people, things


def answer(dataset: Dataset, settings: Settings, report: Report) -> Answer:
    """Every method on the same splits, and two small networks for the page.

    facts: {people, things [{name, group, line}], filled, low, high, liked_from, deviation, damping, splits, stars and likes [{name,
    title, ours, setting, seconds, and rmse, nmae or ndcg@10 …}], best {stars, likes}, differences {stars, likes, "stars ease",
    "likes ease"}, verdict, won, against, by, libraries}. arrays: "usual" (I,) what each thing gets; "counts" (I,) ratings of each; "net.…", "encoder.…"
    and "decoder.…" the networks of the page, float16; "places" (I, 2) of the things and "codes" (K, 2) of people on the
    map, "labels" (K,) their classes; "first" (J,) things to rate first.
    """
    report("reading", 0.0)
    every = ratings_of(dataset)
    people, things = chosen(every)
    ratings = every[np.ix_(people, things)]
    folds = int(settings["splits"]) or (SPLITS_OF_OWN if uploads.own(dataset.name) else SPLITS)

    def page_networks(part: Ratings, centre: Centre, begin: float) -> tuple[recommending.Weights, recommending.Weights]:
        made = []
        for i, code_size in enumerate((None, 2)):

            def tell(share: float, at: float = begin + 0.04 * i) -> None:
                report("training the networks of this page", at + 0.04 * share)

            made.append(
                recommending.denoising(
                    part,
                    centre,
                    width=SHOWN_WIDTH,
                    code_size=code_size,
                    dropout=0.1,
                    hidden=FEW,
                    steps=SHOWN_STEPS,
                    tell=tell,
                )
            )
        return made[0], made[1]

    centre = Centre.of(ratings)
    net, on_map = page_networks(ratings, centre, 0.0)
    on_map, codes, places = laid_out(on_map, centre, ratings)
    counts = (~np.isnan(ratings)).sum(0)
    of_things = described(dataset, things)
    offered = to_rate_first(counts, places)
    some = np.sort(np.random.default_rng(0).permutation(len(people))[:DOTS])

    def sketch() -> dict[str, Any]:
        names = [[*places[i].round(2).tolist(), of_things[i]["name"]] for i in offered.tolist()]
        return {"people": codes[some[:SKETCHED]].astype(float).round(2).tolist(), "things": names}

    def compared(what: str, share: float, _sketch: Sketch | None = None, /) -> None:
        report(what, 0.1 + 0.8 * share, sketch)

    stars, likes = recommending.compare(ratings, folds, report=compared)
    first = recommending.split_stars(ratings, 0)
    of_first = Centre.of(first.train)
    for name, weights in zip(("page", "map"), page_networks(first.train, of_first, 0.9), strict=True):
        predicted = recommending.stars_of(weights, of_first)(first.test_given)
        squared, absolute, count = recommending.errors(predicted, first.test_held, of_first)
        absolute = absolute / (of_first.high - of_first.low)
        stars[0].values[name] = {"squared": squared, "absolute": absolute, "count": count}
    facts: dict[str, Any] = {
        "people": len(people),
        "things": of_things,
        "filled": round(float((~np.isnan(ratings)).mean()), 4),
        "low": centre.low,
        "high": centre.high,
        "liked_from": round(centre.liked_from, 4),
        "deviation": round(centre.deviation, 6),
        "damping": recommending.DAMPING_PEOPLE,
        "splits": folds,
        "classes": list(dataset.classes),
        **measured(stars, likes),
        "libraries": f"scikit-learn {version('scikit-learn')}, torch {version('torch').split('+')[0]}; EASE in a line of our own",
    }
    arrays: dict[str, NDArray[np.generic]] = {
        "usual": centre.things.astype(np.float32),
        "counts": counts.astype(np.int32),
        "places": places.astype(np.float32),
        "codes": codes[some].astype(np.float16),
        "labels": np.asarray(datasets.arrays(dataset).labels)[people[some]].astype(np.int16),
        "first": offered.astype(np.int32),
        **{name: one.astype(np.float16) for name, one in {**net, **on_map}.items()},
    }
    return Answer(facts, arrays)


def described(dataset: Dataset, things: NDArray[np.int64]) -> list[dict[str, str]]:
    """What is said of each thing: its name, and of ours what it is and a line."""
    ours = {one.name: one for one in tastes.THINGS} if dataset.name == tastes.DATASET.name else {}
    out = []
    for i in things.tolist():
        name = dataset.columns[i].name
        out.append(
            {"name": name, "group": ours[name].group, "line": ours[name].line} if name in ours else {"name": name}
        )
    return out


def laid_out(
    weights: recommending.Weights, centre: Centre, ratings: Ratings
) -> tuple[recommending.Weights, NDArray[np.float32], NDArray[np.float32]]:
    """The network with its code moved and scaled so that people have mean 0 and deviation 1, and where people (N, 2) and things (I, 2)
    lie on its map: a thing lies in the middle of those who would like it best."""
    codes = recommending.encoded(weights, recommending.told(ratings, centre)[0])
    middle, spread = codes.mean(0), codes.std(0) + np.float32(1e-6)
    last = max(int(name.split(".")[1]) for name in weights if name.startswith("encoder."))
    weight, bias, out = f"encoder.{last}.weight", f"encoder.{last}.bias", "decoder.0.weight"
    moved = {
        **weights,
        weight: weights[weight] / spread[:, None],
        bias: (weights[bias] - middle) / spread,
        out: weights[out] * spread,
        "decoder.0.bias": weights["decoder.0.bias"] + weights[out] @ middle,
    }
    codes = (codes - middle) / spread
    liked = recommending.decoded(moved, codes)
    best = np.argsort(-liked, 0)[: max(5, round(FANS * len(codes)))]
    return moved, codes, codes[best].mean(0)


def to_rate_first(counts: NDArray[np.integer[Any]], places: NDArray[np.float32]) -> NDArray[np.int64]:
    """Things (J,) that many know and that lie apart on the map: each next one has the most ratings times its distance to those before."""
    out = [int(counts.argmax())]
    apart = np.linalg.norm(places - places[out[0]], axis=1)
    for _ in range(min(FIRST, len(counts)) - 1):
        worth = counts * apart
        worth[out] = -1
        out.append(int(worth.argmax()))
        apart = np.minimum(apart, np.linalg.norm(places - places[out[-1]], axis=1))
    return np.array(out)


# What was found, in numbers and words.

STARS_OF_PAGE = {"page": "the network of this page", "map": "its map: a code of 2 numbers"}


def measured(stars: list[Outcome], likes: list[Outcome]) -> dict[str, Any]:
    """The tables, the differences and the verdict, as facts."""
    seconds, settings = stars[0].seconds, stars[0].settings
    table: list[dict[str, Any]] = []
    for name in stars[0].values:
        of = stars if name in TITLES else stars[:1]
        told: dict[str, Any] = {
            "name": name,
            "title": TITLES.get(name, STARS_OF_PAGE.get(name, name)),
            "ours": name in OURS or name in STARS_OF_PAGE,
            "setting": settings.get(name, f"{SHOWN_WIDTH} units; measured on the first split"),
            "rmse": round(recommending.rmse(of, name), 5),
            "nmae": round(recommending.nmae(of, name), 5),
        }
        if name in seconds:
            told["seconds"] = round(float(np.mean([one.seconds[name] for one in stars])), 2)
        table.append(told)
    other: list[dict[str, Any]] = [
        {
            "name": name,
            "title": TITLES[name],
            "ours": name in OURS,
            "setting": likes[0].settings[name],
            "seconds": round(float(np.mean([one.seconds[name] for one in likes])), 2),
            **{measure: round(recommending.mean(likes, name, measure), 5) for measure in likes[0].values[name]},
        }
        for name in likes[0].values
    ]
    best_stars = min((one for one in table if not one["ours"]), key=lambda one: one["rmse"])
    best_likes = max((one for one in other if not one["ours"]), key=lambda one: one["ndcg@10"])
    apart = {
        "stars": recommending.difference_stars(stars, "denoiser", best_stars["name"]),
        "likes": recommending.difference_likes(likes, "denoiser", best_likes["name"]),
        "stars ease": recommending.difference_stars(stars, "denoiser", "ease"),
        "likes ease": recommending.difference_likes(likes, "denoiser", "ease"),
    }
    ours = (
        next(one for one in table if one["name"] == "denoiser"),
        next(one for one in other if one["name"] == "denoiser"),
    )
    by_stars = f"RMSE {ours[0]['rmse']:.3f} against {best_stars['rmse']:.3f}"
    by_likes = f"NDCG@10 {ours[1]['ndcg@10']:.3f} against {best_likes['ndcg@10']:.3f}"
    against = list(dict.fromkeys([best_stars["title"], best_likes["title"]]))
    return {
        "stars": table,
        "likes": other,
        "best": {"stars": best_stars["name"], "likes": best_likes["name"]},
        "differences": {name: said(one) for name, one in apart.items()},
        "verdict": (
            f"{sentence('Stars', by_stars, apart['stars'], best_stars['title'], 3)} "
            f"{sentence('Suggestions', by_likes, apart['likes'], best_likes['title'], 3)}"
        ),
        "won": won(apart["stars"], apart["likes"]),
        "against": " and ".join(against),
        "by": f"{by_stars}; {by_likes}",
    }


def said(one: Difference) -> dict[str, Any]:
    """A difference as plain numbers."""
    return {"mean": round(one.mean, 5), "low": round(one.low, 5), "high": round(one.high, 5), "tied": one.tied}


def sentence(what: str, by: str, apart: Difference, best: str, digits: int) -> str:
    """Who is better at something, in a sentence that the network can lose."""
    drawn = lead(apart.low, apart.high, f"{{:.{digits}f}}".format, "the autoencoder is")
    ours = TITLES["denoiser"]
    if apart.tied:
        return f"{what}: a tie of the {ours} and {best}, the best plain method: {by} {drawn}."
    if apart.mean > 0:
        return f"{what}: the {ours} wins, {by} of {best}, the best plain method {drawn}."
    return f"{what}: {best}, a plain method, wins: the {ours} has {by} {drawn}."


def won(*differences: Difference) -> str:
    """Who won over all: "network" or "plain" where that is ahead at something and behind at nothing, else "tie"."""
    ahead = any(not one.tied and one.mean > 0 for one in differences)
    behind = any(not one.tied and one.mean < 0 for one in differences)
    return "tie" if ahead == behind else "network" if ahead else "plain"


LAB = Lab(
    name="recommend",
    title="Recommend",
    question="What else would you like?",
    of="dataset",
    fits=fits,
    answer=answer,
    settings={"splits": 0},
    version=2,
    shipped=("tastes",),
)

"""Which of these are not like the others? Three scores of small networks beside the plain methods, on the same splits.

What is computed, and from which papers, stands in `models/analysis/anomalies.py`.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from models import Problem, datasets
from models.analysis import anomalies
from models.analysis.anomalies import OURS, Difference, Outcome
from models.columns import Column
from models.datasets import Dataset
from models.labs import Answer, Lab, Report, Settings, Sketch

MOST_ROWS = 20_000  # of a larger dataset, so many at random
MOST_NUMBERS = 3072  # of one sample: a dense network of more takes minutes
ALARMS = 24  # that are explained, those with the highest scores
TITLES = {
    "error": "reconstruction error",
    "code": "distance of the code",
    "correction": "correction of a denoiser",
    "combined": "all three (combined)",
}


def fits(dataset: Dataset) -> str:
    """Classes are needed to know what is found, and samples that a small dense network takes."""
    if len(dataset.classes) < 2:
        return "this lab needs to know which samples do not belong: two classes at least"
    if dataset.size > MOST_NUMBERS:
        return (
            f"a sample has {dataset.size:,} numbers, and the small networks of this lab take {MOST_NUMBERS:,} at most"
        )
    return ""


def choices(dataset: Dataset) -> dict[str, str]:
    """What may count as normal, by its setting, in words."""
    only = {f"only {i}": f"only {name}" for i, name in enumerate(dataset.classes)}
    if len(dataset.classes) == 2:
        return only
    return only | {f"but {i}": f"all but {name}" for i, name in enumerate(dataset.classes)}


def usual(dataset: Dataset, labels: NDArray[np.int32]) -> str:
    """The choice where nothing was chosen: the class that most samples have, where it is more than half of them; else all
    but the last."""
    counts = np.bincount(labels[labels >= 0], minlength=len(dataset.classes))
    if counts.max() > counts.sum() / 2:
        return f"only {int(counts.argmax())}"
    return f"but {len(counts) - 1}"


def anomalous_of(labels: NDArray[np.int32], chosen: str) -> NDArray[np.bool_]:
    """Which samples do not belong (N,), of their labels (N,). A `Problem` for a choice that there is not."""
    how, _, which = chosen.partition(" ")
    if how not in ("only", "but") or not which.isdecimal():
        raise Problem(f"“{chosen[:40]}” is no choice of what is normal", "one like “only 0” or “but 3” was expected")
    same = labels == int(which)
    return np.asarray(~same if how == "only" else same)


def answer(dataset: Dataset, settings: Settings, report: Report) -> Answer:
    """Every method on the same splits, and why the first alarms are alarms.

    facts: {normal, words, count, anomalies, methods [{name, title, ours, roc [S], ap [S], seconds}], best, difference {mean,
    low, high, tied}, verdict}. arrays, of the first split: "test" (T,) rows of the dataset, "anomalous" (T,), "score <method>"
    (T,) and "held <method>" (V,); of the `ALARMS` highest scores "alarms" (K,) places among these, "expected" (K, F) and
    "deviations" (K, F) (see `models.analysis.anomalies.Blame`), "nearest" (K,) rows of the dataset.
    """
    report("reading", 0.0)
    content = datasets.arrays(dataset)
    chosen = str(settings["normal"]) or usual(dataset, content.labels)
    known = np.flatnonzero(content.labels >= 0)
    if len(known) > MOST_ROWS:
        known = np.sort(np.random.default_rng(0).choice(known, MOST_ROWS, replace=False))
    anomalous = anomalous_of(content.labels[known], chosen)
    rows = anomalies.flat(np.asarray(content.samples[known]), dataset.columns)
    shared = dataset.kind != "table"
    contaminated = bool(settings["contaminated"])

    def tell(what: str, share: float, sketch: Sketch | None = None, /) -> None:
        report(what, 0.9 * share, sketch)

    seeds = range(int(settings["splits"]))
    outcomes = anomalies.compare(rows, anomalous, seeds, shared=shared, contaminated=contaminated, report=tell)
    first = outcomes[0]
    report("why they are alarms", 0.92)
    parts = anomalies.split(anomalous, first.seed, contaminated)
    detector = anomalies.fit(rows, parts, first.seed, shared=shared)
    alarms = np.argsort(-first.scores["combined"])[:ALARMS]
    chief = rows[first.test[alarms]]
    blamed = anomalies.blame(detector, chief)
    best = anomalies.best_plain(outcomes)
    facts: dict[str, Any] = {
        "normal": chosen,
        "words": choices(dataset).get(chosen, chosen),
        "count": len(rows),
        "anomalies": int(anomalous.sum()),
        "contaminated": contaminated,
        "methods": [described(name, outcomes) for name in first.scores],
        "best": best,
        "difference": told(apart := anomalies.difference(outcomes, "combined", best)),
        "verdict": verdict(outcomes, best, apart),
        "libraries": libraries(),
    }
    arrays: dict[str, NDArray[np.generic]] = {
        "test": known[first.test].astype(np.int32),
        "anomalous": first.anomalous,
        "alarms": alarms.astype(np.int32),
        "expected": blamed.expected.astype(np.float32),
        "deviations": blamed.deviations.astype(np.float32),
        "nearest": known[anomalies.nearest_normal(detector, chief)].astype(np.int32),
    }
    for name in first.scores:
        arrays[f"score {name}"] = first.scores[name].astype(np.float32)
        arrays[f"held {name}"] = first.held_out[name].astype(np.float32)
    return Answer(facts, arrays)


def described(name: str, outcomes: list[Outcome]) -> dict[str, Any]:
    """A method's measures on each split, and the seconds that it took on average."""
    return {
        "name": name,
        "title": TITLES.get(name, name),
        "ours": name in OURS,
        "roc": [round(one.roc_auc(name), 5) for one in outcomes],
        "ap": [round(one.average_precision(name), 5) for one in outcomes],
        "seconds": round(float(np.mean([one.seconds[name] for one in outcomes])), 2),
    }


def told(apart: Difference) -> dict[str, Any]:
    """A difference as plain numbers."""
    return {"mean": round(apart.mean, 5), "low": round(apart.low, 5), "high": round(apart.high, 5), "tied": apart.tied}


def verdict(outcomes: list[Outcome], best: str, apart: Difference) -> str:
    """Who finds more, in a sentence that the networks can lose."""
    ours, theirs = (
        100 * float(np.mean([one.average_precision(name) for one in outcomes])) for name in ("combined", best)
    )
    between = f"{100 * apart.low:+.1f} to {100 * apart.high:+.1f}".replace("-", "−")
    figures = f"{ours:.1f} % average precision against {theirs:.1f} % (difference {between} points in 95 of 100 draws)"
    if apart.tied:
        return f"A tie: the networks and {best} find about as much, {figures}."
    return f"{'The networks win' if apart.mean > 0 else f'{best} wins'}: the networks reach {figures.replace('against', f'against {best} with')}."


def because(
    columns: tuple[Column, ...], kind: str, deviations: NDArray[np.floating[Any]], shape: tuple[int, ...]
) -> str:
    """Which number of a sample is furthest from what was expected of it, in words. deviations (F,)."""
    place = int(np.abs(deviations).argmax())
    far = float(deviations[place])
    where = f"{abs(far):.0f} deviations {'above' if far > 0 else 'below'} what is expected"
    if kind == "table":
        column = next((one for one in columns if one.start <= place < one.start + one.width), None)
        if column is None:
            return f"number {place + 1}: {where}"
        value = f" = {column.values[place - column.start]}" if column.width > 1 else ""
        return f"{column.name}{value}: {where}"
    if kind == "signal":
        step, channel = divmod(place, shape[1])
        name = columns[channel].name if channel < len(columns) else f"channel {channel + 1}"
        return f"step {step + 1} of {name}: {where}"
    down, across = divmod(place // shape[2], shape[1])
    return f"pixel {across + 1}, {down + 1}: {where}"


def libraries() -> str:
    """What the plain methods are from."""
    from importlib.metadata import version

    return f"scikit-learn {version('scikit-learn')}; ECOD (Li et al. 2022) and HBOS (Goldstein and Dengel 2012) in lines of our own"


LAB = Lab(
    name="anomalies",
    title="Anomalies",
    question="Which of these are not like the others, and what does it cost to be wrong?",
    of="dataset",
    fits=fits,
    answer=answer,
    settings={"normal": "", "contaminated": False, "splits": 5},
    shipped=("breast-cancer",),
)

"""Which of these are not like the others? Three scores of small networks beside the plain methods, on the same splits.

What is computed, and from which papers, stands in `models/analysis/anomalies.py`.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models import Problem, datasets, kinds
from models.analysis import anomalies
from models.analysis.anomalies import OURS, Difference, Outcome
from models.analysis.hidden import averaged
from models.columns import Column
from models.datasets import Dataset
from models.labs import Answer, Finding, Lab, Report, Settings, Sketch, lead

RARE = 0.5  # of as many as there were if all classes were alike: a class of fewer is what somebody looks for
MOST = 0.8  # of the samples: a class of more is what is normal
MOST_ROWS = 20_000  # of a larger dataset, so many at random
MOST_COLUMNS = 3072  # of a table: a dense network of more takes an hour
MOST_NUMBERS = 400  # of an image or a signal: more are made smaller, since dense networks take time with their square
HARDLY = 0.6  # area under the ROC curve below which a score is hardly better than one drawn at random, which has 0.5
FEW = 10  # samples that do not belong, below which a verdict would be about these alone
ALARMS = 24  # that are explained, those with the highest scores
TITLES = {
    "error": "reconstruction error",
    "code": "distance of the code",
    "correction": "correction of a denoiser",
    "combined": "all three (combined)",
}


def fits(dataset: Dataset) -> str:
    """Classes are needed to know what is found, and rows that a small dense network takes."""
    if len(dataset.classes) < 2:
        there = "all samples are of one class" if dataset.classes else "its samples have no classes"
        return f"{there}, and this lab has to know which do not belong: by two classes at least, normal and not"
    if dataset.kind == "table" and dataset.size > MOST_COLUMNS:
        return f"a row has {dataset.size:,} numbers, and the small networks of this lab take {MOST_COLUMNS:,} at most"
    return ""


def smaller(samples: NDArray[np.generic]) -> NDArray[np.generic]:
    """Images (N, H, W, C) or signals (N, T, C) of at most `MOST_NUMBERS` numbers (see `models.analysis.hidden.averaged`); rows
    (N, F) are left as they are."""
    out = averaged(samples, MOST_NUMBERS)
    return out.round().astype(np.uint8) if samples.dtype == np.uint8 and out is not samples else out


def choices(dataset: Dataset) -> dict[str, str]:
    """What may count as normal, by its setting, in words."""
    only = {f"only {i}": f"only {name}" for i, name in enumerate(dataset.classes)}
    if len(dataset.classes) == 2:
        return only
    return only | {f"but {i}": f"all but {name}" for i, name in enumerate(dataset.classes)}


def usual(dataset: Dataset, labels: NDArray[np.int32]) -> str:
    """The choice where nothing was chosen: the class that nearly all samples have; of more than two classes else all but the
    rarest, where that is rare; else the class that most have, where it is more than half of them or one of two; else all but
    the last that any has."""
    counts = np.bincount(labels[labels >= 0], minlength=len(dataset.classes))
    some = np.flatnonzero(counts)
    if len(some) > 2 and counts.max() < MOST * counts.sum() and counts[some].min() < RARE * counts[some].mean():
        return f"but {int(some[counts[some].argmin()])}"
    if len(counts) == 2 or counts.max() > counts.sum() / 2:
        return f"only {int(counts.argmax())}"
    return f"but {int(some[-1]) if len(some) else 0}"


def anomalous_of(labels: NDArray[np.int32], chosen: str) -> NDArray[np.bool_]:
    """Which samples do not belong (N,), of their labels (N,). A `Problem` for a choice that there is not."""
    how, _, which = chosen.partition(" ")
    if how not in ("only", "but") or not which.isdecimal():
        raise Problem(f"“{chosen[:40]}” is no choice of what is normal", "one like “only 0” or “but 3” was expected")
    same = labels == int(which)
    return np.asarray(~same if how == "only" else same)


def lacking(dataset: Dataset, labels: NDArray[np.int32], chosen: str) -> str:
    """ "" where so many samples are normal, and others not, that the lab can answer; else what it needs, in sentences."""
    of_class = np.bincount(labels[labels >= 0], minlength=len(dataset.classes))
    known = int(of_class.sum())
    counts = {}
    for choice in choices(dataset):
        how, which = choice.split()
        counts[choice] = int(of_class[int(which)]) if how == "only" else known - int(of_class[int(which)])
    enough = [choice for choice, normal in counts.items() if anomalies.FEWEST_NORMAL <= normal < known]
    if chosen in enough:
        return ""
    normal = counts.get(chosen, 0)
    there = (
        f"With this choice {normal:,} of the {known:,} samples with a class are normal and {known - normal:,} are not."
    )
    needs = f"At least {anomalies.FEWEST_NORMAL} normal ones are needed, of which half are learnt from, and one other."
    do = f"Choose “{choices(dataset)[enough[0]]}”, for instance." if enough else "Bring more samples with classes."
    return f"{there} {needs} {do}"


def answer(dataset: Dataset, settings: Settings, report: Report) -> Answer:
    """Every method on the same splits, and why the first alarms are alarms.

    facts: {normal, words, count, anomalies, methods [{name, title, ours, roc [S], ap [S], seconds}], best, difference {mean,
    low, high, tied}, verdict, and the finding}. arrays, of the first split: "test" (T,) rows of the dataset, "anomalous" (T,), "score <method>"
    (T,) and "held <method>" (V,); of the `ALARMS` highest scores "alarms" (K,) places among these, "expected" and
    "deviations" (K, *shape) (see `models.analysis.anomalies.Blame`), "nearest" (K,) rows of the dataset. What is too large is
    `smaller`, so that its shape here is another than the dataset's.
    """
    report("reading", 0.0)
    content = datasets.arrays(dataset)
    chosen = str(settings["normal"]) or usual(dataset, content.labels)
    known: NDArray[np.integer[Any]] = np.flatnonzero(content.labels >= 0)
    labelled = len(known)
    known = some_of(known, anomalous_of(content.labels[known], chosen))
    anomalous = anomalous_of(content.labels[known], chosen)
    samples = smaller(np.asarray(content.samples[known]))
    rows = anomalies.flat(samples, dataset.columns)
    # Each column of a table has its unit, and each channel of a signal.
    shared = 0 if dataset.kind == "table" else 1 if kinds.get(dataset.kind).pixels else samples.shape[-1]
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
        "of": labelled,
        "anomalies": int(anomalous.sum()),
        "contaminated": contaminated,
        "methods": [described(name, outcomes) for name in first.scores],
        "best": best,
        "difference": told(apart := anomalies.difference(outcomes, "combined", best)),
        "verdict": verdict(outcomes, best, apart),
        "libraries": libraries(),
    }
    facts |= finding(facts, int(first.anomalous.sum())).facts
    arrays: dict[str, NDArray[np.generic]] = {
        "test": known[first.test].astype(np.int32),
        "anomalous": first.anomalous,
        "alarms": alarms.astype(np.int32),
        "expected": blamed.expected.astype(np.float32).reshape(-1, *samples.shape[1:]),
        "deviations": blamed.deviations.astype(np.float32).reshape(-1, *samples.shape[1:]),
        "nearest": known[anomalies.nearest_normal(detector, chief)].astype(np.int32),
    }
    for name in first.scores:
        arrays[f"score {name}"] = first.scores[name].astype(np.float32)
        arrays[f"held {name}"] = first.held_out[name].astype(np.float32)
    return Answer(facts, arrays)


def some_of(known: NDArray[np.integer[Any]], anomalous: NDArray[np.bool_]) -> NDArray[np.integer[Any]]:
    """`MOST_ROWS` of these rows (N,), drawn at random from the normal ones and from the others, so that as large a share does
    not belong: but `FEW` at least, where there are so many."""
    if len(known) <= MOST_ROWS:
        return known
    others = max(round(MOST_ROWS * float(anomalous.mean())), min(FEW, int(anomalous.sum())))
    random = np.random.default_rng(0)
    drawn = [random.permutation(known[anomalous])[:others], random.permutation(known[~anomalous])[: MOST_ROWS - others]]
    return np.sort(np.concatenate(drawn))


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
    others = int(outcomes[0].anomalous.sum())
    if others < FEW:
        samples = "Only one sample does" if others == 1 else f"Only {others} samples do"
        return (
            f"{samples} not belong, too few to say who finds more: the networks reach {ours:.1f} % average precision on these, "
            f"{best} {theirs:.1f} %."
        )
    areas = [float(np.mean([one.roc_auc(name) for one in outcomes])) for name in ("combined", best)]
    if max(areas) < HARDLY:
        share = 100 * float(np.mean([one.anomalous.mean() for one in outcomes]))
        return (
            f"Neither finds them: the networks reach {ours:.1f} % average precision, {best}, the best plain method, {theirs:.1f} %, "
            f"where scores drawn at random have {share:.1f} %."
        )
    apart_by = lead(100 * apart.low, 100 * apart.high, "{:.1f}".format, "in points, the networks are")
    if apart.tied:
        both = f"average precision {ours:.1f} % against {theirs:.1f} %"
        return f"A tie: the networks and {best}, the best plain method, find about as much: {both} {apart_by}."
    if apart.mean > 0:
        return f"The networks win: average precision {ours:.1f} % against {theirs:.1f} % of {best}, the best plain method {apart_by}."
    return f"{best}, a plain method, wins: average precision {theirs:.1f} % against {ours:.1f} % of the networks {apart_by}."


def finding(facts: Mapping[str, Any], others: int) -> Finding:
    """The verdict in three facts. others: how many of the test samples do not belong."""
    known = {one["name"]: one for one in facts["methods"]}
    ours, theirs = known["combined"], known[facts["best"]]
    precision = [100 * float(np.mean(one["ap"])) for one in (ours, theirs)]
    hardly = max(float(np.mean(one["roc"])) for one in (ours, theirs)) < HARDLY
    won = "network" if facts["difference"]["mean"] > 0 else "plain"
    if facts["difference"]["tied"]:
        won = "tie"
    if others < FEW or hardly:
        won = "open"
    return Finding(won, facts["best"], "average precision {:.1f} % against {:.1f} %".format(*precision))


def because(
    columns: tuple[Column, ...], kind: str, deviations: NDArray[np.floating[Any]], shape: tuple[int, ...]
) -> str:
    """Which number of a sample is furthest from what was expected of it, in words. deviations: of a row (F,), a signal (T, C) or
    an image (H, W, C); shape: the dataset's, which is larger where samples were made `smaller`."""
    at = np.unravel_index(int(np.abs(deviations).argmax()), deviations.shape)
    far = float(deviations[at])
    first = [int(i) * -(-whole // part) + 1 for i, whole, part in zip(at, shape, deviations.shape, strict=True)]
    where = f"{abs(far):.0f} deviations {'above' if far > 0 else 'below'} what is expected"
    if kind == "table":
        place = int(at[0])
        column = next((one for one in columns if one.start <= place < one.start + one.width), None)
        if column is None:
            return f"number {place + 1}: {where}"
        value = f" = {column.values[place - column.start]}" if column.width > 1 else ""
        return f"{column.name}{value}: {where}"
    if kind == "signal":
        channel = int(at[1])
        name = columns[channel].name if channel < len(columns) else f"channel {channel + 1}"
        return f"step {first[0]} of {name}: {where}"
    return f"pixel {first[1]}, {first[0]}: {where}"


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
    version=3,
    shipped=("breast-cancer", "digits"),
)

"""What are codes good for where few samples have labels? Classifiers on a run's codes and hidden layers, beside the plain ones.

What is computed, and from which papers, stands in `models/analysis/probing.py`; what the same encoder does when it learns
from the labels itself in `models/training/fine_tuning.py`.
"""

from __future__ import annotations

from collections.abc import Iterator
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models import datasets
from models.analysis import hidden, probing
from models.analysis.probing import METHODS, Labels, Parts, Probe
from models.codes import to_float
from models.labs import Answer, Lab, Report, Settings
from models.runs import Run
from models.runs.zoo import ZOO

NUMBERS = 40_000_000  # of all samples that take part: of large ones fewer are taken
FEW = 50  # test samples, below which a verdict would be about these alone
USUAL = 10  # labels of each class, of which the verdict speaks
TUNED_DRAWS = 3  # of labels with which the encoder itself learns
TUNED_JUDGED = 1000  # samples that judge it, of each kind


def fits(run: Run) -> str:
    """Classes are needed to know what is classified correctly."""
    if len(run.classes) < 2:
        return "its samples have no classes, and this lab has to know which are classified correctly"
    return ""


def rows_of(run: Run, train: int, judged: int) -> tuple[list[NDArray[np.int64]], list[NDArray[np.int64]]]:
    """Rows of the run's dataset with a label, drawn at random: of the training, validation and test split, at most `train`,
    `judged` and `judged`, fewer of large samples; and their labels. A class that no training sample has is left out."""
    splits, labels = run.dataset.splits(), datasets.arrays(run.dataset).labels.astype(np.int64)
    most = max(200, NUMBERS // prod(run.shape))
    dice = np.random.default_rng(0)
    parts = ((datasets.TRAIN, min(train, most)), (datasets.VALIDATION, judged), (datasets.TEST, judged))
    rows = [
        np.sort(dice.permutation(np.flatnonzero((splits == part) & (labels >= 0)))[: min(count, most)])
        for part, count in parts
    ]
    known = np.unique(labels[rows[0]])
    rows = [one[np.isin(labels[one], known)] for one in rows]
    return rows, [labels[one] for one in rows]


def features(run: Run, rows: list[NDArray[np.int64]]) -> Iterator[tuple[str, str, bool, Parts]]:
    """Name, title, whether it is this run's, and the features of the samples in these rows."""
    from sklearn.random_projection import GaussianRandomProjection

    stored = [np.asarray(datasets.samples_at(run.dataset, one)) for one in rows]
    flat = [to_float(one).reshape(len(one), -1) for one in stored]
    plain = {"image": "pixels", "signal": "the signal itself", "table": "the columns themselves"}
    yield "input", plain.get(run.kind, "the numbers themselves"), False, Parts(*flat)
    size = len(run.baseline.components)
    yield "pca", f"PCA ({size})", False, Parts(*(run.baseline.project(one) for one in flat))
    projection = GaussianRandomProjection(min(run.code_size, flat[0].shape[1]), random_state=0).fit(flat[0])
    title = f"random projection ({projection.n_components_})"
    yield "random", title, False, Parts(*(np.asarray(projection.transform(one), np.float32) for one in flat))
    encoder = hidden.Encoder(run)
    layers = [encoder(one) for one in stored]
    for i, shape in enumerate(encoder.shapes):
        yield f"hidden {i + 1}", f"hidden layer {i + 1} ({prod(shape):,})", True, Parts(*(one[i] for one in layers))
    yield "codes", f"codes ({run.code_size})", True, Parts(*(run.coder.encode(one) for one in stored))


def answer(run: Run, settings: Settings, report: Report) -> Answer:
    """Every method with all features, or, where `labels` is not 0, the encoder itself as a classifier (`tuned`).

    facts: {counts [K], classes, samples, judged, features [{name, title, ours, width}], methods {name: title}, curves
    [{features, method, mean [K], deviation [K], validation [K]}] of shares right of test samples over the draws of labels,
    verdicts [K] {words, won, ours, plain, low, high}, usual (place in K), layer (which of the run's layers is best, in a
    sentence), verdict, won, against, by}.
    """
    if int(settings["labels"]):
        return tuned(run, settings, report)
    report("reading", 0.0)
    rows, labels = rows_of(run, int(settings["samples"]), int(settings["judged"]))
    known = Labels(*labels)
    counts = probing.counts_of(known.train)
    kinds: list[dict[str, Any]] = []
    found: dict[tuple[str, str], Probe] = {}
    total = 4 + len(hidden.Encoder(run).shapes)
    for name, title, ours, parts in features(run, rows):
        report(title, len(kinds) / total)
        kinds.append({"name": name, "title": title, "ours": ours, "width": parts.train.shape[1]})
        for method, one in probing.probe(parts, known, counts):
            found[name, method] = one
            report(f"{title}: {METHODS[method]}", (len(kinds) - 0.5) / total)
    verdicts = [judged_at(kinds, found, i, count, known) for i, count in enumerate(counts)]
    usual = max(i for i, count in enumerate(counts) if count <= USUAL)
    chief = verdicts[usual]
    facts: dict[str, Any] = {
        "counts": counts,
        "classes": len(np.unique(known.train)),
        "samples": len(known.train),
        "judged": len(known.test),
        "features": kinds,
        "methods": METHODS,
        "curves": [
            {
                "features": name,
                "method": method,
                "mean": rounded(one.right.mean((1, 2))),
                "deviation": rounded(one.right.mean(2).std(1)),
                "validation": rounded(one.validation.mean(1)),
            }
            for (name, method), one in found.items()
        ],
        "verdicts": verdicts,
        "usual": usual,
        "layer": best_layer(kinds, found, usual, counts[usual]),
        "verdict": chief["words"],
        "won": chief["won"],
        "against": chief["against"],
        "by": chief["by"],
    }
    return Answer(facts)


def rounded(values: NDArray[np.floating[Any]]) -> list[float]:
    """Numbers as JSON takes them."""
    return [round(float(value), 5) for value in values]


def best_of(kinds: list[dict[str, Any]], found: dict[tuple[str, str], Probe], i: int) -> tuple[str, str]:
    """Features of these kinds, and method, with most validation samples right at the i-th count."""
    names = {one["name"] for one in kinds}
    return max((key for key in found if key[0] in names), key=lambda key: float(found[key].validation[i].mean()))


def judged_at(
    kinds: list[dict[str, Any]], found: dict[tuple[str, str], Probe], i: int, count: int, known: Labels
) -> dict[str, Any]:
    """Who wins at the i-th count of labels, in a sentence that the run can lose. What speaks for each side was chosen by
    validation samples."""
    ours, plain = (best_of([one for one in kinds if one["ours"] is mine], found, i) for mine in (True, False))
    titles = {one["name"]: one["title"] for one in kinds}
    told, beside = (found[key].right[i] for key in (ours, plain))
    low, high = probing.interval(told, beside)
    a, b = (100 * float(one.mean()) for one in (told, beside))
    words = {key: f"{titles[key[0]]} with {METHODS[key[1]]}" for key in (ours, plain)}
    chance = 100 * float(np.unique(known.test, return_counts=True)[1].max()) / max(1, len(known.test))
    by = f"{a:.1f} % of new samples classified correctly against {b:.1f} %"
    with_labels = f"With {count} {'label' if count == 1 else 'labels'} a class"
    if len(known.test) < FEW or max(a, b) < chance + 1:
        won = "open"
        why = f"only {len(known.test)} test samples" if len(known.test) < FEW else f"chance alone gives {chance:.1f} %"
        said = f"{with_labels} it is open: {by} ({why})."
    elif low <= 0 <= high:
        won = "tie"
        said = f"{with_labels} it is a tie: {words[ours]} classifies {a:.1f} % of new samples correctly, {words[plain]} {b:.1f} %."
    elif low > 0:
        won = "network"
        said = (
            f"{with_labels} the autoencoder wins: {words[ours]} classifies {a:.1f} % of new samples correctly; "
            f"the best plain way, {words[plain]}, {b:.1f} %."
        )
    else:
        won = "plain"
        said = (
            f"{with_labels} the autoencoder loses: {words[plain]} classifies {b:.1f} % of new samples correctly; "
            f"the best of this run, {words[ours]}, {a:.1f} %."
        )
    codes = [one for one in kinds if one["name"] == "codes"]
    if ours[0] != "codes" and codes:  # the question is about codes
        key = best_of(codes, found, i)
        said += f" The {titles['codes']} reach {100 * float(found[key].right[i].mean()):.1f} % with {METHODS[key[1]]}."
    return {
        "words": said,
        "won": won,
        "ours": list(ours),
        "plain": list(plain),
        "low": round(low, 5),
        "high": round(high, 5),
        "against": words[plain],
        "by": by,
    }


def best_layer(kinds: list[dict[str, Any]], found: dict[tuple[str, str], Probe], i: int, count: int) -> str:
    """Which of the run's layers is the best feature, in a sentence: its best method by validation samples, at the i-th count."""
    every = {}
    for kind in (one for one in kinds if one["ours"]):
        key = best_of([kind], found, i)
        every[kind["title"]] = float(found[key].validation[i].mean()), 100 * float(found[key].right[i].mean()), key[1]
    if len(every) == 1:
        return ""
    order = sorted(every, key=lambda title: -every[title][0])
    parts = [f"{title}: {every[title][1]:.1f} % with {METHODS[every[title][2]]}" for title in order]
    return f"Which layer is best, with {count} {'label' if count == 1 else 'labels'} a class? {'; '.join(parts)}."


# ── the encoder itself as a classifier ───────────────────────────────────────────────────


def tuned(run: Run, settings: Settings, report: Report) -> Answer:
    """How a classifier of the run's encoder learns from `labels` labels of each class, from scratch and pre-trained.

    facts: {labels, steps [S], ways [{name, title, mean [S], deviation [S], best}], verdict}: shares right of test samples,
    over the draws; best is that where validation samples were told best.
    """
    from models.training import fine_tuning

    report("reading", 0.0)
    rows, labels = rows_of(run, int(settings["samples"]), min(TUNED_JUDGED, int(settings["judged"])))
    samples, *judged = (np.asarray(datasets.samples_at(run.dataset, one)) for one in rows)
    classes = np.unique(labels[0])
    places = [np.searchsorted(classes, one) for one in labels]
    count = min(int(settings["labels"]), int(np.bincount(places[0]).min()))
    draws = [probing.drawn(places[0], count, seed).ravel() for seed in range(TUNED_DRAWS)]
    begun = fine_tuning.encoders(run, samples, lambda what, share: report(what, 0.2 * share))

    def told(share: float, so_far: dict[str, list[float]]) -> None:
        report("all ways learn side by side", 0.2 + 0.8 * share, lambda: {"curves": so_far})

    curves = fine_tuning.learn(
        begun, run.code_size, samples, places[0], draws, list(zip(judged, places[1:], strict=True)), told
    )
    ways = [
        {
            "name": way,
            "title": fine_tuning.WAYS[way],
            "mean": rounded(curve.test.mean(0)),
            "deviation": rounded(curve.test.std(0)),
            "best": round(float(curve.best.mean()), 5),
        }
        for way, curve in curves.items()
    ]
    steps = np.linspace(0, fine_tuning.STEPS, fine_tuning.LOOKS + 1).astype(int).tolist()
    apart = curves["pre-trained"].best - curves["scratch"].best
    facts = {
        "labels": count,
        "steps": steps,
        "ways": ways,
        "verdict": tuned_verdict(ways, apart, count, len(labels[2])),
    }
    return Answer(facts)


def tuned_verdict(ways: list[dict[str, Any]], apart: NDArray[np.float64], count: int, judged: int) -> str:
    """Whether pre-training pays, in a sentence. apart: by how much it is better with each draw of labels (DRAWS,)."""
    best = {one["name"]: 100 * one["best"] for one in ways}
    mean = float(apart.mean())
    # Two standard errors: of the draws, and of so many test samples judged twice.
    error = float(np.hypot(apart.std(ddof=1) / np.sqrt(len(apart)), np.sqrt(0.25 / judged)))
    who = "pre-training wins" if mean > 2 * error else "pre-training loses" if mean < -2 * error else "it is a tie"
    greedy = f", layer by layer {best['greedy']:.1f} %" if "greedy" in best else ""
    a_class = f"{count} {'label' if count == 1 else 'labels'} a class"
    return (
        f"With {a_class} {who}: an encoder that begins as this run's classifies {best['pre-trained']:.1f} % of new samples correctly "
        f"in the end, one from scratch {best['scratch']:.1f} %{greedy}."
    )


FIRST = ("digits-modern-8", "mnist-modern-30", "fashion-mnist-modern-16")
LAB = Lab(
    name="features",
    title="Features",
    question="What are codes good for where few samples have labels?",
    fits=fits,
    answer=answer,
    settings={"labels": 0, "samples": 10_000, "judged": 2000},
    version=2,
    shipped=(*FIRST, *sorted(set(ZOO) - {*FIRST, "text-denoising"})),  # letters have no classes
)

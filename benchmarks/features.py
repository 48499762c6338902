"""What codes are good for with few labels: the figures of the lab Features, beside their alternatives (see labs.py)."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

import numpy as np

from models import datasets, runs
from models.analysis import probing
from models.labs import features

RUNS = ("mnist-modern-30", "mnist-variational", "fashion-mnist-modern-16")
SPREAD = 20_000  # training samples that labels are spread over, where it is asked how far one gets
REACH = ((10, 9.0), (100, 3.5))  # labels a class, and the error in % to be reached
Line = Callable[[Sequence[object]], None]


def measure(quick: bool, line: Line) -> None:
    """Errors with 10 and with 100 labels a class of every kind of features, the best method of each by validation samples;
    then labels spread over more training codes, on the whole test split; then whether pre-training is worth it."""
    names = ("digits-modern-8",) if quick else RUNS
    for name in names:
        run = runs.open_run(runs.folder_of(name))
        if datasets.missing(run.dataset):
            print(f"{run.dataset.name} is not here: python -m models download {run.dataset.name}", flush=True)
            continue
        asked = {"samples": 400, "judged": 100} if quick else {}
        began = time.process_time()
        facts = features.answer(run, features.LAB.chosen(asked), lambda *_: None).facts
        seconds = time.process_time() - began
        print(f"\n{name}: error in %, mean ± deviation of five draws of labels; {seconds:.0f} processor seconds in all")
        line(("features", *(f"{count} a class, {title}" for count in (10, 100) for title in facts["methods"].values())))
        for one in facts["features"]:
            cells = []
            for count in (10, 100):
                at = facts["counts"].index(count) if count in facts["counts"] else None
                for method in facts["methods"]:
                    curve = next(c for c in facts["curves"] if (c["features"], c["method"]) == (one["name"], method))
                    told = None if at is None else (100 * (1 - curve["mean"][at]), 100 * curve["deviation"][at])
                    cells.append("-" if told is None else f"{told[0]:.1f} ± {told[1]:.1f}")
            line((one["title"], *cells))
        for verdict in facts["verdicts"]:
            print(verdict["words"], flush=True)
    if not quick:
        reach(line)
        pre_training()


def reach(line: Line) -> None:
    """Labels spread over `SPREAD` training codes; every test image is told by its nearest of these, and takes no part."""
    run = runs.open_run(runs.folder_of("mnist-modern-30"))
    if datasets.missing(run.dataset):
        return
    content, splits = datasets.arrays(run.dataset), run.dataset.splits()
    dice = np.random.default_rng(0)
    pool = np.sort(dice.permutation(np.flatnonzero(splits == datasets.TRAIN))[:SPREAD])
    test = np.flatnonzero(splits == datasets.TEST)
    began = time.process_time()
    codes, judged = (run.coder.encode(content.samples[rows]) for rows in (pool, test))
    spreading = probing.Spreading(codes)
    to = spreading.to(judged).T.tocsr()
    once = time.process_time() - began
    print(f"\nmnist-modern-30, labels spread over {SPREAD:,} training codes, {len(test):,} test images, inductive")
    line(("labels", "error in %, five draws", "to be reached", "processor seconds of all draws"))
    labels = content.labels
    for count, wanted in REACH:
        began, errors = time.process_time(), []
        for seed in range(probing.DRAWS):
            chosen = probing.drawn(labels[pool], count, seed).ravel()
            shares, classes = spreading.spread(chosen, labels[pool][chosen])
            errors.append(100 * float((classes[(to @ shares).argmax(1)] != labels[test]).mean()))
        spent = once + time.process_time() - began
        line((10 * count, f"{np.mean(errors):.2f} ± {np.std(errors):.2f}", f"{wanted:g}", f"{spent:.0f}"))


def pre_training() -> None:
    """The encoder as a classifier, from scratch and pre-trained."""
    for name in RUNS:
        run = runs.open_run(runs.folder_of(name))
        if datasets.missing(run.dataset):
            continue
        for count in (10, 100):
            answer = features.answer(run, features.LAB.chosen({"labels": count}), lambda *_: None)
            print(f"{name}: {answer.facts['verdict']}", flush=True)

"""What the lab Generate measures, beside the alternatives: how far drawn samples are from real ones, and what that takes."""

import time
from typing import Any

import numpy as np

from models import datasets, density, runs
from models.analysis import densities, likeness
from models.codes import to_float
from models.datasets import TEST
from models.labs import _judge
from models.labs import generate as lab

RUN, QUICK = "mnist-modern-30", "digits-modern-8"
SEEDS = 3  # fits of each mixture: a bad beginning is a matter of chance
COMPONENTS = 40
REACH = (4.5, 0.85)  # times the floor, and of a mixture of `COMPONENTS`, at most


def line(*cells: object) -> None:
    """A row of a table, at once."""
    print("|", " | ".join(map(str, cells)), "|", flush=True)


def generate(quick: bool) -> None:
    """Every way of drawing from shipped weights; then a mixture for each class beside a mixture of 40 on the same codes, each
    fitted anew three times."""
    names = (QUICK,) if quick else (QUICK, "shapes-convolutional-variational", RUN)
    line("run", "way", "setting", "distance", "precision", "recall", "copies")
    for name in names:
        run = runs.open_run(runs.folder_of(name))
        if datasets.missing(run.dataset):
            print(f"{run.dataset.name} is not here: python -m models download {run.dataset.name}", flush=True)
            continue
        begun = time.process_time()
        facts = lab.LAB.answer(run, lab.LAB.chosen({"count": 500 if quick else 10_000}), _quiet).facts
        took = time.process_time() - begun
        line(name, "real training samples", "", _apart(facts["floor"], facts["floor_spread"]), "", "", "")
        for way in facts["ways"]:
            copies = "-" if way["copies"] is None else f"{way['copies']:.1%}"
            chosen = " (chosen)" if way["name"] == facts["chosen"] else ""
            shares = (f"{way['precision']:.2f}", f"{way['recall']:.2f}")
            line(name, way["title"] + chosen, way["setting"], _apart(way["distance"], way["spread"]), *shares, copies)
        print(f"{facts['verdict']} {took:.0f} core-seconds.", flush=True)
        if name == RUN:
            _reach(run, facts)


def _reach(run: runs.Run, facts: dict[str, Any]) -> None:
    """A mixture for each class beside one of `COMPONENTS` on the same codes."""
    judge = _judge.of(run, lambda _share: None)
    content, splits = datasets.arrays(run.dataset), run.dataset.splits()
    real = judge.features(to_float(np.asarray(content.samples[np.flatnonzero(splits == TEST)[:10_000]])))
    found: dict[str, list[float]] = {"classes": [], "mixture": []}
    seconds: dict[str, list[float]] = {"classes": [], "mixture": []}
    codes = densities.codes_of(run)
    for seed in range(SEEDS):
        for name, distances in found.items():
            begun = time.process_time()
            if name == "classes":
                count = lab.NUMBERS // density.numbers(codes.classes, run.code_size)
                one = density.each_class(codes, count, density.RIDGES[0], seed)
            else:
                one = density.mixture(codes.train, COMPONENTS, density.RIDGES[0], seed)
            seconds[name].append(time.process_time() - begun)
            distances.append(likeness.frechet(judge.features(run.coder.decode(one.draw(10_000, seed))), real))
    begun = time.process_time()
    density.best(codes, lab.NUMBERS)
    choosing = time.process_time() - begun
    mean = {name: float(np.mean(values)) for name, values in found.items()}
    for name, values in found.items():
        told = ", ".join(f"{value:.3f}" for value in values)
        print(f"{name}: {told}; {np.mean(seconds[name]):.1f} core-seconds each", flush=True)
    print(
        f"a mixture for each class: {mean['classes'] / facts['floor']:.2f} times the floor ({REACH[0]} wanted), "
        f"{mean['classes'] / mean['mixture']:.2f} of a mixture of {COMPONENTS} ({REACH[1]} wanted); choosing it on validation codes "
        f"takes {choosing:.1f} core-seconds",
        flush=True,
    )


def _apart(distance: float, spread: float) -> str:
    return f"{distance:.3f} ± {spread:.3f}"


def _quiet(_what: str, _share: float, _sketch: object = None, /) -> None:
    """Nobody waits."""

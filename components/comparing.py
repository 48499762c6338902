"""What the page Compare draws of several runs beside their numbers (`models.in_numbers`): how they learnt."""

from collections.abc import Sequence
from itertools import accumulate

from components import cached, explained, figures
from models import runs

MOST = 4  # runs that are compared at once
COLOURS = ("#0072B2", "#E69F00", "#009E73", "#CC79A7")  # of the runs, in order; from `figures.PALETTE`

AXES = {"epoch": "epochs", "second": "seconds", "sample": "training samples seen"}


@cached.per_run(16)
def curve(run: runs.Run) -> dict[str, list[float]]:
    """The losses of a run's training by epoch: "training", "validation", and where each epoch ended by each of `AXES`."""
    lines = run.history()
    return {
        "training": [run.configuration.total_loss(line["loss"]) for line in lines],
        "validation": [line["validation"] for line in lines],
        "epoch": [line["epoch"] for line in lines],
        "second": list(accumulate(line["seconds"] for line in lines)),
        "sample": list(accumulate(line["samples_per_second"] * line["seconds"] for line in lines)),
    }


def loss_of(run: runs.Run) -> str:
    """What a training made smaller, in words: losses of other words cannot stand on one axis."""
    chosen = run.configuration
    word = {"squared-error": "squared error", "bernoulli": "Bernoulli", "calibrated": "calibrated error"}
    per = "a sample" if run.variational else "a value"
    weights = {name: weight for name, weight in chosen.weights().items() if weight and name != "reconstruction"}
    terms = [
        f"{'' if weight == 1 else f'{weight:g} · '}{explained.SHORT.get(name, name.replace('_', ' '))}"
        for name, weight in weights.items()
        if explained.counts(run, name)
    ]
    return " + ".join([f"{word.get(chosen.loss, chosen.loss)} of {per}", *terms])


def curves(chosen: Sequence[runs.Run], names: Sequence[str], by: str) -> list[figures.Curve]:
    """The learning curves of these runs by one of `AXES`."""
    out = []
    for run, name, tone in zip(chosen, names, COLOURS, strict=False):
        lines = curve(run)
        out.append(figures.Curve(name, tone, loss_of(run), lines[by], lines["training"], lines["validation"]))
    return out

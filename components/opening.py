"""How a run is shown to somebody who has asked for nothing yet, and what the explorer says of it in words."""

import contextlib
from typing import Any

from components import cached, explained, visitor
from components.early import OPENING
from components.explorer import View
from models import Problem, runs, shown, uploads
from models.analysis import meanings as measured


def untouched(run: runs.Run) -> View:
    """How a run is shown to somebody who has asked for nothing: the one that opens the app shows what its decoder draws."""
    view = View(palette=shown.palette(run))
    if run.pretrained and run.folder.name == OPENING:
        view |= View(layer="manifold", camera="0,0,1.5")
    return view


def view(run: runs.Run) -> View:
    """`untouched`, at a sample that the run draws well, from where the code follows the pointer."""
    return {**untouched(run), "code": crisp(run), "free": True}


def about(run: runs.Run, *, new: bool = True) -> dict[str, Any]:
    """What the explorer says of a run beside its numbers; its parts are listed in frontend/src/about.ts. new: with the first
    steps of somebody who is.

    What a dimension stands for is measured on the samples of one's own tables, hence only their owner is told.
    """
    reader, fit = explained.reader(run, shipped()), None
    with contextlib.suppress(Problem):  # the dataset of a run that came from elsewhere may be unknown here
        fit = run.dataset.fit
    return {
        "intro": first_steps(run) if new else None,
        "network": network(run),
        **({"lists": "A table of them, and a CSV, are below the map."} if new else {}),
        "meanings": meanings(run) if uploads.readable(run.card.dataset.name, visitor.owner()) else [],
        "fit": fit and {"share": fit[0], "centre": fit[1]},
        "reader": reader and {"title": reader[1], "address": f"?run={reader[0]}&tool=draw"},
    }


crisp = cached.per_run(64)(shown.crisp)
network = cached.per_run(32)(explained.network)
meanings = cached.per_run(32)(measured.meanings)


def shipped() -> list[runs.Run]:
    """The runs that everybody has."""
    return [one for one in runs.find()[0] if one.pretrained]


def prepare(run: runs.Run) -> None:
    """Compute what is kept of a run, before anybody opens it."""
    cached.opened(run)
    view(run), network(run), meanings(run), explained.reader(run, shipped())


MAKES = {"image": "draws an image", "signal": "makes a whole signal", "table": "makes a whole row"}
NUMBERS = {1: "One number", 2: "Two numbers", 3: "Three numbers"}


def first_steps(run: runs.Run) -> dict[str, Any]:
    """One sentence for somebody who is new, what to find (a class that is not where the map opens), and whether to train
    is worth a word: not to whoever has just done it."""
    size = run.code_size
    numbers = NUMBERS.get(size, f"{size} numbers")
    classes = run.classes
    label = 7 if len(classes) > 7 and classes[7] == "7" else len(classes) - 1
    return {
        "sentence": f"{numbers}, and a network that {MAKES.get(run.kind, 'works')} from {'it' if size == 1 else 'them'}.",
        "label": label if classes else None,
        "find": f"Find a {classes[7]}"
        if label == 7 and classes[7] == "7"
        else f"Find: {classes[label]}"
        if classes
        else "",
        "train": run.pretrained,
    }

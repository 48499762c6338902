"""How the codes of a finished run are spread: what a density is fitted to, and adding one to a run from before there was one.

`python -m models.analysis.densities RUN ...` adds it to runs, by id or by the names of those that ship.
"""

from __future__ import annotations

import sys

import numpy as np

from models import Problem, datasets, density
from models.datasets import TRAIN, VALIDATION
from models.runs import Run, folder_of, open_run, write_whole


def codes_of(run: Run) -> density.Codes:
    """The codes of training samples and of validation samples, as many as are fitted to. A
    `Problem` where the samples are not at hand."""
    dataset = run.dataset
    content, splits = datasets.arrays(dataset), dataset.splits()
    rows, held = (
        np.flatnonzero(splits == split)[:most] for split, most in ((TRAIN, density.FITTED), (VALIDATION, density.HELD))
    )
    train, validation = (run.coder.encode(np.asarray(content.samples[some])) for some in (rows, held))
    return density.Codes(train, np.asarray(content.labels[rows], np.int32), validation, len(dataset.classes))


def add(run: Run) -> None:
    """Fit the density of a run's codes and put it into its folder, in place of one that is there."""
    write_whole(run.folder / density.FILE, density.best(codes_of(run)).packed())


if __name__ == "__main__":
    try:
        for name in sys.argv[1:]:
            add(open_run(folder_of(name)))
    except Problem as problem:
        sys.exit(str(problem))

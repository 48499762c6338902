"""What the dimensions of a code stand for, where that can be measured."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from models import Problem, datasets
from models.analysis import metrics
from models.codes import Floats
from models.columns import Column
from models.runs import Run

OWN = 0.7  # rank correlation above which a dimension carries a factor
ROWS = 5_000  # samples that a correlation is measured on, at most
NUMBERS = 200_000  # numbers that are ranked for it, at most
COLUMNS = 400  # of a table that are looked at, at most


def meanings(run: Run) -> list[str]:
    """For each dimension the name of the factor, or of a table's column, that it carries; "" where it carries none.

    It carries one where their absolute rank correlation (Spearman 1904) is above `OWN` and is the greatest of both.
    Measured on stored codes spread evenly over all. Dead dimensions carry nothing. Tables whose rows are not at hand, or
    which have more than `COLUMNS` columns of numbers, have no meanings.
    """
    factors = run.card.dataset.factors
    columns = () if factors else _numbers(run)
    names = factors or tuple(column.name for column in columns)
    out = [""] * run.code_size
    if not names:
        return out
    most = min(ROWS, NUMBERS // (run.code_size + len(names)))
    some = slice(None, None, -(-run.count // most))
    values = run.factors[some] if factors else _values(run, columns, some)
    if values is None or len(values) < metrics.LEAST:
        return out
    told = metrics.factor_scores(run.codes[some], values)
    told[np.array(run.card.codes.dead, bool)] = 0
    for d, k in enumerate(told.argmax(1)):
        if told[d, k] > OWN and told[:, k].argmax() == d:
            out[d] = names[k]
    return out


def _numbers(run: Run) -> tuple[Column, ...]:
    """A table's columns of numbers; none where their names are not known, or they are too many."""
    if run.kind != "table" or not run.stored_columns:
        return ()
    found = tuple(column for column in run.columns if column.kind == "number")
    return found if len(found) <= COLUMNS else ()


def _values(run: Run, columns: Sequence[Column], some: slice) -> Floats | None:
    """These columns of some of the stored samples (N, K); None where the samples are not at hand."""
    try:
        dataset = run.dataset
        if dataset.shape != run.shape or datasets.missing(dataset):
            return None
        rows = datasets.samples_at(dataset, run.rows[some])
    except Problem:
        return None
    return np.asarray(rows[:, [column.start for column in columns]], np.float32)

"""Small datasets of the kinds that do not ship: signals with two channels in their own units, and a table with numbers
and categories. Tests put them among the datasets; the app does not know them."""

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np

from models import datasets
from models.columns import Column, standardised
from models.datasets import Arrays, Dataset

STEPS, TIDES, ROWS = 48, 400, 500
SPEED = (Column("speed [m/s]", "number", 0, 1, 20.0, 4.0), Column("pressure [hPa]", "number", 1, 1, 1013.0, 9.0))
FRUIT = (
    Column("weight [g]", "number", 0, 1, 150.0, 30.0),
    Column("colour", "category", 1, 3, values=("green", "yellow", "red")),
    Column("sugar [%]", "number", 4, 1, 11.0, 2.0),
    Column("<b>=origin</b>", "category", 5, 2, values=("north", "=south")),
    Column("price [ct]", "number", 7, 1, 2400.0, 500.0),
)


def tides() -> Arrays:
    """Slow, medium and fast waves (N, 48, 2) of another phase each; the second channel follows the first."""
    source = np.random.default_rng(5)
    labels = (np.arange(TIDES) % 3).astype(np.int32)
    phase = source.uniform(0, 2 * np.pi, TIDES)
    time = np.linspace(0, 2 * np.pi, STEPS)
    angle = (labels[:, None] + 1) * time + phase[:, None]
    both = np.stack([20 + 6 * np.sin(angle), 1013 + 12 * np.cos(angle)], -1) + source.normal(0, 0.3, (TIDES, STEPS, 2))
    return Arrays(standardised(SPEED, both), labels, np.zeros((TIDES, 0), np.float32))


def fruit() -> Arrays:
    """Rows (N, 8) of two kinds of fruit: the heavier, the redder, the sweeter and the dearer."""
    source = np.random.default_rng(6)
    ripe = source.uniform(-1.5, 1.5, ROWS)
    rows = np.zeros((ROWS, 8), np.float32)
    rows[:, 0] = 150 + 30 * (ripe + source.normal(0, 0.2, ROWS))
    rows[np.arange(ROWS), 1 + np.digitize(ripe, [-0.5, 0.5])] = 1
    rows[:, 4] = 11 + 2 * (ripe + source.normal(0, 0.2, ROWS))
    south = source.random(ROWS) < 0.5
    rows[np.arange(ROWS), 5 + south] = 1
    rows[:, 7] = 2400 + 500 * (np.where(south, 1, -1) + source.normal(0, 0.2, ROWS))
    return Arrays(standardised(FRUIT, rows), south.astype(np.int32), np.zeros((ROWS, 0), np.float32))


WAVE = Dataset(
    "tides", "Tides", "", "signal", (STEPS, 2), TIDES, ("slow", "medium", "fast"), "here", "none", tides, label="tempo",
    columns=SPEED,
)  # fmt: skip
TABLE = Dataset(
    "fruit", "Fruit", "", "table", (8,), ROWS, ("apple", "<i>pear</i>"), "here", "none", fruit, label="kind",
    columns=FRUIT,
)  # fmt: skip


@contextmanager
def present(*ours: Dataset) -> Iterator[None]:
    """These datasets among those that the app finds, and afterwards those alone that were there before."""
    known = datasets.available()
    added = [one.name for one in ours if one.name not in known]
    known.update({one.name: one for one in ours})
    try:
        yield
    finally:
        for name in added:
            known.pop(name, None)

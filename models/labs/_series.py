"""What does not belong in a long series: where it went on otherwise than was predicted.

Windows slide over the series, the given part of each predicts its rest, and what is missed at each step is told in units of what is
usually missed so far ahead. Steps that several windows predict get the mean of what these say (`models.analysis.windows`).
The threshold comes from held-out rows, as in the lab Anomalies.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models import datasets, uploads
from models.analysis import windows
from models.analysis.forecasting import Form, Rows
from models.columns import standardised
from models.datasets import Dataset, heartbeats

MOST = 20_000  # steps of a series: of a longer one the first
SMOOTH = 16  # part of a window over which scores are averaged
QUIET = 0.999  # of held-out steps, which have no alarm: a series has thousands
LEVELS = 1001  # quantiles of held-out scores that are kept


@dataclass(frozen=True)
class Series:
    """A long series (L, C), scaled as the dataset is; which of its steps (L,) do not belong, None where nobody knows; and what it is, in
    words."""

    values: Rows
    strange: NDArray[np.bool_] | None
    words: str


def of(dataset: Dataset, shortest: int) -> Series | None:
    """The long series that belongs to a dataset of signals, of at least so many steps: a record of one heart, or the series that somebody's own
    windows were cut from. None where there is none."""
    if dataset.name == heartbeats.DATASET.name:
        record = heartbeats.record()
        values = standardised(dataset.columns, record.values[:, None].astype(np.float32))
        return Series(values, record.strange, "a minute of one heart, drawn as the heartbeats are")
    names = datasets.names(dataset) if uploads.own(dataset.name) else None
    if names is None or not all(name.isdecimal() for name in names):
        return None
    starts = np.array([int(name) for name in names])
    begin, end = longest(starts, dataset.shape[0])
    last = begin + int(np.searchsorted(starts[begin:end] - starts[begin], MOST - dataset.shape[0], "right"))
    if starts[last - 1] - starts[begin] + dataset.shape[0] < shortest:
        return None
    rows = np.arange(begin, last)
    whole = joined(np.asarray(datasets.samples_at(dataset, rows), np.float32), starts[rows] - starts[begin])
    return Series(whole, None, f"rows {starts[begin]:,} to {starts[begin] + len(whole) - 1:,} of your series")


def longest(starts: NDArray[np.integer[Any]], size: int) -> tuple[int, int]:
    """From where to where windows of `size` that begin at these rows follow each other without a gap, for the longest time."""
    steps = np.diff(starts)
    ends = [*(1 + np.flatnonzero((steps < 1) | (steps > size))).tolist(), len(starts)]
    begins = [0, *ends[:-1]]
    return max(zip(begins, ends, strict=True), key=lambda part: starts[part[1] - 1] - starts[part[0]])


def joined(parts: Rows, starts: NDArray[np.integer[Any]]) -> Rows:
    """Windows (N, T, C) that begin at these rows of a series, as the series (L, C)."""
    out = np.empty((int(starts[-1]) + parts.shape[1], parts.shape[2]), np.float32)
    for part, start in zip(parts, starts.tolist(), strict=True):
        out[start : start + len(part)] = part
    return out


def smooth(scores: NDArray[np.float64], form: Form) -> NDArray[np.float64]:
    """Scores (…, S) averaged over some steps around each."""
    wide = max(1, form.steps // SMOOTH) | 1
    before = wide // 2
    padded = np.pad(scores, [(0, 0)] * (scores.ndim - 1) + [(before, before)], "edge")
    return np.asarray(np.lib.stride_tricks.sliding_window_view(padded, wide, -1).mean(-1))


@dataclass(frozen=True)
class Usual:
    """What a method usually misses: (rest C,) deviations of held-out rows, and the scores of their steps, rising."""

    deviation: NDArray[np.float64]
    scores: NDArray[np.float64]

    @property
    def threshold(self) -> float:
        """The score that so large a share (`QUIET`) of held-out steps does not reach."""
        return float(np.quantile(self.scores, QUIET))


def usual(form: Form, predict: Callable[[Rows], Rows], held: Rows) -> Usual:
    """Of a method that gives the rest (N, rest C) of what is given, by held-out rows (V, T, C) that belong. Their first half says how
    much is usual, and the scores are those of the second."""
    given, rest = form.parts(held)
    missed = (predict(given) - rest).astype(np.float64)
    half = len(held) // 2
    deviation = np.sqrt(np.square(missed[:half]).mean(0)) + 1e-6
    relative = np.square(missed[half:] / deviation).reshape(len(held) - half, form.rest, -1).mean(2)
    return Usual(deviation, np.sort(np.sqrt(smooth(relative, form)).ravel()))


def scores(form: Form, predict: Callable[[Rows], Rows], known: Usual, series: Rows) -> NDArray[np.float64]:
    """How far from what was predicted each step of a series (L, C) is, in usual errors (L - given,): the first steps have nothing
    before them."""
    hop = max(1, form.rest // 2)
    starts = windows.places(len(series), form.steps, hop)
    cut = np.stack([series[start : start + form.steps] for start in starts])
    given, rest = form.parts(cut)
    relative = np.square((predict(given) - rest) / known.deviation).reshape(len(cut), form.rest, -1).mean(2)
    whole = windows.join(relative.astype(np.float32), (len(series) - form.given,), (hop,))
    return np.sqrt(smooth(whole.astype(np.float64), form))


def normal(labels: NDArray[np.int32]) -> NDArray[np.bool_]:
    """Which rows (N,) belong: those of the class that most have; all where there are no classes."""
    if not (labels >= 0).any():
        return np.ones(len(labels), bool)
    return np.asarray(labels == np.bincount(labels[labels >= 0]).argmax())


def stretches(marked: NDArray[np.bool_], gap: int = 1) -> list[tuple[int, int]]:
    """From where to where flags (L,) are up; what is hardly `gap` steps apart is one."""
    edges = np.flatnonzero(np.diff(np.concatenate([[0], marked.astype(np.int8), [0]])))
    out: list[tuple[int, int]] = []
    for begin, end in zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True):
        if out and begin - out[-1][1] < gap:
            out[-1] = (out[-1][0], end)
        else:
            out.append((begin, end))
    return out


def told(form: Form, strange: NDArray[np.bool_], found: NDArray[np.float64], threshold: float) -> dict[str, Any]:
    """What becomes of a series of which is known what does not belong (L,), with the scores (L - given,): how many stretches are found and
    how many marks are false, and the area under the ROC curve by steps. What follows a strange stretch within a window is its
    echo: the forecast begins there with what does not belong."""
    from sklearn.metrics import roc_auc_score

    truth = stretches(strange)
    marks = [(a + form.given, b + form.given) for a, b in stretches(found > threshold, form.steps // SMOOTH)]
    near = form.steps // SMOOTH
    hit = [any(a < end + near and b > begin - near for a, b in marks) for begin, end in truth]
    false = [not any(a < end + form.steps and b > begin - near for begin, end in truth) for a, b in marks]
    echo = np.zeros(len(strange), bool)
    for _, end in truth:
        echo[end : end + form.steps] = True
    counted = (strange | ~echo)[form.given :]
    return {
        "strange": len(truth),
        "found": sum(hit),
        "false": sum(false),
        "roc": round(float(roc_auc_score(strange[form.given :][counted], found[counted])), 4),
    }


def answered(
    form: Form,
    methods: Sequence[tuple[str, str, Callable[[Rows], Rows]]],
    held: Rows,
    labels: NDArray[np.int32],
    series: Series,
) -> tuple[dict[str, Any], dict[str, NDArray[np.generic]]]:
    """The facts about a series, and its arrays: "series" (L, C), "strange" (L,) where that is known, and "score <method>" (L - given,) and
    "usual <method>" (LEVELS,) of each method (name, title, what predicts). labels: of the held-out rows (V, T, C)."""
    belong = held[normal(labels)]
    facts: dict[str, Any] = {"words": series.words, "steps": len(series.values), "methods": []}
    arrays: dict[str, NDArray[np.generic]] = {"series": series.values.astype(np.float16)}
    if series.strange is not None:
        arrays["strange"] = series.strange
    for name, title, predict in methods:
        known = usual(form, predict, belong)
        found = scores(form, predict, known, series.values)
        judged = told(form, series.strange, found, known.threshold) if series.strange is not None else {}
        facts["methods"].append({"name": name, "title": title, "threshold": known.threshold, **judged})
        arrays[f"score {name}"] = found.astype(np.float16)
        arrays[f"usual {name}"] = np.quantile(known.scores, np.linspace(0, 1, LEVELS)).astype(np.float16)
    return facts, arrays

"""Do drawn samples look like real ones? Distances between two sets of samples, and to the nearest training sample."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from models.codes import Floats, to_float

NEIGHBOURS = 3  # as Kynkäänniemi et al. have it
AT_ONCE = 2000


def frechet(first: Floats, second: Floats) -> float:
    """The Frechet distance between the normal distributions with the means and covariances of features (N, K) and (M, K):
    |m - n|² + tr(S + T - 2 (S T)^½) (Heusel et al. 2017, GANs trained by a two time-scale update rule). 0 for the same set."""
    (m, s), (n, t) = (_moments(features) for features in (first, second))
    values, vectors = np.linalg.eigh(s)
    root = (vectors * np.sqrt(np.maximum(values, 0))) @ vectors.T
    between = np.sqrt(np.maximum(np.linalg.eigvalsh(root @ t @ root), 0)).sum()
    return max(0.0, float(np.square(m - n).sum() + np.trace(s) + np.trace(t) - 2 * between))


def _moments(features: Floats) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    exact = features.astype(np.float64)
    return exact.mean(0), np.cov(exact.T).reshape(features.shape[1], -1)


def precision_recall(real: Floats, made: Floats) -> tuple[float, float]:
    """How many of the drawn samples lie where real ones are, and how many of the real ones lie where drawn ones are; features
    (N, K) and (M, K). A place is within a ball around a sample that reaches to its third neighbour (Kynkäänniemi et al. 2019,
    Improved precision and recall metric for assessing generative models)."""
    return _within(made, real), _within(real, made)


def _within(asked: Floats, among: Floats) -> float:
    """The share of features that lie within a ball around one of the others."""
    reach = np.concatenate(
        [np.partition(part, min(NEIGHBOURS, len(among) - 1), 1)[:, NEIGHBOURS] for _, part in _squares(among, among)]
    )
    inside = [(part <= reach).any(1) for _, part in _squares(asked, among)]
    return float(np.concatenate(inside).mean())


def _squares(asked: Floats, among: Floats) -> Iterator[tuple[int, Floats]]:
    """The squared distances (n, M) of some features at a time, and where these begin."""
    length = np.square(among).sum(1)
    for begin in range(0, len(asked), AT_ONCE):
        some = asked[begin : begin + AT_ONCE]
        yield begin, np.maximum(np.square(some).sum(1)[:, None] + length - 2 * some @ among.T, 0)


class Rows:
    """Some rows of stored samples, read when they are asked for."""

    def __init__(self, stored: NDArray[np.generic], rows: NDArray[np.int64]) -> None:
        self.stored, self.rows = stored, rows

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, some: slice) -> NDArray[np.generic]:
        return np.asarray(self.stored[self.rows[some]])


def nearest(samples: Floats, among: Rows | NDArray[np.generic]) -> tuple[Floats, NDArray[np.int64]]:
    """The nearest of stored samples (M, *shape) to each sample (N, *shape) as models see them: the root of the mean squared
    difference of their values (N,), and its place (N,)."""
    flat = samples.reshape(len(samples), -1).astype(np.float32)
    best, place = np.full(len(flat), np.inf, np.float32), np.zeros(len(flat), np.int64)
    for begin in range(0, len(among), AT_ONCE):
        some = to_float(np.asarray(among[begin : begin + AT_ONCE])).reshape(-1, flat.shape[1])
        apart = np.square(flat).sum(1)[:, None] + np.square(some).sum(1) - 2 * flat @ some.T
        at = apart.argmin(1)
        here = apart[np.arange(len(flat)), at]
        closer = here < best
        best[closer], place[closer] = here[closer], begin + at[closer]
    return np.sqrt(np.maximum(best, 0) / flat.shape[1]), place

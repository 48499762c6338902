"""The plain methods that the lab Anomalies is held against, with the settings that their papers or scikit-learn suggest.

Each takes training rows (N, F) and a sequence of other rows, all scaled alike, and gives a score for each of the latter:
the higher, the less it belongs. They get the scale that the networks get (`models.analysis.anomalies.Scale`): on the tables
that the recipe was chosen on, every one but ECOD found more with it than on columns that were only standardised.
"""

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

Rows = NDArray[np.floating]
Scores = list[NDArray[np.float64]]
MOST = 5_000  # rows that a one-class SVM is fitted to: it takes time with the square of their number


def _forest(train: Rows, others: Sequence[Rows], seed: int) -> Scores:
    from sklearn.ensemble import IsolationForest

    fitted = IsolationForest(n_estimators=200, random_state=seed).fit(train)
    return [-fitted.score_samples(rows) for rows in others]


def _lof(train: Rows, others: Sequence[Rows], _seed: int) -> Scores:
    from sklearn.neighbors import LocalOutlierFactor

    fitted = LocalOutlierFactor(n_neighbors=min(20, len(train) - 1), novelty=True).fit(train)
    return [-fitted.score_samples(rows) for rows in others]


def _neighbours(train: Rows, others: Sequence[Rows], _seed: int) -> Scores:
    from sklearn.neighbors import NearestNeighbors

    fitted = NearestNeighbors(n_neighbors=min(5, len(train))).fit(train)
    return [fitted.kneighbors(rows)[0].mean(1) for rows in others]


def _svm(train: Rows, others: Sequence[Rows], seed: int) -> Scores:
    from sklearn.svm import OneClassSVM

    some = np.random.default_rng(seed).permutation(len(train))[:MOST]
    fitted = OneClassSVM(nu=0.1).fit(train[some])
    return [-fitted.score_samples(rows) for rows in others]


def _pca_error(train: Rows, others: Sequence[Rows], _seed: int) -> Scores:
    from sklearn.decomposition import PCA

    if (train == train[0]).all():  # without variance there is no share of it
        return [np.square(rows - train[0]).sum(1) for rows in others]
    fitted = PCA(0.9, svd_solver="full").fit(train)
    return [np.square(rows - fitted.inverse_transform(fitted.transform(rows))).sum(1) for rows in others]


def _mahalanobis(train: Rows, others: Sequence[Rows], _seed: int) -> Scores:
    from sklearn.decomposition import PCA

    if (train == train[0]).all():
        return [np.square(rows - train[0]).sum(1) for rows in others]
    fitted = PCA(svd_solver="full").fit(train)
    variance = fitted.explained_variance_ + 1e-4 * fitted.explained_variance_.mean()
    return [(fitted.transform(rows) ** 2 / variance).sum(1) for rows in others]


def _ecod(train: Rows, others: Sequence[Rows], _seed: int) -> Scores:
    return [ecod(train, rows) for rows in others]


def _hbos(train: Rows, others: Sequence[Rows], _seed: int) -> Scores:
    return [hbos(train, rows) for rows in others]


def ecod(train: Rows, rows: Rows) -> NDArray[np.float64]:
    """Li, Zhao et al., ECOD: Unsupervised Outlier Detection Using Empirical Cumulative Distribution Functions, 2022.

    How rare a value as small, or as large, is in each column of the training rows; summed over the columns for the left
    tails, the right tails and the tail to which each column is skewed, of which the largest counts.
    """
    ordered, count = np.sort(train, 0), len(train)
    apart = train.astype(np.float64) - train.mean(0, dtype=np.float64)
    skewed_left = ((apart / np.maximum(np.abs(apart).max(0), 1e-300)) ** 3).mean(0) < 0  # the cube of 1e30 is too large
    left, right = np.empty(rows.shape), np.empty(rows.shape)
    for j in range(rows.shape[1]):
        left[:, j] = np.searchsorted(ordered[:, j], rows[:, j], "right")
        right[:, j] = count - np.searchsorted(ordered[:, j], rows[:, j], "left")
    # The row itself counts, too, as it does where ECOD is given all rows at once: so no tail is empty.
    left, right = -np.log((left + 1) / (count + 1)), -np.log((right + 1) / (count + 1))
    skewed = np.where(skewed_left, left, right)
    return np.asarray(np.maximum.reduce([left.sum(1), right.sum(1), skewed.sum(1)]))


def hbos(train: Rows, rows: Rows, bins: int = 10) -> NDArray[np.float64]:
    """Goldstein and Dengel, Histogram-Based Outlier Score, 2012: the sum over the columns of minus the logarithm of the
    height of the bin that a value falls into, where the highest bin is 1. Outside all bins it is 0.001."""
    out = np.zeros(len(rows))
    for j in range(rows.shape[1]):
        heights, edges = np.histogram(train[:, j], bins)
        place = np.clip(np.searchsorted(edges, rows[:, j], "right") - 1, 0, bins - 1)
        inside = (rows[:, j] >= edges[0]) & (rows[:, j] <= edges[-1])
        out -= np.log(np.maximum(np.where(inside, heights[place] / heights.max(), 0), 1e-3))
    return out


UNSCALED = ("ECOD",)  # which has a scale of its own, and looks at how columns are skewed
PLAIN: dict[str, Callable[[Rows, Sequence[Rows], int], Scores]] = {
    "isolation forest": _forest,
    "LOF": _lof,
    "k-NN": _neighbours,
    "one-class SVM": _svm,
    "PCA reconstruction": _pca_error,
    "PCA Mahalanobis": _mahalanobis,
    "ECOD": _ecod,
    "HBOS": _hbos,
}

"""What features are good for where few samples have labels: classifiers that learn from 1 to 100 labels of each class.

A linear probe (Alain and Bengio 2016), the nearest labelled sample, a support vector machine (Cortes and Vapnik 1995), and labels
spread over the graph of near neighbours (Zhou et al. 2004, with the local scales of Zelnik-Manor and Perona 2004). All are
inductive: samples that are judged take no part. Settings were chosen once, on validation samples of Fashion-MNIST, and are
the same for all features.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from models.codes import Floats

COUNTS = (1, 2, 5, 10, 20, 50, 100)  # labels of each class
DRAWS = 5
NEIGHBOURS = 7
SPREADING = 0.95  # of a label that goes on to neighbours at each step
METHODS = {
    "linear": "logistic regression",
    "nearest": "nearest neighbour",
    "svm": "support vectors",
    "spreading": "label spreading",
}
LINEAR_C, SVM_C = 10.0, 10.0
RESAMPLED = 1000


class Parts(NamedTuple):
    """Features of samples: those that labels are drawn from, (N, F), which all take part in spreading; those that choices
    are made by; and those that are looked at in the end."""

    train: Floats
    validation: Floats
    test: Floats


class Labels(NamedTuple):
    """The classes of the same samples."""

    train: NDArray[np.integer[Any]]
    validation: NDArray[np.integer[Any]]
    test: NDArray[np.integer[Any]]


@dataclass(frozen=True)
class Probe:
    """What one method told with one kind of features. right: for each count of labels, each draw and each test sample whether
    its class was told, (K, DRAWS, T); validation: the share right of the validation samples, (K, DRAWS)."""

    right: NDArray[np.bool_]
    validation: NDArray[np.float64]


def counts_of(labels: NDArray[np.integer[Any]]) -> list[int]:
    """Those of `COUNTS` for which every class has enough samples in labels (N,), and always the first."""
    least = int(np.unique(labels, return_counts=True)[1].min())
    return [count for count in COUNTS if count <= max(1, least)]


def drawn(labels: NDArray[np.integer[Any]], most: int, seed: int) -> NDArray[np.int64]:
    """Places in labels (N,) of `most` samples of each class, (C, most), drawn at random: the first k columns are a draw of k, so
    that more labels are always those of before and others."""
    dice = np.random.default_rng(seed)
    return np.stack([dice.permutation(np.flatnonzero(labels == label))[:most] for label in np.unique(labels)])


def scaled(parts: Parts) -> Parts:
    """Features around 0, with one unit for all: the mean of their variances is 1."""
    centre = parts.train.mean(0)
    unit = np.float32(max(float(np.sqrt(parts.train.var(0).mean())), 1e-9))
    return Parts(*((part - centre) / unit for part in parts))


def squared_distances(a: Floats, b: Floats) -> Floats:
    """Between each of a (N, F) and each of b (M, F): (N, M)."""
    out = np.square(a).sum(1)[:, None] + np.square(b).sum(1) - 2 * (a @ b.T)
    return np.asarray(np.maximum(out, 0), np.float32)


def near(queries: Floats, among: Floats, own: bool = False) -> tuple[NDArray[np.int64], Floats]:
    """The `NEIGHBOURS` nearest in `among` (M, F) of each query (N, F): their places (N, K) and squared distances, nearest first.
    own: the queries are these very samples, and none is its own neighbour."""
    k = min(NEIGHBOURS, len(among) - own)
    places, distances = [], []
    for at in range(0, len(queries), 1000):
        found = squared_distances(queries[at : at + 1000], among)
        if own:
            found[np.arange(len(found)), np.arange(at, at + len(found))] = np.inf
        some = np.argpartition(found, k - 1, 1)[:, :k]
        few = np.take_along_axis(found, some, 1)
        order = np.argsort(few, 1, kind="stable")
        places.append(np.take_along_axis(some, order, 1))
        distances.append(np.take_along_axis(few, order, 1))
    return np.concatenate(places), np.concatenate(distances)


class Spreading:
    """Labels spread over the graph of training samples, by scikit-learn's `LabelSpreading`; a judged sample then takes
    those of its nearest neighbours there."""

    def __init__(self, train: Floats) -> None:
        """The graph: each sample (N, F) and its `NEIGHBOURS` nearest, joined by exp(-d²/(s t)), where s and t are both samples'
        distances to the last of these."""
        from scipy.sparse import csr_matrix

        self.train = train
        places, squared = near(train, train, own=True)
        scale = np.sqrt(np.maximum(squared[:, -1], 1e-12)).astype(np.float64)
        at = np.repeat(np.arange(len(train)), places.shape[1])
        weights = np.exp(-squared.ravel() / (scale[at] * scale[places.ravel()]))
        graph = csr_matrix((weights, (at, places.ravel())), (len(train),) * 2)
        self.graph = graph.maximum(graph.T)

    def to(self, others: Floats) -> Any:
        """Which training samples are nearest to these (M, F): a sparse matrix (N, M) of ones."""
        from scipy.sparse import csr_matrix

        places, _ = near(others, self.train)
        at = np.repeat(np.arange(len(others)), places.shape[1])
        return csr_matrix((np.ones(places.size), (places.ravel(), at)), (len(self.train), len(others)))

    def spread(self, chosen: NDArray[np.int64], labels: NDArray[np.integer[Any]]) -> tuple[NDArray[Any], NDArray[Any]]:
        """How much of each class came to each training sample (N, C), and the classes (C,), where those at `chosen` have
        these labels (L,)."""
        from sklearn.exceptions import ConvergenceWarning
        from sklearn.semi_supervised import LabelSpreading

        known = np.full(len(self.train), -1)
        known[chosen] = labels
        model = LabelSpreading(kernel=lambda *_: self.graph, alpha=SPREADING, max_iter=200)
        with warnings.catch_warnings():  # a sample that no label reaches; and 200 steps are enough
            warnings.simplefilter("ignore", ConvergenceWarning)
            warnings.simplefilter("ignore", RuntimeWarning)
            model.fit(np.zeros((len(known), 1)), known)
        return np.nan_to_num(model.label_distributions_), model.classes_


def probe(parts: Parts, labels: Labels, counts: list[int], draws: int = DRAWS) -> Iterator[tuple[str, Probe]]:
    """Every method with these features, one after the other; seeds are the draws' places, so that all features are
    compared on the same draws."""
    parts = scaled(parts)
    judged = np.concatenate([parts.validation, parts.test])
    chosen = [drawn(labels.train, counts[-1], seed) for seed in range(draws)]
    told: dict[str, list[list[NDArray[Any]]]] = {name: [[] for _ in counts] for name in METHODS}
    for places in chosen:
        every = places.T.ravel()  # the first k of each class stand first
        given, classes = parts.train[every], labels.train[every]
        between, within = squared_distances(judged, given), squared_distances(given, given)
        width = given.shape[1]
        for i, count in enumerate(counts):
            some = slice(count * len(places))
            told["nearest"][i].append(classes[some][between[:, some].argmin(1)])
            told["svm"][i].append(_vectors(within[some, some] / width, classes[some], between[:, some] / width))
            told["linear"][i].append(_linear(given[some], classes[some], judged))
    yield from ((name, _judged(told.pop(name), labels)) for name in ("linear", "nearest", "svm"))
    spreading = Spreading(parts.train)
    to = spreading.to(judged).T.tocsr()
    for places in chosen:
        for i, count in enumerate(counts):
            known = places[:, :count].ravel()
            shares, classes = spreading.spread(known, labels.train[known])
            told["spreading"][i].append(classes[(to @ shares).argmax(1)])
    yield "spreading", _judged(told["spreading"], labels)


def _judged(told: list[list[NDArray[Any]]], labels: Labels) -> Probe:
    truth = np.concatenate([labels.validation, labels.test])
    right = np.asarray(told) == truth
    n = len(labels.validation)
    return Probe(right[..., n:], right[..., :n].mean(2))


def _vectors(within: Floats, classes: NDArray[Any], between: Floats) -> NDArray[Any]:
    """Classes told by support vectors with Gaussian kernels, from squared distances divided by the number of features."""
    from sklearn.svm import SVC

    if len(np.unique(classes)) == 1:
        return np.full(len(between), classes[0])
    model = SVC(C=SVM_C, kernel="precomputed").fit(np.exp(-within), classes)
    return np.asarray(model.predict(np.exp(-between)))


def _linear(given: Floats, classes: NDArray[Any], judged: Floats) -> NDArray[Any]:
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.linear_model import LogisticRegression

    model = LogisticRegression(C=LINEAR_C, max_iter=200, tol=1e-3)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        # In proportion to the number of features a sample is as long for all features.
        model.fit(given / np.sqrt(given.shape[1]), classes)
    return np.asarray(model.predict(judged / np.sqrt(given.shape[1])))


def interval(ours: NDArray[np.bool_], theirs: NDArray[np.bool_], seed: int = 0) -> tuple[float, float]:
    """The 95 % interval of how much larger the share right of `ours` is than that of `theirs`, both (DRAWS, T), by a paired
    bootstrap of draws of labels and of test samples together (Efron and Tibshirani 1993)."""
    apart = ours.astype(np.float32) - theirs
    dice = np.random.default_rng(seed)
    draws, samples = apart.shape
    of_draws = dice.multinomial(draws, np.full(draws, 1 / draws), RESAMPLED) / draws
    of_samples = dice.multinomial(samples, np.full(samples, 1 / samples), RESAMPLED) / samples
    found = ((of_draws @ apart) * of_samples).sum(1)
    low, high = np.percentile(found, [2.5, 97.5])
    return float(low), float(high)

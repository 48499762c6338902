"""Checking samples by their codes: duplicates, outliers, likely mislabelled ones.

All three begin at the nearest codes of each stored code (`neighbours`). They point at samples worth a look; none of
them proves anything, and their docstrings say how often they were right where that could be measured. scikit-learn
is imported where the neighbours are found, so that opening a page does not wait for it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models import datasets
from models.codes import to_float
from models.runs import Run

Floats = NDArray[np.float32]
Places = NDArray[np.int64]

K = 20  # neighbours
TREE_SIZE = 4  # up to this code size a tree finds neighbours faster than comparing all with all
TREE_QUERIES = 100_000  # codes that are looked at with a tree: 0.3 to 2 s
COMPARED = 250_000_000  # pairs of codes compared without one: about 2 s
HELD = 64 << 20  # bytes of samples held at once
SEGMENTS = 32  # sums of a sample by which most pairs are told apart without comparing them whole
EQUAL = 1e-3  # of the usual distance to the nearest code: below it two codes of 70,000 in a plane rarely meet by chance


@dataclass(frozen=True)
class Neighbours:
    """Some of M codes and their k nearest other codes.

    places (Q,): which codes were looked at, ascending; all of them where Q = M. near (Q, k): places of their
    neighbours, nearest first. distance (Q, k): Euclidean. count: M.
    """

    places: Places
    near: Places
    distance: Floats
    count: int

    @property
    def usual(self) -> float:
        """The median distance of a code to its nearest other code."""
        return float(np.median(self.distance[:, 0])) if self.distance.size else 0.0


def neighbours(codes: Floats, k: int = K) -> Neighbours:
    """The k nearest other codes of each of `codes` (M, D), k < M, by scikit-learn.

    So that it takes seconds, not minutes, a random but fixed part of many codes is looked at, each against all:
    100,000 with D up to 4, and as many as make 250 million pairs above.
    """
    count, size = codes.shape
    k = min(k, count - 1)
    tree = size <= TREE_SIZE
    most = TREE_QUERIES if tree else max(1000, COMPARED // count)
    places = np.arange(count)
    if count > most:
        places = np.sort(np.random.default_rng(0).permutation(count)[:most])
    if k < 1:
        return Neighbours(places, np.zeros((len(places), 0), np.int64), np.zeros((len(places), 0), np.float32), count)
    near, distance = nearest_of(codes, codes[places], k + 1)
    # A code's first neighbour is itself, except among equal codes, of which any may come first.
    itself = near == places[:, None]
    itself[~itself.any(1), -1] = True
    shape = (len(places), k)
    return Neighbours(places, near[~itself].reshape(shape), distance[~itself].reshape(shape), count)


def nearest_of(codes: Floats, asked: Floats, k: int) -> tuple[Places, Floats]:
    """The k nearest of `codes` (M, D), or all M, for each of `asked` (Q, D): places (Q, k) and distances, nearest first."""
    from sklearn.neighbors import NearestNeighbors

    algorithm = "kd_tree" if codes.shape[1] <= TREE_SIZE else "brute"
    search = NearestNeighbors(n_neighbors=min(k, len(codes)), algorithm=algorithm).fit(codes)
    distance, near = search.kneighbors(asked)
    return near, distance.astype(np.float32)


@dataclass(frozen=True)
class Duplicates:
    """Pairs of samples that are alike, the most alike first.

    first, second (P,): places among the run's codes, first < second. difference (P,): mean absolute difference of
    the two samples per value, as the model sees them; 0 is the same sample, NaN where the samples are not at hand
    and only their codes are equal. distance (P,): between the codes. random: the median difference of two samples
    drawn at random. looked: samples whose neighbours were compared. Exact duplicates are sought among all.
    """

    first: Places
    second: Places
    difference: Floats
    distance: Floats
    random: float
    looked: int


def duplicates(run: Run, near: Neighbours, alike: float = 0.05, *, samples: bool = True) -> Duplicates:
    """Exact duplicates by the hash of the stored samples, near ones among each code's neighbours.

    A near duplicate differs by at most `alike` times the difference of two random samples. Every sample of a group
    of equal ones is paired with the group's first. Copies that were moved, turned or scaled differ by more and are
    not found. samples: whether the dataset is at hand and may be read; without it only pairs of equal codes are given.
    Measured with noise of 3 grey levels on 500 copies: the original is among the 20 nearest codes of
    100 % of digits (D = 2), of 97 % of MNIST and 93 % of Fashion-MNIST (70,000 codes with D = 2), of 100 % with
    D = 10 or 30.
    """
    asked = np.repeat(near.places, near.near.shape[1])
    pairs = np.column_stack([asked, near.near.ravel()])
    apart = near.distance.ravel()
    if not samples:
        same = apart <= EQUAL * near.usual
        first, second, distance = _once(pairs[same], apart[same])
        order = np.argsort(distance, kind="stable")
        nothing = np.full(len(order), np.nan, np.float32)
        return Duplicates(first[order], second[order], nothing, distance[order], np.nan, len(near.places))
    first, second, distance = _once(pairs, apart)
    dataset = run.dataset
    digests, sums = _digests(run, dataset)
    random = _random_difference(run, dataset)
    # The difference of two samples is at least that of their sums: what is told apart by these needs no other look.
    bound = np.concatenate(
        [
            np.abs(sums[first[part]] - sums[second[part]]).sum(1)
            for part in _parts(len(first), HELD // (4 * sums.shape[1]))
        ]
        or [np.zeros(0, np.float32)]
    )
    maybe = np.flatnonzero(bound <= dataset.size * alike * random)
    difference = _differences(run, dataset, first[maybe], second[maybe])
    close = difference <= alike * random
    first, second, distance = first[maybe][close], second[maybe][close], distance[maybe][close]
    difference = difference[close]
    # Groups of equal samples as pairs with the group's first; what the neighbours found of these is replaced.
    _, group = np.unique(digests, return_inverse=True)
    head = np.full(group.max(initial=-1) + 1, run.count)
    np.minimum.at(head, group, np.arange(run.count))
    head = head[group]
    other = group[first] != group[second]
    copies = np.flatnonzero(head != np.arange(run.count))
    first = np.concatenate([head[copies], first[other]])
    second = np.concatenate([copies, second[other]])
    between = np.linalg.norm(run.codes[head[copies]] - run.codes[copies], axis=1)
    distance = np.concatenate([between, distance[other]]).astype(np.float32)
    difference = np.concatenate([np.zeros(len(copies)), difference[other]]).astype(np.float32)
    order = np.lexsort([distance, difference])
    return Duplicates(first[order], second[order], difference[order], distance[order], random, len(near.places))


def _once(pairs: Places, apart: Floats) -> tuple[Places, Places, Floats]:
    """Pairs (P, 2) with the smaller place first, each once."""
    low, high = pairs.min(1, initial=np.iinfo(np.int64).max), pairs.max(1, initial=0)
    _, kept = np.unique(low * (high.max(initial=0) + 1) + high, return_index=True)
    return low[kept], high[kept], apart[kept]


def _parts(count: int, most: int) -> Iterator[slice]:
    """Slices of at most `most` of `count` things."""
    return (slice(start, start + max(1, most)) for start in range(0, count, max(1, most)))


def _digests(run: Run, dataset: datasets.Dataset) -> tuple[NDArray[Any], Floats]:
    """Of each stored sample its hash (M,) and the sums of its values over segments (M, S), as the model sees them."""
    digests = np.empty(run.count, "S32")
    starts = np.unique(np.linspace(0, dataset.size, min(SEGMENTS, dataset.size), endpoint=False).astype(int))
    sums = np.empty((run.count, len(starts)), np.float32)
    for part in _parts(run.count, HELD // (4 * dataset.size)):
        samples = np.ascontiguousarray(datasets.samples_at(dataset, run.rows[part].astype(np.int64)))
        # Hex digits, since numpy cuts zero bytes off the end of a text of bytes.
        digests[part] = [hashlib.blake2b(sample, digest_size=16).hexdigest().encode() for sample in samples]
        flat = samples.reshape(len(samples), -1)
        scale = 255 if flat.dtype == np.uint8 else 1
        sums[part] = np.add.reduceat(flat, starts, axis=1, dtype=np.float32) / scale
    return digests, sums


def _differences(run: Run, dataset: datasets.Dataset, first: Places, second: Places) -> Floats:
    """The mean absolute difference per value (P,) of pairs of stored samples."""
    out = np.empty(len(first), np.float32)
    for part in _parts(len(first), HELD // (16 * dataset.size)):
        both = [
            to_float(datasets.samples_at(dataset, run.rows[which[part]].astype(np.int64))) for which in (first, second)
        ]
        out[part] = np.abs(both[0] - both[1]).reshape(len(both[0]), -1).mean(1)
    return out


def _random_difference(run: Run, dataset: datasets.Dataset, count: int = 500) -> float:
    """The median difference of two samples drawn at random: what “alike” is measured by."""
    draw = np.random.default_rng(0)
    first = draw.integers(0, run.count, count)
    second = (first + draw.integers(1, max(2, run.count), count)) % run.count
    return float(np.median(_differences(run, dataset, first, second)))


@dataclass(frozen=True)
class Outliers:
    """Samples by how far they stand out, the most first: those with a value outside of all others, then by the greater of
    error and distance, both in medians. All arrays are (Q,).

    places: among the run's codes. error: reconstruction error in medians of its split; error_rank: the share of
    the others (of those looked at) of which that is smaller, in per cent. distance: to the k-th nearest
    code, in medians of all; distance_rank: the share of the others with a smaller one, in per cent. outside: whether a
    table's row has a value outside of those of all others by far.
    """

    places: Places
    error: Floats
    error_rank: Floats
    distance: Floats
    distance_rank: Floats
    outside: NDArray[np.bool_]

    @property
    def rank(self) -> Floats:
        """The higher of the two (Q,), by which they are chosen; 100 with a value outside of all others."""
        return np.where(self.outside, np.float32(100), np.maximum(self.error_rank, self.distance_rank))


def outliers(
    errors: Floats, splits: NDArray[np.uint8], near: Neighbours, outside: NDArray[np.bool_] | None = None
) -> Outliers:
    """Samples that the run reconstructs badly, or whose code lies far from others.

    errors (M,), splits (M,): each sample is held against its own split, since training samples have smaller
    errors. Far is the distance to the k-th nearest code (Ramaswamy, Rastogi and Shim 2000, definition 1: D^k);
    a large error marks what the run has not learnt (Hawkins et al. 2002). A rare but good sample is an outlier, too.
    outside (Q,): which of the codes looked at are rows with a value outside of all others (`blame.outside`). A network may
    rebuild such a row and place it near others; somebody who reads the table would still see it first.
    """
    places = near.places
    error = np.zeros(len(places), np.float32)
    for split in np.unique(splits[places]):
        here = splits[places] == split
        error[here], _ = _standing(errors[places[here]])
    _, share = _standing(error)  # of all together, so that it rises with what stands beside it
    reach = near.distance[:, -1] if near.distance.size else np.zeros(len(places), np.float32)
    distance, far = _standing(reach)
    # Not by the percentiles, which are much the same for an error of 5 medians and for one of 300.
    outside = np.zeros(len(places), bool) if outside is None else outside
    order = np.lexsort([-np.maximum(error, distance), ~outside])
    return Outliers(places[order], error[order], share[order], distance[order], far[order], outside[order])


def _standing(values: Floats) -> tuple[Floats, Floats]:
    """Values in medians of theirs, and the per cent of the others that are smaller: 100 for the greatest of any number
    but one. Equal values stand equally, below all that are greater."""
    usual = float(np.median(values)) if len(values) else 0.0
    share = 100 * np.searchsorted(np.sort(values), values) / max(1, len(values) - 1)
    return (values / max(usual, 1e-12)).astype(np.float32), share.astype(np.float32)


@dataclass(frozen=True)
class Mislabelled:
    """Labelled samples by how much their neighbours disagree with the label, the most first. All arrays are (Q',).

    places: among the run's codes. disagreement: the neighbours' votes for other classes, a share in [0, 1]. voted:
    the class with the most votes among these others, -1 where there is none. votes: how many neighbours have it.
    k: neighbours that were asked, of those with a label.
    """

    places: Places
    disagreement: Floats
    voted: NDArray[np.int32]
    votes: NDArray[np.int64]
    k: int


def mislabelled(labels: NDArray[np.int32], near: Neighbours) -> Mislabelled:
    """Samples whose neighbours have another label, after Brodley and Friedl 1999 (nearest neighbours as the filter).

    labels (M,), -1 where unknown: these neither vote nor are judged. A vote weighs 1 / (distance + the sample's
    median distance), a milder form of Dudani 1976. k is smaller where classes are small: half the mean class at most.

    It is as good as the codes tell the classes apart. Measured by giving 5 % of the samples a random other label:
    of as many as were changed, those ranked first held so many of the changed ones: digits, D = 2: 79 %
    (variational) and 54 to 62 % (others); MNIST 64 % with D = 2 and 92 % with D = 30; Fashion-MNIST 66 % and 80 %.
    """
    classes = int(labels.max(initial=-1)) + 1
    known = int((labels >= 0).sum())
    k = int(np.clip(known // max(1, 2 * classes), 1, max(1, near.near.shape[1])))
    judged = labels[near.places] >= 0
    places, around, distance = near.places[judged], near.near[judged, :k], near.distance[judged, :k]
    if classes < 2 or not around.size:
        none = np.zeros(len(places), np.float32)
        return Mislabelled(places, none, np.full(len(places), -1, np.int32), none.astype(np.int64), k)
    weight = 1 / (distance + np.median(distance, axis=1, keepdims=True) + 1e-12)
    votes = np.zeros((len(places), classes), np.float32)
    counts = np.zeros((len(places), classes), np.int32)
    every = np.arange(len(places))
    for i in range(k):  # one neighbour of each at a time: no pair (sample, class) occurs twice within
        there = labels[around[:, i]]
        voting = there >= 0
        votes[every[voting], there[voting]] += weight[voting, i]
        counts[every[voting], there[voting]] += 1
    total = votes.sum(1)
    share = votes / np.maximum(total, 1e-30)[:, None]
    own = labels[places]
    disagreement = np.where(total > 0, 1 - share[every, own], 0).astype(np.float32)
    share[every, own] = -1
    voted = share.argmax(1).astype(np.int32)
    most = share[every, voted]
    voted[most <= 0] = -1
    order = np.lexsort([-most, -disagreement.round(6)])
    return Mislabelled(
        places[order], disagreement[order], voted[order], counts[every, np.maximum(voted, 0)][order].astype(np.int64), k
    )

"""Codes as few bytes: rounded, foretold by what is known of such codes, and written by a range coder.

What is known is a mixture of normal distributions that is fitted to the codes of training samples (`Known`). A number is written
by how likely it is after those before it: each cluster of the mixture foretells a dimension in a line from the dimensions before.
Who reads has the same mixture and decodes one number after the other. The range coder (Martin 1979) is the library
constriction (Bamler 2022). A number is rounded so that those after it make up for the error as far as they can, and to what is
likely where that costs less than it saves.
"""

from __future__ import annotations

import struct
import warnings
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property, lru_cache

import numpy as np
from numpy.typing import NDArray

from models.codes import Floats

Symbols = NDArray[np.int32]
Doubles = NDArray[np.float64]
Whole = NDArray[np.int64]

CLUSTERS = (1, 4, 10, 20)  # that are tried
TOGETHER = 96  # dimensions; of more, each is taken by itself within a cluster
LEAST = 8  # samples for each number of a cluster's means that there have to be
FURTHEST = 2047  # symbols lie within it
FINE = 256  # parts of a step in which means and slopes are told: both sides have to compute the same
SCALES = 16  # parts of a doubling in which deviations are told
PRICE = 0.2  # of a nat; it would be 1 if steps were fine, and is chosen on validation images
NUDGE = 0.1  # of a unit, to see what moves with a code
BEGUN = 0.01  # damping of a Gauss-Newton step, of the mean curvature
AT_ONCE = 64_000_000  # numbers of derivatives that are held at once
HEAD = 16  # bytes before the numbers


@dataclass(frozen=True, eq=False)
class Known:
    """What is known of codes before they come: a mixture of K normal distributions of (codes - mean) / unit.

    mean and unit (D,): unit is a step that costs as much in each dimension. weights (K,), centres (K, D), deviations (K, D) of
    each dimension when those before it are known, slopes (K, D, D), below the diagonal: how it follows them. slopes are
    (K, 0, 0) where each dimension is for itself.
    """

    mean: Floats
    unit: Floats
    weights: Floats
    centres: Floats
    deviations: Floats
    slopes: Floats

    def packed(self) -> bytes:
        """All of it as bytes, which are counted with the decoder."""
        return self._packed

    @cached_property
    def _packed(self) -> bytes:  # each file tells its checksum, also where a thousand of one image each are written
        k, size = self.centres.shape
        lower = self.slopes[:, *np.tril_indices(size, -1)] if self.slopes.size else self.slopes
        halves = (self.weights, self.centres, np.log2(self.deviations), lower)
        parts = [self.mean.astype("<f4"), self.unit.astype("<f4"), *(one.astype("<f2") for one in halves)]
        head = struct.pack("<HH?", k, size, bool(self.slopes.size))
        return head + zlib.compress(b"".join(part.tobytes() for part in parts), 9)

    def table(self, share: float) -> Table:
        """For steps of this share of the units."""
        return _table(self, float(np.float32(share)))

    def _table(self, share: float) -> Table:
        clusters, size = self.centres.shape
        deviations = np.asarray(self.deviations, np.float64)
        own: Doubles
        slopes: Doubles
        precisions: Doubles
        if self.slopes.size:
            # Numbers that were rounded foretell less than those that were not.
            parts = (np.eye(size) + self.slopes) * deviations[:, None]
            covariance = parts @ parts.swapaxes(1, 2) / share**2
            factor = np.linalg.cholesky(covariance + np.eye(size) / 12)
            own = np.asarray(np.einsum("kii->ki", factor), np.float64)
            # x = L e, so x - e = (1 - L⁻¹) x
            slopes = np.asarray(np.eye(size) - np.linalg.inv(factor / own[:, None]), np.float64)
            precisions = np.asarray(np.linalg.inv(covariance + np.eye(size) / 12), np.float64)
        else:
            own = np.sqrt(np.square(deviations / share) + 1 / 12)
            slopes = np.zeros((clusters, 0, 0))
            precisions = 1 / np.square(own)
        # A rounded number is as uncertain as one that was not: the coder itself adds up the density within a step.
        own = np.sqrt(np.maximum(np.square(own) - 1 / 12, 1e-6))
        weights = np.asarray(self.weights, np.float64)
        return Table(
            weights / weights.sum(),
            np.rint(FINE * self.centres.astype(np.float64) / share),
            np.rint(FINE * slopes),
            np.exp2(np.rint(SCALES * np.log2(own)) / SCALES),
            precisions,
        )


@lru_cache(maxsize=16)
def _table(known: Known, share: float) -> Table:
    return known._table(share)


@dataclass(frozen=True)
class Table:
    """A mixture in steps: weights (K,), deviations (K, D), centres (K, D) and slopes (K, D, D) in whole parts of a step (`FINE`).

    precisions: the inverse covariance (K, D, D) of rounded codes, or one over their variance (K, D).
    """

    weights: Doubles
    centres: Doubles
    slopes: Doubles
    deviations: Doubles
    precisions: Doubles

    def ahead(self, ends: Whole, far: Doubles, d: int) -> tuple[Doubles, Doubles]:
        """Mean and deviation (N,) of dimension d of codes that are in the order of their clusters, which end at `ends` (K,), in
        steps. far (N, d or more): how far the numbers before are from the centres, in parts of a step."""
        counts = np.diff(ends, prepend=0)
        told = np.repeat(self.centres[:, d], counts)
        if d and self.slopes.size:
            # Whole numbers below 2**53: their sum is the same in any order, on any processor.
            parts = zip(np.split(far[:, :d], ends[:-1]), self.slopes[:, d, :d], strict=True)
            told = told + np.concatenate([part @ slopes for part, slopes in parts]) // FINE
        return np.clip(told / FINE, -FURTHEST, FURTHEST), np.repeat(self.deviations[:, d], counts)

    def nearest(self, steps: Doubles) -> Whole:
        """The cluster (N,) that codes (N, D), counted in steps, are cheapest in."""
        costs = []
        for k, weight in enumerate(self.weights):
            far = steps - self.centres[k] / FINE
            if self.slopes.size:
                far = far - far @ (self.slopes[k] / FINE).T
            spread = np.square(self.deviations[k]) + 1 / 12
            costs.append((np.square(far) / spread).sum(1) / 2 + np.log(spread).sum() / 2 - np.log(max(weight, 1e-9)))
        return np.asarray(np.argmin(costs, 0), np.int64)


def unpacked(content: bytes) -> Known:
    """What `Known.packed` gave. ValueError or zlib.error for anything else."""
    if len(content) < 5:
        raise ValueError("a part is missing")
    clusters, size, together = struct.unpack("<HH?", content[:5])
    lower = size * (size - 1) // 2 if together else 0
    counts = (clusters, clusters * size, clusters * size, clusters * lower)
    plain = zlib.decompressobj().decompress(content[5:], 8 * size + 2 * sum(counts) + 1)
    if not clusters or not size or len(plain) != 8 * size + 2 * sum(counts):
        raise ValueError("a part is missing")
    mean, unit = np.frombuffer(plain[: 8 * size], "<f4").reshape(2, size).astype(np.float32)
    halves = np.frombuffer(plain[8 * size :], "<f2").astype(np.float32)
    weights, centres, scales, below = np.split(halves, np.cumsum(counts)[:-1])
    slopes = np.zeros((clusters, size, size) if together else (clusters, 0, 0), np.float32)
    if together:
        slopes[:, *np.tril_indices(size, -1)] = below.reshape(clusters, lower)
    shape = (clusters, size)
    return Known(mean, unit, weights, centres.reshape(shape), np.exp2(scales).reshape(shape), slopes)


def known_of(codes: Floats, judging: Floats, unit: Floats) -> Known:
    """The mixture that fits codes of training samples (N, D), of as many clusters as tell others best (M, D), which are judged
    by; by scikit-learn."""
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.mixture import GaussianMixture

    mean = codes.mean(0)
    rows, judges = (np.asarray((one - mean) / unit, np.float64) for one in (codes, judging if len(judging) else codes))
    size = rows.shape[1]
    together = size <= TOGETHER
    best: tuple[float, GaussianMixture] | None = None
    for clusters in CLUSTERS:
        if best is not None and len(rows) < LEAST * clusters * (size if together else 2):
            break
        mixture = GaussianMixture(
            clusters,
            covariance_type="full" if together else "diag",
            reg_covar=1e-3,
            max_iter=20,
            tol=0.01,
            random_state=0,
        )
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)  # some steps more would change little
            score = float(mixture.fit(rows).score(judges))
        if best is not None and score < best[0]:
            break
        best = score, mixture
    assert best is not None
    found = best[1]
    if together:
        factors = np.linalg.cholesky(found.covariances_)
        deviations = np.einsum("kii->ki", factors)
        slopes = np.tril(factors / deviations[:, None], -1)
    else:
        deviations, slopes = np.sqrt(found.covariances_), np.zeros((len(found.weights_), 0, 0))
    parts = (mean, unit, found.weights_, found.means_, deviations, slopes)
    return unpacked(Known(*(np.asarray(one, np.float32) for one in parts)).packed())


# ── rounding ─────────────────────────────────────────────────────────────────────────────


def better(
    decode: Callable[[Floats], Floats], samples: Floats, codes: Floats, unit: Floats, rounds: int = 2
) -> tuple[Floats, Floats]:
    """Codes (N, D) whose decoded samples are nearer to samples (N, F) than those of the encoder's codes, by so many steps of
    Gauss and Newton (Nocedal and Wright 2006, section 10.3); and how much of the squared error a distance costs there, counted
    in units: (N, D, D).

    An encoder is one guess for all samples; a file holds one code, and may hold the best (Campos et al. 2019). decode: (N, D)
    to (N, F).
    """
    parts = -(-codes.shape[1] * samples.size // AT_ONCE)
    found = [
        _better(decode, some, begun, unit, rounds)
        for some, begun in zip(np.array_split(samples, parts), np.array_split(codes, parts), strict=True)
    ]
    return np.concatenate([one for one, _ in found]), np.concatenate([one for _, one in found])


def _better(
    decode: Callable[[Floats], Floats], samples: Floats, codes: Floats, unit: Floats, rounds: int
) -> tuple[Floats, Floats]:
    count, size = codes.shape
    made = decode(codes)
    error = np.square(made - samples).sum(1)
    along = np.empty((count, size, samples.shape[1]), np.float32)
    for _ in range(rounds):
        for d in range(size):
            away = np.zeros((1, size), np.float32)
            away[0, d] = NUDGE * unit[d]
            along[:, d] = decode(codes + away)
            along[:, d] -= made
        along /= NUDGE
        curvature = along @ along.swapaxes(1, 2)
        downhill = along @ (samples - made)[..., None]
        damping = BEGUN * np.einsum("nii->n", curvature) / size + 1e-12
        step = np.linalg.solve(curvature + damping[:, None, None] * np.eye(size, dtype=np.float32), downhill)[..., 0]
        tried = np.asarray(codes + unit * step, np.float32)
        come = decode(tried)
        now = np.square(come - samples).sum(1)
        won = now < error
        codes, made = np.where(won[:, None], tried, codes), np.where(won[:, None], come, made)
        error = np.minimum(error, now)
    return codes, curvature


def rounded(codes: Floats, curvature: Floats | None, known: Known, share: float) -> tuple[Whole, Symbols]:
    """Codes (N, D) as clusters (N,) and symbols (N, D) for steps of this share of the units.

    curvature (N, D, D): how much of the squared error a distance in units costs, None where each dimension costs by itself,
    and all alike. What is made small is that and the bits, at a price (`PRICE`): both are squares about a place, so
    their sum is one. A dimension is rounded when those before it were, and makes up for their errors as far as it can (the
    nearest plane of Babai 1986).
    """
    table = known.table(share)
    steps = np.asarray((codes - known.mean) / known.unit, np.float64) / share
    clusters = table.nearest(steps)
    symbols = np.empty(codes.shape, np.int32)
    if curvature is None and not known.slopes.size:
        dear = PRICE / 12 * table.precisions[clusters]
        symbols[:] = _whole((steps + dear * table.centres[clusters] / FINE) / (1 + dear))
        return clusters, symbols
    price = PRICE / 12 * (1.0 if curvature is None else float(np.einsum("nii->ni", curvature).mean()))
    some = max(1, AT_ONCE // (8 * codes.shape[1] ** 2))
    for i in range(0, len(codes), some):
        part = slice(i, i + some)
        error = np.eye(codes.shape[1])[None] if curvature is None else np.asarray(curvature[part], np.float64)
        symbols[part] = _nearest_plane(steps[part], error, table, clusters[part], price)
    return clusters, symbols


def _whole(values: Doubles) -> Symbols:
    return np.asarray(np.clip(np.rint(values), -FURTHEST, FURTHEST), np.int32)


def _nearest_plane(steps: Doubles, error: Doubles, table: Table, clusters: Whole, price: float) -> Symbols:
    """Symbols (N, D) near codes in steps (N, D), of which a distance costs `error` (N or 1, D, D) and a nat `price` twice."""
    size = steps.shape[1]
    bits = price * table.precisions[clusters]
    if bits.ndim == 2:
        bits = bits[:, :, None] * np.eye(size)
    both = error + bits
    both += (1e-9 * np.einsum("nii->n", both) / size + 1e-12)[:, None, None] * np.eye(size)
    pull = error @ steps[..., None] + bits @ (table.centres[clusters] / FINE)[..., None]
    wanted = np.linalg.solve(both, pull)[..., 0]
    # both = U diag(·) U', U with ones in its diagonal and zeros below: so the last dimension is free to the end.
    factor = np.linalg.cholesky(both[:, ::-1, ::-1])[:, ::-1, ::-1]
    ties = (factor / np.einsum("nii->ni", factor)[:, None]).swapaxes(1, 2)
    symbols, off = np.zeros(steps.shape, np.int32), np.zeros(steps.shape)
    for d in range(size):
        symbols[:, d] = _whole(wanted[:, d] - np.einsum("nj,nj->n", ties[:, d, :d], off[:, :d]))
        off[:, d] = symbols[:, d] - wanted[:, d]
    return symbols


def _in_order(clusters: Whole, count: int) -> tuple[Whole, Whole]:
    """The places of codes (N,) in the order of their clusters, and where each of so many clusters ends in it."""
    return np.argsort(clusters, kind="stable"), np.cumsum(np.bincount(clusters, minlength=count))


def codes_of(symbols: Symbols, known: Known, share: float) -> Floats:
    """What symbols (N, D) stand for (N, D)."""
    return np.asarray(symbols * (np.float32(share) * known.unit) + known.mean, np.float32)


# ── files ────────────────────────────────────────────────────────────────────────────────


def written(clusters: Whole, symbols: Symbols, known: Known, share: float) -> bytes:
    """What `rounded` gave as a range coder writes it, with what is needed to read it at the head: how many there are, the
    share, and checksums of what is known and of the symbols."""
    from constriction import stream

    table = known.table(share)
    coder = stream.queue.RangeEncoder()
    if len(table.weights) > 1:
        coder.encode(clusters.astype(np.int32), stream.model.Categorical(table.weights, perfect=False))
    model = stream.model.QuantizedGaussian(-FURTHEST, FURTHEST)
    order, ends = _in_order(clusters, len(table.weights))
    ordered = symbols[order]
    far = FINE * ordered - table.centres[clusters[order]]
    for d in range(symbols.shape[1]):
        coder.encode(np.ascontiguousarray(ordered[:, d]), model, *table.ahead(ends, far, d))
    head = struct.pack("<IfII", len(symbols), share, zlib.crc32(known.packed()), _sum(clusters, symbols))
    return head + np.asarray(coder.get_compressed(), "<u4").tobytes()


def _sum(clusters: Whole, symbols: Symbols) -> int:
    return zlib.crc32(symbols.astype("<i4").tobytes(), zlib.crc32(clusters.astype("<i4").tobytes()))


class Otherwise(ValueError):
    """A file was written with something else known than there is here."""


def read(content: bytes, known: Known, most: int) -> Floats:
    """The codes (N, D) of a file that `written` gave, N at most `most`. `Otherwise` where it was written with something else
    known, ValueError for anything else."""
    from constriction import stream

    body = content[HEAD:]
    if len(content) < HEAD or len(body) % 4:
        raise ValueError("a part is missing")
    count, share, of, proof = struct.unpack("<IfII", content[:HEAD])
    if not 0 < count <= most or not 1e-3 <= share <= 1e3:
        raise ValueError("it holds impossible numbers")
    if of != zlib.crc32(known.packed()):
        raise Otherwise("what is known of these codes is something else here")
    table = known.table(share)
    size = len(known.mean)
    try:
        coder = stream.queue.RangeDecoder(np.frombuffer(body, "<u4").astype(np.uint32))
        clusters = np.zeros(count, np.int64)
        if len(table.weights) > 1:
            clusters = coder.decode(stream.model.Categorical(table.weights, perfect=False), count).astype(np.int64)
        model = stream.model.QuantizedGaussian(-FURTHEST, FURTHEST)
        order, ends = _in_order(clusters, len(table.weights))
        ordered, far = np.zeros((count, size), np.int32), np.zeros((count, size))
        centres = table.centres[clusters[order]]
        for d in range(size):
            ordered[:, d] = coder.decode(model, *table.ahead(ends, far, d))
            far[:, d] = FINE * ordered[:, d] - centres[:, d]
    except AssertionError as error:
        raise ValueError(str(error)) from error
    symbols = ordered[np.argsort(order)]
    if _sum(clusters, symbols) != proof:
        raise ValueError("it was damaged")
    return codes_of(symbols, known, share)

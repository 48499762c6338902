"""How codes are spread: a mixture of normal distributions, from which new codes are drawn.

Plain autoencoders say nothing of where their codes lie; this does (Ghosh et al. 2020, From variational to deterministic
autoencoders, section 4). It is fitted by scikit-learn where a run is made, and goes with the run as one small file. Drawing
needs numpy alone; the browser draws from the same file.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Labels = NDArray[np.int32]

FILE = "density.safetensors"
COMPONENTS = (1, 2, 5, 10, 20, 40, 100)
EACH = (1, 2, 4, 8, 16)  # components of a class
NUMBERS = 12_500  # that the mixture of a run holds, about: 25 KB. More only where one component has more
FITTED = 20_000  # codes that are fitted to, at most
HELD = 5_000  # held-out codes by which the number of components is chosen, at most
FEWEST = 3  # codes for each component, at least
RIDGES = (1e-4, 1e-3, 1e-2, 1e-1)  # added to variances of codes of variance 1: more where there are few codes
LARGEST = 1 << 20  # bytes of a file that is read


@dataclass(frozen=True)
class Density:
    """A mixture of K normal distributions over codes of D numbers.

    weights (K,) add up to 1; means (K, D); factors (K, D, D) are lower triangular: a component's covariance is its factor
    times its factor transposed. shares (K, C): how much of each component is of each class, rows adding up to 1; C = 0
    where there are no classes.
    """

    weights: Floats
    means: Floats
    factors: Floats
    shares: Floats

    @property
    def count(self) -> int:
        """How many components."""
        return len(self.weights)

    @property
    def code_size(self) -> int:
        """How many numbers a code has."""
        return int(self.means.shape[1])

    def of_class(self, label: int) -> Floats:
        """The weights (K,) of the components where codes of that class alone are drawn; all of them for a class that none has."""
        weights = self.weights * self.shares[:, label] if label < self.shares.shape[1] else self.weights
        total = float(weights.sum())
        return np.asarray(weights / total if total > 0 else self.weights, np.float32)

    def draw(self, count: int, seed: int, temperature: float = 1.0, label: int | None = None) -> Floats:
        """New codes (count, D). temperature: how far from the mean of their component, 1 as the codes are, 0 the means."""
        random = np.random.default_rng(seed)
        weights = (self.weights if label is None else self.of_class(label)).astype(np.float64)
        chosen = np.sort(random.choice(self.count, count, p=weights / weights.sum()))
        noise = random.standard_normal((count, self.code_size)).astype(np.float32)
        out = self.means[chosen].copy()
        for k in np.unique(chosen):
            of = chosen == k
            out[of] += temperature * noise[of] @ self.factors[k].T
        return np.asarray(random.permutation(out), np.float32)

    def likelihoods(self, codes: Floats) -> NDArray[np.float64]:
        """For each code (N, D) and each component the logarithm of its weight times its density: (N, K)."""
        from scipy.linalg import solve_triangular

        parts = np.empty((len(codes), self.count))
        for k in range(self.count):
            factor = self.factors[k].astype(np.float64)
            apart = solve_triangular(factor, (codes - self.means[k]).T, lower=True, check_finite=False)
            whole = 0.5 * self.code_size * math.log(2 * math.pi) + np.log(np.diag(factor)).sum()
            parts[:, k] = math.log(max(float(self.weights[k]), 1e-30)) - whole - 0.5 * np.square(apart).sum(0)
        return parts

    def log_densities(self, codes: Floats) -> Floats:
        """The logarithm of the density at each code (N,)."""
        from scipy.special import logsumexp

        return np.asarray(logsumexp(self.likelihoods(codes), axis=1), np.float32)

    def packed(self) -> bytes:
        """As a safetensors file of float16: codes in units of their own standard deviation, which stands beside in float32."""
        from safetensors.numpy import save

        mean = (self.weights @ self.means).astype(np.float32)
        unit = np.sqrt(self.weights @ (np.square(self.factors).sum(2) + np.square(self.means - mean)))
        unit = np.where(unit > 0, unit, 1).astype(np.float32)
        below = np.tril_indices(self.code_size)
        half = {
            "weights": self.weights,
            "means": (self.means - mean) / unit,
            "factors": (self.factors / unit[:, None])[:, *below],
            "shares": self.shares,
        }
        arrays = {name: np.ascontiguousarray(values, np.float16) for name, values in half.items()}
        return bytes(save({**arrays, "mean": mean, "unit": unit}))


def unpacked(content: bytes) -> Density:
    """What `packed` gave. ValueError where it is anything else, or holds numbers that nothing could be drawn with."""
    from safetensors import SafetensorError
    from safetensors.numpy import load

    try:
        found = load(content)
        half = {name: found[name].astype(np.float32) for name in ("weights", "means", "factors", "shares")}
        mean, unit = found["mean"].astype(np.float32), found["unit"].astype(np.float32)
    except (SafetensorError, KeyError, TypeError) as error:
        raise ValueError(f"it is no density ({error})") from error
    count, size = len(half["weights"]), len(mean)
    shapes = {name: values.shape for name, values in {**half, "unit": unit}.items()}
    wanted = {"weights": (count,), "means": (count, size), "factors": (count, size * (size + 1) // 2), "unit": (size,)}
    if not count or not size or shapes.pop("shares")[:1] != (count,) or shapes != wanted or half["shares"].ndim != 2:
        raise ValueError("its arrays are of shapes that do not fit together")
    if not all(np.isfinite(values).all() for values in (*half.values(), mean, unit)):
        raise ValueError("it holds infinite or undefined numbers")
    if half["weights"].min() < 0 or half["weights"].sum() <= 0 or unit.min() <= 0 or (half["shares"] < 0).any():
        raise ValueError("its weights or units are not above zero")
    factors = np.zeros((count, size, size), np.float32)
    factors[:, *np.tril_indices(size)] = half["factors"]
    return Density(
        half["weights"] / half["weights"].sum(),
        half["means"] * unit + mean,
        factors * unit[:, None],
        half["shares"],
    )


def gaussian(codes: Floats, ridge: float = RIDGES[0]) -> Density:
    """One normal distribution with the mean and the covariance of codes (M, D), by numpy alone.

    ridge: what is added to the variances, in units of those of the codes.
    """
    mean, unit = codes.mean(0), np.maximum(codes.std(0), 1e-6)
    standard = ((codes - mean) / unit).astype(np.float64)
    covariance = np.cov(standard.T, bias=True).reshape(codes.shape[1], -1)
    factor = np.linalg.cholesky(covariance + ridge * np.eye(codes.shape[1]))
    return Density(
        np.ones(1, np.float32),
        (standard.mean(0, keepdims=True) * unit + mean).astype(np.float32),
        (factor * unit[:, None])[None].astype(np.float32),
        np.zeros((1, 0), np.float32),
    )


# Fitting


def mixture(codes: Floats, count: int, ridge: float = RIDGES[0], seed: int = 0) -> Density:
    """A mixture of `count` normal distributions with full covariances, fitted to codes (N, D) by scikit-learn.

    ridge: what is added to the variances, in units of those of the codes.
    """
    if count == 1 and len(codes) > 1:
        return gaussian(codes, ridge)  # what scikit-learn would find, in a fiftieth of the time
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.mixture import GaussianMixture

    mean, unit = codes.mean(0), np.maximum(codes.std(0), 1e-6)
    fit = GaussianMixture(count, reg_covar=ridge, tol=1e-2, max_iter=60, random_state=seed)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # of few codes some are equal
        fit.fit(((codes - mean) / unit).astype(np.float64))
    factors = np.linalg.cholesky(fit.covariances_)
    return Density(
        fit.weights_.astype(np.float32),
        (fit.means_ * unit + mean).astype(np.float32),
        (factors * unit[:, None]).astype(np.float32),
        np.zeros((count, 0), np.float32),
    )


def with_shares(density: Density, codes: Floats, labels: Labels, classes: int) -> Density:
    """The same with how much of each component is of each class, from codes (N, D) with labels (N,), -1 where unknown."""
    from scipy.special import softmax

    parts = softmax(density.likelihoods(codes), axis=1)
    shares = np.stack([parts[labels == label].sum(0) for label in range(classes)], 1) + 1e-6
    return replace(density, shares=(shares / shares.sum(1, keepdims=True)).astype(np.float32))


def joined(parts: Sequence[Density], weights: Sequence[float]) -> Density:
    """Several mixtures as one, the i-th of which is of class i; weights: how much each counts."""
    total = sum(weights)
    shares = [np.eye(len(parts), dtype=np.float32)[[i] * part.count] for i, part in enumerate(parts)]
    return Density(
        np.concatenate([part.weights * (weight / total) for part, weight in zip(parts, weights, strict=True)]),
        np.concatenate([part.means for part in parts]),
        np.concatenate([part.factors for part in parts]),
        np.concatenate(shares),
    )


def numbers(components: int, code_size: int) -> int:
    """How many numbers describe so many components, their classes left aside."""
    return components * (1 + code_size + code_size * (code_size + 1) // 2)


@dataclass(frozen=True)
class Codes:
    """Codes that a density is fitted to and chosen by: of training samples (N, D), with labels (N,), -1 where unknown, and of
    held-out ones (H, D)."""

    train: Floats
    labels: Labels
    held: Floats
    classes: int

    @property
    def classed(self) -> bool:
        """Whether each class has codes enough to be fitted by itself."""
        counts = np.bincount(self.labels[self.labels >= 0], minlength=self.classes)
        return self.classes > 1 and bool((counts[: self.classes] > FEWEST).all())


def held_out(density: Density, codes: Codes) -> float:
    """The mean logarithm of the density at held-out codes: what densities are compared by."""
    return float(density.log_densities(codes.held[:HELD]).mean())


def each_class(codes: Codes, count: int, ridge: float, seed: int = 0) -> Density:
    """A mixture of `count` components for each class, as one."""
    of = [codes.train[codes.labels == label] for label in range(codes.classes)]
    parts = [mixture(some, min(count, max(1, len(some) // FEWEST)), ridge, seed) for some in of]
    return joined(parts, [len(some) for some in of])


def best(
    codes: Codes,
    most: int = NUMBERS,
    tell: Callable[[float], object] = lambda _share: None,
) -> Density:
    """The density of codes: for each class a mixture of its own, else one of all, whichever ridge and number of components
    held-out codes are likeliest with, of no more than `most` numbers, about.

    More components are tried until held-out codes get less likely. tell is given the share that is done, and may raise.
    """
    codes = replace(codes, train=codes.train[:FITTED], labels=codes.labels[:FITTED])
    if len(codes.train) < FEWEST or not len(codes.held):
        return gaussian(codes.train)
    size, groups = codes.train.shape[1], codes.classes if codes.classed else 1
    if groups > 1 and numbers(groups, size) > most:
        groups = 1  # a code of many numbers has room for few components

    def fitted(count: int, ridge: float) -> Density:
        return each_class(codes, count, ridge) if groups > 1 else mixture(codes.train, count, ridge)

    try:
        found = [fitted(1, ridge) for ridge in RIDGES]
    except ValueError:  # codes that are all but equal
        return gaussian(codes.train)
    likely = [held_out(one, codes) for one in found]
    at = int(np.argmax(likely))
    chosen, ridge, likelihood = found[at], RIDGES[at], likely[at]
    counts = [count for count in (EACH if groups > 1 else COMPONENTS)[1:] if numbers(count * groups, size) <= most]
    for i, count in enumerate(counts):
        tell((i + 1) / (len(counts) + 1))
        if count * groups * FEWEST > len(codes.train):
            break
        try:
            further = fitted(count, ridge)
        except ValueError:  # more components than different codes
            break
        if (now := held_out(further, codes)) <= likelihood:
            break
        chosen, likelihood = further, now
    return chosen


def stored(path: Path, code_size: int) -> Density | None:
    """The density in the file of a run; None where there is none, or one that cannot be read: it can be made again."""
    try:
        found = unpacked(path.read_bytes()) if path.stat().st_size <= LARGEST else None
    except (OSError, ValueError):
        return None
    return found if found is not None and found.code_size == code_size else None


# Kernel density


@dataclass(frozen=True)
class Kernel:
    """A kernel density: a small normal distribution around each of N codes (N, D), all of them alike (Parzen 1962).

    labels (N,), -1 where unknown. factor (D, D), lower triangular: `bandwidth` times it is that of each of them.
    """

    codes: Floats
    labels: Labels
    factor: Floats
    bandwidth: float

    def draw(self, count: int, seed: int, temperature: float = 1.0, label: int | None = None) -> Floats:
        """New codes (count, D). temperature: how far from the code that each begins with."""
        random = np.random.default_rng(seed)
        of = np.arange(len(self.codes)) if label is None else np.flatnonzero(self.labels == label)
        begun = self.codes[random.choice(of if len(of) else np.arange(len(self.codes)), count)]
        noise = random.standard_normal(begun.shape).astype(np.float32)
        return np.asarray(begun + temperature * self.bandwidth * noise @ self.factor.T, np.float32)

    def held_out(self, codes: Floats) -> float:
        """The mean logarithm of the density at codes (H, D)."""
        from scipy.linalg import solve_triangular
        from scipy.special import logsumexp

        wide, size = self.bandwidth * self.factor.astype(np.float64), self.codes.shape[1]
        own, asked = (solve_triangular(wide, some.T, lower=True).T.astype(np.float32) for some in (self.codes, codes))
        apart = np.square(asked).sum(1)[:, None] + np.square(own).sum(1) - 2 * asked @ own.T
        whole = 0.5 * size * math.log(2 * math.pi) + np.log(np.diag(wide)).sum() + math.log(len(own))
        return float((logsumexp(-np.maximum(apart, 0) / 2, axis=1) - whole).mean())


BANDWIDTHS = (0.05, 0.1, 0.15, 0.2, 0.3, 0.45, 0.65, 1.0)
JUDGED = 1000  # held-out codes that a bandwidth is chosen by, at most


def kernel(codes: Codes) -> Kernel:
    """The kernel density with whichever bandwidth held-out codes are likeliest with, in the proportions of the covariance that
    classes have within."""
    centred = codes.train.astype(np.float64)
    for label in np.unique(codes.labels):
        of = codes.labels == label
        centred[of] -= centred[of].mean(0)
    factor = gaussian(centred.astype(np.float32)).factors[0]
    every = [Kernel(codes.train, codes.labels, factor, bandwidth) for bandwidth in BANDWIDTHS]
    return max(every, key=lambda one: one.held_out(codes.held[:JUDGED]))

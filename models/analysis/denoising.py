"""The plain ways to clean a sample, beside which a network that was trained for it has to stand.

Each has its strength chosen on validation samples, and its output corrected there: noise that is held between 0 and 1 moves the
mean, so that black comes out grey. The correction is the best monotone map of values (isotonic regression, Barlow et al.
1972), as everything else fitted on validation samples alone.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from importlib.metadata import version
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.codes import Floats, Plane, to_float

Clean = Callable[[Floats, Callable[[float], None]], Floats]
"""Noisy samples (N, *shape) become cleaner ones; the second argument is told the share that is done, and may raise."""

BINS = 256  # values that are told apart by the correction
AT_ONCE = 50  # samples between two reports
MOST_COMPONENTS = 150
MOST_FITTED = 10_000  # training samples that PCA and the linear map are fitted to
NUMBERS = 20_000_000  # of these together: of large samples there are fewer
MOST_LINEAR = 1024  # numbers of a sample that the linear map takes: of 3,072 it would take a minute
NEIGHBOURS = (1, 3, 10, 30)


@dataclass(frozen=True)
class Method:
    """A way to clean: its name, what it is called, the library that does it ("" for ours), and its strengths, each in words."""

    name: str
    title: str
    library: str
    strengths: tuple[tuple[str, Clean], ...]


@dataclass(frozen=True)
class Tuned:
    """A method with the strength that did best on validation samples, and its correction there: from (B,), to (B,), values."""

    method: Method
    setting: str
    clean: Clean
    given: Floats
    wanted: Floats

    def __call__(self, noisy: Floats, tell: Callable[[float], None] = lambda _share: None) -> Floats:
        """Noisy samples (N, *shape), cleaned and corrected."""
        return corrected(self.clean(noisy, tell), self.given, self.wanted)


def correction(out: Floats, clean: Floats) -> tuple[Floats, Floats]:
    """The monotone map with the least squared error from what a method gives to what it should have given, as points between
    which it is linear: values (B,) and what becomes of them (B,)."""
    from sklearn.isotonic import IsotonicRegression

    flat, wanted = out.reshape(-1).astype(np.float64), clean.reshape(-1).astype(np.float64)
    edges = np.unique(np.quantile(flat, np.linspace(0, 1, BINS + 1)))
    place = np.clip(np.searchsorted(edges, flat, "right") - 1, 0, max(0, len(edges) - 2))
    counts = np.bincount(place)
    used = counts > 0
    middle = np.bincount(place, flat)[used] / counts[used]
    mean = np.bincount(place, wanted)[used] / counts[used]
    fitted = IsotonicRegression().fit_transform(middle, mean, sample_weight=counts[used])
    return middle.astype(np.float32), np.asarray(fitted, np.float32)


def corrected(out: Floats, given: Floats, wanted: Floats) -> Floats:
    """Values of any shape through the map of `correction`; beyond its ends they go on as they were, by the same difference."""
    inside = np.interp(out, given, wanted).astype(np.float32)
    beyond = out - np.clip(out, given[0], given[-1])
    return np.asarray(inside + beyond, np.float32)


def tuned(
    method: Method, noisy: Floats, clean: Floats, pixels: bool, tell: Callable[[float], None] = lambda _share: None
) -> Tuned:
    """The method with the strength of the least squared error on these validation samples (V, *shape), each corrected. pixels:
    whether values are held between 0 and 1."""
    best: tuple[float, Tuned] | None = None
    for i, (words, strength) in enumerate(method.strengths):
        out = strength(noisy, partial(within, tell, i / len(method.strengths), 1 / len(method.strengths)))
        given, wanted = correction(out, clean)
        made = corrected(out, given, wanted)
        made = np.clip(made, 0, 1) if pixels else made
        error = float(np.square(made - clean).mean())
        if best is None or error < best[0]:
            best = error, Tuned(method, words, strength, given, wanted)
    assert best is not None
    return best[1]


def within(tell: Callable[[float], None], begin: float, part: float, share: float) -> None:
    """Of a part, which begins at this share of the whole, so much is done."""
    tell(begin + part * share)


def methods(kind: str, shape: tuple[int, ...]) -> list[Method]:
    """Those that need no training samples, for samples of this kind and shape."""
    if kind == "image":
        return _of_images(shape)
    return _of_signals(shape) if kind == "signal" else []


def fitted_to(shape: tuple[int, ...]) -> int:
    """How many training samples of this shape are enough for what is fitted to them."""
    return min(MOST_FITTED, max(1000, NUMBERS // int(np.prod(shape))))


def pca_of(train: NDArray[np.generic]) -> Plane:
    """PCA of training samples (N, *shape), as they are stored."""
    from models.analysis import metrics

    return metrics.fit_pca(train, min(MOST_COMPONENTS, len(train), train[0].size))


def fitted(train: NDArray[np.generic], noisy: Callable[[Floats], Floats], plane: Plane | None = None) -> list[Method]:
    """Those that know the training samples (N, *shape), as they are stored: PCA, the best linear map from noisy to clean, and
    for rows of a table the mean of the nearest. noisy(samples): spoils samples as those that have to be cleaned. plane: `pca_of`
    these, where it is known, since it is the same for every noise."""
    clean = to_float(train)
    learn = f"scikit-learn {version('scikit-learn')}"
    plane = plane or pca_of(train)
    size = len(plane.components)
    counts = sorted({n for n in (1, 2, 4, 8, 12, 16, 24, 32, 48, 64, 96, 150) if n < size} | {size})

    def project(count: int, given: Floats, _tell: Callable[[float], None]) -> Floats:
        some = plane.components[:count]
        flat = (given.reshape(len(given), -1) - plane.mean) @ some.T @ some + plane.mean
        return np.asarray(flat.reshape(given.shape), np.float32)

    out = [Method("pca", "PCA", learn, tuple((f"{n} component{'s' * (n > 1)}", partial(project, n)) for n in counts))]
    if clean[0].size <= MOST_LINEAR:
        out.append(_linear(clean, noisy(clean)))
    if clean.ndim == 2:
        out.append(_nearest(clean, learn))
    return out


def _linear(clean: Floats, noisy: Floats) -> Method:
    """Ridge regression from noisy to clean samples: what a Wiener filter is that may look at all values."""
    x, y = noisy.reshape(len(noisy), -1).astype(np.float64), clean.reshape(len(clean), -1).astype(np.float64)
    mean_x, mean_y = x.mean(0), y.mean(0)
    # One decomposition for all strengths; scikit-learn's Ridge gives the same and decomposes for each.
    values, vectors = np.linalg.eigh((x - mean_x).T @ (x - mean_x))
    along = vectors.T @ ((x - mean_x).T @ (y - mean_y))
    values = values.clip(0)

    def strength(alpha: float) -> Clean:
        weights = (vectors @ (along / (values + alpha * values.mean() + 1e-9)[:, None])).astype(np.float32)

        def clean_(given: Floats, _tell: Callable[[float], None]) -> Floats:
            flat = (given.reshape(len(given), -1) - mean_x.astype(np.float32)) @ weights + mean_y.astype(np.float32)
            return np.asarray(flat.reshape(given.shape), np.float32)

        return clean_

    return Method("linear", "Best linear map", "", tuple((f"ridge {a:g}", strength(a)) for a in (0.001, 0.03, 0.3)))


def _nearest(clean: Floats, learn: str) -> Method:
    from sklearn.neighbors import NearestNeighbors

    index = NearestNeighbors().fit(clean)

    def mean_of(count: int, given: Floats, _tell: Callable[[float], None]) -> Floats:
        return np.asarray(clean[index.kneighbors(given, min(count, len(clean)))[1]].mean(1), np.float32)

    strengths = tuple((f"{n} neighbour{'s' * (n > 1)}", partial(mean_of, n)) for n in NEIGHBOURS)
    return Method("nearest", "Mean of the nearest training rows", learn, strengths)


def _each(clean_one: Callable[[Floats], Floats], noisy: Floats, tell: Callable[[float], None]) -> Floats:
    """A function of one sample for each of many."""
    out = np.empty_like(noisy)
    for i, one in enumerate(noisy):
        if i % AT_ONCE == 0:
            tell(i / len(noisy))
        out[i] = np.reshape(clean_one(one), one.shape)  # some leave a single channel out
    return out


def _together(clean_all: Callable[[Floats], Floats], noisy: Floats, tell: Callable[[float], None]) -> Floats:
    tell(0.0)
    return np.asarray(clean_all(noisy), np.float32)


def _method(
    name: str,
    title: str,
    library: str,
    strengths: Sequence[tuple[str, Callable[[Floats], Floats]]],
    each: bool = False,
) -> Method:
    """each: whether the functions take one sample and not many."""
    how = _each if each else _together
    return Method(name, title, library, tuple((words, partial(how, function)) for words, function in strengths))


def _strengths(
    words: str, function: Callable[..., Floats], values: Sequence[Any]
) -> list[tuple[str, Callable[[Floats], Floats]]]:
    """A function of samples and a strength for each of these, with words in which {} stands for it."""
    return [(words.format(value), partial(_swapped, function, value)) for value in values]


def _swapped(function: Callable[..., Floats], value: Any, given: Floats) -> Floats:
    return np.asarray(function(given, value), np.float32)


def _of_images(shape: tuple[int, ...]) -> list[Method]:
    from scipy import ndimage
    from skimage import restoration

    scipy, skimage = f"SciPy {version('scipy')}", f"scikit-image {version('scikit-image')}"

    def median(x: Floats, size: int) -> Floats:
        return np.asarray(ndimage.median_filter(x, (1, size, size, 1)))

    def smoothed(x: Floats, deviation: float) -> Floats:
        return np.asarray(ndimage.gaussian_filter(x, (0, deviation, deviation, 0)))

    def means(x: Floats, how: tuple[int, float]) -> Floats:
        return np.asarray(restoration.denoise_nl_means(x, how[0], 6, how[1], fast_mode=True, channel_axis=-1))

    sides = [k for k in (3, 5, 7) if k <= min(shape[:2])] or [1]
    patches = [(p, h) for p in (3, 5) if p < min(shape[:2]) or p == 3 for h in (0.1, 0.2, 0.35, 0.55)]
    return [
        _method("median", "Median", scipy, _strengths("{0}×{0} pixels", median, sides)),
        _method(
            "gaussian",
            "Gaussian",
            scipy,
            _strengths("deviation {:g} pixels", smoothed, (0.3, 0.5, 0.7, 0.9, 1.1, 1.4, 1.8)),
        ),
        _method(
            "tv",
            "Total variation",
            skimage,
            _strengths("weight {:g}", _flat, (0.02, 0.05, 0.1, 0.2, 0.35, 0.5, 0.8)),
            each=True,
        ),
        _method(
            "nlm",
            "Non-local means",
            skimage,
            _strengths("patches of {0[0]}×{0[0]}, h {0[1]:g}", means, patches),
            each=True,
        ),
        _wavelets(skimage),
    ]


def _flat(x: Floats, weight: float) -> Floats:
    """Total variation (Rudin et al. 1992, Chambolle 2004) of one sample, each channel by itself."""
    from skimage import restoration

    return np.asarray(restoration.denoise_tv_chambolle(x, weight, channel_axis=-1))


def _wavelets(skimage: str) -> Method:
    """Shrinking coefficients, each band by a threshold of its own (BayesShrink, Chang et al. 2000)."""
    from skimage import restoration

    def shrunk(x: Floats, how: tuple[str, float]) -> Floats:
        most = float(np.abs(x).max()) or 1.0  # the function holds values between -1 and 1
        # Bands without any variance; samples that are shorter than two wavelets.
        with np.errstate(all="ignore"), warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)
            out = restoration.denoise_wavelet(x / most, how[1] / most, how[0], channel_axis=-1)
        return np.asarray(np.nan_to_num(out) * most)

    tried = [(wavelet, s) for wavelet in ("haar", "db2") for s in (0.05, 0.15, 0.3, 0.5, 0.8)]
    library = f"{skimage}, PyWavelets {version('PyWavelets')}"
    return _method(
        "wavelet", "Wavelet", library, _strengths("{0[0]}, noise of deviation {0[1]:g}", shrunk, tried), each=True
    )


def _of_signals(shape: tuple[int, ...]) -> list[Method]:
    from scipy import ndimage, signal

    scipy, skimage = f"SciPy {version('scipy')}", f"scikit-image {version('scikit-image')}"

    def median(x: Floats, size: int) -> Floats:
        return np.asarray(ndimage.median_filter(x, (1, size, 1)))

    def smoothed(x: Floats, deviation: float) -> Floats:
        return np.asarray(ndimage.gaussian_filter1d(x, deviation, 1))

    def polynomial(x: Floats, how: tuple[int, int]) -> Floats:
        return np.asarray(signal.savgol_filter(x, how[1], how[0], axis=1))

    sizes = [k for k in (3, 5, 9, 15) if k <= shape[0]] or [1]
    windows = [(order, w) for w in (5, 9, 15, 25, 41) if w <= shape[0] for order in (2, 3)]
    out = [
        _method("median", "Median", scipy, _strengths("{} steps", median, sizes)),
        _method("gaussian", "Gaussian", scipy, _strengths("deviation {:g} steps", smoothed, (0.5, 1, 1.5, 2.5, 4, 7))),
    ]
    if windows:
        out.append(
            _method("savgol", "Savitzky-Golay", scipy, _strengths("order {0[0]}, {0[1]} steps", polynomial, windows))
        )
    weights = _strengths("weight {:g}", _flat, (0.05, 0.1, 0.2, 0.4, 0.8, 1.5))
    return [*out, _method("tv", "Total variation", skimage, weights, each=True), _wavelets(skimage)]

"""The plain ways to clean a sample, beside which a network that was trained for it has to stand.

Each has its strength chosen on validation samples, and its output corrected there: noise that is held between 0 and 1 moves the
mean, so that black comes out grey. The correction is the best monotone map of values (isotonic regression, Barlow et al.
1972), as everything else fitted on validation samples alone.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from importlib.metadata import version

import numpy as np
from numpy.typing import NDArray

from models.codes import Floats, to_float

Clean = Callable[[Floats, Callable[[float], None]], Floats]
"""Noisy samples (N, *shape) become cleaner ones; the second argument is told the share that is done, and may raise."""

BINS = 256  # values that are told apart by the correction
AT_ONCE = 50  # samples between two reports
MOST_COMPONENTS = 150
MOST_FITTED = 10_000  # training samples that PCA and the linear map are fitted to
MOST_LINEAR = 3072  # numbers of a sample that the linear map takes
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
        out = strength(noisy, lambda share, i=i: tell((i + share) / len(method.strengths)))  # type: ignore[misc]
        given, wanted = correction(out, clean)
        made = corrected(out, given, wanted)
        made = np.clip(made, 0, 1) if pixels else made
        error = float(np.square(made - clean).mean())
        if best is None or error < best[0]:
            best = error, Tuned(method, words, strength, given, wanted)
    assert best is not None
    return best[1]


def methods(kind: str, shape: tuple[int, ...]) -> list[Method]:
    """Those that need no training samples, for samples of this kind and shape."""
    if kind == "image":
        return _of_images(shape)
    return _of_signals(shape) if kind == "signal" else []


def fitted(train: NDArray[np.generic], noisy: Callable[[Floats], Floats], seed: int = 0) -> list[Method]:
    """Those that know the training samples (N, *shape), as they are stored: PCA, the best linear map from noisy to clean, and
    for rows of a table the mean of the nearest. noisy(samples): spoils samples as those that have to be cleaned."""
    from models.analysis import metrics

    if len(train) > MOST_FITTED:
        train = train[np.sort(np.random.default_rng(seed).choice(len(train), MOST_FITTED, replace=False))]
    clean = to_float(train)
    learn = f"scikit-learn {version('scikit-learn')}"
    size = min(MOST_COMPONENTS, len(train), clean[0].size)
    plane = metrics.fit_pca(train, size)
    counts = sorted({n for n in (1, 2, 4, 8, 12, 16, 24, 32, 48, 64, 96, 150) if n < size} | {size})

    def project(count: int, given: Floats, _tell: Callable[[float], None]) -> Floats:
        some = plane.components[:count]
        flat = (given.reshape(len(given), -1) - plane.mean) @ some.T @ some + plane.mean
        return np.asarray(flat.reshape(given.shape), np.float32)

    out = [Method("pca", "PCA", learn, tuple((f"{n} component{'s' * (n > 1)}", partial(project, n)) for n in counts))]
    if clean[0].size <= MOST_LINEAR:
        out.append(_linear(clean, noisy(clean), learn))
    if clean.ndim == 2:
        out.append(_nearest(clean, learn))
    return out


def _linear(clean: Floats, noisy: Floats, learn: str) -> Method:
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
    name: str, title: str, library: str, strengths: Sequence[tuple[str, Callable[[Floats], Floats]]], each: bool
) -> Method:
    how = _each if each else _together
    return Method(name, title, library, tuple((words, partial(how, function)) for words, function in strengths))


def _of_images(shape: tuple[int, ...]) -> list[Method]:
    from scipy import ndimage
    from skimage import restoration

    scipy, skimage = f"SciPy {version('scipy')}", f"scikit-image {version('scikit-image')}"
    last = {"channel_axis": -1}
    patches = [size for size in (3, 5) if size < min(shape[:2])]
    return [
        _method(
            "median",
            "Median",
            scipy,
            [
                (f"{k}×{k} pixels", lambda x, k=k: ndimage.median_filter(x, (1, k, k, 1)))
                for k in (3, 5, 7)
                if k <= min(shape[:2])
            ],
            each=False,
        ),
        _method(
            "gaussian",
            "Gaussian",
            scipy,
            [
                (f"deviation {s:g} pixels", lambda x, s=s: ndimage.gaussian_filter(x, (0, s, s, 0)))
                for s in (0.3, 0.5, 0.7, 0.9, 1.1, 1.4, 1.8)
            ],
            each=False,
        ),
        _method(
            "tv",
            "Total variation",
            skimage,
            [
                (f"weight {w:g}", lambda x, w=w: restoration.denoise_tv_chambolle(x, w, **last))
                for w in (0.02, 0.05, 0.1, 0.2, 0.35, 0.5, 0.8)
            ],
            each=True,
        ),
        _method(
            "nlm",
            "Non-local means",
            skimage,
            [
                (
                    f"h {h:g}, patches of {p}×{p}",
                    lambda x, h=h, p=p: restoration.denoise_nl_means(x, p, 6, h, fast_mode=True, **last),
                )
                for p in patches
                for h in (0.1, 0.2, 0.35, 0.55)
            ],
            each=True,
        ),
        _method("wavelet", "Wavelet", f"{skimage}, PyWavelets {version('PyWavelets')}", _wavelets(), each=True),
    ]


def _wavelets() -> list[tuple[str, Callable[[Floats], Floats]]]:
    """Shrinking coefficients, each band by a threshold of its own (BayesShrink, Chang et al. 2000)."""
    from skimage import restoration

    def shrunk(x: Floats, deviation: float, wavelet: str) -> Floats:
        most = float(np.abs(x).max()) or 1.0  # the function holds values between -1 and 1
        with np.errstate(all="ignore"):  # bands without any variance
            out = restoration.denoise_wavelet(x / most, deviation / most, wavelet, channel_axis=-1)
        return np.asarray(np.nan_to_num(out) * most, np.float32)

    return [
        (f"{wavelet}, noise of deviation {s:g}", partial(shrunk, deviation=s, wavelet=wavelet))
        for wavelet in ("haar", "db2")
        for s in (0.05, 0.15, 0.3, 0.5, 0.8)
    ]


def _of_signals(shape: tuple[int, ...]) -> list[Method]:
    from scipy import ndimage, signal
    from skimage import restoration

    scipy, skimage = f"SciPy {version('scipy')}", f"scikit-image {version('scikit-image')}"
    windows = [w for w in (5, 9, 15, 25, 41) if w <= shape[0]]
    out = []
    if medians := [k for k in (3, 5, 9, 15) if k <= shape[0]]:
        steps = [(f"{k} steps", lambda x, k=k: ndimage.median_filter(x, (1, k, 1))) for k in medians]
        out.append(_method("median", "Median", scipy, steps, each=False))
    smooth = [
        (f"deviation {s:g} steps", lambda x, s=s: ndimage.gaussian_filter1d(x, s, 1)) for s in (0.5, 1, 1.5, 2.5, 4, 7)
    ]
    out.append(_method("gaussian", "Gaussian", scipy, smooth, each=False))
    if windows:
        polynomials = [
            (f"order {o}, {w} steps", lambda x, o=o, w=w: signal.savgol_filter(x, w, o, 1))
            for w in windows
            for o in (2, 3)
        ]
        out.append(_method("savgol", "Savitzky-Golay", scipy, polynomials, each=False))
    weights = [
        (f"weight {w:g}", lambda x, w=w: restoration.denoise_tv_chambolle(x, w, channel_axis=-1))
        for w in (0.05, 0.1, 0.2, 0.4, 0.8, 1.5)
    ]
    out.append(_method("tv", "Total variation", skimage, weights, each=True))
    out.append(_method("wavelet", "Wavelet", f"{skimage}, PyWavelets {version('PyWavelets')}", _wavelets(), each=True))
    return out

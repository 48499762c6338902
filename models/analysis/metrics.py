"""How good a run is, number by number. Every number says which split it was measured on and in what unit."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models import kinds
from models.codes import Plane
from models.columns import Column

Floats = NDArray[np.float32]

PER_VALUE, PER_SAMPLE = "per value", "per sample"  # stand for the units that these errors have by kind of sample
TITLES = {
    "mse": ("mean squared error", PER_VALUE),
    "squared_error": ("squared error", PER_SAMPLE),
    "mean_mse": ("mean squared error of the mean training sample", PER_VALUE),
    "psnr": ("peak signal-to-noise ratio", "dB"),
    "ssim": ("structural similarity", "-1 to 1"),
    "pca_mse": ("mean squared error of PCA at the same code size", PER_VALUE),
    "pca_squared_error": ("squared error of PCA at the same code size", PER_SAMPLE),
    "knn_accuracy": ("5-nearest-neighbour accuracy on the codes", "share right"),
    "pca_knn_accuracy": ("5-nearest-neighbour accuracy on PCA's codes of the same size", "share right"),
    "tsne_knn_accuracy": (
        "5-nearest-neighbour accuracy on a t-SNE of the samples, each left out in turn",
        "share right",
    ),
    "trustworthiness": ("trustworthiness of the codes", "0 to 1"),
    "continuity": ("continuity of the codes", "0 to 1"),
    "mutual_information_gap": ("mutual information gap", "0 to 1"),
    "kl": ("KL divergence from the standard normal", "nats per sample"),
    "negative_elbo": ("negative evidence lower bound", "nats per sample"),
}


NEIGHBOURS = 10  # that trustworthiness and continuity look at
LEAST = (
    2 * NEIGHBOURS + 1
)  # samples below which a share or a rank says nothing; neighbours have to be under half of them


@dataclass(frozen=True)
class Metric:
    """One number, and how many samples of which split it was measured on."""

    name: str
    split: str
    value: float
    count: int

    def plain(self, kind: str = "image") -> dict[str, Any]:
        """As run.json keeps it, with the unit that it has for samples of this kind."""
        title, unit = TITLES[self.name]
        of = kinds.get(kind)
        unit = {PER_VALUE: of.error_unit, PER_SAMPLE: of.sample_error_unit}.get(unit, unit)
        return {**asdict(self), "title": title, "unit": unit}


def unit(kind: str) -> str:
    """The unit of a mean squared error of samples of this kind."""
    return kinds.get(kind).error_unit


def meaning(kind: str) -> str:
    """A sentence on what a mean squared error of samples of this kind says."""
    return kinds.get(kind).error_meaning


AS_GOOD = "as good as PCA"


def beside_pca(mse: float, pca_mse: float) -> str:
    """How a run's error stands to PCA's, in words that a small PCA error does not blow up."""
    if mse < 2 * pca_mse:
        share = f"{mse / pca_mse - 1:+.0%}"
        return AS_GOOD if share in ("+0%", "-0%") else f"{share} against PCA"
    if mse >= 100 * pca_mse:
        return "PCA is all but exact"
    return "twice PCA's error" if mse < 2.5 * pca_mse else f"{mse / pca_mse:,.0f} times PCA's error"


def squared_errors(samples: Floats, reconstructions: Floats) -> Floats:
    """Mean squared error per value for each sample: (N, …) twice becomes (N,)."""
    return np.asarray(np.square(samples - reconstructions).reshape(len(samples), -1).mean(1), np.float32)


def by_column(columns: Sequence[Column], samples: Floats, reconstructions: Floats) -> Floats:
    """Mean squared error per value of each column (K,): rows (N, F) or signals (N, T, C) twice, standardised."""
    features = np.square(samples - reconstructions).reshape(-1, samples.shape[-1]).mean(0)
    return np.array([features[c.start : c.start + c.width].mean() for c in columns], np.float32)


def psnr(mse: float, peak: float = 1.0) -> float:
    """Peak signal-to-noise ratio in dB: 10 log10(peak² / mse)."""
    return float(10 * np.log10(peak**2 / max(mse, 1e-12)))


def ssim(samples: Floats, reconstructions: Floats) -> float:
    """Structural similarity (Wang et al. 2004), mean over images (N, H, W, C) in [0, 1], by scikit-image.

    Its window is 7x7; smaller images get the largest odd window that fits.
    """
    from skimage.metrics import structural_similarity

    window = min(7, *(n - (n + 1) % 2 for n in samples.shape[1:3]))
    if window < 3:
        raise ValueError("images under 3x3 have no structure to compare")
    each = [
        structural_similarity(a, b, data_range=1.0, win_size=window, channel_axis=-1)
        for a, b in zip(samples, reconstructions, strict=True)
    ]
    return float(np.mean(each))


def fit_pca(train: NDArray[np.generic], code_size: int) -> Plane:
    """PCA of stored training samples (N, …) with min(D, N, F) components, by scikit-learn.

    Large samples are fitted on as many rows as fit in about 240 MB.
    """
    from sklearn.decomposition import PCA

    from models.codes import to_float

    flat = train.reshape(len(train), -1)
    most = max(1000, 60_000_000 // flat.shape[1])
    if len(flat) > most:
        flat = flat[np.linspace(0, len(flat) - 1, most).astype(int)]
    flat = to_float(flat)
    size = min(code_size, *flat.shape)
    solver = "covariance_eigh" if flat.shape[1] <= 2048 and flat.shape[0] >= flat.shape[1] else "randomized"
    fit = PCA(size, svd_solver=solver, random_state=0).fit(flat)
    # In C order: safetensors would write another order as if it were this one.
    return Plane(fit.mean_.astype(np.float32), np.ascontiguousarray(fit.components_, np.float32))


def through_pca(baseline: Plane, samples: Floats) -> Floats:
    """Samples (N, …) squeezed through PCA and back, not clipped."""
    flat = samples.reshape(len(samples), -1)
    return (baseline.project(flat) @ baseline.components + baseline.mean).reshape(samples.shape)


def knn_accuracy(
    train_codes: Floats, train_labels: NDArray[np.int32], codes: Floats, labels: NDArray[np.int32]
) -> float:
    """Share of `codes` whose five nearest training codes vote for their label."""
    from sklearn.neighbors import KNeighborsClassifier

    return float(KNeighborsClassifier(5).fit(train_codes, train_labels).score(codes, labels))


def neighbourhoods(samples: Floats, codes: Floats, most: int = 1000) -> tuple[float, float]:
    """Trustworthiness and continuity (Venna and Kaski 2006) of the first `most` codes, ten neighbours.

    Trustworthiness falls when codes are neighbours whose samples are not; continuity the other way round. There have
    to be `LEAST` samples. Both are scikit-learn's `trustworthiness`, but for ties: see `nearest_first`.
    """
    count = min(most, len(samples))
    trusted, kept = neighbourhoods_of_each(samples[:count], codes[:count])
    return float(trusted.mean()), float(kept.mean())


def nearest_first(points: Floats) -> NDArray[np.intp]:
    """For each of the points (N, F) all others by their distance, (N, N - 1); of equally distant ones the first comes first.

    Measured in whole steps, some 2^14 to a standard deviation, so that sums of products are exact: otherwise the order of
    points that are as good as identical, and with it these figures, would hang on how a processor rounds.
    """
    from sklearn.metrics import pairwise_distances

    flat = points.reshape(len(points), -1).astype(np.float64)
    steps = np.rint(np.ldexp(flat, 14 - np.frexp(flat.std())[1]))
    apart = pairwise_distances(steps)
    np.fill_diagonal(apart, -1.0)
    return np.asarray(apart.argsort(1, kind="stable")[:, 1:])


def neighbourhoods_of_each(samples: Floats, codes: Floats) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """What each sample (N, F) with its code (N, D) adds to trustworthiness and continuity, (N,) twice: their means are those of
    `neighbourhoods`. scikit-learn gives the means alone, of which nobody can tell whether two differ by more than chance."""
    n, k = len(samples), NEIGHBOURS
    orders = nearest_first(samples), nearest_first(codes)
    out = []
    for there, here in (orders, orders[::-1]):
        ranks = np.empty((n, n), np.int64)
        np.put_along_axis(ranks, there, np.arange(1, n)[None], 1)
        beyond = np.maximum(np.take_along_axis(ranks, here[:, :k], 1) - k, 0).sum(1)
        out.append(1 - 2 / (k * (2 * n - 3 * k - 1)) * beyond)
    return out[0], out[1]


def same_class(codes: Floats, labels: NDArray[np.int32]) -> NDArray[np.bool_]:
    """Whether the five nearest others of each code (N, D) vote for its label (N,), of those from 0 on."""
    from sklearn.neighbors import NearestNeighbors

    five = NearestNeighbors(n_neighbors=6).fit(codes).kneighbors(codes, return_distance=False)[:, 1:]
    votes = np.stack([(labels[five] == label).sum(1) for label in range(int(labels.max()) + 1)])
    return np.asarray(votes.argmax(0) == labels)


def tsne_knn_accuracy(samples: Floats, labels: NDArray[np.int32]) -> float:
    """Share of samples (N, …) whose five nearest others on a 2-D t-SNE of them (van der Maaten and Hinton 2008) vote
    for their label. A minute for 10,000 of MNIST."""
    from sklearn.manifold import TSNE

    flat = TSNE(init="pca", random_state=0, n_jobs=1).fit_transform(samples.reshape(len(samples), -1))
    return float(same_class(flat, labels).mean())


def factor_scores(codes: Floats, factors: Floats) -> NDArray[np.float64]:
    """Absolute rank correlation (Spearman 1904) of each dimension with each factor: (N, D) and (N, K) give (D, K).

    0 where a dimension or a factor does not vary.
    """
    ranks = [np.column_stack([_ranks(column) for column in values.T]) for values in (codes, factors)]
    apart = [values - values.mean(0) for values in ranks]
    lengths = [np.maximum(np.linalg.norm(values, axis=0), 1e-12) for values in apart]
    return np.asarray(np.abs((apart[0] / lengths[0]).T @ (apart[1] / lengths[1])))


def _ranks(values: NDArray[np.floating[Any]]) -> NDArray[np.float64]:
    """The rank of each value (N,), from 1; equal ones have the mean of theirs."""
    _, places, counts = np.unique(values, return_inverse=True, return_counts=True)
    return np.asarray((np.cumsum(counts) - (counts - 1) / 2)[places])


def own_dimensions(told: NDArray[np.float64]) -> list[tuple[int, int]]:
    """Pairs (dimension, factor) of `factor_scores`, no dimension twice, whose sum is the greatest (Kuhn 1955)."""
    from scipy.optimize import linear_sum_assignment

    pairs = zip(*linear_sum_assignment(-told), strict=True)
    return sorted(((int(d), int(k)) for d, k in pairs), key=lambda pair: pair[1])


def mutual_information_gap(codes: Floats, factors: Floats, bins: int = 20) -> float:
    """How much more the best dimension tells of a factor than the second best, as a share of the factor's entropy;
    mean over factors (Chen et al. 2018, section 4.1). Values are sorted into `bins` of equal width, as Locatello et al.
    2019 do. (N, D) and (N, K); 0 for a single dimension that tells nothing, 1 when each factor has a dimension of its own.
    """
    placed = [
        np.minimum(((values - values.min(0)) / np.maximum(np.ptp(values, axis=0), 1e-12) * bins).astype(int), bins - 1)
        for values in (codes, factors)
    ]
    gaps = []
    for k in range(factors.shape[1]):
        of = placed[1][:, k]
        entropy = _entropy(np.bincount(of, minlength=bins))
        if entropy == 0:
            continue
        told = [0.0]
        for d in range(codes.shape[1]):
            joint = np.bincount(placed[0][:, d] * bins + of, minlength=bins * bins)
            told.append(_entropy(np.bincount(placed[0][:, d], minlength=bins)) + entropy - _entropy(joint))
        first, second = sorted(told)[-1:-3:-1]
        gaps.append((first - second) / entropy)
    return float(np.mean(gaps)) if gaps else 0.0


def _entropy(counts: NDArray[np.int64]) -> float:
    share = counts[counts > 0] / counts.sum()
    return float(-(share * np.log(share)).sum())

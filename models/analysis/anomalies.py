"""Find what does not belong: networks trained on normal rows alone, three scores of each row, and the plain methods beside them.

Everything takes and gives numpy arrays. Training imports torch and belongs into a worker process; scores, blame and
thresholds do not. Rows are (N, F): of images and signals all numbers of a sample (`flat`).

The three scores of a row, each of a small network that was trained on normal rows:

- error: the squared reconstruction error of an autoencoder with a code smaller than the row (Hawkins et al., Outlier Detection Using
  Replicator Neural Networks, 2002);
- code: the distance of its code to the nearest training codes;
- correction: how far a denoiser that is given the row, and told that it is noisy, moves it (two denoisers, mean over five noises).
  It points up the density of the training rows (Alain and Bengio, What Regularized Auto-Encoders Learn from the
  Data-Generating Distribution, 2014), and is long where there is little.

Logarithms of scores are brought to one scale by held-out normal rows: 0 is their median, 1 their spread.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from statistics import NormalDist
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models import Problem
from models.analysis.detectors import PLAIN, UNSCALED
from models.columns import Column, unscaled
from models.labs import Report, Sketch, quiet

Floats = NDArray[np.float64]
Rows = NDArray[np.float32]
Flags = NDArray[np.bool_]
Indices = NDArray[np.int64]

LEVELS = (0.1, 0.25, 0.5, 1.0, 2.0)  # noises that the denoisers are told, in deviations of the training rows
TOGETHER = 3.0  # times as much for images and signals: little noise hides nothing of what their numbers share
# The recipe, one for all tables. benchmarks/README.md says on what it was chosen.
FEWEST, MOST_STEPS, STEPS_AT = 300, 1500, 40.0  # training steps: 40 for each square root of a training row
CODE = 2 / 3  # the code's share of a row's numbers
WIDEST = 64  # but at most so many
NEIGHBOURS = 5  # nearest training codes
FAR = 3.0  # deviations from which on a value counts by its logarithm
HEAVY = 2.0  # excess kurtosis of a column above which its tails are heavy
KNOTS = 300  # values of a column whose quantiles are kept
DENOISERS = ("direct", "scaled")
WEIGHTS = {"correction": 4 / 6, "error": 1 / 6, "code": 1 / 6}  # of the combined score
OURS = ("error", "code", "correction", "combined")
METHODS = (*OURS, *PLAIN)
FEWEST_NORMAL = 20  # samples that a split is made of
QUANTILE = 0.95  # of held-out normals, above which a score is an alarm
# While the autoencoder learns: the logarithms (base 10) of mean squared errors that a histogram shows, of how many rows.
SEEN, BINS, LOOKED_AT = (-4.0, 2.0), 60, 200


def flat(samples: NDArray[np.generic], columns: Sequence[Column] = ()) -> Rows:
    """Samples (N, …) of a dataset as rows (N, F) in their own units, bytes as numbers from 0 to 1.

    columns are the dataset's. Its scaling is undone, since it knows all rows, the anomalies too, and an asinh scale draws in
    what lies far away.
    """
    if samples.dtype == np.uint8:
        return samples.reshape(len(samples), -1).astype(np.float32) / np.float32(255)
    real = unscaled(columns, samples.astype(np.float32)) if columns else samples
    return real.reshape(len(real), -1).astype(np.float32)


# Rows that train, rows that calibrate, rows that judge.


@dataclass(frozen=True)
class Split:
    """Which rows a detector is trained on, which held-out rows its scale and its threshold come from, and which it is
    judged by."""

    train: Indices
    validation: Indices
    test: Indices


def split(anomalous: Flags, seed: int, contaminated: bool = False) -> Split:
    """Half of the normal rows train, a tenth is held out, the rest and all anomalies (N,) are for testing.

    contaminated: the anomalies are divided as the normal rows are, and nobody tells them apart. The test rows are then
    among those of the same seed without, so that both can be compared on them (`on_rows`).
    """
    random = np.random.default_rng(seed)
    normal, other = (random.permutation(np.flatnonzero(which)) for which in (~anomalous, anomalous))
    if len(normal) < FEWEST_NORMAL or not len(other):
        raise Problem(
            f"{len(normal)} normal samples and {len(other)} others are there",
            f"at least {FEWEST_NORMAL} normal ones, of which half are learnt from, and one other are needed",
            "choose something else as normal, or bring more samples",
        )
    parts = [_divided(normal), _divided(other) if contaminated else (other[:0], other[:0], other)]
    return Split(*(np.concatenate(both) for both in zip(*parts, strict=True)))


def _divided(rows: Indices) -> tuple[Indices, Indices, Indices]:
    half, more = len(rows) // 2, len(rows) // 2 + len(rows) // 10
    return rows[:half], rows[half:more], rows[more:]


# Training and scores.


@dataclass(frozen=True)
class Scale:
    """Brings rows to mean 0 and deviation 1 of the training rows; what is `FAR` away counts by its logarithm.

    The numbers of an image, and of a channel of a signal, have one unit and share one deviation: else the noise at a pixel that is nearly
    always black would count as much as a stroke.

    A column of a table with heavy tails gets a scale on which its training values are normally distributed: a value goes to
    the quantile of the normal distribution that it is among them. A denoiser's correction is the slope of the logarithm of
    the density: it grows with rarity in the tails of a normal distribution, and does not in heavy ones.

    knots: by column, values and what they become, both rising.
    """

    mean: Rows
    deviation: Rows
    knots: Mapping[int, tuple[Floats, Floats]] = field(default_factory=dict)

    @classmethod
    def of(cls, rows: Rows, shared: int) -> Scale:
        """The scale of training rows (N, F). shared: how many deviations there are, each for the numbers of one channel, which come
        in turn; 0 where each number has its own."""
        values = rows.astype(np.float64)
        mean, deviation = values.mean(0), values.std(0)
        if shared:
            channels = deviation.reshape(-1, shared)
            channels[:] = np.sqrt(np.square(channels).mean(0))
        deviation[deviation < 1e-6 * (1 + np.abs(values).max(0))] = 1
        kurtosis = (((values - mean) / deviation) ** 4).mean(0) - 3
        heavy = [] if shared else np.flatnonzero(kurtosis > HEAVY).tolist()
        knots = {j: _knots(values[:, j]) for j in heavy}
        return cls(mean.astype(np.float32), deviation.astype(np.float32), knots)

    def __call__(self, rows: Rows) -> Rows:
        out = _drawn_in((rows - self.mean) / self.deviation, FAR)
        for j, (values, normal) in self.knots.items():
            column = rows[:, j].astype(np.float64)
            beyond = (column - np.clip(column, values[0], values[-1])) / self.deviation[j]
            out[:, j] = np.interp(column, values, normal) + _drawn_in(beyond, FAR)
        return out

    def back(self, scaled: Rows) -> Rows:
        """The inverse."""
        out = _let_out(scaled, FAR) * self.deviation + self.mean
        for j, (values, normal) in self.knots.items():
            column = scaled[:, j].astype(np.float64)
            beyond = column - np.clip(column, normal[0], normal[-1])
            out[:, j] = np.interp(column, normal, values) + _let_out(beyond, FAR) * self.deviation[j]
        return out


def _drawn_in(values: NDArray[Any], far: float) -> NDArray[Any]:
    """Values with what is further from 0 than `far` counting by its logarithm."""
    away = np.abs(values)
    return np.where(away > far, np.sign(values) * (far + np.log1p(np.maximum(away - far, 0))), values)


def _let_out(values: NDArray[Any], far: float) -> NDArray[Any]:
    """The inverse of `_drawn_in`."""
    away = np.abs(values)
    return np.where(away > far, np.sign(values) * (far + np.expm1(np.clip(away - far, 0, 60))), values)


def _knots(column: Floats) -> tuple[Floats, Floats]:
    """Values of a training column (N,) and what they become, at most `KNOTS`: normal quantiles of mean 0 and deviation 1."""
    values, counts = np.unique(column, return_counts=True)
    quantiles = (np.cumsum(counts) - counts / 2) / len(column)  # the middle of the rows with that value
    normal = np.array([NormalDist().inv_cdf(quantile) for quantile in quantiles.tolist()])
    middle = np.average(normal, weights=counts)
    normal = (normal - middle) / np.sqrt(np.average((normal - middle) ** 2, weights=counts))
    some = np.unique(np.linspace(0, len(values) - 1, KNOTS).round().astype(int))
    return values[some], normal[some]


@dataclass(frozen=True)
class Detector:
    """Two trained networks and what is known of held-out normal rows.

    weights by the names of `models.training.denoiser`; train are the rows that it was trained on and codes their codes
    (M, D); typical has the median and spread of each score's logarithm, by its name; deviation (F,) says how large the
    denoisers' corrections are in each column of normal rows, levels which noises they are told.
    """

    scale: Scale
    weights: Mapping[str, Rows]
    train: Indices
    codes: Rows
    typical: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    deviation: Rows = field(default_factory=lambda: np.ones(1, np.float32))
    levels: tuple[float, ...] = LEVELS

    def code(self, scaled: Rows) -> Rows:
        """The codes (N, D) of scaled rows (N, F)."""
        return _through(self.weights, "encoder", scaled)

    def reconstructed(self, scaled: Rows) -> Rows:
        """What the autoencoder makes of scaled rows (N, F)."""
        return _through(self.weights, "decoder", self.code(scaled))

    def corrections(self, scaled: Rows, noise: float) -> tuple[Rows, Rows]:
        """How each of the two denoisers moves scaled rows (N, F) that it is told to have noise of this deviation."""
        told = np.full((len(scaled), 1), np.log(noise), np.float32)
        direct = _through(self.weights, "direct.part", np.concatenate([scaled, told], 1))
        scale = np.float32(np.sqrt(1 + noise * noise))
        found = _through(self.weights, "scaled.part", np.concatenate([scaled / scale, told], 1))
        return direct - scaled, scaled / scale**2 + found * np.float32(noise / scale) - scaled


def _through(weights: Mapping[str, Rows], name: str, x: Rows) -> Rows:
    """Rows through `models.training.denoiser.WithLine`."""
    out = x
    for place in (0, 2, 4):
        out = out @ weights[f"{name}.hidden.{place}.weight"].T + weights[f"{name}.hidden.{place}.bias"]
        if place < 4:
            out = out / (1 + np.exp(-np.clip(out, -60, None)))
    return np.asarray(out + x @ weights[f"{name}.line.weight"].T + weights[f"{name}.line.bias"])


def fit(
    rows: Rows,
    parts: Split,
    seed: int = 0,
    *,
    shared: int = 0,
    report: Report = quiet,
    watched: Mapping[str, Indices] | None = None,
) -> Detector:
    """Train on the training rows of a split and take the scale of scores from the held-out ones. Imports torch.

    shared: how many units the numbers of images (1) or signals (their channels) have, see `Scale`. watched: places of rows by what they are,
    whose errors are sketched meanwhile (`forming`); nothing is learnt from them.
    """
    from models.training import denoiser

    scale = Scale.of(rows[parts.train], shared)
    scaled = scale(rows[parts.train])
    features = rows.shape[1]
    code_size = min(max(2, round(features * CODE)), WIDEST, features)
    steps = int(np.clip(STEPS_AT * np.sqrt(len(scaled)), FEWEST, MOST_STEPS))
    stronger = TOGETHER if shared else 1.0
    looked_at = {name: scale(rows[places[:LOOKED_AT]]) for name, places in (watched or {}).items()}

    def tell(share: float, weights: Callable[[], denoiser.Weights]) -> None:
        report("training", share, (lambda: forming(weights(), looked_at)) if looked_at else None)

    weights = denoiser.train(scaled, code_size, steps, seed, tell, stronger)
    levels = tuple(stronger * noise for noise in LEVELS)
    bare = Detector(scale, weights, parts.train, _through(weights, "encoder", scaled), levels=levels)
    held = rows[parts.validation]
    logs = _logarithms(bare, held)
    deviation = np.sqrt(np.square(_correction(bare, scale(held))).mean(0)) + np.float32(1e-3)
    typical = {name: _typical(values) for name, values in logs.items()}
    return Detector(scale, weights, parts.train, bare.codes, typical, deviation, levels)


def forming(weights: Mapping[str, Rows], looked_at: Mapping[str, Rows]) -> dict[str, list[int]]:
    """How an autoencoder that still learns gives scaled rows (N, F) back: by what they are, how many have their mean squared error
    in each of the `BINS` bins of its logarithm within `SEEN`; what lies beyond counts in the last bin. 1 is the error of
    the mean of all training rows."""
    out = {}
    for name, scaled in looked_at.items():
        errors = np.square(_through(weights, "decoder", _through(weights, "encoder", scaled)) - scaled).mean(1)
        logs = np.clip(np.log10(np.maximum(errors, 1e-12)), *SEEN)
        out[name] = np.histogram(logs, BINS, SEEN)[0].tolist()
    return out


def _typical(values: Floats) -> tuple[float, float]:
    low, median, high = np.percentile(values, [16, 50, 84])
    return float(median), float(max((high - low) / 2, 1e-6))


def _correction(detector: Detector, scaled: Rows) -> Rows:
    """How the denoisers move scaled rows, on the mean of both and of all noises (N, F)."""
    return np.asarray(np.mean([moved for noise in detector.levels for moved in detector.corrections(scaled, noise)], 0))


def _logarithms(detector: Detector, rows: Rows) -> dict[str, Floats]:
    """The logarithm of each score before its scale: error, code, and a correction for each noise."""
    scaled = detector.scale(rows)
    found = {
        "error": np.square(detector.reconstructed(scaled) - scaled).sum(1),
        "code": distances(detector.codes, detector.code(scaled))[0].mean(1) ** 2,
    }
    for noise in detector.levels:
        for which, moved in zip(DENOISERS, detector.corrections(scaled, noise), strict=True):
            found[f"correction {which} {noise}"] = np.square(moved).sum(1)
    return {name: np.log(np.maximum(values.astype(np.float64), 1e-12)) for name, values in found.items()}


def scores(detector: Detector, rows: Rows) -> dict[str, Floats]:
    """The scores (N,) of rows (N, F) by the names in `OURS`: the higher, the less a row belongs."""
    single = {
        name: (values - detector.typical[name][0]) / detector.typical[name][1]
        for name, values in _logarithms(detector, rows).items()
    }
    correction = np.mean([values for name, values in single.items() if name.startswith("correction")], 0)
    out = {"error": single["error"], "code": single["code"], "correction": correction}
    return out | {"combined": sum(weight * out[name] for name, weight in WEIGHTS.items())}


def distances(known: Rows, rows: Rows, count: int = NEIGHBOURS) -> tuple[Floats, Indices]:
    """Distances to the nearest of the known rows (N, count), the nearest first, and which these are."""
    from sklearn.neighbors import NearestNeighbors

    far, which = NearestNeighbors(n_neighbors=min(count, len(known))).fit(known).kneighbors(rows)
    return far, which


# Why a row is an alarm.


@dataclass(frozen=True)
class Blame:
    """expected: what the denoiser makes of each row (N, F), in the rows' own units. deviations: how far each number lies
    above (or below) that, in deviations of the same number in held-out normal rows (N, F)."""

    expected: Rows
    deviations: Rows


def blame(detector: Detector, rows: Rows) -> Blame:
    """Which numbers of rows (N, F) the denoiser corrects, and into what."""
    scaled = detector.scale(rows)
    correction = _correction(detector, scaled)
    return Blame(detector.scale.back(scaled + correction), -correction / detector.deviation)


def nearest_normal(detector: Detector, rows: Rows) -> Indices:
    """For each row (N, F) the training row with the nearest code, as its place in the table."""
    found: Indices = detector.train[distances(detector.codes, detector.code(detector.scale(rows)), 1)[1][:, 0]]
    return found


# Measures. anomalous (N,) says what is true, scores (N,) what is said: the higher, the less it belongs.


def roc_auc(anomalous: Flags, scores: Floats) -> float:
    """The share of pairs of an anomaly and a normal row in which the anomaly has the higher score; equal ones count half.

    (Area under the receiver operating characteristic, as the Mann-Whitney statistic.)
    """
    _, place, counts = np.unique(scores, return_inverse=True, return_counts=True)
    ranks = (np.cumsum(counts) - (counts - 1) / 2)[place]
    positive = int(anomalous.sum())
    return float((ranks[anomalous].sum() - positive * (positive + 1) / 2) / (positive * (len(scores) - positive)))


def average_precision(anomalous: Flags, scores: Floats) -> float:
    """The mean, over the anomalies, of the precision at each one's score, as scikit-learn computes it."""
    order = np.argsort(-scores, kind="stable")
    return float(_precision(anomalous[order], scores[order], np.ones((1, len(order))))[0])


def _precision(anomalous: Flags, ordered: Floats, weights: NDArray[np.floating]) -> Floats:
    """Average precision (B,) of rows in falling order of scores (N,), counted as often as weights (B, N) say."""
    last = np.append(np.diff(ordered) != 0, True)
    hits = np.cumsum(weights * anomalous, 1)[:, last]
    alarms = np.cumsum(weights, 1)[:, last]
    gained = np.diff(hits, axis=1, prepend=0)
    precision = hits / np.maximum(alarms, 1)
    return np.asarray((gained * precision).sum(1) / np.maximum(hits[:, -1], 1))


def threshold(held_out: Floats, quantile: float = QUANTILE) -> float:
    """The score above which a row is an alarm, from the scores of held-out normal rows alone: so large a share of them
    lies below it. The smallest one that does."""
    return float(np.quantile(held_out, quantile, method="higher"))


def best_threshold(
    anomalous: Flags, scores: Floats, miss: float = 1.0, false_alarm: float = 1.0
) -> tuple[float, float]:
    """The threshold with the lowest total cost on these very rows, and that cost: nobody could know it beforehand."""
    levels, costs = costs_by_threshold(anomalous, scores, miss, false_alarm)
    best = int(np.argmin(costs))
    return float(levels[best]), float(costs[best])


def costs_by_threshold(anomalous: Flags, scores: Floats, miss: float, false_alarm: float) -> tuple[Floats, Floats]:
    """Each threshold that changes anything (K,), rising, and the total cost with it (K,): at the first all are alarms, at
    the last none."""
    levels = np.unique(scores)
    levels = np.append(np.nextafter(levels[:1], -np.inf), levels)
    order = np.sort(scores[anomalous]), np.sort(scores[~anomalous])
    missed, quiet = (np.searchsorted(each, levels, "right") for each in order)
    return levels, missed * miss + (len(order[1]) - quiet) * false_alarm


@dataclass(frozen=True)
class Confusion:
    """How many rows are alarms correctly (found) and wrongly (false alarms), and the others (missed, quiet)."""

    found: int
    false_alarms: int
    missed: int
    quiet: int

    @property
    def accuracy(self) -> float:
        """The share that is classified correctly."""
        return (self.found + self.quiet) / (self.found + self.false_alarms + self.missed + self.quiet)

    @property
    def precision(self) -> float:
        """The share of the alarms that are right; 1 without alarms."""
        alarms = self.found + self.false_alarms
        return self.found / alarms if alarms else 1.0

    @property
    def recall(self) -> float:
        """The share of the anomalies that are found."""
        return self.found / max(1, self.found + self.missed)


def confusion(anomalous: Flags, scores: Floats, level: float) -> Confusion:
    """What becomes of the rows when those with a score above the threshold are alarms."""
    alarms = scores > level
    return Confusion(
        int((alarms & anomalous).sum()),
        int((alarms & ~anomalous).sum()),
        int((~alarms & anomalous).sum()),
        int((~alarms & ~anomalous).sum()),
    )


# The same table for all methods.


@dataclass(frozen=True)
class Outcome:
    """One split: the test rows as places in the table, which of them are anomalies, and of every method the scores of the
    held-out rows, of the test rows, and the processor seconds (training and scoring; of ours all four together)."""

    seed: int
    test: Indices
    anomalous: Flags
    held_out: Mapping[str, Floats]
    scores: Mapping[str, Floats]
    seconds: Mapping[str, float]

    def with_method(self, name: str, held_out: Floats, scores: Floats) -> Outcome:
        """The same with one more method, by its scores of the held-out rows and of the test rows."""
        return Outcome(
            self.seed,
            self.test,
            self.anomalous,
            {**self.held_out, name: held_out},
            {**self.scores, name: scores},
            self.seconds,
        )

    def on_rows(self, rows: Indices) -> Outcome:
        """The same, judged by these of its test rows only."""
        keep = np.isin(self.test, rows)
        scores = {name: values[keep] for name, values in self.scores.items()}
        return Outcome(self.seed, self.test[keep], self.anomalous[keep], self.held_out, scores, self.seconds)

    def roc_auc(self, method: str) -> float:
        """Of this method."""
        return roc_auc(self.anomalous, self.scores[method])

    def average_precision(self, method: str) -> float:
        """Of this method."""
        return average_precision(self.anomalous, self.scores[method])

    def confusion(self, method: str, quantile: float = QUANTILE) -> Confusion:
        """Of this method with the threshold that held-out rows give."""
        return confusion(self.anomalous, self.scores[method], threshold(self.held_out[method], quantile))


def outcome(
    rows: Rows,
    anomalous: Flags,
    parts: Split,
    seed: int = 0,
    *,
    shared: int = 0,
    methods: Sequence[str] = METHODS,
    report: Report = quiet,
) -> Outcome:
    """Train and judge these methods on one split of a table (N, F) in which anomalous (N,) are known. Imports torch."""
    held_out: dict[str, Floats] = {}
    found: dict[str, Floats] = {}
    seconds: dict[str, float] = {}
    if set(methods) & set(OURS):
        begun = time.process_time()
        watched = {
            "normal": parts.validation[~anomalous[parts.validation]],
            "other": parts.test[anomalous[parts.test]],
        }
        detector = fit(rows, parts, seed, shared=shared, report=report, watched=watched)
        both = [scores(detector, rows[which]) for which in (parts.validation, parts.test)]
        spent = time.process_time() - begun
        for name in OURS:
            held_out[name], found[name], seconds[name] = both[0][name], both[1][name], spent
    given = [rows[which] for which in (parts.train, parts.validation, parts.test)]
    scale = Scale.of(given[0], shared)
    scaled = [scale(part) for part in given]
    for name in (name for name in methods if name in PLAIN):
        report(name, 1.0)
        begun = time.process_time()
        train, *others = given if name in UNSCALED else scaled
        held_out[name], found[name] = PLAIN[name](train, others, seed)
        seconds[name] = time.process_time() - begun
    return Outcome(seed, parts.test, anomalous[parts.test], held_out, found, seconds)


def compare(
    rows: Rows,
    anomalous: Flags,
    seeds: Sequence[int] = range(5),
    *,
    shared: int = 0,
    contaminated: bool = False,
    methods: Sequence[str] = METHODS,
    report: Report = quiet,
) -> list[Outcome]:
    """An outcome for each of several splits (`split`) of a table (N, F). Imports torch.

    report is told what is being done and the share of all that is done; it may raise to end the work.
    """
    out = []
    for place, seed in enumerate(seeds):

        def tell(what: str, share: float, sketch: Sketch | None = None, /, place: int = place) -> None:
            report(f"split {place + 1} of {len(seeds)}: {what}", (place + share) / len(seeds), sketch)

        parts = split(anomalous, seed, contaminated)
        out.append(outcome(rows, anomalous, parts, seed, shared=shared, methods=methods, report=tell))
    report("done", 1.0)
    return out


def best_plain(outcomes: Sequence[Outcome], measure: str = "average_precision") -> str:
    """The plain method with the highest mean over the splits, by average precision or "roc_auc": chosen on the test rows, in
    its favour."""
    known = [name for name in outcomes[0].scores if name in PLAIN]
    return max(known, key=lambda name: float(np.mean([getattr(one, measure)(name) for one in outcomes])))


@dataclass(frozen=True)
class Difference:
    """How much higher one method's average precision is than another's, over all splits, with the ends of the interval in
    which 95 % of the bootstrapped differences lie."""

    mean: float
    low: float
    high: float

    @property
    def tied(self) -> bool:
        """Whether the interval contains 0: the difference may be chance."""
        return self.low <= 0 <= self.high


def difference(outcomes: Sequence[Outcome], one: str, other: str, draws: int = 500, seed: int = 0) -> Difference:
    """The paired bootstrap of the difference in average precision, over the same splits.

    Rows of the table are drawn anew, with replacement, as many normal ones and as many anomalies as there are; each
    draw counts in every split in which the row is tested, since splits share their anomalies and most of their rows.
    Both methods are judged on the same draw.
    """
    count = 1 + max(int(each.test.max()) for each in outcomes)
    kind = np.full(count, -1)
    for each in outcomes:
        kind[each.test] = each.anomalous
    random = np.random.default_rng(seed)
    drawn = np.zeros((draws, count), np.float32)
    for which in (0, 1):
        rows = np.flatnonzero(kind == which)
        chance = np.full(len(rows), 1 / len(rows))
        drawn[:, rows] = random.multinomial(len(rows), chance, size=draws)
    found = np.zeros(draws)
    real = 0.0
    for each in outcomes:
        for sign, name in ((1, one), (-1, other)):
            order = np.argsort(-each.scores[name], kind="stable")
            truth, ordered = each.anomalous[order], each.scores[name][order]
            real += sign * each.average_precision(name) / len(outcomes)
            for start in range(0, draws, 50):  # a large table times all draws would not fit into memory
                some = drawn[start : start + 50, each.test[order]]
                found[start : start + 50] += sign * _precision(truth, ordered, some) / len(outcomes)
    low, high = np.percentile(found, [2.5, 97.5])
    return Difference(real, float(low), float(high))

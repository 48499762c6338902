"""What else would somebody like? Ratings with gaps, the plain methods that fill them, the networks that do, and how well.

Ratings are (N, I) float64, a row for each person and a column for each thing, NaN where there is none. Everything takes and gives
numpy arrays; networks are trained by `models.training.recommender`, which imports torch.

Two tasks, as papers measure them. **Stars**: some ratings of people who are known are held out, and foretold; the root mean squared error (RMSE) and
the mean absolute error as a share of the scale (NMAE; Goldberg et al., Eigentaste, Information Retrieval 4(2), 2001). **Likes**: people who were not learnt
from give four fifths of their ratings, and the things that they have not rated there are ranked; the normalised discounted cumulative gain (NDCG;
Järvelin and Kekäläinen, ACM TOIS 20(4), 2002) and the recall of what they liked of the last fifth, as in Liang et al., WWW 2018, who divide a recall at k
by the smaller of k and what could be found. Liked is what has three quarters of the scale or more: four stars of five.

The plain methods: what is popular; the mean of a thing; means of things and people (bias); item k-NN (Sarwar et al., Item-Based Collaborative
Filtering, WWW 2001), with similarities shrunk where few people rated both; truncated SVD (Cremonesi et al., Performance of Recommender Algorithms on
Top-N Tasks, RecSys 2010); EASE (Steck, Embarrassingly Shallow Autoencoders for Sparse Data, WWW 2019), for stars on residuals; and an EASE that sees
dislikes, too. Each is tuned on validation ratings, as the networks are; test ratings are looked at once.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.labs import Report, quiet

Ratings = NDArray[np.float64]
Floats = NDArray[np.float64]
Rows = NDArray[np.float32]
Flags = NDArray[np.bool_]
Weights = Mapping[str, Rows]
Predict = Callable[[Ratings], Floats]
"""Of what people have rated (N, I): a rating, or a score by which things are ranked, for every cell (N, I)."""

LIKED = 0.75  # of the scale: what has as much or more is liked
FOLDED = 0.8  # share of the ratings of a person who was not learnt from that is given
PARTS = 10  # of the ratings: one is held out for testing, one for validation
DAMPING_THINGS, DAMPING_PEOPLE = 5.0, 3.0  # ratings at the mean that everything, and everybody, is given beforehand
NDCG_AT, RECALL_AT = (10, 100), (5, 20)
DRAWS = 2000  # of the bootstrap
# The networks, one recipe for all data.
WIDTH, STEPS = 200, 800
DROPOUTS = (0.3, 0.4, 0.5)  # of the networks whose mean the denoising autoencoder is
MANY = 300  # things from which on that is a single network: each takes minutes
HIDDEN = {"stars": (0.1, 0.5), "likes": (0.1, 0.5)}
TWO_SIDED = 700  # things up to which an EASE that sees dislikes is computed: its matrix has twice as many rows
OURS = ("autorec", "mult-vae", "denoiser")
TITLES = {
    "popularity": "popularity",
    "item mean": "mean of the thing",
    "bias": "means of thing and person",
    "k-nn": "item k-NN",
    "svd": "truncated SVD",
    "ease": "EASE",
    "ease-2": "EASE with dislikes",
    "autorec": "AutoRec",
    "mult-vae": "Mult-VAE",
    "denoiser": "denoising autoencoder",
}


# What ratings have in common.


@dataclass(frozen=True)
class Centre:
    """What ratings are without knowing whose taste they are: `things` (I,) is what each usually gets, `deviation` that of the residuals.
    A person's own mean is that of their residuals and of `DAMPING_PEOPLE` zeros. low, high: the ends of the scale."""

    things: Floats
    deviation: float
    low: float
    high: float

    @classmethod
    def of(cls, ratings: Ratings) -> Centre:
        """Of the ratings that are learnt from (N, I)."""
        known = ~np.isnan(ratings)
        mean = float(ratings[known].mean())
        above = np.where(known, ratings - mean, 0).sum(0) / (known.sum(0) + DAMPING_THINGS)
        left = (ratings - mean - above)[known]
        return cls(mean + above, float(left.std()) or 1.0, float(np.nanmin(ratings)), float(np.nanmax(ratings)))

    def residuals(self, ratings: Ratings) -> tuple[Floats, Floats]:
        """Ratings less what their thing usually gets, in deviations, 0 for gaps (N, I); and each person's mean of these (N, 1)."""
        known = ~np.isnan(ratings)
        left = np.where(known, ratings - self.things, 0) / self.deviation
        return left, left.sum(1, keepdims=True) / (known.sum(1, keepdims=True) + DAMPING_PEOPLE)

    def back(self, residuals: Floats) -> Floats:
        """Residuals (N, I) as ratings on the scale."""
        return np.clip(self.things + self.deviation * residuals, self.low, self.high)

    @property
    def liked_from(self) -> float:
        """The least rating of what is liked."""
        return self.low + LIKED * (self.high - self.low)

    def likes(self, ratings: Ratings) -> Floats:
        """1 for what is liked, 0 for all else (N, I)."""
        return (np.nan_to_num(ratings, nan=-np.inf) >= self.liked_from).astype(np.float64)


@dataclass(frozen=True)
class Split:
    """Ratings that are learnt from; and for validation and for testing what is given of people and what is held out, each (M, I)."""

    train: Ratings
    given: Ratings
    held: Ratings
    test_given: Ratings
    test_held: Ratings
    people: NDArray[np.int64]  # whose the test rows are


def split_stars(ratings: Ratings, fold: int, seed: int = 0) -> Split:
    """A tenth of all ratings tests and one validates; of five folds each tests other ratings."""
    part = np.random.default_rng(seed).integers(0, PARTS, ratings.shape)
    testing, validating = part == 2 * fold % PARTS, part == (2 * fold + 1) % PARTS
    train = np.where(testing | validating, np.nan, ratings)
    return Split(
        train,
        train,
        np.where(validating, ratings, np.nan),
        train,
        np.where(testing, ratings, np.nan),
        np.arange(len(ratings)),
    )


def split_people(ratings: Ratings, fold: int, folds: int, seed: int = 0) -> Split:
    """One of `folds` equal parts of the people tests, half as many validate, of both with a fifth of their ratings held out."""
    random = np.random.default_rng(seed)
    order, luck = random.permutation(len(ratings)), random.random(ratings.shape)
    luck[np.isnan(ratings)] = 2
    rank, count = luck.argsort(1).argsort(1), (~np.isnan(ratings)).sum(1, keepdims=True)
    held = rank < np.round((1 - FOLDED) * count)
    size = len(ratings) // folds
    order = np.roll(order, -fold * size)
    test, validation, train = order[:size], order[size : size + size // 2], order[size + size // 2 :]
    given, out = np.where(held, np.nan, ratings), np.where(held, ratings, np.nan)
    return Split(ratings[train], given[validation], out[validation], given[test], out[test], test)


# How well.


def errors(predicted: Floats, held: Ratings, centre: Centre) -> tuple[Floats, Floats, Floats]:
    """Of each person the sum of squared errors, of absolute errors, and how many ratings were held out (M,)."""
    known = ~np.isnan(held)
    gap = np.where(known, np.clip(predicted, centre.low, centre.high) - held, 0)
    return np.square(gap).sum(1), np.abs(gap).sum(1), known.sum(1).astype(np.float64)


def ranked(scores: Floats, given: Ratings, relevant: Floats, places: int) -> Floats:
    """Which of the first so many things without a rating, by their scores, are relevant (M, places), 1 or 0."""
    open_ = np.where(np.isnan(given), scores, -np.inf)
    places = min(places, open_.shape[1])
    top = np.argsort(-open_, 1, kind="stable")[:, :places]
    return np.take_along_axis(relevant, top, 1)


def ndcg(hits: Floats, relevant: Floats, k: int) -> Floats:
    """NDCG@k of each person (M,): gains are 1, discounted by log2 of the place and 1; NaN where nothing is relevant."""
    discount = 1 / np.log2(np.arange(2, k + 2))
    best = np.concatenate([[0.0], discount.cumsum()])
    count = relevant.sum(1).astype(int)
    found = (hits[:, :k] * discount[: hits.shape[1]]).sum(1)
    return np.where(count > 0, found / np.maximum(best[np.minimum(count, k)], 1e-12), np.nan)


def recall(hits: Floats, relevant: Floats, k: int) -> Floats:
    """Recall@k of each person (M,), of the most that could be found; NaN where nothing is relevant."""
    count = relevant.sum(1)
    return np.where(count > 0, hits[:, :k].sum(1) / np.maximum(np.minimum(count, k), 1), np.nan)


# Plain methods. Each is given the ratings to learn from and settings, and gives a `Predict`.


def _bias(centre: Centre) -> Predict:
    return lambda given: centre.back(np.repeat(centre.residuals(given)[1], given.shape[1], 1))


def _linear(centre: Centre, matrix: Floats, normal: Floats | None = None) -> Predict:
    """Residuals of a person times a matrix (I, I); with normal (I, I) over the sum of what could have counted."""

    def predict(given: Ratings) -> Floats:
        left, usual = centre.residuals(given)
        known = ~np.isnan(given)
        out = np.where(known, left - usual, 0) @ matrix
        if normal is not None:
            out = out / (known @ normal + 1e-3)
        return centre.back(out + usual)

    return predict


def _of_people(train: Ratings, centre: Centre) -> tuple[Floats, Flags]:
    left, usual = centre.residuals(train)
    known = ~np.isnan(train)
    return np.where(known, left - usual, 0), known


def _neighbours(rows: Floats, known: Floats, shrink: float, k: int) -> Floats:
    """Cosines between columns (I, I), shrunk where few people rated both, of each column only the k largest others."""
    lengths = np.sqrt(np.square(rows).sum(0)) + 1e-9
    both = known.T @ known
    alike = (rows.T @ rows) / np.outer(lengths, lengths) * both / np.maximum(both + shrink, 1e-9)
    np.fill_diagonal(alike, 0)
    if k < len(alike):
        least = -np.sort(-np.abs(alike), 0)[k - 1]
        alike[np.abs(alike) < least] = 0
    return np.asarray(alike)


def ease(rows: Floats, penalty: float) -> Floats:
    """The matrix B (I, I) with a diagonal of zeros that minimises ||X - X B||² + penalty ||B||² (Steck 2019)."""
    gram = rows.T @ rows
    gram[np.diag_indices_from(gram)] += penalty
    inverse = np.linalg.inv(gram)
    out = -inverse / np.diag(inverse)
    np.fill_diagonal(out, 0)
    return np.asarray(out)


def ease_2(likes: Floats, known: Floats, penalty: float) -> Floats:
    """The same from likes and from what was rated, (2 I, I): of a thing neither its like nor its rating may be used."""
    both, things = np.concatenate([likes, known], 1), likes.shape[1]
    gram = both.T @ both
    gram[np.diag_indices_from(gram)] += penalty
    inverse = np.linalg.inv(gram)
    first, second = np.arange(things), np.arange(things) + things
    # Of B's column i the entries i and I + i are 0: two constraints, of whose inverse the first column is needed.
    a, b, d = inverse[first, first], inverse[first, second], inverse[second, second]
    scale = a * d - b * b
    out = -(inverse[:, first] * (d / scale) - inverse[:, second] * (b / scale))
    out[first, first] = out[second, first] = 0
    return np.asarray(out)


def _components(rows: Floats, most: int) -> Floats:
    from sklearn.decomposition import TruncatedSVD

    count = max(1, min(most, rows.shape[1] - 1, rows.shape[0] - 1))
    return np.asarray(TruncatedSVD(count, random_state=0).fit(rows).components_)


Setting = tuple[str, Callable[[], Predict]]
"""What a setting is called, and how the method is made with it."""


def plain_stars(train: Ratings, centre: Centre) -> dict[str, list[Setting]]:
    """The plain methods that foretell ratings, each with the settings that are tried."""
    rows, known = _of_people(train, centre)
    there = known.astype(np.float64)
    scale = len(train) / 100  # a penalty counts beside so many people

    def neighbours(k: int, shrink: float) -> Predict:
        alike = _neighbours(rows, there, shrink, k)
        return _linear(centre, alike, np.abs(alike))

    parts: list[Floats] = []

    def svd(rank: int) -> Predict:
        if not parts:
            parts.append(_components(rows, 32))
        some = parts[0][:rank]
        return _linear(centre, some.T @ some)

    def eased(penalty: float) -> Predict:
        return _linear(centre, ease(rows, penalty))

    ks = [k for k in (10, 20, 40, 80) if k < train.shape[1]] or [train.shape[1]]
    return {
        "item mean": [("", lambda: lambda given: np.tile(centre.things, (len(given), 1)))],
        "bias": [("", lambda: _bias(centre))],
        "k-nn": [(f"{k} neighbours, shrunk by {s:g}", partial(neighbours, k, s)) for k in ks for s in (10, 100)],
        "svd": [(f"{rank} components", partial(svd, rank)) for rank in (1, 2, 4, 8, 16, 32)],
        "ease": [(f"penalty {p * scale:.3g}", partial(eased, p * scale)) for p in (1, 2, 4, 8, 16, 32, 64, 128)],
    }


def plain_likes(train: Ratings, centre: Centre) -> dict[str, list[Setting]]:
    """The plain methods that rank things, each with the settings that are tried."""
    likes, known = centre.likes(train), (~np.isnan(train)).astype(np.float64)
    scale = len(train) / 100

    def by(matrix: Floats) -> Predict:
        return lambda given: centre.likes(given) @ matrix

    def by_both(matrix: Floats) -> Predict:
        return lambda given: np.concatenate([centre.likes(given), ~np.isnan(given)], 1) @ matrix

    parts: list[Floats] = []

    def svd(rank: int) -> Predict:
        if not parts:
            parts.append(_components(likes, 32))
        some = parts[0][:rank]
        return by(some.T @ some)

    def neighbours(k: int, shrink: float) -> Predict:
        return by(_neighbours(likes, likes, shrink, k))

    def eased(penalty: float) -> Predict:
        return by(ease(likes, penalty))

    def eased_2(penalty: float) -> Predict:
        return by_both(ease_2(likes, known, penalty))

    def always(scores: Floats) -> Predict:
        return lambda given: np.tile(scores, (len(given), 1))

    ks = [k for k in (10, 20, 40, 80) if k < train.shape[1]] or [train.shape[1]]
    out: dict[str, list[Setting]] = {
        "popularity": [("", lambda: always(likes.sum(0)))],
        "item mean": [("", lambda: always(centre.things))],
        "k-nn": [(f"{k} neighbours, shrunk by {s:g}", partial(neighbours, k, s)) for k in ks for s in (0, 50)],
        "svd": [(f"{rank} components", partial(svd, rank)) for rank in (1, 2, 4, 8, 16, 32)],
        "ease": [(f"penalty {p * scale:.3g}", partial(eased, p * scale)) for p in (2, 4, 8, 16, 32, 64, 128)],
    }
    if train.shape[1] <= TWO_SIDED:
        out["ease-2"] = [(f"penalty {p * scale:.3g}", partial(eased_2, p * scale)) for p in (4, 8, 16, 32, 64, 128)]
    return out


# Networks.


def through(weights: Weights, part: str, x: NDArray[Any], between: Callable[[Any], Any] = np.tanh) -> NDArray[Any]:
    """Rows through the dense layers of a part of a network."""
    count = sum(name.startswith(f"{part}.") and name.endswith(".weight") for name in weights)
    for i in range(count):
        x = x @ weights[f"{part}.{i}.weight"].T + weights[f"{part}.{i}.bias"]
        if i < count - 1:
            x = between(x)
    return x


def told(given: Ratings, centre: Centre, likes: bool = False) -> tuple[Rows, Rows]:
    """What a denoising autoencoder sees of people (N, 2 I or 3 I): residuals less a person's own mean, and which are known, with likes also
    what is liked; and their means (N, 1)."""
    left, usual = centre.residuals(given)
    known = ~np.isnan(given)
    parts = [np.where(known, left - usual, 0), known.astype(np.float64)]
    if likes:
        parts.append(centre.likes(given))
    return np.concatenate(parts, 1).astype(np.float32), usual.astype(np.float32)


def _filled(ratings: Ratings, centre: Centre) -> tuple[Rows, Rows]:
    known = ~np.isnan(ratings)
    return centre.residuals(ratings)[0].astype(np.float32), known.astype(np.float32)


def _dropouts(train: Ratings) -> tuple[float, ...]:
    return DROPOUTS if train.shape[1] <= MANY else DROPOUTS[:1]


def _sigmoid(x: NDArray[Any]) -> NDArray[Any]:
    return np.asarray(1 / (1 + np.exp(-np.clip(x, -60, 60))))


def denoising(
    train: Ratings,
    centre: Centre,
    *,
    likes: bool = False,
    width: int = WIDTH,
    code_size: int | None = None,
    dropout: float = DROPOUTS[0],
    hidden: tuple[float, float] = HIDDEN["stars"],
    seed: int = 0,
    steps: int = STEPS,
    tell: Callable[[float], None] = lambda _share: None,
) -> Weights:
    """Train a denoising autoencoder: for stars, or with likes for ranking. Imports torch."""
    from models.training import recommender

    residuals, known = _filled(train, centre)
    liked = centre.likes(train).astype(np.float32) if likes else None
    return recommender.denoiser(
        residuals,
        known,
        liked,
        width=width,
        code_size=code_size,
        dropout=dropout,
        hidden=hidden,
        damping=DAMPING_PEOPLE,
        steps=steps,
        seed=seed,
        tell=tell,
    )


def stars_of(weights: Weights, centre: Centre) -> Predict:
    """What a denoising autoencoder for stars foretells."""

    def predict(given: Ratings) -> Floats:
        x, usual = told(given, centre)
        out = through(weights, "net", x) if "net.0.weight" in weights else decoded(weights, encoded(weights, x))
        return centre.back((out + usual).astype(np.float64))

    return predict


def encoded(weights: Weights, x: Rows) -> Rows:
    """Codes (N, D) of what the network sees."""
    return np.asarray(through(weights, "encoder", x))


def decoded(weights: Weights, codes: Rows) -> Rows:
    """Residuals (N, I) of codes (N, D), less a person's own mean."""
    return np.asarray(through(weights, "decoder", codes))


def _networks_stars(
    train: Ratings, centre: Centre, steps: int, seed: int, tell: Callable[[float], None]
) -> dict[str, list[Setting]]:
    from models.training import recommender

    dropouts = _dropouts(train)

    def autorec(decay: float) -> Predict:
        residuals, known = _filled(train, centre)
        weights = recommender.autorec(
            residuals, known, width=WIDTH, decay=decay, steps=steps // 2, seed=seed, tell=tell
        )
        return lambda given: centre.back(through(weights, "net", centre.residuals(given)[0], _sigmoid))

    def ours() -> Predict:
        each = [
            stars_of(denoising(train, centre, dropout=share, seed=seed + i, steps=steps, tell=tell), centre)
            for i, share in enumerate(dropouts)
        ]
        return lambda given: np.asarray(np.mean([predict(given) for predict in each], 0))

    return {
        "autorec": [(f"weight decay {decay:g}", partial(autorec, decay)) for decay in (1.0, 4.0)],
        "denoiser": [(f"mean of {len(dropouts)} networks" if len(dropouts) > 1 else "", ours)],
    }


def _networks_likes(
    train: Ratings, centre: Centre, steps: int, seed: int, tell: Callable[[float], None]
) -> dict[str, list[Setting]]:
    from models.training import recommender

    dropouts = _dropouts(train)

    def mult_vae(beta: float) -> Predict:
        liked = centre.likes(train).astype(np.float32)
        weights = recommender.mult_vae(
            liked,
            width=WIDTH,
            code_size=min(50, train.shape[1] // 2),
            beta=beta,
            steps=steps // 2,
            seed=seed,
            tell=tell,
        )

        def predict(given: Ratings) -> Floats:
            x = centre.likes(given)
            x = x / np.maximum(np.sqrt(np.square(x).sum(1, keepdims=True)), 1e-12)
            mean = np.split(through(weights, "encoder", x), 2, 1)[0]
            return np.asarray(through(weights, "decoder", mean))

        return predict

    def ours() -> Predict:
        each = [
            denoising(
                train, centre, likes=True, dropout=share, hidden=HIDDEN["likes"], seed=seed + i, steps=steps, tell=tell
            )
            for i, share in enumerate(dropouts)
        ]

        def predict(given: Ratings) -> Floats:
            x, open_ = told(given, centre, likes=True)[0], np.isnan(given)
            out = np.zeros(given.shape)
            for weights in each:  # the mean of probabilities over what is not rated yet
                logits = np.where(open_, through(weights, "net", x), -np.inf)
                shares = np.exp(logits - logits.max(1, keepdims=True, initial=-60))
                out += shares / np.maximum(shares.sum(1, keepdims=True), 1e-12)
            return out

        return predict

    return {
        "mult-vae": [(f"KL divergence times {beta:g}", partial(mult_vae, beta)) for beta in (0.05, 0.2)],
        "denoiser": [(f"mean of {len(dropouts)} networks" if len(dropouts) > 1 else "", ours)],
    }


# All of them on the same splits.


@dataclass(frozen=True)
class Outcome:
    """How each method did on the test part of one split: by its name a value for each person and measure (M,), the setting that
    validation chose and the processor seconds that all its settings took. people (M,): whose they are."""

    people: NDArray[np.int64]
    values: dict[str, dict[str, Floats]] = field(default_factory=dict)
    settings: dict[str, str] = field(default_factory=dict)
    seconds: dict[str, float] = field(default_factory=dict)


def _tuned(tried: Sequence[Setting], score: Callable[[Predict], float]) -> tuple[str, Predict]:
    """The setting with the least score on validation."""
    best, found = np.inf, None
    for name, make in tried:
        predict = make()
        value = score(predict)
        if found is None or value < best:
            best, found = value, (name, predict)
    assert found is not None
    return found


def outcome_stars(split: Split, *, steps: int = STEPS, seed: int = 0, tell: Callable[[str, float], None]) -> Outcome:
    """Every method's errors on the held-out ratings: "squared", "absolute" and "count" of each person."""
    centre = Centre.of(split.train)
    out = Outcome(split.people)

    def score(predict: Predict) -> float:
        squared, _, count = errors(predict(split.given), split.held, centre)
        return float(squared.sum() / max(1, count.sum()))

    for name, tried in _both(plain_stars(split.train, centre), _networks_stars, split, centre, steps, seed, tell):
        begun = time.process_time()
        out.settings[name], predict = _tuned(tried, score)
        squared, absolute, count = errors(predict(split.test_given), split.test_held, centre)
        out.values[name] = {"squared": squared, "absolute": absolute / (centre.high - centre.low), "count": count}
        out.seconds[name] = time.process_time() - begun
    return out


def outcome_likes(split: Split, *, steps: int = STEPS, seed: int = 0, tell: Callable[[str, float], None]) -> Outcome:
    """Every method's measures of each person: "ndcg@10", "ndcg@100", "recall@5", "recall@20"; NaN where nothing is to be found."""
    centre = Centre.of(split.train)
    out = Outcome(split.people)
    wanted, test_wanted = centre.likes(split.held), centre.likes(split.test_held)

    def score(predict: Predict) -> float:
        hits = ranked(predict(split.given), split.given, wanted, NDCG_AT[0])
        every = ndcg(hits, wanted, NDCG_AT[0])
        return -float(np.nanmean(every)) if not np.isnan(every).all() else 0.0

    for name, tried in _both(plain_likes(split.train, centre), _networks_likes, split, centre, steps, seed, tell):
        begun = time.process_time()
        out.settings[name], predict = _tuned(tried, score)
        hits = ranked(predict(split.test_given), split.test_given, test_wanted, max(*NDCG_AT, *RECALL_AT))
        out.values[name] = {f"ndcg@{k}": ndcg(hits, test_wanted, k) for k in NDCG_AT}
        out.values[name] |= {f"recall@{k}": recall(hits, test_wanted, k) for k in RECALL_AT}
        out.seconds[name] = time.process_time() - begun
    return out


def _both(
    plain: dict[str, list[Setting]],
    networks: Callable[..., dict[str, list[Setting]]],
    split: Split,
    centre: Centre,
    steps: int,
    seed: int,
    tell: Callable[[str, float], None],
) -> Any:
    """Every method with its settings, the plain ones first; tell is told what and the share of all that is done."""
    done = [0.1]  # of the seconds nearly all are the networks'
    tell("plain methods", 0.0)
    yield from plain.items()

    def within(_share: float) -> None:
        tell("training networks", done[0])

    for name, tried in networks(split.train, centre, steps, seed, within).items():
        yield name, tried
        done[0] = min(1.0, done[0] + 0.45)


def rmse(outcomes: Sequence[Outcome], name: str) -> float:
    """Over all held-out ratings of all splits."""
    return float(np.sqrt(_ratio(outcomes, name, "squared")))


def nmae(outcomes: Sequence[Outcome], name: str) -> float:
    """The mean absolute error as a share of the scale."""
    return _ratio(outcomes, name, "absolute")


def _ratio(outcomes: Sequence[Outcome], name: str, what: str) -> float:
    parts = [one.values[name] for one in outcomes]
    return float(sum(part[what].sum() for part in parts) / max(1.0, sum(part["count"].sum() for part in parts)))


def mean(outcomes: Sequence[Outcome], name: str, measure: str) -> float:
    """The mean over all people of all splits of whom something could be found."""
    every = np.concatenate([one.values[name][measure] for one in outcomes])
    return float(np.nanmean(every)) if not np.isnan(every).all() else 0.0


@dataclass(frozen=True)
class Difference:
    """How much better the first is than the second, above 0 where it is; low and high: between these in 95 of 100 draws of the
    people (paired bootstrap, B. Efron, 1979)."""

    mean: float
    low: float
    high: float

    @property
    def tied(self) -> bool:
        """Whether 0 lies between."""
        return self.low <= 0 <= self.high


def difference_stars(outcomes: Sequence[Outcome], ours: str, theirs: str) -> Difference:
    """RMSE of theirs less that of ours. A person is drawn with their ratings in all splits."""
    total = len(outcomes[0].people)
    sums = {}
    for name in (ours, theirs):
        for what in ("squared", "count"):
            sums[name, what] = np.sum([one.values[name][what] for one in outcomes], 0)
    random = np.random.default_rng(0)

    def error_of(name: str, people: NDArray[np.int64]) -> float:
        return float(np.sqrt(sums[name, "squared"][people].sum() / max(1.0, sums[name, "count"][people].sum())))

    drawn = []
    for _ in range(DRAWS):
        people = random.integers(0, total, total)
        drawn.append(error_of(theirs, people) - error_of(ours, people))
    low, high = np.quantile(drawn, [0.025, 0.975])
    return Difference(rmse(outcomes, theirs) - rmse(outcomes, ours), float(low), float(high))


def difference_likes(outcomes: Sequence[Outcome], ours: str, theirs: str, measure: str = "ndcg@10") -> Difference:
    """A measure of ours less that of theirs, over people of whom something could be found."""
    gap = np.concatenate([one.values[ours][measure] - one.values[theirs][measure] for one in outcomes])
    gap = gap[~np.isnan(gap)]
    if not len(gap):
        return Difference(0.0, 0.0, 0.0)
    random = np.random.default_rng(0)
    drawn = [gap[random.integers(0, len(gap), len(gap))].mean() for _ in range(DRAWS)]
    low, high = np.quantile(drawn, [0.025, 0.975])
    return Difference(float(gap.mean()), float(low), float(high))


def compare(
    ratings: Ratings, folds: int, *, steps: int = STEPS, report: Report = quiet
) -> tuple[list[Outcome], list[Outcome]]:
    """Every method on so many splits (at most five), for stars and for likes."""
    stars, likes = [], []

    def telling(fold: int, half: float) -> Callable[[str, float], None]:
        begin = (fold + half) / folds
        return lambda what, share: report(f"{what}, split {fold + 1} of {folds}", begin + share / (2 * folds))

    for fold in range(folds):
        first, second = split_stars(ratings, fold), split_people(ratings, fold, max(5, folds))
        stars.append(outcome_stars(first, steps=steps, seed=10 * fold, tell=telling(fold, 0.0)))
        likes.append(outcome_likes(second, steps=steps, seed=10 * fold, tell=telling(fold, 0.5)))
    return stars, likes

"""What comes next in a sequence: an encoder-decoder with a fan, and the plain methods beside it.

Everything takes and gives numpy arrays. Training imports torch and belongs into a worker process; computing with trained
weights does not. Rows are (N, T, C): T steps of C channels. The first `given` steps are given and the rest is predicted.

The fan: each of `DRAWS` draws writes token by token, and to each token the error is added that the network made there on one
held-out row, of those whose given parts are the most similar; the sum is what it goes on from (bootstrapped residuals, Hyndman
and Athanasopoulos, Forecasting: Principles and Practice, 3rd edition, section 5.5). How wide the fan is drawn is a factor that makes it hold
the truth as often as it says, on held-out rows.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.labs import Report, quiet

Rows = NDArray[np.float32]
Indices = NDArray[np.int64]
Weights = Mapping[str, Rows]

WHOLE = 24  # steps of a row up to which each is a token
TOKENS = 14  # of a longer one, at most: several steps are one token
UNITS = 64
STEPS = 800  # of training
NOISES = (0.05, 0.2)  # deviations of what is added to the given numbers: the better on held-out rows is kept
MEMBERS = 3  # networks, whose mean is the forecast
COSTLY = 3e9  # multiplications of a batch's row of tokens, above which there is one network, and no noise is tried
DRAWS = 24
INSIDE = 0.8  # share of the truth that the fan is to hold
FACTORS = np.geomspace(0.25, 4, 65)  # widths of the fan that are tried
RESAMPLED = 2000  # draws of test rows for an interval
TITLES = {
    "network": "encoder-decoder (GRU)",
    "mean": "mean of all",
    "last": "last value",
    "ridge": "ridge regression",
    "neighbours": "k nearest neighbours",
    "kernel": "kernel ridge (RBF)",
}


@dataclass(frozen=True)
class Form:
    """How rows (T, C) are cut: which steps are given, and how many of them are one token."""

    steps: int
    channels: int
    given: int

    @property
    def rest(self) -> int:
        """Steps to predict."""
        return self.steps - self.given

    @property
    def size(self) -> int:
        """Steps of one token."""
        return 1 if self.steps <= WHOLE else -(-self.steps // TOKENS)

    @property
    def read(self) -> int:
        """Tokens that are given."""
        return -(-self.given // self.size)

    @property
    def write(self) -> int:
        """Tokens to predict."""
        return -(-self.rest // self.size)

    @property
    def places(self) -> Rows:
        """(read + write,) from -1 to 1: where each token stands."""
        return np.linspace(-1, 1, self.read + self.write, dtype=np.float32)

    def parts(self, rows: Rows) -> tuple[Rows, Rows]:
        """Rows (N, T, C) as what is given (N, given C) and the rest (N, rest C), step by step."""
        return rows[:, : self.given].reshape(len(rows), -1), rows[:, self.given :].reshape(len(rows), -1)

    def given_tokens(self, given: Rows) -> Rows:
        """What is given (N, given C) as tokens (N, read, size C + 1) with their places; before the first step stands its
        value."""
        values = given.reshape(len(given), self.given, self.channels)
        values = np.pad(values, ((0, 0), (self.read * self.size - self.given, 0), (0, 0)), "edge")
        values = values.reshape(len(given), self.read, -1)
        places = np.broadcast_to(self.places[None, : self.read, None], (len(given), self.read, 1))
        return np.concatenate([values, places], 2).astype(np.float32)

    def rest_tokens(self, rest: Rows) -> Rows:
        """The rest (N, rest C) as tokens (N, write, size C); behind the last step stands its value."""
        values = rest.reshape(len(rest), self.rest, self.channels)
        values = np.pad(values, ((0, 0), (0, self.write * self.size - self.rest), (0, 0)), "edge")
        return values.reshape(len(rest), self.write, -1)

    def joined(self, tokens: Rows) -> Rows:
        """Tokens (N, write, size C) as the rest (N, rest C)."""
        return tokens.reshape(len(tokens), -1)[:, : self.rest * self.channels]


# The network.


def _sigmoid(x: Rows) -> Rows:
    return np.asarray(1 / (1 + np.exp(-x)), np.float32)


def _gru(given: Rows, state: Rows, weights: Weights, name: str, end: str) -> Rows:
    """A step of a GRU as torch has it: what is given (N, F) and the state (N, U) make the next state."""
    a = given @ weights[f"{name}.weight_ih{end}"].T + weights[f"{name}.bias_ih{end}"]
    b = state @ weights[f"{name}.weight_hh{end}"].T + weights[f"{name}.bias_hh{end}"]
    (ar, az, an), (br, bz, bn) = np.split(a, 3, 1), np.split(b, 3, 1)
    keep = _sigmoid(az + bz)
    return np.asarray((1 - keep) * np.tanh(an + _sigmoid(ar + br) * bn) + keep * state, np.float32)


def read(weights: Weights, form: Form, given: Rows) -> Rows:
    """The states (N, read, U) after each token of what is given (N, given C)."""
    tokens = form.given_tokens(given)
    states = [np.zeros((len(given), weights["writer.weight_hh"].shape[1]), np.float32)]
    for i in range(form.read):
        states.append(_gru(tokens[:, i], states[-1], weights, "reader", "_l0"))
    return np.stack(states[1:], 1)


def write(weights: Weights, form: Form, given: Rows, added: Rows | None = None, truth: Rows | None = None) -> Rows:
    """The tokens that follow (N, write, size C). added: errors of that shape, added to each before it goes on; truth: tokens that it is
    told instead of its own last one."""
    states, last = read(weights, form, given), form.given_tokens(given)[:, -1, :-1]
    state, out = states[:, -1], []
    for i, place in enumerate(form.places[form.read :]):
        at = np.full((len(given), 1), place, np.float32)
        state = _gru(np.concatenate([last, at], 1), state, weights, "writer", "")
        looks = np.einsum("nru,nu->nr", states, state) / np.float32(np.sqrt(states.shape[2]))
        looks = np.exp(looks - looks.max(1, keepdims=True))
        looks /= looks.sum(1, keepdims=True)
        seen = np.einsum("nr,nru->nu", looks, states)
        last = np.concatenate([state, seen], 1) @ weights["out.weight"].T + weights["out.bias"]
        if added is not None:
            last = last + added[:, i]
        out.append(last)
        if truth is not None:
            last = truth[:, i]
    return np.stack(out, 1)


@dataclass(frozen=True)
class Network:
    """Several networks, and what held-out rows tell of their errors.

    weights: of each, as torch names them, rounded to float16; held: (V, given C), what was given of held-out rows; errors (M, V, write, size C):
    what each network missed there at each token, told the true one before; factor: how wide the fan is drawn.
    """

    form: Form
    weights: tuple[Weights, ...]
    noise: float
    held: Rows
    errors: Rows
    factor: float = 1.0

    @property
    def units(self) -> int:
        """Of each recurrent layer."""
        return int(self.weights[0]["writer.weight_hh"].shape[1])

    def forecast(self, given: Rows) -> Rows:
        """The rest (N, rest C)."""
        each = [self.form.joined(write(one, self.form, given)) for one in self.weights]
        return np.asarray(np.mean(each, 0), np.float32)

    def draws(self, given: Rows, but: bool = False) -> Rows:
        """What may follow (draws, N, rest C), as far from the forecast as the errors of similar held-out rows let it go. but: the
        rows are the held-out ones, and none is drawn from itself."""
        far = np.square(self.held).sum(1) - 2 * given @ self.held.T
        if but:
            np.fill_diagonal(far, np.inf)
        similar = np.argsort(far, 1, kind="stable")[:, : min(DRAWS, len(self.held) - but)]
        apart = np.zeros((similar.shape[1], len(given), self.form.rest * self.form.channels), np.float32)
        each = []
        for m, weights in enumerate(self.weights):
            each.append(self.form.joined(write(weights, self.form, given)))
            for d in range(m, similar.shape[1], len(self.weights)):
                apart[d] = self.form.joined(write(weights, self.form, given, self.errors[m][similar[:, d]])) - each[m]
        return np.asarray(np.mean(each, 0) + self.factor * apart, np.float32)


def fan(draws: Rows, share: float = INSIDE) -> tuple[Rows, Rows]:
    """The lower and the upper edge (N, F) of what holds such a share of the draws (D, N, F)."""
    low, high = np.quantile(draws, [(1 - share) / 2, (1 + share) / 2], axis=0)
    return np.asarray(low, np.float32), np.asarray(high, np.float32)


def inside(truth: Rows, draws: Rows, share: float = INSIDE) -> float:
    """How often the truth (N, F) lies inside of the fan."""
    low, high = fan(draws, share)
    return float(np.mean((truth >= low) & (truth <= high)))


def _width(network: Network, held: Rows) -> float:
    """The factor with which the fan holds the truth (V, rest C) of held-out rows as often as it says."""
    if len(network.held) < 2:
        return 1.0
    centre = network.forecast(network.held)
    apart = network.draws(network.held, but=True) - centre
    low, high = fan(apart)
    missed = held - centre
    shares = [float(np.mean((missed >= f * low) & (missed <= f * high))) for f in FACTORS]
    return float(FACTORS[int(np.abs(np.array(shares) - INSIDE).argmin())])


Told = Callable[[str, float, Callable[[], Weights] | None], None]


def fit_network(
    form: Form,
    train: Rows,
    held: Rows,
    seed: int = 0,
    units: int = UNITS,
    steps: int = STEPS,
    report: Report = quiet,
    noises: Sequence[float] = NOISES,
) -> Network:
    """Train on rows (N, T, C); which noise serves and how wide the fan is comes from held-out ones (V, T, C). Imports torch."""
    from models.training import forecaster

    given, rest = form.parts(train)
    seen, truth = form.parts(held)
    tokens, follow = form.given_tokens(given), form.rest_tokens(rest)
    features = tokens.shape[2]
    products = (form.read + form.write) * 3 * units * (features + units) * steps
    costly = products > COSTLY
    noises, members = (noises[-1:], 1) if costly else (noises, MEMBERS)
    nets = len(noises) + members - 1

    def one(number: int, noise: float) -> Weights:
        def tell(share: float, _weights: Callable[[], Weights]) -> None:
            report(f"network {number + 1} of {nets} learns", (number + share) / nets)

        counted = form.rest * form.channels
        found = forecaster.train(
            tokens, follow, form.places[form.read :], counted, units, steps, noise, 100 * seed + number, tell
        )
        # As they are kept, so that the browser computes the same.
        return {name: value.astype(np.float16).astype(np.float32) for name, value in found.items()}

    tried = [one(i, noise) for i, noise in enumerate(noises)]
    errors = [float(np.square(form.joined(write(net, form, seen)) - truth).mean()) for net in tried]
    best = int(np.argmin(errors))
    nets_kept = [tried[best], *(one(i, noises[best]) for i in range(len(noises), nets))]
    told = form.rest_tokens(truth)
    missed = np.stack([told - write(net, form, seen, truth=told) for net in nets_kept])
    network = Network(form, tuple(nets_kept), noises[best], seen, missed.astype(np.float16).astype(np.float32))
    return replace(network, factor=_width(network, truth))


# The plain methods.


@dataclass(frozen=True)
class Plain:
    """A fitted plain method: what gives the rest (N, rest C) of what is given (N, given C), how it is set, and the numbers that
    make it."""

    predict: Callable[[Rows], Rows]
    setting: str = ""
    numbers: Mapping[str, float] = field(default_factory=dict)


FOLDS = 5
TUNED_ON = 1000  # rows, at most, on which kernel ridge is tuned: it takes time with their cube
ALPHAS = tuple(float(a) for a in np.logspace(-3, 4, 15))
KERNEL_ALPHAS = (1e-4, 1e-3, 1e-2, 1e-1, 1.0)
WIDTHS = (0.1, 0.316, 1.0, 3.16, 10.0)  # of the RBF, as 1 over the median squared distance of two rows
COUNTS = (1, 2, 3, 5, 8, 12, 20)


def plain_methods(given: Rows, rest: Rows, channels: int, tuned_on: int = TUNED_ON) -> dict[str, Callable[[], Plain]]:
    """What fits each plain method on what is given (N, given C) and the rest (N, rest C); tuned by five folds of these rows, kernel
    ridge of so many of them."""

    def mean() -> Plain:
        middle = rest.mean(0)
        return Plain(lambda x: np.repeat(middle[None], len(x), 0))

    def last() -> Plain:
        times = rest.shape[1] // channels
        return Plain(lambda x: np.tile(x[:, -channels:], (1, times)))

    def ridge() -> Plain:
        from sklearn.linear_model import Ridge

        fitted, chosen = _tuned(Ridge(), {"alpha": ALPHAS}, given, rest)
        return Plain(fitted, f"alpha {chosen['alpha']:.3g}", chosen)

    def neighbours() -> Plain:
        from sklearn.neighbors import KNeighborsRegressor

        grid = {"n_neighbors": [k for k in COUNTS if k <= len(given) - -(-len(given) // FOLDS)]}
        fitted, chosen = _tuned(KNeighborsRegressor(), grid, given, rest)
        return Plain(fitted, f"k = {chosen['n_neighbors']:.0f}", chosen)

    def kernel() -> Plain:
        from sklearn.kernel_ridge import KernelRidge

        some = np.random.default_rng(0).permutation(len(given))[:tuned_on]
        gammas = [width / _typical(given) for width in WIDTHS]
        grid = {"alpha": KERNEL_ALPHAS, "gamma": gammas}
        _, chosen = _tuned(KernelRidge(kernel="rbf"), grid, given[some], rest[some])
        fitted = KernelRidge(kernel="rbf", **chosen).fit(given.astype(np.float64), rest.astype(np.float64))
        setting = f"alpha {chosen['alpha']:.3g}, gamma {chosen['gamma']:.3g}"
        return Plain(lambda x: np.asarray(fitted.predict(x.astype(np.float64)), np.float32), setting, chosen)

    return {"mean": mean, "last": last, "ridge": ridge, "neighbours": neighbours, "kernel": kernel}


def _typical(given: Rows) -> float:
    """The median squared distance of two rows (N, F), of some; 1 where all are alike."""
    from scipy.spatial.distance import pdist

    some = given[np.random.default_rng(0).permutation(len(given))[:300]]
    return float(np.median(pdist(some, "sqeuclidean"))) or 1.0


def _tuned(
    model: Any, grid: Mapping[str, Sequence[float]], given: Rows, rest: Rows
) -> tuple[Callable[[Rows], Rows], dict[str, float]]:
    """A model of scikit-learn with the choice of the least squared error over five folds, fitted on all of these rows."""
    from sklearn.model_selection import GridSearchCV, KFold

    folds = KFold(min(FOLDS, len(given)), shuffle=True, random_state=0)
    search = GridSearchCV(
        model, {name: list(each) for name, each in grid.items()}, cv=folds, scoring="neg_mean_squared_error"
    )
    search.fit(given.astype(np.float64), rest.astype(np.float64))
    best = search.best_estimator_
    chosen = {name: float(value) for name, value in search.best_params_.items()}
    return lambda x: np.asarray(best.predict(x.astype(np.float64)), np.float32), chosen


# All of them on the same rows.


@dataclass(frozen=True)
class Outcome:
    """What every method made of the same test rows: the rest (N, rest C) by its name, its squared error on held-out rows, and the processor
    seconds that it took."""

    form: Form
    network: Network
    plain: Mapping[str, Plain]
    predicted: Mapping[str, Rows]
    held_out: Mapping[str, float]
    seconds: Mapping[str, float]
    truth: Rows
    draws: Rows

    def error(self, name: str) -> float:
        """Mean squared error over the test rows and all steps."""
        return float(np.square(self.predicted[name] - self.truth).mean())

    def by_row(self, name: str) -> NDArray[np.float64]:
        """Mean squared error of each test row (N,)."""
        return np.asarray(np.square((self.predicted[name] - self.truth).astype(np.float64)).mean(1))

    def by_horizon(self, name: str) -> NDArray[np.float64]:
        """Mean squared error of each step of the rest (rest,)."""
        missed = np.square((self.predicted[name] - self.truth).astype(np.float64)).mean(0)
        return np.asarray(missed.reshape(self.form.rest, -1).mean(1))

    @property
    def best(self) -> str:
        """The plain method with the least error on held-out rows."""
        return min((name for name in self.held_out if name != "network"), key=lambda name: self.held_out[name])


def compare(
    form: Form,
    train: Rows,
    held: Rows,
    test: Rows,
    seed: int = 0,
    report: Report = quiet,
    others: Mapping[str, Callable[[], Plain]] | None = None,
    **choices: Any,
) -> Outcome:
    """Fit every method on the same rows (N, T, C), and predict the rest of the test rows. others: plain methods in place of
    the usual ones; choices: see `fit_network`."""
    begun = time.process_time()
    network = fit_network(form, train, held, seed, report=lambda what, share, *_: report(what, 0.7 * share), **choices)
    seconds = {"network": time.process_time() - begun}
    (seen, expected), (given, truth) = form.parts(held), form.parts(test)
    predicted, held_out = {"network": network.forecast(given)}, {"network": _mse(network.forecast(seen), expected)}
    fitted: dict[str, Plain] = {}
    makers = plain_methods(*form.parts(train), form.channels) if others is None else others
    for i, (name, make) in enumerate(makers.items()):
        report(TITLES.get(name, name), 0.7 + 0.2 * i / len(makers))
        begun = time.process_time()
        plain = fitted[name] = make()
        predicted[name], held_out[name] = plain.predict(given), _mse(plain.predict(seen), expected)
        seconds[name] = time.process_time() - begun
    report("the fan", 0.92)
    return Outcome(form, network, fitted, predicted, held_out, seconds, truth, network.draws(given))


def _mse(a: Rows, b: Rows) -> float:
    return float(np.square(a.astype(np.float64) - b).mean())


@dataclass(frozen=True)
class Difference:
    """How much larger the error of ours is, and between what it lies in 95 of 100 draws of test rows."""

    mean: float
    low: float
    high: float

    @property
    def tied(self) -> bool:
        """Whether it may as well be 0."""
        return self.low <= 0 <= self.high


def difference(outcome: Outcome, name: str) -> Difference:
    """The error of the network less that of another method: paired bootstrap over test rows."""
    apart = outcome.by_row("network") - outcome.by_row(name)
    random = np.random.default_rng(0)
    means = np.array([apart[random.integers(0, len(apart), len(apart))].mean() for _ in range(RESAMPLED)])
    low, high = np.quantile(means, [0.025, 0.975])
    return Difference(float(apart.mean()), float(low), float(high))

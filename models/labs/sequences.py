"""How does it go on? An encoder-decoder predicts the rest of a signal, or of a film, beside the plain methods.

What is computed, and from which papers, stands in `models/analysis/forecasting.py`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models import Problem, datasets
from models.analysis import forecasting
from models.analysis.forecasting import TITLES, Form, Outcome, Plain, Rows
from models.datasets import TEST, TRAIN, VALIDATION, Dataset
from models.labs import Answer, Lab, Report, Settings, _series, lead

FEWEST_STEPS = 8
MOST_NUMBERS = 1024  # of a signal: steps times channels
MOST_TRAIN, MOST_HELD, MOST_TEST = 1500, 200, 500  # rows, drawn at random: the same for all methods
FEWEST = 20  # training rows
SHARES = (0.25, 0.5, 0.75)  # of a row that are given
SHOWN = 24  # test rows that can be gone on from
FILMS = 6  # that are shown
UNITS, STEPS = 96, 400  # of the network for films, whose frames are wide
MOST_FILMS = 1000  # training rows of films
TUNED_ON = 400  # of them, for kernel ridge, whose answers are wide
COMPONENTS = 100  # of the given frames, for the plain methods
WORST = 0.98  # share of the variance of the rest, above which nothing is known of it


def fits(dataset: Dataset) -> str:
    """Signals of some steps, and films."""
    if dataset.frames:
        return ""
    if dataset.kind != "signal":
        return "this lab goes on with signals and films, whose numbers follow each other in time"
    steps, channels = dataset.shape
    if steps < FEWEST_STEPS:
        return f"its signals have {steps} steps, and at least {FEWEST_STEPS} are needed"
    if steps * channels > MOST_NUMBERS:
        return f"a signal has {steps * channels:,} numbers, and the small networks of this lab take {MOST_NUMBERS:,} at most"
    return ""


@dataclass(frozen=True)
class Cut:
    """Rows (N, T, C) of each split and which rows of the dataset they are. mean, deviation: what their numbers were scaled
    by."""

    train: Rows
    held: Rows
    test: Rows
    rows: dict[str, NDArray[np.int64]]
    mean: float = 0.0
    deviation: float = 1.0


def cut(dataset: Dataset) -> Cut:
    """The rows that the lab takes. A `Problem` where there are too few."""
    splits = np.asarray(dataset.splits())
    random = np.random.default_rng(0)
    rows = {}
    first = MOST_FILMS if dataset.frames else MOST_TRAIN
    for name, split, most in (("train", TRAIN, first), ("held", VALIDATION, MOST_HELD), ("test", TEST, MOST_TEST)):
        rows[name] = np.sort(random.permutation(np.flatnonzero(splits == split))[:most])
    if len(rows["train"]) < FEWEST or len(rows["held"]) < 2 or len(rows["test"]) < 2:
        counts = ", ".join(f"{len(each):,}" for each in rows.values())
        raise Problem(
            f"its training, validation and test samples are {counts}",
            f"at least {FEWEST}, 2 and 2 are needed",
            "bring more signals, or cut the series into shorter windows",
        )
    parts = {name: np.asarray(datasets.samples_at(dataset, each)) for name, each in rows.items()}
    mean, deviation = 0.0, 1.0
    if dataset.frames:
        parts = {name: frames_of(each, dataset.frames).astype(np.float32) / 255 for name, each in parts.items()}
        mean, deviation = float(parts["train"].mean()), float(parts["train"].std()) or 1.0
    train, held, test = (((parts[name] - mean) / deviation).astype(np.float32) for name in ("train", "held", "test"))
    return Cut(train, held, test, rows, mean, deviation)


def frames_of(images: NDArray[np.generic], frames: int) -> NDArray[np.generic]:
    """Films as images (N, H, frames W, C) as rows (N, frames, H W C)."""
    count, height, width, channels = images.shape
    apart = images.reshape(count, height, frames, width // frames, channels)
    return np.ascontiguousarray(apart.transpose(0, 2, 1, 3, 4)).reshape(count, frames, -1)


def form_of(dataset: Dataset, share: float) -> Form:
    """How a row is cut where such a share of it is given. A `Problem` where nothing would be given, or left."""
    steps, channels = (dataset.frames, dataset.size // dataset.frames) if dataset.frames else dataset.shape
    given = round(share * steps)
    if not 1 <= given < steps:
        raise Problem(f"{share:g} of {steps} steps cannot be given", "a share between 0 and 1 was expected")
    return Form(steps, channels, given)


def answer(dataset: Dataset, settings: Settings, report: Report) -> Answer:
    """Every method on the same rows, and the networks themselves where the browser goes on with them.

    facts: {given, steps, rest, channels, counts {train, held, test}, unit, methods [{name, title, ours, error, horizon [S], setting,
    seconds}], best, difference {mean, low, high, tied}, fan {wanted, inside, half}, factor, chosen {method: {number: value}}, verdict, won, against, by; series: see `models.labs._series`}. arrays: "train" (R,),
    "held" (V,) and "shown" (E,) rows of the dataset; of a signal "<member>.<weight>" of each network, and "errors" (M, V, write,
    size C) of theirs; of a film "predicted <method>" (E, rest, H W C) of what is shown.
    """
    report("reading", 0.0)
    form, parts = form_of(dataset, float(settings["given"])), cut(dataset)
    others: dict[str, Callable[[], Plain]] | None = None
    choices: dict[str, Any] = {}
    if dataset.frames:
        side = (dataset.shape[0], dataset.shape[1] // dataset.frames, dataset.shape[2])
        others, choices = plain_of_films(form, parts, side), {"units": UNITS, "steps": STEPS}
    outcome = forecasting.compare(form, parts.train, parts.held, parts.test, report=report, others=others, **choices)
    shown = np.arange(min(SHOWN, len(parts.test)))
    best, apart = outcome.best, forecasting.difference(outcome, outcome.best)
    unit = parts.deviation**2  # films are told in squared shares of white
    facts: dict[str, Any] = {
        "given": form.given,
        "steps": form.steps,
        "channels": form.channels,
        "counts": {name: len(each) for name, each in parts.rows.items()},
        "methods": [described(name, outcome, unit) for name in outcome.predicted],
        "best": best,
        "difference": {
            "mean": _round(apart.mean * unit),
            "low": _round(apart.low * unit),
            "high": _round(apart.high * unit),
            "tied": apart.tied,
        },
        "fan": {
            "wanted": forecasting.INSIDE,
            "inside": _round(forecasting.inside(outcome.truth, outcome.draws)),
            "half": _round(forecasting.inside(outcome.truth, outcome.draws, 0.5)),
        },
        "factor": outcome.network.factor,
        "chosen": {name: dict(one.numbers) for name, one in outcome.plain.items() if one.numbers},
        **verdict(outcome, apart, unit, bool(dataset.frames)),
        "libraries": libraries(),
    }
    arrays: dict[str, NDArray[np.generic]] = {
        "train": parts.rows["train"].astype(np.int32),
        "held": parts.rows["held"].astype(np.int32),
        "shown": parts.rows["test"][shown].astype(np.int32),
    }
    if dataset.frames:
        some = shown[:FILMS]
        arrays["shown"] = arrays["shown"][:FILMS]
        for name, made in outcome.predicted.items():
            pixels = 255 * (made[some] * parts.deviation + parts.mean)
            arrays[f"predicted {name}"] = (
                np.clip(pixels, 0, 255).round().astype(np.uint8).reshape(len(some), form.rest, -1)
            )
    else:
        for i, weights in enumerate(outcome.network.weights):
            arrays |= {f"{i}.{name}": value.astype(np.float16) for name, value in weights.items()}
        arrays["errors"] = outcome.network.errors.astype(np.float16)
        report("the long series", 0.95)
        series = _series.of(dataset, 2 * form.steps)
        if series is not None:
            methods: list[tuple[str, str, Callable[[Rows], Rows]]] = [
                ("network", title("network"), outcome.network.forecast)
            ]
            if best not in ("mean", "last"):
                methods.append((best, title(best), outcome.plain[best].predict))
            labels = datasets.arrays(dataset).labels[parts.rows["held"]]
            facts["series"], more = _series.answered(form, methods, parts.held, labels, series)
            arrays |= more
    return Answer(facts, arrays)


def plain_of_films(form: Form, parts: Cut, side: tuple[int, int, int]) -> dict[str, Callable[[], Plain]]:
    """The plain methods for films of frames (H, W, C): the usual ones see the first `COMPONENTS` principal components of what is given, and
    one moves the last frame on."""
    from sklearn.decomposition import PCA

    given, rest = form.parts(parts.train)
    pca = PCA(min(COMPONENTS, len(given)), svd_solver="randomized", random_state=0).fit(given)

    def seen(x: Rows) -> Rows:
        return np.asarray(pca.transform(x), np.float32)

    def through(make: Callable[[], Plain]) -> Callable[[], Plain]:
        def made() -> Plain:
            plain = make()
            return Plain(
                lambda x: plain.predict(seen(x)), f"{plain.setting}, of {pca.n_components_} principal components"
            )

        return made

    usual = forecasting.plain_methods(given, rest, form.channels)
    reduced = forecasting.plain_methods(seen(given), rest, form.channels, TUNED_ON)
    black = -parts.mean / parts.deviation
    moved = {"moved": lambda: moving_on(form, parts.held, side, black)}
    return {"mean": usual["mean"], "last": usual["last"], **moved} | {
        name: through(reduced[name]) for name in ("ridge", "neighbours", "kernel")
    }


def moving_on(form: Form, held: Rows, side: tuple[int, int, int], black: float) -> Plain:
    """The last frame, moved on as its centre of mass moved before. Over how many frames that is looked at is what serves held-out rows
    (V, T, C) best."""
    given, rest = form.parts(held)
    tried = [back for back in (1, 2, 3, 5) if back < form.given]
    errors = [float(np.square(_moved(given, back, form, side, black) - rest).mean()) for back in tried]
    back = tried[int(np.argmin(errors))]
    return Plain(lambda x: _moved(x, back, form, side, black), f"speed over {back} frames")


def _moved(given: Rows, back: int, form: Form, side: tuple[int, int, int], black: float) -> Rows:
    from scipy.ndimage import shift

    frames = given.reshape(len(given), form.given, *side)
    ink = np.maximum(frames - black, 0).sum(4) + 1e-9
    y, x = np.mgrid[: side[0], : side[1]]
    centres = np.stack([(ink * axis).sum((2, 3)) / ink.sum((2, 3)) for axis in (y, x)], 2)
    speed = (centres[:, -1] - centres[:, -1 - back]) / back
    out = np.empty((len(given), form.rest, *side), np.float32)
    for i, (last, by) in enumerate(zip(frames[:, -1], speed.tolist(), strict=True)):
        for k in range(form.rest):
            out[i, k] = shift(last, [by[0] * (k + 1), by[1] * (k + 1), 0], order=1, cval=black)
    return out.reshape(len(given), -1)


def described(name: str, outcome: Outcome, unit: float) -> dict[str, Any]:
    """A method's errors, how it is set, and the processor seconds that it took."""
    network = outcome.network
    setting = f"{len(network.weights)} networks of {network.units} units, noise {network.noise:g}"
    return {
        "name": name,
        "title": title(name),
        "ours": name == "network",
        "error": _round(unit * outcome.error(name)),
        "horizon": [_round(unit * value) for value in outcome.by_horizon(name).tolist()],
        "setting": outcome.plain[name].setting if name in outcome.plain else setting,
        "seconds": round(outcome.seconds[name], 2),
    }


def title(name: str) -> str:
    """What a method is called on pages."""
    return "last frame, moved on" if name == "moved" else TITLES[name]


def verdict(outcome: Outcome, apart: forecasting.Difference, unit: float, film: bool) -> dict[str, str]:
    """Who goes on better, in a sentence that the network can lose; and the same for the table of all labs (see `models.labs`)."""
    best = outcome.best
    against = title(best)
    ours, theirs = (f"{unit * outcome.error(name):.3g}" for name in ("network", best))
    by = f"squared error {ours} against {theirs}"
    between = lead(-unit * apart.high, -unit * apart.low, "{:.2g}".format)
    rest = "next frames" if film else "rest"
    told = {"against": against, "by": by}
    known = float(np.square(outcome.truth - outcome.predicted["mean"]).mean())
    if min(outcome.error("network"), outcome.error(best)) > WORST * known:
        words = f"Nobody knows how it goes on: the mean of all has squared error {unit * known:.3g}, the network {ours}, {against} {theirs}."
        return {**told, "won": "open", "verdict": words}
    if apart.tied:
        words = f"A tie: the {rest} of the network and of {against}, the best plain method, have squared error {ours} and {theirs} {between}."
        return {**told, "won": "tie", "verdict": words}
    if apart.mean < 0:
        words = f"The network wins: the squared error of its {rest} is {ours}, against {theirs} of {against}, the best plain method {between}."
        return {**told, "won": "network", "verdict": words}
    words = f"{against[0].upper()}{against[1:]}, a plain method, wins: the squared error of its {rest} is {theirs}, against {ours} of the network {between}."
    return {**told, "won": "plain", "verdict": f"{words}{still(outcome)}"}


def still(outcome: Outcome) -> str:
    """Why one would want the network all the same, where there is a reason."""
    network = outcome.network
    numbers = sum(int(value.size) for weights in network.weights for value in weights.values())
    kept = {"kernel": "every training row and its weights", "neighbours": "every training row"}.get(outcome.best)
    fan_words = f"the network says how sure it is, by a fan that holds {100 * forecasting.inside(outcome.truth, outcome.draws):.0f} % of the truth"
    if kept is None:
        return f" Still, {fan_words}."
    return f" Still, it keeps {kept}; the network keeps {numbers:,} numbers, however many rows it learns from, and {fan_words[len('the network ') :]}."


def _round(value: float) -> float:
    return float(f"{value:.5g}")


def libraries() -> str:
    """What the plain methods are from."""
    from importlib.metadata import version

    return f"scikit-learn {version('scikit-learn')}"


LAB = Lab(
    name="sequences",
    title="Sequences",
    question="How does it go on, and how sure can one be?",
    of="dataset",
    fits=fits,
    answer=answer,
    settings={"given": 0.5},
    version=2,
    shipped=("waves", "heartbeats", "moving-digits"),
)

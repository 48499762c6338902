"""What is left of a sample in a few numbers? A run's codes beside PCA, t-SNE and UMAP, with as many numbers each.

All are measured on the same test samples: whether neighbours stay neighbours (trustworthiness and continuity, Venna and Kaski
2006), whether those that lie nearest are of the same class, and how much is lost on the way back. A run, PCA and UMAP have
learnt from training samples and place the test samples, which are new to them; t-SNE (van der Maaten and Hinton 2008) cannot do
that, so it is made of the test samples themselves, which is in its favour.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib.metadata import version
from importlib.util import find_spec
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models import Problem, datasets, kinds
from models.analysis import metrics
from models.codes import Floats, Plane, to_float
from models.labs import Answer, Finding, Lab, Report, Settings
from models.runs import Run

LEARNT = 4000  # training samples that UMAP learns from: of more than 4,096 it looks for neighbours another way, which takes minutes
UMAP_NEIGHBOURS = 15  # as many as umap-learn takes by itself
ALONE = 20  # new samples that are placed one by one, to tell the time of one
SHOWN, LIKE = 300, 5  # test samples that are drawn, and how many of the others that are most like each
LEVELS = 1023  # places along each side of a drawn map
TIE = 2.0  # standard errors of the difference


@dataclass(frozen=True)
class Measure:
    """What is compared: its title, whether more is better, how its values are written, and what is said before them."""

    title: str
    more: bool
    form: str
    said: str = ""

    def written(self, value: float) -> str:
        """A value in words."""
        return self.form.format(100 * value if "%" in self.form else value)


MEASURES = {
    "trustworthiness": Measure("trustworthiness", True, "{:.3f}"),
    "continuity": Measure("continuity", True, "{:.3f}"),
    "classes": Measure("neighbours of the same class", True, "{:.1f} %"),
    "error": Measure("the way back", False, "{:.4f}", "error "),
}


@dataclass(frozen=True)
class Placed:
    """Where a method puts the test samples (N, size). how: how it comes to these numbers, in words; errors: mean squared error
    of what comes back of each (N,), None where there is no way back; seconds: of one processor, to learn and to place; again:
    milliseconds for one new sample, None where everything has to be made anew."""

    name: str
    title: str
    how: str
    codes: Floats
    errors: Floats | None
    seconds: float
    again: float | None


Values = Mapping[str, NDArray[np.float64]]
"""A value of each test sample (N,) by measure; of classes only for those that have one."""


def fits(run: Run) -> str:
    """Ranks and shares need some samples."""
    count = next((one.count for one in run.card.metrics if one.name == "mse" and one.split == "test"), 0)
    if count < metrics.LEAST:
        return f"its test split has {count} samples, and this lab takes {metrics.LEAST} at least"
    return ""


def measured(samples: Floats, labels: NDArray[np.int32], one: Placed) -> Values:
    """What a method keeps of samples (N, F) with labels (N,), -1 for none."""
    trust, continuity = metrics.neighbourhoods_of_each(samples, one.codes)
    values = {"trustworthiness": trust, "continuity": continuity}
    known = labels >= 0
    if known.sum() >= metrics.LEAST and len(np.unique(labels[known])) > 1:
        values["classes"] = metrics.same_class(one.codes[known], labels[known]).astype(np.float64)
    if one.errors is not None:
        values["error"] = one.errors.astype(np.float64)
    return values


def compared(ours: Values, others: Mapping[str, Values]) -> list[dict[str, Any]]:
    """For each measure the best of the others, by title, and who wins: {name, won, best, ours, theirs}. A difference of no more
    than `TIE` standard errors of its mean over the samples is a tie."""
    found = []
    for name, measure in MEASURES.items():
        known = {title: values[name] for title, values in others.items() if name in values}
        if name not in ours or not known:
            continue
        sign = 1 if measure.more else -1
        best = max(known, key=lambda title: sign * float(known[title].mean()))
        apart = sign * (ours[name] - known[best])
        mean, error = float(apart.mean()), float(apart.std()) / len(apart) ** 0.5
        won = "tie" if abs(mean) <= TIE * error else "network" if mean > 0 else "plain"
        told = {"ours": round(float(ours[name].mean()), 6), "theirs": round(float(known[best].mean()), 6)}
        found.append({"name": name, "won": won, "best": best, **told})
    return found


def sentence(found: list[dict[str, Any]]) -> str:
    """Who wins at what."""
    parts: dict[str, list[str]] = {}
    for one in found:
        measure = MEASURES[one["name"]]
        ours, theirs = measure.written(one["ours"]), measure.written(one["theirs"])
        if one["won"] == "network":
            parts.setdefault("this run wins at", []).append(
                f"{measure.title} ({measure.said}{ours}, {one['best']} {theirs})"
            )
        elif one["won"] == "plain":
            parts.setdefault(f"{one['best']} wins at", []).append(
                f"{measure.title} ({measure.said}{theirs}, this run {ours})"
            )
        else:
            parts.setdefault("a tie at", []).append(
                f"{measure.title} ({measure.said}this run {ours}, {one['best']} {theirs})"
            )
    return "; ".join(f"{who} {joined(what)}" for who, what in parts.items()) + "."


def joined(words: list[str]) -> str:
    """Several things as one part of a sentence."""
    return " and ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)


def finding(found: list[dict[str, Any]]) -> Finding:
    """The run wins where it is ahead in more measures than it is behind in."""
    ahead, behind = (sum(one["won"] == who for one in found) for who in ("network", "plain"))
    first = found[0]
    measure = MEASURES[first["name"]]
    figures = f"{measure.title} {measure.written(first['ours'])} against {measure.written(first['theirs'])}"
    by = f"ahead in {ahead} of {len(found)} measures, behind in {behind}: {figures}"
    return Finding("network" if ahead > behind else "plain" if behind > ahead else "tie", first["best"], by)


def answer(run: Run, settings: Settings, report: Report) -> Answer:
    """Every method at the run's own code size and, where that is more, at two numbers, as on a map.

    facts: {count, many, sizes [{size, methods [{name, title, how, seconds, again, and the mean of each measure that it has}],
    measures (see `compared`), verdict}], classes, libraries, verdict, and the finding}, the run's own size first. arrays, of the samples
    that are drawn: "places" (S,) among the run's stored codes, "labels" (S,), "like" (S, K) the most similar of them, and
    "map <name>" (S, 2) in whole numbers from 0 to `LEVELS`, at the last of the sizes.
    """
    report("reading the test samples", 0.0)
    dataset, splits = run.dataset, run.dataset.splits()
    rows = np.flatnonzero(splits == datasets.TEST)[: int(settings["samples"])]
    stored = np.asarray(datasets.samples_at(dataset, rows))
    labels = np.asarray(datasets.arrays(dataset).labels[rows], np.int32)
    samples = to_float(stored).reshape(len(rows), -1)
    if len(rows) < metrics.LEAST or not np.ptp(samples, axis=0).any():
        raise Problem("the test samples are too few, or all the same", do="bring more samples")
    train = np.flatnonzero(splits == datasets.TRAIN)
    sizes = [run.code_size] if run.code_size <= 2 else [run.code_size, 2]
    ours = Ours(run, stored)
    pca = Pca(np.asarray(datasets.samples_at(dataset, train)), run.code_size, samples)
    learnt = to_float(np.asarray(datasets.samples_at(dataset, spread(train, LEARNT)))).reshape(-1, samples.shape[1])
    facts_of: list[dict[str, Any]] = []
    maps: dict[str, Floats] = {}
    many = f"{len(rows):,} test {kinds.get(run.kind).many}"
    for i, size in enumerate(sizes):

        def tell(what: str, share: float, part: float = i / len(sizes)) -> None:
            report(f"{what}, {size} numbers", 0.1 + 0.9 * (part + share / len(sizes)))  # noqa: B023  # called at once

        placed = [ours.placed(size), pca.placed(size)]
        if size <= 2:
            tell("t-SNE", 0.1)
            placed.append(by_tsne(samples, size))
        if find_spec("umap") is not None and len(learnt) > max(
            UMAP_NEIGHBOURS, size + 1
        ):  # it begins with eigenvectors
            tell("UMAP", 0.4)
            placed.append(by_umap(learnt, samples, size))
        tell("neighbours", 0.9)
        values = {one.title: measured(samples, labels, one) for one in placed}
        own, *others = values
        found = compared(values[own], {title: values[title] for title in others})
        methods = [described(one, values[one.title]) for one in placed]
        begin = "With its codes flattened to two numbers, as on its map" if i else f"At {numbers(size)}, over {many}"
        said = f"{begin}: {sentence(found)}"
        facts_of.append({"size": size, "methods": methods, "measures": found, "verdict": said})
        maps = {one.name: one.codes for one in placed}
    facts = {
        "count": len(rows),
        "many": many,
        "sizes": facts_of,
        "classes": list(run.classes),
        "libraries": libraries(),
        "verdict": " ".join(one["verdict"] for one in facts_of),
        **finding(facts_of[0]["measures"]).facts,
    }
    return Answer(facts, drawn(run, rows, samples, labels, maps))


def numbers(size: int) -> str:
    """A code size in words."""
    return "one number" if size == 1 else "two numbers" if size == 2 else f"{size} numbers"


def spread(rows: NDArray[np.int64], most: int) -> NDArray[np.int64]:
    """At most so many of these, evenly spread."""
    return np.asarray(rows[np.linspace(0, len(rows) - 1, min(most, len(rows))).astype(int)], np.int64)


def timed(work: Callable[[], Any]) -> tuple[Any, float]:
    """What it gives, and the seconds of one processor that it took."""
    begun = time.process_time()
    return work(), time.process_time() - begun


def alone(place: Callable[[int], Any], count: int) -> float:
    """Milliseconds of one processor to place one of so many samples by itself; the first may take longer."""
    place(0)
    some = range(min(ALONE, count))
    return 1000 * timed(lambda: [place(i) for i in some])[1] / len(some)


def errors_of(samples: Floats, made: Floats) -> Floats:
    """Mean squared error of each (N,)."""
    return metrics.squared_errors(samples, made.reshape(samples.shape))


class Ours:
    """The run: its codes of stored samples (N, *shape) and, for fewer numbers, these in the plane of its map."""

    def __init__(self, run: Run, stored: NDArray[np.generic]) -> None:
        self.run, self.stored = run, stored
        self.samples = to_float(stored).reshape(len(stored), -1)
        self.codes, self.seconds = timed(lambda: run.coder.encode(stored))
        self.again = alone(lambda i: run.coder.encode(stored[i : i + 1]), len(stored))

    def placed(self, size: int) -> Placed:
        """At its own code size, or flattened to two."""
        codes, kept, title, how = self.codes, self.codes, "this run", "its encoder"
        if size < self.run.code_size:
            plane = self.run.pca
            assert plane is not None  # of every run with more than two numbers
            codes = plane.project(codes)
            kept = np.asarray(codes @ plane.components + plane.mean, np.float32)
            how = f"its encoder, then the {self.run.code_size} numbers flattened by PCA, as on its map"
        errors = errors_of(self.samples, self.run.coder.decode(kept))
        return Placed("run", title, how, codes, errors, self.run.card.training.seconds + self.seconds, self.again)


class Pca:
    """PCA of all training samples (M, *shape): the first of its components, and samples (N, F) that it places."""

    def __init__(self, train: NDArray[np.generic], size: int, samples: Floats) -> None:
        self.samples = samples
        self.plane, self.fitted = timed(lambda: metrics.fit_pca(train, size))

    def placed(self, size: int) -> Placed:
        """With so many components, or as many as there are."""
        plane = Plane(self.plane.mean, self.plane.components[:size])
        codes, seconds = timed(lambda: plane.project(self.samples))
        again = alone(lambda i: plane.project(self.samples[i : i + 1]), len(codes))
        errors = errors_of(self.samples, codes @ plane.components + plane.mean)
        return Placed("pca", "PCA", "a straight projection", codes, errors, self.fitted + seconds, again)


def by_tsne(samples: Floats, size: int) -> Placed:
    """A t-SNE of the test samples (N, F) themselves."""
    from sklearn.manifold import TSNE

    start = "pca" if samples.shape[1] >= size else "random"
    layout = TSNE(size, perplexity=min(30.0, (len(samples) - 1) / 3), init=start, random_state=0, n_jobs=1)
    codes, seconds = timed(lambda: layout.fit_transform(samples))
    how = "made of these test samples: it cannot place others"
    return Placed("tsne", "t-SNE", how, np.asarray(codes, np.float32), None, seconds, None)


def by_umap(learnt: Floats, samples: Floats, size: int) -> Placed:
    """UMAP (McInnes et al. 2018), fitted to training samples (M, F), which places test samples (N, F)."""
    from umap import UMAP  # type: ignore[import-not-found]

    def made() -> Any:
        return UMAP(n_components=size, n_neighbors=UMAP_NEIGHBOURS, random_state=0, n_jobs=1)

    made().fit(learnt[: max(100, 2 * size)]).transform(
        samples[:5]
    )  # it is compiled at its first use, which would be timed with it
    layout = made()
    codes, seconds = timed(lambda: layout.fit(learnt).transform(samples))
    again = alone(lambda i: layout.transform(samples[i : i + 1]), 5)
    how = f"learnt from {len(learnt):,} training samples"
    return Placed("umap", "UMAP", how, np.asarray(codes, np.float32), None, seconds, again)


def described(one: Placed, values: Values) -> dict[str, Any]:
    """A method in plain values, with the means of what was measured."""
    means = {name: round(float(each.mean()), 6) for name, each in values.items()}
    again = None if one.again is None else round(one.again, 4)
    return {
        **{"name": one.name, "title": one.title, "how": one.how, "seconds": round(one.seconds, 3), "again": again},
        **means,
    }


def drawn(
    run: Run, rows: NDArray[np.int64], samples: Floats, labels: NDArray[np.int32], maps: Mapping[str, Floats]
) -> dict[str, NDArray[np.generic]]:
    """What is drawn of the test samples whose codes are stored with the run: see `answer`."""
    places = np.full(int(max(rows.max(), run.rows.max(initial=0))) + 1, -1)
    places[run.rows] = np.arange(run.count)
    some = np.flatnonzero(places[rows] >= 0)[:SHOWN]
    like = np.zeros((len(some), 0), np.uint16)
    if len(some) > LIKE:
        like = metrics.nearest_first(samples[some])[:, :LIKE].astype(np.uint16)
    return {
        "places": places[rows[some]].astype(np.int32),
        "labels": labels[some].astype(np.int16),
        "like": like,
        **{f"map {name}": on_grid(codes[some]) for name, codes in maps.items()},
    }


def on_grid(codes: Floats) -> NDArray[np.uint16]:
    """Points (S, 1 or 2) in whole numbers from 0 to `LEVELS`, in the middle of a square, both directions with one scale."""
    points = codes.astype(np.float64)
    if points.shape[1] == 1:
        points = np.column_stack([points[:, 0], np.zeros(len(points))])
    if not len(points):
        return np.zeros((0, 2), np.uint16)
    low, high = points.min(0), points.max(0)
    wide = max(float((high - low).max()), 1e-12)
    placed: NDArray[np.uint16] = np.rint(LEVELS * ((points - (low + high) / 2) / wide + 0.5)).astype(np.uint16)
    return placed


def libraries() -> str:
    """What the plain methods are from."""
    names = ["scikit-learn"] + (["umap-learn"] if find_spec("umap") is not None else [])
    return ", ".join(f"{name} {version(name)}" for name in names)


LAB = Lab(
    name="codes",
    title="Codes",
    question="What is left of a sample in a few numbers?",
    fits=fits,
    answer=answer,
    settings={"samples": 1000},
    shipped=(
        "mnist-variational",
        *(f"mnist-{name}" for name in ("wide", "narrow", "modern-30", "denoising")),
        *(f"fashion-mnist-{name}" for name in ("modern", "variational", "modern-16")),
        *(f"digits-{name}" for name in ("single-layer", "multi-layer", "convolutional", "variational")),
        *("digits-modern-8", "digits-denoising"),
        *(f"{data}-convolutional-variational{size}" for data in ("cats", "shapes") for size in ("-2", "")),
        *(f"{data}-modern-convolutional-2" for data in ("cats", "shapes")),
    ),
)

"""Can it make new samples? Codes are drawn from how a run's codes are spread, decoded, and held against real samples.

A plain autoencoder does not say where its codes lie, so it draws nothing by itself: what draws is a density that is fitted to
the codes of training samples (`models/density.py`). Drawn samples are compared with real ones in the features of a small
network (`_judge.py`): the Frechet distance, beside what real samples have among themselves; precision and recall; and
whether they are copies, by the nearest training sample. The plain alternative is PCA with densities of the same kind.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from importlib.metadata import version
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models import Problem, datasets, density, kinds
from models.analysis import densities, likeness, metrics
from models.codes import Floats, Plane, to_float
from models.datasets import TEST, TRAIN, VALIDATION
from models.density import Codes, Density
from models.labs import Answer, Finding, Lab, Report, Settings, _judge
from models.runs import Run
from models.runs.zoo import ZOO

NUMBERS = 40_000  # that a density of an answer holds, at most
VALUES = 20_000_000  # numbers of all samples that are drawn at once: of large ones fewer are drawn
REPEATS = 3  # draws of each way, whose spread says what is chance
LOOKED_AT = 3000  # samples of which precision and recall are measured: it grows with the square
PRODUCTS = 2e10  # of the search for the nearest training samples, at most: about a second
COMPARED = (40, 500)  # samples that are searched for, at least and at most
CLOSE = 0.01  # of the real samples that the network never saw lie nearer to a training sample: nearer ones are called copies
SHOWN = 12  # drawn samples that are shown beside their nearest training samples
MORE = (32, 64)  # components of PCA that are tried beside the code's own number
TIE = 2.0  # standard errors of the difference
FEWEST = 100  # test samples below which nothing is said
CLASS_STEPS, FACTOR_STEPS = (0.0, 0.5, 1.0, 1.5, 2.0), (-2.0, -1.0, 0.0, 1.0, 2.0)
MOVED = 200  # samples that are moved along an attribute
LARGEST_COUNT = 10_000


@dataclass(frozen=True)
class Way:
    """One way of drawing. setting: what was chosen for it, in words; draw(count, seed): samples (count, *shape) as models see
    them; ours: whether this run's decoder makes them."""

    name: str
    title: str
    setting: str
    draw: Callable[[int, int], Floats]
    ours: bool = True


@dataclass(frozen=True)
class Real:
    """Real samples: features of test and validation samples, and of as many training samples as are drawn, `REPEATS` times."""

    test: Floats
    validation: Floats
    train: list[Floats]
    count: int


def fits(_run: Run) -> str:
    """Every decoder draws something."""
    return ""


def answer(run: Run, settings: Settings, report: Report) -> Answer:
    """Every way of drawing, beside real samples.

    facts: {kind, classes, count (drawn), tested, judge {title, digest}, floor, floor_spread, ways [{name, title, setting, ours,
    distance, spread, precision, recall, copies (share, of ours)}], chosen (name), sizes [components], curve [distance of each],
    copies {close (distance), real, reconstructed (shares), count}, attributes [{name, class, asked [], reached [], others []}],
    bandwidth, libraries, verdict, won, against, by}. Distances are Frechet distances to the test samples. arrays: "mixture-K" and
    "classes": bytes of densities (see `density.unpacked`); "kernel" (D, D) the kernel's factor; "directions" (A, D): what a step
    of each attribute adds to a code; "drawn" (K, D) codes, "nearest" (K,) rows of the nearest training samples,
    "labels" (K,) of these, "distances" (K,) to them.
    """
    dataset = run.dataset
    content, splits = datasets.arrays(dataset), dataset.splits()
    test, held, train = (np.flatnonzero(splits == split) for split in (TEST, VALIDATION, TRAIN))
    if len(test) <= likeness.NEIGHBOURS or len(held) <= likeness.NEIGHBOURS:
        raise Problem("this dataset has too few test or validation samples", do="bring more samples")

    def samples(rows: NDArray[np.int64]) -> Floats:
        return to_float(np.asarray(content.samples[rows]))

    judge = _judge.of(run, lambda share: report("training the network that judges", 0.3 * share))
    report("how the codes are spread", 0.3)
    codes = densities.codes_of(run)
    found, spread = ways(run, codes, partial(report, "fitting densities"))
    report("looking at real samples", 0.6)
    count = min(int(settings["count"]), max(len(train) // REPEATS, 2), max(200, VALUES // int(np.prod(run.shape))))
    order = np.random.default_rng(0).permutation(train)
    real = Real(
        judge.features(samples(test[:LARGEST_COUNT])),
        judge.features(samples(held[: density.HELD])),
        [judge.features(samples(order[i * count : (i + 1) * count])) for i in range(REPEATS)],
        count,
    )
    best = {True: "", False: ""}
    least = {True: np.inf, False: np.inf}
    for i, way in enumerate(found):  # chosen by validation samples alone
        report(f"drawing: {way.title}", 0.6 + 0.1 * i / len(found))
        apart = likeness.frechet(judge.features(way.draw(min(count, density.HELD), 100)), real.validation)
        if apart < least[way.ours]:
            best[way.ours], least[way.ours] = way.name, apart
    copies = Copies.of(run, samples(test), content.samples, train)
    measured = []
    for i, way in enumerate(found):
        report(f"comparing: {way.title}", 0.7 + 0.2 * i / len(found))
        measured.append(compared(way, real, judge, copies))
    floors = [likeness.frechet(some, real.test) for some in real.train]
    report("moving along attributes", 0.92)
    directions, told = attributes(run, judge, codes, samples(test[:MOVED]))
    mine = next(way for way in found if way.name == best[True])
    curve = [next(one["distance"] for one in measured if one["name"] == f"mixture-{k}") for k in spread.sizes]
    drawn = spread.of(mine.name).draw(SHOWN, 7) if mine.name != "prior" else prior(run, SHOWN, 7)
    distances, places = likeness.nearest(run.coder.decode(drawn), likeness.Rows(content.samples, train))
    facts: dict[str, Any] = {
        "kind": run.kind,
        "classes": list(run.classes),
        "count": count,
        "tested": len(real.test),
        "judge": {"title": judge.title, "digest": judge.digest},
        "floor": float(np.mean(floors)),
        "floor_spread": float(np.std(floors, ddof=1)),
        "ways": measured,
        "chosen": best[True],
        "sizes": list(spread.sizes),
        "curve": curve,
        "copies": copies.facts,
        "attributes": told,
        "bandwidth": spread.kernel.bandwidth,
        "libraries": f"scikit-learn {version('scikit-learn')}",
    }
    facts |= outcome(facts, best[False])
    return Answer(
        facts,
        {
            **{f"mixture-{k}": np.frombuffer(one.packed(), np.uint8) for k, one in spread.mixtures.items()},
            **({} if spread.classes is None else {"classes": np.frombuffer(spread.classes.packed(), np.uint8)}),
            "kernel": spread.kernel.factor,
            "directions": directions,
            "drawn": drawn,
            "nearest": train[places].astype(np.int32),
            "distances": distances,
            "labels": np.asarray(content.labels[train[places]], np.int32),
        },
    )


# Ways of drawing


@dataclass(frozen=True)
class Spread:
    """What is known of how a run's codes are spread: mixtures by their number of components, one for each class as one where
    classes are known, and the kernel density."""

    mixtures: dict[int, Density]
    classes: Density | None
    kernel: density.Kernel

    @property
    def sizes(self) -> tuple[int, ...]:
        """The numbers of components."""
        return tuple(self.mixtures)

    def of(self, name: str) -> Density | density.Kernel:
        """The density behind a way of drawing."""
        if name == "kernel":
            return self.kernel
        if name == "classes":
            assert self.classes is not None
            return self.classes
        return self.mixtures[int(name.removeprefix("mixture-"))]


def spread_of(codes: Codes, tell: Callable[[float], None]) -> Spread:
    """Densities of codes, fitted to training codes, with settings that held-out codes chose."""
    size = codes.train.shape[1]
    mixtures: dict[int, Density] = {}
    for i, count in enumerate(density.COMPONENTS):
        tell(0.5 * i / len(density.COMPONENTS))
        enough = count * density.FEWEST <= len(codes.train) and density.numbers(count, size) <= NUMBERS
        if count > 1 and not enough:
            break
        try:
            mixtures[count] = density.mixture(codes.train, count, ridge=ridge_of(codes))
        except ValueError:  # fewer different codes than components
            break
    known = {
        count: density.with_shares(one, codes.train, codes.labels, codes.classes) if codes.classed else one
        for count, one in mixtures.items()
    }
    classes = density.best(codes, NUMBERS, lambda share: tell(0.5 + 0.4 * share)) if codes.classed else None
    if classes is not None and classes.shares.shape[1] == 0:
        classes = None  # there is no room for a component of each class
    tell(0.9)
    return Spread(known, classes, density.kernel(codes))


def ridge_of(codes: Codes) -> float:
    """What is added to the variances so that held-out codes are likeliest: more where there are few codes for their size."""
    return max(density.RIDGES, key=lambda ridge: density.held_out(density.mixture(codes.train, 1, ridge), codes))


def prior(run: Run, count: int, seed: int) -> Floats:
    """Codes (count, D) from the standard normal distribution that a variational run was trained towards."""
    return np.random.default_rng(seed).standard_normal((count, run.code_size)).astype(np.float32)


def ways(run: Run, codes: Codes, report: Callable[[float], None]) -> tuple[list[Way], Spread]:
    """Every way of drawing with this run's decoder, and with PCA's instead."""
    spread = spread_of(codes, lambda share: report(0.3 + 0.2 * share))
    decode = run.coder.decode

    def decoded(one: Density | density.Kernel, count: int, seed: int) -> Floats:
        return decode(one.draw(count, seed))

    out = []
    if run.variational:
        out.append(Way("prior", "The prior", "a standard normal", lambda count, seed: decode(prior(run, count, seed))))
    for k, one in spread.mixtures.items():
        title = "One Gaussian" if k == 1 else f"Mixture of {k}"
        out.append(Way(f"mixture-{k}", title, "", partial(decoded, one)))
    if spread.classes is not None:
        chosen = f"{spread.classes.count} Gaussians in all"
        out.append(Way("classes", "Mixtures, one for each class", chosen, partial(decoded, spread.classes)))
    bandwidth = f"bandwidth {spread.kernel.bandwidth:g}"
    out.append(Way("kernel", "Kernel density", bandwidth, partial(decoded, spread.kernel)))
    report(0.5)
    return out + by_pca(run, codes, lambda share: report(0.5 + 0.1 * share)), spread


def by_pca(run: Run, codes: Codes, tell: Callable[[float], None]) -> list[Way]:
    """PCA with as many numbers as the code has, and with `MORE`, each with the density that held-out samples chose."""
    dataset = run.dataset
    content, splits = datasets.arrays(dataset), dataset.splits()
    rows, held = (
        np.flatnonzero(splits == split)[:most] for split, most in ((TRAIN, density.FITTED), (VALIDATION, density.HELD))
    )
    planes = {len(run.baseline.components): run.baseline}
    more = [size for size in MORE if 1.5 * run.code_size < size <= int(np.prod(run.shape))]
    if more:
        largest = metrics.fit_pca(np.asarray(content.samples[rows[:5000]]), more[-1])
        planes |= {size: Plane(largest.mean, largest.components[:size]) for size in more}
    out = []
    for i, (size, plane) in enumerate(planes.items()):
        tell(i / len(planes))
        some = [
            np.concatenate(
                [_projected(plane, content.samples[part]) for part in np.array_split(which, 10) if len(part)]
            )
            for which in (rows, held)
        ]
        found = density.best(dataclasses.replace(codes, train=some[0], held=some[1]), NUMBERS)
        setting = f"{size} numbers, {found.count} Gaussians in all"
        out.append(
            Way(f"pca-{size}", f"PCA with {size} numbers", setting, partial(_from_pca, run, plane, found), ours=False)
        )
    return out


def _projected(plane: Plane, stored: NDArray[np.generic]) -> Floats:
    return plane.project(to_float(np.asarray(stored)).reshape(len(stored), -1))


def _from_pca(run: Run, plane: Plane, spread: Density, count: int, seed: int) -> Floats:
    made = (spread.draw(count, seed) @ plane.components + plane.mean).reshape(-1, *run.shape)
    return np.clip(made, 0, 1) if kinds.get(run.kind).pixels else made


# Measuring


def compared(way: Way, real: Real, judge: _judge.Judge, copies: Copies) -> dict[str, Any]:
    """How near what is drawn comes to the test samples, as a fact."""
    made = [judge.features(way.draw(real.count, seed)) for seed in range(REPEATS)]
    apart = [likeness.frechet(some, real.test) for some in made]
    precision, recall = likeness.precision_recall(real.test[:LOOKED_AT], made[0][:LOOKED_AT])
    return {
        "name": way.name,
        "title": way.title,
        "setting": way.setting,
        "ours": way.ours,
        "distance": float(np.mean(apart)),
        "spread": float(np.std(apart, ddof=1)),
        "precision": precision,
        "recall": recall,
        "copies": copies.share(way.draw(copies.count, 50)) if way.ours else None,
    }


@dataclass(frozen=True)
class Copies:
    """What counts as a copy: what lies nearer to a training sample than all but `CLOSE` of the unseen real samples do.

    close: that distance, the root of the mean squared difference. reconstructed: the share of reconstructed unseen samples that
    do, since what a decoder draws is smoother than what is real. count: how many samples are searched for.
    """

    among: likeness.Rows
    close: float
    reconstructed: float
    count: int

    @classmethod
    def of(cls, run: Run, test: Floats, stored: NDArray[np.generic], train: NDArray[np.int64]) -> Copies:
        """Measured on the first test samples (N, *shape)."""
        among = likeness.Rows(stored, train)
        fewest, most = COMPARED
        count = int(np.clip(PRODUCTS / (len(train) * np.prod(run.shape)), fewest, most))
        some = test[:count]
        close = float(np.quantile(likeness.nearest(some, among)[0], CLOSE))
        again, _ = likeness.nearest(run.coder.decode(run.coder.encode(some)), among)
        return cls(among, close, float((again < close).mean()), count)

    def share(self, samples: Floats) -> float:
        """The share of samples (N, *shape) that are copies."""
        return float((likeness.nearest(samples, self.among)[0] < self.close).mean())

    @property
    def facts(self) -> dict[str, Any]:
        """As facts."""
        return {"close": self.close, "real": CLOSE, "reconstructed": self.reconstructed, "count": self.count}


def copied(facts: dict[str, Any], way: dict[str, Any]) -> bool:
    """Whether more of what is drawn are copies than there would be of real and of reconstructed unseen samples, twice over."""
    expected = max(CLOSE, facts["copies"]["reconstructed"])
    error = (expected * (1 - expected) / facts["copies"]["count"]) ** 0.5
    return bool(way["copies"] > 2 * expected + TIE * error)


# Attributes


def attributes(run: Run, judge: _judge.Judge, codes: Codes, test: Floats) -> tuple[Floats, list[dict[str, Any]]]:
    """What a step of each attribute adds to a code (A, D), and what it does to test samples (N, *shape), by the judge.

    Of known factors a step is a standard deviation, the others held still: codes are regressed on all factors at once. Of
    classes it is the way from the mean of all codes to the mean of the class. reached: of factors by how many standard deviations
    the judge sees it move, of classes the share that it reads as that class. others: by how much the factor that moves most
    among the others moves; of classes None.
    """
    if judge.reader is None:
        return np.zeros((0, run.code_size), np.float32), []
    code = run.coder.encode(test)
    if judge.factors:
        content, train = datasets.arrays(run.dataset), np.flatnonzero(run.dataset.splits() == TRAIN)
        _, values = _judge.known_factors(
            run.dataset, content.factors[train], np.asarray(content.labels[train], np.int32)
        )
        assert judge.mean is not None and judge.deviation is not None
        inputs = (values[: len(codes.train)] - judge.mean) / judge.deviation
        ones = np.ones((len(inputs), 1), np.float32)
        # Of classes each has a column, so that a factor is what differs within them.
        of_class = np.eye(codes.classes, dtype=np.float32)[codes.labels] if codes.classed else ones
        directions = np.linalg.lstsq(np.hstack([inputs, of_class]), codes.train, rcond=None)[0][: inputs.shape[1]]
        directions = directions.astype(np.float32)
        told = [_moved_factor(run, judge, code, directions[k], k) for k in range(len(directions))]
        return directions, told
    if not codes.classed:
        return np.zeros((0, run.code_size), np.float32), []
    middle = codes.train.mean(0)
    means = [codes.train[codes.labels == label].mean(0) for label in range(codes.classes)]
    directions = np.stack([mean - middle for mean in means]).astype(np.float32)
    return directions, [_moved_class(run, judge, code, directions[k], k) for k in range(len(directions))]


def _moved_factor(run: Run, judge: _judge.Judge, code: Floats, direction: Floats, k: int) -> dict[str, Any]:
    still = judge.factors_of(run.coder.decode(code))
    moves = [(judge.factors_of(run.coder.decode(code + t * direction)) - still).mean(0) for t in FACTOR_STEPS]
    others = [float(np.abs(np.delete(move, k)).max()) if len(move) > 1 else 0.0 for move in moves]
    reached = [float(move[k]) for move in moves]
    return {"name": judge.factors[k], "class": False, "asked": list(FACTOR_STEPS), "reached": reached, "others": others}


def _moved_class(run: Run, judge: _judge.Judge, code: Floats, direction: Floats, k: int) -> dict[str, Any]:
    reached = [float((judge.read(run.coder.decode(code + t * direction)) == k).mean()) for t in CLASS_STEPS]
    return {"name": run.classes[k], "class": True, "asked": list(CLASS_STEPS), "reached": reached, "others": None}


# The verdict


def outcome(facts: dict[str, Any], plain: str) -> dict[str, str]:
    """Who draws better: this run's decoder or PCA's, each by the way that validation samples chose; in a sentence, and as every
    lab's table has it."""
    ours = next(one for one in facts["ways"] if one["name"] == facts["chosen"])
    theirs = next(one for one in facts["ways"] if one["name"] == plain)
    apart = theirs["distance"] - ours["distance"]
    error = ((ours["spread"] ** 2 + theirs["spread"] ** 2) / REPEATS) ** 0.5
    won = "tie" if abs(apart) <= TIE * error else "network" if apart > 0 else "plain"
    if facts["tested"] < FEWEST:
        won = "open"
    of = kinds.get(facts["kind"]).many
    ends = {"network": "the run wins", "plain": "the run loses", "tie": "a tie", "open": "too few to tell"}[won]
    share = ours["distance"] / max(facts["floor"], 1e-12)
    words = (
        f"{facts['count']:,} drawn {of} are {_short(ours['distance'])} from real ones (Fréchet distance; real from real "
        f"{_short(facts['floor'])}, so {share:.1f} times that), {_short(theirs['distance'])} with {theirs['title']}: {ends}."
    )
    if copied(facts, ours):
        words += f" But {ours['copies']:.0%} of them are all but copies of training {of}."
    by = f"Fréchet distance {_short(ours['distance'])} against {_short(theirs['distance'])}, floor {_short(facts['floor'])}"
    return {"verdict": words, **Finding(won, theirs["title"], by).facts}


def _short(value: float) -> str:
    return f"{value:.3g}" if value < 100 else f"{value:,.0f}"


LAB = Lab(
    name="generate",
    title="Generate",
    question="Can it make new samples?",
    fits=fits,
    answer=answer,
    settings={"count": LARGEST_COUNT},
    shipped=("digits-modern-8", *sorted(set(ZOO) - {"digits-modern-8"})),
)

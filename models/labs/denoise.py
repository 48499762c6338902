"""Can it be read again? A denoising run beside the plain ways to clean a sample, by a reader that was trained on clean ones.

The same noisy test samples go through every method (`models/analysis/denoising.py`); PSNR, structural similarity of images,
and, where there are classes, the share that a small classifier (`models/training/reader.py`) reads correctly. Beside them
stands an autoencoder like the run's that was trained without noise.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property, partial
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import save

from models import Problem, datasets, kinds, noise
from models.analysis import denoising, metrics
from models.codes import Floats, Plane, to_float
from models.datasets import TEST, TRAIN, VALIDATION, Dataset
from models.labs import Answer, Finding, Lab, Report, Settings
from models.runs import Run

if TYPE_CHECKING:
    from models.training.reader import Reader

# What a run that was trained with all kinds of noise is measured with: strong enough that reading gets hard.
OF_IMAGES = (("gaussian", 0.5), ("salt-and-pepper", 0.3), ("strokes", 1.0), ("watermarks", 0.7))
OF_OTHERS = (("gaussian", 0.5), ("salt-and-pepper", 0.3), ("masking", 0.3))
TITLES = {
    "gaussian": "Gaussian noise, {}",
    "salt-and-pepper": "Salt and pepper, {}",
    "masking": "Masking, {}",
    "watermark": "The watermark COPY, {}",
    "watermarks": "Watermarks never seen, {}",
    "strokes": "Strokes of a pen, {}",
    "stains": "Stains, {}",
}
NUMBERS = 800  # of a sample: of those with more fewer are taken
FEWEST = 100  # test samples, however large they are
TUNED_ON = 200  # validation samples by which strengths are chosen
FEWEST_TUNED_ON = 30
LOOKED_AT = 300  # images whose structural similarity is measured: it takes half a millisecond each
LABELLED = 50  # training samples with a label that a reader needs, at least
SHOWN, EXAMPLES = 12, 6  # test samples that the page holds, and of how many it shows what each method made
TIE = 2.0  # standard errors of the difference
CALLED_AFTER = ("gaussian", "savgol", "pca")  # methods with names of people, or letters that stand for words
PREPARED = 0.45  # share of the work before the first noise


@dataclass(frozen=True)
class Measured:
    """What a method did to noisy test samples: mean squared error of each (N,), their mean SSIM (None where that cannot be
    measured), and which of the labelled ones were read correctly (L,), None without a reader."""

    name: str
    title: str
    library: str
    setting: str
    errors: Floats
    ssim: float | None
    right: NDArray[np.bool_] | None
    shown: NDArray[np.generic]

    @property
    def psnr(self) -> float:
        """In dB; of standardised samples the ratio of signal to error, since a signal has variance 1."""
        return metrics.psnr(float(self.errors.mean()))

    @property
    def read(self) -> float | None:
        """The share read correctly."""
        return None if self.right is None else float(self.right.mean())

    def plain(self) -> dict[str, Any]:
        """As a fact."""
        return {
            "name": self.name,
            "title": self.title,
            "library": self.library,
            "setting": self.setting,
            "psnr": round(self.psnr, 3),
            "ssim": None if self.ssim is None else round(self.ssim, 4),
            "read": self.read,
        }


def fits(run: Run) -> str:
    """Only what was trained to remove noise."""
    if run.configuration.noise == "none":
        return "this run was not trained to remove noise"
    return ""


def measured_noises(run: Run) -> tuple[tuple[str, float], ...]:
    """The noises that a run is measured with, and how strong: its own, or several where it was trained with all."""
    if run.configuration.noise == "mixed":
        return OF_IMAGES if run.kind == "image" else OF_OTHERS
    return ((run.configuration.noise, run.configuration.noise_level),)


def spread(rows: NDArray[np.int64], most: int) -> NDArray[np.int64]:
    """At most so many of these, evenly spread: somebody's own images may stand class by class."""
    return np.asarray(rows[np.linspace(0, len(rows) - 1, min(most, len(rows))).astype(int)], np.int64)


def enough(shape: tuple[int, ...], most: int, fewest: int) -> int:
    """How many samples of this shape are measured with: at most so many, fewer of large ones."""
    return min(most, max(fewest, most * NUMBERS // int(np.prod(shape))))


@dataclass(frozen=True)
class Samples:
    """What is measured with: test samples (N, *shape) as they are and as models see them, with their rows and labels, the
    validation samples by which strengths are chosen, and what tells classes apart, if there is something."""

    kind: str
    shape: tuple[int, ...]
    test: NDArray[np.int64]
    clean: Floats
    labels: NDArray[np.int32]
    held: NDArray[np.int64]
    validation: Floats
    train: NDArray[np.generic]
    judge: Reader | None

    @cached_property
    def plane(self) -> Plane:
        """PCA of the training samples."""
        return denoising.pca_of(self.train)

    @property
    def known(self) -> NDArray[np.bool_]:
        """Which test samples have a label."""
        return self.labels >= 0

    @property
    def shown(self) -> NDArray[np.int64]:
        """The places (K,) of a few test samples, of as many classes as there are, one of each class first."""
        _, first = np.unique(self.labels, return_index=True)
        rest = np.setdiff1d(np.arange(len(self.labels)), first)
        return np.asarray(np.concatenate([first[:SHOWN], rest])[:SHOWN], np.int64)

    def measured(self, name: str, title: str, library: str, setting: str, made: Floats) -> Measured:
        """How near cleaned samples (N, *shape) are to the clean ones, and how many are read correctly."""
        pixels, similar = self.kind == "image", None
        made = np.clip(made, 0, 1) if pixels else made
        if pixels and min(self.shape[:2]) >= 3:
            similar = metrics.ssim(self.clean[:LOOKED_AT], made[:LOOKED_AT])
        right = None if self.judge is None else self.judge.read(made[self.known]) == self.labels[self.known]
        some = made[self.shown[:EXAMPLES]]
        errors = metrics.squared_errors(self.clean, made)
        return Measured(
            name,
            title,
            library,
            setting,
            errors,
            similar,
            right,
            np.rint(255 * some).astype(np.uint8) if pixels else some,
        )


def answer(run: Run, settings: Settings, report: Report) -> Answer:
    """Every method on the same noisy test samples.

    facts: {kind, shape, classes, count, tuned_on, reader {layers, name, accuracy} or None, noises [{name, level, title, methods
    [{name, title, library, setting, psnr, ssim, read}], verdict, and the finding}], libraries, verdict, and the finding}. The first method is the sample as it is
    ("noisy"), the last but one the autoencoder without noise ("plain", absent where its architecture is), the last the run
    ("run"). arrays: "originals" (K, *shape) test samples, uint8 for images, with "labels" and "rows" (K,); "reader": the bytes
    of a safetensors file with the reader's weights, absent without a reader; "examples" (noises, methods, K', *shape): what
    became of the first K' of them.
    """

    def tell(what: str, begin: float, part: float) -> Callable[[float], None]:
        return partial(denoising.within, partial(report, what), begin, part)

    samples = gathered(run.dataset, int(settings["samples"]), tell("training a reader", 0.0, PREPARED / 2))
    networks = {
        "plain": plain_autoencoder(run, tell("training without noise", PREPARED / 2, PREPARED / 2)),
        "run": ("", lambda noisy: run.coder.decode(run.coder.encode(noisy))),
    }
    asked = measured_noises(run)
    noises, examples = [], []
    for i, (kind, level) in enumerate(asked):
        title = TITLES[kind].format(f"{level:g}")
        part = (PREPARED + (1 - PREPARED) * i / len(asked), (1 - PREPARED) / len(asked))
        found = cleaned(samples, kind, level, networks, tell(title, *part))
        told = {"name": kind, "level": level, "title": title, "methods": [one.plain() for one in found]}
        noises.append(told | {"verdict": verdict(title, found, samples), **finding(found).facts})
        examples.append(np.stack([one.shown for one in found]))
    shown, judge, known = samples.shown, samples.judge, samples.known
    facts: dict[str, Any] = {
        "kind": run.kind,
        "shape": list(run.shape),
        "classes": list(run.classes),
        "count": len(samples.test),
        "tuned_on": len(samples.held),
        "reader": None,
        "noises": noises,
        "libraries": libraries(),
        **{name: noises[0][name] for name in ("verdict", "won", "against", "by")},
    }
    originals = samples.clean[shown]
    arrays: dict[str, NDArray[np.generic]] = {
        "originals": np.rint(255 * originals).astype(np.uint8) if run.kind == "image" else originals,
        "labels": samples.labels[shown],
        "rows": samples.test[shown],
        "examples": np.stack(examples),
    }
    if judge is not None:
        accuracy = float((judge.read(samples.clean[known]) == samples.labels[known]).mean())
        facts["reader"] = {"layers": judge.listed, "name": "reader", "accuracy": accuracy}
        arrays["reader"] = np.frombuffer(save(judge.weights), np.uint8)
    return Answer(facts, arrays)


def gathered(dataset: Dataset, most: int, tell: Callable[[float], None]) -> Samples:
    """At most so many test samples, and a reader that was trained on clean ones. A `Problem` where a split is empty."""
    tell(0.0)
    content, splits = datasets.arrays(dataset), dataset.splits()
    train = np.flatnonzero(splits == TRAIN)
    test = spread(np.flatnonzero(splits == TEST), enough(dataset.shape, most, FEWEST))
    held = spread(np.flatnonzero(splits == VALIDATION), enough(dataset.shape, TUNED_ON, FEWEST_TUNED_ON))
    if not len(test) or not len(held):
        raise Problem("this dataset has no test or no validation samples", do="bring more samples")
    labels = np.asarray(content.labels[test], np.int32)
    known = bool((labels >= 0).any())
    return Samples(
        dataset.kind,
        dataset.shape,
        test,
        to_float(np.asarray(content.samples[test])),
        labels,
        held,
        to_float(np.asarray(content.samples[held])),
        np.asarray(content.samples[spread(train, denoising.fitted_to(dataset.shape))]),
        trained_reader(content, train, len(dataset.classes), tell) if known else None,
    )


Network = tuple[str, Callable[[Floats], Floats]]
"""A setting in words, and what becomes of noisy samples (N, *shape)."""
NETWORKS = {"plain": "Autoencoder trained without noise", "run": "This run"}


def cleaned(
    samples: Samples, kind: str, level: float, networks: Mapping[str, Network | None], tell: Callable[[float], None]
) -> list[Measured]:
    """What each method makes of the test samples with this noise: the noisy samples first, then the plain methods, then
    networks, by names of `NETWORKS`; None is left out."""
    noisy = noise.corrupt_rows(samples.clean, kind, level, samples.test, unseen=True)
    judged = noise.corrupt_rows(samples.validation, kind, level, samples.held, unseen=True)
    found = [samples.measured("noisy", "as it is", "", "", noisy)]
    ways = denoising.methods(samples.kind, samples.shape)
    ways += denoising.fitted(samples.train, lambda clean: noise.corrupt(clean, kind, level, 0), samples.plane)
    part = 1 / (len(ways) + 1)
    for i, way in enumerate(ways):
        choosing, using = (partial(denoising.within, tell, (i + half) * part, part / 2) for half in (0, 0.5))
        best = denoising.tuned(way, judged, samples.validation, samples.kind == "image", choosing)
        found.append(samples.measured(way.name, way.title, way.library, best.setting, best(noisy, using)))
    tell(1 - part)
    for name, network in networks.items():
        if network is not None:
            found.append(samples.measured(name, NETWORKS[name], "", network[0], network[1](noisy)))
    return found


def trained_reader(
    content: datasets.Arrays, train: NDArray[np.int64], classes: int, tell: Callable[[float], None]
) -> Reader | None:
    """A reader of clean training samples; None where there are no two classes to tell apart, or too few labels."""
    labels = np.asarray(content.labels[train])
    counts = np.bincount(labels[labels >= 0], minlength=1)
    if (counts > 1).sum() < 2 or counts.sum() < LABELLED:
        return None
    from models.training import reader

    return reader.train(np.asarray(content.samples[train]), labels, classes, tell)


def plain_autoencoder(run: Run, tell: Callable[[float], None]) -> Network | None:
    """How long an autoencoder like the run's was trained without noise, in words, and what it makes of samples; None where
    its architecture is not here any more."""
    from models.training import plain

    try:
        epochs, all_ = plain.epochs_for(run), run.card.training.epochs
        words = f"{epochs} epoch{'s' * (epochs > 1)}" + ("" if epochs == all_ else f" of the run's {all_}")
        return words, plain.trained(plain.without_noise(run, epochs), run.dataset, tell)
    except Problem:
        return None


def libraries() -> str:
    """What the plain methods are from."""
    names = ("scikit-image", "SciPy", "PyWavelets", "scikit-learn")
    return ", ".join(f"{name} {version(name)}" for name in names)


def best_of(others: list[Measured]) -> Measured:
    """After which most are read correctly; without a reader, the one that comes closest."""
    return max(others, key=lambda one: (one.read or 0.0, one.psnr))


def won(ours: Measured, best: Measured) -> str:
    """Who cleans better, one of `models.labs.WON`: a tie where both differ by no more than chance."""
    if ours.right is None or best.right is None:
        apart = best.errors - ours.errors
    else:
        apart = ours.right.astype(np.float32) - best.right.astype(np.float32)
    mean, error = float(apart.mean()), float(apart.std()) / len(apart) ** 0.5
    return "tie" if abs(mean) <= TIE * error else "network" if mean > 0 else "plain"


ENDS = {"tie": "a tie", "network": "the run wins", "plain": "the run loses"}


def finding(found: list[Measured]) -> Finding:
    """The verdict in three facts."""
    *others, ours = found
    best = best_of(others)
    if ours.read is None or best.read is None:
        by = f"{ours.psnr:.1f} dB against {best.psnr:.1f} dB"
    else:
        by = f"{100 * ours.read:.1f} % read correctly against {100 * best.read:.1f} %"
    return Finding(won(ours, best), best.title, by)


def verdict(title: str, found: list[Measured], samples: Samples) -> str:
    """Who cleans best, in a sentence that the run can lose; without a reader by the error alone, which is said."""
    *others, ours = found
    best = best_of(others)
    what = f"{len(samples.test):,} test {kinds.get(samples.kind).many}"
    if ours.right is None:
        told = f"{ours.psnr:.1f} dB after this run, {best.psnr:.1f} dB {_after(best)}{_as_they_are(best, f'{others[0].psnr:.1f} dB')}, over {what}"
        end = " Nothing reads them: these samples have no classes."
    else:
        read = {one.name: 100 * (one.read or 0.0) for one in found}
        told = (
            f"{read['run']:.1f} % of {what} are read correctly after this run, {read[best.name]:.1f} % {_after(best)}"
        )
        told += _as_they_are(best, f"{read['noisy']:.1f} %")
        end = ""
    return f"{title}: {told}: {ENDS[won(ours, best)]}.{end}"


def _after(best: Measured) -> str:
    """The best of the others in words."""
    if best.name == "noisy":
        return "as they are, which no other method betters"
    title = best.title if best.name in CALLED_AFTER else best.title[:1].lower() + best.title[1:]
    return f"after the best of the others ({title})"


def _as_they_are(best: Measured, figure: str) -> str:
    """What the noisy samples reach, where that was not said."""
    return "" if best.name == "noisy" else f", {figure} as they are"


LAB = Lab(
    name="denoise",
    title="Denoise",
    question="Can it be read again?",
    fits=fits,
    answer=answer,
    settings={"samples": 1000},
    shipped=("digits-denoising",),
)

"""The choices that decide what a training gives: checked when somebody makes them, read again where they were written down."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from models import Problem, architectures, datasets, defaults, kinds
from models.losses import available as loss_terms
from models.losses import used

RECIPE = 5  # raised by hand when the same configuration would train to another result
NOISES = ("none", "gaussian", "salt-and-pepper", "masking", "watermark", "watermarks", "strokes", "stains", "mixed")
LOSSES = ("squared-error", "calibrated", "bernoulli")
RECIPES = ("hourglass", "open-ended", "article")
CHOICES = {"noise": NOISES, "loss": LOSSES, "recipe": RECIPES}
NOISE_LEVEL = 0.3  # where a noise is chosen and no level
RANGES: dict[str, tuple[float, float]] = {
    "noise_level": (0, 1),
    "epochs": (1, 10_000),
    "batch_size": (1, 8192),
    "learning_rate": (1e-6, 1),
    "shift": (0, 8),
    "distortion": (0, 0.5),
    "mixing": (0, 1),
    "seconds": (0, 86_400),
    "steps": (0, 2**40),
    "steady": (0, 2**40),
    "seed": (0, 2**31 - 1),
    **{choice.field: choice.range for term in loss_terms().values() for choice in term.choices},
}
# Choices of loss terms that stand among the fields of a configuration, where they were before terms were found.
DECLARED = ("beta", "sparsity", "contraction", "free_bits", "annealing", "total_correlation")

T = TypeVar("T")


def _with_choices_of_terms(cls: type[T]) -> type[T]:
    """Add the choices of loss terms that a class of choices does not declare, behind the others: those keep their order."""
    for term in loss_terms().values():
        for choice in term.choices:
            if choice.field not in cls.__annotations__:
                cls.__annotations__[choice.field] = "float"
                setattr(cls, choice.field, choice.default)
    return cls


@dataclass(frozen=True)
@_with_choices_of_terms
class Configuration:
    """Every choice that decides what a training gives. Equal configurations are the same run.

    noise_level: standard deviation (gaussian), share of values hit (salt-and-pepper, masking), opacity
    (watermark, watermarks, strokes) or the most of each of stain, fold and blur (stains), each in [0, 1]; mixed draws one kind
    for each sample, and up to so large a share of how strong it can be (`models.noise.STRONGEST`). shift moves each batch by up to so many pixels, another way at each step; distortion
    turns, shears and stretches images, by so large a standard deviation of each number of a 2x2 matrix; mixing adds up
    to so large a share of another training sample to each (mixup, Zhang et al. 2018). The weights and
    settings of loss terms (beta and those like it) are told in `models.losses`, each in the file of its term; those of a
    term that is not declared here are added behind the others. recipe: "hourglass" warms up and anneals the learning rate,
    starts the output at the mean sample and keeps the best epoch; "open-ended" is the same for a training whose end is
    not known, with a rate that falls slowly; "article" keeps Keras's habits (constant rate, last epoch).

    seconds: how long to train, 0 where epochs say it; epochs are then a limit. Its learning rate is steady for half of the
    time and then falls; steady and steps say after how many steps it did and ended, so that the same can be trained again
    without a clock. Those of a run that was trained for a time are its own affair, and it has no seconds any more.

    stopped_after is set when a person, or a limit of time, ended the training before its last epoch; cooled is then
    how many steps its last epoch had, where that was a cool-down. Nobody chooses these two, and how many steps a
    machine takes in the time of a cool-down is its own affair.
    """

    dataset: str
    architecture: str
    code_size: int = 2
    noise: str = "none"
    noise_level: float = 0.0
    epochs: int = 30
    batch_size: int = 128
    learning_rate: float = 0.004
    loss: str = "squared-error"
    beta: float = 1.0
    sparsity: float = 0.0
    recipe: str = "hourglass"
    seed: int = 0
    stopped_after: int | None = None
    contraction: float = 0.0
    free_bits: float = 0.0
    annealing: float = 0.0
    shift: int = 0
    total_correlation: float = 0.0
    distortion: float = 0.0
    cooled: int = 0
    mixing: float = 0.0
    seconds: float = 0.0
    steps: int = 0
    steady: int = 0

    @property
    def called(self) -> str:
        """What follows the architecture's name where the article's recipe trains it: one of its networks, or another."""
        if self.recipe != "article":
            return ""
        known = any(self.architecture == preset["architecture"] for preset in PRESETS.values())
        return " (article)" if known else " (article's recipe)"

    def weights(self, annealing: float = 1.0) -> dict[str, float]:
        """What each term of the loss is multiplied by, by its name. annealing is the share of beta that counts yet."""
        weights = {"reconstruction": 1.0}
        for name, term in loss_terms().items():
            weights[name] = getattr(self, term.weight.field) * (annealing if term.annealed else 1.0)
        return weights

    def total_loss(self, loss: Mapping[str, float]) -> float:
        """The number that a training lowers, from the terms that history.jsonl keeps: what validation is measured in."""
        weights = self.weights()
        return sum(weights.get(name, 1.0) * value for name, value in loss.items())

    def canonical(self, recipe: int = RECIPE) -> str:
        """The configuration, the dataset's fingerprint and the recipe's version as one unambiguous line.

        A choice that came after the `FIRST` is left out at its default: runs from before there was such a choice keep
        their ids.
        """
        chosen = {
            field.name: getattr(self, field.name)
            for field in dataclasses.fields(self)
            if field.name in FIRST or getattr(self, field.name) != field.default
        }
        facts = {**chosen, "fingerprint": datasets.get(self.dataset).fingerprint, "recipe_version": recipe}
        return json.dumps(facts, sort_keys=True, separators=(",", ":"))

    @property
    def id(self) -> str:
        """16 hex digits: the first of the SHA-256 of `canonical()`."""
        return self.id_of(RECIPE)

    def id_of(self, recipe: int) -> str:
        """The id under an earlier version of the recipe: what was trained then stays what it is."""
        return hashlib.sha256(self.canonical(recipe).encode()).hexdigest()[:16]

    def check(self) -> Configuration:
        """The configuration itself when everything in it is known and in range; a `Problem` otherwise."""
        dataset, architecture = datasets.get(self.dataset), architectures.get(self.architecture)
        architecture.blueprint(dataset.kind, dataset.shape, self.code_size)
        for name, known in CHOICES.items():
            value = getattr(self, name)
            if value not in known:
                raise Problem(f"{name} “{value}” is unknown", f"known are {', '.join(known)}")
        if self.noise not in noises(dataset.kind):
            raise Problem(
                f"{'a watermark' if self.noise.startswith('watermark') else self.noise} can be put on images only; these "
                f"samples are of kind {dataset.kind}",
                do="choose another noise",
            )
        if self.loss not in losses(dataset.kind):
            raise Problem(
                f"the Bernoulli loss needs values in [0, 1], as images have; these samples are of kind {dataset.kind}",
                do="choose squared-error",
            )
        for name, (low, high) in RANGES.items():
            value = getattr(self, name)
            if not low <= value <= high:  # also catches NaN
                words = name.replace("_", " ")
                raise Problem(f"{words} must be {low:g} to {high:.10g}; {value} was given")
        if self.steady > self.steps or (self.steps and not self.steady):
            raise Problem(
                f"{self.steady} of {self.steps} steps with a steady rate were chosen",
                "at least one, and not more than all",
                "leave steps and steady out",
            )
        self._check_terms(dataset.kind, architecture.variational)
        return self

    def _check_terms(self, kind: str, variational: bool) -> None:
        """A `Problem` where a term of the loss refuses the choices, or would be left out since its file is broken."""
        for name in DECLARED:
            needed = getattr(self, name) != getattr(Configuration, name) or (name == "beta" and variational)
            if needed and name not in RANGES:
                raise Problem(
                    f"the term of the loss that {name.replace('_', ' ')} belongs to is not here",
                    "a file in models/losses defines it",
                    "put that file right; the page Train and the shell say what is wrong with it",
                )
        for term in used(self, kind, variational):
            term.check(self)


# Choices that the first runs were made with, and those that came later.
# fmt: off
FIRST = frozenset(
    ("dataset", "architecture", "code_size", "noise", "noise_level", "epochs", "batch_size", "learning_rate", "loss",
     "beta", "sparsity", "recipe", "seed", "stopped_after")
)
# fmt: on
YOUNG = tuple(field.name for field in dataclasses.fields(Configuration) if field.name not in FIRST)


def noises(kind: str) -> tuple[str, ...]:
    """The noises that go on samples of this kind."""
    return kinds.get(kind).noises


def losses(kind: str) -> tuple[str, ...]:
    """The losses that fit samples of this kind."""
    return kinds.get(kind).losses


def configure(values: dict[str, Any]) -> Configuration:
    """A checked configuration from plain values (a URL, a form, a file). Unknown names are a `Problem`.

    What is absent takes the default for the dataset and the architecture (`models.defaults`), then the general one; a
    noise without a level takes `NOISE_LEVEL`. The article's recipe mixes no samples unless it is told to.
    """
    fields = {field.name: field for field in dataclasses.fields(Configuration)}
    if unknown := sorted(set(values) - set(fields)):
        raise Problem(
            f"the choices {', '.join(unknown)} are unknown",
            f"known choices are {', '.join(fields)}",
            "leave the unknown ones out",
        )
    if absent := [name for name in ("dataset", "architecture") if not values.get(name)]:
        options = " and ".join(f"--{name}" for name in absent)
        raise Problem(
            f"no {' and no '.join(absent)} was chosen",
            do=f"add {options}, or choose {'one' if len(absent) == 1 else 'one of each'}",
        )
    chosen = {**suitable(values), **values}
    if values.get("noise", "none") != "none":
        chosen.setdefault("noise_level", NOISE_LEVEL)
    casts: dict[str, Callable[[Any], Any]] = {
        "int": _whole,
        "float": float,
        "str": str,
        "int | None": lambda value: None if value is None else _whole(value),
    }
    cast = {}
    for name, value in chosen.items():
        try:
            cast[name] = casts[str(fields[name].type)](value)
        except (TypeError, ValueError, OverflowError) as error:
            raise Problem(f"the choice {name} is not of its type ({error})", do="correct the value") from error
    checked = Configuration(**cast).check()
    # What has no effect must not make another run of the same training.
    if checked.seconds and checked.epochs != RANGES["epochs"][1] and checked.stopped_after is None:
        checked = dataclasses.replace(checked, epochs=int(RANGES["epochs"][1]))
    if checked.noise == "none" or not checked.noise_level:
        checked = dataclasses.replace(checked, noise="none", noise_level=0.0)
    kind, variational = datasets.get(checked.dataset).kind, architectures.get(checked.architecture).variational
    for term in loss_terms().values():
        if not term.applies(kind, variational):
            without: dict[str, Any] = {choice.field: choice.default for choice in term.choices}
            checked = dataclasses.replace(checked, **without)
    if not kinds.get(kind).pixels:
        checked = dataclasses.replace(checked, shift=0, distortion=0.0)
    return checked


def suitable(values: Mapping[str, Any]) -> dict[str, Any]:
    """The default choices for a dataset, an architecture and a code size, which `values` name; the recipe counts, too."""
    try:
        size = max(1, _whole(values.get("code_size", Configuration.code_size)))
    except (TypeError, ValueError, OverflowError):  # told of where choices are checked
        size = Configuration.code_size
    dataset, architecture = datasets.get(str(values["dataset"])), architectures.get(str(values["architecture"]))
    if dataset.kind not in architecture.kinds:
        return {}
    found = defaults.choices(defaults.facts_of(dataset), architecture.name, size)
    return found | {"mixing": 0.0} if values.get("recipe") == "article" else found


def read_configuration(values: Any) -> Configuration:
    """A configuration that this version or an earlier one wrote down: in the queue, in a run's folder, in a zip.

    Choices that are absent, as they came later, take their defaults. A `Problem` where a choice is unknown, or of
    another type, or a dataset or an architecture is not named at all: a later version may have written it, and what it
    means cannot be guessed. Whether the dataset and the architecture are here now is for `Configuration.check`.
    """
    if not isinstance(values, dict):
        raise _not_understood("the choices are no table of names and values")
    types = {"int": (int,), "float": (int, float), "str": (str,), "int | None": (int, type(None))}
    fields = {field.name: field for field in dataclasses.fields(Configuration)}
    for name, value in values.items():
        if name not in fields:
            raise _not_understood(f"the choice {name[:80]} is unknown")
        if isinstance(value, bool) or not isinstance(value, types[str(fields[name].type)]):
            raise _not_understood(f"the choice {name} is not of its type")
        if name in CHOICES and value not in CHOICES[name]:
            raise _not_understood(f"{name} “{str(value)[:80]}” is unknown")
    if absent := [name for name in ("dataset", "architecture") if name not in values]:
        raise _not_understood(f"no {' and no '.join(absent)} is named")
    return Configuration(**values)


def _not_understood(what: str) -> Problem:
    return Problem(
        what, do="use the version of Hourglass that wrote these choices, or a newer one; here they are left as they are"
    )


def _whole(value: Any) -> int:
    number = float(value)
    if not number.is_integer():
        raise ValueError(f"{value!r} is not a whole number")
    return int(number)


# The article's three networks with the article's habits: Keras's Adam at its default rate, mean squared error,
# ten epochs of shuffled batches of 256, and nothing of ours.
_ARTICLE: dict[str, Any] = {
    "recipe": "article",
    "epochs": 10,
    "batch_size": 256,
    "learning_rate": 0.001,
    "loss": "squared-error",
}
PRESETS: dict[str, dict[str, Any]] = {
    "Single-layer (article)": {**_ARTICLE, "architecture": "single-layer", "code_size": 56},
    "Multi-layer (article)": {**_ARTICLE, "architecture": "multi-layer", "code_size": 48},
    "Convolutional (article)": {**_ARTICLE, "architecture": "convolutional", "code_size": 48},
}

"""Terms of the loss: one file in this folder is one term that a training can lower beside the reconstruction error.

Such a file defines `TERM`, a `LossTerm` with the file's name: the choices that it adds to a configuration, what it
applies to, and how it is computed. Configuration, shell, the page Train, training, history and validation read the
list. Its file must not import torch at its top: pages read the list, too.

What reconstructions are measured by is in `models.training.reconstruction`.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from keyword import iskeyword
from typing import TYPE_CHECKING, Any

from models import Problem
from models.discovery import Unusable, discover, named_like_file, texts
from models.kinds import KINDS

if TYPE_CHECKING:
    from torch import Tensor

# What a choice of a term cannot be called: other choices of a configuration, what a `Configuration` has besides, options
# of the shell, and other names in the address of the page Train.
# fmt: off
RESERVED = frozenset(
    ("dataset", "architecture", "code_size", "noise", "noise_level", "epochs", "batch_size", "learning_rate", "loss",
     "recipe", "seed", "stopped_after", "shift", "distortion", "mixing", "seconds", "steps", "steady",
     "cooled", "called", "canonical", "check", "id",
     "id_of", "weights", "total_loss", "configuration", "help", "here", "json", "preset", "run", "ship", "time", "tsne",
     "budget", "gpu", "hourglass", "pages", "training", "vary", "tried", "among", "seeds")
)
# fmt: on


@dataclass(frozen=True)
class Choice:
    """A number that a person chooses for a term, between both ends of `range`.

    field: its name in a configuration and in the shell. title and help: its label on the page Train and one sentence
    without a full stop; paper: authors and year. step and decimals: how the page counts and writes it. At its default
    it must change nothing, since runs that were trained before there was such a choice count as trained with it.
    """

    field: str
    title: str
    help: str
    paper: str
    range: tuple[float, float]
    default: float = 0.0
    step: float = 0.1
    decimals: int = 2

    @property
    def about(self) -> str:
        """The sentence with its paper."""
        return f"{self.help} ({self.paper})."


@dataclass(frozen=True)
class Batch:
    """A batch of B samples on its way through the network, as a term sees it.

    configuration: the `models.runs.Configuration`. clean: the samples (B, *shape) in [0, 1] or standardised; given: the
    input, which is clean or corrupted. mean (B, D): the code, of a variational architecture the mean of its
    distribution, whose log-variance is log_variance (B, D); code (B, D): what was decoded, in a training step of a
    variational architecture a draw. reconstruction (B, *shape). seed: None in a training step, a number in validation.
    """

    configuration: Any
    clean: Tensor
    given: Tensor
    mean: Tensor
    log_variance: Tensor | None
    code: Tensor
    reconstruction: Tensor
    seed: int | None

    def normal(self) -> Tensor:
        """Standard normal numbers (B, D): other ones in each training step, always the same in validation."""
        import torch

        source = None if self.seed is None else torch.Generator().manual_seed(self.seed)
        return torch.randn(self.mean.shape, generator=source).to(self.mean)

    def draw(self) -> Tensor:
        """A draw (B, D) from the codes' distributions, in validation too; the codes where they have none."""
        if self.log_variance is None or self.seed is None:
            return self.code
        return self.mean + self.normal() * (0.5 * self.log_variance).exp()


def _anything(_configuration: Any) -> None:
    """The check of a term that has nothing to refuse."""


@dataclass(frozen=True)
class LossTerm:
    """A term of the loss: `compute(batch)` times its weight is added to the reconstruction error.

    name: the file's name, and the term's in history.jsonl. weight: the choice that the term is multiplied by; settings:
    further choices. compute: a `Batch` to one number (a tensor without axes), averaged over the batch. order: its place
    in the sum and on the page (small first). variational: for variational architectures only, plain: for all others
    only; kinds: of samples that it is for.

    always: computed where its weight is 0, too, so that history tells it. annealed: its weight rises with beta where
    annealing is chosen. disturb(code, seed): the code (B, D) that is decoded where the term is computed, in place of
    the one that the encoder gave; seed as in `Batch`. input_gradient: it is a derivative by `Batch.given`. compares_samples: its value depends on the
    size of a batch, and validation takes batches as large as training's. check(configuration): raises the `Problem` of
    choices that cannot be, where the term is used.
    """

    name: str
    weight: Choice
    compute: Callable[[Batch], Tensor]
    order: int = 100
    variational: bool = False
    plain: bool = False
    kinds: tuple[str, ...] = tuple(KINDS)
    settings: tuple[Choice, ...] = ()
    always: bool = False
    annealed: bool = False
    disturb: Callable[[Tensor, int | None], Tensor] | None = None
    input_gradient: bool = False
    compares_samples: bool = False
    check: Callable[[Any], None] = _anything

    @property
    def choices(self) -> tuple[Choice, ...]:
        """Its weight and its settings."""
        return (self.weight, *self.settings)

    def applies(self, kind: str, variational: bool) -> bool:
        """Whether it is for samples of this kind and such an architecture."""
        return kind in self.kinds and not (self.plain if variational else self.variational)

    def used(self, configuration: Any, kind: str, variational: bool) -> bool:
        """Whether a training of this configuration computes it."""
        weight = getattr(configuration, self.weight.field)
        return self.applies(kind, variational) and (self.always or weight != 0)


def available() -> dict[str, LossTerm]:
    """Every term in this folder by name, in the order in which they are added."""
    return _discovered()[0]


def broken() -> list[Problem]:
    """What is wrong with the files in this folder that give no term."""
    return _discovered()[1]


def used(configuration: Any, kind: str, variational: bool) -> list[LossTerm]:
    """The terms that a training of this configuration computes."""
    return [term for term in available().values() if term.used(configuration, kind, variational)]


def choices(kind: str, variational: bool) -> list[Choice]:
    """What a person may choose for such samples and such an architecture: what only variational ones have comes first,
    weights before settings."""
    out: list[Choice] = []
    for only in (True, False):
        terms = [one for one in available().values() if one.applies(kind, variational) and one.variational is only]
        out += [one.weight for one in terms]
        out += [setting for one in terms for setting in one.settings]
    return out


@cache
def _discovered() -> tuple[dict[str, LossTerm], list[Problem]]:
    terms, problems = discover(
        __name__, __path__, "TERM", LossTerm, _checked, lambda one: (one.name, *(c.field for c in one.choices))
    )
    return {one.name: one for one in sorted(terms, key=lambda one: (one.order, one.name))}, problems


def _checked(term: LossTerm, file: str) -> None:
    """`Unusable` where a term cannot be used."""
    named_like_file(term.name, file, "_")
    if term.name == "reconstruction":
        raise Unusable("has the name “reconstruction”", "another one was expected, since each training has that term")
    for choice in term.choices:
        field, (low, high) = choice.field, choice.range
        texts(choice, "field", "title", "help", "paper")
        if not re.fullmatch(r"[a-z][a-z0-9_]*", field) or iskeyword(field) or field in RESERVED:
            raise Unusable(f"has a choice called “{field}”", "a lower-case name that nothing else has was expected")
        if not low <= choice.default <= high:
            raise Unusable(
                f"has {choice.default:g} as the default of {field}", f"a number from {low:g} to {high:g} was expected"
            )

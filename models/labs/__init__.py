"""Labs: what autoencoders are for. One file in this folder is one lab, found by its presence.

Such a file defines `LAB`, a `Lab`: a question that is asked of a run or of a dataset, and the computation that answers it in
numbers. The page of the same name in `components/views/labs/` shows the answer. A computation takes and gives numpy arrays and plain
values; it is called in a worker process, so it may import torch and scikit-learn, inside its functions.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from models import Problem
from models.discovery import Unusable, discover, named_like_file, texts

Setting = str | int | float | bool
Settings = Mapping[str, Setting]
Sketch = Callable[[], dict[str, Any]]
"""Makes what can be looked at meanwhile: a few numbers, as JSON takes them, that are not part of the answer."""


class Report(Protocol):
    """Told what is being done and the share done in [0, 1]; and how to make a sketch, which is called only when it is written
    down for a page. It raises where nobody waits for the answer any more."""

    def __call__(self, what: str, share: float, sketch: Sketch | None = None, /) -> None:
        """Tell it."""


def quiet(_what: str, _share: float, _sketch: Sketch | None = None, /) -> None:
    """Tells nobody."""


@dataclass(frozen=True)
class Answer:
    """What a lab found. facts: what JSON takes, without NaN, with the verdict in a sentence as "verdict" and its `Finding`;
    arrays: numbers by name. digest: 16 hex digits that stand for both, once they were kept."""

    facts: dict[str, Any]
    arrays: dict[str, NDArray[np.generic]] = field(default_factory=dict)
    digest: str = ""


WON = ("network", "plain", "tie", "open")


@dataclass(frozen=True)
class Finding:
    """A verdict in three facts, by which the page Verdicts lists all labs in one table.

    won: one of `WON`: the "network", the strongest "plain" method, a "tie" where the difference is not more than chance, or
    "open" where there is too little to say. against: the title of that plain method. by: the figures of both with their unit,
    the network's first, in `BY_MOST` characters.
    """

    won: str
    against: str
    by: str

    @property
    def facts(self) -> dict[str, str]:
        """As an answer carries them."""
        return {"won": self.won, "against": self.against, "by": self.by}


BY_MOST = 90


def finding(facts: Mapping[str, Any]) -> Finding:
    """The finding that an answer's facts tell. ValueError where they do not."""
    told = Finding(*(str(facts.get(name, "")) for name in ("won", "against", "by")))
    if told.won not in WON or not told.against or not 0 < len(told.by) <= BY_MOST:
        raise ValueError(f"an answer has to say who won, one of {', '.join(WON)}, against what and by how much: {told}")
    return told


def lead(low: float, high: float, digits: Callable[[float], str], who: str = "the network is") -> str:
    """In which interval the network's lead over a plain method lies, in words, above 0 being better. digits: writes a number."""
    if low > 0:
        between = f"better by {digits(low)} to {digits(high)}"
    elif high < 0:
        between = f"worse by {digits(-high)} to {digits(-low)}"
    else:
        between = f"between {digits(-low)} worse and {digits(high)} better"
    return f"({who} {between} in 95 of 100 resamplings)"


@dataclass(frozen=True)
class Lab:
    """A question and how it is answered.

    question: one sentence that a first-year student understands. of: "run" or "dataset", what it is asked of: the subject.
    fits(subject): "" where it can be asked of that, else why not, as a clause. answer(subject, settings, report): needs the
    samples at hand; a `Problem` where it cannot be answered. settings: their names and usual values. version: raised when
    the same question would be answered otherwise. shipped: names of the runs that ship, or of datasets, whose answers to the
    usual settings ship.
    """

    name: str
    title: str
    question: str
    fits: Callable[[Any], str]
    answer: Callable[[Any, Settings, Report], Answer]
    of: str = "run"
    settings: Settings = field(default_factory=dict)
    version: int = 1
    shipped: tuple[str, ...] = ()

    def chosen(self, settings: Settings) -> dict[str, Setting]:
        """All settings, the usual ones where nothing was chosen. A `Problem` for one that does not exist."""
        if unknown := [name for name in settings if name not in self.settings]:
            raise Problem(
                f"the lab {self.title} has no setting “{unknown[0][:80]}”",
                f"its settings are {', '.join(self.settings) or 'none'}",
            )
        return {**self.settings, **settings}


def available() -> dict[str, Lab]:
    """Every lab in this folder by its name."""
    return _discovered()[0]


def broken() -> list[Problem]:
    """What is wrong with the files in this folder that give no lab."""
    return _discovered()[1]


@cache
def _discovered() -> tuple[dict[str, Lab], list[Problem]]:
    found, problems = discover(__name__, __path__, "LAB", Lab, _check, names=lambda lab: (lab.name,))
    return {lab.name: lab for lab in sorted(found, key=lambda lab: lab.name)}, problems


def _check(lab: Lab, file: str) -> None:
    """`Unusable` where what a lab declares cannot be."""
    named_like_file(lab.name, file)
    texts(lab, "title", "question")
    if lab.of not in ("run", "dataset"):
        raise Unusable(f"is asked of “{lab.of}”", "“run” or “dataset” was expected")
    if not callable(lab.fits) or not callable(lab.answer):
        raise Unusable("has a fits or an answer that cannot be called", "two functions were expected")


def get(name: str) -> Lab:
    """The lab of that name; a `Problem` with the names that exist otherwise."""
    lab = available().get(name)
    if lab is None:
        raise Problem(f"there is no lab “{name[:80]}”", f"known labs are {', '.join(available())}")
    return lab

"""Columns that stand beside a dataset's samples: ids, times, remarks, whatever is no feature and no class.

They are kept with the dataset, in beside.npy and beside.json, for those who may read it; no run holds them.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

KINDS = ("id", "time", "number", "category", "text")
ARRAY, FACTS = "beside.npy", "beside.json"


@dataclass(frozen=True)
class Beside:
    """A column beside N samples.

    kind: one of KINDS. values (N,): numbers, of a time seconds since 1970, of a category and of text the place in words;
    NaN where there is none. An id holds numbers where it has no words.
    """

    name: str
    kind: str
    values: NDArray[np.float64]
    words: tuple[str, ...] = ()

    def said(self, rows: NDArray[np.integer[Any]]) -> list[str]:
        """The cells of these rows as text, "" where there is none."""
        some = self.values[rows].tolist()
        if self.words:
            return [self.words[int(value)] if math.isfinite(value) else "" for value in some]
        say = moment if self.kind == "time" else number
        return [say(value) if math.isfinite(value) else "" for value in some]


def number(value: float) -> str:
    """A number as it came: 7, 112645.5."""
    return f"{value:.0f}" if value == round(value) and abs(value) < 1e15 else repr(value)


def moment(seconds: float) -> str:
    """Seconds since 1970 as 2024-01-31 or 2024-01-31 13:30:00, "" beyond the years that a calendar has."""
    try:
        told = str(np.datetime64(round(seconds * 1000), "ms")).replace("T", " ").removesuffix(".000")
    except (OverflowError, ValueError):
        return ""
    return told.removesuffix(" 00:00:00")


def take(beside: Sequence[Beside], rows: NDArray[Any]) -> tuple[Beside, ...]:
    """The same columns of some of the rows: places, or a mask."""
    return tuple(Beside(one.name, one.kind, one.values[rows], one.words) for one in beside)


def write(folder: Path, beside: Sequence[Beside]) -> None:
    """Write them to a folder; nothing where there are none."""
    if beside:
        with (folder / f".{ARRAY}").open("wb") as stream:
            np.save(stream, np.stack([one.values for one in beside]), allow_pickle=False)
        (folder / f".{ARRAY}").replace(folder / ARRAY)
        facts = [{"name": one.name, "kind": one.kind, "words": one.words} for one in beside]
        (folder / f".{FACTS}").write_text(json.dumps(facts))
        (folder / f".{FACTS}").replace(folder / FACTS)


def read(folder: Path, count: int) -> tuple[Beside, ...]:
    """What `write` wrote, of `count` samples, mapped; () where there is nothing, or nothing whole."""
    try:
        facts = json.loads((folder / FACTS).read_bytes())
        values = np.load(folder / ARRAY, mmap_mode="r", allow_pickle=False)
        if values.shape != (len(facts), count) or values.dtype != np.float64:
            return ()
        return tuple(_column(one, values[i]) for i, one in enumerate(facts))
    except (OSError, ValueError, EOFError, KeyError, TypeError, RecursionError):
        return ()


def _column(facts: Mapping[str, Any], values: NDArray[np.float64]) -> Beside:
    if facts["kind"] not in KINDS:
        raise ValueError
    return Beside(str(facts["name"]), facts["kind"], values, tuple(map(str, facts["words"])))

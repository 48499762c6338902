"""What the numbers of a table row or of a signal mean: columns, their scaling, and the way back to the person's units."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import isfinite
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models import Problem, kinds

Floats = NDArray[np.float32]
Doubles = NDArray[np.float64]
LARGEST_ASINH = 80.0  # asinh of what float32 can just tell
MISSING = ""  # what `inverse` gives where a category was unknown


@dataclass(frozen=True)
class Column:
    """A column of a table as it stands in the samples (N, F): features start to start + width - 1.

    kind "number": one feature, not scaled; mean and deviation are those of the training rows (of all rows where
    there is no split), deviation is 1 for a constant. kind "category": one feature per value, 1 where the row has
    it, and all 0 where the row has none of them.

    linear_width above 0: a number x is seen as asinh((x - centre) / linear_width), of which mean and deviation then are: near the centre as
    before, far from it like a logarithm of either sign, so that a few far outliers do not decide what is learnt.
    """

    name: str
    kind: str
    start: int
    width: int
    mean: float = 0.0
    deviation: float = 1.0
    values: tuple[str, ...] = ()
    centre: float = 0.0
    linear_width: float = 0.0

    @property
    def unit(self) -> float:
        """How much of the person's unit a standard deviation is, near its centre where it is on an asinh scale."""
        return self.deviation * (self.linear_width or 1.0)


def plain(columns: Sequence[Column]) -> list[dict[str, Any]]:
    """As JSON keeps them."""
    return [{**dataclasses.asdict(column), "values": list(column.values)} for column in columns]


def from_plain(stored: Sequence[Mapping[str, Any]]) -> tuple[Column, ...]:
    """What `plain` gave, or an earlier version. Raises TypeError where it is not that."""
    for one in stored:
        for name in ("centre", "linear_width"):
            if (
                not isinstance(value := one.get(name, 0.0), int | float)
                or not isfinite(value)
                or one.get("linear_width", 0.0) < 0
            ):
                raise TypeError(f"{name} of a column is no such number")
    return tuple(Column(**{**one, "values": tuple(one["values"])}) for one in stored)


def numbered(kind: str, shape: tuple[int, ...]) -> tuple[Column, ...]:
    """Columns for the features of a row, or the channels of a signal, of which nothing is known: not scaled back."""
    word = kinds.get(kind).unknown_column
    return tuple(Column(f"{word} {i + 1}", "number", i, 1) for i in range(shape[-1]))


def scaling(columns: Sequence[Column]) -> tuple[Doubles, Doubles]:
    """Mean and deviation of each feature (F,), or channel (C,): 0 and 1 for the features of categories.

    In float64: of a time in seconds since 1970 float32 would keep minutes only.
    """
    mean = np.concatenate(
        [np.full(column.width, column.mean if column.kind == "number" else 0.0) for column in columns]
    )
    deviation = np.concatenate(
        [np.full(column.width, column.deviation if column.kind == "number" else 1.0) for column in columns]
    )
    return mean, deviation


def to_asinh(columns: Sequence[Column], samples: NDArray[np.floating[Any]]) -> NDArray[np.floating[Any]]:
    """Rows (N, F) or signals (N, T, C) in the person's units on the asinh scale of their columns, the same array where none has one."""
    out = samples
    for column in columns:
        if column.linear_width:
            out = np.array(samples, np.float64) if out is samples else out
            values = out[..., column.start]
            out[..., column.start] = np.arcsinh((values - column.centre) / column.linear_width)
    return out


def standardised(columns: Sequence[Column], samples: NDArray[np.floating[Any]]) -> Floats:
    """Rows (N, F) or signals (N, T, C) in the person's units, as a model sees them: mean 0, deviation 1."""
    mean, deviation = scaling(columns)
    return np.asarray((to_asinh(columns, samples) - mean) / deviation, np.float32)


def unscaled(columns: Sequence[Column], samples: NDArray[np.floating[Any]]) -> Doubles:
    """The inverse of `standardised`: back to the person's units."""
    mean, deviation = scaling(columns)
    return np.asarray(_from_asinh(columns, samples * deviation + mean), np.float64)


def as_they_came(columns: Sequence[Column], samples: Floats) -> Doubles:
    """Standardised rows (N, F) or signals (N, T, C) in the person's units, as they were written: 112645.5, and not
    112645.49218.

    A number is rounded to the decimals that its stored float32 can tell apart. What has more digits than these, about
    seven from the column's mean on, stays approximate. NaN stays.
    """
    stored = np.asarray(samples, np.float32)
    real = unscaled(columns, stored)
    step = np.abs(unscaled(columns, np.nextafter(stored, np.float32(np.inf))) - real)
    step = np.maximum(step, np.finfo(np.float64).eps * 4 * (np.abs(real) + np.abs(scaling(columns)[0])))
    known = np.isfinite(real) & (step > 0)
    scale = 10.0 ** np.clip(np.floor(-np.log10(step, where=known, out=np.zeros_like(step))), -300, 15)
    rounded = np.round(real * scale) / scale
    return np.where(known & np.isfinite(rounded), rounded, real)


def with_gaps(columns: Sequence[Column], samples: NDArray[Any], missing: NDArray[np.bool_]) -> NDArray[Any]:
    """Rows (N, F) to be shown: what is missing (N, columns) is NaN, or none of a category's values, and no longer what it was
    filled with."""
    out = np.array(samples)
    for place, column in enumerate(columns):
        lost = np.nan if column.kind == "number" else 0
        out[missing[:, place], column.start : column.start + column.width] = lost
    return out


def _from_asinh(columns: Sequence[Column], samples: NDArray[np.floating[Any]]) -> NDArray[np.floating[Any]]:
    """The inverse of `to_asinh`; what a network makes up beyond all numbers stays one."""
    for column in columns:
        if column.linear_width:
            samples = samples.astype(np.float64, copy=False)
            values = np.clip(samples[..., column.start], -LARGEST_ASINH, LARGEST_ASINH)
            samples[..., column.start] = column.centre + column.linear_width * np.sinh(values)
    return samples


def inverse(columns: Sequence[Column], samples: NDArray[np.floating[Any]]) -> Mapping[str, Sequence[float | str]]:
    """Rows (N, F) back to a table: for each column its N numbers, or its N values as text.

    A category is the value with the greatest feature, MISSING where no feature is above 0. Undo any scaling
    before. Raises `Problem` when the rows are of another width.
    """
    width = sum(column.width for column in columns)
    if samples.ndim != 2 or samples.shape[1] != width:
        raise Problem(
            f"rows for these columns have the shape (N, {width})",
            f"{samples.shape} was given",
            "take rows and columns from the same table",
        )
    out: dict[str, Sequence[float | str]] = {}
    for column in columns:
        part = samples[:, column.start : column.start + column.width]
        if column.kind == "number":
            out[column.name] = [float(value) for value in part[:, 0]]
        else:
            best, known = part.argmax(1), part.max(1) > 0
            out[column.name] = [column.values[i] if there else MISSING for i, there in zip(best, known, strict=True)]
    return out

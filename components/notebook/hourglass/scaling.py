"""Between samples as they are at home and as the networks of a run see them.

Images from 0 to 1; each column of a row, or channel of a signal, with mean 0 and standard deviation 1, on an asinh scale
where the run says so; a category as one number for each of its values, 1 for the one that the row has.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import prod
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

if TYPE_CHECKING:
    import pandas as pd

LARGEST_ASINH = 80.0  # beyond it sinh leaves the numbers of float32


class Scaling:
    """Of one dataset. columns: as columns.json of a run has them."""

    def __init__(self, kind: str, shape: tuple[int, ...], columns: Sequence[Mapping[str, Any]]) -> None:
        self.kind, self.shape, self.columns = kind, shape, columns

    def seen(self, samples: ArrayLike | pd.DataFrame) -> NDArray[np.float32]:
        """Samples (N, *shape) as the networks take them. ValueError where they are of another shape, or a column is missing."""
        if self.kind == "table":
            return self._rows(samples)
        given = np.asarray(samples)
        if given.ndim < 2 or prod(given.shape[1:]) != prod(self.shape):
            raise ValueError(
                f"samples of shape (N, {', '.join(map(str, self.shape))}) are encoded; {given.shape} was given"
            )
        values = given.reshape(-1, *self.shape).astype(np.float64)
        if self.kind == "image":
            values = values / 255 if given.dtype == np.uint8 else values
            if values.size and not (values.min() >= 0 and values.max() <= 1):  # NaN is neither
                raise ValueError("images are encoded as uint8, or as numbers from 0 to 1")
        for channel, column in enumerate(self.columns):
            values[..., channel] = _scaled(column, values[..., channel])
        return values.astype(np.float32)

    def _rows(self, samples: ArrayLike | pd.DataFrame) -> NDArray[np.float32]:
        if not self.columns:
            return np.atleast_2d(np.asarray(samples, np.float32))
        import pandas as pd

        names = [column["name"] for column in self.columns]
        table: Mapping[str, Any] | pd.DataFrame
        if not isinstance(samples, pd.DataFrame):
            if any(column["kind"] != "number" for column in self.columns):
                raise ValueError(f"rows with categories are encoded as a DataFrame with the columns {', '.join(names)}")
            given = np.atleast_2d(np.asarray(samples, np.float64))
            if given.shape[1] != len(names):
                raise ValueError(f"rows of {len(names)} numbers are encoded; {given.shape[1]} were given")
            table = dict(zip(names, given.T, strict=True))
        else:
            table = samples
            if missing := [name for name in names if name not in samples.columns]:
                raise ValueError(f"the columns {', '.join(missing)} are missing")
        out = np.zeros((len(table[names[0]]), *self.shape), np.float32)
        for column in self.columns:
            start, given = column["start"], np.asarray(table[column["name"]])
            if column["kind"] == "number":
                out[:, start] = _scaled(column, given.astype(np.float64))
            else:
                words = given.astype(str)
                for k, value in enumerate(column["values"]):
                    out[:, start + k] = words == value
        return out

    def at_home(self, samples: NDArray[np.float32]) -> Any:
        """What networks gave (N, *shape), in the units of the data: rows as a DataFrame, a category as its likeliest value."""
        if self.kind == "image" or not self.columns:
            return samples
        if self.kind == "signal":
            out = samples.astype(np.float64)
            for channel, column in enumerate(self.columns):
                out[..., channel] = _unscaled(column, out[..., channel])
            return out
        import pandas as pd

        table: dict[str, Any] = {}
        for column in self.columns:
            part = samples[:, column["start"] : column["start"] + column["width"]].astype(np.float64)
            number = column["kind"] == "number"
            table[column["name"]] = (
                _unscaled(column, part[:, 0]) if number else np.array(column["values"], object)[part.argmax(1)]
            )
        return pd.DataFrame(table)


def _scaled(column: Mapping[str, Any], values: NDArray[np.float64]) -> NDArray[np.float64]:
    width = column.get("linear_width", 0.0)
    if width:
        values = np.arcsinh((values - column.get("centre", 0.0)) / width)
    return np.asarray((values - column["mean"]) / column["deviation"])


def _unscaled(column: Mapping[str, Any], values: NDArray[np.float64]) -> NDArray[np.float64]:
    values = values * column["deviation"] + column["mean"]
    width = column.get("linear_width", 0.0)
    if width:
        values = column.get("centre", 0.0) + width * np.sinh(np.clip(values, -LARGEST_ASINH, LARGEST_ASINH))
    return values

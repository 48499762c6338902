"""Signals: lines over each other, one panel for each channel."""

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from components import figures
from components.samples.drawing import QUIET, SIDE, Cells, Drawing, Table, errors_in_words, joined, sets_of
from models import export
from models.analysis.reconstruct import Reconstructed
from models.codes import Floats
from models.columns import Column, as_they_came, unscaled
from models.runs import Run

PANELS = 3  # channels of a signal that are drawn without being asked for


class Signals(Drawing):
    row_height = SIDE + 8

    def side_by_side(self, run: Run, sets: Mapping[str, Floats], heads: Sequence[str], key: str, _called: str) -> None:
        shown = channels(run.columns, key)
        real = {name: unscaled(run.columns, values)[..., shown] for name, values in sets.items()}
        figure = figures.signals(real, [run.columns[c] for c in shown], heads)
        st.plotly_chart(figure, key=key, config=QUIET)

    def one(self, run: Run, sets: Mapping[str, Floats], head: str) -> None:
        self.side_by_side(run, sets, [head], "picked", "")

    def compared(self, run: Run, shown: Reconstructed, heads: Sequence[str]) -> None:
        st.caption(errors_in_words(run, shown))
        self.side_by_side(run, sets_of(run, shown), heads, "lines", "")

    def cells(self, run: Run, sets: Mapping[str, NDArray[np.float32] | None], taken: Iterable[str]) -> Cells:
        """A line for each of the first channels."""
        out = Cells()
        for ending, values in sets.items():
            if values is None:
                continue
            lines = unscaled(run.columns, values)
            for c, column in enumerate(run.columns[:PANELS]):
                name = f"{column.name}{ending}"
                while name in {*taken, *out.before, "map"}:
                    name += " (data)"
                out.before[name] = list(lines[..., c])
                low, high = float(lines[..., c].min()), float(lines[..., c].max())
                out.looks[name] = st.column_config.LineChartColumn(name, width="small", y_min=low, y_max=high)
        return out

    def content(self, run: Run, sample: Floats) -> str:
        """Its steps by channel."""
        real = as_they_came(run.columns, sample)
        steps: Table = {"step": np.arange(len(real))}
        return export.codes_csv(joined(steps, {column.name: real[:, c] for c, column in enumerate(run.columns)}))


def channels(columns: Sequence[Column], key: str) -> list[int]:
    """The channels to draw: all of a few; of many those that a person chooses."""
    every = list(range(len(columns)))
    if len(columns) <= PANELS:
        return every
    chosen = st.multiselect(
        "Channels",
        every,
        every[:PANELS],
        format_func=lambda c: columns[c].name,
        key=f"{key} channels",
        max_selections=8,
    )
    return chosen or every[:1]


DRAWING = Signals()

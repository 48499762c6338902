"""Rows of a table: in the person's own units, coloured where a column is wrong."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from components import cached
from components.samples.drawing import Cells, Drawing, Table, errors_in_words, joined, sets_of
from models import codes, datasets, export
from models import columns as meaning
from models.analysis.blame import digits
from models.analysis.reconstruct import Reconstructed
from models.codes import Floats
from models.columns import Column
from models.runs import Run

WIDE = 20  # columns of a row's own that a table of samples shows


class Rows(Drawing):
    tabular = True

    def side_by_side(self, run: Run, sets: Mapping[str, Floats], heads: Sequence[str], _key: str, called: str) -> None:
        import pandas as pd  # not before a table is drawn: the app would open half a second later

        parts = []
        for name, values in sets.items():
            facts: Table = {called: list(heads)} if any(heads) else {}  # where the dataset has no classes
            facts["version"] = [name] * len(heads)
            real = self.values(run, values) if name == "original" else self.decoded(run, values)
            parts.append(pd.DataFrame(joined(facts, real)))
        # Each original stands above what became of it.
        st.dataframe(pd.concat(parts).sort_index(kind="stable"), hide_index=True, placeholder="missing")

    def one(self, run: Run, sets: Mapping[str, Floats], _head: str) -> None:
        self.by_column(run, {name: rows[0] for name, rows in sets.items()})

    def compared(self, run: Run, shown: Reconstructed, heads: Sequence[str]) -> None:
        """One of the rows, column by column."""
        st.caption(errors_in_words(run, shown))
        called = [
            " · ".join(filter(None, (named, name, f"error {error:.3f}")))
            for named, name, error in zip(cached.called(run, shown.rows), heads, shown.errors, strict=True)
        ]
        one = st.selectbox("Row", range(len(called)), format_func=called.__getitem__, key=f"row of {run.id}")
        originals = codes.to_float(datasets.originals_at(run.dataset, shown.rows))  # with what is missing
        self.by_column(run, {name: rows[one] for name, rows in (sets_of(run, shown) | {"original": originals}).items()})
        st.caption(
            "The stronger the colour, the further from the original: full at two standard deviations, or another category."
        )

    def cells(self, run: Run, sets: Mapping[str, NDArray[np.float32] | None], _taken: Iterable[str]) -> Cells:
        """Their first columns; these stand at the table's end."""
        out = Cells()
        for ending, rows in sets.items():
            if rows is not None:
                real = self.values(run, rows)
                out.after |= {f"{name}{ending}": real[name] for name in list(real)[:WIDE]}
        return out

    def values(self, run: Run, samples: Floats) -> Table:
        return dict(meaning.inverse(run.columns, meaning.as_they_came(run.columns, samples)))

    def decoded(self, run: Run, samples: Floats) -> Table:
        """The same of rows that the network made: numbers with the digits that are worth reading."""
        real = dict(meaning.inverse(run.columns, meaning.unscaled(run.columns, samples)))
        rounded = {
            c.name: np.round(np.array(real[c.name], float), digits(c)) for c in run.columns if c.kind == "number"
        }
        return {**real, **rounded}

    def content(self, run: Run, sample: Floats) -> str:
        return export.codes_csv(self.decoded(run, sample[None]))

    def by_column(self, run: Run, values: Mapping[str, NDArray[np.floating[Any]]]) -> None:
        """One row (F,) several times, by name, as a table with a line per column, in the person's units, coloured by error.

        The first is what the others are compared with. A cell is the darker the further it is from it, one standard
        deviation being half of the way; a category is coloured when it is another one. Where the first has none, nothing
        is known to be wrong.
        """
        import pandas as pd  # not before a table is drawn: the app would open half a second later

        first, *others = values
        units = {
            name: {k: v[0] for k, v in (self.values if name == "original" else self.decoded)(run, one[None]).items()}
            for name, one in values.items()
        }
        names = [column.name for column in run.columns]
        table = pd.DataFrame(
            {"column": names}
            | {
                name: [_said(units[name][column.name], column, as_it_came=name == "original") for column in run.columns]
                for name in values
            }
        )
        styles = pd.DataFrame("", index=table.index, columns=table.columns)
        for other in others:
            away = _away(run.columns, values[first], values[other])
            styles[other] = [
                f"background-color: rgba(213, 94, 0, {share:.2f})" if share >= 0.05 else "" for share in away
            ]
        # Streamlit's own height shows ten lines: of thirty columns one wants to see most.
        st.dataframe(
            table.style.apply(lambda _: styles, axis=None), hide_index=True, height=min(38 + 35 * len(table), 680)
        )


def _said(value: float | str, column: Column, *, as_it_came: bool) -> str:
    if isinstance(value, str):
        return value or ("missing" if as_it_came else "–")
    if np.isnan(value):
        return "missing"
    if as_it_came:
        return f"{value:,.12g}"
    return f"{value:,.{digits(column)}f}" if abs(value) < 1e12 else f"{value:.3g}"


def _away(columns: Sequence[Column], one: NDArray[np.floating[Any]], other: NDArray[np.floating[Any]]) -> list[float]:
    """How strongly each column's cell is coloured, in [0, 0.8]."""
    out = []
    for column in columns:
        a, b = (values[column.start : column.start + column.width] for values in (one, other))
        if column.kind == "number":
            far = abs(float(np.nan_to_num(a[0] - b[0]))) / 2  # nothing is known to be wrong where the first is missing
        else:
            far = float(a.max() > 0 and a.argmax() != b.argmax())
        out.append(0.8 * min(1.0, far))
    return out


DRAWING = Rows()

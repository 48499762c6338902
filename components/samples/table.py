"""Rows of a table: in the person's own units, coloured where a column is wrong."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from components.samples.drawing import Cells, Drawing, Table, errors_in_words, joined, sets_of
from models import columns as meaning
from models import export
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
            facts["is"] = [name] * len(heads)
            real = self.values(run, values)
            rounded = {
                c.name: np.round(np.array(real[c.name], float), _digits(c)) for c in run.columns if c.kind == "number"
            }
            parts.append(pd.DataFrame(joined(facts, {**real, **rounded})))
        # Each original stands above what became of it.
        st.dataframe(pd.concat(parts).sort_index(kind="stable"), hide_index=True)

    def one(self, run: Run, sets: Mapping[str, Floats], _head: str) -> None:
        self.by_column(run, {name: rows[0] for name, rows in sets.items()})

    def compared(self, run: Run, shown: Reconstructed, heads: Sequence[str]) -> None:
        """One of the rows, column by column."""
        st.caption(errors_in_words(run, shown))
        called = [
            " · ".join(filter(None, (f"row {row}", name, f"error {error:.3f}")))
            for row, name, error in zip(shown.rows, heads, shown.errors, strict=True)
        ]
        one = st.selectbox("Row", range(len(called)), format_func=called.__getitem__, key=f"row of {run.id}")
        self.by_column(run, {name: rows[one] for name, rows in sets_of(run, shown).items()})
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
        return dict(meaning.inverse(run.columns, meaning.unscaled(run.columns, samples)))

    def content(self, run: Run, sample: Floats) -> str:
        return export.codes_csv(self.values(run, sample[None]))

    def by_column(self, run: Run, values: Mapping[str, NDArray[np.floating[Any]]]) -> None:
        """One row (F,) several times, by name, as a table with a line per column, in the person's units, coloured by error.

        The first is what the others are compared with. A cell is the darker the further it is from it, one standard
        deviation being half of the way; a category is coloured when it is another one. Where the first has none, nothing
        is known to be wrong.
        """
        import pandas as pd  # not before a table is drawn: the app would open half a second later

        first, *others = values
        units = {name: {k: v[0] for k, v in self.values(run, one[None]).items()} for name, one in values.items()}
        names = [column.name for column in run.columns]
        table = pd.DataFrame(
            {"column": names}
            | {name: [_said(units[name][column.name], column) for column in run.columns] for name in values}
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


def _said(value: float | str, column: Column) -> str:
    if isinstance(value, str):
        return value or "–"
    return f"{value:,.{_digits(column)}f}" if abs(value) < 1e12 else f"{value:.3g}"


def _digits(column: Column) -> int:
    """Decimals worth reading: two digits of the column's deviation."""
    return int(np.clip(1 - np.floor(np.log10(column.unit)), 0, 8))


def _away(columns: Sequence[Column], one: NDArray[np.floating[Any]], other: NDArray[np.floating[Any]]) -> list[float]:
    """How strongly each column's cell is coloured, in [0, 0.8]."""
    out = []
    for column in columns:
        a, b = (values[column.start : column.start + column.width] for values in (one, other))
        if column.kind == "number":
            far = abs(float(a[0] - b[0])) / 2
        else:
            far = float(a.max() > 0 and a.argmax() != b.argmax())
        out.append(0.8 * min(1.0, far))
    return out


DRAWING = Rows()

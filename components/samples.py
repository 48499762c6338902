"""Samples of a run on a page, by their kind: images as strips, signals as lines over each other, rows as tables."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from components import figures, pictures
from models import columns as meaning
from models.codes import Floats
from models.columns import Column
from models.runs import Run

PANELS = 3  # channels of a signal that are drawn without being asked for
QUIET = {"displayModeBar": False}


def side_by_side(
    run: Run, sets: Mapping[str, Floats], heads: Sequence[str], key: str, side: int = 64, called: str | None = None
) -> None:
    """The same N samples several times, as a model sees them: originals, reconstructions, ... by name ("original").

    heads are what the samples are called, their classes unless `called` says what else; key tells this drawing from
    others on the page. Images are as large as `side` pixels.
    """
    _DRAWN[run.kind](run, sets, heads, key, side, called or run.card.dataset.label)


def _images(_run: Run, sets: Mapping[str, Floats], _heads: Sequence[str], _key: str, side: int, _called: str) -> None:
    for name, images in sets.items():
        st.image(pictures.strip(images, side), width="stretch", alt=name)


def _signals(run: Run, sets: Mapping[str, Floats], heads: Sequence[str], key: str, _side: int, _called: str) -> None:
    shown = channels(run.columns, key)
    real = {name: meaning.unscaled(run.columns, values)[..., shown] for name, values in sets.items()}
    figure = figures.signals(real, [run.columns[c] for c in shown], heads)
    st.plotly_chart(figure, key=key, config=QUIET)


def _rows(run: Run, sets: Mapping[str, Floats], heads: Sequence[str], _key: str, _side: int, called: str) -> None:
    import pandas as pd  # not before a table is drawn: the app would open half a second later

    parts = []
    for name, values in sets.items():
        facts: dict[str, Any] = {called: list(heads)} if any(heads) else {}  # where the dataset has no classes
        facts["is"] = [name] * len(heads)
        real = in_units(run.columns, values)
        rounded = {
            c.name: np.round(np.array(real[c.name], float), _digits(c)) for c in run.columns if c.kind == "number"
        }
        parts.append(pd.DataFrame(joined(facts, {**real, **rounded})))
    # Each original stands above what became of it.
    st.dataframe(pd.concat(parts).sort_index(kind="stable"), hide_index=True)


_DRAWN: dict[str, Callable[..., None]] = {"image": _images, "signal": _signals, "table": _rows}


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


def in_units(columns: Sequence[Column], rows: NDArray[np.floating[Any]]) -> Mapping[str, Sequence[float | str]]:
    """Standardised rows (N, F) as a table in the person's own units: N values by column."""
    return meaning.inverse(columns, meaning.unscaled(columns, rows))


def joined(*tables: Mapping[str, Any]) -> dict[str, Any]:
    """Tables side by side. A column whose name is taken gets "(data)" after its own."""
    out: dict[str, Any] = {}
    for table in tables:
        for name, values in table.items():
            while name in out:
                name += " (data)"  # noqa: PLW2901
            out[name] = values
    return out


def row(run: Run, values: Mapping[str, NDArray[np.floating[Any]]]) -> None:
    """One row (F,) several times, by name, as a table with a line per column, in the person's units, coloured by error.

    The first is what the others are compared with. A cell is the darker the further it is from it, one standard
    deviation being half of the way; a category is coloured when it is another one. Where the first has none, nothing
    is known to be wrong.
    """
    import pandas as pd  # not before a table is drawn: the app would open half a second later

    first, *others = values
    units = {name: {k: v[0] for k, v in in_units(run.columns, one[None]).items()} for name, one in values.items()}
    names = [column.name for column in run.columns]
    table = pd.DataFrame(
        {"column": names}
        | {name: [_said(units[name][column.name], column) for column in run.columns] for name in values}
    )
    styles = pd.DataFrame("", index=table.index, columns=table.columns)
    for other in others:
        away = _away(run.columns, values[first], values[other])
        styles[other] = [f"background-color: rgba(213, 94, 0, {share:.2f})" if share >= 0.05 else "" for share in away]
    # Streamlit's own height shows ten lines: of thirty columns one wants to see most.
    st.dataframe(table.style.apply(lambda _: styles, axis=None), hide_index=True, height=min(38 + 35 * len(table), 680))


def _said(value: float | str, column: Column) -> str:
    if isinstance(value, str):
        return value or "–"
    return f"{value:,.{_digits(column)}f}" if abs(value) < 1e12 else f"{value:.3g}"


def _digits(column: Column) -> int:
    """Decimals worth reading: two digits of the column's deviation."""
    return int(np.clip(1 - np.floor(np.log10(column.deviation)), 0, 8))


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

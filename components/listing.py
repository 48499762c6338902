"""Lists of samples: their first lines as a table with pictures and links to the map, and all of them as a file."""

import contextlib
from collections.abc import Sequence
from typing import Any
from urllib.parse import urlencode

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from components import cached, samples, visitor
from models import Problem, codes, datasets, export, runs, uploads

LISTED = 100  # lines of the table; the file holds them all
MAP = st.column_config.LinkColumn(
    "map", display_text="show", width=60, help="Opens the map at this code, in a new tab: this list stays"
)
Table = dict[str, Sequence[Any] | NDArray[Any]]


def counted(count: int, what: str) -> str:
    """A number of things in words."""
    return f"{count:,} {what}{'' if count == 1 else 's'}"


def part_looked_at(looked: int, count: int, words: str) -> None:
    """Say so when not all of so many samples were looked at."""
    if looked < count:
        st.caption(f"{words} {looked:,} of {count:,} samples, drawn at random: more would take minutes.")


def identity(run: runs.Run, places: NDArray[np.int64], at_hand: bool) -> Table:
    """What a sample is known by: its row, its name or ids where the dataset has some, its class and its split."""
    return {
        **export.identity(run, run.rows[places], named=at_hand),
        **export.class_column(run, run.class_names(run.labels[places])),
        "split": [datasets.SPLITS[split] for split in run.splits[places]],
    }


def map_link(run: runs.Run, code: NDArray[np.float32], **more: str) -> str:
    """The address of a code on the map, relative to this page, with the colours and the plane that the map was left with.
    Nine digits are every digit of a float32. more: what else the address says."""
    left = st.session_state.get("views", {}).get(run.id, {})
    view = {name: left[name] for name in ("colour", "plane") if left.get(name)}
    digits = ",".join(f"{value:.9g}" for value in code)
    return "./?" + urlencode({"run": run.id, **view, "z": digits, **more}, safe=",:!")


def listed(run: runs.Run, columns: Table, shown: dict[str, NDArray[np.int64]], name: str, at_hand: bool) -> None:
    """The first lines as a table with pictures and links to the map, and all of them as a file.

    shown: the places of the samples in each line by the ending of their columns, the line's own first. Rows of a table
    go into the file too.
    """
    count = len(next(iter(columns.values())))
    if not count:
        st.info("No sample stands out so much. Lower the slider.")
        return
    lines = min(count, LISTED)
    at_places = {ending: stored(run, places[:LISTED]) if at_hand else None for ending, places in shown.items()}
    cells = samples.of(run).cells(run, at_places, columns)
    if at_hand:
        cells.after = samples.joined(cells.after, besides(run, shown, LISTED))
    seen, looks = cells.before, cells.looks
    looks["row"] = st.column_config.NumberColumn(format="%d", help="In the dataset, counted from 1")
    height = samples.of(run).row_height if seen else None
    places = next(iter(shown.values()))[:LISTED]
    seen["map"] = [map_link(run, code) for code in run.codes[places]]
    looks["map"] = MAP
    seen |= {column: values[:lines] for column, values in columns.items()}
    for column in seen:
        if column.endswith("percentile"):
            looks[column] = st.column_config.NumberColumn(format="%.1f", help="Per cent of the others below it")
        elif column == "disagree":
            looks[column] = st.column_config.ProgressColumn(format="%.0f %%", min_value=0, max_value=100, width="small")
        elif column.endswith("/ median"):
            looks[column] = st.column_config.NumberColumn(format="%.1f")
        elif column == "because":
            looks[column] = st.column_config.TextColumn(width="large")
        elif column.startswith("split"):  # wide enough for the longest of the three
            looks[column] = st.column_config.TextColumn(width=max(90, 8 * len(column)))
        elif column == "difference":
            looks[column] = st.column_config.NumberColumn(format="%.4f", help="Mean absolute difference of the values")
    st.caption("**show** opens the map in a new tab.")  # also keeps the table's toolbar off what is said above
    st.dataframe(
        samples.joined(seen, cells.after),
        hide_index=True,
        row_height=height,
        height=min(560, 42 + lines * (height or 35)),
        column_config=looks,
        width="stretch",
        key=f"table {name}",
        placeholder="missing" if at_hand else None,
    )
    named = uploads.readable(run.configuration.dataset, visitor.owner())
    if count > lines:
        st.caption(f"The first {lines} of {count:,}. The file holds them all.")
    st.download_button(
        f"All {count:,} (CSV)" if count > lines else "This table (CSV)",
        # Called when somebody presses it, outside of the page, where nobody knows any more whose it is.
        lambda: export.codes_csv(with_rows(run, columns, shown, named=named) if at_hand else columns),
        f"{export.file_name(run, 'codes').removesuffix('-codes.csv')}-{name}.csv",
        "text/csv",
        on_click="ignore",
        icon=":material/download:",
    )


def with_rows(run: runs.Run, columns: Table, shown: dict[str, NDArray[np.int64]], *, named: bool) -> Table:
    """The columns and, of a table whose samples are there, all columns of the rows at these places in their units. named:
    with what stands beside them."""
    values: Table = {}
    if named:
        values |= besides(run, shown)
    if samples.of(run).tabular:
        with contextlib.suppress(Problem):  # deleted since the page was drawn
            for ending, places in shown.items():
                rows = codes.to_float(datasets.originals_at(run.dataset, run.rows[places].astype(np.int64)))
                values |= {f"{name}{ending}": real for name, real in samples.of(run).values(run, rows).items()}
    return samples.joined(columns, values)


def besides(run: runs.Run, shown: dict[str, NDArray[np.int64]], most: int | None = None) -> Table:
    """The columns that stand beside the samples at these places, no more than so many of them, by the ending of their names."""
    return {
        f"{name}{ending}": values
        for ending, places in shown.items()
        for name, values in export.beside(run, run.rows[places[:most]]).items()
    }


def stored(run: runs.Run, places: NDArray[np.int64]) -> NDArray[np.float32] | None:
    """The samples (K, *shape) at these places, as the run sees them; None where they are not at hand."""
    found = cached.originals(run.card.dataset.name, tuple(int(row) for row in run.rows[places]))
    return None if found is None else codes.to_float(found)

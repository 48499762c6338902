"""Samples: which of a run's samples deserve a look, and where new ones lie; every line leads to the map."""

import contextlib
import re
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import streamlit as st
from numpy.typing import NDArray
from streamlit.delta_generator import DeltaGenerator
from streamlit.runtime.uploaded_file_manager import UploadedFile

from components import address, cached, choosing, samples, visitor
from components.views import Page
from models import Problem, codes, datasets, export, kinds, runs, unwritable, uploads
from models.analysis import blame, checks, encoding
from models.readers.work import plain

LOOKS = {
    "outliers": "Outliers",
    "duplicates": "Duplicates",
    "mislabelled": "Likely mislabelled",
    "new": "New samples",
}
ABOVE = 90.0, 99.9  # per cent
LISTED = 100  # lines of the table; the file holds them all
MAP = st.column_config.LinkColumn("map", display_text="show", width=60, help="Opens Explore at this code")
Table = dict[str, Sequence[Any] | NDArray[Any]]


def show() -> None:
    """Draw the page."""
    run = choosing.run()
    if run is None:
        return
    address.seed("look", "outliers", known=LOOKS)  # there always are some
    left, right = st.columns([3, 4], gap="large")
    look = left.segmented_control(
        "What to look for", list(LOOKS), format_func=LOOKS.__getitem__, key="look", required=True
    )
    at_hand = choosing.originals_at_hand(run)
    looks = {"duplicates": duplicates, "outliers": outliers, "mislabelled": mislabelled, "new": new_samples}
    choice = looks[look or "outliers"](run, at_hand, right)
    address.publish(run=run.id, look=look, **choice)


@cached.per_run(4, "Finding the nearest codes…")
def nearest(run: runs.Run) -> checks.Neighbours:
    """The nearest codes of each stored code."""
    return checks.neighbours(run.codes)


@cached.per_run(8, "Comparing samples…")
def near_duplicates(run: runs.Run, alike: float, samples: bool) -> checks.Duplicates:
    """Pairs that differ by at most `alike` times what two random samples differ by."""
    return checks.duplicates(run, nearest(run), alike, samples=samples)


@cached.per_run(8)
def outliers_of(run: runs.Run) -> checks.Outliers:
    """Samples by how much they stand out."""
    return checks.outliers(run.errors, run.splits, nearest(run))


@cached.per_run(8)
def disagreeing(run: runs.Run) -> checks.Mislabelled:
    """Samples by how much their neighbours disagree with their label."""
    return checks.mislabelled(run.labels, nearest(run))


def duplicates(run: runs.Run, at_hand: bool, place: DeltaGenerator) -> dict[str, Any]:
    """Pairs of samples that are the same or nearly so."""
    address.seed("alike", 5, int, range(11))
    alike = place.slider(
        "Show pairs that differ by at most … % of what two random samples do",
        0,
        10,
        key="alike",
        disabled=not at_hand,
        help="Mean absolute difference of the values. At 0 only exact duplicates are listed.",
    )
    found = near_duplicates(run, alike / 100, at_hand)
    first, second = found.first, found.second
    if not at_hand:
        st.caption(
            "Without the originals only pairs of equal codes are listed. Whether their samples are equal is not known."
        )
    elif len(first):
        exact = int((found.difference == 0).sum())
        crossing = int((run.splits[first] != run.splits[second]).sum())
        other = int((run.labels[first] != run.labels[second]).sum())
        word = choosing.escaped(run.card.dataset.label)
        st.markdown(
            f"**{counted(len(first), 'pair')}**: {exact:,} of equal samples, {len(first) - exact:,} of nearly equal ones. "
            f"{crossing:,} reach across two splits, so that a test would meet what was trained on"
            + (f"; {other:,} have another {word}." if run.classes else ".")
        )
    if not len(first):
        st.info("No duplicates are among these samples. Raise the slider to list pairs that are less alike.")
        return {"alike": alike}
    say = np.where(
        found.difference == 0,
        "equal",
        [f"differ by {share:.1%} of usual" for share in found.difference / max(found.random, 1e-12)],
    )
    if not at_hand:
        say = np.full(len(first), "equal codes")
    columns: Table = {}
    for which, places in (("", first), (" of the other", second)):
        columns |= {name + which: values for name, values in identity(run, places, at_hand).items()}
    columns |= {"how alike": say, "difference": found.difference}
    listed(
        run,
        columns,
        {"": first, " of the other": second},
        "duplicates",
        at_hand,
    )
    part_looked_at(found.looked, run.count, "Near duplicates were sought among the neighbours of")
    return {"alike": alike}


def outliers(run: runs.Run, at_hand: bool, place: DeltaGenerator) -> dict[str, Any]:
    """Samples that the run reconstructs badly, or whose code lies alone."""
    address.seed("above", 99.0, percentile)
    above = place.slider("Show samples more unusual than … % of all", *ABOVE, step=0.1, key="above", format="%.1f %%")
    found = outliers_of(run)
    chosen = found.rank >= above
    bad, far = found.error_rank[chosen] >= above, found.distance_rank[chosen] >= above
    st.markdown(
        f"**{counted(int(chosen.sum()), 'sample')}**: {int((bad & ~far).sum()):,} with a large reconstruction error, "
        f"{int((far & ~bad).sum()):,} with a code far from all others, {int((bad & far).sum()):,} with both.",
        help="The error is held against the sample's own split. Far is the distance to the "
        f"{nearest(run).near.shape[1]}th nearest code (Ramaswamy et al. 2000). "
        "A rare but good sample stands out, too.",
    )
    places = found.places[chosen]
    columns: Table = {
        **identity(run, places, at_hand),
        "why": np.select([bad & far, bad], ["large error, far from others", "large error"], "far from others"),
        **(to_blame(run, above) if at_hand else {}),
        "error / median": found.error[chosen],
        "error percentile": found.error_rank[chosen],
        "distance / median": found.distance[chosen],
        "distance percentile": found.distance_rank[chosen],
    }
    listed(run, columns, {"": places}, "outliers", at_hand)
    part_looked_at(len(found.places), run.count, "Looked at were")
    return {"above": above}


@cached.per_run(8, "Looking for the columns to blame…")
def blamed(run: runs.Run, above: float) -> blame.Blame:
    """The column to blame for each sample that stands out so much."""
    found = outliers_of(run)
    chosen = found.rank >= above
    return blame.blame(run, found.places[chosen], found.error_rank[chosen] >= above)


def to_blame(run: runs.Run, above: float) -> Table:
    """The column that makes each of these samples stand out, of rows and signals, and why."""
    word = kinds.get(run.kind).column
    if not word:
        return {}
    try:
        found = blamed(run, above)
    except Problem:  # deleted since the page was drawn
        return {}
    return {f"{word} to blame": list(found.columns), "because": list(found.words)}


def percentile(asked: str) -> float:
    """What the address asks for, as the slider has it."""
    value = round(float(asked), 1)
    if not ABOVE[0] <= value <= ABOVE[1]:
        raise ValueError
    return value


def mislabelled(run: runs.Run, at_hand: bool, place: DeltaGenerator) -> dict[str, Any]:
    """Samples whose neighbours have another label."""
    address.seed("disagree", 90, int, range(50, 101))
    least = place.slider(
        "Neighbours that disagree", 50, 100, key="disagree", format="%d %%", help="Near neighbours weigh more."
    )
    found = disagreeing(run)
    if not len(found.places) or found.voted.max(initial=-1) < 0:
        st.info("These samples have no labels, or all the same one. With two classes or more, neighbours can disagree.")
        return {"disagree": least}
    chosen = found.disagreement >= least / 100
    places = found.places[chosen]
    accuracy = run.metric("knn_accuracy")
    st.markdown(
        f"**{counted(len(places), 'sample')}** of {len(found.places):,} lie among codes of another class. "
        + (
            f"Neighbours name the right class of {accuracy:.0%} of the test samples; with the others they disagree "
            "though the label may well be right."
            if accuracy is not None
            else ""
        ),
        help="Each sample is held against its nearest codes (after Brodley and Friedl 1999). With 5 % of the labels of "
        "digits changed on purpose, 79 % of as many samples ranked first were the changed ones (D = 2, variational); "
        "with codes that mix the classes, 54 %.",
    )
    if not len(places):
        st.info("No sample has so many neighbours of another class. Lower the slider.")
        return {"disagree": least}
    word = run.card.dataset.label
    voted = [run.classes[label] for label in found.voted[chosen]]
    columns: Table = {
        **identity(run, places, at_hand),
        f"neighbours' {word}": voted,
        "in words": [
            f"{votes} of {found.k} neighbours are {name}"
            for votes, name in zip(found.votes[chosen], voted, strict=True)
        ],
        "disagree": 100 * found.disagreement[chosen],
    }
    listed(run, columns, {"": places}, "likely-mislabelled", at_hand)
    labelled = int((run.labels >= 0).sum())
    if labelled < run.count:
        st.caption(f"{run.count - labelled:,} samples have no label and are not judged.")
    part_looked_at(len(found.places), labelled, "Looked at were")
    return {"disagree": least}


FITS = {"crop": "crop the middle", "resize": "resize out of proportion", "pad": "pad with black"}


@dataclass(frozen=True)
class Newcomers:
    """New samples that were encoded: some of them as the run sees them (K, *shape), and all that is known of them."""

    shown: NDArray[np.float32]
    encoded: encoding.Encoded
    names: tuple[str, ...]
    skipped: tuple[tuple[str, str], ...]
    said: tuple[str, ...]


def new_samples(run: runs.Run, at_hand: bool, place: DeltaGenerator) -> dict[str, Any]:
    """Samples that the run has never met, through its encoder: where they lie, and how well they come back."""
    fit, usual, inverted = None, None, False
    if kinds.get(run.kind).pixels:
        with place.container(horizontal=True, vertical_alignment="bottom"):
            usual = uploads.scaled(run.configuration.dataset).get("fit", "crop")
            if st.session_state.get("fit of") != run.digest:
                st.session_state.pop("fit", None)  # what was chosen for another run's images is not for these
                st.session_state["fit of"] = run.digest
            address.seed("fit", usual, known=FITS)
            fit = st.selectbox("Images of another shape", list(FITS), format_func=FITS.__getitem__, key="fit")
            address.seed("invert", False, lambda asked: asked == "yes")
            inverted = st.toggle("Exchange dark and light", key="invert", help="Drawn on white, learnt from black.")
    choices = {"fit": fit if fit != usual else None, "invert": "yes" if inverted else None}
    if not visitor.can_send():
        return choices
    files = st.file_uploader(
        f"Samples to encode: this run takes {choosing.escaped(encoding.takes(run))}",
        accept_multiple_files=True,
        help="Images, a zip of images, CSV, Parquet, NPZ, NPY, idx or safetensors. They are read by a process of its "
        "own, encoded, and not kept.",
    )
    if not files:
        st.session_state.pop("newcomers", None)
        return choices
    asked = (run.digest, tuple(file.file_id for file in files), fit, inverted)
    known = st.session_state.get("newcomers")
    if known is None or known[0] != asked:
        try:
            known = st.session_state["newcomers"] = (asked, encoded(run, files, fit, inverted))
        except Problem as problem:
            st.session_state.pop("newcomers", None)
            st.error(choosing.escaped(str(problem)))
            return choices
    newcomers(run, known[1], at_hand)
    return choices


def encoded(run: runs.Run, files: Sequence[UploadedFile], fit: str | None, inverted: bool) -> Newcomers:
    """The samples in these files, read in a folder that goes afterwards, and encoded."""
    bar = st.progress(0.0, "reading")

    def tell(what: str, share: float) -> None:
        bar.progress(min(1.0, max(0.0, share)), choosing.escaped(what))

    # On disk files have names of ours; in what is said they have their own.
    ours = {f"upload-{i:06}": plain(file.name) for i, file in enumerate(files)}

    def theirs(words: str) -> str:
        return re.sub(r"upload-\d{6}", lambda match: ours.get(match[0], match[0]), words)

    try:
        with tempfile.TemporaryDirectory(prefix="hourglass-", ignore_cleanup_errors=True) as folder:
            paths = [Path(folder) / name for name in ours]
            for path, file in zip(paths, files, strict=True):
                path.write_bytes(file.getbuffer())
            fitted = encoding.read(run, paths, Path(folder) / "read", fit=fit, inverted=inverted, progress=tell)
        done = encoding.encode(run, fitted.samples, tell)
    except Problem as problem:
        raise Problem(
            theirs(problem.came), problem.expected and theirs(problem.expected), problem.do and theirs(problem.do)
        ) from problem
    except OSError as error:
        raise unwritable(Path(tempfile.gettempdir()), error) from error
    finally:
        bar.empty()
    return Newcomers(
        codes.to_float(fitted.shown[:LISTED]),
        done,
        tuple(theirs(name) for name in fitted.names),
        tuple((theirs(name), theirs(why)) for name, why in fitted.skipped),
        tuple(theirs(words) for words in fitted.said),
    )


def newcomers(run: runs.Run, come: Newcomers, at_hand: bool) -> None:
    """What became of new samples: in a sentence, as pictures, as a table and as files."""
    done = come.encoded
    far, poor = int(done.far(run).sum()), int((done.percentile >= 99).sum())
    st.markdown(
        f"**{counted(len(come.names), 'sample')} encoded.** {far:,} lie far from the data, further from the nearest "
        f"code than 99 % of the data do; {poor:,} come back with a larger error than 99 % of the test samples."
    )
    if kinds.get(run.kind).pixels and 2 * poor > len(come.names):
        st.caption(
            "Most of them come back badly. Do dark and light mean the same as in the data? The switch above exchanges them."
        )
    if come.said:
        st.caption(choosing.escaped(" ".join(come.said)))
    if come.skipped:
        with st.expander(f"Left out: {len(come.skipped):,}"):
            st.dataframe({"what": [name for name, _ in come.skipped], "why": [why for _, why in come.skipped]})
    shown = come.shown
    some = min(len(shown), kinds.get(run.kind).side_by_side)
    st.caption(
        f"{'The first of them' if len(come.names) > some else 'As the run sees them'}, and their reconstructions"
    )
    beside = {"original": shown[:some], "reconstruction": run.coder.decode(done.codes[:some])}
    called = encoding.called(run, come.names)
    samples.of(run).side_by_side(run, beside, come.names[:some], "new beside", called)
    columns = encoding.table(run, come.names, done)
    looks: dict[str, Any] = {
        "map": MAP,
        "error": st.column_config.NumberColumn(format="%.4f", help="Mean squared error of the reconstruction"),
        "error percentile": st.column_config.NumberColumn(format="%.1f", help="Per cent of the test samples below it"),
        "distance": st.column_config.NumberColumn(format="%.4f", help="To the nearest stored code"),
        "row in the file": st.column_config.TextColumn(help="Of the new file, as it counts its rows"),
        "nearest row": st.column_config.NumberColumn(format="%d", help="In the run's dataset, counted from 1"),
    }
    near = stored(run, done.nearest[: len(shown), 0]) if at_hand else None
    cells = samples.of(run).cells(run, {"": shown, " of the nearest": near}, columns)
    looks |= cells.looks
    seen = cells.before
    seen["map"] = [map_link(run, code) for code in done.codes[: len(shown)]]
    in_table = [name for name in columns if not re.fullmatch(r"z\d+", name)] + [
        f"z{i + 1}" for i in range(min(4, run.code_size))
    ]
    seen |= {name: columns[name][: len(shown)] for name in in_table}
    st.dataframe(
        samples.joined(seen, cells.after),
        hide_index=True,
        row_height=samples.of(run).row_height,
        column_config=looks,
        width="stretch",
        key="new",
    )
    if len(come.names) > len(shown):
        st.caption(f"The first {len(shown)} of {len(come.names):,}. The files hold them all.")
    stem = export.file_name(run, "codes").removesuffix("-codes.csv")
    with st.container(horizontal=True):
        for words, kind, made in (("CSV", "csv", export.codes_csv), ("Parquet", "parquet", export.codes_parquet)):
            st.download_button(
                f"New codes ({words})",
                partial(made, columns),
                f"{stem}-new-codes.{kind}",
                on_click="ignore",
                icon=":material/download:",
            )


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


def map_link(run: runs.Run, code: NDArray[np.float32]) -> str:
    """The address of a code on the map, relative to this page. Nine digits are every digit of a float32."""
    return f"./?run={run.id}&z=" + ",".join(f"{value:.9g}" for value in code)


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
    if count > lines:
        st.caption(f"The first {lines} of {count:,}. The file holds them all.")
    st.download_button(
        f"All {count:,} (CSV)" if count > lines else "This table (CSV)",
        lambda: export.codes_csv(with_rows(run, columns, shown) if at_hand else columns),
        f"{export.file_name(run, 'codes').removesuffix('-codes.csv')}-{name}.csv",
        "text/csv",
        on_click="ignore",
        icon=":material/download:",
    )


def with_rows(run: runs.Run, columns: Table, shown: dict[str, NDArray[np.int64]]) -> Table:
    """The columns and, of a table whose samples are there, all columns of the rows at these places in their units."""
    values: Table = {}
    if uploads.readable(run.configuration.dataset, visitor.owner()):
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


PAGE = Page("Samples", ":material/fact_check:", 5, show)

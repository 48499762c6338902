"""Data: bring samples of your own, see how they were understood, change that, and keep them to train on."""

import contextlib
import dataclasses
import re
import shutil
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np
import streamlit as st

from components import address, examples, stream, visitor
from components.choosing import escaped
from components.views import Page
from models import Problem, datasets, engine, kinds, readers, unwritable, uploads
from models.readers import server_folders
from models.readers.guarded import guarded_read
from models.readers.limits import LARGE, LIMITS, Limits
from models.readers.result import Decision, ReadResult, value_range
from models.uploads import StoredDataset

SHOWN = 500  # columns and classes that a table on this page lists
ACROSS = 30  # columns of the rows that are shown
LABELS = {
    "kind": "What a sample is",
    "size": "Size",
    "fit": "Other proportions",
    "colour": "Colour",
    "scaling": "Values become 0 to 255",
    "folders": "Folders are classes",
    "split": "Training and test samples",
    "samples": "Samples",
    "labels": "Labels",
    "axes": "Axes",
    "label": "Class",
    "header": "First row names the columns",
    "separator": "Between cells",
    "decimal": "Decimal mark",
    "missing": "Missing values",
    "shape": "Shape of an image",
    "window": "Window (rows)",
    "step": "A window every (rows)",
    "layout": "Time runs",
}
WORDS: dict[str | bool, str] = {
    **{kind.name: kind.described for kind in kinds.KINDS.values()},
    "resize": "squeeze or stretch",
    "crop": "crop the middle",
    "pad": "pad with black",
    "none": "draw them anew",
    "full": "by what the type can hold",
    "stretch": "stretch least to greatest",
    "mean": "the mean of the column",
    "line": "straight lines over short gaps",
    "skip": "leave them out",
    "down": "down the rows",
    "across": "along each row",
    "NHW": "sample, height, width",
    "NHWC": "sample, height, width, channel",
    "NCHW": "sample, channel, height, width",
    "NF": "sample, feature",
    "NTC": "sample, time, channel",
    "\t": "tab",
    " ": "space",
    ",": "comma",
    ";": "semicolon",
    "|": "bar",
    ".": "point",
    "": "none",
    True: "yes",
    False: "no",
}
ORDER = ("kind", "label", "layout", "window", "step", "header", "separator", "decimal")  # of tables: what matters first
FREE = ("size", "shape")  # decisions whose options are only examples, written like 28 × 28
NUMBERS = ("window", "step")
READERS = threading.BoundedSemaphore(engine.cores())


@dataclasses.dataclass
class Draft:
    """Something that is being brought: where it lies, what was decided, and what was understood so far.

    staging is the folder it lies in until it is kept; choices are those asked for, good those that could be read.
    turn counts the readings: each has a folder of its own, and controls of its own. look is some of its samples: a
    picture, or a table's rows.
    """

    staging: Path
    paths: list[Path]
    title: str
    source: str
    limits: Limits
    choices: dict[str, Any] = dataclasses.field(default_factory=dict)
    good: dict[str, Any] = dataclasses.field(default_factory=dict)
    turn: int = 0
    found: ReadResult | None = None
    range: tuple[Any, Any] | None = None
    look: Any = None
    problem: str = ""


def show() -> None:
    """Draw the page."""
    owner = visitor.owner()
    bringing: Draft | None = st.session_state.get("bringing")
    if bringing is None:
        arrive(owner)
    elif bringing.found is None or bringing.choices != bringing.good:
        read(bringing)
    else:
        review(bringing, owner)
    if bringing is None:
        own_datasets(owner)


# ── arriving ─────────────────────────────────────────────────────────────────


def arrive(owner: str) -> None:
    """Where something can be dropped, and what can be."""
    said = st.session_state.pop("data said", None)
    if said:
        st.success(said, icon=":material/check:")
    if problem := st.session_state.get("data problem"):
        st.error(escaped(problem))
    st.subheader("Bring your own data")
    left, right = st.columns([3, 2], gap="large")
    with left:
        if not visitor.can_send():
            return
        given = st.file_uploader(
            "Drop files here",
            accept_multiple_files=True,
            key=f"files {st.session_state.get('arrivals', 0)}",
            help="Up to 200 MB; what a file is, is told by its content and not by its name.",
        )
        if given:
            begin(
                owner, Path(given[0].name).stem, "dropped by its owner", LIMITS, lambda staging: written(given, staging)
            )
            st.rerun()
        larger(owner)
    with right:
        st.markdown(
            "- **Images**: a zip (folders in it are classes; *train* and *test* folders are a split), or several files\n"
            "- **A table**: CSV, TSV or Parquet; rows of features, or rows of pixels\n"
            "- **A time series**: a CSV whose rows are moments; it is cut into windows\n"
            "- **Arrays**: NPZ, NPY, safetensors, or the idx files that MNIST comes in"
        )
    with st.container(horizontal=True, vertical_alignment="center"):
        st.caption("Nothing at hand? Take one of these and drop it above:", width="content")
        for name, make in examples.EXAMPLES.items():
            st.download_button(name, make, name, on_click="ignore", icon=":material/download:", type="tertiary")
    st.caption(
        f":material/lock: What you bring is read in a process of its own, within limits of memory and time; nothing of it is "
        f"ever run. It stays on the computer that serves this page, for you alone, and goes when you delete it or after "
        f"{uploads.days()} days without use."
    )


def larger(owner: str) -> None:
    """The ways for what is too large to be dropped: a stream of our own, and a folder of the server's disk."""
    with st.expander(
        f"A file of more than {st.get_option('server.maxUploadSize')} MB",
        icon=":material/cloud_upload:",
        key="large",
        on_change="rerun",
    ) as opened:
        if opened.open:
            st.caption(
                f"One file of up to {size(LARGE.upload)}, such as a zip of images. It goes straight to the server's disk."
            )
            token = st.session_state.get("arrival", "")
            arrival = stream.expected(token, owner) or stream.expect(owner)
            st.session_state["arrival"] = arrival.token
            name = stream.chooser(arrival, "stream")
            if name is not None:
                title = Path(safe_name(name)).stem
                begin(owner, title, "sent by its owner", LARGE, lambda staging: moved(arrival, staging, name))
                st.rerun()
    if not server_folders.allowed():
        return
    with (
        st.expander("A folder on the server's own disk", icon=":material/folder_open:"),
        st.form("folder", border=False),
    ):
        text = st.selectbox(
            "Folder",
            server_folders.offered(),
            accept_new_options=True,
            help="One of these, or type the path of another within them.",
        )
        if st.form_submit_button("Read it", icon=":material/folder_open:"):
            try:
                path = server_folders.inside(str(text or ""))
            except Problem as problem:
                st.error(escaped(str(problem)))
                return
            begin(owner, path.name, "a folder on the server", LARGE, lambda _staging: [path])
            st.rerun()


def begin(owner: str, title: str, source: str, limits: Limits, lay: Callable[[Path], list[Path]]) -> None:
    """Start reading what `lay` puts into a staging directory or finds elsewhere."""
    st.session_state["arrivals"] = st.session_state.get("arrivals", 0) + 1
    st.session_state.pop("data problem", None)
    staging = uploads.staging_directory(owner)
    st.session_state["bringing"] = Draft(staging, lay(staging), uploads.fit_title(title), source, limits)


def written(given: Sequence[Any], staging: Path) -> list[Path]:
    """The dropped files on disk: each in a folder of its own, under a name made of harmless letters of its own name."""
    out = []
    try:
        for i, file in enumerate(given):
            path = staging / "came" / str(i) / safe_name(file.name)
            path.parent.mkdir(parents=True)
            path.write_bytes(file.getbuffer())
            out.append(path)
    except OSError as error:
        raise unwritable(staging, error) from error
    return out


def moved(arrival: stream.Arrival, staging: Path, name: str) -> list[Path]:
    """The streamed file, from where it arrived to the staging directory of what is read now."""
    assert arrival.path is not None and arrival.staging is not None
    stream.forget(arrival.token)  # first: from now on nothing takes its place
    path = staging / safe_name(name)
    try:
        arrival.path.rename(path)
    except OSError as error:
        raise unwritable(staging, error) from error
    uploads.remove_staging(arrival.staging)
    return [path]


def safe_name(name: str) -> str:
    """A file's name as it may stand on our disk: readers tell splits by it, and people find their files again."""
    return re.sub(r"[^\w.-]+", "_", Path(name.replace("\\", "/")).name)[-80:].lstrip(".") or "file"


# ── reading ──────────────────────────────────────────────────────────────────


def read(bringing: Draft) -> None:
    """Have it read, in a process that any touch of the page ends; a `Problem` goes back to what could be read."""
    with st.container(horizontal=True, vertical_alignment="center"):
        bar = st.progress(0.0, "Reading …")
        st.button("Cancel", icon=":material/close:", on_click=undo, args=(bringing,))
    for _ in range(30):  # what the last page drew would stay until this one is done
        st.empty()
    bringing.turn += 1
    folder = bringing.staging / str(bringing.turn)
    try:
        with reading_slot(bar):
            found = guarded_read(
                bringing.paths,
                folder,
                bringing.choices,
                lambda what, share: show_progress(bar, what, share),
                bringing.limits,
            )
        bar.progress(1.0, "Looking at it …")
        bringing.look = readers.some_rows(found) if found.kind == "table" else readers.contact_sheet(found)
        bringing.range = value_range(found)
    except Problem as problem:
        undo(bringing)
        bringing.problem = str(problem)
        if bringing.found is None:
            st.session_state["data problem"] = str(problem)
    else:
        bringing.found, bringing.good, bringing.problem = found, dict(bringing.choices), ""
        for earlier in range(bringing.turn):  # a large one, read ten times over, would fill the disk
            shutil.rmtree(bringing.staging / str(earlier), ignore_errors=True)
    st.rerun()


@contextlib.contextmanager
def reading_slot(bar: Any) -> Iterator[None]:
    """Read only when no more than so many others do: each reading may take 600 MB of memory and all of a core."""
    while not READERS.acquire(timeout=0.5):
        show_progress(bar, "waiting until the files of others are read", 0.0)
    try:
        yield
    finally:
        READERS.release()


def show_progress(bar: Any, what: str, share: float) -> None:
    """Draw how far it is. Streamlit ends the script here once the page was touched, and with it the reading."""
    bar.progress(share, f"{escaped(what[:1].upper() + what[1:])} …")


def undo(bringing: Draft) -> None:
    """Back to the last choices that could be read; back to the start where there are none."""
    if bringing.found is None:
        stop()
    bringing.choices = dict(bringing.good)
    bringing.turn += 1


def stop() -> None:
    """Drop what was brought, with its staging directory."""
    bringing = st.session_state.pop("bringing", None)
    if bringing is not None:
        uploads.remove_staging(bringing.staging)


# ── what was understood ──────────────────────────────────────────────────────


def review(bringing: Draft, owner: str) -> None:
    """What was understood, the controls that change it, and the two ways of keeping it."""
    found = bringing.found
    assert found is not None
    st.subheader("What was understood")
    if bringing.problem:
        st.error(f"{escaped(bringing.problem)} It is as it was before.")
    for words in found.warnings:
        st.warning(escaped(words))
    left, right = st.columns([2, 3], gap="large")
    with left:
        look_at(bringing.look)
    with right:
        numbers(found, bringing)
        decide(found, bringing)
    contents(found, bringing)
    keeping(bringing, owner)


def look_at(some: Any) -> None:
    """Some of the samples, as they were read."""
    if isinstance(some, dict):  # a wide table is cut: its columns are listed below
        st.dataframe(dict(list(some.items())[:ACROSS]), hide_index=True, height="content")
        cut = f", {ACROSS} of {len(some):,} columns" if len(some) > ACROSS else ""
        st.caption(f"{len(next(iter(some.values()))):,} rows, evenly spread over all{cut}")
    else:
        st.image(some, width=min(460, some.width), alt="Samples, evenly spread over all")


def numbers(found: ReadResult, bringing: Draft) -> None:
    """Count, shape, range and split."""
    kind = kinds.get(found.kind)
    with st.container(horizontal=True, gap="large"):
        st.metric(kind.many.capitalize(), f"{len(found.samples):,}", width="content")
        st.metric(kind.dimensions, " × ".join(map(str, found.shape)), width="content")
        if kind.pixels and bringing.range is not None:  # each column of others has a range of its own, below
            least, most = bringing.range
            st.metric("Values", f"{least.min()} to {most.max()}", width="content")
        st.metric("Classes", f"{len(found.classes):,}" if found.classes else "none", width="content")
    if found.split is None:
        words = "A tenth of the samples is kept for validation and a tenth for testing, drawn once and for all."
    else:
        train, validation, test = np.bincount(found.split, minlength=3)
        words = f"{train:,} samples train, {validation:,} validate, {test:,} test."
    if not kind.pixels:
        words += " Numbers are standardised with the training samples' mean and deviation; your own units are kept too."
    st.caption(words)


def decide(found: ReadResult, bringing: Draft) -> None:
    """Each decision as a sentence, with the control that changes it."""
    for decision in sorted(found.decisions, key=lambda one: ORDER.index(one.what) if one.what in ORDER else 0):
        if decision.what == "shape" or len(decision.options) > 1 or decision.what in NUMBERS:
            words, control = st.columns([3, 2], vertical_alignment="center")
            words.markdown(escaped(decision.words))
            with control:
                chosen = asked(decision, bringing.turn)
            if chosen != decision.chosen:
                choose(bringing, decision.what, chosen)
        else:
            st.markdown(escaped(decision.words))
    if found.decision("kind") is not None and found.columns:  # of a table: arrays have no named columns
        without = list(bringing.choices.get("leave_out") or [])
        names = [column.name for column in found.columns] + without
        if 1 < len(names) <= SHOWN:
            chosen = st.multiselect(
                "Leave out columns", names, without, key=f"leave out {bringing.turn}", placeholder="none"
            )
            if sorted(chosen) != sorted(without):
                choose(bringing, "leave_out", chosen or None)


def choose(bringing: Draft, what: str, chosen: Any) -> None:
    """Ask for another decision, and read again."""
    bringing.choices = {name: value for name, value in {**bringing.choices, what: chosen}.items() if value is not None}
    st.rerun()


def asked(decision: Decision, turn: int) -> Any:
    """What the control of a decision says: one of its options, or another that fits where these are examples."""
    label, key = LABELS.get(decision.what, decision.what), f"{decision.what} {turn}"
    if decision.what in NUMBERS:
        return st.number_input(label, 1, LIMITS.rows, int(decision.chosen), key=key, label_visibility="collapsed")
    options = list(decision.options)
    if decision.chosen not in options:
        options.insert(0, decision.chosen)
    words = [worded(option) for option in options]
    at = options.index(decision.chosen)
    if decision.what not in FREE:
        places = range(len(options))  # of the options: the words of two may be alike
        return options[
            st.selectbox(label, places, at, format_func=words.__getitem__, key=key, label_visibility="collapsed")
        ]
    text = st.selectbox(label, words, at, key=key, accept_new_options=True, label_visibility="collapsed")
    if text in words:
        return options[words.index(text)]
    sides = [int(number) for number in re.findall(r"\d{1,6}", text)]
    return (sides * 2 if len(sides) == 1 else sides) or decision.chosen  # one number is a square


def worded(option: Any) -> str:
    """An option in words: a size as 28 × 28, several names as a list."""
    if isinstance(option, list | tuple):
        mark = " × " if all(isinstance(one, int) for one in option) else " and "
        return mark.join(map(str, option))
    return str(WORDS.get(option, option))


def contents(found: ReadResult, bringing: Draft) -> None:
    """Classes, columns, and what was skipped, each as a table."""
    tables: dict[str, Any] = {}
    if found.classes:
        counts = np.bincount(found.labels[found.labels >= 0], minlength=len(found.classes))[:SHOWN]
        tables["Classes"] = [
            {"class": name, "samples": int(count)} for name, count in zip(found.classes, counts, strict=False)
        ]
    if found.columns and bringing.range is not None:
        tables[f"{kinds.get(found.kind).column.capitalize()}s"] = [
            {
                "name": column.name,
                "is": "number" if column.kind == "number" else f"{column.width} categories",
                "values": "{} to {}, mean {}".format(
                    *map(short, (bringing.range[0][column.start], bringing.range[1][column.start], column.mean))
                )
                if column.kind == "number"
                else ", ".join(column.values[:20]),
            }
            for column in found.columns[:SHOWN]
        ]
    if tables:
        for (title, table), place in zip(tables.items(), st.columns(2, gap="large"), strict=False):
            with place:
                listed(title, table)
    if found.skipped:  # sentences: they have the whole width
        listed("Left out, and why", [{"what": place, "why": why} for place, why in found.skipped], why="large")


def listed(title: str, table: list[dict[str, Any]], **widths: Literal["small", "medium", "large"]) -> None:
    """A table under its title, no taller than six rows."""
    st.markdown(f"**{title}**")
    config = {name: st.column_config.TextColumn(width=width) for name, width in widths.items()}
    st.dataframe(table, hide_index=True, height="content" if len(table) < 7 else 260, column_config=config)


def short(value: float) -> str:
    """A number of four digits or, where it is larger, a whole one."""
    return f"{value:,.0f}" if 1e4 <= abs(value) < 1e12 else f"{value:.4g}"


def keeping(bringing: Draft, owner: str) -> None:
    """A name, and the ways on."""
    assert bringing.found is not None
    bringing.title = st.text_input("Name", bringing.title, max_chars=uploads.TITLE, key=f"title {bringing.turn}")
    with st.container(horizontal=True):
        train = st.button("Keep it and train", type="primary", icon=":material/model_training:")
        only = st.button("Keep it", icon=":material/save:")
        st.button("Start over", icon=":material/undo:", on_click=stop)
    if not (train or only):
        return
    bar = st.progress(0.0, "Keeping it …")
    try:
        kept = uploads.save(
            bringing.found,
            owner,
            bringing.title,
            bringing.source,
            progress=lambda what, share: show_progress(bar, what, share),
        )
    except Problem as problem:
        bar.empty()
        st.error(escaped(str(problem)))
        return
    stop()
    if train:
        to_train(kept.name)
    st.session_state["data said"] = f"{kept.title} is kept: {kept.count:,} samples."
    st.rerun()


def to_train(name: str) -> None:
    """Over to Train, with this dataset chosen."""
    address.choose("training", None)
    st.switch_page(st.session_state["pages"]["Train"], query_params={"dataset": name})


# ── what is there ────────────────────────────────────────────────────────────


def own_datasets(owner: str) -> None:
    """The datasets of this visitor, and what can be done with each."""
    mine = uploads.of(owner)
    if not mine:
        return
    st.subheader("Your datasets")
    for one in mine:
        with st.container(border=True):
            words, train, delete = st.columns([6, 1, 1], vertical_alignment="center")
            words.markdown(f"**{one.title}**")
            words.caption(about(one, owner))
            if train.button("Train", key=f"train {one.name}", icon=":material/model_training:", width="stretch"):
                to_train(one.name)
            if one.owner == owner and delete.button(
                "Delete", key=f"delete {one.name}", icon=":material/delete:", width="stretch"
            ):
                confirm_deletion(one, owner)
    taken = sum(one.bytes for one in mine if one.owner == owner)
    st.caption(f"They take {size(taken)} of the {size(uploads.quota())} that you may keep here.")


def about(one: StoredDataset, owner: str) -> str:
    """A dataset in a line."""
    samples = kinds.get(one.kind).shaped.format(" × ".join(map(str, one.shape)))
    classes = f" · {len(one.classes):,} classes" if one.classes else ""
    if one.owner != owner:
        return f"{one.count:,} {samples}{classes} · shared with everybody here"
    day = time.localtime(one.expires)
    until = f"{day.tm_mday} {time.strftime('%B %Y', day)}"
    return f"{one.count:,} {samples}{classes} · {size(one.bytes)} · goes on {until} unless it is used"


def size(count: int) -> str:
    """Bytes as a person says them."""
    for unit, of in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if count >= of:
            return f"{count / of:.3g} {unit}"
    return f"{count} bytes"


@st.dialog("Delete for good?")
def confirm_deletion(one: StoredDataset, owner: str) -> None:
    """Ask first."""
    st.markdown(f"**{one.title}**: {one.count:,} samples.")
    st.caption("Runs that were trained on it stay: their map and decoder go on working, without the originals.")
    yes, no = st.columns(2)
    if yes.button("Delete", type="primary", icon=":material/delete:", width="stretch"):
        datasets.delete(one.name, owner)
        st.rerun()
    if no.button("Keep", width="stretch"):
        st.rerun()


PAGE = Page("Data", ":material/upload_file:", 2, show)

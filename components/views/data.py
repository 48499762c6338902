"""Data: bring samples of your own, see how they were understood, change that, and keep them to train on."""

import contextlib
import re
import shutil
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from components import address, examples, stream, understood, visitor
from components.choosing import escaped
from components.views import Page
from models import Problem, datasets, engine, kinds, labs, readers, unwritable, uploads
from models.labs import Lab, recommend
from models.readers import server_folders
from models.readers.guarded import guarded_read
from models.readers.limits import LARGE, LIMITS, Limits
from models.readers.result import counts, value_range
from models.uploads import StoredDataset

READERS = threading.BoundedSemaphore(engine.cores())


def show() -> None:
    """Draw the page."""
    owner = visitor.owner()
    bringing: understood.Draft | None = st.session_state.get("bringing")
    if bringing is None:
        arrive(owner)
    elif bringing.found is None or bringing.choices != bringing.good:
        read(bringing)
    else:
        with st.container(horizontal=True, vertical_alignment="center"):
            st.subheader("What was understood", width="content")
            top = st.container(width="content")
        understood.review(bringing)
        keeping(bringing, owner, top)
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
            "- **Images**: a zip (folders in it are classes; *train* and *test* folders are a split), or several files; with "
            "a table of labels, if there is one\n"
            "- **A table**: CSV, TSV, ARFF or Parquet; rows of features, or rows of pixels; *train* and *test* together\n"
            "- **Ratings**: a CSV of person, thing and stars, or the zip of MovieLens\n"
            "- **A time series**: a CSV whose rows are moments, cut into windows; or a .ts file\n"
            "- **Sounds**: WAV, up to a minute of each, cut into windows\n"
            "- **Arrays**: NPZ, NPY (*X* and *y* together), safetensors, or the idx files that MNIST comes in"
        )
    with st.container(horizontal=True, vertical_alignment="center"):
        st.caption("Nothing at hand? Open one of these:", width="content")
        for name, make in examples.EXAMPLES.items():
            if st.button(name, key=f"example {name}", icon=":material/folder_open:", type="tertiary"):
                begin(owner, Path(name).stem, "an example", LIMITS, partial(laid, name, make))
                st.rerun()
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
    st.session_state["bringing"] = understood.Draft(staging, lay(staging), uploads.fit_title(title), source, limits)


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


def laid(name: str, make: Callable[[], bytes], staging: Path) -> list[Path]:
    """An example as a file on disk."""
    path = staging / "came" / name
    try:
        path.parent.mkdir(parents=True)
        path.write_bytes(make())
    except OSError as error:
        raise unwritable(staging, error) from error
    return [path]


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


def read(bringing: understood.Draft) -> None:
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
        bringing.range, bringing.counts = value_range(found), counts(found)
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


def undo(bringing: understood.Draft) -> None:
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


# ── keeping ──────────────────────────────────────────────────────────────────


def keeping(bringing: understood.Draft, owner: str, top: DeltaGenerator) -> None:
    """A name, and the ways on. top: where one of them stands in sight, too: on a phone the others are four screens down."""
    assert bringing.found is not None
    bringing.title = st.text_input("Name", bringing.title, max_chars=uploads.TITLE, key=f"title {bringing.turn}")
    open_question = any(decision.asks for decision in bringing.found.decisions)
    if open_question:
        st.caption("First say above which of two readings is right.")
    rated = recommend.brought(bringing.found)
    onward = "Recommend" if rated else "Train"
    keep, icon = f"Keep it, go on to {onward}", ":material/thumb_up:" if rated else ":material/model_training:"
    at_once = top.button(keep, key="keep at once", type="primary", icon=icon, disabled=open_question)
    if rated:
        top.caption("These are ratings: a row for each person, a column for each thing, gaps where nobody has rated.")
    with st.container(horizontal=True):
        go_on = st.button(keep, type="primary", icon=icon, disabled=open_question)
        only = st.button("Keep it", icon=":material/save:", disabled=open_question)
        st.button("Start over", icon=":material/undo:", on_click=stop)
    if not (go_on or at_once or only):
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
    if rated and not only:
        st.switch_page(st.session_state["pages"][onward], query_params={"data": kept.name})
    elif not only:
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
            fitting = asking(one.name)
            words, train, *places, delete = st.columns(
                [max(3, 6 - len(fitting)), 1, *[1.3] * len(fitting), 1], vertical_alignment="center"
            )
            words.markdown(f"**{one.title}**")
            words.caption(about(one, owner))
            if train.button("Train", key=f"train {one.name}", icon=":material/model_training:", width="stretch"):
                to_train(one.name)
            for lab, place in zip(fitting, places, strict=True):
                if place.button(lab.title, key=f"{lab.name} {one.name}", help=lab.question, width="stretch"):
                    st.switch_page(st.session_state["pages"][lab.title], query_params={"data": one.name})
            if one.owner == owner and delete.button(
                "Delete", key=f"delete {one.name}", icon=":material/delete:", width="stretch"
            ):
                confirm_deletion(one, owner)
    taken = sum(one.bytes for one in mine if one.owner == owner)
    st.caption(f"They take {size(taken)} of the {size(uploads.quota())} that you may keep here.")


def asking(name: str) -> list[Lab]:
    """The labs that can be asked of a dataset."""
    known = uploads.dataset(name)
    every = labs.available().values()
    return [] if known is None else [lab for lab in every if lab.of == "dataset" and not lab.fits(known)]


def about(one: StoredDataset, owner: str) -> str:
    """A dataset in a line."""
    samples = kinds.get(one.kind).shaped.format(" × ".join(map(str, one.shape)))
    classes = f" · {len(one.classes):,} classes" if one.classes else ""
    if one.owner != owner:
        return f"{one.count:,} {samples}{classes} · shared with everybody here"
    day = time.localtime(one.expires)
    until = f"{day.tm_mday} {time.strftime('%B %Y', day)}"
    return f"{one.count:,} {samples}{classes} · {size(one.bytes)} · will be deleted on {until} unless used"


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

"""New samples on the Samples page: read, encoded and held against what the run knows."""

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

from components import address, choosing, samples, visitor
from components.listing import LISTED, MAP, counted, map_link, stored
from models import Problem, codes, export, kinds, runs, unwritable, uploads
from models.analysis import encoding
from models.readers.work import plain

FITS = {"crop": "crop the middle", "resize": "resize out of proportion", "pad": "pad with black"}


@dataclass(frozen=True)
class Newcomers:
    """New samples that were encoded: some of them as the run sees them (K, *shape), and all that is known of them."""

    shown: NDArray[np.float32]
    encoded: encoding.Encoded
    names: tuple[str, ...]
    skipped: tuple[tuple[str, str], ...]
    said: tuple[str, ...]


def show(run: runs.Run, at_hand: bool, place: DeltaGenerator) -> dict[str, Any]:
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
        help="Images, a zip of images, CSV, Parquet, NPZ, NPY, idx, safetensors or WAV. They are read by a process of its "
        "own, encoded, and not kept.",
    )
    if not files:
        st.session_state.pop("newcomers", None)
        return choices
    if (come := encoded(run, files, fit, inverted)) is not None:
        newcomers(run, come, at_hand)
    return choices


def encoded(
    run: runs.Run, files: Sequence[UploadedFile], fit: str | None = None, inverted: bool = False
) -> Newcomers | None:
    """The samples in these files, read and encoded once; None, with the reason said, where that cannot be."""
    asked = (run.digest, tuple(file.file_id for file in files), fit, inverted)
    known = st.session_state.get("newcomers")
    if known is None or known[0] != asked:
        try:
            known = st.session_state["newcomers"] = (asked, _encoded(run, files, fit, inverted))
        except Problem as problem:
            st.session_state.pop("newcomers", None)
            st.error(choosing.escaped(str(problem)))
            return None
    come: Newcomers = known[1]
    return come


def _encoded(run: runs.Run, files: Sequence[UploadedFile], fit: str | None, inverted: bool) -> Newcomers:
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

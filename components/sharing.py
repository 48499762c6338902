"""The link to a map as it stands, and the way to hand over a run to somebody whose browser does not reach this computer."""

from collections.abc import Mapping, Sequence
from functools import partial
from urllib.parse import urlencode, urlsplit

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from components import cached, choosing, visitor
from models import blocks, export, pages, runs, uploads

LOCAL = ("localhost", "127.0.0.1", "::1")  # names of the computer itself, which mean another one elsewhere


def parameters(view: Mapping[str, object], code: Sequence[float] | None) -> dict[str, str]:
    """A view and the code held on it, as the address of Explore has them."""
    found = {name: str(value) for name, value in view.items() if value}
    return found if code is None else {**found, "z": ",".join(f"{value:.5g}" for value in code)}


def share(place: DeltaGenerator, run: runs.Run, shown: Mapping[str, str]) -> None:
    """A button that opens the link. shown: what `parameters` gives."""
    with place.popover("Share", icon=":material/share:", key="share"):
        st.caption("Whoever opens this link sees the map as it stands here.")
        here = urlsplit(st.context.url or "")
        link = f"{here.scheme}://{here.netloc}{here.path.rpartition('/')[0]}/" if here.netloc else "/"
        st.code(f"{link}?{urlencode({'run': run.id, **shown}, safe=',:!')}", language=None, wrap_lines=True)
        only = (
            "It works on this computer only. For a friend elsewhere" if here.hostname in LOCAL else "Or without a link"
        )
        st.caption(
            f"{only}, send this run as one page: a file that opens by a double click, without a server or a network."
        )
        one_page(run, "share", shown)
        st.caption(
            "Or all that the run is, as a zip: your friend opens it in an Hourglass of their own, on Explore under "
            "**Open a run**."
        )
        st.download_button(
            "The whole run (zip)",
            partial(export.pack, run),
            file_name=export.file_name(run, "run"),
            on_click="ignore",
            icon=":material/folder_zip:",
            key=f"zip share {run.id}",
        )
        choosing.own_data_notice(run)


def one_page(run: runs.Run, key: str, shown: Mapping[str, str] | None = None) -> None:
    """A button that hands over the run as one page, which opens as it is shown here. Samples of one's own are on it only where
    that is ticked."""
    name, along = run.configuration.dataset, None
    if uploads.own(name) and uploads.readable(name, visitor.owner()):
        count = min(blocks.TILES, run.count)
        along = st.checkbox(
            f"With {count:,} of your samples",
            key=f"along {key} {run.id}",
            help="As small pictures or values, with their ids or names and the columns that the map can be coloured by",
        )
    st.download_button(
        "This run as one page",
        partial(page, run, along, None if shown is None else tuple(shown.items())),
        file_name=export.file_name(run, "page"),
        mime="text/html",
        on_click="ignore",
        icon=":material/draft:",
        key=f"page {key} {run.id}",
        help="An .html file with the map, the decoder and the tools, to mail, to put on a stick or on a website",
    )


@cached.per_run(8)
def page(run: runs.Run, along: bool | None, shown: tuple[tuple[str, str], ...] | None = None) -> bytes:
    """The page, made when its button is pressed. along: with samples; None as their licence allows it."""
    return pages.page(run, samples=along, view=None if shown is None else dict(shown)).html

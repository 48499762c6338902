"""The link to a map as it stands, and the way to hand over a run to somebody whose browser does not reach this computer."""

from collections.abc import Mapping, Sequence
from urllib.parse import urlencode, urlsplit

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from components import choosing
from models import runs

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
            f"{only}: on Explore, under Download, take **Run (zip)** and send it; your friend opens it in an Hourglass "
            "of their own, on Explore under **Open a run**."
        )
        choosing.own_data_notice(run)

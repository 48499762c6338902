"""The address bar: every choice that makes a view stands there, so that a view can be sent to somebody.

It has one writer, `publish`. A widget's state wins over the address once the page has been drawn: the address
is read when a page is opened, and written after each change.
"""

import math
from collections.abc import Callable, Iterable
from typing import Any

import streamlit as st


def seed(name: str, default: Any, read: Callable[[str], Any] = str, known: Iterable[Any] | None = None) -> Any:
    """The value of the widget with key `name`: as it stands, else from the address, else the default.

    What the address says is turned into a value by `read` and has to be among `known`, if given; otherwise the
    default is taken and a sentence says so.
    """
    options = None if known is None else list(known)
    if name in st.session_state and (options is None or st.session_state[name] in options):
        return st.session_state[name]
    value = default
    if name not in st.session_state and name in st.query_params:
        asked = st.query_params[name]
        try:
            value = read(asked)
            if isinstance(value, float) and not math.isfinite(value):
                raise ValueError
            if options is not None and value not in options:
                raise ValueError
        except (ValueError, TypeError):
            value = default
            st.warning(
                f"The address asks for {name} “{asked[:80]}”, which is not available here. {default} is shown instead."
            )
    st.session_state[name] = value
    return value


def publish(**choices: Any) -> None:
    """Make the address say exactly these choices; None leaves one out."""
    wanted = {name: str(value) for name, value in choices.items() if value is not None}
    if st.query_params.to_dict() != wanted:
        st.query_params.from_dict(wanted)

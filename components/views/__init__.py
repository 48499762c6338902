"""Pages: one file in this folder is one page, found by its presence.

Such a file defines `PAGE`, a `Page`, and `show()`, which draws it.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import Any

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx
from streamlit.runtime.scriptrunner_utils.script_requests import ScriptRequestType

from models import Problem
from models.discovery import Unusable, discover, texts


@dataclass(frozen=True)
class Page:
    """A page's name in the navigation, its icon, and its place there (small first; the first opens the app)."""

    title: str
    icon: str
    order: int
    show: Callable[[], None]

    @property
    def path(self) -> str:
        """The last part of its address."""
        return self.title.lower()


class Pages(dict[str, Any]):
    """Pages by title. One that is not there is a `Problem`: its file may be broken, and other pages have links to it."""

    def __missing__(self, title: str) -> Any:
        raise Problem(
            f"the page {title} is not here",
            f"a file in {__name__.replace('.', '/')} defines it",
            "look above for what is wrong with it",
        )


def available() -> list[Page]:
    """Every page in this folder, in order."""
    return discovered()[0]


def discovered() -> tuple[list[Page], list[Problem]]:
    """Every page in this folder, in order, and what is wrong with the files that give none."""
    pages, problems = discover(__name__, __path__, "PAGE", Page, check, names=lambda page: (page.path,))
    return sorted(pages, key=lambda page: page.order), problems


def check(page: Page, _file: str) -> None:
    """`Unusable` where Streamlit would not take a page."""
    texts(page, "title", "icon")
    if not callable(page.show):
        raise Unusable(f"has {page.show!r} as its show", "a function that draws the page was expected")


def show_problems(draw: Callable[..., None]) -> Callable[..., None]:
    """`draw`, with a `Problem` that ends it shown as its sentence: a queue that is locked, a disk that is full."""

    @wraps(draw)
    def drawn(*given: Any, **named: Any) -> None:
        try:
            draw(*given, **named)
        except Problem as problem:
            st.error(str(problem))

    return drawn


def forget_the_page_before() -> None:
    """Drop what a fragment of another page than this one asked for, if nobody has answered it yet.

    Its timer can go off in the moment in which a button of that page leads here. Streamlit 1.67 answers it all the same,
    as that page, whereupon the browser empties this one and then fails at whatever is drawn in it next.
    """
    context = get_script_run_ctx()
    requests = context.script_requests if context is not None else None
    if context is None or requests is None:
        return
    with requests._lock:
        asked = requests._rerun_data
        waits = requests._state is ScriptRequestType.RERUN and asked.fragment_id_queue
        if waits and asked.page_script_hash != context.page_script_hash:
            requests._state = ScriptRequestType.CONTINUE

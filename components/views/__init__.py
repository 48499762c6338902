"""Pages: one file in this folder is one page, found by its presence.

Such a file defines `PAGE`, a `Page`, and `show()`, which draws it.
"""

import importlib
import pkgutil
from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import Any

import streamlit as st

from models import Problem


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


def found() -> list[Page]:
    """Every page in this folder, in order."""
    modules = [importlib.import_module(f"{__name__}.{info.name}") for info in pkgutil.iter_modules(__path__)]
    return sorted((module.PAGE for module in modules), key=lambda page: page.order)


def told(draw: Callable[..., None]) -> Callable[..., None]:
    """`draw`, with a `Problem` that ends it shown as its sentence: a queue that is locked, a disk that is full."""

    @wraps(draw)
    def drawn(*given: Any, **named: Any) -> None:
        try:
            draw(*given, **named)
        except Problem as problem:
            st.error(str(problem))

    return drawn

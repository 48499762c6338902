"""The address bar, and what of a session's choices outlives a page.

Every choice that makes a view stands in the address, so that a view can be sent to somebody, and that Back and Forward
lead to it. `publish` is its one writer. Streamlit forgets a widget's value once another page is drawn, and keeps it for
one run too long under a key that two pages share; `seed` therefore keeps each choice under a key of ours as well.
"""

import math
from collections.abc import Callable, Iterable
from typing import Any

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx

_KEPT = "kept choices"  # what was chosen last, by name
_DUE = "due choices"  # what the app has chosen and no drawn page has shown yet, by name
_APPLIED = "applied choices"  # the names of those that the page being drawn has taken over
_SHOWN = "shown choices"  # the values that the browser may show, by name, oldest first; one, after a whole drawing
_VISIT = "visit"  # the page that is drawn, the names seeded since it was opened, and addresses that do not open it


def begin() -> None:
    """A drawing begins. Its page was just opened where it is another one than in the drawing before, where Back or
    Forward led to it, and where its address is one that it did not have since it was opened: of pages that are left in
    quick succession Streamlit draws the last one only."""
    context = get_script_run_ctx()
    back = context is not None and context.is_history_navigation
    if back or _VISIT not in st.session_state or st.query_params.to_dict() not in _visit()[2]:
        st.session_state.pop(_VISIT, None)


def seed(
    name: str,
    default: Any,
    read: Callable[[str], Any] | None = str,
    known: Iterable[Any] | None = None,
    called: Callable[[Any], str] = str,
) -> Any:
    """The value that the widget with key `name` is to show; call it right before the widget is drawn.

    A page that was just opened follows its address. After that the widget itself counts, unless it says what it said
    before a drawing that did not come to its end; then what `seed` gave last, on whatever page, then the default. What the address says is turned into a value by `read` (None: it says
    nothing of this name) and has to be among `known`, if given; otherwise a sentence says so, in which `called` names
    the value that is taken instead.
    """
    options = None if known is None else list(known)
    first = first_time(name)
    wrong = None
    if name in _due():
        value, page = _due()[name]
        st.session_state[name] = value
        _applied().add(name)
        if page == _page():  # else it was chosen before this page was opened, by an address perhaps
            read = None
    candidates = [st.session_state[name]] if _says(name) else []
    if name in _kept():
        candidates.append(_kept()[name])
    if first and read is not None and name in st.query_params:
        try:
            value = read(st.query_params[name])
            if isinstance(value, float) and not math.isfinite(value):
                raise ValueError
            if options is not None and value not in options:
                raise ValueError
            candidates.insert(0, value)
        except (ValueError, TypeError):
            wrong = st.query_params[name]
    value = next((one for one in candidates if options is None or one in options), default)
    if wrong is not None:
        st.warning(
            f"The address asks for {name} “{wrong[:80]}”, which is not available here. {called(value)} is shown."
        )
    shown = _shown().get(name, [])
    if shown[-1:] != [value]:
        by_hand = _says(name) and bool(st.session_state[name] == value)
        _shown()[name] = [value] if by_hand else [*shown, value]
    # Written only where it changes something: Streamlit sends a written value to the browser, where a hand may be on it.
    if first or name not in st.session_state or st.session_state[name] != value:
        st.session_state[name] = value
    _kept()[name] = value
    return value


def first_time(name: str) -> bool:
    """Whether this is asked for the first time since the page was opened: only then does its address count."""
    first = name not in _seeded()
    _seeded().add(name)
    return first


def chosen(name: str) -> Any:
    """What the app has chosen for this name, else what `seed` gave last, on whatever page; None where there is nothing."""
    return _due()[name][0] if name in _due() else _kept().get(name)


def choose(name: str, value: Any) -> None:
    """Have the next `seed` of this name give this value, whatever its widget says, and on this page the address.

    This holds until `settle`: a drawing that is interrupted begins again with what the browser still shows.
    """
    _due()[name] = value, _page()
    _applied().discard(name)


def settle() -> None:
    """The page is drawn to its end: what it took over from `choose` is the browser's to change from now on, and what it
    did not show waits as if it had been chosen on a page before."""
    for name, (value, _) in _due().items():
        if name not in _applied():
            st.session_state.pop(name, None)
            _kept()[name] = value
    _shown().update({name: [value] for name, value in _kept().items()})
    _due().clear()
    _applied().clear()


def changed(name: str) -> bool:
    """Whether somebody has changed the widget of this name since `seed` last gave it a value; call it before `seed`.

    Streamlit's `on_change` is called without a change, too: after a drawing that was interrupted, and when a fragment's
    timer brings what the browser showed before the app itself chose something.
    """
    known = name in _seeded() and name in _kept() and _says(name) and name not in _due()
    return known and bool(st.session_state[name] != _kept()[name])


def upcoming(name: str, default: Any) -> Any:
    """What `seed` is about to give, where what the address says need not be checked yet."""
    if name in _due():
        return _due()[name][0]
    if name not in _seeded() and name in st.query_params:
        return st.query_params[name]
    value = st.session_state[name] if _says(name) else chosen(name)
    return default if value is None else value


def publish(**choices: Any) -> None:
    """Make the address say exactly these choices; None leaves one out."""
    wanted = {name: str(value) for name, value in choices.items() if value is not None}
    if st.query_params.to_dict() != wanted:
        st.query_params.from_dict(wanted)
    if wanted not in _visit()[2]:
        _visit()[2].append(wanted)


def _kept() -> dict[str, Any]:
    kept: dict[str, Any] = st.session_state.setdefault(_KEPT, {})
    return kept


def _due() -> dict[str, tuple[Any, str]]:
    due: dict[str, tuple[Any, str]] = st.session_state.setdefault(_DUE, {})
    return due


def _applied() -> set[str]:
    applied: set[str] = st.session_state.setdefault(_APPLIED, set())
    return applied


def _page() -> str:
    """The page that is drawn."""
    context = get_script_run_ctx()
    return context.page_script_hash if context is not None else ""


def _seeded() -> set[str]:
    return _visit()[1]


def _visit() -> tuple[str, set[str], list[dict[str, str]]]:
    """The addresses are those that the page had since it was opened, and the last ones of the page before: a slow browser
    writes what that one published beside the path of this one, and brings it with the next change."""
    visit: tuple[str, set[str], list[dict[str, str]]] | None = st.session_state.get(_VISIT)
    if visit is None or visit[0] != _page():
        late = [] if visit is None else visit[2][-3:]
        visit = st.session_state[_VISIT] = (_page(), set(), [*late, st.query_params.to_dict()])
    return visit


def _shown() -> dict[str, list[Any]]:
    shown: dict[str, list[Any]] = st.session_state.setdefault(_SHOWN, {})
    return shown


def _says(name: str) -> bool:
    """Whether the widget of this name has a value, and not the one that it showed before `seed` gave it another."""
    if name not in st.session_state:
        return False
    *before, last = _shown().get(name) or [None]
    value = st.session_state[name]
    return bool(value == last) or value not in before

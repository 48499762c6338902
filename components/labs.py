"""The frame of a lab's page: its question and its run, the answer or how far it is, what to try, where it came from."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import streamlit as st

from components import choosing, visitor
from components.views import show_problems
from models import engine, runs, uploads
from models.labs import Answer, Lab, Settings


@dataclass(frozen=True)
class Try:
    """Something to try, one click away: what is said, and the address that does it. page: of which, by its title."""

    words: str
    query: Mapping[str, str]
    page: str = ""


def begin(lab: Lab) -> runs.Run | None:
    """The question, and the run that it is asked of; None where there is none, or its samples are not at hand."""
    st.subheader(lab.question, anchor=False)
    run = choosing.run(lab.fits, lab.shipped)
    if run is None or not choosing.originals_at_hand(run):
        return None
    return run


def answer(lab: Lab, run: runs.Run, settings: Settings) -> Answer | None:
    """The answer: computed here, or shipped; else it is asked for, and how far it is drawn until it is there."""
    asked = engine.question(lab, run, settings)
    found = kept(asked, run)
    if found is not None:
        return found
    waiting(asked, run)
    return None


def kept(asked: engine.Question, run: runs.Run) -> Answer | None:
    """The answer that is there already, if any. Of somebody's own data it is for whoever may see these."""
    if not uploads.readable(asked.dataset, visitor.owner()):
        return None
    return engine.kept_answer(asked) or engine.shipped_answer(asked, run)


def waiting(asked: engine.Question, run: runs.Run) -> None:
    """Ask, and draw how far it is; a question that was given up or failed waits for a click."""
    stopped = st.session_state.setdefault("given up", set())
    standing = engine.standing(asked)
    if asked.id in stopped or standing.phase == "failed":
        if standing.problem is not None:
            st.error(str(standing.problem))
        if not st.button("Compute", type="primary"):
            return
        stopped.discard(asked.id)
        engine.ask(asked, visitor.owner())
    if standing.phase == "unasked":
        engine.ask(asked, visitor.owner())
    progress(asked)


@st.fragment(run_every=0.5)
@show_problems
def progress(asked: engine.Question) -> None:
    """How far a question is; ends by drawing the page anew."""
    standing = engine.standing(asked)
    if standing.phase in ("answered", "failed", "unasked"):
        st.rerun(scope="app")
    waits = standing.phase == "queued"
    words = "waiting for a worker" if waits else standing.what
    if waits and (problem := engine.engine_problem()):
        words = problem
    elif waits and not engine.engine_alive():
        words = "the engine is starting"
    st.progress(standing.share, f"Computing the answer: {words}")
    if st.button("Cancel", icon=":material/close:"):
        engine.withdraw(asked, visitor.owner())
        st.session_state["given up"].add(asked.id)
        st.rerun(scope="app")


def to_try(page: str, tries: Sequence[Try]) -> None:
    """Things to try, one click each."""
    pages = st.session_state["pages"]
    st.markdown("**To try**")
    with st.container(horizontal=True):
        for i, one in enumerate(tries):
            # Keys like these tell the browser that a page is left: what a map reports then would take one back to it.
            key = f"leave for {one.page} {i}" if one.page else f"try {i}"
            if st.button(one.words, key=key):
                st.switch_page(pages[one.page or page], query_params=dict(one.query))


def origin(lab: Lab, run: runs.Run, settings: Settings, libraries: str) -> None:
    """Where the answer came from: what shipped beside what was computed here."""
    asked = engine.question(lab, run, settings)
    here, came = engine.kept_answer(asked), engine.shipped_answer(asked, run)
    st.caption(
        f"Measured on test {'images' if run.kind == 'image' else 'samples'} that the network never saw. {libraries}."
    )
    if came is None:
        return
    command = f"python -m models lab {lab.name} {run.folder.name} --ship"
    words = f"This answer ships with Hourglass; `{command}` made it."
    if here is None:
        left, right = st.columns([4, 1], vertical_alignment="center")
        left.caption(words)
        if right.button("Compute it here", help="The same on this computer, to stand beside it"):
            engine.ask(asked, visitor.owner())
        if engine.standing(asked).phase in ("queued", "running"):
            progress(asked)
        return
    st.caption(f"{words} Shipped: {came.facts.get('verdict', '')} Computed here: {here.facts.get('verdict', '')}")


def plain(array: Any, digits: int = 7) -> Any:
    """An array as nested lists of numbers with so many significant digits, as JSON takes them."""
    if hasattr(array, "tolist"):
        array = array.tolist()
    return [plain(one, digits) for one in array] if isinstance(array, list) else float(f"{array:.{digits}g}")

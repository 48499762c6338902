"""The frame of a lab's page: its question and its run, the answer or how far it is, what to try, where it came from."""

import contextlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, urlencode

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from components import address, choosing, listing, visitor
from components.explorer import lab as browser_part
from components.views import show_problems
from models import Problem, datasets, defaults, engine, labs, runs, uploads
from models.datasets import Dataset
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
    if run is not None and not choosing.originals_at_hand(run):
        address.publish(run=run.id)
        return None
    return run


def begin_dataset(lab: Lab) -> Dataset | None:
    """The question, and the dataset that it is asked of, the visitor's own first; None where its samples are not at hand."""
    st.subheader(lab.question, anchor=False)
    every = choosing.datasets_of(visitor.owner())
    known = {name: one for name, one in every.items() if not lab.fits(one)}
    words = choosing.titles(known)
    usual = next((name for name in lab.shipped if name in known), next(iter(known)))
    asked = st.query_params.get("data", "")
    if address.first_time("asked data") and asked and asked not in known:
        with contextlib.suppress(Problem):
            other = datasets.get(asked)
            if uploads.readable(asked, visitor.owner()) and (why := lab.fits(other)):
                st.caption(f":material/info: {choosing.escaped(other.title)} is not shown here: {why}.")
    address.seed("data", usual, str, known, words.__getitem__)
    chosen = known[
        st.selectbox("Dataset", list(known), format_func=words.__getitem__, key="data", label_visibility="collapsed")
    ]
    left_out = [one for name, one in every.items() if uploads.own(name) and name not in known and name != asked]
    if len(left_out) == 1:
        st.caption(
            f":material/info: {choosing.escaped(left_out[0].title)} is not in the list: {lab.fits(left_out[0])}."
        )
    elif left_out:
        why = "\n".join(f"- **{choosing.escaped(one.title)}**: {lab.fits(one)}." for one in left_out)
        st.caption(f":material/info: {len(left_out):,} of your datasets are not in the list.", help=why)
    if datasets.missing(chosen):
        st.caption(f"{chosen.title} does not ship with Hourglass.")
        choosing.download_button(chosen)
        address.publish(data=chosen.name)
        return None
    return chosen


LONGEST = 200  # letters of a choice in a lab's address: sixty things that were rated
Drawing = Callable[[Mapping[str, Any]], str]
"""HTML of the sketch that a worker made while it computes (see `models.labs.Sketch`)."""


def answer(
    lab: Lab,
    subject: runs.Run | Dataset,
    settings: Settings,
    sketched: Drawing | None = None,
    on_demand: bool = False,
) -> Answer | None:
    """The answer: computed here, or shipped; else it is asked for, on_demand by a click, and how far it is drawn until it is there."""
    asked = engine.question(lab, subject, settings)
    found = kept(asked)
    if found is not None:
        return found
    waiting(asked, sketched, on_demand)
    return None


def kept(asked: engine.Question) -> Answer | None:
    """The answer that is there already, if any. Of somebody's own data it is for whoever may see these."""
    if not uploads.readable(asked.dataset, visitor.owner()):
        return None
    return engine.kept_answer(asked) or engine.shipped_answer(asked)


def waiting(asked: engine.Question, sketched: Drawing | None = None, on_demand: bool = False) -> None:
    """Ask, and draw how far it is; a question that was given up or failed waits for a click, on_demand any."""
    stopped = st.session_state.setdefault("given up", set())
    standing = engine.standing(asked)
    if asked.id in stopped or standing.phase == "failed" or (on_demand and standing.phase == "unasked"):
        if standing.problem is not None:
            st.error(str(standing.problem))
        if not st.button("Compute", type="primary", help="It takes from seconds to a few minutes, and is kept"):
            return
        stopped.discard(asked.id)
        engine.ask(asked, visitor.owner())
    if standing.phase == "unasked":
        engine.ask(asked, visitor.owner())
    progress(asked, sketched)


@st.fragment(run_every=0.5)
@show_problems
def progress(asked: engine.Question, sketched: Drawing | None = None) -> None:
    """How far a question is, and what can be seen of it by who may see the dataset; ends by drawing the page anew."""
    standing = engine.standing(asked)
    if standing.phase in ("answered", "failed", "unasked"):
        st.rerun(scope="app")
    waits = standing.phase == "queued"
    words = f"waiting for a worker{comes_first(standing.before)}" if waits else standing.what
    if waits and (problem := engine.engine_problem()):
        words = problem
    elif waits and not engine.engine_alive():
        words = "the engine is starting"
    st.progress(standing.share, f"Computing the answer: {words}")
    if st.button("Cancel", icon=":material/close:", key=f"cancel {asked.id}"):
        engine.withdraw(asked, visitor.owner())
        st.session_state.setdefault("given up", set()).add(asked.id)
        st.rerun(scope="app")
    if sketched is not None and standing.sketch and uploads.readable(asked.dataset, visitor.owner()):
        with contextlib.suppress(KeyError, TypeError, ValueError):  # of another version's worker
            st.html(sketched(standing.sketch))


def comes_first(count: int) -> str:
    """How many others a question waits for, as the end of a sentence."""
    if not count:
        return ""
    return f"; {count:,} other {'computation comes' if count == 1 else 'computations come'} first"


def opened_as(lab: Lab, of: str, shown: Sequence[str], longest: int = LONGEST) -> dict[str, str]:
    """How the browser's part of a lab opens. of: what a view belongs to; shown: the names of what it reports, as the address
    has them, each of so many characters at most. To be asked before the answer, which may be long in coming: the address keeps what a link asks for meanwhile."""
    key = f"{lab.name} as"
    known = st.session_state.get(key)
    asked = {name: st.query_params[name][:longest] for name in shown if name in st.query_params}
    if address.first_time(key):  # the page was opened: by a link, or by somebody who comes back
        left = st.session_state.get(f"{key} left")
        known = (of, asked) if asked else left if left is not None and left[0] == of else (of, {})
    elif known is None or known[0] != of:
        known = (of, {})
    # What it opened with stays the same at every rerun: what a hand has changed since is not undone.
    st.session_state[key] = known
    return dict(known[1])


def drawn(lab: Lab, run_url: str, data: Mapping[str, Any], view: dict[str, str]) -> dict[str, str]:
    """The browser's part of a lab. data: what the browser gets; view: how it opens. Returns how it is shown."""
    shown = browser_part(lab.name, run_url, data, view=view, key="lab") or view
    key = f"{lab.name} as"
    st.session_state[f"{key} left"] = st.session_state[key][0], shown
    return shown


def to_try(page: str, tries: Sequence[Try]) -> None:
    """Things to try, one click each."""
    st.markdown("**To try**")
    with st.container(horizontal=True):
        for i, one in enumerate(tries):
            # Keys like these tell the browser that a page is left: what a map reports then would take one back to it.
            key = f"leave for {one.page} {i}" if one.page else f"try {i}"
            if st.button(one.words, key=key):
                st.switch_page(st.session_state["pages"][one.page or page], query_params=dict(one.query))
        if st.button("What all labs found", key="leave for Verdicts", type="tertiary", icon=":material/table_rows:"):
            st.switch_page(st.session_state["pages"]["Verdicts"])


FROM = "from"  # in the address of Explore: the lab that led there and its own address, as "anomalies?data=digits"


def on_map(
    lab: Lab, dataset: Dataset, rows: NDArray[np.integer[Any]], here: Mapping[str, str]
) -> list[str | None] | None:
    """Links to where these rows of the dataset (K,) lie on the map of one of its runs, None for a row that it lacks; None,
    with a button that trains one, where there is no run of it. here: the address of the lab, to which Explore leads back."""
    every, names = choosing.to_choose_from(())
    known = {run.id: run for run in every if run.card.dataset.fingerprint == dataset.fingerprint}
    if not known:
        words, place = st.columns([4, 1], vertical_alignment="center")
        words.caption(
            "There is no run of this dataset yet. The map of one shows where these samples lie among the others."
        )
        if place.button("Train one", key="leave for Train", icon=":material/model_training:", width="stretch"):
            fields = {"architecture": defaults.architecture(defaults.facts_of(dataset)), "code_size": "2"}
            address.choose("training", None)
            st.switch_page(st.session_state["pages"]["Train"], query_params={"dataset": dataset.name, **fields})
        return None
    titles = choosing.labels(list(known.values()), names)
    last = address.chosen("run")
    address.seed("map", last if last in known else next(iter(known)), None, known)
    run = known[st.selectbox("On the map of", list(known), format_func=titles.__getitem__, key="map", width=480)]
    st.caption("**show** opens the map there, in a new tab.")
    at = np.flatnonzero(np.isin(run.rows, rows))
    places = dict(zip(run.rows[at].tolist(), at.tolist(), strict=True))
    back = f"{lab.name}?{urlencode(here)}"
    return [
        listing.map_link(run, run.codes[places[row]], **{FROM: back}) if row in places else None
        for row in rows.tolist()
    ]


def way_back(run: runs.Run) -> dict[str, str]:
    """On Explore: a button that leads back to the lab that has sent one there, about this run's dataset. Returns what the
    address says of it."""
    if FROM not in st.query_params:
        return {}
    said = st.query_params[FROM]
    name, _, query = said.partition("?")
    lab, there = labs.available().get(name), dict(parse_qsl(query))
    if lab is None or there.get("data") != run.card.dataset.name:
        return {}
    if st.button(f"Back to {lab.title}", key=f"leave for {lab.title}", icon=":material/arrow_back:"):
        st.switch_page(st.session_state["pages"][lab.title], query_params=there)
    return {FROM: said}


def origin(lab: Lab, subject: runs.Run | Dataset, settings: Settings, measured: str) -> None:
    """Where the answer came from: what shipped beside what was computed here."""
    asked = engine.question(lab, subject, settings)
    here, came = engine.kept_answer(asked), engine.shipped_answer(asked)
    st.caption(measured)
    if came is None:
        return
    name = subject.folder.name if isinstance(subject, runs.Run) else subject.name
    words = f"This answer ships with Hourglass; `python -m models lab {lab.name} {name} --ship` made it."
    if here is not None:
        st.caption(f"{words} Shipped: {came.facts['verdict']} Computed here: {here.facts['verdict']}")
        return
    left, right = st.columns([4, 1], vertical_alignment="center")
    left.caption(words)
    if right.button("Compute it here", help="The same on this computer, to stand beside it"):
        engine.ask(asked, visitor.owner())
    standing = engine.standing(asked)
    if standing.problem is not None:
        st.error(str(standing.problem))
    if standing.phase in ("queued", "running"):
        progress(asked)


def plain(array: Any, digits: int = 7) -> Any:
    """An array as nested lists of numbers with so many significant digits, as JSON takes them."""
    if hasattr(array, "tolist"):
        array = array.tolist()
    return [plain(one, digits) for one in array] if isinstance(array, list) else float(f"{array:.{digits}g}")

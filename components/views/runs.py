"""Runs: everything this visitor asked for, how it stands, and what can be done with it."""

import time
from typing import Any

import streamlit as st

from components import address, choosing, comparing, sharing, visitor
from components.views import Page, show_problems
from models import Problem, engine, runs
from models.engine import Entry
from models.runs import thumbnails

STATES = ("waiting or training", "done", "failed or cancelled")
GROUP = {"queued": 0, "running": 0, "done": 1, "failed": 2, "cancelled": 2}
WORDS = {
    "queued": "waiting",
    "running": "training",
    "done": "done",
    "failed": "failed",
    "cancelled": "cancelled",
}


def show() -> None:
    """Draw the page."""
    owner = visitor.owner()
    everyone = address.seed("all", False, lambda asked: asked == "yes")
    search, group, common = st.columns([3, 4, 3], vertical_alignment="bottom")
    address.seed("search", "")
    text = search.text_input("Filter", key="search", placeholder="a dataset, an architecture, a name …")
    address.seed("states", [], None)
    states = group.pills("State", STATES, selection_mode="multi", key="states")
    if engine.runs(owner):  # else these are all that there is to show
        everyone = common.toggle(
            "Show shipped and shared runs",
            key="all",
            help="Runs that came with Hourglass, or that everybody here sees.",
        )
    entries(owner, text, states, everyone)
    if st.user.get("is_logged_in"):
        st.button(f"Sign out {st.user.get('email') or ''}", on_click=st.logout, icon=":material/logout:")
    address.publish(search=text or None, all="yes" if everyone else None)


def entries(owner: str, text: str, states: list[str], everyone: bool) -> None:
    """The table and the actions; drawn anew every two seconds while something waits or trains."""
    mine = engine.runs(owner)
    alive = any(GROUP[entry.state] == 0 for entry in mine)
    st.fragment(table, run_every=2.0 if alive else None)(owner, text, states, everyone, alive)


@show_problems
def table(owner: str, text: str, states: list[str], everyone: bool, alive: bool) -> None:
    """One line for each run that the filter lets through."""
    mine = engine.runs(owner)
    if alive and not any(GROUP[entry.state] == 0 for entry in mine):
        st.rerun(scope="app")  # nothing is left to wait for: no more polling
    if foreign := engine.foreign_runs(owner):
        st.caption(f"Asked for in another version of Hourglass, and listed there only: {foreign} of your runs.")
    every = mine + (common(owner, mine) if everyone or not mine else [])
    chosen = [entry for entry in every if fits(entry, text, states)]
    if not mine:
        st.info("You have not trained anything yet. What you train is listed here, also when you close this page.")
        if st.button("Go to Train", icon=":material/model_training:", type="primary"):
            st.switch_page(st.session_state["pages"]["Train"])
        if not every:
            return
        st.caption("These runs are here for everybody:")
    if not chosen:
        st.info(f"None of the {len(every)} runs fits this filter.")
        return
    version = st.session_state.setdefault("runs version", 0)
    picked = st.dataframe(
        [row(entry, any(one.name for one in chosen)) for entry in chosen],
        key=f"runs {version} {text} {states} {everyone}",
        hide_index=True,
        width="stretch",
        on_select="rerun",
        selection_mode="multi-row",
        placeholder="",
        column_config={
            "★": st.column_config.TextColumn("★", width=30),
            "run": st.column_config.ButtonColumn(
                "run", help="Opens it", type="tertiary", alignment="left", key="opened run"
            ),
            "progress": st.column_config.ProgressColumn(format="percent", min_value=0, max_value=1, width="small"),
            "test error": st.column_config.NumberColumn(format="%.4f", help="Mean squared error on the test split"),
            "PCA": st.column_config.NumberColumn(format="%.4f", help="Of PCA with the same code size"),
            "seconds": st.column_config.NumberColumn(format="%.1f", help="Training time"),
            "asked": st.column_config.DatetimeColumn("asked", format="distance"),
        },
    )["selection"]["rows"]
    at = [chosen[i] for i in picked if i < len(chosen)]
    clicked = st.session_state.get("opened run")
    if clicked is not None and clicked["row"] < len(chosen):
        at = [chosen[clicked["row"]]]
        opened(at[0])
    if not at:
        more = " Tick the box before it to rename, star or delete it" if mine else " Tick the boxes before"
        st.caption(f"Click a run's title to open it.{more}{', those of' if mine else ''} two to four to compare them.")
    elif len(at) == 1:
        one(at[0], owner)
    else:
        several(at, owner)


def opened(entry: Entry) -> None:
    """To the map of a finished run, or to where a training can be watched; of others there is nothing to open."""
    pages = st.session_state["pages"]
    if entry.run is not None:
        st.switch_page(pages["Explore"], query_params={"run": entry.id})
    if GROUP[entry.state] == 0:
        st.switch_page(pages["Train"], query_params={**choices(entry), "training": entry.id})


def common(owner: str, mine: list[Entry]) -> list[Entry]:
    """Finished runs that are not this visitor's own, but shown to them."""
    known = {entry.id for entry in mine}
    return [
        Entry(run.id, None, False, "done", run.configuration, asked(run), True, None, run)
        for run in engine.visible(owner, runs.find()[0])
        if run.id not in known
    ]


def asked(run: runs.Run) -> float:
    """When a finished run was finished, in seconds since 1970."""
    try:
        return time.mktime(time.strptime(run.card.training.finished, "%Y-%m-%dT%H:%M:%SZ")) - time.timezone
    except ValueError:
        return 0.0


def fits(entry: Entry, text: str, states: list[str]) -> bool:
    """Whether the filter lets an entry through."""
    if states and STATES[GROUP[entry.state]] not in states:
        return False
    folder = entry.run.folder.name if entry.run is not None else ""
    words = f"{entry.name or ''} {title(entry)} {entry.id} {folder} {WORDS[entry.state]}".lower()
    return all(word in words for word in text.lower().split())


def title(entry: Entry) -> str:
    """A few words that tell this run from others."""
    return entry.run.title if entry.run is not None else choosing.title_of(entry.configuration)


def row(entry: Entry, named: bool) -> dict[str, Any]:
    """The columns of one line; with one for names where somebody gave one."""
    run, chosen = entry.run, entry.configuration
    status = engine.status(entry.id) if GROUP[entry.state] == 0 else None
    state = WORDS[entry.state]
    if status is not None and status.phase == "queued" and status.ahead is not None:
        state = f"waiting, {status.ahead} before it" if status.ahead else "waiting, next"
    done = chosen.epochs if run is not None else status.epoch if status is not None else None
    return {
        "★": "★" if entry.starred else "",
        **({"name": entry.name or ""} if named else {}),
        "run": title(entry),
        "state": state,
        "progress": None
        if done is None
        else done / max(1, status.epochs if status is not None else 1)
        if run is None
        else 1.0,
        "test error": run.metric("mse") if run is not None else None,
        "PCA": run.metric("pca_mse") if run is not None else None,
        "epochs": run.card.training.epochs if run is not None else None if chosen.seconds else chosen.epochs,
        "seconds": run.card.training.seconds if run is not None else None,
        "asked": int(entry.asked * 1000),
    }


def again() -> None:
    """Forget the selection: after this action the lines are others."""
    st.session_state["runs version"] = st.session_state.get("runs version", 0) + 1


def one(entry: Entry, owner: str) -> None:  # noqa: PLR0912 - one branch for each thing that can be done
    """What can be done with one run."""
    own = any(mine.id == entry.id for mine in engine.runs(owner))
    pages = st.session_state["pages"]
    st.markdown(f"**{entry.name or title(entry)}**")
    if entry.problem is not None:
        st.error(str(entry.problem))
    with st.container(horizontal=True):
        if entry.run is not None:
            if st.button("Explore", icon=":material/explore:", type="primary"):
                st.switch_page(pages["Explore"], query_params={"run": entry.id})
            if st.button("Reconstructions", icon=":material/compare:"):
                st.switch_page(pages["Reconstructions"], query_params={"run": entry.id})
            sharing.one_page(entry.run, "runs")
        if GROUP[entry.state] == 0:
            if st.button("Watch it", icon=":material/monitoring:", type="primary"):
                st.switch_page(pages["Train"], query_params={**choices(entry), "training": entry.id})
            if st.button("Cancel", icon=":material/close:"):
                if not engine.cancel(entry.id, owner):
                    st.toast("Others wait for this training, so it goes on without you.")
                st.rerun(scope="app")
        if entry.state in ("failed", "cancelled") and st.button(
            "Resume" if entry.state == "cancelled" else "Try again", icon=":material/play_arrow:", type="primary"
        ):
            try:
                engine.submit(entry.configuration, owner)
            except Problem as problem:
                st.error(str(problem))
            else:
                again()
                st.rerun(scope="app")
        if st.button("Train again with changes", icon=":material/tune:"):
            address.choose("training", None)
            st.switch_page(pages["Train"], query_params=choices(entry))
        if own:
            if st.button("Unstar" if entry.starred else "Star", icon=":material/star:"):
                engine.star(entry.id, owner, not entry.starred)
                again()
                st.rerun(scope="app")
            with st.popover("Rename", icon=":material/edit:"), st.form("rename", border=False):
                name = st.text_input("Name", entry.name or "", max_chars=80, placeholder=title(entry))
                if st.form_submit_button("Rename"):
                    engine.rename(entry.id, owner, name)
                    st.rerun(scope="app")
            if entry.state != "running" and st.button("Delete", icon=":material/delete:"):
                delete([entry], owner)
    if not own:
        st.caption("This run ships with Hourglass or belongs to everybody here: it cannot be renamed or deleted.")


def choices(entry: Entry) -> dict[str, str]:
    """A configuration as the address of the Train page keeps it."""
    return {name: str(value) for name, value in choosing.choices_of(entry.configuration).items()}


def several(at: list[Entry], owner: str) -> None:
    """What can be done with several runs at once."""
    own = {entry.id for entry in engine.runs(owner)}
    mine = [entry for entry in at if entry.id in own and entry.state != "running"]
    done = [entry.id for entry in at if entry.run is not None]
    with st.container(horizontal=True):
        if 2 <= len(done) <= comparing.MOST and st.button(
            f"Compare {len(done)} runs", icon=":material/compare_arrows:", type="primary"
        ):
            st.switch_page(st.session_state["pages"]["Compare"], query_params={"runs": ",".join(done)})
        stay = (
            "The others stay: they ship with Hourglass, are in training, or are not yours."
            if len(mine) < len(at)
            else None
        )
        words = f"Delete {len(mine)} run{'' if len(mine) == 1 else 's'}"
        if mine and st.button(words, icon=":material/delete:", help=stay):
            delete(mine, owner)
    if len(done) > comparing.MOST:
        st.caption(f"At most {comparing.MOST} runs can be compared at once.")


@st.dialog("Delete for good?")
def delete(at: list[Entry], owner: str) -> None:
    """Ask first."""
    for entry in at[:10]:
        st.markdown(f"- {entry.name or title(entry)}")
    if len(at) > 10:
        st.markdown(f"- and {len(at) - 10} more")
    if any(entry.shared for entry in at):
        st.caption("Some of them are in somebody else's list too: they go from yours only.")
    yes, no = st.columns(2)
    if yes.button("Delete", type="primary", icon=":material/delete:", width="stretch"):
        try:
            for entry in at:
                engine.delete(entry.id, owner)
        except Problem as problem:
            st.error(str(problem))
            return
        thumbnails.sweep()
        again()
        st.rerun()
    if no.button("Keep", width="stretch"):
        st.rerun()


PAGE = Page("Runs", ":material/list:", 9, show)

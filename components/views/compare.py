"""Compare: two to four runs side by side, in numbers, as they learnt, and in what was chosen for each."""

from collections.abc import Sequence
from functools import partial

import streamlit as st

from components import address, cached, choosing, comparing, fields, figures, opening, visitor
from components.comparing import COLOURS, MOST
from components.explorer import COMPARED, comparison
from components.views import Page
from models import Problem, export, in_numbers, kinds, pages, runs, uploads
from models.shown import palette

STORY = ("digits-single-layer", "digits-multi-layer", "digits-convolutional")  # as the article tells it
PLAIN = {"displayModeBar": False}
LENGTH = 2000  # characters of a choice in the address, at most


def show() -> None:
    """Draw the page."""
    chosen, names = choose()
    view: dict[str, str] = {}
    if len(chosen) > 1:
        if in_numbers.same_data(chosen):
            view = maps(chosen, names)
        else:
            st.caption(
                ":material/info: Runs of different data share no samples, so their maps are not joined: they are compared in "
                "numbers only, and those that depend on the data have no best."
            )
        numbers(chosen, names)
        learning(chosen, names)
        configurations(chosen, names)
    address.publish(
        runs=",".join(run.id for run in chosen) or None,
        **{name: value for name, value in view.items() if value},
        by=st.session_state.get("by") if len(chosen) > 1 and st.session_state.get("by") != "epoch" else None,
    )


def choose() -> tuple[list[runs.Run], list[str]]:
    """The runs that are compared, and what each is called beside the others."""
    asked = list(dict.fromkeys(one.strip() for one in st.query_params.get("runs", "").split(",") if one.strip()))
    wanted = {*asked, *(address.chosen("runs") or []), *(st.session_state.get("runs") or [])}
    ready, given = choosing.to_choose_from(wanted)
    by_id, words = {run.id: run for run in ready}, choosing.labels(ready, given)
    by_name = {run.folder.name: run.id for run in ready}
    first = begin_with(ready)
    said: list[str] = []

    def read(_text: str) -> list[str]:
        found = list(dict.fromkeys(by_name.get(one, one) for one in asked if by_name.get(one, one) in by_id))
        if asked and not found:
            raise ValueError
        if missing := [one[:80] for one in asked if by_name.get(one, one) not in by_id]:
            are = "which is" if len(missing) == 1 else "which are"
            said.append(f"The address names {in_numbers.in_words([f'“{one}”' for one in missing])}, {are} not here.")
        if len(found) > MOST:
            said.append(f"The address names {len(found)} runs: the first {MOST} of them are compared.")
        return found[:MOST]

    def called(ids: list[str]) -> str:
        return in_numbers.in_words([words[one] for one in ids]) or "Nothing"

    picked = address.seed("runs", first, read, called=called)
    for sentence in said:
        st.warning(sentence)
    if (there := [one for one in picked if one in by_id][:MOST]) != picked:  # deleted since
        picked = st.session_state["runs"] = there
    st.multiselect(
        "Two to four runs",
        list(by_id),
        format_func=words.__getitem__,
        key="runs",
        max_selections=MOST,
        placeholder="Choose runs to compare",
    )
    chosen = []
    for id_ in picked:
        try:
            chosen.append(cached.opened(by_id[id_]))
        except Problem as problem:
            st.error(str(problem))
    if picked == first and len(chosen) > 1:
        st.caption(begun_with(chosen))
    if len(chosen) < 2:
        st.info("Choose two runs at least." if not chosen else "Choose one more to compare it with.")
    return chosen, pages.titles(chosen, given)


def begin_with(ready: Sequence[runs.Run]) -> list[str]:
    """The ids of what is compared before anybody has chosen: the article's three networks, else runs that ship with one
    dataset."""
    shipped = {run.folder.name: run for run in ready if run.pretrained}
    if all(name in shipped for name in STORY):
        return [shipped[name].id for name in STORY]
    by_data: dict[str, list[str]] = {}
    for run in shipped.values():
        by_data.setdefault(run.card.dataset.fingerprint, []).append(run.id)
    return max(by_data.values(), key=len, default=[])[:3]


def begun_with(chosen: Sequence[runs.Run]) -> str:
    """What is compared before anybody has chosen, in a sentence."""
    many = kinds.get(chosen[0].kind).many
    if [run.folder.name for run in chosen] == list(STORY):
        return (
            f"To begin with: three networks that squeeze the same {chosen[0].card.dataset.count:,} {many} of digits into two "
            "numbers. One has a single layer, one has several, and one looks at small windows (a convolution). Which reads and "
            "draws digits best? Choose others above."
        )
    title = choosing.escaped(chosen[0].card.dataset.title)
    return f"To begin with: {len(chosen)} runs that ship with Hourglass, all of {title}. Choose others above."


def maps(chosen: Sequence[runs.Run], names: Sequence[str]) -> dict[str, str]:
    """The maps of these runs, joined by their samples. Returns how they are shown."""
    ids = tuple(run.id for run in chosen)
    known = st.session_state.get("compared as")
    if address.first_time("maps"):
        asked = {name: st.query_params[name][:LENGTH] for name in COMPARED if name in st.query_params}
        left = known[2] if known is not None and known[0] == ids else {}
        known = (ids, asked or left, asked or left)
    elif known is None or known[0] != ids:
        known = (ids, {}, {})
    # What they opened with stays the same at every rerun; what they show now is where somebody who comes back goes on.
    opened = known[1]
    shown = [
        (run.url, name, opening.meanings(run) if uploads.readable(run.card.dataset.name, visitor.owner()) else [])
        for run, name in zip(chosen, names, strict=True)
    ]
    found = comparison(shown, view={"palette": palette(chosen[0]), **opened}, key="comparison")
    st.session_state["compared as"] = (ids, opened, found or opened)
    st.caption(
        f"Each point is one of the {chosen[0].card.dataset.count:,} {kinds.get(chosen[0].kind).many}, and the same one on every "
        "map. Move over a map: all networks draw what they make of that place. Click to hold it; draw around points with the "
        "lasso to see where they went."
    )
    st.download_button(
        "These maps as one page",
        partial(page, tuple(chosen), tuple(names)),
        file_name=export.compared_name(chosen),
        mime="text/html",
        on_click="ignore",
        icon=":material/draft:",
        help="An .html file that opens by a double click, without a server or a network: to mail, or to put on a stick",
    )
    return found or opened


def numbers(chosen: Sequence[runs.Run], names: Sequence[str]) -> None:
    """The table, what of it is more than chance, and ways to take it along."""
    st.subheader("In numbers", anchor=False)
    st.html(in_numbers.table(chosen, names, COLOURS))
    st.caption(in_numbers.caption(chosen))
    if verdicts := in_numbers.verdicts(chosen, names):
        if words := in_numbers.overlap(chosen, names):
            st.markdown(choosing.escaped(words))
        st.markdown(
            "\n".join(f"- {choosing.escaped(sentence)}" for sentence in verdicts),
            help=in_numbers.CHANCE,
        )
    with st.container(horizontal=True):
        st.download_button(
            "CSV",
            lambda: in_numbers.csv(chosen, names),
            "compared.csv",
            "text/csv",
            on_click="ignore",
            icon=":material/download:",
        )
        with st.popover("Markdown", icon=":material/content_copy:"):
            st.code(in_numbers.markdown(chosen, names), language=None)


def learning(chosen: Sequence[runs.Run], names: Sequence[str]) -> None:
    """The losses of all trainings in one figure."""
    st.subheader("As they learnt", anchor=False)
    address.seed("by", "epoch", known=comparing.AXES)
    by = st.segmented_control(
        "By",
        list(comparing.AXES),
        format_func=comparing.AXES.__getitem__,
        key="by",
        required=True,
        help="An epoch costs a large network more time than a small one, and small batches learn more from a sample.",
    )
    drawn = comparing.curves(chosen, names, by or "epoch")
    st.plotly_chart(figures.curves(drawn, comparing.AXES[by or "epoch"]), config=PLAIN, key="curves")
    apart = len({one.loss for one in drawn}) > 1
    other = " What different losses count is not the same thing, so each has a panel of its own." if apart else ""
    st.caption(
        "Lines: on validation samples, which the network does not learn from. Dots: on those that it learns from. Where only the "
        f"dots fall, it learns them by heart.{other}"
    )


def configurations(chosen: Sequence[runs.Run], names: Sequence[str]) -> None:
    """Only the choices in which they differ, a row each."""
    differ, shared = fields.compared(chosen)
    st.subheader("What was chosen", anchor=False)
    if differ:
        st.html(in_numbers.plain_table(names, differ, COLOURS))
    same = " · ".join(f"{label} {choosing.escaped(value)}" for label, value in shared.items())
    if not differ:
        st.caption("All choices are the same.")
    if same:
        st.caption(f"The same for all: {same}." if differ else same)


def page(chosen: Sequence[runs.Run], names: Sequence[str]) -> bytes:
    """The page, made when its button is pressed."""
    return pages.comparison(chosen, names).html


PAGE = Page("Compare", ":material/compare_arrows:", 1, show)

"""A training as it is watched on the page Train: the map and the reconstructions as they form, then the run's explorer."""

import dataclasses
from typing import Any

import streamlit as st

from components import address, cached, choosing, figures, opening, sharing, visitor
from components.choosing import OWN
from components.explorer import ExplorerResult, explorer
from components.views import show_problems
from models import Problem, engine, home, labs, runs, uploads
from models.runs import Configuration


def follow(shown: Configuration | None) -> bool:
    """The training of this session, or the one that the address names, as it goes; whether there is one to see. shown: what
    the form would train."""
    id_ = st.session_state["training"]
    if id_ is None:
        return False
    status = engine.status(id_)
    if status.alive:
        with st.container(key="theatre"):
            name(id_, shown)
            live(id_)
    elif status.phase == "done":
        st.session_state["training"] = status.id  # one that was stopped is kept under an id of its own
        with st.container(key="theatre"):
            finished(status.id)
    elif status.problem is not None:
        name(id_, shown)
        st.error(str(status.problem))
    elif status.phase == "cancelled":
        name(id_, shown)
        told = f" after epoch {status.epoch}. Press Train to go on with it there." if status.epoch else "."
        st.info(f"This training was cancelled{told}")
    else:
        st.warning(f"The address names the training {id_}, which is not on this computer. Choose and press Train.")
    return status.alive or status.phase == "done"


def name(id_: str, shown: Configuration | None) -> None:
    """Which training this is: the form above may stand for another by now."""
    trained = engine.configuration(id_)
    if trained is None:
        return
    # How it ended was not chosen, nor were the epochs of a time.
    ignored: dict[str, Any] = {"stopped_after": None, "cooled": 0}
    if st.session_state["budget"] != "epochs":
        ignored |= {"epochs": 1, "seconds": 0.0, "steps": 0, "steady": 0}
    same = shown is not None and dataclasses.replace(trained, **ignored) == dataclasses.replace(shown, **ignored)
    st.subheader(choosing.title_of(trained), anchor=False)
    words, change = st.columns([3, 1], vertical_alignment="center")
    words.caption(choosing.in_words(trained), help=choosing.RECIPE)
    if not same:
        about = "Puts the choices of this training into the form."
        change.button("Show its choices", type="tertiary", help=about, on_click=show_choices, args=[trained])


def show_choices(trained: Configuration) -> None:
    """Put the choices of a training into the form."""
    for choice, value in choosing.choices_of(trained).items():
        address.choose(choice, value)
    address.choose("preset", OWN)


@st.fragment(run_every=1.0)
@show_problems
def live(id_: str) -> None:
    """What the training writes, once a second; ends by drawing the page anew."""
    status = cached.status(id_)
    if not status.alive:  # less than a second ago, before it was asked for again perhaps
        status = engine.status(id_)
    if not status.alive:
        st.rerun(scope="app")
    seen = cached.live(id_) if status.phase != "queued" else None
    told_of = engine.configuration(id_)
    open_ended = told_of is not None and told_of.recipe == "open-ended"
    st.progress(status.epoch / max(status.epochs, 1), words_of(status, seen, open_ended))
    if engine.waits(id_, visitor.owner()):
        cools = told_of is None or told_of.recipe != "article"
        may_keep = status.phase == "training" and seen is not None
        controls(id_, may_keep=may_keep, cools=cools, ending=status.cooling)
    else:
        st.caption(
            "Somebody else asked for this training. Press Train with the same choices to have it in your list, too."
        )
    if seen is None:
        if status.phase != "queued":
            st.caption("The map and the first reconstructions appear here after the first epoch.")
        return
    allowed = told_of is None or uploads.readable(told_of.dataset, visitor.owner())
    pictures_of(id_, str(home()), seen.newest["epoch"], allowed, seen)


@cached.drawing
def pictures_of(id_: str, root: str, epoch: int, originals: bool, _seen: cached.Live) -> None:
    """What is to be seen of a training under this home after an epoch: first the map and samples, these only where this
    visitor may see them, then the losses."""
    forming, samples = st.columns(2)
    if _seen.forming is not None:
        forming.caption("the map as it forms: a point for each of some samples, drawn anew after each epoch")
        forming.plotly_chart(_seen.forming, key="forming", config={"displayModeBar": False})
    for name, picture in _seen.strips.items() if originals else ():
        samples.caption(name)
        if isinstance(picture, str):
            samples.html(f'<div class="hg-strips">{picture}</div>')
        else:
            samples.plotly_chart(picture, key="strip", config={"displayModeBar": False})
    curve, numbers = st.columns([4, 1])
    curve.plotly_chart(_seen.losses, key="losses", config={"displayModeBar": False})
    about = "What the training makes smaller, on the samples that it learns from."
    numbers.metric("Training loss", f"{_seen.loss:.4g}", help=about)
    about = "The same on samples that it does not learn from. Where only the other falls, it learns them by heart."
    numbers.metric("Validation loss", f"{_seen.newest['validation']:.4g}", help=about)


def controls(id_: str, may_keep: bool, cools: bool, ending: bool) -> None:
    """The two ways of ending a training of one's own. cools: whether its learning rate has anything to fall from;
    ending: whether it was stopped already."""
    about = (
        "With cool-down it trains for two more seconds, in which its steps become smaller and smaller: a lower error."
    )
    cool = address.seed("cool", True, None)
    with st.container(horizontal=True, vertical_alignment="center"):
        disabled = ending or not may_keep
        if st.button("Stop and keep it", icon=":material/stop:", disabled=disabled, help=about if cools else None):
            if engine.cancel(id_, visitor.owner(), keep=True, cool=cools and cool):
                st.toast("Stopping; what was learnt is kept.")
            else:
                st.toast("Others wait for this training: it goes on, and you will find it on the page Runs.")
        if st.button("Cancel", icon=":material/close:", disabled=ending):
            if engine.cancel(id_, visitor.owner()):
                st.rerun(scope="app")
            st.toast("Others wait for this training, so it goes on without you.")
        if cools:
            st.checkbox("with cool-down (2 s)", key="cool", disabled=ending, help=about)


def words_of(status: engine.Status, seen: cached.Live | None, open_ended: bool) -> str:
    """Where a training stands: its place in the queue, or its epoch, its speed and the time left (open-ended: at most)."""
    if status.phase == "queued":
        first = "next in the queue" if not status.ahead else f"{status.ahead} in the queue before this one"
        start = "" if status.wait is None else f" · starts in about {duration(status.wait)}"
        return f"{first}{start}" + (f" · {status.what}" if status.what else "")
    words = status.what or status.phase
    if seen is not None and status.phase == "training" and not status.cooling:
        left = min((status.epochs - status.epoch) * seen.seconds, engine.Limits.from_environment().seconds)
        words += f" · {seen.newest['samples_per_second']:,.0f} samples/s · {duration(left)} left{' at most' if open_ended else ''}"
    return words


def duration(seconds: float) -> str:
    """Seconds as a person says them."""
    return f"{seconds:.0f} s" if seconds < 100 else f"{seconds / 60:.0f} min"


def finished(id_: str) -> None:
    """The map where it formed, now to move over; the ways on from it; and the result in words."""
    try:
        run = cached.opened(runs.open_run(runs.folder_of(id_)))
    except Problem as problem:
        st.error(str(problem))
        return
    trained = run.card.training
    st.markdown(
        f":green[:material/check_circle:] {choosing.escaped(run.title)} is ready: {trained.epochs:,} "
        f"epoch{'' if trained.epochs == 1 else 's'} in {trained.seconds:.1f} s on {trained.device}."
    )
    ways = st.container(horizontal=True, vertical_alignment="center")
    choosing.collapse(run)
    found = explorer(run.url, view=opening.view(run), about=opening.about(run, new=False), key="trained")
    with ways:
        ways_on(run, found)
    measured(run)
    drawn = figures.losses(run.history(), run.configuration, trained.pca_validation)
    st.plotly_chart(drawn, key="losses", config={"displayModeBar": False})


def measured(run: runs.Run) -> None:
    """The result in two sentences; the numbers behind them on touch."""
    st.markdown(choosing.beside_pca(run), help=choosing.errors(run))
    ours, theirs = run.metric("knn_accuracy"), run.metric("pca_knn_accuracy")
    if ours is not None:
        beside = "" if theirs is None else f", by those of PCA {100 * theirs:.0f} %"
        about = "kNN accuracy: how often the five nearest training codes name a test sample's class."
        st.markdown(f"By their codes {100 * ours:.0f} % of these are classified correctly{beside}.", help=about)


def ways_on(run: runs.Run, found: ExplorerResult) -> None:
    """To the whole page of the map as it stands here, to the reconstructions, and the link to give to others."""
    pages = st.session_state["pages"]
    view = sharing.parameters(found.view, found.code)
    # Keys like these tell the browser that a page is left: what the map reports then would take one back to it.
    if st.button("Explore", key="leave for Explore", type="primary", icon=":material/explore:"):
        st.switch_page(pages["Explore"], query_params={"run": run.id, **view})
    if st.button("See its reconstructions", key="leave for Reconstructions", icon=":material/compare:"):
        st.switch_page(pages["Reconstructions"], query_params={"run": run.id})
    if (before := last_one(run)) is not None and st.button(
        "Compare with the last one",
        key="leave for Compare",
        icon=":material/compare_arrows:",
        help=f"The run of the same data that you trained before: {choosing.escaped(before.title)}",
    ):
        st.switch_page(pages["Compare"], query_params={"runs": f"{before.id},{run.id}"})
    for lab in labs.available().values():
        if (
            lab.of == "run"
            and not lab.fits(run)
            and st.button(lab.title, key=f"leave for {lab.title}", help=lab.question)
        ):
            st.switch_page(pages[lab.title], query_params={"run": run.id})
    sharing.share(st.container(width="content"), run, view)


def last_one(run: runs.Run) -> runs.Run | None:
    """The run of the same data that this visitor asked for before this one, or else the newest of the others."""
    data = run.card.dataset.name, run.card.dataset.fingerprint
    mine = engine.runs(visitor.owner())
    since = next((entry.asked for entry in mine if entry.id == run.id), None)
    others = [
        (since is None or entry.asked <= since, entry.asked, entry.run)
        for entry in mine
        if entry.id != run.id
        and entry.run is not None
        and (entry.run.card.dataset.name, entry.run.card.dataset.fingerprint) == data
    ]
    return max(others, key=lambda one: one[:2], default=(False, 0.0, None))[2]

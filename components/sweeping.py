"""A sweep on the page Train: what is asked for, how far it is, and what came of it."""

import html
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from components import address, cached, choosing, comparing, fields, figures, pictures, samples, visitor
from components.views import show_problems
from components.watched import duration
from models import Problem, architectures, datasets, defaults, engine, kinds, runs, sweep
from models.analysis import reconstruct
from models.architectures import MAX_CODE_SIZE
from models.runs import Configuration
from models.sweep import Sweep

NOTHING = "nothing"
NAMED = ("architecture", "dataset")  # choices with names in place of numbers
SIZES = (1, 2, 4, 8, 16, 32, 64)
SHOWN = 10  # test samples of which the reconstructions are shown
PLAIN = {"displayModeBar": False}
DONE, ALIVE = "done", ("queued", "preparing", "training", "measuring")
WORDS = {"queued": "waiting", "unknown": "not asked for", "preparing": "begins"}


@dataclass(frozen=True)
class Asked:
    """What is to take several values, which, as text, and with how many seeds each."""

    varied: str
    tried: list[str]
    seeds: int


def controls(
    values: Mapping[str, Any], dataset: datasets.Dataset, fitting: Sequence[str], known: Mapping[str, datasets.Dataset]
) -> Asked | None:
    """The controls of a sweep, under More; None where none is asked for. fitting: the architectures that take the
    dataset's samples; known: the datasets that this visitor may train on."""
    numbers = [name for name in values if name in fields.NUMBERS and name not in ("code_size", "seed")]
    level = ["noise_level"] if values["noise"] != "none" else []
    options = [NOTHING, "code_size", *NAMED, *numbers, *level]
    if address.changed("vary"):
        chosen = st.session_state["vary"]
        address.choose("tried", ", ".join(suggested(chosen, values, dataset)))
        address.choose("among", names_of(chosen, values, fitting, known)[:3])
    address.seed("vary", NOTHING, known=options)
    varied = st.selectbox(
        "Try several values of",
        options,
        format_func=lambda name: fields.TITLES.get(name, name),
        key="vary",
        help="One training for each value, with all else as it is chosen here; what you have not changed (epochs, say) is as "
        "suggested for each value. The result shows what the choice does to the error.",
    )
    if varied == NOTHING:
        return None
    if varied in NAMED:
        tried = names(varied, values, fitting, known)
    else:
        address.seed("tried", ", ".join(suggested(varied, values, dataset)))
        tried = sweep.split(st.text_input("Values", key="tried", help="Separated by commas"))
    address.seed("seeds", 1, int)
    if not 1 <= st.session_state["seeds"] <= sweep.SEEDS:
        st.session_state["seeds"] = min(max(st.session_state["seeds"], 1), sweep.SEEDS)
    seeds = st.number_input(
        "Seeds of each",
        1,
        sweep.SEEDS,
        key="seeds",
        help="Each value is trained so many times, each time with other random numbers: the results show how much is luck.",
    )
    return Asked(varied, tried, int(seeds))


def suggested(varied: str, values: Mapping[str, Any], dataset: datasets.Dataset) -> list[str]:
    """Values to begin with: powers of two for a code, else the chosen value, half and double of it, and so on."""
    if varied == "code_size":
        return [str(size) for size in SIZES if size <= min(MAX_CODE_SIZE, dataset.size)]
    now, (low, high) = values.get(varied), runs.RANGES.get(varied, (0, 0))
    if not isinstance(now, int | float):
        return []
    of = int if isinstance(now, int) else float
    each = (0.25, 0.5, 1, 2, 4) if now else (0, 1, 2, 4)
    found = [of(factor * (now or fields.NUMBERS[varied][2])) for factor in each]
    return [f"{value:g}" for value in dict.fromkeys(found) if low <= value <= high]


def names_of(
    varied: str, values: Mapping[str, Any], fitting: Sequence[str], known: Mapping[str, datasets.Dataset]
) -> list[str]:
    """The architectures or datasets that can be tried, the chosen one first; datasets that are at hand, of its kind."""
    if varied not in NAMED:
        return []
    if varied == "dataset":
        kind = known[values["dataset"]].kind
        every: Sequence[str] = [n for n, one in known.items() if one.kind == kind and not datasets.missing(one)]
    else:
        every = fitting
    return sorted(every, key=lambda name: name != values[varied])


def names(
    varied: str, values: Mapping[str, Any], fitting: Sequence[str], known: Mapping[str, datasets.Dataset]
) -> list[str]:
    """The control for names."""
    options = names_of(varied, values, fitting, known)
    picked = address.seed("among", options[:3], lambda text: [name for name in text.split(",") if name in options])
    if (there := [name for name in picked if name in options]) != picked:
        picked = st.session_state["among"] = there
    titles = choosing.titles(dict(known)) if varied == "dataset" else {}
    st.multiselect(
        "Values", options, format_func=lambda n: titles.get(n) or architectures.get(n).title, key="among"
    )  # fmt: skip
    return list(picked)


def in_address(asked: Asked | None) -> dict[str, Any]:
    """The choices of a sweep as the address has them."""
    if asked is None:
        return {}
    what = {"among" if asked.varied in NAMED else "tried": ",".join(asked.tried)}
    return {"vary": asked.varied, **what, "seeds": asked.seeds if asked.seeds > 1 else None}


def start(planned: Sweep, device: str) -> None:
    """How many will be trained, about how long that takes, what is left out; and the button that asks for them."""
    for sentence in planned.refused:
        st.warning(sentence)
    states = [engine.status(one.id) for one in planned.configurations]
    todo = [one for one, state in zip(planned.configurations, states, strict=True) if state.phase not in (DONE, *ALIVE)]
    if not planned.configurations:
        if not planned.refused:
            st.info("Write at least one value.")
        return
    owner = visitor.owner()
    waiting = sum(entry.state == "queued" for entry in engine.runs(owner))
    free = max(0, engine.Limits.from_environment().waiting - waiting)
    st.caption(plan_in_words(len(planned.configurations), todo, free))
    if todo and st.button(
        f"Train {min(len(todo), free)} runs" if min(len(todo), free) > 1 else "Train 1 run",
        type="primary",
        icon=":material/play_arrow:",
        width="stretch",
        disabled=not free,
    ):
        told = dict.fromkeys(filter(None, (refusal(planned.varied, one, owner, device) for one in todo[:free])))
        for sentence in told:
            st.error(sentence)
        if not told:
            st.rerun()


def refusal(varied: str, chosen: Configuration, owner: str, device: str) -> str:
    """Ask for a training; why not, where it is refused."""
    try:
        engine.submit(chosen, owner, device)
    except Problem as problem:
        return f"{fields.TITLES[varied]} {value_of(varied, chosen)}: {problem}"
    return ""


def plan_in_words(count: int, todo: Sequence[Configuration], free: int) -> str:
    """What pressing the button does. free: how many more may wait."""
    here = count - len(todo)
    if not todo:
        return f"All {count} trainings are done or on the way." if count > 1 else "This training is done or on the way."
    words = f"{count} trainings in all" if count > 1 else "One training"
    words += f", of which {here} {'is' if here == 1 else 'are'} done or on the way." if here else "."
    known_runs = runs.find()[0]
    seconds = [expected(one, known_runs) for one in todo[:free]]
    known = [one for one in seconds if one is not None]
    if known:
        about = duration(sum(known) * len(seconds) / len(known))
        words += f" About {about}{' if trained one after the other' if len(seconds) > 1 else ''}."
    if not free:
        return f"{words} As many of your runs wait as may: come back when some have begun."
    if len(todo) > free:
        words += f" Only {free} more may wait at once: come back for the other {len(todo) - free}."
    return words


def expected(chosen: Configuration, ready: Sequence[runs.Run]) -> float | None:
    """About how many seconds a training takes: as long as it is told to, else at the pace at which the same network was trained
    on the same data here, else as such a network's steps usually do; None where the dataset is gone. What ships was trained
    on another computer."""
    if chosen.seconds:
        return chosen.seconds + 2
    try:
        facts = defaults.facts_of(datasets.get(chosen.dataset))
        blueprint = architectures.get(chosen.architecture).blueprint(facts.kind, facts.shape, chosen.code_size)
    except Problem:
        return None
    trained = defaults.TRAINED * facts.count
    paces = [
        run.card.training.samples_per_second
        for run in ready
        if not run.pretrained
        and run.card.training.samples_per_second > 0
        and (run.configuration.dataset, run.configuration.architecture) == (chosen.dataset, chosen.architecture)
    ]
    steps = max(1.0, trained / chosen.batch_size)
    epoch = (
        trained / float(np.median(paces))
        if paces
        else steps * defaults.step_seconds(blueprint, chosen.batch_size) + defaults.EPOCH
    )
    return chosen.epochs * epoch + 2


def follow(planned: Sweep) -> bool:
    """All trainings of a sweep, as one, and what came of those that have ended; whether there is any to see."""
    states = [engine.status(one.id) for one in planned.configurations]
    if all(state.phase == "unknown" for state in states):
        return False
    ready = {run.id: run for run in runs.find()[0]}
    done = {
        one.id: ready[s.id]
        for one, s in zip(planned.configurations, states, strict=True)
        if s.phase == DONE and s.id in ready
    }
    alive = any(state.alive for state in states)
    with st.container(key="theatre"):
        st.subheader(f"{fields.TITLES[planned.varied]}: {len(planned.points)} values", anchor=False)
        st.fragment(trainings, run_every=2.0 if alive else None)(planned, sum(s.phase == DONE for s in states), alive)
        if done:
            results(planned, done)
    return True


@show_problems
def trainings(planned: Sweep, before: int, alive: bool) -> None:
    """How far they are, each one's state, and the ways to them. before: how many were done when the page was drawn."""
    chosen = planned.configurations
    states = [engine.status(one.id) for one in chosen]
    done = sum(state.phase == DONE for state in states)
    if done != before or (alive and not any(state.alive for state in states)):
        st.rerun(scope="app")
    if alive:
        part = sum(state.epoch / max(state.epochs, 1) for state in states if state.phase == "training")
        waiting = sum(state.phase == "queued" for state in states)
        words = f"{done} of {len(states)} done" + (f" · {waiting} waiting" if waiting else "")
        st.progress(min((done + part) / len(states), 1.0), words)
        if st.button("Cancel those that are left", icon=":material/close:"):
            for one, state in zip(chosen, states, strict=True):
                if state.alive:
                    engine.cancel(one.id, visitor.owner())
            st.rerun(scope="app")
    ready = {run.id: run for run in runs.find()[0]}
    every = [ready.get(state.id) if state.phase == DONE else None for state in states]
    picked = st.dataframe(
        [line(planned, one, state, run) for one, state, run in zip(chosen, states, every, strict=True)],
        key=f"sweep {planned.varied} {chosen[0].id} {chosen[-1].id} {len(chosen)}",
        hide_index=True,
        width="stretch",
        height=min(38 + 35 * len(chosen), 320),
        on_select="rerun",
        selection_mode="multi-row",
        placeholder="",
        column_config={
            "open": st.column_config.ButtonColumn("open", help="Opens its map", type="tertiary", key="opened of sweep"),
            "test error": st.column_config.NumberColumn(format="%.4f", help="Mean squared error on the test split"),
            "PCA": st.column_config.NumberColumn(format="%.4f", help="Of PCA with the same code size"),
            "k-NN": st.column_config.NumberColumn(
                format="percent", help="How often the five nearest codes name the class"
            ),
            "seconds": st.column_config.NumberColumn(format="%.1f", help="Training time"),
        },
    )["selection"]["rows"]
    pages = st.session_state["pages"]
    clicked = st.session_state.get("opened of sweep")
    if clicked is not None and clicked["row"] < len(every) and (run := every[clicked["row"]]) is not None:
        st.switch_page(pages["Explore"], query_params={"run": run.id})
    at = [run.id for i in picked if i < len(every) and (run := every[i]) is not None]
    if 2 <= len(at) <= comparing.MOST:
        if st.button(f"Compare {len(at)} runs", icon=":material/compare_arrows:", type="primary"):
            st.switch_page(pages["Compare"], query_params={"runs": ",".join(at)})
    elif done > 1:
        st.caption("Tick two to four that are done to compare them.")


def line(planned: Sweep, chosen: Configuration, state: engine.Status, run: runs.Run | None) -> dict[str, Any]:
    """A training as a line of the table."""
    words = WORDS.get(state.phase, state.phase)
    if state.phase == "training":
        words = f"epoch {state.epoch:,} of {state.epochs:,}"
    return {
        fields.TITLES[planned.varied]: value_of(planned.varied, chosen),
        **({"seed": chosen.seed} if len(planned.points[0].configurations) > 1 else {}),
        "open": "Explore" if run is not None else "",
        "state": str(state.problem) if state.problem is not None else words,
        "test error": None if run is None else run.metric("mse"),
        "PCA": None if run is None else run.metric("pca_mse"),
        "k-NN": None if run is None else run.metric("knn_accuracy"),
        "seconds": None if run is None else run.card.training.seconds,
    }


def value_of(varied: str, chosen: Configuration) -> str:
    """The value of a training in words."""
    value = getattr(chosen, varied)
    if varied in NAMED:
        known: Any = architectures if varied == "architecture" else datasets
        try:
            return str(known.get(value).title)
        except Problem:
            return str(value)
    return fields.written(value)


def results(planned: Sweep, done: Mapping[str, runs.Run]) -> None:
    """What the choice does to the error and to the classes, beside PCA; and to ten samples."""
    points = [(point, [done[one.id] for one in point.configurations if one.id in done]) for point in planned.points]
    points = [(point, of) for point, of in points if of]
    axis = fields.TITLES[planned.varied]
    ticks = [value_of(planned.varied, point.configurations[0]) for point, _ in points]
    if planned.varied == "code_size":
        axis, ticks = "Code size D, and bytes of a code", [f"{tick}<br>{4 * int(tick)} B" for tick in ticks]
    at = None if planned.varied in NAMED else [float(point.value) for point, _ in points]
    left, right = st.columns(2)
    for place, name, title in (
        (left, "mse", "test error"),
        (right, "knn_accuracy", "k-NN accuracy"),
    ):
        ours = [[value for run in of if (value := run.metric(name)) is not None] for _, of in points]
        theirs = [of[0].metric(f"pca_{name}") for _, of in points]
        if any(ours):
            place.plotly_chart(
                figures.elbow(ours, theirs, ticks, at, axis, title), config=PLAIN, key=f"elbow {name}"
            )  # fmt: skip
    seeds = max(len(of) for _, of in points)
    band = (
        f" The band spans {seeds} seeds, from the least to the greatest; the line is their mean." if seeds > 1 else ""
    )
    words = "The lower the error and the higher the accuracy, the better."
    if planned.varied == "code_size":
        words = "Where the curve bends, more numbers cost more than they give; each is stored in 4 bytes."
    st.caption(words + band, help=choosing.PCA)
    if planned.varied == "dataset":
        st.caption("Runs of different data share no samples, so no reconstructions stand side by side here.")
    else:
        word = {"code_size": "D = ", **dict.fromkeys(NAMED, "")}.get(planned.varied, f"{axis} ")
        grid([(word + value_of(planned.varied, point.configurations[0]), of[0]) for point, of in points])


def grid(shown: Sequence[tuple[str, runs.Run]]) -> None:
    """The same test samples as each of these runs draws them, one row a run, the originals on top."""
    first = shown[0][1]
    st.subheader(f"The same ten {kinds.get(first.kind).many}", anchor=False)
    if not choosing.originals_at_hand(first):
        return
    try:
        rows = some(first)
        made = [(name, reconstructed(run, rows)) for name, run in shown]
    except Problem as problem:
        st.error(str(problem))
        return
    sets = {"original": made[0][1].clean} | {name: out.run for name, out in made}
    if not kinds.get(first.kind).pixels:
        samples.of(first).side_by_side(first, sets, [""] * len(rows), "sweep grid", "")
        return
    strips = "".join(
        f"<figure><figcaption>{html.escape(name)}</figcaption>{pictures.element(pictures.strip(images), name)}</figure>"
        for name, images in sets.items()
    )
    st.markdown(f'<div class="hg-strips">{strips}</div>', unsafe_allow_html=True)


def some(run: runs.Run) -> tuple[int, ...]:
    """Rows of the test split: one of each class where there are as many, else the first."""
    test = run.splits == datasets.TEST
    rows, labels = run.rows[test], run.labels[test]
    _, each = np.unique(labels, return_index=True)
    places: NDArray[np.int64] = np.sort(each) if len(each) >= SHOWN else np.arange(min(SHOWN, len(rows)))
    return tuple(int(row) for row in rows[places[:SHOWN]])


@cached.per_run(64)
def reconstructed(run: runs.Run, rows: tuple[int, ...]) -> reconstruct.Reconstructed:
    """These rows of the dataset, and what the run makes of them."""
    return reconstruct.rows(run, np.array(rows, np.int64))

"""What several pages share: choosing a run, and fetching the originals that do not ship."""

import dataclasses
import re
from collections.abc import Callable, Collection, Sequence
from typing import Any

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from components import address, cached, visitor
from components.early import OPENING
from models import Problem, architectures, datasets, engine, kinds, runs, uploads
from models.analysis import metrics
from models.runs import Configuration

OWN = "My own choices"  # the preset that is none
PCA = (
    "PCA (principal component analysis) is the simplest way to the same number of numbers: a straight projection, without a "
    "network. What a network gains over it comes from bending."
)
BUDGETS = {
    "epochs": "a number of epochs",
    "10": "10 seconds",
    "30": "30 seconds",
    "120": "2 minutes",
    "stop": "until I stop",
}


def run(fits: Callable[[runs.Run], str] = lambda _run: "", first: Sequence[str] = ()) -> runs.Run | None:
    """The select box over the finished runs of this visitor; None, with the reason said, when the chosen one cannot be
    opened. A run of somebody else is opened by its address.

    fits: "" for runs that can be chosen, else why not. first: names of shipped runs, of a page that needs samples: the first
    of them stands in for one that it cannot show at once, until another page is opened.
    """
    wanted = {st.query_params.get("run"), st.session_state.get("run"), address.chosen("run")}
    every, names = to_choose_from(wanted)
    ready = [run for run in every if not fits(run)]
    if not ready:
        st.info("No run is here yet. Train one on the Train page, or restore the folder pretrained/.")
        return None
    by_id = {run.id: run for run in ready}
    by_name = {run.folder.name: run.id for run in ready}
    opening = next((by_name[name] for name in (*first, OPENING) if name in by_name), ready[0].id)
    words = labels(every, names)
    if first:
        _stand_in(opening, every, fits)
    elif waiting := _waiting():
        address.choose("run", waiting)
    address.seed("run", opening, lambda asked: by_name.get(asked, asked), by_id, words.__getitem__)
    chosen = st.selectbox("Run", list(by_id), format_func=words.__getitem__, key="run", label_visibility="collapsed")
    stood = st.session_state.get(STOOD_IN)
    if stood and chosen == stood[0] and stood[1] in words:
        st.caption(f":material/info: {escaped(words[stood[1]])} is not shown here: {stood[2]}.")
    try:
        return cached.opened(by_id[chosen])
    except Problem as problem:
        st.error(str(problem))
        return None


STOOD_IN = "stood in"  # the run that is shown in place of another, that other one, and why


def _waiting() -> str | None:
    """The run that was to be shown and waits, where another stood in for it on the page before and nobody has chosen anything
    since: what stood in was nobody's choice."""
    stood = st.session_state.pop(STOOD_IN, None)
    waits = stood and "run" not in st.query_params and address.upcoming("run", None) == stood[0]
    return str(stood[1]) if waits else None


def _stand_in(opening: str, every: Sequence[runs.Run], fits: Callable[[runs.Run], str]) -> None:
    """Show `opening` where the page was opened with a run that it cannot show, or not without a download that the address does
    not ask for."""
    if not address.first_time(STOOD_IN):
        return
    waiting = _waiting()
    before = waiting or address.upcoming("run", None)
    arrived = next((run for run in every if before in (run.id, run.folder.name)), None)
    if arrived is None:
        return
    why = fits(arrived)
    if not why and "run" not in st.query_params and not at_hand(arrived):
        why = f"its {kinds.get(arrived.kind).many} are not at hand. Choose it above to see what can be done"
    if why:
        address.choose("run", opening)
        st.session_state[STOOD_IN] = opening, arrived.id, why
    elif waiting:
        address.choose("run", waiting)


def to_choose_from(wanted: Collection[Any]) -> tuple[list[runs.Run], dict[str, str]]:
    """The finished runs that this visitor is shown, with those of somebody else whose ids are wanted: an address names
    them; and this visitor's names for runs, by id. Says what cannot be opened."""
    found, problems = runs.find()
    owner = visitor.owner()
    for sentence in unreadable(problems, owner):
        st.warning(sentence)
    try:
        ready, names = engine.visible(owner, found), engine.names(owner)
    except Problem as problem:  # exploring what ships needs no queue
        st.warning(str(problem))
        ready, names = [run for run in found if run.pretrained], {}
    known = {run.id for run in ready}
    return ready + [run for run in found if run.id in wanted and run.id not in known], names


def unreadable(problems: list[runs.Unreadable], owner: str) -> list[str]:
    """What is said of runs that cannot be opened: to those on whose list they are, and to nobody else."""
    if not problems:
        return []
    try:
        mine = {entry.id for entry in engine.runs(owner)}
    except Problem:  # it is told where the queue is asked next
        return []
    return [str(problem) for problem in problems if problem.folder.name in mine]


def collapse(run: runs.Run, some: bool = True) -> None:
    """Says so where no dimension of the code tells one sample from another; and, with some, where a few do not."""
    dead = sum(run.card.codes.dead)
    if dead < run.code_size and run.only_mean:
        of = kinds.get(run.kind)
        st.warning(
            f"This network has learnt only the mean {of.one}: whatever its input, it gives about that, and its error is as "
            "large. Train it for more epochs, with another learning rate, or choose another architecture."
        )
        return
    if dead < run.code_size:
        if some and dead:
            are, them = ("is", "it") if dead == 1 else ("are", "them")
            st.caption(
                f":material/info: {dead} of {run.code_size} dimensions {are} dead: the decoder does without {them}. "
                "Codes shows which."
            )
        return
    if run.variational:
        do = "Train with a lower beta, with free bits, or with annealing."
    else:
        modern = run.card.architecture.title.startswith("Modern")
        other = "Choose another architecture" + ("" if modern else " (those called Modern rarely end like this)")
        do = f"{other}, or try a smaller learning rate."
    near = "" if run.metric("knn_accuracy") is None else " Neighbours are still told, by differences however small."
    st.warning(f"Every sample has all but the same code, so this network draws one picture for all of them. {do}{near}")


def test_error(place: DeltaGenerator, run: runs.Run, about: str) -> None:
    """A run's error beside PCA's, green when it is less and grey when both are equal."""
    mse, pca = run.metric("mse") or 0.0, run.metric("pca_mse") or 1.0
    beside = metrics.beside_pca(mse, pca)
    equal = beside == metrics.AS_GOOD
    place.metric(
        "Test error",
        f"{mse:.4f}",
        beside,
        delta_color="off" if equal else "inverse",
        delta_arrow="off",  # beside "-50%" an arrow down would say it twice, or the opposite
        help=about,
    )


def beside_pca(run: runs.Run) -> str:
    """How large a run's error is on the test split, as a sentence for somebody who has not met such errors before."""
    share = (run.metric("mse") or 0.0) / (run.metric("pca_mse") or 1.0)
    if share < 0.995:
        size = f"{100 - 100 * share:.0f} % lower than PCA's"
    elif share < 1.005:
        size = "as large as PCA's"
    elif share < 2:
        size = f"{100 * share - 100:.0f} % higher than PCA's"
    else:
        size = "twice PCA's" if share < 2.5 else f"{share:,.0f} times PCA's"
    if share >= 100:
        size = "small, yet PCA's is all but zero"
    return f"On {kinds.get(run.kind).many} it never saw, its error is {size} with as many numbers."


def errors(run: runs.Run) -> str:
    """The numbers behind `beside_pca`, and what they mean."""
    mse, pca = run.metric("mse") or 0.0, run.metric("pca_mse") or 1.0
    return (
        f"Test error {mse:.4f} {metrics.unit(run.kind)}, PCA with the same code size {pca:.4f}. "
        f"{metrics.meaning(run.kind)} {PCA}"
    )


NAMES = (
    "Dense: each number of a layer depends on all of the layer before. Convolutional: on its neighbours alone, which suits images. "
    "Variational: codes lie around 0 without gaps, so that places between samples decode to something likely. Modern: with "
    "layer norm, which keeps the numbers in a layer of one size, and GELU, a bend that gives way smoothly. D, the code size, is "
    "how many numbers are kept of a sample."
)


def title_of(chosen: Configuration) -> str:
    """A few words that tell the run of a configuration from others, as `Run.title` does once it is there."""
    try:
        names = datasets.get(chosen.dataset).title, architectures.get(chosen.architecture).title
    except Problem:
        names = chosen.dataset, chosen.architecture
    noise = "" if chosen.noise == "none" else f", {chosen.noise} noise"
    return f"{names[0]} · {names[1]}{chosen.called} · D = {chosen.code_size}{noise}"


SAID = {"mixing": "mixed with other samples up to", "shift": "moved by up to (pixels)", "kl": "beta"}
RECIPE = (
    "An epoch shows the network every training sample once, in batches. After each batch its parameters take a step, whose size "
    "the learning rate sets. The seed fixes all that is drawn at random: the same seed gives the same run. What else stands here "
    "was chosen under More, where each choice is explained."
)


def in_words(chosen: Configuration) -> str:
    """The choices of a training that its title leaves out: those that every training has, and those that were changed."""
    every = {"epochs": "{:,} epochs", "batch_size": "batches of {:,}", "learning_rate": "learning rate {:g}"}
    words = [form.format(getattr(chosen, name)) for name, form in every.items()] + [f"seed {chosen.seed}"]
    if chosen.seconds:
        words[0] = f"{chosen.seconds:g} seconds"
    if chosen.noise != "none":
        words.append(f"noise level {chosen.noise_level:g}")
    named = {
        "dataset",
        "architecture",
        "code_size",
        "noise",
        "noise_level",
        "seed",
        "stopped_after",
        "cooled",
        "seconds",
        *every,
    }
    for field in dataclasses.fields(chosen):
        value = getattr(chosen, field.name)
        if field.name not in named and value != field.default:
            shown = f"{value:g}" if isinstance(value, float) else str(value)
            words.append(f"{SAID.get(field.name, field.name.replace('_', ' '))} {shown}")
    return " · ".join(words)


def choices_of(chosen: Configuration) -> dict[str, Any]:
    """A configuration as the controls of the page Train have it."""
    left_out = {"stopped_after", "cooled", "steps", "steady", "seconds"}  # what became of it, not what was chosen
    if chosen.seconds:
        left_out.add("epochs")
    if chosen.noise == "none":
        left_out.add("noise_level")
    values = {name: value for name, value in dataclasses.asdict(chosen).items() if name not in left_out}
    return values | {"budget": f"{chosen.seconds:g}" if f"{chosen.seconds:g}" in BUDGETS else "epochs"}


def labels(ready: list[runs.Run], names: dict[str, str]) -> dict[str, str]:
    """What each run is called in a list: its owner's name for it, or its title, and what else tells it from the others.

    No two are alike: Streamlit finds a chosen option again by its words, and would open the wrong one of two.
    """
    plain = {run.id: names.get(run.id) or run.title for run in ready}
    out: dict[str, str] = {}
    for run in ready:
        word, chosen = plain[run.id], run.configuration
        if list(plain.values()).count(word) > 1:
            epochs = run.card.training.epochs
            word += f" · {epochs:,} epoch{'' if epochs == 1 else 's'}, seed {chosen.seed}"
        out[run.id] = word if word not in out.values() else f"{word} · {run.id[:6]}"
    return out


def escaped(text: str) -> str:
    """Text that somebody else wrote, as it may stand in a page's Markdown: it formats, links and loads nothing."""
    return re.sub(r"([!-/:-@\[-`{-~])", r"\\\1", " ".join(text.split()))


def at_hand(run: runs.Run) -> bool:
    """Whether this visitor may see the originals behind a run, and they are there."""
    name = run.configuration.dataset
    return uploads.readable(name, visitor.owner()) if uploads.own(name) else not datasets.missing(run.dataset)


def originals_at_hand(run: runs.Run) -> bool:
    """`at_hand`; where not, it is said why, with the button that fetches what can be fetched."""
    name = run.configuration.dataset
    if at_hand(run):
        return True
    if not uploads.own(name):
        offer_download(run)
        return False
    if uploads.dataset(name) is None:
        st.caption(
            f"{uploads.gone().came[:1].upper()}{uploads.gone().came[1:]}. The map, its codes and the decoder stay."
        )
    else:
        st.caption(
            "The originals are shown only to the one who brought them. The map, its codes and the decoder work without."
        )
    return False


def own_data_notice(run: runs.Run) -> None:
    """Say, before a run is passed on, that it was made from data that somebody brought, and what of these is in it."""
    name = run.configuration.dataset
    if uploads.own(name):
        there, mine = uploads.dataset(name) is not None, uploads.readable(name, visitor.owner())
        whose = "your" if mine else "somebody’s own" if there else "deleted"
        stay = f" The samples themselves stay with {'you' if mine else 'their owner'}." if there else ""
        st.caption(
            f":material/lock: Made from {whose} data. Whoever gets the link or the zip of this run sees its codes, labels and "
            f"class names, and what its decoder draws, which may resemble the samples.{stay}"
        )


def offer_download(run: runs.Run) -> None:
    """A button that fetches the dataset's files, for pages that would like to show originals."""
    dataset = run.dataset
    st.caption(
        f"The images of {dataset.title} do not ship with Hourglass. The map, its codes and the decoder work without."
    )
    download_button(dataset)


def download_button(dataset: datasets.Dataset) -> None:
    """Fetch what is missing of a dataset, with a progress bar; draws the page anew when it is there."""
    total = sum(remote.bytes for remote in datasets.missing(dataset)) / 1e6
    if not st.button(f"Download {dataset.title} ({total:.0f} MB)", icon=":material/download:"):
        return
    bar = st.progress(0.0, "starting")

    def tell(what: str, share: float) -> None:
        bar.progress(share, what)

    try:
        datasets.download(dataset, tell)
    except Problem as problem:
        bar.empty()
        st.error(str(problem))
    else:
        cached.forget_originals()
        st.rerun()


def datasets_of(owner: str) -> dict[str, datasets.Dataset]:
    """What this visitor may train on, by name: their own datasets first, the newest before the others."""
    brought = {one.name: dataset for one in uploads.of(owner) if (dataset := uploads.dataset(one.name)) is not None}
    return brought | datasets.available()


def titles(known: dict[str, datasets.Dataset]) -> dict[str, str]:
    """What each dataset is called in a list. No two are alike, since Streamlit finds a chosen option by its words."""
    out: dict[str, str] = {}
    for name, dataset in known.items():
        word = f"Yours: {dataset.title}" if uploads.own(name) else dataset.title
        out[name] = word if word not in out.values() else f"{word} ({name[-6:]})"
    return out

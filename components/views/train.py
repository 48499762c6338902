"""Train: choose dataset, architecture and code size, see the hourglass they make, and watch it learn."""

import math
from collections.abc import Iterable
from typing import Any

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from components import address, choosing, figures, sweeping, visitor, watched
from components.choosing import BUDGETS, OWN
from components.fields import NUMBERS
from components.views import Page
from components.watched import duration
from models import Problem, architectures, datasets, engine, kinds, losses, runs, sweep
from models import defaults as suggested
from models.architectures import Blueprint
from models.runs import Configuration
from models.sweep import Sweep

ARTICLE = (
    "Those called (article) are networks of the kinds in "
    "[Building Autoencoders in Keras](https://blog.keras.io/building-autoencoders-in-keras.html), trained with Keras's own "
    "settings."
)
NOISES = {
    "none": "none",
    "gaussian": "gaussian (added to every value)",
    "salt-and-pepper": "salt and pepper (values to black or white)",
    "masking": "masking (values to zero)",
    "watermark": "watermark (the word COPY)",
    "watermarks": "watermarks (many words, sizes and places)",
    "strokes": "strokes (a pen scribbles over it)",
    "mixed": "mixed (another of these and another strength each time)",
    "stains": "stained, folded and blurred, as paper",
}
# What some of them do to signals and rows, which are standardised.
STANDARDISED = {
    "gaussian": "gaussian (added to every value, in standard deviations)",
    "salt-and-pepper": "salt and pepper (values to the least or the greatest)",
    "masking": "masking (values to their mean)",
}


def show() -> None:
    """Draw the page."""
    for problem in (*datasets.broken(), *architectures.broken(), *losses.broken()):
        st.warning(str(problem))
    address.seed("training", None, training_id)
    left, stage = st.columns([2, 5], gap="large")
    with left:
        values, dataset, below, asked = choices()
    planned = sweep_of(values, dataset, asked) if asked is not None else None
    with below:
        made = configured(to_train(values))
        if made is not None:
            start(made[0], dataset, planned)
    with stage:
        watching = (
            watched.follow(made[0] if made is not None else None) if planned is None else sweeping.follow(planned)
        )
        if made is not None and not watching:
            describe(*made)
    if made is not None and watching and planned is None:
        with left:
            st.plotly_chart(
                figures.hourglass(made[1], 150, labels=False), config={"displayModeBar": False}, key="small hourglass"
            )
            st.caption(in_a_line(*made))
    if values["noise"] == "none":
        values.pop("noise_level")  # it would be believed once a noise is chosen
    training = st.session_state["training"] if asked is None else None
    address.publish(**values, budget=st.session_state["budget"], training=training, **sweeping.in_address(asked))


def training_id(asked: str) -> str:
    """The training that the address names."""
    if not runs.ID.fullmatch(asked):
        raise ValueError
    return asked


def choices() -> tuple[dict[str, Any], datasets.Dataset, DeltaGenerator, sweeping.Asked | None]:
    """Every choice of a training as plain values, the dataset chosen, the place below those that matter most (the rest is
    under More), and what is to take several values, if anything."""
    known_data, known = choosing.datasets_of(visitor.owner()), architectures.available()
    dataset = known_data[address.seed("dataset", one_of(known_data, "digits"), known=known_data)]
    fitting = [n for n, a in known.items() if dataset.kind in a.kinds]
    presets = [OWN, *(n for n, values in runs.PRESETS.items() if values["architecture"] in fitting)]
    first = one_of(fitting, suggested.architecture(suggested.facts_of(dataset)))
    follow_changes(dataset, fitting, first)
    titles = choosing.titles(known_data)
    st.selectbox("Dataset", list(known_data), format_func=titles.__getitem__, key="dataset")
    shape = "×".join(map(str, dataset.shape))
    kind = kinds.get(dataset.kind)
    st.caption(f"{dataset.summary} {dataset.count:,} {kind.shaped.format(shape)}. Licence: {dataset.licence}.".strip())
    address.seed("architecture", first, known=fitting)
    takes, paper = known[st.session_state["architecture"]].takes, known[st.session_state["architecture"]].paper
    about = f"{takes[:1].upper()}{takes[1:]}. ({paper}) {choosing.NAMES}"
    chosen = st.selectbox("Architecture", fitting, format_func=lambda n: known[n].title, key="architecture", help=about)
    architecture = known[chosen]
    st.caption(architecture.summary)
    values: dict[str, Any] = {"dataset": dataset.name, "architecture": chosen}
    values["code_size"] = number("code_size", 2, (1, min(architectures.MAX_CODE_SIZE, dataset.size)))
    defaults = start_values(dataset, chosen, values["code_size"])
    below = st.container()
    with st.expander("More", icon=":material/tune:"):
        address.seed("preset", OWN, None, presets)
        st.selectbox("Start from", presets, key="preset", help=ARTICLE)
        several = st.container()  # of a choice that may stand below
        values["epochs"], told_of_it = how_long(defaults["epochs"])
        if told_of_it:
            st.caption(told_of_it)
        for name in ("learning_rate", "batch_size"):
            values[name] = number(name, defaults[name])
        values["seed"] = number("seed", 0)
        values["noise"], values["noise_level"] = noise(dataset.kind)
        known_losses = runs.losses(dataset.kind)
        address.seed(
            "loss", defaults["loss"] if defaults["loss"] in known_losses else known_losses[0], known=known_losses
        )
        about = "What is made small. Squared error: of each value. Calibrated: the same, weighed by how large it is on the whole, "
        about += "so that it and the KL term balance (the likelihood of normally distributed values, in nats)."
        if "bernoulli" in known_losses:
            about += " Bernoulli: each pixel as the chance of being white (cross-entropy)."
        values["loss"] = st.selectbox("Loss", known_losses, key="loss", help=about)
        for choice in losses.choices(dataset.kind, architecture.variational):
            values[choice.field] = number(choice.field, choice.default)
        values["mixing"] = number("mixing", defaults["mixing"])
        if kind.pixels:
            values["shift"] = number("shift", 0)
            values["distortion"] = number("distortion", 0.0)
        values["recipe"] = recipe()
        with several:
            asked = sweeping.controls(values, dataset, fitting, known_data)
    return values, dataset, below, asked


def sweep_of(values: dict[str, Any], dataset: datasets.Dataset, asked: sweeping.Asked) -> Sweep:
    """The trainings that the choices make where one of them takes several values. What is as suggested for the form's own
    dataset, architecture and code size follows each value, as it does in the form."""
    if st.session_state["budget"] == "stop":
        return Sweep(asked.varied, refused=("Choose a number of epochs or a time: nobody stops a sweep's trainings.",))
    start = start_values(dataset, values["architecture"], values["code_size"])
    follows = [name for name in DEFAULTS if str(values[name]) == str(start[name])]
    kept = {name: value for name, value in to_train(values).items() if name not in follows}
    return sweep.plan(kept, asked.varied, asked.tried, asked.seeds)


def follow_changes(dataset: datasets.Dataset, fitting: list[str], first: str) -> None:
    """What brings other choices with it: a preset, an architecture, a dataset of another kind or size, another code size.

    fitting: the architectures that take the dataset's samples; first: the one to begin with.
    """
    if address.changed("preset"):
        take_preset()
    elif address.changed("architecture"):
        take_defaults(dataset, st.session_state["architecture"])
    if address.upcoming("architecture", first) not in fitting:  # the dataset is now one of another kind
        address.choose("architecture", first)
        take_defaults(dataset, first)
    follow_defaults(dataset, address.upcoming("architecture", first))
    leave_preset()


def one_of(known: Iterable[str], wanted: str) -> str:
    """The wanted name, or the first that is known where it is not: its file may be broken."""
    names = list(known)
    return wanted if wanted in names else names[0]


def recipe() -> str:
    """How the learning rate goes."""
    address.seed("recipe", "hourglass", known=runs.RECIPES)
    words = {
        "hourglass": "ours: warm-up and cosine, best epoch kept",
        "open-ended": "ours without a known end: the rate falls slowly",
        "article": "the article's: constant rate, last epoch kept",
    }
    about = "How the learning rate goes. Warm-up: it rises from 0 over the first steps. Cosine: then it falls to 0 along half a "
    about += "wave. The epoch with the least error on validation samples is kept."
    return st.selectbox("Recipe", runs.RECIPES, format_func=words.__getitem__, key="recipe", help=about)


def noise(kind: str) -> tuple[str, float]:
    """The noise on the input, and how much of it."""
    known = runs.noises(kind)
    address.seed("noise", "none", known=known)
    chosen = st.selectbox(
        "Noise on the input",
        known,
        format_func=(NOISES if kinds.get(kind).pixels else NOISES | STANDARDISED).__getitem__,
        key="noise",
        help="A denoising autoencoder gets the noisy sample and has to reconstruct the clean one.",
    )
    if chosen == "none":
        return chosen, 0.0
    # Older links say 0 where there was no noise: that is no level for one that is chosen now.
    level = address.seed("noise_level", runs.NOISE_LEVEL, lambda asked: float(asked) or runs.NOISE_LEVEL)
    bounded("noise_level", level, 0.05, 1.0)
    return chosen, st.slider("Noise level", 0.05, 1.0, key="noise_level", step=0.05)


def how_long(epochs: int) -> tuple[int, str]:
    """Epochs, or a time that is turned into epochs before the run gets its id; then what to know of that."""
    address.seed("budget", "epochs", known=BUDGETS)
    chosen = st.selectbox(
        "Train for",
        list(BUDGETS),
        key="budget",
        format_func=BUDGETS.__getitem__,
        help="For a time: the learning rate (the size of a step) stays the same for half of it, then falls to zero; how many "
        "steps that takes follows from the speed so far. Until you stop it: the rate falls slowly, and in the two seconds after "
        "the stop (the cool-down) to zero. Small last steps make the error smaller.",
    )
    if chosen == "epochs":
        return int(number("epochs", epochs)), ""
    limits = engine.Limits.from_environment()
    if chosen == "stop":
        words = f"For at most {duration(limits.seconds)} or {limits.epochs:,} epochs, the longest training on this computer."
    else:
        words = "Measuring the result comes after it."
    return int(address.chosen("epochs") or epochs), words


def start_values(dataset: datasets.Dataset, architecture: str, code_size: int) -> dict[str, Any]:
    """The defaults of a training's choices for a dataset, an architecture and a code size."""
    base = {f.name: f.default for f in Configuration.__dataclass_fields__.values()}
    return {**base, **suggested.choices(suggested.facts_of(dataset), architecture, code_size)}


DEFAULTS = ("epochs", "batch_size", "learning_rate", "loss", "mixing")


def take_defaults(dataset: datasets.Dataset, architecture: str) -> None:
    """A newly chosen architecture brings the choices that suit it."""
    values = start_values(dataset, architecture, address.upcoming("code_size", 2))
    for name in DEFAULTS:
        address.choose(name, values[name])
    address.choose("preset", OWN)
    address.choose("recipe", "hourglass")


def follow_defaults(dataset: datasets.Dataset, architecture: str) -> None:
    """Another dataset or code size brings its own defaults, in place of what is still as the ones before said."""
    if architecture not in architectures.available() or address.upcoming("preset", OWN) != OWN:
        return
    try:
        size = int(address.upcoming("code_size", 2))
    except (TypeError, ValueError):
        return
    new = start_values(dataset, architecture, max(1, size))
    before = st.session_state.get("defaults", new)
    for name in DEFAULTS:
        if new[name] != before[name] and str(address.upcoming(name, before[name])) == str(before[name]):
            address.choose(name, new[name])
    st.session_state["defaults"] = {name: new[name] for name in DEFAULTS}


def take_preset() -> None:
    """A preset sets all that it names; the dataset stays."""
    chosen = runs.PRESETS.get(st.session_state["preset"], {"recipe": "hourglass"})
    plain = {"budget": "epochs", "noise": "none", "shift": 0, "distortion": 0.0, "mixing": 0.0}
    terms = [term for term in losses.available().values() if not term.variational]
    plain |= {choice.field: choice.default for term in terms for choice in term.choices}
    for name, value in {**plain, **chosen}.items():
        address.choose(name, value)


def leave_preset() -> None:
    """What is no longer as a preset set it is not called by the preset's name."""
    chosen = runs.PRESETS.get(str(address.upcoming("preset", OWN)), {})
    if any(str(address.upcoming(name, value)) != str(value) for name, value in {"budget": "epochs", **chosen}.items()):
        address.choose("preset", OWN)


def number(name: str, default: Any, limits: tuple[float, float] | None = None) -> Any:
    """A number input with a place in the address, of the default's type and within limits."""
    kind = type(default)
    low, high = (kind(limit) for limit in limits or runs.RANGES[name])
    bounded(name, kind(address.seed(name, default, kind)), low, high)
    label, about, step, form = NUMBERS[name]
    return st.number_input(label, low, high, step=kind(step), format=form, key=name, help=about)


def bounded(name: str, value: Any, low: Any, high: Any) -> None:
    """Keep what a control shows within its limits: a value from the address, or one that another dataset allowed."""
    if not low <= value <= high:
        st.session_state[name] = min(max(value, low), high)


def to_train(values: dict[str, Any]) -> dict[str, Any]:
    """The choices as they will be trained: for a time, or until a stop, for which our recipe is the one that knows no end."""
    budget = st.session_state["budget"]
    if budget == "epochs":
        return values
    if budget != "stop":
        return values | {"seconds": float(budget)}
    endless = {"recipe": "open-ended"} if values["recipe"] == "hourglass" else {}
    return values | endless | {"epochs": engine.Limits.from_environment().epochs}


def configured(values: dict[str, Any]) -> tuple[Configuration, Blueprint] | None:
    """The training that the choices make, and its network; a sentence instead when they do not fit."""
    try:
        configuration = runs.configure(values)
        dataset = datasets.get(configuration.dataset)
        blueprint = architectures.get(configuration.architecture).blueprint(
            dataset.kind, dataset.shape, configuration.code_size
        )
    except Problem as problem:
        st.error(str(problem))
        return None
    return configuration, blueprint


def describe(configuration: Configuration, blueprint: Blueprint) -> None:
    """The network as an hourglass, its numbers, and what of the training is under More."""
    st.plotly_chart(figures.hourglass(blueprint), config={"displayModeBar": False}, key="hourglass")
    size, ratio, parameters = st.columns(3)
    about = "What a sample is made of, and the numbers that the encoder keeps of it: its code."
    size.metric("Numbers per sample", f"{math.prod(blueprint.shape):,} → {configuration.code_size:,}", help=about)
    about = "So many numbers of a sample share one number of its code."
    ratio.metric("Compression", f"{blueprint.compression:,.1f} : 1", help=about)
    about = "The numbers inside the network that training learns."
    parameters.metric("Parameters", f"{blueprint.parameters:,}", help=about)
    st.caption(choosing.in_words(configuration), help=choosing.RECIPE)


def in_a_line(configuration: Configuration, blueprint: Blueprint) -> str:
    """The same numbers in a line."""
    return (
        f"{math.prod(blueprint.shape):,} → {configuration.code_size:,} numbers per sample ({blueprint.compression:,.1f} : 1), "
        f"{blueprint.parameters:,} parameters"
    )


def takes(configuration: Configuration) -> None:
    """Says about how long the training takes, where that is not up to whoever stops it."""
    seconds = sweeping.expected(configuration, runs.find()[0]) if st.session_state["budget"] != "stop" else None
    if seconds is not None:
        st.caption(f"About {duration(seconds)}, on a computer with nothing else to do.")


def start(configuration: Configuration, dataset: datasets.Dataset, planned: Sweep | None) -> None:
    """The button that trains, all of a sweep where one is planned; for a dataset that is not here, the button that downloads
    it first."""
    if datasets.missing(dataset):
        st.info(f"{dataset.title} has to be downloaded from its publisher first; it is checked on arrival and kept.")
        choosing.download_button(dataset)
        return
    engine.wake()  # a person who looks at this page will train: the engine is ready by then
    if engine.engine_alive() and (problem := engine.engine_problem()):
        st.warning(problem)
    device = "cpu"
    if engine.gpus():
        address.seed("gpu", False, None)
        device = "gpu" if st.toggle("Train on a graphics processor", key="gpu") else "cpu"
    if planned is not None:
        sweeping.start(planned, device)
    elif st.button("Train", type="primary", icon=":material/play_arrow:", width="stretch"):
        try:
            st.session_state["training"] = engine.submit(configuration, visitor.owner(), device)
        except Problem as problem:
            st.error(str(problem))
        else:
            st.rerun()
    if planned is None:
        takes(configuration)


PAGE = Page("Train", ":material/model_training:", 3, show)

"""Explore: one run's latent space as a live map, and the sample that any point of it decodes to."""

from collections.abc import Mapping
from contextlib import nullcontext
from functools import partial
from typing import Any

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from components import address, cached, choosing, figures, labs, opening, samples, sharing, visitor
from components.explorer import SHOWN, ExplorerResult, Selection, View, explorer
from components.listing import counted
from components.views import Page
from models import Problem, codes, datasets, engine, export, kinds, runs, uploads
from models.runs import colours
from models.runs import weights as given_weights
from models.shown import palette

PLOTTED = 5_000  # points drawn by Plotly; more take seconds to arrive and look the same
HELD = 1e-3  # how near a code lies to that of a sample that is held
LENGTH = 2000  # characters of a choice in the address, at most: names of hidden classes may be many


def show() -> None:
    """Draw the page."""
    with st.container(horizontal=True, key="chosen run"):
        with st.container(width="stretch"):
            run = choosing.run()
        to_share = st.container(width="content")
    if run is None:
        return
    back = labs.way_back(run)
    asked = asked_for(run)
    found = explorer(run.url, view=asked, about=opening.about(run), key="explorer")
    view = {name: found.view.get(name, asked.get(name)) for name in SHOWN}
    told = found.code or (None if asked.get("free") else asked.get("code"))
    code = np.array(told or asked.get("code") or run.card.codes.mean, np.float32)
    st.caption(
        f"{sentence(run, str(view.get('colour') or 'class'))} {choosing.beside_pca(run)}",
        help=f"{choosing.errors(run)} {choosing.NAMES}",
    )
    sharing.share(to_share, run, sharing.parameters(view, told))
    choosing.collapse(run)
    at_hand = choosing.originals_at_hand(run)
    choosing.own_data_notice(run)
    if found.selection is not None:
        selected(run, found.selection)
    card(run)
    as_plotly(run, found, code)
    downloads(run, code, at_hand, sharing.parameters(view, told))
    open_zip()
    view = {name: value for name, value in view.items() if value}
    left(run, {"palette": palette(run), **({"code": told} if told else {}), **view})  # type: ignore[typeddict-item]
    address.publish(run=run.id, **sharing.parameters(view, told), **back)


def sentence(run: runs.Run, colour: str) -> str:
    """What one sees. colour: what the explorer colours by."""
    count, words = run.card.dataset.count, kinds.get(run.kind)
    one = f"one {words.one}" if run.count == count else f"one of the {count:,} {words.many}"
    numbers = "one number" if run.code_size == 1 else f"{run.code_size} numbers"
    by = coloured_by(run, colour)
    return (
        f"Each of {run.count:,} points is {one} of {choosing.escaped(run.card.dataset.title)}, kept as {numbers}"
        f"{f' and coloured by {choosing.escaped(by)}' if by else ''}."
    )


def coloured_by(run: runs.Run, which: str) -> str:
    """The colours of the map in words, as the explorer chooses them; "" where all points have one."""
    dataset = run.card.dataset
    if which == "error":
        return "reconstruction error"
    if which.startswith("column:"):
        place = which.removeprefix("column:")
        known = colours.columns(run) if mine(run) else []
        return known[int(place)].name if place.isdecimal() and int(place) < len(known) else ""
    place = which.removeprefix("factor:")
    if place.isdecimal() and int(place) < len(dataset.factors):
        return dataset.factors[int(place)]
    return "" if which == "plain" or not run.classes else dataset.label


def asked_for(run: runs.Run) -> View:
    """How the explorer should open: what the address says of this run when the page is opened, else how it was left.

    It stays the same at every rerun. The explorer would take a code that comes back from its own report a moment
    late for a wish, and snap back to it under a moving hand.
    """
    known = st.session_state.get("asked for")
    opened = address.first_time("view")
    if opened or known is None or known[0] != run.id:
        kept: View | None = st.session_state.get("views", {}).get(run.id)
        asks = read_address(run) if opened else None
        view = asks or kept or opening.untouched(run)
        if asks is None and "layer" in st.session_state:  # what was chosen goes along, where this run has it
            view = {**view, "layer": st.session_state["layer"]}
        if not view.get("code"):
            view = {**view, "code": opening.crisp(run), "free": True}
        known = st.session_state["asked for"] = (run.id, view)
    asked: View = known[1]
    return asked


def left(run: runs.Run, view: View) -> None:
    """Keep how the explorer stands: on another page it is gone, and somebody who comes back goes on there."""
    st.session_state.setdefault("views", {})[run.id] = view
    st.session_state["layer"] = view.get("layer", "none")


def read_address(run: runs.Run) -> View | None:
    """What the address says of this run; None where it says nothing but its name."""
    view: View = {"palette": palette(run)}
    asked = st.query_params
    if asked.get("run") not in (run.id, run.folder.name):
        return None
    for name in SHOWN:
        if name in asked:
            view[name] = asked[name][:LENGTH]  # type: ignore[literal-required]
    if "z" in asked:
        try:
            code = [float(value) for value in asked["z"].split(",")]
            if len(code) != run.code_size or not np.isfinite(code).all():
                raise ValueError
            view["code"] = code
        except ValueError:
            st.warning(
                f"The address asks for a code that is not {run.code_size} numbers. The mean code is shown instead."
            )
    return view if len(view) > 1 else None


def label_of(run: runs.Run, place: int) -> str:
    """A stored sample's class in words; "" where the dataset has no classes."""
    return run.class_names(run.labels[place : place + 1])[0] if run.classes else ""


def points_of(run: runs.Run, plane: str) -> tuple[NDArray[np.float32], NDArray[Any], tuple[str, str]]:
    """The stored codes on a plane of the map (K, 2), their places (K,), and the names of its axes.

    plane is "pca", "tsne", "umap" or two dimensions like "z1,z2"; what this run does not have falls back to its first one.
    """
    every = np.arange(run.count)
    if plane == "tsne" and run.tsne is not None:
        return *run.tsne, ("t-SNE 1", "t-SNE 2")
    if plane == "umap" and run.tsne is not None and run.umap is not None:
        return run.umap, run.tsne[1], ("UMAP 1", "UMAP 2")
    if run.code_size == 1:
        return np.column_stack([run.codes[:, 0], np.zeros(run.count, np.float32)]), every, ("z1", "")
    wanted = [int(part[1:]) for part in plane.split(",") if part[:1] == "z" and part[1:].isdecimal()]
    if len(set(wanted)) == 2 and all(1 <= i <= run.code_size for i in wanted):
        return run.codes[:, [i - 1 for i in wanted]], every, (f"z{wanted[0]}", f"z{wanted[1]}")
    if run.pca is not None and (stored := run.card.projections.pca) is not None:
        share = stored.explained
        return run.pca.project(run.codes), every, (f"PCA 1 ({share[0]:.0%} of the variance)", f"PCA 2 ({share[1]:.0%})")
    return run.codes[:, :2], every, ("z1", "z2")


def selected(run: runs.Run, selection: Selection) -> None:
    """The samples inside the lasso: how many of each class, who they are, what the run makes of them, and a CSV."""
    points, places, _ = points_of(run, selection.plane)
    chosen = places[codes.inside(points, np.array(selection.polygon))]
    chosen = chosen[~np.isin(run.labels[chosen], selection.hidden)]
    st.subheader(f"{counted(len(chosen), 'sample')} inside the lasso")
    if not len(chosen):
        return
    every = st.container()
    if run.classes:
        labels, counts = np.unique(run.labels[chosen], return_counts=True)
        by_class, every = st.columns([2, 3], gap="large")
        shares = {"samples": counts, "share": counts / len(chosen)}
        by_class.dataframe({**export.class_column(run, run.class_names(labels)), **shares}, hide_index=True)
    named = mine(run)
    lines = min(260, 38 + 35 * len(chosen))
    every.dataframe(table(run, chosen[:500], named=named), hide_index=True, height=lines)
    few = chosen[: kinds.get(run.kind).side_by_side]
    originals = cached.originals(run.card.dataset.name, tuple(int(row) for row in run.rows[few]))
    if originals is not None:
        st.caption("The first of them, and their reconstructions")
        shown = {"original": codes.to_float(originals), "reconstruction": run.coder.decode(run.codes[few])}
        samples.of(run).side_by_side(
            run, shown, [label_of(run, place) for place in few], "selected", run.card.dataset.label
        )
    st.download_button(
        "The selection (CSV)",
        # Made when it is pressed: of a million samples it takes seconds.
        lambda: export.codes_csv(table_with_values(run, chosen, named=named)),
        "selection.csv",
        "text/csv",
        on_click="ignore",
        icon=":material/download:",
    )


def mine(run: runs.Run) -> bool:
    """Whether this visitor may see what the samples of a run came with."""
    return uploads.readable(run.configuration.dataset, visitor.owner())


def table(run: runs.Run, places: NDArray[Any], *, named: bool = False) -> dict[str, Any]:
    """The columns of a selection: what each sample is known by, its class, error and code. named: with what it came with."""
    return {
        **export.identity(run, run.rows[places], named=named),
        **export.class_column(run, run.class_names(run.labels[places])),
        "error": run.errors[places],
        **{f"z{i + 1}": run.codes[places, i] for i in range(run.code_size)},
    }


def table_with_values(run: runs.Run, places: NDArray[Any], *, named: bool = False) -> dict[str, Any]:
    """`table`, and of rows what they hold, in the table's own units, where the dataset is at hand."""
    rows = run.rows[places]
    known = table(run, places, named=named)
    if uploads.own(run.configuration.dataset) and not named:
        return known
    return samples.joined(known, export.beside(run, rows), export.values(run, rows))


def card(run: runs.Run) -> None:
    """How a shipped run was made, what it measures and what it is weak at, as its card says."""
    if not run.pretrained or "card.md" not in run.card.files:
        return
    name = run.folder.name
    with st.expander("How this run was made, what it measures, what it is weak at", icon=":material/description:"):
        text = (run.folder / "card.md").read_text(encoding="utf-8")
        st.markdown(f"**{name}**{text.removeprefix(f'# {name}')}")


def as_plotly(run: runs.Run, found: ExplorerResult, code: NDArray[np.float32]) -> None:
    """The same map as a Plotly figure, to read values, select and export."""
    with st.expander(
        "The map as a Plotly figure", icon=":material/scatter_plot:", key="plotly", on_change="rerun"
    ) as opened:
        if not opened.open:
            return
        plane = str(found.view.get("plane", st.query_params.get("plane", "")))
        points, places, axes = points_of(run, plane)
        if len(points) > PLOTTED:
            some = np.sort(np.random.default_rng(0).permutation(len(points))[:PLOTTED])
            points, places = points[some], places[some]
            st.caption(f"{PLOTTED:,} of {run.count:,} points are drawn.")
        word = run.card.dataset.label
        called = cached.called(run, run.rows[places])
        figure = figures.latent_map(
            points, run.labels[places], run.classes, axes, places, word=word, palette=palette(run), called=called
        )
        chart = st.plotly_chart(figure, key=f"map {run.id} {plane}", on_select="rerun", selection_mode="points")
        picked = chart["selection"]["points"]
        if picked and "customdata" in picked[0]:
            sample(run, int(np.ravel(picked[0]["customdata"])[0]))


def sample(run: runs.Run, place: int) -> None:
    """A stored sample beside its reconstruction, with its code."""
    named = (
        f"{choosing.escaped(run.card.dataset.label)} **{choosing.escaped(label_of(run, place))}**, "
        if run.classes
        else ""
    )
    (called,) = cached.called(run, run.rows[place : place + 1])
    st.markdown(f"**{choosing.escaped(called)}**, {named}error {run.errors[place]:.4f}")
    st.caption(", ".join(f"z{i + 1} = {value:.3f}" for i, value in enumerate(run.codes[place])))
    originals = cached.originals(run.card.dataset.name, (int(run.rows[place]),))
    shown = {} if originals is None else {"original": codes.to_float(originals)}
    shown["reconstruction"] = run.coder.decode(run.codes[place : place + 1])
    samples.of(run).one(run, shown, label_of(run, place))


def downloads(run: runs.Run, code: NDArray[np.float32], named: bool, shown: Mapping[str, str]) -> None:
    """Everything a run holds, to take away; named: the codes with the names of the samples, where there are any. shown: how the
    map stands, as an address says it."""
    one, drawing = kinds.get(run.kind).one, samples.of(run)
    more = [word for word, there in (("labels", run.classes), ("columns", drawing.tabular and named)) if there]
    codes_with = f"Codes with {' and '.join(more)}" if more else "Codes"
    with st.expander("Download", icon=":material/download:"), st.container(horizontal=True):
        sharing.one_page(run, "download", shown)
        labels = {
            "run": "Run (zip)",
            "weights": "Weights (safetensors)",
            "encoder": "Encoder (ONNX)",
            "decoder": "Decoder (ONNX)",
            "codes": f"{codes_with} (CSV)",
            "table": f"{codes_with} (Parquet)",
        }
        for what, label in labels.items():
            name = export.file_name(run, what)
            st.download_button(
                label,
                partial(content, run, what, named),
                file_name=name,
                on_click="ignore",
                key=f"{run.id} {what}",
            )
        ending = f"({drawing.ending.upper()})"
        if named:
            (place,), (apart,) = codes.nearest(run.codes, code, 1)
            held = apart <= HELD * max(1.0, float(np.abs(code).max()))  # what the address says has five digits
            st.download_button(
                f"The {one} {ending}" if held else f"The nearest {one} {ending}",
                lambda: original(run, int(place)),
                f"{one}-{run.rows[place] + 1}.{drawing.ending}",
                drawing.mime,
                on_click="ignore",
                key=f"{run.id} original",
                help=f"{choosing.escaped(cached.called(run, run.rows[[place]])[0])}, as it is in the data",
            )
        st.download_button(
            f"The decoded {one} {ending}",
            lambda: drawing.content(run, run.coder.decode(code[None])[0]),
            f"decoded.{drawing.ending}",
            drawing.mime,
            on_click="ignore",
            key=f"{run.id} decoded",
            help="What the network draws from the numbers that are shown",
        )


def original(run: runs.Run, place: int) -> bytes | str:
    """A stored sample as a file, as it came: of a row all that it holds. For those who may see it: a button calls it when
    it is pressed, when nobody knows any more who that is."""
    drawing = samples.of(run)
    if drawing.tabular:
        return export.codes_csv(table_with_values(run, np.array([place]), named=True))
    return drawing.content(run, codes.to_float(datasets.originals_at(run.dataset, run.rows[[place]]))[0])


@cached.per_run(16)
def content(run: runs.Run, what: str, named: bool) -> bytes:
    """What a download button sends; made when it is pressed. named: with the names of the samples."""
    return export.part(run, what, named=named)


def weights(name: str) -> bool:
    """Whether a file is of weights alone, and no whole run."""
    return name.lower().endswith(".safetensors")


def taken_in(name: str, content: bytes) -> runs.Run:
    """The run in a zip, or that of weights that a browser has trained on a dataset which this visitor may see."""
    if not weights(name):
        return runs.unpack(content)
    dataset = str(given_weights.about(content)["dataset"])
    if uploads.own(dataset) and not uploads.readable(dataset, visitor.owner()):
        raise uploads.gone()
    return given_weights.open_weights(content)


def open_zip() -> None:
    """Take in a run zip, checked as any run."""
    with st.expander("Open a run", icon=":material/folder_open:"):
        if not visitor.can_send():
            return
        given = st.file_uploader("A run zip, or the weights of Train again", type=["zip", "safetensors"])
        if given is not None and st.session_state.get("opened zip") != given.file_id:
            st.session_state["opened zip"] = given.file_id
            try:
                engine.make_sure_it_fits(visitor.owner(), given.size)
                with st.spinner("Measuring the weights …") if weights(given.name) else nullcontext():
                    run = taken_in(given.name, given.getvalue())
                engine.adopt(run, visitor.owner())
            except Problem as problem:
                st.error(choosing.escaped(str(problem)))
            else:
                address.choose("run", run.id)
                address.publish()
                st.rerun()


PAGE = Page("Explore", ":material/explore:", 0, show)

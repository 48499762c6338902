"""Explore: one run's latent space as a map, and the image that any point of it decodes to."""

from functools import partial
from typing import Any

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from components import address, cached, choosing, figures, pictures
from components.views import Page
from models import Problem, codes, export, runs
from models.codes import Plane

SHOWN = 12_000  # points drawn by Plotly; more take seconds to arrive and look the same


def show() -> None:
    """Draw the page."""
    run = choosing.run()
    if run is None:
        return
    st.caption(sentence(run))
    code = chosen_code(run)
    left, right = st.columns([3, 2], gap="large")
    with right:
        decoded(run, code)
        sliders(run)
    with left:
        view = latent_map(run, code)
    neighbours(run, code)
    downloads(run, code)
    open_zip()
    address.publish(run=run.id, view=view, z=",".join(f"{value:.4g}" for value in code))


def sentence(run: runs.Run) -> str:
    """What one sees, with the numbers that say how far to trust it."""
    about = run.about
    mse, pca = run.metric("mse"), run.metric("pca_mse")
    stored = (
        f"{run.count:,} of {about['dataset']['count']:,}" if run.count < about["dataset"]["count"] else f"{run.count:,}"
    )
    return (
        f"Each of {stored} points is one sample of {about['dataset']['title']}, placed by its code of {run.code_size} "
        f"number{'s' if run.code_size > 1 else ''} and coloured by {about['dataset']['label']}. "
        f"Any point decodes to an image. Test error {mse:.4f} squared intensity per pixel; PCA with the same code size {pca:.4f}."
    )


def chosen_code(run: runs.Run) -> NDArray[np.float32]:
    """The code that the sliders stand at. Opening another run, or a link with a code, sets the sliders first."""
    names = slider_names(run)
    if st.session_state.get("sliders of") != run.id:
        start = np.array(run.about["codes"]["mean"], np.float32)
        if st.query_params.get("run") in (run.id, run.folder.name) and "z" in st.query_params:
            try:
                asked = np.array([float(value) for value in st.query_params["z"].split(",")], np.float32)
                if len(asked) != run.code_size or not np.isfinite(asked).all():
                    raise ValueError
                start = asked
            except ValueError:
                st.warning(
                    f"The address asks for a code that is not {run.code_size} numbers. The mean code is shown instead."
                )
        put(run, start)
        st.session_state["sliders of"] = run.id
        st.session_state.pop("picked", None)
    return np.array([st.session_state.get(name, 0.0) for name in names], np.float32)


def slider_names(run: runs.Run) -> list[str]:
    """The widget key of each code dimension's slider."""
    return [f"{run.id} z{i + 1}" for i in range(run.code_size)]


def ends(run: runs.Run) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The lowest and highest value of each slider (D,): the codes' own range and a tenth more."""
    low, high = run.codes.min(0).astype(float), run.codes.max(0).astype(float)
    more = np.maximum(0.1 * (high - low), 0.05)
    return low - more, high + more


def put(run: runs.Run, code: NDArray[np.floating[Any]]) -> None:
    """Set the sliders to a code, as far as they reach."""
    low, high = ends(run)
    for name, value in zip(slider_names(run), np.clip(code, low, high), strict=True):
        st.session_state[name] = float(value)


def decoded(run: runs.Run, code: NDArray[np.float32]) -> None:
    """The image of the chosen code, and the original beside it while a sample is picked."""
    image = run.coder.decode(code[None])[0]
    place = st.session_state.get("picked")
    shown, captions = [pictures.enlarged(image)], ["decoded from the code"]
    original = None if place is None else cached.originals(run.about["dataset"]["name"], (int(run.rows[place]),))
    if place is not None and original is not None:
        shown.append(pictures.enlarged(codes.to_float(original)[0]))
        captions.append(f"sample {run.rows[place]}, {label_of(run, place)}")
    for column, one, words in zip(st.columns(2, wrap=False), shown, captions, strict=False):
        column.image(one, caption=words, width="stretch")
    _, apart = codes.nearest(run.codes, code, 1)
    if apart[0] > run.about["codes"]["nearest_p99"]:
        st.badge(f"far from the data: {apart[0]:.2f} to the nearest sample", icon=":material/warning:", color="orange")


def label_of(run: runs.Run, place: int) -> str:
    """A stored sample's class in words."""
    label = int(run.labels[place])
    return f"{run.about['dataset']['label']} {run.classes[label]}" if label >= 0 else "class unknown"


def sliders(run: runs.Run) -> None:
    """A slider per code dimension, and three ways to set them all."""
    picked = st.session_state.get("picked")

    def random() -> None:
        place = int(np.random.default_rng().integers(run.count))
        st.session_state["picked"] = place
        put(run, run.codes[place])

    def reset() -> None:
        st.session_state.pop("picked", None)
        put(run, np.array(run.about["codes"]["mean"]))

    with st.container(horizontal=True):
        st.button("A random sample", on_click=random, icon=":material/casino:")
        st.button(
            "This sample's code",
            on_click=lambda: put(run, run.codes[picked]),
            disabled=picked is None,
            icon=":material/my_location:",
        )
        st.button("Reset", on_click=reset, icon=":material/restart_alt:")
    low, high = ends(run)
    order = np.argsort(-np.array(run.about["codes"]["variance"]))
    for place, i in enumerate(order):
        if place == 8:
            break
        slider(run, int(i), low, high)
    if len(order) > 8:
        with st.expander(f"The other {len(order) - 8} dimensions, most used first"):
            for i in order[8:]:
                slider(run, int(i), low, high)


def slider(run: runs.Run, i: int, low: NDArray[np.float64], high: NDArray[np.float64]) -> None:
    """The slider of dimension i (from 0); a dimension that the run does not use says so."""
    dead = " (unused)" if run.about["codes"]["dead"][i] else ""
    st.slider(f"z{i + 1}{dead}", float(low[i]), float(high[i]), step=0.01, key=slider_names(run)[i])


def planes(run: runs.Run) -> dict[str, str]:
    """The views a map can take, by their name in the address."""
    out = {}
    if run.pca is not None:
        out["pca"] = "PCA plane of the codes"
    if run.code_size >= 2:
        out["axes"] = "two code dimensions" if run.code_size > 2 else "the code"
    if run.tsne is not None:
        out["tsne"] = "t-SNE (a picture of neighbourhoods: cannot be decoded)"
    return out or {"line": "the code"}


def latent_map(run: runs.Run, code: NDArray[np.float32]) -> str:
    """The scatter plot; a click picks the sample under it and sets the sliders to its code. Returns the view's name."""
    options = planes(run)
    asked = st.query_params.get("view", "").split("-")
    address.seed("view", asked[0] if asked[0] in options else next(iter(options)), known=options)
    view = next(iter(options))
    if len(options) > 1:
        view = (
            st.segmented_control("Map", list(options), format_func=options.__getitem__, key="view", required=True)
            or view
        )
    places: NDArray[Any] = np.arange(run.count)
    name = view
    marker: NDArray[Any] | None
    if view == "tsne" and run.tsne is not None:
        points, places = run.tsne
        axes, marker = ("t-SNE 1", "t-SNE 2"), None
        st.caption(
            "t-SNE keeps neighbours together and nothing else: distances and empty space mean little, and no point of it can be decoded."
        )
    elif view == "line":
        points = np.column_stack([run.codes[:, 0], run.errors])
        axes, marker = ("z1", "reconstruction error"), None
    else:
        plane, axes, name = plane_of(run, view, asked)
        points, marker = plane.project(run.codes), plane.project(code[None])[0]
    if len(points) > SHOWN:
        some = np.sort(np.random.default_rng(0).permutation(len(points))[:SHOWN])
        points, places = points[some], places[some]
        st.caption(f"{SHOWN:,} of {run.count:,} points are drawn.")
    figure = figures.latent_map(
        points, run.labels[places], run.classes, axes, places, marker, word=run.about["dataset"]["label"]
    )

    def pick() -> None:
        chosen = st.session_state[key]["selection"]["points"]
        if chosen and "customdata" in chosen[0]:
            place = int(np.ravel(chosen[0]["customdata"])[0])
            st.session_state["picked"] = place
            put(run, run.codes[place])

    key = f"map {run.id} {name}"
    st.plotly_chart(
        figure, key=key, on_select=pick, selection_mode="points", config={"scrollZoom": True, "displaylogo": False}
    )
    return name


def plane_of(run: runs.Run, view: str, asked: list[str]) -> tuple[Plane, tuple[str, str], str]:
    """The plane of a view, the names of its axes, and the view's full name for the address."""
    if view == "pca" and run.pca is not None:
        share = run.about["projections"]["pca"]["explained"]
        return run.pca, (f"PCA 1 ({share[0]:.0%} of the variance)", f"PCA 2 ({share[1]:.0%})"), view
    if run.code_size == 2:
        return codes.axes_plane(0, 1, 2), ("z1", "z2"), view
    order = [int(i) for i in np.argsort(-np.array(run.about["codes"]["variance"]))]
    wanted = [int(part) - 1 for part in asked[1:3] if part.isdecimal()]
    start = wanted if len(set(wanted)) == 2 and all(i in order for i in wanted) else order[:2]
    across, up = st.columns(2)
    first = across.selectbox(
        "Across", order, index=order.index(start[0]), format_func=lambda i: f"z{i + 1}", key=f"{run.id} across"
    )
    second = up.selectbox(
        "Up", order, index=order.index(start[1]), format_func=lambda i: f"z{i + 1}", key=f"{run.id} up"
    )
    return (
        codes.axes_plane(first, second, run.code_size),
        (f"z{first + 1}", f"z{second + 1}"),
        f"axes-{first + 1}-{second + 1}",
    )


def neighbours(run: runs.Run, code: NDArray[np.float32]) -> None:
    """The nearest real samples to the chosen code, with class and distance in code space."""
    places, apart = codes.nearest(run.codes, code, 8)
    st.subheader(
        "Nearest real samples", help="By Euclidean distance between codes, in all dimensions, not on the drawn plane."
    )
    words = [
        f"{run.about['dataset']['label']} {run.classes[run.labels[p]]}" if run.labels[p] >= 0 else "unknown"
        for p in places
    ]
    images = cached.originals(run.about["dataset"]["name"], tuple(int(run.rows[p]) for p in places))
    if images is not None:
        with st.container(horizontal=True):
            for image, word, distance in zip(codes.to_float(images), words, apart, strict=True):
                st.image(pictures.enlarged(image, 84), caption=f"{word} · {distance:.2f}", width=96)
        return
    st.dataframe({"class": words, "distance": apart.round(3), "row": run.rows[places]}, hide_index=True)
    choosing.offer_download(run)


def downloads(run: runs.Run, code: NDArray[np.float32]) -> None:
    """Everything a run holds, to take away."""
    with st.expander("Download", icon=":material/download:"), st.container(horizontal=True):
        labels = {
            "run": "Run (zip)",
            "weights": "Weights (safetensors)",
            "encoder": "Encoder (ONNX)",
            "decoder": "Decoder (ONNX)",
            "codes": "Codes with labels (CSV)",
        }
        for what, label in labels.items():
            name = export.file_name(run, what)
            st.download_button(
                label,
                partial(content, run, what),
                file_name=name,
                on_click="ignore",
                key=f"{run.id} {what}",
            )
        image = pictures.picture(run.coder.decode(code[None])[0])
        st.download_button("This image (PNG)", pictures.png(image), "decoded.png", "image/png", on_click="ignore")


def content(run: runs.Run, what: str) -> bytes:
    """What a download button sends; made when it is pressed."""
    return cached.part(run, what)


def open_zip() -> None:
    """Take in a run zip, checked as any run."""
    with st.expander("Open a run", icon=":material/folder_open:"):
        given = st.file_uploader("A run zip downloaded from Hourglass", type="zip")
        if given is not None and st.session_state.get("opened zip") != given.file_id:
            st.session_state["opened zip"] = given.file_id
            try:
                run = runs.unpack(given.getvalue())
            except Problem as problem:
                st.error(str(problem))
            else:
                st.session_state.pop("run", None)
                st.session_state["current run"] = run.id
                st.query_params.clear()
                st.rerun()


PAGE = Page("Explore", ":material/explore:", 1, show)

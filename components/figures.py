"""Arrays to Plotly figures. No Streamlit here: a figure is the same in a page, a notebook or a test."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.architectures import Blueprint
from models.columns import Column
from models.runs import UNLABELLED, Configuration
from models.shown import PALETTE

OURS, THEIRS = "#0072B2", "#E69F00"  # the run and what it is compared with, in every figure
UNKNOWN = "#8A8F98"
LINES = 400  # points of a curve, at most


def colour(label: int, palette: Sequence[str] = PALETTE) -> str:
    """The colour of a class, the same in every figure; grey where the class is unknown."""
    return palette[label % len(palette)] if label >= 0 else UNKNOWN


def plain(text: str) -> str:
    """Words that somebody else wrote, as Plotly may draw them: it takes some HTML, links too."""
    return text.replace("&", "&amp;").replace("<", "&lt;")


def _figure(height: int, **layout: Any) -> Any:
    import plotly.graph_objects as go

    figure = go.Figure()
    # A transparent page and no title: the theme and the words around the figure are the page's.
    figure.update_layout(
        height=height,
        margin={"l": 8, "r": 8, "t": 8, "b": 8},
        paper_bgcolor="rgba(0,0,0,0)",
        plot_bgcolor="rgba(0,0,0,0)",
        **layout,
    )
    return figure


def latent_map(
    points: NDArray[np.floating[Any]],
    labels: NDArray[np.integer],
    classes: Sequence[str],
    axes: tuple[str, str],
    places: NDArray[np.integer] | None = None,
    marker: NDArray[np.floating[Any]] | None = None,
    height: int = 560,
    word: str = "class",
    palette: Sequence[str] = PALETTE,
    called: Sequence[str] | None = None,
) -> Any:
    """Codes on a plane (N, 2) coloured by class, with a legend that hides and shows classes.

    places (N,) are kept as each point's custom data, so that a click can be traced. marker (2,) is the chosen code.
    palette: the colours of the classes, as `models.shown` gives them. called (N,) is what the samples are known by.
    """
    import plotly.graph_objects as go

    figure = _figure(height, dragmode="pan", hovermode="closest", uirevision="map", clickmode="event+select")
    size = float(np.clip(420 / np.sqrt(max(len(points), 1)), 3, 9))
    places = np.arange(len(points)) if places is None else places
    known = np.array(
        [f"sample {place + 1}" for place in places] if called is None else list(map(plain, called)), object
    )
    for label in np.unique(labels):
        of = labels == label
        name = plain(classes[label]) if label >= 0 else UNLABELLED
        said = f"{plain(word)} {name}<br>" if len(classes) else ""
        figure.add_trace(
            go.Scatter(  # not WebGL: Plotly compiles text for it, which a page of ours does not allow
                x=points[of, 0],
                y=points[of, 1],
                mode="markers",
                name=name,
                customdata=places[of],
                text=known[of],
                marker={"size": size, "color": colour(int(label), palette), "opacity": 0.8},
                hovertemplate=f"{said}%{{text}}<br>(%{{x:.2f}}, %{{y:.2f}})<extra></extra>",
                # A selection marks the point and leaves the others as they are: this is a click, not a filter.
                selected={"marker": {"opacity": 1, "size": size + 4}},
                unselected={"marker": {"opacity": 0.8}},
            )
        )
    if marker is not None:
        ring = {"symbol": "circle-open", "size": 18, "color": "#D81B60", "line": {"width": 3}}
        figure.add_trace(
            go.Scatter(
                x=[marker[0]],
                y=[marker[1]],
                mode="markers",
                marker=ring,
                name="chosen code",
                hoverinfo="skip",
                showlegend=False,
            )
        )
    figure.update_xaxes(title=axes[0], zeroline=False)
    figure.update_yaxes(title=axes[1], zeroline=False, scaleanchor="x")
    figure.update_layout(legend={"orientation": "h", "yanchor": "bottom", "y": 1.0, "x": 0, "itemsizing": "constant"})
    return figure


def log_ticks(low: float, high: float) -> tuple[list[float], list[str]]:
    """Where a logarithmic axis from low to high is marked, and with which numbers, written out.

    1, 2 and 5 times the powers of ten; over many decades the powers alone, in a narrow range equal steps. The first and
    the last may lie outside, in the axis's margin.
    """
    if low == high:  # Plotly draws a decade to either side
        low, high = low / 10, high * 10
    first, last = int(np.floor(np.log10(low))), int(np.ceil(np.log10(high)))
    mantissas = (1, 2, 5) if last - first <= 4 else (1,)
    each = max(1, (last - first) // 9)
    ticks = [(m, k) for k in range(first, last + 1, each) for m in mantissas]
    if sum(low <= m * 10.0**k <= high for m, k in ticks) < 3:
        rough = (high - low) / 4
        k = int(np.floor(np.log10(rough)))
        step = next(step for step in (1, 2, 5, 10) if step * 10.0**k >= rough)
        least, most = int(low / 10.0**k) // step, int(high / 10.0**k) // step
        ticks = [(m * step, k) for m in range(max(least, 1), most + 2)]
    written = [f"{m * 10.0**k:,.{max(0, -k)}f}" for m, k in ticks]
    return [m * 10.0**k for m, k in ticks], [text.rstrip("0").rstrip(".") if "." in text else text for text in written]


def losses(
    history: Sequence[dict[str, Any]], chosen: Configuration, pca: float | None = None, height: int = 260
) -> Any:
    """Training and validation loss per epoch, on a log scale unless some are below 0; both are the whole that such a training lowers.

    pca: the validation error of PCA with the same code size, where the loss is such an error.
    """
    import plotly.graph_objects as go

    figure = _figure(height, hovermode="x unified", uirevision="losses")
    history = [*history[: -1 : max(1, len(history) // LINES)], *history[-1:]]  # more could not be told apart
    epochs = [line["epoch"] for line in history]
    series = {
        "training": [chosen.total_loss(line["loss"]) for line in history],
        "validation": [line["validation"] for line in history],
    }
    mode = "lines" if len(epochs) > 1 else "markers"  # one point alone makes no line
    for (name, values), tone in zip(series.items(), (THEIRS, OURS), strict=True):
        figure.add_trace(go.Scatter(x=epochs, y=values, name=name, mode=mode, line={"color": tone, "width": 2}))
    if pca is not None:
        name, line = f"PCA, D = {chosen.code_size}", {"color": UNKNOWN, "width": 1.5, "dash": "dot"}
        series[name] = [pca, pca]
        figure.add_trace(go.Scatter(x=[0, epochs[-1]], y=series[name], name=name, mode="lines", line=line))
    figure.update_xaxes(title="epoch", rangemode="tozero", dtick=1 if epochs[-1] <= 5 else None)
    below = any(value <= 0 for values in series.values() for value in values)  # a density's nats can be
    figure.update_yaxes(title="loss" if below else "loss (logarithmic)", type="linear" if below else "log")
    seen = [value for values in series.values() for value in values if value > 0 and np.isfinite(value)]
    if seen and not below:
        values, texts = log_ticks(min(seen), max(seen))
        figure.update_yaxes(tickmode="array", tickvals=values, ticktext=texts)
    figure.update_layout(legend={"orientation": "h", "yanchor": "bottom", "y": 1.0, "x": 0})
    return figure


@dataclass(frozen=True)
class Curve:
    """A training as `curves` draws it: its losses by epoch, and where each epoch lies. loss: what it made smaller."""

    name: str
    tone: str
    loss: str
    at: Sequence[float]
    training: Sequence[float]
    validation: Sequence[float]


def curves(trainings: Sequence[Curve], axis: str, height: int = 320) -> Any:
    """Validation losses as lines and training losses as dots of several trainings; those of different losses in panels of
    their own, one above the other. Logarithmic, unless some lie below 0."""
    from plotly.subplots import make_subplots

    losses = list(dict.fromkeys(one.loss for one in trainings))
    figure = make_subplots(rows=len(losses), cols=1, shared_xaxes=True, vertical_spacing=0.08)
    for row, loss in enumerate(losses, 1):
        of = [_thinned(one) for one in trainings if one.loss == loss]
        for one in of:
            _draw_curve(figure, one, row)
        values = [value for one in of for value in (*one.training, *one.validation)]
        seen = [value for value in values if value > 0 and np.isfinite(value)]
        below = any(value <= 0 for value in values) or not seen
        figure.update_yaxes(title=plain(loss), type="linear" if below else "log", automargin=True, row=row, col=1)
        if not below:
            ticks, texts = log_ticks(min(seen), max(seen))
            figure.update_yaxes(tickmode="array", tickvals=ticks, ticktext=texts, row=row, col=1)
    figure.update_xaxes(rangemode="tozero", zeroline=False)
    figure.update_xaxes(title=axis, row=len(losses), col=1)
    figure.update_layout(
        height=height * (1 + 0.6 * (len(losses) - 1)),
        margin={"l": 8, "r": 8, "t": 8, "b": 8},
        paper_bgcolor="rgba(0,0,0,0)",
        plot_bgcolor="rgba(0,0,0,0)",
        hovermode="closest",
        legend={"orientation": "h", "yref": "container", "yanchor": "top", "y": 1.0, "x": 0},
    )
    return figure


def _thinned(one: Curve) -> Curve:
    """With `LINES` points at most: more could not be told apart."""
    places = np.unique(np.linspace(0, len(one.at) - 1, min(len(one.at), LINES)).round().astype(int)).tolist()
    at, training, validation = ([values[i] for i in places] for values in (one.at, one.training, one.validation))
    return replace(one, at=at, training=training, validation=validation)


def _draw_curve(figure: Any, one: Curve, row: int) -> None:
    import plotly.graph_objects as go

    mode = "lines" if len(one.at) > 1 else "markers"  # one point alone makes no line
    for what, values in (("validation", one.validation), ("training", one.training)):
        line = {"color": one.tone, "width": 2 if what == "validation" else 1.2}
        figure.add_trace(
            go.Scatter(
                x=one.at,
                y=values,
                name=plain(one.name),
                legendgroup=one.name,
                showlegend=what == "validation",
                mode=mode,
                line=line | ({"dash": "dot"} if what == "training" else {}),
                hovertemplate=f"{plain(one.name)}, {what}: %{{y:.4g}}<extra></extra>",
            ),
            row=row,
            col=1,
        )


def elbow(
    ours: Sequence[Sequence[float]],
    pca: Sequence[float | None],
    ticks: Sequence[str],
    at: Sequence[float] | None,
    axis: str,
    title: str,
) -> Any:
    """One number of the runs of each value of a choice, beside PCA's: the mean as a line, least to greatest as a band.

    ours: the numbers of each value's runs, one for each seed. at: where the values lie, None where they have no order.
    """
    import plotly.graph_objects as go

    figure = _figure(300, hovermode="x unified")
    known = [i for i, values in enumerate(ours) if values]
    places = [float(i) for i in range(len(ours))] if at is None else list(at)
    x = [places[i] for i in known]
    mode = "markers" if at is None else "lines+markers"
    if any(len(ours[i]) > 1 for i in known):
        edge = {"x": x, "mode": "lines", "line": {"width": 0}, "hoverinfo": "skip", "showlegend": False}
        figure.add_trace(go.Scatter(y=[min(ours[i]) for i in known], **edge))
        band = {"fill": "tonexty", "fillcolor": "rgba(0, 114, 178, 0.25)"}
        figure.add_trace(go.Scatter(y=[max(ours[i]) for i in known], **edge, **band))
    line = {"mode": mode, "marker": {"size": 9}, "hovertemplate": "%{y:.4g}"}
    means = [float(np.mean(ours[i])) for i in known]
    figure.add_trace(go.Scatter(x=x, y=means, name="runs", line={"color": OURS, "width": 2}, **line))
    theirs = [(place, value) for place, value in zip(places, pca, strict=True) if value is not None]
    if theirs:
        dots = {"color": THEIRS, "width": 1.5, "dash": "dot"}
        figure.add_trace(
            go.Scatter(
                x=[p for p, _ in theirs], y=[v for _, v in theirs], name="PCA, same code size", line=dots, **line
            )
        )
    wide = at is not None and min(at) > 0 and max(at) >= 8 * min(at)
    figure.update_xaxes(
        title=axis, tickvals=places, ticktext=[plain(tick).replace("&lt;br>", "<br>") for tick in ticks], zeroline=False
    )
    figure.update_xaxes(type="log" if wide else "linear")
    figure.update_yaxes(title=title, rangemode="tozero")
    figure.update_layout(legend={"orientation": "h", "yanchor": "bottom", "y": 1.0, "x": 0, "traceorder": "normal"})
    return figure


def class_errors(
    classes: Sequence[str],
    ours: NDArray[np.floating[Any]],
    pca: NDArray[np.floating[Any]] | None,
    unit: str = "per pixel",
) -> Any:
    """Mean squared error per class, the run's beside PCA's where it is known."""
    import plotly.graph_objects as go

    figure = _figure(300, barmode="group", hovermode="x unified")
    names = [plain(name) for name in classes]
    figure.add_trace(go.Bar(x=names, y=ours, name="this run", marker_color=OURS))
    if pca is not None:
        figure.add_trace(go.Bar(x=names, y=pca, name="PCA", marker_color=THEIRS))
    figure.update_xaxes(type="category")
    figure.update_yaxes(title=f"squared error {unit}", rangemode="tozero")
    figure.update_layout(legend={"orientation": "h", "yanchor": "bottom", "y": 1.0, "x": 0})
    return figure


def shares(values: Mapping[str, float], title: str) -> Any:
    """Shares between 0 and 1 as bars with their numbers; the one that begins with “this run” in the run's colour."""
    import plotly.graph_objects as go

    figure = _figure(60 + 48 * len(values), hovermode=False, showlegend=False)
    names = list(values)[::-1]
    tones = [OURS if name.startswith("this run") else THEIRS for name in names]
    sizes = [values[name] for name in names]
    figure.add_trace(
        go.Bar(x=sizes, y=names, orientation="h", marker_color=tones, text=[f"{size:.2f}" for size in sizes])
    )
    figure.update_xaxes(title=title, range=[0, 1])
    return figure


def dimensions(sizes: Sequence[float], dead: NDArray[np.bool_], title: str) -> Any:
    """A bar for each code dimension, the greatest first; dead ones are grey and say so."""
    import plotly.graph_objects as go

    order = np.argsort(-np.asarray(sizes), kind="stable")
    figure = _figure(260, hovermode="closest", showlegend=False, bargap=max(0.2, 1 - len(sizes) / 8))
    figure.add_trace(
        go.Bar(
            x=[f"z{d + 1}" for d in order],
            y=[sizes[d] for d in order],
            marker_color=[UNKNOWN if dead[d] else OURS for d in order],
            customdata=["dead" if dead[d] else "used" for d in order],
            hovertemplate="%{x}: %{y:.3g} (%{customdata})<extra></extra>",
        )
    )
    figure.update_xaxes(type="category")
    figure.update_yaxes(title=title, rangemode="tozero", tickformat="~g")
    return figure


def correlations(told: NDArray[np.floating[Any]], factors: Sequence[str]) -> Any:
    """How strongly each dimension (rows) goes with each factor (columns), between 0 and 1."""
    import plotly.graph_objects as go

    figure = _figure(90 + 30 * len(told), hovermode="closest")
    figure.add_trace(
        go.Heatmap(
            z=told,
            x=list(factors),
            y=[f"z{d + 1}" for d in range(len(told))],
            zmin=0,
            zmax=1,
            colorscale=[[0, "#2A3040"], [1, "#0B84C6"]],  # white figures are legible on all of it
            textfont={"color": "white"},
            texttemplate="%{z:.2f}",
            hovertemplate="%{y} and %{x}: %{z:.2f}<extra></extra>",
            showscale=False,
            xgap=1,
            ygap=1,
        )
    )
    figure.update_yaxes(autorange="reversed")
    return figure


def column_errors(columns: Sequence[Column], ours: NDArray[np.floating[Any]], pca: NDArray[np.floating[Any]]) -> Any:
    """Mean squared error (K,) of each column or channel, the run's beside PCA's; the hardest on top."""
    import plotly.graph_objects as go

    order = np.argsort(ours)  # Plotly draws the first bar at the bottom
    figure = _figure(90 + 26 * len(columns), barmode="group", hovermode="y unified")
    # Places, not names: two columns may have one name, and Plotly would draw one bar of both.
    at = np.arange(len(columns))
    for name, values, tone in (("PCA", pca, THEIRS), ("this run", ours, OURS)):
        figure.add_trace(go.Bar(y=at, x=values[order], name=name, orientation="h", marker_color=tone))
    figure.update_yaxes(tickvals=at, ticktext=[plain(_short(columns[i].name)) for i in order], automargin=True)
    figure.update_xaxes(title="squared error per value (standardised)", rangemode="tozero")
    top = {"orientation": "h", "yanchor": "bottom", "y": 1.0, "x": 0, "traceorder": "reversed"}
    figure.update_layout(legend=top)
    return figure


def _short(text: str, most: int = 24) -> str:
    return text if len(text) <= most else f"{text[: most - 1]}…"


TONES = {"original": "#8A8F98", "noisy input": "#B9A6D3", "reconstruction": OURS, "PCA": THEIRS}


def signals(
    lines: Mapping[str, NDArray[np.floating[Any]]], columns: Sequence[Column], heads: Sequence[str], across: int = 5
) -> Any:
    """Signals (N, T, C) over each other, a panel for each sample and channel; what is to be compared has one name each.

    All are in the columns' own units. Panels of one channel share their scale. heads are the N samples' names.
    """
    import plotly.graph_objects as go
    from plotly.subplots import make_subplots

    count, across = len(heads), min(across, len(heads))
    tones = {name: TONES.get(name, PALETTE[i % len(PALETTE)]) for i, name in enumerate(lines)}
    down = -(-count // across)
    figure = make_subplots(
        rows=down * len(columns), cols=across, shared_xaxes=True, horizontal_spacing=0.02, vertical_spacing=0.12 / down / len(columns) + 0.01
    )  # fmt: skip
    for i, head in enumerate(heads):
        for c, column in enumerate(columns):
            row, col = (i // across) * len(columns) + c + 1, i % across + 1
            for name, values in lines.items():
                thick = 3 if name == "original" else 1.6
                figure.add_trace(
                    go.Scatter(
                        y=values[i, :, c],
                        mode="lines",
                        name=name,
                        legendgroup=name,
                        showlegend=i == c == 0,
                        line={"color": tones[name], "width": thick},
                        hovertemplate=f"{plain(column.name)} %{{y:.5g}}, step %{{x}}",
                    ),
                    row=row,
                    col=col,
                )
            first = f"y{c * across + 1}" if c else "y"
            axis = {"matches": first, "showticklabels": col == 1, "nticks": 4, "zeroline": False}
            if col == 1:
                axis["title"] = {"text": plain(_short(column.name, 18)), "font": {"size": 11}}
            figure.update_yaxes(**axis, row=row, col=col)
            figure.update_xaxes(zeroline=False, nticks=4, row=row, col=col)
            if c == 0:
                figure.add_annotation(
                    text=plain(_short(head)), showarrow=False, xref="x domain", yref="y domain", x=0, y=1.0,
                    xanchor="left", yanchor="bottom", font={"size": 11}, row=row, col=col,
                )  # fmt: skip
    figure.update_layout(
        height=60 + 116 * down * len(columns),
        margin={"l": 8, "r": 8, "t": 44, "b": 8},
        paper_bgcolor="rgba(0,0,0,0)",
        plot_bgcolor="rgba(0,0,0,0)",
        legend={"orientation": "h", "yref": "container", "yanchor": "top", "y": 1.0, "x": 0},
    )
    return figure


def parity(originals: NDArray[np.floating[Any]], reconstructions: NDArray[np.floating[Any]], height: int = 320) -> Any:
    """Rows (N, F), standardised: what each value was and what it became. Where they are equal they lie on the line."""
    import plotly.graph_objects as go

    figure = _figure(height, hovermode="closest", showlegend=False)
    least, most = float(originals.min()) - 0.2, float(originals.max()) + 0.2
    figure.add_trace(
        go.Scatter(
            x=[least, most], y=[least, most], mode="lines", line={"color": UNKNOWN, "width": 1}, hoverinfo="skip"
        )
    )
    figure.add_trace(
        go.Scatter(
            x=originals.ravel(),
            y=reconstructions.ravel(),
            mode="markers",
            marker={"color": OURS, "size": 6, "opacity": 0.6},
            hovertemplate="was %{x:.2f}, became %{y:.2f}<extra></extra>",
        )
    )
    figure.update_xaxes(title="original [standard deviations]", zeroline=False)
    figure.update_yaxes(title="reconstruction", zeroline=False)
    return figure


def hourglass(blueprint: Blueprint, height: int = 300, labels: bool = True) -> Any:
    """The network as an hourglass: each step a bar as high as the logarithm of its numbers, joined by what lies between.
    labels: whether the shape of each step stands below it. Encoder, code and decoder are named above them."""
    import plotly.graph_objects as go

    steps = blueprint.steps()
    figure = _figure(height, hovermode="closest", showlegend=False)
    half = [0.12 + float(np.log10(max(int(np.prod(step.shape)), 1))) / 2 for step in steps]
    tones = {"encoder": OURS, "code": "#D81B60", "decoder": "#009E73"}
    for i, (left, right) in enumerate(pairwise(half)):
        part = "encoder" if steps[i + 1].part in ("encoder", "code") else "decoder"
        x, y = [i, i + 1, i + 1, i, i], [left, right, -right, -left, left]
        figure.add_trace(
            go.Scatter(
                x=x,
                y=y,
                fill="toself",
                mode="lines",
                line={"width": 0},
                fillcolor=tones[part],
                opacity=0.25,
                hoverinfo="skip",
            )
        )
    for i, (step, tall) in enumerate(zip(steps, half, strict=True)):
        shape = f"{' × '.join(map(str, step.shape))} = " if len(step.shape) > 1 else ""
        words = f"{step.layer}<br>{shape}{int(np.prod(step.shape)):,} numbers"
        if step.parameters:
            words += f"<br>computed with {step.parameters:,} learnt parameters"
        figure.add_trace(
            go.Scatter(
                x=[i] * 11,
                y=np.linspace(-tall, tall, 11),
                mode="lines",
                line={"width": 9, "color": tones[step.part]},
                hovertemplate=words + "<extra></extra>",
            )
        )
    most = max(half)
    middle = next(i for i, step in enumerate(steps) if step.part == "code")
    places = {"encoder": middle / 2, "code": middle, "decoder": (middle + len(steps) - 1) / 2}
    for part, at in places.items():
        name = {"showarrow": False, "xref": "x", "yref": "paper", "y": 1, "yanchor": "bottom"}
        figure.add_annotation(text=part, x=at, font={"color": tones[part], "size": 13}, **name)
    figure.update_layout(margin={"l": 8, "r": 8, "t": 26, "b": 8})
    figure.update_xaxes(
        tickvals=list(range(len(steps))),
        ticktext=["×".join(map(str, step.shape)) for step in steps],
        showticklabels=labels,
        showgrid=False,
        zeroline=False,
        range=[-0.4, len(steps) - 0.6],
        fixedrange=True,
    )
    figure.update_yaxes(visible=False, range=[-most * 1.05, most * 1.05], fixedrange=True)
    return figure

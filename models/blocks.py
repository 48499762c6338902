"""What of a run travels on a page that has no server: its files as blocks, deflated, made smaller where that costs little.

Codes and factors are in steps of a 65,535th of their range, other numbers of a 4,095th, the weights in 16, 8, 6 or 5 bits.
What that costs is measured. A person's own samples stay at home unless they say otherwise; those of a dataset that ships
travel where its licence allows it, some of them and as small pictures.
"""

from __future__ import annotations

import io
import json
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models import Problem, codes, datasets, density, graphs, kinds, onefile, shown, uploads
from models.analysis import metrics
from models.analysis.meanings import meanings
from models.runs import Run, colours, networks

BITS = (16, 8, 6, 5)
CODES = 10_000  # stored codes that travel, at most
TILES = 1_000  # small originals that travel, at most
MANY_TILES = 2_000  # of the smallest: all digits
TILES_BYTES = 500_000
SMALL = 16 * 16  # pixels of a small image
OPEN = (
    "CC0 1.0",
    "CC BY 4.0",
    "CC BY-SA 4.0",
    "MIT",
)  # licences under which samples may travel, with their attribution
STEPS, COARSE = 65_535, 1_023
FINE = ("codes.f32", "factors.f32")  # numbers that are decoded, or told: the others are only drawn
LOSS = 0.01  # of the test error: as few bits are taken as cost no more
FRAMES, REPLAYED = 10, 300  # epochs of the replay and codes in it, at most
MEASURED = 500  # test samples by which the loss of fewer bits is told


@dataclass(frozen=True)
class Made:
    """The blocks of a page, packed, and what they cost. bits: of each weight; lost: by how much the test error is larger
    than with the weights as they are stored, as a share of it; samples: how many originals; draw: whether the encoder is
    among them."""

    blocks: dict[str, bytes]
    bits: int
    lost: float
    samples: int
    draw: bool


def travels(run: Run) -> bool:
    """Whether samples of the run's dataset may travel without being asked for."""
    return not uploads.own(run.card.dataset.name) and run.card.dataset.licence in OPEN


def of(
    run: Run,
    *,
    bits: int | None = None,
    encoder: bool = True,
    samples: bool | None = None,
    order: NDArray[np.int64] | None = None,
    view: Mapping[str, str] | None = None,
) -> Made:
    """What a page holds of the run.

    bits: of each weight, for each output its own range; None takes the fewest that cost at most 1 % of the test error.
    encoder: whether one can draw. samples: whether some originals travel; None where the licence of a dataset that ships
    allows it, and never of what somebody brought. `Problem` where the weights are not those of an architecture that is
    known. order: the places of the codes that travel; None chooses them. view: how the page opens, as addresses of Explore
    say it; where that names no place, at a sample that the run draws well. With one's own samples go their ids, and the
    columns that the map can be coloured by.
    """
    if bits is not None and bits not in BITS:
        raise Problem(f"weights of {bits} bits were asked for", f"{', '.join(map(str, BITS))} are possible")
    chosen, decoder, lost = _smallest(run, (bits,) if bits else BITS[::-1])
    order = _chosen(run) if order is None else order
    wanted = travels(run) if samples is None else samples
    tiles = _tiles(run, order) if wanted else None
    values = _values(run, order) if wanted else None
    card = _card(run, order, None if tiles is None else tiles[1]["count"])
    floats = {"codes.f32": run.codes[order], "errors.f32": run.errors[order, None]}
    if run.card.dataset.factors:
        floats["factors.f32"] = run.factors[order]
    out = {"decoder.safetensors": decoder, "labels.i32": run.labels[order].astype("<i4").tobytes()}
    draw = encoder and kinds.get(run.kind).pixels  # one draws images
    if draw:
        # What fewer bits cost is measured with stored codes, in which the encoder has no part: it keeps six.
        out["encoder.safetensors"] = weights(run, "encoder", max(6, chosen))
    _places(run, order, card, floats, out)
    if not kinds.get(run.kind).pixels:
        out["columns.json"] = json.dumps(run.stored_columns).encode()
        card["files"]["columns.json"] = {}
    # Of one's own tables what a dimension stands for is measured on the samples, which do not travel.
    told = meanings(run) if run.card.dataset.factors else []
    facts: dict[str, Any] = {"stepped": {}, "meanings": told, **_plane(run), "palette": shown.palette(run)}
    middle = {} if view and "z" in view else {"z": _written(shown.crisp(run)), "free": "yes"}
    facts["view"] = {**middle, **(view or {})}
    for name, columns in floats.items():
        out[name], facts["stepped"][name] = _stepped(columns, STEPS if name in FINE else COARSE)
    if tiles is not None:
        facts["tiles"] = tiles[1]
    out[density.FILE] = run.density.packed()
    out |= {"page.json": json.dumps(facts).encode(), "run.json": json.dumps(card, allow_nan=False).encode()}
    files = {name: onefile.packed(content) for name, content in out.items()}
    if tiles is not None:
        files["thumbnails.webp"] = tiles[0]
    if values is not None:
        files["samples.f32.gz"] = onefile.packed(values.tobytes())
    count = facts["tiles"]["count"] if tiles is not None else len(values) if values is not None else 0
    if count:
        files |= _beside(run, order, count)
    return Made(files, chosen, lost, count, draw)


def codes_at(run: Run, x: NDArray[np.float64], y: NDArray[np.float64]) -> NDArray[np.float32]:
    """The codes (N, D) at places (N,) of the map, both from 0 to 1 and upwards: of the two numbers, else on the main plane.
    The browser does the same (site/live.ts)."""
    plane = _plane(run).get("plane")
    if plane is None or run.pca is None:
        low, high = np.array(run.card.codes.low), np.array(run.card.codes.high)
        shares = np.stack([x, y], 1)[:, : run.code_size]
        return np.asarray(low + (high - low) * shares, np.float32)
    low, high = np.array(plane["low"]), np.array(plane["high"])
    return np.asarray(run.pca.mean + (low + (high - low) * np.stack([x, y], 1)) @ run.pca.components, np.float32)


def _plane(run: Run) -> dict[str, Any]:
    """Where the codes lie along the two directions of the main plane: 98 of 100; nothing with one or two numbers."""
    if run.pca is None or run.code_size < 3:
        return {}
    low, high = np.percentile(run.pca.project(run.codes), [1, 99], axis=0)
    return {"plane": {"low": low.tolist(), "high": high.tolist()}}


# What travels


def alike(runs: Sequence[Run]) -> list[NDArray[np.int64]]:
    """For each run the places of the codes that travel on one page: of the same samples, in the same order. `Problem`
    where the runs have no sample in common."""
    rows = _common(runs)
    if not len(rows):
        raise Problem("these runs have no sample in common", do="compare runs of the same dataset")
    return [_places_of(run, rows) for run in runs]


def _common(runs: Sequence[Run]) -> NDArray[np.int32]:
    """Rows of the dataset that all runs have codes of: those that replay and t-SNE show, and others, in an order without a
    meaning."""
    common = runs[0].rows
    for run in runs[1:]:
        common = np.intersect1d(common, run.rows)
    drawn = [run.rows[_drawn(run)] for run in runs]
    needed = [rows[np.isin(rows, common)][: CODES // (2 * len(runs))] for rows in drawn]
    return _some([*needed, common])


def _places_of(run: Run, rows: NDArray[np.int32]) -> NDArray[np.int64]:
    """Where the codes of these rows of the dataset are among the run's."""
    order = np.argsort(run.rows)
    return order[np.searchsorted(run.rows, rows, sorter=order)].astype(np.int64)


def _chosen(run: Run) -> NDArray[np.int64]:
    """The places of the codes that travel: those of replay and t-SNE, and others, in an order without a meaning, since the
    first of them have their original with them."""
    return _some([_drawn(run), np.arange(run.count)]).astype(np.int64)


def _drawn(run: Run) -> NDArray[np.int32]:
    """The places of the codes that replay and t-SNE show."""
    replayed = np.fromfile(run.folder / "replay" / "index.i32", "<i4")[:REPLAYED]
    return replayed if run.tsne is None else np.concatenate([replayed, run.tsne[1][:CODES]])


def _some(lists: Sequence[NDArray[Any]]) -> NDArray[Any]:
    """At most `CODES` of these numbers, none twice, in any order: all of the first lists before some of the last one."""
    dice = np.random.default_rng(0)
    every = np.concatenate([*lists[:-1], dice.permutation(lists[-1])])
    _, first = np.unique(every, return_index=True)
    return dice.permutation(every[np.sort(first)][:CODES])


def _smallest(run: Run, tried: Sequence[int]) -> tuple[int, bytes, float]:
    """The first of these bits that costs at most `LOSS`, else the last: with the decoder's weights and what they cost.

    That is by how much the mean squared error grows on test samples or, where these are not at hand, the difference that
    fewer bits make themselves; each as a share of the test error.
    """
    test = np.flatnonzero(run.splits == datasets.TEST)[:MEASURED]
    stored = _samples(run, test) if len(test) else None
    some = run.codes[test] if stored is not None else run.codes[:MEASURED]
    ours = run.coder.decode(some)
    truth = ours if stored is None else codes.to_float(stored)
    before = float(metrics.squared_errors(truth, ours).mean())
    whole = before if stored is not None else run.metric("mse") or 0.0
    for bits in tried:
        decoder = weights(run, "decoder", bits)
        after = float(metrics.squared_errors(truth, decoded(run, decoder, some)).mean())
        lost = (after - before) / max(whole, 1e-12)
        if lost <= LOSS:
            break
    return bits, decoder, lost


def weights(run: Run, part: str, bits: int) -> bytes:
    """The weights of a part as safetensors: 16 bits as float16, fewer as whole numbers times a scale for each output."""
    from safetensors.numpy import load, save

    out: dict[str, NDArray[Any]] = {}
    for name, value in load(networks.weights(run.folder, part)).items():
        wide = value.astype(np.float32)
        if bits == 16 or wide.ndim < 2:  # biases and the like are few
            out[name] = wide.astype(np.float16)
            continue
        most = 2 ** (bits - 1) - 1
        flat = wide.reshape(len(wide), -1)
        scale = np.abs(flat).max(1) / most
        steps = np.divide(flat, scale[:, None], out=np.zeros_like(flat), where=scale[:, None] > 0)
        out[name] = np.rint(steps).astype(np.int8).reshape(wide.shape)
        out[f"{name}.scale"] = scale.astype(np.float32)
    return save(out)


def _widened(content: bytes) -> dict[str, NDArray[np.float32]]:
    """The weights as the page has them."""
    from safetensors.numpy import load

    stored = load(content)
    out = {}
    for name, value in stored.items():
        if name.endswith(".scale"):
            continue
        scale = stored.get(f"{name}.scale")
        wide = value.astype(np.float32)
        out[name] = wide if scale is None else wide * scale.reshape(-1, *[1] * (wide.ndim - 1))
    return out


def _stepped(values: NDArray[np.float32], most: int) -> tuple[bytes, dict[str, Any]]:
    """Numbers (M, K) as whole numbers from 0 to `most` of the range of their column, one column after the other; and the
    ranges."""
    finite = np.where(np.isfinite(values), values, 0).astype(np.float64)
    low, high = finite.min(0), finite.max(0)
    width = np.where(high > low, high - low, 1)
    steps = np.rint((finite - low) / width * most).astype("<u2")
    return steps.T.tobytes(), {"low": low.tolist(), "high": high.tolist(), "most": most}


def _tiles(run: Run, order: NDArray[np.int64]) -> tuple[bytes, dict[str, Any]] | None:
    """The originals of the first codes side by side in one WebP image, as many as fit; None of samples that are no images or
    are not at hand."""
    from PIL import Image

    small = run.card.thumbnails is not None and prod(run.shape[:2]) <= SMALL
    count = min(MANY_TILES if small else TILES, len(order))
    images = _samples(run, order[:count]) if run.card.thumbnails is not None else None
    if images is None:
        return None
    height, width, channels = images.shape[1:]
    while True:
        columns = max(1, min(count, 16_000 // width, int(np.ceil(np.sqrt(count * height / width)))))
        lines = -(-count // columns)
        sheet = np.zeros((lines, columns, height, width, channels), np.uint8)
        sheet.reshape(-1, height, width, channels)[:count] = images[:count]
        pixels = sheet.transpose(0, 2, 1, 3, 4).reshape(lines * height, columns * width, channels)
        picture = Image.fromarray(pixels[..., 0] if channels == 1 else pixels)
        made = []
        # Without loss only where images are small: there it is smaller, elsewhere larger and slow.
        for how in ({"quality": 60}, {"lossless": True})[: 2 if height * width <= SMALL else 1]:
            out = io.BytesIO()
            picture.save(out, "WEBP", method=6, **how)
            made.append(out.getvalue())
        smaller = min(made, key=len)
        if len(smaller) <= TILES_BYTES or count <= 50:
            return smaller, {"count": count, "columns": columns, "shape": [height, width, channels]}
        count //= 2


def _values(run: Run, order: NDArray[np.int64]) -> NDArray[np.float32] | None:
    """The signals or rows of the first codes, standardised, NaN where a value was missing; None of images, and of samples
    that are not at hand."""
    if kinds.get(run.kind).pixels:
        return None
    try:
        return datasets.originals_at(run.dataset, run.rows[order[:TILES]].astype(np.int64)).astype("<f4")
    except Problem:  # deleted since
        return None


def _beside(run: Run, order: NDArray[np.int64], count: int) -> dict[str, bytes]:
    """What the first so many codes can be coloured by, and what somebody's own samples are called, as the app is served
    both; of the other codes nothing."""
    own = uploads.own(run.card.dataset.name)
    if kinds.get(run.kind).pixels and not own:
        return {}
    told = [one.told | {"known": count} for one in colours.columns(run)]
    out = {"colours.json": onefile.packed(json.dumps(told).encode())}
    for place in range(len(told)):
        some = np.full(len(order), np.nan)
        some[:count] = colours.values(run, place)[order[:count]]
        out[colours.file_of(place)] = onefile.packed(some.astype("<f8").tobytes())
    called = colours.called(run) if own else None
    if called is not None:
        few = [called[place] if at < count else "" for at, place in enumerate(order.tolist())]
        out["names.json"] = onefile.packed(json.dumps(few).encode())
    return out


def _written(code: Sequence[float]) -> str:
    """A code as addresses have it."""
    return ",".join(f"{value:.5g}" for value in code)


def _samples(run: Run, places: NDArray[np.int64]) -> NDArray[Any] | None:
    """The samples of the codes at these places as they are stored; None where they are not at hand."""
    try:
        return (
            None
            if datasets.missing(run.dataset)
            else datasets.samples_at(run.dataset, run.rows[places].astype(np.int64))
        )
    except Problem:  # deleted since
        return None


def _places(
    run: Run,
    order: NDArray[np.int64],
    card: dict[str, Any],
    floats: dict[str, NDArray[np.float32]],
    blocks: dict[str, bytes],
) -> None:
    """Add replay, t-SNE and UMAP, with the places that their codes have on this page."""
    place = np.full(run.count, -1, np.int32)
    place[order] = np.arange(len(order))
    replayed = np.fromfile(run.folder / "replay" / "index.i32", "<i4")
    epochs = card["replay"]["epochs"]
    frames = np.fromfile(run.folder / "replay" / "codes.f32", "<f4").reshape(len(epochs), len(replayed), run.code_size)
    shown = np.unique(np.linspace(0, len(epochs) - 1, min(FRAMES, len(epochs))).round().astype(int))
    some = np.flatnonzero(place[replayed] >= 0)[:REPLAYED]
    if len(shown) and len(some):
        floats["replay/codes.f32"] = frames[shown][:, some].reshape(-1, run.code_size)
        blocks["replay/index.i32"] = place[replayed[some]].astype("<i4").tobytes()
        card["replay"] = {"count": len(some), "epochs": [epochs[i] for i in shown]}
    if run.tsne is not None:
        xy, index = run.tsne
        here = place[index] >= 0
        floats["projections/tsne.f32"] = xy[here]
        blocks["projections/tsne-index.i32"] = place[index[here]].astype("<i4").tobytes()
        card["projections"]["tsne"]["count"] = int(here.sum())
        if run.umap is not None:
            floats["projections/umap.f32"] = run.umap[here]
            card["files"]["projections/umap.f32"] = {}  # that it is there is all that is asked


def _card(run: Run, order: NDArray[np.int64], tiles: int | None) -> dict[str, Any]:
    """run.json as far as the explorer reads it, of the codes that travel."""
    stored = run.stored_card()
    kept = ("format", "id", "dataset", "architecture", "codes", "projections", "replay")
    card: dict[str, Any] = json.loads(json.dumps({name: stored[name] for name in kept}))
    card["dataset"].pop("columns", None)
    card["architecture"]["layers"] = json.loads(networks.layers(run))
    card["codes"]["count"] = len(order)
    card["thumbnails"] = None if tiles is None else {"shape": list(run.shape), "count": tiles}
    card["files"] = {}
    return card


def decoded(run: Run, decoder: bytes, some: NDArray[np.float32]) -> NDArray[np.float32]:
    """What a decoder with these weights makes of codes."""
    from safetensors.numpy import load, save_file

    blueprint = networks.blueprint(run)
    if blueprint is None:
        raise Problem(
            f"the weights of this run are not those of the architecture “{run.configuration.architecture}” as it is here",
            do="train it again with this version, or make the page with the version that trained it",
        )
    encoder = load(networks.weights(run.folder, "encoder"))  # graphs are written of both
    with tempfile.TemporaryDirectory(prefix="hourglass-") as name:
        weights = Path(name) / "weights.safetensors"
        save_file({key: value.astype(np.float32) for key, value in encoder.items()} | _widened(decoder), weights)
        for graph, content in graphs.graphs(blueprint, weights).items():
            (Path(name) / graph).write_bytes(content)
        return codes.Coder(Path(name)).decode(some)

"""The browser's own networks beside onnxruntime in Python: every architecture and every run that ships, both parts."""

import base64
import gzip
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import ROOT
from numpy.typing import NDArray
from playwright.sync_api import Page
from safetensors.numpy import load_file, save_file
from test_explorer_browser import empty
from test_kinds import asked

from components.explorer import assets
from models import architectures, codes, datasets, graphs, runs
from models.architectures import Blueprint
from models.codes import Coder
from models.layers import (
    Activation,
    ChannelsFirst,
    ChannelsLast,
    Convolution,
    Dense,
    EachStep,
    Flatten,
    GroupNorm,
    Layer,
    LayerNorm,
    MaxPool,
    Patches,
    PixelShuffle,
    Recurrent,
    Repeat,
    Reshape,
    Sum,
    Unpatch,
    Upsample,
)
from models.runs import networks

Floats = NDArray[np.float32]
SHIPPED = sorted(path.name for path in (ROOT / "pretrained").iterdir() if path.is_dir())
# Sizes that are no multiples of four or eight, and images that are not square.
SHAPES = {"image": [(8, 8, 1), (13, 10, 3)], "signal": [(17, 1), (20, 3), (59, 2)], "table": [(7,), (30,)]}
ASK = """async ([module, parts, values, count, simd]) => {
    const bytes = (text) => Uint8Array.from(atob(text), (one) => one.charCodeAt(0));
    window.worker ??= new Worker(module, {type: "module"});
    const answer = new Promise((done) => { worker.onmessage = ({data}) => done(data); });
    if (parts) worker.postMessage({...parts, simd, bytes: bytes(parts.bytes)});
    worker.postMessage({id: 1, values: new Float32Array(bytes(values).buffer), count});
    const {values: out, failed} = await answer;
    if (failed) throw new Error(failed);
    let text = "";
    for (const one of new Uint8Array(out.buffer)) text += String.fromCharCode(one);
    return btoa(text);
}"""


@pytest.fixture
def computed(app: str, page: Page) -> Callable[..., Floats]:
    """What a network gives in a worker of a real browser."""
    empty(page, app)

    def computed(folder: Path, blueprint: Blueprint, part: str, values: Floats, simd: bool = True) -> Floats:
        shape = blueprint.shape if part == "encoder" else (blueprint.code_size,)
        parts: dict[str, Any] = {"layers": blueprint.listed()[part], "name": part, "shape": list(shape)}
        parts["bytes"] = base64.b64encode(networks.weights(folder, part)).decode()
        given = base64.b64encode(np.ascontiguousarray(values, "<f4").tobytes()).decode()
        module = f"/explorer/{assets.digest()}/worker.js"
        out = page.evaluate(ASK, [module, parts, given, len(values), simd])
        return np.frombuffer(base64.b64decode(out), "<f4").reshape(len(values), -1)

    return computed


def weighed(folder: Path, blueprint: Blueprint, seed: int = 0) -> Coder:
    """A network of this blueprint with random weights of which none is what it is by default."""
    dice = np.random.default_rng(seed)

    def drawn(name: str, shape: tuple[int, ...]) -> Floats:
        values = dice.normal(size=shape) / max(1.0, float(np.prod(shape[1:]))) ** 0.5
        return (values + (len(shape) == 1 and name.endswith("weight"))).astype(np.float32)

    folder.mkdir(exist_ok=True)
    save_file({name: drawn(name, shape) for name, shape in blueprint.weights.items()}, folder / "weights.safetensors")
    for name, graph in graphs.graphs(blueprint, folder / "weights.safetensors").items():
        (folder / name).write_bytes(graph)
    return Coder(folder)


def close(seen: Floats, expected: Floats) -> None:
    """Within 1e-5 of the largest number: float32, and sums in another order."""
    flat = expected.reshape(len(expected), -1)
    seen = seen[:, : flat.shape[1]]  # of a variational encoder the means
    assert np.isfinite(seen).all()
    np.testing.assert_allclose(seen, flat, rtol=0, atol=1e-5 * max(1.0, float(np.abs(flat).max())))


@pytest.mark.parametrize("simd", [True, False], ids=["simd", "javascript"])
@pytest.mark.parametrize("name", architectures.available())
def test_every_architecture_is_computed_as_in_python(
    name: str, simd: bool, tmp_path: Path, computed: Callable[..., Floats]
) -> None:
    architecture, dice = architectures.get(name), np.random.default_rng(1)
    for kind in architecture.kinds:
        for at, shape in enumerate(SHAPES[kind]):
            blueprint = architecture.blueprint(kind, shape, 3)
            coder = weighed(tmp_path / f"{kind}-{at}", blueprint)
            many = 66 if simd else 3  # more than are computed together
            samples = dice.random((many, *shape), dtype=np.float32)
            given = dice.normal(size=(many, 3)).astype(np.float32)
            close(computed(coder.folder, blueprint, "decoder", given, simd), coder.decode(given))
            close(computed(coder.folder, blueprint, "encoder", samples, simd), coder.encode(samples))


@pytest.mark.parametrize("name", SHIPPED)
def test_every_run_that_ships_is_computed_as_in_python(name: str, computed: Callable[..., Floats]) -> None:
    run = runs.open_run(runs.folder_of(name))
    chosen = run.configuration
    blueprint = architectures.get(chosen.architecture).blueprint(run.kind, run.shape, chosen.code_size)
    assert json.loads(networks.layers(run)) == blueprint.listed() == run.stored_card()["architecture"]["layers"]
    some = run.codes[:: max(1, run.count // 50)]
    close(computed(run.folder, blueprint, "decoder", some), run.coder.decode(some))
    if not datasets.missing(run.dataset):
        samples = datasets.samples_at(run.dataset, run.rows[:: max(1, run.count // 50)].astype(np.int64))
        seen = codes.to_float(samples)
        close(computed(run.folder, blueprint, "encoder", seen), run.coder.encode(seen))


# Every layer in places where the architectures do not have it.
ODD: dict[str, tuple[tuple[int, ...], tuple[Layer, ...]]] = {
    "strided": ((9, 7, 2), (ChannelsFirst(), Convolution(5, 4, 2), Activation("relu"), Convolution(3, 3, 3), Flatten())),
    "unequal zeros": ((6, 5, 1), (ChannelsFirst(4), Convolution(9, 2), Activation("gelu"), Convolution(2, 5), Flatten())),
    "groups": ((8, 6, 3), (ChannelsFirst(), Convolution(12, 3), GroupNorm(3), Activation("gelu"), Convolution(1), Flatten())),
    "pooled": ((9, 11, 2), (ChannelsFirst(), MaxPool(), Convolution(3), Upsample(), GroupNorm(1), ChannelsLast(7, 9), Flatten())),
    "shuffled": ((5, 4, 3), (ChannelsFirst(), Convolution(27, 1), PixelShuffle(3), Convolution(2), ChannelsLast(15, 12), Flatten())),
    "sums": ((11,), (Sum(((Dense(6),), (Dense(9), Activation("gelu"), LayerNorm(), Dense(6)))), Activation("sigmoid"))),
    "sum with itself": ((7,), (Sum(((), (Activation("relu"),), (LayerNorm(),))), Dense(3))),
    "sums of images": (
        (6, 6, 2),
        (ChannelsFirst(), Sum(((Convolution(4, 1),), (Convolution(5), GroupNorm(5), Activation("relu"), Convolution(4)))), Flatten()),
    ),
    "steps": ((13, 3), (EachStep(5), LayerNorm(), Activation("gelu"), Recurrent("gru", 7, every=True), Recurrent("lstm", 5))),
    "repeated": ((4,), (Repeat(6), Recurrent("lstm", 6, every=True), EachStep(3), Flatten(), Dense(5))),
    "patches": ((13, 3), (Patches(4), EachStep(8), Activation("gelu"), Unpatch(15), Recurrent("gru", 5, every=True), Patches(5), Flatten())),
    "sum of patches": ((13, 2), (Patches(4), Sum(((Unpatch(13),), (EachStep(8), Unpatch(13)))), Activation("relu"), Flatten())),
    "reshaped": ((12,), (Dense(24), Reshape((2, 3, 4)), Convolution(3), Flatten(), Reshape((6, 6)), EachStep(2), Flatten())),
}  # fmt: skip


@pytest.mark.parametrize("simd", [True, False], ids=["simd", "javascript"])
@pytest.mark.parametrize("name", ODD)
def test_every_layer_is_computed_in_any_place(
    name: str, simd: bool, tmp_path: Path, computed: Callable[..., Floats]
) -> None:
    shape, layers = ODD[name]
    size = architectures.shape_after(layers, shape)[0]
    blueprint = Blueprint(shape, size, layers, (Dense(2),), variational=False)
    coder = weighed(tmp_path, blueprint)
    values = np.random.default_rng(2).normal(size=(5, *shape)).astype(np.float32)
    close(computed(tmp_path, blueprint, "encoder", values, simd), coder.encode(values))


def test_half_precision_weights_are_read_as_they_are(tmp_path: Path, computed: Callable[..., Floats]) -> None:
    """Also the smallest ones, which have no leading one, and signed zeros."""
    blueprint = Blueprint((3,), 3, (Dense(3),), (Dense(3),), variational=False)
    values = np.array([[6e-8, -6e-5, 1.0], [65504, -0.0, 2.0**-14], [1 / 3, 2.0**-24, -1e-7]], np.float16)
    weights = {f"{part}.0.weight": values for part in ("encoder", "decoder")}
    save_file(
        weights | {f"{part}.0.bias": np.zeros(3, np.float16) for part in ("encoder", "decoder")},
        tmp_path / "weights.safetensors",
    )
    seen = computed(tmp_path, blueprint, "encoder", np.eye(3, dtype=np.float32))
    np.testing.assert_array_equal(seen[:, :3], values.astype(np.float32).T)


def test_a_part_of_the_weights_is_a_file_of_its_own(tmp_path: Path) -> None:
    run = runs.open_run(runs.folder_of("digits-variational"))
    whole = load_file(run.folder / "weights.safetensors")
    for part in networks.PARTS:
        (tmp_path / part).write_bytes(networks.weights(run.folder, part))
        own = load_file(tmp_path / part)
        assert set(own) == {name for name in whole if name.startswith(part)}
        for name, value in own.items():
            np.testing.assert_array_equal(value, whole[name])
            assert value.dtype == whole[name].dtype


def test_a_run_from_before_its_layers_were_kept_has_those_of_its_architecture(
    copied: Callable[[runs.Run], Path],
) -> None:
    run = runs.open_run(runs.folder_of("digits-variational"))
    folder = copied(run)
    stored = json.loads((folder / "run.json").read_text())
    kept = stored["architecture"].pop("layers")
    (folder / "run.json").write_text(json.dumps(stored))
    assert json.loads(networks.layers(runs.open_run(folder))) == kept


def test_what_the_browser_computes_with_is_served() -> None:
    run = runs.open_run(runs.folder_of("digits-variational"))
    answer = asked(run, "layers.json")
    assert answer.status_code == 200 and json.loads(bytes(answer.body)) == json.loads(networks.layers(run))
    for part in networks.PARTS:
        answer = asked(run, f"{part}.safetensors")
        assert gzip.decompress(bytes(answer.body)) == networks.weights(run.folder, part)
        assert "immutable" in answer.headers["cache-control"]
    assert asked(run, "optimizer.safetensors").status_code == 404

"""One contract for every architecture found, and what the article says of its three."""

import copy
import warnings
from collections.abc import Iterator
from functools import cache
from math import prod
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from safetensors.numpy import load_file, save_file
from torch.utils.flop_counter import FlopCounterMode

from models import Problem, architectures, graphs
from models.analysis import metrics
from models.architectures import MAX_CODE_SIZE, Architecture, Blueprint
from models.architectures.lstm import STEPS
from models.codes import Coder
from models.layers import Activation, Convolution, Dense, Layer, Upsample, sequence, with_shapes
from models.training import Network, initialise
from models.training.network import drawn_from

# kind, shape, code size. 7x13: swapped axes cannot hide. Above and below D = 8 and 40 pixels a family may change its form.
SAMPLES = (
    ("image", (28, 28, 1), 2),
    ("image", (44, 42, 3), 9),
    ("image", (7, 13, 2), 1),
    ("image", (7, 13, 2), 9),
    ("image", (8, 8, 1), 2),
    ("table", (11,), 3),
    ("signal", (20, 3), 9),
    (
        "signal",
        (59, 2),
        2,
    ),  # more steps than a recurrent layer takes one by one, and no multiple of what it takes at once
)
ALL = architectures.available()


def blueprints() -> list[object]:
    """Every architecture with every kind of sample it takes."""
    return [
        pytest.param(architecture, kind, shape, size, id=f"{name}-{kind}-{'x'.join(map(str, shape))}-{size}")
        for name, architecture in ALL.items()
        for kind, shape, size in SAMPLES
        if kind in architecture.kinds
    ]


each = pytest.mark.parametrize(("architecture", "kind", "shape", "size"), blueprints())


def samples(kind: str, shape: tuple[int, ...], count: int = 5) -> np.ndarray:
    """What a model sees: images in [0, 1], all else around zero."""
    source = np.random.default_rng(0)
    if kind == "image":
        return source.random((count, *shape), np.float32)
    return source.standard_normal((count, *shape), np.float32)


def network(blueprint: Blueprint, seed: int = 0) -> Network:
    """A new network with weights of every kind away from 0 and 1, so that a mixed-up one shows."""
    return copy.deepcopy(_network(blueprint, seed)) if seed == 0 else _network.__wrapped__(blueprint, seed)


@cache
def _network(blueprint: Blueprint, seed: int) -> Network:
    torch.manual_seed(seed)
    built = blueprint.build()
    made = Network(built.encoder.eval(), built.decoder.eval(), blueprint.variational, torch.device("cpu"))
    with torch.no_grad():
        for value in made.weights().values():
            value.add_(0.05 * torch.randn_like(value))
    return made


@pytest.fixture(scope="module", autouse=True)
def forgotten() -> Iterator[None]:
    """Three hundred megabytes."""
    yield
    _network.cache_clear()


@torch.no_grad()
def passed_through(made: Network, given: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    code = made.encode(torch.from_numpy(given))[0]
    return code.numpy(), made.decoder(code).numpy()


def saved(made: Network, folder: Path, kind: type = np.float32) -> Path:
    path = folder / "weights.safetensors"
    save_file({name: value.numpy().astype(kind) for name, value in made.weights().items()}, path)
    return path


def write_graphs(blueprint: Blueprint, folder: Path) -> None:
    for name, graph in graphs.graphs(blueprint, folder / "weights.safetensors").items():
        (folder / name).write_bytes(graph)


def test_the_folder_holds_the_promised_ones() -> None:
    promised = {"single-layer", "multi-layer", "convolutional", "deep", "modern", "variational"}
    assert promised | {"convolutional-variational"} <= set(ALL)
    for name, architecture in ALL.items():
        assert architecture.name == name and architecture.title and architecture.summary and architecture.paper


@each
def test_the_blueprint_says_what_torch_holds(
    architecture: Architecture, kind: str, shape: tuple[int, ...], size: int
) -> None:
    blueprint = architecture.blueprint(kind, shape, size)
    held = {name: tuple(value.shape) for name, value in network(blueprint).weights().items()}
    assert blueprint.weights == held
    built = blueprint.build()
    trained = sum(p.numel() for part in (built.encoder, built.decoder) for p in part.parameters())
    assert blueprint.parameters == trained


@each
def test_samples_become_codes_and_samples_again(
    architecture: Architecture, kind: str, shape: tuple[int, ...], size: int
) -> None:
    blueprint = architecture.blueprint(kind, shape, size)
    code, out = passed_through(network(blueprint), samples(kind, shape))
    assert code.shape == (5, size)
    assert out.shape == (5, *shape)  # a wide image stays wide
    assert np.isfinite(out).all() and out.std() > 0
    if kind == "image":
        assert out.min() >= 0 and out.max() <= 1
    else:
        assert out.min() < 0  # standardised values are not squeezed


@each
def test_an_image_is_not_read_or_painted_lying_on_its_side(
    architecture: Architecture, kind: str, shape: tuple[int, ...], size: int
) -> None:
    """Every input value reaches the code and every output value depends on it: none is padding, cut or repeated."""
    blueprint = architecture.blueprint(kind, shape, size)
    made = network(blueprint)
    given = torch.from_numpy(samples(kind, shape, 3)).requires_grad_()
    made.encoder(given).square().sum().backward()
    reached = given.grad.abs().sum(0).numpy() > 0
    # a max-pool passes one of four on and a ReLU may be asleep, so a few values may not count for three samples
    assert reached.mean() > 0.9
    with torch.no_grad():
        moved = made.decoder(torch.randn(64, size)).std(0).numpy() > 0
    assert moved.mean() > 0.9


@pytest.mark.parametrize("number", [np.float32, np.float16])
@each
def test_onnx_computes_what_torch_computes(
    architecture: Architecture, kind: str, shape: tuple[int, ...], size: int, number: type, tmp_path: Path
) -> None:
    blueprint = architecture.blueprint(kind, shape, size)
    made = network(blueprint)
    stored = load_file(saved(made, tmp_path, number))
    made.load({name: torch.from_numpy(value.astype(np.float32)) for name, value in stored.items()})
    write_graphs(blueprint, tmp_path)
    given = samples(kind, shape)
    code, out = passed_through(made, given)
    coder = Coder(tmp_path)
    np.testing.assert_allclose(coder.encode(given), code, atol=1e-4, rtol=1e-4)
    np.testing.assert_allclose(coder.decode(code), out, atol=1e-4, rtol=1e-4)
    assert coder.encode(given[:0]).shape == (0, size) and coder.decode(code[:1]).shape == (1, *shape)
    if blueprint.variational:
        with torch.no_grad():
            spread = made.encode(torch.from_numpy(given))[1].numpy()
        np.testing.assert_allclose(coder.encode_distribution(given)[1], spread, atol=1e-4, rtol=1e-4)


def program(blueprint: Blueprint, folder: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """The names that its program in PyTorch defines when it is run in the folder that holds its weights."""
    monkeypatch.chdir(folder)
    names: dict[str, Any] = {}
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        exec(blueprint.pytorch(), names)
    return names


@each
def test_the_program_makes_the_very_model(
    architecture: Architecture,
    kind: str,
    shape: tuple[int, ...],
    size: int,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What a page shows as PyTorch takes the saved weights by their names and computes what ours computes."""
    blueprint = architecture.blueprint(kind, shape, size)
    made = network(blueprint)
    saved(made, tmp_path)
    names = program(blueprint, tmp_path, monkeypatch)
    weights = names["model"].state_dict()
    assert {name: tuple(value.shape) for name, value in weights.items()} == blueprint.weights
    given = torch.from_numpy(samples(kind, shape))
    with torch.no_grad():
        inner, theirs = made.encoder(given), names["encoder"](given)
        code = made.encode(given)[0]
        torch.testing.assert_close(theirs, inner, atol=1e-6, rtol=1e-6)
        torch.testing.assert_close(names["decoder"](code), made.decoder(code), atol=1e-6, rtol=1e-6)
        torch.manual_seed(1)
        whole = names["reconstruct"](given)
        torch.manual_seed(1)
        drawn = drawn_from(*made.encode(given)) if blueprint.variational else code
        torch.testing.assert_close(whole, made.decode(drawn), atol=1e-5, rtol=1e-5)
    assert max(map(len, blueprint.pytorch().splitlines())) <= 100


@pytest.mark.parametrize(("name", "lines"), [("single-layer", 12), ("multi-layer", 15), ("variational", 22)])
def test_the_program_of_a_simple_network_is_short(name: str, lines: int) -> None:
    text = ALL[name].blueprint("image", (28, 28, 1), 2).pytorch()
    assert len([line for line in text.splitlines() if line]) <= lines
    assert "class" not in text and "functional" not in text


def test_the_program_says_layers_as_one_writes_them() -> None:
    text = ALL["multi-layer"].blueprint("image", (8, 8, 1), 2).pytorch("my-weights.safetensors")
    assert "    nn.Flatten(), nn.Linear(64, 196), nn.ReLU(),\n    nn.Linear(196, 2), nn.Sigmoid(),\n" in text
    assert 'load_file("my-weights.safetensors")' in text and "images (B, 8, 8, 1), values from 0 to 1" in text
    assert "rows (B, 11), standardised" in ALL["modern"].blueprint("table", (11,), 3).pytorch()


@pytest.mark.parametrize("kernel", [1, 2, 3, 4, 5])
@pytest.mark.parametrize("stride", [1, 2, 3, 4])
def test_a_convolution_of_the_program_pads_as_ours(kernel: int, stride: int) -> None:
    """On sides that are no multiple of the stride and differ, so that no side's padding can stand for another's."""
    layer, shape = Convolution(4, kernel, stride), (3, 9, 14)
    ours = layer.module(shape)
    names: dict[str, Any] = {"nn": torch.nn, "F": torch.nn.functional}
    for text in layer.definitions(shape):
        exec(text, names)
    theirs = eval(layer.pytorch(shape), names)
    theirs.load_state_dict(ours.state_dict())
    x = torch.randn((2, *shape), generator=torch.Generator().manual_seed(0))
    assert ours(x).shape[1:] == layer.output(shape)
    torch.testing.assert_close(theirs(x), ours(x), atol=1e-6, rtol=1e-6)


@pytest.mark.parametrize("name", ALL)
def test_every_layer_has_words(name: str) -> None:
    """Those of a page, and not the name of a class."""
    for kind, shape, size in SAMPLES:
        if kind in ALL[name].kinds:
            blueprint = ALL[name].blueprint(kind, shape, size)
            for layers, entering in ((blueprint.encoder, shape), (blueprint.decoder, (size,))):
                for layer, at in with_shapes(layers, entering):
                    assert type(layer).words is not Layer.words and layer.words(at)


@each
def test_standalone_graphs_are_sound_and_need_nothing_beside_them(
    architecture: Architecture, kind: str, shape: tuple[int, ...], size: int, tmp_path: Path
) -> None:
    blueprint = architecture.blueprint(kind, shape, size)
    made = network(blueprint)
    saved(made, tmp_path)
    write_graphs(blueprint, tmp_path)
    code, out = passed_through(made, samples(kind, shape))
    whole = graphs.standalone(tmp_path / "decoder.onnx")
    onnx.checker.check_model(onnx.load_model_from_string(whole), full_check=True)
    onnx.checker.check_model(onnx.load_model_from_string(graphs.standalone(tmp_path / "encoder.onnx")), full_check=True)
    session = onnxruntime.InferenceSession(whole, providers=["CPUExecutionProvider"])
    np.testing.assert_allclose(session.run(["sample"], {"code": code})[0], out, atol=1e-4)


@each
def test_saving_and_loading_changes_nothing(
    architecture: Architecture, kind: str, shape: tuple[int, ...], size: int, tmp_path: Path
) -> None:
    blueprint = architecture.blueprint(kind, shape, size)
    made, other = network(blueprint), network(blueprint, seed=1)
    given = samples(kind, shape)
    before = passed_through(made, given)
    assert not np.array_equal(passed_through(other, given)[1], before[1])
    other.load({name: torch.from_numpy(value) for name, value in load_file(saved(made, tmp_path)).items()})
    for one, another in zip(before, passed_through(other, given), strict=True):
        np.testing.assert_array_equal(one, another)


@pytest.mark.parametrize("name", ALL)
def test_a_code_has_no_other_way_round_it(name: str) -> None:
    """Two samples with the same code have the same reconstruction: the decoder sees the code alone."""
    blueprint = ALL[name].blueprint("image", (8, 8, 1), 2)
    made = network(blueprint)
    code, out = passed_through(made, samples("image", (8, 8, 1)))
    with torch.no_grad():
        np.testing.assert_allclose(made.decoder(torch.from_numpy(code[[2]])).numpy(), out[[2]], atol=1e-6)


def begun(name: str, recipe: str, stored: np.ndarray, kind: str, code_size: int = 2) -> Network:
    """A network as it begins, from stored samples."""
    blueprint = ALL[name].blueprint(kind, stored.shape[1:], code_size)
    torch.manual_seed(0)
    built = blueprint.build()
    made = Network(built.encoder, built.decoder, blueprint.variational, torch.device("cpu"))
    initialise(made, recipe, torch.from_numpy(stored), kind)
    return made


def curved(kind: str, count: int = 400) -> np.ndarray:
    """Samples with two numbers behind them, and noise, as they are stored."""
    random = np.random.default_rng(0)
    shape = {"image": (8, 8, 1), "signal": (12, 2), "table": (20,)}[kind]
    size = int(np.prod(shape))
    two = random.normal(size=(count, 2))
    values = two @ random.normal(size=(2, size)) + 0.3 * random.normal(size=(count, size)) + random.normal(size=size)
    values = values.reshape(count, *shape)
    if kind == "image":
        return np.clip(128 + 25 * values, 0, 255).astype(np.uint8)
    return ((values - values.mean(0)) / values.std(0)).astype(np.float32)


# Those that end in a convolution.
CONVOLUTIONAL = ("convolutional", "convolutional-grid", "modern-convolutional", "convolutional-variational")


@pytest.mark.parametrize("kind", ["image", "signal", "table"])
@pytest.mark.parametrize("name", ALL)
def test_our_recipe_begins_near_pca(name: str, kind: str) -> None:
    """Its code tells what PCA's tells; where the last layer is dense, it reconstructs almost as well before any step."""
    if kind not in ALL[name].kinds:
        return
    stored = curved(kind)
    made = begun(name, "hourglass", stored, kind)
    clean = torch.from_numpy(stored).float() / (255 if kind == "image" else 1)
    with torch.no_grad():
        code = made.encode(clean)[0]
        error = float((made.decode(code) - clean).square().mean())
    mean = float((clean - clean.mean(0)).square().mean())
    plane = metrics.fit_pca(stored, 2)
    scores = plane.project(clean.flatten(1).numpy())
    told = np.abs(np.corrcoef(scores.T, code.numpy().T)[:2, 2:])
    assert np.diag(told).min() > 0.95
    pca = metrics.squared_errors(clean.numpy(), metrics.through_pca(plane, clean.numpy())).mean()
    if name not in (*CONVOLUTIONAL, "lstm", "gru"):
        assert error < pca + 0.15 * (mean - pca)
    other = begun(name, "article", stored, kind)
    with torch.no_grad():
        assert float((other.decode(other.encode(clean)[0]) - clean).square().mean()) > 0.9 * mean


@pytest.mark.parametrize("name", CONVOLUTIONAL)
def test_a_last_convolution_begins_at_the_mean_of_each_channel(name: str) -> None:
    mean = np.linspace([20, 150], [100, 220], 64).reshape(8, 8, 2).round()
    made = begun(name, "hourglass", np.stack([mean - 9, mean + 9]).astype(np.uint8), "image")
    layer = [m for m in made.decoder.modules() if isinstance(m, torch.nn.Conv2d)][-1]
    with torch.no_grad():
        layer.weight.zero_()
        shown = made.decode(torch.zeros(1, 2))[0].numpy()
    logits = np.log(mean / (255 - mean)).mean((0, 1))
    np.testing.assert_allclose(shown, np.broadcast_to(1 / (1 + np.exp(-logits)), (8, 8, 2)), atol=0.002)


@pytest.mark.parametrize("name", ALL)
@pytest.mark.parametrize("what", ["equal", "few", "constant columns"])
def test_a_beginning_can_be_made_of_anything(name: str, what: str) -> None:
    """Samples that do not differ, fewer samples than numbers, pixels that never change: every weight is a number."""
    stored = np.random.default_rng(0).integers(0, 255, (3 if what == "few" else 30, 8, 8, 1)).astype(np.uint8)
    if what == "equal":
        stored[:] = stored[0]
    if what == "constant columns":
        stored[:, :, 2:] = 0
    made = begun(name, "hourglass", stored, "image", 16)
    assert all(torch.isfinite(value).all() for value in made.weights().values())


@pytest.mark.parametrize("name", ["lstm", "gru"])
def test_what_a_recurrent_layer_gives_goes_on_moving(name: str) -> None:
    """As torch has it, it stands still long before the last step, of a long sample, too, of which it sees fewer."""
    stored = np.random.default_rng(0).normal(size=(20, 28 * 4, 1)).astype(np.float32)
    moved = []
    for recipe in ("hourglass", "article"):
        made = begun(name, recipe, stored, "signal")
        layer = next(m for m in made.decoder.modules() if isinstance(m, torch.nn.LSTM | torch.nn.GRU))
        with torch.no_grad():
            states = layer(torch.ones(1, 28, 2))[0]
        moved.append(float((states[24:] - states[23:-1]).abs().max()))
    assert moved[0] > 0.001 and moved[0] > 10 * moved[1]


@pytest.mark.parametrize(
    ("name", "size", "parameters"),
    [("single-layer", 56, 88_648), ("multi-layer", 48, 327_368), ("convolutional", 48, 88_345)],
)
def test_the_article_counts_the_same_parameters(name: str, size: int, parameters: int) -> None:
    assert ALL[name].blueprint("image", (28, 28, 1), size).parameters == parameters


@pytest.mark.parametrize(("shape", "size"), [((8, 8, 1), 16), ((8, 8, 1), 64), ((28, 28, 1), 256), ((12, 5, 3), 30)])
def test_a_convolutional_decoder_paints_from_more_numbers_than_the_code_has(shape: tuple[int, ...], size: int) -> None:
    """Half of them are cut off: with four channels an 8x8 image would be painted from eight."""
    weights = ALL["convolutional"].blueprint("image", shape, size).weights
    assert weights["decoder.0.weight"][0] >= 4 * size


@pytest.mark.parametrize("name", ALL)
@pytest.mark.parametrize("size", [0, -1, 65, MAX_CODE_SIZE + 1])
def test_code_sizes_that_cannot_be_are_told(name: str, size: int) -> None:
    with pytest.raises(Problem, match="must be 1 to 64") as told:
        ALL[name].blueprint("image", (8, 8, 1), size)
    assert str(size) in told.value.came
    with pytest.raises(Problem, match=f"1 to {MAX_CODE_SIZE}"):
        ALL[name].blueprint("image", (28, 28, 1), MAX_CODE_SIZE + 1)
    assert ALL[name].blueprint("image", (8, 8, 1), 64).code_size == 64


def test_kinds_that_do_not_fit_are_told() -> None:
    with pytest.raises(Problem, match="kind table"):
        ALL["convolutional"].blueprint("table", (11,), 2)


def test_an_unknown_name_is_answered_with_the_known_ones() -> None:
    with pytest.raises(Problem, match="single-layer") as told:
        architectures.get("perceptron")
    assert "perceptron" in told.value.came


def test_a_new_file_is_an_architecture(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One file more in the folder, and everything finds it."""
    (tmp_path / "tiny.py").write_text(
        "from math import prod\n"
        "from models.architectures import Architecture\n"
        "from models.layers import Dense, Flatten, Reshape\n"
        "ARCHITECTURE = Architecture('tiny', 'Tiny', 'One line.', 'nobody', layers=lambda shape, d: (\n"
        "    (Flatten(), Dense(d)), (Dense(prod(shape)), Reshape(shape))))\n"
    )
    monkeypatch.setattr(architectures, "__path__", [*architectures.__path__, str(tmp_path)])
    architectures.discovered.cache_clear()
    try:
        assert architectures.get("tiny").blueprint("image", (8, 8, 1), 2).parameters == 64 * 2 + 2 + 2 * 64 + 64
    finally:
        architectures.discovered.cache_clear()


def test_an_architecture_that_miscounts_is_caught() -> None:
    wrong = Architecture("x", "X", "", "", layers=lambda shape, d: ((Dense(d),), (Dense(3),)))
    with pytest.raises(Problem, match=r"decoder of X gives the shape \(3,\).* \(11,\) was expected"):
        wrong.blueprint("table", (11,), 2)


@pytest.mark.parametrize("kernel", [3, 4, 5])
def test_an_upsampling_convolution_is_one_after_an_upsample(kernel: int) -> None:
    """Forward and back, on a shape whose sides differ."""
    layers, shape = (Upsample(), Convolution(4, kernel)), (3, 5, 7)
    together, plain = (
        sequence(layers, shape),
        torch.nn.Sequential(*(one.module(at) for one, at in with_shapes(layers, shape))),
    )
    assert isinstance(together[0], torch.nn.Identity)
    plain.load_state_dict(together.state_dict())
    x = torch.randn((2, *shape), generator=torch.Generator().manual_seed(0))
    for one in (together, plain):
        one(x).square().sum().backward()
    torch.testing.assert_close(together(x), plain(x))
    for ours, theirs in zip(together.parameters(), plain.parameters(), strict=True):
        torch.testing.assert_close(ours.grad, theirs.grad, rtol=1e-4, atol=1e-4)


def test_gelu_is_the_exact_one() -> None:
    x = torch.linspace(-4, 4, 101)
    exact = x * torch.distributions.Normal(0, 1).cdf(x)
    torch.testing.assert_close(Activation("gelu").module(())(x), exact, atol=1e-6, rtol=0)


@each
def test_steps_draw_the_hourglass(architecture: Architecture, kind: str, shape: tuple[int, ...], size: int) -> None:
    blueprint = architecture.blueprint(kind, shape, size)
    steps = blueprint.steps()
    assert (steps[0].layer, steps[0].shape) == ("sample", shape)
    assert (steps[-1].layer, steps[-1].shape) == ("reconstruction", shape)
    assert [step.shape for step in steps if step.part == "code"] == [(size,)]
    assert sum(step.parameters for step in steps) == blueprint.parameters
    parts = [step.part for step in steps]
    assert parts == sorted(parts, key=("encoder", "code", "decoder").index)
    assert blueprint.compression == pytest.approx(np.prod(shape) / size)


@each
def test_products_are_those_that_torch_counts(
    architecture: Architecture, kind: str, shape: tuple[int, ...], size: int
) -> None:
    blueprint = architecture.blueprint(kind, shape, size)
    if any("_l0" in name for name in blueprint.weights):  # recurrent layers, which torch does not count
        steps = -(-shape[0] // -(-shape[0] // STEPS))
        matrices = {name: prod(one) for name, one in blueprint.weights.items() if len(one) > 1}
        along = [name for name in matrices if "_l0" in name or name == "decoder.0.0.2.weight"]
        assert blueprint.products == sum(count * (steps if name in along else 1) for name, count in matrices.items())
        return
    parts = (blueprint.encoder, shape), (blueprint.decoder, (size,))
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        for layers, entering in parts:  # one by one: an upsample is otherwise computed in one with its convolution
            for layer, at in with_shapes(layers, entering):
                layer.module(at)(torch.zeros(1, *at))
    assert blueprint.products == counter.get_total_flops() // 2

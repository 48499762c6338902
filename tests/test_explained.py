"""What a page says of a run's network, of its dimensions and of who reads drawings better; and the colours of classes."""

import dataclasses
import json
from pathlib import Path
from typing import Any

import kinds
import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from scipy.stats import spearmanr

from components import cached, explained, figures
from models import architectures, codes, datasets, export, losses, runs, shown
from models.analysis import meanings, metrics
from models.columns import plain
from models.datasets import cats
from models.losses import Choice, LossTerm


def shipped(name: str) -> runs.Run:
    return runs.open_run(runs.folder_of(name))


def changed(run: runs.Run, about: dict[str, Any] | None = None, **choices: Any) -> runs.Run:
    """The run as if it had been trained with other choices, or on another dataset."""
    card = run.card
    facts = dataclasses.replace(card.dataset, **about or {})
    chosen = dataclasses.replace(card.configuration, **choices)
    out = dataclasses.replace(run, card=dataclasses.replace(card, configuration=chosen, dataset=facts))
    out.__dict__.update({name: run.__dict__[name] for name in ("codes", "factors", "rows") if name in run.__dict__})
    return out


def with_codes(made: np.ndarray, factors: np.ndarray, names: tuple[str, ...], dead: tuple[int, ...] = ()) -> runs.Run:
    """A run with these codes (N, D) and factors (N, K)."""
    run = shipped("digits-variational")
    facts = dataclasses.replace(
        run.card.codes, count=len(made), size=made.shape[1], dead=tuple(d in dead for d in range(made.shape[1]))
    )
    dataset = dataclasses.replace(run.card.dataset, factors=names)
    run = dataclasses.replace(run, card=dataclasses.replace(run.card, codes=facts, dataset=dataset))
    run.__dict__.update(codes=made.astype(np.float32), factors=factors.astype(np.float32))
    return run


# The network.


def test_a_network_is_told_layer_by_layer() -> None:
    run = shipped("digits-multi-layer")
    told = explained.network(run)
    assert told["encoder"] == [
        ["Flatten, all values in one row", "64", 0],
        ["Dense, 196 units", "196", 64 * 196 + 196],
        ["ReLU, negative values become 0", "196", 0],
        ["Dense, 2 units", "2", 196 * 2 + 2],
        ["Sigmoid, squeezes values between 0 and 1", "2", 0],
    ]
    assert told["decoder"][-2:] == [
        ["Reshape, the same numbers in rows and columns", "8 × 8 × 1", 0],
        ["Sigmoid, squeezes values between 0 and 1", "8 × 8 × 1", 0],
    ]
    assert (told["parameters"], told["compression"]) == (run.card.architecture.parameters, 32)
    assert told["formula"][:3] == ["z = f(x)", "x̂ = g(z)", "loss = mean of (x − x̂)²"]
    assert told["formula"][3:] == ["f is the encoder, g the decoder, x̂ what becomes of a sample x, z its code"]


@pytest.mark.parametrize("run", [pytest.param(run, id=run.folder.name) for run in runs.find()[0] if run.pretrained])
def test_every_shipped_run_is_told_whole(run: runs.Run) -> None:
    told = explained.network(run)
    assert json.loads(json.dumps(told, allow_nan=False)) == told
    rows = told["encoder"] + told["decoder"]
    assert sum(parameters for _, _, parameters in rows) == told["parameters"] == run.card.architecture.parameters
    assert told["decoder"][-1][1] == " × ".join(map(str, run.shape))
    assert told["encoder"][-1][1] == str(run.code_size * (2 if run.variational else 1))
    assert ("log-variance" in told["encoder"][-1][0]) == run.variational


def test_the_layers_of_branches_are_told() -> None:
    told = explained.network(shipped("digits-modern-8"))["encoder"]
    assert [words for words, _, _ in told] == [
        "Flatten, all values in one row",
        *(f"Branch 1: {words}" for width in (512, 256) for words in
          (f"Dense, {width} units", "Layer norm, brings the numbers of a sample to mean 0 and variance 1", "GELU, a ReLU without a corner")),
        "Branch 1: Dense, 8 units",
        "Branch 2: Dense, 8 units",
        "Sum of 2 branches",
    ]  # fmt: skip


@pytest.mark.parametrize("name", ["digits-modern-8", "digits-convolutional", "digits-variational"])
def test_the_program_of_a_run_draws_what_the_run_draws(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the file of weights that the page hands out, under the name that it has there."""
    run = shipped(name)
    (tmp_path / export.file_name(run, "weights")).write_bytes(export.part(run, "weights"))
    monkeypatch.chdir(tmp_path)
    names: dict[str, Any] = {}
    exec(explained.network(run)["pytorch"], names)
    given = datasets.samples_at(run.dataset, np.arange(6))
    with torch.no_grad():
        inner = names["encoder"](torch.from_numpy(codes.to_float(given)))[:, : run.code_size]
        out = names["decoder"](inner)
    np.testing.assert_allclose(inner.numpy(), run.coder.encode(given), atol=1e-4)
    np.testing.assert_allclose(out.numpy(), run.coder.decode(inner.numpy()), atol=1e-4)


def test_a_run_whose_architecture_is_not_here_is_told_without_layers() -> None:
    run = changed(shipped("digits-variational"), architecture="perceptron")
    told = explained.network(run)
    assert (told["encoder"], told["decoder"], told["pytorch"]) == ([], [], "")
    assert told["parameters"] == run.card.architecture.parameters and told["formula"][0] == "μ, log σ² = f(x)"


@pytest.mark.parametrize("other", ["multi-layer", "deep", "convolutional", "wide-variational"])
def test_weights_of_another_network_get_no_program(other: str) -> None:
    """The architecture of that name is not what it was: a program of it would refuse the weights."""
    told = explained.network(changed(shipped("digits-variational"), architecture=other))
    assert (told["encoder"], told["pytorch"]) == ([], "")
    assert set(load_file(shipped("digits-variational").folder / "weights.safetensors")) == set(
        architectures.get("variational").blueprint("image", (8, 8, 1), 2).weights
    )


@pytest.mark.parametrize("name", ["digits-variational", "digits-multi-layer"])
def test_each_sign_of_a_formula_is_explained(name: str) -> None:
    run = shipped(name)
    told = " ".join(explained.symbols(run))
    for sign in ("μ", "σ", "N(0, 1)", "KL", "x̂", "z"):
        assert (sign in told) == (sign in " ".join(explained.formula(run))), sign


def test_a_variational_loss_is_told_with_its_terms() -> None:
    run = shipped("cats-convolutional-variational")
    assert explained.formula(run) == [
        "μ, log σ² = f(x)",
        "z = μ + σ·ε, with ε drawn from N(0, 1)",
        "x̂ = g(z)",
        "loss = sum of (x − x̂)² + β·KL + 2·TC",
        "β = 0.1",
        "KL = sum of ½·(μ² + σ² − 1 − log σ²) over the 10 dimensions of the code",
        "TC = KL(q(z) ‖ q(z1)·q(z2)·…), what the dimensions know of each other",
    ]


@pytest.mark.parametrize(
    ("name", "choices", "line"),
    [
        ("digits-variational", {}, "loss = sum of (−x·log x̂ − (1 − x)·log(1 − x̂)) + β·KL"),
        ("digits-variational", {"beta": 4.0}, "β = 4"),
        ("digits-variational", {"beta": 0.0}, "loss = sum of (−x·log x̂ − (1 − x)·log(1 − x̂))"),
        ("digits-variational", {"free_bits": 0.1}, "KL = sum of max(0.1, ½·(μ² + σ² − 1 − log σ²)) over the 2 dimensions of the code"),
        ("digits-variational", {"annealing": 0.2}, "KL counts more and more over the first 20% of the training, from 0"),
        ("digits-variational", {"annealing": 0.2, "total_correlation": 1.0},
         "KL and TC count more and more over the first 20% of the training, from 0"),
        ("digits-variational", {"sparsity": 0.5}, "loss = sum of (−x·log x̂ − (1 − x)·log(1 − x̂)) + β·KL + 0.5·mean of |μ|"),
        ("digits-multi-layer", {"loss": "bernoulli"}, "loss = mean of (−x·log x̂ − (1 − x)·log(1 − x̂))"),
        ("digits-multi-layer", {"beta": 4.0, "total_correlation": 1.0}, "loss = mean of (x − x̂)²"),  # which it has none of
        ("digits-multi-layer", {"sparsity": 1.0}, "loss = mean of (x − x̂)² + mean of |z|"),
        ("digits-multi-layer", {"contraction": 0.01}, "loss = mean of (x − x̂)² + 0.01·‖∂z/∂x‖²"),
        ("digits-multi-layer", {"rate": 0.05}, "loss = mean of (x − x̂)² + 0.05·R"),
        ("digits-multi-layer", {"rate": 0.05}, "while training, g gets z + u, with u drawn between −½ and ½: what rounding does"),
        ("digits-multi-layer", {"noise": "masking", "noise_level": 0.3, "contraction": 1.0}, "loss = mean of (x − x̂)² + ‖∂z/∂x̃‖²"),
        ("digits-multi-layer", {"noise": "gaussian", "noise_level": 0.3}, "x̃ = x + 0.3·n, with n drawn from N(0, 1), held between 0 and 1"),
        ("digits-multi-layer", {"noise": "masking", "noise_level": 0.3}, "x̃ = x with 30% of its pixels set to 0"),
        ("digits-multi-layer", {"noise": "salt-and-pepper", "noise_level": 0.1},
         "x̃ = x with 10% of its pixels set to the darkest or the brightest"),
        ("digits-multi-layer", {"noise": "watermark", "noise_level": 0.5}, "x̃ = x + 0.5·w·(1 − x), where w is the word COPY"),
        ("digits-multi-layer", {"noise": "gaussian", "noise_level": 0.3}, "z = f(x̃)"),
        ("digits-multi-layer", {"shift": 2, "distortion": 0.1},
         "x is an image, moved by up to 2 pixels and turned and stretched a little at random while training"),
        ("digits-multi-layer", {"mixing": 0.3}, "x is an image, mixed with up to 30% of another at random while training"),
    ],
)  # fmt: skip
def test_the_formula_is_that_of_the_choices(name: str, choices: dict[str, Any], line: str) -> None:
    assert line in explained.formula(changed(shipped(name), **choices))


def test_a_term_that_somebody_added_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    weight = Choice("sparsity", title="Centring", help="Weight of the mean code", paper="nobody", range=(0, 9))
    term = LossTerm("centring", weight, compute=lambda batch: batch.mean.mean())
    monkeypatch.setattr(losses, "used", lambda *_: [term])
    monkeypatch.setattr(runs.Configuration, "weights", lambda *_: {"reconstruction": 1.0, "centring": 2.5})
    told = explained.formula(shipped("digits-multi-layer"))
    assert told[-2:] == ["loss = mean of (x − x̂)² + 2.5·Centring", "Centring: Weight of the mean code (nobody)."]


@pytest.mark.parametrize("noise", runs.NOISES)
@pytest.mark.parametrize("loss", runs.LOSSES)
def test_every_loss_and_noise_has_words(noise: str, loss: str) -> None:
    lines = explained.formula(changed(shipped("digits-multi-layer"), noise=noise, noise_level=0.2, loss=loss))
    assert loss in explained.LOSSES and not any(f"with {noise} noise" in line for line in lines)
    assert (len(lines) == 3 + (loss == "calibrated")) == (noise == "none")


# What dimensions carry.


def test_a_dimension_is_called_by_what_it_alone_carries() -> None:
    source = np.random.default_rng(0)
    factors = source.uniform(size=(900, 4))
    idle = source.normal(size=(900, 1))
    noisy = factors[:, [1]] + 0.4 * source.normal(size=(900, 1))  # too weak
    again = np.exp(factors[:, [0]]) + 0.2 * source.normal(size=(900, 1))  # the second best of the first factor
    made = np.concatenate([again, idle, -np.exp(-factors[:, [0]]), noisy, -(factors[:, [3]] ** 3)], 1)
    told = metrics.factor_scores(made, factors)
    assert told[0, 0] > 0.7 and 0.4 < told[3, 1] < 0.7
    names = ("<b>a", "b", "c", "d")
    assert meanings.meanings(with_codes(made, factors, names)) == ["", "", "<b>a", "", "d"]
    # Dead is dead, however well its last bits are sorted; the next best carries the factor then.
    assert meanings.meanings(with_codes(made, factors, names, dead=(2, 4))) == ["<b>a", "", "", "", ""]


def test_a_dimension_carries_one_factor_at_most() -> None:
    factors = np.random.default_rng(0).uniform(size=(500, 2))
    both = factors @ np.array([[1.0], [0.88]])
    told = metrics.factor_scores(both, factors)
    assert told.min() > 0.6 and told[0, 0] > 0.7
    assert meanings.meanings(with_codes(both, factors, ("a", "b"))) == ["a"]


@pytest.mark.parametrize("count", [1, 5, 20])
def test_few_samples_tell_nothing(count: int) -> None:
    values = np.arange(count, dtype=float)[:, None]
    assert meanings.meanings(with_codes(values, values, ("a",))) == [""]


def test_meanings_of_shipped_runs() -> None:
    told = meanings.meanings(shipped("cats-convolutional-variational"))
    assert {"fur", "face width", "ear height", "mouth", "eye colour"} <= set(told) and len(told) == 10
    assert len({name for name in told if name}) == sum(map(bool, told))
    assert set(meanings.meanings(shipped("shapes-convolutional-variational-2"))) == {"x", "y"}
    assert meanings.meanings(shipped("mnist-modern-30")) == [""] * 30


@pytest.mark.parametrize(("count", "size", "many"), [(10_000, 10, 9), (70_000, 2, 3), (2000, 256, 9), (30_000, 2, 400)])
def test_a_bounded_number_of_values_is_ranked(
    count: int, size: int, many: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Evenly spread over all of them: a page asks whenever a run is opened."""
    made, factors = np.zeros((count, size)), np.zeros((count, many))
    made[:, -1] = factors[:, -1] = np.arange(count)
    seen: list[np.ndarray] = []
    ours = metrics.factor_scores

    def spied(one: np.ndarray, other: np.ndarray) -> np.ndarray:
        seen[:] = [one, other]
        return ours(one, other)

    monkeypatch.setattr(metrics, "factor_scores", spied)
    run = with_codes(made, factors, tuple(f"f{k}" for k in range(many)))
    assert meanings.meanings(run) == [""] * (size - 1) + [f"f{many - 1}"]
    assert sum(one.size for one in seen) <= meanings.NUMBERS and 400 <= len(seen[0]) <= meanings.ROWS
    assert seen[0][:, -1].max() > 0.99 * count


def test_ranks_of_equal_values_are_shared() -> None:
    source = np.random.default_rng(0)
    made, factors = source.integers(0, 4, (60, 3)).astype(np.float32), source.integers(0, 3, (60, 2)).astype(np.float32)
    expected = [[abs(spearmanr(made[:, d], factors[:, k]).statistic) for k in range(2)] for d in range(3)]
    np.testing.assert_allclose(metrics.factor_scores(made, factors), expected, atol=1e-12)


def of_fruit(made: np.ndarray) -> runs.Run:
    """A run on the small table whose codes are these (N, D)."""
    run = with_codes(made, np.zeros((len(made), 0)), ())
    facts = {"name": "fruit", "kind": "table", "shape": kinds.TABLE.shape, "columns": tuple(plain(kinds.FRUIT))}
    run = changed(run, facts, dataset="fruit")
    run.__dict__.update(codes=made.astype(np.float32), rows=np.arange(len(made), dtype=np.int32))
    return run


def test_dimensions_of_a_table_are_called_by_its_columns() -> None:
    """By those of numbers, from the table's own rows; where these are not at hand, by none."""
    rows = kinds.fruit().samples
    price, weight, red = rows[:, 7], rows[:, 0], rows[:, 3]
    noise = np.random.default_rng(0).normal(size=len(rows))
    run = of_fruit(np.column_stack([noise, -(weight**3), red, np.exp(price)]))
    with kinds.present(kinds.TABLE):
        assert meanings.meanings(run) == ["", "weight [g]", "", "price [ct]"]
        other = changed(run, {"shape": (9,)})
        assert meanings.meanings(other) == [""] * 4
        wide = of_fruit(weight[:, None])
        wide.__dict__["columns"] = kinds.FRUIT * 200
        assert meanings.meanings(wide) == [""]
        assert meanings.meanings(changed(run, dataset="own-0123456789abcdef")) == [""] * 4


def test_without_factors_or_columns_nothing_is_called() -> None:
    run = with_codes(np.arange(60.0)[:, None], np.zeros((60, 0)), ())
    assert meanings.meanings(run) == [""] == meanings.meanings(changed(run, {"kind": "signal", "shape": (20, 3)}))


# Who reads better.


def reading(run: runs.Run, accuracy: float | None, id_: str, size: int = 2) -> runs.Run:
    """The run as if so large a share of its test samples were classified correctly."""
    others = tuple(metric for metric in run.card.metrics if metric.name != "knn_accuracy")
    known = next(metric for metric in run.card.metrics if metric.name == "knn_accuracy")
    told = () if accuracy is None else (dataclasses.replace(known, value=accuracy),)
    facts = dataclasses.replace(run.card.codes, size=size)
    return dataclasses.replace(run, card=dataclasses.replace(run.card, id=id_, metrics=(*others, *told), codes=facts))


@pytest.mark.parametrize(
    ("own", "others", "expected"),
    [
        (0.77, {"a": 0.98}, "a"),
        (None, {"a": 0.98}, "a"),
        (0.899, {"a": 0.95}, "a"),
        (0.9, {"a": 0.99}, None),  # reads well enough
        (0.77, {"a": 0.949, "b": None}, None),  # none reads well
        (0.77, {"a": 0.96, "b": 0.99, "c": 0.97}, "b"),
        (0.77, {}, None),
    ],
)
def test_another_run_is_offered_where_this_one_reads_badly(
    own: float | None, others: dict[str, float | None], expected: str | None
) -> None:
    base = shipped("digits-multi-layer")
    run = reading(base, own, "this")
    ready = [run, *(reading(base, value, id_) for id_, value in others.items())]
    assert explained.reader(run, ready) == (None if expected is None else (expected, run.title))


def test_of_equal_readers_the_one_with_fewer_numbers_is_offered() -> None:
    base = shipped("digits-multi-layer")
    ready = [reading(base, 0.97, "large", 9), reading(base, 0.97, "small", 4), reading(base, 0.97, "middle", 6)]
    found = explained.reader(reading(base, 0.5, "this"), ready)
    assert found is not None and found[0] == "small" and found[1].endswith("D = 4")


def test_a_reader_of_another_dataset_is_not_offered() -> None:
    run, other = shipped("mnist-variational"), shipped("digits-modern-8")
    found, _ = runs.find()
    assert explained.reader(run, [other]) is None
    mnist = shipped("mnist-modern-30")
    assert explained.reader(run, found) == (mnist.id, mnist.title)
    assert explained.reader(mnist, found) is None


# The colours of classes.


def test_the_furs_of_cats_have_their_colours() -> None:
    run = shipped("cats-modern-convolutional-2")
    tones = shown.palette(run)
    assert tones == [datasets.get("cats").colours[name] for name in run.classes] and len(set(tones)) == 4
    assert shown.palette(shipped("digits-modern-8")) == list(shown.PALETTE)


def test_the_colours_of_cats_are_those_of_their_coats() -> None:
    """A cat of each class has much of the colour that its class has on the map."""
    dataset = datasets.get("cats")
    factors = cats._factors()
    labels = np.minimum(factors[:, 0] * 4, 3).astype(int)  # as read() makes them
    for label, name in enumerate(dataset.classes):
        rows = np.flatnonzero(labels == label)
        nearest = rows[np.abs(factors[rows, 0] - label / 3).argmin()]
        image = cats.draw(np.array([nearest]))[0].astype(int)
        tone = np.array(list(bytes.fromhex(dataset.colours[name][1:])))
        assert (np.abs(image - tone).max(-1) < 6).mean() > 0.1


@pytest.mark.parametrize(
    ("classes", "expected"),
    [
        (("red", "Blue"), ["#ff0000", "#0000ff"]),
        (("Sky Blue", "dark-orange", "olive_drab"), ["#87ceeb", "#ff8c00", "#6b8e23"]),
        (("orange", "lime", "tomato"), None),  # lime's own is too light
        (("red", "5"), list(shown.PALETTE)),
        (("red", "#00ff00"), list(shown.PALETTE)),
        (("", "red"), list(shown.PALETTE)),
        ((), list(shown.PALETTE)),
    ],
)
def test_classes_that_are_called_like_colours_have_them(classes: tuple[str, ...], expected: list[str] | None) -> None:
    run = changed(shipped("digits-modern-8"), {"name": "own-0123456789abcdef", "classes": classes})
    tones = shown.palette(run)
    if expected is not None:
        assert tones == expected
    else:
        assert (tones[0], tones[2]) == ("#ffa500", "#ff6347")
        red, green, blue = bytes.fromhex(tones[1][1:])
        assert 150 < green < 255 and red == blue == 0


def test_so_many_colours_are_not_told_apart() -> None:
    names = [f"re{'-' * i}d" for i in range(200)]
    assert shown.class_colours("x", names) == list(shown.PALETTE)
    assert len(shown.class_colours("x", names[: shown.MOST])) == shown.MOST


CARS = ("white", "silver", "gray", "black", "red", "navy", "yellow", "beige", "Grey")


def test_colours_are_told_from_both_pages_and_from_each_other() -> None:
    tones = shown.class_colours("cars", CARS)
    rgb = np.array([list(bytes.fromhex(tone[1:])) for tone in tones])
    for paper in ((255, 255, 255), (17, 23, 29)):
        assert shown.contrast(rgb, np.array(paper)).min() >= 1.6
    apart = np.linalg.norm(shown.lab(rgb)[:, None] - shown.lab(rgb)[None], axis=-1)
    assert apart[np.triu_indices(len(CARS), 1)].min() >= shown.APART
    light = shown.lab(rgb)[:, 0]
    assert light[0] > light[1] > light[2] > light[3]  # white, silver, gray, black stay in order
    assert tones[4] == "#ff0000"
    # More greys than fit: none has the colour of another.
    more = shown.class_colours("cars", (*CARS, "ivory", "snow", "dimgray", "gainsboro"))
    assert len(set(more)) == len(CARS) + 4


def test_contrast_and_lightness_are_the_standards() -> None:
    black, white, red = np.zeros(3), np.full(3, 255.0), np.array([255.0, 0, 0])
    assert shown.contrast(black, white) == pytest.approx(21)
    assert shown.contrast(red, white) == pytest.approx(3.998, abs=0.001)
    np.testing.assert_allclose(shown.lab(white), [100, 0, 0], atol=0.02)
    np.testing.assert_allclose(shown.lab(red), [53.24, 80.09, 67.20], atol=0.02)


def test_a_map_is_drawn_in_the_colours_of_its_classes() -> None:
    points, labels = np.zeros((4, 2), np.float32), np.array([-1, 0, 1, 2])
    figure = figures.latent_map(points, labels, ["a", "b", "c"], ("x", "y"), palette=["#111111", "#222222"])
    tones = [trace.marker.color for trace in figure.data]
    assert tones == [figures.UNKNOWN, "#111111", "#222222", "#111111"]


def test_the_map_of_a_training_has_the_colours_of_its_classes(monkeypatch: pytest.MonkeyPatch) -> None:
    chosen = runs.Configuration("cats", "modern-convolutional")
    grown = np.zeros((4, 2), np.float32), np.arange(4)
    monkeypatch.setattr(cached.engine, "configuration", lambda _id: chosen)
    monkeypatch.setattr(cached.engine, "codes", lambda _id: grown)
    drawn = cached._forming("x")
    assert [trace.marker.color for trace in drawn.data] == list(datasets.get("cats").colours.values())
    assert drawn.layout.showlegend and [trace.name for trace in drawn.data] == list(datasets.get("cats").classes)
    monkeypatch.setattr(cached, "LEGEND", 3)
    assert not cached._forming("x").layout.showlegend  # of too many it would take the map's place


def test_the_drawing_of_a_network_names_its_parts_where_they_are() -> None:
    blueprint = architectures.get("multi-layer").blueprint("image", (8, 8, 1), 2)
    drawn = figures.hourglass(blueprint)
    places = {one.text: one.x for one in drawn.layout.annotations}
    code = [step.part for step in blueprint.steps()].index("code")
    assert (
        list(places) == ["encoder", "code", "decoder"]
        and places["encoder"] < places["code"] == code < places["decoder"]
    )
    told = [trace.hovertemplate or "" for trace in drawn.data]
    assert any("8 × 8 × 1 = 64 numbers" in words for words in told) and not any("2 = 2" in words for words in told)

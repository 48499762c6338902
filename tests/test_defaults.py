"""What a training is begun with where nobody chooses: the same on the page and in the shell, and enough to beat PCA."""

import dataclasses
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from components import figures
from models import architectures, columns, datasets, defaults, kinds, readers, runs, training, uploads
from models.columns import Column
from models.defaults import Facts
from models.training.reconstruction import RECONSTRUCTION

SHAPES = {
    "image": [(8, 8, 1), (28, 28, 1), (64, 64, 3)],
    "signal": [(1, 1), (40, 3), (1000, 2)],
    "table": [(1,), (12,), (3000,)],
}
ALL = [
    (name, Facts(kind, shape, count))
    for name, one in architectures.available().items()
    for kind in one.kinds
    for shape in SHAPES[kind]
    for count in (20, 1500, 70_000, 5_000_000)
]


@pytest.mark.parametrize("name", architectures.available())
def test_every_default_can_be_trained_and_takes_its_steps(name: str) -> None:
    for one, facts in ALL:
        if one != name:
            continue
        for code_size in (1, 2, 300):
            found = defaults.choices(facts, name, code_size)
            for field, value in found.items():
                low, high = runs.RANGES.get(field, (None, None))
                assert low is None or low <= value <= high, (facts, field)
            assert found.get("loss", "squared-error") in kinds.get(facts.kind).losses
            steps = found["epochs"] * max(1, 0.8 * facts.count / found["batch_size"])
            assert steps >= 0.9 * defaults.LEAST
            assert found["epochs"] == 1 or steps <= 1.3 * defaults.STEPS


def test_few_samples_are_trained_for_more_epochs_at_a_smaller_rate_and_mixed() -> None:
    few, some, many = (defaults.choices(Facts("table", (12,), count), "modern", 2) for count in (100, 1500, 100_000))
    assert few["epochs"] > 4 * some["epochs"] > 16 * many["epochs"]
    assert few["learning_rate"] < some["learning_rate"] < many["learning_rate"]
    assert few["batch_size"] < some["batch_size"] < many["batch_size"]
    assert (few["mixing"], many["mixing"]) == (1, 0) and 0 < some["mixing"] < 1


def test_large_images_begin_with_convolutions() -> None:
    for kind, shape, expected in (
        ("image", (8, 8, 1), "modern"),
        ("image", (16, 16, 3), "modern"),
        ("image", (17, 9, 1), "modern-convolutional"),
        ("image", (28, 28, 1), "modern-convolutional"),
        ("signal", (140, 1), "modern"),
        ("table", (40,), "modern"),
    ):
        assert defaults.architecture(Facts(kind, shape, 1000)) == expected


def test_a_long_step_is_expected_to_take_long() -> None:
    """Wide layers, larger batches and the steps of a recurrent layer cost."""
    blueprints = {
        name: architectures.get(name).blueprint("image", (28, 28, 1), 2) for name in ("single-layer", "modern", "wide")
    }
    seconds = [defaults.step_seconds(one, 64) for one in blueprints.values()]
    assert seconds == sorted(seconds) and seconds[2] < defaults.step_seconds(blueprints["wide"], 256)
    few, rows, many = (
        defaults.step_seconds(architectures.get("gru").blueprint("signal", (steps, 1), 2), 16) for steps in (4, 28, 400)
    )
    assert rows > 4 * few
    assert 0.9 * rows < many < 2 * rows  # where several steps are one


def test_page_and_shell_begin_with_the_same() -> None:
    digits = datasets.get("digits")
    for name in architectures.available():
        chosen = runs.configure({"dataset": "digits", "architecture": name, "code_size": 3})
        expected = defaults.choices(defaults.facts_of(digits), name, 3)
        assert {field: getattr(chosen, field) for field in expected} == expected
    named = runs.configure({"dataset": "digits", "architecture": "modern", "epochs": 7, "mixing": 0.5})
    assert (named.epochs, named.mixing) == (7, 0.5)


def test_the_article_keeps_its_settings() -> None:
    for preset in runs.PRESETS.values():
        chosen = runs.configure({**preset, "dataset": "digits"})
        assert (chosen.epochs, chosen.batch_size, chosen.learning_rate, chosen.mixing) == (10, 256, 0.001, 0)
        assert chosen.loss == "squared-error"


def test_mixed_samples_lie_between_two() -> None:
    samples = torch.arange(40, dtype=torch.float32).reshape(8, 5) ** 2
    out = training.mixed(samples, 1.0, seed=3)
    assert torch.equal(out, training.mixed(samples, 1.0, seed=3)) and not torch.equal(out, samples)
    for row in out:
        pairs = [(a, b) for a in samples for b in samples]
        shares = [float(((row - a) @ (b - a)) / max(1e-9, float((b - a) @ (b - a)))) for a, b in pairs]
        away = [float((a + s * (b - a) - row).abs().max()) for (a, b), s in zip(pairs, shares, strict=True)]
        assert min(d for d, s in zip(away, shares, strict=True) if 0 <= s <= 1) < 1e-3
    little = training.mixed(samples, 0.1, seed=3)
    assert float((little - samples).norm()) < 0.2 * float((out - samples).norm())
    images = torch.randint(0, 255, (8, 4, 4, 1), dtype=torch.uint8)
    assert training.mixed(images, 1.0, 0).dtype == torch.uint8


def test_the_calibrated_loss_is_the_likelihood_of_its_own_variance() -> None:
    """-log N(x; x̂, s²) summed over a sample, at the s² that makes it least: no other variance explains the batch better."""
    random = np.random.default_rng(0)
    x, out = (torch.from_numpy(random.normal(size=(50, 6))) for _ in range(2))
    found = float(RECONSTRUCTION["calibrated"](out, x))
    square = float((x - out).square().mean())

    def nats(variance: float) -> float:
        return float((0.5 * np.log(2 * np.pi * variance) + (x - out).square() / (2 * variance)).sum() / len(x))

    assert found == pytest.approx(nats(square), rel=1e-6)
    assert found < min(nats(0.8 * square), nats(1.25 * square))


def test_how_much_a_variational_code_tells_does_not_depend_on_the_scale(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    ratios = []
    for scale in (0.01, 1.0):
        random = np.random.default_rng(0)
        values = (random.normal(size=(400, 2)) @ random.normal(size=(2, 10)) + random.normal(size=(400, 10))) * scale
        content = datasets.Arrays(values.astype(np.float32), np.full(400, -1, np.int32), np.zeros((400, 0), np.float32))

        def read(content: datasets.Arrays = content) -> datasets.Arrays:
            return content

        made = datasets.Dataset(
            "scaled", "Scaled", "", "table", (10,), 400, (), "x", "x", read=read, version=int(scale * 100)
        )
        monkeypatch.setitem(datasets.available(), "scaled", made)
        chosen = runs.configure({"dataset": "scaled", "architecture": "variational", "epochs": 30})
        assert chosen.loss == "calibrated"
        folder = tmp_path / str(scale)
        folder.mkdir()
        run = training.train(chosen, folder, tsne=0)
        assert not any(run.card.codes.dead)
        ratios.append((run.metric("mse") or 0) / (run.metric("pca_mse") or 1))
    assert max(ratios) < 1.3 and max(ratios) < 1.1 * min(ratios)


@pytest.mark.parametrize(
    ("architecture", "code_size", "noise"),
    [
        ("single-layer", 2, "none"),
        ("modern", 16, "gaussian"),
        ("variational", 16, "none"),
    ],
)
def test_hardly_any_training_is_needed_on_digits(architecture: str, code_size: int, noise: str, tmp_path: Path) -> None:
    """A tenth of the default epochs; `benchmarks/defaults.py` has the whole."""
    choices = {"dataset": "digits", "architecture": architecture, "code_size": code_size, "noise": noise}
    chosen = runs.configure(choices)
    run = training.train(dataclasses.replace(chosen, epochs=chosen.epochs // 10), tmp_path, tsne=0)
    assert run.metric("mse") < (1.02 if architecture == "single-layer" else 1.0) * run.metric("pca_mse")


def test_few_images_are_mixed_though_they_have_many_pixels() -> None:
    """Neighbours say nearly the same: 364 colour pictures of 3,072 numbers each are few, and mixed as few rows are."""
    pictures, rows = (
        defaults.choices(Facts(kind, shape, 364), name, 2)["mixing"]
        for kind, shape, name in (
            ("image", (32, 32, 3), "modern-convolutional"),
            ("table", (3072,), "multi-layer"),
        )
    )
    assert pictures == 1
    assert rows == 1
    assert defaults.choices(Facts("image", (28, 28, 1), 60_000), "modern-convolutional", 2)["mixing"] == 0


@pytest.mark.parametrize("name", ["gru", "lstm"])
def test_a_long_series_is_learnt_step_by_step_in_seconds(
    name: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """An eighth of the default epochs on 90 bumps that come at another time each."""
    random, steps = np.random.default_rng(0), np.arange(101)
    at = random.uniform(20, 80, (90, 1))
    values = np.exp(-(((steps - at) / 9) ** 2))[..., None] + 0.02 * random.normal(size=(90, 101, 1))
    values = ((values - values.mean()) / values.std()).astype(np.float32)
    content = datasets.Arrays(values, np.full(90, -1, np.int32), np.zeros((90, 0), np.float32))
    made = datasets.Dataset("bumps", "Bumps", "", "signal", (101, 1), 90, (), "x", "x", read=lambda: content, version=1)
    monkeypatch.setitem(datasets.available(), "bumps", made)
    chosen = runs.configure({"dataset": "bumps", "architecture": name, "code_size": 2})
    run = training.train(dataclasses.replace(chosen, epochs=chosen.epochs // 8), tmp_path, tsne=0)
    assert run.metric("mse") < run.metric("pca_mse")


def test_a_network_that_learnt_only_the_mean_says_so(tmp_path: Path) -> None:
    samples = datasets.arrays(datasets.get("digits")).samples / np.float32(255)
    split = datasets.get("digits").splits()
    for name, architecture, recipe, only in (
        ("a", "convolutional", "article", True),
        ("b", "modern", "hourglass", False),
    ):
        choices = {"dataset": "digits", "architecture": architecture, "recipe": recipe}
        chosen = runs.configure(choices | {"epochs": 10, "learning_rate": 0.003})
        folder = tmp_path / name
        folder.mkdir()
        run = training.train(chosen, folder, tsne=0)
        mean = samples[split == datasets.TRAIN].mean(0)
        assert run.metric("mean_mse") == pytest.approx(
            np.square(samples[split == datasets.TEST] - mean).mean(), rel=1e-4
        )
        assert run.only_mean == only == (run.metric("mse") >= 0.95 * run.metric("mean_mse"))


# Columns with far outliers


def kept(tmp_path: Path, values: np.ndarray) -> datasets.Dataset:
    path = tmp_path / "x.csv"
    np.savetxt(
        path, values, delimiter=",", header=",".join(f"c{i}" for i in range(values.shape[1])), comments="", fmt="%.6g"
    )
    return uploads.save(readers.read(path), uploads.SHELL, "x")


def test_far_outliers_do_not_decide_what_is_learnt(home: Path, tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    plain, spent, flags = random.normal(50, 5, 500), np.exp(random.normal(3, 0.4, 500)), (random.random(500) < 0.02)
    spent[::60] *= 400
    values = np.stack([plain, spent, -spent, 3.0 * flags, random.exponential(2, 500)], 1).round(4)
    dataset = kept(tmp_path, values)
    scaled = [column.linear_width > 0 for column in dataset.columns]
    assert scaled == [False, True, True, False, False]
    stored = datasets.arrays(dataset).samples
    train = stored[dataset.splits() == datasets.TRAIN]
    np.testing.assert_allclose(train.mean(0), 0, atol=1e-5)
    np.testing.assert_allclose(train.std(0), 1, atol=1e-5)
    assert np.abs(stored[:, 1]).max() < 8  # 20 and more where it is only divided by its deviation
    np.testing.assert_allclose(columns.unscaled(dataset.columns, stored), values, rtol=1e-4, atol=1e-4)
    np.testing.assert_allclose(stored, columns.standardised(dataset.columns, values), atol=1e-5)
    (said,) = [words for words in uploads.of(uploads.SHELL)[0].warnings if "far from the others" in words]
    assert said.startswith("“c1”, “c2” have values")
    again = columns.from_plain(columns.plain(dataset.columns))
    assert again == dataset.columns


def test_what_a_decoder_makes_up_stays_a_number_and_malformed_bends_are_refused() -> None:
    column = Column("n", "number", 0, 1, 0.0, 1.0, centre=5.0, linear_width=2.0)
    wild = columns.unscaled([column], np.array([[1e6], [-1e6], [0.0]], np.float32))
    assert np.isfinite(wild).all() and wild[2, 0] == 5
    assert column.unit == 2 and dataclasses.replace(column, linear_width=0.0).unit == 1
    for bad in ({"linear_width": -1.0}, {"linear_width": "2"}, {"centre": float("nan")}):
        with pytest.raises(TypeError):
            columns.from_plain([{**columns.plain([column])[0], **bad}])
    old = {k: v for k, v in columns.plain([column])[0].items() if k not in ("linear_width", "centre")}
    assert columns.from_plain([old])[0].linear_width == 0


# The benchmark


def test_the_quick_benchmark_is_of_what_there_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(Path(__file__).resolve().parents[1] / "benchmarks"))
    import defaults as benchmark

    cases = benchmark.quick()
    assert 38 <= len(cases) == len(set(cases)) <= 46
    assert {case.architecture for case in cases} <= set(architectures.available())
    assert {case.dataset for case in cases} <= {*benchmark.SHIPPED, *benchmark.DROPPED}
    assert benchmark.reach(benchmark.Case("digits", "variational", 2)) == 1.1
    sys.modules.pop("defaults")


def test_losses_below_zero_are_drawn() -> None:
    """On a log scale they would not be there."""
    chosen = runs.Configuration("digits", "variational", loss="calibrated")
    for value, scale in ((-3.0, "linear"), (3.0, "log")):
        lines = [{"epoch": epoch, "loss": {"reconstruction": value / epoch}, "validation": value} for epoch in (1, 2)]
        assert figures.losses(lines, chosen).layout.yaxis.type == scale

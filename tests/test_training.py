"""What a training promises: the same again from the same seed, nothing from the test split, the best epoch kept."""

import dataclasses
import gzip
import itertools
import json
import os
import platform
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from conftest import trained
from safetensors.numpy import load_file

from models import PROJECT, Problem, architectures, blocks, datasets, engine, noise, runs, training
from models.analysis import metrics, reconstruct
from models.datasets import TEST, TRAIN, VALIDATION, Arrays, Dataset
from models.losses import total_correlation
from models.losses.kl import kl as kl_divergence
from models.training.network import Adam
from models.training.reconstruction import RECONSTRUCTION
from models.uploads import SHELL


def learn(folder: Path, **choices: object) -> runs.Run:
    """A training in a folder of its own, not moved to its place."""
    chosen = runs.configure({"dataset": "digits", "architecture": "single-layer", "epochs": 2} | choices)
    folder.mkdir(parents=True, exist_ok=True)
    return training.train(chosen, folder, tsne=50)


def weights(run: runs.Run) -> dict[str, np.ndarray]:
    return load_file(run.folder / "weights.safetensors")


def same(one: runs.Run, another: runs.Run) -> bool:
    pairs = zip(weights(one).values(), weights(another).values(), strict=True)
    return all(np.array_equal(a, b) for a, b in pairs)


@pytest.mark.parametrize("choices", [{}, {"architecture": "variational"}, {"noise": "gaussian", "noise_level": 0.3}])
def test_the_same_seed_gives_the_same_run_bit_by_bit(tmp_path: Path, choices: dict[str, object]) -> None:
    one, again = learn(tmp_path / "a", **choices), learn(tmp_path / "b", **choices)
    assert one.id == again.id and same(one, again)
    for name in ("weights.safetensors", "codes.f32", "errors.f32", "encoder.onnx", "replay/codes.f32"):
        assert one.card.files[name].sha256 == again.card.files[name].sha256
    assert one.card.metrics == again.card.metrics
    other = learn(tmp_path / "c", **choices, seed=1)
    assert other.id != one.id and not same(one, other)


def test_another_seed_starts_from_other_weights(tmp_path: Path) -> None:
    """Not only in another order: at a rate this low the weights stay where they began."""
    one, other = (learn(tmp_path / str(seed), seed=seed, learning_rate=1e-6) for seed in (0, 1))
    assert np.abs(weights(one)["encoder.1.weight"] - weights(other)["encoder.1.weight"]).max() > 0.1


def test_test_rows_never_train(tmp_path: Path, digits: Dataset, monkeypatch: pytest.MonkeyPatch) -> None:
    clean = learn(tmp_path / "clean", code_size=3)
    samples, labels, factors = datasets.arrays(digits)
    poisoned = np.array(samples)
    poisoned[digits.splits() == TEST] = 255
    monkeypatch.setattr(datasets, "arrays", lambda *_: Arrays(poisoned, labels, factors))
    run = learn(tmp_path / "poisoned", code_size=3)
    assert same(clean, run)
    assert run.card.files["baseline.safetensors"] == clean.card.files["baseline.safetensors"]
    assert run.metric("mse") != clean.metric("mse")  # the poison did arrive where it is measured
    poisoned[digits.splits() == TRAIN] //= 2
    assert not same(clean, learn(tmp_path / "all", code_size=3))


@pytest.fixture
def scripted(monkeypatch: pytest.MonkeyPatch) -> Callable[[list[float]], list[dict[str, torch.Tensor]]]:
    """Makes validation give the losses of a list, and collects the weights after each epoch."""

    def script(values: list[float]) -> list[dict[str, torch.Tensor]]:
        seen: list[dict[str, torch.Tensor]] = []
        told = iter(values)

        def mean(work: training.objective.Objective, _stored: torch.Tensor) -> float:
            seen.append({name: value.clone() for name, value in work.network.weights().items()})
            return next(told)

        monkeypatch.setattr(training.objective.Objective, "mean", mean)
        return seen

    return script


@pytest.mark.parametrize(("recipe", "kept"), [("hourglass", 2), ("article", 4)])
def test_the_best_epoch_is_kept_and_the_article_keeps_the_last(
    tmp_path: Path, scripted: Callable[..., list[dict[str, torch.Tensor]]], recipe: str, kept: int
) -> None:
    seen = scripted([0.3, 0.1, 0.2, 0.15])
    run = learn(tmp_path / "x", epochs=4, recipe=recipe)
    assert run.card.training.best_epoch == kept and run.card.training.epochs == 4
    for name, value in weights(run).items():
        np.testing.assert_array_equal(value, seen[kept - 1][name].numpy())
        assert not np.array_equal(value, seen[kept - 2][name].numpy())


def test_the_article_has_nothing_of_ours(tmp_path: Path) -> None:
    assert set(runs.PRESETS) == {"Single-layer (article)", "Multi-layer (article)", "Convolutional (article)"}
    for choices in runs.PRESETS.values():
        chosen = runs.configure({"dataset": "digits", **choices})
        assert (chosen.recipe, chosen.loss, chosen.learning_rate) == ("article", "squared-error", 0.001)
        assert (chosen.noise, chosen.sparsity, chosen.stopped_after) == ("none", 0, None)
    run = learn(tmp_path / "x", recipe="article", learning_rate=0.001, epochs=3)
    assert [line["learning_rate"] for line in run.history()] == [0.001] * 3
    ours = learn(tmp_path / "y", learning_rate=0.001, epochs=3)
    rates = [line["learning_rate"] for line in ours.history()]
    assert rates[0] > rates[1] > rates[2] and rates[2] < 1e-4


def test_the_loss_falls_and_is_that_of_the_samples(tmp_path: Path, digits: Dataset) -> None:
    run = learn(tmp_path / "x", architecture="modern", epochs=8, mixing=0)
    history = run.history()
    assert [line["epoch"] for line in history] == list(range(1, 9))
    assert history[-1]["loss"]["reconstruction"] < 0.9 * history[0]["loss"]["reconstruction"]
    train = run.errors[digits.splits()[run.rows] == TRAIN].mean()
    assert history[-1]["loss"]["reconstruction"] == pytest.approx(train, rel=0.05)
    assert run.metric("mse") == pytest.approx(run.errors[digits.splits()[run.rows] == TEST].mean(), rel=1e-4)


def test_every_number_says_what_it_was_measured_on(variational_run: runs.Run, digits: Dataset) -> None:
    told = {metric.name: metric for metric in variational_run.card.metrics}
    # Digits have no factors, and only what ships is laid out by t-SNE.
    assert set(told) == set(metrics.TITLES) - {"mutual_information_gap", "tsne_knn_accuracy"}
    assert {metric.split for metric in told.values()} == {"test"}
    assert told["mse"].count == (digits.splits() == TEST).sum() == 179
    assert told["squared_error"].value == pytest.approx(64 * told["mse"].value)
    assert told["psnr"].value == pytest.approx(metrics.psnr(told["mse"].value))
    assert told["kl"].value == pytest.approx(sum(variational_run.card.codes.kl), rel=1e-5)
    assert told["negative_elbo"].value > told["kl"].value


def test_pca_is_measured_on_the_same_samples(variational_run: runs.Run, digits: Dataset) -> None:
    from sklearn.decomposition import PCA

    samples = datasets.arrays(digits).samples.reshape(1797, -1) / 255
    splits = digits.splits()
    fit = PCA(6).fit(samples[splits == TRAIN])
    test = samples[splits == TEST]
    expected = np.square(fit.inverse_transform(fit.transform(test)) - test).mean()
    assert variational_run.metric("pca_mse") == pytest.approx(expected, rel=1e-3)


def test_a_denoising_run_is_judged_by_spoilt_inputs(noisy_run: runs.Run, digits: Dataset) -> None:
    rows = np.arange(0, 1797, 7)
    clean = datasets.samples_at(digits, rows).astype(np.float32) / 255
    spoilt = noise.corrupt_rows(clean, "gaussian", 0.3, rows)
    coder = noisy_run.coder
    errors = metrics.squared_errors(clean, coder.decode(coder.encode(spoilt)))
    np.testing.assert_allclose(noisy_run.errors[rows], errors, atol=1e-5)
    unspoilt = metrics.squared_errors(clean, coder.decode(coder.encode(clean)))
    assert np.abs(noisy_run.errors[rows] - unspoilt).mean() > 1e-4
    np.testing.assert_allclose(noisy_run.codes[rows], coder.encode(clean), atol=1e-4)  # the map shows clean samples
    seen = reconstruct.rows(noisy_run, rows)
    np.testing.assert_array_equal(seen.given, spoilt)
    np.testing.assert_allclose(seen.errors, noisy_run.errors[rows], atol=1e-5)
    assert seen.pca.shape == clean.shape and (seen.pca_errors > 0).all()


def test_what_is_stored_is_what_the_run_computes(variational_run: runs.Run, digits: Dataset) -> None:
    rows = variational_run.rows
    np.testing.assert_array_equal(rows, np.arange(1797))
    np.testing.assert_array_equal(variational_run.labels, datasets.arrays(digits).labels[rows])
    mean, log_variance = variational_run.coder.encode_distribution(datasets.samples_at(digits, rows))
    np.testing.assert_allclose(variational_run.codes, mean, atol=1e-4)
    kl = kl_divergence(torch.from_numpy(mean), torch.from_numpy(log_variance))
    assert variational_run.variational and float(kl.sum()) == pytest.approx(variational_run.metric("kl"), rel=0.2)
    plane = variational_run.pca
    assert plane is not None
    drawn = np.fromfile(variational_run.folder / "projections" / "pca.f32", np.float32).reshape(-1, 2)
    np.testing.assert_allclose(plane.project(variational_run.codes), drawn, atol=1e-4)
    flat, index = variational_run.tsne
    assert flat.shape == (200, 2) and len(set(index)) == 200


@pytest.mark.usefixtures("umap")
def test_where_umap_is_installed_a_run_has_one_of_the_codes_of_its_tsne(tmp_path: Path) -> None:
    run = learn(tmp_path / "x", code_size=3, epochs=1)
    assert run.umap is not None and run.tsne is not None
    np.testing.assert_allclose(run.umap, run.codes[run.tsne[1], :2] * 3, atol=0.1)
    assert runs.open_run(run.folder).umap is not None
    made = blocks.of(run).blocks
    assert (
        "projections/umap.f32" in json.loads(gzip.decompress(made["run.json"]))["files"]
        and "projections/umap.f32" in made
    )
    assert learn(tmp_path / "flat", epochs=1).umap is None, "two numbers are a map"
    (run.folder / "projections" / "umap.f32").write_bytes(b"1234")
    with pytest.raises(Problem):
        runs.open_run(run.folder)


def test_where_umap_is_not_installed_a_run_is_as_it_was(tmp_path: Path) -> None:
    run = learn(tmp_path / "x", code_size=3, epochs=1)
    assert run.tsne is not None and run.umap is None and "projections/umap.f32" not in blocks.of(run).blocks


def test_the_replay_ends_where_the_training_ended(tmp_path: Path) -> None:
    run = learn(tmp_path / "x", epochs=3, recipe="article")  # keeps its last epoch
    replay = run.card.replay
    frames = np.fromfile(run.folder / "replay" / "codes.f32", np.float32).reshape(3, replay.count, 2)
    index = np.fromfile(run.folder / "replay" / "index.i32", np.int32)
    assert replay.epochs == (1, 2, 3)
    np.testing.assert_allclose(frames[-1], run.codes[index], atol=1e-5)
    assert np.abs(frames[0] - frames[-1]).max() > 1e-3


def test_float16_runs_measure_the_weights_they_ship(tmp_path: Path, digits: Dataset) -> None:
    chosen = runs.configure({"dataset": "digits", "architecture": "single-layer", "epochs": 2})
    run = training.train(chosen, tmp_path, half=True)
    assert {value.dtype for value in weights(run).values()} == {np.dtype(np.float16)}
    np.testing.assert_allclose(run.codes, run.coder.encode(datasets.samples_at(digits, run.rows)), atol=1e-4)


# Choices that shape the code


def test_free_bits_keep_dimensions_alive(tmp_path: Path) -> None:
    """With a beta that makes every dimension collapse, each keeps about what is free."""
    choices = {"architecture": "variational", "code_size": 6, "epochs": 8, "beta": 30.0}
    collapsed = learn(tmp_path / "a", **choices)
    kept = learn(tmp_path / "b", **choices, free_bits=0.5)
    assert all(collapsed.card.codes.dead) and not any(kept.card.codes.dead)
    assert min(kept.card.codes.kl) > 10 * max(collapsed.card.codes.kl)


def test_dropout_is_at_work_in_steps_and_nowhere_else(tmp_path: Path, digits: Dataset) -> None:
    facts = runs.configure({"dataset": "digits", "architecture": "wide", "epochs": 1})
    report = training.Report(tmp_path, facts, 1)
    work = training.Training(facts, digits, datasets.arrays(digits), tmp_path, report, torch.device("cpu"))
    seen: list[bool] = []
    dropout = next(module for module in work.network.encoder.modules() if isinstance(module, torch.nn.Dropout))
    dropout.register_forward_hook(  # which the copy that learns has, too
        lambda module, _given, _out: seen.append(module.training)
    )
    rows = np.arange(50)
    np.testing.assert_array_equal(work.encode(rows), work.encode(rows))
    assert seen and not any(seen)
    seen.clear()
    work.run()
    assert any(seen)  # each step
    assert not seen[-1]  # the validation after the epoch
    np.testing.assert_array_equal(work.encode(rows), work.encode(rows))


def test_contraction_makes_codes_move_less(tmp_path: Path) -> None:
    free, held = (
        learn(tmp_path / str(i), epochs=4, architecture="modern", contraction=c) for i, c in enumerate((0.0, 0.1))
    )
    spread = [float(np.var(run.codes, axis=0).sum()) for run in (free, held)]
    assert spread[1] < 0.7 * spread[0]
    assert "contraction" in held.history()[0]["loss"] and "contraction" not in free.history()[0]["loss"]


def test_validation_is_the_whole_that_a_training_lowers(tmp_path: Path, digits: Dataset) -> None:
    """Contraction, which is a derivative, and total correlation too; the same each time it is measured."""
    choices = {
        "dataset": "digits",
        "architecture": "variational",
        "code_size": 3,
        "loss": "bernoulli",
        "batch_size": 200,
    }
    plain = runs.configure(choices)
    measured = {}
    for name in ("", "contraction", "total_correlation"):
        facts = dataclasses.replace(plain, **({name: 2.0} if name else {}))
        torch.manual_seed(0)
        folder = fresh(tmp_path / (name or "plain"))
        report = training.Report(folder, facts, 1)
        work = training.Training(facts, digits, datasets.arrays(digits), folder, report, torch.device("cpu"))
        measured[name] = work.objective.mean(work.validation)
        assert measured[name] == work.objective.mean(work.validation)
        if name:
            part = work.objective.terms(work.validation, seed=0)[name]
            assert measured[name] - measured[""] == pytest.approx(2 * float(part.detach()), rel=0.2)


def test_a_total_correlation_that_no_memory_holds_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    choices = {"dataset": "mnist", "architecture": "variational", "total_correlation": 1.0, "code_size": 64}
    with pytest.raises(Problem, match="of batches of 4,096 at D = 64") as told:
        runs.configure(choices | {"batch_size": 4096})
    assert "batches of 724 at most" in told.value.do
    assert runs.configure(choices | {"batch_size": 724}).batch_size == 724
    assert runs.configure(choices | {"batch_size": 4096, "total_correlation": 0}).batch_size == 4096


def test_validation_tells_total_correlation_as_training_does(
    tmp_path: Path, digits: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of draws, in batches as large: the estimate hangs on both."""
    seen: list[int] = []
    plain = total_correlation.total_correlation

    def noted(code: torch.Tensor, mean: torch.Tensor, log_variance: torch.Tensor) -> torch.Tensor:
        seen.append(len(code))
        assert float(((code - mean) / (0.5 * log_variance).exp()).detach().std()) == pytest.approx(1, abs=0.2)
        return plain(code, mean, log_variance)

    monkeypatch.setattr(total_correlation, "total_correlation", noted)
    learn(tmp_path / "x", architecture="variational", code_size=3, total_correlation=1.0, batch_size=40, epochs=1)
    training_rows, validation_rows = (int((digits.splits() == split).sum()) for split in (TRAIN, VALIDATION))
    assert set(seen) == {40, training_rows % 40, validation_rows % 40} - {0}


def test_total_correlation_is_lowered(tmp_path: Path) -> None:
    choices = {"architecture": "variational", "code_size": 4, "epochs": 8, "batch_size": 40, "beta": 0.2}
    free, held = (learn(tmp_path / str(weight), **choices, total_correlation=weight) for weight in (0.01, 3.0))
    told = [run.history()[-1]["loss"]["total_correlation"] for run in (free, held)]
    assert told[1] < told[0] / 2


def test_a_rate_makes_codes_that_survive_rounding(tmp_path: Path) -> None:
    """To whole numbers; those of a training without it are about as small as the images' own numbers."""
    run = learn(tmp_path, architecture="modern", code_size=8, epochs=8, rate=0.1)
    whole, off = run.coder.decode(run.codes[:500]), run.coder.decode(np.rint(run.codes[:500]))
    assert np.square(whole - off).mean() < 0.5 * (run.metric("mse") or 0)
    assert 0 < run.history()[-1]["loss"]["rate"] < 1


def test_a_step_decodes_a_draw_and_validation_the_mean(tmp_path: Path, digits: Dataset) -> None:
    """Of a distribution with the mean and the deviation that the encoder says (Kingma and Welling 2013, section 2.4)."""
    facts = runs.configure({"dataset": "digits", "architecture": "variational"})
    report = training.Report(tmp_path, facts, 1)
    work = training.Training(facts, digits, datasets.arrays(digits), tmp_path, report, torch.device("cpu"))
    said = torch.tensor([1.0, -2.0, 2 * np.log(0.5), 2 * np.log(3.0)])  # means 1 and -2, deviations 0.5 and 3
    decoded: list[torch.Tensor] = []
    work._begin()
    for network in (work.network, work.learner.network):
        network.encoder.register_forward_hook(lambda *_: said.expand(1000, 4))
        network.decoder.register_forward_pre_hook(lambda _module, given: decoded.append(given[0].float()))
    work.objective.terms(work.training[:1000], seed=0, learning=work.learner.renew())
    work.objective.terms(work.training[:1000], seed=0)
    drawn, mean = decoded
    np.testing.assert_allclose(drawn.mean(0), [1, -2], atol=0.3)
    np.testing.assert_allclose(drawn.std(0), [0.5, 3], rtol=0.1)
    assert (mean == said[:2]).all()


def test_adam_forgets_old_squares_as_the_recipe_says(tmp_path: Path, digits: Dataset) -> None:
    for recipe, betas, eps in (("hourglass", (0.9, 0.95), 1e-8), ("article", (0.9, 0.999), 1e-7)):
        facts = runs.configure({"dataset": "digits", "architecture": "single-layer", "recipe": recipe})
        folder = fresh(tmp_path / recipe)
        report = training.Report(folder, facts, 1)
        work = training.Training(facts, digits, datasets.arrays(digits), folder, report, torch.device("cpu"))
        work._begin()
        assert (work.learner.adam.betas, work.learner.adam.eps) == (betas, eps)


def test_adam_is_torch_s_and_goes_on_from_what_is_kept() -> None:
    source = torch.Generator().manual_seed(0)
    values, gradients = torch.randn(9, generator=source), torch.randn((5, 9), generator=source)
    theirs = torch.nn.Parameter(values.clone())
    adam = torch.optim.Adam([theirs], betas=(0.9, 0.95), eps=1e-8, fused=True)
    ours = Adam(values, (0.9, 0.95), 1e-8, fused=True)
    for at, gradient in enumerate(gradients):
        if at == 3:
            kept, ours = ours.state, Adam(values, (0.9, 0.95), 1e-8, fused=True)
            ours.load(kept)
        theirs.grad, adam.param_groups[0]["lr"] = gradient, 0.1 / (at + 1)
        adam.step()
        ours.step(gradient, 0.1 / (at + 1))
        assert torch.equal(values, theirs.detach())


def test_a_training_does_not_load_the_compiler(tmp_path: Path) -> None:
    """Torch's takes two seconds, in every process that trains."""
    text = (
        "import sys, pathlib\nfrom models import runs, training\n"
        "chosen = runs.configure({'dataset': 'digits', 'architecture': 'single-layer', 'epochs': 1})\n"
        "training.train(chosen, pathlib.Path(sys.argv[1]), tsne=50)\n"
        "assert 'torch.optim.adam' in sys.modules and 'torch._dynamo' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", text, str(fresh(tmp_path / "x"))], cwd=PROJECT, check=True)


@pytest.mark.parametrize("choices", [{}, {"noise": "gaussian"}, {"sparsity": 1.0}, {"architecture": "variational"}])
def test_pca_stands_beside_a_loss_that_is_an_error(
    tmp_path: Path, digits: Dataset, choices: dict[str, object], monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[float | None] = []
    write = training.Report.write

    def noted(self: training.Report, phase: str, *others: object) -> None:
        write(self, phase, *others)
        if phase == "training":
            told.append(json.loads((self.folder / "status.json").read_text())["pca"])

    monkeypatch.setattr(training.Report, "write", noted)
    run = learn(tmp_path / "x", **choices)
    pca = run.card.training.pca_validation
    assert told and set(told) == {pca}
    if choices and "noise" not in choices:
        assert pca is None
        return
    samples = datasets.arrays(digits).samples[digits.splits() == VALIDATION].astype(np.float32) / 255
    if not choices:
        errors = metrics.squared_errors(samples, metrics.through_pca(run.baseline, samples))
        assert pca == pytest.approx(errors.mean(), rel=1e-5)
    assert 0.5 * run.metric("pca_mse") < pca < 2 * run.metric("pca_mse")


def test_other_rows_than_a_checkpoint_s_are_not_gone_on_with(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(training.loop, "CHECKPOINT", 0.0)
    asked = runs.configure({"dataset": "digits", "architecture": "single-layer", "epochs": 4})
    folder = fresh(home / "x")
    finish = training.fitting.finish
    monkeypatch.setattr(training.fitting, "finish", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
    with pytest.raises(KeyboardInterrupt):
        training.train(asked, folder, tsne=50)
    monkeypatch.setattr(training.fitting, "finish", finish)
    assert training.train(asked, folder, tsne=50, stored=1000).count == 1000


@pytest.mark.parametrize(
    "choices", [{"shift": 1}, {"distortion": 0.1}, {"architecture": "variational", "annealing": 1.0}]
)
def test_what_else_shapes_a_training_has_an_effect(tmp_path: Path, choices: dict[str, object]) -> None:
    assert not same(
        learn(tmp_path / "a", **choices),
        learn(tmp_path / "b", architecture=choices.get("architecture", "single-layer")),
    )


@pytest.mark.parametrize("able", [True, False])
def test_bfloat16_only_where_the_processor_has_it_and_a_step_is_worth_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, able: bool
) -> None:
    monkeypatch.setattr(torch.cpu, "_is_avx512_bf16_supported", lambda: able, raising=False)
    monkeypatch.setattr(torch.cpu, "_is_amx_tile_supported", lambda: False, raising=False)
    # 50 million products of 128 samples; the single-layer's are 33 thousand.
    large = {"architecture": "wide", "epochs": 1}
    for batch, expected in ((128, "bfloat16" if able else "float32"), (32, "float32")):
        run = learn(tmp_path / str(batch), **large, batch_size=batch)
        assert run.card.training.precision == expected
    assert learn(tmp_path / "small").card.training.precision == "float32"


@pytest.mark.parametrize("architecture", ["modern", "variational"])
def test_products_in_bfloat16_learn_as_well(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, architecture: str) -> None:
    """And the article's recipe stays with what the article used."""
    monkeypatch.setattr(training.loop, "precision", lambda _: "bfloat16")
    half = learn(tmp_path / "a", architecture=architecture, epochs=12)
    assert half.card.training.precision == "bfloat16"
    assert learn(tmp_path / "c", recipe="article").card.training.precision == "float32"
    monkeypatch.setattr(training.loop, "precision", lambda _: "float32")
    full = learn(tmp_path / "b", architecture=architecture, epochs=12)
    assert half.metric("mse") == pytest.approx(full.metric("mse"), rel=0.1) and not same(half, full)


# Stopping


@pytest.fixture
def stopping(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Asks for the end as soon as this many epochs are logged."""

    def after(epochs: int, stop_request: str = "keep") -> None:
        log = training.Training._log

        def logged(work: training.Training, line: dict[str, object], frame: bool) -> None:
            log(work, line, frame)
            if line["epoch"] == epochs:
                engine.control(work.folder, 1, stop_request)

        monkeypatch.setattr(training.Training, "_log", logged)
        monkeypatch.setattr(training.report, "LOOK", 0.0)

    return after


def test_a_stopped_run_keeps_what_it_learnt_under_an_id_of_its_own(home: Path, stopping: Callable[[int], None]) -> None:
    stopping(2)
    asked = runs.configure({"dataset": "digits", "architecture": "single-layer", "epochs": 9})
    run = training.train(asked, engine.active(asked.id), engine.claim(asked.id))
    assert run.id != asked.id
    assert run.configuration == dataclasses.replace(asked, stopped_after=2) and run.id == run.configuration.id
    assert run.card.training.epochs == 2 and len(run.history()) == 2
    engine.finished(asked.id, run)
    engine.adopt(run, SHELL, asked)
    assert engine.status(asked.id) == engine.Status(run.id, "done")
    assert runs.open_run(runs.folder_of(run.id)).id == run.id
    with pytest.raises(Problem, match="no finished run"):
        runs.folder_of(asked.id)


def test_a_cool_down_is_an_epoch_of_its_own_and_makes_another_run(
    tmp_path: Path, stopping: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    # By a clock that goes on by so much whenever it is looked at: on a busy machine half a second has few steps.
    ticks = itertools.count()
    monkeypatch.setattr(training.loop, "COOL", 0.5)
    monkeypatch.setattr(training.loop, "clock", lambda: next(ticks) / 100)
    kept = {}
    for stop_request in ("keep", "cool"):
        with monkeypatch.context():
            stopping(6, stop_request)
            kept[stop_request] = learn(tmp_path / stop_request, architecture="modern", epochs=500)
    plain, cooled = kept["keep"], kept["cool"]
    assert plain.configuration.stopped_after == 6 and not plain.configuration.cooled
    assert cooled.configuration.stopped_after == 7 == len(cooled.history()) and cooled.configuration.cooled > 10
    # Another one, without cool-down, that ends after as many epochs, is another run too.
    alone = dataclasses.replace(cooled.configuration, cooled=0)
    assert len({plain.id, cooled.id, alone.id}) == 3
    last = cooled.history()[-1]
    assert last["epoch"] == 7 and last["learning_rate"] < 0.1 * cooled.history()[-2]["learning_rate"]
    assert last["seconds"] > 0.5 and last["validation"] < min(line["validation"] for line in plain.history())
    steps, batch = cooled.configuration.cooled, cooled.configuration.batch_size
    # Its speed is of its own samples and seconds; the last batch of an epoch is smaller.
    assert 0.8 * steps * batch < last["samples_per_second"] * last["seconds"] <= steps * batch
    told = cooled.card.training
    assert told.best_epoch == 7 and told.seconds >= sum(line["seconds"] for line in cooled.history())
    assert cooled.metric("mse") < plain.metric("mse")
    # The replay ends with what was kept, wherever among its planned epochs that was.
    for run in (plain, cooled):
        epochs = run.card.replay.epochs
        assert epochs[-1] == run.card.training.best_epoch and list(epochs) == sorted(set(epochs))
        frames = np.fromfile(run.folder / "replay" / "codes.f32", np.float32).reshape(len(epochs), -1, 2)
        index = np.fromfile(run.folder / "replay" / "index.i32", np.int32)
        np.testing.assert_allclose(frames[-1], run.codes[index], atol=1e-5)
        assert runs.open_run(run.folder).digest == run.digest


def test_a_run_stopped_while_beta_rises_keeps_its_last_epoch(tmp_path: Path, stopping: Callable[..., None]) -> None:
    """With all of beta the loss is least when the code is hardly used yet."""
    stopping(30)
    run = learn(tmp_path / "x", architecture="variational", annealing=0.5, epochs=600, learning_rate=0.002)
    seen = [line["validation"] for line in run.history()]
    assert run.card.training.best_epoch == 30 and min(seen) < seen[-1]
    assert run.metric("mse") < run.metric("pca_mse")


def test_the_best_epoch_is_one_with_all_of_beta(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    measured = iter([1.0, 2.0, 9.0, 7.0, 8.0, 7.5])
    monkeypatch.setattr(training.objective.Objective, "mean", lambda *_: next(measured))
    run = learn(tmp_path / "x", architecture="variational", annealing=0.5, epochs=6)
    assert run.card.training.best_epoch == 4


def test_the_article_has_no_cool_down(tmp_path: Path, stopping: Callable[..., None]) -> None:
    stopping(3, "cool")
    run = learn(tmp_path / "x", recipe="article", epochs=200)
    assert run.configuration.stopped_after == 3 == run.card.training.best_epoch and not run.configuration.cooled
    assert run.card.replay.epochs[-1] == 3


def test_a_training_without_a_known_end(
    tmp_path: Path, stopping: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its rate is soon whole, falls slowly, and ends at zero if it ever comes to its last step; nobody counts to that."""
    told: list[str] = []
    write = training.Report.write
    monkeypatch.setattr(
        training.Report,
        "write",
        lambda report, phase, what, share: (told.append(what), write(report, phase, what, share)),
    )
    rates = [training.schedule(step, 1_000_000, "open-ended") for step in (0, 49, 99, 2_999, 11_999, 999_999)]
    assert rates == pytest.approx([0.01, 0.5, 1, 1, 0.5, 0], abs=2e-3)
    assert training.schedule(99, 1_000_000) < 0.01  # ours would still be warming up
    chosen = runs.configure({"dataset": "digits", "architecture": "modern", "recipe": "open-ended", "epochs": 9000})
    frames = runs.frame_epochs(chosen)
    assert frames[0] == 1 and frames[-1] == 9000 and len(frames) <= runs.FRAMES
    assert sum(epoch <= 30 for epoch in frames) >= 8
    stopping(30, "cool")
    run = learn(tmp_path / "x", architecture="modern", recipe="open-ended", epochs=9000)
    assert run.metric("mse") < 0.75 * run.metric("pca_mse") and len(run.card.replay.epochs) >= 8
    assert "epoch 30" in told and not any("9000" in words for words in told)
    with pytest.raises(Problem, match="whose length is known"):
        runs.configure({"dataset": "digits", "architecture": "variational", "recipe": "open-ended", "annealing": 0.5})


def test_a_run_stopped_before_its_first_epoch_leaves_nothing(
    home: Path, stopping: Callable[[int], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(training.report, "LOOK", 0.0)
    asked = runs.configure({"dataset": "digits", "architecture": "single-layer", "epochs": 9})
    attempt = engine.claim(asked.id)
    engine.control(engine.active(asked.id), attempt, "keep")
    with pytest.raises(training.Stopped):
        training.train(asked, engine.active(asked.id), attempt)
    assert not (home / "runs").exists()


# Going on from a checkpoint


@pytest.mark.parametrize(
    ("architecture", "noise", "recipe"),
    [("variational", "none", "hourglass"), ("modern", "gaussian", "hourglass"), ("single-layer", "none", "article")],
)
def test_what_was_killed_goes_on_to_the_same_weights(
    home: Path, monkeypatch: pytest.MonkeyPatch, architecture: str, noise: str, recipe: str
) -> None:
    """Cut off after the line of epoch 4 and before its checkpoint, then in the middle of epoch 6."""
    monkeypatch.setattr(training.loop, "CHECKPOINT", 0.0)
    choices = {"dataset": "digits", "architecture": architecture, "code_size": 3, "epochs": 7, "recipe": recipe}
    asked = runs.configure(choices | {"noise": noise, "noise_level": 0.2})
    whole = training.train(asked, fresh(home / "undisturbed"), tsne=50)
    expected = (whole.folder / "weights.safetensors").read_bytes()

    folder, steps = engine.active(asked.id), itertools.count()
    save, terms = training.Training._checkpoint, training.objective.Objective.terms

    def cut(work: training.Training, at: training.checkpoints.Progress, *others: object) -> None:
        if at.epoch == 4:
            raise KeyboardInterrupt
        save(work, at, *others)

    monkeypatch.setattr(training.Training, "_checkpoint", cut)
    with pytest.raises(KeyboardInterrupt):
        training.train(asked, folder, engine.claim(asked.id), tsne=50)
    assert len(engine.progress(asked.id)) == 4  # the line came first
    monkeypatch.setattr(training.Training, "_checkpoint", save)

    def cut_between(self: training.objective.Objective, *others: object, **named: object) -> object:
        if len(engine.progress(asked.id)) == 5 and next(steps) == 3:
            raise KeyboardInterrupt
        return terms(self, *others, **named)

    monkeypatch.setattr(training.objective.Objective, "terms", cut_between)
    with pytest.raises(KeyboardInterrupt):
        training.train(asked, folder, engine.claim(asked.id), tsne=50)
    assert [line["epoch"] for line in engine.progress(asked.id)] == [1, 2, 3, 4, 5]
    monkeypatch.setattr(training.objective.Objective, "terms", terms)

    run = training.train(asked, folder, engine.claim(asked.id), tsne=50)
    assert (run.folder / "weights.safetensors").read_bytes() == expected
    plain = [
        [{k: v for k, v in line.items() if k not in ("seconds", "samples_per_second")} for line in r.history()]
        for r in (run, whole)
    ]
    assert plain[0] == plain[1] and len(plain[0]) == 7
    np.testing.assert_array_equal(*(np.fromfile(r.folder / "replay" / "codes.f32", "<f4") for r in (run, whole)))


@pytest.fixture(scope="module")
def cut_off(tmp_path_factory: pytest.TempPathFactory) -> tuple[runs.Configuration, Path, runs.Run]:
    """A configuration of four epochs, the folder of a training that was cut off in the third, and one that was not."""
    asked = runs.configure({"dataset": "digits", "architecture": "modern", "epochs": 4})
    home = tmp_path_factory.mktemp("cut-off")
    log = training.Training._log

    def cut(work: training.Training, line: dict[str, object], frame: bool) -> None:
        if line["epoch"] == 3:
            raise KeyboardInterrupt
        log(work, line, frame)

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HOURGLASS_HOME", str(home))
        patch.setattr(training.loop, "CHECKPOINT", 0.0)
        whole = training.train(asked, fresh(home / "undisturbed"), tsne=0)
        patch.setattr(training.Training, "_log", cut)
        with pytest.raises(KeyboardInterrupt):
            training.train(asked, engine.active(asked.id), engine.claim(asked.id), tsne=0)
        return asked, engine.active(asked.id), whole


@pytest.mark.parametrize("damage", ["short", "other", "lines", "absent lines"])
def test_a_damaged_checkpoint_costs_its_epochs_and_no_more(
    home: Path,
    monkeypatch: pytest.MonkeyPatch,
    damage: str,
    cut_off: tuple[runs.Configuration, Path, runs.Run],
) -> None:
    monkeypatch.setattr(training.loop, "CHECKPOINT", 0.0)
    asked, left, whole = cut_off
    engine.claim(asked.id)
    folder = Path(shutil.copytree(left, engine.active(asked.id), dirs_exist_ok=True))
    place = folder / "checkpoint.safetensors"
    if damage == "short":
        place.write_bytes(place.read_bytes()[:5000])
    elif damage == "other":
        from safetensors.numpy import save_file

        save_file({"best/x": np.zeros(3, np.float32)}, place, {"at": json.dumps({"epoch": 2})})
    elif damage == "lines":
        (folder / "history.jsonl").write_text("{}\n{}\n")
    else:
        (folder / "history.jsonl").write_text("")
    run = training.train(asked, folder, engine.claim(asked.id), tsne=0)
    assert (run.folder / "weights.safetensors").read_bytes() == (whole.folder / "weights.safetensors").read_bytes()
    assert len(run.history()) == 4


def test_an_attempt_that_was_overtaken_leaves_the_folder_alone(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = runs.configure({"dataset": "digits", "architecture": "modern", "epochs": 9})
    folder, log = engine.active(asked.id), training.Training._log

    def overtake(work: training.Training, line: dict[str, object], frame: bool) -> None:
        if line["epoch"] == 3:
            assert engine.claim(asked.id) == 2
        log(work, line, frame)

    monkeypatch.setattr(training.Training, "_log", overtake)
    with pytest.raises(training.Superseded):
        training.train(asked, folder, engine.claim(asked.id))
    assert len(engine.progress(asked.id)) == 2
    with pytest.raises(training.Superseded):
        training.train(asked, folder, 1)
    assert not (folder / "run.json").exists()


def test_training_ends_at_its_limit_of_time_with_what_was_learnt(home: Path) -> None:
    asked = runs.configure({"dataset": "digits", "architecture": "modern", "epochs": 10_000})
    run = training.train(asked, fresh(home / "x"), limit=0.2, tsne=0)
    assert 1 <= run.card.training.epochs < 100
    assert run.configuration.stopped_after == run.card.training.epochs
    assert run.configuration.cooled  # nobody is there to say whether: a schedule that is cut off would be a worse run


def fresh(folder: Path) -> Path:
    folder.mkdir(parents=True)
    return folder


# What goes wrong is told in a sentence


@pytest.mark.parametrize("loss", ["squared-error", "bernoulli"])
def test_a_loss_that_is_no_number_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, loss: str) -> None:
    plain, calls = RECONSTRUCTION[loss], itertools.count()

    def broken(out: torch.Tensor, clean: torch.Tensor) -> torch.Tensor:
        return plain(out * (torch.nan if next(calls) == 20 else 1), clean)

    monkeypatch.setitem(RECONSTRUCTION, loss, broken)
    with pytest.raises(Problem, match="infinite or not a number in epoch 2") as told:
        learn(tmp_path / "x", epochs=4, loss=loss, batch_size=128, learning_rate=0.004)
    assert "learning rate below 0.004" in told.value.do
    assert not (tmp_path / "x" / "run.json").exists()


def test_a_full_disk_is_told_and_loses_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    kept = learn(tmp_path / "kept")
    for place in ("Path.write_bytes", "os.fsync", "save_file"):
        with monkeypatch.context() as patch:
            if place == "Path.write_bytes":
                patch.setattr(Path, "write_bytes", full)
            elif place == "os.fsync":
                patch.setattr("os.fsync", full)
            else:
                patch.setattr("safetensors.numpy.save_file", full)
            with pytest.raises(Problem, match="No space left on device"):
                learn(tmp_path / place)
        assert not (tmp_path / place / "run.json").exists()
    assert runs.open_run(kept.folder).id == kept.id


def test_graphs_that_compute_something_else_never_become_a_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    gelu = architectures.get("modern").blueprint("image", (8, 8, 1), 2).encoder[3]
    monkeypatch.setattr(type(gelu), "nodes", lambda self, graph, x, shape, name: graph.add("Relu", x))
    with pytest.raises(RuntimeError, match="disagree"):
        learn(tmp_path, architecture="modern")
    assert not (tmp_path / "run.json").exists()


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="other C libraries are left as they are")
def test_a_step_uses_the_memory_of_the_step_before(tmp_path: Path) -> None:
    """As in a worker of Dask's, whose C library is told to return what is freed: pages would come anew in every step."""
    code = (
        "import resource, sys\n"
        "from pathlib import Path\n"
        "from models import runs, training\n"
        "chosen = {'dataset': 'digits', 'architecture': 'convolutional', 'epochs': 3, 'batch_size': 1024}\n"
        "train = training.train if sys.argv[1] == 'kept' else training.train.__wrapped__\n"
        "faults = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_minflt\n"
        "train(runs.configure(chosen | {'epochs': 1}), Path(sys.argv[2]) / 'first', tsne=0)\n"
        "before = faults()\n"
        "train(runs.configure(chosen), Path(sys.argv[2]) / 'second', tsne=0)\n"
        "print(faults() - before)\n"
    )
    pages = {}
    for how in ("kept", "returned"):
        folder = tmp_path / how
        (folder / "first").mkdir(parents=True)
        (folder / "second").mkdir()
        command = [sys.executable, "-c", code, how, str(folder)]
        env = {**os.environ, "MALLOC_TRIM_THRESHOLD_": "65536"}
        done = subprocess.run(command, env=env, cwd=PROJECT, capture_output=True, text=True, check=True)
        pages[how] = int(done.stdout.split()[-1])
    assert pages["kept"] < pages["returned"] / 2, pages


# Other kinds of samples


@pytest.fixture(params=["table", "signal"])
def invented(request: pytest.FixtureRequest, home: Path) -> Iterator[Dataset]:
    """A dataset of table rows or signals with two factors, present for one test."""
    shape = {"table": (11,), "signal": (20, 3)}[request.param]
    source = np.random.default_rng(3)
    factors = source.standard_normal((300, 2)).astype(np.float32)
    samples = np.tanh(factors @ source.standard_normal((2, int(np.prod(shape))))).reshape(300, *shape)

    def read() -> Arrays:
        return Arrays(samples.astype(np.float32), np.full(300, -1, np.int32), factors)

    dataset = Dataset(
        "invented", "Invented", "", request.param, shape, 300, (), "here", "none", read, factors=("one", "two")
    )
    datasets.available()["invented"] = dataset
    yield dataset
    del datasets.available()["invented"]


@pytest.mark.parametrize("architecture", ["modern", "variational"])
def test_rows_and_signals_train_too(tmp_path: Path, invented: Dataset, architecture: str) -> None:
    run = learn(
        tmp_path / "x",
        dataset="invented",
        architecture=architecture,
        loss="squared-error",
        noise="gaussian",
        noise_level=0.1,
    )
    assert run.coder.decode(run.codes[:4]).shape == (4, *invented.shape)
    assert run.metric("psnr") is None and run.metric("knn_accuracy") is None and run.metric("mse") > 0
    assert run.card.thumbnails is None
    np.testing.assert_array_equal(run.factors, datasets.arrays(invented).factors[run.rows])
    with pytest.raises(Problem, match="values in \\[0, 1\\]"):
        runs.configure({"dataset": "invented", "architecture": "modern", "loss": "bernoulli"})
    with pytest.raises(Problem, match="watermark can be put on images only"):
        runs.configure({"dataset": "invented", "architecture": "modern", "noise": "watermark"})
    with pytest.raises(Problem, match="of kind"):
        runs.configure({"dataset": "invented", "architecture": "convolutional"})


@pytest.mark.parametrize("tested", [1, 2, metrics.LEAST - 1, metrics.LEAST])
def test_a_small_test_split_is_measured_by_what_it_can_tell(tmp_path: Path, invented: Dataset, tested: int) -> None:
    """A share or a rank among three samples would be chance: it is left out, and the training ends well."""
    splits = np.full(300, TRAIN, np.uint8)
    splits[:tested], splits[tested : tested + 2] = TEST, VALIDATION
    labels = (np.arange(300) % 2).astype(np.int32)

    def read() -> Arrays:
        content = invented.read()
        return Arrays(content.samples, labels, content.factors)

    small = dataclasses.replace(invented, name="small", classes=("a", "b"), read=read, split=lambda: splits)
    datasets.available()["small"] = small
    try:
        run = learn(tmp_path / "x", dataset="small", architecture="modern", code_size=3)
    finally:
        del datasets.available()["small"]
    assert run.metric("mse") > 0
    for name in ("trustworthiness", "continuity", "knn_accuracy", "pca_knn_accuracy", "mutual_information_gap"):
        assert (run.metric(name) is not None) == (tested >= metrics.LEAST), name


@pytest.mark.parametrize("name", architectures.available())
def test_every_architecture_learns_digits(name: str) -> None:
    """The loss falls from epoch to epoch, and the sealed run is whole."""
    run = trained(architecture=name, epochs=4)
    losses_ = [line["validation"] for line in run.history()]
    assert losses_[-1] < losses_[0] and run.card.training.best_epoch > 1
    assert json.loads((run.folder / "run.json").read_text())["architecture"]["name"] == name

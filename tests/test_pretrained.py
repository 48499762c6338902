"""Every run that ships: whole, small, as its card says, and better than PCA unless it says so."""

from pathlib import Path

import numpy as np
import pytest
import torch
from conftest import needs_data
from safetensors.numpy import load_file

from models import PRETRAINED, datasets, runs, training
from models.analysis import card, metrics, reconstruct
from models.runs.zoo import ZOO

SHIPPED = sorted(path.name for path in PRETRAINED.iterdir() if path.is_dir())
NEEDED = {
    *(
        f"digits-{name}"
        for name in ("single-layer", "multi-layer", "convolutional", "variational", "modern-8", "denoising")
    ),
    *(f"mnist-{name}" for name in ("wide", "narrow", "variational", "modern-30", "denoising")),
    *(f"fashion-mnist-{name}" for name in ("modern", "variational", "modern-16")),
    *(f"{data}-convolutional-variational{size}" for data in ("cats", "shapes") for size in ("", "-2")),
    *(f"{data}-modern-convolutional-2" for data in ("cats", "shapes")),
}


def opened(name: str) -> runs.Run:
    return runs.open_run(PRETRAINED / name)


def test_all_that_should_ship_ships_and_can_be_made_again() -> None:
    assert set(SHIPPED) >= NEEDED
    assert set(SHIPPED) <= set(ZOO)


def test_together_under_forty_megabytes() -> None:
    assert sum(path.stat().st_size for path in PRETRAINED.rglob("*") if path.is_file()) < 40e6


def test_the_table_is_what_the_runs_say() -> None:
    assert (PRETRAINED / "README.md").read_text() == card.index([opened(name) for name in SHIPPED])


@pytest.mark.parametrize("name", SHIPPED)
def test_whole_and_as_its_card_says(name: str) -> None:
    run = opened(name)
    assert (run.folder / "card.md").read_text() == card.text(run, name)
    assert run.configuration.check() == runs.configure(ZOO[name].choices)
    assert run.id == run.configuration.id_of(run.card.recipe)
    assert np.isfinite(run.codes).all()


@pytest.mark.parametrize("name", SHIPPED)
def test_better_than_pca_unless_it_has_one_layer(name: str) -> None:
    run = opened(name)
    mse, pca = run.metric("mse"), run.metric("pca_mse")
    assert mse is not None and pca is not None
    if run.configuration.architecture != "single-layer":
        assert mse < pca


@pytest.mark.parametrize("name", SHIPPED)
def test_small_enough_to_open_at_once(name: str) -> None:
    """What a browser fetches of a decoder: its weights, stored as float16."""
    weights = load_file(opened(name).folder / "weights.safetensors")
    assert sum(value.nbytes for part, value in weights.items() if part.startswith("decoder")) < 2.5e6


def test_what_the_project_says_of_its_best_runs() -> None:
    """The figures that README quotes; a run made anew has to reach them again."""
    assert opened("mnist-wide").metric("mse") <= 0.0310
    small = opened("mnist-narrow")
    assert small.metric("mse") <= 0.0325 and small.card.architecture.parameters <= 350_000
    assert opened("mnist-variational").metric("negative_elbo") < 133
    assert opened("mnist-modern-30").metric("squared_error") < 2.1
    assert opened("fashion-mnist-modern").metric("mse") <= 0.0222
    for name, most in (("mnist-denoising", 1.5e6), ("digits-denoising", 1e6)):
        assert opened(name).configuration.noise == "mixed"
        assert sum(file.bytes for file in opened(name).card.files.values()) < most
    cats = opened("cats-convolutional-variational")
    test = cats.splits == datasets.TEST
    told = metrics.factor_scores(cats.codes[test], cats.factors[test])
    assert sum(told[d, k] >= 0.7 for d, k in metrics.own_dimensions(told)) == 9
    for name, times in (
        ("mnist-wide", 1.7),
        ("mnist-narrow", 1.7),
        ("mnist-variational", 1.7),
        ("mnist-modern-30", 3),
        ("fashion-mnist-modern", 2),
        ("fashion-mnist-variational", 2),
        ("fashion-mnist-modern-16", 2.2),
    ):
        run = opened(name)
        assert run.metric("mse") < run.metric("pca_mse") / times


@pytest.mark.parametrize("name", SHIPPED)
def test_no_shipped_run_holds_what_is_not_of_a_run_or_may_not_be_shipped(name: str) -> None:
    run = opened(name)
    there = {str(path.relative_to(run.folder)) for path in run.folder.rglob("*") if path.is_file()}
    assert there == {"run.json", *run.card.files, *runs.DERIVED}  # no checkpoint, and no image of the dataset
    assert there <= {"run.json", *runs.REQUIRED, *runs.OPTIONAL, *runs.DERIVED}


@pytest.mark.parametrize("name", SHIPPED)
def test_stored_errors_are_those_of_the_weights(name: str) -> None:
    """200 test samples through the shipped graphs give the errors and codes that ship with them."""
    run = opened(name)
    dataset = datasets.get(run.configuration.dataset)
    if datasets.missing(dataset):
        needs_data(dataset.name)  # in CI the data must be there
        pytest.skip(f"{dataset.name} is not at hand")
    places = np.flatnonzero(run.splits == datasets.TEST)[:200]
    rows = run.rows[places].astype(np.int64)
    again = reconstruct.rows(run, rows)
    np.testing.assert_allclose(again.errors, run.errors[places], atol=1e-4)
    codes = run.coder.encode(again.clean)
    np.testing.assert_allclose(codes, run.codes[places], atol=1e-3, rtol=1e-3)


# Ten thousand images through a large network take a minute: of networks that are alike one is measured whole, and the others by
# what is stored of them.
STORED = {
    "cats-convolutional-variational",
    "cats-convolutional-variational-2",
    "cats-modern-convolutional-2",
    "digits-denoising",
    "fashion-mnist-modern",
    "fashion-mnist-variational",
    "mnist-denoising",
    "mnist-modern-30",
    "mnist-narrow",
    "mnist-wide",
    "shapes-convolutional-variational-2",
    "shapes-modern-convolutional-2",
}


@pytest.mark.parametrize("name", sorted(STORED))
def test_the_error_on_a_card_is_that_of_the_stored_samples(name: str) -> None:
    """Whose errors and codes are those of the weights, as `test_stored_errors_are_those_of_the_weights` has it."""
    run = opened(name)
    test, train = run.splits == datasets.TEST, run.splits == datasets.TRAIN
    error = next(metric for metric in run.card.metrics if (metric.name, metric.split) == ("mse", "test"))
    if error.count == test.sum():
        assert error.value == pytest.approx(float(run.errors[test].mean()), rel=1e-4)
    else:  # small ones keep a part of the test samples, and their mean error lies about that of all
        away = 4 * run.errors[test].std() / np.sqrt(test.sum())
        assert test.sum() >= 500 and error.value == pytest.approx(float(run.errors[test].mean()), abs=away)
    assert run.metric("psnr") == pytest.approx(metrics.psnr(error.value), abs=1e-3)
    if not train.any():
        return
    share = metrics.knn_accuracy(run.codes[train], run.labels[train], run.codes[test], run.labels[test])
    assert (
        -0.06 < share - (run.metric("knn_accuracy") or 0) < 0.03
    )  # the card's is by all training codes, these are fewer


@pytest.mark.parametrize("name", sorted({*SHIPPED} - STORED))
def test_every_number_on_a_card_is_measured_again_from_the_weights(name: str, tmp_path: Path) -> None:
    """But how well t-SNE of the samples keeps classes apart: no weights have a part in it, and it takes a minute."""
    run = opened(name)
    dataset = datasets.get(run.configuration.dataset)
    if datasets.missing(dataset):
        needs_data(dataset.name)
        pytest.skip(f"{dataset.name} is not at hand")
    content, report = datasets.arrays(dataset), training.Report(tmp_path, run.configuration, 1)
    work = training.Training(run.configuration, dataset, content, tmp_path, report, torch.device("cpu"))
    stored = load_file(run.folder / "weights.safetensors")
    work.network.load({part: torch.from_numpy(value.astype(np.float32)) for part, value in stored.items()})
    baseline = metrics.fit_pca(work.training.numpy(), run.code_size)
    found, kl = training.measuring.measure(work, baseline, tsne=False)
    told = {metric.name: metric for metric in run.card.metrics}
    later = {"mean_mse"}  # came after these cards were written
    assert {metric.name for metric in found} - later == set(told) - later - {"tsne_knn_accuracy"}
    for metric in found:
        if metric.name not in told:
            continue
        shown = told[metric.name]
        assert (metric.split, metric.count) == (shown.split, shown.count)
        two = 2 / metric.count if shown.unit == "share right" else 0  # samples that lie between two neighbours
        assert metric.value == pytest.approx(shown.value, rel=2e-4, abs=two), metric.name
    if kl is not None:
        assert kl == pytest.approx(np.array(run.card.codes.kl), rel=2e-3, abs=1e-4)

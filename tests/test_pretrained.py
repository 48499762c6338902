"""Every run that ships: whole, small, as its card says, and better than PCA unless it says so."""

import numpy as np
import pytest
from conftest import needs_data

from models import PRETRAINED, card, datasets, reconstruct, runs
from models.zoo import ZOO

SHIPPED = sorted(path.name for path in PRETRAINED.iterdir() if path.is_dir())
NEEDED = {
    *(f"digits-{name}" for name in ("single-layer", "multi-layer", "convolutional", "variational")),
    *(f"{data}-{name}" for data in ("mnist", "fashion-mnist") for name in ("modern", "variational", "deep")),
    "cats-convolutional-variational",
    "shapes-convolutional-variational",
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
    assert run.configuration.check() == runs.configuration(ZOO[name].choices)
    assert run.id == run.configuration.id_of(run.about["recipe"])
    assert np.isfinite(run.codes).all()


@pytest.mark.parametrize("name", SHIPPED)
def test_better_than_pca_unless_it_has_one_layer(name: str) -> None:
    run = opened(name)
    mse, pca = run.metric("mse"), run.metric("pca_mse")
    assert mse is not None and pca is not None
    if run.configuration.architecture != "single-layer":
        assert mse < pca


@pytest.mark.parametrize("name", SHIPPED)
def test_no_shipped_run_holds_images_that_may_not_be_shipped(name: str) -> None:
    for file in opened(name).about["files"]:
        assert "thumbnails" not in file and "strip" not in file


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

"""Runs side by side in a real browser: one hand on all maps, a lasso lit in all, what changed, the link, the page that leaves."""

import math
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from conftest import ROOT, shared
from playwright.sync_api import Locator, Page, expect

from models import codes, runs

DIGITS = ("digits-single-layer", "digits-multi-layer", "digits-convolutional", "digits-variational")
READY = '[data-testid="comparison"][data-ready="true"]'


# How many points each drawing of points draws, from now on.
COUNT_POINTS = """() => {
  const { drawArrays } = WebGL2RenderingContext.prototype;
  window.pointsDrawn = [];
  WebGL2RenderingContext.prototype.drawArrays = function (mode, first, count) {
    if (mode === this.POINTS) window.pointsDrawn.push(count);
    return drawArrays.call(this, mode, first, count);
  };
}"""


def explorers(page: Page) -> Locator:
    return page.locator('[data-testid="latent-explorer"][data-ready="true"]')


def code_of(explorer: Locator) -> np.ndarray:
    return np.array([float(value) for value in (explorer.get_attribute("data-code") or "").split(",")], np.float32)


def pixels(explorer: Locator) -> str:
    canvas = explorer.get_by_test_id("decoded-sample")
    return str(canvas.evaluate("canvas => canvas.toDataURL()"))


def place(page: Page, map_: int, x: float, y: float) -> tuple[float, float]:
    box = page.get_by_test_id("latent-map").nth(map_).bounding_box()
    assert box
    return box["x"] + x * box["width"], box["y"] + y * box["height"]


def test_four_networks_on_the_same_digits(window: Callable[..., Page], app: str) -> None:
    page = window()
    page.goto(f"{app}/compare?runs={','.join(DIGITS)}")
    page.wait_for_selector(READY)
    expect(explorers(page)).to_have_count(4)
    stored = [runs.open_run(runs.folder_of(name)) for name in DIGITS]
    expect(page.get_by_test_id("compared-sample")).to_contain_text("The sample itself")
    for one in explorers(page).all():  # all begin with the same sample
        expect(one.locator(".hg-made")).to_contain_text("reconstruction, error 0.")
    before = [pixels(one) for one in explorers(page).all()]

    # One hand, all decoders: each code is the inverse-distance mean of the eight nearest samples, in its own space.
    page.mouse.move(*place(page, 1, 0.47, 0.42))
    for one, picture in zip(explorers(page).all(), before, strict=True):
        expect(one).not_to_have_attribute("data-code", "")
        page.wait_for_function("([one, picture]) => one.querySelector('[data-testid=decoded-sample]').toDataURL() !== picture", arg=[one.element_handle(), picture])  # fmt: skip
    found = [code_of(one) for one in explorers(page).all()]
    guides, apart = codes.nearest(stored[1].codes, found[1], 8)
    weights = 1 / np.square(apart.astype(np.float64))
    for run, code in zip(stored, found, strict=True):
        if run is not stored[1]:
            places = [int(np.flatnonzero(run.rows == row)[0]) for row in stored[1].rows[guides]]
            expected = weights @ run.codes[places] / weights.sum()
            np.testing.assert_allclose(code, expected, atol=2e-3 * np.ptp(run.codes))

    # One sample, all models.
    explorers(page).nth(2).get_by_test_id("random-sample").click()
    expect(page.get_by_test_id("compared-sample")).to_contain_text("The sample itself")
    for one in explorers(page).all():
        expect(one.locator(".hg-made")).to_contain_text("reconstruction, error 0.")
    expect(page).to_have_url(re.compile(r"held=\d+"))
    row = int(re.findall(r"held=(\d+)", page.url)[0])
    for run, one in zip(stored, explorers(page).all(), strict=True):
        np.testing.assert_allclose(code_of(one), run.codes[np.flatnonzero(run.rows == row)[0]], atol=1e-4)

    # One lasso.
    page.get_by_test_id("compare-lasso").click()
    x, y = place(page, 0, 0.5, 0.5)
    page.mouse.move(x + 60, y)
    page.evaluate(COUNT_POINTS)
    page.mouse.down()
    for step in range(1, 20):
        page.mouse.move(x + 60 * math.cos(step / 3), y + 60 * math.sin(step / 3))
    page.mouse.up()
    lines = page.get_by_test_id("went").locator("tbody tr")
    expect(lines).to_have_count(4)
    expect(lines.nth(3).locator("td").nth(4)).to_contain_text("%")
    counts = {line.locator("td").nth(1).inner_text() for line in lines.all()}
    assert len(counts) == 1 and int(min(counts)) > 20
    assert page.evaluate("() => window.pointsDrawn") == 4 * [int(counts.pop())], "no other points are drawn for it"

    # What changed.
    page.get_by_test_id("count-kept").click()
    expect(page.get_by_test_id("kept")).to_contain_text("of its 15 nearest neighbours")
    expect(page.get_by_test_id("compare-colour")).to_have_value("kept")
    first_map = page.get_by_test_id("latent-map").first
    start = first_map.screenshot()
    page.get_by_test_id("between").fill("0.5")
    expect(page.get_by_test_id("fit")).to_contain_text("% of the variance does not fit")
    becomes_another(first_map, start)

    # The link, in another browser.
    page.get_by_test_id("compare-colour").select_option("error")
    page.get_by_test_id("compare-aligned").uncheck()
    expect(page).to_have_url(re.compile("colour=error.*aligned=no|aligned=no.*colour=error"))
    other = window(viewport={"width": 390, "height": 844})
    other.goto(page.url)
    other.wait_for_selector(READY)
    expect(other.get_by_test_id("compare-colour")).to_have_value("error")
    expect(other.get_by_test_id("compare-aligned")).not_to_be_checked()
    np.testing.assert_allclose(
        code_of(explorers(other).nth(0)), stored[0].codes[np.flatnonzero(stored[0].rows == row)[0]], atol=1e-4
    )
    boxes = [one.bounding_box() for one in other.get_by_test_id("latent-map").all()]
    assert all(box and box["x"] >= 0 and box["x"] + box["width"] <= 390 for box in boxes)


def test_each_map_by_itself(window: Callable[..., Page], app: str) -> None:
    page = window()
    page.goto(f"{app}/compare?runs={','.join(DIGITS[:2])}&together=no")
    page.wait_for_selector(READY)
    first, second = explorers(page).nth(0), explorers(page).nth(1)
    second.get_by_test_id("colour").select_option("error")
    expect(first.get_by_test_id("colour")).to_have_value("class")
    page.get_by_test_id("compare-together").check()
    expect(page.get_by_test_id("compare-colour")).to_have_value("class")
    page.get_by_test_id("compare-layer").select_option("density")
    expect(page).to_have_url(re.compile("layer=density"))
    page.get_by_test_id("compare-together").uncheck()
    expect(second.get_by_test_id("layer")).to_have_value("density")


def becomes_another(first_map: Locator, start: bytes) -> None:
    """Wait until a map looks otherwise than it did: its points are on their way."""
    for _ in range(1200):
        if first_map.screenshot() != start:
            return
        first_map.page.wait_for_timeout(100)
    raise AssertionError("the points stand still")


@pytest.mark.usefixtures("umap")
def test_samples_move_between_a_map_and_a_umap_where_it_is_installed(
    window: Callable[..., Page], app: str, app_home: Path
) -> None:
    ids = [shared(app_home, code_size=3, epochs=1, seed=seed).id for seed in (31, 32)]
    page = window()
    page.goto(f"{app}/compare?runs={','.join(ids)}")
    page.wait_for_selector(READY)
    options = page.get_by_test_id("between-from").locator("option").all_inner_texts()
    assert "Single-layer, seed 31, t-SNE" in options and "Single-layer, seed 32, UMAP" in options
    page.get_by_test_id("between-to").select_option(label="Single-layer, seed 32, UMAP")
    first_map = page.get_by_test_id("latent-map").first
    start = first_map.screenshot()
    page.get_by_test_id("between").fill("0.7")
    expect(page.get_by_test_id("fit")).to_contain_text("Single-layer, seed 32, UMAP was turned")
    becomes_another(first_map, start)


def test_the_page_that_leaves_is_alive_on_a_disk(window: Callable[..., Page], tmp_path: Path) -> None:
    file = tmp_path / "compared.html"
    command = [sys.executable, "-m", "models", "export", *DIGITS, "--what", "page", "--out", str(file)]
    subprocess.run(command, cwd=ROOT, check=True)
    page = window()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(file.as_uri())
    page.wait_for_selector(READY)
    expect(explorers(page)).to_have_count(4)
    page.mouse.click(*place(page, 1, 0.45, 0.5))
    page.wait_for_function("() => location.hash.includes('held=2')")
    first = runs.open_run(runs.folder_of(DIGITS[0]))
    decoded = code_of(explorers(page).nth(0))
    low, high = np.array(first.card.codes.low), np.array(first.card.codes.high)
    assert ((decoded >= low) & (decoded <= high)).all()
    word, about = page.get_by_text("PSNR (dB)", exact=True), page.get_by_text("10 dB more is a tenth")
    expect(about).to_be_hidden()
    word.click()
    expect(about).to_be_visible()
    again = window()
    again.goto(page.url)
    again.wait_for_selector(READY)
    np.testing.assert_allclose(code_of(explorers(again).nth(0)), decoded, atol=1e-3)
    assert all(url.startswith(("file:", "blob:", "data:")) for url in asked)

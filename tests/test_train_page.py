"""The page Train as people see it: what matters is in sight, the map and the samples while it learns, the explorer after."""

import re
import shutil
import threading
from collections.abc import Callable
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import numpy as np
import pytest
from engines import held
from playwright.sync_api import Locator, Page, WebSocketRoute, expect

from components import pictures
from models import runs

LAPTOP = {"viewport": {"width": 1366, "height": 768}}
PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}
ROOT = '[data-testid="latent-explorer"]'
MAP = 'canvas[data-testid="latent-map"]'


def train(page: Page) -> Locator:
    return page.get_by_role("button", name="Train", exact=True)


def forming(page: Page) -> Locator:
    return page.locator(".st-key-forming .js-plotly-plot")


@pytest.mark.parametrize("dataset", ["digits", "shapes"])
def test_on_a_phone_the_button_is_in_sight(app: str, window: Callable[..., Page], dataset: str) -> None:
    page = window(**PHONE)
    page.goto(f"{app}/train?dataset={dataset}")
    for label in ("Dataset", "Architecture", "Code size D"):
        expect(page.get_by_label(label, exact=True)).to_be_in_viewport(ratio=1)
    expect(train(page)).to_be_in_viewport(ratio=1)
    expect(page.get_by_label("Epochs", exact=True)).not_to_be_visible()
    page.get_by_text("More", exact=True).click()
    expect(page.get_by_label("Epochs", exact=True)).to_be_visible()


def test_the_map_is_in_sight_while_it_forms_and_becomes_the_explorer(
    app: str, app_home: Path, window: Callable[..., Page]
) -> None:
    page = window(**LAPTOP)
    page.goto(f"{app}/train?dataset=digits&architecture=modern&epochs=9000&seed=66")
    expect(page.locator(".st-key-hourglass .js-plotly-plot")).to_be_in_viewport(ratio=1)
    train(page).click()
    expect(forming(page)).to_be_in_viewport(ratio=1, timeout=180_000)
    expect(page.get_by_alt_text("originals and reconstructions")).to_be_in_viewport(ratio=1)
    with held(app_home):
        for button in ("Train", "Stop and keep it", "Cancel"):
            expect(page.get_by_role("button", name=button, exact=True)).to_be_in_viewport(ratio=1)
        small = page.locator(".st-key-small-hourglass .js-plotly-plot")
        expect(small).to_be_visible()
        formed, glass = forming(page).bounding_box(), small.bounding_box()
    assert formed is not None and glass is not None
    assert glass["height"] < formed["height"] / 2 and glass["width"] < formed["width"]

    page.get_by_role("button", name="Stop and keep it").click()
    explorer = page.locator(f'{ROOT}[data-ready="true"]')
    expect(explorer).to_be_visible(timeout=180_000)
    page.wait_for_url(lambda url: urlsplit(url).path == "/train")
    there = page.locator(MAP).bounding_box()
    assert there is not None and abs(there["x"] - formed["x"]) < 20 and there["y"] <= formed["y"]
    for button in (page.locator(".st-key-leave-for-Explore button"), page.get_by_role("button", name="Share")):
        expect(button).to_be_in_viewport(ratio=1)
    before = explorer.get_attribute("data-code") or ""
    page.locator(MAP).click(position={"x": 200, "y": 150})
    expect(explorer).not_to_have_attribute("data-code", before)
    run, code = explorer.get_attribute("data-run"), explorer.get_attribute("data-code")

    page.get_by_role("button", name="Share").click()
    link = page.get_by_test_id("stPopoverBody").locator("code")
    expect(link).to_contain_text("z=")
    shared = parse_qs(urlsplit(link.inner_text().replace("\n", "")).query)
    assert shared["run"] == [run] and runs.open_run(app_home / "runs" / shared["run"][0]).id == run
    at = np.array((code or "").split(","), float)
    np.testing.assert_allclose(np.array(shared["z"][0].split(","), float), at, rtol=1e-3)
    page.keyboard.press("Escape")
    page.locator(".st-key-leave-for-Explore button").click()
    page.wait_for_url(lambda url: urlsplit(url).path == "/")
    expect(page.get_by_text(re.compile("Each of 1,797 points"))).to_be_visible()
    expect(explorer).to_have_attribute("data-run", run or "")
    np.testing.assert_allclose(np.array((explorer.get_attribute("data-code") or "").split(","), float), at, rtol=1e-3)


@pytest.mark.own_window
def test_the_map_of_a_result_does_not_take_one_back(
    app: str, app_home: Path, digits_run: runs.Run, window: Callable[..., Page]
) -> None:
    """What it reports while a slow server still draws the page that a button leads to would choose Train again."""
    shutil.copytree(digits_run.folder, app_home / "runs" / digits_run.id, dirs_exist_ok=True)
    page, held, slow = window(**LAPTOP), list[tuple[WebSocketRoute, str | bytes]](), threading.Event()

    def between(here: WebSocketRoute) -> None:
        server = here.connect_to_server()
        here.on_message(server.send)
        server.on_message(lambda words: held.append((here, words)) if slow.is_set() else here.send(words))

    page.route_web_socket(re.compile("_stcore/stream"), between)
    page.goto(f"{app}/train?training={digits_run.id}")
    expect(page.locator(f'{ROOT}[data-ready="true"]')).to_be_visible()
    page.wait_for_timeout(1000)  # longer than the map waits before it reports
    slow.set()
    page.locator(".st-key-leave-for-Explore button").click()
    page.get_by_test_id("zoom-in").click()
    page.wait_for_timeout(1000)
    slow.clear()
    for here, words in held:
        here.send(words)
    page.wait_for_url(lambda url: urlsplit(url).path == "/")
    expect(page.get_by_text("Each of 1,797 points")).to_be_visible()
    page.wait_for_load_state("networkidle")
    assert urlsplit(page.url).path == "/"
    expect(page.locator(ROOT)).to_have_attribute("data-run", digits_run.id)
    page.get_by_test_id("zoom-in").click()  # here it may report again
    page.wait_for_url(lambda url: "camera" in parse_qs(urlsplit(url).query))


def test_on_a_phone_what_it_learns_stands_above_the_form(app: str, app_home: Path, window: Callable[..., Page]) -> None:
    page = window(**PHONE)
    page.goto(f"{app}/train?dataset=digits&architecture=modern&epochs=9000&seed=67")
    train(page).click()
    expect(forming(page)).to_be_in_viewport(ratio=1, timeout=180_000)
    with held(app_home):
        map_, button = forming(page).bounding_box(), train(page).bounding_box()
    assert map_ is not None and button is not None and map_["y"] + map_["height"] < button["y"]
    page.get_by_role("button", name="Cancel", exact=True).click()
    expect(page.get_by_text("This training was cancelled")).to_be_visible()
    expect(train(page)).to_be_in_viewport(ratio=1)


@pytest.mark.parametrize(("rows", "across"), [(2, 4), (3, 8), (2, 3)])
def test_samples_stand_below_what_they_came_from(rows: int, across: int) -> None:
    """Of eight images; the last ones of a block that is not full are empty."""
    samples = np.linspace(0, 1, rows * 8).reshape(rows, 8, 1, 1, 1) * np.ones((8, 8, 1))
    picture = np.asarray(pictures.below(samples, across=across, side=8, gap=2))
    assert picture.shape == ((-(-8 // across)) * (rows * 10 + 6) - 8, across * 10 - 2, 4)
    for row in range(rows):
        for i in range(8):
            top, left = (i // across) * (rows * 10 + 6) + row * 10, (i % across) * 10
            cell = picture[top : top + 8, left : left + 8]
            assert (cell[..., 0] == round(float(samples[row, i, 0, 0, 0]) * 255)).all() and (cell[..., 3] == 255).all()

"""The explorer in a real Chromium: what a person does with it, what Python hears of it, and what bad runs do to it.

Tests that are about Streamlit open the app. The others mount the same bundle on an empty page of the app's address,
which opens faster and lets a test damage a run's files on their way.
"""

import gzip
import io
import itertools
import json
import os
import re
import shutil
import time
from collections.abc import Callable, Collection, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import explorer_runs
import kinds
import numpy as np
import pytest
from browser import chromium
from PIL import Image
from playwright.sync_api import Browser, Locator, Page, Route, expect

from components import opening
from components.explorer import assets
from models import codes, datasets, runs
from models.columns import as_they_came, inverse
from models.runs import networks, thumbnails

ROOT = '[data-testid="latent-explorer"]'
MAP = 'canvas[data-testid="latent-map"]'
SAMPLE = 'canvas[data-testid="decoded-sample"]'
SLIDER = 'input[data-testid="code-slider"]'
NOTICES = '[data-testid="explorer-notices"] p'
LIVE = '[data-testid="explorer-live"]'
# Every run that ships is computed as in Python in test_networks.py. These go the whole way to the picture: of one to thirty
# numbers, grey and in colour, with and without a distribution, of weights in float16 and in float32.
SEEN = ("digits-single-layer", "mnist-modern-30", "fashion-mnist-variational", "cats-convolutional-variational")
SETTLED = 1200  # milliseconds after which whatever would have been sent to the server has been sent


def opened(name: str) -> runs.Run:
    return runs.open_run(runs.folder_of(name))


@pytest.fixture(scope="session")
def deep_run(variational_run: runs.Run, app_home: Path) -> runs.Run:
    """Digits, D = 6, in the home of the app."""
    shutil.copytree(variational_run.folder, app_home / "runs" / variational_run.id, dirs_exist_ok=True)
    return variational_run


def explore(page: Page, address: str) -> list[str]:
    """Open the app there and wait until it decodes; returns the list that fills with what the page sends."""
    sent: list[str] = []
    page.on("websocket", lambda socket: socket.on("framesent", lambda _: sent.append(socket.url)))
    page.goto(address)
    ready(page)
    settled(page, sent, SETTLED / 2)
    return sent


def settled(page: Page, sent: list[str], milliseconds: float = SETTLED) -> int:
    """Wait until the server has drawn the page to its end and nothing more is sent; returns how much has been sent."""
    while True:
        seen = len(sent)
        expect(page.locator('[data-test-script-state="notRunning"]')).to_be_attached()
        page.wait_for_timeout(milliseconds)
        if len(sent) == seen:
            return seen


def reported(page: Page, sent: list[str], before: int) -> int:
    """Wait for something to be sent; returns how much it is in the end."""
    end = time.monotonic() + 120
    while len(sent) == before and time.monotonic() < end:
        page.wait_for_timeout(100)
    return settled(page, sent) - before


def ready(page: Page) -> None:
    expect(page.locator(f'{ROOT}[data-ready="true"]')).to_be_visible(timeout=180_000)


def picture(page: Page, canvas: str = SAMPLE) -> str:
    """What is painted on a canvas."""
    return page.locator(canvas).first.evaluate("canvas => canvas.toDataURL()")


def numbers(one: Locator, of: str) -> np.ndarray:
    """What a function of an element gives, as float32; through JSON, since Playwright takes seconds for an image."""
    return np.array(json.loads(one.evaluate(f"one => JSON.stringify(Array.from(({of})(one)))")), np.float32)


def code(page: Page) -> list[float]:
    return [float(value) for value in (page.locator(ROOT).get_attribute("data-code") or "").split(",")]


def place(page: Page, x: float, y: float) -> tuple[float, float]:
    """The pixel of the window at these shares of the map's width and height."""
    page.locator(MAP).scroll_into_view_if_needed()
    box = page.locator(MAP).bounding_box()
    assert box is not None
    return box["x"] + x * box["width"], box["y"] + y * box["height"]


def frames(page: Page, count: int = 3) -> None:
    """Wait until so many frames have been painted."""
    page.evaluate(
        "n => new Promise(done => { const step = () => (n-- > 0 ? requestAnimationFrame(step) : done()); step(); })",
        count,
    )


def move(page: Page, x: float, y: float, steps: int = 4) -> None:
    page.mouse.move(*place(page, x, y), steps=steps)
    frames(page)


# ── the app ─────────────────────────────────────────────────────────────────


def test_moving_decodes_in_the_page_and_python_hears_of_it_on_release(app: str, page: Page) -> None:
    sent = explore(page, f"{app}/?run=digits-variational")
    before = len(sent)
    seen = {picture(page)}
    for x, y in [(0.2, 0.2), (0.4, 0.6), (0.6, 0.3), (0.8, 0.7), (0.5, 0.5)]:
        move(page, x, y)
        seen.add(picture(page))
    assert len(seen) == 6, "each place decodes to another picture"
    page.wait_for_timeout(SETTLED)
    assert len(sent) == before, "moving sends nothing"

    page.mouse.down()
    for x in (0.55, 0.6, 0.65, 0.7):
        move(page, x, 0.4)
        seen.add(picture(page))
    assert len(seen) == 10, "dragging decodes too"
    page.wait_for_timeout(SETTLED)
    assert len(sent) == before, "dragging sends nothing"
    page.mouse.up()
    held = code(page)
    assert reported(page, sent, before) == 1, "releasing sends one report"
    page.wait_for_url("**z=*")
    told = [float(value) for value in parse_qs(urlsplit(page.url).query)["z"][0].split(",")]
    np.testing.assert_allclose(told, held, rtol=1e-3, atol=1e-4)

    move(page, 0.2, 0.8)
    assert code(page) == held, "a pinned code stays"


def test_every_slider_changes_the_picture_and_python_hears_of_it_on_release(
    app: str, page: Page, deep_run: runs.Run
) -> None:
    sent = explore(page, f"{app}/?run={deep_run.id}")
    sliders = page.locator(SLIDER)
    assert sorted(sliders.evaluate_all("all => all.map(one => Number(one.dataset.dim))")) == [1, 2, 3, 4, 5, 6]
    assert sliders.evaluate_all("all => all.map(one => one.getAttribute('aria-label'))")[0].startswith("z")
    before = len(sent)
    for i in range(6):
        slider = sliders.nth(i)
        dimension = int(slider.get_attribute("data-dim") or 0) - 1
        was, seen = code(page), picture(page)
        low, high = float(slider.get_attribute("min") or 0), float(slider.get_attribute("max") or 0)
        target = low if was[dimension] > (low + high) / 2 else high
        # As a hand does it: the value changes while the slider moves, nothing is released.
        slider.evaluate(
            "(one, value) => { one.value = value; one.dispatchEvent(new Event('input', {bubbles: true})); }", target
        )
        frames(page)
        now = code(page)
        assert abs(now[dimension] - target) < 0.01 * (high - low), "the dimension it names"
        assert [v for d, v in enumerate(now) if d != dimension] == [v for d, v in enumerate(was) if d != dimension]
        assert picture(page) != seen
    page.wait_for_timeout(SETTLED)
    assert len(sent) == before
    first = sliders.first
    first.focus()
    low = first.evaluate("one => one.valueAsNumber < (Number(one.min) + Number(one.max)) / 2")
    page.keyboard.press("ArrowRight" if low else "ArrowLeft")
    assert reported(page, sent, before) == 1


def test_buttons_lead_to_samples_and_back_to_the_mean(app: str, page: Page) -> None:
    run = opened("digits-variational")
    explore(page, f"{app}/?run=digits-variational")

    def is_stored() -> bool:
        return bool(np.abs(run.codes - np.array(code(page))).max(1).min() < 2e-4)

    page.get_by_test_id("random-sample").click()
    frames(page)
    sample = code(page)
    assert is_stored()
    expect(page.get_by_test_id("original")).to_contain_text("original")
    page.get_by_test_id("reset").click()
    frames(page)
    np.testing.assert_allclose(code(page), run.card.codes.mean, atol=1e-4)
    expect(page.get_by_test_id("original")).to_contain_text("nearest")
    page.get_by_test_id("this-sample").click()
    frames(page)
    assert code(page) == sample
    page.get_by_test_id("neighbours").locator("button").nth(3).click()
    frames(page)
    assert code(page) != sample and is_stored()


def test_drawing_moves_the_point_while_one_draws(app: str, page: Page) -> None:
    run = opened("mnist-wide")
    sent = explore(page, f"{app}/?run=mnist-wide")
    page.get_by_test_id("tool-draw").click()
    expect(page.get_by_test_id("draw-message")).to_contain_text("Draw here")
    before = settled(page, sent)
    pad = page.get_by_test_id("draw-pad")
    pad.scroll_into_view_if_needed()
    box = pad.bounding_box()
    assert box is not None
    seen, codes = {picture(page)}, []
    page.mouse.move(box["x"] + box["width"] * 0.3, box["y"] + box["height"] * 0.2)
    page.mouse.down()
    for x, y in [(0.7, 0.2), (0.6, 0.4), (0.5, 0.6), (0.4, 0.85)]:  # a seven
        page.mouse.move(box["x"] + box["width"] * x, box["y"] + box["height"] * y, steps=5)
        frames(page)
        seen.add(picture(page))
        codes.append(tuple(code(page)))
    assert len(seen) == 5 and len(set(codes)) == 4, "point and reconstruction follow each stroke"
    assert len(sent) == before
    page.mouse.up()
    assert reported(page, sent, before) == 1
    expect(page.get_by_test_id("draw-message")).to_contain_text("Reconstruction error")
    given = numbers(pad, "pad => pad.sample").reshape(1, *run.shape)
    assert given.max() > 0.9 and given.min() == 0
    np.testing.assert_allclose(code(page), run.coder.encode(given)[0], rtol=1e-5, atol=1e-4)
    # The drawing outlives a rerun.
    drawn = picture(page, '[data-testid="draw-pad"]')
    page.get_by_text("The map as a Plotly figure").click()
    expect(page.locator(".js-plotly-plot").first).to_be_visible(timeout=180_000)
    assert picture(page, '[data-testid="draw-pad"]') == drawn


def test_python_finds_the_samples_that_the_lasso_counted(app: str, page: Page) -> None:
    explore(page, f"{app}/?run=digits-variational&tool=lasso")
    corners = [(0.25, 0.25), (0.6, 0.2), (0.8, 0.5), (0.55, 0.8), (0.3, 0.7)]
    lasso(page, corners)
    summary = page.get_by_test_id("lasso-summary")
    expect(summary).to_contain_text("of 1,797 samples")
    count = summary.inner_text().split(" of ")[0]
    assert 100 < int(count.replace(",", "")) < 1797
    expect(page.get_by_role("heading", name=f"{count} samples inside the lasso")).to_be_visible()
    counts = page.get_by_test_id("lasso-classes").locator(".hg-number").all_inner_texts()
    assert sum(int(n.replace(",", "")) for n in counts) == int(count.replace(",", ""))
    assert page.get_by_test_id("lasso-gallery").locator("button").count() == 8
    # Classes that are hidden are not in the selection, in Python neither.
    page.get_by_test_id("legend").locator("button").first.click()
    lasso(page, corners)
    expect(summary).not_to_contain_text(f"{count} of")
    fewer = summary.inner_text().split(" of ")[0]
    expect(page.get_by_role("heading", name=f"{fewer} samples inside the lasso")).to_be_visible()
    page.get_by_test_id("lasso-clear").click()
    expect(page.get_by_text("samples inside the lasso")).to_have_count(0)


def test_the_keyboard_alone_reaches_and_moves_everything(app: str, page: Page) -> None:
    sent = explore(page, f"{app}/?run=digits-variational")
    reached: list[str] = []
    for _ in range(80):
        page.keyboard.press("Tab")
        reached.append(page.evaluate("document.activeElement?.dataset?.testid ?? ''"))
        if reached[-1] == "latent-map":
            break
    assert {"tool-explore", "tool-draw", "colour", "layer", "latent-map"} <= set(reached)
    outline = page.locator(MAP).evaluate(
        "one => getComputedStyle(one).outlineStyle + getComputedStyle(one).outlineWidth"
    )
    assert outline == "solid2px", "focus is visible"
    before, start, seen = len(sent), code(page), picture(page)
    page.keyboard.down("ArrowRight")
    frames(page)
    assert code(page)[0] > start[0] and code(page)[1] == start[1] and picture(page) != seen
    step = code(page)[0] - start[0]
    assert len(sent) == before
    page.keyboard.up("ArrowRight")
    page.keyboard.press("ArrowUp")
    frames(page)
    assert code(page)[1] > start[1]
    was = code(page)
    page.keyboard.press("Shift+ArrowLeft")
    frames(page)
    assert was[0] - code(page)[0] > 3 * step, "Shift goes further"
    page.keyboard.press("Enter")
    expect(page.get_by_test_id("unpin")).to_have_attribute("aria-pressed", "true")
    words = ", ".join(f"{value:.2f}".replace("-", "\u2212") for value in code(page))
    expect(page.locator(LIVE)).to_contain_text(f"z = ({words}), nearest ")
    assert page.locator(LIVE).get_attribute("aria-live") == "polite"
    assert reported(page, sent, before)
    # The lasso by keyboard: three corners, then the button that closes it.
    page.get_by_test_id("tool-lasso").focus()
    page.keyboard.press("Enter")
    page.locator(MAP).focus()
    for keys in (["Enter"], ["Shift+ArrowRight"] * 3 + ["Enter"], ["Shift+ArrowDown"] * 3 + ["Enter"]):
        for key in keys:
            page.keyboard.press(key)
            frames(page, 2)
    page.get_by_test_id("lasso-close").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_test_id("lasso-summary")).to_contain_text("of 1,797 samples")


def test_pin_and_zoom_survive_reruns_and_the_link_opens_the_same_view(app: str, page: Page, deep_run: runs.Run) -> None:
    explore(page, f"{app}/?run={deep_run.id}")
    root = page.locator(ROOT)
    root.evaluate("root => (root.still = true)")
    home = picture(page, ".hg-ground")
    page.mouse.move(*place(page, 0.4, 0.4))
    page.mouse.wheel(0, -400)
    frames(page)
    page.mouse.click(*place(page, 0.45, 0.6))
    frames(page)
    zoomed, held = picture(page, ".hg-ground"), code(page)
    assert zoomed != home
    page.get_by_text("The map as a Plotly figure").click()
    expect(page.locator(".js-plotly-plot").first).to_be_visible()
    move(page, 0.3, 0.3)
    assert root.evaluate("root => root.still") is True, "a rerun does not mount anew"
    assert page.locator(ROOT).count() == 1
    assert code(page) == held and picture(page, ".hg-ground") == zoomed
    page.locator('select[data-testid="plane"]').select_option("axes")
    page.locator('select[data-testid="axis-x"]').select_option("2")
    page.locator('select[data-testid="axis-y"]').select_option("4")
    page.locator('select[data-testid="colour"]').select_option("error")
    page.locator('select[data-testid="layer"]').select_option("density")
    page.get_by_test_id("tool-path").click()
    page.wait_for_url("**tool=path*")
    asked = parse_qs(urlsplit(page.url).query)
    assert asked["plane"] == ["z3,z5"] and asked["colour"] == ["error"] and asked["layer"] == ["density"]
    explore(page, page.url)
    np.testing.assert_allclose(code(page), held, rtol=1e-3, atol=1e-4)
    for name, value in {"plane": "axes", "axis-x": "2", "axis-y": "4", "colour": "error", "layer": "density"}.items():
        assert page.locator(f'select[data-testid="{name}"]').input_value() == value, name
    expect(page.get_by_test_id("tool-path")).to_have_attribute("aria-pressed", "true")
    expect(page.get_by_text("Moving changes z3 and z5; the other 4 numbers stay as they are.")).to_be_visible()


def test_another_run_replaces_the_explorer(app: str, page: Page) -> None:
    explore(page, f"{app}/?run=digits-variational")
    first = page.locator(ROOT).get_attribute("data-run")
    page.get_by_role("combobox").first.click()
    page.get_by_role("option").filter(has_text="MNIST").first.click()
    expect(page.locator(f'{ROOT}:not([data-run="{first}"])[data-ready="true"]')).to_be_visible()
    assert page.locator(ROOT).count() == page.locator(MAP).count() == page.locator(SAMPLE).count() == 1
    before = picture(page)
    move(page, 0.3, 0.3)
    move(page, 0.6, 0.6)
    assert picture(page) != before


@pytest.mark.own_window
def test_the_theme_is_followed(app: str, window: Callable[..., Page]) -> None:
    page = window(color_scheme="dark")
    explore(page, f"{app}/?run=digits-variational")
    expect(page.locator(f"{ROOT}.hg-dark")).to_be_visible()
    assert page.locator(ROOT).evaluate("root => getComputedStyle(root).colorScheme") == "dark"
    dark = page.locator(ROOT).evaluate("root => getComputedStyle(root).backgroundColor")
    page.emulate_media(color_scheme="light")
    expect(page.locator(f"{ROOT}:not(.hg-dark)")).to_be_visible()
    assert page.locator(ROOT).evaluate("root => getComputedStyle(root).backgroundColor") != dark
    assert page.locator(ROOT).evaluate("root => getComputedStyle(root).colorScheme") == "light"


@pytest.mark.own_window
def test_on_a_phone_nothing_overflows_and_a_finger_moves_the_code(app: str, window: Callable[..., Page]) -> None:
    page = window(viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True)
    sent = explore(page, f"{app}/?run=mnist-variational")
    for tool in ("explore", "lasso", "path", "draw", "replay"):
        page.get_by_test_id(f"tool-{tool}").tap()
        frames(page)
        wide = page.evaluate(
            """root => [...document.querySelectorAll(root + ", " + root + " *")].filter(one => {
                const box = one.getBoundingClientRect();
                return box.width > 1 && (box.right > innerWidth + 1 || box.left < -1) && !one.closest(".hg-tools, .hg-listen");
            }).map(one => one.className + " " + one.tagName)""",
            ROOT,
        )
        assert not wide, (tool, wide)
        assert page.evaluate("document.documentElement.scrollWidth") <= 390
    page.get_by_test_id("tool-explore").tap()
    x, y = place(page, 0.5, 0.3)
    before, seen = settled(page, sent), {picture(page)}
    fingers = page.context.new_cdp_session(page)

    def touch(kind: str, *points: tuple[float, float]) -> None:
        given = [{"x": px, "y": py, "id": i} for i, (px, py) in enumerate(points)]
        fingers.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": given})
        frames(page)

    touch("touchStart", (x, y))
    for step in range(1, 5):
        touch("touchMove", (x - 15 * step, y + 12 * step))
        seen.add(picture(page))
    assert len(seen) == 5 and len(sent) == before
    touch("touchEnd")
    held = code(page)
    assert reported(page, sent, before) == 1
    # Two fingers zoom and leave the code alone.
    ground = picture(page, ".hg-ground")
    touch("touchStart", (x - 30, y))
    touch("touchStart", (x - 30, y), (x + 30, y))
    touch("touchMove", (x - 80, y), (x + 80, y))
    touch("touchEnd")
    assert picture(page, ".hg-ground") != ground
    assert code(page) == held


# ── the bundle alone, on an empty page ──────────────────────────────────────

EMPTY = """<!doctype html><meta charset="utf-8"><body style="margin: 8px"><div id="host"></div>"""
MOUNT = """async ([bundle, url, view, about]) => {
    window.said ??= [];
    window.hourglass ??= await import(bundle);
    hourglass.show(document.getElementById("host"), {run_url: url, view, about}, (name, value) => said.push([name, value]));
}"""


@pytest.fixture
def bench(app: str, window: Callable[..., Page]) -> Callable[..., Page]:
    """Opens the explorer of a run, or of a folder made by `explorer_runs`, on an empty page."""

    def bench(
        run: runs.Run | Path,
        view: dict[str, Any] | None = None,
        wait: bool = True,
        about: dict[str, Any] | None = None,
        **properties: Any,
    ) -> Page:
        page = window(**properties)
        empty(page, app)
        mount(page, run, view, about)
        if wait:
            ready(page)
        return page

    return bench


def empty(page: Page, app: str) -> None:
    page.route("**/empty", lambda route: route.fulfill(body=EMPTY, content_type="text/html"))
    page.goto(f"{app}/empty")


def mount(
    page: Page, run: runs.Run | Path, view: dict[str, Any] | None = None, about: dict[str, Any] | None = None
) -> None:
    url = f"/{run.url}" if isinstance(run, runs.Run) else f"/{run.name}/"
    if isinstance(run, Path):
        page.route(f"**/{run.name}/**", lambda route: send(route, run))
    page.evaluate(MOUNT, [f"/explorer/{assets.digest()}/explorer.js", url, view or {}, about or {}])


def send(route: Route, folder: Path) -> None:
    """A file of a made run, or 404."""
    path = folder / route.request.url.split(f"/{folder.name}/")[1]
    route.fulfill(path=path) if path.is_file() else route.fulfill(status=404, body="There is no such file.")


def test_until_originals_arrive_nothing_stands_in_for_them(app: str, window: Callable[..., Page]) -> None:
    page, held, run = window(), list[Route](), opened("digits-variational")
    empty(page, app)
    page.route("**/thumbnails.u8.gz", lambda route: held.append(route))  # noqa: PLW0108 - a method of list takes no mark
    mount(page, run)
    ready(page)
    near = page.get_by_test_id("neighbours")
    expect(page.get_by_text("on their way", exact=True)).to_be_visible()
    pictures = "near => [...near.querySelectorAll('canvas')].map((canvas) => canvas.toDataURL())"
    frames(page)
    assert near.locator("canvas:not(.hg-blank)").count() == 0
    before = near.evaluate(pictures)
    held[0].continue_()
    expect(page.get_by_text("on their way", exact=True)).to_have_count(0)
    frames(page)
    originals = near.evaluate(pictures)
    assert len(set(originals)) > 1 and not set(originals) & set(before)
    assert near.locator("canvas:is(.hg-blank, .hg-stand-in)").count() == 0
    page.wait_for_timeout(SETTLED)
    assert near.evaluate(pictures) == originals


def test_it_works_in_a_shadow_root_on_a_page_without_streamlit(app: str, window: Callable[..., Page]) -> None:
    page = window()
    empty(page, app)
    page.evaluate(
        """async ([bundle, url]) => {
            const root = document.getElementById("host").attachShadow({mode: "open"});
            window.hourglass = await import(bundle);
            hourglass.show(root, {run_url: url, view: {}}, () => undefined);
        }""",
        [f"/explorer/{assets.digest()}/explorer.js", f"/{opened('digits-variational').url}"],
    )
    ready(page)
    before = picture(page)
    move(page, 0.3, 0.3)
    assert picture(page) != before
    map_ = page.locator(".hg-map")
    assert map_.evaluate("one => getComputedStyle(one).borderRadius") == "10px", "its styles reach it"
    assert page.locator(ROOT).evaluate("one => getComputedStyle(one).color") == "rgb(38, 42, 51)", "and have defaults"
    assert page.evaluate("document.head.childElementCount") == 1, "the page around it has only its own meta"
    entry = page.get_by_test_id("legend").locator("button").nth(2)
    entry.click()
    expect(entry).to_have_attribute("aria-pressed", "false")
    expect(entry).to_be_focused()


def show_code(page: Page, run: runs.Run, wanted: list[float]) -> None:
    """Ask for a code as Python would, and wait until it is decoded."""
    mount(page, run, {"code": wanted})
    page.wait_for_function(
        "([root, wanted]) => document.querySelector(root).dataset.code.split(',').every((v, d) => Math.abs(v - wanted[d]) < 2e-5)",
        arg=[ROOT, wanted],
    )


def drawing(page: Page, run: runs.Run) -> np.ndarray:
    """Make a dot with the tool Draw; returns what the encoder was given (1, *shape)."""
    page.get_by_test_id("tool-draw").click()
    expect(page.get_by_test_id("draw-message")).to_contain_text("Draw here")
    pad = page.get_by_test_id("draw-pad")
    pad.click(position={"x": 60, "y": 90})
    page.wait_for_function("() => document.querySelector('[data-testid=draw-pad]').sample !== undefined")
    frames(page)
    return numbers(pad, "pad => pad.sample").reshape(1, *run.shape)


@pytest.mark.parametrize("name", [*SEEN, "deep"])
def test_the_browser_decodes_and_encodes_what_onnxruntime_does(
    name: str, bench: Callable[..., Page], deep_run: runs.Run
) -> None:
    run = deep_run if name == "deep" else opened(name)
    about = run.card.codes
    dice = np.random.default_rng(3)
    low, high = np.array(about.low), np.array(about.high)
    asked = [np.array(about.mean), low, high, *(low + (high - low) * dice.random((3, run.code_size)))]
    page = bench(run, {"code": [float(v) for v in np.round(asked[0], 4)]})
    for one in asked:
        wanted = [float(v) for v in np.round(one, 4)]
        show_code(page, run, wanted)
        decoded = run.coder.decode(np.array([wanted], np.float32))[0]
        shown = numbers(page.locator(SAMPLE), "canvas => canvas.sample")
        np.testing.assert_allclose(shown.reshape(run.shape), decoded, atol=1e-4)
        if run.kind != "image":
            continue
        painted = "canvas => canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data"
        seen = numbers(page.locator(SAMPLE), painted).reshape(*run.shape[:2], 4)
        expected = np.clip(np.broadcast_to(decoded, (*run.shape[:2], 3)) * 255, 0, 255)
        assert np.abs(seen[..., :3] - expected).max() < 0.6, "the picture is the sample, the right way up"
        assert (seen[..., 3] == 255).all()
    if run.kind == "image":
        given = drawing(page, run)
        np.testing.assert_allclose(code(page), run.coder.encode(given)[0], rtol=1e-5, atol=1e-4)


def changed(look: Callable[[], bytes], seen: Collection[bytes], page: Page) -> bytes:
    """What is seen as soon as it is something else than before."""
    end = time.monotonic() + 120
    while (now := look()) in seen:
        assert time.monotonic() < end, "it stays as it was"
        page.wait_for_timeout(100)
    return now


def test_replay_scrubs_and_plays(bench: Callable[..., Page]) -> None:
    page = bench(opened("digits-variational"))
    finished = page.locator(MAP).screenshot()
    page.get_by_test_id("tool-replay").click()
    expect(page.get_by_test_id("replay-message")).to_contain_text("1,000 samples after each epoch")
    scrub = page.get_by_test_id("replay-epoch")
    expect(page.get_by_test_id("replay-play")).to_have_attribute("aria-label", "Pause")  # it plays by itself
    seen = {finished}
    for epoch in ("0", "3", "39"):
        scrub.evaluate(
            "(one, value) => { one.value = value; one.dispatchEvent(new Event('input', {bubbles: true})); }", epoch
        )
        seen.add(changed(lambda: page.locator(MAP).screenshot(), seen, page))
    assert scrub.get_attribute("aria-valuetext") == "epoch 200"
    said = page.get_by_role("region", name="Replay").get_by_text("epoch 200 of 200", exact=True)
    expect(said).to_be_visible()
    assert said.evaluate(
        "one => one.scrollWidth <= one.clientWidth + 1 && one.getBoundingClientRect().right <= innerWidth"
    )
    page.get_by_test_id("replay-play").click()
    expect(scrub).not_to_have_js_property("value", "39")
    page.get_by_test_id("replay-play").click()
    expect(page.get_by_test_id("replay-play")).to_have_attribute("aria-label", "Play")
    page.get_by_test_id("tool-explore").click()
    page.wait_for_timeout(100)
    page.mouse.move(5, 5)
    frames(page)
    assert page.evaluate("said.filter(one => one[0] === 'selection').length") == 0


def test_a_replay_waits_where_motion_is_unwelcome_and_hides_what_the_finished_network_drew(
    bench: Callable[..., Page],
) -> None:
    page = bench(opened("digits-variational"), reduced_motion="reduce")
    plain = picture(page, ".hg-ground")
    page.get_by_test_id("layer").select_option("manifold")
    page.wait_for_function("performance.getEntriesByName('explorer:layer-manifold').length > 0")
    frames(page)
    assert picture(page, ".hg-ground") != plain
    page.get_by_test_id("tool-replay").click()
    expect(page.get_by_test_id("replay-message")).to_contain_text("samples after each epoch")
    expect(page.get_by_test_id("replay-play")).to_have_attribute("aria-label", "Play")
    frames(page)
    assert picture(page, ".hg-ground") == plain
    expect(page.get_by_test_id("layer-legend")).to_be_hidden()
    expect(page.get_by_test_id("layer")).to_be_disabled()
    page.get_by_test_id("tool-explore").click()
    expect(page.get_by_test_id("layer")).to_be_enabled()
    frames(page)
    assert picture(page, ".hg-ground") != plain


def test_a_layer_comes_and_goes_while_the_points_stay_as_they_were_drawn(bench: Callable[..., Page]) -> None:
    page = bench(opened("digits-variational"))
    page.evaluate(
        """() => {
            const draw = WebGL2RenderingContext.prototype.drawArrays;
            window.drawn = 0;
            WebGL2RenderingContext.prototype.drawArrays = function (mode, ...rest) {
                drawn += mode === this.POINTS;
                draw.call(this, mode, ...rest);
            };
        }"""
    )
    plain = page.locator(MAP).screenshot()
    page.get_by_test_id("layer").select_option("manifold")
    page.wait_for_function("performance.getEntriesByName('explorer:layer-manifold').length > 0")
    frames(page)
    assert page.locator(MAP).screenshot() != plain
    page.get_by_test_id("layer").select_option("none")
    frames(page)
    assert page.locator(MAP).screenshot() == plain
    assert page.evaluate("drawn") == 0
    page.get_by_test_id("zoom-in").click()
    frames(page)
    assert page.evaluate("drawn") > 0


def test_no_point_lies_over_the_name_of_an_axis(bench: Callable[..., Page]) -> None:
    run = opened("digits-variational")
    box = bench(run).locator(MAP).bounding_box()
    assert box
    low, high = run.codes.min(0), run.codes.max(0)
    scale = 0.2 * min((box["width"] - 56) / (high - low)[0], (box["height"] - 56) / (high - low)[1])
    # All points, seen small, around the middle of the name in the corner.
    right, up = box["width"] / 2 - 16, 11 - box["height"] / 2
    x, y = (low + high) / 2 - np.array([right, up]) / scale
    page = bench(run, {"camera": f"{x},{y},0.2"})
    corner = {"x": box["x"] + box["width"] - 24, "y": box["y"] + box["height"] - 17, "width": 15, "height": 9}
    around = {"x": corner["x"] - 20, "y": corner["y"] - 20, "width": 50, "height": 18}
    frames(page)
    named, near = page.screenshot(clip=corner), page.screenshot(clip=around)
    page.get_by_test_id("points").uncheck()
    frames(page)
    assert page.screenshot(clip=around) != near, "points are there"
    assert page.screenshot(clip=corner) == named


def test_the_nearest_sample_on_the_pad_has_its_own_code(bench: Callable[..., Page]) -> None:
    """Drawn again through the pad it would lie beside itself, and another sample nearer."""
    run = opened("digits-variational")
    page = bench(run)
    move(page, 0.4, 0.45)
    page.get_by_test_id("tool-draw").click()
    expect(page.get_by_test_id("draw-message")).to_contain_text("Draw here")
    page.get_by_test_id("draw-nearest").click()
    frames(page)
    assert np.linalg.norm(run.codes - np.array(code(page), np.float32), axis=1).min() < 1e-4


def test_a_slider_says_that_a_number_lies_beyond_it(bench: Callable[..., Page]) -> None:
    run = opened("digits-variational")
    page = bench(run)
    for x, side in ((0.01, "low"), (0.99, "high"), (0.5, "")):
        move(page, x, 0.5)
        row = page.locator(".hg-row").filter(has=page.locator('[data-testid="code-slider"][data-dim="1"]'))
        expect(row).to_have_attribute("data-beyond", side)


def test_the_way_back_from_the_network_stays_in_sight(app: str, window: Callable[..., Page]) -> None:
    """And legends are in a window of 1366 x 641: what a browser leaves of a small laptop."""
    page = window(viewport={"width": 1366, "height": 641})
    explore(page, f"{app}/?run=fashion-mnist-variational&layer=stretch")
    expect(page.get_by_test_id("layer-legend")).to_be_in_viewport(ratio=1)
    details, back = page.get_by_test_id("network-details"), page.get_by_test_id("network-close")
    page.locator(".hg-more").click()
    details.evaluate("one => (one.scrollTop = 400)")
    expect(back).to_be_in_viewport(ratio=1)
    page.get_by_test_id("tool-explore").click()
    expect(details).to_be_hidden()


def test_a_path_plays_scrubs_and_does_arithmetic(bench: Callable[..., Page]) -> None:
    run = opened("digits-variational")
    page = bench(run, {"tool": "path"})
    page.get_by_test_id("path-snap").uncheck()
    stops = []
    for x, y in [(0.3, 0.3), (0.7, 0.4), (0.5, 0.7)]:
        page.mouse.click(*place(page, x, y))
        frames(page)
        stops.append(np.array(code(page)))
    expect(page.get_by_test_id("path-summary")).to_have_text("A → B → C")
    scrub = page.get_by_test_id("path-position")
    expect(scrub).to_have_js_property("value", "1")  # where the picture is: at the stop that was set last

    def walk_to(t: float) -> np.ndarray:
        scrub.evaluate("(one, t) => { one.value = t; one.dispatchEvent(new Event('input', {bubbles: true})); }", str(t))
        frames(page)
        return np.array(code(page))

    np.testing.assert_allclose(walk_to(0), stops[0], atol=2e-4)
    first = np.linalg.norm(stops[1] - stops[0])
    half = first / (first + np.linalg.norm(stops[2] - stops[1])) / 2
    np.testing.assert_allclose(walk_to(round(half, 3)), (stops[0] + stops[1]) / 2, atol=0.01)
    np.testing.assert_allclose(walk_to(1), stops[2], atol=2e-4)
    page.get_by_test_id("path-spherical").check()
    assert np.abs(walk_to(round(half, 3)) - (stops[0] + stops[1]) / 2).max() > 0.01
    page.get_by_test_id("path-spherical").uncheck()
    page.get_by_test_id("path-arithmetic").click()
    frames(page)
    np.testing.assert_allclose(code(page), stops[0] + stops[1] - stops[2], atol=2e-4)
    walk_to(0)
    page.get_by_test_id("path-play").click()
    seen = set()
    for _ in range(6):
        frames(page, 4)
        seen.add(picture(page))
    assert len(seen) >= 5, "every frame of the walk is decoded"
    page.get_by_test_id("path-play").click()
    held = code(page)
    page.wait_for_timeout(200)
    assert code(page) == held
    # With the box ticked a stop is a real sample.
    page.get_by_test_id("path-clear").click()
    page.get_by_test_id("path-snap").check()
    page.mouse.click(*place(page, 0.5, 0.5))
    frames(page)
    assert np.abs(run.codes - np.array(code(page))).max(1).min() < 2e-5


@pytest.mark.parametrize("name", ["digits-variational", "deep"])
def test_every_layer_and_colour_is_drawn(name: str, bench: Callable[..., Page], deep_run: runs.Run) -> None:
    page = bench(deep_run if name == "deep" else opened(name))
    layers = page.locator('select[data-testid="layer"]')
    names = layers.locator("option").evaluate_all("all => all.map(one => one.value)")
    assert names == ["none", "manifold", "density", "classes", "stretch"]
    seen = {picture(page, ".hg-ground")}
    for layer in names[1:]:
        layers.select_option(layer)
        page.wait_for_function("name => performance.getEntriesByName(`explorer:layer-${name}`).length > 0", arg=layer)
        frames(page)
        seen.add(picture(page, ".hg-ground"))
    assert len(seen) == 5
    before = picture(page)
    move(page, 0.6, 0.3)
    assert picture(page) != before, "the pointer still decodes"
    points = set()
    for colour in page.locator('select[data-testid="colour"] option').evaluate_all("all => all.map(one => one.value)"):
        page.locator('select[data-testid="colour"]').select_option(colour)
        frames(page)
        points.add(page.locator(MAP).screenshot())
    assert len(points) >= 3
    assert page.locator(NOTICES).count() == 0


@pytest.fixture(scope="session")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    """Makes a small run without training, once for each of its choices. Read only."""
    runs_, root = dict[str, Path](), tmp_path_factory.mktemp("kept")

    def kept(**choices: Any) -> Path:
        key = repr(sorted(choices.items()))
        if key not in runs_:
            runs_[key] = explorer_runs.make(root / str(len(runs_)), **choices)
        return runs_[key]

    return kept


@pytest.fixture
def made(tmp_path: Path, kept: Callable[..., Path]) -> Callable[..., Path]:
    """A copy of such a run, to be damaged; each has a name, and thereby an address, of its own."""
    return lambda name="made", **choices: Path(shutil.copytree(kept(**choices), tmp_path / name))


@pytest.mark.parametrize(
    "choices",
    [
        {"size": 1},
        {"size": 2, "half": True},
        {"size": 64, "dead": 5, "count": 2000},
        {"size": 3, "shape": (20, 12, 3), "variational": True, "thumbnails": False},
    ],
    ids=["one number", "half", "64 numbers", "colour without originals"],
)
def test_codes_of_any_size_are_explored(
    choices: dict[str, Any], bench: Callable[..., Page], made: Callable[..., Path]
) -> None:
    folder = made(**choices)
    page = bench(folder)
    size, shape = choices["size"], choices.get("shape", (12, 16, 1))
    assert page.locator(SLIDER).count() == size == len(code(page))
    assert page.locator(SAMPLE).evaluate("one => [one.height, one.width]") == list(shape[:2])
    before = picture(page)
    was = code(page)
    move(page, 0.3, 0.4)
    assert picture(page) != before
    changed = [d for d, (a, b) in enumerate(zip(was, code(page), strict=True)) if a != b]
    if size > 2:
        expect(page.get_by_text("Moving changes the two main directions")).to_be_visible()
        page.locator('select[data-testid="plane"]').select_option("axes")
        was = code(page)
        move(page, 0.6, 0.6)
        assert [d for d, (a, b) in enumerate(zip(was, code(page), strict=True)) if a != b] == [0, 1]
        page.locator('select[data-testid="plane"]').select_option("tsne")
        codes = np.fromfile(folder / "codes.f32", "<f4").reshape(-1, size)
        move(page, 0.4, 0.5)
        assert np.abs(codes - np.array(code(page))).max(1).min() < 2e-5, "without a way back a sample's own code"
    else:
        assert changed == list(range(size))
    if "dead" in choices:
        dead = page.locator(".hg-dead")
        assert dead.count() == 1 and dead.locator(SLIDER).get_attribute("data-dim") == "6"
        assert page.locator(SLIDER).last.get_attribute("data-dim") == "6", "most used first"
    page.get_by_test_id("traversal").first.click()
    expect(page.locator(".hg-row .hg-strip:visible canvas")).to_have_count(9)
    assert page.locator(NOTICES).count() == 0


def test_names_of_classes_are_text(bench: Callable[..., Page], made: Callable[..., Path]) -> None:
    folder = made(classes=2)
    name = "<img src=x onerror=window.hacked=1><b>bold</b>"
    edit(
        folder,
        lambda card: card["dataset"].update(classes=[name, "&amp;"], factors=[name, "two"], title=name, label=name),
    )
    page = bench(folder)
    legend = page.get_by_test_id("legend").locator("button")
    assert legend.all_inner_texts() == [name, "&amp;"]
    assert page.locator(f"{ROOT} img, {ROOT} b").count() == 0
    expect(page.locator(LIVE)).to_contain_text("nearest ")
    page.mouse.move(*place(page, 0.2, 0.2))
    page.get_by_test_id("tool-lasso").click()
    lasso(page, [(0.05, 0.05), (0.95, 0.05), (0.95, 0.95), (0.05, 0.95)])
    expect(page.get_by_test_id("lasso-classes")).to_contain_text("<img src=x")
    assert page.evaluate("window.hacked") is None
    assert page.locator(f"{ROOT} img, {ROOT} b").count() == 0


def lasso(page: Page, corners: list[tuple[float, float]]) -> None:
    """Draw around these corners, given as shares of the map."""
    page.mouse.move(*place(page, *corners[0]))
    page.mouse.down()
    for corner in [*corners[1:], corners[0]]:
        page.mouse.move(*place(page, *corner), steps=6)
    page.mouse.up()


def edit(folder: Path, change: Callable[[dict[str, Any]], object]) -> None:
    """Change run.json and leave the files as they are."""
    card = json.loads((folder / "run.json").read_text())
    change(card)
    (folder / "run.json").write_text(json.dumps(card))


def write(name: str, values: Any, kind: str = "<f4") -> Callable[[Path], object]:
    return lambda folder: (folder / name).write_bytes(np.asarray(values, kind).tobytes())


def cut(name: str, share: float = 0.5) -> Callable[[Path], object]:
    def damage(folder: Path) -> None:
        content = (folder / name).read_bytes()
        (folder / name).write_bytes(content[: int(len(content) * share) // 4 * 4])

    return damage


def gone(name: str) -> Callable[[Path], object]:
    return lambda folder: (folder / name).unlink()


def card(**about: Any) -> Callable[[Path], object]:
    """Replace fields of run.json, named like codes__size."""

    def change(known: dict[str, Any]) -> None:
        for path, value in about.items():
            *outer, last = path.split("__")
            inner = known
            for part in outer:
                inner = inner[part]
            inner[last] = value

    return lambda folder: edit(folder, change)


def mostly_nan(folder: Path) -> None:
    codes = np.fromfile(folder / "codes.f32", "<f4")
    codes[::4] = np.nan
    codes.tofile(folder / "codes.f32")


def same_length_nonsense(name: str) -> Callable[[Path], object]:
    return lambda folder: (folder / name).write_bytes(b"\x07" * (folder / name).stat().st_size)


# What is done to a run; the beginning of the sentence that is shown; whether the explorer still decodes.
BAD = {
    "codes cut short": (cut("codes.f32"), "The file codes.f32 of this run has 2,400 bytes", True),
    "codes missing": (gone("codes.f32"), "The file codes.f32 of this run is missing", True),
    "codes half NaN": (mostly_nan, "300 of 600 codes are not finite numbers", True),
    "codes all NaN": (write("codes.f32", np.full(1200, np.nan)), "600 of 600 codes are not finite numbers", True),
    "labels missing": (gone("labels.i32"), "The file labels.i32 of this run is missing", True),
    "labels cut short": (cut("labels.i32"), "The file labels.i32 of this run has 1,200 bytes", True),
    "errors missing": (gone("errors.f32"), "The file errors.f32 of this run is missing", True),
    "factors cut short": (cut("factors.f32"), "The file factors.f32 of this run has", True),
    "decoder missing": (
        gone("decoder.safetensors"),
        "The file decoder.safetensors of this run is missing",
        False,
    ),
    "decoder cut short": (
        cut("decoder.safetensors"),
        "The decoder of this run cannot be computed in the browser",
        False,
    ),
    "decoder is nonsense": (
        same_length_nonsense("decoder.safetensors"),
        "The decoder of this run cannot be computed in the browser (it holds no table of weights)",
        False,
    ),
    "decoder is the encoder": (
        lambda folder: shutil.copy(folder / "encoder.safetensors", folder / "decoder.safetensors"),
        "The decoder of this run cannot be computed in the browser (the weight decoder.0.weight is missing)",
        False,
    ),
    "a layer of tomorrow": (
        card(architecture__layers={"decoder": [{"layer": "Attention"}], "encoder": []}),
        "The decoder of this run cannot be computed in the browser (it has a layer that is not known here (Attention))",
        False,
    ),
    "layers nowhere": (
        card(architecture__layers={}),
        "The decoder of this run cannot be computed in the browser (its layers are no list)",
        False,
    ),
    "samples of another shape": (
        card(dataset__shape=[9, 9, 1]),
        "The decoder of this run cannot be computed in the browser (it gives 192 numbers instead of 81)",
        False,
    ),
    "codes of another size": (
        card(codes__size=3, codes__low=[0, 0, 0], codes__high=[1, 1, 1]),
        "The file codes.f32 of this run has 4,800 bytes",
        False,
    ),
    "t-SNE of nobody": (
        card(projections__tsne={"count": 3, "perplexity": 5}),
        "",
        True,
    ),
    "run.json missing": (gone("run.json"), "The file run.json of this run is missing", None),
    "run.json cut short": (cut("run.json"), "The file run.json of this run is not JSON", None),
    "format of tomorrow": (card(format=2), "This run is of format 2", None),
    "no shape": (card(dataset__shape=[]), "The file run.json of this run is damaged: the shape of its samples", None),
    "no count": (
        card(codes__count=0),
        "The file run.json of this run is damaged: the count and the size of its codes",
        None,
    ),
    "endless range": (card(codes__low=[None, 0]), "The file run.json of this run is damaged: codes.low", None),
    "a list": (lambda folder: (folder / "run.json").write_text("[]"), "This run is of format unknown", None),
}


@pytest.fixture(scope="module")
def lasting(app: str, browser: Browser) -> Iterator[tuple[Page, list[str]]]:
    """An empty page on which one run after the other is mounted, and the script errors that it logs."""
    page, faults = browser.new_context(viewport={"width": 1280, "height": 900}).new_page(), list[str]()
    page.set_default_timeout(180_000)
    page.on("pageerror", lambda error: faults.append(str(error)))
    empty(page, app)
    yield page, faults
    page.context.close()


@pytest.fixture
def replaced(lasting: tuple[Page, list[str]]) -> Iterator[Callable[[Path], Page]]:
    """Puts a run in the place of the one before it, which may have been of another test; their names have to differ."""
    page, faults = lasting
    faults.clear()

    def replaced(folder: Path) -> Page:
        page.mouse.move(2, 2)
        page.evaluate("performance.clearMeasures()")
        mount(page, folder)
        return page

    yield replaced
    page.unroute_all(behavior="ignoreErrors")
    assert not faults, faults


@pytest.mark.parametrize("case", BAD)
def test_a_bad_run_shows_what_it_can_and_one_sentence(
    case: str, replaced: Callable[[Path], Page], made: Callable[..., Path]
) -> None:
    damage, sentence, decodes = BAD[case]
    bad = made(f"bad-{list(BAD).index(case)}")
    damage(bad)
    page = replaced(bad)
    if sentence:
        expect(page.locator(NOTICES).first).to_contain_text(sentence)
    if decodes is not None:
        page.locator(f'{ROOT}[data-ready="{str(decodes).lower()}"][data-code]').wait_for()
        before = code(page)
        move(page, 0.35, 0.6)
        assert code(page) != before, "the map can still be moved over"
        page.wait_for_timeout(300)
    expected = {"codes of another size": 2}.get(case, 1 if sentence else 0)  # the codes and the decoder do not fit
    expect(page.locator(NOTICES)).to_have_count(expected)
    said = page.locator(NOTICES).all_inner_texts()
    assert all(text.count(". ") >= 1 for text in said), "what is wrong, and what to do"
    replaced(made(f"{bad.name}-good", seed=1))
    ready(page)
    assert page.locator(ROOT).count() == 1 and page.locator(NOTICES).count() == 0, "the page is alive"


def point(folder: Path, codes: Any) -> None:
    codes = np.asarray(codes, np.float32)
    write("codes.f32", codes)(folder)
    write("labels.i32", np.zeros(len(codes)), "<i4")(folder)
    write("errors.f32", np.zeros(len(codes)))(folder)
    write("factors.f32", np.zeros((len(codes), 2)))(folder)
    low = high = codes[0].tolist()
    variance = [0.0, 0.0]
    about = {"count": len(codes), "low": low, "high": high, "mean": low, "variance": variance, "dead": [True, True]}
    edit(
        folder,
        lambda known: (known["codes"].update(about, nearest_p99=0.0), known.update(replay=None, thumbnails=None)),
    )


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(lambda folder: point(folder, [[0.5, -0.25]]), id="one point"),
        pytest.param(lambda folder: point(folder, np.full((50, 2), 3.0)), id="all codes equal"),
        pytest.param(lambda folder: point(folder, np.zeros((50, 2))), id="all codes zero"),
        pytest.param(
            lambda folder: (write("labels.i32", np.zeros(600), "<i4")(folder), card(dataset__classes=["one"])(folder)),
            id="one class",
        ),
        pytest.param(write("labels.i32", np.full(600, -1), "<i4"), id="no labels known"),
        pytest.param(write("labels.i32", np.full(600, 99), "<i4"), id="labels beyond the classes"),
    ],
)
def test_a_poor_run_works(
    change: Callable[[Path], object],
    replaced: Callable[[Path], Page],
    made: Callable[..., Path],
    request: pytest.FixtureRequest,
) -> None:
    folder = made(f"poor-{request.node.callspec.id.replace(' ', '-')}")
    change(folder)
    page = replaced(folder)
    ready(page)
    before = picture(page)
    move(page, 0.2, 0.3)
    move(page, 0.7, 0.8)
    assert picture(page) != before
    assert page.locator(NOTICES).count() == 0
    for layer in ("manifold", "density", "classes", "stretch"):
        page.locator('select[data-testid="layer"]').select_option(layer)
        page.wait_for_function("name => performance.getEntriesByName(`explorer:layer-${name}`).length > 0", arg=layer)
    page.get_by_test_id("tool-lasso").click()
    lasso(page, [(0.02, 0.3), (0.9, 0.3), (0.98, 0.98), (0.02, 0.98)])
    expect(page.get_by_test_id("lasso-summary")).to_contain_text("sample")
    assert "NaN" not in page.locator(ROOT).inner_text()


def test_a_replay_or_an_encoder_that_is_missing_is_said_where_it_is_used(
    bench: Callable[..., Page], made: Callable[..., Path]
) -> None:
    folder = made()
    cut("replay/codes.f32")(folder)
    gone("encoder.safetensors")(folder)
    page = bench(folder)
    page.get_by_test_id("tool-replay").click()
    expect(page.get_by_test_id("replay-message")).to_contain_text("The file replay/codes.f32 of this run has")
    page.get_by_test_id("tool-draw").click()
    expect(page.get_by_test_id("draw-message")).to_contain_text("The file encoder.safetensors of this run is missing")


@pytest.mark.own_window
def test_runs_that_come_and_go_leave_nothing_behind(bench: Callable[..., Page], made: Callable[..., Path]) -> None:
    two = [made("first"), made("second", seed=1)]
    page = bench(two[0])
    tools = page.context.new_cdp_session(page)

    def counted() -> dict[str, int]:
        for _ in range(2):
            tools.send("HeapProfiler.collectGarbage")
            page.wait_for_timeout(100)
        return tools.send("Memory.getDOMCounters")

    def turn(times: int) -> None:
        for i in range(times):
            mount(page, two[(i + 1) % 2])
            page.wait_for_function(
                "() => document.querySelector('[data-testid=latent-explorer]')?.dataset.ready === 'true'"
            )

    page.evaluate("map => (window.first = document.querySelector(map).getContext('webgl2'))", MAP)
    turn(4)
    assert page.evaluate("first.isContextLost()"), "browsers lend only a few contexts"
    page.evaluate("delete window.first")
    before = counted()
    turn(30)
    assert page.locator("canvas").count() < 40 and page.locator(ROOT).count() == 1
    for _ in range(20):  # a few are only waiting to be collected
        after = counted()
        if all(after[what] < before[what] + 30 for what in ("nodes", "jsEventListeners")):
            break  # fewer than one for each run that went
    else:
        raise AssertionError((before, after))
    page.evaluate("hourglass.remove(document.getElementById('host'))")
    assert page.locator("#host *").count() == 0


def test_without_webgl_a_flat_canvas_draws_the_points(app: str, browser: Browser, made: Callable[..., Path]) -> None:
    sandbox = ["--no-sandbox"] if os.name == "posix" and os.geteuid() == 0 else []
    flat = browser.browser_type.launch(
        executable_path=chromium(), args=["--disable-gpu", "--disable-3d-apis", *sandbox]
    )
    try:
        page = flat.new_page()
        empty(page, app)
        mount(page, made(count=10_000))
        ready(page)
        expect(page.locator(NOTICES)).to_have_text(
            "This browser draws without WebGL: the map works, but large ones move slowly."
        )
        painted = page.locator(MAP).evaluate(
            "map => map.getContext('2d').getImageData(0, 0, map.width, map.height).data.some(value => value > 0)"
        )
        assert painted
        before = picture(page)
        move(page, 0.3, 0.3)
        assert picture(page) != before
    finally:
        flat.close()


def test_a_lost_webgl_context_comes_back(bench: Callable[..., Page], made: Callable[..., Path]) -> None:
    page = bench(made())

    def points() -> bytes:
        shot = page.locator(MAP).screenshot(style=".hg-marker, .hg-ring { display: none !important }")
        image = Image.open(io.BytesIO(shot))
        return image.crop((12, 12, image.width - 12, image.height - 12)).tobytes()  # without its rounded corners

    page.mouse.move(2, 2)
    page.wait_for_timeout(400)
    whole = points()
    page.evaluate(
        "map => (window.loss = document.querySelector(map).getContext('webgl2').getExtension('WEBGL_lose_context')).loseContext()",
        MAP,
    )
    changed(points, {whole}, page)
    before = picture(page)
    move(page, 0.4, 0.4)
    assert picture(page) != before, "decoding goes on meanwhile"
    page.evaluate("loss.restoreContext()")
    page.mouse.move(2, 2)
    for _ in range(300):
        page.wait_for_timeout(400)
        if points() == whole:
            break
    else:
        raise AssertionError("the points do not come back")


# ── signals and tables ──────────────────────────────────────────────────────


@pytest.fixture
def folder_of(tmp_path: Path) -> Callable[[runs.Run], Path]:
    """A trained run of another kind beside its samples, as the app would serve them."""

    def folder(run: runs.Run) -> Path:
        copy = Path(shutil.copytree(run.folder, tmp_path / run.id))
        (copy / "samples.f32.gz").write_bytes(thumbnails.values(run))
        for part in networks.PARTS:
            (copy / f"{part}.safetensors").write_bytes(networks.weights(copy, part))
        return copy

    return folder


def decoded(page: Page) -> list[float]:
    """The numbers that the large picture shows, as the decoder gave them."""
    return page.locator(SAMPLE).evaluate("canvas => Array.from(canvas.sample)")


@pytest.mark.parametrize("name", ["wave_run", "fruit_run"])
def test_a_signal_or_a_row_is_drawn_anew_under_the_pointer(
    name: str, bench: Callable[..., Page], folder_of: Callable[..., Path], request: pytest.FixtureRequest
) -> None:
    run = request.getfixturevalue(name)
    page = bench(folder_of(run))
    assert page.locator(ROOT).get_attribute("data-kind") == run.kind
    assert page.get_by_test_id("tool-draw").count() == 0, "one draws images"
    expect(page.get_by_test_id("behind")).to_contain_text("nearest sample, ")
    seen = set()
    for x, y in [(0.2, 0.2), (0.45, 0.6), (0.7, 0.35), (0.6, 0.8)]:
        move(page, x, y)
        seen.add(picture(page))
        there = np.array(code(page), np.float32)
        np.testing.assert_allclose(decoded(page), run.coder.decode(there[None])[0].ravel(), atol=2e-3)
    assert len(seen) == 4, "each place decodes to another drawing"
    assert len(page.evaluate("performance.getEntriesByName('explorer:decode').map(one => one.duration)")) >= 4
    assert page.locator(NOTICES).count() == 0
    expect(page.locator(SAMPLE)).to_have_attribute("aria-label", re.compile(run.columns[0].name.replace("[", r"\[")))

    # A sample itself stands behind what its code decodes to.
    page.locator(".hg-near button").first.click()
    expect(page.get_by_test_id("behind")).to_contain_text("original, ")
    expect(page.locator("figcaption").first).to_contain_text("reconstruction, error ")
    page.get_by_test_id("traversal").first.click()
    expect(page.locator(".hg-row .hg-strip:visible canvas")).to_have_count(9)

    page.get_by_test_id("tool-lasso").click()
    lasso(page, [(0.02, 0.02), (0.98, 0.02), (0.98, 0.98), (0.02, 0.98)])
    expect(page.get_by_test_id("lasso-gallery").locator("canvas")).to_have_count(16)  # originals above decoded ones
    layers = page.locator('select[data-testid="layer"] option').evaluate_all("all => all.map(one => one.value)")
    assert ("manifold" in layers) == (run.kind == "signal"), "rows in small cannot be read"
    for layer in layers[1:]:
        page.locator('select[data-testid="layer"]').select_option(layer)
        page.wait_for_function("name => performance.getEntriesByName(`explorer:layer-${name}`).length > 0", arg=layer)


LISTEN = """() => {
    window.said = [];
    const own = CanvasRenderingContext2D.prototype.fillText;
    CanvasRenderingContext2D.prototype.fillText = function (text, x, ...rest) {
        said.push([this.canvas.className, text, x]);
        return own.call(this, text, x, ...rest);
    };
}"""


def test_a_row_has_its_real_values_beside_the_decoded_ones(
    bench: Callable[..., Page], folder_of: Callable[..., Path], fruit_run: runs.Run
) -> None:
    folder = folder_of(fruit_run)
    weight = fruit_run.columns[0]
    rows = (
        np.frombuffer(gzip.decompress((folder / "samples.f32.gz").read_bytes()), "<f4")
        .copy()
        .reshape(fruit_run.count, -1)
    )
    rows[:, weight.start] = 25.0  # far beyond the end of the scale, for whichever row is shown
    (folder / "samples.f32.gz").write_bytes(gzip.compress(rows.tobytes()))
    page = bench(folder)
    page.evaluate(LISTEN)
    page.locator(".hg-near button").first.click()
    heads = page.locator(".hg-heads span")
    expect(heads).to_have_text(["original", "decoded"])
    one = inverse(fruit_run.columns, as_they_came(fruit_run.columns, rows[:1]))["weight [g]"][0]
    page.wait_for_function("wanted => said.some(([, text]) => text === wanted)", arg=f"{one:,.12g}")
    width = page.locator(SAMPLE).evaluate("one => one.getBoundingClientRect().width")
    words = page.evaluate("said.filter(([name]) => name === 'hg-sample')")
    assert any(text == f"{one:,.12g}" and abs(x - 0.79 * width) < 6 for _, text, x in words)
    for head, share in ((heads.first, 0.79), (heads.last, 1)):  # each stands above its column
        place, list_ = head.bounding_box(), page.locator(SAMPLE).bounding_box()
        assert place is not None and list_ is not None
        assert abs(place["x"] + place["width"] - list_["x"] - share * width) < 6
    move(page, 0.3, 0.3)
    page.get_by_test_id("let-go").click()
    move(page, 0.6, 0.6)
    expect(heads).to_have_text(["nearest", "decoded"])
    # The arrow: beyond where the bars end, which is at 55 % of the width, in the colour of the real row.
    beyond = page.locator(SAMPLE).evaluate(
        """one => {
            const k = one.width / one.getBoundingClientRect().width, x = Math.round(one.width * 0.55 + 3 * k);
            return one.getContext("2d").getImageData(x, Math.round(12 * k), 1, 1).data[3];
        }"""
    )
    assert beyond > 200


def test_nearest_rows_stand_below_their_names_on_a_phone_and_on_a_laptop(
    bench: Callable[..., Page], folder_of: Callable[..., Path], fruit_run: runs.Run
) -> None:
    folder = folder_of(fruit_run)
    for width, count in ((390, 3), (1366, 5)):
        page = bench(folder, viewport={"width": width, "height": 844})
        page.evaluate(LISTEN)
        move(page, 0.2, 0.3)
        move(page, 0.6, 0.5)
        page.wait_for_function("said.some(([name]) => name === 'hg-values')")
        left = page.locator(".hg-values").evaluate("one => one.getBoundingClientRect().x")
        columns = sorted({round(x, 1) for name, *_, x in page.evaluate("said") if name == "hg-values" and x > 20})
        heads = page.locator(".hg-near button:visible .hg-number").evaluate_all(
            "all => all.map(one => one.getBoundingClientRect().x)"
        )
        assert len(heads) == len(columns) == count
        assert np.abs(np.array(heads) - left - np.array(columns)).max() < 3
        # They come before the sliders.
        values, slider = page.locator(".hg-values").bounding_box(), page.locator(SLIDER).first.bounding_box()
        assert values is not None and slider is not None and values["y"] < slider["y"]


def test_what_lies_below_in_the_panel_is_said(
    bench: Callable[..., Page], folder_of: Callable[..., Path], fruit_run: runs.Run
) -> None:
    page = bench(folder_of(fruit_run), viewport={"width": 1280, "height": 640})
    more, slider = page.get_by_test_id("more-below"), page.locator(SLIDER).last
    expect(more).to_be_visible()
    while more.is_visible():
        more.click()
        frames(page)
    place, panel = slider.bounding_box(), page.locator(".hg-side").bounding_box()
    assert place is not None and panel is not None
    assert place["y"] + place["height"] <= panel["y"] + panel["height"]


@pytest.mark.parametrize("width", [390, 911, 1366])
def test_the_numbers_in_the_middle_of_the_way_are_always_seen(
    bench: Callable[..., Page], folder_of: Callable[..., Path], fruit_run: runs.Run, width: int
) -> None:
    page = bench(folder_of(fruit_run), viewport={"width": width, "height": 700})
    parts = page.locator(".hg-way > :not(button)").evaluate_all(
        "all => all.map(one => { const box = one.getBoundingClientRect(); return [box.left, box.right]; })"
    )
    assert len(parts) == 5
    assert parts[2][1] - parts[2][0] >= 86
    assert all(right <= left + 1 for (_, right), (left, _) in itertools.pairwise(parts)), parts


def test_on_a_phone_colour_and_layer_stand_right_above_the_map(bench: Callable[..., Page]) -> None:
    """Between them is the line that says what a finger can do, and how to let go."""
    page = bench(opened("digits-variational"), viewport={"width": 390, "height": 844})
    map_, line = page.locator(MAP).bounding_box(), page.locator(".hg-foot").bounding_box()
    assert line is not None and line["height"] < 64
    for name in ("colour", "layer", "points"):
        one = page.get_by_test_id(name).bounding_box()
        assert one is not None and map_ is not None
        assert 0 <= map_["y"] - line["height"] - one["y"] - one["height"] < 30, name


def test_a_scale_says_that_its_ends_are_cut_and_rings_what_lies_far_beyond(
    bench: Callable[..., Page], made: Callable[..., Path]
) -> None:
    def shown(name: str, greatest: float) -> tuple[Page, bytes]:
        folder = made(name, size=2)
        errors = np.linspace(0, 1, 600)
        errors[:] = np.clip(errors, 0, 0.98)
        errors[599] = greatest
        write("errors.f32", errors)(folder)
        page = bench(folder, {"colour": "error"})
        frames(page)
        return page, page.locator(MAP).screenshot(style=".hg-marker, .hg-ring { display: none !important }")

    page, plain = shown("plain", 0.98)
    legend = page.get_by_test_id("legend")
    expect(legend).not_to_contain_text("far beyond")
    page, ringed = shown("ringed", 50.0)
    expect(page.get_by_test_id("legend")).to_contain_text("\u2265 0.98")
    expect(page.get_by_test_id("legend")).to_contain_text("far beyond")
    assert ringed != plain, "the same colour, with a ring"


def test_a_place_that_a_link_holds_says_how_to_let_go(bench: Callable[..., Page]) -> None:
    run = opened("digits-variational")
    page = bench(run, {"code": [float(v) for v in run.card.codes.mean]})
    note, before = page.get_by_test_id("held-note"), picture(page)
    expect(note).to_be_hidden()
    move(page, 0.2, 0.3)
    expect(note).to_be_visible()
    expect(note).to_contain_text("Click the marker to let go")
    assert picture(page) == before
    marker = page.locator(".hg-marker").bounding_box()
    assert marker is not None
    page.mouse.click(marker["x"] + marker["width"] / 2, marker["y"] + marker["height"] / 2)
    expect(note).to_be_hidden()
    move(page, 0.7, 0.3)
    assert picture(page) != before
    # What says that a place is held does not lie over the map.
    page.mouse.down()
    page.mouse.up()
    held, map_ = page.get_by_test_id("let-go").bounding_box(), page.locator(MAP).bounding_box()
    assert held is not None and map_ is not None and held["y"] >= map_["y"] + map_["height"]


@pytest.mark.parametrize("kind", ["table", "image"])
def test_the_first_steps_speak_of_what_the_run_has(
    kind: str, bench: Callable[..., Page], folder_of: Callable[..., Path], fruit_run: runs.Run
) -> None:
    run = fruit_run if kind == "table" else opened("digits-variational")
    page = bench(folder_of(run) if kind == "table" else run, about={"intro": opening.first_steps(run)})
    steps = page.get_by_test_id("first-steps")
    made_of = "makes a whole row from them" if kind == "table" else "draws an image from them"
    expect(steps.get_by_text(f"Two numbers, and a network that {made_of}.")).to_be_visible()
    last = steps.locator(".hg-either > p").last.text_content() or ""
    assert ("Draw" in last) == (kind == "image") and ("train your own network" in last) == run.pretrained
    shows = "the decoded row follows" if kind == "table" else "the picture follows"
    expect(page.get_by_test_id("hint")).to_contain_text(shows)


def test_nearest_samples_are_shown_beside_a_drawing(bench: Callable[..., Page]) -> None:
    page = bench(opened("digits-variational"), {"tool": "draw"}, viewport={"width": 1280, "height": 640})
    near = page.get_by_test_id("neighbours").locator("button:visible canvas")
    assert near.count() >= 3
    window = page.locator(".hg-side").bounding_box()
    for i in range(near.count()):
        place = near.nth(i).bounding_box()
        assert (
            place is not None and window is not None and place["y"] + place["height"] <= window["y"] + window["height"]
        )


def test_coordinates_are_never_cut(bench: Callable[..., Page]) -> None:
    page = bench(opened("digits-variational"), viewport={"width": 911, "height": 700})
    assert page.locator(".hg-code").evaluate(
        "one => one.scrollWidth <= one.clientWidth && one.scrollHeight <= one.clientHeight + 1"
    )


def test_nearest_rows_are_read_in_their_own_units(
    bench: Callable[..., Page], folder_of: Callable[..., Path], fruit_run: runs.Run
) -> None:
    """What is written on a canvas is heard by listening to the browser's own fillText."""
    page = bench(folder_of(fruit_run), wait=False)
    ready(page)
    page.evaluate(
        """() => {
            window.said = [];
            const own = CanvasRenderingContext2D.prototype.fillText;
            CanvasRenderingContext2D.prototype.fillText = function (text, ...rest) {
                if (this.canvas.className === "hg-values") said.push(text);
                return own.call(this, text, ...rest);
            };
        }"""
    )
    move(page, 0.1, 0.15)
    move(page, 0.3, 0.4)
    there = np.array(code(page), np.float32)
    near = codes.nearest(fruit_run.codes, there, 1)[0]
    row = np.asarray(datasets.arrays(kinds.TABLE).samples[fruit_run.rows[near]])
    real = inverse(fruit_run.columns, as_they_came(fruit_run.columns, row))
    expected = [f"{real['weight [g]'][0]:,.12g}", real["colour"][0], f"{real['price [ct]'][0]:,.12g}"]
    page.wait_for_function("wanted => wanted.every(text => said.includes(text))", arg=expected)
    assert page.evaluate("said.includes('<b>=origin</b>') || said.some(text => text.startsWith('<b>=or'))")


def test_without_its_samples_a_signal_or_a_row_is_decoded_all_the_same(
    bench: Callable[..., Page], folder_of: Callable[..., Path], fruit_run: runs.Run, wave_run: runs.Run
) -> None:
    for run in (fruit_run, wave_run):
        folder = folder_of(run)
        (folder / "samples.f32.gz").unlink()
        page = bench(folder)
        expect(page.get_by_text("decoded, originals not at hand")).to_be_visible()
        before = picture(page)
        move(page, 0.3, 0.35)
        assert picture(page) != before
        expect(page.get_by_test_id("behind")).to_be_hidden()
        assert page.locator(NOTICES).count() == 0


def test_samples_of_another_size_are_told(
    bench: Callable[..., Page], folder_of: Callable[..., Path], wave_run: runs.Run
) -> None:
    folder = folder_of(wave_run)
    (folder / "samples.f32.gz").write_bytes(gzip.compress(b"1234" * 5))
    page = bench(folder)
    expect(page.locator(NOTICES)).to_contain_text("The file samples.f32.gz of this run has 20 bytes")


def test_a_thousand_columns_scroll_and_cost_no_more(bench: Callable[..., Page], made: Callable[..., Path]) -> None:
    folder = made(shape=(1000, 1, 1), thumbnails=False)
    edit(folder, lambda card: (card["dataset"].update(kind="table", shape=[1000]), card.update(thumbnails=None)))
    page = bench(folder)
    canvas = page.locator(SAMPLE)
    assert canvas.evaluate("one => one.height") < 2000, "only what is in sight has pixels"
    page.evaluate(
        """() => {
            window.texts = 0;
            const own = CanvasRenderingContext2D.prototype.fillText;
            CanvasRenderingContext2D.prototype.fillText = function (...all) {
                if (this.canvas.className === "hg-sample") texts++;
                return own.apply(this, all);
            };
        }"""
    )
    before = picture(page)
    page.locator(".hg-pictures .hg-listed").evaluate("one => { one.scrollTop = 12000; }")
    frames(page)
    assert picture(page) != before, "other columns"
    assert 0 < page.evaluate("texts") < 100, "and not two for each of a thousand"
    box = canvas.bounding_box()
    list_ = page.locator(".hg-pictures .hg-listed").bounding_box()
    assert box is not None and list_ is not None and abs(box["y"] - list_["y"]) < 2, "the canvas stays in its place"


@pytest.mark.parametrize("tool", ["explore", "draw"])
def test_nothing_lies_over_the_picture_on_a_phone(app: str, window: Callable[..., Page], tool: str) -> None:
    page = window(viewport={"width": 390, "height": 844})
    page.goto(f"{app}/?run=digits-variational&tool={tool}")
    page.locator('[data-testid="latent-explorer"][data-ready="true"]').wait_for()
    picture = page.locator('canvas[data-testid="decoded-sample"]').bounding_box()
    words = page.locator(".hg-about" if tool == "explore" else ".hg-pad").bounding_box()
    assert picture is not None and words is not None
    if tool == "draw":  # what is drawn stands to the left
        picture, words = words, picture
    assert picture["x"] + picture["width"] <= words["x"]


# ── classes, originals, views ───────────────────────────────────────────────


LAST_VIEW = "said.filter(([name]) => name === 'view').at(-1)?.[1] ?? {}"


def view_of(page: Page, **expected: str) -> dict[str, str]:
    """The view that was reported last, once it says this: it comes a moment after a choice."""
    page.wait_for_function(
        f"expected => {{ const told = {LAST_VIEW}; return Object.keys(expected).every(key => told[key] === expected[key]) }}",
        arg=expected,
    )
    told = page.evaluate(LAST_VIEW)
    assert isinstance(told, dict)
    return told


@pytest.mark.parametrize("classes", [255, 256, 300, 1000])
def test_as_many_classes_as_the_readers_take_have_a_map(
    bench: Callable[..., Page], made: Callable[..., Path], classes: int
) -> None:
    """Past the table of colours they start again; each class is still hidden and named by itself."""
    page = bench(made(classes=classes, count=2 * classes, replay=0))
    assert page.locator(NOTICES).count() == 0
    legend = page.get_by_test_id("legend").locator("button")
    expect(legend).to_have_count(classes)
    last = legend.nth(classes - 1)
    last.scroll_into_view_if_needed()
    last.dblclick()  # this one alone
    expect(last).to_have_attribute("aria-pressed", "true")
    expect(legend.nth(classes - 255 if classes > 255 else 0)).to_have_attribute("aria-pressed", "false")
    named = page.get_by_test_id("neighbours").locator("button:visible .hg-class")
    expect(named).to_have_text([last.inner_text()] * 2)  # of each class there are two samples
    view_of(page, hidden=f"!{classes - 1}")
    page.get_by_test_id("layer").select_option("classes")
    page.wait_for_function("performance.getEntriesByName('explorer:layer-classes').length > 0")
    assert page.locator(NOTICES).count() == 0


def test_what_is_hidden_is_nobodys_neighbour_and_opens_hidden_again(
    bench: Callable[..., Page], made: Callable[..., Path]
) -> None:
    folder = made(classes=3)
    page = bench(folder)
    legend = page.get_by_test_id("legend").locator("button")
    near = page.get_by_test_id("neighbours").locator("button:visible .hg-class")
    first = near.first.inner_text()
    names = legend.all_inner_texts()
    legend.nth(names.index(first)).click()
    expect(near.filter(has_text=re.compile(f"^{re.escape(first)}$"))).to_have_count(0)
    expect(near).to_have_count(5)
    page.get_by_test_id("points").uncheck()
    page.get_by_test_id("zoom-in").click()
    page.wait_for_function("said.some(([name, view]) => name === 'view' && view.camera)")
    told = view_of(page)
    assert told["hidden"] == str(names.index(first)) and told["points"] == "no"
    x, y, zoom = (float(part) for part in told["camera"].split(","))
    assert np.isfinite([x, y]).all() and zoom == pytest.approx(1.5, rel=1e-3)

    other = bench(folder, {name: told[name] for name in ("hidden", "points", "camera")})
    legend = other.get_by_test_id("legend").locator("button")
    expect(legend.nth(names.index(first))).to_have_attribute("aria-pressed", "false")
    expect(other.get_by_test_id("points")).not_to_be_checked()
    other.get_by_test_id("colour").select_option("error")  # which reports the view as it is
    view_of(other, camera=told["camera"])


def test_without_classes_no_word_is_said_of_them(bench: Callable[..., Page], made: Callable[..., Path]) -> None:
    folder = made()
    edit(folder, lambda card: card["dataset"].update(classes=[]))
    (folder / "labels.i32").write_bytes(np.full(600, -1, "<i4").tobytes())
    page = bench(folder)
    assert "Class" not in page.locator(ROOT).inner_text() and "label" not in page.locator(ROOT).inner_text()
    assert page.get_by_test_id("colour").locator("option").all_inner_texts()[0] == "nothing"
    assert page.get_by_test_id("layer").locator("option[value=classes]").count() == 0
    expect(page.get_by_test_id("legend").locator("button")).to_have_count(0)
    page.get_by_test_id("tool-lasso").click()
    lasso(page, [(0.05, 0.05), (0.95, 0.05), (0.95, 0.95), (0.05, 0.95)])
    expect(page.get_by_test_id("lasso-summary")).to_contain_text("of 600 samples")
    assert "label" not in page.locator(ROOT).inner_text()


def test_small_samples_in_the_lasso_can_be_seen(bench: Callable[..., Page]) -> None:
    page = bench(opened("digits-variational"))
    page.get_by_test_id("tool-lasso").click()
    lasso(page, [(0.05, 0.05), (0.95, 0.05), (0.95, 0.95), (0.05, 0.95)])
    shown = page.get_by_test_id("lasso-gallery").locator("canvas")
    expect(shown).to_have_count(16)
    assert min(shown.evaluate_all("all => all.map(one => one.getBoundingClientRect().width)")) >= 24

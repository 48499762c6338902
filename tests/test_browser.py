"""The real thing in a real Chromium: open the app, see points, move, see another image; train and explore the result."""

import contextlib
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from engines import held
from playwright.sync_api import Page, expect

from components.visitor import COOKIE
from models import runs


def test_train_on_digits_to_the_end_and_explore_it(app: str, page: Page) -> None:
    page.goto(f"{app}/train?dataset=digits&architecture=modern&code_size=2&epochs=5")
    page.get_by_role("button", name="Train", exact=True).click()
    expect(page.get_by_text("is ready: 5 epochs")).to_be_visible(timeout=180_000)
    page.locator(".st-key-leave-for-Explore button").click()
    expect(page.get_by_text("Each of 1,797 points is one")).to_be_visible()
    assert "run=" in page.url


def test_the_first_page_is_found_by_its_name_too(app: str, page: Page) -> None:
    page.goto(f"{app}/explore?run=digits-variational")
    expect(page.get_by_text("Each of 1,797 points is one")).to_be_visible()
    expect(page.get_by_role("dialog")).to_have_count(0)
    assert page.url.startswith(f"{app}/?run=")


def test_reconstructions_stand_beside_originals(app: str, page: Page) -> None:
    page.goto(f"{app}/reconstructions?run=digits-variational")
    expect(page.get_by_text("Originals", exact=True)).to_be_visible()
    expect(page.get_by_alt_text("Originals")).to_be_visible()
    before = page.get_by_alt_text("Originals").get_attribute("src")
    page.get_by_role("button", name="Others").click()
    expect(page.get_by_alt_text("Originals")).not_to_have_attribute("src", before or "")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_no_page_does_what_its_policy_forbids(app: str, window: Callable[..., Page], scheme: str) -> None:
    """What Streamlit inlines, WebAssembly, Plotly and both ways to upload, in light and in dark."""
    page, forbidden = window(color_scheme=scheme), []
    page.on("console", lambda said: forbidden.append(said.text) if "Content Security Policy" in said.text else None)
    answer = page.goto(f"{app}/?run=digits-variational")
    assert answer is not None and "wasm-unsafe-eval" in answer.headers["content-security-policy"]
    expect(page.locator('[data-testid="latent-explorer"][data-ready="true"]')).to_be_visible()
    expect(page.locator('canvas[data-testid="decoded-sample"]')).to_be_visible()
    if scheme == "dark":  # the rest is the same in both
        assert forbidden == []
        return
    # More points than Plotly would draw without WebGL by itself.
    page.goto(f"{app}/?run=shapes-convolutional-variational")
    page.get_by_text("The map as a Plotly figure").click()
    expect(page.locator(".js-plotly-plot .point").first).to_be_attached()
    for place, shows in (
        ("train", "Train"),
        ("reconstructions?run=digits-variational", "Originals"),
        ("codes?run=mnist-modern-30", "PCA"),
        ("samples?run=digits-variational", "samples"),
        ("runs", "You have not trained anything yet"),
    ):
        page.goto(f"{app}/{place}")
        expect(page.get_by_text(shows).first).to_be_visible()
    rows = "\n".join(f"{i % 7},{i % 5 + 0.5},{i % 3}" for i in range(61))
    table = [{"name": "table.csv", "mimeType": "text/csv", "buffer": f"a,b,c\n{rows}".encode()}]
    for large in (False, True):
        page.goto(f"{app}/data")
        if large:
            page.get_by_text("A file of more than 200 MB").click()
            page.get_by_label("A large file").set_input_files(files=table)
        else:
            page.get_by_test_id("stFileUploaderDropzoneInput").set_input_files(files=table)
        expect(page.get_by_text("61", exact=True)).to_be_visible()
    assert forbidden == []


def test_run_files_are_served_by_content_and_nothing_else_is(app: str, page: Page) -> None:
    run = runs.open_run(runs.folder_of("digits-variational"))
    good = page.request.get(f"{app}/{run.url}/codes.f32")
    assert good.ok and good.body() == (run.folder / "codes.f32").read_bytes()
    assert "immutable" in good.headers["cache-control"]
    blocks = page.request.get(f"{app}/{run.url}/thumbnails.u8.gz")
    assert blocks.ok and len(blocks.body()) > 1000
    bad = [
        f"run/{run.id}/{run.digest}/../../README.md",
        f"run/{run.id}/{run.digest}/%2e%2e/%2e%2e/README.md",
        f"run/{run.id}/{run.digest}/secret.txt",
        f"run/{run.id}/{'0' * 16}/codes.f32",
        f"run/..%2f..%2fetc/{run.digest}/passwd",
        "run/nothing/at/all",
    ]
    for path in bad:
        answer = page.request.get(f"{app}/{path}")
        page_of_streamlit = "<title>Streamlit</title>" in answer.text()  # its answer to every address it does not know
        assert answer.status in (400, 404) or page_of_streamlit, path


def test_a_training_is_seen_again_after_a_reload_and_by_nobody_elses_list(
    app: str, app_home: Path, window: Callable[..., Page]
) -> None:
    """Two people: one trains, closes the tab and comes back by the link; the other opens the link, and cannot cancel."""
    page, other = window(), window()
    page.goto(f"{app}/train?dataset=digits&architecture=modern&epochs=8000&seed=77")
    cookie = next(one for one in page.context.cookies() if one["name"] == COOKIE)
    assert cookie["httpOnly"] and cookie["sameSite"] == "Lax" and page.evaluate("document.cookie").find(COOKIE) < 0
    page.get_by_role("button", name="Train", exact=True).click()
    expect(page.get_by_text(re.compile(r"epoch \d+ of 8000"))).to_be_visible(timeout=180_000)
    expect(page.get_by_alt_text("originals and reconstructions")).to_be_visible()
    with held(app_home):
        page.reload()
        expect(page.get_by_text(re.compile(r"epoch \d+ of 8000"))).to_be_visible()
        expect(page.get_by_alt_text("originals and reconstructions")).to_be_visible()
        assert next(one for one in page.context.cookies() if one["name"] == COOKIE)["value"] == cookie["value"]

        other.goto(page.url)  # a deep link as the first page: the cookie comes with it
        assert next(one for one in other.context.cookies() if one["name"] == COOKIE)["value"] != cookie["value"]
        expect(other.get_by_text(re.compile(r"epoch \d+ of 8000"))).to_be_visible()
        expect(other.get_by_text("Somebody else asked for this training")).to_be_visible()
        expect(other.get_by_role("button", name="Cancel", exact=True)).to_have_count(0)
        other.get_by_role("link", name="Runs").click()
        expect(other.get_by_text("You have not trained anything yet")).to_be_visible()

        page.get_by_role("link", name="Runs").click()
        table = page.get_by_test_id("stDataFrame")
        expect(table).to_have_count(1)  # for a moment the one of the drawing before stands beside it
        expect(table).to_be_visible()
        row(page, 0, shows="Watch it")
        page.get_by_role("button", name="Watch it").click()
        expect(page).to_have_url(re.compile("/train"))
    page.get_by_role("button", name="Cancel", exact=True).click()
    expect(page.get_by_text("This training was cancelled after epoch")).to_be_visible()

    page.get_by_role("link", name="Runs").click()
    row(page, 0, shows="Rename")
    page.get_by_role("button", name="Rename").click()
    page.get_by_label("Name", exact=True).fill("<i>mine</i>")
    page.get_by_test_id("stPopoverBody").get_by_role("button", name="Rename").click()
    expect(page.locator("b, strong").get_by_text("<i>mine</i>")).to_be_visible()
    page.get_by_role("button", name="Star", exact=True).click()
    row(page, 0, shows="Unstar")
    page.get_by_role("button", name="Resume").click()
    row(page, 0, shows="Watch it")
    page.get_by_role("button", name="Cancel", exact=True).click()
    expect(page.get_by_role("button", name="Resume")).to_be_visible()  # it is still selected
    page.get_by_role("button", name="Train again with changes").click()
    expect(page.get_by_label("Seed", exact=True)).to_have_value("77")
    page.get_by_role("link", name="Runs").click()
    row(page, 0, shows="Delete")
    page.get_by_role("button", name="Delete", exact=True).click()
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_text("<i>mine</i>")).to_be_visible()
    dialog.get_by_role("button", name="Delete").click()
    expect(page.get_by_text("You have not trained anything yet")).to_be_visible()


def test_the_title_of_a_run_opens_it(app: str, window: Callable[..., Page]) -> None:
    """A newcomer has what ships; a finished run opens on Explore. With Back the list is there again, and nothing opens."""
    page = window(viewport={"width": 1366, "height": 768})
    page.goto(f"{app}/runs")
    expect(page.get_by_text("You have not trained anything yet")).to_be_visible()
    expect(page.get_by_text("Show shipped and shared runs")).to_have_count(0)
    row(page, 0, across=200)
    page.wait_for_url(re.compile(r"/\?(.*&)?run="))
    first = min((run for run in runs.find()[0] if run.pretrained), key=lambda run: run.folder.name)
    expect(page.locator('[data-testid="latent-explorer"]')).to_have_attribute("data-run", first.id)
    page.wait_for_url("**plane=*")  # the page has written its address: it is drawn to its end
    page.go_back()
    expect(page.get_by_test_id("stDataFrame")).to_be_visible()
    page.wait_for_timeout(1000)  # what would open would do so now
    assert "/runs" in page.url


def cells_are_drawn(page: Page) -> None:
    """Wait for the cells of a table: they are drawn on a canvas some time after the element, and can be touched then."""
    page.wait_for_function(
        """() => [...document.querySelectorAll("[data-testid=stDataFrame] canvas")].some((canvas) =>
            canvas.width > 0 && canvas.height > 0 &&
            canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data.some((value) => value > 0))"""
    )
    page.wait_for_timeout(700)


def row(page: Page, index: int, across: int = 20, shows: str = "") -> None:
    """Select a line of the table of runs, or touch a cell further across: its cells are drawn on a canvas.

    shows: the button that is there then. A page that is being drawn anew may forget what was touched: it is touched again.
    """
    table = page.get_by_test_id("stDataFrame")
    for _ in range(20):
        expect(table).to_have_count(1)  # for a moment the one of the drawing before stands beside it
        expect(table).to_be_visible()
        cells_are_drawn(page)
        table.click(position={"x": across, "y": 52 + 35 * index})
        if not shows:
            return
        with contextlib.suppress(AssertionError):
            return expect(page.get_by_role("button", name=shows, exact=True)).to_be_visible(timeout=15_000)
    raise AssertionError(f"no button {shows} is there")

"""Labs in a browser: what a hand does changes the picture, the verdict and the figure, and the link restores it."""

import itertools
import re
from collections.abc import Callable
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import numpy as np
import pytest
from conftest import serving
from playwright.sync_api import Locator, Page, expect

from models import datasets, engine, runs
from models.analysis import forecasting, recommending
from models.labs import recommend
from models.labs import sequences as lab_of_sequences

LAPTOP = {"viewport": {"width": 1366, "height": 768}}
PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}
HANDLE = "rate-handle"
DRAWN = "() => performance.getEntriesByName('lab:draw').length"


def ready(page: Page) -> Locator:
    lab = page.get_by_test_id("lab")
    expect(lab).to_have_attribute("data-ready", "true", timeout=180_000)
    expect(page.get_by_text("To try")).to_be_visible()
    return lab


def pixels(picture: Locator) -> np.ndarray:
    return np.array(
        picture.evaluate("(one) => [...one.getContext('2d').getImageData(0, 0, one.width, one.height).data]")
    )


def asked(page: Page) -> dict[str, list[str]]:
    return parse_qs(urlsplit(page.url).query)


def rested(page: Page) -> None:
    """Wait until the address says where the handle of Compress stands now, not where it stood before."""
    rate = float(page.get_by_test_id(HANDLE).get_attribute("aria-valuenow") or "nan")
    page.wait_for_url(lambda _url: float(asked(page).get("rate", ["nan"])[0]) == pytest.approx(rate, rel=1e-3))


@pytest.fixture
def compress(app: str, window: Callable[..., Page]) -> Page:
    page = window(**LAPTOP)
    page.goto(f"{app}/compress")
    ready(page)
    return page


def test_the_picture_and_the_verdict_follow_the_rate(app: str, compress: Page, window: Callable[..., Page]) -> None:
    """The autoencoder's own picture becomes another one while the handle moves, in the page alone."""
    page, picture = compress, compress.get_by_test_id("lab-picture-run")
    verdict = page.get_by_test_id("lab-verdict")
    expect(verdict).to_contain_text(
        re.compile(r"^The autoencoder wins: [\d.]+ dB takes [\d.]+ bytes an image with this")
    )
    page.wait_for_function(
        "() => document.querySelector('[data-testid=lab-picture-run]').getContext('2d').getImageData(0, 0, 8, 8).data.some((v, i) => i % 4 < 3 && v > 60)"
    )
    first, words = pixels(picture), verdict.inner_text()
    box = page.get_by_test_id("rate").bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + 0.4 * box["width"], box["y"] + 100)
    page.mouse.down()
    seen = []
    for share in (0.3, 0.22, 0.19):
        before = page.evaluate(DRAWN)
        page.mouse.move(box["x"] + share * box["width"], box["y"] + 100)
        page.wait_for_function("(before) => performance.getEntriesByName('lab:draw').length > before", arg=before)
        seen.append(pixels(picture))
    page.mouse.up()
    assert all(not np.array_equal(first, one) for one in seen) and verdict.inner_text() != words
    rested(page)
    moved, words = pixels(picture), verdict.inner_text()
    other = window(**LAPTOP)
    other.goto(page.url)
    ready(other)
    expect(other.get_by_test_id("lab-verdict")).to_have_text(words)
    other.wait_for_function(
        "() => document.querySelector('[data-testid=lab-picture-run]').getContext('2d').getImageData(0, 0, 8, 8).data.some((v, i) => i % 4 < 3 && v > 60)"
    )
    np.testing.assert_allclose(pixels(other.get_by_test_id("lab-picture-run")), moved, atol=2)


def test_on_a_new_computer_something_is_shown_at_once_and_the_run_waits(
    tmp_path: Path, window: Callable[..., Page]
) -> None:
    """The app opens on MNIST, whose images have to be downloaded: a run that ships with its images stands in."""
    page = window(**LAPTOP)
    with serving(tmp_path, HOURGLASS_DATA=str(tmp_path / "nothing")) as address:
        page.goto(address)
        explorer = page.get_by_test_id("latent-explorer")
        expect(explorer).to_have_attribute("data-ready", "true")
        kept = explorer.get_attribute("data-run") or ""
        page.get_by_text("Labs", exact=True).click()
        page.get_by_role("menuitem", name="Compress").click()
        ready(page)
        expect(page.get_by_text("is not shown here: its images are not at hand")).to_be_visible()
        page.wait_for_url(lambda _url: asked(page).get("run", [kept]) != [kept])
        page.get_by_role("link", name="Explore", exact=True).click()
        expect(explorer).to_have_attribute("data-run", kept)
        page.goto(f"{address}/compress?run={kept}")  # who names it is told how to get its images
        expect(page.get_by_role("button", name=re.compile("Download MNIST"))).to_be_visible()


def test_the_run_waits_from_lab_to_lab_while_another_stands_in(app: str, window: Callable[..., Page]) -> None:
    page = window(**LAPTOP)
    page.goto(f"{app}/features?run=digits-modern-8")
    ready(page)
    chosen = runs.open_run(runs.folder_of("digits-modern-8")).id
    for lab, run in (("Denoise", "digits-denoising"), ("Generate", "digits-modern-8")):
        page.get_by_text("Labs", exact=True).click()
        page.get_by_role("menuitem", name=lab).click()
        page.wait_for_url(f"**/{lab.lower()}?**")
        ready(page)
        shown = runs.open_run(runs.folder_of(run)).id
        page.wait_for_url(lambda _url, shown=shown: asked(page).get("run") == [shown])
        expect(page.get_by_text("is not shown here")).to_have_count(int(shown != chosen))
    page.get_by_role("link", name="Explore", exact=True).click()
    expect(page.get_by_test_id("latent-explorer")).to_have_attribute("data-run", chosen)


def test_what_is_driven_is_on_screen_with_what_moves(compress: Page, app: str) -> None:
    for path, parts in (
        ("compress", ("lab-verdict", "rate-handle", "lab-picture-run", "lab-images")),
        ("anomalies", ("lab-verdict", "threshold-handle", "lab-matrix", "lab-miss")),
        ("denoise", ("lab-verdict", "lab-pad", "lab-cleaned", "lab-bars", "lab-pen-light", "lab-level")),
        ("recommend", ("lab-verdict", "lab-map", "lab-things", "lab-suggestions", "lab-find")),
        ("generate", ("lab-verdict", "lab-sheet", "lab-temperature", "lab-drawn", "components-handle")),
    ):
        compress.goto(f"{app}/{path}")
        ready(compress)
        for part in parts:
            box = compress.get_by_test_id(part).bounding_box()
            assert box is not None and box["y"] >= 0 and box["y"] + box["height"] <= 768, (path, part, box)


def test_with_its_decoder_counted_it_loses_until_there_are_enough_images(compress: Page) -> None:
    page, verdict = compress, compress.get_by_test_id("lab-verdict")
    page.get_by_test_id("lab-decoder").select_option("8")
    expect(verdict).to_contain_text(re.compile(r"wins: .* is counted: from [\d,]+ images on this autoencoder beats"))
    expect(verdict).not_to_contain_text("The autoencoder wins")
    # What stands below its picture counts what the verdict counts.
    counted = re.search(r"takes ([\d.]+ bytes) an image with this", verdict.inner_text())
    cell = page.locator(".hg-lab-cell").filter(has=page.get_by_test_id("lab-picture-run"))
    assert counted is not None
    expect(cell).to_contain_text(f"{counted[1]}, this one")
    count = page.get_by_test_id("lab-images")
    count.focus()
    page.keyboard.press("End")
    expect(verdict).to_contain_text("The autoencoder wins")
    page.wait_for_url(lambda url: asked(page).get("many") == ["10000000"] and asked(page).get("bits") == ["8"])


def test_keys_move_the_rate_and_it_is_said_in_words(compress: Page) -> None:
    page, handle = compress, compress.get_by_test_id(HANDLE)
    handle.focus()
    before = float(handle.get_attribute("aria-valuenow") or 0)
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("PageDown")
    expect(handle).not_to_have_attribute("aria-valuenow", str(before))
    assert float(handle.get_attribute("aria-valuenow") or 0) < before
    expect(handle).to_have_attribute("aria-valuetext", re.compile(r"^[\d.]+ bytes an image\. "))
    page.keyboard.press("End")
    expect(page.get_by_test_id("lab-verdict")).to_contain_text("wins: with")
    expect(page.get_by_test_id("lab-verdict")).to_contain_text("however many bytes it is given")
    words = page.get_by_test_id("lab-verdict").inner_text()
    rested(page)
    page.get_by_role("link", name="Runs", exact=True).click()
    expect(page.get_by_test_id("lab")).to_have_count(0)
    page.get_by_text("Labs", exact=True).click()
    page.get_by_role("menuitem", name="Compress").click()
    expect(page.get_by_test_id("lab-verdict")).to_have_text(words)  # as it was left


def test_the_figure_leaves_as_drawing_picture_and_numbers(compress: Page) -> None:
    found = {}
    for kind in ("svg", "png", "csv"):
        with compress.expect_download() as saved:
            compress.get_by_test_id(f"lab-{kind}").click()
        assert saved.value.suggested_filename == f"rate-distortion.{kind}"
        found[kind] = saved.value.path().read_bytes()
    assert found["svg"].startswith(b"<svg") and b"this autoencoder" in found["svg"] and b"var(" not in found["svg"]
    assert found["png"].startswith(b"\x89PNG")
    rows = found["csv"].decode().splitlines()
    assert rows[0] == 'method,"bytes an image","PSNR in dB"'
    assert sum(row.startswith('"this autoencoder"') for row in rows) == 10 and any("AVIF" in row for row in rows)


def test_what_is_tried_twice_is_driven_on(compress: Page) -> None:
    """The second time nothing changes, and the lab is not drawn anew."""
    page, tried = compress, compress.get_by_role("button", name="A file for each image")
    for _ in range(2):
        tried.click()
        page.wait_for_url(lambda url: asked(page).get("alone") == ["yes"])
        expect(page.get_by_test_id("stApp")).to_have_attribute("data-test-script-state", "notRunning")
        page.wait_for_timeout(1000)
    page.get_by_test_id(HANDLE).press("PageDown")
    rested(page)


def test_things_to_try_are_one_click_and_files_come_back(compress: Page) -> None:
    page = compress
    page.get_by_role("button", name="A file for each image").click()
    page.wait_for_url(lambda url: asked(page).get("alone") == ["yes"])
    ready(page)
    expect(page.get_by_test_id("lab-files")).to_have_value("yes")
    page.get_by_text("Take the images along as one file").click()
    expect(page.get_by_test_id("stApp")).to_have_attribute("data-test-script-state", "notRunning")
    with page.expect_download() as saved:
        page.get_by_role("button", name=re.compile("179 test images in [0-9,]+ bytes")).click()
    page.get_by_test_id("stFileUploaderDropzoneInput").first.set_input_files(saved.value.path())
    page.get_by_test_id("stFileUploaderDropzoneInput").first.set_input_files(
        {"name": "a.hgl", "mimeType": "application/octet-stream", "buffer": saved.value.path().read_bytes()}
    )
    expect(page.get_by_text("bit for bit those that were written above")).to_be_visible()


@pytest.fixture
def denoise(app: str, window: Callable[..., Page]) -> Page:
    page = window(**LAPTOP)
    page.goto(f"{app}/denoise")
    ready(page)
    return page


def values(picture: Locator) -> np.ndarray:
    """The numbers that a picture shows, as the network gave or got them."""
    return np.array(picture.evaluate("(one) => [...one.sample]"), np.float32)


def test_a_run_cleans_while_the_pen_moves_and_a_classifier_reads(denoise: Page) -> None:
    """What is shown is what the run makes of exactly what lies under the pen; a frame has 16 ms."""
    page, pad, cleaned = denoise, denoise.get_by_test_id("lab-pad"), denoise.get_by_test_id("lab-cleaned")
    page.get_by_test_id("lab-clear").click()
    expect(page.get_by_test_id("lab-clean-read")).to_contain_text(re.compile(r"^read as \d, \d+ % sure: right$"))
    expect(page.get_by_test_id("lab-before")).to_have_text(page.get_by_test_id("lab-clean-read").inner_text())
    box = pad.bounding_box()
    assert box is not None
    for pen in ("light", "dots", "dark"):
        page.get_by_test_id(f"lab-pen-{pen}").click()
        given, made = values(pad), values(cleaned)
        page.evaluate("() => performance.clearMeasures('lab:draw')")
        page.mouse.move(box["x"] + 0.2 * box["width"], box["y"] + 0.3 * box["height"])
        page.mouse.down()
        for share in np.linspace(0.2, 0.8, 8):
            before = page.evaluate(DRAWN)
            page.mouse.move(box["x"] + share * box["width"], box["y"] + 0.5 * box["height"])
            page.wait_for_function("(before) => performance.getEntriesByName('lab:draw').length > before", arg=before)
        page.mouse.up()
        assert not np.array_equal(values(pad), given) and not np.array_equal(values(cleaned), made), pen
        spent = "() => performance.getEntriesByName('lab:draw').map((one) => one.duration)"
        assert min(page.evaluate(spent)) <= 16
    run = runs.open_run(runs.folder_of(asked(page)["run"][0]))
    expected = run.coder.decode(run.coder.encode(values(pad).reshape(1, *run.shape)))
    np.testing.assert_allclose(values(cleaned), expected.ravel(), atol=1e-4)


def test_noise_and_watermark_are_set_and_a_link_restores_them(
    app: str, denoise: Page, window: Callable[..., Page]
) -> None:
    page, pad = denoise, denoise.get_by_test_id("lab-pad")
    page.get_by_role("button", name=re.compile("^Test sample 3")).click()
    page.get_by_test_id("lab-noise-watermarks").press("Enter")
    expect(page.get_by_test_id("lab-noise-watermarks")).to_be_focused()
    expect(page.get_by_test_id("lab-noise-watermarks")).to_have_attribute("aria-pressed", "true")
    expect(page.get_by_test_id("lab-text")).to_have_value("DRAFT")
    expect(page.get_by_test_id("lab-verdict")).to_contain_text("Watermarks")
    written = values(pad)
    page.get_by_test_id("lab-text").fill("SOLD")
    page.wait_for_function(
        "([one, before]) => one.sample.some((v, i) => v !== before[i])", arg=[pad.element_handle(), written.tolist()]
    )
    page.get_by_test_id("lab-kind").select_option("salt-and-pepper")
    page.get_by_test_id("lab-level").fill("0.4")
    page.wait_for_url(lambda url: asked(page).get("level") == ["0.40"] and asked(page).get("text") == ["SOLD"])
    shown = values(pad)
    assert np.mean(shown == 1) > 0.1 and np.any((shown > 0) & (shown < 1))
    other = window(**LAPTOP)
    other.goto(page.url)
    ready(other)
    np.testing.assert_allclose(values(other.get_by_test_id("lab-pad")), shown, atol=1e-6)


def test_methods_are_ordered_by_what_is_compared_and_leave_as_numbers(denoise: Page) -> None:
    page, bars = denoise, denoise.get_by_test_id("lab-bars")
    for title, place in (("PSNR in dB", 1), ("read correctly", 0)):
        head = bars.get_by_role("button", name=title)
        head.press("Enter")
        expect(head).to_be_focused()
        shown = [float(text.split()[0]) for text in bars.locator(f"td:nth-child({place + 2})").all_inner_texts()]
        assert shown == sorted(shown, reverse=True) and len(shown) >= 8
    with page.expect_download() as saved:
        page.get_by_test_id("lab-csv").click()
    rows = saved.value.path().read_text().splitlines()
    assert rows[0] == '"method","setting","read correctly","PSNR in dB","SSIM"'
    assert any("Total variation" in row and "scikit-image" in row for row in rows)


def test_the_pen_is_moved_by_keys(denoise: Page) -> None:
    page, pad = denoise, denoise.get_by_test_id("lab-pad")
    page.get_by_test_id("lab-clear").click()
    given = values(pad)
    pad.focus()
    page.keyboard.press(" ")
    for _ in range(3):
        page.keyboard.press("Shift+ArrowRight")
    page.keyboard.press(" ")
    expect(page.get_by_text("The brush is up.")).to_be_visible()
    page.wait_for_function(
        "([one, before]) => one.sample.some((v, i) => v !== before[i])", arg=[pad.element_handle(), given.tolist()]
    )
    page.wait_for_url(lambda url: asked(page).get("noise") == ["none"])


@pytest.fixture
def anomalies(app: str, window: Callable[..., Page]) -> Page:
    page = window(**LAPTOP)
    page.goto(f"{app}/anomalies")
    ready(page)
    return page


def numbers_in(page: Page) -> list[int]:
    """Found, missed, false alarms, quiet."""
    return [
        int(cell.replace(",", ""))
        for cell in page.get_by_test_id("lab-matrix").locator("tr td:not(:empty)").all_inner_texts()
    ]


def test_the_threshold_moves_matrix_cost_and_alarms(anomalies: Page, app: str, window: Callable[..., Page]) -> None:
    page = anomalies
    expect(
        page.get_by_text(re.compile(r"^(.*, a plain method, wins: average|The networks win|A tie)")).first
    ).to_be_visible()
    before, cost = numbers_in(page), page.get_by_test_id("lab-cost").inner_text()
    box = page.get_by_test_id("threshold").bounding_box()
    assert box is not None and len(before) == 4
    page.mouse.move(box["x"] + 0.5 * box["width"], box["y"] + 100)
    page.mouse.down()
    page.mouse.move(box["x"] + 0.15 * box["width"], box["y"] + 100)
    page.mouse.up()
    after = numbers_in(page)
    assert after[0] > before[0] and after[1] < before[1] and after[2] > before[2], (
        "a lower line: more alarms of both kinds"
    )
    assert sum(after) == sum(before) and page.get_by_test_id("lab-cost").inner_text() != cost
    page.get_by_test_id("lab-miss").focus()
    page.keyboard.press("End")
    expect(page.get_by_test_id("lab-cost")).to_contain_text("× 1,000")
    expect(page.get_by_test_id("lab-miss")).to_have_attribute("aria-valuetext", "1,000")
    page.get_by_test_id("lab-cheapest").click()
    price, least = re.search(r": ([\d,]+) \(.*least ([\d,]+),", page.get_by_test_id("lab-cost").inner_text()).groups()
    assert price == least
    page.get_by_test_id("lab-fitting").click()
    expect(page.get_by_test_id("lab-alarms")).not_to_contain_text("more than")
    alarms = float(
        re.search(r"About ([\d.,]+) alarms", page.get_by_test_id("lab-alarms").inner_text())[1].replace(",", "")
    )
    assert 30 < alarms <= 50
    page.get_by_test_id("lab-score-error").click()
    expect(page.get_by_test_id("lab-score-error")).to_have_attribute("aria-pressed", "true")
    page.wait_for_url(lambda url: asked(page).get("score") == ["error"] and asked(page).get("miss") == ["1000"])
    seen = numbers_in(page)
    other = window(**LAPTOP)
    other.goto(page.url)
    ready(other)
    assert numbers_in(other) == seen


def test_what_is_to_be_tried_opens_at_once_and_scores_say_what_they_are(anomalies: Page) -> None:
    page = anomalies
    page.get_by_role("button", name="Handwritten digits: find the nines").click()
    page.wait_for_url(lambda _url: asked(page)["data"] == ["digits"])
    ready(page)
    expect(page.get_by_text("Computing the answer")).to_have_count(0)
    page.get_by_test_id("lab-score-error").focus()
    expect(page.get_by_test_id("tip")).to_contain_text("What is not like them comes back wrong.")


def test_another_dataset_is_computed_as_one_sees_and_can_be_given_up(app: str, window: Callable[..., Page]) -> None:
    page = window(**LAPTOP)
    page.goto(f"{app}/anomalies?data=payments")
    picture = page.get_by_test_id("lab-forming").locator("img")
    first = picture.get_attribute("src", timeout=180_000)
    expect(picture).not_to_have_attribute("src", first or "", timeout=180_000)
    assert picture.evaluate("(one) => one.complete && one.naturalWidth") == 640
    page.get_by_role("button", name="Cancel").click()
    expect(page.get_by_role("button", name="Compute")).to_be_visible(timeout=180_000)
    assert asked(page)["data"] == ["payments"]


def test_who_rates_moves_on_the_map_and_suggestions_follow(app: str, window: Callable[..., Page]) -> None:
    """What the browser computes of the stars is what Python computes with the same networks, and a link restores it."""
    page = window(**LAPTOP)
    page.goto(f"{app}/recommend")
    ready(page)
    canvas, suggestions = page.get_by_test_id("lab-map"), page.get_by_test_id("lab-suggestions")
    before, first = canvas.get_attribute("data-you"), suggestions.inner_text()
    page.get_by_test_id("lab-find").fill("lighthouse")
    given = {recommend.tastes.THINGS.index(one): 5 for one in recommend.tastes.THINGS if "Lighthouse" in one.name}
    page.locator("[role=slider]").first.locator("i").nth(4).click()
    page.get_by_test_id("lab-find").fill("")
    slider = page.locator("[role=slider][aria-valuenow='0']").first
    given[int(slider.get_attribute("data-thing") or "")] = 2
    slider = page.get_by_test_id(f"lab-stars-{list(given)[1]}")
    slider.focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("2")
    expect(slider).to_have_attribute("aria-valuetext", "2 stars")
    expect(canvas).not_to_have_attribute("data-you", before or "")
    assert suggestions.inner_text() != first
    expect(suggestions).to_contain_text("because of Letters from the Lighthouse")
    answer = engine.shipped_answer(engine.question(recommend.LAB, datasets.get("tastes"), {}))
    assert answer is not None
    stars = np.full((1, len(recommend.tastes.THINGS)), np.nan)
    stars[0, list(given)] = list(given.values())
    weights = {name: array.astype(np.float32) for name, array in answer.arrays.items() if "." in name}
    facts = answer.facts
    centre = recommending.Centre(answer.arrays["usual"].astype(float), facts["deviation"], facts["low"], facts["high"])
    place = recommending.encoded(weights, recommending.told(stars, centre)[0])[0]
    shown = [float(one) for one in (canvas.get_attribute("data-you") or "").split(",")]
    np.testing.assert_allclose(shown, place, atol=0.003)
    net = {name: array for name, array in weights.items() if name.startswith("net.")}
    foretold = np.where(np.isnan(stars), recommending.stars_of(net, centre)(stars), 0)[0]
    items = [int(one) for one in suggestions.locator("li").evaluate_all("(all) => all.map((li) => li.dataset.thing)")]
    np.testing.assert_allclose(foretold[items], np.sort(foretold)[::-1][: len(items)], atol=0.003)
    canvas.click(position={"x": 60, "y": 60})
    expect(page.get_by_text("Somebody who stands there would like")).to_be_visible()
    elsewhere = suggestions.inner_text()
    page.wait_for_url(lambda _url: {"rated", "at"} <= set(asked(page)))
    other = window(**LAPTOP)
    other.goto(page.url)
    ready(other)
    expect(other.get_by_test_id("lab-suggestions")).to_have_text(elsewhere, use_inner_text=True)
    other.get_by_test_id("lab-back").press("Enter")
    expect(other.get_by_test_id("lab-map")).to_be_focused()
    expect(other.get_by_test_id("lab-suggestions")).to_contain_text("because of Letters from the Lighthouse")
    mine = asked(page)
    page.get_by_role("button", name="What do people here like?").click()
    page.wait_for_url(lambda _url: asked(page) == mine | {"at": ["1.20,0.80"]})  # the stars are still there
    expect(suggestions).not_to_have_text(elsewhere, use_inner_text=True)
    page.go_back()  # what was tried is undone
    page.wait_for_url(lambda _url: asked(page) == mine)
    expect(suggestions).to_have_text(elsewhere, use_inner_text=True)
    page.get_by_role("button", name="Somebody who likes it dark").click()
    page.wait_for_url(lambda _url: "at" not in asked(page))
    ready(page)
    expect(page.get_by_text("You may like")).to_be_visible()
    canvas.hover(position={"x": 90, "y": 90})
    expect(page.get_by_text("Somebody who stands there would like")).to_be_visible()
    page.mouse.move(5, 5)
    expect(page.get_by_text("You may like")).to_be_visible()  # nothing that was looked at before is looked at again


@pytest.mark.own_window
@pytest.mark.parametrize(
    ("path", "canvas"),
    [("recommend", "lab-map"), ("sequences?data=heartbeats", "lab-pad"), ("features?run=digits-modern-8", "lab-map")],
)
def test_what_is_painted_follows_the_theme(path: str, canvas: str, app: str, window: Callable[..., Page]) -> None:
    """Ink of a light page is not seen on a dark one."""
    page = window(**LAPTOP, color_scheme="light")
    page.goto(f"{app}/{path}")
    lab, picture = ready(page), page.get_by_test_id(canvas)
    page.wait_for_function(
        "(one) => one.getContext('2d').getImageData(0, 0, one.width, one.height).data.some((v, i) => i % 4 === 3 && v > 200)",
        arg=picture.element_handle(),
    )
    before = picture.evaluate("(one) => one.toDataURL()")
    page.emulate_media(color_scheme="dark")
    expect(lab).to_have_class(re.compile(r"\bhg-dark\b"))
    page.wait_for_function("([one, before]) => one.toDataURL() !== before", arg=[picture.element_handle(), before])


@pytest.mark.parametrize(
    ("name", "parts"),
    [
        ("compress", ("rate", "lab-picture-run", "lab-images", "lab-decoder")),
        ("anomalies", ("threshold", "lab-matrix", "lab-miss", "lab-week")),
        ("codes", ("lab-map-run", "lab-map-tsne", "lab-neighbours", "lab-sample")),
        ("denoise", ("lab-pad", "lab-cleaned", "lab-kind", "lab-bars", "lab-examples")),
        ("recommend", ("lab-map", "lab-things", "lab-suggestions", "lab-find")),
    ],
)
def test_on_a_phone_nothing_overflows(name: str, parts: tuple[str, ...], app: str, window: Callable[..., Page]) -> None:
    page = window(**PHONE)
    page.goto(f"{app}/{name}")
    lab = ready(page)
    assert page.evaluate("() => document.documentElement.scrollWidth") <= 390
    for part in parts:
        box = lab.get_by_test_id(part).bounding_box()
        assert box is not None and box["x"] >= 0 and box["x"] + box["width"] <= 391, part


# Sequences.


def forecast(dataset: datasets.Dataset, given: np.ndarray) -> np.ndarray:
    """What the networks of the shipped answer say in numpy of what is given (N, given C)."""
    found = engine.shipped_answer(engine.question(lab_of_sequences.LAB, dataset, {}))
    assert found is not None
    form = lab_of_sequences.form_of(dataset, 0.5)
    each = []
    for m in range(3):
        weights = {
            name.removeprefix(f"{m}."): array.astype(np.float32)
            for name, array in found.arrays.items()
            if name.startswith(f"{m}.")
        }
        each.append(form.joined(forecasting.write(weights, form, given.astype(np.float32))))
    return np.asarray(np.mean(each, 0))


def test_a_signal_goes_on_under_the_pen(app: str, window: Callable[..., Page]) -> None:
    """What the browser draws is what Python computes; a stroke changes it, and a link brings the stroke back."""
    page = window(**LAPTOP)
    page.goto(f"{app}/sequences")
    ready(page)
    pad, verdict = page.get_by_test_id("lab-pad"), page.get_by_test_id("lab-verdict")
    expect(verdict).to_contain_text(re.compile(r"^This one: squared error [\d.]+ of the network .* lie in the fan\.$"))
    waves = datasets.get("waves")
    shown = engine.shipped_answer(engine.question(lab_of_sequences.LAB, waves, {}))
    assert shown is not None
    first = np.asarray(datasets.samples_at(waves, shown.arrays["shown"][:1].astype(np.int64)))
    np.testing.assert_allclose(values(pad), forecast(waves, first[:, :32, 0])[0], atol=2e-3)
    for part in ("lab-verdict", "lab-pad", "horizon-handle", "lab-show-truth"):
        box = page.get_by_test_id(part).bounding_box()
        assert box is not None and box["y"] >= 0 and box["y"] + box["height"] <= 768, (part, box)
    before = values(pad)
    box = pad.bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + 0.2 * box["width"], box["y"] + 0.2 * box["height"])
    page.mouse.down()
    page.mouse.move(box["x"] + 0.4 * box["width"], box["y"] + 0.7 * box["height"])
    page.wait_for_function(DRAWN)
    page.mouse.up()
    expect(verdict).to_contain_text("Nobody knows how yours goes on")
    expect(page.get_by_test_id("lab-show-truth")).to_be_disabled()
    stroke = values(pad)
    assert np.abs(stroke - before).max() > 0.1
    page.wait_for_url(lambda _url: len(asked(page).get("drawn", [""])[0]) == 32)
    page.get_by_test_id("lab-show-kernel").click()
    page.wait_for_url(lambda _url: asked(page).get("lines") == ["nt"])
    other = window(**PHONE)
    other.goto(page.url)
    ready(other)
    np.testing.assert_allclose(values(other.get_by_test_id("lab-pad")), stroke, atol=0.15)
    expect(other.get_by_test_id("lab-show-kernel")).to_have_attribute("aria-pressed", "false")
    page.get_by_test_id("lab-back").click()
    np.testing.assert_allclose(values(pad), before, atol=1e-6)
    expect(page.get_by_test_id("lab-show-truth")).to_be_enabled()
    page.get_by_test_id("horizon-handle").press("ArrowRight")
    expect(page.get_by_test_id("lab-ahead")).to_contain_text("2 steps ahead: network")
    pad.focus()
    for key in (" ", "ArrowLeft", "ArrowDown", "ArrowLeft", "ArrowLeft"):
        page.keyboard.press(key)
    expect(verdict).to_contain_text("Nobody knows how yours goes on")


def test_a_long_series_and_films(app: str, window: Callable[..., Page]) -> None:
    page = window(**LAPTOP)
    page.goto(f"{app}/sequences?data=heartbeats")
    ready(page)
    words, chart = page.get_by_test_id("lab-series-verdict"), page.get_by_test_id("lab-series-chart")
    expect(words).to_contain_text(re.compile(r"of the 4 that do not belong are found, with \d+ false mark"))
    usual = words.inner_text()
    chart.focus()
    page.keyboard.press("PageUp")
    expect(words).not_to_have_text(usual)
    page.wait_for_url(lambda _url: "level" in asked(page))
    page.get_by_test_id("lab-series-usual").click()
    expect(words).to_have_text(usual)
    page.goto(f"{app}/sequences?data=moving-digits")
    ready(page)
    strips = page.get_by_test_id("lab-films").locator(".hg-lab-strip")
    expect(strips).to_have_count(7)
    wide = strips.nth(0).bounding_box()
    assert wide is not None and wide["width"] > 400, "frames are drawn as large as there is room"
    before = pixels(strips.nth(0))
    verdict, play = page.get_by_test_id("lab-verdict"), page.get_by_test_id("lab-play")
    page.get_by_test_id("horizon-handle").press("ArrowRight")
    expect(verdict).to_contain_text("2 frames ahead")
    play.click()
    expect(play).to_have_text("Stop")
    page.get_by_test_id("horizon-handle").press("End")  # a hand on the frames takes them over
    expect(play).to_have_text("Play")
    last = verdict.inner_text()
    page.wait_for_url(lambda _url: asked(page).get("ahead") == [last.split()[0]])
    page.get_by_test_id("horizon-handle").press("Home")
    page.get_by_test_id("lab-next").click()
    page.wait_for_url(lambda _url: asked(page).get("sample") == ["1"])
    assert not np.array_equal(before, pixels(strips.nth(0)))


def test_on_codes_what_is_like_the_sample_at_the_pointer_is_marked_on_all_maps(
    app: str, window: Callable[..., Page]
) -> None:
    page = window(**LAPTOP)
    page.goto(f"{app}/codes?run=digits-variational")
    ready(page)
    said = page.get_by_test_id("lab-neighbours")
    expect(said).to_contain_text(re.compile(r"test sample 1 \(\d\) to the 5 that are most like it"))
    drawn = "() => document.querySelector('[data-testid=lab-map-tsne]').toDataURL()"
    before, box = page.evaluate(drawn), page.get_by_test_id("lab-map-run").bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + 0.5 * box["width"], box["y"] + 0.5 * box["height"])
    expect(said).not_to_contain_text("test sample 1 (")
    words = said.inner_text()
    number = re.search(r"test sample (\d+)", words)
    assert number and page.evaluate(drawn) != before
    page.wait_for_url(lambda _url: asked(page).get("sample") == [number[1]])
    other = window(**LAPTOP)
    other.goto(page.url)
    ready(other)
    expect(other.get_by_test_id("lab-neighbours")).to_have_text(words)
    other.get_by_role("button", name="What all labs found").click()
    expect(other.get_by_text("What did all labs find?")).to_be_visible()


# Generate


def test_a_sheet_of_new_samples_follows_the_temperature_and_the_link_restores_it(
    app: str, window: Callable[..., Page]
) -> None:
    page = window(**LAPTOP)
    page.goto(f"{app}/generate")
    ready(page)
    cell = page.get_by_test_id("lab-sheet").locator("canvas").nth(5)
    large = page.get_by_test_id("lab-drawn")
    expect(page.get_by_test_id("lab-copy")).to_contain_text("from the nearest of")
    seen = [pixels(cell)]
    heat = page.get_by_test_id("lab-temperature")
    for key in ("End", "Home"):
        before = page.evaluate(DRAWN)
        heat.press(key)
        page.wait_for_function("(before) => performance.getEntriesByName('lab:draw').length > before", arg=before)
        seen.append(pixels(cell))
    assert all(not np.array_equal(one, other) for one, other in itertools.pairwise(seen))
    way = page.get_by_test_id("lab-draw-from")
    chosen = way.input_value()
    handle = page.get_by_test_id("components-handle")
    for key, moves in (("Home", False), ("ArrowRight", True), ("ArrowLeft", True)):
        one = way.input_value()
        handle.press(key)
        assert not moves or way.input_value() != one, key
    way.select_option(chosen)
    before = page.evaluate(DRAWN)
    page.get_by_test_id("lab-attribute").select_option(label="7")
    expect(page.get_by_test_id("lab-effect")).to_contain_text("of test samples are read as 7")
    page.wait_for_function("(before) => performance.getEntriesByName('lab:draw').length > before", arg=before)
    page.get_by_test_id("lab-sheet").locator("button").nth(20).click()
    expect(page.get_by_test_id("lab-morph")).to_be_visible()
    page.wait_for_url(lambda _url: asked(page).get("into") == ["21"] and asked(page).get("temperature") == ["0.00"])
    moved, words = pixels(large), page.get_by_test_id("lab-way").inner_text()
    other = window(**LAPTOP)
    other.goto(page.url)
    ready(other)
    expect(other.get_by_test_id("lab-way")).to_have_text(words)
    expect(other.get_by_test_id("lab-copy")).to_contain_text("from the nearest of")
    np.testing.assert_allclose(pixels(other.get_by_test_id("lab-drawn")), moved, atol=2)


def test_a_new_sample_in_the_explorer_is_drawn_and_is_none_of_the_stored(app: str, window: Callable[..., Page]) -> None:
    page = window(**LAPTOP)
    page.goto(f"{app}/?run=digits-modern-8")
    explorer = page.get_by_test_id("latent-explorer")
    expect(explorer).to_have_attribute("data-ready", "true")
    codes = runs.open_run(runs.folder_of("digits-modern-8")).codes
    before = explorer.get_attribute("data-code") or ""
    page.get_by_test_id("new-sample").click()
    expect(explorer).not_to_have_attribute("data-code", before)
    code = np.array([float(value) for value in (explorer.get_attribute("data-code") or "").split(",")])
    assert 1e-3 < np.linalg.norm(codes - code, axis=1).min() < 40


def test_a_new_sample_of_a_run_without_a_density_is_drawn_around_the_mean(
    app: str, window: Callable[..., Page]
) -> None:
    """As of a run that was made before densities were."""
    page = window(**LAPTOP)
    page.route("**/density.safetensors*", lambda route: route.fulfill(status=404))
    page.goto(f"{app}/?run=digits-modern-8")
    explorer = page.get_by_test_id("latent-explorer")
    expect(explorer).to_have_attribute("data-ready", "true")
    run = runs.open_run(runs.folder_of("digits-modern-8"))
    for _ in range(2):
        before = explorer.get_attribute("data-code") or ""
        page.get_by_test_id("new-sample").click()
        expect(explorer).not_to_have_attribute("data-code", before)
        code = np.array([float(value) for value in (explorer.get_attribute("data-code") or "").split(",")])
        away = (code - run.codes.mean(axis=0)) / run.codes.std(axis=0)
        assert 0.2 < np.sqrt(np.mean(away**2)) < 3


def test_who_names_samples_sees_what_it_teaches_and_a_link_restores_it(app: str, window: Callable[..., Page]) -> None:
    """A suggestion, then a lasso; more is classified correctly, the map is coloured, and the count moves the verdict."""
    page = window(**LAPTOP)
    page.goto(f"{app}/features?run=digits-modern-8")
    lab = ready(page)
    words = page.get_by_test_id("lab-verdict").inner_text()
    page.get_by_test_id("labels-handle").focus()
    page.keyboard.press("Home")
    expect(page.get_by_test_id("lab-verdict")).to_contain_text("With 1 label a class")
    assert page.get_by_test_id("lab-verdict").inner_text() != words
    with page.expect_download() as saved:
        page.get_by_test_id("lab-svg").click()
    assert b"var(" not in saved.value.path().read_bytes()
    naming, said = page.get_by_test_id("lab-naming"), page.get_by_test_id("lab-named")
    expect(naming).to_have_attribute("data-ready", "true", timeout=60_000)
    page.get_by_test_id("lab-densest").click()
    box = page.get_by_test_id("lab-map").bounding_box()
    assert box is not None
    page.mouse.move(box["x"] - 5, box["y"] + 5)
    page.mouse.down()
    page.mouse.move(box["x"] + 5, box["y"] + 5)
    page.mouse.up()  # pressed elsewhere: what is picked stays
    page.get_by_test_id("lab-class-0").click()
    expect(said).to_contain_text(re.compile(r"^1 sample named .* in 1 go: [\d.]+ % of 179 other samples"))
    drawn = "(map) => map.toDataURL()"
    grey = page.get_by_test_id("lab-map").evaluate(drawn)
    box = page.get_by_test_id("lab-map").bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + 5, box["y"] + 5)
    page.mouse.down()
    for x, y in ((0.99, 0.02), (0.99, 0.98), (0.01, 0.98)):
        page.mouse.move(box["x"] + x * box["width"], box["y"] + y * box["height"])
    page.mouse.up()
    page.get_by_test_id("lab-class-1").click()
    expect(said).to_contain_text(re.compile(r"^1,618 samples named .* in 2 goes"))
    assert page.get_by_test_id("lab-map").evaluate(drawn) != grey
    page.get_by_test_id("lab-undo").click()
    expect(said).to_contain_text("in 1 go")
    page.wait_for_url(
        lambda _url: len(asked(page).get("named", [""])[0]) in range(3, 9) and asked(page)["count"] == ["1"]
    )
    told = said.inner_text().split(" As many")[0]
    other = window(**LAPTOP)
    other.goto(page.url)
    ready(other)
    expect(other.get_by_test_id("lab-named")).to_contain_text(told, timeout=60_000)
    assert lab.get_attribute("data-lab") == "features"

"""What somebody meets who has never seen the app: one screen, three steps, the way of one sample."""

import csv
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect
from test_data_page import train_for
from test_own_columns import TYPO, customers
from test_walk import LAPTOP, MAP, PHONE, SAMPLE, at, changed, go, picture, point, ready, shipped

from components import early, explained
from models import runs
from models.analysis import meanings as measured

LOW = {"viewport": {"width": 1280, "height": 640}}
PROJECTOR = {"viewport": {"width": 1920, "height": 1080}}
SLIDER = 'input[data-testid="code-slider"]'


def box(one: Locator) -> dict[str, float]:
    """Where it is in the window, in pixels: x, y, width, height."""
    found = one.bounding_box()
    assert found is not None
    return dict(found)


def seen_whole(page: Page, one: Locator) -> bool:
    """Whether nothing of it lies outside the window."""
    place, height = box(one), (page.viewport_size or {"height": 0})["height"]
    return place["y"] >= 0 and place["y"] + place["height"] <= height


def opening(page: Page) -> runs.Run:
    """The run that the app opens on, once it is there."""
    ready(page)
    return shipped(early.OPENING)


def test_what_one_drives_and_what_moves_are_on_one_screen(app: str, window: Callable[..., Page]) -> None:
    """On the map that the app opens with, and with each tool on one of thirty numbers."""
    page = window(**LOW)
    for query, tools in (("", ["explore"]), ("?run=mnist-modern-30", ["explore", "lasso", "path", "draw", "replay"])):
        page.goto(f"{app}/{query}")
        ready(page)
        for tool in tools:
            page.get_by_test_id(f"tool-{tool}").click()
            page.evaluate("scrollTo(0, 0)")
            assert box(page.locator(MAP))["height"] >= 355  # within a border of one pixel
            parts = [page.locator(MAP), page.locator(SAMPLE), page.locator(SLIDER).first]
            if tool in ("lasso", "path", "replay"):
                parts.append(page.get_by_role("region", name=tool.title()))
            for part in parts:
                assert seen_whole(page, part), (query, tool)
        # The picture stays where it is when the last of thirty sliders is moved.
        page.get_by_test_id("tool-explore").click()
        last, before = page.locator(SLIDER).last, picture(page)
        last.focus()
        page.keyboard.press("End")
        changed(page, before)
        assert seen_whole(page, page.locator(SAMPLE)) and seen_whole(page, last)


def test_what_the_page_says_does_not_move_the_map(app: str, window: Callable[..., Page]) -> None:
    page = window(**LAPTOP)
    page.goto(f"{app}/?run=mnist-modern-30")
    ready(page)
    before = box(page.locator(MAP))
    for key in ("Enter", "p"):  # held, and let go: the line below the map says something else each time
        page.locator(MAP).focus()
        page.keyboard.press(key)
        expect(page.get_by_test_id("hint")).not_to_be_empty()
        assert box(page.locator(MAP)) == before


def test_a_projector_shows_it_larger(app: str, window: Callable[..., Page]) -> None:
    size = "one => parseFloat(getComputedStyle(one).fontSize)"
    sizes = []
    for shape in (LAPTOP, PROJECTOR):
        page = window(**shape)
        page.goto(app)
        ready(page)
        sizes.append((box(page.locator(SAMPLE))["width"], page.get_by_test_id("tool-lasso").evaluate(size)))
    (small, text), (large, large_text) = sizes
    assert large > 340 > small and large_text >= 16 > text >= 13


@pytest.mark.parametrize("shape", [LAPTOP, PHONE], ids=["laptop", "phone"])
def test_three_steps_tick_themselves_off_and_stay_away(
    app: str, window: Callable[..., Page], shape: dict[str, object]
) -> None:
    page = window(**shape)
    page.goto(app)
    run = opening(page)
    steps = page.get_by_test_id("first-steps")
    how = "Touch the map and drag." if shape is PHONE else "Move over the map."
    expect(steps.get_by_text(f"Two numbers, and a network that draws an image from them. {how}")).to_be_visible()
    below = box(page.locator(MAP))["y"] - box(steps)["y"]
    done = steps.locator(".hg-done")
    expect(done).to_have_count(0)
    before = picture(page)

    page.mouse.move(*point(page, 0.5, 0.6))
    page.mouse.move(*point(page, 0.52, 0.62))
    before = changed(page, before)
    expect(page.get_by_test_id("step-move")).to_have_class("hg-done")
    expect(page.get_by_test_id("step-find")).not_to_have_class("hg-done")

    page.mouse.down()
    page.mouse.up()
    expect(page.get_by_test_id("step-hold")).to_have_class("hg-done")
    expect(steps.get_by_text("Held. To move on: press Let go")).to_be_visible()

    # Where sevens are: at the code of the one in the middle of them.
    sevens = run.codes[run.labels == 7]
    x, y = sevens[abs(sevens - sevens.mean(0)).sum(1).argmin()]
    sliders = page.locator(SLIDER)
    for i in range(2):
        slider = sliders.nth(i)
        value = float((x, y)[int(slider.get_attribute("data-dim") or 1) - 1])
        slider.evaluate(
            "(one, value) => { one.value = value; one.dispatchEvent(new Event('input', {bubbles: true})); }", value
        )
    expect(page.get_by_test_id("step-find")).to_have_class("hg-done")
    last = steps.get_by_text("that is a latent space")
    expect(last).to_be_visible()
    expect(last).to_contain_text("try Draw or Path")
    expect(steps.get_by_text("Find a 7")).to_be_hidden()
    assert box(page.locator(MAP))["y"] - box(steps)["y"] == below, "one height, whatever they say"
    last.get_by_text("latent space", exact=True).click()
    expect(page.get_by_test_id("tip")).to_contain_text("All codes that this network can have")

    page.reload()
    ready(page)
    expect(page.get_by_test_id("first-steps")).to_be_hidden()


def test_the_steps_can_be_sent_away(app: str, page: Page) -> None:
    page.goto(app)
    ready(page)
    page.get_by_test_id("first-steps-close").click()
    expect(page.get_by_test_id("first-steps")).to_be_hidden()
    page.reload()
    ready(page)
    expect(page.get_by_test_id("first-steps")).to_be_hidden()


def test_the_map_opens_at_a_sample_that_is_drawn_well_and_follows_the_pointer(app: str, page: Page) -> None:
    page.goto(app)
    run = opening(page)
    expect(page.get_by_test_id("layer")).to_have_value("manifold")
    expect(page.get_by_test_id("layer-legend")).to_contain_text("decoded at each place")
    code = [float(v) for v in (page.get_by_test_id("latent-explorer").get_attribute("data-code") or "").split(",")]
    place = int(abs(run.codes - code).sum(1).argmin())
    assert abs(run.codes[place] - code).max() < 1e-3 and run.labels[place] == 0
    assert run.errors[place] < run.metric("mse") * 1.2
    expect(page.get_by_test_id("let-go")).to_be_hidden()  # not held
    before = picture(page)
    page.mouse.move(*point(page, 0.3, 0.3))
    changed(page, before)


def test_the_way_of_a_sample_lights_up_and_opens_to_the_network(app: str, page: Page) -> None:
    page.route("**/thumbnails.u8.gz", lambda route: route.fulfill(status=404))  # as where they were not downloaded
    page.goto(app)
    run = opening(page)
    way = page.get_by_test_id("way")
    expect(way).to_contain_text("nearest, 0, as decoded")
    page.evaluate(
        "() => { window.lit = []; new MutationObserver(() => window.lit.push(document.querySelector("
        "'[data-testid=way]').dataset.lit)).observe(document.querySelector('[data-testid=way]'), {attributes: true}); }"
    )
    page.mouse.move(*point(page, 0.6, 0.6))
    page.wait_for_function("() => window.lit.includes('code') && window.lit.at(-1) === ''")
    page.get_by_test_id("random-sample").click()
    page.wait_for_function("() => window.lit.includes('all')")
    expect(page.get_by_test_id("original")).to_contain_text("original")

    way.click()
    details = page.get_by_test_id("network-details")
    expect(details).to_contain_text(f"{run.card.architecture.parameters:,} numbers were learnt")
    known = explained.network(run)
    heads = details.locator("table").first.locator("th").all_inner_texts()
    assert heads == ["layer", "what leaves it", "numbers learnt"]
    assert details.locator("tbody tr").count() == len(known["encoder"]) + len(known["decoder"])
    assert page.get_by_test_id("formula").inner_text() == "\n".join(known["formula"])
    assert page.get_by_test_id("pytorch").inner_text().rstrip() == known["pytorch"].rstrip()
    page.get_by_test_id("network-close").click()
    expect(details).to_be_hidden()


def test_what_is_chosen_can_be_read_on_a_dark_page(app: str, window: Callable[..., Page]) -> None:
    page = window(**LAPTOP, color_scheme="dark")
    page.goto(f"{app}/samples?run=digits-variational")
    chosen = page.get_by_role("radio", name="Outliers")
    colour = "one => getComputedStyle(one).color"
    expect(chosen).to_be_checked()
    ink = page.locator(".stApp").evaluate(colour)  # and not the accent, at 3.7 to 1
    assert chosen.evaluate(colour) == page.get_by_test_id("stSliderThumbValue").evaluate(colour) == ink
    page.goto(f"{app}/codes?run=digits-variational")
    caption = page.get_by_test_id("stCaptionContainer").first
    assert float(caption.evaluate("one => getComputedStyle(one).opacity")) >= 0.7


def test_words_explain_themselves_by_pointer_and_keyboard(app: str, page: Page) -> None:
    page.goto(app)
    ready(page)
    tip = page.get_by_test_id("tip")
    expect(tip).to_be_hidden()
    page.get_by_text("most informative first").hover()
    expect(tip).to_contain_text("KL divergence")
    page.get_by_role("button", name="Code: The few numbers").focus()
    expect(tip).to_contain_text("the decoder draws from them alone")
    way = page.get_by_test_id("way")
    for word, meaning in (("encoder", "takes a sample in"), ("decoder", "makes a whole sample again")):
        way.get_by_text(word, exact=True).click()  # as a finger does it
        expect(tip).to_contain_text(meaning)
    expect(page.get_by_test_id("network-details")).to_be_hidden()
    page.get_by_test_id("hint").get_by_text("Latent space", exact=True).hover()
    expect(tip).to_contain_text("All codes that this network can have")
    page.locator(MAP).hover()
    expect(tip).to_be_hidden()


def test_dimensions_carry_what_they_stand_for_and_colours_are_themselves(app: str, page: Page) -> None:
    page.goto(f"{app}/?run=cats-convolutional-variational")
    ready(page)
    meanings = measured.meanings(shipped("cats-convolutional-variational"))
    assert "face width" in meanings
    for d, meaning in enumerate(meanings):
        slider = page.locator(f'{SLIDER}[data-dim="{d + 1}"]')
        expect(slider).to_have_attribute("aria-label", f"z{d + 1} · {meaning}" if meaning else f"z{d + 1}")
    ginger = page.get_by_test_id("legend").get_by_role("button", name="ginger")
    red, green, blue = ginger.evaluate(
        "one => getComputedStyle(one, '::before').backgroundColor.match(/[0-9.]+/g).map(Number)"
    )[:3]
    assert red > green > blue and red - blue > 60  # an orange


def test_drawing_offers_the_run_that_reads_drawings_and_fits_them(app: str, page: Page) -> None:
    page.goto(f"{app}/?run={early.OPENING}&tool=draw")
    run = opening(page)
    offered = page.get_by_test_id("better-reader").get_by_role("link")
    expect(offered).to_have_text(shipped("mnist-modern-30").title)

    # A small stroke in a corner reaches the encoder as large and as central as the dataset's own digits.
    pad = page.get_by_test_id("draw-pad")
    expect(page.get_by_test_id("draw-message")).to_contain_text("Draw here")
    place = box(pad)
    page.mouse.move(place["x"] + 0.05 * place["width"], place["y"] + 0.05 * place["height"])
    page.mouse.down()
    page.mouse.move(place["x"] + 0.05 * place["width"], place["y"] + 0.3 * place["height"], steps=4)
    page.mouse.up()
    expect(page.get_by_test_id("draw-message")).to_contain_text("Reconstruction error")
    rows, columns, mean = page.evaluate(
        """() => {
            const given = Array.from(document.querySelector('[data-testid=draw-pad]').sample);
            const on = given.map((v, i) => [v, Math.floor(i / 28), i % 28]).filter(([v]) => v > 0.3);
            const of = k => [Math.min(...on.map(o => o[k])), Math.max(...on.map(o => o[k])) + 1];
            const all = given.reduce((a, v) => a + v, 0);
            const at = k => given.reduce((a, v, i) => a + v * ((k ? i % 28 : Math.floor(i / 28)) + 0.5), 0) / all;
            return [of(1), of(2), [at(0), at(1)]];
        }"""
    )
    assert 18 <= rows[1] - rows[0] <= 21 and columns[1] - columns[0] < 14
    assert abs(mean[0] - 14) < 0.7 and abs(mean[1] - 14) < 0.7
    assert run.dataset.fit == (20 / 28, "mass")

    offered.click()
    ready(page)
    at(page, "Explore")
    expect(page.get_by_role("combobox", name="Run", exact=True)).to_have_value(shipped("mnist-modern-30").title)
    expect(page.get_by_test_id("draw-pad")).to_be_visible()
    expect(page.get_by_test_id("better-reader")).to_have_count(0)


def test_the_whole_way_from_the_first_move_to_an_outlier_of_ones_own(
    app: str, window: Callable[..., Page], tmp_path: Path
) -> None:
    """Open, move, hold, a layer, a tool; then a table from its file to the coloured map, the outlier and its column."""
    page = window(**LAPTOP)
    page.goto(app)
    opening(page)
    before = picture(page)
    page.mouse.move(*point(page, 0.5, 0.6))
    page.mouse.move(*point(page, 0.52, 0.62))
    changed(page, before)
    page.mouse.down()
    page.mouse.up()
    expect(page.get_by_test_id("hint")).not_to_be_empty()
    page.get_by_test_id("layer").select_option("classes")
    page.wait_for_function("() => performance.getEntriesByName('explorer:layer-classes').length > 0")
    page.get_by_test_id("tool-path").click()
    expect(page.get_by_role("region", name="Path")).to_be_visible()

    go(page, "Data")
    table = tmp_path / "customers.csv"
    table.write_text(customers())
    page.get_by_test_id("stFileUploaderDropzoneInput").set_input_files(table)
    expect(page.get_by_text("What was understood")).to_be_visible(timeout=180_000)
    page.get_by_role("button", name="Keep it, go on to Train").first.click()
    at(page, "Train")
    page.wait_for_url(re.compile("dataset=own-"))
    train_for(page, 40)
    at(page, "Explore")
    page.get_by_test_id("colour").select_option(label="income")
    expect(page.get_by_test_id("legend")).to_contain_text("income")

    go(page, "Samples")
    expect(page.get_by_text("with a large reconstruction error")).to_be_visible()
    expect(page.get_by_test_id("stDataFrame")).to_be_visible()
    with page.expect_download() as file:  # the table is drawn on a canvas; its file says the same
        page.get_by_role("button", name="This table (CSV)").click()
    with file.value.path().open(newline="") as stream:
        first = next(csv.DictReader(stream))
    assert first["customer_id"] == f"C-{1000 + 7 * TYPO}" and first["column to blame"] == "visits"

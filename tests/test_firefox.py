"""Pages in Firefox, which asks and forbids other things than Chromium. Skipped where no Firefox is installed."""

from collections.abc import Iterator
from pathlib import Path

import firefox
import numpy as np
import pytest
from test_run_pages import coder_of

from models import pages, runs

EXPLORER = "document.querySelector('[data-testid=latent-explorer]')"
SAMPLE = "document.querySelector('canvas[data-testid=decoded-sample]')"
END = "\ue010"  # the key, as WebDriver writes it


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[firefox.Firefox]:
    if firefox.PLACE is None:
        pytest.skip("Firefox is not installed")
    with firefox.started(tmp_path_factory.mktemp("firefox")) as running:
        yield running


@pytest.mark.parametrize("name", ["digits-variational", "mnist-wide"])
def test_a_page_from_the_disk_is_alive(name: str, browser: firefox.Firefox, tmp_path: Path) -> None:
    run = runs.open_run(runs.folder_of(name))
    made = pages.page(run)
    file = tmp_path / "a page.html"
    file.write_bytes(made.html)
    browser.said.clear(), browser.asked.clear()
    browser.open(file.as_uri())
    browser.wait(f"{EXPLORER}?.dataset.ready === 'true'")

    def shown() -> tuple[str, str]:
        return browser.evaluate(f"{EXPLORER}.dataset.code"), browser.evaluate(f"{SAMPLE}.toDataURL()")

    before = shown()
    x, y, width, height = browser.evaluate(
        "[document.querySelector('canvas[data-testid=latent-map]').getBoundingClientRect()]"
        ".map(({x, y, width, height}) => [x, y, width, height])[0]"
    )
    browser.move(x + 0.35 * width, y + 0.45 * height)
    browser.wait(f"{EXPLORER}.dataset.code !== '{before[0]}'")
    moved = shown()
    assert moved[1] != before[1]
    browser.evaluate("document.querySelector('input[data-testid=code-slider]').focus()")
    browser.press(END)
    browser.wait(f"{EXPLORER}.dataset.code !== '{moved[0]}'")
    code, picture = shown()
    assert picture != moved[1]
    seen = np.array(browser.evaluate(f"Array.from({SAMPLE}.sample)"), np.float32).reshape(run.shape)
    expected = coder_of(run, made.html, tmp_path).decode(np.array([code.split(",")], np.float32))[0]
    np.testing.assert_allclose(seen, expected, atol=1e-4)  # data-code has five digits

    browser.evaluate(
        "[document.querySelector('select[data-testid=layer]')].map((one) => (one.value = 'manifold',"
        " one.dispatchEvent(new Event('change', {bubbles: true}))))"
    )
    browser.wait("performance.getEntriesByName('explorer:layer-manifold').length > 0")
    assert not browser.said
    assert not [one for one in browser.asked if not one.startswith(("file:", "blob:", "data:"))]

"""A notebook: milliseconds from a move of the pointer to the decoded picture on the screen, in JupyterLab in Chromium.

    python benchmarks/notebook.py

The same torch decoder (2-128-784) three times, one after the other in one page: made of layers that the browser computes; asked
in the kernel, because of a layer that it has not; and as notebooks do it otherwise, with two sliders of ipywidgets that set an
Image widget. Moves come one every 150 ms, so that each has its own answer.
"""

import argparse
import statistics
import sys
import tempfile
from pathlib import Path

from playwright.sync_api import Page, sync_playwright
from serving import launched

sys.path.append(str(Path(__file__).resolve().parents[1] / "tests"))
import notebooks

CELLS = [
    """
import io, numpy as np, torch, hourglass, ipywidgets
from PIL import Image
from torch import nn
codes = np.random.default_rng(0).normal(size=(2000, 2)).astype("f4")
torch.manual_seed(0)
known = nn.Sequential(nn.Linear(2, 128), nn.ReLU(), nn.Linear(128, 784), nn.Sigmoid())
own = nn.Sequential(known[0], nn.ReLU6(), known[2], nn.Sigmoid())
hourglass.explore(codes, decoder=known)
""",
    "hourglass.explore(codes, decoder=own)",
    """
x, y = (ipywidgets.FloatSlider(min=-3, max=3, step=0.01, description=name) for name in "xy")
picture = ipywidgets.Image(format="png", width=280)
def draw(_):
    with torch.no_grad():
        pixels = own(torch.tensor([[x.value, y.value]])).numpy().reshape(28, 28)
    out = io.BytesIO()
    Image.fromarray((pixels * 255).astype(np.uint8)).save(out, "PNG")
    picture.value = out.getvalue()
for slider in (x, y):
    slider.observe(draw, "value")
draw(None)
ipywidgets.VBox([x, y, picture])
""",
]
EXPLORER = "[data-testid=latent-explorer][data-ready=true]"
WATCH = """() => {
    window.moved = 0;
    window.took = [];
    addEventListener("pointermove", (event) => (window.moved = event.timeStamp), true);
    const image = document.querySelector(".widget-image, .jupyter-widgets.widget-image, img.widget-image");
    image.addEventListener("load", () => requestAnimationFrame(() => window.took.push(performance.now() - window.moved)));
}"""
MOVES, PAUSE = 60, 150


def moves(page: Page, box: dict[str, float]) -> None:
    """So many moves of the pointer from left to right over the middle of a box."""
    for k in range(MOVES):
        page.mouse.move(box["x"] + (0.2 + 0.6 * k / MOVES) * box["width"], box["y"] + 0.5 * box["height"])
        page.wait_for_timeout(PAUSE)


def explorer(page: Page, which: int) -> list[float]:
    """Of one of the two explorers."""
    one = page.locator(EXPLORER).nth(which)
    one.scroll_into_view_if_needed()
    page.wait_for_timeout(1000)
    page.evaluate("performance.clearMeasures()")
    moves(page, one.locator("[data-testid=latent-map]").bounding_box())
    return page.evaluate("performance.getEntriesByName('explorer:latency').map((one) => one.duration)")


def widgets(page: Page) -> list[float]:
    """Of the sliders of ipywidgets."""
    handle = page.locator(".noUi-handle").first
    handle.scroll_into_view_if_needed()
    page.wait_for_timeout(1000)
    page.evaluate(WATCH)
    box = page.locator(".noUi-base").first.bounding_box()
    at = handle.bounding_box()
    page.mouse.move(at["x"] + at["width"] / 2, at["y"] + at["height"] / 2)
    page.mouse.down()
    moves(page, box)
    page.mouse.up()
    return page.evaluate("window.took")


def main() -> None:
    """Print a line for each way."""
    argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter).parse_args()
    with sync_playwright() as playwright, tempfile.TemporaryDirectory() as folder:
        browser = launched(playwright)
        with notebooks.lab(Path(folder), CELLS) as address:
            page = browser.new_page(viewport={"width": 1366, "height": 900})
            page.set_default_timeout(180_000)
            notebooks.run_all(page, address)
            page.locator(EXPLORER).nth(1).wait_for()
            page.locator(".noUi-handle").nth(1).wait_for()
            page.wait_for_timeout(3000)
            print(f"{'decoded by':<42}{'median':>8}{'95 %':>8}{'answers':>9}   ms, of {MOVES} moves")
            for name, times in (
                ("the browser, layers of torch translated", explorer(page, 0)),
                ("the kernel, asked by the explorer", explorer(page, 1)),
                ("the kernel, ipywidgets sliders and Image", widgets(page)),
            ):
                slow = statistics.quantiles(times, n=20)[-1]
                print(f"{name:<42}{statistics.median(times):>8.0f}{slow:>8.0f}{len(times):>9}")
        browser.close()


if __name__ == "__main__":
    main()

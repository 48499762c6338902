"""What comparing runs costs: one hand on two and on four maps, a lasso lit in all, neighbours counted, maps laid upon each other.

    python benchmarks/compare.py [--quick]

Real Chromium, drawn in software, with four runs of 70,000 points (one that ships, three with random weights and codes that
cost what trained ones cost; the hand is on a map of 30 numbers a code) and two networks that are trained on the digits for
it. The page with one run, measured in the same go, is what the page with four stands beside.
"""

import argparse
import contextlib
import json
import math
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import generated  # beside this file
from playwright.sync_api import Page, sync_playwright
from serving import ROOT, launched, served

from models import runs

HERE = Path(__file__).resolve().parent
MAPS = 'canvas[data-testid="latent-map"]'
COMPARED = '[data-testid="comparison"][data-ready="true"]'
ONE = '[data-testid="latent-explorer"][data-ready="true"]'


def row(what: str, figure: str, reach: str) -> None:
    """One line of the table, printed when it is known."""
    print(f"{what:<58} {figure:<40} {reach}".rstrip(), flush=True)


def spread(values: list[float]) -> str:
    """Median and p95 in milliseconds."""
    ordered = sorted(values)
    at = ordered[max(0, math.ceil(0.95 * len(ordered)) - 1)]
    return f"median {statistics.median(values):.1f}  p95 {at:.1f} ms  (n {len(values)})"


def opened(page: Page, address: str, ready: str) -> float:
    """Seconds until all maps can decode."""
    page.goto("about:blank")
    begun = time.perf_counter()
    page.goto(address)
    page.wait_for_selector(ready)
    for explorer in page.locator('[data-testid="latent-explorer"]').all():
        explorer.and_(page.locator('[data-ready="true"]')).wait_for()
    return time.perf_counter() - begun


def moved(page: Page, moves: int) -> list[list[float]]:
    """A pointer walks in a circle over the first map: for each move the milliseconds of its handlers, and up to the last
    map's marker."""
    box = page.locator(MAPS).first.bounding_box()
    assert box
    page.evaluate("() => { window.moves = []; }")
    for step in range(moves):
        x = box["x"] + box["width"] * (0.5 + 0.2 * math.cos(step / 9))
        y = box["y"] + box["height"] * (0.5 + 0.2 * math.sin(step / 9))
        page.mouse.move(x, y)
        time.sleep(0.012)
    time.sleep(0.5)
    return page.evaluate("() => window.moves")  # type: ignore[no-any-return]


def lassoed(page: Page) -> tuple[float, int]:
    """Milliseconds from the end of a shape round about a third of the samples until all maps are drawn; how many it holds."""
    page.get_by_test_id("compare-lasso").click()
    box = page.locator(MAPS).first.bounding_box()
    assert box
    corners = [(0.46, 0.98), (0.02, 0.98), (0.02, 0.02), (0.46, 0.02)]
    places = [(box["x"] + box["width"] * x, box["y"] + box["height"] * y) for x, y in corners]
    page.mouse.move(*places[0])
    page.mouse.down()
    for place in places[1:]:
        page.mouse.move(*place, steps=4)
    page.evaluate("() => { delete window.lit; }")
    page.evaluate(
        """() => addEventListener("pointerup", () => {
            const begun = performance.now();
            requestAnimationFrame(() => requestAnimationFrame(() => { window.lit = performance.now() - begun; }));
        }, {capture: true, once: true})"""
    )
    page.mouse.up()
    page.wait_for_function("() => window.lit !== undefined")
    taken = float(page.evaluate("() => window.lit"))
    cell = page.get_by_test_id("went").locator("tbody tr").first.locator("td").nth(1)
    count = int(cell.inner_text().replace(",", ""))
    page.get_by_test_id("compare-explore").click()
    return taken, count


def counted(page: Page) -> float:
    """Seconds until the neighbours kept of 10,000 samples are told."""
    told = page.get_by_test_id("kept")
    page.get_by_test_id("count-kept").click()
    begun = time.perf_counter()
    told.filter(has_text="nearest neighbours").wait_for()
    taken = time.perf_counter() - begun
    page.get_by_test_id("count-kept").and_(page.locator(":enabled")).wait_for()
    return taken


def four(home: Path) -> list[str]:
    """The ids of the large runs."""
    wide = runs.open_run(runs.folder_of("mnist-wide"))
    drawn = [("modern", 30), ("multi-layer", 2), ("variational", 2)]
    with_weights = [generated.untrained(home, wide, "mnist", name, size, wide.count).id for name, size in drawn]
    return [with_weights[0], wide.id, *with_weights[1:]]


def twins(home: str) -> list[str]:
    """The ids of two trainings that differ in their seed alone."""
    ids = []
    for seed in ("1", "2"):
        command = [sys.executable, "-m", "models", "train", "--dataset", "digits", "--architecture", "multi-layer"]
        more = ["--code-size", "2", "--epochs", "60", "--seed", seed, "--json"]
        env = {**os.environ, "HOURGLASS_HOME": home}
        done = subprocess.run([*command, *more], cwd=ROOT, env=env, capture_output=True, text=True, check=True)
        ids.append(json.loads(done.stdout.splitlines()[-1])["id"])
    return ids


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--quick", action="store_true", help="fewer repetitions")
    quick = parser.parse_args().quick
    with (
        tempfile.TemporaryDirectory() as home,
        served(ROOT / "app.py", home) as (app, _),
        sync_playwright() as playwright,
        contextlib.closing(launched(playwright)) as browser,
    ):
        mnist = four(Path(home))
        page = browser.new_context(viewport={"width": 1280, "height": 900}).new_page()
        page.set_default_timeout(120_000)
        page.add_init_script(path=HERE / "compare.js")
        both = f"{app}/compare?runs={','.join(mnist[:2])}"
        every = f"{app}/compare?runs={','.join(mnist)}"
        opened(page, every, COMPARED)  # the server has measured what it shows, the browser has the files
        times = 2 if quick else 5
        alone = statistics.median(opened(page, f"{app}/?run={mnist[0]}", ONE) for _ in range(times))
        together = statistics.median(opened(page, every, COMPARED) for _ in range(times))
        figure = f"{together:.2f} s, {together / alone:.2f} times one ({alone:.2f} s)"
        row(f"{len(mnist)} runs of 70,000 points, until all can decode", figure, "<= 2.5 times one")
        time.sleep(3)
        moves = moved(page, 100 if quick else 400)
        row(
            f"one hand on {len(mnist)} maps, handler to the last map's marker",
            spread([whole for _, whole in moves]),
            "<= 6, 16 ms",
        )
        lassos = []
        for _ in range(3 if quick else 9):
            taken, count = lassoed(page)
            lassos.append(taken)
            time.sleep(2)
        row(f"a lasso of {count:,} rows, lit in all {len(mnist)} maps", spread(lassos), "<= 100 ms")
        opened(page, both, COMPARED)
        time.sleep(3)
        row(
            "one hand, two decoders: handler to both pictures",
            spread([handled for handled, _ in moved(page, 100 if quick else 400)]),
            "<= 4 ms",
        )
        first, again = counted(page), counted(page)
        row("neighbours kept of 10,000 rows (2 and 30 numbers), again", f"{first:.2f} s, {again:.2f} s", "<= 3 s, kept")
        opened(page, f"{app}/compare?runs={','.join(twins(home))}", COMPARED)
        counted(page)
        row("two seeds of one configuration, laid upon each other", page.locator(".hg-fit").nth(1).inner_text(), "told")
        row("", page.get_by_test_id("kept").inner_text(), "told")


if __name__ == "__main__":
    main()

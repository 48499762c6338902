"""A run as one page: how large it is, what its bits cost, and how soon it draws after it was opened from a disk.

    python benchmarks/pages.py [--quick]

Real Chromium without a network. "first image" is from the start of the navigation to the first decoded picture, the median
of five openings (--quick: one); beside it an empty page of the same size, which shows what reading alone takes.
"""

import argparse
import statistics
import tempfile
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright
from serving import ROOT, launched

from models import pages, runs

WATCH = """
new MutationObserver(() => {
    if (window.first === undefined && document.querySelector('[data-testid="latent-explorer"][data-ready="true"]'))
        window.first = performance.now();
}).observe(document, {subtree: true, attributes: true, childList: true});
"""


def opened(browser: Browser, file: Path, alive: bool) -> float:
    """Milliseconds from the start of the navigation to the first decoded picture; of an empty page to its end."""
    context = browser.new_context(offline=True)
    try:
        page = context.new_page()
        page.add_init_script(WATCH)
        page.goto(file.as_uri())
        if not alive:
            return float(page.evaluate("performance.getEntriesByType('navigation')[0].loadEventEnd"))
        page.wait_for_function("() => window.first !== undefined")
        return float(page.evaluate("window.first"))
    finally:
        context.close()


def main() -> None:
    """Print a line for each run that ships."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="each once")
    times = 1 if parser.parse_args().quick else 5
    print(
        f"{'run':<36}{'KB':>6}{'no draw':>9}{'bits':>6}{'lost':>9}{'originals':>11}{'first image':>13}{'empty page':>12}  ms"
    )
    with sync_playwright() as playwright, tempfile.TemporaryDirectory() as folder:
        browser = launched(playwright)
        for path in sorted((ROOT / "pretrained").iterdir()):
            if not path.is_dir():
                continue
            run = runs.open_run(path)
            made, without = pages.page(run), pages.page(run, encoder=False)
            file, empty = Path(folder) / "run.html", Path(folder) / "empty.html"
            file.write_bytes(made.html)
            empty.write_bytes(b"<!doctype html><!--" + b"x" * len(made.html) + b"-->")
            first, nothing = (
                statistics.median(opened(browser, one, one == file) for _ in range(times)) for one in (file, empty)
            )
            print(
                f"{path.name:<36}{len(made.html) / 1e3:>6.0f}{len(without.html) / 1e3:>9.0f}{made.bits:>6}{made.lost:>9.2%}"
                f"{made.samples:>11,}{first:>13.0f}{nothing:>12.0f}",
                flush=True,
            )
        browser.close()


if __name__ == "__main__":
    main()

"""A film: how long it takes to make one of 60 frames, in the browser and in the shell, and how large it becomes.

    python benchmarks/films.py [RUN ...]

The page of the run, opened from a disk in Chromium without a network; "held" is the longest time between two frames of the
page while the file is made, in milliseconds. The shell's time is that of the film alone, without starting Python.
"""

import argparse
import tempfile
import time
from pathlib import Path

from playwright.sync_api import Page, sync_playwright
from serving import launched

from models import films, pages, runs

RUNS = ("digits-variational", "mnist-modern-30", "cats-convolutional-variational")
WHAT, SECONDS, RATE = ("replay", "path"), 4, 15
HELD = """() => {
    window.held = 0;
    let before = performance.now();
    const frame = (now) => {
        window.held = Math.max(window.held, now - before);
        before = now;
        requestAnimationFrame(frame);
    };
    requestAnimationFrame(frame);
}"""


def in_browser(page: Page, what: str, format: str) -> tuple[float, int, float]:
    """Seconds, bytes, and milliseconds for which the page was held."""
    page.get_by_test_id("film-what").select_option(what)
    page.get_by_test_id("film-format").select_option(format)
    page.get_by_test_id("film-seconds").fill(str(SECONDS))
    page.wait_for_timeout(1000)
    page.evaluate("() => { performance.clearMeasures(); window.held = 0; }")
    with page.expect_download(timeout=300_000) as download:
        page.get_by_test_id("film-save").click()
    size = Path(download.value.path()).stat().st_size
    spent, held = page.evaluate("() => [performance.getEntriesByName('explorer:film')[0].duration, window.held]")
    return spent / 1000, size, held


def in_shell(run: runs.Run, what: str, format: str) -> tuple[float, int]:
    """Seconds and bytes."""
    begun = time.perf_counter()
    content = films.written(films.Film(run, films.Choices(what, seconds=SECONDS, rate=RATE)), format)
    return time.perf_counter() - begun, len(content)


def main() -> None:
    """Print a line for each run, thing to film, and format."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("runs", nargs="*", metavar="RUN", default=RUNS, help="names of runs that ship")
    print(f"{'run':<32}{'film':<8}{'format':<8}{'browser: s':>10}{'kB':>7}{'held':>6}{'shell: s':>10}{'kB':>7}")
    with sync_playwright() as playwright, tempfile.TemporaryDirectory() as folder:
        browser = launched(playwright)
        for name in parser.parse_args().runs:
            run = runs.open_run(runs.folder_of(name))
            file = Path(folder) / "run.html"
            file.write_bytes(pages.page(run).html)
            page = browser.new_context(offline=True, reduced_motion="reduce").new_page()
            page.goto(file.as_uri())
            page.get_by_test_id("film-open").click()
            page.get_by_test_id("film-format").locator("option").nth(1).wait_for(state="attached")
            page.evaluate(HELD)
            for what in WHAT:
                for format in ("gif", "webp", "mp4"):
                    spent, size, held = in_browser(page, what, format)
                    line = f"{name:<32}{what:<8}{format:<8}{spent:>10.1f}{size / 1e3:>7.0f}{held:>6.0f}"
                    if format in films.FORMATS:
                        own, bytes_ = in_shell(run, what, format)
                        line += f"{own:>10.1f}{bytes_ / 1e3:>7.0f}"
                    print(line, flush=True)
            page.context.close()
        browser.close()


if __name__ == "__main__":
    main()

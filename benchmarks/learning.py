"""Training in the browser: our kernels beside plain JavaScript and TensorFlow.js.

    python benchmarks/learning.py [--tensorflow FILE] [--quick]

Samples a core-second on 784-128-2-128-784 (ReLU, a sigmoid at the end, mean squared error, Adam, batches of 128) in Node and in
Chromium, each in turn five times (--quick: once), medians; and the seconds of two whole trainings: 30 epochs of 1,797 images of
8x8, 20 epochs of 5,000 of 28x28. Then the pointer's latency on a page from disk while one learns there. Plain JavaScript is plain_training.mjs. FILE is
node_modules/@tensorflow/tfjs/dist/tf.node.js after `npm install @tensorflow/tfjs@4.22.0` in any place; in Chromium tf.min.js beside
it is taken. Core-seconds are those that the
process had, of Chromium the page's; others on the same cores slow its caches, not its clock.
"""

import argparse
import contextlib
import json
import statistics
import subprocess
import tempfile
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any, ClassVar

import psutil
from playwright.sync_api import sync_playwright
from serving import ROOT, launched

from models import pages, runs

TITLES = {"ours": "ours", "plain": "plain JavaScript", "theirs": "TensorFlow.js"}
FLAGS = ("--experimental-wasm-relaxed-simd",)  # what Node has by itself from 21 on


def in_node(turns: int, tensorflow: Path | None) -> dict[str, float]:
    """What Node measures."""
    version = subprocess.run(["node", "--version"], capture_output=True, text=True, check=True).stdout
    flags = FLAGS if int(version[1:].split(".")[0]) < 21 else ()
    built = ROOT / "components" / "explorer" / "built" / "learning.js"
    told = [
        str(ROOT / "benchmarks" / "learning.mjs"),
        str(built),
        str(turns),
        *([str(tensorflow)] if tensorflow else []),
    ]
    out = subprocess.run(["node", *flags, *told], capture_output=True, text=True, check=True).stdout
    found: dict[str, float] = json.loads(out.strip().splitlines()[-1])
    return found


class Files(SimpleHTTPRequestHandler):
    """The project's files, and TensorFlow.js."""

    tensorflow: Path | None = None
    extensions_map: ClassVar[dict[str, str]] = {
        **SimpleHTTPRequestHandler.extensions_map,
        ".mjs": "text/javascript",
        ".js": "text/javascript",
    }

    def __init__(self, *args: Any) -> None:
        super().__init__(*args, directory=str(ROOT))

    def translate_path(self, path: str) -> str:
        """Where a file lies."""
        return str(self.tensorflow) if path == "/tf.js" else super().translate_path(path)

    def end_headers(self) -> None:
        """Isolated from other pages, so that the clock is fine."""
        self.send_header("Cross-Origin-Opener-Policy", "same-origin")
        self.send_header("Cross-Origin-Embedder-Policy", "require-corp")
        super().end_headers()

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


def renderers() -> float:
    """Seconds of a core that Chromium's pages have used."""
    used = 0.0
    for child in psutil.Process().children(recursive=True):
        with contextlib.suppress(psutil.Error):
            if "--type=renderer" in child.cmdline():
                used += sum(child.cpu_times()[:2])
    return used


def in_chromium(turns: int, tensorflow: Path | None) -> dict[str, float]:
    """What a page measures."""
    Files.tensorflow = tensorflow
    server = ThreadingHTTPServer(("127.0.0.1", 0), Files)
    Thread(target=server.serve_forever, daemon=True).start()
    with sync_playwright() as playwright, launched(playwright) as browser:
        page = browser.new_page()
        page.set_default_timeout(600_000)
        page.expose_function("used", renderers)
        page.goto(f"http://127.0.0.1:{server.server_port}/components/explorer/built/network.js")
        page.set_content("<script src='/tf.js'></script>" if tensorflow else "")
        found: dict[str, float] = page.evaluate(
            "async ([turns, tf]) => { if (tf) await globalThis.tf.setBackend('cpu');"
            " return (await import('/benchmarks/learning.mjs')).measured("
            " await import('/components/explorer/built/learning.js'), tf ? globalThis.tf : null, turns, used) }",
            [turns, tensorflow is not None],
        )
    server.shutdown()
    return found


def under_the_pointer(name: str) -> tuple[float, float]:
    """Milliseconds from a move of the pointer to the decoded picture on the screen, on the page of a run from a disk: while a
    network that is trained there rests, and while it learns. Medians of 60 moves, one every 50 ms."""
    times = []
    with (
        tempfile.TemporaryDirectory() as folder,
        sync_playwright() as playwright,
        launched(playwright) as browser,
    ):
        file = Path(folder) / "page.html"
        file.write_bytes(pages.page(runs.open_run(runs.folder_of(name))).html)
        page = browser.new_page(viewport={"width": 1366, "height": 768})
        page.goto(file.as_uri())
        page.get_by_test_id("tool-again").click()
        page.get_by_text("More", exact=True).click()
        page.get_by_test_id("again-epochs").fill("1000")
        page.get_by_test_id("again-train").click()
        for words in ("Pause", "Go on"):
            main = page.get_by_test_id("again-train")
            page.locator("[data-testid=again-train]", has_text=words).wait_for()
            main.click()
            page.wait_for_timeout(1000)
            page.evaluate("performance.clearMeasures()")
            box = page.get_by_test_id("latent-map").bounding_box()
            assert box
            for k in range(60):
                page.mouse.move(box["x"] + (0.3 + 0.006 * k) * box["width"], box["y"] + 0.5 * box["height"])
                page.wait_for_timeout(50)
            # The first is where the network rests, the second where it learns.
            state = page.locator("section[data-state]").get_attribute("data-state")
            assert state == ("paused" if words == "Pause" else "running"), state
            spent = page.evaluate("performance.getEntriesByName('explorer:latency').map((one) => one.duration)")
            times.append(statistics.median(spent))
    return times[0], times[1]


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tensorflow", type=Path)
    parser.add_argument("--quick", action="store_true")
    given = parser.parse_args()
    turns, place = 1 if given.quick else 5, given.tensorflow
    page = place.with_name("tf.min.js") if place else None
    print("| | " + " | ".join(TITLES.values()) + " | beside plain | 30 epochs of digits | 20 of 5,000 MNIST |")
    print("| --- | --: | --: | --: | --: | --: | --: |")
    for title, found in (("Node", in_node(turns, place)), ("Chromium", in_chromium(turns, page))):
        rates = " | ".join(f"{found[name]:,.0f}" if name in found else "" for name in TITLES)
        print(
            f"| {title} | {rates} | {found['ours'] / found['plain']:.0f} times | {found['digits']:.2f} s | {found['mnist']:.1f} s |"
        )
    print("\nPointer to picture, ms: the network rests, it learns")
    for name in ("digits-variational", "mnist-narrow"):
        rests, learns = under_the_pointer(name)
        print(f"{name}: {rests:.0f}, {learns:.0f}")


if __name__ == "__main__":
    main()

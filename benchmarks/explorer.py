"""What the explorer costs: time under the pointer, time to the first point, large maps, bytes and memory.

    python benchmarks/explorer.py [--quick] [--only NAME ...]

Real Chromium, drawn in software. Every figure stands beside the one to reach, and beside an alternative measured in
the same run where there is one: the same run in a Streamlit app of native sliders, or its points drawn by Plotly.
Absolute times depend on what else the machine does; the ratios hardly do. The MNIST files are read from
HOURGLASS_DATA for the originals of the large map; without them it is measured without originals.
"""

import argparse
import contextlib
import itertools
import json
import math
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import generated  # beside this file
from playwright.sync_api import Browser, CDPSession, Page, Playwright, TimeoutError, sync_playwright
from serving import EMULATED, GL, ROOT, chromium, free_port, launched, rights, served
from websockets.sync.client import connect

from models import runs

HERE = Path(__file__).resolve().parent
ROOT_OF_ALL = '[data-testid="latent-explorer"]'
READY = f'{ROOT_OF_ALL}[data-ready="true"]'
MAP = 'canvas[data-testid="latent-map"]'
SAMPLE = 'canvas[data-testid="decoded-sample"]'
NATIVE = "[data-testid=stSlider] input[type=range]"
THUMB = "[data-testid=stSlider] [data-rac]:has(> div > input)"
SLIDER = 'input[data-testid="code-slider"][data-dim="1"]'
MILLION = 1_000_000


def row(what: str, figure: str, reach: str, beside: str = "") -> None:
    """One line of the table, printed when it is known."""
    print(f"{what:<46} {figure:<44} {reach:<34} {beside}".rstrip(), flush=True)


def share(values: Sequence[float], part: float) -> float:
    """The value that `part` of them do not exceed."""
    return sorted(values)[max(0, math.ceil(part * len(values)) - 1)] if values else math.nan


def spread(values: Sequence[float], *, p99: bool = False) -> str:
    """Median, p95 and, where asked for, p99, in milliseconds."""
    parts = [("median", 0.5), ("p95", 0.95)] + ([("p99", 0.99)] if p99 else [])
    return "  ".join(f"{name} {share(values, part):.1f}" for name, part in parts) + f" ms  (n {len(values)})"


class Bench:
    """The servers and the browser that all measurements share."""

    def __init__(self, playwright: Playwright, app: str, native: str, home: Path, quick: bool, more: list[str]) -> None:
        self.playwright, self.app, self.native, self.home, self.quick = playwright, app, native, home, quick
        self.more = more

    @contextmanager
    def page(self, *more: str) -> Iterator[Page]:
        """A fresh browser with one page, so that its processes are this page's alone."""
        browser = launched(self.playwright, *self.more, *more)
        try:
            page = browser.new_context(viewport={"width": 1280, "height": 900}).new_page()
            page.set_default_timeout(120_000)
            page.add_init_script(path=HERE / "explorer.js")
            yield page
        finally:
            browser.close()

    @contextmanager
    def person_of(self, profile: Path) -> Iterator[Page]:
        """A page of a browser that keeps its cache on the disk, as a person's does."""
        options = [*GL, *self.more, *rights()]
        context = self.playwright.chromium.launch_persistent_context(profile, executable_path=chromium(), args=options)
        try:
            page = context.pages[0]
            page.set_default_timeout(120_000)
            page.add_init_script(path=HERE / "explorer.js")
            yield page
        finally:
            context.close()

    def explore(self, page: Page, run: runs.Run, *, settle: float = 2.0) -> None:
        """Open the run, wait until it decodes, and give the rest of the page time to load, as a person would."""
        page.goto(f"{self.app}/?run={run.id}")
        page.locator(f'{READY}[data-run="{run.id}"]').first.wait_for()
        page.wait_for_load_state("networkidle")
        page.wait_for_timeout(settle * 1000)


def measures(page: Page, name: str) -> list[float]:
    """The durations of all measures of this name, which are then forgotten."""
    found: list[float] = page.evaluate(
        "n => { const d = performance.getEntriesByName(n, 'measure').map(e => e.duration); performance.clearMeasures(n); return d }",
        name,
    )
    return found


def box_of(page: Page, selector: str) -> dict[str, float]:
    """Where an element lies."""
    box = page.locator(selector).first.bounding_box()
    assert box is not None, selector
    return dict(box)


def circle(page: Page, selector: str, moves: int, pause: float = 0.004) -> None:
    """The pointer in a spiral over an element."""
    box = box_of(page, selector)
    for i in range(moves):
        turn, radius = i / 25, 0.1 + 0.3 * (i % 97) / 97
        x = box["x"] + box["width"] * (0.5 + radius * math.cos(turn))
        y = box["y"] + box["height"] * (0.5 + radius * math.sin(turn))
        page.mouse.move(x, y)
        time.sleep(pause)


def decoding(bench: Bench, page: Page, run: runs.Run) -> tuple[list[float], list[float]]:
    """(handler to canvas, event to frame) of a pointer that moves over the map."""
    bench.explore(page, run)
    circle(page, MAP, 60)  # the first ones also compile
    measures(page, "explorer:decode"), measures(page, "explorer:latency")
    circle(page, MAP, 300 if bench.quick else 1500)
    return measures(page, "explorer:decode"), measures(page, "explorer:latency")


def pointer(bench: Bench) -> None:
    """Handler to canvas, and event to frame."""
    with bench.page() as page:
        decode, latency = decoding(bench, page, shipped("mnist-wide"))
        print(f"WebGL: {page.evaluate('bench.renderer()')}")
        page.evaluate("bench.empty()")
        circle(page, "#bench-pad", 300)
        empty = measures(page, "bench:empty")
    row("handler to canvas, 28x28", spread(decode, p99=True), "median 3, p95 8, p99 16")
    with bench.page() as page:
        decode, _ = decoding(bench, page, cats(bench.home))
    row("handler to canvas, 64x64 RGB", spread(decode, p99=True), "median 6, p95 16")
    ratio = share(latency, 0.5) / share(empty, 0.5)
    row(
        "event to next frame, 28x28",
        spread(latency),
        "median 16, p95 28",
        f"empty handler: {spread(empty)}; ratio {ratio:.2f}",
    )


def keyed(page: Page, slider: str, image: str, times: int) -> list[float]:
    """Milliseconds from pressing an arrow key on a slider to other pixels."""
    page.locator(slider).first.focus()
    out = []
    for i in range(times + 3):
        page.evaluate("s => bench.keyed(s)", image)
        page.keyboard.press("ArrowRight" if i % 20 < 10 else "ArrowLeft")
        waited = page.evaluate("bench.answer")
        if i >= 3 and waited >= 0:
            out.append(waited)
        page.wait_for_timeout(60)
    return out


def dragged(page: Page, port: int, x: float, y: float, width: float, image: str) -> tuple[int, int]:
    """(images shown, moves of the pointer) while the pointer, held down, goes forth and back over `width` for one second.

    The moves are sent 125 times a second, as a mouse does, over a line of their own: Playwright would wait for the
    page's answer to each.
    """
    with urlopen(f"http://localhost:{port}/json") as answer:
        target = next(one for one in json.load(answer) if one["type"] == "page")["webSocketDebuggerUrl"]
    page.mouse.move(x, y)
    page.mouse.down()
    page.wait_for_timeout(300)
    page.evaluate("s => bench.count(s)", image)
    with connect(target, max_size=None) as line:
        begun, moves = time.perf_counter(), 0
        while (at := time.perf_counter() - begun) < 1:
            place = {"x": x + width * (1 - abs(1 - 2 * at)), "y": y, "button": "left", "buttons": 1}
            moved = {"id": moves, "method": "Input.dispatchMouseEvent", "params": {"type": "mouseMoved", **place}}
            line.send(json.dumps(moved))
            moves += 1
            time.sleep(max(0.0, begun + moves * 0.008 - time.perf_counter()))
        shown: int = page.evaluate("bench.counted()")
    page.mouse.up()
    page.wait_for_timeout(500)
    return shown, moves


def told(drags: list[tuple[int, int]]) -> str:
    """The drag with the median number of images: a loaded machine also sends fewer moves."""
    shown, moves = sorted(drags)[len(drags) // 2]
    return f"{shown} of {moves} moves"


def person(bench: Bench) -> None:
    """Key to image, and images during a drag, beside native sliders."""
    run = shipped("mnist-wide")
    times, port = 20 if bench.quick else 100, free_port()
    listening = f"--remote-debugging-port={port}"
    with bench.page(listening) as page:
        bench.explore(page, run)
        ours = keyed(page, SLIDER, SAMPLE, times)
        box = box_of(page, SLIDER)
        drags = [
            dragged(page, port, box["x"] + 20, box["y"] + box["height"] / 2, box["width"] - 40, SAMPLE) for _ in "123"
        ]
        place = box_of(page, MAP)
        over = [
            dragged(page, port, place["x"] + 80, place["y"] + place["height"] / 2, place["width"] - 160, SAMPLE)
            for _ in "123"
        ]
    with bench.page(listening) as page:
        page.goto(f"{bench.native}/?run={run.folder}")
        page.locator("[data-testid=stImage] img").first.wait_for()
        page.wait_for_timeout(2000)
        theirs = keyed(page, NATIVE, "[data-testid=stImage] img", times)
        box = box_of(page, THUMB)
        track = box_of(page, "[data-testid=stSlider]")
        native = [
            dragged(
                page,
                port,
                box["x"] + box["width"] / 2,
                box["y"] + box["height"] / 2,
                track["width"] / 3,
                "[data-testid=stImage] img",
            )
            for _ in "123"
        ]
    ratio = share(theirs, 0.5) / share(ours, 0.5)
    row("key to image, end to end", spread(ours), "10 times faster", f"native: {spread(theirs)}; {ratio:.1f} times")
    row(
        "images during a one-second drag",
        f"slider {told(drags)}, map {told(over)}",
        "at least 50",
        f"native: {told(native)}",
    )


def panned(page: Page, selector: str, button: str, moves: int) -> list[float]:
    """Milliseconds between drawings of the map while it is dragged."""
    box = box_of(page, selector)
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(x, y)
    page.mouse.down(button=button)  # type: ignore[arg-type]
    page.mouse.move(x + 5, y)
    page.wait_for_timeout(300)
    page.evaluate("bench.draws.length = 0")
    for i in range(moves):
        page.mouse.move(x + 60 * math.sin(i / 10), y + 40 * math.sin(i / 7))
    times = page.evaluate("bench.draws")
    page.mouse.up(button=button)  # type: ignore[arg-type]
    return [b - a for a, b in itertools.pairwise(times)]


def arrived(page: Page) -> float:
    """Milliseconds from the arrival of the codes to the last pixel of the first drawing of them."""
    return float(
        page.evaluate(
            "bench.first - performance.getEntriesByType('resource').find(e => e.name.endsWith('/codes.f32')).responseEnd"
        )
    )


def plotted(bench: Bench, page: Page, run: runs.Run, count: int, wait: float) -> float | None:
    """Milliseconds from opening the Plotly page to its first drawing; None when nothing came within `wait` seconds."""
    page.evaluate("0")
    page.goto(f"{bench.native}/?run={run.folder}&plot={count}")
    end = time.perf_counter() + wait
    while time.perf_counter() < end:
        if (first := page.evaluate("bench.first")) is not None:
            return float(first)
        page.wait_for_timeout(100)
    return None


def seventy(bench: Bench) -> None:
    """The map with 70,000 points, beside Plotly."""
    run = shipped("mnist-wide")
    firsts, opens = [], []
    for _ in range(2 if bench.quick else 5):
        with bench.page() as page:
            bench.explore(page, run)
            firsts.append(arrived(page))
            opens.append(page.evaluate("bench.first"))
            ours = panned(page, MAP, "right", 100)
    with bench.page() as page:
        plotly = plotted(bench, page, run, run.count, 60)
        page.wait_for_timeout(3000)
        theirs = panned(page, ".js-plotly-plot .nsewdrag", "left", 30) if plotly else []
    row(
        "70,000 points, first drawn after the codes came",
        f"{statistics.median(firsts):.0f} ms",
        "500 ms",
        f"opening to points {statistics.median(opens):.0f} ms; Plotly {plotly and round(plotly)} ms",
    )
    row("70,000 points, pan", spread(ours) + " a frame", "60 ms a frame", f"Plotly: {spread(theirs)}")


def process(browser: Browser, kind: str) -> int:
    """Bytes that the largest process of this kind holds (its share of common pages counted by share)."""
    session = browser.new_browser_cdp_session()
    found = [p["id"] for p in session.send("SystemInfo.getProcessInfo")["processInfo"] if p["type"] == kind]
    session.detach()
    return max(map(_held, found), default=0)


def _held(pid: int) -> int:
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith("Pss:")), 0)


def heap(session: CDPSession) -> float:
    """Bytes of JavaScript that are in use after a collection."""
    session.send("HeapProfiler.collectGarbage")
    found = session.send("Performance.getMetrics")["metrics"]
    return float(next(m["value"] for m in found if m["name"] == "JSHeapUsedSize"))


def million(bench: Bench) -> None:
    """A million codes."""
    run = generated.enlarged(bench.home, shipped("mnist-wide"), MILLION)
    with bench.page() as page:
        peak = 0
        begun = time.perf_counter()
        page.goto(f"{bench.app}/?run={run.id}")
        page.wait_for_function("() => bench.first !== null")
        points = time.perf_counter() - begun
        page.locator(f'{READY}[data-run="{run.id}"]').first.wait_for()
        ready = time.perf_counter() - begun
        browser = page.context.browser
        assert browser is not None
        for _ in range(12):
            peak = max(peak, process(browser, "renderer"))
            page.wait_for_timeout(1000)
        page.wait_for_load_state("networkidle")
        after = arrived(page)
        longest = max((duration for _, duration in page.evaluate("bench.long")), default=0)
        pan = panned(page, MAP, "right", 60)
        circle(page, MAP, 30)
        measures(page, "explorer:decode")
        circle(page, MAP, 200)
        decode = measures(page, "explorer:decode")
        lassos = [lassoed(page, i) for i in range(3)]
        counted = page.locator('[data-testid="lasso-summary"]').inner_text()
        python = time.perf_counter()
        page.get_by_text(f"{counted.split()[0]} samples inside the lasso").wait_for()
        python = time.perf_counter() - python
        peak = max(peak, process(browser, "renderer"))
        held, gpu = process(browser, "renderer"), process(browser, "GPU")
    beside = ""
    if not bench.quick:
        with bench.page() as page:
            plotly = plotted(bench, page, run, MILLION, 90)
            beside = f"Plotly {f'{plotly / 1000:.0f} s' if plotly else 'nothing in 90 s'}"
    row("1,000,000 codes, opening to points", f"{points:.1f} s (codes to points {after:.0f} ms)", "opens", beside)
    row("1,000,000 codes, opening to decoding", f"{ready:.1f} s, longest block {longest:.0f} ms", "")
    row("1,000,000 codes, pan", spread(pan) + " a frame", "pans")
    row("1,000,000 codes, handler to canvas", spread(decode, p99=True), "")
    row(
        "1,000,000 codes, memory of the tab",
        f"{held / 1e6:.0f} MB, peak {peak / 1e6:.0f} MB",
        "under 1000 MB",
        f"GPU process {gpu / 1e6:.0f} MB",
    )
    row("1,000,000 codes, lasso of half", f"median {share(lassos, 0.5):.0f} ms", "1000 ms", counted)
    row("1,000,000 codes, Python's answer to the lasso", f"{python:.1f} s", "")


def lassoed(page: Page, turn: int) -> float:
    """Milliseconds from letting go of a lasso around about half of the points to its count on the screen."""
    page.locator('[data-testid="tool-lasso"]').click()
    box = box_of(page, MAP)
    middle = 0.42 + 0.01 * turn
    corners = [(middle, 0.01), (0.99, 0.01), (0.99, 0.99), (middle, 0.99)]
    page.mouse.move(box["x"] + box["width"] * corners[0][0], box["y"] + box["height"] * corners[0][1])
    page.mouse.down()
    for (ax, ay), (bx, by) in itertools.pairwise(corners):
        for k in range(1, 21):
            page.mouse.move(
                box["x"] + box["width"] * (ax + (bx - ax) * k / 20),
                box["y"] + box["height"] * (ay + (by - ay) * k / 20),
            )
    page.evaluate("bench.lasso()")
    page.mouse.up()
    return float(page.evaluate("bench.answer"))


def manifold(bench: Bench) -> None:
    """The grid of decoded images from asking to painted, alone and while the pointer moves."""
    for run, reach in ((shipped("mnist-wide"), "30 ms"), (cats(bench.home), "150 ms")):
        alone, moving, waits, decode, first = [], [], [], [], [0.0]
        with bench.page() as page:
            bench.explore(page, run)
            layer = page.locator('select[data-testid="layer"]')
            name = "explorer:layer-manifold"
            for i in range(4 if bench.quick else 11):  # the first is not counted: it also compiles
                page.evaluate("bench.frames()")
                layer.select_option("manifold")
                page.wait_for_function("n => performance.getEntriesByName(n).length", arg=name)
                times, waited = measures(page, name), page.evaluate("bench.waited()")
                if i == 0:
                    first = times
                else:
                    alone += times
                    waits.append(waited)
                layer.select_option("none")
                page.wait_for_timeout(300)
                measures(page, "explorer:decode")
                layer.select_option("manifold")
                circle(page, MAP, 150)
                page.wait_for_function("n => performance.getEntriesByName(n).length", arg=name)
                moving += measures(page, name)
                decode += measures(page, "explorer:decode")
                layer.select_option("none")
                page.wait_for_timeout(300)
        shape = "x".join(map(str, run.shape))
        row(
            f"20x20 manifold of {shape}",
            f"quickest {min(alone):.0f}, {spread(alone)}, the first {first[0]:.0f}",
            reach,
            f"while the pointer moves: {spread(moving)}",
        )
        row(
            "meanwhile: between two frames at most; handler to canvas",
            f"quickest {min(waits):.0f}, {spread(waits)}; decode {spread(decode)}",
            "the pointer is not blocked",
        )


def bytes_before(bench: Bench) -> None:
    """What travels from our own addresses before points and before the first decode, and at the second visit."""
    run = shipped("mnist-wide")
    with tempfile.TemporaryDirectory() as profile, bench.person_of(Path(profile)) as page:
        session = page.context.new_cdp_session(page)
        session.send("Network.enable")
        names: dict[str, str] = {}
        sizes: dict[str, float] = {}

        def asked(event: dict[str, Any]) -> None:
            path = event["request"]["url"].removeprefix(bench.app)
            if path.startswith(("/explorer/", "/run/")):
                names[event["requestId"]] = path.split("/", 4 if path.startswith("/run/") else 3)[-1]

        def finished(event: dict[str, Any]) -> None:
            if event["requestId"] in names:
                name = names[event["requestId"]]
                sizes[name] = sizes.get(name, 0) + event["encodedDataLength"]

        session.on("Network.requestWillBeSent", asked)
        session.on("Network.loadingFinished", finished)
        bench.explore(page, run)
        first = dict(sizes)
        when = "([...performance.getEntriesByType('resource')].map(e => [e.name, e.responseEnd]))"
        before = {
            url.split("/", 6 if "/run/" in url else 5)[-1]
            for url, end in page.evaluate(when)
            if end <= page.evaluate("bench.first")
        }
        sizes.clear()
        page.reload()
        page.locator(f'{READY}[data-run="{run.id}"]').first.wait_for()
        page.wait_for_load_state("networkidle")
        again = sum(sizes.values())
    free = ("codes.f32", "decoder.safetensors")
    needed = sum(
        size
        for name, size in first.items()
        if name in ("explorer.js", "shared.js", "shared2.js", "run.json", "labels.i32")
    )
    weights = sum(size for name, size in first.items() if name == "decoder.safetensors")
    come = sum(size for name, size in first.items() if name in before and name not in free)
    row(
        "bytes that the first point waits for", f"{needed / 1e3:.0f} KB", "120 KB", f"come by then: {come / 1e3:.0f} KB"
    )
    row("the decoder's weights", f"{weights / 1e6:.2f} MB", "", "the first decode waits for both")
    row("bytes at the second visit", f"{again / 1e3:.1f} KB", "cached", ", ".join(n for n, s in sizes.items() if s))


def growth(bench: Bench) -> None:
    """Memory after many reruns and changes of the run, against a page that has shown a run 22 times.

    Elements are waited for by locators here: a handle of Playwright's would itself keep an old explorer alive.
    """
    reruns, changes = (100, 10) if bench.quick else (1000, 50)
    with bench.page() as page:
        session = page.context.new_cdp_session(page)
        session.send("Performance.enable")
        browser = page.context.browser
        assert browser is not None
        first, second = shipped("mnist-wide"), shipped("digits-variational")
        bench.explore(page, first)
        page.evaluate("bench.watch()")
        shown = [first]

        def change() -> None:
            """The other run, and back."""
            for run in (second, first):
                # Typed, since the list holds only those options that are in view; the page, drawn anew, closes an open list.
                for _ in range(20):
                    page.get_by_role("combobox", name="Run", exact=True).first.fill(run.title)
                    with contextlib.suppress(TimeoutError):
                        page.get_by_role("option", name=run.title, exact=True).first.click(timeout=5000)
                        break
                page.locator(f'{READY}[data-run="{run.id}"]').first.wait_for()
                page.wait_for_timeout(400)
                shown.append(run)

        def rerun(times: int) -> None:
            """Streamlit's own key for it; each is waited for."""
            page.evaluate("document.activeElement?.blur()")
            for _ in range(times):
                before = page.evaluate("bench.reruns")
                page.keyboard.press("r")
                page.wait_for_function(f"() => bench.reruns > {before}")

        def held() -> tuple[float, float]:
            page.wait_for_timeout(1500)
            used = heap(session)
            return used / 1e6, process(browser, "renderer") / 1e6

        rerun(30)
        change()
        fresh = held()
        for _ in range(10):  # the browser's own stores fill up during the first twenty changes
            change()
        start = held()
        rerun(reruns)
        middle = held()
        for _ in range(changes // 2):
            change()
        end = held()
    for what, a, b in (
        (f"memory after {reruns} reruns", start, middle),
        (f"and {changes} changes of the run", start, end),
    ):
        row(
            what,
            f"JS {a[0]:.1f} -> {b[0]:.1f} MB ({b[0] / a[0] - 1:+.0%}), tab {a[1]:.0f} -> {b[1]:.0f} MB ({b[1] / a[1] - 1:+.0%})",
            "10 %",
            f"after two runs: JS {fresh[0]:.1f} MB, tab {fresh[1]:.0f} MB",
        )


def shipped(name: str) -> runs.Run:
    """A run that ships."""
    return runs.open_run(runs.folder_of(name))


def cats(home: Path) -> runs.Run:
    """The cats that ship; where they do not, a network of their kind that was never trained."""
    if (ROOT / "pretrained" / "cats-convolutional-variational").is_dir():
        return shipped("cats-convolutional-variational")
    return generated.untrained(home, shipped("mnist-wide"), "cats", "convolutional-variational", 10, 5000)


PARTS: dict[str, Callable[[Bench], None]] = {
    part.__name__: part for part in (pointer, person, seventy, million, manifold, bytes_before, growth)
}


def main() -> None:
    """Run everything and print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="fewer repetitions; without Plotly's million")
    parser.add_argument("--only", nargs="+", choices=PARTS, default=list(PARTS), help="some of the parts")
    parser.add_argument("--emulated", action="store_true", help="let the emulated graphics card compose the page, too")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        os.environ["HOURGLASS_HOME"] = folder
        with (
            served(ROOT / "app.py", folder) as (app, _),
            served(HERE / "native.py", folder) as (native, _),
            sync_playwright() as playwright,
        ):
            bench = Bench(playwright, app, native, Path(folder), chosen.quick, [EMULATED] if chosen.emulated else [])
            print(f"load average {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")
            row("what", "explorer", "reach", "beside it")
            failed = 0
            for name in chosen.only:
                try:
                    PARTS[name](bench)
                except Exception as error:  # the other rows are still worth having
                    failed += 1
                    row(name, "failed", "", f"{type(error).__name__}: {str(error)[:300]}")
            print(f"load average {os.getloadavg()[0]:.1f}")
    sys.exit(failed > 0)


if __name__ == "__main__":
    main()

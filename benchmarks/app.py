"""How long a person waits: from `streamlit run` to the first decoded picture, and from Train to an explorable run.

    python benchmarks/app.py [--runs 5]

Prints medians, side by side in one run: the app against a Streamlit app of one slider and one line of text, both
started anew each time, both in a fresh browser profile; the training of digits from the click to the button
"Explore"; and MNIST (when it is under HOURGLASS_DATA) until its test error is 25 % below PCA's.
"""

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright
from serving import ROOT, launched, served

HELLO = "import streamlit as st\nst.write('value', st.slider('x', 0, 10))\n"


def first_sight(browser: Browser, script: Path, selector: str, home: str) -> float:
    """Seconds from starting the server until `selector` is visible in a fresh profile."""
    with served(script, home) as (address, begun):
        context = browser.new_context(viewport={"width": 1280, "height": 900})
        page = context.new_page()
        page.goto(address, wait_until="commit")
        page.wait_for_selector(selector, timeout=60_000)
        seconds = time.perf_counter() - begun
        context.close()
    return seconds


def digits(browser: Browser) -> tuple[float, float]:
    """Seconds from the click on Train until a run of digits (D = 2, 30 epochs) can be explored: the first, and the next."""
    with tempfile.TemporaryDirectory() as home, served(ROOT / "app.py", home) as (address, _):
        page = browser.new_page()
        waits = []
        for seed in (0, 1):  # the second training meets an engine and a worker that are there already
            page.goto(f"{address}/train?dataset=digits&architecture=modern&code_size=2&epochs=30&seed={seed}")
            button = page.get_by_role("button", name="Train", exact=True)
            button.wait_for(timeout=60_000)
            page.wait_for_timeout(1500)  # let the page come to rest, as a person would
            begun = time.perf_counter()
            button.click()
            page.locator(".st-key-leave-for-Explore button").wait_for(timeout=120_000)
            waits.append(time.perf_counter() - begun)
        page.close()
    return waits[0], waits[1]


def mnist() -> tuple[float, float, float]:
    """Seconds of `python -m models train` on all of MNIST, D = 2, three epochs; its test error and PCA's."""
    import json

    with tempfile.TemporaryDirectory() as home:
        command = [sys.executable, "-m", "models", "train", "--dataset", "mnist", "--architecture", "modern"]
        choices = ["--code-size", "2", "--epochs", "4", "--batch-size", "256", "--json"]
        begun = time.perf_counter()
        done = subprocess.run(
            [*command, *choices], cwd=ROOT, env={**os.environ, "HOURGLASS_HOME": home}, capture_output=True, check=True
        )
        seconds = time.perf_counter() - begun
    values = {metric["name"]: metric["value"] for metric in json.loads(done.stdout)["metrics"]}
    return seconds, values["mse"], values["pca_mse"]


def main() -> None:
    """Run everything and print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=5, help="repetitions of each start (default 5)")
    runs = parser.parse_args().runs
    with sync_playwright() as playwright, tempfile.TemporaryDirectory() as folder:
        browser = launched(playwright)
        hello = Path(folder) / "hello.py"
        hello.write_text(HELLO)
        decoded = '[data-testid="latent-explorer"][data-ready="true"] canvas[data-testid="decoded-sample"]'
        ours, theirs = [], []
        for i in range(runs + 1):  # the first pair fills the disk's caches and is not counted
            pair = (
                first_sight(browser, ROOT / "app.py", decoded, folder),
                first_sight(browser, hello, "[data-testid=stSlider]", folder),
            )
            if i:
                ours.append(pair[0])
                theirs.append(pair[1])
        ratio = statistics.median(a / b for a, b in zip(ours, theirs, strict=True))
        print(
            f"start to first decoded picture   {statistics.median(ours):6.2f} s   hello-world {statistics.median(theirs):.2f} s   ratio {ratio:.2f}"
        )
        print(f"the quickest of {runs}                {min(ours):6.2f} s   hello-world {min(theirs):.2f} s")
        waits = [digits(browser) for _ in range(max(1, runs // 2))]
        cold, warm = (statistics.median(column) for column in zip(*waits, strict=True))
        print(f"digits, click to explorable      {cold:6.2f} s   (30 epochs, D = 2, engine just started)")
        print(f"the same with another seed       {warm:6.2f} s   (warm worker)")
        browser.close()
    if (Path(os.environ.get("HOURGLASS_DATA", "")) / "mnist").is_dir():
        trained = [mnist() for _ in range(max(1, runs // 2))]
        seconds = statistics.median(seconds for seconds, *_ in trained)
        _, error, pca = trained[0]
        print(
            f"MNIST to 25 % below PCA, D = 2   {seconds:6.2f} s   test error {error:.4f}, PCA {pca:.4f} ({error / pca - 1:+.0%})"
        )


if __name__ == "__main__":
    main()

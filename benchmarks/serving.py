"""What benchmarks share: a Streamlit server of a script, and a real Chromium that draws in software."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, Playwright

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

from browser import chromium  # noqa: E402

# Chromium's own way on a machine without a graphics card: the page is put together by the processor and only WebGL is
# emulated. With `EMULATED` the emulated card puts the page together too, at 50 ms a frame of any page.
GL = ["--enable-unsafe-swiftshader", "--disable-background-networking", "--no-first-run"]
EMULATED = "--use-angle=swiftshader"


def free_port() -> int:
    """A port that nobody listens on now."""
    with socket.socket() as free:
        free.bind(("localhost", 0))
        return int(free.getsockname()[1])


@contextmanager
def served(script: Path, home: str) -> Iterator[tuple[str, float]]:
    """A Streamlit server of this script; gives its address and the moment it was started."""
    port = free_port()
    command = [sys.executable, "-m", "streamlit", "run", str(script), "--server.headless=true", f"--server.port={port}"]
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    begun = time.perf_counter()
    server = subprocess.Popen(command, cwd=script.parent, env={**os.environ, "HOURGLASS_HOME": home}, **quiet)
    try:
        while True:
            with socket.socket() as probe:
                if probe.connect_ex(("localhost", port)) == 0:
                    break
            time.sleep(0.01)
        yield f"http://localhost:{port}", begun
    finally:
        server.terminate()
        server.wait(20)


def launched(playwright: Playwright, *more: str) -> Browser:
    """A Chromium without a window; WebGL runs on the processor, as on a machine without a graphics card."""
    return playwright.chromium.launch(executable_path=chromium(), args=[*GL, *more, *rights()])


def rights() -> list[str]:
    """What Chromium asks of an administrator."""
    return ["--no-sandbox"] if hasattr(os, "geteuid") and os.geteuid() == 0 else []

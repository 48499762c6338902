"""Real notebooks for tests and benchmarks: JupyterLab and marimo as processes of their own, with homes of their own."""

import json
import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Page

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "components" / "notebook"


def notebook(cells: Sequence[str]) -> str:
    """An .ipynb file of cells of Python."""
    return json.dumps(
        {
            "nbformat": 4,
            "nbformat_minor": 5,
            "metadata": {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}},
            "cells": [
                {
                    "cell_type": "code",
                    "id": f"c{i}",
                    "metadata": {},
                    "execution_count": None,
                    "outputs": [],
                    "source": cell,
                }
                for i, cell in enumerate(cells)
            ],
        }
    )


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def _running(command: Sequence[str], folder: Path, port: int, ready: str) -> Iterator[str]:
    """Runs a server until the block ends; waits until `ready` answers below its address."""
    own = {
        name: str(folder / "jupyter" / name)
        for name in ("JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR", "IPYTHONDIR")
    }
    environment = {
        **os.environ,
        **own,
        "PYTHONPATH": str(PACKAGE),
        "XDG_CONFIG_HOME": str(folder / "config"),
        "XDG_STATE_HOME": str(folder / "state"),
    }
    with (folder / "log.txt").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, *command], cwd=folder, env=environment, stdout=log, stderr=subprocess.STDOUT
        )
        try:
            address = f"http://127.0.0.1:{port}"
            while True:
                try:
                    urllib.request.urlopen(f"{address}{ready}", timeout=60).close()
                    break
                except OSError:
                    if process.poll() is not None:
                        raise RuntimeError((folder / "log.txt").read_text(errors="replace")) from None
                    time.sleep(0.2)
            yield address
        finally:
            process.terminate()
            process.wait(120)


@contextmanager
def lab(folder: Path, cells: Sequence[str]) -> Iterator[str]:
    """JupyterLab with these cells in notebook.ipynb; the address of that."""
    (folder / "notebook.ipynb").write_text(notebook(cells))
    port = _free_port()
    options = [
        "--no-browser",
        "--allow-root",
        f"--port={port}",
        "--ServerApp.port_retries=0",
        f"--ServerApp.root_dir={folder}",
    ]
    free = [
        "--IdentityProvider.token=",
        "--ServerApp.password=",
        "--LabApp.news_url=None",
        "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate",
    ]
    with _running(["-m", "jupyterlab", *options, *free], folder, port, "/api/status") as address:
        yield f"{address}/lab/tree/notebook.ipynb"


@contextmanager
def marimo(folder: Path, cells: Sequence[str]) -> Iterator[str]:
    """marimo with these cells as an app; its address. What a cell calls, the cells after it know."""
    text = ["import marimo", "app = marimo.App()"]
    for cell in cells:
        text += ["@app.cell", "def _():", *(f"    {line}" for line in cell.splitlines()), ""]
    (folder / "notebook.py").write_text("\n".join(text))
    port = _free_port()
    command = ["-m", "marimo", "run", "notebook.py", "--headless", "--no-token", f"--port={port}", "--host=127.0.0.1"]
    with _running(command, folder, port, "/health") as address:
        yield address


def run_all(page: Page, address: str) -> None:
    """Opens a notebook of JupyterLab, and runs all of its cells."""
    page.goto(address)
    page.locator(".jp-Notebook .jp-Cell").first.wait_for()
    page.get_by_text("Python 3 (ipykernel)", exact=False).first.wait_for()
    page.locator(".jp-Notebook-ExecutionIndicator[data-status=idle]").first.wait_for()
    page.locator(".lm-MenuBar-item", has_text="Run").click()
    page.get_by_text("Run All Cells", exact=True).click()

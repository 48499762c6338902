"""The explorer in real notebooks, in a real browser."""

import json
from collections.abc import Callable
from pathlib import Path

import notebooks
import numpy as np
import torch
from playwright.sync_api import Page, expect
from torch import nn

EXPLORER = "[data-testid=latent-explorer]"

# A decoder with a layer that the browser has not, and one with layers that it has. What the kernel sees is written down.
SHOWN = """
import json, pathlib, numpy as np, torch, hourglass
from torch import nn
codes = np.random.default_rng(0).normal(size=(300, 2)).astype("f4")
torch.manual_seed(0)
own = nn.Sequential(nn.Linear(2, 32), nn.Tanh(), nn.Linear(32, 144), nn.Sigmoid())
known = nn.Sequential(nn.Linear(2, 32), nn.ReLU(), nn.Linear(32, 144), nn.Sigmoid())
asked = []
own.register_forward_hook(lambda module, given, out: asked.append(len(given[0])))
def told(_=None):
    pathlib.Path("told.json").write_text(json.dumps([list(a.code), list(a.selection), list(b.code), len(asked)]))
"""
FIRST = """
a = hourglass.explore(codes, labels=codes[:, 0] > 0, decoder=own)
a.observe(told, ["code", "selection"])
"""
SECOND = """
b = hourglass.explore(codes[:, ::-1].copy(), labels=codes[:, 0] > 0, decoder=known)
b.observe(told, ["code", "selection"])
hourglass.link(a, b)
"""


def own_decoder() -> nn.Sequential:
    """The one of `SHOWN`."""
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(2, 32), nn.Tanh(), nn.Linear(32, 144), nn.Sigmoid())


def told(page: Page, folder: Path, holds: Callable[[list], bool]) -> list:
    """What the kernel knows of both widgets, once that holds."""
    while True:
        path = folder / "told.json"
        text = path.read_text() if path.is_file() else ""
        if text.endswith("]") and holds(found := json.loads(text)):
            return found
        page.wait_for_timeout(100)


def code_of(page: Page, which: int) -> list[float]:
    return [float(v) for v in page.locator(EXPLORER).nth(which).get_attribute("data-code").split(",")]


def drag_and_look(page: Page, folder: Path) -> None:
    """Moves over the first explorer: the kernel is asked, its picture is shown, its widget and the linked one follow."""
    first = page.locator(f"{EXPLORER}[data-ready=true]").nth(0)
    page.locator(f"{EXPLORER}[data-ready=true]").nth(1).wait_for()
    first.scroll_into_view_if_needed()
    before, other = code_of(page, 0), code_of(page, 1)
    first_code = str(first.get_attribute("data-code"))
    box = first.locator("[data-testid=latent-map]").bounding_box()
    for k in range(12):
        page.mouse.move(box["x"] + (0.35 + 0.02 * k) * box["width"], box["y"] + 0.5 * box["height"])
        page.wait_for_timeout(30)
    expect(first).not_to_have_attribute("data-code", first_code)
    code = told(page, folder, lambda found: np.abs(np.subtract(found[0], code_of(page, 0))).max() < 1e-4)[0]
    assert code != before
    expected = own_decoder()(torch.tensor([code])).detach().numpy().ravel()
    canvas = first.locator("canvas[data-testid=decoded-sample]")
    while np.abs(np.array(canvas.evaluate("(canvas) => Array.from(canvas.sample)")) - expected).max() > 1e-4:
        page.wait_for_timeout(100)
    assert told(page, folder, lambda found: True)[3] > 0  # the module in the kernel was called
    # The same sample, whose numbers stand the other way round there.
    assert code_of(page, 1) != other
    picked = int(np.square(CODES - code).sum(1).argmin())
    assert np.abs(np.array(code_of(page, 1)[::-1]) - CODES[picked]).max() < 1.0
    told(page, folder, lambda found: np.abs(np.subtract(found[2], code_of(page, 1))).max() < 1e-4)


CODES = np.random.default_rng(0).normal(size=(300, 2)).astype("f4")


def test_jupyterlab(page: Page, tmp_path: Path) -> None:
    moves = "a.code = np.array([0.5, -0.25])\nb.selection = codes[:, 0] > 1"
    with notebooks.lab(tmp_path, [SHOWN, FIRST + "a", SECOND + "b", moves]) as address:
        notebooks.run_all(page, address)
        page.locator(f"{EXPLORER}[data-ready=true]").nth(1).wait_for()
        told(page, tmp_path, lambda found: np.allclose(found[0], [0.5, -0.25]))  # the last cell
        first = page.locator(EXPLORER).nth(0)
        expect(first).to_have_attribute("data-code", "0.5,-0.25")
        # Rows that are selected in one are selected in what is linked with it.
        told(page, tmp_path, lambda found: found[1] == np.flatnonzero(CODES[:, 0] > 1).tolist())
        drag_and_look(page, tmp_path)

        # What is inside the lasso is known by its rows.
        first.get_by_role("radio", name="Lasso").or_(first.get_by_role("button", name="Lasso")).first.click()
        box = first.locator("[data-testid=latent-map]").bounding_box()
        corners = [(0.4, 0.3), (0.7, 0.3), (0.7, 0.7), (0.4, 0.7), (0.4, 0.32)]
        page.mouse.move(box["x"] + 0.4 * box["width"], box["y"] + 0.3 * box["height"])
        page.mouse.down()
        for x, y in corners:
            page.mouse.move(box["x"] + x * box["width"], box["y"] + y * box["height"], steps=4)
        page.mouse.up()
        rows = np.array(told(page, tmp_path, lambda found: len(found[1]) > 3)[1])
        inside, outside = CODES[rows], np.delete(CODES, rows, 0)
        low, high = inside.min(0) + 0.05, inside.max(0) - 0.05
        assert len(inside) > 10
        assert not ((outside > low) & (outside < high)).all(1).any()  # all that lie in the rectangle, and no others

        # The notebook's own keys (b: a cell below, d d: away with this one) are not meant for the map.
        cells = page.locator(".jp-Notebook .jp-Cell").count()
        first.locator("[data-testid=latent-map]").focus()
        for key in "bdda":
            page.keyboard.press(key)
        page.wait_for_timeout(500)
        assert page.locator(".jp-Notebook .jp-Cell").count() == cells


def test_marimo(page: Page, tmp_path: Path) -> None:
    cell = SHOWN + FIRST + SECOND + "import marimo\nmarimo.vstack([a, b])"
    with notebooks.marimo(tmp_path, [cell]) as address:
        page.goto(address)
        drag_and_look(page, tmp_path)

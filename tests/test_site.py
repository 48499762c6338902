"""A site of runs: static files that are alive on any host, under any path, on a phone, and from a disk."""

import json
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from functools import cache
from http.client import HTTPConnection
from pathlib import Path

import numpy as np
import pytest
from conftest import ROOT
from playwright.sync_api import Page, Request, expect
from test_explorer_browser import frames, move, numbers
from test_run_pages import coder_of

from models import Problem, blocks, pages, runs
from models.analysis import meanings
from models.site import site

CATS = "cats-convolutional-variational"
SEVERAL = ("digits-variational", CATS, "mnist-variational")
EXPLORER = '[data-testid="latent-explorer"]'
PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}


@pytest.fixture(scope="module")
def hosted(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Path]]:
    """The address of a sub-path of a plain file server, and the folder that lies there: `cats` and `several`."""
    root = tmp_path_factory.mktemp("host")
    folder = root / "some where" / "below"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(blocks, "of", cache(blocks.of))  # what is made of the cats takes seconds: once for both
        cats = runs.open_run(runs.folder_of(CATS))
        site(folder / "cats", [cats])
        several = [cats if name == CATS else runs.open_run(runs.folder_of(name)) for name in SEVERAL]
        site(folder / "several", several, "Three of them")
    site(
        folder / "beside", [runs.open_run(runs.folder_of(f"digits-{name}")) for name in ("multi-layer", "single-layer")]
    )
    command = [sys.executable, "-u", "-m", "http.server", "0", "--bind", "127.0.0.1", "--directory", str(root)]
    server = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    assert server.stdout is not None
    port = int(re.search(r"port (\d+)", server.stdout.readline())[1])  # type: ignore[index]
    for _ in range(100):
        try:
            HTTPConnection("127.0.0.1", port, timeout=60).connect()
            break
        except OSError:
            time.sleep(0.1)
    yield f"http://127.0.0.1:{port}/some%20where/below", folder
    server.terminate()
    server.wait(180)


@pytest.fixture
def visited(window: Callable[..., Page], hosted: tuple[str, Path]) -> Iterator[Callable[..., Page]]:
    """Opens an address, or a file from the disk without a network; the test fails when it asks anybody else."""
    strangers: list[str] = []

    def note(request: Request) -> None:
        if not request.url.startswith((hosted[0], "file:", "blob:", "data:", "about:")):
            strangers.append(request.url)

    def visited(path: str, disk: bool = False, **properties: object) -> Page:
        page = window(**({"offline": True} if disk else {}), **properties)
        page.on("request", note)
        page.goto((hosted[1] / path).as_uri() if disk else f"{hosted[0]}/{path}")
        return page

    yield visited
    assert not strangers


@pytest.mark.parametrize("disk", [False, True], ids=["hosted", "from a disk"])
def test_the_cat_site_draws_while_a_slider_moves(visited: Callable[..., Page], disk: bool, tmp_path: Path) -> None:
    run = runs.open_run(runs.folder_of(CATS))
    page = visited("cats/index.html", disk)
    canvas = page.get_by_test_id("generated")
    expect(canvas).to_be_visible()
    names = page.locator(".sliders label span").all_inner_texts()
    assert names[:9] == [word for word in _in_order(run) if word], "dimensions that stand for something are called so"
    slider = page.locator("label", has_text="face width").locator("input")
    before = numbers(canvas, "canvas => canvas.sample")
    slider.focus()
    page.keyboard.press("End")
    frames(page)
    code = np.array((page.locator("#generator").get_attribute("data-code") or "").split(","), np.float32)
    seen = numbers(canvas, "canvas => canvas.sample").reshape(run.shape)
    assert np.abs(seen.ravel() - before).max() > 0.1
    coder = coder_of(run, pages.page(run).html, tmp_path)
    np.testing.assert_allclose(seen, coder.decode(code[None])[0], atol=1e-4)


def _in_order(run: runs.Run) -> list[str]:
    """What dimensions stand for, most informative first."""
    known = meanings.meanings(run)
    order = np.argsort(-np.array(run.card.codes.kl), kind="stable")
    return [known[d] for d in order]


def test_a_surprise_is_another_cat_whose_link_leads_back(visited: Callable[..., Page]) -> None:
    page = visited("cats/index.html")
    canvas = page.get_by_test_id("generated")
    expect(canvas).to_be_visible()
    first = canvas.evaluate("one => one.toDataURL()")
    page.get_by_test_id("surprise").click()
    second = canvas.evaluate("one => one.toDataURL()")
    assert first != second and "#z=" in page.url
    with page.expect_download() as saved:
        page.get_by_test_id("save").click()
    assert saved.value.path().read_bytes().startswith(b"\x89PNG")
    other = visited(f"cats/index.html#{page.url.partition('#')[2]}")
    expect(other.get_by_test_id("generated")).to_be_visible()
    kept, again = (
        np.array((one.locator("#generator").get_attribute("data-code") or "").split(","), float)
        for one in (page, other)
    )
    np.testing.assert_allclose(again, kept, atol=1e-4)


@pytest.mark.parametrize("disk", [False, True], ids=["hosted", "from a disk"])
def test_previews_decode_under_the_pointer(visited: Callable[..., Page], disk: bool) -> None:
    page = visited("several/index.html", disk)
    assert page.title() == "Three of them" and page.locator("[data-preview]").count() == len(SEVERAL)
    for name in SEVERAL:
        look = page.locator(f'[data-preview="{name}"]')
        look.scroll_into_view_if_needed()
        look.hover(position={"x": 30, "y": 30})
        look.hover(position={"x": 40, "y": 40})
        expect(look.get_by_test_id("preview")).to_be_visible()
        run = runs.open_run(runs.folder_of(name))
        code = np.array((look.get_attribute("data-code") or "").split(","), np.float32)
        seen = numbers(look.get_by_test_id("preview"), "canvas => canvas.sample").reshape(run.shape)
        assert np.abs(seen - run.coder.decode(code[None])[0]).mean() < 0.02
    box = look.bounding_box()
    assert box is not None
    expected = blocks.codes_at(run, np.array([40 / box["width"]]), np.array([1 - 40 / box["height"]]))[0]
    np.testing.assert_allclose(code, expected, atol=0.02 * float(np.ptp(run.codes)))


@pytest.mark.parametrize(
    ("disk", "shape"),
    [(False, PHONE), (True, {"viewport": {"width": 1366, "height": 768}})],
    ids=["hosted, on a phone", "from a disk, on a laptop"],
)
def test_the_page_of_a_run_is_the_explorer(visited: Callable[..., Page], disk: bool, shape: dict[str, object]) -> None:
    page = visited(f"several/{CATS}/index.html", disk, **shape)
    expect(page.locator(f'{EXPLORER}[data-ready="true"]')).to_be_visible(timeout=180_000)
    before = page.locator(EXPLORER).get_attribute("data-code")
    move(page, 0.3, 0.4)
    move(page, 0.35, 0.45)
    assert page.locator(EXPLORER).get_attribute("data-code") != before
    assert page.evaluate("document.documentElement.scrollWidth") <= shape["viewport"]["width"]  # type: ignore[index]
    page.get_by_test_id("layer").select_option("manifold")
    page.wait_for_function("() => performance.getEntriesByName('explorer:layer-manifold').length > 0")
    page.get_by_role("link", name="All runs").click()
    expect(page.locator("[data-preview]")).to_have_count(len(SEVERAL))


def test_a_site_says_what_it_is_to_whoever_links_to_it(hosted: tuple[str, Path]) -> None:
    folder = hosted[1]
    assert (folder / "cats" / ".nojekyll").is_file()
    for file in [*folder.rglob("*.html")]:
        text = file.read_text()
        for part in ("<title>", 'name="description"', 'property="og:image"', "connect-src 'none'"):
            assert part in text, (file, part)
        picture = re.search(r'og:image" content="([^"]+)"', text)
        assert picture and (file.parent / picture[1]).read_bytes().startswith(b"\x89PNG")
        for address in re.findall(r'(?:src|href)="([^"]+)"', text):
            assert not address.startswith(("/", "http")), "any path may lead to the site"
            assert (file.parent / address).is_file(), (file, address)


def test_assets_are_called_by_their_content_and_shared(hosted: tuple[str, Path]) -> None:
    scripts = {path.name for path in (hosted[1] / "several" / "assets").iterdir()}
    assert len([name for name in scripts if name.startswith("explorer-")]) == 1
    assert all(re.fullmatch(r"[a-z0-9-]+-[0-9a-f]{12}\.js", name) for name in scripts)
    one = next(path for path in (hosted[1] / "cats" / "assets").iterdir() if "decoder" in path.name)
    text = one.read_text()
    assert text.startswith(f'hourglass.run("{CATS}", ') and json.loads(text[text.index("{") : text.rindex("}") + 1])


def test_names_of_a_site_are_text(tmp_path: Path) -> None:
    run = runs.open_run(runs.folder_of("digits-variational"))
    hostile = "</script><img src=x onerror=alert(1)>"
    site(tmp_path, [run], hostile)
    assert hostile not in (tmp_path / "index.html").read_text()


def test_signals_and_rows_have_a_picture_too(tmp_path: Path, wave_run: runs.Run, fruit_run: runs.Run) -> None:
    from PIL import Image

    written = site(tmp_path, [wave_run, fruit_run])
    assert len(written) == 3
    for run in (wave_run, fruit_run):
        picture = np.asarray(Image.open(tmp_path / run.id / "preview.png"))
        assert picture.std() > 10
    maps = [*(tmp_path / "assets").glob("*-map-*.js")]
    assert len(maps) == 2
    assert not [path for path in maps if "samples.f32.gz" in path.read_text()], "samples of no stated licence stay"


def test_a_site_of_nothing_is_told(tmp_path: Path) -> None:
    with pytest.raises(Problem, match="No run was named"):
        site(tmp_path, [])


def test_the_shell_writes_a_site(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "models", "site", str(tmp_path / "out"), "digits-variational"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout == f"{tmp_path / 'out' / 'index.html'}\n"


def test_runs_of_one_dataset_stand_side_by_side(visited: Callable[..., Page], hosted: tuple[str, Path]) -> None:
    assert not [*(hosted[1] / "several").glob("compare-*")], "each of these is of another dataset"
    page = visited("beside/compare-digits.html", disk=True, viewport={"width": 390, "height": 844})
    page.wait_for_selector('[data-testid="comparison"][data-ready="true"]')
    expect(page.locator('[data-testid="latent-explorer"][data-ready="true"]')).to_have_count(2)
    expect(page.locator(".hg-cell h3").first).to_contain_text("Single-layer")  # the smaller one
    page.get_by_test_id("random-sample").first.click()
    expect(page.get_by_test_id("compared-sample")).to_contain_text("The sample itself")
    page.get_by_role("link", name="All runs").click()
    expect(page.get_by_role("link", name="Digits 8x8").last).to_have_attribute("href", "compare-digits.html")

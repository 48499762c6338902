"""A run as one page: what it holds, what it costs, and that it is alive without a server or a network."""

import gzip
import json
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from conftest import ROOT
from numpy.typing import NDArray
from playwright.sync_api import Page, Request, expect
from safetensors.numpy import save_file
from test_explorer_browser import code as shown_code
from test_explorer_browser import drawing, frames, move, numbers

from models import Problem, architectures, blocks, datasets, graphs, onefile, pages, runs, shown
from models.codes import Coder
from models.runs import networks

# The networks of every run that ships are computed as in Python in test_networks.py, and those that tell a dimension for each
# factor, in colour, stand on the pages of test_site.py. These are pages of two and of thirty numbers.
ALIVE = ("digits-convolutional", "mnist-modern-30", "fashion-mnist-variational", "shapes-modern-convolutional-2")
EXPLORER = '[data-testid="latent-explorer"]'
SAMPLE = 'canvas[data-testid="decoded-sample"]'


def block(html: bytes, name: str) -> bytes:
    """A block of a page, unpacked."""
    found = re.search(f'data-file="{re.escape(name)}">([^<]*)<', html.decode())
    assert found, name
    content = bytes_of(found[1])
    return gzip.decompress(content) if content[:2] == b"\x1f\x8b" else content


def bytes_of(text: str) -> bytes:
    """What the browser's letters.ts reads, digit by digit as one large number."""
    values = [ord(letter) - 35 for letter in text.replace("!", "<").replace("~", "\\")]
    bits = "".join(f"{low + 91 * high:013b}"[::-1] for low, high in zip(values[::2], values[1::2], strict=False))
    if len(values) % 2:
        bits += f"{values[-1]:06b}"[::-1]
    return int("0" + bits[: len(bits) // 8 * 8][::-1], 2).to_bytes(len(bits) // 8, "little")


@pytest.mark.parametrize("content", [bytes(range(256)), *(bytes([255] * count) for count in range(14)), b"\0\0"])
def test_bytes_travel_as_text_that_a_script_may_hold(content: bytes) -> None:
    text = onefile.as_text(content)
    assert bytes_of(text) == content and len(text) <= 8 * len(content) / 6.5 + 1
    assert not set(text) & set('<\\"') and text.isascii()


def has(html: bytes, name: str) -> bool:
    return f'data-file="{name}"'.encode() in html


def coder_of(run: runs.Run, html: bytes, folder: Path) -> Coder:
    """The run's networks with the weights that the page holds, in Python."""
    weights: dict[str, NDArray[np.float32]] = {}
    for part in networks.PARTS:
        weights |= blocks._widened(block(html, f"{part}.safetensors"))
    save_file(weights, folder / "weights.safetensors")
    blueprint = architectures.get(run.configuration.architecture).blueprint(run.kind, run.shape, run.code_size)
    for name, graph in graphs.graphs(blueprint, folder / "weights.safetensors").items():
        (folder / name).write_bytes(graph)
    return Coder(folder)


@pytest.fixture
def opened(window: Callable[..., Page], tmp_path: Path) -> Iterator[Callable[..., Page]]:
    """Opens a page from the disk in a browser without a network; the test fails when the page asks for anything."""
    asked: list[str] = []

    def note(request: Request) -> None:
        if not request.url.startswith(("file:", "blob:", "data:")):
            asked.append(request.url)

    def opened(html: bytes, fragment: str = "", **properties: object) -> Page:
        file = tmp_path / "a page.html"
        file.write_bytes(html)
        page = window(offline=True, **properties)
        page.on("request", note)
        page.goto(file.as_uri() + (f"#{fragment}" if fragment else ""))
        expect(page.locator(f'{EXPLORER}[data-ready="true"]')).to_be_visible(timeout=180_000)
        return page

    yield opened
    assert not asked


@pytest.mark.own_window
@pytest.mark.parametrize("name", ALIVE)
def test_the_page_of_a_run_is_alive_without_a_network(name: str, opened: Callable[..., Page], tmp_path: Path) -> None:
    run = runs.open_run(runs.folder_of(name))
    made = pages.page(run)
    coder = coder_of(run, made.html, tmp_path)
    said: list[str] = []
    page = opened(made.html)
    page.on("console", lambda message: said.append(message.text))
    before = page.locator(EXPLORER).get_attribute("data-code")
    move(page, 0.3, 0.4)
    move(page, 0.35, 0.45)
    assert page.locator(EXPLORER).get_attribute("data-code") != before
    slider = page.get_by_test_id("code-slider").first
    slider.focus()
    page.keyboard.press("End")
    frames(page)
    shown = np.array((page.locator(EXPLORER).get_attribute("data-code") or "").split(","), np.float32)
    seen = numbers(page.locator(SAMPLE), "canvas => canvas.sample").reshape(run.shape)
    np.testing.assert_allclose(seen, coder.decode(shown[None])[0], atol=1e-4)  # data-code has five digits

    given = drawing(page, run)
    code = np.array((page.locator(EXPLORER).get_attribute("data-code") or "").split(","), np.float32)
    np.testing.assert_allclose(code, coder.encode(given)[0], rtol=1e-4, atol=1e-3)

    page.get_by_test_id("tool-replay").click()
    expect(page.get_by_test_id("replay-message")).to_contain_text("samples after each epoch")
    page.get_by_test_id("tool-explore").click()
    page.get_by_test_id("layer").select_option("manifold")
    page.wait_for_function("() => performance.getEntriesByName('explorer:layer-manifold').length > 0")
    assert not [text for text in said if "GPU stall" not in text]


def test_what_is_shown_stands_in_the_address_and_comes_back(opened: Callable[..., Page]) -> None:
    run = runs.open_run(runs.folder_of("digits-variational"))
    html = pages.page(run).html
    page = opened(html)
    page.get_by_test_id("colour").select_option("error")
    move(page, 0.6, 0.4)
    page.mouse.down()
    page.mouse.up()
    page.wait_for_function("() => location.hash.includes('colour=error') && location.hash.includes('z=')")
    kept, code = page.evaluate("location.hash.slice(1)"), page.locator(EXPLORER).get_attribute("data-code") or ""
    other = opened(html, kept)
    assert other.get_by_test_id("colour").input_value() == "error"
    again = other.locator(EXPLORER).get_attribute("data-code") or ""
    np.testing.assert_allclose(*(np.array(one.split(","), float) for one in (code, again)), atol=1e-4)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_phone_shows_it_without_scrolling_sideways(opened: Callable[..., Page], scheme: str) -> None:
    run = runs.open_run(runs.folder_of("digits-variational"))
    phone = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True, "color_scheme": scheme}
    page = opened(pages.page(run).html, **phone)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    paper = page.locator(EXPLORER).evaluate("one => getComputedStyle(one).backgroundColor")
    assert (paper == "rgb(255, 255, 255)") == (scheme == "light")


@pytest.mark.own_window
def test_names_are_data_and_the_policy_lets_nothing_out(
    opened: Callable[..., Page], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A class that would end a script, a title that would be an image, a source that would be a link."""
    shipped = runs.open_run(runs.folder_of("digits-variational"))
    hostile = "</script><img src=x onerror=\"document.body.dataset.owned='yes'\">"
    folder = Path(shutil.copytree(shipped.folder, tmp_path / "hostile"))
    stored = json.loads((folder / "run.json").read_text())
    stored["dataset"] |= {"classes": [hostile, *stored["dataset"]["classes"][1:]], "title": hostile, "source": hostile}
    (folder / "run.json").write_text(json.dumps(stored))
    html = pages.page(runs.open_run(folder)).html
    assert hostile.encode() not in html
    page = opened(html)
    assert page.locator("img").count() == 0 and page.evaluate("document.body.dataset.owned ?? ''") == ""
    expect(page.get_by_test_id("legend")).to_contain_text(hostile)
    assert page.evaluate("fetch('https://example.org').then(() => 'let out', () => 'held back')") == "held back"


def test_samples_travel_only_where_they_may(monkeypatch: pytest.MonkeyPatch, wave_run: runs.Run) -> None:
    digits, mnist = (runs.open_run(runs.folder_of(name)) for name in ("digits-variational", "mnist-variational"))
    assert blocks.travels(digits) and not blocks.travels(mnist), "nobody states a licence for MNIST"
    made = pages.page(digits)
    assert made.samples == digits.card.dataset.count and has(made.html, "thumbnails.webp")
    assert b"CC BY 4.0" in made.html, "with their attribution"
    without = pages.page(digits, samples=False)
    assert without.samples == 0 and not has(without.html, "thumbnails.webp")
    assert json.loads(block(without.html, "run.json"))["thumbnails"] is None
    monkeypatch.setattr(blocks.uploads, "own", lambda _name: True)
    assert not blocks.travels(digits), "what somebody brought stays, whatever it is called"
    assert not pages.page(digits).samples
    assert not has(pages.page(wave_run).html, "samples.f32.gz")


@pytest.mark.parametrize("name", ["wave_run", "fruit_run"])
def test_signals_and_rows_travel_when_somebody_says_so(
    name: str, opened: Callable[..., Page], request: pytest.FixtureRequest
) -> None:
    run = request.getfixturevalue(name)
    page = opened(pages.page(run, samples=False).html)
    expect(page.get_by_text("decoded, originals not at hand")).to_be_visible()
    made = pages.page(run, samples=True)
    assert made.samples == min(run.count, blocks.TILES)
    values = np.frombuffer(block(made.html, "samples.f32.gz"), "<f4").reshape(-1, *run.shape)
    expected = datasets.originals_at(run.dataset, run.rows[blocks._chosen(run)[: blocks.TILES]].astype(np.int64))
    np.testing.assert_array_equal(values, expected.astype(np.float32))
    page = opened(made.html)
    move(page, 0.4, 0.5)
    expect(page.get_by_test_id("behind")).to_contain_text("nearest sample")


@pytest.mark.own_window
def test_classes_have_the_colours_of_the_app_and_the_page_opens_at_a_clear_sample(opened: Callable[..., Page]) -> None:
    run = runs.open_run(runs.folder_of("digits-variational"))
    page = opened(pages.page(run).html)
    tone = shown.palette(run)[1].lstrip("#")
    expected = f"rgb({' '.join(str(int(tone[i : i + 2], 16)) for i in (0, 2, 4))})"
    entry = page.get_by_test_id("legend").get_by_role("button", name="1", exact=True)
    assert entry.evaluate("one => one.style.getPropertyValue('--class')") == expected
    np.testing.assert_allclose(shown_code(page), shown.crisp(run), rtol=1e-3, atol=1e-4)
    expect(page.get_by_test_id("let-go")).to_be_hidden()


@pytest.mark.own_window
def test_what_the_decoder_draws_in_place_of_an_original_is_marked(
    opened: Callable[..., Page], monkeypatch: pytest.MonkeyPatch
) -> None:
    """1,000 originals are on the page; at a sample that has none, and lies alone, both are told."""
    monkeypatch.setattr(blocks, "MANY_TILES", blocks.TILES)
    run = runs.open_run(runs.folder_of("digits-variational"))
    order = blocks._chosen(run)
    codes, limit = run.codes[order], run.card.codes.nearest_p99
    apart = np.sort(np.linalg.norm(codes[:, None] - codes[None], axis=-1), 1)[:, 1]
    (lonely,) = np.flatnonzero((apart > 1.1 * limit) & (np.arange(len(codes)) >= blocks.TILES))[:1]
    near = np.argsort(np.linalg.norm(codes - codes[lonely], axis=-1))[:3]
    page = opened(pages.page(run, view={"z": ",".join(f"{value:.9g}" for value in codes[lonely])}).html)
    page.get_by_test_id("this-sample").click()
    expect(page.get_by_test_id("distance")).to_have_text("On a single real sample, far from others")
    marked = page.get_by_test_id("neighbours").locator("button:visible canvas")
    framed = [bool(index >= blocks.TILES) for index in near]
    for i, expected in enumerate(framed):
        assert framed[0]
        if expected:
            expect(marked.nth(i)).to_have_class(re.compile("hg-stand-in"))
        else:
            expect(marked.nth(i)).not_to_have_class(re.compile("hg-stand-in"))
    expect(page.get_by_text("framed: decoded")).to_be_visible()


def test_the_first_codes_have_their_originals(tmp_path: Path) -> None:
    """Each tile lies where the page looks for it, and shows the sample of that code."""
    from PIL import Image

    run = runs.open_run(runs.folder_of("digits-variational"))
    html = pages.page(run).html
    facts, order = json.loads(block(html, "page.json")), blocks._chosen(run)
    (tmp_path / "tiles.webp").write_bytes(block(html, "thumbnails.webp"))
    sheet = np.asarray(Image.open(tmp_path / "tiles.webp").convert("L"))
    height, width, _ = facts["tiles"]["shape"]
    originals = datasets.samples_at(run.dataset, run.rows[order[:40]].astype(np.int64))
    for k, original in enumerate(originals):
        y, x = (k // facts["tiles"]["columns"]) * height, (k % facts["tiles"]["columns"]) * width
        assert np.abs(sheet[y : y + height, x : x + width].astype(int) - original[..., 0]).mean() < 8


@pytest.mark.parametrize("bits", blocks.BITS)
def test_fewer_bits_cost_little_and_what_they_cost_is_told(bits: int, tmp_path: Path) -> None:
    """Measured again here: the error of the page's decoder on the test samples that the page was measured by."""
    run = runs.open_run(runs.folder_of("digits-variational"))
    made = pages.page(run, bits=bits)
    test = np.flatnonzero(run.splits == datasets.TEST)[: blocks.MEASURED]
    samples = datasets.samples_at(run.dataset, run.rows[test].astype(np.int64)) / np.float32(255)
    before, after = (
        np.square(samples - coder.decode(run.codes[test])).mean()
        for coder in (run.coder, coder_of(run, made.html, tmp_path))
    )
    assert made.bits == bits and made.lost == pytest.approx(after / before - 1, abs=1e-4)
    assert abs(made.lost) < {16: 1e-6, 8: 0.01, 6: 0.05, 5: 0.05}[bits]
    assert f"{bits} bits each; this changes the test error by {made.lost:+.2%}".encode() in made.html


def test_the_page_of_a_small_run_is_small() -> None:
    """Script, networks, codes, all 1,797 originals, a replay, what trains them again, and what films them."""
    assert len(pages.page(runs.open_run(runs.folder_of("digits-variational"))).html) <= 315_000


def test_codes_are_within_a_step_of_their_range() -> None:
    run = runs.open_run(runs.folder_of("mnist-variational"))
    html = pages.page(run, encoder=False).html
    facts, order = json.loads(block(html, "page.json")), blocks._chosen(run)
    assert len(order) == blocks.CODES == len(set(order.tolist()))
    low, high = (np.array(facts["stepped"]["codes.f32"][end]) for end in ("low", "high"))
    steps = np.frombuffer(block(html, "codes.f32"), "<u2").reshape(run.code_size, -1).T
    np.testing.assert_allclose(
        low + (high - low) * steps / 65535, run.codes[order], atol=float((high - low).max()) / 65535
    )
    assert not has(html, "encoder.safetensors")


def test_sizes_are_what_a_mail_takes() -> None:
    """Bytes, with everything that may travel."""
    most = {"digits-variational": 315_000, "mnist-wide": 1_600_000, "cats-convolutional-variational": 2_500_000}
    for name, bytes_ in most.items():
        run = runs.open_run(runs.folder_of(name))
        assert len(pages.page(run).html) <= bytes_, name
    assert len(pages.page(runs.open_run(runs.folder_of("mnist-wide")), encoder=False).html) <= 900_000
    small = pages.page(runs.open_run(runs.folder_of("mnist-narrow")), samples=True)
    assert len(small.html) <= 900_000


def test_a_run_whose_architecture_had_other_layers_says_so(copied: Callable[[runs.Run], Path]) -> None:
    """As a recurrent network trained before long samples were read several steps at once; it still opens."""
    folder = copied(runs.open_run(runs.folder_of("digits-multi-layer")))
    stored = json.loads((folder / "run.json").read_text())
    stored["configuration"]["architecture"] = "gru"
    (folder / "run.json").write_text(json.dumps(stored))
    run = runs.open_run(folder)
    assert run.coder.decode(run.codes[:2]).shape == (2, 8, 8, 1)
    with pytest.raises(Problem, match="not those of the architecture “gru”"):
        pages.page(run)


def test_wrong_bits_are_told() -> None:
    with pytest.raises(Problem, match="16, 8, 6, 5 are possible"):
        pages.page(runs.open_run(runs.folder_of("digits-variational")), bits=7)


def test_the_shell_prints_the_path_of_the_page(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "models", "export", "digits-variational", "--what", "page"]
    out = tmp_path / "digits.html"
    done = subprocess.run([*command, "--out", str(out)], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout == f"{out}\n" and out.read_bytes().startswith(b"<!doctype html>")
    told = subprocess.run([*command, "--json", "--out", str(out)], cwd=ROOT, capture_output=True, text=True, check=True)
    assert json.loads(told.stdout)["samples"] == datasets.get("digits").count, "all of such small ones"


def test_several_runs_on_a_page_have_the_same_samples_and_all_that_their_replays_show(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(blocks, "CODES", 1_400)
    compared = [runs.open_run(runs.folder_of(f"digits-{name}")) for name in ("single-layer", "multi-layer")]
    places = blocks.alike(compared)
    rows = [run.rows[at] for run, at in zip(compared, places, strict=True)]
    assert len(rows[0]) == 1_400 == len(set(rows[0].tolist())) and (rows[0] == rows[1]).all()
    for run, at in zip(compared, places, strict=True):
        replayed = np.fromfile(run.folder / "replay" / "index.i32", "<i4")[: blocks.REPLAYED]
        assert set(replayed.tolist()) <= set(at.tolist())

"""Films: the shell's and the browser's show the same codes, and each frame what the decoder makes of its code."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Page, expect
from test_explorer_browser import bench, move  # noqa: F401 - a fixture
from test_run_pages import EXPLORER, coder_of, opened  # noqa: F401 - a fixture
from test_shell import say  # noqa: F401 - a fixture

from models import films, pages, runs
from models.films import choreography as plan

FILM = """canvas => {
    const {codes, between, hundredths} = canvas.film;
    return {codes: codes.map((code) => [...code]), between, hundredths};
}"""


def run_of(name: str) -> runs.Run:
    return runs.open_run(runs.folder_of(name))


def told(run: runs.Run, what: str, **choices: Any) -> films.Film:
    return films.Film(run, films.Choices(what, **choices))


def shown(content: bytes) -> tuple[Image.Image, list[Image.Image], list[int]]:
    """A file, its frames as they are seen, and how long each is shown."""
    picture = Image.open(io.BytesIO(content))
    frames, times = [], []
    for k in range(picture.n_frames):
        picture.seek(k)
        frames.append(picture.convert("RGB"))
        times.append(picture.info["duration"])
    return picture, frames, times


def decoded(frame: Image.Image, run: runs.Run, width: int) -> np.ndarray:
    """The pixels of the sample that a frame shows in its left `width` pixels: the middle of each square."""
    high, wide, channels = run.shape
    scale = min(width // wide, frame.height // high)
    left, top = (width - wide * scale) // 2, (frame.height - high * scale) // 2
    pixels = np.asarray(frame, np.float32)[top + scale // 2 :: scale, left + scale // 2 :: scale][:high, :wide]
    return pixels[..., :channels]


@pytest.mark.parametrize("name", ["digits-variational", "mnist-modern-30", "tones-denoising"])
def test_shell_and_browser_show_the_same_codes(name: str, bench: Callable[..., Page]) -> None:  # noqa: F811
    run = run_of(name)
    plane = f"z{run.code_size},z1" if run.code_size > 2 else ""
    base = 7
    page = bench(run, {"code": run.codes[base].tolist(), "plane": plane})
    page.get_by_test_id("film-open").click()
    for loop in (True, False):
        page.get_by_test_id("film-loop").set_checked(loop)
        for what in films.WHAT:
            if what == "replay" and not run.card.replay.count:  # sounds keep none
                expect(page.get_by_test_id("film-what").locator("option")).to_have_count(3)
                continue
            chosen(page, what=what)
            usual = float(page.get_by_test_id("film-seconds").input_value())
            samples = () if what == "path" else (base,)
            film = told(run, what, samples=samples, plane=plane, loop=loop)
            expect(page.get_by_test_id("film-message")).to_contain_text(f" {film.count} frames of ")
            assert film.chosen.seconds == usual
            seen = page.get_by_test_id("film").locator("canvas").evaluate(FILM)
            assert seen["hundredths"] == film.hundredths and len(seen["codes"]) == len(film.codes)
            np.testing.assert_allclose(seen["between"], film.between)
            if what != "replay":
                assert np.ptp(film.codes, 0).max() > 0.1, f"{what} stands still"
                np.testing.assert_allclose(seen["codes"], film.codes, atol=2e-4, err_msg=what)


def test_a_loop_ends_where_it_begins_and_each_dimension_goes_from_end_to_end() -> None:
    run = run_of("digits-variational")
    for what in ("path", "dimensions", "walk"):
        loop, once = told(run, what, seconds=8), told(run, what, seconds=8, loop=False)
        steps = np.sqrt(np.square(np.diff(np.vstack([loop.codes, loop.codes[:1]]), axis=0)).sum(1))
        assert steps.max() < 4 * np.median(steps), f"{what} jumps"
        if what != "path":
            np.testing.assert_allclose(once.codes[-1], once.codes[0], atol=1e-5)
    film = told(run, "dimensions", seconds=20)
    for d in film.order:
        facts = run.card.codes
        span = facts.high[d] - facts.low[d]
        assert film.codes[:, d].min() == pytest.approx(facts.low[d], abs=span / 20)
        assert film.codes[:, d].max() == pytest.approx(facts.high[d], abs=span / 20)


@pytest.mark.parametrize("format", films.FORMATS)
def test_a_file_has_the_frames_that_it_should(format: str) -> None:
    run = run_of("mnist-modern-30")
    film = told(run, "path", seconds=2, rate=12, size=240, samples=(3, 17, 250))
    content = films.written(film, format)
    picture, frames, times = shown(content)
    assert picture.format == format.upper() and picture.size == film.size == (480, 240)
    assert len(frames) == film.count == 24 and sum(times) == 2000 and picture.info["loop"] == 0
    assert len(content) < 300_000
    for k in (0, 9, 23):
        expected = 255 * np.clip(run.coder.decode(film.codes[k : k + 1])[0], 0, 1)
        seen = decoded(frames[k], run, film.left)
        assert np.abs(seen - expected).max() <= (6 if format == "gif" else 1), k
        assert expected.max() > 200
    once = told(run, "path", seconds=2, rate=12, size=240, loop=False)
    assert shown(films.written(once, format))[0].info.get("loop", 1) == 1


def test_the_replay_ends_where_the_codes_are_and_rests_there() -> None:
    run = run_of("digits-variational")
    film = told(run, "replay", seconds=2)
    picture, frames, times = shown(films.written(film, "gif"))
    assert picture.size == (320, 320) and sum(times) == 3000 and times[-1] > 1000
    assert len(frames) == film.count == 30
    coloured = [(np.ptp(np.asarray(frame, int), axis=-1) > 60).sum(0).nonzero()[0] for frame in frames]
    assert np.ptp(coloured[-1]) > 1.5 * np.ptp(coloured[0]), "it spreads"


def test_signals_and_rows_are_filmed_as_they_are_drawn(fruit_run: runs.Run) -> None:
    for run in (run_of("tones-denoising"), fruit_run):
        film = told(run, "dimensions", seconds=1, alone=True, size=160)
        frames = shown(films.written(film, "gif"))[1]
        assert film.size == (254, 160) and len(frames) > 5
        assert (np.asarray(frames[3], int).sum(-1) < 200).sum() > 100, "ink"
        assert np.abs(np.asarray(frames[0], int) - np.asarray(frames[8], int)).max() > 100, "it moves"


def test_the_shell_writes_a_film_and_tells_of_it(say: Any, tmp_path: Path) -> None:  # noqa: F811
    out = tmp_path / "a film.webp"
    arguments = ("film", "digits-variational", "--what", "walk", "--seconds", "1", "--size", "120", "--out", str(out))
    code, facts, _ = say(*arguments, "--json")
    assert code == 0
    assert facts == {"file": str(out), "bytes": out.stat().st_size, "frames": 15, "seconds": 1.0, "size": [240, 120]}
    assert Image.open(out).format == "WEBP"
    code, words, told_ = say(*arguments, "--once", "--fps", "10")
    assert code == 0 and "10 frames of 240 x 120, 1 s" in words and "100%" in told_


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("no-such-run",), "no-such-run"),
        (("tones-denoising", "--what", "replay"), "The run tones-denoising keeps no codes of its training."),
        (("digits-variational", "--size", "4"), "A height of 4 pixels was asked for; 96 to 1,024 are possible."),
        (("digits-variational", "--seconds", "nan"), "0.5 to 60 are possible"),
        (("digits-variational", "--seconds", "900"), "A film of 900 seconds was asked for; 0.5 to 60 are possible."),
        (("digits-variational", "--fps", "0"), "A speed of 0 frames a second was asked for; 1 to 50 are possible."),
        (("digits-variational", "--seconds", "0.5", "--fps", "1"), "A film of 1 frames was asked for; 2 to 1,500"),
        (("digits-variational", "--seconds", "60", "--fps", "25", "--size", "720"), "make it smaller"),
        (("digits-variational", "--samples", "1,99999"), "has no sample 99,999; it has samples 1 to 1,797"),
        (("digits-variational", "--samples", "5"), "a path needs two samples"),
        (("digits-variational", "--plane", "pca"), "its planes are two dimensions, like z1,z2"),
        (("digits-variational", "--plane", "z1,z9"), "its dimensions are z1 to z2"),
        (("digits-variational", "--out", "film.mp4"), "gif and webp are possible"),
    ],
)
def test_the_shell_says_in_a_sentence_why_there_is_no_film(
    say: Any,  # noqa: F811
    arguments: tuple[str, ...],
    sentence: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    code, out, error = say("film", *arguments)
    assert code == 1 and sentence.lower() in error.lower() and not out and not list(tmp_path.iterdir())
    code, out, _ = say("film", *arguments, "--json")
    assert code == 1 and set(out["error"]) == {"came", "expected", "do"}


# ── in the browser ──────────────────────────────────────────────────────────


def chosen(page: Page, **choices: str) -> None:
    for name, value in choices.items():
        one = page.get_by_test_id(f"film-{name}")
        one.fill(value) if name == "seconds" else one.select_option(value)
    expect(page.get_by_test_id("film-save")).to_be_enabled()


def saved(page: Page) -> tuple[str, bytes]:
    with page.expect_download() as download:
        page.get_by_test_id("film-save").click()
    return download.value.suggested_filename, Path(download.value.path()).read_bytes()


def shown_code(page: Page) -> np.ndarray:
    return np.array((page.locator(EXPLORER).get_attribute("data-code") or "").split(","), np.float32)


@pytest.mark.own_window
def test_the_page_from_a_disk_makes_a_gif(opened: Callable[..., Page], tmp_path: Path) -> None:  # noqa: F811
    run = run_of("mnist-modern-30")
    html = pages.page(run).html
    coder = coder_of(run, html, tmp_path)
    page = opened(html, reduced_motion="reduce")
    base = shown_code(page)
    page.get_by_test_id("film-open").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_test_id("film-what")).to_be_focused()
    assert page.get_by_test_id("film-play").get_attribute("aria-label") == "Play", "nothing moves by itself"
    chosen(page, what="dimensions", seconds="4", rate="10", size="240", format="gif")
    page.get_by_test_id("film-loop").uncheck()
    expect(page.get_by_test_id("film-message")).to_contain_text("40 frames of 480 × 240")
    name, content = saved(page)
    expect(page.get_by_test_id("film-message")).to_contain_text("Saved as mnist-dimensions.gif: 40 frames")
    picture, frames, times = shown(content)
    assert name == "mnist-dimensions.gif" and picture.format == "GIF" and "loop" not in picture.info
    assert len(frames) == 40 and picture.size == (480, 240) and sum(times) == 4000 and len(content) < 500_000
    order = plan.dimensions_of(run.card.codes)
    codes = plan.dimensions(base, run.card.codes, order, 40, loop=False)
    for k in (0, 2, 21, 39):
        expected = 255 * np.clip(coder.decode(codes[k : k + 1])[0], 0, 1)
        assert np.abs(decoded(frames[k], run, 240) - expected).max() <= 10, k
    page.keyboard.press("Escape")
    expect(page.get_by_test_id("film")).to_be_hidden()
    expect(page.get_by_test_id("film-open")).to_be_focused()


PLAYED = """async (text) => {
    const bytes = Uint8Array.from(atob(text), (one) => one.charCodeAt(0));
    const video = document.createElement("video");
    video.muted = true;
    video.src = URL.createObjectURL(new Blob([bytes], {type: "video/mp4"}));
    await new Promise((done, fail) => { video.onloadeddata = done; video.onerror = () => fail(video.error.message); });
    const at = async (time) => {
        await new Promise((done) => { video.onseeked = done; video.currentTime = time; });
        const canvas = document.createElement("canvas");
        [canvas.width, canvas.height] = [video.videoWidth, video.videoHeight];
        const context = canvas.getContext("2d");
        context.drawImage(video, 0, 0);
        return [...context.getImageData(0, 0, canvas.width, canvas.height).data];
    };
    const seen = [await at(0.05), await at(video.duration - 0.05)];
    return {width: video.videoWidth, height: video.videoHeight, duration: video.duration, seen};
}"""


def test_webp_and_mp4_play_as_they_should(bench: Callable[..., Page]) -> None:  # noqa: F811
    import base64

    run = run_of("digits-variational")
    page = bench(run, {"code": [0.5, -0.25]})
    page.get_by_test_id("film-open").click()
    chosen(page, what="dimensions", seconds="3", rate="10", size="240")
    codes = plan.dimensions(
        np.array([0.5, -0.25], np.float32), run.card.codes, plan.dimensions_of(run.card.codes), 30, loop=True
    )
    offered = page.get_by_test_id("film-format").locator("option")
    expect(offered).to_have_text(["GIF", "WebP", "MP4"])  # what this Chromium makes
    chosen(page, format="webp")
    name, content = saved(page)
    picture, frames, times = shown(content)
    assert name.endswith(".webp") and picture.format == "WEBP" and picture.info["loop"] == 0
    assert len(frames) == 30 and picture.size == (480, 240) and sum(times) == 3000
    for k in (0, 11, 29):
        expected = 255 * np.clip(run.coder.decode(codes[k : k + 1])[0], 0, 1)
        assert np.abs(decoded(frames[k], run, 240) - expected).max() <= 14, k

    chosen(page, format="mp4")
    expect(page.get_by_test_id("film-loop")).to_be_hidden()
    name, content = saved(page)
    assert name.endswith(".mp4") and content[4:8] == b"ftyp"
    played = page.evaluate(PLAYED, base64.b64encode(content).decode())
    assert (played["width"], played["height"]) == (480, 240) and played["duration"] == pytest.approx(3, abs=0.02)
    codes = plan.dimensions(codes[0], run.card.codes, plan.dimensions_of(run.card.codes), 30, loop=False)
    for k, pixels in zip((0, 29), played["seen"], strict=True):
        frame = Image.fromarray(np.array(pixels, np.uint8).reshape(240, 480, 4)[..., :3])
        expected = 255 * np.clip(run.coder.decode(codes[k : k + 1])[0], 0, 1)
        assert np.abs(decoded(frame, run, 240) - expected).mean() <= 8, k


def test_what_a_browser_cannot_make_is_not_offered(bench: Callable[..., Page]) -> None:  # noqa: F811
    run = run_of("digits-variational")
    page = bench(run)
    page.evaluate(
        """() => {
            delete globalThis.VideoEncoder;
            const known = HTMLCanvasElement.prototype.toBlob;
            HTMLCanvasElement.prototype.toBlob = function (take) { known.call(this, take, "image/png"); };
        }"""
    )
    page.get_by_test_id("film-open").click()
    expect(page.get_by_test_id("film-save")).to_be_enabled()
    expect(page.get_by_test_id("film-format").locator("option")).to_have_text(["GIF"])


def test_a_film_is_cancelled_and_the_map_lives_meanwhile(bench: Callable[..., Page]) -> None:  # noqa: F811
    page = bench(run_of("digits-variational"))
    downloads: list[object] = []
    page.on("download", lambda one: downloads.append(one))  # noqa: PLW0108 - a method of a list takes no event
    page.get_by_test_id("film-open").click()
    chosen(page, what="replay", seconds="50", rate="25", size="720", format="gif")
    page.get_by_test_id("film-save").click()
    cancel = page.get_by_test_id("film-cancel")
    expect(cancel).to_be_focused()
    expect(page.get_by_test_id("film-what")).to_be_disabled()
    before = page.locator(EXPLORER).get_attribute("data-code")
    move(page, 0.2, 0.6)
    move(page, 0.3, 0.7)
    assert page.locator(EXPLORER).get_attribute("data-code") != before
    assert page.get_by_test_id("film").get_attribute("data-state") == "making"
    cancel.press("Enter")
    expect(page.get_by_test_id("film-message")).to_have_text("Cancelled: nothing was saved.")
    expect(page.get_by_test_id("film-save")).to_be_focused()
    chosen(page, what="walk", seconds="1", size="160")
    assert len(shown(saved(page)[1])[1]) == 25 and len(downloads) == 1


def test_the_stops_of_the_path_are_filmed(bench: Callable[..., Page]) -> None:  # noqa: F811
    page = bench(run_of("digits-variational"), {"tool": "path"})
    page.get_by_test_id("film-open").click()
    expect(page.get_by_test_id("film-message")).to_contain_text("Between real samples: 0, 2, 4, 6, 8.")
    for x, y in ((0.2, 0.3), (0.4, 0.6), (0.3, 0.8)):
        move(page, x, y)
        page.mouse.down()
        page.mouse.up()
    expect(page.get_by_test_id("film-message")).to_contain_text("Through the stops of Path: A, B, C.")
    assert page.get_by_test_id("film-seconds").input_value() == "4.5"


@pytest.mark.own_window
def test_a_table_is_filmed_too(opened: Callable[..., Page], fruit_run: runs.Run) -> None:  # noqa: F811
    page = opened(pages.page(fruit_run).html)
    page.get_by_test_id("film-open").click()
    chosen(page, what="walk", seconds="1", rate="10", size="160", format="gif")
    page.get_by_test_id("film-alone").check()
    expect(page.get_by_test_id("film-message")).to_contain_text("10 frames of 254 × 160")
    frames = shown(saved(page)[1])[1]
    assert len(frames) == 10 and frames[0].size == (254, 160)
    assert (np.asarray(frames[3], int).sum(-1) < 300).sum() > 100
    assert page.get_by_test_id("film").get_attribute("data-state") == "saved"

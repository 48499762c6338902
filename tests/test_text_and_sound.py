"""A page of text and a sound: drawn, spoilt, cut into windows, cleaned, joined, read and heard."""

import io
import os
import stat
from pathlib import Path

import numpy as np
import pytest
from hostile import hum, wav
from streamlit.testing.v1 import AppTest

from models import Problem, datasets, noise, readers, runs, stains, typeset
from models.analysis import ocr, windows
from models.datasets import text, tones
from models.labs import _page as pages
from models.labs import _sound as sounds
from models.readers import sound as reader
from models.shell import main

STRONG = pages.Strengths(0.9, 0.9, 0.6)


@pytest.fixture(scope="module")
def cleaner() -> runs.Run:
    return runs.open_run(runs.folder_of("text-denoising"))


@pytest.fixture(scope="module")
def hearer() -> runs.Run:
    return runs.open_run(runs.folder_of("tones-denoising"))


# Windows


@pytest.mark.parametrize(
    ("shape", "sizes", "steps"),
    [((1000,), (256,), (64,)), ((100,), (256,), (128,)), ((61, 50), (24, 24), (12, 12)), ((24, 90), (24, 24), (24, 7))],
)
def test_what_is_cut_and_not_changed_is_joined_as_it_was(
    shape: tuple[int, ...], sizes: tuple[int, ...], steps: tuple[int, ...]
) -> None:
    values = np.random.default_rng(0).normal(size=shape).astype(np.float32)
    parts = windows.cut(values, sizes, steps)
    assert parts.shape[1:] == sizes
    np.testing.assert_allclose(windows.join(parts, shape, steps), values, atol=1e-6)


def test_a_hann_window_at_half_its_length_sums_to_one() -> None:
    window = windows.hann(256)
    np.testing.assert_allclose(window[:128] + window[128:], 1, atol=1e-6)
    assert window.min() > 0  # or the outermost steps of a sound would be divided by nothing


def test_windows_begin_where_they_fit_and_reach_the_end() -> None:
    assert windows.places(10, 4, 3).tolist() == [0, 3, 6] and windows.places(11, 4, 3).tolist() == [0, 3, 6, 7]
    assert windows.places(4, 4, 2).tolist() == [0]


# Writing


def test_a_page_has_the_words_that_it_was_given() -> None:
    page = typeset.page("one two\n\nthree")
    assert page.lines == ("one two", "", "three") and (page.left, page.size, page.replaced) == (0, 20, ())
    assert page.image.shape == (800, 600) and page.image.max() == 255 and page.image.min() < 60
    assert typeset.page(" \n ").lines == () and typeset.page("").image.min() == 255


def test_long_texts_are_written_smaller_and_then_cut() -> None:
    assert typeset.page("word " * 280).size == 18
    page = typeset.page("word " * 2000)
    assert page.size == 16 and page.left == 2000 - sum(len(line.split()) for line in page.lines) > 0
    broken = typeset.page("x" * 300)
    assert len(broken.lines) > 1 and "".join(broken.lines) == "x" * 300 and broken.left == 0


def test_what_the_font_has_not_is_written_otherwise_and_told() -> None:
    assert typeset.printable("Ärger\u2014\u201cok\u201d") == ('Arger-"ok"', ("Ä",))
    assert typeset.page("漢\u200bß\x07").replaced == ("ß", "漢")  # what is not seen is not missed


# Paper


def test_stains_darken_folds_wear_and_blur_softens() -> None:
    page = np.full((200, 160), 0.8, np.float32)
    stained = stains.spoil(page, 1, 0, 0, 3)
    assert stained.min() < 0.4 and np.median(stained) < 0.85 and stained.max() <= 1
    ink = np.zeros((200, 160), np.float32)
    assert stains.spoil(ink, 0, 1, 0, 3).max() > 0.3  # the ink is worn off along a line
    lines = np.tile(np.repeat([0.0, 1.0], 4), (200, 20)).astype(np.float32)
    assert np.abs(np.diff(stains.blurred(lines[None], np.array([[[1.8]]], np.float32))[0])).max() < 0.35
    np.testing.assert_array_equal(stains.spoil(page, 0, 0, 0, 3), page)


def test_the_noise_stains_is_of_its_seed_and_level() -> None:
    assert "stains" in runs.noises("image") and "stains" not in runs.noises("signal")
    images = datasets.samples_at(datasets.get("text"), np.arange(40)).astype(np.float32) / 255
    little, much, again, other = (
        noise.corrupt(images, "stains", *one) for one in ((0.2, 1), (1.0, 1), (1.0, 1), (1.0, 2))
    )
    np.testing.assert_array_equal(much, again)
    assert not np.array_equal(much, other) and much.dtype == np.float32 and 0 <= much.min() <= much.max() <= 1
    assert np.square(little - images).mean() < np.square(much - images).mean() / 4
    colour = np.random.default_rng(0).random((3, 20, 30, 3), np.float32)
    assert noise.corrupt(colour, "stains", 0.5, 0).shape == colour.shape


def test_pieces_of_text_do_not_depend_on_which_are_asked_for() -> None:
    some = text.draw(np.array([5, 11_999, 5]))
    np.testing.assert_array_equal(some[0], some[2])
    np.testing.assert_array_equal(some[1:2], text.draw(np.array([11_999])))
    many = text.draw(np.arange(300))
    assert 0.02 < np.mean(many < 128) < 0.3 and np.mean((many == 255).all((1, 2, 3))) < 0.1


# Cleaning a page


def test_a_run_cleans_a_page_better_than_the_plain_filters_where_it_is_badly_spoilt(cleaner: runs.Run) -> None:
    """By PSNR, on a page that neither the run nor the filters' settings have seen. What it gets worse is told by the verdict."""
    found = pages.cleaned(cleaner, pages.TEXT[:400], STRONG, 5)
    assert [version.name for version in found.versions] == ["clean", "spoilt", "run", "divided", "sauvola"]
    psnr = {version.name: version.psnr or 0.0 for version in found.versions}
    assert psnr["run"] > max(psnr["divided"], psnr["sauvola"]) + 2 > psnr["spoilt"] + 4
    assert "the run wins" in pages.verdict(found, None)


def test_a_plain_filter_wins_where_there_is_little_to_clean(cleaner: runs.Run) -> None:
    found = pages.cleaned(cleaner, pages.TEXT[:400], pages.Strengths(0.3, 0.3, 0.1), 5)
    assert "the plain way wins" in pages.verdict(found, None)


def test_filters_are_set_on_a_page_that_is_not_the_measured_one(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[int] = []
    usual = stains.spoil

    def watched(image: np.ndarray, *strengths: float) -> np.ndarray:
        seen.append(int(strengths[-1]))
        return usual(image, *strengths)

    monkeypatch.setattr(stains, "spoil", watched)
    pages.set_filters.cache_clear()
    divided, sauvola = pages.set_filters(pages.Strengths(0.2, 0.2, 0.2))
    assert seen == [pages.OTHER[0]] and seen[0] > 1000  # pages that are shown count from 1, and not so far
    assert divided.words and sauvola.words


def test_the_verdict_can_lose_and_takes_the_best_plain_way() -> None:
    white = np.ones((4, 4), np.float32)
    found = pages.Cleaned(
        typeset.page(""),
        tuple(pages.Version(name, name, "", white, 10.0) for name in ("spoilt", "run", "divided", "sauvola")),
    )
    errors = {"spoilt": 0.5, "run": 0.2, "divided": 0.1, "sauvola": 0.3}
    assert pages.verdict(found, errors) == (
        "Of 100 letters Tesseract misreads 50.0 on the spoilt page, 20.0 after this run, 10.0 after dividing by the paper, "
        "the best of the plain ways: the plain way wins."
    )
    assert pages.verdict(found, errors | {"run": 0.05}).endswith("the run wins.")
    assert pages.verdict(found, errors | {"spoilt": 0.0}).endswith(
        "0.0 as it is, the best of the plain ways: the plain way wins."
    )
    assert pages.verdict(found, None).endswith("they are equal.")


def test_runs_that_cannot_clean_a_page_or_a_sound_are_told_why(cleaner: runs.Run, hearer: runs.Run) -> None:
    digits = runs.open_run(runs.folder_of("digits-modern-8"))
    assert pages.fits(cleaner) == "" == sounds.fits(hearer)
    assert (
        "printed pages" in pages.fits(digits) and "sounds" in sounds.fits(digits) and "sounds" in sounds.fits(cleaner)
    )


# Reading


@pytest.mark.parametrize(
    ("truth", "read", "rate"),
    [
        ("kitten", "sitting", 3 / 6),
        ("a  b\nc", "a b c", 0),
        ("abcd", "", 1),
        ("", "", 0),
        ("", "x", 1),
        ("ab", "xaybz", 1.5),
    ],
)
def test_character_error_rate(truth: str, read: str, rate: float) -> None:
    assert ocr.character_error(truth, read) == pytest.approx(rate)


def stand_in(folder: Path, monkeypatch: pytest.MonkeyPatch, body: str) -> None:
    """A program called tesseract that does what body says."""
    program = folder / "tesseract"
    program.write_text(f"#!/bin/sh\n{body}\n")
    program.chmod(program.stat().st_mode | stat.S_IEXEC)
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")


def test_tesseract_gets_a_picture_on_its_input_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SECRET_KEY", "hush")
    stand_in(tmp_path, monkeypatch, 'head -c 8 | od -An -c | tr -d " \\n"; echo "|$@|$SECRET_KEY|$OMP_THREAD_LIMIT"')
    came = ocr.read(np.ones((6, 10), np.float32)).strip()
    assert came == r"211PNG\r\n032\n|stdin stdout -l eng --psm 6 --dpi 150||1"


@pytest.mark.parametrize(
    ("body", "says"),
    [
        ("echo oh no >&2; exit 3", r"failed \(oh no\)"),
        ("exit 1", r"failed \(code 1\)"),
        ("exec sleep 5", "longer than"),
    ],
)
def test_a_tesseract_that_fails_or_hangs_is_told(
    body: str, says: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stand_in(tmp_path, monkeypatch, body)
    monkeypatch.setattr(ocr, "SECONDS", 0.3 if "sleep" in body else 30)
    with pytest.raises(Problem, match=says):
        ocr.read(np.ones((6, 10), np.float32))


def test_without_tesseract_it_is_said_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    assert ocr.program() is None and ocr.version() == ""
    with pytest.raises(Problem, match="apt install tesseract-ocr"):
        ocr.read(np.ones((6, 10), np.float32))


@pytest.mark.skipif(ocr.program() is None, reason="Tesseract is not installed")
def test_tesseract_reads_a_clean_line() -> None:
    page = typeset.page("The house stood alone at the edge of the field.")
    assert ocr.character_error("\n".join(page.lines), ocr.read(page.image[:90] / 255)) < 0.05
    assert ocr.version().startswith("tesseract")


# WAV files


RAMP = np.array([-1.0, -0.5, 0.0, 0.25, 0.5])


@pytest.mark.parametrize(
    ("stored", "says"),
    [
        ((128 + 128 * RAMP).astype(np.uint8), {}),
        ((32768 * RAMP).astype("<i2"), {}),
        ((2**23 * RAMP).astype("<i4"), {"bits": 24}),
        ((2.0**31 * RAMP).astype("<i4"), {}),
        (RAMP.astype("<f4"), {}),
        (RAMP.astype("<f8"), {}),
        (np.stack([RAMP, RAMP], 1).astype("<f4"), {}),
        (np.stack([2 * RAMP, np.zeros(5)], 1).astype("<f4"), {}),
    ],
    ids=["8", "16", "24", "32", "float", "double", "stereo", "mixed"],
)
def test_a_wav_has_the_amplitudes_that_were_stored(stored: np.ndarray, says: dict[str, int]) -> None:
    values, rate, seconds = reader.read(io.BytesIO(wav(stored, says=says)), "x.wav", 60)
    np.testing.assert_allclose(values, RAMP, atol=1e-6)
    assert (rate, seconds) == (8000, 5 / 8000)


@pytest.mark.parametrize("rate", [4000, 11_025, 16_000, 44_100, 47_999])
def test_another_rate_is_resampled_and_the_tone_stays(rate: int) -> None:
    values, came, _ = reader.read(io.BytesIO(wav(hum(0.5, rate), rate)), "x.wav", 60)
    assert came == rate and len(values) == pytest.approx(4000, abs=1)
    strongest = np.abs(np.fft.rfft(values[:4000])).argmax() * 8000 / 4000
    assert strongest == pytest.approx(440, abs=2) and np.abs(values[500:3500]).max() == pytest.approx(0.305, abs=0.01)


def test_a_wav_becomes_windows_that_say_where_they_begin(tmp_path: Path) -> None:
    for name in ("one", "two"):
        (tmp_path / f"{name}.wav").write_bytes(wav(hum(0.25)))
    found = readers.read([tmp_path / "one.wav", tmp_path / "two.wav"], step=128)
    assert found.kind == "signal" and found.shape == (128, 1) and len(found.samples) == 2 * 15
    assert found.names[:2] == ("one 0.000 s", "one 0.016 s") and found.names[15] == "two 0.000 s"
    np.testing.assert_allclose(found.samples[:15].reshape(-1), hum(0.25)[: 15 * 128] / 32768, atol=1e-6)
    assert found.columns[0].name == "amplitude" and found.decision("window").chosen == 128
    half = readers.read(tmp_path / "one.wav")
    assert 20 < len(half.samples) < 30 and half.split is not None and half.names[1] == "one 0.008 s"


# Cleaning a sound


def test_a_melody_has_all_it_says_and_no_click() -> None:
    sound = sounds.melody(1)
    assert len(sound) == 32_000 and 0.3 < np.abs(sound).max() <= 1.0 and np.array_equal(sound, sounds.melody(1))
    assert not np.array_equal(sound, sounds.melody(2))


def test_tones_are_as_loud_and_as_high_as_their_factors_say() -> None:
    rows = np.arange(0, 400, 4)  # notes
    drawn = tones.draw(rows)[..., 0] * tones.COLUMNS[0].deviation
    np.testing.assert_allclose(drawn.std(1), tones._factors()[rows, 2], rtol=0.01)
    sound = tones.tone("note", 440, 8000, np.random.default_rng(0))
    peaks = np.abs(np.fft.rfft(sound * np.hanning(8000)))
    assert peaks[430:451].argmax() == 10  # of one second: a step is one Hz


@pytest.mark.parametrize("kind", list(sounds.NOISES))
def test_noise_has_its_strength_and_the_gate_takes_most_of_it(kind: str) -> None:
    random = np.random.default_rng(7)
    made = sounds.noise(kind, 0.1, 32_000, random)
    assert made.std() == pytest.approx(0.1, rel=1e-3)
    clean = sounds.melody(3)
    gate = sounds.set_gate(kind, 0.1)
    assert (
        sounds.snr(gate(clean + made, sounds.noise(kind, 0.1, 4000, random)), clean)
        > sounds.snr(clean + made, clean) + 5
    )


def test_a_run_cleans_a_sound_and_its_verdict_says_when_the_gate_is_better(hearer: runs.Run) -> None:
    found = sounds.cleaned(hearer, sounds.melody(1), "hiss", 0.1, 1)
    ratio = {name: one.snr or 0.0 for name, one in found.items()}
    assert ratio["run"] > ratio["noisy"] + 4
    assert sounds.verdict(found).endswith("the run wins." if ratio["run"] > ratio["gate"] else "the plain way wins.")
    best = {
        name: sounds.Version(name, "", "", one.sound, {"noisy": 9.0, "run": 8.0}.get(name, 1.0))
        for name, one in found.items()
    }
    assert "9.0 dB as it is" in sounds.verdict(best) and sounds.verdict(best).endswith("the plain way wins.")


def test_a_sound_that_came_noisy_is_cleaned_by_its_quietest_part(hearer: runs.Run) -> None:
    sound = sounds.melody(1, 2.0)
    sound[8000:12_000] = 0
    noisy = sound + sounds.noise("hiss", 0.05, len(sound), np.random.default_rng(0))
    assert sounds.quietest(noisy).std() == pytest.approx(0.05, rel=0.05)
    found = sounds.cleaned(hearer, noisy, "hiss", 0, 1)
    assert list(found) == ["noisy", "gate", "run"] and all(one.snr is None for one in found.values())
    assert np.square(found["gate"].sound - sound).mean() < 0.05**2 / 2
    assert len(sounds.cleaned(hearer, noisy[:50], "hiss", 0, 1)["run"].sound) == 50


def test_the_cleaned_sound_is_a_wav_that_can_be_read_again() -> None:
    sound = sounds.melody(1, 0.5)
    again, rate, _ = reader.read(io.BytesIO(sounds.wav(sound)), "x.wav", 60)
    np.testing.assert_allclose(again, sound, atol=1e-4)
    assert rate == 8000
    np.testing.assert_allclose(sounds.read(sounds.wav(sound))[:3968], sound[:3968], atol=1e-4)
    with pytest.raises(Problem):
        sounds.read(b"no sound at all")


# The parts of the page


def part(name: str, run: str, **kept: object) -> AppTest:
    script = f"""
from components import {name}
from models import runs
{name}.show(runs.open_run(runs.folder_of({run!r})))
"""
    app = AppTest.from_string(script, default_timeout=120)
    for key, value in kept.items():
        app.session_state[key.replace("_", " ")] = value
    app.run()
    assert not app.exception, [one.value for one in app.exception]
    return app


def said(app: AppTest) -> str:
    return "\n".join(str(one.value) for one in (*app.markdown, *app.caption, *app.info, *app.error))


def test_a_page_of_text_opens_without_tesseract(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ocr, "program", lambda: None)
    app = part("page_of_text", "text-denoising", page_text="A short text, typed by somebody.")
    assert "the run wins" in said(app) and "apt install tesseract-ocr" in said(app)
    assert [slider.label for slider in app.slider] == ["Stains", "Folds", "Blur"]
    before = said(app)
    app.button[0].click().run()
    assert said(app) != before and not app.exception  # other stains, other numbers


def test_a_page_of_text_is_read_where_tesseract_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stand_in(tmp_path, monkeypatch, "cat > /dev/null; echo 'A short page, xxxx'")
    monkeypatch.setattr("components.page_of_text._asked", lambda _digest, image: Done(ocr.read(image)))
    app = part("page_of_text", "text-denoising", page_text="A short page, read")
    assert "Of 100 letters Tesseract misreads 22.2 on the spoilt page, 22.2 after this run" in said(app)
    assert "they are equal" in said(app) and "A short page, xxxx" in [code.value for code in app.code]


class Done:
    """What was read already."""

    def __init__(self, text: str) -> None:
        self.text = text

    def done(self) -> bool:
        return True

    def result(self) -> str:
        return self.text

    def cancel(self) -> bool:
        return False


def test_a_sound_opens_and_answers_its_controls() -> None:
    app = part("sound", "tones-denoising")
    assert "dB after this run" in said(app) and len(app.get("audio")) == 4
    before = said(app)
    app.selectbox[0].select("hum").run()
    assert said(app) != before and not app.exception


@pytest.mark.parametrize(("name", "run"), [("page_of_text", "digits-modern-8"), ("sound", "digits-modern-8")])
def test_a_run_of_something_else_is_told_so(name: str, run: str) -> None:
    assert "This run cannot clean" in said(part(name, run))


def test_the_shell_trains_with_the_noise_stains(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    chosen = ["--dataset", "digits", "--architecture", "convolutional-grid", "--code-size", "16", "--noise", "stains"]
    assert main(["train", "--here", *chosen, "--noise-level", "0.8", "--epochs", "1", "--tsne", "0"]) == 0
    assert "stains noise" in capsys.readouterr().out

"""The lab Denoise: noises as people make them, the plain methods, the reader, and what it answers of runs of each kind."""

import importlib
from collections.abc import Iterator
from pathlib import Path

import kinds
import numpy as np
import pytest
import torch
from conftest import ROOT, shared, trained
from PIL import Image
from safetensors.numpy import load

from models import datasets, engine, labs, noise, runs, uploads
from models.analysis import denoising, metrics
from models.codes import to_float
from models.labs import denoise
from models.layers import count, sequence, shape_after, weight_shapes
from models.readers import guarded
from models.runs import Run
from models.training import reader

SEEN, UNSEEN = False, True


# Noises


def test_words_and_places_to_measure_with_are_none_of_the_training() -> None:
    assert not set(noise.words_of(SEEN)) & set(noise.words_of(UNSEEN))
    assert len(noise.words_of(SEEN)) > 150 and len(noise.words_of(UNSEEN)) > 40
    places = [set(noise._places(28, 20, unseen)) for unseen in (SEEN, UNSEEN)]
    assert not places[0] & places[1] and len(places[0]) == pytest.approx(3 * len(places[1]), rel=0.1)
    grey = np.full((40, 28, 28, 1), 0.5, np.float32)
    for kind in ("watermarks", "strokes", "mixed"):
        assert not np.array_equal(noise.corrupt(grey, kind, 1.0, 0), noise.corrupt(grey, kind, 1.0, 0, unseen=True))
    for kind in ("gaussian", "salt-and-pepper", "masking", "watermark"):
        np.testing.assert_array_equal(noise.corrupt(grey, kind, 0.5, 0), noise.corrupt(grey, kind, 0.5, 0, UNSEEN))


def test_a_given_word_stands_where_and_as_it_was_asked_for() -> None:
    def middle(mask: np.ndarray) -> tuple[float, float]:
        y, x = np.mgrid[: mask.shape[0], : mask.shape[1]]
        return float((mask * y).sum() / mask.sum()), float((mask * x).sum() / mask.sum())

    flat = noise.written("HOH", 60, 100, 0.2)  # as heavy left as right, above as below
    assert flat.shape == (60, 100) and flat.min() == 0 and 0.9 < flat.max() <= 1
    assert middle(flat) == pytest.approx((29.5, 49.5), abs=1)
    moved = noise.written("HOH", 60, 100, 0.2, place=(0.7, 0.3))
    assert middle(moved) == pytest.approx((41.5, 29.5), abs=1)
    wide, high = np.ptp(np.argwhere(flat > 0.5), axis=0)[::-1]
    assert wide > 2 * high
    wide, high = np.ptp(np.argwhere(noise.written("HOH", 60, 100, 0.2, angle=90) > 0.5), axis=0)[::-1]
    assert high > 2 * wide
    assert noise.written("HOH", 60, 100, 0.4).sum() > 2.5 * flat.sum()
    assert noise.written("HOH", 60, 100, 0.2, bold=0.1).sum() > 1.2 * flat.sum()


@pytest.mark.parametrize("kind", ["watermarks", "strokes"])
def test_ink_is_white_or_black_and_as_opaque_as_asked_for(kind: str) -> None:
    grey = np.full((300, 28, 28, 1), 0.5, np.float32)
    half = noise.corrupt(grey, kind, 0.6, 1)
    assert half.max() == pytest.approx(0.8, abs=0.01) and half.min() == pytest.approx(0.2, abs=0.01)
    lighter, darker = (half > 0.51).any((1, 2, 3)), (half < 0.49).any((1, 2, 3))
    assert not (lighter & darker).any(), "a sample is written on with one ink"
    assert 0.3 < lighter.mean() < 0.7 and 0.3 < darker.mean() < 0.7
    covered = (np.abs(half - 0.5) > 0.15).mean()
    assert 0.03 < covered < 0.25
    np.testing.assert_allclose(noise.corrupt(grey, kind, 0.3, 1) - 0.5, (half - 0.5) / 2, atol=1e-6)
    colours = noise.corrupt(np.random.default_rng(0).random((5, 9, 14, 3)).astype(np.float32), kind, 0.5, 0)
    assert colours.shape == (5, 9, 14, 3) and colours.min() >= 0 and colours.max() <= 1


def test_mixed_is_another_kind_and_strength_for_each_sample() -> None:
    grey = np.full((500, 16, 16, 1), 0.5, np.float32)
    spoilt = noise.corrupt(grey, "mixed", 1.0, 0)
    masked = ((spoilt == 0) | (spoilt == 0.5)).all((1, 2, 3)) & (spoilt == 0).any((1, 2, 3))
    assert 0.1 < masked.mean() < 0.3, "about a fifth is masked alone"
    shares = (spoilt[masked] == 0).mean((1, 2, 3))
    assert shares.max() < noise.STRONGEST["masking"] + 0.12 and shares.min() < 0.1 and shares.std() > 0.1
    assert np.abs(noise.corrupt(grey, "mixed", 0.1, 0) - 0.5).mean() < 0.3 * np.abs(spoilt - 0.5).mean()
    rows = noise.corrupt(np.ones((400, 9), np.float32), "mixed", 1.0, 0)
    assert rows.shape == (400, 9) and rows.dtype == np.float32 and rows.max() > 1.5  # no image: nothing holds it


# Plain methods


def a_step(count: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Images with an edge at a place of its own, and with noise that is held between 0 and 1."""
    source = np.random.default_rng(seed)
    clean = (np.arange(12) > source.integers(3, 9, (count, 1, 1))).astype(np.float32).repeat(12, 1)[..., None]
    return clean, np.clip(clean + 0.5 * source.standard_normal(clean.shape, np.float32), 0, 1)


def test_every_filter_of_images_makes_them_better_and_says_what_it_is() -> None:
    clean, noisy = a_step(12, 0)
    others, spoilt = a_step(12, 1)
    before = metrics.psnr(float(np.square(spoilt - others).mean()))
    for method in denoising.methods("image", (12, 12, 1)):
        found = denoising.tuned(method, noisy, clean, pixels=True)
        after = metrics.psnr(float(np.square(np.clip(found(spoilt), 0, 1) - others).mean()))
        assert after > before + 1, method.name
        assert found.setting in [words for words, _ in method.strengths]
        assert method.library.startswith(("scikit-image ", "SciPy "))
    assert [m.name for m in denoising.methods("image", (12, 12, 1))] == ["median", "gaussian", "tv", "nlm", "wavelet"]


def test_every_filter_of_signals_makes_them_better() -> None:
    source = np.random.default_rng(0)
    clean = np.sin(np.linspace(0, 6, 60) + source.uniform(0, 6, (40, 1)))[..., None].repeat(2, -1).astype(np.float32)
    noisy = clean + 0.5 * source.standard_normal(clean.shape, np.float32)
    for method in denoising.methods("signal", (60, 2)):
        found = denoising.tuned(method, noisy[:20], clean[:20], pixels=False)
        assert np.square(found(noisy[20:]) - clean[20:]).mean() < 0.6 * np.square(noisy[20:] - clean[20:]).mean()
    assert {m.name for m in denoising.methods("signal", (60, 2))} == {"median", "gaussian", "savgol", "tv", "wavelet"}
    for shape in ((4, 1), (1, 3)):  # shorter than any window
        for method in denoising.methods("signal", shape):
            assert denoising.tuned(method, noisy[:9, : shape[0], :1], clean[:9, : shape[0], :1], False).setting


def test_a_strength_is_the_best_on_the_validation_samples() -> None:
    """Which of two does nothing to the mean is known; the samples to be cleaned later have no part in it."""
    clean, noisy = a_step(30, 0)

    def blank(x: np.ndarray, tell: object) -> np.ndarray:
        return np.zeros_like(x)

    method = denoising.Method("m", "M", "", (("nothing is left", blank), ("as it is", lambda x, _tell: x)))
    found = denoising.tuned(method, noisy, clean, pixels=True)
    assert found.setting == "as it is"
    told: list[float] = []
    denoising.tuned(denoising.methods("image", (12, 12, 1))[2], noisy, clean, True, told.append)
    assert told == sorted(told) and told[0] >= 0 and 0.7 < told[-1] <= 1


def test_what_clipping_did_to_the_mean_is_put_right() -> None:
    """Noise of deviation 0.5 held above 0 makes black 0.2: the mean of the positive half, 0.5 / sqrt(2 pi)."""
    source = np.random.default_rng(0)
    clean = (source.random((60, 10, 10, 1)) < 0.3).astype(np.float32).repeat(6, 1).repeat(6, 2)
    noisy = np.clip(clean + 0.5 * source.standard_normal(clean.shape, np.float32), 0, 1)
    smooth = denoising.methods("image", (60, 60, 1))[1]
    wide = dict(smooth.strengths)["deviation 1.8 pixels"](noisy, lambda _share: None)
    black = wide[(clean == 0) & (dict(smooth.strengths)["deviation 1.8 pixels"](clean, lambda _share: None) < 1e-3)]
    assert black.mean() == pytest.approx(0.5 / np.sqrt(2 * np.pi), abs=0.02)
    given, wanted = denoising.correction(wide, clean)
    assert (np.diff(given) > 0).all() and (np.diff(wanted) >= 0).all()
    assert denoising.corrected(black, given, wanted).mean() < 0.03
    np.testing.assert_allclose(
        denoising.corrected(np.array([2.0, -1.0], np.float32), *2 * (np.array([0, 1], np.float32),)), [2, -1]
    )


def test_the_best_linear_map_is_ridge_regression() -> None:
    from sklearn.linear_model import Ridge

    source = np.random.default_rng(0)
    clean = (source.normal(size=(300, 3)) @ source.normal(size=(3, 6))).astype(np.float32)

    def spoil(x: np.ndarray) -> np.ndarray:
        return x + 0.5 * np.random.default_rng(1).standard_normal(x.shape, np.float32)

    pca, linear, nearest = denoising.fitted(clean, spoil)
    assert (pca.name, linear.name, nearest.name) == ("pca", "linear", "nearest")
    x = spoil(clean)
    mean = np.square(x - x.mean(0)).sum() / 6  # of the eigenvalues
    theirs = Ridge(0.3 * mean).fit(x, clean).predict(x)
    np.testing.assert_allclose(dict(linear.strengths)["ridge 0.3"](x, lambda _share: None), theirs, atol=1e-3)
    assert [words for words, _ in pca.strengths] == ["1 component", "2 components", "4 components", "6 components"]
    assert denoising.tuned(pca, x, clean, False).setting in ("2 components", "4 components")  # there are three
    assert len(denoising.fitted(clean[:, :, None], spoil)) == 2, "neighbours are for rows of tables"


# The reader


def test_a_reader_tells_classes_and_its_weights_are_called_as_the_browser_wants(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    source = np.random.default_rng(0)
    labels = (np.arange(200) % 2).astype(np.int32)
    lines = np.zeros((200, 9, 9, 1), np.uint8)
    for image, label in zip(lines, labels, strict=True):
        at = source.integers(1, 8)
        image[at if label else slice(None), slice(None) if label else at] = 200
    labels[:20] = -1  # which have no part in it
    monkeypatch.setattr(reader, "FEWEST", 150)
    made = reader.train(lines, labels, 2, lambda _share: None)
    assert (made.read(to_float(lines[20:])) == labels[20:]).mean() > 0.97
    assert made.logits(to_float(lines[:3])).shape == (3, 2)
    assert {name: value.shape for name, value in made.weights.items()} == weight_shapes(
        made.layers, (9, 9, 1), "reader"
    )
    assert made.listed[0] == {"layer": "ChannelsFirst", "multiple": 1} and made.listed[-1]["units"] == 2


@pytest.mark.parametrize("shape", [(8, 8, 1), (28, 28, 1), (64, 48, 3), (5, 2, 1), (96, 96, 3), (20, 3), (11,)])
def test_a_reader_takes_samples_of_every_shape(shape: tuple[int, ...]) -> None:
    layers = reader.layers(shape, 4)
    assert shape_after(layers, shape) == (4,)
    assert count(weight_shapes(layers, shape, "reader")) < 800_000


# Answers


@pytest.fixture(autouse=True)
def a_quick_reader(monkeypatch: pytest.MonkeyPatch) -> None:
    """And few samples by which strengths are chosen."""
    monkeypatch.setattr(reader, "EPOCHS", 4)
    monkeypatch.setattr(reader, "FEWEST", 40)
    monkeypatch.setattr(denoise, "TUNED_ON", 30)


@pytest.fixture(scope="session")
def noisy_waves(session_home: Path) -> Iterator[Run]:
    with kinds.present(kinds.WAVE):
        yield shared(
            session_home, dataset="tides", architecture="modern", epochs=5, code_size=8, noise="mixed", noise_level=1
        )


@pytest.fixture(scope="session")
def noisy_fruit(session_home: Path) -> Iterator[Run]:
    with kinds.present(kinds.TABLE):
        yield shared(
            session_home,
            dataset="fruit",
            architecture="modern",
            epochs=5,
            code_size=4,
            noise="masking",
            noise_level=0.3,
        )


def answered(run: Run, samples: int = 30) -> labs.Answer:
    """The answer about a run, after what every page relies on was looked at."""
    shares: list[float] = []
    answer = denoise.LAB.answer(run, {"samples": samples}, lambda _what, share: shares.append(share))
    assert len(shares) > 10 and shares == sorted(shares) and shares[-1] <= 1
    facts, arrays = answer.facts, answer.arrays
    assert (facts["kind"], facts["shape"], facts["classes"]) == (run.kind, list(run.shape), list(run.classes))
    splits = run.dataset.splits()
    assert (splits[arrays["rows"]] == datasets.TEST).all()
    kept = np.uint8 if run.kind == "image" else np.float32
    shown = len(arrays["rows"])
    assert arrays["originals"].shape == (shown, *run.shape) and arrays["originals"].dtype == kept
    stored = datasets.samples_at(run.dataset, arrays["rows"])
    np.testing.assert_array_equal(arrays["originals"], stored)
    assert arrays["labels"].dtype == np.int32 and arrays["rows"].dtype == np.int64
    names = [[one["name"] for one in found["methods"]] for found in facts["noises"]]
    assert all(one[0] == "noisy" and one[-2:] == ["plain", "run"] for one in names)
    expected = (len(names), len(names[0]), min(6, shown), *run.shape)
    assert arrays["examples"].shape == expected and arrays["examples"].dtype == kept
    for found in facts["noises"]:
        assert found["title"] and found["verdict"].startswith(found["title"]) and 0 < found["level"] <= 1
        for one in found["methods"]:
            assert set(one) == {"name", "title", "library", "setting", "psnr", "ssim", "read"}
            assert (one["ssim"] is None) == (run.kind != "image") and (one["read"] is None) == (facts["reader"] is None)
    assert facts["verdict"] == facts["noises"][0]["verdict"]
    if facts["reader"] is not None:
        weights = load(arrays["reader"].tobytes())
        assert facts["reader"]["name"] == "reader" and all(name.startswith("reader.") for name in weights)
        assert facts["reader"]["layers"][-1] == {"layer": "Dense", "units": len(run.classes)}
        assert 0 <= facts["reader"]["accuracy"] <= 1
    engine.answers.packed(answer)  # plain numbers alone, all of them finite
    return answer


def test_an_answer_about_images(noisy_run: Run) -> None:
    answer = answered(noisy_run)
    (found,) = answer.facts["noises"]
    assert (found["name"], found["level"], answer.facts["count"]) == ("gaussian", 0.3, 30)
    assert {"median", "gaussian", "tv", "nlm", "wavelet", "pca", "linear"} < {one["name"] for one in found["methods"]}
    assert answer.facts["reader"]["accuracy"] > 0.7
    noisy = next(one for one in found["methods"] if one["name"] == "noisy")
    test = denoise.spread(np.flatnonzero(noisy_run.dataset.splits() == datasets.TEST), 30)
    classes = np.unique(np.asarray(datasets.arrays(noisy_run.dataset).labels)[test])
    np.testing.assert_array_equal(np.sort(answer.arrays["labels"][: len(classes)]), classes)  # one of each first
    clean = to_float(datasets.samples_at(noisy_run.dataset, test))
    spoilt = noise.corrupt_rows(clean, "gaussian", 0.3, test)
    assert noisy["psnr"] == pytest.approx(metrics.psnr(float(np.square(spoilt - clean).mean())), abs=2e-3)


def test_what_is_measured_with_is_spread_over_the_rows_and_less_of_large_samples() -> None:
    np.testing.assert_array_equal(denoise.spread(np.arange(100, 110), 4), [100, 103, 106, 109])
    np.testing.assert_array_equal(denoise.spread(np.arange(3), 40), [0, 1, 2])
    assert not len(denoise.spread(np.arange(0), 4))
    counts = [denoise.enough(shape, 2000, 100) for shape in ((28, 28, 1), (64, 64, 3), (256, 256, 3))]
    assert counts == [2000, 130, 100] and denoise.enough((28, 28, 1), 40, 100) == 40


def test_an_answer_about_signals(noisy_waves: Run) -> None:
    with kinds.present(kinds.WAVE):
        found = answered(noisy_waves).facts["noises"]
    assert [one["name"] for one in found] == ["gaussian", "salt-and-pepper", "masking"]
    assert {"savgol", "wavelet", "linear"} < {one["name"] for one in found[0]["methods"]}


def test_an_answer_about_rows(noisy_fruit: Run) -> None:
    with kinds.present(kinds.TABLE):
        (found,) = answered(noisy_fruit).facts["noises"]
    assert [one["name"] for one in found["methods"]] == ["noisy", "pca", "linear", "nearest", "plain", "run"]


def test_ones_own_images_without_classes_have_no_reader(home: Path, tmp_path: Path) -> None:
    folder = tmp_path / "mine"
    folder.mkdir()
    dice = np.random.default_rng(0)
    for i in range(60):
        Image.fromarray(dice.integers(0, 256, (8, 8), np.uint8)).save(folder / f"{i}.png")
    name = uploads.save(guarded.guarded_read(folder, tmp_path / "read"), "me", "Mine").name
    answer = answered(trained(dataset=name, noise="strokes", noise_level=0.8))
    assert answer.facts["reader"] is None and "reader" not in answer.arrays
    assert "Nothing reads them" in answer.facts["verdict"] and "dB after this run" in answer.facts["verdict"]


def test_the_shipped_answer_is_what_its_run_and_its_reader_do() -> None:
    """Made again from the weights that ship: the same noisy samples, the same figures. What the filters give is looked at where
    these are tested, since that takes half a minute."""
    run = runs.open_run(runs.folder_of("digits-denoising"))
    came = engine.shipped_answer(engine.question(denoise.LAB, run, {}))
    assert came is not None
    content, splits = datasets.arrays(run.dataset), run.dataset.splits()
    test = np.flatnonzero(splits == datasets.TEST)
    clean, labels = to_float(np.asarray(content.samples[test])), np.asarray(content.labels[test])
    layers = reader.layers(run.shape, 10)
    judge = reader.Reader(run.shape, layers, sequence(layers, run.shape).eval())
    weights = load(came.arrays["reader"].tobytes())
    judge.module.load_state_dict({name.removeprefix("reader."): torch.tensor(value) for name, value in weights.items()})
    assert (judge.read(clean) == labels).mean() == pytest.approx(came.facts["reader"]["accuracy"], abs=1e-4)
    assert [found["name"] for found in came.facts["noises"]] == [name for name, _ in denoise.OF_IMAGES]
    for found in came.facts["noises"]:
        noisy = noise.corrupt_rows(clean, found["name"], found["level"], test, unseen=True)
        for name, made in (("noisy", noisy), ("run", run.coder.decode(run.coder.encode(noisy)))):
            told = next(one for one in found["methods"] if one["name"] == name)
            assert told["psnr"] == pytest.approx(metrics.psnr(float(np.square(made - clean).mean())), abs=0.02)
            assert told["read"] == pytest.approx((judge.read(made) == labels).mean(), abs=0.012)  # two of 179


def test_the_quick_benchmark_has_a_row_for_each_method(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.syspath_prepend(ROOT / "benchmarks")
    importlib.import_module("labs").denoise(True)
    lines = capsys.readouterr().out.splitlines()
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines if line.startswith("|")]
    assert len(rows) == 10 and all(len(row) == 7 for row in rows)
    figures = {row[1]: float(row[3]) for row in rows[1:]}
    assert figures["This run"] == max(figures.values()) and figures["as it is"] == min(figures.values())
    assert lines[-1].startswith("gaussian 0.5: ") and "of 60 test images are read correctly after this run" in lines[-1]


def test_only_what_was_trained_with_noise_fits(digits_run: Run, noisy_run: Run) -> None:
    assert denoise.LAB.fits(noisy_run) == ""
    assert denoise.LAB.fits(digits_run) == "this run was not trained to remove noise"


def test_an_answer_can_be_given_up(noisy_run: Run) -> None:
    """Also while it trains."""

    class Enough(Exception):
        pass

    for part in ("training a reader", "training without noise"):

        def report(what: str, _share: float, part: str = part) -> None:
            if what == part:
                raise Enough

        with pytest.raises(Enough):
            denoise.LAB.answer(noisy_run, {"samples": 20}, report)


def test_the_verdict_can_be_lost_or_tied() -> None:
    def one(name: str, share: float, title: str = "Median") -> denoise.Measured:
        right = np.arange(200) < 200 * share
        return denoise.Measured(name, title, "", "", np.full(200, 0.1 * (1.1 - share), np.float32), None, right, right)

    samples = _samples(200)
    for ours, theirs, end in ((0.9, 0.6, "the run wins."), (0.6, 0.9, "the run loses."), (0.8, 0.8, "a tie.")):
        told = denoise.verdict("Noise", [one("noisy", 0.5), one("median", theirs), one("run", ours)], samples)
        assert told.endswith(end) and told.startswith(
            f"Noise: {100 * ours:.1f} % of 200 test images are read correctly"
        )
        assert f"{100 * theirs:.1f} % after the best of the others (median), 50.0 % as they are" in told
    told = denoise.verdict("Noise", [one("noisy", 0.7), one("median", 0.6), one("run", 0.6)], samples)
    assert "70.0 % as they are, which no other method betters: the run loses." in told


def _samples(count: int) -> denoise.Samples:
    empty = np.zeros((count, 8, 8, 1), np.float32)
    rows = np.arange(count)
    return denoise.Samples("image", (8, 8, 1), rows, empty, rows.astype(np.int32), rows, empty, empty, None)

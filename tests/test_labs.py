"""Labs: what they compute, how they are asked and answered, and that their pages open with what they fit."""

import dataclasses
import gzip
import io
import itertools
import json
import os
import struct
import zlib
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

import numpy as np
import pages
import pytest
import streamlit as st
from PIL import Image
from streamlit.testing.v1 import AppTest

from components import views, visitor
from components.views import labs as lab_pages
from models import Problem, datasets, engine, labs, runs, uploads
from models.analysis import anomalies as computed
from models.analysis import coding, metrics
from models.codes import to_float
from models.data import Arrays
from models.engine import answers, queue, tasks
from models.labs import Answer, Lab, anomalies, compress
from models.readers import guarded
from models.runs import Run
from models.shell import main

LABS = [pytest.param(lab, id=lab.name) for lab in labs.available().values()]


def opened(name: str) -> Run:
    return runs.open_run(runs.folder_of(name))


# Bytes


@pytest.fixture(scope="module")
def coded() -> tuple[Run, coding.Known, np.ndarray]:
    run = opened("digits-modern-8")
    return run, compress.known_of(run), compress.test_images(run, 1000)[1]


Coded = tuple[Run, coding.Known, np.ndarray]


def mixture(size: int, clusters: int = 2, seed: int = 0) -> coding.Known:
    """Of dimensions that tell of each other, as a file holds it."""
    dice = np.random.default_rng(seed)
    slopes = np.tril(dice.normal(0, 0.5, (clusters, size, size)), -1)
    parts = (
        dice.normal(size=size),
        np.full(size, 0.5),
        np.full(clusters, 1 / clusters),
        dice.normal(0, 3, (clusters, size)),
        dice.uniform(0.5, 2, (clusters, size)),
        slopes,
    )
    return coding.unpacked(coding.Known(*(one.astype(np.float32) for one in parts)).packed())


def drawn(known: coding.Known, count: int) -> np.ndarray:
    """Codes from a mixture."""
    dice = np.random.default_rng(1)
    of = dice.integers(0, len(known.weights), count)
    noise = dice.normal(size=(count, len(known.mean))) * known.deviations[of]
    within = noise + (np.einsum("nij,nj->ni", known.slopes[of], noise) if known.slopes.size else 0)
    return np.asarray((known.centres[of] + within) * known.unit + known.mean, np.float32)


def test_what_is_written_is_read_again_and_takes_what_its_density_says() -> None:
    """Fine steps: as many bits as the differential entropy of the codes less the logarithm of the steps (Cover and Thomas 2006,
    section 8.3), here of clusters apart; also where dimensions are for themselves."""
    for known in (mixture(5), dataclasses.replace(mixture(5), slopes=np.zeros((2, 0, 0), np.float32))):
        codes, share = drawn(known, 3000), 0.05
        clusters, symbols = coding.rounded(codes, None, known, share)
        content = coding.written(clusters, symbols, known, share)
        found = coding.read(content, known, 3000)
        np.testing.assert_array_equal(found, coding.codes_of(symbols, known, share))
        np.testing.assert_allclose(found, codes, atol=0.51 * share * 0.5 + 0.002)
        bits = np.log2(known.deviations * np.sqrt(2 * np.pi * np.e) / share).sum(1).mean() + 1
        assert 8 * len(content) / 3000 == pytest.approx(bits, rel=0.01)


def test_what_dimensions_tell_of_each_other_is_found_and_saves_bytes() -> None:
    known = mixture(4, clusters=4, seed=2)
    codes = drawn(known, 3000)
    found = coding.known_of(codes[:2000], codes[2000:], known.unit)
    assert len(found.weights) == 4
    alone = dataclasses.replace(found, slopes=np.zeros((4, 0, 0), np.float32), deviations=_spread(found))
    sizes = []
    for one in (found, alone):
        coder = coding.rounded(codes, None, one, 0.5)
        sizes.append(len(coding.written(*coder, one, 0.5)))
    assert sizes[0] < 0.97 * sizes[1]


def _spread(known: coding.Known) -> np.ndarray:
    """The deviation of each dimension by itself, within a cluster."""
    factor = (np.eye(known.slopes.shape[1]) + known.slopes) * known.deviations[:, None]
    return np.sqrt(np.square(factor).sum(2)).astype(np.float32)


def test_a_rounded_number_makes_up_for_those_before_it() -> None:
    """A decoder that adds up both numbers: their errors cancel; the encoder's guess is mended first."""
    known = dataclasses.replace(mixture(2, clusters=1), mean=np.zeros(2, np.float32), unit=np.ones(2, np.float32))
    known = dataclasses.replace(known, deviations=np.full((1, 2), 30, np.float32))
    truth = np.random.default_rng(0).uniform(-20, 20, (200, 2)).astype(np.float32)

    def decode(codes: np.ndarray) -> np.ndarray:
        return np.asarray(codes @ np.array([[1, 0.1], [1, -0.1]], np.float32), np.float32)

    samples = decode(truth)
    codes, curvature = coding.better(decode, samples, truth + 0.3, known.unit)
    np.testing.assert_allclose(codes, truth, atol=0.01)
    np.testing.assert_allclose(curvature[0], [[1.01, 0.99], [0.99, 1.01]], atol=1e-3)
    errors = []
    for cost in (curvature, None):
        _, symbols = coding.rounded(codes, cost, known, 1.0)
        errors.append(np.square(decode(coding.codes_of(symbols, known, 1.0)) - samples).sum(1).mean())
    assert errors[0] < 0.75 * errors[1]


def test_a_dimension_that_moves_nothing_costs_nothing() -> None:
    """The decoder ignores the third number, and the second moves its output twice as much as the first."""
    codes = np.random.default_rng(0).normal(size=(500, 3)).astype(np.float32)

    class Coder:
        def decode(self, values: np.ndarray) -> np.ndarray:
            return np.column_stack([values[:, 0], 2 * values[:, 1]]).astype(np.float32)

    class Fake:
        code_size, coder = 3, Coder()

    steps = compress.base_steps(Fake(), codes)  # type: ignore[arg-type]
    assert steps[0] == pytest.approx(2 * steps[1], rel=0.01)
    assert np.sqrt(steps[0] * steps[1]) == pytest.approx(1, rel=0.1)
    sizes = []
    for size in (2, 3):
        known = coding.known_of(codes[:400, :size], codes[400:, :size], steps[:size])
        sizes.append(len(coding.written(*coding.rounded(codes[:, :size], None, known, 0.25), known, 0.25)))
    assert sizes[1] <= sizes[0] + 8


def test_the_head_of_a_file_does_not_grow_with_dimensions() -> None:
    """Of PCA, say, most of whose components carry nothing at such steps."""
    sizes = []
    for size in (3, 200):
        spread = np.where(np.arange(size) < 3, 8, 0.01).astype(np.float32)
        codes = np.random.default_rng(0).normal(size=(300, size)).astype(np.float32) * spread
        known = coding.known_of(codes, codes, np.ones(size, np.float32))
        content = coding.written(*coding.rounded(codes[:2], None, known, 1.0), known, 1.0)
        sizes.append(len(content))
    assert sizes[1] <= sizes[0] + 4 and sizes[1] < coding.HEAD + 16


def test_a_file_holds_the_images_and_only_its_run_reads_it(coded: Coded, digits_run: Run) -> None:
    run, known, images = coded
    content = compress.pack(run, known, images, 0.35)
    assert len(content) / len(images) < 5  # 64 bytes each before
    codes, curvature = compress.best_codes(run, known, images)
    _, symbols = coding.rounded(codes, curvature, known, 0.35)
    expected = run.coder.decode(coding.codes_of(symbols, known, 0.35))
    np.testing.assert_array_equal(compress.unpack(run, known, content), expected)
    with pytest.raises(Problem, match="another run"):
        compress.unpack(digits_run, known, content)
    with pytest.raises(Problem, match="another table"):
        compress.unpack(run, dataclasses.replace(known, mean=known.mean + 1), content)


def test_a_damaged_file_is_a_problem_or_images(coded: Coded) -> None:
    run, known, images = coded
    content = compress.pack(run, known, images[:20], 0.25)
    dice = np.random.default_rng(0)
    for _ in range(200):
        damaged = bytearray(content[: dice.integers(1, len(content) + 1)])
        for place in dice.integers(0, len(damaged), 3):
            damaged[place] ^= int(dice.integers(1, 256))
        try:
            found = compress.unpack(run, known, bytes(damaged))
        except Problem:
            continue
        assert found.shape[1:] == run.shape and np.isfinite(found).all()
    head = compress.HEAD
    for place, value in ((head, bytes(4)), (head, b"\xff" * 4), (head + 4, b"\0\0\xc0\x7f"), (head + 4, bytes(4))):
        wrong = content[:place] + value + content[place + 4 :]
        with pytest.raises(Problem, match="no images"):
            compress.unpack(run, known, wrong)
    with pytest.raises(Problem, match="no images"):  # as many as may be, of which none is there
        compress.unpack(run, known, content[:head] + struct.pack("<I", 2**18) + content[head + 4 : head + 20])


def test_few_samples_and_many_dimensions_are_written_too(coded: Coded, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody to judge by; and where improving codes would take too many numbers, they are the encoder's."""
    codes = np.random.default_rng(0).normal(size=(5, 3)).astype(np.float32)
    known = coding.known_of(codes, codes[:0], np.ones(3, np.float32))
    content = coding.written(*coding.rounded(codes, None, known, 0.1), known, 0.1)
    np.testing.assert_allclose(coding.read(content, known, 5), codes, atol=0.06)
    run, known, images = coded
    monkeypatch.setattr(compress, "CURVATURES", 1)
    plain, curvature = compress.best_codes(run, known, images[:20])
    assert curvature is None
    np.testing.assert_array_equal(plain, run.coder.encode(images[:20]))
    assert compress.unpack(run, known, compress.pack(run, known, images[:20], 0.1)).shape == (20, *run.shape)


def test_a_table_that_was_cut_off_is_refused() -> None:
    packed = mixture(3).packed()
    for wrong in (b"", packed[:4], packed[:-8], b"\xff" * 5 + packed[5:], bytes(5) + packed[5:]):
        with pytest.raises((ValueError, zlib.error)):
            coding.unpacked(wrong)


@pytest.mark.parametrize("shape", [(7, 5, 4, 1), (16, 3, 3, 3), (1, 8, 8, 1)])
def test_a_sheet_is_cut_into_what_it_was_made_of(shape: tuple[int, ...]) -> None:
    images = np.random.default_rng(0).integers(0, 256, shape, np.uint8)
    np.testing.assert_array_equal(compress.cut(compress.sheet(images), len(images), shape[1:]), images)


@pytest.mark.parametrize("grey", [True, False])
def test_every_format_is_written_and_read_again(grey: bool) -> None:
    """A smooth picture: more bytes make it better, and PNG loses nothing."""
    y, x = np.mgrid[0:32, 0:48]
    picture = np.stack([4 * y, 3 * x + 40, 255 - 5 * x], -1).astype(np.uint8)[..., : 1 if grey else 3]
    for codec in compress.codecs(grey):
        found = [compress.through(codec, options, picture) for options in codec.options]
        errors = [np.square(made.astype(float) - picture).mean() for _, made in found]
        if codec.lossless:
            assert errors == [0]
            continue
        with Image.open(_file(codec, picture)) as file:
            assert file.format == codec.format
        assert found[-1][0] > found[0][0] and errors[-1] < errors[0], codec.name


def _file(codec: compress.Codec, picture: np.ndarray) -> io.BytesIO:
    out = io.BytesIO()
    Image.fromarray(picture[..., 0] if picture.shape[-1] == 1 else picture).save(out, codec.format, **codec.options[0])
    return out


@pytest.mark.parametrize(
    ("run", "other"), [("digits-modern-8", "shapes"), ("cats-convolutional-variational-2", "digits")]
)
def test_images_of_another_dataset_are_fitted_to_the_run(run: str, other: str) -> None:
    here, there = opened(run), datasets.get(other)
    found = compress.borrowed(here, there, 3)
    assert found.shape == (3, *here.shape) and found.dtype == np.uint8
    truth = np.asarray(datasets.samples_at(there, np.flatnonzero(there.splits() == datasets.TEST)[:3]))
    assert found.mean((1, 2, 3)) == pytest.approx(truth.mean((1, 2, 3)), rel=0.1)


def test_images_of_another_dataset_go_through_the_run() -> None:
    app = page("compress", run="digits-modern-8")
    taken = app.selectbox(key="taken from")
    assert "Digits 8x8" not in taken.options
    taken.select("shapes").run()
    (said,) = [one.value for one in app.caption if "what the decoder draws" in one.value]
    assert not app.exception and float(said.split(" times")[0].split()[-1].replace(",", "")) > 2  # strange to it


def test_only_points_that_no_other_beats_are_drawn() -> None:
    def point(rate: float, psnr: float) -> compress.Point:
        return compress.Point(rate, None, psnr, None, np.zeros((1, 1, 1, 1), np.uint8))

    found = compress.frontier([point(3, 20), point(1, 10), point(2, 9), point(3, 22), point(5, 22)])
    assert [(one.rate, one.psnr) for one in found] == [(1, 10), (3, 22)]


def test_bytes_for_as_good_an_image_lie_between_the_points() -> None:
    points = [{"rate": 10.0, "psnr": 20.0}, {"rate": 40.0, "psnr": 30.0}]
    assert compress.bytes_at(points, 25.0) == pytest.approx(20.0)  # half way in the logarithm
    assert compress.bytes_at(points, 15.0) == 10.0 and compress.bytes_at(points, 31.0) is None


def test_pca_with_all_components_and_small_steps_is_nearly_exact() -> None:
    rng = np.random.default_rng(0)
    train = rng.integers(0, 256, (400, 4, 4, 1), np.uint8)
    plane = metrics.fit_pca(train, 16)
    codes = plane.project(to_float(train).reshape(400, -1))
    known = coding.known_of(codes[:300], codes[300:], np.full(16, codes.std(0).max(), np.float32))
    points = list(compress.by_pca(plane, known, train[:200], np.arange(2)))
    rates, errors = [point.rate for point in points], [point.psnr for point in points]
    assert rates == sorted(rates) and errors == sorted(errors) and errors[-1] > 38
    assert points[-1].basis >= points[0].basis >= 0 < points[-1].basis


def test_the_decoder_takes_fewer_bytes_with_fewer_bits_and_is_worse(coded: Coded) -> None:
    found = compress.decoders(*coded)
    assert [one["bits"] for one in found] == [16, 8, 6, 4]
    sizes, lost = [one["bytes"] for one in found], [one["lost"] for one in found]
    assert sizes == sorted(sizes, reverse=True) and lost[0] < 0.005 < lost[-1]


def test_a_shipped_answer_is_made_again_by_its_command() -> None:
    """What the run and PCA take to the last byte; image files where the libraries are those that wrote them."""
    run = opened("digits-modern-8")
    asked = engine.question(compress.LAB, run, {})
    came = engine.shipped_answer(asked)
    assert came is not None
    again = answers.compute(asked, lambda _what, _share: None)
    same = came.facts["libraries"] == again.facts["libraries"]
    for before, after in zip(came.facts["methods"], again.facts["methods"], strict=True):
        if same or before["name"] in ("run", "pca"):
            assert [point["rate"] for point in after["points"]] == pytest.approx(
                [point["rate"] for point in before["points"]], rel=0.01
            )
            assert [point["psnr"] for point in after["points"]] == pytest.approx(
                [point["psnr"] for point in before["points"]], abs=0.02
            )
    assert again.facts["verdict"] == came.facts["verdict"]


# Anomalies


def test_what_is_normal_is_one_class_or_all_but_one() -> None:
    labels = np.array([0, 1, 2, 2, 2, 2], np.int32)
    digits = datasets.get("digits")
    assert anomalies.usual(dataclasses.replace(digits, classes=("a", "b", "c")), labels) == "only 2"
    assert anomalies.usual(digits, np.repeat(np.arange(10, dtype=np.int32), 3)) == "but 9"
    assert anomalies.usual(digits, np.repeat(np.arange(8, dtype=np.int32), 3)) == "but 7", "that others have"
    rotten = np.repeat(np.arange(3, dtype=np.int32), (300, 22, 200))
    assert anomalies.usual(dataclasses.replace(digits, classes=("apple", "rotten", "pear")), rotten) == "but 1"
    two = dataclasses.replace(digits, classes=("a", "b"))
    for known in ([0, 0, 1, 1], [0, 1, 1], [-1, -1], []):
        assert anomalies.usual(two, np.array(known, np.int32)) in anomalies.choices(two)
    assert anomalies.usual(digits, np.full(5, -1, np.int32)) in anomalies.choices(digits)
    np.testing.assert_array_equal(anomalies.anomalous_of(labels, "only 2"), [True, True, False, False, False, False])
    np.testing.assert_array_equal(anomalies.anomalous_of(labels, "but 1"), [False, True, False, False, False, False])
    for wrong in ("", "3", "only", "but x", "only -1"):
        with pytest.raises(Problem, match="no choice"):
            anomalies.anomalous_of(labels, wrong)
    assert "but 0" not in anomalies.choices(dataclasses.replace(digits, classes=("a", "b")))


def test_why_a_sample_is_an_alarm_is_said_in_its_own_words() -> None:
    columns = datasets.get("breast-cancer").columns
    far = np.zeros(30, np.float32)
    far[3] = 14.2
    assert anomalies.because(columns, "table", far, (30,)) == "mean area: 14 deviations above what is expected"
    wave = np.zeros((64, 2), np.float32)
    wave[10, 1] = -6
    assert anomalies.because((), "signal", wave, (64, 2)).startswith("step 11 of channel 2: 6 deviations below")
    pixel = np.zeros((8, 8, 1), np.float32)
    pixel[2, 5] = 3
    assert anomalies.because((), "image", pixel, (8, 8, 1)).startswith("pixel 6, 3: 3 deviations above")
    assert anomalies.because((), "image", pixel, (24, 24, 1)).startswith("pixel 16, 7:"), "of the image as it came"


def test_what_is_too_large_for_the_networks_is_made_smaller() -> None:
    colour = np.arange(41 * 64 * 3, dtype=np.float32).reshape(1, 41, 64, 3) % 251
    found = anomalies.smaller(colour.astype(np.uint8))
    assert found.shape == (1, 9, 13, 3) and found.dtype == np.uint8
    assert found[0, 3, 5, 1] == round(float(colour[0, 15:20, 25:30, 1].mean()))
    assert found[0, 8, 12, 1] == round(float(colour[0, 40, 60:64, 1].mean())), "what is left over counts as it is"
    wave = np.random.default_rng(0).normal(size=(300, 600, 2)).astype(np.float32)
    np.testing.assert_allclose(anomalies.smaller(wave)[299, 7], wave[299, 21:24].mean(0), rtol=1e-5)
    for small in (np.zeros((2, 11, 11, 3), np.uint8), np.zeros((2, 5000), np.float32)):
        assert anomalies.smaller(small) is small


def test_of_a_large_dataset_as_large_a_share_does_not_belong() -> None:
    known = np.arange(100_000)
    for rare, kept in ((5_000, 1_000), (100, 20), (12, anomalies.FEW), (3, 3)):
        anomalous = known % (100_000 // rare) == 0
        anomalous &= np.cumsum(anomalous) <= rare
        found = anomalies.some_of(known, anomalous)
        assert len(found) == len(set(found)) == anomalies.MOST_ROWS and anomalous[found].sum() == kept
    assert (
        anomalies.some_of(known[:50], known[:50] > 9) is not None
        and len(anomalies.some_of(known[:50], known[:50] > 9)) == 50
    )


def test_it_says_what_it_needs() -> None:
    digits = datasets.get("digits")
    assert "no classes" in anomalies.fits(dataclasses.replace(digits, classes=()))
    assert "of one class" in anomalies.fits(dataclasses.replace(digits, classes=("a",)))
    two = dataclasses.replace(digits, classes=("a", "b"))
    labels = np.repeat([0, 1, -1], [25, 3, 100]).astype(np.int32)
    assert anomalies.lacking(two, labels, "only 0") == ""
    needed = anomalies.lacking(two, labels, "only 1")
    assert needed.startswith("With this choice 3 of the 28 samples with a class are normal and 25 are not. At least 20")
    assert needed.endswith("Choose “only a”, for instance.")
    assert anomalies.lacking(two, labels[10:], "only 0").endswith("Bring more samples with classes.")
    assert anomalies.lacking(two, np.full(9, -1, np.int32), "only 0").endswith("Bring more samples with classes.")


def test_large_images_and_channels_of_several_units_are_answered(monkeypatch: pytest.MonkeyPatch) -> None:
    random = np.random.default_rng(0)
    labels = np.repeat([0, 1], [40, 12]).astype(np.int32)
    images = random.integers(0, 60, (52, 48, 48, 3), np.uint8)
    images[40:, :8, :8] += 150
    waves = np.stack([random.normal(size=(52, 30)), 1e6 * random.normal(size=(52, 30))], -1).astype(np.float32)
    waves[40:, :, 0] += 3  # nothing beside the noise of the other channel
    usual = datasets.get("digits")
    for kind, samples in (("image", images), ("signal", waves)):
        one = dataclasses.replace(usual, kind=kind, shape=samples.shape[1:], count=52, classes=("a", "b"))
        monkeypatch.setattr(
            datasets, "arrays", lambda _dataset, samples=samples: Arrays(samples, labels, np.zeros((52, 0), np.float32))
        )
        monkeypatch.setattr(computed, "FEWEST", 30)
        monkeypatch.setattr(computed, "MOST_STEPS", 30)
        found = anomalies.answer(one, {**anomalies.LAB.settings, "splits": 1}, labs.quiet)
        assert np.mean([method["ap"][0] for method in found.facts["methods"] if method["ours"]]) > 0.9
        assert found.facts["of"] == found.facts["count"] == 52 and answers.packed(found)
        shape = (10, 10, 3) if kind == "image" else (30, 2)
        assert found.arrays["expected"].shape == found.arrays["deviations"].shape == (24, *shape)
    assert found.facts["verdict"].startswith("A tie")


def test_the_verdict_can_be_lost_and_is_not_given_on_a_few() -> None:
    def outcome(ours: list[float], plain: list[float]) -> computed.Outcome:
        truth = np.arange(len(ours)) < len(ours) / 3
        scores = {"combined": np.array(ours, float), "k-NN": np.array(plain, float)}
        return computed.Outcome(0, np.arange(len(ours)), truth, scores, scores, {})

    good, bad = [*range(30, 0, -1)], [*range(30)]
    for ours, plain, words in (
        (good, bad, "The networks win"),
        (bad, good, "k-NN, a plain method, wins: average precision 100.0 %"),
        (good, good, "A tie"),
    ):
        outcomes = [outcome(ours, plain)]
        apart = computed.difference(outcomes, "combined", "k-NN")
        assert anomalies.verdict(outcomes, "k-NN", apart).startswith(words)
    random = np.random.default_rng(0)
    lost = [outcome(*random.permuted(np.tile(np.arange(30.0), (2, 1)), axis=1).tolist()) for _ in range(20)]
    said = anomalies.verdict(lost, "k-NN", computed.difference(lost, "combined", "k-NN", draws=20))
    assert said.startswith("Neither finds them: ") and said.endswith("where scores drawn at random have 33.3 %.")
    few = [outcome(good[:9], bad[:9])]
    said = anomalies.verdict(few, "k-NN", computed.difference(few, "combined", "k-NN"))
    assert said.startswith("Only 3 samples do not belong, too few to say who finds more")


def test_an_answer_about_a_table_is_made_again() -> None:
    """With two splits; the networks' scores depend on the processor in their last digits."""
    dataset = datasets.get("breast-cancer")
    made = anomalies.answer(dataset, {**anomalies.LAB.settings, "splits": 1}, labs.quiet)
    came = engine.shipped_answer(engine.question(anomalies.LAB, dataset, {}))
    assert came is not None and made.facts["words"] == came.facts["words"] == "only benign"
    np.testing.assert_array_equal(made.arrays["test"], came.arrays["test"])
    for before, after in zip(came.facts["methods"], made.facts["methods"], strict=True):
        assert after["ap"][0] == pytest.approx(before["ap"][0], abs=0.02), before["name"]
    assert 0 < made.facts["anomalies"] == 212 and set(made.arrays) == set(came.arrays)


# Answers


def test_a_queue_from_before_there_were_labs_takes_questions(home: Path) -> None:
    with queue.opened(write=True) as connection:
        number = queue.name(connection)
        connection.execute("DROP TABLE questions")
        connection.execute("DROP TABLE askers")
    asked = engine.question(compress.LAB, opened("digits-modern-8"), {})
    engine.ask(asked)
    assert engine.standing(asked).phase == "queued"
    with queue.opened() as connection:
        assert queue.name(connection) == number, "it is the same file: what runs is not asked for again"


def test_answers_about_ones_own_data_are_ones_own_and_go_with_it(home: Path, tmp_path: Path) -> None:
    folder = tmp_path / "mine"
    folder.mkdir()
    dice = np.random.default_rng(0)
    for i in range(40):
        Image.fromarray(dice.integers(0, 256, (8, 8), np.uint8)).save(folder / f"{i}.png")
    found = guarded.guarded_read(folder, tmp_path / "read")
    name = uploads.save(found, "me", "Mine").name
    run = opened("digits-modern-8")
    asked = dataclasses.replace(engine.question(compress.LAB, run, {}), dataset=name)
    with pytest.raises(Problem, match="unknown"):
        engine.ask(asked, "somebody else")
    answers.write(asked, Answer({"verdict": "yes"}, {"a": np.arange(3)}))
    assert engine.kept_answer(asked) is not None
    assert str(asked.path).startswith(str(home / "data"))
    uploads.remove(name, "me")
    assert engine.kept_answer(asked) is None
    with pytest.raises(Problem, match="deleted"):
        answers.write(asked, Answer({}))


def test_an_answer_is_read_once_and_again_when_it_is_another(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = engine.question(compress.LAB, opened("digits-modern-8"), {})
    answers.write(asked, Answer({"a": 1}))
    first = engine.kept_answer(asked)
    assert first is not None and engine.kept_answer(asked) is first and len(first.digest) == 16
    answers.write(asked, Answer({"a": 2}))
    second = engine.kept_answer(asked)
    assert second is not None and second.facts == {"a": 2} and second.digest != first.digest
    monkeypatch.setattr(gzip, "open", lambda _path: (_ for _ in ()).throw(OSError(24, "Too many open files")))
    answers._read_once.cache_clear()
    with pytest.raises(Problem, match="Too many open files"):
        engine.kept_answer(asked)
    assert asked.path.is_file(), "it is not to blame"


def test_what_can_be_seen_meanwhile_is_told_and_not_kept(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = engine.question(anomalies.LAB, datasets.get("digits"), {})
    engine.ask(asked)
    with queue.opened(write=True) as connection:
        connection.execute("UPDATE questions SET state = 'running'")
    asked.folder.mkdir()
    seen, clock = [], itertools.count(0, 0.15)
    monkeypatch.setattr(tasks.time, "monotonic", lambda: next(clock))  # asked once, and again when it is written down

    def compute(_asked: answers.Question, report: labs.Report) -> Answer:
        report("training", 0.1, lambda: {"normal": [1, 2]})
        seen.append(engine.standing(asked))
        report("at once again", 0.15, lambda: pytest.fail("nobody sees it"))
        report("other methods", 0.2)
        seen.append(engine.standing(asked))
        asked.stop.touch()
        report("given up", 0.4)
        return Answer({})

    monkeypatch.setattr(answers, "compute", compute)
    values = dataclasses.asdict(asked)
    assert tasks.answer(str(home), values) == {"withdrawn": True}
    assert [(one.what, one.share, one.sketch) for one in seen] == [
        ("training", 0.1, {"normal": [1, 2]}),
        ("other methods", 0.2, {"normal": [1, 2]}),
    ]
    assert list(asked.folder.iterdir()) == []


def test_an_answer_that_was_altered_is_none(home: Path) -> None:
    asked = engine.question(compress.LAB, opened("digits-modern-8"), {})
    answers.write(asked, Answer({"a": [1, 2.5, "x"]}, {"b": np.arange(6, dtype=np.float32).reshape(2, 3)}))
    found = engine.kept_answer(asked)
    assert found is not None and found.facts == {"a": [1, 2.5, "x"]}
    np.testing.assert_array_equal(found.arrays["b"], [[0, 1, 2], [3, 4, 5]])
    whole = asked.path.read_bytes()
    for content in (whole[:-9], b"", gzip.compress(b"nothing"), gzip.compress(b"\x05" + bytes(7) + b"[1,2]")):
        asked.path.write_bytes(content)
        assert engine.standing(asked).phase == "answered"
        assert engine.kept_answer(asked) is None and engine.standing(asked).phase == "unasked"
    with pytest.raises(ValueError, match="Out of range"):
        answers.packed(Answer({"a": float("nan")}))


def test_answers_for_everybody_take_limited_space(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = opened("digits-modern-8")
    every = [engine.question(compress.LAB, run, {"images": n}) for n in range(1, 6)]
    dice = np.random.default_rng(0)
    monkeypatch.setattr(answers, "MOST", 25_000)
    for i, asked in enumerate(every):
        answers.write(asked, Answer({}, {"noise": dice.integers(0, 256, 10_000, np.uint8)}))
        os.utime(asked.path, (i, i))
    answers._make_room()
    assert [engine.kept_answer(asked) is not None for asked in every] == [False, False, False, True, True]
    answers.forget(run.id)
    assert all(engine.kept_answer(asked) is None for asked in every)


# Pages


def page(name: str, **query: str) -> AppTest:
    """The page of a lab after its first run; fails when it raised."""
    where = "components.views" if name in {found.path for found in views.available()} else "components.views.labs"
    leads = ("Explore", "Train", lab_pages.discovered()[0][0].title)
    return pages.shown(where, name, leads, 300, **query)


def test_every_lab_has_a_page_of_its_name() -> None:
    own, others = ({found.path for found in some} for some in (lab_pages.discovered()[0], views.available()))
    assert own - {lab_pages.OVERVIEW} == set(labs.available()) - others
    assert lab_pages.discovered()[1] == []


def subject(lab: Lab, name: str) -> Run | datasets.Dataset:
    return opened(name) if lab.of == "run" else datasets.get(name)


@pytest.mark.parametrize("lab", LABS)
def test_it_opens_on_an_answer_that_ships(lab: Lab) -> None:
    app = page(lab.name)
    assert app.subheader[0].value == lab.question
    if lab.of == "run":
        run = opened(lab.shipped[0])
        assert app.selectbox(key="run").value == run.id and app.query_params["run"] == run.id
    else:
        assert app.selectbox(key="data").value == app.query_params["data"] == lab.shipped[0]
    assert any("To try" in one.value for one in app.markdown) and len(app.button) >= 3
    assert any("ships with Hourglass" in one.value for one in app.caption)


@pytest.mark.parametrize("lab", LABS)
def test_it_opens_with_everything_that_fits(lab: Lab) -> None:
    """What ships, and three others that are here: what has no answer yet is being computed, which is said."""
    if lab.of == "run":
        fitting = {
            run.folder.name: {"run": run.folder.name} for run in runs.find()[0] if run.pretrained and not lab.fits(run)
        }
    else:
        known = datasets.available().values()
        small = [one for one in known if not lab.fits(one) and not datasets.missing(one) and one.count < 25_000]
        fitting = {one.name: {"data": one.name} for one in small}
    assert set(lab.shipped) <= set(fitting)
    others = [name for name in fitting if name not in lab.shipped]
    for query in (fitting[name] for name in (*lab.shipped[:4], *others[:3])):
        app = page(lab.name, **query)
        assert not app.error and not app.warning
        assert lab.of == "run" or app.selectbox(key="data").value == query["data"]


@pytest.mark.parametrize("lab", LABS)
def test_answers_that_ship_are_those_that_it_names(lab: Lab) -> None:
    asked = {engine.question(lab, subject(lab, name), {}).id for name in lab.shipped}
    there = {path.name.removesuffix(answers.SUFFIX) for path in answers.SHIPPED.glob(f"{lab.name}-*")}
    assert there == asked and asked


def test_answers_that_ship_are_small() -> None:
    assert sum(path.stat().st_size for path in answers.SHIPPED.iterdir()) < 3e6


def test_what_stands_below_a_page_of_text_is_computed_on_demand(home: Path) -> None:
    app = page("denoise", run="text-denoising")
    assert [button.label for button in app.button].count("Compute") == 1 and not queue.path().exists()


@pytest.mark.parametrize(
    ("name", "of", "view"),
    [
        ("compress", {"run": "shapes-convolutional-variational-2"}, {"rate": "5", "image": "2"}),
        ("denoise", {"run": "text-denoising"}, {"noise": "gaussian", "level": "0.20"}),
        ("anomalies", {"data": "waves"}, {"score": "error", "at": "1.5"}),
        ("features", {"run": "mnist-variational"}, {"method": "svm", "named": "A" * 900}),
    ],
)
def test_a_link_keeps_its_view_while_the_answer_is_computed(
    home: Path, monkeypatch: pytest.MonkeyPatch, name: str, of: dict[str, str], view: dict[str, str]
) -> None:
    monkeypatch.setattr(engine, "shipped_answer", lambda _asked: None)
    app = page(name, **of, **view)
    assert app.session_state[f"{name} as"][1] == view
    assert {key: app.query_params[key] for key in view} == view


def test_a_run_that_does_not_fit_is_named_with_the_reason(fruit_run: Run) -> None:
    app = page("compress", run=fruit_run.id)
    assert any("is not shown here: this lab compares with image files" in one.value for one in app.caption)
    assert app.selectbox(key="run").value == opened("digits-modern-8").id and not app.warning


def test_what_is_normal_is_chosen_anew_for_another_dataset() -> None:
    """The second class of one has nothing to do with the second class of another."""
    app = page("anomalies", data="breast-cancer", normal="only 0")
    assert app.selectbox(key="normal").value == "only 0"
    app.selectbox(key="data").select("payments").run()
    assert not app.exception and app.selectbox(key="normal").value == "only 0"  # genuine
    app.selectbox(key="data").select("digits").run()
    assert app.selectbox(key="normal").value == "but 9"
    app.selectbox(key="data").select("breast-cancer").run()
    assert app.selectbox(key="normal").value == "only 1"


def a_digits_answer() -> Answer:
    """Where ten digits lie among others, with numbers of the answer about breast cancer that ships."""
    came = engine.shipped_answer(engine.question(anomalies.LAB, datasets.get("breast-cancer"), {}))
    assert came is not None
    pixels = np.zeros((anomalies.ALARMS, 8, 8, 1), np.float32)
    return dataclasses.replace(came, arrays={**came.arrays, "expected": pixels, "deviations": pixels})


def test_an_alarm_leads_to_its_place_on_a_map_and_back(home: Path) -> None:
    answers.write(engine.question(anomalies.LAB, datasets.get("digits"), {}), a_digits_answer())
    app = page("anomalies", data="digits", miss="100")
    run = runs.open_run(runs.folder_of(app.selectbox(key="map").value))
    assert run.card.dataset.name == "digits"
    listed = app.dataframe[0].value
    for link, row in zip(listed["map"], listed["row"], strict=True):
        said = dict(parse_qsl(urlsplit(link).query))
        place = int(np.flatnonzero(run.rows == row - 1)[0])
        np.testing.assert_array_equal(np.array(said["z"].split(","), np.float32), run.codes[place])
        assert said["run"] == run.id and said["from"] == "anomalies?data=digits&miss=100"
    shown = explored(**said)
    assert shown.query_params["from"] == said["from"] and "Back to Anomalies" in [one.label for one in shown.button]
    for other in ("anomalies?data=cats", "elsewhere?data=digits", "https://example.org", ""):
        shown = explored(run=run.id, **{"from": other})
        assert not any("Back" in one.label for one in shown.button) and "from" not in shown.query_params
    app.selectbox(key="map").select(opened("digits-variational").id).run()
    assert opened("digits-variational").id in app.dataframe[0].value["map"][0]


def explored(**query: str) -> AppTest:
    """The page Explore with this address."""
    return pages.shown("components.views", "explore", **query)


def test_without_a_run_of_the_dataset_one_click_trains_one() -> None:
    app = page("anomalies", data="breast-cancer")
    assert "map" not in app.dataframe[0].value.columns
    assert any("no run of this dataset yet" in one.value for one in app.caption)
    said: dict[str, str] = {}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(st, "switch_page", lambda _page, query_params: said.update(query_params))
        next(one for one in app.button if one.label == "Train one").click().run()
    assert said == {"dataset": "breast-cancer", "architecture": "modern", "code_size": "2"}


@pytest.mark.parametrize("mine", [True, False])
def test_how_an_answer_forms_is_seen_by_those_who_may_see_the_samples(
    mine: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    counts = [0] * computed.BINS
    counts[3] = 7
    standing = engine.Standing("running", "training", 0.4, sketch={"normal": counts, "other": counts[::-1]})
    monkeypatch.setattr(engine, "standing", lambda _asked: standing)
    monkeypatch.setattr(uploads, "readable", lambda _name, _owner: mine)
    app = page("anomalies", data="payments")
    drawn = app.get("html")
    assert len(drawn) == mine and (not mine or "data:image/svg+xml" in drawn[0].proto.body)
    assert any(one.label == "Cancel" for one in app.button)


def test_who_waits_is_told_how_many_come_first(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = (
        engine.question(labs.get(name), runs.open_run(runs.folder_of("digits-single-layer")), {})
        for name in ("features", "compress")
    )
    for asked in (first, second):
        engine.ask(asked)
    assert [engine.standing(one).before for one in (first, second)] == [0, 1]
    monkeypatch.setattr(engine, "engine_alive", lambda: True)
    [bar] = page("compress", run="digits-single-layer").get("progress")
    assert "waiting for a worker; 1 other computation comes first" in bar.proto.text
    with queue.opened(write=True) as connection:
        connection.execute("UPDATE questions SET state = 'running' WHERE id = ?", [first.id])
        queue.add(connection, "0" * 16, {}, "somebody", "cpu", "running")
    assert engine.standing(second).before == 2


def test_a_page_does_not_draw_a_large_dataset(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(datasets, "arrays", lambda _dataset: pytest.fail("a worker does"))
    app = page("anomalies", data="cats")
    assert app.selectbox(key="normal").value == "" and not app.error
    app.selectbox(key="normal").select("only 1").run()
    assert not app.exception and app.query_params["normal"] == "only 1"


def test_ones_own_data_without_classes_are_named_with_what_they_lack(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(visitor, "owner", lambda: "me")
    numbers = np.random.default_rng(0).normal(size=(60, 3))
    for title, header, rows in (
        ("No classes", "a,b,c", numbers),
        ("Tiny classes", "a,b,class", np.column_stack([numbers[:, :2], np.arange(60) // 10 % 2])[:30]),
    ):
        np.savetxt(tmp_path / "table.csv", rows, "%.4f", ",", header=header, comments="")
        found = guarded.guarded_read(tmp_path / "table.csv", tmp_path / title)
        name = uploads.save(found, "me", title).name
    app = page("anomalies", data=name)
    assert any(
        one.value.startswith(":material/info: No classes is not in the list: its samples have no")
        for one in app.caption
    )
    app.selectbox(key="normal").select("only 1").run()
    assert not app.exception and "Choose “only 0”" in app.info[0].value and not app.button
    for title in ("No classes either", "Nor here"):
        np.savetxt(tmp_path / "table.csv", numbers + len(title), "%.4f", ",", header="a,b,c", comments="")
        uploads.save(guarded.guarded_read(tmp_path / "table.csv", tmp_path / title), "me", title)
    [said] = [one for one in page("anomalies").caption if "not in the list" in one.value]
    assert "3 of your datasets" in said.value
    assert all(title in said.help for title in ("No classes", "No classes either", "Nor here"))


@pytest.mark.parametrize(
    ("low", "high", "words"),
    [
        (0.5, 1.25, "better by 0.5 to 1.2"),
        (-1.25, -0.5, "worse by 0.5 to 1.2"),
        (-0.5, 1.0, "between 0.5 worse and 1.0 better"),
    ],
)
def test_how_far_ahead_a_network_is_says_better_or_worse(low: float, high: float, words: str) -> None:
    assert labs.lead(low, high, "{:.1f}".format) == f"(the network is {words} in 95 of 100 resamplings)"


def test_how_far_each_method_falls_stands_beside(home: Path) -> None:
    dataset = datasets.get("breast-cancer")
    app = page("anomalies", data="breast-cancer")
    assert "ROC-AUC without anomalies in training [%]" not in app.dataframe[-1].value.columns
    clean = engine.shipped_answer(engine.question(anomalies.LAB, dataset, {}))
    assert clean is not None
    mixed = engine.question(anomalies.LAB, dataset, {"contaminated": True})
    answers.write(mixed, dataclasses.replace(clean, facts={**clean.facts, "contaminated": True}))
    shown = page("anomalies", data="breast-cancer", contaminated="yes").dataframe[-1].value
    told = {one["title"]: 100 * np.mean(one["roc"]) for one in clean.facts["methods"]}
    beside = dict(zip(shown["method"], shown["ROC-AUC without anomalies in training [%]"], strict=True))
    assert beside == pytest.approx(told)


def test_a_setting_that_does_not_exist_is_told() -> None:
    with pytest.raises(Problem, match="no setting"):
        engine.question(compress.LAB, opened("digits-modern-8"), {"nothing": 1})
    with pytest.raises(Problem, match="no lab"):
        labs.get("alchemy")


def test_from_the_shell(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["lab", "compress", "digits-modern-8", "--set", "images=30", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["count"] == 30 and "bytes" in told["verdict"]
    assert engine.kept_answer(engine.question(compress.LAB, opened("digits-modern-8"), {"images": 30})) is not None
    assert main(["lab", "compress", "digits-modern-8", "--set", "images=x"]) == 1
    assert "is no value of images" in capsys.readouterr().err

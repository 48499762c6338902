"""The lab Generate: how codes are spread, what is drawn from that, and how good it is."""

import dataclasses
import io
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from models import PRETRAINED, blocks, datasets, density, engine, export, labs, runs
from models.analysis import likeness
from models.codes import to_float
from models.density import Codes, Density
from models.engine import answers
from models.labs import _judge, generate

SHIPPED = sorted(path.name for path in PRETRAINED.iterdir() if path.is_dir())


def opened(name: str) -> runs.Run:
    return runs.open_run(runs.folder_of(name))


def two_classes(count: int = 600) -> Codes:
    """Two clouds of three numbers, far from each other, the first twice as large."""
    random = np.random.default_rng(0)
    labels = (np.arange(2 * count) % 3 == 0).astype(np.int32)
    codes = random.normal(0, [1, 0.5, 0.1], (2 * count, 3)) + 8 * labels[:, None]
    codes = codes.astype(np.float32)
    return Codes(codes[:count], labels[:count], codes[count:], 2)


def test_what_is_drawn_has_the_mean_and_the_covariance_of_the_codes() -> None:
    random = np.random.default_rng(1)
    turned = np.array([[1.0, 0.8, 0.0], [0.0, 0.6, 0.3], [0.0, 0.0, 2.0]])
    codes = (random.normal(0, 1, (4000, 3)) @ turned + [5, -3, 100]).astype(np.float32)
    for found in (density.gaussian(codes), density.mixture(codes, 1)):
        drawn = found.draw(40_000, seed=2)
        np.testing.assert_allclose(drawn.mean(0), codes.mean(0), atol=0.05)
        np.testing.assert_allclose(np.cov(drawn.T), np.cov(codes.T), atol=0.12)
        still = found.draw(5, seed=2, temperature=0)
        np.testing.assert_allclose(still, np.tile(codes.mean(0), (5, 1)), rtol=1e-4)


@pytest.mark.parametrize("ridge", density.RIDGES)
def test_one_component_is_what_scikit_learn_finds(ridge: float) -> None:
    from sklearn.mixture import GaussianMixture

    codes = two_classes().train
    mean, unit = codes.mean(0), codes.std(0)
    fit = GaussianMixture(1, reg_covar=ridge).fit(((codes - mean) / unit).astype(np.float64))
    found = density.mixture(codes, 1, ridge)
    np.testing.assert_allclose(found.means, fit.means_ * unit + mean, rtol=1e-6)
    factors = found.factors[0] / unit[:, None]
    np.testing.assert_allclose(factors @ factors.T, fit.covariances_[0], rtol=1e-5)


def test_the_density_is_that_of_a_normal_distribution() -> None:
    one = Density(
        np.ones(1, np.float32), np.zeros((1, 2), np.float32), 2 * np.eye(2, dtype=np.float32)[None], np.zeros((1, 0))
    )
    at = one.log_densities(np.array([[0, 0], [2, 0]], np.float32))
    np.testing.assert_allclose(at, [-np.log(8 * np.pi), -np.log(8 * np.pi) - 0.5], rtol=1e-6)


def test_a_class_is_drawn_by_itself_and_as_often_as_it_is() -> None:
    codes = two_classes()
    found = density.best(codes)
    assert found.shares.shape == (found.count, 2)
    for label, middle in ((0, 0.0), (1, 8.0)):
        assert np.abs(found.draw(500, 3, label=label).mean(1) - middle).max() < 3
    assert (found.draw(6000, 3).mean(1) > 4).mean() == pytest.approx(1 / 3, abs=0.03)
    plain = density.with_shares(density.mixture(codes.train, 2), codes.train, codes.labels, 2)
    assert np.sort(plain.shares[:, 1]) == pytest.approx([0, 1], abs=1e-3)
    assert np.abs(plain.draw(200, 4, label=1).mean(1) - 8).max() < 3


def test_more_components_are_taken_only_where_held_out_codes_get_likelier() -> None:
    random = np.random.default_rng(5)
    angle = random.uniform(0, 2 * np.pi, 3000)
    ring = np.stack([np.cos(angle), np.sin(angle)], 1) + random.normal(0, 0.05, (3000, 2))
    none = np.full(2000, -1, np.int32)
    around = Codes(ring[:2000].astype(np.float32), none, ring[2000:].astype(np.float32), 0)
    assert density.best(around).count >= 10
    cloud = random.normal(0, 1, (3000, 2)).astype(np.float32)
    assert density.best(Codes(cloud[:2000], none, cloud[2000:], 0)).count <= 2


@pytest.mark.parametrize("codes", [np.ones((40, 3)), np.zeros((2, 3)), np.eye(3)[np.arange(40) % 3]])
def test_codes_that_hardly_differ_have_a_density(codes: np.ndarray) -> None:
    some = codes.astype(np.float32)
    found = density.best(Codes(some, np.full(len(some), -1, np.int32), some, 0))
    assert np.isfinite(found.draw(50, 0)).all() and np.isfinite(found.factors).all()
    assert density.unpacked(found.packed()).count == found.count


def test_a_packed_density_is_the_same_and_anything_else_is_refused() -> None:
    found = density.best(two_classes())
    again = density.unpacked(found.packed())
    np.testing.assert_allclose(again.draw(100, 6), found.draw(100, 6), atol=0.02)
    bad = [
        dataclasses.replace(found, means=np.full_like(found.means, np.nan)),
        dataclasses.replace(found, weights=np.zeros_like(found.weights)),
        dataclasses.replace(found, shares=found.shares[:1]),
    ]
    for content in (b"", b"nothing", found.packed()[:-4], *(one.packed() for one in bad)):
        with pytest.raises(ValueError):
            density.unpacked(content)


@pytest.mark.parametrize("name", SHIPPED)
def test_every_shipped_run_says_how_its_codes_are_spread(name: str) -> None:
    """Likelier for its own stored codes than numbers that know nothing of each other: it is of this run."""
    run = opened(name)
    found = density.stored(run.folder / density.FILE, run.code_size)
    assert found is not None and len(found.packed()) < 30_000
    some = np.asarray(run.codes[:400])
    assert density.stored(run.folder / density.FILE, run.code_size + 1) is None
    spread = np.maximum(run.codes.std(0), 1e-6)
    apart = np.square((some - run.codes.mean(0)) / spread).sum(1) / 2
    alone = -apart - np.log(spread * np.sqrt(2 * np.pi)).sum()
    assert found.log_densities(some).mean() > alone.mean()


def test_the_density_travels_with_a_run_and_is_not_part_of_its_digest(home: Path) -> None:
    run = opened("digits-modern-8")
    assert density.FILE not in run.card.files and density.FILE in blocks.of(run, bits=8, encoder=False).blocks
    content = export.pack(run)
    back = runs.unpack(content)
    assert back.density.count == run.density.count > 1
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as whole, zipfile.ZipFile(out, "w") as spoilt:
        for name in whole.namelist():
            spoilt.writestr(name, b"no density" if name.endswith(density.FILE) else whole.read(name))
    (back.folder / density.FILE).unlink()
    without = runs.open_run(back.folder)  # as runs were before there was one
    assert without.digest == back.digest and without.density.count == 1
    np.testing.assert_allclose(without.density.draw(4000, 0).mean(0), without.codes.mean(0), atol=0.2)
    for path in sorted(back.folder.rglob("*"), reverse=True):
        path.unlink() if path.is_file() else path.rmdir()
    back.folder.rmdir()
    opened_again = runs.unpack(out.getvalue())
    assert not (opened_again.folder / density.FILE).exists() and opened_again.density.count == 1


# Likeness


def test_the_frechet_distance_is_that_of_two_normal_distributions() -> None:
    """Of independent numbers it is the sum of (m - n)² + (s - t)² of their deviations."""
    random = np.random.default_rng(0)
    first = random.normal([0, 1, 2], [1, 2, 3], (60_000, 3)).astype(np.float32)
    second = random.normal([0, 2, 2], [1, 2, 1], (60_000, 3)).astype(np.float32)
    assert likeness.frechet(first, first) == pytest.approx(0, abs=1e-6)
    assert likeness.frechet(first, second) == pytest.approx(1 + 4, rel=0.03)


def test_precision_falls_with_what_looks_like_nothing_and_recall_with_what_is_never_drawn() -> None:
    random = np.random.default_rng(0)
    real = random.normal(0, 1, (600, 2)).astype(np.float32)
    like = random.normal(0, 1, (600, 2)).astype(np.float32)
    precision, recall = likeness.precision_recall(real, like)
    assert min(precision, recall) > 0.85
    away = np.concatenate([like[:300], like[300:] + 50])
    assert likeness.precision_recall(real, away)[0] == pytest.approx(0.5, abs=0.07)
    left = like - [2.5, 0] * (like > 0.5)
    precision, recall = likeness.precision_recall(real, left[left[:, 0] < 0].astype(np.float32))
    assert recall < 0.75 < precision


def test_the_nearest_is_found_among_all_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(likeness, "AT_ONCE", 7)
    stored = np.random.default_rng(0).integers(0, 256, (50, 4, 4, 1)).astype(np.uint8)
    rows = np.arange(49, -1, -1)
    asked = stored[[3, 40]].astype(np.float32) / 255 + np.float32(0.01)
    apart, places = likeness.nearest(asked, likeness.Rows(stored, rows))
    assert rows[places].tolist() == [3, 40]
    np.testing.assert_allclose(apart, 0.01, rtol=1e-3)


def test_the_network_that_judges_digits_is_always_the_same() -> None:
    """A distance is of use beside others only where all were measured by the same network."""
    judge = _judge.shipped(datasets.get("mnist"))
    assert judge.digest == "43f6b572fd75e005" and judge.classes == 10
    samples = np.random.default_rng(0).random((3, 28, 28, 1), np.float32)
    assert judge.features(samples).shape == (3, _judge.FEATURES)


# The answer


def ways(**distances: float) -> list[dict[str, Any]]:
    spread = {"spread": 0.1, "copies": 0.0}
    return [
        {"name": name, "title": f"the {name}", "distance": distance, **spread} for name, distance in distances.items()
    ]


def test_the_verdict_can_lose_and_says_when_it_copies() -> None:
    facts = {
        "kind": "image",
        "count": 1000,
        "tested": 500,
        "floor": 0.5,
        "chosen": "kernel",
        "copies": {"reconstructed": 0.02, "count": 400},
    }
    for ours, theirs, won in ((1.0, 3.0, "network"), (3.0, 1.0, "plain"), (2.0, 2.1, "tie")):
        told = generate.outcome({**facts, "ways": ways(kernel=ours, pca=theirs)}, "pca")
        assert (told["won"], told["against"]) == (won, "the pca") and len(told["by"]) <= 90
        assert "copies" not in told["verdict"] and f"{ours:.3g} from real ones" in told["verdict"]
    few = generate.outcome({**facts, "tested": 50, "ways": ways(kernel=1.0, pca=3.0)}, "pca")
    assert few["won"] == "open"
    copying = ways(kernel=1.0, pca=3.0)
    copying[0]["copies"] = 0.3
    assert "30% of them are all but copies" in generate.outcome({**facts, "ways": copying}, "pca")["verdict"]


def test_what_repeats_training_samples_is_found_to_copy() -> None:
    run = opened("digits-modern-8")
    content, splits = datasets.arrays(run.dataset), run.dataset.splits()
    train, test = (np.flatnonzero(splits == split) for split in (datasets.TRAIN, datasets.TEST))
    copies = generate.Copies.of(run, to_float(content.samples[test]), content.samples, train)
    assert copies.share(to_float(content.samples[train[:50]])) == 1.0
    assert copies.share(to_float(content.samples[test])) <= 0.02
    faint = to_float(content.samples[train[:50]]) * np.float32(0.97)
    assert copies.share(faint) > 0.9


def test_an_answer_draws_and_measures_every_way(monkeypatch: pytest.MonkeyPatch) -> None:
    """With few components and a judge that learns for a second; of a variational run, which has a prior."""
    monkeypatch.setattr(density, "COMPONENTS", (1, 5))
    monkeypatch.setattr(density, "EACH", (1, 2))
    monkeypatch.setattr(generate, "MORE", ())
    from models.training import reader

    monkeypatch.setattr(reader, "EPOCHS", 1)
    run = opened("digits-variational")
    found = generate.answer(run, generate.LAB.chosen({}), labs.quiet)
    facts, arrays = found.facts, found.arrays
    names = [way["name"] for way in facts["ways"]]
    assert names == ["prior", "mixture-1", "mixture-5", "classes", "kernel", "pca-2"]
    assert facts["sizes"] == [1, 5] and facts["curve"] == [way["distance"] for way in facts["ways"][1:3]]
    assert all(way["distance"] > 0.5 * facts["floor"] for way in facts["ways"])
    assert density.unpacked(arrays["mixture-5"].tobytes()).shares.shape == (5, 10)
    assert arrays["directions"].shape == (10, 2) and len(arrays["nearest"]) == generate.SHOWN
    assert labs.finding(facts).won in ("network", "plain", "tie") and answers.packed(found)
    draws = {one["name"]: one for one in facts["attributes"]}
    assert all(one["class"] and len(one["reached"]) == len(one["asked"]) for one in draws.values())


def test_the_shipped_answer_moves_shapes_by_their_factors() -> None:
    """What was asked of a factor is what the judge sees, more or less, and in that direction."""
    run = opened("shapes-convolutional-variational")
    came = engine.shipped_answer(engine.question(generate.LAB, run, {}))
    assert came is not None
    told = {one["name"]: one for one in came.facts["attributes"]}
    assert set(told) == {"scale", "rotation", "x", "y"}
    for one in told.values():
        assert one["reached"] == sorted(one["reached"]) and one["reached"][-1] > 0.5 > max(one["others"])

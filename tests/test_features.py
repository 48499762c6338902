"""Features: what codes and hidden layers tell with few labels, beside plain features, and the encoder as a classifier."""

import io

import numpy as np
import pytest

from components.views.labs import features as page
from models import datasets, engine, export, runs
from models.analysis import hidden, probing
from models.analysis.probing import Labels, Parts, Probe
from models.labs import features
from models.runs import Run


@pytest.fixture(scope="module")
def digits() -> Run:
    return runs.open_run(runs.folder_of("digits-modern-8"))


def clouds(count: int, classes: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Codes of clouds far apart, and which each belongs to."""
    dice = np.random.default_rng(seed)
    labels = dice.integers(0, classes, count)
    return (10 * np.eye(classes)[labels] + dice.normal(size=(count, classes))).astype(np.float32), labels


def test_what_is_apart_is_told_with_one_label_by_every_method_and_noise_by_none() -> None:
    sets = [clouds(count, 3, seed) for seed, count in enumerate((120, 60, 60))]
    known, counts = Labels(*(labels for _, labels in sets)), [1, 5]
    for name, found in probing.probe(Parts(*(codes for codes, _ in sets)), known, counts, draws=2):
        assert found.right.shape == (2, 2, 60) and found.right.all() and (found.validation == 1).all(), name
    noise = Parts(*(np.random.default_rng(9).normal(size=(len(codes), 3)).astype(np.float32) for codes, _ in sets))
    for name, found in probing.probe(noise, known, counts, draws=2):
        assert found.right.mean() < 0.6, name


def test_more_labels_are_those_of_before_and_others_of_each_class_alike() -> None:
    labels = np.repeat([0, 3, 4], (7, 20, 9))
    few, many = probing.drawn(labels, 2, seed=1), probing.drawn(labels, 5, seed=1)
    np.testing.assert_array_equal(few, many[:, :2])
    np.testing.assert_array_equal(labels[many], np.repeat([[0], [3], [4]], 5, 1))
    assert probing.counts_of(labels) == [1, 2, 5] and probing.counts_of(np.array([0, 1, 1])) == [1]


def test_judged_samples_take_no_part() -> None:
    """Inductive: what is told of a sample does not hang on the others that are judged."""
    train, labels = clouds(90, 3, 0)
    judged, truth = clouds(40, 3, 1)
    judged += 4 * np.random.default_rng(2).normal(size=judged.shape).astype(np.float32)
    whole = {
        n: p.right for n, p in probing.probe(Parts(train, judged[:5], judged), Labels(labels, truth[:5], truth), [2], 1)
    }
    part = {
        n: p.right
        for n, p in probing.probe(Parts(train, judged[:5], judged[:9]), Labels(labels, truth[:5], truth[:9]), [2], 1)
    }
    for name, right in part.items():
        np.testing.assert_array_equal(right, whole[name][..., :9])


def test_neighbours_are_those_of_scikit_learn() -> None:
    from sklearn.neighbors import NearestNeighbors

    codes, _ = clouds(60, 4, 3)
    places, squared = probing.near(codes, codes, own=True)
    far, expected = NearestNeighbors(n_neighbors=probing.NEIGHBOURS + 1).fit(codes).kneighbors(codes)
    np.testing.assert_array_equal(places, expected[:, 1:])
    np.testing.assert_allclose(np.sqrt(squared), far[:, 1:], rtol=1e-3)


def test_hidden_layers_are_those_of_torch(digits: Run) -> None:
    import torch
    from safetensors.torch import load_file

    from models.runs import networks

    images = np.asarray(datasets.arrays(digits.dataset).samples[:5])
    encoder = networks.blueprint(digits).build().encoder.eval()
    weights = load_file(digits.folder / "weights.safetensors")
    encoder.load_state_dict(
        {k.removeprefix("encoder."): v.float() for k, v in weights.items() if k.startswith("encoder")}
    )
    seen: list[np.ndarray] = []
    for module in encoder.modules():
        if isinstance(module, torch.nn.GELU):
            module.register_forward_hook(lambda _m, _given, out: seen.append(out.numpy()))
    with torch.no_grad():
        encoder(torch.from_numpy(images / np.float32(255)))
    made = hidden.Encoder(digits)
    assert made.shapes == [(512,), (256,)]
    for ours, theirs in zip(made(images), seen, strict=True):
        np.testing.assert_allclose(ours, theirs, atol=1e-4)


@pytest.mark.parametrize("name", ["digits-convolutional", "digits-single-layer", "shapes-convolutional-variational-2"])
def test_layers_of_other_architectures_are_numbers_of_no_great_width(name: str) -> None:
    run = runs.open_run(runs.folder_of(name))
    images = np.zeros((3, *run.shape), np.uint8)
    encoder = hidden.Encoder(run)
    found = encoder(images)
    assert len(found) == len(encoder.shapes) and all(len(one) == 3 and one.shape[1] <= hidden.MOST for one in found)
    assert (len(found) > 0) == (name != "digits-single-layer")


def test_averages_keep_the_mean() -> None:
    image = np.random.default_rng(0).random((2, 12, 12, 3)).astype(np.float32)
    small = hidden.averaged(image, 48)
    assert small.shape == (2, 4, 4, 3)
    np.testing.assert_allclose(small.mean((1, 2)), image.mean((1, 2)), rtol=1e-5)


def probes(ours: float, plain: float, samples: int) -> dict[tuple[str, str], Probe]:
    """So large shares right, of the same samples."""
    dice = np.random.default_rng(0).random((1, 5, samples))
    return {
        ("codes", "svm"): Probe(dice < ours, np.full((1, 5), ours)),
        ("pca", "linear"): Probe(dice < plain, np.full((1, 5), plain)),
        ("pca", "svm"): Probe(dice < 2, np.full((1, 5), plain - 0.1)),  # better on test samples, which choose nothing
    }


@pytest.mark.parametrize(
    ("ours", "plain", "samples", "won"),
    [
        (0.9, 0.8, 400, "network"),
        (0.8, 0.9, 400, "plain"),
        (0.9, 0.9, 400, "tie"),
        (0.9, 0.8, 40, "open"),
        (0.5, 0.4, 400, "open"),
    ],
)
def test_the_verdict_can_be_lost(ours: float, plain: float, samples: int, won: str) -> None:
    kinds = [{"name": "codes", "title": "codes", "ours": True}, {"name": "pca", "title": "PCA", "ours": False}]
    truth = np.arange(samples) % 2
    found = features.judged_at(kinds, probes(ours, plain, samples), 0, 10, Labels(truth, truth, truth))
    assert found["won"] == won and found["plain"] == ["pca", "linear"] and len(found["by"]) <= 90
    said = {"network": "wins", "plain": "loses", "tie": "a tie", "open": "open"}[won]
    assert said in found["words"] and f"{100 * found_share(found):.1f} %" in found["words"]


def test_where_a_hidden_layer_is_better_the_verdict_tells_of_the_codes_too() -> None:
    kinds = [
        {"name": "hidden 1", "title": "hidden layer 1 (512)", "ours": True},
        {"name": "codes", "title": "codes (8)", "ours": True},
        {"name": "pca", "title": "PCA", "ours": False},
    ]
    dice, truth = np.random.default_rng(0).random((1, 5, 400)), np.arange(400) % 2
    found = probes(0.7, 0.8, 400) | {
        ("codes", "linear"): Probe(dice < 0.9, np.full((1, 5), 0.6)),  # better on test samples, which choose nothing
        ("hidden 1", "svm"): Probe(dice < 0.95, np.full((1, 5), 0.95)),
    }
    codes = 100 * float((dice < 0.7).mean())
    words = features.judged_at(kinds, found, 0, 10, Labels(truth, truth, truth))["words"]
    assert words.endswith(f". The codes (8) reach {codes:.1f} % with support vectors.")


def found_share(found: dict[str, object]) -> float:
    return float(str(found["by"]).split(" %")[0]) / 100


def test_a_shipped_answer_is_that_of_its_command(digits: Run) -> None:
    """Of a few samples, so that it takes a second: the same features, methods and counts, and about as much right."""
    came = engine.shipped_answer(engine.question(features.LAB, digits, {}))
    assert came is not None
    made = features.answer(digits, features.LAB.chosen({"samples": 400}), lambda *_: None)
    before, after = came.facts, made.facts
    assert [one["name"] for one in before["features"]] == [one["name"] for one in after["features"]]
    shared = len(after["counts"])
    for old, new in zip(before["curves"], after["curves"], strict=True):
        assert (old["features"], old["method"]) == (new["features"], new["method"])
        assert np.abs(np.subtract(old["mean"][:shared], new["mean"])).max() < 0.2
    assert after["verdict"] == after["verdicts"][after["usual"]]["words"] and after["won"] in (
        "network",
        "plain",
        "tie",
    )


def test_the_encoder_learns_from_labels_in_three_ways(digits: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    from models.training import fine_tuning

    monkeypatch.setattr(fine_tuning, "STEPS", 60)
    monkeypatch.setattr(fine_tuning, "LOOKS", 3)
    monkeypatch.setattr(fine_tuning, "LAYER_STEPS", 10)
    sketches: list[dict[str, object]] = []
    asked = features.LAB.chosen({"labels": 5, "samples": 300, "judged": 60})
    facts = features.answer(
        digits, asked, lambda _what, _share, sketch=None: sketches.append(sketch()) if sketch else None
    ).facts
    assert [one["name"] for one in facts["ways"]] == ["scratch", "pre-trained", "greedy"] and facts["steps"] == [
        0,
        20,
        40,
        60,
    ]
    for one in facts["ways"]:
        assert len(one["mean"]) == 4 and one["mean"][-1] > one["mean"][0] + 0.3
    assert "5 labels a class" in facts["verdict"] and len(sketches) == 12
    assert "<img" in page.forming(sketches[-1])


def test_hidden_layers_leave_as_a_table(digits: Run) -> None:
    import pyarrow.parquet as pq

    table = pq.read_table(io.BytesIO(page.table(digits, 1, "table", False)))
    assert table.num_rows == digits.count and table.column_names[:3] == ["row", "split", "digit"]
    assert "h256" in table.column_names and "h257" not in table.column_names
    few = np.zeros((digits.count, 2), np.float32)
    assert export.features(digits, few, "codes").decode().splitlines()[0] == "row,split,digit,h1,h2"


@pytest.mark.parametrize("name", ["digits-modern-8", "mnist-modern-30", "mnist-variational"])
def test_who_can_be_named_does_not_judge(name: str) -> None:
    import base64

    run = runs.open_run(runs.folder_of(name))
    sent = page.on_map(run)
    pool, judges = (np.frombuffer(base64.b64decode(sent[part]), "<i4") for part in ("pool", "judges"))
    assert not set(pool) & set(judges) and len(pool) >= page.FEWEST and len(judges) >= 100
    assert (run.splits[judges] == datasets.TEST).all()

"""The lab Anomalies: measures with known values, detectors that must find what was put there, and who may know what."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest

from models import Problem, datasets
from models.analysis import anomalies, detectors
from models.labs import Sketch

ROOT = Path(__file__).resolve().parents[1]


@contextmanager
def steps(count: int) -> Iterator[None]:
    """So many training steps: few are enough for what is put into these tables."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(anomalies, "FEWEST", count)
        patch.setattr(anomalies, "MOST_STEPS", count)
        yield


@pytest.fixture(scope="module")
def table() -> tuple[np.ndarray, np.ndarray]:
    """600 rows near a plane in 6 dimensions (N, 6), then 40 that lie within the same ranges and off it."""
    random = np.random.default_rng(0)
    plane = random.normal(size=(2, 6))
    rows = random.normal(size=(640, 2)) @ plane + random.normal(0, 0.1, (640, 6))
    for column in rows.T:
        random.shuffle(column[600:])  # each number is usual, together they are not
    return rows.astype(np.float32), np.arange(640) >= 600


@pytest.fixture(scope="module")
def fitted(table: tuple[np.ndarray, np.ndarray]) -> tuple[anomalies.Detector, anomalies.Split]:
    rows, anomalous = table
    parts = anomalies.split(anomalous, 0)
    with steps(300):
        return anomalies.fit(rows, parts), parts


# Measures


def test_a_perfect_ranking_has_area_and_precision_1_and_a_constant_one_half() -> None:
    truth = np.array([False, True, False, True, False])
    perfect = np.array([0.1, 2.0, -1.0, 0.9, 0.2])
    assert anomalies.roc_auc(truth, perfect) == anomalies.average_precision(truth, perfect) == 1
    assert anomalies.roc_auc(truth, -perfect) == 0
    constant = np.zeros(5)
    assert anomalies.roc_auc(truth, constant) == 0.5 and anomalies.average_precision(truth, constant) == 0.4


def test_measures_equal_those_by_hand() -> None:
    truth = np.array([True, False, True, False])
    said = np.array([4.0, 3.0, 2.0, 1.0])
    assert anomalies.roc_auc(truth, said) == 0.75  # 3 of 4 pairs
    assert anomalies.average_precision(truth, said) == pytest.approx((1 + 2 / 3) / 2)


def test_measures_equal_scikit_learns_with_ties() -> None:
    from sklearn.metrics import average_precision_score, roc_auc_score

    random = np.random.default_rng(1)
    for _ in range(5):
        truth, said = random.random(200) < 0.2, np.round(random.normal(size=200), 1)
        assert anomalies.roc_auc(truth, said) == pytest.approx(roc_auc_score(truth, said))
        assert anomalies.average_precision(truth, said) == pytest.approx(average_precision_score(truth, said))


def test_what_is_above_the_threshold_is_an_alarm_and_costs_follow() -> None:
    truth, said = np.array([True, True, False, False, False]), np.array([5.0, 1.0, 4.0, 2.0, 0.0])
    counted = anomalies.confusion(truth, said, 2.0)
    assert (counted.found, counted.false_alarms, counted.missed, counted.quiet) == (1, 1, 1, 2)
    assert (counted.accuracy, counted.precision, counted.recall) == (0.6, 0.5, 0.5)
    levels, costs = anomalies.costs_by_threshold(truth, said, miss=10, false_alarm=1)
    assert costs.tolist() == [3, 2, 12, 11, 10, 20]
    for level, cost in zip(levels, costs, strict=True):
        one = anomalies.confusion(truth, said, level)
        assert cost == 10 * one.missed + one.false_alarms
    assert anomalies.best_threshold(truth, said, 10, 1) == (0.0, 2.0)
    assert anomalies.best_threshold(truth, said, 1, 10) == (4.0, 1.0)


def test_the_threshold_lets_its_share_of_the_held_out_rows_pass() -> None:
    held_out = np.arange(100.0)
    level = anomalies.threshold(held_out, 0.95)
    assert (held_out > level).sum() == 4 and level == 95


# Who may know what


def test_splits_keep_anomalies_for_the_test_unless_told_otherwise() -> None:
    anomalous = np.arange(1000) % 20 == 0
    clean, mixed = anomalies.split(anomalous, 3), anomalies.split(anomalous, 3, contaminated=True)
    for parts in (clean, mixed):
        every = np.concatenate([parts.train, parts.validation, parts.test])
        assert sorted(every) == list(range(1000)), "each row once"
    assert not anomalous[np.concatenate([clean.train, clean.validation])].any() and anomalous[clean.test].sum() == 50
    assert (len(clean.train), len(clean.validation)) == (475, 95)
    assert anomalous[mixed.train].sum() == 25 and anomalous[mixed.validation].sum() == 5
    assert set(mixed.test) < set(clean.test), "so that both can be judged on the same rows"
    assert set(clean.train) < set(mixed.train)
    assert not np.array_equal(clean.train, anomalies.split(anomalous, 4).train)
    with pytest.raises(Problem, match="something else as normal"):
        anomalies.split(np.zeros(100, bool), 0)


def test_neither_labels_nor_test_rows_reach_the_detector(table: tuple[np.ndarray, np.ndarray]) -> None:
    """Scale, weights and the threshold stay what they are when the test rows are others, and when nobody knows the labels."""
    rows, anomalous = table
    parts = anomalies.split(anomalous, 0)
    other = rows.copy()
    other[parts.test] = 1e6
    methods = (*anomalies.OURS, "k-NN", "PCA Mahalanobis", "ECOD")
    with steps(20):
        one = anomalies.outcome(rows, anomalous, parts, methods=methods)
        two = anomalies.outcome(other, ~anomalous, parts, methods=methods)
    for method in methods:
        np.testing.assert_array_equal(one.held_out[method], two.held_out[method])
        assert len(one.held_out[method]) == len(parts.validation)


# Detectors


def test_what_was_put_there_is_found_by_dependence_alone(
    table: tuple[np.ndarray, np.ndarray], fitted: tuple[anomalies.Detector, anomalies.Split]
) -> None:
    rows, anomalous = table
    detector, parts = fitted
    found = anomalies.scores(detector, rows[parts.test])
    assert set(found) == set(anomalies.OURS)
    assert all(abs(np.median(values[~anomalous[parts.test]])) < 0.5 for values in found.values()), "0 is usual"
    for name in ("error", "correction", "combined"):
        assert anomalies.roc_auc(anomalous[parts.test], found[name]) > 0.95, name
    alone = detectors.ecod(rows[parts.train], rows[parts.test])
    assert anomalies.roc_auc(anomalous[parts.test], alone) < 0.8, "column by column they are usual"


def test_the_column_that_was_changed_is_to_blame_and_what_was_there_is_expected(
    table: tuple[np.ndarray, np.ndarray], fitted: tuple[anomalies.Detector, anomalies.Split]
) -> None:
    rows, anomalous = table
    detector, parts = fitted
    some = rows[parts.test[~anomalous[parts.test]]][:30]
    changed = some.copy()
    shift = 3 * rows.std(0)[4]
    changed[:, 4] += shift
    told = anomalies.blame(detector, changed)
    assert told.expected.shape == told.deviations.shape == some.shape
    assert (np.abs(told.deviations).argmax(1) == 4).mean() > 0.9 and (told.deviations[:, 4] > 0).mean() > 0.9
    assert (told.expected[:, 4] < changed[:, 4]).mean() > 0.9
    assert np.abs(anomalies.blame(detector, some).deviations).max() < np.abs(told.deviations[:, 4]).mean()


def test_a_training_row_is_nearest_to_itself(
    table: tuple[np.ndarray, np.ndarray], fitted: tuple[anomalies.Detector, anomalies.Split]
) -> None:
    detector, parts = fitted
    assert (anomalies.nearest_normal(detector, table[0][parts.train[:20]]) == parts.train[:20]).all()


def test_numpy_computes_what_torch_does(table: tuple[np.ndarray, np.ndarray]) -> None:
    import torch

    from models.training import denoiser

    rows = anomalies.Scale.of(table[0], 0)(table[0])
    weights = denoiser.train(rows, 2, 20, 0, lambda _share, _weights: None)
    again = denoiser.train(rows, 2, 20, 0, lambda _share, _weights: None)
    assert all((weights[name] == again[name]).all() for name in weights), "the same seed, the same weights"
    detector = anomalies.Detector(anomalies.Scale.of(table[0], 0), weights, np.arange(5), rows[:5, :2])
    for place, module in enumerate((denoiser.Direct(6), denoiser.Scaled(6))):
        name = anomalies.DENOISERS[place]
        module.load_state_dict(
            {k.partition(".")[2]: torch.from_numpy(v) for k, v in weights.items() if k.startswith(name)}
        )
        x = torch.from_numpy(rows)
        expected = (module(x, torch.full((len(x), 1), 0.5)) - x).detach().numpy()
        np.testing.assert_allclose(detector.corrections(rows, 0.5)[place], expected, atol=1e-4)


def test_a_row_and_its_scale_come_back() -> None:
    rows = np.random.default_rng(2).normal(5, 2, (100, 3)).astype(np.float32)
    rows[0] = 500  # far away
    rows[:, 2] = 7  # constant
    scale = anomalies.Scale.of(rows[1:], 0)
    scaled = scale(rows)
    assert np.isfinite(scaled).all() and scaled[0, 0] < 10 and (scaled[1:, 2] == 0).all()
    np.testing.assert_allclose(scale.back(scaled), rows, rtol=1e-3)
    one = anomalies.Scale.of(rows, 1).deviation
    assert (one == one[0]).all()
    channels = np.random.default_rng(3).normal(0, np.tile([1, 1000], 4), (500, 8)).astype(np.float32)
    of_each = anomalies.Scale.of(channels, 2).deviation
    assert (of_each == np.tile(of_each[:2], 4)).all() and of_each[:2] == pytest.approx([1, 1000], rel=0.05)


def test_a_column_with_heavy_tails_becomes_normal_and_keeps_its_order() -> None:
    random = np.random.default_rng(4)
    rows = np.stack([np.exp(1.5 * random.normal(size=1000)), random.normal(size=1000)], 1).astype(np.float32)
    rows[:, 1] = np.where(random.random(1000) < 0.02, 7, rows[:, 1].round())  # few values, one of them rare
    scale = anomalies.Scale.of(rows, 0)
    assert set(scale.knots) == {0, 1}
    scaled = scale(rows).astype(float)
    assert np.abs(scaled.mean(0)).max() < 0.02 and np.abs(scaled.std(0) - 1).max() < 0.02
    assert abs((scaled[:, 0] ** 4).mean() - 3) < 0.5, "the kurtosis of a normal distribution"
    assert (np.diff(scaled[np.argsort(rows[:, 0]), 0]) >= 0).all()
    np.testing.assert_allclose(scale.back(scale(rows)), rows, rtol=1e-3, atol=1e-3)
    beyond = np.array([[1e3, 0], [1e4, 0], [1e6, 0], [-50, 0]], np.float32)
    far = scale(beyond)[:, 0]
    assert scaled[:, 0].max() < far[0] < far[1] < far[2] < 30 and far[3] < scaled[:, 0].min()
    np.testing.assert_allclose(scale.back(scale(beyond)), beyond, rtol=1e-2, atol=0.5)
    assert not anomalies.Scale.of(rows, 1).knots


def test_bytes_become_numbers_from_0_to_1_and_samples_rows() -> None:
    rows = anomalies.flat(np.full((3, 2, 2, 1), 255, np.uint8))
    assert rows.shape == (3, 4) and rows.dtype == np.float32 and (rows == 1).all()


def test_rows_of_a_table_are_in_their_own_units_again() -> None:
    from sklearn.datasets import load_breast_cancer

    dataset = datasets.get("breast-cancer")
    assert any(column.linear_width for column in dataset.columns)
    rows = anomalies.flat(dataset.read().samples, dataset.columns)
    np.testing.assert_allclose(rows, load_breast_cancer().data, rtol=1e-4, atol=1e-6)


def test_ecod_and_hbos_equal_those_by_hand() -> None:
    train = np.array([[0.0], [1.0], [2.0], [7.0]])  # skewed to the right: large values count
    row = np.array([[2.0]])
    assert detectors.ecod(train, row)[0] == pytest.approx(-np.log(3 / 5))  # 2 of 4 as large, and the row itself
    far = np.array([[9.0]])
    assert detectors.ecod(train, far)[0] == pytest.approx(-np.log(1 / 5))
    heights = np.array([[0.0], [0.0], [0.0], [10.0]])
    found = detectors.hbos(heights, np.array([[0.5], [10.0], [5.0], [11.0]]))
    np.testing.assert_allclose(found, [0, -np.log(1 / 3), -np.log(1e-3), -np.log(1e-3)])


@pytest.mark.parametrize("name", detectors.PLAIN)
def test_rows_that_are_all_alike_or_very_large_are_scored(name: str) -> None:
    random = np.random.default_rng(0)
    large = 1e30 if name in detectors.UNSCALED else 1
    for train in (np.ones((30, 3), np.float32), (large * random.normal(size=(30, 3))).astype(np.float32)):
        (found,) = detectors.PLAIN[name](
            train, [np.concatenate([train[:5], 3 * np.abs(train).max(0, keepdims=True)])], 0
        )
        assert np.isfinite(found).all() and found[-1] == found.max(), name


# The same table for all


@pytest.fixture(scope="module")
def both() -> tuple[list[anomalies.Outcome], list[anomalies.Outcome]]:
    """Breast cancer, two splits, without and with malignant rows among the training ones."""
    dataset = datasets.get("breast-cancer")
    content = dataset.read()
    rows, anomalous = anomalies.flat(content.samples, dataset.columns), content.labels == 0
    methods = ("combined", "PCA Mahalanobis", "ECOD")
    with steps(200):
        clean = anomalies.compare(rows, anomalous, range(2), methods=methods)
        return clean, anomalies.compare(rows, anomalous, range(2), methods=methods, contaminated=True)


def test_malignant_cells_are_found_and_a_contaminated_training_finds_fewer(
    both: tuple[list[anomalies.Outcome], list[anomalies.Outcome]],
) -> None:
    clean, mixed = both
    same = [one.on_rows(other.test) for one, other in zip(clean, mixed, strict=True)]
    assert all((one.test == other.test).all() for one, other in zip(same, mixed, strict=True))
    for before, after in zip(same, mixed, strict=True):
        assert before.roc_auc("combined") > 0.93
        assert after.roc_auc("combined") < before.roc_auc("combined") - 0.05


def test_the_best_plain_method_and_the_difference_from_it(
    both: tuple[list[anomalies.Outcome], list[anomalies.Outcome]],
) -> None:
    clean = both[0]
    best = anomalies.best_plain(clean)
    mean = {name: np.mean([one.average_precision(name) for one in clean]) for name in ("PCA Mahalanobis", "ECOD")}
    assert best == max(mean, key=mean.__getitem__)
    apart = anomalies.difference(clean, "combined", best)
    real = np.mean([one.average_precision("combined") - one.average_precision(best) for one in clean])
    assert apart.mean == pytest.approx(real) and apart.low <= apart.mean <= apart.high
    itself = anomalies.difference(clean, best, best)
    assert (itself.mean, itself.low, itself.high) == (0, 0, 0) and itself.tied
    one = clean[0]
    perfect = anomalies.Outcome(
        0, one.test, one.anomalous, {}, {"a": 1.0 * one.anomalous, "b": 1.0 - one.anomalous}, {}
    )
    assert not anomalies.difference([perfect], "a", "b").tied


def test_work_is_told_and_ends_where_the_report_raises(table: tuple[np.ndarray, np.ndarray]) -> None:
    told: list[tuple[str, float]] = []

    def report(what: str, share: float, _sketch: Sketch | None = None, /) -> None:
        told.append((what, share))
        if len(told) == 5:
            raise InterruptedError

    with pytest.raises(InterruptedError):
        anomalies.compare(*table, methods=("combined",), report=report)
    shares = [share for _, share in told]
    assert shares == sorted(shares) and shares[0] >= 0 and shares[-1] < 0.2 and told[0][0].startswith("split 1 of 5")


def test_both_histograms_are_there_while_an_autoencoder_learns_and_nothing_is_learnt_from_them(
    table: tuple[np.ndarray, np.ndarray],
) -> None:
    rows, anomalous = table
    parts = anomalies.split(anomalous, 0)
    sketches = []

    def report(_what: str, _share: float, sketch: Sketch | None = None, /) -> None:
        if sketch is not None:
            sketches.append(sketch())

    with steps(150):
        seen = anomalies.outcome(rows, anomalous, parts, methods=("error",), report=report)
        unseen = anomalies.outcome(rows, anomalous, parts, methods=("error",))
    np.testing.assert_array_equal(seen.scores["error"], unseen.scores["error"])
    assert len(sketches) == 6 and all(len(one["normal"]) == anomalies.BINS for one in sketches)
    assert all(sum(one["normal"]) == len(parts.validation) and sum(one["other"]) == 40 for one in sketches)
    middle = [
        {name: np.average(np.arange(anomalies.BINS), weights=counts) for name, counts in one.items()}
        for one in sketches
    ]
    assert middle[-1]["normal"] < middle[0]["normal"] - 5, "normal rows come back better and better"
    assert middle[-1]["other"] - middle[-1]["normal"] > middle[0]["other"] - middle[0]["normal"] + 3
    mixed = anomalies.split(anomalous, 0, contaminated=True)
    sketches.clear()
    with steps(20):
        anomalies.outcome(rows, anomalous, mixed, methods=("error",), report=report)
    assert (sum(sketches[0]["normal"]), sum(sketches[0]["other"])) == (60, 16), "each as what it is"


def test_a_page_computes_scores_without_torch() -> None:
    code = "import sys; from models.analysis import anomalies; print([n for n in ('torch', 'sklearn') if n in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_the_benchmark_prints_every_method(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.syspath_prepend(ROOT / "benchmarks")
    import labs

    with steps(20):
        labs.LABS["anomalies"](True)
    told = capsys.readouterr().out
    rows = [line for line in told.splitlines() if line.startswith("| breast-cancer")]
    assert len(rows) == 3 and all(method in told for method in anomalies.METHODS)

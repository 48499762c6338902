"""Comparing runs: facts of intervals, of paired differences and of what is called best."""

import numpy as np
import pytest

from models.analysis import comparison
from models.datasets import TEST, TRAIN, VALIDATION


@pytest.fixture
def drawn() -> np.random.Generator:
    return np.random.default_rng(7)


@pytest.mark.parametrize("count", [1, 2, 40, 1000])
def test_an_interval_holds_its_mean(drawn: np.random.Generator, count: int) -> None:
    values = drawn.exponential(size=count).astype(np.float32)
    found = comparison.interval(values)
    assert found.low <= found.mean <= found.high and found.count == count
    assert found.mean == pytest.approx(values.mean(dtype=np.float64))
    assert (found.low < found.high) == (count > 1)


def test_an_interval_narrows_with_the_square_root_of_the_samples_as_theory_says(drawn: np.random.Generator) -> None:
    values = drawn.normal(5, 2, size=10_000)
    few, many = comparison.interval(values[:400]), comparison.interval(values)
    assert (few.high - few.low) / (many.high - many.low) == pytest.approx(5, rel=0.1)  # 25 times as many
    assert many.high - many.low == pytest.approx(2 * 1.96 * 2 / 100, rel=0.05)  # the normal distribution's


def test_nineteen_of_twenty_intervals_hold_the_true_mean(drawn: np.random.Generator) -> None:
    hits = 0
    for _ in range(200):
        found = comparison.interval(drawn.normal(3, 1, size=100))
        hits += found.low <= 3 <= found.high
    assert 180 <= hits <= 199


def test_an_interval_is_the_same_each_time_and_of_very_many_samples(drawn: np.random.Generator) -> None:
    values = drawn.normal(size=500)
    assert comparison.interval(values) == comparison.interval(values)
    assert comparison.interval(values) != comparison.interval(values, seed=1)
    many = comparison.interval(drawn.normal(size=250_000))
    assert many.high - many.low == pytest.approx(2 * 1.96 / 500, rel=0.1)
    with pytest.raises(ValueError, match="at least one"):
        comparison.interval(values[:0])


def test_equal_runs_differ_by_nothing_and_no_more_than_chance(drawn: np.random.Generator) -> None:
    rows, errors = np.arange(200), drawn.exponential(size=200)
    order = drawn.permutation(200)  # another run may store its codes in another order
    apart = comparison.interval(comparison.differences(rows, errors, rows[order], errors[order]))
    assert (apart.mean, apart.low, apart.high) == (0, 0, 0) and apart.chance


def test_a_planted_difference_is_found_where_the_means_alone_overlap(drawn: np.random.Generator) -> None:
    rows = np.arange(179)
    hard = drawn.exponential(0.04, size=179)  # how hard each sample is, for both
    one, other = hard + drawn.normal(0, 0.001, 179), hard + 0.002 + drawn.normal(0, 0.001, 179)
    assert comparison.interval(one).overlaps(comparison.interval(other))
    apart = comparison.interval(comparison.differences(rows, other, rows, one))
    assert apart.low <= 0.002 <= apart.high and not apart.chance
    assert comparison.interval(comparison.differences(rows, one, rows, other)).mean == pytest.approx(-apart.mean)


def test_noise_is_no_more_than_chance(drawn: np.random.Generator) -> None:
    rows = np.arange(500)
    found = [
        comparison.interval(comparison.differences(rows, drawn.normal(size=500), rows, drawn.normal(size=500))).chance
        for _ in range(40)
    ]
    assert sum(found) >= 34  # of 40, where 38 are expected


def test_only_samples_that_both_have_are_compared() -> None:
    apart = comparison.differences(
        np.array([9, 4, 1]), np.array([9.0, 4.0, 1.0]), np.array([1, 2, 9]), np.array([0.5, 7.0, 8.0])
    )
    assert sorted(apart.tolist()) == [0.5, 1.0]


def test_a_mean_is_of_the_test_split_alone() -> None:
    splits = np.array([TRAIN, TEST, VALIDATION, TEST], np.uint8)
    assert comparison.on_test(np.array([100.0, 1.0, 100.0, 3.0]), splits).tolist() == [1.0, 3.0]


@pytest.mark.parametrize(
    ("values", "better", "places"),
    [
        ([0.3, 0.1, 0.2], "low", {1}),
        ([0.3, None, 0.2], "high", {0}),
        ([0.1, 0.1, 0.2], "low", {0, 1}),
        ([0.1, 0.1], "low", set()),
        ([0.1, None], "low", set()),
        ([0.1, 0.2], "", set()),
    ],
)
def test_the_best_of_a_row(values: list[float | None], better: str, places: set[int]) -> None:
    assert comparison.best(values, better) == places

"""What the checks find is what was planted; how often they are right is measured, not promised."""

import csv
import dataclasses
import io
import json
import time
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from conftest import trained

from models import datasets, export, runs
from models.analysis import checks


@pytest.fixture(scope="module")
def shipped() -> runs.Run:
    """Digits, variational, D = 2: it ships."""
    return runs.open_run(runs.folder_of("digits-variational"))


def test_neighbours_are_the_nearest_others_and_never_the_code_itself() -> None:
    codes = np.random.default_rng(0).normal(size=(300, 3)).astype(np.float32)
    codes[10:20] = codes[0]  # equal codes, of which any may come first
    near = checks.neighbours(codes, 5)
    assert near.near.shape == near.distance.shape == (300, 5) and near.count == 300
    assert not (near.near == near.places[:, None]).any()
    apart = np.linalg.norm(codes[:, None] - codes[None], axis=-1)
    np.fill_diagonal(apart, np.inf)
    np.testing.assert_allclose(near.distance, np.sort(apart, 1)[:, :5], atol=1e-5)


def test_one_code_has_no_neighbour_and_nothing_breaks() -> None:
    near = checks.neighbours(np.zeros((1, 2), np.float32))
    assert near.near.shape == (1, 0)
    assert len(checks.outliers(np.zeros(1, np.float32), np.zeros(1, np.uint8), near).places) == 1
    assert checks.mislabelled(np.zeros(1, np.int32), near).voted.tolist() == [-1]


def test_many_codes_are_looked_at_in_part_against_all(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checks, "COMPARED", 2_000_000)
    codes = np.random.default_rng(0).normal(size=(1900, 8)).astype(np.float32)
    near = checks.neighbours(codes, 3)
    assert len(near.places) == 2_000_000 // 1900 and near.count == 1900
    assert (np.diff(near.places) > 0).all() and near.near.max() > near.places.max() - 200


@pytest.mark.parametrize("size", [2, 30])
def test_seventy_thousand_codes_take_seconds(size: int) -> None:
    codes = np.random.default_rng(0).normal(size=(70_000, size)).astype(np.float32)
    started = time.process_time()
    near = checks.neighbours(codes)
    labels = np.random.default_rng(1).integers(0, 10, 70_000).astype(np.int32)
    checks.mislabelled(labels, near)
    checks.outliers(np.abs(codes[:, 0]), np.zeros(70_000, np.uint8), near)
    # Of the processor, not of the clock: 0.5 with D = 2 and about 3 with D = 30, however busy the machine is.
    assert time.process_time() - started < 10


# Duplicates


def planted(monkeypatch: pytest.MonkeyPatch, run: runs.Run, change: dict[int, np.ndarray]) -> runs.Run:
    """The run as if these rows of its dataset held other samples."""
    rows = {int(run.rows[place]): sample for place, sample in change.items()}
    real = datasets.samples_at

    def altered(dataset: datasets.Dataset, which: np.ndarray) -> np.ndarray:
        out = np.array(real(dataset, which))
        for i, row in enumerate(which):
            if int(row) in rows:
                out[i] = rows[int(row)]
        return out

    monkeypatch.setattr(datasets, "samples_at", altered)
    codes = np.array(run.codes)
    for place, sample in change.items():
        codes[place] = run.coder.encode(sample[None])[0]
    run = dataclasses.replace(run)
    run.__dict__["codes"] = codes
    return run


def test_digits_have_no_exact_duplicates_and_planted_ones_are_found(
    shipped: runs.Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    none = checks.duplicates(shipped, checks.neighbours(shipped.codes))
    assert len(none.first) == 0 or none.difference.min() > 0
    original = datasets.samples_at(datasets.get("digits"), shipped.rows[[5, 6]].astype(np.int64))
    noise = np.random.default_rng(0).normal(0, 3, original.shape)
    close = np.clip(original + noise, 0, 255).round().astype(np.uint8)
    run = planted(monkeypatch, shipped, {900: original[0], 300: original[0], 1200: close[1]})
    found = checks.duplicates(run, checks.neighbours(run.codes))
    pairs = list(zip(found.first.tolist(), found.second.tolist(), found.difference.tolist(), strict=True))
    assert {(5, 300, 0.0), (5, 900, 0.0)} == set(pairs[:2])
    assert pairs[2][:2] == (6, 1200) and 0 < pairs[2][2] < 0.05 * found.random
    assert (np.diff(found.difference) >= 0).all() and (found.first < found.second).all()


def test_far_codes_of_equal_samples_are_duplicates_still(shipped: runs.Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """A denoising run gives equal samples other noise and hence other codes."""
    original = datasets.samples_at(datasets.get("digits"), shipped.rows[[5]].astype(np.int64))[0]
    run = planted(monkeypatch, shipped, {1500: original})
    run.codes[1500] = run.codes.max(0) + 5
    found = checks.duplicates(run, checks.neighbours(run.codes))
    assert (found.first[0], found.second[0], found.difference[0]) == (5, 1500, 0)


def test_without_the_samples_equal_codes_are_all_that_is_known(
    shipped: runs.Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(datasets, "samples_at", lambda *_: pytest.fail("samples were read"))
    run = dataclasses.replace(shipped)
    run.__dict__["codes"] = np.array(shipped.codes)
    run.codes[700] = run.codes[70]
    found = checks.duplicates(run, checks.neighbours(run.codes), samples=False)
    assert (found.first.tolist(), found.second.tolist()) == ([70], [700])
    assert np.isnan(found.difference).all()


# Outliers


def test_a_far_code_and_a_large_error_are_told_apart(shipped: runs.Run) -> None:
    codes, errors = np.array(shipped.codes), np.array(shipped.errors)
    codes[40] = codes.max(0) + 30
    errors[41] = errors.max() * 5
    found = checks.outliers(errors, shipped.splits, checks.neighbours(codes))
    first = {int(place): i for i, place in enumerate(found.places[:20])}
    far, bad = first[40], first[41]
    assert found.distance[far] > 10 and found.distance_rank[far] > 99.9
    assert found.error[bad] > 5 and found.error_rank[bad] > 99
    assert (np.diff(np.maximum(found.error, found.distance)) <= 0).all() and sorted(found.places) == list(
        range(shipped.count)
    )


def test_errors_are_held_against_their_own_split() -> None:
    """Test errors are larger as a whole; the one training sample that is large among its own is the outlier."""
    splits = np.repeat(np.array([datasets.TRAIN, datasets.TEST], np.uint8), 100)
    errors = np.concatenate([np.linspace(1, 2, 100), np.linspace(10, 20, 100)]).astype(np.float32)
    errors[7] = 6
    near = checks.neighbours(np.random.default_rng(0).normal(size=(200, 2)).astype(np.float32))
    found = checks.outliers(errors, splits, near)
    of = dict(zip(found.places.tolist(), found.error_rank.tolist(), strict=True))
    assert of[7] == 100 and of[100] < 2, "the least of the test errors, though larger than any of training"
    by_error = np.argsort(found.error)
    assert (np.diff(found.error_rank[by_error]) >= 0).all(), "one population: the percentile rises with error / median"
    assert found.error[found.places == 7] == pytest.approx(6 / 1.5, rel=0.02)


def test_an_error_of_many_medians_stands_before_one_of_few() -> None:
    """Though the smaller one's code lies further away than any other, by a little."""
    codes = np.random.default_rng(0).normal(size=(400, 2)).astype(np.float32)
    codes[11] = codes.max(0) + 0.5
    errors = np.linspace(0.9, 1.1, 400).astype(np.float32)
    errors[[10, 11]] = 371, 5.1
    found = checks.outliers(errors, np.zeros(400, np.uint8), checks.neighbours(codes))
    assert found.places[0] == 10 and found.error[0] == pytest.approx(371, rel=0.01)
    assert found.distance_rank[found.places == 11] == 100  # by percentiles it would come first


def test_a_value_outside_of_all_others_goes_before_what_only_the_network_finds_odd() -> None:
    codes = np.random.default_rng(0).normal(size=(100, 2)).astype(np.float32)
    errors = np.linspace(1, 2, 100).astype(np.float32)
    outside = np.arange(100) == 3  # rebuilt well, among the others
    found = checks.outliers(errors, np.zeros(100, np.uint8), checks.neighbours(codes), outside)
    assert found.places[0] == 3 and found.rank[0] == 100 and found.error_rank[0] < 50
    assert (np.diff(np.maximum(found.error, found.distance)[1:]) <= 0).all()


@pytest.mark.parametrize("count", [2, 20, 150])
def test_the_worst_of_few_stands_out_whatever_their_number(count: int) -> None:
    codes = np.random.default_rng(0).normal(size=(count, 2)).astype(np.float32)
    errors = np.arange(count, dtype=np.float32)
    found = checks.outliers(errors, np.zeros(count, np.uint8), checks.neighbours(codes))
    assert found.error_rank[found.places == count - 1] == 100 and found.error_rank[found.places == 0] == 0
    assert found.rank.max() == 100
    alike = checks.outliers(np.ones(count, np.float32), np.zeros(count, np.uint8), checks.neighbours(codes))
    assert (alike.error_rank == 0).all()


# Likely mislabelled


def test_of_five_per_cent_flipped_digits_most_are_ranked_first(shipped: runs.Run) -> None:
    near, shares = checks.neighbours(shipped.codes), []
    for seed in range(3):
        draw = np.random.default_rng(seed)
        flipped = draw.permutation(shipped.count)[: shipped.count // 20]
        labels = np.array(shipped.labels)
        labels[flipped] = (labels[flipped] + draw.integers(1, 10, len(flipped))) % 10
        found = checks.mislabelled(labels, near)
        shares.append(np.isin(found.places[: len(flipped)], flipped).mean())
        right = found.voted[: len(flipped)] == shipped.labels[found.places[: len(flipped)]]
        assert right.mean() > 0.6  # the class that they vote for is the one it had
    print("precision at the number of flips:", np.round(shares, 3))
    assert 0.70 < np.mean(shares) < 0.90  # 0.79 when this was written; the docstring says so


def test_neighbours_without_a_label_do_not_vote() -> None:
    """Ten samples of a class among thirty that have no label, far from another class: nobody disagrees."""
    draw = np.random.default_rng(0)
    codes = np.concatenate([draw.normal(0, 1, (40, 2)), draw.normal(50, 1, (20, 2))]).astype(np.float32)
    labels = np.concatenate([np.zeros(10), np.full(30, -1), np.ones(20)]).astype(np.int32)
    found = checks.mislabelled(labels, checks.neighbours(codes, 12))
    assert sorted(found.places) == [*range(10), *range(40, 60)] and found.k == 7
    assert (found.disagreement == 0).all() and (found.voted == -1).all()
    labels[0] = 1  # and one that the others of its place contradict
    found = checks.mislabelled(labels, checks.neighbours(codes, 12))
    assert (found.places[0], found.disagreement[0], found.voted[0]) == (0, 1, 0) and 0 < found.votes[0] <= 7


def test_without_labels_or_with_one_class_there_is_nothing_to_disagree_about() -> None:
    near = checks.neighbours(np.random.default_rng(0).normal(size=(50, 2)).astype(np.float32))
    assert len(checks.mislabelled(np.full(50, -1, np.int32), near).places) == 0
    assert (checks.mislabelled(np.zeros(50, np.int32), near).disagreement == 0).all()


# Names


def test_names_are_read_where_they_are_whole_and_nowhere_else(home: Path) -> None:
    dataset = datasets.get("digits")
    folder = home / "data" / dataset.fingerprint
    folder.mkdir(parents=True)
    assert datasets.names(dataset) is None
    names = [f"cats/{i}.png" for i in range(dataset.count)]
    for wrong in ("[", "{}", json.dumps(names[:-1]), json.dumps([*names[:-1], 7]), "[" * 100_000):
        (folder / "names.json").write_text(wrong)
        assert datasets.names(dataset) is None
    (folder / "names.json").write_text(json.dumps(names))
    assert datasets.names(dataset) == tuple(names)


def test_codes_leave_with_names_and_labels_as_csv_and_parquet(
    shipped: runs.Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = tuple(f"=HYPERLINK({i})" for i in range(1797))
    monkeypatch.setattr(datasets, "names", lambda _dataset: names)
    lines = list(csv.DictReader(export.part(shipped, "codes", named=True).decode().splitlines()))
    table = pq.read_table(io.BytesIO(export.part(shipped, "table", named=True)))
    assert table.num_rows == len(lines) == shipped.count
    np.testing.assert_array_equal(np.column_stack([table["z1"], table["z2"]]), shipped.codes)
    for i in (0, 1000):
        row = int(shipped.rows[i])
        assert lines[i]["name"] == f"'{names[row]}" and table["name"][i].as_py() == names[row]
        assert lines[i]["digit"] == table["digit"][i].as_py() == shipped.classes[shipped.labels[i]]
        assert int(lines[i]["row"]) == table["row"][i].as_py() == row + 1
    for what in ("codes", "table"):  # whoever may not see the samples does not get their names
        assert b"HYPERLINK" not in export.part(shipped, what)


def test_a_word_for_the_class_never_takes_the_place_of_another_column(shipped: runs.Run) -> None:
    for word, column in (("row", "row (class)"), ("z1", "z1 (class)"), ("kind", "kind")):
        dataset = dataclasses.replace(shipped.card.dataset, label=word)
        run = dataclasses.replace(shipped, card=dataclasses.replace(shipped.card, dataset=dataset))
        header = export.part(run, "codes").decode().splitlines()[0].split(",")
        assert column in header and len(set(header)) == len(header) == 6


def test_a_small_run_is_checked_too() -> None:
    run = trained()
    near = checks.neighbours(run.codes)
    assert len(checks.outliers(run.errors, run.splits, near).places) == run.count

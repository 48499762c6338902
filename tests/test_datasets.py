"""Datasets: one contract for every file in models/datasets/, then facts, then everything that can go wrong."""

import contextlib
import dataclasses
import errno
import gzip
import hashlib
import http.server
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from models import Problem, datasets, downloads, idx
from models.columns import standardised, unscaled
from models.datasets import TEST, TRAIN, VALIDATION, Arrays, Dataset, Remote, cats, text

EVERY = [pytest.param(dataset, id=name) for name, dataset in datasets.available().items()]


def first_cats() -> Arrays:
    """The first two thousand cats, as `cats.read` gives all of them."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(cats, "COUNT", 2000)
        patch.setattr(cats, "_factors", cats._factors.__wrapped__)
        return cats.read()


def first_texts() -> Arrays:
    """The first two thousand pieces of text."""
    return Arrays(text.draw(np.arange(2000)), np.full(2000, -1, np.int32), np.zeros((2000, 0), np.float32))


# These are drawn one after the other, for half a minute: where all samples are looked at, these are the first of them.
FIRST = {"cats": first_cats, "text": first_texts}
READ = [
    pytest.param(
        dataclasses.replace(dataset, count=2000, read=FIRST[dataset.name]) if dataset.name in FIRST else dataset,
        id=dataset.name,
    )
    for dataset in datasets.available().values()
]
DRAWN = [each for each in READ if each.values[0].draw]
KNOWN = [each for each in DRAWN if each.values[0].factors]  # paper without a letter has none, and occurs more than once


def whole(dataset: Dataset) -> Arrays:
    """The arrays; a skip where they must be downloaded first. In CI the shared folder has them, all but KMNIST."""
    absent = not all((dataset.downloads / remote.name).is_file() for remote in dataset.files)
    if absent and ("CI" not in os.environ or dataset.name == "kmnist"):
        pytest.skip(f"needs {dataset.name} in {downloads()}")
    return datasets.arrays(dataset)


# The contract.


@pytest.mark.parametrize("dataset", EVERY)
def test_says_what_it_is(dataset: Dataset) -> None:
    module = datasets.__path__[0] + f"/{dataset.name.replace('-', '_')}.py"
    assert Path(module).is_file(), "a dataset is called like its file, with dashes"
    assert dataset.kind in ("image", "signal", "table")
    assert len(dataset.shape) == {"image": 3, "signal": 2, "table": 1}[dataset.kind]
    assert dataset.size == np.prod(dataset.shape)
    assert dataset.title and dataset.summary.endswith((".", "?")) and dataset.source and dataset.licence
    assert len(set(dataset.classes)) == len(dataset.classes)
    assert all(remote.url.startswith(("https://", "http://")) for remote in dataset.files)
    assert all(len(remote.md5) == 32 and remote.bytes > 0 for remote in dataset.files)


def test_no_two_share_a_name_or_a_fingerprint() -> None:
    found = [parameter.values[0] for parameter in EVERY]  # those of the app alone: other tests may have added theirs
    assert len({dataset.fingerprint for dataset in found}) == len(found)
    files = [path for path in Path(datasets.__path__[0]).glob("*.py") if not path.name.startswith("_")]
    assert len(files) == len(found)


@pytest.mark.parametrize("dataset", READ)
def test_arrays_are_as_declared(dataset: Dataset) -> None:
    samples, labels, factors = whole(dataset)
    assert samples.shape == (dataset.count, *dataset.shape)
    assert samples.dtype == (np.uint8 if dataset.kind == "image" else np.float32)
    assert labels.shape == (dataset.count,) and labels.dtype == np.int32
    assert labels.min() >= -1 and labels.max() < len(dataset.classes)
    assert set(range(len(dataset.classes))) <= set(labels.tolist()), "every class occurs"
    assert factors.shape == (dataset.count, len(dataset.factors)) and factors.dtype == np.float32
    assert np.isfinite(factors).all()
    if dataset.kind == "image":
        assert samples.min() == 0 or dataset.name == "cats", "a cat's outline is brown, all else has black"
        assert samples.max() > 200
    else:
        assert np.isfinite(samples).all()


@pytest.mark.parametrize("dataset", [each for each in EVERY if each.values[0].columns])
def test_numbers_are_standardised_by_the_training_split_and_come_back(dataset: Dataset) -> None:
    samples = whole(dataset).samples[dataset.splits() == TRAIN].reshape(-1, dataset.shape[-1])
    assert sum(column.width for column in dataset.columns) == dataset.shape[-1]
    for column in dataset.columns:
        part = samples[:, column.start : column.start + column.width].astype(float)
        if column.kind == "category":
            assert set(part.sum(1)) == {1.0} and set(np.unique(part)) == {0.0, 1.0}
        else:
            constant = part.min() == part.max()
            assert abs(part.mean()) < 0.005 and (constant or abs(part.std() - 1) < 0.005), column.name
    some = samples[:50]
    np.testing.assert_allclose(standardised(dataset.columns, unscaled(dataset.columns, some)), some, atol=1e-4)


@pytest.mark.parametrize("dataset", READ)
def test_arrays_cannot_be_changed(dataset: Dataset) -> None:
    with pytest.raises(ValueError, match="read-only"):
        whole(dataset).samples[0] = 0


@pytest.mark.parametrize("dataset", EVERY)
def test_splits_are_disjoint_and_of_the_promised_size(dataset: Dataset) -> None:
    split = dataset.splits()
    assert split.shape == (dataset.count,) and split.dtype == np.uint8
    assert set(split.tolist()) == {TRAIN, VALIDATION, TEST}
    if dataset.test_from is None:
        assert (split == TEST).sum() == (split == VALIDATION).sum() == dataset.count // 10
    else:
        assert (split[dataset.test_from :] == TEST).all() and (split[: dataset.test_from] != TEST).all()
        assert (split == VALIDATION).sum() == min(dataset.test_from // 10, 5000)


SPLITS = {
    "digits": "4e0df4aae00d6742",
    "cats": "320acfac4ec55f10",
    "shapes": "fe0620da5549c601",
    "mnist": "43718f2a21669692",
    "fashion-mnist": "43718f2a21669692",
    "kmnist": "43718f2a21669692",
    "breast-cancer": "050cfcd5c671a768",
    "payments": "320acfac4ec55f10",
    "waves": "b77f1ca259b2a19c",
    "breastw": "acea2553aa3e7883",
    "cardio": "441cb19abcb30b86",
    "thyroid": "86dea8ef3a612da9",
    "optdigits": "568b52d3a585f8ef",
    "pendigits": "638375756751cc39",
    "mammography": "b0377c49951b0aa5",
    "shuttle": "d1070ec4d8ed0cf8",
}


@pytest.mark.parametrize("name", SPLITS)
def test_splits_never_change(name: str) -> None:
    """Or a run trained yesterday would be measured on samples that it has seen."""
    assert hashlib.sha256(datasets.get(name).splits().tobytes()).hexdigest()[:16] == SPLITS[name]


FIRST_ROWS = {
    ("cats", 1): "c9b8e1c8273df71c",
    ("shapes", 1): "50adc7bb5cb00b73",
    ("waves", 1): "5e7bfabe43ac7da5",
}


@pytest.mark.parametrize("dataset", DRAWN)
def test_a_changed_drawing_has_another_version(dataset: Dataset) -> None:
    assert dataset.draw is not None
    rows = dataset.draw(np.arange(64))
    # Processors differ in the last digit of a sine.
    rows = rows if rows.dtype == np.uint8 else np.round(rows * 1000).astype(np.int16)
    drawn = hashlib.sha256(rows.tobytes()).hexdigest()[:16]
    expected = FIRST_ROWS.get((dataset.name, dataset.version), drawn)
    assert drawn == expected, "the samples changed: raise the dataset's version, then note their checksum here"
    assert dataclasses.replace(dataset, version=dataset.version + 1).fingerprint != dataset.fingerprint


@pytest.mark.parametrize("dataset", DRAWN)
def test_drawing_some_rows_gives_the_same_as_drawing_all(dataset: Dataset) -> None:
    assert dataset.draw is not None
    rows = np.random.default_rng(0).integers(dataset.count, size=200)
    drawn = dataset.draw(rows)
    assert drawn.shape == (200, *dataset.shape) and drawn.dtype == (np.uint8 if dataset.kind == "image" else np.float32)
    assert (drawn == whole(dataset).samples[rows]).all()
    assert (drawn == dataset.draw(rows)).all()
    assert dataset.draw(rows[:0]).shape == (0, *dataset.shape)


@pytest.mark.parametrize("dataset", READ)
def test_samples_at_needs_no_home_and_agrees_with_arrays(
    dataset: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = np.array([0, dataset.count - 1, 7, 7])
    expected = whole(dataset).samples[rows]
    assert (datasets.samples_at(dataset, rows) == expected).all()
    (tmp_path / "file").touch()
    monkeypatch.setenv("HOURGLASS_HOME", str(tmp_path / "file" / "home"))
    assert (datasets.samples_at(dataset, rows) == expected).all()
    assert len(list(tmp_path.iterdir())) == 1, "looking writes nothing"


@pytest.mark.parametrize("dataset", KNOWN)
def test_factors_are_independent_and_no_sample_occurs_twice(dataset: Dataset) -> None:
    samples, _, factors = whole(dataset)
    correlation = np.corrcoef(factors.T) - np.eye(len(dataset.factors))
    assert np.abs(correlation).max() < (0.03 if len(factors) == datasets.get(dataset.name).count else 0.1)
    rows = samples.reshape(len(samples), -1)
    assert len({row.tobytes() for row in rows}) == len(rows)


# Facts.


def test_digits_are_the_published_ones_and_need_no_scikit_learn() -> None:
    counts = np.bincount(whole(datasets.get("digits")).labels)
    assert counts.tolist() == [178, 182, 177, 183, 181, 182, 181, 179, 174, 180]
    code = (
        "import sys, numpy; from models import datasets; "
        "datasets.samples_at(datasets.get('digits'), numpy.arange(3)); "
        "print([name for name in ('sklearn', 'torch', 'streamlit') if name in sys.modules])"
    )
    env = {**os.environ, "HOURGLASS_HOME": os.devnull}
    done = subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_digits_equal_what_scikit_learn_loads() -> None:
    load_digits = pytest.importorskip("sklearn.datasets").load_digits
    content = load_digits()
    samples, labels, _ = datasets.get("digits").read()
    assert (np.round(content.images * (255 / 16)) == samples[..., 0]).all() and (content.target == labels).all()


def test_mnist_starts_with_a_five_and_its_test_part_with_a_seven() -> None:
    samples, labels, _ = whole(datasets.get("mnist"))
    assert labels[:5].tolist() == [5, 0, 4, 1, 9] and labels[60_000] == 7
    assert np.bincount(labels[:60_000]).tolist() == [5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949]
    assert round(samples[:60_000].mean() / 255, 4) == 0.1307  # the mean that everybody normalises with


def test_fashion_mnist_starts_with_an_ankle_boot_and_has_equal_classes() -> None:
    dataset = datasets.get("fashion-mnist")
    samples, labels, _ = whole(dataset)
    assert dataset.classes[labels[0]] == "Ankle boot"
    assert np.bincount(labels).tolist() == [7000] * 10
    assert round(samples[:60_000].mean() / 255, 4) == 0.2860


def test_kmnist_names_ten_hiragana_in_the_published_order() -> None:
    names = [name.split()[1] for name in datasets.get("kmnist").classes]
    assert names == ["o", "ki", "su", "tsu", "na", "ha", "ma", "ya", "re", "wo"]


def test_each_factor_of_a_cat_changes_many_pixels_evenly() -> None:
    low, high = np.array(list(cats.FACTORS.values())).T
    for k, name in enumerate(cats.FACTORS):
        factors = np.tile(((low + high) / 2).astype(np.float32), (9, 1))
        factors[:, k] = np.linspace(low[k], high[k], 9)
        seen = cats.faces(factors).astype(float).reshape(9, -1)
        moved = np.abs(seen - seen[0]).sum(1)
        assert (np.diff(moved) > 0).mean() >= 0.75, f"{name} moves on and on, away from where it began"
        assert (np.abs(seen[-1] - seen[0]) > 16).reshape(-1, 3).any(1).sum() >= 80, f"{name} is easily seen"
        steps = np.abs(np.diff(seen, axis=0)).sum(1)
        assert steps.min() > 0.4 * steps.max(), f"{name} has no jump and no dead part"


def test_shapes_lie_where_their_factors_say() -> None:
    from models.datasets import shapes

    factors = np.array([[kind, 0.7, 0, x, y] for kind in range(3) for x, y in ((-0.3, -0.2), (0.3, 0.2))], np.float32)
    seen = shapes._draw_block(factors).astype(float)
    centre = (np.arange(32) + 0.5) / 16 - 1
    x = (seen.sum(1) * centre).sum(1) / seen.sum((1, 2))
    y = (seen.sum(2) * centre).sum(1) / seen.sum((1, 2))
    assert np.abs(x - factors[:, 3]).max() < 0.01 and np.abs(y - factors[:, 4]).max() < 0.01


def test_waves_have_the_form_frequency_phase_and_amplitude_that_their_factors_say() -> None:
    from models.datasets import waves

    for form in range(4):
        one = waves.waves(np.array([[form, 2, 0, 1.5]], np.float32))[0]
        assert np.abs(np.fft.rfft(one)).argmax() == 2, "two periods"
        assert 1.35 <= one.max() <= 1.5 and abs(one.mean()) < 0.05
        later = waves.waves(np.array([[form, 2, 90, 1.5]], np.float32))[0]
        np.testing.assert_allclose(later[:-8], one[8:], atol=1e-9)  # a quarter of a period of 32 steps
    sine, triangle, square, sawtooth = waves.waves(np.array([[form, 1, 0, 1] for form in range(4)], np.float32))
    np.testing.assert_allclose(sine[[0, 8, 16, 32, 48]], [0, 0.5**0.5, 1, 0, -1], atol=1e-9)
    np.testing.assert_allclose(triangle[[0, 8, 16, 32, 48]], [0, 0.5, 1, 0, -1], atol=1e-9)
    np.testing.assert_allclose(square[[1, 31, 33, 63]], [1, 1, -1, -1])
    np.testing.assert_allclose(sawtooth[[0, 16, 31, 32, 48]], [0, 0.5, 0.96875, -1, -0.5], atol=1e-9)


def test_breast_cancer_equals_what_scikit_learn_loads() -> None:
    content = pytest.importorskip("sklearn.datasets").load_breast_cancer()
    dataset = datasets.get("breast-cancer")
    samples, labels, _ = dataset.read()
    np.testing.assert_allclose(unscaled(dataset.columns, samples), content.data, rtol=1e-4, atol=1e-6)
    assert (content.target == labels).all() and dataset.classes == tuple(content.target_names)
    assert [column.name for column in dataset.columns] == list(content.feature_names)


@pytest.fixture(scope="module")
def payments() -> tuple[dict[str, NDArray[np.float64]], NDArray[np.int32]]:
    """Each column in its own unit, categories as one number, and the kind of each payment."""
    from models.datasets import payments as module

    rows, labels = module.drawn()
    columns = {
        one.name.partition(" [")[0]: rows[:, one.start : one.start + one.width] @ np.arange(max(1, one.width))
        if one.kind == "category"
        else rows[:, one.start]
        for one in module.COLUMNS
    }
    return columns, labels


def test_payments_never_change(payments: tuple[dict[str, NDArray[np.float64]], NDArray[np.int32]]) -> None:
    columns, labels = payments
    cents = np.round(columns["amount"] * 100).astype("<i8")
    found = hashlib.sha256(cents.tobytes() + labels.astype("<i4").tobytes()).hexdigest()[:16]
    assert datasets.get("payments").version == 1 and found == "e4eaf3873519b45c", (
        "raise the version, then note this checksum"
    )


def test_payments_are_as_people_and_thieves_make_them(
    payments: tuple[dict[str, NDArray[np.float64]], NDArray[np.int32]],
) -> None:
    columns, labels = payments
    assert 0.005 <= (labels > 0).mean() <= 0.01 and np.bincount(labels).tolist() == [19_840, 40, 40, 40, 40]
    assert columns["amount"].min() >= 0.5 and 0 <= columns["hour of day"].min() <= columns["hour of day"].max() < 24
    assert columns["since the last"].min() >= 0
    assert columns["speed"].max() <= 900 and columns["payments in 24 h"].min() == 1
    assert (columns["paid in 24 h"] >= columns["amount"] - 1e-6).all()
    genuine, stolen, number, tested, copied = (labels == kind for kind in range(5))

    def middle(name: str, which: NDArray[np.bool_]) -> float:
        return float(np.median(columns[name][which]))

    assert middle("since the last", stolen) < 2 < middle("since the last", genuine)
    assert set(columns["channel"][number | tested]) == {2.0}, "online"
    assert middle("times the usual", number) > 2 * middle("times the usual", genuine)
    assert columns["amount"][tested].max() <= 3 and middle("payments in 24 h", tested) >= 4
    assert middle("from home", copied) > 50 > middle("from home", genuine)
    assert (columns["from home"][genuine] > 100).mean() > 0.01, "people travel, too"


COUNTS = {  # rows and anomalies, as ODDS and ADBench publish them
    "cardio": (1831, 176),
    "thyroid": (3772, 93),
    "shuttle": (49_097, 3511),
    "mammography": (11_183, 260),
    "optdigits": (5216, 150),
    "pendigits": (6870, 156),
    "breastw": (683, 239),
}


@pytest.mark.parametrize("name", COUNTS)
def test_tables_of_adbench_have_the_published_counts(name: str) -> None:
    dataset = datasets.get(name)
    _, labels, _ = whole(dataset)
    assert (len(labels), int(labels.sum())) == COUNTS[name]
    with np.load(dataset.downloads / dataset.files[0].name, allow_pickle=False) as content:
        samples = whole(dataset).samples[:200]
        real = unscaled(dataset.columns, samples) if dataset.columns else samples.reshape(200, -1) / 255.0 * 16
        if dataset.kind == "image":
            real = real.round()
        np.testing.assert_allclose(real, content["X"][:200], rtol=1e-3, atol=1e-4 * np.abs(content["X"]).max())


def test_a_broken_table_of_adbench_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOURGLASS_DATA", str(tmp_path))
    path = tmp_path / "tabular-anomaly" / "6_cardio.npz"
    path.parent.mkdir()
    np.savez(path, other=np.zeros(3))
    monkeypatch.setattr("models.datasets._tables.file", lambda *_: path)
    with pytest.raises(Problem, match="download it again"):
        datasets.get("cardio").read()


# What the idx reader refuses.


def packed(shape: tuple[int, ...], values: bytes, kind: int = 0x08, zeros: bytes = b"\0\0") -> bytes:
    header = zeros + bytes([kind, len(shape)]) + b"".join(size.to_bytes(4, "big") for size in shape)
    return gzip.compress(header + values)


def test_idx_reads_rows_before_columns(tmp_path: Path) -> None:
    path = tmp_path / "images.gz"
    path.write_bytes(packed((2, 3, 4), bytes(range(24))))
    assert (idx.array(path, 3) == np.arange(24).reshape(2, 3, 4)).all()


GOOD = packed((2, 3, 4), bytes(24))
FAULTS = {
    "not gzip": (b"<html>please log in</html>", "a whole gzip file"),
    "empty": (b"", "00 00 08 03"),
    "half-downloaded": (packed((200, 3, 4), os.urandom(2400))[:1200], "a whole gzip file"),
    "altered": (GOOD[:-6] + b"\xff" + GOOD[-5:], "a whole gzip file"),
    "another magic": (packed((2, 3, 4), bytes(24), zeros=b"PK"), "00 00 08 03"),
    "another type": (packed((2, 3, 4), bytes(96), kind=0x0D), "00 00 08 03"),
    "labels for images": (packed((24,), bytes(24)), "00 00 08 03"),
    "cut header": (gzip.compress(b"\0\0\x08\x03\0\0\0\2"), "sizes of 3 dimensions"),
    "too few values": (packed((2, 3, 4), bytes(23)), "exactly 24 bytes"),
    "too many values": (packed((2, 3, 4), bytes(25)), "exactly 24 bytes"),
    "a header that claims the moon": (packed((2**32 - 1, 2**32 - 1, 2**32 - 1), bytes(24)), "exactly"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_idx_refuses(fault: str, tmp_path: Path) -> None:
    content, expected = FAULTS[fault]
    path = tmp_path / "images.gz"
    path.write_bytes(content)
    with pytest.raises(Problem) as caught:
        idx.array(path, 3)
    assert expected in caught.value.expected and "images.gz" in caught.value.came and "again" in caught.value.do


def test_idx_stops_unpacking_where_the_promise_is_broken(tmp_path: Path) -> None:
    """A small file may unpack to gigabytes; memory follows the header or the content, whichever is smaller."""
    import tracemalloc

    path = tmp_path / "bomb.gz"
    path.write_bytes(packed((2, 3, 4), bytes(200 << 20)))
    tracemalloc.start()
    tracemalloc.reset_peak()
    before = tracemalloc.get_traced_memory()[0]
    with pytest.raises(Problem, match="holds more"):
        idx.array(path, 3)
    assert tracemalloc.get_traced_memory()[1] - before < 10 << 20
    tracemalloc.stop()


def test_idx_refuses_images_without_labels(tmp_path: Path) -> None:
    (tmp_path / "images.gz").write_bytes(GOOD)
    (tmp_path / "labels.gz").write_bytes(packed((3,), bytes(3)))
    with pytest.raises(Problem, match="2 images but labels.gz 3 labels"):
        idx.pair(tmp_path / "images.gz", tmp_path / "labels.gz")


def test_idx_puts_the_training_part_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOURGLASS_DATA", str(tmp_path))
    (tmp_path / "tiny").mkdir()
    content = {
        "train-images": packed((2, 2, 3), bytes(range(12))),
        "train-labels": packed((2,), bytes([1, 0])),
        "t10k-images": packed((1, 2, 3), bytes(range(12, 18))),
        "t10k-labels": packed((1,), bytes([2])),
    }
    sums = {name: (hashlib.md5(data).hexdigest(), len(data)) for name, data in content.items()}
    tiny = dataclasses.replace(datasets.get("kmnist"), name="tiny", files=idx.files("http://localhost/", sums))
    assert [remote.name for remote in tiny.files][::3] == ["train-images-idx3-ubyte.gz", "t10k-labels-idx1-ubyte.gz"]
    for remote, data in zip(tiny.files, content.values(), strict=True):
        (tmp_path / "tiny" / remote.name).write_bytes(data)
    samples, labels, factors = idx.read(tiny)
    assert (samples[..., 0] == np.arange(18).reshape(3, 2, 3)).all() and samples.shape == (3, 2, 3, 1)
    assert labels.tolist() == [1, 0, 2] and factors.shape == (3, 0)


# Downloading, from a server on this machine.

BODY = bytes(range(256)) * 2000


class Server(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        if self.path == "/absent":
            return self.send_error(404)
        endless = self.path == "/endless"
        self.send_response(200)
        if not endless:
            self.send_header("Content-Length", str(len(BODY)))
        self.end_headers()
        body = {"/half": BODY[:300_000], "/altered": BODY[:-1] + b"!"}.get(self.path, BODY)
        with contextlib.suppress(ConnectionError):  # whoever asked has hung up
            for _ in range(400 if endless else 1):
                self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Keep the test's output for the tests."""


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Server) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home and a download folder of its own; what a toy dataset downloads lies in the folder returned."""
    monkeypatch.setenv("HOURGLASS_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("HOURGLASS_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    return tmp_path / "data" / "toy"


def content() -> Arrays:
    return Arrays(
        np.arange(4000, dtype=np.uint8).reshape(1000, 2, 2, 1),
        np.zeros(1000, np.int32),
        np.zeros((1000, 0), np.float32),
    )


def toy(url: str = "") -> Dataset:
    """A dataset of 1,000 tiny images, with one file to download where an address is given."""
    return Dataset(
        name="toy",
        title="Toy",
        summary="A toy.",
        kind="image",
        shape=(2, 2, 1),
        count=1000,
        classes=("it",),
        source="here",
        licence="CC0 1.0",
        read=content,
        files=(Remote("toy.bin", url, hashlib.md5(BODY).hexdigest(), len(BODY)),) if url else (),
    )


def test_download_tells_how_far_it_is_and_leaves_one_file(address: str, folder: Path) -> None:
    dataset, told = toy(address + "/toy"), list[tuple[str, float]]()
    assert len(datasets.missing(dataset)) == 1
    datasets.download(dataset, lambda what, share: told.append((what, share)))
    shares = [share for _, share in told]
    assert shares == sorted(shares) and len(shares) > 1 and shares[-1] == 1.0 and "toy.bin" in told[0][0]
    assert [path.name for path in folder.iterdir()] == ["toy.bin"]
    assert datasets.file(dataset, "toy.bin").read_bytes() == BODY and datasets.missing(dataset) == ()
    datasets.download(dataset, lambda what, share: pytest.fail("nothing is left to fetch"))


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("/half", "300,000 bytes"),
        ("/altered", "512,000 bytes and MD5"),
        ("/endless", "what came from"),
        ("/absent", "could not be downloaded (Not Found)"),
    ],
)
def test_a_bad_download_leaves_nothing_and_may_be_tried_again(
    path: str, words: str, address: str, folder: Path
) -> None:
    with pytest.raises(Problem) as caught:
        datasets.download(toy(address + path))
    assert words in caught.value.came and "512,000 bytes" in str(caught.value)
    assert "put the file at" in caught.value.do and list(folder.iterdir()) == []
    datasets.download(toy(address + "/toy"))
    assert datasets.file(toy(address + "/toy"), "toy.bin").read_bytes() == BODY


def test_offline_says_so(folder: Path) -> None:
    with pytest.raises(Problem, match="Connect to the internet"):
        datasets.download(toy("http://127.0.0.1:1/toy"))
    assert list(folder.iterdir()) == []


@pytest.mark.parametrize("broken", [BODY[:1000], BODY[:-1] + b"!"], ids=["cut", "altered"])
def test_a_broken_file_is_refused_and_downloaded_again(broken: bytes, address: str, folder: Path) -> None:
    dataset = toy(address + "/toy")
    folder.mkdir(parents=True)
    (folder / "toy.bin").write_bytes(broken)
    with pytest.raises(
        Problem, match=f"has {len(broken):,} bytes .* the right file has .*python -m models download toy"
    ):
        datasets.file(dataset, "toy.bin")
    assert (datasets.missing(dataset) == ()) == (len(broken) == len(BODY)), "presence and size are cheap to check"
    datasets.download(dataset)
    assert datasets.file(dataset, "toy.bin").read_bytes() == BODY


def test_an_absent_file_is_asked_for(folder: Path) -> None:
    with pytest.raises(Problem, match="Toy is not on this computer.*512,000 bytes.*python -m models download toy"):
        datasets.file(toy("http://127.0.0.1:1/toy"), "toy.bin")


def test_what_a_killed_download_left_is_swept_a_day_later(address: str, folder: Path) -> None:
    folder.mkdir(parents=True)
    old, young = folder / ".toy.bin-old", folder / ".toy.bin-young"
    old.touch(), young.touch()
    os.utime(old, (time.time() - 90_000,) * 2)
    datasets.download(toy(address + "/toy"))
    assert young.exists() and not old.exists()


# Laying down.


def test_a_dataset_is_read_once_and_then_mapped(folder: Path) -> None:
    told = list[float]()
    first = datasets.arrays(toy(), lambda _what, share: told.append(share))
    again = datasets.arrays(dataclasses.replace(toy(), read=lambda: pytest.fail("it lies there already")))
    assert told == [0.0, 1.0] and isinstance(again.samples, np.memmap)
    assert (first.samples == again.samples).all() and datasets.missing(toy("http://127.0.0.1:1/")) != ()


@pytest.mark.parametrize("part", Arrays._fields)
@pytest.mark.parametrize("left", [0, 40, 100])
def test_a_truncated_array_is_laid_down_again(part: str, left: int, folder: Path) -> None:
    datasets.arrays(toy())
    path = datasets._folder(toy()) / f"{part}.npy"
    os.truncate(path, left)
    assert (datasets.samples_at(toy(), np.array([3])) == content().samples[3]).all()
    assert (datasets.arrays(toy()).samples == content().samples).all()
    assert path.stat().st_size > left and len(list(path.parent.parent.iterdir())) == 1


def test_arrays_of_another_shape_are_laid_down_again(folder: Path) -> None:
    datasets.arrays(toy())
    np.save(datasets._folder(toy()) / "samples.npy", np.zeros((999, 2, 2, 1), np.uint8))
    assert (datasets.arrays(toy()).samples == content().samples).all()


def test_arrays_other_than_declared_are_refused(folder: Path) -> None:
    wrong = dataclasses.replace(toy(), read=lambda: content()._replace(samples=np.zeros((1000, 2, 2), np.uint8)))
    with pytest.raises(Problem, match=r"samples \(1000, 2, 2\) uint8 instead of \(1000, 2, 2, 1\) uint8"):
        datasets.arrays(wrong)
    assert list(datasets._folder(toy()).parent.iterdir()) == []


@pytest.mark.parametrize("broken", [False, True], ids=["fresh", "broken"])
def test_two_may_lay_down_at_once(broken: bool, folder: Path) -> None:
    datasets.arrays(toy())
    place = datasets._folder(toy())
    os.truncate(place / "labels.npy", 10) if broken else [path.unlink() for path in place.iterdir()] and place.rmdir()
    barrier, got = threading.Barrier(4), list[Arrays]()

    def read() -> Arrays:
        barrier.wait(120)
        return content()

    threads = [
        threading.Thread(target=lambda: got.append(datasets.arrays(dataclasses.replace(toy(), read=read))))
        for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(got) == 4 and all((arrays.samples == content().samples).all() for arrays in got)
    assert [path.name for path in place.parent.iterdir()] == [place.name]


def test_a_full_disk_is_told_and_leaves_nothing(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patch:
        patch.setattr(np, "save", full)
        with pytest.raises(Problem, match="cannot be written .No space left on device.*Free some space"):
            datasets.arrays(toy())
    assert list(datasets._folder(toy()).parent.iterdir()) == []
    datasets.arrays(toy())


def test_a_home_that_cannot_be_written_is_told_before_reading(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("HOURGLASS_HOME", str(tmp_path / "file"))
    with pytest.raises(Problem, match="cannot be written.*HOURGLASS_HOME"):
        datasets.arrays(dataclasses.replace(toy(), read=lambda: pytest.fail("whoever cannot write need not wait")))
    assert (datasets.samples_at(toy(), np.array([1, 2])) == content().samples[1:3]).all()


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="nothing is read-only for root")
def test_read_only_folders_are_told(address: str, folder: Path, tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    with pytest.raises(Problem, match="cannot be written .Permission denied"):
        datasets.arrays(toy())
    with pytest.raises(Problem, match="cannot be written .Permission denied"):
        datasets.download(toy(address + "/toy"))
    tmp_path.chmod(0o700)


def test_an_unknown_name_is_answered_with_the_known_ones() -> None:
    with pytest.raises(Problem, match="“dogs” is unknown; known datasets are digits, .*cats"):
        datasets.get("dogs")


def test_rows_are_drawn_from_whatever_integers_come(folder: Path) -> None:
    rows: list[NDArray[np.integer]] = [np.array([5, 9], kind) for kind in (np.int32, np.uint16, np.int64)]
    seen = [datasets.samples_at(datasets.get("shapes"), some) for some in rows]
    assert (seen[0] == seen[1]).all() and (seen[1] == seen[2]).all()


def test_a_header_that_python_refuses_by_chance_is_parsed_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """CPython 3.11.7 does so where two threads parse at once; a training broke off by it."""
    np.save(tmp_path / "x.npy", np.arange(6))
    real, refused = np.lib.format.open_memmap, [SystemError("AST constructor recursion depth mismatch")] * 2

    def mapped(path: Path, mode: str) -> np.ndarray:
        if refused:
            raise refused.pop()
        return real(path, mode=mode)

    monkeypatch.setattr(np.lib.format, "open_memmap", mapped)
    np.testing.assert_array_equal(datasets._mapped(tmp_path / "x.npy"), np.arange(6))
    assert not refused

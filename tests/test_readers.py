"""What a person brings becomes arrays, or one clear sentence; what is hostile does no harm."""

import dataclasses
import gzip
import io
import itertools
import json
import os
import random
import re
import resource
import subprocess
import sys
import threading
import time
import zipfile
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import hostile
import numpy as np
import psutil
import pytest
from conftest import needs_data
from hostile import ACCEPTED, CASES, REFUSED, archive, grey, image, npy, npz, parquet, pixels, safe, tensor
from PIL import Image

from models import Problem, downloads, export, readers, runs
from models.datasets import TEST, TRAIN, VALIDATION
from models.readers import Limits, ReadResult, guarded, series, work
from models.readers.limits import LARGE

ROOT = Path(__file__).resolve().parents[1]
STRICT = dataclasses.replace(Limits(), memory=300 << 20, seconds=300.0)
PROMPT = 5.0  # seconds of a processor, whatever else it does meanwhile


def laid(folder: Path, files: Mapping[str, bytes] | bytes) -> list[Path]:
    files = {"file.bin": files} if isinstance(files, bytes) else files
    for name, data in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(data)
    return [folder / name for name in files]


@pytest.fixture
def read(tmp_path: Path) -> Callable[..., ReadResult]:
    """Reads bytes, or files by name, in this process."""
    count = itertools.count()

    def reads(files: Mapping[str, bytes] | bytes, **choices: Any) -> ReadResult:
        return readers.read(laid(tmp_path / str(next(count)), files), **choices)

    return reads


def sound(found: ReadResult) -> None:
    """What holds for everything that was found."""
    n = len(found.samples)
    assert n and found.labels.shape == (n,) and found.labels.dtype == np.int32 and len(found.names) == n
    assert found.samples.ndim == {"image": 4, "signal": 3, "table": 2}[found.kind]
    assert found.samples.dtype in ((np.uint8,) if found.kind == "image" else (np.float32, np.float64))
    assert found.kind != "image" or found.samples.shape[-1] in (1, 3)
    assert found.kind == "image" or np.isfinite(found.samples).all()
    assert found.labels.min() >= -1 and found.labels.max() < len(found.classes)
    assert found.split is None or (found.split.shape == (n,) and found.split.dtype == np.uint8)
    if found.kind == "table":
        assert sum(column.width for column in found.columns) == found.samples.shape[1]
        assert len(readers.inverse(found.columns, found.samples[:2])) == len(found.columns)
    assert all(decision.words.endswith(".") for decision in found.decisions)
    assert all(isinstance(text, str) and text for pair in found.skipped for text in pair)
    if found.kind == "table":
        shown = readers.some_rows(found, 9)
        assert {len(cells) for cells in shown.values()} == {min(9, n)} and len(shown) >= len(found.columns)
    else:
        assert readers.contact_sheet(found, 9).mode == "RGB"
    json.dumps([dataclasses.asdict(decision) for decision in found.decisions], allow_nan=False)


def clear(problem: Problem, folder: Path) -> None:
    """Sentences that a person can read, without what only a programmer needs."""
    assert problem.came and all(part is None or (part and not part.endswith(".")) for part in problem.parts)
    text = str(problem)
    assert len(text) < 700 and str(folder) not in text and not re.search(r"Traceback|0x[0-9a-f]{6}|\n", text), text


def seconds_of_children() -> float:
    """How long processors have worked for processes that this one has started and that have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_hostile_and_odd_files(case: hostile.Case, tmp_path: Path) -> None:
    """Read in the guarded process, within 300 MiB and five seconds of a processor."""
    choices = {name.rstrip("_"): value for name, value in case.choices.items()}
    paths = laid(tmp_path / "in", case.make())
    before, used = sorted(tmp_path.rglob("*")), seconds_of_children()
    try:
        found = guarded.guarded_read(paths, tmp_path / "out", choices, limits=STRICT)
    except Problem as problem:
        clear(problem, tmp_path)
        assert case.answer == REFUSED, problem
        assert re.search(case.says, str(problem), re.IGNORECASE), problem
        assert "of memory" not in str(problem) and "abruptly" not in str(problem)
        assert not list((tmp_path / "out").glob("*.npy"))
    else:
        assert case.answer != REFUSED, found
        sound(found)
        assert (found.kind, found.samples.shape) == (case.kind, case.shape)
        assert not case.labels or tuple(found.labels) == case.labels
        told = " ".join([*found.warnings, *itertools.chain.from_iterable(found.skipped)])
        assert re.search(case.says, told)
        assert bool(told) == (case.answer != ACCEPTED), told
    assert seconds_of_children() - used < PROMPT
    after = [path for path in tmp_path.rglob("*") if tmp_path / "out" not in (path, *path.parents)]
    assert sorted(after) == before


def test_there_are_enough_of_them() -> None:
    assert len(CASES) >= 80 and len({case.name for case in CASES}) == len(CASES)


# Images


def test_every_way_to_bring_the_same_images_gives_the_same_samples(
    read: Callable[..., ReadResult], tmp_path: Path
) -> None:
    x = np.stack([grey(i, 28, 28) for i in range(6)])
    y = np.array([0, 1, 0, 1, 0, 1], np.uint8)
    png = {f"{label}/{i}.png": image(each) for i, (each, label) in enumerate(zip(x, y, strict=True))}
    png = dict(sorted(png.items()))
    order = [int(Path(name).stem) for name in png]
    laid(tmp_path / "folder", png)
    rows = "\n".join(",".join(map(str, [y[i], *x[i].ravel()])) for i in order)
    x, y = x[order], y[order]
    table = {"label": y, **{f"p{i}": x.reshape(6, -1)[:, i] for i in range(784)}}
    u8 = {"x": tensor([6, 28, 28], 0, 4704, "U8"), "y": tensor([6], 4704, 4710, "U8")}
    ways = [
        read(archive(png)),
        readers.read(tmp_path / "folder"),
        read(npz(x=x, y=y)),
        read(npz(x=x[..., None] / 255, y=y)),
        read(npz(x=np.repeat(x[:, None], 1, 1), y=y)),
        read({"i": hostile.idx(x), "l": gzip.compress(hostile.idx(y))}),
        read(rows.encode()),
        read(parquet(table)),
        read(safe(u8, x.tobytes() + y.tobytes())),
    ]
    for found in ways:
        sound(found)
        np.testing.assert_array_equal(found.samples[..., 0], x)
    assert len({readers.content_fingerprint(found) for found in ways}) == 1


def test_a_fingerprint_changes_with_samples_and_labels(read: Callable[..., ReadResult]) -> None:
    x, y = np.zeros((3, 8, 8), np.uint8), np.arange(3)
    first = readers.content_fingerprint(read(npz(x=x, y=y)))
    assert re.fullmatch("[0-9a-f]{64}", first)
    assert first != readers.content_fingerprint(read(npz(x=x, y=y[::-1])))
    x[1, 2, 3] = 1
    assert first != readers.content_fingerprint(read(npz(x=x, y=y)))


def test_folders_are_classes_and_splits(read: Callable[..., ReadResult]) -> None:
    names = [f"set/{s}/{c}/{i}.png" for s in ("Train", "val", "test") for c in ("10", "2") for i in range(2)]
    found = read(archive({name: image() for name in names}))
    assert found.classes == ("2", "10") and found.names[0] == "set/Train/10/0.png"
    assert found.labels.tolist() == [1, 1, 0, 0] * 3
    assert found.split is not None and found.split.tolist() == [TRAIN] * 4 + [VALIDATION] * 4 + [TEST] * 4
    found = read(archive({name: image() for name in names}), folders=False)
    assert found.classes == () and set(found.labels.tolist()) == {-1} and found.split is not None


def test_transparency_is_shown_over_white_and_exif_is_honoured(read: Callable[..., ReadResult]) -> None:
    half = Image.new("RGBA", (8, 8), (200, 0, 0, 255))
    half.paste((0, 0, 0, 0), (0, 0, 4, 8))
    found = read(image(half))
    assert found.samples[0, 0, 0].tolist() == [255] * 3 and found.samples[0, 0, 7].tolist() == [200, 0, 0]
    wide = Image.new("L", (6, 3), 0)
    wide.putpixel((0, 0), 255)
    exif = Image.Exif()
    exif[0x0112] = 6  # the camera was turned: the first pixel belongs to the right upper corner
    found = read(image(wide, exif=exif))
    assert found.shape == (6, 3, 1) and found.samples[0, 0, 2, 0] == 255 and found.samples[0].sum() == 255


def test_deep_images_keep_their_greys(read: Callable[..., ReadResult]) -> None:
    ramp = np.linspace(0, 65535, 64).astype(np.uint16).reshape(8, 8)
    found = read(image(Image.fromarray(ramp)))
    np.testing.assert_allclose(found.samples[0, ..., 0], ramp / 257, atol=0.6)
    dark = read({"a": image(Image.fromarray(ramp // 16)), "b": image(Image.fromarray(ramp // 32))})
    assert dark.samples.max() < 17 and "dark" in dark.warnings[0]
    bright = read({"a": image(Image.fromarray(ramp // 16)), "b": image(Image.fromarray(ramp // 32))}, scaling="stretch")
    assert bright.samples[0].max() == 255 and 126 <= bright.samples[1].max() <= 128 and not bright.warnings


@pytest.mark.parametrize(("fit", "corner", "middle"), [("resize", 255, 255), ("crop", 255, 255), ("pad", 0, 255)])
def test_mixed_sizes_are_fitted(read: Callable[..., ReadResult], fit: str, corner: int, middle: int) -> None:
    files = {"a.png": image(Image.new("L", (40, 20), 255)), "b.png": image(Image.new("L", (20, 20), 255))}
    found = read(files, size=16, fit=fit)
    assert found.shape == (16, 16, 1)
    assert found.samples[0, 0, 0, 0] == corner and found.samples[0, 8, 8, 0] == middle
    decision = found.decision("fit")
    assert decision is not None and decision.chosen == fit and set(decision.options) == {"resize", "crop", "pad"}
    assert read(files).decision("size") is not None


def test_grey_and_colour(read: Callable[..., ReadResult]) -> None:
    red = image(Image.new("RGB", (8, 8), "red"))
    assert read(red).shape == (8, 8, 3) and read(red, colour="grey").samples[0, 0, 0, 0] == 76
    assert read(image(), colour="colour").shape == (8, 8, 3)
    grey_in_colour = image(Image.fromarray(grey()).convert("RGB"))
    assert read(grey_in_colour).shape == (8, 8, 1)
    for place in (350, 351, 352):  # one in colour that no glance at some of them met, for most of these places
        many = {f"{i:03}.png": red if i == place else image() for i in range(701)}
        found = read(archive(many))
        assert found.samples.shape == (701, 8, 8, 3) and not found.skipped
        assert found.samples[place, 0, 0].tolist() == [255, 0, 0]


def test_skipped_files_are_listed_up_to_a_number(read: Callable[..., ReadResult]) -> None:
    found = read(archive({"a.png": image(), **{f"{i}.txt": b"x" for i in range(250)}}))
    assert len(found.samples) == 1 and len(found.skipped) == 100 and "250 things" in found.warnings[0]


def test_names_in_an_unmarked_encoding(read: Callable[..., ReadResult]) -> None:
    assert read(hostile.zip_utf8_unmarked()).classes == ("abc", "été")


def test_too_many_files_never_become_objects(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    paths = laid(tmp_path, archive(hostile.pictures()))
    monkeypatch.setattr(zipfile, "ZipFile", lambda *_: pytest.fail("it was opened"))
    with pytest.raises(Problem, match="There are 4 files"):
        readers.read(paths, small(entries=3))


# Tables


def test_a_table_and_back(read: Callable[..., ReadResult]) -> None:
    found = read(b"a,colour,b\n1,red,0.5\n2,blue,1.5\n3,red,\n")
    assert found.samples.tolist() == [[1, 1, 0, 0.5], [2, 0, 1, 1.5], [3, 1, 0, 1.0]]
    assert [(column.name, column.kind, column.start, column.width) for column in found.columns] == [
        ("a", "number", 0, 1),
        ("colour", "category", 1, 2),
        ("b", "number", 3, 1),
    ]
    assert found.columns[0].mean == 2 and found.columns[0].deviation == pytest.approx((2 / 3) ** 0.5)
    back = readers.inverse(found.columns, found.samples)
    assert back == {"a": [1, 2, 3], "colour": ["red", "blue", "red"], "b": [0.5, 1.5, 1.0]}
    assert readers.some_rows(found, 2) == {"a": [1, 3], "colour": ["red", "red"], "b": [0.5, None]}
    skipped = read(b"a,colour,b\n1,red,0.5\n2,blue,1.5\n3,red,\n", missing="skip")
    assert skipped.names == ("1", "2") and skipped.skipped == (("row 3", "it has missing values"),)


def test_decimal_commas_and_underscores(read: Callable[..., ReadResult]) -> None:
    found = read(b"a;b\n1,5;2\n-0,25;3\n")
    assert found.samples.tolist() == [[1.5, 2], [-0.25, 3]]
    found = read(b"a,b\n1_0,2\n1_1,3\n1_0,4\n")  # Python would read 10
    assert found.columns[0].values == ("1_0", "1_1")


def test_columns_that_turn_to_text_after_a_block(
    read: Callable[..., ReadResult], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("models.readers.text.CELLS", 20)  # ten rows
    found = read(("a,b\n" + "1,2\n" * 100 + "x,3\n" * 300).encode())
    assert found.columns[0].values == ("1", "x") and found.samples[:, :2].sum(0).tolist() == [100, 300]
    found = read(("a,b\n" + "1,2\n" * 100 + "1_0,3\n").encode())
    assert found.samples[-1].tolist() == [1, 3] and "1 of 101 cells of “a” were no numbers: `1_0`." in found.warnings


def test_shown_rows_have_their_class_under_the_name_of_its_column(read: Callable[..., ReadResult]) -> None:
    found = read(b"class,kind\n0.5,red\n1.5,blue\n2.5,\n", label="kind")
    assert readers.some_rows(found) == {"kind": ["red", "blue", None], "class": [0.5, 1.5, 2.5]}


def test_labels_of_a_table(read: Callable[..., ReadResult]) -> None:
    table = b"a,species,b\n1,cat,2\n2,dog,3\n3,,4\n4,cat,5\n"
    found = read(table)
    assert found.classes == ("cat", "dog") and found.labels.tolist() == [0, 1, -1, 0] and found.shape == (2,)
    assert read(table, label="").shape == (4,) and read(table, label="a").classes == ("1", "2", "3", "4")
    assert read(table, leave_out=["a"]).shape == (1,)


def test_an_index_column_and_free_text_are_left_out(read: Callable[..., ReadResult]) -> None:
    rows = "\n".join(f"{i},{i * i},name {i}" for i in range(300))
    found = read(f",b,name\n{rows}\n".encode())
    assert found.shape == (1,) and {name for name, _ in found.skipped} == {"column 1", "name"}


def test_signals_are_windows(read: Callable[..., ReadResult]) -> None:
    rows = [f"{i},{i},{i * 2},{'up' if i < 12 else 'down'}" for i in range(20)]
    table = "\n".join(["time,a,b,class", *rows]).encode()
    found = read(table, kind="signal", window=8, step=4)
    assert found.samples.shape == (4, 8, 2) and [column.name for column in found.columns] == ["a", "b"]
    assert found.samples[1, :, 0].tolist() == list(range(4, 12)) and found.names == ("1", "5", "9", "13")
    assert [found.classes[label] for label in found.labels] == ["up", "up", "up", "down"][:2] + [
        found.classes[label] for label in found.labels[2:]
    ]
    holes = table.replace(b"\n6,6,", b"\n6,,")
    assert len(read(holes, kind="signal", window=8, step=4, missing="skip").samples) == 2
    np.testing.assert_array_equal(read(holes, kind="signal", window=8, step=4).samples, found.samples)  # a line was cut
    longer = table.replace(b"\n6,6,", b"\n6,,").replace(b"\n7,7,", b"\n7,,")
    assert len(read(longer, kind="signal", window=8, step=4).samples) == 2  # two rows of eight are too many to guess
    across = read(b"1,2,3,4\n5,6,7,8\n", kind="signal", layout="across", header=False)
    assert across.samples[..., 0].tolist() == [[1, 2, 3, 4], [5, 6, 7, 8]]


ROWS = 600
TIMES: dict[str, tuple[list[object], str]] = {
    "seconds": ([0.5 * i for i in range(ROWS)], "signal"),
    "seconds since 1970, of which float32 knows two minutes": ([1_767_225_600 + i for i in range(ROWS)], "signal"),
    "ISO 8601": ([str(datetime(2026, 1, 1) + timedelta(minutes=5 * i)) for i in range(ROWS)], "signal"),
    "ISO 8601 with a zone": (
        [f"{datetime(2026, 1, 1) + timedelta(i):%Y-%m-%dT%H:%M:%SZ}" for i in range(ROWS)],
        "signal",
    ),
    "German": ([f"{datetime(2026, 1, 1) + timedelta(minutes=i):%d.%m.%Y %H:%M}" for i in range(ROWS)], "signal"),
    "American": ([f"{datetime(2026, 1, 1) + timedelta(hours=i):%m/%d/%Y %I:%M %p}" for i in range(ROWS)], "signal"),
    "of the day": ([f"{datetime(2026, 1, 1) + timedelta(seconds=i / 50):%H:%M:%S.%f}" for i in range(ROWS)], "signal"),
    "unordered days": ([str(date(2026, 1, 1) + timedelta(i * i % 601)) for i in range(ROWS)], "table"),
    "several rows a second": ([i // 3 for i in range(ROWS)], "table"),
    "uneven": ([i * i for i in range(ROWS)], "table"),
    "too few to learn from": (list(range(400)), "table"),
}


@pytest.mark.parametrize("case", TIMES)
def test_rows_that_follow_a_clock_are_a_signal(case: str, read: Callable[..., ReadResult]) -> None:
    times, kind = TIMES[case]
    table = "\n".join(["t,a,state", *(f"{t},{i % 7},{'up' if i < 64 else 'down'}" for i, t in enumerate(times))])
    found = read(table.encode())
    assert found.kind == kind
    if kind == "signal":
        assert found.shape == (64, 1) and found.classes == ("down", "up") and found.labels.tolist() == [1] + 8 * [0]
        assert found.skipped == (("t", "the column tells the time of each row"),)
        decision = found.decision("kind")
        assert decision is not None and decision.words.startswith("The column “t” tells the time")
        back = read(table.encode(), kind="table")
        assert back.kind == "table" and len(back.samples) == ROWS and not back.classes


@pytest.mark.parametrize("name", ["Time (s)", "time_s", "timestamp_ms", "Datetime UTC", "Zeit", "ts", "Elapsed"])
def test_a_column_of_times_may_be_called_otherwise(name: str, read: Callable[..., ReadResult]) -> None:
    table = "\n".join([f"{name},a", *(f"{i / 50},{i % 7}" for i in range(ROWS))])
    assert read(table.encode()).kind == "signal"
    assert read(table.replace(name, "timber").encode()).kind == "table"


def test_no_window_lies_across_a_jump_of_time(read: Callable[..., ReadResult]) -> None:
    """Three recordings: after a pause, and with a clock that starts again."""
    times = [*range(260), *range(1000, 1170), *range(170)]
    table = "\n".join(["time,a", *(f"{t},{i}" for i, t in enumerate(times))])
    found = read(table.encode())
    assert found.names == ("1", "65", "129", "193", "261", "325", "431", "495")
    assert any("has 2 gaps" in words for words in found.warnings)


def test_overlapping_windows_share_no_row_with_another_split(read: Callable[..., ReadResult]) -> None:
    table = "\n".join(["time,a", *(f"{i},{i}" for i in range(12_800))])
    found = read(table.encode(), step=8)
    assert found.split is not None
    of_row = np.full(12_800, 255)
    for window, split in zip(found.samples[..., 0].astype(int), found.split, strict=True):
        assert set(of_row[window].tolist()) <= {255, split}
        of_row[window] = split
    shares = np.bincount(found.split, minlength=3) / len(found.split)
    assert shares[TRAIN] == pytest.approx(0.8, abs=0.03) and shares[TEST] == pytest.approx(0.1, abs=0.03)
    assert len(found.split) > 0.85 * (12_800 - 64) / 8 and len(found.names) == len(found.split) == len(found.labels)
    assert read(table.encode()).split is None  # windows side by side share nothing


def test_a_class_may_be_called_none_and_a_missing_one_is_told(read: Callable[..., ReadResult]) -> None:
    rows = "\n".join(f"{i / 3},{('none', 'mild', 'n/a')[i % 3]}" for i in range(60))
    found = read(f"a,class\n{rows}\n".encode())
    assert found.classes == ("mild", "none") and found.warnings == (
        "20 of 60 cells of “class” were no values of a category: `n/a`.",
        "20 rows have no class: the cell is empty, or says NA or the like.",
    )


@pytest.mark.parametrize(
    ("table", "values"),
    [
        ("name\tpeople\tarea\na\t1,234\t1.5\nb\t950\t2.5\n", [1234, 950]),
        ('name,people\na,"1,234,567.5"\nb,"2,000"\n', [1234567.5, 2000]),
        ("name;people;weight\na;5.234;70,12\nb;950;80,5\n", [5234, 950]),
        ("name;people;weight\na;1.005.234,25;70,12\nb;950;80,5\n", [1005234.25, 950]),
        ("name\tpeople\na\t0,123\nb\t1,234\n", [0.123, 1.234]),
        ("name;people\na;1,234\nb;2,345\n", [1.234, 2.345]),
    ],
)
def test_marks_between_thousands(table: str, values: list[float], read: Callable[..., ReadResult]) -> None:
    found = read(table.encode())
    people = next(column for column in found.columns if column.name == "people")
    np.testing.assert_allclose(found.samples[:, people.start], values, rtol=1e-6)


def test_the_decimal_mark_can_be_changed_where_it_was_a_guess(read: Callable[..., ReadResult]) -> None:
    table = b"a\tb\n1,234\t1\n2,345\t2\n"
    assert read(table).samples[:, 0].tolist() == [1234, 2345]
    assert read(table, decimal=",").samples[:, 0].tolist() == pytest.approx([1.234, 2.345])


def test_columns_that_only_name_the_rows_are_left_out(read: Callable[..., ReadResult]) -> None:
    rows = "\n".join(f"{842302 + 7 * i},K-{i:03},{i % 4},{i * i / 3}" for i in range(50))
    found = read(f"Customer ID,code,subject_id,a\n{rows}\n".encode())
    assert [column.name for column in found.columns] == ["subject_id", "a"]
    assert dict(found.skipped) == {
        "Customer ID": "the column only tells the rows apart",
        "code": "the column holds a different text in every row",
    }


def test_times_of_a_parquet_file(read: Callable[..., ReadResult]) -> None:
    import pyarrow as pa

    for zone in (None, "Europe/Berlin"):
        when = pa.array([datetime(2026, 1, 1) + timedelta(minutes=i) for i in range(ROWS)], pa.timestamp("us", zone))
        found = read(parquet({"timestamp": when, "x": [i % 5 for i in range(ROWS)]}))
        assert (found.kind, found.shape) == ("signal", (64, 1))


def test_a_large_table_keeps_every_cell(read: Callable[..., ReadResult]) -> None:
    """More than one block, so that blocks are put together as they were."""
    values = np.random.default_rng(0).standard_normal((30_000, 12)).astype(np.float32)
    text = "\n".join(",".join(f"{value:.9g}" for value in row) for row in values)
    np.testing.assert_array_equal(read(text.encode()).samples.astype(np.float32), values)


def test_cells_of_an_exported_table_run_nothing() -> None:
    assert [export.escape_cell(text) for text in ("=1", "+1", "-1", "@x", "\t=1", "\r=1")] == [
        "'=1", "'+1", "'-1", "'@x", "'\t'=1", "'\r'=1",
    ]  # fmt: skip
    assert [export.escape_cell(text) for text in ("＝1", "＋1", " =1", "a;=1+1", 'a;"=1', "a\t@x", "a|-1", "a\n=1", "x\r\n +1")] == [
        "'＝1", "'＋1", "' =1", "a;'=1+1", "a;\"'=1", "a\t'@x", "a|'-1", "a\n'=1", "x\r\n '+1",
    ]  # fmt: skip
    for text in ("plain", "", "a, -b", "x-1", "a; b", "3;4"):
        assert export.escape_cell(text) == text
    assert export.codes_csv({"=label": ["\tx", "y"]}).splitlines() == ["'=label", "'\tx", "y"]


# Choices


@pytest.mark.parametrize(
    "choices",
    [{"nope": 1}, {"size": 0}, {"size": [1, 2, 3]}, {"size": 10_000}, {"fit": "x"}, {"kind": "x"}, {"window": True},
     {"window": -1}, {"leave_out": "a"}, {"leave_out": [1]}, {"shape": [28]}, {"shape": [28, 28, 7]}, {"header": "yes"},
     {"label": 3}, {"size": {"a": 1}}, {"kind": []}, {"axes": "NXY"}],
    ids=str,
)  # fmt: skip
def test_impossible_choices_are_told(choices: dict[str, Any], read: Callable[..., ReadResult], tmp_path: Path) -> None:
    with pytest.raises(Problem) as caught:
        read(image(), **choices)
    clear(caught.value, tmp_path)
    with pytest.raises(Problem):
        guarded.guarded_read(tmp_path / "absent", tmp_path / "out", choices)


def brought() -> list[bytes]:
    """Content that leaves as much as possible to be decided."""
    x = np.random.default_rng(0).random((4, 9, 12))
    split = [f"{part}/{kind}/{i}.png" for part in ("train", "test") for kind in "ab" for i in range(2)]
    return [
        archive({"a/1.png": image(grey(0, 90, 70)), "b/1.png": image(Image.new("RGB", (80, 70), "red"))}),
        archive({name: image(grey(i)) for i, name in enumerate(split)}),
        npz(x=x, y=np.arange(4), z=np.zeros((4, 9, 9)), other=np.arange(4)),
        npz(x_train=x, y_train=np.arange(4), x_test=x[:2], y_test=np.arange(2), more=np.zeros((4, 9, 9))),
        pixels(header=True).encode(),
        b"a,colour,b\n1,red,0.5\n2,blue,1.5\n3,red,\n4,red,7\n",
        npy(np.random.default_rng(0).integers(0, 4096, (3, 10, 10), dtype=np.uint16)),
        npy(np.array([[1, 2, np.nan, 4], [1, 2, 3, 4]] * 5)),
    ]


def test_the_same_decisions_give_the_same(read: Callable[..., ReadResult]) -> None:
    for content in brought():
        first = read(content)
        again = read(content, **{decision.what: decision.chosen for decision in first.decisions})
        assert readers.content_fingerprint(again) == readers.content_fingerprint(first)
        assert again.columns == first.columns and again.classes == first.classes
        assert (again.split is None) == (first.split is None) and {d.what for d in again.decisions} >= {
            d.what for d in first.decisions
        }
        assert all(decision.chosen in decision.options for decision in first.decisions), first.decisions


def test_every_decision_can_be_taken_again_by_its_options(read: Callable[..., ReadResult]) -> None:
    fitting = ("separator", "decimal", "header", "labels", "samples", "axes", "kind", "missing")
    tried = 0
    for content in brought():
        for decision in read(content).decisions:
            for option in decision.options:
                try:
                    again = read(content, **{decision.what: option})
                except Problem as problem:  # some do not fit the others, such as pixels read with another separator
                    assert decision.what in fitting and option != decision.chosen, problem
                    continue
                sound(again)
                tried += 1
                made = again.decision(decision.what)
                assert made is None or made.chosen == option
    assert tried > 80


# Folders and files on disk


def test_sizes_of_images_are_told_height_first(read: Callable[..., ReadResult]) -> None:
    def told(height: int, width: int, **choices: Any) -> str:
        decision = read(image(grey(0, height, width)), **choices).decision("size")
        assert decision is not None
        return decision.words

    assert told(48, 64) == "All images are 48 × 64 pixels (height × width) and stay so."
    assert told(96, 128) == "Images are 96 × 128 pixels (height × width); each becomes 48 × 64."
    assert told(48, 64, size=[6, 8]) == "Every image becomes 6 × 8 pixels (height × width), as chosen."


def test_breaks_and_tabs_in_names_become_blanks(read: Callable[..., ReadResult]) -> None:
    rows = "".join(f'{i % 7},{i % 5},"{("a", "b")[i % 2]}\tin\r\ntwo\nlines"\n' for i in range(40))
    found = read({"x.csv": f"p,q,class\n{rows}".encode()})
    assert sorted(found.classes) == ["a in two lines", "b in two lines"]
    assert work.plain("bell\x07, mark\u202e") == "bell\ufffd, mark\ufffd"


TABLE = "".join(f"{i},{i * 7 % 11},{i * 3 % 5}\n" for i in range(40)).encode()


def test_a_table_beside_images_that_does_not_name_them_is_told_to_come_by_itself(
    read: Callable[..., ReadResult],
) -> None:
    beside = read({"zip.zip": archive({"0/a.png": image(), "1/b.png": image(), "Kunden.csv": TABLE})})
    assert beside.skipped == (
        ("Kunden.csv", "it is a table, and folders are the classes already; bring it alone to read it as a table"),
    )
    several = read({"a.png": image(), "kunden.csv": TABLE})
    assert several.skipped == (
        ("kunden.csv", "it is a table, and no column of it names the images; bring it alone to read it as a table"),
    )
    assert read({"zip.zip": archive({"Kunden.csv": TABLE})}).kind == "table"
    with pytest.raises(Problem, match="The 2 tables of zip.zip do not belong together"):
        read({"zip.zip": archive({"Kunden.csv": TABLE, "b.csv": TABLE})})


def test_a_run_is_told_to_be_opened_where_runs_are(digits_run: runs.Run, read: Callable[..., ReadResult]) -> None:
    with pytest.raises(Problem, match="is a run of Hourglass.*Explore.*Open a run"):
        read({"run.zip": export.pack(digits_run)})


def test_a_reader_of_one_kind_says_what_another_file_is_not(tmp_path: Path) -> None:
    (path,) = laid(tmp_path, {"english.csv": TABLE})
    with pytest.raises(Problem, match="english.csv is not a zip"):
        readers.from_zip(path)
    with pytest.raises(Problem, match="english.csv is not an NPY, NPZ or safetensors file"):
        readers.from_arrays(path)


def test_every_reader_takes_a_path_as_text(tmp_path: Path) -> None:
    array = io.BytesIO()
    np.save(array, np.zeros((4, 3), np.float32) + np.arange(4)[:, None])
    files = {"t.csv": TABLE, "a.npy": array.getvalue(), "z.zip": archive({"a.png": image()}), "f/a.png": image()}
    table, arrays, packed, one = (str(path) for path in laid(tmp_path, files))
    assert len(readers.from_table(table).samples) == 40
    assert len(readers.from_arrays(arrays).samples) == 4
    assert len(readers.from_zip(packed).samples) == 1
    assert len(readers.from_folder(str(tmp_path / "f")).samples) == 1
    assert len(readers.from_images([one]).samples) == len(readers.from_images(one).samples) == 1
    with pytest.raises(Problem, match="t.csv"):
        readers.from_idx(table, table)


def test_names_of_files_are_told_as_they_are() -> None:
    assert str(Problem("kunden.csv is empty", "a file was expected", "choose one")).startswith(
        "kunden.csv is empty; a "
    )
    assert str(Problem("data_1 is empty", "a", "b")).startswith("data_1 is")
    assert str(Problem("code size must be 1 to 30; 0 was given")) == "Code size must be 1 to 30; 0 was given."
    assert str(Problem("the file is empty", do="choose another")) == "The file is empty. Choose another."
    assert (
        str(Problem("3 files came", "one, of two, was expected", "b")) == "3 files came; one, of two, was expected. B."
    )


def test_links_in_a_folder_are_not_followed(tmp_path: Path) -> None:
    secret = tmp_path / "secret.png"
    secret.write_bytes(image(np.full((8, 8), 7, np.uint8)))
    laid(tmp_path / "folder", {"a.png": image(), "deep/b.png": image()})
    (tmp_path / "folder" / "link.png").symlink_to(secret)
    (tmp_path / "folder" / "round").symlink_to(tmp_path / "folder")
    os.mkfifo(tmp_path / "folder" / "pipe.png")  # opening it would wait for ever
    found = readers.read(tmp_path / "folder")
    link, other = "a link is not followed", "it is no plain file"
    assert len(found.samples) == 2
    assert set(found.skipped) == {("link.png", link), ("round", link), ("pipe.png", other)}


@pytest.mark.parametrize("what", ["absent", "pipe", "none"])
def test_what_is_no_file_is_told(what: str, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(Problem) as caught:
        readers.read([] if what == "none" else tmp_path / what)
    clear(caught.value, tmp_path)


@needs_data("mnist")
def test_mnist_as_it_is_published() -> None:
    found = readers.read(downloads() / "mnist")
    sound(found)
    assert found.samples.shape == (70_000, 28, 28, 1) and len(found.classes) == 10 and found.split is not None
    assert np.bincount(found.split).tolist() == [60_000, 0, 10_000]
    assert found.labels[:5].tolist() == [5, 0, 4, 1, 9]


# Limits


def small(**numbers: Any) -> readers.Work:
    return readers.Work(limits=dataclasses.replace(Limits(), **numbers))


@pytest.mark.parametrize(
    ("limits", "content", "says"),
    [
        ({"upload": 1000}, b"1,2\n" * 500, "2,000 bytes.*1,000 are"),
        ({"unpacked": 1000}, archive({f"{i}.png": image() for i in range(9)}), r"holds \d.* at most 1,000"),
        ({"entries": 3}, archive(hostile.pictures()), "there are 4 files.*at most 3"),
        ({"directory": 10}, archive(hostile.pictures()), "at most 10, "),
        ({"pixels": 63}, image(), "8 × 8 pixels.*at most 63 are"),
        ({"member": 10}, image(), "at most 10"),
        ({"samples": 3}, npy(np.zeros((4, 8, 8), np.uint8)), "4 samples.*3 samples"),
        ({"output": 100}, npy(np.zeros((4, 8, 8), np.uint8)), "256 bytes.* 100 bytes"),
        ({"columns": 1}, b"1,2\n3,4\n", "2 columns.*at most 1"),
        ({"rows": 1}, b"1,2\n3,4\n", "at most 1 rows"),
        ({"line": 5}, b"1,2,3,4,5\n", "more than 5 characters"),
        ({"cell": 5}, b"a,b\n123456789,2\n", "cannot be read"),
        ({"header": 10}, safe({"x": tensor([1], 0, 4)}, b"\0" * 4), "2 to 10"),
        ({"seconds": 0.0}, image(), "more than the allowed 0 seconds"),
        ({"ratio": 2, "ratio_from": 100}, archive({"a.bmp": b"\0" * 9999}), "at most 2 times"),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
)  # fmt: skip
def test_every_limit_is_kept_and_named(limits: dict[str, Any], content: bytes, says: str, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(content)
    readers.read(
        tmp_path / "file"
    ) if "ratio" not in limits and "cell" not in limits and "header" not in limits else None
    with pytest.raises(Problem, match=f"(?i){says}") as caught:
        readers.read(tmp_path / "file", small(**limits))
    clear(caught.value, tmp_path)


# The guarded process


def test_guarded_reading_gives_what_reading_gives(tmp_path: Path, read: Callable[..., ReadResult]) -> None:
    content = b"a,colour,class\n1,red,x\n2,blue,y\n3,red,x\n4\n"
    told: list[tuple[str, float]] = []
    paths = laid(tmp_path / "in", content)
    found = guarded.guarded_read(
        paths, tmp_path / "out", {"missing": "mean"}, lambda what, share: told.append((what, share))
    )
    same = read(content, missing="mean")
    assert readers.content_fingerprint(found) == readers.content_fingerprint(same)
    for field in ("kind", "classes", "names", "columns", "decisions", "skipped", "warnings"):
        assert getattr(found, field) == getattr(same, field)
    assert isinstance(found.samples, np.memmap) and not found.samples.flags.writeable
    assert (tmp_path / "out" / "samples.npy").is_file() and all(0 <= share <= 1 for _, share in told)


def child_that(code: str, monkeypatch: pytest.MonkeyPatch) -> list[subprocess.Popen[bytes]]:
    """Makes guarded_read start a process that does this instead, and keeps hold of it."""
    started: list[subprocess.Popen[bytes]] = []
    real = subprocess.Popen

    def start(command: list[str], **habits: Any) -> subprocess.Popen[bytes]:
        assert command[1:3] == ["-m", "models.readers"] and habits["stdin"] == subprocess.DEVNULL
        assert habits["start_new_session"] and not {name for name in habits["env"] if "SECRET" in name}
        started.append(real([sys.executable, "-c", code], **habits))
        return started[-1]

    monkeypatch.setenv("MY_SECRET", "x")
    monkeypatch.setattr(guarded.subprocess, "Popen", start)
    return started


@pytest.mark.parametrize(
    ("code", "says"),
    [
        ("x = bytearray(b'x' * (500 << 20)); import time; time.sleep(300)", "of memory.*at most 200 MiB"),
        ("import time; time.sleep(300)", "more than the allowed 0.5 seconds"),
        ("import os; os.abort()", "failed .signal 6"),
        ("import sys; sys.exit(3)", "failed .code 3"),
        ("pass", "failed .code 0"),
    ],
)
def test_a_reader_out_of_hand_is_stopped(code: str, says: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    started = child_that(code, monkeypatch)
    monkeypatch.setattr(guarded, "GIVEN_UP", 0.5)
    limits = dataclasses.replace(Limits(), memory=200 << 20, seconds=0.5 if "seconds" in says else 250.0)
    paths = laid(tmp_path / "in", image())
    laid(tmp_path / "out", {"samples.npy": b"half", "labels.npy": b"half"})  # as if it had got so far
    began = time.monotonic()
    with pytest.raises(Problem, match=f"(?i){says}") as caught:
        guarded.guarded_read(paths, tmp_path / "out", limits=limits)
    clear(caught.value, tmp_path)
    assert time.monotonic() - began < 200 and started[0].returncode is not None
    assert not psutil.pid_exists(started[0].pid) and not list((tmp_path / "out").glob("*.npy"))


def test_the_reader_keeps_its_own_time(tmp_path: Path) -> None:
    paths = laid(
        tmp_path / "in", archive({f"{i}.png": image(grey(i, 300, 300)) for i in range(600)}, zipfile.ZIP_STORED)
    )
    with pytest.raises(Problem, match="more than the allowed 0.2 seconds"):
        guarded.guarded_read(paths, tmp_path / "out", limits=dataclasses.replace(Limits(), seconds=0.2))


def test_the_reader_ends_with_who_started_it(tmp_path: Path) -> None:
    """Whoever started it is gone at once, as after a crash."""
    request = {"paths": [str(tmp_path)], "choices": {}, "limits": dataclasses.asdict(Limits()), "parent": 1 << 30}
    (tmp_path / "request.json").write_text(json.dumps(request))
    code = "import time; from pathlib import Path; from models.readers import guarded; guarded.readers.read = lambda *_: time.sleep(600); import sys; guarded.serve(Path(sys.argv[1]))"
    done = subprocess.run([sys.executable, "-c", code, str(tmp_path)], cwd=ROOT, check=False, timeout=300)
    assert done.returncode == 1


def test_reading_imports_neither_torch_nor_arrow_nor_pandas() -> None:
    code = "import sys, models.readers.guarded; print({'torch', 'pandas', 'pyarrow', 'streamlit', 'sklearn'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True, capture_output=True, text=True)
    assert done.stdout.strip() == "set()"


def spent() -> float:
    """Seconds of a core that this process and those it has waited for have taken."""
    return sum(sum(resource.getrusage(who)[:2]) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))


def test_twenty_thousand_images_in_a_zip(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A third of what may take 20 seconds of a core at rest and 600 MiB to arrays and a contact sheet: `benchmarks/data.py`
    has 60,000. Beside other work a core's seconds count for up to three times as much."""
    values = np.random.default_rng(0).integers(0, 256, (20_000, 28, 28), dtype=np.uint8)
    values[:, :, 8:] = 0
    with zipfile.ZipFile(tmp_path / "many.zip", "w") as many:
        for i, each in enumerate(values):
            many.writestr(f"{i % 10}/{i}.png", image(each, compress_level=1))
    most = 0
    real = guarded.private_memory

    def seen(pid: int) -> int:
        nonlocal most
        taken = real(pid)
        most = max(most, taken)
        return taken

    monkeypatch.setattr(guarded, "private_memory", seen)
    began = spent()
    found = guarded.guarded_read(tmp_path / "many.zip", tmp_path / "out")
    readers.contact_sheet(found)
    took = spent() - began
    assert found.samples.shape == (20_000, 28, 28, 1) and len(found.classes) == 10
    np.testing.assert_array_equal(found.samples[12_345, ..., 0], values[12_345])
    assert 0 < most < 400 << 20 and took < 20, (most >> 20, took)


# Mutants


def seeds() -> dict[str, Callable[[], bytes]]:
    """Sound little files of every format, to be damaged."""
    tiff = Image.fromarray(grey())
    return {
        "png": lambda: image(grey(0, 6, 6)),
        "jpeg": lambda: image(Image.new("RGB", (8, 8), "red"), "JPEG"),
        "gif": lambda: image(Image.new("RGB", (8, 8), "red"), "GIF"),
        "bmp": lambda: image(Image.new("RGB", (4, 4), "red"), "BMP"),
        "webp": lambda: image(Image.new("RGB", (8, 8), "red"), "WEBP"),
        "tiff": lambda: image(tiff, "TIFF"),
        "tiff-lzw": lambda: image(tiff, "TIFF", compression="tiff_lzw"),
        "pnm": lambda: image(grey(), "PPM"),
        "zip": lambda: archive({"a/1.png": image(grey(0, 3, 3)), "b/1.png": image(grey(1, 3, 3))}),
        "npy": lambda: npy(np.zeros((3, 4, 4), np.uint8)),
        "npz": lambda: npz(x=np.zeros((3, 4, 4), np.uint8), y=np.arange(3)),
        "safetensors": lambda: safe({"x": tensor([2, 3], 0, 24), "y": tensor([2], 24, 32, "I32")}, bytes(32)),
        "idx": lambda: hostile.idx(np.zeros((3, 4, 4), np.uint8)),
        "idx.gz": lambda: gzip.compress(hostile.idx(np.zeros((3, 4, 4), np.uint8))),
        "csv": lambda: b"a,colour,label\n1.5,red,x\n2,blue,y\n3,red,x\n4,,y\n",
        "clock": lambda: b"t,a,state\n1.5,3,x\n2,4,x\n2.5,3,y\n3,4,y\n",
        "calendar": lambda: b"date,a\n2026-01-01,3\n2026-01-02,4\n2026-01-03,5\n2026-01-04,3\n",
        "utf16": lambda: "a;b\n1,5;2\n2,5;3\n".encode("utf-16"),
        "parquet": lambda: parquet({"a": [1, 2, 3], "b": ["x", "y", "x"]}),
    }


def mutated(content: bytes, chance: random.Random) -> bytes:
    out = bytearray(content)
    for _ in range(chance.choice((1, 1, 1, 2, 3, 8))):
        at = chance.randrange(len(out) + 1)
        way = chance.randrange(7)
        if way == 0 and at < len(out):
            out[at] ^= 1 << chance.randrange(8)
        elif way == 1 and at < len(out):
            out[at] = chance.choice((0, 1, 0x7F, 0x80, 0xFF, chance.randrange(256)))
        elif way == 2:
            del out[at : at + chance.choice((1, 4, 64))]
        elif way == 3:
            out[at:at] = chance.randbytes(chance.choice((1, 2, 8)))
        elif way == 4:
            out[at : at + 4] = chance.choice(
                (b"\xff\xff\xff\xff", b"\0\0\0\0", b"\x7f\xff\xff\xff", b"\xff\xff\xff\x7f")
            )
        elif way == 5:
            other = chance.randrange(len(out) + 1)
            out[at:at] = out[other : other + chance.choice((1, 8, 40))]
        else:
            out[at : at + 1] = chance.choice((b"\n", b'"', b",", b"9" * 30, b"-1", b"nan", b"\xef\xbb\xbf", b"'"))
    return bytes(out)


MUTANTS = int(os.environ.get("HOURGLASS_MUTANTS", "8000"))
MUTANT_LIMITS = {"pixels": 1_000_000, "output": 1 << 24, "seconds": 5.0, "unpacked": 1 << 26}


@pytest.mark.timeout(max(1800, MUTANTS // 50))
@pytest.mark.parametrize("form", seeds())
def test_mutants_give_samples_or_a_problem(form: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """HOURGLASS_MUTANTS files in all (a million is a long run). The number of one that failed is in the message."""
    monkeypatch.setattr(series, "SERIES", 3)
    content = seeds()[form]()
    path = tmp_path / "mutant"
    read = 0
    for number in range(MUTANTS // len(seeds())):
        path.write_bytes(mutated(content, random.Random(f"{form} {number}")))
        try:
            found = readers.read(path, small(**MUTANT_LIMITS))
        except Problem as problem:
            assert problem.came and problem.do and all(part is None or part.strip() for part in problem.parts)
        except BaseException as error:
            raise AssertionError(f"mutant {number} of {form}") from error
        else:
            sound(found)
            read += 1
    assert read  # else what is damaged is refused at the door, and nothing was tried


def test_many_that_are_read_at_once_wait_for_their_turn(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each may take the memory that the limits allow: forty at once would take all there is."""
    (tmp_path / "table.csv").write_text("a,b\n" + "1,2\n3,4\n" * 20)
    monkeypatch.setattr(guarded, "TURNS", (threading.BoundedSemaphore(1), threading.BoundedSemaphore(1)))
    said: list[str] = []

    def read() -> ReadResult:
        return guarded.guarded_read(
            tmp_path / "table.csv", tmp_path / "out", progress=lambda what, _: said.append(what)
        )

    with ThreadPoolExecutor(1) as threads:
        with guarded.TURNS[0]:
            reading = threads.submit(read)
            while "waiting until others are read" not in said:
                time.sleep(0.05)
            assert not (tmp_path / "out").exists()
            # What may take an hour has turns of its own.
            assert len(guarded.guarded_read(tmp_path / "table.csv", tmp_path / "large", limits=LARGE).samples) == 40
        assert len(reading.result().samples) == 40
    with guarded.TURNS[0], pytest.raises(KeyboardInterrupt):  # whoever waits can give up

        def give_up(_what: str, _share: float) -> None:
            raise KeyboardInterrupt

        guarded.guarded_read(tmp_path / "table.csv", tmp_path / "never", progress=give_up)
    assert len(read().samples) == 40

"""New samples through a trained run: what fits is encoded as the run's own samples are, what does not is told."""

import dataclasses
import io
import json
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from conftest import trained
from PIL import Image
from test_pages import drawn, words

from models import Problem, columns, datasets, export, runs, uploads
from models.analysis import encoding
from models.columns import Column
from models.readers.guarded import guarded_read

Write = Callable[[str, str | bytes], Path]

PEOPLE = (
    Column("height", "number", 0, 1, 170.0, 10.0),
    Column("weight", "number", 1, 1, 70.0, 15.0),
    Column("class", "category", 2, 3, values=("reads", "writes", "1")),
)
WAVES = (Column("left", "number", 0, 1, 5.0, 2.0), Column("right", "number", 1, 1, -1.0, 0.5))


def table_of(count: int) -> tuple[np.ndarray, np.ndarray]:
    """Rows (N, 5) in their own units, and their category."""
    draw = np.random.default_rng(0)
    which = draw.integers(0, 3, count)
    raw = np.column_stack([draw.normal(170, 10, count), draw.normal(70, 15, count), np.eye(3)[which]])
    return raw.astype(np.float32), which


def waves(count: int, channels: int) -> np.ndarray:
    """Signals (N, 12, C) in their own units."""
    draw = np.random.default_rng(1)
    phase = draw.uniform(0, 6, (count, 1, channels))
    return (5 + 2 * np.sin(np.arange(12)[None, :, None] / 2 + phase)).astype(np.float32)


def declared(name: str, kind: str, samples: np.ndarray, described: tuple[Column, ...]) -> datasets.Dataset:
    stored = columns.standardised(described, samples)
    nothing = np.zeros((len(samples), 0), np.float32)

    def read() -> datasets.Arrays:
        return datasets.Arrays(stored, np.full(len(samples), -1, np.int32), nothing)

    return datasets.Dataset(
        name, name.title(), "", kind, stored.shape[1:], len(stored), (), "tests", "none", read, columns=described
    )


@pytest.fixture(scope="module")
def brought() -> Iterator[dict[str, runs.Run]]:
    """Runs of a table, of signals with two channels and of signals with one."""
    own = {
        "people": declared("people", "table", table_of(200)[0], PEOPLE),
        "waves": declared("waves", "signal", waves(200, 2), WAVES),
        "beats": declared("beats", "signal", waves(200, 1), WAVES[:1]),
    }
    real = datasets.available()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(datasets, "available", lambda: {**real, **own})
        yield {name: trained(dataset=name, architecture="single-layer", tsne=0) for name in own}


@pytest.fixture(scope="module")
def shipped() -> runs.Run:
    return runs.open_run(runs.folder_of("digits-variational"))


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def written(name: str, content: str | bytes) -> Path:
        path = tmp_path / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    return written


def png(pixels: np.ndarray) -> bytes:
    out = io.BytesIO()
    Image.fromarray(pixels).save(out, "PNG")
    return out.getvalue()


def npy(array: np.ndarray) -> bytes:
    out = io.BytesIO()
    np.save(out, array)
    return out.getvalue()


# Images


def test_the_runs_own_samples_get_their_own_codes(shipped: runs.Run, write: Write, tmp_path: Path) -> None:
    places = np.array([3, 700, 1500])
    originals = datasets.samples_at(datasets.get("digits"), shipped.rows[places].astype(np.int64))
    paths = [write(f"{i}.png", png(image[..., 0])) for i, image in enumerate(originals)]
    fitted = encoding.read(shipped, paths, tmp_path / "read")
    assert fitted.names == ("0.png", "1.png", "2.png") and fitted.samples.shape == (3, 8, 8, 1)
    done = encoding.encode(shipped, fitted.samples)
    np.testing.assert_allclose(done.codes, shipped.codes[places], atol=1e-5)
    np.testing.assert_allclose(done.errors, shipped.errors[places], atol=1e-6)
    assert done.nearest[:, 0].tolist() == places.tolist() and done.distance.max() < 1e-4
    assert not done.far(shipped).any()
    test = shipped.errors[shipped.splits == datasets.TEST]
    for error, percentile in zip(done.errors, done.percentile, strict=True):
        assert percentile == pytest.approx(100 * (test < error).mean(), abs=1)


def test_other_sizes_and_colours_are_made_to_fit_and_this_is_said(
    shipped: runs.Run, write: Write, tmp_path: Path
) -> None:
    colour = np.zeros((40, 80, 3), np.uint8)
    colour[:, :40] = (255, 0, 0)
    path = write("wide.png", png(colour))
    cropped = encoding.read(shipped, [path], tmp_path / "a", fit="crop")
    padded = encoding.read(shipped, [path], tmp_path / "b", fit="pad")
    assert cropped.samples.shape == padded.samples.shape == (1, 8, 8, 1)
    assert (padded.samples[0, 0] == 0).all() and cropped.samples[0, 0, 0, 0] > 50
    assert "8 × 8" in " ".join(cropped.said) and "greys" in " ".join(cropped.said)
    dark = encoding.read(shipped, [path], tmp_path / "c", fit="crop", inverted=True)
    np.testing.assert_array_equal(dark.samples, 255 - cropped.samples)
    assert "exchanged" in " ".join(dark.said)


def test_an_image_far_from_all_is_told_to_be_far(shipped: runs.Run) -> None:
    codes = dataclasses.replace(shipped.card.codes, nearest_p99=1e-9)
    run = dataclasses.replace(shipped, card=dataclasses.replace(shipped.card, codes=codes))
    noise = np.random.default_rng(0).integers(0, 256, (4, 8, 8, 1), np.uint8)
    done = encoding.encode(run, noise)
    assert done.far(run).all() and (done.percentile > 95).all()


def test_too_many_are_cut_and_this_is_said(
    shipped: runs.Run, write: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(encoding, "MOST", 5)
    path = write("many.npy", npy(np.random.default_rng(0).integers(0, 256, (9, 8, 8), np.uint8)))
    fitted = encoding.read(shipped, [path], tmp_path / "read")
    assert len(fitted.samples) == len(fitted.names) == 5 and "first 5 of 9" in " ".join(fitted.said)


@pytest.mark.parametrize("content", [b"%PDF-1.4", b"\x80\x04\x95", b"", b"a,b\n1,2\n"])
def test_what_is_no_image_is_refused(shipped: runs.Run, write: Write, tmp_path: Path, content: bytes) -> None:
    with pytest.raises(Problem):
        encoding.read(shipped, [write("x.png", content)], tmp_path / "read")


def kept(path: Path, staging: Path, **choices: object) -> runs.Run:
    """A run that has learnt from the images of this file, read so."""
    found = guarded_read([path], staging, {"kind": "image", **choices})
    return trained(dataset=uploads.save(found, "me", "Mine").name, architecture="single-layer", tsne=0)


def deep(count: int = 60) -> np.ndarray:
    """Images (N, 8, 8) of 16 bits with values from 0 to 3,941, the later ones the brighter."""
    images = np.random.default_rng(3).uniform(0, 1, (count, 8, 8)) * np.linspace(200, 3900, count)[:, None, None]
    images[-1, 0, :2] = 0, 3941
    return images.astype(np.uint16)


def test_new_images_are_scaled_by_the_levels_of_the_data_that_the_run_learnt_from(
    home: Path, write: Write, tmp_path: Path
) -> None:
    images = deep()
    run = kept(write("all.npy", npy(images)), tmp_path / "kept", scaling="stretch")
    dark = np.flatnonzero(run.rows < 15)
    rows = run.rows[dark]
    pictures = [write(f"{row}.png", png(images[row])) for row in rows]
    for i, paths in enumerate(([write("some.npy", npy(images[rows].astype(np.int32)))], pictures)):
        fitted = encoding.read(run, paths, tmp_path / f"read {i}")
        np.testing.assert_array_equal(fitted.samples, datasets.samples_at(run.dataset, rows.astype(np.int64)))
        done = encoding.encode(run, fitted.samples)
        assert done.nearest[:, 0].tolist() == dark.tolist()
        np.testing.assert_allclose(done.codes, run.codes[dark], atol=1e-5)
    brighter = encoding.read(run, [write("more.npy", npy(images[-9:] * 2))], tmp_path / "more")
    np.testing.assert_array_equal(
        brighter.samples[..., 0], np.round(np.minimum(255, images[-9:] * np.float32(2 * 255 / 3941)))
    )
    assert "3,941 is cut off" in " ".join(brighter.said)
    eight = encoding.read(run, [write("8.png", png((images[-1] // 16).astype(np.uint8)))], tmp_path / "eight")
    assert eight.samples.max() == 3941 // 16 and "may not be comparable" in " ".join(eight.said)


def test_where_the_levels_are_not_known_a_stretch_is_warned_of(home: Path, write: Write, tmp_path: Path) -> None:
    run = kept(write("all.npy", npy(deep())), tmp_path / "kept", scaling="stretch")
    some = write("some.npy", npy(deep()[:9]))
    assert "not known" not in " ".join(encoding.read(run, [some], tmp_path / "a").said)
    about = home / "data" / run.dataset.fingerprint / "about.json"
    facts = json.loads(about.read_text())
    del facts["scaled"]  # as datasets were kept before
    about.write_text(json.dumps(facts))
    assert uploads.scaled(run.dataset.name) == {}
    assert "own data were scaled is not known" in " ".join(encoding.read(run, [some], tmp_path / "b").said)
    datasets.delete(run.dataset.name, "me")
    assert "own data were scaled is not known" in " ".join(encoding.read(run, [some], tmp_path / "c").said)


def test_new_images_are_fitted_as_those_of_the_run_were(home: Path, write: Write, tmp_path: Path) -> None:
    wide = np.random.default_rng(4).integers(0, 256, (30, 8, 16), np.uint8)
    run = kept(write("all.npy", npy(wide)), tmp_path / "kept", size=8, fit="pad")
    assert uploads.scaled(run.dataset.name)["fit"] == "pad"
    for i, path in enumerate((write("some.npy", npy(wide[:3])), write("one.png", png(wide[0])))):
        fitted = encoding.read(run, [path], tmp_path / f"read {i}")
        stored = datasets.samples_at(run.dataset, np.arange(len(fitted.samples)))
        np.testing.assert_array_equal(fitted.samples, stored)
    assert drawn("samples", run=run.id, look="new").selectbox(key="fit").value == "pad"


# Tables


def test_a_table_is_taken_by_the_names_of_its_columns_and_scaled_as_the_runs(
    brought: dict[str, runs.Run], write: Write, tmp_path: Path
) -> None:
    """Another order, one column too many, in the person's own units: the codes are those of the stored rows."""
    run = brought["people"]
    raw, which = table_of(200)
    lines = ["note,weight,class,height"]
    for row in run.rows[:40]:
        lines.append(
            f"n{row},{raw[row, 1]!r},{PEOPLE[2].values[which[row]]},{raw[row, 0]!r}".replace("np.float32(", "").replace(
                ")", ""
            )
        )
    fitted = encoding.read(run, [write("t.csv", "\n".join(lines))], tmp_path / "read")
    done = encoding.encode(run, fitted.samples)
    np.testing.assert_allclose(done.codes, run.codes[:40], atol=1e-3)
    assert "“note”" in " ".join(fitted.said)


def test_a_value_that_the_run_never_met_is_said(brought: dict[str, runs.Run], write: Write, tmp_path: Path) -> None:
    path = write("t.csv", "height,weight,class\n180,80,sings\n160,60,reads\n170,70,sings\n")
    fitted = encoding.read(brought["people"], [path], tmp_path / "read")
    assert "never met “sings” in “class”: 2 rows have" in " ".join(fitted.said)
    np.testing.assert_allclose(
        fitted.samples, [[1, 10 / 15, 0, 0, 0], [-1, -10 / 15, 1, 0, 0], [0, 0, 0, 0, 0]], atol=1e-6
    )


def test_categories_that_look_like_numbers_are_found(
    brought: dict[str, runs.Run], write: Write, tmp_path: Path
) -> None:
    path = write("t.csv", "height,weight,class\n180,80,1\n160,60,1\n170,75,2\n")
    fitted = encoding.read(brought["people"], [path], tmp_path / "read")
    np.testing.assert_array_equal(fitted.samples[:, 2:], [[0, 0, 1], [0, 0, 1], [0, 0, 0]])
    assert "never met “2”" in " ".join(fitted.said)


def test_units_and_codes_are_those_of_the_run(write: Write, tmp_path: Path, home: Path) -> None:
    """A unit beside each number or none, a code with zeros, a day that is a category."""
    columns = (
        Column("price (€)", "number", 0, 1, 5.0, 2.0),
        Column("size", "number", 1, 1, 0.0, 1.0),
        Column("code", "category", 2, 2, values=("007", "7")),
        Column("day", "category", 4, 2, values=("2024-01-01", "2024-01-02")),
    )
    rows = np.concatenate([np.random.default_rng(0).normal(size=(60, 2)), np.tile(np.eye(2), (30, 2))], 1)
    run = declared("units", "table", rows.astype(np.float32), columns)
    for price, size in (("7 €", "3 cm"), ("7", "3")):
        lines = "".join(f"{price};{size};{code};{day}\n" for code, day in (("007", "2024-01-02"), ("7", "2024-01-01")))
        name = "price" if price == "7" else "price (€)"
        fitted = encoding.read(run, [write("t.csv", f"{name};size;code;day\n{lines}")], tmp_path / name)
        np.testing.assert_allclose(fitted.samples, [[1, 3, 1, 0, 0, 1], [1, 3, 0, 1, 1, 0]])


def test_what_rows_lack_is_filled_as_where_the_run_has_learnt(
    brought: dict[str, runs.Run], write: Write, tmp_path: Path
) -> None:
    """With the mean of the run's column, not of the new rows; a hole in a column that it does not know is none."""
    text = "height,weight,class,age\n180,80,reads,\n160,,reads,3\n170,100,,4\n,,1,5\n"
    fitted = encoding.read(brought["people"], [write("t.csv", text)], tmp_path / "read")
    wanted = [[1, 10 / 15, 1, 0, 0], [-1, 0, 1, 0, 0], [0, 2, 0, 0, 0], [0, 0, 0, 0, 1]]
    np.testing.assert_allclose(fitted.samples, wanted, atol=1e-6)
    said = " ".join(fitted.said)
    assert fitted.names == ("1", "2", "3", "4") and fitted.skipped == ()
    assert "3 rows lack 4 values" in said and "“age”" in said and "its column's mean" not in said


def test_a_column_that_is_empty_among_new_rows_is_missing_there_and_not_absent(
    brought: dict[str, runs.Run], write: Write, tmp_path: Path
) -> None:
    for column, text, wanted in (
        ("weight", "height,weight,class\n180,,reads\n", [[1, 0, 1, 0, 0]]),
        ("class", "height,weight,class\n180,85,\n160,70,\n", [[1, 1, 0, 0, 0], [-1, 0, 0, 0, 0]]),
    ):
        fitted = encoding.read(brought["people"], [write("t.csv", text)], tmp_path / column)
        np.testing.assert_allclose(fitted.samples, wanted, atol=1e-6)
        assert "lack" in " ".join(fitted.said) and fitted.skipped == ()


def test_categories_that_look_like_numbers_may_be_missing_too(
    brought: dict[str, runs.Run], write: Write, tmp_path: Path
) -> None:
    path = write("t.csv", "height,weight,class\n180,80,1\n160,60,\n")
    fitted = encoding.read(brought["people"], [path], tmp_path / "read")
    np.testing.assert_array_equal(fitted.samples[:, 2:], [[0, 0, 1], [0, 0, 0]])
    assert "1 row lacks 1 value:" in " ".join(fitted.said) and "never met" not in " ".join(fitted.said)


def test_an_array_with_holes_is_filled_alike(write: Write, tmp_path: Path) -> None:
    numbers = declared("numbers", "table", table_of(60)[0][:, :2], PEOPLE[:2])
    real = datasets.available()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(datasets, "available", lambda: {**real, "numbers": numbers})
        run = trained(dataset="numbers", architecture="single-layer", tsne=0)
        rows = np.array([[180, 85], [np.nan, 100]], np.float32)
        fitted = encoding.read(run, [write("t.npy", npy(rows))], tmp_path / "read")
    np.testing.assert_allclose(fitted.samples, [[1, 1], [0, 2]], atol=1e-6)
    assert "1 row lacks 1 value:" in " ".join(fitted.said)


def test_columns_that_the_run_does_not_know_are_no_reason_to_leave_anything_out(
    brought: dict[str, runs.Run], write: Write, tmp_path: Path
) -> None:
    lines = ["index,height,weight,class,note", *(f"{i},180,80,reads,n{i}" for i in range(300))]
    fitted = encoding.read(brought["people"], [write("t.csv", "\n".join(lines))], tmp_path / "read")
    assert len(fitted.samples) == 300 and fitted.skipped == ()
    assert "does not know “index”, “note”" in " ".join(fitted.said)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("height,class\n180,reads\n170,reads\n", "lacks “weight”"),
        ("height,weight,class\nx,80,reads\ny,70,reads\n", "“height” must hold numbers"),
        ("a,b\n1,2\n3,4\n", "lacks “height”, “weight”, “class”"),
    ],
)
def test_a_table_of_something_else_is_told(
    brought: dict[str, runs.Run], write: Write, tmp_path: Path, text: str, says: str
) -> None:
    with pytest.raises(Problem, match=says) as caught:
        encoding.read(brought["people"], [write("t.csv", text)], tmp_path / "read")
    assert caught.value.expected and caught.value.do


# Signals


def test_signals_are_taken_by_the_names_of_their_channels(
    brought: dict[str, runs.Run], write: Write, tmp_path: Path
) -> None:
    run, raw = brought["waves"], waves(200, 2)
    rows = run.rows[:3]
    long = raw[rows].reshape(-1, 2)
    lines = ["right,left,other", *(f"{right:.9g},{left:.9g},{i}" for i, (left, right) in enumerate(long.tolist()))]
    fitted = encoding.read(run, [write("s.csv", "\n".join(lines))], tmp_path / "read")
    assert fitted.samples.shape == (3, 12, 2)
    np.testing.assert_allclose(encoding.encode(run, fitted.samples).codes, run.codes[:3], atol=1e-3)
    plain_array = encoding.read(run, [write("s.npy", npy(raw[rows]))], tmp_path / "again")
    np.testing.assert_allclose(plain_array.samples, fitted.samples, atol=1e-5)
    assert "taken in their order" in " ".join(plain_array.said)


def test_a_signal_in_each_row_is_understood(brought: dict[str, runs.Run], write: Write, tmp_path: Path) -> None:
    run, raw = brought["beats"], waves(200, 1)
    lines = [
        ",".join(f"t{i}" for i in range(12)),
        *(",".join(f"{x:.9g}" for x in raw[row, :, 0]) for row in run.rows[:5]),
    ]
    fitted = encoding.read(run, [write("s.csv", "\n".join(lines))], tmp_path / "read")
    np.testing.assert_allclose(encoding.encode(run, fitted.samples).codes, run.codes[:5], atol=1e-3)
    down = "\n".join(["left", *(f"{x:.9g}" for x in raw[run.rows[:2]].ravel())])
    fitted = encoding.read(run, [write("d.csv", down)], tmp_path / "again")
    np.testing.assert_allclose(encoding.encode(run, fitted.samples).codes, run.codes[:2], atol=1e-3)


def test_signals_of_another_length_are_told(brought: dict[str, runs.Run], write: Write, tmp_path: Path) -> None:
    with pytest.raises(Problem, match="30 steps with 2 channels") as caught:
        encoding.read(brought["waves"], [write("s.npy", npy(np.zeros((4, 30, 2), np.float32)))], tmp_path / "read")
    assert "12 steps with 2 channels (left, right)" in caught.value.expected


# The page


def test_files_dropped_on_the_page_are_encoded_and_their_folder_goes(
    shipped: runs.Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    originals = datasets.samples_at(datasets.get("digits"), shipped.rows[:2].astype(np.int64))
    app = drawn("samples", run="digits-variational", look="new")
    files = [(f"=<b>{i}</b>.png", png(image[..., 0]), "image/png") for i, image in enumerate(originals)]
    app.file_uploader[0].set_value(files).run()
    assert not app.exception, app.exception
    assert "**2 samples encoded.**" in words(app)
    table = app.dataframe[0].value
    assert list(table["name"]) == ["=<b>0</b>.png", "=<b>1</b>.png"]
    assert list(table["nearest row"]) == (shipped.rows[:2] + 1).tolist()
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_does_not_fit_is_told_by_its_own_name(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    app = drawn("samples", run="digits-variational", look="new")
    app.file_uploader[0].set_value([("<i>mine</i>.pdf", b"%PDF-1.4", "application/pdf")]).run()
    assert not app.exception
    (error,) = app.error
    assert "mine" in error.value and "PDF" in error.value and "upload-" not in error.value and "<i>" not in error.value
    assert list(tmp_path.iterdir()) == []


def test_new_codes_leave_as_csv_and_parquet(shipped: runs.Run) -> None:
    done = encoding.encode(shipped, np.zeros((2, 8, 8, 1), np.uint8))
    table = encoding.table(shipped, ["=1+1", "@x"], done)
    lines = export.codes_csv(table).splitlines()
    assert lines[1].startswith("'=1+1,") and lines[2].startswith("'@x,")
    back = pq.read_table(io.BytesIO(export.codes_parquet(table)))
    assert back["name"].to_pylist() == ["=1+1", "@x"]
    np.testing.assert_array_equal(back["z2"].to_numpy(), done.codes[:, 1])


def test_numbers_of_new_rows_are_called_so_and_stand_under_no_class(
    brought: dict[str, runs.Run], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    app = drawn("samples", run=brought["people"].id, look="new")
    app.file_uploader[0].set_value([("t.csv", b"height,weight,class\n180,80,reads\n170,70,writes\n", "text/csv")]).run()
    assert not app.exception, app.exception
    beside, table = (one.value for one in app.dataframe)
    assert list(beside["row in the file"]) == ["1", "1", "2", "2"]
    assert list(beside["class"])[::2] == ["reads", "writes"]  # the column of the data, under its own name
    assert list(table["row in the file"]) == ["1", "2"] and "name" not in table


@pytest.mark.parametrize("which", ["people", "waves"])
def test_the_checks_work_without_pictures(brought: dict[str, runs.Run], which: str) -> None:
    for look in ("duplicates", "outliers", "mislabelled", "new"):
        app = drawn("samples", run=brought[which].id, look=look, **({"alike": "10"} if look == "duplicates" else {}))
        assert not app.error, words(app)
        assert all("picture" not in table.value for table in app.dataframe)
    assert "have no labels" in words(drawn("samples", run=brought[which].id, look="mislabelled"))

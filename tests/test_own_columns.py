"""One's own table from the file to the pages: ids, times and texts stay beside the rows, for their owner alone; what was
missing is shown as missing, numbers as they came; outliers name the column to blame."""

import csv
import gzip
import io
import json
from collections.abc import Callable, Sequence
from dataclasses import astuple
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import numpy as np
import pytest
from conftest import trained
from playwright.sync_api import Page, expect
from test_pages import drawn, words
from test_run_pages import block, has, opened  # noqa: F401

from components import cached, listing, run_files, understood, visitor
from components.views import explore
from models import blocks, columns, datasets, export, pages, readers, runs, uploads
from models.analysis import blame, encoding
from models.readers import ReadResult, kept
from models.readers.result import value_range
from models.runs import colours

ROWS = 200
TYPO = 120  # the row in which somebody typed a number wrongly


def customers(count: int = ROWS) -> str:
    """Ids, mails, dates, numbers with missing ones, a category and the class; one number is a thousand times too large."""
    random = np.random.default_rng(5)
    lines = ["customer_id,email,signup,income,visits,region,plan"]
    for i in range(count):
        income = f"{random.normal(45_000, 9_000):.2f}"
        day = np.datetime64("2021-01-01") + int(random.integers(0, 700))
        visits = 4000 if i == TYPO else int(random.integers(1, 9))
        region = "" if i % 25 == 3 else ("north", "south")[i % 2]
        cells = [
            f"C-{1000 + 7 * i}",
            f"u{i}@example.org",
            day,
            "" if i % 20 == 7 else income,
            visits,
            region,
            "ab"[i % 3 == 0],
        ]
        lines.append(",".join(map(str, cells)))
    lines[1] = lines[1].replace(lines[1].split(",")[3], "112645.5")
    return "\n".join(lines) + "\n"


def read(text: str, folder: Path, **choices: object) -> ReadResult:
    path = folder / "customers.csv"
    path.write_text(text)
    return readers.read([path], **choices)


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> ReadResult:
    return read(customers(), tmp_path_factory.mktemp("csv"), label="plan")


@pytest.fixture(scope="module")
def run(session_home: Path, found: ReadResult) -> runs.Run:
    """A run of these customers, who belong to "me"."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HOURGLASS_HOME", str(session_home))
        return trained(dataset=uploads.save(found, "me", "Customers").name, architecture="modern", epochs=60)


@pytest.fixture
def me(session_home: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setattr(visitor, "owner", lambda: "me")
    monkeypatch.setattr(visitor, "owner_of", lambda _cookie: visitor.owner())
    return "me"


def asked(run: runs.Run, name: str, owner: str = "me") -> bytes | None:
    """What the server answers; None where it has nothing for this visitor."""
    answer = run_files.answer(run.id, run.digest, name, False, owner)
    if answer.status_code == 404:
        return None
    assert answer.headers["cache-control"] == "private, no-store"
    return gzip.decompress(bytes(answer.body))


# ── reading ──────────────────────────────────────────────────────────────────


def test_columns_that_are_no_features_stand_beside_the_rows(found: ReadResult) -> None:
    assert (found.label, found.called) == ("plan", "customer_id")
    assert [column.name for column in found.columns] == ["income", "visits", "region"]
    assert found.names[:2] == ("C-1000", "C-1007")
    beside = {one.name: one for one in found.beside}
    assert {name: one.kind for name, one in beside.items()} == {"customer_id": "id", "email": "id", "signup": "time"}
    assert beside["email"].said(np.array([0, 199])) == ["u0@example.org", "u199@example.org"]
    first = customers().splitlines()[1].split(",")[2]
    assert beside["signup"].said(np.array([0])) == [first]
    assert beside["signup"].values[0] == np.datetime64(first).astype("datetime64[s]").astype(float)


def test_texts_times_and_numbers_that_were_left_out_are_beside_them_too(tmp_path: Path) -> None:
    remarks = [f"said thing {i % 150}" for i in range(200)]
    lines = [f"{i},{i % 7}.5,{remarks[i]},{'ab'[i % 2]},{i * 3.25},{i % 24:02}:30" for i in range(200)]
    table = "id,v,remark,kind,price,at\n" + "\n".join(lines)
    found = read(table, tmp_path, leave_out=["price", "kind"], columns={"at": "time"})
    told = {one.name: (one.kind, one.said(np.array([3]))[0]) for one in found.beside}
    assert told == {
        "id": ("id", "3"), "remark": ("text", "said thing 3"), "kind": ("category", "b"), "price": ("number", "9.75"),
        "at (hours)": ("number", "3.5"),
    }  # fmt: skip


def test_no_more_stands_beside_the_rows_than_fits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kept, "CELLS", 2 * ROWS)
    found = read(customers(), tmp_path)
    assert [one.name for one in found.beside] == ["customer_id", "email"]
    assert found.warnings == ("Left out, and too much to be kept beside so many rows: “signup”.",)
    monkeypatch.undo()
    monkeypatch.setattr(kept, "TEXTS", 0)
    many = "v,note\n" + "\n".join(f"{i % 9}.5,note {i % 1100}" for i in range(1200))
    assert "texts of “note” are too many" in " ".join(read(many, tmp_path).warnings)


def test_rows_that_are_skipped_take_what_stands_beside_them_with_them(tmp_path: Path) -> None:
    found = read(customers(), tmp_path, missing="skip")
    ids = next(one for one in found.beside if one.name == "customer_id").said(np.arange(len(found.samples)))
    assert tuple(ids) == found.names and len(ids) < ROWS and found.missing is None


def test_a_window_of_a_signal_has_the_time_of_its_first_row(tmp_path: Path) -> None:
    start = np.datetime64("2024-01-01T00:00:00")
    lines = [f"{start + 60 * i},{i % 9},{'ab'[i > 700]}" for i in range(1024)]
    found = read("when,v,phase\n" + "\n".join(lines[::-1]), tmp_path, label="")
    assert found.kind == "signal" and len(found.samples) == 16
    beside = {one.name: one.said(np.array([0, 1, 15])) for one in found.beside}
    assert beside == {"when": ["2024-01-01", "2024-01-01 01:04:00", "2024-01-01 16:00:00"], "phase": ["a", "a", "b"]}


def test_missing_values_are_none_in_what_is_shown_and_the_mean_in_what_is_learnt(found: ReadResult) -> None:
    shown = readers.some_rows(found, ROWS)
    assert [i for i, value in enumerate(shown["income"]) if value is None] == list(range(7, ROWS, 20))
    assert [i for i, value in enumerate(shown["region"]) if value is None] == list(range(3, ROWS, 25))
    assert shown["income"][0] == 112645.5 and not np.isnan(found.samples).any()


@pytest.mark.parametrize(
    "values",
    [
        1.7e9 + np.arange(60.0),
        112645.5 + np.arange(60) / 100,
        np.round(np.random.default_rng(0).normal(3e5, 1e4, 60), 2),
        np.tile([0.1, 0.2, 0.3], 20),
        1e12 + np.arange(60.0),
    ],
    ids=["seconds since 1970", "112645.5", "money", "tenths", "large whole numbers"],
)
def test_numbers_far_from_nought_keep_their_differences_and_their_digits(
    values: np.ndarray, tmp_path: Path, home: Path
) -> None:
    table = "v,w\n" + "\n".join(f"{value!r},{i % 5}" for i, value in enumerate(values.tolist()))
    found = read(table, tmp_path, kind="table", columns={"v": "number"})
    assert not found.warnings
    saved = uploads.save(found, "me", "V")
    stored = np.asarray(datasets.arrays(saved).samples)
    assert stored.dtype == np.float32 and stored[:, 0].std() == pytest.approx(1, abs=0.2)
    assert columns.as_they_came(saved.columns, stored)[:, 0].tolist() == values.tolist()


def test_a_signal_or_an_array_far_from_nought_keeps_its_differences(tmp_path: Path, home: Path) -> None:
    values = 1.7e9 + np.random.default_rng(0).integers(0, 50, (40, 16, 1)).astype(float)
    np.save(tmp_path / "x.npy", values)
    lines = [f"{i},{value!r}" for i, value in enumerate(values.ravel().tolist())]
    (tmp_path / "s.csv").write_text("time,v\n" + "\n".join(lines))
    for name, choices in (("x.npy", {"axes": "NTC"}), ("s.csv", {"window": 16})):
        saved = uploads.save(readers.read([tmp_path / name], **choices), "me", "S")
        back = columns.as_they_came(saved.columns, np.asarray(datasets.arrays(saved).samples))
        np.testing.assert_array_equal(back, values)


def test_new_rows_of_such_a_column_are_scaled_as_precisely(tmp_path: Path, home: Path) -> None:
    """A single new row has no spread by which a reader could tell how far from nought it lies."""
    (tmp_path / "one.csv").write_text("v,w\n1700000033,1\n")
    found = readers.read([tmp_path / "one.csv"], kind="table", columns={"v": "number"})
    assert found.samples[0, 0] == 1_700_000_033


def test_datasets_from_before_have_nothing_beside_them_and_open(home: Path, found: ReadResult) -> None:
    saved = uploads.save(found, "me", "Old")
    folder = uploads.stored.folder_of(saved.name)
    for name in ("beside.npy", "beside.json", "missing.npy"):
        (folder / name).unlink()
    about = json.loads((folder / "about.json").read_text())
    del about["label"], about["called"]
    (folder / "about.json").write_text(json.dumps(about))
    uploads.stored._read.cache_clear()
    old = datasets.get(saved.name)
    assert old.label == "class" and uploads.beside(saved.name, ROWS) == () and uploads.called(saved.name) == ""
    assert datasets.missing_at(old, np.arange(3)) is None
    np.testing.assert_array_equal(datasets.originals_at(old, np.arange(9)), datasets.samples_at(old, np.arange(9)))
    uploads.save(found, "me", "Again")  # what is brought again has all of it
    assert datasets.get(saved.name).label == "plan" and len(uploads.beside(saved.name, ROWS)) == 3


def test_the_ends_of_a_column_are_told_as_they_came(found: ReadResult) -> None:
    told = understood.ends_of(found.columns[0], value_range(found))
    assert " to 112,645.5, mean 4" in told
    assert understood.ends_of(
        found.columns[0], (np.array([0.1], np.float32), np.array([112645.53], np.float32))
    ).startswith("0.1 to 112,645.53, ")


def test_dates_become_features_that_mean_something_where_that_is_chosen(tmp_path: Path, home: Path) -> None:
    days = np.datetime64("2024-01-31T13:30") + np.arange(60) * np.timedelta64(86_400 * 3, "s")
    table = "v,born,start\n" + "\n".join(
        f"{i % 7},{day.astype('datetime64[D]')},{'' if i == 5 else day}" for i, day in enumerate(days[::-1])
    )
    plainly = read(table, tmp_path, kind="table")
    assert [column.name for column in plainly.columns] == ["v"]
    decision = plainly.decision("times")
    assert decision is not None and (decision.chosen, decision.options) == ("leave out", ("leave out", "features"))
    assert "“born”, “start”" in decision.words and not decision.asks
    found = read(table, tmp_path, kind="table", times="features")
    assert [column.name for column in found.columns] == [
        "v", "born (days since 1970)", "born (weekday)",
        "start (days since 1970)", "start (weekday)", "start (hour)",
    ]  # fmt: skip
    rows = readers.some_rows(found, 60)
    assert rows["born (days since 1970)"][59] == 19753 and rows["born (weekday)"][59] == "Wednesday"
    assert rows["start (hour)"][59] == 13.5 and rows["start (hour)"][5] is rows["start (weekday)"][5] is None
    assert not found.skipped and not found.classes and {one.name for one in found.beside} == {"born", "start"}
    facts = {one.name: (one.role, one.why) for one in found.facts}
    assert facts["born"] == ("time", "the column holds times, of which come days since 1970 and weekday")
    run = trained(dataset=uploads.save(found, "me", "Dated").name, architecture="single-layer", epochs=1)
    again = encoding.read(run, [tmp_path / "customers.csv"], tmp_path / "new")
    rows = np.flatnonzero(np.arange(60) != 5)  # what is missing there is filled with another mean
    np.testing.assert_allclose(again.samples[rows], datasets.samples_at(run.dataset, rows), atol=1e-6)


def test_a_column_of_times_that_somebody_leaves_out_stays_out(tmp_path: Path) -> None:
    table = customers()
    found = read(table, tmp_path, times="features", leave_out=["signup"])
    assert not any("signup" in column.name for column in found.columns) and found.decision("times") is None


# ── whom it is shown ─────────────────────────────────────────────────────────


def test_a_run_holds_nothing_of_what_stands_beside(run: runs.Run) -> None:
    for path in run.folder.rglob("*"):
        if path.is_file():
            content = path.read_bytes()
            assert b"example.org" not in content and b"C-1007" not in content and b"signup" not in content, path.name


def test_the_map_is_coloured_by_any_column_by_its_owner_alone(run: runs.Run, me: str, found: ReadResult) -> None:
    told = json.loads(asked(run, "colours.json") or b"")
    names = [one["name"] for one in told]
    assert names == ["income", "visits", "region", "signup", colours.MISSING]
    assert told[2] == {"name": "region", "kind": "category", "words": ["north", "south"]} and told[3]["kind"] == "time"
    got = {name: np.frombuffer(asked(run, f"colours/{k}.f64.gz") or b"") for k, name in enumerate(names)}
    rows = run.rows.astype(int)
    assert got["income"][rows == 0] == 112645.5 and np.isnan(got["income"][rows % 20 == 7]).all()
    np.testing.assert_array_equal(got["region"][rows % 25 != 3], (rows % 2)[rows % 25 != 3])
    assert np.isnan(got["region"][rows % 25 == 3]).all()
    signup = next(one for one in found.beside if one.name == "signup")
    np.testing.assert_array_equal(got["signup"], signup.values[rows])
    np.testing.assert_array_equal(got[colours.MISSING], (rows % 20 == 7).astype(int) + (rows % 25 == 3))
    assert json.loads(asked(run, "names.json") or b"")[:2] == [found.names[row] for row in rows[:2]]
    for name in ("colours.json", "colours/0.f64.gz", "names.json", "samples.f32.gz"):
        assert asked(run, name, "you") is None
    for name in ("colours/99.f64.gz", "colours/-1.f64.gz", "colours/1", "beside.npy", "names.txt"):
        assert asked(run, name) is None


def test_the_words_above_the_map_name_the_column_to_its_owner_alone(
    run: runs.Run, me: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "coloured by signup." in words(drawn("explore", run=run.id, colour="column:3"))
    assert "coloured by plan" in words(drawn("explore", run=run.id))
    monkeypatch.setattr(visitor, "owner", lambda: "you")
    said = words(drawn("explore", run=run.id, colour="column:3"))
    assert "signup" not in said
    for wrong in ("column:99", "column:x", "column:"):
        assert "coloured by column" not in words(drawn("explore", run=run.id, colour=wrong))


def test_lists_and_files_have_the_ids_and_the_rows_counted_from_1(run: runs.Run, me: str, found: ReadResult) -> None:
    places = np.array([5, 9])
    rows = run.rows[places]
    table = explore.table(run, places, named=True)
    assert list(table["row"]) == (rows + 1).tolist() and table["customer_id"] == [found.names[row] for row in rows]
    assert table["email"] == [f"u{row}@example.org" for row in rows] and "plan" in table
    assert cached.called(run, rows) == table["customer_id"]
    lines = list(csv.DictReader(io.StringIO(export.part(run, "codes", named=True).decode())))
    line = next(line for line in lines if line["customer_id"] == "C-1000")
    assert line["row"] == "1" and line["email"] == "u0@example.org" and line["signup"].startswith("202")
    bare = export.part(run, "codes").decode()
    assert "email" not in bare and "C-1000" not in bare and "signup" not in bare
    values = explore.table_with_values(run, np.flatnonzero(run.rows == 0), named=True)
    assert values["income"] == [112645.5]
    assert ",112645.5," in export.codes_csv(values) and ",nan" not in export.codes_csv(values).lower()


def test_the_row_that_is_held_can_be_taken_as_it_came_and_as_it_is_decoded(run: runs.Run, me: str) -> None:
    place = int(np.flatnonzero(run.rows == 0)[0])
    (line,) = csv.DictReader(io.StringIO(str(explore.original(run, place))))
    assert (line["customer_id"], line["income"], line["email"]) == ("C-1000", "112645.5", "u0@example.org")
    held = drawn("explore", run=run.id, z=",".join(f"{value:.5g}" for value in run.codes[place]))
    names = {one.label: one.help for one in held.get("download_button")}
    assert names["The row (CSV)"].startswith("C\\-1000, as it is in the data") and "The decoded row (CSV)" in names
    between = (run.codes[place] + run.codes[place - 1]) / 2 + 9
    elsewhere = drawn("explore", run=run.id, z=",".join(f"{value:.5g}" for value in between))
    labels = [one.label for one in elsewhere.get("download_button")]
    assert "The nearest row (CSV)" in labels and "The row (CSV)" not in labels


def test_the_codes_of_rows_stand_beside_what_the_rows_hold(
    run: runs.Run, me: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    lines = list(csv.DictReader(io.StringIO(export.part(run, "codes", named=True).decode())))
    came = list(csv.DictReader(io.StringIO(customers())))
    line = next(line for line in lines if line["row"] == str(TYPO + 1))
    assert (line["visits"], line["region"]) == ("4000", came[TYPO]["region"])
    assert "visits" not in export.part(run, "codes").decode()
    assert "Codes with labels and columns (CSV)" in [
        one.label for one in drawn("explore", run=run.id).get("download_button")
    ]
    monkeypatch.setattr(visitor, "owner", lambda: "you")
    labels = [one.label for one in drawn("explore", run=run.id).get("download_button")]
    assert "Codes with labels (CSV)" in labels and not any(label.startswith("The row") for label in labels)


def test_whoever_has_the_link_sees_rows_and_no_ids(run: runs.Run, me: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(visitor, "owner", lambda: "you")
    assert cached.called(run, run.rows[:1]) == [f"row {run.rows[0] + 1}"]
    table = drawn("samples", run=run.id, look="outliers", above="95").dataframe[0].value
    assert not {"customer_id", "email", "signup", "column to blame"} & set(table.columns)


def test_what_was_missing_is_missing_wherever_originals_are_shown(run: runs.Run, me: str) -> None:
    gone = np.flatnonzero(run.rows % 20 == 7)[:3]
    stored = cached.originals(run.card.dataset.name, tuple(run.rows[gone].tolist()))
    assert stored is not None and np.isnan(stored[:, 0]).all() and not np.isnan(stored[:, 1:]).any()
    values = explore.table_with_values(run, gone, named=True)
    assert np.isnan(values["income"]).all()
    none = np.flatnonzero(run.rows % 25 == 3)[:2]
    assert explore.table_with_values(run, none, named=True)["region"] == ["", ""]
    sent = np.frombuffer(asked(run, "samples.f32.gz") or b"", np.float32).reshape(-1, run.shape[0])
    assert np.isnan(sent[gone, 0]).all()


def test_what_new_rows_lack_is_missing_in_what_is_shown_of_them(run: runs.Run, tmp_path: Path) -> None:
    path = tmp_path / "new.csv"
    path.write_text("income,visits,region\n50000.5,,north\n,3,\n")
    fitted = encoding.read(run, [path], tmp_path / "read")
    real = columns.inverse(run.columns, columns.as_they_came(run.columns, fitted.shown))
    assert real["income"][0] == 50000.5 and np.isnan(real["income"][1]) and np.isnan(real["visits"][0])
    assert real["region"] == ["north", ""] and not np.isnan(fitted.samples).any()


# ── outliers ─────────────────────────────────────────────────────────────────


def test_the_outlier_is_first_and_names_its_column(run: runs.Run, me: str) -> None:
    table = drawn("samples", run=run.id, look="outliers").dataframe[0].value
    first = table.iloc[0]
    assert (first["row"], first["customer_id"], first["column to blame"]) == (
        TYPO + 1,
        f"C-{1000 + 7 * TYPO}",
        "visits",
    )
    assert first["because"] == "4,000; all others are at most 8"  # in the person's units, not on the network's scale
    assert "signup" in table.columns and "class" not in table.columns


def test_the_column_to_blame_is_the_one_that_stands_out_and_never_a_missing_one(run: runs.Run) -> None:
    gone = np.flatnonzero(run.rows % 20 == 7)
    for large in (True, False):
        told = blame.blame(run, gone, np.full(len(gone), large))
        assert "income" not in told.columns and all(told.words)
        mean = next(one.mean for one in run.columns if one.name == "income")
        said = [words for name, words in zip(*astuple(told), strict=True) if not name]
        assert said and all(words.startswith(f"income is missing: the mean, {mean:,.0f}"[:-2]) for words in said)
    typo = np.flatnonzero(run.rows == TYPO)
    for large in (True, False):
        told = blame.blame(run, typo, np.array([large]))
        assert told == blame.Blame(("visits",), ("4,000; all others are at most 8",))


def test_an_ordinary_value_is_no_cause(run: runs.Run) -> None:
    """Nobody is an outlier for being from the north, as half of all are, nor for an income in the middle."""
    told = blame.blame(run, np.arange(run.count), np.zeros(run.count, bool))
    assert "region" not in told.columns
    named = [words for name, words in zip(*astuple(told), strict=True) if name == "income"]
    assert 1 <= len(named) <= 0.05 * run.count  # by chance one row in twenty has such a value, in any column
    assert all("of all" in words or "all others" in words for words in named)


def test_a_column_that_is_always_hard_is_not_to_blame_for_it(run: runs.Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """Squared errors of 9 in one column of every row; in one row another column has 4, where 0 is usual."""
    errors = np.tile([9.0, 0.0, 0.0], (run.count, 1))
    errors[8] = [9.5, 4, 0]
    known = np.ones_like(errors, bool)
    clean = np.zeros((run.count, *run.shape), np.float32)
    monkeypatch.setattr(
        blame, "_compared", lambda _run, places: (known[places], clean[places], clean[places], errors[places])
    )
    assert blame.blame(run, np.array([8, 9]), np.ones(2, bool)).columns == ("visits", "")


def test_a_small_share_of_the_error_is_no_blame(run: runs.Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """Though it is all of what is above the usual: the error lies elsewhere."""
    errors = np.tile([9.0, 0.0, 0.0], (run.count, 1))
    errors[8] = [9.0, 0.5, 0]
    known, clean = np.ones_like(errors, bool), np.zeros((run.count, *run.shape), np.float32)
    monkeypatch.setattr(
        blame, "_compared", lambda _run, places: (known[places], clean[places], clean[places], errors[places])
    )
    assert blame.blame(run, np.array([8]), np.ones(1, bool)) == blame.Blame(("",), (blame.NO_COLUMN,))


def test_files_hold_what_the_list_shows_whoever_asks_for_them(run: runs.Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """Streamlit makes them when the button is pressed, outside of the page: there the visitor is unknown."""
    monkeypatch.setattr(visitor, "owner", lambda: "nobody")
    places = np.arange(3)
    for table in (
        listing.with_rows(run, {"row": run.rows[places] + 1}, {"": places}, named=True),
        explore.table_with_values(run, places, named=True),
        dict(csv.DictReader(io.StringIO(str(explore.original(run, 0)))).__next__()),
    ):
        assert {"signup", "income", "region"} <= set(table)


def outside_of(lines: Sequence[str], tmp_path: Path, name: str) -> list[int]:
    """Which lines of a table, counted from 0, have a value outside of all others; by the reader and the scaling of the app."""
    path = tmp_path / f"{name}.csv"
    path.write_text("\n".join(lines) + "\n")
    dataset = datasets.get(uploads.save(readers.read([path], label=""), "me", name).name)
    count = dataset.count
    stored = cast(
        runs.Run, SimpleNamespace(count=count, columns=dataset.columns, dataset=dataset, rows=np.arange(count))
    )
    return np.flatnonzero(blame.outside(stored, blame.usual(stored), np.arange(count))).tolist()


@pytest.mark.parametrize("seed", range(3))
def test_typed_wrongly_is_outside_of_all_others(session_home: Path, tmp_path: Path, seed: int) -> None:
    """In numbers with and without far values, several in a column and on both sides, and in a category."""
    random = np.random.default_rng(seed)
    height, spent = random.normal(170, 9, 600).round(1), np.exp(random.normal(3, 1, 600)).round(2)
    city = random.choice(["Rome", "Oslo", "Bonn"], 600).astype(object)
    wrong = random.choice(600, 6, replace=False)
    height[wrong[:3]] = 1.7, 1705, 1690
    spent[wrong[3:5]] = 15_000, -999
    city[wrong[5]] = "Olso"
    lines = ["height,spent,city", *(f"{a},{b},{c}" for a, b, c in zip(height, spent, city, strict=True))]
    assert outside_of(lines, tmp_path, f"typed {seed}") == sorted(wrong.tolist())


@pytest.mark.parametrize("seed", range(3))
def test_what_a_column_is_like_is_not_outside_of_it(session_home: Path, tmp_path: Path, seed: int) -> None:
    """Heavy tails, small counts, many scarce names and equal values are no typos."""
    random = np.random.default_rng(seed)
    columns = [
        np.exp(random.normal(0, 1.5, 500)).round(4),
        random.standard_t(3, 500).round(4),
        random.exponential(1, 500).round(4),
        random.poisson(0.3, 500),
        [f"name {k}" for k in np.minimum(random.zipf(1.6, 500), 60)],
        random.normal(0, 1, 500).round(4),
    ]
    lines = ["a,b,c,d,e,f", *(",".join(map(str, cells)) for cells in zip(*columns, strict=True))]
    assert outside_of(lines, tmp_path, f"like {seed}") == []


def test_of_signals_the_channel_is_to_blame_and_of_images_nothing(wave_run: runs.Run, digits_run: runs.Run) -> None:
    table = drawn("samples", run=wave_run.id, look="outliers", above="95").dataframe[0].value
    assert set(table["channel to blame"]) <= {"speed [m/s]", "pressure [hPa]"}
    assert table["because"].str.contains("at step").all()
    assert "column to blame" not in drawn("samples", run=digits_run.id, look="outliers").dataframe[0].value


def test_with_the_samples_their_columns_and_ids_go_on_the_page_and_nothing_of_them_without(run: runs.Run) -> None:
    assert not any(has(pages.page(run).html, name) for name in ("colours.json", "names.json", "colours/0.f64.gz"))
    html = pages.page(run, samples=True).html
    order, told = blocks._chosen(run), json.loads(block(html, "colours.json"))
    assert [one["name"] for one in told] == [one.name for one in colours.columns(run)] and "region" in str(told)
    for place in range(len(told)):
        values = np.frombuffer(block(html, f"colours/{place}.f64.gz"), "<f8")
        np.testing.assert_array_equal(values, colours.values(run, place)[order])
    known = datasets.names(run.dataset)
    assert known is not None
    assert json.loads(block(html, "names.json")) == [known[row] for row in run.rows[order]]


def test_of_codes_whose_samples_stay_at_home_no_column_travels(run: runs.Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(blocks, "TILES", 50)
    html = pages.page(run, samples=True).html
    assert json.loads(block(html, "colours.json"))[0]["known"] == 50
    assert np.isnan(np.frombuffer(block(html, "colours/0.f64.gz"), "<f8")[50:]).all()
    assert set(json.loads(block(html, "names.json"))[50:]) == {""}


@pytest.mark.own_window
def test_the_page_of_a_table_opens_as_the_app_shows_it(run: runs.Run, opened: Callable[..., Page]) -> None:  # noqa: F811
    (place,) = (i for i, one in enumerate(colours.columns(run)) if one.name == "region")
    view = {"colour": f"column:{place}", "z": ",".join(f"{value:.5g}" for value in run.codes[3])}
    page = opened(pages.page(run, samples=True, view=view).html)
    expect(page.get_by_test_id("colour")).to_have_value(f"column:{place}")
    expect(page.get_by_test_id("legend")).to_contain_text("north")
    shown = page.get_by_test_id("latent-explorer").get_attribute("data-code")
    assert shown is not None
    np.testing.assert_allclose([float(one) for one in shown.split(",")], run.codes[3], rtol=1e-3, atol=1e-4)


@pytest.mark.own_window
def test_a_table_without_a_class_opens_coloured_by_its_first_category(
    found: ReadResult,
    opened: Callable[..., Page],  # noqa: F811
    tmp_path: Path,
) -> None:
    name = uploads.save(read(customers(), tmp_path, label=""), "me", "Customers without a class").name
    page = opened(pages.page(trained(dataset=name, architecture="modern", epochs=1), samples=True).html)
    expect(page.get_by_test_id("colour").locator("option:checked")).to_have_text("region")
    expect(page.get_by_test_id("legend")).to_contain_text("south")

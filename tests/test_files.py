"""Files as spreadsheets, pandas, R, instruments and people in other countries write them: numbers, times, names, ids, labels,
splits, arrays, encodings. Each kind in variants of its own; what was decided can be changed; what was lost is told."""

import io
import itertools
import time
import zipfile
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hostile import archive, grey, image, npy, npz, parquet
from PIL import Image

from models import Problem, readers
from models.datasets import TEST, TRAIN
from models.readers import ReadResult, cells, clocks, encodings, long, times
from models.readers.work import Work

START = datetime(2024, 3, 30, 20)
READ = Callable[..., ReadResult]


@pytest.fixture
def read(tmp_path: Path) -> READ:
    """Reads text, bytes, or files by name, in this process."""
    count = itertools.count()

    def reads(files: Mapping[str, bytes | str] | bytes | str, **choices: Any) -> ReadResult:
        named = files if isinstance(files, Mapping) else {"file.csv": files}
        paths = []
        folder = tmp_path / str(next(count))
        for name, content in named.items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content.encode() if isinstance(content, str) else content)
            paths.append(path)
        return readers.read(paths, **choices)

    return reads


def table(columns: Mapping[str, Sequence[object]], separator: str = ",", quoted: bool = False) -> str:
    """Text with these columns."""
    mark = '"' if quoted else ""
    lines = [
        separator.join(columns),
        *(separator.join(f"{mark}{x}{mark}" for x in row) for row in zip(*columns.values(), strict=True)),
    ]
    return "\n".join(lines) + "\n"


def names(found: ReadResult) -> list[str]:
    return [column.name for column in found.columns]


def values(found: ReadResult, name: str) -> list[float]:
    column = next(column for column in found.columns if column.name == name)
    assert column.kind == "number", column
    return [float(value) for value in found.samples[:, column.start]]


def left_out(found: ReadResult) -> dict[str, str]:
    return dict(found.skipped)


def asked(found: ReadResult) -> set[str]:
    return {decision.what for decision in found.decisions if decision.asks}


# Numbers


@pytest.mark.parametrize(
    ("cell", "decimal", "value"),
    [
        *(
            ("1.5", ".", 1.5),
            ("1,5", ",", 1.5),
            ("-3", ".", -3.0),
            ("+4", ".", 4.0),
            ("−2", ".", -2.0),
            ("5-", ".", -5.0),
        ),
        *(("(1,234.50)", ".", -1234.5), ("1.234,5", ",", 1234.5), ("1 234,5", ",", 1234.5), ("1'234.5", ".", 1234.5)),
        *(("1\u00a0234", ".", 1234.0), ("1\u202f234\u202f567", ".", 1234567.0), ("1’234", ".", 1234.0)),
        *(
            ("12,34,567", ".", 1234567.0),
            ("1e-3", ".", 0.001),
            (".5", ".", 0.5),
            ("5.", ".", 5.0),
            ("1.2.3", ".", None),
        ),
        *(("12A", ".", None), ("3rd", ".", None), ("1_000", ".", None), ("1 23", ".", None), ("", ".", None)),
        *(
            ("1,234", ".", 1234.0),
            ("1,234", ",", 1.234),
            ("0,123", ".", 0.123),
            ("--5", ".", None),
            ("<0.5", ".", None),
        ),
    ],
)
def test_numbers_as_they_are_written(cell: str, decimal: str, value: float | None) -> None:
    assert cells.NumberFormat(decimal).number(cell) == value


@pytest.mark.parametrize("word", ["#N/A", "#DIV/0!", "--", ".", "\\N", "<0.5", "missing", "n.d.", "k.A.", "ND", "***"])
def test_numbers_stay_numbers_beside_any_word_for_nothing(word: str, read: READ) -> None:
    """A quarter of the cells is no number."""
    price = [word if i % 4 == 1 else f"{i / 8}" for i in range(200)]
    found = read(table({"price": price, "b": range(200)}))
    assert names(found) == ["price", "b"] and values(found, "price")[4] == 0.5
    assert f"50 of 200 cells of “price” were no numbers: `{word}`." in found.warnings
    decision = found.decision("missing")
    assert decision is not None and decision.words.startswith("50 rows have missing values")


@pytest.mark.parametrize(
    ("column", "name", "first"),
    [
        ([f"{i / 4} %" for i in range(1, 60)], "a (%)", 0.25),
        ([f"{i}%" for i in range(1, 60)], "a (%)", 1),
        ([f"$1,{i:03}.50" for i in range(1, 60)], "a ($)", 1001.5),
        ([f"1.{i:03},25 €" for i in range(1, 60)], "a (€)", 1001.25),
        ([f"{i}.5kg" for i in range(1, 60)], "a (kg)", 1.5),
        ([f"{i} °C" for i in range(1, 60)], "a (°C)", 1),
        ([f"CHF 2'{i:03}.05" for i in range(1, 60)], "a (CHF)", 2001.05),
        ([f"{i} apples" for i in range(1, 60)], "a (apples)", 1),
    ],
)
def test_units_go_into_the_name(column: list[str], name: str, first: float, read: READ) -> None:
    found = read(table({"a": column, "b": range(len(column))}, ";"))
    assert names(found) == [name, "b"]
    assert values(found, name)[0] == pytest.approx(first)


def test_a_unit_that_the_name_has_already_is_not_told_twice(read: READ) -> None:
    found = read(table({"weight [kg]": [f"{i} kg" for i in range(40)], "b": range(40)}))
    assert names(found) == ["weight [kg]", "b"]


@pytest.mark.parametrize(
    "codes", [["3D", "2D"], ["12A", "12B"], ["1st", "2nd"], ["A1", "B2"], ["1-2", "3-4"], ["5 a", "6 b"]]
)
def test_codes_with_digits_stay_categories(codes: list[str], read: READ) -> None:
    found = read(table({"a": [codes[i % 2] for i in range(40)], "b": range(40)}))
    assert found.columns[0].kind == "category" and set(found.columns[0].values) == set(codes)


@pytest.mark.parametrize(
    ("column", "separator", "value"),
    [
        (["1,5", "2,25", "3.1", *["4,5"] * 40], ";", [1.5, 2.25, 3.1]),  # one point among commas
        (["1.234,5", "2", "3", *["4,5"] * 40], ";", [1234.5, 2, 3]),
        (["1 234,5", "2 000", "3", *["4,5"] * 40], ";", [1234.5, 2000, 3]),
        (["1'234.5", "2'000", "3", *["4.5"] * 40], "\t", [1234.5, 2000, 3]),
        (["-1,74", "0,5", "-2,31", *["4,5"] * 40], ",", [-1.74, 0.5, -2.31]),  # in quotes between commas
        (["1,234", "2,500", "3,000", *["4,500"] * 40], ",", [1234, 2500, 3000]),  # so do Americans write thousands
    ],
)
def test_marks_of_numbers(column: list[str], separator: str, value: list[float], read: READ) -> None:
    found = read(table({"a": column, "b": [i % 7 for i in range(len(column))]}, separator, quoted=True))
    assert values(found, "a")[:3] == pytest.approx(value)
    assert not asked(found)


def test_each_column_has_its_own_decimal_mark(read: READ) -> None:
    found = read(table({"Umsatz": [f"{i},5" for i in range(40)], "lat": [f"52.{i + 1000}" for i in range(40)]}, ";"))
    assert values(found, "Umsatz")[3] == 3.5 and values(found, "lat")[3] == pytest.approx(52.1003)


def test_a_fraction_or_a_thousand_is_asked_where_nothing_tells(read: READ) -> None:
    text = table({"a": [f"{i},{i + 100}" for i in range(1, 60)], "b": range(1, 60)}, "\t")
    assert asked(read(text)) == {"decimal"}
    assert not asked(read(text, decimal=",")) and values(read(text, decimal=","), "a")[0] == pytest.approx(1.101)
    assert values(read(text, decimal="."), "a")[0] == 1101
    assert left_out(read(text, decimal=".", grouping="")) == {"a": "the column holds a different text in every row"}


def test_what_counts_as_missing_can_be_changed(read: READ) -> None:
    text = table(
        {
            "b": range(60),
            "a": ["x" if i % 3 else "." for i in range(60)],
            "c": [i if i % 2 else "999" for i in range(60)],
        }
    )
    assert read(text, missing_values=["999"]).decision("missing") is not None
    assert read(text, missing_values=["."]).columns[1].values == ("x",)
    assert set(read(text, missing_values=[]).columns[1].values) == {"x", "."}


def test_the_kind_of_each_column_can_be_changed(read: READ) -> None:
    text = table({"a": [i % 5 for i in range(60)], "b": [f"{i / 2}" for i in range(60)], "c": range(100, 160)})
    assert read(text, columns={"a": "category"}).columns[0].values == ("0", "1", "2", "3", "4")
    found = read(text, columns={"c": "id", "a": "leave out"})
    assert names(found) == ["b"] and found.names[:2] == ("100", "101")
    assert {facts.name: facts.role for facts in found.facts} == {"a": "leave out", "b": "number", "c": "id"}
    with pytest.raises(Problem, match="There is no column “z”"):
        read(text, columns={"z": "number"})
    with pytest.raises(Problem, match="(?i)names of columns"):
        read(text, columns={"a": "soup"})


def test_what_was_seen_in_each_column_is_told(read: READ) -> None:
    when = [str(START + timedelta(days=i * i * 7 % 61)) for i in range(60)]
    price = ["n/a" if i % 4 == 0 else f"{i},5" for i in range(60)]
    found = read(table({"when": when, "price": price, "colour": ["red", "blue"] * 30, "class": list("ab") * 30}, ";"))
    seen = {facts.name: facts for facts in found.facts}
    assert [seen[name].role for name in ("when", "price", "colour", "class")] == ["time", "number", "category", "class"]
    assert seen["when"].times == 1 and seen["price"].numbers == 0.75 and seen["colour"].distinct == 2
    assert (
        seen["price"].examples == ("n/a", "1,5", "2,5")
        and seen["when"].why == "the column holds times, which are no features"
    )


# Times


@pytest.mark.parametrize(
    "form",
    [
        *("%d/%m/%Y %H:%M", "%m/%d/%Y %H:%M", "%d-%m-%Y %H:%M", "%d.%m.%y %H:%M", "%Y.%m.%d %H:%M", "%d %b %Y %H:%M"),
        *("%b %d, %Y %H:%M", "%Y-%m-%d %H:%M UTC", "%d.%m.%Y %H.%M", "%Y%m%dT%H%M%S", "%a, %d %b %Y %H:%M:%S"),
        *("%d/%b/%Y:%H:%M:%S", "%m/%d/%Y %I:%M %p", "%Y-%m-%dT%H:%M:%S.%fZ", "%Y%m%d%H%M", "%d-%b-%y %H:%M"),
    ],
)
def test_times_are_recognised_by_content(form: str, read: READ) -> None:
    """Every twenty minutes for two weeks: no gap, whatever the column is called."""
    when = [f"{START + timedelta(minutes=20 * i):{form}}" for i in range(1008)]
    found = read(table({"created_at": when, "v": [i % 11 for i in range(1008)]}, ";"))
    assert found.kind == "signal" and len(found.samples) == 1008 // 64 and names(found) == ["v"]
    assert not asked(found) and not found.warnings


@pytest.mark.parametrize("name", ["created_at", "Recorded At", "ds", "", "zeitpunkt", "x"])
@pytest.mark.parametrize("unit", [1, 1_000, 1_000_000])
def test_seconds_since_1970_are_times(name: str, unit: int, read: READ) -> None:
    when = [(1_711_000_000 + 60 * i) * unit for i in range(1000)]
    found = read(table({name: when, "v": [i % 11 for i in range(1000)]}))
    assert found.kind == "signal" and names(found) == ["v"]
    decision = found.decision("kind")
    assert decision is not None and "since 1970" in decision.words


def test_julian_dates_are_times_in_float64(read: READ) -> None:
    """Of one minute float32 knows nothing at 2,460,000 days."""
    found = read(
        table({"bjd": [f"{2_460_000.5 + i / 1440:.7f}" for i in range(1000)], "flux": [i % 9 for i in range(1000)]})
    )
    assert found.kind == "signal" and not found.warnings


@pytest.mark.parametrize("zone", ["Europe/Berlin", "America/New_York", "Australia/Lord_Howe"])
def test_a_change_of_clocks_is_no_gap(zone: str, read: READ) -> None:
    first = datetime(2024, 1, 1, tzinfo=UTC)
    when = [(first + timedelta(hours=i)).astimezone(ZoneInfo(zone)).isoformat() for i in range(24 * 366)]
    found = read(table({"timestamp": when, "v": [i % 24 for i in range(len(when))]}))
    assert found.kind == "signal" and not found.warnings and len(found.samples) == len(when) // 64


@pytest.mark.parametrize("minutes", [10, 15, 60])
@pytest.mark.parametrize("newest", [False, True])
def test_a_change_of_clocks_is_no_gap_in_local_times_either(minutes: int, newest: bool, read: READ) -> None:
    for first in (datetime(2024, 3, 29, tzinfo=UTC), datetime(2024, 10, 25, tzinfo=UTC)):
        moments = [(first + timedelta(minutes=minutes * i)).astimezone(ZoneInfo("Europe/Berlin")) for i in range(640)]
        when = [f"{moment:%d/%m/%Y %H:%M}" for moment in moments]
        found = read(table({"zeit": when[::-1] if newest else when, "v": range(640)}))
        decision = found.decision("kind")
        assert found.kind == "signal" and len(found.samples) == 10 and not found.warnings
        assert decision is not None and "Clocks were changed" in decision.words


def test_a_gap_of_an_hour_at_another_time_is_one(read: READ) -> None:
    when = [str(datetime(2024, 3, 28, 12) + timedelta(minutes=10 * i + (60 if i > 300 else 0))) for i in range(640)]
    assert any("has one gap" in words for words in read(table({"zeit": when, "v": range(640)})).warnings)


def test_of_two_orders_of_day_and_month_that_counts_which_fits_the_whole_column(read: READ) -> None:
    """In the first eight hundred rows both do."""
    when = [f"{datetime(2023, 2, 1) + timedelta(hours=i / 3):%d/%m/%Y %H:%M}" for i in range(1000)]
    found = read(table({"timestamp": when, "v": [i % 24 for i in range(1000)]}))
    assert found.kind == "signal" and not found.warnings and not asked(found)


@pytest.mark.parametrize(
    ("day", "asks"), [("04/05/2024", True), ("04-05-2024", True), ("04.05.2024", False), ("13/05/2024", False)]
)
def test_a_date_that_can_be_read_in_two_ways_is_asked(day: str, asks: bool, read: READ) -> None:
    text = table({"date": [day] * 60, "v": [i / 7 for i in range(60)]})
    assert (asked(read(text)) == {"dates"}) == asks
    if asks:
        assert not asked(read(text, dates="month first"))


@pytest.mark.parametrize(
    ("day", "clock"),
    [
        ("%Y-%m-%d", "%H:%M:%S"),
        ("%d.%m.%Y", "%H.%M.%S"),
        ("%m/%d/%Y", "%I:%M %p"),
        ("%d-%b-%Y", "%H:%M"),
        ("%d/%m/%y", "%H:%M"),
    ],
)
def test_date_and_time_in_two_columns_are_one_time(day: str, clock: str, read: READ) -> None:
    moments = [START + timedelta(minutes=30 * i) for i in range(1000)]
    text = table(
        {
            "Date": [f"{m:{day}}" for m in moments],
            "Time": [f"{m:{clock}}" for m in moments],
            "v": [i % 5 for i in range(1000)],
        },
        ";",
    )
    found = read(text)
    assert found.kind == "signal" and names(found) == ["v"] and not found.classes
    assert len(found.samples) == 1000 // 64 and not found.warnings


@pytest.mark.parametrize("form", ["%Y-%m-%dT%H:%M:%S", "%d.%m.%Y %H:%M", "%m/%d/%Y %H:%M", "%s", "%Y%m%d%H%M%S"])
def test_newest_first_is_turned_round(form: str, read: READ) -> None:
    when = [f"{START - timedelta(minutes=5 * i):{form}}" for i in range(1000)]
    found = read(table({"when": when, "v": range(1000)}))
    assert found.kind == "signal" and found.names[0] == "1000"
    assert found.samples[0, :3, 0].tolist() == [999, 998, 997]
    decision = found.decision("kind")
    assert decision is not None and "newest came first" in decision.words


def test_a_repeated_stamp_is_no_jump(read: READ) -> None:
    when = [str(START + timedelta(seconds=10 * (i - (i >= 500)))) for i in range(1000)]
    found = read(table({"when": when, "v": range(1000)}))
    assert found.kind == "signal" and not found.warnings


def test_uneven_times_are_asked_and_read_by_row_or_at_even_steps(read: READ) -> None:
    steps = np.random.default_rng(0).uniform(0.2, 3, 999)
    when = np.concatenate([[0], np.cumsum(steps)])
    when[500:] += 1000  # a gap
    when[7] = when[8]
    text = table({"timestamp": [f"{each:.4f}" for each in when], "v": [f"{2 * each:.4f}" for each in when]})
    assert asked(read(text)) == {"kind"} and names(read(text)) == ["v"]
    rows = read(text, kind="signal")
    assert any("has one gap" in words for words in rows.warnings) and rows.decision("rhythm") is not None
    starts = [int(name) - 1 for name in rows.names]
    assert not any(start < 500 < start + rows.samples.shape[1] for start in starts)
    even = read(text, kind="signal", rhythm="even")
    inner = np.diff(even.samples[..., 0], axis=1)
    np.testing.assert_allclose(inner, np.median(inner), rtol=0.02)


def payments(count: int = 600) -> dict[str, list[object]]:
    """Rows of our own under the names of the card payments of 2013: a hundredth of them fraud."""
    random = np.random.default_rng(0)
    fraud = np.isin(np.arange(count), random.permutation(count)[: count // 100])
    columns: dict[str, list[object]] = {"Time": np.sort(random.integers(0, 172_800, count)).tolist()}
    columns |= {f"V{i}": np.round(random.normal(3.0 * fraud, 1), 6).tolist() for i in range(1, 29)}
    return columns | {
        "Amount": np.round(np.exp(random.normal(3, 1, count)), 2).tolist(),
        "Class": fraud.astype(int).tolist(),
    }


@pytest.mark.parametrize(
    "form", ["as published", "quoted", "in another order", "upper case", "of Excel", "by class", "counted"]
)
def test_card_payments_are_known_by_their_columns(form: str, read: READ) -> None:
    """Their times rise, and even so nothing is asked: each is a sample, its class is 0 or 1, its time is no feature."""
    columns, separator = payments(), ","
    if form == "in another order":
        columns = {name: columns[name] for name in sorted(columns)}
    elif form == "upper case":
        columns = {name.upper(): values for name, values in columns.items()}
    elif form == "of Excel":
        columns = {name: [str(value).replace(".", ",") for value in values] for name, values in columns.items()}
        separator = ";"
    elif form == "by class":  # without the columns' names, a class that lasts would be that of a signal
        order = np.argsort(columns["Class"], kind="stable")
        columns = {n: v if n == "Time" else [v[i] for i in order] for n, v in columns.items()}
    elif form == "counted":
        columns["Time"] = list(range(600))
    found = read(table(columns, separator, quoted=form == "quoted"))
    assert found.kind == "table" and found.samples.shape == (600, 29) and not asked(found)
    assert found.classes == ("0", "1") and np.bincount(found.labels).tolist() == [594, 6]
    assert "TIME" not in [name.upper() for name in names(found)] and found.skipped[0][0].upper() == "TIME"
    np.testing.assert_allclose(found.samples[:, 0], [float(str(x).replace(",", ".")) for x in columns[names(found)[0]]])
    kept = found.beside[0]
    assert kept.name.upper() == "TIME", "it stands beside"
    time = next(name for name in columns if name.upper() == "TIME")
    assert time in names(read(table(columns, separator), columns={time: "number"}))


def test_rows_whose_class_says_nothing_of_the_next_are_no_moments(read: READ) -> None:
    random = np.random.default_rng(0)
    when = np.cumsum(random.uniform(0.2, 3, 1000)).round(4).tolist()
    values: dict[str, Sequence[object]] = {"time": when, "a": random.normal(size=1000).round(4).tolist()}
    rare = (random.random(1000) < 0.01).astype(int)
    for name in ("is_fraud", "anomaly", "class"):
        found = read(table({**values, name: rare.tolist()}))
        assert found.kind == "table" and found.classes == ("0", "1") and not asked(found)
    lasting = (np.arange(1000) // 100 % 2).tolist()
    assert asked(read(table({**values, "class": lasting}))) == {"kind"}


def test_shuffled_times_are_put_in_order_where_a_signal_is_asked_for(read: READ) -> None:
    order = np.random.default_rng(0).permutation(600).tolist()
    text = table({"when": [str(START + timedelta(hours=i)) for i in order], "v": order})
    assert read(text).kind == "table" and names(read(text)) == ["v"]
    found = read(text, kind="signal")
    assert found.samples[0, :3, 0].tolist() == [0, 1, 2] and found.names[0] == str(order.index(0) + 1)
    decision = found.decision("kind")
    assert decision is not None and "put into that of their times" in decision.words
    born = [str((START - timedelta(days=i % 40)).date()) for i in order]
    assert read(table({"born": born, "v": order}), kind="signal").samples[0, :3, 0].tolist() == order[:3]


@pytest.mark.parametrize("form", ["%Y-%m", "%m/%Y", "%b %Y", "%Y-%b", "%B %y"])
def test_months_are_times(form: str, read: READ) -> None:
    months = [f"{datetime(1960 + i // 12, 1 + i % 12, 1):{form}}" for i in range(600)]
    found = read(table({"period": months, "v": range(600)}))
    assert found.kind == "signal" and (not found.warnings or form == "%B %y")


def test_a_title_above_the_names_and_marks_of_footnotes(read: READ) -> None:
    rows = "".join(f"{i},5*;{i}†;{('<0,5', '<0,25', '<1')[i % 3] if i % 4 == 0 else f'{i},25'}\n" for i in range(60))
    found = read("Bericht 2024;;\n;;\na;b;c\n" + rows)
    assert names(found) == ["a", "b", "c"] and values(found, "a")[2] == 2.5
    assert any("15 of 60 cells of “c” were no numbers" in words for words in found.warnings)


@pytest.mark.parametrize("name", ["response time", "delivery_time", "lead time (h)"])
def test_durations_are_features(name: str, read: READ) -> None:
    found = read(table({name: [i / 7 for i in range(600)], "v": [i % 5 for i in range(600)]}))
    assert names(found) == [name, "v"]


@pytest.mark.parametrize("rows", [1, 2, 3])
@pytest.mark.parametrize("when", ["2024-01-01", "12:00", "n/a", "04/05/2024 10:00", "5"])
def test_a_few_rows_are_read_or_refused(rows: int, when: str, read: READ) -> None:
    text = table({"time": [when] * rows, "v": range(rows), "w": [i / 3 for i in range(rows)]})
    for choices in ({}, {"kind": "signal"}, {"kind": "signal", "window": 1}, {"kind": "signal", "rhythm": "even"}):
        try:
            assert len(read(text, **choices).samples) <= rows
        except Problem as problem:
            assert "window" in problem.came or "column" in problem.came


def test_hours_alone_go_on_over_midnight(read: READ) -> None:
    when = [f"{START + timedelta(minutes=2 * i):%H:%M:%S}" for i in range(1500)]
    found = read(table({"clock": when, "v": range(1500)}))
    assert found.kind == "signal" and not found.warnings


@pytest.mark.parametrize("text", ["1.2.3", "10.0.0.1", "12:3", "32/13/2024", "2024-02-30", "hello 5", "5.24", "99:99"])
def test_what_is_no_time(text: str) -> None:
    assert not times.forms_of([text])


def test_birthdays_are_no_features_and_no_signal(read: READ) -> None:
    days = np.random.default_rng(0).integers(0, 20_000, 900).tolist()
    born = [f"{datetime(1950, 1, 1) + timedelta(days=day):%d.%m.%Y}" for day in days]
    found = read(table({"geboren": born, "v": [i / 7 for i in range(900)]}, ";"))
    assert found.kind == "table" and left_out(found) == {"geboren": "the column holds times, which are no features"}


# Names


@pytest.mark.parametrize(
    "header",
    [range(1100, 1140, 2), [f"{i / 2:.1f}" for i in range(800, 820)], range(1990, 2010), range(20), range(1, 21)],
)
def test_names_that_are_numbers(header: Sequence[object], read: READ) -> None:
    """Wavelengths, halves of them, years, pixel numbers."""
    random = np.random.default_rng(0).random((30, 20))
    rows = [",".join([f"w{i % 3}", *(f"{value:.3f}" for value in row)]) for i, row in enumerate(random)]
    found = read("\n".join([",".join(["variety", *map(str, header)]), *rows]) + "\n")
    assert len(found.samples) == 30 and names(found) == [str(each) for each in header]
    assert found.classes == ("w0", "w1", "w2")


@pytest.mark.parametrize(
    ("text", "columns", "count"),
    [
        ('"len","wid"\n' + "".join(f'"{i}",{i / 3},{i / 7}\n' for i in range(1, 31)), ["len", "wid"], 30),  # R
        ("len wid\n" + "".join(f"r{i} {i / 3} {i / 7}\n" for i in range(1, 31)), ["len", "wid"], 30),
        ("len,wid\n" + "".join(f"{i / 3},{i / 7},\n" for i in range(30)), ["len", "wid"], 30),  # a comma too many
        ("sep=;\nlen;wid\n" + "".join(f"{i},5;{i}\n" for i in range(30)), ["len", "wid"], 30),
        ("sep=|\nlen|wid\n" + "".join(f"{i}.5|{i}\n" for i in range(30)), ["len", "wid"], 30),
        ("len,wid\ncm,kg\n" + "".join(f"{i / 3},{i / 7}\n" for i in range(30)), ["len (cm)", "wid (kg)"], 30),
        ("len;wid\n[cm];[kg]\n" + "".join(f"{i};{i / 7}\n" for i in range(30)), ["len (cm)", "wid (kg)"], 30),
        ("# made by a logger\n# twice\nlen,wid\n" + "".join(f"{i / 3},{i / 7}\n" for i in range(30)), ["len", "wid"], 30),
        ("# serial, 5\nlen,wid\n" + "".join(f"{i / 3},{i / 7}\n" for i in range(30)), ["len", "wid"], 30),
        ("#len,wid\n" + "".join(f"{i / 3},{i / 7}\n" for i in range(30)), ["len", "wid"], 30),
        ("len,wid,\n" + "".join(f"{i / 3},{i / 7}\n" for i in range(30)), ["len", "wid"], 30),
        ("".join(f"Key {i}: value, {i}\n" for i in range(35)) + "a;b;c\n" + "".join(f"{i};{i / 7};3\n" for i in range(90)), ["a", "b", "c"], 90),
        ("len\twid\n1.8316333.1\t5\n" + "".join(f"{i / 3}\t{i / 7}\n" for i in range(30)), ["len", "wid"], 31),
    ],
)  # fmt: skip
def test_where_names_stand(text: str, columns: list[str], count: int, read: READ) -> None:
    found = read(text)
    assert (names(found), len(found.samples)) == (columns, count)


def test_a_row_of_numbers_with_one_stray_cell_is_a_sample(read: READ) -> None:
    rows = np.random.default_rng(0).random((12, 151)).round(4).astype(str).tolist()
    rows[0][7] = "1.8316333.1"
    found = read("\n".join("\t".join(row) for row in rows) + "\n")
    assert found.samples.shape == (12, 151)


@pytest.mark.parametrize(
    "first",
    ["<HIGH>,<OPEN>", "[kPa] p,[C] T", "MZ,x", "BZh,x", "P1\tP2", "RIFF,x", "{a},{b}", "%PDF,x", "GIF,x", "<0.5,x"],
)
def test_content_decides_and_not_the_first_letters(first: str, read: READ) -> None:
    mark = "\t" if "\t" in first else ","
    found = read(first + "\n" + "".join(f"{i / 3}{mark}{i / 7}\n" for i in range(30)))
    assert found.samples.shape == (30, 2)


# Ids


@pytest.mark.parametrize("name", ["", "Unnamed: 0", "index", "level_0", "__index_level_0__", "id"])
@pytest.mark.parametrize("order", ["shuffled", "filtered"])
def test_the_index_of_pandas_is_no_feature(name: str, order: str, read: READ) -> None:
    index = np.random.default_rng(0).permutation(300)[:200]
    index = np.sort(index) if order == "filtered" else index
    found = read(table({name: index.tolist(), "a": [i / 7 for i in range(200)], "class": list("xy") * 100}))
    assert names(found) == ["a"] and found.names[:3] == tuple(str(each) for each in index[:3])
    assert list(left_out(found).values()) == ["the column only numbers the rows"]


@pytest.mark.parametrize(
    ("name", "ids"),
    [
        ("customer_id", [100_000_001 + i for i in range(60)]),
        ("tweet_id", [1_234_567_890_123_456_789 + i for i in range(60)]),
        ("userId", [7 * i for i in range(60)]),
        ("userid", [f"{i:05}" for i in range(60)]),
        ("uuid", [f"{i:08x}-0000" for i in range(60)]),
        ("konto", [4_000_000_007 + 13 * i for i in range(60)]),
    ],
)
def test_ids_name_the_rows_and_are_no_features(name: str, ids: list[object], read: READ) -> None:
    found = read(table({name: ids, "a": [i / 7 for i in range(60)]}))
    assert names(found) == ["a"] and found.names == tuple(map(str, ids))


def test_ids_that_come_again_are_no_features_either(read: READ) -> None:
    found = read(table({"userId": [i % 150 for i in range(3000)], "rating": [i % 9 / 2 for i in range(3000)]}))
    assert names(found) == ["rating"] and found.names[:2] == ("1", "2")


def test_large_ids_of_parquet_do_not_merge(read: READ) -> None:
    ids = np.arange(60) + 1_234_567_890_123_456_789
    found = read(parquet({"tweet_id": ids, "a": np.arange(60) / 7}))
    assert names(found) == ["a"] and found.names == tuple(map(str, ids.tolist()))


# Labels


@pytest.mark.parametrize(
    ("label", "classes"),
    [
        ([20240101 + i % 30 for i in range(600)], 30),
        ([16_777_217 + i % 3 for i in range(60)], 3),
        (["007", "07", "7"] * 20, 3),
        ([f"{i % 4}.0" for i in range(60)], 4),
        ([9_007_199_254_740_993 + i % 2 for i in range(60)], 2),
    ],
)
def test_labels_keep_their_names(label: list[object], classes: int, read: READ) -> None:
    found = read(table({"a": [i / 7 for i in range(len(label))], "label": label}))
    written = {str(each).removesuffix(".0") for each in label}
    assert set(found.classes) == written and len(written) == classes


@pytest.mark.parametrize("name", ["y", "target", "label", "class"])
@pytest.mark.parametrize("what", ["axis", "price", "fraction"])
def test_many_numbers_are_no_classes(name: str, what: str, read: READ) -> None:
    random = np.random.default_rng(0)
    made = {
        "axis": random.integers(-220, 221, 1000) * 7,
        "price": random.integers(20_000, 900_000, 1000),
        "fraction": random.random(1000).round(3),
    }
    found = read(table({"a": random.random(1000).tolist(), name: made[what].tolist()}))
    assert names(found) == ["a", name] and not found.classes


def test_a_class_with_too_many_texts_is_left_out_in_words(read: READ) -> None:
    found = read(table({"a": [i / 7 for i in range(3000)], "label": [f"L{i % 1500}" for i in range(3000)]}))
    assert names(found) == ["a"] and not found.classes
    assert left_out(found) == {"label": "the column holds more than 1,000 different texts, too many for a class"}


@pytest.mark.parametrize(
    ("labels", "classes"),
    [
        ("+-", ("+", "-")),
        (("NA", "DE", "FR"), ("DE", "FR", "NA")),
        (("none", "mild"), ("mild", "none")),
        (("-", "o"), ("-", "o")),
        (("yes", "no", "missing"), ("missing", "no", "yes")),
    ],
)
def test_words_for_nothing_may_be_classes(labels: Sequence[str], classes: tuple[str, ...], read: READ) -> None:
    found = read(table({"a": [i / 7 for i in range(90)], "class": [labels[i % len(labels)] for i in range(90)]}))
    assert found.classes == classes and not found.warnings


def test_a_rare_word_for_nothing_is_missing(read: READ) -> None:
    found = read(
        table({"a": [i / 7 for i in range(90)], "class": ["NA" if i % 30 == 0 else "xy"[i % 2] for i in range(90)]})
    )
    assert found.classes == ("x", "y") and (found.labels == -1).sum() == 3
    assert "3 of 90 cells of “class” were no values of a category: `NA`." in found.warnings


@pytest.mark.parametrize("dtype", [np.uint8, np.int64, np.float32, bool, np.float64])
def test_one_hot_rows_are_labels(dtype: type, read: READ) -> None:
    truth = np.arange(40) % 5
    found = read({"a.npz": npz(x=np.random.default_rng(0).random((40, 6)), y=np.eye(5)[truth].astype(dtype))})
    assert found.labels.tolist() == truth.tolist() and found.classes == tuple("01234")


def test_whole_fractions_are_labels_without_a_name(read: READ) -> None:
    found = read(
        {"a.npz": npz(arr_0=np.random.default_rng(0).random((40, 6)), arr_1=(np.arange(40) % 3).astype(float))}
    )
    assert found.classes == ("0", "1", "2")


@pytest.mark.parametrize("place", ["first", "last"])
@pytest.mark.parametrize("labels", ["ABC", "012"])
def test_the_class_beside_pixels_is_found_at_either_end(place: str, labels: str, read: READ) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (100, 64))
    rows = []
    for i, row in enumerate(pixels.tolist()):
        label = labels[i % 3]
        rows.append(",".join(map(str, [label, *row] if place == "first" else [*row, label])))
    found = read("\n".join(rows) + "\n")
    np.testing.assert_array_equal(found.samples[..., 0].reshape(100, 64), pixels)
    assert found.classes == tuple(labels)


def test_pixels_of_any_shape(read: READ) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (20, 320))
    text = table({f"p{i}": pixels[:, i].tolist() for i in range(320)})
    found = read(text, kind="image")
    shape = found.decision("shape")
    assert shape is not None and shape.asks and [16, 20] in shape.options and found.shape == (20, 16, 1)
    np.testing.assert_array_equal(read(text, shape=[16, 20]).samples[..., 0].reshape(20, -1), pixels)
    assert not asked(read(text, kind="image", shape=[16, 20]))


# Arrays


@pytest.mark.parametrize(
    ("shape", "axes", "sample"),
    [
        ((20, 1, 96), "NCT", (96, 1)),
        ((20, 3, 200), "NCT", (200, 3)),
        ((20, 128, 6), "NTC", (128, 6)),
        ((20, 12, 500), "NCT", (500, 12)),
        ((20, 96, 1), "NTC", (96, 1)),
    ],
)
def test_time_is_the_longer_axis(shape: tuple[int, ...], axes: str, sample: tuple[int, ...], read: READ) -> None:
    values = np.random.default_rng(0).standard_normal(shape)
    found = read({"a.npy": npy(values)})
    decision = found.decision("axes")
    assert found.kind == "signal" and found.shape == sample and decision is not None and decision.chosen == axes
    assert not decision.asks


@pytest.mark.parametrize("shape", [(20, 64, 32), (20, 32, 64), (20, 40, 40), (20, 28, 20), (20, 9, 30)])
def test_negative_fractions_are_no_images_without_asking(shape: tuple[int, ...], read: READ) -> None:
    found = read({"a.npy": npy(np.random.default_rng(0).standard_normal(shape))})
    assert asked(found) == {"axes"}


@pytest.mark.parametrize("axes", ["NHW", "NWH", "HWN", "NTC", "NCT", "TCN", "CNT"])
def test_any_order_of_axes_can_be_chosen(axes: str, read: READ) -> None:
    array = np.random.default_rng(0).random((9, 10, 11))
    found = read({"a.npy": npy(array)}, axes=axes)
    order = [axes.index(axis) for axis in ("NTC" if "T" in axes else "NHW")]
    expected = array.transpose(order)
    assert found.samples.shape[:3] == expected.shape
    scaled = found.samples[..., 0] / 255 if found.kind == "image" else found.samples
    np.testing.assert_allclose(scaled, expected, atol=0.003)


@pytest.mark.parametrize("dtype", [np.uint8, np.int64, np.int16, np.uint16, bool])
def test_of_zero_and_one_one_is_white(dtype: type, read: READ) -> None:
    array = (np.random.default_rng(0).random((5, 10, 12)) > 0.7).astype(dtype)
    found = read({"a.npy": npy(array)})
    np.testing.assert_array_equal(found.samples[..., 0], array * 255)
    decision = found.decision("scaling")
    assert decision is not None and decision.words == "Values are 0 and 1: 0 is black, 1 is white."
    assert read({"a.npy": npy(array)}, scaling="as they are").samples.max() == 1


def test_masks_as_images_are_not_black(read: READ) -> None:
    masks = {f"{i}.png": image(Image.fromarray((grey(i) > 100).astype(np.uint8))) for i in range(3)}
    found = read({"a.zip": archive(masks)})
    assert set(np.unique(found.samples)) == {0, 255}
    decision = found.decision("scaling")
    assert decision is not None and "1 is white" in decision.words
    assert read({"a.zip": archive(masks)}, scaling="full").samples.max() == 1


@pytest.mark.parametrize(("low", "high"), [(0.0, 1.05), (-1.0, 1.0), (-0.2, 3.5), (5.0, 900.0), (0.0, 40_000.0)])
def test_float_images_have_one_scale(low: float, high: float, read: READ) -> None:
    pictures = np.random.default_rng(0).uniform(low, high, (6, 8, 8)).astype(np.float32)
    pictures[0] = np.linspace(low, (low + high) / 2, 64).reshape(8, 8)
    pictures[1, 0, 0] = high
    files = {}
    for i, each in enumerate(pictures):
        out = io.BytesIO()
        Image.fromarray(each).save(out, "TIFF")
        files[f"{i}.tif"] = out.getvalue()
    found = read({"a.zip": archive(files)})
    expected = (pictures - pictures.min()) / (pictures.max() - pictures.min()) * 255
    np.testing.assert_allclose(found.samples[..., 0], expected, atol=1)
    decision = found.decision("scaling")
    assert decision is not None and "in all images alike" in decision.words


# Splits and files that belong together


@pytest.mark.parametrize(
    "folders",
    [
        *(
            ("training_set", "test_set"),
            ("seg_train", "seg_test"),
            ("train_images", "test_images"),
            ("train2017", "val2017"),
        ),
        *(
            ("01_train", "02_test"),
            ("Training", "Testing"),
            ("TRAIN", "VALID"),
            ("trainset", "testset"),
            ("data/train", "data/dev"),
        ),
    ],
)
@pytest.mark.parametrize("twice", [False, True])
def test_split_folders_as_they_are_called(folders: tuple[str, str], twice: bool, read: READ) -> None:
    made = {}
    for folder, kind, i in itertools.product(folders, ("cats", "dogs"), range(3)):
        inner = f"{folder}/{folder.rpartition('/')[2]}" if twice else folder
        made[f"{inner}/{kind}/{i}.png"] = image(grey(i))
    found = read({"a.zip": archive(made)})
    assert found.classes == ("cats", "dogs") and found.split is not None
    assert sorted(np.bincount(found.split, minlength=3).tolist()) == [0, 6, 6] and (found.split == TRAIN).sum() == 6


def test_letters_beside_a_split_are_classes(read: READ) -> None:
    found = read(
        {
            "a.zip": archive(
                {
                    f"{part}{kind}/{i}.png": image(grey(i))
                    for part in ("train", "test")
                    for kind in "AB"
                    for i in range(3)
                }
            )
        }
    )
    assert found.classes == ("A", "B") and found.split is not None and (found.split == TEST).sum() == 6


@pytest.mark.parametrize(
    "names",
    [("test", "control"), ("dev", "ops"), ("train", "bus", "car"), ("Test", "placebo"), ("validation", "other")],
)
def test_one_split_name_beside_other_folders_is_a_class(names: tuple[str, ...], read: READ) -> None:
    content = {"a.zip": archive({f"{name}/{i}.png": image(grey(i)) for name in names for i in range(3)})}
    found = read(content)
    assert set(found.classes) == set(names) and found.split is None
    decision = found.decision("split")
    assert decision is not None and decision.chosen == "none"
    assert read(content, split="as it came").split is not None or "train" in names


def test_an_array_and_its_labels_in_two_files(read: READ) -> None:
    x, y = np.random.default_rng(0).random((30, 5)), np.arange(30) % 3
    assert read({"X.npy": npy(x), "y.npy": npy(y)}).labels.tolist() == y.tolist()
    found = read({"x_train.npy": npy(x), "y_train.npy": npy(y), "x_test.npy": npy(x[:9]), "y_test.npy": npy(y[:9])})
    assert found.split is not None and (found.split == TEST).sum() == 9 and found.labels[-9:].tolist() == y[:9].tolist()


@pytest.mark.parametrize("zipped", [False, True])
def test_tables_of_training_and_test(zipped: bool, read: READ) -> None:
    train = table(
        {"id": range(60), "a": [i / 7 for i in range(60)], "b": [i % 3 for i in range(60)], "label": list("xyz") * 20}
    )
    test = table({"id": range(20), "b": [i % 3 for i in range(20)], "a": [i / 7 for i in range(20)]}, ";")
    files: dict[str, bytes | str] = {"train.csv": train, "test.csv": test}
    if zipped:
        packed = io.BytesIO()
        with zipfile.ZipFile(packed, "w") as made:
            for name, content in files.items():
                made.writestr(name, content)
        files = {"a.zip": packed.getvalue()}
    found = read(files)
    assert names(found) == ["a", "b"] and found.split is not None and found.split.tolist() == [TRAIN] * 60 + [TEST] * 20
    assert values(found, "a")[63] == pytest.approx(3 / 7) and found.labels[:3].tolist() == [0, 1, 2]
    assert set(found.labels[60:].tolist()) == {-1} and found.names[60] == "test 1"


@pytest.mark.parametrize("zipped", [False, True])
@pytest.mark.parametrize("ending", ["", ".png"])
def test_labels_in_a_table_beside_images(zipped: bool, ending: str, read: READ) -> None:
    pictures = {f"{i:03}.png": image(grey(i)) for i in range(12)}
    order = [7, 3, 11, 0, 1, 2, 4, 5, 6, 8, 9]
    labels = table({"file": [f"{i:03}{ending}" for i in order], "breed": ["pug" if i % 2 else "akita" for i in order]})
    files: dict[str, bytes | str] = {**pictures, "labels.csv": labels}
    found = read({"a.zip": archive({**pictures, "labels.csv": labels.encode()})} if zipped else files)
    assert found.classes == ("akita", "pug")
    assert [found.labels[found.names.index(f"{i:03}.png")] for i in range(12)] == [i % 2 for i in range(10)] + [-1, 1]
    assert "1 images are not in labels.csv: they have no class." in found.warnings


# Parquet


def test_embeddings_and_images_of_parquet(read: READ) -> None:
    vectors = np.random.default_rng(0).random((30, 7)).astype(np.float32)
    found = read(parquet({"embedding": list(vectors), "label": list("ab") * 15, "text": [f"t{i}" for i in range(30)]}))
    np.testing.assert_array_equal(found.samples, vectors)
    assert found.classes == ("a", "b") and names(found)[0] == "embedding 0"
    pictures = [{"bytes": image(grey(i)), "path": f"{i}.png"} for i in range(6)]
    found = read(parquet({"image": pictures, "label": [0, 1, 2] * 2}))
    assert found.kind == "image" and found.labels.tolist() == [0, 1, 2] * 2
    np.testing.assert_array_equal(found.samples[3, ..., 0], grey(3))
    assert read(parquet({"image": [image(grey(i)) for i in range(6)]})).samples.shape == (6, 8, 8, 1)


def test_what_of_parquet_cannot_be_taken_is_told(read: READ) -> None:
    with pytest.raises(Problem, match="“v”: the column holds lists of 2 different lengths"):
        read(parquet({"v": [[1.0], [1.0, 2.0]]}))
    found = read(parquet({"v": [[1.0], [1.0, 2.0], [3.0]], "a": [1.0, 2.0, 3.0]}))
    assert "different lengths" in left_out(found)["v"]


# Text


@pytest.mark.parametrize("separator", [";", " "])
def test_twenty_thousand_columns(separator: str, read: READ) -> None:
    rows = np.random.default_rng(0).random((4, 20_000)).round(4).astype(str).tolist()
    found = read("\n".join(separator.join(row) for row in [[f"g{i}" for i in range(20_000)], *rows]) + "\n")
    assert found.samples.shape == (4, 20_000)


ENCODED = {
    "cp1252": "Größe;Straße\n" + "".join(f"{i};Köln Bär\n" for i in range(20)),
    "cp1251": "Имя;Город\n" + "".join(f"{i};Москва и Киев\n" for i in range(20)),
    "cp866": "Имя;Город\n" + "".join(f"{i};Санкт-Петербург\n" for i in range(20)),
    "shift_jis": "名前;都市\n" + "".join(f"{i};東京と大阪\n" for i in range(20)),
    "gb18030": "姓名;城市\n" + "".join(f"{i};北京和上海\n" for i in range(20)),
}


@pytest.mark.parametrize("encoding", ENCODED)
def test_text_in_other_encodings(encoding: str, read: READ) -> None:
    text = ENCODED[encoding]
    found = read(text.encode(encoding))
    assert [facts.name for facts in found.facts] == text.splitlines()[0].split(";")
    decision = found.decision("encoding")
    assert decision is not None and decision.chosen == encoding and "not UTF-8" in decision.words
    example = decision.words.partition("“")[2].partition("”")[0]
    assert example in text and not example.isascii()  # to check it by
    assert not found.warnings  # nothing looks wrong


@pytest.mark.parametrize(
    ("text", "odd", "wrong"),
    [
        ("5;Süd;12 m²", "Süd", ""),
        ("x,12 µm,3 °C,±2,Größe", "µm", ""),
        ("price (€);a", "", ""),
        ("für;Ã¼ber;fÃ¼r", "für", "Ã¼ber"),
        ("f\x81r;M\ufffdll", "", "f\x81r"),
    ],
)
def test_a_word_to_check_an_encoding_by(text: str, odd: str, wrong: str) -> None:
    from models.readers.sources import odd_word
    from models.readers.work import plain

    assert odd_word(text) == (odd and plain(odd), wrong and plain(wrong))


def test_letters_that_look_wrong_are_warned_of(read: READ, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(encodings, "_guessed", lambda *_: "latin-1")
    text = b"a,b\n" + b"".join(b"%d,M\x81ller\n" % i for i in range(60))  # ü of MS-DOS
    assert any("letters look wrong: “M" in words for words in read(text).warnings)
    assert not read(text, encoding="latin-1").warnings  # whoever has chosen it has seen it


@pytest.mark.parametrize(
    ("encoding", "folders"),
    [("shift_jis", ("表", "ネコ")), ("gb18030", ("猫咪", "小狗")), ("cp866", ("кошки", "собаки"))],
)
def test_names_in_a_zip_in_other_encodings(encoding: str, folders: tuple[str, ...], read: READ) -> None:
    """The second byte of 表 is that of a backslash."""
    stand_ins = ["z" * (len(folder.encode(encoding)) - 1) + str(i) for i, folder in enumerate(folders)]
    made = archive({f"{folder}/{i}.png": image(grey(i)) for folder in stand_ins for i in range(4)})
    for folder, stand_in in zip(folders, stand_ins, strict=True):
        made = made.replace(f"{stand_in}/".encode(), folder.encode(encoding) + b"/")
    found = read({"a.zip": made})
    decision = found.decision("encoding")
    assert set(found.classes) == set(folders) and not found.warnings
    assert decision is not None and "do not say their encoding" in decision.words
    assert any(folder in decision.words for folder in folders)


@pytest.mark.parametrize("line", [2, 30, 51])
def test_a_quote_that_is_not_closed_is_told_with_its_line(line: int, read: READ) -> None:
    lines = ["name,size,w", *(f"disk {i % 3},{i}.5,{i}" for i in range(100))]
    lines[line - 1] = lines[line - 1].replace("disk", '"disk')
    found = read("\n".join(lines) + "\n")
    assert len(found.samples) == 100
    assert (
        f"In line {line} a quote is opened and not closed; it is left out, and the rows below are kept."
        in found.warnings
    )


def test_series_of_sktime_and_tables_of_weka(read: READ) -> None:
    series = np.random.default_rng(0).standard_normal((12, 2, 9)).round(3)
    lines = ["%about", "@problemName demo", "@timeStamps false", "@univariate false", "@classLabel true a b", "@data"]
    lines += [
        ":".join([*(",".join(map(str, part)) for part in one.tolist()), "ab"[i % 2]]) for i, one in enumerate(series)
    ]
    found = read({"demo.ts": "\n".join(lines) + "\n"})
    np.testing.assert_allclose(found.samples, series.transpose(0, 2, 1), rtol=1e-6)
    assert found.classes == ("a", "b")
    for change, says in (
        (("@timeStamps false", "@timeStamps true"), "time stamp"),
        ((lines[-1], "1,2:3,4:a"), "different lengths"),
    ):
        with pytest.raises(Problem, match=says):
            read({"demo.ts": "\n".join(lines).replace(*change) + "\n"})
    text = "% Fisher\n@relation iris\n@attribute 'sepal length' numeric\n@attribute colour {red, blue}\n@ATTRIBUTE class {x,y}\n\n@data\n"
    text += "".join(f"{i / 3},{('red', 'blue')[i % 2]},{'xy'[i % 2]}\n" for i in range(30)) + "?,red,x\n"
    found = read({"iris.arff": text})
    assert names(found) == ["sepal length", "colour"] and found.classes == ("x", "y") and len(found.samples) == 31
    with pytest.raises(Problem, match="begins as ARFF"):
        read({"iris.arff": text.replace("@data", "")})


def test_readers_raise_their_own_errors_only(read: READ, tmp_path: Path) -> None:
    """Sizes that make no array, a header with truth values, a claim that is refused before anything is unpacked."""
    import gzip

    header = b"\0\0\x08\x03" + np.array([0, 2**32 - 1, 2**32 - 1], ">u4").tobytes()
    with pytest.raises(Problem, match="which holds nothing"):
        read({"z.idx": header})
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as packed:
        content = npy(np.zeros((1, 3))).replace(b"'shape': (1, 3)", b"'shape': (True, 3)").replace(b"   \n", b"\n", 1)
        packed.writestr("x.npy", content)
    with pytest.raises(Problem, match="holds no array of numbers"):
        read({"a.npz": made.getvalue()})
    bomb = gzip.compress(b"\0\0\x08\x03" + np.array([1 << 20, 32, 32], ">u4").tobytes() + b"\0" * (1 << 24))
    with pytest.raises(Problem, match="1,048,576 samples"):
        read({"bomb.gz": bomb})


def test_one_large_deep_picture_among_small_ones_is_skipped(read: READ) -> None:
    out = io.BytesIO()
    Image.new("F", (4096, 4096)).save(out, "TIFF", compression="tiff_deflate")
    found = read({"a.zip": archive({**{f"{i}.png": image(grey(i)) for i in range(5)}, "large.tif": out.getvalue()})})
    assert len(found.samples) == 5 and "more than 8 bits" in left_out(found)["large.tif"]


@pytest.mark.parametrize(
    "cell", ["-" + " " * 90_000 + "x", "1 " * 45_000, "1," * 45_000 + "x", "9" * 90_000, "12 " + "a" * 90_000]
)
def test_long_cells_take_no_time(cell: str, read: READ) -> None:
    began = datetime.now(UTC)
    found = read(table({"a": [f'"{cell}"', *["1"] * 40], "b": range(41)}))
    assert len(found.samples) == 41 and (datetime.now(UTC) - began).total_seconds() < 2


def test_a_monday_goes_through_without_a_decision(read: READ) -> None:
    """An Excel export with German numbers, a logger's file with a change of clocks, a shuffled frame, a zip from Kaggle."""
    rows = [
        f"{4711 + i};1.{100 + i},50 €;{i % 90 + 5},2 %;{('Nord', 'Süd')[i % 2]};{'#DIV/0!' if i % 9 == 4 else f'{i},25'}"
        for i in range(200)
    ]
    excel = read("Kunden-Nr;Umsatz;Marge;Region;Schnitt\n" + "\n".join(rows) + "\n", label="Region")
    assert names(excel) == ["Umsatz (€)", "Marge (%)", "Schnitt"] and excel.classes == ("Nord", "Süd")
    assert values(excel, "Umsatz (€)")[:2] == [1100.5, 1101.5] and excel.names[0] == "4711"
    first = datetime(2024, 3, 25, tzinfo=UTC)
    moments = [(first + timedelta(minutes=15 * i)).astimezone(ZoneInfo("Europe/Berlin")) for i in range(1200)]
    lines = [f"{m:%d/%m/%Y %H:%M %Z};{i % 40},5;{i % 7}" for i, m in enumerate(moments)]
    logger = read("zeit;temp;co2\n" + "\n".join(lines) + "\n")
    assert logger.kind == "signal" and names(logger) == ["temp", "co2"] and not logger.warnings
    order = np.random.default_rng(0).permutation(300).tolist()
    frame = read(table({"": order, "a": [i / 7 for i in range(300)], "b": range(300), "species": list("xyz") * 100}))
    assert names(frame) == ["a", "b"] and frame.classes == ("x", "y", "z") and frame.names[0] == str(order[0])
    folders = [
        (part, kind, i)
        for part in ("seg_train/seg_train", "seg_test/seg_test")
        for kind in ("sea", "forest")
        for i in range(4)
    ]
    kaggle = read({"archive.zip": archive({f"{part}/{kind}/{i}.png": image(grey(i)) for part, kind, i in folders})})
    assert kaggle.classes == ("forest", "sea") and kaggle.split is not None and (kaggle.split == TEST).sum() == 8
    assert not any(map(asked, (excel, logger, frame, kaggle)))


# What a critical reader of these pages found


def test_quotes_that_meet_each_other_swallow_nothing(read: READ) -> None:
    lines = [f'"open {i},{i / 3:.3f}' if i in (5, 25) else f"n{i % 4},{i / 3:.3f}" for i in range(40)]
    found = read("name,v\n" + "\n".join(lines) + "\n")
    assert len(found.samples) == 40 and sum("not closed" in words for words in found.warnings) == 1
    found = read("name,v\n" + "\n".join(f'"x{i % 3} y,{i}' for i in range(300)) + "\n")
    assert len(found.samples) == 300 and "Many quotes" in " ".join(found.warnings)
    found = read("a,note\n" + "".join(f'{i},"two\nlines, ""quoted"""\n' for i in range(40)))
    assert len(found.samples) == 40 and not any("quote" in words for words in found.warnings)


def test_scalars_beside_arrays_are_skipped(read: READ) -> None:
    found = read({"a.npz": npz(X=np.random.default_rng(0).random((20, 3)), y=np.arange(20) % 2, fs=np.float64(100))})
    assert (
        found.classes == ("0", "1")
        and "not needed" in left_out(found)["fs.npy" if "fs.npy" in left_out(found) else "fs"]
    )


@pytest.mark.parametrize("values", [("<=50K", ">50K"), ("<20", ">40"), (">200", ">300"), ("<0.5", "<0.1")])
def test_classes_that_look_like_bounds(values: tuple[str, str], read: READ) -> None:
    found = read(
        table(
            {"age": [i / 7 for i in range(60)], "job": list("pqr") * 20, "income": [values[i % 2] for i in range(60)]}
        )
    )
    assert next(column for column in found.columns if column.name == "income").values == values


def test_images_of_one_name_in_two_folders_get_the_labels_of_theirs(read: READ) -> None:
    pictures = {f"{part}/{i}.png": image(grey(i)) for part in ("train", "test") for i in range(9)}
    labels = {
        f"{part}.csv": table({"id": range(9), "label": [f"{part[1]}{i % 2}" for i in range(9)]}).encode()
        for part in ("train", "test")
    }
    found = read({"a.zip": archive({**pictures, **labels})})
    assert found.classes == ("e0", "e1", "r0", "r1")
    assert all(found.classes[label][0] == name[1] for name, label in zip(found.names, found.labels, strict=True))
    found = read({"a.zip": archive({**pictures, "train.csv": labels["train.csv"]})})
    assert found.classes == ("r0", "r1") and (found.labels == -1).sum() == 9


@pytest.mark.parametrize("cells", [["1.234"] * 30 + ["5,5"], ["1.234", "998", "4.567", "12.500"] * 8])
def test_a_few_cells_do_not_decide_a_thousandfold_without_asking(cells: list[str], read: READ) -> None:
    text = table({"a": cells, "b": range(len(cells))}, ";")
    assert asked(read(text)) == {"decimal"}
    assert values(read(text, decimal=","), "a")[0] == 1234 and values(read(text, decimal="."), "a")[0] == pytest.approx(
        1.234
    )


def test_three_decimals_everywhere_are_decimals(read: READ) -> None:
    assert not asked(read(table({"a": [f"{1 + i / 7:.3f}" for i in range(60)], "b": range(60)})))


def test_each_file_of_a_table_has_its_own_decimal_mark(read: READ) -> None:
    train = table({"a": [f"{i},25" for i in range(40)], "label": list("xy") * 20}, ";")
    test = table({"a": [f"{i}.25" for i in range(20)], "label": list("xy") * 10})
    found = read({"train.csv": train, "test.csv": test})
    assert values(found, "a")[3] == 3.25 and values(found, "a")[43] == 3.25
    train = table({"a": [f"{i},250" for i in range(1, 41)], "c": ["1,5"] * 40, "label": list("xy") * 20}, ";")
    test = table({"a": [f"{i}.250" for i in range(1, 21)], "c": ["1.5"] * 20, "label": list("xy") * 10})
    assert values(read({"train.csv": train, "test.csv": test}), "a")[39:42] == [40.25, 1.25, 2.25]


def test_what_only_the_training_rows_have_is_the_class(read: READ) -> None:
    train = table(
        {"PassengerId": range(60), "Survived": [i % 2 for i in range(60)], "Fare": [i / 7 for i in range(60)]}
    )
    found = read(
        {"train.csv": train, "test.csv": table({"PassengerId": range(60, 80), "Fare": [i / 7 for i in range(20)]})}
    )
    assert found.classes == ("0", "1") and names(found) == ["Fare"] and found.names[0] == "0"


@pytest.mark.parametrize(
    "parts",
    [
        ("Training", "Validierung", "Test"),
        ("tr", "te"),
        ("trn", "tst"),
        ("train", "public_test"),
        ("Final_Training", "Final_Test"),
        ("entrainement", "validation", "test"),
    ],
)
def test_more_names_of_splits(parts: tuple[str, ...], read: READ) -> None:
    found = read(
        {
            "a.zip": archive(
                {
                    f"{part}/{kind}/{i}.png": image(grey(i))
                    for part in parts
                    for kind in ("cat", "dog")
                    for i in range(3)
                }
            )
        }
    )
    assert found.classes == ("cat", "dog") and found.split is not None and len(np.unique(found.split)) == len(parts)


def test_a_folder_beside_splits_is_no_class(read: READ) -> None:
    made = {
        f"seg_{part}/seg_{part}/{kind}/{i}.png": image(grey(i))
        for part in ("train", "test")
        for kind in ("sea", "ice")
        for i in range(3)
    }
    found = read({"a.zip": archive({**made, **{f"seg_pred/seg_pred/{i}.png": image(grey(i)) for i in range(4)}})})
    assert found.classes == ("ice", "sea") and (found.labels == -1).sum() == 4
    assert any("“seg_pred” stands beside folders that are a split" in words for words in found.warnings)


def test_arrays_that_are_no_labels(read: READ) -> None:
    random = np.random.default_rng(0)
    x = random.random((100, 5))
    assert not read({"a.npz": npz(X=x, y=random.standard_normal(100))}).classes
    assert not read({"a.npz": npz(X=x, ids=np.arange(100))}).classes
    found = read({"a.npz": npz(data=x, subject=np.arange(100) % 5, activity=np.arange(100) % 3)})
    assert len(found.classes) == 3
    assert asked(read({"a.npz": npz(data=x, subject=np.arange(100) % 5, session=np.arange(100) % 3)})) == {"labels"}
    for names_ in (("Xtr", "ytr", "Xte", "yte"), ("xTrain", "yTrain", "xTest", "yTest")):
        arrays = dict(zip(names_, (x, np.arange(100) % 2, x[:30], np.arange(30) % 2), strict=True))
        found = read({"a.npz": npz(**arrays)})
        assert found.split is not None and (found.split == TEST).sum() == 30


@pytest.mark.parametrize(
    "name",
    [
        "S.No.",
        "Sr No",
        "Serial No.",
        "row",
        "X",
        "...1",
        "instant",
        "idx",
        "OBJECTID",
        "pk",
        "Matrikelnummer",
        "Loan_No",
    ],
)
def test_counters_under_usual_names_are_no_features(name: str, read: READ) -> None:
    found = read(table({name: range(1, 101), "a": [i % 9 / 7 for i in range(100)]}))
    assert names(found) == ["a"]


def test_the_named_index_of_a_frame_is_no_feature(read: READ) -> None:
    import pandas as pd

    frame = pd.DataFrame({"Flight": np.random.default_rng(0).permutation(900)[:60], "a": np.arange(60) / 7}).set_index(
        "Flight"
    )
    out = io.BytesIO()
    frame.to_parquet(out)
    assert names(read(out.getvalue())) == ["a"]


def test_amounts_in_the_first_column_are_features(read: READ) -> None:
    amounts = np.random.default_rng(0).integers(1_000_000_000, 9_000_000_000, 60).tolist()
    assert names(read(table({"market_cap": amounts, "a": [i / 7 for i in range(60)]}))) == ["market_cap", "a"]


@pytest.mark.parametrize(
    ("cell", "value"),
    [
        ("USD2.5", 2.5),
        ("Rs. 6,72,205", 672205),
        ("5.125D+02", 512.5),
        ("$(9,668.00)", -9668),
        ("44,- €", 44),
        ("8.5ºC", 8.5),
        ("76MPH", 76),
        ("($5.50)", -5.5),
    ],
)
def test_more_ways_to_write_a_number(cell: str, value: float, read: READ) -> None:
    found = read(table({"a": [f'"{cell}"'] * 40, "b": range(40)}))
    assert found.samples[0, 0] == value and len(names(found)) == 2


def test_thousands_and_millions_as_letters(read: READ) -> None:
    found = read(table({"volume": ["2.5K", "4.5M", "400"] * 20, "b": range(60)}))
    assert values(found, "volume")[:3] == [2500, 4_500_000, 400]


def test_numbers_in_several_units_are_told(read: READ) -> None:
    found = read(table({"weight": [f"{i + 1}.4 kg" if i % 2 else f"{i + 100} g" for i in range(60)], "b": range(60)}))
    assert any("“weight” looks like numbers in several units (g, kg)" in w or "(kg, g)" in w for w in found.warnings)


def test_questionnaires_are_asked_and_not_taken_for_pixels(read: READ) -> None:
    random = np.random.default_rng(0)
    answers = {f"q{i}": random.integers(1, 6, 80).tolist() for i in range(1, 101)}
    assert asked(read(table({"id": range(1, 81), **answers}))) == {"kind"}
    assert asked(read(table({f"s{i}": random.random(40).tolist() for i in range(64)}))) == {"kind"}
    assert not asked(read(table({f"pixel{i}": random.integers(0, 256, 40).tolist() for i in range(64)})))


@pytest.mark.parametrize("place", ["first", "last"])
def test_the_class_of_a_table_without_names(place: str, read: READ) -> None:
    random = np.random.default_rng(0).standard_normal((80, 30)).round(3)
    rows = [
        [f"{i % 5 + 1}", *map(str, row)] if place == "first" else [*map(str, row), f"{i % 5}.0"]
        for i, row in enumerate(random)
    ]
    found = read("\n".join("\t".join(row) for row in rows) + "\n")
    assert len(found.classes) == 5 and found.shape == (30,)


def test_a_label_may_be_a_half(read: READ) -> None:
    assert read(table({"label": [i % 3 / 2 for i in range(60)], "a": [i / 7 for i in range(60)]})).classes == (
        "0",
        "0.5",
        "1",
    )


def test_a_rare_minus_beside_a_plus_is_a_class(read: READ) -> None:
    found = read(table({"a": [i / 7 for i in range(60)], "y": ["-" if i % 10 == 0 else "+" for i in range(60)]}))
    assert found.classes == ("+", "-")


def test_a_temperature_is_no_time(read: READ) -> None:
    assert "T (°C)" in names(
        read(table({"T (°C)": [5 * i + i % 2 for i in range(40)], "Cp": [i % 7 / 3 for i in range(40)]}))
    )


@pytest.mark.parametrize(
    ("text", "columns", "count"),
    [
        (
            "Temperature log\ntime_of_day,value\n" + "".join(f"{i % 7},{i / 7}\n" for i in range(30)),
            ["time_of_day", "value"],
            30,
        ),
        ("sep=\t\na\tb\n" + "".join(f"{i % 7}\t{i / 7}\n" for i in range(30)), ["a", "b"], 30),
        ("Device,ABC\nSerial,123\nRate,10\nu,v\n" + "".join(f"{i % 7},{i / 7}\n" for i in range(30)), ["u", "v"], 30),
        (
            "Device,ABC\nSerial,123\nu,v\nmV,mA\n" + "".join(f"{i % 7},{i / 7}\n" for i in range(30)),
            ["u (mV)", "v (mA)"],
            30,
        ),
    ],
)
def test_what_stands_above_the_names(text: str, columns: list[str], count: int, read: READ) -> None:
    found = read(text)
    assert (names(found), len(found.samples)) == (columns, count)


def test_numbers_that_may_be_names_are_asked(read: READ) -> None:
    rows = np.random.default_rng(0).integers(1, 10, (30, 20))
    text = "\n".join(",".join(map(str, row)) for row in [range(2000, 2020), *rows.tolist()]) + "\n"
    assert "header" in asked(read(text)) and len(read(text, header=True).samples) == 30


@pytest.mark.parametrize(
    "text", ["price;q\n£1.50;1\n", "T [°C];q\n5;1\n", "a;q\n3,2 €;1\n", "c [µg];q\n5;1\n", "note;q\nit’s;1\n"]
)
def test_a_few_western_signs_are_western(text: str, read: READ) -> None:
    lines = text.splitlines()
    found = read(("\n".join([lines[0], *[lines[1]] * 40]) + "\n").encode("cp1252"))
    decision = found.decision("encoding")
    assert decision is not None and decision.chosen == "cp1252"


def test_one_wrong_byte_does_not_change_the_encoding(read: READ) -> None:
    found = read(b"Stadt,v\n" + "".join(f"Zürich {i % 3},{i}\n" for i in range(60)).encode() + b"Gen\xe8ve,7\n")
    assert "Zürich 0" in found.columns[0].values and any("no UTF-8" in words for words in found.warnings)


@pytest.mark.parametrize("make", [lambda i: f"{i // 60:02}:{i % 60:02}.5", lambda i: f"{60310 + i / 24:.5f}", lambda i: f"{datetime(2020, 1, 1) + timedelta(days=i):%d%m%Y}", lambda i: f"{1850 + i // 4}Q{i % 4 + 1}"])  # fmt: skip
def test_more_forms_of_time(make: Callable[[int], str], read: READ) -> None:
    found = read(table({"mjd": [make(i) for i in range(600)], "v": range(600)}))
    assert found.kind == "signal" and names(found) == ["v"]


def test_several_sensors_in_one_table_are_asked(read: READ) -> None:
    text = table({"time": range(900), "sensor": ["S0", "S1", "S2"] * 300, "value": [i % 50 / 7 for i in range(900)]})
    assert "kind" in asked(read(text))


def test_reasons_of_tables_beside_images(read: READ) -> None:
    pictures = {f"{i}.png": image(grey(i)) for i in range(20)}
    few = table({"file": [f"{i}.png" for i in range(5)], "label": list("ababa")}).encode()
    assert "those of 5 of 20 images" in left_out(read({"a.zip": archive({**pictures, "l.csv": few})}))["l.csv"]
    ages = table({"file": [f"{i}.png" for i in range(20)], "age": [i / 7 for i in range(20)]}).encode()
    assert "holds classes" in left_out(read({"a.zip": archive({**pictures, "l.csv": ages})}))["l.csv"]


def test_a_table_with_a_note_in_a_zip(read: READ) -> None:
    content = archive(
        {"data.csv": table({"a": range(40), "b": [i % 7 for i in range(40)]}).encode(), "README.md": b"# hello"}
    )
    assert len(read({"a.zip": content}).samples) == 40
    part = table({"a": [i / 7 for i in range(40)], "label": list("xy") * 20})
    assert read({"adult_train.csv": part, "adult_test.csv": part}).split is not None


def test_one_bad_cell_is_no_header_and_no_unit(read: READ) -> None:
    rows = [f"2024-01-01 00:{i:02},{'error' if i == 9 else i * 7 % 11 / 3}" for i in range(50)]
    found = read("time,value\n" + "\n".join(rows) + "\n")
    assert names(found) == ["value"] and len(found.samples) == 50
    found = read("country,gdp,pop\nC0,-,-\n" + "".join(f"C{i},{i / 7},{i / 3}\n" for i in range(1, 30)))
    assert names(found)[-2:] == ["gdp", "pop"] and len(found.samples) == 30
    found = read("site,arsenic\ns0,<0.5\n" + "".join(f"s{i},{i / 7}\n" for i in range(1, 30)))
    assert names(found) == ["arsenic"] and len(found.samples) == 30


def test_what_is_sorted_by_size_is_no_time(read: READ) -> None:
    revenue = np.sort(np.random.default_rng(0).integers(700_000_000, 2_000_000_000, 100))[::-1].tolist()
    assert names(
        read(table({"company": [f"c{i}" for i in range(100)], "revenue": revenue, "m": [i % 7 for i in range(100)]}))
    ) == ["revenue", "m"]


def test_hours_after_a_compact_date(read: READ) -> None:
    when = [f"{START + timedelta(hours=i):%Y%m%d%H}" for i in range(900)]
    found = read(table({"MESS_DATUM": when, "TT_TU": [i % 24 for i in range(900)]}, ";"))
    assert found.kind == "signal" and not found.warnings and found.shape == (64, 1)


def test_wavelengths_beside_several_names(read: READ) -> None:
    random = np.random.default_rng(0)
    head = ["sample", "Brix", *map(str, range(1100, 1140, 2))]
    rows = [[f"w{i}", f"{i % 9}.5", *map(str, random.random(20).round(3))] for i in range(30)]
    found = read("\n".join(",".join(row) for row in [head, *rows]) + "\n")
    assert names(found) == head[1:] and len(found.samples) == 30


def test_a_word_in_the_first_cell_of_times(read: READ) -> None:
    when = ["start", *[str(START + timedelta(minutes=i)) for i in range(899)]]
    assert read(table({"timestamp": when, "v": [i % 9 for i in range(900)]})).kind == "signal"


@pytest.mark.parametrize("name", ["Number of deaths", "no_of_trips", "nr_visitors", "row energy", "Number"])
def test_numbers_of_things_are_features(name: str, read: READ) -> None:
    counts = np.random.default_rng(0).permutation(90_000)[:60].tolist()
    assert names(read(table({"canton": list("abc") * 20, name: counts, "rate": [i / 7 for i in range(60)]})))[-2:] == [
        name,
        "rate",
    ]


@pytest.mark.parametrize(
    ("text", "columns"),
    [
        ("title,cat,n\n" + "".join(f"Story {i % 5} | BBC,sport,{i}\n" for i in range(40)), ["title", "cat", "n"]),
        ("".join(f"{i % 3},Jog,{i / 7},{i / 3},0.5;\n" for i in range(40)), None),
        ('"a" "b"\n' + "".join(f'"{i}" {i},31 {i},17\n' for i in range(40)), ["a", "b"]),
        ("Wert\n" + "".join(f"{i},5\n" for i in range(40)), ["Wert"]),
    ],
)
def test_separators_and_stray_marks(text: str, columns: list[str] | None, read: READ) -> None:
    found = read(text)
    assert names(found) == columns if columns else len(found.columns) >= 4
    assert len(found.samples) == 40


@pytest.mark.parametrize(
    "values",
    [("Generator 01", "Generator 02"), ("Market 05", "Market 06"), ("1:10", "2:50"), ("setting 03", "setting 04")],
)
def test_words_that_begin_like_months_are_no_times(values: tuple[str, str], read: READ) -> None:
    found = read(table({"v": range(60), "machine": [values[i % 2] for i in range(60)], "w": range(60)}))
    assert next(column for column in found.columns if column.name == "machine").values == values


@pytest.mark.parametrize(
    "names_",
    [
        [f"V{i}" for i in range(1, 101)],
        [str(i) for i in range(850, 1050, 2)],
        [f"{i // 6:02}:{i % 6}0" for i in range(100)],
    ],
)
def test_fractions_under_any_names_are_asked_before_they_are_images(names_: list[str], read: READ) -> None:
    random = np.random.default_rng(0)
    assert asked(read(table({name: random.random(60).round(4).tolist() for name in names_}))) & {"kind", "header"}


def test_the_jumps_tell_day_and_month(read: READ) -> None:
    for form in ("%m/%d/%Y %H:%M", "%d/%m/%Y %H:%M"):
        when = [f"{datetime(2024, 3, 4) + timedelta(minutes=5 * i):{form}}" for i in range(860)]
        found = read(table({"when": when, "v": [i % 9 for i in range(860)]}))
        assert found.kind == "signal" and not asked(found) and not found.warnings


def test_constants_empty_rows_and_remarks_are_no_matter(read: READ) -> None:
    found = read(table({"a": [518.67] * 200, "b": [i / 7 for i in range(200)]}) + ",\n" * 20)
    assert not found.warnings and len(found.samples) == 200
    text = (
        "@relation r\n@attribute a numeric\n@attribute b numeric\n@data\n"
        + "".join(f"{i},{i / 7}\n" for i in range(30))
        + "%\n%\n"
    )
    assert not read({"r.arff": text}).warnings


# What was found in reading all of this once more


def test_a_long_table_whose_newest_row_came_first_is_read_as_fast_as_another(read: READ) -> None:
    """Its cells are read again for the names of the rows: once, and not once for each row."""
    when = [str(START - timedelta(minutes=i)) for i in range(20_000)]
    text = table({"when": when, "id": [f"r{i:05}" for i in range(20_000)], "v": range(20_000)})
    began = time.process_time()
    assert read(text).kind == "signal" and time.process_time() - began < 10


def test_a_quote_that_is_not_closed_is_mended_in_its_own_file(read: READ) -> None:
    rows = [f"disk {i % 3},{i}.5,{'xy'[i % 2]}" for i in range(60)]
    broken = [f'"{row}' if i == 5 else row for i, row in enumerate(rows)]
    found = read(
        {"train.csv": "\n".join(["name,size,label", *rows]), "test.csv": "\n".join(["name,size,label", *broken])}
    )
    assert len(found.samples) == 120 and sum("In line 7 a quote" in words for words in found.warnings) == 1


def test_a_decimal_mark_that_is_proved_is_told_and_not_offered(read: READ) -> None:
    proved = read(table({"a": [f"{i},5" for i in range(40)], "b": range(40)}, ";")).decision("decimal")
    assert proved is not None and proved.options == (",",)
    text = table({"a": [f"{i},5" for i in range(40)], "b": [f"{i + 1},{i + 100}" for i in range(40)]}, ";")
    for mark in ".,":
        again = read(text, decimal=mark).decision("decimal")
        assert again is not None and again.chosen == mark and again.options == (".", ",")


def test_of_several_columns_of_dates_one_that_is_asked_is_enough(read: READ) -> None:
    clear = [f"{datetime(2024, 3, 4) + timedelta(days=i):%d/%m/%Y}" for i in range(60)]
    for columns in ({"a": ["04/05/2024"] * 60, "b": clear}, {"b": clear, "a": ["04/05/2024"] * 60}):
        text = table({**columns, "v": [i / 7 for i in range(60)]})
        decision = read(text).decision("dates")
        assert decision is not None and decision.asks and "“a”" in decision.words
        again = read(text, dates="day first").decision("dates")
        assert again is not None and again.chosen == "day first" and not again.asks


def test_whatever_encoding_was_taken_can_be_chosen(read: READ) -> None:
    """0x81 is no letter of cp1252."""
    content = b"a,b\n" + b"".join(b"%d,x\x81\xe9\x8d\n" % i for i in range(60))
    first = read(content).decision("encoding")
    assert first is not None and read(content, encoding=first.chosen).decision("encoding") is not None


@pytest.mark.parametrize(
    "start", [b"P1" + b" " * 4000 + b"x", b"P5" + b"\n#a" * 1000 + b"\n1" + b" " * 900 + b"x", b"P2 " + b"9" * 4000]
)
def test_beginnings_that_are_nearly_an_image_take_no_time(start: bytes) -> None:
    from models.readers.images import is_image

    began = time.process_time()
    is_image(start)
    assert time.process_time() - began < 0.5


def test_labels_under_any_usual_name_are_not_asked_for(read: READ) -> None:
    arrays = npz(data=np.random.default_rng(0).random((60, 5)), subject=np.arange(60) % 5, species=np.arange(60) % 3)
    found = read({"a.npz": arrays})
    assert len(found.classes) == 3 and not asked(found)


# Headers of several rows, and names in comments
ROWS_3 = "".join(f"{START + timedelta(days=i):%Y-%m-%d},{i / 3},{i / 7},{i % 9}.5,{i % 5}.5\n" for i in range(60))
ROWS_R = "".join(f"{i},{i / 3},{i / 7},{i % 9}.5,{i % 5}.5\n" for i in range(60))
ANSWERS = "".join(
    f"{7_000_001 + 37 * i * i % 9001},05/{1 + i % 28:02}/2024,{20 + i % 40},{'Python' * (i % 2)},{'R' * (i % 3 > 0)},{'so' if i % 2 else 'not'}\n"
    for i in range(60)
)
IMPORTS = ",".join(f'"{{""ImportId"":""{name}"",""timeZone"":""America/Denver""}}"' for name in ("s", "id", "q1", "q2"))
ASKED = "".join(f"2024-01-{1 + i % 28:02} 10:00:{i % 60:02},R_{i * 7919 % 99991:x}q,{20 + i % 40},{1 + i % 5}\n" for i in range(60))  # fmt: skip
GAUGE = "".join(f"USGS\t01646500\t2024-01-0{1 + i // 24} {i % 24:02}:00\tEST\t{i * 7 % 50}.5\tP\n" for i in range(72))


@pytest.mark.parametrize(
    ("text", "columns", "count"),
    [
        ("Price,Close,High,Low,Open\nTicker,A,A,A,A\nDate,,,,\n" + ROWS_3, ["Close", "High", "Low", "Open"], 60),  # yfinance
        ("Price,Close,Close,High,High\nTicker,A,B,A,B\nDate,,,,\n" + ROWS_3, ["Close (A)", "Close (B)", "High (A)", "High (B)"], 60),
        (",v,v,w,w\n,mean,std,mean,max\nid,,,,\n" + ROWS_R, ["v (mean)", "v (std)", "w (mean)", "w (max)"], 60),  # an aggregate
        (",v,v\n,mean,std\nid,,\n" + "".join(f"{i},{i / 3},{i / 7}\n" for i in range(60)), ["mean", "std"], 60),
        (",a,a,a,b\n,x,x,y,x\n,1st,2nd,1st,1st\n" + ROWS_R, ["a (x, 1st)", "a (x, 2nd)", "a (y, 1st)", "b (x, 1st)"], 60),
        (",acc,,gyr,\ndate,x,y,x,y\n" + ROWS_3, ["acc (x)", "acc (y)", "gyr (x)", "gyr (y)"], 60),  # merged cells
        (",acc,,gyr,\ndate,x,y,x,y\n,g,g,°/s,°/s\n" + ROWS_3, ["acc (x, g)", "acc (y, g)", "gyr (x, °/s)", "gyr (y, °/s)"], 60),
        (f'StartDate,ResponseId,Q1,Q2\nStart Date,Response ID,"How old\nare you, in years?",Agree?\n{IMPORTS}\n{ASKED}', ["Q1", "Q2"], 60),
        (f"StartDate,ResponseId,Q1,Q2\n{IMPORTS}\n{ASKED}", ["Q1", "Q2"], 60),
        ("Respondent ID,Start Date,How old are you?,Which do you use?,,Happy?\n,,Open-Ended Response,Python,R,Response\n" + ANSWERS, ["How old are you?", "Which do you use? (Python)", "Which do you use? (R)"], 60),
        ("# by the survey\n#\nagency_cd\tsite_no\tdatetime\ttz_cd\t00060\t00060_cd\n5s\t15s\t20d\t6s\t14n\t10s\n" + GAUGE, ["00060"], 72),
        ("date,a,b,c,d\ndatetime,double,double,float64,int\n" + ROWS_3, ["a", "b", "c", "d"], 60),
    ],
)  # fmt: skip
def test_headers_of_several_rows(text: str, columns: list[str], count: int, read: READ) -> None:
    found = read(text, kind="table")
    of_numbers = [column.name for column in found.columns if column.name not in ("agency_cd", "site_no", "tz_cd", "00060_cd", "Happy?")]  # fmt: skip
    assert (of_numbers, len(found.samples)) == (columns, count)
    assert not any("no numbers" in words or "no times" in words for words in found.warnings)


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("k,v,w\nmean,,\n" + "".join(f"c{i % 3},{i / 3},{i / 7}\n" for i in range(30)), 31),  # numbers are missing
        ("v,v,w\n1.5,2.5,3.5\n" + "".join(f"{i / 3},{i / 7},{i / 5}\n" for i in range(30)), 31),
        ("v,w,\n1.5,2.5,good\n" + "".join(f"{i / 3},{i / 7},{'bad' if i % 2 else 'good'}\n" for i in range(30)), 31),
        ("k,v,w\ns,V,A\n2024-01-01,,\n" + "".join(f"2024-01-{i + 2:02},{i / 3},{i / 7}\n" for i in range(20)), 21),
        ("k,v,w\ns,V,A\nfirst,,\n" + "".join(f"c{i % 3},{i / 3},{i / 7}\n" for i in range(20)), 21),
        ("k,v,w\nx,y,z\n0,,\n" + "".join(f"{i + 1},{i / 3},{i / 7}\n" for i in range(20)), 21),
        ("v,w\n5s,7s\n" + "".join(f"{i}s,{i * 2 % 9}s\n" for i in range(30)), 31),  # seconds and no formats
        ("v,w,note\n1.5,2.5,{\"ImportId\"}\n" + "".join(f"{i / 3},{i / 7},x\n" for i in range(30)), 31),
        ("# written by A. B., in May\n#v,w\n" + "".join(f"{i / 3},{i / 7}\n" for i in range(30)), 30),
    ],
)  # fmt: skip
def test_samples_below_names_are_no_names(text: str, count: int, read: READ) -> None:
    found = read(text)
    assert len(found.samples) == count
    bare = [
        name.removesuffix(" (2)").removesuffix(" (s)").removesuffix(" (V)").removesuffix(" (y)")
        for name in names(found)
    ]
    assert bare[:2] in (["v", "w"], ["k", "v"], ["v", "v"], ["v", "w (A)"], ["v", "w (z)"], ["k (x)", "v"])


@pytest.mark.parametrize(
    ("text", "columns"),
    [
        ("# free to use, if you say where from\n# 260: 5.18 52.1 DE BILT\n# STN = station\n# \n# STN,YYYYMMDD,   FG,   TG\n# \n" + "".join(f"  260,{datetime(2020, 1, 1) + timedelta(days=i):%Y%m%d},{i * 7 % 90:5},{i * 11 % 80:5}\n" for i in range(90)), ["STN", "FG", "TG"]),  # KNMI
        ("#YY  MM DD hh mm WDIR WSPD  GST\n#yr  mo dy hr mn degT m/s  m/s\n" + "".join(f"{datetime(2024, 1, 1) + timedelta(hours=i):%Y %m %d %H %M}  {i * 7 % 360}  {i % 9}.5   {i % 7}.5\n" for i in range(90)), ["WDIR (degT)", "WSPD (m/s)", "GST (m/s)"]),  # NDBC
        ("% depth;salt\n%\n" + "".join(f"{i / 3};{i / 7}\n" for i in range(30)), ["depth", "salt"]),
        ("// a logger\n// depth\tsalt\n// [m]\t[%]\n" + "".join(f"{i / 3}\t{i / 7}\n" for i in range(30)), ["depth (m)", "salt (%)"]),
        ("# depth salt\n# ------------\n" + "".join(f"{i / 3} {i / 7}\n" for i in range(30)), ["depth", "salt"]),
        ("# line\n" * 150 + "# depth,salt\n" + "".join(f"{i / 3},{i / 7}\n" for i in range(30)), ["depth", "salt"]),
    ],
)  # fmt: skip
def test_names_in_comments(text: str, columns: list[str], read: READ) -> None:
    found = read(text, kind="table")
    assert (names(found), len(found.samples)) == (columns, text.count("\n") - sum(line[:1] in "#%/" for line in text.splitlines()))  # fmt: skip


@pytest.mark.parametrize(
    "header", ["year,month,day,hour", "YYYY,MM,DD,hh", "jahr,monat,tag,stunde", "yr,mo,dy,hr", "No,year,month,day,hour"]
)
@pytest.mark.parametrize("digits", [1, 2])
def test_parts_of_dates_are_one_time(header: str, digits: int, read: READ) -> None:
    when = [START + timedelta(hours=i) for i in range(700) if not 300 <= i < 340]
    rows = [
        f"{t.year},{t.month:0{digits}},{t.day:0{digits}},{t.hour:0{digits}},{i % 50 / 7}" for i, t in enumerate(when)
    ]
    rows = [f"{i + 1},{row}" for i, row in enumerate(rows)] if header.startswith("No") else rows
    found = read(f"{header},v\n" + "\n".join(rows) + "\n")
    assert found.kind == "signal" and names(found) == ["v"] and "has one gap" in " ".join(found.warnings)


def test_parts_of_dates_that_are_no_series_are_features(read: READ) -> None:
    random = np.random.default_rng(0)
    rows = [f"{random.integers(2000, 2020)},{random.integers(1, 13)},{random.integers(1, 29)},{random.random():.3f}" for _ in range(60)]  # fmt: skip
    assert names(read("year,month,day,price\n" + "\n".join(rows) + "\n")) == ["year", "month", "day", "price"]


# Durations
LASTING: list[Callable[[int], str]] = [
    lambda s: f"{s // 86400} days {s // 3600 % 24:02}:{s // 60 % 60:02}:{s % 60:02}",  # pandas
    lambda s: f"{s // 86400} days {s // 3600 % 24:02}:{s // 60 % 60:02}:{s % 60:02}.000000",
    lambda s: f"{s // 86400} days, {s // 3600 % 24}:{s // 60 % 60:02}:{s % 60:02}",  # Python
    lambda s: f"P{s // 86400}DT{s // 3600 % 24}H{s // 60 % 60}M{s % 60}S",  # ISO 8601
    lambda s: f"PT{s}S",
]


@pytest.mark.parametrize("write", LASTING)
def test_durations_that_go_on_are_the_time(write: Callable[[int], str], read: READ) -> None:
    found = read(
        table({"": [write(60 * i + 600 * (i > 300)) for i in range(600)], "v": [i % 50 for i in range(600)]}, ";")
    )
    assert found.kind == "signal" and names(found) == ["v"] and "has one gap" in " ".join(found.warnings)


@pytest.mark.parametrize("write", LASTING)
def test_durations_are_seconds(write: Callable[[int], str], read: READ) -> None:
    lasted = [i * i * 7919 % 400_000 for i in range(60)]
    found = read(table({"trip": ["NaT" if i == 5 else write(s) for i, s in enumerate(lasted)], "v": range(60)}, ";"))
    assert names(found) == ["trip (s)", "v"] and values(found, "trip (s)")[:5] == lasted[:5]


def test_whole_days_are_days(read: READ) -> None:
    found = read(table({"stay": [f"{i * 7 % 11} days" for i in range(40)], "v": range(40)}))
    assert names(found) == ["stay (days)", "v"] and values(found, "stay (days)")[:3] == [0, 7, 3]


@pytest.mark.parametrize(("cell", "seconds"), [("-1 days +23:59:00", -60.0), ("-P1DT1S", -86_401.0), ("1 day", 86_400.0), ("0 days 00:00:00.25", 0.25), ("5 days 1", None), ("P", None), ("PT", None), ("12:00", None)])  # fmt: skip
def test_one_duration(cell: str, seconds: float | None) -> None:
    assert cells.duration(cell) == seconds


def test_durations_of_parquet(read: READ) -> None:
    pa = pytest.importorskip("pyarrow")
    lasted = [i * i * 7919 % 400_000 for i in range(600)]
    columns = {"at": pa.array([60_000_000 * i for i in range(600)], pa.duration("us")), "trip": pa.array([None, *lasted[1:]], pa.duration("s"))}  # fmt: skip
    found = read({"a.parquet": parquet({**columns, "v": range(600)})})
    assert found.kind == "signal" and names(found) == ["trip (s)", "v"]
    assert found.samples[1, :5, 0].tolist() == lasted[64:69]


# Ids without a name
def scattered(i: int) -> int:
    return 842_302 + i * i * 7_919_317 % 91_000_000


@pytest.mark.parametrize("kind", ["id class numbers", "id numbers class", "id whole", "semicolons", "again"])
def test_ids_in_a_table_without_names(kind: str, read: READ) -> None:
    """As in wdbc.data and breast-cancer-wisconsin.data."""
    whole = kind in ("id whole", "again")
    features = [
        [str(j * i % 10 + 1) if whole else f"{(i * (j + 2)) % 97 / 7:.3f}" for j in range(5)] for i in range(60)
    ]
    ids = [str(scattered(i - i % 20 if kind == "again" and i % 20 == 1 else i)) for i in range(60)]
    rows = [[one, "MB"[i % 3 > 0], *row] if kind in ("id class numbers", "semicolons") else [one, *row, "MB"[i % 3 > 0]] for i, (one, row) in enumerate(zip(ids, features, strict=True))]  # fmt: skip
    found = read("\n".join((";" if kind == "semicolons" else ",").join(row) for row in rows) + "\n")
    assert found.classes == ("B", "M") and len(found.columns) == 5 and "column 1" not in names(found)
    assert found.names[:2] == (("1", "2") if kind == "again" else (ids[0], ids[1]))


@pytest.mark.parametrize("column", ["round", "small", "beside large ones", "named"])
def test_large_numbers_without_a_name_may_be_features(column: str, read: READ) -> None:
    first = [scattered(i) // 1000 * 1000 if column == "round" else scattered(i) // 5000 if column == "small" else scattered(i) for i in range(60)]  # fmt: skip
    scale = 1e5 if column == "beside large ones" else 1
    rows = [[first[i], *(f"{scale * ((i * (j + 2)) % 97) / 7:.3f}" for j in range(4))] for i in range(60)]
    text = "\n".join(",".join(map(str, row)) for row in rows) + "\n"
    found = read(f"people,{','.join('abcd')}\n{text}" if column == "named" else text)
    assert found.samples.shape == (60, 5)


# Long tables
def long_table(*, by_sensor: bool = False, hole: int = -1, more: bool = False, separator: str = ",", numbered: bool = False) -> str:  # fmt: skip
    sensors = ["3", "7", "9"] if numbered else ["T1", "T2", "RH"]
    pairs = (
        [(i, s) for s in range(3) for i in range(600)] if by_sensor else [(i, s) for i in range(600) for s in range(3)]
    )
    pairs = [(i, s) for i, s in pairs if (i + s) % 60 != hole]
    columns: dict[str, list[object]] = {
        "time": [str(START + timedelta(minutes=i)) for i, _ in pairs],
        "sensor": [sensors[s] for _, s in pairs],
        "value": [1000 * s + i for i, s in pairs],
    }
    return table(columns | ({"volts": [i % 7 / 7 for i, _ in pairs]} if more else {}), separator)


@pytest.mark.parametrize("way", [{}, {"by_sensor": True}, {"hole": 30}, {"separator": ";"}, {"numbered": True}])
def test_each_sensor_of_a_long_table_becomes_a_column(way: dict[str, Any], read: READ) -> None:
    found = read(long_table(**way))
    pivot = found.decision("pivot")
    assert pivot is not None and pivot.asks and pivot.options == ("sensor", "")
    assert names(found) == (["sensor 3", "sensor 7", "sensor 9"] if way.get("numbered") else ["T1", "T2", "RH"])
    assert found.kind == "signal" and found.samples.shape[1:] == (64, 3)
    assert found.samples[0, :, 1].tolist() == list(range(1000, 1064)) and found.samples[1, 0].tolist() == [
        64,
        1064,
        2064,
    ]
    chosen = read(long_table(**way), pivot="sensor")
    assert "pivot" not in asked(chosen) and np.array_equal(chosen.samples, found.samples)
    rows = read(long_table(**way), pivot="", kind="table")
    assert len(rows.samples) >= 1700 and "value" in names(rows)


def test_a_turned_table_gives_its_times_as_they_were_written(tmp_path: Path) -> None:
    path = tmp_path / "long.csv"
    path.write_text(long_table(by_sensor=True))
    work = Work()
    table = readers.text.read(path, work)
    turned = long.pivoted(table, clocks.clock_of(table, work)[0], work)
    values, when = turned.texts([2, 0])
    assert (turned.names, values[:2]) == (["time", "T1", "T2", "RH"], ["1000.0", "1001.0"])
    assert when == [str(START + timedelta(minutes=i)) for i in range(600)] and turned.rows[:2].tolist() == [1, 2]


def test_of_several_values_of_a_long_table_each_has_columns(read: READ) -> None:
    text = long_table(more=True)
    assert "pivot" in asked(read(text)) and "value" in names(read(text))
    found = read(text, pivot="sensor")
    assert names(found)[:2] == ["value (T1)", "value (T2)"] and found.samples.shape[1:] == (64, 6)
    assert names(read(text, pivot="sensor", leave_out=["volts (T1)"]))[-1] == "volts (RH)"


@pytest.mark.parametrize(
    "text",
    [
        table(
            {"day": [f"2024-01-{1 + i * 7 % 28:02}" for i in range(60)], "colour": ["red", "blue"] * 30, "v": range(60)}
        ),
        table({"day": [f"2024-01-{1 + i // 2:02}" for i in range(60)], "class": ["a", "b"] * 30, "v": range(60)}),
        table({"v": range(60), "colour": ["red", "blue"] * 30, "w": [i % 7 / 7 for i in range(60)]}),
        table({"time": range(900), "sensor": ["S0", "S1", "S2"] * 300, "value": [i % 50 / 7 for i in range(900)]}),
    ],
)
def test_tables_that_are_not_long(text: str, read: READ) -> None:
    assert read(text).decision("pivot") is None


def test_a_pivot_that_cannot_be_is_refused(read: READ) -> None:
    with pytest.raises(Problem, match="here is no column “nothing”"):
        read(long_table(), pivot="nothing")
    with pytest.raises(Problem, match="each time must have one row for each of its values"):
        read(long_table(), pivot="value")
    with pytest.raises(Problem, match="each time must have one row for each of its values"):
        read(table({"sensor": list("ab") * 30, "v": range(60)}), pivot="sensor")


# Images of mixed sizes


@pytest.mark.parametrize(
    ("sizes", "becomes"),
    [
        ([(63, 64), (64, 64), (64, 63), (65, 66)], (64, 64)),
        ([(480, 500), (500, 480), (450, 470)], (64, 64)),
        ([(300, 400), (600, 800), (375, 500), (90, 90)], (48, 64)),
        ([(427, 640), (426, 640), (640, 427), (333, 500), (640, 480)], (43, 64)),
        ([(100, 300), (300, 100), (200, 210), (90, 120)], (64, 64)),
        ([(30, 40), (33, 20), (28, 50)], (28, 28)),
        ([(40, 20), (60, 30)], (60, 30)),
    ],
    ids=str,
)
def test_images_of_mixed_sizes_become_a_square_or_have_the_commonest_ratio(
    sizes: list[tuple[int, int]], becomes: tuple[int, int], read: READ
) -> None:
    found = read({f"{i}.png": image(grey(i, *size)) for i, size in enumerate(sizes)})
    assert found.shape[:2] == becomes
    decision = found.decision("size")
    assert decision is not None and "many sizes" in decision.words

"""The page Samples: what the checks found as a table that leads to the map."""

import csv
import io
import re
from collections.abc import Callable
from urllib.parse import parse_qs

import kinds
import numpy as np
import pytest
from conftest import needs_data
from playwright.sync_api import Page, expect
from test_browser import cells_are_drawn
from test_pages import drawn, words

from components import cached
from components import samples as drawings
from components.views import samples
from models import datasets, export, runs
from models.analysis import checks
from models.columns import inverse, unscaled


@pytest.fixture(scope="module")
def shipped() -> runs.Run:
    return runs.open_run(runs.folder_of("digits-variational"))


def test_each_look_lists_what_its_check_found(shipped: runs.Run) -> None:
    near = checks.neighbours(shipped.codes)
    doubted = checks.mislabelled(shipped.labels, near)
    app = drawn("samples", run="digits-variational", look="mislabelled", disagree="80")
    table = app.dataframe[0].value
    count = int((doubted.disagreement >= 0.8).sum())
    assert list(table["row"]) == (shipped.rows[doubted.places[: min(count, 100)]] + 1).tolist()
    assert f"**{count} samples**" in words(app) and "neighbours are" in table["in words"].iloc[0]
    assert list(table["neighbours' digit"]) == [shipped.classes[c] for c in doubted.voted[: len(table)]]

    alone = checks.outliers(shipped.errors, shipped.splits, near)
    app = drawn("samples", run="digits-variational", look="outliers", above="99.5")
    table = app.dataframe[0].value
    assert list(table["row"]) == (shipped.rows[alone.places[alone.rank >= 99.5]] + 1).tolist()
    assert set(table["why"]) <= {"large error", "far from others", "large error, far from others"}

    app = drawn("samples", run="digits-variational", look="duplicates", alike="10")
    table = app.dataframe[0].value
    pairs = checks.duplicates(shipped, near, 0.1)
    assert list(table["row"]) == (shipped.rows[pairs.first] + 1).tolist()
    assert list(table["row of the other"]) == (shipped.rows[pairs.second] + 1).tolist()


def test_every_line_has_its_picture_and_the_address_of_its_code(shipped: runs.Run) -> None:
    table = drawn("samples", run="digits-variational", look="outliers").dataframe[0].value
    place = {int(row) + 1: i for i, row in enumerate(shipped.rows)}
    for row, link, picture in zip(table["row"], table["map"], table["picture"], strict=True):
        asked = parse_qs(link.removeprefix("./?"))
        code = np.array(asked["z"][0].split(","), np.float32)
        assert asked["run"] == [shipped.id] and (code == shipped.codes[place[row]]).all()
        assert picture.startswith("data:image/png;base64,")


def test_the_choices_of_a_look_are_in_the_address_and_wrong_ones_are_told() -> None:
    app = drawn("samples", run="digits-variational", look="outliers", above="97")
    assert app.slider(key="above").value == 97
    app.slider(key="above").set_value(98.5).run()
    assert (not app.exception and app.query_params["above"] == ["98.5"]) or app.query_params["above"] == "98.5"
    for query in ({"look": "duplicates", "alike": "99"}, {"look": "outliers", "above": "-4"}, {"look": "<b>"}):
        app = drawn("samples", run="digits-variational", **query)
        assert "not available here" in words(app)


def test_a_run_without_labels_says_why_nobody_can_disagree(monkeypatch: pytest.MonkeyPatch) -> None:
    run = runs.open_run(runs.folder_of("digits-variational"))
    nothing = checks.mislabelled(np.full(run.count, -1, np.int32), checks.neighbours(run.codes))
    monkeypatch.setattr(samples, "disagreeing", lambda _run: nothing)
    assert "have no labels" in words(drawn("samples", run="digits-variational", look="mislabelled"))


def test_no_duplicates_are_told_in_words() -> None:
    app = drawn("samples", run="digits-variational", look="duplicates", alike="0")
    assert "No duplicates" in words(app) and not app.dataframe


@needs_data("mnist")
def test_without_the_originals_the_checks_work_on_codes(monkeypatch: pytest.MonkeyPatch, tmp_path: object) -> None:
    monkeypatch.setenv("HOURGLASS_DATA", str(tmp_path) + "/nothing")
    monkeypatch.setenv("HOURGLASS_HOME", str(tmp_path) + "/home")
    cached.forget_originals()
    app = drawn("samples", run="mnist-modern-30", look="mislabelled")
    assert "do not ship" in words(app) and "picture" not in app.dataframe[0].value
    app = drawn("samples", run="mnist-modern-30", look="duplicates")
    assert "only pairs of equal codes" in words(app)


def test_a_line_leads_to_its_sample_on_the_map(app: str, page: Page, shipped: runs.Run) -> None:
    """In a browser: the link of the first line opens Explore where that sample is the nearest, at distance nought."""
    first = drawn("samples", run="digits-variational", look="outliers").dataframe[0].value.iloc[0]
    page.goto(f"{app}/samples?run=digits-variational&look=outliers")
    table = page.get_by_test_id("stDataFrame")
    expect(table).to_be_visible()
    cells_are_drawn(page)
    link = {"x": 115, "y": 36 + 28}
    table.hover(position=link)  # the table looks for what lies under the pointer when it moves
    page.wait_for_timeout(500)
    with page.context.expect_page() as opened:
        table.click(position=link)
    shown = opened.value
    explorer = shown.get_by_test_id("latent-explorer")
    expect(explorer).to_have_attribute("data-ready", "true")
    place = int(np.flatnonzero(shipped.rows == first["row"] - 1)[0])
    code = np.array((explorer.get_attribute("data-code") or "").split(","), np.float32)
    np.testing.assert_allclose(code, shipped.codes[place], rtol=1e-5)
    expect(shown.get_by_test_id("distance")).to_have_text("On a single real sample, far from others")
    expect(shown.get_by_test_id("distance")).to_have_attribute(
        "data-tip", re.compile(r"^This is the place of one real sample, and the next one is 0\.34 away")
    )
    expect(shown.get_by_test_id("neighbours").get_by_role("button").first).to_contain_text(first["digit"])


def test_untrusted_names_stand_in_cells_as_they_are(shipped: runs.Run, monkeypatch: pytest.MonkeyPatch) -> None:
    from models import datasets

    names = tuple(f"=cmd|'{i}'!A0 <b>**x**</b>" for i in range(1797))
    monkeypatch.setattr(datasets, "names", lambda _dataset: names)
    app = drawn("samples", run="digits-variational", look="outliers")
    table = app.dataframe[0].value
    assert table["name"].iloc[0] == names[table["row"].iloc[0] - 1]
    assert "<b>" not in words(app)


def test_explore_offers_the_codes_as_csv_and_parquet() -> None:
    labels = [button.label for button in drawn("explore", run="digits-variational").get("download_button")]
    assert {"Codes with labels (CSV)", "Codes with labels (Parquet)"} <= set(labels)


def test_signals_are_lines_in_the_table(wave_run: runs.Run) -> None:
    table = drawn("samples", run=wave_run.id, look="outliers", above="95").dataframe[0].value
    place = {int(row) + 1: i for i, row in enumerate(wave_run.rows)}
    stored = np.asarray(datasets.arrays(kinds.WAVE).samples)
    real = unscaled(kinds.SPEED, stored[wave_run.rows[[place[row] for row in table["row"]]]])
    for c, channel in enumerate(("speed [m/s]", "pressure [hPa]")):
        np.testing.assert_allclose(np.stack(list(table[channel])), real[..., c], rtol=1e-5)


def test_rows_stand_in_the_table_in_their_own_units(fruit_run: runs.Run) -> None:
    table = drawn("samples", run=fruit_run.id, look="outliers", above="95").dataframe[0].value
    stored = np.asarray(datasets.arrays(kinds.TABLE).samples)[table["row"] - 1]
    real = inverse(kinds.FRUIT, unscaled(kinds.FRUIT, stored))
    for column in ("weight [g]", "price [ct]"):
        np.testing.assert_allclose(table[column], real[column], rtol=1e-5)
    assert list(table["colour"]) == real["colour"]


def test_the_file_of_a_table_holds_its_rows_as_the_page_shows_them(
    fruit_run: runs.Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: dict[str, Callable[[], str]] = {}
    real = samples.st.download_button
    monkeypatch.setattr(
        samples.st,
        "download_button",
        lambda label, data, *rest, **more: made.update({label: data}) or real(label, "", *rest, **more),
    )
    for look, choice in (("outliers", {"above": "95"}), ("duplicates", {"alike": "10"})):
        app = drawn("samples", run=fruit_run.id, look=look, **choice)
        assert not app.exception, app.exception
        table = app.dataframe[0].value
        lines = list(csv.DictReader(io.StringIO(made.popitem()[1]())))
        assert set(table.columns) - {"map"} <= {name.removeprefix("'") for name in lines[0]}
        for ending in ("", " of the other")[: 1 + (look == "duplicates")]:
            for line, shown in zip(lines, table.to_dict("records"), strict=False):
                assert float(line[f"weight [g]{ending}"]) == pytest.approx(shown[f"weight [g]{ending}"], rel=1e-4)
                assert line[f"<b>=origin</b>{ending}"].removeprefix("'") == shown[f"<b>=origin</b>{ending}"]
        origins = {line["<b>=origin</b>"] for line in lines}
        assert origins <= {"north", "'=south"}  # as a spreadsheet runs no formula


def test_names_that_only_count_the_rows_are_not_shown_beside_them(
    fruit_run: runs.Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    for names, column in (
        ([str(i + 1) for i in range(kinds.ROWS)], None),
        ([str(i + 1 + (i > 8)) for i in range(kinds.ROWS)], "row in the file"),
        ([f"{i}.png" for i in range(kinds.ROWS)], "name"),
    ):
        monkeypatch.setattr(datasets, "names", lambda _dataset, names=names: tuple(names))
        table = drawn("samples", run=fruit_run.id, look="outliers", above="95").dataframe[0].value
        header = export.part(fruit_run, "codes", named=True).decode().splitlines()[0].split(",")
        for one in ("name", "row in the file"):
            assert (one in table) == (one in header) == (one == column)
        if column is not None:
            assert list(table[column]) == [names[row - 1] for row in table["row"]]


def test_a_channel_may_be_called_as_a_column_of_ours(wave_run: runs.Run) -> None:
    taken = ["row", "speed [m/s]"]
    cells = drawings.of(wave_run).cells(wave_run, {"": np.zeros((3, 48, 2), np.float32)}, taken)
    assert list(cells.before) == list(cells.looks) == ["speed [m/s] (data)", "pressure [hPa]"]

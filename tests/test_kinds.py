"""Signals and tables on their way through everything that was first made for images."""

import asyncio
import csv
import gzip
import io
import json
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import kinds
import numpy as np
import pytest
from conftest import ROOT
from numpy.typing import NDArray
from starlette.requests import Request
from starlette.responses import Response
from streamlit.testing.v1 import AppTest
from test_pages import drawn, words

from components import cached, figures, samples, served
from components.samples import table
from components.views import explore, reconstructions, train
from models import architectures, datasets, engine, export, runs
from models.analysis import metrics, reconstruct
from models.columns import Column, inverse, unscaled
from models.kinds import KINDS, Kind
from models.runs import thumbnails


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
def test_a_kind_names_what_a_training_knows_and_has_all_its_words(kind: Kind) -> None:
    assert KINDS[kind.name] is kind and kind.name in samples.DRAWN
    assert kind.noises[0] == "none" and set(kind.noises) <= set(runs.NOISES)
    assert kind.losses and set(kind.losses) <= set(runs.LOSSES)
    assert all((kind.one, kind.many, kind.described, kind.dimensions)) and kind.shaped.count("{}") == 1
    assert bool(kind.column) == bool(kind.unknown_column) == (not kind.pixels)


def test_only_images_take_a_watermark_and_the_bernoulli_loss() -> None:
    for noise in ("watermark", "watermarks", "strokes"):
        assert [name for name in KINDS if noise in runs.noises(name)] == ["image"]
    assert all("mixed" in runs.noises(name) for name in KINDS)
    assert [name for name in KINDS if "bernoulli" in runs.losses(name)] == ["image"]


def test_a_cell_is_coloured_where_it_is_wrong_and_not_where_the_original_is_missing() -> None:
    missing = np.zeros(8, np.float32)
    other = np.array([1, 0.1, 0.2, 0.9, 0, 0.2, 0.8, 0], np.float32)
    weight, colour, _, origin, _ = table._away(kinds.FRUIT, missing, other)
    assert weight == pytest.approx(0.4) and colour == origin == 0
    green = np.array([1, 1, 0, 0, 0, 0, 1, 0], np.float32)
    assert [table._away(kinds.FRUIT, green, other)[i] for i in (0, 1, 3)] == [0, 0.8, 0]


def test_a_dataset_of_the_tests_stays_until_the_last_that_needs_it_has_ended() -> None:
    with kinds.present(kinds.TABLE):
        with kinds.present(kinds.TABLE):
            pass
        assert datasets.get("fruit") is kinds.TABLE


# What is served to the explorer


def asked(run: runs.Run, name: str) -> Response:
    """The answer to a request for a file of a run."""
    scope = {"type": "http", "method": "GET", "headers": [], "path": "", "query_string": b""}
    scope["path_params"] = {"id": run.id, "digest": run.digest, "name": name}
    with ThreadPoolExecutor(1) as thread:  # a loop of its own: where a browser test ran before, one still runs here
        return thread.submit(asyncio.run, served.run_file(Request(scope))).result()


def block(content: bytes, run: runs.Run) -> NDArray[np.float32]:
    return np.frombuffer(gzip.decompress(content), "<f4").reshape(-1, *run.shape)


@pytest.mark.parametrize("name", ["wave_run", "fruit_run"])
def test_the_originals_of_the_codes_are_served_as_numbers(name: str, request: pytest.FixtureRequest) -> None:
    run = request.getfixturevalue(name)
    answer = asked(run, "samples.f32.gz")
    assert answer.status_code == 200 and "immutable" in answer.headers["cache-control"]
    came = block(bytes(answer.body), run)
    dataset = datasets.get(run.configuration.dataset)
    np.testing.assert_array_equal(came, datasets.arrays(dataset).samples[run.rows])
    mine = np.abs(run.coder.encode(came) - run.codes).max()
    assert mine < 1e-4, "sample m belongs to code m"
    real = unscaled(run.columns, came)
    assert real[..., 0].min() > 5 and real[..., 0].max() < 300, "metres per second, grams"


def test_no_more_is_served_than_fits(wave_run: runs.Run) -> None:
    each = 4 * kinds.STEPS * 2
    some = block(thumbnails.values(wave_run, 10 * each + 7), wave_run)
    assert len(some) == 10
    np.testing.assert_array_equal(some, block(thumbnails.values(wave_run), wave_run)[:10])
    with pytest.raises(LookupError):
        thumbnails.values(wave_run, each - 1)


def test_numbers_are_not_served_where_there_are_none(wave_run: runs.Run, digits_run: runs.Run) -> None:
    assert asked(digits_run, "samples.f32.gz").status_code == 404, "images have thumbnails"
    assert asked(wave_run, "thumbnails.u8.gz").status_code == 404
    known = datasets.available()
    held = known.pop("tides")
    try:
        gone = asked(wave_run, "samples.f32.gz")
    finally:
        known["tides"] = held
    assert gone.status_code == 404 and gone.headers["cache-control"] == "no-store", "asked for again when it is back"


# What a run says of itself


def test_errors_have_the_unit_of_their_kind(wave_run: runs.Run, digits_run: runs.Run) -> None:
    units = {name: next(m.unit for m in wave_run.card.metrics if m.name == name) for name in ("mse", "pca_mse")}
    assert set(units.values()) == {"per value (standardised)"} == {metrics.unit("signal"), metrics.unit("table")}
    assert {m.unit for m in digits_run.card.metrics if m.name == "mse"} == {metrics.unit("image")}
    assert not any("pixel" in m.unit or "intensity" in m.unit for m in wave_run.card.metrics)
    assert "always saying a column's mean" in metrics.meaning("table") and "pixel" in metrics.meaning("image")


def test_always_saying_the_mean_costs_one(wave_run: runs.Run) -> None:
    """What the pages say of the unit is true."""
    known = datasets.arrays(kinds.WAVE).samples
    errors = metrics.by_column(wave_run.columns, known, np.zeros_like(known))
    np.testing.assert_allclose(errors, 1, atol=0.2)


def test_the_error_of_a_column_is_the_mean_over_its_features() -> None:
    clean = np.zeros((4, 8), np.float32)
    out = clean.copy()
    out[:, 0], out[:, 2] = 2, 3  # the weight, and one of the three features of the colour
    np.testing.assert_allclose(metrics.by_column(kinds.FRUIT, clean, out), [4, 3, 0, 0, 0])
    signal = np.zeros((2, 5, 2), np.float32)
    away = signal.copy()
    away[..., 1] = 2
    np.testing.assert_allclose(metrics.by_column(kinds.SPEED, signal, away), [0, 4])


def test_a_run_without_columns_has_numbered_ones(wave_run: runs.Run, copied: Callable[[runs.Run], Path]) -> None:
    folder = copied(wave_run)
    about = json.loads((folder / "run.json").read_text())
    del about["files"]["columns.json"]
    (folder / "run.json").write_text(json.dumps(about))
    columns = runs.open_run(folder).columns
    assert [(c.name, c.start, c.mean, c.deviation) for c in columns] == [("channel 1", 0, 0, 1), ("channel 2", 1, 0, 1)]


def test_a_loss_that_does_not_fit_is_no_default(wave_run: runs.Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(architectures.get("variational").defaults, "loss", "bernoulli")  # type: ignore[arg-type]
    chosen = runs.configure({"dataset": "tides", "architecture": "variational"})
    assert chosen.loss == "squared-error"
    assert runs.configure({"dataset": "digits", "architecture": "variational"}).loss == "bernoulli"


def test_the_list_says_what_an_architecture_takes() -> None:
    assert architectures.get("modern").takes == "takes images, signals and tables"
    assert architectures.get("lstm").takes == "takes images and signals"
    assert architectures.get("convolutional").takes == "takes images"
    told = subprocess.run(
        [sys.executable, "-m", "models", "list"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout
    line = next(line for line in told.splitlines() if line.split()[:1] == ["lstm"])
    assert "takes images and signals" in line


# Reconstructions


def plots(app: AppTest) -> list[Any]:
    """The figures of a page, as Plotly's JSON."""
    return [json.loads(element.proto.spec) for element in app.get("plotly_chart")]


def test_reconstructions_of_signals_lie_over_their_originals(wave_run: runs.Run) -> None:
    app = drawn("reconstructions", run=wave_run.id, which="best")
    assert "per value (standardised)" in words(app) and "pixel" not in words(app)
    assert {one.label for one in app.metric} >= {"Test error", "Squared error per signal"}
    lines, classes, channels = plots(app)
    names = [trace["name"] for trace in lines["data"]]
    assert {name: names.count(name) for name in names} == dict.fromkeys(("original", "reconstruction", "PCA"), 10 * 2)
    rows, errors, _ = reconstructions.test_errors(wave_run)
    best = rows[np.argsort(errors)[0]]
    real = unscaled(wave_run.columns, np.asarray(datasets.arrays(kinds.WAVE).samples[best]))
    drawn_first = next(trace for trace in lines["data"] if trace["name"] == "original")
    np.testing.assert_allclose(numbers(drawn_first["y"]), real[:, 0], rtol=1e-5)
    assert numbers(drawn_first["y"]).min() > 10, "in metres per second"
    assert classes["layout"]["yaxis"]["title"]["text"] == "squared error per value (standardised)"
    assert sorted(channels["layout"]["yaxis"]["ticktext"]) == ["pressure [hPa]", "speed [m/s]"]


def numbers(stored: Any) -> NDArray[np.floating[Any]]:
    """A list of numbers as Plotly keeps it: plain, or packed."""
    if isinstance(stored, dict):
        import base64

        return np.frombuffer(base64.b64decode(stored["bdata"]), np.dtype(stored["dtype"]))
    return np.asarray(stored, float)


def test_reconstructions_of_rows_are_read_in_the_tables_own_units(fruit_run: runs.Run) -> None:
    app = drawn("reconstructions", run=fruit_run.id, which="worst")
    shown = app.dataframe[0].value
    assert list(shown.columns) == ["column", "original", "reconstruction", "PCA"]
    assert list(shown["column"]) == [column.name for column in fruit_run.columns]
    rows, errors, _ = reconstructions.test_errors(fruit_run)
    passed = reconstruct.rows(fruit_run, rows[np.argsort(-errors)[:1]])
    real = inverse(fruit_run.columns, unscaled(fruit_run.columns, passed.run))
    assert shown["reconstruction"][0] == f"{real['weight [g]'][0]:,.0f}"
    assert shown["reconstruction"][1] == real["colour"][0] in ("green", "yellow", "red")
    assert "Error by column" in words(app) and "Error by kind" in words(app)
    app.selectbox(key=f"row of {fruit_run.id}").set_value(3).run()
    assert not app.exception and not app.dataframe[0].value.equals(shown), "another row"


def test_cells_are_coloured_by_how_far_they_are() -> None:
    one, other = np.zeros(8, np.float32), np.zeros(8, np.float32)
    one[1], other[2] = 1, 1  # green, and yellow
    other[0], other[4] = 1, 9
    assert table._away(kinds.FRUIT, one, other) == pytest.approx([0.4, 0.8, 0.8, 0, 0])


def test_a_column_may_be_called_as_ours_are() -> None:
    joined = samples.joined({"row": [1], "error": [0.5]}, {"error": ["mine"], "z1": [3]})
    assert joined == {"row": [1], "error": [0.5], "error (data)": ["mine"], "z1": [3]}


def test_names_from_a_file_are_words_in_a_figure() -> None:
    figure = figures.column_errors(kinds.FRUIT, np.arange(5.0), np.arange(5.0))
    assert "&lt;b>=origin&lt;/b>" in figure.layout.yaxis.ticktext
    lines = figures.signals(
        {"original": np.zeros((1, 4, 1))}, [Column("<a href=x>v</a>", "number", 0, 1)], ["<i>c</i>"]
    ).to_json()
    assert "<a" not in lines and "<i" not in lines


# Train


def test_train_offers_what_fits(fruit_run: runs.Run, wave_run: runs.Run) -> None:
    app = drawn("train", dataset="fruit", architecture="variational")
    assert not app.error and "Takes images, signals and tables." in app.selectbox(key="architecture").help
    loss = app.selectbox(key="loss")
    assert loss.options == ["squared-error", "calibrated"] and loss.value == "calibrated"
    assert not any("watermark" in option for option in app.selectbox(key="noise").options)
    assert any("to their mean" in option for option in app.selectbox(key="noise").options)
    assert not any(one.key == "shift" for one in app.number_input)
    assert "Convolutional" not in app.selectbox(key="architecture").options
    assert app.selectbox(key="preset").options == [train.OWN, "Single-layer (article)", "Multi-layer (article)"]
    assert {one.label: one.value for one in app.metric}["Numbers per sample"] == "8 → 2"
    # From images to a table what does not fit is left behind.
    app = drawn(
        "train", dataset="digits", architecture="variational", noise="watermark", noise_level="0.3", loss="bernoulli"
    )
    assert app.selectbox(key="loss").value == "bernoulli" and app.selectbox(key="noise").value == "watermark"
    app.selectbox(key="dataset").set_value("tides").run()
    assert not app.exception and not app.error
    assert app.selectbox(key="noise").value == "none" and app.selectbox(key="loss").value != "bernoulli"
    app = drawn("train", dataset="digits")
    app.selectbox(key="preset").set_value("Convolutional (article)").run()
    app.selectbox(key="dataset").set_value("tides").run()
    assert not app.exception and not app.error
    kept = {name: app.selectbox(key=name).value for name in ("preset", "architecture", "recipe")}
    assert kept == {"preset": train.OWN, "architecture": "modern", "recipe": "hourglass"}
    assert (
        app.number_input(key="learning_rate").value
        == train.start_values(datasets.get("tides"), "modern", 2)["learning_rate"]
    )


@pytest.mark.parametrize("noise", ["none", "gaussian"])
def test_while_it_trains_a_signal_is_seen_beside_what_becomes_of_it(
    noise: str, wave_run: runs.Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    chosen = runs.configure({"dataset": "tides", "architecture": "modern", "noise": noise, "noise_level": 0.2})
    known = np.asarray(datasets.arrays(kinds.WAVE).samples[:8])
    strip = np.stack([known, known + 9, known * 0] if noise != "none" else [known, known * 0])
    monkeypatch.setattr(engine, "strip", lambda _: strip)
    monkeypatch.setattr(engine, "configuration", lambda _: chosen)
    (drawn_now,) = cached._strips("0" * 16).values()
    by_name = {trace.name: trace for trace in drawn_now.data}
    assert set(by_name) == {"original", "reconstruction"} | ({"noisy input"} if noise != "none" else set())
    assert len(drawn_now.data) == 3 * 2 * len(strip)
    np.testing.assert_allclose(drawn_now.data[0].y, unscaled(kinds.SPEED, known)[0, :, 0])
    np.testing.assert_allclose(by_name["reconstruction"].y, 1013, rtol=1e-5)


def test_while_it_trains_rows_are_seen_against_what_becomes_of_them(
    fruit_run: runs.Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = np.asarray(datasets.arrays(kinds.TABLE).samples[:8])
    monkeypatch.setattr(engine, "strip", lambda _: np.stack([known, known + 1]))
    monkeypatch.setattr(engine, "configuration", lambda _: fruit_run.configuration)
    (drawn_now,) = cached._strips("0" * 16).values()
    np.testing.assert_allclose(drawn_now.data[1].y - drawn_now.data[1].x, 1, atol=1e-5)
    script = (
        "import numpy as np\n"
        "from components import cached, figures\n"
        "from components import watched\n"
        "from models.runs import Configuration\n"
        "line = {'epoch': 1, 'loss': {'reconstruction': 1.0}, 'validation': 1.0}\n"
        "drawn = figures.losses([line], Configuration('digits', 'modern'))\n"
        "rows = figures.parity(np.zeros((2, 3)), np.zeros((2, 3)))\n"
        "watched.pictures_of('x', 'y', 1, True, cached.Live(line, 1.0, 1.0, drawn, None, {'rows': rows}))\n"
    )
    app = AppTest.from_string(script, default_timeout=300).run()
    assert not app.exception and "rows" in words(app) and len(plots(app)) == 2


# Explore


@pytest.mark.parametrize("name", ["wave_run", "fruit_run"])
def test_explore_speaks_of_values(name: str, request: pytest.FixtureRequest) -> None:
    run = request.getfixturevalue(name)
    app = drawn("explore", run=run.id)
    errors = next(one.help for one in app.caption if "it never saw" in one.value)
    assert "per value (standardised)" in errors and "pixel" not in errors + words(app)
    labels = [one.label for one in app.get("download_button")]
    one = "signal" if name == "wave_run" else "row"
    assert {f"The {one} (CSV)", f"The decoded {one} (CSV)"} <= set(labels)  # it opens at a sample's own code
    assert ("Codes with labels (CSV)" if one == "signal" else "Codes with labels and columns (CSV)") in labels
    assert not any("PNG" in label for label in labels)


def selected(run: runs.Run) -> AppTest:
    """What the page says of a lasso around everything."""
    script = (
        "from components.explorer import Selection\n"
        "from components.views import explore\n"
        "from models import runs\n"
        f"run = runs.open_run(runs.folder_of('{run.id}'))\n"
        "explore.selected(run, Selection('z1,z2', [(-99, -99), (99, -99), (99, 99), (-99, 99)], run.count))\n"
        "explore.sample(run, 7)\n"
    )
    app = AppTest.from_string(script, default_timeout=300).run()
    assert not app.exception, [error.value for error in app.exception]
    return app


def test_selected_signals_are_drawn_with_their_reconstructions(wave_run: runs.Run) -> None:
    app = selected(wave_run)
    assert "400 samples inside the lasso" in words(app)
    many, one = plots(app)
    assert [trace["name"] for trace in many["data"]].count("reconstruction") == 5 * 2
    assert [trace["name"] for trace in one["data"]] == ["original", "reconstruction"] * 2
    real = unscaled(wave_run.columns, wave_run.coder.decode(wave_run.codes[7:8]))[0]
    np.testing.assert_allclose(numbers(one["data"][3]["y"]), real[:, 1], rtol=1e-5)


def test_selected_rows_are_tables_in_their_own_units(fruit_run: runs.Run) -> None:
    app = selected(fruit_run)
    few, one = app.dataframe[2].value, app.dataframe[3].value
    assert list(few["version"]) == ["original", "reconstruction"] * 5
    original = inverse(kinds.FRUIT, unscaled(kinds.FRUIT, np.asarray(datasets.arrays(kinds.TABLE).samples)))
    place = int(fruit_run.rows[0])
    assert few["weight [g]"].iloc[0] == pytest.approx(original["weight [g]"][place], abs=0.5)
    assert few["colour"].iloc[0] == original["colour"][place]
    assert list(one["column"]) == [column.name for column in kinds.FRUIT]


def test_csv_files_hold_the_persons_units_and_run_nothing(fruit_run: runs.Run, wave_run: runs.Run) -> None:
    rows = list(
        csv.reader(io.StringIO(export.codes_csv(explore.table_with_values(fruit_run, np.arange(20), named=True))))
    )
    assert rows[0][-5:] == ["weight [g]", "colour", "sugar [%]", "<b>=origin</b>", "price [ct]"]
    assert {row[-2] for row in rows[1:]} == {"north", "'=south"}, "no cell begins as a formula"
    real = unscaled(kinds.FRUIT, np.asarray(datasets.arrays(kinds.TABLE).samples[fruit_run.rows[:20]]))
    np.testing.assert_allclose([float(row[-5]) for row in rows[1:]], real[:, 0], rtol=1e-4)

    code = wave_run.codes[3]
    head, *steps = csv.reader(
        io.StringIO(str(samples.of(wave_run).content(wave_run, wave_run.coder.decode(code[None])[0])))
    )
    assert head == ["step", "speed [m/s]", "pressure [hPa]"] and len(steps) == kinds.STEPS
    mine = unscaled(kinds.SPEED, wave_run.coder.decode(code[None]))[0]
    np.testing.assert_allclose(np.array(steps, float)[:, 1:], mine, rtol=1e-4)
    one = samples.of(fruit_run).content(fruit_run, fruit_run.coder.decode(fruit_run.codes[:1])[0])
    (head, row) = csv.reader(io.StringIO(str(one)))
    assert set(head) == {column.name for column in kinds.FRUIT} and len(row) == len(head)

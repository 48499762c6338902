"""A sweep: the trainings that follow from values as somebody writes them, and the page Train with one."""

import dataclasses
import re
from collections.abc import Callable
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from conftest import trained
from playwright.sync_api import Page, expect
from streamlit.testing.v1 import AppTest
from test_pages import drawn, words

from components import figures, sweeping, visitor
from models import engine, runs, sweep

FORM = {"dataset": "digits", "architecture": "single-layer", "epochs": 2}


def test_values_are_taken_apart_and_none_is_there_twice() -> None:
    assert sweep.split(" 1, 2;4 8,\n2,, ") == ["1", "2", "4", "8"]


def test_each_value_and_seed_is_the_training_that_one_choice_alone_would_be() -> None:
    found = sweep.plan({**FORM, "seed": 5}, "code_size", ["4", "2"], seeds=3)
    assert [point.value for point in found.points] == [2, 4] and not found.refused
    assert [one.seed for one in found.points[0].configurations] == [5, 6, 7]
    assert found.points[1].configurations[0] == runs.configure({**FORM, "code_size": 4, "seed": 5})
    assert len(found.configurations) == 6 == len({one.id for one in found.configurations})
    assert sweep.plan({**FORM, "seed": 5}, "code_size", ["2", "4"], seeds=3) == found


@pytest.mark.parametrize(
    ("varied", "text", "said"),
    [
        ("code_size", "0", "code size must be 1 to 64"),
        ("code_size", "65", "code size must be 1 to 64"),
        ("code_size", "two", "It is no number"),
        ("code_size", "2.5", "not of its type"),
        ("learning_rate", "nan", "learning rate must be"),
        ("epochs", "1e9", "epochs must be 1 to 10000"),
        ("architecture", "=cmd", "=cmd"),
        ("dataset", "own-nobody", "own-nobody"),
    ],
)
def test_a_value_is_refused_as_it_would_be_alone(varied: str, text: str, said: str) -> None:
    values = {**FORM, "code_size": 2}
    good = str(values[varied]) if varied in values else "0.01"
    found = sweep.plan(values, varied, [good, text])
    assert len(found.points) == 1 and len(found.refused) == 1
    assert found.refused[0].startswith(f"{text} is left out: ") and said.lower() in found.refused[0].lower()


def test_too_many_values_are_cut_and_equal_ones_are_one() -> None:
    found = sweep.plan(FORM, "code_size", [str(i) for i in range(1, 40)])
    assert len(found.points) == sweep.MOST and "39 values are too many" in found.refused[0]
    assert len(sweep.plan(FORM, "code_size", ["2", "2.0", "02"]).points) == 1


def test_architectures_keep_the_order_in_which_they_were_named() -> None:
    found = sweep.plan(FORM, "architecture", ["variational", "multi-layer"])
    assert [point.value for point in found.points] == ["variational", "multi-layer"]


def test_an_elbow_shows_means_bands_and_pca() -> None:
    drawn = figures.elbow([[0.3], [0.1, 0.2], []], [0.4, 0.3, None], ["1", "8", "16"], [1, 8, 16], "D", "test error")
    low, high, ours, pca = drawn.data
    assert list(ours.x) == [1, 8] and list(ours.y) == [0.3, pytest.approx(0.15)]
    assert list(low.y) == [0.3, 0.1] and list(high.y) == [0.3, 0.2] and list(pca.y) == [0.4, 0.3]
    assert drawn.layout.xaxis.type == "log"
    (ours,) = figures.elbow([[0.3], [0.1]], [None, None], ["a", "b"], None, "Architecture", "test error").data
    assert ours.mode == "markers"


@pytest.fixture
def mine(home: object, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(visitor, "owner", lambda: "visitor:mine")
    monkeypatch.setattr(engine, "wake", lambda: None)


SWEEP = {"dataset": "digits", "architecture": "single-layer", "epochs": "2", "vary": "code_size"}


@pytest.mark.usefixtures("mine")
def test_one_button_asks_for_all_and_the_address_is_the_sweep() -> None:
    app = drawn("train", **SWEEP, tried="1,2,500")
    assert any("500 is left out: Code size must be 1 to 64" in one.value for one in app.warning)
    assert "2 trainings in all." in words(app)
    assert [app.query_params[name] for name in ("vary", "tried")] == ["code_size", "1,2,500"]
    assert "seeds" not in app.query_params and not any(one.label == "Train" for one in app.button)
    next(one for one in app.button if one.label == "Train 2 runs").click().run()
    assert not app.exception
    asked = {entry.configuration.code_size: entry for entry in engine.runs("visitor:mine")}
    assert set(asked) == {1, 2} and all(entry.state == "queued" for entry in asked.values())
    assert asked[1].configuration.epochs == 2
    again = drawn("train", **{name: app.query_params[name] for name in app.query_params})
    assert "All 2 trainings are done or on the way." in words(again)
    assert not any(one.label.startswith("Train") for one in again.button)
    assert len(again.dataframe) == 1 and list(again.dataframe[0].value["state"]) == ["waiting", "waiting"]
    next(one for one in again.button if one.label.startswith("Cancel")).click().run()
    assert all(entry.state == "cancelled" for entry in engine.runs("visitor:mine"))


@pytest.mark.usefixtures("mine")
def test_no_more_are_asked_for_than_one_person_may(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOURGLASS_WAITING", "3")
    app = drawn("train", **SWEEP, tried="1,2,3,4,5")
    assert "Only 3 more may wait at once: come back for the other 2." in words(app)
    next(one for one in app.button if one.label == "Train 3 runs").click().run()
    assert not app.exception and len(engine.runs("visitor:mine")) == 3
    (button,) = [one for one in app.button if one.label.startswith("Train")]
    assert button.disabled and "As many of your runs wait as may" in words(app)


@pytest.mark.usefixtures("mine")
def test_a_training_that_is_too_much_is_told_and_the_others_are_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOURGLASS_PARAMETERS", "500")
    app = drawn("train", **SWEEP, tried="64,1,2")
    next(one for one in app.button if one.label == "Train 3 runs").click().run()
    (told,) = app.error
    assert told.value.startswith("Code size D 64: 8,320 parameters are too many")
    assert {entry.configuration.code_size for entry in engine.runs("visitor:mine")} == {1, 2}


@pytest.mark.usefixtures("mine")
def test_a_run_that_cannot_be_opened_does_not_draw_the_page_for_ever() -> None:
    made = trained(code_size=3)
    (made.folder / "run.json").write_text("{}")
    app = drawn("train", **SWEEP, tried="3,4")
    assert not app.exception and len(app.dataframe) <= 1


@pytest.mark.usefixtures("mine")
def test_what_came_of_it_stands_beside_pca_with_ten_samples() -> None:
    made = [trained(code_size=size, seed=seed) for size in (1, 2) for seed in (0, 1)]
    app = drawn("train", **SWEEP, tried="1,2", seeds="2")
    assert [run.id for run in made] == [one.id for one in sweep.plan(FORM, "code_size", ["1", "2"], 2).configurations]
    assert "All 4 trainings are done or on the way." in words(app)
    table = app.dataframe[0].value
    assert list(table["state"]) == ["done"] * 4 and list(table["seed"]) == [0, 1, 0, 1]
    assert list(table["test error"]) == [run.metric("mse") for run in made]
    grid = next(one.value for one in app.markdown if "hg-strips" in str(one.value))
    assert grid.count("<figure>") == 3 and "original" in grid and "D = 2" in grid
    assert len(sweeping.some(made[0])) == 10
    labels = made[0].labels[[list(made[0].rows).index(row) for row in sweeping.some(made[0])]]
    assert sorted(labels) == list(range(10))
    assert "The band spans 2 seeds" in words(app)


@pytest.mark.usefixtures("mine")
def test_what_is_as_suggested_follows_each_value_and_what_was_changed_stays() -> None:
    app = drawn(
        "train", dataset="digits", architecture="single-layer", vary="architecture", among="single-layer,modern"
    )
    next(one for one in app.button if one.label == "Train 2 runs").click().run()
    asked = {entry.configuration.architecture: entry.configuration for entry in engine.runs("visitor:mine")}
    alone = {name: runs.configure({"dataset": "digits", "architecture": name}) for name in asked}
    assert set(asked) == {"single-layer", "modern"} and asked == alone
    app = drawn("train", **SWEEP | {"vary": "architecture"}, among="single-layer,modern", learning_rate="0.01")
    next(one for one in app.button if one.label == "Train 2 runs").click().run()
    newest = engine.runs("visitor:mine")[:2]
    assert {(entry.configuration.epochs, entry.configuration.learning_rate) for entry in newest} == {(2, 0.01)}


@pytest.mark.usefixtures("mine")
def test_another_choice_brings_values_of_its_own() -> None:
    app = drawn("train", **SWEEP)
    assert app.text_input(key="tried").value == "1, 2, 4, 8, 16, 32, 64"
    app.selectbox(key="vary").set_value("learning_rate").run()
    rate = app.number_input(key="learning_rate").value
    assert not app.exception and f"{rate / 2:g}, {rate:g}, {2 * rate:g}" in app.text_input(key="tried").value
    app.selectbox(key="vary").set_value("architecture").run()
    assert app.multiselect(key="among").value[0] == "single-layer" and not app.exception
    app.selectbox(key="vary").set_value(sweeping.NOTHING).run()
    assert any(one.label == "Train" for one in app.button) and "vary" not in app.query_params


@pytest.mark.usefixtures("mine")
def test_a_sweep_needs_an_end() -> None:
    app = drawn("train", **SWEEP, budget="stop")
    assert "nobody stops a sweep's trainings" in words(app) and not any("runs" in one.label for one in app.button)


@pytest.mark.usefixtures("mine")
def test_signals_and_rows_have_their_samples_side_by_side_too(wave_run: runs.Run, fruit_run: runs.Run) -> None:
    for run in (wave_run, fruit_run):
        rows = sweeping.some(run)
        script = (
            "from components import sweeping\nfrom models import runs\nfrom pathlib import Path\n"
            f"run = runs.open_run(Path({str(run.folder)!r}))\n"
            "sweeping.grid([('D = 2', run), ('D = 3', run)])"
        )
        app = AppTest.from_string(script, default_timeout=300).run()
        assert not app.exception and not app.error and 0 < len(rows) <= 10
        assert bool(app.dataframe) == (run.kind == "table")


def test_how_long_a_training_takes_is_told_by_those_that_were_trained_here(digits_run: runs.Run) -> None:
    shipped = [run for run in runs.find()[0] if run.pretrained]
    chosen = runs.configure({"dataset": "digits", "architecture": "single-layer", "epochs": 100})
    unknown, twice = (sweeping.expected(dataclasses.replace(chosen, epochs=n), shipped) for n in (100, 200))
    assert unknown is not None and twice is not None and twice - 2 == pytest.approx(2 * (unknown - 2))
    pace = digits_run.card.training.samples_per_second
    known = sweeping.expected(chosen, [*shipped, digits_run])
    assert known == pytest.approx(100 * 0.8 * 1797 / pace + 2)
    assert sweeping.expected(dataclasses.replace(chosen, seconds=30), shipped) == 32


def test_in_a_browser_one_button_trains_all_and_each_is_one_click_away(
    app: str, app_home: Path, window: Callable[..., Page]
) -> None:
    page = window(viewport={"width": 1366, "height": 768})
    page.goto(f"{app}/train?dataset=digits&architecture=single-layer&epochs=1&seed=77&vary=code_size&tried=1,2")
    page.get_by_role("button", name="Train 2 runs").click()
    expect(page.get_by_text(re.compile("[01] of 2 done"))).to_be_visible()
    elbow = page.locator(".js-plotly-plot", has_text="test error").last
    expect(page.get_by_text("Tick two to four that are done to compare them.")).to_be_visible()
    expect(page.get_by_text("All 2 trainings are done or on the way.")).to_be_visible()
    expect(page.get_by_text(re.compile("of 2 done"))).to_have_count(0)

    # The elbow falls, beside PCA's. (From three numbers on a run is laid out by t-SNE, too, which takes seconds.)
    expect(elbow).to_contain_text("PCA, same code size")
    ours = elbow.evaluate("one => one.data.filter(line => line.name === 'runs').map(line => Array.from(line.y))[0]")
    chosen = [runs.configure({**FORM, "epochs": 1, "seed": 77, "code_size": size}) for size in (1, 2)]
    stored = [runs.open_run(app_home / "runs" / one.id) for one in chosen]
    assert ours == pytest.approx([run.metric("mse") for run in stored]) and ours == sorted(ours, reverse=True)

    # The same ten images: the originals, and what each run makes of them.
    strips = page.locator(".hg-strips figure")
    expect(strips).to_have_count(3)
    assert [name.strip() for name in strips.locator("figcaption").all_inner_texts()] == ["original", *(f"D = {n}" for n in (1, 2))]  # fmt: skip
    assert len({image.get_attribute("src") for image in strips.locator("img").all()}) == 3

    # The table is painted on a canvas: the word Explore of the second line.
    page.locator(".stDataFrame .dvn-scroller").first.click(position={"x": 220, "y": 88})
    page.wait_for_url(
        lambda url: urlsplit(url).path == "/" and parse_qs(urlsplit(url).query).get("run") == [stored[1].id]
    )
    expect(page.locator('[data-testid="latent-explorer"][data-ready="true"]')).to_have_attribute(
        "data-run", stored[1].id
    )

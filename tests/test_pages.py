"""Every page in Streamlit's own test harness: it draws, it says what it shows, and it survives what people do."""

import dataclasses
import json
import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import streamlit as st
from conftest import needs_data, trained
from engines import ended
from streamlit.proto.Metric_pb2 import Metric as MetricProto
from streamlit.runtime.scriptrunner_utils.script_requests import RerunData, ScriptRequests, ScriptRequestType
from streamlit.testing.v1 import AppTest

from components import cached, choosing, figures, sharing, views, visitor, watched
from components.views import codes, labs, train
from models import datasets, engine, export, runs
from models.engine import queue
from models.runs import Configuration

ROOT = Path(__file__).resolve().parents[1]


def page(name: str, **query: str) -> AppTest:
    """A page of this name, not yet run, with the address's choices."""
    script = f"from components import address\nfrom components.views import {name}\n{name}.show()\naddress.settle()\n"
    app = AppTest.from_string(script, default_timeout=300)
    for key, value in query.items():
        app.query_params[key] = value
    return app


def drawn(name: str, **query: str) -> AppTest:
    """The page after its first run; fails when it raised."""
    app = page(name, **query)
    app.session_state["pages"] = dict.fromkeys(("Explore", "Reconstructions"))  # for buttons that lead there
    app.run()
    assert not app.exception, [error.value for error in app.exception]
    return app


def words(app: AppTest) -> str:
    """All that the page says."""
    kinds = (app.markdown, app.caption, app.warning, app.error, app.info, app.success, app.subheader)
    return "\n".join(str(element.value) for kind in kinds for element in kind)


@pytest.mark.parametrize(
    ("fragments", "hash_", "answered"), [(["a"], "left", False), (["a"], "here", True), ([], "left", True)]
)
def test_a_fragment_of_the_page_before_is_not_answered(
    monkeypatch: pytest.MonkeyPatch, fragments: list[str], hash_: str, answered: bool
) -> None:
    """Its timer went off in the moment in which a button led to this page: the browser would empty this one."""
    requests = ScriptRequests()
    requests.request_rerun(RerunData(page_script_hash=hash_, fragment_id=fragments[0] if fragments else None))
    context = SimpleNamespace(script_requests=requests, page_script_hash="here")
    monkeypatch.setattr(views, "get_script_run_ctx", lambda: context)
    views.forget_the_page_before()
    assert (requests.on_scriptrunner_ready().type is ScriptRequestType.RERUN) == answered


EVERY_PAGE = [*views.available(), *labs.discovered()[0]]


# Draws the page of each module that it is given, in a process of its own each, which nothing but Streamlit was imported in.
FRESH = """
import json, os, sys
from streamlit.testing.v1 import AppTest

def draw(module):
    app = AppTest.from_string(f"import {module} as view\\nview.show()", default_timeout=300).run()
    assert not app.exception, app.exception
    assert len(app.main) > 0
    assert "torch" not in sys.modules, "torch was imported"

for module in sys.argv[1:]:
    assert not {"torch", "components", "models"} & set(sys.modules)
    if not (child := os.fork()):
        draw(module)
        print(json.dumps(module), flush=True)
        os._exit(0)
    os.waitpid(child, 0)
"""


@pytest.fixture(scope="module")
def drawn_afresh() -> tuple[set[str], str]:
    """The modules whose pages were drawn by a process of their own, without torch; and what those that failed said."""
    modules = [found.show.__module__ for found in EVERY_PAGE]
    if not hasattr(os, "fork"):
        parts = [
            [sys.executable, "-c", FRESH.replace("if not (child := os.fork())", "if True"), one] for one in modules
        ]
    else:
        parts = [[sys.executable, "-c", FRESH, *modules]]
    done = [subprocess.run(one, check=False, cwd=ROOT, capture_output=True, text=True, timeout=1200) for one in parts]
    return {json.loads(line) for one in done for line in one.stdout.splitlines()}, "".join(one.stderr for one in done)


@pytest.mark.parametrize("found", EVERY_PAGE, ids=lambda found: found.title)
def test_every_page_draws_and_torch_stays_out(found: views.Page, drawn_afresh: tuple[set[str], str]) -> None:
    """A fresh process draws the page; torch must not have been imported by it."""
    modules, said = drawn_afresh
    assert found.show.__module__ in modules, said[-3000:]


def test_the_navigation_lists_every_page() -> None:
    app = AppTest.from_file(str(ROOT / "components" / "main.py"), default_timeout=300).run()
    assert not app.exception
    assert [found.title for found in views.available()][:4] == ["Explore", "Compare", "Data", "Train"]
    assert set(app.session_state["pages"]) == {found.title for found in EVERY_PAGE}


def test_codes_without_classes_begin_with_what_there_is(fruit_run: runs.Run, monkeypatch: pytest.MonkeyPatch) -> None:
    assert drawn("codes", run=fruit_run.id).subheader[0].value == "How well the codes keep classes apart"
    real = runs.Run.metric
    monkeypatch.setattr(runs.Run, "metric", lambda run, what: None if "knn" in what else real(run, what))
    app = drawn("codes", run=fruit_run.id)
    assert app.subheader[0].value == "Whether neighbours stay neighbours" and not app.info
    monkeypatch.setattr(runs.Run, "metric", lambda *_: None)
    assert drawn("codes", run=fruit_run.id).subheader[0].value == "What each dimension carries"


def test_a_view_can_be_shared_from_the_map_and_from_a_training_in_the_same_words(digits_run: runs.Run) -> None:
    links = []
    for script in (
        "import streamlit as st\nfrom components import sharing\nfrom models import runs\n"
        f"sharing.share(st.container(), runs.open_run(runs.folder_of('{digits_run.id}')), {{'colour': 'error', 'z': '1,2'}})",
        None,
    ):
        query = {"run": digits_run.id, "colour": "error", "z": "1,2"}
        app = drawn("explore", **query) if script is None else AppTest.from_string(script, default_timeout=300).run()
        (link,) = [one.value for one in app.code if "run=" in one.value]
        assert "opens it in an Hourglass of their own" in words(app) and "as a zip" in words(app)
        links.append(link)
    assert links[0] == f"/?run={digits_run.id}&colour=error&z=1,2" and links[0] == links[1]


def test_explore_opens_on_a_run_and_says_what_it_shows() -> None:
    app = drawn("explore")
    assert app.selectbox(key="run").value
    assert (
        "Each of 10,000 points is one of the 70,000 images of MNIST, kept as 2 numbers and coloured by digit"
        in words(app)
    )
    assert "On images it never saw, its error is 42 % lower than PCA's with as many numbers." in words(app)
    assert app.query_params["run"] == app.selectbox(key="run").value


def test_every_shipped_run_opens_by_its_name() -> None:
    shipped = [run for run in runs.find()[0] if run.pretrained]
    assert shipped and all(runs.open_run(runs.folder_of(run.folder.name)).id == run.id for run in shipped)
    for run in {run.card.dataset.name: run for run in shipped}.values():
        app = drawn("explore", run=run.folder.name)
        assert app.selectbox(key="run").value == run.id
        assert not app.error
        (shown,) = [one for one in app.expander if one.label.startswith("How this run was made")]
        (card,) = [one.value for one in shown.markdown]
        assert card.startswith(f"**{run.folder.name}**\n\n{run.title}. ") and "Known weakness: " in card
        assert "| mean squared error |" in card and f"# {run.folder.name}" not in card
        drawn("reconstructions", run=run.folder.name)


def test_only_a_shipped_run_has_a_card(digits_run: runs.Run) -> None:
    assert not any(one.label.startswith("How this run") for one in drawn("explore", run=digits_run.id).expander)


def test_a_link_to_an_unknown_run_says_so_and_shows_another() -> None:
    app = drawn("explore", run="0123456789abcdef")
    assert "0123456789abcdef" in words(app) and "not available" in words(app)
    assert app.selectbox(key="run").value


def test_train_draws_the_hourglass_of_the_choices() -> None:
    app = drawn("train", architecture="single-layer", code_size="5", dataset="digits")
    shown = {metric.label: metric.value for metric in app.metric}
    assert shown["Numbers per sample"] == "64 → 5"
    assert shown["Compression"] == "12.8 : 1"
    assert shown["Parameters"] == f"{64 * 5 + 5 + 5 * 64 + 64:,}"


def test_presets_set_the_articles_choices() -> None:
    app = drawn("train")
    for name, expected in {
        "Single-layer (article)": 56,
        "Multi-layer (article)": 48,
        "Convolutional (article)": 48,
    }.items():
        app.selectbox(key="budget").set_value("30").run()
        app.selectbox(key="preset").set_value(name).run()
        assert not app.exception
        assert app.selectbox(key="budget").value == "epochs"
        assert app.number_input(key="code_size").value == expected
        assert app.number_input(key="learning_rate").value == 0.001
        assert (app.number_input(key="epochs").value, app.number_input(key="batch_size").value) == (10, 256)
        assert app.query_params["recipe"] == "article"
    app.selectbox(key="architecture").set_value("modern").run()
    assert "recipe" not in app.query_params or app.query_params["recipe"] == "hourglass"


@pytest.mark.parametrize(
    ("kind", "key", "other"),
    [
        ("number_input", "epochs", 11),
        ("number_input", "code_size", 30),
        ("selectbox", "recipe", "hourglass"),
        ("selectbox", "loss", "bernoulli"),
        ("selectbox", "budget", "30"),
    ],
)
def test_a_preset_that_was_changed_is_no_longer_called_by_its_name(
    monkeypatch: pytest.MonkeyPatch, kind: str, key: str, other: object
) -> None:
    monkeypatch.setattr(engine, "wake", lambda: None)
    app = drawn("train", dataset="digits")
    app.selectbox(key="preset").set_value("Multi-layer (article)").run()
    app.number_input(key="seed").set_value(3).run()  # which no preset names
    assert app.selectbox(key="preset").value == "Multi-layer (article)"
    getattr(app, kind)(key=key).set_value(other).run()
    assert not app.exception and app.selectbox(key="preset").value == train.OWN
    assert getattr(app, kind)(key=key).value == other
    app.selectbox(key="preset").set_value("Multi-layer (article)").run()
    assert app.selectbox(key="preset").value == "Multi-layer (article)"
    assert (app.number_input(key="code_size").value, app.selectbox(key="budget").value) == (48, "epochs")


@pytest.mark.parametrize(
    ("asked", "shown", "told"), [("1.5", 1.0, False), ("-0.1", 0.05, False), ("0.4", 0.4, False), ("nan", 0.3, True)]
)
def test_a_noise_level_in_the_address_is_held_to_what_there_is(asked: str, shown: float, told: bool) -> None:
    app = drawn("train", dataset="digits", noise="gaussian", noise_level=asked)
    assert app.slider(key="noise_level").value == shown
    assert ("not available" in words(app)) == told
    assert any(button.label == "Train" for button in app.button)


def test_the_address_of_a_stopped_training_is_that_of_what_was_kept(
    monkeypatch: pytest.MonkeyPatch, digits_run: runs.Run
) -> None:
    asked = "0123456789abcdef"
    monkeypatch.setattr(engine, "status", lambda _: engine.Status(digits_run.id, "done"))
    monkeypatch.setattr(engine, "wake", lambda: None)
    app = drawn("train", training=asked)
    assert app.query_params["training"] == digits_run.id
    assert any("is ready" in one.value for one in app.markdown)


def test_the_classes_that_a_code_keeps_apart_are_told_beside_pcas(
    monkeypatch: pytest.MonkeyPatch, digits_run: runs.Run
) -> None:
    monkeypatch.setattr(engine, "wake", lambda: None)
    ours, theirs = (100 * (digits_run.metric(f"{of}knn_accuracy") or 0.0) for of in ("", "pca_"))
    said = f"By their codes {ours:.0f} % of these are classified correctly"
    assert f"{said}, by those of PCA {theirs:.0f} %." in words(drawn("train", training=digits_run.id))
    real = runs.Run.metric
    monkeypatch.setattr(runs.Run, "metric", lambda run, what: None if what == "pca_knn_accuracy" else real(run, what))
    assert f"{said}." in words(drawn("train", training=digits_run.id))


@pytest.mark.parametrize(
    ("share", "said"),
    [
        (0.53, "its error is 47 % lower than PCA's with as many numbers"),
        (0.997, "its error is as large as PCA's with"),
        (1.004, "its error is as large as PCA's with"),
        (1.12, "its error is 12 % higher than PCA's with"),
        (2.1, "its error is twice PCA's with"),
        (5.2, "its error is 5 times PCA's with"),
        (300.0, "PCA's is all but zero"),
    ],
)
def test_an_error_is_told_beside_pcas_in_words(
    share: float, said: str, digits_run: runs.Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = runs.Run.metric
    pca = real(digits_run, "pca_mse") or 0.0
    monkeypatch.setattr(runs.Run, "metric", lambda run, what: share * pca if what == "mse" else real(run, what))
    told = choosing.beside_pca(digits_run)
    assert told.startswith("On images it never saw, ") and said in told


def test_what_is_left_is_at_most_what_is_allowed_and_only_while_it_trains() -> None:
    line = {"epoch": 2, "loss": {"a": 1.0}, "validation": 1.0, "samples_per_second": 1234.0}
    seen = cached.Live(line, 1.0, 30.0, None, None, {})
    of = engine.Status("0123456789abcdef", "training", "epoch 2", 2, 10_000)
    assert watched.words_of(of, seen, True) == "epoch 2 · 1,234 samples/s · 60 min left at most"
    done = engine.Status(of.id, "measuring", "measuring the result", 2, 2)
    assert watched.words_of(done, seen, False) == "measuring the result"
    cooling = engine.Status(of.id, "training", "cooling down", 2, 10_000)
    assert watched.words_of(cooling, seen, True) == "cooling down"


@pytest.mark.parametrize("name", ["train", "explore", "reconstructions", "codes"])
def test_a_network_that_draws_one_picture_for_all_is_told(
    name: str, home: Path, digits_run: runs.Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine, "wake", lambda: None)
    place = shutil.copytree(digits_run.folder, home / "runs" / digits_run.id)
    query = {"training" if name == "train" else "run": digits_run.id}
    before = words(drawn(name, **query))
    assert "one picture for all" not in before and "dimensions are dead" not in before
    about = digits_run.stored_card()
    about["codes"]["dead"] = [True, True]
    (place / "run.json").write_text(json.dumps(about))
    assert "one picture for all" in words(drawn(name, **query))
    assert "differences however small" in words(drawn(name, **query))


@pytest.mark.parametrize("name", ["train", "explore", "codes"])
def test_a_network_that_learnt_only_the_mean_is_told_in_place_of_dead_dimensions(
    name: str, home: Path, variational_run: runs.Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine, "wake", lambda: None)
    place = shutil.copytree(variational_run.folder, home / "runs" / variational_run.id)
    about = variational_run.stored_card()
    about["codes"]["dead"] = [True, True, False, False, False, False]
    mean = next(metric["value"] for metric in about["metrics"] if metric["name"] == "mean_mse")
    for share, told in ((0.96, True), (0.9, False)):
        for metric in about["metrics"]:
            if metric["name"] == "mse":
                metric["value"] = share * mean
        (place / "run.json").write_text(json.dumps(about))
        shown = words(drawn(name, **{"training" if name == "train" else "run": variational_run.id}))
        assert ("has learnt only the mean image" in shown) == told
        assert ("dimensions are dead" in shown or "dimensions are used" in shown) != told


@pytest.mark.parametrize(
    ("name", "said"), [("train", True), ("explore", True), ("reconstructions", True), ("codes", False)]
)
def test_dimensions_that_are_dead_are_told_once(
    name: str, said: bool, home: Path, variational_run: runs.Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine, "wake", lambda: None)
    place = shutil.copytree(variational_run.folder, home / "runs" / variational_run.id)
    query = {"training" if name == "train" else "run": variational_run.id}
    for dead, told in (
        (2, "2 of 6 dimensions are dead: the decoder does without them."),
        (1, "1 of 6 dimensions is dead: the decoder does without it."),
    ):
        about = variational_run.stored_card()
        about["codes"]["dead"] = [i < dead for i in range(6)]
        (place / "run.json").write_text(json.dumps(about))
        shown = words(drawn(name, **query))
        assert (f"{told} Codes shows which." in shown) == said and "one picture for all" not in shown
        assert (f"{6 - dead} of 6 dimensions are used" in shown) == (name == "codes")


@pytest.mark.parametrize(
    ("budget", "recipe", "seconds", "trained_by"),
    [
        ("10", "hourglass", 10, "hourglass"),
        ("30", "article", 30, "article"),
        ("stop", "hourglass", 0, "open-ended"),
        ("stop", "article", 0, "article"),
    ],
)
def test_a_time_is_asked_for_as_such(
    monkeypatch: pytest.MonkeyPatch, budget: str, recipe: str, seconds: int, trained_by: str
) -> None:
    asked: list[Configuration] = []
    monkeypatch.setattr(engine, "submit", lambda chosen, _owner, _device: asked.append(chosen) or chosen.id)
    monkeypatch.setattr(engine, "wake", lambda: None)
    app = drawn("train", dataset="digits", architecture="modern", budget=budget, recipe=recipe)
    next(button for button in app.button if button.label == "Train").click().run()
    assert not app.exception
    (chosen,) = asked
    assert (chosen.seconds, chosen.epochs, chosen.recipe) == (seconds, 10_000, trained_by)
    assert app.query_params["recipe"] == recipe and app.query_params["budget"] == budget
    limit = [caption.value for caption in app.caption if "longest training" in caption.value]
    assert limit == ["For at most 60 min or 10,000 epochs, the longest training on this computer."] * (budget == "stop")


def test_what_has_no_end_cannot_be_annealed_and_says_so_before_train_is_pressed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(engine, "wake", lambda: None)
    app = drawn("train", dataset="digits", architecture="variational", annealing="0.5", budget="stop")
    assert "annealing of beta needs" in words(app).lower() and not any(button.label == "Train" for button in app.button)
    assert app.query_params["recipe"] == "hourglass"
    app.selectbox(key="budget").set_value("30").run()
    assert "annealing of beta needs" in words(app).lower()
    app.selectbox(key="budget").set_value("epochs").run()
    assert not app.error and any(button.label == "Train" for button in app.button)


@pytest.mark.parametrize(("recipe", "offered"), [("hourglass", True), ("open-ended", True), ("article", False)])
def test_a_cool_down_is_offered_where_the_rate_can_fall(
    monkeypatch: pytest.MonkeyPatch, recipe: str, offered: bool
) -> None:
    chosen = Configuration("digits", "modern", recipe=recipe)
    line = {"epoch": 1, "loss": {"reconstruction": 1.0}, "validation": 1.0, "samples_per_second": 1.0, "seconds": 1.0}
    seen = cached.Live(line, 1.0, 1.0, figures.losses([line], chosen), None, {})
    monkeypatch.setattr(engine, "status", lambda id_: engine.Status(id_, "training", "epoch 1 of 30", 1, 30))
    monkeypatch.setattr(cached, "status", engine.status)
    monkeypatch.setattr(cached, "live", lambda _: seen)
    monkeypatch.setattr(engine, "configuration", lambda _: chosen)
    monkeypatch.setattr(engine, "waits", lambda *_: True)
    cooled: list[bool] = []
    monkeypatch.setattr(engine, "cancel", lambda *_, keep, cool: cooled.append(keep and cool))
    app = drawn("train", training=chosen.id)
    assert [box.label for box in app.checkbox if "cool-down" in box.label] == ["with cool-down (2 s)"] * offered
    (current,) = app.get("progress")
    assert current.proto.text.endswith("29 s left at most" if recipe == "open-ended" else "29 s left")
    next(button for button in app.button if button.label == "Stop and keep it").click().run()
    assert cooled == [offered]


@pytest.mark.parametrize(("what", "ending"), [("epoch 2", False), ("cooling down", True)])
def test_a_training_that_cools_down_cannot_be_ended_again(
    monkeypatch: pytest.MonkeyPatch, what: str, ending: bool
) -> None:
    chosen = Configuration("digits", "modern", recipe="open-ended")
    line = {"epoch": 2, "loss": {"a": 1.0}, "validation": 1.0, "samples_per_second": 1234.0}
    seen = cached.Live(line, 1.0, 1.0, figures.losses([line], chosen), None, {})
    monkeypatch.setattr(engine, "wake", lambda: None)
    monkeypatch.setattr(cached, "status", lambda id_: engine.Status(id_, "training", what, 2, 31))
    monkeypatch.setattr(engine, "status", cached.status)
    monkeypatch.setattr(cached, "live", lambda _: seen)
    monkeypatch.setattr(engine, "configuration", lambda _: chosen)
    monkeypatch.setattr(engine, "waits", lambda *_: True)
    app = drawn("train", training=chosen.id)
    ways = [one for one in app.button if one.label in ("Stop and keep it", "Cancel")]
    assert [one.disabled for one in (*ways, *app.checkbox)] == [ending] * 3


def test_every_choice_of_a_training_is_in_the_address() -> None:
    app = drawn("train")
    app.number_input(key="code_size").set_value(7).run()
    app.selectbox(key="noise").set_value("masking").run()
    told = dict(app.query_params.items())
    again = drawn("train", **told)
    assert again.number_input(key="code_size").value == 7
    assert again.selectbox(key="noise").value == "masking"


def test_a_code_size_above_the_sample_is_held_to_the_sample() -> None:
    app = drawn("train", dataset="digits", code_size="9999")
    assert app.number_input(key="code_size").value == 64


def test_train_to_the_end_and_explore(home: Path) -> None:
    with engine.EngineSupervisor(workers=1):
        app = drawn("train", dataset="digits", architecture="single-layer", epochs="2")
        next(button for button in app.button if button.label == "Train").click().run()
        assert not app.exception
        id_ = app.session_state["training"]
        assert any(button.label == "Cancel" for button in app.button)
        ended(id_)
    assert engine.status(id_).phase == "done", engine.status(id_)
    app.run()
    assert "is ready" in words(app)
    assert "On images it never saw, its error is" in words(app) and {"Explore", "See its reconstructions"} <= {
        button.label for button in app.button
    }
    explored = drawn("explore", run=id_)
    assert explored.selectbox(key="run").value == id_


def pressed(app: AppTest, label: str) -> AppTest:
    """After a click on the button with this label."""
    next(button for button in app.button if button.label == label).click().run()
    assert not app.exception, [error.value for error in app.exception]
    return app


def test_a_waiting_training_is_cancelled_on_its_page_and_can_be_resumed(home: Path) -> None:
    app = drawn("train", dataset="digits", architecture="single-layer", epochs="2")
    pressed(app, "Train")
    id_ = app.session_state["training"]
    pressed(app, "Cancel")
    assert engine.status(id_).phase == "cancelled" and "was cancelled" in words(app)
    pressed(app, "Train")
    assert engine.status(id_).phase == "queued"


def test_more_than_is_allowed_is_told_on_the_page(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOURGLASS_EPOCHS", "5")
    app = pressed(drawn("train", dataset="digits", epochs="6"), "Train")
    assert "at most 5 are allowed" in words(app)


@pytest.fixture
def listed(home: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """A visitor with one finished, one waiting and one cancelled run; by state."""
    monkeypatch.setattr(visitor, "owner", lambda: "me")
    run = trained(seed=41)
    engine.adopt(run, "me")
    waiting, cancelled, others = (
        runs.configure({"dataset": "digits", "architecture": a}) for a in ("modern", "deep", "variational")
    )
    out = {"done": run.id, "queued": engine.submit(waiting, "me"), "cancelled": engine.submit(cancelled, "me")}
    engine.cancel(out["cancelled"], "me")
    engine.submit(others, "somebody else")
    return out


def test_runs_lists_ones_own_and_filters_them(listed: dict[str, str]) -> None:
    app = drawn("runs")
    table = app.dataframe[0].value
    assert list(table["state"]) == ["cancelled", "waiting, next", "done"] and len(table) == 3
    done = table.iloc[2]
    run = runs.open_run(runs.folder_of(listed["done"]))
    assert done["test error"] == run.metric("mse") and done["PCA"] == run.metric("pca_mse") and done["run"] == run.title
    app.text_input(key="search").set_value("modern waiting").run()
    assert list(app.dataframe[0].value["run"]) == ["Digits 8x8 · Modern · D = 2"]
    assert app.query_params["search"] == "modern waiting"
    app.text_input(key="search").set_value("<b>nothing like it").run()
    assert "None of the 3 runs fits" in words(app)
    app.text_input(key="search").set_value("").run()
    app.toggle(key="all").set_value(True).run()
    shipped = sum(run.pretrained for run in runs.find()[0])
    assert len(app.dataframe[0].value) == 3 + shipped
    app.text_input(key="search").set_value("mnist-wide").run()
    assert list(app.dataframe[0].value["run"]) == [runs.open_run(runs.folder_of("mnist-wide")).title]


def test_a_run_of_a_later_version_does_not_end_the_page(listed: dict[str, str]) -> None:
    with queue.opened(write=True) as connection:
        more = "UPDATE runs SET configuration = json_set(configuration, '$.temperature', 0.5) WHERE id = ?"
        connection.execute(more, [listed["queued"]])
        connection.execute("ALTER TABLE runs ADD COLUMN colour TEXT DEFAULT 'red'")
    app = drawn("runs")
    assert list(app.dataframe[0].value["state"]) == ["cancelled", "done"]
    assert "listed there only: 1 of your runs" in words(app)


def test_what_keeps_the_engine_from_training_is_said_on_train(home: Path) -> None:
    told = ["no worker is there at tls://alpha:8786", "one was expected", "start one"]
    with queue.opened(write=True) as connection:
        row = "INSERT INTO engine (one, beat, pid, slots, problem) VALUES (1, ?, 1, 0, ?)"
        connection.execute(row, [time.time(), json.dumps(told)])
    assert "No worker is there at tls://alpha:8786" in words(drawn("train", dataset="digits"))
    with queue.opened(write=True) as connection:
        connection.execute("UPDATE engine SET problem = NULL")
    id_ = engine.submit(runs.configure({"dataset": "digits", "architecture": "modern"}), "a")
    assert engine.status(id_).what == "no worker is there yet"


def test_runs_of_nobody_lead_to_train(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(visitor, "owner", lambda: "nobody")
    app = drawn("runs")
    assert "not trained anything yet" in words(app)
    shipped = [run.title for run in runs.find()[0] if run.pretrained]
    assert sorted(app.dataframe[0].value["run"]) == sorted(shipped), "a newcomer has these to look at"


def test_reconstructions_show_both_errors_with_units() -> None:
    app = drawn("reconstructions", run="digits-variational")
    shown = {metric.label: metric.value for metric in app.metric}
    run = runs.open_run(runs.folder_of("digits-variational"))
    assert shown["Test error"] == f"{run.metric('mse'):.4f}"
    assert shown["PCA, same code size"] == f"{run.metric('pca_mse'):.4f}"
    assert "Reconstructions, D = 2 " in words(app)
    assert "PCA, D = 2 " in words(app)


@pytest.mark.parametrize(
    ("share", "said", "colour"),
    [
        (0.997, "as good as PCA", MetricProto.MetricColor.GRAY),
        (1.004, "as good as PCA", MetricProto.MetricColor.GRAY),
        (0.9, "-10% against PCA", MetricProto.MetricColor.GREEN),
        (1.1, "+10% against PCA", MetricProto.MetricColor.RED),
        (5.0, "5 times PCA's error", MetricProto.MetricColor.RED),
    ],
)
def test_an_error_that_is_pcas_to_the_rounding_is_neither_good_nor_bad(
    share: float, said: str, colour: int, digits_run: runs.Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = runs.Run.metric
    pca = real(digits_run, "pca_mse") or 0.0
    monkeypatch.setattr(runs.Run, "metric", lambda run, what: share * pca if what == "mse" else real(run, what))
    app = drawn("reconstructions", run=digits_run.id)
    (error,) = [metric for metric in app.metric if metric.label == "Test error"]
    assert (error.delta, error.proto.color) == (said, colour)


@pytest.mark.parametrize("which", ["best", "worst", "class", "random"])
def test_each_way_of_choosing_samples(which: str) -> None:
    app = drawn("reconstructions", run="digits-variational", which=which)
    rows = app.dataframe[0].value
    assert len(rows) == 10
    errors = rows["error"].to_numpy()
    if which == "best":
        assert (np.diff(errors) >= 0).all()
    if which == "worst":
        assert (np.diff(errors) <= 0).all()
    if which == "class":
        assert sorted(rows["digit"]) == list("0123456789")


def test_a_denoising_run_shows_its_noisy_inputs(noisy_run: runs.Run) -> None:
    app = drawn("reconstructions", run=noisy_run.id)
    assert "Inputs with gaussian noise" in words(app)


@needs_data("mnist")
def test_pages_work_without_originals(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    shipped = [run for run in runs.find()[0] if run.pretrained and run.card.dataset.name == "mnist"]
    assert shipped
    cached.forget_originals()
    monkeypatch.setenv("HOURGLASS_DATA", str(tmp_path / "nothing"))
    monkeypatch.setenv("HOURGLASS_HOME", str(tmp_path / "home"))
    for name in ("explore", "reconstructions"):
        app = drawn(name, run=shipped[0].folder.name)
        assert "do not ship" in words(app)
        assert any(button.label.startswith("Download MNIST") for button in app.button)
    app = drawn("train", dataset="mnist")
    assert not any(button.label == "Train" for button in app.button)


@pytest.mark.parametrize("text", ["{", '{"format": 2}'])
def test_a_run_that_cannot_be_opened_is_told_to_its_owner_and_in_the_log(
    home: Path, text: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    run = trained(seed=7)
    engine.adopt(run, "mine")
    (run.folder / "run.json").write_text(text)
    for name in ("explore", "reconstructions", "codes", "samples"):
        monkeypatch.setattr(visitor, "owner", lambda: "another")
        app = drawn(name)
        assert run.id not in words(app) and str(home) not in words(app) and app.selectbox(key="run").value
        monkeypatch.setattr(visitor, "owner", lambda: "mine")
        app = drawn(name)
        assert run.id in words(app) and str(home) not in words(app) and app.selectbox(key="run").value
    assert caplog.text.count(f"{run.folder}: The run {run.id} is ") == 1


def test_two_colours_of_the_palette_are_never_alike() -> None:
    """CIELAB distance of any two class colours, for normal, protan, deutan and tritan sight (Machado et al. 2009)."""
    sights = {
        "normal": np.eye(3),
        "protan": [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
        "deutan": [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]],
        "tritan": [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.303900]],
    }
    rgb = np.array([[int(tone[i : i + 2], 16) for i in (1, 3, 5)] for tone in figures.PALETTE]) / 255
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    to_xyz = np.array(
        [[0.4124564, 0.3575761, 0.1804375], [0.2126729, 0.7151522, 0.0721750], [0.0193339, 0.1191920, 0.9503041]]
    )
    for name, matrix in sights.items():
        xyz = np.clip(linear @ np.array(matrix).T, 0, 1) @ to_xyz.T / np.array([0.95047, 1, 1.08883])
        f = np.where(xyz > 0.008856, np.cbrt(xyz), 7.787 * xyz + 16 / 116)
        lab = np.column_stack([116 * f[:, 1] - 16, 500 * (f[:, 0] - f[:, 1]), 200 * (f[:, 1] - f[:, 2])])
        apart = np.linalg.norm(lab[:, None] - lab[None], axis=-1)[np.triu_indices(len(lab), 1)]
        assert apart.min() >= 16, (name, apart.min())


def test_figures_are_the_same_data_that_went_in() -> None:
    points = np.array([[0.0, 1.0], [2.0, 3.0], [4.0, 5.0]], np.float32)
    figure = figures.latent_map(points, np.array([0, 1, 0]), ["a", "b"], ("x", "y"), places=np.array([7, 8, 9]))
    traces = {trace.name: trace for trace in figure.data}
    assert traces["a"].x.tolist() == [0.0, 4.0] and traces["a"].customdata.tolist() == [7, 9]
    assert traces["b"].y.tolist() == [3.0]
    assert traces["a"].marker.color == figures.PALETTE[0]


@pytest.mark.parametrize(
    ("low", "high", "texts"),
    [
        (0.04, 0.7, ["0.05", "0.1", "0.2", "0.5"]),
        (30, 900, ["50", "100", "200", "500"]),
        (0.61, 0.64, ["0.61", "0.62", "0.63", "0.64"]),  # no 1, 2 or 5 in it
        (0.9, 1.9, ["1", "1.5"]),
        (0.3, 0.3, ["0.05", "0.1", "0.2", "0.5", "1", "2"]),  # drawn from a tenth to ten times
        (1200, 1800, ["1,200", "1,400", "1,600", "1,800"]),
        (1e-5, 9e3, ["0.00001", "0.0001", "0.001", "0.01", "0.1", "1", "10", "100", "1,000"]),
    ],
)
def test_losses_have_whole_numbers_at_their_axis(low: float, high: float, texts: list[str]) -> None:
    history = [{"epoch": i + 1, "loss": {"a": low, "b": 0.0}, "validation": high} for i in range(3)]
    axis = figures.losses(history, Configuration("digits", "modern")).layout.yaxis
    most = (low / 10, high * 10) if low == high else (low, high)
    near = 1 + 1e-9
    shown = [
        t for v, t in zip(axis.tickvals, axis.ticktext, strict=True) if most[0] <= v * near and v <= most[1] * near
    ]
    assert shown == texts and [float(text.replace(",", "")) for text in axis.ticktext] == pytest.approx(axis.tickvals)


@pytest.mark.parametrize("value", [0.0, -1.0, float("nan"), float("inf")])
def test_losses_that_have_no_logarithm_do_not_stop_the_figure(value: float) -> None:
    history = [{"epoch": 1, "loss": {"a": value}, "validation": value}]
    scale = "linear" if value <= 0 else "log"
    assert figures.losses(history, Configuration("digits", "modern")).layout.yaxis.type == scale


def test_a_single_epoch_is_seen() -> None:
    line = {"epoch": 1, "loss": {"a": 0.5}, "validation": 0.4}
    chosen = Configuration("digits", "modern")
    assert {trace.mode for trace in figures.losses([line], chosen).data} == {"markers"}
    assert {trace.mode for trace in figures.losses([line, line | {"epoch": 2}], chosen).data} == {"lines"}


def test_the_curve_of_the_training_is_the_whole_that_it_lowers() -> None:
    """So that it can be held against validation, which is measured in the same whole."""
    chosen = Configuration("digits", "variational", beta=0.5, total_correlation=2.0, sparsity=3.0, contraction=0.25)
    loss = {"reconstruction": 10.0, "kl": 4.0, "total_correlation": 1.0, "sparsity": 2.0, "contraction": 8.0}
    drawn = figures.losses([{"epoch": 1, "loss": loss, "validation": 22.0}], chosen)
    assert [line.y for line in drawn.data] == [(22.0,), (22.0,)]


def test_settings_of_the_server() -> None:
    import tomllib

    settings = tomllib.loads((ROOT / ".streamlit" / "config.toml").read_text())
    assert settings["server"]["address"] == "localhost"
    assert settings["browser"]["gatherUsageStats"] is False
    assert settings["runner"]["postScriptGC"] is False
    assert settings["global"]["maxCachedMessageAge"] >= 20, (
        "else a connection error where one goes back and forth quickly"
    )
    assert settings["client"]["showErrorDetails"] == "none"


def test_every_dataset_and_architecture_can_be_chosen_together() -> None:
    for name, dataset in datasets.available().items():
        if datasets.missing(dataset):
            continue
        app = drawn("train", dataset=name)
        for kind in app.selectbox(key="architecture").options:
            assert kind
        assert not app.error, words(app)
        json.dumps(dict(app.query_params.items()), allow_nan=False)


def test_runs_of_one_title_are_told_apart_and_each_is_opened(home: Path) -> None:
    """Streamlit knows a chosen option by its words: two alike would both open the first of them."""
    alike = [trained(seed=51), trained(seed=52), trained(seed=52, epochs=3), trained(seed=52, batch_size=32)]
    app = drawn("explore")
    options = app.selectbox(key="run").options
    assert len(set(options)) == len(options) == len(alike) + sum(run.pretrained for run in runs.find()[0])
    for run in alike:
        app = drawn("explore", run=run.id)
        app.run()
        assert app.selectbox(key="run").value == run.id and app.query_params["run"] == run.id
        word = next(word for word in options if "seed 51" in word)
        app.selectbox(key="run").select(word).run()
        assert app.query_params["run"] == alike[0].id
    trained(seed=51, epochs=1)
    assert sum(word.endswith(" · 1 epoch, seed 51") for word in drawn("explore").selectbox(key="run").options) == 1


def test_a_queue_that_cannot_be_opened_is_told_on_every_page_and_what_ships_can_be_explored(home: Path) -> None:
    (home / "queue.db").mkdir(parents=True)
    app = drawn("explore")
    assert "cannot be written" in words(app) and app.selectbox(key="run").value
    for name in ("train", "runs"):
        script = f"from components.views import {name}, show_problems\nshow_problems({name}.show)()\n"
        app = AppTest.from_string(script, default_timeout=300).run()
        assert not app.exception and "cannot be written" in words(app)
    entry = AppTest.from_file(str(ROOT / "components" / "main.py"), default_timeout=300)
    entry.run()
    assert not entry.exception and "cannot be written" in words(entry)


def test_codes_shows_what_each_dimension_carries_and_stands_for() -> None:
    run = runs.open_run(runs.folder_of("cats-convolutional-variational"))
    app = drawn("codes", run=run.id)
    assert "What the dimensions stand for" in words(app)
    told, pairs, gap = codes.factor_scores(run)
    own = sum(told[d, k] >= 0.7 for d, k in pairs)
    assert f"{own} of {len(run.card.dataset.factors)} have a dimension of their own" in words(app)
    assert f"{sum(run.card.codes.kl):.1f} nats in all" in words(app)
    assert any(metric.label == "Mutual information gap" and metric.value == f"{gap:.2f}" for metric in app.metric)
    plain = drawn("codes", run="digits-multi-layer")
    assert "stand for" not in words(plain) and "variance" in words(plain)


def test_dead_dimensions_are_counted_and_grey() -> None:
    figure = figures.dimensions([0.5, 2.0, 0.001], np.array([False, False, True]), "KL")
    assert list(figure.data[0].x) == ["z2", "z1", "z3"]
    assert list(figure.data[0].marker.color) == [figures.OURS, figures.OURS, figures.UNKNOWN]


@pytest.mark.parametrize("kept", [True, False])
def test_where_the_browser_keeps_no_cookie_it_is_said_that_files_cannot_come(
    monkeypatch: pytest.MonkeyPatch, kept: bool
) -> None:
    """Within a page of another site, say: they would be refused without a word."""
    context = type(st.context)
    monkeypatch.setattr(context, "headers", property(lambda _: {"Host": "here"}))
    monkeypatch.setattr(context, "cookies", property(lambda _: {visitor.COOKIE: "c" * 43} if kept else {}))
    monkeypatch.setattr(context, "url", property(lambda _: "http://here/data"))
    for name, query in (("data", {}), ("samples", {"look": "new"}), ("explore", {})):
        app = drawn(name, **query)
        assert ("Files cannot be sent from here" in words(app)) == (not kept), name
        assert len(app.get("file_uploader")) == kept, name
        assert [link.proto.url for link in app.get("link_button")] == ([] if kept else ["http://here/data"]), name


def test_denoising_begins_with_noise_that_can_be_seen() -> None:
    """An address that says 0 says it of a training without noise."""
    for query in ({}, {"noise": "none", "noise_level": "0.0"}, {"noise": "gaussian", "noise_level": "0"}):
        app = drawn("train", dataset="digits", **query)
        assert ("noise_level" in app.query_params) == (query.get("noise") == "gaussian")
        app.selectbox(key="noise").set_value("gaussian").run()
        assert app.slider(key="noise_level").value == runs.NOISE_LEVEL
        assert str(runs.NOISE_LEVEL) in app.query_params["noise_level"]


@pytest.mark.parametrize("title", ["Modern, wide", "Single-layer"])
def test_a_collapsed_run_is_not_told_to_become_what_it_is(title: str) -> None:
    script = (
        "from types import SimpleNamespace\n"
        "from components import choosing\n"
        f"card = SimpleNamespace(codes=SimpleNamespace(dead=[True, True]), architecture=SimpleNamespace(title='{title}'))\n"
        "run = SimpleNamespace(card=card, code_size=2, variational=False, metric=lambda name: None)\n"
        "choosing.collapse(run)\n"
    )
    (said,) = [one.value for one in AppTest.from_string(script, default_timeout=300).run().warning]
    assert "Choose another architecture" in said and ("those called Modern" in said) == (title == "Single-layer")


def test_an_unknown_run_is_answered_by_the_name_of_the_one_that_is_shown() -> None:
    app = drawn("explore", run="0123456789abcdef")
    (said,) = [one.value for one in app.warning]
    assert "MNIST · Variational, wide · D = 2 is shown" in said
    assert not re.search(r"[0-9a-f]{16}", said.replace("0123456789abcdef", ""))


INTERRUPTED = """
import streamlit as st
from components import address

state = st.session_state
st.button("choose", key="button", on_click=lambda: [address.choose("first", "c"), address.choose("second", "c")])
address.begin()
for name in ("first", "second"):
    if state.get("end before") == name:
        st.stop()
    state[f"{name} is new"] = address.changed(name)
    address.seed(name, "a", known="abc")
    st.selectbox(name, list("abc"), key=name)
if state.get("end before") == "end":
    st.stop()
address.settle()
"""


@pytest.mark.parametrize("end", ["first", "second", "end"])
def test_what_the_app_chooses_outlives_a_drawing_that_is_interrupted(end: str) -> None:
    """The browser may not have seen it: it brings what it still shows, and nobody has changed that."""
    app = AppTest.from_string(INTERRUPTED).run()
    in_the_browser = app._tree.get_widget_states()
    app.session_state["end before"] = end
    app.button(key="button").click().run()
    app.session_state["end before"] = ""
    app._run(in_the_browser)
    assert not app.exception
    assert [app.selectbox(key=name).value for name in ("first", "second")] == ["c", "c"]
    assert not app.session_state["first is new"] and not app.session_state["second is new"]
    app.selectbox(key="first").set_value("b").run()
    assert app.session_state["first is new"] and not app.session_state["second is new"]
    assert [app.selectbox(key=name).value for name in ("first", "second")] == ["b", "c"]


@pytest.mark.parametrize("end", ["second", "end"])
def test_what_the_address_says_outlives_a_drawing_that_is_interrupted(end: str) -> None:
    """Back leads to this page again, and before the browser has its answer the page's map reports something."""
    app = AppTest.from_string(INTERRUPTED).run()
    app.selectbox(key="first").set_value("b").run()
    in_the_browser = app._tree.get_widget_states()
    app.query_params["first"] = "c"
    app.session_state["end before"] = end
    app.run()
    app.session_state["end before"] = ""
    app._run(in_the_browser)
    assert app.selectbox(key="first").value == "c" and not app.session_state["first is new"]
    app.selectbox(key="first").set_value("b").run()
    assert app.selectbox(key="first").value == "b" and app.session_state["first is new"]


def test_a_change_counts_though_the_address_of_the_page_before_came_late() -> None:
    app = AppTest.from_string(INTERRUPTED)
    app.session_state["visit"] = ("another page", {"first"}, [{"first": "c"}])
    app.run()
    app.query_params["first"] = "c"
    app.selectbox(key="first").set_value("b").run()
    assert app.selectbox(key="first").value == "b"


def test_what_somebody_changes_while_the_page_is_drawn_counts() -> None:
    app = AppTest.from_string(INTERRUPTED)
    app.query_params["first"], app.session_state["end before"] = "c", "second"
    app.run()
    app.session_state["end before"] = ""
    app.selectbox(key="first").set_value("b").run()
    assert app.selectbox(key="first").value == "b"


def test_an_address_counts_more_than_what_another_page_chose_before() -> None:
    """As when a run was deleted, and then the link to another one's training is followed."""
    script = "from components import address\nimport streamlit as st\n"
    app = AppTest.from_string(script + "st.session_state['was'] = address.seed('training', None)\naddress.settle()\n")
    app.session_state["due choices"] = {"training": ("the deleted one", "another page")}
    assert app.run().session_state["was"] == "the deleted one"
    app.session_state["due choices"] = {"training": (None, "another page")}
    app.session_state["visit"] = ("another page", {"training"}, [])
    app.query_params["training"] = "this one"
    assert app.run().session_state["was"] == "this one"


def test_what_was_chosen_and_not_shown_gives_way_to_a_later_address() -> None:
    """A preset sets what a table has no controls for: the page opened again for images follows its address."""
    script = (
        "from components import address\nimport streamlit as st\n"
        "if st.session_state.get('drawn'):\n    st.session_state['was'] = address.seed('shift', 0, int)\n"
        "else:\n    address.choose('shift', 1)\naddress.settle()\n"
    )
    app = AppTest.from_string(script).run()
    app.session_state["drawn"], app.session_state["visit"] = True, ("another page", set(), [])
    app.query_params["shift"] = "2"
    assert app.run().session_state["was"] == 2


def test_a_run_is_handed_over_as_one_page() -> None:
    app = drawn("explore", run="digits-variational")
    assert [one.label for one in app.get("download_button")].count("This run as one page") == 2  # Share, Download
    made = sharing.page(runs.open_run(runs.folder_of("digits-variational")), None)
    assert made.startswith(b"<!doctype html>") and b'data-file="decoder.safetensors"' in made
    assert not [one for one in app.checkbox if "your samples" in one.label], (
        "nothing of one's own is in a run that ships"
    )


def test_ones_own_samples_are_on_the_page_only_where_that_is_ticked(
    digits_run: runs.Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sharing.uploads, "own", lambda _name: True)
    monkeypatch.setattr(sharing.uploads, "readable", lambda _name, _owner: True)
    app = drawn("explore", run=digits_run.id)
    ticks = [one for one in app.checkbox if "your samples" in one.label]
    assert [one.label for one in ticks] == ["With 1,000 of your samples"] * 2 and not any(one.value for one in ticks)
    asked = []
    monkeypatch.setattr(
        sharing.pages, "page", lambda _run, samples, view: (asked.append(samples), SimpleNamespace(html=b""))[1]
    )
    for along in (False, True, None):
        sharing.page(digits_run, along)
    sharing.page.clear()
    assert asked == [False, True, None]


def test_a_layer_goes_along_to_another_run_and_back() -> None:
    app = drawn("explore", run="digits-variational", layer="classes")
    other = next(run for run in runs.find()[0] if run.folder.name == "fashion-mnist-variational")
    app.session_state["run"] = other.id
    app.run()
    assert app.session_state["asked for"][1]["layer"] == "classes"


def test_files_are_called_by_what_they_are() -> None:
    run = runs.open_run(runs.folder_of("digits-variational"))
    card = dataclasses.replace(run.card, dataset=dataclasses.replace(run.card.dataset, title="Köln: Größen / 2024"))
    own = dataclasses.replace(run, card=card)
    assert export._plain(own.title) == "koln-grossen-2024-variational-2"
    assert export._plain("数字") == "run"
    assert export.file_name(run, "page") == "digits-variational.html"


def test_a_training_says_how_long_it_takes_before_it_begins() -> None:
    assert re.search(r"About \d+ (s|min), on a computer with nothing else to do", words(drawn("train")))
    assert "nothing else to do" not in words(drawn("train", budget="stop"))

"""python -m models: every command, for people and for machines, and what its exit code means."""

import itertools
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import pytest
from engines import wait
from safetensors.numpy import load

from models import architectures, datasets, engine, export, runs, shell
from models.runs import finding
from models.runs import run as run_module
from models.runs.zoo import ZOO
from models.uploads import SHELL

ROOT = Path(__file__).resolve().parents[1]
COMMANDS = ("train", "list", "evaluate", "export", "film", "download")
SMALL = ("train", "--here", "--dataset", "digits", "--architecture", "single-layer", "--epochs", "2")


@pytest.fixture
def say(capsys: pytest.CaptureFixture[str]) -> Any:
    """Runs a command in this process: exit code, standard output (parsed where --json is given), standard error."""

    def run(*arguments: str) -> tuple[int, Any, str]:
        try:
            code = shell.main(list(arguments))
        except SystemExit as end:
            code = int(end.code or 0)
        out, error = capsys.readouterr()
        return code, json.loads(out) if "--json" in arguments and code != 2 else out, error

    return run


def child(*arguments: str, **habits: Any) -> "subprocess.Popen[str]":
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    return subprocess.Popen([sys.executable, "-m", "models", *arguments], cwd=ROOT, **pipes, **habits)


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_explains_itself(say: Any, command: str) -> None:
    code, out, _ = say(command, "--help")
    assert code == 0 and out.startswith("usage: python -m models") and "--json" in out


def test_the_help_names_every_command_and_every_choice(say: Any) -> None:
    assert all(command in say("--help")[1] for command in COMMANDS)
    told = "".join(say("train", "--help")[1].split())  # argparse breaks lines within names, too
    for name in (
        *architectures.available(),
        *datasets.available(),
        *runs.NOISES,
        *runs.LOSSES,
        "--code-size",
        "--tsne",
    ):
        assert name in told
    assert "--claimed" not in told


@pytest.mark.parametrize(
    "arguments",
    [
        (),
        ("fly",),
        ("train", "--colour", "red"),
        ("train", "--tsne", "many"),
        ("train", "--tsne", "5001"),
        ("train", "--tsne", "-1"),
        ("train", "--time", "soon"),
        ("train", "--time", "0"),
        ("train", "--time", "nan"),
        ("evaluate",),
        ("export", "x", "--what", "all"),
        ("train", "--preset", "x", "--configuration", "{}"),
    ],
)
def test_unusable_arguments_end_in_two(say: Any, arguments: tuple[str, ...]) -> None:
    code, out, error = say(*arguments)
    assert code == 2 and "usage:" in error and not out


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("train",), "no dataset and no architecture"),
        (("train", "--dataset", "digitz", "--architecture", "deep"), "digitz"),
        (("train", "--dataset", "digits", "--architecture", "deep", "--code-size", "0"), "1 to 64"),
        (("train", "--dataset", "digits", "--architecture", "deep", "--epochs", "x"), "not of its type"),
        (("train", "--dataset", "digits", "--architecture", "deep", "--epochs", "1e400"), "not of its type"),
        (("train", "--preset", "best"), "single-layer-article"),
        (("train", "--configuration", "{"), "must be a json object"),
        (("train", "--configuration", "[1]"), "must be a json object"),
        (("train", "--configuration", "5"), "must be a json object"),
        ((*SMALL, "--ship"), "zoo"),
        (
            ("train", "--dataset", "digits", "--architecture", "deep", "--epochs", "2", "--time", "9"),
            "cannot be combined",
        ),
        (("evaluate", "nobody"), "nobody"),
        (("export", "nobody"), "nobody"),
        (("download", "nobody"), "nobody"),
    ],
)
def test_problems_end_in_one_and_are_told_to_people_and_machines(
    home: Path, say: Any, arguments: tuple[str, ...], says: str
) -> None:
    code, out, error = say(*arguments)
    assert code == 1 and not out and error.startswith("hourglass: ") and says in error.lower()
    assert "Traceback" not in error
    code, told, error = say(*arguments, "--json")
    assert code == 1 and not error and set(told["error"]) == {"came", "expected", "do"}
    assert says in "; ".join(filter(None, told["error"].values())).lower()


def test_a_time_becomes_the_steps_that_fit(home: Path, say: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """By a clock that goes on by a tenth of a second whenever it is looked at."""
    from models.training import loop

    ticks = itertools.count()
    monkeypatch.setattr(loop, "clock", lambda: next(ticks) / 10)
    digits = ("train", "--dataset", "digits", "--architecture", "single-layer", "--here")
    code, told, _ = say(*digits, "--time", "2", "--json")
    run = runs.open_run(Path(told["folder"]))
    assert (
        code == 0 and 10 <= run.configuration.steady < run.configuration.steps <= 21 and not run.configuration.seconds
    )


def test_a_training_cut_short_does_not_ship(home: Path, say: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """What ships now stays, where somebody stops the training that should have replaced it."""
    from models import training

    monkeypatch.setattr(shell.training, "_ship", lambda *_: pytest.fail("half a training was shipped"))
    train = training.train
    monkeypatch.setattr(training, "train", lambda *given, **named: train(*given, **named, limit=0.0))
    code, _, error = say("train", "--preset", "zoo/digits-single-layer", "--ship")
    assert code == 1 and "ended after 2 of 300 epochs" in error


def test_a_run_is_trained_listed_measured_and_taken_away(
    home: Path, tmp_path: Path, say: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    code, told, error = say(*SMALL, "--json")
    assert code == 0 and not error
    run = runs.open_run(home / "runs" / told["id"])
    assert told["folder"] == str(run.folder) and told["metrics"] == run.stored_card()["metrics"]

    code, again, _ = say(*SMALL, "--json")  # the same choices are the same run: nothing is trained twice
    assert code == 0 and again["training"] == told["training"]
    code, out, _ = say(*SMALL)
    assert code == 0 and run.id in out and "mean squared error" in out

    code, listed, error = say("list", "--json")
    assert code == 0 and not listed["problems"] and not error
    assert [one["id"] for one in listed["runs"] if not one["pretrained"]] == [run.id]
    assert {one["name"] for one in listed["architectures"]} == set(architectures.available())
    assert {one["name"] for one in listed["datasets"]} == set(datasets.available())
    assert run.title in say("list")[1]

    code, measured, _ = say("evaluate", run.id, "--json")
    assert code == 0 and measured["count"] == 179
    assert measured["mse"] == pytest.approx(run.metric("mse"), rel=1e-5) == pytest.approx(measured["stored_mse"])
    assert measured["pca_mse"] == pytest.approx(run.metric("pca_mse"), rel=1e-5)
    assert f"{run.metric('mse'):.6f}" in say("evaluate", run.id)[1]

    for what in ("run", "weights", "encoder", "decoder", "codes"):
        code, told, _ = say("export", run.id, "--what", what, "--json")
        path = tmp_path / told["file"]
        assert code == 0 and path.stat().st_size == told["bytes"] > 100 and run.id[:6] in path.name
    assert runs.unpack((tmp_path / export.file_name(run, "run")).read_bytes()).digest == run.digest
    assert "decoder.0.weight" in load((tmp_path / export.file_name(run, "weights")).read_bytes())
    session = onnxruntime.InferenceSession(tmp_path / export.file_name(run, "decoder"))
    out = session.run(None, {"code": np.asarray(run.codes[:3])})[0]
    np.testing.assert_allclose(out, run.coder.decode(run.codes[:3]), atol=1e-6)
    assert say("export", run.id, "--what", "codes", "--out", "mine.csv")[0] == 0
    assert (tmp_path / "mine.csv").read_text().startswith("row,split,digit,error,z1,z2\n")
    code, _, error = say("export", run.id, "--out", str(tmp_path / "absent" / "x.zip"))
    assert code == 1 and "cannot be written" in error


def test_damaged_runs_are_listed_as_such(digits_run: runs.Run, home: Path, say: Any) -> None:
    place = home / "runs" / digits_run.id
    shutil.copytree(digits_run.folder, place)
    (place / "codes.f32").write_bytes(b"")
    code, _, error = say("evaluate", digits_run.id)
    assert code == 1 and "codes.f32 has 0 bytes" in error
    (place / "run.json").write_text("{")
    code, out, error = say("list")
    assert code == 0 and digits_run.id not in out and f"{digits_run.id} is damaged" in error
    assert digits_run.id in say("list", "--json")[1]["problems"][0]


def test_a_damaged_run_is_trained_again_as_it_says(digits_run: runs.Run, home: Path, say: Any) -> None:
    place = home / "runs" / digits_run.id
    shutil.copytree(digits_run.folder, place)
    (place / "weights.safetensors").unlink()
    code, told, _ = say(*SMALL, "--json")
    assert code == 0 and told["id"] == digits_run.id
    assert runs.open_run(place).card.files["codes.f32"] == digits_run.card.files["codes.f32"]


def test_presets_are_the_articles_and_the_zoos(monkeypatch: pytest.MonkeyPatch) -> None:
    def chosen(*arguments: str) -> runs.Configuration:
        return shell.training._chosen(shell.parser().parse_args(["train", *arguments]))

    article = chosen("--preset", "convolutional-article", "--dataset", "digits", "--epochs", "3")
    assert (article.recipe, article.architecture, article.code_size, article.epochs) == (
        "article",
        "convolutional",
        48,
        3,
    )
    for name, exhibit in ZOO.items():
        if exhibit.choices["dataset"] in datasets.available():
            zoo = chosen("--preset", f"zoo/{name}")
            assert all(getattr(zoo, field) == value for field, value in exhibit.choices.items()) and exhibit.weakness
    given = chosen("--configuration", '{"dataset": "digits", "architecture": "deep", "seed": 4}', "--seed", "5")
    assert (given.architecture, given.seed) == ("deep", 5)


def test_a_run_of_the_zoo_ships_with_its_card(
    home: Path, tmp_path: Path, say: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in (shell.training, finding, run_module):
        monkeypatch.setattr(module, "PRETRAINED", tmp_path / "pretrained")
    ship = ("train", "--preset", "zoo/digits-single-layer", "--epochs", "2", "--ship", "--json")
    assert say(*ship)[0] == 0 == say(*ship)[0]  # a second time takes the place of the first
    folder = tmp_path / "pretrained" / "digits-single-layer"
    run = runs.open_run(folder)
    assert run.pretrained and runs.folder_of("digits-single-layer") == runs.folder_of(run.id) == folder
    card = (folder / "card.md").read_text()
    assert ZOO["digits-single-layer"].weakness in card and f"{run.metric('mse'):.4f}" in card
    assert {one.name for one in (tmp_path / "pretrained").iterdir()} == {"digits-single-layer", "README.md"}
    assert not (home / "runs").exists() and not list((home / "active").iterdir())
    assert runs.find()[0][0].folder == folder
    code, measured, _ = say("evaluate", "digits-single-layer", "--json")
    assert code == 0 and measured["mse"] == pytest.approx(run.metric("mse"), rel=1e-4)


def test_one_training_at_a_time_of_the_same_choices(home: Path, say: Any) -> None:
    engine.submit(runs.configure({"dataset": "digits", "architecture": "single-layer", "epochs": 2}), "a")
    code, _, error = say(*SMALL)
    assert code == 1 and "another process" in error


LONG = ("train", "--dataset", "digits", "--architecture", "single-layer", "--epochs", "10000", "--json")


@pytest.mark.parametrize("here", [True, False])
def test_ctrl_c_keeps_what_was_learnt(home: Path, here: bool) -> None:
    """In the foreground, and in an engine that is started for as long as this takes."""
    chosen = runs.configure({"dataset": "digits", "architecture": "single-layer", "epochs": 10_000})
    process = child(*LONG, *(["--here"] if here else []), env={**os.environ, "HOURGLASS_HOME": str(home)})
    wait(lambda: engine.status(chosen.id).epoch >= 3)
    process.send_signal(signal.SIGINT)
    out, error = process.communicate(timeout=600)
    assert process.returncode == 0, error
    told = json.loads(out)
    run = runs.open_run(home / "runs" / told["id"])
    assert run.configuration.stopped_after == told["training"]["epochs"] >= 3
    assert engine.status(chosen.id) == engine.Status(run.id, "done")
    assert not engine.kept(chosen.id)  # the whole training has still to be done, and can be
    assert run.id in [entry.id for entry in engine.runs(SHELL)]
    assert not engine.engine_alive() or not here


def test_ctrl_c_at_once_keeps_nothing_and_ends_in_three(home: Path) -> None:
    chosen = runs.configure({"dataset": "digits", "architecture": "deep", "epochs": 10_000, "batch_size": 1})
    arguments = ("train", "--here", "--dataset", "digits", "--architecture", "deep", "--epochs", "10000")
    process = child(*arguments, "--batch-size", "1", "--json", env={**os.environ, "HOURGLASS_HOME": str(home)})
    wait(engine.active(chosen.id).is_dir)
    time.sleep(0.2)
    process.send_signal(signal.SIGINT)
    out, error = process.communicate(timeout=600)
    assert process.returncode == 3, error
    assert json.loads(out) == {"stopped": chosen.id} and "Traceback" not in error
    assert engine.status(chosen.id).phase == "unknown" and not engine.active(chosen.id).exists()


def test_a_training_in_the_shell_is_handed_to_the_engine_that_runs(home: Path, say: Any) -> None:
    with engine.EngineSupervisor(workers=1) as keeper:
        engine.wake()
        wait(engine.engine_alive)
        code, told, _ = say(*(part for part in SMALL if part != "--here"), "--seed", "7", "--json")
        assert keeper.process is not None and keeper.process.poll() is None
    assert code == 0 and runs.open_run(home / "runs" / told["id"]).configuration.seed == 7
    code, again, _ = say(*SMALL, "--seed", "7", "--json")  # the same run, whoever trained it
    assert code == 0 and again == told

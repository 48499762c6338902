"""The engine: a training is a process of its own and a folder that grows; pages only read."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from models import Problem, engine, runs


def choose(**choices: object) -> runs.Configuration:
    return runs.configuration({"dataset": "digits", "architecture": "single-layer", "epochs": 2} | choices)


def wait(id_: str, until: Callable[[engine.Status], bool], seconds: float = 90) -> list[engine.Status]:
    """Every different status on the way."""
    seen, end = [engine.status(id_)], time.monotonic() + seconds
    while not until(seen[-1]):
        assert time.monotonic() < end, seen
        time.sleep(0.01)
        if (now := engine.status(id_)) != seen[-1]:
            seen.append(now)
    return seen


def ended(status: engine.Status) -> bool:
    return not status.alive


def test_what_was_never_asked_for_is_unknown(home: Path) -> None:
    for id_ in ("0" * 16, "", "x", "../runs", "/etc"):
        assert engine.status(id_) == engine.Status(id_, "unknown")
        assert not engine.status(id_).alive
    id_ = "0" * 16
    assert engine.history(id_) == [] and engine.forming(id_, 2) is None and engine.strip(id_) is None
    engine.stop(id_)
    assert not home.exists()


@pytest.mark.parametrize("id_", ["..", "../x", "/tmp", "0" * 15, "0" * 16 + "/..", ""])
def test_an_id_from_an_address_leads_nowhere_else(home: Path, id_: str) -> None:
    (home / "active").mkdir(parents=True)
    with pytest.raises(Problem, match="no id of a run"):
        engine.stop(id_)
    assert not list(home.rglob("stop"))


def test_a_training_runs_to_its_end_while_the_page_reads(home: Path) -> None:
    chosen = choose(epochs=60)
    id_ = engine.submit(chosen)
    assert id_ == chosen.id and engine.submit(chosen) == id_  # twice the same is once
    folders = list((home / "active").iterdir())
    assert folders == [engine.active(id_)]

    wait(id_, lambda status: status.epoch >= 5)
    assert engine.configuration(id_) == chosen
    history = engine.history(id_)
    assert [line["epoch"] for line in history] == list(range(1, len(history) + 1))
    codes, labels = engine.forming(id_, 2)
    assert codes.shape == (1000, 2) and labels.shape == (1000,) and np.isfinite(codes).all()
    strip = engine.strip(id_)
    assert strip.shape == (2, 8, 8, 8, 1) and strip.dtype == np.uint8

    seen = wait(id_, ended)
    phases = list(dict.fromkeys(status.phase for status in seen))
    assert phases == sorted(phases, key=("preparing", "training", "measuring", "done").index), phases
    assert phases[-1] == "done" and seen[-1].problem is None
    run = runs.open_run(runs.folder_of(id_))
    assert run.about["training"]["epochs"] == 60 and not engine.active(id_).exists()
    assert sorted(run.about["files"]) == sorted(
        str(path.relative_to(run.folder))
        for path in run.folder.rglob("*")
        if path.is_file() and path.name != "run.json"
    )
    # what is done is done: no second process
    before = (run.folder / "run.json").stat().st_mtime_ns
    assert engine.submit(chosen) == id_ and not engine.active(id_).exists()
    assert (run.folder / "run.json").stat().st_mtime_ns == before


def test_stop_keeps_what_was_learnt_and_a_killed_worker_is_told(home: Path) -> None:
    """Two trainings of one long configuration, one after the other."""
    chosen = choose(epochs=10_000)
    id_ = engine.submit(chosen)
    wait(id_, lambda status: status.epoch >= 3)
    engine.stop(id_)
    end = wait(id_, ended)[-1]
    assert end.phase == "done" and end.id != id_
    run = runs.open_run(runs.folder_of(end.id))
    assert run.configuration.stopped_after == run.about["training"]["epochs"] >= 3

    assert engine.submit(chosen) == id_  # the whole of it was not done yet
    assert engine.status(id_).alive and engine.status(id_).id == id_
    wait(id_, lambda status: status.epoch >= 2)
    os.kill(json.loads((engine.active(id_) / "status.json").read_text())["pid"], signal.SIGKILL)
    end = wait(id_, ended)[-1]
    assert end.phase == "failed" and "ended without a word" in str(end.problem) and "train again" in end.problem.do

    assert engine.submit(chosen) == id_ and engine.status(id_).alive  # and it can be tried again
    wait(id_, lambda status: status.epoch >= 1)
    engine.stop(id_)
    wait(id_, ended)


def test_a_worker_that_dies_before_its_first_word_is_told(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", shutil.which("false"))
    chosen = choose()
    id_ = engine.submit(chosen)
    end = wait(id_, ended, seconds=10)[-1]
    assert end.phase == "failed" and "ended without a word" in str(end.problem)
    assert engine.claim(chosen)


def test_the_last_words_of_a_worker_are_handed_on(home: Path) -> None:
    chosen = choose()
    assert engine.claim(chosen)
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    (engine.active(chosen.id) / "pid").write_text(str(process.pid))
    (engine.active(chosen.id) / "log.txt").write_text("Traceback\nMemoryError: 9 GB\n\n")
    assert "its last words: MemoryError: 9 GB" in engine.status(chosen.id).problem.came


def test_a_problem_of_the_worker_reaches_the_page(home: Path) -> None:
    chosen = choose()
    assert engine.claim(chosen)
    status = {"phase": "failed", "what": "failed", "share": 0, "epoch": 1, "epochs": 2, "pid": os.getpid()}
    told = {**status, "problem": ["the disk is full", "space", "free some"]}
    (engine.active(chosen.id) / "status.json").write_text(json.dumps(told))
    status = engine.status(chosen.id)
    assert status.phase == "failed" and str(status.problem) == "The disk is full. Space. Free some."
    assert engine.claim(chosen)  # what failed makes room for another try
    assert engine.status(chosen.id).phase == "preparing"


def test_choices_that_cannot_be_are_told_before_anything_starts(home: Path) -> None:
    with pytest.raises(Problem, match="1 to 64"):
        engine.submit(runs.Configuration("digits", "single-layer", code_size=99))
    assert not home.exists()


def test_a_home_that_cannot_be_written_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for place in ("/proc/hourglass", str(tmp_path / "file")):
        (tmp_path / "file").write_text("")
        monkeypatch.setenv("HOURGLASS_HOME", place)
        with pytest.raises(Problem, match="cannot be written") as told:
            engine.submit(choose())
        assert "HOURGLASS_HOME" in told.value.do


def test_half_a_line_of_history_waits_for_its_other_half(home: Path) -> None:
    chosen = choose()
    assert engine.claim(chosen)
    (engine.active(chosen.id) / "history.jsonl").write_text('{"epoch": 1}\n{"epoch": 2}\n{"epo')
    assert [line["epoch"] for line in engine.history(chosen.id)] == [1, 2]
    (engine.active(chosen.id) / "strip.npy").write_bytes(b"\x93NUMPY")
    assert engine.strip(chosen.id) is None


def test_a_run_that_was_there_first_stays(digits_run: runs.Run, home: Path) -> None:
    place = home / "runs" / digits_run.id
    shutil.copytree(digits_run.folder, place)
    (place / "run.json").write_text((place / "run.json").read_text() + " ")  # another digest, still whole
    digest = runs.open_run(place).digest
    growing = shutil.copytree(digits_run.folder, engine.active(digits_run.id))
    engine.finished(digits_run.id, runs.open_run(growing))
    assert runs.open_run(place).digest == digest and not growing.exists()

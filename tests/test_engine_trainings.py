"""Trainings on an engine that all of these tests share: what pages see of them, and how they end."""

import dataclasses
import json
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import psutil
import pytest
from conftest import trained
from engines import choose, ended, one_worker, wait, written

from models import PROJECT, Problem, engine, runs
from models.engine import queue


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The home of an engine with one worker."""
    with one_worker(tmp_path_factory.mktemp("shared") / "home") as home:
        yield home


@pytest.fixture
def home(shared: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """That home, for one test: it has owners of its own."""
    monkeypatch.setenv("HOURGLASS_HOME", str(shared))
    return shared


def test_a_training_runs_to_its_end_while_the_page_reads(home: Path) -> None:
    chosen = choose(epochs=60)
    id_ = engine.submit(chosen, "a")
    assert id_ == chosen.id and engine.submit(chosen, "b") == id_  # twice the same is once
    seen = []
    while (status := engine.status(id_)).alive and len(seen) < 100_000:
        seen.append(status)
        time.sleep(0.02)
        if status.epoch >= 5 and "forming" not in locals():
            forming, strip = engine.codes(id_), engine.strip(id_)
            assert engine.configuration(id_) == chosen and engine.gpus() == 0
            early = engine.codes(id_, 1)
    assert forming is not None and strip is not None and early is not None
    assert forming[0].shape == (1000, 2) and forming[1].shape == (1000,) and np.isfinite(forming[0]).all()
    assert not np.array_equal(early[0], forming[0])
    assert strip.shape == (2, 8, 8, 8, 1) and strip.dtype == np.uint8
    phases = list(dict.fromkeys(status.phase for status in seen))
    assert phases == sorted(phases, key=("queued", "preparing", "training", "measuring").index), phases
    assert engine.status(id_) == engine.Status(id_, "done")
    run = runs.open_run(runs.folder_of(id_))
    assert run.card.training.epochs == 60 and not engine.active(id_).exists()
    assert sorted(run.card.files) == sorted(
        str(path.relative_to(run.folder))
        for path in run.folder.rglob("*")
        if path.is_file() and path.name not in ("run.json", *runs.DERIVED, queue.OWNERS)
    )
    wait(lambda: [entry.state for entry in engine.runs("a")] == ["done"])
    # what is done is done: it is not trained again
    before = (run.folder / "run.json").stat().st_mtime_ns
    assert engine.submit(chosen, "c") == id_ and engine.status(id_).phase == "done"
    assert (run.folder / "run.json").stat().st_mtime_ns == before

    # Stopped early it is a run of its own, for all who asked; cancelled, its checkpoint waits.
    long = choose(epochs=10_000)
    id_ = engine.submit(long, "a")
    engine.submit(long, "b")
    wait(lambda: written(id_) >= 3)
    assert not engine.cancel(id_, "a", keep=True)  # b wants the whole of it
    assert not engine.cancel(id_, "a")
    assert engine.cancel(id_, "b", keep=True)
    end = ended(id_)
    assert end.phase == "done" and end.id != id_
    stopped = runs.open_run(runs.folder_of(end.id))
    assert stopped.configuration.stopped_after == stopped.card.training.epochs >= 3
    for owner in "ab":
        assert end.id in [entry.id for entry in engine.runs(owner)] and id_ not in [e.id for e in engine.runs(owner)]

    assert engine.submit(long, "a") == id_  # the whole of it was not done yet
    wait((engine.active(id_) / "checkpoint.safetensors").is_file)
    before = written(id_)
    assert engine.cancel(id_, "a") and engine.status(id_).phase == "cancelled"
    wait(lambda: still(engine.active(id_) / "history.jsonl"))
    assert written(id_) - before < 200  # a few seconds' worth, of ten thousand
    reached = written(id_)
    assert engine.submit(long, "a") == id_
    wait(lambda: written(id_) > reached)
    assert [line["epoch"] for line in engine.progress(id_)] == list(range(1, written(id_) + 1))
    engine.delete(id_, "stranger")
    with pytest.raises(Problem, match="Cancel it first"):
        engine.delete(id_, "a")
    engine.cancel(id_, "a")
    wait(lambda: still(engine.active(id_) / "history.jsonl"))
    engine.delete(id_, "a")
    assert engine.active(id_).exists()  # b asked for it once, and has it on the list
    engine.delete(id_, "b")
    assert not engine.active(id_).exists() and engine.status(id_).phase == "unknown"


def still(path: Path) -> bool:
    """Nothing is written for a fifth of a second."""
    before = path.stat().st_size
    time.sleep(0.2)
    return path.stat().st_size == before


def test_a_stop_cools_down(home: Path) -> None:
    chosen = choose(architecture="modern", epochs=10_000)
    id_ = engine.submit(chosen, "a")
    wait(lambda: written(id_) >= 5)
    assert engine.cancel(id_, "a", keep=True, cool=True)
    wait(lambda: engine.status(id_).what == "cooling down" or not engine.status(id_).alive)
    begun = time.monotonic()
    end = ended(id_)
    assert time.monotonic() - begun > 1
    cooled = runs.open_run(runs.folder_of(end.id))
    best = min(line["validation"] for line in cooled.history())
    assert cooled.metric("mse") is not None and cooled.configuration.stopped_after == len(cooled.history())
    assert cooled.metric("mse") < 1.1 * best  # a rate that never fell would leave it above its best epoch


def test_a_stop_outlives_the_worker_that_was_told(home: Path) -> None:
    id_ = engine.submit(choose(architecture="modern", epochs=10_000, seed=1), "a")
    wait((engine.active(id_) / "checkpoint.safetensors").exists)
    assert engine.cancel(id_, "a", keep=True, cool=True)
    wait(lambda: engine.status(id_).what == "cooling down")
    psutil.Process(json.loads((engine.active(id_) / "status.json").read_text())["pid"]).kill()
    end = ended(id_)
    assert end.phase == "done" and end.id != id_
    kept = runs.open_run(runs.folder_of(end.id))
    assert kept.configuration.cooled and kept.configuration.stopped_after == len(kept.history()) < 10_000
    ticket = queue.ticket(id_)
    assert ticket is not None and ticket.attempt == 2
    # Asked for anew it is to be trained to its end.
    assert engine.submit(choose(architecture="modern", epochs=10_000, seed=1), "a") == id_
    wait(lambda: written(id_) > 9)
    assert engine.cancel(id_, "a")


def test_a_run_that_is_done_already_leaves_no_folder_behind(home: Path) -> None:
    """As when its worker was lost just after it had finished: it is asked for again, and there is nothing to do."""
    run = trained(seed=20)
    with queue.opened(write=True) as connection:
        queue.add(connection, run.id, dataclasses.asdict(run.configuration), "again", "cpu", "queued")
    engine.wake()
    wait(lambda: [entry.state for entry in engine.runs("again")] == ["done"] and queue.ticket(run.id).state == "done")
    wait(lambda: not engine.active(run.id).exists())


def test_a_problem_of_the_training_reaches_the_page_and_the_rest_goes_on(home: Path) -> None:
    fine = engine.submit(choose(seed=21), "other")
    with queue.opened(write=True) as connection:  # as an older version may have left it
        queue.add(connection, "f" * 16, dataclasses.asdict(choose()) | {"dataset": "gone"}, "unlucky", "cpu", "queued")
    assert ended(fine).phase == "done"
    gone = ended("f" * 16)
    wait(lambda: not engine.active(gone.id).exists())  # nothing is left to go on from
    assert gone.phase == "failed" and "gone" in str(gone.problem)
    assert [str(entry.problem) for entry in engine.runs("unlucky")] == [str(gone.problem)]

    # The queue is deleted while something trains: that goes on, and is known again.
    id_ = engine.submit(choose(epochs=10_000, seed=22), "loser")
    wait(lambda: written(id_) >= 2)
    for path in home.glob("queue.db*"):
        path.unlink()
    wait(lambda: queue.ticket(id_) is not None and engine.status(id_).phase == "training")
    assert [entry.id for entry in engine.runs("loser")] == [id_]
    assert engine.cancel(id_, "loser") and engine.status(id_).phase == "cancelled"

    # A second engine on this folder refuses; the first one goes on.
    second = subprocess.run(
        [sys.executable, "-m", "models.engine"],
        cwd=PROJECT,
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert second.returncode == 1 and "another engine already serves" in second.stderr.lower()
    assert ended(engine.submit(choose(seed=23), "loser")).phase == "done"


def test_an_engine_leaves_alone_what_it_does_not_understand(home: Path) -> None:
    strange, broken = choose(seed=24).id, choose(seed=25).id
    with queue.opened(write=True) as connection:
        connection.execute("ALTER TABLE runs ADD COLUMN colour TEXT DEFAULT 'red'")
        later = dataclasses.asdict(choose(seed=24)) | {"temperature": 0.5}
        queue.add(connection, strange, later, "later", "cpu", "queued")
        queue.add(connection, broken, dataclasses.asdict(choose(seed=25)), "later", "cpu", "queued")
        connection.execute("UPDATE runs SET configuration = '{' WHERE id = ?", [broken])
    assert ended(engine.submit(choose(seed=26), "b")).phase == "done"
    with queue.opened() as connection:
        rows = connection.execute("SELECT state FROM runs WHERE id IN (?, ?)", [strange, broken]).fetchall()
    assert [row["state"] for row in rows] == ["queued", "queued"] and not engine.active(strange).exists()

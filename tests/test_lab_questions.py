"""Questions to labs on an engine that all of these tests share: asked, answered, given up, and what is told of them."""

import dataclasses
from collections.abc import Iterator
from pathlib import Path

import pytest
from engines import one_worker, wait

from models import engine, runs
from models.engine import queue
from models.labs import compress
from models.runs import Run


def opened(name: str) -> Run:
    return runs.open_run(runs.folder_of(name))


@pytest.fixture(scope="module")
def asked_home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The home of an engine with one worker."""
    with one_worker(tmp_path_factory.mktemp("asked") / "home") as home:
        yield home


@pytest.fixture
def with_engine(asked_home: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("HOURGLASS_HOME", str(asked_home))
    return asked_home


def test_a_question_is_answered_once_for_everybody(with_engine: Path) -> None:
    run = opened("digits-modern-8")
    asked = engine.question(compress.LAB, run, {"images": 50})
    assert engine.standing(asked).phase == "unasked" and engine.kept_answer(asked) is None
    engine.ask(asked, "a")
    engine.ask(asked, "b")
    wait(lambda: engine.standing(asked).phase == "answered")
    found = engine.kept_answer(asked)
    assert (
        found is not None and found.facts["count"] == 50 and found.arrays["codes"].shape == (len(compress.SHARES), 8, 8)
    )

    def left() -> list[int]:
        with queue.opened() as connection:
            tables = ("questions", "askers")
            return [connection.execute(f"SELECT COUNT(*) FROM {table}").fetchone()[0] for table in tables]

    wait(lambda: left() == [0, 0])
    assert not [path for path in asked.folder.iterdir() if path.name[0] == "."]


def test_a_question_that_nobody_waits_for_ends(with_engine: Path) -> None:
    run = opened("mnist-modern-30")
    asked = engine.question(compress.LAB, run, {"images": 10_000})
    engine.ask(asked, "a")
    engine.ask(asked, "b")
    wait(lambda: engine.standing(asked).phase == "running" and engine.standing(asked).share > 0)
    engine.withdraw(asked, "a")
    assert engine.standing(asked).phase == "running", "somebody still waits"
    engine.withdraw(asked, "b")
    wait(lambda: not asked.progress.exists())
    assert engine.standing(asked).phase == "unasked" and engine.kept_answer(asked) is None
    quick = engine.question(compress.LAB, opened("digits-modern-8"), {"images": 20})
    engine.ask(quick, "a")  # the worker is free again
    wait(lambda: engine.standing(quick).phase == "answered")


def test_what_cannot_be_answered_is_told_and_may_be_asked_again(with_engine: Path) -> None:
    asked = dataclasses.replace(engine.question(compress.LAB, opened("digits-modern-8"), {}), digest="0" * 16)
    engine.ask(asked)
    wait(lambda: engine.standing(asked).phase == "failed")
    problem = engine.standing(asked).problem
    assert problem is not None and "another version" in str(problem)
    engine.ask(asked)
    assert engine.standing(asked).phase in ("queued", "running", "failed")
    wait(lambda: engine.standing(asked).phase == "failed")

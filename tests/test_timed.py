"""A training for a time: it keeps it, beside whatever else the computer does, and goes on to the same weights."""

import dataclasses
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from models import Problem, engine, runs, training
from models.training import loop
from models.training.schedules import STEADY, WARM, Timetable


class Clock:
    """A clock that only steps move: by `each(step)` seconds, as a busy computer has it."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, each: Callable[[int], float]) -> None:
        self.now, self.steps, step = 0.0, 0, training.Training._step

        def stepped(work: training.Training, *given: object) -> object:
            self.now += each(self.steps)
            self.steps += 1
            return step(work, *given)  # type: ignore[arg-type]

        monkeypatch.setattr(training.Training, "_step", stepped)
        monkeypatch.setattr(loop, "clock", lambda: self.now)
        monkeypatch.setattr(loop, "CHECKPOINT", 0.0)


def asked(**choices: object) -> runs.Configuration:
    return runs.configure({"dataset": "digits", "architecture": "single-layer", "batch_size": 64, **choices})


def fresh(folder: Path) -> Path:
    folder.mkdir()
    return folder


def same(one: runs.Run, other: runs.Run) -> bool:
    return (one.folder / "weights.safetensors").read_bytes() == (other.folder / "weights.safetensors").read_bytes()


@pytest.mark.parametrize("slow", [1.0, 0.2, 5.0])
def test_it_takes_its_time_whatever_the_speed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, slow: float) -> None:
    """Faster or slower than anybody measured at rest, and also where the first steps are the slowest."""
    clock = Clock(monkeypatch, lambda step: 0.01 * slow * (3 if step < 10 else 1))
    run = training.train(asked(seconds=5), fresh(tmp_path / "x"), tsne=0)
    assert clock.now == pytest.approx(5, rel=0.1) and run.card.training.seconds == pytest.approx(clock.now)
    told = run.configuration
    assert told.steps == clock.steps and told.steady == pytest.approx(clock.steps / 2, rel=0.25)
    assert (told.seconds, told.stopped_after, told.epochs) == (0, None, len(run.history()))
    assert run.history()[-1]["learning_rate"] < 0.1 * told.learning_rate


def test_others_who_come_before_the_rate_falls_do_not_make_it_longer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The speed that counts is that of this room, in which it became four times as slow after a second."""
    clock = Clock(monkeypatch, lambda step: 0.01 if step < 100 else 0.04)
    training.train(asked(seconds=10), fresh(tmp_path / "x"), tsne=0)
    assert 8 < clock.now < 12.5


def test_less_than_an_epoch_is_enough(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock(monkeypatch, lambda _: 1.0)
    run = training.train(asked(seconds=6), fresh(tmp_path / "x"), tsne=0)
    assert (
        clock.steps == 6 and len(run.history()) == 1 and (run.configuration.steady, run.configuration.steps) == (3, 6)
    )
    longer = training.train(asked(seconds=0.5), fresh(tmp_path / "y"), tsne=0)  # a step takes twice as long
    assert longer.configuration.steps == 2


def test_the_same_steps_are_the_same_run_without_a_clock(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        Clock(patch, lambda _: 0.01)
        run = training.train(asked(seconds=1), fresh(tmp_path / "x"), tsne=0)
    again = training.train(run.configuration, fresh(tmp_path / "y"), tsne=0)
    assert again.id == run.id and same(run, again)
    assert asked(seconds=1).id != run.id != asked(epochs=run.configuration.epochs).id
    with pytest.raises(Problem, match="5 of 3 steps"):
        asked(steps=3, steady=5)


@pytest.mark.parametrize("at", [0.8, 0.6])
def test_killed_after_the_fall_it_ends_with_the_same_weights(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, at: float
) -> None:
    """Killed later than its last checkpoint, on a computer that is three times as fast when it goes on."""
    with monkeypatch.context() as patch:
        Clock(patch, lambda _: 0.01)
        alone = training.train(asked(seconds=4), fresh(tmp_path / "alone"), tsne=0)

    class Killed(Exception):
        pass

    folder = fresh(tmp_path / "x")
    with monkeypatch.context() as patch:
        clock = Clock(patch, lambda _: 0.01)
        step = training.Training._step

        def dies(work: training.Training, *given: object) -> object:
            if clock.now > 4 * at:
                raise Killed
            return step(work, *given)  # type: ignore[arg-type]

        patch.setattr(training.Training, "_step", dies)
        with pytest.raises(Killed):
            training.train(asked(seconds=4), folder, tsne=0)
    plan = json.loads((folder / "plan.json").read_text())
    assert plan == {"steady": alone.configuration.steady, "steps": alone.configuration.steps}
    with monkeypatch.context() as patch:
        Clock(patch, lambda _: 0.003)
        after = training.train(asked(seconds=4), folder, tsne=0)
    assert after.id == alone.id and same(after, alone)
    assert [line["epoch"] for line in after.history()] == list(range(1, alone.configuration.epochs + 1))


def test_killed_just_after_the_fall_its_steps_stand_though_the_checkpoint_is_older(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = fresh(tmp_path / "x")
    write = runs.write_whole

    def dies(path: Path, content: bytes) -> None:
        write(path, content)
        if path.name == "plan.json":
            raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        Clock(patch, lambda _: 0.01)
        patch.setattr(runs, "write_whole", dies)
        with pytest.raises(KeyboardInterrupt):
            training.train(asked(seconds=2), folder, tsne=0)
    plan = json.loads((folder / "plan.json").read_text())
    with monkeypatch.context() as patch:
        Clock(patch, lambda _: 0.05)
        run = training.train(asked(seconds=2), folder, tsne=0)
    assert (run.configuration.steady, run.configuration.steps) == (plan["steady"], plan["steps"])
    again = training.train(run.configuration, fresh(tmp_path / "y"), tsne=0)
    assert same(run, again)


def test_killed_before_the_fall_it_goes_on_with_the_time_that_is_left(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = fresh(tmp_path / "x")
    with monkeypatch.context() as patch:
        clock = Clock(patch, lambda _: 0.01)
        step = training.Training._step

        def dies(work: training.Training, *given: object) -> object:
            if clock.now > 1.5:
                raise KeyboardInterrupt
            return step(work, *given)  # type: ignore[arg-type]

        patch.setattr(training.Training, "_step", dies)
        with pytest.raises(KeyboardInterrupt):
            training.train(asked(seconds=4), folder, tsne=0)
    assert not (folder / "plan.json").exists()
    clock = Clock(monkeypatch, lambda _: 0.01)
    run = training.train(asked(seconds=4), folder, tsne=0)
    assert run.card.training.seconds == pytest.approx(4, rel=0.05) and clock.now < 2.9


def test_stopped_in_its_time_it_says_so_and_the_articles_rate_never_falls(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    Clock(monkeypatch, lambda _: 0.01)
    article = training.train(asked(seconds=1, recipe="article"), fresh(tmp_path / "a"), tsne=0)
    assert {line["learning_rate"] for line in article.history()} == {article.configuration.learning_rate}
    assert article.configuration.steady == article.configuration.steps == 100
    log = training.Training._log

    def stopping(work: training.Training, line: dict[str, object], *more: object) -> None:
        log(work, line, *more)  # type: ignore[arg-type]
        if line["epoch"] == 2:
            engine.control(work.folder, 1, "keep")

    monkeypatch.setattr(training.Training, "_log", stopping)
    monkeypatch.setattr(training.report, "LOOK", 0.0)
    stopped = training.train(asked(seconds=100), fresh(tmp_path / "b"), tsne=0)
    assert stopped.configuration == dataclasses.replace(asked(seconds=100), stopped_after=2)


def test_the_rate_rises_stays_and_falls_to_nothing() -> None:
    table = Timetable(10.0, 10_000)
    assert not table.fix(0, 9.0) and not table.fix(250, 5 * STEADY) and table.rate(250) == 1
    assert table.fix(500, 5.0) and (table.steady, table.steps) == (500, 1000)
    assert not table.fix(600, 6.0)
    rates = [table.rate(step) for step in range(1000)]
    assert rates[0] == 1 / WARM and rates[WARM - 1 : 501] == [1.0] * (502 - WARM)
    assert rates[501:] == sorted(rates[501:], reverse=True) and 0 < rates[-1] == pytest.approx(1 / 500)
    few = Timetable(10.0, 100)  # no training has more steps than these
    assert few.fix(50, 0.5) and few.steps == 100


def test_who_asks_again_for_the_time_gets_the_run_that_it_became(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine.submitting, "wake", lambda: None)
    Clock(monkeypatch, lambda _: 0.01)
    chosen = asked(seconds=1)
    run = training.train(chosen, engine.active(chosen.id), engine.claim(chosen.id), tsne=0)
    engine.finished(chosen.id, run)
    engine.adopt(run, "a", chosen)
    assert engine.submit(chosen, "b") == run.id and engine.status(chosen.id) == engine.Status(run.id, "done")
    assert [entry.id for entry in engine.runs("b")] == [run.id]
    with pytest.raises(Problem, match="seconds of training are too many"):
        engine.submit(asked(seconds=7200), "b")

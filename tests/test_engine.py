"""The engine: what is asked for is trained once, for everybody, whatever is killed meanwhile; and nobody waits unfairly."""

import configparser
import contextlib
import getpass
import json
import os
import random
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import psutil
import pytest
import torch
from conftest import trained
from engines import choose, ended, held, wait, written

from models import PROJECT, Problem, close_home, engine, export, runs
from models.engine import queue
from models.engine.queue import Ticket
from models.uploads import SHELL


@pytest.fixture
def keeper(home: Path) -> Iterator[engine.EngineSupervisor]:
    """An engine with one worker, as the app keeps one; started when it is needed."""
    with engine.EngineSupervisor(workers=1) as kept:
        yield kept


@pytest.fixture
def pair(home: Path) -> Iterator[engine.EngineSupervisor]:
    """An engine with two workers."""
    with engine.EngineSupervisor(workers=2) as kept:
        yield kept


# Without an engine: what pages ask and write


def test_what_was_never_asked_for_is_unknown(home: Path) -> None:
    for id_ in ("0" * 16, "", "x", "../runs", "/etc"):
        assert engine.status(id_) == engine.Status(id_, "unknown")
        assert not engine.status(id_).alive
    id_ = "0" * 16
    assert engine.progress(id_) == [] and engine.codes(id_) is None and engine.strip(id_) is None
    assert engine.runs("a") == [] and engine.names("a") == {} and engine.gpus() == 0
    assert not home.exists()


@pytest.mark.parametrize("id_", ["..", "../x", "/tmp", "0" * 15, "0" * 16 + "/..", ""])
def test_an_id_from_an_address_leads_nowhere_else(home: Path, id_: str) -> None:
    for ask in (engine.active, engine.claim, engine.progress):
        with pytest.raises(Problem, match="id of a run has 16 hex digits"):
            ask(id_)
    assert not home.exists()


def test_asking_is_answered_without_an_engine_and_waits_in_the_open(home: Path) -> None:
    """How soon it is answered `benchmarks/engine.py` measures."""
    id_ = engine.submit(choose(), "a")
    status = engine.status(id_)
    assert (status.phase, status.ahead, status.wait, status.alive) == ("queued", 0, None, True)
    assert "no engine is running" in status.what
    (entry,) = engine.runs("a")
    assert (entry.id, entry.state, entry.configuration, entry.run) == (id_, "queued", choose(), None)
    assert engine.runs("c") == []


def test_two_hundred_who_ask_for_the_same_get_one_run(home: Path) -> None:
    chosen, ids = choose(), []
    threads = [threading.Thread(target=lambda i=i: ids.append(engine.submit(chosen, f"o{i}"))) for i in range(200)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert ids == [chosen.id] * 200
    with queue.opened() as connection:
        (ticket,) = queue.tickets(connection, *queue.STATES)
    assert len(ticket.owners) == 200


def tickets(*owners: str) -> list[Ticket]:
    """A queue of these owners' runs, in this order; "a+b" is a run that both wait for."""
    none = {
        "device": "cpu",
        "attempt": 0,
        "tries": 0,
        "stop_request": None,
        "asked": 0.0,
        "started": None,
        "ended": None,
    }
    return [
        Ticket(i, f"{i:016x}", {}, "queued", became=None, problem=None, owners=tuple(name.split("+")), **none)
        for i, name in enumerate(owners)
    ]


@pytest.mark.parametrize(
    ("waiting", "running", "served", "expected"),
    [
        (["a", "a", "a", "b", "c"], [], {}, ["a", "b", "c", "a", "a"]),
        (["a", "a", "b"], ["a"], {}, ["b", "a", "a"]),
        (["a", "b", "c"], [], {"a": 3, "b": 1, "c": 2}, ["b", "c", "a"]),
        (["a", "b"], [], {}, ["a", "b"]),
        (["a", "a", "a+b"], [], {"a": 5}, ["a+b", "a", "a"]),
        (["a", "b"], ["a", "b", "b"], {}, ["a", "b"]),
    ],
)
def test_turns_are_fair(waiting: list[str], running: list[str], served: dict[str, int], expected: list[str]) -> None:
    order = queue.order(tickets(*waiting), tickets(*running), served)
    assert ["+".join(ticket.owners) for ticket in order] == expected


def by_the_rule(waiting: list[Ticket], running: list[Ticket], served: dict[str, int]) -> list[Ticket]:
    """`queue.order` as its rule says it, one after the other."""
    busy: dict[str, int] = {}
    for one in running:
        for owner in one.owners:
            busy[owner] = busy.get(owner, 0) + 1
    turns, last, left, out = dict(served), max(served.values(), default=0), list(waiting), []
    while left:
        chosen = min(left, key=lambda one: (*min((busy.get(o, 0), turns.get(o, 0)) for o in one.owners), one.place))
        left.remove(chosen)
        out.append(chosen)
        last += 1
        for owner in chosen.owners:
            busy[owner], turns[owner] = busy.get(owner, 0) + 1, last
    return out


def test_the_order_is_that_of_the_rule() -> None:
    for seed in range(300):
        dice = random.Random(seed)
        names = [f"o{i}" for i in range(dice.randint(1, 6))]
        some = ["+".join(dice.sample(names, dice.randint(1, min(3, len(names))))) for _ in range(dice.randint(0, 15))]
        waiting, running = tickets(*some), tickets(*dice.choices(names, k=dice.randint(0, 4)))
        served = {name: dice.randint(0, 5) for name in names if dice.random() < 0.5}
        dice.shuffle(waiting)
        assert queue.order(waiting, running, served) == by_the_rule(waiting, running, served), seed


def test_four_times_as_many_that_wait_take_about_four_times_as_long() -> None:
    """Not sixteen times: with thousands that wait the engine would do nothing else."""

    def seconds(count: int) -> float:
        waiting, took = tickets(*(f"o{i % 150}" for i in range(count))), []
        for _ in range(3):
            begun = time.process_time()
            queue.order(waiting, [], {})
            took.append(time.process_time() - begun)
        return min(took)

    assert seconds(4000) < 9 * seconds(1000)


def test_nobody_waits_behind_anothers_second_run(home: Path) -> None:
    """One owner asks for twenty, then 199 others for one each."""
    line = queue.order(tickets(*["greedy"] * 20, *(f"o{i}" for i in range(199))), [], {})
    first = [ticket.owners[0] for ticket in line[:200]]
    assert len(set(first)) == 200 and {ticket.owners[0] for ticket in line[200:]} == {"greedy"}


def test_a_run_opened_again_keeps_its_place_in_time(home: Path, digits_run: runs.Run) -> None:
    engine.adopt(digits_run, "a")
    with queue.opened(write=True) as connection:
        connection.execute("UPDATE owners SET asked = 100")
    engine.adopt(digits_run, "a")
    assert [entry.asked for entry in engine.runs("a") if entry.id == digits_run.id] == [100]


def test_cancelling_withdraws_one_interest(home: Path) -> None:
    id_ = engine.submit(choose(), "a")
    engine.submit(choose(), "b")
    assert not engine.cancel(id_, "stranger")  # a link does not let one end what others asked for
    assert not engine.cancel(id_, "a") and engine.status(id_).phase == "queued"
    assert engine.cancel(id_, "b") and engine.status(id_).phase == "cancelled"
    assert engine.submit(choose(), "a") == id_ and engine.status(id_).phase == "queued"
    assert [entry.state for entry in engine.runs("b")] == ["queued"]  # still on the list of who once asked


def test_a_queue_that_was_locked_for_a_while_is_not_said_to_be_so_for_ever(
    keeper: engine.EngineSupervisor, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (home / "ahead").mkdir(parents=True)  # the engine waits for a lock as long as anybody: here it gives up soon
    (home / "ahead" / "sitecustomize.py").write_text(
        "import sqlite3\nconnect = sqlite3.connect\n"
        "sqlite3.connect = lambda *a, **k: connect(*a, **k | {'timeout': 0.1})\n"
    )
    monkeypatch.setenv("PYTHONPATH", str(home / "ahead"))
    assert ended(engine.submit(choose(), "a")).phase == "done"
    other = sqlite3.connect(queue.path(), isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    wait(lambda: "is locked by another program" in (home / "engine.log").read_text())
    other.rollback()
    other.close()
    assert ended(engine.submit(choose(seed=1), "a")).phase == "done"
    assert engine.engine_problem() is None


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("HOURGLASS_WAITING", "2", "3 waiting runs are too many; at most 2 are allowed"),
        ("HOURGLASS_EPOCHS", "40", "50 epochs are too many; at most 40 are allowed"),
        ("HOURGLASS_PARAMETERS", "100", "parameters are too many; at most 100"),
        ("HOURGLASS_EPOCHS", "many", "HOURGLASS_EPOCHS must be a whole number above 0; it is “many”"),
        ("HOURGLASS_SECONDS", "0", "HOURGLASS_SECONDS must be a whole number above 0; it is “0”"),
    ],
)
def test_limits_are_told_with_their_numbers(
    home: Path, monkeypatch: pytest.MonkeyPatch, name: str, value: str, said: str
) -> None:
    for seed in (1, 2):
        engine.submit(choose(seed=seed), "a")
    monkeypatch.setenv(name, value)
    with pytest.raises(Problem, match=said):
        engine.submit(choose(seed=3, epochs=50), "a")
    if "many" not in value and value != "0":
        engine.submit(choose(seed=3, epochs=50), SHELL)  # the shell has none
        if name == "HOURGLASS_WAITING":
            engine.submit(choose(seed=4), "b")  # each owner has their own


def test_a_problem_is_stored_and_read_again() -> None:
    """Three parts, as every version wrote them; a part that is absent is null."""
    for problem in (Problem("it is full", "1 fits", "wait"), Problem("it is full", do="wait"), Problem("it is full")):
        again = queue.as_problem(json.dumps(problem.parts))
        assert again is not None and again.parts == problem.parts and str(again) == str(problem)
    for text in (None, "", "{}", '["a", "b"]', '[null, "b", "c"]', '["a", 1, "c"]'):
        assert queue.as_problem(text) is None


def test_so_much_may_wait_of_everybody_together(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A browser without a cookie is somebody new each time."""
    monkeypatch.setenv("HOURGLASS_QUEUED", "3")
    ids = [engine.submit(choose(seed=seed), f"visitor {seed}") for seed in range(3)]
    with pytest.raises(Problem, match="3 runs of all visitors are waiting already; at most 3 may wait"):
        engine.submit(choose(seed=4), "visitor 4")
    assert engine.submit(choose(seed=0), "visitor 4") == ids[0]  # that one waits anyway
    engine.submit(choose(seed=4), SHELL)


def test_choices_that_cannot_be_are_told_before_anything_starts(home: Path) -> None:
    with pytest.raises(Problem, match="1 to 64"):
        engine.submit(runs.Configuration("digits", "single-layer", code_size=99))
    assert not home.exists()


def test_a_home_that_cannot_be_written_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("")
    for place in ("/proc/hourglass", str(tmp_path / "file")):
        monkeypatch.setenv("HOURGLASS_HOME", place)
        for ask in (lambda: engine.submit(choose()), lambda: engine.claim(choose().id)):
            with pytest.raises(Problem, match="cannot be written") as told:
                ask()
            assert "HOURGLASS_HOME" in told.value.do


def test_a_queue_that_is_locked_is_told(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    engine.submit(choose(), "a")
    connect = sqlite3.connect
    monkeypatch.setattr(sqlite3, "connect", lambda *a, **k: connect(*a, **k | {"timeout": 0.1}))
    other = connect(queue.path())
    other.execute("BEGIN EXCLUSIVE")
    with pytest.raises(Problem, match=r"queue\.db is locked by another program"):
        engine.submit(choose(seed=2), "a")
    other.rollback()
    other.close()


def lists() -> dict[str, list[tuple[str, str | None, bool, str]]]:
    return {
        owner: [(entry.id, entry.name, entry.starred, entry.state) for entry in engine.runs(owner)] for owner in "ab"
    }


@pytest.mark.parametrize("fate", ["deleted", "no database", "one page", "half of it"])
def test_a_queue_that_is_lost_or_damaged_makes_nobodys_runs_common(
    home: Path, digits_run: runs.Run, noisy_run: runs.Run, fate: str
) -> None:
    """Who has a finished run on a list stands in its folder, too; of the rest what can be read is taken over."""
    for run in (digits_run, noisy_run):
        shutil.copytree(run.folder, home / "runs" / run.id)
    mine, theirs = (runs.open_run(home / "runs" / run.id) for run in (digits_run, noisy_run))
    engine.adopt(mine, "a")
    engine.adopt(theirs, "b")
    engine.rename(mine.id, "a", "the good one")
    engine.star(mine.id, "a", True)
    waiting = [engine.submit(choose(seed=seed), "b") for seed in range(1, 21)]
    before = lists()
    with queue.opened() as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        root = connection.execute("SELECT rootpage FROM sqlite_master WHERE name = 'owners'").fetchone()[0]
        size = connection.execute("PRAGMA page_size").fetchone()[0]
    content = queue.path().read_bytes()
    for path in home.glob("queue.db*"):
        path.unlink()
    if fate == "no database":
        queue.path().write_bytes(b"no database at all" * 100)
    elif fate == "one page":
        queue.path().write_bytes(content[: (root - 1) * size] + b"\xff" * size + content[root * size :])
    elif fate == "half of it":
        queue.path().write_bytes(content[: len(content) // size // 2 * size])
    for _ in range(3):  # told once where it was met in the middle of something, and put right by then
        with contextlib.suppress(Problem):
            lists()
            engine.submit(choose(seed=99), "a")
            break
    after = lists()
    new = (choose(seed=99).id, None, False, "queued")
    assert [one for one in after["a"] if one != new] == before["a"]
    assert (theirs.id, None, False, "done") in after["b"]
    found = [run for run in runs.find()[0] if not run.pretrained]
    assert [run.id for run in engine.visible("a", found)] == [mine.id]
    assert [run.id for run in engine.visible("b", found)] == [theirs.id]
    assert engine.visible("c", found) == []
    aside = list(home.glob("queue.damaged-*.db"))
    assert len(aside) == (fate != "deleted")
    if fate == "one page":  # the table of runs was whole
        assert aside[0].read_bytes()[:100] == content[:100]
        assert all(engine.status(id_).phase == "queued" for id_ in waiting)
    engine.delete(mine.id, "a")
    engine.delete(theirs.id, "b")
    assert not mine.folder.exists() and not theirs.folder.exists()


def test_owners_are_no_part_of_a_run(home: Path, digits_run: runs.Run) -> None:
    """Neither its checksum nor its zip tells who has it."""
    shutil.copytree(digits_run.folder, home / "runs" / digits_run.id)
    run = runs.open_run(home / "runs" / digits_run.id)
    before = export.pack(run)
    engine.adopt(run, "visitor:somebody")
    assert "somebody" in (run.folder / queue.OWNERS).read_text()
    assert export.pack(runs.open_run(run.folder)) == before and b"somebody" not in before


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE runs SET configuration = json_set(configuration, '$.temperature', 0.5) WHERE id = ?",
        "UPDATE runs SET configuration = json_set(configuration, '$.epochs', 'many') WHERE id = ?",
        "UPDATE runs SET configuration = json_remove(configuration, '$.dataset') WHERE id = ?",
        "UPDATE runs SET configuration = '{\"dataset\": ' WHERE id = ?",
        "UPDATE runs SET configuration = '[1, 2]' WHERE id = ?",
        "UPDATE runs SET state = 'paused' WHERE id = ?",
        "UPDATE runs SET state = 'failed', problem = '[\"half a problem\"]' WHERE id = ?",
        "ALTER TABLE runs ADD COLUMN colour TEXT DEFAULT 'red'",
    ],
)
def test_a_row_of_a_later_version_is_left_alone(home: Path, change: str) -> None:
    strange, plain = engine.submit(choose(seed=1), "a"), engine.submit(choose(seed=2), "a")
    with queue.opened(write=True) as connection:
        connection.execute(change, [strange] * change.count("?"))
        row = tuple(connection.execute("SELECT * FROM runs WHERE id = ?", [strange]).fetchone())
    understood = "ALTER" in change
    ids = [strange, plain] if understood else [plain]
    assert sorted(entry.id for entry in engine.runs("a")) == sorted(ids)
    assert engine.foreign_runs("a") == (not understood) and engine.foreign_runs("b") == 0
    assert engine.status(strange).phase == ("queued" if understood else "unknown")
    assert engine.status(plain).phase == "queued" and engine.status(plain).ahead == (1 if understood else 0)
    if not understood:
        engine.delete(strange, "a")
        engine.cancel(strange, "a")
        engine.submit(choose(seed=1), "a")
    with queue.opened() as connection:
        assert tuple(connection.execute("SELECT * FROM runs WHERE id = ?", [strange]).fetchone()) == row or (
            "half a problem" in change  # that one has ended, and is asked for again
        )


def test_half_a_line_of_history_waits_for_its_other_half(home: Path) -> None:
    id_ = choose().id
    engine.claim(id_)
    lines = '{"epoch": 1}\n{"epoch": 2}\n{"epoch": 2}\n{"epoch": 3}\n{"epo'
    (engine.active(id_) / "history.jsonl").write_text(lines)
    assert [line["epoch"] for line in engine.progress(id_)] == [1, 2, 3]
    assert [line["epoch"] for line in engine.progress(id_, since=2)] == [3]
    (engine.active(id_) / "history.jsonl").write_text(lines + 'ch\n[1]\n{"step": 1}\n{"epoch": 4}\n')
    assert [line["epoch"] for line in engine.progress(id_)] == [1, 2, 3, 4]  # what is not understood is passed over
    for strange in ("[]", '{"phase": "dreaming"}', '{"phase": 1, "what": 2, "epoch": "many"}'):
        (engine.active(id_) / "status.json").write_text(strange)
        assert engine.status(id_).phase == "unknown"
    (engine.active(id_) / "strip.npy").write_bytes(b"\x93NUMPY")
    assert engine.strip(id_) is None


def test_a_run_that_was_there_first_stays(digits_run: runs.Run, home: Path) -> None:
    place = home / "runs" / digits_run.id
    shutil.copytree(digits_run.folder, place)
    (place / "run.json").write_text((place / "run.json").read_text() + " ")  # another digest, still whole
    digest = runs.open_run(place).digest
    growing = shutil.copytree(digits_run.folder, engine.active(digits_run.id))
    engine.finished(digits_run.id, runs.open_run(growing))
    assert runs.open_run(place).digest == digest and not growing.exists()


# Lists, names, stars and deletion


def kept(home: Path, owner: str, **choices: object) -> runs.Run:
    run = trained(**choices)
    engine.adopt(run, owner)
    return run


def test_each_sees_their_own_runs_what_ships_and_what_is_common(home: Path) -> None:
    mine, theirs, shells = (kept(home, owner, seed=i) for i, owner in enumerate(("a", "b", SHELL)))
    nobodys = trained(seed=3)
    found = runs.find()[0]
    seen = {run.id for run in engine.visible("a", found) if not run.pretrained}
    assert seen == {mine.id, shells.id, nobodys.id}
    assert {run.folder for run in found if run.pretrained} <= {run.folder for run in engine.visible("a", found)}
    assert [entry.id for entry in engine.runs("a")] == [mine.id]
    assert [entry.shared for entry in engine.runs("a")] == [False]
    assert engine.submit(theirs.configuration, "a") == theirs.id  # asked for again, it is theirs too, at once
    assert engine.status(theirs.id).phase == "done"
    assert {entry.id: entry.shared for entry in engine.runs("a")} == {mine.id: False, theirs.id: True}


def test_names_and_stars_are_each_owners_own(home: Path) -> None:
    one, other = kept(home, "a", seed=1), kept(home, "a", seed=2)
    engine.adopt(one, "b")
    engine.rename(one.id, "a", "  <b>the</b> good one  ")
    engine.star(one.id, "a", True)
    assert [entry.id for entry in engine.runs("a")] == [one.id, other.id]  # starred before newer
    assert engine.names("a") == {one.id: "<b>the</b> good one"} and engine.names("b") == {}
    assert next(run.id for run in engine.visible("a", runs.find()[0]) if not run.pretrained) == one.id
    engine.star(one.id, "a", False)
    engine.rename(one.id, "a", "")
    assert [entry.id for entry in engine.runs("a")] == [other.id, one.id] and engine.names("a") == {}


def test_zips_are_opened_until_ones_runs_take_too_much(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = kept(home, "a")
    held = sum(file.stat().st_size for file in run.folder.rglob("*") if file.is_file())
    monkeypatch.setenv("HOURGLASS_BYTES", str(held + 100))
    engine.make_sure_it_fits("a", 100)
    engine.make_sure_it_fits("b", held + 100)  # others' runs do not count
    with pytest.raises(Problem, match=f"{held + 101:,} bytes"):
        engine.make_sure_it_fits("a", 101)


def test_deleting_takes_a_run_from_ones_own_list_and_its_folder_with_the_last(home: Path) -> None:
    run = kept(home, "a")
    engine.adopt(run, "b")
    engine.delete(run.id, "stranger")
    engine.delete(run.id, "a")
    assert engine.runs("a") == [] and run.folder.is_dir()
    engine.delete(run.id, "b")
    assert not run.folder.exists() and list((home / "runs").iterdir()) == []
    shared = kept(home, SHELL, seed=4)
    engine.adopt(shared, "a")
    engine.delete(shared.id, "a")
    assert shared.folder.is_dir()


def test_a_run_whose_folder_was_taken_away_says_so(home: Path) -> None:
    run = kept(home, "a")
    shutil.rmtree(run.folder)
    (entry,) = engine.runs("a")
    assert entry.state == "failed" and "is missing" in str(entry.problem)
    assert engine.submit(run.configuration, "a") == run.id and engine.status(run.id).phase == "queued"


# With an engine


def test_what_is_killed_goes_on_and_loses_nothing(pair: engine.EngineSupervisor, home: Path) -> None:
    """Three runs of two owners on two workers; two workers are killed, and the engine itself with the second."""
    chosen = [choose(architecture="variational", epochs=40, seed=i, learning_rate=0.002) for i in range(3)]
    ids = [engine.submit(one, f"o{i % 2}") for i, one in enumerate(chosen)]
    killed: set[str] = set()

    def worker_of(id_: str) -> psutil.Process | None:
        with contextlib.suppress(OSError, ValueError, psutil.Error):
            pid = json.loads((engine.active(id_) / "status.json").read_text())["pid"]
            process = psutil.Process(pid)
            if pair.process is not None and pair.process.pid in [one.pid for one in process.parents()]:
                return process
        return None

    end = time.monotonic() + 1500
    while any(engine.status(id_).alive for id_ in ids):
        assert time.monotonic() < end, [engine.status(id_) for id_ in ids]
        for id_ in ids:
            if id_ not in killed and len(killed) < 2 and written(id_) > 5 and (process := worker_of(id_)):
                process.kill()
                killed.add(id_)
                if len(killed) == 2:
                    assert pair.process is not None
                    pair.process.kill()  # and the engine with it; its keeper starts another
        time.sleep(0.05)
    assert len(killed) == 2 and [engine.status(id_).phase for id_ in ids] == ["done"] * 3
    for id_ in sorted(killed):
        run = runs.open_run(runs.folder_of(id_))
        assert [line["epoch"] for line in run.history()] == list(range(1, 41))
        quiet = undisturbed(run.configuration, home / "quiet" / id_)
        assert (run.folder / "weights.safetensors").read_bytes() == (quiet / "weights.safetensors").read_bytes()


def test_trainings_survive_two_workers_that_are_killed_at_once(pair: engine.EngineSupervisor, home: Path) -> None:
    """Both are replaced, and neither of the new ones is closed again; `benchmarks/engine.py` does more of it."""
    ids = [engine.submit(choose(epochs=30, seed=i, learning_rate=0.002), f"o{i % 4}") for i in range(5)]
    wait(lambda: len(workers_of(pair)) == 2)
    for _ in range(2):  # a third time might hit one and the same run, which would then be given up
        before = workers_of(pair)
        for pid in before:
            psutil.Process(pid).kill()
        wait(lambda before=before: len(workers_of(pair) - before) == 2)
    wait(lambda: not any(engine.status(id_).alive for id_ in ids))
    assert [engine.status(id_).phase for id_ in ids] == ["done"] * 5
    for id_ in ids:
        assert [line["epoch"] for line in runs.open_run(runs.folder_of(id_)).history()] == list(range(1, 31))


def workers_of(keeper: engine.EngineSupervisor) -> set[int]:
    """The worker processes that have registered with the engine and are alive."""
    with queue.opened() as connection:
        row = connection.execute("SELECT slots FROM engine").fetchone()
    if keeper.process is None or row is None or row["slots"] < 2:
        return set()
    with contextlib.suppress(psutil.Error):
        family = psutil.Process(keeper.process.pid).children(recursive=True)
        return {one.pid for one in family if not one.children() and "resource_tracker" not in " ".join(one.cmdline())}
    return set()


def test_a_run_that_only_waited_for_a_lost_worker_is_not_charged(home: Path) -> None:
    """Three losses in a row without an epoch fail a run; those before it has written anything do not count."""
    from models.engine import dispatch, tasks

    id_ = engine.submit(choose(), "a")
    folder = home / "active" / id_
    ticket = queue.ticket(id_)
    assert ticket is not None

    def lose(attempt: int, begun: bool, died: bool = True) -> tuple[str, int]:
        folder.mkdir(parents=True, exist_ok=True)
        if begun:
            engine.control(folder, attempt, None)
            tasks._begin(folder, attempt)
        job = dispatch._Job(ticket, attempt, None, 0, 0, None)
        with queue.opened(write=True) as connection:
            connection.execute("UPDATE runs SET state = 'running', attempt = ? WHERE id = ?", [attempt, id_])
            tries = queue.tickets(connection, "running")[0].tries
            dispatch.Dispatcher._write_down(None, connection, job, {"lost": died}, tries)  # type: ignore[arg-type]
        now = queue.ticket(id_)
        assert now is not None
        return now.state, now.tries

    assert [lose(attempt, begun=False) for attempt in range(1, 6)] == [("queued", 0)] * 5
    assert [lose(attempt, begun=True) for attempt in (6, 7)] == [("queued", 1), ("queued", 2)]
    assert lose(8, begun=False) == lose(9, begun=True, died=False) == ("queued", 2)  # as with its scheduler
    assert lose(10, begun=True) == ("failed", 2)


def undisturbed(configuration: runs.Configuration, folder: Path) -> Path:
    from models import training

    folder.mkdir(parents=True)
    return training.train(configuration, folder, device="cpu", tsne=0).folder


def test_a_worker_that_is_lost_three_times_without_an_epoch_is_given_up(
    keeper: engine.EngineSupervisor, home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The process is ended as soon as it opens its data, as the system does when memory is out."""
    ahead = tmp_path / "ahead"
    ahead.mkdir()
    (ahead / "sitecustomize.py").write_text(
        "import os, sys\n"
        "def hook(event, what):\n"
        "    if event == 'open' and str(what[0]).endswith('digits.csv.gz'): os.kill(os.getpid(), 9)\n"
        "sys.addaudithook(hook)\n"
    )
    monkeypatch.setenv("PYTHONPATH", str(ahead))
    id_ = engine.submit(choose(), "a")
    status = ended(id_)
    assert status.phase == "failed" and "died 3 times in a row" in str(status.problem)
    assert "smaller batch size" in status.problem.do


def test_a_scheduler_that_is_not_there_is_told(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOURGLASS_SCHEDULER", "tcp://127.0.0.1:9")
    with engine.EngineSupervisor():
        id_ = engine.submit(choose(), "a")
        wait(lambda: "cannot be reached" in engine.status(id_).what)
        assert "HOURGLASS_SCHEDULER" in engine.status(id_).what and engine.status(id_).phase == "queued"


class Looks(threading.Event):
    """A keeper's event that counts how often the keeper has looked whether something is to be done."""

    def __init__(self) -> None:
        super().__init__()
        self.count = 0

    def wait(self, timeout: float | None = None) -> bool:
        self.count += 1
        return super().wait(timeout)


def test_a_keeper_outlives_a_queue_that_cannot_be_read(home: Path) -> None:
    queue.path().mkdir(parents=True)  # no file can be opened there
    with CountingKeeper(workers=1) as keeper:
        engine.wake()
        wait(lambda: keeper.looks.count > 5 or not keeper.thread.is_alive())
        assert keeper.thread.is_alive() and keeper.process is None
        queue.path().rmdir()
        assert ended(engine.submit(choose(), "a")).phase == "done"


def test_two_apps_on_one_home_share_one_engine(home: Path) -> None:
    """One of the two has lost when both start an engine at once: it does not try again and again, and takes over."""
    keepers = [CountingKeeper(workers=1), CountingKeeper(workers=1)]
    with contextlib.ExitStack() as stack:
        for keeper in keepers:
            stack.enter_context(keeper)
        engine.wake()
        wait(lambda: all(keeper.process is not None for keeper in keepers))
        wait(engine.engine_alive)  # until then the one that has lost tries again now and then
        with queue.opened() as connection:
            (pid,) = connection.execute("SELECT pid FROM engine").fetchone()
        won, lost = sorted(keepers, key=lambda keeper: keeper.process is None or keeper.process.pid != pid)
        wait(lambda: lost.process is not None and lost.process.poll() is not None)
        before, seen = lost.begun, lost.looks.count
        wait(lambda: lost.looks.count > seen + 40)
        assert (lost.begun, won.begun) == (before, 1)
        assert won.process is not None
        won.process.kill()
        won.process.wait()
        assert ended(engine.submit(choose(), "a")).phase == "done"  # by whichever of them was first


class CountingKeeper(engine.EngineSupervisor):
    """A keeper that counts how often it has looked, and how often it has started an engine."""

    def __init__(self, workers: int) -> None:
        super().__init__(workers)
        self.ending = self.looks = Looks()
        self.begun = 0

    def _begin(self) -> None:
        self.begun += 1
        super()._begin()


def test_why_an_engine_cannot_start_is_said_on_the_page(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOURGLASS_TLS", "/nowhere")
    with engine.EngineSupervisor():
        id_ = engine.submit(choose(), "a")
        wait(lambda: "ca.pem" in engine.status(id_).what)
        assert "the engine cannot start" in engine.status(id_).what


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [("HOURGLASS_TLS", "/nowhere", "ca.pem"), ("HOURGLASS_HOME", "/proc/x", "cannot be written")],
)
def test_an_engine_that_cannot_start_says_why(
    home: Path, monkeypatch: pytest.MonkeyPatch, name: str, value: str, said: str
) -> None:
    monkeypatch.setenv(name, value)
    done = subprocess.run(
        [sys.executable, "-m", "models.engine"],
        cwd=PROJECT,
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert done.returncode == 1 and done.stderr.startswith("hourglass: ") and said in done.stderr
    assert "Traceback" not in done.stderr


def test_the_engine_goes_when_its_app_goes(home: Path) -> None:
    """Killed, so that nothing of the app can tidy up; a training is queued again, and goes on at the next start."""
    lines = (
        "import time\nfrom models import engine, runs\nwith engine.EngineSupervisor(workers=1):\n"
        "    engine.submit(runs.configure({'dataset': 'digits', 'architecture': 'modern', 'epochs': 10000}), 'a')\n"
        "    time.sleep(600)\n"
    )
    id_ = choose(architecture="modern", epochs=10_000).id
    app = subprocess.Popen([sys.executable, "-c", lines], cwd=PROJECT, env={**os.environ})
    try:
        wait(lambda: written(id_) >= 3)
        family = psutil.Process(app.pid).children(recursive=True)
        assert len(family) >= 2
    finally:
        app.send_signal(signal.SIGKILL)
        app.wait()
    _, alive = psutil.wait_procs(family, timeout=180)
    assert not alive
    ticket = queue.ticket(id_)
    assert ticket is not None and ticket.state == "queued"


def test_an_engine_that_has_ended_counts_as_gone_at_once(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Else a shell that trains one run after the other would wait for it. Nor is there anything amiss in its log, or left
    in the temporary directory."""
    folder = tempfile.mkdtemp()  # with a short path, for the sockets in it
    monkeypatch.setenv("TMPDIR", folder)
    with engine.EngineSupervisor(workers=1):
        assert ended(engine.submit(choose(epochs=1), "a")).phase == "done"
        assert engine.engine_alive()
    assert not engine.engine_alive()
    assert "Traceback" not in (home / "engine.log").read_text()
    assert not list(Path(folder).glob("pymp-*"))
    shutil.rmtree(folder)


# Several machines


class Machines:
    """A scheduler and workers as the README starts them, on this machine, over TLS."""

    def __init__(self, folder: Path) -> None:
        from distributed import Security

        self.folder, self.running = folder, list[subprocess.Popen[bytes]]()
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.address, made = f"tls://127.0.0.1:{self.port}", Security.temporary()
        tls = folder / "tls"
        tls.mkdir(parents=True)
        for name, content in (("ca", made.tls_ca_file), ("cert", made.tls_client_cert), ("key", made.tls_client_key)):
            (tls / f"{name}.pem").write_text(content)

    def start(self, *command: str, root: Path = PROJECT, **env: str) -> subprocess.Popen[bytes]:
        without = {name: value for name, value in os.environ.items() if name != "HOURGLASS_HOME"}
        with (self.folder / "log.txt").open("ab") as words:
            process = subprocess.Popen(
                [sys.executable, "-m", *command], cwd=root, env={**without, **env}, stdout=words, stderr=words
            )
        self.running.append(process)
        return process

    def scheduler(self) -> subprocess.Popen[bytes]:
        return self.start("models.cluster", "--host", "127.0.0.1", "--port", str(self.port))

    def worker(self, **more: Any) -> subprocess.Popen[bytes]:
        return self.start("models.worker", self.address, "--workers", "1", **more)


@pytest.fixture
def machines(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Machines]:
    made = Machines(tmp_path / "machines")
    monkeypatch.setenv("HOURGLASS_TLS", str(made.folder / "tls"))
    monkeypatch.setenv("HOURGLASS_SCHEDULER", made.address)
    yield made
    for process in made.running:
        process.terminate()
    for process in made.running:
        try:
            process.wait(180)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def test_a_worker_of_another_version_is_left_out_and_a_scheduler_that_is_killed_comes_back(
    machines: Machines, home: Path, tmp_path: Path
) -> None:
    """With a worker of ours, which comes back with it."""
    other = tmp_path / "other version"
    shutil.copytree(PROJECT / "models", other / "models", ignore=shutil.ignore_patterns("__pycache__"))
    with (other / "models" / "noise.py").open("a") as source:
        source.write("# changed\n")
    with engine.EngineSupervisor():
        id_ = engine.submit(choose(architecture="modern", epochs=40), "a")
        scheduler = machines.scheduler()
        wait(lambda: "No worker has joined the scheduler at tls://" in engine.status(id_).what)
        strange = machines.worker(root=other)
        wait(lambda: "1 of 1 workers are left out" in engine.status(id_).what)
        what = engine.status(id_).what
        assert getpass.getuser() in what and socket.gethostname() in what and "version of the folder models" in what
        machines.worker()
        wait(lambda: written(id_) >= 3)
        with held(home):
            told = engine.engine_problem()
            assert told is not None and "1 of 2 workers are left out" in told
            strange.terminate()
            scheduler.kill()
            scheduler.wait()
            wait(lambda: engine.status(id_).phase == "queued" and "cannot be reached" in engine.status(id_).what)
            assert written(id_) < 40  # else nothing was disturbed
        machines.scheduler()
        assert ended(id_).phase == "done"
        assert [one["epoch"] for one in runs.open_run(runs.folder_of(id_)).history()] == list(range(1, 41))


def test_a_scheduler_without_certificates_is_refused(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HOURGLASS_TLS", raising=False)
    asked = [sys.executable, "-m", "models.cluster"]
    done = subprocess.run(asked, cwd=PROJECT, capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 1 and "A scheduler needs certificates" in done.stderr and "Traceback" not in done.stderr


def test_units_start_what_is_there_again_and_again() -> None:
    units = sorted((PROJECT / "docs" / "systemd").glob("*.service"))
    assert len(units) == 4
    for path in units:
        unit = configparser.ConfigParser(interpolation=None, strict=False)
        unit.optionxform = str  # type: ignore[assignment, method-assign]
        unit.read_string(path.read_text())
        service, words = unit["Service"], unit["Service"]["ExecStart"].split()
        assert service["Restart"] == "always" and unit["Unit"]["StartLimitIntervalSec"] == "0"
        assert words[0].startswith(service["WorkingDirectory"])
        if words[1] == "-m":
            asked = [sys.executable, *words[1:], "--help"]
            assert "usage" in subprocess.run(asked, cwd=PROJECT, capture_output=True, text=True, check=True).stdout
        else:
            assert (PROJECT / words[2]).is_file()


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({}, None),
        ({"recipe": 2}, "its recipe is 2, ours 3"),
        ({"code": "0" * 16}, "version of the folder models"),
        ({"torch": "1.0"}, "its torch is 1.0"),
        ({"home": "FileNotFoundError"}, "does not see the folder /srv/runs"),
        ({"home": "PermissionError"}, "may not read it, at /srv/runs"),
        ({"home": "f" * 32}, "sees another folder"),
        ({"writes": False}, "may not write to /srv/runs"),
    ],
)
def test_what_does_not_fit_is_told(change: dict[str, Any], said: str | None) -> None:
    from models.engine import workers

    mine = {"recipe": 3, "code": "1" * 16, "torch": "2.13.0", "home": "a" * 32, "writes": True, "absent": []}
    told = workers.mismatch(mine, mine | change, "/srv/runs")
    assert told is None if said is None else told is not None and said in told


def test_a_machine_says_what_it_has(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from models.engine import workers

    (home / "elsewhere").mkdir(parents=True)
    monkeypatch.setenv("HOURGLASS_DATA", str(home / "nothing"))
    told = workers.machine_facts(str(home / "elsewhere"))
    assert "mnist" in told["absent"] and "digits" not in told["absent"]
    assert told["home"] == "FileNotFoundError" and told["writes"] and told["account"] == getpass.getuser()
    assert told["torch"] == torch.__version__.partition("+")[0]


def test_a_run_goes_to_a_worker_that_can_read_its_dataset(home: Path) -> None:
    """And waits, with the dataset named, while there is none; a graphics processor is kept for those that ask for it."""
    from models.engine import dispatch, members

    home.mkdir()
    made = dispatch.Dispatcher(home, "tls://127.0.0.1:1", 1)
    made.client = object()  # type: ignore[assignment]
    assert "No worker has joined" in str(made._trouble())

    def member(address: str, gpus: int, mismatch: str | None, *absent: str) -> None:
        made.members.known[address] = members.Member(address, 1, gpus, None, 0.0, address, mismatch, frozenset(absent))

    member("plain", 0, None, "mnist")
    member("fast", 1, None)
    member("strange", 1, "its recipe is 2, ours 3")
    assert made._place("digits", on_gpu=False) == (True, "plain")
    assert made._place("digits", on_gpu=True) == (True, "fast")
    assert made._place("mnist", on_gpu=False) == (True, "fast")
    assert "strange: its recipe is 2, ours 3" in str(made._trouble())
    del made.members.known["strange"], made.members.known["fast"]
    assert made._trouble() is None
    assert made._place("mnist", on_gpu=False) == (False, None) and "No worker can read mnist" in str(made._trouble())
    made.jobs["x"] = SimpleNamespace(where="plain")  # type: ignore[assignment]
    assert made._place("digits", on_gpu=False) == (False, None)


# Other accounts of the same computer


@pytest.fixture
def street() -> Iterator[Path]:
    """A folder that every account may look into: pytest's own are closed."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)


@pytest.mark.skipif(os.name != "posix" or os.geteuid() != 0, reason="only root can become another account")
def test_another_account_is_refused_by_the_engine_and_its_files(street: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever may speak to Dask runs code as us, and anybody on this computer can connect to its loopback address."""
    home = street / "home"
    monkeypatch.setenv("HOURGLASS_HOME", str(home))
    with engine.EngineSupervisor(workers=1) as keeper:
        assert ended(engine.submit(choose(), "a")).phase == "done"
        assert keeper.process is not None
        family = [psutil.Process(keeper.process.pid), *psutil.Process(keeper.process.pid).children(recursive=True)]
        ports = sorted({c.laddr.port for one in family for c in one.net_connections("tcp") if c.status == "LISTEN"})
        done = subprocess.run(
            [sys.executable, "-c", STRANGER, str(home), *map(str, ports)],
            capture_output=True,
            text=True,
            check=False,
            timeout=300,
        )
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert told["me"] == 65534 and told["let in"] == [] and told["read"] == []
    assert len(ports) == 3  # the scheduler, a nanny and its worker: nothing else listens
    for path in (home, *(home / name for name in ("queue.db", "engine.log", "runs", "active"))):
        assert path.stat().st_mode & 0o077 == 0, path


# What another account can try: Dask in the clear, Dask with a certificate of its own, a web page, our files.
STRANGER = """
import json, logging, os, socket, sys
from pathlib import Path
from distributed import Client, Security
logging.disable()
def attempts(ports):
    let_in = []
    for port in ports:
        for scheme, security in (("tcp", None), ("tls", Security.temporary())):
            try:
                with Client(f"{scheme}://127.0.0.1:{port}", security=security, timeout=3) as client:
                    let_in.append([port, scheme, client.run_on_scheduler(os.getpid)])
            except (OSError, TimeoutError):
                pass
        with socket.create_connection(("127.0.0.1", int(port)), 60) as line:
            line.settimeout(3)
            try:
                line.sendall(b"GET / HTTP/1.0\\r\\n\\r\\n")
                if line.recv(100)[:5] == b"HTTP/":
                    let_in.append([port, "http", 0])
            except OSError:
                pass
    return let_in
attempts(sys.argv[2:3])  # loads what the other account may not be allowed to read: Python itself may lie in our home
os.setgroups([]), os.setgid(65534), os.setuid(65534)
let_in, read = attempts(sys.argv[2:]), []
home = Path(sys.argv[1])
for name in ("queue.db", "queue.db-wal", "engine.log", "engine.lock", "runs", "active", "."):
    try:
        os.listdir(home / name) if name in ("runs", "active", ".") else (home / name).read_bytes()
        read.append(name)
    except (PermissionError, FileNotFoundError) as error:
        if isinstance(error, FileNotFoundError):
            read.append(f"{name} is not there")
print(json.dumps({"me": os.getuid(), "let in": let_in, "read": read}))
"""


def test_without_encryption_nothing_is_started(
    keeper: engine.EngineSupervisor, home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "cryptography.py").write_text("raise ImportError")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    id_ = engine.submit(choose(), "a")
    wait(lambda: "cryptography is not installed" in engine.status(id_).what)
    assert "pip install -r requirements.txt" in engine.status(id_).what and engine.engine_alive()


def test_what_an_earlier_version_left_open_is_closed(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine.submit(choose(), "a")
    (home / "runs").mkdir()
    (home / "engine.log").write_text("")
    for path in (home, home / "runs", home / "queue.db", home / "engine.log"):
        path.chmod(0o755 if path.is_dir() else 0o644)
    close_home()
    for path in (home, home / "runs", home / "queue.db", home / "engine.log"):
        assert path.stat().st_mode & 0o777 == (0o700 if path.is_dir() else 0o600), path
    # A folder that holds other things, too, stays as it is; only what is ours in it is closed.
    (home / "letters.txt").write_text("")
    for path in (home, home / "letters.txt", home / "runs"):
        path.chmod(0o755 if path.is_dir() else 0o644)
    close_home()
    assert [(home / name).stat().st_mode & 0o777 for name in ("", "letters.txt", "runs")] == [0o755, 0o644, 0o700]
    monkeypatch.setenv("HOURGLASS_HOME", str(tmp_path / "absent"))
    close_home()
    assert not (tmp_path / "absent").exists()

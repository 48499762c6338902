"""The engine: train what was asked for, one process for all visitors; and the few functions that pages ask it by.

Truth lies in two dumb places: the queue (see `models.queue`) and the run folders. <home>/active/<id> grows while a
training runs and is renamed to <home>/runs/<id> in one step when it is done. `python -m models.engine` reads the
queue and hands trainings to Dask: to worker processes of its own on one machine, or to a scheduler that is named.
Reruns, reloads, closed tabs, killed workers and a killed engine do not disturb a run: it goes on from its checkpoint.

Importing this module imports neither torch nor Dask: pages only read and write the queue.
"""

from __future__ import annotations

import argparse
import contextlib
import dataclasses
import importlib
import json
import logging
import os
import secrets
import shutil
import subprocess
import sys
import tempfile
import threading
import time
import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models import Problem, architectures, close_home, datasets, home, private, queue, unwritable, uploads
from models import runs as stored
from models.queue import SHELL, Ticket
from models.runs import Configuration, Run

TURN = 0.05  # seconds between two looks at the queue
BEAT = 1.0  # seconds between two signs of life
SILENT = 10.0  # seconds without one after which the engine counts as gone
FRESH = 120.0  # seconds for which a timing counts
TIMINGS = 50  # that may wait: they come before the trainings
TRIES = 3  # attempts that may be lost in a row without a finished epoch in between
PAUSE, LONGEST = 3.0, 60.0  # seconds before an engine that ended by itself is started again; twice as many each time
log = logging.getLogger("hourglass.engine")


@dataclass(frozen=True)
class Limits:
    """What may be asked for, by one owner unless it says otherwise. Each is set by the environment variable named beside it; the shell has no limits."""

    waiting: int = 20  # HOURGLASS_WAITING: runs that wait in the queue
    queued: int = 1000  # HOURGLASS_QUEUED: runs that wait in the queue, of all owners together
    epochs: int = 10_000  # HOURGLASS_EPOCHS
    parameters: int = 20_000_000  # HOURGLASS_PARAMETERS
    seconds: int = 3600  # HOURGLASS_SECONDS: training ends after so long, with what was learnt
    bytes: int = 5_000_000_000  # HOURGLASS_BYTES: runs on one's list, beyond which no zip is opened

    @classmethod
    def here(cls) -> Limits:
        """The limits of this installation. A `Problem` for one that is no whole number above zero."""
        out = {}
        for field in dataclasses.fields(cls):
            name = f"HOURGLASS_{field.name.upper()}"
            text = os.environ.get(name, "")
            if text and not (text.isdecimal() and int(text)):
                raise Problem(f"{name} is “{text}”", "a whole number above 0 was expected", "correct or remove it")
            out[field.name] = int(text) if text else field.default
        return cls(**out)  # type: ignore[arg-type]


@dataclass(frozen=True)
class Status:
    """How a training stands. phase: queued, preparing, training, measuring, done, failed, cancelled or unknown.

    id is the run to open when done: a training that was stopped early becomes a run of its own. ahead is how many
    waiting runs come first and wait the seconds until this one starts, both for a queued one, None where not known.
    pca is PCA's validation error with the same code size, None before it is known or where it cannot stand beside the loss.
    """

    id: str
    phase: str
    what: str = ""
    epoch: int = 0
    epochs: int = 0
    problem: Problem | None = None
    ahead: int | None = None
    wait: float | None = None
    pca: float | None = None

    @property
    def alive(self) -> bool:
        return self.phase in ("queued", "preparing", "training", "measuring")

    @property
    def cooling(self) -> bool:
        """Whether it was stopped and is in its last seconds of training."""
        return self.phase == "training" and self.what == stored.COOLING


@dataclass(frozen=True)
class Entry:
    """A run as its owner sees it in a list. run is None unless it is finished. shared: others count on it too."""

    id: str
    name: str | None
    starred: bool
    state: str
    configuration: Configuration
    asked: float
    shared: bool
    problem: Problem | None
    run: Run | None


# ── what pages and the shell call ─────────────────────────────────────────────


def active(id_: str) -> Path:
    """The folder in which a training grows. Ids come from addresses too: nothing but an id may become a path."""
    if not stored.ID.fullmatch(id_):
        raise Problem(f"“{id_[:80]}” is no id of a run", "16 hex digits were expected", "take the id from the list")
    return home() / "active" / id_


def submit(configuration: Configuration, owner: str = SHELL, device: str = "cpu") -> str:
    """Ask for this configuration to be trained; returns the run's id at once.

    The same choices are the same run, whoever asks: one that is there, waits or is trained already is not begun
    again. device is "cpu" or "gpu". A `Problem` for choices that cannot be, for a dataset that somebody else brought,
    and for more than `Limits` allows.
    """
    configuration = configuration.check()
    uploads.check(configuration.dataset, owner)
    id_, finished_already = configuration.id, kept(configuration.id)
    values = dataclasses.asdict(configuration)
    if owner != SHELL and not finished_already:
        _within_limits(configuration, owner)
    with queue.opened(write=True) as connection:
        queue.add(connection, id_, values, owner, device, "done" if finished_already else "queued")
        queue.keep_owners(connection, id_)
    wake()
    return id_


def epoch_seconds(configuration: Configuration, device: str = "cpu") -> float | None:
    """How long an epoch of such a configuration takes here; None while the engine has still to measure it.

    A `Problem` when it cannot be measured. Epochs, rate and seed make no difference to it. What was measured counts for
    `FRESH` seconds: a machine may be busier then, or less.
    """
    plain = Configuration(configuration.dataset, configuration.architecture)
    alike = dataclasses.replace(
        configuration, epochs=plain.epochs, learning_rate=plain.learning_rate, seed=0, beta=1.0, annealing=0.0
    ).check()
    key = f"{alike.id} {device}"
    with queue.opened(write=True) as connection:
        connection.execute("DELETE FROM epoch_times WHERE measured < ?", [time.time() - FRESH])
        row = connection.execute("SELECT seconds, problem FROM epoch_times WHERE id = ?", [key]).fetchone()
        if row is None:
            waiting = connection.execute(
                "SELECT COUNT(*) FROM epoch_times WHERE seconds IS NULL AND problem IS NULL"
            ).fetchone()[0]
            if waiting >= TIMINGS:
                raise Problem(
                    f"{waiting} timings wait already",
                    f"at most {TIMINGS} may wait here",
                    "choose a number of epochs, or try again in a minute",
                )
            values = json.dumps(dataclasses.asdict(alike))
            connection.execute(
                "INSERT INTO epoch_times (id, configuration, device) VALUES (?, ?, ?)", [key, values, device]
            )
        elif row["problem"]:
            connection.execute("DELETE FROM epoch_times WHERE id = ?", [key])
    wake()
    if row is not None and (problem := queue.as_problem(row["problem"])):
        raise problem
    return float(row["seconds"]) if row is not None and row["seconds"] else None


def epochs_within(seconds: float, each: float) -> int:
    """How many epochs of `each` seconds fit into so many: at least one, at most what is allowed.

    Two digits of it: people who choose the same a minute later shall meet the same run.
    """
    count = max(1, min(int(seconds / each), Limits.here().epochs))
    rough: int = 10 ** max(0, len(str(count)) - 2)
    return count // rough * rough


def _within_limits(configuration: Configuration, owner: str) -> None:
    limits = Limits.here()
    dataset = datasets.get(configuration.dataset)
    blueprint = architectures.get(configuration.architecture).blueprint(
        dataset.kind, dataset.shape, configuration.code_size
    )
    with queue.opened() as connection:
        waiting = connection.execute(
            "SELECT COUNT(*) FROM owners JOIN runs USING (id) WHERE owner = ? AND waits AND state = 'queued' AND id <> ?",
            [owner, configuration.id],
        ).fetchone()[0]
        everybodys = connection.execute(
            "SELECT COUNT(*) FROM runs WHERE state = 'queued' AND id <> ?", [configuration.id]
        ).fetchone()[0]
    if everybodys >= limits.queued:  # whoever comes without a cookie is somebody new each time
        raise Problem(
            f"{everybodys:,} runs of everybody wait already",
            f"at most {limits.queued:,} may wait here",
            "try again when some of them have begun",
        )
    for came, most, what, do in (
        (waiting + 1, limits.waiting, "waiting runs", "wait until one has begun, or cancel one on the page Runs"),
        (configuration.epochs, limits.epochs, "epochs", "choose fewer epochs"),
        (blueprint.parameters, limits.parameters, "parameters", "choose a smaller architecture or code size"),
    ):
        if came > most:
            raise Problem(f"{came:,} {what} were asked for", f"at most {most:,} are allowed here", do)


def kept(id_: str) -> bool:
    """Whether a whole run of this id is there. One that is damaged makes room, so that it can be trained again."""
    place = home() / "runs" / id_
    if not (place / "run.json").is_file():
        return False
    if stored.whole(place):
        return True
    try:
        stored.set_aside(place)
    except OSError as error:
        raise unwritable(place.parent, error) from error
    return False


def status(id_: str) -> Status:  # noqa: PLR0911 - one return for each way a training can stand
    """Where the training of this id stands now."""
    if not stored.ID.fullmatch(id_):
        return Status(id_, "unknown")
    if _done(id_):
        return Status(id_, "done")
    ticket, told = queue.ticket(id_), _told(active(id_))
    if ticket is not None and stored.recorded(ticket.configuration) is None:
        return Status(id_, "unknown")
    if ticket is None or ticket.state == "done":
        if ticket is not None and ticket.became and _done(ticket.became):
            return Status(ticket.became, "done")
        if told is None or not _breathes(told):
            return Status(id_, "unknown")
        # It is trained from a shell.
        pca = told.get("pca")
        return Status(id_, told["phase"], told["what"], told["epoch"], told["epochs"], _problem(told), pca=pca)
    epoch, epochs = int(told["epoch"]) if told else 0, Configuration(**ticket.configuration).epochs
    if ticket.state == "queued":
        ahead, wait = _line().get(id_, (None, None))
        row = _engine_row()
        what = engine_problem() or ("" if row is None or row["slots"] else "no worker is there yet")
        if not engine_alive():
            what = "no engine is running; start one with python -m models.engine"
            if KEEPERS:
                problem = KEEPERS[-1].problem
                what = "the engine is starting" if problem is None else f"the engine cannot start. {problem}"
        return Status(id_, "queued", what, epoch, epochs, None, ahead, wait)
    if ticket.state != "running":
        return Status(id_, ticket.state, "", epoch, epochs, ticket.problem)
    if told is None or told["problem"]:
        told = {"phase": "measuring" if (active(id_) / "errors.f32").is_file() else "preparing", "what": "starting"}
    return Status(id_, told["phase"], told["what"], epoch, epochs, pca=told.get("pca"))


def progress(id_: str, since: int = 0) -> list[dict[str, Any]]:
    """The finished epochs of a training after epoch `since`, a dict each; lines still being written are left out."""
    try:
        lines = (active(id_) / "history.jsonl").read_text().split("\n")[:-1]
    except OSError:
        return []
    read = [queue.as_dict(line) or {} for line in lines[since:]]
    epochs = {line["epoch"]: line for line in read if isinstance(line.get("epoch"), int)}
    return [epochs[epoch] for epoch in sorted(epochs) if epoch > since]


def codes(id_: str, epoch: int | None = None) -> tuple[NDArray[np.float32], NDArray[np.int32]] | None:
    """The codes (R, D) of the replay samples of a growing run and their labels (R,); None before there are any.

    They are those after `epoch`, or after the last epoch before it that the replay keeps; by default the newest.
    """
    facts, folder = configuration(id_), active(id_)
    if facts is None:
        return None
    try:
        index = np.fromfile(folder / "replay" / "index.i32", np.int32)
        labels = np.fromfile(folder / "labels.i32", np.int32)[index]
        every = np.fromfile(folder / "replay" / "codes.f32", np.float32)
    except (OSError, IndexError):
        return None
    frame = len(index) * facts.code_size
    whole = len(every) // frame if frame else 0
    if epoch is not None:
        whole = min(whole, sum(kept_epoch <= epoch for kept_epoch in stored.frame_epochs(facts)))
    return (every[(whole - 1) * frame : whole * frame].reshape(-1, facts.code_size), labels) if whole else None


def strip(id_: str) -> NDArray[Any] | None:
    """Originals, (noisy inputs,) reconstructions after the last epoch: (2 or 3, S, *shape), None before the first ends."""
    try:
        return np.asarray(np.load(active(id_) / "strip.npy", allow_pickle=False))
    except (OSError, ValueError, EOFError):
        return None


def configuration(id_: str) -> Configuration | None:
    """What a growing run was asked to be, also while it waits; None when it is not growing."""
    try:
        return stored.configuration(json.loads((active(id_) / "configuration.json").read_text()))
    except (OSError, ValueError, Problem):
        pass
    ticket = queue.ticket(id_)
    if ticket is None or ticket.state not in ("queued", "running"):
        return None
    try:
        return stored.configuration(ticket.configuration)
    except Problem:
        return None


def cancel(id_: str, owner: str, *, keep: bool = False, cool: bool = False) -> bool:
    """Withdraw this owner's interest in a training. True when nobody else waits for it: then it ends.

    With `keep` a training that ends keeps what it has learnt, as a run of its own; one that others wait for goes on
    for all. `cool` gives it two more seconds for that, in which the learning rate falls to zero. Without `keep` its
    checkpoint stays, and asking for the same run goes on from there.
    """
    with queue.opened(write=True) as connection:
        ticket = next(iter(understood(queue.tickets(connection, id_=id_))), None)
        if ticket is None or owner not in ticket.owners or ticket.state not in ("queued", "running"):
            return False
        alone = ticket.owners == (owner,)
        if keep and ticket.state == "running":
            if alone:
                connection.execute("UPDATE runs SET wish = ? WHERE id = ?", ["cool" if cool else "keep", id_])
            return alone
        connection.execute("UPDATE owners SET waits = 0 WHERE id = ? AND owner = ?", [id_, owner])
        if alone:
            connection.execute(
                "UPDATE runs SET state = 'cancelled', wish = 'drop', ended = ? WHERE id = ?", [time.time(), id_]
            )
    return alone


def waits(id_: str, owner: str) -> bool:
    """Whether this owner still wants this training, and may therefore cancel it."""
    ticket = queue.ticket(id_)
    return ticket is not None and owner in ticket.owners


def runs(owner: str) -> list[Entry]:
    """Everything this owner asked for, starred first, then the newest; without what this version does not understand."""
    return _listed(owner)[0]


def left_alone(owner: str) -> int:
    """How many runs of this owner's are not listed, since another version of Hourglass has asked for them."""
    return _listed(owner)[1]


def _listed(owner: str) -> tuple[list[Entry], int]:
    if not queue.path().exists():
        return [], 0
    with queue.opened() as connection:
        rows = connection.execute(
            "SELECT mine.*, runs.configuration, runs.state, runs.problem, runs.became,"
            " EXISTS (SELECT 1 FROM owners other WHERE other.id = mine.id AND other.owner <> mine.owner) AS shared"
            " FROM owners mine JOIN runs USING (id) WHERE owner = ? ORDER BY starred DESC, place DESC",
            [owner],
        ).fetchall()
    ready = {run.id: run for run in stored.find()[0]}
    out, foreign = [], 0
    for row in rows:
        if row["became"] and row["became"] != row["id"]:
            continue
        run = ready.get(row["id"])
        state = row["state"]
        if state == "done" and run is None:
            state = "failed"
        elif run is not None:
            state = "done"
        chosen, told = stored.recorded(queue.as_dict(row["configuration"]) or {}), queue.as_problem(row["problem"])
        if chosen is None or state not in queue.STATES or (told is None and row["problem"]):
            foreign += 1
            continue
        if state == "failed" and told is None:
            told = Problem(
                f"the folder of the run {row['id']} is not there",
                "it was trained and kept",
                "train it again, or delete it from the list",
            )
        shared = bool(row["shared"]) or (run is not None and run.pretrained)
        out.append(Entry(row["id"], row["name"], bool(row["starred"]), state, chosen, row["asked"], shared, told, run))
    return out, foreign


def adopt(run: Run, owner: str, asked: Configuration | None = None) -> None:
    """Put a finished run into an owner's list: one that came as a zip, or was trained from a shell.

    asked is what was asked for, where that training was stopped early and became this run.
    """
    with queue.opened(write=True) as connection:
        queue.add(connection, run.id, dataclasses.asdict(run.configuration), owner, "cpu", "done", anew=False)
        if asked is not None and asked.id != run.id:
            queue.add(connection, asked.id, dataclasses.asdict(asked), owner, "cpu", "done")
            connection.execute("UPDATE runs SET became = ? WHERE id = ?", [run.id, asked.id])
        connection.execute("UPDATE owners SET waits = 0 WHERE owner = ? AND id = ?", [owner, run.id])
        queue.keep_owners(connection, run.id)


def make_sure_it_fits(owner: str, more: int) -> None:
    """A `Problem` when the folders of this owner's runs hold more than allowed with so many bytes more."""
    most = Limits.here().bytes
    folders = [entry.run.folder for entry in runs(owner) if entry.run is not None and not entry.run.pretrained]
    held = sum(file.stat().st_size for folder in folders for file in folder.rglob("*") if file.is_file())
    if held + more > most:
        raise Problem(
            f"your runs would take {held + more:,} bytes with this one",
            f"at most {most:,} are allowed here",
            "delete some on the page Runs",
        )


def visible(owner: str, found: list[Run]) -> list[Run]:
    """Of these finished runs, those that this owner is shown: what ships, what is theirs, and what is nobody's or the
    shell's unless it was made from somebody else's data. Starred ones come before the others that do not ship."""
    rows = []
    if queue.path().exists():
        with queue.opened() as connection:
            rows = connection.execute("SELECT id, owner, starred FROM owners").fetchall()
    mine = {row["id"]: row["starred"] for row in rows if row["owner"] == owner}
    common = {row["id"] for row in rows if row["owner"] == SHELL}
    others = {row["id"] for row in rows} - set(mine) - common
    shown = [
        run
        for run in found
        if run.pretrained
        or run.id in mine
        or (run.id not in others and uploads.readable(run.about["dataset"]["name"], owner))
    ]
    return sorted(shown, key=lambda run: (not run.pretrained, not mine.get(run.id, False)))


def rename(id_: str, owner: str, name: str) -> None:
    """Give a run a name of the owner's own, at most 80 characters; an empty one takes it away."""
    with queue.opened(write=True) as connection:
        connection.execute(
            "UPDATE owners SET name = ? WHERE id = ? AND owner = ?", [name.strip()[:80] or None, id_, owner]
        )
        queue.keep_owners(connection, id_)


def star(id_: str, owner: str, starred: bool) -> None:
    """Star a run, or take the star away."""
    with queue.opened(write=True) as connection:
        connection.execute("UPDATE owners SET starred = ? WHERE id = ? AND owner = ?", [starred, id_, owner])
        queue.keep_owners(connection, id_)


def names(owner: str) -> dict[str, str]:
    """The names that this owner gave, by id."""
    if not queue.path().exists():
        return {}
    with queue.opened() as connection:
        rows = connection.execute("SELECT id, name FROM owners WHERE owner = ? AND name IS NOT NULL", [owner])
        return {row["id"]: row["name"] for row in rows}


def delete(id_: str, owner: str) -> None:
    """Take a run off this owner's list; when nobody else has it there, its folder goes too. Never one that ships.

    A `Problem` while it is being trained.
    """
    with queue.opened(write=True) as connection:
        ticket = next(iter(understood(queue.tickets(connection, id_=id_))), None)
        mine = connection.execute("SELECT 1 FROM owners WHERE id = ? AND owner = ?", [id_, owner]).fetchone()
        if ticket is None or not mine:
            return
        if ticket.state == "running":
            raise Problem(f"the run {id_} is being trained", "only a run at rest can be deleted", "cancel it first")
        connection.execute("DELETE FROM owners WHERE id = ? AND owner = ?", [id_, owner])
        queue.keep_owners(connection, id_)
        left = connection.execute("SELECT SUM(waits) FROM owners WHERE id = ?", [id_]).fetchone()[0]
        if left is not None:
            if ticket.state == "queued" and not left:
                connection.execute("UPDATE runs SET state = 'cancelled' WHERE id = ?", [id_])
            return
        connection.execute("DELETE FROM runs WHERE id = ?", [id_])
    for place in (home() / "runs" / id_, active(id_)):
        if place.is_dir():
            try:
                gone = place.rename(place.with_name(f".deleted-{id_}-{uuid.uuid4().hex[:8]}"))
            except OSError as error:
                raise unwritable(place.parent, error) from error
            shutil.rmtree(gone, ignore_errors=True)


def engine_alive() -> bool:
    """Whether an engine gave a sign of life lately."""
    row = _engine_row()
    return row is not None and abs(time.time() - row["beat"]) < SILENT


def engine_problem() -> str | None:
    """What keeps the engine from training, as a sentence; None when nothing does."""
    row = _engine_row()
    problem = queue.as_problem(row["problem"]) if row is not None else None
    return str(problem) if problem is not None else None


def gpus() -> int:
    """How many trainings can run on graphics processors at once."""
    row = _engine_row()
    return int(row["gpus"]) if row is not None and engine_alive() else 0


def _engine_row() -> dict[str, Any] | None:
    if not queue.path().exists():
        return None
    with queue.opened() as connection:
        row = connection.execute("SELECT * FROM engine").fetchone()
    return dict(row) if row else None


_line_known: dict[Path, tuple[float, dict[str, tuple[int, float | None]]]] = {}


def _line() -> dict[str, tuple[int, float | None]]:
    """For each waiting run: how many come first, and the seconds until it starts, None without experience.

    Computed at most once a second for everybody.
    """
    known = _line_known.get(queue.path())
    if known and time.monotonic() - known[0] < 1:
        return known[1]
    with queue.opened() as connection:
        waiting, running = (understood(queue.tickets(connection, state)) for state in ("queued", "running"))
        turns = queue.turns(connection)
        took = connection.execute(
            "SELECT ended - started FROM runs WHERE state = 'done' AND started IS NOT NULL ORDER BY ended DESC LIMIT 20"
        ).fetchall()
        row = connection.execute("SELECT slots FROM engine").fetchone()
    slots = max(1, row["slots"] if row else 1)
    usual = float(np.median([value for (value,) in took])) if took else None
    free = sorted(_left(one, usual) for one in running) + [0.0] * max(0, slots - len(running))
    out: dict[str, tuple[int, float | None]] = {}
    for place, one in enumerate(queue.order(waiting, running, turns)):
        free.sort()
        out[one.id] = (place, None if usual is None else free[0])
        free[0] += usual or 0.0
    _line_known[queue.path()] = (time.monotonic(), out)
    return out


def understood(tickets: list[Ticket]) -> list[Ticket]:
    """Those whose choices this version knows; a later one may have asked for the others."""
    return [ticket for ticket in tickets if stored.recorded(ticket.configuration) is not None]


def _left(ticket: Ticket, usual: float | None) -> float:
    """About how many seconds a running training still takes."""
    done = progress(ticket.id)
    if done:
        seconds = float(np.median([line["seconds"] for line in done]))
        return seconds * (Configuration(**ticket.configuration).epochs - len(done)) + 2
    return usual or 0.0


def as_ended(id_: str) -> Configuration:
    """The configuration of a finished run: what was asked for and, where it was stopped, how."""
    return stored.open_run(home() / "runs" / id_).configuration


def _done(id_: str) -> bool:
    return (home() / "runs" / id_ / "run.json").is_file()


def _told(folder: Path) -> dict[str, Any] | None:
    """What the training in that folder says; None where it says nothing that this version understands."""
    try:
        told = queue.as_dict((folder / "status.json").read_text())
    except (OSError, ValueError):
        return None
    known: dict[str, Any] = {
        "phase": str,
        "what": str,
        "epoch": int,
        "epochs": int,
        "pid": int,
        "problem": (list, type(None)),
    }
    return told if told and all(isinstance(told.get(name, ...), kind) for name, kind in known.items()) else None


def _problem(told: dict[str, Any]) -> Problem | None:
    return queue.as_problem(json.dumps(told["problem"]))


def _breathes(told: dict[str, Any]) -> bool:
    """Whether the process that wrote this status.json, on this machine, is there."""
    try:
        os.kill(told["pid"], 0)
    except (ProcessLookupError, OverflowError):
        return False
    except PermissionError:
        return True
    return True


# ── training: called by a worker, and by the shell ────────────────────────────


def claim(id_: str) -> int:
    """Take the active folder of a run for a training in this process; returns the attempt's number.

    Whoever trains it now finds a newer number than its own and ends. A `Problem` when the folder cannot be written.
    """
    folder = active(id_)
    try:
        private(folder)
        attempt = 1 + attempt_of(folder)
        control(folder, attempt, None)
    except OSError as error:
        raise unwritable(folder.parent, error) from error
    return attempt


def attempt_of(folder: Path) -> int:
    try:
        return int(json.loads((folder / "control.json").read_text())["attempt"])
    except (OSError, ValueError, KeyError, TypeError):
        return 0


def tidy(id_: str, attempt: int) -> None:
    """Remove the folder of an attempt that has ended and left no checkpoint to go on from."""
    folder = active(id_)
    if attempt_of(folder) == attempt and not (folder / "checkpoint.safetensors").exists():
        shutil.rmtree(folder, ignore_errors=True)


def begun(id_: str) -> int:
    """The last attempt that has written anything, 0 before there is one."""
    told = _told(active(id_)) or {}
    return int(told.get("attempt", 0))


def control(folder: Path, attempt: int, wish: str | None) -> None:
    """Tell the training in this folder what it is to do (see `models.training`)."""
    stored.write_whole(folder / "control.json", json.dumps({"attempt": attempt, "wish": wish}).encode())


def finished(id_: str, run: Run) -> None:
    """Move a sealed run from where it grew to its place."""
    folder = active(id_)
    for path in folder.rglob("*"):
        if path.is_file() and (path.name in stored.WORKING or path.name[0] == "."):
            path.unlink(missing_ok=True)
    stored.keep(folder, run.id)


def train(
    root: str, id_: str, values: dict[str, Any], attempt: int, device: str = "cpu", limit: float = 3600
) -> dict[str, Any]:
    """Train a configuration under the home `root`: a plain function that can be called again at any time.

    Returns {"became": id}, {"stopped": True}, {"overtaken": True} or {"problem": [came, expected, do]}; never raises.
    """
    os.environ["HOURGLASS_HOME"] = root
    _begin(active(id_), attempt)
    from models import training

    try:
        chosen = Configuration(**values)
        if _done(chosen.id):
            return {"became": chosen.id}
        run = training.train(chosen, active(chosen.id), attempt, device=device, limit=limit)
        finished(chosen.id, run)
        return {"became": run.id}
    except training.Stopped:
        return {"stopped": True}
    except training.Overtaken:
        return {"overtaken": True}
    except Problem as problem:
        return {"problem": [problem.came, problem.expected, problem.do]}
    except Exception as error:
        log.exception("a training broke off")
        return {"problem": broken(error)}


def _begin(folder: Path, attempt: int) -> None:
    """Say that this attempt has begun, before anything that could end the process: from here on its loss counts."""
    if attempt_of(folder) == attempt:
        told = {"phase": "preparing", "what": "starting", "attempt": attempt, "epoch": 0, "epochs": 0}
        with contextlib.suppress(Problem):  # the training says better what it cannot write
            stored.write_whole(
                folder / "status.json", json.dumps({**told, "pid": os.getpid(), "problem": None}).encode()
            )


def measure(root: str, values: dict[str, Any], device: str) -> dict[str, Any]:
    """How long an epoch takes: {"seconds": s} or {"problem": [came, expected, do]}; never raises."""
    os.environ["HOURGLASS_HOME"] = root
    from models import training, worker

    worker.settled()
    try:
        # On the disk that a training writes to: for small data that is most of what an epoch costs.
        with tempfile.TemporaryDirectory(dir=root, prefix=".timing-") as folder:
            return {"seconds": training.epoch_seconds(Configuration(**values), Path(folder), device)}
    except Problem as problem:
        return {"problem": [problem.came, problem.expected, problem.do]}
    except Exception as error:
        log.exception("a timing broke off")
        return {"problem": broken(error)}


# ── the engine's process ─────────────────────────────────────────────────────


def serve(root: Path, address: str | None = None, workers: int | None = None) -> None:
    """Train what the queue under `root` holds until SIGTERM or SIGINT; what runs then is queued again.

    address is that of a Dask scheduler; without one, `workers` processes are started on this machine (one for each
    core by default, fewer where memory is short). A `Problem` when another engine serves this folder.
    """
    from filelock import FileLock, Timeout

    from models import dispatch

    root = root.absolute()  # workers on other machines are told where it lies
    os.environ["HOURGLASS_HOME"] = str(root)
    with queue.opened(write=True) as connection:  # makes the folder too, or says why not
        close_home()
        for (id_,) in connection.execute("SELECT id FROM runs WHERE state = 'done'").fetchall():
            if not (root / "runs" / id_ / queue.OWNERS).exists():  # an earlier version did not write it
                queue.keep_owners(connection, id_)
    lock = FileLock(root / "engine.lock", mode=0o600)
    try:
        lock.acquire(timeout=0)
    except Timeout:
        raise Problem(
            f"another engine serves {root}",
            "one engine for each folder was expected",
            "stop that one, or name another folder in HOURGLASS_HOME",
        ) from None
    except OSError as error:
        raise unwritable(root, error) from error
    with lock:
        if not (root / "home.id").exists():  # how workers on other machines know that they see this very folder
            stored.write_whole(root / "home.id", secrets.token_hex(16).encode())
        dispatch.Dispatcher(root, address, workers or cores()).run()


def cores() -> int:
    """One worker for each core, but no more than have 1.5 GB of memory each."""
    import psutil

    return max(1, min(os.cpu_count() or 1, int(psutil.virtual_memory().total / 1.5e9)))


def broken(error: BaseException | None) -> list[str]:
    return [
        f"the training broke off ({type(error).__name__}: {str(error)[:200]})",
        "it should have finished its epochs",
        "train again, with other choices if it breaks off again",
    ]


class Keeper:
    """Keeps an engine running as a child of this process once somebody wants one, and ends it with this process.

    Until then nothing is started: a person who only explores pays nothing. Where another engine serves the same
    folder already, it is left to it.
    """

    def __init__(self, workers: int | None = None) -> None:
        self.workers = workers
        self.wanted, self.ending = threading.Event(), threading.Event()
        self.process: subprocess.Popen[bytes] | None = None
        self.problem: str | None = None  # why the last one ended, or why none is started
        self.thread = threading.Thread(target=self._watch, name="engine keeper", daemon=True)

    def __enter__(self) -> Keeper:
        KEEPERS.append(self)
        if _unfinished():
            self.wanted.set()
        self.thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        KEEPERS.remove(self)
        self.ending.set()
        self.wanted.set()
        self.thread.join()
        if self.process is not None:
            self.process.terminate()
            try:
                self.process.wait(10)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
            self._forget()

    def _watch(self) -> None:
        self.wanted.wait()
        began, pause = float("-inf"), PAUSE
        while not self.ending.wait(0.2):
            lived = time.monotonic() - began
            if self.process is not None and self.process.poll() is None:
                if lived > LONGEST:
                    pause = PAUSE
                continue
            killed = self.process is None or self.process.returncode < 0
            if not killed:
                self.problem = _last_words()
            # One that does not stay up is not started again and again, nor is one beside another that is alive.
            if lived < (0.5 if killed else pause) or self._another_serves():
                continue
            pause = PAUSE if killed else min(2 * pause, LONGEST)
            began = time.monotonic()
            self._forget()
            self._begin()

    def _another_serves(self) -> bool:
        """Whether an engine that is not ours gives signs of life. While nobody can say, none is started either: it would
        need the same file. What is wrong with that may be put right at any time, so we keep looking."""
        try:
            row = _engine_row()
        except Problem as problem:
            self.problem = str(problem)
            return True
        ours = self.process is not None and row is not None and row["pid"] == self.process.pid
        return not ours and engine_alive()

    def _forget(self) -> None:
        if self.process is not None and self.process.stdin is not None:
            self.process.stdin.close()

    def _begin(self) -> None:
        command = [sys.executable, "-m", "models.engine"]
        if self.workers:
            command += ["--workers", str(self.workers)]
        try:
            words_of = private(home()) / "engine.log"
            words_of.touch(mode=0o600)
            if words_of.exists() and words_of.stat().st_size > 1_000_000:
                words_of.replace(words_of.with_suffix(".old.log"))
            with words_of.open("ab") as words:
                self.process = subprocess.Popen(
                    command,
                    cwd=PROJECT,
                    env={**os.environ, "HOURGLASS_CHILD": "1", "HOURGLASS_HOME": str(home())},
                    stdin=subprocess.PIPE,
                    stdout=words,
                    stderr=words,
                    start_new_session=True,  # Ctrl-C in a terminal reaches the app, which then ends us
                )
        except OSError as error:
            log.warning("the engine cannot be started: %s", error)


KEEPERS: list[Keeper] = []
WORDS = "hourglass: "  # how the last line of a program begins that ends with a problem
PROJECT = Path(__file__).resolve().parent.parent


def wake() -> None:
    """Have the engine started now, if this process keeps one, so that it is ready when it is needed."""
    for keeper in KEEPERS:
        keeper.wanted.set()


def _last_words() -> str | None:
    """The sentence with which an engine ended that could not go on."""
    with contextlib.suppress(OSError):
        last = (home() / "engine.log").read_text(errors="replace")[-4000:].strip().rpartition("\n")[2]
        if last.startswith(WORDS):
            return last.removeprefix(WORDS)
    return None


def _unfinished() -> bool:
    try:
        with queue.opened() as connection:
            return bool(connection.execute("SELECT 1 FROM runs WHERE state IN ('queued', 'running')").fetchone())
    except Problem:
        return False


def main() -> int:
    """`python -m models.engine`: exit codes as in `python -m models`."""
    parser = argparse.ArgumentParser("python -m models.engine", description="Train what the queue holds.")
    parser.add_argument(
        "--scheduler",
        default=os.environ.get("HOURGLASS_SCHEDULER"),
        metavar="ADDRESS",
        help="train on the Dask scheduler at this address, tls://… or tcp://… (default: HOURGLASS_SCHEDULER)",
    )
    workers = os.environ.get("HOURGLASS_WORKERS")
    parser.add_argument(
        "--workers",
        type=int,
        default=int(workers) if workers else None,
        metavar="N",
        help="without a scheduler: trainings at once on this machine (default: HOURGLASS_WORKERS, else one each core)",
    )
    chosen = parser.parse_args()
    logging.basicConfig(format="%(asctime)s %(message)s")
    try:
        serve(home(), chosen.scheduler, chosen.workers)
    except Problem as problem:
        print(f"{WORDS}{problem}", file=sys.stderr)
        return 1
    logging.shutdown()
    os._exit(0)  # Dask would wait for its workers, which are gone


if __name__ == "__main__":
    # Dask's workers know functions by the name of their module, and this one is called __main__ here.
    sys.exit(importlib.import_module("models.engine").main())

"""The folder of a run in training, <home>/active/<id>: which attempt may write to it, and reading its progress."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models import Problem, home, private, unwritable
from models import runs as stored
from models.engine import queue
from models.runs import Configuration, Run


def active(id_: str) -> Path:
    """The folder of a run in training. Ids come from URLs too, so only a valid id may become a path."""
    if not stored.ID.fullmatch(id_):
        raise Problem(f"the id of a run has 16 hex digits; “{id_[:80]}” was given", do="take the id from the list")
    return home() / "active" / id_


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
    frames = len(every) // frame if frame else 0
    if epoch is not None:
        frames = min(frames, sum(kept_epoch <= epoch for kept_epoch in stored.frame_epochs(facts)))
    return (every[(frames - 1) * frame : frames * frame].reshape(-1, facts.code_size), labels) if frames else None


def strip(id_: str) -> NDArray[Any] | None:
    """Originals, (noisy inputs,) reconstructions after the last epoch: (2 or 3, S, *shape), None before the first ends."""
    try:
        return np.asarray(np.load(active(id_) / "strip.npy", allow_pickle=False))
    except (OSError, ValueError, EOFError):
        return None


def configuration(id_: str) -> Configuration | None:
    """The configuration of a run that is queued or being trained; None for any other."""
    try:
        return stored.read_configuration(json.loads((active(id_) / "configuration.json").read_text())).check()
    except (OSError, ValueError, Problem):
        pass
    ticket = queue.ticket(id_)
    if ticket is None or ticket.state not in ("queued", "running"):
        return None
    try:
        return stored.read_configuration(ticket.configuration).check()
    except Problem:
        return None


def as_ended(id_: str) -> Configuration:
    """The configuration of a finished run: what was asked for and, where it was stopped, how."""
    return stored.open_run(home() / "runs" / id_).configuration


def is_done(id_: str) -> bool:
    return (home() / "runs" / id_ / "run.json").is_file()


def read_status(folder: Path) -> dict[str, Any] | None:
    """The content of status.json in that folder; None where there is none that this version understands."""
    try:
        status = queue.as_dict((folder / "status.json").read_text())
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
    return status if status and all(isinstance(status.get(name, ...), kind) for name, kind in known.items()) else None


def problem_of(status: dict[str, Any]) -> Problem | None:
    return queue.as_problem(json.dumps(status["problem"]))


def is_alive(status: dict[str, Any]) -> bool:
    """Whether the process that wrote this status.json on this machine is still running."""
    try:
        os.kill(status["pid"], 0)
    except (ProcessLookupError, OverflowError):
        return False
    except PermissionError:
        return True
    return True


def claim(id_: str) -> int:
    """Take the active folder of a run for a training in this process; returns the attempt's number.

    A process that trains it now is superseded and ends. A `Problem` when the folder cannot be written.
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
    status = read_status(active(id_)) or {}
    return int(status.get("attempt", 0))


def control(folder: Path, attempt: int, stop_request: str | None) -> None:
    """Write control.json: the number of the current attempt and the stop request (see `models.training`)."""
    stored.write_whole(folder / "control.json", json.dumps({"attempt": attempt, "wish": stop_request}).encode())


def finished(id_: str, run: Run) -> None:
    """Move a completed run from <home>/active to <home>/runs."""
    folder = active(id_)
    for path in folder.rglob("*"):
        if path.is_file() and (path.name in stored.WORKING or path.name[0] == "."):
            path.unlink(missing_ok=True)
    stored.publish(folder, run.id)

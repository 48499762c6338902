"""The engine: start trainings in processes of their own, and read how they are doing. Never imports torch.

A page calls `submit` and then only reads: the folder <home>/active/<id> grows while a training runs and is renamed
to <home>/runs/<id> in one step when it is done. Reruns, reloads and closed tabs do not disturb it.
"""

import contextlib
import json
import os
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models import Problem, home, runs, unwritable
from models.runs import Configuration

STARTING = 60.0  # seconds a folder may stand without a process before it counts as abandoned


@dataclass(frozen=True)
class Status:
    """How a training stands. phase: preparing, training, measuring, done, failed, stopped or unknown.

    id is the run to open when done: a training that was stopped early becomes a run of its own.
    """

    id: str
    phase: str
    what: str = ""
    epoch: int = 0
    epochs: int = 0
    problem: Problem | None = None

    @property
    def alive(self) -> bool:
        return self.phase in ("preparing", "training", "measuring")


def active(id_: str) -> Path:
    """The folder in which a training grows. Ids come from addresses too: nothing but an id may become a path."""
    if not runs.ID.fullmatch(id_):
        raise Problem(f"“{id_[:80]}” is no id of a run", "16 hex digits were expected", "take the id from the list")
    return home() / "active" / id_


def claim(configuration: Configuration) -> bool:
    """Take the active folder of this configuration, clearing what a dead process left. False when one is alive."""
    folder = active(configuration.id)
    for _ in range(2):
        try:
            folder.parent.mkdir(parents=True, exist_ok=True)
            folder.mkdir()
            _ended_note(folder).unlink(missing_ok=True)  # how it ended before says nothing of this time
            return True
        except FileExistsError:
            if _alive(folder):
                return False
            shutil.rmtree(folder, ignore_errors=True)
        except OSError as error:
            raise unwritable(folder.parent, error) from error
    return False


def kept(id_: str) -> bool:
    """Whether a whole run of this id is there. One that is damaged makes room, so that it can be trained again."""
    if not _done(id_):
        return False
    place = home() / "runs" / id_
    if runs.whole(place):
        return True
    try:
        runs.set_aside(place)
    except OSError as error:
        raise unwritable(place.parent, error) from error
    return False


def submit(configuration: Configuration) -> str:
    """Have this configuration trained, unless it is already being trained or was; returns its id at once."""
    configuration = configuration.check()
    id_ = configuration.id
    if kept(id_) or not claim(configuration):
        return id_
    folder = active(id_)
    values = json.dumps({name: value for name, value in vars(configuration).items() if value is not None})
    command = [sys.executable, "-m", "models", "train", "--claimed", "--configuration", values]
    with (folder / "log.txt").open("wb") as log:
        process = subprocess.Popen(  # a session of its own: closing the app's terminal does not end it
            command,
            cwd=Path(__file__).resolve().parent.parent,
            env={**os.environ, "OMP_NUM_THREADS": "1"},  # numpy's and scikit-learn's threads would fight torch's
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    with contextlib.suppress(OSError):  # a training can be over by now, its folder moved
        (folder / "pid").write_text(str(process.pid))
    return id_


def status(id_: str) -> Status:
    """Where the training of this id stands now."""
    if not runs.ID.fullmatch(id_):
        return Status(id_, "unknown")
    if _done(id_):
        return Status(id_, "done")
    folder = active(id_)
    told = _told(folder)
    if told is None and not folder.is_dir():
        return _ended(id_)
    if told is None:  # status.json is not there yet, or not any more
        phase = "measuring" if (folder / "errors.f32").is_file() else "preparing"
        told = {"phase": phase, "what": "starting", "epoch": 0, "epochs": 0, "problem": None}
    problem = Problem(*told["problem"]) if told["problem"] else None
    if problem is None and not _alive(folder):
        if not folder.is_dir():  # it was moved to its place while we looked
            return _ended(id_)
        problem = Problem(
            f"the training process ended without a word{_last_words(folder)}",
            "it should have finished its epochs",
            "train again; with less memory use, choose a smaller batch size or code size",
        )
    return Status(id_, "failed" if problem else told["phase"], told["what"], told["epoch"], told["epochs"], problem)


def _done(id_: str) -> bool:
    return (home() / "runs" / id_ / "run.json").is_file()


def _ended_note(folder: Path) -> Path:
    """The file beside an active folder that says what became of it: a run's id, or nothing."""
    return folder.with_suffix(".ended")


def _ended(id_: str) -> Status:
    try:
        became = _ended_note(active(id_)).read_text()
    except OSError:
        return Status(id_, "done" if _done(id_) else "unknown")
    return Status(became, "done") if became else Status(id_, "stopped")


def finished(id_: str, run: runs.Run | None) -> None:
    """Move a sealed run from active to its place; None for a training that was stopped with nothing to keep."""
    folder = active(id_)
    if run is None:
        runs.write_whole(_ended_note(folder), b"")
        shutil.rmtree(folder, ignore_errors=True)
        return
    if run.id != id_:
        runs.write_whole(_ended_note(folder), run.id.encode())
    runs.keep(folder, run.id)


def stop(id_: str) -> None:
    """Ask a training to end now and keep what it has learnt."""
    folder = active(id_)
    if folder.is_dir():
        (folder / "stop").touch()


def configuration(id_: str) -> Configuration | None:
    """What a growing run was asked to be, None when it is not growing."""
    try:
        return runs.configuration(json.loads((active(id_) / "configuration.json").read_text()))
    except (OSError, ValueError, Problem):
        return None


def history(id_: str) -> list[dict[str, Any]]:
    """The finished epochs of a training, a dict each; lines still being written are left out."""
    try:
        lines = (active(id_) / "history.jsonl").read_text().split("\n")[:-1]
    except OSError:
        return []
    return [json.loads(line) for line in lines]


def forming(id_: str, code_size: int) -> tuple[NDArray[np.float32], NDArray[np.int32]] | None:
    """The newest codes (R, D) of the replay samples and their labels (R,), None before the first epoch ends."""
    folder = active(id_)
    try:
        index = np.fromfile(folder / "replay" / "index.i32", np.int32)
        labels = np.fromfile(folder / "labels.i32", np.int32)[index]
        codes = np.fromfile(folder / "replay" / "codes.f32", np.float32)
    except (OSError, IndexError):
        return None
    frame = len(index) * code_size
    whole = len(codes) // frame if frame else 0
    return (codes[(whole - 1) * frame : whole * frame].reshape(-1, code_size), labels) if whole else None


def strip(id_: str) -> NDArray[Any] | None:
    """Originals, (noisy inputs,) reconstructions after the last epoch: (2 or 3, S, *shape), None before the first ends."""
    try:
        return np.asarray(np.load(active(id_) / "strip.npy", allow_pickle=False))
    except (OSError, ValueError):
        return None


def _told(folder: Path) -> dict[str, Any] | None:
    try:
        return dict(json.loads((folder / "status.json").read_text()))
    except (OSError, ValueError):
        return None


def _alive(folder: Path) -> bool:
    told = _told(folder)
    if told and told["problem"]:
        return False
    try:
        pid = told["pid"] if told else int((folder / "pid").read_text())
    except (OSError, ValueError):  # the folder was made a moment ago, or is about to be moved to its place
        try:
            return time.time() - folder.stat().st_mtime < STARTING
        except OSError:
            return False
    with contextlib.suppress(ChildProcessError, AttributeError):
        # A child of this process that ended stays a zombie until it is waited for, and would look alive.
        os.waitpid(pid, os.WNOHANG)
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _last_words(folder: Path) -> str:
    try:
        lines = [line for line in (folder / "log.txt").read_text(errors="replace").splitlines() if line.strip()]
    except OSError:
        return ""
    return f" (its last words: {lines[-1][:200]})" if lines else ""

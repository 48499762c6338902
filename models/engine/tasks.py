"""What Dask calls in a worker: a training, or a question of a lab. Plain functions that never raise."""

from __future__ import annotations

import contextlib
import json
import logging
import os
import time
from pathlib import Path
from typing import Any

from models import Problem, labs
from models import runs as stored
from models.engine import answers
from models.engine.growing import active, attempt_of, finished, is_done
from models.runs import read_configuration

log = logging.getLogger("hourglass.engine")


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
        chosen = read_configuration(values)
        if is_done(chosen.id):
            return {"became": chosen.id}
        run = training.train(chosen, active(chosen.id), attempt, device=device, limit=limit)
        finished(chosen.id, run)
        return {"became": run.id}
    except training.Stopped:
        return {"stopped": True}
    except training.Superseded:
        return {"overtaken": True}
    except Problem as problem:
        return {"problem": problem.parts}
    except Exception as error:
        log.exception("a training failed")
        return {"problem": broken(error)}


def _begin(folder: Path, attempt: int) -> None:
    """Say that this attempt has begun, before anything that could end the process: from here on its loss counts."""
    if attempt_of(folder) == attempt:
        status = {"phase": "preparing", "what": "starting", "attempt": attempt, "epoch": 0, "epochs": 0}
        with contextlib.suppress(Problem):  # the training says better what it cannot write
            stored.write_whole(
                folder / "status.json", json.dumps({**status, "pid": os.getpid(), "problem": None}).encode()
            )


class Withdrawn(Exception):
    """Nobody waits for the answer any more."""


def answer(root: str, values: dict[str, Any]) -> dict[str, Any]:
    """Answer a question of a lab under the home `root` and keep the answer.

    Returns {"answered": True}, {"withdrawn": True} or {"problem": [came, expected, do]}; never raises.
    """
    os.environ["HOURGLASS_HOME"] = root
    asked = answers.Question(**values)
    said, seen = float("-inf"), None

    def report(what: str, share: float, sketch: labs.Sketch | None = None, /) -> None:
        nonlocal said, seen
        if asked.stop.exists():
            raise Withdrawn
        if time.monotonic() - said > 0.2:
            said = time.monotonic()
            seen = seen if sketch is None else sketch()
            told = {"what": what, "share": share, "sketch": seen}
            with contextlib.suppress(Problem):  # the disk is full: the answer says so better
                stored.write_whole(asked.progress, json.dumps(told).encode())

    try:
        if not asked.path.is_file():
            answers.write(asked, answers.compute(asked, report))
        return {"answered": True}
    except Withdrawn:
        return {"withdrawn": True}
    except Problem as problem:
        return {"problem": problem.parts}
    except Exception as error:
        log.exception("a question of a lab failed")
        return {"problem": broken(error, "computation")}
    finally:
        for path in (asked.stop, asked.progress):
            with contextlib.suppress(OSError):
                path.unlink(missing_ok=True)


def broken(error: BaseException | None, what: str = "training") -> list[str | None]:
    """The parts of the `Problem` of a training, or of what `what` names, that ended with an unforeseen error."""
    again = "train again, with other choices if it fails again" if what == "training" else "ask again"
    return Problem(
        f"the {what} failed ({type(error).__name__}: {str(error)[:200]})",
        do=again,
    ).parts

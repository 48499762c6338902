"""What Dask calls in a worker: a training. A plain function that never raises."""

from __future__ import annotations

import contextlib
import json
import logging
import os
from pathlib import Path
from typing import Any

from models import Problem
from models import runs as stored
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


def broken(error: BaseException | None) -> list[str | None]:
    """The parts of the `Problem` of a training that ended with an unforeseen error."""
    return Problem(
        f"the training failed ({type(error).__name__}: {str(error)[:200]})",
        do="train again, with other choices if it fails again",
    ).parts

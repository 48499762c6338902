"""What a training says (status.json) and hears (control.json) while it runs."""

from __future__ import annotations

import dataclasses
import json
import os
import time
from pathlib import Path

from models import Problem, runs
from models.runs import Configuration

LOOK = 0.1  # seconds between two looks at control.json


class Stopped(Exception):
    """A person ended the training, and nothing is to be kept but its checkpoint."""


class Superseded(Exception):
    """Another attempt at the same run has begun: this one must not write any more."""


class Report:
    """What a training says (status.json, written whole each time) and hears (control.json)."""

    def __init__(self, folder: Path, configuration: Configuration, attempt: int) -> None:
        self.folder, self.attempt, self.epochs, self.epoch = folder, attempt, configuration.epochs, 0
        self.looked, self.keep, self.cool = time.monotonic(), False, False
        self.pca: float | None = None  # its validation error, where that can stand beside the loss
        if not (folder / "control.json").exists():  # nobody else has claimed this folder
            runs.write_whole(folder / "control.json", json.dumps({"attempt": attempt, "wish": None}).encode())
        self.look()
        facts = json.dumps(dataclasses.asdict(configuration)).encode()
        runs.write_whole(folder / "configuration.json", facts)
        self.write("preparing", "starting", 0.0)

    def look(self) -> bool:
        """Whether to end now and keep what was learnt. `Stopped` when nothing is to be kept, `Superseded` as it says."""
        self.looked = time.monotonic()
        try:
            control = json.loads((self.folder / "control.json").read_text())
        except FileNotFoundError:
            raise Superseded from None
        if control["attempt"] != self.attempt:
            raise Superseded
        if control["wish"] == "drop":
            raise Stopped
        self.keep, self.cool = control["wish"] in ("keep", "cool"), control["wish"] == "cool"
        return self.keep

    def look_now_and_then(self) -> bool:
        """`look`, but at most ten times a second; in between what was seen last."""
        return self.look() if time.monotonic() - self.looked >= LOOK else self.keep

    def write(self, phase: str, what: str, share: float, problem: Problem | None = None) -> None:
        """phase and what are words for the page; share in [0, 1] is how much of the phase is done."""
        self.look()
        told = problem.parts if problem else None
        status = {"phase": phase, "what": what, "share": share, "attempt": self.attempt}
        status |= {"epoch": self.epoch, "epochs": self.epochs, "pca": self.pca}
        runs.write_whole(
            self.folder / "status.json", json.dumps({**status, "pid": os.getpid(), "problem": told}).encode()
        )


def append(path: Path, content: bytes) -> None:
    """Add to a growing file and make sure it is on the disk."""
    with path.open("ab") as stream:
        stream.write(content)
        stream.flush()
        os.fsync(stream.fileno())

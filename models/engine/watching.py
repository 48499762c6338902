"""How a training stands, and when a waiting one will begin."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from models import Problem
from models import runs as stored
from models.engine import presence, queue
from models.engine.growing import active, is_alive, is_done, problem_of, progress, read_status
from models.engine.queue import Ticket
from models.engine.supervisor import SUPERVISORS


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


def status(id_: str) -> Status:  # noqa: PLR0911 - one return for each way a training can stand
    """Where the training of this id stands now."""
    if not stored.ID.fullmatch(id_):
        return Status(id_, "unknown")
    if is_done(id_):
        return Status(id_, "done")
    ticket, report = queue.ticket(id_), read_status(active(id_))
    chosen = None if ticket is None else ticket.chosen
    if ticket is not None and chosen is None:
        return Status(id_, "unknown")
    if ticket is None or chosen is None or ticket.state == "done":
        if ticket is not None and ticket.became and is_done(ticket.became):
            return Status(ticket.became, "done")
        if report is None or not is_alive(report):
            return Status(id_, "unknown")
        # It is trained from a shell.
        pca = report.get("pca")
        return Status(
            id_, report["phase"], report["what"], report["epoch"], report["epochs"], problem_of(report), pca=pca
        )
    epoch, epochs = int(report["epoch"]) if report else 0, chosen.epochs
    if chosen.seconds and report is not None:  # for a time: what it will be, as far as is known
        epochs = int(report["epochs"])
    if ticket.state == "queued":
        ahead, wait = _line().get(id_, (None, None))
        row = presence.engine_row()
        what = presence.problem_in(row) or ("" if row is None or row["slots"] else "no worker is there yet")
        if not presence.is_alive(row):
            what = "no engine is running; start one with python -m models.engine"
            if SUPERVISORS:
                problem = SUPERVISORS[-1].problem
                what = "the engine is starting" if problem is None else f"the engine cannot start. {problem}"
        return Status(id_, "queued", what, epoch, epochs, None, ahead, wait)
    if ticket.state != "running":
        return Status(id_, ticket.state, "", epoch, epochs, ticket.problem)
    if report is None or report["problem"]:
        report = {"phase": "measuring" if (active(id_) / "errors.f32").is_file() else "preparing", "what": "starting"}
    return Status(id_, report["phase"], report["what"], epoch, epochs, pca=report.get("pca"))


_line_known: dict[Path, tuple[float, dict[str, tuple[int, float | None]]]] = {}


def _line() -> dict[str, tuple[int, float | None]]:
    """For each waiting run: how many come first, and the seconds until it starts, None without experience.

    Computed at most once a second for everybody.
    """
    known = _line_known.get(queue.path())
    if known and time.monotonic() - known[0] < 1:
        return known[1]
    with queue.opened() as connection:
        waiting, running = (queue.understood(queue.tickets(connection, state)) for state in ("queued", "running"))
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


def _left(ticket: Ticket, usual: float | None) -> float:
    """About how many seconds a running training still takes."""
    done, chosen = progress(ticket.id), ticket.chosen
    if done and chosen is not None:
        if chosen.seconds:
            return max(0.0, chosen.seconds - sum(float(line["seconds"]) for line in done)) + 2
        seconds = float(np.median([line["seconds"] for line in done]))
        return seconds * (chosen.epochs - len(done)) + 2
    return usual or 0.0

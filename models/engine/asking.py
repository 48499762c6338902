"""Asking labs: a question goes into the queue, a worker answers it, and the answer is kept (see `answers`).

Pages ask with `ask`, look with `standing` and give up with `withdraw`.
"""

from __future__ import annotations

import contextlib
import json
from dataclasses import asdict, dataclass
from typing import Any

from models import Problem, datasets
from models.engine import queue
from models.engine.answers import Question
from models.engine.limits import Limits
from models.engine.supervisor import wake
from models.uploads import SHELL


@dataclass(frozen=True)
class Standing:
    """How a question stands. phase: "unasked", "queued", "running", "failed" or "answered"; what is being done and the share
    done in [0, 1]; why it could not be answered; what can be looked at meanwhile, for those who may see the dataset; before: how
    many answers and trainings are computed or come before it, while it is queued."""

    phase: str
    what: str = ""
    share: float = 0.0
    problem: Problem | None = None
    sketch: dict[str, Any] | None = None
    before: int = 0


def ask(asked: Question, owner: str = SHELL) -> None:
    """Have a question answered. One that is asked already is asked once. A `Problem` where this owner may not see the
    dataset, or asks for more than `Limits` allows."""
    datasets.check(asked.dataset, owner)
    limits = Limits.from_environment()
    with queue.opened(write=True) as connection:
        mine, everybodys = (
            connection.execute(f"SELECT COUNT(*) FROM {table} WHERE id <> ?{more}", [asked.id, *given]).fetchone()[0]  # noqa: S608
            for table, more, given in (("askers", " AND owner = ?", [owner]), ("questions", "", []))
        )
        if owner != SHELL and (mine >= limits.waiting or everybodys >= limits.queued):
            raise Problem("too many questions are waiting already", do="wait until some of them are answered")
        connection.execute(
            "INSERT INTO questions (id, question, state) VALUES (?, ?, 'queued')"
            " ON CONFLICT (id) DO UPDATE SET state = 'queued', problem = NULL, tries = 0 WHERE state = 'failed'",
            [asked.id, json.dumps(asdict(asked))],
        )
        connection.execute("INSERT OR IGNORE INTO askers (owner, id) VALUES (?, ?)", [owner, asked.id])
    wake()


def withdraw(asked: Question, owner: str = SHELL) -> None:
    """Wait for it no longer; where nobody else does, it ends."""
    with queue.opened(write=True) as connection:
        connection.execute("DELETE FROM askers WHERE owner = ? AND id = ?", [owner, asked.id])
        left = connection.execute("SELECT COUNT(*) FROM askers WHERE id = ?", [asked.id]).fetchone()[0]
        if not left:
            connection.execute("DELETE FROM questions WHERE id = ?", [asked.id])


def standing(asked: Question) -> Standing:
    """How a question stands now."""
    if asked.path.is_file():
        return Standing("answered", share=1.0)
    if not queue.path().exists():
        return Standing("unasked")
    before = 0
    with queue.opened() as connection:
        row = connection.execute("SELECT place, state, problem FROM questions WHERE id = ?", [asked.id]).fetchone()
        if row is not None and row["state"] == "queued":
            before = connection.execute(
                "SELECT (SELECT COUNT(*) FROM questions WHERE state = 'running' OR state = 'queued' AND place < ?)"
                " + (SELECT COUNT(*) FROM runs WHERE state = 'running')",
                [row["place"]],
            ).fetchone()[0]
    if row is None:
        return Standing("answered", share=1.0) if asked.path.is_file() else Standing("unasked")
    if row["state"] == "running":
        with contextlib.suppress(OSError, ValueError, KeyError, TypeError):
            said = json.loads(asked.progress.read_text())
            share = min(1.0, max(0.0, float(said["share"])))
            return Standing("running", str(said["what"]), share, sketch=said["sketch"])
        return Standing("running", "starting")
    return Standing(row["state"], problem=queue.as_problem(row["problem"]), before=before)

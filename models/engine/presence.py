"""Whether an engine is running, and the status that it writes to the queue's file."""

from __future__ import annotations

import time
from typing import Any

from models.engine import queue

BEAT = 1.0  # seconds between two heartbeats
SILENT = 10.0  # seconds without a heartbeat after which the engine counts as gone


def engine_alive() -> bool:
    """Whether an engine wrote a heartbeat in the last `SILENT` seconds."""
    return is_alive(engine_row())


def is_alive(row: dict[str, Any] | None) -> bool:
    """`engine_alive` of an `engine_row` that has been read."""
    return row is not None and abs(time.time() - row["beat"]) < SILENT


def engine_problem() -> str | None:
    """What keeps the engine from training, as a sentence; None when nothing does."""
    return problem_in(engine_row())


def problem_in(row: dict[str, Any] | None) -> str | None:
    """`engine_problem` of an `engine_row` that has been read."""
    problem = queue.as_problem(row["problem"]) if row is not None else None
    return str(problem) if problem is not None else None


def gpus() -> int:
    """How many trainings can run on graphics processors at once."""
    row = engine_row()
    return int(row["gpus"]) if row is not None and is_alive(row) else 0


def engine_row() -> dict[str, Any] | None:
    if not queue.path().exists():
        return None
    with queue.opened() as connection:
        row = connection.execute("SELECT * FROM engine").fetchone()
    return dict(row) if row else None

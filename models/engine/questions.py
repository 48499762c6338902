"""The engine's side of asking labs: hands questions to Dask and writes down how they ended (see `asking`)."""

from __future__ import annotations

import contextlib
import json
import logging
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from models import Problem, private
from models.engine import answers, queue, tasks
from models.engine.answers import Question
from models.engine.cluster import Client, Future
from models.engine.members import result_of

TRIES = 2  # workers that may be lost over a question
log = logging.getLogger("hourglass.engine")


@dataclass
class Asked:
    """A question that a worker answers; where: the worker's address, None where Dask chose it."""

    question: Question
    future: Future[Any]
    where: str | None
    withdrawn: bool = False


class Questions:
    """Questions that workers answer. They are handed out before trainings, since they take seconds."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.jobs: dict[str, Asked] = {}

    def done(self) -> list[Asked]:
        """Those whose computation has ended."""
        return [job for job in self.jobs.values() if job.future.done()]

    def requeue(self) -> None:
        """What counts as running does not: it waits again."""
        self.jobs.clear()
        with queue.opened(write=True) as connection:
            connection.execute("UPDATE questions SET state = 'queued' WHERE state = 'running'")

    def collect(self, done: list[Asked]) -> None:
        """Write down how questions ended; one whose worker was lost is asked once more."""
        for job in done:
            result = result_of(job.future)
            if result is None:
                continue
            id_ = job.question.id
            del self.jobs[id_]
            job.question.progress.unlink(missing_ok=True)
            problem = result.get("problem")
            with queue.opened(write=True) as connection:
                if "answered" in result:
                    connection.execute("DELETE FROM questions WHERE id = ?", [id_])
                    connection.execute("DELETE FROM askers WHERE id = ?", [id_])
                    continue
                row = connection.execute("SELECT tries FROM questions WHERE id = ?", [id_]).fetchone()
                if row is None:
                    continue
                tries = row["tries"] + bool(result.get("lost"))
                if problem is None and tries < TRIES:
                    connection.execute("UPDATE questions SET state = 'queued', tries = ? WHERE id = ?", [tries, id_])
                    continue
                problem = problem or Problem("the process that computed this died", do="ask again").parts
                connection.execute(
                    "UPDATE questions SET state = 'failed', problem = ? WHERE id = ?", [json.dumps(problem), id_]
                )
                connection.execute("DELETE FROM askers WHERE id = ?", [id_])

    def pass_on(self) -> None:
        """End those that nobody waits for any more."""
        if not self.jobs:
            return
        with queue.opened() as connection:
            known = {id_ for (id_,) in connection.execute("SELECT id FROM questions WHERE state = 'running'")}
        for id_, job in self.jobs.items():
            if id_ not in known and not job.withdrawn:
                job.withdrawn = True
                with contextlib.suppress(OSError, Problem):
                    job.question.stop.touch()

    def hand_out(self, client: Client, free: int, place: Callable[[str], tuple[bool, str | None]]) -> None:
        """Start the questions that were asked first, as many as may run. place(dataset): whether a worker is free for it,
        and which."""
        if free < 1:
            return
        with queue.opened() as connection:
            rows = connection.execute("SELECT question FROM questions WHERE state = 'queued' ORDER BY place").fetchall()
        for (text,) in rows:
            asked = answers.read_question(queue.as_dict(text))
            if asked is None or asked.id in self.jobs:
                continue
            takes, where = place(asked.dataset)
            if not takes:
                continue
            self._start(client, asked, where)
            free -= 1
            if not free:
                return

    def _start(self, client: Client, asked: Question, where: str | None) -> None:
        with queue.opened(write=True) as connection:
            took = connection.execute(
                "UPDATE questions SET state = 'running' WHERE id = ? AND state = 'queued'", [asked.id]
            )
            if not took.rowcount:
                return
        with contextlib.suppress(OSError):
            private(asked.folder)
            asked.stop.unlink(missing_ok=True)
        future = client.submit(
            tasks.answer, str(self.root), asdict(asked), pure=False, retries=0, workers=[where] if where else None
        )
        self.jobs[asked.id] = Asked(asked, future, where)

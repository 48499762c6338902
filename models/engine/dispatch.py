"""What the engine does all day: read the queue, hand runs to Dask, write down how they ended. See `models.engine`."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import logging
import multiprocessing
import os
import signal
import sqlite3
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from models import Problem, private, unwritable
from models.engine import growing, presence, queue, tasks
from models.engine.cluster import (
    Client,
    Future,
    own_security,
    security,
)
from models.engine.limits import Limits
from models.engine.local import local_cluster
from models.engine.members import Members, result_of
from models.engine.questions import Asked, Questions
from models.engine.queue import Ticket
from models.uploads import SHELL

TURN = 0.05  # seconds between two reads of the queue
TRIES = 3  # attempts that may be lost in a row without a finished epoch in between
log = logging.getLogger("hourglass.engine")


@dataclass
class _Job:
    ticket: Ticket
    attempt: int
    future: Future[Any]
    reached: int  # epochs finished before this attempt
    # `queue.name` of the file it came from: a run missing from the same file was deleted, from a new one lost.
    queue: int
    where: str | None  # address of its worker, None where Dask chooses
    stop_request: str | None = None


class Dispatcher:
    """Reads the queue and submits its runs to a Dask cluster in fair order."""

    def __init__(self, root: Path, address: str | None, workers: int) -> None:
        self.root, self.address, self.workers = root, address, workers
        self.limits = Limits.from_environment()
        self.security = security()
        self.jobs: dict[str, _Job] = {}
        self.questions = Questions(root)
        self.members = Members(root, address)
        self.slots = self.gpus = self.wanted = 0
        self.client: Client | None = None
        self.cluster: Any = None
        self.problem: Problem | None = None
        self.beaten = self.tried = float("-inf")
        self.seen: tuple[int, ...] = ()
        self.ending = threading.Event()

    def run(self) -> None:
        for kind in (signal.SIGTERM, signal.SIGINT):
            signal.signal(kind, lambda *_: self.ending.set())
        if "HOURGLASS_CHILD" in os.environ:
            threading.Thread(target=self._end_with_parent, daemon=True).start()
        self._requeue_all()
        said = ""
        try:
            while not self.ending.wait(TURN):
                try:
                    self._turn()
                except Problem as problem:  # the queue is locked, or the disk is full: what runs goes on meanwhile
                    if str(problem) != said:
                        log.warning("%s", problem)
                    said = str(problem)
                    self.ending.wait(1)
        finally:
            with contextlib.suppress(Problem):
                self._requeue_all()
                with queue.opened(write=True) as connection:  # nobody has to wait until the silence is long enough
                    connection.execute("DELETE FROM engine WHERE pid = ?", [os.getpid()])
            if self.cluster is not None:  # a worker would first end what it does; its checkpoint is all that is needed
                for nanny in list(self.cluster.workers.values()):
                    nanny.close_gracefully()  # which keeps it from starting its worker again
                for process in multiprocessing.active_children():
                    process.kill()
            self._disconnect()

    def _end_with_parent(self) -> None:
        """Whoever started us holds the other end of our standard input: when they are gone, however, we go."""
        while os.read(0, 4096):
            pass
        self.ending.set()

    def _turn(self) -> None:
        """One round: stay connected, give a sign of life, collect, pass on what people want, hand out."""
        if self.client is None or self.client.status != "running":
            self._connect()
        self._beat()
        done, answered = [job for job in self.jobs.values() if job.future.done()], self.questions.done()
        if not done and not answered and self._signature() == self.seen:
            return
        self._collect(done)
        self.questions.collect(answered)
        self.seen = self._signature()
        self._pass_on()
        self.questions.pass_on()
        self._hand_out()

    def _signature(self) -> tuple[int, ...]:
        """Changes whenever somebody has written to the queue, or its file is another one."""
        out: list[int] = []
        for name in ("queue.db", "queue.db-wal"):
            with contextlib.suppress(OSError):
                facts = (self.root / name).stat()
                out += [facts.st_ino, facts.st_size, facts.st_mtime_ns]
        return tuple(out)

    # the cluster

    def _connect(self) -> None:
        if self.client is not None:  # the scheduler went away, with all that it held
            log.warning("the scheduler is gone; what was running is queued again")
            self.jobs.clear()
            self._requeue_all()
            self._disconnect()
        if time.monotonic() - self.tried < 1:
            return
        try:
            where = self.address or self._local()
            self.client = Client(where, security=self.security, timeout=5, set_as_default=False)
        except Problem as problem:
            self._say(problem)
        except (OSError, TimeoutError, ValueError) as error:
            self._disconnect()
            self._say(
                Problem(
                    f"the scheduler at {self.address} cannot be reached ({str(error)[:200] or type(error).__name__})",
                    do="start a Dask scheduler with the same certificates there, or correct HOURGLASS_SCHEDULER and HOURGLASS_TLS; waiting runs then start by themselves",
                )
            )
        else:
            self._say(None)
        finally:
            self.tried = time.monotonic()

    def _local(self) -> Any:
        """Worker processes on this machine, the first of them at once."""
        self.security = own_security()
        self.cluster = local_cluster(self.root, self.security, self.ending)
        self.wanted = 1
        self.cluster.scale(self.wanted)
        return self.cluster

    def _disconnect(self) -> None:
        for part in (self.client, self.cluster):
            if part is not None:
                with contextlib.suppress(Exception):  # it is abandoned anyway
                    part.close(timeout=2)
        self.client = self.cluster = None
        self.members.known.clear()
        self.slots = self.gpus = 0

    def _count(self) -> None:
        """How many trainings fit at once, in all and on graphics processors."""
        if self.client is None:
            return
        with contextlib.suppress(OSError, TimeoutError, KeyError):  # the scheduler is going away: the next turn notices
            workers = self.client.scheduler_info(n_workers=-1)["workers"]
            if self.cluster is None:
                self.members.examine(self.client, workers)
                self._give_up(workers)
                workers = {address: one for address, one in workers.items() if not self.members.known[address].mismatch}
            self.slots = sum(one["nthreads"] for one in workers.values())
            self.gpus = int(sum(one["resources"].get("GPU", 0) for one in workers.values()))
        if self.cluster is not None:
            # One after the other: started together, the first would be ready when the last is. And never fewer than
            # were wanted before: of workers that are down at this moment others are on their way already.
            self.wanted = max(self.wanted, min(self.workers, self.slots + 1))
            self.cluster.scale(self.wanted)

    def _give_up(self, found: dict[str, Any]) -> None:
        """What was given to a worker that is gone is given up: Dask would wait for it to come back."""
        for job in self._working:
            if job.where is not None and job.where not in found:
                job.future.cancel()

    def _place(self, dataset: str, on_gpu: bool) -> tuple[bool, str | None]:
        """Whether a worker is free for a training on this dataset, and which; None where Dask chooses it."""
        if self.cluster is not None:
            return True, None
        busy = [job.where for job in self._working]
        where = self.members.place(dataset, on_gpu, busy)
        return where is not None, where

    def _trouble(self) -> Problem | None:
        """Why waiting runs do not start, as far as it is the workers; None when all is well."""
        return None if self.cluster is not None or self.client is None else self.members.trouble()

    # the queue

    def _say(self, problem: Problem | None) -> None:
        if problem is not None and str(problem) != str(self.problem):
            log.warning("%s", problem)
        self.problem, self.beaten = problem, float("-inf")

    def _beat(self) -> None:
        """A sign of life, once a second, with what the cluster has to offer."""
        now = time.monotonic()
        if now - self.beaten < presence.BEAT:
            return
        self._count()
        problem = self.problem or self._trouble()
        text = json.dumps(problem.parts) if problem else None
        with queue.opened(write=True) as connection:
            connection.execute(
                "INSERT OR REPLACE INTO engine (one, beat, pid, slots, gpus, problem) VALUES (1, ?, ?, ?, ?, ?)",
                [time.time(), os.getpid(), self.slots, self.gpus, text],
            )
        self.beaten = now

    def _requeue_all(self) -> None:
        """What counts as running does not: it waits again, and goes on from its checkpoint."""
        with queue.opened(write=True) as connection:
            connection.execute("UPDATE runs SET state = 'queued' WHERE state = 'running'")
        self.questions.requeue()

    @property
    def _working(self) -> list[_Job | Asked]:
        """All that workers do now."""
        return [*self.jobs.values(), *self.questions.jobs.values()]

    @property
    def _free(self) -> int:
        """Workers that do nothing."""
        return self.slots - len(self._working)

    def _collect(self, done: list[_Job]) -> None:
        """Write down how trainings ended; one whose worker was lost waits again, three times at most."""
        for job in done:
            id_, result = job.ticket.id, result_of(job.future)
            if result is None:
                continue
            with queue.opened(write=True) as connection:
                row = connection.execute("SELECT state, attempt, tries FROM runs WHERE id = ?", [id_]).fetchone()
                if row is not None and (row["state"], row["attempt"]) == ("running", job.attempt):
                    self._write_down(connection, job, result, row["tries"])
                elif row is not None and "became" in result:  # cancelled when it was as good as done
                    connection.execute("UPDATE runs SET became = ? WHERE id = ?", [result["became"], id_])
            if "lost" not in result:
                growing.tidy(id_, job.attempt)
            del self.jobs[id_]

    def _write_down(self, connection: sqlite3.Connection, job: _Job, result: dict[str, Any], tries: int) -> None:
        id_, now = job.ticket.id, time.time()
        if "became" in result:
            became = result["became"]
            connection.execute(
                "UPDATE runs SET state = 'done', became = ?, ended = ?, problem = NULL WHERE id = ?", [became, now, id_]
            )
            connection.execute("UPDATE owners SET waits = 0 WHERE id = ?", [id_])
            if became != id_:
                facts = json.dumps(dataclasses.asdict(growing.as_ended(became)))
                connection.execute(
                    "INSERT OR IGNORE INTO runs (id, configuration, state, asked, started, ended)"
                    " SELECT ?, ?, 'done', asked, started, ended FROM runs WHERE id = ?",
                    [became, facts, id_],
                )
                connection.execute(
                    "INSERT OR IGNORE INTO owners (owner, id, waits, name, starred, asked)"
                    " SELECT owner, ?, 0, name, starred, asked FROM owners WHERE id = ?",
                    [became, id_],
                )
            queue.keep_owners(connection, became)
            return
        if "stopped" in result or "overtaken" in result:
            # Stopped before there was anything to keep, or superseded by a training from the shell.
            connection.execute("UPDATE runs SET state = 'cancelled', ended = ? WHERE id = ?", [now, id_])
            connection.execute("UPDATE owners SET waits = 0 WHERE id = ?", [id_])
            return
        problem = result.get("problem")
        if problem is None:
            reached = len(growing.progress(id_))
            if reached > job.reached:
                tries = 1
            elif result["lost"] and growing.begun(id_) == job.attempt:  # else it was no fault of its own
                tries += 1
            if tries < TRIES:
                log.warning("%s was lost after epoch %d; it is queued again", id_, reached)
                connection.execute("UPDATE runs SET state = 'queued', tries = ? WHERE id = ?", [tries, id_])
                return
            problem = Problem(
                f"the process that trained this died {TRIES} times in a row without finishing an epoch",
                "most often it needs more memory than a worker has",
                "train again with a smaller batch size or architecture, or with fewer workers (each then has more memory)",
            ).parts
        connection.execute(
            "UPDATE runs SET state = 'failed', problem = ?, ended = ? WHERE id = ?", [json.dumps(problem), now, id_]
        )
        connection.execute("UPDATE owners SET waits = 0 WHERE id = ?", [id_])

    def _pass_on(self) -> None:
        """Tell trainings what people want of them; take up again what a deleted queue has forgotten."""
        if not self.jobs:
            return
        with queue.opened() as connection:
            known = {one.id: one for one in queue.tickets(connection, *queue.STATES) if one.id in self.jobs}
            name = queue.name(connection)
        for id_, job in self.jobs.items():
            ticket = known.get(id_)
            if ticket is None and job.queue == name:
                continue  # its owner has deleted it: it ends when it misses its folder
            if ticket is None:
                self._remember(job)
            elif ticket.stop_request and ticket.stop_request != job.stop_request and ticket.attempt == job.attempt:
                with contextlib.suppress(Problem):  # its folder is gone: then so is the training
                    growing.control(growing.active(id_), job.attempt, ticket.stop_request)
                job.stop_request = ticket.stop_request

    def _remember(self, job: _Job) -> None:
        ticket = job.ticket
        with queue.opened(write=True) as connection:
            for owner in ticket.owners or (SHELL,):
                queue.add(connection, ticket.id, ticket.configuration, owner, ticket.device, "queued")
            connection.execute(
                "UPDATE runs SET state = 'running', attempt = ?, started = ? WHERE id = ?",
                [job.attempt, time.time(), ticket.id],
            )

    def _hand_out(self) -> None:
        """Start the questions and then the runs whose turn it is, as many as there are free slots."""
        if self.client is None or self._free < 1:
            return
        self.members.lacking.clear()
        may = max(1, self.slots // 2) - len(self.questions.jobs)  # else trainings would wait for a class that asks
        self.questions.hand_out(self.client, min(may, self._free), lambda dataset: self._place(dataset, False))
        with queue.opened() as connection:
            waiting, running = (queue.understood(queue.tickets(connection, s)) for s in ("queued", "running"))
            line = queue.order(waiting, running, queue.turns(connection))
        busy = sum(job.ticket.device == "gpu" for job in self.jobs.values())
        for ticket in line:
            if self._free < 1:
                return
            on_gpu = ticket.device == "gpu" and self.gpus > 0
            if ticket.id in self.jobs or (on_gpu and busy >= self.gpus):  # its last attempt still ends; all taken
                continue
            free, where = self._place(ticket.configuration["dataset"], on_gpu)
            if not free:
                continue
            busy += on_gpu
            self._start(ticket, on_gpu, where)

    def _start(self, ticket: Ticket, on_gpu: bool, where: str | None) -> None:
        assert self.client is not None
        id_, folder = ticket.id, growing.active(ticket.id)
        attempt = max(ticket.attempt, growing.attempt_of(folder)) + 1
        # A stop request stays valid when the worker is lost and another attempt begins.
        stop_request = ticket.stop_request if ticket.stop_request in ("keep", "cool") else None
        with queue.opened(write=True) as connection:
            took = connection.execute(
                "UPDATE runs SET state = 'running', attempt = ?, wish = ?, problem = NULL, became = NULL, started = ?"
                " WHERE id = ? AND state = 'queued'",
                [attempt, stop_request, time.time(), id_],
            )
            if not took.rowcount:  # cancelled a moment ago
                return
            try:
                private(folder)
                growing.control(folder, attempt, stop_request)
            except (OSError, Problem) as error:
                trouble = error if isinstance(error, Problem) else unwritable(folder.parent, error)
                text = json.dumps(trouble.parts)
                connection.execute("UPDATE runs SET state = 'failed', problem = ? WHERE id = ?", [text, id_])
                return
            name = queue.name(connection)
            turn = max(queue.turns(connection).values(), default=0) + 1
            connection.executemany(
                "INSERT OR REPLACE INTO served (owner, turn) VALUES (?, ?)", [(owner, turn) for owner in ticket.owners]
            )
        reached = len(growing.progress(id_))
        future = self.client.submit(
            tasks.train,
            str(self.root),
            id_,
            ticket.configuration,
            attempt,
            "gpu" if on_gpu else "cpu",
            self.limits.seconds,
            key=f"{id_}-{attempt}",
            pure=False,
            retries=0,
            resources={"GPU": 1} if on_gpu else None,
            workers=[where] if where else None,
        )
        self.jobs[id_] = _Job(ticket, attempt, future, reached, name, where, stop_request)

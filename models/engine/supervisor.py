"""Keeps an engine running as a child of the web process, once somebody wants one."""

from __future__ import annotations

import contextlib
import logging
import os
import subprocess
import sys
import threading
import time

from models import PROJECT, Problem, home, private
from models.engine import queue
from models.engine.presence import engine_row, is_alive

log = logging.getLogger("hourglass.engine")


PAUSE, LONGEST = 3.0, 60.0  # seconds before an engine that ended by itself is restarted; doubled each time


class EngineSupervisor:
    """Starts an engine as a child process when one is first needed, restarts it, and ends it with this process.

    Until then nothing is started, so exploring alone costs nothing. Where another engine already serves the same
    folder, none is started.
    """

    def __init__(self, workers: int | None = None) -> None:
        self.workers = workers
        self.wanted, self.ending = threading.Event(), threading.Event()
        self.process: subprocess.Popen[bytes] | None = None
        self.problem: str | None = None  # why the last engine ended, or why none can start
        self.thread = threading.Thread(target=self._watch, name="engine keeper", daemon=True)

    def __enter__(self) -> EngineSupervisor:
        SUPERVISORS.append(self)
        if _unfinished():
            self.wanted.set()
        self.thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        SUPERVISORS.remove(self)
        self.ending.set()
        self.wanted.set()
        self.thread.join()
        if self.process is not None:
            self.process.terminate()
            try:
                self.process.wait(10)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
            self._forget()

    def _watch(self) -> None:
        self.wanted.wait()
        began, pause = float("-inf"), PAUSE
        while not self.ending.wait(0.2):
            lived = time.monotonic() - began
            if self.process is not None and self.process.poll() is None:
                if lived > LONGEST:
                    pause = PAUSE
                continue
            killed = self.process is None or self.process.returncode < 0
            if not killed:
                self.problem = _last_line()
            # Back off from an engine that keeps ending, and start none beside another that is alive.
            if lived < (0.5 if killed else pause) or self._another_serves():
                continue
            pause = PAUSE if killed else min(2 * pause, LONGEST)
            began = time.monotonic()
            self._forget()
            self._begin()

    def _another_serves(self) -> bool:
        """Whether an engine that is not our child is alive. If the queue cannot be read, an engine could not use it either,
        so this returns True; it is checked again, since the cause may be removed at any time."""
        try:
            row = engine_row()
        except Problem as problem:
            self.problem = str(problem)
            return True
        ours = self.process is not None and row is not None and row["pid"] == self.process.pid
        return not ours and is_alive(row)

    def _forget(self) -> None:
        if self.process is not None and self.process.stdin is not None:
            self.process.stdin.close()

    def _begin(self) -> None:
        command = [sys.executable, "-m", "models.engine"]
        if self.workers:
            command += ["--workers", str(self.workers)]
        try:
            words_of = private(home()) / "engine.log"
            if words_of.exists() and words_of.stat().st_size > 1_000_000:
                words_of.replace(words_of.with_suffix(".old.log"))
            words_of.touch(mode=0o600)
            with words_of.open("ab") as words:
                self.process = subprocess.Popen(
                    command,
                    cwd=PROJECT,
                    env={**os.environ, "HOURGLASS_CHILD": "1", "HOURGLASS_HOME": str(home())},
                    stdin=subprocess.PIPE,
                    stdout=words,
                    stderr=words,
                    start_new_session=True,  # Ctrl-C in a terminal reaches the app alone, which then ends the engine
                )
        except OSError as error:
            log.warning("the engine cannot be started: %s", error)


SUPERVISORS: list[EngineSupervisor] = []
WORDS = "hourglass: "  # prefix of the last line of a program that ends with a problem


def wake() -> None:
    """Start the engine now, if this process supervises one, so that it is ready when it is needed."""
    for keeper in SUPERVISORS:
        keeper.wanted.set()


def _last_line() -> str | None:
    """The problem that the last engine printed when it ended; None where there is none."""
    with contextlib.suppress(OSError):
        last = (home() / "engine.log").read_text(errors="replace")[-4000:].strip().rpartition("\n")[2]
        if last.startswith(WORDS):
            return last.removeprefix(WORDS)
    return None


def _unfinished() -> bool:
    try:
        with queue.opened() as connection:
            return bool(connection.execute("SELECT 1 FROM runs WHERE state IN ('queued', 'running')").fetchone())
    except Problem:
        return False

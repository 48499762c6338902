"""Keeps an engine running as a child of the web process, once somebody wants one."""

from __future__ import annotations

import contextlib
import logging
import os
import subprocess
import sys
import threading
import time
from pathlib import Path

from models import Problem, home, private
from models.engine import queue
from models.engine.presence import engine_alive, engine_row

log = logging.getLogger("hourglass.engine")


PAUSE, LONGEST = 3.0, 60.0  # seconds before an engine that ended by itself is started again; twice as many each time


class Keeper:
    """Keeps an engine running as a child of this process once somebody wants one, and ends it with this process.

    Until then nothing is started: a person who only explores pays nothing. Where another engine serves the same
    folder already, it is left to it.
    """

    def __init__(self, workers: int | None = None) -> None:
        self.workers = workers
        self.wanted, self.ending = threading.Event(), threading.Event()
        self.process: subprocess.Popen[bytes] | None = None
        self.problem: str | None = None  # why the last one ended, or why none is started
        self.thread = threading.Thread(target=self._watch, name="engine keeper", daemon=True)

    def __enter__(self) -> Keeper:
        KEEPERS.append(self)
        if _unfinished():
            self.wanted.set()
        self.thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        KEEPERS.remove(self)
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
                self.problem = _last_words()
            # One that does not stay up is not started again and again, nor is one beside another that is alive.
            if lived < (0.5 if killed else pause) or self._another_serves():
                continue
            pause = PAUSE if killed else min(2 * pause, LONGEST)
            began = time.monotonic()
            self._forget()
            self._begin()

    def _another_serves(self) -> bool:
        """Whether an engine that is not ours gives signs of life. While nobody can say, none is started either: it would
        need the same file. What is wrong with that may be put right at any time, so we keep looking."""
        try:
            row = engine_row()
        except Problem as problem:
            self.problem = str(problem)
            return True
        ours = self.process is not None and row is not None and row["pid"] == self.process.pid
        return not ours and engine_alive()

    def _forget(self) -> None:
        if self.process is not None and self.process.stdin is not None:
            self.process.stdin.close()

    def _begin(self) -> None:
        command = [sys.executable, "-m", "models.engine"]
        if self.workers:
            command += ["--workers", str(self.workers)]
        try:
            words_of = private(home()) / "engine.log"
            words_of.touch(mode=0o600)
            if words_of.exists() and words_of.stat().st_size > 1_000_000:
                words_of.replace(words_of.with_suffix(".old.log"))
            with words_of.open("ab") as words:
                self.process = subprocess.Popen(
                    command,
                    cwd=PROJECT,
                    env={**os.environ, "HOURGLASS_CHILD": "1", "HOURGLASS_HOME": str(home())},
                    stdin=subprocess.PIPE,
                    stdout=words,
                    stderr=words,
                    start_new_session=True,  # Ctrl-C in a terminal reaches the app, which then ends us
                )
        except OSError as error:
            log.warning("the engine cannot be started: %s", error)


KEEPERS: list[Keeper] = []
WORDS = "hourglass: "  # how the last line of a program begins that ends with a problem
PROJECT = Path(__file__).resolve().parents[2]


def wake() -> None:
    """Have the engine started now, if this process keeps one, so that it is ready when it is needed."""
    for keeper in KEEPERS:
        keeper.wanted.set()


def _last_words() -> str | None:
    """The sentence with which an engine ended that could not go on."""
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

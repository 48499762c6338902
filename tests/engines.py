"""What the tests of the engine share."""

import contextlib
import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest

from models import engine, runs


@contextmanager
def one_worker(home: Path) -> Iterator[Path]:
    """An engine with one worker on this home, which is everybody's meanwhile."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HOURGLASS_HOME", str(home))
        with engine.EngineSupervisor(workers=1):
            yield home


def choose(**choices: object) -> runs.Configuration:
    return runs.configure({"dataset": "digits", "architecture": "single-layer", "epochs": 2} | choices)


def wait(condition: Callable[[], object], seconds: float = 1500) -> None:
    """Until it holds; on a slow and busy machine that takes minutes."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it never came to that"
        time.sleep(0.05)  # asking costs milliseconds, which what is waited for needs itself


def ended(id_: str) -> engine.Status:
    wait(lambda: not engine.status(id_).alive)
    return engine.status(id_)


def written(id_: str) -> int:
    """How many epochs are there."""
    return len(engine.progress(id_))


@contextmanager
def held(home: Path) -> Iterator[None]:
    """What trains on this home stands still meanwhile: it would take a processor from the page that is looked at."""
    workers = set[psutil.Process]()
    for path in (home / "active").glob("*/status.json"):
        with contextlib.suppress(OSError, ValueError, psutil.Error):
            workers.add(psutil.Process(json.loads(path.read_text())["pid"]))
    for worker in workers:
        with contextlib.suppress(psutil.NoSuchProcess):
            worker.suspend()
    try:
        yield
    finally:
        for worker in workers:
            with contextlib.suppress(psutil.NoSuchProcess):
                worker.resume()

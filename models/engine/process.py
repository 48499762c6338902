"""The engine's own process: `python -m models.engine`."""

from __future__ import annotations

import argparse
import logging
import multiprocessing.util
import os
import secrets
import shutil
import sys
from pathlib import Path
from typing import NoReturn

from models import Problem, close_home, home, unwritable
from models import runs as stored
from models.engine import queue
from models.engine.supervisor import WORDS


def serve(root: Path, address: str | None = None, workers: int | None = None) -> None:
    """Train the runs in the queue under `root` until SIGTERM or SIGINT; running ones are then queued again.

    address is that of a Dask scheduler; without one, `workers` processes are started on this machine (one for each
    core by default, fewer where memory is short). A `Problem` when another engine serves this folder.
    """
    from filelock import FileLock, Timeout

    from models.engine import dispatch

    root = root.absolute()  # workers on other machines get this path
    os.environ["HOURGLASS_HOME"] = str(root)
    with queue.opened(write=True) as connection:  # creates the folder, or raises a Problem
        close_home()
        for (id_,) in connection.execute("SELECT id FROM runs WHERE state = 'done'").fetchall():
            if not (root / "runs" / id_ / queue.OWNERS).exists():  # written by an earlier version
                queue.keep_owners(connection, id_)
    lock = FileLock(root / "engine.lock", mode=0o600)
    try:
        lock.acquire(timeout=0)
    except Timeout:
        raise Problem(
            f"another engine already serves {root}", do="stop that one, or name another folder in HOURGLASS_HOME"
        ) from None
    except OSError as error:
        raise unwritable(root, error) from error
    with lock:
        if not (root / "home.id").exists():  # lets workers on other machines check that they see this very folder
            stored.write_whole(root / "home.id", secrets.token_hex(16).encode())
        dispatch.Dispatcher(root, address, workers or cores()).run()


def cores() -> int:
    """One worker for each core, but no more than have 1.5 GB of memory each."""
    import psutil

    return max(1, min(os.cpu_count() or 1, int(psutil.virtual_memory().total / 1.5e9)))


def main() -> int:
    """`python -m models.engine`: exit codes as in `python -m models`."""
    parser = argparse.ArgumentParser("python -m models.engine", description="Train what the queue holds.")
    parser.add_argument(
        "--scheduler",
        default=os.environ.get("HOURGLASS_SCHEDULER"),
        metavar="ADDRESS",
        help="train on the Dask scheduler at this address, tls://… or tcp://… (default: HOURGLASS_SCHEDULER)",
    )
    workers = os.environ.get("HOURGLASS_WORKERS")
    parser.add_argument(
        "--workers",
        type=int,
        default=int(workers) if workers else None,
        metavar="N",
        help="without a scheduler: trainings at once on this machine (default: HOURGLASS_WORKERS, else one each core)",
    )
    chosen = parser.parse_args()
    logging.basicConfig(format="%(asctime)s %(message)s")
    try:
        serve(home(), chosen.scheduler, chosen.workers)
    except Problem as problem:
        print(f"{WORDS}{problem}", file=sys.stderr)
        return 1
    leave()


def leave() -> NoReturn:
    """End this process: Dask would wait for its workers, which have ended."""
    logging.shutdown()
    shutil.rmtree(
        multiprocessing.util.get_temp_dir(), ignore_errors=True
    )  # with the socket to what workers are forks of
    os._exit(0)

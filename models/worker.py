"""`python -m models.worker ADDRESS`: keeps workers on a machine that is to train. See `models.engine.workers`."""

import argparse
import asyncio
import contextlib
import json
import logging
import signal
import sys
import tempfile
from pathlib import Path
from typing import Any

from models import Problem
from models.engine import cluster
from models.engine.process import cores, leave
from models.engine.supervisor import WORDS

log = logging.getLogger("hourglass.worker")


def _found(address: str) -> str:
    """The address itself, or the one that stands in the file that the scheduler has written."""
    if "://" in address:
        return address
    return str(json.loads(Path(address).read_text())["address"])


async def _keep(address: str, options: dict[str, Any], ending: asyncio.Event) -> None:
    """A worker, and another one whenever it has ended: since it crashed, or since the scheduler is gone."""
    said = ""
    while not ending.is_set():
        try:
            async with cluster.Nanny(_found(address), **options) as nanny:
                log.warning("a worker has joined %s", address)
                said = ""
                over = asyncio.ensure_future(nanny.finished())
                await asyncio.wait([over, asyncio.ensure_future(ending.wait())], return_when=asyncio.FIRST_COMPLETED)
        except Exception as error:
            if str(error) != said:
                log.warning("no worker at %s: %s; it is tried again", address, str(error) or type(error).__name__)
            said = str(error)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(ending.wait(), 2)


async def _serve(address: str, workers: int, gpus: int) -> None:
    ending, security = asyncio.Event(), cluster.security()
    for kind in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(kind, ending.set)
    with tempfile.TemporaryDirectory(prefix="hourglass-", ignore_cleanup_errors=True) as scratch:
        options = [cluster.nanny_options(i, gpus, security, scratch) for i in range(workers)]
        await asyncio.gather(*(_keep(address, one, ending) for one in options))


def main() -> int:
    """Exit codes as in `python -m models`."""
    parser = argparse.ArgumentParser(
        "python -m models.worker",
        description="Train for the engine at a scheduler. Waits for one that is not there yet, or not any more.",
    )
    parser.add_argument("scheduler", metavar="ADDRESS", help="of `python -m models.cluster`, or its --scheduler-file")
    parser.add_argument("--workers", type=int, metavar="N", help="trainings at once (default: one for each core)")
    parser.add_argument("--gpus", type=int, default=0, metavar="N", help="how many of them have a graphics processor")
    chosen = parser.parse_args()
    logging.basicConfig(format="%(asctime)s %(message)s")
    try:
        asyncio.run(_serve(chosen.scheduler, chosen.workers or cores(), chosen.gpus))
    except Problem as problem:
        print(f"{WORDS}{problem}", file=sys.stderr)
        return 1
    leave()


if __name__ == "__main__":
    sys.exit(main())

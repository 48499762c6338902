"""A worker: `python -m models.worker ADDRESS` keeps some on a machine that is to train, and what each loads first.

The engine's own load it, too, and so does `dask worker --preload models.worker`: importing torch and building a first
optimizer take seconds, which nobody should wait for after pressing Train.
"""

import argparse
import asyncio
import contextlib
import getpass
import hashlib
import importlib
import json
import logging
import os
import signal
import socket
import sys
import tempfile
import threading
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

from models import Problem

HERE = Path(__file__).resolve().parent
log = logging.getLogger("hourglass.worker")


def dask_setup(_worker: Any) -> None:
    """Called by Dask in each worker process."""
    if nice := os.environ.get("HOURGLASS_NICE"):  # beside a web server, pages go first
        os.nice(int(nice))
    code()  # as it is now: what is changed on the disk later is not what runs here
    import torch

    from models import training  # noqa: F401

    torch.set_num_threads(1)
    layer = torch.nn.Linear(2, 2)
    layer(torch.zeros(1, 2)).sum().backward()
    torch.optim.Adam(layer.parameters(), fused=True).step()
    REST.start()


def settled() -> None:
    """Wait until nothing is loaded any more: beside that a training is slower than it will be."""
    if REST.is_alive():
        REST.join()


def _rest() -> None:
    """What only the end of a training needs."""
    import onnxruntime  # noqa: F401
    import skimage.metrics  # noqa: F401
    import sklearn.manifold
    import sklearn.neighbors  # noqa: F401


REST = threading.Thread(target=_rest, daemon=True)


# ── does it fit the engine? ──────────────────────────────────────────────────


@cache
def code() -> str:
    """A checksum of the source of `models`: two machines with the same one train to the same result."""
    digest = hashlib.sha256()
    for path in sorted(HERE.rglob("*.py")):
        digest.update(f"{path.relative_to(HERE)}\n".encode() + path.read_bytes())
    return digest.hexdigest()[:16]


def facts(root: str) -> dict[str, Any]:
    """What a worker and the engine have to have in common. The engine asks each worker that joins, and itself.

    home is what home.id says, a number that the engine wrote into its folder: another folder at the same path, as of a
    disk that is not mounted, has another one, or none. absent: datasets that cannot be read here.
    """
    os.environ["HOURGLASS_HOME"] = root
    from models import datasets, runs

    try:
        home = (Path(root) / "home.id").read_text()
    except OSError as error:
        home = f"{type(error).__name__}"
    return {
        "host": socket.gethostname(),
        "account": getpass.getuser(),
        "code": code(),
        "recipe": runs.RECIPE,
        "torch": version("torch").partition("+")[0],  # behind the plus is what it was built for
        "home": home,
        "writes": os.access(root, os.W_OK),
        "absent": [name for name, dataset in datasets.found().items() if datasets.missing(dataset)],
    }


def misfit(mine: dict[str, Any], theirs: dict[str, Any], root: str) -> str | None:
    """Why a worker with these facts cannot train for the engine, as a clause; None when it can."""
    for name, what in (("recipe", "recipe"), ("code", "version of the folder models"), ("torch", "torch")):
        if mine[name] != theirs.get(name):
            return f"its {what} is {theirs.get(name)}, ours {mine[name]}"
    if mine["home"] != theirs["home"]:
        absent = theirs["home"] == "FileNotFoundError"
        return f"it {'does not see the folder' if absent else 'sees another folder, or may not read it, at'} {root}"
    return None if theirs["writes"] else f"it may not write to {root}"


# ── python -m models.worker ──────────────────────────────────────────────────


def _found(address: str) -> str:
    """The address itself, or the one that stands in the file that the scheduler has written."""
    if "://" in address:
        return address
    return str(json.loads(Path(address).read_text())["address"])


async def _keep(address: str, options: dict[str, Any], ending: asyncio.Event) -> None:
    """A worker, and another one whenever it has ended: since it crashed, or since the scheduler is gone."""
    from models.cluster import Nanny

    said = ""
    while not ending.is_set():
        try:
            async with Nanny(_found(address), **options) as nanny:
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
    from models import cluster

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
    from models import engine

    try:
        asyncio.run(_serve(chosen.scheduler, chosen.workers or engine.cores(), chosen.gpus))
    except Problem as problem:
        print(f"{engine.WORDS}{problem}", file=sys.stderr)
        return 1
    logging.shutdown()
    os._exit(0)  # Dask's threads would be waited for


if __name__ == "__main__":
    # Dask knows functions by the name of their module, and this one is called __main__ here.
    sys.exit(importlib.import_module("models.worker").main())

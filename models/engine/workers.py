"""What each worker process loads first, and whether a worker fits the engine.

Dask calls `dask_setup` in every worker, since the engine's own and those of `python -m models.worker` name this module
as their preload, as `dask worker --preload models.engine.workers` does: importing torch and the first step of a training
take seconds, which nobody should wait for after pressing Train.
"""

import getpass
import hashlib
import logging
import os
import socket
import threading
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

MODELS = Path(__file__).resolve().parents[1]
log = logging.getLogger("hourglass.worker")


def dask_setup(_worker: Any) -> None:
    """Called by Dask in each worker process."""
    if nice := os.environ.get("HOURGLASS_NICE"):  # on the web server's machine pages have priority
        os.nice(int(nice))
    code()  # cached now: later changes on disk do not affect this process
    import torch

    from models import training  # noqa: F401

    torch.set_num_threads(1)
    layer = torch.nn.Linear(2, 2)
    layer(torch.zeros(1, 2)).sum().backward()
    REST.start()


def settled() -> None:
    """Wait until all modules are loaded: an epoch timed meanwhile would be too slow."""
    if REST.is_alive():
        REST.join()


def _rest() -> None:
    """Import what only the end of a training needs."""
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
    for path in sorted(MODELS.rglob("*.py")):
        digest.update(f"{path.relative_to(MODELS)}\n".encode() + path.read_bytes())
    return digest.hexdigest()[:16]


def machine_facts(root: str) -> dict[str, Any]:
    """Facts that must be the same for a worker and the engine, which compares those of each worker with its own.

    home: the content of home.id, a random number that the engine wrote into its folder; another folder at the same
    path (a disk that is not mounted, say) has another one, or none. absent: datasets that cannot be read here.
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
        "torch": version("torch").partition("+")[0],  # without the build, such as +cpu
        "home": home,
        "writes": os.access(root, os.W_OK),
        "absent": [name for name, dataset in datasets.available().items() if datasets.missing(dataset)],
    }


def mismatch(mine: dict[str, Any], theirs: dict[str, Any], root: str) -> str | None:
    """Why a worker with these facts cannot train for the engine, as a clause; None when it can."""
    for name, what in (("recipe", "recipe"), ("code", "version of the folder models"), ("torch", "torch")):
        if mine[name] != theirs.get(name):
            return f"its {what} is {theirs.get(name)}, ours {mine[name]}"
    if mine["home"] != theirs["home"]:
        absent = theirs["home"] == "FileNotFoundError"
        return f"it {'does not see the folder' if absent else 'sees another folder, or may not read it, at'} {root}"
    return None if theirs["writes"] else f"it may not write to {root}"

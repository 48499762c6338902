"""Dask's processes, configured for Hourglass: encrypted, and without dashboards. See `models.engine.dispatch`.

Dask finds classes by the name of their module, so they must not be defined in one that is started with `python -m`.
"""

from __future__ import annotations

import multiprocessing
import os
import sys
import tempfile
from pathlib import Path
from typing import Any

import dask

from models import PROJECT, Problem

# Workers are forks of one process that has loaded torch: several share its memory, and one that died is replaced in a
# fraction of the time. macOS's libraries do not survive a fork, Windows has none, and the process listens on a socket in
# the temporary directory, whose path may have 108 bytes.
FORKS = sys.platform == "linux" and len(os.fsencode(tempfile.gettempdir())) < 70
SETTINGS = {
    # Dask logs every consequence of a lost connection; the engine reports what was lost in one sentence.
    "logging": {"distributed": "warning", "distributed.client": "critical", "distributed.batched": "critical"},
    "distributed.scheduler.allowed-failures": 0,  # the engine decides about retries, not Dask
    # A dead process is noticed at once by its closed connection. This is for machines that vanish; busy ones may be late.
    "distributed.scheduler.worker-ttl": "2 minutes",
    "distributed.worker.profile.enabled": False,
    "distributed.admin.tick.interval": "500ms",  # the default of 20 ms keeps a core busy while idle
    "distributed.admin.system-monitor.interval": "5s",
    "distributed.scheduler.http.routes": [],
    "distributed.worker.http.routes": [],
    # A nanny restarts its worker, which takes longer than Dask's default of 15 s on a slow or busy machine.
    "distributed.deploy.lost-worker-timeout": "5 minutes",
    "distributed.comm.timeouts.connect": "20s",  # a busy machine may be slow to answer
    "distributed.comm.timeouts.tcp": "20s",
    "distributed.worker.multiprocessing-method": "forkserver" if FORKS else "spawn",
}
dask.config.set(SETTINGS)  # before it is imported: it sets up its logging then
os.environ["DASK_LOGGING"] = repr(SETTINGS["logging"])  # for worker processes, which read it as they start

import distributed  # noqa: E402
import distributed.utils  # noqa: E402
from distributed import Client, Future, Nanny, Security, SpecCluster, Status  # noqa: E402
from distributed.scheduler import KilledWorker  # noqa: E402

if FORKS:
    distributed.utils._forkserver_preload_set = True  # its own list, for which it would import pandas here as well
    multiprocessing.get_context("forkserver").set_forkserver_preload(["models.engine.preloaded"])

__all__ = [
    "Client",
    "Future",
    "KilledWorker",
    "Nanny",
    "Scheduler",
    "Security",
    "SpecCluster",
    "Status",
    "Worker",
    "nanny_options",
    "own_security",
    "security",
]


class Scheduler(distributed.Scheduler):
    """Dask's scheduler without its HTTP server: that listens even where its pages are off."""

    def start_http_server(self, *_: Any, **__: Any) -> None:
        """Nothing."""


class Worker(distributed.Worker):
    """Dask's worker without its HTTP server."""

    def start_http_server(self, *_: Any, **__: Any) -> None:
        """Nothing."""

    async def close(self, **how: Any) -> str | None:  # type: ignore[override]
        """Without waiting half a minute for what it trains: the checkpoint of that is all that is needed."""
        return await super().close(**how | {"executor_wait": False})


def security() -> Security | None:
    """The certificates named by HOURGLASS_TLS, a folder with ca.pem, cert.pem and key.pem; None when it is not set."""
    if not (folder := os.environ.get("HOURGLASS_TLS")):
        return None
    files = {name: Path(folder) / f"{name}.pem" for name in ("ca", "cert", "key")}
    if absent := [str(path) for path in files.values() if not path.is_file()]:
        raise Problem(
            f"{', '.join(absent)} is missing",
            "the folder in HOURGLASS_TLS must hold ca.pem, cert.pem and key.pem",
            "put them there, or unset HOURGLASS_TLS",
        )
    ends = {
        f"tls_{role}_{part}": str(files[part]) for role in ("client", "scheduler", "worker") for part in ("cert", "key")
    }
    return Security(tls_ca_file=str(files["ca"]), require_encryption=True, **ends)


def own_security() -> Security:
    """A certificate in memory only, for our processes on this machine: whoever can connect to Dask can run code as us,
    and every account of a machine can connect to its loopback address."""
    try:
        return Security.temporary()  # type: ignore[no-any-return]
    except ImportError as error:
        raise Problem(
            "the package cryptography is not installed",
            "the engine's processes need it to encrypt their connections",
            "run pip install -r requirements.txt, then start Hourglass again",
        ) from error


def nanny_options(i: int, gpus: int, encrypted: Security | None, scratch: str) -> dict[str, Any]:
    """The arguments of the nanny of a machine's worker number i; a nanny starts a worker and restarts it.

    The first `gpus` workers get a graphics card each. scratch is a private folder; Dask's default would be in the
    shared temporary directory.
    """
    path = os.pathsep.join([str(PROJECT), *filter(None, [os.environ.get("PYTHONPATH")])])
    env = {"OMP_NUM_THREADS": "1", "PYTHONPATH": path}
    resources = {}
    if i < gpus:
        resources, env["CUDA_VISIBLE_DEVICES"] = {"GPU": 1}, str(i)
    return {
        "nthreads": 1,
        "preload": ["models.engine.workers"],
        "worker_class": Worker,
        "security": encrypted,
        "resources": resources,
        "env": env,
        "local_directory": scratch,
    }

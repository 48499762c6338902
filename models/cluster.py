"""The processes of Dask as Hourglass wants them: encrypted, and without their pages. See `models.dispatch`.

`python -m models.cluster` is a scheduler for several machines, `python -m models.worker` the workers of one of them.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import dask

from models import Problem

SETTINGS = {
    "logging": {"distributed": "warning"},
    "distributed.scheduler.allowed-failures": 0,  # the engine decides who tries again, not Dask
    "distributed.scheduler.worker-ttl": "30s",
    "distributed.worker.profile.enabled": False,
    "distributed.admin.tick.interval": "500ms",  # at its default of 20 ms idle processes keep a core warm
    "distributed.admin.system-monitor.interval": "5s",
    "distributed.scheduler.http.routes": [],
    "distributed.worker.http.routes": [],
    # A nanny starts its worker again, and that takes longer than Dask's 15 s on a slow or busy machine.
    "distributed.deploy.lost-worker-timeout": "5 minutes",
    "distributed.comm.timeouts.connect": "5s",
    "distributed.comm.timeouts.tcp": "20s",
}
dask.config.set(SETTINGS)  # before it is imported: it sets up its logging then

import distributed  # noqa: E402
from distributed import Client, Future, Nanny, Security, SpecCluster, Status  # noqa: E402
from distributed.scheduler import KilledWorker  # noqa: E402

__all__ = [
    "Client",
    "Future",
    "KilledWorker",
    "Nanny",
    "Scheduler",
    "SpecCluster",
    "Status",
    "Worker",
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


def security() -> Security | None:
    """The certificates named by HOURGLASS_TLS, a folder with ca.pem, cert.pem and key.pem; None when it is not set."""
    if not (folder := os.environ.get("HOURGLASS_TLS")):
        return None
    files = {name: Path(folder) / f"{name}.pem" for name in ("ca", "cert", "key")}
    if absent := [str(path) for path in files.values() if not path.is_file()]:
        raise Problem(
            f"{', '.join(absent)} is not there",
            "HOURGLASS_TLS names a folder with ca.pem, cert.pem and key.pem",
            "put them there, or unset it",
        )
    ends = {
        f"tls_{role}_{part}": str(files[part]) for role in ("client", "scheduler", "worker") for part in ("cert", "key")
    }
    return Security(tls_ca_file=str(files["ca"]), require_encryption=True, **ends)


def own_security() -> Security:
    """A certificate that exists in memory only, for processes of ours on this machine: whoever can connect to Dask can
    run code as us, and every account of a machine can connect to its loopback address."""
    try:
        return Security.temporary()  # type: ignore[no-any-return]
    except ImportError as error:
        raise Problem(
            "the package cryptography is not installed",
            "the engine's processes need it to encrypt what they say to each other",
            "run pip install -r requirements.txt, then start Hourglass again",
        ) from error

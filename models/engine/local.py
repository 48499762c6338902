"""A Dask cluster of worker processes on this machine."""

from __future__ import annotations

import itertools
import logging
import os
import platform
import shutil
import subprocess
import threading
from pathlib import Path
from typing import Any

import dask

from models import private
from models.engine.cluster import Nanny, Scheduler, Security, SpecCluster, Status, nanny_options

log = logging.getLogger("hourglass.engine")


def local_cluster(root: Path, security: Security, ending: threading.Event) -> Any:
    """A scheduler without workers yet, whose `scale` starts them: with torch loaded before the first training."""
    gpus = _gpus()
    scratch = str(private(root / "scratch"))
    dask.config.set({"temporary-directory": scratch})  # the scheduler's, too
    nice = os.environ.get("HOURGLASS_NICE", "10")

    def spec(i: int) -> dict[str, Any]:
        options = nanny_options(i, gpus, security, scratch)
        more = {"protocol": "tls", "host": "127.0.0.1", "env": options["env"] | {"HOURGLASS_NICE": nice}}
        return {"cls": Nanny, "options": options | more}

    class Local(SpecCluster):
        def new_worker_spec(self) -> dict[int, Any]:
            free = next(i for i in itertools.count() if i not in self.worker_spec)
            return {free: spec(free)}

        async def _correct_state_internal(self) -> None:
            # A worker that died while starting took its nanny with it, which Dask would keep counting.
            for name, nanny in list(self.workers.items()):
                if nanny.status in (Status.closed, Status.failed):
                    del self.workers[name]
            try:
                await super()._correct_state_internal()
            except Exception as error:  # tried again at the next heartbeat
                if not ending.is_set():
                    log.warning("a worker could not be started: %s", error)

    options = {"host": "127.0.0.1", "port": 0, "protocol": "tls", "security": security, "dashboard": False}
    return Local({}, {"cls": Scheduler, "options": options}, security=security, silence_logs=logging.ERROR)  # type: ignore[no-untyped-call]


def _gpus() -> int:
    """How many graphics processors this machine has that torch can use, without asking torch."""
    if platform.system() == "Darwin":
        return int(platform.machine() == "arm64")
    if (asked := shutil.which("nvidia-smi")) is None:
        return 0
    listed = subprocess.run([asked, "-L"], capture_output=True, text=True, check=False)
    return sum(line.startswith("GPU ") for line in listed.stdout.splitlines())

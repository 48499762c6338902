"""`python -m models.cluster`: a scheduler for several machines, whose workers are started with `python -m models.worker`."""

import argparse
import asyncio
import signal
import sys

from models import Problem
from models.engine.cluster import Scheduler, security
from models.engine.supervisor import WORDS


async def _serve(host: str | None, port: int, file: str | None) -> None:
    encrypted = security()
    if encrypted is None and host not in ("127.0.0.1", "localhost"):
        raise Problem(
            "a scheduler needs certificates, because whoever can connect to it can run code on its workers",
            do="set HOURGLASS_TLS to the folder of ca.pem, cert.pem and key.pem, or try it on this machine alone with --host 127.0.0.1",
        )
    ending = asyncio.Event()
    for kind in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(kind, ending.set)
    scheduler = Scheduler(
        host=host,
        port=port,
        protocol="tls" if encrypted else "tcp",
        security=encrypted,
        dashboard=False,
        scheduler_file=file,
    )
    try:
        async with scheduler:
            print(f"The scheduler listens at port {scheduler.port}", flush=True)
            over = asyncio.ensure_future(scheduler.finished())  # type: ignore[no-untyped-call]
            await asyncio.wait([over, asyncio.ensure_future(ending.wait())], return_when=asyncio.FIRST_COMPLETED)
    except OSError as error:
        raise Problem(
            f"cannot listen on port {port} ({error.strerror or error})",
            do="stop the program that uses it, or name another port with --port",
        ) from error


def main() -> int:
    """Exit codes as in `python -m models`."""
    parser = argparse.ArgumentParser("python -m models.cluster", description="A scheduler for several machines.")
    parser.add_argument("--host", metavar="ADDRESS", help="listen at this address of the machine only (default: all)")
    parser.add_argument("--port", type=int, default=8786, help="(default 8786)")
    parser.add_argument("--scheduler-file", metavar="FILE", help="write the address into this file, for SLURM")
    chosen = parser.parse_args()
    try:
        asyncio.run(_serve(chosen.host, chosen.port, chosen.scheduler_file))
    except Problem as problem:
        print(f"{WORDS}{problem}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())

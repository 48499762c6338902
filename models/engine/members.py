"""The workers of an external scheduler: which fit the engine, and which of these can read a dataset."""

from __future__ import annotations

import dataclasses
import logging
import time
from concurrent.futures import CancelledError
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from models import Problem
from models.engine import tasks
from models.engine.cluster import Client, Future, KilledWorker
from models.engine.workers import machine_facts, mismatch

AGAIN = 10.0  # seconds after which a worker that did not fit is asked again
log = logging.getLogger("hourglass.engine")


@dataclass
class Member:
    """A worker of an external scheduler, and whether it fits the engine, which is known when it has answered."""

    address: str
    threads: int
    gpus: int
    asked: Future[Any] | None  # None when it has answered
    at: float  # when it was asked
    who: str = ""
    mismatch: str | None = "it has not answered yet"
    absent: frozenset[str] = frozenset()  # datasets that it cannot read


class Members:
    """The workers that have joined. root: the folder that all of them have to see."""

    def __init__(self, root: Path, address: str | None) -> None:
        self.root, self.address = root, address
        self.mine = machine_facts(str(root))
        self.known: dict[str, Member] = {}
        self.lacking: set[str] = set()  # datasets that are asked for and that no worker can read

    def examine(self, client: Client, joined: dict[str, Any]) -> None:
        """Ask each worker that has joined whether it fits, and those that lack a dataset now and then again."""
        now = time.monotonic()
        for address in set(self.known) - set(joined):
            del self.known[address]
        for address, one in joined.items():
            known = self.known.get(address)
            if known is None or (known.asked is None and now - known.at > AGAIN and (known.mismatch or known.absent)):
                asked = client.submit(machine_facts, str(self.root), workers=[address], pure=False)
                threads, gpus = one["nthreads"], int(one["resources"].get("GPU", 0))
                new = Member(address, threads, gpus, asked, now)
                self.known[address] = (
                    new
                    if known is None
                    else dataclasses.replace(known, asked=asked, at=now, threads=threads, gpus=gpus)
                )
            elif known.asked is not None and known.asked.done():
                self._judge(known, known.asked)

    def _judge(self, member: Member, asked: Future[Any]) -> None:
        theirs = result_of(asked)
        if theirs is None:
            return
        member.asked = None
        if "lost" in theirs:  # the worker is gone, or will be asked again
            return
        before = member.mismatch
        if "host" in theirs:
            member.who = f"the worker of {theirs['account']} on {theirs['host']}"
            member.mismatch = mismatch(self.mine, theirs, str(self.root))
            member.absent = frozenset(theirs["absent"])
        else:  # it does not know the function
            member.who, member.mismatch = (
                f"the worker at {member.address}",
                "it runs another version of Hourglass, or none",
            )
        if member.mismatch and member.mismatch != before:
            log.warning("%s is left out: %s", member.who, member.mismatch)

    def place(self, dataset: str, on_gpu: bool, busy: list[str | None]) -> str | None:
        """The address of a worker that is free for a training on this dataset; None where there is none now. busy: the
        addresses of workers that train, once for each training."""
        fitting = [one for one in self.known.values() if not one.mismatch]
        able = [one for one in fitting if dataset not in one.absent]
        if fitting and not able:
            self.lacking.add(dataset)
        # One without a graphics processor first, where none is needed.
        for one in sorted(able, key=lambda one: one.gpus):
            if busy.count(one.address) < one.threads and (one.gpus or not on_gpu):
                return one.address
        return None

    def trouble(self) -> Problem | None:
        """Why waiting runs do not start, as far as it is the workers; None when all is well."""
        if not self.known:
            return Problem(
                f"no worker has joined the scheduler at {self.address}",
                do="start some with python -m models.worker; waiting runs then start by themselves",
            )
        misfits = [f"{one.who}: {one.mismatch}" for one in self.known.values() if one.mismatch and one.who]
        if misfits:
            return Problem(
                f"{len(misfits)} of {len(self.known)} workers are left out ({'; '.join(sorted(set(misfits))[:4])})",
                "all machines must have the same version and see the same folder",
                "correct that, then restart the workers of these machines",
            )
        if self.lacking:
            names = ", ".join(sorted(self.lacking))
            return Problem(
                f"no worker can read {names}",
                do="run python -m models download on a machine that trains; waiting runs then start by themselves",
            )
        return None


def result_of(future: Future[Any]) -> dict[str, Any] | None:
    """What a training returned, None while that is not known. {"lost": True} where its worker died, {"lost":
    False} where it was given up for another reason: the scheduler went away, or what it was given to.

    A result lies where it was computed: it is lost with a worker that dies between the end and our asking, and Dask
    then computes it again.
    """
    try:
        return dict(future.result(timeout=5))
    except TimeoutError:
        return None
    except KilledWorker:
        return {"lost": True}
    except (CancelledError, OSError):
        return {"lost": False}
    except Exception as error:
        return {"problem": tasks.broken(error)}

"""Files too large for Streamlit's own uploader, which holds them in memory: streamed to the disk, piece by piece.

A page expects one file of its visitor by `expect`; a small component sends it to /upload/<token>, where it is taken
only with that visitor's cookie, from a page of the same origin, and up to the limit. The token is a secret of the page,
so no other site can send anything in a visitor's name. A newer file takes the place of an older one, also of one that is
still on its way: a browser can cancel long before its server hears of it.
"""

import secrets
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import streamlit as st
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse, Response

from components import visitor
from components.explorer.assets import loader, sent
from models import Problem, unwritable, uploads
from models.readers.limits import LARGE

PIECE = 1 << 20  # bytes that are written at once
WAITING = 1000  # files that are expected at most; the oldest gives way


@dataclass
class Arrival:
    """A file that a visitor may send. path is where it lies once it is whole; staging is the folder it lies in. turn counts
    the files that were sent for it; the last one counts."""

    token: str
    owner: str
    began: float = field(default_factory=time.monotonic)
    turn: int = 0
    staging: Path | None = None
    path: Path | None = None


_EXPECTED: dict[str, Arrival] = {}


def expect(owner: str) -> Arrival:
    """Be ready for one file of this visitor."""
    arrival = Arrival(secrets.token_urlsafe(32), owner)
    while len(_EXPECTED) >= WAITING:
        _EXPECTED.pop(next(iter(_EXPECTED)))
    _EXPECTED[arrival.token] = arrival
    return arrival


def expected(token: str, owner: str) -> Arrival | None:
    """This visitor's arrival of that token, None when nothing of theirs is expected under it any more."""
    arrival = _EXPECTED.get(token)
    return arrival if arrival is not None and arrival.owner == owner else None


def forget(token: str) -> None:
    """Nothing is expected under that token any more; what lies in its staging directory is the caller's."""
    _EXPECTED.pop(token, None)


async def take(request: Request) -> Response:
    """The file itself, as the body of a PUT."""
    arrival = _EXPECTED.get(request.path_params["token"])
    if arrival is None or visitor.owner_of(request.headers.get("cookie", "")) != arrival.owner or foreign(request):
        return _refused(404, Problem("this upload is unknown", do="choose the file on the page Data"))
    arrival.turn += 1
    turn, older, staging = arrival.turn, arrival.staging, None
    arrival.staging = arrival.path = None
    try:
        if older is not None:
            await run_in_threadpool(uploads.remove_staging, older)
        claimed = max(0, int(request.headers.get("content-length", LARGE.upload)))
        if claimed > LARGE.upload:
            raise _too_large(claimed)
        staging = await run_in_threadpool(uploads.staging_directory, arrival.owner, claimed)
        path = await _written(request, staging, claimed, lambda: arrival.turn == turn)
    except (Problem, ClientDisconnect, ValueError) as error:
        if staging is not None:
            await run_in_threadpool(uploads.remove_staging, staging)
        if not isinstance(error, Problem):
            return _refused(400, Problem("the upload was interrupted", do="upload the file again"))
        return _refused(413 if error.came.startswith("the file has") else 400, error)
    arrival.staging, arrival.path = staging, path
    return Response(status_code=204, headers={"Cache-Control": "no-store"})


def foreign(request: Request) -> bool:
    """Whether a browser says that another site sends this."""
    origin, site = request.headers.get("origin"), request.headers.get("sec-fetch-site")
    if site is not None and site != "same-origin":
        return True
    return origin is not None and urlsplit(origin).netloc != request.headers.get("host")


async def _written(request: Request, staging: Path, claimed: int, wanted: Callable[[], bool]) -> Path:
    """Write the body into a staging directory, at most a piece of it in memory, for as long as it is wanted.

    The file is as long as claimed from the start, a hole that takes no disk: what is on its way counts as kept.
    """
    path, count, waiting = staging / "arriving", 0, bytearray()
    try:
        with path.open("wb") as stream:
            stream.truncate(claimed)
            async for chunk in request.stream():
                count += len(chunk)
                if count > LARGE.upload:
                    raise _too_large(count)
                waiting += chunk
                if len(waiting) >= PIECE:
                    await run_in_threadpool(stream.write, bytes(waiting))
                    waiting.clear()
                if not wanted():
                    break
            await run_in_threadpool(stream.write, bytes(waiting))
            stream.truncate()
    except OSError as error:
        raise unwritable(staging, error) from error
    if not wanted():
        raise Problem("another upload replaced this one", "one file can be uploaded at a time", "wait for that one")
    return path


def _too_large(count: int) -> Problem:
    return Problem(
        f"the file has {count:,} bytes or more",
        f"at most {LARGE.upload:,} are allowed",
        "bring a smaller file, or fewer samples",
    )


def _refused(code: int, problem: Problem) -> Response:
    # The rest of the body is not read: the connection ends with this answer.
    return PlainTextResponse(str(problem), code, {"Cache-Control": "no-store", "Connection": "close"})


@cache
def _component() -> Callable[..., Mapping[str, Any]]:
    return st.components.v2.component("hourglass.stream", js=loader("upload.js"))


def chooser(arrival: Arrival, key: str) -> str | None:
    """Draw the control that sends a file for this arrival; the file's own name once it has arrived, else None."""
    payload = {"token": arrival.token, "most": LARGE.upload}
    said = _component()(key=key, data=sent(payload), on_arrived_change=_nothing).get("arrived")
    return said if arrival.path is not None and isinstance(said, str) else None


def _nothing() -> None:
    """Streamlit knows a component's state by its callbacks; the page reads the state itself."""

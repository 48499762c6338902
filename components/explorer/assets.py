"""Serves the explorer's bundle: addressed by its content, so that a browser asks for it once and keeps it for ever."""

import gzip
import hashlib
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

BUILT = Path(__file__).resolve().parent / "built"
FOREVER = "public, max-age=31536000, immutable"


@cache
def digest() -> str:
    """16 hex digits that stand for everything in built/."""
    state = hashlib.sha256()
    for path in sorted(BUILT.iterdir()):
        state.update(path.name.encode() + b"\0" + path.read_bytes())
    return state.hexdigest()[:16]


@cache
def _packed(name: str) -> bytes | None:
    """The gzipped bytes of one built file; None for a name that is not there."""
    if name not in {built.name for built in BUILT.iterdir()}:
        return None
    return gzip.compress((BUILT / name).read_bytes(), mtime=0)


def modules() -> tuple[str, ...]:
    """The built files that an explorer needs."""
    return ("explorer.js", *sorted(path.name for path in BUILT.glob("shared*.js")))


def sent(payload: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """A payload as components are handed it: loader.js takes it out of the list. In an object Streamlit would look for
    tables, for which it loads pandas."""
    return [payload]


def loader(name: str) -> str:
    """The text of a Streamlit component that fetches a built module, "explorer.js" say, from the app's own address.

    Streamlit takes a text of one line for the name of a file, hence the comment on a line of its own.
    """
    text = (BUILT / "loader.js").read_text()
    return f"// Hourglass: fetches {name}.\n{text.replace('MODULE', f'explorer/{digest()}/{name}')}"


def script() -> str:
    """The element that loads what every page needs before Streamlit's own script; relative to the page's address."""
    return f'<script type="module" src="./explorer/{digest()}/page.js"></script>'


def _serve(request: Request) -> Response:
    packed = _packed(request.path_params["name"])
    if packed is None or request.path_params["digest"] != digest():
        return PlainTextResponse("This file of the explorer does not exist; reload the page.", 404)
    # Naming the encoding also keeps Streamlit from compressing the same bytes again at every request.
    headers = {"Content-Encoding": "gzip", "Cache-Control": FOREVER, "Vary": "Accept-Encoding"}
    return Response(packed, media_type="text/javascript", headers=headers)


def routes(prefix: str = "") -> list[Route]:
    """What the app mounts: /explorer/<digest>/<file>, below the prefix of all its addresses."""
    return [Route(f"{prefix}/explorer/{{digest}}/{{name}}", _serve)]

"""Streamlit's own scripts and fonts, from memory.

A page asks for about a hundred of them before it shows anything. Streamlit reads each in threads, piece by piece, which
takes several times as long, most of all while another thread still loads what the first page needs.
"""

import mimetypes
import re
from functools import cache, lru_cache
from pathlib import Path

import streamlit
from starlette.datastructures import Headers
from starlette.responses import Response
from starlette.types import Scope
from streamlit import config
from streamlit.web.server.starlette.starlette_server_config import STATIC_ASSET_CACHE_MAX_AGE_SECONDS

FOLDER = Path(streamlit.__file__).parent / "static" / "static"
KEPT = 256  # files, of which the largest have a megabyte
HEADERS = {"Cache-Control": f"public, immutable, max-age={STATIC_ASSET_CACHE_MAX_AGE_SECONDS}"}  # as Streamlit has it


def answer(scope: Scope) -> Response | None:
    """The file that a request asks for; None where it asks for another, or for a part of one: these are Streamlit's."""
    asked = re.fullmatch(r"/static/((?:js|css|media)/[\w.-]+)", scope["path"].removeprefix(_base()))
    if asked is None or scope["method"] != "GET" or "range" in Headers(scope=scope):
        return None
    found = _read(asked[1]) if asked[1] in _names() else None
    return found and Response(found[0], media_type=found[1], headers=HEADERS)


def _base() -> str:
    base = config.get_option("server.baseUrlPath").strip("/")
    return f"/{base}" if base else ""


@cache
def _names() -> frozenset[str]:
    return frozenset(f"{path.parent.name}/{path.name}" for path in FOLDER.glob("*/*"))


@lru_cache(maxsize=KEPT)
def _read(name: str) -> tuple[bytes, str]:
    kind, _ = mimetypes.guess_type(name)
    return (FOLDER / name).read_bytes(), kind or "application/octet-stream"

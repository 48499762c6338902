"""What a page is going to ask for, told to the browser with the page: it comes while Streamlit still starts.

Streamlit's script fetches a part of itself when an element first needs it, and the explorer fetches its run once it is
drawn: each would otherwise wait for the one before.
"""

import hashlib
import json
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from urllib.parse import parse_qs

import streamlit
from starlette.types import Scope
from streamlit import config

from components.explorer import assets
from models import PRETRAINED, home

OPENING = "mnist-variational"  # the shipped run that the app opens on: two numbers, and classes that everybody knows
FILES = ("run.json", "codes.f32", "labels.i32", "decoder.safetensors")  # that a picture and its map need
PARTS = ("BidiComponent", "Selectbox")  # of Streamlit, which it needs for the page Explore


def links(scope: Scope) -> str:
    """Elements for the end of a page's head: what Streamlit's own script asks for comes first. Addresses are relative to the
    page, hence right below a base URL path too."""
    modules = [*_parts(), *(f"explorer/{assets.digest()}/{name}" for name in assets.modules())]
    out = [f'<link rel="modulepreload" fetchpriority="low" href="./{path}" />' for path in modules]
    base = config.get_option("server.baseUrlPath").strip("/")
    if scope["path"].strip("/") == base:
        asked = parse_qs(scope["query_string"].decode("latin-1")).get("run", [OPENING])[0]
        out += [
            f'<link rel="preload" as="fetch" crossorigin fetchpriority="low" href="./{path}" />'
            for path in _files(asked)
        ]
    return "".join(out)


def _files(name: str) -> list[str]:
    """The addresses of a run's files, by the name of its folder: that of a shipped run, or the id of another. They are
    made of run.json alone, as `models.runs` makes them; nothing where there is none."""
    for folder in (PRETRAINED, home() / "runs"):
        path = folder / name / "run.json"
        if re.fullmatch(r"[a-z0-9-]{1,80}", name) and path.is_file():
            try:
                text = path.read_bytes()
                place = f"run/{json.loads(text)['id']}/{hashlib.sha256(text).hexdigest()[:16]}"
            except (OSError, ValueError, KeyError, TypeError):  # it is told where the run is opened
                return []
            return [f"{place}/{file}" for file in FILES] if re.fullmatch(r"[a-z0-9/]+", place) else []
    return []


@cache
def _parts() -> tuple[str, ...]:
    """The files of `PARTS` and all that they import, without what Streamlit's page names already."""
    static = Path(streamlit.__file__).parent / "static"
    known = set(re.findall(r"[\w.-]+\.js", (static / "index.html").read_text()))

    def needed(name: str) -> Iterator[str]:
        if name in known:
            return
        known.add(name)
        yield f"static/js/{name}"
        text = (static / "static" / "js" / name).read_text()
        for other in re.findall(r"""(?:from|import)["']\./([\w.-]+\.js)["']""", text):
            yield from needed(other)

    found = (path for part in PARTS for path in (static / "static" / "js").glob(f"{part}.*.js"))
    return tuple(name for path in found for name in needed(path.name))

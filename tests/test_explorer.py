"""The explorer's Python side: what crosses to the browser, what comes back, and how its files are served."""

import asyncio
import gzip
import json
import re
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from starlette.applications import Starlette

from components import explorer, figures
from components.explorer import Selection, assets
from components.explorer import read as read_state

URL = "run/0123456789abcdef/fedcba9876543210/"
POLYGON = [0.0, 0.0, 1.0, 0.0, 1.0, 2.0]


def said(**about: object) -> dict[str, object]:
    return {"run": URL, **about}


def test_a_payload_is_plain_json() -> None:
    view = {"palette": list(figures.PALETTE), "code": [0.5, -1.0], "plane": "z1,z2", "layer": None}
    sent = explorer.payload(URL, view)
    assert json.loads(json.dumps(sent, allow_nan=False)) == {"run_url": URL, "view": view, "about": {}}


@pytest.mark.parametrize(
    "code",
    [
        np.array([0.5, 1.0]),
        np.array([0.5, 1.0], np.float32),
        [np.float32(0.5), np.float32(1.0)],
        [np.int64(1)],
        [float("nan"), 0.0],
        [float("inf"), 0.0],
        b"\0\0\0\0",
        {1.0, 2.0},
    ],
    ids=lambda code: f"{type(code).__name__} {code!s:.20}",
)
def test_what_streamlit_would_turn_into_text_is_refused(code: object) -> None:
    with pytest.raises((TypeError, ValueError)):
        explorer.payload(URL, {"code": code})


def test_what_was_released_on_this_run_is_read() -> None:
    view = {"plane": "z1,z2", "colour": "class", "layer": "none", "tool": "lasso"}
    found = read_state(
        {
            "code": said(code=[1, 2.5]),
            "selection": said(plane="z1,z2", polygon=POLYGON, count=7, hidden=[3, -1, "x"]),
            "view": said(**view),
        },
        URL,
    )
    assert found.code == [1.0, 2.5]
    assert found.selection == Selection("z1,z2", [(0.0, 0.0), (1.0, 0.0), (1.0, 2.0)], 7, (3, -1))
    assert found.view == view


def test_nothing_said_is_nothing_read() -> None:
    for state in ({}, {"code": None, "selection": None, "view": None}):
        assert read_state(state, URL) == explorer.ExplorerResult(None, None, {})


@pytest.mark.parametrize(
    "state",
    [
        {"code": {"run": "run/another/one/", "code": [1.0, 2.0]}},
        {"code": {"code": [1.0, 2.0]}},
        {"code": said(code=[])},
        {"code": said(code=["1", "2"])},
        {"code": said(code=[1.0, float("nan")])},
        {"code": said(code=[1.0, float("inf")])},
        {"code": said(code=[1.0, None])},
        {"code": said(code=[[1.0]])},
        {"code": said(code=1.0)},
        {"code": said(code="12")},
        {"code": "said"},
        {"code": [1.0, 2.0]},
        {"selection": {"run": "run/another/one/", "plane": "z1,z2", "polygon": POLYGON, "count": 7}},
        {"selection": said(plane="z1,z2", polygon=POLYGON[:4], count=7)},
        {"selection": said(plane="z1,z2", polygon=[*POLYGON[:5], float("nan")], count=7)},
        {"selection": said(plane="z1,z2", polygon="corners", count=7)},
        {"selection": said(plane="z1,z2", polygon=POLYGON, count="7")},
        {"selection": said(plane="z1,z2", polygon=POLYGON)},
        {"view": {"run": "run/another/one/", "plane": "z1,z2"}},
        {"view": said(plane=12, colour=None, layer=["density"], secret="x")},
        {"view": "pca"},
    ],
    ids=str,
)
def test_what_is_malformed_or_of_another_run_is_nothing(state: dict[str, object]) -> None:
    assert read_state(state, URL) == explorer.ExplorerResult(None, None, {})


def test_the_loader_is_a_text_of_several_lines_that_names_the_bundle() -> None:
    loader = assets.loader("explorer.js")
    assert loader.startswith("//") and loader.count("\n") >= 1, "a single line is taken for the name of a file"
    assert f"explorer/{assets.digest()}/explorer.js" in loader and "MODULE" not in loader
    assert len(loader) < 2000, "it travels again with every changed payload"


def asked(path: str, base: str = "") -> tuple[int, dict[str, str], bytes]:
    """Status, headers and body that the explorer's routes answer with."""
    heard: list[Any] = []

    async def send(message: Any) -> None:
        heard.append(message)

    async def receive() -> dict[str, str]:
        return {"type": "http.disconnect"}

    scope = {"type": "http", "method": "GET", "path": path, "root_path": "", "query_string": b"", "headers": []}
    # In a thread of its own: where a browser test ran before, Playwright's loop still runs in this one.
    with ThreadPoolExecutor(1) as thread:
        thread.submit(asyncio.run, Starlette(routes=assets.routes(base))(scope, receive, send)).result()
    headers = {name.decode(): value.decode() for name, value in heard[0]["headers"]}
    return heard[0]["status"], headers, b"".join(message.get("body", b"") for message in heard[1:])


def test_each_built_file_is_served_gzipped_for_ever() -> None:
    names = sorted(path.name for path in assets.BUILT.iterdir())
    assert {"explorer.js", "shared.js", "network.js", "worker.js"} <= set(names)
    for name in names:
        status, headers, body = asked(f"/explorer/{assets.digest()}/{name}")
        assert status == 200, name
        assert headers["content-encoding"] == "gzip", name
        assert "immutable" in headers["cache-control"] and "max-age=31536000" in headers["cache-control"], name
        assert gzip.decompress(body) == (assets.BUILT / name).read_bytes(), name
        assert headers["content-type"].split(";")[0] == "text/javascript", name


@pytest.mark.parametrize(
    "path",
    [
        "{digest}/missing.js",
        "{digest}/..\\__init__.py",
        "{digest}/../__init__.py",
        "{digest}/",
        "0000000000000000/explorer.js",
    ],
)
def test_nothing_else_is_served_beside_the_bundle(path: str) -> None:
    assert asked("/explorer/" + path.format(digest=assets.digest()))[0] == 404


def test_the_digest_changes_with_the_bundle(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("explorer.js", "other.js"):
        (tmp_path / name).write_text("1")
    monkeypatch.setattr(assets, "BUILT", tmp_path)
    seen = set()
    for content in ("1", "2"):
        (tmp_path / "explorer.js").write_text(content)
        seen.add(assets.digest.__wrapped__())
    assert len(seen) == 2 and all(re.fullmatch("[0-9a-f]{16}", digest) for digest in seen)


def test_below_a_base_path_the_files_are_served_below_it() -> None:
    assert asked(f"/hour/glass/explorer/{assets.digest()}/explorer.js", "/hour/glass")[0] == 200
    assert asked(f"/explorer/{assets.digest()}/explorer.js", "/hour/glass")[0] == 404

"""What every answer of the app says and who gets one; and what is served of runs that come and go."""

import asyncio
import re
import shutil
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse
from starlette.routing import Route, WebSocketRoute
from starlette.types import Message
from starlette.websockets import WebSocket
from streamlit import net_util
from streamlit.web.server.starlette.starlette_routes import BASE_ROUTE_UPLOAD_FILE
from test_uploads import APP, ask
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

from components import connections, early, served, static
from models import datasets, engine, runs
from models.runs import thumbnails

HERE = {"host": "localhost:8501"}


async def page(_request: Request) -> HTMLResponse:
    return HTMLResponse("<head></head><p>a page</p>")


async def text(_request: Request) -> PlainTextResponse:
    return PlainTextResponse("words")


async def stream(socket: WebSocket) -> None:
    await socket.accept()
    await socket.send_text("here")
    await socket.close()


DOOR = Starlette(
    routes=[Route("/", page), Route("/words", text, methods=["GET", "PUT"]), WebSocketRoute("/stream", stream)],
    middleware=[Middleware(served.RequestGuard)],
)


def connected(headers: dict[str, str]) -> list[str]:
    """What is said to a websocket that asks in."""
    scope = {"type": "websocket", "path": "/stream", "raw_path": b"/stream", "query_string": b"", "scheme": "ws"}
    scope |= {"headers": [(name.lower().encode(), value.encode()) for name, value in headers.items()]}
    scope |= {"root_path": "", "server": ("localhost", 80), "subprotocols": []}
    said: list[Message] = []

    async def receive() -> Message:
        return {"type": "websocket.connect"}

    async def send(message: Message) -> None:
        said.append(message)

    with ThreadPoolExecutor() as threads:  # the main one may hold the loop of a browser
        threads.submit(asyncio.run, DOOR(scope, receive, send)).result()
    return [message["type"] for message in said]


REFUSED = ["websocket.close"]


@pytest.fixture(autouse=True)
def no_sites(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.delenv("HOURGLASS_EMBEDDED_IN", raising=False)
    served.embedders.cache_clear()
    yield
    served.embedders.cache_clear()


def rules(headers: dict[str, str]) -> dict[str, list[str]]:
    parts = (part.split() for part in headers["content-security-policy"].split(";"))
    return {name: values for name, *values in parts}


def test_a_page_says_what_a_browser_may_do_with_it() -> None:
    answer = ask(DOOR, "/", HERE)
    said = rules(answer.headers)
    assert answer.headers["x-content-type-options"] == "nosniff" and answer.headers["x-frame-options"] == "SAMEORIGIN"
    assert said["frame-ancestors"] == ["'self'"] and said["object-src"] == ["'none'"] and said["base-uri"] == ["'self'"]
    scripts = said["script-src"]
    assert "'wasm-unsafe-eval'" in scripts and not {"'unsafe-inline'", "'unsafe-eval'", "*", "https:"} & set(scripts)
    assert len([one for one in scripts if one.startswith("'sha256-")]) == 1  # Streamlit's own
    assert "ws://localhost:8501" in said["connect-src"] and "http:" not in said["connect-src"]
    assert ask(DOOR, "/words", HERE).headers["x-content-type-options"] == "nosniff"


def test_sites_that_are_named_may_show_it(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    sites = "https://school.example https://*.lms.example:8443"
    monkeypatch.setenv("HOURGLASS_EMBEDDED_IN", f"{sites} javascript:x *;script-src")
    headers = ask(DOOR, "/", HERE).headers
    assert rules(headers)["frame-ancestors"] == ["'self'", *sites.split()] and "x-frame-options" not in headers
    assert "names “javascript:x *;script-src”" in caplog.text and rules(headers)["script-src"][0] == "'self'"


@pytest.mark.parametrize(
    ("host", "good"),
    [
        ("localhost", True),
        ("LOCALHOST:8501", True),
        ("127.0.0.1:8501", True),
        ("[::1]:8501", True),
        ("evil.example", False),
        ("evil.example:8501", False),
        ("localhost.evil.example", False),
        ("localhost@evil.example", False),
        ("", False),
        ("[", False),
    ],
)
def test_a_foreign_host_is_refused(host: str, good: bool) -> None:
    answer = ask(DOOR, "/words", {"host": host})
    assert (answer.status_code == 200) == good
    if not good:
        assert answer.status_code == 403 and b"localhost, 127.0.0.1, ::1" in answer.content
    assert (connected({"host": host}) == REFUSED) != good


@pytest.mark.parametrize(
    "origin", ["https://evil.example", "http://localhost:3000", "http://0.0.0.0:8501", "null", "x"]
)
@pytest.mark.parametrize("method", ["GET", "PUT"])
def test_a_foreign_origin_is_refused_and_nobody_asked_for_our_address(
    origin: str, method: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(net_util, "get_external_ip", lambda: pytest.fail("another computer was asked"))
    assert ask(DOOR, "/words", HERE | {"Origin": "http://localhost:8501"}, method).status_code == 200
    answer = ask(DOOR, "/words", HERE | {"Origin": origin}, method)
    assert answer.status_code == 403 and b"server.corsAllowedOrigins" in answer.content
    assert connected(HERE | {"Origin": "http://localhost:8501"})[0] == "websocket.accept"
    assert connected(HERE | {"Origin": origin}) == REFUSED


@pytest.mark.parametrize(("believed", "secure"), [("127.0.0.1", False), ("10.0.0.1", True)])
def test_only_a_proxy_that_is_configured_is_believed(believed: str, secure: bool) -> None:
    """As uvicorn does with FORWARDED_ALLOW_IPS; the request comes from 10.0.0.1."""

    async def from_there(scope, receive, send) -> None:  # type: ignore[no-untyped-def]
        await ProxyHeadersMiddleware(DOOR, believed)(scope | {"client": ("10.0.0.1", 1)}, receive, send)

    answer = ask(from_there, "/", HERE | {"X-Forwarded-Proto": "https"})
    assert ("Secure" in answer.headers["set-cookie"]) == secure


def test_what_everybody_brings_into_memory_has_a_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    """Streamlit's own uploader holds files in memory, any number of them for each of any number of visitors."""
    monkeypatch.setenv("HOURGLASS_MEMORY_BYTES", "10000")
    answers: list[int] = []
    place = f"/{BASE_ROUTE_UPLOAD_FILE}/session/file"

    async def take(request: Request) -> PlainTextResponse:
        if request.headers["content-length"] == "4000" and len(answers) == 0:
            answers.append(0)
            for size in (5000, 7000):  # while this one is on its way
                with ThreadPoolExecutor() as threads:
                    put = threads.submit(ask, app, place, HERE | {"Content-Length": str(size)}, "PUT")
                    answers.append((await asyncio.wrap_future(put)).status_code)
        return PlainTextResponse("taken")

    app = Starlette(routes=[Route(place, take, methods=["PUT"])], middleware=[Middleware(served.RequestGuard)])
    assert ask(app, place, HERE | {"Content-Length": "4000"}, "PUT").status_code == 200
    assert answers == [0, 200, 413] and connections.ARRIVING.claimed == 0
    monkeypatch.setattr(connections.ARRIVING, "held", lambda: 8000)
    refused = ask(app, place, HERE | {"Content-Length": "4000"}, "PUT")
    assert refused.status_code == 413 and b"other uploads take 8,000" in refused.content
    assert ask(app, place, HERE, "PUT").status_code == 413  # one that does not say how long it is


def test_a_run_that_was_deleted_is_gone_with_its_thumbnails(
    digits_run: runs.Run, home: Path, digits: datasets.Dataset
) -> None:
    shutil.copytree(digits_run.folder, home / "runs" / digits_run.id)
    run = runs.open_run(home / "runs" / digits_run.id)
    engine.adopt(run, "me")
    names = ("codes.f32", "run.json", "thumbnails.u8.gz")
    for gzips in ({}, {"Accept-Encoding": "gzip"}):
        for name in names:
            assert ask(APP, f"/{run.url}/{name}", gzips).status_code == 200
    assert len(list((home / "thumbnails").iterdir())) == 1
    thumbnails.sweep()
    assert len(list((home / "thumbnails").iterdir())) == 1
    engine.delete(run.id, "me")
    for gzips in ({}, {"Accept-Encoding": "gzip"}):
        for name in names:
            answer = ask(APP, f"/{run.url}/{name}", gzips)
            assert answer.status_code == 404 and answer.headers["cache-control"] == "no-store"
    thumbnails.sweep()
    assert list((home / "thumbnails").iterdir()) == []


def test_another_run_in_its_place_is_not_served_under_its_address(digits_run: runs.Run, home: Path) -> None:
    place = shutil.copytree(digits_run.folder, home / "runs" / digits_run.id)
    run = runs.open_run(place)
    assert ask(APP, f"/{run.url}/codes.f32", {}).status_code == 200
    runs.write_whole(place / "run.json", (place / "run.json").read_bytes() + b"\n")
    again = runs.open_run(place)
    assert again.digest != run.digest and ask(APP, f"/{run.url}/codes.f32", {}).status_code == 404
    assert ask(APP, f"/{again.url}/codes.f32", {}).status_code == 200


def told(address: str) -> list[str]:
    """What a page's head names as what it is going to ask for."""
    head = ask(DOOR, address, HERE).content.decode().partition("</head>")[0]
    return re.findall(r'<link rel="(?:modulepreload|preload)"[^>]* href="\./([^"]+)"', head)


def test_a_page_names_what_it_is_going_to_ask_for(digits_run: runs.Run, home: Path) -> None:
    opening = next(run for run in runs.find()[0] if run.folder.name == early.OPENING)
    named = told("/")
    for name in early.FILES:
        assert f"{opening.url}/{name}" in named and ask(APP, f"/{opening.url}/{name}", {}).status_code == 200
    assert any(re.fullmatch(r"explorer/\w+/explorer.js", name) for name in named)
    parts = [name for name in named if name.startswith("static/")]
    assert all((static.FOLDER.parent / name).is_file() for name in parts)
    for part in early.PARTS:  # by these names, which are Streamlit's own
        assert any(name.startswith(f"static/js/{part}.") for name in parts)
    shutil.copytree(digits_run.folder, home / "runs" / digits_run.id)
    assert f"{digits_run.url}/codes.f32" in told(f"/?run={digits_run.id}&plane=z1,z2")
    for other in ("/?run=nonsense", "/?run=../../x", "/?run=..%2F..%2Fx"):
        assert not [name for name in told(other) if name.startswith("run/")]


def test_scripts_of_streamlit_come_from_memory_as_streamlit_gives_them() -> None:
    path = next(static.FOLDER.glob("js/BidiComponent.*.js"))
    answer = ask(DOOR, f"/static/js/{path.name}", HERE)  # which has no such route
    assert answer.content == path.read_bytes() and answer.headers["content-type"].startswith("text/javascript")
    assert "immutable" in answer.headers["cache-control"] and answer.headers["x-content-type-options"] == "nosniff"
    for other, headers in ((path.name, {"Range": "bytes=0-3"}), ("nothing.js", {}), ("..%2f..%2findex.html", {})):
        assert ask(DOOR, f"/static/js/{other}", HERE | headers).status_code == 404  # left to Streamlit

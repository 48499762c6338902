"""What the web process serves besides pages: the files of finished runs, content-addressed and cached for ever. And
what it takes: see `components.stream`.

/run/<id>/<digest>/<file> is matched by pattern and looked up among the files that run.json names: no path from an
address ever reaches the disk. `digest` stands for the run's whole content, so an address never changes its meaning.
"""

import base64
import contextlib
import gzip
import hashlib
import logging
import os
import re
import threading
import time
from functools import cache, lru_cache, partial
from pathlib import Path
from urllib.parse import urlsplit

import streamlit
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request
from starlette.responses import FileResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from starlette.websockets import WebSocketClose
from streamlit import config
from streamlit.web.server.starlette.starlette_routes import BASE_ROUTE_UPLOAD_FILE
from streamlit.web.server.starlette.starlette_websocket import is_host_allowed

from components import connections, stream, visitor
from components.explorer import assets
from models import Problem, home, runs, uploads
from models.readers.work import plain
from models.runs import colours, networks, thumbnails

log = logging.getLogger("hourglass.served")
MOST = 200  # megabytes that a file may take which does not say so

# Made from the dataset, not stored in a run: only whoever may read the dataset gets them.
BLOCKS = {
    "thumbnails.u8.gz": thumbnails.block,
    "samples.f32.gz": thumbnails.values,
    "colours.json": colours.listed,
    "names.json": colours.names,
}
FOR_EVER = {"Cache-Control": "public, max-age=31536000, immutable", "X-Content-Type-Options": "nosniff"}
# Of a run that was made from somebody's own data: no cache between us and a browser keeps it, and samples no browser.
PRIVATE = FOR_EVER | {"Cache-Control": "private, max-age=31536000, immutable"}
NEVER = FOR_EVER | {"Cache-Control": "private, no-store"}


@lru_cache(maxsize=256)
def _opened(_home: Path, id_: str, digest: str) -> tuple[runs.Run, tuple[int, ...]]:
    run = next((run for run in runs.find()[0] if (run.id, run.digest) == (id_, digest)), None)
    if run is None:
        raise LookupError
    return runs.open_run(run.folder), runs.stamp(run.folder / "run.json")


def _run(id_: str, digest: str) -> runs.Run:
    """The run of that content, checked whole once. LookupError when there is none, or none any more."""
    run, stamp = _opened(home(), id_, digest)
    if runs.stamp(run.folder / "run.json") != stamp:  # deleted since, or another took its place
        _opened.cache_clear()
        _zipped.cache_clear()
        run, _ = _opened(home(), id_, digest)
    return run


@lru_cache(maxsize=64)
def _zipped(folder: Path, _digest: str, name: str) -> bytes:
    """Compressed once: Streamlit's own middleware would compress it anew for every visitor."""
    return gzip.compress((folder / name).read_bytes(), 6)


@lru_cache(maxsize=64)
def _weights(folder: Path, _digest: str, part: str) -> bytes:
    """The weights of one of a run's networks, compressed once."""
    return gzip.compress(networks.weights(folder, part), 6)


def _file(run: runs.Run, name: str, takes_gzip: bool, headers: dict[str, str]) -> Response:
    """A file of the run, or a part of its networks."""
    if name == "layers.json":
        return Response(networks.layers(run), media_type="application/json", headers=headers)
    if (part := name.removesuffix(".safetensors")) in networks.PARTS:
        return Response(_weights(run.folder, run.digest, part), media_type="application/gzip", headers=headers)
    if name != "run.json" and name not in run.card.files:
        return PlainTextResponse("A run has no such file.", 404, {"Cache-Control": "no-store"})
    kind = "application/json" if name.endswith(".json") else "application/octet-stream"
    facts = (run.folder / name).stat()
    if takes_gzip and facts.st_size > 1024:
        return Response(
            _zipped(run.folder, run.digest, name),
            media_type=kind,
            headers={**headers, "Content-Encoding": "gzip", "Vary": "Accept-Encoding"},
        )
    return FileResponse(run.folder / name, media_type=kind, headers=headers, stat_result=facts)


def _answer(id_: str, digest: str, name: str, takes_gzip: bool, owner: str) -> Response:
    try:
        run = _run(id_, digest)
        dataset = run.card.dataset.name
        own = uploads.own(dataset)
        block = BLOCKS.get(name) or (partial(colours.block, name=name) if colours.VALUES.fullmatch(name) else None)
        if block is not None:
            if not uploads.readable(dataset, owner):
                raise uploads.gone()
            return Response(block(run), media_type="application/gzip", headers=NEVER if own else FOR_EVER)
        return _file(run, name, takes_gzip, PRIVATE if own else FOR_EVER)
    except (LookupError, OSError, Problem) as error:  # OSError: it goes while it is read
        words = str(error) if isinstance(error, Problem) else "There is no such run here."
        return PlainTextResponse(words, 404, {"Cache-Control": "no-store"})


async def run_file(request: Request) -> Response:
    """One file of a finished run."""
    asked = request.path_params
    gzips = "gzip" in request.headers.get("accept-encoding", "")
    owner = visitor.owner_of(request.headers.get("cookie", ""))
    return await run_in_threadpool(_answer, asked["id"], asked["digest"], asked["name"], gzips, owner)


async def to_start(request: Request) -> Response:
    """The first page opens the app, at /; its own name leads there, too."""
    query = f"?{request.url.query}" if request.url.query else ""
    return RedirectResponse(f"./{query}", 307)


def routes(base: str) -> list[Route]:
    """What the app answers beside its pages, below Streamlit's base URL path ("" where there is none)."""
    prefix = f"/{base.strip('/')}" if base.strip("/") else ""
    return [
        Route(f"{prefix}/run/{{id}}/{{digest}}/{{name:path}}", run_file),
        Route(f"{prefix}/explore", to_start),
        *assets.routes(prefix),
        *stream.routes(prefix),
    ]


class RequestGuard:
    """Middleware around everything: it turns away what another site sends or asks for under another name, says what a
    browser may do with a page of ours, adds the script that every page needs, names the explorer's files, so that they
    come while Streamlit still starts, and gives a browser that comes for the first time the cookie that its runs are
    kept under."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, and add to the answer."""
        if scope["type"] not in ("http", "websocket"):
            await self.app(scope, receive, send)
            return
        asked = Headers(scope=scope)
        if (words := stranger(asked)) is not None:
            if scope["type"] == "http":
                await PlainTextResponse(words, 403, {"Cache-Control": "no-store"})(scope, receive, send)
            else:
                await WebSocketClose(1008)(scope, receive, send)
            return
        if scope["type"] == "http" and "text/html" in asked.get("accept", ""):
            # A page is to come as text, since it is added to; its few kilobytes are little beside what it then loads.
            scope = {**scope, "headers": [one for one in scope["headers"] if one[0] != b"accept-encoding"]}
        if scope["type"] == "websocket":
            await self.app(scope, receive, send)
            return
        sent = added_to(send, scope, asked)
        if scope["method"] == "PUT" and f"/{BASE_ROUTE_UPLOAD_FILE}/" in scope["path"]:
            size = asked.get("content-length", "")
            try:
                with connections.ARRIVING.file(int(size) if size.isdecimal() else MOST * 2**20):
                    await self.app(scope, receive, sent)
            except Problem as problem:
                headers = {"Cache-Control": "no-store", "Connection": "close"}
                await PlainTextResponse(str(problem), 413, headers)(scope, receive, sent)
        else:
            await self.app(scope, receive, sent)


def added_to(send: Send, scope: Scope, asked: Headers) -> Send:
    """`send` for the answer to this request, with what we add to headers and pages."""
    start: Message | None = None  # of a page whose body is on its way
    body = bytearray()

    def headed(message: Message) -> bool:
        """Add to the headers; whether a page follows that a script is added to."""
        if embedders():
            apart(message)
        headers = MutableHeaders(scope=message)
        headers["X-Content-Type-Options"] = "nosniff"
        if not headers.get("content-type", "").startswith("text/html"):
            return False
        for name, value in policy(asked.get("host", "")).items():
            headers[name] = value
        headers.append("Link", assets.preloads())
        # The scheme is that of a proxy's visitor where uvicorn is told to believe the proxy.
        secure, embedded = scope["scheme"] == "https", bool(embedders())
        if cookie := visitor.cookie_for(asked.get("cookie", ""), secure=secure, embedded=embedded):
            headers.append("Set-Cookie", cookie)
            headers["Cache-Control"] = "no-store"  # no cache between us may hand it to somebody else
        return bool(message["status"] == 200 and scope["method"] == "GET" and "content-encoding" not in headers)

    async def sent(message: Message) -> None:
        nonlocal start
        if message["type"] == "http.response.start":
            if headed(message):
                start = message
                return
        elif start is not None:
            body.extend(message.get("body", b""))
            if message.get("more_body"):
                return
            page = bytes(body).replace(b"<script", f"{assets.script()}<script".encode(), 1)
            headers = MutableHeaders(scope=start)
            headers["Content-Length"] = str(len(page))
            for name in ("etag", "last-modified"):  # these stand for the page as Streamlit has it
                if name in headers:
                    del headers[name]
            await send(start)
            start, message = None, {"type": "http.response.body", "body": page}
        await send(message)

    return sent


def stranger(asked: Headers) -> str | None:
    """Why a request is not answered: it asks for a host that is not ours, or a page of another site sends it.

    Streamlit looks at the host of websockets only, and at their origin last by asking another computer for its own
    address, while everybody waits: nothing of another origin gets that far.
    """
    host, origin = asked.get("host", ""), asked.get("origin")
    if "*" not in config.get_option("server.allowedHosts") and not is_host_allowed(host):
        ours = ", ".join(config.get_option("server.allowedHosts"))
        return str(
            Problem(
                f"this app does not answer to the host name “{plain(host)}”",
                f"it answers to {ours}",
                "use one of these names, or start Hourglass with --server.allowedHosts= and the new name",
            )
        )
    allowed = {site.strip() for site in config.get_option("server.corsAllowedOrigins")}
    if origin is None or urlsplit(origin).netloc == host or origin in allowed:
        return None
    return str(
        Problem(
            f"this request came from a page of {plain(origin)}",
            f"only pages of {plain(host)} may send it",
            "open Hourglass itself, or add that site to server.corsAllowedOrigins",
        )
    )


@cache
def _inlined() -> str:
    """The sums of the scripts that Streamlit writes into its page, as a policy names them."""
    page = (Path(streamlit.__file__).parent / "static" / "index.html").read_text()
    scripts = re.findall(r"<script>(.*?)</script>", page, re.DOTALL)
    sums = (base64.b64encode(hashlib.sha256(script.encode()).digest()).decode() for script in scripts)
    return " ".join(f"'sha256-{digest}'" for digest in sums)


@cache
def embedders() -> tuple[str, ...]:
    """The sites that may show Hourglass within a page of theirs: HOURGLASS_EMBEDDED_IN, by default none but itself."""
    named = os.environ.get("HOURGLASS_EMBEDDED_IN", "").split()
    good = tuple(site for site in named if re.fullmatch(r"https?://(\*\.)?[A-Za-z0-9.-]+(:\d+)?", site))
    if wrong := [site for site in named if site not in good]:
        log.error(
            "HOURGLASS_EMBEDDED_IN names “%s”, which is ignored. Write addresses such as https://school.example, with "
            "spaces between them.",
            plain(" ".join(wrong)),
        )
    return good


def apart(message: Message) -> None:
    """Have the browser keep cookies for each site that shows the app: others it does not keep within another's page.
    Streamlit's own cookie against forged requests, which its uploader needs, says nothing of that."""
    message["headers"] = [
        (name, value + b"; Partitioned" if name == b"set-cookie" and b"partitioned" not in value.lower() else value)
        for name, value in message["headers"]
    ]


def policy(host: str) -> dict[str, str]:
    """What a browser may do with a page of ours: run our scripts, Streamlit's, and WebAssembly; draw what they make;
    ask nobody but us; and show it in no other site's page that is not named."""
    ours = f" ws://{host} wss://{host}" if re.fullmatch(r"[A-Za-z0-9.:\[\]-]+", host) else ""  # older ones want it said
    rules = {
        "default-src": "'self'",
        "script-src": f"'self' blob: 'wasm-unsafe-eval' {_inlined()}",  # Streamlit loads components from blobs
        "style-src": "'self' 'unsafe-inline'",
        "img-src": "'self' data: blob:",
        "font-src": "'self' data:",
        "media-src": "'self' data: blob:",
        "connect-src": f"'self'{ours} data: blob:",
        "worker-src": "'self' blob:",
        "object-src": "'none'",
        "base-uri": "'self'",
        "form-action": "'self'",
        "frame-ancestors": " ".join(("'self'", *embedders())),
    }
    told = {"Content-Security-Policy": "; ".join(f"{name} {value}" for name, value in rules.items())}
    return told if embedders() else told | {"X-Frame-Options": "SAMEORIGIN"}  # which can name no site


def warm() -> None:
    """Load onnxruntime and the first run in the background while the browser is still opening, then sweep each hour."""

    def load() -> None:
        ready, _ = runs.find()
        if ready:
            runs.open_run(ready[0].folder)
        while True:
            with contextlib.suppress(Problem):  # a wrong setting is told where somebody would bring something
                uploads.sweep()
            thumbnails.sweep()
            time.sleep(uploads.HOUR)

    threading.Thread(target=load, name="warm", daemon=True).start()

"""What the web process serves besides pages: the files of finished runs, content-addressed and cached for ever (see
`components.run_files`), and Streamlit's own (see `components.static`). And what it takes: see `components.stream`.

/run/<id>/<digest>/<file> is matched by pattern and looked up among the files that run.json names: no path from an
address ever reaches the disk. `digest` stands for the run's whole content, so an address never changes its meaning.
"""

import base64
import hashlib
import logging
import os
import re
from functools import cache
from pathlib import Path
from urllib.parse import urlsplit

import streamlit
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from starlette.websockets import WebSocketClose
from streamlit import config
from streamlit.web.server.starlette.starlette_routes import BASE_ROUTE_UPLOAD_FILE
from streamlit.web.server.starlette.starlette_websocket import is_host_allowed

from components import connections, early, static, visitor, warming
from components.explorer import assets
from models import Problem

log = logging.getLogger("hourglass.served")
MOST = 200  # megabytes that a file may take which does not say so


async def run_file(request: Request) -> Response:
    """One file of a finished run."""
    asked = request.path_params
    gzips = "gzip" in request.headers.get("accept-encoding", "")
    owner = visitor.owner_of(request.headers.get("cookie", ""))

    def answer() -> Response:
        warming.wait()
        from components import run_files  # with numpy and all that reads runs: the page itself waits for neither

        return run_files.answer(asked["id"], asked["digest"], asked["name"], gzips, owner)

    return await run_in_threadpool(answer)


async def arriving(request: Request) -> Response:
    """A file that a visitor sends."""
    await run_in_threadpool(warming.wait)
    from components import stream

    return await stream.take(request)


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
        Route(f"{prefix}/upload/{{token}}", arriving, methods=["PUT"]),
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
        if (script := static.answer(scope)) is not None:
            await script(scope, receive, sent)
            return
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
            page = page.replace(b"</head>", f"{early.links(scope)}</head>".encode(), 1)
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
                f"this app does not answer to the host name “{_plain(host)}”",
                f"it answers to {ours}",
                "use one of these names, or start Hourglass with --server.allowedHosts= and the new name",
            )
        )
    allowed = {site.strip() for site in config.get_option("server.corsAllowedOrigins")}
    if origin is None or urlsplit(origin).netloc == host or origin in allowed:
        return None
    return str(
        Problem(
            f"this request came from a page of {_plain(origin)}",
            f"only pages of {_plain(host)} may send it",
            "open Hourglass itself, or add that site to server.corsAllowedOrigins",
        )
    )


def _plain(text: str) -> str:
    """Text from outside made fit for a sentence."""
    from models.readers import work  # where something is refused, and not before the first page

    return work.plain(text)


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
            _plain(" ".join(wrong)),
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

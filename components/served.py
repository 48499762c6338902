"""What the web process serves besides pages: the files of finished runs, content-addressed and cached for ever. And
what it takes: see `components.stream`.

/run/<id>/<digest>/<file> is matched by pattern and looked up among the files that run.json names: no path from an
address ever reaches the disk. `digest` stands for the run's whole content, so an address never changes its meaning.
"""

import contextlib
import gzip
import threading
import time
from functools import lru_cache

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request
from starlette.responses import FileResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from components import stream, visitor
from components.explorer import assets
from models import Problem, runs, thumbnails, uploads

BLOCKS = {"thumbnails.u8.gz": thumbnails.block, "samples.f32.gz": thumbnails.values}  # made, not stored in a run
FOR_EVER = {"Cache-Control": "public, max-age=31536000, immutable", "X-Content-Type-Options": "nosniff"}
# Of a run that was made from somebody's own data: no cache between us and a browser keeps it, and samples no browser.
PRIVATE = FOR_EVER | {"Cache-Control": "private, max-age=31536000, immutable"}
NEVER = FOR_EVER | {"Cache-Control": "private, no-store"}


@lru_cache(maxsize=256)
def _run(id_: str, digest: str) -> runs.Run:
    run = next((run for run in runs.find()[0] if (run.id, run.digest) == (id_, digest)), None)
    if run is None:
        raise LookupError
    return runs.open_run(run.folder)


@lru_cache(maxsize=64)
def _zipped(id_: str, digest: str, name: str) -> bytes:
    """Compressed once: Streamlit's own middleware would compress it anew for every visitor."""
    return gzip.compress((_run(id_, digest).folder / name).read_bytes(), 6)


def _answer(id_: str, digest: str, name: str, takes_gzip: bool, owner: str) -> Response:
    try:
        run = _run(id_, digest)
        dataset = run.about["dataset"]["name"]
        own = uploads.own(dataset)
        if block := BLOCKS.get(name):
            if not uploads.readable(dataset, owner):
                raise uploads.gone()
            return Response(block(run), media_type="application/gzip", headers=NEVER if own else FOR_EVER)
    except (LookupError, Problem) as error:
        words = str(error) if isinstance(error, Problem) else "There is no such run here."
        return PlainTextResponse(words, 404, {"Cache-Control": "no-store"})
    if name != "run.json" and name not in run.about["files"]:
        return PlainTextResponse("A run has no such file.", 404, {"Cache-Control": "no-store"})
    headers = PRIVATE if own else FOR_EVER
    kind = "application/json" if name.endswith(".json") else "application/octet-stream"
    if takes_gzip and (run.folder / name).stat().st_size > 1024:
        return Response(
            _zipped(id_, digest, name),
            media_type=kind,
            headers={**headers, "Content-Encoding": "gzip", "Vary": "Accept-Encoding"},
        )
    return FileResponse(run.folder / name, media_type=kind, headers=headers)


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


ROUTES = [
    Route("/run/{id}/{digest}/{name:path}", run_file),
    Route("/explore", to_start),
    *assets.routes(),
    *stream.ROUTES,
]


class Door:
    """Middleware around every page: it names the explorer's files, so that they come while Streamlit still starts, and
    gives a browser that comes for the first time the cookie that its runs are kept under."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, and add to the answer when that is a page."""

        async def sent(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                if headers.get("content-type", "").startswith("text/html"):
                    headers.append("Link", assets.preloads())
                    asked = Headers(scope=scope)
                    secure = asked.get("x-forwarded-proto", scope["scheme"]) == "https"
                    if cookie := visitor.cookie_for(asked.get("cookie", ""), secure=secure):
                        headers.append("Set-Cookie", cookie)
                        headers["Cache-Control"] = "no-store"  # no cache between us may hand it to somebody else
            await send(message)

        await self.app(scope, receive, sent if scope["type"] == "http" else send)


def warm() -> None:
    """Load onnxruntime and the first run in the background while the browser is still opening, then sweep each hour."""

    def load() -> None:
        ready, _ = runs.find()
        if ready:
            runs.open_run(ready[0].folder)
        while True:
            with contextlib.suppress(Problem):  # a wrong setting is told where somebody would bring something
                uploads.sweep()
            time.sleep(uploads.HOUR)

    threading.Thread(target=load, name="warm", daemon=True).start()

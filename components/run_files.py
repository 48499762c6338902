"""The files of finished runs as they travel to a browser, and what is made for one from the dataset."""

import gzip
from functools import lru_cache, partial
from pathlib import Path

from starlette.responses import FileResponse, PlainTextResponse, Response

from models import Problem, density, home, runs, uploads
from models.runs import colours, networks, thumbnails

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
ENCODED = {"Content-Encoding": "gzip", "Vary": "Accept-Encoding"}


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
    if name == density.FILE:
        return Response(run.density.packed(), media_type="application/octet-stream", headers=headers)
    if (part := name.removesuffix(".safetensors")) in networks.PARTS:
        # A browser unpacks an encoding beside the page, and a file within it.
        encoded = headers | ENCODED if takes_gzip else headers
        return Response(_weights(run.folder, run.digest, part), media_type="application/gzip", headers=encoded)
    if name != "run.json" and name not in run.card.files:
        return PlainTextResponse("A run has no such file.", 404, {"Cache-Control": "no-store"})
    kind = "application/json" if name.endswith(".json") else "application/octet-stream"
    facts = (run.folder / name).stat()
    if takes_gzip and facts.st_size > 1024:
        return Response(_zipped(run.folder, run.digest, name), media_type=kind, headers=headers | ENCODED)
    return FileResponse(run.folder / name, media_type=kind, headers=headers, stat_result=facts)


def answer(id_: str, digest: str, name: str, takes_gzip: bool, owner: str) -> Response:
    """One file of the run of that content, for that owner; takes_gzip: whether the browser unpacks by itself."""
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


def prepare(run: runs.Run) -> None:
    """Check a run whole before the first of its files is asked for: several are at once."""
    _run(run.id, run.digest)

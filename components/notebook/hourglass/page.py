"""What a widget shows, as one page that opens from a disk: the explorer's script and the files that it reads."""

from __future__ import annotations

import contextlib
import gzip
import json
from collections.abc import Mapping, Sequence
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hourglass import repository
from hourglass.own import FEWEST, Own
from hourglass.runs import Run

CODES = 10_000  # that travel, at most
ORIGINALS = 2_000_000  # bytes of originals before they are packed, at most
DRAWN_BYTES = 3_000_000  # of samples that are drawn ahead, at most
PATIENCE = 60.0  # seconds in which a decoder that stays at home may draw ahead
SMALLER = (1.0, 0.5, 0.2, 0.05, 0.0)  # shares of originals and pictures with which a page is tried that shall be small
COPIED = ("density.safetensors", "columns.json", "layers.json")
WORDS = {"image": "image", "signal": "signal", "table": "row"}


def html(
    shown: Run | Own, view: Mapping[str, str], code: Sequence[float], most: int | None = None, seconds: float = PATIENCE
) -> bytes:
    """The page. view: how it opens; code: where on the map, which follows the pointer from there. seconds: that a decoder which
    stays at home may draw ahead. most: how many bytes it may have, about; where it has more, less of the originals travels."""
    for share in SMALLER if most else (1.0,):
        made = _html(shown, view, code, share, seconds)
        if not most or len(made) <= most:
            break
    return made


def _html(shown: Run | Own, view: Mapping[str, str], code: Sequence[float], share: float, seconds: float) -> bytes:
    card: dict[str, Any] = json.loads(shown.read("run.json"))
    count, size = card["codes"]["count"], card["codes"]["size"]
    order = _order(count)
    files = {
        "codes.f32": _some(shown, "codes.f32", order, size),
        "labels.i32": _some(shown, "labels.i32", order, 1, "<i4"),
    }
    for name, width in (("errors.f32", 1), ("factors.f32", len(card["dataset"].get("factors", [])))):
        there = name in card["files"] or (name == "errors.f32" and card.get("errors"))
        if there and width:
            files[name] = _some(shown, name, order, width)
    thumbnails = _thumbnails(shown, card, order, int(ORIGINALS * share))
    if thumbnails:
        files["thumbnails.u8.gz"] = thumbnails
    for name in COPIED:
        with contextlib.suppress(KeyError):
            files[name] = shown.read(name)
    card["files"] = {"columns.json": {}} if "columns.json" in files else {}
    card["codes"]["count"] = len(order)
    card["projections"]["tsne"] = card["replay"] = None  # of samples some of which are not here
    middle = {"z": ",".join(f"{value:.6g}" for value in code), "free": "yes"}
    facts: dict[str, Any] = {"stepped": {}, "view": {**view, **middle}}
    blends = isinstance(shown, Own) and shown.decodes == "kernel"
    if isinstance(shown, Own) and blends:
        facts["drawn"] = _draw(shown, card["dataset"]["shape"], files, int(DRAWN_BYTES * share), seconds)
    else:
        files["decoder.safetensors"] = _halved(shown.read("decoder.safetensors"))
        if isinstance(shown, Run) and card["dataset"].get("kind", "image") == "image":
            files["encoder.safetensors"] = _halved(shown.read("encoder.safetensors"))
    files |= {"page.json": json.dumps(facts).encode(), "run.json": json.dumps(card, allow_nan=False).encode()}
    onefile = repository.onefile()
    packed = {
        name: content if content[:2] == b"\x1f\x8b" else onefile.packed(content) for name, content in files.items()
    }
    script = repository.part("standalone.js").read_bytes()
    main = '<main id="explorer"></main>'
    made: str = onefile.html(shown.title, _sentence(card, blends), main, "", packed, script)
    return made.encode()


def _sentence(card: Mapping[str, Any], blends: bool) -> str:
    size, kind = card["codes"]["size"], card["dataset"].get("kind", "image")
    numbers = "one number" if size == 1 else f"{size} numbers"
    draws = "a network draws from these numbers alone"
    if blends:
        draws = "its decoder is not on this page; what you see is blended from samples that it drew ahead"
    return f"Each point is one {WORDS.get(kind, 'sample')}, kept as {numbers}. Point at the map, or drag a slider: {draws}."


def _order(count: int) -> NDArray[np.int64]:
    """The places of the codes that travel, in an order without a meaning where there are too many for all."""
    if count <= CODES:
        return np.arange(count)
    return np.random.default_rng(0).permutation(count)[:CODES]


def _some(shown: Run | Own, name: str, order: NDArray[np.int64], width: int, kind: str = "<f4") -> bytes:
    return np.frombuffer(shown.read(name), kind).reshape(-1, width)[order].tobytes()


def _thumbnails(shown: Run | Own, card: dict[str, Any], order: NDArray[np.int64], most: int) -> bytes | None:
    """The first originals, as many as fit; how many is noted on the card. None where there are none."""
    stored, card["thumbnails"] = card["thumbnails"], None
    if not stored:
        return None
    try:
        content = gzip.decompress(shown.read("thumbnails.u8.gz"))
    except KeyError:
        return None
    each = prod(stored["shape"])
    count = min(len(order), most // each)
    if not count:
        return None
    images = np.frombuffer(content, np.uint8).reshape(-1, each)
    card["thumbnails"] = {"shape": stored["shape"], **({} if count == len(order) else {"count": count})}
    return gzip.compress(images[order[:count]].tobytes(), 9, mtime=0)


def _draw(shown: Own, shape: Sequence[int], files: dict[str, bytes], most: int, seconds: float) -> dict[str, Any]:
    """Adds what stands for a decoder that stays at home: samples that it drew ahead, in `most` bytes."""
    places, drawn = shown.ahead(max(FEWEST, most // prod(shape)), seconds)
    files["drawn.f32"] = places.astype("<f4").tobytes()
    low, high = float(drawn.min()), float(drawn.max())
    steps = (drawn - low) / (high - low or 1) * 255
    files["drawn.u8"] = steps.round().astype(np.uint8).tobytes()
    return {"count": len(places), "low": low, "high": high}


def _halved(content: bytes) -> bytes:
    """Weights as float16: half of them, and on a picture nobody sees it."""
    from safetensors.numpy import load, save

    return save({k: v.astype(np.float16) if v.dtype == np.float32 else v for k, v in load(content).items()})

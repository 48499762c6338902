"""Makes small run folders of format 1 without training anything, for the tests of the explorer.

The decoder is two random layers whose images are smooth, the encoder a least-squares fit back to the codes. What the
server makes of a run, the weights of each part alone, lies in the folder, too.
"""

import gzip
import hashlib
import json
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import save_file
from scipy.spatial.distance import cdist
from scipy.special import erf

from models import graphs
from models.architectures import Blueprint
from models.layers import Activation, Dense, Flatten, Reshape
from models.runs import networks

Floats = NDArray[np.float32]
HIDDEN = 48
SERVED = ("run.json", "thumbnails.u8.gz", "encoder.safetensors", "decoder.safetensors")  # not named in run.json


def make(
    folder: Path,
    *,
    shape: tuple[int, int, int] = (12, 16, 1),
    size: int = 2,
    count: int = 600,
    classes: int = 5,
    half: bool = False,
    variational: bool = False,
    thumbnails: bool = True,
    replay: int = 6,
    dead: int | None = None,
    seed: int = 0,
) -> Path:
    """A whole run under `folder`; returns it. 12 x 16 is not square, so that swapped axes cannot hide."""
    rng = np.random.default_rng(seed)
    folder.mkdir(parents=True, exist_ok=True)
    labels = (np.arange(count) % classes).astype(np.int32)
    centres = rng.normal(size=(classes, size)) * 2
    codes = (centres[labels] + rng.normal(size=(count, size)) * 0.35).astype(np.float32)
    if dead is not None:
        codes[:, dead] = rng.normal(size=count) * 1e-4
    weights = _weights(rng, shape, size)
    samples = decode(weights, codes, shape)
    flat = np.concatenate([samples.reshape(count, -1), np.ones((count, 1), np.float32)], 1)
    back = np.linalg.lstsq(flat, codes, rcond=1e-3)[0].astype(np.float32)
    if variational:  # with log-variances of 0
        back = np.concatenate([back, np.zeros_like(back)], 1)
    weights |= {"encoder.1.weight": np.ascontiguousarray(back[:-1].T), "encoder.1.bias": back[-1]}
    if half:
        weights = {name: value.astype(np.float16) for name, value in weights.items()}
    save_file(weights, folder / "weights.safetensors")
    pixels = int(np.prod(shape))
    encoder = (Flatten(), Dense(2 * size if variational else size))
    decoder = (Dense(HIDDEN), Activation("gelu"), Dense(pixels), Activation("sigmoid"), Reshape(shape))
    blueprint = Blueprint(shape, size, encoder, decoder, variational)
    for name, graph in graphs.graphs(blueprint, folder / "weights.safetensors").items():
        (folder / name).write_bytes(graph)
    for part in networks.PARTS:
        (folder / f"{part}.safetensors").write_bytes(networks.weights(folder, part))

    wide = {name: value.astype(np.float32) for name, value in weights.items()}
    errors = ((decode(wide, codes, shape) - samples) ** 2).reshape(count, -1).mean(1) + rng.random(count) * 0.01
    factors = np.stack([codes[:, 0], np.arange(count)], 1)
    parts: dict[str, NDArray[np.generic]] = {
        "codes.f32": codes,
        "rows.i32": np.arange(count, dtype=np.int32),
        "labels.i32": labels,
        "errors.f32": errors.astype(np.float32),
        "factors.f32": factors.astype(np.float32),
    }
    pca = tsne = None
    if size > 2:
        mean = codes.mean(0)
        _, spread, directions = np.linalg.svd(codes - mean, full_matrices=False)
        explained = (spread**2 / (spread**2).sum())[:2]
        pca = {"mean": mean.tolist(), "components": directions[:2].tolist(), "explained": explained.tolist()}
        parts["projections/pca.f32"] = ((codes - mean) @ directions[:2].T).astype(np.float32)
        index = np.arange(0, count, 2, dtype=np.int32)
        tsne = {"count": len(index), "perplexity": 30}
        parts["projections/tsne.f32"] = (codes[index, :2] * 10).astype(np.float32)
        parts["projections/tsne-index.i32"] = index
    if replay:
        index = np.arange(0, count, 3, dtype=np.int32)
        steps = np.linspace(0.1, 1, replay, dtype=np.float32)
        parts["replay/codes.f32"] = np.stack([codes[index] * step for step in steps])
        parts["replay/index.i32"] = index
    for name, array in parts.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_bytes(np.ascontiguousarray(array).tobytes())
    (folder / "history.jsonl").write_text("")
    if thumbnails:
        (folder / "thumbnails.u8.gz").write_bytes(
            gzip.compress((samples * 255).round().astype(np.uint8).tobytes(), mtime=0)
        )

    variance = codes.var(0)
    card = {
        "format": 1,
        "id": hashlib.sha256(repr((shape, size, count, seed)).encode()).hexdigest()[:16],
        "dataset": {
            "name": "fixture",
            "title": "Fixture",
            "kind": "image",
            "shape": list(shape),
            "classes": [f"class {c}" for c in range(classes)],
            "label": "class",
            "factors": ["first", "order"],
            "count": count,
        },
        "architecture": {
            "name": "fixture",
            "title": "Two random layers",
            "variational": variational,
            "parameters": 0,
            "layers": blueprint.listed(),
        },
        "codes": {
            "count": count,
            "size": size,
            "low": codes.min(0).tolist(),
            "high": codes.max(0).tolist(),
            "mean": codes.mean(0).tolist(),
            "variance": variance.tolist(),
            "kl": (variance * 2).tolist() if variational else None,
            "dead": (variance < 1e-4).tolist(),
            "nearest_p99": nearest_p99(codes),
        },
        "projections": {"pca": pca, "tsne": tsne},
        "replay": {"count": len(range(0, count, 3)), "epochs": list(range(replay))} if replay else None,
        "thumbnails": {"shape": list(shape)},
    }
    return seal(folder, card)


def seal(folder: Path, card: dict[str, object]) -> Path:
    """Write run.json with the sizes and checksums of what lies in the folder now."""
    files = [path for path in sorted(folder.rglob("*")) if path.is_file() and path.name not in SERVED]
    described = {
        path.relative_to(folder).as_posix(): {
            "bytes": path.stat().st_size,
            "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
        }
        for path in files
    }
    (folder / "run.json").write_text(json.dumps({**card, "files": described}, allow_nan=False))
    return folder


def decode(weights: dict[str, Floats], codes: Floats, shape: tuple[int, ...]) -> Floats:
    """What the decoder should give: the reference that the browser is held against."""
    before = codes @ weights["decoder.0.weight"].T + weights["decoder.0.bias"]
    hidden = before * (1 + erf(before / np.sqrt(2))) / 2
    out = hidden @ weights["decoder.2.weight"].T + weights["decoder.2.bias"]
    return (1 / (1 + np.exp(-out))).reshape(-1, *shape).astype(np.float32)


def nearest_p99(codes: Floats) -> float:
    some = codes[:2000]
    apart = cdist(some, some)
    np.fill_diagonal(apart, np.inf)
    return float(np.quantile(apart.min(1), 0.99))


def _weights(rng: np.random.Generator, shape: tuple[int, ...], size: int, hidden: int = HIDDEN) -> dict[str, Floats]:
    height, width, channels = shape
    y, x = np.mgrid[0 : 1 : height * 1j, 0 : 1 : width * 1j]
    fields = []
    for _ in range(hidden):
        cy, cx, spread = rng.random(), rng.random(), 0.12 + 0.15 * rng.random()
        blob = np.exp(-((y - cy) ** 2 + (x - cx) ** 2) / (2 * spread**2))
        fields.append((blob[:, :, None] * rng.normal(size=channels) * 4).reshape(-1))
    return {
        "decoder.0.weight": (rng.normal(size=(hidden, size)) * 0.7).astype(np.float32),
        "decoder.0.bias": rng.normal(size=hidden).astype(np.float32),
        "decoder.2.weight": np.stack(fields, 1).astype(np.float32),
        "decoder.2.bias": np.full(height * width * channels, -1.0, np.float32),
    }

"""Makes small run folders of format 1 without training anything, for the tests of the explorer.

The decoder is two random layers whose images are smooth, the encoder a least-squares fit back to the codes. Both
keep their weights in weights.safetensors, as real runs do.
"""

import gzip
import hashlib
import json
from pathlib import Path

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper
from safetensors.numpy import save_file

Floats = NDArray[np.float32]


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
    weights |= {"encoder.weight": back[:-1], "encoder.bias": back[-1]}
    if half:
        weights = {name: value.astype(np.float16) for name, value in weights.items()}
    save_file(weights, folder / "weights.safetensors")
    _write_graphs(folder, weights, shape, size, variational)

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
        "architecture": {"name": "fixture", "title": "Two random layers", "variational": variational, "parameters": 0},
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
    files = [
        path
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name not in ("run.json", "thumbnails.u8.gz")
    ]
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
    hidden = np.tanh(codes @ weights["decoder.0.weight"] + weights["decoder.0.bias"])
    out = hidden @ weights["decoder.1.weight"] + weights["decoder.1.bias"]
    return (1 / (1 + np.exp(-out))).reshape(-1, *shape).astype(np.float32)


def nearest_p99(codes: Floats) -> float:
    some = codes[:2000]
    squared = ((some[:, None] - some[None]) ** 2).sum(2)
    np.fill_diagonal(squared, np.inf)
    return float(np.quantile(np.sqrt(squared.min(1)), 0.99))


def _weights(rng: np.random.Generator, shape: tuple[int, ...], size: int, hidden: int = 48) -> dict[str, Floats]:
    height, width, channels = shape
    y, x = np.mgrid[0 : 1 : height * 1j, 0 : 1 : width * 1j]
    fields = []
    for _ in range(hidden):
        cy, cx, spread = rng.random(), rng.random(), 0.12 + 0.15 * rng.random()
        blob = np.exp(-((y - cy) ** 2 + (x - cx) ** 2) / (2 * spread**2))
        fields.append((blob[:, :, None] * rng.normal(size=channels) * 4).reshape(-1))
    return {
        "decoder.0.weight": (rng.normal(size=(size, hidden)) * 0.7).astype(np.float32),
        "decoder.0.bias": rng.normal(size=hidden).astype(np.float32),
        "decoder.1.weight": np.stack(fields).astype(np.float32),
        "decoder.1.bias": np.full(height * width * channels, -1.0, np.float32),
    }


def _write_graphs(
    folder: Path, weights: dict[str, NDArray[np.generic]], shape: tuple[int, ...], size: int, variational: bool
) -> None:
    places = _places(folder / "weights.safetensors")
    values = int(np.prod(shape))

    def graph(
        name: str,
        nodes: list[onnx.NodeProto],
        inputs: list[object],
        outputs: list[object],
        extra: list[onnx.TensorProto],
    ) -> None:
        stored, casts = [], []
        for key, (kind, dims, offset, length) in places.items():
            if not key.startswith(name):
                continue
            tensor = TensorProto(name=key, data_type=kind, dims=dims, data_location=TensorProto.EXTERNAL)
            for field, value in (("location", "weights.safetensors"), ("offset", str(offset)), ("length", str(length))):
                tensor.external_data.add(key=field, value=value)
            stored.append(tensor)
            casts.append(helper.make_node("Cast", [key], [f"{key}:wide"], to=TensorProto.FLOAT))
        made = helper.make_graph([*casts, *nodes], name, inputs, outputs, initializer=[*stored, *extra])
        model = helper.make_model(made, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)
        (folder / f"{name}.onnx").write_bytes(model.SerializeToString())

    def info(name: str, *dims: int) -> object:
        return helper.make_tensor_value_info(name, TensorProto.FLOAT, ["B", *dims])

    def constant(name: str, numbers: list[int]) -> onnx.TensorProto:
        return helper.make_tensor(name, TensorProto.INT64, [len(numbers)], numbers)

    node = helper.make_node
    graph(
        "decoder",
        [
            node("Gemm", ["code", "decoder.0.weight:wide", "decoder.0.bias:wide"], ["a"]),
            node("Tanh", ["a"], ["b"]),
            node("Gemm", ["b", "decoder.1.weight:wide", "decoder.1.bias:wide"], ["c"]),
            node("Sigmoid", ["c"], ["d"]),
            node("Reshape", ["d", "shape"], ["sample"]),
        ],
        [info("code", size)],
        [info("sample", *shape)],
        [constant("shape", [-1, *shape])],
    )
    encoder = [
        node("Reshape", ["sample", "flat"], ["a"]),
        node("Gemm", ["a", "encoder.weight:wide", "encoder.bias:wide"], ["code"]),
    ]
    outputs = [info("code", size)]
    if variational:
        encoder.append(node("Sub", ["code", "code"], ["log_variance"]))
        outputs.append(info("log_variance", size))
    graph("encoder", encoder, [info("sample", *shape)], outputs, [constant("flat", [-1, values])])


def _places(path: Path) -> dict[str, tuple[int, list[int], int, int]]:
    """Where each tensor's bytes lie in a safetensors file: (ONNX type, dims, offset, length)."""
    raw = path.read_bytes()
    header = int.from_bytes(raw[:8], "little")
    kinds = {"F32": TensorProto.FLOAT, "F16": TensorProto.FLOAT16}
    entries = json.loads(raw[8 : 8 + header])
    return {
        name: (
            kinds[entry["dtype"]],
            entry["shape"],
            8 + header + entry["data_offsets"][0],
            entry["data_offsets"][1] - entry["data_offsets"][0],
        )
        for name, entry in entries.items()
        if name != "__metadata__"
    }

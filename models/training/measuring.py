"""Measuring a trained network, and writing the files of the run it becomes."""

from __future__ import annotations

import dataclasses
import json
import os
import platform
import time
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from models import architectures, codes, density, graphs, kinds, runs
from models.analysis import metrics
from models.datasets import TEST, TRAIN, VALIDATION
from models.losses.kl import kl as kl_divergence
from models.runs import Run
from models.training.loop import Training
from models.training.reconstruction import bernoulli

UMAP_NEIGHBOURS = 15  # as many as umap-learn takes by itself
NEIGHBOURS = 60_000  # training codes that vote on the class of a test code, at most


def finish(work: Training, best_epoch: int, seconds: float, half: bool, tsne: int) -> Run:
    """Measure the trained network on every split it may be measured on and write the run's files into its folder."""
    from safetensors.numpy import save_file

    folder, dataset, network = work.folder, work.dataset, work.network
    # A line for each epoch: an attempt that was overtaken just when it wrote can have left one twice.
    lines = {json.loads(line)["epoch"]: line for line in (folder / "history.jsonl").read_text().splitlines()}
    done = len(lines)
    runs.write_whole(folder / "history.jsonl", "".join(f"{line}\n" for line in lines.values()).encode())
    chosen = work.ended(done)
    weights = {
        name: value.cpu().numpy().astype(np.float16 if half else np.float32)
        for name, value in network.weights().items()
    }
    network.load({name: torch.from_numpy(value.astype(np.float32)) for name, value in weights.items()})
    save_file(weights, folder / "weights.safetensors")
    for name, graph in graphs.graphs(work.blueprint, folder / "weights.safetensors").items():
        (folder / name).write_bytes(graph)
    compare_with_onnx(work)

    passed = [(part.code, metrics.squared_errors(part.clean, part.out)) for part in work.outputs(work.stored)]
    all_codes, errors = (np.concatenate(parts).astype("<f4") for parts in zip(*passed, strict=True))
    (folder / "codes.f32").write_bytes(all_codes.tobytes())
    (folder / "errors.f32").write_bytes(errors.tobytes())
    if dataset.factors:
        (folder / "factors.f32").write_bytes(work.content.factors[work.stored].astype("<f4").tobytes())
    baseline = {"mean": work.baseline.mean, "components": work.baseline.components}
    save_file(baseline, folder / "baseline.safetensors")
    work.report.write("measuring", "comparing with PCA", 0.3)
    measured, kl = measure(work, work.baseline, tsne=half and chosen.code_size == 2)
    work.report.write("measuring", "drawing the map", 0.6)
    described = codes.describe(all_codes, kl)
    projections = project(folder, all_codes, tsne)
    work.report.write("measuring", "how the codes are spread", 0.8)
    (folder / density.FILE).write_bytes(spread(work).packed())

    architecture = architectures.get(chosen.architecture)
    history = [json.loads(line) for line in lines.values()]
    about = {
        "format": runs.FORMAT,
        "id": chosen.id,
        "recipe": runs.RECIPE,
        "configuration": dataclasses.asdict(chosen),
        "versions": {name: version(name) for name in ("torch", "numpy", "scikit-learn", "onnx", "onnxruntime")},
        "dataset": runs.dataset_facts(dataset),
        "architecture": runs.architecture_facts(architecture, work.blueprint),
        "codes": described,
        "projections": projections,
        "replay": {"count": len(work.replayed), "epochs": work.frames},
        "thumbnails": {"shape": runs.thumbnail_shape(dataset.shape, len(work.stored))}
        if kinds.get(dataset.kind).pixels
        else None,
        "metrics": [metric.plain(dataset.kind) for metric in measured],
        "training": {
            "epochs": done,
            "best_epoch": best_epoch,
            "seconds": seconds,
            "pca_validation": work.report.pca,
            "samples_per_second": float(np.median([line["samples_per_second"] for line in history])),
            "device": network.device.type,
            "precision": work.precision,
            "machine": f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores, 1 thread",
            "finished": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        },
    }
    work.report.look()
    return runs.seal(folder, about)


def compare_with_onnx(work: Training, within: float = 1e-4) -> None:
    """Make sure that the graphs just written compute what the network computes."""
    clean, _ = work.objective.given(work.validation[:32], seed=0)
    with torch.no_grad():
        code = work.network.encode(clean)[0]
        out = work.network.decode(code)
    coder = codes.Coder(work.folder)
    apart = np.abs(coder.encode(clean.cpu().numpy()) - code.cpu().numpy()).max() / max(1.0, float(code.abs().max()))
    away = np.abs(coder.decode(code.cpu().numpy()) - out.cpu().numpy()).max()
    if not max(apart, away) <= within:
        raise RuntimeError(f"ONNX and torch disagree by {apart:.2e} in the code and {away:.2e} in the sample")


def measure(work: Training, baseline: codes.Plane, tsne: bool) -> tuple[list[metrics.Metric], codes.Floats | None]:
    """Everything in `metrics.TITLES` that applies, on the test split; and the KL per dimension there (D,).

    Shares and ranks are left out where the test split has fewer than `metrics.LEAST` samples: they would be chance.
    tsne lays out the samples themselves by t-SNE, too, for comparison: a minute for 10,000.
    """
    rows = np.flatnonzero(work.splits == TEST)
    parts = list(work.outputs(rows))
    test_codes, clean, given, out = (
        np.concatenate([getattr(part, name) for part in parts]) for name in ("code", "clean", "given", "out")
    )
    mse = float(metrics.squared_errors(clean, out).mean())
    pca_mse = float(metrics.squared_errors(clean, metrics.through_pca(baseline, given)).mean())
    values = {
        "mse": mse,
        "squared_error": mse * work.dataset.size,
        "pca_mse": pca_mse,
        "pca_squared_error": pca_mse * work.dataset.size,
        "mean_mse": float(metrics.squared_errors(clean, baseline.mean.reshape(1, *work.dataset.shape)).mean()),
    }
    counts = {}
    image = kinds.get(work.dataset.kind).pixels
    if image:
        values["psnr"] = metrics.psnr(mse)
        if min(work.dataset.shape[:2]) >= 3:
            counts["ssim"] = min(500, len(clean))
            values["ssim"] = metrics.ssim(clean[:500], out[:500])
    labels = work.content.labels
    known = np.flatnonzero((work.splits == TRAIN) & (labels >= 0))
    enough = len(rows) >= metrics.LEAST
    if enough and len(np.unique(labels[rows])) > 1 and len(known) >= 5:
        known = known[:: -(-len(known) // NEIGHBOURS)]
        values["knn_accuracy"] = metrics.knn_accuracy(work.encode(known), labels[known], test_codes, labels[rows])
        values["pca_knn_accuracy"] = metrics.knn_accuracy(
            _pca_codes(baseline, work.content.samples[known]), labels[known], _pca_codes(baseline, clean), labels[rows]
        )
        if tsne and image:
            values["tsne_knn_accuracy"] = metrics.tsne_knn_accuracy(clean, labels[rows])
    if enough:
        counts["trustworthiness"] = counts["continuity"] = min(1000, len(clean))
        values["trustworthiness"], values["continuity"] = metrics.neighbourhoods(clean, test_codes)
    if enough and work.dataset.factors:
        values["mutual_information_gap"] = metrics.mutual_information_gap(test_codes, work.content.factors[rows])
    kl = None
    if work.network.variational:
        log_variance = np.concatenate([part.log_variance for part in parts if part.log_variance is not None])
        kl = kl_divergence(torch.from_numpy(test_codes), torch.from_numpy(log_variance)).numpy()
        values["kl"] = float(kl.sum())
        if work.configuration.loss == "bernoulli" and work.configuration.noise == "none":
            drawn = np.concatenate([part.out for part in work.outputs(rows, draw=True)])
            nats = bernoulli(torch.from_numpy(drawn), torch.from_numpy(clean))
            values["negative_elbo"] = float(nats) + values["kl"]
    return [metrics.Metric(name, "test", value, counts.get(name, len(rows))) for name, value in values.items()], kl


def spread(work: Training) -> density.Density:
    """How the codes are spread: fitted to those of training samples, chosen by those of validation samples."""
    rows, held = (
        np.flatnonzero(work.splits == split)[:most]
        for split, most in ((TRAIN, density.FITTED), (VALIDATION, density.HELD))
    )
    labels = np.asarray(work.content.labels[rows], np.int32)
    some = density.Codes(work.encode(rows), labels, work.encode(held), len(work.dataset.classes))
    return density.best(some, tell=lambda _share: work.report.look())


def _pca_codes(baseline: codes.Plane, stored: NDArray[np.generic]) -> codes.Floats:
    """(N, *shape) samples become (N, D'), in pieces: as floats the whole would be four times as large."""
    pieces = np.array_split(stored, max(1, len(stored) // 5000))
    return np.concatenate([baseline.project(codes.to_float(piece).reshape(len(piece), -1)) for piece in pieces])


def project(folder: Path, all_codes: codes.Floats, tsne: int) -> dict[str, Any]:
    """Store the PCA plane and a t-SNE of codes with more than two dimensions; where umap-learn is installed, a UMAP, too."""
    if all_codes.shape[1] <= 2:
        return {"pca": None, "tsne": None}
    (folder / "projections").mkdir(exist_ok=True)
    plane, explained = codes.pca_plane(all_codes)
    (folder / "projections" / "pca.f32").write_bytes(plane.project(all_codes).astype("<f4").tobytes())
    stored = {"mean": plane.mean.tolist(), "components": plane.components.tolist(), "explained": explained.tolist()}
    some = np.sort(np.random.default_rng(2).permutation(len(all_codes))[: min(tsne, 5000)])
    if len(some) < 2 or not np.ptp(all_codes[some], axis=0).any():  # scikit-learn's t-SNE dies on equal codes
        return {"pca": stored, "tsne": None}
    perplexity = min(30.0, (len(some) - 1) / 3)
    from sklearn.manifold import TSNE

    # Half the usual iterations and a coarser tree: on MNIST and Fashion-MNIST the same neighbours (trustworthiness
    # within 0.002) in less than half the time, which a person waits for.
    layout = TSNE(perplexity=perplexity, init="pca", random_state=0, n_jobs=1, max_iter=500, angle=0.8)
    flat = layout.fit_transform(all_codes[some])
    (folder / "projections" / "tsne.f32").write_bytes(flat.astype("<f4").tobytes())
    (folder / "projections" / "tsne-index.i32").write_bytes(some.astype("<i4").tobytes())
    if len(some) > UMAP_NEIGHBOURS and find_spec("umap") is not None:
        from umap import UMAP  # type: ignore[import-not-found]

        flat = UMAP(n_neighbors=UMAP_NEIGHBOURS, random_state=0, n_jobs=1).fit_transform(all_codes[some])
        (folder / "projections" / "umap.f32").write_bytes(np.asarray(flat, "<f4").tobytes())
    return {"pca": stored, "tsne": {"count": len(some), "perplexity": perplexity}}

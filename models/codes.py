"""Codes and what is done with them outside a training: encode, decode, neighbours, planes, ranges.

Runs the ONNX graphs with onnxruntime, so that a page needs no torch.
"""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models import Problem

Floats = NDArray[np.float32]
DEAD_VARIANCE = 0.01  # of the mean's variance, as Burda et al. 2015 (section 5.2) count inactive units
DEAD_KL = 0.01  # nats
NO_VARIANCE = 1e-9  # where no dimension has more, all are dead: float32 in a graph tells such codes apart by chance


def to_float(samples: NDArray[np.generic]) -> Floats:
    """Stored samples as a model sees them: uint8 images become float32 in [0, 1], all else float32 as it is."""
    out = np.asarray(samples, np.float32)
    return out / np.float32(255) if samples.dtype == np.uint8 else out


@dataclass(frozen=True)
class Coder:
    """A run's encoder and decoder as functions of numpy arrays."""

    folder: Path

    @cached_property
    def _sessions(self) -> dict[str, Any]:
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        options.log_severity_level = 3
        try:
            return {
                part: onnxruntime.InferenceSession(
                    self.folder / f"{part}.onnx", options, providers=["CPUExecutionProvider"]
                )
                for part in ("encoder", "decoder")
            }
        except Exception as error:  # onnxruntime raises a class per status, all of them Exception
            reason = str(error).splitlines()[0][:200]
            raise Problem(
                f"the run in {self.folder.name} cannot be loaded ({reason})", do="train or open the run again"
            ) from error

    def _run(self, part: str, values: NDArray[np.generic], batch: int = 512) -> list[Floats]:
        session = self._sessions[part]
        (entry,) = session.get_inputs()
        expected = tuple(entry.shape[1:])
        if values.shape[1:] != expected:
            raise Problem(
                f"the {part} takes values of shape {expected}",
                f"{values.shape[1:]} was given",
                "use samples or codes of that shape",
            )
        if not len(values):  # onnxruntime's recurrent layers end the whole process at an empty batch
            return [np.zeros((0, *output.shape[1:]), np.float32) for output in session.get_outputs()]
        parts = [session.run(None, {entry.name: to_float(values[i : i + batch])}) for i in range(0, len(values), batch)]
        return [np.concatenate(pieces) for pieces in zip(*parts, strict=True)]

    def encode(self, samples: NDArray[np.generic]) -> Floats:
        """(B, *shape) stored samples -> (B, D) codes; a variational run gives the means."""
        return self._run("encoder", samples)[0]

    def encode_distribution(self, samples: NDArray[np.generic]) -> tuple[Floats, Floats]:
        """Means and log-variances (B, D) each, of a variational run."""
        mean, log_variance = self._run("encoder", samples)
        return mean, log_variance

    def decode(self, codes: NDArray[np.generic]) -> Floats:
        """(B, D) codes -> (B, *shape) samples as the model sees them."""
        return self._run("decoder", codes)[0]


def nearest(codes: Floats, code: NDArray[np.floating[Any]], k: int) -> tuple[NDArray[np.int64], Floats]:
    """The k stored codes nearest to `code` (D,) by Euclidean distance: places in `codes` (M, D), and distances, nearest first."""
    squared = np.square(codes - np.asarray(code, np.float32)).sum(1)
    k = min(k, len(codes))
    some = np.argpartition(squared, k - 1)[:k]
    some = some[np.argsort(squared[some], kind="stable")]
    return some, np.sqrt(squared[some]).astype(np.float32)


def inside(points: NDArray[np.floating[Any]], polygon: NDArray[np.floating[Any]]) -> NDArray[np.bool_]:
    """Which of `points` (N, 2) lie inside the closed `polygon` (V, 2), by the even-odd rule (Shimrat 1962)."""
    x, y = points[:, 0], points[:, 1]
    out = np.zeros(len(points), bool)
    for (x1, y1), (x2, y2) in zip(polygon, np.roll(polygon, -1, 0), strict=True):
        if y1 != y2:  # a level edge is never crossed by a level ray
            out ^= ((y1 > y) != (y2 > y)) & (x < (x2 - x1) * (y - y1) / (y2 - y1) + x1)
    return out


@dataclass(frozen=True)
class Plane:
    """A 2-D plane through code space: `mean` (D,) lies at its origin, `components` (2, D) are its unit axes."""

    mean: Floats
    components: Floats

    def project(self, codes: Floats) -> Floats:
        """(M, D) -> (M, 2)."""
        return np.asarray((codes - self.mean) @ self.components.T, np.float32)

    def move(self, code: Floats, point: NDArray[np.floating[Any]]) -> Floats:
        """The code (D,) whose place on the plane is `point` (2,), keeping whatever of `code` lies off the plane."""
        at = self.project(code[None])[0]
        return np.asarray(code + (np.asarray(point, np.float32) - at) @ self.components, np.float32)


def pca_plane(codes: Floats) -> tuple[Plane, Floats]:
    """The plane of largest variance of the codes (M, D >= 2) and the share of variance each axis explains (2,)."""
    mean = codes.mean(0)
    covariance = np.cov((codes - mean).T.astype(np.float64))
    values, vectors = np.linalg.eigh(covariance)
    components = vectors[:, ::-1][:, :2].T
    components *= np.sign(components[np.arange(2), np.abs(components).argmax(1)])[:, None]  # a sign that does not flip
    share = values[::-1][:2] / max(float(values.sum()), 1e-12)
    return Plane(mean, components.astype(np.float32)), np.clip(share, 0, 1).astype(np.float32)


def describe(codes: Floats, kl: Floats | None, seed: int = 0) -> dict[str, Any]:
    """What a page has to know of the codes (M, D): ranges (0.5 to 99.5 %), mean, variance, KL, dead dimensions.

    nearest_p99: the 99th percentile of the distance from a code to its nearest other code, from at most 5,000 of
    them against all: beyond it a point lies further from the data than the data lies from itself.
    """
    from sklearn.neighbors import NearestNeighbors

    low, high = np.percentile(codes, [0.5, 99.5], axis=0)
    variance = codes.var(0)
    if len(codes) > 1:
        some = np.random.default_rng(seed).permutation(len(codes))[:5000]
        apart = NearestNeighbors(n_neighbors=2).fit(codes).kneighbors(codes[some])[0][:, 1]
        far = float(np.percentile(apart, 99))
    else:
        far = 0.0
    dead = (kl < DEAD_KL) if kl is not None else variance < max(DEAD_VARIANCE * float(variance.max()), NO_VARIANCE)
    return {
        "count": len(codes),
        "size": codes.shape[1],
        "low": low.tolist(),
        "high": high.tolist(),
        "mean": codes.mean(0).tolist(),
        "variance": variance.tolist(),
        "kl": kl.tolist() if kl is not None else None,
        "dead": dead.tolist(),
        "nearest_p99": far,
    }

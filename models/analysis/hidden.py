"""What the hidden layers of a run's encoder give: features beside the code."""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.codes import Floats, to_float
from models.layers import Shape
from models.runs import Run, networks

MOST = 2048  # numbers of a hidden layer: those of larger ones are averaged over neighbouring pixels or steps


class Encoder:
    """The hidden layers of a run's encoder as functions of samples. Needs no torch."""

    def __init__(self, run: Run) -> None:
        """A run whose architecture is not here any more has no hidden layers to look at."""
        blueprint = networks.blueprint(run)
        self.shapes: list[Shape] = []
        """The shape of what each hidden layer gives, without the batch axis: (F,), (C, H, W) or (T, F)."""
        if blueprint is None:
            return
        from models import graphs

        model, self.shapes = graphs.hidden(blueprint, run.folder / "weights.safetensors")
        if self.shapes:
            import onnxruntime

            options = onnxruntime.SessionOptions()
            options.intra_op_num_threads = 1
            options.log_severity_level = 3
            self._session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])

    def __call__(self, samples: NDArray[np.generic], batch: int = 256) -> list[Floats]:
        """What each hidden layer gives of stored samples (B, *shape): (B, F) each, F at most about `MOST`."""
        parts: list[list[Floats]] = [[] for _ in self.shapes]
        for at in range(0, len(samples) if self.shapes else 0, batch):
            given = to_float(samples[at : at + batch])
            for part, values in zip(parts, self._session.run(None, {"sample": given}), strict=True):
                inner = np.moveaxis(values, 1, -1) if values.ndim == 4 else values  # channels last
                part.append(averaged(inner, MOST).reshape(len(values), -1))
        return [
            np.concatenate(part) if part else np.zeros((0, prod(self.shapes[i])), np.float32)
            for i, part in enumerate(parts)
        ]


def averaged(samples: NDArray[np.generic], most: int) -> NDArray[Any]:
    """Images (N, H, W, C) or signals (N, T, C) of at most so many numbers, where that can be: the means of so many pixels, or
    steps, side by side as are needed. What is small enough, and rows (N, F), are left as they are."""
    axes = tuple(range(1, samples.ndim - 1))
    step = 1
    while np.prod([-(-samples.shape[axis] // step) for axis in axes]) * samples.shape[-1] > most and axes:
        step += 1
        if step > max(samples.shape[axis] for axis in axes):
            break
    if step == 1:
        return samples
    parts: list[NDArray[Any]] = [samples[at : at + 256].astype(np.float32) for at in range(0, len(samples), 256)]
    for axis in axes:
        starts = np.arange(0, samples.shape[axis], step)
        widths = np.diff([*starts, samples.shape[axis]]).astype(np.float32)
        widths = widths.reshape([-1 if i == axis else 1 for i in range(samples.ndim)])
        parts = [np.add.reduceat(part, starts, axis) / widths for part in parts]
    return np.concatenate(parts)

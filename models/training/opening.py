"""A run out of weights that a browser has trained: `python -m models.training.opening FOLDER` is the process that
`models.runs.weights` starts.

The file's numbers are held against the layers that it names before anything is made of them; codes, errors and all that is told of
a network are then measured here, on the dataset's own splits, as of every run.
"""

from __future__ import annotations

import dataclasses
import math
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from models import Problem
from models.readers.guarded import answer, serve
from models.runs.format import HEADER, WORKING
from models.runs.run import Run
from models.runs.weights import AGAIN, FILE, about

if TYPE_CHECKING:
    from collections.abc import Mapping

    from models.readers.limits import Limits

TAKEN = ("dataset", "architecture", "code_size", "noise", "noise_level", "learning_rate", "batch_size", "seed")
TSNE = 2000
EPOCHS = 4000  # that a file may tell of


def made(content: bytes, folder: Path) -> Run:
    """The run of these weights, sealed in a new folder."""
    import torch

    from models import architectures, datasets
    from models.runs import configure, dataset_facts, seal
    from models.runs.unpacking import opened_id
    from models.training.loop import Training
    from models.training.measuring import finish
    from models.training.report import Report

    told_there = about(content)
    chosen = configure({name: told_there[name] for name in TAKEN if name in told_there})
    dataset = datasets.get(chosen.dataset)
    if dataset.fingerprint != told_there["fingerprint"]:
        raise Problem(
            f"the weights are of other samples than those of {dataset.title} here",
            do="train again on the samples that are here",
        )
    blueprint = architectures.get(chosen.architecture).blueprint(dataset.kind, dataset.shape, chosen.code_size)
    values = _weights(content, blueprint.weights)
    history = _history(told_there, chosen.learning_rate)
    chosen = dataclasses.replace(chosen, epochs=len(history))
    folder.mkdir()
    torch.set_num_threads(1)
    torch.manual_seed(chosen.seed)
    work = Training(chosen, dataset, datasets.arrays(dataset), folder, Report(folder, chosen, 1), torch.device("cpu"))
    epochs = work.trained_elsewhere({name: torch.from_numpy(value) for name, value in values.items()}, history)
    run = finish(work, epochs, history[0]["seconds"] * epochs, half=False, tsne=TSNE)
    told = run.stored_card()
    told["training"] |= {"device": "browser", "machine": "a browser, 1 thread"}
    # Another id than that of its choices: whoever asks for these is to get what is trained here.
    ours = {"id": opened_id(run.id, folder), "dataset": dataset_facts(dataset)}
    run = seal(folder, {name: ours.get(name, value) for name, value in told.items() if name != "files"})
    for name in WORKING:
        (folder / name).unlink(missing_ok=True)
    return run


def _history(told: Mapping[str, Any], rate: float) -> list[dict[str, Any]]:
    """An entry for each epoch, from the numbers that the file tells of them. A `Problem` where these are none."""

    def numbers(name: str) -> list[float]:
        found = told.get(name)
        if (
            not isinstance(found, list)
            or not 0 < len(found) <= EPOCHS
            or not all(isinstance(one, int | float) and math.isfinite(one) for one in found)
        ):
            raise Problem("the weights do not say how they were trained", do=AGAIN)
        return [float(one) for one in found]

    losses, kls, errors = (numbers(name) for name in ("losses", "kls", "errors"))
    if not len(losses) == len(kls) == len(errors):
        raise Problem("the weights do not say how they were trained", do=AGAIN)
    variational = "-variational-" in str(told["architecture"])
    seconds = max(_seconds(told), 1e-3)
    speed = len(losses) * _samples(told) / seconds
    return [
        {
            "epoch": epoch,
            "loss": {"reconstruction": loss - kl, "kl": kl} if variational else {"reconstruction": loss},
            "validation": loss if variational else error,
            "learning_rate": rate,
            "samples_per_second": speed,
            "seconds": seconds / len(losses),
        }
        for epoch, (loss, kl, error) in enumerate(zip(losses, kls, errors, strict=True), 1)
    ]


def _samples(told: Mapping[str, Any]) -> int:
    found = told.get("samples")
    return found if isinstance(found, int) and 0 < found < 2**31 else 1


def _seconds(told: Mapping[str, Any]) -> float:
    seconds = told.get("seconds")
    return float(seconds) if isinstance(seconds, int | float) and 0 <= seconds < 1e7 else 0.0


def _weights(content: bytes, shapes: Mapping[str, tuple[int, ...]]) -> dict[str, Any]:
    """The numbers, all of them finite float32 of just these names and shapes."""
    from safetensors import SafetensorError
    from safetensors.numpy import load

    if len(content) > 4 * sum(math.prod(shape) for shape in shapes.values()) + HEADER:
        raise Problem("the weights are larger than their layers can be", do=AGAIN)
    try:
        values = load(content)
    except SafetensorError as error:
        raise Problem(f"the weights cannot be read ({error})", do=AGAIN) from error
    if {name: value.shape for name, value in values.items()} != shapes or any(
        value.dtype != np.float32 or not np.isfinite(value).all() for value in values.values()
    ):
        raise Problem("the weights are not those of the layers that the file names", do=AGAIN)
    return values


def _do(staging: Path, _request: dict[str, Any], _limits: Limits) -> None:
    made((staging / FILE).read_bytes(), staging / "run")
    answer(staging, {})


if __name__ == "__main__":
    sys.exit(serve(Path(sys.argv[1]), _do))

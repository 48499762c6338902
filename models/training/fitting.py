"""Training a configuration from beginning to end."""

from __future__ import annotations

import contextlib
import ctypes
from collections.abc import Iterator
from pathlib import Path

import torch
from safetensors import SafetensorError

from models import Problem, datasets, unwritable
from models.runs import Configuration, Run
from models.training.checkpoints import Damaged
from models.training.loop import Training
from models.training.measuring import finish
from models.training.network import pick_device
from models.training.report import Report


@contextlib.contextmanager
def memory_kept() -> Iterator[None]:
    """Have the C library keep what a step frees for the next one, and give it back in the end.

    glibc returns large blocks to the system, which then hands out new ones page by page; Dask has its workers do so with
    every block above 64 KB. Steps take up to twice as long for it. Other C libraries are left as they are.
    """
    largest, above = -3, -1  # M_MMAP_THRESHOLD, M_TRIM_THRESHOLD
    try:
        libc = ctypes.CDLL(None)
        choose, trim = libc.mallopt, libc.malloc_trim
    except (OSError, AttributeError, TypeError):
        yield
        return
    choose(largest, 2**30)
    choose(above, 2**31 - 1)
    try:
        yield
    finally:
        choose(largest, 2**17)
        choose(above, 2**17)  # glibc's own
        trim(0)


@memory_kept()
def train(
    configuration: Configuration,
    folder: Path,
    attempt: int = 1,
    *,
    device: str = "gpu",
    limit: float = float("inf"),
    half: bool = False,
    tsne: int = 2000,
    stored: int | None = None,
) -> Run:
    """Train in `folder` (under <home>/active) and return the finished run, sealed but not yet moved to its place.

    Goes on from the checkpoint in the folder, if there is one. attempt is this attempt's number in control.json.
    device is "cpu", or "gpu" for a graphics processor where there is one. limit ends the training after so many
    seconds, with what was learnt. half stores weights as float16, for runs that ship; codes and errors are then those
    of the rounded weights. tsne is the number of codes to lay out by t-SNE when D > 2. stored is how many codes to
    keep at most. Raises `Problem` for a configuration that does not fit, data that is missing, a disk that is full, or
    a loss that is no longer a number; `Stopped` when told to drop it, or to keep it before the first epoch was done;
    `Superseded` by a later attempt.
    """
    configuration = configuration.check()
    torch.set_num_threads(1)
    dataset = datasets.get(configuration.dataset)
    try:
        report = Report(folder, configuration, attempt)
        content = datasets.arrays(dataset, lambda what, share: report.write("preparing", what, share))

        def begun() -> tuple[Training, int, float]:
            torch.manual_seed(configuration.seed)
            work = Training(configuration, dataset, content, folder, report, pick_device(device), stored)
            return work, *work.run(limit)

        try:
            work, best, seconds = begun()
        except Damaged:
            (folder / "checkpoint.safetensors").unlink()
            work, best, seconds = begun()
        report.write("measuring", "measuring the result", 0.0)
        run = finish(work, best, seconds, half, tsne)
        report.look()
        return run
    except (OSError, SafetensorError) as error:
        report.look()  # a later attempt may have moved the folder away under this one
        raise unwritable(folder, error) from error
    except RuntimeError as error:
        if "alloc" not in str(error):
            raise
        raise Problem(
            f"there was not enough memory for batches of {configuration.batch_size} samples ({str(error).strip().splitlines()[0][:160]})",
            do="train again with a smaller batch size, or close other programs",
        ) from error

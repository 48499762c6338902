"""Originals for the browser: the samples behind a run's codes as one compressed block, images small, others as they are."""

import gzip
import io

import numpy as np
from numpy.typing import NDArray

from models import datasets, home, kinds, private
from models.runs.finding import find
from models.runs.run import Run
from models.runs.writing import write_whole

PIECE = 10_000  # samples that are shrunk at once
MOST = 64 * 2**20  # bytes of signals or rows that are sent, before they are compressed


def block(run: Run) -> bytes:
    """The M samples as gzipped uint8 (M, h, w, C), at the size that run.json names.

    Kept under <home>/thumbnails; of a dataset that somebody brought inside its folder, so that they go with it.
    Raises `Problem` when the dataset is not at hand, LookupError when the samples are no images.
    """
    if not run.card.thumbnails:
        raise LookupError("these samples are no images")
    dataset, shape = run.dataset, run.card.thumbnails.shape
    folder = home() / "data" / dataset.given / "thumbnails" if dataset.given else home() / "thumbnails"
    path = folder / f"{run.digest}.u8.gz"
    if path.is_file():
        return path.read_bytes()
    packed = io.BytesIO()
    with gzip.GzipFile(fileobj=packed, mode="wb", compresslevel=3, mtime=0) as out:
        # In pieces: a million samples at their full size would fill the memory of the web process.
        for first in range(0, run.count, PIECE):
            samples = datasets.samples_at(dataset, run.rows[first : first + PIECE].astype(np.int64))
            out.write(shrunk(samples, shape).tobytes())
    content = packed.getvalue()
    try:
        private(path.parent)
        write_whole(path, content)
    except Exception:  # a full or read-only disk costs time at the next visit, nothing else  # noqa: S110
        pass
    return content


def sweep() -> None:
    """Remove what was kept for runs that are no more."""
    known = {run.digest for run in find()[0]}
    for folder in (home() / "thumbnails", *(home() / "data").glob("*/thumbnails")):
        for path in folder.glob("*.u8.gz"):
            if path.name.partition(".")[0] not in known:
                path.unlink(missing_ok=True)


def values(run: Run, most: int = MOST) -> bytes:
    """Signals or rows behind the first codes, as many as fit into `most` bytes: gzipped float32 (K <= M, *shape).

    They are standardised, as the dataset stores them, what was missing is NaN. Nothing is kept: who deletes a dataset has deleted it. Raises
    `Problem` when the dataset has to be downloaded first, LookupError when the samples are images or none fits.
    """
    count = min(run.count, most // (4 * int(np.prod(run.shape))))
    if kinds.get(run.kind).pixels or not count:
        raise LookupError("these samples are not sent as numbers")
    dataset = run.dataset
    samples = datasets.originals_at(dataset, run.rows[:count].astype(np.int64))
    # The lowest level: numbers hardly compress, and a person waits for the first of them.
    return gzip.compress(np.ascontiguousarray(samples, "<f4").tobytes(), 1, mtime=0)


def shrunk(images: NDArray[np.generic], shape: tuple[int, ...]) -> NDArray[np.uint8]:
    """Images (N, H, W, C) averaged over blocks of 2, 4, ... pixels down to (N, *shape); a ragged edge is repeated."""
    while images.shape[1:] != shape:
        odd = [(0, n % 2) for n in images.shape[1:3]]
        images = np.pad(images, ((0, 0), *odd, (0, 0)), mode="edge")
        n, h, w, c = images.shape
        images = images.reshape(n, h // 2, 2, w // 2, 2, c).mean((2, 4)).round().astype(np.uint8)
    return np.asarray(images, np.uint8)

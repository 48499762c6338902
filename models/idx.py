"""The idx format of MNIST and its kin: two zero bytes, a type, a number of dimensions, their sizes, then the values.

Described by LeCun at the foot of the MNIST page; all integers big-endian. Only unsigned bytes (type 0x08) occur in
the datasets here. Every file is gzipped.
"""

import gzip
import math
import zlib
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from models import Problem
from models.datasets import Arrays, Dataset, Remote, file

UNSIGNED_BYTE = 0x08
CHUNK = 1 << 20


def files(address: str, checksums: dict[str, tuple[str, int]]) -> tuple[Remote, ...]:
    """The four published files, from the first words of their names, MD5 sums and sizes in bytes."""
    kinds = {"images": "idx3", "labels": "idx1"}
    names = {part: f"{part}-{kinds[part.partition('-')[2]]}-ubyte.gz" for part in checksums}
    return tuple(Remote(names[part], address + names[part], md5, size) for part, (md5, size) in checksums.items())


def read(dataset: Dataset) -> Arrays:
    """Both published parts as one: the training rows first, then the test rows; images (N, H, W, 1)."""
    training, test = (
        pair(file(dataset, f"{part}-images-idx3-ubyte.gz"), file(dataset, f"{part}-labels-idx1-ubyte.gz"))
        for part in ("train", "t10k")
    )
    samples = np.concatenate([training[0], test[0]])[..., None]
    labels = np.concatenate([training[1], test[1]]).astype(np.int32)
    return Arrays(samples, labels, np.zeros((len(samples), 0), np.float32))


def pair(images: Path, labels: Path) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """The images (N, H, W) and labels (N,) of one part; a `Problem` unless there are as many of both."""
    samples, classes = array(images, dimensions=3), array(labels, dimensions=1)
    if len(samples) != len(classes):
        raise Problem(
            f"{images.name} holds {len(samples):,} images but {labels.name} {len(classes):,} labels",
            do=f"download both files again; they belong in {images.parent}",
        )
    return samples, classes


def array(path: Path, dimensions: int) -> NDArray[np.uint8]:
    """The values of one gzipped idx file; a `Problem` when it is cut short, altered or says other than it holds."""
    try:
        with gzip.open(path) as stream:
            start = stream.read(4)
            expected = bytes([0, 0, UNSIGNED_BYTE, dimensions])
            if start != expected:
                raise _broken(
                    path, f"starts with the bytes {start.hex(' ') or 'none'}", f"start with {expected.hex(' ')}"
                )
            header = stream.read(4 * dimensions)
            if len(header) < 4 * dimensions:
                raise _broken(path, "ends within its header", f"have the sizes of {dimensions} dimensions there")
            shape = tuple(int(size) for size in np.frombuffer(header, ">u4"))
            # A header is a claim by whoever made the file: grow with the bytes that are really there, never
            # allocate what it promises, and stop one chunk after the promise is broken.
            promised, values = math.prod(shape), bytearray()
            while len(values) <= promised and (chunk := stream.read(CHUNK)):
                values += chunk
    except (OSError, EOFError, zlib.error) as error:
        raise _broken(path, f"cannot be unpacked ({error})", "be a whole gzip file") from error
    if len(values) != promised:
        came = f"{len(values):,}" if len(values) < promised else "more"
        sizes = " x ".join(map(str, shape))
        raise _broken(
            path, f"promises {sizes} values and holds {came}", f"have exactly {promised:,} bytes after the header"
        )
    return np.frombuffer(values, np.uint8).reshape(shape)


def _broken(path: Path, came: str, expected: str) -> Problem:
    return Problem(f"{path.name} {came}", f"it should {expected}", f"delete {path} and download it again")

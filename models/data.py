"""What a dataset is, without its samples, and how its rows are split."""

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from models import downloads
from models.columns import Column

TRAIN, VALIDATION, TEST = 0, 1, 2
SPLITS = ("train", "validation", "test")
Progress = Callable[[str, float], None]
"""Told (what is being done, share done in [0, 1])."""


class Arrays(NamedTuple):
    """A dataset in memory or memory-mapped: samples (N, ...), labels (N,) -1 where unknown, factors (N, K)."""

    samples: NDArray[np.generic]
    labels: NDArray[np.int32]
    factors: NDArray[np.float32]


@dataclass(frozen=True)
class Remote:
    """A file to download: its name under <downloads>/<the dataset's folder>/, where it comes from and what must arrive."""

    name: str
    url: str
    md5: str
    bytes: int


@dataclass(frozen=True)
class Dataset:
    """What a dataset is, without its samples.

    shape is one sample's: (H, W, C) for an image, (T, C) for a signal, (F,) for a table row. Rows are split
    into train, validation and test once and for all by `splits()`; `test_from` is the first row of a test
    set that the publisher fixed, None where the split is ours. `read` returns everything; `draw` returns the
    samples of some rows only and is there for datasets that can make one sample without the others. columns:
    of a table what its features are, of a signal its channels, with the scaling that `read` has applied. colours: where classes
    are colours, the colour of each by its name, as "#rrggbb". folder is where its files lie below the
    downloads, which several of one publisher share; empty stands for the dataset's name. given and
    split are the fingerprint and the splits of what somebody brought (see `models.uploads`). fit says how its images of single figures were fitted
    into their frame: the share of the frame that their longer side fills, and whether their centre of "mass" or the
    middle of their "box" lies in the middle; drawings that somebody makes are fitted alike. frames: an image is a film of so
    many frames side by side; 0 where it is one image.
    """

    name: str
    title: str
    summary: str
    kind: str
    shape: tuple[int, ...]
    count: int
    classes: tuple[str, ...]
    source: str
    licence: str
    read: Callable[[], Arrays]
    draw: Callable[[NDArray[np.int64]], NDArray[np.generic]] | None = None
    factors: tuple[str, ...] = ()
    files: tuple[Remote, ...] = ()
    folder: str = ""
    test_from: int | None = None
    version: int = 1
    label: str = "class"
    fit: tuple[float, str] | None = None
    columns: tuple[Column, ...] = ()
    colours: Mapping[str, str] = field(default_factory=dict, hash=False)
    frames: int = 0
    splits_seed: int = field(default=2006, repr=False)
    gaps: Callable[[], NDArray[np.bool_]] | None = field(default=None, repr=False)
    given: str = ""
    split: Callable[[], NDArray[np.uint8]] | None = None

    @property
    def fingerprint(self) -> str:
        """16 hex digits that change when the samples would: name, version, count, shape, checksums of its files."""
        if self.given:
            return self.given
        facts = [self.name, self.version, self.count, list(self.shape), [remote.md5 for remote in self.files]]
        return hashlib.sha256(json.dumps(facts).encode()).hexdigest()[:16]

    @property
    def downloads(self) -> Path:
        """The folder of its downloaded files."""
        return downloads() / (self.folder or self.name)

    @property
    def size(self) -> int:
        """How many numbers one sample holds."""
        return int(np.prod(self.shape))

    def splits(self) -> NDArray[np.uint8]:
        """The split of each row (N,): TRAIN, VALIDATION or TEST. Fixed by seed; needs no samples.

        Ours are 80 / 10 / 10 %. Where the publisher fixed the test set, a tenth of the others (at most 5,000)
        validates. What came split stays so.
        """
        if self.split is not None:
            return self.split()
        order = np.random.default_rng(self.splits_seed)
        out = np.zeros(self.count, np.uint8)
        if self.test_from is None:
            rows = order.permutation(self.count)
            tenth = self.count // 10
            out[rows[:tenth]] = TEST
            out[rows[tenth : 2 * tenth]] = VALIDATION
        else:
            out[self.test_from :] = TEST
            rows = order.permutation(self.test_from)
            out[rows[: min(self.test_from // 10, 5000)]] = VALIDATION
        return out

"""scikit-learn's handwritten digits: 1,797 real 8x8 images (Alpaydin and Kaynak 1998, UCI). No download."""

import importlib.util
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from models.datasets import Arrays, Dataset


def read() -> Arrays:
    """1,797 images (8, 8, 1); the published grey levels 0 to 16 are spread over 0 to 255."""
    table = _table()
    samples = np.round(table[:, :64].reshape(-1, 8, 8, 1) * (255 / 16)).astype(np.uint8)
    return Arrays(samples, table[:, 64].astype(np.int32), np.zeros((len(samples), 0), np.float32))


def _table() -> NDArray[np.float64]:
    """(1797, 65): the pixels row by row, then the digit."""
    # Importing scikit-learn takes more than a second, and a person who opens the explorer on digits would wait for
    # it. The table it ships is plain text; should a later version keep it elsewhere, its own function reads it.
    package = importlib.util.find_spec("sklearn")
    table = Path(package.origin or "").parent / "datasets" / "data" / "digits.csv.gz" if package else None
    if table is not None and table.is_file():
        return np.loadtxt(table, delimiter=",")
    from sklearn.datasets import load_digits

    content = load_digits()
    return np.column_stack([content.data, content.target])


DATASET = Dataset(
    name="digits",
    title="Digits 8x8",
    summary="Handwritten digits small enough to train on in seconds.",
    kind="image",
    shape=(8, 8, 1),
    count=1797,
    classes=tuple("0123456789"),
    source="E. Alpaydin and C. Kaynak, Optical Recognition of Handwritten Digits, UCI, 1998; test part, as shipped by scikit-learn",
    licence="CC BY 4.0",
    label="digit",
    fit=(1.0, "box"),
    read=read,
)

"""What the datasets of tables share: their columns written as text, and the files of ADBench."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from models import Problem
from models.columns import Column, standardised
from models.datasets import Arrays, Dataset, Remote, file

# The commit that the files were taken from and their checksums belong to.
ADBENCH = (
    "https://raw.githubusercontent.com/Minqi824/ADBench/3dac8221081e190f157d78e93bfa8867f90d0965/adbench/datasets/"
    "Classical/"
)


def columns(table: str) -> tuple[Column, ...]:
    """Columns from a text with a line for each: "name | mean | deviation" of a number, with "| centre | linear width"
    where it stands on an asinh scale, and "name | value, value" of a category.

    Mean and deviation are those of the training split, as `models.uploads` takes them of what somebody brings.
    """
    out: list[Column] = []
    start = 0
    for line in table.strip().splitlines():
        name, *given = (part.strip() for part in line.split("|"))
        if len(given) == 1:
            values = tuple(value.strip() for value in given[0].split(","))
            out.append(Column(name, "category", start, len(values), values=values))
        else:
            mean, deviation, centre, linear_width = (*map(float, given), 0.0, 0.0)[:4]
            out.append(Column(name, "number", start, 1, mean, deviation, (), centre, linear_width))
        start += out[-1].width
    return tuple(out)


def arrays(declared: Sequence[Column], rows: NDArray[np.float64], labels: NDArray[np.integer]) -> Arrays:
    """Rows (N, F) in their own units and labels (N,) as a dataset gives them."""
    return Arrays(standardised(declared, rows), labels.astype(np.int32), np.zeros((len(rows), 0), np.float32))


def adbench_rows(dataset: Dataset) -> tuple[NDArray[np.float64], NDArray[np.integer]]:
    """One of ADBench's files: "X" (N, F) and "y" (N,), 1 for an anomaly."""
    path = file(dataset, dataset.files[0].name)
    try:
        with np.load(path, allow_pickle=False) as content:
            return content["X"].astype(np.float64), content["y"]
    except (OSError, ValueError, KeyError) as error:
        raise Problem(f"{path} cannot be read ({error})", do=f"delete {path} and download it again") from error


def read_adbench(dataset: Dataset) -> Arrays:
    """The table in one of ADBench's files, standardised."""
    return arrays(dataset.columns, *adbench_rows(dataset))


def adbench(number_and_name: str, md5: str, size: int) -> tuple[Remote, ...]:
    """The file of a table of ADBench."""
    return (Remote(f"{number_and_name}.npz", f"{ADBENCH}{number_and_name}.npz", md5, size),)

"""The only cached functions of the pages. Finished runs never change, so their id and digest are all the key they need."""

from pathlib import Path
from typing import Any

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from models import datasets, export, reconstruct, runs

TESTED = 2000  # test samples that a page reconstructs: one to three seconds, once


@st.cache_resource(max_entries=16, show_spinner=False)
def _opened(folder: str, digest: str) -> runs.Run:
    return runs.open_run(Path(folder))


def opened(run: runs.Run) -> runs.Run:
    """The run, checked whole once: a `Problem` when its files are not as they were written."""
    return _opened(str(run.folder), run.digest)


@st.cache_data(max_entries=16, show_spinner=False)
def _part(folder: str, digest: str, what: str) -> bytes:
    return export.part(_opened(folder, digest), what)


def part(run: runs.Run, what: str) -> bytes:
    """The content of a download."""
    return _part(str(run.folder), run.digest, what)


@st.cache_data(max_entries=8, show_spinner="Reconstructing the test split…")
def _test_errors(
    folder: str, digest: str, most: int
) -> tuple[NDArray[np.int64], NDArray[np.float32], NDArray[np.float32]]:
    run = _opened(folder, digest)
    test = np.flatnonzero(datasets.get(run.configuration.dataset).splits() == datasets.TEST)[:most]
    parts = [reconstruct.rows(run, some) for some in np.array_split(test, max(1, len(test) // 1000))]
    return test, np.concatenate([p.errors for p in parts]), np.concatenate([p.pca_errors for p in parts])


def test_errors(
    run: runs.Run, most: int = TESTED
) -> tuple[NDArray[np.int64], NDArray[np.float32], NDArray[np.float32]]:
    """The first `most` rows of the test split, the run's error of each and PCA's (N,). Needs the dataset at hand."""
    return _test_errors(str(run.folder), run.digest, most)


@st.cache_data(max_entries=64, show_spinner=False)
def originals(dataset: str, rows: tuple[int, ...]) -> NDArray[Any] | None:
    """These rows of a dataset as it stores them, None when it has to be downloaded first."""
    found = datasets.get(dataset)
    return None if datasets.missing(found) else datasets.samples_at(found, np.array(rows, np.int64))

"""Samples through a run: what went in, what came out, and what PCA makes of the same input. Needs the dataset at hand."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models import datasets, noise
from models.analysis import metrics
from models.codes import Floats, to_float
from models.runs import Run


@dataclass(frozen=True)
class Reconstructed:
    """Rows (N,) of a dataset, each array (N, *shape): clean, given (spoilt as in training), by the run, by PCA."""

    rows: NDArray[np.int64]
    clean: Floats
    given: Floats
    run: Floats
    pca: Floats

    @property
    def errors(self) -> Floats:
        """Mean squared error per value of the run's reconstruction (N,)."""
        return metrics.squared_errors(self.clean, self.run)

    @property
    def pca_errors(self) -> Floats:
        """Mean squared error per value of PCA's reconstruction (N,)."""
        return metrics.squared_errors(self.clean, self.pca)


def rows(run: Run, which: NDArray[np.int64]) -> Reconstructed:
    """Reconstruct these rows of the run's dataset. `Problem` when it is not at hand."""
    chosen = run.configuration
    clean = to_float(datasets.samples_at(run.dataset, which))
    given = noise.corrupt_rows(clean, chosen.noise, chosen.noise_level, which)
    out = run.coder.decode(run.coder.encode(given))
    return Reconstructed(which, clean, given, out, metrics.through_pca(run.baseline, given))


def test_error(run: Run) -> dict[str, Any]:
    """The mean squared error on the whole test split, of the run and of PCA, measured anew."""
    test = np.flatnonzero(run.dataset.splits() == datasets.TEST)
    parts = [rows(run, part) for part in np.array_split(test, max(1, len(test) // 2000))]
    mse, pca = (
        float(np.concatenate(errors).mean()) for errors in zip(*((p.errors, p.pca_errors) for p in parts), strict=True)
    )
    stored = {"stored_mse": run.metric("mse"), "stored_pca_mse": run.metric("pca_mse")}
    return {"count": len(test), "mse": mse, "pca_mse": pca, **stored}

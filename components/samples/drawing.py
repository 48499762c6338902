"""What a page needs to show samples of a kind, whichever it is."""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from models.analysis import metrics
from models.analysis.reconstruct import Reconstructed
from models.codes import Floats
from models.export import joined
from models.runs import Run

SIDE = 48  # pixels of a picture in a table
__all__ = ["QUIET", "SIDE", "Cells", "Drawing", "Table", "errors_in_words", "joined", "sets_of"]
QUIET = {"displayModeBar": False}
Table = dict[str, Any]


@dataclass
class Cells:
    """Samples as columns of a table: those before the facts of a line, those after them, and how they are drawn."""

    before: Table = field(default_factory=dict)
    after: Table = field(default_factory=dict)
    looks: dict[str, Any] = field(default_factory=dict)


class Drawing(ABC):
    """How samples of one kind are drawn. Samples are as a model sees them: standardised, or intensities in [0, 1]."""

    row_height: ClassVar[int | None] = None  # pixels of a line with `cells`; None is Streamlit's own
    tabular: ClassVar[bool] = False  # whether samples have `values`
    ending: ClassVar[str] = "csv"  # of a sample that is downloaded
    mime: ClassVar[str] = "text/csv"

    @abstractmethod
    def side_by_side(self, run: Run, sets: Mapping[str, Floats], heads: Sequence[str], key: str, called: str) -> None:
        """The same N samples several times, by name: originals, reconstructions ("original" is what is compared with).

        heads are what the samples are called, and `called` is what such a name is (a class, a file); key tells this
        drawing from others on the page.
        """

    @abstractmethod
    def one(self, run: Run, sets: Mapping[str, Floats], head: str) -> None:
        """One sample (1, *shape) several times, by name, with room for details."""

    @abstractmethod
    def compared(self, run: Run, shown: Reconstructed, heads: Sequence[str]) -> None:
        """Samples of the test split, what they became and what PCA makes of them."""

    @abstractmethod
    def cells(self, run: Run, sets: Mapping[str, NDArray[np.float32] | None], taken: Iterable[str]) -> Cells:
        """Samples (K, *shape) as columns of a table, by the ending of these columns' names; None where they are not at
        hand. Their names are none of those that are taken."""

    def values(self, run: Run, samples: Floats) -> Table:
        """What rows (N, F) hold, as N values by column in the person's own units, as they came."""
        raise NotImplementedError

    @abstractmethod
    def content(self, run: Run, sample: Floats) -> bytes | str:
        """One sample (*shape) as a file to download."""


def errors_in_words(run: Run, shown: Reconstructed) -> str:
    """What is compared, with the mean errors of these samples."""
    return (
        f"Reconstructions, D = {run.code_size} · mean error {shown.errors.mean():.4f} · "
        f"PCA, D = {run.code_size} · mean error {shown.pca_errors.mean():.4f} {metrics.unit(run.kind)}"
    )


def sets_of(run: Run, shown: Reconstructed) -> dict[str, Floats]:
    """What is compared, by name."""
    given = {} if run.configuration.noise == "none" else {"noisy input": shown.given}
    return {"original": shown.clean} | given | {"reconstruction": shown.run, "PCA": shown.pca}

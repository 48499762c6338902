"""How samples are drawn on a page: one file for each kind, which `models.kinds` names."""

from components.samples import image, signal, table
from components.samples.drawing import Drawing, joined
from models.runs import Run

DRAWN: dict[str, Drawing] = {"image": image.DRAWING, "signal": signal.DRAWING, "table": table.DRAWING}


def of(run: Run) -> Drawing:
    """How the samples of this run are drawn."""
    return DRAWN[run.kind]


__all__ = ["DRAWN", "Drawing", "joined", "of"]

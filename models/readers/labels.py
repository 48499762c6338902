"""Labels and class names made of the values that came."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.readers.folders import natural
from models.readers.work import Work, plain

# What a class is called: an array of labels, and a column of a table.
LABEL_NAMES = ("y", "label", "labels", "target", "targets", "class", "classes")
CLASS_NAMES = (*LABEL_NAMES, "species", "digit", "category")


def as_text(values: NDArray[Any]) -> NDArray[Any]:
    """Labels as text (N,) of objects: whole numbers without a point; None where there is none."""
    out = np.full(len(values), None, object)
    if values.dtype.kind == "S":
        values = np.char.decode(values, "utf-8", "replace")
    kinds, places = np.unique(values, return_inverse=True)
    names = np.full(len(kinds), None, object)
    for i, kind in enumerate(kinds.tolist()[:100_000]):
        if isinstance(kind, float):
            names[i] = None if not math.isfinite(kind) else f"{kind:.0f}" if kind == round(kind) else f"{kind:g}"
        else:
            names[i] = plain(str(int(kind) if isinstance(kind, bool) else kind).strip(), 100) or None
    out[:] = names[places]
    return out


def classes_of(texts: NDArray[Any], work: Work) -> tuple[NDArray[np.int32], tuple[str, ...]]:
    """Labels (N,) and class names from text or None for each sample; none at all when there are too many classes."""
    classes = sorted({text for text in texts if text is not None}, key=natural)
    if len(classes) > work.limits.classes:
        work.warn(
            f"The labels have {len(classes):,} values, more than the {work.limits.classes:,} classes that may be: they are not taken."
        )
        classes = []
    place = {name: i for i, name in enumerate(classes)}
    return np.array([place.get(text, -1) for text in texts], np.int32), tuple(classes)

"""Kinds of samples: one file for each says how it differs from the others. How it is drawn is in `components.samples`."""

from models.kinds import image, signal, table
from models.kinds.kind import Kind

KINDS: dict[str, Kind] = {module.KIND.name: module.KIND for module in (image, signal, table)}


def get(name: str) -> Kind:
    """The kind of that name, as a dataset and run.json have it. Raises KeyError where there is none."""
    return KINDS[name]


__all__ = ["KINDS", "Kind", "get"]

"""The datasets that an owner may train on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from models import home
from models.columns import Column
from models.uploads.quotas import days
from models.uploads.removing import sweep
from models.uploads.stored import DAY, about_of, columns_of, folder_of, used


@dataclass(frozen=True)
class StoredDataset:
    """A dataset as its owner sees it in a list. bytes on disk; made and used in seconds since 1970, expires too.

    shared: everybody here may see it and train on it (only a shell can say so). skipped: (file or place, why).
    """

    name: str
    title: str
    owner: str
    shared: bool
    kind: str
    shape: tuple[int, ...]
    count: int
    classes: tuple[str, ...]
    columns: tuple[Column, ...]
    source: str
    bytes: int
    made: float
    expires: float
    warnings: tuple[str, ...]
    skipped: tuple[tuple[str, str], ...]


def of(owner: str) -> list[StoredDataset]:
    """The datasets that this owner may train on, the newest first; expired ones are removed first."""
    sweep()
    out = []
    for path in (home() / "data").glob("*/about.json"):
        name = f"own-{path.parent.name}"
        about = about_of(name)
        if about is not None and (about["owner"] == owner or about["shared"]):
            out.append(_kept(name, about))
    return sorted(out, key=lambda one: one.made, reverse=True)


def _kept(name: str, about: dict[str, Any]) -> StoredDataset:
    return StoredDataset(
        name,
        about["title"],
        about["owner"],
        about["shared"],
        about["kind"],
        tuple(about["shape"]),
        about["count"],
        tuple(about["classes"]),
        columns_of(name, about),
        about["source"],
        about["bytes"],
        about["made"],
        used(folder_of(name)) + days() * DAY,
        tuple(about["warnings"]),
        tuple((place, why) for place, why in about["skipped"]),
    )

"""Staging folders: where something lies until it is kept."""

from __future__ import annotations

import hashlib
import secrets
import shutil
from pathlib import Path

from models import home, private, unwritable
from models.uploads.quotas import SHELL, make_sure_all_fits

ROOMS = 4  # of one owner: whoever begins a fifth has left the first


def room(owner: str, more: int = 0) -> Path:
    """An empty folder under <home>/uploads for what this owner brings next, so many bytes if that is known. Their oldest
    make room for it. A `Problem` when all that everybody keeps here would be too much."""
    if owner != SHELL:
        make_sure_all_fits(more)
    place = home() / "uploads"
    mark = hashlib.sha256(owner.encode()).hexdigest()[:16]
    try:
        private(place)
        theirs = sorted(place.glob(f"{mark}-*"), key=lambda folder: folder.stat().st_mtime)
        for old in theirs[: max(0, len(theirs) - ROOMS + 1)]:
            shutil.rmtree(old, ignore_errors=True)
        new = place / f"{mark}-{secrets.token_hex(12)}"
        new.mkdir(mode=0o700)
    except OSError as error:
        raise unwritable(place, error) from error
    return new


def leave(folder: Path) -> None:
    """Remove a room with all that is in it."""
    if folder.parent == home() / "uploads":
        shutil.rmtree(folder, ignore_errors=True)

"""Staging directories: where an upload is read until it is kept."""

from __future__ import annotations

import hashlib
import secrets
import shutil
from pathlib import Path

from models import home, private, unwritable
from models.uploads.quotas import SHELL, make_sure_all_fits

MAX_STAGING = 4  # per owner: a fifth replaces the oldest, which was abandoned


def staging_directory(owner: str, more: int = 0) -> Path:
    """A new, empty folder under <home>/uploads for the next upload of this owner.

    more: its size in bytes, where that is known. The oldest staging directories of the owner are removed beyond
    `MAX_STAGING`. A `Problem` when the total quota would be exceeded or the folder cannot be made.
    """
    if owner != SHELL:
        make_sure_all_fits(more)
    place = home() / "uploads"
    mark = hashlib.sha256(owner.encode()).hexdigest()[:16]
    try:
        private(place)
        theirs = sorted(place.glob(f"{mark}-*"), key=lambda folder: folder.stat().st_mtime)
        for old in theirs[: max(0, len(theirs) - MAX_STAGING + 1)]:
            shutil.rmtree(old, ignore_errors=True)
        new = place / f"{mark}-{secrets.token_hex(12)}"
        new.mkdir(mode=0o700)
    except OSError as error:
        raise unwritable(place, error) from error
    return new


def remove_staging(folder: Path) -> None:
    """Remove a staging directory with everything in it; any other folder is left alone."""
    if folder.parent == home() / "uploads":
        shutil.rmtree(folder, ignore_errors=True)

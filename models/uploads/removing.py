"""Removing datasets: by their owner, or when they have not been used for a time."""

from __future__ import annotations

import contextlib
import logging
import secrets
import shutil
import time
from pathlib import Path

from models import home, unwritable
from models.uploads.quotas import days
from models.uploads.stored import DAY, HOUR, about_of, folder_of, used, write_text

log = logging.getLogger("hourglass.uploads")


ASIDE = 7 * DAY  # how long unused datasets are kept aside before they are deleted: a clock may have been wrong


def remove(name: str, owner: str) -> bool:
    """Delete a dataset of this owner and everything derived from its samples; its runs stay. Returns False, and deletes
    nothing, where the dataset is not theirs."""
    about = about_of(name)
    if about is None or about["owner"] != owner:
        return False
    _remove(folder_of(name))
    return True


def _remove(folder: Path) -> None:
    try:
        away = folder.rename(folder.with_name(f".deleted-{folder.name}-{secrets.token_hex(4)}"))
    except FileNotFoundError:
        return
    except OSError as error:
        raise unwritable(folder.parent, error) from error
    shutil.rmtree(away, ignore_errors=True)


def sweep() -> None:
    """Set aside datasets that were not used for `days()`; delete those set aside a week ago and uploads that were not
    kept within a day. After the clock has jumped by more than a day nothing is removed for a day: it may be wrong, or
    the app was not running, and neither should cost anybody their data."""
    now, longest = time.time(), days() * DAY
    data = home() / "data"
    for aside in data.glob(".swept-*"):
        if _since(aside) > now + DAY:  # the clock was ahead when that was set aside
            with contextlib.suppress(OSError):
                aside.rename(data / aside.name.split("-")[1])
                (data / aside.name.split("-")[1] / "used").touch()
    if not _steady(now):
        return
    for path in data.glob("*/about.json"):
        folder = path.parent
        if now - used(folder) > longest and about_of(f"own-{folder.name}") is not None:
            with contextlib.suppress(OSError):
                folder.rename(data / f".swept-{folder.name}-{now:.0f}")
                log.warning("%s was not used for %d days and is set aside for a week", folder, days())
    for aside in data.glob(".swept-*"):
        if now - _since(aside) > ASIDE:
            shutil.rmtree(aside, ignore_errors=True)
    for pattern in ("uploads/*", "data/.deleted-*", "data/.????????????????-*"):
        for left in home().glob(pattern):
            with contextlib.suppress(OSError):
                if now - left.stat().st_mtime > DAY:
                    shutil.rmtree(left, ignore_errors=True)


def _steady(now: float) -> bool:
    """Whether the clock has not jumped for a day. <home>/.clock holds the time of the last check and that of the last
    jump, in seconds since 1970."""
    path = home() / ".clock"
    try:
        last, since = map(float, path.read_text().split())
    except (OSError, ValueError):
        last, since = now, 0.0
    moved = abs(now - last) > DAY
    if moved:
        since = now
    if moved or since == 0.0 or abs(now - last) > HOUR:
        with contextlib.suppress(OSError):
            path.parent.mkdir(parents=True, exist_ok=True)
            write_text(path, f"{now} {since or now - 2 * DAY}")
    return now - since > DAY


def _since(aside: Path) -> float:
    """When that was set aside, in seconds since 1970."""
    text = aside.name.rpartition("-")[2]
    return float(text) if text.isdecimal() else 0.0

"""Quotas: how many bytes one owner, and all owners together, may keep."""

from __future__ import annotations

import contextlib
import os
import threading
import time
from pathlib import Path

from models import Problem, home

# Owner of what comes from a shell: no limits apply to it, everybody sees its runs, and no page can delete them.
SHELL = "shell"


def days() -> int:
    """After how many days without use a dataset is removed: HOURGLASS_UPLOAD_DAYS, by default 30."""
    return setting("HOURGLASS_UPLOAD_DAYS", 30)


def quota() -> int:
    """How many bytes one owner may keep: HOURGLASS_UPLOAD_BYTES, by default 5 GB."""
    return setting("HOURGLASS_UPLOAD_BYTES", 5_000_000_000)


def total() -> int:
    """How many bytes may lie under <home> in all when somebody brings more: HOURGLASS_TOTAL_BYTES, by default 100 GB."""
    return setting("HOURGLASS_TOTAL_BYTES", 100_000_000_000)


def setting(name: str, default: int) -> int:
    """A whole number above 0 from an environment variable, else `default`; a `Problem` for anything else."""
    text = os.environ.get(name, "")
    if text and not (text.isdecimal() and int(text)):
        raise Problem(f"{name} must be a whole number above 0; it is “{text}”", do="correct or remove it")
    return int(text) if text else default


def make_sure_all_fits(more: int) -> None:
    """Raise a `Problem` if <home> would take more than `total()` with `more` bytes added.

    An owner is a cookie, and anybody can get any number of these: a quota per owner alone would limit nothing. The
    folder is measured at most every ten seconds; in between, announced sizes are added.
    """
    with _MEASURING:
        when, taken = _MEASURED.get(home(), (-TURN, 0))
        if time.monotonic() - when >= TURN:
            when, taken = time.monotonic(), _size(home())
        if taken + more > total():
            raise Problem(
                f"this takes {more:,} bytes, and the data of all visitors take {taken:,}",
                f"at most {total():,} in all are allowed",
                "bring less, or ask whoever runs this computer to raise HOURGLASS_TOTAL_BYTES",
            )
        _MEASURED[home()] = (when, taken + more)


TURN = 10.0  # seconds
_MEASURED: dict[Path, tuple[float, int]] = {}
_MEASURING = threading.Lock()


def _size(folder: Path) -> int:
    """The bytes of all files in a folder and the folders in it."""
    size = 0
    with contextlib.suppress(OSError), os.scandir(folder) as entries:
        for entry in entries:
            with contextlib.suppress(OSError):
                inner = entry.is_dir(follow_symlinks=False)
                size += _size(Path(entry.path)) if inner else entry.stat(follow_symlinks=False).st_size
    return size

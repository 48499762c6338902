"""What computes in Hourglass: datasets, architectures, training, runs. Never Streamlit, never Plotly.

What crosses from here to the pages is numpy arrays, plain values and frozen dataclasses. torch is imported
inside the functions that train or export, so that a person who only explores never waits for it.
"""

import os
from pathlib import Path

import platformdirs


class Problem(Exception):
    """Something a person can put right, told in three parts.

    came: what was met. expected: what would have been fine. do: what to do now. Each is a plain clause
    without a full stop; `str(problem)` joins them into sentences that a page or a shell can show as they are.
    """

    def __init__(self, came: str, expected: str, do: str) -> None:
        super().__init__(came, expected, do)
        self.came, self.expected, self.do = came, expected, do

    def __str__(self) -> str:
        return ". ".join(map(_begun, (self.came, self.expected, self.do))) + "."


def _begun(part: str) -> str:
    """A clause as a sentence begins. The name of a file stays as it is written."""
    first = part.split(" ", 1)[0].rstrip(",:;")
    named = any(mark in first for mark in "._/\\") or any(c.isdigit() for c in first)
    return part if named else part[:1].upper() + part[1:]


def unwritable(folder: Path, error: Exception) -> Problem:
    """What to say when a folder does not take what has to be written."""
    return Problem(
        f"{folder} cannot be written ({getattr(error, 'strerror', None) or error})",
        "a folder with free space that this program may write to was expected",
        "free some space or name another folder in HOURGLASS_HOME (HOURGLASS_DATA for downloads)",
    )


def home() -> Path:
    """The folder of a person's own runs and prepared datasets: HOURGLASS_HOME, or their data directory."""
    return Path(os.environ.get("HOURGLASS_HOME") or platformdirs.user_data_path("hourglass"))


def downloads() -> Path:
    """The folder that downloaded dataset files are read from: HOURGLASS_DATA, or their cache directory."""
    return Path(os.environ.get("HOURGLASS_DATA") or platformdirs.user_cache_path("hourglass"))


PRETRAINED = Path(__file__).resolve().parent.parent / "pretrained"

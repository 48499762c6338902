"""What computes in Hourglass: datasets, architectures, training, runs. Never Streamlit, never Plotly.

What crosses from here to the pages is numpy arrays, plain values and frozen dataclasses. torch is imported
inside the functions that train or export, so that a person who only explores never waits for it.
"""

import contextlib
import os
import re
from pathlib import Path

import platformdirs


class Problem(Exception):
    """An error that a person can put right.

    came: what is wrong. expected: what is possible instead, where that helps. do: what to do now, where the rest does
    not say it already. Each is a plain clause without a full stop; `str(problem)` makes sentences of them that a page
    or a shell can show as they are: "The file has 9 bytes; at most 5 are allowed. Bring a smaller file."
    """

    def __init__(self, came: str, expected: str | None = None, do: str | None = None) -> None:
        super().__init__(came, expected, do)
        self.came, self.expected, self.do = came, expected, do

    @property
    def parts(self) -> list[str | None]:
        """What JSON keeps of it: `Problem(*parts)` is the same problem."""
        return [self.came, self.expected, self.do]

    @property
    def clause(self) -> str:
        """What is wrong, without what to do."""
        return f"{self.came}; {self.expected}" if self.expected else self.came

    def __str__(self) -> str:
        return " ".join(f"{_capitalised(part)}." for part in (self.clause, self.do) if part)


def _capitalised(part: str) -> str:
    """A clause as a sentence begins. The name of a file stays as it is written."""
    first = part.split(" ", 1)[0].rstrip(",:;")
    named = any(mark in first for mark in "._/\\") or any(c.isdigit() for c in first)
    return part if named else part[:1].upper() + part[1:]


def unwritable(folder: Path, error: Exception) -> Problem:
    """What to say when a folder does not take what has to be written."""
    return Problem(
        f"{folder} cannot be written ({getattr(error, 'strerror', None) or error})",
        do="free some space, correct its permissions, or name another folder in HOURGLASS_HOME (HOURGLASS_DATA for downloads)",
    )


def home() -> Path:
    """The folder of a person's own runs and prepared datasets: HOURGLASS_HOME, or their data directory."""
    return Path(os.environ.get("HOURGLASS_HOME") or platformdirs.user_data_path("hourglass"))


def private(folder: Path) -> Path:
    """The home, or a folder within it, made where it is absent: for its owner alone to look into. OSError where it
    cannot be made."""
    home().parent.mkdir(parents=True, exist_ok=True)
    for part in reversed((folder, *folder.parents)):
        if part == home() or home() in part.parents:
            part.mkdir(mode=0o700, exist_ok=True)
    return folder


# What lies in a home, whichever version wrote it.
_OURS = re.compile(r"(active|answers|data|runs|scratch|thumbnails|uploads|(home|engine|queue)\..*)")


def close_home() -> None:
    """Let nobody but its owner into a home that an earlier version left open; of one that holds other things too, into
    what is ours there. What cannot be changed (it is somebody else's) stays as it is."""
    if not home().is_dir():
        return
    found = list(home().iterdir())
    ours = [path for path in found if _OURS.fullmatch(path.name) and not path.is_symlink()]
    for path in [*ours, *([home()] if len(ours) == len(found) else [])]:
        with contextlib.suppress(OSError):
            path.chmod(path.stat().st_mode & 0o700)


def downloads() -> Path:
    """The folder that downloaded dataset files are read from: HOURGLASS_DATA, or their cache directory."""
    return Path(os.environ.get("HOURGLASS_DATA") or platformdirs.user_cache_path("hourglass"))


PROJECT = Path(__file__).resolve().parents[1]
PRETRAINED = PROJECT / "pretrained"

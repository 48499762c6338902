"""Which runs are there: those that ship, and those under <home>/runs."""

from __future__ import annotations

import logging
import threading
from pathlib import Path

from models import PRETRAINED, Problem, home
from models.runs.checking import read_run
from models.runs.format import ID
from models.runs.run import Run

log = logging.getLogger("hourglass.runs")


REMEMBERED = 32 << 20  # bytes of run.json whose content `find` keeps in memory, at most


class Unreadable(Problem):
    """Why the folder of a run is none that this version can open."""

    def __init__(self, folder: Path, problem: Problem) -> None:
        super().__init__(*problem.args)
        self.folder = folder


def find() -> tuple[list[Run], list[Unreadable]]:
    """All finished runs, those that ship first, then the newest; and a `Problem` for each folder that is none.

    Reads each run.json only, and again only when it has changed: pages ask at every touch of every visitor. `open_run`
    checks the rest of the one that is opened.
    """
    runs: list[Run] = []
    problems: list[Unreadable] = []
    own = home() / "runs"
    shipped = sorted(p for p in PRETRAINED.iterdir() if p.is_dir()) if PRETRAINED.is_dir() else []
    mine = (
        sorted(
            (p for p in own.iterdir() if p.is_dir() and p.name[0] != "."), key=lambda p: p.stat().st_mtime, reverse=True
        )
        if own.is_dir()
        else []
    )
    with _FINDING:
        for gone in set(_FOUND) - {*shipped, *mine}:
            del _FOUND[gone]
        staging = REMEMBERED - sum(size for (*_, size), _ in _FOUND.values())
        for folder in (*shipped, *mine):
            now = stamp(folder / "run.json")
            known = _FOUND.get(folder)
            if known is None or known[0] != now:
                found = _found(folder)
                # Beyond the room, a run is read each time: what many visitors bring shall not fill the memory.
                staging -= now[-1] - (known[0][-1] if known else 0)
                _FOUND[folder] = known = (now, found)
                if staging < 0:
                    staging += now[-1]
                    del _FOUND[folder]
            if isinstance(known[1], Run):
                runs.append(known[1])
            else:
                problems.append(known[1])
    return runs, problems


_FOUND: dict[Path, tuple[tuple[int, ...], Run | Unreadable]] = {}
_FINDING = threading.Lock()


def stamp(path: Path) -> tuple[int, ...]:
    """What tells one content of a file from another without reading it, its size last."""
    try:
        facts = path.stat()
    except OSError:
        return (0,)
    return facts.st_mtime_ns, facts.st_ctime_ns, facts.st_ino, facts.st_size


def _found(folder: Path) -> Run | Unreadable:
    """Read once: whoever keeps this computer hears of it in the log, and then the run's owners do on their pages."""
    try:
        return read_run(folder)
    except Problem as problem:
        log.warning("%s: %s", folder, problem)
        return Unreadable(folder, problem)  # without what was in memory when it was met


def folder_of(id_or_name: str) -> Path:
    """Where a run of this id, or a shipped run of this name, lies. A `Problem` when there is none."""
    if ID.fullmatch(id_or_name) and (home() / "runs" / id_or_name / "run.json").is_file():
        return home() / "runs" / id_or_name
    for run in find()[0]:
        if run.pretrained and id_or_name in (run.id, run.folder.name):
            return run.folder
    raise Problem(f"there is no finished run “{id_or_name[:80]}”", do="choose one from the list, or train it")

"""Folders on the server's own disk that whoever runs this Hourglass lets its visitors read: HOURGLASS_FOLDERS.

Paths separated as in PATH; absent, nothing can be read so. A folder within one of them may be asked for. Links are
followed while it is looked for, and only where they lead is what counts; none is followed within it.
"""

import os
from pathlib import Path

from models import Problem, home

MOST = 200  # folders that are offered


def allowed() -> list[Path]:
    """The folders that are named and there, resolved."""
    named = (Path(text).expanduser() for text in os.environ.get("HOURGLASS_FOLDERS", "").split(os.pathsep) if text)
    return [path.resolve() for path in named if path.is_dir()]


def offered() -> list[str]:
    """The folders that are named, and those directly in them, in order."""
    out: list[str] = []
    for root in allowed():
        out.append(str(root))
        try:
            with os.scandir(root) as listing:
                names = sorted(one.name for one in listing if one.is_dir(follow_symlinks=False) and one.name[0] != ".")
        except OSError:
            continue
        out += [str(root / name) for name in names]
    return out[:MOST]


def inside(text: str) -> Path:
    """The folder of that name, resolved. A `Problem`, always the same, where it is absent or in none of the named
    ones: nobody learns from it what else is on this disk. Nor can what people bring to Hourglass be read so."""
    try:
        path = Path(text).resolve(strict=True)
        known = path.is_dir() and any(path.is_relative_to(root) for root in allowed())
        ours = home().resolve()
        known = known and not (path.is_relative_to(ours) or ours.is_relative_to(path))
    except (OSError, ValueError, RuntimeError):
        known = False
    if not known:
        raise Problem(
            f"“{text[:200]}” cannot be read from here",
            f"folders within {' or '.join(map(str, allowed())) or 'those named in HOURGLASS_FOLDERS'} can be",
        )
    return path

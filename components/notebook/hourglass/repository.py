"""The repository of Hourglass, where it is at hand: around this file, or around the working directory.

There are shipped runs by their names, the samples that a run was trained on, and the estimator. Nothing else needs it.
"""

from __future__ import annotations

import importlib
import importlib.util
import sys
from functools import cache
from pathlib import Path
from types import ModuleType


def folder() -> Path | None:
    """Its top folder; None where it is not at hand."""
    here = Path.cwd()
    places = (*Path(__file__).resolve().parents[3:4], here, *here.parents)
    return next((place for place in places if (place / "models" / "estimator.py").is_file()), None)


def module(name: str) -> ModuleType:
    """One of its modules, such as "models.estimator". ImportError where the repository is not at hand."""
    found = folder()
    if found is None:
        raise ImportError(
            f"{name} belongs to the repository of Hourglass, which is not at hand. "
            "Start the notebook inside it, with its requirements.txt installed."
        )
    if str(found) not in sys.path:
        sys.path.append(str(found))  # behind everything: its names shall not hide those of anybody else
    return importlib.import_module(name)


@cache
def part(name: str) -> Path:
    """A file that the package and the repository share: beside this file where the package is installed, else where the
    repository has it."""
    beside = Path(__file__).with_name(name)
    if beside.is_file():
        return beside
    top = Path(__file__).resolve().parents[3]
    return top / "models" / name if name.endswith(".py") else top / "components" / "explorer" / "built" / name


@cache
def onefile() -> ModuleType:
    """How a page that is one file is written."""
    spec = importlib.util.spec_from_file_location("hourglass.onefile", part("onefile.py"))
    if spec is None or spec.loader is None:
        raise ImportError(f"{part('onefile.py')} cannot be read; install hourglass again")
    found = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(found)
    return found

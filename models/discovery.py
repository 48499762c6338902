"""Parts of the program that are found by their presence: each file of a folder is one of them."""

from __future__ import annotations

import importlib
import pkgutil
import traceback
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TypeVar

from models import PROJECT, Problem

T = TypeVar("T")


class Unusable(Exception):
    """What is wrong with a part, in two clauses: `Unusable("has no title", "a title was expected")`."""

    def __init__(self, came: str, expected: str) -> None:
        super().__init__(came, expected)
        self.came, self.expected = came, expected


def discover(
    package: str,
    folders: Iterable[str],
    attribute: str,
    kind: type[T],
    check: Callable[[T, str], None],
    names: Callable[[T], Iterable[str]],
) -> tuple[list[T], list[Problem]]:
    """What the files of a package define as `attribute`, an object of type `kind`, and a `Problem` for each file that
    does not: it names the file, what was found and what was expected, and leaves the others alone.

    check(part, name of its file) raises `Unusable` where a part cannot be used; whatever else it raises counts as that,
    too. names: what no two parts may both be called. Files whose name begins with an underscore, and folders, are left
    out.
    """
    parts: list[T] = []
    problems: list[Problem] = []
    taken: dict[str, str] = {}
    for info in pkgutil.iter_modules(list(folders)):
        if info.ispkg or info.name.startswith("_"):
            continue
        path = Path(str(getattr(info.module_finder, "path", ""))) / f"{info.name}.py"
        file = str(path.relative_to(PROJECT) if path.is_relative_to(PROJECT) else path)
        try:
            part = _defined(f"{package}.{info.name}", path, attribute, kind)
            check(part, info.name)
            for name in set(names(part)):
                if name in taken:
                    raise Unusable(f"uses the name “{name}”, as {taken[name]} does", "a name of its own was expected")
        except Unusable as error:
            problems.append(_problem(f"{file} {error.came}", error.expected))
        except Problem as error:
            problems.append(_problem(f"{file} cannot be used: {error.came}", error.expected))
        except Exception as error:  # a part may be broken in any way
            problems.append(
                _problem(f"{file} cannot be used ({_words(error, path)})", f"{_a(kind)} that works was expected")
            )
        else:
            taken |= dict.fromkeys(names(part), file)
            parts.append(part)
    return parts, problems


def _defined(module: str, path: Path, attribute: str, kind: type[T]) -> T:
    """The object of that name and type in a module; `Unusable` where there is none."""
    expected = f"{attribute} = {kind.__name__}(…) was expected in it"
    try:
        content = vars(importlib.import_module(module))
    except (Exception, SystemExit) as error:
        raise Unusable(f"cannot be imported ({_words(error, path)})", expected) from error
    if attribute not in content:
        raise Unusable(f"does not define {attribute}", expected)
    if not isinstance(part := content[attribute], kind):
        raise Unusable(f"defines {attribute} as {_a(type(part))}", expected)
    return part


def named_like_file(name: str, file: str, dash: str = "-") -> None:
    """`Unusable` where a part is not called like its file; dash stands where the file's name has an underscore."""
    if name != (wanted := file.replace("_", dash)):
        raise Unusable(f"has the name “{name}”", f"the name of the file, “{wanted}”, was expected")


def texts(part: object, *fields: str) -> None:
    """`Unusable` where one of these fields is no text, or empty."""
    for field in fields:
        if not isinstance(value := getattr(part, field), str) or not value:
            raise Unusable(f"has {value!r} as its {field}", "some words were expected")


def _problem(came: str, expected: str | None) -> Problem:
    return Problem(came, expected, "correct the file or take it out of its folder; everything else works without it")


def _words(error: BaseException, path: Path) -> str:
    """An error on one line, with the line of the file in which it occurred."""
    lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == str(path)]
    where = f" in line {lines[-1]}" if lines else ""
    return f"{type(error).__name__}{where}: {' '.join(str(error).split())[:200]}".removesuffix(": ")


def _a(kind: type) -> str:
    return f"a{'n' if kind.__name__[0] in 'AEIOUaeiou' else ''} {kind.__name__}"

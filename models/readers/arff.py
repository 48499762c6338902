"""ARFF, the tables of Weka, and .ts, the series of sktime and aeon: files whose header has a line for each fact."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models import Problem
from models.readers.work import Work, decoding, plain

ATTRIBUTE = re.compile(r"""@attribute\s+('(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*"|\S+)\s+(.+)""", re.IGNORECASE)
TRUE = ("true", "yes")


def _facts(lines: Iterable[str]) -> list[str]:
    return [line.strip() for line in lines if line.strip() and line.strip()[0] not in "%#"]


def is_arff(head: Sequence[str]) -> bool:
    """Whether a text that begins with these lines is ARFF."""
    facts = _facts(head)
    return bool(facts) and facts[0].lower().startswith(("@relation", "@attribute"))


def is_ts(head: Sequence[str]) -> bool:
    """Whether a text that begins with these lines is a .ts file."""
    facts = _facts(head)
    return (
        bool(facts)
        and re.match(r"@(problemname|timestamps|univariate|dimensions|classlabel)\b", facts[0].lower()) is not None
    )


def header(lines: Iterable[str], name: str) -> tuple[int, list[str], frozenset[int]]:
    """Of ARFF how many lines come before the samples, the names of the columns, and the places of those that hold text."""
    names: list[str] = []
    texts: set[int] = set()
    for count, line in enumerate(lines, 1):
        fact = line.strip()
        if fact.lower().startswith("@data"):
            if not names:
                break
            return count, names, frozenset(texts)
        found = ATTRIBUTE.match(fact)
        if found:
            kind = found[2].strip().lower()
            if kind.startswith("relational"):
                raise Problem(f"{name} holds tables in a table", do="save it as CSV")
            if kind.startswith(("{", "string")):
                texts.add(len(names))
            names.append(re.sub(r"\\(.)", r"\1", found[1].strip("'\"")))
    raise Problem(
        f"{name} begins as ARFF, but its header names no columns or does not end",
        "@attribute names each column, and @data comes before the samples",
        "save it again, or as CSV",
    )


def read_ts(path: Path, encoding: str, work: Work) -> dict[str, NDArray[Any]]:
    """The series (N, C, T) and the labels (N,), if there are any, of a .ts file as the arrays x and y."""
    name = plain(path.name)
    facts: dict[str, str] = {}
    cells: list[list[NDArray[np.float64]]] = []
    labels: list[str] = []
    with path.open(encoding=encoding, errors="replace") as stream:
        for number, line in enumerate(stream, 1):
            fact = line.strip()
            if number % 256 == 0:
                work.progress("reading series", number, number + 1)
            if not fact or fact[0] in "%#":
                continue
            if "data" not in facts:
                key, _, value = fact.partition(" ")
                if not key.startswith("@"):
                    raise Problem(f"{name} begins as a .ts file, but line {number:,} is no fact", do="save it again")
                facts[key[1:].lower()] = value.strip()
                if facts.get("targetlabel", "").lower() in TRUE:
                    raise Problem(
                        f"{name} has a number to be told for each series",
                        "series with classes or none can be read",
                        "leave it out",
                    )
                if facts.get("timestamps", "").lower() in TRUE:
                    raise Problem(
                        f"{name} has a time stamp for each value", "series without can be read", "save it as CSV"
                    )
                continue
            parts = fact.split(":")
            if facts.get("classlabel", "").lower().startswith(TRUE):
                labels.append(parts.pop().strip())
            with decoding(f"line {number:,} of {name}", "numbers with commas between"):
                row = [np.array([float(cell.replace("?", "nan")) for cell in part.split(",")]) for part in parts]
            cells.append(row)
            if len(cells) > work.limits.samples:
                raise Problem(f"{name} has more than {work.limits.samples:,} series", do="bring fewer")
    if not cells:
        raise Problem(f"{name} holds no series", do="bring another file")
    shapes = {tuple(len(part) for part in row) for row in cells}
    if len(shapes) > 1 or len(set(next(iter(shapes)))) > 1:
        raise Problem(
            f"the series of {name} have different lengths",
            "series of one length can be read",
            "cut or pad them to one length",
        )
    out: dict[str, NDArray[Any]] = {"x": np.stack([np.stack(row) for row in cells])}
    if labels:
        out["y"] = np.array(labels)
    return out

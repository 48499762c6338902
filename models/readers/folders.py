"""What folders and the names of files say of what lies in them: classes, and splits."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.data import TEST, TRAIN, VALIDATION
from models.readers.work import SPLITS, Work, plain

SPLIT_NAMES = {
    **dict.fromkeys(("train", "training", "trainset", "trainval", "trn", "tr", "entrainement", "entraînement"), TRAIN),
    **dict.fromkeys(("entrenamiento", "trening", "addestramento"), TRAIN),
    **dict.fromkeys(("val", "valid", "validation", "valset", "dev", "eval", "validierung", "validacion"), VALIDATION),
    **dict.fromkeys(("test", "testing", "testset", "holdout", "tst", "te", "prueba"), TEST),
}
BESIDE = frozenset(("set", "data", "dataset", "images", "image", "imgs", "img", "seg", "split", "folder", "samples"))
BESIDE |= frozenset(("final", "public", "private", "daten", "bilder"))


def of_folders(names: Sequence[str], work: Work) -> tuple[NDArray[np.int32], tuple[str, ...], NDArray[np.uint8] | None]:
    """Labels (N,), class names and splits (N,) from the folders in names such as "data/train/cat/1.png".

    Folders side by side that are named train, validation and test, in any of the usual ways, are splits; the uppermost
    folder that is none and that not all share is a class. Without folders, labels are -1; without split folders, splits
    are None.
    """
    paths = [[part for part in name.split("/")[:-1] if part not in ("", ".")] for name in names]
    split = np.full(len(names), TRAIN, np.uint8)
    told, doubtful, beside = _splits_of(paths, force=work.choices.split == "as it came")
    some = False
    for i, path in enumerate(paths):
        at = next((j for j in range(len(path)) if tuple(path[: j + 1]) in told), None)
        if at is not None:
            split[i], rest = told[tuple(path[: at + 1])]
            inner = path[at + 1 :]
            while inner and split_of(inner[0]) == (split[i], rest):  # training_set/training_set
                inner = inner[1:]
            paths[i], some = path[:at] + ([rest] if rest else []) + inner, True
        elif any(tuple(path[: j + 1]) in beside for j in range(len(path))):
            paths[i] = []  # neither a split nor a class
    if some and beside:
        called = ", ".join(f"“{plain(name[-1], 60)}”" for name in sorted(beside)[:3])
        work.warn(
            f"{called} stands beside folders that are a split, and is taken for no class: its images train without one."
        )
    while paths and all(paths) and len({path[0] for path in paths}) == 1:
        paths = [path[1:] for path in paths]
    found = sorted({plain(path[0], 100) for path in paths if path}, key=natural)
    labels = np.full(len(names), -1, np.int32)
    if doubtful and not some:
        words = f"The folder “{plain(doubtful, 60)}” is taken for a class, as the folders beside it are."
        work.decide("split", "none", SPLITS, words)
    if work.choices.folders is False or len(found) < 2 or len(found) > work.limits.classes:
        if len(found) > work.limits.classes:
            work.warn(f"{len(found):,} folders are too many for classes (at most {work.limits.classes:,}): no labels.")
        if len(found) > 1:
            work.decide("folders", False, [True, False], "Folder names are not taken for class names.")
        return labels, (), split if some else None
    place = {name: i for i, name in enumerate(found)}
    for i, path in enumerate(paths):
        if path:
            labels[i] = place[plain(path[0], 100)]
    work.decide("folders", True, [True, False], f"The {len(found)} folders are taken for classes.")
    return labels, tuple(found), split if some else None


def _splits_of(
    paths: Sequence[Sequence[str]], *, force: bool
) -> tuple[dict[tuple[str, ...], tuple[int, str]], str, set[tuple[str, ...]]]:
    """The folders that are splits, by their path, with what their name says besides; one that could be a split but stands
    alone beside others, so that it is a class; and those beside several splits. force: one alone is a split too."""
    beside: set[tuple[str, ...]] = set()
    children: dict[tuple[str, ...], set[str]] = {}
    for path in paths:
        for j, part in enumerate(path):
            children.setdefault(tuple(path[:j]), set()).add(part)
    out: dict[tuple[str, ...], tuple[int, str]] = {}
    doubtful = ""
    for above, parts in children.items():
        told = {part: of for part in sorted(parts) if (of := split_of(part)) is not None}
        several = len({split for split, _ in told.values()}) > 1
        if told and (several or force or len(told) == len(parts)):
            out |= {(*above, part): of for part, of in told.items()}
            beside |= {(*above, part) for part in parts - set(told)} if several else set()
        elif told:
            doubtful = doubtful or next(iter(told))
    return out, doubtful, beside


def split_of(folder: str) -> tuple[int, str] | None:
    """The split that a folder's name tells, such as "seg_train" or "train2017", and the letter beside it, "A" of
    "trainA"; None where it tells none, or says something else as well."""
    words = re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+", folder.replace("t10k", "test"))
    splits = {SPLIT_NAMES[word.lower()] for word in words if word.lower() in SPLIT_NAMES}
    rest = [
        word for word in words if word.lower() not in SPLIT_NAMES and word.lower() not in BESIDE and not word.isdigit()
    ]
    if len(splits) != 1 or len(rest) > 1 or any(len(word) > 1 for word in rest):
        return None
    return splits.pop(), "".join(rest)


def natural(name: str) -> tuple[Any, ...]:
    """A key for sorting class names: numbers sort as such, 2 before 10 and 0.5 before 1."""
    return (0, float(name), name) if re.fullmatch(r"-?\d{1,9}(\.\d{1,9})?", name, re.ASCII) else (1, 0, name)

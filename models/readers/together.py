"""Files that belong together: tables of training and test rows, a table of labels beside images, an array and its labels."""

from __future__ import annotations

import contextlib
import dataclasses
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path, PurePosixPath

import numpy as np

from models import Problem
from models.readers import array_files, arrays, folders, images, tables, text
from models.readers.gathering import Table
from models.readers.labels import LABEL_NAMES, classes_of
from models.readers.result import ReadResult
from models.readers.sources import Entry
from models.readers.work import Work, disk, plain

TABLES = (".csv", ".tsv", ".tab")
BESIDE = 5  # tables beside images that are looked into for labels
CLASS_NAMES = (*LABEL_NAMES, "species", "digit", "category", "breed", "class_name", "label_name", "diagnosis", "dx")


def is_table(entry: Entry) -> bool:
    """Whether a file beside images, or in an archive, is a table of text."""
    return PurePosixPath(entry.name).suffix.lower() in TABLES and b"\0" not in entry.start(512)


@contextlib.contextmanager
def unpacked(entries: Sequence[Entry], work: Work) -> Iterator[list[Path]]:
    """Files out of an archive as files of ours, under names of ours that keep the letters and digits of theirs."""
    with tempfile.TemporaryDirectory(dir=work.folder) as folder:
        out = []
        for i, entry in enumerate(entries):
            letters = "".join(c if c.isalnum() or c in "-_." else "_" for c in PurePosixPath(entry.name).name)[-60:]
            path = Path(folder) / str(i) / (letters.lstrip(".") or "table.csv")
            with disk(work.folder):
                path.parent.mkdir()
                with entry.open() as source, path.open("wb") as goal:
                    shutil.copyfileobj(source, goal, 1 << 20)
            out.append(path)
        yield out


def of_tables(paths: Sequence[Path], work: Work, source: str) -> ReadResult:
    """Rows of one table, or of those that are named as the parts of one: train.csv, test.csv."""
    if len(paths) == 1:
        return tables.found(text.read(paths[0], work), work, source)
    told = {path: folders.split_of(path.stem) for path in paths}
    parts = {of[0]: path for path, of in told.items() if of is not None and not of[1]}
    if len(parts) < 2 or len(parts) < sum(of is not None for of in told.values()):
        raise Problem(
            f"the {len(paths)} tables of {source} do not belong together ({', '.join(plain(path.name, 40) for path in paths[:4])})",
            "one table, or such as are named train, validation and test, can be read",
            "bring one of them alone",
        )
    for path, of in told.items():
        if of is None:
            work.skip(path.name, "it is named neither train, validation nor test")
    splits = sorted(parts)
    counts = []
    for split in splits:  # each is counted by itself: rows that are left out do not count
        counts.append(len(text.read(parts[split], _quiet(work)).values))
    table = text.read(parts[splits[0]], work, [parts[split] for split in splits[1:]])
    if sum(counts) != len(table.values):
        raise Problem(f"the tables of {source} cannot be put together", do="bring one of them alone")
    which = np.repeat(np.array(splits, np.uint8), counts)
    called = [f"{parts[split].stem} " for split in splits]
    names = [name for name, count in zip(called, counts, strict=True) for _ in range(count)]
    return tables.found(dataclasses.replace(table, split=which, parts=names), work, source)


def _quiet(work: Work) -> Work:
    return dataclasses.replace(work, left_out={}, words=[], decisions={})


def of_arrays(paths: Sequence[Path], work: Work, source: str) -> ReadResult:
    """Arrays, each in a file of its own, such as X.npy and y.npy."""
    named = {}
    for path in paths:
        name = plain(path.stem, 100)
        named[name if name not in named else plain(path.name, 100)] = array_files.read_npy(path, work)["array"]
    return arrays.found(named, work, source)


def of_images(entries: Sequence[Entry], work: Work, source: str) -> ReadResult:
    """Images, with the labels of a table beside them where folders give none."""
    beside = [entry for entry in entries if is_table(entry)][:BESIDE] if len(entries) > 1 else []
    found = images.collect([entry for entry in entries if entry not in beside] if beside else entries, work, source)
    for entry in beside:
        why = "folders are the classes already"
        if not found.classes:
            labelled = _labelled(found, entry, work)
            if labelled is not None:
                return labelled
            why = "no column of it names the images"
        work.skip(entry.name, f"it is a table, and {why}; bring it alone to read it as a table")
    return dataclasses.replace(found, skipped=_skipped(work)) if beside else found


def _skipped(work: Work) -> tuple[tuple[str, str], ...]:
    return tuple((name, why) for name, reasons in work.left_out.items() for why in reasons)


def _labelled(found: ReadResult, entry: Entry, work: Work) -> ReadResult | None:
    """The images with their labels out of a table; None where no column of it names them."""
    with unpacked([entry], work) as (path,):
        quiet = dataclasses.replace(_quiet(work), choices=dataclasses.replace(work.choices, label=None, columns=None))
        try:
            table = text.read(path, quiet)
        except Problem:
            return None
        column = _naming(found.names, table)
        if column is None:
            return None
        place = {_key(cell): row for row, cell in enumerate(table.texts(column))}
        rows = [place.get(_key(name), place.get(_stem(name))) for name in found.names]
        chosen, options = _class_column(table, column, work)
        if chosen is None:
            return None
        cells = table.texts(chosen)
        texts = np.array([None if row is None else cells[row].strip() or None for row in rows], object)
    labels, classes = classes_of(texts, work)
    words = f"The column “{plain(table.names[chosen])}” of {plain(PurePosixPath(entry.name).name)} is the class."
    work.decide("label", table.names[chosen], [table.names[chosen], *options], words)
    missing = sum(row is None for row in rows)
    if missing:
        work.warn(f"{missing:,} images are not in {plain(PurePosixPath(entry.name).name)}: they have no class.")
    return dataclasses.replace(
        found,
        labels=labels,
        classes=classes,
        decisions=tuple(work.decisions.values()),
        warnings=tuple(work.words),
        skipped=_skipped(work),
    )


def _key(name: str) -> str:
    return PurePosixPath(name.strip().replace("\\", "/")).name.lower()


def _stem(name: str) -> str:
    return PurePosixPath(_key(name)).stem


def _naming(names: Sequence[str], table: Table) -> int | None:
    """The column that names most of the images, and at least half of them."""
    wanted = {_key(name) for name in names} | {_stem(name) for name in names}
    best, most = None, len(names) / 2
    for i in range(min(len(table.names), 20)):
        count = len({_key(cell) for cell in table.texts(i)} & wanted)
        if count >= most and count:
            best, most = i, count + 1
    return best


def _class_column(table: Table, naming: int, work: Work) -> tuple[int | None, list[str]]:
    """The column with the classes, and those that could be chosen instead."""
    fitting = []
    for i, name in enumerate(table.names[:50]):
        if i == naming:
            continue
        count = len(set(table.texts(i)))
        called = name.lower() in CLASS_NAMES
        if 1 < count <= work.limits.classes and (called or count <= max(10, len(table.values) // 5)):
            fitting.append((not called, i))
    order = [i for _, i in sorted(fitting)]
    if work.choices.label is not None:
        order = [i for i in order if table.names[i] == work.choices.label]
    return next(iter(order), None), [table.names[i] for i in order[1:]] + [""]

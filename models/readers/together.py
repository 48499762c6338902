"""Files that belong together: tables of training and test rows, a table of labels beside images, an array and its labels."""

from __future__ import annotations

import contextlib
import dataclasses
import re
import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models import Problem
from models.readers import array_files, arrays, folders, images, ratings, tables, text
from models.readers.gathering import Table
from models.readers.labels import classes_of
from models.readers.result import ReadResult
from models.readers.roles import LABELS
from models.readers.sources import Entry
from models.readers.work import Choices, Work, disk, plain

TABLES = (".csv", ".tsv", ".tab")
LOOKED_AT = 50  # columns of such a table
BESIDE = 5  # tables beside images that are looked into for labels
CLASS_NAMES = (*LABELS, "breed", "class_name", "label_name", "dx")


def is_table(entry: Entry) -> bool:
    """Whether a file beside images, or in an archive, is a table of text."""
    return PurePosixPath(entry.name).suffix.lower() in TABLES and b"\0" not in entry.start(512)


def is_note(entry: Entry) -> bool:
    """Whether a file in an archive only speaks of the others: a licence, a README."""
    path = PurePosixPath(entry.name)
    return path.suffix.lower() in (".md", ".txt", ".pdf", ".rst", ".html") or path.stem.lower() in ("license", "readme")


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
    if (rated := next((path for path in paths if path.name.lower() in ratings.ENTRIES), None)) is not None:
        return _of_ratings(rated, paths, work, source)
    told = {path: _part(path.stem) for path in paths}
    beside = {of[1] for of in told.values() if of is not None}
    parts = {of[0]: path for path, of in told.items() if of is not None and len(beside) == 1}
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
    table = text.read(parts[splits[0]], work, [parts[split] for split in splits[1:]])
    which = np.repeat(np.array(splits, np.uint8), table.counts)
    called = [f"{parts[split].stem} " for split in splits]
    names = [name for name, count in zip(called, table.counts, strict=True) for _ in range(count)]
    return tables.found(dataclasses.replace(table, split=which, parts=names), work, source)


def _of_ratings(rated: Path, paths: Sequence[Path], work: Work, source: str) -> ReadResult:
    """Ratings, and what things are called, which a table beside them tells, as in MovieLens."""
    bare = rated.name.lower() == "u.data"
    reading = ratings.without_header(work) if bare and work.choices.header is None else work
    wanted = ratings.TITLES[rated.name.lower()]
    titles: dict[str, str] = {}
    for path in paths:
        if path == rated:
            continue
        if path.name.lower() != wanted:
            work.skip(path.name, "it holds no ratings")
            continue
        quiet = dataclasses.replace(_quiet(work), choices=Choices(header=not bare))
        try:
            titles = dict(zip(*text.read(path, quiet).texts([0, 1]), strict=True))
        except Problem as problem:
            work.warn(f"{plain(path.name)} cannot be read ({problem.clause}): things have their numbers for names.")
    return tables.found(text.read(rated, reading), reading, source, titles)


def ratings_in(entries: Sequence[Entry]) -> list[Entry]:
    """The files of an archive of MovieLens: its ratings and the titles of what is rated; none of another archive."""
    named = {PurePosixPath(entry.name).name.lower(): entry for entry in reversed(entries)}
    for name in ratings.ENTRIES:
        if name in named:
            return [named[one] for one in (name, ratings.TITLES[name]) if one in named]
    return []


def _part(stem: str) -> tuple[int, str] | None:
    """The split that a table's name tells, and the rest of it: 0 and "adult" of "adult_train"."""
    words = re.split(r"[^a-z0-9]+", re.sub(r"([a-z])([A-Z])", r"\1 \2", stem).lower())
    splits = {folders.SPLIT_NAMES[word] for word in words if word in folders.SPLIT_NAMES}
    rest = " ".join(word for word in words if word not in folders.SPLIT_NAMES)
    return (splits.pop(), rest) if len(splits) == 1 else None


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
    """Images, with the labels of tables beside them where folders give none."""
    beside = [entry for entry in entries if is_table(entry)][:BESIDE] if len(entries) > 1 else []
    found = images.collect([entry for entry in entries if entry not in beside] if beside else entries, work, source)
    if not beside:
        return found
    texts = np.full(len(found.names), None, object)
    taken = []
    for entry in beside:
        told = "folders are the classes already" if found.classes else _labelled(found, entry, texts, work)
        if told:
            work.skip(entry.name, f"it is a table, and {told}; bring it alone to read it as a table")
        else:
            taken.append(plain(PurePosixPath(entry.name).name))
    if not taken:
        return dataclasses.replace(found, skipped=_skipped(work))
    labels, classes = classes_of(texts, work)
    if (missing := int((labels < 0).sum())) and classes:
        work.warn(f"{missing:,} images are not in {' and '.join(taken)}: they have no class.")
    return dataclasses.replace(
        found,
        labels=labels,
        classes=classes,
        decisions=tuple(work.decisions.values()),
        warnings=tuple(work.words),
        skipped=_skipped(work),
    )


def _skipped(work: Work) -> tuple[tuple[str, str], ...]:
    return tuple((name, why) for name, reasons in work.left_out.items() for why in reasons)


def _labelled(found: ReadResult, entry: Entry, texts: NDArray[Any], work: Work) -> str:
    """Writes the labels of a table to the images that it names (N,); gives why it has none, "" where it has."""
    part = folders.split_of(PurePosixPath(entry.name).stem)
    ours = list(range(len(found.names)))
    if part is not None and found.split is not None:  # train.csv names the images in train/
        ours = [i for i in ours if found.split[i] == part[0]]
    with unpacked([entry], work) as (path,):
        quiet = dataclasses.replace(_quiet(work), choices=dataclasses.replace(work.choices, label=None, columns=None))
        try:
            table = text.read(path, quiet)
        except Problem as problem:
            return f"cannot be read ({problem.clause})"
        named = [found.names[i] for i in ours]
        places = range(min(len(table.names), LOOKED_AT))
        texts_of = dict(zip(places, table.texts(places), strict=True))
        column, count = _naming(named, texts_of)
        if column is None:
            return (
                f"its names are those of {count:,} of {len(named):,} images"
                if count
                else "no column of it names the images"
            )
        chosen, options = _class_column(table, texts_of, column, work)
        if chosen is None:
            return "no column of it holds classes"
        cells, keys = texts_of[chosen], texts_of[column]
    place: dict[str, int] = {}
    for row, cell in enumerate(keys):  # by its whole path, if it has one, else by its name
        place[cell.strip().lower()] = place[_key(cell)] = row
    again = len(named) - len({_key(name) for name in named})
    for i in ours:
        name = found.names[i]
        whole = ["/".join(name.lower().split("/")[j:]) for j in range(name.count("/") + 1)]
        at = next((place[key] for key in (*whole, _key(name), _stem(name)) if key in place), None)
        if at is not None:
            texts[i] = cells[at].strip() or None
    called = plain(PurePosixPath(entry.name).name)
    if again and not any("/" in cell for cell in keys[:100]):
        work.warn(
            f"{again:,} images have the name of another one in another folder, which {called} does not tell apart."
        )
    words = f"The column “{plain(table.names[chosen])}” of {called} is the class."
    work.decide("label", table.names[chosen], [table.names[chosen], *options], words)
    return ""


def _key(name: str) -> str:
    return PurePosixPath(name.strip().replace("\\", "/")).name.lower()


def _stem(name: str) -> str:
    return PurePosixPath(_key(name)).stem


def _naming(names: Sequence[str], texts: Mapping[int, list[str]]) -> tuple[int | None, int]:
    """The column that names most of the images, and at least half of them; and how many that which names most does."""
    wanted = {_key(name) for name in names} | {_stem(name) for name in names}
    best, most = None, 0
    for i, cells in texts.items():
        count = len({_key(cell) for cell in cells} & wanted)
        if count > most:
            best, most = i, count
    return (best if 2 * most >= len(names) else None), most


def _class_column(
    table: Table, texts: Mapping[int, list[str]], naming: int, work: Work
) -> tuple[int | None, list[str]]:
    """The column with the classes, and those that could be chosen instead."""
    fitting = []
    for i, cells in texts.items():
        if i == naming:
            continue
        count = len(set(cells))
        called = table.names[i].lower() in CLASS_NAMES
        if 1 < count <= work.limits.classes and (called or count <= max(10, len(table.values) // 5)):
            fitting.append((not called, i))
    order = [i for _, i in sorted(fitting)]
    if work.choices.label is not None:
        order = [i for i in order if table.names[i] == work.choices.label]
    return next(iter(order), None), [table.names[i] for i in order[1:]] + [""]

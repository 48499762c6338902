"""Reading what a person brings: a file, several, or a folder become arrays. What it is, is told by its content.

Nothing that comes in is unpickled, run, fetched or written under a name of its own, and every limit is in
`models.readers.limits`. A page should call `models.readers.guarded.guarded_read`, which does all of this in a
process of its own whose memory and time are watched; the functions here read in the process that calls them.

Each of them gives a `ReadResult` and takes these choices and these besides:

    work     limits, progress and the folder for large arrays; None is the usual ones
    choices  what to decide otherwise than the reader would: see `models.readers.work.Choices`

and raises `models.Problem`, and nothing else, where what came cannot be read.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, ParamSpec

from numpy.typing import NDArray

from models import Problem
from models.columns import Column, inverse
from models.readers import arff, array_files, arrays, encodings, images, parquet, sound, sources, tables, text, together
from models.readers.gathering import Table
from models.readers.limits import LIMITS, Limits
from models.readers.result import Decision, ReadResult, contact_sheet, content_fingerprint, some_rows
from models.readers.work import Choices, Work, checked, plain

__all__ = [
    "LIMITS",
    "Choices",
    "Column",
    "Decision",
    "Limits",
    "ReadResult",
    "Work",
    "contact_sheet",
    "content_fingerprint",
    "from_arrays",
    "from_folder",
    "from_idx",
    "from_images",
    "from_sounds",
    "from_table",
    "from_zip",
    "inverse",
    "read",
    "some_rows",
]

# Formats that people bring and that are not read: how they begin, what they are, and what to do instead. Where that could
# be the first letters of a table, only what is no text is one of them.
OTHERS = (
    (b"%PDF-", "a PDF", "export its pictures as PNG files"),
    (b"\x89HDF\r\n", "an HDF5 file", "save its arrays with numpy.savez"),
    (b"MATLAB 5.0", "a MATLAB file", "load it with scipy.io.loadmat and save its arrays with numpy.savez"),
    (b"\xd0\xcf\x11\xe0", "an old Office file", "save it as CSV"),
    (b"SQLite format 3", "an SQLite database", "save its table as CSV"),
    (b"Rar!", "a RAR archive", "unpack it and make a zip"),
    (b"7z\xbc\xaf", "a 7z archive", "unpack it and make a zip"),
    (b"BZh", "a bzip2 file", "unpack it"),
    (b"\xfd7zXZ", "an xz file", "unpack it"),
    (b"(\xb5/\xfd", "a Zstandard file", "unpack it"),
    (b"RIFF", "a film, or a sound of another kind than WAV", "save its sound as WAV, or its pictures as PNG"),
    (b"ARROW1", "an Arrow file", "save it as Parquet"),
    (b"\x80\x02", "a pickle, which could run code when it is read", "save its arrays with numpy.savez"),
    (b"\x80\x03", "a pickle, which could run code when it is read", "save its arrays with numpy.savez"),
    (b"\x80\x04", "a pickle, which could run code when it is read", "save its arrays with numpy.savez"),
    (b"\x80\x05", "a pickle, which could run code when it is read", "save its arrays with numpy.savez"),
    (b"\x7fELF", "a program", "bring images, a table or arrays"),
    (b"MZ", "a program", "bring images, a table or arrays"),
)
# Text that is no table, by more than its first letter: a header may be <DATE>,<OPEN> or [kPa] p,[C] T.
MARKUP = (
    (
        re.compile(rb"<(!doctype|!--|\?xml|html|head|body|svg|table|rss|kml|gpx|workbook|div|p>)", re.IGNORECASE),
        "a page or drawing in HTML, XML or SVG",
        "save its table as CSV, or its picture as PNG",
    ),
    (re.compile(rb'\{\s*("|\}|$)|\[\s*([\[{"\d\]-]|null|true|false)'), "JSON", "save it as CSV"),
)
RUN = ("weights.safetensors", "codes.f32")  # beside run.json in a run's zip
FORMATS = "images, a zip or folder of images, CSV, Parquet, NPZ, NPY, idx, safetensors or WAV"


P = ParamSpec("P")


def _with_problems(reader: Callable[P, ReadResult]) -> Callable[P, ReadResult]:
    """What the system refuses on the way becomes a `Problem` too: a disk that is full, a file that is gone."""

    @functools.wraps(reader)
    def guarded(*arguments: P.args, **choices: P.kwargs) -> ReadResult:
        try:
            return reader(*arguments, **choices)
        except (OSError, MemoryError) as error:
            words = plain(getattr(error, "strerror", None) or type(error).__name__)
            raise Problem(
                f"reading was stopped by the system ({words})",
                do="make sure that the files stay in place and that memory and disk space are free, then try again, or bring less",
            ) from error

    return guarded


@_with_problems
def from_folder(path: str | Path, work: Work | None = None, **choices: Any) -> ReadResult:
    """All images under a folder: uint8 (N, H, W, C). Folders within it are classes, or splits when named so.

    A folder with idx files, as MNIST comes, is read as these.
    """
    path, work = Path(path), _work(work, choices)
    entries = sources.folder(path, work)
    paths = [path / entry.name for entry in entries]
    if any(images.is_image(entry.start()) for entry in entries[:50]):
        return together.of_images(entries, work, plain(path.name))
    starts = {each: array_files.unzipped_start(each, sources.start_of(each, 16)) for each in paths[:50]}
    idx = [each for each, start in starts.items() if array_files.is_idx(start)]
    if idx:
        return _idx(idx, work, plain(path.name))
    named = [each for each, start in starts.items() if start.startswith(array_files.NPY)]
    if named:
        return together.of_arrays(named, work, plain(path.name))
    if entries and all(together.is_table(entry) for entry in entries):
        return together.of_tables(paths, work, plain(path.name))
    return together.of_images(entries, work, plain(path.name))


@_with_problems
def from_images(files: str | Path | Sequence[str | Path], work: Work | None = None, **choices: Any) -> ReadResult:
    """A handful of image files: uint8 (N, H, W, C), no labels. What is no image is skipped."""
    paths, work = _paths(files), _work(work, choices)
    return together.of_images(
        sources.files(paths, work), work, plain(paths[0].name) if len(paths) == 1 else "these files"
    )


@_with_problems
def from_zip(path: str | Path, work: Work | None = None, **choices: Any) -> ReadResult:
    """A zip of images: uint8 (N, H, W, C), by folders as `from_folder`. Members are read in memory, never extracted."""
    path, work = Path(path), _work(work, choices)
    archive, entries = sources.open_zip(path, work)
    with archive:
        names = {entry.name for entry in entries}
        if "[Content_Types].xml" in names or "mimetype" in names:
            raise _refusal(path, "an Office document", "save its table as CSV")
        if any(name.endswith("data.pkl") for name in names):
            raise _refusal(path, "a torch file, which could run code when it is read", "save it as safetensors")
        if any({f"{name[:-9]}/{part}" for part in RUN} <= names for name in names if name.endswith("/run.json")):
            raise _refusal(path, "a run of Hourglass", "open it on the page Explore, under “Open a run”")
        looked = entries[:50]
        if rated := together.ratings_in(entries):
            with together.unpacked(rated, work) as laid:
                return together.of_tables(laid, work, plain(path.name))
        if looked and not any(images.is_image(entry.start()) for entry in looked):
            found = [entry for entry in entries if together.is_table(entry)]
            if found and all(entry in found or together.is_note(entry) for entry in entries):
                with together.unpacked(found, work) as laid:
                    return together.of_tables(laid, work, plain(path.name))
        return together.of_images(entries, work, plain(path.name))


@_with_problems
def from_table(path: str | Path, work: Work | None = None, **choices: Any) -> ReadResult:
    """A CSV, TSV or Parquet file: pixels of images (N, H, W, C), rows (N, F) or, if asked, signals (N, T, C)."""
    path, work = Path(path), _work(work, choices)
    is_parquet = sources.start_of(path, 4) == parquet.PARQUET
    table = parquet.read(path, work) if is_parquet else text.read(path, work)
    return tables.found(table, work, plain(path.name)) if isinstance(table, Table) else table


@_with_problems
def from_arrays(path: str | Path, work: Work | None = None, **choices: Any) -> ReadResult:
    """An NPY, NPZ or safetensors file: images (N, H, W, C), signals (N, T, C) or rows (N, F), as the axes say.

    Arrays named as x_train, y_train, x_test and y_test are keep their split.
    """
    path, work = Path(path), _work(work, choices)
    start = sources.start_of(path, 16)
    if start.startswith(array_files.NPY):
        named = array_files.read_npy(path, work)
    elif start.startswith(sources.ZIP):
        named = array_files.read_npz(path, work)
    elif len(start) < 9 or _may_be_safetensors(start):
        named = array_files.read_safetensors(path, work)
    else:
        raise Problem(
            f"{plain(path.name)} is not an NPY, NPZ or safetensors file",
            do="choose another file, or read this one as what it is",
        )
    return arrays.found(named, work, plain(path.name))


@_with_problems
def from_sounds(files: str | Path | Sequence[str | Path], work: Work | None = None, **choices: Any) -> ReadResult:
    """WAV files: signals (N, T, 1) of 8,000 steps a second, windows of up to a minute of each."""
    return sound.found(_paths(files), _work(work, choices))


@_with_problems
def from_idx(
    images: str | Path, labels: str | Path | None = None, work: Work | None = None, **choices: Any
) -> ReadResult:
    """Images in the format of MNIST, gzipped or not, and their labels: uint8 (N, H, W, 1)."""
    work = _work(work, choices)
    return _idx(_paths([images] if labels is None else [images, labels]), work, plain(Path(images).name))


@_with_problems
def read(paths: str | Path | Sequence[str | Path], work: Work | None = None, **choices: Any) -> ReadResult:
    """A file, several files or a folder, by what they hold and not by what they are called."""
    work = _work(work, choices)
    several = _paths(paths)
    if not several:
        raise Problem("no file was chosen", do=f"choose {FORMATS}")
    if len(several) == 1:
        path = several[0]
        return from_folder(path, work) if path.is_dir() else _one(path, work)
    starts = {}
    for path in several:
        sources.check_upload(path, work)
        starts[path] = array_files.unzipped_start(path, sources.start_of(path, 32))
    idx = [path for path, start in starts.items() if array_files.is_idx(start)]
    if len(idx) == len(several):
        return _idx(idx, work, "these files")
    if any(images.is_image(start) for start in starts.values()):
        return from_images(several, work)
    if all(sound.is_wav(start) for start in starts.values()):
        return from_sounds(several, work)
    if all(start.startswith(array_files.NPY) for start in starts.values()):
        return together.of_arrays(several, work, "these files")
    if all(together.is_table(entry) for entry in sources.files(several, work)):
        return together.of_tables(several, work, "these files")
    raise Problem(
        f"these {len(several)} files do not belong together ({', '.join(plain(path.name, 40) for path in several[:4])})",
        "several images, idx or NPY files of one dataset, tables named train and test, or one file of another format can be read",
        "choose one file, or make a zip of images",
    )


def _one(path: Path, work: Work) -> ReadResult:
    """One file, by how it begins."""
    sources.check_upload(path, work)
    start = sources.start_of(path, 4096)
    for begins, reader in ((images.is_image, from_images), (sound.is_wav, from_sounds)):
        if begins(start):
            return reader([path], work)
    if start.startswith((sources.ZIP, sources.END)):
        return from_arrays(path, work) if _is_npz(path, work) else from_zip(path, work)
    if start.startswith(array_files.NPY) or _may_be_safetensors(start):
        return from_arrays(path, work)
    if array_files.is_idx(array_files.unzipped_start(path, start)):
        return from_idx(path, None, work)
    if start.startswith(array_files.GZIP):
        raise _refusal(path, "a gzip file of something else than idx", "unpack it")
    if start[4:8] == b"ftyp":
        raise _refusal(path, "a film, or a picture of the kind HEIC or AVIF", "save pictures as JPEG or PNG")
    for begin, what, do in OTHERS:
        if start.startswith(begin) and (begin == b"%PDF-" or not _is_text(start)):
            raise _refusal(path, what, do)
    words = start.removeprefix(b"\xef\xbb\xbf").lstrip()
    for pattern, what, do in MARKUP:
        if pattern.match(words):
            raise _refusal(path, what, do)
    if arff.is_ts(words[:2000].decode("latin-1").splitlines()):
        named = arff.read_ts(path, encodings.encoding_of(path, work), work)
        known = (
            replace(work.choices, axes=work.choices.axes or "NCT")
            if work.choices.kind in (None, "signal")
            else work.choices
        )
        return arrays.found(named, replace(work, choices=known), plain(path.name))
    return from_table(path, work)


def _is_text(start: bytes) -> bool:
    """Whether the first bytes of a file hold no more than letters, digits, marks and breaks."""
    return all(byte >= 32 or byte in b"\t\r\n\f" for byte in start) and b"\x7f" not in start


def _may_be_safetensors(start: bytes) -> bool:
    """Eight bytes of a length, small enough not to be text, and the beginning of a table in JSON."""
    return start[8:9] == b"{" and int.from_bytes(start[:8], "little") < 1 << 40


def _is_npz(path: Path, work: Work) -> bool:
    """Whether a zip holds arrays: by the content of its first member that is no litter."""
    quiet = replace(work, left_out={}, words=[], decisions={})
    archive, entries = sources.open_zip(path, quiet)
    with archive:
        return any(entry.start().startswith(array_files.NPY) for entry in entries[:5])


def _idx(paths: Sequence[Path], work: Work, source: str) -> ReadResult:
    """idx files of one dataset: those with several dimensions hold samples, those with one hold labels."""
    named: dict[str, NDArray[Any]] = {}
    parts = {path: arrays.part_of(path.name) for path in paths}
    split = len(set(parts.values())) > 1 and None not in parts.values()
    for path in paths:
        values = array_files.idx(path, work)
        part = f"_{('train', 'validation', 'test')[parts[path] or 0]}" if split else ""
        name = ("y" if values.ndim == 1 else "x") + part
        if name in named:
            raise Problem(
                f"{source} holds two idx files that could both be the {'labels' if values.ndim == 1 else 'samples'}",
                "one file of images and one of labels can be read, or such pairs named train and t10k",
                "choose the two that belong together",
            )
        named[name] = values
    return arrays.found(named, work, source)


def _paths(given: str | Path | Sequence[str | Path]) -> list[Path]:
    return [Path(given)] if isinstance(given, str | Path) else [Path(path) for path in given]


def _work(work: Work | None, choices: dict[str, Any]) -> Work:
    if work is None:
        return Work(checked(choices, LIMITS))
    return replace(work, choices=checked(choices, work.limits)) if choices else work


def _refusal(path: Path, what: str, do: str) -> Problem:
    return Problem(f"{plain(path.name)} is {what}", f"{FORMATS} can be read", do)

"""What one reading carries along: its limits and choices, its time, what it decided, skipped and warned of."""

from __future__ import annotations

import contextlib
import json
import math
import re
import tempfile
import time
import unicodedata
import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from models import Problem, unwritable
from models.columns import Column
from models.data import Progress
from models.readers.limits import LIMITS, Limits
from models.readers.result import VALUES, ColumnFacts, Decision, Levels, ReadResult


@dataclass(frozen=True)
class Choices:
    """What a person may decide in the reader's stead; None leaves it to the reader. Plain JSON values.

    kind: "image", "table" or "signal". split: "as it came" or "none".
    Images: size, a side in pixels or [height, width]; fit, how other sizes get there, "resize" (out of
    proportion), "crop" (the middle) or "pad" (black borders); colour, "grey" or "colour"; scaling, how values
    become 0 to 255: "as they are", "full" (all that the type can hold) or "stretch" (the least and greatest there
    are); levels, {low, high, of} as `Levels` has them: those of other samples, to which these are scaled alike where
    their values are of the same sort; folders, whether folder names are class names.
    Arrays: samples, the name of the array to take, or several that make one dataset, each a split if its name
    tells which; labels, the names that belong to these in their order, "" for none; axes, one of AXES or its letters in another order.
    Tables: label, a column's name, or "" for none; leave_out, names of columns; columns, what columns are used as by
    their names, each one of USES; header, whether the first row names the columns; encoding, of the text; separator and
    decimal, one character each; grouping, the mark between thousands, "" for none; missing_values, the words that stand
    for nothing; pivot, the column whose values become columns side by side where each time comes once for each of them, ""
    for none; dates, "day first" or "month first"; times, what becomes of the times of rows, "leave out" or "features"
    (days since 1970, weekday, hour); missing, "mean", "skip" or "keep" (as NaN), of signals "line" or
    "skip"; shape, [H, W] or [H, W, C] of a row of pixels. Signals from tables: window and step, in rows; layout, "down"
    (time runs down the rows) or "across" (each row is one signal); rhythm, "as they come" or "even" (between uneven
    times values are interpolated).
    """

    kind: str | None = None
    size: int | Sequence[int] | None = None
    fit: str | None = None
    colour: str | None = None
    scaling: str | None = None
    levels: Mapping[str, Any] | None = None
    folders: bool | None = None
    split: str | None = None
    samples: str | Sequence[str] | None = None
    labels: str | Sequence[str] | None = None
    axes: str | None = None
    label: str | None = None
    leave_out: Sequence[str] | None = None
    header: bool | None = None
    separator: str | None = None
    decimal: str | None = None
    grouping: str | None = None
    missing_values: Sequence[str] | None = None
    dates: str | None = None
    pivot: str | None = None
    times: str | None = None
    columns: Mapping[str, str] | None = None
    encoding: str | None = None
    missing: str | None = None
    shape: Sequence[int] | None = None
    window: int | None = None
    step: int | None = None
    layout: str | None = None
    rhythm: str | None = None


KINDS = ("image", "table", "signal")
FITS = ("resize", "crop", "pad")
COLOURS = ("grey", "colour")
SCALINGS = ("as they are", "full", "stretch")
SPLITS = ("as it came", "none")
AXES = ("NF", "NHW", "NHWC", "NTC")  # and every other order of these: sample, feature, height, width, channel, time
SEPARATORS = (",", ";", "\t", "|", " ")
GROUPINGS = ("", ",", ".", " ", "'")
DATES = ("day first", "month first")
TIMES = ("leave out", "features")
USES = ("number", "category", "time", "id", "leave out")
RHYTHMS = ("as they come", "even")
# Of what is not UTF-8: Western, Central European, Cyrillic, Greek, Turkish, Japanese, Chinese and Korean.
ENCODINGS = (
    *("utf-8", "utf-16", "cp1252", "cp1250", "cp1251", "cp866", "cp437", "cp1253", "cp1254", "latin-1"),
    *("shift_jis", "gb18030", "big5", "euc_kr"),
)
ONE_OF: dict[str, tuple[str, ...]] = {
    "kind": KINDS,
    "split": SPLITS,
    "fit": FITS,
    "colour": COLOURS,
    "scaling": SCALINGS,
    "separator": SEPARATORS,
    "decimal": (".", ","),
    "missing": ("mean", "line", "skip", "keep"),
    "layout": ("down", "across"),
    "grouping": GROUPINGS,
    "dates": DATES,
    "times": TIMES,
    "rhythm": RHYTHMS,
    "encoding": ENCODINGS,
}


def checked(choices: Mapping[str, Any], limits: Limits) -> Choices:
    """Choices from plain values. `Problem` when one is unknown, of another type or out of range."""
    known = [each.name for each in fields(Choices)]
    for name, value in choices.items():
        if name not in known:
            raise Problem(
                f"the choice “{plain(name)}” is unknown",
                f"known choices are {', '.join(known)}",
                "leave the unknown one out",
            )
        if value is not None:
            _check(name, value, limits)
    return Choices(**choices)


def _check(name: str, value: Any, limits: Limits) -> None:
    expected = ""
    if name in ONE_OF:
        expected = "" if value in ONE_OF[name] else f"one of {', '.join(map(repr, ONE_OF[name]))}"
    elif name == "axes":
        right = isinstance(value, str) and sorted(value) in [sorted(axes) for axes in AXES]
        expected = "" if right else "an order of NF, NHW, NHWC or NTC"
    elif name in ("folders", "header"):
        expected = "" if isinstance(value, bool) else "true or false"
    elif name in ("label", "pivot"):
        expected = "" if isinstance(value, str) else "a name"
    elif name in ("leave_out", "samples", "labels"):
        names = isinstance(value, list | tuple) and len(value) > 0 and all(isinstance(each, str) for each in value)
        one = name != "leave_out" and isinstance(value, str)
        expected = "" if names or one else "a name, or a list of names" if name != "leave_out" else "a list of names"
    elif name == "columns":
        right = isinstance(value, Mapping) and all(isinstance(each, str) and use in USES for each, use in value.items())
        expected = "" if right else f"names of columns, each with one of {', '.join(map(repr, USES))}"
    elif name == "missing_values":
        right = isinstance(value, list | tuple) and all(isinstance(each, str) for each in value)
        expected = "" if right else "a list of words"
    elif name == "levels":
        expected = "" if _levels(value) else f"low, high above it, and of, one of {', '.join(map(repr, VALUES))},"
    elif name in ("window", "step"):
        expected = "" if _whole(value, 1, limits.rows) else f"a whole number from 1 to {limits.rows:,}"
    elif name == "size":
        sides = value if isinstance(value, list | tuple) else [value, value]
        fits = len(sides) == 2 and all(_whole(side, 1, limits.side) for side in sides)
        expected = "" if fits else f"one or two whole numbers from 1 to {limits.side}"
    elif name == "shape":
        fits = isinstance(value, list | tuple) and len(value) in (2, 3)
        fits = (
            fits
            and all(_whole(side, 1, limits.side) for side in value[:2])
            and value[2:] in ([], (), [1], [3], (1,), (3,))
        )
        expected = "" if fits else f"[H, W] or [H, W, 3] with sides from 1 to {limits.side}"
    if expected:
        raise Problem(f"{name.replace('_', ' ')} must be {expected}; {plain(str(value))} was given")


def _levels(value: Any) -> bool:
    if not isinstance(value, Mapping) or set(value) != {"low", "high", "of"} or value["of"] not in VALUES:
        return False
    ends = [value["low"], value["high"]]
    numbers = all(isinstance(end, int | float) and not isinstance(end, bool) and math.isfinite(end) for end in ends)
    return bool(numbers and ends[0] < ends[1])


def _whole(value: Any, low: int, high: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and low <= value <= high


def plain(text: str, most: int = 80) -> str:
    """Text from outside made fit for a sentence: one line, no control or direction marks, not too long."""
    if text.isascii() and text.isprintable() and len(text) <= most:
        return text  # as nearly all are
    text = re.sub(r"\r\n|[\t\n\v\f\r]", " ", unicodedata.normalize("NFC", text))
    out = "".join(c if unicodedata.category(c)[0] != "C" else "\ufffd" for c in text)
    return out if len(out) <= most else out[: most - 1] + "…"


@dataclass
class Work:
    """One reading on its way. folder: where large arrays may lie; None keeps them in unnamed temporary files."""

    choices: Choices = field(default_factory=Choices)
    limits: Limits = LIMITS
    folder: Path | None = None
    report: Progress = lambda _what, _share: None
    started: float = field(default_factory=time.monotonic)
    decisions: dict[str, Decision] = field(default_factory=dict)
    left_out: dict[str, list[str]] = field(default_factory=dict)
    left_out_count: int = 0
    words: list[str] = field(default_factory=list)
    levels: Levels | None = None
    taken: NDArray[np.int64] | None = None  # the rows of a table that became samples; of a signal the first of its rows

    def tick(self) -> None:
        """A `Problem` once the time is up. Called before every piece of work."""
        if time.monotonic() - self.started > self.limits.seconds:
            raise Problem(
                f"reading took more than the allowed {self.limits.seconds:g} seconds",
                do="bring fewer or smaller samples",
            )

    def progress(self, what: str, done: int, total: int) -> None:
        """Tell how far it is, and look at the time."""
        self.tick()
        self.report(what, min(1.0, done / max(1, total)))

    def skip(self, name: str, why: str) -> None:
        """Leave something out and say why."""
        self.left_out_count += 1
        if self.left_out_count <= self.limits.told:
            self.left_out.setdefault(plain(name, 200) or "a file without a name", []).append(why)

    def warn(self, words: str) -> None:
        """A sentence to be read before going on. Told once."""
        if words not in self.words:
            self.words.append(words)

    def decide(self, what: str, chosen: Any, options: Sequence[Any], words: str, *, asks: bool = False) -> None:
        """Note a decision; a later one of the same name takes its place. asks: see `Decision`; never of what was chosen."""
        asks = asks and getattr(self.choices, what) is None
        self.decisions[what] = Decision(what, chosen, tuple(options), words, asks)

    def level(self, usual: Levels, least: float, most: float, *, stretched: bool) -> Levels:
        """The levels to scale by, noted: the usual ones, or those that were chosen where they mean the same.

        least, most: of the values that came; stretched: whether the usual levels follow from these. Values of another
        sort that have a scale of their own, as pictures of 8 bits beside numbers up to 4,000, keep it.
        """
        own = ((0.0, 1.0), (0.0, 255.0))
        known = Levels(**self.choices.levels) if self.choices.levels else None
        self.levels = usual
        if known is None:
            return usual
        within = known.low <= least and most <= known.high
        scaled = (known.low, known.high) not in own
        odd = scaled and (usual.low, usual.high) not in own and usual.of != "uint8"
        if usual.of == known.of or (stretched and within) or odd:
            self.levels = known
            if not within:
                self.warn(
                    f"Values from {least:,.6g} to {most:,.6g} came; what lies beyond {known.low:,.6g} and "
                    f"{known.high:,.6g} is cut off."
                )
        elif (usual.low, usual.high) != (known.low, known.high) and (stretched or scaled):
            self.warn(
                f"Values from {usual.low:,.6g} to {usual.high:,.6g} become 0 to 255; where the run learnt, those from "
                f"{known.low:,.6g} to {known.high:,.6g} did, so that the codes may not be comparable."
            )
        return self.levels

    def found(
        self,
        kind: str,
        samples: NDArray[Any],
        labels: NDArray[np.int32],
        classes: Sequence[str],
        names: Sequence[str],
        split: NDArray[np.uint8] | None = None,
        columns: Sequence[Column] = (),
        facts: Sequence[ColumnFacts] = (),
    ) -> ReadResult:
        """The result with everything noted on the way. `Problem` when no sample is left."""
        if not len(samples):
            first = next(iter(self.left_out.items()), None)
            raise Problem(
                "no whole sample is left" + (f" (the first left out: {first[0]}, {first[1][0]})" if first else ""),
                do="bring another file",
            )
        if self.left_out_count > self.limits.told:
            self.warn(f"{self.left_out_count:,} things were left out; the first {self.limits.told} are listed.")
        if split is not None and len(np.unique(split)) < 2:
            split = None
        if split is not None:
            way = self.choices.split or SPLITS[0]
            words = {
                SPLITS[0]: "The data say which samples train, validate and test.",
                SPLITS[1]: "The split of the data is not kept.",
            }
            self.decide("split", way, SPLITS, words[way])
            split = split if way == SPLITS[0] else None
        return ReadResult(
            kind,
            samples,
            labels,
            tuple(classes),
            tuple(plain(name, 300) for name in names),
            split,
            tuple(columns),
            tuple(self.decisions.values()),
            tuple((name, why) for name, reasons in self.left_out.items() for why in reasons),
            tuple(self.words),
            self.levels if kind == "image" else None,
            tuple(facts),
        )

    def spool(self) -> IO[bytes]:
        """An unnamed temporary file that goes when it is closed. It never has a name that came from outside."""
        try:
            return tempfile.TemporaryFile(dir=self.folder)
        except OSError as error:
            raise unwritable(self.folder or Path(tempfile.gettempdir()), error) from error

    def allocate(self, shape: tuple[int, ...], dtype: type[np.generic]) -> NDArray[Any]:
        """Zeros of that shape to be filled. `Problem` when it would be more than a dataset may be.

        Memory is taken by what is written, not by what was asked for: a file with holes, or pages not yet touched.
        """
        size = math.prod(shape) * np.dtype(dtype).itemsize
        if size > self.limits.output or shape[0] > self.limits.samples:
            raise Problem(
                f"{shape[0]:,} samples would take {size:,} bytes",
                f"at most {self.limits.samples:,} samples and {self.limits.output:,} bytes are allowed",
                "bring fewer samples, or choose a smaller size",
            )
        if size < 1 << 20:
            return np.zeros(shape, dtype)
        with disk(self.folder), self.spool() as stream:  # the mapping outlives the closed file
            stream.truncate(size)
            return np.memmap(stream, dtype, "r+", shape=shape)


@contextlib.contextmanager
def disk(folder: Path | None) -> Iterator[None]:
    """Turns what a full or read-only disk does into a `Problem`."""
    try:
        yield
    except OSError as error:
        raise unwritable(folder or Path(tempfile.gettempdir()), error) from error


@contextlib.contextmanager
def decoding(what: str, expected: str, do: str = "bring a whole file, or make it again") -> Iterator[None]:
    """Turns whatever a decoder of others raises into a `Problem`. Put it around their calls only, never around ours.

    Decoders that meet hostile bytes raise nearly anything, and what is not written down: OSError, ValueError,
    struct.error, KeyError, TypeError, OverflowError, zlib.error, RecursionError, MemoryError, Arrow's own.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of damaged metadata and the like, from deep within
            yield
    except Problem:
        raise
    except Exception as error:
        said = plain(" ".join(str(error).split()), 160)
        why = f" ({said})" if said and "0x" not in said else f" ({type(error).__name__})"
        raise Problem(f"{what} cannot be read as {expected}{why}", do=do) from error


def finite_json(text: bytes | str, what: str) -> Any:
    """JSON from a file that somebody else wrote."""
    with decoding(what, "JSON"):
        return json.loads(text)


def reason(problem: Problem) -> str:
    """A `Problem` as the one sentence that is listed beside a file which was left out."""
    return problem.clause

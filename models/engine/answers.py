"""Answers of labs: which question an answer belongs to, and where it is kept.

An answer is one file, <id>.safetensors.gz: arrays, and the facts as JSON in its header. Of a dataset that comes with
Hourglass it lies in <home>/answers, for everybody; of one that somebody brought in the dataset's own folder, so that it goes
with it. Answers that ship lie in `SHIPPED`.
"""

from __future__ import annotations

import contextlib
import gzip
import hashlib
import json
import re
import zlib
from dataclasses import asdict, dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load, save

from models import Problem, datasets, home, labs, private, unwritable, uploads
from models.datasets import Dataset
from models.labs import Answer, Lab, Setting, Settings
from models.runs import Run, folder_of, open_run, stamp, write_whole

ID = re.compile(r"[a-z]+-[0-9a-f]{16}-[0-9a-f]{16}")
MOST = 512 * 2**20  # bytes that answers for everybody take together; the oldest go first
SUFFIX = ".safetensors.gz"
SHIPPED = Path(labs.__file__).parent / "answers"
LARGEST = 64 * 2**20  # bytes of an answer, unpacked


@dataclass(frozen=True)
class Question:
    """What a lab is asked: of which run, by its id and the digest of its content, or of which dataset, by its fingerprint
    twice; and with which settings."""

    lab: str
    version: int
    subject: str
    digest: str
    dataset: str
    settings: dict[str, Setting] = field(default_factory=dict)

    @property
    def id(self) -> str:
        """The lab, the run or dataset, and 16 hex digits of everything: equal questions have equal ids."""
        facts = json.dumps(asdict(self), sort_keys=True)
        return f"{self.lab}-{self.subject}-{hashlib.sha256(facts.encode()).hexdigest()[:16]}"

    @property
    def folder(self) -> Path:
        """Where its answer is kept."""
        if uploads.own(self.dataset):
            return home() / "data" / self.dataset.removeprefix("own-") / "answers"
        return home() / "answers"

    @property
    def path(self) -> Path:
        """The file of its answer."""
        return self.folder / f"{self.id}{SUFFIX}"

    @property
    def progress(self) -> Path:
        """The file in which a worker says how far it is."""
        return self.folder / f".{self.id}.json"

    @property
    def stop(self) -> Path:
        """The file that ends the computation once it is there."""
        return self.folder / f".{self.id}.stop"


def question(lab: Lab, subject: Run | Dataset, settings: Settings) -> Question:
    """The question that these settings make of a lab. A `Problem` for a setting that the lab does not have."""
    if isinstance(subject, Run):
        of = subject.id, subject.digest, subject.card.dataset.name
    else:
        of = subject.fingerprint, subject.fingerprint, subject.name
    return Question(lab.name, lab.version, *of, lab.chosen(settings))


def read_question(values: Any) -> Question | None:
    """A stored question; None where this version does not understand it."""
    try:
        asked = Question(**values)
    except TypeError:
        return None
    words = (asked.lab, asked.subject, asked.digest, asked.dataset)
    good = all(isinstance(one, str) for one in words) and isinstance(asked.settings, dict)
    return asked if good and ID.fullmatch(asked.id) else None


def kept(asked: Question) -> Answer | None:
    """The answer that was computed here; None where there is none. A file that is not as it was written goes, so that the
    question can be asked again."""
    found = _read(asked.path)
    if found is None:
        with contextlib.suppress(OSError):
            asked.path.unlink(missing_ok=True)
    return found


def shipped(asked: Question) -> Answer | None:
    """The answer that ships; None where there is none."""
    return _read(SHIPPED / f"{asked.id}{SUFFIX}")


def _read(path: Path) -> Answer | None:
    """None where there is no such file, or one that is not as it was written."""
    try:
        return _read_once(path, stamp(path)) if path.is_file() else None
    except FileNotFoundError:  # it has gone meanwhile
        return None
    except OSError as error:
        raise Problem(f"{path} cannot be read ({error.strerror or error})") from error


@lru_cache(maxsize=16)
def _read_once(path: Path, _stamp: tuple[int, ...]) -> Answer | None:
    """A page asks at every touch, for a file that never changes."""
    try:
        with gzip.open(path) as packed_file:
            content = packed_file.read(LARGEST)
        length = int.from_bytes(content[:8], "little")
        facts = json.loads(json.loads(content[8 : 8 + length])["__metadata__"]["facts"])
        return Answer(facts, load(content), hashlib.sha256(content).hexdigest()[:16])
    except (gzip.BadGzipFile, EOFError, zlib.error, SafetensorError, ValueError, KeyError, TypeError):
        return None


def packed(answer: Answer) -> bytes:
    """The bytes of an answer's file. ValueError for a fact that is no finite number, text, list or dict."""
    facts = json.dumps(answer.facts, allow_nan=False)
    arrays = {name: np.ascontiguousarray(array) for name, array in answer.arrays.items()}
    return gzip.compress(save(arrays, {"facts": facts}), 9, mtime=0)


def write(asked: Question, answer: Answer) -> None:
    """Keep an answer. A `Problem` where it cannot be written, or its dataset was deleted meanwhile."""
    if uploads.own(asked.dataset) and uploads.dataset(asked.dataset) is None:
        raise uploads.gone()
    try:
        write_whole(private(asked.folder) / asked.path.name, packed(answer))
    except OSError as error:
        raise unwritable(asked.folder, error) from error
    _make_room()


def ship(asked: Question, answer: Answer) -> None:
    """Keep an answer among those that ship, in place of the one about the same run or dataset."""
    SHIPPED.mkdir(exist_ok=True)
    for old in SHIPPED.glob(f"{asked.lab}-{asked.subject}-*{SUFFIX}"):
        old.unlink()
    write_whole(SHIPPED / f"{asked.id}{SUFFIX}", packed(answer))


def _make_room() -> None:
    """Remove the answers that were computed first, where those for everybody take more than `MOST` together."""
    found = sorted((home() / "answers").glob(f"*{SUFFIX}"), key=lambda path: -path.stat().st_mtime)
    total = 0
    for path in found:
        total += path.stat().st_size
        if total > MOST:
            path.unlink(missing_ok=True)


def forget(run: str) -> None:
    """Remove the answers about a run that was deleted."""
    for folder in (home() / "answers", *(home() / "data").glob("*/answers")):
        for path in folder.glob(f"*-{run}-*"):
            path.unlink(missing_ok=True)


def compute(asked: Question, report: labs.Report) -> Answer:
    """Answer a question in this process. A `Problem` where it cannot be answered."""
    lab = labs.get(asked.lab)
    subject = open_run(folder_of(asked.subject)) if lab.of == "run" else datasets.get(asked.dataset)
    digest = subject.digest if isinstance(subject, Run) else subject.fingerprint
    if digest != asked.digest or lab.version != asked.version:
        raise Problem(f"this question is about another version of the {lab.of} or the lab", do="ask it again")
    if why := lab.fits(subject):
        raise Problem(why)
    return lab.answer(subject, lab.chosen(asked.settings), report)

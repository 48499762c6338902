"""Reading in a process of its own, whose memory and time are watched from outside.

A decoder that meets hostile bytes may take all memory, never end, or crash. None of this reaches the process
that asks: it gets what was read, or a `Problem`.
"""

from __future__ import annotations

import dataclasses
import json
import logging
import math
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import psutil

from models import PROJECT, Problem, readers, unwritable
from models import beside as besides
from models.columns import Column
from models.data import Progress
from models.readers.limits import LIMITS, Limits
from models.readers.result import ColumnFacts, Decision, Levels, ReadResult
from models.readers.work import Work, checked

REQUEST, ANSWER, PROGRESS, WORDS = "request.json", "facts.json", "progress.json", "words.txt"
ARRAYS = ("samples", "labels", "split", "missing")
# The child is told nothing that it does not need, such as the keys and passwords of a server.
PASSED = ("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "TEMP", "TMP", "SYSTEMROOT", "PYTHONPATH", "LD_LIBRARY_PATH")
ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "ARROW_NUM_THREADS"), "1")
HEARD = 0.5  # seconds after which progress is told again
LONG = 600.0  # seconds: what may take longer has turns of its own, so that it holds up nobody else
# How many are read at once, short and long ones: each may take the memory that its limits allow.
TURNS = (threading.BoundedSemaphore(max(4, os.cpu_count() or 1)), threading.BoundedSemaphore(2))
GIVEN_UP = 5.0  # seconds: beyond the time that the reader keeps by itself, it is stopped

log = logging.getLogger(__name__)
T = TypeVar("T")


def guarded_read(
    paths: Path | Sequence[Path],
    out_folder: Path,
    choices: Mapping[str, Any] | None = None,
    progress: Progress = lambda _what, _share: None,
    limits: Limits = LIMITS,
) -> ReadResult:
    """What these files hold, read by another process; the same as `models.readers.read` gives.

    out_folder: an empty folder, made if absent, which afterwards holds samples.npy (the samples of what is given
    back are this file, memory-mapped read-only), labels.npy, split.npy where there is a split, missing.npy where values are, what stands beside, and facts.json.
    It belongs to the caller, who removes it. progress is called from this thread. Raises `Problem` when the files
    cannot be read, or when reading takes more memory or time than `limits` say, and then leaves no samples behind.
    """
    several = [paths] if isinstance(paths, str | Path) else paths
    checked(choices or {}, limits)
    request = {
        "paths": [os.path.abspath(path) for path in several],  # noqa: PTH100 (resolve() would follow links)
        "choices": dict(choices or {}),
    }
    try:
        return asked("models.readers", request, out_folder, load, limits, progress)
    except BaseException:
        for name in ARRAYS:
            (out_folder / f"{name}.npy").unlink(missing_ok=True)
        raise


def asked(
    module: str,
    request: Mapping[str, Any],
    folder: Path,
    result: Callable[[Path], T],
    limits: Limits = LIMITS,
    progress: Progress = lambda _what, _share: None,
    *,
    again: str = "make the file again, perhaps with another program, or bring it in another format",
    less: str = "bring fewer or smaller samples",
    told: Mapping[str, str] | None = None,
) -> T:
    """What `python -m MODULE FOLDER`, a process of its own that ends in `serve`, made of a request.

    result reads it from the folder, which is made if absent and belongs to the caller. told: variables of the
    environment that the process needs besides `PASSED`. Raises the `Problem` that the process met; one with
    the advice `again` where it failed, one with `less` where it took more memory or time than `limits` allow.
    """
    turns = TURNS[limits.seconds > LONG]
    while not turns.acquire(timeout=HEARD):
        progress("waiting until others are read", 0.0)  # whoever asks may give up by raising from there
    try:
        return _read_there(module, request, folder, result, limits, progress, again, less, told or {})
    finally:
        turns.release()


def _read_there(
    module: str,
    request: Mapping[str, Any],
    folder: Path,
    result: Callable[[Path], T],
    limits: Limits,
    progress: Progress,
    again: str,
    less: str,
    told: Mapping[str, str],
) -> T:
    passed = {name: os.environ[name] for name in PASSED if name in os.environ}
    try:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / REQUEST).write_text(
            json.dumps({**request, "limits": dataclasses.asdict(limits), "parent": os.getpid()})
        )
        with (folder / WORDS).open("wb") as words:
            child = subprocess.Popen(
                [sys.executable, "-m", module, str(folder.absolute())],
                cwd=PROJECT,
                env=passed | ONE_THREAD | dict(told),
                stdin=subprocess.DEVNULL,
                stdout=words,
                stderr=words,
                start_new_session=True,
            )
    except OSError as error:
        raise unwritable(folder, error) from error
    try:
        _watch(child, folder, progress, limits, less)
        return _answer(child, folder, result, again)
    finally:
        if child.poll() is None:
            child.kill()
        child.wait()


def _watch(child: subprocess.Popen[bytes], folder: Path, progress: Progress, limits: Limits, less: str) -> None:
    """Returns when the child has ended; `Problem` when it had to be stopped."""
    started, told = time.monotonic(), ("", -1.0)
    said = started
    while True:
        try:
            child.wait(limits.poll)
            return
        except subprocess.TimeoutExpired:
            pass
        taken = private_memory(child.pid)
        if taken > limits.memory:
            child.kill()
            raise Problem(
                f"reading took {taken >> 20:,} MiB of memory", f"at most {limits.memory >> 20:,} MiB are allowed", less
            )
        if time.monotonic() - started > limits.seconds + GIVEN_UP:
            child.kill()
            raise Problem(f"reading took more than the allowed {limits.seconds:g} seconds", do=less)
        # Also when there is nothing new: whoever asks may give up by raising from there.
        news, now = _progress(folder), time.monotonic()
        if news and (news != told or now - said > HEARD):
            told, said = news, now
            progress(*news)


def private_memory(pid: int) -> int:
    """Resident bytes of a process that no file stands behind: pages of mapped files can be let go at any time."""
    try:
        memory = psutil.Process(pid).memory_info()
    except psutil.Error:
        return 0
    return int(memory.rss - getattr(memory, "shared", 0))


def _progress(folder: Path) -> tuple[str, float] | None:
    try:
        what, share = json.loads((folder / PROGRESS).read_text())
        return str(what), float(share)
    except (OSError, ValueError, TypeError):
        return None


def _answer(child: subprocess.Popen[bytes], folder: Path, result: Callable[[Path], T], again: str) -> T:
    try:
        facts = json.loads((folder / ANSWER).read_text())
        if "problem" in facts:
            raise Problem(*facts["problem"])
        return result(folder)
    except (OSError, ValueError, KeyError, TypeError) as error:
        log.warning("a reader ended with %s: %s", child.returncode, _last_line(folder))
        ended = f"signal {-child.returncode}" if child.returncode < 0 else f"code {child.returncode}"
        raise Problem(f"reading failed ({ended})", do=again) from error


def _last_line(folder: Path) -> str:
    try:
        return (folder / WORDS).read_text(errors="replace")[-2000:]
    except OSError:
        return ""


def write_result(found: ReadResult, folder: Path) -> None:
    """Write what was found to a folder, for `load`. facts.json comes last: where it is, the rest is whole."""
    for name in ARRAYS:
        array = getattr(found, name)
        if array is not None:
            np.save(folder / f"{name}.npy", array, allow_pickle=False)
    besides.write(folder, found.beside)
    facts = {
        "kind": found.kind,
        "classes": found.classes,
        "names": found.names,
        "columns": [dataclasses.asdict(column) for column in found.columns],
        "decisions": [dataclasses.asdict(decision) for decision in found.decisions],
        "skipped": found.skipped,
        "warnings": found.warnings,
        "levels": dataclasses.asdict(found.levels) if found.levels else None,
        "facts": [dataclasses.asdict(facts) for facts in found.facts],
        "label": found.label,
        "called": found.called,
    }
    answer(folder, facts)


def answer(folder: Path, facts: Mapping[str, Any]) -> None:
    """Write facts.json whole or not at all."""
    part = folder / f".{ANSWER}"
    part.write_text(json.dumps(facts, allow_nan=False))
    part.replace(folder / ANSWER)


def load(folder: Path) -> ReadResult:
    """What `write_result` wrote; samples are memory-mapped read-only."""
    facts = json.loads((folder / ANSWER).read_text())
    arrays = {
        name: np.load(folder / f"{name}.npy", mmap_mode="r" if name == "samples" else None, allow_pickle=False)
        for name in ARRAYS
        if (folder / f"{name}.npy").is_file()
    }
    columns = [Column(**{**column, "values": tuple(column["values"])}) for column in facts["columns"]]
    decisions = [Decision(**{**decision, "options": tuple(decision["options"])}) for decision in facts["decisions"]]
    return ReadResult(
        facts["kind"],
        arrays["samples"],
        arrays["labels"],
        tuple(facts["classes"]),
        tuple(facts["names"]),
        arrays.get("split"),
        tuple(columns),
        tuple(decisions),
        tuple((name, why) for name, why in facts["skipped"]),
        tuple(facts["warnings"]),
        Levels(**facts["levels"]) if facts.get("levels") else None,
        tuple(ColumnFacts(**{**one, "examples": tuple(one["examples"])}) for one in facts["facts"]),
        arrays.get("missing"),
        facts["label"],
        facts["called"],
        besides.read(folder, len(arrays["samples"])),
    )


def read(folder: Path, request: dict[str, Any], limits: Limits) -> None:
    """Files into samples, as `guarded_read` asks for them."""
    work = Work(checked(request["choices"], limits), limits, folder, _reporter(folder))
    write_result(readers.read([Path(path) for path in request["paths"]], work), folder)


def serve(folder: Path, do: Callable[[Path, dict[str, Any], Limits], None] = read) -> int:
    """The other side: do what request.json asks, and answer in facts.json. Runs in the child."""
    request = json.loads((folder / REQUEST).read_text())
    limits = Limits(**request["limits"])
    _confine(limits)
    threading.Thread(target=_end_with, args=(request["parent"],), daemon=True).start()
    try:
        do(folder, request, limits)
    except Problem as problem:
        answer(folder, {"problem": problem.args})
    except OSError as error:
        answer(folder, {"problem": unwritable(folder, error).args})
    return 0


def _confine(limits: Limits) -> None:
    """What the system itself holds the child to, should the guard be too slow or be gone."""
    try:
        import resource
    except ImportError:  # there is no such thing on Windows
        return
    seconds = math.ceil(limits.seconds + 2 * GIVEN_UP)
    for what, most in (
        (resource.RLIMIT_CPU, seconds),
        (resource.RLIMIT_AS, limits.address_space),
        (resource.RLIMIT_FSIZE, max(limits.unpacked, limits.output) + (64 << 20)),
        (resource.RLIMIT_CORE, 0),
    ):
        hard = resource.getrlimit(what)[1]
        least = most if hard == resource.RLIM_INFINITY else min(most, hard)
        resource.setrlimit(what, (least, least))
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)  # a file too long is an OSError then, which is told


def _end_with(parent: int) -> None:
    """Ends this process once the one that asked is gone: nobody would stop it then."""
    while os.getppid() == parent:
        time.sleep(0.5)
    os._exit(1)


def _reporter(folder: Path) -> Progress:
    last = 0.0

    def report(what: str, share: float) -> None:
        nonlocal last
        now = time.monotonic()
        if now - last >= 0.1:
            last = now
            part = folder / f".{PROGRESS}"
            part.write_text(json.dumps([what, share]))
            part.replace(folder / PROGRESS)

    return report

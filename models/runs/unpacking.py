"""A run out of a zip that somebody brings: `python -m models.runs.unpacking FOLDER` is the process that `runs.unpack` starts.

Only files that format 1 knows are taken out, under names of ours, after everything that the zip claims has been held
against its limits. The ONNX files in it are never run: they are written again from the weights and the architecture
named in run.json, and anything else is refused.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import re
import shutil
import sys
import zipfile
import zlib
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import SafetensorError

from models import Problem, architectures, datasets, density, graphs, home, unwritable, uploads
from models.readers import sources
from models.readers.guarded import answer, serve
from models.readers.limits import Limits
from models.readers.work import Work
from models.runs.checking import is_complete, open_run, sha256, text_of
from models.runs.configuration import configure
from models.runs.format import DERIVED, FACTS, HEADER, OPTIONAL, REQUIRED
from models.runs.run import Run
from models.runs.writing import architecture_facts, dataset_facts, seal

TAKEN = ("run.json", *REQUIRED, *OPTIONAL, *DERIVED)
KEPT = ("format", "versions", *(name for name in FACTS if name != "files"))  # of its run.json
VERSIONS = 20  # packages that a run may name
_HARMLESS = re.compile(r"[\w ,.:()²+%'-]{0,100}")  # no address, no markup
_FINISHED = re.compile(r"[12]\d{3}-[01]\d-[0-3]\dT[0-2]\d:[0-5]\d:[0-5]\dZ")


def opened(path: Path, folder: Path, limits: Limits) -> Run:
    """The run in a zip: one in `folder`, sealed anew, or the same run where it is kept already. A `Problem` otherwise."""
    own = home() / "runs"
    try:
        take_out(path, folder, limits)
        run = open_run(folder)
        if uploads.own(run.configuration.dataset) and uploads.dataset(run.configuration.dataset) is None:
            return _kept_already(run)
        return _rebuilt(run)
    except (
        zipfile.BadZipFile,
        EOFError,
        NotImplementedError,
        RuntimeError,
        ValueError,
        MemoryError,
        zlib.error,
    ) as error:
        # RecursionError is a RuntimeError.
        raise Problem(f"the zip is broken ({error})", do="download it again from Hourglass") from error
    except OSError as error:
        raise unwritable(own, error) from error
    except Problem as problem:
        came = problem.came.replace(str(folder), str(own)).replace(f"the run {folder.name} ", "the run in the zip ")
        ours = problem.do is None or "restore its folder" in problem.do
        raise Problem(
            came, problem.expected, "choose a zip downloaded from Hourglass" if ours else problem.do
        ) from problem


def take_out(path: Path, folder: Path, limits: Limits) -> None:
    """A run's files out of a zip into a new folder, each bit by bit: none is ever in memory as a whole."""
    if not zipfile.is_zipfile(path):
        raise _no_run("it is no whole zip")
    work = Work(limits=limits)
    archive, members = sources.open_zip(path, work)
    with archive:
        tops = {name.partition("/")[0] for name in archive.namelist()}
        if len(tops) != 1:
            raise _no_run("it does not hold one run")
        known = {f"{next(iter(tops))}/{name}": name for name in TAKEN}
        for name, why in work.left_out.items():
            if name in known:
                raise _no_run(f"{known[name]}: {why[0]}")
        taken = {known[entry.name]: entry for entry in members if entry.name in known}
        if "run.json" not in taken:
            raise _no_run("it holds no run.json")
        for name, most in (
            ("run.json", limits.about + limits.table),  # the first runs have their columns in it
            ("history.jsonl", limits.history),
            ("columns.json", limits.table),
            ("card.md", limits.about),
            (density.FILE, density.LARGEST),
        ):
            if name in taken and taken[name].size > most:
                raise _too_large(name, taken[name].size, most)
        for name, entry in taken.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            # zipfile stops at the size that the entry claims, and checks its sum.
            with entry.open() as packed, (folder / name).open("wb") as out:
                shutil.copyfileobj(packed, out, 1 << 20)
        try:
            text_of(folder / "run.json", limits.about)
        except ValueError as error:
            raise _too_large("run.json", taken["run.json"].size, limits.about) from error


def _too_large(name: str, size: int, most: int) -> Problem:
    return Problem(
        f"the {name} in the zip has {size:,} bytes",
        f"at most {most:,} are allowed",
        "choose a zip downloaded from Hourglass",
    )


def _no_run(why: str) -> Problem:
    return Problem(f"the file cannot be opened as a run ({why})", do="choose a zip downloaded from Hourglass")


def _disagree(run: Run, came: str, expected: str | None = None) -> Problem:
    return Problem(f"the run {run.folder.name} is damaged: {came}", expected, "choose a zip downloaded from Hourglass")


def _kept_already(run: Run) -> Run:
    """The run of just these weights and codes that is here; without its dataset nothing else of a zip can be checked."""
    place = home() / "runs" / opened_id(run.id, run.folder)
    if is_complete(place):
        return open_run(place)
    raise Problem(
        "the zip holds a run of somebody's own dataset, which is not kept here (it stayed elsewhere, or was deleted)",
        do="open it where that dataset is kept, or first bring the same data on the page Data",
    )


def _rebuilt(run: Run) -> Run:
    """Check an opened run against our own architectures and put graphs of our own writing in place of the zip's."""
    from safetensors.numpy import load_file

    chosen = configure(dataclasses.asdict(run.configuration))
    dataset, architecture = datasets.get(chosen.dataset), architectures.get(chosen.architecture)
    blueprint = architecture.blueprint(dataset.kind, dataset.shape, chosen.code_size, run.card.recipe)
    facts = dataset_facts(dataset)
    about = run.stored_card()
    known = about["dataset"] | {"columns": run.stored_columns}
    stored = {name: known.get(name) for name in facts}
    trained = chosen.id_of(run.card.recipe)
    id_ = opened_id(trained, run.folder)
    same_size = (run.code_size, run.variational) == (chosen.code_size, architecture.variational)
    if json.dumps(stored) != json.dumps(facts) or not same_size or run.id not in (trained, id_):
        raise _disagree(
            run,
            "its configuration and its codes disagree",
            "dataset, shape and code size must be the same in both",
        )
    weights = run.folder / "weights.safetensors"
    if (size := weights.stat().st_size) > (most := 4 * blueprint.parameters + HEADER):
        raise _disagree(run, f"its weights have {size:,} bytes", f"at most {most:,} are possible")
    try:
        values = load_file(weights)
    except SafetensorError as error:
        raise _disagree(run, f"its weights cannot be read ({error})") from error
    if {name: value.shape for name, value in values.items()} != blueprint.weights or any(
        value.dtype not in (np.float32, np.float16) or not np.isfinite(value).all() for value in values.values()
    ):
        raise _disagree(
            run,
            "its weights are not those of its architecture",
            f"{chosen.architecture} has {len(blueprint.weights)} weight arrays, all finite",
        )
    for name, graph in graphs.graphs(blueprint, weights).items():
        (run.folder / name).write_bytes(graph)
    shown = [*about["training"].values(), *(text for metric in about["metrics"] for text in metric.values())]
    finished = run.card.training.finished
    if not all(_HARMLESS.fullmatch(text) for text in shown if isinstance(text, str)) or not _FINISHED.fullmatch(
        finished
    ):
        raise _disagree(run, "run.json holds text that Hourglass did not write")
    (run.folder / "card.md").unlink(missing_ok=True)  # a text of somebody else's
    spread = density.stored(run.folder / density.FILE, run.code_size)
    if spread is None:  # it cannot be read, and can be made again
        (run.folder / density.FILE).unlink(missing_ok=True)
    else:
        (run.folder / density.FILE).write_bytes(spread.packed())
    versions = about.get("versions")
    if (
        not isinstance(versions, dict)
        or len(versions) > VERSIONS
        or not all(isinstance(text, str) and _HARMLESS.fullmatch(text) for pair in versions.items() for text in pair)
    ):
        versions = {}
    ours = {
        "id": id_,
        "dataset": facts,
        "architecture": architecture_facts(architecture, blueprint),
        "versions": versions,
    }
    return seal(run.folder, {name: ours.get(name, value) for name, value in about.items() if name in KEPT})


def opened_id(trained: str, folder: Path) -> str:
    """The id of a run from a zip: another than that of its choices, unless just this run was trained here.

    Whoever asks for the same choices would get it as if it had been trained, and nobody knows what made its numbers.
    """
    parts = [sha256(folder / name) for name in ("weights.safetensors", "codes.f32")]
    here = home() / "runs" / trained
    if is_complete(here) and parts == [sha256(here / name) for name in ("weights.safetensors", "codes.f32")]:
        return trained
    return hashlib.sha256(" ".join([trained, *parts]).encode()).hexdigest()[:16]


def _do(staging: Path, _request: dict[str, Any], limits: Limits) -> None:
    run = opened(staging / "the zip", staging / "run", limits)
    answer(staging, {"run": str(run.folder.absolute())})


if __name__ == "__main__":
    sys.exit(serve(Path(sys.argv[1]), _do))

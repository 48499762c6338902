"""What all labs found, in one table: a line for each lab and each run that ships, or dataset whose answer ships.

The table is a file, so that the page Verdicts opens without reading every answer. It is made of the answers alone, by
`python -m models lab --table`, which computes those that do not ship, and whenever one ships. A line says which question it
answers: where the run or the lab is another since, the line goes.
"""

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass

from models import Problem, datasets, labs, runs
from models.datasets import Dataset
from models.engine import answers
from models.engine.answers import Question
from models.labs import Answer, Lab
from models.runs import Run, write_whole

TABLE = answers.SHIPPED / "table.json"


@dataclass(frozen=True)
class Verdict:
    """What a lab found. lab: its name; name, title: of the run or the dataset that it was asked of; the finding (see
    `models.labs.Finding`) and the verdict in a sentence; asked: the id of the question."""

    lab: str
    name: str
    title: str
    won: str
    against: str
    by: str
    verdict: str
    asked: str


Compute = Callable[[Question], Answer]


def subjects(lab: Lab) -> list[str]:
    """Names of what a lab is in the table with: every run that ships and fits, those first whose answers ship; of datasets those
    whose answers ship."""
    if lab.of == "dataset":
        return list(lab.shipped)
    fitting = {run.folder.name for run in runs.find()[0] if run.pretrained and not lab.fits(run)}
    return [*lab.shipped, *sorted(fitting - set(lab.shipped))]


def made(compute: Compute | None = None) -> list[Verdict]:
    """The table, lab by lab. Of an answer that does not ship: as it was computed here, else the line that is kept, else what
    `compute` makes of the question; left out without it. A `Problem` that says what to do where an answer that should ship is
    missing, or where one tells no finding."""
    known = {one.asked: one for one in read()} if TABLE.is_file() else {}
    found = [_made(lab, name, known, compute) for lab in labs.available().values() for name in subjects(lab)]
    return [one for one in found if one is not None]


def _made(lab: Lab, name: str, known: dict[str, Verdict], compute: Compute | None) -> Verdict | None:
    subject: Run | Dataset = runs.open_run(runs.folder_of(name)) if lab.of == "run" else datasets.get(name)
    asked = answers.question(lab, subject, {})
    do = f"make it by `python -m models lab {lab.name} {name} --ship`"
    if name in lab.shipped:
        found = answers.shipped(asked)
        if found is None:
            raise Problem(f"the lab {lab.title} has no answer about {name}, as it is now, that ships", do=do)
    else:
        found = answers.kept(asked)
        if found is None and asked.id in known:
            return known[asked.id]
        if found is None and compute is not None:
            found = compute(asked)
        if found is None:
            return None
    try:
        told = labs.finding(found.facts)
    except ValueError as error:
        raise Problem(f"the answer of the lab {lab.title} about {name} tells no finding ({error})", do=do) from error
    return Verdict(lab.name, name, subject.title, told.won, told.against, told.by, found.facts["verdict"], asked.id)


def write(compute: Compute | None = None) -> list[Verdict]:
    """Make the table (see `made`) and keep it."""
    table = made(compute)
    # A line each, so that changes of different labs are told apart.
    lines = ",\n".join(json.dumps(asdict(one), ensure_ascii=False) for one in table)
    write_whole(TABLE, f"[\n{lines}\n]\n".encode())
    return table


def read() -> list[Verdict]:
    """The table as it was kept."""
    return [Verdict(**one) for one in json.loads(TABLE.read_text(encoding="utf-8"))]

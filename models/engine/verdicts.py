"""What all labs found, in one table: a line for each answer that ships.

The table is a file, so that the page Verdicts opens without reading every answer. It is made of the answers alone, by
`python -m models lab --table` and whenever one ships.
"""

import json
from dataclasses import asdict, dataclass

from models import Problem, datasets, labs, runs
from models.engine import answers
from models.labs import Lab
from models.runs import write_whole

TABLE = answers.SHIPPED / "table.json"


@dataclass(frozen=True)
class Verdict:
    """What a lab found. lab: its name; name, title: of the run or the dataset that it was asked of; the finding (see
    `models.labs.Finding`) and the verdict in a sentence."""

    lab: str
    name: str
    title: str
    won: str
    against: str
    by: str
    verdict: str


def made() -> list[Verdict]:
    """The table, of the answers: lab by lab, in the order in which each names what its answers are about. A `Problem` that says
    what to do where an answer is missing, or tells no finding."""
    return [_made(lab, name) for lab in labs.available().values() for name in lab.shipped]


def _made(lab: Lab, name: str) -> Verdict:
    subject = runs.open_run(runs.folder_of(name)) if lab.of == "run" else datasets.get(name)
    found = answers.shipped(answers.question(lab, subject, {}))
    do = f"make it by `python -m models lab {lab.name} {name} --ship`"
    if found is None:
        raise Problem(f"the lab {lab.title} has no answer about {name}, as it is now, that ships", do=do)
    try:
        told = labs.finding(found.facts)
    except ValueError as error:
        raise Problem(f"the answer of the lab {lab.title} about {name} tells no finding ({error})", do=do) from error
    return Verdict(lab.name, name, subject.title, told.won, told.against, told.by, found.facts["verdict"])


def write() -> list[Verdict]:
    """Make the table and keep it."""
    table = made()
    # A line each, so that changes of different labs are told apart.
    lines = ",\n".join(json.dumps(asdict(one), ensure_ascii=False) for one in table)
    write_whole(TABLE, f"[\n{lines}\n]\n".encode())
    return table


def read() -> list[Verdict]:
    """The table as it was kept."""
    return [Verdict(**one) for one in json.loads(TABLE.read_text(encoding="utf-8"))]

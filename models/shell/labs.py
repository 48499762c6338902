"""python -m models lab: ask a lab a question of a run or of a dataset, or see what all labs found, from the shell."""

import argparse
import json
from dataclasses import asdict
from typing import Any

from models import Problem, datasets, engine, labs, runs
from models.engine import answers, verdicts
from models.shell.commands import command, show_progress


def add_to(commands: Any) -> None:
    """Add the command to those of the parser."""
    asked = command(commands, "lab", _lab, "Ask a lab a question of a run or a dataset, and keep the answer.")
    asked.add_argument("lab", nargs="?", help=", ".join(labs.available()))
    asked.add_argument(
        "names",
        nargs="*",
        metavar="RUN",
        help="ids of runs, or names of those that ship; of datasets, where the lab asks these",
    )
    asked.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="a setting of the lab, as its page has it; may be given several times",
    )
    asked.add_argument("--ship", action="store_true", help="write the answers that ship, into models/labs/answers/")
    asked.add_argument(
        "--table",
        action="store_true",
        help="print what all labs found, for the page Verdicts; what is not known of the runs that ship is computed first",
    )


def _lab(arguments: argparse.Namespace) -> int:
    if arguments.table:
        return _table(arguments)
    if arguments.lab is None:
        raise Problem("no lab was named", f"the labs are {', '.join(labs.available())}", "name one, or say --table")
    lab = labs.get(arguments.lab)
    names = arguments.names or (list(lab.shipped) if arguments.ship else [])
    if not names:
        raise Problem(f"no {lab.of} was named", do="name one, or say --ship for those whose answers ship")
    if arguments.ship and arguments.set:
        raise Problem("answers to the usual settings ship, no others", do="leave out --set or --ship")
    settings = dict(_setting(lab, text) for text in arguments.set)
    for name in names:
        subject = runs.open_run(runs.folder_of(name)) if lab.of == "run" else datasets.get(name)
        asked = engine.question(lab, subject, settings)
        answer = answers.compute(asked, labs.quiet if arguments.json else _show)
        if arguments.ship:
            labs.finding(answer.facts)  # what all that ships has to tell
            answers.ship(asked, answer)
        else:
            answers.write(asked, answer)
        told = {lab.of: asked.subject, **answer.facts}
        print(json.dumps(told) if arguments.json else f"{subject.title}: {answer.facts['verdict']}")
    if arguments.ship:
        verdicts.write()
    return 0


def _table(arguments: argparse.Namespace) -> int:
    if arguments.lab or arguments.set or arguments.ship:
        raise Problem("the table is of all labs", do="say --table alone")

    def compute(asked: answers.Question) -> labs.Answer:
        answer = answers.compute(asked, labs.quiet if arguments.json else _show)
        answers.write(asked, answer)
        return answer

    for one in verdicts.write(compute):
        told = f"{one.lab:<12} {one.name:<34} {one.won:<8} {one.by} ({one.against})"
        print(json.dumps(asdict(one)) if arguments.json else told)
    return 0


def _show(what: str, share: float, _sketch: labs.Sketch | None = None, /) -> None:
    show_progress(what, share)


def _setting(lab: labs.Lab, text: str) -> tuple[str, labs.Setting]:
    """NAME=VALUE, with the value of the type that the setting usually has."""
    name, given, value = text.partition("=")
    usual = lab.chosen({}).get(name)
    if not given or usual is None:
        raise Problem(
            f"“{text[:80]}” is no setting of the lab {lab.title}",
            f"its settings are {', '.join(f'{one}={value}' for one, value in lab.settings.items()) or 'none'}",
        )
    try:
        read: labs.Setting = json.loads(value.lower()) if isinstance(usual, bool | int | float) else value
        return name, type(usual)(read)
    except (ValueError, TypeError) as error:
        raise Problem(f"“{value[:80]}” is no value of {name}", f"one like {usual} was expected") from error

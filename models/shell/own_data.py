"""python -m models data add, list and delete: datasets of one's own."""

import argparse
import dataclasses
import json
import time
from pathlib import Path
from typing import Any

from models import Problem, datasets, uploads
from models.shell.commands import command, show_progress
from models.uploads import SHELL


def add_to(commands: Any) -> None:
    """Add the commands to those of the parser."""
    data = commands.add_parser("data", help="Keep, list and delete datasets of your own.").add_subparsers(
        required=True, metavar="what"
    )

    add = command(data, "add", _add, "Read files or a folder and keep them as a dataset to train on.")
    add.add_argument(
        "paths", type=Path, nargs="+", metavar="PATH", help="a folder, a file, or files that belong together"
    )
    add.add_argument("--title", metavar="WORDS", help="what to call it (default: the name of the file or folder)")
    add.add_argument(
        "--choices",
        default="{}",
        metavar="JSON",
        help='what to decide otherwise, like {"size": 32, "label": "species"}',
    )
    add.add_argument(
        "--share", action="store_true", help="let everybody who opens this Hourglass see it and train on it"
    )
    command(data, "list", _listed, "List the datasets that were added from the shell.")
    command(data, "delete", _delete, "Delete a dataset that was added from the shell; its runs stay.").add_argument(
        "name"
    )


def _add(arguments: argparse.Namespace) -> int:
    from models.readers.guarded import guarded_read
    from models.readers.limits import LARGE

    try:
        choices = json.loads(arguments.choices)
        if not isinstance(choices, dict):
            raise ValueError("it is something else")
    except (ValueError, RecursionError) as error:
        raise Problem(f"--choices must be a JSON object ({error})", do='write it like {"size": 32}') from error
    progress = (lambda _what, _share: None) if arguments.json else show_progress
    folder = uploads.staging_directory(SHELL)
    try:
        found = guarded_read(arguments.paths, folder / "read", choices, progress, LARGE)
        for decision in found.decisions:
            if decision.asks:
                ways = " or ".join(
                    f"--choices '{json.dumps({decision.what: option})}'" for option in decision.options[:4]
                )
                raise Problem(decision.words.rstrip("."), do=f"say which it is: {ways}")
        title = arguments.title or arguments.paths[0].resolve().stem
        kept = uploads.save(found, SHELL, title, "added from the shell", shared=arguments.share)
    finally:
        uploads.remove_staging(folder)
    if arguments.json:
        decisions = [dataclasses.asdict(decision) for decision in found.decisions]
        columns = [dataclasses.asdict(facts) for facts in found.facts]
        told = {"decisions": decisions, "columns": columns, "warnings": found.warnings, "skipped": found.skipped}
        print(json.dumps({**_brief(kept), **told}))
        return 0
    print(f"{kept.name}  {kept.title}: {kept.count:,} samples of {'x'.join(map(str, kept.shape))}, {kept.kind}")
    for words in (*(decision.words for decision in found.decisions), *found.warnings):
        print(f"  {words}")
    for place, why in found.skipped:
        print(f"  skipped {place}: {why}")
    return 0


def _brief(dataset: datasets.Dataset) -> dict[str, Any]:
    return {name: getattr(dataset, name) for name in ("name", "title", "kind", "shape", "count", "classes")}


def _listed(arguments: argparse.Namespace) -> int:
    mine = [one for one in uploads.of(SHELL) if one.owner == SHELL]
    if arguments.json:
        keys = ("name", "title", "kind", "shape", "count", "classes", "bytes", "shared", "expires")
        print(json.dumps([{key: getattr(one, key) for key in keys} for one in mine]))
        return 0
    for one in mine:
        until = time.strftime("%Y-%m-%d", time.localtime(one.expires))
        shape = "x".join(map(str, one.shape))
        print(
            f"{one.name}  {one.title:<30}{one.kind:<8}{shape:<12}{one.count:>9,} samples  {one.bytes / 1e6:,.1f} MB  until {until}"
            + ("  shared" if one.shared else "")
        )
    if not mine:
        print("none yet: python -m models data add PATH")
    return 0


def _delete(arguments: argparse.Namespace) -> int:
    datasets.delete(arguments.name, SHELL)
    print(json.dumps({"deleted": arguments.name}) if arguments.json else f"{arguments.name} is deleted")
    return 0

"""What the commands share."""

import argparse
import sys
from typing import Any

from models import Problem, architectures, datasets, labs, losses


def command(commands: Any, name: str, run: Any, about: str) -> argparse.ArgumentParser:
    """A further command, which calls `run` with its arguments; its exit code is what that returns."""
    made: argparse.ArgumentParser = commands.add_parser(name, help=about, description=about)
    made.add_argument("--json", action="store_true", help="answer in JSON, for machines")
    made.set_defaults(run=run)
    return made


def broken() -> list[Problem]:
    """What is wrong with files that should give a dataset, an architecture, a term of the loss or a lab."""
    return [*datasets.broken(), *architectures.broken(), *losses.broken(), *labs.broken()]


def show_progress(what: str, share: float) -> None:
    """A line on standard error that is written over until the share, from 0 to 1, is 1."""
    print(f"\r{what} {share:5.0%}", end="" if share < 1 else "\n", file=sys.stderr, flush=True)

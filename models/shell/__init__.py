"""The same from a shell: python -m models train | list | evaluate | export | film | download | lab | data.

Exit codes: 0 done, 1 a problem told in words on standard error, 2 unusable arguments, 3 stopped with nothing to keep.
"""

import argparse
import json
import sys

from models import Problem
from models.shell import films, labs, library, own_data, training
from models.shell.commands import broken

__all__ = ["main"]


def main(arguments: list[str] | None = None) -> int:
    """Parse, run the chosen command, and turn every `Problem` into a sentence and exit code 1."""
    chosen = parser().parse_args(arguments)
    for problem in broken():
        print(f"hourglass: {problem}", file=sys.stderr)
    try:
        return int(chosen.run(chosen))
    except Problem as problem:
        if chosen.json:
            print(json.dumps({"error": dict(zip(("came", "expected", "do"), problem.parts, strict=True))}))
        else:
            print(f"hourglass: {problem}", file=sys.stderr)
        return 1


def parser() -> argparse.ArgumentParser:
    """Of all commands."""
    made = argparse.ArgumentParser("python -m models", description="Train, list, evaluate and export autoencoders.")
    commands = made.add_subparsers(required=True, metavar="command")
    training.add_to(commands)
    library.add_to(commands)
    films.add_to(commands)
    own_data.add_to(commands)
    labs.add_to(commands)
    return made

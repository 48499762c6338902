"""python -m models film: what a run's map and decoder show, as a picture that moves."""

import argparse
import json
from pathlib import Path
from typing import Any

from models import Problem, films, runs
from models.shell.commands import command, show_progress


def add_to(commands: Any) -> None:
    """Add the command to those of the parser."""
    film = command(commands, "film", _film, "Write a moving picture of a run's map and decoder.")
    film.add_argument("name", metavar="RUN", help="id of a run, or name of one that ships")
    film.add_argument(
        "--what",
        choices=films.WHAT,
        default="path",
        help="replay is the map as the training formed it; path walks between samples; dimensions moves each number of the "
        "code; walk goes round the map (default path)",
    )
    film.add_argument("--format", choices=films.FORMATS, help="default: what the file's name ends with, else gif")
    film.add_argument("--size", type=int, default=320, metavar="N", help="pixels from top to bottom (default 320)")
    film.add_argument("--seconds", type=float, metavar="S", help="how long it takes (default: what suits it)")
    film.add_argument("--fps", type=float, default=15.0, metavar="N", help="frames a second (default 15)")
    film.add_argument("--once", action="store_true", help="play once and stop (default: again and again)")
    film.add_argument("--alone", action="store_true", help="what is decoded without the map")
    film.add_argument(
        "--samples",
        type=_positions,
        default=(),
        metavar="N,N",
        help="the samples that a path leads through, counted from 1 as the run keeps them; the first is what dimensions and "
        "walk begin from",
    )
    film.add_argument("--plane", default="", metavar="PLANE", help="pca, or two dimensions like z1,z2")
    film.add_argument(
        "--out", type=Path, metavar="FILE", help="where to write (default: a name of its own in this folder)"
    )


def _positions(text: str) -> tuple[int, ...]:
    try:
        return tuple(int(one) - 1 for one in text.split(","))
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text} was given; numbers with commas between them were expected") from None


def _film(arguments: argparse.Namespace) -> int:
    ending = arguments.out.suffix.lower().removeprefix(".") if arguments.out else ""
    format = arguments.format or ending or films.FORMATS[0]
    if format not in films.FORMATS:
        raise Problem(
            f"films are not written as {format}", f"{' and '.join(films.FORMATS)} are possible", "name another file"
        )
    run = runs.open_run(runs.folder_of(arguments.name))
    film = films.Film(
        run,
        films.Choices(
            arguments.what,
            arguments.size,
            arguments.seconds,
            arguments.fps,
            not arguments.once,
            arguments.alone,
            arguments.samples,
            arguments.plane,
        ),
    )
    progress = (lambda _share: None) if arguments.json else (lambda share: show_progress("Filming", share))
    content = films.written(film, format, progress)
    out = arguments.out or Path(f"{run.folder.name}-{arguments.what}.{format}")
    runs.write_whole(out.absolute(), content)
    width, height = film.size
    seconds = sum(film.hundredths) / 100
    told = {"file": str(out), "bytes": len(content), "frames": film.count, "seconds": seconds, "size": [width, height]}
    words = f"{out}: {film.count} frames of {width} x {height}, {seconds:g} s, {len(content):,} bytes"
    print(json.dumps(told) if arguments.json else words)
    return 0

"""python -m models train."""

import argparse
import contextlib
import dataclasses
import json
import shutil
import signal
import sys
import time
from collections.abc import Callable, Iterator
from typing import Any

from models import PRETRAINED, Problem, architectures, datasets, engine, losses, runs
from models.runs.zoo import ZOO
from models.shell.commands import command
from models.uploads import SHELL


def add_to(commands: Any) -> None:
    """Add the command to those of the parser."""
    train = command(commands, "train", _train, "Train a run and keep it under HOURGLASS_HOME.")
    what = train.add_mutually_exclusive_group()
    what.add_argument("--preset", metavar="NAME", help=f"start from one of: {', '.join(_presets())}")
    what.add_argument("--configuration", metavar="JSON", help="all choices as one JSON object")
    _add_choices(train)
    train.add_argument(
        "--time",
        type=_seconds,
        metavar="SECONDS",
        help="train for so long in place of a number of epochs",
    )
    train.add_argument(
        "--tsne",
        type=_layout,
        default=2000,
        metavar="N",
        help="codes to lay out by t-SNE when D > 2 (0 to 5000, default 2000)",
    )
    train.add_argument(
        "--ship",
        action="store_true",
        help="with --preset zoo/NAME: store float16 weights and put the run into pretrained/NAME",
    )
    train.add_argument("--here", action="store_true", help="train in this process instead of handing it to the engine")


def _add_choices(train: argparse.ArgumentParser) -> None:
    """An option for each field of a configuration."""
    of_terms = {choice.field: choice for term in losses.available().values() for choice in term.choices}
    for field in dataclasses.fields(runs.Configuration):
        if field.name not in ("stopped_after", "cooled", "seconds", "steps", "steady"):
            default = (
                ""
                if field.default is dataclasses.MISSING
                else f" (default {field.default}, unless dataset and architecture have their own)"
            )
            known: dict[str, Any] = {
                "dataset": datasets.available(),
                "architecture": architectures.available(),
                "noise": runs.NOISES,
                "loss": runs.LOSSES,
                "recipe": runs.RECIPES,
            }
            options = f"one of {', '.join(known[field.name])}" if field.name in known else field.name.replace("_", " ")
            if field.name in of_terms:
                options = of_terms[field.name].about.removesuffix(".").replace("%", "%%")
            train.add_argument(
                f"--{field.name.replace('_', '-')}", dest=field.name, metavar="X", help=options + default
            )


def _presets() -> dict[str, dict[str, Any]]:
    """The choices of each preset, of the page Train and of the zoo, by its name in a shell."""
    slugs = {
        name.lower().replace(" ", "-").replace("(", "").replace(")", ""): choices
        for name, choices in runs.PRESETS.items()
    }
    return slugs | {f"zoo/{name}": shipped.choices for name, shipped in ZOO.items()}


def _layout(text: str) -> int:
    if not text.isdecimal() or int(text) > 5000:
        raise argparse.ArgumentTypeError(f"{text} codes were asked for; 0 to 5000 can be laid out")
    return int(text)


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0.0
    if not 0 < seconds < float("inf"):
        raise argparse.ArgumentTypeError(f"a number of seconds must be above 0; {text} was given")
    return seconds


def _chosen(arguments: argparse.Namespace) -> runs.Configuration:
    values: dict[str, Any] = {}
    if arguments.preset:
        presets = _presets()
        if arguments.preset not in presets:
            raise Problem(f"the preset “{arguments.preset}” is unknown", f"known presets are {', '.join(presets)}")
        values = dict(presets[arguments.preset])
    elif arguments.configuration:
        try:
            values = json.loads(arguments.configuration)
            if not isinstance(values, dict):
                raise ValueError("it is something else")
        except (ValueError, RecursionError) as error:
            raise Problem(
                f"--configuration must be a JSON object ({error})",
                do='write it like {"dataset": "digits", "architecture": "modern"}',
            ) from error
    named = {f.name: getattr(arguments, f.name, None) for f in dataclasses.fields(runs.Configuration)}
    return runs.configure(values | {name: value for name, value in named.items() if value is not None})


def _train(arguments: argparse.Namespace) -> int:
    configuration = _chosen(arguments)
    datasets.check(configuration.dataset, SHELL)
    if arguments.time is not None:
        if arguments.epochs is not None:
            raise Problem("--time and --epochs cannot be combined", do="leave one of them out")
        configuration = runs.configure(dataclasses.asdict(configuration) | {"seconds": arguments.time})
    if arguments.ship and not (arguments.preset or "").startswith("zoo/"):
        raise Problem("--ship works with presets of the zoo only", do="add --preset zoo/NAME")
    if not arguments.ship and engine.kept(configuration.id):
        return _print_result(arguments, runs.open_run(runs.folder_of(configuration.id)))
    if arguments.here or arguments.ship:
        return _train_here(arguments, configuration)
    return _train_there(arguments, configuration)


def _train_here(arguments: argparse.Namespace, configuration: runs.Configuration) -> int:
    """In this process, in the foreground. The engine keeps its hands off: what it trains itself is refused."""
    id_ = configuration.id
    if engine.status(id_).alive:
        raise Problem(
            f"the run {id_} is already being trained by another process", do="wait for it, or change a choice"
        )
    folder, attempt = engine.active(id_), engine.claim(id_)
    with _stopping(
        lambda: engine.control(folder, attempt, "keep")
    ):  # from before torch is imported, which takes its time
        from models import training

        try:
            stored = ZOO[arguments.preset.removeprefix("zoo/")].stored if arguments.ship else None
            run = training.train(
                configuration, folder, attempt, half=arguments.ship, tsne=arguments.tsne, stored=stored
            )
        except training.Stopped:
            shutil.rmtree(folder, ignore_errors=True)
            return _nothing(arguments, id_)
        except training.Superseded:
            raise Problem(
                f"another process has taken over the run {id_}", do="follow it with python -m models list"
            ) from None
        except Problem as problem:
            with contextlib.suppress(Problem, training.Superseded, training.Stopped):
                training.Report(folder, configuration, attempt).write("failed", "failed", 0.0, problem)
            raise
    if arguments.ship and run.configuration.stopped_after is not None:
        raise Problem(
            f"the training ended after {run.configuration.stopped_after} of {configuration.epochs} epochs",
            "only a completed training can ship",
            "start it again: it goes on from its checkpoint or from the beginning",
        )
    if arguments.ship:
        return _print_result(arguments, _ship(run, arguments.preset.removeprefix("zoo/")))
    engine.finished(id_, run)
    run = runs.open_run(runs.folder_of(run.id))
    engine.adopt(run, SHELL, configuration)
    return _print_result(arguments, run)


def _train_there(arguments: argparse.Namespace, configuration: runs.Configuration) -> int:
    """In the engine: the one that runs, else one of our own for as long as this takes. Ctrl-C keeps what was learnt."""
    with engine.EngineSupervisor(workers=1):  # which starts one where none is alive, or where one goes meanwhile
        id_ = engine.submit(configuration)
        shown = ""
        with _stopping(lambda: engine.cancel(id_, SHELL, keep=True)):
            while (status := engine.status(id_)).alive:
                words = status.what or status.phase
                if words != shown and not arguments.json:
                    print(words, file=sys.stderr)
                shown = words
                time.sleep(0.1)
    if status.problem is not None:
        raise status.problem
    if status.phase != "done":
        return _nothing(arguments, id_)
    return _print_result(arguments, runs.open_run(runs.folder_of(status.id)))


def _nothing(arguments: argparse.Namespace, id_: str) -> int:
    print(json.dumps({"stopped": id_}) if arguments.json else "stopped, nothing was kept")
    return 3


@contextlib.contextmanager
def _stopping(stop: Callable[[], object]) -> Iterator[None]:
    """Ctrl-C asks the training to stop and keep what it learnt, as the page's button does."""
    before = signal.signal(signal.SIGINT, lambda *_: stop())
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def _ship(run: runs.Run, name: str) -> runs.Run:
    """Put a run into pretrained/NAME with its card, in place of what was there."""
    from models.analysis import card

    for left in runs.WORKING:
        (run.folder / left).unlink(missing_ok=True)
    about = {key: value for key, value in run.stored_card().items() if key != "files"}
    about["replay"] = runs.thinned_replay(run, ZOO[name].frames)
    (run.folder / "card.md").write_text(card.text(run, name))
    run = runs.seal(run.folder, about)
    place = PRETRAINED / name
    PRETRAINED.mkdir(exist_ok=True)
    shutil.rmtree(place, ignore_errors=True)
    shutil.move(run.folder, place)
    (PRETRAINED / "README.md").write_text(card.index([run for run in runs.find()[0] if run.pretrained]))
    return runs.open_run(place)


def _print_result(arguments: argparse.Namespace, run: runs.Run) -> int:
    if arguments.json:
        print(
            json.dumps(
                {
                    "id": run.id,
                    "folder": str(run.folder),
                    "metrics": [dataclasses.asdict(metric) for metric in run.card.metrics],
                    "training": dataclasses.asdict(run.card.training),
                }
            )
        )
        return 0
    trained = run.card.training
    print(
        f"{run.title}\n{run.id} in {run.folder}\n{trained.epochs} epoch{'' if trained.epochs == 1 else 's'} in {trained.seconds:.1f} s, {trained.samples_per_second:,.0f} samples/s"
    )
    if run.only_mean:
        print("It has learnt only the mean sample: train it for more epochs, or with another learning rate.")
    for metric in run.card.metrics:
        print(f"  {metric.title}: {metric.value:.4g} {metric.unit} ({metric.split} split, {metric.count:,} samples)")
    return 0

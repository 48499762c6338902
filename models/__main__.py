"""The same from a shell: python -m models train | list | evaluate | export | download | data.

Exit codes: 0 done, 1 a problem told in words on standard error, 2 unusable arguments, 3 stopped with nothing to keep.
"""

import argparse
import contextlib
import dataclasses
import json
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from models import PRETRAINED, Problem, architectures, datasets, engine, losses, runs, uploads
from models.runs.zoo import ZOO
from models.uploads import SHELL


def main(arguments: list[str] | None = None) -> int:
    """Parse, run the chosen command, and turn every `Problem` into a sentence and exit code 1."""
    parser = _parser()
    chosen = parser.parse_args(arguments)
    for problem in _broken():
        print(f"hourglass: {problem}", file=sys.stderr)
    try:
        return int(chosen.run(chosen))
    except Problem as problem:
        if chosen.json:
            print(json.dumps({"error": dict(zip(("came", "expected", "do"), problem.parts, strict=True))}))
        else:
            print(f"hourglass: {problem}", file=sys.stderr)
        return 1


def _broken() -> list[Problem]:
    """What is wrong with files that should give a dataset, an architecture or a term of the loss."""
    return [*datasets.broken(), *architectures.broken(), *losses.broken()]


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("python -m models", description="Train, list, evaluate and export autoencoders.")
    commands = parser.add_subparsers(required=True, metavar="command")

    def command(name: str, run: Any, about: str) -> argparse.ArgumentParser:
        sub = commands.add_parser(name, help=about, description=about)
        sub.add_argument("--json", action="store_true", help="answer in JSON, for machines")
        sub.set_defaults(run=run)
        return sub

    train = command("train", _train, "Train a run and keep it under HOURGLASS_HOME.")
    what = train.add_mutually_exclusive_group()
    presets = [
        *(name.lower().replace(" ", "-").replace("(", "").replace(")", "") for name in runs.PRESETS),
        *(f"zoo/{name}" for name in ZOO),
    ]
    what.add_argument("--preset", metavar="NAME", help=f"start from one of: {', '.join(presets)}")
    what.add_argument("--configuration", metavar="JSON", help="all choices as one JSON object")
    of_terms = {choice.field: choice for term in losses.available().values() for choice in term.choices}
    for field in dataclasses.fields(runs.Configuration):
        if field.name not in ("stopped_after", "cooled"):
            default = (
                ""
                if field.default is dataclasses.MISSING
                else f" (default {field.default}, unless the architecture has its own)"
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
    train.add_argument(
        "--time",
        type=_seconds,
        metavar="SECONDS",
        help="train for about so long in place of a number of epochs: a short timing in this process makes it epochs",
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

    command("list", _list, "List datasets, architectures and finished runs.")
    evaluate = command("evaluate", _evaluate, "Check a run's files and measure its test error again.")
    evaluate.add_argument("name", help="id of a run, or name of one that ships")
    export = command("export", _export, "Copy a run, or a part of it, for use elsewhere.")
    export.add_argument("name", help="id of a run, or name of one that ships")
    export.add_argument(
        "--what",
        choices=("run", "weights", "encoder", "decoder", "codes", "table"),
        default="run",
        help="run is a zip; encoder and decoder are single ONNX files; codes is CSV, table the same as Parquet (default run)",
    )
    export.add_argument(
        "--out", type=Path, metavar="FILE", help="where to write (default: a name of its own in this folder)"
    )
    download = command("download", _download, "Download a dataset's files and check them.")
    download.add_argument("name", help=", ".join(name for name, d in datasets.available().items() if d.files))
    data = commands.add_parser("data", help="Keep, list and delete datasets of your own.").add_subparsers(
        required=True, metavar="what"
    )

    def about_data(name: str, run: Any, about: str) -> argparse.ArgumentParser:
        sub = data.add_parser(name, help=about, description=about)
        sub.add_argument("--json", action="store_true", help="answer in JSON, for machines")
        sub.set_defaults(run=run)
        return sub

    add = about_data("add", _add, "Read files or a folder and keep them as a dataset to train on.")
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
    about_data("list", _listed, "List the datasets that were added from the shell.")
    about_data("delete", _delete, "Delete a dataset that was added from the shell; its runs stay.").add_argument("name")
    return parser


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
        slugs = {
            name.lower().replace(" ", "-").replace("(", "").replace(")", ""): choices
            for name, choices in runs.PRESETS.items()
        }
        slugs |= {f"zoo/{name}": exhibit.choices for name, exhibit in ZOO.items()}
        if arguments.preset not in slugs:
            raise Problem(f"the preset “{arguments.preset}” is unknown", f"known presets are {', '.join(slugs)}")
        values = dict(slugs[arguments.preset])
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


def _timed(configuration: runs.Configuration, seconds: float) -> runs.Configuration:
    """The configuration with the epochs that fit into so many seconds here and now."""
    from models import training

    with tempfile.TemporaryDirectory() as folder:
        each = training.epoch_seconds(configuration, Path(folder))
    return runs.configure(dataclasses.asdict(configuration) | {"epochs": engine.epochs_within(seconds, each)})


def _train(arguments: argparse.Namespace) -> int:
    configuration = _chosen(arguments)
    datasets.check(configuration.dataset, SHELL)
    if arguments.time is not None:
        if arguments.epochs is not None:
            raise Problem("--time and --epochs cannot be combined", do="leave one of them out")
        configuration = _timed(configuration, arguments.time)
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
    (run.folder / "card.md").write_text(card.text(run, name))
    run = runs.seal(run.folder, {key: value for key, value in run.stored_card().items() if key != "files"})
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
    for metric in run.card.metrics:
        print(f"  {metric.title}: {metric.value:.4g} {metric.unit} ({metric.split} split, {metric.count:,} samples)")
    return 0


def _list(arguments: argparse.Namespace) -> int:
    ready, problems = runs.find()
    if arguments.json:
        facts = {
            "datasets": [
                {
                    "name": d.name,
                    "kind": d.kind,
                    "shape": d.shape,
                    "count": d.count,
                    "downloaded": not datasets.missing(d),
                }
                for d in datasets.available().values()
            ],
            "architectures": [
                {"name": a.name, "paper": a.paper, "kinds": a.kinds} for a in architectures.available().values()
            ],
            "runs": [
                {
                    "id": r.id,
                    "name": r.folder.name,
                    "title": r.title,
                    "pretrained": r.pretrained,
                    "mse": r.metric("mse"),
                }
                for r in ready
            ],
            "problems": [str(problem) for problem in (*_broken(), *problems)],
        }
        print(json.dumps(facts))
        return 0
    print("Datasets")
    for d in datasets.available().values():
        print(
            f"  {d.name:<28}{'x'.join(map(str, d.shape)):<12}{d.count:>7,} samples{'  (to be downloaded)' if datasets.missing(d) else ''}"
        )
    print("Architectures")
    for a in architectures.available().values():
        print(f"  {a.name:<28}{a.takes:<36}{a.summary}")
    print("Runs")
    for r in ready:
        print(f"  {r.folder.name:<36}{r.title:<60}test error {r.metric('mse') or float('nan'):.4f}")
    for problem in problems:
        print(f"hourglass: {problem}", file=sys.stderr)
    return 0


def _evaluate(arguments: argparse.Namespace) -> int:
    run = runs.open_run(runs.folder_of(arguments.name))
    from models.analysis import reconstruct

    measured = reconstruct.test_error(run)
    if arguments.json:
        metrics = [dataclasses.asdict(metric) for metric in run.card.metrics]
        print(json.dumps({"id": run.id, **measured, "metrics": metrics}))
        return 0
    print(f"{run.title}: all files are as they were written")
    print(
        f"  mean squared error on {measured['count']:,} test samples: {measured['mse']:.6f} (stored {measured['stored_mse']:.6f})"
    )
    print(f"  PCA at the same code size: {measured['pca_mse']:.6f}")
    return 0


def _export(arguments: argparse.Namespace) -> int:
    from models import export

    run = runs.open_run(runs.folder_of(arguments.name))
    content = export.part(run, arguments.what, named=True)
    out = arguments.out or Path(export.file_name(run, arguments.what))
    runs.write_whole(out.absolute(), content)
    print(json.dumps({"file": str(out), "bytes": len(content)}) if arguments.json else f"{out}: {len(content):,} bytes")
    return 0


def _download(arguments: argparse.Namespace) -> int:
    dataset = datasets.get(arguments.name)
    progress = (lambda _what, _share: None) if arguments.json else _bar
    datasets.download(dataset, progress)
    for remote in dataset.files:
        datasets.file(dataset, remote.name)
    print(
        json.dumps({"dataset": dataset.name, "files": [r.name for r in dataset.files]})
        if arguments.json
        else f"{dataset.title} is here and checked"
    )
    return 0


def _add(arguments: argparse.Namespace) -> int:
    from models.readers.guarded import guarded_read
    from models.readers.limits import LARGE

    try:
        choices = json.loads(arguments.choices)
        if not isinstance(choices, dict):
            raise ValueError("it is something else")
    except (ValueError, RecursionError) as error:
        raise Problem(f"--choices must be a JSON object ({error})", do='write it like {"size": 32}') from error
    progress = (lambda _what, _share: None) if arguments.json else _bar
    folder = uploads.staging_directory(SHELL)
    try:
        found = guarded_read(arguments.paths, folder / "read", choices, progress, LARGE)
        title = arguments.title or arguments.paths[0].resolve().stem
        kept = uploads.save(found, SHELL, title, "added from the shell", shared=arguments.share)
    finally:
        uploads.remove_staging(folder)
    if arguments.json:
        decisions = [dataclasses.asdict(decision) for decision in found.decisions]
        print(
            json.dumps({**_brief(kept), "decisions": decisions, "warnings": found.warnings, "skipped": found.skipped})
        )
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


def _bar(what: str, share: float) -> None:
    print(f"\r{what} {share:5.0%}", end="" if share < 1 else "\n", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())

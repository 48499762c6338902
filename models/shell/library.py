"""python -m models list, evaluate, export and download: what is there, and what becomes of it."""

import argparse
import dataclasses
import json
import sys
from pathlib import Path
from typing import Any

from models import Problem, architectures, datasets, runs
from models.shell.commands import broken, command, show_progress


def add_to(commands: Any) -> None:
    """Add the commands to those of the parser."""
    command(commands, "list", _list, "List datasets, architectures and finished runs.")
    evaluate = command(commands, "evaluate", _evaluate, "Check a run's files and measure its test error again.")
    evaluate.add_argument("name", help="id of a run, or name of one that ships")
    export = command(commands, "export", _export, "Copy a run, or a part of it, for use elsewhere.")
    export.add_argument(
        "names", nargs="+", metavar="RUN", help="id of a run, or name of one that ships; of up to four as one page"
    )
    export.add_argument(
        "--what",
        choices=("run", "page", "weights", "encoder", "decoder", "codes", "table"),
        default="run",
        help="run is a zip; page is one .html that opens without a server or a network; encoder and decoder are single ONNX "
        "files; codes is CSV, table the same as Parquet (default run)",
    )
    export.add_argument(
        "--out", type=Path, metavar="FILE", help="where to write (default: a name of its own in this folder)"
    )
    export.add_argument(
        "--bits",
        type=int,
        help="of each weight on the page: 16, 8 or 6 (default: the fewest that cost at most 1 %% of the error)",
    )
    export.add_argument(
        "--samples",
        action=argparse.BooleanOptionalAction,
        help="whether originals travel on the page as small pictures (default: where the licence of a dataset that ships "
        "allows it; never those of your own)",
    )
    export.add_argument(
        "--draw",
        action=argparse.BooleanOptionalAction,
        default=True,
        help="whether one can draw on the page of one run (default yes)",
    )
    site = command(commands, "site", _site, "Write a site of runs: a folder for any static host.")
    site.add_argument("out", type=Path, metavar="FOLDER", help="where to write")
    site.add_argument("names", nargs="*", metavar="RUN", help="ids of runs, or names of those that ship")
    site.add_argument("--all", action="store_true", help="all runs that ship")
    site.add_argument("--title", default="", help="of the front page")
    download = command(commands, "download", _download, "Download a dataset's files and check them.")
    download.add_argument("name", help=", ".join(name for name, d in datasets.available().items() if d.files))


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
            "problems": [str(problem) for problem in (*broken(), *problems)],
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
    from models import export, pages

    chosen = [runs.open_run(runs.folder_of(name)) for name in arguments.names]
    (run, *others) = chosen
    if others and (arguments.what != "page" or len(others) > 3):
        raise Problem("several runs leave as one page only, up to four", do="add --what page, or name one run")
    out = arguments.out or Path(export.compared_name(chosen) if others else export.file_name(run, arguments.what))
    if arguments.what == "page":
        bits, samples = arguments.bits, arguments.samples
        made = (
            pages.comparison(chosen, bits=bits, samples=samples)
            if others
            else pages.page(run, bits=bits, encoder=arguments.draw, samples=samples)
        )
        runs.write_whole(out.absolute(), made.html)
        facts = {"weight_bits": made.bits, "lost": made.lost, "samples": made.samples}
        print(json.dumps({"file": str(out), "bytes": len(made.html), **facts}) if arguments.json else out)
        return 0
    content = export.part(run, arguments.what, named=True)
    runs.write_whole(out.absolute(), content)
    print(json.dumps({"file": str(out), "bytes": len(content)}) if arguments.json else f"{out}: {len(content):,} bytes")
    return 0


def _site(arguments: argparse.Namespace) -> int:
    from models.site import site

    names = [run.folder.name for run in runs.find()[0] if run.pretrained] if arguments.all else arguments.names
    written = site(arguments.out, [runs.open_run(runs.folder_of(name)) for name in names], arguments.title)
    print(json.dumps({"pages": [str(page) for page in written]}) if arguments.json else written[0])
    return 0


def _download(arguments: argparse.Namespace) -> int:
    dataset = datasets.get(arguments.name)
    progress = (lambda _what, _share: None) if arguments.json else show_progress
    datasets.download(dataset, progress)
    for remote in dataset.files:
        datasets.file(dataset, remote.name)
    print(
        json.dumps({"dataset": dataset.name, "files": [r.name for r in dataset.files]})
        if arguments.json
        else f"{dataset.title} is here and checked"
    )
    return 0

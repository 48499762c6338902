"""How the default choices do beside PCA: architecture by dataset by code size, at any code size where PCA is not nearly exact.

    python benchmarks/defaults.py [--quick] [--split validation] [--only WORD ...] [--jobs 1]

Each training is what the page and the shell begin with where only dataset, architecture, code size and noise are chosen.
Datasets ship, or are read and kept like files that somebody drops (`dropped.py`). The ratio is our mean squared error to that
of PCA with the same code size, on the test split, both given the noisy input where noise is trained; choose nothing by it:
that is what `--split validation` is for. Core-seconds are those of the training alone, in a process of its own with one
thread. `--quick` is the 40 trainings of `QUICK`; without it every architecture meets every dataset, which takes hours.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from serving import ROOT

sys.path.insert(0, str(ROOT))
import numpy as np
from dropped import DROPPED

SHIPPED = ("digits", "shapes", "cats")
LEFT = 0.05  # of the variance: where PCA leaves less it is nearly exact, and no ratio is asked for
QUICK = """
digits single-layer 2, digits single-layer 16, digits multi-layer 2, digits convolutional 2, digits deep 2, digits modern 2,
digits variational 2, digits variational 16, digits gru 2, digits convolutional 16 gaussian, digits modern 16 gaussian,
digits single-layer 16 gaussian, mnist-2000 modern-convolutional 2, mnist-2000 modern 8, mnist-2000 single-layer 2,
mnist-10000 convolutional 2, mnist-10000 variational 2, fashion-2000 modern-convolutional 2, fashion-2000 variational 2,
fashion-10000 modern 2, pictures-364 modern-convolutional 2, pictures-364 convolutional-variational 2,
pictures-364 modern 8, sprites-1000 modern-convolutional 2, customers-1500 modern 2, customers-1500 single-layer 2,
customers-1500 variational 3, measured-300 modern 2, measured-300 deep 2, thyroid modern 1, cardio modern 2,
cardio variational 4, breastw modern 2, pendigits modern 2, pendigits multi-layer 4, pendigits single-layer 2,
mammography modern 1, ecg5000 modern 2, ecg5000 gru 2, gestures-200 modern 2, gestures-200 gru 2, windows-89 modern 2,
windows-89 multi-layer 4
"""


@dataclass(frozen=True)
class Case:
    """One training."""

    dataset: str
    architecture: str
    code_size: int
    noise: str = "none"

    def __str__(self) -> str:
        return f"{self.dataset}, {self.architecture}, D = {self.code_size}" + (
            "" if self.noise == "none" else f", {self.noise} noise"
        )


def quick() -> list[Case]:
    """The named subset."""
    cases = [text.split() for text in QUICK.replace("\n", " ").split(",")]
    return [Case(case[0], case[1], int(case[2]), *case[3:]) for case in cases]


def every() -> Iterator[Case]:
    """Every architecture on every dataset that it takes, with codes of 1 and 2 numbers, an eighth and a quarter of the
    features (at most 32), and gaussian noise at the largest."""
    from models import architectures, datasets

    for name in (*SHIPPED, *DROPPED):
        dataset = datasets.get(kept(name))
        sizes = sorted({size for size in (1, 2, dataset.size // 8, dataset.size // 4) if size >= 1})
        sizes = sorted({min(size, 32) for size in sizes if size <= max(1, dataset.size // 4)})
        for one in architectures.available().values():
            if dataset.kind in one.kinds:
                yield from (Case(name, one.name, size) for size in sizes)
                yield Case(name, one.name, sizes[-1], "gaussian")


def kept(name: str) -> str:
    """The name under which a dataset is kept: it is read like a file that was dropped, once for each HOURGLASS_HOME."""
    from models import home, readers, uploads

    if name in SHIPPED:
        return name
    known = home() / "dropped" / name
    if not known.exists():
        with tempfile.TemporaryDirectory() as folder:
            found = readers.read(DROPPED[name](Path(folder)))
            dataset = uploads.save(found, uploads.SHELL, name)
        known.parent.mkdir(parents=True, exist_ok=True)
        known.write_text(dataset.name)
    return known.read_text()


def measured(case: Case, split: str) -> dict[str, float]:
    """Our error and PCA's on a split, what PCA leaves of the variance there, steps and core-seconds."""
    import torch

    from models import datasets, runs, training
    from models.analysis import metrics

    torch.set_num_threads(1)
    found = datasets.get(kept(case.dataset))
    chosen = runs.configure(
        {
            "dataset": found.name,
            "architecture": case.architecture,
            "code_size": case.code_size,
            "noise": case.noise,
        }
    )
    with tempfile.TemporaryDirectory() as folder, training.memory_kept():
        content = datasets.arrays(found, lambda *_: None)
        cpu = time.process_time()
        torch.manual_seed(chosen.seed)
        report = training.Report(Path(folder), chosen, 1)
        work = training.Training(chosen, found, content, Path(folder), report, torch.device("cpu"))
        work.run()
        cpu = time.process_time() - cpu
        rows = np.flatnonzero(work.splits == datasets.SPLITS.index(split))
        ours, pca, mean = [], [], []
        for part in work.outputs(rows):
            middle = work.baseline.mean.reshape(1, *found.shape)
            ours.append(metrics.squared_errors(part.clean, part.out))
            pca.append(metrics.squared_errors(part.clean, metrics.through_pca(work.baseline, part.given)))
            mean.append(metrics.squared_errors(part.clean, middle))
    error, beside, whole = (float(np.concatenate(parts).mean()) for parts in (ours, pca, mean))
    steps = chosen.epochs * -(-len(work.training) // chosen.batch_size)
    return {"error": error, "pca": beside, "left": beside / whole, "steps": float(steps), "cpu": cpu}


def apart(case: Case, split: str) -> dict[str, float]:
    """`measured` in a process of its own."""
    given = json.dumps([case.dataset, case.architecture, case.code_size, case.noise, split])
    done = subprocess.run(
        [sys.executable, __file__, "--one", given],
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(f"{case}: {done.stderr[-600:]}")
    return dict(json.loads(done.stdout.splitlines()[-1]))


def reach(case: Case) -> float:
    """The ratio above which a default is a loser."""
    from models import architectures

    if architectures.get(case.architecture).variational:
        return 1.1
    return 1.02 if case.architecture == "single-layer" else 1.0


def main() -> None:
    """Print the table, and what it comes to."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="the named subset of about forty trainings")
    parser.add_argument("--split", choices=("test", "validation"), default="test")
    parser.add_argument("--only", nargs="+", default=[], metavar="WORD", help="cases with one of these in their name")
    parser.add_argument("--jobs", type=int, default=1, help="trainings at once")
    parser.add_argument("--one", help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.one:
        *facts, split = json.loads(asked.one)
        print(json.dumps(measured(Case(*facts), split)))
        return
    with tempfile.TemporaryDirectory() as folder:
        os.environ.setdefault("HOURGLASS_HOME", folder)
        cases = [
            one
            for one in (quick() if asked.quick else every())
            if not asked.only or any(w in str(one) for w in asked.only)
        ]
        for name in {case.dataset for case in cases}:
            kept(name)
        print(f"{asked.split} split; load average {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")
        print(f"{'':<52}{'ratio':>8}{'ours':>10}{'PCA':>10}{'left':>7}{'steps':>8}{'core-s':>8}")
        results: list[tuple[Case, dict[str, float]]] = []
        with ThreadPoolExecutor(asked.jobs) as pool:
            for case, one in zip(cases, pool.map(lambda case: apart(case, asked.split), cases), strict=True):
                results.append((case, one))
                ratio = one["error"] / one["pca"]
                words = "  nearly exact" if one["left"] < LEFT else "  *" if ratio > reach(case) else ""
                print(
                    f"{case!s:<52}{ratio:>8.3f}{one['error']:>10.5f}{one['pca']:>10.5f}{one['left']:>7.2f}"
                    f"{one['steps']:>8,.0f}{one['cpu']:>8.1f}{words}",
                    flush=True,
                )
        summary(results)


def summary(results: list[tuple[Case, dict[str, float]]]) -> None:
    """Losers, medians and the longest training."""
    from models import datasets

    counted = [(case, one["error"] / one["pca"]) for case, one in results if one["left"] >= LEFT]
    losers = [str(case) for case, ratio in counted if ratio > reach(case)]
    print(
        f"{len(counted)} of {len(results)} count; {len(losers)} above what they should reach: {'; '.join(losers) or 'none'}"
    )
    for words, kind, size in (("images at D = 2", "image", 2), ("tables", "table", None)):
        some = [
            ratio
            for case, ratio in counted
            if datasets.get(kept(case.dataset)).kind == kind and (size is None or case.code_size == size)
        ]
        if some:
            print(f"median of {len(some)} {words}: {statistics.median(some):.2f}")
    print(f"the longest training took {max(one['cpu'] for _, one in results):.0f} core-seconds")


if __name__ == "__main__":
    main()

"""The verdicts of the labs, measured beside the alternatives in the same run.

    python benchmarks/labs.py [--only anomalies | compress] [--quick] [--runs RUN ...]

A lab is a function here that prints its tables; `LABS` names it. --quick is what CI runs: the smallest data, in seconds.
"""

import argparse
import os
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")  # before numpy: seconds here are those of one core
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import numpy as np
from numpy.typing import NDArray

from models import datasets, downloads

TABLES = ("cardio", "thyroid", "mammography", "shuttle", "breastw", "pendigits", "optdigits")
CHOSEN_ON = ("breast-cancer", "payments")  # among others: here the recipe may look better than it is
NORMAL = {"breast-cancer": "benign"}  # the class that belongs, where it is not the first
SEEDS = 5
PCA_2 = "PCA, 2 components"


def line(cells: Sequence[object]) -> None:
    """A row of a table, at once."""
    print("|", " | ".join(map(str, cells)), "|", flush=True)


def here(name: str) -> datasets.Dataset | None:
    """The dataset, or None with the command that fetches it."""
    dataset = datasets.get(name)
    if datasets.missing(dataset):
        print(f"{name} is not here: python -m models download {name}", flush=True)
        return None
    return dataset


# Anomalies


def anomalies(quick: bool) -> None:
    """Every method on every table over five splits; then with anomalies among the training rows; then heartbeats."""
    from models.analysis import anomalies as lab

    seeds = range(1 if quick else SEEDS)
    names = CHOSEN_ON[:1] if quick else (*CHOSEN_ON, *TABLES)
    known = {name: _rows_of(name) for name in names if here(name)}
    print(
        f"\nTrained on half of the normal rows; {len(seeds)} splits. Average precision / ROC-AUC in %; s: processor seconds of ours"
    )
    line(("table", *lab.METHODS, "combined - best plain [95 %]", "verdict", "s"))
    clean = {}
    verdicts = []
    for name, (rows, anomalous, shared) in known.items():
        clean[name] = lab.compare(rows, anomalous, seeds, shared=shared)
        best = lab.best_plain(clean[name])
        apart = lab.difference(clean[name], "combined", best)
        verdict = "tied" if apart.tied else "ahead" if apart.mean > 0 else "behind"
        verdicts += [verdict] * (name in TABLES)
        seconds = np.mean([one.seconds["combined"] for one in clean[name]])
        told = f"{best}: {100 * apart.mean:+.1f} [{100 * apart.low:+.1f}, {100 * apart.high:+.1f}]"
        line((name, *(_measured(clean[name], method) for method in lab.METHODS), told, verdict, f"{seconds:.1f}"))
    if verdicts:
        print(f"best or tied on {sum(one != 'behind' for one in verdicts)} of {len(verdicts)} tables")
    print(
        f"\nThreshold from held-out normal rows ({lab.QUANTILE:.0%} below it), and the best that nobody could know: share told rightly in %"
    )
    line(("table", "best plain method", "its threshold; best", "combined: its threshold; best"))
    for name, outcomes in clean.items():
        best = lab.best_plain(outcomes)
        line((name, best, _told_rightly(outcomes, best), _told_rightly(outcomes, "combined")))
    print("\nWith half of the anomalies among the training rows: ROC-AUC without -> with, on the same test rows")
    line(("table", *lab.METHODS))
    for name, (rows, anomalous, shared) in known.items():
        mixed = lab.compare(rows, anomalous, seeds, shared=shared, contaminated=True)
        same = [one.on_rows(other.test) for one, other in zip(clean[name], mixed, strict=True)]
        line((name, *(f"{_mean(same, method):.1f} -> {_mean(mixed, method):.1f}" for method in lab.METHODS)))
    beats = downloads() / "ecg5000" / "ecg5000.npz"  # the archive publishes no checksum, so nothing downloads it
    if not quick and beats.is_file():
        _heartbeats(beats)


def _rows_of(name: str) -> tuple[NDArray[np.float32], NDArray[np.bool_], bool]:
    """The rows of a dataset (N, F), which of them do not belong, and whether their numbers have one unit."""
    from models.analysis.anomalies import flat

    dataset = datasets.get(name)
    content = datasets.arrays(dataset)
    normal = dataset.classes.index(NORMAL.get(name, dataset.classes[0]))
    return (
        flat(np.asarray(content.samples), dataset.columns),
        np.asarray(content.labels) != normal,
        dataset.kind != "table",
    )


def _mean(outcomes: Sequence[Any], method: str, measure: str = "roc_auc") -> float:
    return float(100 * np.mean([getattr(one, measure)(method) for one in outcomes]))


def _measured(outcomes: Sequence[Any], method: str) -> str:
    return f"{_mean(outcomes, method, 'average_precision'):.1f} / {_mean(outcomes, method):.1f}"


def _told_rightly(outcomes: Sequence[Any], method: str) -> str:
    from models.analysis import anomalies as lab

    ours = np.mean([one.confusion(method).accuracy for one in outcomes])
    best = []
    for one in outcomes:
        level = lab.best_threshold(one.anomalous, one.scores[method])[0]
        best.append(lab.confusion(one.anomalous, one.scores[method], level).accuracy)
    return f"{100 * ours:.1f}; {100 * np.mean(best):.1f}"


def _two_components(rows: NDArray[np.float32], parts: Any) -> list[NDArray[np.float64]]:
    """The reconstruction error of PCA with two components, which suits these beats best: known from their test part alone."""
    from sklearn.decomposition import PCA

    fitted = PCA(2).fit(rows[parts.train])
    both = (rows[parts.validation], rows[parts.test])
    return [np.square(part - fitted.inverse_transform(fitted.transform(part))).sum(1) for part in both]


def _heartbeats(path: Path) -> None:
    """ECG5000 (Chen and Keogh, UCR archive) as arrays X_train, y_train, X_test and y_test, of which 1 is normal: its 292 normal
    training beats, a fifth of them held out; judged by its test part."""
    from models.analysis import anomalies as lab

    with np.load(path, allow_pickle=False) as content:
        rows = np.concatenate([content["X_train"], content["X_test"]]).astype(np.float32)
        anomalous = np.concatenate([content["y_train"], content["y_test"]]) != 1
        start = len(content["X_train"])
    outcomes = []
    for seed in range(SEEDS):
        normal = np.random.default_rng(seed).permutation(np.flatnonzero(~anomalous[:start]))
        held = len(normal) // 5
        parts = lab.Split(normal[held:], normal[:held], np.arange(start, len(rows)))
        outcome = lab.outcome(rows, anomalous, parts, seed, shared=True)
        outcomes.append(outcome.with_method(PCA_2, *_two_components(rows, parts)))
    print(
        f"\nECG5000, {SEEDS} seeds: ROC-AUC; share told rightly with the threshold of held-out beats ({lab.QUANTILE:.0%}); the best, in %"
    )
    line(("method", "ROC-AUC", "told rightly; best"))
    for method in (*lab.METHODS, PCA_2):
        line((method, f"{_mean(outcomes, method):.2f}", _told_rightly(outcomes, method)))


# Bytes

COMPRESSED = ("digits-modern-8", "mnist-modern-30", "fashion-mnist-modern-16", "cats-convolutional-variational")
LEVELS = {
    "mnist-modern-30": (23.0, 25.6),
    "fashion-mnist-modern-16": (20.5,),
}  # dB, besides that at a quarter of a deviation
LEVELS_OF = {"mnist": (23.0, 25.6), "fashion-mnist": (23.0, 25.0)}  # of runs of one's own


def compress(quick: bool, own: Sequence[str] = ()) -> None:
    """Bytes an image for as good an image, of each method over the same test images; and what the decoder takes."""
    from models import runs
    from models.labs import compress as lab

    print("\nBytes an image, all in one file, for the same PSNR; -: never as good; s: processor seconds for all of it")
    titled = False
    for name in own or (COMPRESSED[:1] if quick else COMPRESSED):
        run = runs.open_run(runs.folder_of(name))
        if here(run.card.dataset.name) is None:
            continue
        begun = time.process_time()
        facts = lab.answer(run, {"images": 100 if quick else 1000}, lambda _what, _share: None).facts
        took = time.process_time() - begun
        ours, *_ = facts["methods"]
        if not titled:
            line(
                (
                    "run, images",
                    "dB",
                    *(one["title"] for one in facts["methods"] if not one["lossless"]),
                    "decoder",
                    "s",
                )
            )
            titled = True
        decoder = ", ".join(f"{one['bits']} bits {one['bytes'] / 1000:.0f} KB" for one in facts["decoder"])
        for level in (
            ours["points"][lab.SHARES.index(0.25)]["psnr"],
            *LEVELS.get(name, LEVELS_OF.get(run.configuration.dataset, ())),
        ):
            sizes = [lab.bytes_at(one["points"], level) for one in facts["methods"] if not one["lossless"]]
            told = ("-" if size is None else f"{size:.1f}" for size in sizes)
            line((f"{name}, {facts['count']}", f"{level:.1f}", *told, decoder, f"{took:.0f}"))


LABS: dict[str, Callable[..., None]] = {"anomalies": anomalies, "compress": compress}


def main() -> None:
    """Print the tables of each lab that was asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", choices=LABS, help="this lab alone")
    parser.add_argument("--quick", action="store_true", help="the smallest data, in seconds")
    parser.add_argument("--runs", nargs="+", metavar="RUN", help="runs of one's own for compress, by their ids")
    asked = parser.parse_args()
    for name, lab in LABS.items():
        if asked.only in (None, name):
            print(f"# {name}", flush=True)
            lab(asked.quick, *([asked.runs] if asked.runs and name == "compress" else []))


if __name__ == "__main__":
    main()

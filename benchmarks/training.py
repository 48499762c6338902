"""How fast and how well networks learn here, beside what people would otherwise use.

    python benchmarks/training.py [--quick] [--only NAME ...] [--runs 5]

Contenders, interleaved, each in a process of its own with the data already on the machine: Hourglass; PyTorch as its
tutorials write it (a Dataset that makes each image a tensor when it is asked for, a DataLoader, Adam at a constant rate), and
the same with all images made one tensor beforehand; pythae's trainer; the article's Keras code (Adam, mean squared error,
ten epochs at batch 256) on tensorflow-cpu. The last two are installed into environments of their own at the first use. MNIST
and Fashion-MNIST are read from HOURGLASS_DATA. Keras and PyTorch use all cores, as they do by themselves; Hourglass uses one.
"""

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import time
import venv
from collections.abc import Callable
from pathlib import Path
from typing import Any

from serving import ROOT

sys.path.insert(0, str(ROOT))
from models import architectures, runs

HERE = Path(__file__).resolve().parent
EPOCH = 60_000  # images
ARTICLE = {"single-layer": 56, "multi-layer": 48, "convolutional": 48}


def row(*cells: object) -> None:
    """One line of a table, printed when it is known."""
    print(
        "  ".join(f"{cell!s:<{width}}" for cell, width in zip(cells, (50, 54, 42, 42, 42, 42), strict=False)).rstrip(),
        flush=True,
    )


# What a contender needs, in an environment of its own that is made at its first use.
OWN = {
    "keras": ["tensorflow-cpu==2.21.0", "numpy"],
    "pythae": ["torch==2.13.0", "pythae==0.1.2", "platformdirs", "safetensors"],
}


def python_of(who: str) -> str:
    """The Python that a contender runs in."""
    if who not in OWN:
        return sys.executable
    python = ROOT / ".venv" / who / "bin" / "python"
    if not (python.parent / "installed").exists():
        venv.create(python.parent.parent, with_pip=True)
        subprocess.run([python, "-m", "pip", "install", "-qq", *OWN[who]], check=True)
        (python.parent / "installed").touch()
    return str(python)


def contend(who: str, **choices: Any) -> dict[str, float]:
    """One measurement in a fresh process: seconds, CPU seconds, images, test error."""
    python = python_of(who)
    env = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3", "TQDM_DISABLE": "1", "PYTHONPATH": str(ROOT)}
    if who in ("hourglass", "precisions", "writing"):
        env["OMP_NUM_THREADS"] = "1"
    done = subprocess.run(
        [python, HERE / "contenders.py", who, json.dumps(choices)], env=env, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise RuntimeError(done.stderr[-600:])
    return dict(json.loads(done.stdout.splitlines()[-1]))


def interleaved(times: int, **contenders: Callable[[int], dict[str, float]]) -> dict[str, dict[str, float]]:
    """Medians of each contender, run in turn; each is told how often it ran before."""
    every: dict[str, list[dict[str, float]]] = {name: [] for name in contenders}
    for i in range(times):
        for name, run in contenders.items():
            every[name].append(run(i))
    return {
        name: {key: statistics.median(one[key] for one in found) for key in found[0]} for name, found in every.items()
    }


def throughput(times: int, quick: bool = False) -> None:
    """Images a second of the same network at the same batch."""
    others: dict[str, tuple[str, dict[str, Any]]] = {
        "PyTorch, a Dataset of images": ("pytorch", {}),
        "PyTorch, one tensor beforehand": ("pytorch", {"beforehand": True}),
        "Keras on TensorFlow": ("keras", {"warm": True}),
        "pythae": ("pythae", {}),
    }
    others = {title: how for title, how in others.items() if not (quick and how[0] in OWN)}
    row("images/s, MNIST, batch 256", "Hourglass (one core)", *others)
    for name in ("single-layer",) if quick else ARTICLE:
        size = ARTICLE[name]
        part = (0.3 if name == "convolutional" else 1.0) * (0.05 if quick else 1.0)
        same = {"dataset": "mnist", "architecture": name, "code_size": size, "epochs": part}
        found = interleaved(
            times,
            ours=lambda _, same=same: contend("hourglass", **same, measured=""),
            **{
                title: lambda _, who=who, same=same, choices=choices: contend(who, **same, **choices)
                for title, (who, choices) in others.items()
            },
        )
        speeds = {who: one["images"] / one["seconds"] for who, one in found.items()}
        cpu = {who: one["images"] / one["cpu"] for who, one in found.items()}
        ours = speeds["ours"]
        share = found["ours"]["needed"] * ours / found["ours"]["peak"]
        of_peak = "" if name == "convolutional" else f", {share:.0%} of peak"
        row(
            name,
            f"{ours:,.0f} on one core{of_peak}; {EPOCH / cpu['ours']:.2f} core-s an epoch",
            *(
                f"{speeds[who]:,.0f} ({ours / speeds[who]:.1f}x); {EPOCH / cpu[who]:.2f} core-s ({cpu['ours'] / cpu[who]:.1f}x)"
                for who in others
            ),
        )


def together(times: int, epochs: float = 1.0) -> None:
    """Two trainings at once against one."""
    same = {"dataset": "mnist", "architecture": "modern", "code_size": 2, "epochs": epochs, "measured": ""}
    one, two = [], []
    for _ in range(times):
        found = contend("hourglass", **same)
        one.append(found["images"] / found["seconds"])
        env = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
        at_once = {**same, "begin": time.time() + 15}  # by when both have read their data
        command = [sys.executable, HERE / "contenders.py", "hourglass", json.dumps(at_once)]
        both = [subprocess.Popen(command, env=env, stdout=subprocess.PIPE, text=True) for _ in range(2)]
        answers = [json.loads(process.communicate()[0].splitlines()[-1]) for process in both]
        two.append(sum(answer["images"] / answer["seconds"] for answer in answers))
    ratio = statistics.median(b / a for a, b in zip(one, two, strict=True))
    row(
        "two trainings at once",
        f"{statistics.median(two):,.0f} images/s",
        f"one: {statistics.median(one):,.0f}",
        f"{ratio:.2f}x",
    )


def writing(times: int) -> None:
    """What a run costs beside its epochs."""
    row("seconds, MNIST", "two epochs", "70,000 images encoded, decoded and written", "PCA", "measured", "t-SNE")
    for size in (2, 30):
        same = {"dataset": "mnist", "architecture": "modern", "code_size": size}
        one = interleaved(times, ours=lambda _, same=same: contend("writing", **same))["ours"]
        row(f"modern, D = {size}", *(f"{one[part]:.2f}" for part in ("epochs", "writing", "pca", "measuring", "maps")))


def compiling(times: int) -> None:
    """What torch.compile would cost and save: why nothing here is compiled."""
    row("torch.compile", "images/s as it is", "compiled", "seconds of compiling", "images in a minute, compiled")
    for name in ("modern", "convolutional"):
        same = {"dataset": "mnist", "architecture": name, "code_size": 48, "epochs": 0.4, "measured": ""}
        found = interleaved(
            times,
            plain=lambda _, same=same: contend("hourglass", **same),
            compiled=lambda _, same=same: contend("hourglass", **same, compiled=True),
        )
        plain, compiled = (one["images"] / one["seconds"] for one in found.values())
        costs = found["compiled"]["compiling"]
        left = max(0.0, 60 - costs) * compiled / (60 * plain)
        row(f"{name}, D = 48", f"{plain:,.0f}", f"{compiled:,.0f}", f"{costs:.0f}", f"{left:.0%} of as it is")


def precision(_times: int) -> None:
    """Whether what our loop computes in is the faster of the two, for every architecture, small and large."""
    row("images/s", "float32", "bfloat16", "it computes in", "products a step")
    for dataset in ("digits", "mnist", "cats"):
        for name in architectures.available():
            for size, batch in ((2, 128), (16, 256)):
                one = contend("precisions", dataset=dataset, architecture=name, code_size=size, batch_size=batch)
                chosen, other = ("bfloat16", "float32") if one["half"] else ("float32", "bfloat16")
                row(
                    f"{dataset}, {name}, D = {size}, batch {batch}",
                    f"{one['float32']:,.0f}",
                    f"{one['bfloat16']:,.0f}",
                    f"{chosen}, {one[chosen] / one[other]:.2f} times the other",
                    f"{one['products'] / 1e6:,.1f} million",
                )


# Short schedules that end below the article's error after its ten epochs; found on the validation split, by
# `--only shortest` and then by hand, never on the test split. Each is long enough for four draws of the first weights,
# not for one lucky one.
Schedule = dict[str, float | int]
SAME: dict[str, dict[str, Schedule]] = {
    "mnist": {
        "single-layer": {"epochs": 0.14, "batch_size": 64, "learning_rate": 0.02},
        "multi-layer": {"epochs": 0.8, "batch_size": 64, "learning_rate": 0.008},
        "convolutional": {"epochs": 1.1, "batch_size": 48, "learning_rate": 0.014},
    },
}
BEST: dict[str, dict[str, Schedule]] = {
    "mnist": {
        "single-layer": {"epochs": 0.06, "batch_size": 64, "learning_rate": 0.005},
        "multi-layer": {"epochs": 0.14, "batch_size": 64, "learning_rate": 0.004},
        "convolutional": {"epochs": 0.3, "batch_size": 64, "learning_rate": 0.005},
    },
    "fashion-mnist": {
        "single-layer": {"epochs": 0.16, "batch_size": 64, "learning_rate": 0.005},
        "multi-layer": {"epochs": 0.28, "batch_size": 64, "learning_rate": 0.005},
        "convolutional": {"epochs": 0.26, "batch_size": 64, "learning_rate": 0.005},
    },
}
# The least error that the article's code was seen to end at, run after run.
TARGETS = {
    "mnist": {"single-layer": 0.0296, "multi-layer": 0.0145, "convolutional": 0.0098},
    "fashion-mnist": {"single-layer": 0.0198, "multi-layer": 0.0147, "convolutional": 0.0156},
}


def shortest(_times: int) -> None:
    """How the schedules above were found: the first share of an epoch, for each batch and rate, that does it."""
    row("shortest schedules, on the validation split", "steps", "error", "core-seconds")
    for dataset, table in (("mnist", SAME), ("mnist", BEST), ("fashion-mnist", BEST)):
        for name, target in TARGETS[dataset].items():
            network = name if table is SAME else "modern"
            for batch, rate in ((32, 0.003), (64, 0.005), (64, 0.01), (64, 0.02), (128, 0.01)):
                for epochs in (0.03, 0.04, 0.06, 0.08, 0.12, 0.16, 0.2, 0.25, 0.3, 0.4, 0.5, 0.6, 0.8, 1.0, 1.3, 1.6):
                    one = contend(
                        "hourglass",
                        **{"dataset": dataset, "architecture": network, "code_size": ARTICLE[name]},
                        **{"epochs": epochs, "batch_size": batch, "learning_rate": rate, "measured": "validation"},
                    )
                    if one["error"] <= target * 0.985:
                        row(
                            f"{dataset}, {name} by {network}: batch {batch}, rate {rate}, {epochs} epochs",
                            round(one["images"] / batch),
                            f"{one['error']:.4f} (wanted {target})",
                            f"{one['cpu']:.2f}",
                        )
                        break


def to_error(times: int) -> None:
    """Seconds until the error that the article's code has after ten epochs."""
    row(
        "seconds to the article's ten-epoch test error",
        "the article's Keras code",
        "Hourglass, same network",
        "Hourglass, its best network",
        "PyTorch, one tensor beforehand",
        "pythae, ten epochs",
    )
    for dataset in ("mnist", "fashion-mnist"):
        for name, size in ARTICLE.items():
            base = {"dataset": dataset, "code_size": size}
            same = {**base, "architecture": name}
            # Keras draws other first weights each time, and so do we.
            contenders: dict[str, Callable[[int], dict[str, float]]] = {
                "keras": lambda _, same=same: contend("keras", **same, epochs=10),
                "best": lambda i, base=base, name=name, dataset=dataset: contend(
                    "hourglass", **base, architecture="modern", seed=i, **BEST[dataset][name]
                ),
            }
            if dataset in SAME:
                goal = TARGETS[dataset][name]
                contenders["same"] = lambda i, same=same, dataset=dataset, name=name: contend(
                    "hourglass", **same, seed=i, **SAME[dataset][name]
                )
                contenders["pytorch"] = lambda _, same=same, goal=goal: contend(
                    "pytorch", **same, epochs=20, beforehand=True, target=goal
                )
                if name != "convolutional":  # ten epochs of which would take it many minutes
                    contenders["pythae"] = lambda _, same=same: contend("pythae", **same, epochs=10, measured=True)
            found = interleaved(min(times, 3) if name == "convolutional" else times, **contenders)
            them = found["keras"]
            cells = [f"{them['seconds']:.1f} s ({them['cpu']:.0f} core-s), error {them['error']:.4f}"]
            for who in ("same", "best", "pytorch", "pythae"):
                if who not in found:
                    cells.append("")
                    continue
                one = found[who]
                verdict = "" if one["error"] <= them["error"] else " (not reached)"
                cells.append(
                    f"{one['seconds']:.2f} s ({one['cpu']:.1f} core-s), {one['error']:.4f}: "
                    f"{them['seconds'] / one['seconds']:.1f}x{verdict}"
                )
            row(f"{dataset}, {name}, D = {size}", *cells)


def quality(times: int) -> None:
    """Test errors after so many core-seconds here; batch and rate were found on the validation split."""
    row("test error of MNIST", "Hourglass", "reach", "PCA")
    for size, budget, batch, rate, reach in (
        (2, 8.2, 256, 0.012, "0.0356 in 8 core-s"),
        (2, 31.0, 384, 0.006, "0.0336 in 30 core-s"),
        (30, 30.5, 256, 0.009, "3.00 squared in 30 core-s"),
    ):
        same = {"dataset": "mnist", "architecture": "modern", "code_size": size, "budget": budget}
        choices = {"batch_size": batch, "learning_rate": rate}
        found = interleaved(
            times, ours=lambda i, same=same, choices=choices: contend("hourglass", **same, **choices, seed=i)
        )
        one = found["ours"]
        squared = f", {one['error'] * 784:.2f} squared an image" if size == 30 else ""
        row(
            f"D = {size}, {one['epochs']:.1f} epochs",
            f"{one['error']:.4f}{squared} in {one['cpu']:.1f} core-s",
            reach,
            f"{one['pca']:.4f}",
        )


def zoo(_times: int) -> None:
    """What the shipped runs reach, as they say themselves (their tests measure it again), beside PCA and the literature."""
    published = {"mnist-modern-30": "3.00 squared (Hinton and Salakhutdinov 2006)"}
    row("shipped run, test error", "Hourglass", "PCA at the same code size", "published")
    for run in runs.find()[0]:
        if run.pretrained:
            ours, pca = run.metric("mse") or 0.0, run.metric("pca_mse") or 0.0
            row(
                f"{run.folder.name}, D = {run.code_size}",
                f"{ours:.4f} ({run.metric('squared_error'):.2f} squared)",
                f"{pca:.4f}, {pca / ours:.1f} times as much",
                published.get(run.folder.name, ""),
            )


USUAL = (throughput, together, writing, compiling, to_error, quality, zoo)
PARTS: dict[str, Callable[[int], None]] = {part.__name__: part for part in (*USUAL, precision, shortest)}


def processor() -> str:
    """Its name, and what it multiplies numbers of half the size with."""
    facts = Path("/proc/cpuinfo").read_text() if Path("/proc/cpuinfo").exists() else ""
    named = [line.partition(":")[2].strip() for line in facts.splitlines() if line.startswith("model name")]
    half = [words for flag, words in (("amx_bf16", "AMX"), ("avx512_bf16", "AVX-512 BF16")) if flag in facts]
    return f"{named[0] if named else platform.machine()} ({', '.join(half) or 'no bfloat16'})"


def quick() -> None:
    """Whether all of this still runs, which continuous integration asks; so short runs say little of speed."""
    throughput(1, quick=True)
    together(1, epochs=0.1)
    zoo(1)


def main() -> None:
    """Run everything and print its tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="half a minute, without what would have to be installed")
    parser.add_argument("--runs", type=int, default=5, help="repetitions, of which medians are printed (default 5)")
    parser.add_argument(
        "--only", nargs="+", choices=PARTS, default=[part.__name__ for part in USUAL], help="some of the parts"
    )
    chosen = parser.parse_args()
    print(
        f"load average {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores of {processor()}; {time.strftime('%Y-%m-%d')}"
    )
    if chosen.quick:
        quick()
    else:
        for name in chosen.only:
            PARTS[name](chosen.runs)
    print(f"load average {os.getloadavg()[0]:.1f}")


if __name__ == "__main__":
    main()

"""The verdicts of the labs, measured beside the alternatives in the same run.

    python benchmarks/labs.py [--only anomalies | codes | compress | denoise | features | generate | recommend | sequences | own | hands] [--quick] [--runs RUN ...]

own: both, of photographs and sprites as somebody brings them. A lab is a function here that prints its tables; `LABS` names it. --quick is what CI runs: the smallest data, in seconds.
"""

import argparse
import os
import sys
import tempfile
import time
import zipfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")  # before numpy: seconds here are those of one core
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import numpy as np
from generating import generate
from numpy.typing import NDArray
from PIL import Image

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


# Codes


def codes(quick: bool) -> None:
    """Shipped runs beside PCA, t-SNE and UMAP."""
    from reduction import codes as measured

    measured(quick)


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
        f"\nThreshold from held-out normal rows ({lab.QUANTILE:.0%} below it), and the best that nobody could know: share classified correctly in %"
    )
    line(("table", "best plain method", "its threshold; best", "combined: its threshold; best"))
    for name, outcomes in clean.items():
        best = lab.best_plain(outcomes)
        line((name, best, _accuracy(outcomes, best), _accuracy(outcomes, "combined")))
    print("\nWith half of the anomalies among the training rows: ROC-AUC without -> with, on the same test rows")
    line(("table", *lab.METHODS))
    for name, (rows, anomalous, shared) in known.items():
        mixed = lab.compare(rows, anomalous, seeds, shared=shared, contaminated=True)
        same = [one.on_rows(other.test) for one, other in zip(clean[name], mixed, strict=True)]
        line((name, *(f"{_mean(same, method):.1f} -> {_mean(mixed, method):.1f}" for method in lab.METHODS)))
    beats = downloads() / "ecg5000" / "ecg5000.npz"  # the archive publishes no checksum, so nothing downloads it
    if not quick and beats.is_file():
        _heartbeats(beats)


def _rows_of(name: str) -> tuple[NDArray[np.float32], NDArray[np.bool_], int]:
    """The rows of a dataset (N, F), which of them do not belong, and 1 where all numbers have one unit, else 0."""
    from models.analysis.anomalies import flat

    dataset = datasets.get(name)
    content = datasets.arrays(dataset)
    normal = dataset.classes.index(NORMAL.get(name, dataset.classes[0]))
    return (
        flat(np.asarray(content.samples), dataset.columns),
        np.asarray(content.labels) != normal,
        int(dataset.kind != "table"),
    )


def _mean(outcomes: Sequence[Any], method: str, measure: str = "roc_auc") -> float:
    return float(100 * np.mean([getattr(one, measure)(method) for one in outcomes]))


def _measured(outcomes: Sequence[Any], method: str) -> str:
    return f"{_mean(outcomes, method, 'average_precision'):.1f} / {_mean(outcomes, method):.1f}"


def _accuracy(outcomes: Sequence[Any], method: str) -> str:
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
        outcome = lab.outcome(rows, anomalous, parts, seed, shared=1)
        outcomes.append(outcome.with_method(PCA_2, *_two_components(rows, parts)))
    print(
        f"\nECG5000, {SEEDS} seeds: ROC-AUC; share classified correctly with the threshold of held-out beats ({lab.QUANTILE:.0%}); the best, in %"
    )
    line(("method", "ROC-AUC", "classified correctly; best"))
    for method in (*lab.METHODS, PCA_2):
        line((method, f"{_mean(outcomes, method):.2f}", _accuracy(outcomes, method)))


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


# Noise

RECIPE: dict[str, Any] = {
    "dataset": "mnist",
    "architecture": "modern",
    "code_size": 64,
    "epochs": 4,
    "batch_size": 256,
    "mixing": 0.0,
}
# Each a training of its own, and what it should reach over all 10,000 test digits: dB, share read correctly in %.
REACHED = {("gaussian", 0.5): (19.0, 95.0), ("salt-and-pepper", 0.3): (None, 95.5), ("watermarks", 0.7): (None, 97.0)}


def denoise(quick: bool) -> None:
    """Three trainings of MNIST, each against one noise, beside the plain methods on the same noisy test digits."""
    from models import runs
    from models.labs import denoise as lab

    def quiet(_share: float) -> None:
        """Nobody waits."""

    head = ("noise", "method", "setting", "PSNR", "SSIM", "read correctly %", "reach")
    if quick:
        run = runs.open_run(runs.folder_of("digits-denoising"))
        samples = lab.gathered(run.dataset, 60, quiet)
        networks = {"run": ("", lambda noisy: run.coder.decode(run.coder.encode(noisy)))}
        line(head)
        _told(samples, ("gaussian", 0.5), networks, quiet)
        return
    if here("mnist") is None:
        return
    from models.training import plain

    dataset = datasets.get("mnist")
    begun = time.process_time()
    samples = lab.gathered(dataset, 10_000, quiet)
    seconds = {"reader": time.process_time() - begun}

    def trained(what: str, **choices: Any) -> tuple[str, Callable[..., Any]]:
        begun = time.process_time()
        through = plain.trained(runs.configure({**RECIPE, **choices}), dataset, quiet)
        seconds[what] = time.process_time() - begun
        return f"{RECIPE['epochs']} epochs, {seconds[what]:.0f} core-seconds", through

    without = trained("without noise")
    assert samples.judge is not None
    clean = float((samples.judge.read(samples.clean) == samples.labels).mean())
    print(
        f"\nreader: {100 * clean:.2f} % of {len(samples.test):,} clean test digits, {seconds['reader']:.0f} core-seconds"
    )
    print(f"as the shell trains them: python -m models train {_options(RECIPE)} --noise N --noise-level L")
    line(head)
    for (kind, level), reach in REACHED.items():
        ours = trained(kind, noise=kind, noise_level=level)
        _told(samples, (kind, level), {"plain": without, "run": ours}, quiet, reach)


def _options(choices: dict[str, Any]) -> str:
    return " ".join(f"--{name.replace('_', '-')} {value}" for name, value in choices.items())


def _told(
    samples: Any,
    noise: tuple[str, float],
    networks: dict[str, Any],
    tell: Callable[[float], None],
    reach: tuple[float | None, float | None] = (None, None),
) -> None:
    """A row for each method, and what should be reached beside that of the network."""
    from models.labs import denoise as lab

    found = lab.cleaned(samples, *noise, networks, tell)
    for one in found:
        decibels, share = reach if one.name == "run" else (None, None)
        wanted = [f"{value:g} {unit}" for value, unit in ((decibels, "dB"), (share, "%")) if value is not None]
        ssim = "-" if one.ssim is None else f"{one.ssim:.3f}"
        cells = (one.title, one.setting, f"{one.psnr:.2f}", ssim, f"{100 * (one.read or 0):.2f}", ", ".join(wanted))
        line((f"{noise[0]} {noise[1]:g}", *cells))
    print(lab.verdict(f"{noise[0]} {noise[1]:g}", found, samples), flush=True)


# Photographs, and sprites of known factors, brought as somebody's own data

OWN_ROWS = 900  # of each, some of which do not belong
OWN_TRAINED, OWN_CODE, OWN_IMAGES = 4_000, 32, 100  # images, numbers of a code, test images that are compressed
TURNED = "upside down"


def own(quick: bool) -> None:
    """What both labs say of the cats of CIFAR-10 and of sprites, which lie below the downloads where somebody has put them."""
    cats, sprites = downloads() / "cifar10-cats" / "cifar10_cats.zip", downloads() / "sprites" / "sprites64.npz"
    if quick or not (cats.is_file() and sprites.is_file()):
        return
    usual = os.environ.get("HOURGLASS_HOME")
    with tempfile.TemporaryDirectory() as folder:
        os.environ["HOURGLASS_HOME"] = folder
        try:
            _own_anomalies(_turned_cats(cats) | _by_factor(sprites), Path(folder))
            photographs, (figures, _) = _cats(cats, OWN_TRAINED), _sprites(sprites, OWN_TRAINED)
            _own_bytes({"cats": photographs, "sprites": figures}, Path(folder))
        finally:
            os.environ.pop("HOURGLASS_HOME")
            os.environ |= {} if usual is None else {"HOURGLASS_HOME": usual}


def _cats(path: Path, count: int) -> NDArray[np.uint8]:
    """Photographs (N, 32, 32, 3)."""
    with zipfile.ZipFile(path) as file:
        names = sorted(name for name in file.namelist() if name.endswith(".jpg"))
        some = np.random.default_rng(0).permutation(names)[:count]
        return np.stack([np.asarray(Image.open(file.open(name)).convert("RGB")) for name in some])


def _sprites(path: Path, count: int) -> tuple[NDArray[np.uint8], dict[str, NDArray[np.uint8]]]:
    """Figures (N, 64, 64, 3) and each factor (N,) by its name."""
    with np.load(path, allow_pickle=False) as file:
        images, factors = file["imgs"], file["factors"]
        rows = np.random.default_rng(0).permutation(len(images))[:count]
        return images[rows], dict(zip(file["factor_names"].tolist(), factors[rows].T, strict=True))


Labelled = tuple[NDArray[np.uint8], NDArray[np.str_], str]
"""Images (N, H, W, 3), what each is called, and which of these do not belong."""


def _turned_cats(path: Path) -> dict[str, Labelled]:
    """Photographs, a sixth of them turned."""
    images = _cats(path, OWN_ROWS)
    turned = np.arange(OWN_ROWS) < OWN_ROWS // 6
    images[turned] = images[turned, ::-1]
    return {"cats": (images, np.where(turned, TURNED, "upright"), TURNED)}


def _by_factor(path: Path) -> dict[str, Labelled]:
    """Figures by two of their factors: hair, a few pixels that any figure may have, and direction, which is in all pixels."""
    images, factors = _sprites(path, OWN_ROWS)
    named = {name: np.char.add(f"{name} ", factors[name].astype(str)) for name in ("hair", "direction")}
    return {f"sprites by {name}": (images, labels, f"{name} {factors[name].max()}") for name, labels in named.items()}


def _brought(folder: Path, title: str, **arrays: NDArray[Any]) -> datasets.Dataset:
    """Arrays as somebody brings them, kept."""
    from models import uploads
    from models.readers import guarded

    np.savez(folder / f"{title}.npz", **arrays)
    found = guarded.guarded_read(folder / f"{title}.npz", folder / f"read {title}")
    return datasets.get(uploads.save(found, uploads.SHELL, title).name)


def _own_anomalies(sets: Mapping[str, Labelled], folder: Path) -> None:
    from models.analysis import anomalies as computed
    from models.labs import anomalies as lab
    from models.labs import quiet

    print(
        f"\n{OWN_ROWS} images each, one split: average precision / ROC-AUC in %; chance: the share that does not belong"
    )
    line(("what does not belong", "chance", *computed.METHODS, "verdict"))
    for title, (images, labels, other) in sets.items():
        dataset = _brought(folder, title, images=images, labels=labels)
        place = dataset.classes.index(other)
        normal = f"only {1 - place}" if len(dataset.classes) == 2 else f"but {place}"
        answer = lab.answer(dataset, {**lab.LAB.settings, "normal": normal, "splits": 1}, quiet)
        chance = f"{100 * answer.arrays['anomalous'].mean():.0f}"
        cells = (f"{100 * one['ap'][0]:.0f} / {100 * one['roc'][0]:.0f}" for one in answer.facts["methods"])
        line((f"{other} among {title}", chance, *cells, answer.facts["verdict"]))


def _own_bytes(sets: Mapping[str, NDArray[np.uint8]], folder: Path) -> None:
    from models import defaults, training
    from models.labs import compress as lab
    from models.labs import quiet
    from models.runs import Configuration

    print(
        f"\nBytes an image for the same PSNR, {OWN_IMAGES} test images in one file; runs of the default choices, D = {OWN_CODE}"
    )
    for title, images in sets.items():
        dataset = _brought(folder, title, images=images)
        facts = defaults.facts_of(dataset)
        name = defaults.architecture(facts)
        chosen = Configuration(dataset.name, name, OWN_CODE, **defaults.choices(facts, name, OWN_CODE))
        place = folder / "runs" / chosen.id
        place.mkdir(parents=True)
        begun = time.process_time()
        run = training.train(chosen, place, device="cpu", tsne=0)
        took = time.process_time() - begun
        found = lab.answer(run, {"images": OWN_IMAGES}, quiet).facts
        errors = f"MSE {run.metric('mse'):.4f}, PCA {run.metric('pca_mse'):.4f}"
        line((title, name, f"{took:.0f} processor seconds", errors, found["verdict"]))
        level = found["methods"][0]["points"][lab.SHARES.index(0.25)]["psnr"]
        lossy = [one for one in found["methods"] if not one["lossless"]]
        sizes = [(one["title"], lab.bytes_at(one["points"], level)) for one in lossy]
        told = (f"{title} {'-' if size is None else f'{size:.1f}'}" for title, size in sizes)
        line((f"at {level:.1f} dB", *told))


# Hands: what is dragged, and how soon what depends on it is drawn

MOVED = {  # what is dragged in each lab, from where to where as shares of its width and height
    "compress": ("rate", (0.2, 0.3), (0.8, 0.3)),
    "denoise": ("lab-pad", (0.2, 0.3), (0.8, 0.7)),
    "anomalies": ("threshold", (0.2, 0.3), (0.8, 0.3)),
    "sequences": ("lab-pad", (0.15, 0.3), (0.45, 0.7)),
}


def hands(quick: bool) -> None:
    """From the pointer's event to what is drawn, in a real Chromium that draws in software; a frame has 16 ms."""
    import contextlib

    from playwright.sync_api import sync_playwright
    from serving import ROOT, launched, served

    moves = 20 if quick else 200
    print(f"\n{moves} moves: milliseconds from the event to the drawn picture, the wait for the frame included")
    line(("lab", "what is dragged", "median", "p95", "wanted"))
    with (
        tempfile.TemporaryDirectory() as home,
        served(ROOT / "app.py", home) as (app, _),
        sync_playwright() as playwright,
        contextlib.closing(launched(playwright)) as browser,
    ):
        for name, (part, begin, end) in MOVED.items():
            page = browser.new_context(viewport={"width": 1366, "height": 768}).new_page()
            page.goto(f"{app}/{name}")
            page.wait_for_selector("[data-testid=lab][data-ready=true]", timeout=300_000)
            box = page.get_by_test_id(part).bounding_box()
            assert box is not None
            for i in range(moves + 1):
                share = i / moves
                x, y = (begin[k] + share * (end[k] - begin[k]) for k in (0, 1))
                page.mouse.move(box["x"] + x * box["width"], box["y"] + y * box["height"])
                if i == 0:
                    page.mouse.down()
                page.wait_for_timeout(20)
            page.mouse.up()
            spent = page.evaluate("() => performance.getEntriesByName('lab:draw').map((one) => one.duration)")
            figures = (f"{np.quantile(spent, share):.1f}" for share in (0.5, 0.95))
            line((name, part, *figures, "<= 16"))


def recommend(quick: bool) -> None:
    """Ratings with gaps: stars foretold, and what is suggested."""
    from recommend import recommend as measured

    measured(quick, line)


def few_labels(quick: bool) -> None:
    """What codes and hidden layers tell with few labels, beside plain features."""
    import features

    features.measure(quick, line)


def sequences(quick: bool) -> None:
    """What comes next, beside kernel ridge and others."""
    from sequences import sequences as measure

    measure(quick, line)


LABS: dict[str, Callable[..., None]] = {
    "anomalies": anomalies,
    "codes": codes,
    "compress": compress,
    "denoise": denoise,
    "recommend": recommend,
    "features": few_labels,
    "generate": generate,
    "own": own,
    "sequences": sequences,
    "hands": hands,
}


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

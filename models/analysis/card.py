"""The card of a shipped run: how it was made, how good it is, what it is weak at. Written from run.json."""

from models import kinds
from models.analysis import metrics
from models.datasets import TEST
from models.runs import Run
from models.runs.zoo import ZOO

COLUMNS = ("run", "dataset", "architecture", "D", "test error", "PCA's", "kNN", "MB")


def row(run: Run) -> tuple[str, ...]:
    """One line of the table in pretrained/README.md, by `COLUMNS`."""
    return (
        run.folder.name,
        run.card.dataset.name,
        run.card.architecture.name,
        str(run.code_size),
        f"{run.metric('mse'):.4f}",
        f"{run.metric('pca_mse'):.4f}",
        f"{run.metric('knn_accuracy'):.2f}" if run.metric("knn_accuracy") is not None else "–",
        f"{sum(file.bytes for file in run.card.files.values()) / 1e6:.2f}",
    )


def text(run: Run, name: str) -> str:
    """The card as Markdown."""
    dataset, trained = run.card.dataset, run.card.training
    weights, codes = ((run.folder / part).stat().st_size for part in ("weights.safetensors", "codes.f32"))
    dead = sum(run.card.codes.dead)
    own, other = run.metric("knn_accuracy"), run.metric("pca_knn_accuracy")
    lines = [
        f"# {name}",
        "",
        f"{run.title}. {run.card.architecture.parameters:,} parameters, stored as float16.",
        "",
        f"- Made by `python -m models train --preset zoo/{name} --ship`",
        f"- Took {trained.epochs} epochs, {trained.seconds:.0f} s on {trained.machine} ({trained.device}); epoch {trained.best_epoch} was kept",
        f"- Holds {weights / 1e6:.2f} MB of weights and {codes / 1e6:.2f} MB of codes ({run.count:,} of {dataset.count:,} samples)",
        f"- Data: {dataset.source}. Licence: {dataset.licence}",
        f"- Known weakness: {ZOO[name].weakness}",
        *([f"- {dead} of {run.code_size} dimensions are dead: the decoder does without them"] if dead else []),
        *(
            [
                f"- PCA's codes tell the classes better (kNN {other:.2f} against {own:.2f}): not every code is for classes"
            ]
            if own is not None and other is not None and own < other
            else []
        ),
        "",
        "| measured on the test split | value | unit | samples |",
        "| --- | --- | --- | --- |",
        *(f"| {m.title} | {m.value:.4f} | {m.unit} | {m.count:,} |" for m in run.card.metrics),
        "",
        *_factors(run),
    ]
    return "\n".join(lines)


def _factors(run: Run) -> list[str]:
    """Which dimension stands for which factor, where the factors are known."""
    names = run.card.dataset.factors
    if not names:
        return []
    test = run.splits == TEST
    told = metrics.factor_scores(run.codes[test], run.factors[test])
    pairs = metrics.own_dimensions(told)
    return [
        f"| factor | dimension of its own | absolute rank correlation, {test.sum():,} test samples |",
        "| --- | --- | --- |",
        *(f"| {names[k]} | z{d + 1} | {told[d, k]:.2f} |" for d, k in pairs),
        "",
    ]


def index(shipped: list[Run]) -> str:
    """pretrained/README.md: all shipped runs as one table."""
    megabytes = sum(file.bytes for run in shipped for file in run.card.files.values()) / 1e6
    images = all(kinds.get(run.kind).pixels for run in shipped)
    of = "per pixel" if images else "per pixel of an image or standardised value of a signal or row"
    scale = " (intensities from 0 to 1)" if images else ""
    lines = [
        "# Pretrained runs",
        "",
        f"{len(shipped)} runs, {megabytes:.1f} MB. Each folder is a run like any other, with its card in `card.md`: how it was made, how",
        "long that took, what it is weak at. This page is written by `python -m models train --preset zoo/NAME --ship`.",
        "",
        f"Errors are mean squared errors {of} on the test split{scale}, PCA with the same code size",
        "beside them; kNN is the share of test samples whose five nearest training codes name their class.",
        "",
        "| " + " | ".join(COLUMNS) + " |",
        "|" + " --- |" * len(COLUMNS),
        *("| " + " | ".join(row(run)) + " |" for run in sorted(shipped, key=lambda run: run.folder.name)),
        "",
    ]
    return "\n".join(lines)

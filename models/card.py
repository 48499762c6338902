"""The card of a shipped run: how it was made, how good it is, what it is weak at. Written from run.json."""

from models.runs import Run
from models.zoo import ZOO

COLUMNS = ("run", "dataset", "architecture", "D", "test error", "PCA's", "kNN", "MB")


def row(run: Run) -> tuple[str, ...]:
    """One line of the table in pretrained/README.md, by `COLUMNS`."""
    about = run.about
    size = sum(path.stat().st_size for path in run.folder.rglob("*") if path.is_file())
    return (
        run.folder.name,
        about["dataset"]["name"],
        about["architecture"]["name"],
        str(run.code_size),
        f"{run.metric('mse'):.4f}",
        f"{run.metric('pca_mse'):.4f}",
        f"{run.metric('knn_accuracy'):.2f}" if run.metric("knn_accuracy") is not None else "–",
        f"{size / 1e6:.2f}",
    )


def text(run: Run, name: str) -> str:
    """The card as Markdown."""
    about, trained = run.about, run.about["training"]
    sizes = {path.name: path.stat().st_size for path in run.folder.rglob("*") if path.is_file()}
    weights, codes = sizes["weights.safetensors"], sizes["codes.f32"]
    lines = [
        f"# {name}",
        "",
        f"{run.title}. {about['architecture']['parameters']:,} parameters, stored as float16.",
        "",
        f"- Made by `python -m models train --preset zoo/{name} --ship`",
        f"- Took {trained['epochs']} epochs, {trained['seconds']:.0f} s on {trained['machine']} ({trained['device']}); epoch {trained['best_epoch']} was kept",
        f"- Holds {weights / 1e6:.2f} MB of weights and {codes / 1e6:.2f} MB of codes ({run.count:,} of {about['dataset']['count']:,} samples)",
        f"- Data: {about['dataset']['source']}. Licence: {about['dataset']['licence']}",
        f"- Known weakness: {ZOO[name].weakness}",
        "",
        "| measured on the test split | value | unit | samples |",
        "| --- | --- | --- | --- |",
        *(f"| {m['title']} | {m['value']:.4f} | {m['unit']} | {m['count']:,} |" for m in about["metrics"]),
        "",
    ]
    return "\n".join(lines)

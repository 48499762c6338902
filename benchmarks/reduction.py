"""The lab Codes: runs that ship beside PCA, t-SNE and UMAP at as many numbers. Called by labs.py."""

from models import datasets, runs
from models.labs import quiet
from models.labs.codes import LAB, MEASURES

ONE_OF_EACH = ("digits-variational", "digits-modern-8", "mnist-variational", "mnist-modern-30", "fashion-mnist-modern")


def codes(quick: bool) -> None:
    """Every measure of every method, for a run of each kind; by the lab's own computation."""
    names = ONE_OF_EACH[:1] if quick else ONE_OF_EACH
    heads = ["run", "numbers", "method", *(one.title for one in MEASURES.values()), "ms a new sample", "seconds"]
    print("|", " | ".join(heads), "|\n|", " | ".join(["---"] * len(heads)), "|", flush=True)
    for name in names:
        run = runs.open_run(runs.folder_of(name))
        if datasets.missing(run.dataset):
            print(f"{run.dataset.name} is not here: python -m models download {run.dataset.name}", flush=True)
            continue
        found = LAB.answer(run, LAB.settings, quiet)
        for part in found.facts["sizes"]:
            for one in part["methods"]:
                figures = [measure.written(one[m]) if m in one else "none" for m, measure in MEASURES.items()]
                again = "all anew" if one["again"] is None else f"{one['again']:.2g}"
                cells = [name, str(part["size"]), one["title"], *figures, again, f"{one['seconds']:.1f}"]
                print("|", " | ".join(cells), "|", flush=True)
        print(found.facts["verdict"], flush=True)

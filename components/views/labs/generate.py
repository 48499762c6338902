"""Generate: new samples that change while a slider moves, how near they come to real ones, and whether they are copies."""

import base64
from typing import Any

import numpy as np
import streamlit as st

from components import address, choosing, labs, pictures
from components.labs import Try
from components.views import Page
from models import datasets, kinds, runs
from models.codes import to_float
from models.labs import Answer, generate

LAB = generate.LAB
# What the browser reports.
SHOWN = ("way", "class", "temperature", "attribute", "step", "seed", "sample", "into", "morph")


def show() -> None:
    """Draw the page."""
    run = labs.begin(LAB)
    if run is None:
        return
    view = labs.opened_as(LAB, run.id, SHOWN)
    found = labs.answer(LAB, run, {})
    if found is not None:
        view = labs.drawn(LAB, run.url, payload(found.digest, found, run), view)
        labs.to_try("Generate", tries(run, found))
        below(run, found)
        of = kinds.get(run.kind).many
        labs.origin(
            LAB,
            run,
            {},
            f"{found.facts['count']:,} drawn {of} against {found.facts['tested']:,} test {of} that nothing was fitted to. Judged by "
            f"{found.facts['judge']['title']} ({found.facts['judge']['digest']}); densities by {found.facts['libraries']}.",
        )
    address.publish(run=run.id, **{name: value for name, value in view.items() if value})


@st.cache_resource(max_entries=8, show_spinner=False)
def payload(digest: str, _found: Answer, _run: runs.Run) -> dict[str, Any]:
    """What the browser gets of an answer: its numbers, and the densities that it draws from."""
    facts, arrays = _found.facts, _found.arrays

    def text(content: bytes) -> str:
        return base64.b64encode(content).decode()

    names = ("classes", "floor", "ways", "chosen", "verdict", "against", "copies", "attributes")
    return {
        "id": digest,
        "facts": {name: facts[name] for name in names},
        "densities": {
            name: text(values.tobytes())
            for name, values in arrays.items()
            if name == "classes" or name.startswith("mixture-")
        },
        "kernel": labs.plain(facts["bandwidth"] * arrays["kernel"]),
        "directions": labs.plain(arrays["directions"]),
        "train": text(np.packbits(_run.splits == datasets.TRAIN).tobytes()),
    }


def tries(run: runs.Run, found: Answer) -> list[Try]:
    """Three things to do."""
    first = Try("One Gaussian for all codes: what goes wrong?", {"run": run.id, "way": "mixture-1"})
    hot = Try("Hotter than the codes are", {"run": run.id, "temperature": "1.5"})
    if run.variational:
        first = Try("From the prior that it was trained towards", {"run": run.id, "way": "prior"})
    names = [one["name"] for one in found.facts["attributes"]]
    if names:
        third = Try(f"Towards “{names[-1]}”", {"run": run.id, "attribute": names[-1], "step": "1.5"})
    else:
        third = Try("Handwritten digits", {"run": "digits-modern-8"})
    if run.folder.name != "shapes-convolutional-variational":
        turned = {"run": "shapes-convolutional-variational", "attribute": "rotation", "step": "2"}
        hot = Try("Turn squares, ellipses and hearts", turned)
    return [first, third, hot]


def below(run: runs.Run, found: Answer) -> None:
    """Whether it copies, every number, and how it is measured."""
    of = kinds.get(run.kind)
    with st.expander("Are they copies? Drawn ones above, their nearest training samples below"):
        copies(run, found)
    with st.expander("All numbers, and how this is measured"):
        st.markdown(
            f"**Drawing.** The codes of training {of.many} are described by a density, codes are drawn from it, and a decoder makes "
            "samples of them. Held-out codes chose its settings. *One for each class*: a mixture fitted to each class alone. *Kernel "
            "density*: a small Gaussian around every training code. PCA draws the same way, with the density that suits its numbers.\n\n"
            f"**Fréchet distance.** A judge turns samples into features; two sets of {of.many} are compared by mean and covariance of "
            "these. 0 is the same set. Real training samples against real test samples have a distance, too: nothing drawn can be "
            "expected to be closer. **Precision**: how many drawn samples lie among real ones. **Recall**: how many real ones lie "
            "among drawn ones. **Copies**: how many are nearer to a training sample than 99 of 100 unseen real ones are; of unseen "
            f"real ones that the run reconstructed it is {found.facts['copies']['reconstructed']:.1%}, since what it draws is smoother "
            "than what is real.\n\n"
            "**Factors and classes.** Codes are regressed on all factors at once; a step is one standard deviation of one of them. "
            "Towards a class: from the mean of all codes to that of the class. The judge measures what became of test samples."
        )
        columns = ("title", "setting", "distance", "spread", "precision", "recall", "copies")
        real = {
            "title": "Real training samples",
            "distance": found.facts["floor"],
            "spread": found.facts["floor_spread"],
        }
        st.dataframe([real, *({name: way[name] for name in columns} for way in found.facts["ways"])], hide_index=True)


def copies(run: runs.Run, found: Answer) -> None:
    """Drawn samples beside the nearest of all training samples."""
    rows, distances = found.arrays["nearest"].astype(np.int64), found.arrays["distances"]
    close = found.facts["copies"]["close"]
    flagged = int((distances < close).sum())
    words = f"{flagged} of these {len(rows)} are nearer than {close:.3f}, which 99 of 100 unseen real samples are not."
    drawn = run.coder.decode(found.arrays["drawn"])
    real = to_float(np.asarray(datasets.samples_at(run.dataset, rows)))
    if kinds.get(run.kind).pixels:
        sheet = pictures.below(np.stack([drawn, real]), across=6, side=96)
        st.html(
            f'<div class="hg-strips">{pictures.element(sheet, "drawn, and below the nearest training samples")}</div>'
        )
    names = run.class_names(found.arrays["labels"].tolist()) if run.classes else [""] * len(rows)
    st.caption(
        f"{words} Distances, in the order of the pictures: "
        + ", ".join(
            f"{distance:.3f}{f' ({choosing.escaped(name)})' if name else ''}"
            for distance, name in zip(distances.tolist(), names, strict=True)
        )
        + "."
    )


PAGE = Page("Generate", ":material/auto_awesome:", 5, show)

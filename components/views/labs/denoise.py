"""Denoise: a noisy sample is cleaned while a pen moves, and a classifier reads it before and after."""

import base64
from typing import Any

import numpy as np
import streamlit as st

from components import address, choosing, labs, page_of_text, pictures, sound
from components.labs import Try
from components.views import Page
from models import kinds, runs
from models.codes import to_float
from models.labs import Answer, _page, _sound, denoise

LAB = denoise.LAB
SHOWN = ("measured", "by", "sample", "noise", "level", "text", "strength", "size")  # what the browser reports


def show() -> None:
    """Draw the page."""
    run = labs.begin(LAB)
    if run is None:
        return
    view = labs.opened_as(LAB, run.id, SHOWN)
    found = labs.answer(LAB, run, {}, on_demand=whole(run))
    if found is not None:
        view = labs.drawn(LAB, run.url, payload(found.digest, found, run.dataset.fit), view)
        labs.to_try("Denoise", tries(run))
        below(run, found)
        labs.origin(LAB, run, {}, measured(run, found))
    address.publish(run=run.id, **{name: value for name, value in view.items() if value})


def whole(run: runs.Run) -> bool:
    """Where a run has learnt pieces of a whole, pages of text or sounds, the whole comes first. Whether it is such a run."""
    for part, fits in ((page_of_text, _page.fits), (sound, _sound.fits)):
        if not fits(run):
            part.show(run)
            st.subheader("A piece of it, under your pen", anchor=False)
            return True
    return False


@st.cache_resource(max_entries=8, show_spinner=False)
def payload(digest: str, _found: Answer, fit: tuple[float, str] | None) -> dict[str, Any]:
    """What the browser gets of an answer: its numbers, the classifier, and all samples: the originals, then what each method
    made of some of them, by noise, method and sample. fit: how drawings are fitted (see `Dataset.fit`)."""
    facts, arrays = _found.facts, _found.arrays
    shape = tuple(facts["shape"])
    examples = arrays["examples"]
    samples = np.concatenate([arrays["originals"], examples.reshape(-1, *shape)])
    sent = {
        "id": digest,
        "facts": {name: facts[name] for name in ("kind", "shape", "classes", "noises", "reader")},
        "labels": arrays["labels"].tolist(),
        "across": examples.shape[2],
        "fit": fit and {"share": fit[0], "centre": fit[1]},
    }
    if "reader" in arrays:
        sent["reader"] = base64.b64encode(arrays["reader"].tobytes()).decode()
    if not kinds.get(facts["kind"]).pixels:
        return {**sent, "values": base64.b64encode(samples.astype("<f4").tobytes()).decode()}
    columns = int(np.ceil(np.sqrt(len(samples))))
    missing = -len(samples) % columns
    filled = np.concatenate([samples, np.zeros((missing, *shape), samples.dtype)])
    rows = [np.concatenate(list(row), 1) for row in filled.reshape(-1, columns, *shape)]
    encoded = base64.b64encode(pictures.png(pictures.picture(to_float(np.concatenate(rows))))).decode()
    return {**sent, "columns": columns, "pictures": f"data:image/png;base64,{encoded}"}


def tries(run: runs.Run) -> list[Try]:
    """Three things to do."""
    name = run.folder.name
    if run.configuration.noise == "mixed" and run.kind == "image":
        first = Try("Write a word over it", {"run": run.id, "measured": "watermarks", "text": "SOLD"})
    elif name in ("text-denoising", "tones-denoising"):
        first = Try("Handwritten digits under your pen", {"run": "digits-denoising"})
    else:
        other = "gaussian" if run.configuration.noise == "salt-and-pepper" else "salt-and-pepper"
        first = Try("Another noise than it learnt from", {"run": run.id, "noise": other, "level": "0.3"})
    others = [
        Try("A page of text, stained and folded", {"run": "text-denoising"}),
        Try("A melody with hiss", {"run": "tones-denoising"}),
        Try("More noise than it learnt from", {"run": run.id, "noise": "gaussian", "level": "0.9"}),
    ]
    return [first, *(one for one in others if one.query["run"] != name)][:3]


def below(run: runs.Run, found: Answer) -> None:
    """Every number, and how it is measured."""
    of = kinds.get(run.kind)
    with st.expander("All numbers, and how this is measured"):
        reader = found.facts["reader"]
        words = [
            f"Noise is put on {of.many} of the test split, and each method sees the same noisy ones. How strong a filter is was "
            "chosen on validation samples, and so was what it does to the mean: noise that is cut off at 0 and 1 moves it.",
            "**PCA** keeps as many components as serve best. The **best linear map** is fitted to noisy and clean training samples "
            "of this very noise (ridge regression). The **autoencoder trained without noise** has the same layers; it was trained "
            "for as many epochs, or as many as take about ten seconds, as its setting says.",
        ]
        if reader:
            words.append(
                f"The classifier learnt from clean training {of.many} and reads {100 * reader['accuracy']:.1f} % of clean test "
                f"{of.many} correctly. It has never seen noise: what it cannot read was not cleaned well enough."
            )
        else:
            words.append(
                f"These {of.many} have no classes, so there is nothing to read: PSNR tells how close they come."
            )
        st.markdown("\n\n".join(words))
        table = [
            {
                "noise": noise["title"],
                "method": method["title"],
                **{k: method[k] for k in ("psnr", "ssim", "read", "setting", "library")},
            }
            for noise in found.facts["noises"]
            for method in noise["methods"]
        ]
        st.dataframe(table, hide_index=True)


def measured(run: runs.Run, found: Answer) -> str:
    """What the numbers are about."""
    of = kinds.get(run.kind)
    return f"Measured on {found.facts['count']:,} test {of.many} that no method has seen. {choosing.escaped(found.facts['libraries'])}"


PAGE = Page("Denoise", ":material/auto_fix_high:", 2, show)

"""Compress: how many bytes an image needs, with a run's codes, with PCA, and as image files."""

import base64
from typing import Any

import numpy as np
import streamlit as st

from components import address, cached, choosing, labs, new_samples, pictures, visitor
from components.labs import Try
from components.views import Page
from models import Problem, datasets, runs
from models.analysis import coding
from models.codes import to_float
from models.labs import Answer, compress

LAB = compress.LAB
SHOWN = ("rate", "many", "bits", "alone", "measure", "image")  # what the browser reports

# The choices that benchmarks/README.md measures on Fashion-MNIST: a large code, of which the rate leaves what is worth its bytes.
RATED = {
    "dataset": "fashion-mnist",
    "architecture": "modern",
    "code_size": "96",
    "rate": "0.008",
    "epochs": "20",
    "batch_size": "256",
    "learning_rate": "0.004",
    "mixing": "0",
}


def show() -> None:
    """Draw the page."""
    run = labs.begin(LAB)
    if run is None:
        return
    view = labs.opened_as(LAB, run.id, SHOWN)
    found = labs.answer(LAB, run, {})
    if found is not None:
        view = labs.drawn(LAB, run.url, payload(found.digest, found), view)
        labs.to_try("Compress", tries(run))
        below(run, found)
        count = f"Measured on {found.facts['count']:,} test images that the network never saw."
        labs.origin(LAB, run, {}, f"{count} Written by {found.facts['libraries']}.")
    address.publish(run=run.id, **{name: value for name, value in view.items() if value})


@st.cache_resource(max_entries=8, show_spinner=False)
def payload(digest: str, _found: Answer) -> dict[str, Any]:
    """What the browser gets of an answer: its numbers, and all pictures in one: a row for the originals, then one for each
    point of each method but the run's, whose own decoder draws."""
    arrays = _found.arrays
    rows = [arrays["originals"]]
    for method in _found.facts["methods"]:
        if method["name"] != "run":
            rows += list(arrays[method["name"]])
    joined = np.concatenate([np.concatenate(list(row), 1) for row in rows])
    encoded = base64.b64encode(pictures.png(pictures.picture(to_float(joined)))).decode()
    return {
        "id": digest,
        "facts": {name: _found.facts[name] for name in ("shape", "shares", "methods", "decoder")},
        "pictures": f"data:image/png;base64,{encoded}",
        "codes": labs.plain(arrays["codes"]),
    }


def tries(run: runs.Run) -> list[Try]:
    """Three things to do."""
    count = Try("Count the decoder, for a thousand images", {"run": run.id, "bits": "8", "many": "1000"})
    alone = Try("A file for each image", {"run": run.id, "alone": "yes"})
    if run.configuration.dataset == "mnist":
        size = Try("784 numbers into 64: train it", {"dataset": "mnist", "code_size": "64"}, "Train")
    elif run.configuration.dataset == "fashion-mnist":
        size = Try("Train codes that are meant to be rounded", RATED, "Train")
    elif run.folder.name == "digits-modern-8":
        size = Try("The same for pictures of cats", {"run": "cats-convolutional-variational"})
    else:
        size = Try("64 numbers into 8: handwritten digits", {"run": "digits-modern-8"})
    return [count, alone, size]


def below(run: runs.Run, found: Answer) -> None:
    """What is behind the numbers, files to take along, and an image of another kind."""
    with st.expander("Take the images along as one file, and open it again"):
        taken_along(run, found)
    with st.expander("An image of another kind: what becomes of it?"):
        another(run)
    with st.expander("How this is measured"):
        st.markdown(
            "The run's codes are made to draw each image as well as the decoder can, then rounded to steps, smaller in dimensions "
            "that move the picture more; what one number loses the others make up for, as far as they can. A range coder writes "
            "the whole numbers by how likely each is after those before it: that is learnt from the codes of training images, a "
            "mixture of normal distributions, which is counted with the decoder. The bytes are those of a real file, which the run "
            "reads again. PCA is written the same way, all components with one step. Image files are written by Pillow with "
            "seven qualities each or more: all images side by side in one file, since a file of its own is mostly header for so small "
            "an image. PSNR: the squared error on a logarithmic scale; 10 dB more is a tenth of it. SSIM: how alike edges and "
            "textures are, 1 for the same image. The decoder is counted as it leaves on one page: whole numbers of 8, 6 or 4 "
            "bits a weight or halves of 16 bits, then gzip; PCA's components with 8."
        )
        table = [
            {"method": method["title"], **point} for method in found.facts["methods"] for point in method["points"]
        ]
        st.dataframe(table, hide_index=True)


def taken_along(run: runs.Run, found: Answer) -> None:
    """A file of test images as the run writes it, and reading one again."""
    shares = found.facts["shares"]
    share = st.select_slider(
        "Step, as a share of a standard deviation of the usual dimension",
        shares[::-1],
        value=0.25,
        help="Small steps: more bytes, better images",
    )
    known = found.arrays["known"].tobytes()
    count, each = found.facts["count"], found.facts["methods"][0]["points"][shares.index(share)]["rate"]
    st.download_button(
        f"{count:,} test images in {count * each:,.0f} bytes",
        lambda: packed(run, share, known),
        f"{run.folder.name}.hgl",
        "application/octet-stream",
        on_click="ignore",
        icon=":material/download:",
        help=f"{each:.1f} bytes an image, all that a file needs included. Only this run's decoder can read it.",
    )
    if not visitor.can_send():
        return
    given = st.file_uploader("Open such a file", type="hgl", key="compressed")
    if given is None:
        return
    try:
        content = given.getvalue()
        images = compress.unpack(run, coding.unpacked(known), content)
        equal = content == packed(run, share, known)
    except Problem as problem:
        st.error(str(problem))
        return
    st.markdown(f"{len(images):,} images" + (", bit for bit those that were written above." if equal else "."))
    st.html(
        f'<div class="hg-strips">{pictures.element(pictures.strip(images[:12], 48), "the images of the file")}</div>'
    )


@cached.per_run(4, "Writing…")
def packed(run: runs.Run, share: float, known: bytes) -> bytes:
    """The file of the images that the figures are about."""
    _, images = compress.test_images(run, int(LAB.settings["images"]))
    return compress.pack(run, coding.unpacked(known), images, share)


def another(run: runs.Run) -> None:
    """An image from elsewhere through the run: what its decoder knows to draw, and nothing else."""
    st.caption(
        "A network compresses what is like the images that it learnt from. Take images of another dataset, or bring any: they "
        "are fitted to the run's size, become codes, and the decoder draws what it knows."
    )
    others = {
        name: one
        for name, one in choosing.datasets_of(visitor.owner()).items()
        if one.kind == "image"
        and one.shape[-1] in (1, 3)
        and name != run.configuration.dataset
        and not datasets.missing(one)
    }
    titles = choosing.titles(others)
    taken = st.selectbox(
        "Images of", list(others), None, titles.__getitem__, placeholder="another dataset", key="taken from"
    )
    readable = ["png", "jpg", "jpeg", "webp"]
    files = None
    if visitor.can_send():
        files = st.file_uploader("Images", accept_multiple_files=True, key="another kind", type=readable)
    if files:
        come = new_samples.encoded(run, files)
        if come is None:
            return
        shown, codes = come.shown[:12], come.encoded.codes[:12]
    elif taken is not None:
        shown = to_float(compress.borrowed(run, others[taken], 12))
        codes = run.coder.encode(shown)
    else:
        return
    rows = np.stack([shown, run.coder.decode(codes)])
    sheet = pictures.below(rows, across=6, side=96)
    words = "what came, and below what the decoder draws of its code"
    st.html(f'<div class="hg-strips">{pictures.element(sheet, words)}</div>')
    error = float(np.square(rows[0] - rows[1]).mean())
    st.caption(
        f"{words[:1].upper()}{words[1:]}. Error {error:.4f}, "
        f"{error / max(run.metric('mse') or 1, 1e-12):,.1f} times that of {choosing.escaped(run.card.dataset.title)}."
    )


PAGE = Page("Compress", ":material/compress:", 1, show)

"""Images: strips one under the other, pictures in a table's cells."""

import base64
import html
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from components import pictures
from components.samples.drawing import SIDE, Cells, Drawing
from models.analysis.reconstruct import Reconstructed
from models.codes import Floats
from models.runs import Run

WIDE = 10  # pictures in a strip whose size is kept; more of them are drawn smaller


class Images(Drawing):
    row_height = SIDE + 8
    ending, mime = "png", "image/png"

    def side_by_side(
        self, _run: Run, sets: Mapping[str, Floats], _heads: Sequence[str], _key: str, _called: str
    ) -> None:
        for name, images in sets.items():
            st.image(pictures.strip(images, 64), alt=name)

    def one(self, _run: Run, sets: Mapping[str, Floats], _head: str) -> None:
        with st.container(horizontal=True):
            for name, images in sets.items():
                st.image(pictures.enlarged(images[0], 168), caption=name, width=168)

    def compared(self, run: Run, shown: Reconstructed, _heads: Sequence[str]) -> None:
        """Strips, a sample above itself: originals, (noisy inputs,) reconstructions, PCA, error maps."""
        ours, pca = np.square(shown.run - shown.clean), np.square(shown.pca - shown.clean)
        most = max(float(np.percentile(one.mean(-1), 99)) for one in (ours, pca))
        sheets: dict[str, Any] = {"Originals": shown.clean}
        if run.configuration.noise != "none":
            sheets[f"Inputs with {run.configuration.noise} noise"] = shown.given
        sheets |= {
            f"Reconstructions, D = {run.code_size} · mean error {shown.errors.mean():.4f}": shown.run,
            f"PCA, D = {run.code_size} · mean error {shown.pca_errors.mean():.4f}": shown.pca,
            f"Error map of the run (black: none, pale yellow: {most:.2g} or more)": pictures.heat(ours, most),
            "Error map of PCA, same colours": pictures.heat(pca, most),
        }
        # One element, whose pictures have their sizes before they arrive, in a place that is kept free for it: nothing jumps.
        figures = (
            f"<figure><figcaption>{html.escape(title)}</figcaption>{pictures.element(pictures.strip(images), title)}</figure>"
            for title, images in sheets.items()
        )
        with st.container(key="strips" if len(shown.rows) <= WIDE else "thin strips"):
            st.markdown(f'<div class="hg-strips">{"".join(figures)}</div>', unsafe_allow_html=True)

    def cells(self, _run: Run, sets: Mapping[str, NDArray[np.float32] | None], _taken: Iterable[str]) -> Cells:
        out = Cells()
        for ending, images in sets.items():
            if images is not None:
                name = f"picture{ending}"
                out.before[name] = [address_of(image) for image in images]
                word = ending.removeprefix(" of the ")
                out.looks[name] = st.column_config.ImageColumn(word, width=SIDE + 16)
        return out

    def content(self, _run: Run, sample: Floats) -> bytes:
        return pictures.png(pictures.picture(sample))


def address_of(image: NDArray[np.float32]) -> str:
    """An image (H, W, C) in [0, 1] as an address that holds it as PNG."""
    encoded = base64.b64encode(pictures.png(pictures.enlarged(image, SIDE))).decode()
    return f"data:image/png;base64,{encoded}"


DRAWING = Images()

"""Arrays to Pillow pictures. No Streamlit here."""

import base64
import html
import io
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

# A perceptually even ramp from black over red to pale yellow (the corner colours of matplotlib's "inferno").
HEAT = np.array([[0, 0, 4], [66, 10, 104], [147, 38, 103], [221, 81, 58], [252, 165, 10], [252, 255, 164]], np.float32)

GREY = "#808495"  # of letters and lines, to be read on light and dark pages


def drawing(content: str, wide: int, high: int, words: str) -> str:
    """A drawing, elements of SVG of so many pixels, as HTML: a page takes none but as a picture. words: what it shows, for
    whoever does not see it."""
    whole = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {wide} {high}" width="{wide}" height="{high}" fill="{GREY}" '
        f'font-family="sans-serif" font-size="14">{content}</svg>'
    )
    encoded = base64.b64encode(whole.encode()).decode()
    return (
        f'<img alt="{html.escape(words)}" width="{wide}" height="{high}" style="max-width: 100%; height: auto" '
        f'src="data:image/svg+xml;base64,{encoded}">'
    )


def picture(image: NDArray[np.floating[Any]]) -> Image.Image:
    """One image (H, W, C) in [0, 1], C being 1 or 3, as a picture of its own size."""
    pixels = np.round(np.clip(image, 0, 1) * 255).astype(np.uint8)
    return Image.fromarray(pixels[..., 0] if pixels.shape[-1] == 1 else pixels)


def enlarged(image: NDArray[np.floating[Any]], side: int = 336) -> Image.Image:
    """One image enlarged by a whole factor to about `side` pixels, its pixels kept as squares."""
    factor = max(1, side // max(image.shape[:2]))
    small = picture(image)
    return small.resize((small.width * factor, small.height * factor), Image.Resampling.NEAREST)


def strip(images: NDArray[np.floating[Any]], side: int = 96, gap: int = 4) -> Image.Image:
    """Images (N, H, W, C) side by side with transparent gaps, each enlarged by a whole factor to about `side` pixels."""
    shown = [enlarged(image, side) for image in images]
    width, height = shown[0].size
    page = Image.new("RGBA", (len(shown) * (width + gap) - gap, height))
    for i, image in enumerate(shown):
        page.paste(image.convert("RGB"), (i * (width + gap), 0))
    return page


def below(rows: NDArray[np.floating[Any]], across: int, side: int = 64, gap: int = 4) -> Image.Image:
    """Rows (R, N, H, W, C) of images, the i-th of each below that of the row before, `across` of them side by side; what does
    not fit follows below with a larger gap."""
    blocks = [[strip(row[at : at + across], side, gap) for row in rows] for at in range(0, rows.shape[1], across)]
    height = blocks[0][0].height
    step = len(rows) * (height + gap) + 3 * gap
    page = Image.new("RGBA", (blocks[0][0].width, len(blocks) * step - 4 * gap))
    for b, block in enumerate(blocks):
        for r, one in enumerate(block):
            page.paste(one, (0, b * step + r * (height + gap)))
    return page


def heat(errors: NDArray[np.floating[Any]], most: float) -> NDArray[np.float32]:
    """Squared errors (N, H, W, C) as colours (N, H, W, 3): dark is none, pale yellow is `most` or more."""
    share = np.clip(errors.mean(-1) / max(most, 1e-9), 0, 1) * (len(HEAT) - 1)
    low = np.minimum(share.astype(int), len(HEAT) - 2)
    mix = (share - low)[..., None]
    return np.asarray((HEAT[low] * (1 - mix) + HEAT[low + 1] * mix) / 255, np.float32)


def element(image: Image.Image, alt: str) -> str:
    """The picture as an HTML element that holds it: it has its proportions before it is drawn, and is never fetched."""
    encoded = base64.b64encode(png(image)).decode()
    return f'<img alt="{html.escape(alt)}" width="{image.width}" height="{image.height}" src="data:image/png;base64,{encoded}">'


def png(image: Image.Image) -> bytes:
    """The picture as a PNG file."""
    out = io.BytesIO()
    image.save(out, "PNG")
    return out.getvalue()

"""Films as files: GIF and WebP, by Pillow."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from PIL import Image

from models.films.drawing import Film

FORMATS = ("gif", "webp")
SAMPLES = 8  # frames, evenly chosen, that are looked at for the colours of a GIF
RAMP = (*range(0, 252, 4), 255)  # shades of grey, where there are many
WHITE = 250  # from here on a colour of the table is white: Pillow looks colours up by their first six bits


def written(film: Film, format: str, progress: Callable[[float], None] = lambda _share: None) -> bytes:
    """The film as a file. progress: hears how much is done, from 0 to 1."""

    def frames() -> Iterator[Image.Image]:
        for k in range(film.count):
            yield film.frame(k)
            progress((k + 1) / film.count)

    out = io.BytesIO()
    moving: dict[str, Any] = {"save_all": True, "duration": [10 * one for one in film.hundredths]}
    if format == "webp":
        first, *others = frames()
        first.save(
            out,
            "WEBP",
            append_images=others,
            loop=0 if film.chosen.loop else 1,
            lossless=True,
            quality=50,
            method=3,
            **moving,
        )
        return out.getvalue()
    palette = _palette(film)
    first, *others = (frame.quantize(palette=palette, dither=Image.Dither.NONE) for frame in frames())
    if film.chosen.loop:
        moving["loop"] = 0
    first.save(out, "GIF", append_images=others, optimize=True, disposal=1, **moving)
    return out.getvalue()


def _palette(film: Film) -> Image.Image:
    """The colours that all frames of a GIF share; greys keep their shades, and take no tint from other colours."""
    some = sorted({i * film.count // SAMPLES for i in range(SAMPLES)})
    sheet = Image.fromarray(np.concatenate([np.asarray(film.frame(k)) for k in some]))
    ramp = RAMP if film.greys else ()
    colours = sheet.quantize(255 - len(ramp), Image.Quantize.MEDIANCUT, kmeans=2).getpalette() or []
    colours = [255 if value > WHITE else value for value in colours]
    palette = Image.new("P", (1, 1))
    palette.putpalette([*(grey for grey in ramp for _ in range(3)), *colours[: 3 * (255 - len(ramp))]])
    return palette

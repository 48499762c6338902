"""Text as pictures: lines and whole pages, dark on light, in a free font that Pillow brings.

The font is Aileron Regular by Sora Sagano (https://dotcolon.net/fonts/aileron), in the public domain (CC0 1.0). What Pillow
holds of it are the letters, digits and marks of ASCII.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from PIL.ImageFont import FreeTypeFont

WIDTH, HEIGHT, MARGIN = 600, 800, 44  # of a page, in pixels
SIZES = (20, 18, 16)  # of its letters, in pixels from line to line of a setting without space: the largest that fits
# Marks that typing programs make of others.
ALIKE = str.maketrans(
    {"‘": "'", "’": "'", "‚": ",", "“": '"', "”": '"', "„": '"', "«": '"', "»": '"', "–": "-", "—": "-", "ß": "ss"}
)
QUIETLY = {"‘", "’", "‚", "“", "”", "„", "–", "—"}  # those of them that nobody would miss
SPACING = 1.4  # from line to line, in sizes


@dataclass(frozen=True)
class Written:
    """A page (H, W) uint8, dark on light, the lines that stand on it, and the size of their letters in pixels.

    left: how many words did not fit; replaced: letters that the font does not have, each once, for which others stand."""

    image: NDArray[np.uint8]
    lines: tuple[str, ...]
    size: int
    left: int
    replaced: tuple[str, ...]


@cache
def font(size: int) -> FreeTypeFont:
    """The font at so many pixels."""
    from PIL import ImageFont

    found = ImageFont.load_default(size)
    assert isinstance(found, ImageFont.FreeTypeFont)  # Pillow's wheels all have FreeType
    return found


def page(text: str) -> Written:
    """A text as a page of `HEIGHT` by `WIDTH` pixels, in the largest of `SIZES` in which it fits; its end is left out where
    it fits in none. Spaces and breaks of its own are kept as breaks between words and lines, no more."""
    text, replaced = printable(text)
    for size in SIZES:
        lines, left = _wrapped(text, size)
        if not left:
            break
    from PIL import Image, ImageDraw

    sheet = Image.new("L", (WIDTH, HEIGHT), 255)
    pen = ImageDraw.Draw(sheet)
    for i, line in enumerate(lines):
        pen.text((MARGIN, MARGIN + round(i * SPACING * size)), line, fill=0, font=font(size))
    return Written(np.asarray(sheet), tuple(lines), size, left, replaced)


def printable(text: str) -> tuple[str, tuple[str, ...]]:
    """A text in letters that the font has, and which others it had: an accent is left out, a long dash becomes a short one, what
    has no likeness a question mark."""
    seen = "".join(letter for letter in text if letter.isspace() or unicodedata.category(letter)[0] != "C")
    plain = unicodedata.normalize("NFKD", seen.translate(ALIKE))
    kept = "".join(letter for letter in plain if not unicodedata.combining(letter))
    replaced = sorted({letter for letter in seen if not (letter.isascii() or letter.isspace())} - QUIETLY)
    out = "".join(
        letter if " " <= letter <= "~" or letter == "\n" else " " if letter.isspace() else "?" for letter in kept
    )
    return out, tuple(replaced[:12])


def _wrapped(text: str, size: int) -> tuple[list[str], int]:
    """The lines of a text that fit on a page, and how many of its words do not."""
    most = int((HEIGHT - 2 * MARGIN) / (SPACING * size))
    measure = font(size).getlength
    lines: list[str] = []
    paragraphs = [paragraph.split() for paragraph in text.splitlines()]
    left = sum(map(len, paragraphs))
    for words in paragraphs:
        line = ""
        if not words and lines and len(lines) < most:
            lines.append("")  # between paragraphs
        while words:
            if measure(words[0]) > WIDTH - 2 * MARGIN:  # a word longer than a line is broken
                fits = max(k for k in range(1, len(words[0])) if measure(words[0][:k]) <= WIDTH - 2 * MARGIN)
                words[:1] = [words[0][:fits], words[0][fits:]]
                left += 1
            longer = f"{line} {words[0]}".lstrip()
            if measure(longer) > WIDTH - 2 * MARGIN:
                if len(lines) == most:
                    return lines, left
                lines.append(line)
                left -= len(line.split())
                line = ""
                continue
            line = longer
            del words[0]
        if line and len(lines) < most:
            lines.append(line)
            left -= len(line.split())
    return lines, left

"""How a run is shown to somebody who has chosen nothing: the colours of its classes, and where its map opens.

The same in the app, on the page that a run becomes, and on a site.
"""

import re
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models import datasets, runs

Rgb = tuple[int, int, int]
Floats = NDArray[np.floating[Any]]

# Okabe and Ito 2008 without black, which a dark page swallows; from the eighth on chosen by search so that any two
# stay apart (CIELAB distance >= 16) for normal, protan, deutan and tritan sight (Machado et al. 2009) and stand out
# from both pages. A test repeats the measurement.
PALETTE = (
    "#E69F00",
    "#56B4E9",
    "#009E73",
    "#F0E442",
    "#0072B2",
    "#D55E00",
    "#CC79A7",
    "#8800FF",
    "#884422",
    "#AACC77",
    "#BB55FF",
    "#555566",
    "#5544BB",
    "#DDAAAA",
)
PAPERS: tuple[Rgb, ...] = ((255, 255, 255), (17, 23, 29))  # the light and the dark page
CONTRAST = 1.6  # of a point with either page, at least
APART = 12.0  # CIELAB distance of two classes, at least
MOST = 64  # classes that get colours of their own: more could not be told apart
SHADES = np.arange(0, 0.96, 0.05)  # shares of black or white that a colour may be mixed with
# From linear sRGB to CIE XYZ, relative to the white point D65 (IEC 61966-2-1).
XYZ = np.array(
    [[0.4124564, 0.3575761, 0.1804375], [0.2126729, 0.7151522, 0.0721750], [0.0193339, 0.1191920, 0.9503041]]
)
D65 = np.array([0.95047, 1.0, 1.08883])


def palette(run: runs.Run) -> list[str]:
    """The colour of each class of a run, as "#rrggbb", the same in every map and figure.

    Where the classes are colours (the dataset says which, or all their names are CSS colours) there is one for each of
    them, each tellable from a light and a dark page and from the others. Else it is the palette, which begins again at
    its end.
    """
    return class_colours(run.card.dataset.name, run.classes)


def class_colours(dataset: str, classes: Sequence[str]) -> list[str]:
    """`palette` of classes by the name of their dataset, which need not be here."""
    if not 0 < len(classes) <= MOST:
        return list(PALETTE)
    known = datasets.available().get(dataset)
    own = known.colours if known else {}
    named = [_rgb(own[name]) if name in own else css(name) for name in classes]
    colours = [colour for colour in named if colour is not None]
    return tellable(colours) if len(colours) == len(named) else list(PALETTE)


def crisp(run: runs.Run) -> list[float]:
    """The code of a sample that its run draws well: in the middle of the first class, of the tenth with the least errors.

    The mean of all codes lies where classes meet, and decodes to a blur of them.
    """
    known = run.labels[run.labels >= 0]
    first = known.min() if len(known) else -1
    own = np.flatnonzero(run.labels == first)
    own = own[np.isfinite(run.codes[own]).all(1)]
    best = own[run.errors[own] <= np.quantile(run.errors[own], 0.1)] if len(own) else own
    if not len(best):
        return list(run.card.codes.mean)
    far = np.square(run.codes[best] - np.median(run.codes[own], 0)).sum(1)
    return [float(value) for value in run.codes[best[np.argmin(far)]]]


def css(name: str) -> Rgb | None:
    """The colour of that name in CSS, however it is spelled ("Light blue"); None where it is no colour's."""
    from PIL import ImageColor

    word = re.sub(r"[\s_-]", "", name).lower()
    if word not in ImageColor.colormap:
        return None
    red, green, blue = ImageColor.getrgb(word)[:3]
    return red, green, blue


def tellable(colours: Sequence[Rgb]) -> list[str]:
    """The nearest shade of each that stands out from both pages and from the others, as "#rrggbb".

    The lightest and the darkest choose first: there is nowhere else for them to go, and white stays lighter than silver.
    Where so many are alike that no shade is left, it is the one furthest from the others.
    """
    out: dict[int, Floats] = {}
    taken: list[Floats] = []
    for i in sorted(range(len(colours)), key=lambda i: -abs(float(lab(np.array(colours[i]))[0]) - 50)):
        shades = np.concatenate([colours[i] + SHADES[:, None] * (end - np.array(colours[i])) for end in (0, 255)])
        shades = shades[np.argsort(np.tile(SHADES, 2), kind="stable")].round()
        shades = shades[_stands_out(shades)]
        apart = np.linalg.norm(lab(shades)[:, None] - np.reshape(taken, (-1, 3)), axis=2).min(1, initial=APART)
        out[i] = shades[int(apart.argmax())]  # the first that is as far apart as it need be
        taken.append(lab(out[i]))
    return ["#{:02x}{:02x}{:02x}".format(*map(int, out[i])) for i in range(len(colours))]


def contrast(one: Floats, other: Floats) -> Floats:
    """The contrast of colours (…, 3) from 0 to 255, from 1 to 21 (WCAG 2.2)."""
    a, b = ((_linear(colour) @ XYZ.T)[..., 1] + 0.05 for colour in (one, other))
    return np.asarray(np.maximum(a, b) / np.minimum(a, b))


def lab(rgb: Floats) -> Floats:
    """Colours (…, 3) from 0 to 255 as CIELAB (CIE 15:2004): lightness from 0 to 100, then two axes of hue."""
    xyz = _linear(rgb) @ XYZ.T / D65
    f = np.where(xyz > 0.008856, np.cbrt(xyz), 7.787 * xyz + 16 / 116)
    x, y, z = np.moveaxis(f, -1, 0)
    return np.stack([116 * y - 16, 500 * (x - y), 200 * (y - z)], -1)


def _stands_out(colours: Floats) -> NDArray[np.bool_]:
    return np.asarray(np.all([contrast(colours, np.array(paper)) >= CONTRAST for paper in PAPERS], 0))


def _linear(rgb: Floats) -> Floats:
    share = np.asarray(rgb, np.float64) / 255
    return np.where(share <= 0.04045, share / 12.92, ((share + 0.055) / 1.055) ** 2.4)


def _rgb(text: str) -> Rgb:
    red, green, blue = bytes.fromhex(text[1:])
    return red, green, blue

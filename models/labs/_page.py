"""A page of text: spoilt, and cleaned by a run patch by patch and by the plain filters that such pages are given.

The plain filters are the two that every program for scans has. Dividing by the paper: what a pixel would be without ink (the
closing of a window, wider than a stroke, then smoothed) is divided away, the rest smoothed or sharpened and
stretched to black and white. Sauvola's threshold (Sauvola and Pietikäinen, Adaptive document image binarization, 2000;
scikit-image) decides black or white by mean and deviation of a window. Their settings are chosen by squared error on another page with
the same strengths, whose words and stains the person's page has nothing of.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib.metadata import version
from itertools import product
from operator import itemgetter

import numpy as np
from numpy.typing import NDArray

from models import runs, stains, typeset
from models.analysis import metrics, windows
from models.datasets import text as pieces

Floats = NDArray[np.float32]
OTHER = (2000, 240)  # seed and height in pixels of the page that filters are set on
# What the filters can be set to: see `Divided` and `Sauvola`.
WINDOWS, SHARPEN, LOW, HIGH = (9, 15, 25), (-0.6, 0.0, 1.0, 2.0), (0.0, 0.25, 0.45, 0.6), (0.8, 1.0)
SAUVOLA, K, BLURS = (11, 19, 31), (0.1, 0.2, 0.3, 0.4, 0.5), (0.0, 0.8)
TEXT = """A lamp, a cup and a letter

The house stood alone at the edge of the field, and from its upper window one saw the river. Every morning at seven she put \
a cup of coffee on the table, opened the old box, and read one of the letters again.

They had been folded and opened so often that the paper was thin. On some of them the cup had left its rings; on others the ink had \
run. "The boat leaves on 14 May," said one, "and with it I shall be 300 miles away. Write to me!"

What was under the stains she knew by heart. But who would read it after her? A machine, perhaps, that had seen \
many pages, clean and spoilt, and had learnt which strokes make a letter and which are only coffee."""


@dataclass(frozen=True)
class Strengths:
    """How strong stains, folds and blur are, each in [0, 1]."""

    stain: float = 0.9
    fold: float = 0.9
    blur: float = 0.6


@dataclass(frozen=True)
class Version:
    """A page after one treatment: what that is, its setting in words, the page (H, W) in [0, 1], and the peak signal-to-noise
    ratio against the clean page in dB (None for that itself)."""

    name: str
    title: str
    setting: str
    image: Floats
    psnr: float | None


@dataclass(frozen=True)
class Cleaned:
    """A page as it was written, and its versions: "clean", "spoilt", "divided", "sauvola" and "run"."""

    page: typeset.Written
    versions: tuple[Version, ...]

    def __getitem__(self, name: str) -> Version:
        return next(version for version in self.versions if version.name == name)


def fits(run: runs.Run) -> str:
    """ "" for runs that can clean a page, else why not."""
    if run.configuration.dataset != pieces.DATASET.name:
        return "it did not learn from pieces of printed pages"
    if run.configuration.noise == "none":
        return "it was not trained to remove noise"
    return ""


def cleaned(run: runs.Run, text: str, strengths: Strengths, seed: int) -> Cleaned:
    """The page with this text, spoilt with this seed, and what becomes of it."""
    page = typeset.page(text)
    clean = page.image.astype(np.float32) / np.float32(255)
    spoilt = stains.spoil(clean, strengths.stain, strengths.fold, strengths.blur, seed)
    divided, sauvola = set_filters(strengths)
    versions = [
        Version("clean", "As it was written", "", clean, None),
        Version("spoilt", "Spoilt", "", spoilt, psnr(spoilt, clean)),
    ]
    for name, title, setting, image in (
        ("run", "This run", f"{run.shape[0]}×{run.shape[1]} patches, joined", clean_page(run, spoilt)),
        ("divided", "Paper divided away", divided.words, divided(spoilt)),
        ("sauvola", "Sauvola's threshold", sauvola.words, sauvola(spoilt)),
    ):
        versions.append(Version(name, title, setting, image, psnr(image, clean)))
    return Cleaned(page, tuple(versions))


def clean_page(run: runs.Run, image: Floats) -> Floats:
    """A page (H, W) through a run of pieces, which overlap by half."""
    height, width = run.shape[:2]
    sizes, steps = (height, width), (height // 2, width // 2)
    parts = windows.cut(image, sizes, steps)
    out = run.coder.decode(run.coder.encode(parts[..., None]))[..., 0]
    return windows.join(out, image.shape, steps)


def psnr(image: Floats, clean: Floats) -> float:
    """Peak signal-to-noise ratio in dB, at most 99."""
    return min(99.0, metrics.psnr(_error(image, clean)))


# ── plain filters ──────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True)
class Divided:
    """Each pixel divided by the paper round it, then smoothed or sharpened, then stretched.

    window: of the closing, in pixels; sharpen: how much of the difference to a blur of 1.5 pixels is added (below 0: taken
    away); low, high: what becomes black and white.
    """

    window: int = 15
    sharpen: float = 0.0
    low: float = 0.0
    high: float = 1.0

    def __call__(self, image: Floats) -> Floats:
        return stretched(sharpened(flat(image, self.window), self.sharpen), self.low, self.high)

    @property
    def words(self) -> str:
        act = "sharpened" if self.sharpen > 0 else "smoothed" if self.sharpen < 0 else "as it is"
        return f"window {self.window}, {act}, stretched from {self.low:g} to {self.high:g}; SciPy {version('scipy')}"


def flat(image: Floats, window: int) -> Floats:
    """A page (H, W) divided by its paper: the grey closing of a window, smoothed."""
    from scipy import ndimage

    # Grain would lift the closing above the paper: it sees the page smoothed.
    paper = ndimage.grey_closing(ndimage.gaussian_filter(image, 1.0), window)
    return np.asarray(image / np.maximum(ndimage.gaussian_filter(paper, window / 6), 0.02), np.float32)


def sharpened(image: Floats, share: float) -> Floats:
    """A page with so large a share of its difference to itself blurred added."""
    from scipy import ndimage

    if not share:
        return image
    return np.asarray(image + np.float32(share) * (image - ndimage.gaussian_filter(image, 1.5)), np.float32)


def stretched(image: Floats, low: float, high: float) -> Floats:
    """A page whose `low` becomes 0 and whose `high` 1."""
    return np.asarray(np.clip((image - low) / (high - low), 0, 1), np.float32)


@dataclass(frozen=True)
class Sauvola:
    """Black or white, by the threshold of Sauvola and Pietikäinen, after a blur of so many pixels."""

    window: int = 15
    k: float = 0.2
    blur: float = 0.0

    def __call__(self, image: Floats) -> Floats:
        from scipy import ndimage
        from skimage.filters import threshold_sauvola

        smooth = ndimage.gaussian_filter(image, self.blur) if self.blur else image
        return np.asarray(smooth > threshold_sauvola(smooth, self.window, self.k, 0.5), np.float32)

    @property
    def words(self) -> str:
        return f"window {self.window}, k {self.k:g}, blur {self.blur:g} px; scikit-image {version('scikit-image')}"


@lru_cache(maxsize=64)
def set_filters(strengths: Strengths) -> tuple[Divided, Sauvola]:
    """The settings with the least squared error on another page, spoilt as strongly elsewhere."""
    seed, height = OTHER
    words = pieces.words(np.random.default_rng(seed), 80)
    clean = typeset.page(words).image[:height].astype(np.float32) / np.float32(255)
    spoilt = stains.spoil(clean, strengths.stain, strengths.fold, strengths.blur, seed)
    divided: list[tuple[float, Divided]] = []
    for window in WINDOWS:
        light = flat(spoilt, window)
        for share in SHARPEN:
            sharp = sharpened(light, share)
            divided += [
                (_error(stretched(sharp, low, high), clean), Divided(window, share, low, high))
                for low, high in product(LOW, HIGH)
            ]
    sauvola = [Sauvola(*one) for one in product(SAUVOLA, K, BLURS)]
    return min(divided, key=itemgetter(0))[1], min(sauvola, key=lambda one: _error(one(spoilt), clean))


def _error(image: Floats, clean: Floats) -> float:
    return float(np.square(image - clean).mean())


# ── the verdict ────────────────────────────────────────────────────────────────────────────

PLAIN = ("spoilt", "divided", "sauvola")
DONE = {"spoilt": "as it is", "divided": "after dividing by the paper", "sauvola": "after Sauvola's threshold"}


def verdict(found: Cleaned, errors: Mapping[str, float] | None) -> str:
    """One sentence on a page. errors: character error rates by version; None where nothing read it: then PSNR decides.

    The plain ways, doing nothing among them, may take their best on this very page, the run has one try.
    """
    if errors is None:
        mine = found["run"].psnr or 0.0
        best = max((found[name] for name in PLAIN), key=lambda one: one.psnr or 0.0)
        says = f"{mine:.1f} dB after this run, {best.psnr:.1f} dB {DONE[best.name]}, the best of the plain ways"
        ahead = mine - (best.psnr or 0.0)
    else:
        name = min(PLAIN, key=lambda one: errors[one])
        says = (
            f"Of 100 letters Tesseract misreads {100 * errors['spoilt']:.1f} on the spoilt page, {100 * errors['run']:.1f} after "
            f"this run, {100 * errors[name]:.1f} {DONE[name]}, the best of the plain ways"
        )
        ahead = errors[name] - errors["run"]
    end = "the run wins" if ahead > 0 else "the plain way wins" if ahead < 0 else "they are equal"
    return f"{says}: {end}."

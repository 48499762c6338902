"""Image files to one array of samples: decoded by Pillow from an allow-list of formats, never by file ending."""

from __future__ import annotations

import io
import re
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps

from models import Problem
from models.readers.folders import of_folders
from models.readers.result import Levels, ReadResult
from models.readers.sources import Entry
from models.readers.work import COLOURS, FITS, SCALINGS, Work, decoding, plain, reason

FORMATS = ("PNG", "JPEG", "GIF", "BMP", "WEBP", "TIFF", "PPM")
STARTS = (
    b"\x89PNG\r\n\x1a\n",
    b"\xff\xd8\xff",
    b"GIF87a",
    b"GIF89a",
    b"II*\0",
    b"MM\0*",
)
# Two sizes have to follow, so that a table whose first word is P1 is none.
PNM = re.compile(rb"P[1-6](?:\s|#[^\n]*\n)+\d+(?:\s|#[^\n]*\n)+\d")
PNMS = tuple(b"P%d" % i for i in range(1, 7))
BMP_HEADERS = tuple(struct.pack("<I", size) for size in (12, 40, 52, 56, 64, 108, 124))
TABLES = (".csv", ".tsv", ".parquet")
DEEPER = 4  # images of more than 8 bits may have this many times fewer pixels
PEEKED = 200  # images looked at, evenly spread, before sizes and colours are decided
ALIKE = 0.03  # the difference of two ratios' logarithms up to which they count as one
SQUARE = 0.06  # the logarithm of a ratio up to which images of mixed sizes become squares
KEPT_SIDE = 64  # images that are all of one size stay as they are up to this side, else this is the longer one
SIDES = (28, 32, 48, 64, 96, 128)
GREYS = ("1", "L", "LA", "La", "I", "F", "I;16", "I;16B", "I;16L", "I;16N")


def is_image(start: bytes) -> bool:
    """Whether a file that begins so is of a format that is read here."""
    bmp = start[:2] == b"BM" and start[14:18] in BMP_HEADERS  # so that a table whose first word is BMI is none
    pnm = PNM.match(start) is not None or (start[:2] in PNMS and b"#" in start[:4])
    return start.startswith(STARTS) or pnm or bmp or (start[:4] == b"RIFF" and start[8:12] == b"WEBP")


@dataclass(frozen=True)
class Plan:
    """How every image becomes a sample: (height, width), fit, channels, and the greys that become 0 and 255.

    levels None: 8 bits stay as they are, more are divided by what their type can hold.
    """

    size: tuple[int, int]
    fit: str
    channels: int
    levels: tuple[float, float] | None = None


@dataclass
class ImageCounts:
    """What was met while reading, to be told once."""

    alpha: int = 0
    animated: int = 0
    deep: int = 0
    floats: int = 0
    resized: int = 0
    low: float = np.inf
    high: float = -np.inf
    colourful: bool = False


class Colourful(Exception):
    """An image in colour where all had seemed grey: never leaves this file."""


def collect(entries: Sequence[Entry], work: Work, source: str) -> ReadResult:
    """All images among these files as one array. Others are skipped with the reason.

    Classes and splits come from the folders in the names. Raises `Problem` when there is no image at all.
    """
    work.report("looking at the files", 0.0)
    sizes, modes, first = _peek(entries, work)
    if not sizes:
        if first is not None and len(entries) == 1:
            raise first
        left = next(((name, why[0]) for name, why in work.left_out.items()), None)
        why = f" (the first file: {reason(first)})" if first else f" ({left[0]}: {left[1]})" if left else ""
        raise Problem(
            f"no image was found in {source}{why}",
            f"images are files of the formats {', '.join(FORMATS)}".replace("PPM", "PNM"),
            "bring images of one of these formats, or a table or an array file by itself",
        )
    size, fit = _geometry(sizes, work)
    coloured = any(mode not in GREYS for mode in modes)
    if work.choices.colour:
        coloured = work.choices.colour == "colour"
    plan = Plan(size, fit, 3 if coloured else 1)
    try:
        samples, names, seen, skipped = _read_all(entries, plan, work)
    except Colourful:
        plan = Plan(size, fit, 3)
        samples, names, seen, skipped = _read_all(entries, plan, work)
    levels = _levels(seen, work)
    if levels is not None:
        plan = Plan(size, fit, plan.channels, levels)
        samples, names, seen, skipped = _read_all(entries, plan, work)
    for name, why in skipped:
        work.skip(name, why)
    if plan.channels == 3 and not work.choices.colour and not seen.colourful:
        grey = work.allocate((*samples.shape[:3], 1), np.uint8)
        for start in range(0, len(samples), 4096):
            grey[start : start + 4096] = samples[start : start + 4096, ..., :1]
        samples = grey
    _tell(samples, plan, seen, work)
    labels, classes, split = of_folders(names, work)
    return work.found("image", samples, labels, classes, names, split)


def _levels(seen: ImageCounts, work: Work) -> tuple[float, float] | None:
    """The greys that become 0 and 255 where all images are to be scaled alike; None as each one's type has it."""
    chosen = work.choices.scaling
    sort, most = "uint8", 255.0
    if seen.deep:
        sort = "float" if seen.floats else "int"
        most = (1.0 if seen.high <= 1 else 255.0 if seen.high <= 255 else 65535.0) if seen.floats else 65535.0
    # Fractions have no scale of their own unless they end near 1 or 255; and masks of 0, 1, 2 … would be all but black.
    odd = bool(seen.floats) and (seen.low < 0 or not (0.5 <= seen.high <= 1 or 128 <= seen.high <= 255))
    mask = not seen.deep and 1 <= seen.high < 32
    stretched = seen.high > seen.low and (chosen == "stretch" or (chosen is None and (odd or mask)))
    low = 0.0 if mask and chosen is None else seen.low
    usual = Levels(low, seen.high, sort) if stretched else Levels(0.0, most, sort)
    levels = work.level(usual, seen.low, seen.high, stretched=stretched)
    # Of 8 bits nothing has to be done twice where they stay as they are; fractions were scaled one by one.
    again = stretched or bool(seen.floats) or (levels.low, levels.high) != (usual.low, usual.high)
    return (levels.low, levels.high) if again else None


def _peek(entries: Sequence[Entry], work: Work) -> tuple[list[tuple[int, int]], set[str], Problem | None]:
    """The (height, width) and modes of some images, evenly spread, and what is wrong with the first that is none.

    Where all of these are something else, the others are gone through until one is an image.
    """
    sizes: list[tuple[int, int]] = []
    modes: set[str] = set()
    first: Problem | None = None
    few_rows = np.unique(np.linspace(0, len(entries) - 1, min(PEEKED, len(entries))).astype(int)).tolist()
    for few in ([entries[i] for i in few_rows], entries):
        for entry in few:
            if sizes and few is entries:
                break
            problem = _peek_one(entry, sizes, modes, work)
            first = first or problem
    return sizes, modes, first


def _peek_one(entry: Entry, sizes: list[tuple[int, int]], modes: set[str], work: Work) -> Problem | None:
    """Notes one image's (height, width) and mode; gives what is wrong where it is none."""
    work.tick()
    try:
        _check_start(entry.start(), entry.name)
        with _opened(entry.content(work.limits.member), entry.name, work) as image, decoding(entry.name, "an image"):
            turned = image.getexif().get(0x0112, 1) in (5, 6, 7, 8)
            sizes.append((image.width, image.height) if turned else (image.height, image.width))
            # Of a palette nothing is known before it is read; whether it is grey is seen at the end.
            modes.add(image.mode)
    except Problem as problem:
        return problem
    return None


def _opened(data: bytes, name: str, work: Work) -> Image.Image:
    """An image whose header was read, and no pixel. `Problem` when it claims more pixels than may be."""
    name = plain(PurePosixPath(name).name)
    try:
        with decoding(name, "an image"):
            image = Image.open(io.BytesIO(data), formats=FORMATS)
    except Problem as problem:
        if not isinstance(problem.__cause__, Image.DecompressionBombError):
            raise
        raise Problem(
            f"{name} claims more than {2 * (Image.MAX_IMAGE_PIXELS or 0):,} pixels",
            f"at most {work.limits.pixels:,} are allowed",
            "make it smaller",
        ) from problem
    # Of more than 8 bits a pixel takes several times the memory, twice at that: as it is and as fractions.
    most, deep = work.limits.pixels, _is_deep(image)
    most = most // DEEPER if deep else most
    if image.width * image.height > most:
        raise Problem(
            f"{name} claims {image.height:,} × {image.width:,} pixels{' of more than 8 bits' if deep else ''} (height × width)",
            f"at most {most:,} are allowed",
            "make it smaller",
        )
    return image


def _is_deep(image: Image.Image) -> bool:
    return image.mode in ("I", "F") or image.mode.startswith("I;")


def _geometry(sizes: list[tuple[int, int]], work: Work) -> tuple[tuple[int, int], str]:
    """The (height, width) of the samples, and how images of other sizes get there."""
    chosen, mixed = work.choices.size, len(set(sizes)) > 1
    height, width = _usual_size(sizes)
    if chosen is not None:
        size = (chosen, chosen) if isinstance(chosen, int) else (int(chosen[0]), int(chosen[1]))
        words = f"Every image becomes {size[0]} × {size[1]} pixels (height × width), as chosen."
    elif not mixed and max(height, width) <= KEPT_SIDE:
        size = (height, width)
        words = f"All images are {size[0]} × {size[1]} pixels (height × width) and stay so."
    else:
        scale = min(1.0, KEPT_SIDE / max(height, width))
        size = (max(1, round(height * scale)), max(1, round(width * scale)))
        words = f"Images are {height:,} × {width:,} pixels (height × width); each becomes {size[0]} × {size[1]}."
        if mixed:
            words = f"Images come in many sizes; each becomes {size[0]} × {size[1]} pixels (height × width)."
    work.decide(
        "size", list(size), [list(size), *([side, side] for side in SIDES if [side, side] != list(size))], words
    )
    fit = work.choices.fit or "crop"
    if mixed or any(height * size[1] != width * size[0] for height, width in sizes[:1]):
        told = {
            "resize": "Images of other proportions are squeezed or stretched to that size.",
            "crop": "Of images of other proportions the middle is kept.",
            "pad": "Images of other proportions are kept whole, with black borders.",
        }
        work.decide("fit", fit, FITS, told[fit])
    return size, fit


def _usual_size(sizes: Sequence[tuple[int, int]]) -> tuple[int, int]:
    """The (height, width) that stands for these: of mixed ones the commonest ratio of the sides if half of them have it,
    else a square; the size is then the median of those that have it, or the median of the shorter sides."""
    if len(set(sizes)) == 1:
        return sizes[0]
    turned = np.log([height / width for height, width in sizes])
    alike = np.abs(turned[:, None] - turned) <= ALIKE
    commonest = int(alike.sum(1).argmax())
    of = [size for size, same in zip(sizes, alike[commonest].tolist(), strict=True) if same]
    # Camera pictures of 640 × 427 and 641 × 426 are the same, and what is nearly square is meant to be.
    if 2 * len(of) < len(sizes) or abs(turned[commonest]) <= SQUARE:
        side = round(float(np.median([min(size) for size in sizes])))
        return side, side
    return sorted(of)[len(of) // 2]


def _read_all(
    entries: Sequence[Entry], plan: Plan, work: Work
) -> tuple[NDArray[np.uint8], list[str], ImageCounts, list[tuple[str, str]]]:
    """The samples (N, H, W, C), their names, what was met, and what was skipped and why."""
    samples = work.allocate((len(entries), *plan.size, plan.channels), np.uint8)
    names: list[str] = []
    skipped: list[tuple[str, str]] = []
    seen = ImageCounts()
    for i, entry in enumerate(entries):
        if i % 64 == 0:
            work.progress("reading images", i, len(entries))
        work.tick()
        try:
            samples[len(names)] = _sample(entry, plan, seen, work)
            names.append(entry.name)
        except Problem as problem:
            skipped.append((entry.name, reason(problem)))
    work.progress("reading images", 1, 1)
    return samples[: len(names)], names, seen, skipped


def _sample(entry: Entry, plan: Plan, seen: ImageCounts, work: Work) -> NDArray[np.uint8]:
    """One image as (H, W, C) of the plan."""
    data = entry.content(work.limits.member)
    _check_start(data[:32], entry.name)
    height, width = plan.size
    name = plain(PurePosixPath(entry.name).name)
    with _opened(data, entry.name, work) as image, decoding(name, "a whole image"):
        if getattr(image, "is_animated", False):
            seen.animated += 1
        if image.format == "JPEG" and max(image.size) > 4 * max(plan.size):
            image.draft(None, (4 * width, 4 * height))  # decodes large photographs at a fraction of their size
        # Turned as the camera was held. What else the metadata says is dropped with it.
        turned = ImageOps.exif_transpose(image)
        seen.resized += turned.size != (width, height)
        values = _values(turned, plan, seen)
    return _channels(values, plan, seen, work)


def _values(image: Image.Image, plan: Plan, seen: ImageCounts) -> NDArray[np.uint8]:
    """The pixels at the plan's size, (H, W) or (H, W, 3), transparent ones over white."""
    if _is_deep(image):
        return _deep(image, plan, seen)
    if image.mode == "1":
        image = image.convert("L")
    if image.mode in ("P", "PA"):
        image = image.convert("RGBA" if "transparency" in image.info or image.mode == "PA" else "RGB")
    elif "transparency" in image.info and image.mode in ("L", "RGB"):  # one colour that stands for nothing
        image = image.convert("RGBA")
    if image.mode not in ("L", "LA", "RGB", "RGBA"):
        image = image.convert("RGB")  # CMYK, YCbCr, Lab, HSV
    image = fitted(image, plan.size, plan.fit)
    if image.mode in ("LA", "RGBA"):
        seen.alpha += image.getextrema()[-1][0] < 255  # type: ignore[index]
        white = Image.new("RGBA", image.size, "white")
        image = Image.alpha_composite(white, image.convert("RGBA")).convert("RGB" if image.mode == "RGBA" else "L")
    values = np.asarray(image)
    seen.low, seen.high = min(seen.low, float(values.min())), max(seen.high, float(values.max()))
    return _levelled(values.astype(np.float32), *plan.levels) if plan.levels else np.asarray(values, np.uint8)


def _deep(image: Image.Image, plan: Plan, seen: ImageCounts) -> NDArray[np.uint8]:
    """An image of more than 8 bits, (H, W). What is no number becomes the least there is."""
    most = 1.0 if image.mode == "F" else 65535.0
    values = np.array(image, np.float32)  # the one copy: all below is done in place, since images may be large
    sound = np.isfinite(values)
    if not sound.all():
        values[~sound] = values[sound].min() if sound.any() else 0
    seen.deep += 1
    seen.floats += image.mode == "F"
    seen.low, seen.high = min(seen.low, float(values.min())), max(seen.high, float(values.max()))
    if plan.levels is None and most == 1.0 and values.max() > 1:
        most = 255.0 if values.max() <= 255 else 65535.0
    grey = Image.fromarray(_levelled(values, *(plan.levels or (0.0, most))))
    return np.asarray(fitted(grey, plan.size, plan.fit))


def _levelled(values: NDArray[np.float32], low: float, high: float) -> NDArray[np.uint8]:
    """Values from low to high as 0 to 255. Overwrites what it is given."""
    values -= low
    values *= 255 / (high - low)
    np.clip(values, 0, 255, out=values)
    return np.round(values, out=values).astype(np.uint8)


def _channels(values: NDArray[np.uint8], plan: Plan, seen: ImageCounts, work: Work) -> NDArray[np.uint8]:
    """(H, W) or (H, W, 3) as the plan's (H, W, C)."""
    if values.ndim == 2:
        return np.repeat(values[..., None], plan.channels, axis=-1)
    if not seen.colourful:
        seen.colourful = bool((values != values[..., :1]).any())
    if plan.channels == 3:
        return values
    if seen.colourful and not work.choices.colour:
        raise Colourful
    return np.asarray(Image.fromarray(values).convert("L"))[..., None]


def fitted(image: Image.Image, size: tuple[int, int], fit: str) -> Image.Image:
    """The image at (height, width), by one of FITS. Small ones are enlarged, large ones averaged."""
    goal = (size[1], size[0])
    if image.size == goal:
        return image
    if fit == "resize":
        return image.resize(goal, Image.Resampling.BICUBIC, reducing_gap=3.0)
    if fit == "crop":
        wide = min(image.width, max(1.0, image.height * goal[0] / goal[1]))
        high = min(image.height, max(1.0, image.width * goal[1] / goal[0]))
        left, top = (image.width - wide) / 2, (image.height - high) / 2
        box = (left, top, left + wide, top + high)
        return image.resize(goal, Image.Resampling.BICUBIC, box, reducing_gap=3.0)
    scale = min(goal[0] / image.width, goal[1] / image.height)
    inner = (max(1, round(image.width * scale)), max(1, round(image.height * scale)))
    small = image.resize(inner, Image.Resampling.BICUBIC, reducing_gap=3.0)
    page = Image.new(image.mode, goal, (0, 255) if image.mode == "LA" else "black")
    page.paste(small, ((goal[0] - inner[0]) // 2, (goal[1] - inner[1]) // 2))
    return page


def _check_start(start: bytes, name: str) -> None:
    """`Problem` unless a file that begins so is an image."""
    if is_image(start):
        return
    if start.startswith(b"PAR1") or (PurePosixPath(name).suffix.lower() in TABLES and start and b"\0" not in start):
        raise Problem(
            f"{plain(PurePosixPath(name).name)} is a table, which cannot be read from a zip or folder or among images",
            do="bring that file alone",
        )
    what = "holds something else" if start else "is empty or cannot be unpacked"
    if start.startswith((b"PK\x03\x04", b"\x1f\x8b", b"Rar!", b"7z\xbc\xaf", b"BZh", b"\xfd7zXZ")):
        what = "is an archive in an archive, which is not opened"
    raise Problem(
        f"{plain(PurePosixPath(name).name)} {what}",
        f"{', '.join(FORMATS)} can be read".replace("PPM", "PNM"),
        "leave it out",
    )


def _tell(samples: NDArray[np.uint8], plan: Plan, seen: ImageCounts, work: Work) -> None:
    channels = samples.shape[-1]
    words = "Images are kept in colour." if channels == 3 else "Images are kept in greys."
    if plan.channels == 3 and channels == 1:
        words = "All pixels are grey, so one channel is kept."
    work.decide("colour", COLOURS[channels == 3], COLOURS, words)
    if seen.alpha:
        work.warn(f"{seen.alpha:,} images have transparent pixels, which are shown over white.")
    if seen.animated:
        work.warn(f"{seen.animated:,} files hold several images; the first of each is taken.")
    if seen.deep or plan.levels is not None or work.choices.scaling == "stretch":
        levelled = plan.levels is not None
        low, high = (f"{level:,.6g}" for level in plan.levels or (seen.low, seen.high))
        stretched = levelled and plan.levels not in ((0.0, 1.0), (0.0, 255.0), (0.0, 65535.0))
        words = f"Greys from {low} to {high} become 0 to 255" if levelled else "Greys of 16 bits become 8 bits"
        words += ", in all images alike." if levelled else "."
        if plan.levels == (0.0, 1.0) and not seen.deep:
            words = "Values are 0 and 1: 0 is black, 1 is white."
            stretched = True
        work.decide(
            "scaling", "stretch" if stretched or work.choices.scaling == "stretch" else "full", SCALINGS[1:], words
        )
        if not levelled and seen.deep and 1 < seen.high < 8192:
            work.warn(
                f"The brightest of the 16-bit images is {seen.high:,.6g} of 65,535, so they are dark; stretching helps."
            )

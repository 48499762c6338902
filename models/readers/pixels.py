"""Images made of arrays of numbers: their size, their channels, and the values that become 0 and 255."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from models import Problem
from models.readers.array_files import by
from models.readers.images import KEPT_SIDE, SIDES, fitted
from models.readers.result import Levels
from models.readers.work import FITS, SCALINGS, Work


def square(features: int) -> tuple[int, ...] | None:
    """(H, W) or (H, W, 3) of the square image with that many values, from 8 x 8 on."""
    for channels, tail in ((1, ()), (3, (3,))):
        side = math.isqrt(features // channels)
        if side >= 8 and side * side * channels == features:
            return (side, side, *tail)
    return None


def factors(features: int) -> list[tuple[int, int]]:
    """(H, W) of all images with that many pixels and sides from 4 on, the squarest first, upright before lying."""
    pairs = [(features // side, side) for side in range(4, math.isqrt(features) + 1) if features % side == 0]
    return [shape for high, wide in reversed(pairs) for shape in dict.fromkeys([(high, wide), (wide, high)])]


def as_images(pieces: Sequence[NDArray[Any]], work: Work) -> NDArray[np.uint8]:
    """Numbers (N, H, W, C), or (N, F) with the decided shape, as uint8 (N, H, W, 1 or 3) of the decided size."""
    shape = pieces[0].shape[1:]
    if len(shape) == 1:
        sides = work.decisions["shape"].chosen
        shape = (sides[0], sides[1], sides[2] if len(sides) > 2 else 1)
        pieces = [piece.reshape(len(piece), *shape) for piece in pieces]
    if max(shape[:2]) > 4096 or min(shape) < 1:
        raise Problem(
            f"the sides of an image must have 1 to 4,096 pixels; these are {by(shape)}", do="make them smaller"
        )
    low, high = _levels(pieces, work)
    size, fit = _size(shape, work)
    channels = 1 if shape[2] <= 2 else 3
    if work.choices.colour and (1, 3)[work.choices.colour == "colour"] != channels:
        channels = (1, 3)[work.choices.colour == "colour"]
    if shape[2] in (3, 4) or work.choices.colour:
        words = "Images are kept in colour." if channels == 3 else "Images are kept in greys."
        work.decide("colour", ("grey", "colour")[channels == 3], ("grey", "colour"), words)
    if shape[2] in (2, 4):
        work.warn("The last channel is taken for transparency; images are shown over white.")
    out = work.allocate((sum(map(len, pieces)), *size, channels), np.uint8)
    at = 0
    for piece in pieces:
        for some in chunks(piece):
            work.progress("scaling images", at, len(out))
            values = np.asarray(piece[some], np.float32)
            if (low, high) != (0, 255) or piece.dtype != np.uint8:
                values = np.clip(
                    (np.nan_to_num(values, nan=low, posinf=high, neginf=low) - low) * (255 / (high - low)), 0, 255
                )
            block = _in_channels(values, channels)
            block = np.round(block).astype(np.uint8)
            if shape[:2] != size:
                block = np.stack([_resized(image, size, fit) for image in block])
            out[at : at + len(block)] = block
            at += len(block)
    return out


def _in_channels(values: NDArray[np.float32], channels: int) -> NDArray[np.float32]:
    """Values from 0 to 255 (N, H, W, 1 to 4) over white and in 1 or 3 channels."""
    if values.shape[-1] in (2, 4):
        share = values[..., -1:] / 255
        values = np.asarray(values[..., :-1] * share + 255 * (1 - share), np.float32)
    if values.shape[-1] == channels:
        return values
    if channels == 3:
        return np.repeat(values, 3, -1)
    return np.asarray(values @ np.array([0.299, 0.587, 0.114], np.float32), np.float32)[..., None]


def _resized(image: NDArray[np.uint8], size: tuple[int, int], fit: str) -> NDArray[np.uint8]:
    picture = Image.fromarray(image[..., 0] if image.shape[-1] == 1 else image)
    return np.asarray(fitted(picture, size, fit)).reshape(*size, image.shape[-1])


def _size(shape: tuple[int, ...], work: Work) -> tuple[tuple[int, int], str]:
    height, width = shape[:2]
    chosen = work.choices.size
    if chosen is not None:
        size = (chosen, chosen) if isinstance(chosen, int) else (int(chosen[0]), int(chosen[1]))
    elif max(height, width) <= KEPT_SIDE:
        size = (height, width)
    else:
        scale = KEPT_SIDE / max(height, width)
        size = (max(1, round(height * scale)), max(1, round(width * scale)))
    words = f"Images are {height} × {width} pixels (height × width)"
    words += " and stay so." if size == (height, width) else f"; each becomes {size[0]} × {size[1]}."
    work.decide("size", list(size), [list(size), *([side, side] for side in SIDES if (side, side) != size)], words)
    fit = work.choices.fit or "crop"
    if height * size[1] != width * size[0]:
        work.decide("fit", fit, FITS, "Images of other proportions are made to fit that way.")
    return size, fit


def _levels(pieces: Sequence[NDArray[Any]], work: Work) -> tuple[float, float]:
    """The values that become 0 and 255."""
    dtype, chosen = pieces[0].dtype, work.choices.scaling
    least, most = math.inf, -math.inf
    bad = 0
    for piece in pieces:
        for some in chunks(piece):
            work.tick()
            values = np.asarray(piece[some])
            if dtype.kind == "f":
                sound = np.isfinite(values)
                bad += int(values.size - np.count_nonzero(sound))
                values = values[sound]
            if values.size:
                least, most = min(least, float(values.min())), max(most, float(values.max()))
    if bad:
        work.warn(f"{bad:,} values are no finite numbers, and are shown as black or white.")
    if least > most:
        least = most = 0.0
    if dtype.kind == "b":
        full = (0.0, 1.0)
    elif dtype.kind == "f":
        full = (0.0, 1.0 if most <= 1 else 255.0) if least >= 0 and most <= 255 else (least, most)
    else:
        limit = np.iinfo(dtype)
        full = (0.0, 255.0 if most <= 255 else float(limit.max)) if least >= 0 else (float(limit.min), float(limit.max))
    # Few greys of many, as in the digits from 0 to 16, or wide types that are hardly used, would be all but black.
    dark = 1 <= most < 32 if full == (0.0, 255.0) else full not in ((0.0, 1.0), (0.0, 255.0))
    way = chosen or ("stretch" if dark else "as they are" if full == (0.0, 255.0) else "full")
    low, high = {"stretch": (min(least, 0.0) if dark and not chosen else least, most), "full": full}.get(
        way, (0.0, 255.0)
    )
    if not high > low:
        low, high = (0.0, 255.0) if 0 <= low <= 255 else (low, low + 1)
    sort = {"b": "bool", "f": "float"}.get(dtype.kind, "uint8" if dtype == np.uint8 else "int")
    levels = work.level(Levels(low, high, sort), least, most, stretched=way == "stretch")
    low, high = levels.low, levels.high
    told = f"Values from {low:g} to {high:g} become 0 to 255."
    if (low, high) == (0, 255):
        told = "Values stay as they are."
    elif (low, high) == (0, 1) and dtype.kind != "f":
        told = "Values are 0 and 1: 0 is black, 1 is white."
    work.decide("scaling", way, SCALINGS, told)
    return low, high


def chunks(array: NDArray[Any]) -> list[slice]:
    """Slices of the first axis of about 4 MiB in the widest type."""
    rows = max(1, (4 << 20) // max(1, 8 * math.prod(array.shape[1:])))
    return [slice(start, start + rows) for start in range(0, len(array), rows)]

"""Small files with which bringing data can be tried at once: made when they are asked for."""

import io
import zipfile
from collections.abc import Callable

import numpy as np
from PIL import Image

from models import datasets, export


def digits() -> bytes:
    """The 1,797 handwritten digits of 8x8 pixels as a CSV: one row each, 64 pixels and the class."""
    content = datasets.get("digits").read()
    pixels = content.samples.reshape(len(content.samples), -1)
    columns = {f"pixel{i}": pixels[:, i] for i in range(pixels.shape[1])}
    return export.codes_csv({**columns, "label": content.labels}).encode()


def photos() -> bytes:
    """Drawn shapes as PNG files in a zip, 120 of each of three kinds: the folders are the classes."""
    random, out = np.random.default_rng(0), io.BytesIO()
    y, x = np.mgrid[:32, :32]
    with zipfile.ZipFile(out, "w") as archive:
        for name in ("disc", "ring", "square"):
            for i in range(120):
                a, b = random.uniform(12, 20, 2)
                size, far = random.uniform(6, 11), np.hypot(x - a, y - b)
                square = np.maximum(np.abs(x - a), np.abs(y - b)) < size
                inside = {"disc": far < size, "ring": np.abs(far - size) < 2, "square": square}[name]
                ink = random.integers(120, 256, 3)
                image = np.where(inside[..., None], ink, 20 + random.integers(0, 20, (32, 32, 1))).astype(np.uint8)
                file = io.BytesIO()
                Image.fromarray(image).save(file, "PNG")
                archive.writestr(zipfile.ZipInfo(f"shapes/{name}/{i:03}.png"), file.getvalue())
    return out.getvalue()


def flowers() -> bytes:
    """A table of 600 made-up flowers: what each is called and when it was found, three lengths, a colour, a habitat and the
    class."""
    random = np.random.default_rng(1)
    kinds, colours, habitats = ("alpha", "beta", "gamma"), ("white", "red", "blue"), ("meadow", "forest")
    kind = random.integers(0, 3, 600)
    petal = np.array([14.0, 43.0, 56.0])[kind] + random.normal(0, 4, 600)
    return export.codes_csv(
        {
            "specimen": [f"F-{i:03}" for i in range(1, 601)],
            "found": (np.datetime64("2024-04-01") + (kind * 30 + np.arange(600) % 45)).astype(str),
            "petal_mm": petal.round(1),
            "sepal_mm": (0.4 * petal + random.normal(40, 4, 600)).round(1),
            "stem_cm": (20 + 6 * kind + random.normal(0, 4, 600)).round(1),
            "colour": [colours[i] for i in (kind + (random.random(600) < 0.15)) % 3],
            "habitat": [habitats[i] for i in ((kind > 0) ^ (random.random(600) < 0.2)).astype(int)],
            "class": [kinds[i] for i in kind],
        }
    ).encode()


def sensor() -> bytes:
    """Readings of a made-up sensor that moves in three ways in turn: time, two channels and the activity."""
    random, rows = np.random.default_rng(2), 12_800
    time = np.arange(rows)
    activity = (time // 640) % 3
    speed = np.array([0.05, 0.2, 0.45])[activity]
    phase = np.cumsum(speed * (1 + 0.1 * random.normal(size=rows)))
    return export.codes_csv(
        {
            "time": time,
            "x": (np.sin(phase) * np.array([0.3, 1.0, 2.0])[activity] + random.normal(0, 0.1, rows)).round(3),
            "y": (np.cos(2 * phase) * np.array([0.2, 0.6, 1.5])[activity] + random.normal(0, 0.1, rows)).round(3),
            "activity": [("rest", "walk", "run")[i] for i in activity],
        }
    ).encode()


EXAMPLES: dict[str, Callable[[], bytes]] = {
    "digits.csv": digits,
    "shapes.zip": photos,
    "flowers.csv": flowers,
    "sensor.csv": sensor,
}

"""How long it takes until what a person brings is understood, and how much memory that takes.

    python benchmarks/data.py [--quick] [--large]

A zip of 60,000 PNG images of 28x28 (MNIST's training images from HOURGLASS_DATA) to its contact sheet, as the Data page
does it: in a process of its own. The alternative in the same run is what a notebook does: zipfile, Pillow and numpy,
in this process and without a limit. Then a CSV file of 200,000 rows with eight columns of numbers, one of times and one of
texts; the alternative is pandas.read_csv. --large adds 200,000 colour images of 64x64 in a folder, read and kept.
"""

import argparse
import gzip
import io
import os
import resource
import statistics
import tempfile
import time
import zipfile
from pathlib import Path

import numpy as np
from PIL import Image
from serving import ROOT  # puts the project on the path

from models import readers, uploads
from models.readers.guarded import guarded_read
from models.readers.limits import LARGE, LIMITS

assert ROOT


def png(pixels: np.ndarray) -> bytes:
    """An image as a PNG file."""
    out = io.BytesIO()
    Image.fromarray(pixels).save(out, "PNG")
    return out.getvalue()


def zipped(path: Path, count: int) -> None:
    """MNIST's first training images as a zip, a folder for each class."""
    folder = Path(os.environ["HOURGLASS_DATA"]) / "mnist"
    with (
        gzip.open(folder / "train-images-idx3-ubyte.gz") as images,
        gzip.open(folder / "train-labels-idx1-ubyte.gz") as labels,
    ):
        pixels = np.frombuffer(images.read()[16:], np.uint8).reshape(-1, 28, 28)[:count]
        classes = np.frombuffer(labels.read()[8:], np.uint8)[:count]
    with zipfile.ZipFile(path, "w") as archive:
        for i, (image, label) in enumerate(zip(pixels, classes, strict=True)):
            archive.writestr(f"{label}/{i:05}.png", png(image))


def ours(path: Path) -> float:
    """Seconds from the zip to the contact sheet."""
    with tempfile.TemporaryDirectory() as folder:
        began = time.perf_counter()
        found = guarded_read(path, Path(folder) / "out", limits=LIMITS)
        readers.contact_sheet(found)
        return time.perf_counter() - began


def plainly(path: Path) -> float:
    """The same images into an array, as a notebook reads them."""
    began = time.perf_counter()
    with zipfile.ZipFile(path) as archive:
        np.stack([np.asarray(Image.open(archive.open(name))) for name in archive.namelist()])
    return time.perf_counter() - began


def table(path: Path, count: int) -> None:
    """A CSV file as a logger writes it, with a column of texts."""
    values = np.random.default_rng(0).standard_normal((count, 8)).round(4)
    start = np.datetime64("2024-01-01T00:00:00")
    with path.open("w") as out:
        out.write(",".join(["time", *(f"v{i}" for i in range(8)), "state"]) + "\n")
        for i, row in enumerate(values.tolist()):
            out.write(f"{start + np.timedelta64(i, 'm')},{','.join(map(str, row))},{('on', 'off')[i % 2]}\n")


def rows(path: Path) -> float:
    """Seconds from a table to what was understood."""
    with tempfile.TemporaryDirectory() as folder:
        began = time.perf_counter()
        guarded_read(path, Path(folder) / "out", limits=LIMITS)
        return time.perf_counter() - began


def by_pandas(path: Path) -> float:
    """The same table as a frame, with its times."""
    import pandas as pd

    began = time.perf_counter()
    pd.read_csv(path, parse_dates=["time"])
    return time.perf_counter() - began


def resident(who: int) -> float:
    """The most memory that was resident so far, in MB."""
    return resource.getrusage(who).ru_maxrss / 1024


def large(count: int = 200_000) -> None:
    """A folder of so many colour images, read in a process of its own and kept in this one."""
    with tempfile.TemporaryDirectory() as folder:
        os.environ["HOURGLASS_HOME"] = str(Path(folder) / "home")
        place, random = Path(folder) / "images", np.random.default_rng(0)
        for part in range(20):
            (place / str(part)).mkdir(parents=True)
        base = random.integers(0, 256, (64, 8, 8, 3), np.uint8)
        for i in range(count):
            small = np.roll(base[i % 64], (i // 64) % 8, 0)
            Image.fromarray(small).resize((64, 64), Image.Resampling.BILINEAR).save(place / str(i % 20) / f"{i}.jpg")
        before, began = resident(resource.RUSAGE_SELF), time.perf_counter()
        found = guarded_read(place, uploads.staging_directory("benchmark") / "1", limits=LARGE)
        read = time.perf_counter() - began
        readers.contact_sheet(found)
        uploads.save(found, "benchmark", "large")
        kept = time.perf_counter() - began
        print(
            f"{count:,} images of 64x64 in colour: read {read:.0f} s, kept {kept:.0f} s; this process {before:.0f} to "
            f"{resident(resource.RUSAGE_SELF):.0f} MB, the reader {resident(resource.RUSAGE_CHILDREN):.0f} MB"
        )


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="6,000 images, once")
    parser.add_argument("--large", action="store_true", help="200,000 larger images as well: takes many minutes")
    chosen = parser.parse_args()
    print(f"load average {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores; {time.strftime('%Y-%m-%d')}", flush=True)
    count, times = (6_000, 1) if chosen.quick else (60_000, 3)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "images.zip"
        zipped(path, count)
        runs = [(ours(path), plainly(path)) for _ in range(times)]
        here, there = (statistics.median(column) for column in zip(*runs, strict=True))
        print(
            f"{count:,} PNG images of 28x28 in a zip to the contact sheet: {here:.1f} s, the reader "
            f"{resident(resource.RUSAGE_CHILDREN):.0f} MB; zipfile and Pillow alone {there:.1f} s"
        )
        path = Path(folder) / "table.csv"
        table(path, 10 * count // 3)
        both = [(rows(path), by_pandas(path)) for _ in range(times)]
        here, there = (statistics.median(column) for column in zip(*both, strict=True))
        print(f"{10 * count // 3:,} rows of a CSV file, understood: {here:.1f} s; pandas.read_csv alone {there:.1f} s")
    if chosen.large:
        large(20_000 if chosen.quick else 200_000)


if __name__ == "__main__":
    main()

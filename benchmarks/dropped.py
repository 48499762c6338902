"""Datasets as people drop them, each as the file they would bring: parts of published ones, and imitations of small ones."""

import csv
import gzip
import os
from collections.abc import Callable
from pathlib import Path

import numpy as np

Made = Callable[[Path], Path]


def shared(name: str) -> Path:
    """A file under HOURGLASS_DATA."""
    return Path(os.environ["HOURGLASS_DATA"]) / name


def images_of(name: str, count: int) -> Made:
    """The first `count` training images of MNIST or Fashion-MNIST."""

    def make(folder: Path) -> Path:
        with gzip.open(shared(f"{name}/train-images-idx3-ubyte.gz")) as packed:
            images = np.frombuffer(packed.read(16 + 784 * count)[16:], np.uint8).reshape(-1, 28, 28, 1)
        return saved(folder / f"{name}.npy", images)

    return make


def sprites(count: int, step: int) -> Made:
    """Some of the sprites, in colour, every `step`-th pixel."""

    def make(folder: Path) -> Path:
        images = np.load(shared("sprites/sprites64.npz"))["imgs"]
        some = np.random.default_rng(0).permutation(len(images))[:count]
        return saved(folder / "sprites.npy", np.ascontiguousarray(images[some, ::step, ::step]))

    return make


def anomalies(file: str) -> Made:
    """A table of ADBench without its labels."""

    def make(folder: Path) -> Path:
        values = np.load(shared(f"tabular-anomaly/{file}.npz"))["X"]
        return rows(folder / "table.csv", [f"x{i}" for i in range(values.shape[1])], values.tolist())

    return make


def heartbeats(folder: Path) -> Path:
    """ECG5000: 4,999 heartbeats of 140 steps."""
    stored = np.load(shared("ecg5000/ecg5000.npz"))
    beats = np.concatenate([stored["X_train"], stored["X_test"]])
    return saved(folder / "beats.npy", beats.astype(np.float32)[:, :, None])


def customers(folder: Path) -> Path:
    """1,500 customers: skewed incomes and sums, counts, shares, two categories, and a few that spend hundreds of times as much."""
    random, count = np.random.default_rng(7), 1500
    wealth, loyal = random.normal(size=count), random.normal(size=count)
    age = np.clip(38 + 9 * random.normal(size=count) + 4 * loyal, 18, 90).round()
    income = np.exp(10.3 + 0.5 * wealth + 0.2 * random.normal(size=count)).round(-2)
    visits = random.poisson(np.exp(1.2 + 0.7 * loyal))
    basket = np.exp(3.2 + 0.5 * wealth + 0.3 * random.normal(size=count))
    spent = (visits * basket * random.uniform(0.8, 1.2, count)).round(2)
    spent[random.permutation(count)[:6]] *= 300
    returned = random.binomial(visits, 0.1 + 0.1 * (wealth < 0))
    since = (400 * np.exp(0.6 * loyal + 0.4 * random.normal(size=count))).round()
    discount = np.clip(0.25 - 0.1 * wealth + 0.08 * random.normal(size=count), 0, 0.9).round(2)
    city = random.choice(["Leeds", "York", "Hull", "Bath"], count, p=[0.5, 0.25, 0.15, 0.1])
    card = np.where(loyal + random.normal(size=count) > 0.3, "yes", "no")
    names = ["age", "income", "visits", "basket", "spent", "returned", "days", "discount", "city", "card"]
    columns = (age, income, visits, basket.round(2), spent, returned, since, discount, city, card)
    return rows(folder / "customers.csv", names, zip(*(column.tolist() for column in columns), strict=True))


def measurements(folder: Path) -> Path:
    """300 rows of ten measurements of something that has three numbers behind it, not all of them linearly."""
    random, count = np.random.default_rng(5), 300
    a, b, c = random.normal(size=(3, count))
    columns = [a, a + b, a * b, np.exp(0.7 * c), b**2, c - a, np.sin(2 * a), b + 0.5 * c, np.tanh(2 * c), a - b]
    values = np.stack(columns, 1) + 0.1 * random.normal(size=(count, 10))
    return rows(folder / "measured.csv", [f"m{i}" for i in range(10)], values.round(4).tolist())


def windows(folder: Path) -> Path:
    """89 windows of 40 steps of three sensors of a machine that turns at another speed each time, sometimes with a knock."""
    random, steps = np.random.default_rng(11), np.arange(40)
    out = []
    for _ in range(89):
        speed, phase, load = random.uniform(0.12, 0.3), random.uniform(0, 2 * np.pi), random.gamma(4, 0.25)
        knock = np.exp(-0.5 * ((steps - random.uniform(5, 35)) / 1.5) ** 2) * (random.random() < 0.4)
        turning = load * np.sin(2 * np.pi * speed * steps / 2 + phase)
        heat = 20 + 6 * load + 0.1 * load * steps
        out.append(np.stack([turning + 2 * knock, np.abs(turning) + 0.5 * knock, heat], 1))
    values = np.array(out) + np.array([0.1, 0.1, 0.4]) * random.normal(size=(89, 40, 3))
    return saved(folder / "windows.npy", values.astype(np.float32))


def gestures(folder: Path) -> Path:
    """200 gestures of 150 steps, like GunPoint's: a hand goes up, stays and comes down, half of them with a dip before."""
    random, steps = np.random.default_rng(3), np.arange(150)
    out = []
    for i in range(200):
        up, down = random.normal(40, 6), random.normal(110, 6)
        height, steep = random.normal(1, 0.08), random.uniform(3, 6)
        one = height / (1 + np.exp(-(steps - up) / steep)) - height / (1 + np.exp(-(steps - down) / steep))
        if i % 2:
            one -= 0.25 * sum(np.exp(-0.5 * ((steps - at) / 6) ** 2) for at in (up - 22, down + 22))
        one = one + 0.01 * random.normal(size=150)
        out.append((one - one.mean()) / one.std())
    return saved(folder / "gestures.npy", np.array(out, np.float32)[:, :, None])


def pictures(folder: Path) -> Path:
    """364 colour pictures of 32x32: a sky, a hill and a sun, of any colour and place."""
    random, (y, x) = np.random.default_rng(9), np.mgrid[:32, :32] / 31
    out = []
    for _ in range(364):
        sky, ground, sun = random.uniform(0.2, 1, (3, 3))
        horizon = (
            0.6 + 0.15 * random.normal() + 0.15 * np.sin(2 * np.pi * (x * random.uniform(0.5, 1.5) + random.random()))
        )
        at, size = random.uniform(0.15, 0.85, 2), random.uniform(0.08, 0.2)
        disc = 1 / (1 + np.exp((np.hypot(x - at[0], y - 0.6 * at[1]) - size) * 40))[..., None]
        below = 1 / (1 + np.exp((horizon - y) * 30))[..., None]
        image = (sky * (1 - 0.4 * y[..., None]) * (1 - disc) + sun * disc) * (1 - below) + ground * below
        out.append(image + 0.02 * random.normal(size=(32, 32, 3)))
    return saved(folder / "pictures.npy", (np.clip(out, 0, 1) * 255).astype(np.uint8))


def saved(path: Path, array: np.ndarray) -> Path:
    """The path of an NPY file that now holds the array."""
    np.save(path, array)
    return path


def rows(path: Path, names: list[str], values: object) -> Path:
    """The path of a CSV file that now holds these rows."""
    with path.open("w", newline="") as stream:
        csv.writer(stream).writerows([names, *values])  # type: ignore[misc]
    return path


DROPPED: dict[str, Made] = {
    "mnist-2000": images_of("mnist", 2000),
    "mnist-10000": images_of("mnist", 10_000),
    "fashion-2000": images_of("fashion-mnist", 2000),
    "fashion-10000": images_of("fashion-mnist", 10_000),
    "sprites-1000": sprites(1000, 2),
    "pictures-364": pictures,
    "customers-1500": customers,
    "measured-300": measurements,
    "thyroid": anomalies("38_thyroid"),
    "cardio": anomalies("6_cardio"),
    "breastw": anomalies("4_breastw"),
    "pendigits": anomalies("28_pendigits"),
    "mammography": anomalies("23_mammography"),
    "shuttle": anomalies("32_shuttle"),
    "ecg5000": heartbeats,
    "gestures-200": gestures,
    "windows-89": windows,
}

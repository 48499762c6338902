"""The frames of a film as Pillow pictures: what is decoded beside the map with a marker, or the map that forms."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from models import Problem, codes, kinds, shown
from models.films import choreography as plan
from models.films.choreography import Choices, Floats
from models.runs import Run

Point = tuple[float, float]
Colour = tuple[int, ...]

# The light page of the explorer (theme.ts).
PAPER, INK, FAINT, LINE, GREY = (255, 255, 255), (38, 42, 51), (93, 100, 112), (0, 0, 0, 14), (125, 130, 140)
PIXELS = 200_000_000  # of all frames together, which are kept until the file is written
POINTS = 10_000  # so many are drawn at most: on so small a map more would be a blot
FINE = 2  # the map is drawn so many times as large, then reduced: edges are smooth
REACH = 3.0  # standard deviations that a signal or a row is drawn to


class Film:
    """A film of a run: `frame(k)` draws it. `codes` (count, D) are those of its frames; none where the map forms."""

    def __init__(self, run: Run, choices: Choices) -> None:
        self.run = run
        self.chosen = chosen = choices.settled(run)
        assert chosen.seconds is not None
        self.count = plan.frames_of(chosen.seconds, chosen.rate)
        self.hundredths = plan.hundredths_of(chosen.what, self.count, chosen.rate)
        self.plane, self.axes = _plane(run, chosen.plane)
        self.stops: list[Floats] = []
        self.order: list[int] = []
        self.between: list[float] = []
        self.codes = self._codes()
        height = _even(chosen.size)
        across, down = (run.shape[1], run.shape[0]) if self._images else (120, 76)  # paint.ts
        self.left = 0 if chosen.what == "replay" else _even(height * max(0.5, min(2.0, across / down)))
        alone = chosen.alone and chosen.what != "replay"
        self.size = (self.left + (0 if alone else height), height)
        if (pixels := self.count * self.size[0] * self.size[1]) > PIXELS:
            raise Problem(
                f"{self.count:,} frames of {self.size[0]} x {self.size[1]} are {pixels / 1e6:,.0f} million pixels",
                f"at most {PIXELS / 1e6:,.0f} million are possible",
                "make it smaller, shorter or slower",
            )

    @property
    def _images(self) -> bool:
        return kinds.get(self.run.kind).pixels

    @property
    def greys(self) -> bool:
        """Whether what is decoded is grey."""
        return self._images and self.run.shape[-1] < 3 and self.chosen.what != "replay"

    def _codes(self) -> Floats:
        run, chosen, count, loop = self.run, self.chosen, self.count, self.chosen.loop
        if chosen.what == "replay":
            self.between = plan.epochs(count, len(run.card.replay.epochs))
            return np.zeros((0, run.code_size), np.float32)
        if chosen.what == "path":
            samples = chosen.samples or plan.stops_of(run.codes, run.labels, len(run.classes))
            self.stops = [run.codes[i] for i in samples]
            return plan.path(self.stops, count, loop)
        mean = np.asarray(run.card.codes.mean, np.float32)
        base = run.codes[chosen.samples[0] if chosen.samples else codes.nearest(run.codes, mean, 1)[0][0]]
        if chosen.what == "dimensions":
            self.order = plan.dimensions_of(run.card.codes)
            return plan.dimensions(base, run.card.codes, self.order, count, loop)
        return plan.walk(self.plane, self.places, base, count, loop)

    @cached_property
    def places(self) -> Floats:
        """Where all codes are on the plane (M, 2)."""
        return self.plane.project(self.run.codes)

    @cached_property
    def _camera(self) -> _Camera:
        return _Camera(self.places, self.size[1] * FINE)

    @cached_property
    def _ground(self) -> Image.Image:
        """Axes and grid, FINE times as large."""
        return _axes(self._camera, self.axes)

    @cached_property
    def _map(self) -> Image.Image:
        """With the points on it."""
        step = math.ceil(len(self.places) / POINTS)
        return self._with_points(self.places[::step], self.run.labels[::step])

    def _with_points(self, places: Floats, labels: NDArray[np.int32]) -> Image.Image:
        sheet, count = self._ground.copy(), max(1, len(places))
        draw = ImageDraw.Draw(sheet, "RGBA")
        palette = [_rgb(colour) for colour in shown.palette(self.run)]
        opacity = round(255 * max(0.35, min(0.9, 1.15 - 0.13 * math.log10(count))))
        size = max(1.5, max(2.0, 11 - 1.85 * math.log10(count)) * self.size[1] / 480) * FINE / 2
        known = 0 if not self.run.classes else len(self.run.classes)
        # One class after the other, as the explorer draws them.
        for label in sorted(set(labels.tolist())):
            colour = palette[label % len(palette)] if 0 <= label < known else GREY
            for x, y in self._camera.pixels(places[labels == label]):
                draw.ellipse((x - size, y - size, x + size, y + size), (*colour, opacity))
        return sheet

    def frame(self, k: int) -> Image.Image:
        """Frame `k`."""
        picture = Image.new("RGB", self.size, PAPER)
        if self.chosen.what == "replay":
            picture.paste(self._reduced(self._epoch(k)), (0, 0))
            return picture
        panel = self._sample(self.run.coder.decode(self.codes[k : k + 1])[0])
        picture.paste(panel, ((self.left - panel.width) // 2, (self.size[1] - panel.height) // 2))
        if self.size[0] > self.left:
            picture.paste(self._reduced(self._marked(k)), (self.left, 0))
        return picture

    def _reduced(self, sheet: Image.Image) -> Image.Image:
        return sheet.reduce(FINE)

    def _sample(self, values: Floats) -> Image.Image:
        """What is decoded. Pixels stay squares: each becomes so many of the film's, a whole number of them."""
        height = self.size[1]
        if not self._images:
            return _lines(values, (self.left, round(self.left * 76 / 120)))
        pixels = np.floor(np.clip(values, 0, 1) * 255 + 0.5).astype(np.uint8)
        small = Image.fromarray(pixels if pixels.shape[-1] == 3 else pixels[..., 0]).convert("RGB")
        most = min(self.left / small.width, height / small.height)
        scale = math.floor(most) if most >= 1 else most
        how = Image.Resampling.NEAREST if scale >= 1 else Image.Resampling.BOX
        return small.resize((max(1, round(small.width * scale)), max(1, round(small.height * scale))), how)

    def _marked(self, k: int) -> Image.Image:
        """The map with the way, its stops and the marker of frame `k`."""
        sheet, unit = self._map.copy(), self.size[1] * FINE / 320
        draw = ImageDraw.Draw(sheet)
        begun, end = self._leg(k)
        way = self._camera.pixels(self.plane.project(self.codes[begun:end]))
        if self.chosen.loop and len(way) == self.count:
            way.append(way[0])
        for colour, width in ((PAPER, 4.0), (FAINT, 1.5)):
            draw.line(way, colour, round(width * unit), "curve")
        font = ImageFont.load_default(11 * unit)
        stops = self.plane.project(np.stack(self.stops)) if self.stops else np.zeros((0, 2), np.float32)
        for i, (x, y) in enumerate(self._camera.pixels(stops)):
            _circle(draw, (x, y), 8 * unit, fill=FAINT)
            draw.text((x, y), _letter(i), PAPER, font, "mm")
        (marker,) = self._camera.pixels(self.plane.project(self.codes[k : k + 1]))
        _circle(draw, marker, 12 * unit, outline=PAPER, width=round(6 * unit))
        _circle(draw, marker, 10.25 * unit, outline=INK, width=round(2.5 * unit))
        if self.order:
            d = self._moving[k]
            self._say(draw, f"z{d + 1} = {self.codes[k, d]:.2f}")
        return sheet

    def _leg(self, k: int) -> tuple[int, int]:
        """The frames whose way is drawn with frame `k`, first and one past the last: all, or those of the same dimension."""
        if not self.order:
            return 0, self.count
        own = [at for at, d in enumerate(self._moving) if d == self._moving[k]]
        return own[0], own[-1] + 1

    @cached_property
    def _moving(self) -> list[int]:
        """The dimension that moves in each frame."""
        return [plan.dimension_at(self.order, k, self.count, self.chosen.loop)[0] for k in range(self.count)]

    def _epoch(self, k: int) -> Image.Image:
        """The map as it forms."""
        epochs = self.run.card.replay.epochs
        at = self.between[k]
        first = min(len(epochs) - 2, math.floor(at))
        before, after = (self.plane.project(self._replayed[e]) for e in (first, first + 1))
        sheet = self._with_points(before + (after - before) * np.float32(at - first), self.run.labels[self._index])
        self._say(ImageDraw.Draw(sheet), f"epoch {epochs[math.floor(at + 0.5)]} of {epochs[-1]}")
        return sheet

    @cached_property
    def _replayed(self) -> Floats:
        facts = self.run.card.replay
        values = np.fromfile(self.run.folder / "replay" / "codes.f32", np.float32)
        return values.reshape(len(facts.epochs), facts.count, self.run.code_size)

    @cached_property
    def _index(self) -> NDArray[np.int32]:
        return np.fromfile(self.run.folder / "replay" / "index.i32", np.int32)

    def _say(self, draw: ImageDraw.ImageDraw, words: str) -> None:
        """Words in the corner of the map where no axis has its name."""
        size = max(12, round(self.size[1] / 20)) * FINE
        at = (self.size[1] * FINE - 8 * FINE, 6 * FINE)
        draw.text(at, words, INK, ImageFont.load_default(size), "ra", stroke_width=size // 6, stroke_fill=PAPER)


class _Camera:
    """A window of `side` pixels that shows all points, one unit as long in x as in y unless they are very flat (camera.ts)."""

    def __init__(self, places: Floats, side: int) -> None:
        finite = places[np.isfinite(places).all(1)]
        low, high = (finite.min(0), finite.max(0)) if len(finite) else (np.full(2, -1.0), np.full(2, 1.0))
        self.side, self.middle = side, (low + high) / 2
        extent = [float(value) for value in high - low]
        floor = max(extent) or max(1.0, *(abs(float(value)) * 1e-6 for value in low))
        room = side - 2 * max(12 * FINE, side * 0.09)
        scales = [room / (value or floor) for value in extent]
        if max(scales) < 5 * min(scales) or not all(extent):
            scales = [min(scales)] * 2
        self.scales = scales

    def pixels(self, places: Floats) -> list[Point]:
        """Where these are; y grows upwards on the plane. What is not finite is left out."""
        x, y = ((places - self.middle) * self.scales).T
        both = np.stack([self.side / 2 + x, self.side / 2 - y], 1)
        return [(float(a), float(b)) for a, b in both[np.isfinite(both).all(1)]]

    def seen(self, axis: int) -> tuple[float, float]:
        half = self.side / 2 / self.scales[axis]
        return float(self.middle[axis]) - half, float(self.middle[axis]) + half


def _plane(run: Run, asked: str) -> tuple[codes.Plane, tuple[str, str]]:
    """The plane that was asked for, or the one on which a map opens; and what its axes are called."""
    named = re.fullmatch(r"z(\d+),z(\d+)", asked)
    if asked and not named and not (asked == "pca" and run.pca):
        raise Problem(
            f"“{asked[:40]}” is no plane of the run {run.folder.name}",
            f"its planes are {'pca, and ' if run.pca else ''}two dimensions, like z1,z{min(2, run.code_size)}",
        )
    if run.pca and not named:
        share = run.card.projections.pca.explained if run.card.projections.pca else ()
        first, second = (
            f"PCA {i + 1} {share[i]:.0%}".replace("%", " %") if len(share) == 2 else f"PCA {i + 1}" for i in (0, 1)
        )
        return run.pca, (first, second)
    across, up = (int(one) for one in named.groups()) if named else (1, min(2, run.code_size))
    if not (1 <= across <= run.code_size and 1 <= up <= run.code_size):
        raise Problem(f"the run {run.folder.name} has no plane {asked}", f"its dimensions are z1 to z{run.code_size}")
    components = np.zeros((2, run.code_size), np.float32)
    components[0, across - 1] = 1
    components[1, up - 1] = float(up != across)  # one dimension is a line of points
    return codes.Plane(np.zeros(run.code_size, np.float32), components), (
        f"z{across}",
        f"z{up}" if up != across else "",
    )


def _axes(camera: _Camera, names: tuple[str, str]) -> Image.Image:
    """Grid, numbers and names (axes.ts)."""
    side = camera.side
    sheet = Image.new("RGB", (side, side), PAPER)
    draw = ImageDraw.Draw(sheet, "RGBA")
    size = max(11 * FINE, min(20 * FINE, side // 46))
    font, bold = ImageFont.load_default(size), ImageFont.load_default(size + FINE)
    for axis in (0, 1):
        ticks = _ticks(*camera.seen(axis), max((4, 3)[axis], side / FINE / (110, 90)[axis]))
        decimals = max(0, -math.floor(math.log10(ticks[1] - ticks[0]) + 1e-9)) if len(ticks) > 1 else 0
        for tick in ticks:
            at = (tick - float(camera.middle[axis])) * camera.scales[axis]
            place = round(side / 2 + at if axis == 0 else side / 2 - at)
            draw.line((place, 0, place, side) if axis == 0 else (0, place, side, place), LINE, FINE)
            words = f"{tick:.{decimals}f}"  # Pillow's letters have no true minus sign
            if axis == 0 and 44 * FINE < place < side - 64 * FINE:
                draw.text((place, side - 7 * FINE), words, FAINT, font, "ms")
            if axis == 1 and 28 * FINE < place < side - 24 * FINE:
                draw.text((7 * FINE, place), words, FAINT, font, "lm")
    draw.text((7 * FINE, size + 5 * FINE), names[1], FAINT, bold, "ls")
    draw.text((side - 8 * FINE, side - 7 * FINE), names[0], FAINT, bold, "rs")
    return sheet


def _ticks(low: float, high: float, count: float) -> list[float]:
    """Round numbers between the two, about `count` of them: 1, 2 or 5 times a power of ten apart (numbers.ts)."""
    raw = (high - low) / max(1.0, count)
    if not raw > 0 or not math.isfinite(raw):
        return []
    power = 10.0 ** math.floor(math.log10(raw))
    step = power * next((m for m in (1, 2, 5) if m * power >= raw * 0.999), 10)
    return [k * step for k in range(math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9) + 1)]


def _lines(values: Floats, size: tuple[int, int]) -> Image.Image:
    """A signal as a line for each channel, a row as a bar for each feature (paint.ts)."""
    wide, high = (side * FINE for side in size)
    sheet = Image.new("RGB", (wide, high), PAPER)
    draw = ImageDraw.Draw(sheet, "RGBA")
    y = high / 2 - np.clip(np.nan_to_num(values), -REACH, REACH) / REACH * (high / 2 - 3 * FINE)
    if values.ndim == 1:
        each = wide / len(values)
        for i, end in enumerate(y.tolist()):
            top, bottom = sorted((high / 2, end))
            draw.rectangle((i * each + each * 0.15, top, i * each + each * 0.85, max(bottom, top + FINE)), INK)
        return sheet.reduce(FINE)
    x = np.linspace(2 * FINE, wide - 2 * FINE, len(values))
    channels = values.shape[1]
    for c in range(channels):
        opacity = round(255 * (1 - 0.65 * c / channels))
        draw.line(list(zip(x.tolist(), y[:, c].tolist(), strict=True)), (*INK, opacity), 2 * FINE, "curve")
    return sheet.reduce(FINE)


def _circle(
    draw: ImageDraw.ImageDraw,
    at: Point,
    radius: float,
    fill: Colour | None = None,
    outline: Colour | None = None,
    width: int = 1,
) -> None:
    x, y = at
    draw.ellipse((x - radius, y - radius, x + radius, y + radius), fill, outline, width)


def _letter(i: int) -> str:
    return chr(ord("A") + i) if i < 26 else str(i + 1)


def _even(value: float) -> int:
    return 2 * math.ceil(value / 2)


def _rgb(text: str) -> Sequence[int]:
    return list(bytes.fromhex(text[1:]))

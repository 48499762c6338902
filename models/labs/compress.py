"""How many bytes does an image need? A run's quantised and entropy-coded codes beside PCA's, and beside image files.

Rate and distortion of the same test images: bytes an image, against PSNR and SSIM (Shannon 1959; for learnt codes Balle et
al. 2017). Codes are rounded to steps, a share of units that are divided among the dimensions by how much each moves the
picture, and a range coder writes them by what is known of the codes of training images (`models.analysis.coding`), which is
counted with the decoder. Nothing is estimated: the bytes are those of a file, which `unpack` reads again.
"""

from __future__ import annotations

import dataclasses
import gzip
import io
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models import Problem, blocks, datasets
from models.analysis import coding, metrics
from models.codes import Floats, Plane, to_float
from models.datasets import Dataset
from models.labs import Answer, Finding, Lab, Report, Settings
from models.runs import Run

Pixels = NDArray[np.uint8]

SHARES = (1.4, 1.0, 0.7, 0.5, 0.35, 0.25, 0.18, 0.12, 0.08, 0.05)  # of `base_steps`
PCA_SHARES = (
    1.5,
    0.75,
    0.5,
    0.35,
    0.25,
    0.18,
    0.125,
    0.09,
    0.0625,
    0.03125,
)  # of the largest component's standard deviation
PCA_MOST = 256  # components
MAGIC = b"HGLS\x02"
HEAD = len(MAGIC) + 8  # bytes that say what a file is and which run wrote it
LEARNT = 10_000  # training images that it is learnt from what is known of codes, and validation images to judge by
CURVATURES = 100_000_000  # numbers: ten thousand images with a hundred dimensions
PROBED = 300  # codes around which it is measured how much each dimension moves the picture
NUDGE = 0.3  # of a standard deviation, by which they are moved for that
UNUSED = 1e-4  # of what the dimension that moves most does: what moves less is not written
LARGEST = 1 << 30  # bytes of images that a file may claim to hold
SHOWN = 8  # images that can be looked at
SHOWN_BYTES = 600_000  # of all pictures of these together
LOOKED_AT = 400  # images whose structural similarity is measured at each point: it takes half a millisecond each
PIXELS = 1500  # for each image that was asked for: of larger images fewer are taken, since AVIF takes a minute for 10 million
ALONE = 100  # images that are written to a file each
BITS = (16, 8, 6, 4)  # of each weight of the decoder


def base_steps(run: Run, codes: Floats) -> Floats:
    """For each dimension (D,) the step that costs as much of the picture as that of any other: in proportion to one over the
    root of how much the decoder's output moves with it, measured around codes (N, D). That divides bits best where there are
    enough of them (Gersho and Gray 1992, section 8.3). On average, in the logarithm, they are the codes' standard deviation.

    A dimension that hardly moves anything gets a step beyond its range: one symbol, which costs nothing.
    """
    some, deviation = codes[:PROBED], codes.std(0)
    moved = np.zeros(run.code_size)
    for d in np.flatnonzero(deviation > 0):
        away = np.zeros_like(some[:1])
        away[0, d] = NUDGE * deviation[d]
        difference = run.coder.decode(some + away) - run.coder.decode(some - away)
        moved[d] = np.square(difference).mean() / np.square(2 * NUDGE * deviation[d])
    used = moved * np.square(deviation) > UNUSED * (moved * np.square(deviation)).max()
    steps = 8 * np.ptp(codes, axis=0) + 1.0
    if used.any():
        found = 1 / np.sqrt(moved[used])
        steps[used] = found * np.exp(np.log(deviation[used]).mean() - np.log(found).mean())
    return np.asarray(steps, np.float32)


def known_of(run: Run) -> coding.Known:
    """What is known of a run's codes, from training images and, to choose how much of it, from validation images."""
    splits = run.dataset.splits()
    some = [np.flatnonzero(splits == part)[:LEARNT] for part in (datasets.TRAIN, datasets.VALIDATION)]
    codes, judging = (run.coder.encode(datasets.samples_at(run.dataset, rows)) for rows in some)
    return coding.known_of(codes, judging, base_steps(run, codes))


def decoded(run: Run, codes: Floats) -> Floats:
    """Codes (N, D) as the numbers (N, F) of images in [0, 1]."""
    return run.coder.decode(codes).reshape(len(codes), -1)


def best_codes(run: Run, known: coding.Known, samples: Pixels) -> tuple[Floats, Floats | None]:
    """The codes (N, D) that draw images (N, H, W, C) best, and how much a distance from them costs (N, D, D); where that would be
    too many numbers (`CURVATURES`), the encoder's codes and None."""
    codes = run.coder.encode(samples)
    if codes.size * run.code_size > CURVATURES:
        return codes, None
    return coding.better(partial(decoded, run), to_float(samples).reshape(len(samples), -1), codes, known.unit)


def pack(run: Run, known: coding.Known, samples: Pixels, share: float) -> bytes:
    """Images (N, H, W, C) as one small file, which the same run reads again where the same is known of its codes."""
    codes, curvature = best_codes(run, known, samples)
    return MAGIC + bytes.fromhex(run.id) + coding.written(*coding.rounded(codes, curvature, known, share), known, share)


def unpack(run: Run, known: coding.Known, content: bytes) -> Floats:
    """The images (N, H, W, C) in [0, 1] of a file that `pack` wrote. A `Problem` for any other file."""
    other = Problem("this file holds no images that Hourglass compressed", do="choose one that was downloaded here")
    if not content.startswith(MAGIC) or len(content) < HEAD:
        raise other
    of = content[len(MAGIC) : HEAD].hex()
    if of != run.id:
        raise Problem("this file was written by another run, and only its decoder can read it", do=f"open the run {of}")
    try:
        codes = coding.read(content[HEAD:], known, LARGEST // (4 * int(np.prod(run.shape))))
    except coding.Otherwise as error:
        raise Problem(
            "this file was written by this run, but with another table of how likely its codes are",
            do="open it where it was written, or write it again here",
        ) from error
    except ValueError as error:
        raise other from error
    return run.coder.decode(codes)


# ── files of images ──────────────────────────────────────────────────────────────────────


@dataclass(frozen=True)
class Codec:
    """A format of image files: what Pillow calls it, the options of each quality from small to good."""

    name: str
    title: str
    format: str
    options: tuple[dict[str, Any], ...]
    lossless: bool = False


def codecs(grey: bool) -> list[Codec]:
    """Those that Pillow can write here, each with the options that make its files small."""
    from PIL import features

    quality = [{"quality": q} for q in (1, 4, 8, 15, 25, 40, 60, 80)]
    sampled = [{"subsampling": "4:0:0"}] if grey else [{"subsampling": s} for s in ("4:2:0", "4:4:4")]
    avif = [{"quality": q, "speed": 6, "max_threads": 1, **s} for s in sampled for q in (1, 8, 18, 30, 42, 55, 70)]
    decibels = [
        {"quality_mode": "dB", "quality_layers": [db], "irreversible": True} for db in (16, 19, 22, 25, 28, 32, 36)
    ]
    found = []
    if features.check("avif"):
        found.append(Codec("avif", "AVIF", "AVIF", tuple(avif)))
    found.append(Codec("webp", "WebP", "WEBP", tuple({"quality": q, "method": 6} for q in (0, 5, 15, 30, 50, 70, 90))))
    if features.check("jpg_2000"):
        found.append(Codec("jpeg2000", "JPEG 2000", "JPEG2000", tuple(decibels)))
    best = {"optimize": True, "progressive": True}
    found.append(Codec("jpeg", "JPEG", "JPEG", tuple({**q, **best} for q in quality)))
    return [*found, Codec("png", "PNG (lossless)", "PNG", ({"optimize": True},), lossless=True)]


def sheet(samples: Pixels) -> Pixels:
    """Images (N, H, W, C) side by side in one about square image; what is left over at its end is black."""
    n, h, w, c = samples.shape
    across = int(np.ceil(np.sqrt(n)))
    down = -(-n // across)
    padded = np.concatenate([samples, np.zeros((across * down - n, h, w, c), np.uint8)])
    return np.asarray(padded.reshape(down, across, h, w, c).swapaxes(1, 2).reshape(down * h, across * w, c))


def cut(image: Pixels, count: int, shape: tuple[int, ...]) -> Pixels:
    """The images (count, H, W, C) of a `sheet`."""
    h, w, c = shape
    down, across = image.shape[0] // h, image.shape[1] // w
    return np.asarray(image.reshape(down, h, across, w, c).swapaxes(1, 2).reshape(-1, h, w, c)[:count])


def through(codec: Codec, options: dict[str, Any], image: Pixels) -> tuple[int, Pixels]:
    """How many bytes an image (H, W, C) takes as a file, and what comes out of the file."""
    from PIL import Image

    mode = "L" if image.shape[-1] == 1 else "RGB"
    file = io.BytesIO()
    Image.fromarray(image[..., 0] if mode == "L" else image, mode).save(file, codec.format, **options)
    with Image.open(file) as opened:
        return len(file.getvalue()), np.asarray(opened.convert(mode), np.uint8).reshape(image.shape)


# ── rate and distortion ──────────────────────────────────────────────────────────────────


@dataclass(frozen=True)
class Point:
    """One way of writing the images: bytes an image together and, of image files, alone; PSNR in dB of the mean squared
    error over all images, and their mean SSIM (None where images are too small); what some of them become (K, H, W, C).
    basis: bytes of the components that PCA needs for it, once for all images."""

    rate: float
    alone: float | None
    psnr: float
    ssim: float | None
    shown: Pixels
    basis: int = 0


def measured(truth: Pixels, made: Pixels, size: float, alone: float | None, shown: NDArray[np.int64]) -> Point:
    """The point of images (N, H, W, C) and what became of them in so many bytes."""
    error = float(np.square((made.astype(np.float32) - truth) / 255).mean())
    few = slice(0, LOOKED_AT)
    similar = None
    if min(truth.shape[1:3]) >= 3:
        similar = metrics.ssim(to_float(truth[few]), to_float(made[few]))
    return Point(size / len(truth), alone, metrics.psnr(error), similar, made[shown])


def frontier(points: list[Point]) -> list[Point]:
    """Those that no other beats in bytes and PSNR at once, from small to large."""
    best: list[Point] = []
    for point in sorted(points, key=lambda one: (one.rate, -one.psnr)):
        if not best or point.psnr > best[-1].psnr:
            best.append(point)
    return best


def ours(
    run: Run, known: coding.Known, truth: Pixels, shown: NDArray[np.int64]
) -> Iterator[tuple[Point, coding.Symbols]]:
    """The point of each share, and the symbols (K, D) of the images shown."""
    codes, curvature = best_codes(run, known, truth)
    for share in SHARES:
        clusters, symbols = coding.rounded(codes, curvature, known, share)
        size = HEAD + len(coding.written(clusters, symbols, known, share))
        alone = HEAD + alone_of(clusters, symbols, known, share)
        made = as_pixels(run.coder.decode(coding.codes_of(symbols, known, share)))
        yield measured(truth, made, size, alone, shown), symbols[shown]


def alone_of(clusters: coding.Whole, symbols: coding.Symbols, known: coding.Known, share: float) -> float:
    """The mean bytes of a file each."""
    some = range(min(ALONE, len(symbols)))
    return float(np.mean([len(coding.written(clusters[i : i + 1], symbols[i : i + 1], known, share)) for i in some]))


def as_pixels(values: Floats) -> Pixels:
    """Values in [0, 1] as the pixels of an image file."""
    return np.asarray(np.rint(np.clip(values, 0, 1) * 255), np.uint8)


def by_pca(plane: Plane, known: coding.Known, truth: Pixels, shown: NDArray[np.int64]) -> Iterator[Point]:
    """The points of PCA: all components with the same step, so that those that vary less than the step cost nothing. That
    is the best there is for rates like these (reverse water-filling, Cover and Thomas 2006, section 10.3.3)."""
    codes = plane.project(to_float(truth).reshape(len(truth), -1))
    for share in PCA_SHARES:
        clusters, symbols = coding.rounded(codes, None, known, share)
        content = coding.written(clusters, symbols, known, share)
        made = as_pixels(coding.codes_of(symbols, known, share) @ plane.components + plane.mean).reshape(truth.shape)
        used = symbols.any(0)
        components = np.rint(127 * plane.components[used] / np.abs(plane.components[used]).max(1, keepdims=True))
        basis = len(gzip.compress(components.astype(np.int8).tobytes(), 9)) + len(known.packed()) if used.any() else 0
        alone = alone_of(clusters, symbols, known, share)
        yield dataclasses.replace(measured(truth, made, len(content), alone, shown), basis=basis)


def pca_of(run: Run) -> tuple[Plane, coding.Known]:
    """PCA of training images, and what is known of its codes, in units of the largest component's standard deviation."""
    splits = run.dataset.splits()
    some = [np.flatnonzero(splits == part)[:LEARNT] for part in (datasets.TRAIN, datasets.VALIDATION)]
    train, judging = (np.asarray(datasets.samples_at(run.dataset, rows)) for rows in some)
    plane = metrics.fit_pca(train, min(PCA_MOST, *(int(np.prod(run.shape)), len(train))))
    codes, others = (plane.project(to_float(part).reshape(len(part), -1)) for part in (train, judging))
    largest = max(float(codes.std(0).max()), 1e-6)  # of images that are all the same it is 0
    return plane, coding.known_of(codes, others, np.full(codes.shape[1], largest, np.float32))


def by_codec(codec: Codec, truth: Pixels, shown: NDArray[np.int64]) -> Iterator[Point]:
    """The points of a format: all images in one sheet, and `ALONE` of them in a file each."""
    joined = sheet(truth)
    for options in codec.options:
        size, made = through(codec, options, joined)
        alone = float(np.mean([through(codec, options, one)[0] for one in truth[:ALONE]]))
        yield measured(truth, cut(made, len(truth), truth.shape[1:]), size, alone, shown)


def decoders(run: Run, known: coding.Known, truth: Pixels) -> list[dict[str, float]]:
    """What the decoder takes, gzipped, with so many bits a weight, what is known of codes included, and by how many dB it is
    worse than as it was trained."""
    codes = run.coder.encode(to_float(truth))
    whole = metrics.psnr(float(np.square(run.coder.decode(codes) - to_float(truth)).mean()))
    out = []
    for bits in BITS:
        content = blocks.weights(run, "decoder", bits)
        made = blocks.decoded(run, content, codes)
        lost = whole - metrics.psnr(float(np.square(made - to_float(truth)).mean()))
        size = len(gzip.compress(content, 9, mtime=0)) + len(known.packed())
        out.append({"bits": bits, "bytes": size, "lost": round(max(0.0, lost), 4)})
    return out


def fits(run: Run) -> str:
    """Images alone are written by image files."""
    if run.kind != "image" or run.shape[-1] not in (1, 3):
        return "this lab compares with image files, so it takes runs of grey or coloured images"
    return ""


def test_images(run: Run, most: int) -> tuple[NDArray[np.int64], Pixels]:
    """The first rows of the test split, and their images (N, H, W, C); of large images fewer (see `PIXELS`)."""
    fit = max(20, most * PIXELS // (run.shape[0] * run.shape[1]))
    rows = np.flatnonzero(run.dataset.splits() == datasets.TEST)[: min(most, fit)]
    return rows, np.asarray(datasets.samples_at(run.dataset, rows), np.uint8)


def borrowed(run: Run, dataset: Dataset, count: int) -> Pixels:
    """The first test images (count, H, W, C) of another dataset, fitted to this run's size and colours."""
    from PIL import Image

    from models.readers.images import fitted

    rows = np.flatnonzero(dataset.splits() == datasets.TEST)[:count]
    stored = np.asarray(datasets.samples_at(dataset, rows), np.uint8)
    height, width, channels = run.shape
    mode = "L" if channels == 1 else "RGB"
    given = (Image.fromarray(one[..., 0] if one.shape[-1] == 1 else one).convert(mode) for one in stored)
    return np.stack([np.asarray(fitted(one, (height, width), "crop")).reshape(run.shape) for one in given])


def some_to_show(rows: NDArray[np.int64], run: Run, points: int) -> NDArray[np.int64]:
    """The places of a few of these rows, of as many classes as there are; fewer where images are large."""
    count = max(1, min(SHOWN, len(rows), SHOWN_BYTES // (points * int(np.prod(run.shape)))))
    labels = np.full(run.card.dataset.count, -1, np.int32)
    labels[run.rows] = run.labels
    _, first = np.unique(labels[rows], return_index=True)
    order = np.concatenate([np.sort(first), np.setdiff1d(np.arange(len(rows)), first)])
    return np.asarray(np.sort(order[:count]), np.int64)


def answer(run: Run, settings: Settings, report: Report) -> Answer:
    """The curves of all methods over the same test images, and what the decoder takes.

    facts: {count, shape, share [P], methods [{name, title, lossless, points [{rate, alone, psnr, ssim}]}], decoder [{bits,
    bytes, lost}], verdict, and the finding}; the first method is the run, with a point for each share. arrays: "codes" of the images
    shown at each share, (P, K, D), "known" (bytes of what is known of codes), "rows" (K,), and the pictures of each
    method, "<name>" (P, K, H, W, C) uint8.
    """
    report("reading the test images", 0.0)
    rows, truth = test_images(run, int(settings["images"]))
    formats = codecs(grey=run.shape[-1] == 1)
    points = len(PCA_SHARES) + sum(len(one.options) for one in formats)
    shown = some_to_show(rows, run, points)
    methods: list[dict[str, Any]] = []
    pictures: dict[str, NDArray[np.generic]] = {}

    def add(name: str, title: str, found: list[Point], lossless: bool = False) -> None:
        methods.append({"name": name, "title": title, "lossless": lossless, "points": [plain(one) for one in found]})
        pictures[name] = np.stack([one.shown for one in found])

    report("what is known of codes", 0.05)
    known = known_of(run)
    report("this run", 0.1)
    mine = []
    for one in ours(run, known, truth, shown):
        mine.append(one)
        report("this run", 0.1 + 0.1 * len(mine) / len(SHARES))
    add("run", "this autoencoder", [point for point, _ in mine])
    report("PCA", 0.2)
    add("pca", "PCA", frontier(list(by_pca(*pca_of(run), truth, shown))))
    done = 0.3
    for codec in formats:
        report(codec.title, done)
        found = []
        for point in by_codec(codec, truth, shown):
            found.append(point)
            done += 0.6 / sum(len(one.options) for one in formats)
            report(codec.title, done)
        add(codec.name, codec.title, frontier(found), codec.lossless)
    report("the decoder", 0.95)
    facts = {
        "count": len(rows),
        "shape": list(run.shape),
        "shares": list(SHARES),
        "methods": methods,
        "decoder": decoders(run, known, truth[:1000]),
        "libraries": libraries(),
    }
    facts |= {"verdict": verdict(facts), **finding(facts).facts}
    return Answer(
        facts,
        {
            "codes": np.stack(
                [coding.codes_of(symbols, known, share) for share, (_, symbols) in zip(SHARES, mine, strict=True)]
            ),
            "known": np.frombuffer(known.packed(), np.uint8),
            "rows": rows[shown],
            "originals": truth[shown],
            **pictures,
        },
    )


def plain(point: Point) -> dict[str, float | None]:
    """A point without its pictures."""
    return {
        "rate": round(point.rate, 4),
        "alone": None if point.alone is None else round(point.alone, 2),
        "psnr": round(point.psnr, 4),
        "ssim": None if point.ssim is None else round(point.ssim, 4),
        "basis": point.basis,
    }


def libraries() -> str:
    """What wrote the files, with versions."""
    from importlib.metadata import version

    from PIL import features

    parts = [
        f"{name} {features.version(what)}"
        for name, what in (
            ("libjpeg-turbo", "libjpeg_turbo"),
            ("libwebp", "webp"),
            ("libavif", "avif"),
            ("OpenJPEG", "jpg_2000"),
        )
        if features.check(what)
    ]
    return f"Pillow {version('pillow')} ({', '.join(parts)}), scikit-learn {version('scikit-learn')}, constriction {version('constriction')}"


def bytes_at(points: list[dict[str, Any]], psnr: float) -> float | None:
    """The bytes an image at which a method reaches this PSNR, between its points in proportion to the logarithm; those of
    its smallest file where that is better already, None where it never gets there."""
    known = [(point["psnr"], point["rate"]) for point in points]
    if psnr <= known[0][0]:
        return float(known[0][1])
    if psnr > known[-1][0]:
        return None
    return float(np.exp(np.interp(psnr, [p for p, _ in known], [np.log(r) for _, r in known])))


def compared(facts: dict[str, Any]) -> tuple[dict[str, Any], float, str]:
    """The run's point at a quarter of a standard deviation, the bytes an image of the method that needs the fewest of all others
    for as good images, and its title. Without the decoder's own bytes."""
    run, *others = facts["methods"]
    point = run["points"][facts["shares"].index(0.25)]
    known = [(size, one["title"]) for one in others if (size := bytes_at(one["points"], point["psnr"])) is not None]
    return point, *min(known)


def verdict(facts: dict[str, Any]) -> str:
    """The comparison in a sentence."""
    point, size, title = compared(facts)
    wins = "fewer" if point["rate"] < size else "more"
    return f"At {point['psnr']:.1f} dB an image takes {point['rate']:.1f} bytes, {wins} than {title} with {size:.1f}."


def finding(facts: dict[str, Any]) -> Finding:
    """The comparison in three facts. The bytes are those of files, so there is no chance in them."""
    point, size, title = compared(facts)
    by = f"{point['rate']:.1f} bytes an image against {size:.1f}, at {point['psnr']:.1f} dB"
    return Finding("network" if point["rate"] < size else "plain", title, by)


LAB = Lab(
    name="compress",
    title="Compress",
    question="How many bytes does an image need?",
    fits=fits,
    answer=answer,
    settings={"images": 1000},
    version=2,
    shipped=("digits-modern-8", "cats-convolutional-variational"),
)

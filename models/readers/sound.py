"""WAV files: a sound becomes windows of its amplitude, at one sampling rate whatever it came at."""

from __future__ import annotations

import io
from collections.abc import Sequence
from math import gcd
from pathlib import Path
from typing import IO

import numpy as np
from numpy.typing import NDArray

from models import Problem
from models.readers import arrays, series
from models.readers.result import ReadResult
from models.readers.work import Work, decoding, disk, plain

RATE = 8000  # Hz: samples of all sounds mean the same, and a run of one cleans another
RATES = (1000, 384_000)  # Hz: what a file may say, at least and at most
SECONDS = 60  # of a sound that are read
BYTES = 64 << 20  # of a file: a minute of two channels at 96 kHz and 32 bits has 46 MB
WINDOW = 128  # steps, 16 ms


def is_wav(start: bytes) -> bool:
    """Whether a file that begins so is a sound in the WAV format."""
    return start[:4] == b"RIFF" and start[8:12] == b"WAVE"


def found(paths: Sequence[Path], work: Work) -> ReadResult:
    """Signals (N, window, 1): the windows of one sound, or of several, one after the other; none lies in two."""
    window = work.choices.window or WINDOW
    step = work.choices.step or max(1, window // 2)
    sounds = []
    for i, path in enumerate(paths):
        work.progress("reading sounds", i, len(paths))
        sounds.append(_read_file(path, work))
    longest = max(map(len, sounds))
    if window > longest:
        raise Problem(
            f"a window has {window:,} steps, the longest sound {longest:,}",
            f"at {RATE:,} steps a second",
            "bring a longer sound, or choose a shorter window",
        )
    work.decide("window", window, [64, 128, 256, 512], f"Sounds are cut into windows of {1000 * window / RATE:g} ms.")
    work.decide("step", step, [window, max(1, window // 2)], f"A window begins every {1000 * step / RATE:g} ms.")
    ends = np.cumsum([0, *map(len, sounds)])
    starts = np.concatenate(
        [begin + np.arange(0, len(one) - window + 1, step) for begin, one in zip(ends, sounds, strict=False)]
    )
    split = None
    if step < window:
        split, apart = series.split_in_time(starts, window)
        if split is not None:
            work.warn(series.left_out(apart))
            starts, split = starts[apart], split[apart]
    values = np.concatenate(sounds)
    out = work.allocate((len(starts), window, 1), np.float32)
    for i, start in enumerate(starts.tolist()):
        out[i, :, 0] = values[start : start + window]
    which = np.searchsorted(ends, starts, "right") - 1
    names = [
        f"{plain(paths[k].stem, 60)} {(start - ends[k]) / RATE:.3f} s" for k, start in zip(which, starts, strict=True)
    ]
    columns = arrays.of_features(out, split, ["amplitude"])
    return work.found("signal", out, np.full(len(out), -1, np.int32), (), names, split, columns)


def _read_file(path: Path, work: Work) -> NDArray[np.float32]:
    with disk(work.folder), path.open("rb") as stream:
        values, rate, seconds = read(stream, path.name, SECONDS)
    if seconds > SECONDS:
        work.warn(f"{plain(path.name)} is {_long(seconds)} long; its first minute is read.")
    if rate != RATE:
        work.warn(f"{plain(path.name)} has {rate:,} steps a second, and was turned into one of {RATE:,}.")
    return values


def read(stream: IO[bytes], name: str, most: float) -> tuple[NDArray[np.float32], int, float]:
    """The amplitude (T,) of a WAV file at `RATE`, at most so many seconds of it, in [-1, 1], channels averaged; the rate that
    it came at, and how many seconds it has.

    Whole numbers of 8, 16, 24 or 32 bits and fractions can be read. A `Problem` where it is something else.
    """
    from scipy.io import wavfile

    called = plain(name)
    content = stream.read(BYTES + 1)
    if len(content) > BYTES:
        raise Problem(f"{called} has more than {BYTES >> 20} MB", "a minute of sound has less", "bring a shorter sound")
    with decoding(called, "a WAV file"):
        rate, samples = wavfile.read(io.BytesIO(content))
    if not RATES[0] <= rate <= RATES[1]:
        raise Problem(
            f"{called} says that it has {rate:,} steps a second", f"{RATES[0]:,} to {RATES[1]:,} were expected"
        )
    if samples.dtype.kind not in "iuf" or samples.ndim not in (1, 2) or not samples.size:
        raise Problem(f"{called} holds no sound", do="bring another file")
    seconds = len(samples) / rate
    samples = samples[: int(most * rate)]
    values = _amplitude(samples)
    if not np.isfinite(values).all():
        raise Problem(f"{called} has values that are no finite numbers", do="make the file again")
    return resampled(values, rate), int(rate), seconds


def _amplitude(samples: NDArray[np.generic]) -> NDArray[np.float32]:
    """Stored numbers (T,) or (T, channels) as amplitudes (T,) in [-1, 1]."""
    values = samples.astype(np.float64)
    if samples.dtype == np.uint8:
        values = (values - 128) / 128
    elif samples.dtype.kind == "i":  # those of 24 bits come as 32, the lowest eight being 0
        values = values / 2.0 ** (8 * samples.dtype.itemsize - 1)
    return np.asarray(values.mean(1) if values.ndim == 2 else values, np.float32)


def resampled(values: NDArray[np.float32], rate: int) -> NDArray[np.float32]:
    """The same sound (T,) at `RATE`, without what lies above half of it."""
    if rate == RATE:
        return values
    from scipy import signal

    common = gcd(rate, RATE)
    up, down = RATE // common, rate // common
    if max(up, down) > 1000:  # an odd rate, of which no short filter is made: in frequencies instead
        return np.asarray(signal.resample(values, max(1, round(len(values) * RATE / rate))), np.float32)
    return np.asarray(signal.resample_poly(values, up, down), np.float32)


def _long(seconds: float) -> str:
    return f"{int(seconds // 60)} min {int(seconds % 60)} s"

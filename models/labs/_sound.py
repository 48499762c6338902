"""A sound: spoilt by noise, and cleaned by a run window by window and by a spectral gate.

The gate is what sound editors do: the short-time Fourier transform is compared with a noise print, the mean magnitude of
noise alone in each frequency, and what does not rise above it by a factor is turned down (S. F. Boll, Suppression of
Acoustic Noise in Speech Using Spectral Subtraction, 1979, with a gain that is smooth in time and frequency). Its window, factor and
softness are chosen by the error on another sound with the same noise. Half a second of noise alone is given to both: to the gate as
its print, to the run for how loud the noise is.
"""

from __future__ import annotations

import io
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from importlib.metadata import version
from itertools import product
from math import log10
from pathlib import Path

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from models import Problem, runs
from models.analysis import windows
from models.columns import standardised, unscaled
from models.datasets import tones
from models.readers import guarded
from models.readers.sound import RATE

Floats = NDArray[np.float32]
NOISES = {"hiss": "Hiss (even noise)", "hum": "Hum of the mains", "crackle": "Crackle of a record"}
LOUDER = (0.1, 10.0)  # how much a sound is turned down or up for a run, at most
PIECE = 64  # steps that a sound is read in: what is left at its end is shorter
SECONDS, OTHER, PRINT = 4.0, 31, 0.5  # of the melody; seed of the other one; seconds of noise alone that the gate gets
FRAMES, FACTORS, FLOORS = (256, 512, 1024, 2048), (0.7, 1.0, 1.5, 2.0, 3.0, 4.0), (0.0, 0.1, 0.25)


@dataclass(frozen=True)
class Version:
    """A sound after one treatment: its name, what that is, its setting in words, the amplitude (T,), and the signal-to-noise ratio
    against the clean sound in dB (None where there is none)."""

    name: str
    title: str
    setting: str
    sound: Floats
    snr: float | None


def fits(run: runs.Run) -> str:
    """ "" for runs that can clean a sound, else why not: windows of one amplitude, learnt with noise."""
    if run.kind != "signal" or run.shape[1] != 1:
        return "it did not learn from sounds of one channel"
    if [column.name for column in run.columns] != ["amplitude"]:
        return "it did not learn from sounds"
    if run.configuration.noise == "none":
        return "it was not trained to remove noise"
    return ""


def melody(seed: int, seconds: float = SECONDS) -> Floats:
    """A few seconds of notes, chords, vowels and sweeps (T,) one after the other, with short rests, at `RATE`."""
    random = np.random.default_rng(seed)
    out = np.zeros(int(seconds * RATE))
    at = int(0.1 * RATE)
    scale = 130.8 * 2 ** (np.array([0, 2, 4, 7, 9, 12, 14, 16]) / 12)  # five notes of an octave, from C
    while at < len(out):
        steps = int(random.choice([0.2, 0.4, 0.6]) * RATE)
        kind = tones.KINDS[random.choice(4, p=[0.5, 0.2, 0.2, 0.1])]
        pitch = float(random.choice(scale)) * (0.75 if kind == "vowel" else 2.0 if kind == "note" else 1.0)
        part = tones.tone(kind, pitch, steps, random)
        ramp = np.minimum(1, np.minimum(np.arange(steps), np.arange(steps)[::-1]) / (0.01 * RATE))  # or it clicks
        part = part * ramp / max(1e-9, np.abs(part).max()) * random.uniform(0.4, 0.8)
        out[at : at + steps] += part[: len(out) - at]
        at += steps + int(random.choice([0, 0.05, 0.1]) * RATE)
    return out.astype(np.float32)


def noise(kind: str, level: float, steps: int, random: Generator) -> Floats:
    """So many steps of a noise of this kind with a standard deviation of `level`."""
    if kind == "hum":
        seconds, k = np.arange(steps) / RATE, np.arange(1, 8)
        waves = np.sin(2 * np.pi * 50 * k[:, None] * seconds + random.uniform(0, 2 * np.pi, (7, 1)))
        made = (random.uniform(0.2, 1, 7) / k) @ waves + 0.1 * random.standard_normal(steps)
    elif kind == "crackle":
        made = np.where(random.random(steps) < 0.02, random.standard_normal(steps), 0.0)
        made[0] = 1.0  # never silent
    else:
        made = random.standard_normal(steps)
    return np.asarray(level * made / made.std(), np.float32)


def cleaned(run: runs.Run, sound: Floats, kind: str, level: float, seed: int) -> dict[str, Version]:
    """Versions by name. With a level above 0 of the sound (T,) as it was, "clean", and of it with that noise, "noisy", through
    the gate, "gate", and through the run, "run". With level 0 of a sound that is noisy as it is, "noisy": its quietest half second
    is what the gate takes for noise alone, and nothing can be measured."""
    if level:
        random = np.random.default_rng(seed)
        noisy = sound + noise(kind, level, len(sound), random)
        alone = noise(kind, level, int(PRINT * RATE), random)
        gate = set_gate(kind, level)
    else:
        noisy, alone = sound, quietest(sound)
        gate = set_gate("hiss", round(float(np.clip(alone.std(), 0.005, 0.2)), 3))
    title = f"windows of {run.shape[0]} steps, joined"
    made = {
        "noisy": Version("noisy", "With noise" if level else "As it came", "", noisy, None),
        "gate": Version("gate", "Spectral gate", gate.words, gate(noisy, alone), None),
        "run": Version("run", "This run", title, clean_sound(run, noisy, alone), None),
    }
    if not level:
        return made
    measured = {name: replace(one, snr=snr(one.sound, sound)) for name, one in made.items()}
    return {"clean": Version("clean", "As it was", "", sound, None), **measured}


def quietest(sound: Floats) -> Floats:
    """The half second (K,) of a sound with the least energy."""
    steps = min(len(sound), int(PRINT * RATE))
    energy = np.cumsum(np.concatenate([[0.0], np.square(sound, dtype=np.float64)]))
    start = int(np.argmin(energy[steps:] - energy[:-steps]))
    return sound[start : start + steps]


def clean_sound(run: runs.Run, sound: Floats, alone: Floats) -> Floats:
    """A sound (T,) through a run of windows, one every quarter of them: what they say differently of a step averages out.

    A run that learnt with one strength of noise gets the sound as loud as makes its noise, which is heard `alone`, that strong.
    """
    size, deviation = run.shape[0], float(alone.std())
    step = max(1, size // 4)
    louder = 1.0
    if run.configuration.noise == "gaussian" and deviation:
        louder = float(np.clip(run.configuration.noise_level * run.columns[0].deviation / deviation, *LOUDER))
    parts = standardised(run.columns, windows.cut(sound * np.float32(louder), (size,), (step,))[..., None])
    out = np.asarray(unscaled(run.columns, run.coder.decode(run.coder.encode(parts))), np.float32)
    return windows.join(out[..., 0], sound.shape, (step,)) / np.float32(louder)


def snr(sound: Floats, clean: Floats) -> float:
    """Signal-to-noise ratio in dB: 10 log10 of the clean sound's energy over that of the difference; -99 to 99."""
    energy, left = (float(np.square(one, dtype=np.float64).sum()) for one in (clean, sound - clean))
    return float(np.clip(10 * log10(max(energy, 1e-30) / max(left, 1e-30)), -99, 99))


# ── the spectral gate ──────────────────────────────────────────────────────────────────────


@dataclass(frozen=True)
class Gate:
    """Turns down what does not rise above the noise: frames of so many steps, a threshold of so many times the noise, and the
    share that is left of what lies below."""

    frame: int = 512
    factor: float = 2.0
    floor: float = 0.1

    def __call__(self, sound: Floats, alone: Floats) -> Floats:
        """A sound (T,) with what noise alone (K,) sounds like taken out."""
        return gated(spectrum(sound, self.frame), print_of(alone, self.frame), self.factor, self.floor, len(sound))

    @property
    def words(self) -> str:
        return f"frames of {1000 * self.frame / RATE:g} ms, {self.factor:g} times the noise, {self.floor:g} left below; SciPy {version('scipy')}"


def spectrum(sound: Floats, frame: int) -> NDArray[np.complex64]:
    """The short-time Fourier transform (frequencies, frames), frames overlapping by three quarters. A sound that is shorter than
    one is repeated."""
    from scipy import signal

    if len(sound) < frame:
        sound = np.resize(sound, frame)
    return np.asarray(signal.stft(sound, RATE, nperseg=frame, noverlap=3 * frame // 4)[2])


def print_of(alone: Floats, frame: int) -> NDArray[np.float64]:
    """The mean magnitude of a noise in each frequency (frequencies, 1)."""
    return np.asarray(np.abs(spectrum(alone, frame)).mean(1, keepdims=True), np.float64)


def gated(
    spectrum_: NDArray[np.complex64], noise_: NDArray[np.float64], factor: float, floor: float, steps: int
) -> Floats:
    """The sound (steps,) whose spectrum is turned down where it is no more than so many times the noise."""
    from scipy import ndimage, signal

    size = np.abs(spectrum_)
    # Wiener's gain for what lies above the threshold, smooth in time and frequency: single bins would sing.
    above = ndimage.uniform_filter(size**2, (3, 3)) / np.maximum((factor * noise_) ** 2, 1e-20)
    gain = np.maximum(1 - 1 / np.maximum(above, 1e-9), floor)
    frame = 2 * (len(spectrum_) - 1)
    back = signal.istft(spectrum_ * gain, RATE, nperseg=frame, noverlap=3 * frame // 4)[1]
    return np.asarray(np.pad(back, (0, max(0, steps - len(back))))[:steps], np.float32)


@lru_cache(maxsize=64)
def set_gate(kind: str, level: float) -> Gate:
    """The gate with the least squared error on another melody with as much of the same noise."""
    clean, random = melody(OTHER), np.random.default_rng(OTHER)
    noisy, alone = clean + noise(kind, level, len(clean), random), noise(kind, level, int(PRINT * RATE), random)
    tried: list[tuple[float, int, Gate]] = []
    for frame in FRAMES:
        spectrum_, noise_ = spectrum(noisy, frame), print_of(alone, frame)
        for factor, floor in product(FACTORS, FLOORS):
            error = float(np.square(gated(spectrum_, noise_, factor, floor, len(clean)) - clean).mean())
            tried.append((error, len(tried), Gate(frame, factor, floor)))
    return min(tried)[2]


# ── what is shown ──────────────────────────────────────────────────────────────────────────


def verdict(found: Mapping[str, Version]) -> str:
    """One sentence on a sound whose noise is known: what it left, the best plain way (doing nothing is one), and the run."""
    noisy, gate, mine = (found[name].snr or 0.0 for name in ("noisy", "gate", "run"))
    best, way = max((gate, "after the spectral gate"), (noisy, "as it is"))
    end = "the run wins" if mine > best else "the plain way wins" if mine < best else "they are equal"
    return (
        f"The signal is {noisy:.1f} dB above the noise; {mine:.1f} dB after this run, {best:.1f} dB {way}, the better of the "
        f"plain ways: {end}."
    )


def read(content: bytes) -> Floats:
    """The first minute (T,) of a WAV file that somebody brought, read as on the page Data: by a process of its own, within
    limits of memory and time. A `Problem` where it cannot be read."""
    with tempfile.TemporaryDirectory() as folder:
        given = Path(folder) / "sound.wav"
        given.write_bytes(content)
        found = guarded.guarded_read(given, Path(folder) / "read", {"window": PIECE, "step": PIECE})
        if found.kind != "signal":
            raise Problem("this is no WAV file", do="bring another file")
        return np.array(found.samples, np.float32).reshape(-1)


def wav(sound: Floats) -> bytes:
    """The sound as a WAV file of 16 bits at `RATE`; what is louder than a file can hold is cut."""
    from scipy.io import wavfile

    out = io.BytesIO()
    wavfile.write(out, RATE, np.round(np.clip(sound, -1, 1) * 32767).astype("<i2"))
    return out.getvalue()


def picture(sound: Floats, frame: int = 256) -> Floats:
    """The spectrogram of a sound as an image (frequencies, frames) in [0, 1], low tones below: 0 is -80 dB, 1 is 0 dB."""
    size = np.abs(spectrum(sound, frame))
    return np.asarray(np.clip(1 + 20 * np.log10(np.maximum(size, 1e-9)) / 80, 0, 1)[::-1], np.float32)

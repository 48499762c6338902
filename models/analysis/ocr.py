"""Reading pictures of text with Tesseract, where it is installed, and counting what was read wrongly.

Tesseract is a program of its own (https://github.com/tesseract-ocr/tesseract). It is given a PNG of ours on its standard
input and answers on its standard output: no shell, no file name, no text of a person's among its arguments.
"""

from __future__ import annotations

import io
import os
import shutil
import subprocess
import threading

import numpy as np
from numpy.typing import NDArray

from models import Problem

SCALE = 2  # times larger: Tesseract was trained on letters of about 30 pixels and more
SECONDS = 30.0  # after which a page is given up
MOST = 1 << 16  # letters of an answer that are looked at
# The program is told nothing that it does not need; one thread each, and not more of them at once than cores.
PASSED = ("PATH", "LANG", "LC_ALL", "TMPDIR", "TESSDATA_PREFIX")
TURNS = threading.BoundedSemaphore(max(1, (os.cpu_count() or 2) // 2))


def program() -> str | None:
    """Where Tesseract is on this computer; None where it is not."""
    return shutil.which("tesseract")


def version() -> str:
    """What Tesseract calls itself, as "tesseract 5.3.0"; "" where it is not there or does not say."""
    path = program()
    if path is None:
        return ""
    try:
        said = subprocess.run(  # noqa: S603 (its path, and a word of ours)
            [path, "--version"], capture_output=True, stdin=subprocess.DEVNULL, timeout=10, check=False
        )
    except (OSError, subprocess.SubprocessError):
        return ""
    words = (said.stdout or said.stderr).decode("utf-8", "replace").splitlines()
    return words[0][:60].strip() if words else ""


def read(image: NDArray[np.floating]) -> str:
    """The text on a picture (H, W) in [0, 1], dark on light, as Tesseract reads it: one block of lines, in English.

    A `Problem` where Tesseract is not there, fails, or takes longer than `SECONDS`.
    """
    from PIL import Image

    path = program()
    if path is None:
        raise Problem("Tesseract is not on this computer", do="install it: apt install tesseract-ocr")
    picture = Image.fromarray((np.clip(image, 0, 1) * 255).round().astype(np.uint8))
    large = picture.resize((picture.width * SCALE, picture.height * SCALE), Image.Resampling.BICUBIC)
    written = io.BytesIO()
    large.save(written, "PNG", compress_level=1)
    passed = {name: os.environ[name] for name in PASSED if name in os.environ} | {"OMP_THREAD_LIMIT": "1"}
    try:
        with TURNS:
            ended = subprocess.run(  # noqa: S603 (its path, and words of ours)
                [path, "stdin", "stdout", "-l", "eng", "--psm", "6", "--dpi", "150"],
                input=written.getvalue(),
                capture_output=True,
                timeout=SECONDS,
                env=passed,
                check=False,
            )
    except subprocess.TimeoutExpired as error:
        raise Problem(f"Tesseract took longer than {SECONDS:g} seconds", do="try a shorter text") from error
    except OSError as error:
        raise Problem(f"Tesseract cannot be started ({error.strerror})", do="install it again") from error
    if ended.returncode:
        said = ended.stderr.decode("utf-8", "replace").strip().splitlines()
        raise Problem(
            f"Tesseract failed ({said[-1][:120] if said else f'code {ended.returncode}'})", do="install it again"
        )
    return ended.stdout[:MOST].decode("utf-8", "replace")


def character_error(truth: str, read_: str) -> float:
    """Character error rate: the fewest letters to insert, delete or exchange so that what was read becomes the truth
    (Levenshtein 1966), as a share of the truth's letters. Any white space counts as one blank. Above 1 where more is
    made up than there was.
    """
    true, got = (" ".join(text.split()) for text in (truth, read_))
    if not true:
        return float(len(got) > 0)
    return edits(true, got) / len(true)


def edits(a: str, b: str) -> int:
    """The edit distance of two texts, row by row (Wagner and Fischer 1974); the insertions of a row at once, as a running
    minimum."""
    letters, ramp = np.array([ord(letter) for letter in b], np.int64), np.arange(len(b) + 1)
    row = ramp
    for i, letter in enumerate(a, 1):
        exchanged = row[:-1] + (letters != ord(letter))
        best = np.concatenate([[i], np.minimum(exchanged, row[1:] + 1)])
        row = np.minimum.accumulate(best - ramp) + ramp
    return int(row[-1])

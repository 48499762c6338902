"""How the text of a file is encoded."""

from __future__ import annotations

import codecs
import itertools
from pathlib import Path

from models import Problem
from models.readers import sources
from models.readers.work import Work, decoding, plain

MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),  # before UTF-16, whose mark it begins with
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
TONGUES = {
    **{"cp1252": "Western European", "latin-1": "Western European", "cp1250": "Central European", "cp1251": "Cyrillic"},
    **{"cp866": "Cyrillic (DOS)", "cp1253": "Greek", "cp1254": "Turkish", "shift_jis": "Japanese"},
    **{"gb18030": "Chinese", "big5": "Chinese (Big5)", "euc_kr": "Korean"},
}


def encoding_of(path: Path, work: Work) -> str:
    """How a file's text is encoded. `Problem` when it holds no text."""
    start = sources.start_of(path, 65536)
    marked = next((encoding for mark, encoding in MARKS if start.startswith(mark)), "")
    if not marked and start[1:2] == b"\0" and start[:2] != b"\0\0":
        marked = "utf-16-le"
    elif not marked and start[:1] == b"\0" and start[1:2] != b"\0":
        marked = "utf-16-be"
    chosen = work.choices.encoding
    if chosen and _decodes(path, chosen, work):
        encoding = chosen
    elif chosen:
        raise Problem(f"{plain(path.name)} is no text in {chosen}", do="choose another encoding")
    elif _decodes(path, marked or "utf-8", work):
        encoding = marked or "utf-8"
    elif marked:
        encoding = ""
    else:
        encoding = _guessed(path, work)
    with decoding(plain(path.name), "text"):
        text = start.decode(encoding or "latin-1", "ignore")
    controls = sum(c < " " and c not in "\t\r\n\f\x1a" for c in text)
    if not encoding or controls > max(2, len(text) // 1000):
        raise Problem(
            f"the content of {plain(path.name)} is neither text nor of any other format that can be read",
            "images, a zip of images, CSV, Parquet, NPZ, NPY, idx and safetensors can be",
            "save it in one of these formats",
        )
    if chosen or (not marked and encoding != "utf-8"):
        words = f"The text is not UTF-8 and was read as {TONGUES.get(encoding, encoding)}"
        sources.say_encoding(words, _odd_lines(path).decode(encoding, "replace"), encoding, work)
    return encoding


def _odd_lines(path: Path) -> bytes:
    """The first lines of a text with other letters than English ones."""
    with path.open("rb") as stream:
        odd = (line[:2000] for line in itertools.islice(stream, 20_000) if not line.isascii())
        return b"".join(itertools.islice(odd, 500))


def _guessed(path: Path, work: Work) -> str:
    """The likeliest encoding of text that is not UTF-8, by its lines with other letters than English ones."""
    joined = _odd_lines(path)
    read = joined.decode("utf-8", "replace")
    if 5 * read.count("\ufffd") < sum(letter > "\x7f" for letter in read):  # a byte or two went wrong
        work.warn(f"{read.count(chr(0xFFFD)):,} letters of {plain(path.name)} are no UTF-8, and are lost.")
        return "utf-8"
    guess = sources.guessed_encoding(joined, sources.LEGACY)
    return next((each for each in (guess, "cp1252") if _decodes(path, each, work)), "latin-1")


def _decodes(path: Path, encoding: str, work: Work) -> bool:
    decoder = codecs.getincrementaldecoder(encoding)()
    try:
        with path.open("rb") as stream:
            while chunk := stream.read(1 << 20):
                work.tick()
                decoder.decode(chunk)
            decoder.decode(b"", final=True)
    except UnicodeError:
        return False
    return True

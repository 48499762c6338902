"""Files in a bag: the members of a zip, the files of a folder, or a handful of files, one by one and in memory.

Nothing is ever written under a name that came from outside, and no link is followed.
"""

from __future__ import annotations

import contextlib
import os
import re
import stat
import struct
import unicodedata
import zipfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO

from models import Problem
from models.readers.work import ENCODINGS, Work, decoding, plain, reason

ZIP = b"PK\x03\x04"
END, END_64, LOCATOR_64 = b"PK\x05\x06", b"PK\x06\x06", b"PK\x06\x07"
IN_DIRECTORY = b"PK\x01\x02"
# What computers leave lying about. Not worth a word.
LITTER = re.compile(r"(^|/)(__MACOSX|\.[^./][^/]*|Thumbs\.db|desktop\.ini)(/|$)", re.IGNORECASE)


WESTERN = frozenset("äöüßéèêëàâçîïôûùñáíóúãõåøæœÄÖÜÉÈÊËÀÂÇÎÏÔÛÙÑÁÍÓÚÃÕÅØÆŒ°²³¹µ€£¥¢§«»„“”‘’–—…·×÷±½¼¾•©®´ªº¿¡\u00a0")
LEGACY = ("shift_jis", "gb18030", "big5", "euc_kr", "cp1252", "cp1250", "cp1251", "cp866", "cp1253", "cp1254")


@dataclass(frozen=True)
class Entry:
    """One file in a bag: its name with forward slashes, how many bytes it claims, and how to open it."""

    name: str
    size: int
    open: Callable[[], IO[bytes]]

    def content(self, most: int) -> bytes:
        """All its bytes. `Problem` when there are more than `most`, or other than it claims."""
        name = plain(PurePosixPath(self.name).name)
        if self.size > most:
            raise Problem(f"{name} has {self.size:,} bytes", f"at most {most:,} are allowed", "make it smaller")
        with decoding(name, "a whole file"), self.open() as stream:
            data = stream.read(most + 1)
        if len(data) != self.size:
            raise Problem(f"{name} claims {self.size:,} bytes but holds {len(data):,}", do="make the archive again")
        return data

    def start(self, count: int = 32) -> bytes:
        """Its first bytes, none where it cannot be read."""
        try:
            with decoding(self.name, "a whole file"), self.open() as stream:
                return stream.read(count)
        except Problem:
            return b""


def check_upload(path: Path, work: Work) -> int:
    """The size of a file in bytes. `Problem` when it is absent, no plain file, empty or larger than may be."""
    name = plain(path.name)
    try:
        facts = path.stat()
    except (OSError, ValueError) as error:
        raise Problem(f"{name} cannot be opened", do="choose another file") from error
    if not stat.S_ISREG(facts.st_mode):
        raise Problem(f"{name} is not a regular file", do="choose another file")
    if facts.st_size == 0:
        raise Problem(f"{name} is empty", do="choose another file, or save it again")
    if facts.st_size > work.limits.upload:
        raise Problem(
            f"{name} has {facts.st_size:,} bytes", f"at most {work.limits.upload:,} are allowed", "bring a smaller file"
        )
    return facts.st_size


def start_of(path: Path, count: int = 4096) -> bytes:
    """The first bytes of a file."""
    try:
        with path.open("rb") as stream:
            return stream.read(count)
    except (OSError, ValueError) as error:
        raise Problem(
            f"{plain(path.name)} cannot be opened ({getattr(error, 'strerror', None) or 'it has no proper name'})",
            do="choose another file, or correct its permissions",
        ) from error


def files(paths: Sequence[Path], work: Work) -> list[Entry]:
    """A handful of files as a bag. One that cannot be opened is skipped; `Problem` when there are too many."""
    _count(len(paths), work)
    out = []
    for path in paths:
        try:
            out.append(Entry(path.name, check_upload(path, work), _opener(path)))
        except Problem as problem:
            work.skip(path.name, reason(problem))
    return out


def folder(path: Path, work: Work) -> list[Entry]:
    """All files under a folder, in the order of their names. Links are left out, not followed."""
    if not path.is_dir() or path.is_symlink():
        raise Problem(f"{plain(path.name)} is not a folder", do="choose a folder")
    out: list[Entry] = []
    total = 0
    for name, item in _walk(path, "", work):
        if item.is_symlink():
            work.skip(name, "a link is not followed")
        elif not item.is_file(follow_symlinks=False):
            work.skip(name, "it is no plain file")
        else:
            size = item.stat(follow_symlinks=False).st_size
            total += size
            out.append(Entry(name, size, _opener(Path(item.path))))
            _count(len(out), work)
            _unpacked(total, path.name, work)
    return out


def _walk(path: Path, above: str, work: Work) -> Iterator[tuple[str, os.DirEntry[str]]]:
    work.tick()
    try:
        with os.scandir(path) as listing:
            items = sorted(listing, key=lambda item: item.name)
    except OSError as error:
        work.skip(above or path.name, f"the folder cannot be read ({error.strerror})")
        return
    for item in items:
        name = f"{above}/{item.name}" if above else item.name
        if LITTER.search(item.name):
            continue
        if item.is_dir(follow_symlinks=False):
            if name.count("/") + 1 >= work.limits.depth:
                work.skip(name, f"it lies deeper than {work.limits.depth} folders")
            else:
                yield from _walk(Path(item.path), name, work)
        else:
            yield name, item


def _opener(path: Path) -> Callable[[], IO[bytes]]:
    return lambda: path.open("rb")


def open_zip(path: Path, work: Work) -> tuple[zipfile.ZipFile, list[Entry]]:
    """An archive and those of its members that may be read; close the archive when done with them.

    `Problem` when it is broken, encrypted, or claims more than may be. A member with a name that leads elsewhere,
    a link, or one packed in a rare way is skipped. Members are read through `Entry`, never extracted.
    """
    check_upload(path, work)
    _check_directory(path, work)
    with decoding(plain(path.name), "a whole zip", "make the zip again"):
        archive = zipfile.ZipFile(path)
    try:
        return archive, _members(archive, path, work)
    except BaseException:
        archive.close()
        raise


def _members(archive: zipfile.ZipFile, path: Path, work: Work) -> list[Entry]:
    # Not is_dir(): it fails on an empty name.
    infos = [info for info in archive.infolist() if not info.filename.endswith("/")]
    _check_claims(infos, path, work)
    encoding = _encoding_of_names(infos, path, work)
    out, seen = [], set()
    for info in infos:
        name = _name(info, encoding)
        if LITTER.search(name):
            continue
        why = _refused(info, name, work)
        if not why and name in seen:
            why = "a file of that name came before it"
        seen.add(name)
        if why:
            work.skip(name, why)
        else:
            out.append(Entry(name, info.file_size, _member_opener(archive, info)))
    return out


def _member_opener(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> Callable[[], IO[bytes]]:
    return lambda: archive.open(info)


def _name(info: zipfile.ZipInfo, encoding: str) -> str:
    """A member's name as text. Old tools write others than code page 437 without saying so, for which zipfile takes it."""
    name = info.filename
    if not info.flag_bits & 0x800 and not name.isascii():
        name = name.encode("cp437").decode(encoding, "replace")
    return unicodedata.normalize("NFC", name.replace("\\", "/"))


def _encoding_of_names(infos: Sequence[zipfile.ZipInfo], path: Path, work: Work) -> str:
    """The encoding of the names that do not say theirs, all together: of two bytes the second may be that of a backslash,
    so that they become text before they are parted at slashes."""
    raw = [
        info.filename.encode("cp437") for info in infos if not info.flag_bits & 0x800 and not info.filename.isascii()
    ]
    if not raw:
        return "utf-8"
    joined = b"\n".join(raw)
    try:
        joined.decode("utf-8")
    except UnicodeError:
        encoding = work.choices.encoding or guessed_encoding(joined, ("cp437", *LEGACY))
        words = f"Names in {plain(path.name)} do not say their encoding and are read as {encoding}"
        say_encoding(words, joined.decode(encoding, "replace"), encoding, work)
        return encoding
    return "utf-8"


def say_encoding(words: str, text: str, encoding: str, work: Work) -> None:
    """The decision for an encoding that was guessed, with a word from the text to check it by; a warning where letters look
    wrong. words: a sentence without its end."""
    example, wrong = odd_word(text)
    check = f": “{example}”. If that looks wrong, choose another." if example else "."
    work.decide("encoding", encoding, list(dict.fromkeys([encoding, *ENCODINGS])), words + check)
    if wrong and not work.choices.encoding:
        work.warn(f"{words}, in which letters look wrong: “{wrong}”. Choose another encoding below.")


def odd_word(text: str) -> tuple[str, str]:
    """The first word with a letter that is not English, and the first that looks as if it was read in a wrong encoding:
    with a control character, or a sign between two letters as in fÃ¼r; "" where there is none."""
    words = [word for word in re.findall(r"[^\s,;|\"'/]+", text) if not word.isascii()]
    odd = next((word for word in words if any(letter > "\x7f" and letter.isalpha() for letter in word)), "")
    return plain(odd[:30]), plain(next((word for word in words if _looks_wrong(word)), "")[:30])


def _looks_wrong(word: str) -> bool:
    for i, letter in enumerate(word):
        kind = unicodedata.category(letter) if letter > "\x7f" else "L"
        between = 0 < i < len(word) - 1 and word[i - 1].isalpha() and word[i + 1].isalpha()
        if kind in ("Cc", "Co", "Cn") or letter == "\ufffd" or (between and kind[0] in "SN"):
            return True
    return False


def guessed_encoding(content: bytes, among: Sequence[str]) -> str:
    """The likeliest of these encodings for text that is not UTF-8."""
    import charset_normalizer

    if _western(content):
        return "cp1252"
    best = charset_normalizer.from_bytes(content, cp_isolation=list(among), explain=False).best()
    encoding = best.encoding if best is not None else among[0]
    if encoding == "euc_kr":  # in a few words it looks like Chinese; but today's Korean has no Chinese characters
        with contextlib.suppress(UnicodeError):
            if any("\u4e00" <= letter <= "\u9fff" for letter in content.decode("euc_kr")) and content.decode("gb18030"):
                return "gb18030"
    return encoding


def _western(content: bytes) -> bool:
    """Whether text is Western European, by its letters: all of them are usual there, and they stand alone or in twos within
    words, as the letters of other alphabets and the pairs of bytes of Asian ones do not."""
    runs = re.findall(rb"[\x80-\xff]+", content)
    try:
        text = content.decode("cp1252")
    except UnicodeError:
        return False
    usual = all(letter in WESTERN for letter in text if letter > "\x7f")
    return usual and bool(runs) and sum(map(len, runs)) < 1.6 * len(runs)


def _refused(info: zipfile.ZipInfo, name: str, work: Work) -> str:
    parts = name.split("/")
    if name.startswith("/") or ".." in parts or re.match(r"[A-Za-z]:", name):
        return "its name leads out of the archive"
    if len(parts) > work.limits.depth:
        return f"it lies deeper than {work.limits.depth} folders"
    if stat.S_ISLNK(info.external_attr >> 16):
        return "a link is not followed"
    if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        return f"it is compressed by method {info.compress_type}; only stored and deflated files can be read"
    return ""


def _check_claims(infos: list[zipfile.ZipInfo], path: Path, work: Work) -> None:
    """The sizes that the members claim, and where they lie: no more than may be, and none within another."""
    name, packed = plain(path.name), path.stat().st_size
    _count(len(infos), work)
    if any(info.flag_bits & 0x1 for info in infos):
        raise Problem(f"{name} is encrypted", do="make the zip again without a password")
    unpacked = sum(info.file_size for info in infos)
    _unpacked(unpacked, path.name, work)
    if unpacked > work.limits.ratio_from and unpacked > work.limits.ratio * packed:
        raise Problem(
            f"{name} has {packed:,} bytes and would unpack to {unpacked:,}, {unpacked // packed:,} times as many",
            f"at most {work.limits.ratio} times as many are allowed",
            "bring the files in another zip, or fewer of them",
        )
    if any(info.header_offset < 0 for info in infos):
        raise Problem(f"the beginning of {name} is missing", do="copy or make the zip again")
    end = 0
    for info in sorted(infos, key=lambda each: each.header_offset):
        if info.header_offset < end:
            raise Problem(f"files in {name} overlap, which no usual zip program does", do="make the zip again")
        end = info.header_offset + 30 + info.compress_size


def _check_directory(path: Path, work: Work) -> None:
    """The size of a zip's table of contents, before zipfile reads it: each line of it becomes a Python object."""
    name = plain(path.name)
    size = path.stat().st_size
    with path.open("rb") as stream:
        zipped = stream.read(4) in (ZIP, END)
        stream.seek(max(0, size - 65_557))  # the record at the end is 22 bytes and a comment of at most 65,535
        tail = stream.read()
        at = tail.rfind(END)
        if at < 0 and not zipped:
            raise Problem(f"{name} is not a zip", do="choose a zip, or bring this file by itself")
        if at < 0 or len(tail) - at < 22:
            raise Problem(
                f"{name} begins as a zip but has no table of contents at its end",
                do="copy or make it again; it may have been cut short",
            )
        length = struct.unpack("<I", tail[at + 12 : at + 16])[0]
        place = size - len(tail) + at
        locator = tail[max(0, at - 20) : at]
        if locator[:4] == LOCATOR_64:
            record = tail[max(0, at - 76) : max(0, at - 20)]
            if record[:4] != END_64:
                raise Problem(f"{name} has a broken table of contents", do="make the zip again")
            length, place = struct.unpack("<Q", record[40:48])[0], place - 76
        if length > work.limits.directory or length > place:
            raise Problem(
                f"the table of contents of {name} claims {length:,} bytes of the file's {size:,}",
                f"at most {work.limits.directory:,}, and no more than there are, are allowed",
                "make the zip again, with fewer files",
            )
        stream.seek(place - length)
        _count(stream.read(length).count(IN_DIRECTORY), work)


def _count(count: int, work: Work) -> None:
    if count > work.limits.entries:
        raise Problem(f"there are {count:,} files", f"at most {work.limits.entries:,} are allowed", "bring fewer files")


def _unpacked(size: int, name: str, work: Work) -> None:
    if size > work.limits.unpacked:
        raise Problem(
            f"{plain(name)} holds {size:,} bytes",
            f"at most {work.limits.unpacked:,} are allowed",
            "bring fewer or smaller files",
        )

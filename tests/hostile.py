"""Odd and hostile files, made when a test asks for them: none is committed. Each has the answer that is expected."""

from __future__ import annotations

import gzip
import io
import json
import stat
import struct
import zipfile
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from PIL import Image

ACCEPTED, WARNED, REFUSED = "accepted", "accepted with a warning", "refused"


@dataclass(frozen=True)
class Case:
    """Files by name, what to choose, and the answer: one of the three above, and what it says (a regular expression).

    WARNED means that something was skipped or warned of; says is looked for in both. kind and shape are those of
    the samples, where they are accepted.
    """

    name: str
    make: Callable[[], Mapping[str, bytes]]
    answer: str
    says: str = ""
    kind: str = ""
    shape: tuple[int, ...] = ()
    choices: Mapping[str, Any] = field(default_factory=dict)
    labels: tuple[int, ...] = ()


CASES: list[Case] = []


def case(
    answer: str,
    says: str = "",
    kind: str = "",
    shape: tuple[int, ...] = (),
    labels: tuple[int, ...] = (),
    **choices: Any,
):
    """Adds what a function makes (bytes, or files by name) to the cases."""

    def add(make: Callable[[], bytes | Mapping[str, bytes]]) -> Callable[[], bytes | Mapping[str, bytes]]:
        def files() -> Mapping[str, bytes]:
            made = make()
            return made if isinstance(made, dict) else {"file.bin": made}

        CASES.append(Case(make.__name__, files, answer, says, kind, shape, choices, labels))
        return make

    return add


# How things are made


def grey(seed: int = 0, height: int = 8, width: int = 8) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (height, width), dtype=np.uint8)


def image(picture: Image.Image | np.ndarray | None = None, form: str = "PNG", **habits: Any) -> bytes:
    picture = grey() if picture is None else picture
    picture = picture if isinstance(picture, Image.Image) else Image.fromarray(picture)
    out = io.BytesIO()
    picture.save(out, form, **habits)
    return out.getvalue()


def archive(files: Mapping[str, bytes], how: int = zipfile.ZIP_DEFLATED, mode: int = 0o644) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", how) as made:
        for name, data in files.items():
            entry = zipfile.ZipInfo(name)
            entry.filename = name  # as it is, whatever zipfile would make of it
            entry.external_attr = mode << 16
            made.writestr(entry, data, how)
    return out.getvalue()


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png_header(width: int, height: int, depth: int = 8, colour: int = 0, data: bytes = b"") -> bytes:
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0))
        + chunk(b"IDAT", data or zlib.compress(b"\0" * 100))
        + chunk(b"IEND", b"")
    )


def npy(array: np.ndarray, **habits: Any) -> bytes:
    out = io.BytesIO()
    np.save(out, array, **habits)
    return out.getvalue()


def npy_says(header: str, data: bytes = b"", version: bytes = b"\x01\x00") -> bytes:
    text = header.encode() + b"\n"
    length = struct.pack("<H", len(text)) if version == b"\x01\x00" else struct.pack("<I", len(text))
    return b"\x93NUMPY" + version + length + text + data


def idx(array: np.ndarray, kind: int = 8, shape: tuple[int, ...] | None = None) -> bytes:
    shape = array.shape if shape is None else shape
    return bytes([0, 0, kind, len(shape)]) + struct.pack(f">{len(shape)}I", *shape) + array.tobytes()


def safe(table: Any, data: bytes = b"", length: int | None = None) -> bytes:
    text = table if isinstance(table, bytes) else json.dumps(table).encode()
    return struct.pack("<Q", len(text) if length is None else length) + text + data


def tensor(shape: list[int], begin: int, end: int, dtype: str = "F32") -> dict[str, Any]:
    return {"dtype": dtype, "shape": shape, "data_offsets": [begin, end]}


def parquet(columns: Mapping[str, Any], **habits: Any) -> bytes:
    import pyarrow as pa
    import pyarrow.parquet as pq

    out = io.BytesIO()
    pq.write_table(pa.table(dict(columns)), out, **habits)
    return out.getvalue()


def pictures(count: int = 4) -> dict[str, bytes]:
    return {f"{i % 2}/{i}.png": image(grey(i)) for i in range(count)}


def pixels(rows: int = 5, label: bool = True, header: bool = False) -> str:
    lines = [",".join(map(str, ([i % 3] if label else []) + grey(i, 28, 28).ravel().tolist())) for i in range(rows)]
    first = (["label"] if label else []) + [f"pixel{i}" for i in range(784)]
    return "\n".join(([",".join(first)] if header else []) + lines)


TABLE = "a,b,colour\n1,2.5,red\n2,3.5,blue\n3,4.5,red\n"

# Zips


@case(ACCEPTED, kind="image", shape=(4, 8, 8, 1), labels=(0, 0, 1, 1))
def zip_of_folders() -> bytes:
    return archive(dict(sorted(pictures().items())))


@case(ACCEPTED, kind="image", shape=(3, 8, 8, 1))
def zip_flat() -> bytes:
    return archive({f"{i}.png": image(grey(i)) for i in range(3)})


@case(ACCEPTED, kind="image", shape=(4, 8, 8, 1), labels=(0, 1, 0, 1))
def zip_of_splits() -> bytes:
    return archive({f"d/{s}/{c}/1.png": image(grey()) for s in ("train", "test") for c in ("cat", "dog")})


@case(WARNED, "leads out of the archive", "image", (4, 8, 8, 1))
def zip_slip() -> bytes:
    return archive({"../../evil.png": image(), **pictures()})


@case(WARNED, "leads out of the archive", "image", (4, 8, 8, 1))
def zip_slip_backslashes() -> bytes:
    return archive({"..\\..\\evil.png": image(), **pictures()})


@case(WARNED, "leads out of the archive", "image", (4, 8, 8, 1))
def zip_absolute() -> bytes:
    return archive({"/etc/evil.png": image(), **pictures()})


@case(WARNED, "leads out of the archive", "image", (4, 8, 8, 1))
def zip_drive() -> bytes:
    return archive({"C:/evil.png": image(), **pictures()})


@case(REFUSED, "no image was found")
def zip_of_nothing_but_slips() -> bytes:
    return archive({"../a.png": image()})


@case(REFUSED, "no image was found")
def zip_of_a_link() -> bytes:
    return archive({"a.png": b"/etc/passwd"}, mode=stat.S_IFLNK | 0o777)


@case(REFUSED, "would unpack to 314,572,800.* times as many.*at most 200 times")
def zip_bomb() -> bytes:
    return archive({"a.png": b"\0" * (300 << 20)})


@case(REFUSED, "archive in an archive")
def zip_bomb_nested() -> bytes:
    return archive({"inner.zip": archive({"a": b"\0" * (30 << 20)})}, zipfile.ZIP_STORED)


@case(REFUSED, "overlap")
def zip_bomb_overlapping() -> bytes:
    """Two lines of the table of contents that lead to the same bytes."""
    made = archive({"a.png": image()})
    at = made.index(b"PK\x01\x02")
    end = made.index(b"PK\x05\x06")
    line = made[at:end]
    last = bytearray(made[end:])
    last[8:12] = struct.pack("<HH", 2, 2)
    last[12:16] = struct.pack("<I", 2 * len(line))
    return made[:at] + line + line.replace(b"a.png", b"b.png") + bytes(last)


@case(REFUSED, "encrypted")
def zip_encrypted() -> bytes:
    made = bytearray(archive({"a.png": image()}))
    made[6] |= 1
    made[made.index(b"PK\x01\x02") + 8] |= 1
    return bytes(made)


@case(REFUSED, "no table of contents")
def zip_truncated() -> bytes:
    return archive(pictures())[:-60]


@case(REFUSED, "beginning of .* is missing")
def zip_without_its_start() -> bytes:
    made = archive(pictures())
    return b"PK\x03\x04" + made[200:]


@case(WARNED, "CRC", "image", (3, 8, 8, 1))
def zip_bad_crc() -> bytes:
    made = bytearray(archive(pictures(), zipfile.ZIP_STORED))
    made[made.index(b"IDAT") + 8] ^= 0xFF
    return bytes(made)


@case(WARNED, "0/0.png", "image", (3, 8, 8, 1))
def zip_lying_size() -> bytes:
    """The table of contents claims more bytes of one file than there are."""
    made = bytearray(archive(pictures(), zipfile.ZIP_DEFLATED))
    at = made.index(b"PK\x01\x02")
    made[at + 24 : at + 28] = struct.pack("<I", 4_000_000)
    return bytes(made)


@case(REFUSED, r"holds 4,294,967,\d+ bytes.*at most 2,147,483,648")
def zip_claiming_gigabytes() -> bytes:
    made = bytearray(archive({"a.png": image()}))
    at = made.index(b"PK\x01\x02")
    made[at + 24 : at + 28] = struct.pack("<I", 0xFFFFFFF0)
    return bytes(made)


@case(REFUSED, "table of contents .* claims 4,294,967,040 bytes")
def zip_claiming_a_long_directory() -> bytes:
    made = bytearray(archive(pictures()))
    at = made.index(b"PK\x05\x06")
    made[at + 12 : at + 16] = struct.pack("<I", 0xFFFFFF00)
    return bytes(made)


@case(REFUSED, "there are 100,001 files.*at most 100,000")
def zip_of_too_many() -> bytes:
    made = archive({"a": b""})
    at, end = made.index(b"PK\x01\x02"), made.index(b"PK\x05\x06")
    lines = made[at:end] * 100_001
    last = bytearray(made[end:])
    last[8:12], last[12:16] = b"\xff\xff\xff\xff", struct.pack("<I", len(lines))
    return made[:at] + lines + bytes(last)


@case(WARNED, "deeper than 12 folders", "image", (4, 8, 8, 1))
def zip_deep() -> bytes:
    return archive({"d/" * 40 + "a.png": image(), **pictures()})


@case(WARNED, "compressed by method 14", "image", (4, 8, 8, 1))
def zip_lzma() -> bytes:
    made = io.BytesIO(archive(pictures()))
    with zipfile.ZipFile(made, "a", zipfile.ZIP_LZMA) as more:
        more.writestr("0/9.png", image())
    return made.getvalue()


@case(WARNED, "came before it", "image", (1, 8, 8, 1))
def zip_duplicate_names() -> bytes:
    made = archive({"a.png": image(), "b.png": image()})
    return made.replace(b"b.png", b"a.png")


@case(ACCEPTED, kind="image", shape=(2, 8, 8, 1), labels=(1, 0))
def zip_odd_names() -> bytes:
    return archive({"été ☀/1\n.png": image(), "<script>alert(1)</script>/" + "x" * 200 + ".png": image()})


@case(ACCEPTED, kind="image", shape=(2, 8, 8, 1), labels=(1, 0))
def zip_utf8_unmarked() -> bytes:
    """As macOS writes them: UTF-8, and not said so."""
    made = bytearray(archive({"été/1.png": image(), "abc/1.png": image()}))
    for at in (6, made.index(b"PK\x01\x02") + 8):
        assert made[at : at + 2] == b"\0\x08"
        made[at : at + 2] = b"\0\0"
    return bytes(made)


@case(ACCEPTED, kind="image", shape=(4, 8, 8, 1))
def zip_64() -> bytes:
    """The records of long archives, as written for more than 65,535 files."""
    usual, zipfile.ZIP_FILECOUNT_LIMIT = zipfile.ZIP_FILECOUNT_LIMIT, 1
    try:
        made = archive(pictures())
    finally:
        zipfile.ZIP_FILECOUNT_LIMIT = usual
    assert b"PK\x06\x06" in made
    return made


@case(REFUSED, "broken table of contents|cannot be read")
def zip_64_broken() -> bytes:
    return zip_64().replace(b"PK\x06\x06", b"PK\x06\x05")


@case(ACCEPTED, kind="image", shape=(4, 8, 8, 1))
def zip_with_litter() -> bytes:
    return archive({**pictures(), "__MACOSX/0/._0.png": b"x", ".DS_Store": b"x", "0/Thumbs.db": b"x"})


@case(WARNED, "holds something else", "image", (4, 8, 8, 1))
def zip_with_text() -> bytes:
    return archive({**pictures(), "README.txt": b"hello", "run.exe": b"MZ\x90"})


@case(REFUSED, "an Office document.*CSV")
def zip_of_office() -> bytes:
    return archive({"[Content_Types].xml": b"<x/>", "xl/workbook.xml": b"<x/>"})


@case(REFUSED, "torch file, which could run code")
def zip_of_torch() -> bytes:
    return archive({"archive/data.pkl": b"\x80\x02}q\x00.", "archive/version": b"3"})


@case(REFUSED, "no image was found")
def zip_empty() -> bytes:
    return archive({})


@case(ACCEPTED, kind="image", shape=(4, 8, 8, 1))
def zip_behind_something() -> dict[str, bytes]:
    """What comes before is no part of it: zip programs read the table of contents at the end."""
    return {"a.zip": b"PK\x03\x04" + b"\0" * 60 + archive(pictures())}


@case(REFUSED, "a program")
def zip_behind_a_program() -> bytes:
    """Self-extracting: told by how it begins, and never run."""
    return b"MZ\x90\0" + b"\0" * 60 + archive(pictures())


# Images


@case(REFUSED, "claims more than 178,956,970 pixels.*at most 25,000,000")
def png_bomb() -> bytes:
    return png_header(60_000, 60_000)


@case(REFUSED, "claims more than .* pixels")
def png_lying_header() -> bytes:
    return png_header(0xFFFFFFFF, 0xFFFFFFFF)


@case(REFUSED, "cannot be read")
def png_truncated() -> bytes:
    return image(grey(0, 64, 64))[:1200]


@case(ACCEPTED, kind="image", shape=(1, 64, 64, 1))
def png_bomb_within_bounds() -> bytes:
    return image(Image.new("L", (4900, 4900)), optimize=False)


@case(REFUSED, "claims more than 178,956,970 pixels")
def jpeg_bomb() -> bytes:
    made = bytearray(image(Image.new("L", (16, 16)), "JPEG"))
    at = made.index(b"\xff\xc0")
    made[at + 5 : at + 9] = struct.pack(">HH", 65500, 65500)
    return bytes(made)


@case(WARNED, "cannot be read", "image", (2, 8, 8, 1))
def png_with_a_text_bomb() -> dict[str, bytes]:
    bomb = b"a\0\0" + zlib.compress(b"\0" * (100 << 20), 9)
    made = image()
    at = made.index(b"IDAT") - 4
    return {"a.png": made[:at] + chunk(b"zTXt", bomb) + made[at:], "b.png": image(), "c.png": image()}


@case(ACCEPTED, kind="image", shape=(1, 3, 5, 3))
def image_turned_by_exif() -> bytes:
    exif = Image.Exif()
    exif[0x0112] = 6
    exif[0x010E] = "a secret place"
    return image(Image.new("RGB", (3, 5), "red"), "JPEG", exif=exif)


@case(ACCEPTED, kind="image", shape=(1, 8, 8, 1))
def image_16_bits() -> bytes:
    return image(Image.fromarray(np.full((8, 8), 65535, np.uint16)))


@case(WARNED, "so they are dark", "image", (1, 8, 8, 1))
def image_12_of_16_bits() -> bytes:
    return image(Image.fromarray(np.full((8, 8), 4095, np.uint16)))


@case(ACCEPTED, kind="image", shape=(1, 8, 8, 3))
def image_cmyk() -> bytes:
    return image(Image.new("CMYK", (8, 8), (255, 0, 0, 0)), "JPEG")


@case(ACCEPTED, kind="image", shape=(1, 8, 8, 3))
def image_palette() -> bytes:
    return image(Image.new("RGB", (8, 8), "red").quantize(4))


@case(WARNED, "transparent", "image", (1, 8, 8, 1))
def image_transparent() -> bytes:
    return image(Image.new("RGBA", (8, 8), (0, 0, 0, 0)))


@case(WARNED, "transparent", "image", (1, 8, 8, 1))
def image_grey_transparent() -> bytes:
    return image(Image.new("LA", (8, 8), (0, 0)))


@case(ACCEPTED, kind="image", shape=(1, 8, 8, 1))
def image_1_bit() -> bytes:
    return image(Image.new("1", (8, 8), 1))


@case(WARNED, "first of each", "image", (1, 8, 8, 3))
def image_animated() -> bytes:
    frames = [Image.new("RGB", (8, 8), colour) for colour in ("red", "blue")]
    return image(frames[0], "GIF", save_all=True, append_images=frames[1:])


@case(ACCEPTED, kind="image", shape=(1, 8, 8, 1))
def image_float_tiff() -> bytes:
    return image(Image.fromarray(np.linspace(0, 1, 64, dtype=np.float32).reshape(8, 8)), "TIFF")


@case(ACCEPTED, kind="image", shape=(1, 8, 8, 1))
def image_float_tiff_with_nan() -> bytes:
    return image(Image.fromarray(np.full((8, 8), np.nan, np.float32)), "TIFF")


@case(ACCEPTED, kind="image", shape=(1, 2, 2, 1))
def image_pnm_text() -> bytes:
    return b"P2\n2 2\n255\n0 64 128 255\n"


@case(REFUSED, "pixels|cannot be read")
def image_pnm_lying() -> bytes:
    return b"P5\n99999 99999\n255\n\0\0"


@case(ACCEPTED, kind="image", shape=(1, 8, 8, 3))
def image_webp() -> bytes:
    return image(Image.new("RGB", (8, 8), "red"), "WEBP", lossless=True)


@case(ACCEPTED, kind="image", shape=(1, 8, 8, 3))
def image_bmp() -> bytes:
    return image(Image.new("RGB", (8, 8), "red"), "BMP")


@case(ACCEPTED, kind="image", shape=(3, 8, 8, 3))
def images_mixed_modes() -> dict[str, bytes]:
    return {"a.png": image(), "b.png": image(Image.new("RGB", (8, 8), "red")), "c.png": image(Image.new("1", (8, 8)))}


@case(ACCEPTED, kind="image", shape=(3, 16, 16, 1), size=16, fit="pad")
def images_mixed_sizes_padded() -> dict[str, bytes]:
    return {f"{i}.png": image(grey(i, 5 * i + 3, 9)) for i in range(3)}


@case(ACCEPTED, kind="image", shape=(1, 1, 1, 1))
def image_of_one_pixel() -> bytes:
    return image(grey(0, 1, 1))


@case(ACCEPTED, kind="image", shape=(1, 1, 64, 1))
def image_very_wide() -> bytes:
    return image(grey(0, 1, 20_000))


@case(ACCEPTED, kind="image", shape=(1, 8, 8, 1))
def wrong_ending() -> dict[str, bytes]:
    return {"table.csv": image()}


@case(ACCEPTED, kind="image", shape=(1, 8, 8, 1))
def polyglot_png_and_zip() -> bytes:
    return image() + archive({"../evil.png": image()})


@case(ACCEPTED, kind="image", shape=(1, 8, 8, 3))
def polyglot_gif_and_script() -> bytes:
    made = image(Image.new("RGB", (8, 8), "red"), "GIF")
    return made + b"/*<script>alert(1)</script>*/"


@case(REFUSED, "SVG")
def svg() -> bytes:
    return b"<svg xmlns='http://www.w3.org/2000/svg'><image href='file:///etc/passwd'/></svg>"


@case(REFUSED, "HTML, XML")
def xml_bomb() -> bytes:
    return b'<?xml version="1.0"?><!DOCTYPE l [<!ENTITY a "aaa"><!ENTITY b "&a;&a;">]><l>&b;</l>'


@case(REFUSED, "HEIC")
def heic() -> bytes:
    return b"\0\0\0\x18ftypheic" + bytes(100)


@case(REFUSED, "PDF")
def eps_and_pdf() -> bytes:
    return b"%PDF-1.7\n%!PS-Adobe\n(exec) run"


# Array files


@case(ACCEPTED, kind="image", shape=(5, 8, 9, 1))
def npy_images() -> bytes:
    return npy(np.random.default_rng(0).integers(0, 256, (5, 8, 9), dtype=np.uint8))


@case(ACCEPTED, kind="image", shape=(5, 8, 9, 3))
def npy_channels_first() -> bytes:
    return npy(np.random.default_rng(0).random((5, 3, 8, 9)))


@case(ACCEPTED, kind="image", shape=(5, 8, 9, 1))
def npy_fortran() -> bytes:
    return npy(np.asfortranarray(np.random.default_rng(0).integers(0, 256, (5, 8, 9), dtype=np.uint8)))


@case(ACCEPTED, kind="signal", shape=(5, 100, 3))
def npy_signal() -> bytes:
    return npy(np.random.default_rng(0).standard_normal((5, 100, 3)))


@case(ACCEPTED, kind="table", shape=(5, 7))
def npy_big_endian() -> bytes:
    return npy(np.ones((5, 7), ">f8"))


@case(REFUSED, "Python objects, which could run code")
def npy_objects() -> bytes:
    return npy(np.array([{"a": 1}], object), allow_pickle=True)


@case(REFUSED, "type")
def npy_records() -> bytes:
    return npy(np.zeros(3, [("a", "f4"), ("b", "i4")]))


@case(REFUSED, "claims the shape 1000000 x 1000000.*holds 8")
def npy_lying() -> bytes:
    return npy_says("{'descr': '<f8', 'fortran_order': False, 'shape': (1000000, 1000000)}", b"\0" * 8)


@case(REFUSED, "file.bin")
def npy_negative() -> bytes:
    return npy_says("{'descr': '<f8', 'fortran_order': False, 'shape': (-1, -8)}", b"\0" * 64)


@case(REFUSED, "cannot be read")
def npy_code_in_header() -> bytes:
    return npy_says("__import__('os').system('echo pwned')", b"\0" * 64)


@case(REFUSED, "cannot be read")
def npy_deep_header() -> bytes:
    return npy_says("(" * 9000 + ")" * 900, b"\0" * 64)


@case(REFUSED, "cannot be read")
def npy_huge_header() -> bytes:
    return npy_says("{" + " " * 200_000 + "}", version=b"\x02\x00")


@case(REFUSED, "claims the shape")
def npy_truncated() -> bytes:
    return npy(np.zeros((10, 8, 8), np.uint8))[:-5]


@case(REFUSED, "no whole sample is left|shape")
def npy_of_none() -> bytes:
    return npy(np.zeros((0, 8, 8), np.uint8))


@case(REFUSED, "no array of samples")
def npy_of_text() -> bytes:
    return npy(np.array([["a", "b"], ["c", "d"]]))


@case(REFUSED, "shape")
def npy_of_five_axes() -> bytes:
    return npy(np.zeros((2, 2, 2, 2, 2), np.uint8))


@case(ACCEPTED, kind="table", shape=(4, 3))
def npy_with_nan() -> bytes:
    return npy(np.array([[1, 2, np.nan], [np.inf, 1, 2], [3, 3, 3], [1, 2, 1e300]]))


@case(WARNED, "no finite numbers", "image", (3, 8, 8, 1))
def npy_images_with_nan() -> bytes:
    values = np.random.default_rng(0).random((3, 8, 8))
    values[0, 0, 0] = np.nan
    return npy(values)


def npz(**named: np.ndarray) -> bytes:
    out = io.BytesIO()
    np.savez_compressed(out, **named)
    return out.getvalue()


@case(ACCEPTED, kind="image", shape=(6, 8, 8, 1), labels=(0, 1, 2, 0, 1, 2))
def npz_of_splits() -> bytes:
    x, y = np.zeros((3, 8, 8), np.uint8), np.arange(3)
    return npz(x_train=x, y_train=y, x_test=x, y_test=y)


@case(WARNED, "Python objects", "image", (3, 8, 8, 1))
def npz_with_an_object() -> bytes:
    return npz(x=np.zeros((3, 8, 8), np.uint8), z=np.array([{}], object))


@case(REFUSED, "Python objects")
def npz_of_objects() -> bytes:
    return npz(x=np.array([np.zeros(3), np.zeros(4)], object))


@case(REFUSED, "3 samples but .* 4 labels")
def npz_uneven() -> bytes:
    return npz(x=np.zeros((3, 8, 8), np.uint8), y=np.arange(4))


@case(REFUSED, "claims the shape")
def npz_lying() -> bytes:
    return archive({"x.npy": npy_says("{'descr': '<f8', 'fortran_order': False, 'shape': (99999, 99999)}", b"\0" * 8)})


@case(REFUSED, "times as many")
def npz_bomb() -> bytes:
    return npz(x=np.zeros((200 << 20,), np.uint8).reshape(-1, 1024, 1024))


@case(REFUSED, "samples of different shapes")
def npz_of_two_shapes() -> bytes:
    return npz(x_train=np.zeros((3, 8, 8), np.uint8), x_test=np.zeros((3, 9, 9), np.uint8))


@case(ACCEPTED, kind="image", shape=(3, 8, 8, 1), labels=(0, 1, 0))
def safetensors_images() -> bytes:
    table = {"images": tensor([3, 8, 8], 0, 192, "U8"), "labels": tensor([3], 192, 204, "I32")}
    return safe(table, bytes(192) + np.array([5, 7, 5], "<i4").tobytes())


@case(ACCEPTED, kind="table", shape=(2, 4))
def safetensors_halves() -> bytes:
    return safe({"x": tensor([2, 4], 0, 16, "BF16")}, np.full(8, 0x3F80, "<u2").tobytes())


@case(REFUSED, "header of .* claims 1,099,511,627,775 bytes")
def safetensors_long_header() -> bytes:
    return safe({"x": tensor([1], 0, 4)}, b"\0" * 4, length=(1 << 40) - 1)


@case(REFUSED, "lies at bytes 0 to 400,000,000 of 4")
def safetensors_lying() -> bytes:
    return safe({"x": tensor([100, 1_000_000], 0, 400_000_000)}, b"\0" * 4)


@case(REFUSED, "overlap")
def safetensors_overlapping() -> bytes:
    return safe({"x": tensor([2, 2], 0, 16), "y": tensor([2, 2], 0, 16)}, b"\0" * 16)


@case(REFUSED, "in an unknown way")
def safetensors_negative() -> bytes:
    return safe({"x": tensor([-2, 2], 0, 16)}, b"\0" * 16)


@case(REFUSED, "in an unknown way")
def safetensors_odd_type() -> bytes:
    return safe({"x": tensor([2, 2], 0, 16, "O64")}, b"\0" * 16)


@case(REFUSED, "header")
def safetensors_deep() -> bytes:
    return safe(b'{"x":' + b"[" * 100_000 + b"}")


@case(REFUSED, "bytes")
def safetensors_overflowing() -> bytes:
    return safe({"x": tensor([1 << 61, 1 << 61, 4], 0, 16)}, b"\0" * 16)


# idx


@case(ACCEPTED, kind="image", shape=(3, 8, 8, 1), labels=(0, 1, 2))
def idx_pair() -> dict[str, bytes]:
    return {"a": idx(np.zeros((3, 8, 8), np.uint8)), "b": gzip.compress(idx(np.arange(3, dtype=np.uint8)))}


@case(REFUSED, "3 samples but .* 4 labels")
def idx_uneven() -> dict[str, bytes]:
    return {"a": idx(np.zeros((3, 8, 8), np.uint8)), "b": idx(np.arange(4, dtype=np.uint8))}


@case(REFUSED, "claims the shape")
def idx_truncated() -> bytes:
    return idx(np.zeros((3, 8, 8), np.uint8))[:-7]


@case(REFUSED, "claims 576 bytes of values but holds 192")
def idx_truncated_in_gzip() -> bytes:
    return gzip.compress(idx(np.zeros((3, 8, 8), np.uint8), shape=(9, 8, 8)))


@case(REFUSED, "cannot be read|claims|gzip")
def idx_gzip_cut() -> bytes:
    return gzip.compress(idx(np.random.default_rng(0).integers(0, 256, (30, 28, 28), dtype=np.uint8)))[:-900]


@case(REFUSED, "claims the shape 4294967295")
def idx_lying() -> bytes:
    return idx(np.zeros(8, np.uint8), shape=(0xFFFFFFFF, 0xFFFFFFFF, 0xFFFFFFFF))


@case(REFUSED, "claims|more than fit into")
def idx_lying_in_gzip() -> bytes:
    return gzip.compress(idx(np.zeros(8, np.uint8), shape=(60000, 2800, 2800)))


@case(REFUSED, "holds more")
def idx_gzip_bomb() -> bytes:
    """It would take 400 MiB if it were unpacked before it is counted."""
    packer = zlib.compressobj(1, wbits=31)
    start = packer.compress(idx(np.zeros(0, np.uint8), shape=(3, 8, 8)))
    return start + b"".join(packer.compress(bytes(1 << 20)) for _ in range(400)) + packer.flush()


@case(REFUSED, "no array of samples")
def idx_labels_only() -> bytes:
    return idx(np.arange(9, dtype=np.uint8))


@case(REFUSED, "neither text nor")
def idx_odd_type() -> bytes:
    return idx(np.zeros((3, 8, 8), np.uint8), kind=0x42)


@case(ACCEPTED, kind="image", shape=(3, 8, 8, 1))
def idx_of_shorts() -> bytes:
    return idx(np.arange(192, dtype=">i2").reshape(3, 8, 8), kind=0x0B)


@case(REFUSED, "gzip file of something else")
def gzip_of_text() -> bytes:
    return gzip.compress(b"a,b\n1,2\n")


# Tables


@case(ACCEPTED, kind="table", shape=(3, 4))
def csv_plain() -> bytes:
    return TABLE.encode()


@case(ACCEPTED, kind="table", shape=(3, 4))
def csv_after_blank_lines() -> bytes:
    return b"\n\n" + TABLE.encode()


@case(WARNED, "first 2 lines.* no part of the table", "table", (3, 4))
def csv_under_a_title() -> bytes:
    return b"My measurements\nof 2020\n" + TABLE.encode()


@case(WARNED, "In line 1 a quote is opened and not closed", "table", (100_000, 2))
def csv_quote_in_the_header_that_never_ends() -> bytes:
    return b'a,"b\n' + b"3,4\n" * 100_000


@case(ACCEPTED, kind="table", shape=(3, 4))
def csv_bom() -> bytes:
    return b"\xef\xbb\xbf" + TABLE.encode()


@case(ACCEPTED, kind="table", shape=(3, 4))
def csv_utf16() -> bytes:
    return TABLE.encode("utf-16")


@case(ACCEPTED, kind="table", shape=(3, 4))
def csv_utf16_unmarked() -> bytes:
    return TABLE.encode("utf-16-le")


@case(ACCEPTED, kind="table", shape=(3, 4))
def csv_latin() -> bytes:
    return TABLE.replace("red", "brûlé").encode("latin-1")


@case(ACCEPTED, kind="table", shape=(3, 4))
def csv_semicolons_and_decimal_commas() -> bytes:
    return TABLE.replace(",", ";").replace(".", ",").encode()


@case(ACCEPTED, kind="table", shape=(3, 4))
def csv_tabs() -> bytes:
    return TABLE.replace(",", "\t").encode()


@case(ACCEPTED, kind="table", shape=(3, 4))
def csv_old_mac_line_ends() -> bytes:
    return TABLE.replace("\n", "\r\n").encode()


@case(ACCEPTED, kind="table", shape=(2, 3))
def csv_blanks() -> bytes:
    return b"  1.0e+00   2.0  3\n  4.0e+00  -5.0  6\n"


@case(WARNED, "another number of cells", "table", (3, 4))
def csv_ragged() -> bytes:
    return (TABLE + "4,5\n").encode()


@case(REFUSED, "same number of cells")
def csv_mostly_ragged() -> bytes:
    rows = ["1,2"] * 60 + ["1,2,3", "1,2,3,4"] * 100
    return "\n".join(["a,b", *rows]).encode()


@case(WARNED, "61 of 261 rows have another number of cells than most", "table", (200, 3))
def csv_partly_ragged() -> bytes:
    rows = ["1,2"] * 60 + ["1,2,3"] * 200
    return "\n".join(["a,b", *rows]).encode()


@case(WARNED, "1 of 40 cells of “a” were no numbers: `oops`", "table", (40, 2))
def csv_text_in_numbers() -> bytes:
    return ("a,b\n" + "1,2\n" * 39 + "oops,3\n").encode()


@case(ACCEPTED, kind="table", shape=(400, 3))
def csv_numbers_that_turn_to_text() -> bytes:
    return ("a,b\n" + "1,2\n" * 100 + "x,3\n" * 300).encode()


@case(WARNED, "infinite or too large", "table", (4, 2))
def csv_nan_and_inf() -> bytes:
    return b"a,b\n1,nan\ninf,2\n-1e400,3\n2,NaN\n"


@case(ACCEPTED, kind="table", shape=(3, 5))
def csv_html_and_formulas() -> bytes:
    return b'a,b,c\n1,2,"<img src=x onerror=alert(1)>"\n2,3,=HYPERLINK("x")\n3,4,@SUM(1)\n'


@case(REFUSED, "40,000 columns.*at most 32,768")
def csv_many_columns() -> bytes:
    return ("\n".join([",".join(["1"] * 40_000)] * 3)).encode()


@case(REFUSED, "line of more than 2,097,152 characters")
def csv_one_line() -> bytes:
    return b"1," * (20 << 20)


@case(WARNED, "In line 2 a quote is opened and not closed", "table", (100_001, 2))
def csv_quote_that_never_ends() -> bytes:
    return b'a,b\n1,"2\n' + b"3,4\n" * 100_000


@case(REFUSED, "no row|no column|empty")
def csv_header_only() -> bytes:
    return b"a,b,c\n"


@case(REFUSED, "is empty")
def empty() -> bytes:
    return b""


@case(REFUSED, "blanks")
def blanks() -> bytes:
    return b"\n\n   \n"


@case(REFUSED, "neither text nor")
def noise() -> bytes:
    return b"\x01\xfe" + np.random.default_rng(0).bytes(5000)


@case(REFUSED, "no column to learn from")
def prose() -> bytes:
    return "\n".join(f"This is sentence {i} of something that is no table at all" for i in range(300)).encode()


@case(REFUSED, "JSON")
def json_file() -> bytes:
    return b'  {"a": [1, 2]}'


@case(REFUSED, "pickle, which could run code")
def pickle() -> bytes:
    return b"\x80\x04\x95cos\nsystem\n(S'echo pwned'\ntR."


@case(ACCEPTED, kind="image", shape=(5, 28, 28, 1), labels=(0, 1, 2, 0, 1))
def csv_pixels() -> bytes:
    return pixels().encode()


@case(ACCEPTED, kind="image", shape=(5, 28, 28, 1), labels=(0, 1, 2, 0, 1))
def csv_pixels_with_header() -> bytes:
    return pixels(header=True).encode()


@case(ACCEPTED, kind="image", shape=(5, 28, 28, 1), labels=(-1,) * 5)
def csv_pixels_without_label() -> bytes:
    return pixels(label=False).encode()


@case(ACCEPTED, kind="image", shape=(5, 14, 56, 1), shape_=(14, 56))
def csv_pixels_of_another_shape() -> bytes:
    return pixels(label=False).encode()


@case(ACCEPTED, kind="table", shape=(5, 784), labels=(0, 1, 2, 0, 1), kind_="table")
def csv_pixels_as_table() -> bytes:
    return pixels().encode()


@case(WARNED, "tells the time", "signal", (12, 8, 2), kind_="signal", window=8)
def csv_signal() -> bytes:
    return ("time,a,b\n" + "\n".join(f"{i},{i % 7},{i % 3}" for i in range(100))).encode()


@case(REFUSED, "window must be 1 to 3 rows; 1,000 was given", kind_="signal", window=1000)
def csv_signal_too_short() -> bytes:
    return TABLE.encode()


@case(REFUSED, "separator", separator="x")
def csv_impossible_choice() -> bytes:
    return TABLE.encode()


@case(REFUSED, "no column “nope”", label="nope")
def csv_unknown_label() -> bytes:
    return TABLE.encode()


@case(ACCEPTED, kind="table", shape=(3, 4))
def parquet_plain() -> bytes:
    return parquet({"a": [1, 2, 3], "b": [2.5, 3.5, 4.5], "colour": ["red", "blue", "red"]})


@case(REFUSED, "cannot be read")
def parquet_truncated() -> bytes:
    made = parquet({"a": list(range(1000))})
    return made[: len(made) // 2]


@case(REFUSED, "cannot be read")
def parquet_lying_footer() -> bytes:
    made = parquet({"a": list(range(1000))})
    return made[:-8] + struct.pack("<I", 0x7FFFFFFF) + b"PAR1"


@case(REFUSED, "cannot be read")
def parquet_damaged_pages() -> bytes:
    made = bytearray(parquet({"a": np.random.default_rng(0).random(5000)}))
    made[4:400] = b"\xff" * 396
    return bytes(made)


@case(WARNED, "neither numbers nor text", "table", (3, 2))
def parquet_nested() -> bytes:
    return parquet({"a": [1, 2, 3], "b": [[1], [2], [3]], "c": [b"x", b"y", b"z"]})


@case(ACCEPTED, kind="table", shape=(100_000, 2))
def parquet_well_packed() -> bytes:
    return parquet({"a": np.zeros(100_000), "b": np.arange(100_000) % 3}, compression="zstd")


@case(REFUSED, "rows")
def parquet_of_millions() -> bytes:
    return parquet({"a": np.zeros(3_000_000)})


@case(REFUSED, "do not belong together")
def several_tables() -> dict[str, bytes]:
    return {"a.csv": TABLE.encode(), "b.csv": TABLE.encode()}


# Sounds


def wav(samples: np.ndarray, rate: int = 8000, says: Mapping[str, int] = {}) -> bytes:
    """A WAV file of samples (T,) or (T, channels); of 24 bits where they are int32 and `bits` says so. says: what its header
    claims otherwise: channels, rate, bits, bytes."""
    channels = 1 if samples.ndim == 1 else samples.shape[1]
    bits = says.get("bits", 8 * samples.itemsize)
    data = samples.tobytes()
    if bits == 24:
        data = samples.astype("<i4").reshape(-1, 1).view(np.uint8)[:, :3].tobytes()
    kind = 3 if samples.dtype.kind == "f" else 1
    channels, rate = says.get("channels", channels), says.get("rate", rate)
    block = channels * bits // 8
    head = struct.pack("<HHIIHH", kind, channels, rate & 0xFFFFFFFF, (rate * block) & 0xFFFFFFFF, block, bits)
    body = (
        b"fmt " + struct.pack("<I", len(head)) + head + b"data" + struct.pack("<I", says.get("bytes", len(data))) + data
    )
    return b"RIFF" + struct.pack("<I", 4 + len(body)) + b"WAVE" + body


def hum(seconds: float = 1.0, rate: int = 8000) -> np.ndarray:
    return (10_000 * np.sin(2 * np.pi * 440 * np.arange(int(seconds * rate)) / rate)).astype("<i2")


@case(WARNED, "Windows overlap", "signal", (479, 128, 1))
def a_sound() -> bytes:
    return wav(hum(4))


@case(WARNED, "its first minute", "signal", (7479, 128, 1))
def a_sound_of_more_than_a_minute() -> bytes:
    return wav(hum(61))


@case(REFUSED, r"longest sound 100")
def a_sound_shorter_than_a_window() -> bytes:
    return wav(hum()[:100])


@case(REFUSED, "WAV file|no sound")
def a_sound_without_samples() -> bytes:
    return wav(hum()[:0])


@case(REFUSED, "WAV file|no sound")
def a_sound_of_no_channels() -> bytes:
    return wav(hum(), says={"channels": 0})


@case(REFUSED, "steps a second|WAV file")
def a_sound_with_a_rate_of_nothing() -> bytes:
    return wav(hum(), says={"rate": 0})


@case(REFUSED, "steps a second|WAV file")
def a_sound_with_a_rate_of_gigahertz() -> bytes:
    return wav(hum(), says={"rate": 4_000_000_000})


@case(WARNED, "Windows overlap", "signal", (479, 128, 1))
def a_sound_that_claims_four_gigabytes() -> bytes:
    """What was recorded until the power went does so: what is there is read."""
    return wav(hum(4), says={"bytes": 0xFFFFFFF0})


@case(REFUSED, "WAV file")
def a_sound_of_seven_bits() -> bytes:
    return wav(hum(), says={"bits": 7})


@case(REFUSED, "WAV file")
def a_sound_cut_in_its_header() -> bytes:
    return wav(hum())[:30]


@case(REFUSED, "no finite numbers")
def a_sound_of_nan() -> bytes:
    return wav(np.full(8000, np.nan, "<f4"))


@case(REFUSED, "a film, or a sound of another kind")
def a_film() -> bytes:
    return b"RIFF" + struct.pack("<I", 100) + b"AVI LIST" + b"\0" * 100

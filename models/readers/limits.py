"""Every limit of what a person may bring, in one place. A refusal names the number that was passed."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Limits:
    """What is read at most. Bytes are bytes, times are seconds; each is checked before memory is taken for it.

    upload: one file, as it lies on disk. unpacked: all that an archive or a gzip file holds, as it claims and as
    it really comes out. member: one file in an archive, unless it is an array. ratio: unpacked over packed size,
    looked at from `ratio_from` unpacked bytes on, since a small blank picture may well shrink a thousandfold.
    directory: the table of contents of a zip. entries: files in an archive or a folder. depth: folders within
    folders. Archives in archives are never opened.
    pixels: width times height of one image, as its header claims, before it is decoded. side: the most pixels of
    a sample's height or width. samples: how many there may be. output: bytes of the finished samples.
    columns, rows, line (characters), cell (characters), categories (values of one column), classes: of a table.
    header: bytes of an array file's header. arrays: how many a file may name.
    seconds: for the whole reading. memory: private resident bytes of the reading process;
    address_space: what the system lets it map at all, a backstop (much more, since files are mapped too). poll: how often the
    guard looks at it. told: skipped files that are listed one by one.
    about, history, table: bytes of run.json, history.jsonl and columns.json, which are read into memory, in a run.
    """

    upload: int = 1 << 30
    unpacked: int = 2 << 30
    member: int = 64 << 20
    ratio: int = 200
    ratio_from: int = 16 << 20
    directory: int = 32 << 20
    entries: int = 100_000
    depth: int = 12
    pixels: int = 25_000_000
    side: int = 256
    samples: int = 1_000_000
    output: int = 1 << 30
    columns: int = 32_768
    rows: int = 1_000_000
    line: int = 2 << 20
    cell: int = 100_000
    categories: int = 100
    classes: int = 1000
    header: int = 1 << 20
    arrays: int = 1000
    seconds: float = 120.0
    memory: int = 600 << 20
    address_space: int = 6 << 30
    poll: float = 0.02
    told: int = 100
    about: int = 1 << 20
    history: int = 4 << 20
    table: int = 16 << 20


LIMITS = Limits()
# What lies on a disk already: streamed there, or in a folder of the server's own. Memory is not what it takes more of.
LARGE = Limits(
    unpacked=8 << 30,
    directory=64 << 20,
    entries=1_000_000,
    output=4 << 30,
    address_space=16 << 30,
    seconds=3600.0,
)
# A run as a zip: ten times the largest that ships, and a few files more than a run has.
RUN = Limits(upload=256 << 20, unpacked=512 << 20, directory=1 << 20, entries=1000)

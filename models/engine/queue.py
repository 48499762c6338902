"""The queue: which runs were asked for, by whom, and how they stand. One SQLite file, <home>/queue.db, on a local disk.

Only the web process and the engine open it. It holds what is not in a run's folder: the order of asking, the state,
the owners with their own names and stars, and a sign of life of the engine. Nothing that was trained is lost with it:
the owners of a finished run stand in its folder, too, and a file that is damaged is replaced by what can be read of it.
"""

import contextlib
import heapq
import json
import logging
import secrets
import shutil
import sqlite3
import tempfile
import threading
import time
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from models import Problem, home, private, unwritable
from models.runs import Configuration, read_configuration

log = logging.getLogger("hourglass.engine")
STATES = ("queued", "running", "done", "failed", "cancelled")

_TABLES = """
CREATE TABLE IF NOT EXISTS runs (
    place INTEGER PRIMARY KEY AUTOINCREMENT,  -- order of submission; unlike a clock it cannot jump
    id TEXT NOT NULL UNIQUE,
    configuration TEXT NOT NULL,
    state TEXT NOT NULL,
    device TEXT NOT NULL DEFAULT 'cpu',
    attempt INTEGER NOT NULL DEFAULT 0,       -- fencing token: a superseded attempt finds a newer number
    tries INTEGER NOT NULL DEFAULT 0,         -- attempts lost in a row without a new epoch
    wish TEXT,                                -- stop request for the training: keep, cool or drop
    asked REAL NOT NULL, started REAL, ended REAL,
    became TEXT,                              -- the run that a training stopped early is kept as
    problem TEXT
);
CREATE TABLE IF NOT EXISTS owners (
    owner TEXT NOT NULL, id TEXT NOT NULL,
    waits INTEGER NOT NULL DEFAULT 1,         -- still wants it trained
    name TEXT, starred INTEGER NOT NULL DEFAULT 0, asked REAL NOT NULL,
    PRIMARY KEY (owner, id)
);
CREATE INDEX IF NOT EXISTS owners_of ON owners (id);
CREATE TABLE IF NOT EXISTS served (owner TEXT PRIMARY KEY, turn INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS questions (        -- what labs are asked; a row goes once it is answered
    place INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE, question TEXT NOT NULL, state TEXT NOT NULL,
    tries INTEGER NOT NULL DEFAULT 0, problem TEXT
);
CREATE TABLE IF NOT EXISTS askers (owner TEXT NOT NULL, id TEXT NOT NULL, PRIMARY KEY (owner, id));
CREATE TABLE IF NOT EXISTS engine (
    one INTEGER PRIMARY KEY CHECK (one = 1), beat REAL NOT NULL, pid INTEGER NOT NULL,
    slots INTEGER NOT NULL DEFAULT 0, gpus INTEGER NOT NULL DEFAULT 0, problem TEXT
);
"""


def path() -> Path:
    """The path of the queue's file."""
    return home() / "queue.db"


@contextlib.contextmanager
def opened(*, write: bool = False) -> Iterator[sqlite3.Connection]:
    """A connection; with `write` a transaction that no other writer can come between. A `Problem` when that fails.

    The file is created if missing. Never raises `sqlite3.OperationalError`: a queue that stays locked for twenty
    seconds, or cannot be written, is a `Problem`.
    """
    place = path()
    # SQLite lets concurrent writers retry at random; those of one process wait for this lock in order instead.
    with _WRITING if write or not place.exists() else contextlib.nullcontext():
        yield from _opened(place, write)


_WRITING = threading.RLock()


def _opened(place: Path, write: bool) -> Iterator[sqlite3.Connection]:
    connection = None
    try:
        connection = _connected(place)
        if write:
            connection.execute("BEGIN IMMEDIATE")
        yield connection
        if write:
            connection.execute("COMMIT")
    except sqlite3.OperationalError as error:
        if "locked" in str(error) or "busy" in str(error):
            raise Problem(f"{place} is locked by another program", do="close that program and try again") from error
        raise unwritable(place.parent, error) from error
    except sqlite3.DatabaseError as error:
        if not _damaged(error):
            raise Problem(
                f"{place} cannot be used by this version ({error})",
                do="start the version of Hourglass that was used here last, or a newer one",
            ) from error
        _rescue(place)
        raise Problem(
            f"{place} was damaged ({error})",
            f"everything readable was restored, and the damaged file is kept beside it as {place.stem}.damaged-…",
            "try again; a waiting run that is not listed any more has to be submitted again",
        ) from error
    except OSError as error:
        raise unwritable(place.parent, error) from error
    finally:
        if connection is not None:
            connection.close()  # what was not committed is undone


def _connected(place: Path) -> sqlite3.Connection:
    """A connection to a queue that has its tables; one that is no database any more is rescued first."""
    fresh = not place.exists()
    if fresh:
        private(place.parent)
        place.touch(mode=0o600)  # SQLite gives the files beside it the same mode
    connection = sqlite3.connect(place, timeout=20, isolation_level=None)
    try:
        connection.row_factory = sqlite3.Row
        tables = {name for (name,) in connection.execute("SELECT name FROM sqlite_master")}
        if not fresh and "engine" in tables and "questions" not in tables:  # of a version without labs
            connection.executescript(_TABLES)
        elif fresh or "engine" not in tables:
            _make(connection)
            connection.execute("BEGIN IMMEDIATE")
            _restore(connection)
            connection.execute("COMMIT")
        connection.execute("PRAGMA synchronous = NORMAL")
    except sqlite3.DatabaseError as error:
        connection.close()
        if not _damaged(error):
            raise
        _rescue(place)
        return _connected(place)
    return connection


def _make(connection: sqlite3.Connection) -> None:
    number = secrets.randbelow(2**31)
    connection.executescript(f"PRAGMA journal_mode = WAL; PRAGMA user_version = {number}; {_TABLES}")


# ── recovery of a lost or damaged file ───────────────────────────────────────────────────

OWNERS = "owners.json"  # beside run.json, but no part of the run: it is neither served nor packed


def _damaged(error: sqlite3.DatabaseError) -> bool:
    return getattr(error, "sqlite_errorcode", None) in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)


def keep_owners(connection: sqlite3.Connection, id_: str) -> None:
    """Write the owners of a finished run, with name and star, into its folder.

    Without this, losing the queue would make all runs public, since a run without an owner is shown to everybody.
    """
    folder = home() / "runs" / id_
    row = connection.execute("SELECT configuration, asked FROM runs WHERE id = ?", [id_]).fetchone()
    if row is None or not (folder / "run.json").is_file():
        return
    owners = connection.execute("SELECT owner, name, starred, asked FROM owners WHERE id = ?", [id_]).fetchall()
    part = folder / f".{OWNERS}-{secrets.token_hex(4)}"
    try:
        part.write_text(json.dumps({**dict(row), "owners": [dict(owner) for owner in owners]}))
        part.replace(folder / OWNERS)
    except OSError as error:  # the queue still has it
        log.warning("%s", unwritable(folder, error))


def _restore(connection: sqlite3.Connection) -> None:
    """Put finished runs back on the lists of their owners, as their folders say."""
    lists: list[tuple[float, str, dict[str, Any]]] = []
    for path in (home() / "runs").glob(f"*/{OWNERS}"):
        with contextlib.suppress(OSError, UnicodeDecodeError):
            facts = as_dict(path.read_text())
            if facts is not None and isinstance(facts.get("asked"), float) and isinstance(facts.get("owners"), list):
                lists.append((facts["asked"], path.parent.name, facts))
    for asked, id_, facts in sorted(lists, key=lambda one: one[:2]):
        connection.execute(
            "INSERT OR IGNORE INTO runs (id, configuration, state, asked, ended, became)"
            " VALUES (?1, ?2, 'done', ?3, ?3, ?1)",
            [id_, str(facts.get("configuration")), asked],
        )
        for one in facts["owners"]:
            owner, name, starred, since = (one.get(key) for key in ("owner", "name", "starred", "asked"))
            connection.execute(
                "INSERT OR IGNORE INTO owners (id, owner, name, starred, asked, waits) VALUES (?, ?, ?, ?, ?, 0)",
                [id_, str(owner), None if name is None else str(name), bool(starred), float(since or asked)],
            )


def _rescue(place: Path) -> None:
    """Replace a damaged file by a new one with all rows that can still be read, and keep the damaged one beside it. Does
    nothing if another process has already done so."""
    from filelock import FileLock

    with _WRITING, FileLock(place.with_name("queue.lock"), mode=0o600):
        with contextlib.suppress(sqlite3.DatabaseError), contextlib.closing(sqlite3.connect(place)) as asked:
            if asked.execute("PRAGMA integrity_check(1)").fetchone()[0] == "ok":
                return
        mark = time.time_ns()
        with tempfile.TemporaryDirectory(dir=place.parent, prefix=".rescue-") as staging:
            for end in ("", "-wal"):  # a copy: opening it would change it
                with contextlib.suppress(FileNotFoundError):
                    shutil.copy(f"{place}{end}", Path(staging) / f"old{end}")
            new = Path(staging) / "new"
            new.touch(mode=0o600)
            with contextlib.closing(sqlite3.connect(new, isolation_level=None)) as connection:
                connection.row_factory = sqlite3.Row
                _make(connection)
                connection.execute("BEGIN")
                for table in ("runs", "owners", "served"):
                    _take_over(Path(staging) / "old", connection, table)
                _restore(connection)
                connection.execute("COMMIT")
            for end in ("-shm", "-wal", ""):
                with contextlib.suppress(FileNotFoundError):
                    Path(f"{place}{end}").rename(place.with_name(f"queue.damaged-{mark}.db{end}"))
            new.rename(place)
        log.warning(
            "%s was damaged; what could be read is taken over, and it lies beside as queue.damaged-%d.db", place, mark
        )


def _take_over(old: Path, new: sqlite3.Connection, table: str) -> None:
    """Copy the rows of a table that can be read: from its beginning to the damage, and from its end back to it."""
    known = {row["name"] for row in new.execute(f"PRAGMA table_info({table})")}
    for way in ("ASC", "DESC"):
        with contextlib.suppress(sqlite3.DatabaseError), contextlib.closing(sqlite3.connect(old)) as damaged:
            rows = damaged.execute(f"SELECT * FROM {table} NOT INDEXED ORDER BY rowid {way}")  # noqa: S608
            names = [column[0] for column in rows.description]
            here = [name for name in names if name in known]
            insert = f"INSERT OR IGNORE INTO {table} ({', '.join(here)}) VALUES ({', '.join('?' * len(here))})"  # noqa: S608
            for row in rows:
                new.execute(insert, [value for name, value in zip(names, row, strict=True) if name in known])


@dataclass(frozen=True)
class Ticket:
    """A run that was asked for, as the queue holds it. owners: those who still want it trained."""

    place: int
    id: str
    configuration: dict[str, Any]
    state: str
    device: str
    attempt: int
    tries: int
    stop_request: str | None
    asked: float
    started: float | None
    ended: float | None
    became: str | None
    problem: Problem | None
    owners: tuple[str, ...]

    @property
    def chosen(self) -> Configuration | None:
        """What is to be trained; None where another version of Hourglass has asked for what this one does not know."""
        try:
            return read_configuration(self.configuration)
        except Problem:
            return None


def tickets(connection: sqlite3.Connection, *states: str, id_: str | None = None) -> list[Ticket]:
    """The runs in these states (or the one of this id), in the order of asking."""
    where, given = ("id = ?", [id_]) if id_ else (f"state IN ({','.join('?' * len(states))})", list(states))
    rows = connection.execute(f"SELECT * FROM runs WHERE {where} ORDER BY place", given).fetchall()  # noqa: S608
    waiting: dict[str, list[str]] = {}
    for id_of, owner in connection.execute(
        f"SELECT owners.id, owner FROM owners JOIN runs USING (id) WHERE waits AND {where.replace('id =', 'runs.id =')} ORDER BY owner",  # noqa: S608
        given,
    ):
        waiting.setdefault(id_of, []).append(owner)
    return [one for row in rows if (one := _ticket(row, waiting.get(row["id"], []))) is not None]


def _ticket(row: sqlite3.Row, owners: Sequence[str]) -> Ticket | None:
    """None for a row that this version does not understand: it is another's, and left alone."""
    fields = {name: row[name] for name in row.keys() if name in Ticket.__dataclass_fields__}  # noqa: SIM118
    configuration, problem = as_dict(row["configuration"]), as_problem(row["problem"])
    if configuration is None or row["state"] not in STATES or (problem is None and row["problem"]):
        return None
    fields |= {"configuration": configuration, "problem": problem, "owners": tuple(owners)}
    return Ticket(**fields, stop_request=row["wish"])


def as_dict(text: str) -> dict[str, Any] | None:
    """A JSON object that lies in a row; None for anything else."""
    try:
        value = json.loads(text)
    except (ValueError, TypeError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def as_problem(text: str | None) -> Problem | None:
    """A problem that is stored in a row as the JSON of its `parts`; None for anything else."""
    try:
        parts = json.loads(text or "null")
    except (ValueError, TypeError, RecursionError):
        return None
    if not isinstance(parts, list) or len(parts) != 3 or not isinstance(parts[0], str):
        return None
    return Problem(*parts) if all(isinstance(part, str | None) for part in parts) else None


def understood(tickets: Sequence[Ticket]) -> list[Ticket]:
    """Those whose choices this version knows; a later one may have asked for the others."""
    return [ticket for ticket in tickets if ticket.chosen is not None]


def ticket(id_: str) -> Ticket | None:
    """What the queue holds of this run, None when it was never asked for."""
    if not path().exists():
        return None
    with opened() as connection:
        return next(iter(tickets(connection, id_=id_)), None)


def add(
    connection: sqlite3.Connection,
    id_: str,
    configuration: dict[str, Any],
    owner: str,
    device: str,
    state: str,
    anew: bool = True,
) -> None:
    """Ask for a run. One that is queued, running or done already stays as it is; another is asked for anew.

    anew False leaves the time of one that this owner has already.
    """
    now, facts = time.time(), json.dumps(configuration)
    known = connection.execute("SELECT state, attempt FROM runs WHERE id = ?", [id_]).fetchone()
    if known is None or known["state"] in ("failed", "cancelled") or (known["state"], state) == ("done", "queued"):
        attempt = known["attempt"] if known else 0
        connection.execute(
            "INSERT OR REPLACE INTO runs (id, configuration, state, device, attempt, asked, ended)"
            " VALUES (?, ?, ?, ?, ?, ?, ?)",
            [id_, facts, state, device, attempt, now, now if state == "done" else None],
        )
    connection.execute(
        "INSERT INTO owners (owner, id, asked) VALUES (?, ?, ?)"
        " ON CONFLICT (owner, id) DO UPDATE SET waits = 1, asked = CASE WHEN ? THEN excluded.asked ELSE asked END",
        [owner, id_, now, anew],
    )


def order(waiting: Sequence[Ticket], running: Sequence[Ticket], served: dict[str, int]) -> list[Ticket]:
    """The waiting runs in the order in which they are to be served.

    Each turn goes to the owner with the fewest runs running (or placed before by this list), among equals to the one
    served least recently, then to the run asked for first. A run that several wait for takes its best owner's turn.
    """
    busy: dict[str, int] = {}
    for one in running:
        for owner in one.owners:
            busy[owner] = busy.get(owner, 0) + 1
    turns, last = dict(served), max(served.values(), default=0)
    theirs: dict[str, deque[Ticket]] = {}  # each owner's runs in the order of asking
    for one in sorted(waiting, key=lambda one: one.place):
        for owner in one.owners or ("",):
            theirs.setdefault(owner, deque()).append(one)

    def rank(owner: str) -> tuple[int, int, int, str]:
        return busy.get(owner, 0), turns.get(owner, 0), theirs[owner][0].place, owner

    # Only the owners of the run that was placed change their rank, and it only ever grows: what lies in the heap with
    # another rank than its owner has now is out of date.
    heap, placed, out = [rank(owner) for owner in theirs], set[int](), []
    heapq.heapify(heap)
    while heap:
        entry = heapq.heappop(heap)
        owner = entry[-1]
        while theirs[owner] and theirs[owner][0].place in placed:
            theirs[owner].popleft()
        if not theirs[owner]:
            continue
        if entry != rank(owner):
            heapq.heappush(heap, rank(owner))
            continue
        chosen = theirs[owner].popleft()
        placed.add(chosen.place)
        out.append(chosen)
        last += 1
        for one_of in chosen.owners:
            busy[one_of], turns[one_of] = busy.get(one_of, 0) + 1, last
        if theirs[owner]:
            heapq.heappush(heap, rank(owner))
    return out


def name(connection: sqlite3.Connection) -> int:
    """A number of this very file: one that took the place of a deleted file has another."""
    return int(connection.execute("PRAGMA user_version").fetchone()[0])


def turns(connection: sqlite3.Connection) -> dict[str, int]:
    """When each owner was last served, as a count of turns."""
    return {row["owner"]: row["turn"] for row in connection.execute("SELECT owner, turn FROM served")}

"""The queue: which runs were asked for, by whom, and how they stand. One SQLite file, <home>/queue.db, on a local disk.

Only the web process and the engine open it. It holds what is not in a run's folder: the order of asking, the state,
the owners with their own names and stars, and a sign of life of the engine. Nothing that was trained is lost with it.
"""

import contextlib
import json
import secrets
import sqlite3
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from models import Problem, home, private, unwritable

STATES = ("queued", "running", "done", "failed", "cancelled")
SHELL = "shell"  # the owner of what was trained from a shell: shown to everybody, deleted by nobody on a page

_TABLES = """
CREATE TABLE IF NOT EXISTS runs (
    place INTEGER PRIMARY KEY AUTOINCREMENT,  -- the order of asking: a clock may jump, this does not
    id TEXT NOT NULL UNIQUE,
    configuration TEXT NOT NULL,
    state TEXT NOT NULL,
    device TEXT NOT NULL DEFAULT 'cpu',
    attempt INTEGER NOT NULL DEFAULT 0,       -- fencing token: an older attempt that wakes up finds a newer number
    tries INTEGER NOT NULL DEFAULT 0,         -- attempts that were lost without a new epoch in between
    wish TEXT,                                -- keep, cool or drop: what the engine is to tell the training
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
CREATE TABLE IF NOT EXISTS epoch_times (
    id TEXT PRIMARY KEY, configuration TEXT NOT NULL, device TEXT NOT NULL, seconds REAL, problem TEXT, measured REAL
);
CREATE TABLE IF NOT EXISTS engine (
    one INTEGER PRIMARY KEY CHECK (one = 1), beat REAL NOT NULL, pid INTEGER NOT NULL,
    slots INTEGER NOT NULL DEFAULT 0, gpus INTEGER NOT NULL DEFAULT 0, problem TEXT
);
"""


def path() -> Path:
    """Where the queue lies."""
    return home() / "queue.db"


@contextlib.contextmanager
def opened(*, write: bool = False) -> Iterator[sqlite3.Connection]:
    """A connection; with `write` a transaction that no other writer can come between. A `Problem` when that fails.

    The file is made when it is not there. Raises `sqlite3.OperationalError` never: a queue that stays locked for
    twenty seconds, or cannot be written, is told in words.
    """
    place = path()
    # SQLite lets a crowd of writers try again at random: those of one process rather stand in line.
    with _WRITING if write or not place.exists() else contextlib.nullcontext():
        yield from _opened(place, write)


_WRITING = threading.RLock()


def _opened(place: Path, write: bool) -> Iterator[sqlite3.Connection]:
    try:
        fresh = not place.exists()
        if fresh:
            private(place.parent)
            place.touch(mode=0o600)  # SQLite gives the files beside it the same mode
        connection = sqlite3.connect(place, timeout=20, isolation_level=None)
    except (OSError, sqlite3.Error) as error:
        raise unwritable(place.parent, error) from error
    connection.row_factory = sqlite3.Row
    try:
        if fresh or not connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'epoch_times'").fetchone():
            number = secrets.randbelow(2**31)
            connection.executescript(f"PRAGMA journal_mode = WAL; PRAGMA user_version = {number}; {_TABLES}")
        connection.execute("PRAGMA synchronous = NORMAL")
        if write:
            connection.execute("BEGIN IMMEDIATE")
        yield connection
        if write:
            connection.execute("COMMIT")
    except sqlite3.OperationalError as error:
        if "locked" in str(error) or "busy" in str(error):
            raise Problem(
                f"{place} is locked by another program",
                "only Hourglass was expected to open it",
                "close that program and try again",
            ) from error
        raise unwritable(place.parent, error) from error
    except sqlite3.DatabaseError as error:
        raise Problem(
            f"{place} is damaged ({error})",
            "the queue of this Hourglass was expected",
            "stop Hourglass and delete that file: finished runs are kept, only what waits has to be asked for again",
        ) from error
    finally:
        connection.close()  # what was not committed is undone


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
    wish: str | None
    asked: float
    started: float | None
    ended: float | None
    became: str | None
    problem: Problem | None
    owners: tuple[str, ...]


def tickets(connection: sqlite3.Connection, *states: str, id_: str | None = None) -> list[Ticket]:
    """The runs in these states (or the one of this id), in the order of asking."""
    where, given = ("id = ?", [id_]) if id_ else (f"state IN ({','.join('?' * len(states))})", list(states))
    found = connection.execute(f"SELECT * FROM runs WHERE {where} ORDER BY place", given).fetchall()  # noqa: S608
    waiting: dict[str, list[str]] = {}
    for id_of, owner in connection.execute(
        f"SELECT owners.id, owner FROM owners JOIN runs USING (id) WHERE waits AND {where.replace('id =', 'runs.id =')} ORDER BY owner",  # noqa: S608
        given,
    ):
        waiting.setdefault(id_of, []).append(owner)
    return [_ticket(row, waiting.get(row["id"], [])) for row in found]


def _ticket(row: sqlite3.Row, owners: Sequence[str]) -> Ticket:
    told = dict(row)
    return Ticket(
        **told
        | {
            "configuration": json.loads(told["configuration"]),
            "problem": Problem(*json.loads(told["problem"])) if told["problem"] else None,
            "owners": tuple(owners),
        }
    )


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
    left, out = list(waiting), []
    while left:

        def rank(one: Ticket) -> tuple[int, int, int]:
            owners = one.owners or ("",)
            return (*min((busy.get(owner, 0), turns.get(owner, 0)) for owner in owners), one.place)

        chosen = min(left, key=rank)
        left.remove(chosen)
        out.append(chosen)
        last += 1
        for owner in chosen.owners:
            busy[owner], turns[owner] = busy.get(owner, 0) + 1, last
    return out


def name(connection: sqlite3.Connection) -> int:
    """A number of this very file: one that took the place of a deleted file has another."""
    return int(connection.execute("PRAGMA user_version").fetchone()[0])


def turns(connection: sqlite3.Connection) -> dict[str, int]:
    """When each owner was last served, as a count of turns."""
    return {row["owner"]: row["turn"] for row in connection.execute("SELECT owner, turn FROM served")}

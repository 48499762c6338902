"""An owner's runs: listed, named, starred, deleted."""

from __future__ import annotations

import dataclasses
import shutil
import uuid
from dataclasses import dataclass

from models import Problem, home, unwritable, uploads
from models import runs as stored
from models.engine import answers, queue
from models.engine.growing import active
from models.engine.limits import Limits
from models.runs import Configuration, Run
from models.uploads import SHELL


@dataclass(frozen=True)
class Entry:
    """A run as its owner sees it in a list. run is None unless it is finished. shared: others count on it too."""

    id: str
    name: str | None
    starred: bool
    state: str
    configuration: Configuration
    asked: float
    shared: bool
    problem: Problem | None
    run: Run | None


def runs(owner: str) -> list[Entry]:
    """Everything this owner asked for, starred first, then the newest; without what this version does not understand."""
    return _listed(owner)[0]


def foreign_runs(owner: str) -> int:
    """How many runs of this owner's are not listed, since another version of Hourglass has asked for them."""
    return _listed(owner)[1]


def _listed(owner: str) -> tuple[list[Entry], int]:
    if not queue.path().exists():
        return [], 0
    with queue.opened() as connection:
        rows = connection.execute(
            "SELECT mine.*, runs.configuration, runs.state, runs.problem, runs.became,"
            " EXISTS (SELECT 1 FROM owners other WHERE other.id = mine.id AND other.owner <> mine.owner) AS shared"
            " FROM owners mine JOIN runs USING (id) WHERE owner = ? ORDER BY starred DESC, place DESC",
            [owner],
        ).fetchall()
    ready = {run.id: run for run in stored.find()[0]}
    out, foreign = [], 0
    for row in rows:
        if row["became"] and row["became"] != row["id"]:
            continue
        run = ready.get(row["id"])
        state = row["state"]
        if state == "done" and run is None:
            state = "failed"
        elif run is not None:
            state = "done"
        problem = queue.as_problem(row["problem"])
        try:
            chosen = stored.read_configuration(queue.as_dict(row["configuration"]))
        except Problem:
            foreign += 1
            continue
        if state not in queue.STATES or (problem is None and row["problem"]):
            foreign += 1
            continue
        if state == "failed" and problem is None:
            problem = Problem(
                f"the folder of the run {row['id']} is missing", do="train it again, or delete it from the list"
            )
        shared = bool(row["shared"]) or (run is not None and run.pretrained)
        out.append(
            Entry(row["id"], row["name"], bool(row["starred"]), state, chosen, row["asked"], shared, problem, run)
        )
    return out, foreign


def adopt(run: Run, owner: str, asked: Configuration | None = None) -> None:
    """Put a finished run into an owner's list: one that came as a zip, or was trained from a shell.

    asked is what was asked for, where that training was stopped early and became this run.
    """
    with queue.opened(write=True) as connection:
        queue.add(connection, run.id, dataclasses.asdict(run.configuration), owner, "cpu", "done", anew=False)
        if asked is not None and asked.id != run.id:
            queue.add(connection, asked.id, dataclasses.asdict(asked), owner, "cpu", "done")
            connection.execute("UPDATE runs SET became = ? WHERE id = ?", [run.id, asked.id])
        connection.execute("UPDATE owners SET waits = 0 WHERE owner = ? AND id = ?", [owner, run.id])
        queue.keep_owners(connection, run.id)


def make_sure_it_fits(owner: str, more: int) -> None:
    """A `Problem` when the folders of this owner's runs hold more than allowed with so many bytes more."""
    most = Limits.from_environment().bytes
    folders = [entry.run.folder for entry in runs(owner) if entry.run is not None and not entry.run.pretrained]
    held = sum(file.stat().st_size for folder in folders for file in folder.rglob("*") if file.is_file())
    if held + more > most:
        raise Problem(
            f"your runs would take {held + more:,} bytes with this one",
            f"at most {most:,} are allowed",
            "delete some on the page Runs",
        )


def visible(owner: str, finished: list[Run]) -> list[Run]:
    """Of these finished runs, those that this owner is shown: what ships, what is theirs, and what is nobody's or the
    shell's unless it was made from somebody else's data. Starred ones come before the others that do not ship."""
    rows = []
    if queue.path().exists():
        with queue.opened() as connection:
            rows = connection.execute("SELECT id, owner, starred FROM owners").fetchall()
    mine = {row["id"]: row["starred"] for row in rows if row["owner"] == owner}
    common = {row["id"] for row in rows if row["owner"] == SHELL}
    others = {row["id"] for row in rows} - set(mine) - common
    shown = [
        run
        for run in finished
        if run.pretrained or run.id in mine or (run.id not in others and uploads.readable(run.card.dataset.name, owner))
    ]
    return sorted(shown, key=lambda run: (not run.pretrained, not mine.get(run.id, False)))


def rename(id_: str, owner: str, name: str) -> None:
    """Give a run a name of the owner's own, at most 80 characters; an empty one takes it away."""
    with queue.opened(write=True) as connection:
        connection.execute(
            "UPDATE owners SET name = ? WHERE id = ? AND owner = ?", [name.strip()[:80] or None, id_, owner]
        )
        queue.keep_owners(connection, id_)


def star(id_: str, owner: str, starred: bool) -> None:
    """Star a run, or take the star away."""
    with queue.opened(write=True) as connection:
        connection.execute("UPDATE owners SET starred = ? WHERE id = ? AND owner = ?", [starred, id_, owner])
        queue.keep_owners(connection, id_)


def names(owner: str) -> dict[str, str]:
    """The names that this owner gave, by id."""
    if not queue.path().exists():
        return {}
    with queue.opened() as connection:
        rows = connection.execute("SELECT id, name FROM owners WHERE owner = ? AND name IS NOT NULL", [owner])
        return {row["id"]: row["name"] for row in rows}


def delete(id_: str, owner: str) -> None:
    """Take a run off this owner's list; when nobody else has it there, its folder goes too. Never one that ships.

    A `Problem` while it is being trained.
    """
    with queue.opened(write=True) as connection:
        ticket = next(iter(queue.understood(queue.tickets(connection, id_=id_))), None)
        mine = connection.execute("SELECT 1 FROM owners WHERE id = ? AND owner = ?", [id_, owner]).fetchone()
        if ticket is None or not mine:
            return
        if ticket.state == "running":
            raise Problem(f"the run {id_} is being trained and cannot be deleted", do="cancel it first")
        connection.execute("DELETE FROM owners WHERE id = ? AND owner = ?", [id_, owner])
        queue.keep_owners(connection, id_)
        left = connection.execute("SELECT SUM(waits) FROM owners WHERE id = ?", [id_]).fetchone()[0]
        if left is not None:
            if ticket.state == "queued" and not left:
                connection.execute("UPDATE runs SET state = 'cancelled' WHERE id = ?", [id_])
            return
        connection.execute("DELETE FROM runs WHERE id = ?", [id_])
    for place in (home() / "runs" / id_, active(id_)):
        if place.is_dir():
            try:
                gone = place.rename(place.with_name(f".deleted-{id_}-{uuid.uuid4().hex[:8]}"))
            except OSError as error:
                raise unwritable(place.parent, error) from error
            shutil.rmtree(gone, ignore_errors=True)
    answers.forget(id_)

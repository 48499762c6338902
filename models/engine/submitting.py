"""Asking for a training, for the time that it would take, and for its end."""

from __future__ import annotations

import dataclasses
import time

from models import Problem, architectures, datasets, home, unwritable
from models import runs as stored
from models.engine import queue
from models.engine.growing import as_ended
from models.engine.limits import Limits
from models.engine.supervisor import wake
from models.runs import Configuration
from models.uploads import SHELL


def submit(configuration: Configuration, owner: str = SHELL, device: str = "cpu") -> str:
    """Submit this configuration for training; returns the run's id at once.

    The same choices are the same run for all owners: one that is finished, queued or in training is not started
    again. device is "cpu" or "gpu". A `Problem` for choices that cannot be, for a dataset that somebody else brought,
    and for more than `Limits` allows.
    """
    configuration = configuration.check()
    datasets.check(configuration.dataset, owner)
    if (whole := _trained_for_a_time(configuration)) is not None:
        configuration = whole
    id_, finished_already = configuration.id, kept(configuration.id)
    values = dataclasses.asdict(configuration)
    if owner != SHELL and not finished_already:
        _within_limits(configuration, owner)
    with queue.opened(write=True) as connection:
        queue.add(connection, id_, values, owner, device, "done" if finished_already else "queued")
        queue.keep_owners(connection, id_)
    wake()
    return id_


def _trained_for_a_time(configuration: Configuration) -> Configuration | None:
    """The configuration of the run that this one became, where it was trained for its whole time already."""
    ticket = queue.ticket(configuration.id) if configuration.seconds and queue.path().exists() else None
    if ticket is None or ticket.state != "done" or not ticket.became or not kept(ticket.became):
        return None
    ended = as_ended(ticket.became)
    return ended if ended.stopped_after is None else None


def _within_limits(configuration: Configuration, owner: str) -> None:
    limits = Limits.from_environment()
    dataset = datasets.get(configuration.dataset)
    blueprint = architectures.get(configuration.architecture).blueprint(
        dataset.kind, dataset.shape, configuration.code_size
    )
    with queue.opened() as connection:
        waiting = connection.execute(
            "SELECT COUNT(*) FROM owners JOIN runs USING (id) WHERE owner = ? AND waits AND state = 'queued' AND id <> ?",
            [owner, configuration.id],
        ).fetchone()[0]
        everybodys = connection.execute(
            "SELECT COUNT(*) FROM runs WHERE state = 'queued' AND id <> ?", [configuration.id]
        ).fetchone()[0]
    if everybodys >= limits.queued:  # a browser without cookies is a new visitor each time
        raise Problem(
            f"{everybodys:,} runs of all visitors are waiting already",
            f"at most {limits.queued:,} may wait",
            "try again when some of them have begun",
        )
    for came, most, what, do in (
        (waiting + 1, limits.waiting, "waiting runs", "wait until one has begun, or cancel one on the page Runs"),
        (0 if configuration.seconds else configuration.epochs, limits.epochs, "epochs", "choose fewer epochs"),
        (round(configuration.seconds), limits.seconds, "seconds of training", "choose a shorter time"),
        (blueprint.parameters, limits.parameters, "parameters", "choose a smaller architecture or code size"),
    ):
        if came > most:
            raise Problem(f"{came:,} {what} are too many", f"at most {most:,} are allowed", do)


def kept(id_: str) -> bool:
    """Whether a complete run of this id exists. A damaged one is moved away, so that it can be trained again."""
    place = home() / "runs" / id_
    if not (place / "run.json").is_file():
        return False
    if stored.is_complete(place):
        return True
    try:
        stored.set_aside(place)
    except OSError as error:
        raise unwritable(place.parent, error) from error
    return False


def cancel(id_: str, owner: str, *, keep: bool = False, cool: bool = False) -> bool:
    """Withdraw this owner's interest in a training. True when nobody else waits for it: then it ends.

    With `keep` a training that ends keeps what it has learnt, as a run of its own; one that others wait for goes on
    for all. `cool` gives it two more seconds for that, in which the learning rate falls to zero. Without `keep` its
    checkpoint stays, and asking for the same run goes on from there.
    """
    with queue.opened(write=True) as connection:
        ticket = next(iter(queue.understood(queue.tickets(connection, id_=id_))), None)
        if ticket is None or owner not in ticket.owners or ticket.state not in ("queued", "running"):
            return False
        alone = ticket.owners == (owner,)
        if keep and ticket.state == "running":
            if alone:
                connection.execute("UPDATE runs SET wish = ? WHERE id = ?", ["cool" if cool else "keep", id_])
            return alone
        connection.execute("UPDATE owners SET waits = 0 WHERE id = ? AND owner = ?", [id_, owner])
        if alone:
            connection.execute(
                "UPDATE runs SET state = 'cancelled', wish = 'drop', ended = ? WHERE id = ?", [time.time(), id_]
            )
    return alone


def waits(id_: str, owner: str) -> bool:
    """Whether this owner still wants this training, and may therefore cancel it."""
    ticket = queue.ticket(id_)
    return ticket is not None and owner in ticket.owners

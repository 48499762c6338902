"""The engine: one process that trains the runs of all visitors, and the functions with which pages talk to it.

All state is in two places: the queue (see `queue`) and the run folders. A training writes to <home>/active/<id>, which
is renamed to <home>/runs/<id> when it is done. `python -m models.engine` reads the queue and submits trainings to Dask:
to worker processes of its own on one machine, or to a given scheduler. Reruns, reloads, closed tabs, killed workers and
a killed engine do not disturb a run: it resumes from its checkpoint.

Importing this package imports neither torch nor Dask: pages only read and write the queue.
"""

from models.engine.answers import Question, question
from models.engine.answers import kept as kept_answer
from models.engine.answers import shipped as shipped_answer
from models.engine.asking import Standing, ask, standing, withdraw
from models.engine.growing import active, claim, codes, configuration, control, finished, progress, strip, tidy
from models.engine.library import (
    Entry,
    adopt,
    delete,
    foreign_runs,
    make_sure_it_fits,
    names,
    rename,
    runs,
    star,
    visible,
)
from models.engine.limits import Limits
from models.engine.presence import engine_alive, engine_problem, gpus
from models.engine.process import cores
from models.engine.submitting import cancel, kept, submit, waits
from models.engine.supervisor import EngineSupervisor, wake
from models.engine.watching import Status, status

__all__ = [
    "EngineSupervisor",
    "Entry",
    "Limits",
    "Question",
    "Standing",
    "Status",
    "active",
    "adopt",
    "ask",
    "cancel",
    "claim",
    "codes",
    "configuration",
    "control",
    "cores",
    "delete",
    "engine_alive",
    "engine_problem",
    "finished",
    "foreign_runs",
    "gpus",
    "kept",
    "kept_answer",
    "make_sure_it_fits",
    "names",
    "progress",
    "question",
    "rename",
    "runs",
    "shipped_answer",
    "standing",
    "star",
    "status",
    "strip",
    "submit",
    "tidy",
    "visible",
    "waits",
    "wake",
    "withdraw",
]

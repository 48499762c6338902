"""What pages need and the first one does not wait for: loaded in a thread while the browser works through Streamlit's
own scripts.

The server answers with a page as soon as Streamlit itself is there. Whatever else needs a module of ours that loads
numpy or reads runs calls `wait` first: two threads that import the same packages at once can meet half of one.
"""

import contextlib
import sys
import threading
import time

from components.early import OPENING
from models import Problem

_loaded = threading.Event()
_loaded.set()  # where nothing is loaded beforehand (a test, a script run by itself), nothing is waited for
TURN = 5e-4  # seconds after which the thread that loads gives way to the one that answers; 5e-3 is Python's own


def wait() -> None:
    """Until everything that pages import is there."""
    _loaded.wait()


def begin(kept: contextlib.ExitStack | None) -> None:
    """Load it, then make what the first visitor is shown, then sweep each hour. kept: what keeps an engine while somebody
    trains is entered there, and left by whoever calls; None where an engine runs elsewhere."""
    from streamlit import delta_generator

    # Before the first element Streamlit looks through all modules for whether somebody runs it without a server.
    delta_generator._use_warning_has_been_displayed = True
    _loaded.clear()
    threading.Thread(target=_load, args=(kept,), name="warm", daemon=True).start()


def _load(kept: contextlib.ExitStack | None) -> None:
    usual = sys.getswitchinterval()
    sys.setswitchinterval(TURN)
    try:
        import streamlit.emojis  # noqa: F401  # a large pattern, for the icon of the page

        from components import navigation, opening, run_files
        from models import engine, runs, uploads
        from models.runs import thumbnails

        navigation.sections()
        opens = [run for run in runs.find()[0] if run.pretrained and run.folder.name == OPENING]
        with contextlib.suppress(Problem):  # it is told where that run is opened
            for run in opens:
                run_files.prepare(run)
        if kept is not None:
            kept.enter_context(engine.EngineSupervisor())
    finally:
        sys.setswitchinterval(usual)
        _loaded.set()
    with contextlib.suppress(Problem):
        for run in opens:
            opening.prepare(run)
    while True:
        with contextlib.suppress(Problem):  # a wrong setting is told where somebody would bring something
            uploads.sweep()
        thumbnails.sweep()
        time.sleep(uploads.HOUR)

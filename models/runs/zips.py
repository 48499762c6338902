"""Opening a run that somebody brings as a zip."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

from models import home, uploads
from models.readers.guarded import asked
from models.readers.limits import RUN
from models.runs.checking import open_run
from models.runs.run import Run
from models.runs.writing import publish, staged

if TYPE_CHECKING:
    from models.readers.limits import Limits


def unpack(content: bytes, limits: Limits = RUN) -> Run:
    """Open a run zip: check it as any run, rebuild its graphs from its weights, and keep it under <home>/runs.

    A process of its own does it (`models.runs.unpacking`), within `limits`: a zip says of itself what it likes.
    """
    uploads.make_sure_all_fits(len(content))
    with staged() as staging:
        (staging / "the zip").write_bytes(content)
        # HOURGLASS_HOME is where its dataset may lie, and where the run may be already.
        place = asked(
            "models.runs.unpacking",
            {},
            staging,
            lambda staging: Path(json.loads((staging / "facts.json").read_text())["run"]),
            limits,
            again="choose a zip downloaded from Hourglass",
            less="choose a zip downloaded from Hourglass",
            told={"HOURGLASS_HOME": str(home().absolute())},
        )
        run = open_run(place)
        return run if place.parent == staging.parent.absolute() else open_run(publish(place, run.id))

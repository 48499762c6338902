"""Opening weights that a browser has trained ("Train again"): a safetensors file that says of itself what it is for."""

from __future__ import annotations

import json
import os
from typing import Any

from models import Problem, home, uploads
from models.readers.guarded import asked
from models.readers.limits import Limits
from models.runs.checking import open_run
from models.runs.format import HEADER
from models.runs.run import Run
from models.runs.writing import publish, staged

ABOUT = "hourglass"  # the entry of the file's own table that says what it is
FILE = "the weights"
AGAIN = "choose a file that Train again has saved"
# torch and the samples of a large dataset take more than a reader may.
WEIGHTS = Limits(upload=64 << 20, memory=3 << 30, address_space=32 << 30, seconds=300.0)


def open_weights(content: bytes, limits: Limits = WEIGHTS) -> Run:
    """Make a run of weights that were trained in a browser, and keep it under <home>/runs. In a process of its own."""
    about(content)
    uploads.make_sure_all_fits(len(content))
    passed = {"HOURGLASS_HOME": str(home().absolute())}
    if "HOURGLASS_DATA" in os.environ:
        passed["HOURGLASS_DATA"] = os.environ["HOURGLASS_DATA"]
    with staged() as staging:
        (staging / FILE).write_bytes(content)
        module = "models.training.opening"
        asked(module, {}, staging, lambda _staging: None, limits, again=AGAIN, less=AGAIN, told=passed)
        run = open_run(staging / "run")
        return open_run(publish(staging / "run", run.id))


def about(content: bytes) -> dict[str, Any]:
    """What the file says of itself. A `Problem` where it is none of Train again."""
    try:
        length = int.from_bytes(content[:8], "little")
        if not 2 <= length <= min(HEADER, len(content) - 8):
            raise ValueError("it holds no table of weights")
        table = json.loads(content[8 : 8 + length])
        told = json.loads(table["__metadata__"][ABOUT])
        if not isinstance(told, dict) or told.get("format") != 1:
            raise ValueError("it is of another format than 1")
        if not all(isinstance(told.get(name), str) for name in ("dataset", "fingerprint", "architecture")):
            raise ValueError("it does not say what it is for")
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        words = "it does not say that it was trained here" if isinstance(error, KeyError) else str(error)
        raise Problem(f"the weights cannot be opened ({words[:160]})", do=AGAIN) from error
    assert isinstance(told, dict)
    return told

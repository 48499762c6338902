"""What may be asked for."""

from __future__ import annotations

import dataclasses
import os
from dataclasses import dataclass

from models import Problem


@dataclass(frozen=True)
class Limits:
    """What may be asked for, by one owner unless it says otherwise. Each is set by the environment variable named beside it; the shell has no limits."""

    waiting: int = 20  # HOURGLASS_WAITING: runs that wait in the queue
    queued: int = 1000  # HOURGLASS_QUEUED: runs that wait in the queue, of all owners together
    epochs: int = 10_000  # HOURGLASS_EPOCHS
    parameters: int = 20_000_000  # HOURGLASS_PARAMETERS
    seconds: int = 3600  # HOURGLASS_SECONDS: training ends after so long, with what was learnt
    bytes: int = 5_000_000_000  # HOURGLASS_BYTES: runs on one's list, beyond which no zip is opened

    @classmethod
    def here(cls) -> Limits:
        """The limits of this installation. A `Problem` for one that is no whole number above zero."""
        out = {}
        for field in dataclasses.fields(cls):
            name = f"HOURGLASS_{field.name.upper()}"
            text = os.environ.get(name, "")
            if text and not (text.isdecimal() and int(text)):
                raise Problem(f"{name} must be a whole number above 0; it is “{text}”", do="correct or remove it")
            out[field.name] = int(text) if text else field.default
        return cls(**out)  # type: ignore[arg-type]

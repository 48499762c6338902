"""What may be asked for."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

from models.uploads.quotas import setting


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
    def from_environment(cls) -> Limits:
        """The limits of this installation. A `Problem` for one that is no whole number above zero."""
        usual = dataclasses.asdict(cls())
        return cls(**{name: setting(f"HOURGLASS_{name.upper()}", value) for name, value in usual.items()})

"""Runs: one training is one folder, and everything else reads that folder. What makes, checks, finds and opens such folders belongs here.

`format` says what lies in one; `configuration` holds the choices that it was trained with.
"""

from models.runs.checking import is_complete, open_run, sha256, text_of
from models.runs.configuration import (
    LOSSES,
    NOISE_LEVEL,
    NOISES,
    PRESETS,
    RANGES,
    RECIPE,
    RECIPES,
    YOUNG,
    Configuration,
    configure,
    losses,
    noises,
    read_configuration,
)
from models.runs.finding import Unreadable, find, folder_of, stamp
from models.runs.format import (
    COOLING,
    DERIVED,
    FORMAT,
    FRAMES,
    ID,
    MEASURED,
    OPTIONAL,
    REPLAYED,
    REQUIRED,
    WORKING,
    frame_epochs,
    thumbnail_shape,
)
from models.runs.run import UNLABELLED, Run
from models.runs.writing import architecture_facts, dataset_facts, publish, seal, set_aside, thinned_replay, write_whole
from models.runs.zips import unpack

__all__ = [
    "COOLING",
    "DERIVED",
    "FORMAT",
    "FRAMES",
    "ID",
    "LOSSES",
    "MEASURED",
    "NOISES",
    "NOISE_LEVEL",
    "OPTIONAL",
    "PRESETS",
    "RANGES",
    "RECIPE",
    "RECIPES",
    "REPLAYED",
    "REQUIRED",
    "UNLABELLED",
    "WORKING",
    "YOUNG",
    "Configuration",
    "Run",
    "Unreadable",
    "architecture_facts",
    "configure",
    "dataset_facts",
    "find",
    "folder_of",
    "frame_epochs",
    "is_complete",
    "losses",
    "noises",
    "open_run",
    "publish",
    "read_configuration",
    "seal",
    "set_aside",
    "sha256",
    "stamp",
    "text_of",
    "thinned_replay",
    "thumbnail_shape",
    "unpack",
    "write_whole",
]

"""Datasets that people bring: each belongs to its owner, and goes when it has not been used for a time.

One lies under <home>/data/<fingerprint>/ as every dataset does (samples.npy, labels.npy, factors.npy), and beside
these split.npy where the data came split, names.json (a file name or row for each sample), columns.json (of signals and
tables), about.json (what it is) and used (whose time of change is the last use). Its name is "own-<fingerprint>"; the fingerprint is that of the
content, salted with the owner, so that nobody meets another's samples or runs. Until something is kept it lies in a
room of its own, <home>/uploads/<random>/, which is swept after a day. What was not used for a time is set aside as
<home>/data/.swept-<fingerprint>-<seconds since 1970> for a week; whoever renames it back has it back.

Only `dataset` (and `datasets.names`) read without being asked by whom: whoever shows or trains asks `readable` or
`datasets.check` first.
"""

from models.uploads.keeping import TITLE, fit_title, keep
from models.uploads.listing import Kept, of
from models.uploads.quotas import SHELL, days, make_sure_all_fits, quota, setting
from models.uploads.removing import remove, sweep
from models.uploads.staging import ROOMS, leave, room
from models.uploads.stored import DAY, HOUR, dataset, described, gone, own, readable, scaled

__all__ = [
    "DAY",
    "HOUR",
    "ROOMS",
    "SHELL",
    "TITLE",
    "Kept",
    "dataset",
    "days",
    "described",
    "fit_title",
    "gone",
    "keep",
    "leave",
    "make_sure_all_fits",
    "of",
    "own",
    "quota",
    "readable",
    "remove",
    "room",
    "scaled",
    "setting",
    "sweep",
]

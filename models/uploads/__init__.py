"""Uploaded datasets: each belongs to its owner, and is removed when it has not been used for a time.

One is stored in <home>/data/<fingerprint>/ as every dataset is (samples.npy, labels.npy, factors.npy), and beside
these split.npy where the data came split, names.json (a file name or row for each sample), columns.json (of signals and
tables), missing.npy (which values were filled), beside.npy and beside.json (columns that are no features), about.json (what it is) and used (whose time of change is the last use). Its name is "own-<fingerprint>"; the fingerprint is that of the
content, salted with the owner, so that no two owners share samples or runs. Until a dataset is kept it lies in a staging
directory, <home>/uploads/<random>/, which is removed after a day. A dataset that was not used for a time is moved to
<home>/data/.swept-<fingerprint>-<seconds since 1970> for a week; renaming it back restores it.

`dataset` and `datasets.names` do not check who asks: call `readable` or `datasets.check` before showing samples or training.
"""

from models.beside import Beside
from models.uploads.keeping import TITLE, fit_title, save
from models.uploads.listing import StoredDataset, of
from models.uploads.quotas import SHELL, days, make_sure_all_fits, quota, setting
from models.uploads.removing import remove, sweep
from models.uploads.staging import MAX_STAGING, remove_staging, staging_directory
from models.uploads.stored import DAY, HOUR, beside, called, dataset, described, gone, missing, own, readable, scaled

__all__ = [
    "DAY",
    "HOUR",
    "MAX_STAGING",
    "SHELL",
    "TITLE",
    "Beside",
    "StoredDataset",
    "beside",
    "called",
    "dataset",
    "days",
    "described",
    "fit_title",
    "gone",
    "make_sure_all_fits",
    "missing",
    "of",
    "own",
    "quota",
    "readable",
    "remove",
    "remove_staging",
    "save",
    "scaled",
    "setting",
    "staging_directory",
    "sweep",
]

"""ECG5000: 500 heartbeats of one patient with congestive heart failure, each stretched to 140 steps and standardised by itself.

The official training part of the set in the UCR archive (Y. Chen and E. Keogh), cut from record chf07 of PhysioNet's BIDMC
database. Its test part, 4,500 beats, has no place from which a file with a known checksum can be had.

Counts you should see: 500 samples; 292 normal, then 177, 10, 19 and 2 of the other classes.
"""

import numpy as np

from models import datasets
from models.columns import Column
from models.datasets import Arrays, Dataset, Remote

FILE = "ECG5000_TRAIN.txt"


def read() -> Arrays:
    """500 signals (140, 1): the class comes first in each line, from 1."""
    content = np.loadtxt(datasets.file(DATASET, FILE), np.float32)
    labels = content[:, 0].astype(np.int32) - 1
    return Arrays(content[:, 1:, None].copy(), labels, np.zeros((len(content), 0), np.float32))


DATASET = Dataset(
    name="ecg5000",
    title="ECG5000",
    summary="Heartbeats of one patient, among them premature ones: what is a beat's second half?",
    kind="signal",
    shape=(140, 1),
    count=500,
    classes=("normal", "R on T", "premature ventricular", "supraventricular", "unclassified"),
    source="Y. Chen and E. Keogh, UCR Time Series Archive; PhysioNet, BIDMC Congestive Heart Failure Database, record chf07",
    licence="ODC-By 1.0 (PhysioNet); the UCR archive states none",
    label="kind of beat",
    columns=(Column("voltage", "number", 0, 1),),
    read=read,
    files=(
        Remote(
            FILE,
            "https://raw.githubusercontent.com/sushantsk1/DL/ba8fc49832fe4919a83e1e73525c3581cfef0600/ECG5000_TRAIN.txt",
            "a7ec9b6577e0cc897dca3adaaa0699ed",
            1_128_500,
        ),
    ),
)

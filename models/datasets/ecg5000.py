"""ECG5000: 4,999 single heartbeats of one person with heart failure, 140 steps each (Chen and Keogh, UCR archive).

Cut from record chf07 of the BIDMC Congestive Heart Failure Database (PhysioNet), each beat with mean 0 and deviation 1. The
archive itself publishes no checksums. The training part is its text file; the test part is a copy by others as an array, in which
one beat of 4,500 is lacking, a normal one.

Counts you should see: 500 for training, of which 292 normal, then 4,499 for testing, of which 2,626 normal.
"""

import numpy as np

from models import Problem
from models.columns import Column
from models.datasets import Arrays, Dataset, Remote, file

STEPS = 140
TRAIN, TEST = "ECG5000_TRAIN.txt", "ECG5000_TEST.npy"


def read() -> Arrays:
    """Both parts as one, the training rows first: 4,999 signals (140, 1), as they are published."""
    paths = file(DATASET, TRAIN), file(DATASET, TEST)
    try:
        table = np.concatenate([np.loadtxt(paths[0]), np.load(paths[1], allow_pickle=False)])
    except (OSError, ValueError) as error:
        raise Problem(
            f"the files in {paths[0].parent} cannot be read ({error})", do="delete them and download them again"
        ) from error
    labels = table[:, 0].astype(np.int32) - 1  # published as 1 to 5
    return Arrays(table[:, 1:, None].astype(np.float32), labels, np.zeros((len(table), 0), np.float32))


DATASET = Dataset(
    name="ecg5000",
    title="ECG5000",
    summary="Heartbeats of one person, most of them normal: are the others unlike them?",
    kind="signal",
    shape=(STEPS, 1),
    count=4_999,
    classes=(
        "normal",
        "R-on-T premature ventricular",
        "premature ventricular",
        "supraventricular",
        "unclassified",
    ),
    source="Y. Chen and E. Keogh, UCR Time Series Archive, from PhysioNet’s BIDMC Congestive Heart Failure Database",
    licence="none given by UCR; PhysioNet’s record ODC-By 1.0",
    label="heartbeat",
    test_from=500,
    columns=(Column("voltage [deviations of the beat]", "number", 0, 1),),
    read=read,
    # At fixed commits of two projects that hold copies; the checksums are of these files.
    files=(
        Remote(
            TRAIN,
            "https://raw.githubusercontent.com/sushantsk1/DL/ba8fc49832fe4919a83e1e73525c3581cfef0600/ECG5000_TRAIN.txt",
            "a7ec9b6577e0cc897dca3adaaa0699ed",
            1_128_500,
        ),
        Remote(
            TEST,
            "https://raw.githubusercontent.com/femartip/XAI_time_series/e5ff77193660ffce29718807e6e603229d10b89f/"
            "data/ECG5000/ECG5000_TEST.npy",
            "e352257648a1b1c602b7c7f5691137b3",
            2_537_564,
        ),
    ),
)

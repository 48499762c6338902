"""5,216 handwritten digits as 8x8 counts of ink (Alpaydin and Kaynak 1998, UCI), as ODDS and ADBench give them.

All digits from 1 to 9 are normal, 150 zeros are not. The dataset Digits 8x8 comes from the same source. ADBench calls its 64 pixels
columns of a table; here they are the images that they were. Counts you should see: 5,066 normal, 150 zeros.
"""

import numpy as np

from models.datasets import Arrays, Dataset
from models.datasets._tables import adbench, adbench_rows


def read() -> Arrays:
    """5,216 images (8, 8, 1); the published grey levels 0 to 16 are spread over 0 to 255."""
    rows, labels = adbench_rows(DATASET)
    samples = np.round(rows.reshape(-1, 8, 8, 1) * (255 / 16)).astype(np.uint8)
    return Arrays(samples, labels.astype(np.int32), np.zeros((len(rows), 0), np.float32))


DATASET = Dataset(
    name="optdigits",
    title="Digits with few zeros",
    summary="Handwritten digits; a few zeros among all others are what does not belong.",
    kind="image",
    shape=(8, 8, 1),
    count=5_216,
    classes=("1 to 9", "zero"),
    source="E. Alpaydin and C. Kaynak, Optical Recognition of Handwritten Digits, UCI, 1998; as in ADBench (S. Han et al., 2022)",
    licence="CC BY 4.0",
    label="digit",
    fit=(1.0, "box"),
    folder="tabular-anomaly",
    files=adbench("26_optdigits", "1736a110a5b69527d07d65eaac6f28cb", 197_633),
    read=read,
)

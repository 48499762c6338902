"""6,870 digits written with a pen, eight points of its way each (Alpaydin and Alimoglu 1998, UCI), as ODDS and ADBench
give them.

All digits from 1 to 9 are normal, 156 zeros are not. The file holds numbers scaled to 0 to 1. Counts you should see: 6,714
normal, 156 zeros.
"""

from models.datasets import Arrays, Dataset
from models.datasets._tables import adbench, columns, read_adbench


def read() -> Arrays:
    """6,870 rows of 16 numbers, standardised."""
    return read_adbench(DATASET)


DATASET = Dataset(
    name="pendigits",
    title="Pen digits with few zeros",
    summary="Digits as eight points along the pen's way; a few zeros among all others are what does not belong.",
    kind="table",
    shape=(16,),
    count=6_870,
    classes=("1 to 9", "zero"),
    source="E. Alpaydin and F. Alimoglu, Pen-Based Recognition of Handwritten Digits, UCI, 1998; as in ADBench (S. Han et al., 2022)",
    licence="CC BY 4.0",
    label="digit",
    folder="tabular-anomaly",
    files=adbench("28_pendigits", "fbb543e7858febad363f41067c2e68d2", 653_509),
    columns=columns("""
x of point 1 | 0.37382 | 0.34095
y of point 1 | 0.84454 | 0.17099
x of point 2 | 0.42984 | 0.25408
y of point 2 | 0.85264 | 0.17738
x of point 3 | 0.54437 | 0.34213
y of point 3 | 0.69313 | 0.2378
x of point 4 | 0.51509 | 0.31054
y of point 4 | 0.48089 | 0.29517
x of point 5 | 0.54443 | 0.33478
y of point 5 | 0.34299 | 0.27838
x of point 6 | 0.59135 | 0.37409
y of point 6 | 0.32832 | 0.25802
x of point 7 | 0.54702 | 0.22247
y of point 7 | 0.31136 | 0.30008
x of point 8 | 0.49108 | 0.42093
y of point 8 | 0.24416 | 0.33845
"""),
    read=read,
)

"""Blood tests of 3,772 people (Quinlan 1986, UCI), six numbers each, as ODDS and ADBench give them.

The file holds numbers scaled to 0 to 1, without names; the names are those of the UCI table's continuous columns, in its
order. Counts you should see: 3,679 normal, 93 hyperfunctioning.
"""

from models.datasets import Arrays, Dataset
from models.datasets._tables import adbench, columns, read_adbench


def read() -> Arrays:
    """3,772 rows of 6 numbers, standardised."""
    return read_adbench(DATASET)


DATASET = Dataset(
    name="thyroid",
    title="Thyroid",
    summary="Hormones in the blood; a thyroid gland that works too much is what does not belong.",
    kind="table",
    shape=(6,),
    count=3_772,
    classes=("normal", "hyperfunction"),
    source="R. Quinlan, Thyroid Disease, UCI, 1986; as in ADBench (S. Han et al., 2022)",
    licence="CC BY 4.0",
    label="thyroid",
    folder="tabular-anomaly",
    files=adbench("38_thyroid", "92ecac40ecc0e8a721a7f22aea27968a", 39_882),
    columns=columns("""
age | 0.54355 | 0.20408
TSH | 0.24742 | 1.1969 | 0.0028302 | 0.0025735
T3 | -0.13568 | 1.0665 | 0.1907 | 0.035166
TT4 | 0.057346 | 0.90081 | 0.24065 | 0.058888
T4U | -0.055514 | 1.008 | 0.37559 | 0.052204
FTI | 0.037119 | 0.91644 | 0.17377 | 0.036457
"""),
    read=read,
)

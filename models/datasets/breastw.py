"""683 tumours, nine marks from 1 to 10 by a pathologist (Wolberg 1992, UCI), as ODDS and ADBench give them.

Older than the dataset Breast cancer, and with other columns; the names are those of the UCI table, in its order. Counts
you should see: 444 benign, 239 malignant.
"""

from models.datasets import Arrays, Dataset
from models.datasets._tables import adbench, columns, read_adbench


def read() -> Arrays:
    """683 rows of 9 numbers, standardised."""
    return read_adbench(DATASET)


DATASET = Dataset(
    name="breastw",
    title="Breast cancer, 1992",
    summary="Marks that a pathologist gave to tumours; the malignant ones are what does not belong.",
    kind="table",
    shape=(9,),
    count=683,
    classes=("benign", "malignant"),
    source="W. Wolberg, Breast Cancer Wisconsin (Original), UCI, 1992; as in ADBench (S. Han et al., 2022)",
    licence="CC BY 4.0",
    label="tumour",
    folder="tabular-anomaly",
    files=adbench("4_breastw", "96e58457dfc23008bed3c92aa588508f", 3_023),
    columns=columns("""
clump thickness | 4.4351 | 2.8176
uniformity of cell size | 3.1261 | 3.0571
uniformity of cell shape | 3.1865 | 2.978
marginal adhesion | 2.7916 | 2.8181
single epithelial cell size | 3.2413 | 2.2119
bare nuclei | 3.4936 | 3.6202
bland chromatin | 3.3985 | 2.4372
normal nucleoli | 2.8537 | 3.0162
mitoses | 1.5814 | 1.6948
"""),
    read=read,
)

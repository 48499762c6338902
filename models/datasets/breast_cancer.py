"""scikit-learn's breast cancer table: 569 tumours, 30 measures of their cells' nuclei (Wolberg, Street and Mangasarian 1993).

Of ten measures of each nucleus in an image the table has the mean, its standard error and the mean of the three largest
("worst"). No download. Counts you should see: 212 malignant, 357 benign.
"""

import importlib.util
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from models.datasets import Arrays, Dataset
from models.datasets._tables import arrays, columns

COLUMNS = columns("""
mean radius | 14.199 | 3.6015
mean texture | 19.293 | 4.2564
mean perimeter | 92.451 | 24.802
mean area | 662.61 | 358.22
mean smoothness | 0.096394 | 0.014265
mean compactness | 0.10484 | 0.053019
mean concavity | 0.089665 | 0.079646
mean concave points | 0.049598 | 0.039601
mean symmetry | 0.18114 | 0.027001
mean fractal dimension | 0.062801 | 0.0070668
radius error | 0.22344 | 0.84333 | 0.3242 | 0.19244
texture error | 1.2226 | 0.57178
perimeter error | 0.21075 | 0.85002 | 2.312 | 1.344
area error | 0.37016 | 0.92883 | 24.6 | 20.297
smoothness error | 0.15531 | 0.8554 | 0.006307 | 0.0022936
compactness error | 0.025417 | 0.018009
concavity error | 0.1336 | 0.83317 | 0.02611 | 0.019615
concave points error | 0.01178 | 0.0061455
symmetry error | 0.02029 | 0.0074134
fractal dimension error | 0.15854 | 0.85788 | 0.003211 | 0.0017079
worst radius | 16.367 | 4.9167
worst texture | 25.694 | 6.1461
worst perimeter | 107.92 | 34.065
worst area | 892.77 | 573.8
worst smoothness | 0.13217 | 0.023105
worst compactness | 0.25467 | 0.15924
worst concavity | 0.27307 | 0.20464
worst concave points | 0.11512 | 0.066371
worst symmetry | 0.28966 | 0.060664
worst fractal dimension | 0.084199 | 0.01848
""")


def read() -> Arrays:
    """569 rows of 30 numbers, standardised."""
    table = _table()
    return arrays(COLUMNS, table[:, :30], table[:, 30].astype(np.int32))


def _table() -> NDArray[np.float64]:
    """(569, 31): the measures, then 0 for malignant and 1 for benign."""
    # As in digits.py: the table that scikit-learn ships is plain text, and importing scikit-learn takes a second.
    package = importlib.util.find_spec("sklearn")
    table = Path(package.origin or "").parent / "datasets" / "data" / "breast_cancer.csv" if package else None
    if table is not None and table.is_file():
        return np.loadtxt(table, delimiter=",", skiprows=1)
    from sklearn.datasets import load_breast_cancer

    content = load_breast_cancer()
    return np.column_stack([content.data, content.target])


DATASET = Dataset(
    name="breast-cancer",
    title="Breast cancer",
    summary="Measures of cells from 569 tumours: are the malignant ones unlike the benign?",
    kind="table",
    shape=(30,),
    count=569,
    classes=("malignant", "benign"),
    source="W. Wolberg, W. N. Street and O. Mangasarian, Breast Cancer Wisconsin (Diagnostic), UCI, 1993; as shipped by scikit-learn",
    licence="CC BY 4.0",
    label="tumour",
    columns=COLUMNS,
    read=read,
)

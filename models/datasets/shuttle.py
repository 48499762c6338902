"""49,097 states of a space shuttle's radiators, nine numbers each (NASA, UCI), as ODDS and ADBench give them.

The columns have no published names. Counts you should see: 45,586 normal (the usual class 1), 3,511 others (classes 2, 3, 5, 6 and 7).
"""

from models.datasets import Arrays, Dataset
from models.datasets._tables import adbench, columns, read_adbench


def read() -> Arrays:
    """49,097 rows of 9 numbers, standardised."""
    return read_adbench(DATASET)


DATASET = Dataset(
    name="shuttle",
    title="Shuttle",
    summary="Sensors of a space shuttle's radiators; the rare states are what does not belong.",
    kind="table",
    shape=(9,),
    count=49_097,
    classes=("usual", "rare"),
    source="Statlog (Shuttle), NASA, UCI; as in ADBench (S. Han et al., 2022)",
    licence="CC BY 4.0",
    label="state",
    folder="tabular-anomaly",
    files=adbench("32_shuttle", "e9a3feba52aae57bfa914accf65a049a", 332_929),
    columns=columns("""
sensor 1 | 46.962 | 12.909
sensor 2 | 0.0059885 | 0.78888 | 0 | 2
sensor 3 | 85.102 | 8.8566
sensor 4 | 0.0036379 | 0.62314 | 0 | 3
sensor 5 | -0.20898 | 1.1353 | 42 | 8.8955
sensor 6 | 0.039029 | 1.1497 | 0 | 6.6716
sensor 7 | -0.054294 | 1.0544 | 39 | 7.4129
sensor 8 | 0.27108 | 0.85793 | 41 | 14.826
sensor 9 | 0.44721 | 1.2414 | 2 | 4.4477
"""),
    read=read,
)

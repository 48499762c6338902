"""Heartbeats of 1,831 unborn children, 21 measures each (Campos and Bernardes, UCI 2010), as ODDS and ADBench give them.

The file holds standardised numbers without names; the names are those of the UCI table, in its order. Suspect recordings were
left out by ODDS. Counts you should see: 1,655 normal, 176 pathologic.
"""

from models.datasets import Arrays, Dataset
from models.datasets._tables import adbench, columns, read_adbench


def read() -> Arrays:
    """1,831 rows of 21 numbers, standardised."""
    return read_adbench(DATASET)


DATASET = Dataset(
    name="cardio",
    title="Cardiotocography",
    summary="Heart rate and movements of unborn children; the pathologic recordings are what does not belong.",
    kind="table",
    shape=(21,),
    count=1_831,
    classes=("normal", "pathologic"),
    source="D. Campos and J. Bernardes, Cardiotocography, UCI, 2010; as in ADBench (S. Han et al., 2022)",
    licence="CC BY 4.0",
    label="recording",
    folder="tabular-anomaly",
    files=adbench("6_cardio", "3724aeab845964e929fd8d3d95475490", 68_471),
    columns=columns("""
baseline heart rate | 0.0057068 | 1.002
accelerations | 0.0045925 | 1.0086
foetal movements | 0.78711 | 1.3593 | -0.20364 | 0.031572
contractions | -0.0078844 | 1.0082
light decelerations | 0.0090415 | 1.0064
severe decelerations | 0.0063731 | 1.0637
prolonged decelerations | 0.024038 | 1.0517
abnormal short-term variability | 0.0081298 | 1.009
mean short-term variability | 0.022618 | 1.0177
abnormal long-term variability | 0.68091 | 1.161 | -0.42049 | 0.18455
mean long-term variability | -0.019683 | 0.99652
histogram width | 0.023014 | 1.0167
histogram minimum | -0.014437 | 1.0048
histogram maximum | 0.025528 | 1.0142
histogram peaks | 0.0045935 | 0.9991
histogram zeros | 0.33067 | 0.59248 | -0.48828 | 1.0759
histogram mode | -0.0068691 | 1.0377
histogram mean | -0.0077139 | 1.0241
histogram median | -0.0036027 | 1.0249
histogram variance | 0.36986 | 0.88234 | -0.38999 | 0.56946
histogram tendency | -0.003858 | 1.0021
"""),
    read=read,
)

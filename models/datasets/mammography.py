"""11,183 spots in X-ray images, six measures each (Woods et al. 1993), as ODDS and ADBench give them.

The file holds standardised numbers; the names are those of the paper, in its order. Counts you should see: 10,923 normal, 260
microcalcifications.
"""

from models.datasets import Arrays, Dataset
from models.datasets._tables import adbench, columns, read_adbench


def read() -> Arrays:
    """11,183 rows of 6 numbers, standardised."""
    return read_adbench(DATASET)


DATASET = Dataset(
    name="mammography",
    title="Mammography",
    summary="Spots in X-ray images of the breast; the rare microcalcifications are what does not belong.",
    kind="table",
    shape=(6,),
    count=11_183,
    classes=("normal", "microcalcification"),
    source="K. Woods et al., Comparative Evaluation of Pattern Recognition Techniques for Detection of Microcalcifications in Mammography, 1993; as in ADBench (S. Han et al., 2022)",
    licence="none given; published on OpenML",
    label="spot",
    folder="tabular-anomaly",
    files=adbench("23_mammography", "9334c15017223999eb2cbd0458ec1874", 166_764),
    columns=columns("""
area | 0.041754 | 0.72269 | -0.10214 | 0.81747
average grey level | 0.50856 | 1.0152 | -0.39499 | 0.29513
gradient strength | 0.18814 | 0.81766 | -0.23098 | 0.56811
root mean square noise | -0.0023611 | 0.99929
contrast | 0.23853 | 0.49682 | -0.37787 | 1.1247
low order moment | -0.0006695 | 1.0007
"""),
    read=read,
)

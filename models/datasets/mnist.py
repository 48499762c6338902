"""MNIST: 70,000 handwritten digits (LeCun, Cortes and Burges 1998, from NIST Special Databases 1 and 3).

Counts you should see: 60,000 for training, then the 10,000 the publisher set aside for testing; the first
training label is 5, the first test label 7.
"""

from models import idx
from models.datasets import Arrays, Dataset


def read() -> Arrays:
    """70,000 white-on-black images (28, 28, 1)."""
    return idx.read(DATASET)


DATASET = Dataset(
    name="mnist",
    title="MNIST",
    summary="Handwritten digits, the fruit fly of machine learning.",
    kind="image",
    shape=(28, 28, 1),
    count=70_000,
    classes=tuple("0123456789"),
    source="Y. LeCun, C. Cortes and C. Burges, The MNIST database of handwritten digits, 1998",
    # The publisher's page grants nothing in so many words; CC BY-SA 3.0 is often quoted, never by the publisher.
    licence="none stated by its publisher; freely passed on for decades",
    label="digit",
    fit=(20 / 28, "mass"),  # the publisher's page: in a box of 20 x 20, then centred by mass
    test_from=60_000,
    read=read,
    # The publisher's own server turns programs away; this is the mirror that torchvision tries first.
    files=idx.files(
        "https://ossci-datasets.s3.amazonaws.com/mnist/",
        {
            "train-images": ("f68b3c2dcbeaaa9fbdd348bbdeb94873", 9_912_422),
            "train-labels": ("d53e105ee54ea40749a09fcbcd1e9432", 28_881),
            "t10k-images": ("9fb629c4189551a2d022fa330f9573f3", 1_648_877),
            "t10k-labels": ("ec29112dd5afa0611ce80d1b7f02629c", 4_542),
        },
    ),
)

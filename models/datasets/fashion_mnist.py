"""Fashion-MNIST: 70,000 pictures of clothes in MNIST's format (Xiao, Rasul and Vollgraf 2017, arXiv:1708.07747).

Counts you should see: 60,000 for training, then 10,000 for testing; 7,000 of each class.
"""

from models import idx
from models.datasets import Arrays, Dataset


def read() -> Arrays:
    """70,000 images (28, 28, 1), light on black."""
    return idx.read(DATASET)


DATASET = Dataset(
    name="fashion-mnist",
    title="Fashion-MNIST",
    summary="Shirts, shoes and bags: as small as MNIST, with more to tell apart.",
    kind="image",
    shape=(28, 28, 1),
    count=70_000,
    classes=(
        "T-shirt/top",
        "Trouser",
        "Pullover",
        "Dress",
        "Coat",
        "Sandal",
        "Shirt",
        "Sneaker",
        "Bag",
        "Ankle boot",
    ),
    source="H. Xiao, K. Rasul and R. Vollgraf, Fashion-MNIST, Zalando SE, 2017",
    licence="MIT",
    label="garment",
    test_from=60_000,
    read=read,
    # Published over plain http only; the checksums are what makes it safe.
    files=idx.files(
        "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",
        {
            "train-images": ("8d4fb7e6c68d591d4c3dfef9ec88bf0d", 26_421_880),
            "train-labels": ("25c81989df183df01b3e8a0aad5dffbe", 29_515),
            "t10k-images": ("bef4ecab320f06d8554ea6380940ec79", 4_422_102),
            "t10k-labels": ("bb300cfdad3c16e7a12a480ee83cd310", 5_148),
        },
    ),
)

"""Kuzushiji-MNIST: 70,000 cursive hiragana from old Japanese books (Clanuwat et al. 2018, arXiv:1812.01718).

Counts you should see: 60,000 for training, then 10,000 for testing; 7,000 of each character.
"""

from models import idx
from models.datasets import Arrays, Dataset


def read() -> Arrays:
    """70,000 white-on-black images (28, 28, 1)."""
    return idx.read(DATASET)


DATASET = Dataset(
    name="kmnist",
    title="Kuzushiji-MNIST",
    summary="Ten characters of classical Japanese handwriting, each with several forms.",
    kind="image",
    shape=(28, 28, 1),
    count=70_000,
    classes=("お o", "き ki", "す su", "つ tsu", "な na", "は ha", "ま ma", "や ya", "れ re", "を wo"),
    source="“KMNIST Dataset” (created by CODH), adapted from “Kuzushiji Dataset” (created by NIJL and others), "
    "doi:10.20676/00000341",
    licence="CC BY-SA 4.0",
    label="character",
    test_from=60_000,
    read=read,
    # Published over plain http only; the checksums are what makes it safe.
    files=idx.files(
        "http://codh.rois.ac.jp/kmnist/dataset/kmnist/",
        {
            "train-images": ("bdb82020997e1d708af4cf47b453dcf7", 18_165_135),
            "train-labels": ("e144d726b3acfaa3e44228e80efcd344", 29_497),
            "t10k-images": ("5c965bf0a639b31b8f53240b1b52f4d7", 3_041_136),
            "t10k-labels": ("7320c461ea6c1c855c0b718fb2a4b134", 5_120),
        },
    ),
)

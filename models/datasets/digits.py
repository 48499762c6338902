"""scikit-learn's handwritten digits: 1,797 real 8x8 images (Alpaydin and Kaynak 1998, UCI). No download."""

import numpy as np

from models.datasets import Arrays, Dataset


def read() -> Arrays:
    """1,797 images (8, 8, 1); the published grey levels 0 to 16 are spread over 0 to 255."""
    from sklearn.datasets import load_digits

    content = load_digits()
    samples = np.round(content.images * (255 / 16)).astype(np.uint8)[..., None]
    return Arrays(samples, content.target.astype(np.int32), np.zeros((len(samples), 0), np.float32))


DATASET = Dataset(
    name="digits",
    title="Digits 8x8",
    summary="Handwritten digits small enough to train on in seconds.",
    kind="image",
    shape=(8, 8, 1),
    count=1797,
    classes=tuple("0123456789"),
    source="E. Alpaydin and C. Kaynak, Optical Recognition of Handwritten Digits, UCI, 1998; test part, as shipped by scikit-learn",
    licence="CC BY 4.0",
    label="digit",
    read=read,
)

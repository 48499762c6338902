"""The runs that ship in pretrained/: how each is made, and what it is weak at."""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Exhibit:
    """A shipped run. choices: what differs from the defaults; weakness: what a visitor should not be surprised by."""

    choices: dict[str, Any]
    weakness: str


def _digits(architecture: str, weakness: str, **choices: Any) -> Exhibit:
    return Exhibit(
        {"dataset": "digits", "architecture": architecture, "code_size": 2, "epochs": 300, **choices}, weakness
    )


_FASHION_OVERLAP = "Shirts, pullovers and coats overlap: two numbers cannot keep them apart."
ZOO: dict[str, Exhibit] = {
    "digits-variational": _digits(
        "variational", "1,437 training images: rare ways of writing a digit are blurred.", epochs=200
    ),
    "digits-single-layer": _digits(
        "single-layer", "A sigmoid code with one layer: at D = 2 it does no better than PCA."
    ),
    "digits-multi-layer": _digits("multi-layer", "The sigmoid presses many codes to the edges of the unit square."),
    "digits-convolutional": _digits(
        "convolutional", "8x8 images leave little for a window of 4x4 to find.", epochs=400
    ),
    "mnist-modern": Exhibit(
        {"dataset": "mnist", "architecture": "modern", "code_size": 2, "epochs": 40, "batch_size": 256},
        "4 and 9, and 3, 5 and 8, share borders on which images are mixtures.",
    ),
    "mnist-variational": Exhibit(
        {"dataset": "mnist", "architecture": "variational", "code_size": 2, "epochs": 40},
        "Smooth everywhere at the price of blur: its error is above that of the plain map of the same size.",
    ),
    "mnist-deep": Exhibit(
        {"dataset": "mnist", "architecture": "deep", "code_size": 30, "epochs": 25},
        "A code drawn at random decodes to strokes, not digits: nothing shaped this space.",
    ),
    "fashion-mnist-modern": Exhibit(
        {"dataset": "fashion-mnist", "architecture": "modern", "code_size": 2, "epochs": 40, "batch_size": 256},
        _FASHION_OVERLAP,
    ),
    "fashion-mnist-variational": Exhibit(
        {"dataset": "fashion-mnist", "architecture": "variational", "code_size": 2, "epochs": 40}, _FASHION_OVERLAP
    ),
    "fashion-mnist-deep": Exhibit(
        {"dataset": "fashion-mnist", "architecture": "deep", "code_size": 30, "epochs": 25},
        "Fine prints and lettering are smoothed away.",
    ),
    "cats-convolutional-variational": Exhibit(
        {
            "dataset": "cats",
            "architecture": "convolutional-variational",
            "code_size": 10,
            "epochs": 40,
            "loss": "squared-error",  # the Bernoulli likelihood spends itself on mid greys
            "beta": 0.5,
        },
        "Drawn cats only: it knows nothing of photographs. Whiskers are thin and come out soft.",
    ),
    "shapes-convolutional-variational": Exhibit(
        {"dataset": "shapes", "architecture": "convolutional-variational", "code_size": 6, "epochs": 20},
        "Rotation is a circle, and a straight axis cannot hold a circle: it is torn somewhere.",
    ),
}

"""The runs that ship in pretrained/: how each is made, and what it is weak at."""

from dataclasses import dataclass, replace
from typing import Any

from models.runs.format import FRAMES


@dataclass(frozen=True)
class ShippedRun:
    """A shipped run. choices: what differs from the defaults; weakness: what a visitor should not be surprised by;
    stored: how many codes go with it, at most; frames: how many epochs of its replay, at most, 0 for none."""

    choices: dict[str, Any]
    weakness: str
    stored: int = 10_000
    frames: int = FRAMES


def _digits(architecture: str, weakness: str, **choices: Any) -> ShippedRun:
    return ShippedRun(
        {"dataset": "digits", "architecture": architecture, "code_size": 2, "epochs": 300, **choices}, weakness
    )


# The Bernoulli likelihood would spend itself on mid greys.
_CATS: dict[str, Any] = {"loss": "squared-error"}


def _cats(architecture: str, code_size: int, **choices: Any) -> dict[str, Any]:
    return {"dataset": "cats", "architecture": architecture, "code_size": code_size, **choices}


# The defaults of when these were trained, which make the same runs again.
_DEFAULTS: dict[str, Any] = {
    "epochs": 30,
    "batch_size": 128,
    "learning_rate": 0.004,
    "loss": "squared-error",
    "mixing": 0.0,
}
_SLOW = {"loss": "bernoulli", "learning_rate": 0.002}
_OF: dict[str, dict[str, Any]] = {
    "convolutional": {"learning_rate": 0.003},
    "modern-convolutional": {"learning_rate": 0.002},
    "variational": _SLOW,
    "convolutional-variational": _SLOW,
    "wide": {"batch_size": 256, "epochs": 100},
    "narrow": {"batch_size": 256},
    "wide-variational": {**_SLOW, "batch_size": 256, "epochs": 100},
}


BEGIN_AND_END, FEW = 2, 5  # epochs of a replay: that of a large code has a megabyte, and all shipped runs together 40
_FASHION_OVERLAP = "Shirts, pullovers and coats overlap: two numbers cannot keep them apart."
ZOO: dict[str, ShippedRun] = {
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
    "digits-modern-8": ShippedRun(
        {"dataset": "digits", "architecture": "modern", "code_size": 8, "epochs": 60},
        "A code drawn at random is seldom a digit: nothing shaped this space.",
        frames=FEW,
    ),
    "digits-denoising": ShippedRun(
        {
            "dataset": "digits",
            "architecture": "narrow",
            "code_size": 32,
            "epochs": 200,
            "learning_rate": 0.004,
            "noise": "mixed",
            "noise_level": 1.0,
        },
        "Much noise on 8x8 images hides what tells digits apart: at deviation 0.5 a quarter stays unreadable.",
        frames=0,
    ),
    "mnist-wide": ShippedRun(
        {"dataset": "mnist", "architecture": "wide", "code_size": 2, "epochs": 240, "distortion": 0.06},
        "4 and 9, and 3, 5 and 8, share borders on which images are mixtures.",
        stored=70_000,
    ),
    "mnist-narrow": ShippedRun(
        {"dataset": "mnist", "architecture": "narrow", "code_size": 2, "epochs": 160, "distortion": 0.05},
        "Made small for pages: its error lies a little above that of the wide network, on the same borders.",
    ),
    "mnist-variational": ShippedRun(
        {"dataset": "mnist", "architecture": "wide-variational", "code_size": 2, "epochs": 200},
        "Smooth everywhere at the price of blur: its error is above that of the plain map of the same size.",
    ),
    "mnist-modern-30": ShippedRun(
        {
            "dataset": "mnist",
            "architecture": "modern",
            "code_size": 30,
            "epochs": 300,
            "batch_size": 256,
            "shift": 1,
        },
        "A code drawn at random decodes to strokes, not digits: nothing shaped this space.",
        frames=BEGIN_AND_END,
    ),
    "mnist-denoising": ShippedRun(
        {
            "dataset": "mnist",
            "architecture": "narrow",
            "code_size": 48,
            "epochs": 24,
            "batch_size": 256,
            "learning_rate": 0.004,
            "noise": "mixed",
            "noise_level": 1.0,
        },
        "Where a stroke hides what tells two digits apart it draws the likelier one, and what is no digit becomes like one.",
        stored=1000,
        frames=0,
    ),
    "fashion-mnist-modern": ShippedRun(
        {"dataset": "fashion-mnist", "architecture": "modern", "code_size": 2, "epochs": 200},
        _FASHION_OVERLAP,
    ),
    "fashion-mnist-variational": ShippedRun(
        {"dataset": "fashion-mnist", "architecture": "variational", "code_size": 2, "epochs": 100}, _FASHION_OVERLAP
    ),
    "fashion-mnist-modern-16": ShippedRun(
        {"dataset": "fashion-mnist", "architecture": "modern", "code_size": 16, "epochs": 100, "batch_size": 256},
        "Fine prints and lettering are smoothed away.",
        frames=BEGIN_AND_END,
    ),
    "cats-convolutional-variational": ShippedRun(
        _cats("convolutional-variational", 10, epochs=60, **_CATS, beta=0.1, total_correlation=2.0),
        "Drawn cats only: it knows nothing of photographs. Whiskers are thin and come out soft.",
        frames=FEW,
    ),
    "cats-convolutional-variational-2": ShippedRun(
        _cats("convolutional-variational", 2, epochs=15, **_CATS, beta=0.5),
        "Two numbers hold little of nine factors: the width of the face, in part the fur; the rest is an average.",
    ),
    "cats-modern-convolutional-2": ShippedRun(
        _cats("modern-convolutional", 2, epochs=15),
        "Folds nine factors into two numbers: neighbours on the map may be very different cats.",
    ),
    "shapes-convolutional-variational": ShippedRun(
        {
            "dataset": "shapes",
            "architecture": "convolutional-variational",
            "code_size": 6,
            "epochs": 40,
            "beta": 0.3,
            "total_correlation": 1.0,
        },
        "Rotation and x have no clean dimension of their own, nor has which of three shapes it is: that has no order.",
        frames=FEW,
    ),
    "shapes-convolutional-variational-2": ShippedRun(
        {"dataset": "shapes", "architecture": "convolutional-variational", "code_size": 2, "epochs": 40},
        "Two numbers hold the place of a shape; its size, tilt and kind are blurred.",
    ),
    "shapes-modern-convolutional-2": ShippedRun(
        {"dataset": "shapes", "architecture": "modern-convolutional", "code_size": 2, "epochs": 40},
        "Folds five factors into two numbers: the map has seams.",
    ),
    "text-denoising": ShippedRun(
        {
            "dataset": "text",
            "architecture": "convolutional-grid",
            "code_size": 144,
            "epochs": 60,
            "learning_rate": 0.004,
            "loss": "bernoulli",
            "noise": "stains",
            "noise_level": 1.0,
        },
        "One font, upright, slanted or bold, of 14 to 26 pixels, dark on light: other writing comes out like it.",
        stored=200,
        frames=0,
    ),
    "tones-denoising": ShippedRun(
        {
            "dataset": "tones",
            "architecture": "modern",
            "code_size": 96,
            "epochs": 100,
            "noise": "gaussian",
            "noise_level": 0.25,
        },
        "It knows hiss of one strength, and sees 16 ms at once: a spectral gate, which sees more, does better.",
        stored=60,
        frames=0,
    ),
}
ZOO = {
    name: replace(one, choices={**_DEFAULTS, **_OF.get(one.choices["architecture"], {}), **one.choices})
    for name, one in ZOO.items()
}

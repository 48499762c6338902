"""What a training is begun with where nobody chooses: the architecture for a dataset, and the choices that suit both.

Everything follows from facts that are known before a sample is looked at, so that the page and the shell say the same.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import log2, prod, sqrt
from typing import TYPE_CHECKING, Any

from models import architectures, kinds
from models.layers import Layer, Recurrent, Shape, Sum, with_shapes

if TYPE_CHECKING:
    from models.architectures import Blueprint
    from models.data import Dataset

STEPS = 4000  # after which a network of ours has learnt most of what it will
ENOUGH = 1000  # steps for which larger batches are given up
LEAST = 300  # steps without which none has learnt anything
SECONDS = 30.0  # of one core that a training may take by the estimate below; a slow computer takes twice as long
SMALL = 16  # pixels of the longer side up to which dense layers see an image as well as convolutions
ALIKE = 2  # neighbouring pixels that say nearly the same: so many count as one number to learn
FEW = 400  # training samples that a network would learn by heart
MANY = 2000  # training samples from which the learning rate is whole
TRAINED = 0.8  # the share of the samples that is trained on

# What a step costs on a core of 2023, in seconds: by itself and for each array of weights, for each step of a recurrent
# layer, and for each product of two numbers, forward and backward.
STEP, ARRAY, ALONG, PRODUCT = 3e-4, 4e-5, 1.2e-4, 1e-10
EPOCH = 0.01  # seconds of measuring and writing an epoch down


@dataclass(frozen=True)
class Facts:
    """What defaults are chosen by: the kind and the shape of a dataset's samples, and how many there are."""

    kind: str
    shape: tuple[int, ...]
    count: int


def facts_of(dataset: Dataset) -> Facts:
    """The facts of this dataset."""
    return Facts(dataset.kind, dataset.shape, dataset.count)


def architecture(facts: Facts) -> str:
    """The architecture to begin with: one with convolutions for images larger than `SMALL` pixels, else dense layers."""
    large = kinds.get(facts.kind).pixels and max(facts.shape[:2]) > SMALL
    return "modern-convolutional" if large else "modern"


def choices(facts: Facts, name: str, code_size: int) -> dict[str, Any]:
    """The default choices of a training of this architecture, by field of `models.runs.Configuration`.

    Few samples take small batches, a smaller learning rate, and are mixed with each other where a network could learn them by
    heart. Epochs follow from steps: as many as a network needs, or as fit into `SECONDS`. What an architecture names
    among its own defaults is as it says, but for its learning rate, which is that for many samples.
    """
    family = architectures.get(name)
    own = dict(family.defaults)
    if own.get("loss") not in kinds.get(facts.kind).losses:
        own.pop("loss", None)
    trained = max(1.0, TRAINED * facts.count)
    code_size = min(code_size, architectures.MAX_CODE_SIZE, prod(facts.shape))
    blueprint = family.blueprint(facts.kind, facts.shape, code_size)
    batch = own.get("batch_size") or 2 ** round(log2(min(128.0, max(16.0, trained / 30))))
    while "batch_size" not in own and batch > 32 and step_seconds(blueprint, batch) * ENOUGH > SECONDS:
        batch //= 2
    rate = own.get("learning_rate", 0.004) * min(1.0, max(0.25, sqrt(trained / MANY)))
    alike = ALIKE if kinds.get(facts.kind).pixels else 1
    by_heart = blueprint.parameters > trained * prod(facts.shape) / alike  # more weights than numbers to learn
    mixing = min(1.0, FEW / trained) if by_heart else 0.0
    found = {
        "batch_size": batch,
        "learning_rate": _two_digits(rate),
        "mixing": round(mixing, 1),
    }
    each = step_seconds(blueprint, batch)
    per_epoch = max(1.0, trained / batch)
    affordable = SECONDS / (each + EPOCH / per_epoch)
    epochs = max(LEAST, min(STEPS, affordable)) / per_epoch
    return {**own, **found, "epochs": own.get("epochs") or max(1, round(_two_digits(epochs)))}


def step_seconds(blueprint: Blueprint, batch: int) -> float:
    """About how long a training step of this batch takes on one core."""
    layers = [
        (layer, shape)
        for part, start in ((blueprint.encoder, blueprint.shape), (blueprint.decoder, (blueprint.code_size,)))
        for layer, shape in with_shapes(part, start)
    ]
    along = sum(_along(layer, shape) for layer, shape in layers)
    return STEP + ARRAY * len(blueprint.weights) + ALONG * along + PRODUCT * blueprint.products * batch


def _along(layer: Layer, shape: Shape) -> int:
    """The steps that wait for one another in a layer, or in its branches."""
    if isinstance(layer, Sum):
        return sum(_along(one, at) for branch in layer.branches for one, at in with_shapes(branch, shape))
    return shape[0] if isinstance(layer, Recurrent) else 0


def _two_digits(value: float) -> float:
    return float(f"{value:.2g}")

"""Dense networks whose layers somebody chose in the browser, by names that say them: `dense-variational-norm-128-64`.

The browser lists the same layers by the same names (`layersOf` in the explorer's src/learning/spec.ts).
"""

from __future__ import annotations

import re
from functools import cache
from math import prod
from typing import Any

from models.layers import Activation, Dense, Flatten, Layer, LayerNorm, Reshape, Shape

MOST = 1024  # units of a layer
_NAME = re.compile(r"dense(-variational)?-(relu|gelu|norm|sigmoid)((?:-[1-9]\d{0,3}){0,4})")
TITLES = {"relu": "ReLU", "gelu": "GELU", "norm": "layer norm and GELU", "sigmoid": "sigmoid"}


@cache
def named(name: str) -> dict[str, Any] | None:
    """The fields of the `Architecture` that such a name says; None where it says none."""
    found = _NAME.fullmatch(name)
    widths = tuple(int(one) for one in found[3].split("-")[1:]) if found else ()
    if found is None or any(width > MOST for width in widths):
        return None
    variational, kind = bool(found[1]), found[2]

    def hidden(units: tuple[int, ...]) -> tuple[Layer, ...]:
        after: tuple[Layer, ...] = (LayerNorm(), Activation("gelu")) if kind == "norm" else (Activation(kind),)
        return tuple(layer for width in units for layer in (Dense(width), *after))

    def layers(shape: Shape, code_size: int) -> tuple[tuple[Layer, ...], tuple[Layer, ...]]:
        code = Dense(2 * code_size if variational else code_size)
        return (Flatten(), *hidden(widths), code), (*hidden(widths[::-1]), Dense(prod(shape)), Reshape(shape))

    told = f" {'–'.join(map(str, widths))}, {TITLES[kind]}" if widths else ", linear"
    return {
        "name": name,
        "title": f"{'Variational' if variational else 'Dense'}{told}",
        "summary": "A dense network whose layers were chosen in the browser, where it was trained.",
        "paper": "Bourlard and Kamp, Auto-association by multilayer perceptrons, Biological Cybernetics 59, 1988",
        "layers": layers,
        "variational": variational,
        "defaults": {"loss": "calibrated"} if variational else {},
    }

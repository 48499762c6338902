"""A torch module as layers that the browser computes itself, where it is made of such layers alone.

What is written here is checked twice: by the shapes that come out, and in the browser against an answer of the module.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

Layers = tuple[list[dict[str, Any]], dict[str, NDArray[Any]]]


class Unknown(Exception):
    """A layer that the browser has not."""


def layers(decoder: Any, size: int, found: tuple[int, ...], shape: tuple[int, ...], first: bool) -> Layers | None:
    """The layers of a decoder of codes of `size` numbers, as models/layers lists them, and their weights; None where it is no
    torch module or has others.

    found: the shape of what it gives of a code; shape: (H, W, C) of that as an image; first: whether channels come first
    in what it gives.
    """
    torch = sys.modules.get("torch")
    if torch is None or not isinstance(decoder, torch.nn.Module):
        return None
    listed: list[dict[str, Any]] = []
    weights: dict[str, NDArray[Any]] = {}
    now: tuple[int, ...] = (size,)
    try:
        for module in _steps(decoder, torch.nn):
            now = _add(module, torch.nn, now, listed, weights)
    except Unknown:
        return None
    if prod(now) != prod(found):
        return None
    if first:
        if now != found:
            listed.append({"layer": "Reshape", "shape": list(found)})
        listed.append({"layer": "ChannelsLast", "height": found[1], "width": found[2]})
    else:
        listed.append({"layer": "Reshape", "shape": list(shape)})
    return listed, weights


def _steps(module: Any, nn: Any) -> Iterator[Any]:
    """The layers of a module one after the other. Of a module of somebody's own the one child is meant: whether its
    `forward` does more is seen where the answers are compared."""
    children = list(module.children())
    if isinstance(module, nn.Sequential):
        for child in children:
            yield from _steps(child, nn)
    elif not children:
        yield module
    elif len(children) == 1:
        yield from _steps(children[0], nn)
    else:
        raise Unknown


def _add(
    module: Any, nn: Any, shape: tuple[int, ...], listed: list[dict[str, Any]], weights: dict[str, NDArray[Any]]
) -> tuple[int, ...]:
    """Lists one layer; returns the shape that leaves it."""
    if isinstance(module, nn.Dropout | nn.Identity):
        return shape
    layer, after = _layer(module, nn, shape)
    name = f"decoder.{len(listed)}"
    listed.append(layer)
    given = dict(module.named_parameters())
    for part, value in given.items():
        weights[f"{name}.{part}"] = value.detach().cpu().float().numpy()
    if "weight" in given and "bias" not in given:
        weights[f"{name}.bias"] = np.zeros(len(weights[f"{name}.weight"]), np.float32)
    return after


def _layer(  # noqa: PLR0911 (a line for each kind of layer)
    module: Any, nn: Any, shape: tuple[int, ...]
) -> tuple[dict[str, Any], tuple[int, ...]]:
    """One layer and the shape that leaves it. `Unknown` where the browser has none that does the same."""
    if isinstance(module, nn.Linear) and len(shape) == 1:
        return {"layer": "Dense", "units": module.out_features}, (module.out_features,)
    activation = {nn.ReLU: "relu", nn.Sigmoid: "sigmoid", nn.GELU: "gelu"}.get(type(module))
    if activation and getattr(module, "approximate", "none") == "none":
        return {"layer": "Activation", "kind": activation}, shape
    if isinstance(module, nn.LayerNorm) and tuple(module.normalized_shape) == shape and module.eps == 1e-5:
        return {"layer": "LayerNorm"}, shape
    if isinstance(module, nn.Flatten) and module.start_dim == 1:
        return {"layer": "Flatten"}, (prod(shape),)
    if isinstance(module, nn.Unflatten) and module.dim == 1 and len(shape) == 1:
        return {"layer": "Reshape", "shape": list(module.unflattened_size)}, tuple(module.unflattened_size)
    if isinstance(module, nn.Upsample) and module.scale_factor == 2 and module.mode == "nearest" and len(shape) == 3:
        return {"layer": "Upsample"}, (shape[0], 2 * shape[1], 2 * shape[2])
    if isinstance(module, nn.PixelShuffle) and len(shape) == 3:
        k = module.upscale_factor
        return {"layer": "PixelShuffle", "factor": k}, (shape[0] // k**2, k * shape[1], k * shape[2])
    if isinstance(module, nn.Conv2d) and len(shape) == 3:
        return _convolution(module, shape)
    raise Unknown


def _convolution(module: Any, shape: tuple[int, ...]) -> tuple[dict[str, Any], tuple[int, ...]]:
    """One of stride 1 whose output is as large as its input, the same in both directions."""
    kernel = module.kernel_size[0]
    same = module.padding == "same" or (kernel % 2 == 1 and tuple(module.padding) == (kernel // 2, kernel // 2))
    plain = (
        module.kernel_size == (kernel, kernel)
        and tuple(module.stride) == (1, 1)
        and tuple(module.dilation) == (1, 1)
        and module.groups == 1
        and module.padding_mode == "zeros"
    )
    if not (same and plain):
        raise Unknown
    listed = {"layer": "Convolution", "channels": module.out_channels, "kernel": kernel, "stride": 1}
    return listed, (module.out_channels, *shape[1:])

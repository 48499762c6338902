"""Architectures: one file in this folder is one family of encoders and decoders, found by its presence.

Such a file defines `ARCHITECTURE`, an `Architecture`, whose `layers` function lists encoder and decoder for a
sample shape and a code size. Everything else (counting, drawing, training, export) follows from the two lists.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from math import prod
from typing import TYPE_CHECKING, Any, TypeAlias

from models import Problem
from models.architectures._chosen import named
from models.discovery import Unusable, discover, named_like_file, texts
from models.kinds import KINDS
from models.layers import (
    Activation,
    GroupNorm,
    Layer,
    LayerNorm,
    Shape,
    count,
    definitions,
    listed,
    products,
    sequence,
    sequence_text,
    shape_after,
    weight_shapes,
    with_shapes,
)

if TYPE_CHECKING:
    from torch import nn

MAX_CODE_SIZE = 256
# A sample of each kind, with which it is seen whether the layers of an architecture fit together.


@dataclass(frozen=True)
class Blueprint:
    """Encoder and decoder for one sample shape and code size.

    A variational encoder ends in 2 D numbers: the D means, then the D log-variances of the code.
    """

    shape: Shape
    code_size: int
    encoder: tuple[Layer, ...]
    decoder: tuple[Layer, ...]
    variational: bool

    @property
    def weights(self) -> dict[str, Shape]:
        """Name and shape of every weight, as saved."""
        encoder = weight_shapes(self.encoder, self.shape, "encoder")
        return {**encoder, **weight_shapes(self.decoder, (self.code_size,), "decoder")}

    @property
    def parameters(self) -> int:
        """How many numbers are trained."""
        return count(self.weights)

    @property
    def products(self) -> int:
        """How many pairs of numbers are multiplied to encode and decode one sample."""
        return products(self.encoder, self.shape) + products(self.decoder, (self.code_size,))

    @property
    def compression(self) -> float:
        """How many numbers of a sample share one number of its code."""
        return prod(self.shape) / self.code_size

    def listed(self) -> dict[str, list[dict[str, Any]]]:
        """The layers of both parts as plain values: what a browser computes them from."""
        return {"encoder": listed(self.encoder), "decoder": listed(self.decoder)}

    def steps(self) -> list[Step]:
        """The hourglass from sample to sample: where data has a size worth drawing."""
        out = [Step("sample", self.shape, 0, "encoder")]
        for part, layers, shape in (
            ("encoder", self.encoder, self.shape),
            ("decoder", self.decoder, (self.code_size,)),
        ):
            for layer, at in with_shapes(layers, shape):
                parameters, after = count(layer.weights(at)), layer.output(at)
                if isinstance(layer, LayerNorm | GroupNorm):  # belongs to the layer before
                    out[-1] = replace(out[-1], parameters=out[-1].parameters + parameters)
                elif parameters or prod(after) != prod(at):
                    out.append(Step(type(layer).__name__, after, parameters, part))
            if part == "encoder":
                out[-1] = replace(out[-1], layer="code", shape=(self.code_size,), part="code")
        out[-1] = replace(out[-1], layer="reconstruction", shape=self.shape)
        return out

    def pytorch(self, weights: str = "weights.safetensors") -> str:
        """A program that makes this very model with torch alone and loads its saved weights from the file `weights`.

        It defines `encoder` and `decoder` (the modules of `build`, with the same weights by the same names), `model`,
        which holds both, and `reconstruct`. Written without torch.
        """
        parts = (("encoder", self.encoder, self.shape), ("decoder", self.decoder, (self.code_size,)))
        classes = dict.fromkeys(text for _, layers, shape in parts for text in definitions(layers, shape))
        modules = [f"{name} = {sequence_text(layers, shape)}" for name, layers, shape in parts]
        body = "\n".join([*(f"{text}\n" for text in classes), *modules])
        imports = [
            *(["import torch"] if self.variational else []),
            "from safetensors.torch import load_file",
            "from torch import nn",
            *(["from torch.nn import functional as F"] if "F.pad(" in body else []),
        ]
        kind = next(kind for kind in KINDS.values() if kind.axes == len(self.shape))
        given = f"{kind.many} (B, {', '.join(map(str, self.shape))}), {'values from 0 to 1' if kind.pixels else 'standardised'}"
        through = [f"    return decoder(encoder(x))  # encoder(x): the codes (B, {self.code_size})"]
        if self.variational:
            through = [
                "    mean, log_variance = encoder(x).chunk(2, dim=1)",
                "    z = mean + torch.exp(log_variance / 2) * torch.randn_like(mean)  # a draw, as in training",
                f"    return decoder(z)  # the codes (B, {self.code_size}) are the means",
            ]
        return "\n".join(
            [
                *imports,
                "",
                body,
                'model = nn.ModuleDict({"encoder": encoder, "decoder": decoder}).eval()',
                f"model.load_state_dict(load_file({json.dumps(weights)}))",
                "",
                f"def reconstruct(x):  # {given}",
                *through,
                "",
            ]
        )

    def build(self) -> Autoencoder:
        """The torch modules, freshly initialised. Imports torch."""
        return Autoencoder(self, sequence(self.encoder, self.shape), sequence(self.decoder, (self.code_size,)))


@dataclass(frozen=True)
class Step:
    """One bar of the hourglass: the shape after a layer, and the parameters that lead to it."""

    layer: str
    shape: Shape
    parameters: int
    part: str


@dataclass(frozen=True)
class Autoencoder:
    """A built blueprint. encoder: (B, *shape) -> (B, D), or (B, 2 D) when variational. decoder: (B, D) -> (B, *shape)."""

    blueprint: Blueprint
    encoder: nn.Sequential
    decoder: nn.Sequential


Layers: TypeAlias = Callable[[Shape, int], tuple[tuple[Layer, ...], tuple[Layer, ...]]]


@dataclass(frozen=True)
class Architecture:
    """A family of autoencoders. layers(shape, D) gives encoder and decoder without the output's activation.

    defaults: the training choices that suit it, by field of `models.runs.Configuration`. earlier: what `layers` was up to
    and including a version of the recipe (`models.runs.RECIPE`), for runs that were trained then.
    """

    name: str
    title: str
    summary: str
    paper: str
    layers: Layers
    variational: bool = False
    kinds: tuple[str, ...] = tuple(KINDS)
    defaults: Mapping[str, Any] = field(default_factory=dict)
    earlier: Mapping[int, Layers] = field(default_factory=dict)

    @property
    def takes(self) -> str:
        """The kinds of samples it takes, in words: "takes images and signals"."""
        words = [f"{kind}s" for kind in self.kinds]
        return "takes " + " and ".join(filter(None, (", ".join(words[:-1]), words[-1])))

    def blueprint(self, kind: str, shape: Shape, code_size: int, recipe: int | None = None) -> Blueprint:
        """The layers for samples of this kind and shape, as they were under this version of the recipe; None stands for
        today's. `Problem` when the kind or the code size does not fit, and when the layers do not end in the code, or in the
        sample's shape.

        Images leave through a sigmoid, since they lie in [0, 1]; standardised signals and rows leave as they are.
        """
        if kind not in self.kinds:
            raise Problem(
                f"{self.title} takes {' and '.join(self.kinds)} samples",
                f"these are of kind {kind}",
                "choose another architecture or dataset",
            )
        most = min(MAX_CODE_SIZE, prod(shape))
        if not 1 <= code_size <= most:
            raise Problem(f"code size must be 1 to {most}; {code_size} was given")
        since = [version for version in sorted(self.earlier) if recipe is not None and recipe <= version]
        layers = self.earlier[since[0]] if since else self.layers
        encoder, decoder = layers(shape, code_size)
        output = (Activation("sigmoid"),) if KINDS[kind].pixels else ()
        blueprint = Blueprint(shape, code_size, encoder, (*decoder, *output), self.variational)
        wide = (code_size * (2 if self.variational else 1),)
        for part, came, wanted in (
            ("encoder", shape_after(blueprint.encoder, shape), wide),
            ("decoder", shape_after(blueprint.decoder, (code_size,)), shape),
        ):
            if came != wanted:
                raise Problem(
                    f"the {part} of {self.title} gives the shape {came} for samples {shape} at D = {code_size}",
                    f"{wanted} was expected",
                    "correct its layers, or choose another architecture",
                )
        return blueprint


def available() -> dict[str, Architecture]:
    """Every architecture in this folder by name, simplest first."""
    return discovered()[0]


def broken() -> list[Problem]:
    """What is wrong with the files in this folder that give no architecture."""
    return discovered()[1]


@cache
def discovered() -> tuple[dict[str, Architecture], list[Problem]]:
    """What `available` and `broken` give."""
    all_, problems = discover(
        __name__, __path__, "ARCHITECTURE", Architecture, _check, names=lambda architecture: (architecture.name,)
    )
    size = {
        one.name: (one.variational, one.blueprint(one.kinds[0], KINDS[one.kinds[0]].example, 2).parameters)
        for one in all_
    }
    return {one.name: one for one in sorted(all_, key=lambda one: size[one.name])}, problems


def _check(architecture: Architecture, file: str) -> None:
    """`Unusable` where an architecture cannot be used, `Problem` where its layers do not fit together."""
    named_like_file(architecture.name, file)
    texts(architecture, "title", "summary", "paper")
    if not architecture.kinds or not set(architecture.kinds) <= set(KINDS):
        raise Unusable(f"takes samples of kinds {architecture.kinds}", f"some of {', '.join(KINDS)} were expected")
    for kind in architecture.kinds:
        blueprint = architecture.blueprint(kind, KINDS[kind].example, 2)
        assert blueprint.parameters and blueprint.steps() and blueprint.pytorch()


def get(name: str) -> Architecture:
    """The architecture of that name, also one that says its layers (`_chosen`); a `Problem` with the names that exist
    otherwise."""
    if found := available().get(name):
        return found
    if said := named(name):
        return Architecture(**said)
    raise Problem(f"the architecture “{name}” is unknown", f"known architectures are {', '.join(available())}")

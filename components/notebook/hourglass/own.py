"""Codes and a decoder of somebody's own, as files of a run that the explorer reads."""

from __future__ import annotations

import copy
import gzip
import json
import sys
import time
from collections.abc import Callable, Sequence
from functools import cached_property
from math import isqrt, prod
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from hourglass import known

Decoder = Callable[[Any], Any]

BATCH = 256  # codes that a decoder is handed at once, at most
SLACK = 0.3  # by which a linear decoder of numbers from 0 to 1 may miss these
MANY = 100  # different numbers, and not whole: no names of classes
TRIED = 64  # codes that are decoded once, to see what comes out
AHEAD = 1_000  # samples that are drawn ahead, at most
NEAR = 1_000  # codes whose distance to the next one is measured
MEASURED = 2.0  # seconds in which all originals have to be decoded for their errors to be measured
FEWEST = 16  # samples that are drawn ahead, at least
TOGETHER = 32  # of these at once
AGAINST = 10_000  # by so many others
PERCENTILE = 99
SMALLEST_SQUARE = 16  # numbers that are taken for a square image where nothing else is said


class Own:
    """Codes (N, D) with labels and originals, and what decodes them.

    codes: N rows of D numbers, a DataFrame or an array. labels: N names, numbers or categories. decoder: from codes (B, D)
    to images (B, H, W), (B, H, W, C), (B, C, H, W) or flat ones with `shape`; or to rows of numbers. A torch module is
    called with a tensor, without gradients and with dropout off; anything else with an array, or where it refuses that and
    torch is there, with a tensor. images: the N originals. ValueError, TypeError where these do not fit together.
    """

    def __init__(
        self,
        codes: ArrayLike,
        labels: Sequence[Any] | None,
        decoder: Decoder,
        images: ArrayLike | None = None,
        shape: tuple[int, ...] | None = None,
        title: str = "",
    ) -> None:
        values = np.asarray(to_array(codes), np.float32)
        if values.ndim != 2 or 0 in values.shape:
            raise ValueError(f"codes are N rows of D numbers; an array of shape {values.shape} was given")
        if not np.isfinite(values).all():
            raise ValueError("some codes are not finite numbers; leave these rows out")
        self.codes = values
        self.decoder = decoder
        self.title = title or f"{_name(decoder)}, {len(values):,} codes"
        try:
            self._how = _how(decoder, values[:1])
        except Exception as error:
            error.add_note(f"hourglass called the decoder with codes of shape {values[:1].shape}.")
            raise
        begun = time.perf_counter()
        self._tried = self._answer(values[np.linspace(0, len(values) - 1, min(TRIED, len(values))).astype(int)])
        self._pace = (time.perf_counter() - begun) / len(self._tried)  # seconds for one code
        self._ahead: tuple[NDArray[np.float32], NDArray[np.float32]] | None = None
        self.shape = _shape(self._tried.shape, shape)
        self.kind = "image" if len(self.shape) == 3 else "table"
        # Originals say best what is black and white, where they are numbers as the decoder gives them.
        given = self._tried if images is None or self._tried.dtype == np.uint8 else to_array(images)
        given = self._tried if given.dtype == np.uint8 else given
        self._range = _range(given) if self.kind == "image" else (0.0, 1.0)
        self.classes, self.labels = _labels(labels, len(values))
        self.images = None if images is None else self._originals(images)

    def decode(self, codes: ArrayLike) -> NDArray[np.float32]:
        """Images (B, H, W, C) from 0 to 1, or rows (B, F), of codes (B, D)."""
        values = np.atleast_2d(np.asarray(codes, np.float32))
        parts = [self._placed(self._answer(values[i : i + BATCH])) for i in range(0, len(values), BATCH)]
        low, high = self._range
        return ((np.concatenate(parts) - np.float32(low)) / np.float32(high - low)).astype(np.float32)

    @cached_property
    def _errors(self) -> NDArray[np.float32]:
        """The mean squared error (N,) of each original."""
        assert self.images is not None
        return np.asarray(
            np.square(self.decode(self.codes) - self.images / np.float32(255)).mean(axis=(1, 2, 3)), np.float32
        )

    def ahead(self, most: int, seconds: float) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Places (K, D) and what the decoder draws there (K, *shape), of K <= most: half of them codes, half on a lattice
        between them where codes have one or two numbers, else codes.

        Drawing ends after so many seconds, with a few at least, and what is drawn is kept: a decoder may be slow.
        """
        places = self._places
        done = (np.zeros((0, places.shape[1]), np.float32), np.zeros((0, *self.shape), np.float32))
        known, drawn = self._ahead or done
        end = time.perf_counter() + seconds
        while len(known) < most and len(known) < len(places):
            if len(known) >= FEWEST and time.perf_counter() > end:
                break
            step = TOGETHER if self._pace * TOGETHER < seconds else FEWEST
            some = places[len(known) : len(known) + step]
            known, drawn = np.concatenate([known, some]), np.concatenate([drawn, self.decode(some)])
        self._ahead = known, drawn
        return known[:most], drawn[:most]

    @cached_property
    def _places(self) -> NDArray[np.float32]:
        """Where samples are drawn ahead, in an order in which the first few are spread over all."""
        dice, size = np.random.default_rng(0), self.codes.shape[1]
        codes = self.codes[dice.permutation(len(self.codes))[: AHEAD // 2 if size < 3 else AHEAD]]
        if size > 2:
            return codes
        side = int((AHEAD // 2) ** (1 / size))
        edges = [np.linspace(self.codes[:, d].min(), self.codes[:, d].max(), side) for d in range(size)]
        lattice = np.stack([axis.ravel() for axis in np.meshgrid(*edges, indexing="ij")], 1)
        return dice.permutation(np.concatenate([codes, lattice]).astype(np.float32))

    def _answer(self, codes: NDArray[np.float32]) -> NDArray[Any]:
        found = to_array(self._how(codes))
        if len(found) != len(codes):
            raise ValueError(f"the decoder gave {len(found)} samples for {len(codes)} codes")
        return found

    def _placed(self, found: NDArray[Any]) -> NDArray[Any]:
        """What the decoder gave, with channels last."""
        if found.ndim == 4 and _channels_first(found.shape):
            found = np.moveaxis(found, 1, -1)
        return found.reshape(len(found), *self.shape)

    def _originals(self, images: ArrayLike) -> NDArray[np.uint8]:
        given = to_array(images)
        if self.kind != "image":
            raise ValueError("images= are originals of a decoder that gives images")
        if len(given) != len(self.codes) or prod(given.shape[1:]) != prod(self.shape):
            raise ValueError(
                f"{len(self.codes):,} images of shape {self.shape} belong to these codes; {given.shape} was given"
            )
        placed = self._placed(given)
        if given.dtype == np.uint8:
            return placed
        low, high = _range(given)
        return np.clip((placed - low) / (high - low) * 255, 0, 255).round().astype(np.uint8)

    # As a run

    @cached_property
    def _translated(self) -> tuple[list[dict[str, Any]], dict[str, NDArray[Any]]] | None:
        """Layers and weights, where the decoder is a torch module made of layers that the browser has."""
        if self.kind != "image" or self._range != (0.0, 1.0):
            return None
        found = self._tried.shape
        first = len(found) == 4 and _channels_first(found)
        return known.layers(self.decoder, self.codes.shape[1], found[1:], self.shape, first)

    @property
    def decodes(self) -> str:
        """Who decodes: "kernel", or "either" where the browser may, if it gives the same."""
        return "kernel" if self._translated is None else "either"

    @cached_property
    def card(self) -> dict[str, Any]:
        """run.json, as far as the explorer reads it."""
        codes = self.codes.astype(np.float64)
        variance = codes.var(0)
        size = codes.shape[1]
        layers = {} if self._translated is None else {"decoder": self._translated[0]}
        return {
            "format": 1,
            "id": "",
            "dataset": {
                "name": "",
                "title": self.title,
                "kind": self.kind,
                "shape": list(self.shape),
                "classes": self.classes,
                "label": "class" if self.classes else None,
                "factors": [],
                "count": len(codes),
            },
            "architecture": {"title": _name(self.decoder), "variational": False, "layers": layers},
            "codes": {
                "count": len(codes),
                "size": size,
                "low": codes.min(0).tolist(),
                "high": codes.max(0).tolist(),
                "mean": codes.mean(0).tolist(),
                "variance": variance.tolist(),
                "kl": None,
                "dead": (variance == 0).tolist(),
                "nearest_p99": _usual_distance(self.codes),
            },
            "projections": {"pca": _main_plane(codes) if size > 2 else None, "tsne": None},
            "replay": None,
            "thumbnails": None if self.images is None else {"shape": list(self.shape)},
            "files": {},
            "errors": self.images is not None and len(codes) * self._pace <= MEASURED,
        }

    def read(self, name: str) -> bytes:
        """A file as the explorer asks for it. KeyError where there is none."""
        if name == "run.json":
            return json.dumps(self.card, allow_nan=False).encode()
        if name == "codes.f32":
            return self.codes.astype("<f4").tobytes()
        if name == "labels.i32":
            return self.labels.astype("<i4").tobytes()
        if name == "errors.f32" and self.card["errors"] and self.images is not None:
            return self._errors.astype("<f4").tobytes()
        if name == "thumbnails.u8.gz" and self.images is not None:
            return gzip.compress(self.images.tobytes(), 3)
        if name == "decoder.safetensors" and self._translated is not None:
            from safetensors.numpy import save

            return bytes(save(self._translated[1]))
        raise KeyError(name)


def _name(decoder: Any) -> str:
    name = getattr(decoder, "__name__", "") or type(decoder).__name__
    return "Your decoder" if name == "<lambda>" else name


def is_torch(decoder: Any) -> bool:
    """Whether it is a module of torch. torch is not imported for the question: whose module it is has imported it."""
    torch = sys.modules.get("torch")
    return torch is not None and isinstance(decoder, torch.nn.Module)


def to_array(values: Any) -> NDArray[Any]:
    """A tensor of torch, TensorFlow or JAX, a list or an array, as an array."""
    if values is None or isinstance(values, tuple):
        what = "nothing" if values is None else f"a tuple of {len(values)}"
        raise TypeError(f"the decoder gives {what}; an array of images is needed")
    if hasattr(values, "detach"):
        values = values.detach().cpu()
        values = values.float() if str(values.dtype) == "torch.bfloat16" else values
    return np.asarray(values.numpy() if hasattr(values, "numpy") else values)


def _how(decoder: Decoder, code: NDArray[np.float32]) -> Decoder:
    """How the decoder is called with an array of codes."""
    if not callable(decoder):
        raise TypeError(f"decoder= takes a function from codes (B, D) to images; {type(decoder).__name__} was given")
    module = decoder if is_torch(decoder) else getattr(decoder, "__self__", None)
    if is_torch(module):
        return _by_torch(module, "__call__" if module is decoder else decoder.__name__)
    try:
        decoder(code)
    except Exception as error:
        torch = sys.modules.get("torch")
        if torch is None:
            raise
        try:
            with torch.no_grad():
                decoder(torch.from_numpy(code))
        except Exception as second:
            # A function of tensors complains about the array first: that says nothing.
            if "Tensor" in str(error):
                raise second from None
            raise error from None
        return lambda codes: _with_tensor(decoder, codes)
    return decoder


def _with_tensor(decoder: Decoder, codes: NDArray[np.float32]) -> Any:
    torch = sys.modules["torch"]
    with torch.no_grad():
        return decoder(torch.from_numpy(codes))


def _by_torch(module: Any, method: str) -> Decoder:
    """A method of a module, called where the module is and with its own type of numbers, in evaluation mode.

    What is called is a copy that has the module's weights of the moment: the module itself may be learning in another thread,
    since notebooks answer while a cell runs, and must not be found in evaluation mode there.
    """
    torch = sys.modules["torch"]
    twin = copy.deepcopy(module).eval().requires_grad_(False)

    def answer(codes: NDArray[np.float32]) -> Any:
        twin.load_state_dict(module.state_dict())
        first = next(module.parameters(), None)
        if first is not None:
            twin.to(first.device, first.dtype)
        tensor = torch.from_numpy(codes)
        with torch.no_grad():
            return getattr(twin, method)(tensor if first is None else tensor.to(first.device, first.dtype))

    return answer


def _channels_first(shape: tuple[int, ...]) -> bool:
    """Whether images (B, …) of this shape are (B, C, H, W): where both could be, channels are last."""
    return shape[1] in (1, 3) and shape[3] not in (1, 3)


def _shape(found: tuple[int, ...], asked: tuple[int, ...] | None) -> tuple[int, ...]:
    """(H, W, C) of an image or (F,) of a row, from what a decoder gave (B, …)."""
    values = prod(found[1:])
    if asked is not None:
        whole = (*asked, 1) if len(asked) == 2 else tuple(asked)
        if len(whole) != 3 or prod(whole) != values:
            raise ValueError(
                f"shape={asked} is not the shape of the {values:,} numbers that the decoder gives of a code"
            )
    elif len(found) == 4:
        whole = (found[2], found[3], found[1]) if _channels_first(found) else found[1:]
    elif len(found) == 3:
        whole = (*found[1:], 1)
    elif len(found) == 2:
        side = isqrt(values)
        whole = (side, side, 1) if side * side == values >= SMALLEST_SQUARE else (values,)
    else:
        raise ValueError(
            f"the decoder gives arrays of shape {found}; images (B, H, W), (B, H, W, C) or (B, C, H, W) are shown"
        )
    if len(whole) == 3 and whole[2] not in (1, 3):
        raise ValueError(
            f"images of {whole[2]} channels cannot be shown; the decoder gives {found}, where 1 or 3 are shown"
        )
    return whole


def _range(values: NDArray[Any]) -> tuple[float, float]:
    """What is black and what is white: 0 and 255 of bytes; of other numbers 0 and 1, or -1 and 1, where they lie between
    these; else the least and the greatest."""
    if values.dtype == np.uint8:
        return 0.0, 255.0
    low, high = float(np.min(values)), float(np.max(values))
    if not np.isfinite([low, high]).all():
        raise ValueError("the decoder gives numbers that are not finite")
    for least in (0.0, -1.0):
        if least - SLACK <= low and high <= 1 + SLACK:
            return least, 1.0
    return low, high


def _labels(labels: Sequence[Any] | None, count: int) -> tuple[list[str], NDArray[np.int32]]:
    """The names of the classes, and the place of each sample's among them: -1 where it has none."""
    if labels is None:
        return [], np.full(count, -1, np.int32)
    given = np.asarray(to_array(labels), object).ravel()
    if len(given) != count:
        raise ValueError(f"{count:,} labels belong to these codes; {len(given):,} were given")
    missing = np.array([one is None or one != one for one in given])  # noqa: PLR0124 (NaN alone is not itself)
    kept = set(given[~missing].tolist())
    if len(kept) > MANY and any(isinstance(one, float) and not one.is_integer() for one in kept):
        raise ValueError(
            f"labels are names of classes; these are {len(kept):,} different numbers: cut them first, as pandas.qcut does"
        )
    try:
        classes = sorted(kept)
    except TypeError:  # of several types
        classes = sorted(kept, key=str)
    place = {one: k for k, one in enumerate(classes)}
    return [str(one) for one in classes], np.array(
        [-1 if gone else place[one] for one, gone in zip(given, missing, strict=True)], np.int32
    )


def _usual_distance(codes: NDArray[np.float32]) -> float | None:
    """How far it is from a code to the next one, in 99 of 100 cases, measured with some; None of a single code."""
    if len(codes) < 2:
        return None
    dice = np.random.default_rng(0)
    others = dice.permutation(len(codes))[:AGAINST]
    some = others[:NEAR]
    a, b = codes[some].astype(np.float64), codes[others].astype(np.float64)
    squared = (a**2).sum(1)[:, None] + (b**2).sum(1) - 2 * a @ b.T
    squared[np.arange(len(some)), np.arange(len(some))] = np.inf
    nearest = np.sqrt(np.maximum(squared.min(1), 0))
    # Of some of the codes the next is further than of all: by the D-th root of how many more there are.
    share = (len(others) / len(codes)) ** (1 / codes.shape[1])
    return float(np.percentile(nearest, PERCENTILE) * share)


def _main_plane(codes: NDArray[np.float64]) -> dict[str, Any]:
    """The plane of largest variance, by principal component analysis."""
    mean = codes.mean(0)
    values, vectors = np.linalg.eigh(np.cov(codes, rowvar=False, bias=True))
    order = np.argsort(values)[::-1][:2]
    share = values[order] / max(float(values.sum()), 1e-30)
    return {"mean": mean.tolist(), "components": vectors[:, order].T.tolist(), "explained": share.tolist()}

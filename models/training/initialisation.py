"""How the weights of a network begin."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from math import log

import torch
from torch import Tensor, nn

from models import kinds
from models.training.network import Network

LOOKED_AT = 1000  # samples that weights are fitted to, at most
FEWEST = 64  # of them, however large they are
NUMBERS = 8_000_000  # numbers of these samples, at most
NEAR = 0.3  # standard deviation of what a sigmoid that gives the code sees at first: where it is nearly linear
TURN = 1.2  # how strongly units of a recurrent layer turn into each other
OPEN = 2.0  # bias of a GRU's reset gate: what it remembers is let through
AT_ONCE = 250  # samples on their way through a network
# Standard deviation of what hidden units see at first, and how far from 0 their means are: so the network is nearly linear.
GAIN, SPREAD = 0.25, 1.0
QUIET = -4.0  # log-variance of a code's distribution at first


def initialise(network: Network, recipe: str, training: Tensor, kind: str) -> None:
    """Set the weights, from stored training samples (N, *shape) of this kind.

    Glorot and Bengio 2010 for every dense and convolutional weight and zero for every bias, as Keras does and the
    article relies on; recurrent layers begin as torch has them.

    Our recipe goes on from there. The units of hidden layers see the training samples with equal variance (Krähenbühl et
    al. 2016), and where the last layer is dense they begin to be active at different places; the code begins near that of PCA, each
    dimension with variance 1 (before a sigmoid); and the decoder's last layer as the best linear map from what it sees to
    the samples. Where that layer is a convolution, it begins at the mean of each channel, of images the mean logit, which
    is darker (and better). A code that varies from the first step on does not collapse into the mean sample, and few
    steps on few samples are enough to do better than PCA.
    """
    layers = _weighted(network.encoder, network.decoder)
    for layer in layers:
        nn.init.xavier_uniform_(layer.weight)
        if layer.bias is not None:
            nn.init.zeros_(layer.bias)
    if recipe == "article" or not layers:
        return
    most = min(LOOKED_AT, max(FEWEST, NUMBERS // max(1, training[0].numel())))
    stored, pixels = training[:: -(-len(training) // most)], kinds.get(kind).pixels
    samples = stored.float() / 255 if pixels else stored.float()
    encoder, decoder = network.encoder.cpu(), network.decoder.cpu()  # other devices lack what is needed here
    with torch.no_grad():
        _begin_at_mean(layers[-1], samples, pixels)
        ends = last_dense(encoder)
        size = ends[0].out_features // (2 if network.variational else 1) if ends else 1
        scores = principal_scores(samples.flatten(1), size)
        if any(isinstance(module, nn.Sigmoid) for module in list(encoder)[-1:]):
            scores *= NEAR
        scores *= torch.randint(0, 2, scores.shape[1:]) * 2 - 1  # which side is which, nothing says
        code = _fit(encoder, samples, scores, network.variational)
        # What a sigmoid should be given; drawn in at the ends, since it never gives 0 or 1.
        _fit(decoder, code, torch.logit(samples, eps=0.05) if pixels else samples)
    encoder.to(network.device)
    decoder.to(network.device)


def principal_scores(rows: Tensor, size: int) -> Tensor:
    """Rows (M, F) as PCA sees them, (M, D') with D' = min(D, M - 1, F) columns of mean 0 and variance 1, or less where
    there is nothing left but rounding."""
    centred = (rows - rows.mean(0)).double()
    few = len(rows) <= rows.shape[1]
    values, vectors = torch.linalg.eigh(centred @ centred.T if few else centred.T @ centred)
    count = min(size, max(1, len(rows) - 1), rows.shape[1])
    first = vectors.flip(1)[:, :count]
    scores = first * values.flip(0)[:count].clamp(min=0).sqrt() if few else centred @ first
    spread = scores.std(0, correction=0)
    out: Tensor = (scores / spread.clamp(min=1e-6 * float(spread.max()) + 1e-12)).float()
    return out


def _remember(part: nn.Module, one: Tensor) -> None:
    """Have recurrent layers begin as a reservoir of many time scales; one: what goes into the part for one sample.

    Each unit remembers for 1 to as many steps as there are, another time each (Tallec and Ollivier 2018), and the units
    turn into each other (Jaeger 2001). As torch has them, what they give stands still after a few steps, and nothing that
    goes on longer can be written with it.
    """
    lengths: dict[nn.Module, int] = {}
    layers = [m for m in part.modules() if isinstance(m, nn.LSTM | nn.GRU)]
    hooks = [m.register_forward_pre_hook(lambda m, came: lengths.__setitem__(m, came[0].shape[1])) for m in layers]
    if layers:
        part(one)
    for hook in hooks:
        hook.remove()
    for layer in layers:
        weights, size = dict(layer.named_parameters()), layer.hidden_size
        times = torch.exp(torch.rand(size) * log(max(2.0, lengths[layer])))
        kept = -torch.log(torch.expm1(1 / times)).clamp(-4, 8)  # a gate of exp(-1 / time)
        weights["weight_hh_l0"][2 * size : 3 * size] = TURN * nn.init.orthogonal_(torch.empty(size, size))
        weights["bias_hh_l0"][size : 2 * size] += kept
        if isinstance(layer, nn.LSTM):
            weights["bias_hh_l0"][:size] -= kept
        else:
            weights["bias_hh_l0"][:size] += OPEN


def _weighted(*parts: nn.Module) -> list[nn.Linear | nn.Conv2d]:
    return [m for part in parts for m in part.modules() if isinstance(m, nn.Linear | nn.Conv2d)]


def last_dense(part: nn.Module) -> list[nn.Linear]:
    """The dense layers whose sum leaves this part of a network, but for its activation; none where it ends otherwise."""
    if isinstance(part, nn.Linear):
        return [part]
    if isinstance(part, nn.ModuleList):  # branches that are added
        found = [last_dense(branch) for branch in part]
        return [layer for branch in found for layer in branch] if all(found) else []
    for module in reversed(list(part.children())):
        if any(True for _ in module.parameters()):
            return last_dense(module) if isinstance(module, nn.Linear | nn.ModuleList | nn.Sequential) else []
    return []


def _fit(part: nn.Sequential, inputs: Tensor, wanted: Tensor, variational: bool = False) -> Tensor:
    """Set the weights of an encoder or a decoder by what goes in (M, …) and what should come out (M, …), before an
    activation at its end; returns what comes out, of a variational encoder the means."""
    _remember(part, inputs[:1])
    ends = last_dense(part)
    normalised = any(isinstance(module, nn.LayerNorm | nn.GroupNorm) for module in part.modules())
    with _standardising(
        [layer for layer in _weighted(part)[:-1] if layer not in ends], linear=bool(ends) or normalised
    ):
        part(inputs[:AT_ONCE])
    if ends:
        _regress(part, ends, inputs, wanted, variational)
    out = torch.cat([part(some) for some in inputs.split(AT_ONCE)])
    return out.chunk(2, 1)[0] if variational else out


@contextmanager
def _standardising(layers: list[nn.Linear | nn.Conv2d], linear: bool) -> Iterator[None]:
    """Within it, the first batch through each layer gives its units the standard deviation `GAIN`, and each a mean between
    -SPREAD and SPREAD, so that they are nearly `linear`; or else variance 1 and mean 0."""

    def scale(layer: nn.Module, seen: tuple[Tensor, ...]) -> None:
        assert isinstance(layer, nn.Linear | nn.Conv2d)
        if isinstance(layer, nn.Linear):
            layer.weight.copy_(_keeping(seen[0].flatten(0, -2), layer.out_features))
        out = layer.forward(seen[0])
        units = out.movedim(1, -1) if isinstance(layer, nn.Conv2d) else out
        units = units.reshape(-1, units.shape[-1])
        spread, middle = units.std(0, correction=0), units.mean(0)
        spread = torch.where(spread > 1e-4, spread, 1.0)  # a unit that sees nothing but constants stays as it is
        if len(spread) != len(layer.weight):  # a layer that does more than its weights say
            return
        gain, apart = (GAIN, SPREAD) if linear else (1.0, 0.0)
        spread = spread / gain
        layer.weight /= spread.view(-1, *[1] * (layer.weight.ndim - 1))
        if layer.bias is not None:
            layer.bias.copy_((layer.bias - middle) / spread + apart * (2 * torch.rand(len(spread)) - 1).to(spread))

    hooks = [layer.register_forward_pre_hook(scale) for layer in layers]
    try:
        yield
    finally:
        for hook in hooks:
            hook.remove()


def _keeping(inputs: Tensor, units: int) -> Tensor:
    """Weights (units, F) that turn inputs (M, F) at random (Saxe et al. 2014), and of more inputs than units keep the
    directions in which these vary most."""
    if inputs.shape[1] <= units:
        return nn.init.orthogonal_(torch.empty(units, inputs.shape[1])).to(inputs)
    centred = inputs - inputs.mean(0)
    directions = torch.linalg.svd(centred, full_matrices=False)[2][:units]
    out: Tensor = nn.init.orthogonal_(torch.empty(units, len(directions))).to(inputs) @ directions
    return out


def _regress(part: nn.Sequential, ends: list[nn.Linear], inputs: Tensor, wanted: Tensor, variational: bool) -> None:
    """The weights of the last layers with which their sum is nearest to what is wanted (Hoerl and Kennard 1970).

    Those that see a sample as one row are fitted together, then those along a sequence to what is left.
    """
    seen: dict[nn.Linear, list[Tensor]] = {layer: [] for layer in ends}
    hooks = [layer.register_forward_pre_hook(lambda layer, came: seen[layer].append(came[0])) for layer in ends]
    for some in inputs.split(AT_ONCE):
        part(some)
    for hook in hooks:
        hook.remove()
    left = wanted.flatten(1).double()
    # (M, R, K): of a sequence each step is a row of its own.
    rows = {layer: (whole := torch.cat(some)).reshape(len(inputs), -1, whole.shape[-1]) for layer, some in seen.items()}
    for count in sorted({found.shape[1] for found in rows.values()}):
        together = [layer for layer in ends if rows[layer].shape[1] == count]
        features = torch.cat([rows[layer] for layer in together], -1)
        size = left.shape[1] if count == 1 else count * together[0].out_features
        targets = nn.functional.pad(left, (0, size - left.shape[1])).reshape(len(left), count, -1)
        told = _linear(together, features, targets, variational)
        left = left - told.flatten(1)[:, : left.shape[1]]


def _linear(ends: list[nn.Linear], features: Tensor, targets: Tensor, variational: bool) -> Tensor:
    """Set the weights of layers that are added from what goes in (M, R, K), one layer's features after the other's, to what
    should come out (M, R, O); returns what does."""
    step = -(-features.shape[0] * features.shape[1] // (20 * LOOKED_AT))
    some, wanted = features[::step].double(), targets[::step]
    middle, mean = some.mean((0, 1)), wanted.mean((0, 1))
    weights = ridge(some - middle, wanted - mean)
    count, at = targets.shape[-1], 0
    for i, layer in enumerate(ends):
        own = weights[at : at + layer.in_features]
        at += layer.in_features
        layer.weight[:count] = own.T.to(layer.weight)
        layer.bias.zero_()
        if i == 0:
            layer.bias[:count] = (mean - middle @ weights).to(layer.bias)
        if variational:
            half = layer.out_features // 2
            layer.weight[half:] *= 0.1
            layer.bias[half:] = QUIET if i == 0 else 0.0
    return (features.double() - middle) @ weights + mean


def ridge(features: Tensor, targets: Tensor) -> Tensor:
    """The linear map (K, O) from features (M, R, K) to targets (M, R, O), R rows of each of M samples, both of mean 0: ridge
    regression (Hoerl and Kennard 1970) of the strength that does best on every fourth sample when fitted to the others."""
    judging = torch.arange(len(features)) % 4 == 3
    strengths = [10.0 ** (power / 2) for power in range(-8, 5)]  # less makes weights that float32 cannot tell
    best = 1.0
    if judging.any():
        maps = _ridges(features[~judging].flatten(0, 1), targets[~judging].flatten(0, 1))
        judge, wanted = features[judging].flatten(0, 1), targets[judging].flatten(0, 1)
        best = min(strengths, key=lambda one: float((judge @ maps(one) - wanted).square().sum()))
    return _ridges(features.flatten(0, 1), targets.flatten(0, 1))(best)


def _ridges(features: Tensor, targets: Tensor) -> Callable[[float], Tensor]:
    """The map (K, O) for a strength, which is a multiple of the mean eigenvalue: one decomposition for all."""
    few = len(features) < features.shape[1]
    values, vectors = torch.linalg.eigh(features @ features.T if few else features.T @ features)
    kept = values > 1e-12 * float(values[-1].clamp(min=1e-30))
    values, vectors = values[kept], vectors[:, kept]
    right = features.T @ vectors / values.sqrt() if few else vectors
    along = right.T @ (features.T @ targets)

    def of(strength: float) -> Tensor:
        out: Tensor = right @ (along / (values + strength * values.mean())[:, None])
        return out

    return of


def _begin_at_mean(last: nn.Linear | nn.Conv2d, samples: Tensor, pixels: bool) -> None:
    """The mean sample for the last layer's bias, as far as it can say it."""
    mean = samples.double().mean(0)  # (H, W, C), (T, C) or (F,)
    if pixels:
        mean = torch.logit(mean, eps=0.01)
    if last.bias is None:
        return
    if len(last.bias) != mean.numel():  # a convolution: the same for every pixel of a channel
        channels = mean.reshape(-1, mean.shape[-1]).mean(0)
        many = len(last.bias) // len(channels)  # a row has each channel in turn, what becomes four pixels one by one
        mean = channels.repeat(many) if isinstance(last, nn.Linear) else channels.repeat_interleave(many)
    last.bias.copy_(mean.flatten())

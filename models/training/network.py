"""The torch side of an autoencoder: its modules, how they begin, and the copy that steps are computed with."""

from __future__ import annotations

import copy
import dataclasses
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.optim.adam import adam

from models import codes

# Products of a step from which bfloat16 pays. Of twelve architectures on 8x8, 28x28 and 64x64x3 in two batch sizes none
# above it was slower; below it one would have been faster too (`python benchmarks/training.py --only precision`).
HALF = 20_000_000


@dataclasses.dataclass
class Network:
    """The torch side of an autoencoder: (B, *shape) in [0, 1] or standardised, on `device`.

    Its weights and products are of type `precision`; what comes in and goes out is float32.
    """

    encoder: nn.Sequential
    decoder: nn.Sequential
    variational: bool
    device: torch.device
    precision: torch.dtype = torch.float32

    def __post_init__(self) -> None:
        self.encoder.eval()  # dropout rests; it is at work in the copy that learns
        self.decoder.eval()

    def encode(self, x: Tensor) -> tuple[Tensor, Tensor | None]:
        """Codes (B, D), and their log-variances when variational."""
        out = self.encoder(x.to(self.precision)).float()
        if not self.variational:
            return out, None
        mean, log_variance = out.chunk(2, dim=1)
        return mean, log_variance

    def decode(self, code: Tensor) -> Tensor:
        """Samples (B, *shape) of codes (B, D)."""
        out: Tensor = self.decoder(code.to(self.precision))
        return out.float()

    def parameters(self) -> list[nn.Parameter]:
        """What is trained, in a fixed order."""
        return [*self.encoder.parameters(), *self.decoder.parameters()]

    def flatten(self) -> Tensor:
        """Lay all parameters into one tensor, which is returned: what changes it changes them."""
        parameters = self.parameters()
        flat = torch.cat([one.detach().reshape(-1) for one in parameters])
        for one, part in zip(parameters, flat.split([one.numel() for one in parameters]), strict=True):
            one.data = part.view(one.shape)
        return flat

    def weights(self) -> dict[str, Tensor]:
        """Every weight by the name it is saved under."""
        parts = (("encoder", self.encoder), ("decoder", self.decoder))
        return {f"{part}.{name}": value for part, module in parts for name, value in module.state_dict().items()}

    def load(self, weights: dict[str, Tensor]) -> None:
        """Take over weights as `weights()` gives them."""
        for part, module in (("encoder", self.encoder), ("decoder", self.decoder)):
            own = {name.removeprefix(f"{part}."): value for name, value in weights.items() if name.startswith(part)}
            module.load_state_dict(own)


class Adam:
    """Adam (Kingma and Ba 2014) for one tensor, by the function that torch.optim.Adam calls.

    That class loads torch's compiler first, two seconds of imports in every process that trains.
    """

    def __init__(self, own: Tensor, betas: tuple[float, float], eps: float, fused: bool) -> None:
        self.own, self.betas, self.eps, self.fused = own, betas, eps, fused
        steps = torch.zeros((), device=own.device if fused else "cpu")
        self.state = {"step": steps, "exp_avg": torch.zeros_like(own), "exp_avg_sq": torch.zeros_like(own)}

    @torch.no_grad()
    def load(self, state: dict[str, Tensor]) -> None:
        """Go on from a state as `state` holds it."""
        for name, value in self.state.items():
            value.copy_(state[name].view_as(value))

    @torch.no_grad()
    def step(self, gradient: Tensor, rate: float) -> None:
        """One step of so large a rate down the gradient."""
        steps, average, squares = ([value] for value in self.state.values())
        adam(
            [self.own],
            [gradient],
            average,
            squares,
            [],
            steps,
            fused=self.fused,
            amsgrad=False,
            beta1=self.betas[0],
            beta2=self.betas[1],
            lr=rate,
            weight_decay=0,
            eps=self.eps,
            maximize=False,
        )


class Learner:
    """The copy of a network that steps are computed with, and the optimizer that moves the network's own weights.

    The copy may be of half the precision; it is renewed from the weights before each step, and its gradients are applied to
    them (Micikevicius et al. 2018). All weights are one tensor for that, so that a step of Adam is one operation, as is a
    renewal: of small networks the operations take longer than what they compute.
    """

    def __init__(self, network: Network, article: bool, precision: str) -> None:
        self.own = network.flatten()
        self.gradient = torch.zeros_like(self.own)
        # Keras's numbers and ours. Apple's processors have no fused step.
        betas, eps = ((0.9, 0.999), 1e-7) if article else ((0.9, 0.95), 1e-8)
        self.adam = Adam(self.own, betas, eps, fused=network.device.type != "mps")
        kind = getattr(torch, precision)
        encoder, decoder = (copy.deepcopy(part).to(kind) for part in (network.encoder, network.decoder))
        self.network = Network(encoder, decoder, network.variational, network.device, kind)
        self.network.encoder.train()
        self.network.decoder.train()
        self.copied, self.parameters = self.network.flatten(), self.network.parameters()

    def renew(self) -> Network:
        """The copy with the weights as they are now."""
        self.copied.copy_(self.own)
        return self.network

    def step(self, loss: Tensor, rate: float) -> None:
        """One step of so large a rate down the gradient of a loss that the copy had."""
        gradients = torch.autograd.grad(loss, self.parameters, materialize_grads=True)
        self.gradient.copy_(torch.cat([one.reshape(-1) for one in gradients]))
        self.adam.step(self.gradient, rate)


class NetworkOutput(NamedTuple):
    """Samples that went through a network: code (B, D) of the clean sample, its log-variance when variational, the
    clean sample, the input as the training corrupted it, and the reconstruction of that input."""

    code: codes.Floats
    log_variance: codes.Floats | None
    clean: codes.Floats
    given: codes.Floats
    out: codes.Floats


def drawn_from(mean: Tensor, log_variance: Tensor, source: torch.Generator | None = None) -> Tensor:
    """A draw from each of these normal distributions, all (B, D): μ + σ ε (Kingma and Welling 2013, section 2.4)."""
    noise = torch.randn_like(mean) if source is None else torch.randn(mean.shape, generator=source).to(mean)
    return mean + noise * (0.5 * log_variance).exp()


def precision(products: int) -> str:
    """What a step of so many products forward is computed in: "bfloat16" where that is faster, else "float32".

    It is where the processor multiplies such numbers (AVX-512 BF16, AMX; others would imitate them slowly) and the step is
    large enough to pay for turning numbers into them and back (`HALF`). Weights, sums and the optimizer stay in float32
    (Micikevicius et al. 2018). Processor and network decide and not a stopwatch: a busy moment must not make other
    weights of the same choices.
    """
    has = (getattr(torch.cpu, name, lambda: False) for name in ("_is_avx512_bf16_supported", "_is_amx_tile_supported"))
    return "bfloat16" if products >= HALF and any(able() for able in has) else "float32"


def pick_device(wanted: str = "gpu") -> torch.device:
    """The processor for "cpu"; for "gpu" CUDA, else Apple's, else the processor."""
    if wanted == "gpu" and torch.cuda.is_available():
        return torch.device("cuda")
    return torch.device("mps" if wanted == "gpu" and torch.backends.mps.is_available() else "cpu")

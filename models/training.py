"""One training loop for every architecture, and the writing of the run it ends in.

Runs in a process of its own (`python -m models train`), with one torch thread: two trainings on two cores are
each faster that way than sharing both. The folder it works in grows while it trains, and is read by the page:

    configuration.json   what was asked for
    control.json         {attempt, wish}: written by whoever started this attempt (the engine, or the shell). A training
                         that finds another attempt's number than its own ends without touching anything; wish is null,
                         "keep" (end now, keep what was learnt) or "drop" (end now; the checkpoint stays)
    status.json          {phase, what, share, attempt, epoch, epochs, pca, pid, problem}; phase is preparing, training, measuring,
                         failed; pca the validation error of PCA with the same code size, null where none can be compared
    history.jsonl, rows.i32, labels.i32, replay/   as in a finished run, growing
    strip.npy            originals, (noisy inputs,) reconstructions of a few validation samples: (2 or 3, S, *shape) uint8
    checkpoint.safetensors   everything that the next epoch depends on: weights, the best ones, the optimizer's and the
                         random generators' state, and as JSON in its metadata the counters

A training that was killed goes on from its checkpoint and, on a processor, ends with the same weights to the last bit
as one that was left alone. An epoch's line is written before its checkpoint: the other order would lose the line of
an epoch when killed between the two. Lines after the checkpoint's epoch are cut off and written again.
"""

from __future__ import annotations

import contextlib
import copy
import ctypes
import dataclasses
import io
import itertools
import json
import os
import platform
import time
from collections.abc import Iterator
from importlib.metadata import version
from math import cos, pi, sqrt
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor, nn

from models import Problem, architectures, codes, datasets, export, losses, metrics, noise, runs, unwritable
from models.datasets import TEST, TRAIN, VALIDATION, Dataset
from models.runs import Configuration, Run

STORED = 300_000  # numbers of codes kept: 70,000 samples at D = 2 or 4, 10,000 at D = 30
STRIP = 8
NEIGHBOURS = 60_000  # training codes that vote on the class of a test code, at most
LOOK = 0.1  # seconds between two looks at control.json
COOL = 2.0  # seconds of cooling down
WARM, SLOW = 100, 3000  # steps of an open-ended training until its rate is whole, and until it begins to fall
# Products of a step from which bfloat16 pays. Of twelve architectures on 8x8, 28x28 and 64x64x3 in two batch sizes none
# above it was slower; below it one would have been faster too (`python benchmarks/training.py --only precision`).
HALF = 20_000_000
CHECKPOINT = 1.0  # seconds between two checkpoints, at least; the writing may take a twentieth of the time


class Stopped(Exception):
    """A person ended the training, and nothing is to be kept but its checkpoint."""


class Overtaken(Exception):
    """Another attempt at the same run has begun: this one must not write any more."""


class Damaged(Exception):
    """A checkpoint cannot be gone on from. It costs its epochs and no more: the training starts again."""


@dataclasses.dataclass
class Progress:
    """How far a training has come: finished epochs, the best validation loss, its epoch and weights, seconds so far.

    precision is what products are computed in; kept, so that what goes on elsewhere goes on in the same way.
    """

    epoch: int = 0
    best: float = float("inf")
    best_epoch: int = 0
    seconds: float = 0.0
    precision: str = "float32"
    weights: dict[str, Tensor] = dataclasses.field(default_factory=dict)


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


class Learner:
    """The copy of a network that steps are computed with, and the optimizer that moves the network's own weights.

    The copy may be of half the precision; it is renewed from the weights before each step, and its gradients are applied to
    them (Micikevicius et al. 2018). All weights are one tensor for that, so that a step of Adam is one operation, as is a
    renewal: of small networks the operations take longer than what they compute.
    """

    def __init__(self, network: Network, rate: float, article: bool, precision: str) -> None:
        self.own = nn.Parameter(network.flatten())
        self.gradient = self.own.grad = torch.zeros_like(self.own)
        # Keras's numbers and ours. Apple's processors have no fused step.
        betas, eps = ((0.9, 0.999), 1e-7) if article else ((0.9, 0.95), 1e-8)
        self.adam = torch.optim.Adam([self.own], rate, betas, eps, fused=network.device.type != "mps")
        kind = getattr(torch, precision)
        encoder, decoder = (copy.deepcopy(part).to(kind) for part in (network.encoder, network.decoder))
        self.network = Network(encoder, decoder, network.variational, network.device, kind)
        self.network.encoder.train()
        self.network.decoder.train()
        self.copied, self.parameters = self.network.flatten(), self.network.parameters()

    def renew(self) -> Network:
        """The copy with the weights as they are now."""
        self.copied.copy_(self.own.detach())
        return self.network

    def step(self, loss: Tensor, rate: float) -> None:
        """One step of so large a rate down the gradient of a loss that the copy had."""
        gradients = torch.autograd.grad(loss, self.parameters, materialize_grads=True)
        self.gradient.copy_(torch.cat([one.reshape(-1) for one in gradients]))
        self.adam.param_groups[0]["lr"] = rate
        self.adam.step()


@contextlib.contextmanager
def memory_kept() -> Iterator[None]:
    """Have the C library keep what a step frees for the next one, and give it back in the end.

    glibc returns large blocks to the system, which then hands out new ones page by page; Dask has its workers do so with
    every block above 64 KB. Steps take up to twice as long for it. Other C libraries are left as they are.
    """
    largest, above = -3, -1  # M_MMAP_THRESHOLD, M_TRIM_THRESHOLD
    try:
        libc = ctypes.CDLL(None)
        choose, trim = libc.mallopt, libc.malloc_trim
    except (OSError, AttributeError, TypeError):
        yield
        return
    choose(largest, 2**30)
    choose(above, 2**31 - 1)
    try:
        yield
    finally:
        choose(largest, 2**17)
        choose(above, 2**17)  # glibc's own
        trim(0)


@memory_kept()
def train(
    configuration: Configuration,
    folder: Path,
    attempt: int = 1,
    *,
    device: str = "gpu",
    limit: float = float("inf"),
    half: bool = False,
    tsne: int = 2000,
    stored: int | None = None,
) -> Run:
    """Train in `folder` (under <home>/active) and return the finished run, sealed but not yet moved to its place.

    Goes on from the checkpoint in the folder, if there is one. attempt is this attempt's number in control.json.
    device is "cpu", or "gpu" for a graphics processor where there is one. limit ends the training after so many
    seconds, with what was learnt. half stores weights as float16, for runs that ship; codes and errors are then those
    of the rounded weights. tsne is the number of codes to lay out by t-SNE when D > 2. stored is how many codes to
    keep at most. Raises `Problem` for a configuration that does not fit, data that is missing, a disk that is full, or
    a loss that is no longer a number; `Stopped` when told to drop it, or to keep it before the first epoch was done;
    `Overtaken` by a later attempt.
    """
    configuration = configuration.check()
    torch.set_num_threads(1)
    dataset = datasets.get(configuration.dataset)
    try:
        report = Report(folder, configuration, attempt)
        content = datasets.arrays(dataset, lambda what, share: report.write("preparing", what, share))

        def begun() -> tuple[Training, int, float]:
            torch.manual_seed(configuration.seed)
            work = Training(configuration, dataset, content, folder, report, pick_device(device), stored)
            return work, *work.run(limit)

        try:
            work, best, seconds = begun()
        except Damaged:
            (folder / "checkpoint.safetensors").unlink()
            work, best, seconds = begun()
        report.write("measuring", "measuring the result", 0.0)
        run = finish(work, best, seconds, half, tsne)
        report.look()
        return run
    except (OSError, SafetensorError) as error:
        report.look()  # a later attempt may have moved the folder away under this one
        raise unwritable(folder, error) from error
    except RuntimeError as error:
        if "alloc" not in str(error):
            raise
        raise Problem(
            f"there was not enough memory ({str(error).strip().splitlines()[0][:160]})",
            f"memory for batches of {configuration.batch_size} samples was expected",
            "train again with a smaller batch size, or close other programs",
        ) from error


@memory_kept()
def epoch_seconds(configuration: Configuration, folder: Path, device: str = "cpu") -> float:
    """How long an epoch of this configuration takes here and now, measured in about half a second.

    folder is an empty one for what a training writes. Raises what `train` raises.
    """
    torch.set_num_threads(1)
    dataset = datasets.get(configuration.dataset)
    content = datasets.arrays(dataset, lambda _what, _share: None)
    report = Report(folder, configuration, 1)
    return Training(configuration, dataset, content, folder, report, pick_device(device)).epoch_seconds()


class Report:
    """What a training says (status.json, written whole each time) and hears (control.json)."""

    def __init__(self, folder: Path, configuration: Configuration, attempt: int) -> None:
        self.folder, self.attempt, self.epochs, self.epoch = folder, attempt, configuration.epochs, 0
        self.looked, self.keep, self.cool = time.monotonic(), False, False
        self.pca: float | None = None  # its validation error, where that can stand beside the loss
        if not (folder / "control.json").exists():  # nobody else has claimed this folder
            runs.write_whole(folder / "control.json", json.dumps({"attempt": attempt, "wish": None}).encode())
        self.look()
        facts = json.dumps(dataclasses.asdict(configuration)).encode()
        runs.write_whole(folder / "configuration.json", facts)
        self.write("preparing", "starting", 0.0)

    def look(self) -> bool:
        """Whether to end now and keep what was learnt. `Stopped` when nothing is to be kept, `Overtaken` as it says."""
        self.looked = time.monotonic()
        try:
            control = json.loads((self.folder / "control.json").read_text())
        except FileNotFoundError:
            raise Overtaken from None
        if control["attempt"] != self.attempt:
            raise Overtaken
        if control["wish"] == "drop":
            raise Stopped
        self.keep, self.cool = control["wish"] in ("keep", "cool"), control["wish"] == "cool"
        return self.keep

    def look_now_and_then(self) -> bool:
        """`look`, but at most ten times a second; in between what was seen last."""
        return self.look() if time.monotonic() - self.looked >= LOOK else self.keep

    def write(self, phase: str, what: str, share: float, problem: Problem | None = None) -> None:
        """phase and what are words for the page; share in [0, 1] is how much of the phase is done."""
        self.look()
        told = [problem.came, problem.expected, problem.do] if problem else None
        status = {"phase": phase, "what": what, "share": share, "attempt": self.attempt}
        status |= {"epoch": self.epoch, "epochs": self.epochs, "pca": self.pca}
        runs.write_whole(
            self.folder / "status.json", json.dumps({**status, "pid": os.getpid(), "problem": told}).encode()
        )


class Training:
    """A configuration made concrete: network, data as tensors, and the loop over epochs."""

    def __init__(
        self,
        configuration: Configuration,
        dataset: Dataset,
        content: datasets.Arrays,
        folder: Path,
        report: Report,
        device: torch.device,
        stored: int | None = None,
    ) -> None:
        self.configuration, self.dataset, self.content = configuration, dataset, content
        self.folder, self.report = folder, report
        architecture = architectures.get(configuration.architecture)
        self.blueprint = architecture.blueprint(dataset.kind, dataset.shape, configuration.code_size)
        built = self.blueprint.build()
        self.network = Network(built.encoder.to(device), built.decoder.to(device), architecture.variational, device)
        self.splits = dataset.splits()
        # One contiguous block: a batch is then one indexed copy, and uint8 is a quarter of the memory traffic.
        self.training = self._block(np.flatnonzero(self.splits == TRAIN))
        self.validation = self._block(np.flatnonzero(self.splits == VALIDATION)[:5000])
        initialise(self.network, configuration.recipe, self.training, dataset.kind)
        self.stored = stored_rows(self.splits, stored or max(2000, STORED // configuration.code_size))
        self.replayed = replay_places(len(self.stored), configuration.code_size)
        self.frames: list[int] = []
        self.cooled = 0
        self.saved, self.saving = time.monotonic(), 0.0

    def _block(self, rows: NDArray[np.int64]) -> Tensor:
        return torch.from_numpy(np.ascontiguousarray(self.content.samples[rows]))

    def run(self, limit: float = float("inf")) -> tuple[int, float]:
        """Train to the end, or for `limit` seconds, and leave the kept weights in the network.

        Returns the epoch they come from (from 1) and the seconds that training took in all attempts.
        """
        chosen = self.configuration
        self.report.write("preparing", "PCA, to compare with", 0.0)
        self.baseline = metrics.fit_pca(self.training.numpy(), chosen.code_size)
        self.report.pca = self._pca_error()
        per_epoch = -(-len(self.training) // chosen.batch_size)
        steps = chosen.epochs * per_epoch
        order = torch.Generator().manual_seed(chosen.seed)
        shown = set(runs.frame_epochs(chosen))
        at = self._restore(order) or self._begin()
        step = at.epoch * per_epoch
        for epoch in range(at.epoch + 1, chosen.epochs + 1):
            sums: dict[str, Tensor] = {}
            began, stopped = time.perf_counter(), False
            for batch in torch.randperm(len(self.training), generator=order).split(chosen.batch_size):
                rate = chosen.learning_rate * schedule(step, steps, chosen.recipe)
                annealing = annealed(step, steps, chosen.annealing)
                add(sums, self._step(batch, step, rate, annealing), len(batch))
                step += 1
                if stopped := self.report.look_now_and_then():
                    break
            if stopped and epoch == 1:
                raise Stopped
            if stopped:
                if self.report.cool:
                    self._cool_down(at, order, step, rate, began)
                break
            self._end_epoch(at, sums, len(self.training), rate, began, epoch in shown, rising=annealing < 1)
            self._checkpoint(at, order)
            if at.seconds > limit and epoch < chosen.epochs:
                self._cool_down(at, order, step, rate, time.perf_counter())
                break
        self.network.load(at.weights)
        if at.best_epoch > self.frames[-1]:  # ended between two epochs of the replay, which ends with what is kept
            self._frame(at.best_epoch)
        return at.best_epoch, at.seconds

    def _end_epoch(
        self,
        at: Progress,
        sums: dict[str, Tensor],
        seen: int,
        rate: float,
        began: float,
        frame: bool,
        rising: bool = False,
    ) -> None:
        """Measure and write down an epoch whose terms have these sums over `seen` samples; keep the weights if they are
        the best.

        While beta is still rising the newest are: the whole loss, with all of beta, is least before the code is used.
        """
        epoch, seconds = at.epoch + 1, time.perf_counter() - began
        loss = {name: float(value) / seen for name, value in sums.items()}
        measured = self._validate()
        if not all(np.isfinite([*loss.values(), measured])):
            raise Problem(
                f"the loss stopped being a number in epoch {epoch}",
                "a loss that falls was expected",
                f"train again with a learning rate below {self.configuration.learning_rate:g}",
            )
        if rising or self.configuration.recipe == "article" or measured < at.best:
            at.best, at.best_epoch = float("inf") if rising else measured, epoch
            at.weights = {name: value.clone() for name, value in self.network.weights().items()}
        line = {"epoch": epoch, "loss": loss, "validation": measured, "learning_rate": rate}
        self._log({**line, "samples_per_second": seen / seconds, "seconds": seconds}, frame)
        at.epoch, at.seconds = epoch, at.seconds + time.perf_counter() - began

    def _cool_down(self, at: Progress, order: torch.Generator, step: int, rate: float, began: float) -> None:
        """Take the rate from where it is to zero in `COOL` seconds: a last epoch, which began at `began`.

        Not by the article's recipe, whose rate is constant.
        """
        if self.configuration.recipe == "article":
            return
        self.report.write("training", runs.COOLING, at.epoch / self.configuration.epochs)
        sums: dict[str, Tensor] = {}
        cooling, share, seen = time.perf_counter(), 0.0, 0
        while share < 1:
            for batch in torch.randperm(len(self.training), generator=order).split(self.configuration.batch_size):
                now = rate * (1 - share)
                add(sums, self._step(batch, step + self.cooled, now, 1.0), len(batch))
                seen, self.cooled = seen + len(batch), self.cooled + 1
                self.report.look_now_and_then()
                if (share := (time.perf_counter() - cooling) / COOL) >= 1:
                    break
        at.seconds += cooling - began  # of the epoch that was interrupted
        self._end_epoch(at, sums, seen, now, cooling, frame=True)

    def _step(self, batch: Tensor, seed: int, rate: float, annealing: float) -> dict[str, Tensor]:
        """One step down the gradient of these training samples; returns the terms of the loss before it."""
        stored = self.training.index_select(0, batch)
        terms = self._terms(stored, self.configuration.seed + 1 + seed, self.learner.renew())
        self.learner.step(total(terms, self.configuration, annealing), rate)
        return terms

    def epoch_seconds(self, rounds: int = 5, seconds: float = 0.1) -> float:
        """How long an epoch takes, by some steps and the writing of an epoch, which are then of no further use.

        Of steps on a processor its own time counts: when somebody asks, a page is being drawn, which soon rests.
        """
        clock = time.thread_time if self.network.device.type == "cpu" else time.perf_counter
        at = self._begin()
        batches = itertools.cycle(torch.randperm(len(self.training)).split(self.configuration.batch_size))
        samples, ends = [], []
        for _ in range(rounds):
            sums: dict[str, Tensor] = {}
            began, seen = clock(), 0
            while clock() - began < seconds:
                batch = next(batches)
                add(sums, self._step(batch, seen, 0.0, 1.0), len(batch))
                seen += len(batch)
            float(sums["reconstruction"])  # a graphics processor lags behind until it is asked for a number
            samples.append((clock() - began) / seen)
            ended = time.perf_counter()
            self._end_epoch(at, sums, seen, 0.0, ended, frame=False)
            ends.append(time.perf_counter() - ended)
        return float(np.median(samples)) * len(self.training) + min(ends)

    def _precision(self) -> str:
        plain = self.configuration.recipe == "article" or self.network.device.type != "cpu"
        batch = min(self.configuration.batch_size, len(self.training))
        return "float32" if plain else precision(batch * self.blueprint.products)

    def _pca_error(self) -> float | None:
        """PCA's mean squared error on the validation split; None where the validation loss is not such an error alone."""
        chosen = self.configuration
        if self.network.variational or chosen.loss != "squared-error" or chosen.sparsity or chosen.contraction:
            return None
        parts = (self._given(part, seed=i) for i, part in enumerate(self.validation.split(1000)))
        errors = [
            metrics.squared_errors(clean.cpu().numpy(), metrics.through_pca(self.baseline, given.cpu().numpy()))
            for clean, given in parts
        ]
        return float(np.concatenate(errors).mean())

    def _learn(self, precision: str) -> None:
        """From now on steps are computed in this precision."""
        chosen = self.configuration
        self.precision = precision
        self.learner = Learner(self.network, chosen.learning_rate, chosen.recipe == "article", precision)

    def _begin(self) -> Progress:
        """The folder of a training that starts from nothing."""
        (self.folder / "replay").mkdir(exist_ok=True)
        (self.folder / "rows.i32").write_bytes(self.stored.astype("<i4").tobytes())
        labels = self.content.labels[self.stored]
        (self.folder / "labels.i32").write_bytes(labels.astype("<i4").tobytes())
        if self.dataset.split is not None:  # what came split could not be told again once it is deleted
            (self.folder / "splits.u8").write_bytes(self.splits[self.stored].tobytes())
        (self.folder / "replay" / "index.i32").write_bytes(self.replayed.astype("<i4").tobytes())
        for name in ("history.jsonl", "replay/codes.f32"):
            (self.folder / name).write_bytes(b"")
        self.report.write("training", "the first epoch", 0.0)
        self._learn(self._precision())
        return Progress(precision=self.precision)

    def _checkpoint(self, at: Progress, order: torch.Generator) -> None:
        """Keep everything that the next epoch depends on, unless the last checkpoint is fresh."""
        last = at.epoch == self.configuration.epochs
        if not last and time.monotonic() - self.saved < max(CHECKPOINT, 20 * self.saving):
            return
        began = time.monotonic()
        names = ("epoch", "best", "best_epoch", "seconds", "precision")
        counters = {name: getattr(at, name) for name in names}
        tensors = {f"network/{name}": value for name, value in self.network.weights().items()}
        tensors |= {f"best/{name}": value for name, value in at.weights.items()}
        for state in self.learner.adam.state_dict()["state"].values():
            tensors |= {f"adam/{name}": value for name, value in state.items()}
        tensors |= {"random/torch": torch.get_rng_state(), "random/order": order.get_state()}
        content = save(
            {name: value.cpu().contiguous() for name, value in tensors.items()}, {"at": json.dumps(counters)}
        )
        self.report.look()
        runs.write_whole(self.folder / "checkpoint.safetensors", content)
        self.saved = time.monotonic()
        self.saving = self.saved - began

    def _restore(self, order: torch.Generator) -> Progress | None:
        """Go back to the checkpoint in the folder; None when there is none. `Damaged` leaves this object useless."""
        place, frame = self.folder / "checkpoint.safetensors", 4 * len(self.replayed) * self.configuration.code_size
        try:
            with safe_open(place, "pt") as stored:
                at = Progress(**json.loads(stored.metadata()["at"]))
                tensors = {name: stored.get_tensor(name) for name in stored.keys()}  # noqa: SIM118 - it is no dict
            lines = (self.folder / "history.jsonl").read_bytes().split(b"\n")[: at.epoch]
            frames = [epoch for epoch in runs.frame_epochs(self.configuration) if epoch <= at.epoch]
            replay = (self.folder / "replay" / "codes.f32").read_bytes()[: len(frames) * frame]
            if (self.folder / "rows.i32").read_bytes() != self.stored.astype("<i4").tobytes():
                raise ValueError("rows.i32 holds other rows than are to be stored now")
            if [json.loads(line)["epoch"] for line in lines] != list(range(1, at.epoch + 1)):
                raise ValueError("history.jsonl is not whole")
            if len(replay) != len(frames) * frame or not (self.folder / "strip.npy").is_file():
                raise ValueError("replay/codes.f32 is not whole")
            state = {name.removeprefix("adam/"): v for name, v in tensors.items() if name.startswith("adam/")}
            at.weights = {name.removeprefix("best/"): v for name, v in tensors.items() if name.startswith("best/")}
            self.network.load(at.weights)  # that they fit is seen before anything is taken over
            self.network.load({n.removeprefix("network/"): v for n, v in tensors.items() if n.startswith("network/")})
            self._learn(at.precision)
            adam = self.learner.adam
            adam.load_state_dict({"state": {0: state}, "param_groups": adam.state_dict()["param_groups"]})
            torch.set_rng_state(tensors["random/torch"])
            order.set_state(tensors["random/order"])
        except FileNotFoundError:
            return None
        except (SafetensorError, OSError, KeyError, TypeError, ValueError, RuntimeError) as error:
            raise Damaged from error
        runs.write_whole(self.folder / "history.jsonl", b"".join(line + b"\n" for line in lines))
        runs.write_whole(self.folder / "replay" / "codes.f32", replay)
        self.frames, self.report.epoch = frames, at.epoch
        self.report.write("training", f"going on after epoch {at.epoch}", at.epoch / self.configuration.epochs)
        return at

    def _terms(self, stored: Tensor, seed: int, learning: Network | None = None) -> dict[str, Tensor]:
        """Each term of the loss for a batch of stored samples, in the units that `history.jsonl` keeps.

        learning is the copy that a step is computed with: it decodes a draw from the code's distribution instead of its
        mean, and images are moved where that is chosen. Without it the same seed gives the same terms.
        """
        chosen, train, network = self.configuration, learning is not None, learning or self.network
        if train and chosen.shift:
            stored = shifted(stored, chosen.shift, seed)
        if train and chosen.distortion:
            stored = distorted(stored, chosen.distortion, seed)
        clean, given = self._given(stored, seed)
        given.requires_grad_(bool(chosen.contraction))
        mean, log_variance = network.encode(given)
        code = mean
        if log_variance is not None and train:
            code = drawn_from(mean, log_variance)
        reconstruction = losses.RECONSTRUCTION[chosen.loss](network.decode(code), clean)
        if log_variance is None:
            terms = {"reconstruction": reconstruction / self.dataset.size}
        else:
            kl = losses.kl(mean, log_variance)
            terms = {"reconstruction": reconstruction, "kl": kl.clamp(min=chosen.free_bits).sum()}
            if chosen.total_correlation:  # which is a statement about draws, in validation too
                drawn = code if train else drawn_from(mean, log_variance, torch.Generator().manual_seed(seed))
                terms["total_correlation"] = losses.total_correlation(drawn, mean, log_variance)
        if chosen.sparsity:
            terms["sparsity"] = losses.sparsity(mean)
        if chosen.contraction:
            source = None if train else torch.Generator().manual_seed(seed)
            probe = torch.randn(mean.shape, generator=source).to(mean)
            terms["contraction"] = losses.contraction(mean, given, probe)
        return terms

    def _given(self, stored: Tensor, seed: int) -> tuple[Tensor, Tensor]:
        """Stored samples as the clean target and as the, perhaps spoilt, input."""
        clean = stored.float().div_(255) if stored.dtype == torch.uint8 else stored
        chosen = self.configuration
        given = clean
        if chosen.noise != "none":
            given = torch.from_numpy(noise.spoil(clean.numpy(), chosen.noise, chosen.noise_level, seed))
        return clean.to(self.network.device), given.to(self.network.device)

    def _validate(self) -> float:
        """What the kept weights are chosen by: the whole loss on the validation split, means decoded instead of draws."""
        chosen, size, sums = self.configuration, 1000, 0.0
        if chosen.total_correlation:  # whose estimate hangs on the size of a batch: as in training
            size = chosen.batch_size
        for i, part in enumerate(self.validation.split(size)):
            with torch.set_grad_enabled(bool(chosen.contraction)):  # which is a derivative
                sums += float(total(self._terms(part, seed=i), chosen).detach()) * len(part)
        return sums / len(self.validation)

    def _log(self, line: dict[str, Any], frame: bool) -> None:
        """Append an epoch to history and replay, renew the strip, tell the page."""
        epoch = line["epoch"]
        self.report.look()
        if frame:
            self._frame(epoch)
        self._strip()
        append(self.folder / "history.jsonl", (json.dumps(line) + "\n").encode())
        self.report.epoch = epoch
        total, end = self.configuration.epochs, self.configuration.recipe != "open-ended"
        self.report.write("training", f"epoch {epoch} of {total}" if end else f"epoch {epoch}", epoch / total)

    def _frame(self, epoch: int) -> None:
        """Add the replay samples' codes, as the network has them, to the replay."""
        self.frames.append(epoch)
        frame_codes = self.encode(self.stored[self.replayed])
        with (self.folder / "replay" / "codes.f32").open("r+b") as stream:
            # At its own place: an attempt that was overtaken in this very moment then does no harm.
            stream.seek((len(self.frames) - 1) * frame_codes.size * 4)
            stream.write(frame_codes.astype("<f4").tobytes())

    def _strip(self) -> None:
        clean, given = self._given(self.validation[:STRIP], seed=0)
        with torch.no_grad():
            rows = [clean, given, self.network.decode(self.network.encode(given)[0])]
        if self.configuration.noise == "none":
            del rows[1]
        out = io.BytesIO()
        strip = torch.stack(rows).cpu().numpy()
        np.save(out, np.round(strip * 255).clip(0, 255).astype(np.uint8) if self.dataset.kind == "image" else strip)
        runs.write_whole(self.folder / "strip.npy", out.getvalue())

    @torch.no_grad()
    def encode(self, rows: NDArray[np.int64]) -> codes.Floats:
        """The codes (N, D) of the dataset's clean rows with the network as it stands."""
        parts = np.array_split(rows, max(1, len(rows) // 1000))
        clean = (torch.from_numpy(codes.to_float(self.content.samples[part])) for part in parts)
        return np.concatenate([self.network.encode(x.to(self.network.device))[0].cpu().numpy() for x in clean])

    @torch.no_grad()
    def through(self, rows: NDArray[np.int64], draw: bool = False) -> Iterator[Passed]:
        """The dataset's rows through the network, batch by batch.

        draw decodes a draw from the code's distribution instead of its mean, as the evidence lower bound wants.
        """
        chosen, source = self.configuration, torch.Generator().manual_seed(0)
        for some in np.array_split(rows, max(1, len(rows) // 1000)):
            clean = codes.to_float(self.content.samples[some])
            given = noise.spoil_rows(clean, chosen.noise, chosen.noise_level, some)
            mean, log_variance = self.network.encode(torch.from_numpy(clean).to(self.network.device))
            seen = mean if given is clean else self.network.encode(torch.from_numpy(given).to(self.network.device))[0]
            if draw and log_variance is not None:
                seen = drawn_from(seen, log_variance, source)
            out = self.network.decode(seen).cpu().numpy()
            spread = None if log_variance is None else log_variance.cpu().numpy()
            yield Passed(mean.cpu().numpy(), spread, clean, given, out)


class Passed(NamedTuple):
    """Samples that went through a network: code (B, D) of the clean sample, its log-variance when variational, the
    clean sample, the input as the training spoilt it, and the reconstruction of that input."""

    code: codes.Floats
    log_variance: codes.Floats | None
    clean: codes.Floats
    given: codes.Floats
    out: codes.Floats


def drawn_from(mean: Tensor, log_variance: Tensor, source: torch.Generator | None = None) -> Tensor:
    """A draw from each of these normal distributions, all (B, D): μ + σ ε (Kingma and Welling 2013, section 2.4)."""
    noise = torch.randn_like(mean) if source is None else torch.randn(mean.shape, generator=source).to(mean)
    return mean + noise * (0.5 * log_variance).exp()


def total(terms: dict[str, Tensor], configuration: Configuration, annealing: float = 1.0) -> Tensor:
    """The number that is lowered, of weights as chosen:

    reconstruction + annealing (beta kl + total correlation) + sparsity |code| + contraction |dz/dx|².
    """
    weights = configuration.weights(annealing)
    return torch.stack([weights[name] * value for name, value in terms.items()]).sum()


def add(sums: dict[str, Tensor], terms: dict[str, Tensor], count: int) -> None:
    """Add the terms of a batch of so many samples to the sums over samples."""
    for name, value in terms.items():
        sums[name] = sums.get(name, 0.0) + value.detach() * count


def annealed(step: int, steps: int, share: float) -> float:
    """The share of beta at `step` (from 0): rising linearly to 1 over `share` of the steps (Bowman et al. 2016)."""
    return min(1.0, (step + 1) / (share * steps)) if share else 1.0


def shifted(images: Tensor, most: int, seed: int) -> Tensor:
    """Stored images (B, H, W, C) moved together by up to `most` pixels each way, zeros coming in at the edge."""
    down, right = np.random.default_rng(seed).integers(0, 2 * most + 1, 2)
    height, width = images.shape[1:3]
    wide = torch.nn.functional.pad(images, (0, 0, most, most, most, most))
    return wide[:, down : down + height, right : right + width]


def distorted(images: Tensor, deviation: float, seed: int) -> Tensor:
    """Stored images (B, H, W, C), most of them turned, sheared and stretched, each otherwise: unit matrix plus noise.

    Simard et al. 2003 for why. A third stays as it is, since what is resampled is never quite as sharp.
    """
    random = torch.Generator().manual_seed(seed)
    noise = deviation * torch.randn(len(images), 2, 2, generator=random)
    noise *= torch.rand(len(images), 1, 1, generator=random) < 2 / 3
    maps = torch.cat([torch.eye(2) + noise, torch.zeros(len(images), 2, 1)], 2)
    first = images.permute(0, 3, 1, 2).float()
    grid = torch.nn.functional.affine_grid(maps, list(first.shape), align_corners=False)
    moved = torch.nn.functional.grid_sample(first, grid, padding_mode="border", align_corners=False)
    return moved.permute(0, 2, 3, 1).round_().to(torch.uint8)


def precision(products: int) -> str:
    """What a step of so many products forward is computed in: "bfloat16" where that is faster, else "float32".

    It is where the processor multiplies such numbers (AVX-512 BF16, AMX; others would imitate them slowly) and the step is
    large enough to pay for turning numbers into them and back (`HALF`). Weights, sums and the optimizer stay in float32
    (Micikevicius et al. 2018). Processor and network decide and not a stopwatch: a busy moment must not make other
    weights of the same choices.
    """
    has = (getattr(torch.cpu, name, lambda: False) for name in ("_is_avx512_bf16_supported", "_is_amx_tile_supported"))
    return "bfloat16" if products >= HALF and any(able() for able in has) else "float32"


def schedule(step: int, steps: int, recipe: str = "hourglass") -> float:
    """Share of the learning rate at `step` (from 0) of `steps`, by the recipe.

    hourglass: linear warm-up over 5 % of the steps, then a cosine to zero. open-ended: warm-up over `WARM` steps, then
    with the inverse square root of the step (Zhai et al. 2022, appendix), whose end is a cool-down; a linear one
    over the last tenth, should it come so far. article: constant.
    """
    if recipe == "article":
        return 1.0
    if recipe == "open-ended":
        slow = sqrt(SLOW / max(SLOW, step))
        return min((step + 1) / WARM, slow, slow * 10 * (steps - step) / steps)
    warm = max(1, steps // 20)
    if step < warm:
        return (step + 1) / warm
    return 0.5 * (1 + cos(pi * (step - warm) / max(1, steps - warm)))


def initialise(network: Network, recipe: str, training: Tensor, kind: str) -> None:
    """Glorot and Bengio 2010 for every dense and convolutional weight, zero for every bias, as Keras does and the article
    relies on; recurrent layers begin as torch has them.

    Our recipe then lets the untrained decoder show the mean sample, which saves it the first epochs; where the last layer
    is a convolution, or writes step by step, the mean logit of each channel, which is darker than its mean (and better).
    """
    layers = [
        m for part in (network.encoder, network.decoder) for m in part.modules() if isinstance(m, nn.Linear | nn.Conv2d)
    ]
    for layer in layers:
        nn.init.xavier_uniform_(layer.weight)
        nn.init.zeros_(layer.bias)  # type: ignore[arg-type]
    if recipe == "article":
        return
    mean = training[:: max(1, len(training) // 5000)].double().mean(0)  # (H, W, C), (T, C) or (F,)
    if kind == "image":
        mean = torch.logit(mean / 255, eps=0.01)
    last = layers[-1]
    if last.bias is None:
        return
    if len(last.bias) != mean.numel():  # a convolution: the same for every pixel of a channel
        channels = mean.reshape(-1, mean.shape[-1]).mean(0)
        many = len(last.bias) // len(channels)  # a row has each channel in turn, what becomes four pixels one by one
        mean = channels.repeat(many) if isinstance(last, nn.Linear) else channels.repeat_interleave(many)
    with torch.no_grad():
        last.bias.copy_(mean.flatten())


def pick_device(wanted: str = "gpu") -> torch.device:
    """The processor for "cpu"; for "gpu" CUDA, else Apple's, else the processor."""
    if wanted == "gpu" and torch.cuda.is_available():
        return torch.device("cuda")
    return torch.device("mps" if wanted == "gpu" and torch.backends.mps.is_available() else "cpu")


def stored_rows(splits: NDArray[np.uint8], most: int) -> NDArray[np.int64]:
    """The rows whose codes a run keeps, ascending: all of them, or the test split first where that is too much."""
    if len(splits) <= most:
        return np.arange(len(splits))
    order = np.random.default_rng(0).permutation(len(splits))
    return np.sort(order[np.argsort(splits[order] != TEST, kind="stable")][:most])


def replay_places(count: int, code_size: int) -> NDArray[np.int64]:
    """Which of the `count` stored codes are kept epoch by epoch, ascending."""
    return np.sort(np.random.default_rng(1).permutation(count)[: min(runs.REPLAYED, max(50, 10_000 // code_size))])


def append(path: Path, content: bytes) -> None:
    """Add to a growing file and make sure it is on the disk."""
    with path.open("ab") as stream:
        stream.write(content)
        stream.flush()
        os.fsync(stream.fileno())


def finish(work: Training, best_epoch: int, seconds: float, half: bool, tsne: int) -> Run:
    """Measure the trained network on every split it may be measured on and write the run's files into its folder."""
    from safetensors.numpy import save_file

    folder, dataset, network = work.folder, work.dataset, work.network
    # A line for each epoch: an attempt that was overtaken just when it wrote can have left one twice.
    lines = {json.loads(line)["epoch"]: line for line in (folder / "history.jsonl").read_text().splitlines()}
    done = len(lines)
    runs.write_whole(folder / "history.jsonl", "".join(f"{line}\n" for line in lines.values()).encode())
    early = done < work.configuration.epochs or work.cooled
    chosen = dataclasses.replace(work.configuration, stopped_after=done if early else None, cooled=work.cooled)
    weights = {
        name: value.cpu().numpy().astype(np.float16 if half else np.float32)
        for name, value in network.weights().items()
    }
    network.load({name: torch.from_numpy(value.astype(np.float32)) for name, value in weights.items()})
    save_file(weights, folder / "weights.safetensors")
    for name, graph in export.graphs(work.blueprint, folder / "weights.safetensors").items():
        (folder / name).write_bytes(graph)
    compare_with_onnx(work)

    passed = [(part.code, metrics.squared_errors(part.clean, part.out)) for part in work.through(work.stored)]
    all_codes, errors = (np.concatenate(parts).astype("<f4") for parts in zip(*passed, strict=True))
    (folder / "codes.f32").write_bytes(all_codes.tobytes())
    (folder / "errors.f32").write_bytes(errors.tobytes())
    if dataset.factors:
        (folder / "factors.f32").write_bytes(work.content.factors[work.stored].astype("<f4").tobytes())
    baseline = {"mean": work.baseline.mean, "components": work.baseline.components}
    save_file(baseline, folder / "baseline.safetensors")
    work.report.write("measuring", "comparing with PCA", 0.3)
    measured, kl = measure(work, work.baseline, tsne=half and chosen.code_size == 2)
    work.report.write("measuring", "drawing the map", 0.6)
    described = codes.describe(all_codes, kl)
    projections = project(folder, all_codes, tsne)

    architecture = architectures.get(chosen.architecture)
    history = [json.loads(line) for line in lines.values()]
    about = {
        "format": runs.FORMAT,
        "id": chosen.id,
        "recipe": runs.RECIPE,
        "configuration": dataclasses.asdict(chosen),
        "versions": {name: version(name) for name in ("torch", "numpy", "scikit-learn", "onnx", "onnxruntime")},
        "dataset": runs.dataset_facts(dataset),
        "architecture": runs.architecture_facts(architecture, work.blueprint),
        "codes": described,
        "projections": projections,
        "replay": {"count": len(work.replayed), "epochs": work.frames},
        "thumbnails": {"shape": runs.thumbnail_shape(dataset.shape, len(work.stored))}
        if dataset.kind == "image"
        else None,
        "metrics": [metric.plain(dataset.kind) for metric in measured],
        "training": {
            "epochs": done,
            "best_epoch": best_epoch,
            "seconds": seconds,
            "pca_validation": work.report.pca,
            "samples_per_second": float(np.median([line["samples_per_second"] for line in history])),
            "device": network.device.type,
            "precision": work.precision,
            "machine": f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores, 1 thread",
            "finished": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        },
    }
    work.report.look()
    return runs.seal(folder, about)


def compare_with_onnx(work: Training, within: float = 1e-4) -> None:
    """Make sure that the graphs just written compute what the network computes."""
    clean, _ = work._given(work.validation[:32], seed=0)
    with torch.no_grad():
        code = work.network.encode(clean)[0]
        out = work.network.decode(code)
    coder = codes.Coder(work.folder)
    apart = np.abs(coder.encode(clean.cpu().numpy()) - code.cpu().numpy()).max() / max(1.0, float(code.abs().max()))
    away = np.abs(coder.decode(code.cpu().numpy()) - out.cpu().numpy()).max()
    if not max(apart, away) <= within:
        raise RuntimeError(f"ONNX and torch disagree by {apart:.2e} in the code and {away:.2e} in the sample")


def measure(work: Training, baseline: codes.Plane, tsne: bool) -> tuple[list[metrics.Metric], codes.Floats | None]:
    """Everything in `metrics.TITLES` that applies, on the test split; and the KL per dimension there (D,).

    Shares and ranks are left out where the test split has fewer than `metrics.LEAST` samples: they would be chance.
    tsne lays out the samples themselves by t-SNE, too, for comparison: a minute for 10,000.
    """
    rows = np.flatnonzero(work.splits == TEST)
    parts = list(work.through(rows))
    test_codes, clean, given, out = (
        np.concatenate([getattr(part, name) for part in parts]) for name in ("code", "clean", "given", "out")
    )
    mse = float(metrics.squared_errors(clean, out).mean())
    pca_mse = float(metrics.squared_errors(clean, metrics.through_pca(baseline, given)).mean())
    values = {
        "mse": mse,
        "squared_error": mse * work.dataset.size,
        "pca_mse": pca_mse,
        "pca_squared_error": pca_mse * work.dataset.size,
    }
    counts = {}
    if work.dataset.kind == "image":
        values["psnr"] = metrics.psnr(mse)
        if min(work.dataset.shape[:2]) >= 3:
            counts["ssim"] = min(500, len(clean))
            values["ssim"] = metrics.ssim(clean[:500], out[:500])
    labels = work.content.labels
    known = np.flatnonzero((work.splits == TRAIN) & (labels >= 0))
    enough = len(rows) >= metrics.LEAST
    if enough and len(np.unique(labels[rows])) > 1 and len(known) >= 5:
        known = known[:: -(-len(known) // NEIGHBOURS)]
        values["knn_accuracy"] = metrics.knn_accuracy(work.encode(known), labels[known], test_codes, labels[rows])
        values["pca_knn_accuracy"] = metrics.knn_accuracy(
            _pca_codes(baseline, work.content.samples[known]), labels[known], _pca_codes(baseline, clean), labels[rows]
        )
        if tsne and work.dataset.kind == "image":
            values["tsne_knn_accuracy"] = metrics.tsne_knn_accuracy(clean, labels[rows])
    if enough:
        counts["trustworthiness"] = counts["continuity"] = min(1000, len(clean))
        values["trustworthiness"], values["continuity"] = metrics.neighbourhoods(clean, test_codes)
    if enough and work.dataset.factors:
        values["mutual_information_gap"] = metrics.mutual_information_gap(test_codes, work.content.factors[rows])
    kl = None
    if work.network.variational:
        log_variance = np.concatenate([part.log_variance for part in parts if part.log_variance is not None])
        kl = losses.kl(torch.from_numpy(test_codes), torch.from_numpy(log_variance)).numpy()
        values["kl"] = float(kl.sum())
        if work.configuration.loss == "bernoulli" and work.configuration.noise == "none":
            drawn = np.concatenate([part.out for part in work.through(rows, draw=True)])
            nats = losses.bernoulli(torch.from_numpy(drawn), torch.from_numpy(clean))
            values["negative_elbo"] = float(nats) + values["kl"]
    return [metrics.Metric(name, "test", value, counts.get(name, len(rows))) for name, value in values.items()], kl


def _pca_codes(baseline: codes.Plane, stored: NDArray[np.generic]) -> codes.Floats:
    """(N, *shape) samples become (N, D'), in pieces: as floats the whole would be four times as large."""
    pieces = np.array_split(stored, max(1, len(stored) // 5000))
    return np.concatenate([baseline.project(codes.to_float(piece).reshape(len(piece), -1)) for piece in pieces])


def project(folder: Path, all_codes: codes.Floats, tsne: int) -> dict[str, Any]:
    """Store the PCA plane and a t-SNE of codes with more than two dimensions."""
    if all_codes.shape[1] <= 2:
        return {"pca": None, "tsne": None}
    (folder / "projections").mkdir(exist_ok=True)
    plane, explained = codes.pca_plane(all_codes)
    (folder / "projections" / "pca.f32").write_bytes(plane.project(all_codes).astype("<f4").tobytes())
    stored = {"mean": plane.mean.tolist(), "components": plane.components.tolist(), "explained": explained.tolist()}
    some = np.sort(np.random.default_rng(2).permutation(len(all_codes))[: min(tsne, 5000)])
    if len(some) < 2 or not np.ptp(all_codes[some], axis=0).any():  # scikit-learn's t-SNE dies on equal codes
        return {"pca": stored, "tsne": None}
    perplexity = min(30.0, (len(some) - 1) / 3)
    from sklearn.manifold import TSNE

    # Half the usual iterations and a coarser tree: on MNIST and Fashion-MNIST the same neighbours (trustworthiness
    # within 0.002) in less than half the time, which a person waits for.
    layout = TSNE(perplexity=perplexity, init="pca", random_state=0, n_jobs=1, max_iter=500, angle=0.8)
    flat = layout.fit_transform(all_codes[some])
    (folder / "projections" / "tsne.f32").write_bytes(flat.astype("<f4").tobytes())
    (folder / "projections" / "tsne-index.i32").write_bytes(some.astype("<i4").tobytes())
    return {"pca": stored, "tsne": {"count": len(some), "perplexity": perplexity}}

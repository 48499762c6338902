"""The loop over epochs, one for every architecture."""

from __future__ import annotations

import dataclasses
import io
import json
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

from models import Problem, architectures, codes, datasets, kinds, noise, runs
from models.analysis import metrics
from models.datasets import TEST, TRAIN, VALIDATION, Dataset
from models.runs import Configuration
from models.training.checkpoints import CHECKPOINT, Damaged, Progress
from models.training.initialisation import initialise
from models.training.network import Learner, Network, NetworkOutput, drawn_from, precision
from models.training.objective import Objective, add, total
from models.training.report import Report, Stopped, append
from models.training.schedules import Timetable, annealed, schedule

STORED = 300_000  # numbers of codes kept: 70,000 samples at D = 2 or 4, 10,000 at D = 30
STRIP = 8
COOL = 2.0  # seconds of cooling down
PLAN = "plan.json"
clock = time.perf_counter  # what a training for a time looks at


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
        self.objective = Objective(configuration, dataset, self.network)
        self.splits = dataset.splits()
        # One contiguous block: a batch is then one indexed copy, and uint8 is a quarter of the memory traffic.
        self.training = self._block(np.flatnonzero(self.splits == TRAIN))
        self.validation = self._block(np.flatnonzero(self.splits == VALIDATION)[:5000])
        initialise(self.network, configuration.recipe, self.training, dataset.kind)
        self.stored = stored_rows(self.splits, stored or max(2000, STORED // configuration.code_size))
        self.replayed = replay_places(len(self.stored), configuration.code_size)
        self.frames: list[int] = []
        self.cooled = 0
        self.per_epoch = -(-len(self.training) // configuration.batch_size)
        self.timetable = self._timetable()
        self.saved, self.saving = time.monotonic(), 0.0

    def _timetable(self) -> Timetable | None:
        """The steps of a training for a time, as far as they are fixed; None where epochs are what was chosen."""
        chosen = self.configuration
        if not chosen.seconds and not chosen.steps:
            return None
        most = chosen.epochs * self.per_epoch
        table = Timetable(chosen.seconds, most, chosen.recipe == "article", chosen.steady, chosen.steps)
        if chosen.seconds:
            try:
                fixed = json.loads((self.folder / PLAN).read_text())
                if 0 < int(fixed["steady"]) <= int(fixed["steps"]) <= most:
                    table.steady, table.steps = int(fixed["steady"]), int(fixed["steps"])
            except (OSError, ValueError, TypeError, KeyError):
                (self.folder / PLAN).unlink(missing_ok=True)
        return table

    def _plan(self, step: int, elapsed: float) -> None:
        """Fix the steps of a training for a time when its rate begins to fall, and write them down before the next one:
        whoever goes on from a checkpoint of before or after then takes the same steps."""
        if self.timetable is not None and self.timetable.fix(step, elapsed):
            fixed = {"steady": self.timetable.steady, "steps": self.timetable.steps}
            runs.write_whole(self.folder / PLAN, json.dumps(fixed).encode())

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
        per_epoch, table = self.per_epoch, self.timetable
        steps = chosen.epochs * per_epoch
        order = torch.Generator().manual_seed(chosen.seed)
        shown = set(runs.frame_epochs(chosen))
        at = self._restore(order) or self._begin()
        step = at.epoch * per_epoch
        for epoch in range(at.epoch + 1, chosen.epochs + 1):
            if table is not None and 0 < table.steps <= step:
                break
            sums: dict[str, Tensor] = {}
            began, stopped, seen, over = clock(), False, 0, False
            for batch in torch.randperm(len(self.training), generator=order).split(chosen.batch_size):
                share = schedule(step, steps, chosen.recipe) if table is None else table.rate(step)
                rate, annealing = chosen.learning_rate * share, annealed(step, steps, chosen.annealing)
                add(sums, self._step(batch, step, rate, annealing), len(batch))
                step, seen = step + 1, seen + len(batch)
                if chosen.seconds:
                    self._plan(step, at.seconds + clock() - began)
                over = table is not None and step == table.steps
                if (stopped := self.report.look_now_and_then()) or over:
                    break
            if stopped and not over and epoch == 1:
                raise Stopped
            if stopped and not over:
                if self.report.cool:
                    self._cool_down(at, order, step, rate, began)
                break
            self._end_epoch(at, sums, seen, rate, began, over or epoch in shown, rising=annealing < 1)
            self._checkpoint(at, order, over or epoch == chosen.epochs)
            if at.seconds > limit and not over and epoch < chosen.epochs:
                self._cool_down(at, order, step, rate, clock())
                break
        self.network.load(at.weights)
        if at.best_epoch != self.frames[-1]:  # the replay ends with what is kept
            self.frames = [epoch for epoch in self.frames if epoch < at.best_epoch]
            self._frame(at.best_epoch)
            replay = self.folder / "replay" / "codes.f32"
            os.truncate(replay, len(self.frames) * len(self.replayed) * chosen.code_size * 4)
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
        epoch, seconds = at.epoch + 1, clock() - began
        loss = {name: float(value) / seen for name, value in sums.items()}
        measured = self.objective.mean(self.validation)
        if not all(np.isfinite([*loss.values(), measured])):
            raise Problem(
                f"the loss became infinite or not a number in epoch {epoch}",
                do=f"train again with a learning rate below {self.configuration.learning_rate:g}",
            )
        if rising or self.configuration.recipe == "article" or measured < at.best:
            at.best, at.best_epoch = float("inf") if rising else measured, epoch
            at.weights = {name: value.clone() for name, value in self.network.weights().items()}
        line = {"epoch": epoch, "loss": loss, "validation": measured, "learning_rate": rate}
        self.report.epochs = self._epochs(epoch, at.seconds + seconds)
        self._log({**line, "samples_per_second": seen / seconds, "seconds": seconds}, frame)
        at.epoch, at.seconds = epoch, at.seconds + clock() - began

    def _cool_down(self, at: Progress, order: torch.Generator, step: int, rate: float, began: float) -> None:
        """Take the rate from where it is to zero in `COOL` seconds: a last epoch, which began at `began`.

        Not by the article's recipe, whose rate is constant.
        """
        if self.configuration.recipe == "article":
            return
        self.report.write("training", runs.COOLING, at.epoch / self.configuration.epochs)
        sums: dict[str, Tensor] = {}
        cooling, share, seen = clock(), 0.0, 0
        while share < 1:
            for batch in torch.randperm(len(self.training), generator=order).split(self.configuration.batch_size):
                now = rate * (1 - share)
                add(sums, self._step(batch, step + self.cooled, now, 1.0), len(batch))
                seen, self.cooled = seen + len(batch), self.cooled + 1
                self.report.look_now_and_then()
                if (share := (clock() - cooling) / COOL) >= 1:
                    break
        at.seconds += cooling - began  # of the epoch that was interrupted
        self._end_epoch(at, sums, seen, now, cooling, frame=True)

    def _step(self, batch: Tensor, seed: int, rate: float, annealing: float) -> dict[str, Tensor]:
        """One step down the gradient of these training samples; returns the terms of the loss before it."""
        stored = self.training.index_select(0, batch)
        terms = self.objective.terms(stored, self.configuration.seed + 1 + seed, self.learner.renew())
        self.learner.step(total(terms, self.configuration, annealing), rate)
        return terms

    def _precision(self) -> str:
        plain = self.configuration.recipe == "article" or self.network.device.type != "cpu"
        batch = min(self.configuration.batch_size, len(self.training))
        return "float32" if plain else precision(batch * self.blueprint.products)

    def _pca_error(self) -> float | None:
        """PCA's mean squared error on the validation split; None where the validation loss is not such an error alone."""
        if self.objective.others or self.configuration.loss != "squared-error":
            return None
        parts = (self.objective.given(part, seed=i) for i, part in enumerate(self.validation.split(1000)))
        errors = [
            metrics.squared_errors(clean.cpu().numpy(), metrics.through_pca(self.baseline, given.cpu().numpy()))
            for clean, given in parts
        ]
        return float(np.concatenate(errors).mean())

    def _learn(self, precision: str) -> None:
        """From now on steps are computed in this precision."""
        self.precision = precision
        self.learner = Learner(self.network, self.configuration.recipe == "article", precision)

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

    def trained_elsewhere(self, weights: dict[str, Tensor], history: list[dict[str, Any]]) -> int:
        """Take weights that were trained elsewhere, with an entry of the history for each epoch; returns how many these are."""
        self.baseline = metrics.fit_pca(self.training.numpy(), self.configuration.code_size)
        self.report.pca = self._pca_error()
        self._begin()
        self.network.load(weights)
        lines = "".join(json.dumps(line) + "\n" for line in history)
        runs.write_whole(self.folder / "history.jsonl", lines.encode())
        self._frame(len(history))
        return len(history)

    def _checkpoint(self, at: Progress, order: torch.Generator, last: bool) -> None:
        """Keep everything that the next epoch depends on, unless the last checkpoint is fresh and this is not the last."""
        if not last and CHECKPOINT and time.monotonic() - self.saved < max(CHECKPOINT, 20 * self.saving):
            return
        began = time.monotonic()
        names = ("epoch", "best", "best_epoch", "seconds", "precision")
        counters = {name: getattr(at, name) for name in names}
        tensors = {f"network/{name}": value for name, value in self.network.weights().items()}
        tensors |= {f"best/{name}": value for name, value in at.weights.items()}
        tensors |= {f"adam/{name}": value for name, value in self.learner.adam.state.items()}
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
            self.learner.adam.load(state)
            torch.set_rng_state(tensors["random/torch"])
            order.set_state(tensors["random/order"])
        except FileNotFoundError:
            return None
        except (SafetensorError, OSError, KeyError, TypeError, ValueError, RuntimeError) as error:
            raise Damaged from error
        runs.write_whole(self.folder / "history.jsonl", b"".join(line + b"\n" for line in lines))
        runs.write_whole(self.folder / "replay" / "codes.f32", replay)
        self.frames, self.report.epoch, self.report.epochs = frames, at.epoch, self._epochs(at.epoch, at.seconds)
        self.report.write("training", f"going on after epoch {at.epoch}", at.epoch / self.configuration.epochs)
        return at

    def ended(self, done: int) -> Configuration:
        """The configuration of the run that these many epochs make: how it was ended, and the steps that a time became."""
        chosen, table = self.configuration, self.timetable
        if table is not None and table.steps:
            chosen = dataclasses.replace(chosen, steady=table.steady, steps=table.steps)
            if not self.cooled and -(-table.steps // self.per_epoch) == done:
                return dataclasses.replace(chosen, seconds=0.0, epochs=done)
        early = done < chosen.epochs or self.cooled
        return dataclasses.replace(chosen, stopped_after=done if early else None, cooled=self.cooled)

    def _epochs(self, epoch: int, elapsed: float) -> int:
        """How many epochs there will be, of a training for a time about."""
        table = self.timetable
        if table is None:
            return self.configuration.epochs
        steps = table.steps or epoch * self.per_epoch * max(1.0, table.seconds / max(elapsed, 1e-9))
        return max(epoch, min(self.configuration.epochs, -(-int(steps) // self.per_epoch)))

    def _log(self, line: dict[str, Any], frame: bool) -> None:
        """Append an epoch to history and replay, renew the strip, tell the page."""
        epoch = line["epoch"]
        self.report.look()
        if frame:
            self._frame(epoch)
        self._strip()
        append(self.folder / "history.jsonl", (json.dumps(line) + "\n").encode())
        self.report.epoch = epoch
        total = self.report.epochs
        end = self.configuration.recipe != "open-ended" and not self.configuration.seconds
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
        clean, given = self.objective.given(self.validation[:STRIP], seed=0)
        with torch.no_grad():
            rows = [clean, given, self.network.decode(self.network.encode(given)[0])]
        if self.configuration.noise == "none":
            del rows[1]
        out = io.BytesIO()
        strip = torch.stack(rows).cpu().numpy()
        np.save(
            out, np.round(strip * 255).clip(0, 255).astype(np.uint8) if kinds.get(self.dataset.kind).pixels else strip
        )
        runs.write_whole(self.folder / "strip.npy", out.getvalue())

    @torch.no_grad()
    def encode(self, rows: NDArray[np.int64]) -> codes.Floats:
        """The codes (N, D) of the dataset's clean rows with the network as it stands."""
        parts = np.array_split(rows, max(1, len(rows) // 1000))
        clean = (torch.from_numpy(codes.to_float(self.content.samples[part])) for part in parts)
        return np.concatenate([self.network.encode(x.to(self.network.device))[0].cpu().numpy() for x in clean])

    @torch.no_grad()
    def outputs(self, rows: NDArray[np.int64], draw: bool = False) -> Iterator[NetworkOutput]:
        """The dataset's rows through the network, batch by batch.

        draw decodes a draw from the code's distribution instead of its mean, as the evidence lower bound wants.
        """
        chosen, source = self.configuration, torch.Generator().manual_seed(0)
        for some in np.array_split(rows, max(1, len(rows) // 1000)):
            clean = codes.to_float(self.content.samples[some])
            given = noise.corrupt_rows(clean, chosen.noise, chosen.noise_level, some)
            mean, log_variance = self.network.encode(torch.from_numpy(clean).to(self.network.device))
            seen = mean if given is clean else self.network.encode(torch.from_numpy(given).to(self.network.device))[0]
            if draw and log_variance is not None:
                seen = drawn_from(seen, log_variance, source)
            out = self.network.decode(seen).cpu().numpy()
            spread = None if log_variance is None else log_variance.cpu().numpy()
            yield NetworkOutput(mean.cpu().numpy(), spread, clean, given, out)


def stored_rows(splits: NDArray[np.uint8], most: int) -> NDArray[np.int64]:
    """The rows whose codes a run keeps, ascending: all of them, or the test split first where that is too much."""
    if len(splits) <= most:
        return np.arange(len(splits))
    order = np.random.default_rng(0).permutation(len(splits))
    return np.sort(order[np.argsort(splits[order] != TEST, kind="stable")][:most])


def replay_places(count: int, code_size: int) -> NDArray[np.int64]:
    """Which of the `count` stored codes are kept epoch by epoch, ascending."""
    return np.sort(np.random.default_rng(1).permutation(count)[: min(runs.REPLAYED, max(50, 10_000 // code_size))])

"""One contender of training.py, alone in its process: `contenders.py NAME '{"dataset": …}'`.

Prints one JSON line: seconds and CPU seconds of training alone (imports and data come before), images seen, the mean
squared error on the test split, and for Hourglass PCA's. NAME is that of a function below: hourglass, pytorch, pythae, keras;
precisions and writing hold Hourglass against itself.
"""

import gzip
import itertools
import json
import os
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np


def arrays(dataset: str) -> tuple[np.ndarray, np.ndarray]:
    """Training and test images (N, 28, 28) uint8 as published."""
    folder = Path(os.environ["HOURGLASS_DATA"]) / dataset
    names = ("train-images-idx3-ubyte.gz", "t10k-images-idx3-ubyte.gz")
    with gzip.open(folder / names[0]) as train, gzip.open(folder / names[1]) as test:
        return tuple(np.frombuffer(one.read()[16:], np.uint8).reshape(-1, 28, 28) for one in (train, test))  # type: ignore[return-value]


def epoch_seconds(work: Any, rounds: int = 5, seconds: float = 0.1) -> float:
    """How long an epoch of a training takes, by some steps and the writing of an epoch, which are then of no further use.

    Of steps its processor's own time counts, whatever else the computer does meanwhile.
    """
    import numpy as np
    import torch

    from models.training.objective import add

    at = work._begin()
    batches = itertools.cycle(torch.randperm(len(work.training)).split(work.configuration.batch_size))
    samples, ends = [], []
    for _ in range(rounds):
        sums: dict[str, torch.Tensor] = {}
        began, seen = time.thread_time(), 0
        while time.thread_time() - began < seconds:
            batch = next(batches)
            add(sums, work._step(batch, seen, 0.0, 1.0), len(batch))
            seen += len(batch)
        samples.append((time.thread_time() - began) / seen)
        ended = time.perf_counter()
        work._end_epoch(at, sums, seen, 0.0, ended, frame=False)
        ends.append(time.perf_counter() - ended)
    return float(np.median(samples)) * len(work.training) + min(ends)


def hourglass(
    dataset: str,
    architecture: str,
    code_size: int,
    epochs: float = 0.0,
    budget: float = 0.0,
    measured: str = "test",
    compiled: bool = False,
    begin: float = 0.0,
    **choices: Any,
) -> dict[str, float]:
    """Our loop's own steps over a schedule that may be shorter than an epoch.

    budget: core-seconds, made epochs by a timing, in place of epochs.
    measured: a split, or "" for speed alone. compiled: by torch.compile, whose own seconds are then told, too. begin: when
    to, in seconds since 1970.
    """
    import torch
    from torch.utils.flop_counter import FlopCounterMode

    from models import datasets, runs, training
    from models.analysis import metrics

    torch.set_num_threads(1)
    chosen = runs.Configuration(dataset, architecture, code_size, **{"batch_size": 256, **choices})
    found = datasets.get(dataset)
    with tempfile.TemporaryDirectory() as home, training.memory_kept():
        os.environ["HOURGLASS_HOME"] = os.environ["TORCHINDUCTOR_CACHE_DIR"] = home  # compiles as for the first time
        content = datasets.arrays(found, lambda *_: None)
        torch.manual_seed(chosen.seed)
        report = training.Report(Path(home), chosen, 1)
        work = training.Training(chosen, found, content, Path(home), report, torch.device("cpu"))
        epochs = budget / epoch_seconds(work) if budget else epochs
        work._begin()
        order, steps = torch.Generator().manual_seed(0), max(1, round(epochs * len(work.training) / chosen.batch_size))

        def step(at: int, batch: torch.Tensor) -> None:
            work._step(batch, at, chosen.learning_rate * training.schedule(at, steps), 1.0)

        batches = [
            b
            for _ in range(int(epochs) + 1)
            for b in torch.randperm(len(work.training), generator=order).split(chosen.batch_size)
        ]
        out = {}
        if compiled:
            network, began = work.learner.network, time.perf_counter()
            network.encoder, network.decoder = torch.compile(network.encoder), torch.compile(network.decoder)
            step(0, batches[0])
            out["compiling"] = time.perf_counter() - began
        time.sleep(max(0.0, begin - time.time()))
        began, cpu = time.perf_counter(), time.process_time()
        for at in range(steps):
            step(at, batches[at])
        seconds, cpu = time.perf_counter() - began, time.process_time() - cpu
        out |= {"seconds": seconds, "cpu": cpu, "epochs": epochs, "images": float(sum(len(b) for b in batches[:steps]))}
        if not measured and not compiled:
            out["peak"] = peak(work.precision)
            with FlopCounterMode(display=False) as counter:
                step(0, batches[0])
            out["needed"] = counter.get_total_flops() / len(batches[0])
        if measured:
            rows = np.flatnonzero(work.splits == datasets.SPLITS.index(measured))
            errors = [metrics.squared_errors(part.clean, part.out) for part in work.outputs(rows)]
            baseline = metrics.fit_pca(work.training.numpy(), code_size)
            clean = content.samples[rows].astype(np.float32) / 255
            pca = metrics.squared_errors(clean, metrics.through_pca(baseline, clean)).mean()
            out |= {"error": float(np.concatenate(errors).mean()), "pca": float(pca)}
        return out


def precisions(dataset: str, architecture: str, code_size: int, batch_size: int) -> dict[str, float]:
    """Images a second of our loop in float32 and in bfloat16, in turn; 1 or 0 for whether it chooses bfloat16 by itself."""
    import torch

    from models import datasets, runs, training

    torch.set_num_threads(1)
    chosen = runs.Configuration(dataset, architecture, code_size, batch_size=batch_size)
    found = datasets.get(dataset)
    with tempfile.TemporaryDirectory() as home, training.memory_kept():
        content = datasets.arrays(found, lambda *_: None)
        report = training.Report(Path(home), chosen, 1)
        work = training.Training(chosen, found, content, Path(home), report, torch.device("cpu"))
        own, speeds = work._begin().precision, {"float32": [], "bfloat16": []}
        for _ in range(6):
            for name, seen in speeds.items():
                work._learn(name)
                images, began = 0, time.perf_counter()
                while (seconds := time.perf_counter() - began) < 0.3:
                    batch = torch.randint(0, len(work.training), (batch_size,))
                    work._step(batch, images, 1e-4, 1.0)
                    images += batch_size
                seen.append(images / seconds)
    # The first of each warms up.
    medians = {name: float(np.median(seen[1:])) for name, seen in speeds.items()}
    return {**medians, "half": float(own == "bfloat16"), "products": float(batch_size * work.blueprint.products)}


def writing(dataset: str, architecture: str, code_size: int) -> dict[str, float]:
    """Seconds of two epochs of a whole training, of PCA before them, and of what comes after them: measuring (the nearest
    neighbours of 60,000 codes), maps (t-SNE), and the rest: all samples encoded and decoded, the run written and checked."""
    from models import runs, training
    from models.analysis import metrics

    took: dict[str, float] = {}

    def timed(module: Any, name: str) -> None:
        plain = getattr(module, name)

        def function(*given: Any, **named: Any) -> Any:
            began = time.perf_counter()
            out = plain(*given, **named)
            took[name] = time.perf_counter() - began
            return out

        setattr(module, name, function)

    for module, name in (
        (training.fitting, "finish"),
        (training.measuring, "measure"),
        (training.measuring, "project"),
        (metrics, "fit_pca"),
    ):
        timed(module, name)
    chosen = runs.Configuration(dataset, architecture, code_size, epochs=2)
    with tempfile.TemporaryDirectory() as home:
        os.environ["HOURGLASS_HOME"] = home
        (Path(home) / "active").mkdir()
        run = training.train(chosen, Path(home) / "active", device="cpu")
        epochs = run.card.training.seconds
    rest = took["finish"] - took["measure"] - took["project"]
    return {
        "epochs": epochs,
        "writing": rest,
        "measuring": took["measure"],
        "maps": took["project"],
        "pca": took["fit_pca"],
    }


def peak(precision: str, size: int = 1024) -> float:
    """Floating-point operations a second of one core's matrix products of this precision: the best of ten."""
    import torch

    kind = torch.bfloat16 if precision == "bfloat16" else torch.float32
    a, b = (torch.randn(size, size).to(kind) for _ in range(2))
    best = float("inf")
    for _ in range(10):
        began = time.perf_counter()
        a @ b
        best = min(best, time.perf_counter() - began)
    return 2.0 * size**3 / best


def plain(architecture: str, code_size: int) -> tuple[Any, Any]:
    """Encoder and decoder of the article's networks as a tutorial writes them: (N, 1, 28, 28) to a code and back."""
    from torch import nn

    if architecture == "convolutional":
        encoder = nn.Sequential(
            *(nn.Conv2d(1, 16, 4, padding="same"), nn.ReLU(), nn.MaxPool2d(2)),
            *(nn.Conv2d(16, 8, 4, padding="same"), nn.ReLU()),
            *(nn.Flatten(), nn.Linear(8 * 14 * 14, code_size), nn.Sigmoid()),
        )
        decoder = nn.Sequential(
            *(nn.Linear(code_size, 4 * 7 * 7), nn.ReLU(), nn.Unflatten(1, (4, 7, 7))),
            *(nn.Conv2d(4, 8, 4, padding="same"), nn.ReLU(), nn.Upsample(scale_factor=2)),
            *(nn.Conv2d(8, 4, 4, padding="same"), nn.ReLU(), nn.Upsample(scale_factor=2)),
            *(nn.Conv2d(4, 1, 4, padding="same"), nn.Sigmoid()),
        )
        return encoder, decoder
    hidden = (196,) if architecture == "multi-layer" else ()
    inward, outward = [nn.Flatten()], []
    for units in hidden:
        inward += [nn.Linear(784, units), nn.ReLU()]
        outward += [nn.Linear(code_size, units), nn.ReLU()]
    inward += [nn.Linear(units if hidden else 784, code_size), nn.Sigmoid()]
    outward += [nn.Linear(units if hidden else code_size, 784), nn.Sigmoid(), nn.Unflatten(1, (1, 28, 28))]
    return nn.Sequential(*inward), nn.Sequential(*outward)


def pytorch(
    dataset: str,
    architecture: str,
    code_size: int,
    epochs: float,
    batch_size: int = 256,
    beforehand: bool = False,
    target: float = 0.0,
) -> dict[str, float]:
    """The same network as most people would train it: a Dataset, a DataLoader, Adam at 0.001.

    The Dataset does what torchvision's and its ToTensor do, image by image; beforehand: all is one tensor already.
    target: the error on the test split at which to end, looked at after each epoch while the clock stands still.
    """
    import torch
    from PIL import Image

    train, test = arrays(dataset)

    class Images(torch.utils.data.Dataset[tuple[torch.Tensor]]):
        def __len__(self) -> int:
            return len(train)

        def __getitem__(self, at: int) -> tuple[torch.Tensor]:
            image = Image.fromarray(train[at])
            return (torch.from_numpy(np.array(image, np.uint8, copy=True)).unsqueeze(0).contiguous().float().div(255),)

    tensor, unseen = (torch.from_numpy(one.copy()).float().div(255).unsqueeze(1) for one in (train, test))
    images = torch.utils.data.TensorDataset(tensor) if beforehand else Images()
    model = torch.nn.Sequential(*plain(architecture, code_size))
    loader = torch.utils.data.DataLoader(images, batch_size, shuffle=True)
    adam, lost = torch.optim.Adam(model.parameters(), lr=0.001), torch.nn.MSELoss()
    steps, seen, seconds, cpu, error = round(epochs * len(loader)), 0, 0.0, 0.0, float("inf")
    while steps > 0 and error > target:
        began, cpu_began = time.perf_counter(), time.process_time()
        for (x,) in loader:
            adam.zero_grad()
            lost(model(x), x).backward()
            adam.step()
            seen, steps = seen + len(x), steps - 1
            if steps == 0:
                break
        seconds, cpu = seconds + time.perf_counter() - began, cpu + time.process_time() - cpu_began
        if target:
            with torch.no_grad():
                error = float(np.mean([lost(model(x), x) for x in unseen.split(1000)]))
    return {"seconds": seconds, "cpu": cpu, "images": float(seen), **({"error": error} if target else {})}


def pythae(
    dataset: str, architecture: str, code_size: int, epochs: float, batch_size: int = 256, measured: bool = False
) -> dict[str, float]:
    """The same network in pythae's own trainer, as its README trains an AE; its trainer counts whole epochs.

    measured: whether to tell the error on the test split too.
    """
    import torch
    from pythae.data.datasets import BaseDataset
    from pythae.models import AE, AEConfig
    from pythae.models.base.base_utils import ModelOutput
    from pythae.models.nn import BaseDecoder, BaseEncoder
    from pythae.trainers import BaseTrainer, BaseTrainerConfig

    train, test = arrays(dataset)
    train = train[: round(min(1.0, epochs) * len(train))]
    encoder, decoder = plain(architecture, code_size)

    class Encoder(BaseEncoder):
        def __init__(self) -> None:
            super().__init__()
            self.latent_dim, self.net = code_size, encoder

        def forward(self, x: Any) -> Any:
            return ModelOutput(embedding=self.net(x))

    class Decoder(BaseDecoder):
        def __init__(self) -> None:
            super().__init__()
            self.net = decoder

        def forward(self, z: Any) -> Any:
            return ModelOutput(reconstruction=self.net(z))

    images, unseen = (torch.from_numpy(one.copy()).float().div(255).unsqueeze(1) for one in (train, test))
    with tempfile.TemporaryDirectory() as folder:
        whole = max(1, int(epochs))
        settings = BaseTrainerConfig(folder, num_epochs=whole, per_device_train_batch_size=batch_size, no_cuda=True)
        model = AE(AEConfig(input_dim=(1, 28, 28), latent_dim=code_size), Encoder(), Decoder())
        trainer = BaseTrainer(model, BaseDataset(images, torch.zeros(len(images))), training_config=settings)
        began, cpu = time.perf_counter(), time.process_time()
        trainer.train()
        seconds, cpu = time.perf_counter() - began, time.process_time() - cpu
    out = {"seconds": seconds, "cpu": cpu, "images": float(whole * len(images))}
    if measured:
        with torch.no_grad():
            parts = [torch.nn.functional.mse_loss(decoder(encoder(x)), x) for x in unseen.split(1000)]
        out["error"] = float(np.mean(parts))
    return out


def keras(dataset: str, architecture: str, code_size: int, epochs: float, warm: bool = False) -> dict[str, float]:
    """The networks of the Keras blog's article on autoencoders, as fit() trains them. warm: after an epoch unmeasured."""
    from keras import Input, Model, layers

    train, test = (x.astype("float32") / 255 for x in arrays(dataset))
    if architecture == "convolutional":
        train, test = train[..., None], test[..., None]
        relu = {"activation": "relu", "padding": "same"}
        x = inputs = Input((28, 28, 1))
        x = layers.MaxPooling2D(2)(layers.Conv2D(16, 4, **relu)(x))
        x = layers.Flatten()(layers.Conv2D(8, 4, **relu)(x))
        x = layers.Dense(code_size, activation="sigmoid")(x)
        x = layers.Reshape((7, 7, 4))(layers.Dense(4 * 7 * 7, activation="relu")(x))
        x = layers.UpSampling2D(2)(layers.Conv2D(8, 4, **relu)(x))
        x = layers.UpSampling2D(2)(layers.Conv2D(4, 4, **relu)(x))
        outputs = layers.Conv2D(1, 4, activation="sigmoid", padding="same")(x)
    else:
        train, test = train.reshape(len(train), -1), test.reshape(len(test), -1)
        x = inputs = Input((784,))
        hidden = (196,) if architecture == "multi-layer" else ()
        for units in hidden:
            x = layers.Dense(units, activation="relu")(x)
        x = layers.Dense(code_size, activation="sigmoid")(x)
        for units in hidden:
            x = layers.Dense(units, activation="relu")(x)
        outputs = layers.Dense(784, activation="sigmoid")(x)
    model = Model(inputs, outputs)
    model.compile(optimizer="adam", loss="mse")
    part = train[: round(min(1.0, epochs) * len(train))]
    if warm:
        model.fit(part, part, epochs=1, batch_size=256, shuffle=True, verbose=0)
    began, cpu = time.perf_counter(), time.process_time()
    model.fit(part, part, epochs=max(1, int(epochs)), batch_size=256, shuffle=True, verbose=0)
    seconds, cpu = time.perf_counter() - began, time.process_time() - cpu
    error = float(np.square(model.predict(test, verbose=0, batch_size=1000) - test).mean())
    return {"seconds": seconds, "cpu": cpu, "images": float(len(part) * max(1, int(epochs))), "error": error}


if __name__ == "__main__":
    contender = {one.__name__: one for one in (hourglass, precisions, writing, pytorch, pythae, keras)}[sys.argv[1]]
    print(json.dumps(contender(**json.loads(sys.argv[2]))))

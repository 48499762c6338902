"""An autoencoder as an estimator of scikit-learn: codes as features in a `Pipeline`, from a run or trained on what is given.

    from sklearn.pipeline import make_pipeline
    from sklearn.svm import SVC
    from models.estimator import Autoencoder

    make_pipeline(Autoencoder("modern", 30, shape=(28, 28, 1)), SVC()).fit(images, labels)
    Autoencoder.from_run("mnist-modern-30").transform(images)

Images, signals and rows are given flat, one a row, as scikit-learn has them.
"""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Iterator
from math import prod
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, ClassNamePrefixFeaturesOutMixin, TransformerMixin
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted, validate_data

from models import architectures, datasets, defaults, kinds, runs
from models.datasets import Arrays, Dataset
from models.runs import Configuration, Run

if TYPE_CHECKING:
    from torch import nn

HELD_OUT = 0.1  # of the samples, by which the best epoch is chosen


class Autoencoder(ClassNamePrefixFeaturesOutMixin, TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """An autoencoder, trained by our recipe without labels.

    Parameters
    ----------
    architecture : str, default="modern"
        The name of one in `models/architectures`.
    code_size : int, default=2
        The number of dimensions of the code.
    shape : tuple of int, default=None
        Of a sample: (H, W, C) of an image, whose values are 0 to 255 as uint8 or else in [0, 1]; (T, C) of a signal. None:
        rows of a table. Signals and rows are standardised by the training samples.
    epochs, batch_size, learning_rate : default=None
        As on the page Train; None for what that page begins with, for so many samples.
    random_state : int, RandomState instance or None, default=0
        Draws first weights, batches and the tenth of the samples by which the best epoch is chosen.

    Attributes
    ----------
    weights_ : dict of str to ndarray
        By the names of a run's weights.safetensors.
    mean_, scale_ : ndarray of shape (n_features_in_,)
        What is taken off, and what is divided by, before a sample is encoded.
    n_features_in_ : int
    """

    def __init__(
        self,
        architecture: str = "modern",
        code_size: int = 2,
        *,
        shape: tuple[int, ...] | None = None,
        epochs: int | None = None,
        batch_size: int | None = None,
        learning_rate: float | None = None,
        random_state: Any = 0,
    ) -> None:
        self.architecture = architecture
        self.code_size = code_size
        self.shape = shape
        self.epochs = epochs
        self.batch_size = batch_size
        self.learning_rate = learning_rate
        self.random_state = random_state

    @classmethod
    def from_run(cls, run: str | Run) -> Autoencoder:
        """A run as a fitted estimator, by the name or id of one, or itself. Signals and rows are then given as its dataset stores
        them, standardised. A clone of it is trained anew, with the choices of the run that an estimator has."""
        found = run if isinstance(run, Run) else runs.open_run(runs.folder_of(run))
        from safetensors.numpy import load_file

        chosen = found.configuration
        shape = None if found.kind == "table" else tuple(found.shape)
        names = ("architecture", "code_size", "epochs", "batch_size", "learning_rate")
        self = cls(**{name: getattr(chosen, name) for name in names}, shape=shape, random_state=chosen.seed)
        self.n_features_in_ = prod(found.shape)
        self.mean_, self.scale_ = np.zeros(self.n_features_in_), np.ones(self.n_features_in_)
        stored = load_file(found.folder / "weights.safetensors")
        self.weights_ = {name: value.astype(np.float32) for name, value in stored.items()}
        self._build()
        return self

    def fit(self, X: Any, y: Any = None) -> Autoencoder:
        """Train on samples X (N, F), N at least 2. y is not looked at. A `models.Problem` for choices that do not fit."""
        del y
        X = self._checked(X, reset=True)
        if self.code_size > X.shape[1]:
            raise ValueError(f"code_size = {self.code_size} is more than n_features = {X.shape[1]}")
        shape = self._sample_shape()
        random = check_random_state(self.random_state)
        if kind_of(shape) == "image":
            self.mean_, self.scale_ = np.zeros(X.shape[1]), np.ones(X.shape[1])
        else:
            self.mean_, self.scale_ = X.mean(0), X.std(0)
            self.scale_[self.scale_ < 1e-12] = 1.0
        samples = ((X - self.mean_) / self.scale_).astype(np.float32).reshape(-1, *shape)
        if kind_of(shape) == "image":  # as datasets store them
            samples = np.rint(255 * samples).astype(np.uint8)
        splits = np.full(len(X), datasets.TRAIN, np.uint8)
        splits[random.permutation(len(X))[: max(1, round(HELD_OUT * len(X)))]] = datasets.VALIDATION
        self.weights_ = self._trained(samples, splits, int(random.randint(2**31 - 1)))
        self._build()
        return self

    def transform(self, X: Any) -> NDArray[np.float64]:
        """Codes (N, code_size) of samples X (N, F); of a variational architecture the means."""
        check_is_fitted(self)
        X = self._checked(X, reset=False)
        given = ((X - self.mean_) / self.scale_).reshape(-1, *self._sample_shape())
        return self._through(0, given)[:, : self.code_size]

    def inverse_transform(self, X: Any) -> NDArray[np.float64]:
        """Samples (N, F) of codes X (N, code_size), in the units that `fit` was given; of images values in [0, 1]."""
        check_is_fitted(self)
        X = np.asarray(X, np.float64)
        if X.ndim != 2 or X.shape[1] != self.code_size:
            raise ValueError(f"codes of shape {X.shape} were given, (N, {self.code_size}) was expected")
        return self._through(1, X).reshape(len(X), -1) * self.scale_ + self.mean_

    def _trained(self, samples: NDArray[Any], splits: NDArray[np.uint8], seed: int) -> dict[str, NDArray[np.float32]]:
        import torch

        from models.training import Report, Training

        count, shape = len(samples), samples.shape[1:]
        content = Arrays(samples, np.full(count, -1, np.int32), np.zeros((count, 0), np.float32))
        dataset = Dataset(
            name="given",
            title="Given samples",
            summary="",
            kind=kind_of(shape),
            shape=shape,
            count=count,
            classes=(),
            source="",
            licence="",
            read=lambda: content,
            given="0" * 16,
            split=lambda: splits,
        )
        choices = defaults.choices(defaults.facts_of(dataset), self.architecture, self.code_size)
        for name in ("epochs", "batch_size", "learning_rate"):
            if getattr(self, name) is not None:
                choices[name] = getattr(self, name)
        chosen = Configuration("given", self.architecture, self.code_size, **choices, seed=seed)
        with tempfile.TemporaryDirectory() as name, torch.random.fork_rng(devices=[]), one_thread():
            torch.manual_seed(seed)
            folder = Path(name)
            work = Training(chosen, dataset, content, folder, Report(folder, chosen, 1), torch.device("cpu"))
            work.run()
        return {name: value.numpy().copy() for name, value in work.network.weights().items()}

    def _checked(self, X: Any, reset: bool) -> NDArray[np.float64]:
        images = self.shape is not None and len(self.shape) == 3
        bytes_ = images and getattr(X, "dtype", None) == np.uint8
        X = validate_data(self, X, reset=reset, dtype=np.float64, ensure_min_samples=2 if reset else 1)
        if X.shape[1] != prod(self.shape or (X.shape[1],)):
            raise ValueError(
                f"samples have {X.shape[1]} numbers, of the shape {self.shape} {prod(self.shape or ())} were expected"
            )
        if bytes_:
            X = X / 255
        if images and (X.min() < 0 or X.max() > 1):
            raise ValueError("values of images are in [0, 1], or 0 to 255 as uint8; others were given")
        return np.asarray(X, np.float64)

    def _sample_shape(self) -> tuple[int, ...]:
        return tuple(self.shape) if self.shape is not None else (self.n_features_in_,)

    def _through(self, part: int, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """What encoder (0) or decoder (1) gives, in double precision: a sample's code is the same in every company."""
        import torch

        if "_parts" not in self.__dict__:  # it was pickled
            self._build()
        with torch.no_grad():
            pieces = [self._parts[part](some) for some in torch.from_numpy(values).split(500)]
        return np.asarray(torch.cat(pieces).numpy())

    def _build(self) -> None:
        """The torch modules of `weights_`."""
        import torch

        shape = self._sample_shape()
        built = architectures.get(self.architecture).blueprint(kind_of(shape), shape, self.code_size).build()
        self._parts: list[nn.Module] = []
        for name, module in (("encoder", built.encoder), ("decoder", built.decoder)):
            own = {k.removeprefix(f"{name}."): v for k, v in self.weights_.items() if k.startswith(name)}
            module.load_state_dict({k: torch.from_numpy(v) for k, v in own.items()})
            self._parts.append(module.double().eval())

    @property
    def _n_features_out(self) -> int:
        return self.code_size

    def __getstate__(self) -> dict[str, Any]:
        """Everything but torch's modules, which are made again when they are needed."""
        state: dict[str, Any] = super().__getstate__()
        return {name: value for name, value in state.items() if name != "_parts"}

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.transformer_tags.preserves_dtype = []
        return tags


@contextlib.contextmanager
def one_thread() -> Iterator[None]:
    """Have torch compute with one thread: of networks as small as these several wait for each other."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def kind_of(shape: tuple[int, ...]) -> str:
    """The kind of samples of this shape: image, signal or table."""
    return next(name for name, kind in kinds.KINDS.items() if kind.axes == len(shape))

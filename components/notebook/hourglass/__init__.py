"""The latent space of an autoencoder in a notebook.

    import hourglass

    hourglass.explore("digits-modern-8")                         # a run: its folder, its zip, or its name
    hourglass.explore(codes, labels=labels, decoder=my_decoder)  # a model of your own
    run = hourglass.open("run.zip")                              # run.encode(samples), run.decode(codes), run.codes, ...

`Autoencoder`, an estimator of scikit-learn that trains, is here too where the repository of Hourglass is at hand.
"""

from typing import TYPE_CHECKING, Any

from hourglass.runs import Run, open
from hourglass.widget import Explorer, explore, link

if TYPE_CHECKING:
    from models.estimator import Autoencoder

__all__ = ["Autoencoder", "Explorer", "Run", "explore", "link", "open"]


def __getattr__(name: str) -> Any:
    if name != "Autoencoder":
        raise AttributeError(f"module 'hourglass' has no attribute {name!r}")
    from hourglass import repository

    return repository.module("models.estimator").Autoencoder

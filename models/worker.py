"""What a worker loads before the first training: `dask worker --preload models.worker`. The engine's own have it too.

Importing torch and building a first optimizer take seconds, which nobody should wait for after pressing Train.
"""

import os
import threading
from typing import Any


def dask_setup(_worker: Any) -> None:
    """Called by Dask in each worker process."""
    if nice := os.environ.get("HOURGLASS_NICE"):  # beside a web server, pages go first
        os.nice(int(nice))
    import torch

    from models import training  # noqa: F401

    torch.set_num_threads(1)
    layer = torch.nn.Linear(2, 2)
    layer(torch.zeros(1, 2)).sum().backward()
    torch.optim.Adam(layer.parameters(), fused=True).step()
    REST.start()


def settled() -> None:
    """Wait until nothing is loaded any more: beside that a training is slower than it will be."""
    if REST.is_alive():
        REST.join()


def _rest() -> None:
    """What only the end of a training needs."""
    import onnxruntime  # noqa: F401
    import skimage.metrics  # noqa: F401
    import sklearn.manifold
    import sklearn.neighbors  # noqa: F401


REST = threading.Thread(target=_rest, daemon=True)

"""What the process loads that workers are forks of; see `models.engine.cluster`.

Nothing here may start a thread, which a fork would lose: so not onnxruntime.
"""

import skimage.metrics  # noqa: F401
import sklearn.manifold
import sklearn.neighbors  # noqa: F401

from models import training  # noqa: F401
from models.engine import cluster, workers  # noqa: F401

workers.code()  # of the source as it is loaded here, whatever is on the disk when a worker starts

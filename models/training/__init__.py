"""Training: one loop for every architecture, and the writing of the run it ends in. All of torch that is not a layer belongs here.

Runs in a process of its own (`python -m models train`), with one torch thread: two trainings on two cores are
each faster that way than sharing both. The folder it works in grows while it trains, and is read by the page:

    configuration.json   what was asked for
    plan.json            of a training for a time, once its learning rate begins to fall: {steady, steps}, how many steps
                         there were before and will be in all. It belongs to the checkpoints of before and after
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

from models.training.augmentation import distorted, mixed, shifted
from models.training.fitting import memory_kept, train
from models.training.initialisation import initialise
from models.training.loop import Training
from models.training.network import Network, pick_device
from models.training.report import Report, Stopped, Superseded
from models.training.schedules import annealed, schedule

__all__ = [
    "Network",
    "Report",
    "Stopped",
    "Superseded",
    "Training",
    "annealed",
    "distorted",
    "initialise",
    "memory_kept",
    "mixed",
    "pick_device",
    "schedule",
    "shifted",
    "train",
]

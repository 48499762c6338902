"""What the choices of a training are called on pages, and how their values are written."""

from collections.abc import Sequence
from dataclasses import fields
from typing import Any

from models import losses, runs
from models.runs import Configuration

# Label, help, step and form of each number that a person chooses.
NUMBERS = {
    "code_size": ("Code size D", "How many numbers a sample is squeezed into.", 1, "%d"),
    "epochs": ("Epochs", "How often every training sample is seen.", 1, "%d"),
    "learning_rate": ("Learning rate", "The size of a step.", 0.001, "%.4f"),
    "batch_size": ("Batch size", "Samples per step.", 1, "%d"),
    "seed": ("Seed", "The same seed gives the same run.", 1, "%d"),
    "distortion": (
        "Distortion",
        "Images are turned, slanted and stretched a little at each step: against learning them by heart (Simard et al. 2003).",
        0.01,
        "%.2f",
    ),
    "mixing": (
        "Mixing",
        "Up to so large a share of another sample is added to each: against learning few samples by heart (Zhang et al. 2018).",
        0.1,
        "%.1f",
    ),
    "shift": ("Shift (pixels)", "Each batch is moved by up to so many pixels: more to learn from, slower.", 1, "%d"),
    **{
        choice.field: (choice.title, choice.about, choice.step, f"%.{choice.decimals}f")
        for term in losses.available().values()
        for choice in term.choices
    },
}
TITLES = {
    "dataset": "Dataset",
    "architecture": "Architecture",
    "noise": "Noise on the input",
    "noise_level": "Noise level",
    "loss": "Loss",
    "recipe": "Recipe",
    **{name: label for name, (label, *_) in NUMBERS.items()},
}
# What became of a training, not what was chosen: its epochs tell it.
BECAME = ("stopped_after", "cooled", "seconds", "steps", "steady")
ALWAYS = ("code_size", "epochs", "batch_size", "learning_rate", "loss", "seed")  # told where they are as usual, too
NOT_ITS = "–"  # the value of a choice that does nothing in this training


def written(value: Any) -> str:
    """A value as a page writes it."""
    if isinstance(value, float):
        return f"{value:g}"
    return f"{value:,}" if isinstance(value, int) and abs(value) >= 10_000 else str(value)


def value_of(run: runs.Run, name: str) -> str:
    """What a run's training had for a choice, in words."""
    chosen = run.configuration
    if name == "dataset":
        return run.card.dataset.title
    if name == "architecture":
        return run.card.architecture.title
    if name == "epochs":
        how = " (stopped)" if chosen.stopped_after is not None else " (for a time)" if chosen.steps else ""
        return f"{run.card.training.epochs:,}{how}"
    idle = name == "noise_level" and chosen.noise == "none"
    for term in losses.available().values():
        if name in (choice.field for choice in term.choices):
            idle = not term.applies(run.kind, run.variational)
    idle |= name not in ALWAYS and getattr(chosen, name) == 0 == getattr(Configuration, name)
    return NOT_ITS if idle else written(getattr(chosen, name))


def compared(chosen: Sequence[runs.Run]) -> tuple[dict[str, list[str]], dict[str, str]]:
    """The choices in which these runs differ, by their labels, with a value for each run; and those that they share, without
    those that nobody touched."""
    differ: dict[str, list[str]] = {}
    shared: dict[str, str] = {}
    for field in fields(Configuration):
        if field.name in BECAME:
            continue
        label, values = TITLES.get(field.name, field.name), [value_of(run, field.name) for run in chosen]
        if len(set(values)) > 1:
            differ[label] = values
        elif values[0] != NOT_ITS and (
            getattr(chosen[0].configuration, field.name) != field.default or field.name in ALWAYS
        ):
            shared[label] = values[0]
    return differ, shared

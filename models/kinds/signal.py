"""Signals (T, C): T steps of C channels, each channel in a unit of its own."""

from models.kinds.kind import Kind

KIND = Kind(
    "signal",
    example=(20, 3),
    one="signal",
    many="signals",
    described="a signal over time",
    shaped="signals of {}",
    dimensions="Steps × channels",
    column="channel",
    unknown_column="channel",
)

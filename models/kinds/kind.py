"""What a kind of sample is."""

from dataclasses import dataclass

# Squared error and these noises go on whatever is numbers.
NOISES = ("none", "gaussian", "salt-and-pepper", "masking")
LOSSES = ("squared-error", "calibrated")


@dataclass(frozen=True)
class Kind:
    """What differs between images, signals and rows: shape, scaling, noise, losses, units and words.

    example: a shape of this kind, by which architectures are tried out. pixels: whether samples are stored as uint8 and
    seen as float32 in [0, 1], as images are; others are stored as float32, each column (a channel or a feature)
    standardised with the training split's statistics, and a network's output for them is linear.

    one, many, described: a sample, several, and what one is ("a row of a table"). shaped: several of a shape, which {}
    stands for. dimensions: what the numbers of a shape count. column, unknown_column: what a column is called, and one
    of which nothing is known; "" where there are none. error_unit: of a mean squared error; error_axis: the same on the
    axis of a figure; sample_error_unit: of the squared error of a whole sample; error_meaning: a sentence on it.
    """

    name: str
    example: tuple[int, ...]
    one: str
    many: str
    described: str
    shaped: str
    dimensions: str
    column: str = ""
    unknown_column: str = ""
    pixels: bool = False
    noises: tuple[str, ...] = (*NOISES, "mixed")
    losses: tuple[str, ...] = LOSSES
    error_unit: str = "per value (standardised)"
    error_axis: str = "per value (standardised)"
    sample_error_unit: str = "per sample (standardised)"
    error_meaning: str = (
        "Mean squared error: the difference of each value, in standard deviations, squared, and the mean of all. 1 is what "
        "always saying a column's mean would give."
    )
    side_by_side: int = 5  # samples that are drawn beside their reconstructions

    @property
    def axes(self) -> int:
        """How many numbers a sample's shape has."""
        return len(self.example)

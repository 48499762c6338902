"""Images (H, W, C): grey or in colour, intensities between 0 and 1."""

from models.kinds.kind import LOSSES, NOISES, Kind

KIND = Kind(
    "image",
    example=(28, 28, 1),
    pixels=True,
    noises=(*NOISES, "watermark", "watermarks", "strokes", "stains", "mixed"),
    losses=(*LOSSES, "bernoulli"),
    error_unit="squared intensity per pixel",
    error_axis="per pixel",
    sample_error_unit="squared intensity per sample",
    error_meaning="Mean squared error: the difference of each pixel, squared, and the mean of all; pixels lie between 0 (black) and 1 (white).",
    one="image",
    many="images",
    described="an image",
    shaped="images of {}",
    dimensions="Height × width × channels",
    side_by_side=12,
)

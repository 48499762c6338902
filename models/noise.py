"""Ways to spoil a sample, for denoising training (Vincent et al. 2008) and for the pages that show it."""

from functools import cache

import numpy as np
from numpy.typing import NDArray

from models import stains

Floats = NDArray[np.float32]


def corrupt(samples: Floats, noise: str, level: float, seed: int) -> Floats:
    """Samples (N, …) as float32 with noise; images stay in [0, 1]. level as in `Configuration.noise_level`."""
    if noise == "none" or level == 0:
        return samples
    source = np.random.default_rng(seed)
    if noise == "gaussian":
        spoilt = samples + level * source.standard_normal(samples.shape, np.float32)
        return np.clip(spoilt, 0, 1) if samples.ndim == 4 else spoilt
    if noise == "masking":  # whole pixels, not single colours of one
        pixels = samples.shape[:-1] if samples.ndim == 4 else samples.shape
        keep = source.random(pixels, np.float32) >= level
        return samples * (keep[..., None] if samples.ndim == 4 else keep)
    if noise == "salt-and-pepper":
        pixels = (*samples.shape[:-1], 1) if samples.ndim == 4 else samples.shape
        dice = source.random(pixels, np.float32)
        low, high = (0.0, 1.0) if samples.ndim == 4 else (samples.min(), samples.max())
        return np.where(dice < level / 2, np.float32(low), np.where(dice < level, np.float32(high), samples)).astype(
            np.float32
        )
    if noise == "stains":
        return stains.spoil_all(samples, level, source)
    shifts = source.integers(0, samples.shape[1:3], (len(samples), 2))
    mark = watermark(*samples.shape[1:3])
    marks = np.stack([np.roll(mark, tuple(shift), (0, 1)) for shift in shifts])[..., None]
    return np.asarray(samples + level * marks * (1 - samples), np.float32)


def corrupt_rows(samples: Floats, noise: str, level: float, rows: NDArray[np.integer]) -> Floats:
    """As `corrupt`, each sample by the number of its row: whoever looks at a row meets the same noise."""
    if noise == "none" or level == 0 or not len(rows):
        return samples
    return np.concatenate([corrupt(samples[i : i + 1], noise, level, int(row)) for i, row in enumerate(rows)])


@cache
def watermark(height: int, width: int) -> Floats:
    """The word COPY written slantwise as a mask (H, W) in [0, 1], as large as the image."""
    from PIL import Image, ImageDraw, ImageFont

    side = 8 * max(height, width)
    page = Image.new("L", (side, side))
    font = ImageFont.load_default(side // 3)
    ImageDraw.Draw(page).text((side // 2, side // 2), "COPY", fill=255, font=font, anchor="mm")
    page = page.rotate(30, Image.Resampling.BILINEAR).resize((max(height, width),) * 2, Image.Resampling.BOX)
    return np.asarray(page, np.float32)[:height, :width] / np.float32(255)

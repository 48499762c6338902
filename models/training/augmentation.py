"""Stored samples moved, distorted and mixed as they are trained on, each batch another way."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor


def shifted(images: Tensor, most: int, seed: int) -> Tensor:
    """Stored images (B, H, W, C) moved together by up to `most` pixels each way, zeros coming in at the edge."""
    down, right = np.random.default_rng(seed).integers(0, 2 * most + 1, 2)
    height, width = images.shape[1:3]
    wide = torch.nn.functional.pad(images, (0, 0, most, most, most, most))
    return wide[:, down : down + height, right : right + width]


def distorted(images: Tensor, deviation: float, seed: int) -> Tensor:
    """Stored images (B, H, W, C), most of them turned, sheared and stretched, each otherwise: unit matrix plus noise.

    Simard et al. 2003 for why. A third stays as it is, since what is resampled is never quite as sharp.
    """
    random = torch.Generator().manual_seed(seed)
    noise = deviation * torch.randn(len(images), 2, 2, generator=random)
    noise *= torch.rand(len(images), 1, 1, generator=random) < 2 / 3
    maps = torch.cat([torch.eye(2) + noise, torch.zeros(len(images), 2, 1)], 2)
    first = images.permute(0, 3, 1, 2).float()
    grid = torch.nn.functional.affine_grid(maps, list(first.shape), align_corners=False)
    moved = torch.nn.functional.grid_sample(first, grid, padding_mode="border", align_corners=False)
    return moved.permute(0, 2, 3, 1).round_().to(torch.uint8)


def mixed(samples: Tensor, most: float, seed: int) -> Tensor:
    """Stored samples (B, *shape), each with a share between 0 and `most` of another one of them: mixup (Zhang et al. 2018,
    with shares that are equally likely). What is learnt then goes on between the samples that there are."""
    random = torch.Generator().manual_seed(seed)
    share = most * torch.rand(len(samples), *(1 for _ in samples.shape[1:]), generator=random)
    others = samples[torch.randperm(len(samples), generator=random)]
    out = torch.lerp(samples.float(), others.float(), share)
    return out.round_().to(torch.uint8) if samples.dtype == torch.uint8 else out

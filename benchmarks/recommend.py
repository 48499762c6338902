"""What else would somebody like: every method on the same splits of ratings (`benchmarks/labs.py --only recommend`)."""

import time
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from models import downloads
from models.analysis import recommending as lab
from models.datasets import tastes

FOLDS = 5
LIKES = ("ndcg@10", "ndcg@100", "recall@5", "recall@20")
Line = Callable[[Sequence[object]], None]


def recommend(quick: bool, line: Line) -> None:
    """Jester 5k, whose jokes are numbers here, where it lies below the downloads; and Tastes."""
    if quick:
        _measured("tastes, 400 people", tastes.drawn()[0][:400], 1, 60, line)
        return
    jester = downloads() / "jester5k" / "jester5k.npz"
    if jester.is_file():
        with np.load(jester, allow_pickle=False) as content:
            _measured("Jester 5k", content["ratings"].astype(np.float64), FOLDS, lab.STEPS, line)
    _measured("tastes", tastes.drawn()[0], FOLDS, lab.STEPS, line)


def _measured(title: str, ratings: NDArray[np.float64], folds: int, steps: int, line: Line) -> None:
    begun = time.process_time()
    stars, likes = lab.compare(ratings, folds, steps=steps)
    took = (time.process_time() - begun) / folds
    print(f"\n{title}: {folds} splits, everything tuned on validation, {took:.0f} core-seconds a split")
    line(("stars", "RMSE", "NMAE %", "RMSE of each split", "setting of the first", "s"))
    for name in stars[0].values:
        each = " ".join(f"{lab.rmse([one], name):.3f}" for one in stars)
        figures = f"{lab.rmse(stars, name):.4f}", f"{100 * lab.nmae(stars, name):.2f}"
        line((lab.TITLES[name], *figures, each, stars[0].settings[name], f"{_seconds(stars, name):.1f}"))
    line(("suggestions", *LIKES, "NDCG@10 of each split", "setting of the first", "s"))
    for name in likes[0].values:
        each = " ".join(f"{lab.mean([one], name, LIKES[0]):.3f}" for one in likes)
        figures = (f"{lab.mean(likes, name, measure):.4f}" for measure in LIKES)
        line((lab.TITLES[name], *figures, each, likes[0].settings[name], f"{_seconds(likes, name):.1f}"))
    for other in ("ease", "k-nn"):
        _told("RMSE", other, lab.difference_stars(stars, "denoiser", other))
    for other in ("ease", "ease-2", "mult-vae"):
        _told("NDCG@10", other, lab.difference_likes(likes, "denoiser", other))


def _seconds(outcomes: Sequence[lab.Outcome], name: str) -> float:
    return float(np.mean([one.seconds[name] for one in outcomes]))


def _told(measure: str, other: str, apart: lab.Difference) -> None:
    verdict = "tied" if apart.tied else "better" if apart.mean > 0 else "worse"
    between = f"{apart.mean:+.4f} [{apart.low:+.4f}, {apart.high:+.4f}]"
    print(f"{measure}: {lab.TITLES['denoiser']} against {lab.TITLES[other]} {between} {verdict}", flush=True)

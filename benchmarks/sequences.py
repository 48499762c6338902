"""What comes next: the encoder-decoder beside the plain methods, on the datasets that are drawn here and on ECG5000.

python benchmarks/labs.py --only sequences
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models import datasets, downloads
from models.analysis import forecasting
from models.analysis.forecasting import Form, Outcome
from models.labs import sequences as lab

DRAWN = ("waves", "heartbeats", "moving-digits")
HELD = 50  # of ECG5000's 500 training rows, which choose the noise and the width of the fan; the plain methods learn from all
GIVEN = (100, 70)  # of its 140 steps
Line = Callable[[Sequence[object]], None]


def sequences(quick: bool, line: Line) -> None:
    """Squared error of the rest, and how often the fan holds the truth."""
    drawn(("waves",) if quick else DRAWN, line, {"steps": 40} if quick else {})
    path = downloads() / "ecg5000" / "ecg5000.npz"
    if path.is_file() and not quick:
        ecg5000(path, line)


def drawn(names: Sequence[str], line: Line, choices: dict[str, Any]) -> None:
    """The datasets that are drawn here, as the lab takes them: half is given."""
    print(
        "\nHalf is given. Squared error over the test samples; interval of the difference in 95 of 100 draws of them",
        flush=True,
    )
    line(("dataset", "network", "the best plain method", "difference", "truth in the fan of 80 %", "processor seconds"))
    for name in names:
        begun = time.process_time()
        dataset = datasets.get(name)
        if choices:  # a network that hardly learns: whether everything runs
            form, parts = lab.form_of(dataset, 0.5), lab.cut(dataset)
            outcome = forecasting.compare(form, parts.train[:200], parts.held, parts.test, **choices)
            line((name, *figures(outcome), f"{time.process_time() - begun:.0f}"))
            continue
        facts = lab.answer(dataset, lab.LAB.chosen({}), lambda *_: None).facts
        error = {one["name"]: one["error"] for one in facts["methods"]}
        apart = facts["difference"]
        cells = (
            f"{error['network']:.4g}",
            f"{lab.title(facts['best'])} {error[facts['best']]:.4g}",
            f"{apart['low']:+.2g} to {apart['high']:+.2g}",
            f"{100 * facts['fan']['inside']:.0f} %",
        )
        line((name, *cells, f"{time.process_time() - begun:.0f}"))


def figures(outcome: Outcome) -> tuple[str, str, str, str]:
    """The network's error, the best plain one's, their difference, and what the fan holds."""
    apart = forecasting.difference(outcome, outcome.best)
    return (
        f"{outcome.error('network'):.4g}",
        f"{lab.title(outcome.best)} {outcome.error(outcome.best):.4g}",
        f"{apart.low:+.2g} to {apart.high:+.2g}",
        f"{100 * forecasting.inside(outcome.truth, outcome.draws):.0f} %",
    )


def ecg5000(path: Path, line: Line) -> None:
    """ECG5000 (Chen and Keogh, UCR archive) as arrays X_train and X_test."""
    with np.load(path, allow_pickle=False) as content:
        train, test = (content[name].astype(np.float32)[..., None] for name in ("X_train", "X_test"))
    for given in GIVEN:
        outcome = judged(Form(train.shape[1], 1, given), train, test)
        print(
            f"\nECG5000, the first {given} of 140 steps given, 500 training rows: squared error of the rest of {len(test):,} test rows"
        )
        line(("method", "squared error", "of kernel ridge's", "processor seconds"))
        for name in sorted(outcome.predicted, key=outcome.error):
            share = outcome.error(name) / outcome.error("kernel")
            line(
                (lab.title(name), f"{outcome.error(name):.4f}", f"{100 * share:.0f} %", f"{outcome.seconds[name]:.1f}")
            )
        print(f"truth in the fan of 80 %: {100 * forecasting.inside(outcome.truth, outcome.draws):.0f} %", flush=True)


def judged(form: Form, train: NDArray[np.float32], test: NDArray[np.float32]) -> Outcome:
    """The network learns from what is left of the training rows without `HELD`, the plain methods from all of them."""
    order = np.random.default_rng(0).permutation(len(train))
    held, rest = train[order[:HELD]], train[order[HELD:]]
    return forecasting.compare(form, rest, held, test, others=forecasting.plain_methods(*form.parts(train), 1))

"""The table of card payments that many people bring, known by its columns.

A. Dal Pozzolo, O. Caelen, R. A. Johnson and G. Bontempi, Calibrating Probability with Undersampling for Unbalanced
Classification, 2015: payments of two days, with the seconds since the first (Time), 28 principal components (V1 to V28), the
amount and the class, 1 for fraud. Its times rise, as those of a signal do, and two payments that follow each other have
nothing to do with each other.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

COMPONENTS = frozenset(f"v{i}" for i in range(1, 29))


def time_of_payments(names: Sequence[str]) -> int | None:
    """The place of the column Time where these columns are those of card payments, in any order and however their names are
    written; else None."""
    plain = [re.sub(r"(?<=v)0+(?=\d)|[\W_]", "", name.lower()) for name in names]
    known = COMPONENTS | {"time", "amount"}
    return plain.index("time") if known <= set(plain) and len(plain) <= len(known) + 3 else None

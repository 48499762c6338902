"""Times as they are written in tables: the words that columns of them are called by, and the forms of their cells."""

from __future__ import annotations

import math
import re
from datetime import datetime

TIMES = {"time", "t", "ts", "timestamp", "date", "datetime", "elapsed", "seconds", "sec", "ms"}
TIMES |= {"zeit", "datum", "uhrzeit", "zeitstempel", "temps", "fecha"}
COUNTERS = {"index", "step", "sample", "frame"}  # tell the time of a signal, but do not make a table one
DATES = ("%d.%m.%Y", "%m/%d/%Y", "%d/%m/%Y", "%Y/%m/%d")
HOURS = ("", " %H:%M", " %H:%M:%S", " %H:%M:%S.%f", " %I:%M %p", " %I:%M:%S %p")
FORMS = (*(day + hour for hour in HOURS for day in DATES), "%H:%M:%S.%f", "%H:%M:%S", "%H:%M")


def first_word(name: str) -> str:
    """The first word of a column's name: "time" of "Time (s)"."""
    return next(iter(re.findall(r"[a-z]+", name.lower())), "")


def moment(text: str, form: str) -> float:
    """Seconds of a time in a form of `datetime.strptime`, or, where that is "", in ISO 8601; NaN where it is none."""
    try:
        time = datetime.strptime(text, form) if form else datetime.fromisoformat(text)
    except ValueError:
        return math.nan
    return (time.replace(tzinfo=None) - datetime(1970, 1, 1)).total_seconds()

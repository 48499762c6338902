"""Times as they are written in tables: recognised by what the cells hold, in one form for the whole column."""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from models.readers.cells import LONGEST

# Words that numbers counting time are called by; texts are recognised by themselves.
TIMES = {"time", "t", "ts", "timestamp", "date", "datetime", "elapsed", "seconds", "sec", "ms", "epoch", "unix"}
TIMES |= {"jd", "bjd"}
TIMES |= {"zeit", "datum", "uhrzeit", "zeitstempel", "temps", "fecha", "hora", "tempo", "ds"}
DATED = ("date", "datetime", "datum", "fecha")  # numbers under these names may be days of a spreadsheet
SECONDS = {"s", "sec", "seconds", "ms", "us", "µs", "ns", "min", "minutes", "h", "hours", "d", "days", "utc", "stamp"}
COUNTERS = {"index", "step", "sample", "frame"}  # tell the time of a signal, but do not make a table one

DAY = 86_400.0
# Forms of a cell, named by the order of day, month, its name (b) and year; "clock" has no date.
ORDERS = ("dmy", "mdy")  # of 04/05/2024, which may be either
_DATES = {
    "ymd": r"(?P<y>\d{4})(?P<s>[-/.])(?P<m>\d{1,2})(?P=s)(?P<d>\d{1,2})",
    "dmy": r"(?P<d>\d{1,2})(?P<s>[-/.]|\. )(?P<m>\d{1,2})(?P=s)(?P<y>\d{4}|\d{2})",
    "mdy": r"(?P<m>\d{1,2})(?P<s>[-/.]|\. )(?P<d>\d{1,2})(?P=s)(?P<y>\d{4}|\d{2})",
    "dby": r"(?P<d>\d{1,2})(?:st|nd|rd|th|\.)?[-/ ]?(?P<b>[^\W\d_]{3,10})\.?[-/, ]{0,2}(?P<y>\d{4}|\d{2})",
    "bdy": r"(?P<b>[^\W\d_]{3,10})\.?[- ](?P<d>\d{1,2})(?:st|nd|rd|th)?,?[- ](?P<y>\d{4})",
    "ybd": r"(?P<y>\d{4})[-/ ](?P<b>[^\W\d_]{3,10})\.?[-/ ](?P<d>\d{1,2})",
    "compact": r"(?P<y>(?:19|20)\d{2})(?P<m>\d{2})(?P<d>\d{2})",
    "dmy8": r"(?P<d>\d{2})(?P<m>\d{2})(?P<y>(?:19|20)\d{2})",
    # Months and quarters alone.
    "yq": r"(?P<y>(?:1[5-9]|20)\d{2})[- ]?Q(?P<q>[1-4])",
    "ym": r"(?P<y>(?:19|20)\d{2})[-/](?P<m>\d{1,2})",
    "my": r"(?P<m>\d{1,2})[-/.](?P<y>(?:19|20)\d{2})",
    "by": r"(?P<b>[^\W\d_]{3,10})\.?[- ](?P<y>(?:19|20)\d{2}|\d{2})",
    "yb": r"(?P<y>(?:19|20)\d{2})[- ](?P<b>[^\W\d_]{3,10})\.?",
}
_HOUR = r"(?P<H>\d{1,2})"
_SECOND = r"(?P<S>\d{2})(?:[.,](?P<f>\d{1,9}))?"
_CLOCK = rf"{_HOUR}(?P<c>[:.])(?P<M>\d{{2}})(?:(?P=c){_SECOND})?(?:\s?(?P<p>[AaPp])\.?\s?[Mm]\.?)?(?:\s?Uhr)?"
_ZONE = r"\s?(?P<z>Z|[A-Z]{2,5}|(?:UTC|GMT)?[+-]\d{1,2}(?::?\d{2})?)?(?:\[[\w/+-]+\])?"
_WEEKDAY = r"(?:[^\W\d_]{2,9}\.?,? )?"
_BETWEEN = r"(?:[T_]|,? +|:(?=\d\d:))"
_CLOCKS = dict.fromkeys(("ym", "my", "by", "yb", "yq", "dmy8"), "") | {
    "compact": rf"(?:{_BETWEEN}?(?P<H>\d{{2}}):?(?P<M>\d{{2}})?(?::?{_SECOND})?{_ZONE})?"
}
_ALONE = (
    rf"(?P<H>\d{{1,4}}):(?P<M>\d{{2}})(?::{_SECOND})?(?:\s?(?P<p>[AaPp])\.?\s?[Mm]\.?)?(?:\s?Uhr)?{_ZONE}"
    r"|(?P<H2>\d{1,2})\.(?P<M2>\d{2})\.(?P<S2>\d{2})"
    r"|(?P<M3>\d{1,3}):(?P<S3>\d{2})[.,](?P<f3>\d{1,9})"  # minutes and seconds, as spreadsheets show them
)
# What columns of the parts of a date are called, in their order.
PARTS = (
    frozenset(("year", "yr", "yyyy", "yy", "jahr", "annee", "année", "ano", "año", "anno")),
    frozenset(("month", "mon", "mo", "mm", "mnth", "monat", "mois", "mes", "mese")),
    frozenset(("day", "dy", "dd", "dom", "tag", "jour", "dia", "día", "giorno")),
    frozenset(("hour", "hr", "hh", "hours", "stunde", "heure", "hora", "ora")),
    frozenset(("minute", "min", "mn", "mm", "mi", "minutes", "minuto")),
    frozenset(("second", "sec", "ss", "seconds", "sekunde", "seconde", "segundo", "secondo")),
)
FORMS = {
    form: re.compile(rf"{_WEEKDAY}{dated}{_CLOCKS.get(form, rf'(?:{_BETWEEN}{_CLOCK}{_ZONE})?')}")
    for form, dated in _DATES.items()
} | {"clock": re.compile(_ALONE)}
_MONTHS = (
    "jan january januar janvier enero ene gennaio gen januari",
    "feb february februar fevrier fev fevr febrero febbraio februari",
    "mar march marz maerz mrz mae mars marzo maart",
    "apr april avril avr abril abr aprile",
    "may mai mayo maggio mag mei",
    "jun june juni juin junio giugno giu",
    "jul july juli juillet juil julio luglio lug",
    "aug august aout aou agosto ago augustus",
    "sep sept september septembre septiembre settembre set",
    "oct october okt oktober octobre octubre ottobre ott out",
    "nov november novembre noviembre",
    "dec december dez dezember decembre diciembre dic dicembre",
)
MONTHS = {word: i + 1 for i, words in enumerate(_MONTHS) for word in words.split()}
# Zones whose letters are written beside a time; others are as if there were none.
ZONES = {"CET": 1, "CEST": 2, "MEZ": 1, "MESZ": 2, "BST": 1, "WEST": 1, "EET": 2, "EEST": 3, "MSK": 3, "IST": 5.5}
ZONES |= {"EST": -5, "EDT": -4, "CST": -6, "CDT": -5, "MST": -7, "MDT": -6, "PST": -8, "PDT": -7}
ZONES |= {"JST": 9, "KST": 9, "AEST": 10, "AEDT": 11}


def words_of(name: str) -> list[str]:
    """The words of a column's name, small: "customer", "id" of "customerID"; "time", "s" of "Time (s)"."""
    apart = re.sub(r"([a-z])([A-Z])|([A-Z])(?=[A-Z][a-z])", r"\1\3 \2", name)
    return re.findall(r"[^\W\d_]+", apart.lower())


def called_time(name: str) -> bool:
    """Whether the first word of a column's name, or one of two, says that it holds times."""
    words = words_of(name)
    if words[:1] == ["t"] and len(words) > 1 and words[1] not in SECONDS:
        return False  # T (°C) is a temperature
    return bool(words) and (words[0] in TIMES or (len(words) <= 3 and words[-1] in TIMES - {"t", "ms", "sec", "s"}))


def counts_moments(name: str) -> bool:
    """Whether a column is called as what counts the moments of a signal."""
    return words_of(name)[:1] != [] and words_of(name)[0] in COUNTERS


def moment(text: str, form: str) -> float:
    """Seconds since 1970 in UTC, as far as the cell tells its zone; of "clock" since midnight. NaN where it is no time."""
    found = FORMS[form].fullmatch(text.strip()) if len(text) <= LONGEST else None
    if found is None:
        return math.nan
    part = found.groupdict()
    if form == "clock":
        days = 0.0
        if part["H2"]:
            part |= {"H": part["H2"], "M": part["M2"], "S": part["S2"]}
        if part["M3"]:
            return 60 * int(part["M3"]) + int(part["S3"]) + float(f"0.{part['f3']}")
    else:
        month = _month(part["b"]) if "b" in part else 3 * int(part["q"]) - 2 if "q" in part else int(part["m"])
        year = int(part["y"])
        century = 0 if len(part["y"]) > 2 else 2000 if year < 69 else 1900
        days = _days(year + century, month, int(part.get("d") or 1))
    if not part.get("H"):
        return days * DAY
    hour, minute, second = int(part["H"]), int(part["M"] or 0), int(part["S"] or 0)
    half = part.get("p")
    if half:
        hour = hour % 12 + 12 * (half in "pP") if 1 <= hour <= 12 else 99
    if minute > 59 or second > 60 or (hour > 24 and form != "clock") or hour == 99:
        return math.nan
    fraction = float(f"0.{part['f']}") if part["f"] else 0.0
    return days * DAY + hour * 3600 + minute * 60 + second + fraction - _offset(part.get("z") or "")


@lru_cache(20_000)
def _days(year: int, month: int, day: int) -> float:
    try:
        return float(date(year, month, day).toordinal() - 719_163)
    except ValueError:
        return math.nan


@lru_cache(200)
def _month(name: str) -> int:
    plain = unicodedata.normalize("NFD", name.lower().replace("ä", "ae"))
    letters = "".join(c for c in plain if not unicodedata.combining(c))
    return MONTHS.get(letters, 0)


@lru_cache(200)
def _offset(zone: str) -> float:
    """Seconds that a zone is before UTC."""
    found = re.fullmatch(r"(?:UTC|GMT)?([+-])(\d{1,2}):?(\d{2})?", zone)
    if not found:
        return 3600 * ZONES.get(zone, 0)
    return (1 if found[1] == "+" else -1) * (3600 * int(found[2]) + 60 * int(found[3] or 0))


def forms_of(cells: Sequence[str], share: float = 0.98) -> list[str]:
    """The forms in which at least that share of these cells are times, those that fit most first."""
    if not any(c.isdigit() for cell in cells[:20] for c in cell):
        return []
    fitting = []
    for form in FORMS:
        allowed = (1 - share) * len(cells)
        wrong = 0
        for cell in cells:
            wrong += math.isnan(moment(cell, form))
            if wrong > allowed:
                break
        else:
            fitting.append((wrong, form))
    best = min((wrong for wrong, _ in fitting), default=0)
    out = [form for wrong, form in fitting if wrong == best]
    return [form for form in out if form in ORDERS] if set(out) & set(ORDERS) else out[:1]


def with_hours(cells: Sequence[str]) -> bool:
    """Whether any of these times tells more than the day."""
    return any(":" in cell or re.search(r"\d[T ]\d", cell.strip()) for cell in cells)


def numbered(values: NDArray[np.float64], name: str) -> tuple[NDArray[np.float64], str] | None:
    """Seconds that numbers (N,) count, and how, as the end of a sentence; None where they are no times.

    By content: since 1970 in seconds or finer, Julian days with fractions, or dates such as 20240131. By name besides:
    days of Excel since 1900, and any other count.
    """
    known = values[np.isfinite(values)]
    named, least, most = called_time(name), float(known.min(initial=np.inf)), float(known.max(initial=-np.inf))
    small = least < 2.3e6 and not named and words_of(name)[:1] != ["mjd"] and not counts_moments(name)
    if len(known) < 2 or small:  # as most features are: nothing else has to be measured
        return None
    steps = np.diff(known)
    ordered = len(known) >= 20 and most > least and bool((steps >= 0).all() or (steps <= 0).all())
    usual = float(np.median(steps))
    even = ordered and float(np.mean(np.abs(steps - usual) <= 0.5 * abs(usual))) >= 0.75  # else sorted by their size
    whole = bool((known == np.floor(known)).all())
    if whole and (named or ordered) and least >= 19000101 and most <= 99991231235959:
        dates = _dates(known, values)
        if dates is not None:
            return dates, "dates without marks between"
    for scale, unit in ((1.0, "seconds"), (1e3, "milliseconds"), (1e6, "microseconds"), (1e9, "nanoseconds")):
        if 6.3e8 * scale <= least and most <= (4.2e9 if named else 2.2e9) * scale and (named or even):
            return values / scale, f"{unit} since 1970"
    if least >= 2.3e6 and most <= 2.6e6 and not whole and (named or even):
        return values * DAY, "Julian days"
    first = words_of(name)[:1]
    for called, low, high, how in (
        (("mjd",), 15_000, 90_000, "modified Julian days"),
        (DATED, 20_000, 60_000, "days since 1900"),
    ):
        if first and first[0] in called and low <= least and most <= high:
            return values * DAY, how
    counting = first and ((first[0] in TIMES and (first != ["t"] or named)) or (ordered and counts_moments(name)))
    return (values, "a count") if counting else None


def parts_of(names: Sequence[str]) -> tuple[int, ...]:
    """The places of columns side by side that are called year, month, day and so on, as far as they go; none where there are
    fewer than three."""
    words = [words_of(name)[:1] for name in names]
    for i, first in enumerate(words):
        if first and first[0] in PARTS[0]:
            count = 0
            while count < len(PARTS) and i + count < len(words) and PARTS[count] & set(words[i + count]):
                count += 1
            if count >= 3:
                return tuple(range(i, i + count))
    return ()


def joined(parts: NDArray[np.float64]) -> NDArray[np.float64]:
    """Seconds (N,) of years, months, days, hours, … in columns (N, 3 to 6); NaN where there is no such time."""
    out = np.full(len(parts), np.nan)
    for row, values in enumerate(parts.tolist()):
        if all(value.is_integer() for value in values):
            year, month, day, hour, minute, second = (*map(int, values), 0, 0, 0)[:6]
            year += 0 if year > 99 else 2000 if year < 69 else 1900
            if 0 <= hour <= 24 and 0 <= minute < 60 and 0 <= second <= 60:
                out[row] = _days(year, month, day) * DAY + hour * 3600 + minute * 60 + second
    return out


def _dates(known: NDArray[np.float64], values: NDArray[np.float64]) -> NDArray[np.float64] | None:
    """Seconds of numbers such as 20240131, 202401311830 or 20240131183000; None where any is no such date."""
    digits = {len(f"{value:.0f}") for value in (known.min(), known.max())}
    if len(digits) != 1 or digits.pop() not in (8, 10, 12, 14):
        return None
    out = np.full(len(values), np.nan)
    seen: dict[float, float] = {}
    for i, value in enumerate(values.tolist()):
        if math.isfinite(value):
            if value not in seen:
                seen[value] = moment(f"{value:.0f}", "compact")
            out[i] = seen[value]
            if math.isnan(out[i]):
                return None
    return out


def without_changes(moments: NDArray[np.float64]) -> tuple[NDArray[np.float64], int]:
    """Local times (N,) as if clocks had not been changed, and how often they were: on a Sunday night of the months in which
    that is done, where a step is an hour longer or shorter than usual."""
    steps = np.diff(moments)
    known = steps[np.isfinite(steps)]
    if not len(known):
        return moments, 0
    if np.median(known) < 0:  # newest first
        back, count = without_changes(moments[::-1])
        return back[::-1], count
    ahead = steps[steps > 0]
    usual = float(np.median(ahead)) if len(ahead) else math.inf
    if usual > 7200:
        return moments, 0
    longer = steps - usual
    places = [int(at) for at in np.flatnonzero(np.abs(np.abs(longer) - 3600) < 1) if _is_change(float(moments[at]))]
    shift = np.zeros(len(moments))
    for at in places:
        shift[at + 1 :] -= math.copysign(3600, longer[at])
    return moments + shift, len(places)


def _is_change(moment: float) -> bool:
    when = datetime(1970, 1, 1) + timedelta(seconds=moment)
    return when.weekday() == 6 and when.month in (3, 4, 9, 10, 11) and when.hour <= 4


def unwound(moments: NDArray[np.float64]) -> NDArray[np.float64]:
    """Times of the day (N,) as one clock that goes on over midnight."""
    steps = np.nan_to_num(np.diff(moments))
    turns = np.where(steps < -DAY / 2, 1, np.where(steps > DAY / 2, -1, 0))
    return np.asarray(moments + DAY * np.concatenate([[0], np.cumsum(turns)]))

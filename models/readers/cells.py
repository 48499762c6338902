"""What a cell of a text table holds: a number, however it is written, or one of the words for nothing.

Numbers are met with a decimal point or comma, grouped by a comma, point, space or apostrophe, with a currency before or
after them, a percent sign or a unit, in brackets for negative. One cell often does not tell which mark is the decimal
one: `NumberCounts` looks at all cells of a column before any of them becomes a number.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache

# Words that stand for nothing wherever they are met.
NEVER = frozenset(("", "n/a", "nan", "-nan", "null", "(null)", "<null>", "<na>", "nat", "n.a.", "n. a.", "n.d."))
NEVER |= {"k.a.", "k. a.", "#n/a", "#na", "#div/0!", "#value!", "#ref!", "#num!", "#name?", "#null!", "#error!"}
NEVER |= {
    "#nv",
    "#wert!",
    "#bezug!",
    "?",
    "..",
    "...",
    "--",
    "---",
    "—",
    "–",
    "\\n",
    "not available",
    "no data",
    "nodata",
}
NEVER |= {"1.#ind", "1.#qnan"}
# These may also be a value: the minus of a test, Namibia's code, the answer "none". In a column of text they are one
# where they are about as frequent as the others; "none" and "nil" always are.
PERHAPS = frozenset(("-", "na", "none", "nil", "missing", "."))
VALUES = frozenset(("none", "nil"))
MISSING = NEVER | PERHAPS

SPACES = " \u00a0\u2007\u2009\u202f"
CODES = "EUR|USD|GBP|CHF|JPY|CNY|INR|SEK|NOK|DKK|PLN|CZK|HUF|CAD|AUD|BRL|ZAR"
CURRENCY = rf"(?:(?:US|A|C|R|HK)?\$|[€£¥₹₽₩₺₴₪฿]|(?:{CODES})(?![A-Za-z])|Fr\.|Rs\.?(?![A-Za-z]))"
NUMBER = re.compile(
    rf"(?:(?P<outer>{CURRENCY})\s*)?(?P<open>\()?(?P<sign>[+\-−]?)\s*(?P<before>{CURRENCY})?\s*(?P<sign2>[+\-−]?)"
    rf"(?P<body>\d[\d.,'’{SPACES}]*\d|\d|[.,]\d+)(?P<end>[.,]?)(?:(?<=[.,])[-–])?(?P<exp>[eEdD][+-]?\d{{1,3}})?"
    rf"(?:(?P<gap>[{SPACES}]*)(?P<unit>[^\W\d_]\S{{0,11}}|[%‰°€£¥₹₽₩₺$][^\s\d]{{0,5}}))?(?P<minus>[-−]?)(?P<close>\))?"
    r"[*†‡]{0,3}"  # of a footnote
)
BOUND = re.compile(r"\s*[<>≤≥~≈]=?\s*([\d.,]+)\s*")  # <0.5 is what an instrument could not tell apart from nothing
DASH = re.compile(rf"{CURRENCY}\s*[-–]|[-–]\s*{CURRENCY}")  # as accountants write nothing
MULTIPLES = {"K": 1e3, "k": 1e3, "M": 1e6, "Mio": 1e6, "B": 1e9, "Mrd": 1e9, "T": 1e12}
BY_SPACE = re.compile(rf"\d{{1,3}}(?P<mark>['’{SPACES}])\d{{3}}(?:(?P=mark)\d{{3}})*(?P<rest>(?:[.,]\d*)?)")
GROUPS = {
    ",": re.compile(r"\d{1,3}(?:,\d{3})+|\d{1,2}(?:,\d{2})+,\d{3}"),  # the second is India's 12,34,567
    ".": re.compile(r"\d{1,3}(?:\.\d{3})+"),
}
OTHER = {".": ",", ",": "."}
# Units that may touch the number. Others need a space between, else "12A" and "3rd" would be numbers.
UNITS = frozenset(("%", "‰", "°", "°C", "°F", "°K", "C", "F", "K", "kg", "g", "mg", "µg", "μg", "t", "lb", "lbs", "oz"))
UNITS |= {"m", "km", "cm", "mm", "µm", "μm", "nm", "ft", "in", "mi", "yd", "m²", "m³", "m2", "m3", "km²", "km2", "ha"}
UNITS |= {"s", "ms", "µs", "μs", "ns", "min", "h", "hr", "hrs", "d", "Hz", "kHz", "MHz", "GHz", "bpm", "rpm"}
UNITS |= {"V", "mV", "kV", "A", "mA", "W", "mW", "kW", "MW", "kWh", "Wh", "J", "kJ", "N", "Ω", "kΩ", "dB", "lx", "lm"}
UNITS |= {
    "Pa",
    "hPa",
    "kPa",
    "MPa",
    "bar",
    "mbar",
    "psi",
    "l",
    "L",
    "ml",
    "mL",
    "cl",
    "dl",
    "mol",
    "mmol",
    "ppm",
    "ppb",
}
UNITS |= {"km/h", "kmh", "mph", "m/s", "kn", "m/s²", "W/m²", "kg/m³", "mg/l", "mg/L", "g/l", "µg/l", "mg/dl", "mmol/l"}
UNITS |= {"€", "$", "£", "¥", "₹", "₽", "₩", "₺", "EUR", "USD", "GBP", "CHF", "KB", "kB", "MB", "GB", "TB", "px", "pt"}
LONGEST = 64  # characters of a number, and of a time: longer cells are no work for patterns
SAFE = 2**53  # whole numbers up to here are the same in float64
UNITS_SMALL = frozenset(unit.lower() for unit in UNITS if len(unit) > 2)
# Days may be negative while hours go forward from there.
DURATION = re.compile(
    r"(?P<back>)(?P<d>[+-]?\d{1,9}) days?(?:,? \+?(?P<h>\d{1,2}):(?P<m>\d{2}):(?P<s>\d{2}(?:\.\d{1,9})?))?"
)
ISO_DURATION = re.compile(
    r"(?P<back>-)?P(?=[\dT])(?:(?P<d>-?\d{1,9})D)?(?:T(?=\d)(?:(?P<h>\d{1,9})H)?(?:(?P<m>\d{1,9})M)?(?:(?P<s>\d{1,9}(?:\.\d{1,9})?)S)?)?"
)
ENDLESS = {"inf": float("inf"), "infinity": float("inf"), "-inf": -float("inf"), "-infinity": -float("inf")}


@dataclass(frozen=True)
class Numeral:
    """A number as it was written.

    mark: the decimal mark, "." or ",", where the number proves it. maybe: the mark of a number such as 1,234, which is a
    fraction or has thousands. grouped: the mark between thousands where that is certain. Each "" where there is none.
    """

    sign: int
    body: str
    exponent: str
    unit: str
    mark: str
    maybe: str
    grouped: str

    def value(self, decimal: str, grouping: str | None = None) -> float | None:
        """The number in a column with that decimal mark.

        grouping: the mark between thousands, "" where there is none, None where it may be any. None is given for a number
        that is grouped otherwise.
        """
        between = self.grouped or (self.maybe if self.maybe != decimal else "")
        if between and grouping is not None and kind_of(between) != grouping:
            return None
        body = self.body.replace(between, "") if between else self.body
        return self.sign * float(body.replace(",", ".") + self.exponent)


def duration(cell: str) -> float | None:
    """The seconds of a duration as pandas, Python and ISO 8601 write it, None where there is none: "0 days 00:01:00",
    "-1 day, 23:59:00", "P0DT0H1M0S"."""
    text = cell.strip()
    found = (DURATION.fullmatch(text) or ISO_DURATION.fullmatch(text)) if len(text) <= LONGEST else None
    if found is None:
        return None
    days, hours, minutes, seconds = (float(found[part] or 0) for part in ("d", "h", "m", "s"))
    back = -1 if found["back"] else 1
    return back * (86_400 * days + 3600 * hours + 60 * minutes + seconds)


def kind_of(mark: str) -> str:
    """A mark between thousands as a choice names it: one space for all spaces, one apostrophe for all."""
    return " " if mark in SPACES else "'" if mark in "'’" else mark


def numeral(cell: str) -> Numeral | None:
    """The number in a cell, None where there is none: "1_000" is text, and so is "12A"."""
    return _numeral(cell) if len(cell) <= LONGEST else None


@lru_cache(50_000)
def _numeral(cell: str) -> Numeral | None:
    found = NUMBER.fullmatch(cell.strip().replace("º", "°"))
    if found is None or bool(found["open"]) != bool(found["close"]):
        return None
    signs = [each for each in (found["sign"], found["sign2"], found["minus"], found["open"]) if each]
    unit = found["unit"] or ""
    before = found["outer"] or found["before"] or ""
    touching = (
        unit and not found["gap"] and unit not in UNITS and unit.lower() not in UNITS_SMALL and unit not in MULTIPLES
    )
    if len(signs) > 1 or (unit and before) or touching or (found["outer"] and found["before"]):
        return None
    marks = _marks(found["body"], found["end"])
    if marks is None:
        return None
    sign = -1 if signs and signs[0] != "+" else 1
    exponent = re.sub("[dD]", "e", found["exp"] or "")
    return Numeral(sign, found["body"] + found["end"], exponent, unit or before, *marks)


def _marks(body: str, end: str) -> tuple[str, str, str] | None:
    """`Numeral`'s mark, maybe and grouped. None where digits and marks are in disorder, as in 1.2.3."""
    spaced = BY_SPACE.fullmatch(body)
    if spaced:
        return spaced["rest"][:1] or end, "", spaced["mark"]
    used = set(body) & set(".,")
    if not set(body) <= set("0123456789.,"):
        return None
    if not used:
        return end, "", ""
    if len(used) == 2:
        mark = max(used, key=body.rfind)
        front, _, rest = body.rpartition(mark)
        return (mark, "", OTHER[mark]) if GROUPS[OTHER[mark]].fullmatch(front) and rest.isdigit() and not end else None
    mark = used.pop()
    grouped = GROUPS[mark].fullmatch(body) and not body.startswith("0")
    if body.count(mark) > 1 or end:
        return (OTHER[mark], "", mark) if grouped and end != mark else None
    return ("", mark, "") if grouped else (mark, "", "")


def is_missing(cell: str, words: frozenset[str] = MISSING) -> bool:
    """Whether a cell is empty, or one of the words for nothing."""
    text = cell.strip()
    if text.lower() in words:
        return True
    return (
        "-" in words and (text[-1:] in "-–" or text[:1] in "-–") and len(text) < 12 and DASH.fullmatch(text) is not None
    )


def mostly_numbers(cells: Sequence[str]) -> bool:
    """Whether more than half of the cells that hold something are numbers."""
    some = [cell for cell in cells if not is_missing(cell)]
    return bool(some) and sum(numeral(cell) is not None for cell in some) > len(some) / 2


@dataclass(frozen=True)
class NumberFormat:
    """How the numbers of a column are written: the decimal mark, the mark between thousands ("" none, None any), and the
    unit that may stand beside each. multiples: whether K, M and B beside a number are thousands, millions and billions.
    durations: whether they are written in days, hours, minutes and seconds, and become seconds."""

    decimal: str = "."
    grouping: str | None = None
    unit: str = ""
    multiples: bool = False
    durations: bool = False

    def number(self, cell: str) -> float | None:
        """The number that a cell holds, None where it holds none, or one of another unit."""
        if self.durations:
            return duration(cell)
        found = numeral(cell)
        if found is None:
            return ENDLESS.get(cell.strip().lower().lstrip("+"))
        if self.multiples and found.unit in MULTIPLES:
            value = found.value(self.decimal, self.grouping)
            return None if value is None else value * MULTIPLES[found.unit]
        return None if found.unit not in ("", self.unit) else found.value(self.decimal, self.grouping)


@dataclass
class NumberCounts:
    """What the cells of a column are, as numbers: how many there are, and how many prove what. others: what is no number,
    and how often; without what is empty."""

    cells: int = 0
    numbers: int = 0
    distinct: int = 0
    marks: dict[str, int] = field(default_factory=dict)
    maybe: dict[str, int] = field(default_factory=dict)
    grouped: dict[str, int] = field(default_factory=dict)
    units: dict[str, int] = field(default_factory=dict)
    others: dict[str, int] = field(default_factory=dict)
    codes: int = 0
    bounds: int = 0
    short: int = 0

    def add(self, cells: Mapping[str, int], missing: frozenset[str]) -> None:
        """Count cells, each with how often it is there. codes: such as 007 or above 2^53, which would not be the same as
        numbers. bounds: such as <0.5. short: whole numbers of up to three digits."""
        for cell, count in cells.items():
            text = cell.strip()
            if is_missing(cell, missing):
                continue
            self.cells += count
            found = numeral(cell)
            if found is None:
                if text.lower().lstrip("+") in ENDLESS:
                    self.numbers += count
                else:
                    self.bounds += count * (BOUND.fullmatch(text) is not None)
                    self.others[text] = self.others.get(text, 0) + count
                continue
            self.numbers += count
            self.distinct += 1
            for of, what in (
                (self.marks, found.mark),
                (self.maybe, found.maybe),
                (self.grouped, kind_of(found.grouped) if found.grouped else ""),
                (self.units, found.unit),
            ):
                if what:
                    of[what] = of.get(what, 0) + count
            self.short += count * (text.isdigit() and len(text) < 4)
            self.codes += count * (text.isdigit() and (int(text) > SAFE or (len(text) > 1 and text[0] == "0")))

    def unit(self) -> str:
        """The unit of the column: that of nearly all numbers with a unit, and of at least half of all."""
        if self.multiples():
            return ""
        best = max(self.units, key=lambda unit: self.units[unit], default="")
        known = sum(self.units.values())
        return best if best and self.units[best] >= 0.9 * known and 2 * self.units[best] >= self.numbers else ""

    def multiples(self) -> bool:
        """Whether K, M and B stand beside numbers for thousands and more: at least two of them do."""
        return len(self.units) > 1 and set(self.units) <= set(MULTIPLES)

    def asked(self) -> int:
        """How many cells have to be numbers: without bounds such as <0.5 where there are more numbers than these."""
        return self.cells - (self.bounds if self.right() >= self.bounds else 0)

    def right(self) -> int:
        """How many cells are numbers of that unit, or without one."""
        if self.multiples():
            return self.numbers
        unit = self.unit()
        return self.numbers - sum(count for each, count in self.units.items() if each != unit)

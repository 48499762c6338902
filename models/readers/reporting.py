"""What is told of the cells of a table: what was lost, and how its numbers are written."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from models.readers.cells import is_missing
from models.readers.column import ColumnBuilder, Shared, weak
from models.readers.work import Work

TOLD = 8  # columns whose lost cells are told one by one


def report(
    columns: Sequence[ColumnBuilder], categories: Mapping[int, list[str]], infinite: int, separator: str, shared: Shared
) -> None:
    """Warns of what was lost, and notes what was decided about numbers. categories: the values of columns by their place.
    infinite: how many numbers were too large. separator: of cells, "" where there is none."""
    work = shared.work
    lost = [
        (column, Counter(column.unreadable))
        for i, column in enumerate(columns)
        if column.unreadable and (column.kind != "category" or len(categories[i]) <= work.limits.categories)
    ]
    for column, words in lost[:TOLD]:
        what = {"number": "numbers", "time": "times"}.get(column.kind, "values of a category")
        some = ", ".join(f"`{word}`" for word, _ in words.most_common(4)) + (", …" if len(words) > 4 else "")
        work.warn(
            f"{words.total():,} of {words.total() + column.present:,} cells of “{column.name}” were no {what}: {some}."
        )
    if len(lost) > TOLD:
        work.warn(f"So it was in {len(lost) - TOLD:,} more columns.")
    for column in columns:
        units = column.counts.units
        if (
            column.kind == "category"
            and not column.forced
            and len(units) > 1
            and 5 * column.counts.numbers > 4 * column.counts.cells
        ):
            some = ", ".join(sorted(units, key=lambda unit: -units[unit])[:3])
            work.warn(
                f"“{column.name}” looks like numbers in several units ({some}), which are not converted: it is read as text."
            )
    met = sorted({word for _, words in lost for word in words if is_missing(word, shared.missing)})
    if met or work.choices.missing_values is not None:
        chosen = list(work.choices.missing_values) if work.choices.missing_values is not None else met[:50]
        told = f"Cells that say {', '.join(f'`{word}`' for word in chosen[:8])} count as missing."
        told = told if chosen else "Only empty cells count as missing."
        work.decide("missing_values", chosen, [chosen, *([[]] if chosen else [])], told)
    if infinite:
        work.warn(f"{infinite:,} values are infinite or too large, and count as missing.")
    _report_marks(columns, separator, work)


def _report_marks(columns: Sequence[ColumnBuilder], separator: str, work: Work) -> None:
    numbers = [column for column in columns if column.kind == "number" and column.counts.numbers]
    maybe = Counter[str]()
    grouped = Counter[str]()
    for column in numbers:
        maybe.update(column.counts.maybe)
        grouped.update(column.counts.grouped)
        grouped.update({mark: count for mark, count in column.counts.maybe.items() if mark != column.format.decimal})
        other = column.counts.marks.get("," if column.format.decimal == "." else ".", 0)
        if other:
            mark = "comma" if column.format.decimal == "." else "point"
            work.warn(
                f"{other:,} of {column.counts.numbers:,} numbers looked at in “{column.name}” are written with a decimal {mark}."
            )
    _report_decimal(numbers, maybe, separator, work)
    if grouped:
        between = work.choices.grouping if work.choices.grouping is not None else grouped.most_common(1)[0][0]
        told = {",": "a comma", ".": "a point", " ": "a space", "'": "an apostrophe"}
        words = (
            f"Thousands are parted by {told[between]}."
            if between
            else "Thousands are not parted: such cells are no numbers."
        )
        work.decide("grouping", between, [*([between] if between else []), ""], words)


def _report_decimal(numbers: Sequence[ColumnBuilder], maybe: Counter[str], separator: str, work: Work) -> None:
    """The decimal mark, if any could be taken for it; asked for where none is proved, or by few numbers only."""
    proved = any(column.counts.marks for column in numbers)
    few = [column for column in numbers if weak(column.counts)]
    # 1.234 beside 998 has thousands as likely as decimals, which would be written with it as 998.000.
    mixed = not proved and any(column.counts.maybe and column.counts.short for column in numbers)
    marked = Counter(column.format.decimal for column in numbers if column.counts.marks or column.counts.maybe)
    if not (marked[","] or maybe[","] or few or mixed):
        return
    # Where each column proves its mark there is nothing to choose.
    undecided = [
        column for column in numbers if column.counts.maybe and (not column.counts.marks or weak(column.counts))
    ]
    mark = (work.choices.decimal if undecided else None) or marked.most_common(1)[0][0]
    words = f"Numbers are written with a decimal {'comma' if mark == ',' else 'point'}"
    others = [column.name for column in numbers if column.format.decimal != mark and column.counts.marks]
    if others:
        more = " and others" if len(others) > 1 else ""
        words += f"; in “{others[0]}”{more} with a {'point' if mark == ',' else 'comma'}"
    asks = bool(few) or (not proved and (separator not in (",", ";") or (mixed and mark == ".")))
    if asks:
        name = few[0].name if few else next(column.name for column in numbers if column.counts.maybe)
        sign = max(maybe, key=lambda each: maybe[each])
        words = f"Numbers such as 1{sign}234 in “{name}” could be fractions or have thousands"
    work.decide("decimal", mark, [".", ","] if undecided else [mark], f"{words}.", asks=asks)

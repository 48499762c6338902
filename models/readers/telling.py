"""What is told of the cells of a table: what was lost, and how its numbers are written."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from models.readers.cells import is_missing
from models.readers.column import ColumnBuilder, Shared
from models.readers.work import Work

TOLD = 8  # columns whose lost cells are told one by one


def tell(
    columns: Sequence[ColumnBuilder], categories: Mapping[int, list[str]], infinite: int, separator: str, shared: Shared
) -> None:
    """Warns of what was lost, and notes what was decided about numbers. categories: the values of columns by their place.
    infinite: how many numbers were too large. separator: of cells, "" where there is none."""
    work = shared.work
    lost = [
        (column, Counter(column.bad))
        for i, column in enumerate(columns)
        if column.bad and (column.kind != "category" or len(categories[i]) <= work.limits.categories)
    ]
    for column, words in lost[:TOLD]:
        what = {"number": "numbers", "time": "times"}.get(column.kind, "values of a category")
        some = ", ".join(f"`{word}`" for word, _ in words.most_common(4)) + (", …" if len(words) > 4 else "")
        work.warn(
            f"{words.total():,} of {words.total() + column.there:,} cells of “{column.name}” were no {what}: {some}."
        )
    if len(lost) > TOLD:
        work.warn(f"So it was in {len(lost) - TOLD:,} more columns.")
    met = sorted({word for _, words in lost for word in words if is_missing(word, shared.missing)})
    if met or work.choices.missing_values is not None:
        chosen = list(work.choices.missing_values) if work.choices.missing_values is not None else met[:50]
        told = f"Cells that say {', '.join(f'`{word}`' for word in chosen[:8])} count as missing."
        told = told if chosen else "Only empty cells count as missing."
        work.decide("missing_values", chosen, [chosen, *([[]] if chosen else [])], told)
    if infinite:
        work.warn(f"{infinite:,} values are infinite or too large, and count as missing.")
    _tell_marks(columns, separator, work)


def _tell_marks(columns: Sequence[ColumnBuilder], separator: str, work: Work) -> None:
    numbers = [column for column in columns if column.kind == "number" and column.looked.numbers]
    maybe = Counter[str]()
    grouped = Counter[str]()
    for column in numbers:
        maybe.update(column.looked.maybe)
        grouped.update(column.looked.grouped)
        grouped.update({mark: count for mark, count in column.looked.maybe.items() if mark != column.format.decimal})
        other = column.looked.marks.get("," if column.format.decimal == "." else ".", 0)
        if other:
            mark = "comma" if column.format.decimal == "." else "point"
            work.warn(
                f"{other:,} of {column.looked.numbers:,} numbers looked at in “{column.name}” are written with a decimal {mark}."
            )
    marked = Counter(column.format.decimal for column in numbers if column.looked.marks or column.looked.maybe)
    if marked[","] or maybe[","]:
        mark = work.choices.decimal or marked.most_common(1)[0][0]
        words = f"Numbers are written with a decimal {'comma' if mark == ',' else 'point'}"
        others = [column.name for column in numbers if column.format.decimal != mark and column.looked.marks]
        words += (
            f"; in “{others[0]}”{' and others' if len(others) > 1 else ''} with a {'point' if mark == ',' else 'comma'}."
            if others
            else "."
        )
        proved = any(column.looked.marks for column in numbers)
        asks = not proved and separator not in (",", ";") and work.choices.decimal is None
        if asks:
            words = f"Numbers such as 1{',' if maybe[','] else '.'}234 could be fractions or have thousands."
        work.decide("decimal", mark, [".", ","], words, asks=asks)
    if grouped:
        between = work.choices.grouping if work.choices.grouping is not None else grouped.most_common(1)[0][0]
        told = {",": "a comma", ".": "a point", " ": "a space", "'": "an apostrophe"}
        words = (
            f"Thousands are parted by {told[between]}."
            if between
            else "Thousands are not parted: such cells are no numbers."
        )
        work.decide("grouping", between, [*([between] if between else []), ""], words)

"""How a file that somebody brings was understood: each decision as a sentence with its control, columns, what was left out."""

import dataclasses
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np
import streamlit as st

from components.choosing import escaped
from models import kinds
from models.beside import Beside, moment
from models.columns import Column
from models.readers.arrays import AXIS
from models.readers.encodings import TONGUES
from models.readers.limits import LIMITS, Limits
from models.readers.result import ColumnFacts, Decision, ReadResult
from models.readers.work import USES

SHOWN = 500  # columns and classes that a table on this page lists
ACROSS = 30  # columns of the rows that are shown
LABELS = {
    "kind": "What a sample is",
    "size": "Size",
    "fit": "Other proportions",
    "colour": "Colour",
    "scaling": "Values become 0 to 255",
    "folders": "Folders are classes",
    "split": "Training and test samples",
    "samples": "Samples",
    "labels": "Labels",
    "axes": "Axes",
    "label": "Class",
    "header": "First row names the columns",
    "separator": "Between cells",
    "decimal": "Decimal mark",
    "missing": "Missing values",
    "shape": "Shape of an image",
    "window": "Window (rows)",
    "step": "A window every (rows)",
    "layout": "Time runs",
    "encoding": "Encoding of the text",
    "grouping": "Between thousands",
    "missing_values": "Words for missing",
    "dates": "Dates",
    "times": "Times of rows",
    "rhythm": "Uneven times",
    "pivot": "Columns side by side for each",
}
WORDS: dict[str | bool, str] = {
    **{kind.name: kind.described for kind in kinds.KINDS.values()},
    "resize": "squeeze or stretch",
    "crop": "crop the middle",
    "pad": "pad with black",
    "none": "draw them anew",
    "full": "by what the type can hold",
    "stretch": "stretch least to greatest",
    "mean": "the mean of the column",
    "leave out": "leave them out",
    "features": "make features of them",
    "line": "straight lines over short gaps",
    "skip": "leave them out",
    "down": "down the rows",
    "across": "along each row",
    "as they come": "by row",
    "even": "interpolate to even steps",
    "'": "apostrophe",
    **{encoding: f"{tongue} ({encoding})" for encoding, tongue in TONGUES.items()},
    "\t": "tab",
    " ": "space",
    ",": "comma",
    ";": "semicolon",
    "|": "bar",
    ".": "point",
    "": "none",
    True: "yes",
    False: "no",
}
# Of tables: what matters first.
ORDER = (
    "kind",
    "label",
    "times",
    "layout",
    "window",
    "step",
    "header",
    "missing",
    "missing_values",
    "separator",
    "decimal",
)
FREE = ("size", "shape")  # decisions whose options are only examples, written like 28 × 28
NUMBERS = ("window", "step")


@dataclasses.dataclass
class Draft:
    """Something that is being brought: where it lies, what was decided, and what was understood so far.

    staging is the folder it lies in until it is kept; choices are those asked for, good those that could be read.
    turn counts the readings: each has a folder of its own, and controls of its own. look is some of its samples: a
    picture, or a table's rows; range the ends of each column, counts its missing and its different values.
    """

    staging: Path
    paths: list[Path]
    title: str
    source: str
    limits: Limits
    choices: dict[str, Any] = dataclasses.field(default_factory=dict)
    good: dict[str, Any] = dataclasses.field(default_factory=dict)
    turn: int = 0
    found: ReadResult | None = None
    range: tuple[Any, Any] | None = None
    counts: dict[str, tuple[int, int]] = dataclasses.field(default_factory=dict)
    look: Any = None
    problem: str = ""


def review(bringing: Draft) -> None:
    """What was understood, and the controls that change it."""
    found = bringing.found
    assert found is not None
    if bringing.problem:
        st.error(f"{escaped(bringing.problem)} It is as it was before.")
    for decision in found.decisions:
        if decision.asks:
            question(decision, bringing)
    for words in found.warnings:
        st.warning(escaped(words))
    if isinstance(bringing.look, dict):  # rows are read across, and have the whole width
        numbers(found, bringing)
        look_at(bringing.look)
        decide(found, bringing)
    else:
        left, right = st.columns([2, 3], gap="large")
        with left:
            look_at(bringing.look)
        with right:
            numbers(found, bringing)
            decide(found, bringing)
    contents(found, bringing)


def look_at(some: Any) -> None:
    """Some of the samples, as they were read."""
    if isinstance(some, dict):  # a wide table is cut: its columns are listed below
        cut = f", {ACROSS} of {len(some):,} columns" if len(some) > ACROSS else ""
        st.caption(f"{len(next(iter(some.values()))):,} rows, evenly spread over all{cut}")
        st.dataframe(dict(list(some.items())[:ACROSS]), hide_index=True, height="content", placeholder="missing")
    else:
        st.caption("Samples, evenly spread over all")  # its toolbar lies on this line, and not on the button above
        st.image(some, width=min(460, some.width), alt="Samples, evenly spread over all")


def numbers(found: ReadResult, bringing: Draft) -> None:
    """Count, shape, range and split."""
    kind = kinds.get(found.kind)
    with st.container(horizontal=True, gap="large"):
        st.metric(kind.many.capitalize(), f"{len(found.samples):,}", width="content")
        st.metric(kind.dimensions, " × ".join(map(str, found.shape)), width="content")
        if kind.pixels and bringing.range is not None:  # each column of others has a range of its own, below
            least, most = bringing.range
            st.metric("Values", f"{least.min()} to {most.max()}", width="content")
        st.metric("Classes", f"{len(found.classes):,}" if found.classes else "none", width="content")
    if found.split is None:
        words = "A tenth of the samples is kept for validation and a tenth for testing, drawn once and for all."
    else:
        train, validation, test = np.bincount(found.split, minlength=3)
        words = f"{train:,} samples train, {validation:,} validate, {test:,} test."
    if not kind.pixels:
        words += (
            " The network sees each number as its distance from the column's mean, in standard deviations; pages show "
        )
        words += "your own units."
    st.caption(" ".join(filter(None, (escaped(become(found.columns)), words))))


def become(columns: Sequence[Column]) -> str:
    """Why a table with categories has more features than columns; "" where it has none."""
    names = [f"“{column.name}”" for column in columns if column.kind == "category"]
    if not names:
        return ""
    some = names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
    some = some if len(names) < 6 else f"the {len(names)} columns of categories"
    count = f"{len(columns)} columns become" if len(columns) > 1 else "One column becomes"
    return (
        f"{count} {sum(column.width for column in columns)} numbers (features): each value of {some} becomes a number of its "
        "own, 1 where a row has it and 0 elsewhere."
    )


def decide(found: ReadResult, bringing: Draft) -> None:
    """Each decision as a sentence, with the control that changes it."""
    for decision in sorted(found.decisions, key=lambda one: ORDER.index(one.what) if one.what in ORDER else 0):
        if decision.asks:
            continue  # it stands above
        if decision.what == "shape" or len(decision.options) > 1 or decision.what in NUMBERS:
            words, control = st.columns([3, 2], vertical_alignment="center")
            words.markdown(escaped(decision.words))
            with control:
                chosen = asked(decision, bringing.turn)
            if chosen != decision.chosen:
                choose(bringing, decision.what, chosen)
        else:
            st.markdown(escaped(decision.words))
    if found.facts:
        change_column(found, bringing)
    if found.decision("kind") is not None and found.columns:  # of a table: arrays have no named columns
        without = list(bringing.choices.get("leave_out") or [])
        names = [facts.name for facts in found.facts if facts.role not in ("leave out", "time", "id")] + without
        if 1 < len(names) <= SHOWN:
            chosen = st.multiselect(
                "Leave out columns", names, without, key=f"leave out {bringing.turn}", placeholder="none"
            )
            if sorted(chosen) != sorted(without):
                choose(bringing, "leave_out", chosen or None)


def question(decision: Decision, bringing: Draft) -> None:
    """A decision that only a person can take: nothing is kept before."""
    with st.container(border=True):
        words, control = st.columns([3, 2], vertical_alignment="center")
        words.markdown(f":material/help: **{escaped(decision.words)}** Please say which.")
        options = [worded(option) for option in decision.options]
        label = LABELS.get(decision.what, decision.what)
        with control:
            chosen = st.selectbox(
                label,
                range(len(options)),
                None,
                options.__getitem__,
                f"ask {decision.what} {bringing.turn}",
                placeholder="Choose",
            )
        if chosen is not None:
            choose(bringing, decision.what, decision.options[chosen])


def change_column(found: ReadResult, bringing: Draft) -> None:
    """One column, and what it is used as instead."""
    names = [facts.name for facts in found.facts[:SHOWN]]
    left, right = st.columns(2, vertical_alignment="bottom")
    name = left.selectbox("Change a column", names, None, key=f"column {bringing.turn}", placeholder="Choose a column")
    if name is None:
        return
    facts = found.facts[names.index(name)]
    uses = list(dict.fromkeys([facts.role, *USES]))
    told = [used_as(use) for use in uses]
    use = uses[right.selectbox("It is used as", range(len(uses)), 0, told.__getitem__, f"use {name} {bringing.turn}")]
    if use != facts.role:
        if bringing.choices.get("label") == name:
            bringing.choices["label"] = ""
        without = [other for other in bringing.choices.get("leave_out") or [] if other != name]
        bringing.choices["leave_out"] = without or None
        choose(bringing, "columns", {**(bringing.choices.get("columns") or {}), name: use})


def used_as(role: str) -> str:
    """What a column is used as, in words."""
    return {"id": "the row's id", "class": "the class", "leave out": "left out"}.get(role, f"a {role}")


def choose(bringing: Draft, what: str, chosen: Any) -> None:
    """Ask for another decision, and read again."""
    bringing.choices = {name: value for name, value in {**bringing.choices, what: chosen}.items() if value is not None}
    st.rerun()


def asked(decision: Decision, turn: int) -> Any:
    """What the control of a decision says: one of its options, or another that fits where these are examples."""
    label, key = LABELS.get(decision.what, decision.what), f"{decision.what} {turn}"
    if decision.what == "missing_values":
        words = st.multiselect(
            label, dict.fromkeys([*decision.chosen, "-", "NA", "0", "999"]), decision.chosen, key=key, accept_new_options=True,
            label_visibility="collapsed", placeholder="only empty cells",
        )  # fmt: skip
        return list(words)
    if decision.what in NUMBERS:
        return st.number_input(label, 1, LIMITS.rows, int(decision.chosen), key=key, label_visibility="collapsed")
    options = list(decision.options)
    if decision.chosen not in options:
        options.insert(0, decision.chosen)
    words = [worded(option) for option in options]
    at = options.index(decision.chosen)
    if decision.what not in FREE:
        places = range(len(options))  # of the options: the words of two may be alike
        return options[
            st.selectbox(label, places, at, format_func=words.__getitem__, key=key, label_visibility="collapsed")
        ]
    text = st.selectbox(label, words, at, key=key, accept_new_options=True, label_visibility="collapsed")
    if text in words:
        return options[words.index(text)]
    sides = [int(number) for number in re.findall(r"\d{1,6}", text)]
    return (sides * 2 if len(sides) == 1 else sides) or decision.chosen  # one number is a square


def worded(option: Any) -> str:
    """An option in words: a size as 28 × 28, several names as a list."""
    if isinstance(option, list | tuple):
        mark = " × " if all(isinstance(one, int) for one in option) else " and "
        return mark.join(map(str, option))
    if isinstance(option, str) and "N" in option and set(option) <= set(AXIS):
        return ", ".join(AXIS[axis] for axis in option)
    return str(WORDS.get(option, option))


def contents(found: ReadResult, bringing: Draft) -> None:
    """Classes, columns, and what was skipped, each as a table."""
    tables: dict[str, Any] = {}
    if found.classes:
        counts = np.bincount(found.labels[found.labels >= 0], minlength=len(found.classes))[:SHOWN]
        tables["Classes"] = [
            {"class": name, "samples": int(count)} for name, count in zip(found.classes, counts, strict=False)
        ]
    if found.facts:
        tables["Columns"] = [column_row(facts, found, bringing) for facts in found.facts[:SHOWN]]
    elif found.columns and bringing.range is not None:
        tables[f"{kinds.get(found.kind).column.capitalize()}s"] = [
            {
                "name": column.name,
                "is": "number" if column.kind == "number" else f"{column.width} categories",
                "values": ends_of(column, bringing.range) if column.kind == "number" else ", ".join(column.values[:20]),
            }
            for column in found.columns[:SHOWN]
        ]
    if tables:
        wide = found.facts and len(tables) > 1
        places = st.columns([1, 3] if wide else [1] if found.facts else 2, gap="large")
        for (title, table), place in zip(tables.items(), places, strict=False):
            with place:
                listed(title, table)
    if found.beside:
        some = ", ".join(f"“{one.name}”" for one in found.beside[:4]) + (" and others" if len(found.beside) > 4 else "")
        st.caption(
            escaped(
                f"Not learnt from, but kept beside the {kinds.get(found.kind).many}, for you alone: {some}. They stand in your "
                "lists and files, and you can colour the map by those that are times, numbers or categories. No trained network holds them."
            )
        )
    if found.skipped:  # sentences: they have the whole width
        listed("Left out, and why", [{"what": place, "why": why} for place, why in found.skipped], why="large")


def column_row(facts: ColumnFacts, found: ReadResult, bringing: Draft) -> dict[str, Any]:
    """What was seen in a column, and what it is used as."""
    column = next((one for one in found.columns if one.name in (facts.name, with_unit_of(facts.name, one.name))), None)
    name = column.name if column else facts.name
    missing, different = bringing.counts.get(name, (None, facts.distinct))
    values = ""
    if column is not None and column.kind == "number" and bringing.range is not None:
        values = ends_of(column, bringing.range)
    elif column is not None:
        values = ", ".join(column.values[:20])
    elif (beside := next((one for one in found.beside if one.name == facts.name), None)) is not None:
        values = span(beside)
    return {
        "name": name,
        "used as": used_as(facts.role),
        "missing": "" if missing is None else f"{missing:,}",
        "different values": "" if different is None else f"{different:,}",
        "values": values,
        "examples": ", ".join(facts.examples),
        "numbers": f"{facts.numbers:.0%}" if facts.numbers else "–",
        "times": f"{facts.times:.0%}" if facts.times else "–",
    }


def span(column: Beside) -> str:
    """The first and the last moment of a column beside the samples; "" of others."""
    known = column.values[np.isfinite(column.values)]
    if column.kind != "time" or not len(known):
        return ""
    return f"{moment(float(known.min()))} to {moment(float(known.max()))}"


def with_unit_of(name: str, whole: str) -> str:
    """The whole name of a column where it is this name with a unit, else ""."""
    return whole if whole.startswith(f"{name} (") else ""


def listed(title: str, table: list[dict[str, Any]], **widths: Literal["small", "medium", "large"]) -> None:
    """A table under its title, no taller than twelve rows."""
    st.markdown(f"**{title}**")
    config = {name: st.column_config.TextColumn(width=width) for name, width in widths.items()}
    st.dataframe(table, hide_index=True, height="content" if len(table) <= 12 else 460, column_config=config)


def ends_of(column: Column, ends: tuple[Any, Any]) -> str:
    """The least and the greatest number of a column, as they came, and its mean. ends: of all features."""
    # The shortest number of its type, which for float32 is 112645.53 and not 112645.53125.
    least, most = (f"{float(str(end[column.start])):,.12g}" for end in ends)
    return f"{least} to {most}, mean {short(column.mean)}"


def short(value: float) -> str:
    """A number of four digits or, where it is larger, a whole one."""
    return f"{value:,.0f}" if 1e4 <= abs(value) < 1e12 else f"{value:.4g}"

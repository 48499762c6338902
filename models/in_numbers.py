"""Several runs side by side in numbers: what was measured of each, which is best, and whether a difference is chance.

As a table to read, where each word explains itself on touch, as CSV and as Markdown; on the page Compare and on pages
without a server alike.
"""

import html
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from models import Problem, export, kinds
from models.analysis import comparison
from models.analysis.comparison import Interval
from models.runs import Run, networks

KEPT = 64  # of what is measured of finished runs, which never change
CHANCE = (
    "Each sample's two errors are subtracted, so that samples that are hard for all do not blur the comparison. More than "
    "chance: 0 is not in the 95 % interval of the mean difference. One in twenty equal pairs would still look so, and another "
    "seed of the same training may differ as much."
)


@dataclass(frozen=True)
class Number:
    """A row of the table. better: "low", "high" or "" where neither is. of_data: it depends on the samples, so that it
    says nothing beside that of other data."""

    name: str
    title: str
    about: str
    form: str
    better: str = ""
    of_data: bool = True


ERROR = "error"
NUMBERS = (
    Number(
        ERROR,
        "Test error",
        "Mean squared error per value on samples that the network never saw. Below it the 95 % interval: were other test "
        "samples drawn from the same data, the mean would lie in it 19 times of 20 (bootstrap: the samples are drawn again "
        "and again, with repetition).",
        "{:.4f}",
        "low",
    ),
    Number(
        "pca_mse",
        "PCA's test error",
        "PCA (principal component analysis) is the simplest way to as many numbers: a straight projection, without a "
        "network, on the same test samples.",
        "{:.4f}",
    ),
    Number(
        "share",
        "Error as a share of PCA's",
        "Below 100 % the network does better than PCA with as many numbers. A share can be compared between datasets, too.",
        "{:.0%}",
        "low",
        of_data=False,
    ),
    Number(
        "psnr",
        "PSNR (dB)",
        "Peak signal-to-noise ratio: the test error on a logarithmic scale. 10 dB more is a tenth of the squared error; above "
        "30 dB it is hard to see.",
        "{:.1f}",
        "high",
    ),
    Number(
        "ssim",
        "SSIM",
        "Structural similarity: how alike edges and textures are, 1 for the same image (Wang et al. 2004).",
        "{:.3f}",
        "high",
    ),
    Number(
        "knn_accuracy",
        "k-NN accuracy",
        "How often the five nearest training codes name a test sample's class. It says whether classes lie apart, which no "
        "training here was asked for.",
        "{:.1%}",
        "high",
    ),
    Number(
        "trustworthiness",
        "Trustworthiness",
        "Whether what lies side by side on the map is alike: 1 where it all is, 0 at worst (Venna and Kaski 2006).",
        "{:.3f}",
        "high",
    ),
    Number(
        "continuity",
        "Continuity",
        "Whether what is alike lies side by side on the map: 1 where nothing was torn apart, 0 at worst.",
        "{:.3f}",
        "high",
    ),
    Number(
        "dead",
        "Dead dimensions",
        "Numbers of the code that say nothing of a sample: the decoder has learnt to do without them.",
        "{:.0f}",
        "low",
        of_data=False,
    ),
    Number(
        "negative_elbo",
        "Negative bound (nats)",
        "Negative evidence lower bound, of variational networks with the Bernoulli loss: reconstruction error and KL "
        "divergence of a test sample, added. The lower, the more likely are real samples to the network.",
        "{:.1f}",
        "low",
    ),
    Number(
        "parameters",
        "Parameters",
        "The numbers inside encoder and decoder that training learns: what has to be stored.",
        "{:,.0f}",
        "low",
        of_data=False,
    ),
    Number(
        "products",
        "Multiply-accumulates",
        "How many pairs of numbers are multiplied to encode and decode one sample: what it costs to use the network.",
        "{:,.0f}",
        "low",
        of_data=False,
    ),
    Number(
        "seconds",
        "Training (s)",
        "How long the training took on the computer that it ran on. Others are faster or slower, so none is marked as best.",
        "{:,.1f}",
        of_data=False,
    ),
    Number("epochs", "Epochs", "How often the training saw every training sample.", "{:,.0f}", of_data=False),
)


@dataclass(frozen=True)
class Measured:
    """The `NUMBERS` of a run by name, None where one was not measured, and the interval of its test error."""

    values: Mapping[str, float | None]
    error: Interval | None


@lru_cache(KEPT)
def measured(run: Run) -> Measured:
    """What the table says of a run."""
    rows, errors = of_test(run)
    error = comparison.interval(errors) if len(rows) else None
    blueprint, mse, pca = networks.blueprint(run), run.metric("mse"), run.metric("pca_mse")
    values: dict[str, float | None] = {
        ERROR: mse if error is None else error.mean,
        "share": mse / pca if mse is not None and pca else None,
        "dead": sum(run.card.codes.dead),
        "parameters": run.card.architecture.parameters,
        "products": None if blueprint is None else blueprint.products,
        "seconds": run.card.training.seconds,
        "epochs": run.card.training.epochs,
    }
    return Measured({one.name: values.get(one.name, run.metric(one.name)) for one in NUMBERS}, error)


def of_test(run: Run) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
    """The rows of the test split whose codes a run stores, and its error of each (K,); none where this version does not know
    the dataset, and so not which rows these are."""
    try:
        splits = run.splits
    except Problem:
        return run.rows[:0], run.errors[:0]
    return comparison.on_test(run.rows, splits), comparison.on_test(run.errors, splits)


@lru_cache(KEPT)
def apart(run: Run, other: Run) -> Interval | None:
    """How much larger a run's error is than another's on the test samples that both have, with its interval."""
    values = comparison.differences(*of_test(run), *of_test(other))
    return comparison.interval(values) if len(values) else None


def same_data(chosen: Sequence[Run]) -> bool:
    """Whether all were trained on one dataset, as it is and not only as it is called."""
    return len({(run.card.dataset.name, run.card.dataset.fingerprint) for run in chosen}) == 1


def rows_of(chosen: Sequence[Run]) -> list[tuple[Number, list[float | None], frozenset[int]]]:
    """The rows that say something: a number, its value of each run, and which of them are best."""
    found, joined = [measured(run).values for run in chosen], same_data(chosen)
    out = []
    for number in NUMBERS:
        values = [one[number.name] for one in found]
        if any(value is not None for value in values):
            out.append((number, values, comparison.best(values, number.better if joined or not number.of_data else "")))
    return out


def cell(number: Number, value: float | None, run: Run) -> tuple[str, str]:
    """A value as it is written, and what stands small below it."""
    if value is None:
        return "–", ""
    error, text = measured(run).error, number.form.format(value).replace("%", " %")
    if number.name == ERROR and error is not None:
        return text, f"{small(error.low)} to {small(error.high)}"
    return text, f"of {run.code_size}" if number.name == "dead" else ""


def table(chosen: Sequence[Run], names: Sequence[str], tones: Sequence[str] = ()) -> str:
    """All rows as HTML. A word opens to its explanation by pointer, touch and keyboard. tones: see `as_html`."""
    lines = []
    for number, values, best in rows_of(chosen):
        cells = []
        for i, (value, run) in enumerate(zip(values, chosen, strict=True)):
            text, more = cell(number, value, run)
            shown = f"<b>{html.escape(text)}<span> (best)</span></b>" if i in best else html.escape(text)
            cells.append(shown + (f"<small>{html.escape(more)}</small>" if more else ""))
        lines.append((f"<details><summary>{number.title}</summary><p>{number.about}</p></details>", cells))
    return as_html(names, lines, tones)


def plain_table(names: Sequence[str], rows: Mapping[str, Sequence[str]], tones: Sequence[str] = ()) -> str:
    """Rows of words, by what each is called, as a table in the same look."""
    lines = [(html.escape(title), [html.escape(cell) for cell in cells]) for title, cells in rows.items()]
    return as_html(names, lines, tones)


def as_html(names: Sequence[str], lines: Sequence[tuple[str, Sequence[str]]], tones: Sequence[str]) -> str:
    """A table with a column for each run, headed by its name and, where a figure shows the runs in colours, its tone.
    lines: HTML."""
    unbroken = [html.escape(name.replace(" = ", "\u00a0=\u00a0")) for name in names]
    dots = [f'<i style="background:{tone}"></i>' for tone in tones] or [""] * len(names)
    heads = "".join(f'<th scope="col">{dot}{name}</th>' for name, dot in zip(unbroken, dots, strict=False))
    body = "".join(
        f'<tr><th scope="row">{head}</th>{"".join(f"<td>{cell}</td>" for cell in cells)}</tr>' for head, cells in lines
    )
    return (
        f'{STYLE}<div class="hg-compared" style="--runs:{len(names)}" tabindex="0" role="region" aria-label="runs side by side">'
        f"<table><thead><tr><td></td>{heads}</tr></thead><tbody>{body}</tbody></table></div>"
    )


# On a phone a row's title stands above its values, so that four runs fit and explanations have room.
STYLE = """<style>
.hg-compared { overflow-x: auto; margin-left: -.4rem; padding-left: .4rem; }
.hg-compared table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
.hg-compared :is(th, td) { border: 0; padding: .4rem .9rem .4rem 0; text-align: left; vertical-align: top; font-weight: 400;
  overflow-wrap: anywhere; }
.hg-compared tr { border-bottom: 1px solid color-mix(in srgb, currentColor 18%, transparent); }
@media (min-width: 641px) { .hg-compared :is(td, thead th) { min-width: 6.5rem; max-width: 15rem; } }
.hg-compared thead th { font-weight: 600; }
.hg-compared tbody th { width: 20rem; }
.hg-compared thead i { display: inline-block; width: .7rem; height: .7rem; border-radius: 50%; margin-right: .4rem; }
.hg-compared small { display: block; opacity: .78; }
.hg-compared b { font-weight: 700; padding: 0 .4rem; margin-left: -.4rem; border-radius: .3rem;
  background: color-mix(in srgb, #009E73 28%, transparent); }
.hg-compared b span { position: absolute; width: 1px; overflow: hidden; white-space: nowrap; clip-path: inset(50%); }
.hg-compared details { margin: 0; }
.hg-compared summary { cursor: pointer; list-style: none; text-decoration: underline dotted; text-underline-offset: 3px; }
.hg-compared summary::-webkit-details-marker { display: none; }
.hg-compared details p { margin: .3rem 0 0; max-width: 34rem; font-size: .875rem; opacity: .85; }
@media (max-width: 640px) {
  .hg-compared :is(table, thead, tbody) { display: block; }
  .hg-compared tr { display: grid; grid-template-columns: repeat(var(--runs), minmax(0, 1fr)); padding: .3rem 0; }
  .hg-compared :is(th, td) { padding: .1rem .4rem .1rem 0; font-size: .875rem; }
  .hg-compared tbody th { grid-column: 1 / -1; width: auto; opacity: .85; }
  .hg-compared thead td { display: none; }
  .hg-compared thead th { font-size: .78rem; }
  .hg-compared thead i { display: block; }
  .hg-compared small { font-size: .75rem; }
}
</style>"""


def section(chosen: Sequence[Run], names: Sequence[str]) -> str:
    """The table and what of it is more than chance, as HTML for a page without a server."""
    sentences = [f"<p>{html.escape(overlap(chosen, names))}</p>"] if overlap(chosen, names) else []
    if told := verdicts(chosen, names):
        sentences += [
            f"<ul>{''.join(f'<li>{html.escape(one)}</li>' for one in told)}</ul>",
            f"<details><summary>More than chance?</summary><p>{html.escape(CHANCE)}</p></details>",
        ]
    return f"{table(chosen, names)}<p>{html.escape(caption(chosen))}</p>{''.join(sentences)}"


def caption(chosen: Sequence[Run]) -> str:
    """How the table is read."""
    marked = "The best of a row is marked, by however little. " if same_data(chosen) else ""
    return f"{marked}A word that is underlined explains itself when it is touched."


def csv(chosen: Sequence[Run], names: Sequence[str]) -> str:
    """The rows as CSV, with all digits, and the ends of the intervals as rows of their own. Nothing in it is a formula."""
    titles: list[str] = []
    columns: list[list[float | None]] = [[] for _ in chosen]

    def add(title: str, values: Sequence[float | None]) -> None:
        titles.append(title)
        for column, value in zip(columns, values, strict=True):
            column.append(value)

    for number, values, _ in rows_of(chosen):
        add(number.title, values)
        if number.name == ERROR:
            errors = [measured(run).error for run in chosen]
            add(f"{number.title}, 95 % interval from", [None if one is None else one.low for one in errors])
            add(f"{number.title}, 95 % interval to", [None if one is None else one.high for one in errors])
    return export.codes_csv({"number": titles, **dict(zip(names, columns, strict=True))})


def markdown(chosen: Sequence[Run], names: Sequence[str]) -> str:
    """The rows as a Markdown table, the best in bold."""
    lines = [_line(["", *map(_markdown, names)]), _line(["---", *["---:"] * len(names)])]
    for number, values, best in rows_of(chosen):
        cells = []
        for i, (value, run) in enumerate(zip(values, chosen, strict=True)):
            text, more = cell(number, value, run)
            more = f" ({more})" if number.name == ERROR and more else f" {more}" if more else ""
            cells.append(f"**{text}**{more}" if i in best else text + more)
        lines.append(_line([number.title, *cells]))
    return "\n".join(lines)


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _markdown(text: str) -> str:
    return re.sub(r"([\\|*_`\[\]<>])", r"\\\1", " ".join(text.split()))


def leader(chosen: Sequence[Run]) -> int | None:
    """The place of the run with the least test error, with which the others are compared."""
    errors = [measured(run).values[ERROR] for run in chosen]
    known = [error for error in errors if error is not None]
    return errors.index(min(known)) if known and len(chosen) > 1 else None


def verdicts(chosen: Sequence[Run], names: Sequence[str]) -> list[str]:
    """A sentence for each run beside the one with the least error: how far apart they are on the same samples, and whether
    that is more than chance. None where their data differ. Plain text."""
    first = leader(chosen) if same_data(chosen) else None
    if first is None:
        return []
    out = []
    for i, (run, name) in enumerate(zip(chosen, names, strict=True)):
        found = apart(run, chosen[first]) if i != first else None
        if found is None:
            continue
        on = f"on the same {found.count:,} test {kinds.get(run.kind).many}"
        if found.mean == found.low == found.high == 0:
            out.append(f"{name} and {names[first]} err alike {on}: no more than chance.")
            continue
        told = "no more than chance, since 0 lies in between" if found.chance else "more than chance"
        out.append(
            f"{name} errs by {small(found.mean)} more than {names[first]} {on} "
            f"(95 % interval {small(found.low)} to {small(found.high)}): {told}."
        )
    return out


def small(value: float) -> str:
    """A number with four decimals, a smaller one with two digits."""
    text = f"{value:.4f}" if abs(value) >= 0.001 else np.format_float_positional(value, 2, fractional=False, trim="-")
    return text.replace("-", "−")


def overlap(chosen: Sequence[Run], names: Sequence[str]) -> str:
    """A sentence where intervals of other errors overlap that of the least one; "" where none does."""
    first = leader(chosen) if same_data(chosen) else None
    best = None if first is None else measured(chosen[first]).error
    if first is None or best is None:
        return ""
    of = [
        name
        for i, (run, name) in enumerate(zip(chosen, names, strict=True))
        if i != first and (one := measured(run).error) is not None and one.overlaps(best)
    ]
    if not of:
        return ""
    are = "The interval of" if len(of) == 1 else "The intervals of"
    return (
        f"{are} {in_words(of)} overlap{'s' if len(of) == 1 else ''} that of {names[first]}. Which of them is better, their "
        "differences on the same samples tell more surely:"
    )


def in_words(names: Sequence[str]) -> str:
    """Names as a sentence lists them."""
    return " and ".join(filter(None, (", ".join(names[:-1]), names[-1])))

"""A run as one page, or several side by side: an .html file that opens from a disk without a server or a network, alive.

It holds the explorer's own script and the run's blocks (`blocks`) as text. Nothing is fetched: the page's own policy forbids
it. Names and texts of a run are data here: they are written as text, never as markup.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path

from models import Problem, blocks, in_numbers, kinds, onefile
from models.blocks import Made
from models.runs import Run

# The explorer's script for such pages. A file to be read, as a template is: nothing of it is imported.
BUILT = Path(__file__).resolve().parents[1] / "components" / "explorer" / "built"
ERROR, PCA = "Mean squared error on the test split", "PCA's with the same code size"
SCRIPT, SITE_SCRIPT = BUILT / "standalone.js", BUILT / "site.js"  # of a page that is a run; of all others


@dataclass(frozen=True)
class Page:
    """A page and what it cost."""

    html: bytes
    bits: int
    samples: int
    lost: float


def page(
    run: Run,
    *,
    bits: int | None = None,
    encoder: bool = True,
    samples: bool | None = None,
    view: Mapping[str, str] | None = None,
) -> Page:
    """The run as one page; see `blocks.of`."""
    made = blocks.of(run, bits=bits, encoder=encoder, samples=samples, view=view)
    html = onefile.html(
        run.title, sentence(run), '<main id="explorer"></main>', card(run, made), made.blocks, SCRIPT.read_bytes()
    )
    return Page(html.encode(), made.bits, made.samples, made.lost)


@dataclass(frozen=True)
class Compared:
    """Several runs for one page: its title, a sentence, the elements with the maps and the card, and the runs' blocks by the
    names that the first element has for them."""

    title: str
    words: str
    main: str
    below: str
    made: dict[str, Made]


def compared(
    runs: Sequence[Run],
    called: Sequence[str] = (),
    *,
    bits: int | None = None,
    samples: bool | None = None,
    stem: str = "run",
) -> Compared:
    """Two to four runs of one dataset, their maps joined by their samples. called: what each is called (`titles`). stem: how
    the names of their blocks begin.

    The originals travel once, with the first run. `Problem` where the runs are not of one dataset.
    """
    if len({run.card.dataset.fingerprint for run in runs}) > 1:
        raise Problem("these runs are not of the same dataset", do="compare runs that share their samples")
    called = called or titles(runs)
    made = [
        blocks.of(run, bits=bits, encoder=False, samples=samples if run is runs[0] else False, order=order)
        for run, order in zip(runs, blocks.alike(runs), strict=True)
    ]
    names = [f"{stem}{i + 1}" for i in range(len(runs))]
    first = runs[0].card.dataset.title
    shown = escape(json.dumps([{"name": name, "title": title} for name, title in zip(names, called, strict=True)]))
    columns = [{"": title, **rows(run, one)} for run, title, one in zip(runs, called, made, strict=True)]
    for column in columns:
        column["Originals on this page"] = columns[0]["Originals on this page"]  # they travel once, for all
        del column[ERROR], column[PCA]  # which the table has
    return Compared(
        f"{first}: {len(runs)} networks compared",
        f"Each point is one {kinds.get(runs[0].kind).one} of {first}, and the same one on every map. Move over a map: all "
        "networks draw what they make of that place.",
        f'<main id="comparison" data-runs="{shown}"></main>',
        f"<section><h2>In numbers</h2>{in_numbers.section(runs, called)}</section>"
        f"<details><summary>How these were made</summary>{_table(columns)}</details>",
        dict(zip(names, made, strict=True)),
    )


def comparison(
    runs: Sequence[Run], called: Sequence[str] = (), *, bits: int | None = None, samples: bool | None = None
) -> Page:
    """`compared` as one page."""
    one = compared(runs, called, bits=bits, samples=samples)
    made = list(one.made.values())
    files = {f"{name}/{file}": content for name, all_ in one.made.items() for file, content in all_.blocks.items()}
    html = onefile.html(one.title, one.words, one.main, one.below, files, SITE_SCRIPT.read_bytes())
    return Page(html.encode(), max(part.bits for part in made), made[0].samples, max(part.lost for part in made))


def sentence(run: Run) -> str:
    """What one sees, for somebody who has never seen it."""
    numbers = "one number" if run.code_size == 1 else f"{run.code_size} numbers"
    kind = kinds.get(run.kind)
    return (
        f"Each point is one {kind.one} of {run.card.dataset.title}, kept as {numbers}. Point at the map, or drag a slider: "
        f"a network draws from these numbers alone."
    )


def rows(run: Run, made: Made) -> dict[str, str]:
    """The card of the run: each thing by its name; "" where a run has it not."""
    dataset, training = run.card.dataset, run.card.training
    mse, pca = run.metric("mse"), run.metric("pca_mse")
    return {
        "Dataset": f"{dataset.title}, {dataset.count:,} samples",
        "Source": dataset.source,
        "Licence of the data": dataset.licence,
        "Architecture": f"{run.card.architecture.title}, {run.card.architecture.parameters:,} parameters, code size {run.code_size}",
        "Training": f"{training.epochs:,} epochs, {training.seconds:,.0f} s",
        ERROR: "" if mse is None else f"{mse:.4g}",
        PCA: "" if pca is None else f"{pca:.4g}",
        "Weights on this page": f"{made.bits} bits each; this changes the test error by {made.lost:+.2%}",
        "Codes on this page": f"{min(run.count, blocks.CODES):,} of {run.count:,}",
        "Originals on this page": f"{made.samples:,}"
        if made.samples
        else "none; the decoder's pictures stand for them",
        "Drawing": "the encoder is on this page" if made.draw else "",
    }


def titles(chosen: Sequence[Run], given: Mapping[str, str] | None = None) -> list[str]:
    """What each run is called beside the others: the name that is given to its id, else that in which their titles differ. No
    two are alike."""
    given = given or {}
    parts = [
        (
            run.card.dataset.title,
            run.card.architecture.title + run.configuration.called,
            f"D = {run.code_size}",
            "" if run.configuration.noise == "none" else f"{run.configuration.noise} noise",
        )
        for run in chosen
    ]
    tells = [len(set(values)) > 1 for values in zip(*parts, strict=True)]
    tells = tells if any(tells) else [False, True, False, False]
    names = [
        given.get(run.id) or ", ".join(part for part, tell in zip(of, tells, strict=True) if tell and part) or of[1]
        for run, of in zip(chosen, parts, strict=True)
    ]
    for more in (
        [f"seed {run.configuration.seed}" for run in chosen],
        [f"{run.card.training.epochs:,} epochs" for run in chosen],
        [run.id[:6] for run in chosen],
    ):
        twice = {name for name in names if names.count(name) > 1}
        tell = {name: len({m for n, m in zip(names, more, strict=True) if n == name}) > 1 for name in twice}
        names = [f"{name}, {word}" if tell.get(name) else name for name, word in zip(names, more, strict=True)]
    return names


def card(run: Run, made: Made) -> str:
    """How a run was made, folded up."""
    return f"<details><summary>How this was made</summary>{_table([rows(run, made)])}</details>"


def _table(columns: Sequence[Mapping[str, str]]) -> str:
    """Cards side by side, a row for each thing that any of them has."""

    def cells(name: str) -> str:
        values = [" ".join(column[name].split()) for column in columns]
        if len(set(values)) == 1:  # said once
            return f'<td colspan="{len(values)}">{escape(values[0])}</td>'
        return "".join(f"<td>{escape(value)}</td>" for value in values)

    named = [name for name in columns[0] if any(column[name] for column in columns)]
    return f"<table>{''.join(f'<tr><th>{escape(name)}</th>{cells(name)}</tr>' for name in named)}</table>"

"""A site of runs: a folder for any static host, under any path, or to be opened from a disk.

    index.html            previews, each of which decodes under the pointer; of one run a page that draws
    <run>/index.html      the run's own page: map, tools, card
    compare-<dataset>.html  up to four runs of one dataset side by side, their maps joined by their samples
    <run>/draw.html       a slider for each number, and a picture (images of three numbers or more)
    assets/               the explorer's script and the runs' blocks, by their content: fetched once

Nothing on it needs a server of ours, and it asks nobody.
"""

from __future__ import annotations

import hashlib
import io
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from models import Problem, blocks, kinds, onefile, pages, unwritable
from models.runs import Run, write_whole

FIRST = ("run.json", "page.json", "decoder.safetensors")  # what a preview and a page that draws need
MOST = 4  # runs that are compared on one page
COLUMNS, ROWS = 12, 7  # of a picture for link previews
POLICY = (
    "default-src 'none'; script-src 'self' file: blob: 'wasm-unsafe-eval'; worker-src 'self' blob:; "
    "style-src 'self' file: 'unsafe-inline'; img-src 'self' file: data: blob:; connect-src 'none'; base-uri 'none'; "
    "form-action 'none'"
)


@dataclass(frozen=True)
class Entry:
    """A run on the site: its folder, and the scripts with its first blocks and with the others (from the site's root)."""

    run: Run
    name: str
    first: str
    others: str
    made: blocks.Made


def site(out: Path, runs: Sequence[Run], title: str = "") -> list[Path]:
    """Write the site into the folder `out`, which may exist; what lies there under other names stays. Returns its pages.

    A `Problem` where no run is given, or the folder cannot be written.
    """
    if not runs:
        raise Problem("no run was named for the site", do="name runs, or ask for all that ship with --all")
    try:
        (out / "assets").mkdir(parents=True, exist_ok=True)
        (out / ".nojekyll").write_bytes(b"")  # GitHub Pages then serves the files as they are
        script = _asset(out, "explorer", "js", _loader())
        entries = [_entry(out, run) for run in runs]
        written = []
        for entry in entries:
            folder = out / entry.name
            folder.mkdir(exist_ok=True)
            write_whole(folder / "preview.png", _picture(entry.run))
            write_whole(folder / "index.html", _run_page(entry, script, back=len(entries) > 1))
            written.append(folder / "index.html")
            if draws(entry.run) and len(entries) > 1:
                write_whole(folder / "draw.html", _draw_page(entry, script, up="../", title=entry.run.title))
                written.append(folder / "draw.html")
        (only, *more) = entries
        beside = _comparisons(out, entries, script)
        front = (
            _draw_page(only, script, up="", title=title or only.run.card.dataset.title)
            if draws(only.run) and not more
            else _front(entries, script, title or "Latent spaces", beside)
        )
        write_whole(out / "index.html", front)
        return [out / "index.html", *written, *(out / name for name in beside)]
    except OSError as error:
        raise unwritable(out, error) from error


def _comparisons(out: Path, entries: Sequence[Entry], script: str) -> dict[str, str]:
    """Write a page for the runs of each dataset that has more than one: small networks first, of the code size that most
    of them have. Returns each page's name, and that of its dataset."""
    found = {}
    for dataset in dict.fromkeys(entry.run.card.dataset.fingerprint for entry in entries):
        own = [entry for entry in entries if entry.run.card.dataset.fingerprint == dataset]
        sizes = [entry.run.code_size for entry in own]
        own = [entry for entry in own if entry.run.code_size == max(sizes, key=sizes.count)]
        if len(own) < 2:
            continue
        own = sorted(own, key=lambda entry: entry.run.card.architecture.parameters)[:MOST]
        stem = f"compare-{_address(own[0].run.card.dataset.name)}"
        one = pages.compared([entry.run for entry in own], stem=f"{stem}-")
        handed = b"".join(_handed(name, made, list(made.blocks)) for name, made in one.made.items())
        scripts = [script, _asset(out, stem, "js", handed)]
        back = '<nav><a href="index.html">All runs</a></nav>'
        picture = f"{own[0].name}/preview.png"
        write_whole(out / f"{stem}.html", _page(one.title, one.words, picture, back + one.main + one.below, scripts))
        found[f"{stem}.html"] = own[0].run.card.dataset.title
    return found


def _address(name: str) -> str:
    """A name that every host takes."""
    return re.sub(r"[^a-z0-9-]+", "-", name.lower())


def draws(run: Run) -> bool:
    """Whether a run has a page that draws: images, from more numbers than a map has directions."""
    return kinds.get(run.kind).pixels and run.code_size > 2


def _asset(out: Path, stem: str, ending: str, content: bytes) -> str:
    """Write a file under a name that changes with its content; returns its path from the site's root."""
    name = f"assets/{stem}-{hashlib.sha256(content).hexdigest()[:12]}.{ending}"
    write_whole(out / name, content)
    return name


def _loader() -> bytes:
    """The explorer's script. As an own file it needs no unpacking; it says where its worker is found: in itself."""
    return b"document.documentElement.dataset.script = document.currentScript.src;\n" + pages.SITE_SCRIPT.read_bytes()


def _entry(out: Path, run: Run) -> Entry:
    """Write the blocks of a run."""
    made = blocks.of(run)
    name = _address(run.folder.name if run.pretrained else run.id)
    first = _asset(out, f"{name}-decoder", "js", _handed(name, made, [one for one in FIRST if one in made.blocks]))
    others = _asset(out, f"{name}-map", "js", _handed(name, made, [one for one in made.blocks if one not in FIRST]))
    return Entry(run, name, first, others, made)


def _handed(name: str, made: blocks.Made, files: Sequence[str]) -> bytes:
    """A script that hands over these blocks of a run."""
    given = {one: onefile.as_text(made.blocks[one]) for one in files}
    return f"hourglass.run({json.dumps(name)}, {json.dumps(given)});\n".encode()


def _picture(run: Run) -> bytes:
    """What the decoder draws all over its map, as a PNG: for the front page, and where a link is previewed."""
    from PIL import Image

    across, down = np.meshgrid(np.linspace(0, 1, COLUMNS), np.linspace(1, 0, ROWS))
    drawn = run.coder.decode(blocks.codes_at(run, across.ravel(), down.ravel()))
    if not kinds.get(run.kind).pixels:
        drawn = _lines(drawn)
    height, width, channels = drawn.shape[1:]
    sheet = (drawn.clip(0, 1) * 255).round().astype(np.uint8).reshape(ROWS, COLUMNS, height, width, channels)
    pixels = sheet.transpose(0, 2, 1, 3, 4).reshape(ROWS * height, COLUMNS * width, channels)
    image = Image.fromarray(pixels[..., 0] if channels == 1 else pixels[..., :3])
    factor = max(1, round(1200 / image.width))
    image = image.resize((image.width * factor, image.height * factor), Image.Resampling.NEAREST)
    out = io.BytesIO()
    image.save(out, "PNG", optimize=True)
    return out.getvalue()


def _lines(values: NDArray[np.float32]) -> NDArray[np.float32]:
    """Signals (N, T, C) or rows (N, F) as small grey pictures (N, 48, 64, 1): a curve of the first channel, or bars."""
    first = values[..., 0] if values.ndim == 3 else values
    at = np.linspace(0, first.shape[1] - 1, 64).round().astype(int)
    height = 24 - np.clip(first[:, at], -3, 3) / 3 * 20
    rows = np.arange(48)[None, :, None]
    if values.ndim == 3:
        return np.asarray(np.clip(1.8 - np.abs(rows - height[:, None]), 0, 1)[..., None], np.float32)
    between = (rows >= np.minimum(height, 24)[:, None]) & (rows <= np.maximum(height, 24)[:, None])
    return between[..., None].astype(np.float32)


# How it is written

STYLE = """
body { max-width: 1240px; margin: 0 auto; } h1 { font-size: 26px; }
.runs { display: grid; grid-template-columns: repeat(auto-fill, minmax(260px, 1fr)); gap: 22px; margin: 18px 0; padding: 0; }
.runs li { list-style: none; } .runs h2 { font-size: 17px; margin: 8px 0 2px; }
.runs a, nav a { color: inherit; }
.runs p { font-size: 15px; margin: 0; }
.look { display: block; position: relative; aspect-ratio: 12 / 7; overflow: hidden; border-radius: 10px; background: #000; }
.look img, .look canvas { position: absolute; inset: 0; width: 100%; height: 100%; object-fit: cover; }
.look canvas { object-fit: contain; background: #000; image-rendering: pixelated; }
#generator { display: flex; flex-wrap: wrap; gap: 24px; align-items: flex-start; margin: 16px 0; }
#generator .picture { flex: 1 1 300px; max-width: 520px; } #generator .sliders { flex: 1 1 320px; max-width: 560px; }
.drawn { width: 100%; image-rendering: auto; border-radius: 12px; display: block; background: var(--soft); }
.sliders label { display: grid; grid-template-columns: minmax(90px, 30%) 1fr; gap: 12px; align-items: center; min-height: 40px; }
.sliders input { width: 100%; accent-color: var(--accent); }
.acts { display: flex; flex-wrap: wrap; gap: 8px; margin: 12px 0 4px; }
.acts button { font: inherit; padding: 8px 14px; border-radius: 8px; border: 1px solid color-mix(in srgb, var(--ink) 25%, var(--paper));
  background: var(--soft); color: var(--ink); cursor: pointer; }
.said { min-height: 1.5em; font-size: 15px; }
/* On a phone the picture stays in sight while the sliders below it move. */
@media (max-width: 700px) {
  #generator { display: block; }
  #generator .picture { position: sticky; top: 0; z-index: 1; background: var(--paper); display: grid; gap: 0 14px;
    grid-template-columns: 46% 1fr; padding: 6px 0; }
  .drawn { grid-row: span 2; } .acts { flex-direction: column; margin: 0; } .said { min-height: 0; margin: 0; }
}
"""


def _page(title: str, about: str, picture: str, body: str, scripts: Sequence[str]) -> bytes:
    """A page of the site. about: one sentence, also for link previews; picture: the address of theirs, beside the page."""
    lines = [
        "<!doctype html>",
        '<html lang="en">',
        '<meta charset="utf-8">',
        f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        '<meta name="generator" content="Hourglass">',
        f"<title>{escape(title)}</title>",
        f'<meta name="description" content="{escape(about)}">',
        f'<meta property="og:title" content="{escape(title)}">',
        f'<meta property="og:description" content="{escape(about)}">',
        f'<meta property="og:image" content="{escape(picture)}">',
        f"<style>{onefile.STYLE}{STYLE}</style>",
        f"<header><h1>{escape(title)}</h1><p>{escape(about)}</p></header>",
        body,
        "<noscript><p>This page draws with JavaScript, which is switched off here.</p></noscript>",
        "<footer>Made with Hourglass. Everything is computed in your browser; nothing is sent.</footer>",
        *(f'<script src="{one}"></script>' for one in scripts),
        "</html>",
    ]
    return ("\n".join(lines) + "\n").encode()


def _front(entries: Sequence[Entry], script: str, title: str, beside: Mapping[str, str]) -> bytes:
    """The previews. beside: the pages that compare runs, and the datasets these are of."""
    items = []
    for entry in entries:
        run, name = entry.run, entry.name
        draw = f' · <a href="{name}/draw.html">draw with sliders</a>' if draws(run) else ""
        numbers = "one number" if run.code_size == 1 else f"{run.code_size} numbers"
        items.append(
            f'<li><a class="look" href="{name}/index.html" data-preview="{name}" data-script="{entry.first}">'
            f'<img src="{name}/preview.png" alt="What the network draws" loading="lazy"></a>'
            f'<h2><a href="{name}/index.html">{escape(run.card.dataset.title)}</a></h2>'
            f"<p>{escape(run.card.architecture.title)}, {numbers}{draw}</p></li>"
        )
    about = "Small networks that keep images as a few numbers and draw from these alone. Move over a picture."
    links = " · ".join(f'<a href="{name}">{escape(dataset)}</a>' for name, dataset in beside.items())
    body = f'<ul class="runs">{"".join(items)}</ul>' + (f"<nav>Side by side: {links}</nav>" if links else "")
    return _page(title, about, f"{entries[0].name}/preview.png", body, [script])


def _run_page(entry: Entry, script: str, *, back: bool) -> bytes:
    """The explorer of a run."""
    links = ['<a href="../index.html">All runs</a>' if back else '<a href="../index.html">Draw with sliders</a>']
    if draws(entry.run) and back:
        links.append('<a href="draw.html">Draw with sliders</a>')
    body = f'<nav>{" · ".join(links)}</nav><main id="explorer" data-run="{entry.name}"></main>' + pages.card(
        entry.run, entry.made
    )
    scripts = [f"../{one}" for one in (script, entry.first, entry.others)]
    return _page(entry.run.title, pages.sentence(entry.run), "preview.png", body, scripts)


def _draw_page(entry: Entry, script: str, *, up: str, title: str) -> bytes:
    """The page that draws from sliders. up: the way from it to the site's root."""
    run = entry.run
    where = f"{entry.name}/" if not up else ""
    body = (
        f'<main id="generator" data-run="{entry.name}"></main>'
        f'<nav><a href="{where}index.html">See the map of all of them</a></nav>' + pages.card(run, entry.made)
    )
    about = (
        f"A network has learnt from {run.card.dataset.title} to draw from {run.code_size} numbers. Move a slider: the "
        "picture is drawn in your browser while you move."
    )
    scripts = [f"{up}{one}" for one in (script, entry.first)]
    return _page(title, about, f"{where}preview.png", body, scripts)

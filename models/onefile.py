"""A page that is one file: a script of the explorer and what it reads, as text between the elements.

Nothing is fetched: the page's own policy forbids it. Of this repository nothing is imported, for this module is also a part of
the package for notebooks.
"""

from __future__ import annotations

import base64
import hashlib
import zlib
from collections.abc import Mapping
from html import escape

import numpy as np

STYLE = """
:root { color-scheme: light dark; --ink: #16222c; --paper: #fff; --soft: #f2f5f7; --accent: #0b5c8a; }
@media (prefers-color-scheme: dark) { :root { --ink: #e8edf1; --paper: #11171d; --soft: #1b242c; --accent: #1f77ae; } }
body { margin: 0; padding: 12px 20px 20px; background: var(--paper); color: var(--ink); font: 16px/1.45 system-ui, sans-serif;
  --st-text-color: var(--ink); --st-background-color: var(--paper); --st-secondary-background-color: var(--soft);
  --st-primary-color: var(--accent); }
h1 { font-size: 20px; margin: 0 0 2px; } p { margin: 0 0 8px; } header p { max-width: 70ch; }
#explorer { --above: 92px; } #comparison { --beside: 260px; }
details { margin-top: 14px; } summary { cursor: pointer; } td, th { text-align: left; padding: 2px 14px 2px 0; }
footer { margin-top: 14px; font-size: 14px; }
@media (max-width: 700px) { body { padding: 10px 12px 16px; } }
"""


# Unpacks the explorer's script, which is then the page's and its worker's. Letters are read as in the script's letters.ts.
BOOT = """(async () => {
const text = document.getElementById("hourglass").textContent;
const packed = new Uint8Array(((text.length >> 1) * 13 + (text.length & 1) * 6) >> 3);
const value = (letter) => (letter === 33 ? 25 : letter === 126 ? 57 : letter - 35);
for (let i = 0, at = 0, held = 0, bits = 0; i < text.length; i += 2) {
  held |= (value(text.charCodeAt(i)) + 91 * value(text.charCodeAt(i + 1) || 35)) << bits;
  for (bits += 13; bits > 7 && at < packed.length; bits -= 8, held >>>= 8) packed[at++] = held;
}
const script = new Blob([packed]).stream().pipeThrough(new DecompressionStream("gzip"));
const code = new Blob([await new Response(script).arrayBuffer()], {type: "text/javascript"});
const element = document.createElement("script");
element.src = document.documentElement.dataset.script = URL.createObjectURL(code);
document.head.append(element);
})();"""


def html(title: str, words: str, main: str, below: str, files: Mapping[str, bytes], script: bytes) -> str:
    """The page. main, below: elements; title and words: text. files: what the script reads by their names, each packed or
    not; script: of such pages, as it was built."""
    digest = base64.b64encode(hashlib.sha256(BOOT.encode()).digest()).decode()
    # The one script that stands here, what it unpacks, what that draws: nothing else, and nobody is asked.
    policy = (
        f"default-src 'none'; script-src 'sha256-{digest}' blob: 'wasm-unsafe-eval'; worker-src blob:; "
        "style-src 'unsafe-inline'; img-src data: blob:; connect-src 'none'; base-uri 'none'; form-action 'none'"
    )
    every = {**files, "": packed(script)}
    title = title.replace(" = ", "\u00a0=\u00a0")
    lines = [
        "<!doctype html>",
        '<html lang="en">',
        '<meta charset="utf-8">',
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        '<meta name="generator" content="Hourglass">',
        f"<title>{escape(title)} · Hourglass</title>",
        f"<style>{STYLE}</style>",
        f"<header><h1>{escape(title)}</h1><p>{escape(words)}</p></header>",
        main,
        "<noscript><p>This page draws with JavaScript, which is switched off here.</p></noscript>",
        below,
        "<footer>Made with Hourglass. This page is one file: it works without a network, and sends nothing.</footer>",
        *(
            f'<script type="application/octet-stream" {_attribute(name)}>{as_text(content)}</script>'
            for name, content in every.items()
        ),
        f"<script>{BOOT}</script>",
        "</html>",
    ]
    return "\n".join(lines) + "\n"


def _attribute(block: str) -> str:
    """How the script finds a block; the one without a name is the script."""
    return f'data-file="{block}"' if block else 'id="hourglass"'


def as_text(content: bytes) -> str:
    """Bytes as text that may stand in a script: 13 bits are two of 91 characters, which is 8 % shorter than base64; up to
    six bits at the end are one. Neither " nor < nor \\ are among them. The browser reads it in src/letters.ts."""
    bits = np.unpackbits(np.frombuffer(content, np.uint8), bitorder="little")
    left = len(bits) % 13
    groups = np.pad(bits, (0, -len(bits) % 13)).reshape(-1, 13)
    high, low = np.divmod(np.packbits(groups, axis=1, bitorder="little").view("<u2").ravel(), 91)
    letters = (np.stack([low, high], 1).ravel() + ord("#")).astype(np.uint8).tobytes()
    return letters[: len(letters) - (0 < left <= 6)].translate(bytes.maketrans(b"<\\", b"!~")).decode("ascii")


def packed(content: bytes) -> bytes:
    """As a gzip file, in the smaller of two ways: numbers without a pattern lose by a search for repetitions."""
    made = []
    for strategy in (zlib.Z_DEFAULT_STRATEGY, zlib.Z_HUFFMAN_ONLY):
        packer = zlib.compressobj(9, zlib.DEFLATED, 31, 9, strategy)
        made.append(packer.compress(content) + packer.flush())
    return min(made, key=len)

"""What a browser needs of a run's networks and no file of a run is: their layers, and the weights of each alone.

Served beside a run's files, made from them: whoever only decodes does not fetch the encoder.
"""

from __future__ import annotations

import json
from pathlib import Path

from models import Problem, architectures
from models.architectures import Blueprint
from models.graphs import header
from models.runs.run import Run

PARTS = ("encoder", "decoder")


def blueprint(run: Run) -> Blueprint | None:
    """The layers of a run's network; None where its weights are not those of an architecture that is here: it may have had
    other layers when the run was trained."""
    try:
        architecture = architectures.get(run.configuration.architecture)
        found = architecture.blueprint(run.kind, run.shape, run.code_size, run.card.recipe)
        stored, _ = header(run.folder / "weights.safetensors")
    except (Problem, OSError, ValueError):
        return None
    shapes = {name: tuple(place["shape"]) for name, place in stored.items()}
    return found if shapes == found.weights and found.variational == run.variational else None


def layers(run: Run) -> bytes:
    """{"encoder": [...], "decoder": [...]} as `Blueprint.listed` gives them; runs from before run.json held them have
    those of their architecture. A `Problem` where that is unknown."""
    stored = run.stored_card()["architecture"].get("layers")
    if stored is None:
        architecture = architectures.get(run.configuration.architecture)
        stored = architecture.blueprint(run.kind, run.shape, run.code_size, run.card.recipe).listed()
    return json.dumps(stored).encode()


def weights(folder: Path, part: str) -> bytes:
    """The weights of "encoder" or "decoder" of a run's folder as a safetensors file, with the numbers as they are stored."""
    path = folder / "weights.safetensors"
    places, start = header(path)
    own = {name: place for name, place in places.items() if name.startswith(f"{part}.")}
    content = path.read_bytes()
    table, parts, end = {}, [], 0
    for name, place in sorted(own.items(), key=lambda one: one[1]["data_offsets"]):
        first, last = place["data_offsets"]
        table[name] = {**place, "data_offsets": [end, end + last - first]}
        parts.append(content[start + first : start + last])
        end += last - first
    named = json.dumps(table, separators=(",", ":")).encode()
    named += b" " * (-len(named) % 8)  # numbers begin at a multiple of eight
    return b"".join([len(named).to_bytes(8, "little"), named, *parts])

"""Encoder and decoder as ONNX graphs, written straight from the saved weights. Nothing here imports torch.

The graphs of a run folder keep their weights in weights.safetensors beside them (ONNX external data), so that no
number is stored twice; `standalone` gives a single file for use elsewhere.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import onnx

from models.architectures import Blueprint
from models.layers import Activation, Recurrent, Shape, append_nodes
from models.layers.graph import Graph


def graphs(blueprint: Blueprint, weights: Path) -> dict[str, bytes]:
    """encoder.onnx and decoder.onnx of a blueprint whose weights lie in the safetensors file `weights`."""
    places, start = header(weights)
    encoder, decoder = Graph(places, start), Graph(places, start)
    code = append_nodes(encoder, blueprint.encoder, "sample", blueprint.shape, "encoder")
    outputs: dict[str, tuple[str, Shape]] = {"code": (code, (blueprint.code_size,))}
    if blueprint.variational:
        cut = [encoder.constant(np.array([i * blueprint.code_size], np.int64)) for i in range(3)]
        axis = encoder.constant(np.array([1], np.int64))
        outputs = {
            name: (encoder.add("Slice", code, begin, end, axis), (blueprint.code_size,))
            for name, begin, end in (("code", cut[0], cut[1]), ("log_variance", cut[1], cut[2]))
        }
    sample = append_nodes(decoder, blueprint.decoder, "code", (blueprint.code_size,), "decoder")
    models = {
        "encoder.onnx": encoder.model({"sample": blueprint.shape}, outputs, "sample -> code"),
        "decoder.onnx": decoder.model(
            {"code": (blueprint.code_size,)}, {"sample": (sample, blueprint.shape)}, "code -> sample"
        ),
    }
    return {name: model.SerializeToString() for name, model in models.items()}


def hidden(blueprint: Blueprint, weights: Path) -> tuple[bytes, list[Shape]]:
    """The encoder as one file that holds its weights and gives what each hidden layer gives, first to last, as hidden_0,
    hidden_1, …; and their shapes. A layer ends in its activation, or is recurrent. The code itself is none of them."""
    graph = Graph(*header(weights))
    code = append_nodes(graph, blueprint.encoder, "sample", blueprint.shape, "encoder")
    found = [
        (value, shape)
        for layer, value, shape in graph.values
        if isinstance(layer, Activation | Recurrent) and value != code
    ]
    if not found:
        return b"", []
    outputs = {f"hidden_{i}": one for i, one in enumerate(found)}
    model = graph.model({"sample": blueprint.shape}, outputs, "sample -> hidden layers")
    onnx.load_external_data_for_model(model, str(weights.parent))
    return model.SerializeToString(), [shape for _, shape in found]


def header(weights: Path) -> tuple[dict[str, dict[str, Any]], int]:
    """The table of a safetensors file (name -> dtype, shape, data_offsets) and the byte where its data begins."""
    with weights.open("rb") as stream:
        length = int.from_bytes(stream.read(8), "little")
        table = json.loads(stream.read(length))
    table.pop("__metadata__", None)
    return table, 8 + length


def standalone(path: Path) -> bytes:
    """An encoder or decoder of a run as one ONNX file that holds its weights."""
    model = onnx.load(path)  # reads the external data beside it
    onnx.checker.check_model(model)
    return bytes(model.SerializeToString())

"""What leaves a run: ONNX graphs, and copies of it for other tools.

The graphs of a run folder keep their weights in weights.safetensors beside them (ONNX external data), so that no
number is stored twice; `standalone` gives a single file for use elsewhere. Nothing here imports torch.
"""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from models import datasets
from models.architectures import Blueprint
from models.layers import Layer, Shape, with_shapes

if TYPE_CHECKING:
    from models.runs import Run

OPSET, IR_VERSION = 17, 9  # the oldest that has LayerNormalization: every runtime of the last years reads it
TYPES = {"F32": TensorProto.FLOAT, "F16": TensorProto.FLOAT16}


class Graph:
    """An ONNX graph in the making. Each method returns the name of the value it made."""

    def __init__(self, places: dict[str, dict[str, Any]], data_start: int) -> None:
        """places: the header of a safetensors file; data_start: the byte at which its tensors begin."""
        self.places, self.data_start = places, data_start
        self.nodes: list[onnx.NodeProto] = []
        self.initializers: dict[str, TensorProto] = {}

    def add(self, operator: str, *inputs: str, **attributes: Any) -> str:
        """One node with one output."""
        name = f"{operator}_{len(self.nodes)}"
        self.nodes.append(helper.make_node(operator, list(inputs), [name], name=name, **attributes))
        return name

    def constant(self, value: NDArray[Any] | np.generic) -> str:
        """A small number or list of numbers kept in the graph itself."""
        name = f"constant_{len(self.initializers)}"
        self.initializers[name] = numpy_helper.from_array(np.asarray(value), name)
        return name

    def weight(self, name: str) -> str:
        """A trained weight, by reference to the safetensors file; float16 ones are widened when the graph loads."""
        place = self.places[name]
        begin, end = place["data_offsets"]
        tensor = TensorProto(
            name=name, dims=place["shape"], data_type=TYPES[place["dtype"]], data_location=TensorProto.EXTERNAL
        )
        for key, value in (
            ("location", "weights.safetensors"),
            ("offset", self.data_start + begin),
            ("length", end - begin),
        ):
            tensor.external_data.add(key=key, value=str(value))
        self.initializers[name] = tensor
        return self.add("Cast", name, to=TensorProto.FLOAT) if place["dtype"] == "F16" else name

    def layers(self, layers: Sequence[Layer], x: str, shape: Shape, name: str) -> str:
        """The nodes of these layers one after the other; weights are named `name`.<place>.<weight>."""
        for i, (layer, at) in enumerate(with_shapes(layers, shape)):
            x = layer.nodes(self, x, at, f"{name}.{i}")
        return x

    def model(self, inputs: dict[str, Shape], outputs: dict[str, tuple[str, Shape]], about: str) -> onnx.ModelProto:
        """The finished model, checked. outputs: name -> (value, shape); B stands for the batch axis."""
        for name, (value, _) in outputs.items():
            self.nodes.append(helper.make_node("Identity", [value], [name], name=name))
        graph = helper.make_graph(
            self.nodes,
            "hourglass",
            [helper.make_tensor_value_info(name, TensorProto.FLOAT, ["B", *shape]) for name, shape in inputs.items()],
            [
                helper.make_tensor_value_info(name, TensorProto.FLOAT, ["B", *shape])
                for name, (_, shape) in outputs.items()
            ],
            initializer=list(self.initializers.values()),
        )
        model = helper.make_model(
            graph, opset_imports=[helper.make_opsetid("", OPSET)], producer_name="hourglass", doc_string=about
        )
        model.ir_version = IR_VERSION
        return model


def graphs(blueprint: Blueprint, weights: Path) -> dict[str, bytes]:
    """encoder.onnx and decoder.onnx of a blueprint whose weights lie in the safetensors file `weights`."""
    places, start = header(weights)
    encoder, decoder = Graph(places, start), Graph(places, start)
    code = encoder.layers(blueprint.encoder, "sample", blueprint.shape, "encoder")
    outputs: dict[str, tuple[str, Shape]] = {"code": (code, (blueprint.code_size,))}
    if blueprint.variational:
        cut = [encoder.constant(np.array([i * blueprint.code_size], np.int64)) for i in range(3)]
        axis = encoder.constant(np.array([1], np.int64))
        outputs = {
            name: (encoder.add("Slice", code, begin, end, axis), (blueprint.code_size,))
            for name, begin, end in (("code", cut[0], cut[1]), ("log_variance", cut[1], cut[2]))
        }
    sample = decoder.layers(blueprint.decoder, "code", (blueprint.code_size,), "decoder")
    models = {
        "encoder.onnx": encoder.model({"sample": blueprint.shape}, outputs, "sample -> code"),
        "decoder.onnx": decoder.model(
            {"code": (blueprint.code_size,)}, {"sample": (sample, blueprint.shape)}, "code -> sample"
        ),
    }
    return {name: model.SerializeToString() for name, model in models.items()}


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


def file_name(run: Run, what: str) -> str:
    """The name under which a part of a run leaves: run, weights, encoder, decoder, codes or table."""
    stem = run.folder.name if run.pretrained else f"hourglass-{run.id}"
    tails = {"run": ".zip", "weights": "-weights.safetensors", "codes": "-codes.csv", "table": "-codes.parquet"}
    return stem + tails.get(what, f"-{what}.onnx")


def part(run: Run, what: str, *, named: bool = False) -> bytes:
    """One part of a run: run (zip), weights, encoder, decoder, codes (CSV) or table (the codes as Parquet).

    named: whether codes go with the names that the samples came with, where the dataset keeps any.
    """
    if what == "run":
        from models import runs

        return runs.pack(run)
    if what == "weights":
        return (run.folder / "weights.safetensors").read_bytes()
    if what in ("codes", "table"):
        names = datasets.names(run.dataset) if named else None
        columns: dict[str, NDArray[Any] | Sequence[Any]] = {
            "row": run.rows,
            **name_column(names, run.rows),
            "split": [datasets.SPLITS[split] for split in run.splits],
            **class_column(run, [run.classes[label] if label >= 0 else "" for label in run.labels]),
            "error": run.errors,
        }
        columns |= {f"z{i + 1}": run.codes[:, i] for i in range(run.code_size)}
        return codes_csv(columns).encode() if what == "codes" else codes_parquet(columns)
    return standalone(run.folder / f"{what}.onnx")


def name_column(names: Sequence[str] | None, rows: NDArray[np.integer[Any]]) -> dict[str, list[str]]:
    """The names that these rows of a dataset came with, as a column; none where they tell no more than a column of the
    rows beside it: rows of a table, counted from 1 in their file and from 0 here, none of which was left out."""
    if not names:
        return {}
    column = "name"
    if all(name.isdecimal() for name in names):
        counted = [int(name) for name in names]
        if counted == list(range(counted[0], counted[0] + len(counted))):
            return {}
        column = "row in the file"
    return {column: [names[row] for row in rows]}


def class_column(run: Run, names: Sequence[str], prefix: str = "") -> dict[str, Sequence[str]]:
    """The names of classes as a column; none where the dataset has no classes. It is called by the dataset's word for
    them, unless a column of ours has that name, after the prefix."""
    if not run.classes:
        return {}
    word = str(run.about["dataset"]["label"])
    taken = word in ("row", "name", "row in the file", "split", "error", "map") or re.fullmatch(r"z\d+", word)
    return {f"{prefix}{word} (class)" if taken else f"{prefix}{word}": names}


def escape_cell(text: str) -> str:
    """Text for a cell of a CSV file. An apostrophe goes before what a spreadsheet would run as a formula."""
    return "'" + text if text.startswith(("=", "+", "-", "@", "\t", "\r")) else text


def codes_csv(columns: Mapping[str, NDArray[Any] | Sequence[Any]]) -> str:
    """Columns of equal length as CSV with a header line. Text that a spreadsheet would run as a formula is escaped."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(map(escape_cell, columns))
    writer.writerows(zip(*(map(_cell, column) for column in columns.values()), strict=True))
    return out.getvalue()


def codes_parquet(columns: Mapping[str, NDArray[Any] | Sequence[Any]]) -> bytes:
    """The same columns as a Parquet file, each of its own type. Text stays as it is: nothing there is a formula."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    out = io.BytesIO()
    pq.write_table(pa.table({name: pa.array(np.asarray(values)) for name, values in columns.items()}), out)
    return out.getvalue()


def _cell(value: Any) -> Any:
    if isinstance(value, str):
        return escape_cell(value)
    return f"{value:.6g}" if isinstance(value, float | np.floating) else value

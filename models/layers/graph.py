"""An ONNX graph in the making. Nothing here imports torch."""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

OPSET, IR_VERSION = 17, 9  # the oldest that has LayerNormalization: every runtime of the last years reads it
TYPES = {"F32": TensorProto.FLOAT, "F16": TensorProto.FLOAT16}


class Graph:
    """An ONNX graph in the making. Each method returns the name of the value it made."""

    def __init__(self, places: dict[str, dict[str, Any]], data_start: int) -> None:
        """places: the header of a safetensors file; data_start: the byte at which its tensors begin."""
        self.places, self.data_start = places, data_start
        self.nodes: list[onnx.NodeProto] = []
        self.initializers: dict[str, TensorProto] = {}
        # What each layer gave: the layer, the value's name, and its shape without the batch axis.
        self.values: list[tuple[object, str, tuple[int, ...]]] = []

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

    def model(
        self, inputs: dict[str, tuple[int, ...]], outputs: dict[str, tuple[str, tuple[int, ...]]], about: str
    ) -> onnx.ModelProto:
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

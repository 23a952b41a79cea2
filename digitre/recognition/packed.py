"""The network as one file for browsers: its layers in a header of JSON, its weights in eight or twelve bits.

    bytes 0 to 7    the text "digitre2"
    bytes 8 to 11   the length of the header, a whole number of 32 bits, little end first
    the header      JSON, filled up with blanks so that what follows begins at a multiple of 4
    the data        each layer's weights, scales and biases, at the places that the header names

Where the LiteRT file has a layer's weights in eight bits, they and their scales are the same here (int8, float32): a weight is
its eight bits times the scale of its output. LiteRT brings the inputs of such a layer to 256 steps while it runs, and
`"steps": true` says so. Other weights, in 32 or 16 bits there, get twelve: eight as above, and a `rest` from -8 to 7
sixteenths, two of them in a byte, the first one in its lower half, with 8 added. Small layers stay in single precision
(float32), without scales. With twelve bits, probabilities differ from the server's by less than 0.01; with eight it was 0.05.

All of it is compressed with gzip. The static file `network.js` reads it. Networks of other layers than
convolution, maximum, full connection and softmax aren't packed: a page asks the server then.
"""

from __future__ import annotations

import functools
import gzip
import json
import struct
from pathlib import Path
from typing import Any

import numpy as np

from digitre import files

MAGIC = b"digitre2"
FEW = 10_000  # weights: a layer of fewer stays in single precision
CONVOLUTION, MAXIMUM, FULL, SOFTMAX, RESHAPE = "conv", "pool", "dense", "softmax", "reshape"
DEQUANTIZE = "dequantize"  # brings weights in half precision to 32 bits
# By their numbers in LiteRT's schema. A reshape changes no number.
OPERATORS = {3: CONVOLUTION, 6: DEQUANTIZE, 9: FULL, 17: MAXIMUM, 22: RESHAPE, 25: SOFTMAX}

Layer = tuple[dict[str, Any], dict[str, np.ndarray]]  # what describes it, and its arrays


class UnknownLayersError(ValueError):
    """A network with layers that the packed form can't hold."""


def file_name(model: str) -> str:
    """The name of a packed network: its version, which holds a hash, and the form's version."""
    return f"{model}.{MAGIC.decode()[-1]}.bin"


def write(file: Path, model: str, target: Path) -> None:
    """Pack a network into a file. Raises what `pack` raises, and OSError."""
    files.write(target, pack(file, model))


@functools.lru_cache(maxsize=1)
def load(file: Path, model: str) -> bytes:
    """A network's packed form: the file next to it, if promoting made one; else it is made now.

    Raises what `pack` raises.
    """
    made = file.with_name(file_name(model))
    return made.read_bytes() if made.is_file() else pack(file, model)


def pack(file: Path, model: str) -> bytes:
    """Pack a network.

    Args:
        file: a LiteRT file.
        model: its version, as `Classifier.model` has it.

    Returns:
        The content of the packed file: the same for the same network.

    Raises:
        UnknownLayersError: if it has other layers, or some that don't follow one another.
        OSError: if the file can't be read.
    """
    layers = []
    data = b""
    for layer, arrays in _layers(file.read_bytes()):
        for name, array in arrays.items():
            layer[name] = len(data)
            data += array.tobytes().ljust(-(-array.nbytes // 4) * 4, b"\0")
        layers.append(layer)
    header = json.dumps({"model": model, "layers": layers}, separators=(",", ":")).encode()
    header = header.ljust(-(-len(header) // 4) * 4)
    return gzip.compress(MAGIC + struct.pack("<I", len(header)) + header + data, mtime=0)


def _layers(content: bytes) -> list[Layer]:
    """The layers of a LiteRT file."""
    from ai_edge_litert import schema_py_generated as schema  # large, and rarely needed

    network = schema.Model.GetRootAs(content)
    graph = network.Subgraphs(0)
    found: list[Layer] = []
    stored: dict[int, int] = {}  # from weights in 32 bits to the ones that the file has
    last = graph.Inputs(0)
    for index in range(graph.OperatorsLength()):
        operator = graph.Operators(index)
        kind = OPERATORS.get(network.OperatorCodes(operator.OpcodeIndex()).BuiltinCode())
        if kind == DEQUANTIZE:
            stored[operator.Outputs(0)] = operator.Inputs(0)
            continue
        if kind is None or operator.Inputs(0) != last:
            raise UnknownLayersError(f"the network's operator {index} can't be packed")
        last = operator.Outputs(0)
        if kind == SOFTMAX:
            found.append(({"kind": kind}, {}))
        elif kind != RESHAPE:
            found.append(_layer(schema, network, operator, kind, stored))
    return found


def _layer(schema: Any, network: Any, operator: Any, kind: str, stored: dict[int, int]) -> Layer:
    """A layer that has a shape, and numbers if it isn't a maximum."""
    graph = network.Subgraphs(0)
    shape = graph.Tensors(operator.Inputs(0)).ShapeAsNumpy().tolist()[1:]
    table = operator.BuiltinOptions()
    names = {CONVOLUTION: "Conv2DOptions", MAXIMUM: "Pool2DOptions", FULL: "FullyConnectedOptions"}
    options = getattr(schema, names[kind])()
    options.Init(table.Bytes, table.Pos)
    if kind == MAXIMUM:
        sides = options.FilterWidth(), options.FilterHeight(), options.StrideW(), options.StrideH()
        if sides != (2, 2, 2, 2) or shape[0] % 2 or shape[1] % 2:
            raise UnknownLayersError("the network has a maximum that isn't of 2 x 2")
        return {"kind": kind, "shape": shape}, {}
    has_border = kind == CONVOLUTION and options.Padding() != schema.Padding.VALID
    if has_border or (kind == CONVOLUTION and (options.StrideW(), options.StrideH()) != (1, 1)):
        raise UnknownLayersError("the network has a convolution with a border or with steps")
    activation = options.FusedActivationFunction()
    if activation not in (schema.ActivationFunctionType.NONE, schema.ActivationFunctionType.RELU):
        raise UnknownLayersError("the network has another activation than ReLU")
    index = stored.get(operator.Inputs(1), operator.Inputs(1))
    weights, bias = _numbers(network, index), _numbers(network, operator.Inputs(2))
    if bias.dtype == np.int8:
        raise UnknownLayersError("the network has biases that aren't numbers of 32 bits")
    layer = {"kind": kind, "shape": shape, "of": list(weights.shape), "relu": bool(activation)}
    if weights.dtype == np.int8:
        layer["steps"] = True
        return layer, {"weights": weights, "scales": _scales(network, index), "bias": bias}
    if weights.size < FEW:
        return layer, {"weights": weights, "bias": bias}
    return layer, {**_twelve_bits(weights), "bias": bias}


def _twelve_bits(weights: np.ndarray) -> dict[str, np.ndarray]:
    """Weights, with an output per row, as int8 `weights`, uint8 `rest` and float32 `scales`."""
    rows = weights.reshape(len(weights), -1)
    scales = np.maximum(np.abs(rows).max(1), np.finfo(np.float32).tiny) / np.float32(127)
    sixteenths = np.rint(rows / scales[:, None] * 16).astype(np.int16)
    eight = (sixteenths + 8) >> 4
    rest = (sixteenths - 16 * eight + 8).astype(np.uint8).ravel()
    rest = np.append(rest, np.zeros(len(rest) % 2, np.uint8))
    return {"weights": eight.astype(np.int8), "rest": rest[::2] | rest[1::2] << 4, "scales": scales}


def _numbers(network: Any, index: int) -> np.ndarray:
    """A constant of the network: float32 (from float16, if it is that), or int8 with `_scales`."""
    tensor = network.Subgraphs(0).Tensors(index) if index >= 0 else None
    kinds = {0: "<f4", 1: "<f2", 9: "i1"}  # as LiteRT's schema has them
    known = tensor is not None and tensor.Type() in kinds
    data = _content(network, tensor.Buffer()) if tensor is not None and known else None
    if tensor is None or data is None:
        raise UnknownLayersError("the network has weights that aren't numbers of 32, 16 or 8 bits")
    numbers = data.view(kinds[tensor.Type()]).reshape(tensor.ShapeAsNumpy())
    return numbers.astype("<f4") if numbers.dtype == np.float16 else numbers


def _content(network: Any, index: int) -> np.ndarray | None:
    """The bytes of a buffer, uint8: in the network's tables, or after them in the file. None if empty."""
    buffer = network.Buffers(index)
    if buffer.DataLength():
        return buffer.DataAsNumpy()
    if not buffer.Size():
        return None
    return np.frombuffer(network._tab.Bytes, np.uint8, buffer.Size(), buffer.Offset())


def _scales(network: Any, index: int) -> np.ndarray:
    """The scale of each output of weights in eight bits, float32."""
    tensor = network.Subgraphs(0).Tensors(index)
    found = tensor.Quantization()
    each = found and found.ScaleLength() == tensor.Shape(0) and not found.QuantizedDimension()
    if not each or (found.ZeroPointLength() and found.ZeroPointAsNumpy().any()):
        raise UnknownLayersError("the network has weights in eight bits without a scale per output")
    return found.ScaleAsNumpy().astype("<f4")

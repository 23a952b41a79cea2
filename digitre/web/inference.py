"""Two protocols of model servers, so that their clients only change the address.

- TensorFlow Serving's REST API (https://www.tensorflow.org/tfx/serving/api_rest), below /v1.
- The Open Inference Protocol of KServe and Triton
  (https://github.com/kserve/open-inference-protocol), below /v2, with its binary tensor extension.

Every picture goes through the same preprocessing as one sent to /_get_digit.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

import numpy as np
from flask import Blueprint, Flask, Response, current_app, jsonify, request

import digitre
from digitre.recognition.classifier import SHAPE, Reading
from digitre.recognition.decoding import MAX_OTHER_PIXELS, unpack
from digitre.recognition.preprocessing import SIDE, Picture, PictureError
from digitre.web import monitoring
from digitre.web.bodies import RequestError, body_of, check_values, load_json
from digitre.web.many import MOST, TOO_LONG, Wrong, check_number, pixels_of, read_all
from digitre.web.state import state

MODEL = "digitre"  # the model's name in addresses and answers
SHAPES = ((SIDE * SIDE,), (SIDE, SIDE), SHAPE)  # of the grey values of one picture
DATATYPES = {"FP32": "<f4", "FP64": "<f8", "UINT8": "u1"}  # NumPy's types for grey values
HEADER = "Inference-Header-Content-Length"
OUTPUTS: dict[str, tuple[str, list[int]]] = {  # each output's datatype and shape
    "probabilities": ("FP32", [-1, 10]),
    "not_a_digit": ("FP32", [-1]),
    "result": ("BYTES", [-1]),
}

blueprint = Blueprint("inference", __name__)


def register(app: Flask) -> None:
    """Add the routes to an application."""
    app.register_blueprint(blueprint)


# --- TensorFlow Serving ---


@blueprint.get("/v1/models/digitre")
def model_status() -> Response:
    """The status of the model, as TensorFlow Serving reports it. Its version is a whole number there."""
    version = int(state().classifier.model.rpartition("-")[2], 16)
    status = {"error_code": "OK", "error_message": ""}
    return jsonify(
        model_version_status=[{"version": str(version), "state": "AVAILABLE", "status": status}]
    )


@blueprint.post("/v1/models/digitre:predict")
def predict() -> Response:
    """The ten probabilities of each picture in `instances`."""
    instances = _json_object(body_of(request)).get("instances")
    if not isinstance(instances, list) or not instances:
        raise RequestError("no_picture", 'Send {"instances": [...]} with at least one picture.')
    readings = _read(instances, _instance)
    return jsonify(predictions=[_rounded(reading.probabilities) for reading in readings])


def _instance(value: Any) -> Picture:
    """The picture of one instance: grey values, {"b64": ...}, or an object with one of these as its
    only value, as clients send it that name their input.
    """
    if isinstance(value, dict) and len(value) == 1:
        ((name, value),) = value.items()
        if name == "b64" and isinstance(value, str):
            return unpack(value)
        if isinstance(value, dict) and isinstance(value.get("b64"), str) and len(value) == 1:
            return unpack(value["b64"])
    return _grey(_numbers(value))


# --- the Open Inference Protocol ---


@blueprint.get("/v2/health/live")
def live() -> Response:
    """That the server answers."""
    return jsonify(live=True)


@blueprint.get("/v2/health/ready")
def ready() -> Response:
    """That the network answers. A network that fails makes this a 500."""
    _try_network()
    return jsonify(ready=True)


@blueprint.get("/v2")
def server_metadata() -> Response:
    """The name and version of the server, and the extensions of the protocol that it has."""
    return jsonify(name="digitre", version=digitre.__version__, extensions=["binary_tensor_data"])


@blueprint.get("/v2/models/digitre")
def model_metadata() -> Response:
    """The inputs, of which a request has one, and the outputs."""
    return jsonify(
        name=MODEL,
        versions=[state().classifier.model],
        platform="litert",
        inputs=[
            {"name": "images", "datatype": "FP32", "shape": [-1, *SHAPE]},
            {"name": "files", "datatype": "BYTES", "shape": [-1]},
        ],
        outputs=[
            {"name": name, "datatype": datatype, "shape": shape}
            for name, (datatype, shape) in OUTPUTS.items()
        ],
    )


@blueprint.get("/v2/models/digitre/ready")
def model_ready() -> Response:
    """That the network answers. A network that fails makes this a 500."""
    _try_network()
    return jsonify(name=MODEL, ready=True)


def _try_network() -> None:
    state().classifier.classify(np.ones((1, *SHAPE), np.float32))


@blueprint.post("/v2/models/digitre/infer")
def infer() -> Response:
    """The requested outputs for every picture of the one input."""
    head, tensors = _split(body_of(request))
    message = _json_object(head)
    name = message.get("id", "")
    if not isinstance(name, str):
        raise _invalid("The id must be a string.")
    wanted = _requested_outputs(message)
    readings = _read(*_input(message, tensors))
    answer: dict[str, Any] = {"model_name": MODEL, "model_version": state().classifier.model}
    if name:
        answer["id"] = name
    answer["outputs"], packed = [], b""
    for output, is_binary in wanted.items():
        tensor, data = _output(output, readings, is_binary)
        answer["outputs"].append(tensor)
        packed += data
    if not any(wanted.values()):
        return jsonify(answer)
    text = json.dumps(answer).encode()
    response = Response(text + packed, content_type="application/octet-stream")
    response.headers[HEADER] = str(len(text))
    return response


def _invalid(message: str) -> RequestError:
    return RequestError("bad_inference", message)


def _split(body: bytes) -> tuple[bytes, bytes]:
    """The JSON of a request, and the binary tensors after it, if a header says where they begin."""
    length = request.headers.get(HEADER)
    if length is None:
        return body, b""
    if not (length.isascii() and length.isdigit() and int(length) <= len(body)):
        raise _invalid(f"{HEADER} must be the number of bytes of JSON at the start of the body.")
    return body[: int(length)], body[int(length) :]


def _parameters(owner: dict[str, Any]) -> dict[str, Any]:
    parameters = owner.get("parameters", {})
    if not isinstance(parameters, dict):
        raise _invalid("The field parameters must be an object.")
    return parameters


def _requested_outputs(message: dict[str, Any]) -> dict[str, bool]:
    """The names of the outputs to return, and whether each is to be binary."""
    all_binary = bool(_parameters(message).get("binary_data_output", False))
    outputs = message.get("outputs", [])
    if not isinstance(outputs, list):
        raise _invalid("The field outputs must be a list of objects.")
    requested: dict[str, bool] = {}
    for output in outputs:
        name = output.get("name") if isinstance(output, dict) else None
        if not isinstance(name, str) or name not in OUTPUTS:
            raise _invalid(f"Each output must be an object whose name is one of {_names()}.")
        requested[name] = bool(_parameters(output).get("binary_data", all_binary))
    return requested or dict.fromkeys(OUTPUTS, all_binary)


def _names() -> str:
    return ", ".join(OUTPUTS)


def _input(
    message: dict[str, Any], tensors: bytes
) -> tuple[Sequence[Any] | np.ndarray, Callable[[Any], Picture]]:
    """The values of the input, one per picture, and the function that makes a picture of each."""
    inputs = message.get("inputs")
    if not (isinstance(inputs, list) and len(inputs) == 1 and isinstance(inputs[0], dict)):
        raise RequestError("no_picture", "Send exactly one input: a list with one object.")
    tensor = inputs[0]
    shape, datatype = tensor.get("shape"), tensor.get("datatype")
    if not isinstance(tensor.get("name"), str):
        raise _invalid("The input needs a name.")
    if not isinstance(shape, list) or not shape or any(type(side) is not int for side in shape):
        raise _invalid("The shape of the input must be a list of whole numbers.")
    if not shape[0] >= 1 or tuple(shape[1:]) not in (((), (1,)) if datatype == "BYTES" else SHAPES):
        raise _invalid("The shape must be [n,28,28,1], [n,28,28] or [n,784], and [n] for BYTES.")
    check_number(shape[0], "pictures")
    data = tensor.get("data")
    if (size := _parameters(tensor).get("binary_data_size")) is not None:
        if "data" in tensor or type(size) is not int or size != len(tensors):
            raise _invalid("binary_data_size must be the number of bytes after the JSON.")
        data = tensors
    if datatype == "BYTES":
        return _files(data, shape[0]), _file
    if not isinstance(datatype, str) or datatype not in DATATYPES:
        raise _invalid(f"The datatype must be BYTES or one of {', '.join(DATATYPES)}.")
    values = _values(data, datatype)
    if values.size != shape[0] * SIDE * SIDE:
        raise _invalid("The data does not have as many values as the shape says.")
    return values.reshape(shape[0], SIDE, SIDE), _grey


def _values(data: Any, datatype: str) -> np.ndarray:
    if not isinstance(data, bytes):
        return _numbers(data)
    try:
        return np.frombuffer(data, DATATYPES[datatype])
    except ValueError:
        raise _invalid("The data does not have as many values as the shape says.") from None


def _files(data: Any, number: int) -> list[str | bytes]:
    """The elements of a BYTES tensor: in JSON a list of base64, else each after its 32-bit length."""
    if isinstance(data, bytes):
        files: list[Any] = list(_after_their_lengths(data))
    elif isinstance(data, list):
        files = [each for row in data for each in (row if isinstance(row, list) else [row])]
    else:
        files = []
    if len(files) != number or not all(isinstance(file, (str, bytes)) for file in files):
        raise _invalid("The data must have one picture as base64 for each element of the shape.")
    return files


def _after_their_lengths(data: bytes) -> Iterator[bytes]:
    start = 0
    while start < len(data):
        try:
            (length,) = struct.unpack_from("<I", data, start)
        except struct.error:
            raise _invalid("Each element of BYTES needs its length before it.") from None
        if length > len(data) - start - 4:
            raise _invalid("An element of BYTES is longer than the data.")
        yield data[start + 4 : start + 4 + length]
        start += 4 + length


def _file(file: str | bytes) -> bytes:
    """The bytes of a file that may be in base64 or a data URL."""
    if isinstance(file, bytes) and (b"\0" in file[:64] or not file[:64].isascii()):
        return file
    return unpack(file)


def _output(name: str, readings: list[Reading], is_binary: bool) -> tuple[dict[str, Any], bytes]:
    """An output as JSON, and its binary data, which is empty unless it is asked for."""
    datatype, shape = OUTPUTS[name]
    tensor: dict[str, Any] = {"name": name, "datatype": datatype}
    tensor["shape"] = [len(readings), *shape[1:]]
    rows: list[Any] = [getattr(reading, name) for reading in readings]
    if not is_binary:
        flat = rows if name != "probabilities" else [each for row in rows for each in row]
        tensor["data"] = flat if datatype == "BYTES" else _rounded(flat)
        return tensor, b""
    if datatype == "BYTES":
        packed = b"".join(struct.pack("<I", len(text)) + text.encode() for text in rows)
    else:
        packed = np.asarray(rows, DATATYPES[datatype]).tobytes()
    tensor["parameters"] = {"binary_data_size": len(packed)}
    return tensor, packed


# --- both ---


def _json_object(body: bytes) -> dict[str, Any]:
    if not body.strip():
        raise RequestError("empty_body", "The body is empty: send a JSON object.")
    check_values(body, 2 * MOST * SIDE * SIDE)
    try:
        value = load_json(body)
    except (ValueError, RecursionError):  # text that is not UTF-8 is a ValueError too
        raise RequestError("malformed_json", "The body is not valid JSON.") from None
    if not isinstance(value, dict):
        raise _invalid("The body must be a JSON object.")
    return value


def _read(
    values: Sequence[Any] | np.ndarray, to_picture: Callable[[Any], Picture]
) -> list[Reading]:
    """Read every picture. A PictureError says which picture it is about."""
    check_number(len(values), "pictures")
    classifier, threshold = state().classifier, current_app.config["THRESHOLD"]
    readings = []
    for index, found in enumerate(read_all(classifier, _pictures(values, to_picture), threshold)):
        if not isinstance(found, Reading):
            raise _about(found, index)
        readings.append(found)
    for reading in readings:
        monitoring.count_reading(reading)
    return readings


def _about(error: Wrong, index: int) -> Wrong:
    """What is wrong with a picture, as an error of the whole request."""
    if error is TOO_LONG:
        message = f"These pictures take long to read: send at most {index} in a request."
        return RequestError("too_many", message)
    if isinstance(error, PictureError):
        return PictureError(error.code, f"Picture {index} (the first is 0): {error}")
    return error


def _pictures(
    values: Iterable[Any], to_picture: Callable[[Any], Picture]
) -> Iterator[Picture | Wrong]:
    """Each picture, or what is wrong with it. Many pictures cost no more than one large one."""
    pixels = 0
    for index, value in enumerate(values):
        try:
            picture = to_picture(value)
        except (PictureError, RequestError) as error:
            yield error
            continue
        pixels += pixels_of(picture)
        if index and pixels > MAX_OTHER_PIXELS:
            message = f"All pictures together may have {MAX_OTHER_PIXELS:,} pixels: send fewer in a request."
            yield PictureError("picture_too_large", message)
        else:
            yield picture


def _numbers(value: Any) -> np.ndarray:
    """Nested lists of numbers as an array. Raises PictureError, `bad_pixels`."""
    try:
        array = np.asarray(value)
    except (ValueError, OverflowError):  # rows of different lengths
        array = np.asarray(None)
    if not isinstance(value, list) or array.dtype.kind not in "iuf":
        raise PictureError(
            "bad_pixels", "Send 784 grey values, all from 0 to 1 or all from 0 to 255."
        )
    return array


def _grey(values: np.ndarray) -> np.ndarray:
    """(28, 28) grey values of one picture, from 0 to 1 or from 0 to 255: the maximum tells which."""
    if values.shape not in SHAPES:
        raise PictureError("bad_pixels", "A picture has the shape (28, 28), (28, 28, 1) or (784,).")
    values = values.reshape(SIDE, SIDE)
    # Whole numbers of at most 1 are the scale from 0 to 1 too: black and white.
    return values.astype(np.float64) if values.max() <= 1 else values


def _rounded(values: Sequence[float]) -> list[float]:
    return [round(value, 6) for value in values]

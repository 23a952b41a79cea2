"""TensorFlow Serving's protocol below /v1, and the Open Inference protocol below /v2."""

from __future__ import annotations

import base64
import json
import re
import struct
import urllib.request

import numpy as np
import pytest
from conftest import ROOT, data_url, png
from PIL import Image
from strokes import DIGITS, drawn

from digitre.recognition.preprocessing import preprocess
from digitre.web.inference import HEADER
from digitre.web.many import MOST

PREDICT, INFER = "/v1/models/digitre:predict", "/v2/models/digitre/infer"
SEVEN = png(drawn(DIGITS[7]))
PIXELS = preprocess(SEVEN)[0]  # (28, 28, 1) float32 in [0, 1]
B64 = base64.b64encode(SEVEN).decode()


def assert_error(response, status: int, code: str) -> None:
    """The response is this error in the shape of the protocols: the message is a string."""
    assert response.status_code == status, response.get_data(as_text=True)
    body = response.get_json()
    assert set(body) == {"error", "code"}
    assert body["code"] == code
    assert body["error"].endswith((".", ")"))


def probabilities(client, picture: bytes = SEVEN) -> list[float]:
    """What /_get_digit answers for a picture."""
    return client.post("/_get_digit", data=picture).get_json()["probabilities"]


# --- TensorFlow Serving ---


@pytest.mark.slow
def test_the_request_of_the_keras_documents(server: str) -> None:
    """A server answers the request that the documents of Keras and TensorFlow show, batch and all."""
    x = np.stack([PIXELS, np.zeros((28, 28, 1)), preprocess(png(drawn(DIGITS[3])))[0]])
    data = json.dumps({"signature_name": "serving_default", "instances": x.tolist()})
    headers = {"content-type": "application/json"}
    request = urllib.request.Request(server + PREDICT, data.encode(), headers)
    with urllib.request.urlopen(request, timeout=20) as response:
        predictions = np.array(json.load(response)["predictions"])
    assert predictions.shape == (3, 10)
    assert [predictions[0].argmax(), predictions[2].argmax()] == [7, 3]
    assert not predictions[1].any(), "a blank is surely not a digit"


@pytest.mark.parametrize(
    "shape", [(784,), (28, 28), (28, 28, 1)], ids=["flat", "rows", "with channels"]
)
@pytest.mark.parametrize("scale", [1, 255])
def test_each_form_of_grey_values(client, shape: tuple[int, ...], scale: int) -> None:
    """784 values in each shape, from 0 to 1 or from 0 to 255, are read as a seven."""
    instance = np.reshape(PIXELS * scale, shape).tolist()
    for each in (instance, {"input_1": instance}):
        answer = client.post(PREDICT, json={"instances": [each]}).get_json()
        assert np.argmax(answer["predictions"][0]) == 7
        assert answer["predictions"][0][7] > 0.99


def test_a_file_gives_what_reading_gives(client) -> None:
    """{"b64"} and an input's name around it give the probabilities of /_get_digit."""
    for instance in ({"b64": B64}, {"image_bytes": {"b64": data_url(SEVEN)}}):
        answer = client.post(PREDICT, json={"instances": [instance]}).get_json()
        assert answer == {"predictions": [probabilities(client)]}


def test_the_status_of_the_model(client) -> None:
    """The status has the one version, which is a whole number as in TensorFlow Serving."""
    (version,) = client.get("/v1/models/digitre").get_json()["model_version_status"]
    assert version.pop("version").isdigit()
    assert version == {"state": "AVAILABLE", "status": {"error_code": "OK", "error_message": ""}}


GREY = [[0.5] * 28] * 28


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (b"", 400, "empty_body"),
        (b"{", 400, "malformed_json"),
        (b"[" * 100_000, 400, "malformed_json"),
        (b"[]", 400, "bad_inference"),
        (b"{}", 400, "no_picture"),
        ({"instances": []}, 400, "no_picture"),
        ({"instances": {"b64": B64}}, 400, "no_picture"),
        ({"instances": [{"b64": "@"}]}, 400, "bad_base64"),
        ({"instances": [{"b64": 7}]}, 400, "bad_pixels"),
        ({"instances": [{"b64": base64.b64encode(b"text").decode()}]}, 400, "not_a_picture"),
        ({"instances": [{"b64": "wsgi.py"}]}, 400, "bad_base64"),
        ({"instances": [None]}, 400, "bad_pixels"),
        ({"instances": ["7"]}, 400, "bad_pixels"),
        ({"instances": [GREY[:27]]}, 400, "bad_pixels"),
        ({"instances": [[*GREY[:27], [0]]]}, 400, "bad_pixels"),
        ({"instances": [[*GREY[:27], [True] * 27 + ["x"]]]}, 400, "bad_pixels"),
        ({"instances": [[[-1] * 28] * 28]}, 400, "bad_pixels"),
        ({"instances": [[[256] * 28] * 28]}, 400, "bad_pixels"),
        (json.dumps({"instances": [[[float("nan")] * 28] * 28]}).encode(), 400, "bad_pixels"),
        ({"instances": [[[10**400] * 28] * 28]}, 400, "bad_pixels"),
        ({"instances": [[]] * (MOST + 1)}, 413, "too_many"),
        ({"instances": [[1] * 400_000]}, 413, "body_too_large"),
    ],
)  # fmt: skip
def test_bad_instances(app, body, status: int, code: str) -> None:
    """Bad input gets an error in the shape of the protocols, with its code."""
    app.config["MAX_CONTENT_LENGTH"] = 2**20
    data = body if isinstance(body, bytes) else json.dumps(body)
    assert_error(app.test_client().post(PREDICT, data=data), status, code)


def test_an_error_names_its_picture(client) -> None:
    """The message says which of the pictures is bad."""
    response = client.post(PREDICT, json={"instances": [GREY, {"b64": "@"}]})
    assert_error(response, 400, "bad_base64")
    assert response.get_json()["error"].startswith("Picture 1 (the first is 0): ")


def test_many_pictures_cost_no_more_than_a_large_one(client) -> None:
    """The pixels of all pictures together are limited, by their headers."""
    large = base64.b64encode(png(Image.new("1", (4000, 3000)))).decode()
    response = client.post(PREDICT, json={"instances": [{"b64": large}] * 2})
    assert_error(response, 413, "picture_too_large")


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("get", PREDICT, 405, "method_not_allowed"),
        ("get", "/v1/models/other", 404, "not_found"),
        ("get", "/v2/models/other", 404, "not_found"),
        ("post", "/v2", 405, "method_not_allowed"),
    ],
)
def test_every_error_of_the_protocols_has_their_shape(
    client, method: str, path: str, status: int, code: str
) -> None:
    """Errors that no view makes have the protocols' shape too; other addresses keep their own."""
    assert_error(getattr(client, method)(path), status, code)
    assert set(client.get("/v3").get_json()["error"]) == {"code", "message"}


# --- Open Inference ---


def infer(client, tensor: dict, **more):
    return client.post(INFER, json={"inputs": [{"name": "images"} | tensor], **more})


def test_health_and_metadata(client) -> None:
    """The addresses that clients ask first answer as the protocol says."""
    assert client.get("/v2/health/live").get_json() == {"live": True}
    assert client.get("/v2/health/ready").get_json() == {"ready": True}
    assert client.get("/v2/models/digitre/ready").get_json() == {"name": "digitre", "ready": True}
    assert client.get("/v2").get_json()["extensions"] == ["binary_tensor_data"]
    model = client.get("/v2/models/digitre").get_json()
    assert model["versions"] == [client.get("/healthz").get_json()["model"]]
    assert [each["shape"] for each in model["inputs"]] == [[-1, 28, 28, 1], [-1]]
    assert [each["name"] for each in model["outputs"]] == ["probabilities", "not_a_digit", "result"]


def test_a_network_that_fails_is_not_ready(app, monkeypatch: pytest.MonkeyPatch) -> None:
    """Readiness is an error if the network does not answer."""

    def fail(*_):
        raise RuntimeError

    app.config["TESTING"] = False
    monkeypatch.setattr(app.extensions["digitre"].classifier, "classify", fail)
    for path in ("/v2/health/ready", "/v2/models/digitre/ready"):
        assert_error(app.test_client().get(path), 500, "internal_error")


@pytest.mark.parametrize("shape", [(784,), (28, 28), (28, 28, 1)])
@pytest.mark.parametrize("datatype", ["FP32", "FP64", "UINT8"])
def test_grey_values_in_json(client, shape: tuple[int, ...], datatype: str) -> None:
    """Flat and nested data of each datatype give all three outputs and the id."""
    values = np.stack([PIXELS, np.zeros_like(PIXELS)]).reshape(2, *shape)
    if datatype == "UINT8":
        values = np.rint(255 * values).astype(np.uint8)
    for data in (values.ravel().tolist(), values.tolist()):
        tensor = {"datatype": datatype, "shape": [2, *shape], "data": data}
        answer = infer(client, tensor, id="a 7").get_json()
        assert answer["id"] == "a 7"
        assert answer["model_name"] == "digitre"
        outputs = {output["name"]: output for output in answer["outputs"]}
        assert outputs["probabilities"]["shape"] == [2, 10]
        assert len(outputs["probabilities"]["data"]) == 20
        assert outputs["not_a_digit"]["shape"] == [2]
        assert outputs["not_a_digit"]["data"][1] == 1
        assert outputs["result"] == {
            "name": "result", "datatype": "BYTES", "shape": [2], "data": ["7", "Huh..."],
        }  # fmt: skip


def test_files_in_json(client) -> None:
    """Base64 gives what /_get_digit gives, and only the requested outputs come back."""
    tensor = {"datatype": "BYTES", "shape": [2], "data": [B64, data_url(SEVEN)]}
    answer = infer(client, tensor, outputs=[{"name": "probabilities"}]).get_json()
    assert "id" not in answer
    (output,) = answer["outputs"]
    assert output["data"] == 2 * probabilities(client)


@pytest.mark.parametrize(
    ("message", "status", "code"),
    [
        ({"inputs": None}, 400, "no_picture"),
        ({"inputs": []}, 400, "no_picture"),
        ({"inputs": [{}, {}]}, 400, "no_picture"),
        ({"id": 7}, 400, "bad_inference"),
        ({"outputs": [{"name": "logits"}]}, 400, "bad_inference"),
        ({"outputs": [{"name": []}]}, 400, "bad_inference"),
        ({"outputs": "result"}, 400, "bad_inference"),
        ({"parameters": []}, 400, "bad_inference"),
        ({"name": None}, 400, "bad_inference"),
        ({"datatype": "FP16"}, 400, "bad_inference"),
        ({"datatype": ["FP32"]}, 400, "bad_inference"),
        ({"datatype": "BYTES"}, 400, "bad_inference"),
        ({"datatype": "BYTES", "shape": [2], "data": [B64]}, 400, "bad_inference"),
        ({"datatype": "BYTES", "shape": [1], "data": [7]}, 400, "bad_inference"),
        ({"datatype": "BYTES", "shape": [1], "data": ["@"]}, 400, "bad_base64"),
        ({"shape": "x"}, 400, "bad_inference"),
        ({"shape": [True, 784]}, 400, "bad_inference"),
        ({"shape": [0, 784], "data": []}, 400, "bad_inference"),
        ({"shape": [1, 783]}, 400, "bad_inference"),
        ({"shape": [2, 784]}, 400, "bad_inference"),
        ({"shape": [MOST + 1, 784]}, 413, "too_many"),
        ({"data": None}, 400, "bad_pixels"),
        ({"data": ["0"] * 784}, 400, "bad_pixels"),
        ({"data": [-1] * 784}, 400, "bad_pixels"),
    ],
)  # fmt: skip
def test_bad_inference(client, message: dict, status: int, code: str) -> None:
    """Bad input gets an error in the shape of the protocols, with its code."""
    tensor = {"name": "x", "datatype": "FP32", "shape": [1, 784], "data": [0] * 784}
    of_tensor = {key: value for key, value in message.items() if key in tensor}
    of_request = {key: value for key, value in message.items() if key not in tensor}
    body = {"inputs": [tensor | of_tensor]} | of_request
    assert_error(client.post(INFER, json=body), status, code)


def binary(client, sent: bytes, size: object = None, length: str = "", **tensor):
    """A request with binary data, as tritonclient sends it."""
    tensor = {
        "name": "x",
        "parameters": {"binary_data_size": len(sent) if size is None else size},
    } | tensor
    head = json.dumps({"inputs": [tensor], "parameters": {"binary_data_output": True}}).encode()
    headers = {HEADER: length or str(len(head))}
    return client.post(INFER, data=head + sent, headers=headers)


def test_binary_data(client) -> None:
    """Binary data goes in and comes out as the extension says."""
    response = binary(client, PIXELS.astype("<f4").tobytes(), datatype="FP32", shape=[1, 28, 28, 1])
    head = int(response.headers[HEADER])
    outputs = json.loads(response.data[:head])["outputs"]
    sizes = [output["parameters"]["binary_data_size"] for output in outputs]
    assert sizes == [40, 4, 5]
    assert len(response.data) == head + 49
    assert np.frombuffer(response.data[head : head + 40], "<f4").argmax() == 7
    assert response.data.endswith(struct.pack("<I", 1) + b"7")


FILE = struct.pack("<I", len(SEVEN)) + SEVEN


@pytest.mark.parametrize(
    ("data", "change", "code"),
    [
        (bytes(3136), {"length": "-1"}, "bad_inference"),
        (bytes(3136), {"length": "99999"}, "bad_inference"),
        (bytes(3136), {"size": 3135}, "bad_inference"),
        (bytes(3136), {"size": "3136"}, "bad_inference"),
        (bytes(3136), {"data": [0] * 784}, "bad_inference"),
        (bytes(3135), {}, "bad_inference"),
        (bytes(3132), {}, "bad_inference"),
        (struct.pack("<f", float("inf")) * 784, {}, "bad_pixels"),
        (FILE[:3], {"datatype": "BYTES", "shape": [1]}, "bad_inference"),
        (FILE[:-1], {"datatype": "BYTES", "shape": [1]}, "bad_inference"),
        (FILE, {"datatype": "BYTES", "shape": [2]}, "bad_inference"),
        (struct.pack("<I", 4) + b"\0\1\2\3", {"datatype": "BYTES", "shape": [1]}, "not_a_picture"),
    ],
)  # fmt: skip
def test_bad_binary_data(client, data: bytes, change: dict, code: str) -> None:
    """Lengths that do not fit, and data that are not a picture, get an error with its code."""
    tensor = {"datatype": "FP32", "shape": [1, 784]}
    assert_error(binary(client, data, **(tensor | change)), 400, code)


@pytest.mark.slow
@pytest.mark.parametrize("is_binary", [True, False])
def test_tritonclient(server: str, is_binary: bool) -> None:
    """NVIDIA's client works as it is: only its address changes."""
    triton = pytest.importorskip("tritonclient.http")
    from tritonclient.utils import InferenceServerException

    client = triton.InferenceServerClient(server.removeprefix("http://"))
    assert client.is_server_live()
    assert client.is_server_ready()
    assert client.is_model_ready("digitre")
    assert client.get_server_metadata()["name"] == "digitre"
    first, second = client.get_model_metadata("digitre")["inputs"]
    images = triton.InferInput(first["name"], [2, 28, 28, 1], first["datatype"])
    batch = np.stack([PIXELS, np.zeros_like(PIXELS)])
    images.set_data_from_numpy(batch, binary_data=is_binary)
    answer = client.infer("digitre", [images], request_id="7")
    assert answer.get_response()["id"] == "7"
    assert answer.as_numpy("probabilities").shape == (2, 10)
    assert answer.as_numpy("probabilities").dtype == np.float32
    assert answer.as_numpy("not_a_digit")[1] == 1
    assert answer.as_numpy("result").tolist() == [b"7", b"Huh..."]
    files = triton.InferInput(second["name"], [1], second["datatype"])
    content = SEVEN if is_binary else B64.encode()
    files.set_data_from_numpy(np.array([content], dtype=object), binary_data=is_binary)
    wanted = [triton.InferRequestedOutput("result", binary_data=is_binary)]
    answer = client.infer("digitre", [files], outputs=wanted)
    assert answer.as_numpy("result").tolist() in ([b"7"], ["7"])
    assert answer.as_numpy("probabilities") is None
    with pytest.raises(InferenceServerException, match="name is one of"):
        client.infer("digitre", [files], outputs=[triton.InferRequestedOutput("logits")])
    client.close()


@pytest.mark.slow
def test_the_examples_of_the_documents(server: str) -> None:
    """The Python examples of docs/api.md run as they are."""
    pytest.importorskip("tritonclient.http")
    blocks = re.findall(r"^```python\n(.*?)^```", (ROOT / "docs/api.md").read_text(), re.M | re.S)
    names = {"address": server, "x_test": np.stack([PIXELS[..., 0]] * 4)}
    for code in blocks:
        if "x_test" in code:
            exec(compile(code, "example", "exec"), names)
    assert [np.argmax(row) for row in names["predictions"]] == [7, 7, 7]
    assert names["result"].tolist() == [b"7"] * 3


@pytest.mark.parametrize("is_binary", [True, False])
def test_the_bodies_of_tritonclient(client, is_binary: bool) -> None:
    """The bodies that tritonclient makes are read, and it reads the answers."""
    triton = pytest.importorskip("tritonclient.http")
    images = triton.InferInput("images", [1, 28, 28, 1], "FP32")
    images.set_data_from_numpy(PIXELS[None], binary_data=is_binary)
    wanted = [triton.InferRequestedOutput(name, is_binary) for name in ("result", "probabilities")]
    body, head = triton.InferenceServerClient.generate_request_body([images], outputs=wanted)
    headers = {HEADER: str(head)} if head is not None else {}
    response = client.post(INFER, data=body, headers=headers)
    length = response.headers.get(HEADER)
    assert (length is not None) is is_binary
    answer = triton.InferenceServerClient.parse_response_body(
        response.data, header_length=length and int(length)
    )
    assert answer.as_numpy("probabilities").argmax() == 7
    assert answer.as_numpy("result").tolist() in ([b"7"], ["7"])
    assert answer.as_numpy("not_a_digit") is None

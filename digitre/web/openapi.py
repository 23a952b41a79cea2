"""The API described for machines: OpenAPI 3.1, made from the code's own tables.

Statuses and error codes come from `errors.KINDS`, limits from the application's settings. Each
example's answer is made by the same code that answers a request.
"""

from __future__ import annotations

import json
import urllib.parse
from typing import Any

from flask import Flask

import digitre
from digitre.recognition import packed
from digitre.recognition.decoding import MAX_OTHER_PIXELS, MAX_PIXELS, MAX_SIDE, NAMES
from digitre.recognition.preprocessing import SIDE, PictureError
from digitre.web import batch_schemas, comparison_schemas, errors, number_schemas, schemas
from digitre.web.bodies import RequestError
from digitre.web.inference import MODEL
from digitre.web.operations import (
    JSON,
    PROTOCOL,
    STATUSES,
    content_of,
    describe_error,
    document,
    failures,
    get,
    in_query,
    post_json,
    reference,
)
from digitre.web.requests import parse_body
from digitre.web.state import features, state_of

# A seven of 28 x 28 pixels in four shades of grey.
SEVEN = (
    "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAABwAAAAcAgMAAAAPYzcHAAAADFBMVEX///+/v79xcXEiIiIo7rPr"
    "AAAAUklEQVR42pXOMQ2AMBQG4aNNWFhQgACCgG4gAKUk9YCUSkBACQw9A33Ll3fTD923XhWA/cuWDQLAqcle2h90uCEC41sA"
    "mGg96qJVZ0166NMx9geBAguLv/BWjAAAAABJRU5ErkJggg=="
)

FORM, HTML, MULTIPART = "application/x-www-form-urlencoded", "text/html", "multipart/form-data"


def _grey_values() -> list[float]:
    """A one of 784 grey values."""
    stroke = range(4, 24), (13, 14)
    return [
        0.9 if y in stroke[0] and x in stroke[1] else 0 for y in range(SIDE) for x in range(SIDE)
    ]


# Requests to read a picture, by name: the content type and the body.
EXAMPLES: dict[str, tuple[str, Any]] = {
    "a drawing, as the page sends it": (JSON, [{"digit": SEVEN}]),
    "a JSON object": (JSON, {"digit": SEVEN}),
    "a data URL": ("text/plain", SEVEN),
    "784 grey values from 0 to 1": (JSON, {"image": _grey_values()}),
    "a field of any name": (JSON, {"imgBase64": SEVEN}),
    "a form": (FORM, {"img": SEVEN}),
    "no picture": (JSON, {"other": 7}),
    "invalid base64": (JSON, {"digit": "data:image/png;base64,@@@"}),
    "not 784 grey values": (JSON, {"image": "0,255,0"}),
    "an SVG": ("text/plain", "data:image/svg+xml,%3Csvg/%3E"),
}


def describe_api(app: Flask) -> dict[str, Any]:
    """The OpenAPI 3.1 description of this application, as a dictionary ready for JSON."""
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Digitre",
            "version": digitre.__version__,
            "summary": "Reads handwritten digits.",
            "description": (
                'POST an image of a digit. The answer is the digit and its probability, or "Huh..." if it '
                f"is not a digit. Send a {NAMES} of at most {MAX_OTHER_PIXELS:,} pixels (a JPEG: "
                f"{MAX_PIXELS:,}) and {MAX_SIDE:,} per side; a body may have "
                f"{app.config['MAX_CONTENT_LENGTH']:,} bytes, unpacked if its Content-Encoding is gzip or "
                "deflate. Digitre detects the form of the body from its content and ignores its "
                "Content-Type."
            ),
            "license": {"name": "MIT", "identifier": "MIT"},
        },
        "paths": _readings(app) | _pages(app) | _inference(),
        "components": {
            "schemas": {
                "Reading": schemas.READING,
                "Number": number_schemas.NUMBER,
                "Error": schemas.ERROR,
                "ProtocolError": schemas.PROTOCOL_ERROR,
            },
            "responses": {
                prefix + str(status): describe_error(status, prefix)
                for prefix in ("", PROTOCOL)
                for status in STATUSES
            },
        },
    }


def _readings(app: Flask) -> dict[str, Any]:
    """What reads a picture, and what saves one."""
    read = _read(app)
    older = {"summary": "The same as POST /_get_digit, for older clients", "operationId": "predict"}
    return {
        "/_get_digit": {"post": read},
        "/predict": {"post": read | older},
        "/_get_digits": {"post": _read_many(read)},
        "/_get_number": {"post": _read_number(read)},
        "/_compare": {"post": _compare(read)},
        **(_saving() if app.config["SAVING"] else {}),
    }


def _pages(app: Flask) -> dict[str, Any]:
    """The pages, what they are made of, and what watches the server."""
    page = document("The page to draw on.", HTML, schemas.TEXT)
    answers = {
        "/metrics": ("Metrics for Prometheus.", "text/plain", schemas.TEXT),
        "/openapi.json": ("This description for machines.", JSON, {"type": "object"}),
        "/manifest.webmanifest": (
            "The page as an app.",
            "application/manifest+json",
            {"type": "object"},
        ),
        "/worker.js": ("The page's service worker.", "text/javascript", schemas.TEXT),
        "/pad": ("The element <digit-pad>, with examples.", HTML, schemas.TEXT),
        "/docs": ("This description for people.", HTML, schemas.TEXT),
    }
    return {
        "/": {"get": page, "post": _read_upload()},
        "/healthz": {"get": _health(app)},
        "/readyz": {"get": _readiness()},
        "/network/{name}": {"get": _network(app)},
        **{path: {"get": document(*answer)} for path, answer in answers.items()},
    }


def _read(app: Flask) -> dict[str, Any]:
    """The operation that reads a picture, with every example and its answer."""
    file = {"schema": schemas.FILE}
    bodies: dict[str, Any] = {
        JSON: {"schema": schemas.PICTURE_IN_JSON},
        "text/plain": {"schema": schemas.PICTURE_OR_GREY_VALUES},
        FORM: {"schema": schemas.object_of({"img": schemas.PICTURE_OR_GREY_VALUES})},
        MULTIPART: {"schema": schemas.UPLOAD},
        **{f"image/{name}": file for name in ("png", "jpeg", "webp", "gif", "bmp", "tiff", "avif")},
    }
    responses = {"200": content_of("The reading.", JSON, reference("schemas", "Reading"))}
    responses |= failures(413, 429, 500, 503)
    for name, (content_type, body) in EXAMPLES.items():
        status, answer = _answer(app, content_type, body)
        if status == 200:
            bodies[content_type].setdefault("examples", {})[name] = {"value": body}
        elif str(status) not in responses:
            codes = ", ".join(f"`{kind.code}`" for kind in errors.KINDS if kind.status == status)
            responses[str(status)] = content_of(
                f"An error with one of these codes: {codes}.", JSON, reference("schemas", "Error")
            )
        request = {"content-type": content_type, "body": body}
        examples = responses[str(status)]["content"][JSON].setdefault("examples", {})
        examples[name] = {"value": answer, "x-request": request}
    return {
        "summary": "Read an image",
        "operationId": "getDigit",
        "parameters": [
            in_query(
                "threshold",
                'The required confidence, from 0 to 1. Below it the answer is "Huh...".',
                schemas.PROBABILITY | {"default": app.config["THRESHOLD"]},
            ),
            in_query("steps", "1 adds a picture of each preprocessing step.", schemas.FLAG),
            in_query(
                "explain", "1 adds a picture of the ink that mattered for the answer.", schemas.FLAG
            ),
        ],
        "requestBody": {"required": True, "content": bodies},
        "responses": dict(sorted(responses.items())),
    }


def _read_number(read: dict[str, Any]) -> dict[str, Any]:
    """The operation that reads a number: it takes what the one that reads a digit takes, and strokes."""
    bodies = {
        kind: {"schema": body["schema"]} for kind, body in read["requestBody"]["content"].items()
    }
    drawing = {"digit": SEVEN, "strokes": [[[5, 8, 0], [20, 8, 90], [12, 23, 180]]]}
    bodies[JSON] = {
        "schema": number_schemas.NUMBER_IN_JSON,
        "examples": {"a drawing with its strokes": {"value": drawing}},
    }
    return {
        "summary": "Read a number: several digits, with their boxes",
        "operationId": "getNumber",
        "parameters": number_schemas.parameters(read["parameters"][0], in_query),
        "requestBody": {"required": True, "content": bodies},
        "responses": {"200": content_of("The number.", JSON, reference("schemas", "Number"))}
        | failures(400, 413, 415, 429, 500, 503),
    }


def _read_many(read: dict[str, Any]) -> dict[str, Any]:
    """The operation that reads many drawings."""
    two = [{"digit": SEVEN}, SEVEN]
    bodies = {
        JSON: {
            "schema": batch_schemas.DRAWINGS_IN_JSON,
            "examples": {"two drawings": {"value": two}},
        },
        MULTIPART: {"schema": batch_schemas.UPLOAD},
    }
    return {
        "summary": "Read up to 256 drawings",
        "operationId": "getDigits",
        "parameters": [read["parameters"][0]],
        "requestBody": {"required": True, "content": bodies},
        "responses": {"200": content_of("The readings.", JSON, batch_schemas.READINGS)}
        | failures(400, 413, 415, 429, 500, 503),
    }


def _compare(read: dict[str, Any]) -> dict[str, Any]:
    """The operation that reads with all networks: it takes what the one that reads a digit takes."""
    return {
        "summary": "Read an image with Digitre's network and with those of the published demos",
        "operationId": "compare",
        "parameters": [read["parameters"][0]],
        "requestBody": read["requestBody"],
        "responses": {"200": content_of("The readings.", JSON, comparison_schemas.COMPARISON)}
        | failures(400, 413, 415, 429, 500, 503),
    }


def _answer(app: Flask, content_type: str, body: Any) -> tuple[int, Any]:
    """The status and the JSON with which this application answers a request."""
    if content_type == JSON:
        body = json.dumps(body)
    elif content_type == FORM:
        body = urllib.parse.urlencode(body)
    try:
        picture = parse_body(body.encode())
        reading = state_of(app).classifier.read_content(picture, app.config["THRESHOLD"])
        return 200, reading.to_dict()
    except (PictureError, RequestError) as error:
        return errors.STATUSES[error.code], {"error": {"code": error.code, "message": str(error)}}


def _read_upload() -> dict[str, Any]:
    wrong = content_of("The page, with a sentence that says what was wrong.", HTML, schemas.TEXT)
    return {
        "summary": "Read an uploaded file, for browsers without JavaScript",
        "operationId": "readUpload",
        "requestBody": {"required": True, "content": {MULTIPART: {"schema": schemas.UPLOAD}}},
        "responses": {
            "200": content_of("The page, with the reading.", HTML, schemas.TEXT),
            "400": wrong,
            "413": wrong,
            "415": wrong,
        }
        | failures(429, 500, 503),
    }


def _health(app: Flask) -> dict[str, Any]:
    operation = document(
        "Health check: the network and the features of this server.", JSON, schemas.HEALTH
    )
    model = state_of(app).classifier.model
    operation["responses"]["200"]["content"][JSON]["examples"] = {
        "alive": {"value": {"status": "ok", "model": model, "features": features(app)}}
    }
    return operation


def _network(app: Flask) -> dict[str, Any]:
    name = packed.file_name(state_of(app).classifier.model)
    parameter = {
        "name": "name",
        "in": "path",
        "required": True,
        "description": f"The served network's file, {name}.",
        "schema": schemas.TEXT | {"examples": [name]},
    }
    operation = document(
        "The served network in eight bits, for pages that read by themselves.",
        "application/octet-stream",
        schemas.FILE,
    )
    operation["responses"] |= failures(404)
    return operation | {"parameters": [parameter]}


def _readiness() -> dict[str, Any]:
    operation = document(
        "Readiness check: whether the network and the database answer.", JSON, schemas.READINESS
    )
    operation["responses"]["503"] = content_of(
        "Something does not work: see the field wrong.", JSON, schemas.READINESS
    )
    return operation


def _saving() -> dict[str, Any]:
    return {
        "/_save_drawing": {
            "post": {
                "summary": "Save a labelled drawing",
                "operationId": "saveDrawing",
                "requestBody": {"required": True, "content": {JSON: {"schema": schemas.DRAWING}}},
                "responses": {
                    "201": content_of("The drawing is saved.", JSON, schemas.SAVED),
                    "200": content_of(
                        "The same writer had already saved this drawing.", JSON, schemas.SAVED
                    ),
                }
                | failures(400, 403, 413, 415, 422, 429, 500, 503, 507),
            }
        },
        "/_save_drawing/{id}": {
            "delete": {
                "summary": "Delete a saved drawing for good",
                "operationId": "deleteDrawing",
                "parameters": [
                    {
                        "name": "id",
                        "in": "path",
                        "required": True,
                        "description": "The id returned when the drawing was saved.",
                        "schema": schemas.TEXT,
                    }
                ],
                "requestBody": {"required": True, "content": {JSON: {"schema": schemas.RECEIPT}}},
                "responses": {"204": {"description": "The drawing is deleted."}}
                | failures(400, 403, 404, 413, 500, 503),
            }
        },
    }


def _inference() -> dict[str, Any]:
    """The protocols of TensorFlow Serving, below /v1, and of Open Inference, below /v2."""
    model = f"/v2/models/{MODEL}"
    return {
        "/v1/models/digitre": {
            "get": get("TensorFlow Serving: the model's status.", schemas.MODEL_STATUS)
        },
        "/v1/models/digitre:predict": {
            "post": post_json(
                "TensorFlow Serving: the ten probabilities of each picture",
                "predictInstances",
                (schemas.PREDICT, {"instances": [{"b64": SEVEN.partition(",")[2]}]}),
                schemas.PREDICTIONS,
            )
        },
        "/v2": {"get": get("Open Inference: the server.", schemas.SERVER_METADATA)},
        "/v2/health/live": {"get": get("Open Inference: the server answers.", schemas.LIVE)},
        "/v2/health/ready": {"get": get("Open Inference: the network answers.", schemas.READY)},
        model: {"get": get("Open Inference: the inputs and outputs.", schemas.MODEL_METADATA)},
        f"{model}/ready": {"get": get("Open Inference: the model answers.", schemas.MODEL_READY)},
        f"{model}/infer": {
            "post": post_json(
                "Open Inference: the outputs for each picture, in JSON or as binary tensors",
                "infer",
                (schemas.INFER, _INFER_EXAMPLE),
                schemas.INFERRED,
            )
        },
    }


_INFER_EXAMPLE = {
    "inputs": [{"name": "files", "datatype": "BYTES", "shape": [1], "data": [SEVEN]}],
    "outputs": [{"name": "result"}],
}

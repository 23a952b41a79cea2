"""The API described for machines: OpenAPI 3.1, made from the code's own tables.

Statuses and error codes come from `errors.KINDS`, settings from the running application, and each
example's answer is the one that the application's network gives.
"""

from __future__ import annotations

from typing import Any

from flask import Flask

import digitre
from digitre.recognition.classifier import Classifier
from digitre.recognition.decoding import MAX_PIXELS, MAX_SIDE
from digitre.recognition.preprocessing import SIDE
from digitre.web import errors
from digitre.web.saving import LARGEST, MAX_STROKES
from digitre.web.state import FEATURES, features, state_of

# A seven of 28 x 28 pixels in four shades of grey.
SEVEN = (
    "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAABwAAAAcAgMAAAAPYzcHAAAADFBMVEX///+/v79xcXEiIiIo7rPr"
    "AAAAUklEQVR42pXOMQ2AMBQG4aNNWFhQgACCgG4gAKUk9YCUSkBACQw9A33Ll3fTD923XhWA/cuWDQLAqcle2h90uCEC41sA"
    "mGg96qJVZ0166NMx9geBAguLv/BWjAAAAABJRU5ErkJggg=="
)

JSON, FORM = "application/json", "application/x-www-form-urlencoded"

# Requests and the status of their answers, by name; `errors.KINDS` has what each code means.
GOOD: dict[str, tuple[str, Any]] = {
    "a drawing, as the page sends it": (JSON, [{"digit": SEVEN}]),
    "an object": (JSON, {"digit": SEVEN}),
    "a data URL": ("text/plain", SEVEN),
    "a form": (FORM, {"img": SEVEN}),
}
BAD: dict[str, tuple[str, Any, str, str]] = {
    "no picture": (
        JSON,
        {"other": 7},
        "no_picture",
        'No picture in the JSON: send [{"digit": "data:image/png;base64,..."}].',
    ),
    "wrong base64": (
        JSON,
        {"digit": "data:image/png;base64,@@@"},
        "bad_base64",
        "The picture is not valid base64: send a data URL or plain base64.",
    ),
    "not 784 values": (
        JSON,
        {"image": "0,255,0"},
        "bad_pixels",
        "Send 784 grey values from 0 to 255, ink bright, 28 rows of 28.",
    ),
    "a GIF": (
        "text/plain",
        "data:image/gif;base64,R0lGODlhAQABAAAAACw=",
        "unsupported_format",
        "Send the picture as PNG, JPEG or WebP.",
    ),
}


def describe_api(app: Flask) -> dict[str, Any]:
    """The OpenAPI 3.1 description of this application, as a dictionary ready for JSON."""
    limit = app.config["MAX_CONTENT_LENGTH"]
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Digitre",
            "version": digitre.__version__,
            "summary": "Reads handwritten digits.",
            "description": (
                "Post a picture of a digit: the answer is the digit and its probability, or "
                f'"Huh...". Pictures are PNG, JPEG or WebP of at most {MAX_PIXELS:,} pixels and '
                f"{MAX_SIDE:,} a side; a body has at most {limit:,} bytes. A body's form is known "
                "by its bytes, whatever its Content-Type says. Every error has one shape."
            ),
            "license": {"name": "MIT", "identifier": "MIT"},
        },
        "paths": {
            "/_get_digit": {"post": _get_digit(state_of(app).classifier)},
            "/predict": {
                "post": _get_digit(state_of(app).classifier)
                | {"summary": "The same, at the address of older clients", "operationId": "predict"}
            },
            "/": {"get": _page(), "post": _upload()},
            "/healthz": {"get": _health(app)},
            "/readyz": {"get": _ready()},
            "/metrics": {"get": _document("Figures for Prometheus.", "text/plain", TEXT)},
            **(_saving() if app.config["SAVING"] else {}),
            "/openapi.json": {"get": _document("This description.", JSON, {"type": "object"})},
            "/docs": {"get": _document("This description, to be read.", "text/html", TEXT)},
        },
        "components": {
            "schemas": {"Reading": _reading_schema(), "Error": _error_schema()},
            "responses": {
                str(status): {
                    "description": " ".join(
                        f"`{kind.code}`: {kind.meaning}"
                        for kind in errors.KINDS
                        if kind.status == status
                    ),
                    "content": {JSON: {"schema": {"$ref": "#/components/schemas/Error"}}},
                }
                for status in sorted(set(errors.STATUSES.values()))
            },
        },
    }


TEXT = {"type": "string"}
PROBABILITY = {"type": "number", "minimum": 0, "maximum": 1}
PICTURE = {
    "type": "string",
    "format": "picture",
    "description": "A PNG, JPEG or WebP as a data URL. Its base64 alone will do as well.",
}
EITHER = {
    "type": "string",
    "format": "picture-or-grey-values",
    "description": (
        f"As above, or {SIDE * SIDE} grey values from 0 to 255 with commas between, ink bright."
    ),
}
FILE = {"type": "string", "format": "picture-file", "contentMediaType": "application/octet-stream"}


def _errors(*statuses: int) -> dict[str, Any]:
    return {str(status): {"$ref": f"#/components/responses/{status}"} for status in statuses}


def _object(properties: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "required": list(properties), **more}


def _without(*names: str) -> dict[str, Any]:
    return {"not": {"anyOf": [{"required": [name]} for name in names]}}


def _get_digit(reader: Classifier) -> dict[str, Any]:
    # The first of them that is there is read, whatever the others hold.
    drawing = {
        "anyOf": [
            _object({"digit": PICTURE}),
            _object({"img": PICTURE}) | _without("digit"),
            _object({"image": EITHER}) | _without("digit", "img"),
        ]
    }
    bodies: dict[str, Any] = {
        JSON: {
            "schema": {
                "anyOf": [
                    drawing,
                    {"type": "array", "items": drawing, "minItems": 1, "maxItems": 1},
                    PICTURE,
                ]
            }
        },
        "text/plain": {"schema": PICTURE},
        FORM: {"schema": _object({"img": PICTURE})},
        "multipart/form-data": {"schema": _object({"image": FILE})},
        "image/png": {"schema": FILE},
        "image/jpeg": {"schema": FILE},
        "image/webp": {"schema": FILE},
    }
    answers: dict[str, Any] = {
        "200": {
            "description": "What the drawing was read as.",
            "content": {JSON: {"schema": {"$ref": "#/components/schemas/Reading"}}},
        }
    } | _errors(413, 429, 500, 503)

    def example(kind: str, name: str, value: Any, status: int, answer: Any) -> None:
        if status == 200:
            bodies[kind].setdefault("examples", {})[name] = {"value": value}
        if status != 200 and "content" not in answers.get(str(status), {}):
            answers[str(status)] = {
                "description": f"See the error's code: {_codes(status)}.",
                "content": {JSON: {"schema": {"$ref": "#/components/schemas/Error"}}},
            }
        content = answers[str(status)]["content"][JSON]
        asked = {"content-type": kind, "body": value}
        content.setdefault("examples", {})[name] = {"value": answer, "x-request": asked}

    reading = reader.read(SEVEN).to_dict()
    for name, (kind, value) in GOOD.items():
        example(kind, name, value, 200, reading)
    for name, (kind, value, code, message) in BAD.items():
        error = {"error": {"code": code, "message": message}}
        example(kind, name, value, errors.STATUSES[code], error)
    flag = {"type": "string", "enum": ["0", "1"], "default": "0"}
    return {
        "summary": "Read a drawing",
        "operationId": "getDigit",
        "parameters": [
            {
                "name": "threshold",
                "in": "query",
                "description": 'The least confidence, from 0 to 1: below it the answer is "Huh...".',
                "schema": PROBABILITY,
            },
            {
                "name": "steps",
                "in": "query",
                "description": "With 1, each step of the preprocessing as a picture.",
                "schema": flag,
            },
            {
                "name": "explain",
                "in": "query",
                "description": "With 1, which ink mattered for the answer, as a picture.",
                "schema": flag,
            },
        ],
        "requestBody": {"required": True, "content": bodies},
        "responses": dict(sorted(answers.items())),
    }


def _codes(status: int) -> str:
    return ", ".join(f"`{kind.code}`" for kind in errors.KINDS if kind.status == status)


def _page() -> dict[str, Any]:
    return _document("The page to draw on.", "text/html", TEXT)


def _upload() -> dict[str, Any]:
    page = {"text/html": {"schema": TEXT}}
    wrong = {"description": "The page, with a sentence that says what was wrong.", "content": page}
    return {
        "summary": "Read an upload, for a browser without JavaScript",
        "operationId": "readUpload",
        "requestBody": {
            "required": True,
            "content": {"multipart/form-data": {"schema": _object({"image": FILE})}},
        },
        "responses": {
            "200": {"description": "The page, with the answer.", "content": page},
            "400": wrong,
            "413": wrong,
            "415": wrong,
        }
        | _errors(429, 500, 503),
    }


def _ready() -> dict[str, Any]:
    schema = {
        "type": "object",
        "required": ["status", "wrong", "model"],
        "properties": {
            "status": {"enum": ["ready", "unavailable"]},
            "wrong": {"type": "object", "additionalProperties": TEXT},
            "model": TEXT,
        },
    }
    operation = _document("Whether network and database answer.", JSON, schema)
    unready = {
        "description": "Something does not: see wrong.",
        "content": {JSON: {"schema": schema}},
    }
    return operation | {"responses": operation["responses"] | {"503": unready}}


def _health(app: Flask) -> dict[str, Any]:
    schema = _object(
        {
            "status": {"const": "ok"},
            "model": {**TEXT, "description": "The network's version."},
            "features": {
                "type": "array",
                "items": {"enum": [*FEATURES, "save"]},
                "uniqueItems": True,
            },
        }
    )
    found = _document("Whether the application is alive, and what it offers.", JSON, schema)
    found["responses"]["200"]["content"][JSON]["examples"] = {
        "alive": {
            "value": {
                "status": "ok",
                "model": state_of(app).classifier.model,
                "features": features(app),
            }
        }
    }
    return found


def _saving() -> dict[str, Any]:
    point = {"type": "array", "items": {"type": "number", "minimum": -LARGEST, "maximum": LARGEST}}
    stroke = {"type": "array", "items": point | {"minItems": 3, "maxItems": 3}, "minItems": 1}
    inked = PICTURE | {"format": "drawing", "description": "As for reading, and not blank."}
    drawing = _object({"digit": inked, "label": {"enum": [*range(10), *"0123456789", "none"]}})
    drawing["properties"] |= {
        "strokes": {
            "anyOf": [
                {"type": "null"},
                {"type": "array", "items": stroke, "minItems": 1, "maxItems": MAX_STROKES},
            ],
            "description": "The pen's lines, as lists of [x, y, milliseconds].",
        },
        "writer": {
            "anyOf": [{"type": "null"}, {"type": "string", "pattern": "^[A-Za-z0-9_-]{1,64}$"}],
            "description": "A random name that the client made up for itself.",
        },
    }
    saved = _object({"id": TEXT, "receipt": TEXT})
    answer = {"content": {JSON: {"schema": saved}}}
    return {
        "/_save_drawing": {
            "post": {
                "summary": "Save a drawing with what it is",
                "operationId": "saveDrawing",
                "requestBody": {"required": True, "content": {JSON: {"schema": drawing}}},
                "responses": {
                    "201": answer | {"description": "It is on the disk."},
                    "200": answer | {"description": "It was saved already, by the same writer."},
                }
                | _errors(400, 403, 413, 415, 422, 429, 500, 503, 507),
            }
        },
        "/_save_drawing/{id}": {
            "delete": {
                "summary": "Remove a saved drawing for good",
                "operationId": "deleteDrawing",
                "parameters": [{"name": "id", "in": "path", "required": True, "schema": TEXT}],
                "requestBody": {
                    "required": True,
                    "content": {JSON: {"schema": _object({"receipt": TEXT})}},
                },
                "responses": {"204": {"description": "It is gone."}}
                | _errors(400, 403, 404, 413, 500, 503),
            }
        },
    }


def _document(summary: str, kind: str, schema: dict[str, Any]) -> dict[str, Any]:
    return {
        "summary": summary,
        "responses": {"200": {"description": summary, "content": {kind: {"schema": schema}}}}
        | _errors(500),
    }


def _reading_schema() -> dict[str, Any]:
    png = {"type": "string", "pattern": "^data:image/png;base64,"}
    digit = {"type": "integer", "minimum": 0, "maximum": 9}
    nothing = {"type": "null"}
    schema = _object(
        {
            "result": {"enum": [*"0123456789", "Huh..."]},
            "probability": {**TEXT, "description": "The confidence in words."},
            "digit": {"anyOf": [digit, nothing]},
            "confidence": {
                **PROBABILITY,
                "description": "Of the most probable digit, refused or not.",
            },
            "probabilities": {
                "type": "array",
                "items": PROBABILITY,
                "minItems": 10,
                "maxItems": 10,
                "description": "Of the digits 0 to 9; with not_a_digit they make 1.",
            },
            "not_a_digit": PROBABILITY,
            "candidates": {
                "type": "array",
                "items": _object({"digit": digit, "probability": PROBABILITY}),
                "maxItems": 3,
                "description": "The most probable digits, the best first; none for a blank.",
            },
            "prediction": {
                "anyOf": [{"enum": list("0123456789")}, nothing],
                "description": "The most probable digit, refused or not.",
            },
            "reason": {
                "enum": ["blank", "not_a_digit", "unsure", None],
                "description": "Why there is no digit.",
            },
            "model": {**TEXT, "description": "The version of the network."},
        }
    )
    schema["properties"]["steps"] = {
        "type": "array",
        "items": _object({"name": TEXT, "image": png}),
        "description": "With steps=1.",
    }
    explanation = _object(
        {
            "of": {"enum": [*"0123456789", "not_a_digit"]},
            "method": {"const": "occlusion"},
            "image": png,
        }
    )
    schema["properties"]["explanation"] = {
        "anyOf": [explanation, nothing],
        "description": "With explain=1.",
    }
    return schema


def _error_schema() -> dict[str, Any]:
    return _object(
        {
            "error": _object(
                {"code": {"enum": [kind.code for kind in errors.KINDS]}, "message": TEXT},
                additionalProperties=False,
            )
        },
        additionalProperties=False,
    )

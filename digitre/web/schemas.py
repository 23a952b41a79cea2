"""The JSON Schemas of the API: the data in its requests and answers."""

from __future__ import annotations

from typing import Any

from digitre.recognition.decoding import NAMES
from digitre.recognition.preprocessing import SIDE
from digitre.web import errors
from digitre.web.inference import DATATYPES, OUTPUTS
from digitre.web.many import MOST
from digitre.web.state import FEATURES
from digitre.web.strokes import LARGEST, MAX_STROKES

Schema = dict[str, Any]


def object_of(properties: dict[str, Schema], **more: Any) -> Schema:
    """An object that has all of these properties."""
    return {"type": "object", "properties": properties, "required": list(properties), **more}


def or_null(schema: Schema) -> Schema:
    return {"anyOf": [schema, {"type": "null"}]}


TEXT = {"type": "string"}
PROBABILITY = {"type": "number", "minimum": 0, "maximum": 1}
DIGIT = {"type": "integer", "minimum": 0, "maximum": 9}
FLAG = {"type": "string", "enum": ["0", "1"], "default": "0"}
PNG = {"type": "string", "pattern": "^data:image/png;base64,"}

# --- what a client sends ---

PICTURE = {
    "type": "string",
    "format": "picture",
    "description": f"A {NAMES} as a data URL, or only its base64.",
}
PICTURE_OR_GREY_VALUES = {
    "type": "string",
    "format": "picture-or-grey-values",
    "description": (
        f"A picture as above, or {SIDE * SIDE} grey values, row by row, parted by commas, blanks or line "
        "ends: from 0 (background) to 255 (ink), or from 0 to 1."
    ),
}
_GREY_VALUE = {"type": "number", "minimum": 0, "maximum": 255}


def _exactly(number: int, items: Schema) -> Schema:
    return {"type": "array", "items": items, "minItems": number, "maxItems": number}


_ROWS = _exactly(SIDE, _exactly(SIDE, _GREY_VALUE))
_ROWS_OF_LISTS = _exactly(SIDE, _exactly(SIDE, _exactly(1, _GREY_VALUE)))
GREY_VALUES: Schema = {
    "description": "Grey values from 0 to 1 or from 0 to 255: 784, or 28 x 28, or 28 x 28 x 1.",
    "anyOf": [_exactly(SIDE * SIDE, _GREY_VALUE), _ROWS, _ROWS_OF_LISTS],
}
_BATCH_OF_ONE = {
    "description": "The same in a list of one: 1 x 28 x 28, or 1 x 28 x 28 x 1.",
    "anyOf": [_exactly(1, each) for each in GREY_VALUES["anyOf"]],
}
_LISTS = [*GREY_VALUES["anyOf"], *_BATCH_OF_ONE["anyOf"]]
FILE = {"type": "string", "format": "picture-file", "contentMediaType": "application/octet-stream"}
UPLOAD = object_of({"image": FILE})

# A schema cannot say "the only field with a picture": these are the names that clients use.
_NAMES = ("digit", "img", "image", "data", "drawing", "file", "imgBase64", "photo")
_PICTURE_OBJECT = {
    "anyOf": [
        *[object_of({name: PICTURE_OR_GREY_VALUES}) for name in _NAMES],
        object_of({"image": {"anyOf": _LISTS}}),
    ]
}
PICTURE_IN_JSON = {
    "description": (
        "An object, a list with one object, or only the picture. If an object has several of digit, img "
        "and image, the first of them with a picture is read; a field of another name is read if it is the "
        "only one with a picture. Grey values may also be fields of the object: pixel0 to pixel783, pixel1 "
        "to pixel784, or the numbers alone."
    ),
    "anyOf": [_PICTURE_OBJECT, _exactly(1, _PICTURE_OBJECT), PICTURE_OR_GREY_VALUES, _LISTS[0]],
}

_COORDINATE = {"type": "number", "minimum": -LARGEST, "maximum": LARGEST}
_POINT = {"type": "array", "items": _COORDINATE, "minItems": 3, "maxItems": 3}
_STROKE = {"type": "array", "items": _POINT, "minItems": 1}
STROKES = {"type": "array", "items": _STROKE, "minItems": 1, "maxItems": MAX_STROKES}
DRAWING = object_of(
    {
        "digit": PICTURE | {"format": "drawing", "description": "A picture that is not blank."},
        "label": {"enum": [*range(10), *"0123456789", "none"]},
    }
)
DRAWING["properties"] |= {
    "strokes": or_null(STROKES)
    | {"description": "The pen's strokes, each a list of [x, y, milliseconds]."},
    "writer": or_null({"type": "string", "pattern": "^[A-Za-z0-9_-]{1,64}$"})
    | {"description": "A random ID that the client made up for itself."},
}
RECEIPT = object_of({"receipt": TEXT})

# --- the protocols of model servers ---

_FILE_OR_GREY_VALUES = {
    "anyOf": [object_of({"b64": PICTURE}, additionalProperties=False), GREY_VALUES]
}
PREDICT = object_of(
    {
        "instances": {
            "type": "array",
            "items": {
                "description": "A picture, or an object with it as its only value.",
                "anyOf": [
                    *_FILE_OR_GREY_VALUES["anyOf"],
                    {
                        "type": "object",
                        "properties": {"b64": False},
                        "additionalProperties": _FILE_OR_GREY_VALUES,
                        "minProperties": 1,
                        "maxProperties": 1,
                    },
                ],
            },
            "minItems": 1,
            "description": f"The pictures: at most {MOST}.",
        }
    }
)
PREDICTIONS = object_of(
    {"predictions": {"type": "array", "items": _exactly(10, PROBABILITY), "minItems": 1}}
)
MODEL_STATUS = object_of(
    {
        "model_version_status": {
            "type": "array",
            "items": object_of(
                {
                    "version": {**TEXT, "pattern": "^[0-9]+$"},
                    "state": {"const": "AVAILABLE"},
                    "status": object_of({"error_code": TEXT, "error_message": TEXT}),
                }
            ),
        }
    }
)
_WHOLE = {"type": "integer"}
_TENSOR: dict[str, Schema] = {
    "name": TEXT,
    "datatype": TEXT,
    "shape": {"type": "array", "items": _WHOLE},
}
_INPUT = object_of(
    {
        "name": {**TEXT, "description": "Any name."},
        "datatype": {"enum": [*DATATYPES, "BYTES"]},
        "shape": {
            "type": "array",
            "items": {**_WHOLE, "minimum": 1},
            "minItems": 1,
            "maxItems": 4,
            "description": "[n, 28, 28, 1], [n, 28, 28] or [n, 784]; for BYTES [n].",
        },
        "data": {
            "type": "array",
            "minItems": 1,
            "description": "n x 784 grey values, flat or nested; for BYTES n pictures as base64.",
        },
    }
)
_INPUT["required"] = ["name", "datatype", "shape"]  # binary data comes after the JSON
INFER = object_of({"inputs": {"type": "array", "items": _INPUT, "minItems": 1, "maxItems": 1}})
INFER["properties"] |= {
    "id": {**TEXT, "description": "Comes back in the answer."},
    "outputs": {
        "type": "array",
        "items": object_of({"name": {"enum": [*OUTPUTS]}}),
        "description": "The outputs to return. All of them if there are none.",
    },
}
INFERRED = object_of(
    {
        "model_name": TEXT,
        "model_version": TEXT,
        "outputs": {"type": "array", "items": object_of(_TENSOR)},
    }
)
INFERRED["properties"]["id"] = TEXT
SERVER_METADATA = object_of(
    {"name": TEXT, "version": TEXT, "extensions": {"type": "array", "items": TEXT}}
)
MODEL_METADATA = object_of(
    {
        "name": TEXT,
        "versions": {"type": "array", "items": TEXT},
        "platform": TEXT,
        "inputs": {"type": "array", "items": object_of(_TENSOR)},
        "outputs": {"type": "array", "items": object_of(_TENSOR)},
    }
)
LIVE = object_of({"live": {"const": True}})
READY = object_of({"ready": {"const": True}})
MODEL_READY = object_of({"name": TEXT, "ready": {"const": True}})

# --- what the server answers ---

READING = object_of(
    {
        "result": {"enum": [*"0123456789", "Huh..."], "description": "The digit, or Huh..."},
        "probability": {**TEXT, "description": "The confidence in words."},
        "digit": or_null(DIGIT) | {"description": "The digit; null if the result is Huh..."},
        "confidence": {
            **PROBABILITY,
            "description": "Probability of the most likely digit, even if rejected.",
        },
        "probabilities": {
            "type": "array",
            "items": PROBABILITY,
            "minItems": 10,
            "maxItems": 10,
            "description": "Probability of each digit from 0 to 9. With not_a_digit they sum to 1.",
        },
        "not_a_digit": {**PROBABILITY, "description": "Probability that this is not a digit."},
        "candidates": {
            "type": "array",
            "items": object_of(
                {
                    "digit": DIGIT | {"description": "The digit."},
                    "probability": PROBABILITY | {"description": "Its probability."},
                }
            ),
            "maxItems": 3,
            "description": "The three most likely digits, best first; empty if blank.",
        },
        "prediction": or_null({"enum": list("0123456789")})
        | {"description": "The most likely digit, even if rejected; null if blank."},
        "reason": {
            "enum": ["blank", "not_a_digit", "unsure", "several", None],
            "description": "Why no digit was returned; null if one was.",
        },
        "model": {**TEXT, "description": "The version of the network."},
    }
)
_STEP = object_of(
    {
        "name": {**TEXT, "description": "The name of the step."},
        "image": {**PNG, "description": "Its result, a PNG data URL."},
    }
)
_LEFT_OUT = object_of(
    {
        "what": {**TEXT, "description": "What it is."},
        "share": {"type": "number", "minimum": 0, "description": "How much of the ink it is."},
    }
)
_EXPLANATION = object_of(
    {
        "of": {"enum": [*"0123456789", "not_a_digit"], "description": "What is explained."},
        "method": {"const": "occlusion", "description": "Ink is removed, and the change measured."},
        "image": {
            **PNG,
            "description": "The ink, coloured by how much it mattered, a PNG data URL.",
        },
    }
)
READING["properties"] |= {
    "steps": {"type": "array", "items": _STEP, "description": "Only with steps=1."},
    "left_out": {
        "type": "array",
        "items": _LEFT_OUT,
        "description": "Only with steps=1: the ink around the digit that was not read.",
    },
    "explanation": or_null(_EXPLANATION) | {"description": "Only with explain=1."},
}
_CODE = {"enum": [kind.code for kind in errors.KINDS]}
ERROR = object_of(
    {"error": object_of({"code": _CODE, "message": TEXT}, additionalProperties=False)},
    additionalProperties=False,
)
PROTOCOL_ERROR = object_of(
    {
        "error": {**TEXT, "description": "A sentence that says what to send instead."},
        "code": _CODE | {"description": "The code, for programs."},
    },
    additionalProperties=False,
)
HEALTH = object_of(
    {
        "status": {"const": "ok"},
        "model": {**TEXT, "description": "The version of the network."},
        "features": {
            "type": "array",
            "items": {"enum": [*FEATURES, "save"]},
            "uniqueItems": True,
        },
    }
)
READINESS = object_of(
    {
        "status": {"enum": ["ready", "unavailable"]},
        "wrong": {"type": "object", "additionalProperties": TEXT},
        "model": TEXT,
    }
)
SAVED = object_of({"id": TEXT, "receipt": TEXT})

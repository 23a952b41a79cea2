"""`POST /_get_number` in the API's description: what it takes, and what it answers."""

from __future__ import annotations

from typing import Any

from digitre.recognition.number_reading import MOST_DIGITS
from digitre.web import schemas
from digitre.web.schemas import TEXT, Schema, object_of, or_null

_STROKES = schemas.STROKES | {
    "description": "The pen's strokes, each a list of [x, y, milliseconds], in pixels of the picture. They tell digits "
    "apart that touch."
}
_DRAWING = object_of({"digit": schemas.PICTURE})
_DRAWING["properties"]["strokes"] = or_null(_STROKES)
NUMBER_IN_JSON: Schema = {
    "description": "As for one digit; an object may have strokes as well.",
    "anyOf": [_DRAWING, schemas.PICTURE_IN_JSON],
}
LENGTH = {"type": "integer", "minimum": 1, "maximum": MOST_DIGITS}
_PIXELS = {"type": "integer"}
_DIGIT: Schema = schemas.READING | {
    "properties": {
        name: value
        for name, value in schemas.READING["properties"].items()
        if name in schemas.READING["required"]
    }
    | {
        "box": {
            "type": "array",
            "items": _PIXELS,
            "minItems": 4,
            "maxItems": 4,
            "description": "Left, top, right and bottom, in pixels of the picture.",
        },
        "line": {"type": "integer", "minimum": 0, "description": "Its line, counted from 0."},
        "strokes": {
            "type": "array",
            "items": {"type": "integer", "minimum": 0},
            "description": "The strokes that drew it, counted from 0; empty if none were sent.",
        },
    },
    "required": [*schemas.READING["required"], "box", "line", "strokes"],
}
NUMBER = object_of(
    {
        "result": {**TEXT, "description": "The number as text, or Huh..."},
        "probability": {**TEXT, "description": "The confidence in words."},
        "text": {
            **TEXT,
            "description": "The most likely text, even if rejected; empty if blank. Lines end with a line break.",
        },
        "number": or_null({"type": "number"})
        | {"description": "Its value; null if the result is Huh..., or if it has none."},
        "confidence": {**schemas.PROBABILITY, "description": "Probability of the whole text."},
        "digits": {
            "type": "array",
            "items": _DIGIT,
            "description": "Its digits, each with the fields of a single digit, and its box, line and strokes.",
        },
        "lines": {"type": "array", "items": TEXT, "description": "The text of each line."},
        "alternatives": {
            "type": "array",
            "items": object_of(
                {
                    "text": {**TEXT, "description": "The text."},
                    "probability": schemas.PROBABILITY | {"description": "Its probability."},
                }
            ),
            "maxItems": 3,
            "description": "The next most likely texts, best first.",
        },
        "reason": {
            "enum": ["blank", "not_a_number", "unsure", "too_complex", None],
            "description": "Why no number was returned; null if one was.",
        },
        "model": {**TEXT, "description": "The version of the network."},
    }
)


def parameters(threshold: dict[str, Any], in_query: Any) -> list[dict[str, Any]]:
    """The parameters of the query.

    Args:
        threshold: the one that reading a digit has as well.
        in_query: makes one from its name, description and schema.
    """
    return [
        threshold,
        in_query("length", "How many digits the number has, if you know it.", LENGTH),
        in_query("signs", "1 if it may have a minus, a point, a comma or a slash.", schemas.FLAG),
        in_query("lines", "1 if it may have several lines.", schemas.FLAG),
    ]

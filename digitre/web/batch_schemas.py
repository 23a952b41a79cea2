"""`POST /_get_digits` in the API's description: what it takes, and what it answers."""

from __future__ import annotations

from digitre.web import schemas
from digitre.web.many import MOST
from digitre.web.schemas import Schema, object_of

# What is not a picture gets an error in its place, so a list may hold anything.
_DRAWING: Schema = {
    "description": "A picture as for POST /_get_digit: a text, or an object with digit or image.",
    "examples": ["data:image/png;base64,...", {"digit": "data:image/png;base64,..."}],
}
_LIST: Schema = {
    "type": "array",
    "items": _DRAWING,
    "minItems": 1,
    "maxItems": MOST,
    "description": "The drawings, each a text, or an object with digit or image.",
}
DRAWINGS_IN_JSON: Schema = {
    "description": "A list of drawings, or an object with the list in its field drawings.",
    "anyOf": [_LIST, object_of({"drawings": _LIST})],
}
UPLOAD = object_of(
    {"image": {"type": "array", "items": schemas.FILE, "minItems": 1, "maxItems": MOST}}
)
READINGS = object_of(
    {
        "readings": {
            "type": "array",
            "items": {
                "anyOf": [
                    {"$ref": "#/components/schemas/Reading"},
                    {"$ref": "#/components/schemas/Error"},
                ]
            },
            "minItems": 1,
            "maxItems": MOST,
            "description": "For each drawing, in order: its reading, or an object with its error.",
        }
    }
)

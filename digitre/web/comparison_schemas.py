"""`POST /_compare` in the API's description: what it answers. It takes what reading a digit takes."""

from __future__ import annotations

from digitre.recognition.baselines import DEMOS
from digitre.web import schemas
from digitre.web.comparison import FIELDS, OWN
from digitre.web.schemas import object_of

_READING = object_of(
    {
        "network": {"enum": [OWN, *DEMOS], "description": "Whose reading it is."},
        **{name: schemas.READING["properties"][name] for name in FIELDS},
    }
)
COMPARISON = object_of(
    {
        "readings": {
            "type": "array",
            "items": _READING,
            "minItems": 1,
            "maxItems": 1 + len(DEMOS),
            "description": "What each network reads: Digitre's own first, then the demos' that are installed.",
        }
    }
)

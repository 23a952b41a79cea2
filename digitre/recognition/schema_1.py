"""Cards of schema 1, which the versions before wrote, and what command lines still print in its words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

# The parts of a published demo's card, which lay next to the others.
BASELINE = (
    "network", "published", "note", "seed", "epochs", "share", "seconds", "before", "after", "confusion"
)  # fmt: skip


def to_schema_2(content: Mapping[str, Any]) -> dict[str, Any]:
    """Schema 1 to schema 2: figures by title become rows, and some parts have new names."""
    figures = [
        {
            "set": SETS.get(title, title),
            "metric": METRICS.get(name, name),
            "value": value,
        }
        for title, row in content.get("figures", {}).items()
        for name, value in row.items()
    ]
    converted = {**content, "figures": figures}
    if "published" in content:
        return converted | {"baseline": {name: content[name] for name in BASELINE}}
    if drawings := content.get("drawings"):
        converted["drawings"] = {
            "learned": drawings["learned"],
            "held_out": drawings.get("kept", 0),
            "manifest": drawings.get("manifest", {}),
        }
    return converted | {"ancestors": content.get("before", [])}


# The titles of schema 1, which `train.py --evaluate --json` prints as well, and today's ids. The id
# of a test set ends with `_test`.
SETS = {
    "MNIST test, pixels as they are": "mnist_test_pixels",
    "MNIST test, preprocessed": "mnist_test",
    "drawn by test writers, central": "drawn_test",
    "drawn by test writers, anywhere": "anywhere_test",
    "drawn by test writers, pen 3": "pen_3_test",
    "drawn by test writers, pen 25": "pen_25_test",
    "drawn by test writers, paper": "paper_test",
    "UNIPEN digits of test sites": "unipen_test",
    "scikit-learn's load_digits": "sklearn_digits",
    "no digit: letters and signs of test sites": "others_test",
    "no digit: symbols of test classes": "symbols_test",
    "no digit: scribbles and shapes": "invented_test",
    "no digit: two of test writers' side by side": "pairs_test",
    "steady: moved into each corner": "robustness_position",
    "steady: 25 to 90 % of the canvas": "robustness_size",
    "steady: turned by up to 10 degrees": "robustness_rotation",
    "steady: pen of 3 to 30": "robustness_pen",
    "steady: colours, transparency, formats": "robustness_format",
    "LiteRT and Keras on MNIST test": "litert_and_keras",
    "time of a picture over the 2017 network's": "time_against_2017",
    "your pictures, a tenth held back": "own_pictures",
    "MNIST test": "mnist_test_own",
    "drawn, today's preprocessing": "drawn_today",
    "letters, today's preprocessing": "others_today",
    "drawn, its own preprocessing": "drawn_own",
    "letters, its own preprocessing": "others_own",
}
METRICS = {
    "pictures": "count",
    "right": "accuracy",
    "refused": "refused",
    "calibration_error": "calibration_error",
    "same": "agreement",
    "difference": "max_difference",
    "ratio": "time_ratio",
    "megabytes": "megabytes",
}


def title_of(set_id: str) -> str:
    """The title of a set in schema 1."""
    return next((title for title, each in SETS.items() if each == set_id), set_id)


def name_of(metric: str) -> str:
    """The name of a metric in schema 1."""
    return next((name for name, each in METRICS.items() if each == metric), metric)

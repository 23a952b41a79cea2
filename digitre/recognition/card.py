"""The card of a network: how it was trained and what it reaches. A JSON file next to the network.

A card without a `schema` number is of schema 1: it has a table of figures by title, in other words
than today's. It is read like any other; what is written is always schema 2.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field, fields
from os import PathLike
from pathlib import Path
from typing import Any, NamedTuple

SCHEMA = 2


class Figure(NamedTuple):
    """One measured number.

    Attributes:
        set: the id of the set of pictures, as in `digitre.training.evaluation.sets`.
        metric: `count` of the pictures; `accuracy`, `refused`, `calibration_error` and `agreement`
            in per cent; `max_difference` of two probabilities; `time_ratio`; `megabytes`.
        value: the number.
    """

    set: str
    metric: str
    value: float


@dataclass(frozen=True)
class Figures:
    """Everything that was measured of a network, in the order of the report."""

    rows: tuple[Figure, ...] = ()

    def __iter__(self) -> Iterator[Figure]:
        return iter(self.rows)

    def __len__(self) -> int:
        return len(self.rows)

    def value(self, set_id: str, metric: str) -> float | None:
        """One number, or None if it was not measured."""
        return self.of(set_id).get(metric)

    def of(self, set_id: str) -> dict[str, float]:
        """The numbers of one set by metric; empty if nothing was measured on it."""
        return {row.metric: row.value for row in self.rows if row.set == set_id}

    def sets(self) -> list[str]:
        """The ids of the sets that were measured."""
        return list(dict.fromkeys(row.set for row in self.rows))

    def to_schema_1(self) -> dict[str, dict[str, float]]:
        """The figures by title and name as schema 1 has them, which command lines print."""
        return {
            schema_1_title(set_id): {
                schema_1_name(metric): value for metric, value in self.of(set_id).items()
            }
            for set_id in self.sets()
        }


@dataclass(frozen=True)
class Layer:
    """A layer of the network.

    Attributes:
        layer: its kind, the name of the Keras class, such as "Conv2D".
        output: the shape of what it gives, without the batch.
        parameters: how many numbers it learned.
    """

    layer: str
    output: tuple[int, ...]
    parameters: int


@dataclass(frozen=True)
class Ancestor:
    """A network whose weights a training started from."""

    model: str
    made: str
    command: str
    settings: dict[str, Any]


@dataclass(frozen=True)
class Gate:
    """A condition for promoting a network: the figure before and after, and whether it is met."""

    name: str
    before: float
    after: float
    passed: bool


@dataclass(frozen=True)
class Verdict:
    """Whether a retrained network passed all its gates, against the network that was served."""

    passed: bool
    gates: tuple[Gate, ...] = ()
    against: str = ""


@dataclass(frozen=True)
class LearnedDrawings:
    """The saved drawings that a training used.

    Attributes:
        learned: how many were learned.
        held_out: how many were held out for evaluation.
        manifest: the ids of the learned drawings, by writer.
    """

    learned: int
    held_out: int = 0
    manifest: dict[str, list[str]] = field(default_factory=dict)


@dataclass(frozen=True)
class Baseline:
    """How a published demo's network was trained.

    Attributes:
        published: the accuracy on MNIST's test set that its author states, in per cent.
        note: how the recipe differs from the original; empty if it does not.
        seconds: how long the training took.
        before, after: `loss` and `accuracy` on MNIST's test set, untrained and trained.
        confusion: (10, 10) counts on MNIST's test set, a row per label.
    """

    network: str
    published: str
    note: str
    seed: int
    epochs: int
    share: float
    seconds: float
    before: dict[str, float]
    after: dict[str, float]
    confusion: list[list[int]]


@dataclass(frozen=True)
class Card:
    """How a network was trained and what it reaches.

    Attributes:
        model: the network's version, as `Classifier.model` gives it.
        made: when it was trained (ISO 8601).
        command: the command line that trained it.
        settings: what the training was called with: `digitre.training.fit.Settings`.
        calibration: `temperature` and `no_digit_offset` of the last layer.
        data: the SHA-256 of each file, and the split in words.
        versions: of Python and the libraries.
        history: loss, accuracy and more after each epoch, those of its ancestors first.
        ancestors: the networks that it was trained from, oldest first.
        pictures: names of the files in the folder `report`.
        drawings, verdict: only of a network that learned saved drawings.
        baseline: only of a published demo's network.
    """

    model: str
    made: str | None = None
    command: str | None = None
    settings: dict[str, Any] = field(default_factory=dict)
    layers: tuple[Layer, ...] = ()
    calibration: dict[str, float] = field(default_factory=dict)
    data: dict[str, Any] = field(default_factory=dict)
    versions: dict[str, str] = field(default_factory=dict)
    history: tuple[dict[str, float], ...] = ()
    ancestors: tuple[Ancestor, ...] = ()
    figures: Figures = field(default_factory=Figures)
    pictures: tuple[str, ...] = ()
    drawings: LearnedDrawings | None = None
    verdict: Verdict | None = None
    baseline: Baseline | None = None

    @property
    def parameters(self) -> int:
        """How many numbers the network learned."""
        return sum(layer.parameters for layer in self.layers)

    def as_ancestor(self) -> Ancestor:
        """What the card of a network that is trained further says about this one."""
        return Ancestor(self.model, self.made or "", self.command or "", self.settings)

    @classmethod
    def load(cls, path: str | PathLike[str]) -> Card | None:
        """Read a card of schema 1 or 2; None if the file is missing, damaged or something else."""
        try:
            return cls.from_dict(json.loads(Path(path).read_text("utf-8")))
        except (OSError, ValueError, RecursionError):
            return None

    @classmethod
    def from_dict(cls, content: Any) -> Card:
        """A card from parsed JSON. Raises ValueError if it is not one."""
        try:
            schema = content.get("schema", 1)
            if schema not in (1, SCHEMA):
                raise ValueError(f"a card of schema {schema} is not known here")
            return _parse(_from_schema_1(content) if schema == 1 else content)
        except (AttributeError, KeyError, TypeError) as error:
            raise ValueError(f"not the card of a network: {error}") from None

    def to_dict(self) -> dict[str, Any]:
        """The card as JSON of schema 2; parts that are empty are left out."""
        parts = asdict(self) | {"figures": [row._asdict() for row in self.figures]}
        return {"schema": SCHEMA} | {name: part for name, part in parts.items() if part}


def _parse(content: Mapping[str, Any]) -> Card:
    """A card from JSON of schema 2. A wrong type raises, so that code that uses a card need not check."""
    drawings, verdict = content.get("drawings"), content.get("verdict")
    baseline = content.get("baseline")
    if verdict is not None:
        gates = tuple(Gate(**gate) for gate in verdict.get("gates", []))
        verdict = Verdict(bool(verdict["passed"]), gates, verdict.get("against", ""))
    return Card(
        model=_text(content["model"]),
        made=_optional_text(content.get("made")),
        command=_optional_text(content.get("command")),
        settings=dict(content.get("settings", {})),
        layers=tuple(
            Layer(
                _text(row["layer"]),
                tuple(_number(each) for each in row["output"]),
                _number(row["parameters"]),
            )
            for row in content.get("layers", [])
        ),
        calibration=_numbers(content.get("calibration", {})),
        data=dict(content.get("data", {})),
        versions=dict(content.get("versions", {})),
        history=tuple(_numbers(row) for row in content.get("history", [])),
        ancestors=tuple(Ancestor(**row) for row in content.get("ancestors", [])),
        figures=Figures(
            tuple(
                Figure(_text(row["set"]), _text(row["metric"]), _number(row["value"]))
                for row in content.get("figures", [])
            )
        ),
        pictures=tuple(_text(name) for name in content.get("pictures", [])),
        drawings=LearnedDrawings(**drawings) if drawings is not None else None,
        verdict=verdict,
        baseline=Baseline(**baseline) if baseline is not None else None,
    )


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{value!r} is not text")
    return value


def _optional_text(value: Any) -> str | None:
    return None if value is None else _text(value)


def _number(value: Any) -> Any:
    if not isinstance(value, int | float) or isinstance(value, bool):
        raise TypeError(f"{value!r} is not a number")
    return value


def _numbers(values: Mapping[str, Any]) -> dict[str, float]:
    return {name: _number(value) for name, value in values.items()}


def _from_schema_1(content: Mapping[str, Any]) -> dict[str, Any]:
    """Schema 1 to schema 2: figures by title become rows, and some parts have new names."""
    figures = [
        {
            "set": SCHEMA_1_SETS.get(title, title),
            "metric": SCHEMA_1_METRICS.get(name, name),
            "value": value,
        }
        for title, row in content.get("figures", {}).items()
        for name, value in row.items()
    ]
    converted = {**content, "figures": figures}
    if "published" in content:
        names = [part.name for part in fields(Baseline)]
        return converted | {"baseline": {name: content[name] for name in names}}
    if drawings := content.get("drawings"):
        converted["drawings"] = {
            "learned": drawings["learned"],
            "held_out": drawings.get("kept", 0),
            "manifest": drawings.get("manifest", {}),
        }
    return converted | {"ancestors": content.get("before", [])}


# The titles of schema 1, which `train.py --evaluate --json` prints as well, and today's ids. The id
# of a test set ends with `_test`.
SCHEMA_1_SETS = {
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
SCHEMA_1_METRICS = {
    "pictures": "count",
    "right": "accuracy",
    "refused": "refused",
    "calibration_error": "calibration_error",
    "same": "agreement",
    "difference": "max_difference",
    "ratio": "time_ratio",
    "megabytes": "megabytes",
}


def schema_1_title(set_id: str) -> str:
    """The title of a set in schema 1."""
    return next((title for title, each in SCHEMA_1_SETS.items() if each == set_id), set_id)


def schema_1_name(metric: str) -> str:
    """The name of a metric in schema 1."""
    return next((name for name, each in SCHEMA_1_METRICS.items() if each == metric), metric)

"""The card of a network: how it was trained and what it reaches. A JSON file next to the network.

A card without a `schema` number is of schema 1: it has a table of figures by title, in other words
than today's. It is read like any other; what is written is always schema 2.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from os import PathLike
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

from digitre.recognition import schema_1

T = TypeVar("T")

SCHEMA = 2
LARGEST = 8 * 1024 * 1024  # bytes: more than a list of all the drawings that a server stores


class Figure(NamedTuple):
    """One measured number.

    Attributes:
        set: the id of the set of pictures, as in `digitre.training.evaluation.sets`.
        metric: `count` of the pictures; `accuracy`, `refused`, `calibration_error` and `agreement`
            in per cent; `max_difference` of two probabilities; `sets_apart`;
            `calibration_change` in points; `time_ratio`; `megabytes`.
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
            schema_1.title_of(set_id): {
                schema_1.name_of(metric): value for metric, value in self.of(set_id).items()
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
        weights: in what form the LiteRT file has the weights, in words; "" if the card doesn't say.
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
    weights: str = ""
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
        """Read a card of schema 1 or 2; None if the file is missing, too large, damaged or something else."""
        try:
            with Path(path).open("rb") as file:
                content = file.read(LARGEST + 1)
            if len(content) > LARGEST:
                return None
            return cls.from_dict(json.loads(content.decode("utf-8")))
        except (OSError, ValueError, RecursionError):
            return None

    @classmethod
    def from_dict(cls, content: Any) -> Card:
        """A card from parsed JSON. Raises ValueError if it is not one."""
        try:
            schema = content.get("schema", 1)
            if schema not in (1, SCHEMA):
                raise ValueError(f"a card of schema {schema} is not known here")
            return _parse(schema_1.to_schema_2(content) if schema == 1 else content)
        except (ArithmeticError, AttributeError, LookupError, RecursionError, TypeError) as error:
            raise ValueError(f"not the card of a network: {error}") from None

    def to_dict(self) -> dict[str, Any]:
        """The card as JSON of schema 2; parts that are empty are left out."""
        parts = asdict(self) | {"figures": [row._asdict() for row in self.figures]}
        return {"schema": SCHEMA} | {name: part for name, part in parts.items() if part}


def _parse(content: Mapping[str, Any]) -> Card:
    """A card from JSON of schema 2. A wrong type raises, so that code that uses a card need not check."""
    return Card(
        model=_text(content["model"]),
        made=_optional(_text, content.get("made")),
        command=_optional(_text, content.get("command")),
        settings=_mapping(content.get("settings", {})),
        layers=_rows(_layer, content.get("layers", [])),
        weights=_text(content.get("weights", "")),
        calibration=_numbers(content.get("calibration", {})),
        data=_mapping(content.get("data", {})),
        versions=_mapping(content.get("versions", {})),
        history=_rows(_epoch, content.get("history", [])),
        ancestors=_rows(_ancestor, content.get("ancestors", [])),
        figures=Figures(_rows(_figure, content.get("figures", []))),
        pictures=_rows(_text, content.get("pictures", [])),
        drawings=_optional(_learned, content.get("drawings")),
        verdict=_optional(_verdict, content.get("verdict")),
        baseline=_optional(_baseline, content.get("baseline")),
    )


def _layer(row: Mapping[str, Any]) -> Layer:
    return Layer(_text(row["layer"]), _rows(_number, row["output"]), _number(row["parameters"]))


def _figure(row: Mapping[str, Any]) -> Figure:
    return Figure(_text(row["set"]), _text(row["metric"]), _number(row["value"]))


def _epoch(row: Mapping[str, Any]) -> dict[str, float]:
    return {name: _any_number(value) for name, value in row.items()}  # a loss can be NaN


def _ancestor(row: Mapping[str, Any]) -> Ancestor:
    model, made, command = (_text(row[name]) for name in ("model", "made", "command"))
    return Ancestor(model, made, command, _mapping(row["settings"]))


def _gate(row: Mapping[str, Any]) -> Gate:
    before, after = _any_number(row["before"]), _any_number(row["after"])
    return Gate(_text(row["name"]), before, after, bool(row["passed"]))


def _verdict(part: Mapping[str, Any]) -> Verdict:
    against = _text(part.get("against", ""))
    return Verdict(bool(part["passed"]), _rows(_gate, part.get("gates", [])), against)


def _learned(part: Mapping[str, Any]) -> LearnedDrawings:
    manifest = _mapping(part.get("manifest", {})).items()
    ids = {writer: list(_rows(_text, value)) for writer, value in manifest}
    return LearnedDrawings(_number(part["learned"]), _number(part.get("held_out", 0)), ids)


def _baseline(part: Mapping[str, Any]) -> Baseline:
    return Baseline(
        network=_text(part["network"]),
        published=_text(part["published"]),
        note=_text(part["note"]),
        seed=_number(part["seed"]),
        epochs=_number(part["epochs"]),
        share=_number(part["share"]),
        seconds=_number(part["seconds"]),
        before=_numbers(part["before"]),
        after=_numbers(part["after"]),
        confusion=[list(_rows(_number, row)) for row in _rows(list, part["confusion"])],
    )


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{type(value).__name__} is not text")
    value.encode()  # raises for half of a character, which a page could not show
    return value


def _any_number(value: Any) -> Any:
    if not isinstance(value, int | float) or isinstance(value, bool):
        raise TypeError(f"{type(value).__name__} is not a number")
    float(value)  # raises for a number of 400 digits
    return value


def _number(value: Any) -> Any:
    if not math.isfinite(_any_number(value)):
        raise ValueError(f"{value} is not a number")
    return value


def _numbers(values: Mapping[str, Any]) -> dict[str, float]:
    return {name: _number(value) for name, value in values.items()}


def _mapping(value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise TypeError(f"{type(value).__name__} is not a table")
    return value


def _rows(parse: Callable[[Any], T], value: Any) -> tuple[T, ...]:
    if not isinstance(value, list | tuple):
        raise TypeError(f"{type(value).__name__} is not a list")
    return tuple(map(parse, value))


def _optional(parse: Callable[[Any], T], value: Any) -> T | None:
    return None if value is None else parse(value)

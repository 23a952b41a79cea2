"""JSON Schemas as rows of a table, for /docs."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

Schema = dict[str, Any]


class Field(NamedTuple):
    """A field of a request or an answer: `candidates[].digit`, its type and meaning in words."""

    name: str
    type: str
    meaning: str


def fields(schema: Schema, prefix: str = "") -> Iterator[Field]:
    """Every field of an object, those of its lists and objects too."""
    for name, value in schema.get("properties", {}).items():
        path = prefix + name
        yield Field(path, type_of(value), value.get("description", ""))
        for each in value.get("anyOf", [value]):
            if each.get("type") == "array":
                yield from fields(each.get("items", {}), f"{path}[].")
            else:
                yield from fields(each, f"{path}.")


def type_of(schema: Schema) -> str:
    """The type of a value: "integer from 0 to 9", "list of strings", "string or null"."""
    if "anyOf" in schema:
        return " or ".join(dict.fromkeys(type_of(each) for each in schema["anyOf"]))
    if "const" in schema:
        return _value(schema["const"])
    if "enum" in schema:
        return _choices(schema["enum"])
    kind = schema.get("type", "any")
    if kind == "array":
        of = _PLURALS.get(type_of(schema.get("items", {})).split(" ")[0], "values")
        number = f"{schema['minItems']} " if schema.get("minItems", 0) > 1 else ""
        return f"list of {number}{of}"
    if "minimum" in schema and "maximum" in schema:
        return f"{kind} from {schema['minimum']:g} to {schema['maximum']:g}"
    return kind


_PLURALS = {
    "object": "objects",
    "list": "lists",
    "number": "numbers",
    "integer": "integers",
    "string": "strings",
}


def _choices(values: list[Any]) -> str:
    """A choice in words; ten digits in a row become a range."""
    words = ", ".join(map(_value, values))
    for digits in (list("0123456789"), list(range(10))):
        words = words.replace(
            ", ".join(map(_value, digits)), f"{_value(digits[0])} to {_value(digits[-1])}"
        )
    head, comma, tail = words.rpartition(", ")
    return f"{head} or {tail}" if comma else words


def _value(value: Any) -> str:
    return "null" if value is None else f'"{value}"' if isinstance(value, str) else str(value)

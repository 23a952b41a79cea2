"""The parts that operations in the API's description are made of: responses, errors, parameters (OpenAPI 3.1)."""

from __future__ import annotations

from typing import Any

from digitre.web import errors, schemas

JSON = "application/json"
PROTOCOL = "Protocol"  # begins the names of the protocols' responses and schema for errors
STATUSES = sorted(set(errors.STATUSES.values()))


def describe_error(status: int, prefix: str) -> dict[str, Any]:
    """The response with this status: what each of its codes means."""
    meanings = [f"`{kind.code}`: {kind.meaning}" for kind in errors.KINDS if kind.status == status]
    return content_of(" ".join(meanings), JSON, reference("schemas", f"{prefix}Error"))


def failures(*statuses: int, prefix: str = "") -> dict[str, Any]:
    """References to the errors with these statuses; `prefix` is PROTOCOL for those of a protocol."""
    return {str(status): reference("responses", f"{prefix}{status}") for status in statuses}


def document(
    summary: str, content_type: str, schema: schemas.Schema, prefix: str = ""
) -> dict[str, Any]:
    """A GET that always answers 200."""
    return {
        "summary": summary,
        "responses": {"200": content_of(summary, content_type, schema)}
        | failures(500, prefix=prefix),
    }


def content_of(description: str, content_type: str, schema: schemas.Schema) -> dict[str, Any]:
    """A response with a body of one type."""
    return {"description": description, "content": {content_type: {"schema": schema}}}


def reference(section: str, name: str) -> dict[str, str]:
    """A reference to one of the description's components."""
    return {"$ref": f"#/components/{section}/{name}"}


def in_query(name: str, description: str, schema: schemas.Schema) -> dict[str, Any]:
    """A parameter in the query."""
    return {"name": name, "in": "query", "description": description, "schema": schema}


def get(summary: str, schema: schemas.Schema) -> dict[str, Any]:
    """A GET of a protocol that always answers 200 with JSON."""
    return document(summary, JSON, schema, PROTOCOL)


def post_json(
    summary: str, operation: str, body: tuple[schemas.Schema, Any], answer: schemas.Schema
) -> dict[str, Any]:
    """A POST of JSON: the schema of its body with an example, and the schema of its answer."""
    schema, example = body
    content = {"schema": schema, "examples": {"one picture": {"value": example}}}
    return {
        "summary": summary,
        "operationId": operation,
        "requestBody": {"required": True, "content": {JSON: content}},
        "responses": {"200": content_of("The answer.", JSON, answer)}
        | failures(400, 413, 415, 500, prefix=PROTOCOL)
        | failures(429, 503),  # from nginx
    }

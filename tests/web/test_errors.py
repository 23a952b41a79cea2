"""The one table of error codes, which the code, the documents and the tests share."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

import pytest
from conftest import ROOT

from digitre import create_app
from digitre.serving import worker
from digitre.web import errors

MODULES = [
    ast.parse(file.read_text())
    for wing in ("web", "recognition", "serving")
    for file in (ROOT / "digitre" / wing).rglob("*.py")
]


def arguments(function: ast.stmt) -> list[str]:
    return (
        [each.arg for each in function.args.args] if isinstance(function, ast.FunctionDef) else []
    )


def with_code() -> Iterator[str]:
    """The name of every function and exception whose first argument is an error code."""
    for node in [node for module in MODULES for node in ast.walk(module)]:
        if isinstance(node, ast.FunctionDef) and arguments(node)[:1] == ["code"]:
            yield node.name
        if isinstance(node, ast.ClassDef) and any(
            arguments(method)[:2] == ["self", "code"] for method in node.body
        ):
            yield node.name


def codes() -> Iterator[str]:
    """Every code that the application and nginx can answer with."""
    names = set(with_code())
    assert {"error_response", "RequestError", "PictureError"} <= names
    for module in MODULES:
        for node in ast.walk(module):
            function = ast.unparse(node.func) if isinstance(node, ast.Call) else ""
            if isinstance(node, ast.Call) and function.split(".")[-1] in names:
                code = node.args[0]
                if isinstance(code, ast.Constant):
                    yield code.value
                else:  # passed on from a caller, which is checked as well
                    assert ast.unparse(code) in ("code", "error.code"), ast.unparse(node)
    for code, _ in (*errors.HTTP_ERRORS.values(), *worker.REFUSALS.values(), worker.FAULT):
        yield code
    for file in (ROOT / "deploy").glob("*.conf"):
        yield from re.findall(r'"code":"(\w+)"', file.read_text())


def test_every_code_is_in_the_table() -> None:
    """The application and nginx answer only with codes of the table, and use each of them."""
    assert set(codes()) == set(errors.STATUSES)
    assert len(errors.KINDS) == len(errors.STATUSES), "a code is there twice"


def test_every_http_error_has_its_status() -> None:
    """The code for an HTTP error has that error's status."""
    for status, (code, _) in errors.HTTP_ERRORS.items():
        assert errors.STATUSES[code] == status


def test_an_unknown_code_is_refused() -> None:
    """Code that answers with a code outside the table fails at once."""
    with create_app().test_request_context(), pytest.raises(KeyError):
        errors.error_response("made_up", "Not in the table.")

"""The API's description is valid and complete, and the application keeps to it."""

from __future__ import annotations

import atexit
import base64
import io
import json
import os
import re
import shutil
import tempfile
import urllib.parse

import numpy as np
import pytest
import schemathesis
from conftest import data_url, png
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from openapi_spec_validator import validate
from PIL import Image
from schemathesis.specs.openapi.checks import negative_data_rejection, positive_data_acceptance
from schemathesis.transport.serialization import serialize_binary

from digitre import create_app
from digitre.web import errors
from digitre.web.openapi import SEVEN

# Werkzeug's test client keeps an upload of over 500 KB in a temporary file, and leaves closing it to the garbage collector.
pytestmark = pytest.mark.filterwarnings(
    "ignore:Exception ignored in. <_io.FileIO:pytest.PytestUnraisableExceptionWarning"
)

INSTANCE = tempfile.mkdtemp(prefix="digitre-")
atexit.register(shutil.rmtree, INSTANCE, True)
APP = create_app({"TESTING": True, "INSTANCE": INSTANCE, "SAVES_A_DAY": 10**9})
JSON = "application/json"


def picture(sides: tuple[int, int], kind: str, seed: int) -> bytes:
    """A file with a line of a random colour on a random background."""
    random = np.random.default_rng(seed)
    pixels = np.empty((*sides, 3), np.uint8)
    pixels[:] = random.integers(0, 256, 3)
    pixels[sides[0] // 4 : -sides[0] // 4 or None, sides[1] // 3] = random.integers(0, 256, 3)
    return png(Image.fromarray(pixels), kind)


FILES = st.builds(
    picture,
    st.tuples(st.integers(1, 60), st.integers(1, 60)),
    st.sampled_from(["PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF", "AVIF"]),
    st.integers(0, 2**32 - 1),
)


def line(side: int, seed: int) -> np.ndarray:
    """Ink that is never blank: a line at a random place."""
    ink = np.zeros((side, side), np.uint8)
    random = np.random.default_rng(seed)
    ink[2:-2, random.integers(3, side - 3)] = 255
    return ink


def as_url(file: bytes, kind: str) -> str:
    return f"data:image/{kind};base64," + base64.b64encode(file).decode()


def grey_values(seed: int) -> str:
    random = np.random.default_rng(seed)
    values = random.integers(0, 256, 784) if seed % 2 else random.random(784)
    return ", \n"[seed % 3 :: 3].join(map(str, values))


PICTURES = st.builds(as_url, FILES, st.sampled_from(["png", "jpeg", "webp"]))
GREY = st.integers(0, 2**32 - 1).map(grey_values)
schemathesis.openapi.format("picture", PICTURES)
DRAWINGS = st.builds(
    lambda side, seed: data_url(png(line(side, seed))), st.integers(12, 60), st.integers(0, 999)
)
schemathesis.openapi.format("drawing", DRAWINGS)
schemathesis.openapi.format("picture-or-grey-values", PICTURES | GREY)
schemathesis.openapi.format("picture-file", FILES)


@schemathesis.serializer("image/bmp", "image/tiff", "image/avif")  # it knows the other formats
def as_bytes(context, value) -> bytes:
    """The body of a request whose body is a file."""
    return serialize_binary(value)


NOT_CHECKED = {
    # A schema cannot say that the data of a tensor has to fit its shape.
    "/v2/models/digitre/infer": [positive_data_acceptance],
    # What is not a picture gets an error in its place in the list, and too many are refused with 413.
    "/_get_digits": [negative_data_rejection],
}
description = schemathesis.openapi.from_wsgi("/openapi.json", APP)


@pytest.mark.slow
@description.parametrize()
@settings(
    max_examples=int(os.environ.get("EXAMPLES", 50)),
    derandomize="EXAMPLES" not in os.environ,  # `make fuzz` tries new random inputs each time
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
def test_the_application_keeps_its_description(case) -> None:
    """Valid and invalid data never give a 500, or a status or shape that is not described."""
    case.call_and_validate(excluded_checks=NOT_CHECKED.get(case.path, []))


def described() -> dict:
    return APP.test_client().get("/openapi.json").get_json()


def test_the_description_is_valid() -> None:
    """The description is OpenAPI 3.1 by the specification's own schema."""
    api = described()
    assert api["openapi"].startswith("3.1")
    validate(api)


def test_every_route_is_described() -> None:
    """The description has every address and method of the application, and no other."""
    routes = {
        (rule.rule.replace("<", "{").replace(">", "}"), method.lower())
        for rule in APP.url_map.iter_rules()
        if rule.endpoint != "static"
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
    }
    assert routes == {
        (path, method) for path, methods in described()["paths"].items() for method in methods
    }


def test_every_example_is_true(subtests) -> None:
    """Each example of a request gets exactly the answer of the example."""
    client = APP.test_client()
    shown = 0
    for path, methods in described()["paths"].items():
        for method, operation in methods.items():
            for status, answer in operation["responses"].items():
                for body in answer.get("content", {}).values():
                    for name, example in body.get("examples", {}).items():
                        with subtests.test(name):
                            request = as_sent(example.get("x-request", {}))
                            response = client.open(path, method=method.upper(), **request)
                            assert response.status_code == int(status)
                            assert response.get_json() == example["value"]
                            shown += 1
            for kind, body in operation.get("requestBody", {}).get("content", {}).items():
                for name, example in body.get("examples", {}).items():
                    sent = as_sent({"content-type": kind, "body": example["value"]})
                    response = client.open(path, method=method.upper(), **sent)
                    assert response.status_code == 200, name
    assert shown >= 9


def as_sent(request: dict) -> dict:
    """The request of an example, as the test client takes it."""
    kind, body = request.get("content-type"), request.get("body")
    if kind == JSON:
        body = json.dumps(body)
    elif isinstance(body, dict):
        body = urllib.parse.urlencode(body)
    return {"data": body, "content_type": kind}


def test_every_error_is_described() -> None:
    """The description lists each code with its status, and no other code."""
    components = described()["components"]
    codes = components["schemas"]["Error"]["properties"]["error"]["properties"]["code"]["enum"]
    assert sorted(codes) == sorted(errors.STATUSES)
    for kind in errors.KINDS:
        assert f"`{kind.code}`" in components["responses"][str(kind.status)]["description"]


def test_the_docs_are_complete() -> None:
    """/docs has every address, example, field and code, no raw markup, and nothing from other sites."""
    response = APP.test_client().get("/docs")
    page = response.get_data(as_text=True)
    assert response.mimetype == "text/html"
    links = re.findall(r'(?:href|src)="([^"]*)"', page)
    assert all(link.startswith(("/", "#")) and not link.startswith("//") for link in links), links
    assert re.findall(r"<script[^>]*>[^<]", page) == []
    for path in described()["paths"]:
        assert f"{path}</code>" in page
    names = page.replace("<wbr>", "")
    for kind in errors.KINDS:
        row = f"<td>{kind.status}</td><td><code>{kind.code}</code></td>"
        assert names.count(row) == 1, row
    reading = APP.test_client().post("/_get_digit?steps=1&explain=1", data=SEVEN).get_json()
    for name in (*reading, "candidates[].digit", "steps[].image", "explanation.of"):
        assert f"<td><code>{name}</code></td>" in names, name
    for parameter in described()["paths"]["/_get_digit"]["post"]["parameters"]:
        assert f"<td><code>{parameter['name']}</code></td>" in names
        assert "default" in parameter["schema"]
    for anchor in re.findall(r'href="#([^"]*)"', page):
        assert page.count(f'id="{anchor}"') == 1, anchor
    assert SEVEN in page
    assert "`" not in page


def test_an_uploaded_example_is_read() -> None:
    """The seven of the examples is read as an uploaded file too."""
    file = base64.b64decode(SEVEN.split(",")[1])
    sent = {"image": (io.BytesIO(file), "seven.png")}
    response = APP.test_client().post("/_get_digit", data=sent)
    assert response.get_json()["digit"] == 7

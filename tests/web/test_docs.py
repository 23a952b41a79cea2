"""The page /docs in a real browser, and its examples."""

from __future__ import annotations

import html
import re
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from conftest import need

from digitre.web import schemas
from digitre.web.tables import fields, type_of


@pytest.mark.parametrize(
    ("schema", "words"),
    [
        (schemas.PROBABILITY, "number from 0 to 1"),
        (schemas.FLAG, '"0" or "1"'),
        (schemas.TEXT, "string"),
        (schemas.or_null(schemas.DIGIT), "integer from 0 to 9 or null"),
        (schemas.READING["properties"]["result"], '"0" to "9" or "Huh..."'),
        (schemas.READING["properties"]["probabilities"], "list of 10 numbers"),
        (schemas.READING["properties"]["candidates"], "list of objects"),
        (schemas.DRAWING["properties"]["label"], '0 to 9, "0" to "9" or "none"'),
        (schemas.PREDICTIONS["properties"]["predictions"], "list of lists"),
    ],
)
def test_types_in_words(schema: dict, words: str) -> None:
    """The type of a field is said in words."""
    assert type_of(schema) == words


def test_every_field_of_a_reading_has_a_meaning() -> None:
    """Each row of the answer's table has a type and a meaning."""
    rows = list(fields(schemas.READING))
    assert len(rows) > 15
    assert all(row.type != "any" and row.meaning for row in rows), rows


@pytest.fixture(scope="module")
def examples(server: str) -> list[str]:
    """The quick start's examples: curl, Python, JavaScript."""
    with urllib.request.urlopen(f"{server}/docs", timeout=20) as answer:
        page = answer.read().decode()
    return [
        html.unescape(each)
        for each in re.findall(r'<pre class="quick"[^>]*>(.*?)</pre>', page, re.S)
    ]


@pytest.mark.slow
def test_the_quick_start_works(examples: list[str], seven: bytes, tmp_path: Path) -> None:
    """The examples for curl and Python read a file seven.png as they are."""
    need("curl")
    (tmp_path / "seven.png").write_bytes(seven)
    curl, python, _ = examples
    for command in (["bash", "-c", curl], [sys.executable, "-c", python]):
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True)
        assert done.stdout.startswith(('{"result":"7"', "7")), done.stdout


@pytest.fixture(params=[(360, "light"), (1440, "dark")], ids=["phone", "desktop"])
def docs(browser, server: str, request: pytest.FixtureRequest) -> Iterator:
    """/docs in a browser. The test fails if the page logs an error."""
    width, scheme = request.param
    context = browser.new_context(viewport={"width": width, "height": 800}, color_scheme=scheme)
    tab = context.new_page()
    errors: list[str] = []
    tab.on("pageerror", lambda error: errors.append(str(error)))
    tab.goto(f"{server}/docs")
    yield tab
    context.close()
    assert not errors


@pytest.mark.slow
def test_the_box_reads_a_file(docs, server: str, seven: bytes, tmp_path: Path) -> None:
    """A chosen file shows the request as curl, which works, and the JSON of the answer."""
    file = tmp_path / "it's a 7.png"
    file.write_bytes(seven)
    docs.get_by_label("Choose an image").set_input_files(file)
    docs.locator("#received", has_text='"result": "7"').wait_for()
    assert docs.locator("#received").text_content().startswith("200")
    command = docs.locator("#sent").text_content()
    assert f"{server}/_get_digit" in command
    run = ["bash", "-c", command]
    done = subprocess.run(run, cwd=tmp_path, capture_output=True, text=True, check=True)
    assert '"result":"7"' in done.stdout
    assert docs.evaluate("document.documentElement.scrollWidth <= innerWidth")
    for box in docs.locator(".scroll, pre").all():
        assert box.evaluate("box => box.scrollWidth <= box.clientWidth"), box.inner_text()


@pytest.mark.slow
def test_the_box_reads_a_dropped_file_and_shows_errors(docs) -> None:
    """A dropped file that is not a picture shows the error and its status."""
    docs.evaluate(
        """() => {
          const dataTransfer = new DataTransfer();
          dataTransfer.items.add(new File(["no picture"], "a.txt"));
          document.body.dispatchEvent(new DragEvent("drop", { dataTransfer, bubbles: true, cancelable: true }));
        }"""
    )
    docs.locator("#received", has_text='"code"').wait_for()
    assert docs.locator("#received").text_content().startswith("400")


@pytest.mark.slow
def test_the_javascript_example_runs(docs, examples: list[str], seven: bytes) -> None:
    """The example for JavaScript reads a Blob on a page of the server."""
    lines: list[str] = []
    docs.on("console", lambda message: lines.append(message.text))
    code = f"const file = new Blob([new Uint8Array({list(seven)})]); {{ {examples[2]} }}"
    docs.evaluate(f"async () => {{ {code} }}")
    assert lines == ["7"]

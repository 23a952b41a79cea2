"""The README and docs/ are true: their commands, examples, links, routes, fields and figures are checked."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from conftest import ROOT, data_url, need
from pages import by_hand, draw
from strokes import DIGITS

from digitre import Classifier, cli
from digitre.training.reporting import card
from digitre.web.app import static_version

PAGES = [
    *(ROOT / name for name in ("README.md", "CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md")),
    *sorted((ROOT / "docs").glob("*.md")),
]
README, API = ((ROOT / name).read_text() for name in ("README.md", "docs/api.md"))
PICTURE = "data:image/png;base64,..."  # what the examples have in place of a real one


def blocks(language: str) -> list[tuple[str, str]]:
    """Each code block in a language: the page's name and the code."""
    return [
        (page.name, code)
        for page in PAGES
        for code in re.findall(rf"^```{language}\n(.*?)^```", page.read_text(), re.DOTALL | re.M)
    ]


def console_commands() -> Iterator[tuple[str, str]]:
    """Each command of the console blocks, with the output printed below it."""
    for _, block in blocks("console"):
        for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
            command, _, output = part.partition("\n")
            yield command, output.strip()


def is_close(actual: Any, expected: Any) -> bool:
    """The same JSON, numbers to three decimals: processors differ in the last digits."""
    if isinstance(expected, dict):
        return actual.keys() == expected.keys() and all(
            is_close(actual[key], expected[key]) for key in expected
        )
    if isinstance(expected, list):
        return len(actual) == len(expected) and all(map(is_close, actual, expected))
    if isinstance(expected, float):
        return actual == pytest.approx(expected, abs=1e-3)
    return actual == expected


@pytest.mark.slow
@pytest.mark.parametrize(("command", "output"), list(console_commands()))
def test_every_command_prints_what_is_shown(
    server: str, command: str, output: str, tmp_path: Path
) -> None:
    """The commands of README and docs/, run as they are, print the output below them."""
    if "curl" in command:
        need("curl")
    programs = Path(sys.executable).parent
    result = subprocess.run(
        [
            "bash",
            "-c",
            command.replace("curl ", "curl -s ").replace("http://127.0.0.1:8000", server),
        ],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
        env=os.environ
        | {"PATH": f"{programs}:{os.environ['PATH']}", "DIGITRE_INSTANCE": str(tmp_path)},
    )
    if output.startswith("{"):
        assert is_close(json.loads(result.stdout), json.loads(output)), result.stdout
    else:
        assert result.stdout.strip() == output


PYTHON = [code for _, code in blocks("python")]


@pytest.mark.parametrize("code", [code for code in PYTHON if "address" not in code])
def test_the_python_examples_print_what_they_say(
    code: str, capsys: pytest.CaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each `print` of an example prints what the comment next to it says."""
    monkeypatch.chdir(ROOT)
    exec(compile(code, "example", "exec"), {})
    expected = re.findall(r"^print\(.*\)  # (.*)$", code, re.MULTILINE)
    assert expected
    assert capsys.readouterr().out.splitlines() == expected


@pytest.mark.slow
@pytest.mark.parametrize("code", [code for code in PYTHON if "_save_drawing" in code])
def test_the_saving_example_saves(code: str, server: str, seven: bytes) -> None:
    """The lines that save a drawing, with a real one, return its ID and its receipt."""
    assert PICTURE in code
    names: dict[str, Any] = {"address": server}
    exec(compile(code.replace(PICTURE, data_url(seven)), "example", "exec"), names)
    assert set(names["saved"]) == {"id", "receipt"}


@pytest.mark.slow
@pytest.mark.parametrize("code", [code for _, code in blocks("js") if "import " not in code])
def test_the_javascript_example_reads_a_canvas(code: str, server: str, browser) -> None:
    """The README's JavaScript runs in a browser, and reads what is drawn on the page's canvas."""
    page = browser.new_page()
    lines: list[str] = []
    page.on("console", lambda message: lines.append(message.text))
    page.goto(server)
    draw(page, by_hand(DIGITS[7]))
    page.evaluate(f"async () => {{ {code.replace('http://127.0.0.1:8000', server)} }}")
    page.close()
    (line,) = lines
    result, confidence = line.split()
    assert result == "7"
    assert float(confidence) > 0.9


@pytest.mark.slow
def test_the_example_of_the_module_reads(server: str, browser) -> None:
    """The JavaScript in docs/browser.md, on a page with the modules, reads a canvas and strokes."""
    (code,) = (code for _, code in blocks("js") if "import " in code)
    modules = f"{server}/static/{static_version()}"
    code = re.sub('import (.*) from "[.](.*)";', rf'const \1 = await import("{modules}\2");', code)
    code = code.replace('load("', f'load("{server}/network/')
    page = browser.new_page()
    page.goto(server)
    draw(page, by_hand(DIGITS[7]))
    strokes = [stroke.tolist() for stroke in by_hand(DIGITS[4])]
    script = f"async (strokes) => {{ {code}; return [digit, confidence, text, value]; }}"
    digit, confidence, text, value = page.evaluate(script, strokes)
    page.close()
    assert (digit, text, value) == (7, "4", 4)
    assert confidence > 0.9


def anchors(page: Path) -> set[str]:
    """The anchors that GitHub gives a page's headings."""
    text = re.sub(r"^```.*?^```", "", page.read_text(), flags=re.DOTALL | re.MULTILINE)
    titles = re.findall(r"^#+ (.*)$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_link_leads_somewhere(page: Path) -> None:
    """Links between the pages lead to files that exist, and to headings in them."""
    for link in re.findall(r"\]\((?!https?:)([^)]+)\)", page.read_text()):
        name, _, anchor = link.partition("#")
        target = page.parent / name if name else page
        assert target.exists(), link
        assert not anchor or anchor in anchors(target), link


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_path_exists(page: Path) -> None:
    """Files and folders of the repository that a page names exist."""
    if page.name == "CHANGELOG.md":
        return  # it names what was there at the time
    folders = "digitre|docs|tests|deploy|benchmarks|packages"
    for path in re.findall(rf"`((?:{folders})/[\w./-]*)`", page.read_text()):
        assert (ROOT / path).exists(), path


def test_the_readme_is_short() -> None:
    """The README has at most 150 lines: the rest is in docs/."""
    assert len(README.splitlines()) <= 150


def test_every_page_is_in_the_index() -> None:
    """docs/index.md links to every page of docs/."""
    index = (ROOT / "docs" / "index.md").read_text()
    for page in PAGES:
        if page.name not in ("index.md", "model-notes.md"):
            assert f"{page.name})" in index, page.name


def test_every_route_is_documented(app) -> None:
    """docs/api.md lists each method and route of the application."""
    for rule in app.url_map.iter_rules():
        route = "/static/<hash>/<file>" if rule.endpoint == "static" else rule.rule
        for method in rule.methods - {"HEAD", "OPTIONS"}:
            assert f"`{method} {route}`" in API, f"{method} {route}"


def fields(schema: Any) -> Iterator[str]:
    """The names of all JSON fields in an OpenAPI document."""
    if isinstance(schema, dict):
        properties = schema.get("properties")
        if isinstance(properties, dict) and schema.get("type") == "object":
            yield from properties
        for value in schema.values():
            yield from fields(value)
    elif isinstance(schema, list):
        for value in schema:
            yield from fields(value)


def test_every_field_is_documented(client, classifier: Classifier, seven: bytes) -> None:
    """docs/api.md has a row for each field of a reading, and of all other requests and answers."""
    names = {*classifier.read(seven).to_dict(), *fields(client.get("/openapi.json").get_json())}
    assert {"result", "explanation", "receipt", "strokes", "wrong", "code"} <= names
    for name in names:
        assert re.search(rf"[`.]{name}`", API), name


def test_every_metric_is_documented(client) -> None:
    """docs/api.md lists each metric."""
    client.get("/healthz")
    for name in re.findall(r"^# TYPE (\w+)", client.get("/metrics").text, re.MULTILINE):
        assert f"`{name}`" in API or name.endswith("_created"), name


@pytest.mark.parametrize("name", list(cli.COMMANDS))
def test_every_command_is_documented(name: str) -> None:
    """docs/command-line.md lists each command of `digitre`."""
    page = (ROOT / "docs" / "command-line.md").read_text()
    assert re.search(rf"`(digitre )?{name}\b", page), name


def test_the_figures_of_the_readme() -> None:
    """The README's table has the figures of the networks' cards."""
    rows = json.loads(CliRunner().invoke(cli.main, ["compare", "--json"]).stdout)
    names = [*(f"`{row['network']}`" for row in rows[:-1]), "**Digitre**"]
    for name, row in zip(names, rows, strict=True):
        (line,) = re.findall(rf"^\| {re.escape(name)}.*$", README, re.MULTILINE)
        drawn, letters, _, megabytes = re.findall(r"[\d.]+(?= |\*)", line.split("|", 2)[2])
        assert float(drawn) == pytest.approx(row["drawn_own"], abs=0.05)
        assert float(letters) == pytest.approx(row["letters_refused"], abs=0.05)
        assert float(megabytes) == pytest.approx(row["kilobytes"] / 1000, abs=0.05)


def test_ci_runs_what_the_project_runs() -> None:
    """The workflow for GitHub runs the commands of .ci/run."""
    workflow = (ROOT / ".github" / "workflows" / "ci.yml").read_text()
    commands = re.findall(r"^make .*$", (ROOT / ".ci" / "run").read_text(), re.MULTILINE)
    assert commands
    assert re.findall(r"- run: (?:sudo .*)?(make .*)$", workflow, re.MULTILINE) == commands


def test_the_versions_agree() -> None:
    """CITATION.cff has the package's version."""
    from digitre import __version__

    assert f"\nversion: {__version__}\n" in (ROOT / "CITATION.cff").read_text()


def test_the_model_card_is_generated() -> None:
    """docs/model.md is what `digitre report --page` makes from the card and docs/model-notes.md."""
    described = Classifier().card()
    assert described is not None
    notes = (ROOT / "docs" / "model-notes.md").read_text()
    assert (ROOT / "docs" / "model.md").read_text() == card.render_page(described, notes)

"""The README says what is."""

from __future__ import annotations

import json
import re
import subprocess

import pytest
from conftest import ROOT, data_url, need

from digitre.training.reporting import card

README = (ROOT / "README.md").read_text()
API = (ROOT / "docs" / "api.md").read_text()


def sessions() -> list[tuple[str, str]]:
    """Each command of the console blocks, with the output that stands under it."""
    found = []
    for block in re.findall(r"```console\n(.*?)```", README + API, re.DOTALL):
        for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
            command, _, output = part.partition("\n")
            found.append((command, output.strip()))
    return found


def close(given, wanted) -> bool:
    """The same JSON, numbers to three decimals: processors differ in the last digits."""
    if isinstance(wanted, dict):
        return given.keys() == wanted.keys() and all(close(given[k], wanted[k]) for k in wanted)
    if isinstance(wanted, list):
        return len(given) == len(wanted) and all(map(close, given, wanted))
    if isinstance(wanted, float):
        return given == pytest.approx(wanted, abs=1e-3)
    return given == wanted


@pytest.mark.slow
@pytest.mark.parametrize(("command", "output"), sessions())
def test_every_curl_line_gives_what_it_shows(server: str, command: str, output: str) -> None:
    """The commands of README and docs/api.md, run as they stand, give the answers that stand there."""
    need("curl")
    done = subprocess.run(
        [
            "bash",
            "-c",
            command.replace("curl ", "curl -s ").replace("http://127.0.0.1:8000", server),
        ],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    assert close(json.loads(done.stdout), json.loads(output)), done.stdout


def test_the_python_example_runs(capsys: pytest.CaptureFixture, monkeypatch) -> None:
    """The README's lines of Python read the seven, and several at once."""
    monkeypatch.chdir(ROOT)
    code = re.findall(r"```python\n(.*?)```", README, re.DOTALL)[0]
    exec(compile(code, "README.md", "exec"), {})
    said = r"7 \(\d+\.\d% probability\)\n\['7', 'Huh\.\.\.'\]\n"
    assert re.fullmatch(said, capsys.readouterr().out)


@pytest.mark.slow
def test_the_saving_example_runs(server: str, seven: bytes) -> None:
    """The README's lines that save a drawing, with a real one."""
    code = re.findall(r"```python\n(.*?)```", README, re.DOTALL)[1]
    assert "data:image/png;base64,..." in code
    done: dict = {"address": server}
    exec(
        compile(code.replace("data:image/png;base64,...", data_url(seven)), "README.md", "exec"),
        done,
    )
    assert set(done["saved"]) == {"id", "receipt"}


def test_every_file_it_names_is_there() -> None:
    """Links and paths in the README lead to files."""
    for name in re.findall(r"\]\((?!http)([^)#]+)\)", README):
        assert (ROOT / name).exists(), name


def test_the_networks_page_is_made_from_its_card() -> None:
    """docs/model.md says what models/digitre.json says: `python train.py --page` makes it."""
    described = json.loads((ROOT / "models" / "digitre.json").read_text())
    notes = (ROOT / "docs" / "model-notes.md").read_text()
    assert (ROOT / "docs" / "model.md").read_text() == card.as_markdown(described, notes)

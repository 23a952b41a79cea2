"""What a person sees: hints, colour, more or less words, and one line for each error."""

from __future__ import annotations

import os
import pty
import shlex
import subprocess
import sys
from pathlib import Path

import click
import pytest
from click.testing import CliRunner, Result
from conftest import ROOT, png
from strokes import DIGITS, drawn

from digitre.cli import main, terminal

SEVEN = ROOT / "docs" / "seven.png"
SCRIBBLE = ROOT / "docs" / "scribble.png"


@pytest.fixture(autouse=True)
def _own_instance(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DIGITRE_INSTANCE", str(tmp_path / "instance"))


def digitre(*words: str, expect: int = 0) -> Result:
    result = CliRunner().invoke(main, words)
    assert result.exit_code == expect, result.output
    return result


@pytest.mark.parametrize(
    ("words", "hint"),
    [
        (["raed"], "Did you mean read?"),
        (["eval"], "Did you mean evaluate?"),
        (["drawings", "lst"], "Did you mean list?"),
        (["models", "promte"], "Did you mean promote?"),
        ([str(SEVEN)], f"To read this file: {terminal.program()} read {SEVEN}"),
    ],
)
def test_a_mistyped_command(words: list[str], hint: str) -> None:
    """A mistyped command gets the one that it may be; a file, the command that reads it."""
    assert digitre(*words, expect=2).stderr.rstrip().endswith(hint)


def test_a_command_like_no_other() -> None:
    """A word that is like no command gets no guess."""
    assert digitre("xyzzy", expect=2).stderr.rstrip().endswith("No such command 'xyzzy'.")


def in_a_terminal(*words: str, **variables: str) -> str:
    """What the command prints on a terminal."""
    controller, end = pty.openpty()
    command = [str(Path(sys.executable).with_name("digitre")), *words]
    environment = os.environ | {"TERM": "xterm"} | variables
    subprocess.run(command, stdout=end, stderr=end, env=environment, check=False)
    os.close(end)
    output = os.read(controller, 100_000).decode()
    os.close(controller)
    return output


def test_colour_in_a_terminal_only() -> None:
    """A digit is green in a terminal, and "Huh..." yellow; not with NO_COLOR, and not in a pipe."""
    words = "read", str(SEVEN), str(SCRIBBLE)
    shown = in_a_terminal(*words)
    assert "\x1b[32m7" in shown
    assert "\x1b[33mHuh..." in shown
    plain = in_a_terminal(*words, NO_COLOR="1")
    assert "Huh..." in plain
    assert "\x1b" not in plain
    assert "\x1b" not in digitre(*words).output


def test_a_pipe_gets_nothing_stray(tmp_path: Path) -> None:
    """The standard error of many readings is empty in a pipe: no progress bar, and no word of LiteRT."""
    seven = png(drawn(DIGITS[7]))
    for number in range(70):
        (tmp_path / f"{number}.png").write_bytes(seven)
    command = [str(Path(sys.executable).with_name("digitre")), "read", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert len(done.stdout.splitlines()) == 70
    assert done.stderr == ""


def test_verbose_and_quiet() -> None:
    """--verbose says which network read; both options may stand before or after the command."""
    plain = digitre("read", str(SEVEN))
    for words in (["-v", "read"], ["read", "--verbose"]):
        result = digitre(*words, str(SEVEN))
        assert result.stdout == plain.stdout
        assert "network digitre-" in result.stderr
        assert "threshold 0.6" in result.stderr
    for words in (["--quiet", "models", "list"], ["models", "list", "-q"]):
        assert digitre(*words).stdout == digitre("models", "list").stdout
    assert plain.stderr == ""


def test_quiet_leaves_notes_out(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """--quiet prints results and errors, but no notes."""
    monkeypatch.setattr("digitre.cli.compare.FOLDER", tmp_path)
    assert "not trained yet" in digitre("compare").stderr
    assert digitre("compare", "--quiet").stderr == ""


def test_an_unexpected_error_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    """An error that no command expects is one line; --verbose raises it."""

    def fail(*_: object) -> None:
        raise RuntimeError("out of order")

    monkeypatch.setattr("digitre.cli.read.network_named", fail)
    line = "Error: RuntimeError: out of order (--verbose shows where)\n"
    assert digitre("read", str(SEVEN), expect=1).stderr == line
    with pytest.raises(RuntimeError):
        CliRunner().invoke(main, ["read", "-v", str(SEVEN)], catch_exceptions=False)


@pytest.mark.slow  # it imports TensorFlow
def test_evaluate_without_data(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Without data and without a network, `evaluate` names what is missing, and shows no traceback."""
    monkeypatch.setenv("DIGITRE_DATA", str(tmp_path / "none"))
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    for name in ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")  # nothing listens there
    result = digitre("evaluate", "--scenes", "0", "--json", expect=1)
    assert result.stdout == ""
    lines = result.stderr.splitlines()
    assert lines[-1].startswith("Error: cannot download MNIST")
    assert "set DIGITRE_DATA" in lines[-1]
    assert any(line.startswith("missing: mnist.npz") for line in lines)
    assert "Traceback" not in result.output


@pytest.mark.parametrize("word", ["abc", "0" * 32])
@pytest.mark.parametrize("command", [["delete"], ["delete", "--yes"], ["show"], ["accept"]])
def test_no_such_drawing(command: list[str], word: str, tmp_path: Path) -> None:
    """An id that no drawing has is named at once, without a question, and without making a database."""
    result = digitre("drawings", *command, word, expect=1)
    assert result.output == f"Error: There is no such drawing: {word}\n"
    assert not (tmp_path / "instance").exists()


def test_hints_name_what_works_here(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A hint has the path of this installation's command, unless the shell finds that one by its name."""
    programs = Path(sys.executable).parent
    monkeypatch.setenv("PATH", str(programs))
    assert terminal.program() == "digitre"
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    assert terminal.program() == str(programs / "digitre")
    monkeypatch.chdir(programs.parent)
    assert terminal.program() == f"{programs.name}/digitre"
    monkeypatch.setattr(sys, "executable", str(tmp_path / "python"))
    assert terminal.program() == f"{tmp_path / 'python'} -m digitre"


@pytest.mark.slow
def test_the_hint_to_install_an_extra_works(monkeypatch: pytest.MonkeyPatch) -> None:
    """pip accepts the command, and asks no index for Digitre itself."""
    command = shlex.split(terminal.how_to_install("plot"))
    done = subprocess.run(
        [*command, "--no-index", "--dry-run", "--quiet"], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr

    def not_there(_: str) -> str:
        raise terminal.importlib.metadata.PackageNotFoundError

    monkeypatch.setattr(terminal.importlib.metadata, "version", not_there)
    assert f"{ROOT}[plot]" in shlex.split(terminal.how_to_install("plot"))


def test_every_command_takes_the_options() -> None:
    """Each command and subcommand has --verbose and --quiet once."""
    context = click.Context(main)
    commands = [main.get_command(context, name) for name in main.list_commands(context)]
    while commands:
        command = commands.pop()
        assert command is not None
        names = [option for each in command.params for option in each.opts]
        assert (names.count("--verbose"), names.count("--quiet")) == (1, 1), command.name
        if isinstance(command, click.Group):
            commands += command.commands.values()

"""The command line, as somebody in a terminal or a pipe uses it."""

from __future__ import annotations

import csv
import io
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from conftest import ROOT, data_url, free_port, png, running
from PIL import Image
from strokes import DIGITS, OTHERS, drawn

from digitre import __version__
from digitre.cli import COMMANDS, main

SEVEN = png(drawn(DIGITS[7]))
SCRIBBLE = png(drawn(OTHERS["scribble"]))


@pytest.fixture(autouse=True)
def _nothing_promoted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DIGITRE_INSTANCE", str(tmp_path / "instance"))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Pictures named by what they are, in folders, one of them broken, and a file that is none."""
    place = tmp_path / "pictures"
    (place / "more").mkdir(parents=True)
    for digit in (3, 5):
        (place / f"{digit}.png").write_bytes(png(drawn(DIGITS[digit])))
    (place / "more" / "4.JPG").write_bytes(png(drawn(DIGITS[4]), "JPEG"))
    (place / "none.png").write_bytes(SCRIBBLE)
    (place / "broken.png").write_bytes(b"\x89PNG broken")
    (place / "notes.txt").write_text("hello")
    return place


def digitre(*words: str, expect: int = 0, **more) -> Result:
    result = CliRunner().invoke(main, words, **more)
    assert result.exit_code == expect, result.output
    return result


def program(*words: str, **more) -> subprocess.CompletedProcess:
    """The installed command in a process of its own."""
    command = [str(Path(sys.executable).with_name("digitre")), *words]
    return subprocess.run(command, capture_output=True, **more)


def test_one_picture(tmp_path: Path) -> None:
    """A sentence, for a file."""
    (tmp_path / "seven.png").write_bytes(SEVEN)
    said = digitre("read", str(tmp_path / "seven.png")).stdout
    assert said == "The number is probably a 7 (100.0% probability)\n"
    (tmp_path / "scribble.png").write_bytes(SCRIBBLE)
    said = digitre("read", str(tmp_path / "scribble.png")).stdout
    assert said == "Huh... You call that a digit?\n"


@pytest.mark.parametrize("content", [SEVEN, data_url(SEVEN).encode()], ids=["bytes", "data URL"])
def test_from_a_pipe(content: bytes) -> None:
    """`-` is standard input: the sentence alone, nothing on standard error."""
    done = program("read", "-", input=content)
    assert done.returncode == 0
    assert done.stdout.decode() == "The number is probably a 7 (100.0% probability)\n"
    assert done.stderr == b""


def test_many(folder: Path) -> None:
    """A table; a bad file is reported and the rest go on; exit status 1."""
    result = digitre("read", str(folder), expect=1)
    assert [line.split()[0] for line in result.stdout.splitlines()] == ["3", "5", "4", "Huh..."]
    assert "broken.png" in result.stderr
    assert "notes.txt" not in result.output
    missing = digitre("read", str(folder / "3.png"), "nowhere.png", expect=1)
    assert "nowhere.png: No such file" in missing.stderr


def test_json_and_csv(folder: Path) -> None:
    """A line for each picture, with what went wrong."""
    result = digitre("read", "--json", str(folder), expect=1)
    lines = [json.loads(line) for line in result.stdout.splitlines()]
    assert [line["digit"] for line in lines] == [3, 5, None, 4, None]
    assert lines[2]["error"]
    assert lines[4]["reason"] == "not_a_digit"
    assert lines[0]["confidence"] > 0.9
    rows = list(csv.DictReader(io.StringIO(digitre("read", "--csv", str(folder), expect=1).stdout)))
    assert [row["digit"] for row in rows] == ["3", "5", "", "4", ""]
    one = digitre("read", "--json", str(folder / "3.png")).stdout
    assert json.loads(one)["result"] == "3"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["read"], "Missing argument"),
        (["read", "--threshold", "2", "x.png"], "--threshold"),
        (["read", "--threshold", "nan", "x.png"], "--threshold"),
        (["read", "--unknown", "x.png"], "--unknown"),
        (["read", "--network", "none", "x.png"], "choose from"),
        (["nothing"], "No such command"),
        (["drawings", "nothing"], "No such command"),
    ],
)
def test_wrong_usage(words: list[str], said: str) -> None:
    """Exit status 2, and what is wrong."""
    assert said in digitre(*words, expect=2).output


def test_an_empty_folder(tmp_path: Path) -> None:
    """Nothing to read is wrong usage; several pictures with --show as well."""
    assert "no pictures" in digitre("read", str(tmp_path), expect=2).output
    for name in ("a.png", "b.png"):
        (tmp_path / name).write_bytes(SEVEN)
    assert "one picture" in digitre("read", "--show", str(tmp_path), expect=2).output


def test_names_that_are_no_pictures(tmp_path: Path) -> None:
    """A folder named as a picture, a file whose name no terminal can show: the rest goes on."""
    (tmp_path / "album.png").mkdir()
    (tmp_path / "album.png" / "seven.png").write_bytes(SEVEN)
    odd = os.fsencode(tmp_path) + b"/\xff.png"
    Path(os.fsdecode(odd)).write_bytes(SCRIBBLE)
    strict = os.environ | {"PYTHONIOENCODING": "utf-8:strict"}
    done = program("read", str(tmp_path), env=strict)
    assert done.returncode == 0, done.stderr
    assert [line.split()[0] for line in done.stdout.splitlines()] == [b"7", b"Huh..."]
    done = program("read", odd.decode("utf-8", "surrogateescape"), "--json", env=strict)
    assert json.loads(done.stdout)["result"] == "Huh..."
    shown = program(
        "read",
        "--show",
        str(tmp_path / "album.png" / "seven.png"),
        env={**os.environ, "PYTHONIOENCODING": "latin-1"},
    )
    assert shown.returncode == 0, shown.stderr


def test_standard_input_among_many(tmp_path: Path) -> None:
    """It is read where it stands, though processes read the files."""
    for number in range(70):
        (tmp_path / f"{number}.png").write_bytes(SCRIBBLE)
    done = program("read", str(tmp_path), "-", input=SEVEN)
    lines = done.stdout.decode().splitlines()
    assert done.returncode == 0
    assert len(lines) == 71
    assert lines[-1].split() == ["7", "100.0%", "-"]


def test_threshold(tmp_path: Path) -> None:
    """The option's, else the server's setting: of a 7 that lies nearly on its side."""
    file = tmp_path / "seven.png"
    file.write_bytes(png(Image.fromarray(255 - drawn(DIGITS[7])).rotate(20, fillcolor=255)))
    result = digitre("read", "--json", "--threshold", "0", str(file))
    assert json.loads(result.stdout)["digit"] is not None
    setting = {"env": {"DIGITRE_THRESHOLD": "1"}}
    result = digitre("read", "--json", str(file), **setting)
    assert json.loads(result.stdout)["digit"] is None
    result = digitre("read", "--json", "--threshold", "0", str(file), **setting)
    assert json.loads(result.stdout)["digit"] is not None


def test_show_steps_and_plot(tmp_path: Path) -> None:
    """The picture in the terminal, each step as a PNG, and the bars."""
    file = tmp_path / "seven.png"
    file.write_bytes(SEVEN)
    out = tmp_path / "steps"
    plot = tmp_path / "plot.png"
    said = digitre("read", "--show", "--steps", str(out), "--plot", str(plot), str(file)).stdout
    lines = said.splitlines()
    assert lines[0].startswith("The number is probably a 7")
    assert len(lines) == 29
    assert any("█" in line for line in lines)
    assert [file.name for file in sorted(out.iterdir())] == [
        "1-decode.png",
        "2-crop.png",
        "3-centre.png",
        "4-resize.png",
        "5-scale.png",
    ]
    with Image.open(out / "5-scale.png") as small, Image.open(plot) as large:
        assert small.size == (28, 28)
        assert large.width > 300


@pytest.mark.slow
def test_ten_thousand_files(tmp_path: Path) -> None:
    """All of them, in their order, with bounded memory: on all cores, less than 300 MB each."""
    place = tmp_path / "many"
    place.mkdir()
    sources = {digit: png(drawn(DIGITS[digit])) for digit in range(10)}
    for number in range(10_000):
        (place / f"{number:05}.png").write_bytes(sources[number % 10])
    (place / "05000.png").write_bytes(b"broken")
    code = (
        "import resource, sys\n"
        "from digitre.cli import main\n"
        "try:\n    main(['read', '--json', sys.argv[1]])\n"
        "except SystemExit as end:\n"
        # Not its own ru_maxrss: that counts what the tests' process held when it was started.
        "    status = open('/proc/self/status').read()\n"
        "    own = int(status.split('VmHWM:')[1].split()[0])\n"
        "    children = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss\n"
        "    print(max(own, children) // 1024, file=sys.stderr)\n"
        "    raise\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(place)], cwd=ROOT, capture_output=True, text=True
    )
    assert done.returncode == 1
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert [Path(line["file"]).stem for line in lines] == [f"{n:05}" for n in range(10_000)]
    wrong = [line for n, line in enumerate(lines) if line["digit"] != n % 10 and n != 5000]
    assert not wrong
    assert lines[5000]["error"]
    assert int(done.stderr.splitlines()[-1]) < 300


def test_a_pipe_that_ends_early(folder: Path) -> None:
    """`digitre read ... | head -1` says nothing of its own."""
    digitre_program = Path(sys.executable).with_name("digitre")
    done = subprocess.run(
        ["bash", "-c", f"'{digitre_program}' read {folder}/*.png {folder}/*.png | head -1"],
        capture_output=True,
        text=True,
    )
    assert len(done.stdout.splitlines()) == 1
    assert "Traceback" not in done.stderr


def test_version_and_help() -> None:
    """Each command is named with a line, and its help ends with an example."""
    assert digitre("--version").output == f"digitre, version {__version__}\n"
    said = digitre("--help").output
    for name in COMMANDS:
        assert name in said
        assert f"digitre {name}" in digitre(name, "--help").output.split("Example")[1]


@pytest.mark.parametrize(
    ("words", "learned"),
    [
        ("digitre dra", "plain,drawings"),
        ("digitre read docs/se", "file,docs/se"),
        ("digitre read --network cnn", "plain,cnn-3x3"),
    ],
)
def test_completion(words: str, learned: str) -> None:
    """The shell learns the names of commands, files and networks."""
    environment = os.environ | {
        "_DIGITRE_COMPLETE": "bash_complete",
        "COMP_WORDS": words,
        "COMP_CWORD": str(words.count(" ")),
    }
    done = program(env=environment, text=True)
    assert done.stdout.strip() == learned


def test_without_the_extra(tmp_path: Path) -> None:
    """Where TensorFlow is not installed, training says what to install."""
    code = (
        "import sys\n"
        "sys.modules['keras'] = sys.modules['matplotlib'] = None\n"
        "from digitre.cli import main\n"
        "main(sys.argv[1:])\n"
    )
    for words, extra in (
        (["train", "--epochs", "1"], "digitre[train]"),
        (["explore"], "digitre[train]"),
        (["read", "--plot", "x.png", str(ROOT / "docs" / "seven.png")], "digitre[plot]"),
    ):
        command = [sys.executable, "-c", code, *words]
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
        assert done.returncode == 1
        assert extra in done.stderr
        assert "Traceback" not in done.stderr


def test_nothing_but_training_needs_tensorflow(tmp_path: Path) -> None:
    """`read`, `models` and `drawings` load neither TensorFlow nor Keras, `read` no database."""
    code = (
        "import sys\n"
        "from digitre.cli import main\n"
        "main(sys.argv[1:], standalone_mode=False)\n"
        "print(sorted({'tensorflow', 'keras', 'matplotlib', 'sqlalchemy'} & set(sys.modules)))\n"
    )
    for words, loaded in (
        (["read", str(ROOT / "docs" / "seven.png")], "[]"),
        (["models", "list"], "[]"),
        (["compare"], "[]"),
        (["drawings", "stats"], "['sqlalchemy']"),
    ):
        command = [sys.executable, "-c", code, *words]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        assert done.stdout.splitlines()[-1] == loaded


@pytest.mark.slow
def test_serve(tmp_path: Path) -> None:
    """gunicorn with the shipped settings, wherever it is asked to be, beside whatever stands there."""
    (tmp_path / "wsgi.py").write_text("app = None  # another project's\n")
    port = free_port()
    command = [
        shutil.which("digitre", path=str(Path(sys.executable).parent)) or "digitre",
        *("serve", "--bind", f"127.0.0.1:{port}", "--workers", "1"),
    ]
    with running(command, f"http://127.0.0.1:{port}", cwd=tmp_path) as address:
        done = subprocess.run(
            ["curl", "-s", "--data-binary", f"@{ROOT}/docs/seven.png", f"{address}/_get_digit"],
            capture_output=True,
            text=True,
        )
        assert json.loads(done.stdout)["digit"] == 7


def test_models(tmp_path: Path) -> None:
    """What is not there cannot be promoted, and nothing can be taken back before."""
    assert "shipped" in digitre("models", "list").output
    assert "no network" in digitre("models", "promote", "digitre-00000000", expect=1).output
    assert "no network" in digitre("models", "promote", "../../etc", expect=1).output
    assert "nothing was promoted" in digitre("models", "rollback", expect=1).output
    name = digitre("models", "list").output.split()[0]
    digitre("models", "promote", name)
    assert name in digitre("models", "rollback").output


def test_a_broken_network_is_never_promoted(tmp_path: Path) -> None:
    """A file that is not what its name says, or that LiteRT cannot load, is refused."""
    place = tmp_path / "instance" / "models" / "digitre-00000000"
    place.mkdir(parents=True)
    (place / "digitre.tflite").write_bytes(b"\x00\x00\x00\x00TFL3 cut off")
    said = digitre("models", "promote", place.name, expect=1).output
    assert "its hash says" in said
    (place.parent / "current.json").write_text("{")
    assert "no list of promoted networks" in digitre("models", "list", expect=1).output
    done = program("read", str(ROOT / "docs" / "seven.png"), text=True)
    assert done.returncode == 1
    assert "no list" in done.stderr

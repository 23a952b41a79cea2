"""The command line, used from a terminal and from a pipe."""

from __future__ import annotations

import csv
import io
import json
import os
import re
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
from digitre.cli import COMMANDS, main, translate

SEVEN = png(drawn(DIGITS[7]))
SCRIBBLE = png(drawn(OTHERS["scribble"]))


@pytest.fixture(autouse=True)
def _own_instance(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DIGITRE_INSTANCE", str(tmp_path / "instance"))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Images named by what they show, in folders, one of them broken, and a text file."""
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
    """Run the installed command in a process of its own."""
    command = [str(Path(sys.executable).with_name("digitre")), *words]
    return subprocess.run(command, capture_output=True, **more)


def test_one_picture(tmp_path: Path) -> None:
    """One file is answered by a sentence."""
    (tmp_path / "seven.png").write_bytes(SEVEN)
    output = digitre("read", str(tmp_path / "seven.png")).stdout
    assert output == "The number is probably a 7 (100.0% probability)\n"
    (tmp_path / "scribble.png").write_bytes(SCRIBBLE)
    output = digitre("read", str(tmp_path / "scribble.png")).stdout
    assert output == "Huh... You call that a digit?\n"


def test_an_eight(tmp_path: Path) -> None:
    """It is "an 8", not "a 8"."""
    (tmp_path / "eight.png").write_bytes(png(drawn(DIGITS[8])))
    output = digitre("read", str(tmp_path / "eight.png")).stdout
    assert re.fullmatch(r"The number is probably an 8 \(\d+\.\d% probability\)\n", output)


@pytest.mark.parametrize("content", [SEVEN, data_url(SEVEN).encode()], ids=["bytes", "data URL"])
def test_from_a_pipe(content: bytes) -> None:
    """`-` reads standard input, and prints the sentence only, with nothing on standard error."""
    done = program("read", "-", input=content)
    assert done.returncode == 0
    assert done.stdout.decode() == "The number is probably a 7 (100.0% probability)\n"
    assert done.stderr == b""


def test_many(folder: Path) -> None:
    """Many files make a table. A broken file is reported, the others are read, the exit status is 1."""
    result = digitre("read", str(folder), expect=1)
    assert [line.split()[0] for line in result.stdout.splitlines()] == ["3", "5", "4", "Huh..."]
    assert "broken.png" in result.stderr
    assert "notes.txt" not in result.output
    missing = digitre("read", str(folder / "3.png"), "nowhere.png", expect=1)
    assert "nowhere.png: No such file" in missing.stderr


def test_json_and_csv(folder: Path) -> None:
    """Each image is a line of JSON or CSV, also if it could not be read."""
    result = digitre("read", "--json", str(folder), expect=1)
    lines = [json.loads(line) for line in result.stdout.splitlines()]
    assert [line["digit"] for line in lines] == [3, 5, None, 4, None]
    assert lines[2]["error"]["code"] == "not_a_picture"
    assert lines[4]["reason"] == "not_a_digit"
    assert lines[0]["confidence"] > 0.9
    rows = list(csv.DictReader(io.StringIO(digitre("read", "--csv", str(folder), expect=1).stdout)))
    assert [row["digit"] for row in rows] == ["3", "5", "", "4", ""]
    one = digitre("read", "--json", str(folder / "3.png")).stdout
    assert json.loads(one)["result"] == "3"
    assert "cannot be combined" in digitre("read", "--json", "--csv", "x", expect=2).output


def test_json_is_the_answer_of_the_api(folder: Path, client) -> None:
    """A line of JSON is the API's answer to the file, with its name; an error has the API's form."""
    for name in ("3.png", "broken.png", "none.png"):
        answer = client.post("/_get_digit", data=(folder / name).read_bytes()).get_json()
        run = CliRunner().invoke(main, ["read", "--json", str(folder / name)])
        line = json.loads(run.stdout)
        assert line.pop("file") == str(folder / name)
        if "error" in answer:
            assert line.pop("error") == answer["error"]
            assert set(line.values()) == {None}
            answer = client.post("/_get_digit", data=SEVEN).get_json()
            assert line.keys() == answer.keys()
        else:
            assert line == answer | {"error": None}
    missing = json.loads(digitre("read", "--json", "nowhere.png", expect=1).stdout)
    assert missing["error"] == {"code": "no_such_file", "message": "No such file or directory"}


@pytest.mark.parametrize(
    ("words", "message"),
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
def test_wrong_usage(words: list[str], message: str) -> None:
    """Wrong usage ends with exit status 2 and a message that says what is wrong."""
    assert message in digitre(*words, expect=2).output


def test_an_empty_folder(tmp_path: Path) -> None:
    """A folder without images is wrong usage, and so are several images with --show."""
    assert "no images" in digitre("read", str(tmp_path), expect=2).output
    for name in ("a.png", "b.png"):
        (tmp_path / name).write_bytes(SEVEN)
    assert "one image" in digitre("read", "--show", str(tmp_path), expect=2).output


def test_odd_names(tmp_path: Path) -> None:
    """A folder named like an image, or a file name that no terminal can show, stops nothing."""
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
    """Standard input is read in its place among many files, although other processes read those."""
    for number in range(70):
        (tmp_path / f"{number}.png").write_bytes(SCRIBBLE)
    done = program("read", str(tmp_path), "-", input=SEVEN)
    lines = done.stdout.decode().splitlines()
    assert done.returncode == 0
    assert len(lines) == 71
    assert lines[-1].split() == ["7", "100.0%", "-"]


def test_threshold(tmp_path: Path) -> None:
    """The option decides, else the server's setting. The drawing is a 7 that is turned far."""
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
    """--show draws the image in the terminal, --steps writes a PNG per step, --plot a chart."""
    file = tmp_path / "seven.png"
    file.write_bytes(SEVEN)
    out = tmp_path / "steps"
    plot = tmp_path / "plot.png"
    output = digitre("read", "--show", "--steps", str(out), "--plot", str(plot), str(file)).stdout
    lines = output.splitlines()
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
    """They are read on all cores, in their order, with less than 300 MB per process."""
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
        # Not its own ru_maxrss, which counts the memory of the tests' process that started it.
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
    """`digitre read ... | head -1` shows no traceback."""
    digitre_program = Path(sys.executable).with_name("digitre")
    done = subprocess.run(
        ["bash", "-c", f"'{digitre_program}' read {folder}/*.png {folder}/*.png | head -1"],
        capture_output=True,
        text=True,
    )
    assert len(done.stdout.splitlines()) == 1
    assert "Traceback" not in done.stderr


def test_version_and_help() -> None:
    """The help names each command, and the help of each command ends with an example."""
    assert digitre("--version").output == f"digitre, version {__version__}\n"
    output = digitre("--help").output
    for name in COMMANDS:
        assert name in output
        assert f"digitre {name}" in digitre(name, "--help").output.split("Example")[1]


@pytest.mark.parametrize(
    ("words", "completion"),
    [
        ("digitre dra", "plain,drawings"),
        ("digitre read docs/se", "file,docs/se"),
        ("digitre read --network cnn", "plain,cnn-3x3"),
    ],
)
def test_completion(words: str, completion: str) -> None:
    """The shell completes the names of commands, files and networks."""
    environment = os.environ | {
        "_DIGITRE_COMPLETE": "bash_complete",
        "COMP_WORDS": words,
        "COMP_CWORD": str(words.count(" ")),
    }
    done = program(env=environment, text=True)
    assert done.stdout.strip() == completion


# Runs the command line as if TensorFlow and matplotlib were not installed.
WITHOUT_THE_EXTRA = (
    "import sys\n"
    "sys.modules['keras'] = sys.modules['tensorflow'] = sys.modules['matplotlib'] = None\n"
    "from digitre.cli import main\n"
    "main(sys.argv[1:])\n"
)


@pytest.mark.parametrize(
    ("words", "extra"),
    [
        (["train", "--epochs", "1"], "this command needs TensorFlow: "),
        (["evaluate"], "digitre[train]"),
        (["report"], "digitre[train]"),
        (["teacher"], "digitre[train]"),
        (["baseline", "mlp-256"], "digitre[train]"),
        (["retrain"], "digitre[train]"),
        (["explore"], "digitre[train]"),
        (["read", "--plot", "x.png", str(ROOT / "docs" / "seven.png")], "digitre[plot]"),
    ],
)
def test_without_the_extra(words: list[str], extra: str, tmp_path: Path) -> None:
    """A command that lacks TensorFlow or matplotlib says what to install."""
    command = [sys.executable, "-c", WITHOUT_THE_EXTRA, *words]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 1
    assert extra in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("name", "option"),
    [
        ("train", "--images"),
        ("evaluate", "--target-accuracy"),
        ("report", "--page"),
        ("teacher", "--epochs"),
        ("baseline", "mlp-256"),
        ("retrain", "--brief"),
    ],
)
def test_help_without_the_extra(name: str, option: str) -> None:
    """The help of training's commands shows their options without TensorFlow."""
    command = [sys.executable, "-c", WITHOUT_THE_EXTRA, name, "--help"]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert option in done.stdout


@pytest.mark.parametrize(
    ("words", "command"),
    [
        (["--epochs", "1"], ["train", "--epochs", "1"]),
        (["--evaluate", "--json"], ["evaluate", "--json"]),
        (["--target-accuracy", "99", "--evaluate"], ["evaluate", "--target-accuracy", "99"]),
        (["--report"], ["report"]),
        (["--page"], ["report", "--page"]),
        (["--teacher", "--epochs", "2"], ["teacher", "--epochs", "2"]),
        (["--network", "mlp-256", "--json"], ["baseline", "mlp-256", "--json"]),
        (["--json", "--network=mlp-256"], ["baseline", "--json", "mlp-256"]),
        (["--network", "digitre", "--resume"], ["train", "--resume"]),
        (["--drawings", "--finetune", "--brief"], ["retrain", "--finetune", "--brief"]),
    ],
)
def test_the_options_of_train_py(words: list[str], command: list[str]) -> None:
    """What train.py and `digitre train` take as options are the commands of the same meaning."""
    assert translate(words) == command


def test_the_help_tells_the_defaults() -> None:
    """The defaults in the help are those of the training."""
    from digitre.training import fit, retrain, shipped

    usual = fit.Settings()
    for name, defaults in (("train", shipped.FINETUNE), ("retrain", retrain.FINETUNE)):
        text = " ".join(digitre(name, "--help").output.split())
        assert f"[default: {usual.epochs}; {defaults['epochs']} with --finetune]" in text
        rates = f"{usual.learning_rate}; {defaults['learning_rate']:.4f} with --finetune"
        assert f"[default: {rates}]" in text
        assert f"[default: {usual.batch}]" in text
        assert f"[default: {usual.seed}]" in text
    text = " ".join(digitre("teacher", "--help").output.split())
    assert f"[default: {shipped.TEACHER['epochs']}]" in text


def test_nothing_but_training_needs_tensorflow(tmp_path: Path) -> None:
    """Other commands load neither TensorFlow nor Keras; `read` loads neither Flask nor a database."""
    code = (
        "import sys\n"
        "from digitre.cli import main\n"
        "main(sys.argv[1:], standalone_mode=False)\n"
        "print(sorted({'tensorflow', 'keras', 'matplotlib', 'sqlalchemy', 'flask'} & set(sys.modules)))\n"
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
    """gunicorn runs with the shipped settings in any folder, also in one with another wsgi.py."""
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
    """Only a network that is there can be promoted, and only a promotion can be rolled back."""
    assert "shipped" in digitre("models", "list").output
    assert "no network" in digitre("models", "promote", "digitre-00000000", expect=1).output
    assert "no network" in digitre("models", "promote", "../../etc", expect=1).output
    assert "no network was promoted" in digitre("models", "rollback", expect=1).output
    name = digitre("models", "list").output.split()[0]
    digitre("models", "promote", name)
    assert name in digitre("models", "rollback").output


def test_a_broken_network_is_never_promoted(tmp_path: Path) -> None:
    """A file that does not match its name, or that LiteRT cannot load, is never promoted."""
    place = tmp_path / "instance" / "models" / "digitre-00000000"
    place.mkdir(parents=True)
    (place / "digitre.tflite").write_bytes(b"\x00\x00\x00\x00TFL3 cut off")
    assert "by its hash it is" in digitre("models", "promote", place.name, expect=1).output
    (place.parent / "current.json").write_text("{")
    assert "not a list of promoted networks" in digitre("models", "list", expect=1).output
    done = program("read", str(ROOT / "docs" / "seven.png"), text=True)
    assert done.returncode == 1
    assert "not a list" in done.stderr

"""`Classifier` as a program of yours uses it: every form of a picture, readings, types, a quiet terminal."""

from __future__ import annotations

import ast
import base64
import contextlib
import io
import json
import pickle
import subprocess
import sys
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import ROOT, assert_error, data_url, png
from PIL import Image
from strokes import DIGITS, OTHERS, drawn

import digitre
from digitre import Candidate, Classifier, PictureError, Reading

INK = drawn(DIGITS[7])
SEVEN = png(INK)
WHITE = 255 - INK  # black on white
GLASS = np.dstack([np.zeros((*INK.shape, 3), np.uint8), INK])  # black on a transparent canvas


class Tensor:
    """What NumPy makes an array of, as PyTorch's and TensorFlow's tensors are."""

    def __array__(self, dtype: Any = None, copy: Any = None) -> np.ndarray:
        return WHITE


def at_its_end(content: bytes) -> io.BytesIO:
    """A file in memory that was written a moment ago."""
    file = io.BytesIO()
    file.write(content)
    return file


FORMS: dict[str, Callable[[Path], Any]] = {
    "the path as text": str,
    "a path": lambda path: path,
    "an open file": lambda path: path.open("rb"),
    "an unbuffered file": lambda path: io.FileIO(path),
    "BytesIO": lambda _: io.BytesIO(SEVEN),
    "BytesIO that was just written": lambda _: at_its_end(SEVEN),
    "text in StringIO": lambda _: io.StringIO(data_url(SEVEN)),
    "bytes": lambda _: SEVEN,
    "bytearray": lambda _: bytearray(SEVEN),
    "memoryview": lambda _: memoryview(SEVEN),
    "a PIL image": lambda _: Image.fromarray(WHITE),
    "a PIL image that is not loaded": Image.open,
    "(h, w)": lambda _: WHITE,
    "(h, w, 1)": lambda _: WHITE[..., None],
    "(h, w, 3)": lambda _: np.dstack([WHITE] * 3),
    "(h, w, 4)": lambda _: GLASS,
    "floats from 0 to 1": lambda _: WHITE / 255,
    "(h, w, 4) of floats": lambda _: GLASS / np.float32(255),
    "zeros and ones": lambda _: (INK > 127).astype(int),
    "booleans": lambda _: INK > 127,
    "a tensor": lambda _: Tensor(),
    "gradio's dictionary": lambda _: {"background": None, "layers": [], "composite": GLASS},
    "a row of a data set": lambda path: {"image": Image.open(path), "label": 7},
    "a data URL": lambda _: data_url(SEVEN),
    "base64": lambda _: base64.b64encode(SEVEN).decode(),
    "base64 as bytes": lambda _: base64.b64encode(SEVEN),
}


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A file whose name could be base64."""
    path = tmp_path / "seven"
    path.write_bytes(SEVEN)
    return path


@pytest.mark.parametrize("form", FORMS)
def test_every_form_is_read(classifier: Classifier, file: Path, form: str) -> None:
    """`read` reads a seven in each form, alone and in an iterable."""
    with contextlib.ExitStack() as stack:
        one, another = (FORMS[form](file) for _ in range(2))
        for each in (one, another):
            if hasattr(each, "close"):
                stack.callback(each.close)
        reading = classifier.read(one)
        assert reading.digit == 7
        assert reading.confidence > 0.99
        assert [each.digit for each in classifier.read([another])] == [7]


SEVERAL: dict[str, Callable[[Path], Any]] = {
    "a tuple": lambda path: (path, SEVEN),
    "a generator": lambda path: (each for each in (path, SEVEN)),
    "an array of pictures": lambda _: np.stack([WHITE, WHITE]),
    "an array of pictures with channels": lambda _: np.stack([GLASS, GLASS]),
    "an array of paths": lambda path: np.array([str(path), str(path)]),
    "an array of objects": lambda path: np.array([path, SEVEN], object),
    "a folder's files": lambda path: path.parent.glob("seven*"),
}


@pytest.mark.parametrize("form", SEVERAL)
def test_every_iterable_is_read(classifier: Classifier, file: Path, form: str) -> None:
    """An iterable of pictures gives a list of readings, in its order."""
    (file.parent / "seven-again").write_bytes(SEVEN)
    assert [each.digit for each in classifier.read(SEVERAL[form](file))] == [7, 7]


@pytest.mark.parametrize(
    "path",
    [
        "missing.png",
        "missing",
        "a/b.png",
        "x" * 500,
        "\0",
        "",
        Path("missing.png"),
        Path("a/b.png"),
    ],
)
def test_a_missing_file_says_so(
    classifier: Classifier, path: str | Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A path that names no file is a FileNotFoundError and a PictureError, and the message says it."""
    monkeypatch.chdir(tmp_path)
    with pytest.raises(FileNotFoundError, match=r"^There is no file '.*\.$") as caught:
        classifier.read(path)
    assert isinstance(caught.value, digitre.MissingFileError)
    assert isinstance(caught.value, PictureError)
    assert caught.value.code == "no_such_file"
    assert len(str(caught.value)) < 200


@pytest.mark.parametrize("kind", [str, Path])
def test_a_folder_is_no_picture(classifier: Classifier, kind: type, tmp_path: Path) -> None:
    """The path of a folder is the error that opening it gives."""
    with pytest.raises(IsADirectoryError):
        classifier.read(kind(tmp_path))


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("data:image/png;base64,!", "bad_base64"),
        (data_url(SEVEN)[:-200], "not_a_picture"),
        (base64.b64encode(SEVEN).decode()[:200], "not_a_picture"),
        ("!" * 5000, "bad_base64"),
        (base64.b64encode(b"%PDF-1.7").decode(), "unsupported_format"),
        ("data:,", "bad_base64"),
    ],
)
def test_a_damaged_text_is_not_a_missing_file(classifier: Classifier, text: str, code: str) -> None:
    """A data URL, the beginning of a picture in base64, or a long text gets the error that it has."""
    with pytest.raises(PictureError) as caught:
        classifier.read(text)
    assert caught.value.code == code
    assert not isinstance(caught.value, OSError)


def test_other_bad_pictures(classifier: Classifier, tmp_path: Path) -> None:
    """A damaged image, a file in text mode, an empty dictionary and a number have errors that tell."""
    (tmp_path / "cut.png").write_bytes(SEVEN[:300])
    with (
        Image.open(tmp_path / "cut.png") as cut,
        pytest.raises(PictureError, match="damaged"),
    ):
        classifier.read(cut)
    (tmp_path / "seven.png").write_bytes(SEVEN)
    with (
        (tmp_path / "seven.png").open(encoding="utf-8") as text,
        pytest.raises(PictureError, match="binary mode"),
    ):
        classifier.read(text)
    with pytest.raises(TypeError, match="composite"):
        classifier.read({"layers": []})
    with pytest.raises(TypeError, match="int"):
        classifier.read(7)  # type: ignore[call-overload]


def test_read_many_raises_skips_or_returns_errors(classifier: Classifier) -> None:
    """`on_error` decides what a picture that cannot be read does to the others."""
    pictures = [SEVEN, "missing.png", b"no picture", None, drawn(DIGITS[3])]
    with pytest.raises(FileNotFoundError) as caught:
        classifier.read_many(pictures)  # type: ignore[call-overload]
    assert caught.value.__notes__ == ["It is picture 1 of the list, counted from 0."]
    skipped = classifier.read_many(iter(pictures), on_error="skip")  # type: ignore[call-overload]
    assert [each.digit for each in skipped] == [7, 3]
    answers = classifier.read_many(pictures, on_error="return")  # type: ignore[call-overload]
    kinds = [FileNotFoundError, PictureError, TypeError]
    assert [type(each) for each in answers[1:4]] != [Reading] * 3
    assert all(isinstance(each, kind) for each, kind in zip(answers[1:4], kinds, strict=True))
    assert [answers[0].digit, answers[4].digit] == [7, 3]
    assert classifier.read_many([], on_error="return") == []


def test_read_many_refuses_what_it_does_not_know(classifier: Classifier) -> None:
    """One picture, another word for `on_error`, and a wrong threshold are refused before anything is read."""
    for one in ("seven.png", SEVEN, WHITE):
        with pytest.raises(TypeError, match="read takes one"):
            classifier.read_many(one)
    with pytest.raises(ValueError, match="on_error"):
        classifier.read_many([], on_error="ignore")  # type: ignore[call-overload]
    with pytest.raises(ValueError, match="threshold"):
        classifier.read_many([], 2)


def test_many_pictures_are_in_memory_a_batch_at_a_time(
    classifier: Classifier, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A generator is asked for the next pictures only when the ones before are read."""
    monkeypatch.setattr("digitre.recognition.opening.BATCH_PIXELS", 2 * INK.size)
    made: list[int] = []
    read: list[int] = []
    detect_all = classifier.detect_all

    def pictures():
        for number in range(5):
            made.append(number)
            yield WHITE

    def counted(images):
        read.append(len(made))
        return detect_all(images)

    monkeypatch.setattr(classifier, "detect_all", counted)
    assert [each.digit for each in classifier.read(pictures())] == [7] * 5
    assert read == [2, 4, 5]


def test_an_error_survives_another_process(classifier: Classifier) -> None:
    """An error can be pickled, as a pool of processes does with it."""
    for bad in ("missing.png", b"no picture"):
        with pytest.raises(PictureError) as caught:
            classifier.read(bad)
        copy = pickle.loads(pickle.dumps(caught.value))
        assert (type(copy), copy.code, str(copy)) == (
            type(caught.value),
            caught.value.code,
            str(caught.value),
        )


class Bars(HTMLParser):
    """The widths of the bars in a piece of HTML, and its text; every element is closed."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.widths: list[float] = []
        self.text = ""
        self.feed(text)
        assert not self.open

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.open.append(tag)
        if tag == "div" and (style := dict(attributes).get("style")):
            self.widths.append(float(style.split("width:")[1].rstrip("%")))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


def test_a_reading_shows_itself(classifier: Classifier) -> None:
    """A reading is one line in a console, and eleven bars in a notebook."""
    seven, scribble = classifier.read(SEVEN), classifier.read(drawn(OTHERS["scribble"]))
    assert repr(seven) == f"<Reading 7 confidence=1.000 model={classifier.model}>"
    assert repr(scribble).startswith("<Reading Huh... confidence=0.000 prediction=")
    assert "reason=not_a_digit" in repr(scribble)
    bars = Bars(seven._repr_html_())
    assert bars.widths == [
        pytest.approx(100 * each, abs=0.051) for each in [*seven.probabilities, seven.not_a_digit]
    ]
    assert "7 (100.0% probability)" in bars.text
    assert "Huh... You call that a digit?" in Bars(scribble._repr_html_()).text
    blank = Reading(None, 0.0, (0.0,) * 10, 1.0, (), "blank", "<i>")
    assert "<i>" in Bars(blank._repr_html_()).text
    assert "prediction=None reason=blank" in repr(blank)


def test_the_names_are_there() -> None:
    """`from digitre import ...` and `dir(digitre)` have the public names."""
    names = {
        "Candidate",
        "Classifier",
        "MissingFileError",
        "NumberReading",
        "PictureError",
        "Reading",
        "create_app",
    }
    assert names | {"__version__"} <= set(dir(digitre))
    assert set(digitre.__all__) == names
    assert all(getattr(digitre, name) for name in names)
    assert Candidate(7, 0.5).probability == 0.5


def test_to_dict_is_the_answer_of_the_api(classifier: Classifier, client) -> None:
    """`to_dict` and /_get_digit answer the same for the same picture."""
    answer = client.post("/_get_digit", data=SEVEN).get_json()
    assert json.loads(json.dumps(classifier.read(SEVEN).to_dict())) == answer


@pytest.mark.parametrize("path", ["docs/seven.png", str(ROOT / "docs" / "seven.png")])
@pytest.mark.parametrize("route", ["/_get_digit", "/predict"])
def test_the_web_opens_no_path(client, route: str, path: str, monkeypatch) -> None:
    """The path of a picture that is there, raw, in JSON or in a form, is 400 `bad_base64`."""
    monkeypatch.chdir(ROOT)
    assert Path(path).exists()
    assert_error(client.post(route, data=path), 400, "bad_base64")
    for name in ("digit", "img", "image"):
        assert_error(client.post(route, json=[{name: path}]), 400, "bad_base64")
        assert_error(client.post(route, json={name: path}), 400, "bad_base64")
        assert_error(client.post(route, data={name: path}), 400, "bad_base64")
        upload = {"data": {name: path}, "content_type": "multipart/form-data"}
        assert_error(client.post(route, **upload), 400, "bad_base64")
    assert_error(client.post(route, json=path), 400, "bad_base64")
    saved = client.post("/_save_drawing", json={"digit": path, "label": 7})
    assert_error(saved, 400, "bad_base64")


def test_what_serves_never_calls_what_opens_paths() -> None:
    """No module of the server calls `Classifier.read` or `read_many`, or imports what opens paths."""
    for wing in ("web", "serving", "drawings"):
        for file in (ROOT / "digitre" / wing).rglob("*.py"):
            for node in ast.walk(ast.parse(file.read_text())):
                if isinstance(node, ast.Attribute) and node.attr in ("read", "read_many"):
                    assert not ast.unparse(node.value).endswith("classifier"), (file, node.lineno)
                if isinstance(node, (ast.Import, ast.ImportFrom)):
                    assert "opening" not in ast.unparse(node), file


def test_a_fresh_process_says_nothing() -> None:
    """`Classifier` leaves standard error empty, also with many pictures; an error still gets there."""
    code = (
        "import sys, numpy\n"
        "from digitre import Classifier\n"
        "classifier = Classifier()\n"
        f"print(classifier.read({str(ROOT / 'docs' / 'seven.png')!r}).result)\n"
        "print(len(classifier.read(numpy.zeros((600, 28, 28)))))\n"
        "if sys.argv[1:]: sys.exit('heard')\n"
    )
    for words, heard in (([], ""), (["x"], "heard\n")):
        done = subprocess.run([sys.executable, "-c", code, *words], capture_output=True, text=True)
        assert done.stdout == "7\n600\n"
        assert done.stderr == heard


def test_a_closed_standard_error_is_no_trouble() -> None:
    """A daemon that has closed standard error can read."""
    code = (
        "import os; os.close(2)\n"
        "from digitre import Classifier\n"
        f"print(Classifier().read({str(ROOT / 'docs' / 'seven.png')!r}).result)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stdout == "7\n"


CLIENT = """# mypy: disallow-untyped-calls, disallow-any-unimported, warn-return-any
import io
from collections.abc import Iterable
from pathlib import Path

import numpy as np
from PIL import Image

from digitre import Candidate, Classifier, PictureError, Reading

classifier = Classifier()
one: Reading = classifier.read("seven.png")
one = classifier.read(Path("seven.png"), 0.8)
one = classifier.read(open("seven.png", "rb"))
one = classifier.read(io.BytesIO(b""))
one = classifier.read(np.zeros((28, 28)))
one = classifier.read(Image.new("L", (28, 28)))
one = classifier.read({"composite": np.zeros((28, 28))})
many: list[Reading] = classifier.read([Path("a.png"), b""])
many = classifier.read_many(Path(".").glob("*.png"), on_error="skip")
some: list[Reading | Exception] = classifier.read_many(["a.png"], on_error="return")
best: Candidate = one.candidates[0]
digit: int | None = one.digit
confidence: float = one.confidence
try:
    classifier.read(b"")
except PictureError as error:
    code: str = error.code
"""


@pytest.mark.slow
def test_a_small_client_passes_mypy(tmp_path: Path) -> None:
    """mypy accepts a client that uses each form, and finds a wrong use."""
    (tmp_path / "client.py").write_text(CLIENT)
    wrong = CLIENT + "classifier.read(7)\nwrong: str = one.digit\n"
    (tmp_path / "wrong.py").write_text(wrong)
    # With the project's options, so that the cache of `make lint` serves.
    command = [sys.executable, "-m", "mypy"]
    command += [str(tmp_path / name) for name in ("client.py", "wrong.py")]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    lines = done.stdout.splitlines()
    assert not [line for line in lines if "client.py" in line], done.stdout
    last = len(wrong.splitlines())
    assert any(f"wrong.py:{last - 1}: error" in line for line in lines), done.stdout
    assert any(f"wrong.py:{last}: error" in line for line in lines), done.stdout
    assert (ROOT / "digitre" / "py.typed").exists()

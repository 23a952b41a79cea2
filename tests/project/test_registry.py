"""The networks that a server has: kept, promoted, taken back, fetched; never a broken one."""

from __future__ import annotations

import hashlib
import socket
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from click.testing import CliRunner

from digitre import Classifier, create_app
from digitre.cli import main
from digitre.recognition.classifier import shipped_model
from digitre.registry import Registry


@pytest.fixture
def versions(tmp_path: Path) -> Registry:
    return Registry(tmp_path / "models")


def another(folder: Path, tail: bytes = b"\0") -> Path:
    """A network of another version: the shipped one and a byte that nobody reads."""
    folder.mkdir()
    (folder / "digitre.tflite").write_bytes(shipped_model().read_bytes() + tail)
    return folder


class Quiet(SimpleHTTPRequestHandler):
    asked: list[str] = []  # noqa: RUF012  # what the test looks at

    def log_message(self, *_: object) -> None:
        self.asked.append(self.path)


@pytest.fixture
def elsewhere(tmp_path: Path) -> Iterator[tuple[Path, str]]:
    """A folder that is served over HTTP, and its address."""
    folder = tmp_path / "elsewhere"
    folder.mkdir()
    Quiet.asked.clear()
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(folder)))
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield folder, f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join(10)
    server.server_close()


def test_promoted_and_taken_back(versions: Registry, tmp_path: Path) -> None:
    """One after the other, and back again, to the shipped one."""
    assert versions.current() == shipped_model()
    first = versions.add(another(tmp_path / "a"))
    second = versions.add(another(tmp_path / "b", b"\1"))
    assert versions.names() == [first, second]
    versions.promote(first)
    versions.promote(second)
    assert Classifier(versions.current()).model == second
    assert versions.rollback() == first
    assert versions.rollback() == Classifier().model
    with pytest.raises(ValueError, match="nothing was promoted"):
        versions.rollback()


def test_the_application_serves_the_promoted_one(versions: Registry, tmp_path: Path) -> None:
    """Where no other is set; one that is not here any more stops the start."""
    name = versions.add(another(tmp_path / "a"))
    versions.promote(name)
    settings = {"MODELS": versions.folder}
    assert create_app(settings).test_client().get("/healthz").get_json()["model"] == name
    shipped = {"MODEL": shipped_model()}
    assert (
        create_app(settings | shipped).extensions["digitre"].classifier.model == Classifier().model
    )
    versions.path(name).unlink()
    with pytest.raises(ValueError, match=f"no network {name}"):
        create_app(settings)


def test_adding_the_same_again(versions: Registry, tmp_path: Path) -> None:
    """It is the same version, its card the newer one; nothing half-written stays."""
    source = another(tmp_path / "a")
    name = versions.add(source)
    (source / "digitre.json").write_text(f'{{"model": "{name}", "note": "newer"}}')
    assert versions.add(source) == name
    assert versions.card(name)["note"] == "newer"
    assert [path.name for path in versions.folder.iterdir()] == [name]


def test_fetched_once(versions: Registry, elsewhere: tuple[Path, str], tmp_path: Path) -> None:
    """Checked by its hash, kept, and not asked for again."""
    folder, address = elsewhere
    content = (another(tmp_path / "a") / "digitre.tflite").read_bytes()
    (folder / "d.tflite").write_bytes(content)
    digest = hashlib.sha256(content).hexdigest()
    url = f"{address}/d.tflite#sha256={digest}"
    name = versions.fetch(url)
    assert versions.path(name).read_bytes() == content
    (folder / "d.tflite").unlink()
    Quiet.asked.clear()
    assert versions.fetch(url) == name
    assert Quiet.asked == []
    assert Classifier(Registry(versions.folder, url).current()).model == name
    settings = {"MODELS": versions.folder, "MODEL_URL": url}
    assert create_app(settings).extensions["digitre"].classifier.model == name


@pytest.mark.parametrize(
    ("served", "ends", "said"),
    [
        (b"hello" * 100, "right", "no LiteRT network"),
        (b"hello" * 100, "wrong", "another file"),
        (None, "right", "404"),
        (b"x", "none", "sha256"),
        (b"x", "short", "sha256"),
    ],
)
def test_what_is_never_taken(
    versions: Registry, elsewhere: tuple[Path, str], served: bytes | None, ends: str, said: str
) -> None:
    """A broken file, another one, none at all: said, and nothing has changed."""
    folder, address = elsewhere
    if served is not None:
        (folder / "d.tflite").write_bytes(served)
    digest = hashlib.sha256(served or b"").hexdigest()
    ending = {
        "right": f"#sha256={digest}",
        "wrong": f"#sha256={'0' * 64}",
        "none": "",
        "short": "#sha256=12",
    }[ends]
    url = f"{address}/d.tflite{ending}"
    with pytest.raises((ValueError, OSError), match=said):
        versions.fetch(url)
    assert versions.names() == []
    settings = {"DIGITRE_MODELS": str(versions.folder), "DIGITRE_MODEL_URL": url}
    result = CliRunner().invoke(main, ["models", "pull", url], env=settings)
    assert result.exit_code == 1
    assert said in result.output
    assert "Traceback" not in result.output


@pytest.mark.parametrize(
    "answer",
    [
        b"hello\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhel",
    ],
)
def test_a_server_that_is_none(versions: Registry, answer: bytes) -> None:
    """What is no HTTP, or breaks off, is said in a line."""
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def once() -> None:
            connection, _ = listening.accept()
            with connection:
                connection.recv(4096)
                connection.sendall(answer)

        thread = threading.Thread(target=once)
        thread.start()
        port = listening.getsockname()[1]
        with pytest.raises(OSError, match="cannot be fetched"):
            versions.fetch(f"http://127.0.0.1:{port}/d.tflite#sha256={'0' * 64}")
        thread.join()
    assert versions.names() == []


def test_pull(versions: Registry, elsewhere: tuple[Path, str], tmp_path: Path) -> None:
    """From one host to another, and served from the next reload on."""
    folder, address = elsewhere
    content = (another(tmp_path / "a") / "digitre.tflite").read_bytes()
    (folder / "digitre.tflite").write_bytes(content)
    (folder / "digitre.json").write_text('{"note": "its card"}')
    url = f"{address}/digitre.tflite#sha256={hashlib.sha256(content).hexdigest()}"
    settings = {"DIGITRE_MODELS": str(versions.folder)}
    result = CliRunner().invoke(main, ["models", "pull", "--promote", url], env=settings)
    assert result.exit_code == 0, result.output
    assert "served from the next reload" in result.output
    name = Classifier(versions.current()).model
    assert versions.path(name).with_name("digitre.json").read_text() == '{"note": "its card"}'


def test_the_shipped_one_is_kept_when_it_is_promoted(versions: Registry) -> None:
    """The next installation may ship another: what was promoted is still here."""
    name = Classifier().model
    versions.promote(name)
    assert versions.names() == [name]
    assert versions.current().parent.parent == versions.folder


def test_what_was_left_half_written_is_no_version(versions: Registry) -> None:
    """Another process is adding one, or was killed at it: nobody sees it."""
    (versions.folder / "new-abc").mkdir(parents=True)
    (versions.folder / "new-abc" / "digitre.tflite").write_bytes(b"half")
    assert versions.names() == []
    settings = {"DIGITRE_MODELS": str(versions.folder)}
    assert CliRunner().invoke(main, ["models", "list"], env=settings).exit_code == 0


def test_a_damaged_network_hides_no_other(versions: Registry, tmp_path: Path) -> None:
    """The list says which one it is, and what there is to go back to."""
    name = versions.add(another(tmp_path / "a"))
    bad = versions.folder / "digitre-00000000" / "digitre.tflite"
    bad.parent.mkdir()
    bad.write_bytes(b"no network")
    result = CliRunner().invoke(
        main, ["models", "list"], env={"DIGITRE_MODELS": str(versions.folder)}
    )
    assert result.exit_code == 0, result.output
    damaged, good = sorted(
        line for line in result.output.splitlines() if name in line or "00000000" in line
    )
    assert "damaged: " in damaged
    assert good.startswith(name)


def test_a_rollback_to_what_cannot_be_had_changes_nothing(
    versions: Registry, tmp_path: Path
) -> None:
    """It fails before it has happened."""
    name = versions.add(another(tmp_path / "a"))
    versions.promote(name)
    away = Registry(versions.folder, f"http://127.0.0.1:9/d.tflite#sha256={'0' * 64}")
    with pytest.raises(OSError, match="refused"):
        away.rollback()
    assert versions.promoted() == [name]


def test_a_setting_goes_before_what_is_promoted(versions: Registry, tmp_path: Path) -> None:
    """DIGITRE_MODEL is served, and the command line says so."""
    name = versions.add(another(tmp_path / "a"))
    shipped = str(shipped_model())
    settings = {"DIGITRE_MODELS": str(versions.folder), "DIGITRE_MODEL": shipped}
    result = CliRunner().invoke(main, ["models", "promote", name], env=settings)
    assert "goes before it" in result.output
    listed = CliRunner().invoke(main, ["models", "list"], env=settings).output
    (served,) = [line for line in listed.splitlines() if "  served" in line]
    assert served.startswith(Classifier().model)
    assert f"by DIGITRE_MODEL: {shipped}" in listed

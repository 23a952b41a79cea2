"""The registry of networks: add, fetch, promote, roll back; never serve a broken network."""

from __future__ import annotations

import hashlib
import json
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
def registry(tmp_path: Path) -> Registry:
    return Registry(tmp_path / "models")


def another(folder: Path, tail: bytes = b"\0") -> Path:
    """A network of another version: the shipped one, with a byte at its end that has no effect."""
    folder.mkdir()
    (folder / "digitre.tflite").write_bytes(shipped_model().read_bytes() + tail)
    return folder


def overwrite(file: Path) -> None:
    """Damage a network so that LiteRT still loads it and reads with it."""
    content = bytearray(file.read_bytes())
    content[100_000:160_000] = bytes(60_000)
    file.write_bytes(content)


class Quiet(SimpleHTTPRequestHandler):
    requests: list[str] = []  # noqa: RUF012  # the paths, for the tests

    def log_message(self, *_: object) -> None:
        self.requests.append(self.path)


@pytest.fixture
def elsewhere(tmp_path: Path) -> Iterator[tuple[Path, str]]:
    """A folder that is served over HTTP, and its address."""
    folder = tmp_path / "elsewhere"
    folder.mkdir()
    Quiet.requests.clear()
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(folder)))
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield folder, f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join(10)
    server.server_close()


def test_promote_and_roll_back(registry: Registry, tmp_path: Path) -> None:
    """Each promotion is served, and each rollback goes back by one, to the shipped network at last."""
    assert registry.current() == shipped_model()
    first = registry.add(another(tmp_path / "a"))
    second = registry.add(another(tmp_path / "b", b"\1"))
    assert registry.names() == [first, second]
    registry.promote(first)
    registry.promote(second)
    assert Classifier(registry.current()).model == second
    assert registry.rollback() == first
    assert registry.rollback() == Classifier().model
    with pytest.raises(ValueError, match="no network was promoted"):
        registry.rollback()


def test_the_application_serves_the_promoted_one(registry: Registry, tmp_path: Path) -> None:
    """The promoted network is served unless DIGITRE_MODEL is set. If it is missing, nothing starts."""
    name = registry.add(another(tmp_path / "a"))
    registry.promote(name)
    settings = {"MODELS": registry.folder}
    assert create_app(settings).test_client().get("/healthz").get_json()["model"] == name
    shipped = {"MODEL": shipped_model()}
    assert (
        create_app(settings | shipped).extensions["digitre"].classifier.model == Classifier().model
    )
    registry.path(name).unlink()
    with pytest.raises(ValueError, match=f"no network {name}"):
        create_app(settings)


def test_adding_the_same_again(registry: Registry, tmp_path: Path) -> None:
    """Adding a network again makes no second version, only its card is replaced."""
    source = another(tmp_path / "a")
    name = registry.add(source)
    (source / "digitre.json").write_text(f'{{"model": "{name}", "made": "later"}}')
    assert registry.add(source) == name
    card = registry.card(name)
    assert card is not None
    assert card.made == "later"
    assert [path.name for path in registry.folder.iterdir()] == [name]


def test_fetched_once(registry: Registry, elsewhere: tuple[Path, str], tmp_path: Path) -> None:
    """A network is fetched once: its hash is checked, and it is not requested again."""
    folder, address = elsewhere
    content = (another(tmp_path / "a") / "digitre.tflite").read_bytes()
    (folder / "d.tflite").write_bytes(content)
    digest = hashlib.sha256(content).hexdigest()
    url = f"{address}/d.tflite#sha256={digest}"
    name = registry.fetch(url)
    assert registry.path(name).read_bytes() == content
    (folder / "d.tflite").unlink()
    Quiet.requests.clear()
    assert registry.fetch(url) == name
    assert Quiet.requests == []
    assert Classifier(Registry(registry.folder, url).current()).model == name
    settings = {"MODELS": registry.folder, "MODEL_URL": url}
    assert create_app(settings).extensions["digitre"].classifier.model == name


@pytest.mark.parametrize(
    ("served", "ends", "message"),
    [
        (b"hello" * 100, "right", "not a LiteRT network"),
        (b"hello" * 100, "wrong", "another file"),
        (None, "right", "404"),
        (b"x", "none", "sha256"),
        (b"x", "short", "sha256"),
    ],
)
def test_a_wrong_file_is_not_added(
    registry: Registry, elsewhere: tuple[Path, str], served: bytes | None, ends: str, message: str
) -> None:
    """A broken, different or missing file is an error, and the registry stays as it was."""
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
    with pytest.raises((ValueError, OSError), match=message):
        registry.fetch(url)
    assert registry.names() == []
    settings = {"DIGITRE_MODELS": str(registry.folder), "DIGITRE_MODEL_URL": url}
    result = CliRunner().invoke(main, ["models", "pull", url], env=settings)
    assert result.exit_code == 1
    assert message in result.output
    assert "Traceback" not in result.output


@pytest.mark.parametrize(
    "answer",
    [
        b"hello\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhel",
    ],
)
def test_a_server_that_does_not_speak_http(registry: Registry, answer: bytes) -> None:
    """An answer that is not HTTP, or breaks off, is an error of one line."""
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def once() -> None:
            connection, _ = listening.accept()
            with connection:
                connection.recv(4096)
                connection.sendall(answer)

        thread = threading.Thread(target=once)
        thread.start()
        port = listening.getsockname()[1]
        with pytest.raises(OSError, match="cannot fetch"):
            registry.fetch(f"http://127.0.0.1:{port}/d.tflite#sha256={'0' * 64}")
        thread.join()
    assert registry.names() == []


def test_pull(registry: Registry, elsewhere: tuple[Path, str], tmp_path: Path) -> None:
    """A network comes from another host with its card, and is served after the next reload."""
    folder, address = elsewhere
    content = (another(tmp_path / "a") / "digitre.tflite").read_bytes()
    (folder / "digitre.tflite").write_bytes(content)
    network = hashlib.sha256(content).hexdigest()
    its_card = json.dumps({"schema": 2, "model": f"digitre-{network[:8]}", "made": "2026"}).encode()
    (folder / "digitre.json").write_bytes(its_card)
    url = f"{address}/digitre.tflite#sha256={network}&card={hashlib.sha256(its_card).hexdigest()}"
    settings = {"DIGITRE_MODELS": str(registry.folder)}
    result = CliRunner().invoke(main, ["models", "pull", "--promote", url], env=settings)
    assert result.exit_code == 0, result.output
    assert "served after the next reload" in result.output
    name = Classifier(registry.current()).model
    assert registry.path(name).with_name("digitre.json").read_bytes() == its_card
    Quiet.requests.clear()
    assert registry.fetch(url) == name
    assert Quiet.requests == []


@pytest.mark.parametrize("kind", ["none", "another", "missing", "another network's", "deep"])
def test_a_card_is_not_believed(
    registry: Registry, elsewhere: tuple[Path, str], tmp_path: Path, kind: str
) -> None:
    """A card is taken only by its hash. If it has another, or is no card of this network, nothing is added."""
    folder, address = elsewhere
    content = (another(tmp_path / "a") / "digitre.tflite").read_bytes()
    (folder / "d.tflite").write_bytes(content)
    network = hashlib.sha256(content).hexdigest()
    its_card = json.dumps({"model": f"digitre-{network[:8]}"}).encode()
    if kind == "another network's":
        its_card = b'{"model": "digitre-00000000"}'
    elif kind == "deep":
        its_card = b"[" * 100_000
    if kind != "missing":
        (folder / "d.json").write_bytes(its_card)
    digest = hashlib.sha256(b"x" if kind == "another" else its_card).hexdigest()
    url = f"{address}/d.tflite#sha256={network}"
    if kind == "none":
        assert registry.card(registry.fetch(url)) is None
        assert Quiet.requests == ["/d.tflite"]
        return
    with pytest.raises((ValueError, OSError), match=r"d\.json"):
        registry.fetch(f"{url}&card={digest}")
    assert registry.names() == []


def test_a_damaged_network_is_not_served(registry: Registry, tmp_path: Path) -> None:
    """60,000 bytes of a promoted network are overwritten: it is not served, and the list and a rollback help."""
    name = registry.add(another(tmp_path / "a"))
    registry.promote(name)
    overwrite(registry.path(name))
    with pytest.raises(ValueError, match=f"is not {name}: by its hash"):
        registry.current()
    with pytest.raises(ValueError, match=f"is not {name}: by its hash"):
        create_app({"MODELS": registry.folder})
    settings = {"DIGITRE_MODELS": str(registry.folder)}
    listed = CliRunner().invoke(main, ["models", "list"], env=settings)
    assert listed.exit_code == 1
    assert f"by its hash it is {Classifier(registry.path(name)).model}" in listed.output
    assert Classifier().model in listed.output
    assert "Traceback" not in listed.output
    assert registry.rollback() == Classifier().model


@pytest.mark.parametrize(
    "content",
    [
        b"[" * 100_000,
        b'{"promoted": ' + b"[" * 100_000,
        b"",
        b"\xff",
        b"[]",
        b"7",
        b'{"promoted": {}}',
        b'{"promoted": [5]}',
        b'{"promoted": ["../../etc"]}',
        b'{"promoted": ["digitre-00000000"]}',
    ],
)
def test_a_damaged_list_is_one_line(registry: Registry, content: bytes) -> None:
    """Another content of current.json is an error of one line, for a server and for each command."""
    registry.folder.mkdir()
    (registry.folder / "current.json").write_bytes(content)
    with pytest.raises(ValueError, match=str(registry.folder)) as raised:
        registry.current()
    assert "\n" not in str(raised.value)
    settings = {"DIGITRE_MODELS": str(registry.folder)}
    for command in (["list"], ["rollback"]):
        result = CliRunner().invoke(main, ["models", *command], env=settings)
        assert (result.exit_code, type(result.exception)) in [(1, SystemExit), (0, type(None))]


def test_promoting_the_shipped_network_copies_it(registry: Registry) -> None:
    """The next installation may ship another network, so the promoted one is copied."""
    name = Classifier().model
    registry.promote(name)
    assert registry.names() == [name]
    assert registry.current().parent.parent == registry.folder


def test_an_incomplete_version_is_not_listed(registry: Registry) -> None:
    """A network that another process is adding, or that it could not finish, is not listed."""
    (registry.folder / "new-abc").mkdir(parents=True)
    (registry.folder / "new-abc" / "digitre.tflite").write_bytes(b"half")
    assert registry.names() == []
    settings = {"DIGITRE_MODELS": str(registry.folder)}
    assert CliRunner().invoke(main, ["models", "list"], env=settings).exit_code == 0


def test_a_damaged_network_is_listed_as_such(registry: Registry, tmp_path: Path) -> None:
    """The list marks the damaged network, and still shows the others."""
    name = registry.add(another(tmp_path / "a"))
    bad = registry.folder / "digitre-00000000" / "digitre.tflite"
    bad.parent.mkdir()
    bad.write_bytes(b"no network")
    result = CliRunner().invoke(
        main, ["models", "list"], env={"DIGITRE_MODELS": str(registry.folder)}
    )
    assert result.exit_code == 0, result.output
    damaged, good = sorted(
        line for line in result.output.splitlines() if name in line or "00000000" in line
    )
    assert "damaged: " in damaged
    assert good.startswith(name)


def test_a_rollback_that_fails_changes_nothing(registry: Registry, tmp_path: Path) -> None:
    """If the previous network cannot be fetched, the promoted one stays."""
    name = registry.add(another(tmp_path / "a"))
    registry.promote(name)
    away = Registry(registry.folder, f"http://127.0.0.1:9/d.tflite#sha256={'0' * 64}")
    with pytest.raises(OSError, match="refused"):
        away.rollback()
    assert registry.promoted() == [name]


def test_a_setting_overrides_the_promoted_network(registry: Registry, tmp_path: Path) -> None:
    """DIGITRE_MODEL is served, and the command line says so."""
    name = registry.add(another(tmp_path / "a"))
    shipped = str(shipped_model())
    settings = {"DIGITRE_MODELS": str(registry.folder), "DIGITRE_MODEL": shipped}
    result = CliRunner().invoke(main, ["models", "promote", name], env=settings)
    assert "overrides it" in result.output
    listed = CliRunner().invoke(main, ["models", "list"], env=settings).output
    (served,) = [line for line in listed.splitlines() if "  served" in line]
    assert served.startswith(Classifier().model)
    assert f"DIGITRE_MODEL overrides the promoted network: {shipped}" in listed

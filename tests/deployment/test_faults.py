"""Faults under a steady load on a real nginx and gunicorn: every answer is checked."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import re
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from conftest import ROOT, data_url, free_port, gunicorn, need, png, running, workers
from sites import serve
from strokes import DIGITS, drawn

from digitre.recognition.classifier import shipped_model
from digitre.registry import Registry

pytestmark = [pytest.mark.slow, pytest.mark.alone]

DRAWN = {digit: png(drawn(strokes)) for digit, strokes in DIGITS.items()}


@dataclass
class Server:
    """gunicorn behind nginx.

    Attributes:
        address: nginx's address.
        upstream: gunicorn's own address.
        log: gunicorn's log.
        instance: its instance folder.
    """

    address: str
    upstream: str
    log: Path
    instance: Path

    @property
    def master(self) -> int:
        """The process number of gunicorn's first master."""
        return masters(self.log)[0]


def masters(log: Path) -> list[int]:
    """The process numbers of gunicorn's masters, from their log."""
    return [int(number) for number in re.findall(r"Listening at: .* \((\d+)\)", log.read_text())]


@contextmanager
def site(folder: Path, *, unlimited: bool = True, **variables: str) -> Iterator[Server]:
    """Run gunicorn with the shipped configuration, and nginx in front of it."""
    instance = folder / "instance"
    settings = {"WEB_CONCURRENCY": "2", "DIGITRE_INSTANCE": str(instance)} | variables
    log = folder / "log"
    (folder / "nginx").mkdir()
    with (
        gunicorn(log, "--config", "deploy/gunicorn.conf.py", **settings) as upstream,
        serve(folder / "nginx", upstream, unlimited=unlimited) as nginx,
    ):
        yield Server(nginx.http, upstream, log, instance)


def post(address: str, path: str, body: bytes, timeout: float = 30) -> tuple[int, dict]:
    """The status and the JSON of the answer."""
    host, port = address.removeprefix("http://").split(":")
    connection = http.client.HTTPConnection(host, int(port), timeout=timeout)
    try:
        connection.request("POST", path, body)
        answer = connection.getresponse()
        return answer.status, json.loads(answer.read())
    finally:
        connection.close()


@dataclass
class Load:
    """The result of a steady load: right answers are counted, everything else is in `wrong`."""

    answers: int = 0
    wrong: list = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)
    models: list[str] = field(default_factory=list)


@contextmanager
def under_load(address: str, clients: int = 3) -> Iterator[Load]:
    """Read drawings all the time, and check each answer."""
    load, stop = Load(), threading.Event()

    def read(number: int) -> None:
        while not stop.is_set():
            digit = (load.answers + number) % 10
            started = time.monotonic()
            try:
                status, answer = post(address, "/_get_digit", DRAWN[digit])
            except (OSError, http.client.HTTPException, ValueError) as error:
                load.wrong.append(repr(error))
                continue
            load.seconds.append(time.monotonic() - started)
            load.answers += 1
            if status != 200 or answer["digit"] != digit:
                load.wrong.append((status, answer))
            else:
                load.models.append(answer["model"])

    threads = [threading.Thread(target=read, args=(number,)) for number in range(clients)]
    for thread in threads:
        thread.start()
    try:
        yield load
    finally:
        stop.set()
        for thread in threads:
            thread.join(40)


def until(condition: Callable[[], bool], seconds: float = 30) -> float:
    """Wait until the condition holds, and return the seconds that took."""
    started = time.monotonic()
    while not condition():
        assert time.monotonic() < started + seconds, "the condition never held"
        time.sleep(0.01)
    return time.monotonic() - started


def promote_another_network(instance: Path) -> str:
    """Promote a network with another version: the shipped one plus a byte that LiteRT ignores."""
    folder = instance.parent / "another"
    folder.mkdir(exist_ok=True)
    content = shipped_model().read_bytes()
    (folder / "digitre.tflite").write_bytes(content + b"\0")
    versions = Registry(instance / "models")
    name = versions.add(folder)
    versions.promote(name)
    return name


def test_a_reload_with_a_new_network(tmp_path: Path) -> None:
    """After SIGHUP no request fails, and soon the new network reads all of them."""
    with site(tmp_path) as server, under_load(server.address) as load:
        until(lambda: load.answers > 20)
        name = promote_another_network(server.instance)
        os.kill(server.master, signal.SIGHUP)
        until(lambda: load.models[-12:] == [name] * 12)
    assert not load.wrong
    assert len(set(load.models)) == 2


def test_a_new_master_replaces_the_old_one(tmp_path: Path) -> None:
    """After SIGUSR2, and SIGTERM to the old master, the new one has a runtime folder of its own, serves
    newly promoted networks, and replaces dead workers. Neither master leaves a folder behind.
    """

    def folders() -> set[str]:
        return {str(path) for path in Path("/dev/shm").glob("digitre-*")}

    before = folders()
    # As a killed master leaves it behind.
    (stale := Path(tempfile.mkdtemp(prefix="digitre-1-", dir="/dev/shm")) / "lock").touch()
    with contextlib.suppress(ProcessLookupError), site(tmp_path) as server:
        assert not stale.parent.exists()
        old = server.master
        os.kill(old, signal.SIGUSR2)
        until(lambda: len(masters(server.log)) == 2)
        new = masters(server.log)[1]
        try:
            with under_load(server.address) as load:
                until(lambda: len(workers(server.log)) >= 4)
                os.kill(old, signal.SIGTERM)
                until(lambda: len(folders() - before) == 1)
                name = promote_another_network(server.instance)
                os.kill(new, signal.SIGHUP)
                until(lambda: load.models[-12:] == [name] * 12)
                os.kill(workers(server.log)[-1], signal.SIGKILL)
                until(lambda: len(workers(server.log)) >= 7)
                had = load.answers
                until(lambda: load.answers > had + 20)
                assert load.models[-1] == name
            assert not load.wrong
        finally:
            os.kill(new, signal.SIGTERM)
            until(lambda: folders() <= before)


def test_a_worker_is_killed(tmp_path: Path) -> None:
    """After SIGKILL nginx asks another worker and no request fails. A new worker starts before the others
    have answered a thousand more (the best of four).
    """
    meanwhile = []
    with site(tmp_path) as server, under_load(server.address) as load:
        for _ in range(4):
            had, before = load.answers, len(workers(server.log))
            until(lambda had=had: load.answers > had + 10)
            had = load.answers
            os.kill(workers(server.log)[-1], signal.SIGKILL)
            until(lambda before=before: len(workers(server.log)) > before)
            meanwhile.append(load.answers - had)
        had = load.answers
        until(lambda: load.answers > had + 20)
    assert not load.wrong
    assert min(meanwhile) < 1000


def test_the_server_is_ended(tmp_path: Path) -> None:
    """After SIGTERM requests in progress are answered, and later ones get a 503 as JSON."""
    with contextlib.suppress(ProcessLookupError), site(tmp_path) as server:
        with under_load(server.address) as load:
            until(lambda: load.answers > 20)
            os.kill(server.master, signal.SIGTERM)
            until(lambda: bool(load.wrong))
        assert {status for status, _ in load.wrong} == {503}
        assert {answer["error"]["code"] for _, answer in load.wrong} == {"unavailable"}


def test_slow_clients(tmp_path: Path) -> None:
    """While 200 clients send a byte at a time, the others are answered as without them."""
    with site(tmp_path) as server:
        with under_load(server.address) as quiet:
            until(lambda: quiet.answers > 100)
        host, port = server.address.removeprefix("http://").split(":")
        head = f"POST /_get_digit HTTP/1.1\r\nHost: {host}\r\nContent-Length: 5000\r\n\r\n".encode()
        slow = []
        with contextlib.ExitStack() as stack:
            for _ in range(200):
                client = stack.enter_context(socket.create_connection((host, int(port)), 10))
                client.sendall(head)
                slow.append(client)
            with under_load(server.address) as load:
                for turn in range(10):
                    for client in slow:
                        client.sendall(b"a")
                    until(lambda turn=turn: load.answers > 20 * turn)
    assert not load.wrong
    # A worker that waited for one of them would be away for many seconds.
    assert statistics.median(load.seconds) < 5 * statistics.median(quiet.seconds) + 0.1
    assert max(load.seconds) < 10 * max(quiet.seconds) + 1


def test_a_burst(tmp_path: Path) -> None:
    """Far above the limit each request is answered or gets a 429, at once; soon all are answered again."""
    with site(tmp_path, unlimited=False) as server:
        with under_load(server.address, clients=40) as load:
            until(lambda: load.answers > 200 and len(load.wrong) > 200, 60)
        statuses = [status for status, _ in load.wrong if isinstance(status, int)]
        assert len(statuses) == len(load.wrong)
        assert set(statuses) == {429}
        until(lambda: post(server.address, "/_get_digit", DRAWN[7])[0] == 200)


def test_overload(tmp_path: Path) -> None:
    """250 clients without a limit ask without a pause: each gets its answer or an error (429 or 503)
    before its time-out, and soon all are answered again.
    """
    with site(tmp_path) as server:
        with under_load(server.address, clients=250) as load:
            until(lambda: load.answers > 1000, 60)
        assert {each[0] for each in load.wrong} <= {429, 503}, load.wrong[:3]
        assert load.answers > 250
        assert max(load.seconds) < 15  # of the 30 that a client waits
        until(lambda: post(server.address, "/_get_digit", DRAWN[7], timeout=1)[0] == 200, 3)


def test_a_full_disk_for_logs_and_temporary_files(tmp_path: Path) -> None:
    """If neither the log nor temporary files can be written, digits are read, by new workers too."""
    if os.geteuid() != 0 or not Path("/dev/full").exists():
        pytest.skip("only root can mount a small disk, and only Linux has /dev/full")
    disk, log = tmp_path / "disk", tmp_path / "log"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=8k", "tmpfs", str(disk)]
    if subprocess.run(mount, capture_output=True).returncode:
        pytest.skip("a small disk cannot be mounted here")
    settings = {"PORT": str(free_port()), "WEB_CONCURRENCY": "2", "TMPDIR": str(disk)}
    settings["DIGITRE_INSTANCE"] = str(disk / "instance")
    try:
        with contextlib.suppress(OSError):
            (disk / "filler").write_bytes(b"x" * 8192)
        with (
            log.open("wb") as errors,
            Path("/dev/full").open("wb") as full,
            running(
                [sys.executable, "-m", "gunicorn", "-c", "deploy/gunicorn.conf.py", "wsgi:app"],
                f"http://127.0.0.1:{settings['PORT']}",
                cwd=ROOT,
                env=os.environ | settings,
                stdout=full,
                stderr=errors,
            ) as address,
        ):
            until(lambda: len(workers(log)) == 2)
            for turn in range(3):
                for digit in range(10):
                    assert post(address, "/_get_digit", DRAWN[digit])[1]["digit"] == digit
                had = workers(log)
                os.kill(had[-1], signal.SIGKILL)
                until(lambda had=had: len(workers(log)) > len(had), 10)
                assert len(had) == 2 + turn  # none has died by itself
    finally:
        subprocess.run(["umount", str(disk)], check=True)


def test_a_full_memory(tmp_path: Path) -> None:
    """If another process fills /dev/shm, digits are read on, by new workers without metrics too."""
    if os.geteuid() != 0:
        pytest.skip("only root can have a /dev/shm of its own")
    log = tmp_path / "log"
    port = free_port()
    settings = {"PORT": str(port), "WEB_CONCURRENCY": "2", "DIGITRE_INSTANCE": str(tmp_path)}
    gunicorn_here = f"{sys.executable} -m gunicorn --config deploy/gunicorn.conf.py wsgi:app"
    own = f"mount -t tmpfs -o size=40m tmpfs /dev/shm && exec {gunicorn_here}"
    with (
        log.open("wb") as out,
        running(
            [need("unshare"), "--mount", "sh", "-c", own],
            f"http://127.0.0.1:{port}",
            cwd=ROOT,
            env=os.environ | settings,
            stdout=out,
            stderr=subprocess.STDOUT,
        ) as address,
    ):
        until(lambda: len(workers(log)) == 2)
        memory = Path(f"/proc/{masters(log)[0]}/root/dev/shm")
        with contextlib.suppress(OSError), (memory / "filler").open("wb", buffering=0) as filler:
            while True:
                filler.write(bytes(4096))
        for turn in range(2):
            for digit in range(10):
                assert post(address, "/_get_digit", DRAWN[digit])[1]["digit"] == digit
            get(address, "/readyz")  # a route that was not counted before
            had = workers(log)
            assert len(had) == 2 + turn  # none has died by itself
            os.kill(had[-1], signal.SIGKILL)
            until(lambda had=had: len(workers(log)) > len(had))
        assert post(address, "/_get_digit", DRAWN[7])[1]["digit"] == 7
    text = log.read_text()
    assert "no metrics of worker" in text
    assert "SIGBUS" not in text
    assert "Traceback" not in text


def fail_to_start(folder: Path, **variables: str) -> tuple[int, str]:
    """The exit status and the output of a start that should fail."""
    done = subprocess.run(
        [sys.executable, "-m", "gunicorn", "--config", "deploy/gunicorn.conf.py", "wsgi:app"],
        cwd=ROOT,
        env=os.environ | {"PORT": str(free_port()), "DIGITRE_INSTANCE": str(folder)} | variables,
        capture_output=True,
        text=True,
        timeout=60,
    )
    return done.returncode, done.stdout + done.stderr


@pytest.mark.parametrize("kind", ["missing", "truncated", "wrong"])
def test_a_bad_network(tmp_path: Path, kind: str) -> None:
    """The server does not start, and one line says why."""
    file = tmp_path / "digitre.tflite"
    content = shipped_model().read_bytes()
    if kind == "truncated":
        file.write_bytes(content[: len(content) // 2])
    elif kind == "wrong":
        file.write_bytes(b"hello" * 1000)
    code, output = fail_to_start(tmp_path / "instance", DIGITRE_MODEL=str(file))
    assert code != 0
    lines = [line for line in output.splitlines() if "[INFO]" not in line]
    assert len(lines) == 1
    assert lines[0].startswith("digitre: ")
    assert str(file) in lines[0] or "not a LiteRT network" in lines[0]


def test_a_running_server_keeps_its_network(tmp_path: Path) -> None:
    """If the promoted file is damaged, a reload and a new worker keep the current network."""
    with site(tmp_path) as server, under_load(server.address) as load:
        name = promote_another_network(server.instance)
        os.kill(server.master, signal.SIGHUP)
        until(lambda: load.models[-12:] == [name] * 12)
        file = server.instance / "models" / name / "digitre.tflite"
        content = bytearray(file.read_bytes())
        content[100_000:160_000] = bytes(60_000)  # LiteRT would still read with it
        file.write_bytes(content)
        os.kill(server.master, signal.SIGHUP)
        until(lambda: "stays" in server.log.read_text())
        until(lambda: len(workers(server.log)) >= 6)
        os.kill(workers(server.log)[-1], signal.SIGKILL)
        until(lambda: len(workers(server.log)) >= 7)
        had = load.answers
        until(lambda: load.answers > had + 30)
        assert set(load.models[-20:]) == {name}
        status, ready = get(server.upstream, "/readyz")
        assert (status, ready["model"]) == (200, name)
    assert not load.wrong
    assert "by its hash it is" in server.log.read_text()


def get(address: str, path: str) -> tuple[int, dict]:
    """The status and the JSON of the answer."""
    host, port = address.removeprefix("http://").split(":")
    connection = http.client.HTTPConnection(host, int(port), timeout=20)
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        return answer.status, json.loads(answer.read())
    finally:
        connection.close()


def test_a_full_disk(tmp_path: Path) -> None:
    """Saving answers 503, no acknowledged drawing is lost, and reading continues."""
    if os.geteuid() != 0:
        pytest.skip("only root can mount a small disk")
    disk = tmp_path / "instance"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=400k", "tmpfs", str(disk)]
    if subprocess.run(mount, capture_output=True).returncode:
        pytest.skip("a small disk cannot be mounted here")
    try:
        with site(tmp_path) as server, under_load(server.address, clients=1) as load:
            saved, full = [], 0
            for number in range(400):
                body = {"digit": data_url(DRAWN[7]), "label": 7, "writer": f"w{number}"}
                body["strokes"] = [[[k, k, k] for k in range(300)]]  # type: ignore[assignment]
                status, answer = post(server.address, "/_save_drawing", json.dumps(body).encode())
                assert status in (201, 503), answer
                if status == 201:
                    saved.append(answer["id"])
                else:
                    assert answer["error"]["code"] == "storage_unavailable"
                    full += 1
                if full > 5:
                    break
            assert full > 5
            assert len(saved) > 3
            had = load.answers
            until(lambda: load.answers > had + 20)
            status, ready = get(server.upstream, "/readyz")
            reason = "drawings cannot be saved: No space left on device"
            assert (status, ready["wrong"]) == (503, {"database": reason})
        copied = tmp_path / "copy"
        shutil.copytree(disk, copied)
    finally:
        subprocess.run(["umount", str(disk)], check=True)
    from digitre.drawings.collection import Drawings

    drawings = Drawings(f"sqlite:///{copied / 'drawings.sqlite3'}")
    assert all(drawings.find(id) for id in saved)
    assert not load.wrong


def test_the_database_fails(tmp_path: Path, postgres: str) -> None:
    """Without its table saving answers 503 and /readyz says why, but reading continues."""
    import databases
    import sqlalchemy as sa

    url = databases.emptied(postgres)
    databases.close_all()
    body = json.dumps({"digit": data_url(DRAWN[7]), "label": 7}).encode()
    with site(tmp_path, DIGITRE_DATABASE_URL=url) as server:
        assert post(server.address, "/_save_drawing", body)[0] == 201
        engine = sa.create_engine(url, poolclass=sa.NullPool)
        with engine.begin() as connection:
            connection.execute(sa.text("ALTER TABLE drawings RENAME TO elsewhere"))
        with under_load(server.address) as load:
            again = json.dumps({"digit": data_url(DRAWN[3]), "label": 3}).encode()
            status, answer = post(server.address, "/_save_drawing", again)
            assert (status, answer["error"]["code"]) == (503, "storage_unavailable")
            until(lambda: load.answers > 30)
        assert not load.wrong
        status, ready = get(server.upstream, "/readyz")
        assert (status, list(ready["wrong"])) == (503, ["database"])
        with engine.begin() as connection:
            connection.execute(sa.text("ALTER TABLE elsewhere RENAME TO drawings"))
        assert post(server.address, "/_save_drawing", again)[0] == 201
        engine.dispose()

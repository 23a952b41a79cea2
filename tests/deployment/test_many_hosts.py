"""Several hosts, each in a network namespace: a balancer, three with the application, PostgreSQL."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import databases
import pytest
import sqlalchemy as sa
from conftest import ROOT, data_url, need, png
from sites import AROUND, edit, install_includes, shipped
from strokes import DIGITS, drawn

from benchmarks import servers
from digitre.drawings.collection import Drawings
from digitre.recognition.classifier import shipped_model
from digitre.registry import Registry

pytestmark = [pytest.mark.slow, pytest.mark.alone]

# In 10.77.0.0/24, which exists in these namespaces only.
HERE, BALANCER, DATABASE = "10.77.0.1", "10.77.0.2", "10.77.0.3"
HOSTS = ("10.77.0.11", "10.77.0.12", "10.77.0.13")
BRIDGE = "digitre-br"
DRAWN = {digit: png(drawn(strokes)) for digit, strokes in DIGITS.items()}


def ip(*words: str) -> None:
    """Run the command `ip`."""
    subprocess.run(["ip", *words], check=True, capture_output=True)


def name(address: str) -> str:
    """The name of a host's network namespace."""
    return "digitre-" + address.rsplit(".", 1)[1]


def within(address: str) -> list[str]:
    """The beginning of a command that runs on a host."""
    return ["ip", "netns", "exec", name(address)]


@contextmanager
def networks() -> Iterator[None]:
    """Make a bridge, and a namespace on it for each host; remove all of them at the end."""
    made: list[tuple[str, ...]] = []

    def make(*words: str, undo: tuple[str, ...]) -> None:
        ip(*words)
        made.append(undo)

    try:
        make("link", "add", BRIDGE, "type", "bridge", undo=("link", "del", BRIDGE))
        ip("addr", "add", f"{HERE}/24", "dev", BRIDGE)
        ip("link", "set", BRIDGE, "up")
        for address in (BALANCER, DATABASE, *HOSTS):
            space = name(address)
            make("netns", "add", space, undo=("netns", "del", space))
            outside, inside = f"d{space[8:]}a", f"d{space[8:]}b"
            veth = ("link", "add", outside, "type", "veth", "peer", "name", inside)
            # It has to be deleted itself: its namespace would take it away only some time later.
            make(*veth, "netns", space, undo=("link", "del", outside))
            ip("link", "set", outside, "master", BRIDGE, "up")
            for words in (
                ("addr", "add", f"{address}/24", "dev", inside),
                ("link", "set", inside, "up"),
                ("link", "set", "lo", "up"),
            ):
                ip("-n", space, *words)
        yield
    finally:
        for undo in reversed(made):
            with contextlib.suppress(subprocess.CalledProcessError):
                ip(*undo)


def get(address: str, path: str, body: bytes | None = None, timeout: float = 20) -> tuple:
    """The status and the JSON of the answer. With a body, the request is a POST."""
    connection = http.client.HTTPConnection(address, 80 if address == BALANCER else 8000, timeout)
    connection.timeout = timeout
    try:
        connection.request("POST" if body else "GET", path, body, {"Host": "digits.example.org"})
        answer = connection.getresponse()
        return answer.status, json.loads(answer.read())
    finally:
        connection.close()


class Host:
    """One host with the application."""

    def __init__(self, address: str, folder: Path, database: str) -> None:
        self.address, self.log = address, folder / f"{name(address)}.log"
        self.instance = folder / name(address)
        self._environment = os.environ | {
            "DIGITRE_BIND": f"{address}:8000",
            "DIGITRE_INSTANCE": str(self.instance),
            "DIGITRE_DATABASE_URL": database,
            "DIGITRE_SECRET": "the same on every host",
            "WEB_CONCURRENCY": "1",
        }
        self.process: subprocess.Popen | None = None

    def start(self) -> None:
        gunicorn = [sys.executable, "-m", "gunicorn", "--config", "deploy/gunicorn.conf.py"]
        with self.log.open("ab") as out:
            self.process = subprocess.Popen(
                [*within(self.address), *gunicorn, "wsgi:app"],
                cwd=ROOT,
                env=self._environment,
                stdout=out,
                stderr=out,
                start_new_session=True,
            )
        until(lambda: answers(self.address))

    def end(self, how: int = signal.SIGTERM) -> None:
        """End it with its workers. `ip netns exec` becomes gunicorn, so its process group has no one else."""
        if self.process and self.process.poll() is None:
            os.killpg(self.process.pid, how)
            self.process.wait(20)

    def reload(self) -> None:
        assert self.process is not None
        os.kill(self.process.pid, signal.SIGHUP)

    def count(self) -> int:
        """The drawings that it has read, by its log."""
        return len(re.findall('"route": "/_get_digit", "status": 200', self.log.read_text()))

    def link(self, state: str) -> None:
        """Connect it to the network (up) or cut it off (down)."""
        ip("link", "set", f"d{name(self.address)[8:]}a", state)


def answers(address: str) -> bool:
    """Whether a host answers."""
    try:
        return get(address, "/healthz", timeout=2)[0] == 200
    except (OSError, ValueError, http.client.HTTPException):
        return False


def until(condition: Callable[[], bool], seconds: float = 30) -> None:
    """Wait until the condition holds."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "the condition never held"
        time.sleep(0.05)


@pytest.fixture
def balanced(tmp_path: Path) -> Iterator[list[Host]]:
    """Three hosts with one PostgreSQL, behind nginx with the shipped balancer's configuration."""
    if os.geteuid() != 0:
        pytest.skip("only root can make network namespaces")
    need("ip")
    nginx = need("nginx")
    bin = databases.programs()
    if bin is None:
        need("pg_ctl")
    assert bin is not None
    with contextlib.ExitStack() as stack:
        try:
            stack.enter_context(networks())
        except subprocess.CalledProcessError as error:
            if b"not permitted" not in error.stderr:
                raise
            pytest.skip("network namespaces cannot be made here")
        database = stack.enter_context(databases.postgresql(bin, within(DATABASE), DATABASE))
        stack.callback(databases.close_all)
        hosts = [Host(address, tmp_path, database) for address in HOSTS]
        for host in hosts:
            stack.callback(host.end)
            host.start()
        replacements = install_includes(tmp_path, f"{HERE} 0;")
        for number, address in enumerate(HOSTS):
            replacements[f"10.0.0.1{number + 1}:8000"] = f"{address}:8000"
        (tmp_path / "digitre.conf").write_text(edit(shipped("nginx-balancer.conf"), replacements))
        (tmp_path / "nginx.conf").write_text(
            AROUND.format(user="user root;", folder=tmp_path, types="/etc/nginx/mime.types")
        )
        tmp_path.chmod(0o755)
        arguments = [nginx, "-p", str(tmp_path), "-c", str(tmp_path / "nginx.conf")]
        balancer = subprocess.Popen(
            [*within(BALANCER), *arguments, "-e", str(tmp_path / "error.log")]
        )
        stack.callback(balancer.wait, 20)
        stack.callback(balancer.terminate)
        until(lambda: answers(BALANCER))
        yield hosts


def test_hosts_come_and_go(balanced: list[Host], tmp_path: Path) -> None:
    """One host is cut off, another killed, both return, and all switch to a new network one by one.
    No reading fails, no acknowledged drawing is lost, and the hosts share the load again.
    """
    wrong: list = []
    models: list[str] = []
    acknowledged: list[str] = []
    read = 0
    stop = threading.Event()

    def ask(number: int) -> None:
        nonlocal read
        while not stop.is_set():
            read += 1
            digit = (read + number) % 10
            try:
                status, answer = get(BALANCER, "/_get_digit", DRAWN[digit])
                if (status, answer.get("digit")) != (200, digit):
                    wrong.append((status, answer))
                else:
                    models.append(answer["model"])
                if read % 10 == number:
                    body = {"digit": data_url(DRAWN[7]), "label": 7, "writer": f"w{number}-{read}"}
                    status, answer = get(BALANCER, "/_save_drawing", json.dumps(body).encode())
                    if status in (200, 201):
                        acknowledged.append(answer["id"])
                    else:
                        wrong.append((status, answer))
            except (OSError, ValueError, http.client.HTTPException) as error:
                wrong.append(repr(error))

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(3)]
    for thread in threads:
        thread.start()
    try:
        first, second, third = balanced
        until(lambda: all(host.count() > 5 for host in balanced))

        first.link("down")  # cut off
        had = third.count()
        until(lambda: third.count() > had + 20, 60)
        first.link("up")

        second.end(signal.SIGKILL)
        had = third.count()
        until(lambda: third.count() > had + 20, 60)
        second.start()

        had_all = [host.count() for host in balanced]
        until(
            lambda: all(h.count() > had + 10 for h, had in zip(balanced, had_all, strict=True)), 60
        )

        folder = tmp_path / "another"
        folder.mkdir()
        (folder / "digitre.tflite").write_bytes(shipped_model().read_bytes() + b"\0")
        for host in balanced:
            versions = Registry(host.instance / "models")
            new = versions.add(folder)
            versions.promote(new)
            host.reload()
            until(lambda host=host, new=new: get(host.address, "/healthz")[1]["model"] == new)
        until(lambda: models[-20:] == [new] * 20)
    finally:
        stop.set()
        for thread in threads:
            thread.join(60)
    assert not wrong
    assert len(set(models)) == 2
    assert len(acknowledged) > 5
    with databases_of(balanced[0]) as store:
        assert all(store.find(id) for id in acknowledged)


@contextmanager
def databases_of(host: Host) -> Iterator[Drawings]:
    """The saved drawings, read from this machine."""
    url = sa.make_url(host._environment["DIGITRE_DATABASE_URL"])
    yield Drawings(url.render_as_string(hide_password=False))


def test_a_host_without_the_database(balanced: list[Host]) -> None:
    """A host that can't reach the database answers 503 to a save, so the balancer asks another one."""
    first = balanced[0]
    ip("-n", name(first.address), "route", "add", "blackhole", DATABASE)
    for number in range(6):
        drawing = {"digit": data_url(DRAWN[7]), "label": 7, "writer": f"w{number}"}
        body = json.dumps(drawing).encode()
        assert get(first.address, "/_save_drawing", body)[0] == 503
        assert get(BALANCER, "/_save_drawing", body)[0] == 201


def test_a_database_that_is_cut_off(balanced: list[Host]) -> None:
    """Saving answers 503 within seconds on each host, and reading continues through the balancer."""
    body = json.dumps({"digit": data_url(DRAWN[7]), "label": 7}).encode()
    assert get(BALANCER, "/_save_drawing", body)[0] == 201
    ip("link", "set", f"d{name(DATABASE)[8:]}a", "down")
    for writer in range(6):
        more = json.dumps({"digit": data_url(DRAWN[3]), "label": 3, "writer": f"w{writer}"})
        status, answer = get(BALANCER, "/_save_drawing", more.encode(), timeout=30)
        assert status == 503, answer
        assert get(BALANCER, "/_get_digit", DRAWN[5])[1]["digit"] == 5
    assert get(balanced[0].address, "/readyz")[0] == 503
    ip("link", "set", f"d{name(DATABASE)[8:]}a", "up")
    until(lambda: get(BALANCER, "/_save_drawing", more.encode())[0] in (200, 201))


CORES = 0.2  # the part of a core that `limited` gives a host


@contextmanager
def limited(host: Host) -> Iterator[None]:
    """Limit a host to `CORES`, with a control group of Linux, version 1 or 2."""
    assert host.process is not None
    first, second = Path("/sys/fs/cgroup/cpu"), Path("/sys/fs/cgroup")
    controllers = second / "cgroup.subtree_control"
    if (first / "cgroup.procs").exists():
        group, file, limit = first / name(host.address), "cpu.cfs_quota_us", str(int(CORES * 1e5))
    elif controllers.exists() and "cpu" in controllers.read_text().split():
        group, file = second / name(host.address), "cpu.max"
        limit = f"{int(CORES * 1e5)} 100000"
    else:
        pytest.skip("this machine has no control group for the processor")
    try:
        group.mkdir()
        (group / file).write_text(limit)
    except OSError as error:
        pytest.skip(f"a control group cannot be made here: {error}")
    try:
        listed = subprocess.run(["pgrep", "-g", str(host.process.pid)], capture_output=True)
        for process in listed.stdout.split():
            (group / "cgroup.procs").write_text(process.decode())
        yield
    finally:
        host.end()
        until(lambda: not (group / "cgroup.procs").read_text().strip())
        group.rmdir()


@pytest.mark.long
def test_each_host_adds_what_it_has(balanced: list[Host], tmp_path: Path) -> None:
    """Limited to a fifth of a core each, two hosts carry nearly twice what one does, three still more.
    Without that limit they share this machine's cores; those figures are only printed.
    """
    need("wrk")
    balancer = servers.Server(f"http://{BALANCER}", (), 0)

    def carried() -> float:
        servers.load(balancer, "page", 1, 8, "digits.example.org")
        return servers.load(balancer, "page", 5, 8, "digits.example.org").rate

    rates = {"three, not limited": carried()}
    for host in balanced[1:]:
        host.end()
    rates["one, not limited"] = carried()
    with contextlib.ExitStack() as stack:
        for count, host in enumerate(balanced, 1):
            if count > 1:
                host.start()
            stack.enter_context(limited(host))
            time.sleep(2.5)  # until the balancer tries this host again
            rates[f"{count}, each {CORES} of a core"] = carried()
    one, two, three = list(rates.values())[2:]
    print(*(f"{rate:6.0f} readings a second: {what}" for what, rate in rates.items()), sep="\n")
    assert two > 1.6 * one
    assert three > 2.3 * one


def test_nothing_is_left_behind() -> None:
    """The test before has removed its networks."""
    if not shutil.which("ip"):
        pytest.skip("ip is not installed")
    done = subprocess.run(["ip", "link", "show", BRIDGE], capture_output=True)
    assert done.returncode != 0

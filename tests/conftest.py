"""Fixtures and functions for all tests: the application, drawings, servers, databases, a browser."""

from __future__ import annotations

import base64
import contextlib
import io
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import databases
import numpy as np
import pytest
from PIL import Image
from skips import NO_DATA, pytest_runtest_makereport  # noqa: F401  # a hook of pytest
from strokes import DIGITS, drawn

from digitre import Classifier, create_app
from digitre.training.data import datasets

ROOT = Path(__file__).resolve().parent.parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Run the fast tests first, then the slow ones, then the long ones, otherwise in their order."""
    items.sort(key=lambda item: [bool(item.get_closest_marker(name)) for name in ("long", "slow")])


def need(program: str) -> str:
    """The path of a program. If it is not installed, skip the test."""
    path = shutil.which(program) or shutil.which(program, path="/usr/sbin:/sbin")
    if path:
        return path
    pytest.skip(f"{program} is not installed")


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The folder with the data sets. A test that needs it is skipped if there is none."""
    folder = datasets.folder()
    if folder is None:
        pytest.skip(NO_DATA)
    return folder


@pytest.fixture
def app():
    # TESTING: an unexpected error fails the test instead of becoming a 500.
    return create_app({"TESTING": True})


@pytest.fixture
def client(app):
    return app.test_client()


@pytest.fixture(scope="session")
def classifier() -> Classifier:
    return Classifier()


def png(picture: np.ndarray | Image.Image, format: str = "PNG", **options) -> bytes:
    """The bytes of an image file: of a picture, or of an array of ink, drawn black on white."""
    image = picture if isinstance(picture, Image.Image) else Image.fromarray(255 - picture)
    file = io.BytesIO()
    image.save(file, format, **options)
    return file.getvalue()


def data_url(file: bytes, kind: str = "png") -> str:
    return f"data:image/{kind};base64," + base64.b64encode(file).decode("ascii")


@pytest.fixture(scope="session")
def seven() -> bytes:
    """A seven drawn by hand: a PNG of 250 x 250, black on white."""
    return png(drawn(DIGITS[7]))


def assert_error(response, status: int, code: str) -> None:
    """The response is this error, as JSON in the one shape, and contains nothing else."""
    assert response.status_code == status, response.get_data(as_text=True)
    assert response.mimetype == "application/json"
    body = response.get_json()
    assert set(body) == {"error"}
    assert set(body["error"]) == {"code", "message"}
    assert body["error"]["code"] == code
    assert body["error"]["message"].endswith((".", ")", "..."))


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_until_answered(url: str, process: subprocess.Popen, seconds: float = 30) -> None:
    """Wait until the server of this process answers. Raises RuntimeError if the process ends, and
    TimeoutError.
    """
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if process.poll() is not None:
            raise RuntimeError(f"the server ended with {process.returncode}")
        try:
            with urllib.request.urlopen(url, timeout=2):
                return
        except urllib.error.HTTPError as answer:
            answer.close()
            if answer.code < 500:
                return
            time.sleep(0.05)
        except (urllib.error.URLError, ConnectionError, TimeoutError):
            time.sleep(0.05)
    raise TimeoutError(f"no answer from {url} within {seconds} s")


@contextmanager
def running(
    command: list[str], address: str, *, ready: str = "/healthz", **options
) -> Iterator[str]:
    """Start a server, wait until it answers, yield its address, and stop it at the end."""
    process = subprocess.Popen(command, **options)
    try:
        wait_until_answered(f"{address}{ready}", process)
        yield address
    finally:
        process.terminate()
        process.wait(60)  # gunicorn gives a worker that is just starting 30 s


@contextmanager
def gunicorn(log: Path, *options: str, at: str = "", **variables: str) -> Iterator[str]:
    """Start a real gunicorn with the real application, yield its address, and stop it at the end."""
    port = free_port()
    environment = os.environ | {"PORT": str(port)} | variables
    command = [str(Path(sys.executable).with_name("gunicorn")), *options, "wsgi:app"]
    with (
        log.open("wb") as out,
        running(
            command,
            f"http://127.0.0.1:{port}{at}",
            cwd=ROOT,
            env=environment,
            stdout=out,
            stderr=subprocess.STDOUT,
        ) as address,
    ):
        yield address


def workers(log: Path) -> list[int]:
    """The process ids of all workers that gunicorn has started, from its log."""
    return [
        int(line.rsplit(" ", 1)[1])
        for line in log.read_text().splitlines()
        if "Booting worker with pid:" in line
    ]


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a gunicorn with the shipped configuration."""
    folder = tmp_path_factory.mktemp("gunicorn")
    options = {"WEB_CONCURRENCY": "2", "DIGITRE_INSTANCE": str(folder / "instance")}
    with gunicorn(folder / "log", "--config", "deploy/gunicorn.conf.py", **options) as address:
        yield address


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    """The URL of a database on a real PostgreSQL server."""
    bin = databases.programs()
    if bin is None:
        need("pg_ctl")
    else:
        with databases.postgresql(bin) as url:
            yield url


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The URL of an empty database for drawings: once SQLite, once PostgreSQL."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'instance' / 'drawings.sqlite3'}"
    else:
        yield databases.emptied(request.getfixturevalue("postgres"))
    databases.close_all()


@pytest.fixture(scope="session")
def browser() -> Iterator:
    """A real Chromium, driven by Playwright."""
    from playwright.sync_api import Error

    with contextlib.ExitStack() as stack:
        try:
            started = stack.enter_context(browser_here())
        except Error as error:
            pytest.skip(f"Chromium could not be started: {error}")
        yield started


@pytest.fixture
def page(browser, server: str) -> Iterator:
    """The open page. The test fails if the page logs an error in its console."""
    context = browser.new_context(viewport={"width": 1000, "height": 800})
    tab = context.new_page()
    errors: list[str] = []
    tab.on("console", lambda line: errors.append(line.text) if line.type == "error" else None)
    tab.on("pageerror", lambda error: errors.append(str(error)))
    tab.goto(server)
    # Only one request at a time. Reading while drawing has tests of its own.
    tab.locator("#tools summary").click()
    tab.get_by_label("Read while I draw").uncheck()
    yield tab
    context.close()
    assert not errors


@pytest.fixture
def script_page(browser, server: str) -> Iterator:
    """A page that reads nothing by itself, to load scripts of the server into."""
    with browser.new_context() as context:
        tab = context.new_page()
        tab.goto(f"{server}/docs")
        yield tab


@contextmanager
def browser_here() -> Iterator:
    """Chromium from this machine or from Playwright, without any background requests of its own."""
    from playwright.sync_api import sync_playwright

    executable = next(
        filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None
    )
    quiet = [
        "--no-sandbox",
        "--disable-quic",
        "--no-first-run",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
    ]
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=executable, args=quiet)
        yield started
        started.close()

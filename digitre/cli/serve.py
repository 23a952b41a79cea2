"""`digitre serve`: gunicorn with the shipped configuration."""

from __future__ import annotations

import errno
import os
import socket
import sys
import time
import urllib.error
import urllib.request
import webbrowser
from pathlib import Path

import click

from digitre.cli import SettingError, terminal
from digitre.serving import listening

PACKAGE = Path(__file__).resolve().parent.parent
ANY = {"": "127.0.0.1", "0.0.0.0": "127.0.0.1", "::": "[::1]"}  # where a browser here finds them
PATIENCE = 60  # seconds that --open waits for the server


def configuration() -> Path:
    """The configuration of gunicorn, from the installed package or from the checkout."""
    installed = PACKAGE / "deploy" / "gunicorn.conf.py"
    return installed if installed.exists() else PACKAGE.parent / "deploy" / "gunicorn.conf.py"


@click.command()
@click.option(
    "--bind", metavar="ADDRESS", help="host:port or unix:path.  [default: 127.0.0.1:8000]"
)
@click.option(
    "--port", type=click.IntRange(1, 65535), help="The same, with another port.  [default: 8000]"
)
@click.option("--open", "open_page", is_flag=True, help="Open the page in a browser.")
@click.option(
    "--workers", type=click.IntRange(1), help="Worker processes.  [default: one per CPU core]"
)
@click.option("--reload", is_flag=True, help="Restart when code changes, for development.")
def serve(
    bind: str | None, port: int | None, open_page: bool, workers: int | None, reload: bool
) -> None:
    """Serve the page and the API.

    On a loopback address it answers for localhost, 127.0.0.1 and [::1] only, unless you set
    DIGITRE_TRUSTED_HOSTS: otherwise any web page that you open could use it under a name of its own.

    Example: digitre serve --port 8080 --open
    """
    if bind and port:
        raise click.UsageError("--bind has the port too: leave out --port")
    words = [sys.executable, "-m", "gunicorn", "--config", str(configuration())]
    try:
        address = listening.check(bind, "--bind") if bind else listening.address()
        listening.workers()  # gunicorn ends with a traceback if it is not a number
    except ValueError as error:
        raise SettingError(str(error)) from None
    is_local = listening.is_loopback(address) and not _is_given_a_socket()
    if is_local and not os.environ.get("DIGITRE_TRUSTED_HOSTS"):
        os.environ["DIGITRE_TRUSTED_HOSTS"] = listening.LOCAL_HOSTS
    if port:
        address = bind = f"{listening.split(address)[0]}:{port}"
    page = "" if _is_given_a_socket() else page_of(address)
    if open_page and not page:
        raise click.UsageError("--open needs a host and a port")
    if not _is_given_a_socket():
        _check_free(address, by_option=bool(bind and not port))
        terminal.note(f"Digitre is at {page or address}. Press Ctrl+C to stop it.")
        if open_page:
            _open_when_ready(page)
    if bind:
        words += ["--bind", bind]
    if workers:
        words += ["--workers", str(workers)]
    if reload:
        words.append("--reload")
    if terminal.is_quiet():
        words += ["--log-level", "warning"]
    sys.stdout.flush()
    # Not wsgi:app, as in a checkout: the current folder may have another project's wsgi.py.
    os.execv(sys.executable, [*words, "digitre:create_app()"])


def _is_given_a_socket() -> bool:
    """Whether systemd, or gunicorn's own variable, decides where gunicorn listens."""
    given = os.environ.get("LISTEN_FDS") or os.environ.get("GUNICORN_FD")
    options = os.environ.get("GUNICORN_CMD_ARGS", "").split()
    return bool(given) or any(each.startswith(("-b", "--bind")) for each in options)


def page_of(address: str) -> str:
    """The address of the page, for a browser on this machine; empty if there is none, or not yet."""
    host, port = listening.split(address)
    return f"http://{ANY.get(host.strip('[]'), host)}:{port}" if port else ""


def _check_free(address: str, *, by_option: bool) -> None:
    """Stop with one line if nothing can listen there: gunicorn would try for five seconds.

    Args:
        by_option: whether --bind names the address; the line says how to name another one.
    """
    host, port = listening.split(address)
    if not port:
        return
    error = try_to_bind(host, port)
    if error is None:
        return
    if error.errno == errno.EACCES:
        raise click.ClickException(f"Only root may use port {port}: choose one above 1023")
    if error.errno != errno.EADDRINUSE:
        raise click.ClickException(f"Cannot listen on {host}: {error.strerror}")
    free = free_port(host, port)
    option = f"--bind {host}:{free}" if by_option else f"--port {free}"
    raise click.ClickException(f"Port {port} is taken. Type: {terminal.program()} serve {option}")


def free_port(host: str, port: int) -> int | str:
    """The next port that is free, or a word for it."""
    others = range(port + 1, min(port + 100, 65536))
    return next((each for each in others if try_to_bind(host, each) is None), "PORT")


def try_to_bind(host: str, port: int | None) -> OSError | None:
    """Why a server cannot listen there; None if it can."""
    if not port:
        return None
    bare = host.strip("[]")
    family = socket.AF_INET6 if ":" in bare else socket.AF_INET
    try:
        with socket.socket(family) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as gunicorn does
            probe.bind((bare, port))
    except OSError as error:
        return error
    return None


def _open_when_ready(page: str) -> None:
    """Open the page in a browser as soon as the server answers; in a process of its own, since this one
    becomes gunicorn."""
    parent = os.getpid()
    if os.fork():
        return
    end = time.monotonic() + PATIENCE
    try:
        while os.getppid() == parent and time.monotonic() < end:
            if _answers(page):
                if not webbrowser.open(page):
                    click.echo(f"There is no browser here: open {page} yourself", err=True)
                break
            time.sleep(0.1)
    finally:
        os._exit(0)


def _answers(page: str) -> bool:
    try:
        with urllib.request.urlopen(f"{page}/healthz", timeout=5):
            return True
    except urllib.error.HTTPError as error:
        error.close()
        return True
    except OSError:
        return False

"""`digitre serve`: gunicorn with the shipped configuration."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import click

from digitre.cli import SettingError
from digitre.serving import listening

PACKAGE = Path(__file__).resolve().parent.parent


def configuration() -> Path:
    """The configuration of gunicorn, from the installed package or from the checkout."""
    installed = PACKAGE / "deploy" / "gunicorn.conf.py"
    return installed if installed.exists() else PACKAGE.parent / "deploy" / "gunicorn.conf.py"


@click.command()
@click.option(
    "--bind", metavar="ADDRESS", help="host:port or unix:path.  [default: 127.0.0.1:8000]"
)
@click.option(
    "--workers", type=click.IntRange(1), help="Worker processes.  [default: one per CPU core]"
)
@click.option("--reload", is_flag=True, help="Restart when code changes, for development.")
def serve(bind: str | None, workers: int | None, reload: bool) -> None:
    """Serve the page and the API.

    On a loopback address it answers for localhost, 127.0.0.1 and [::1] only, unless you set
    DIGITRE_TRUSTED_HOSTS: otherwise any web page that you open could use it under a name of its own.

    Example: digitre serve --bind 127.0.0.1:8080 --workers 2
    """
    words = [sys.executable, "-m", "gunicorn", "--config", str(configuration())]
    try:
        address = listening.check(bind, "--bind") if bind else listening.address()
        listening.workers()  # gunicorn ends with a traceback if it is not a number
    except ValueError as error:
        raise SettingError(str(error)) from None
    if listening.is_loopback(address) and not os.environ.get("DIGITRE_TRUSTED_HOSTS"):
        os.environ["DIGITRE_TRUSTED_HOSTS"] = listening.LOCAL_HOSTS
    if bind:
        words += ["--bind", bind]
    if workers:
        words += ["--workers", str(workers)]
    if reload:
        words.append("--reload")
    sys.stdout.flush()
    # Not wsgi:app, as in a checkout: the current folder may have another project's wsgi.py.
    os.execv(sys.executable, [*words, "digitre:create_app()"])

"""`digitre serve`: gunicorn with the shipped configuration."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import click

HERE = Path(__file__).resolve().parent.parent


def configuration() -> Path:
    """gunicorn's settings, which come with the package or with the checkout."""
    installed = HERE / "deploy" / "gunicorn.conf.py"
    return installed if installed.exists() else HERE.parent / "deploy" / "gunicorn.conf.py"


@click.command()
@click.option(
    "--bind", metavar="ADDRESS", help="host:port or unix:path; 127.0.0.1:8000 without it."
)
@click.option("--workers", type=click.IntRange(1), help="One a processor core without it.")
@click.option("--reload", is_flag=True, help="Begin anew when the code changes, for development.")
def serve(bind: str | None, workers: int | None, reload: bool) -> None:
    """Serve the page and the API.

    Example: digitre serve --bind 127.0.0.1:8080 --workers 2
    """
    words = [sys.executable, "-m", "gunicorn", "--config", str(configuration())]
    if bind:
        words += ["--bind", bind]
    if workers:
        words += ["--workers", str(workers)]
    if reload:
        words.append("--reload")
    sys.stdout.flush()
    # Not wsgi:app, as in a checkout: the folder that one stands in may have a wsgi.py of its own.
    os.execv(sys.executable, [*words, "digitre:create_app()"])

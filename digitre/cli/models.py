"""`digitre models`: the networks that are here, and which one is served."""

from __future__ import annotations

import json
from typing import Any

import click

from digitre import registry
from digitre.cli import settings
from digitre.recognition.classifier import Classifier
from digitre.registry import Registry


@click.group()
def models() -> None:
    """The networks that are here, in DIGITRE_MODELS (models/ of the instance folder).

    Example: digitre models list
    """


def _versions() -> Registry:
    return registry.from_settings(settings())


def _said(name: str) -> None:
    chosen = settings()["MODEL"]
    if chosen:
        click.echo(f"{name} is promoted, but DIGITRE_MODEL goes before it: {chosen}", err=True)
    else:
        click.echo(f"{name} is served from the next reload on")


@models.command("list")
@click.option("--json", "as_json", is_flag=True, help="One line of JSON each.")
def list_models(as_json: bool) -> None:
    """The networks, the shipped one and then the oldest first; which one is served, from the next
    reload on.

    Example: digitre models list --json
    """
    versions = _versions()
    chosen = settings()["MODEL"]
    try:
        served = Classifier(registry.network_file(settings())).model
    except (ValueError, OSError) as error:
        raise click.ClickException(str(error)) from None
    shipped = Classifier().model
    for name in dict.fromkeys([shipped, *versions.names()]):
        damaged = None
        card: dict[str, Any] = {}
        try:
            card = versions.card(name)
        except (ValueError, OSError) as error:  # the others are there to go back to
            damaged = str(error)
        row = {
            "model": name,
            "served": name == served,
            "shipped": name == shipped,
            "made": card.get("made"),
            "mnist_test": card.get("figures", {}).get("MNIST test, preprocessed", {}).get("right"),
            "drawings": card.get("drawings", {}).get("learned"),
            "verdict": card.get("verdict", {}).get("passed"),
            "damaged": damaged,
        }
        click.echo(json.dumps(row) if as_json else _line(row))
    if chosen:
        click.echo(f"served is {served}, by DIGITRE_MODEL: {chosen}", err=True)


def _line(row: dict[str, Any]) -> str:
    notes = [word for word in ("served", "shipped") if row[word]]
    if row["verdict"] is not None:
        notes.append("passed its gates" if row["verdict"] else "failed its gates")
    if row["mnist_test"]:
        notes.append(f"MNIST {row['mnist_test']:.2f} %")
    if row["damaged"]:
        notes.append(f"damaged: {row['damaged']}")
    return f"{row['model']}  {(row['made'] or '')[:16]:16}  {', '.join(notes)}"


@models.command()
@click.argument("name")
def promote(name: str) -> None:
    """Serve a network from the next start or reload (make reload, or SIGHUP to gunicorn) on.

    Example: digitre models promote digitre-e9116abe
    """
    try:
        _versions().promote(name)
    except (ValueError, OSError) as error:
        raise click.ClickException(str(error)) from None
    _said(name)


@models.command()
@click.argument("url")
@click.option("--promote", "serve", is_flag=True, help="Serve it from the next reload on.")
def pull(url: str, serve: bool) -> None:
    """Fetch a network from elsewhere, checked by its hash: URL ends with #sha256= and 64 digits.

    Example: digitre models pull https://example.org/digitre.tflite#sha256=3f0c...
    """
    try:
        versions = _versions()
        name = versions.fetch(url)
        if serve:
            versions.promote(name)
    except (ValueError, OSError) as error:
        raise click.ClickException(str(error)) from None
    if serve:
        _said(name)
    else:
        click.echo(f"{name} is here")


@models.command()
def rollback() -> None:
    """Serve the network that was served before, from the next reload on.

    Example: digitre models rollback
    """
    try:
        name = _versions().rollback()
    except (ValueError, OSError) as error:
        raise click.ClickException(str(error)) from None
    _said(name)

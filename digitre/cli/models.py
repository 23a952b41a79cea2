"""`digitre models`: the networks that are here, and which one is served."""

from __future__ import annotations

import json

import click

from digitre import places
from digitre.classifier import Classifier
from digitre.cli import settings
from digitre.versions import Versions


@click.group()
def models() -> None:
    """The networks that are here, in DIGITRE_MODELS (models/ of the instance folder).

    Example: digitre models list
    """


def _versions() -> Versions:
    return places.versions(settings())


def _said(name: str) -> None:
    chosen = settings()["MODEL"]
    if chosen:
        click.echo(f"{name} is promoted, but DIGITRE_MODEL goes before it: {chosen}", err=True)
    else:
        click.echo(f"{name} is served from the next reload on")


@models.command("list")
@click.option("--json", "as_json", is_flag=True, help="One line of JSON each.")
def list_models(as_json: bool) -> None:
    """The networks, the oldest first, and which one is served.

    Example: digitre models list --json
    """
    versions = _versions()
    try:
        served = Classifier(places.network(settings())).model
    except (ValueError, OSError) as error:
        raise click.ClickException(str(error)) from None
    shipped = Classifier().model
    for name in dict.fromkeys([shipped, *versions.names()]):
        card = versions.card(name)
        figures = card.get("figures", {}).get("MNIST test, preprocessed", {})
        row = {
            "model": name,
            "served": name == served,
            "shipped": name == shipped,
            "made": card.get("made"),
            "mnist_test": figures.get("right"),
            "drawings": card.get("drawings", {}).get("learned"),
            "verdict": card.get("verdict", {}).get("passed"),
        }
        if as_json:
            click.echo(json.dumps(row))
        else:
            notes = [word for word in ("served", "shipped") if row[word]]
            if row["verdict"] is not None:
                notes.append("passed its gates" if row["verdict"] else "failed its gates")
            if row["mnist_test"]:
                notes.append(f"MNIST {row['mnist_test']:.2f} %")
            click.echo(f"{name}  {(row['made'] or '')[:16]:16}  {', '.join(notes)}")


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
    click.echo(f"{name} is {'served from the next reload on' if serve else 'here'}")


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

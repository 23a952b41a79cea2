"""`digitre models`: the networks of this server, and which one it serves."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click

from digitre import registry
from digitre.cli import Group, settings, terminal
from digitre.recognition import packed
from digitre.recognition.card import Card
from digitre.recognition.classifier import Classifier
from digitre.registry import Registry


@click.group(cls=Group)
def models() -> None:
    """Manage the networks in DIGITRE_MODELS (default: models/ in the instance folder).

    Example: digitre models list
    """


@contextmanager
def reported_errors() -> Iterator[None]:
    """Any error of the networks becomes one line, and exit status 1."""
    try:
        yield
    except (ValueError, OSError) as error:
        raise click.ClickException(str(error)) from None


@models.command("list")
@click.option("--json", "as_json", is_flag=True, help="One line of JSON per network.")
def list_models(as_json: bool) -> None:
    """List the networks: the shipped one first, then from the oldest to the newest.

    The one that is marked as served is in use after the next reload.

    Example: digitre models list --json
    """
    networks = registry.from_settings(settings())
    served, wrong = None, None
    try:
        served = Classifier(registry.network_file(settings())).model
    except (ValueError, OSError) as error:  # the others are still there to go back to
        wrong = error
    shipped = Classifier().model
    for name in dict.fromkeys([shipped, *networks.names()]):
        row = _describe(networks, name, served, shipped)
        click.echo(json.dumps(row) if as_json else _line(row))
    if override := settings()["MODEL"]:
        terminal.note(f"DIGITRE_MODEL overrides the promoted network: {override}")
    if wrong:
        raise click.ClickException(str(wrong))


@models.command()
@click.argument("name")
def promote(name: str) -> None:
    """Serve a network after the next start or reload (make reload, or SIGHUP to gunicorn).

    Example: digitre models promote digitre-e9116abe
    """
    with reported_errors():
        registry.from_settings(settings()).promote(name)
    _echo_served(name)


@models.command()
@click.argument("url")
@click.option("--promote", "serve", is_flag=True, help="Serve it after the next reload.")
def pull(url: str, serve: bool) -> None:
    """Fetch a network. URL ends with #sha256= and the hash of the file, which is checked.

    Its card, the file of the same name that ends with .json, is fetched if its hash follows: &card=HASH.

    Example: digitre models pull https://example.org/digitre.tflite#sha256=3f0c...
    """
    with reported_errors():
        networks = registry.from_settings(settings())
        name = networks.fetch(url)
        if serve:
            networks.promote(name)
    if serve:
        _echo_served(name)
    else:
        click.echo(f"{name} is fetched")


@models.command()
def rollback() -> None:
    """Serve the previous network after the next reload.

    Example: digitre models rollback
    """
    with reported_errors():
        name = registry.from_settings(settings()).rollback()
    _echo_served(name)


@models.command()
@click.option("--name", help="The network.  [default: the served one]")
@click.option(
    "--output",
    type=click.Path(path_type=Path, file_okay=False),
    default=".",
    help="Folder for the file.  [default: this one]",
)
def pack(name: str | None, output: Path) -> None:
    """Write a network for browsers: one file, which digitre.js reads with.

    Example: digitre models pack --output packages/digit-pad
    """
    with reported_errors():
        networks = registry.from_settings(settings())
        network = networks.network(name) if name else Classifier(registry.network_file(settings()))
        output.mkdir(parents=True, exist_ok=True)
        target = output / packed.file_name(network.model)
        packed.write(network.path, network.model, target)
    click.echo(f"{target}: {target.stat().st_size:,} bytes")


def _echo_served(name: str) -> None:
    if override := settings()["MODEL"]:
        click.echo(f"{name} is promoted, but DIGITRE_MODEL overrides it: {override}", err=True)
    else:
        click.echo(f"{name} is served after the next reload")


def _describe(networks: Registry, name: str, served: str | None, shipped: str) -> dict[str, Any]:
    damage = None
    card = Card(name)
    try:
        card = networks.card(name) or card
    except (ValueError, OSError) as error:  # the others are still there to go back to
        damage = str(error)
    return {
        "model": name,
        "served": name == served,
        "shipped": name == shipped,
        "made": card.made,
        "mnist_test": card.figures.value("mnist_test", "accuracy"),
        "drawings": card.drawings.learned if card.drawings else None,
        "verdict": card.verdict.passed if card.verdict else None,
        "damaged": damage,
    }


def _line(row: dict[str, Any]) -> str:
    notes = [word for word in ("served", "shipped") if row[word]]
    if row["verdict"] is not None:
        notes.append("passed its gates" if row["verdict"] else "failed its gates")
    if row["mnist_test"]:
        notes.append(f"MNIST {row['mnist_test']:.2f} %")
    if row["damaged"]:
        notes.append(f"damaged: {row['damaged']}")
    return f"{row['model']}  {(row['made'] or '')[:16]:16}  {', '.join(notes)}"

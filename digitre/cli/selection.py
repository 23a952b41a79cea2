"""Which drawings, in which database: what the commands of `digitre drawings` share."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from typing import Any

import click

from digitre import config
from digitre.cli import settings
from digitre.drawings.collection import Drawings, UnavailableError
from digitre.drawings.drawing import STATUSES, Filter
from digitre.recognition.classifier import NO_DIGIT

PATIENCE = 60  # seconds to wait for the database; a server waits less, because it also reads
DATABASE = click.option(
    "--database",
    metavar="URL",
    help="Database URL (SQLAlchemy). [default: $DIGITRE_DATABASE_URL]",
)


class Label(click.ParamType):
    """A label: 0 to 9, or none."""

    name = "label"

    def convert(self, value: Any, parameter: Any, context: Any) -> int:
        if value == "none":
            return NO_DIGIT
        if str(value) in "0123456789" and len(str(value)) == 1:
            return int(value)
        self.fail(f"{value!r} is not a label: use 0 to 9, or none", parameter, context)


def filters(command: Callable) -> Callable:
    """Add the options that choose drawings. The command gets them as a `Filter` named `filter`."""

    @click.argument("ids", nargs=-1, metavar="[ID]...")
    @click.option("--status", type=click.Choice(STATUSES), help="Only drawings with this status.")
    @click.option("--label", type=Label(), help="Only drawings with this label: 0 to 9, or none.")
    @click.option("--writer", help="Only drawings from this writer.")
    @click.option("--disagree", is_flag=True, help="Only drawings that were read as another label.")
    @wraps(command)
    def filtered(ids, status, label, writer, disagree, **more):
        return command(filter=Filter(list(ids) or None, status, label, writer, disagree), **more)

    return filtered


def collection(url: str | None) -> Drawings:
    """The saved drawings at this URL, or at DIGITRE_DATABASE_URL."""
    try:
        return Drawings(url or config.database_url(settings()), PATIENCE)
    except Exception as error:  # SQLAlchemy's; to name its class here would mean to import it
        raise click.ClickException(f"Not a database URL: {error}") from None


def existing(collection: Drawings) -> Drawings:
    """Stop if the file of an SQLite database is missing: a typing error is not an empty database."""
    if not collection.database.exists():
        raise click.ClickException(f"There is no database at {collection.database.url}")
    return collection


@contextmanager
def errors_in_one_line() -> Iterator[None]:
    """Print an error of the database or the disk as one line, and exit with status 1."""
    try:
        yield
    except UnavailableError as error:
        raise click.ClickException(f"Cannot open the drawings database: {error}") from None
    except OSError as error:
        raise click.ClickException(str(error)) from None


def require_filter(filter: Filter) -> None:
    """A command that changes drawings must not change all of them by accident."""
    if filter == Filter():
        raise click.UsageError(
            "Say which drawings: give ids, or --status, --label, --writer or --disagree"
        )


def find_unknown(store: Drawings, filter: Filter) -> list[str]:
    """The ids of a filter that no drawing has. If no drawing has any, the command stops."""
    ids = list(dict.fromkeys(filter.ids or ()))
    is_there = bool(ids) and store.database.exists()
    known = {each.id for each in store.select(Filter(ids=ids))} if is_there else set()
    unknown = [id for id in ids if id not in known]
    if ids and not known:
        raise no_such(unknown)
    return unknown


def no_such(ids: list[str]) -> click.ClickException:
    """The error for ids that no drawing has."""
    return click.ClickException(f"There is no such drawing: {', '.join(ids)}")

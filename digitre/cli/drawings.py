"""`digitre drawings`: what people saved, judged and carried from here to there."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import contextmanager
from functools import wraps
from pathlib import Path
from typing import Any

import click

from digitre import config
from digitre.cli import settings
from digitre.drawings import export as files
from digitre.drawings.collection import STATUSES, Drawings, UnavailableError, Wanted, named, said
from digitre.recognition.classifier import NO_DIGIT, percent

PATIENCE = 60  # seconds for one question to the database: nobody's reading waits for it
DATABASE = click.option(
    "--database", metavar="URL", help="As SQLAlchemy takes it; DIGITRE_DATABASE_URL's without it."
)
AS_JSON = click.option("--json", "as_json", is_flag=True, help="JSON, a line for each drawing.")


class Label(click.ParamType):
    """0 to 9, or none."""

    name = "label"

    def convert(self, value: Any, parameter: Any, context: Any) -> int:
        if value == "none":
            return NO_DIGIT
        if str(value) in "0123456789" and len(str(value)) == 1:
            return int(value)
        self.fail(f"{value!r} is none of 0 to 9 and none", parameter, context)


def filters(command: Callable) -> Callable:
    """Options that say which drawings; the command gets them as `wanted`."""

    @click.argument("ids", nargs=-1, metavar="[ID]...")
    @click.option("--status", type=click.Choice(STATUSES), help="Those with this status.")
    @click.option("--label", type=Label(), help="Those that are said to be this: 0 to 9, none.")
    @click.option("--writer", help="Those of this writer.")
    @click.option("--disagree", is_flag=True, help="Those that the network read as another.")
    @wraps(command)
    def chosen(ids, status, label, writer, disagree, **more):
        return command(wanted=Wanted(list(ids) or None, status, label, writer, disagree), **more)

    return chosen


def collection(url: str | None) -> Drawings:
    try:
        return Drawings(url or config.database_url(settings()), PATIENCE)
    except Exception as error:  # SQLAlchemy's own, which is not imported for its sake
        raise click.ClickException(f"this is no database's address: {error}") from None


def existing(collection: Drawings) -> Drawings:
    """A database that is there: a lost one, or a wrong address, is not an empty one to be copied."""
    file = collection.url.database
    if collection.url.get_backend_name() == "sqlite" and not (file and Path(file).is_file()):
        raise click.ClickException(f"there is no database at {collection.url}")
    return collection


@contextmanager
def reported():
    """Whatever the database or the disk has against it is one line, and exit status 1."""
    try:
        yield
    except UnavailableError as error:
        raise click.ClickException(f"the database cannot be used: {error}") from None
    except OSError as error:
        raise click.ClickException(str(error)) from None


def of_some(wanted: Wanted) -> None:
    """What changes drawings has to be told which."""
    if wanted == Wanted():
        raise click.UsageError(
            "say which drawings: ids, or --status, --label, --writer, --disagree"
        )


@click.group()
def drawings() -> None:
    """The drawings that people saved: list, judge, export, copy.

    Example: digitre drawings list --status pending --disagree
    """


def described(row: dict[str, Any]) -> dict[str, Any]:
    """A drawing as JSON has it: all but its pixels."""
    made, label = row["made"].isoformat(), named(row["label"])
    row = row | {"made": made, "label": label, "said": named(said(row))}
    return {name: value for name, value in row.items() if name not in ("pixels", "strokes")}


@drawings.command("list")
@filters
@click.option("--limit", type=click.IntRange(1), default=50, show_default=True, help="At most.")
@AS_JSON
@DATABASE
def list_drawings(wanted: Wanted, limit: int, as_json: bool, database: str | None) -> None:
    """The drawings, in the order in which they deserve to be looked at.

    Example: digitre drawings list --status pending --limit 20
    """
    with reported():
        rows = collection(database).for_review(wanted, limit)
    for row in map(described, rows):
        if as_json:
            click.echo(json.dumps(row))
        else:
            surely = max(row["confidence"], row["not_a_digit"])
            click.echo(
                f"{row['id']}  {row['made'][:16]}  {row['status']:8}  is {row['label']:4}  "
                f"read as {row['said']:4} ({percent(surely)}%)  {row['writer'] or '-'}"
            )


@drawings.command()
@click.argument("id")
@click.option("--png", type=click.Path(path_type=Path, dir_okay=False), help="Write the picture.")
@AS_JSON
@DATABASE
def show(id: str, png: Path | None, as_json: bool, database: str | None) -> None:
    """One drawing: what is stored of it, and how it looks.

    Example: digitre drawings show 3f0c...
    """
    with reported():
        row = collection(database).find(id)
        if row is None:
            raise click.ClickException(f"there is no drawing {id}")
        if png:
            png.write_bytes(row["pixels"])
    if as_json:
        click.echo(json.dumps(described(row) | {"strokes": row["strokes"]}))
        return
    from digitre.cli.terminal import blocks
    from digitre.recognition import preprocessing

    for name, value in described(row).items():
        click.echo(f"{name:12} {'-' if value == '' else value}")
    click.echo(f"{'strokes':12} {len(row['strokes'] or [])}")
    click.echo(blocks(preprocessing.preprocess(row["pixels"])[0, :, :, 0]))


@drawings.command()
@filters
@DATABASE
def accept(wanted: Wanted, database: str | None) -> None:
    """Let the next training learn these drawings.

    Example: digitre drawings accept --writer b2c1 --status pending
    """
    _judge(wanted, "accepted", None, database)


@drawings.command()
@filters
@DATABASE
def reject(wanted: Wanted, database: str | None) -> None:
    """Keep these drawings out of training.

    Example: digitre drawings reject 3f0c...
    """
    _judge(wanted, "rejected", None, database)


@drawings.command()
@click.argument("id")
@click.argument("label", type=Label())
@DATABASE
def relabel(id: str, label: int, database: str | None) -> None:
    """Say what a drawing is, 0 to 9 or none, and accept it.

    Example: digitre drawings relabel 3f0c... 7
    """
    _judge(Wanted([id]), "accepted", label, database)


def _judge(wanted: Wanted, status: str, label: int | None, database: str | None) -> None:
    of_some(wanted)
    with reported():
        _done(collection(database).judge(wanted, status, label), wanted, status)


def _done(count: int, wanted: Wanted, word: str) -> None:
    click.echo(f"{count} {word}")
    if wanted.ids is not None and count < len(set(wanted.ids)):
        raise click.ClickException(f"{len(set(wanted.ids)) - count} of those named are not there")


@drawings.command()
@filters
@click.option("--yes", is_flag=True, help="Do not ask.")
@DATABASE
def delete(wanted: Wanted, yes: bool, database: str | None) -> None:
    """Delete drawings for good.

    Example: digitre drawings delete --writer b2c1
    """
    of_some(wanted)
    with reported():
        store = collection(database)
        if not yes:
            count = sum(1 for _ in store.rows(wanted))
            click.confirm(f"Delete {count} drawings for good?", abort=True)
        _done(store.remove(wanted), wanted, "deleted")


@drawings.command()
@AS_JSON
@DATABASE
def stats(as_json: bool, database: str | None) -> None:
    """How many drawings there are, of what, and how many writers.

    Example: digitre drawings stats
    """
    with reported():
        found = collection(database).stats()
    if as_json:
        click.echo(json.dumps(found))
        return
    for name, value in found.items():
        if isinstance(value, dict):
            value = ", ".join(f"{key} {count}" for key, count in value.items())
        click.echo(f"{name:9} {value}")


@drawings.command()
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False))
@filters
@click.option(
    "--replace",
    is_flag=True,
    help="Instead of an earlier export in FOLDER; what is no longer a drawing is removed from it.",
)
@DATABASE
def export(folder: Path, wanted: Wanted, replace: bool, database: str | None) -> None:
    """Write drawings to FOLDER: a PNG each, in folders by label, and drawings.csv.

    Example: digitre drawings export backup-$(date +%F)/ --status accepted
    """
    with reported():
        source = existing(collection(database))
        rows = files.write_folder(source, wanted, folder, replace=replace)
        count = sum(1 for _ in rows)
    click.echo(f"{count} written to {folder}")


@drawings.command("import")
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False, exists=True))
@DATABASE
def import_folder(folder: Path, database: str | None) -> None:
    """Read drawings that `export` wrote; those that are here already stay as they are.

    Example: digitre drawings import backup/
    """
    new = seen = 0
    with reported():
        try:
            for stored, had in files.store(collection(database), files.read_folder(folder)):
                new, seen = new + stored, seen + had
        except files.ImportFileError as error:
            raise click.ClickException(f"{error} ({new} were stored before it)") from None
    click.echo(f"{new} stored, {seen - new} were here already")


@drawings.command()
@click.option("--from", "source", required=True, metavar="URL", help="Where the drawings are.")
@click.option("--to", "target", required=True, metavar="URL", help="Where they go.")
def copy(source: str, target: str) -> None:
    """Copy all drawings to another database, and prove that none is missing.

    Stopped half-way, it goes on when it is called again; what was judged meanwhile is copied anew.

    Example: digitre drawings copy --from sqlite:////var/lib/digitre/drawings.sqlite3 --to postgresql+psycopg://db/digitre
    """
    with reported():
        before, after = existing(collection(source)), collection(target)
        with click.progressbar(length=before.count(), label="copying") as bar:
            new = files.copy(before, after, bar.update)
        wrong = files.missing(before, after)
        if wrong:
            raise click.ClickException(f"{len(wrong)} are missing or differ, such as {wrong[0]}")
        click.echo(f"{new} copied; all {before.count()} are there, each the same")


@drawings.command()
@click.option("--port", type=click.IntRange(0, 65535), default=0, help="Any free one without it.")
@click.option("--status", type=click.Choice(STATUSES), default="pending", show_default=True)
@click.option("--limit", type=click.IntRange(1, 1000), default=200, show_default=True)
@DATABASE
def review(port: int, status: str, limit: int, database: str | None) -> None:
    """Judge drawings by keyboard on a page that this machine alone can open.

    Example: digitre drawings review
    """
    from digitre.web import review as pages

    with reported():
        store = collection(database)
        store.count()  # a database that cannot be used is said here, not in the browser
    server, address = pages.serve(store, port, Wanted(status=status), limit)
    click.echo(f"Open this once, in this machine's browser: {address}")
    click.echo("Ctrl+C ends it.")
    try:
        server.serve_forever()
    except KeyboardInterrupt:
        click.echo("")
    finally:
        server.server_close()

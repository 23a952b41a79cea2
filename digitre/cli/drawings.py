"""`digitre drawings`: list, review, export, import, copy and delete the saved drawings."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from digitre.cli import Group, terminal
from digitre.cli.selection import (
    DATABASE,
    Label,
    collection,
    errors_in_one_line,
    existing,
    filters,
    find_unknown,
    no_such,
    require_filter,
)
from digitre.drawings import export as exports
from digitre.drawings.drawing import STATUSES, Drawing, Filter, label_name
from digitre.recognition.classifier import percent

AS_JSON = click.option("--json", "as_json", is_flag=True, help="Print one JSON object per line.")


@click.group(cls=Group)
def drawings() -> None:
    """List, review, export and copy the saved drawings.

    Example: digitre drawings list --status pending --disagree
    """


def to_dict(drawing: Drawing, **more: Any) -> dict[str, Any]:
    """A drawing as JSON prints it: all its fields but the pixels and strokes, and its prediction."""
    fields = vars(drawing) | {
        "made": drawing.made.isoformat(),
        "label": label_name(drawing.label),
        **more,
        "said": label_name(drawing.prediction),
    }
    return {name: value for name, value in fields.items() if name not in ("pixels", "strokes")}


@drawings.command("list")
@filters
@click.option(
    "--limit",
    type=click.IntRange(1),
    default=50,
    show_default=True,
    metavar="N",
    help="Show at most N drawings.",
)
@AS_JSON
@DATABASE
def list_drawings(filter: Filter, limit: int, as_json: bool, database: str | None) -> None:
    """List drawings, those that are most worth a look first.

    Example: digitre drawings list --status pending --limit 20
    """
    with errors_in_one_line():
        chosen = collection(database).for_review(filter, limit)
    for drawing, agreeing in chosen:
        if as_json:
            click.echo(json.dumps(to_dict(drawing, agreeing=agreeing)))
        else:
            label, prediction = label_name(drawing.label), label_name(drawing.prediction)
            click.echo(
                f"{drawing.id}  {drawing.made.isoformat()[:16]}  {drawing.status:8}  "
                f"label {label:4}  read as {prediction:4} ({percent(drawing.probability)}%)  "
                f"{drawing.writer or '-'}"
            )


@drawings.command()
@click.argument("id")
@click.option(
    "--png",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Write the picture to FILE.",
)
@AS_JSON
@DATABASE
def show(id: str, png: Path | None, as_json: bool, database: str | None) -> None:
    """Show one drawing: what is stored with it, and its picture.

    Example: digitre drawings show 3f0c...
    """
    with errors_in_one_line():
        store = collection(database)
        drawing = store.find(id) if store.database.exists() else None
        if drawing is None:
            raise no_such([id])
        if png:
            png.write_bytes(drawing.pixels)
    if as_json:
        click.echo(json.dumps(to_dict(drawing) | {"strokes": drawing.strokes}))
        return
    from digitre.cli.terminal import blocks
    from digitre.recognition import preprocessing

    for name, value in to_dict(drawing).items():
        click.echo(f"{name:12} {'-' if value == '' else value}")
    click.echo(f"{'strokes':12} {len(drawing.strokes or [])}")
    click.echo(blocks(preprocessing.preprocess(drawing.pixels)[0, :, :, 0]))


@drawings.command()
@filters
@DATABASE
def accept(filter: Filter, database: str | None) -> None:
    """Accept drawings: the next training uses them.

    Example: digitre drawings accept --writer b2c1 --status pending
    """
    _judge(filter, "accepted", None, database)


@drawings.command()
@filters
@DATABASE
def reject(filter: Filter, database: str | None) -> None:
    """Reject drawings: no training uses them.

    Example: digitre drawings reject 3f0c...
    """
    _judge(filter, "rejected", None, database)


@drawings.command()
@click.argument("id")
@click.argument("label", type=Label())
@DATABASE
def relabel(id: str, label: int, database: str | None) -> None:
    """Correct the label of a drawing (0 to 9, or none), and accept it.

    Example: digitre drawings relabel 3f0c... 7
    """
    _judge(Filter(ids=[id]), "accepted", label, database)


def _judge(filter: Filter, status: str, label: int | None, database: str | None) -> None:
    require_filter(filter)
    with errors_in_one_line():
        store = collection(database)
        unknown = find_unknown(store, filter)
        _report(store.judge(filter, status, label), status, filter, unknown)


def _report(count: int, done: str, filter: Filter, unknown: list[str]) -> None:
    """Print how many drawings were changed, and fail if an id was not among them."""
    click.echo(f"{count} {done}")
    if unknown:
        raise no_such(unknown)
    if filter.ids is not None and count < len(set(filter.ids)):
        others = len(set(filter.ids)) - count
        raise click.ClickException(f"{others} of these drawings do not pass the filter")


@drawings.command()
@filters
@click.option("--yes", is_flag=True, help="Do not ask for confirmation.")
@DATABASE
def delete(filter: Filter, yes: bool, database: str | None) -> None:
    """Delete drawings for good.

    Example: digitre drawings delete --writer b2c1
    """
    require_filter(filter)
    with errors_in_one_line():
        store = collection(database)
        unknown = find_unknown(store, filter)
        if not yes:
            count = sum(1 for _ in store.select(filter))
            click.confirm(f"Delete {count} drawings for good?", abort=True)
        _report(store.delete(filter), "deleted", filter, unknown)


@drawings.command()
@AS_JSON
@DATABASE
def stats(as_json: bool, database: str | None) -> None:
    """Count the drawings by status and label, the writers, the bytes.

    Example: digitre drawings stats
    """
    with errors_in_one_line():
        statistics = asdict(collection(database).statistics())
    if as_json:
        click.echo(json.dumps(statistics))
        return
    for name, value in statistics.items():
        if isinstance(value, dict):
            value = ", ".join(f"{key} {count}" for key, count in value.items())
        click.echo(f"{name:9} {value}")


@drawings.command()
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False))
@filters
@click.option(
    "--replace",
    is_flag=True,
    help="Replace an earlier export in FOLDER, and remove its drawings that are not exported now.",
)
@DATABASE
def export(folder: Path, filter: Filter, replace: bool, database: str | None) -> None:
    """Export drawings to FOLDER, as PNGs and a table.

    There is a folder of PNGs for each label. drawings.csv has everything else.

    Example: digitre drawings export backup-$(date +%F)/ --status accepted
    """
    with errors_in_one_line():
        source = existing(collection(database))
        count = sum(1 for _ in exports.write_folder(source, filter, folder, replace=replace))
    click.echo(f"{count} written to {folder}")


@drawings.command("import")
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False, exists=True))
@DATABASE
def import_folder(folder: Path, database: str | None) -> None:
    """Import an export. Drawings that are in the database already stay as they are.

    Example: digitre drawings import backup/
    """
    new = total = 0
    with errors_in_one_line():
        try:
            target = collection(database)
            for new_ones, count in exports.store(target, exports.read_folder(folder)):
                new, total = new + new_ones, total + count
        except exports.ImportFileError as error:
            raise click.ClickException(f"{error} ({new} were stored before it)") from None
    click.echo(f"{new} stored, {total - new} were here already")


@drawings.command()
@click.option("--from", "source", required=True, metavar="URL", help="Database to copy from.")
@click.option("--to", "target", required=True, metavar="URL", help="Database to copy to.")
def copy(source: str, target: str) -> None:
    """Copy all drawings to another database.

    At the end it checks that every drawing has arrived. If it is interrupted, run it again: it also
    copies what was reviewed since the last time.

    Example: digitre drawings copy --from sqlite:////var/lib/digitre/drawings.sqlite3 --to postgresql+psycopg://db/digitre
    """
    with errors_in_one_line():
        before, after = existing(collection(source)), collection(target)
        with terminal.progress(before.count(), "copying") as bar:
            new = exports.copy(before, after, bar.update)
        missing = exports.missing(before, after)
        if missing:
            raise click.ClickException(
                f"{len(missing)} are missing or different, for example {missing[0]}"
            )
        click.echo(f"{new} copied; all {before.count()} are there and identical")


@drawings.command()
@click.option("--existing", is_flag=True, help="Do nothing if there is no SQLite file yet.")
@DATABASE
def migrate(existing: bool, database: str | None) -> None:
    """Bring the database to this version of Digitre.

    The installer and the server do this when they start. Drawings can be saved meanwhile. If it is
    interrupted, run it again.

    Example: digitre drawings migrate
    """
    with errors_in_one_line():
        store = collection(database).database
        if existing and not store.exists():
            return
        store.migrate()
    click.echo("The database is up to date")


@drawings.command()
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=0,
    help="Port on 127.0.0.1. [default: any free port]",
)
@click.option(
    "--status",
    type=click.Choice(STATUSES),
    default="pending",
    show_default=True,
    help="Review drawings with this status.",
)
@click.option(
    "--limit",
    type=click.IntRange(1, 1000),
    default=200,
    show_default=True,
    metavar="N",
    help="Show at most N drawings.",
)
@DATABASE
def review(port: int, status: str, limit: int, database: str | None) -> None:
    """Review drawings by keyboard in a browser.

    Only a browser on this machine can open the page.

    Example: digitre drawings review
    """
    from digitre.web import review as page

    with errors_in_one_line():
        store = collection(database)
        store.check()  # so that a database error is printed here, not in the browser
    server, address = page.serve(store, port, Filter(status=status), limit)
    click.echo(f"Open this address in a browser on this machine; it works once: {address}")
    click.echo("Press Ctrl+C to stop.")
    try:
        server.serve_forever()
    except KeyboardInterrupt:
        click.echo("")
    finally:
        server.server_close()

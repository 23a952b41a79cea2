"""Bring the tables of a database to the newest revision, and fill the columns that revisions added."""

from __future__ import annotations

import hashlib
from pathlib import Path

import sqlalchemy as sa

HEAD = "0003"  # the newest revision in migrations/versions
BATCH = 500  # drawings in one transaction; others can save between two of them
SCRIPTS = Path(__file__).resolve().parent / "migrations"

_drawings = sa.table("drawings", sa.column("id"), sa.column("pixels"), sa.column("picture"))
_unfilled = sa.select(_drawings.c.id, _drawings.c.pixels).where(_drawings.c.picture == "")


def is_newest(engine: sa.Engine) -> bool:
    """Whether the tables have the newest revision."""
    with _reading(engine) as connection:
        if not sa.inspect(connection).has_table("alembic_version"):
            return False
        query = sa.text("SELECT version_num FROM alembic_version")
        return connection.scalar(query) == HEAD


def is_filled(engine: sa.Engine) -> bool:
    """Whether `fill` would find nothing to do."""
    with _reading(engine) as connection:
        return connection.execute(_unfilled.limit(1)).first() is None


def has_more_than(engine: sa.Engine, count: int) -> bool:
    """Whether there are more drawings than this, at whichever revision."""
    with _reading(engine) as connection:
        if not sa.inspect(connection).has_table("drawings"):
            return False
        query = sa.select(_drawings.c.id).order_by(_drawings.c.id).offset(count).limit(1)
        return connection.execute(query).first() is not None


def upgrade(engine: sa.Engine) -> None:
    """Change the tables, which is soon done. Processes that start together take turns.

    Raises:
        sqlalchemy.exc.InvalidRequestError: if a newer Digitre made this database.
    """
    from alembic import command
    from alembic.config import Config
    from alembic.util import CommandError

    config = Config()
    config.set_main_option("script_location", str(SCRIPTS))
    with engine.begin() as connection:
        _wait_for_turn(connection)
        config.attributes["connection"] = connection
        try:
            command.upgrade(config, "head")
        except CommandError as error:
            raise sa.exc.InvalidRequestError(str(error)) from error


def fill(engine: sa.Engine) -> None:
    """Give each drawing that has no hash of its picture this hash.

    Each batch is a transaction of its own. If it is interrupted, call it again.
    """
    update = sa.update(_drawings).where(_drawings.c.id == sa.bindparam("of"))
    update = update.values(picture=sa.bindparam("hash"))
    while not is_filled(engine):
        with engine.begin() as connection:
            _wait_for_turn(connection)
            rows = [
                {"of": id, "hash": hashlib.sha256(bytes(pixels or b"")).hexdigest()}
                for id, pixels in connection.execute(_unfilled.limit(BATCH))
            ]
            if rows:
                connection.execute(update, rows)


def _reading(engine: sa.Engine) -> sa.Connection:
    return engine.connect().execution_options(write=False)


def _wait_for_turn(connection: sa.Connection) -> None:
    if connection.dialect.name == "postgresql":
        connection.execute(sa.text("SELECT pg_advisory_xact_lock(4711)"))

"""The drawings that people saved, with what they said they are: one table, by SQLAlchemy.

Nothing but `saving` and the command line imports this, and `saving` only when something is saved:
reading digits needs no database, and goes on without one.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from digitre.recognition.classifier import NO_DIGIT

HERE = Path(__file__).resolve().parent
HEAD = "0002"  # the newest revision in migrations/versions

MIGRATION = 20  # seconds that a step of a migration may last: less than a worker has for a request
SURE = 0.9  # a drawing that the network reads as its label, at least so surely, is accepted at once

metadata = sa.MetaData()
drawings = sa.Table(
    "drawings",
    metadata,
    sa.Column("id", sa.String(32), primary_key=True),
    sa.Column("made", sa.DateTime, nullable=False),  # UTC
    sa.Column("label", sa.SmallInteger, nullable=False),  # 0 to 9, 10 for no digit
    sa.Column("writer", sa.String(64), nullable=False),  # empty where none was named
    sa.Column("pixels", sa.LargeBinary, nullable=False),  # a grey PNG, dark on light
    sa.Column("picture", sa.String(64), nullable=False),  # the pixels' SHA-256
    sa.Column("strokes", sa.JSON(none_as_null=True)),  # lists of [x, y, milliseconds]
    sa.Column("size", sa.Integer, nullable=False),  # bytes of both
    sa.Column("status", sa.String(8), nullable=False),  # pending, accepted or rejected
    sa.Column("read_as", sa.SmallInteger, nullable=False),  # the network's best of ten
    sa.Column("confidence", sa.Float, nullable=False),
    sa.Column("not_a_digit", sa.Float, nullable=False),
    sa.Column("model", sa.String(64), nullable=False),
    sa.Index("drawings_by_writer", "writer", "made"),
    sa.Index("drawings_by_status", "status", "made"),
    sa.Index("drawings_by_size", "size"),
    sa.Index("drawings_by_picture", "picture", "label"),
)
STATUSES = ("pending", "accepted", "rejected")


@dataclass(frozen=True)
class Limits:
    """What may be stored at most."""

    a_day: int  # of one writer
    count: int
    bytes: int


@dataclass(frozen=True)
class Wanted:
    """Which drawings: those for which all holds that is given.

    Attributes:
        ids: these alone.
        status: "pending", "accepted" or "rejected".
        label: 0 to 9, 10 for no digit.
        writer: the writer's name as the page sent it.
        disagree: those whose label is not what the network said.
    """

    ids: Sequence[str] | None = None
    status: str | None = None
    label: int | None = None
    writer: str | None = None
    disagree: bool = False

    def clauses(self) -> list[sa.ColumnElement[bool]]:
        """As conditions on the table."""
        column = drawings.c
        found: list[sa.ColumnElement[bool]] = []
        if self.ids is not None:
            found.append(column.id.in_(self.ids))
        for name in ("status", "label", "writer"):
            if getattr(self, name) is not None:
                found.append(column[name] == getattr(self, name))
        if self.disagree:
            found.append(column.label != SAID)
        return found


# What the network said: its best of ten, or no digit where that is the most probable.
SAID = sa.case((drawings.c.not_a_digit > drawings.c.confidence, NO_DIGIT), else_=drawings.c.read_as)


def said(row: dict[str, Any]) -> int:
    """`SAID` of a drawing's columns."""
    return NO_DIGIT if row["not_a_digit"] > row["confidence"] else row["read_as"]


EVERY = Wanted()


def named(label: int) -> str:
    """A label in words: "0" to "9", or "none"."""
    return "none" if label == NO_DIGIT else str(label)


class TooManyError(Exception):
    """The writer has saved as many drawings today as may be."""


class FullError(Exception):
    """As many drawings are stored, or bytes, as may be."""


class UnavailableError(Exception):
    """The database cannot be used just now: gone, locked, read-only or full."""


class GivenUpError(UnavailableError):
    """PostgreSQL gave up the transaction: this process was held up in it, or the server was ended."""


# idle_in_transaction_session_timeout and admin_shutdown, of PostgreSQL's table of error codes.
GIVEN_UP = {"25P03", "57P01"}


def identity(writer: str, label: int, pixels: bytes) -> str:
    """The id of a drawing as it is saved: the same drawing and label by the same writer has the same.

    Another label that it is given later does not change it.
    """
    text = f"{writer}\0{label}\0".encode() + pixels
    return hashlib.sha256(text).hexdigest()[:32]


class Drawings:
    """The collection at a database's address.

    Args:
        url: as SQLAlchemy takes it, such as sqlite:////var/lib/digitre/drawings.sqlite3 or
            postgresql+psycopg://host/name. The database's tables are made at first use.
        patience: seconds after which a database that does not answer is unavailable. A worker that
            waits for one reads no digits meanwhile.
    """

    def __init__(self, url: str, patience: float = 2) -> None:
        self.url = sa.make_url(url)
        self.patience = patience
        self._engine: sa.Engine | None = None
        self._process = 0

    def save(self, row: dict[str, Any], limits: Limits) -> bool:
        """Store a drawing for good: once this returns, it is on the disk.

        Args:
            row: the table's columns but `made`, `status` and `picture`.
            limits: what may be stored.

        Returns:
            Whether it is new; False where it was there already.

        Raises:
            TooManyError, FullError, UnavailableError.
        """
        try:
            return self._save(row, limits)
        except GivenUpError:  # once more: what is stored twice is stored once
            return self._save(row, limits)

    def _save(self, row: dict[str, Any], limits: Limits) -> bool:
        now = datetime.now(UTC).replace(tzinfo=None)
        with self._begin() as connection:
            if connection.dialect.name == "postgresql":
                # As SQLite does by itself: one writer at a time, so that what is counted holds.
                connection.execute(sa.text("SELECT pg_advisory_xact_lock(4712)"))
            if connection.scalar(sa.select(drawings.c.id).where(drawings.c.id == row["id"])):
                return False
            if self._today(connection, row["writer"], now) >= limits.a_day:
                raise TooManyError
            count, size = connection.execute(
                sa.select(sa.func.count(), sa.func.coalesce(sa.func.sum(drawings.c.size), 0))
            ).one()
            if count >= limits.count or size + row["size"] > limits.bytes:
                raise FullError
            sure = row["not_a_digit"] if row["label"] == NO_DIGIT else row["confidence"]
            agrees = row["label"] in (NO_DIGIT, row["read_as"]) and sure >= SURE
            status = "accepted" if agrees else "pending"
            picture = hashlib.sha256(row["pixels"]).hexdigest()
            new = row | {"made": now, "status": status, "picture": picture}
            connection.execute(drawings.insert().values(**new))
        return True

    def delete(self, id: str) -> bool:
        """Remove a drawing for good; whether it was there. Raises `UnavailableError`."""
        with self._begin() as connection:
            return connection.execute(drawings.delete().where(drawings.c.id == id)).rowcount > 0

    def find(self, id: str) -> dict[str, Any] | None:
        """A drawing's columns, or None. Raises `UnavailableError`."""
        with self._begin() as connection:
            row = connection.execute(sa.select(drawings).where(drawings.c.id == id)).mappings()
            found = row.one_or_none()
            return dict(found) if found else None

    def check(self) -> None:
        """Raises `UnavailableError` where the database does not answer, or has no drawings to ask for."""
        with self._begin() as connection:
            connection.execute(sa.select(drawings.c.id).limit(1))

    def count(self) -> int:
        """How many drawings there are. Raises `UnavailableError`."""
        with self._begin() as connection:
            return connection.scalar(sa.select(sa.func.count()).select_from(drawings)) or 0

    def rows(self, wanted: Wanted = EVERY, *, batch: int = 500) -> Iterator[dict[str, Any]]:
        """The wanted drawings by their ids, in memory only `batch` at a time.

        Raises `UnavailableError`.
        """
        last = ""
        while True:
            asked = sa.select(drawings).where(drawings.c.id > last, *wanted.clauses())
            with self._begin() as connection:
                found = connection.execute(asked.order_by(drawings.c.id).limit(batch))
                rows = [dict(row) for row in found.mappings()]
            yield from rows
            if len(rows) < batch:
                return
            last = rows[-1]["id"]

    def for_review(self, wanted: Wanted, limit: int) -> list[dict[str, Any]]:
        """The wanted drawings, first what several writers say of the same picture, then what the
        network was surest of, newest first; with `agreeing`, how many writers say so.

        Raises `UnavailableError`.
        """
        alike = drawings.alias()
        agreeing = (
            sa.select(sa.func.count(alike.c.writer.distinct()))
            .where(alike.c.picture == drawings.c.picture, alike.c.label == drawings.c.label)
            .scalar_subquery()
            .label("agreeing")
        )
        asked = sa.select(drawings, agreeing).where(*wanted.clauses())
        asked = asked.order_by(
            sa.desc("agreeing"),
            drawings.c.confidence.desc(),
            drawings.c.made.desc(),
            drawings.c.id,
        )
        with self._begin() as connection:
            found = connection.execute(asked.limit(limit))
            return [dict(row) for row in found.mappings()]

    def judge(self, wanted: Wanted, status: str, label: int | None = None) -> int:
        """Give the wanted drawings a status, and a label where one is given; how many there were.

        Raises `UnavailableError`.
        """
        values: dict[str, Any] = {"status": status} | ({} if label is None else {"label": label})
        with self._begin() as connection:
            changed = sa.update(drawings).where(*wanted.clauses()).values(**values)
            return connection.execute(changed).rowcount

    def remove(self, wanted: Wanted) -> int:
        """Delete the wanted drawings for good; how many there were. Raises `UnavailableError`."""
        with self._begin() as connection:
            return connection.execute(drawings.delete().where(*wanted.clauses())).rowcount

    def stats(self) -> dict[str, Any]:
        """How many drawings there are by status and by label, writers, disagreements, bytes.

        Raises `UnavailableError`.
        """
        count = sa.func.count()
        with self._begin() as connection:

            def counted(column: sa.Column) -> dict[Any, int]:
                found = connection.execute(sa.select(column, count).group_by(column))
                return {row[0]: row[1] for row in found}

            by = {"status": counted(drawings.c.status), "label": counted(drawings.c.label)}
            writers, size = connection.execute(
                sa.select(
                    sa.func.count(drawings.c.writer.distinct()),
                    sa.func.coalesce(sa.func.sum(drawings.c.size), 0),
                )
            ).one()
            disagree = connection.scalar(
                sa.select(count).select_from(drawings).where(drawings.c.label != SAID)
            )
        return {
            "drawings": sum(by["status"].values()),
            "writers": writers,
            "bytes": int(size),
            "disagree": disagree,
            "status": {name: by["status"].get(name, 0) for name in STATUSES},
            "label": {named(label): by["label"].get(label, 0) for label in range(NO_DIGIT + 1)},
        }

    def insert(self, rows: list[dict[str, Any]], *, replace: bool = False) -> int:
        """Store drawings as they are, without limits; how many were not here yet.

        Those that are here stay as they are, or become as these. Raises `UnavailableError`.
        """
        with self._begin() as connection:
            asked = sa.select(drawings.c.id).where(drawings.c.id.in_([row["id"] for row in rows]))
            here = set(connection.scalars(asked))
            if replace:
                connection.execute(drawings.delete().where(drawings.c.id.in_(here)))
            stored = rows if replace else [row for row in rows if row["id"] not in here]
            if stored:
                connection.execute(drawings.insert(), stored)
        return len(rows) - len(here)

    def _today(self, connection: sa.Connection, writer: str, now: datetime) -> int:
        since = now - timedelta(days=1)
        asked = sa.select(sa.func.count()).where(
            drawings.c.writer == writer, drawings.c.made > since
        )
        return connection.scalar(asked) or 0

    @contextmanager
    def _begin(self) -> Iterator[sa.Connection]:
        """A transaction; whatever the database has against it is `UnavailableError`."""
        try:
            with self._ready().begin() as connection:
                yield connection
        except (sa.exc.SQLAlchemyError, OSError) as error:
            given = getattr(error, "orig", None) or error  # the driver's, without the statement
            gone = getattr(given, "sqlstate", None) in GIVEN_UP
            kind = GivenUpError if gone else UnavailableError
            raise kind(" ".join(str(given).split())) from error
        except ImportError as error:
            raise UnavailableError(f"{error}: pip install 'digitre[postgres]'") from error

    def _ready(self) -> sa.Engine:
        """The engine of this process, once the tables are there."""
        if self._engine is None or self._process != os.getpid():
            engine = self._connect()
            self._migrate(engine)
            self._engine, self._process = engine, os.getpid()
        return self._engine

    def _connect(self) -> sa.Engine:
        if self.url.get_backend_name() != "sqlite":
            wait = round(1000 * self.patience)
            return sa.create_engine(
                self.url,
                pool_pre_ping=True,
                pool_timeout=self.patience,
                connect_args={
                    "connect_timeout": max(2, round(self.patience)),
                    "tcp_user_timeout": wait,  # a host that was cut off says nothing at all
                    # What a host that was cut off had begun is given up before others tire of waiting.
                    "options": f"-c statement_timeout={wait} -c lock_timeout={wait} "
                    f"-c idle_in_transaction_session_timeout={wait // 2}",
                },
            )
        file = self.url.database
        if file and file != ":memory:":
            Path(file).parent.mkdir(parents=True, exist_ok=True)
        engine = sa.create_engine(self.url, connect_args={"timeout": self.patience})

        @sa.event.listens_for(engine, "connect")
        def prepare(connection, _) -> None:
            connection.isolation_level = None  # transactions begin below, not in the driver
            connection.execute("PRAGMA journal_mode = WAL")
            # With WAL the default is a log that is written later: a 201 has to be on the disk.
            connection.execute("PRAGMA synchronous = FULL")

        @sa.event.listens_for(engine, "begin")
        def begin(connection) -> None:
            connection.exec_driver_sql("BEGIN IMMEDIATE")  # what is counted is what is written

        return engine

    def _migrate(self, engine: sa.Engine) -> None:
        """Bring the tables to the newest revision, if they are not; workers one after another."""
        if _revision(engine) == HEAD:
            return
        from alembic import command
        from alembic.config import Config
        from alembic.util import CommandError

        config = Config()
        config.set_main_option("script_location", str(HERE / "migrations"))
        with engine.begin() as connection:
            if engine.dialect.name == "postgresql":
                wait = round(1000 * max(MIGRATION, self.patience))
                for limit in ("statement", "lock", "idle_in_transaction_session"):
                    connection.execute(sa.text(f"SET LOCAL {limit}_timeout = {wait}"))
                connection.execute(sa.text("SELECT pg_advisory_xact_lock(4711)"))
            config.attributes["connection"] = connection
            try:
                command.upgrade(config, "head")
            except CommandError as error:  # the database is of a newer Digitre
                raise UnavailableError(str(error)) from error


def _revision(engine: sa.Engine) -> str | None:
    with engine.connect() as connection:
        if not sa.inspect(connection).has_table("alembic_version"):
            return None
        return connection.scalar(sa.text("SELECT version_num FROM alembic_version"))

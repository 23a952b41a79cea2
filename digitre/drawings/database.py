"""A database with the newest tables: opening it, its time limits, its migrations, its errors."""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import sqlalchemy as sa

from digitre.drawings import migration

SMALL = 1000  # a store of so many drawings may be migrated while a request waits for it

# A step of a migration may take this many seconds. A worker has longer for a request.
MIGRATION = 20

# A database that kept this process waiting in vain is left alone for this many seconds.
REST = 5
ROOM = 512 * 1024  # bytes on the disk for the largest drawing, in the table and in SQLite's log
PROBE = 0.2  # seconds that a database at rest has to say that it is back

# PostgreSQL's error codes for idle_in_transaction_session_timeout and admin_shutdown.
ENDED = {"25P03", "57P01"}


class UnavailableError(Exception):
    """The database cannot be used at the moment: it is missing, locked, read-only or full."""


class TransactionEndedError(UnavailableError):
    """PostgreSQL ended the transaction: this process stood still in it, or the server stopped."""


class Database:
    """A database, opened at first use in each process.

    Args:
        url: a SQLAlchemy URL such as sqlite:////var/lib/digitre/drawings.sqlite3 or
            postgresql+psycopg://host/name. Missing tables are made at first use.
        most: if there are more drawings than this, they are not migrated at first use: the database
            is unavailable until `migrate` has been called. None for no limit.
        patience: a database that does not answer within this many seconds is unavailable. A worker
            that waits for the database reads no digits meanwhile.

    Raises:
        sqlalchemy.exc.ArgumentError: if the URL is malformed.
    """

    def __init__(self, url: str, patience: float, most: int | None = None) -> None:
        self.url = sa.make_url(url)
        self.most = most
        self.patience = patience
        self._engine: sa.Engine | None = None
        self._process = 0
        self._rest_until = 0.0
        self._began = 0.0

    @contextmanager
    def begin(self, *, write: bool = False) -> Iterator[sa.Connection]:
        """Open a transaction; any database error becomes `UnavailableError`.

        After an error that took long, the next seconds' transactions fail at once, or after a tenth
        of a second with SQLite: a worker that waits reads no digits.

        Args:
            write: SQLite has one writer at a time. Such a transaction is that writer from its
                beginning, so that what it counts still holds when it writes. Others only read, and
                keep no writer waiting.
        """
        if self._is_resting() and not is_sqlite(self.url):
            self._end_rest()
        self._began = time.monotonic()
        with (
            self._errors(),
            self._ready().execution_options(write=write).begin() as connection,
        ):
            yield connection

    def exists(self) -> bool:
        """Whether there is a file, for SQLite. Another database is asked only when it is used."""
        file = self.url.database
        return not is_sqlite(self.url) or bool(file and Path(file).is_file())

    def check_room(self) -> None:
        """Raise OSError if a drawing does not fit onto SQLite's disk. Reading the tables does not tell."""
        if is_sqlite(self.url) and self.exists():
            with tempfile.TemporaryFile(dir=Path(str(self.url.database)).parent) as probe:
                probe.write(bytes(ROOM))
                probe.flush()

    def migrate(self) -> None:
        """Bring the tables to the newest revision, however many drawings there are.

        Drawings can be saved meanwhile. If it is interrupted, call it again.

        Raises:
            UnavailableError.
        """
        with self._errors():
            engine = self._open(self.patience)
            self._migrate(engine)
            engine.dispose()

    @contextmanager
    def _errors(self) -> Iterator[None]:
        """Turn the errors of databases into `UnavailableError`."""
        began = time.monotonic()
        try:
            yield
        except (sa.exc.SQLAlchemyError, OSError) as error:
            cause = getattr(error, "orig", None) or error  # the driver's error, without the SQL
            ended = getattr(cause, "sqlstate", None) in ENDED
            kind = TransactionEndedError if ended else UnavailableError
            if not ended and time.monotonic() - began > self.patience / 2:
                self._rest_until = time.monotonic() + REST
            raise kind(" ".join(str(cause).split())) from error
        except ImportError as error:
            raise UnavailableError(f"{error}: pip install 'digitre[postgres]'") from error

    def _end_rest(self) -> None:
        """Go on if PostgreSQL answers again, such as after a cable was back; else raise at once."""
        from digitre.drawings.postgresql import answers

        host = self.url.query.get("host", self.url.host)
        if not answers(host if isinstance(host, str) else None, self.url.port, PROBE):
            raise UnavailableError("it did not answer a moment ago")
        self._rest_until = 0.0

    def _is_resting(self) -> bool:
        return time.monotonic() < self._rest_until

    def _ready(self) -> sa.Engine:
        """The engine of this process, after the tables have been brought up to date."""
        if self._engine is None or self._process != os.getpid():
            engine = self._open(self.patience)
            self._bring_up_to_date(engine)
            self._engine, self._process = engine, os.getpid()
        return self._engine

    def _open(self, patience: float) -> sa.Engine:
        return self._sqlite(patience) if is_sqlite(self.url) else self._postgresql(patience)

    def _postgresql(self, patience: float) -> sa.Engine:
        wait = round(1000 * patience)
        engine = sa.create_engine(
            self.url,
            pool_pre_ping=True,
            pool_timeout=self.patience,
            connect_args={
                "connect_timeout": max(2, round(self.patience)),
                "tcp_user_timeout": wait,  # a host that was cut off does not even answer "no"
                # A transaction of a host that was cut off ends before others stop waiting for it.
                "options": f"-c statement_timeout={wait} -c lock_timeout={wait} "
                f"-c idle_in_transaction_session_timeout={wait // 2}",
            },
        )
        import psycopg

        from digitre.drawings.postgresql import Impatient

        @sa.event.listens_for(engine, "do_connect")
        def connect(_dialect, _record, arguments, options) -> Impatient:
            # The pool asks an old connection whether it lives, and opens a new one if it does not. If it
            # waited long for an answer, it would wait as long again.
            if self._engine is engine and time.monotonic() - self._began > patience / 2:
                raise psycopg.OperationalError("an open connection gave no answer")
            connection = Impatient.connect(*arguments, **options)
            connection.limit = patience + 0.5  # the server's own limit has a better message
            return connection

        return engine

    def _sqlite(self, patience: float) -> sa.Engine:
        file = self.url.database
        if file and file != ":memory:" and not file.startswith("file:"):
            Path(file).parent.mkdir(parents=True, exist_ok=True)
            _make_private(Path(file))
        engine = sa.create_engine(self.url, connect_args={"timeout": patience})

        @sa.event.listens_for(engine, "connect")
        def prepare(connection, _) -> None:
            connection.isolation_level = None  # `begin` below starts transactions, not the driver
            connection.execute("PRAGMA journal_mode = WAL")
            # The default with WAL writes its log later, but a 201 promises that it is on the disk.
            connection.execute("PRAGMA synchronous = FULL")
            # Deleted for good: also from the file, not only from the table.
            connection.execute("PRAGMA secure_delete = ON")

        @sa.event.listens_for(engine, "begin")
        def begin(connection) -> None:
            wait = 0.1 if self._is_resting() else patience
            connection.exec_driver_sql(f"PRAGMA busy_timeout = {round(1000 * wait)}")
            # Without the option a migration begins: it writes.
            write = connection.get_execution_options().get("write", True)
            connection.exec_driver_sql("BEGIN IMMEDIATE" if write else "BEGIN")

        return engine

    def _bring_up_to_date(self, engine: sa.Engine) -> None:
        """Migrate at first use, unless that would take long."""
        if migration.is_newest(engine) and (self.most is not None or migration.is_filled(engine)):
            return
        if self.most is not None and migration.has_more_than(engine, self.most):
            raise UnavailableError("its tables are of an older version: digitre drawings migrate")
        self._migrate(engine)

    def _migrate(self, engine: sa.Engine) -> None:
        if not is_sqlite(self.url):
            engine = self._postgresql(max(MIGRATION, self.patience))
        if not migration.is_newest(engine):
            migration.upgrade(engine)
        migration.fill(engine)
        if not is_sqlite(self.url):
            engine.dispose()


def is_sqlite(url: sa.URL) -> bool:
    return url.get_backend_name() == "sqlite"


def _make_private(file: Path) -> None:
    """Make a missing SQLite file, and let only its owner read it. SQLite's other files follow it."""
    os.close(os.open(file, os.O_RDWR | os.O_CREAT, 0o600))
    for each in (file, *(file.with_name(f"{file.name}-{end}") for end in ("wal", "shm"))):
        with suppress(FileNotFoundError, PermissionError):  # someone else's: as they like it
            if each.stat().st_mode & 0o077:
                each.chmod(0o600)

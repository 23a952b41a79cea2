"""A real PostgreSQL server for the tests: made anew, on a socket of its own, ended at their end."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import sqlalchemy as sa


def programs() -> Path | None:
    """The folder with initdb and pg_ctl, which Debian keeps off the PATH; None where none is."""
    found = shutil.which("pg_ctl")
    places = [Path(found).parent] if found else []
    places += sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    return next((place for place in places if (place / "initdb").exists()), None)


# psycopg complains of a connection that nobody closed: what a test has opened is closed after it.
_opened: set[sa.Engine] = set()


@sa.event.listens_for(sa.Engine, "engine_connect")
def _note(connection: sa.Connection) -> None:
    _opened.add(connection.engine)


def close_all() -> None:
    while _opened:
        _opened.pop().dispose()


@contextmanager
def postgresql(bin: Path, within: Sequence[str] = (), address: str = "") -> Iterator[str]:
    """The address of an empty database, as SQLAlchemy takes it.

    It listens on a socket in its own folder, or on `address`; `within` goes before its commands.
    The server refuses to be run by root: there the distribution's own user runs it.
    """
    folder = Path(tempfile.mkdtemp(prefix="digitre-pg-"))
    # Quick, not safe: what it holds need not outlive the tests.
    options = f"-c listen_addresses={address} -c unix_socket_directories={folder} -c fsync=off"
    data = str(folder / "data")
    as_owner = [*within]
    if os.geteuid() == 0:
        shutil.chown(folder, "postgres")
        as_owner += ["runuser", "-u", "postgres", "--"]

    def run(program: str, *arguments: str) -> None:
        command = [*as_owner, str(bin / program), "-D", data, *arguments]
        subprocess.run(command, check=True, cwd=folder, stdout=subprocess.DEVNULL)

    try:
        run("initdb", "--auth=trust", "--username=digitre", "--encoding=UTF8", "--no-sync")
        if address:
            with (folder / "data" / "pg_hba.conf").open("a") as rules:
                rules.write("host all all 10.77.0.0/24 trust\n")
        run("pg_ctl", "-w", "-l", str(folder / "log"), "-o", options, "start")
        try:
            yield f"postgresql+psycopg://digitre@/postgres?host={address or folder}"
        finally:
            run("pg_ctl", "-w", "-m", "immediate", "stop")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def emptied(url: str) -> str:
    """The same database without its tables."""
    engine = sa.create_engine(url)
    with engine.begin() as connection:
        connection.execute(sa.text("DROP SCHEMA public CASCADE"))
        connection.execute(sa.text("CREATE SCHEMA public"))
    engine.dispose()
    return url

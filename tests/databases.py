"""A real PostgreSQL server for the tests: new, on its own socket, stopped when they end."""

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
    """The folder with initdb and pg_ctl, or None. Debian does not put it on the PATH."""
    pg_ctl = shutil.which("pg_ctl")
    folders = [Path(pg_ctl).parent] if pg_ctl else []
    folders += sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    return next((folder for folder in folders if (folder / "initdb").exists()), None)


# psycopg warns of connections that stay open, so each test closes the engines that it used.
_engines: set[sa.Engine] = set()


@sa.event.listens_for(sa.Engine, "engine_connect")
def _note(connection: sa.Connection) -> None:
    _engines.add(connection.engine)


def close_all() -> None:
    """Close every connection that was opened since the last call."""
    while _engines:
        _engines.pop().dispose()


@contextmanager
def postgresql(bin: Path, within: Sequence[str] = (), address: str = "") -> Iterator[str]:
    """Start a server with an empty database. Yields its SQLAlchemy URL.

    PostgreSQL refuses to run as root. Then the user `postgres` of the distribution runs it.

    Args:
        bin: the folder of its programs.
        within: words to put before each command, such as those that enter a network namespace.
        address: the IP address to listen on, instead of a socket in its own folder.
    """
    folder = Path(tempfile.mkdtemp(prefix="digitre-pg-"))
    # Without fsync it is faster. The data need not survive a crash.
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
    """Remove all tables of a database. Returns its URL."""
    engine = sa.create_engine(url)
    with engine.begin() as connection:
        connection.execute(sa.text("DROP SCHEMA public CASCADE"))
        connection.execute(sa.text("CREATE SCHEMA public"))
    engine.dispose()
    return url

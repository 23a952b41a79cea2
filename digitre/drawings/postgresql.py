"""Connections to PostgreSQL that do not wait for ever.

The server's own time limits end a slow statement. They do nothing if the server itself stands still,
so here the client stops waiting.
"""

from __future__ import annotations

import socket
import time
from collections.abc import Generator
from typing import Any

import psycopg


class Impatient(psycopg.Connection[Any]):
    """A connection that is closed if an answer takes longer than `limit` seconds."""

    limit = 0.0  # seconds; 0: wait for ever

    def wait(self, gen: Any, *arguments: Any, **options: Any) -> Any:
        """Wait for an answer. Raises psycopg.OperationalError if it takes too long."""
        if self.limit:
            gen = self._limited(gen)
        return super().wait(gen, *arguments, **options)

    def _limited(self, steps: Generator[int, int, Any]) -> Generator[int, int, Any]:
        """The same steps, until the time is over. psycopg asks for the next one every 0.1 seconds."""
        end = time.monotonic() + self.limit
        try:
            wanted = next(steps)
            while True:
                ready = yield wanted
                if not ready and time.monotonic() > end:
                    self.pgconn.finish()  # nothing else can use a connection with an answer open
                    raise psycopg.OperationalError(f"no answer within {self.limit:g} seconds")
                wanted = steps.send(ready)
        except StopIteration as done:
            return done.value


SSL_REQUEST = bytes(
    [0, 0, 0, 8, 4, 210, 22, 47]
)  # "SSLRequest" of PostgreSQL's protocol: one byte back


def answers(host: str | None, port: int | None, seconds: float) -> bool:
    """Whether a server answers the shortest question of PostgreSQL's protocol within this time.

    A server that stands still accepts connections, but says nothing.

    Args:
        host: a name, an address, or the folder of a Unix socket; None is PostgreSQL's usual folder.
    """
    port = port or 5432
    try:
        if host is None or host.startswith("/"):
            connection = socket.socket(socket.AF_UNIX)
            connection.settimeout(seconds)
            connection.connect(f"{host or '/var/run/postgresql'}/.s.PGSQL.{port}")
        else:
            connection = socket.create_connection((host, port), seconds)
        with connection:
            connection.settimeout(seconds)
            connection.sendall(SSL_REQUEST)
            return connection.recv(1) in (b"S", b"N")
    except OSError:
        return False

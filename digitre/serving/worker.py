"""gunicorn's sync worker, which sends each answer in one piece.

gunicorn sends an answer's head and its body apart. A worker that is killed between the two leaves nginx
with a head that it has passed on already, and nothing to be done; of an answer that was not begun,
nginx asks another worker. One call to the system less is the other gain.
"""

from __future__ import annotations

import socket
from typing import Any

from gunicorn.workers.sync import SyncWorker

PIECE = 1024 * 1024  # bytes of an answer that are held at most


class WholeAnswers(SyncWorker):
    """The worker of deploy/gunicorn.conf.py."""

    def handle_request(self, listener: Any, req: Any, client: Any, addr: Any) -> None:
        held = _Held(client)
        super().handle_request(listener, req, held, addr)
        held.flush()


class _Held:
    """A connection that holds what is sent until there is all of it."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._parts: list[bytes] = []
        self._size = 0

    def sendall(self, data: bytes) -> None:
        self._parts.append(data)
        self._size += len(data)
        if self._size > PIECE:
            self.flush()

    def sendfile(self, *arguments: Any, **options: Any) -> int:
        self.flush()
        return self._connection.sendfile(*arguments, **options)

    def flush(self) -> None:
        if self._parts:
            self._connection.sendall(b"".join(self._parts))
            self._parts, self._size = [], 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._connection, name)

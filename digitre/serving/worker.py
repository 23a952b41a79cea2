"""gunicorn's sync worker, changed to send each answer in one piece.

gunicorn sends the headers and the body of an answer separately. If a worker dies between the two,
nginx has already forwarded the headers and can no longer retry; if nothing was sent yet, nginx asks
another worker. One piece also saves a system call per answer.
"""

from __future__ import annotations

import socket
from typing import Any

from gunicorn.workers.sync import SyncWorker

LIMIT = 1024 * 1024  # bytes of an answer to hold before they are sent


class WholeAnswers(SyncWorker):
    """The worker that deploy/gunicorn.conf.py chooses."""

    def handle_request(self, listener: Any, req: Any, client: Any, addr: Any) -> None:
        buffered = _Buffered(client)
        super().handle_request(listener, req, buffered, addr)
        buffered.flush()


class _Buffered:
    """A connection that collects what is sent until `flush`, or until there are `LIMIT` bytes."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._parts: list[bytes] = []
        self._size = 0

    def sendall(self, data: bytes) -> None:
        self._parts.append(data)
        self._size += len(data)
        if self._size > LIMIT:
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

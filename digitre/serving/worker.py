"""gunicorn's sync worker, changed to send each answer in one piece, and an error as JSON.

gunicorn sends the headers and the body of an answer separately. If a worker dies between the two,
nginx has already forwarded the headers and can no longer retry; if nothing was sent yet, nginx asks
another worker. One piece also saves a system call per answer.
"""

from __future__ import annotations

import socket
from typing import Any

from gunicorn.http.errors import ConfigurationProblem
from gunicorn.workers.sync import SyncWorker

LIMIT = 1024 * 1024  # bytes of an answer to hold before they are sent

BAD_PREFIX = b"""HTTP/1.1 400 Bad Request\r
Connection: close\r
Content-Type: application/json\r
X-Content-Type-Options: nosniff\r
Content-Length: 101\r
\r
{"error":{"code":"bad_request","message":"The address does not begin with the header SCRIPT_NAME."}}
"""


class WholeAnswers(SyncWorker):
    """The worker that deploy/gunicorn.conf.py chooses."""

    def handle_request(self, listener: Any, req: Any, client: Any, addr: Any) -> None:
        buffered = _Buffered(client)
        super().handle_request(listener, req, buffered, addr)
        buffered.flush()

    def handle_error(self, req: Any, client: Any, addr: Any, exc: BaseException) -> None:
        """Answer a SCRIPT_NAME that does not fit the address with 400: gunicorn's answer is a 500 in HTML."""
        if isinstance(exc, ConfigurationProblem):
            client.sendall(BAD_PREFIX)
        else:
            super().handle_error(req, client, addr, exc)


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

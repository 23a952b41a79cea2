"""gunicorn's sync worker, changed to send each answer in one piece, and each error as JSON.

gunicorn sends the headers and the body of an answer separately. If a worker dies between the two,
nginx has already forwarded the headers and can no longer retry; if nothing was sent yet, nginx asks
another worker. One piece also saves a system call per answer.

gunicorn's own errors are HTML, and its log has the client's address in them.

A costly picture leaves tens of megabytes that malloc keeps, in pieces. So the worker gives them back to the system
after each such request.
"""

from __future__ import annotations

import ctypes
import http
import json
import select
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

from gunicorn.http.errors import InvalidResponseHeader, InvalidResponseHeaderName, ParseException
from gunicorn.workers.sync import SyncWorker
from werkzeug.exceptions import ClientDisconnected

from digitre.web.errors import STATUSES

LIMIT = 1024 * 1024  # bytes of an answer to hold before they are sent
# Seconds of processor time after which memory is given back. A drawing takes about 0.001, a list of 64 of them 0.03, and no
# drawing leaves much behind; a photo does.
COSTLY = 0.05

# The code and the message for what gunicorn refuses, by the name of its exception: not every version of
# gunicorn has all of them. Everything else that it cannot parse is the last one.
REFUSALS = {
    "LimitRequestLine": ("address_too_long", "The address is too long: send data in the body."),
    "LimitRequestHeaders": (
        "headers_too_large",
        "There are too many headers, or they are too long.",
    ),
    "ExpectationFailed": ("expectation_failed", "Send no Expect header, or Expect: 100-continue."),
    "UnsupportedTransferCoding": ("not_implemented", "Send no Transfer-Encoding, or chunked."),
    "ConfigurationProblem": (
        "bad_request",
        "The address does not begin with the header SCRIPT_NAME.",
    ),
    "ParseException": ("bad_request", "This is not a valid HTTP request."),
}
FAULT = ("internal_error", "Something went wrong on the server. Its log has the details.")


class WholeAnswers(SyncWorker):
    """The worker that deploy/gunicorn.conf.py chooses."""

    def handle_request(self, listener: Any, req: Any, client: Any, addr: Any) -> None:
        if has_gone(client, req.headers):
            return  # no one waits for the answer: the time is better spent on the next request
        buffered = _Buffered(client)
        req.body = _Body(req.body)
        started = time.thread_time()
        super().handle_request(listener, req, buffered, addr)
        buffered.flush()
        if time.thread_time() - started > COSTLY:
            give_memory_back()

    def handle_error(self, req: Any, client: Any, addr: Any, exc: BaseException) -> None:
        """Answer what gunicorn could not parse, or what the application did not catch."""
        code, message = refusal(exc)
        if (code, message) == FAULT:
            self.log.error("Error handling a request", exc_info=exc)
        with suppress(OSError):  # the client may be gone
            client.sendall(_http_answer(code, message))


def give_memory_back() -> None:
    """Return to the system what malloc holds and nothing uses: 3 ms. Only glibc can; others need not."""
    if trim := getattr(ctypes.CDLL(None), "malloc_trim", None):
        trim(0)


def has_gone(client: socket.socket, headers: list[tuple[str, str]]) -> bool:
    """Whether a client has closed its connection while its request waited.

    nginx closes its own when its client has gone. A client that comes by TCP without a proxy may close only its
    sending half, and wait for the answer.
    """
    hung_up = getattr(select, "POLLRDHUP", 0)  # Linux has it
    if client.family != socket.AF_UNIX and not any(
        name == "X-FORWARDED-FOR" for name, _ in headers
    ):
        hung_up = 0
    poll = select.poll()
    poll.register(client, hung_up)  # POLLHUP and POLLERR are always reported
    return bool(poll.poll(0))


def refusal(error: BaseException) -> tuple[str, str]:
    """The code and the message for an exception that ended a request."""
    # What the application wanted to send is not the client's fault.
    if isinstance(error, ParseException) and not isinstance(
        error, InvalidResponseHeader | InvalidResponseHeaderName
    ):
        return REFUSALS.get(type(error).__name__, REFUSALS["ParseException"])
    return FAULT


def _http_answer(code: str, message: str) -> bytes:
    """An error as a whole HTTP answer."""
    status = STATUSES[code]
    body = json.dumps({"error": {"code": code, "message": message}}) + "\n"
    head = (
        f"HTTP/1.1 {status} {http.HTTPStatus(status).phrase}",
        "Connection: close",
        "Content-Type: application/json",
        "X-Content-Type-Options: nosniff",
        f"Content-Length: {len(body)}",
    )
    return "\r\n".join((*head, "", body)).encode()


class _Body:
    """A request's body, which raises a 400 for chunks that are wrong, and for a client that has gone."""

    def __init__(self, body: Any) -> None:
        self._body = body

    def read(self, *size: Any) -> bytes:
        return self._try(self._body.read, *size)

    def readline(self, *size: Any) -> bytes:
        return self._try(self._body.readline, *size)

    def readlines(self, *size: Any) -> list[bytes]:
        return self._try(self._body.readlines, *size)

    def __iter__(self) -> Iterator[bytes]:
        return iter(self.readline, b"")

    def _try(self, read: Callable[..., Any], *size: Any) -> Any:
        try:
            return read(*size)
        except (ParseException, OSError) as error:
            raise ClientDisconnected from error


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

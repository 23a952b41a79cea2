"""A request whose client has gone is not processed."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import pytest

from digitre.serving.worker import WholeAnswers, has_gone

PROXY = [("HOST", "x"), ("X-FORWARDED-FOR", "192.0.2.1")]


@pytest.fixture(params=["unix", "tcp"])
def pair(request: pytest.FixtureRequest) -> Iterator[tuple[socket.socket, socket.socket]]:
    """Both ends of a connection: the client's and the server's."""
    if request.param == "unix":
        client, server = socket.socketpair()
    else:
        with socket.create_server(("127.0.0.1", 0)) as listener:
            client = socket.create_connection(listener.getsockname())
            server, _ = listener.accept()
    with client, server:
        yield client, server


def test_a_client_that_waits_is_there(pair: tuple[socket.socket, socket.socket]) -> None:
    """A client that has sent its request and waits has not gone."""
    client, server = pair
    client.sendall(b"GET / HTTP/1.1\r\n\r\n")
    assert not has_gone(server, PROXY)


def test_a_proxy_that_closed_its_connection_has_gone(
    pair: tuple[socket.socket, socket.socket],
) -> None:
    """nginx closes its connection when its client has gone, whatever it had sent before."""
    client, server = pair
    client.sendall(b"GET / HTTP/1.1\r\n\r\n")
    client.close()
    assert has_gone(server, PROXY)


def test_a_client_may_close_its_sending_half() -> None:
    """A client without a proxy that says that nothing more comes still gets its answer."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        client = socket.create_connection(listener.getsockname())
        server, _ = listener.accept()
    with client, server:
        client.sendall(b"GET / HTTP/1.1\r\n\r\n")
        client.shutdown(socket.SHUT_WR)
        assert not has_gone(server, [("HOST", "x")])


def test_a_request_of_a_client_that_has_gone_is_not_handled(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The worker closes the connection without running the application."""
    handled: list[object] = []
    monkeypatch.setattr(
        "gunicorn.workers.sync.SyncWorker.handle_request", lambda *each: handled.append(each)
    )
    worker = WholeAnswers.__new__(WholeAnswers)

    class Request:
        headers = PROXY
        body = None

    client, server = socket.socketpair()
    with server:
        with client:
            worker.handle_request(None, Request(), server, None)
            assert len(handled) == 1
        worker.handle_request(None, Request(), server, None)
        assert len(handled) == 1

"""An address that nginx limits gets a share of the workers' time, and no more."""

from __future__ import annotations

import pytest
from conftest import assert_error

from digitre.web import shares


@pytest.fixture
def paid(monkeypatch: pytest.MonkeyPatch) -> memoryview:
    """Fresh counts for two workers."""
    fresh = memoryview(bytearray(8 * shares.PLACES)).cast("d")
    monkeypatch.setattr(shares, "_paid", fresh)
    monkeypatch.setattr(shares, "workers", 2)
    return fresh


def ask(client, body: bytes, address: str, limited: str = "1"):
    headers = {"X-Digitre-Limited": limited, "X-Forwarded-For": address}
    return client.post("/_get_digit", data=body, headers=headers)


def test_an_address_over_its_share_waits(client, seven: bytes, paid: memoryview) -> None:
    """It gets 429 and learns how long to wait, before its picture is looked at; others are read."""
    assert ask(client, seven, "192.0.2.1").get_json()["digit"] == 7
    shares.charge(shares.place_of("192.0.2.1"), 10)
    answer = ask(client, b"not looked at", "192.0.2.1")
    assert_error(answer, 429, "too_many_requests")
    assert 5 <= int(answer.headers["Retry-After"]) <= 10
    assert ask(client, seven, "192.0.2.2").get_json()["digit"] == 7


def test_an_address_of_yours_is_not_limited(client, seven: bytes, paid: memoryview) -> None:
    """What nginx does not limit, and what comes without nginx, is read however much it is."""
    shares.charge(shares.place_of("192.0.2.1"), 1000)
    assert ask(client, seven, "192.0.2.1", limited="0").status_code == 200
    assert client.post("/_get_digit", data=seven).status_code == 200


def test_each_reading_is_counted(client, seven: bytes, paid: memoryview) -> None:
    """A reading counts for the address that nginx saw, and the time is paid back as it passes."""
    place = shares.place_of("192.0.2.9")
    ask(client, seven, "192.0.2.9")
    assert paid[place] > 0
    assert shares.wait(place) < 0
    assert [each for each in range(shares.PLACES) if paid[each]] == [place]

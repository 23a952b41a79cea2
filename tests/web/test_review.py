"""The review page: on this machine only, behind a token, used by keyboard."""

from __future__ import annotations

import socket
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from conftest import assert_error, data_url, png
from strokes import DIGITS, OTHERS, drawn

from digitre import create_app
from digitre.drawings.collection import Drawings
from digitre.drawings.drawing import Filter
from digitre.web import review

PENDING = Filter(status="pending")


@pytest.fixture
def store(tmp_path: Path) -> Drawings:
    """A collection with five drawings that wait for a review."""
    client = create_app({"TESTING": True, "INSTANCE": tmp_path}).test_client()
    drawings = [
        (DIGITS[7], 1),
        (DIGITS[3], 8),
        (DIGITS[4], 9),
        (DIGITS[5], 6),
        (OTHERS["scribble"], 2),
    ]
    for drawing, label in drawings:
        body = {"digit": data_url(png(drawn(drawing))), "label": label}
        assert client.post("/_save_drawing", json=body).status_code == 201
    return Drawings(f"sqlite:///{tmp_path / 'drawings.sqlite3'}")


@pytest.fixture
def address(store: Drawings) -> Iterator[str]:
    """The address that the terminal shows, of a running server."""
    server, address = review.serve(store, 0, PENDING, 200)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield address
    server.shutdown()
    thread.join(10)
    server.server_close()


def client(store: Drawings):
    return review.create_app(store, PENDING, 200, "token").test_client()


def test_the_token_is_required(store: Drawings) -> None:
    """Without the token, with a wrong one, or the second time, the answer is 403."""
    mine, other = client(store), client(store)
    for address in ("/", "/?token=", "/?token=wrong", "/?token=%FF"):
        assert_error(other.get(address), 403, "forbidden")
    id = next(store.select()).id
    body = {"id": id, "status": "accepted", "label": "7"}
    assert_error(other.post("/judge", json=body), 403, "forbidden")
    app = review.create_app(store, PENDING, 200, "token")
    mine, other = app.test_client(), app.test_client()
    assert mine.get("/?token=token").status_code == 302
    assert_error(other.get("/?token=token"), 403, "forbidden")
    assert mine.get("/").status_code == 200
    elsewhere = {"Host": "evil.example"}
    assert_error(client(store).get("/?token=token", headers=elsewhere), 400, "bad_request")


def test_bad_judgements(store: Drawings) -> None:
    """An incomplete judgement gets 422, and one of a deleted drawing 404."""
    page = client(store)
    page.get("/?token=token")
    for body in ("x", [], {}, {"id": 1, "status": "accepted", "label": "7"}):
        assert_error(page.post("/judge", json=body), 422, "bad_judgement")
    body = {"id": "0" * 32, "status": "accepted", "label": "7"}
    assert_error(page.post("/judge", json=body), 404, "not_found")


def test_the_public_application_has_no_review(tmp_path: Path) -> None:
    """The public application has no route that lists or reviews drawings."""
    app = create_app({"INSTANCE": tmp_path})
    rules = {str(rule) for rule in app.url_map.iter_rules()}
    assert not [rule for rule in rules if "review" in rule or "judge" in rule or "token" in rule]
    visitor = app.test_client()
    for address in ("/review", "/judge", "/static/review.js", "/drawings"):
        assert visitor.get(address).status_code == 404
        assert visitor.post(address).status_code in (404, 405)


def test_it_listens_on_this_machine_only(address: str) -> None:
    """The address is on 127.0.0.1, and does not open without its token."""
    assert address.startswith("http://127.0.0.1:")
    with pytest.raises(urllib.error.HTTPError, match="403"):
        urllib.request.urlopen(address.split("?")[0], timeout=5)


def test_an_idle_connection_holds_nothing_up(address: str) -> None:
    """While one connection is silent, and another stops in the middle of its request, the page opens."""
    port = int(address.split(":")[2].split("/")[0])
    with (
        socket.create_connection(("127.0.0.1", port), 10),
        socket.create_connection(("127.0.0.1", port), 10) as half,
    ):
        half.sendall(b"POST /judge HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 50\r\n\r\n{")
        opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor())
        with opener.open(address, timeout=20) as answer:
            assert b'id="sheet"' in answer.read()


@pytest.mark.slow
def test_review_by_keyboard(browser, store: Drawings, address: str) -> None:
    """The keys for accept, reject, another digit, none and undo change the database."""
    context = browser.new_context(viewport={"width": 1000, "height": 800})
    page = context.new_page()
    complaints: list[str] = []
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.goto(address)
    items = page.locator("#sheet li")
    assert items.count() == 5
    ids = [items.nth(k).get_attribute("data-id") for k in range(5)]

    def press(key: str, reviewed: int) -> None:
        page.keyboard.press(key)
        page.locator("#left", has_text=f"{reviewed} reviewed").wait_for()

    press("a", 1)
    press("r", 2)
    press("7", 3)
    press("n", 4)
    press("u", 3)
    page.keyboard.press("ArrowRight")
    press("8", 4)
    saved = {drawing.id: drawing for drawing in store.select()}
    assert [saved[id].status for id in ids] == [
        "accepted",
        "rejected",
        "accepted",
        "pending",
        "accepted",
    ]
    assert (saved[ids[2]].label, saved[ids[4]].label) == (7, 8)
    store.delete(Filter(ids=[ids[3]]))
    items.nth(3).focus()
    page.keyboard.press("a")
    page.locator("#message", has_text="has been deleted").wait_for()
    assert not complaints
    context.close()


@pytest.mark.slow
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_is_accessible(browser, store: Drawings, address: str, scheme: str) -> None:
    """axe-core finds no problem, light or dark, and the page fits on a phone."""
    from axe_playwright_python.sync_playwright import Axe

    context = browser.new_context(color_scheme=scheme, viewport={"width": 360, "height": 700})
    page = context.new_page()
    page.goto(address)
    assert Axe().run(page).response["violations"] == []
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    context.close()

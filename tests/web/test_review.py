"""The review page: on this machine alone, behind a token, judged by keyboard."""

from __future__ import annotations

import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from conftest import assert_error, data_url, png
from strokes import DIGITS, OTHERS, drawn

from digitre import create_app
from digitre.drawings.collection import Drawings, Wanted
from digitre.web import review

PENDING = Wanted(status="pending")


@pytest.fixture
def store(tmp_path: Path) -> Drawings:
    """Five drawings that wait to be judged."""
    client = create_app({"TESTING": True, "INSTANCE": tmp_path}).test_client()
    named = [
        (DIGITS[7], 1),
        (DIGITS[3], 8),
        (DIGITS[4], 9),
        (DIGITS[5], 6),
        (OTHERS["scribble"], 2),
    ]
    for drawing, label in named:
        body = {"digit": data_url(png(drawn(drawing))), "label": label}
        assert client.post("/_save_drawing", json=body).status_code == 201
    return Drawings(f"sqlite:///{tmp_path / 'drawings.sqlite3'}")


@pytest.fixture
def address(store: Drawings) -> Iterator[str]:
    """The address that the terminal shows."""
    server, address = review.serve(store, 0, PENDING, 200)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield address
    server.shutdown()
    thread.join(10)
    server.server_close()


def client(store: Drawings):
    return review.create_app(store, PENDING, 200, "token").test_client()


def test_nobody_gets_in_without_the_token(store: Drawings) -> None:
    """Without it, with a wrong one, or a second time: 403, and nothing can be judged."""
    mine, other = client(store), client(store)
    for address in ("/", "/?token=", "/?token=wrong", "/?token=%FF"):
        assert_error(other.get(address), 403, "forbidden")
    id = next(store.rows())["id"]
    body = {"id": id, "status": "accepted", "label": "7"}
    assert_error(other.post("/judge", json=body), 403, "forbidden")
    app = review.create_app(store, PENDING, 200, "token")
    mine, other = app.test_client(), app.test_client()
    assert mine.get("/?token=token").status_code == 302
    assert_error(other.get("/?token=token"), 403, "forbidden")
    assert mine.get("/").status_code == 200
    elsewhere = {"Host": "evil.example"}
    assert_error(client(store).get("/?token=token", headers=elsewhere), 400, "bad_request")


def test_a_judgement_that_cannot_be(store: Drawings) -> None:
    """What is no judgement, or of no drawing, is said to be so."""
    page = client(store)
    page.get("/?token=token")
    for body in ("x", [], {}, {"id": 1, "status": "accepted", "label": "7"}):
        assert_error(page.post("/judge", json=body), 422, "bad_judgement")
    body = {"id": "0" * 32, "status": "accepted", "label": "7"}
    assert_error(page.post("/judge", json=body), 404, "not_found")


def test_the_public_application_has_no_such_route(tmp_path: Path) -> None:
    """Nothing of the review, and nothing that lists or judges, is served to the public."""
    app = create_app({"INSTANCE": tmp_path})
    rules = {str(rule) for rule in app.url_map.iter_rules()}
    assert not [rule for rule in rules if "review" in rule or "judge" in rule or "token" in rule]
    visitor = app.test_client()
    for address in ("/review", "/judge", "/static/review.js", "/drawings"):
        assert visitor.get(address).status_code == 404
        assert visitor.post(address).status_code in (404, 405)


def test_it_listens_on_this_machine_alone(address: str) -> None:
    """The address is 127.0.0.1's, and the token is part of it."""
    assert address.startswith("http://127.0.0.1:")
    with pytest.raises(urllib.error.HTTPError, match="403"):
        urllib.request.urlopen(address.split("?")[0], timeout=5)


@pytest.mark.slow
def test_judged_by_keyboard(browser, store: Drawings, address: str) -> None:
    """Accept, reject, another digit, none, undo: each key is a judgement in the database."""
    context = browser.new_context(viewport={"width": 1000, "height": 800})
    page = context.new_page()
    complaints: list[str] = []
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.goto(address)
    items = page.locator("#sheet li")
    assert items.count() == 5
    ids = [items.nth(k).get_attribute("data-id") for k in range(5)]

    def press(key: str, judged: int) -> None:
        page.keyboard.press(key)
        page.locator("#left", has_text=f"{judged} judged").wait_for()

    press("a", 1)
    press("r", 2)
    press("7", 3)
    press("n", 4)
    press("u", 3)
    page.keyboard.press("ArrowRight")
    press("8", 4)
    found = {id: store.find(id) for id in ids}
    assert [found[id]["status"] for id in ids] == [
        "accepted",
        "rejected",
        "accepted",
        "pending",
        "accepted",
    ]
    assert (found[ids[2]]["label"], found[ids[4]]["label"]) == (7, 8)
    store.remove(Wanted(ids=[ids[3]]))
    items.nth(3).focus()
    page.keyboard.press("a")
    page.locator("#message", has_text="no such drawing").wait_for()
    assert not complaints
    context.close()


@pytest.mark.slow
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_is_accessible(browser, store: Drawings, address: str, scheme: str) -> None:
    """axe-core finds nothing, light or dark, and nothing is wider than a phone."""
    from axe_playwright_python.sync_playwright import Axe

    context = browser.new_context(color_scheme=scheme, viewport={"width": 360, "height": 700})
    page = context.new_page()
    page.goto(address)
    assert Axe().run(page).response["violations"] == []
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    context.close()

"""Confirming or correcting an answer, which saves the drawing: in a real Chromium."""

from __future__ import annotations

import pytest
from conftest import gunicorn
from pages import by_hand, draw, press, wait_for_result
from strokes import DIGITS, OTHERS

from digitre.drawings.collection import Drawings
from digitre.recognition.preprocessing import decode

pytestmark = pytest.mark.slow


def test_nothing_is_saved_if_saving_is_off(browser, tmp_path) -> None:
    """If the server does not save drawings, the page does not offer it, and digit keys send nothing."""
    with gunicorn(tmp_path / "log", WEB_CONCURRENCY="1", DIGITRE_SAVING="0") as server:
        context = browser.new_context()
        tab = context.new_page()
        requests: list[str] = []
        tab.on("request", lambda request: requests.append(request.url))
        tab.goto(server)
        draw(tab, by_hand(DIGITS[7]))
        wait_for_result(tab, "7")
        tab.keyboard.press("7")
        tab.wait_for_timeout(200)
        assert not tab.locator("#feedback").count()
        assert "Your drawings are not stored." in tab.locator(".about").text_content()
        assert not [url for url in requests if "_save_drawing" in url]
        context.close()


def test_a_confirmed_drawing_is_saved_and_can_be_removed(browser, tmp_path) -> None:
    """A confirmed drawing is in the database with its strokes; once removed, it is gone."""
    instance = tmp_path / "instance"
    options = {"WEB_CONCURRENCY": "1", "DIGITRE_INSTANCE": str(instance)}
    with gunicorn(tmp_path / "log", **options) as server:
        context = browser.new_context()
        tab = context.new_page()
        tab.goto(server)
        draw(tab, by_hand(DIGITS[4]))
        wait_for_result(tab, "4")
        assert not instance.exists()
        with tab.expect_response("**/_save_drawing") as waiting:
            press(tab, "Yes, it's a 4")
        assert waiting.value.status == 201
        tab.locator("#saved-text", has_text="Saved as a 4").wait_for()
        drawings = Drawings(f"sqlite:///{instance / 'drawings.sqlite3'}")
        drawing = drawings.find(waiting.value.json()["id"])
        assert drawing.label == 4
        assert len(drawing.strokes) == len(DIGITS[4])
        assert len(drawing.writer) == 32
        press(tab, "Remove")
        tab.locator("#saved-text", has_text="Removed from the server.").wait_for()
        assert drawings.count() == 0
        context.close()


@pytest.fixture
def saving(browser, server: str):
    """The page with a stand-in for the server's saving, and the requests that it got: method, path, body."""
    context = browser.new_context(viewport={"width": 1000, "height": 800})
    tab = context.new_page()
    sent: list[tuple[str, str, dict]] = []

    def answer(route) -> None:
        request = route.request
        body = request.post_data_json
        sent.append((request.method, request.url.removeprefix(server), body))
        if request.method == "DELETE":
            route.fulfill(status=204)
        else:
            route.fulfill(status=201, json={"id": f"of {body['label']}", "receipt": "abc"})

    tab.route("**/_save_drawing*/**", answer)
    tab.route("**/_save_drawing", answer)
    tab.goto(server)
    yield tab, sent
    context.close()


def test_an_answer_is_confirmed_or_corrected(saving) -> None:
    """One click or digit key saves the drawing, its strokes and a label; a new label replaces the old."""
    tab, sent = saving
    assert not tab.locator("#feedback").is_visible()
    draw(tab, by_hand(DIGITS[7]))
    wait_for_result(tab, "7")
    assert not sent
    press(tab, "Yes, it's a 7")
    tab.locator("#saved-text", has_text="Saved as a 7").wait_for()
    press(tab, "not a digit")
    tab.locator("#saved-text", has_text="Saved as not a digit").wait_for()
    tab.keyboard.press("1")
    tab.locator("#saved-text", has_text="Saved as a 1").wait_for()
    changes = [
        (method, body.get("label") or path.rpartition("/")[2]) for method, path, body in sent
    ]
    assert changes == [
        ("POST", "7"),
        ("POST", "none"),
        ("DELETE", "of%207"),
        ("POST", "1"),
        ("DELETE", "of%20none"),
    ]
    method, path, body = sent[0]
    assert (method, path) == ("POST", "/_save_drawing")
    assert len(body["strokes"]) == len(DIGITS[7])
    assert all(len(point) == 3 for stroke in body["strokes"] for point in stroke)
    assert decode(body["digit"]).any()
    assert len({body["writer"] for method, _, body in sent if method == "POST"}) == 1
    text = " ".join(tab.locator(".privacy").text_content().split())
    for part in ("strokes with their timing", "what I read", "the time", "random ID", "No address"):
        assert part in text
    assert "only if you confirm or correct the answer" in tab.locator(".about").text_content()


def test_an_eight_takes_an(saving) -> None:
    """The page says "an 8", and "not a digit" in place of a digit."""
    tab, _ = saving
    draw(tab, by_hand(DIGITS[8]))
    wait_for_result(tab, "8")
    press(tab, "Yes, it's an 8")
    tab.locator("#saved-text", has_text="Saved as an 8. Thank you!").wait_for()
    press(tab, "Clear")
    draw(tab, by_hand(OTHERS["scribble"]))
    wait_for_result(tab, "Huh...")
    assert tab.locator("#question").inner_text() == "What is it?"
    press(tab, "not a digit")
    tab.locator("#saved-text", has_text="Saved as not a digit. Thank you!").wait_for()


def test_removing_a_saved_drawing_sends_its_receipt(saving) -> None:
    """Right after saving, one click removes the drawing: the page sends the receipt that it got."""
    tab, sent = saving
    draw(tab, by_hand(DIGITS[4]))
    wait_for_result(tab, "4")
    tab.locator("#canvas").focus()
    tab.keyboard.press("4")
    press(tab, "Remove")
    tab.locator("#saved-text", has_text="Removed from the server.").wait_for()
    assert sent[-1] == ("DELETE", "/_save_drawing/of%204", {"receipt": "abc"})
    press(tab, "Clear")
    assert not tab.locator("#feedback").is_visible()


def test_slow_saving_shows_the_progress_line(saving) -> None:
    """While saving takes over 300 ms, the progress line is visible."""
    tab, _ = saving

    def slowly(route) -> None:
        tab.locator("#progress").wait_for()
        route.fulfill(status=201, json={"id": "1", "receipt": "a"})

    tab.route("**/_save_drawing", slowly)
    draw(tab, by_hand(DIGITS[2]))
    wait_for_result(tab, "2")
    press(tab, "Yes, it's a 2")
    tab.locator("#saved-text", has_text="Saved as a 2").wait_for()
    assert not tab.locator("#progress").is_visible()


def test_an_error_of_saving_is_shown_and_the_answer_stays(saving) -> None:
    """If saving fails, the page shows the server's message and keeps the answer."""
    tab, _ = saving
    tab.route(
        "**/_save_drawing",
        lambda route: route.fulfill(
            status=429, json={"error": {"code": "too_many", "message": "Enough for today."}}
        ),
    )
    draw(tab, by_hand(DIGITS[2]))
    wait_for_result(tab, "2")
    press(tab, "Yes, it's a 2")
    tab.locator("#saved-text", has_text="Enough for today.").wait_for()
    assert tab.locator("#result").inner_text() == "2"
    assert not tab.locator("#remove").is_visible()

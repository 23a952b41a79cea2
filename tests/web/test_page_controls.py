"""What a person can bring to the page, take from it, and do with keys: in a real Chromium."""

from __future__ import annotations

import base64
import json
import shlex
import subprocess

import numpy as np
import pytest
from conftest import gunicorn, need, png
from pages import (
    READING,
    by_hand,
    draw,
    on_screen,
    picture_sent,
    press,
    reads,
    submitted,
    whole_drawing,
)
from PIL import Image
from strokes import DIGITS, OTHERS, drawn

from digitre.drawings.collection import Drawings
from digitre.recognition.preprocessing import decode, preprocess
from digitre.training.data import datasets
from digitre.training.data.augmentation import photograph
from digitre.training.data.strokes import fit, render

pytestmark = pytest.mark.slow


def box(ink: np.ndarray) -> tuple[int, int, int, int]:
    """Left, top, right, bottom of the ink that is at least half dark."""
    found = Image.fromarray(((ink > 127) * 255).astype(np.uint8)).getbbox()
    assert found
    return found


def drag(page, start, end) -> None:
    draw(page, [np.array([start, np.mean([start, end], 0), end], float)])


def test_move_and_scale(page) -> None:
    """In move mode a drag moves the drawing, its corner scales it; both can be undone."""
    draw(page, by_hand(DIGITS[5]))
    before = whole_drawing(page)
    left, top, right, bottom = box(before)
    page.keyboard.press("m")
    drag(page, (125, 125), (155, 105))
    moved = whole_drawing(page)
    assert np.abs(np.array(box(moved)) - (left + 30, top - 20, right + 30, bottom - 20)).max() <= 1
    page.keyboard.press("Control+z")
    np.testing.assert_array_equal(whole_drawing(page), before)
    middle = ((left + right) / 2, (top + bottom) / 2)
    drag(page, (right, bottom), middle)
    scaled = box(whole_drawing(page))
    assert np.abs(np.array(scaled) - (left, top, *middle)).max() <= 3
    assert submitted(page)["digit"] == 5
    page.keyboard.press("Control+z")
    page.locator("#canvas").hover()
    page.mouse.wheel(0, -100)
    larger = box(whole_drawing(page))
    assert (larger[2] - larger[0]) / (right - left) == pytest.approx(1.1, abs=0.03)


def test_a_digit_drawn_with_the_keyboard_alone(page) -> None:
    """Tab to the canvas, arrows and space: a seven is drawn and read; Enter submits."""
    while page.evaluate("document.activeElement.id") != "canvas":
        page.keyboard.press("Tab")
    for key, times in [("ArrowLeft", 8), ("ArrowUp", 12)]:
        for _ in range(times):
            page.keyboard.press(key)
    assert page.locator("#hint").is_visible()  # the pen is up
    page.keyboard.press("Space")
    for key, times in [("ArrowRight", 16), ("ArrowDown", 4), ("ArrowLeft", 3)]:
        for _ in range(times):
            page.keyboard.press(key)
    for _ in range(9):
        page.keyboard.press("ArrowDown")
        page.keyboard.press("ArrowDown")
        page.keyboard.press("ArrowLeft")
    page.keyboard.press("Space")
    page.keyboard.press("Enter")
    reads(page, "7")
    page.keyboard.press("m")
    before = box(whole_drawing(page))
    page.locator("#canvas").focus()
    page.keyboard.press("Shift+ArrowRight")
    assert box(whole_drawing(page))[0] == before[0] + 1


def test_the_keys_are_listed(page) -> None:
    """? opens the list, and closes like any dialog; keys act on nothing behind it."""
    page.keyboard.press("?")
    dialog = page.locator("#keys")
    assert dialog.is_visible()
    for key in ("Enter", "Delete", "Ctrl+Z", "Ctrl+Shift+Z", "D, L, E, M", "0 to 9", "arrows"):
        assert key in dialog.inner_text()
    page.keyboard.press("e")
    assert page.locator("#mode-draw").is_checked()
    page.keyboard.press("Escape")
    assert not dialog.is_visible()
    page.keyboard.press("e")
    assert page.locator("#mode-erase").is_checked()
    page.locator("#keys-open").click()
    assert dialog.is_visible()
    dialog.get_by_role("button", name="Close").click()


def files() -> dict[str, bytes]:
    """A seven as people have it: a PNG, one in white on black, on glass, and a photo of paper."""
    seven = drawn(DIGITS[7])
    glass = Image.merge("LA", [Image.new("L", (250, 250), 255), Image.fromarray(seven)])
    photo = photograph(seven, np.random.default_rng(5))
    return {
        "black on white.png": png(seven),
        "white on black.png": png(255 - seven),
        "white on glass.png": png(glass),
        "photo.jpg": png(Image.fromarray(photo).resize((900, 1200)), "JPEG"),
    }


@pytest.mark.parametrize("name", files())
def test_an_opened_picture_is_read(page, name: str) -> None:
    """A picture takes the canvas, in its own colours, and is read as it is; undo brings back."""
    draw(page, by_hand(DIGITS[3]))
    submitted(page)
    page.locator("#file").set_input_files(
        {"name": name, "mimeType": "image/png", "buffer": files()[name]}
    )
    reads(page, "7")
    press(page, "Undo")
    assert submitted(page)["digit"] == 3


def test_a_picture_is_dropped_or_pasted(page) -> None:
    """A file dropped anywhere on the page, or pasted, is opened; what is no picture is refused."""
    hand_over = """([kind, target, base64, type]) => {
        const bytes = Uint8Array.from(atob(base64), (sign) => sign.charCodeAt(0));
        const given = new DataTransfer();
        given.items.add(new File([bytes], "digit", { type }));
        const event = kind === "paste"
            ? new ClipboardEvent("paste", { clipboardData: given, bubbles: true })
            : new DragEvent(kind, { dataTransfer: given, bubbles: true, cancelable: true });
        document.querySelector(target).dispatchEvent(event);
        return event.defaultPrevented;
    }"""

    def give(kind: str, file: bytes, type: str = "image/png") -> bool:
        packed = base64.b64encode(file).decode()
        return page.evaluate(hand_over, [kind, "body", packed, type])

    assert give("drop", png(drawn(DIGITS[2])))  # else the browser would leave the page
    reads(page, "2")
    give("paste", png(drawn(DIGITS[4])))
    reads(page, "4")
    give("drop", b"hello", "text/plain")
    page.locator("#message", has_text="no picture").wait_for()


def test_an_opened_picture_can_be_drawn_on(page) -> None:
    """A one becomes a seven with a stroke of the pen, on the picture itself."""
    one = drawn([[(150, 60), (130, 128), (110, 195)]])
    page.locator("#file").set_input_files(
        {"name": "1.png", "mimeType": "image/png", "buffer": png(one)}
    )
    reads(page, "1")
    draw(page, [np.array([(85.0, 60), (110, 60), (150, 60)])])
    press(page, "Submit")
    reads(page, "7")


def test_the_drawing_can_be_downloaded(page) -> None:
    """Download gives the very picture that was read, named by its digit."""
    assert page.locator("#download").is_disabled()
    draw(page, by_hand(DIGITS[6]))
    submitted(page)
    with page.expect_download() as waiting:
        press(page, "Download")
    assert waiting.value.suggested_filename == "digit-6.png"
    file = waiting.value.path().read_bytes()
    assert decode(file).shape == (250, 250)
    assert np.abs(preprocess(file) - preprocess(picture_sent(page))).mean() < 0.012


@pytest.mark.parametrize("secure", [True, False], ids=["https", "http"])
def test_the_copied_line_reads_the_drawing(browser, server: str, secure: bool) -> None:
    """The curl line, run in a shell, answers what the page shows; without HTTPS it is shown."""
    need("curl")
    context = browser.new_context()
    if secure:
        context.grant_permissions(["clipboard-read", "clipboard-write"])
    tab = context.new_page()
    if not secure:
        tab.add_init_script("Object.defineProperty(navigator, 'clipboard', { value: undefined })")
    tab.goto(server)
    tab.get_by_label("update in realtime").uncheck()
    draw(tab, by_hand(DIGITS[9]))
    answer = submitted(tab)
    press(tab, "Copy curl")
    if secure:
        tab.locator("#copy", has_text="Copied").wait_for()
        line = tab.evaluate("navigator.clipboard.readText()")
    else:
        line = tab.locator("#line").input_value()
    context.close()
    ran = subprocess.run(["sh", "-c", line], capture_output=True, check=True, timeout=20)
    assert shlex.split(line)[0] == "curl"
    assert json.loads(ran.stdout) == answer


def test_the_strip_of_last_readings(page) -> None:
    """Each drawing that left the canvas is in the strip, eight at most, and comes back whole."""
    sent = []
    for digit in range(9):
        draw(page, by_hand(DIGITS[digit]))
        submitted(page)
        sent.append(whole_drawing(page))
        press(page, "Clear")
    rows = page.locator("#readings li")
    assert [text.strip() for text in rows.all_inner_texts()] == list("87654321")
    page.get_by_role("button", name="Bring back the drawing read as 4").click()
    np.testing.assert_array_equal(whole_drawing(page), sent[4])
    assert submitted(page)["digit"] == 4
    page.get_by_role("button", name="Bring back the drawing read as 2").click()
    assert [text.strip() for text in rows.all_inner_texts()] == list("48765321")


def test_the_top_three(page) -> None:
    """The three most probable digits, best first, as they were answered."""
    draw(page, by_hand(DIGITS[1]))
    answer = submitted(page)
    wanted = [f"{c['digit']}: {100 * c['probability']:.1f}%" for c in answer["candidates"]]
    assert page.locator("#top").inner_text() == " · ".join(wanted)


def test_a_slow_server_is_said_to_be_slow(page) -> None:
    """Two seconds without an answer: a thin line first, then a sentence; then the answer."""

    def slowly(route) -> None:
        page.locator("#progress").wait_for()
        page.locator("#message", has_text="slow").wait_for()
        assert not page.locator("#retry").is_visible()
        route.continue_()

    page.route(READING, slowly)
    draw(page, by_hand(DIGITS[8]))
    press(page, "Submit")
    reads(page, "8")
    assert not page.locator("#message").is_visible()
    assert not page.locator("#progress").is_visible()


def test_a_trace_of_each_digit(page, real_data) -> None:
    """A recorded pen trace of each digit: what the page sends is what training would draw."""
    traces = datasets.pen_digits("validation")
    for digit in range(10):
        chosen = int(np.flatnonzero(traces.labels == digit)[0])
        lines = fit(traces.strokes[chosen], 150, 125, 125, flip=True)
        press(page, "Clear")
        draw(page, lines)
        small = picture_sent(page)
        sent = whole_drawing(page).astype(float) / 255
        ours = render(lines, 250, 250, 12).astype(float) / 255
        assert np.minimum(sent, ours).sum() / np.maximum(sent, ours).sum() > 0.95, digit
        assert np.abs(preprocess(sent) - preprocess(ours)).mean() < 0.012, digit
        assert np.abs(preprocess(small) - preprocess(ours)).mean() < 0.012, digit


def test_nothing_is_saved_where_the_server_does_not_save(browser, tmp_path) -> None:
    """Without the feature there is no such control, and the digits' keys do nothing."""
    with gunicorn(tmp_path / "log", WEB_CONCURRENCY="1", DIGITRE_SAVING="0") as server:
        context = browser.new_context()
        tab = context.new_page()
        asked: list[str] = []
        tab.on("request", lambda request: asked.append(request.url))
        tab.goto(server)
        draw(tab, by_hand(DIGITS[7]))
        reads(tab, "7")
        tab.keyboard.press("7")
        tab.wait_for_timeout(200)
        assert not tab.locator("#correct").is_visible()
        assert "Nothing you draw is kept." in tab.locator(".about").text_content()
        assert not [url for url in asked if "_save_drawing" in url]
        context.close()


def test_a_drawing_is_really_saved_and_deleted(browser, tmp_path) -> None:
    """Drawn, confirmed with a click, in the database with its strokes; deleted again, and gone."""
    instance = tmp_path / "instance"
    options = {"WEB_CONCURRENCY": "1", "DIGITRE_INSTANCE": str(instance)}
    with gunicorn(tmp_path / "log", **options) as server:
        context = browser.new_context()
        tab = context.new_page()
        tab.goto(server)
        draw(tab, by_hand(DIGITS[4]))
        reads(tab, "4")
        assert not instance.exists()
        with tab.expect_response("**/_save_drawing") as waiting:
            press(tab, "Yes, it is a 4")
        assert waiting.value.status == 201
        tab.locator("#saved-text", has_text="Saved as a 4").wait_for()
        kept = Drawings(f"sqlite:///{instance / 'drawings.sqlite3'}")
        row = kept.find(waiting.value.json()["id"])
        assert row["label"] == 4
        assert len(row["strokes"]) == len(DIGITS[4])
        assert len(row["writer"]) == 32
        press(tab, "Delete it again")
        tab.locator("#saved-text", has_text="Deleted.").wait_for()
        assert kept.count() == 0
        context.close()


def test_a_pen_stroke_while_another_finger_touches(page) -> None:
    """A second button in the middle of a stroke neither ends it nor begins another."""
    (points,) = on_screen(page, [[(60, 125), (120, 125), (190, 125)]])
    page.mouse.move(*points[0])
    page.mouse.down()
    page.mouse.move(*points[1])
    page.mouse.down(button="middle")
    page.mouse.up(button="middle")
    page.mouse.move(*points[2])
    page.mouse.up()
    assert whole_drawing(page)[125, 60:190].min() == 255


def test_a_dot_is_refused_and_said(page) -> None:
    """What is no digit is bracketed by the bar for no digit."""
    draw(page, by_hand(OTHERS["scribble"]))
    answer = submitted(page)
    assert answer["reason"] == "not_a_digit"
    assert page.locator("#bars .best .name").inner_text() == "no digit"


@pytest.fixture
def saving(browser, server: str):
    """The page of a server that saves drawings, as far as the page can see, and what it sent."""
    context = browser.new_context(viewport={"width": 1000, "height": 800})
    tab = context.new_page()
    tab.route("**/healthz", lambda route: route.fulfill(json={"features": ["save"]}))
    sent: list[tuple[str, str, dict]] = []

    def answer(route) -> None:
        asked = route.request
        sent.append((asked.method, asked.url.removeprefix(server), asked.post_data_json))
        if asked.method == "DELETE":
            route.fulfill(status=204)
        else:
            route.fulfill(
                status=201, json={"id": f"of {asked.post_data_json['label']}", "receipt": "abc"}
            )

    tab.route("**/_save_drawing*/**", answer)
    tab.route("**/_save_drawing", answer)
    with tab.expect_response("**/healthz"):
        tab.goto(server)
    yield tab, sent
    context.close()


def test_a_reading_is_confirmed_or_corrected(saving) -> None:
    """Yes, another digit, or no digit: one click saves the drawing with its strokes; no click, none."""
    tab, sent = saving
    assert not tab.locator("#correct").is_visible()
    draw(tab, by_hand(DIGITS[7]))
    reads(tab, "7")
    press(tab, "Yes, it is a 7")
    tab.locator("#saved-text", has_text="Saved as a 7").wait_for()
    press(tab, "no digit")
    tab.locator("#saved-text", has_text="Saved as no digit").wait_for()
    tab.keyboard.press("1")
    tab.locator("#saved-text", has_text="Saved as a 1").wait_for()
    # Another label is instead of the one before, not beside it.
    said = [(method, body.get("label") or path.rpartition("/")[2]) for method, path, body in sent]
    assert said == [
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
    assert "Nothing else of you is stored" in tab.locator("#correct").inner_text()
    assert "unless you say what it is" in tab.locator(".about").text_content()


def test_a_saved_drawing_can_be_deleted_again(saving) -> None:
    """Delete it again, right after it was saved: the receipt goes back to the server."""
    tab, sent = saving
    draw(tab, by_hand(DIGITS[4]))
    reads(tab, "4")
    tab.keyboard.press("4")
    press(tab, "Delete it again")
    tab.locator("#saved-text", has_text="Deleted.").wait_for()
    assert sent[-1] == ("DELETE", "/_save_drawing/of%204", {"receipt": "abc"})
    press(tab, "Clear")
    assert not tab.locator("#correct").is_visible()


def test_slow_saving_shows_that_it_waits(saving) -> None:
    """The thin line is there for whatever takes over 300 ms, and gone when it is done."""
    tab, _ = saving

    def slowly(route) -> None:
        tab.locator("#progress").wait_for()
        route.fulfill(status=201, json={"id": "1", "receipt": "a"})

    tab.route("**/_save_drawing", slowly)
    draw(tab, by_hand(DIGITS[2]))
    reads(tab, "2")
    press(tab, "Yes, it is a 2")
    tab.locator("#saved-text", has_text="Saved as a 2").wait_for()
    assert not tab.locator("#progress").is_visible()


def test_a_server_that_cannot_save_is_said_so(saving) -> None:
    """The reading stays, and the sentence says what happened."""
    tab, _ = saving
    tab.route(
        "**/_save_drawing",
        lambda route: route.fulfill(
            status=429, json={"error": {"code": "too_many", "message": "Enough for today."}}
        ),
    )
    draw(tab, by_hand(DIGITS[2]))
    reads(tab, "2")
    press(tab, "Yes, it is a 2")
    tab.locator("#saved-text", has_text="Enough for today.").wait_for()
    assert tab.locator("#result").inner_text() == "2"
    assert not tab.locator("#forget").is_visible()

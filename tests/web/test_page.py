"""The page in a real Chromium, with real pointers, served by gunicorn."""

from __future__ import annotations

import contextlib
import json
import time

import numpy as np
import pytest
from conftest import ROOT, data_url, png
from pages import (
    READING,
    by_hand,
    draw,
    press,
    read,
    read_by_hand,
    sure,
    wait_for_result,
    whole_drawing,
)
from playwright.sync_api import Error
from strokes import DIGITS, OTHERS, drawn

from digitre import Classifier
from digitre.recognition.preprocessing import preprocess
from digitre.training.data import datasets
from digitre.training.data.strokes import fit, render

pytestmark = pytest.mark.slow


def test_digits_drawn_with_the_mouse_are_read(page) -> None:
    """Draw a digit and press Read: the digit and its probability appear without a reload."""
    page.evaluate("window.here = true")
    for digit, strokes in DIGITS.items():
        draw(page, by_hand(strokes))
        answer = read(page)
        assert page.locator("#result").inner_text() == str(digit)
        assert page.locator("#probability").inner_text() == sure(answer["confidence"])
        assert page.title() == f"{digit} · Digitre"
        press(page, "Clear")
    assert page.evaluate("window.here")


def test_a_scribble_is_refused(page) -> None:
    """A drawing that is not a digit gets the original's words."""
    draw(page, by_hand(OTHERS["scribble"]))
    read(page)
    assert page.locator("#result").inner_text() == "Huh..."
    assert page.locator("#probability").inner_text() == "You call that a digit?"


def test_clear_makes_room_for_another_drawing(page) -> None:
    """Clear empties the canvas and the answer, and the next digit is read on its own."""
    draw(page, by_hand(DIGITS[8]))
    read(page)
    press(page, "Clear")
    assert page.locator("#result").inner_text() == ""
    assert page.locator("#hint").is_visible()
    assert page.locator("#bars .best").count() == 0
    draw(page, by_hand(DIGITS[2]))
    read(page)
    assert page.locator("#result").inner_text() == "2"


def test_an_empty_canvas_is_not_sent(page) -> None:
    """Read on an empty canvas asks for a drawing, without an error or a request."""
    requests: list[str] = []
    page.on("request", lambda request: requests.append(request.url))
    press(page, "Read")
    assert page.locator("#message-text").inner_text() == "Draw a digit first."
    assert not [url for url in requests if "_get_digit" in url]


def test_a_click_is_a_dot(page) -> None:
    """A click without a move leaves a dot as wide as the pen."""
    draw(page, [np.array([(125.0, 125.0)])])
    ink = whole_drawing(page)
    assert 100 < (ink > 127).sum() < 130  # a disc 12 pixels wide has 113


def test_a_stroke_that_leaves_the_canvas_stays_one(page) -> None:
    """A stroke over the edge and back is one stroke, and releasing the button outside ends it."""
    draw(page, [np.array([(125.0, 40.0), (125, 120), (300, 120), (300, 200), (125, 200)])])
    ink = whole_drawing(page)
    assert ink[120, 240] > 200
    assert ink[200, 240] > 200
    page.mouse.move(10, 10)
    assert np.array_equal(whole_drawing(page), ink)


def test_recorded_digits_of_people_are_read(page, real_data) -> None:
    """At least nine of ten recorded digits, of people who are not in the training data, are read right."""
    traces = datasets.pen_digits("test")
    right = 0
    for digit in range(10):
        chosen = int(np.flatnonzero(traces.labels == digit)[3])
        press(page, "Clear")
        draw(page, fit(traces.strokes[chosen], 150, 125, 125, flip=True))
        right += read(page)["prediction"] == str(digit)
    assert right >= 9


def test_a_finger_draws_and_does_not_scroll(browser, server: str) -> None:
    """On a phone's touch screen a stroke draws, and the page does not scroll."""
    context = browser.new_context(
        viewport={"width": 360, "height": 640},
        has_touch=True,
        is_mobile=True,
        device_scale_factor=3,
    )
    tab = context.new_page()
    tab.goto(server)
    box = tab.locator("#canvas").bounding_box()
    factor = box["width"] / 250
    touch = context.new_cdp_session(tab)

    def send(kind: str, point) -> None:
        points = (
            []
            if point is None
            else [{"x": box["x"] + point[0] * factor, "y": box["y"] + point[1] * factor}]
        )
        touch.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})

    for stroke in by_hand(DIGITS[4]):
        send("touchStart", stroke[0])
        for point in stroke[1:]:
            send("touchMove", point)
        send("touchEnd", None)
    assert tab.evaluate("scrollY") == 0
    wait_for_result(tab, "4")
    assert tab.evaluate("document.documentElement.scrollWidth") <= 360
    context.close()


def test_the_drawing_survives_a_resize(page) -> None:
    """Resizing the window does not change the drawing."""
    draw(page, by_hand(DIGITS[6]))
    before = whole_drawing(page)
    page.set_viewport_size({"width": 400, "height": 700})
    np.testing.assert_array_equal(whole_drawing(page), before)


@pytest.mark.parametrize(
    ("status", "body", "message"),
    [
        (413, '{"error": {"code": "body_too_large", "message": "Too much."}}', "Too much."),
        (413, "<html>", "too large"),
        (429, "<html>", "Wait a moment"),
        (429, '{"error": {"code": "too_many", "message": "Slower, please."}}', "Slower, please."),
        (500, '{"error": {"code": "internal_error", "message": "No."}}', "has a problem"),
        (502, "<html>", "has a problem"),
        (None, None, "did not answer"),
    ],
)
def test_each_error_gets_a_message_and_the_drawing_stays(
    browser, server: str, status, body, message
) -> None:
    """Whether the server refuses, breaks or does not answer: a message appears, and nothing is lost."""
    context = browser.new_context()
    tab = context.new_page()
    tab.goto(server)
    tab.route(
        READING,
        lambda route: route.abort() if status is None else route.fulfill(status=status, body=body),
    )
    read_by_hand(tab)
    draw(tab, by_hand(DIGITS[3]))
    press(tab, "Read")
    tab.locator("#message", has_text=message).wait_for()
    tab.unroute(READING)
    read(tab)
    assert tab.locator("#result").inner_text() == "3"
    assert not tab.locator("#message").is_visible()
    context.close()


def test_it_is_read_while_it_is_drawn(page) -> None:
    """With "Read while I draw" on, the answer appears without a click."""
    page.get_by_label("Read while I draw").check()
    for digit in (3, 0, 7):
        draw(page, by_hand(DIGITS[digit]))
        wait_for_result(page, str(digit))
        press(page, "Clear")


def test_it_is_not_read_before_enter_if_live_reading_is_off(page) -> None:
    """With "Read while I draw" off, no drawing is sent until Read or Enter is pressed."""
    requests: list[str] = []
    page.on("request", lambda request: requests.append(request.url))
    draw(page, by_hand(DIGITS[3]))
    page.wait_for_timeout(300)
    assert not [url for url in requests if "_get_digit" in url]
    page.keyboard.press("Enter")
    wait_for_result(page, "3")


def test_bars_show_every_probability(page) -> None:
    """Eleven bars, for ten digits and "not a digit", have the probabilities of the answer in order."""
    draw(page, by_hand(DIGITS[6]))
    answer = read(page)
    rows = page.locator("#bars li")
    assert rows.count() == 11
    expected = [*answer["probabilities"], answer["not_a_digit"]]
    shown = rows.locator(".bar > span").evaluate_all(
        "bars => bars.map((bar) => Number(bar.style.getPropertyValue('--share')))"
    )
    assert shown == pytest.approx(expected)
    assert rows.nth(6).locator(".value").text_content() == sure(expected[6]).removesuffix(" sure")
    assert page.locator("#bars .best .name").inner_text() == "6"


def test_undo_redo_and_their_keys(page) -> None:
    """Each stroke can be undone and redone, by button and by key, and so can clearing."""
    draw(page, by_hand(DIGITS[4]))
    whole = whole_drawing(page)
    press(page, "Undo")
    half = whole_drawing(page)
    assert 0 < half.sum() < whole.sum()
    press(page, "Redo")
    np.testing.assert_array_equal(whole_drawing(page), whole)
    page.locator("#canvas").focus()
    page.keyboard.press("Delete")
    assert page.locator("#hint").is_visible()
    page.keyboard.press("Control+z")
    np.testing.assert_array_equal(whole_drawing(page), whole)
    page.keyboard.press("Control+z")
    np.testing.assert_array_equal(whole_drawing(page), half)
    for redo in ("Control+Shift+Z", "Control+y"):
        page.keyboard.press(redo)
        np.testing.assert_array_equal(whole_drawing(page), whole)
        page.keyboard.press("Control+z")


def test_modes_and_pen(page) -> None:
    """Keys choose the mode: a line is straight however the pointer moves, and the eraser removes ink."""
    page.locator("#width").fill("20")
    page.locator("#canvas").focus()
    page.keyboard.press("l")
    draw(page, [np.array([(50.0, 125.0), (120, 40), (200, 125)])])
    line = whole_drawing(page)
    assert page.locator("#width").get_attribute("aria-valuetext") == "20 of 250 wide"
    assert line[125, 50:200].min() == 255
    assert not line[:110].any()
    assert 19 <= (line[:, 125] > 127).sum() <= 21
    page.locator("#canvas").focus()
    page.keyboard.press("e")
    draw(page, [np.array([(125.0, 60.0), (125, 125), (125, 200)])])
    erased = whole_drawing(page)
    assert not erased[:, 120:130].any()
    assert erased[125, 60] == 255
    page.locator("#canvas").focus()
    page.keyboard.press("d")
    draw(page, [np.array([(60.0, 200.0), (61, 201)])])
    assert whole_drawing(page)[200, 60] == 255


def almost_a_seven(classifier: Classifier) -> list[np.ndarray]:
    """The longer its flag, the more is a stroke a 7 and not a 1. This one is a 7 with about 80 %."""

    def with_flag(left: int) -> list[np.ndarray]:
        return by_hand([[(left, 70), (126, 66), (122, 120), (116, 190)]])

    def distance(left: int) -> float:
        picture = 255 - render(with_flag(left), 250, 250, 12)
        return abs(float(classifier.read(picture).probabilities[7]) - 0.8)

    return with_flag(min(range(70, 112), key=distance))


def test_the_threshold_acts_at_once(page, classifier: Classifier) -> None:
    """A drawing between two thresholds turns from a digit to "Huh..." and back as the slider moves."""
    draw(page, almost_a_seven(classifier))
    press(page, "Read")
    wait_for_result(page, "7")
    page.locator("#threshold").fill("0.95")
    wait_for_result(page, "Huh...")
    assert page.locator("#threshold-value").inner_text() == "95%"
    page.locator("#threshold").fill("0.5")
    wait_for_result(page, "7")


def test_a_late_answer_never_overwrites_a_newer_one(page) -> None:
    """An answer to an older drawing that arrives after a newer one is ignored."""
    first: list = []

    def hold_the_first(route) -> None:
        if first:
            route.continue_()
        else:
            first.append(route)

    page.route(READING, hold_the_first)
    draw(page, by_hand(DIGITS[1]))
    press(page, "Read")
    page.locator("#progress").wait_for()  # it appears after 300 ms
    press(page, "Clear")
    draw(page, by_hand(DIGITS[2]))
    press(page, "Read")
    wait_for_result(page, "2")
    with contextlib.suppress(Error):  # the page has cancelled it by now
        first[0].fulfill(json={"result": "1"})
    page.wait_for_timeout(200)
    assert page.locator("#result").inner_text() == "2"
    assert not page.locator("#progress").is_visible()


def test_the_answer_appears_soon_after_the_last_point(page) -> None:
    """The verdict comes 300 ms after the pen is up, and a few readings' time, at the best of five tries."""
    page.get_by_label("Read while I draw").check()
    times = []
    for _ in range(5):
        press(page, "Clear")
        page.evaluate(
            """() => new Promise((done) => {
                let last = 0;
                document.getElementById("canvas").addEventListener(
                    "pointerup", () => { last = performance.now(); }, { once: true });
                new MutationObserver((_, watch) => {
                    if (last && document.getElementById("result").textContent) { watch.disconnect(); window.took = performance.now() - last; }
                }).observe(document.getElementById("result"), { childList: true });
                window.took = null;
                done();
            })"""
        )
        draw(page, by_hand(DIGITS[7]))
        end = time.monotonic() + 10
        while page.evaluate("window.took") is None:
            assert time.monotonic() < end
        times.append(page.evaluate("window.took"))
    reading = page.evaluate(
        """async (drawing) => {
            const times = [];
            for (let k = 0; k < 10; k += 1) {
                const began = performance.now();
                await (await fetch("/_get_digit", { method: "POST", body: drawing })).json();
                times.push(performance.now() - began);
            }
            return Math.min(...times);
        }""",
        data_url(png(drawn(DIGITS[7]))),
    )
    assert 280 < min(times) < 400 + 5 * reading, (times, reading)


def test_how_it_was_read(page) -> None:
    """The section shows each step in order, down to the 28 x 28 pixels, and follows the drawing."""
    page.get_by_text("How it was read").click()
    assert page.locator("#how-empty").is_visible()
    draw(page, by_hand(DIGITS[9]))
    read(page)
    steps = page.locator("#steps li:visible")
    assert [text.split("\n")[0].split(" ")[0] for text in steps.all_inner_texts()] == [
        "Ink",
        "Crop",
        "Centre",
        "Shrink",
        "Contrast",
        "What",
    ]
    sizes = page.evaluate(
        """() => [...document.querySelectorAll("#steps img")]
            .map((image) => [image.naturalWidth, image.naturalHeight])"""
    )
    assert sizes[0] == [250, 250]
    assert sizes[-2:] == [[28, 28], [28, 28]]
    page.locator("#explained", has_text="a 9").wait_for()
    page.get_by_text("The 784 grey values").click()
    page.locator("#grey-values td").nth(783).wait_for()
    shown = [int(text) for text in page.locator("#grey-values td").all_inner_texts()]
    seen = preprocess(whole_drawing(page)).ravel() * 255
    assert np.abs(np.array(shown) - seen).max() <= 1
    press(page, "Clear")
    assert not steps.first.is_visible()


def test_each_step_is_shown_with_its_own_caption(page) -> None:
    """Steps are matched to their captions by name, also if they come in another order or are unknown."""
    unknown = {"name": "a step of a later version", "image": "data:image/png;base64,"}
    answers: list[dict] = []

    def in_reverse(route) -> None:
        answer = route.fetch().json()
        answer["steps"] = [unknown, *reversed(answer["steps"][1:])]  # and one is missing
        answers.append(answer)
        route.fulfill(json=answer)

    page.route(READING, in_reverse)
    page.get_by_text("How it was read").click()
    draw(page, by_hand(DIGITS[8]))
    press(page, "Read")
    page.locator("#explained", has_text="an 8").wait_for()
    images = {step["name"]: step["image"] for step in answers[-1]["steps"]}

    def row(caption: str):
        return page.locator("#steps li").filter(has=page.get_by_text(caption, exact=True))

    captions = {"crop": "Crop", "centre": "Centre", "resize": "Shrink", "scale": "Contrast"}
    for name, caption in captions.items():
        assert row(caption).locator("img").get_attribute("src") == images[name]
    assert not row("Ink").is_visible()


def test_without_javascript_an_uploaded_file_is_read(browser, server: str, seven: bytes) -> None:
    """Without JavaScript a form uploads an image, and the page comes back with the answer or the error."""
    context = browser.new_context(java_script_enabled=False)
    tab = context.new_page()
    tab.goto(server)
    heic = b"\0\0\0\x18ftypheic"
    large = seven + bytes(9_000_000)
    cases = [(seven, "7", ""), (heic, "", "JPEG"), (large, "", "too large")]
    for file, result, message in cases:
        tab.locator("input[name=image]").set_input_files(
            {"name": "digit.png", "mimeType": "image/png", "buffer": file}
        )
        tab.get_by_role("button", name="Read it").click()
        assert tab.locator("#result").inner_text() == result
        assert tab.locator("#message").is_visible() is bool(message)
        assert message in tab.locator("#message-text").text_content()
        assert not tab.locator("#retry").is_visible()
    context.close()


def test_the_about_section_shows_the_model_cards_figures(page) -> None:
    """About shows the network's name, layers and figures as its model card has them."""
    page.get_by_text("About", exact=True).click()
    card = json.loads((ROOT / "models" / "digitre.json").read_text())
    figures = {(row["set"], row["metric"]): row["value"] for row in card["figures"]}
    row = page.locator(".about tr", has_text="MNIST test set")
    assert f"{figures['mnist_test', 'accuracy']:.2f}%" in row.inner_text()
    assert "Conv2D" in page.locator(".about").inner_text()
    assert card["model"] in page.locator(".about").inner_text()

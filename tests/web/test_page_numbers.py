"""Numbers on the page, the network's view, the examples and the six networks, in a real Chromium."""

from __future__ import annotations

import numpy as np
import pytest
from conftest import ROOT
from pages import SIZES, by_hand, draw, press, reading_here, wait_for_result, wait_until
from strokes import DIGITS

from digitre.training.data import datasets
from digitre.training.data.strokes import fit

pytestmark = pytest.mark.slow


@pytest.fixture(params=SIZES)
def tab(request, browser, server: str):
    """A page that reads on the device, on a phone and on a desktop."""
    with reading_here(browser, server, *SIZES[request.param]) as page:
        yield page


def written(traces, text: str) -> list[np.ndarray]:
    """A number as one hand wrote its digits, side by side on a canvas of 250 x 250; signs are drawn by rule."""
    step = 210 / len(text)
    size = min(70, 1.1 * step)
    strokes = []
    for place, character in enumerate(text):
        middle = 20 + step * (place + 0.5)
        if character == "-":
            strokes.append(np.array([(middle - 12, 125.0), (middle, 124), (middle + 12, 125)]))
        elif character == ".":
            strokes.append(np.array([(middle, 155.0), (middle + 1, 156)]))
        else:
            of_digit = np.flatnonzero(traces.labels == int(character))
            trace = traces.strokes[int(of_digit[3])]
            strokes += fit(trace, size, middle, 125, flip=True)
    return strokes


def test_numbers_are_read(tab, real_data) -> None:
    """A number is the answer; each of its digits has a box, and bars on a choice."""
    traces = datasets.pen_digits("test")
    for number in ("2026", "10", "100", "55", "-3.5"):
        draw(tab, written(traces, number))
        wait_for_result(tab, number)
        digits = [character for character in number if character.isdigit()]
        tabs = tab.locator("#boxes button")
        assert [each for each in tabs.all_inner_texts() if each.isdigit()] == digits
        tab.locator("#boxes button", has_text=digits[-1]).last.focus()
        tab.keyboard.press("Enter")
        assert tab.locator("#bars .best .name").inner_text() == digits[-1]
        tab.keyboard.press("Escape")
        assert tab.locator("#bars .best").count() == 0
        assert tab.locator("#result").inner_text() == number
        press(tab, "Clear")


def test_a_wrong_digit_of_a_number_is_saved_alone(browser, server: str) -> None:
    """Chosen in the number, a digit is what the network is seen to read, and is saved with its own strokes and picture."""
    with browser.new_context(viewport={"width": 1440, "height": 900}) as context:
        page = context.new_page()
        sent: list[dict] = []

        def answer(route) -> None:
            sent.append(route.request.post_data_json)
            route.fulfill(status=201, json={"id": "1", "receipt": "r"})

        page.route("**/_save_drawing", answer)
        page.goto(server)
        page.locator("#where", has_text="this device").wait_for()
        four = [stroke * 0.5 + (0, 60) for stroke in by_hand(DIGITS[4])]
        two = [stroke * 0.5 + (120, 60) for stroke in by_hand(DIGITS[2])]
        draw(page, four + two)
        wait_for_result(page, "42")
        press(page, "Digit 1: 4")
        seen = page.get_by_role("button", name="Ink for 4", exact=True)
        assert float(seen.evaluate("each => each.style.getPropertyValue('--share')")) > 0.9
        page.locator("[data-label='9']").click()
        page.locator("#saved-text", has_text="Saved as a 9").wait_for()
        assert sent[0]["label"] == "9"
        assert len(sent[0]["strokes"]) == 2
        assert max(x for stroke in sent[0]["strokes"] for x, _, _ in stroke) < 125


@pytest.mark.parametrize("tab", ["desktop"], indirect=True)
def test_a_picture_of_a_number_is_read(tab) -> None:
    """The server reads a number in a picture that is opened; its boxes lie on the picture."""
    tab.locator("#file").set_input_files(ROOT / "docs" / "number.png")
    wait_for_result(tab, "2026")
    assert tab.locator("#boxes button").all_inner_texts() == ["2", "0", "2", "6"]
    lefts = [each.bounding_box()["x"] for each in tab.locator("#boxes > div").all()]
    assert lefts == sorted(lefts)
    press(tab, "Digit 4: 6")
    assert tab.locator("#bars .best .name").inner_text() == "6"


@pytest.mark.parametrize("tab", ["phone"], indirect=True)
def test_the_examples_are_drawn_and_read(tab) -> None:
    """A tap on an example draws it stroke by stroke, and it is read."""
    for name, result in (
        ("a seven", "7"),
        ("a crossed seven", "7"),
        ("a scribble", "Huh..."),
        ("42", "42"),
    ):
        press(tab, f"Example: {name}")
        wait_for_result(tab, result)
        assert not tab.locator(".examples").is_visible()
        press(tab, "Clear")


@pytest.mark.parametrize("tab", ["desktop"], indirect=True)
def test_the_network_is_seen_at_work(tab) -> None:
    """What the network sees, feature maps of both convolutions, and the ink for an output on the drawing itself."""
    draw(tab, by_hand(DIGITS[8]))
    wait_for_result(tab, "8")
    lit = """(id) => {
      const canvas = document.getElementById(id);
      const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
      return data.filter((value, k) => k % 4 === 0 && value > 60).length;
    }"""
    for name in ("seen-now", "maps-1", "maps-2"):
        assert tab.evaluate(lit, name) > 20, name
    tab.get_by_role("button", name="Ink for 8", exact=True).click()
    tab.locator("#worth").wait_for()
    colours = tab.evaluate(
        """() => {
          const canvas = document.getElementById("worth");
          const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
          const found = { yellow: 0, blue: 0 };
          for (let k = 0; k < data.length; k += 4) {
            if (data[k + 3] && data[k] > data[k + 2] + 60) found.yellow += 1;
            if (data[k + 3] && data[k + 2] > data[k] + 60) found.blue += 1;
          }
          return found;
        }"""
    )
    assert colours["yellow"] > 100
    press(tab, "Clear")
    tab.wait_for_function(f"() => ({lit})('seen-now') === 0")  # the page paints in its next frame
    assert not tab.locator("#worth").is_visible()


def test_six_networks_answer_side_by_side(browser, server: str) -> None:
    """Once the pen is up, each network's answer is in its row; offline the page says what is missing."""
    with browser.new_context(viewport={"width": 1440, "height": 900}) as context:
        page = context.new_page()
        page.goto(server)
        draw(page, by_hand(DIGITS[3]))
        wait_for_result(page, "3")
        wait_until(page, "!document.getElementById('compare').classList.contains('waiting')")
        assert page.locator("#networks .says").all_inner_texts()[0] == "3"
        said = page.locator("#networks .says").all_inner_texts()
        assert all(each in {*"0123456789", "Huh..."} for each in said), said
        context.set_offline(True)
        press(page, "Clear")
        draw(page, by_hand(DIGITS[7]))
        wait_for_result(page, "7")
        page.locator("#compare-status", has_text="need a connection").wait_for()
        assert page.locator("#networks .says").all_inner_texts() == ["7", *5 * ["\N{EN DASH}"]]


def test_a_number_is_a_number_among_the_six(browser, server: str) -> None:
    """Our network's row has the page's own answer: the others read one digit, ours the number."""
    with reading_here(browser, server, *SIZES["desktop"]) as page:
        places = {4: (0, 60), 2: (120, 60)}
        draw(page, [s * 0.5 + place for d, place in places.items() for s in by_hand(DIGITS[d])])
        wait_for_result(page, "42")
        wait_until(page, "!document.getElementById('compare').classList.contains('waiting')")
        said = page.locator("#networks .says").all_inner_texts()
        assert said[0] == "42"
        assert all(each in {*"0123456789", "Huh..."} for each in said[1:]), said

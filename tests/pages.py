"""What a person does on the page, for the tests and for the screenshots in the docs."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
from playwright.sync_api import Error
from strokes import smooth

from digitre.recognition.preprocessing import decode

READING = "**/_get_digit*"  # the requests that read a drawing


# Windows of a phone and of a desktop.
SIZES = {"phone": (360, 740), "desktop": (1440, 900)}


@contextmanager
def reading_here(browser, server: str, width: int, height: int) -> Iterator:
    """An open page that reads on the device, in a window of this size."""
    with browser.new_context(viewport={"width": width, "height": height}) as context:
        page = context.new_page()
        page.goto(server)
        page.locator("#where", has_text="on this device").wait_for()
        yield page


def on_screen(page, strokes) -> list[list[tuple[float, float]]]:
    """Strokes on a canvas of 250 x 250, in the window's coordinates."""
    page.locator("#canvas").scroll_into_view_if_needed()
    box = page.locator("#canvas").bounding_box()
    factor = box["width"] / 250
    return [[(box["x"] + x * factor, box["y"] + y * factor) for x, y in s] for s in strokes]


def draw(page, strokes) -> None:
    """Draw strokes, given on a canvas of 250 x 250, with the mouse."""
    follow(page, on_screen(page, strokes))


def follow(page, lines) -> None:
    """Press the mouse at the start of each line of points on the screen, and move it along the line."""
    for points in lines:
        page.mouse.move(*points[0])
        page.mouse.down()
        for point in points[1:]:
            page.mouse.move(*point)
        page.mouse.up()


def by_hand(strokes) -> list[np.ndarray]:
    """Strokes as a hand draws them: smooth, with as many points as a screen reports."""
    curves = [smooth(stroke) for stroke in strokes]
    return [np.concatenate([curve[:-1:2], curve[-1:]]) for curve in curves]


def sure(confidence: float) -> str:
    """How the page says how sure it is."""
    return f"{100 * confidence:.1f}% sure" if confidence <= 0.9995 else "> 99.9% sure"


def open_tools(page) -> None:
    """Open the tools below the canvas."""
    page.locator("#tools summary").click()


def read_by_hand(page) -> None:
    """Read only when Read is pressed: then the server reads."""
    open_tools(page)
    page.get_by_label("Read while I draw").uncheck()


def press(page, name: str) -> None:
    """Click the button with this name."""
    page.get_by_role("button", name=name, exact=True).click()


def read(page) -> dict:
    """Press Read; return the server's answer, once the page shows it.

    Only a good answer counts: an earlier request that failed may still be under way. So may one
    that works: pressing Read cancels it and its body is lost, so press Read again.
    """
    for _ in range(5):
        with page.expect_response(lambda it: "/_get_digit" in it.url and it.ok) as waiting:
            press(page, "Read")
        try:
            answer = waiting.value.json()
            break
        except Error as error:
            if "No data found" not in error.message:
                raise
    page.locator("#result", has_text=answer["result"]).wait_for()
    return answer


def sent_picture(page) -> np.ndarray:
    """Press Read; return the ink of the small picture that the page sends."""
    with page.expect_request(READING) as waiting:
        press(page, "Read")
    return decode(waiting.value.post_data_json[0]["digit"])


def whole_drawing(page) -> np.ndarray:
    """Download the drawing; return the ink of the whole canvas: (250, 250) uint8."""
    with page.expect_download() as waiting:
        press(page, "Download")
    return decode(waiting.value.path().read_bytes())


def wait_until(page, expression: str):
    """The value of a JavaScript expression, once it is truthy (10 s at most).

    Playwright's own wait_for_function calls eval within the page, which the page's
    Content-Security-Policy forbids: it works only if the value is there at the first look.
    """
    end = time.monotonic() + 10
    while not (value := page.evaluate(expression)):
        assert time.monotonic() < end, expression
        page.wait_for_timeout(10)
    return value


def wait_for_result(page, result: str) -> None:
    """Wait until the page shows this result."""
    page.locator("#result").filter(has_text=re.compile(f"^{re.escape(result)}$")).wait_for()

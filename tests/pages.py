"""What a person does on the page, for tests and for the documents' pictures."""

from __future__ import annotations

import re

import numpy as np
from playwright.sync_api import Error
from strokes import smooth

from digitre.recognition.preprocessing import decode

READING = "**/_get_digit*"


def on_screen(page, strokes) -> list[list[tuple[float, float]]]:
    """Points on a canvas of 250, as points in the window."""
    page.locator("#canvas").scroll_into_view_if_needed()
    box = page.locator("#canvas").bounding_box()
    factor = box["width"] / 250
    return [[(box["x"] + x * factor, box["y"] + y * factor) for x, y in s] for s in strokes]


def draw(page, strokes) -> None:
    """Draw with the mouse: points on a canvas of 250, wherever the canvas is."""
    for points in on_screen(page, strokes):
        page.mouse.move(*points[0])
        page.mouse.down()
        for point in points[1:]:
            page.mouse.move(*point)
        page.mouse.up()


def by_hand(strokes) -> list[np.ndarray]:
    return [smooth(stroke) for stroke in strokes]


def press(page, name: str) -> None:
    page.get_by_role("button", name=name, exact=True).click()


def submitted(page) -> dict:
    """Press Submit; the server's answer, once the page shows it.

    An earlier reading's refusal may still be under way, so only a good answer counts; and so may an
    earlier reading, which Submit ends: what it brought is lost, and Submit is pressed again.
    """
    for _ in range(5):
        with page.expect_response(lambda seen: "/_get_digit" in seen.url and seen.ok) as waiting:
            press(page, "Submit")
        try:
            answer = waiting.value.json()
            break
        except Error as error:
            if "No data found" not in error.message:
                raise
    page.locator("#result", has_text=answer["result"]).wait_for()
    return answer


def picture_sent(page) -> np.ndarray:
    """The ink of the small picture that the page sends when Submit is pressed."""
    with page.expect_request(READING) as waiting:
        press(page, "Submit")
    return decode(waiting.value.post_data_json[0]["digit"])


def whole_drawing(page) -> np.ndarray:
    """The ink of the whole canvas, as it is downloaded: (250, 250) uint8."""
    with page.expect_download() as waiting:
        press(page, "Download")
    return decode(waiting.value.path().read_bytes())


def reads(page, result: str) -> None:
    """The page comes to show this result, with nobody pressing anything."""
    page.locator("#result").filter(has_text=re.compile(f"^{re.escape(result)}$")).wait_for()

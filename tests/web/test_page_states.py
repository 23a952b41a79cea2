"""What the page says is of the drawing that is on the canvas, and what was drawn is never lost."""

from __future__ import annotations

import io
import json
import subprocess

import numpy as np
from conftest import png
from pages import by_hand, draw, on_screen, press, reads, submitted, whole_drawing
from PIL import Image
from strokes import DIGITS, drawn

from digitre.recognition.preprocessing import decode


def said(page) -> str:
    return page.locator("#result").inner_text()


def test_an_answer_is_of_the_drawing_that_is_there(page) -> None:
    """Without realtime: one more stroke, and the answer is gone until Submit; what comes back from the
    strip is read anew.
    """
    page.get_by_label("update in realtime").uncheck()
    for digit in (3, 5):
        draw(page, by_hand(DIGITS[digit]))
        assert submitted(page)["digit"] == digit
        if digit == 3:
            press(page, "Clear")
    page.get_by_role("button", name="Bring back the drawing read as 3").click()
    reads(page, "3")
    draw(page, [[(20, 20), (230, 20)]])
    assert said(page) == ""
    assert page.locator("#probability").inner_text() == "Submit has it read."
    page.get_by_label("update in realtime").check()
    page.locator("#result:not(:empty)").wait_for()


def test_the_strip_names_what_was_read(page) -> None:
    """A drawing that was not read as it is now is not called what another one was."""
    page.get_by_label("update in realtime").uncheck()
    draw(page, by_hand(DIGITS[3]))
    submitted(page)
    page.keyboard.press("Control+z")
    draw(page, by_hand(DIGITS[5]))
    page.keyboard.press("Delete")
    assert not page.locator("#strip").is_visible()


def test_clear_in_the_middle_of_a_stroke_loses_nothing(page) -> None:
    """By the keyboard, and with the mouse still down: it comes back by Undo."""
    (points,) = on_screen(page, [[(60, 60), (120, 160)]])
    page.locator("#canvas").focus()
    page.keyboard.press(" ")
    for _ in range(12):
        page.keyboard.press("ArrowDown")
    page.keyboard.press("Delete")
    assert page.locator("#download").is_disabled()
    page.keyboard.press("Control+z")
    assert np.ptp(whole_drawing(page).nonzero()[0]) > 70
    press(page, "Clear")
    page.mouse.move(*points[0])
    page.mouse.down()
    page.mouse.move(*points[1])
    page.keyboard.press("Delete")
    page.mouse.up()
    assert page.locator("#download").is_disabled()
    page.keyboard.press("Control+z")
    assert np.ptp(whole_drawing(page).nonzero()[0]) > 90


def test_what_runs_over_the_edge_is_not_read(page) -> None:
    """The small picture that is sent shows what the canvas shows."""
    (points,) = on_screen(page, [[(125, 200), (125, 249), (700, 200)]])
    sent: list[str] = []
    page.on(
        "request",
        lambda asked: "_get_digit" in asked.url and sent.append(asked.post_data_json[0]["digit"]),
    )
    page.mouse.move(*points[0])
    page.mouse.down()
    for x, y in points[1:]:
        page.mouse.move(x, y, steps=4)
    page.mouse.up()
    submitted(page)
    rows, columns = np.nonzero(decode(sent[-1]))
    shown, across = np.nonzero(whole_drawing(page))
    seen = np.ptp(columns) / np.ptp(rows)
    assert abs(seen - np.ptp(across) / np.ptp(shown)) < 0.1


def test_the_pen_shows_on_a_dark_picture(page) -> None:
    """White on black: what is drawn on it is white, and is sent so."""
    picture = png(Image.fromarray(drawn(DIGITS[1])))
    page.locator("#file").set_input_files(
        {"name": "dark.png", "mimeType": "image/png", "buffer": picture}
    )
    reads(page, "1")
    draw(page, [[(30, 30), (60, 30)]])
    with page.expect_download() as waiting:
        press(page, "Download")
    sent = Image.open(io.BytesIO(waiting.value.path().read_bytes())).convert("L")
    assert np.asarray(sent)[30, 35:55].min() > 200


def test_a_large_picture_is_sent_small(page) -> None:
    """A grainy photo goes as a JPEG, well under the limit of a body; its line works in a shell."""
    grain = np.random.default_rng(0).normal(0, 20, (900, 900))
    photo = np.clip(215 + grain - 0.6 * np.pad(drawn(DIGITS[4]), 325), 0, 255).astype(np.uint8)
    sent: list[int] = []
    page.on(
        "request",
        lambda asked: "_get_digit" in asked.url and sent.append(len(asked.post_data or "")),
    )
    page.locator("#file").set_input_files(
        {
            "name": "photo.jpg",
            "mimeType": "image/jpeg",
            "buffer": png(Image.fromarray(photo), "JPEG"),
        }
    )
    reads(page, "4")
    assert sent[-1] < 300_000
    page.evaluate("navigator.clipboard.writeText = async (text) => { window.copied = text; }")
    press(page, "Copy curl")
    page.wait_for_function("window.copied")
    line = page.evaluate("window.copied")
    assert len(line) > 100_000
    answer = subprocess.run(["sh"], input=line, capture_output=True, text=True, timeout=20)
    assert json.loads(answer.stdout)["digit"] == 4, answer.stderr


def test_a_hand_on_the_screen_gives_way_to_the_pen(page) -> None:
    """A palm that lies there first is no stroke once the pen draws."""
    (points,) = on_screen(page, [[(60, 60), (60, 200), (240, 240)]])

    def pointer(kind: str, id: int, type: str, at: tuple[float, float]) -> None:
        page.evaluate(
            """([kind, id, type, x, y]) => {
              const canvas = document.getElementById("canvas");
              canvas.setPointerCapture = () => {};
              canvas.dispatchEvent(new PointerEvent(kind, {
                pointerId: id, pointerType: type, clientX: x, clientY: y, button: 0, bubbles: true,
              }));
            }""",
            [kind, id, type, *at],
        )

    pointer("pointerdown", 1, "touch", points[2])
    pointer("pointerdown", 2, "pen", points[0])
    pointer("pointermove", 2, "pen", points[1])
    pointer("pointerup", 2, "pen", points[1])
    pointer("pointerup", 1, "touch", points[2])
    rows, columns = whole_drawing(page).nonzero()
    assert np.ptp(rows) > 120
    assert columns.max() < 80


def test_a_phone_held_sideways_shows_the_whole_canvas(browser, server: str) -> None:
    context = browser.new_context(viewport={"width": 844, "height": 390}, has_touch=True)
    tab = context.new_page()
    tab.goto(server)
    assert tab.locator("#canvas").bounding_box()["height"] < 390
    context.close()


def test_chosen_and_bars_show_in_high_contrast(browser, server: str) -> None:
    """Where the browser takes away all colours: the chosen mode, and each bar, are still told apart."""
    context = browser.new_context(forced_colors="active")
    tab = context.new_page()
    tab.goto(server)
    draw(tab, by_hand(DIGITS[1]))
    reads(tab, "1")

    def colour(selector: str) -> str:
        return tab.locator(selector).first.evaluate(
            "each => getComputedStyle(each).backgroundColor"
        )

    assert colour("input:checked + label") != colour("input:not(:checked) + label")
    assert colour(".best .bar span") != colour(".best .bar")
    context.close()

"""The page's answer always belongs to the drawing on the canvas, and no drawing is lost."""

from __future__ import annotations

import io
import json
import subprocess

import numpy as np
from conftest import png
from pages import (
    by_hand,
    draw,
    on_screen,
    open_tools,
    press,
    read,
    wait_for_result,
    wait_until,
    whole_drawing,
)
from PIL import Image
from strokes import DIGITS, drawn

from digitre.recognition.preprocessing import decode


def test_the_answer_belongs_to_the_drawing_on_the_canvas(page) -> None:
    """With live reading off, one more stroke removes the answer, and a restored drawing is read again."""
    page.get_by_label("Read while I draw").uncheck()
    for digit in (3, 5):
        draw(page, by_hand(DIGITS[digit]))
        assert read(page)["digit"] == digit
        if digit == 3:
            press(page, "Clear")
    page.get_by_role("button", name="Bring back the drawing read as 3").click()
    wait_for_result(page, "3")
    draw(page, [[(20, 20), (230, 20)]])
    assert page.locator("#result").inner_text() == ""
    assert page.locator("#probability").inner_text() == "Press Read when you're done."
    page.get_by_label("Read while I draw").check()
    page.locator("#result:not(:empty)").wait_for()


def test_a_failed_reading_leaves_no_old_answer(browser, server: str) -> None:
    """If a drawing cannot be read again, the page says that it is not read, and what belonged to the old answer goes."""
    with browser.new_context() as context:
        tab = context.new_page()
        tab.route("**/network/*", lambda route: route.abort())
        tab.goto(server)
        tab.locator("#where", has_text="the server").wait_for()
        open_tools(tab)
        for digit, x in ((4, 0), (2, 120)):
            draw(tab, [stroke * 0.5 + (x, 60) for stroke in by_hand(DIGITS[digit])])
        wait_for_result(tab, "42")
        tab.locator("#boxes button").nth(1).wait_for()
        tab.route("**/_get_*", lambda route: route.fulfill(status=503, body=""))
        tab.locator("#threshold").fill("0.5")
        tab.locator("#message.error").wait_for()
        assert tab.locator("#result").inner_text() == ""
        assert tab.locator("#probability").inner_text() == "Not read yet."
        assert tab.locator("#boxes button").count() == 0
        tab.unroute("**/_get_*")
        tab.locator("#threshold").fill("0.6")
        wait_for_result(tab, "42")
        assert not tab.locator("#message").is_visible()


def test_a_drawing_that_was_not_read_stays_out_of_the_strip(page) -> None:
    """A drawing that was changed after it was read is not listed under the old answer."""
    page.get_by_label("Read while I draw").uncheck()
    draw(page, by_hand(DIGITS[3]))
    read(page)
    page.keyboard.press("Control+z")
    draw(page, by_hand(DIGITS[5]))
    page.locator("#canvas").focus()
    page.keyboard.press("Delete")
    assert not page.locator("#strip").is_visible()


def test_clear_in_the_middle_of_a_stroke_loses_nothing(page) -> None:
    """A stroke that Clear interrupts, by key or mouse, comes back with Undo."""
    page.locator("#canvas").focus()
    page.keyboard.press(" ")
    for _ in range(12):
        page.keyboard.press("ArrowDown")
    page.keyboard.press("Delete")
    assert page.locator("#download").is_disabled()
    page.keyboard.press("Control+z")
    assert np.ptp(whole_drawing(page).nonzero()[0]) > 70
    press(page, "Clear")
    (points,) = on_screen(page, [[(60, 60), (120, 160)]])
    page.mouse.move(*points[0])
    page.mouse.down()
    page.mouse.move(*points[1])
    page.keyboard.press("Delete")
    page.mouse.up()
    assert page.locator("#download").is_disabled()
    page.keyboard.press("Control+z")
    assert np.ptp(whole_drawing(page).nonzero()[0]) > 90


def test_ink_over_the_edge_is_not_sent(page) -> None:
    """The small picture that the page sends shows what the canvas shows."""
    (points,) = on_screen(page, [[(125, 200), (125, 249), (700, 200)]])
    sent: list[str] = []
    page.on(
        "request",
        lambda it: "_get_digit" in it.url and sent.append(it.post_data_json[0]["digit"]),
    )
    page.mouse.move(*points[0])
    page.mouse.down()
    for x, y in points[1:]:
        page.mouse.move(x, y, steps=4)
    page.mouse.up()
    read(page)
    rows, columns = np.nonzero(decode(sent[-1]))
    shown, across = np.nonzero(whole_drawing(page))
    seen = np.ptp(columns) / np.ptp(rows)
    assert abs(seen - np.ptp(across) / np.ptp(shown)) < 0.1


def test_the_pen_is_white_on_a_dark_image(page) -> None:
    """On an image in white on black, strokes are white too, on the screen and in the download."""
    picture = png(Image.fromarray(drawn(DIGITS[1])))
    page.locator("#file").set_input_files(
        {"name": "dark.png", "mimeType": "image/png", "buffer": picture}
    )
    wait_for_result(page, "1")
    draw(page, [[(30, 30), (60, 30)]])
    with page.expect_download() as waiting:
        press(page, "Download")
    sent = Image.open(io.BytesIO(waiting.value.path().read_bytes())).convert("L")
    assert np.asarray(sent)[30, 35:55].min() > 200


def test_a_large_photo_is_sent_as_a_small_jpeg(page) -> None:
    """A grainy photo is sent well under the size limit, and its curl command works in a shell."""
    grain = np.random.default_rng(0).normal(0, 20, (900, 900))
    photo = np.clip(215 + grain - 0.6 * np.pad(drawn(DIGITS[4]), 325), 0, 255).astype(np.uint8)
    sent: list[int] = []
    page.on(
        "request",
        lambda it: "_get_digit" in it.url and sent.append(len(it.post_data or "")),
    )
    page.locator("#file").set_input_files(
        {
            "name": "photo.jpg",
            "mimeType": "image/jpeg",
            "buffer": png(Image.fromarray(photo), "JPEG"),
        }
    )
    wait_for_result(page, "4")
    assert sent[-1] < 300_000
    page.evaluate("navigator.clipboard.writeText = async (text) => { window.copied = text; }")
    press(page, "Copy as curl")
    command = wait_until(page, "window.copied")
    assert len(command) > 100_000
    answer = subprocess.run(["sh"], input=command, capture_output=True, text=True, timeout=20)
    assert json.loads(answer.stdout)["digit"] == 4, answer.stderr


def test_a_resting_hand_gives_way_to_the_pen(page) -> None:
    """A palm that touches the screen first leaves no stroke once the pen draws."""
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
    """In landscape on a phone, the canvas is no higher than the screen."""
    context = browser.new_context(viewport={"width": 844, "height": 390}, has_touch=True)
    tab = context.new_page()
    tab.goto(server)
    assert tab.locator("#canvas").bounding_box()["height"] < 390
    context.close()


def test_mode_and_bars_are_visible_in_high_contrast(browser, server: str) -> None:
    """In a high-contrast theme the chosen mode and the bars still differ from their background."""
    context = browser.new_context(forced_colors="active")
    tab = context.new_page()
    tab.goto(server)
    draw(tab, by_hand(DIGITS[1]))
    wait_for_result(tab, "1")

    def colour(selector: str) -> str:
        return tab.locator(selector).first.evaluate(
            "each => getComputedStyle(each).backgroundColor"
        )

    assert colour("input:checked + label") != colour("input:not(:checked) + label")
    assert colour(".best .bar span") != colour(".best .bar")
    context.close()

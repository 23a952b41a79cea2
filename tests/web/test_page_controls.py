"""Images in and drawings out, moving, keys and the strip of recent drawings, in a real Chromium."""

from __future__ import annotations

import base64
import json
import shlex
import subprocess

import numpy as np
import pytest
from conftest import need, png
from pages import (
    READING,
    by_hand,
    draw,
    on_screen,
    press,
    read,
    read_by_hand,
    sent_picture,
    wait_for_result,
    whole_drawing,
)
from PIL import Image
from strokes import DIGITS, OTHERS, drawn

from digitre.recognition.preprocessing import decode, preprocess
from digitre.training.data import datasets
from digitre.training.data.augmentation import photograph
from digitre.training.data.strokes import fit, render

pytestmark = pytest.mark.slow


def box(ink: np.ndarray) -> tuple[int, int, int, int]:
    """Left, top, right, bottom of the ink that is at least half dark."""
    bounds = Image.fromarray(((ink > 127) * 255).astype(np.uint8)).getbbox()
    assert bounds
    return bounds


def drag(page, start, end) -> None:
    draw(page, [np.array([start, np.mean([start, end], 0), end], float)])


def test_move_and_scale(page) -> None:
    """In move mode a drag moves the drawing, and its corner or the wheel scales it; both can be undone."""
    draw(page, by_hand(DIGITS[5]))
    before = whole_drawing(page)
    left, top, right, bottom = box(before)
    page.locator("#canvas").focus()
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
    assert read(page)["digit"] == 5
    page.keyboard.press("Control+z")
    page.locator("#canvas").hover()
    page.mouse.wheel(0, -100)
    larger = box(whole_drawing(page))
    assert (larger[2] - larger[0]) / (right - left) == pytest.approx(1.1, abs=0.03)


def test_a_digit_can_be_drawn_with_the_keyboard_alone(page) -> None:
    """Tab, arrow keys, space and Enter are enough to draw a seven and have it read."""
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
    wait_for_result(page, "7")
    page.locator("#canvas").focus()
    page.keyboard.press("m")
    before = box(whole_drawing(page))
    page.locator("#canvas").focus()
    page.keyboard.press("Shift+ArrowRight")
    assert box(whole_drawing(page))[0] == before[0] + 1


def test_the_keys_are_listed(page) -> None:
    """? opens the list of keys; while it is open, keys do nothing on the page behind it."""
    page.locator("#canvas").focus()
    page.keyboard.press("?")
    dialog = page.locator("#keys")
    assert dialog.is_visible()
    for key in ("Enter", "Delete", "Ctrl+Z", "Ctrl+Y", "D, L, E, M", "0 to 9", "arrows"):
        assert key in dialog.inner_text()
    page.keyboard.press("e")
    assert page.locator("#mode-draw").is_checked()
    page.keyboard.press("Escape")
    assert not dialog.is_visible()
    page.locator("#canvas").focus()
    page.keyboard.press("e")
    assert page.locator("#mode-erase").is_checked()
    page.locator("#keys-open").click()
    assert dialog.is_visible()
    dialog.get_by_role("button", name="Close").click()


def files() -> dict[str, bytes]:
    """The files with a seven that people have: light or dark, transparent, or a photo of paper."""
    seven = drawn(DIGITS[7])
    transparent = Image.merge("LA", [Image.new("L", (250, 250), 255), Image.fromarray(seven)])
    photo = photograph(seven, np.random.default_rng(5))
    return {
        "black on white.png": png(seven),
        "white on black.png": png(255 - seven),
        "white on transparent.png": png(transparent),
        "photo.jpg": png(Image.fromarray(photo).resize((900, 1200)), "JPEG"),
    }


@pytest.mark.parametrize("name", files())
def test_an_opened_image_is_read(page, name: str) -> None:
    """An image replaces the drawing and is read in its own colours; undo brings the drawing back."""
    draw(page, by_hand(DIGITS[3]))
    read(page)
    page.locator("#file").set_input_files(
        {"name": name, "mimeType": "image/png", "buffer": files()[name]}
    )
    wait_for_result(page, "7")
    press(page, "Undo")
    assert read(page)["digit"] == 3


def test_an_image_can_be_dropped_or_pasted(page) -> None:
    """A file dropped anywhere or pasted is opened; one that is not an image gets an error message."""
    transfer_file = """([kind, target, base64, type]) => {
        const bytes = Uint8Array.from(atob(base64), (sign) => sign.charCodeAt(0));
        const data = new DataTransfer();
        data.items.add(new File([bytes], "digit", { type }));
        const event = kind === "paste"
            ? new ClipboardEvent("paste", { clipboardData: data, bubbles: true })
            : new DragEvent(kind, { dataTransfer: data, bubbles: true, cancelable: true });
        document.querySelector(target).dispatchEvent(event);
        return event.defaultPrevented;
    }"""

    def transfer(kind: str, file: bytes, type: str = "image/png") -> bool:
        packed = base64.b64encode(file).decode()
        return page.evaluate(transfer_file, [kind, "body", packed, type])

    assert transfer("drop", png(drawn(DIGITS[2])))  # otherwise the browser would leave the page
    wait_for_result(page, "2")
    transfer("paste", png(drawn(DIGITS[4])))
    wait_for_result(page, "4")
    transfer("drop", b"hello", "text/plain")
    page.locator("#message", has_text="Couldn't open that file. Use PNG, JPEG or WebP.").wait_for()
    with page.expect_file_chooser():
        press(page, "Choose another")


def test_an_opened_image_can_be_drawn_on(page) -> None:
    """One stroke of the pen on an image of a one makes it a seven."""
    one = drawn([[(150, 60), (130, 128), (110, 195)]])
    page.locator("#file").set_input_files(
        {"name": "1.png", "mimeType": "image/png", "buffer": png(one)}
    )
    wait_for_result(page, "1")
    draw(page, [np.array([(85.0, 60), (110, 60), (150, 60)])])
    press(page, "Read")
    wait_for_result(page, "7")


def test_the_drawing_can_be_downloaded(page) -> None:
    """Download gives the drawing as it was read, in a file named after its digit."""
    assert page.locator("#download").is_disabled()
    draw(page, by_hand(DIGITS[6]))
    read(page)
    with page.expect_download() as waiting:
        press(page, "Download")
    assert waiting.value.suggested_filename == "digit-6.png"
    file = waiting.value.path().read_bytes()
    assert decode(file).shape == (250, 250)
    assert np.abs(preprocess(file) - preprocess(sent_picture(page))).mean() < 0.012


@pytest.mark.parametrize("secure", [True, False], ids=["https", "http"])
def test_the_copied_command_reads_the_drawing(browser, server: str, secure: bool) -> None:
    """The copied curl command gets the answer that the page shows; without HTTPS a dialog shows it."""
    need("curl")
    context = browser.new_context()
    if secure:
        context.grant_permissions(["clipboard-read", "clipboard-write"])
    tab = context.new_page()
    if not secure:
        tab.add_init_script("Object.defineProperty(navigator, 'clipboard', { value: undefined })")
    tab.goto(server)
    read_by_hand(tab)
    draw(tab, by_hand(DIGITS[9]))
    answer = read(tab)
    press(tab, "Copy as curl")
    if secure:
        tab.locator("#copy", has_text="Copied").wait_for()
        command = tab.evaluate("navigator.clipboard.readText()")
    else:
        command = tab.locator("#command").input_value()
    context.close()
    ran = subprocess.run(["sh", "-c", command], capture_output=True, check=True, timeout=20)
    assert shlex.split(command)[0] == "curl"
    assert json.loads(ran.stdout) == answer


def test_recent_drawings_come_back(page) -> None:
    """The strip holds the last eight drawings, newest first; a click brings one back unchanged."""
    sent = []
    for digit in range(9):
        draw(page, by_hand(DIGITS[digit]))
        read(page)
        sent.append(whole_drawing(page))
        press(page, "Clear")
    rows = page.locator("#readings li")
    assert [text.strip() for text in rows.all_inner_texts()] == list("87654321")
    page.get_by_role("button", name="Bring back the drawing read as 4").click()
    np.testing.assert_array_equal(whole_drawing(page), sent[4])
    assert read(page)["digit"] == 4
    page.get_by_role("button", name="Bring back the drawing read as 2").click()
    assert [text.strip() for text in rows.all_inner_texts()] == list("48765321")


def test_a_slow_server_is_said_to_be_slow(page) -> None:
    """While an answer takes long, a progress line appears, then a message, then the answer."""

    def slowly(route) -> None:
        page.locator("#progress").wait_for()
        page.locator("#message", has_text="Still waiting for the server").wait_for()
        assert not page.locator("#retry").is_visible()
        route.continue_()

    page.route(READING, slowly)
    draw(page, by_hand(DIGITS[8]))
    press(page, "Read")
    wait_for_result(page, "8")
    assert not page.locator("#message").is_visible()
    assert not page.locator("#progress").is_visible()


def test_the_page_sends_recorded_strokes_as_training_draws_them(page, real_data) -> None:
    """For a recorded pen trace of each digit, the page sends what training would draw."""
    traces = datasets.pen_digits("validation")
    for digit in range(0, 10, 3):
        chosen = int(np.flatnonzero(traces.labels == digit)[0])
        lines = fit(traces.strokes[chosen], 150, 125, 125, flip=True)
        press(page, "Clear")
        draw(page, lines)
        small = sent_picture(page)
        sent = whole_drawing(page).astype(float) / 255
        ours = render(lines, 250, 250, 12).astype(float) / 255
        assert np.minimum(sent, ours).sum() / np.maximum(sent, ours).sum() > 0.95, digit
        assert np.abs(preprocess(sent) - preprocess(ours)).mean() < 0.012, digit
        assert np.abs(preprocess(small) - preprocess(ours)).mean() < 0.012, digit


def test_a_second_button_does_not_disturb_a_stroke(page) -> None:
    """Pressing a second button in the middle of a stroke neither ends it nor starts another."""
    (points,) = on_screen(page, [[(60, 125), (120, 125), (190, 125)]])
    page.mouse.move(*points[0])
    page.mouse.down()
    page.mouse.move(*points[1])
    page.mouse.down(button="middle")
    page.mouse.up(button="middle")
    page.mouse.move(*points[2])
    page.mouse.up()
    assert whole_drawing(page)[125, 60:190].min() == 255


def test_a_scribble_marks_the_bar_of_not_a_digit(page) -> None:
    """For a drawing that is not a digit, the bar "not a digit" is the marked one."""
    draw(page, by_hand(OTHERS["scribble"]))
    answer = read(page)
    assert answer["reason"] == "not_a_digit"
    assert page.locator("#bars .best .name").inner_text() == "not a digit"

"""Regenerate the pictures of the page in docs/: `python tests/screenshots.py`.

Serves the application on this machine, and draws with the mouse in a real Chromium: each state of the page at three sizes, light and
dark; and ten seconds of it in use.
"""

from __future__ import annotations

import io
import tempfile
from pathlib import Path

import numpy as np
from conftest import ROOT, browser_here, gunicorn
from pages import by_hand, draw, on_screen, press, wait_for_result, wait_until
from PIL import Image
from strokes import DIGITS, OTHERS

DOCS = ROOT / "docs"
SIZES = {"phone": (360, 740), "tablet": (768, 1024), "desktop": (1440, 900)}
FRAME = 80  # milliseconds of a frame of the animation
SECONDS = 10
GAP = 12  # pixels between pictures of a sheet
WIDTH = 1900  # pixels of a sheet, at most
ONE_OR_SEVEN = [
    [(79.5, 97.45), (119, 80), (146, 62), (142, 92), (134, 130), (126, 164), (120, 196)]
]


def main() -> None:
    """Take every picture."""
    with tempfile.TemporaryDirectory() as folder, browser_here() as chromium:
        log = Path(folder) / "log"
        options = {"DIGITRE_INSTANCE": f"{folder}/instance"}
        with gunicorn(log, "--config", "deploy/gunicorn.conf.py", **options) as server:

            def open_page(width: int, height: int, scheme: str, motion: str = "reduce"):
                context = chromium.new_context(
                    viewport={"width": width, "height": height},
                    color_scheme=scheme,
                    reduced_motion=motion,
                    has_touch=width < 700,
                )
                page = context.new_page()
                page.goto(server)
                page.locator("#where", has_text="this device").wait_for()
                return page

            for name, (width, height) in SIZES.items():
                for scheme in ("light", "dark"):
                    page = open_page(width, height, scheme)
                    save(sheet(list(states(page))), f"page-{name}-{scheme}.png")
                    page.context.close()
            page = open_page(1440, 900, "light")
            draw(page, by_hand(DIGITS[5]))
            wait_for_result(page, "5")
            compared(page)
            save(picture(page), "page.png")
            page.keyboard.press("?")
            save(picture(page), "page-keys.png")
            page.keyboard.press("Escape")
            press(page, "Yes, it's a 5")
            page.locator("#saved-text", has_text="Saved").wait_for()
            save(picture(page), "page-correct.png")
            page.context.close()
            animate(open_page(1200, 720, "light"))


def states(page):
    """The page in each state, in the order in which a visitor might see them.

    Empty, with the pen down, a digit, no digit, in doubt, a number, a correction saved, offline, and
    with everything open.
    """
    yield picture(page)
    (points,) = on_screen(page, by_hand(DIGITS[3]))
    page.mouse.move(*points[0])
    page.mouse.down()
    for point in points[1:]:
        page.mouse.move(*point)
    page.locator("#probability", has_text="I see").wait_for()
    yield picture(page)
    page.mouse.up()
    press(page, "Clear")
    for strokes, result in (
        (DIGITS[7], "7"),
        (OTHERS["scribble"], "Huh..."),
        (ONE_OR_SEVEN, "Huh..."),
    ):
        draw(page, by_hand(strokes))
        wait_for_result(page, result)
        compared(page)
        yield picture(page)
        press(page, "Clear")
    draw(page, number(DIGITS[4], DIGITS[2]))
    wait_for_result(page, "42")
    press(page, "Digit 2: 2")
    compared(page)
    yield picture(page)
    press(page, "Clear")
    draw(page, by_hand(DIGITS[9]))
    wait_for_result(page, "9")
    press(page, "Yes, it's a 9")
    page.locator("#saved-text", has_text="Saved").wait_for()
    compared(page)
    yield picture(page)
    press(page, "Clear")
    page.context.set_offline(True)
    draw(page, by_hand(DIGITS[3]))
    wait_for_result(page, "3")
    page.locator("#where", has_text="offline").wait_for()
    compared(page)
    yield picture(page)
    page.context.set_offline(False)
    press(page, "Clear")
    draw(page, by_hand(DIGITS[5]))
    wait_for_result(page, "5")
    page.locator("#tools summary").click()
    page.get_by_text("How it was read").click()
    page.locator("#explained", has_text="a 5").wait_for()
    page.get_by_text("About", exact=True).click()
    page.locator("#compare").scroll_into_view_if_needed()
    compared(page)
    yield picture(page, whole=True)


def number(*digits) -> list[np.ndarray]:
    """Digits side by side."""
    step = 230 / len(digits)
    return [
        stroke * 0.5 + (step * (place + 0.5) - 62, 60)
        for place, digit in enumerate(digits)
        for stroke in by_hand(digit)
    ]


def compared(page) -> None:
    """Wait for the six networks, if they are in view."""
    if page.locator("#compare").evaluate("each => each.getBoundingClientRect().top < innerHeight"):
        wait_until(page, "!document.getElementById('compare').classList.contains('waiting')")


def picture(page, whole: bool = False) -> Image.Image:
    """What the window shows, or the whole page."""
    page.evaluate("scrollTo(0, 0)")
    return Image.open(io.BytesIO(page.screenshot(full_page=whole))).convert("RGB")


def sheet(pictures: list[Image.Image]) -> Image.Image:
    """Pictures in rows, as many side by side as fit into `WIDTH`."""
    columns = max(1, WIDTH // pictures[0].width)
    rows = [pictures[first : first + columns] for first in range(0, len(pictures), columns)]
    heights = [max(each.height for each in row) for row in rows]
    width = columns * (pictures[0].width + GAP) - GAP
    whole = Image.new("RGB", (width, sum(heights) + GAP * (len(rows) - 1)), (128, 128, 128))
    top = 0
    for row, height in zip(rows, heights, strict=True):
        for column, each in enumerate(row):
            whole.paste(each, (column * (each.width + GAP), top))
        top += height + GAP
    return whole


def save(image: Image.Image, name: str) -> None:
    """Save a picture in 256 colours: less than half of the bytes."""
    image.quantize(256, dither=Image.Dither.NONE).save(DOCS / name, optimize=True)


def animate(page) -> None:
    """Ten seconds of the page: a seven, a scribble, a number, and what speaks for its answer."""
    frames: list[Image.Image] = []

    def film(count: int = 1) -> None:
        for _ in range(count):
            frame = picture(page)
            frames.append(frame.resize((frame.width * 3 // 5, frame.height * 3 // 5)))

    def write(strokes, result: str, rest: int, pace: int) -> None:
        for points in on_screen(page, strokes):
            page.mouse.move(*points[0])
            page.mouse.down()
            for index, point in enumerate(points[1:]):
                page.mouse.move(*point)
                if index % pace == 0:
                    film()
            page.mouse.up()
            film()
        wait_for_result(page, result)
        compared(page)
        film(rest)

    film(4)
    write(by_hand(DIGITS[7]), "7", 6, 5)
    page.get_by_role("button", name="Ink for 7", exact=True).hover()
    page.locator("#worth").wait_for()
    film(10)
    press(page, "Clear")
    write(by_hand(OTHERS["scribble"]), "Huh...", 10, 8)
    press(page, "Clear")
    write(number(DIGITS[2], DIGITS[0], DIGITS[2], DIGITS[6]), "2026", 4, 8)
    film(max(0, SECONDS * 1000 // FRAME - len(frames)))
    colours = sheet(frames[:: len(frames) // 8]).quantize(192, dither=Image.Dither.NONE)
    first, *others = (each.quantize(palette=colours, dither=Image.Dither.NONE) for each in frames)
    options = {"append_images": others, "duration": FRAME, "loop": 0, "optimize": True}
    first.save(DOCS / "page.gif", save_all=True, **options)


if __name__ == "__main__":
    main()

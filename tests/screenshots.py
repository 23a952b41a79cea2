"""Regenerate the pictures of the page in docs/: `python tests/screenshots.py`.

Serves the application on this machine, and draws with the mouse in a real Chromium.
"""

from __future__ import annotations

import io
import tempfile
from pathlib import Path

from conftest import ROOT, browser_here, gunicorn
from pages import by_hand, draw, press, wait_for_result
from PIL import Image
from strokes import DIGITS, OTHERS

DOCS = ROOT / "docs"
SIZES = {"phone": (360, 740), "tablet": (768, 1024), "desktop": (1440, 900)}


def main() -> None:
    """Take every picture."""
    with tempfile.TemporaryDirectory() as folder, browser_here() as chromium:
        log = Path(folder) / "log"
        options = {"DIGITRE_INSTANCE": f"{folder}/instance"}
        with gunicorn(log, "--config", "deploy/gunicorn.conf.py", **options) as server:

            def open_page(width: int, height: int, scheme: str):
                context = chromium.new_context(
                    viewport={"width": width, "height": height},
                    color_scheme=scheme,
                    reduced_motion="reduce",
                )
                page = context.new_page()
                page.goto(server)
                return page

            for name, (width, height) in SIZES.items():
                for scheme in ("light", "dark"):
                    page = open_page(width, height, scheme)
                    show_everything(page)
                    take(page, f"page-{name}-{scheme}.png")
            page = open_page(1000, 700, "light")
            draw(page, by_hand(DIGITS[5]))
            wait_for_result(page, "5")
            take(page, "page.png")
            page.keyboard.press("?")
            take(page, "page-keys.png")
            page = open_page(1000, 700, "light")
            draw(page, by_hand(DIGITS[4]))
            wait_for_result(page, "4")
            page.locator("#feedback").wait_for()
            take(page, "page-correct.png")


def show_everything(page) -> None:
    """Three recent drawings, a five in Move mode, its steps and its grey values."""
    for strokes, result in ((DIGITS[3], "3"), (OTHERS["tick"], "Huh..."), (DIGITS[7], "7")):
        draw(page, by_hand(strokes))
        wait_for_result(page, result)
        press(page, "Clear")
    draw(page, by_hand(DIGITS[5]))
    wait_for_result(page, "5")
    page.get_by_text("Move", exact=True).click()
    page.get_by_text("How it was read").click()
    page.locator("#explained", has_text="a 5").wait_for()
    page.get_by_text("The 784 grey values").click()
    page.locator("#grey-values td").first.wait_for()


def take(page, name: str) -> None:
    """Save a picture of the whole page, or of an open dialog, in 256 colours: less than half of the bytes."""
    page.evaluate("scrollTo(0, 0)")
    whole = page.locator("dialog[open]").count() == 0
    picture = Image.open(io.BytesIO(page.screenshot(full_page=whole))).convert("RGB")
    picture.quantize(256, dither=Image.Dither.NONE).save(DOCS / name, optimize=True)


if __name__ == "__main__":
    main()

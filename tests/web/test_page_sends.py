"""The picture that the page sends, in a real Chromium."""

from __future__ import annotations

import numpy as np
import pytest
from pages import READING, by_hand, draw, press, read_by_hand, sent_picture, whole_drawing
from strokes import DIGITS

from digitre.recognition.decoding import open_picture, unpack
from digitre.recognition.preprocessing import decode, preprocess
from digitre.training.data.strokes import render

pytestmark = pytest.mark.slow


def test_what_the_page_sends_is_what_training_draws(page) -> None:
    """The page draws strokes nearly pixel for pixel as training does, and sends only the part with ink."""
    for digit, strokes in DIGITS.items():
        press(page, "Clear")
        lines = by_hand(strokes)
        draw(page, lines)
        small = sent_picture(page)
        sent = whole_drawing(page).astype(float) / 255
        ours = render(lines, 250, 250, 12).astype(float) / 255
        both = np.minimum(sent, ours).sum() / np.maximum(sent, ours).sum()
        assert both > 0.95, digit
        assert np.abs(preprocess(sent) - preprocess(ours)).mean() < 0.012, digit
        assert 112 <= max(small.shape) <= 121
        assert np.abs(preprocess(small) - preprocess(ours)).mean() < 0.012, digit


def test_a_browser_without_compression_sends_the_same_drawing(browser, server: str) -> None:
    """A browser that can compress sends a smaller, grey PNG; an older one sends the same ink in colour."""
    sent = {}
    for script, mode in (("", "L"), ("delete globalThis.CompressionStream", "RGB")):
        with browser.new_context() as context:
            page = context.new_page()
            page.add_init_script(script)
            page.goto(server)
            read_by_hand(page)
            draw(page, by_hand(DIGITS[3]))
            with page.expect_request(READING) as waiting:
                press(page, "Read")
            url = waiting.value.post_data_json[0]["digit"]
            assert open_picture(unpack(url)).mode.startswith(mode)
            sent[mode] = url
    assert np.array_equal(decode(sent["L"]), decode(sent["RGB"]))
    assert len(sent["L"]) < 0.6 * len(sent["RGB"])


def test_a_dark_screen_sends_the_same_picture(browser, server: str) -> None:
    """On a dark screen the ink looks light, but the page still sends black on white."""
    sent = []
    for scheme in ("light", "dark"):
        context = browser.new_context(color_scheme=scheme, viewport={"width": 1000, "height": 800})
        tab = context.new_page()
        tab.goto(server)
        read_by_hand(tab)
        draw(tab, by_hand(DIGITS[5]))
        with tab.expect_request(READING) as waiting:
            press(tab, "Read")
        sent.append(unpack(waiting.value.post_data_json[0]["digit"]))
        context.close()
    assert sent[0] == sent[1]

"""Which ink supported an answer."""

from __future__ import annotations

import base64
import io

import numpy as np
import pytest
from conftest import png
from PIL import Image
from strokes import DIGITS, OTHERS, drawn

from digitre import Classifier
from digitre.recognition import occlusion


@pytest.mark.parametrize("digit", DIGITS)
def test_removing_the_best_ink_hurts_most(classifier: Classifier, digit: int) -> None:
    """The answer is less probable without the fifth of ink that supported it most than without the least."""
    pixels = classifier.preprocess(255 - drawn(DIGITS[digit]))
    answer, worth = occlusion.explain(classifier, pixels)
    assert answer == digit
    assert worth.shape == (28, 28)
    assert np.abs(worth).max() == pytest.approx(1)
    assert not worth[pixels.reshape(28, 28) == 0].any()
    inked = np.flatnonzero(pixels.ravel() > 0.1)
    order = inked[np.argsort(worth.ravel()[inked])]
    fifth = len(order) // 5
    without_best, without_worst = pixels.copy(), pixels.copy()
    without_best.ravel()[order[-fifth:]] = 0
    without_worst.ravel()[order[:fifth]] = 0
    best, worst = classifier.classify(np.concatenate([without_best, without_worst]))[:, digit]
    assert best <= worst


def test_a_scribble_is_explained_as_not_a_digit(classifier: Classifier) -> None:
    """The explanation of a scribble is of "not a digit", with some ink that supported it."""
    pixels = classifier.preprocess(255 - drawn(OTHERS["scribble"]))
    answer, worth = occlusion.explain(classifier, pixels)
    assert answer == occlusion.NO_DIGIT
    assert worth.max() == pytest.approx(1)


def test_the_api_explains_an_answer_on_request(client, seven: bytes) -> None:
    """explain=1 adds a picture and the answer that it explains, null for a blank; without it, neither."""
    explained = client.post("/_get_digit?explain=1", data=seven).get_json()
    assert set(explained["explanation"]) == {"of", "method", "image"}
    assert explained["explanation"]["of"] == "7"
    packed = explained["explanation"]["image"].removeprefix("data:image/png;base64,")
    picture = Image.open(io.BytesIO(base64.b64decode(packed)))
    assert (picture.size, picture.mode) == ((28, 28), "RGB")
    plain = client.post("/_get_digit", data=seven).get_json()
    assert "explanation" not in plain
    assert {name: explained[name] for name in plain} == plain
    blank = png(np.zeros((50, 50), np.uint8))
    assert client.post("/_get_digit?explain=1", data=blank).get_json()["explanation"] is None
    assert "explain" in client.get("/healthz").get_json()["features"]

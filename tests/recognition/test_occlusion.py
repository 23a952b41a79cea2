"""Which ink an answer came from."""

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
def test_ink_that_mattered_is_ink_that_is_missed(classifier: Classifier, digit: int) -> None:
    """Without its best fifth of ink the answer is less probable than without its worst fifth."""
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


def test_a_scribble_is_explained_as_no_digit(classifier: Classifier) -> None:
    pixels = classifier.preprocess(255 - drawn(OTHERS["scribble"]))
    answer, worth = occlusion.explain(classifier, pixels)
    assert answer == occlusion.NO_DIGIT
    assert worth.max() == pytest.approx(1)


def test_the_answer_has_it_where_it_is_asked_for(client, seven: bytes) -> None:
    """explain=1 adds the picture and what it explains; without it there is none; blank is null."""
    asked = client.post("/_get_digit?explain=1", data=seven).get_json()
    assert set(asked["explanation"]) == {"of", "method", "image"}
    assert asked["explanation"]["of"] == "7"
    packed = asked["explanation"]["image"].removeprefix("data:image/png;base64,")
    picture = Image.open(io.BytesIO(base64.b64decode(packed)))
    assert (picture.size, picture.mode) == ((28, 28), "RGB")
    plain = client.post("/_get_digit", data=seven).get_json()
    assert "explanation" not in plain
    assert {name: asked[name] for name in plain} == plain
    blank = png(np.zeros((50, 50), np.uint8))
    assert client.post("/_get_digit?explain=1", data=blank).get_json()["explanation"] is None
    assert "explain" in client.get("/healthz").get_json()["features"]

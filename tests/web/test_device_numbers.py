"""Numbers that the page reads by itself: the same strokes in a real Chromium and in Python."""

from __future__ import annotations

import base64
from typing import Any

import numpy as np
import pytest
from strokes import DIGITS, OTHERS, smooth

from digitre import Classifier
from digitre.recognition import packed
from digitre.training.data.datasets import arrays_of, strokes_of
from digitre.web.app import static_version

pytestmark = pytest.mark.slow

READ = """async ([modules, network, numbers]) => {
  const { Digitre } = await import(`${modules}/digitre.js`);
  const { paintNumber } = await import(`${modules}/number.js`);
  globalThis.reader ??= await Digitre.load(network);
  const found = [];
  for (const { strokes, pen, signs } of numbers) {
    const start = performance.now();
    const answer = reader.readNumber(strokes, { pen, signs });
    const took = performance.now() - start;
    const { image, scale, left, top } = paintNumber(strokes, pen);
    const canvas = new OffscreenCanvas(image.width, image.height);
    canvas.getContext("2d").putImageData(image, 0, 0);
    const bytes = new Uint8Array(await (await canvas.convertToBlob()).arrayBuffer());
    found.push({ answer, took, scale, left, top, png: btoa(String.fromCharCode(...bytes)) });
  }
  return found;
}"""
# On the same canvas as the digits, which reach from 56 to 196.
SIGNS = {
    "-": [[(80, 126), (110, 126), (140, 126)]],
    ".": [[(100, 194), (101, 195)]],
    ",": [[(104, 186), (104, 200), (94, 220)]],
}


def write(text: str, gap: float = 20) -> dict[str, Any]:
    """The strokes of digits and signs next to each other."""
    strokes: list[np.ndarray] = []
    x = 0.0
    for character in text:
        lines = DIGITS[int(character)] if character.isdigit() else SIGNS[character]
        smoothed = [smooth(each) for each in lines]
        left = min(each[:, 0].min() for each in smoothed)
        strokes += [each + np.array([x - left, 0]) for each in smoothed]
        x = max(each[:, 0].max() for each in strokes) + gap
    return as_sent(strokes, pen=9, signs=not text.isdigit())


def as_sent(strokes: list[np.ndarray], pen: float, signs: bool = False) -> dict[str, Any]:
    return {
        "strokes": [np.round(each, 2).tolist() for each in strokes],
        "pen": pen,
        "signs": signs,
    }


def read_both(script_page, server: str, classifier: Classifier, numbers: list[dict]) -> list[tuple]:
    """Each number's answer in the browser, in Python, and how long the browser took."""
    arguments = [
        f"{server}/static/{static_version()}",
        f"{server}/network/{packed.file_name(classifier.model)}",
    ]
    found = []
    for first in range(0, len(numbers), 20):
        chosen = numbers[first : first + 20]
        for number, each in zip(
            chosen, script_page.evaluate(READ, [*arguments, chosen]), strict=True
        ):
            moved = [
                np.array(stroke) * each["scale"] + (each["left"], each["top"])
                for stroke in number["strokes"]
            ]
            reading = classifier.read_number(
                base64.b64decode(each["png"]), strokes=moved, signs=number["signs"]
            )
            found.append((each["answer"], reading, each["took"]))
    return found


def test_numbers_are_read_as_by_the_server(
    script_page, server: str, classifier: Classifier
) -> None:
    """Numbers, also with touching digits and signs, have the same text and value as on the server."""
    texts = ["42", "2026", "7", "0123456789", "-35", "3.5", "12,5"]
    numbers = [write(text) for text in texts]
    numbers += [write("23", gap=-6), write("60", gap=-8), write("105", gap=2)]
    found = read_both(script_page, server, classifier, numbers)
    for text, (ours, theirs, _) in zip(texts, found, strict=False):
        assert ours["text"] == text
        assert ours["reason"] is None
        assert ours["value"] == theirs.number
    for ours, theirs, _ in found:
        assert (ours["text"], ours["reason"]) == (theirs.text, theirs.reason)
        assert abs(ours["confidence"] - theirs.confidence) < 0.1


def test_a_circled_number_is_for_the_server(
    script_page, server: str, classifier: Classifier
) -> None:
    """The page asks the server about a number with a circle around it, and the server reads what is in the circle."""
    number = write("42")
    points = np.concatenate([np.asarray(stroke, float) for stroke in number["strokes"]])
    middle, reach = points.mean(0), np.ptp(points, axis=0).max()
    angles = np.linspace(0, 2 * np.pi, 60)
    circle = middle + reach * np.stack([np.cos(angles), np.sin(angles)], 1)
    circled = {**number, "strokes": [*number["strokes"], circle.tolist()]}
    (plain, _, _), (ours, theirs, _) = read_both(script_page, server, classifier, [number, circled])
    assert (plain["text"], plain["forServer"]) == ("42", False)
    assert ours["forServer"]
    assert (theirs.text, theirs.reason) == ("42", None)


def test_what_is_no_number_is_refused(script_page, server: str, classifier: Classifier) -> None:
    """The page refuses a scribble, a heart, a tick, an N, and a number above another one. No strokes are a blank."""
    drawings = [as_sent([smooth(s) for s in OTHERS[name]], 9) for name in ("scribble", "heart")]
    # A tick, an N, and a number above another one.
    shapes = [[(60, 100), (90, 150), (170, 40)], [(60, 160), (60, 40), (140, 160), (140, 40)]]
    drawings += [as_sent([np.array(each, float)], 9) for each in shapes]
    above = [0.4 * np.array(each) - (90, 30) for each in write("26")["strokes"]]
    drawings.append(as_sent([*above, *map(np.array, write("47")["strokes"])], 9))
    for ours, theirs, _ in read_both(script_page, server, classifier, drawings):
        assert ours["value"] is None
        assert ours["reason"] == theirs.reason
    script = "() => reader.readNumber([]).reason"
    assert script_page.evaluate(script) == "blank"


@pytest.mark.long
@pytest.mark.usefixtures("real_data")
def test_300_numbers_of_people_are_read_as_by_the_server(
    script_page, server: str, classifier: Classifier
) -> None:
    """Of 300 real numbers, 99 % have the same text on both sides."""
    arrays = arrays_of("unipen-strings.npz")
    assert arrays is not None
    random = np.random.default_rng(6)
    chosen = np.flatnonzero(np.isin(arrays["category"], ["number", "run", "mixed"]))
    numbers = []
    for index in random.choice(chosen, 300, replace=False):
        strokes = [np.asarray(each, float) * (1, -1) for each in strokes_of(arrays, int(index))]
        height = float(np.median([np.ptp(each[:, 1]) for each in strokes]))
        if height <= 0:
            continue
        scaled = [each * (100 / height) for each in strokes]
        signs = str(arrays["category"][index]) == "mixed"
        numbers.append(as_sent(scaled, pen=float(random.uniform(5, 14)), signs=signs))
    found = read_both(script_page, server, classifier, numbers)
    same = [ours["text"] == theirs.text for ours, theirs, _ in found]
    answers = [ours["reason"] == theirs.reason for ours, theirs, _ in found]
    print(f"same text: {np.mean(same):.4f}, same answer: {np.mean(answers):.4f}")
    print(f"ms a number: {np.median([took for *_, took in found]):.0f}")
    assert len(found) >= 290
    assert np.mean(same) >= 0.99

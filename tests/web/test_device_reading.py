"""The page's own reader gives the answers of the server: the same drawings in a real Chromium and in Python."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from strokes import DIGITS, OTHERS, smooth

from digitre import Classifier
from digitre.recognition import packed
from digitre.training.data import synthetic
from digitre.training.data.datasets import arrays_of, strokes_of
from digitre.training.data.strokes import fit
from digitre.web.app import static_version

pytestmark = pytest.mark.slow

# Paints each drawing on a canvas, reads it, and gives the canvas as a PNG with the answer.
READ = """async ([modules, network, drawings]) => {
  const { Digitre } = await import(`${modules}/digitre.js`);
  const { paintItems } = await import(`${modules}/painting.js`);
  globalThis.reader ??= await Digitre.load(network);
  return drawings.map(({ strokes, width, height, pen, colour, ground }) => {
    const canvas = Object.assign(document.createElement("canvas"), { width, height });
    const context = canvas.getContext("2d", { willReadFrequently: true });
    if (ground) {
      context.fillStyle = ground;
      context.fillRect(0, 0, width, height);
    }
    paintItems(context, strokes.map((points) => ({ mode: "draw", width: pen, points })), colour);
    const start = performance.now();
    const answer = reader.read(canvas);
    return { answer, took: performance.now() - start, png: canvas.toDataURL("image/png") };
  });
}"""
COLOURS = [
    ("#000", "#fff"),
    ("#f4f0e0", "#20242c"),
    ("#1a48c8", "#fdf6e3"),
    ("#000", None),
    ("#c03020", None),
]


def by_hand() -> Iterator[list[np.ndarray]]:
    """The digits and other drawings that come with the tests, without end."""
    while True:
        for strokes in (*DIGITS.values(), *OTHERS.values()):
            yield [smooth(each) for each in strokes]


def of_people(random: np.random.Generator) -> Iterator[list[np.ndarray]]:
    """Digits, letters and scribbles in turn, without end."""
    arrays = arrays_of("unipen-characters.npz")
    assert arrays is not None
    digits = np.flatnonzero(np.char.isdigit(arrays["label"]))
    letters = np.flatnonzero(np.char.isalpha(arrays["label"]))
    while True:
        for chosen in (digits, letters):
            strokes = strokes_of(arrays, int(random.choice(chosen)))
            yield [np.asarray(each, float) * (1, -1) for each in strokes]
        yield synthetic.any_kind(random)


def drawing(strokes: list[np.ndarray], random: np.random.Generator, place: int) -> dict[str, Any]:
    """Strokes on a canvas of some size, with some pen and colours."""
    ratio = random.choice([1, 1.25, 2, 3])  # of device pixels
    side = round(int(random.integers(60, 260)) * ratio) if place % 12 else 1600
    height = round(side * random.uniform(0.8, 1.2))
    size = min(side, height) * random.uniform(0.35, 0.8)
    colour, ground = COLOURS[place % len(COLOURS)]
    moved = fit(strokes, size, side / 2, height / 2)
    return {
        "strokes": [np.round(each, 2).tolist() for each in moved],
        "width": side,
        "height": height,
        "pen": max(1.5, size * random.uniform(0.03, 0.12)),
        "colour": colour,
        "ground": ground,
    }


def compare(
    script_page, address: str, classifier: Classifier, drawings: list[dict]
) -> dict[str, Any]:
    """Read drawings on both sides: those that the device keeps, and what differs."""
    arguments = [
        f"{address}/static/{static_version()}",
        f"{address}/network/{packed.file_name(classifier.model)}",
    ]
    own, same, distances, took, for_server = 0, 0, [], [], 0
    for first in range(0, len(drawings), 25):
        for each in script_page.evaluate(READ, [*arguments, drawings[first : first + 25]]):
            answer, ours = each["answer"], classifier.read(each["png"])
            took.append(each["took"])
            if answer["forServer"]:
                for_server += 1
                continue
            own += 1
            same += (answer["digit"], answer["reason"]) == (ours.digit, ours.reason)
            theirs = np.array([*answer["probabilities"], answer["notADigit"]])
            distances.append(float(np.abs(theirs - [*ours.probabilities, ours.not_a_digit]).max()))
    return {
        "own": own,
        "different": own - same,
        "distances": np.array(distances),
        "took": took,
        "for_server": for_server,
    }


def test_the_device_reads_as_the_server_does(
    script_page, server: str, classifier: Classifier
) -> None:
    """Digits and other drawings, in sizes, pens and colours of all kinds, get the server's answers."""
    random, strokes = np.random.default_rng(3), by_hand()
    drawings = [drawing(next(strokes), random, k) for k in range(28)]
    found = compare(script_page, server, classifier, drawings)
    assert found["own"] >= 20
    assert found["different"] == 0
    assert found["distances"].max() < 0.01


@pytest.mark.long
@pytest.mark.timeout(900)
@pytest.mark.usefixtures("real_data")
def test_the_device_reads_2000_drawings_as_the_server_does(
    script_page, server: str, classifier: Classifier
) -> None:
    """Of 2,000 drawings of people, 99.9 % get the same answer, and the probabilities are near."""
    random = np.random.default_rng(4)
    strokes = of_people(random)
    drawings = [drawing(next(strokes), random, k) for k in range(2000)]
    found = compare(script_page, server, classifier, drawings)
    print({key: found[key] for key in ("own", "different", "for_server")})
    print("ms", np.median(found["took"]), "furthest", found["distances"].max())
    assert found["for_server"] <= 0.15 * len(drawings)
    assert found["different"] <= 0.001 * found["own"]
    assert found["distances"].max() <= 0.02


def test_a_file_that_is_no_network_is_an_error(script_page, server: str) -> None:
    """A missing file, and one that is no packed network, are named as such."""
    script = """async ([modules, url]) => {
      const { Digitre, UnknownNetworkError } = await import(`${modules}/digitre.js`);
      try { await Digitre.load(url); } catch (error) { return error instanceof UnknownNetworkError; }
    }"""
    modules = f"{server}/static/{static_version()}"
    for url in (f"{server}/network/other.2.bin", f"{modules}/digitre.js"):
        assert script_page.evaluate(script, [modules, url]) is True

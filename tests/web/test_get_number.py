"""POST /_get_number: what it takes, what it answers, and its errors."""

from __future__ import annotations

import io
import json
from typing import Any

import pytest
from conftest import assert_error, data_url, png
from numbers_drawn import write
from PIL import Image

from digitre import Classifier

DRAWING = write("2026")
FILE = png(Image.fromarray(DRAWING.picture))
URL = data_url(FILE)


def forms() -> dict[str, dict[str, Any]]:
    """A number in every form that a digit may be sent in."""
    return {
        "a list of an object": {"json": [{"digit": URL}]},
        "an object": {"json": {"image": URL}},
        "a data URL": {"data": URL},
        "a file": {"data": FILE},
        "a form": {"data": {"img": URL}},
        "an upload": {"data": {"image": (io.BytesIO(FILE), "number.png")}},
    }


@pytest.mark.parametrize("form", forms())
def test_a_number_may_come_in_every_form(client, form: str) -> None:
    """All forms of a picture that /_get_digit takes are read."""
    answer = client.post("/_get_number", **forms()[form]).get_json()
    assert (answer["result"], answer["number"], answer["reason"]) == ("2026", 2026, None)
    assert answer["probability"] == f"({100 * answer['confidence']:.1f}% probability)"
    assert [each["digit"] for each in answer["digits"]] == [2, 0, 2, 6]


@pytest.mark.parametrize("form", ["JSON", "a list", "JSON in a text", "a form", "an upload"])
def test_strokes_come_with_the_picture(client, form: str) -> None:
    """Strokes come as a field of the JSON, or as JSON in a field of a form or an upload."""
    drawing = write("2583", gap=-4)
    url, strokes = data_url(png(Image.fromarray(drawing.picture))), drawing.as_lists
    both = {"digit": url, "strokes": strokes}
    sent: dict[str, Any] = {
        "JSON": {"json": both},
        "a list": {"json": [both]},
        "JSON in a text": {"json": json.dumps([both])},
        "a form": {"data": {"img": url, "strokes": json.dumps(strokes)}},
        "an upload": {
            "data": {
                "image": (io.BytesIO(png(Image.fromarray(drawing.picture))), "number.png"),
                "strokes": json.dumps(strokes),
            }
        },
    }
    answer = client.post("/_get_number", **sent[form]).get_json()
    assert answer["result"] == "2583"
    found = [each["strokes"] for each in answer["digits"]]
    assert [len(each) for each in found] == [drawing.owners.count(k) for k in range(4)]


def test_the_answer_is_the_librarys(client) -> None:
    """The server answers what the library does."""
    reading = Classifier().read_number(FILE, strokes=DRAWING.strokes)
    sent = {"digit": URL, "strokes": DRAWING.as_lists}
    assert client.post("/_get_number", json=sent).get_json() == reading.to_dict()


def test_the_query_says_what_is_expected(client) -> None:
    """length, signs, lines and threshold do what the library's arguments do."""
    signs = png(Image.fromarray(write("-3.5").picture))
    assert client.post("/_get_number?signs=1", data=signs).get_json()["number"] == -3.5
    assert client.post("/_get_number", data=signs).get_json()["result"] == "Huh..."
    lines = png(Image.fromarray(write("27\n105").picture))
    answer = client.post("/_get_number?lines=1", data=lines).get_json()
    assert (answer["lines"], answer["result"]) == (["27", "105"], "27\n105")
    assert client.post("/_get_number?length=4", data=FILE).get_json()["result"] == "2026"
    refused = client.post("/_get_number?length=5", data=FILE).get_json()
    assert (refused["result"], refused["probability"]) == ("Huh...", "You call that a digit?")
    answered = client.post("/_get_number?length=5&threshold=0", data=FILE).get_json()
    assert answered["reason"] is None


@pytest.mark.parametrize("query", ["0", "41", "-1", "4.0", "x", "", "4&length=4", "٤", "9" * 5000])
def test_a_wrong_length_is_refused(client, query: str) -> None:
    """A length that is no whole number from 1 to 40, or that comes twice, gets its error."""
    assert_error(client.post(f"/_get_number?length={query}", data=FILE), 400, "bad_length")


@pytest.mark.parametrize("query", ["signs=2", "lines=true", "signs=1&signs=1"])
def test_a_wrong_flag_is_refused(client, query: str) -> None:
    """A flag that is neither 0 nor 1, or that comes twice, gets its error."""
    assert_error(client.post(f"/_get_number?{query}", data=FILE), 400, "bad_flag")


@pytest.mark.parametrize(
    "strokes",
    [
        [],
        [[]],
        [[[1, 2]]],
        [[[1, 2, "x"]]],
        [[[1, 2, None]]],
        [[[1e300, 2, 3]]],
        {"x": 1},
        7,
        "[[[1, 2",
        [[[1, 2, 3]]] * 201,
        [[[1, 2, 3]] * 2001],
    ],
)
def test_wrong_strokes_are_refused(client, strokes: Any) -> None:
    """Strokes that are none, or too many, get the error that saving gives."""
    sent = {"digit": URL, "strokes": strokes}
    assert_error(client.post("/_get_number", json=sent), 400, "bad_strokes")


def test_no_strokes_and_null_are_the_same(client) -> None:
    """The strokes may be null, and lie anywhere."""
    without = client.post("/_get_number", json={"digit": URL}).get_json()
    null = client.post("/_get_number", json={"digit": URL, "strokes": None}).get_json()
    far = {"digit": URL, "strokes": [[[-1e9, 1e9, 0]]]}
    assert without == null == client.post("/_get_number", json=far).get_json()


def test_a_picture_of_two_million_pixels_has_its_boxes(client) -> None:
    """Boxes are in pixels of the picture that was sent, even if it is averaged down to be read."""
    large = Image.fromarray(DRAWING.picture).resize((2000, 800))
    small = client.post("/_get_number", data=FILE).get_json()
    answer = client.post("/_get_number", data=png(large)).get_json()
    assert answer["result"] == "2026"
    height, width = DRAWING.picture.shape
    for one, other in zip(small["digits"], answer["digits"], strict=True):
        scaled = [
            side * factor
            for side, factor in zip(one["box"], [2000 / width, 800 / height] * 2, strict=True)
        ]
        assert other["box"] == pytest.approx(scaled, abs=16)


def test_numbers_are_counted(client) -> None:
    """The metrics say how many numbers were read and refused, and never which."""
    client.post("/_get_number", data=FILE)
    text = client.get("/metrics").get_data(as_text=True)
    assert 'digitre_readings_total{reason="",result="number"}' in text
    assert "2026" not in text.replace("2026-", "")

"""Many drawings in one request: POST /_get_digits."""

from __future__ import annotations

import io
import json

import numpy as np
import pytest
from bad_inputs import jpeg_header
from conftest import assert_error, data_url, png
from strokes import DIGITS, OTHERS, drawn

from digitre.recognition.classifier import Classifier
from digitre.web import many
from digitre.web.batches import MOST_PIXELS
from digitre.web.many import MOST, TOGETHER

SEVEN, THREE = png(drawn(DIGITS[7])), png(drawn(DIGITS[3]))
URL = data_url(SEVEN)
BLANK = [0] * 784


def framed(canvas: np.ndarray) -> np.ndarray:
    """The same with a frame around it, which the reader searches."""
    page = np.pad(canvas, 20, constant_values=255)
    page[5:-5, [5, 6, -7, -6]] = page[[5, 6, -7, -6], 5:-5] = 0
    return page


FRAMED = data_url(png(framed(255 - drawn(DIGITS[4]))))


def readings(client, body, query: str = "") -> list[dict]:
    answer = client.post(f"/_get_digits{query}", json=body)
    assert answer.status_code == 200, answer.get_data(as_text=True)
    assert list(answer.get_json()) == ["readings"]
    return answer.get_json()["readings"]


def test_each_reading_is_the_one_it_gets_alone(client) -> None:
    """Texts and objects in a list are read in order, each as /_get_digit reads it."""
    sent = [URL, {"digit": data_url(THREE)}, {"image": BLANK}, {"img": URL}, URL.split(",")[1]]
    alone = [client.post("/_get_digit", json=each).get_json() for each in sent]
    assert [each["result"] for each in alone] == ["7", "3", "Huh...", "7", "7"]
    assert readings(client, sent) == alone
    assert readings(client, {"drawings": sent}) == alone


def test_files_of_an_upload_are_read_in_order(client) -> None:
    """A form with files, in fields of one name or of several, gives a reading for each."""
    files = [(io.BytesIO(each), f"{index}.png") for index, each in enumerate((SEVEN, THREE, SEVEN))]
    sent = {"image": files[:2], "other": files[2], "note": "no drawing"}
    answer = client.post("/_get_digits", data=sent, content_type="multipart/form-data")
    assert [each["result"] for each in answer.get_json()["readings"]] == ["7", "3", "7"]
    fields = client.post("/_get_digits", data={"a": URL}, content_type="multipart/form-data")
    assert [each["result"] for each in fields.get_json()["readings"]] == ["7"]


@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        (7, "no_picture"),
        (None, "no_picture"),
        ([URL, URL], "no_picture"),
        ("", "no_picture"),
        ("@@@", "bad_base64"),
        (data_url(SEVEN[:200]), "not_a_picture"),
        ("data:image/svg+xml,%3Csvg/%3E", "unsupported_format"),
        ({"image": [256, *BLANK[1:]]}, "bad_pixels"),
        (data_url(jpeg_header(10_001, 1)), "picture_too_large"),
    ],
)
def test_one_bad_drawing_spoils_no_other(client, wrong, code: str) -> None:
    """What cannot be read has its own error in its place; the drawings around it are read."""
    first, error, last = readings(client, [URL, wrong, URL])
    assert first["digit"] == last["digit"] == 7
    assert list(error) == ["error"]
    assert error["error"]["code"] == code
    assert error["error"]["message"].endswith((".", ")", "..."))


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ("", 400, "empty_body"),
        ("[", 400, "malformed_json"),
        (b'["\xff"]', 400, "malformed_json"),
        ("[" * 10_000, 400, "malformed_json"),
        (URL, 400, "malformed_json"),
        ("7", 400, "no_picture"),
        ("[]", 400, "no_picture"),
        ("{}", 400, "no_picture"),
        ('{"drawings": 7}', 400, "no_picture"),
        (json.dumps(["x"] * (MOST + 1)), 413, "too_many"),
        ("[" + "[]," * 500_000 + "[]]", 413, "too_many"),
    ],
)
def test_without_a_list_there_is_one_error(client, body, status: int, code: str) -> None:
    """A body that is no list of 1 to 256 drawings gets an error as every other address gives it."""
    assert_error(client.post("/_get_digits", data=body), status, code)


def test_an_upload_without_a_drawing_is_an_error(client) -> None:
    """An empty form, and one that is cut off, get one error."""
    for body in (b"--x--\r\n", b'--x\r\nContent-Disposition: form-data; name="image"\r\n\r\nabc'):
        answer = client.post(
            "/_get_digits", data=body, content_type="multipart/form-data; boundary=x"
        )
        assert_error(answer, 400, "no_picture")


def test_256_drawings_are_read(client) -> None:
    """The most that a request may have are all read."""
    assert [each["digit"] for each in readings(client, [URL] * MOST)] == [7] * MOST


def test_drawings_of_all_kinds_keep_their_places(client) -> None:
    """Plain drawings, one to search, a blank, a wrong one and a large one, in several groups, are answered as alone."""
    large = np.full((1200, 1200), 255, np.uint8)
    large[:250, :250] = 255 - drawn(DIGITS[2])
    kinds = [URL, FRAMED, {"image": BLANK}, "@@@", data_url(png(large))]
    shares = [0.4, 0.2, 0.2, 0.17, 0.03]
    sent = (
        np.random.default_rng(0)
        .choice(np.array(kinds, object), 2 * TOGETHER + 3, p=shares)
        .tolist()
    )
    alone = [readings(client, [each])[0] for each in kinds]
    assert [each.get("digit") for each in alone] == [7, 4, None, None, 2]
    assert readings(client, sent) == [alone[kinds.index(each)] for each in sent]


def test_all_drawings_together_have_a_limit(client) -> None:
    """Over 16 megapixels by their headers are refused before one of them is decoded."""
    large = data_url(jpeg_header(4000, 2001))
    assert MOST_PIXELS < 2 * 4000 * 2001
    assert_error(client.post("/_get_digits", json=[URL, large, large]), 413, "too_many")
    assert readings(client, [URL, large])[0]["digit"] == 7


def test_what_takes_too_long_is_left(client, monkeypatch: pytest.MonkeyPatch) -> None:
    """After a second of work, the drawings that are left get an error, and those before keep their readings."""
    times = iter([0.0, 0.1, 0.9, 1.1, 1.2])
    monkeypatch.setattr(many.avif, "thread_time", lambda: next(times))
    answers = readings(client, [URL] * 4)
    assert [each.get("result") for each in answers] == ["7", "7", None, None]
    assert {each["error"]["code"] for each in answers[2:]} == {"too_many"}


def test_what_would_have_to_be_searched_too_late_is_left(
    client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After that second only the first of a group is searched: so each request reads one drawing at least."""
    times = iter([0.0, 0.1, 0.2, 0.3, 1.1])
    monkeypatch.setattr(many.avif, "thread_time", lambda: next(times))
    answers = readings(client, [FRAMED, URL, FRAMED])
    assert [each.get("result") for each in answers] == ["4", "7", None]
    assert answers[2]["error"]["code"] == "too_many"


def test_the_threshold_is_for_all(client) -> None:
    """?threshold=0 accepts every drawing, and a wrong threshold is an error."""
    sent = [URL, data_url(png(drawn(OTHERS["scribble"])))]
    assert [each["result"] for each in readings(client, sent)] == ["7", "Huh..."]
    assert all(each["digit"] is not None for each in readings(client, sent, "?threshold=0"))
    assert_error(client.post("/_get_digits?threshold=2", json=sent), 400, "bad_threshold")


def test_each_reading_is_counted(client) -> None:
    """The metrics count each drawing, and one request."""
    readings(client, [URL, "@@@", URL])
    text = client.get("/metrics").text
    assert 'digitre_readings_total{reason="",result="7"} 2.0' in text
    assert 'digitre_requests_total{method="POST",route="/_get_digits",status="200"} 1.0' in text


def test_many_are_read_as_the_library_reads_them(client) -> None:
    """Shifted and faint drawings have the library's own readings."""
    random = np.random.default_rng(3)
    files = [png(np.roll(drawn(DIGITS[d]), random.integers(-30, 30, 2), (0, 1))) for d in range(10)]
    own = [Classifier().read(file).to_dict() for file in files]
    assert readings(client, [data_url(file) for file in files]) == own

"""Saving drawings: what is stored, what is refused, and no drawing is lost after its answer."""

from __future__ import annotations

import errno
import http.client
import io
import json
import os
import signal
import sqlite3
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import databases
import numpy as np
import pytest
import sqlalchemy as sa
from conftest import assert_error, data_url, gunicorn, need, png, workers
from PIL import Image
from strokes import DIGITS, OTHERS, drawn

from digitre import create_app
from digitre.drawings.collection import Drawings, UnavailableError
from digitre.drawings.drawing import Drawing

SEVEN = data_url(png(drawn(DIGITS[7])))
STROKES = [[[10, 20.123, 0], [30, 40, 16]], [[5, 5, 40]]]


@pytest.fixture
def instance(tmp_path: Path) -> Path:
    return tmp_path / "instance"


@pytest.fixture
def app(instance: Path, database: str):
    return create_app({"TESTING": True, "INSTANCE": instance, "DATABASE_URL": database})


def save(client, **more):
    return client.post("/_save_drawing", json={"digit": SEVEN, "label": 7} | more)


def find(database: str, id: str) -> Drawing:
    """The saved drawing with this id."""
    drawing = Drawings(database).find(id)
    assert drawing is not None
    return drawing


def test_what_is_saved(client, instance: Path, database: str, classifier) -> None:
    """The answer is 201 with an id and a receipt. The database has what is promised, and no more."""
    response = save(client, strokes=STROKES, writer="abc-1")
    assert response.status_code == 201
    answer = response.get_json()
    assert set(answer) == {"id", "receipt"}
    drawing = find(database, answer["id"])
    assert (drawing.label, drawing.writer, drawing.status) == (7, "abc-1", "accepted")
    assert drawing.strokes == [[[10, 20.12, 0], [30, 40, 16]], [[5, 5, 40]]]
    assert drawing.model == classifier.model
    assert drawing.read_as == drawing.prediction == 7
    assert drawing.confidence == pytest.approx(classifier.read(SEVEN).confidence)
    picture = Image.open(io.BytesIO(drawing.pixels))
    assert (picture.format, picture.mode) == ("PNG", "L")
    np.testing.assert_array_equal(255 - np.asarray(picture), drawn(DIGITS[7]))
    assert drawing.size == len(drawing.pixels) + len(json.dumps(drawing.strokes))
    assert not {"address", "agent", "ip"} & set(vars(drawing))
    assert (instance / "secret").stat().st_mode & 0o077 == 0


def test_saving_twice_stores_once(client, instance: Path, database: str) -> None:
    """A retry gets the same id and receipt. Another label or writer makes another drawing."""
    first = save(client, writer="a")
    again = save(client, writer="a", label="7")
    assert (first.status_code, again.status_code) == (201, 200)
    assert first.get_json() == again.get_json()
    others = [save(client, writer="b"), save(client, writer="a", label=1), save(client)]
    assert [other.status_code for other in others] == [201] * 3
    assert len({other.get_json()["id"] for other in [first, *others]}) == 4
    assert Drawings(database).count() == 4


@pytest.mark.parametrize(
    ("drawing", "label", "status"),
    [
        (DIGITS[7], 7, "accepted"),
        (DIGITS[7], 1, "pending"),
        (DIGITS[7], "none", "pending"),
        (OTHERS["scribble"], "none", "pending"),
        (OTHERS["scribble"], 3, "pending"),
    ],
)
def test_a_drawing_that_the_network_agrees_with_is_accepted(
    client, database: str, drawing, label, status: str
) -> None:
    """If the prediction is the digit, at least 0.9 sure, it is accepted; else a person decides."""
    answer = save(client, digit=data_url(png(drawn(drawing))), label=label).get_json()
    assert find(database, answer["id"]).status == status


def test_deleting(client, instance: Path, database: str) -> None:
    """With its receipt a drawing is deleted for good. With any other the answer is 404."""
    mine, other = save(client, writer="a").get_json(), save(client, writer="b").get_json()
    for receipt in (other["receipt"], "", "ü", None, 7):
        response = client.delete(f"/_save_drawing/{mine['id']}", json={"receipt": receipt})
        assert_error(response, 404, "not_found")
    for path in ("/_save_drawing/%00", "/_save_drawing/none"):
        assert_error(client.delete(path, json={"receipt": "x"}), 404, "not_found")
    path = f"/_save_drawing/{mine['id']}"
    assert client.delete(path, json={"receipt": mine["receipt"]}).status_code == 204
    assert_error(client.delete(path, json={"receipt": mine["receipt"]}), 404, "not_found")
    assert Drawings(database).count() == 1
    assert save(client, writer="a").status_code == 201


BAD = {
    "not JSON": ("hello", 400, "malformed_json"),
    "a list": ("[]", 400, "malformed_json"),
    "deep": ("[" * 10_000, 400, "malformed_json"),
    "no drawing": ({"label": 7}, 400, "no_picture"),
    "not base64": ({"digit": "data:image/png;base64,@", "label": 7}, 400, "bad_base64"),
    "a HEIC": (
        {"digit": "data:image/heic;base64,AAAAGGZ0eXBoZWlj", "label": 7},
        415,
        "unsupported_format",
    ),
    "no label": ({"digit": SEVEN}, 422, "bad_label"),
    "label 10": ({"digit": SEVEN, "label": 10}, 422, "bad_label"),
    "label seven": ({"digit": SEVEN, "label": "seven"}, 422, "bad_label"),
    "label true": ({"digit": SEVEN, "label": True}, 422, "bad_label"),
    "label 7.0": ({"digit": SEVEN, "label": 7.0}, 422, "bad_label"),
    "a blank": (
        {"digit": data_url(png(Image.new("L", (50, 50)))), "label": 7},
        422,
        "blank_drawing",
    ),
    "strokes of text": ({"digit": SEVEN, "label": 7, "strokes": "x"}, 400, "bad_strokes"),
    "no stroke": ({"digit": SEVEN, "label": 7, "strokes": []}, 400, "bad_strokes"),
    "an empty stroke": ({"digit": SEVEN, "label": 7, "strokes": [[]]}, 400, "bad_strokes"),
    "a flat point": ({"digit": SEVEN, "label": 7, "strokes": [[[1, 2]]]}, 400, "bad_strokes"),
    "a huge point": ({"digit": SEVEN, "label": 7, "strokes": [[[1e99, 2, 3]]]}, 400, "bad_strokes"),
    "too many strokes": (
        {"digit": SEVEN, "label": 7, "strokes": [[[1, 2, 3]]] * 201},
        400,
        "bad_strokes",
    ),
    "too many points": (
        {"digit": SEVEN, "label": 7, "strokes": [[[1, 2, 3]] * 2001]},
        400,
        "bad_strokes",
    ),
    "long points": (
        {"digit": SEVEN, "label": 7, "strokes": [[[123456789.12, 123456789.12, 123456789]] * 2000]},
        400,
        "bad_strokes",
    ),
    "a long writer": ({"digit": SEVEN, "label": 7, "writer": "a" * 65}, 400, "bad_writer"),
    "an odd writer": ({"digit": SEVEN, "label": 7, "writer": "a b"}, 400, "bad_writer"),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_requests_save_nothing(client, database: str, case: str) -> None:
    """Each has a code of its own, and nothing is stored."""
    body, status, code = BAD[case]
    data = body if isinstance(body, str) else json.dumps(body)
    assert_error(client.post("/_save_drawing", data=data), status, code)
    assert Drawings(database).count() == 0


@pytest.mark.parametrize(
    ("setting", "status", "code"),
    [
        ({"SAVES_A_DAY": 2}, 429, "too_many_drawings"),
        ({"MAX_DRAWINGS": 2}, 507, "storage_full"),
        ({"MAX_DRAWINGS_BYTES": 5000}, 507, "storage_full"),
    ],
)
def test_limits(instance: Path, database: str, setting: dict, status: int, code: str) -> None:
    """At a limit, saving answers with its code. A retry still works, and so does reading."""
    more = {"TESTING": True, "INSTANCE": instance, "DATABASE_URL": database} | setting
    client = create_app(more).test_client()
    answers = [save(client, writer="a", label=label) for label in range(8)]
    assert answers[0].status_code == 201
    assert_error(answers[-1], status, code)
    assert save(client, writer="a", label=0).status_code == 200
    assert client.post("/_get_digit", data=SEVEN).get_json()["digit"] == 7


def test_saving_can_be_switched_off(instance: Path) -> None:
    """With DIGITRE_SAVING=0 there is no route, and /healthz does not offer it."""
    client = create_app({"SAVING": False, "INSTANCE": instance}).test_client()
    assert "save" not in client.get("/healthz").get_json()["features"]
    assert_error(save(client), 404, "not_found")
    assert "/_save_drawing" not in client.get("/openapi.json").get_json()["paths"]


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_other_pages_cannot_save(instance: Path, client) -> None:
    """A page of another origin gets 403, even for a request like a form's, unless DIGITRE_CORS_ORIGINS
    lists it. The page itself, on any port, and scripts can save.
    """
    cross_site: list[dict[str, str]] = [
        {"Origin": "https://evil.example", "Sec-Fetch-Site": "cross-site"},
        {"Origin": "https://evil.example"},  # all that browsers send to a server without TLS
        {"Origin": "https://sub.localhost", "Sec-Fetch-Site": "same-site"},
        {"Origin": "null"},
        {"Origin": "http://[evil"},
        {"Sec-Fetch-Site": "cross-site"},
    ]
    body = json.dumps({"digit": SEVEN, "label": 7, "writer": "a"})
    for headers in cross_site:
        request = {"data": body, "content_type": "text/plain", "headers": headers}
        assert_error(client.post("/_save_drawing", **request), 403, "cross_site")
        assert_error(client.delete("/_save_drawing/" + "0" * 32, **request), 403, "cross_site")
    own: list[dict[str, str]] = [
        {"Origin": "https://digits.example.org", "Sec-Fetch-Site": "same-origin"},
        {"Origin": "http://localhost:8080"},
        {},
    ]
    for headers in own:
        assert client.post("/_save_drawing", data=body, headers=headers).status_code in (200, 201)
    friendly = create_app({"INSTANCE": instance, "CORS_ORIGINS": ["https://friend.example"]})
    friend = {"Origin": "https://friend.example", "Sec-Fetch-Site": "cross-site"}
    answer = friendly.test_client().post("/_save_drawing", data=body, headers=friend)
    assert answer.status_code == 200


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_a_secret_that_cannot_be_written_or_is_empty(
    client, instance: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both answer 503: a failed write leaves no file behind, and an empty secret signs nothing."""

    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, "no space left")

    with monkeypatch.context() as patched:
        patched.setattr(os, "fsync", full)
        unavailable(save(client))
    assert not list(instance.glob("secret*"))
    (instance / "secret").touch()
    unavailable(save(client))
    (instance / "secret").unlink()
    assert save(client).status_code == 201
    assert (instance / "secret").stat().st_mode & 0o777 == 0o600


def unavailable(response) -> None:
    assert_error(response, 503, "storage_unavailable")
    assert int(response.headers["Retry-After"]) > 0


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_a_locked_database(app, client, instance: Path, caplog) -> None:
    """While the database is locked, saving answers 503 and reading works; then saving works again.
    The log gives the reason, in a line without the drawing.
    """
    assert save(client).status_code == 201
    other = sqlite3.connect(instance / "drawings.sqlite3", isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    began = time.monotonic()
    unavailable(save(client, label=1))
    first = time.monotonic() - began
    assert caplog.messages == ["Cannot open the drawings database: database is locked"]
    assert client.post("/_get_digit", data=SEVEN).get_json()["digit"] == 7
    began = time.monotonic()
    unavailable(save(client, label=1))
    assert time.monotonic() - began < first / 2, "it waited as long as the first time"
    other.execute("ROLLBACK")
    other.close()
    assert save(client, label=1).status_code == 201


@pytest.mark.parametrize("database", ["postgresql"], indirect=True)
def test_a_host_that_vanishes_in_a_save(client, database: str) -> None:
    """If a host is cut off in the middle of a save, the others wait and then save."""
    assert save(client).status_code == 201
    vanished = Drawings(database)
    began = time.monotonic()
    with pytest.raises(UnavailableError), vanished.database.begin() as connection:  # noqa: PT012
        connection.execute(sa.text("SELECT pg_advisory_xact_lock(4712)"))
        assert save(client, label=3).status_code == 201
        assert time.monotonic() - began > 0.5, "it did not hold the lock"
        connection.execute(sa.text("SELECT 1"))


@pytest.mark.parametrize("database", ["postgresql"], indirect=True)
def test_a_save_that_stands_still_is_repeated(client, monkeypatch: pytest.MonkeyPatch) -> None:
    """If a process stands still in a save, the database ends its transaction, and it saves again."""
    assert save(client).status_code == 201
    count, stops = Drawings._saved_today, []

    def slow(self, *arguments) -> int:
        if not stops:
            stops.append(time.sleep(1.5))
        return count(self, *arguments)

    monkeypatch.setattr(Drawings, "_saved_today", slow)
    assert save(client, label=3, writer="a").status_code == 201
    assert stops


@pytest.mark.parametrize("database", ["postgresql"], indirect=True)
def test_saving_waits_for_the_tables(client, database: str) -> None:
    """While another process makes the tables, saving waits, even longer than a save may last."""
    other = sa.create_engine(database)
    with other.begin() as connection:
        connection.execute(sa.text("SELECT pg_advisory_xact_lock(4711)"))
        answers: list[int] = []
        saving = threading.Thread(target=lambda: answers.append(save(client).status_code))
        saving.start()
        saving.join(2.5)
        assert saving.is_alive()
    saving.join()
    assert answers == [201]


def test_an_unusable_database(tmp_path: Path) -> None:
    """If the folder, the file or the server is not usable, saving answers 503 and reading works."""
    (tmp_path / "file").write_text("not a folder")
    broken = tmp_path / "broken.sqlite3"
    broken.write_bytes(b"not a database at all" * 100)
    settings: list[dict] = [
        {"INSTANCE": tmp_path / "file" / "instance"},
        {"DATABASE_URL": f"sqlite:///{broken}", "SECRET": "x" * 16},
        {"DATABASE_URL": f"postgresql+psycopg://digitre@/none?host={tmp_path}", "SECRET": "x" * 16},
    ]
    for setting in settings:
        client = create_app({"TESTING": True} | setting).test_client()
        unavailable(save(client))
        assert client.post("/_get_digit", data=SEVEN).get_json()["digit"] == 7
    assert broken.read_bytes() == b"not a database at all" * 100


@pytest.fixture
def own_postgres() -> Iterator[tuple[str, Callable[[], list[int]]]]:
    """The URL of a PostgreSQL of its own, and a function that returns its processes."""
    bin = databases.programs()
    if bin is None:
        need("pg_ctl")
    assert bin is not None
    with databases.postgresql(bin) as url:
        folder = Path(sa.make_url(url).query["host"])  # type: ignore[arg-type]
        yield url, lambda: family(int((folder / "data" / "postmaster.pid").read_text().split()[0]))
        databases.close_all()


def family(process: int) -> list[int]:
    """A process and its children."""
    children = Path(f"/proc/{process}/task/{process}/children").read_text().split()
    return [process, *map(int, children)]


@pytest.mark.slow
def test_a_database_that_stands_still(own_postgres, tmp_path: Path) -> None:
    """One worker reads on while its PostgreSQL is stopped and many want to save. Each save gets its
    503, the later ones at once. When PostgreSQL goes on, saving works again.
    """
    url, processes = own_postgres
    options = {"WEB_CONCURRENCY": "1", "DIGITRE_INSTANCE": str(tmp_path / "instance")}
    options["DIGITRE_DATABASE_URL"] = url
    with gunicorn(tmp_path / "log", "--config", "deploy/gunicorn.conf.py", **options) as address:

        def post(path: str, body: bytes) -> tuple[int, float]:
            began = time.monotonic()
            try:
                with urllib.request.urlopen(f"{address}{path}", body, timeout=60) as answer:
                    return answer.status, time.monotonic() - began
            except urllib.error.HTTPError as answer:
                answer.close()
                return answer.code, time.monotonic() - began

        def save_as(writer: str) -> tuple[int, float]:
            body = {"digit": SEVEN, "label": 7, "writer": writer}
            return post("/_save_drawing", json.dumps(body).encode())

        assert save_as("before")[0] == 201
        stopped = processes()
        for process in stopped:
            os.kill(process, signal.SIGSTOP)
        try:
            with ThreadPoolExecutor(9) as pool:
                saves = [pool.submit(save_as, f"w{number}") for number in range(8)]
                readings = [pool.submit(post, "/_get_digit", SEVEN.encode()) for _ in range(8)]
                saved = [each.result() for each in saves]
                read = [each.result() for each in readings]
        finally:
            for process in stopped:
                os.kill(process, signal.SIGCONT)
        assert {status for status, _ in saved} == {503}
        assert {status for status, _ in read} == {200}
        # One wait for an answer and one for a new connection; all others wait for these two.
        assert max(seconds for _, seconds in saved + read) < 10
        end = time.monotonic() + 30
        while (status := save_as("after")[0]) != 201:
            assert status == 503
            assert time.monotonic() < end
            time.sleep(0.2)


@pytest.mark.slow
def test_no_drawing_is_lost_after_its_201(tmp_path: Path, database: str) -> None:
    """Workers are killed again and again under load: every drawing that got its 201 is there."""
    instance = tmp_path / "instance"
    acknowledged: set[str] = set()
    stop = threading.Event()
    options = {"WEB_CONCURRENCY": "2", "DIGITRE_INSTANCE": str(instance)}
    options["DIGITRE_DATABASE_URL"] = database
    log = tmp_path / "log"
    with gunicorn(
        log, "--config", "deploy/gunicorn.conf.py", DIGITRE_SAVES_A_DAY_PER_ADDRESS="0", **options
    ) as address:

        def write(number: int) -> None:
            sent = 0
            while not stop.is_set():
                sent += 1
                body = {"digit": SEVEN, "label": 7, "writer": f"w{number}-{sent}"}
                request = urllib.request.Request(
                    f"{address}/_save_drawing", data=json.dumps(body).encode()
                )
                try:
                    with urllib.request.urlopen(request, timeout=20) as answer:
                        if answer.status == 201:
                            acknowledged.add(json.load(answer)["id"])
                except (OSError, http.client.HTTPException, ValueError):
                    continue  # killed before the answer was complete

        threads = [threading.Thread(target=write, args=(number,)) for number in range(3)]
        for thread in threads:
            thread.start()
        killed = 0
        for _ in range(12):
            # Under load means: two more drawings are saved, even if this machine is slow now.
            enough, end = len(acknowledged) + 2, time.monotonic() + 20
            while len(acknowledged) < enough and time.monotonic() < end:
                stop.wait(0.02)
            for process in workers(log)[-2:]:
                try:
                    os.kill(process, signal.SIGKILL)
                    killed += 1
                except ProcessLookupError:
                    continue
                break
        stop.set()
        for thread in threads:
            thread.join(30)
    assert killed >= 6
    assert len(acknowledged) > 20
    collection = Drawings(database)
    missing = [id for id in acknowledged if collection.find(id) is None]
    assert not missing
    assert collection.count() >= len(acknowledged)

"""Any input gets a defined answer and leaves nothing behind."""

from __future__ import annotations

import os
import resource
import tempfile
import time
from pathlib import Path

import pytest
from bad_inputs import CASES, END, PAGE, SEVEN, jpeg_header, png_header, updated_page, webp_header
from conftest import assert_error

from digitre import create_app


def send(client, case):
    options = {"method": "POST", "path": "/_get_digit"} | case.options
    return client.open(options.pop("path"), data=case.body, **options)


@pytest.mark.parametrize("name", CASES)
def test_every_case_has_its_answer(client, name: str) -> None:
    """A case gets its reading, or its status and code in the one shape without the input in it."""
    case = CASES[name]
    started = time.process_time()  # of this process only, however busy the machine is
    response = send(client, case)
    assert time.process_time() - started < 5  # tests/web/test_costs.py has the real bounds
    if case.status != 200:
        assert_error(response, case.status, case.code)
        assert "@@@" not in response.get_data(as_text=True)
        return
    assert response.status_code == 200, response.get_data(as_text=True)
    answer = response.get_json()
    assert case.code in (answer["result"], answer["reason"])


def test_the_document_has_the_table() -> None:
    """docs/errors.md lists every case; `python tests/bad_inputs.py` regenerates it."""
    assert END in PAGE.read_text()
    assert PAGE.read_text() == updated_page()


@pytest.mark.parametrize("header", [png_header, jpeg_header, webp_header])
def test_a_bomb_is_refused_from_its_header(client, header) -> None:
    """Ten small files that would unpack to gigabytes cost less than 50 MB of memory."""
    client.post("/_get_digit", data=SEVEN)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for _ in range(10):
        assert_error(
            client.post("/_get_digit", data=header(16_000, 16_000)), 413, "picture_too_large"
        )
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 50_000  # kB


def test_nothing_is_left_behind(client, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No upload, good or bad, leaves a file or an open file handle."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    for _ in range(2):
        for case in CASES.values():
            send(client, case).close()
        handles = len(os.listdir("/proc/self/fd")) if os.path.isdir("/proc/self/fd") else 0
    before = handles
    for case in CASES.values():
        send(client, case).close()
    assert not list(tmp_path.iterdir())
    if before:
        assert len(os.listdir("/proc/self/fd")) <= before


@pytest.mark.parametrize(
    ("host", "status"), [("digits.example", 200), ("a.example.org", 200), ("evil.example", 400)]
)
def test_only_trusted_hosts_are_served(host: str, status: int) -> None:
    """DIGITRE_TRUSTED_HOSTS lists the hosts to serve; any other host is a 400."""
    app = create_app({"TRUSTED_HOSTS": ["digits.example", ".example.org"]})
    response = app.test_client().post("/_get_digit", data=SEVEN, headers={"Host": host})
    if status == 200:
        assert response.get_json()["digit"] == 7
    else:
        assert_error(response, 400, "bad_request")

"""Whatever is posted gets a defined answer, and leaves nothing behind."""

from __future__ import annotations

import os
import resource
import tempfile
import time
from pathlib import Path

import pytest
from bad_inputs import CASES, END, PAGE, SEVEN, in_page, jpeg_header, png_header, webp_header
from conftest import assert_error

from digitre import create_app


def ask(client, case):
    asked = {"method": "POST", "path": "/_get_digit"} | case.more
    return client.open(asked.pop("path"), data=case.body, **asked)


@pytest.mark.parametrize("name", CASES)
def test_every_case_has_its_answer(client, name: str) -> None:
    """Its status and code in the one shape, never a 500, never the input again; or a reading."""
    case = CASES[name]
    started = time.perf_counter()
    response = ask(client, case)
    assert time.perf_counter() - started < 5  # bounds proper are measured by `make soak`
    if case.status != 200:
        assert_error(response, case.status, case.code)
        assert "@@@" not in response.get_data(as_text=True)
        return
    assert response.status_code == 200, response.get_data(as_text=True)
    answer = response.get_json()
    assert case.code in (answer["result"], answer["reason"])


def test_the_document_has_the_table() -> None:
    """docs/errors.md lists every case: `python tests/bad_inputs.py` writes it anew."""
    assert END in PAGE.read_text()
    assert PAGE.read_text() == in_page()


@pytest.mark.parametrize("header", [png_header, jpeg_header, webp_header])
def test_a_bomb_is_refused_from_its_header(client, header) -> None:
    """A small file that would unpack to gigabytes costs no memory: under 50 MB, ten times over."""
    client.post("/_get_digit", data=SEVEN)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for _ in range(10):
        assert_error(
            client.post("/_get_digit", data=header(16_000, 16_000)), 413, "picture_too_large"
        )
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 50_000  # kB


def test_nothing_is_left_behind(client, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No upload, good or bad, leaves a file or an open handle."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    for _ in range(2):
        for case in CASES.values():
            ask(client, case).close()
        handles = len(os.listdir("/proc/self/fd")) if os.path.isdir("/proc/self/fd") else 0
    before = handles
    for case in CASES.values():
        ask(client, case).close()
    assert not list(tmp_path.iterdir())
    if before:
        assert len(os.listdir("/proc/self/fd")) <= before


@pytest.mark.parametrize(
    ("host", "status"), [("digits.example", 200), ("a.example.org", 200), ("evil.example", 400)]
)
def test_another_host_is_refused_where_hosts_are_named(host: str, status: int) -> None:
    """DIGITRE_TRUSTED_HOSTS names what is served; all else is a 400."""
    app = create_app({"TRUSTED_HOSTS": ["digits.example", ".example.org"]})
    response = app.test_client().post("/_get_digit", data=SEVEN, headers={"Host": host})
    if status == 200:
        assert response.get_json()["digit"] == 7
    else:
        assert_error(response, 400, "bad_request")

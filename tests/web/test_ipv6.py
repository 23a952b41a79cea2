"""Digitre at an IPv6 address."""

from __future__ import annotations

import os
import socket
import sys
import urllib.request
from pathlib import Path

import pytest
from conftest import ROOT, free_port, running


@pytest.mark.slow
def test_a_server_answers_on_ipv6_and_ipv4(tmp_path: Path, seven: bytes) -> None:
    """With DIGITRE_BIND=[::]:PORT both addresses of this machine answer, as docs/deployment.md says."""
    try:
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
    except OSError:
        pytest.skip("this machine has no IPv6")
    port = free_port()
    program = str(Path(sys.executable).with_name("gunicorn"))
    command = [program, "--config", "deploy/gunicorn.conf.py", "wsgi:app"]
    options = {"DIGITRE_BIND": f"[::]:{port}", "WEB_CONCURRENCY": "1"}
    options["DIGITRE_INSTANCE"] = str(tmp_path / "instance")
    with running(command, f"http://127.0.0.1:{port}", cwd=ROOT, env=os.environ | options):
        for host in ("[::1]", "127.0.0.1"):
            address = f"http://{host}:{port}/_get_digit"
            with urllib.request.urlopen(address, seven, timeout=20) as answer:
                assert b'"result":"7"' in answer.read()

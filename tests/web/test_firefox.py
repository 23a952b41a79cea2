"""The device's reader in a real Firefox: the same drawings as in Python."""

from __future__ import annotations

import json
import subprocess
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest
from conftest import ROOT, need
from test_device_reading import READ, by_hand, drawing

from digitre import Classifier
from digitre.recognition import packed

pytestmark = [pytest.mark.slow, pytest.mark.long]

PAGE = '<!doctype html><title>Read</title><script type="module" src="/run.js"></script>'
RUN = f"""const read = {READ.strip()};
const drawings = await (await fetch("/drawings")).json();
const found = [];
for (let k = 0; k < drawings.length; k += 20) {{
  found.push(...await read(["", "/network.bin", drawings.slice(k, k + 20)]));
}}
await fetch("/found", {{ method: "POST", body: JSON.stringify(found) }});
"""
DRAWINGS = 280


def test_firefox_reads_as_python_does(classifier: Classifier, tmp_path: Path) -> None:
    """Digits and other drawings, painted and read in Firefox, get the answers of Python."""
    firefox = need("firefox-esr")
    random, strokes = np.random.default_rng(8), by_hand()
    drawings = [drawing(next(strokes), random, k) for k in range(DRAWINGS)]
    files = {
        "/": ("text/html", PAGE.encode()),
        "/run.js": ("text/javascript", RUN.encode()),
        "/drawings": ("application/json", json.dumps(drawings).encode()),
        "/network.bin": (
            "application/octet-stream",
            packed.pack(classifier.path, classifier.model),
        ),
    }
    for file in (ROOT / "digitre" / "static").glob("*.js"):
        files[f"/{file.name}"] = ("text/javascript", file.read_bytes())
    found: list[dict] = []
    is_done = threading.Event()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            kind, content = files.get(self.path, ("text/plain", b""))
            self.send_response(200 if content else 404)
            self.send_header("Content-Type", kind)
            self.end_headers()
            self.wfile.write(content)

        def do_POST(self) -> None:
            found.extend(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.do_GET()
            is_done.set()

        def log_message(self, *arguments: object) -> None: ...

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        address = f"http://127.0.0.1:{server.server_port}/"
        command = [firefox, "--headless", "--no-remote", "--profile", str(tmp_path), address]
        process = subprocess.Popen(
            command,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env={"HOME": str(tmp_path), "PATH": "/usr/bin:/bin"},
        )
        try:
            assert is_done.wait(240)
        finally:
            process.terminate()
            process.wait(20)
            server.shutdown()
            thread.join()
    kept = [each for each in found if not each["answer"]["forServer"]]
    assert len(found) == DRAWINGS
    assert len(kept) >= 0.7 * DRAWINGS
    for each in kept:
        ours, theirs = each["answer"], classifier.read(each["png"])
        assert (ours["digit"], ours["reason"]) == (theirs.digit, theirs.reason)
        assert np.abs(np.array(ours["probabilities"]) - theirs.probabilities).max() < 0.1

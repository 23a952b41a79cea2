"""The npm package of `<digit-pad>`: what is in it, and that it works once installed."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from conftest import ROOT, need
from pages import follow
from strokes import DIGITS, smooth

import digitre

PAGE = """<!doctype html><title>A page</title>
<script type="module" src="node_modules/digit-pad/digit_pad.js"></script>
<form><digit-pad name="answer" length="1"></digit-pad></form>"""


@pytest.fixture
def package(tmp_path: Path) -> Path:
    target = tmp_path / "digit-pad"
    script = ROOT / "packages" / "digit-pad" / "pack.py"
    subprocess.run([sys.executable, str(script), str(target)], check=True, timeout=60)
    return target


def test_the_package_is_complete(package: Path) -> None:
    """It has the modules with types, the network, the licence and the notices, and this version."""
    description = json.loads((package / "package.json").read_text())
    assert description["version"] == digitre.__version__
    entries = description["exports"]["."], description["exports"]["./reader"]
    for file in (
        *entries[0].values(),
        *entries[1].values(),
        description["exports"]["./network.bin"],
    ):
        assert (package / file).is_file(), file
    for file in ("LICENSE", "NOTICE.md", "README.md"):
        assert (package / file).read_text()
    assert (package / "network.bin").stat().st_size < 650_000


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *arguments: object) -> None: ...


@pytest.mark.slow
@pytest.mark.long
def test_the_installed_package_reads(package: Path, tmp_path: Path, browser) -> None:
    """Packed by npm and installed from the tarball into a small page, it reads a seven."""
    npm = need("npm")
    options = {"check": True, "timeout": 120, "capture_output": True, "text": True}
    packed = subprocess.run([npm, "pack", "--silent", str(package)], cwd=tmp_path, **options)
    site = tmp_path / "site"
    site.mkdir()
    (site / "package.json").write_text('{"private": true}')
    (site / "index.html").write_text(PAGE)
    command = [npm, "install", "--silent", "--offline", str(tmp_path / packed.stdout.strip())]
    subprocess.run(command, cwd=site, **options)
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(site))) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            with browser.new_context() as context:
                tab = context.new_page()
                tab.goto(f"http://127.0.0.1:{server.server_port}/")
                box = tab.locator("digit-pad canvas").bounding_box()
                at = (box["x"] + 60, box["y"] + 5)
                follow(tab, [smooth(stroke) * 0.45 + at for stroke in DIGITS[7]])
                field = tab.locator("digit-pad input")
                for _ in range(400):
                    if field.input_value():
                        break
                    tab.wait_for_timeout(25)
                assert field.input_value() == "7"
        finally:
            server.shutdown()
            thread.join()

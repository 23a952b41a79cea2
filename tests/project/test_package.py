"""The npm package of `<digit-pad>`: what is in it, and that it works once installed."""

from __future__ import annotations

import gzip
import json
import runpy
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest
from conftest import ROOT, need
from pages import follow
from strokes import DIGITS, smooth

import digitre

PACK = ROOT / "packages" / "digit-pad" / "pack.py"
PAGE = """<!doctype html><title>A page</title>
<script type="module" src="node_modules/digit-pad/digit_pad.js"></script>
<form><digit-pad name="answer" length="1"></digit-pad></form>"""


@pytest.fixture
def package(tmp_path: Path) -> Path:
    target = tmp_path / "digit-pad"
    subprocess.run([sys.executable, str(PACK), str(target)], check=True, timeout=60)
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


def test_the_reader_is_small(package: Path) -> None:
    """The modules that read digits and numbers have at most 25 KB: as they are, joined and compressed, and in the
    package as they are loaded, each compressed.
    """
    source = ROOT / "digitre" / "static"
    names = sorted(runpy.run_path(str(PACK))["modules"](source, "digitre.js"))
    assert len(names) >= 8
    assert len(gzip.compress(b"".join((source / name).read_bytes() for name in names))) <= 25_000
    assert sum(len(gzip.compress((package / name).read_bytes())) for name in names) <= 25_000


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *arguments: object) -> None: ...


@contextmanager
def served(folder: Path) -> Iterator[str]:
    """The address of a static file server with this folder."""
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(folder))) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


@pytest.mark.slow
def test_the_packed_reader_reads(package: Path, browser) -> None:
    """From a static file server, without comments and blanks, it reads a drawing and a number."""
    (package / "index.html").write_text("<!doctype html><title>A page</title>")
    seven = [smooth(stroke) for stroke in DIGITS[7]]
    two = [smooth(stroke) + np.array([200, 0]) for stroke in DIGITS[2]]
    script = """async (strokes) => {
      const { Digitre } = await import("./digitre.js");
      const reader = await Digitre.load("./network.bin");
      return strokes.map((each) => reader.readNumber(each, { pen: 9 }).text);
    }"""
    with served(package) as address, browser.new_context() as context:
        tab = context.new_page()
        tab.goto(f"{address}/")
        numbers = [[line.tolist() for line in lines] for lines in (seven, [*seven, *two])]
        assert tab.evaluate(script, numbers) == ["7", "72"]


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
    with served(site) as address, browser.new_context() as context:
        tab = context.new_page()
        tab.goto(f"{address}/")
        box = tab.locator("digit-pad canvas").bounding_box()
        at = (box["x"] + 60, box["y"] + 5)
        follow(tab, [smooth(stroke) * 0.45 + at for stroke in DIGITS[7]])
        field = tab.locator("digit-pad input")
        for _ in range(400):
            if field.input_value():
                break
            tab.wait_for_timeout(25)
        assert field.input_value() == "7"

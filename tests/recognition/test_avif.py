"""An AVIF is unpacked in a process of its own, which may take only so much time and memory."""

from __future__ import annotations

import contextlib
import os
import resource
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from costly import INK, larger_than_it_says, saved
from PIL import ExifTags, Image

from digitre.recognition import avif
from digitre.recognition.decoding import FULL_SIZE, PictureError, open_picture

PAPER = Image.fromarray(255 - INK)


def refused(file: bytes) -> str:
    with pytest.raises(PictureError) as raised:
        open_picture(file)
    return raised.value.code


def test_a_large_one_is_reduced() -> None:
    """What comes back is averaged down, and still tells how large the file is."""
    image = open_picture(saved(PAPER.resize((2000, 1600)), "AVIF", speed=10))
    assert image.size == (1000, 800)
    assert image.info[FULL_SIZE] == (2000, 1600)


def test_only_a_little_camera_data_is_looked_at() -> None:
    """The orientation counts; in more than 64 KB of camera data nobody looks for it."""
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = 6
    assert open_picture(saved(PAPER.crop((0, 0, 200, 100)), "AVIF", exif=exif)).size == (100, 200)
    exif[ExifTags.Base.MakerNote] = bytes(70_000)
    assert open_picture(saved(PAPER.crop((0, 0, 200, 100)), "AVIF", exif=exif)).size == (200, 100)


def test_one_that_names_too_many_pixels_is_refused_by_its_header(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """No process is started for it."""
    file = saved(Image.new("L", (3000, 3000), 255), "AVIF", speed=10)
    monkeypatch.setattr(subprocess, "run", None)
    assert refused(file) == "picture_too_large"


def test_one_that_is_larger_than_it_says_takes_no_more() -> None:
    """A picture of 36 megapixels below a header of 256 pixels takes no more than any other."""
    file = larger_than_it_says()
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    with contextlib.suppress(PictureError):
        assert open_picture(file).size == (16, 16)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime < 2 * avif.SECONDS


def changed(monkeypatch: pytest.MonkeyPatch, old: str, new: str, tmp_path: Path) -> None:
    """The process runs a copy of the file with one line changed."""
    source = Path(avif.__file__).read_text()
    assert source.count(old) == 1
    copy = tmp_path / "avif.py"
    copy.write_text(source.replace(old, new))
    monkeypatch.setattr(avif, "__file__", str(copy))


@pytest.mark.parametrize(
    ("old", "new", "code"),
    [
        ("image.load()\n", "while True: pass\n", "picture_too_large"),
        ("image.load()\n", "bytes(300_000_000)\n", "not_a_picture"),
        ("    _limit()\n", "    raise OSError\n", "unsupported_format"),
        ("not AvifImagePlugin.SUPPORTED", "AvifImagePlugin.SUPPORTED", "unsupported_format"),
    ],
    ids=["endless", "hungry", "no limit", "no decoder"],
)
def test_what_the_system_ends(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, old: str, new: str, code: str
) -> None:
    """A decoder that never ends, or wants more memory, is ended; where none can be limited, none is used."""
    changed(monkeypatch, old, new, tmp_path)
    assert refused(saved(PAPER, "AVIF")) == code


def test_one_that_waits_is_ended(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """It is ended by the clock if it takes no processor time."""
    changed(monkeypatch, "image.load()\n", "import time; time.sleep(60)\n", tmp_path)
    monkeypatch.setattr(avif, "LONGEST", 1.0)
    assert refused(saved(PAPER, "AVIF")) == "picture_too_large"


@pytest.mark.parametrize("program", ["", "/nowhere/python"])
def test_without_a_python_to_start(monkeypatch: pytest.MonkeyPatch, program: str) -> None:
    """In a program that brings its own Python there is none to start: other formats are named."""
    monkeypatch.setattr(sys, "executable", program)
    with pytest.raises(PictureError, match="save the picture as PNG or JPEG") as raised:
        open_picture(saved(PAPER, "AVIF"))
    assert raised.value.code == "unsupported_format"


def test_the_settings_of_the_environment_do_not_matter(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The process does not import what lies in the current folder, or in one that PYTHONPATH names."""
    (tmp_path / "PIL.py").write_text("raise SystemExit(9)")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setitem(os.environ, "PYTHONPATH", str(tmp_path))
    assert open_picture(saved(PAPER, "AVIF")).size == PAPER.size


@pytest.mark.parametrize("seed", range(20))
def test_damaged_ones_raise_nothing_else(seed: int) -> None:
    """Damaged bytes raise a PictureError, and no other error."""

    random = np.random.default_rng(seed)
    file = bytearray(saved(PAPER, "AVIF"))
    for place in random.integers(0, len(file), 3):
        file[place] = random.integers(256)
    with contextlib.suppress(PictureError):
        open_picture(bytes(file))


def test_what_it_takes_is_counted() -> None:
    """The time of the processes counts as the time of the thread: a request with many pictures ends in time."""
    file = saved(PAPER.resize((2000, 1600)), "AVIF", speed=10)
    before = avif.thread_time() - time.thread_time()
    used = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime
    open_picture(file)
    counted = avif.thread_time() - time.thread_time() - before
    took = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime - used
    assert took / 2 < counted < avif.SECONDS

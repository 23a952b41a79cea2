"""A short run of the fuzzer, so that its script keeps working: `make fuzz` is the long one."""

from __future__ import annotations

import importlib.util
import subprocess
import sys

import pytest
from conftest import ROOT

pytestmark = pytest.mark.slow


@pytest.mark.skipif(
    importlib.util.find_spec("atheris") is None, reason="Atheris is not installed for this Python"
)
def test_only_picture_errors_are_raised() -> None:
    """Each of thousands of broken pictures and texts is read, or refused with a PictureError."""
    done = subprocess.run(
        # Started by a shell that forks, or the memory of the tests' own process would count as the fuzzer's.
        [
            "sh",
            "-c",
            '"$@"; exit $?',
            "sh",
            sys.executable,
            "tests/fuzz_preprocess.py",
            "-runs=20000",
            "-seed=7",
            "-max_total_time=30",
        ],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-3000:]
    assert "Done" in done.stderr


def test_the_corpus_is_small() -> None:
    """The fuzzer's first inputs are 10 to 50 files of less than 10 kB together."""
    files = list((ROOT / "tests" / "corpus").iterdir())
    assert 10 <= len(files) < 50
    assert sum(file.stat().st_size for file in files) < 10_000

"""A short run of the fuzzer, so that its harness keeps working: `make fuzz` is the long one."""

from __future__ import annotations

import importlib.util
import subprocess
import sys

import pytest
from conftest import ROOT

pytestmark = pytest.mark.slow


@pytest.mark.skipif(
    importlib.util.find_spec("atheris") is None, reason="Atheris is not built for this Python"
)
def test_nothing_but_our_own_error_comes_out() -> None:
    """Thousands of broken pictures and texts: each is read, or refused by a PictureError."""
    done = subprocess.run(
        # By a shell that forks: what the tests' own process holds would count as the fuzzer's memory.
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
    """A few hundred bytes a file."""
    files = list((ROOT / "tests" / "corpus").iterdir())
    assert 10 <= len(files) < 50
    assert sum(file.stat().st_size for file in files) < 10_000

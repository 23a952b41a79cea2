"""With CI=true no test is skipped unseen."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from conftest import ROOT

TESTS = """
import pytest

def test_of_a_program(): pytest.skip("a program is not installed")

@pytest.mark.skipif(True, reason="not on this machine")
def test_of_a_machine(): pass

def test_of_the_data(): pytest.skip("DIGITRE_DATA is not set to a folder")
"""


def test_a_skipped_test_fails_in_ci(tmp_path: Path) -> None:
    """With CI=true a skipped test fails; only the training data may be missing."""
    (tmp_path / "test_some.py").write_text(TESTS)
    command = [sys.executable, "-m", "pytest", "-q", "-p", "skips", "-p", "no:cacheprovider"]
    environment = os.environ | {"CI": "true", "PYTHONPATH": str(ROOT / "tests")}
    environment["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
    done = subprocess.run(
        [*command, "--rootdir", tmp_path, tmp_path / "test_some.py"],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
    )
    assert "1 failed, 1 skipped, 1 error" in done.stdout, done.stdout + done.stderr
    assert "skipped, with CI=true: a program is not installed" in done.stdout

"""The benchmarks still run: one short round of each."""

from __future__ import annotations

import subprocess
import sys

import pytest
from conftest import ROOT, need

pytestmark = pytest.mark.slow


@pytest.mark.long
@pytest.mark.alone
@pytest.mark.timeout(600)
def test_a_short_round() -> None:
    """Every part prints its figures and checks every answer; no file is written."""
    need("wrk")
    results = ROOT / "benchmarks" / "results.json"
    before = results.read_bytes()
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.run", "--short"],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    for part in (
        "Digitre over decoding alone, a canvas",
        "Digitre over nothing, from its page",
        "Digitre over Keras predict",
        "p99 over p50",
        "MB of a worker after",
        "s later than the application that does nothing",
        "two workers over one, without wrk's processor time",
        "decoding and preprocessing over decoding, 1000 px",
        "one by one over many at once",
        "many at once over TensorFlow's predict",
        "s that `import digitre` takes longer",
        "MB installed to serve, all of them",
    ):
        assert part in done.stdout, part
    assert results.read_bytes() == before


@pytest.mark.parametrize(
    ("command", "parts"),
    [
        (["workers", "--short"], ["sync, one per core (shipped)", "4 threads, kept alive"]),
        (["pieces"], ["finding the ink", "headers and the rest"]),
    ],
)
def test_the_smaller_ones(command: list[str], parts: list[str]) -> None:
    """They run to their end and print their tables."""
    need("wrk")
    need("nginx")
    _assert_prints(command, parts)


@pytest.mark.usefixtures("real_data")
def test_what_finding_the_writing_costs() -> None:
    """It runs to its end and prints its table."""
    _assert_prints(["search", "1"], ["ms of processor time", "all scenes"])


def _assert_prints(command: list[str], parts: list[str]) -> None:
    done = subprocess.run(
        [sys.executable, "-m", f"benchmarks.{command[0]}", *command[1:]],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    assert all(part in done.stdout for part in parts)

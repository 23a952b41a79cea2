"""SECURITY.md: what is promised is tested where it says."""

from __future__ import annotations

import re

from conftest import ROOT

PAGE = (ROOT / "SECURITY.md").read_text()


def test_every_promise_names_its_tests() -> None:
    """Each row of the threat model names tests that exist, in the files that it names."""
    rows = [line.split(" | ") for line in PAGE.splitlines() if line.startswith("| ")][2:]
    assert len(rows) > 10
    for row in rows:
        found = re.findall(r"`([\w/]+\.py)`|`(test_\w+)`", row[-1])
        assert len(row) == 4, row
        assert any(test for _, test in found), row
        text = ""
        for file, test in found:
            text = (ROOT / "tests" / file).read_text() if file else text
            assert file or f"def {test}(" in text, test

"""With CI=true a skipped test fails: there, everything that a test needs must be installed."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

NO_DATA = "DIGITRE_DATA is not set to a folder"  # the data is not part of the repository
NO_MACHINE = "another machine cannot be started here"  # most containers do not allow it


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo) -> Iterator:
    """Turn a skip into a failure, unless the test needs something that cannot be installed."""
    report = yield
    if os.environ.get("CI") == "true" and report.skipped and not hasattr(report, "wasxfail"):
        reason = str(call.excinfo.value) if call.excinfo else "skipped"
        if reason != NO_DATA and not reason.startswith(NO_MACHINE):
            report.outcome, report.longrepr = "failed", f"skipped, with CI=true: {reason}"
    return report

"""What a training leaves beside its network: the card, the report's pictures, the page."""

from __future__ import annotations

import importlib.metadata
import json
import platform
import shlex
import sys
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from digitre import files
from digitre.recognition.classifier import Classifier, shipped_model
from digitre.training.data import datasets
from digitre.training.evaluation import report
from digitre.training.reporting import card

if TYPE_CHECKING:
    from digitre.training import fit

MODELS = shipped_model().parent  # the shipped network's folder
DOCS = MODELS.parent / "docs"  # its page, where this is a checkout


def describe(
    classifier: Classifier,
    network: Any,
    settings: fit.Settings,
    history: list[dict[str, float]],
    calibration: dict[str, float],
    before: dict[str, Any] | None = None,
) -> dict[str, Any]:
    """The card of a network that was just trained, but for what it reaches.

    `before` is the card of the network that it went on from.
    """
    from digitre.training import export

    return {
        "model": classifier.model,
        "made": datetime.now(UTC).isoformat(timespec="seconds"),
        "command": shlex.join(
            ["python", "train.py", *(word for word in sys.argv[1:] if word != "--resume")]
        ),
        "settings": asdict(settings),
        "layers": export.layers(network),
        "calibration": calibration,
        "data": {"files": datasets.hashes(), "split": datasets.split()},
        "versions": versions(),
        "history": [*(before or {}).get("history", []), *history],
        "before": [*before.get("before", []), _begun(before)] if before else [],
    }


def _begun(before: dict[str, Any]) -> dict[str, Any]:
    """How the network that a training goes on from was trained."""
    return {name: before[name] for name in ("model", "made", "command", "settings")}


def draw_report(classifier: Classifier, described: dict, output: Path) -> None:
    """The report's pictures, where matplotlib is there to draw them."""
    try:
        from digitre.training.reporting import plots
    except ImportError:
        print("no pictures of the report: matplotlib is not installed", file=sys.stderr)
        return
    plots.write(classifier, described["history"], output / "report")
    described["pictures"] = sorted(card.PICTURES)


def write_report(classifier: Classifier, output: Path) -> dict[str, dict[str, float]]:
    """Measure a folder's network again, and write its card, pictures and page anew."""
    described = classifier.card()
    if described is None:
        sys.exit(f"{output} has no card of {classifier.model}")
    described["figures"] = report.evaluate(classifier)
    draw_report(classifier, described, output)
    files.write_json(output / "digitre.json", described)
    if output == MODELS:
        write_page()
    return described["figures"]


def write_page() -> None:
    """Make docs/model.md from the shipped network's card and docs/model-notes.md."""
    if not DOCS.is_dir():
        return  # installed, and not a checkout
    described = json.loads((MODELS / "digitre.json").read_text())
    notes = (DOCS / "model-notes.md").read_text()
    (DOCS / "model.md").write_text(card.as_markdown(described, notes))


def versions() -> dict[str, str]:
    names = ("keras", "tensorflow", "tensorflow-cpu", "ai-edge-litert", "numpy", "scipy", "pillow")
    found = {"python": platform.python_version()}
    for name in names:
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    return found

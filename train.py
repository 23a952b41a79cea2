"""Train the network that Digitre serves, or measure it.

    DIGITRE_DATA=/path/to/data python train.py

trains it from nothing on two processor cores in about an hour, and ends with the table of what it
reaches on drawings that it has not seen. Expect on MNIST's test set some 99.6 % read right, and on
drawings of other people 98.7 to 99.3 %; `models/digitre.json` has the shipped network's
figures. Without DIGITRE_DATA it trains on MNIST alone, and says which sets are missing.

    python train.py --evaluate                    measure the network in models/
    python train.py --evaluate --target-accuracy 99.3     and fail where MNIST test is below
    python train.py --resume                      go on where a training was stopped
    python train.py --share 0.1 --epochs 3        a trial of a few minutes, kept in training/
    python train.py --images DIR                  learn your own pictures too, kept in training/
    python train.py --report                      measure models/ again, and draw its report

Nothing in `models/` changes before a training has come to its end. Another backend of Keras
trains as well, as in KERAS_BACKEND=torch; the LiteRT file is always made by TensorFlow.
"""

from __future__ import annotations

import argparse
import importlib.metadata
import json
import os
import platform
import shlex
import sys
from dataclasses import asdict, replace
from datetime import UTC, datetime
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import numpy as np

from digitre.classifier import Classifier
from digitre.training import card, data, report

HERE = Path(__file__).resolve().parent
WORK = HERE / "training"  # where the state of a training under way is kept


def main(arguments: list[str] | None = None) -> int:
    options = parse(arguments)
    if options.page:
        write_page()
        return 0
    for line in data.missing():
        print(f"missing: {line}", file=sys.stderr)
    output = Path(options.output or (HERE / "models"))
    if options.evaluate:
        figures = report.evaluate(Classifier(output / "digitre.tflite"))
    elif options.report:
        figures = write_report(output)
    else:
        figures = train(options, output)
    print(json.dumps(figures, indent=1) if options.json else report.as_text(figures))
    reached = figures["MNIST test, preprocessed"]["right"]
    if options.target_accuracy is not None and reached < options.target_accuracy:
        print(f"MNIST test: {reached:.2f} %, below {options.target_accuracy} %", file=sys.stderr)
        return 1
    return 0


def parse(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--epochs", type=int, help="passes over the data")
    parser.add_argument("--batch", type=int, help="pictures a step")
    parser.add_argument("--learning-rate", type=float, help="at its height")
    parser.add_argument("--seed", type=int, help="what all random numbers begin from")
    parser.add_argument("--share", type=float, help="part of each epoch's data, for a trial")
    parser.add_argument("--resume", action="store_true", help="go on with a stopped training")
    parser.add_argument(
        "--output", help="where the network goes (models/, or training/ for a trial)"
    )
    parser.add_argument(
        "--work", default=WORK, type=Path, help="where the state is kept (training/)"
    )
    parser.add_argument("--page", action="store_true", help="make docs/model.md anew, no more")
    parser.add_argument(
        "--report", action="store_true", help="measure the network in models/, write its card anew"
    )
    parser.add_argument(
        "--images", type=Path, metavar="DIR", help="train on pictures sorted into folders 0 to 9"
    )
    parser.add_argument("--evaluate", action="store_true", help="measure, train nothing")
    parser.add_argument("--json", action="store_true", help="the figures as JSON")
    parser.add_argument(
        "--target-accuracy", type=float, metavar="PERCENT", help="fail where MNIST test is below"
    )
    options = parser.parse_args(arguments)
    if options.share is not None and not 0 < options.share <= 1:
        parser.error("--share must be over 0 and at most 1")
    for name in ("epochs", "batch", "learning_rate"):
        value = getattr(options, name)
        if value is not None and value <= 0:
            parser.error(f"--{name.replace('_', '-')} must be over 0")
    return options


def train(options: argparse.Namespace, output: Path) -> dict[str, dict[str, float]]:
    """Train, calibrate, export, measure, and write the card; returns the figures."""
    from digitre.training import fit

    named = ("epochs", "batch", "learning_rate", "seed", "share")
    settings = fit.Settings(
        **{name: getattr(options, name) for name in named if getattr(options, name) is not None}
    )
    if options.images:
        settings = replace(settings, images=str(options.images.resolve()))
        own = sorted_pictures(options.images)
    if not options.output and (settings.share < 1 or data.missing() or options.images):
        # What has not seen all of the data, or more, never replaces the shipped network.
        output = options.work
        print(f"the network will be in {output}", file=sys.stderr)
    output.mkdir(parents=True, exist_ok=True)
    try:
        network, history = fit.train(settings, options.work, resume=options.resume)
    except KeyboardInterrupt:
        sys.exit("\nstopped; every finished epoch is kept: go on with --resume")
    except ValueError as error:
        sys.exit(str(error))
    calibration = fit.calibrate(network)
    fit.save(network, output)
    classifier = Classifier(output / "digitre.tflite")
    figures = report.evaluate(classifier)
    if options.images:
        figures["your pictures, a tenth held back"] = report.measured(classifier, *own)
    described = {
        "model": classifier.model,
        "made": datetime.now(UTC).isoformat(timespec="seconds"),
        "command": shlex.join(
            ["python", "train.py", *(word for word in sys.argv[1:] if word != "--resume")]
        ),
        "settings": asdict(settings),
        "layers": fit.layers(network),
        "calibration": calibration,
        "data": {"files": data.hashes(), "split": data.split()},
        "versions": versions(),
        "history": history,
        "figures": figures,
    }
    draw_report(classifier, described, output)
    fit.write_json(output / "digitre.json", described)
    if output == HERE / "models":
        write_page()
    return figures


def draw_report(classifier: Classifier, described: dict, output: Path) -> None:
    """The report's pictures, where matplotlib is there to draw them."""
    try:
        from digitre.training import pictures
    except ImportError:
        print("no pictures of the report: matplotlib is not installed", file=sys.stderr)
        return
    pictures.write(classifier, described["history"], output / "report")
    described["pictures"] = sorted(card.PICTURES)


def write_report(output: Path) -> dict[str, dict[str, float]]:
    """Measure the network in a folder again, and write its card, pictures and page anew."""
    from digitre.training import fit

    classifier = Classifier(output / "digitre.tflite")
    described = classifier.card()
    if described is None:
        sys.exit(f"{output} has no card of {classifier.model}")
    described["figures"] = report.evaluate(classifier)
    draw_report(classifier, described, output)
    fit.write_json(output / "digitre.json", described)
    if output == HERE / "models":
        write_page()
    return described["figures"]


def sorted_pictures(folder: Path) -> tuple[np.ndarray, np.ndarray]:
    """The held back tenth of somebody's own pictures; says which files cannot be read."""
    try:
        pictures, labels, unread = data.sorted_pictures(folder, "test")
        learned, _, unread_too = data.sorted_pictures(folder, "train")
    except (OSError, ValueError) as error:
        sys.exit(str(error))
    for file in unread + unread_too:
        print(f"not a picture, or blank: {file}", file=sys.stderr)
    if not len(learned):
        sys.exit(f"{folder} has no picture to learn from")
    if not len(labels):
        sys.exit(f"{folder} has too few pictures: a tenth of them is held back to measure on")
    print(f"{len(learned)} pictures to learn from, {len(labels)} held back", file=sys.stderr)
    return pictures, labels


def write_page() -> None:
    """Make docs/model.md from the shipped network's card and docs/model-notes.md."""
    described = json.loads((HERE / "models" / "digitre.json").read_text())
    notes = (HERE / "docs" / "model-notes.md").read_text()
    (HERE / "docs" / "model.md").write_text(card.as_markdown(described, notes))


def versions() -> dict[str, str]:
    names = ("keras", "tensorflow", "tensorflow-cpu", "ai-edge-litert", "numpy", "scipy", "pillow")
    found = {"python": platform.python_version()}
    for name in names:
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    return found


if __name__ == "__main__":
    sys.exit(main())

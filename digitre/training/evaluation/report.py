"""What a network reaches: every figure of the card, through `Classifier` as it is served."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from digitre.recognition.classifier import Classifier, is_refused
from digitre.training.data import datasets
from digitre.training.data.datasets import NO_DIGIT
from digitre.training.evaluation import latency, robustness, sets
from digitre.training.evaluation.sets import Pictures

BINS = 15  # of equal mass, for the calibration error


def evaluate(classifier: Classifier) -> dict[str, dict[str, float]]:
    """Measure on the test parts and on drawings of nobody's split.

    Returns:
        per set: `pictures`, then for digits `right` (per cent whose most probable digit is the
        label, refused or not), `refused` (per cent under the threshold) and `calibration_error`
        (per cent); for what is no digit `refused` alone; then what `steadiness` and `cost` say.
        Sets whose data is missing are left out.
    """
    figures = on_test_parts(classifier)
    figures |= robustness.measured(classifier)
    trained = classifier.path.with_suffix(".keras")
    if trained.exists():
        figures |= latency.agreement(classifier, trained)
    return figures | latency.against_2017(classifier)


def on_test_parts(classifier: Classifier) -> dict[str, dict[str, float]]:
    """The figures of `evaluate` without steadiness and cost."""
    return {
        name: measured(classifier, pictures, labels)
        for name, (pictures, labels) in test_sets()
        if len(labels)
    }


def test_sets() -> Iterator[tuple[str, Pictures]]:
    """The sets of the report, one at a time: (n, 28, 28) uint8 preprocessed pictures, labels."""
    x, y = datasets.mnist("test")
    yield "MNIST test, pixels as they are", (x, y)
    yield "MNIST test, preprocessed", (np.array([sets.as_shown(picture) for picture in x]), y)
    pen = datasets.pen_digits("test")
    for name, view in sets.VIEWS.items():
        yield f"drawn by test writers, {name}", sets.shaped(pen, view)
    yield "UNIPEN digits of test sites", sets.shaped(datasets.unipen_digits("test"), sets.central)
    yield "scikit-learn's load_digits", small_digits()
    others = datasets.unipen_others("test")
    yield "no digit: letters and signs of test sites", sets.shaped(others, sets.central)
    yield "no digit: symbols of test classes", sets.symbols("test")
    yield "no digit: scribbles and shapes", sets.invented(seed=11)
    yield "no digit: two of test writers' side by side", sets.pairs("test")


def small_digits() -> Pictures:
    """scikit-learn's 1,797 digits of 8 x 8 pixels, none where it is not installed."""
    try:
        from sklearn.datasets import load_digits
    except ImportError:
        return np.zeros((0, 28, 28), np.uint8), np.zeros(0, np.int64)
    digits = load_digits()
    pictures = [
        sets.as_shown(np.rint(image * (255 / 16)).astype(np.uint8)) for image in digits.images
    ]
    return np.array(pictures), digits.target


def measured(classifier: Classifier, pictures: np.ndarray, labels: np.ndarray) -> dict[str, float]:
    """The figures of one set, in per cent."""
    rows = classifier.classify(pictures[..., None].astype(np.float32) / 255)
    share = 100 * float(is_refused(rows.max(1)).mean())
    if (labels == NO_DIGIT).all():
        return {"pictures": len(labels), "refused": share}
    right = rows.argmax(1) == labels
    return {
        "pictures": len(labels),
        "right": 100 * float(right.mean()),
        "refused": share,
        "calibration_error": 100 * calibration_error(rows.max(1), right),
    }


def calibration_error(confidence: np.ndarray, right: np.ndarray) -> float:
    """Expected calibration error over bins of equal mass (Naeini et al. 2015; Nguyen, O'Connor)."""
    order = np.argsort(confidence, kind="stable")
    return sum(
        len(part) / len(order) * abs(float(confidence[part].mean()) - float(right[part].mean()))
        for part in np.array_split(order, BINS)
        if len(part)
    )


COLUMNS = ("right", "refused", "calibration_error", "same")


def as_text(figures: dict[str, dict[str, float]]) -> str:
    """The figures as a table to read."""
    width = max(map(len, figures))
    head = ["pictures", *(name.replace("_", " ") for name in COLUMNS)]
    lines = ["  ".join([" " * width, *head])]
    for name, row in figures.items():
        cells = [f"{name:{width}}", f"{row['pictures']:8.0f}" if "pictures" in row else " " * 8]
        for column, title in zip(COLUMNS, head[1:], strict=True):
            cells.append(f"{row[column]:{len(title)}.2f}" if column in row else " " * len(title))
        cells += [f"{key} {row[key]:.3g}" for key in row if key not in ("pictures", *COLUMNS)]
        lines.append("  ".join(cells).rstrip())
    return "\n".join(lines)

"""Measure everything that the report and the card of a network say."""

from __future__ import annotations

from digitre.recognition.card import Figure, Figures
from digitre.recognition.classifier import Classifier
from digitre.training.evaluation import latency, metrics, numbers, robustness, sets
from digitre.training.evaluation.scenes import figures as scenes


def evaluate(classifier: Classifier, scene_pictures: int = 0) -> Figures:
    """Measure a network on the test sets, in scenes, its robustness, its export and its speed.

    It is measured as it is served, by `Classifier` and LiteRT. Sets whose data is missing are left
    out, and the comparison with Keras if there is no Keras file next to the network.

    Args:
        classifier: the network.
        scene_pictures: pictures of each set of scenes. 200 take a quarter of an hour on two cores, so
            scenes are only measured for a network that may be shipped, or if somebody asks for them.
    """
    figures = [*on_test_parts(classifier), *robustness.measure(classifier)]
    figures += numbers.measure(classifier, "test")
    if scene_pictures:
        figures += scenes.measure(classifier, "test", count=scene_pictures)
    keras_file = classifier.path.with_suffix(".keras")
    if keras_file.exists():
        figures += latency.compare_with_keras(classifier, keras_file)
    figures += latency.compare_with_2017(classifier)
    return Figures(tuple(figures))


def on_test_parts(classifier: Classifier) -> Figures:
    """Measure a network on the test sets only: see `metrics.measure`."""
    figures: list[Figure] = []
    for set_id, (pictures, labels) in sets.test_sets():
        figures += metrics.measure(classifier, set_id, pictures, labels)
    return Figures(tuple(figures))


COLUMNS = ("accuracy", "refused", "calibration_error", "agreement")


def as_text(figures: Figures) -> str:
    """The figures as a table for a terminal."""
    titles = [sets.title(set_id) for set_id in figures.sets()]
    width = max(map(len, titles), default=0)
    columns = {name: name.replace("_", " ") for name in COLUMNS}
    lines = ["  ".join([" " * width, f"{'count':>8}", *columns.values()])]
    for set_id, title in zip(figures.sets(), titles, strict=True):
        row = figures.of(set_id)
        count = f"{row['count']:8.0f}" if "count" in row else " " * 8
        cells = [f"{title:{width}}", count]
        for name, head in columns.items():
            cells.append(f"{row[name]:{len(head)}.2f}" if name in row else " " * len(head))
        cells += [
            f"{name.replace('_', ' ')} {row[name]:.3g}"
            for name in row
            if name not in ("count", *COLUMNS)
        ]
        lines.append("  ".join(cells).rstrip())
    return "\n".join(lines)

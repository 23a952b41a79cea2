"""Measure everything that the report and the card of a network say."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from digitre.recognition.card import Figure, Figures
from digitre.recognition.classifier import Classifier
from digitre.training.evaluation import (
    agreement,
    latency,
    metrics,
    number_scenes,
    numbers,
    robustness,
    sets,
)
from digitre.training.evaluation.scenes import figures as scenes

if TYPE_CHECKING:
    import keras


def evaluate(classifier: Classifier, scene_pictures: int = 0) -> Figures:
    """Measure a network on the test sets, in scenes, its robustness, its export and its speed.

    It is measured as it is served, by `Classifier` and LiteRT. Sets whose data is missing are left
    out, and the comparison with Keras if there is no Keras file next to the network. If it has weights
    in eight bits, that comparison is of all test sets: see `agreement`.

    Args:
        classifier: the network.
        scene_pictures: pictures of each set of scenes. 200 take a quarter of an hour on two cores, so
            scenes are only measured for a network that may be shipped, or if somebody asks for them.
    """
    keras_file = classifier.path.with_suffix(".keras")
    has_eight_bits = agreement.has_eight_bits(classifier)
    trained = _load(keras_file) if has_eight_bits and keras_file.exists() else None
    figures = [*on_test_parts(classifier, trained), *robustness.measure(classifier)]
    figures += numbers.measure(classifier, "test")
    if scene_pictures:
        figures += scenes.measure(classifier, "test", count=scene_pictures)
        count = max(1, scene_pictures // 10)  # a number may lie in each of all the scenes
        figures += number_scenes.measure(classifier, "test", count=count)
    if keras_file.exists() and not has_eight_bits:
        figures += latency.compare_with_keras(classifier, keras_file)
    figures += latency.compare_with_2017(classifier)
    return Figures(tuple(figures))


def _load(keras_file: Path) -> keras.Model:
    import keras

    return keras.models.load_model(keras_file, compile=False)


def on_test_parts(classifier: Classifier, trained: keras.Model | None = None) -> Figures:
    """Measure a network on the test sets only: see `metrics.measure`.

    Args:
        classifier: the network.
        trained: the network in Keras, to compare with it on the same sets (see `agreement`).
    """
    figures: list[Figure] = []
    rows = []
    for set_id, (pictures, labels) in sets.test_sets().items():
        batch = sets.as_batch(pictures)
        served = classifier.classify(batch)
        figures += metrics.describe(set_id, served, labels)
        if trained is not None:
            expected = agreement.predict(trained, batch)
            rows.append(agreement.compare(set_id, expected, served, labels))
    if rows:
        figures += agreement.figures(rows)
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

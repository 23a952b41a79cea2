"""What the served file costs next to the network of 2017, and whether it agrees with Keras."""

from __future__ import annotations

import tempfile
import time
from pathlib import Path

import numpy as np

from digitre.recognition.card import Figure
from digitre.recognition.classifier import Classifier
from digitre.training.data import datasets
from digitre.training.evaluation.metrics import digit_probabilities
from digitre.training.evaluation.sets import as_batch

ROUNDS = 7  # the networks take turns, so that other work on the machine slows both
READINGS = 300  # per round


def compare_with_keras(classifier: Classifier, keras_file: Path) -> list[Figure]:
    """Compare the served file with the trained one on MNIST's test set.

    Returns:
        `count`, `agreement` (per cent with the same digit) and `max_difference` of any probability.
    """
    import keras

    pictures, _ = datasets.mnist("test")
    batch = as_batch(pictures)
    network = keras.models.load_model(keras_file, compile=False)
    trained = digit_probabilities(network.predict(batch, batch_size=500, verbose=0))
    served = classifier.classify(batch)
    same = trained.argmax(1) == served.argmax(1)
    return [
        Figure("litert_and_keras", "count", len(pictures)),
        Figure("litert_and_keras", "agreement", 100 * float(same.mean())),
        Figure("litert_and_keras", "max_difference", float(np.abs(trained - served).max())),
    ]


def compare_with_2017(classifier: Classifier) -> list[Figure]:
    """Compare the time of a reading with that of the 2017 network, both in LiteRT on one thread.

    Returns:
        `time_ratio` (the median of the rounds; below 1 is faster) and the `megabytes` of the file.
    """
    pictures, _ = datasets.mnist("test")
    inputs = as_batch(pictures[:READINGS])[:, None]
    with tempfile.TemporaryDirectory() as folder:
        networks = (classifier, _export_2017(Path(folder)))
        times = [[_measure_time(network, inputs) for network in networks] for _ in range(ROUNDS)]
    ratio = float(np.median([own / other for own, other in times]))
    megabytes = classifier.path.stat().st_size / 1e6
    return [
        Figure("time_against_2017", "time_ratio", ratio),
        Figure("time_against_2017", "megabytes", megabytes),
    ]


def _export_2017(folder: Path) -> Classifier:
    """The network of 2017, untrained, without its normalisations, which only make it slower."""
    import keras

    from digitre.training import export, networks

    layers = [
        layer
        for layer in networks.digitre_2017().layers
        if not isinstance(layer, networks.LocalResponseNormalization)
    ]
    saved, file = folder / "2017.keras", folder / "2017.tflite"
    keras.Sequential([keras.Input((28, 28, 1)), *layers]).save(saved)
    export.to_litert(saved, file, output="probabilities")
    return Classifier(file)


def _measure_time(classifier: Classifier, inputs: np.ndarray) -> float:
    """Seconds to read (n, 1, 28, 28, 1) inputs one by one."""
    run = classifier.runner()
    started = time.perf_counter()
    for picture in inputs:
        run(picture)
    return time.perf_counter() - started

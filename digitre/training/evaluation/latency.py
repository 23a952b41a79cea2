"""What the served network costs beside the one of 2017, and whether Keras gives the same."""

from __future__ import annotations

import tempfile
import time
from pathlib import Path

import numpy as np

from digitre.recognition.classifier import Classifier
from digitre.training.data import datasets

ROUNDS = 7  # alternating, so that what else the machine does meets both alike
READINGS = 300  # a round


def agreement(classifier: Classifier, keras_file: Path) -> dict[str, dict[str, float]]:
    """The served file against the trained one, on MNIST's test set.

    Returns:
        one row: `pictures`, `same` (per cent with the same digit), `difference` (the largest of
        any probability).
    """
    import keras

    x, _ = datasets.mnist("test")
    batch = x[..., None].astype(np.float32) / 255
    logits = keras.models.load_model(keras_file, compile=False).predict(
        batch, batch_size=500, verbose=0
    )
    odds = np.exp(logits - logits.max(1, keepdims=True))
    trained = (odds / odds.sum(1, keepdims=True))[:, :10]
    served = classifier.classify(batch)
    return {
        "LiteRT and Keras on MNIST test": {
            "pictures": len(x),
            "same": 100 * float((trained.argmax(1) == served.argmax(1)).mean()),
            "difference": float(np.abs(trained - served).max()),
        }
    }


def against_2017(classifier: Classifier) -> dict[str, dict[str, float]]:
    """The time of one reading over the time of the 2017 network's, both in LiteRT, one thread.

    Returns:
        one row: `ratio` (the median over the rounds), `megabytes` of the served file.
    """
    import keras

    from digitre.training import export, networks

    # Its time without the normalisations, which only make it slower.
    layers = networks.digitre_2017().layers
    plain = [each for each in layers if not isinstance(each, networks.LocalResponseNormalization)]
    with tempfile.TemporaryDirectory() as folder:
        saved, file = Path(folder) / "2017.keras", Path(folder) / "2017.tflite"
        keras.Sequential([keras.Input((28, 28, 1)), *plain]).save(saved)
        export.to_litert(saved, file, output="probabilities")
        other = Classifier(file)
        x, _ = datasets.mnist("test")
        pictures = x[:READINGS, None, :, :, None].astype(np.float32) / 255
        ratios = []
        for _ in range(ROUNDS):
            took = []
            for reader in (classifier, other):
                run = reader.runner()
                started = time.perf_counter()
                for picture in pictures:
                    run(picture)
                took.append(time.perf_counter() - started)
            ratios.append(took[0] / took[1])
    return {
        "time of a picture over the 2017 network's": {
            "ratio": float(np.median(ratios)),
            "megabytes": classifier.path.stat().st_size / 1e6,
        }
    }

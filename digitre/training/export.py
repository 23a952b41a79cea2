"""From a trained network to the files that are served and kept."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Literal

import keras

from digitre import files


def save(network: keras.Model, folder: Path) -> None:
    """Write `digitre.tflite` and `digitre.keras` into a folder."""
    with files.replacing(folder / "digitre.keras") as saved:
        without_optimizer(network).save(saved)
        to_litert(saved, folder / "digitre.tflite")


def save_teacher(network: keras.Model, folder: Path) -> None:
    """Write `teacher.keras` into a folder."""
    with files.replacing(folder / "teacher.keras") as saved:
        without_optimizer(network).save(saved)


def without_optimizer(network: keras.Model) -> keras.Model:
    """A copy without the optimizer's state, which is twice as large as the network."""
    plain = keras.Sequential.from_config(network.get_config())
    plain.set_weights(network.get_weights())
    return plain


def to_litert(
    saved: Path,
    file: Path,
    output: Literal["logits", "probabilities"] = "logits",
    precision: Literal["single", "half"] = "single",
) -> None:
    """Convert a saved network to LiteRT, for one picture at a time.

    TensorFlow does this in a process of its own: see `digitre.training.convert`.

    Args:
        saved: a Keras file.
        file: the LiteRT file to write.
        output: what the network gives. Softmax is added to logits.
        precision: of the stored weights; "half" makes a file of half the size.

    Raises:
        subprocess.CalledProcessError: if TensorFlow cannot convert it.
    """
    environment = os.environ | {"KERAS_BACKEND": "tensorflow", "TF_CPP_MIN_LOG_LEVEL": "3"}
    with files.replacing(file) as new:
        subprocess.run(
            [
                sys.executable,
                "-m",
                "digitre.training.convert",
                str(saved),
                str(new),
                output,
                precision,
            ],
            check=True,
            env=environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )


def layers(network: keras.Model) -> list[dict[str, object]]:
    """Each layer's kind, output shape and number of parameters."""
    return [
        {
            "layer": type(layer).__name__,
            "output": list(layer.output.shape[1:]),
            "parameters": layer.count_params(),
        }
        for layer in network.layers
    ]

"""Write a trained network to files: LiteRT to serve, Keras to train further."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Literal

import keras

from digitre import files
from digitre.recognition.card import Layer


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
    copy = keras.Sequential.from_config(network.get_config())
    copy.set_weights(network.get_weights())
    return copy


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
        output: what the network gives. If it is logits, a softmax layer is added.
        precision: of the stored weights, 32 or 16 bits; "half" halves the size of the file.

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


def layers(network: keras.Model) -> tuple[Layer, ...]:
    """The layers of a network, for its card."""
    return tuple(
        Layer(type(layer).__name__, tuple(layer.output.shape[1:]), layer.count_params())
        for layer in network.layers
    )

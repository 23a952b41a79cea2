"""Write a trained network to files: LiteRT to serve, Keras to train further."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from pathlib import Path
from typing import Literal

import keras

from digitre import files
from digitre.recognition.card import Layer
from digitre.recognition.classifier import Classifier
from digitre.training.evaluation import agreement, sets

EIGHT_BITS = "eight bits, sixteen in the first convolution"  # what a card says about the weights
FLOAT32 = "float32"


def save(network: keras.Model, folder: Path, *, eight_bits: bool = True) -> str:
    """Write `digitre.tflite` and `digitre.keras` into a folder.

    Args:
        eight_bits: write weights in eight bits, if the answers on the validation sets stay the same:
            see `write_served`.

    Returns:
        What the network's card says about the weights of `digitre.tflite`.
    """
    with files.replacing(folder / "digitre.keras") as saved:
        without_optimizer(network).save(saved)
        return write_served(network, saved, folder / "digitre.tflite", eight_bits=eight_bits)


def write_served(network: keras.Model, saved: Path, file: Path, *, eight_bits: bool) -> str:
    """Write the LiteRT file that is served.

    With `eight_bits` its weights are in eight bits, those of the first convolution in half precision, if
    that breaks no limit on the validation sets (see `agreement.broken`), else all are in 32 bits.

    Args:
        network: the calibrated network.
        saved: its Keras file.
        file: the LiteRT file to write.

    Returns:
        `EIGHT_BITS`; or `FLOAT32`, followed by why, if eight bits were asked for.
    """
    why = ""
    if eight_bits:
        why = _write_eight_bits(network, saved, file)
        if not why:
            return EIGHT_BITS
        print(f"the weights stay in 32 bits: {why}", file=sys.stderr)
    to_litert(saved, file)
    return f"{FLOAT32}: {why}" if why else FLOAT32


def _write_eight_bits(network: keras.Model, saved: Path, file: Path) -> str:
    """Write the file in eight bits if it answers as the network does. Returns why it doesn't, or ""."""
    if importlib.util.find_spec("ai_edge_quantizer") is None:
        return "ai-edge-quantizer is not installed"
    if not (validation := sets.validation_sets()):
        return "there is no data to compare the answers in eight bits"
    trial = file.with_name(f"{file.stem}.eight-bits{file.suffix}")
    try:
        to_litert(saved, trial, precision="eight_bits")
        rows = list(agreement.on_sets(network, Classifier(trial), validation.items()))
        if broken := agreement.broken(rows):
            return f"in eight bits, on the validation sets, {broken}"
        os.replace(trial, file)
    except subprocess.CalledProcessError:  # hours of training must not end without a network
        return "the conversion to eight bits failed"
    finally:
        trial.unlink(missing_ok=True)
    return ""


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
    precision: Literal["single", "half", "eight_bits"] = "single",
) -> None:
    """Convert a saved network to LiteRT, for one picture at a time.

    TensorFlow does this in a process of its own: see `digitre.training.convert`.

    Args:
        saved: a Keras file.
        file: the LiteRT file to write.
        output: what the network gives. If it is logits, a softmax layer is added.
        precision: of the stored weights, 32 or 16 bits; "half" halves the size of the file.
            "eight_bits" leaves the first convolution in 16: see `eight_bits.convert`.

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

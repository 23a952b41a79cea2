"""Convert a Keras file to LiteRT: `python -m digitre.training.convert KERAS LITERT OUTPUT PRECISION`.

A program of its own, because the converter needs TensorFlow even if Keras trains with another backend.
`digitre.training.export.to_litert` runs it and explains the arguments.
"""

from __future__ import annotations

import sys
from pathlib import Path

import keras
import tensorflow as tf

from digitre.training import (
    eight_bits,
    networks,  # noqa: F401  # registers the custom layers that a file may have
)


def main(saved: str, file: str, output: str, precision: str) -> None:
    """Write the LiteRT file. The arguments are those of the command line."""
    network = keras.models.load_model(saved, compile=False)
    drawing = keras.Input(batch_shape=(1, 28, 28, 1))
    result = network(drawing, training=False)
    if output == "logits":
        result = keras.layers.Softmax()(result)
    converter = tf.lite.TFLiteConverter.from_keras_model(keras.Model(drawing, result))
    if precision == "half":
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
        converter.target_spec.supported_types = [tf.float16]
    content = converter.convert()
    Path(file).write_bytes(eight_bits.convert(content) if precision == "eight_bits" else content)


if __name__ == "__main__":
    main(*sys.argv[1:])

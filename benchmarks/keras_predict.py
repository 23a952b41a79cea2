"""Seconds that Keras needs for a batch: `python -m benchmarks.keras_predict BATCH NETWORK ROUNDS`.

A process of its own, because TensorFlow takes memory and threads. Prints one line per round.
"""

from __future__ import annotations

import sys
import time

import keras
import numpy as np


def main(batch_file: str, network_file: str, rounds: str) -> None:
    batch = np.load(batch_file)  # (n, 28, 28, 1) float32
    network = keras.models.load_model(network_file, compile=False)
    network.predict(batch[:1000], batch_size=500, verbose=0)  # the first call builds the graph
    for _ in range(int(rounds)):
        start = time.perf_counter()
        network.predict(batch, batch_size=500, verbose=0)
        print(time.perf_counter() - start)


if __name__ == "__main__":
    main(*sys.argv[1:])

"""Training by several processes, on one machine or on many: each learns a part of every batch.

Keras does this on JAX. With TensorFlow, `MultiWorkerMirroredStrategy` ends at the first `fit` of Keras 3:
see docs/scaling.md.
"""

from __future__ import annotations

from dataclasses import dataclass

import keras
import numpy as np


@dataclass(frozen=True)
class Cluster:
    """The processes that train together.

    Attributes:
        address: host:port of the first one, which all others reach.
        processes: how many there are.
        index: which one this is, from 0; the first one keeps what comes of it.
    """

    address: str
    processes: int
    index: int

    def join(self) -> None:
        """Wait for the others, and share every batch from now on.

        Raises:
            ValueError: with another backend than JAX.
            RuntimeError: where the others do not come.
        """
        if keras.backend.backend() != "jax":
            raise ValueError("several processes train on JAX: KERAS_BACKEND=jax, digitre[jax]")
        import jax

        jax.config.update("jax_cpu_collectives_implementation", "gloo")
        jax.distributed.initialize(self.address, self.processes, self.index)
        devices = [str(device) for device in keras.distribution.list_devices()]
        keras.distribution.set_distribution(keras.distribution.DataParallel(devices=devices))


def batches(shown: np.ndarray, targets: np.ndarray, size: int):
    """An epoch as a dataset that Keras shares out by itself; what fills no batch is left out."""
    import tensorflow as tf

    found = tf.data.Dataset.from_tensor_slices((shown, targets))
    return found.batch(size, drop_remainder=True)


def alone(network: keras.Model) -> keras.Model:
    """The trained network for this process alone."""
    weights = [np.asarray(each) for each in network.get_weights()]
    keras.distribution.set_distribution(None)
    own = keras.Sequential.from_config(network.get_config())
    own.set_weights(weights)
    return own

"""Train with several processes, on one machine or on many: each learns a part of every batch.

Keras does this on JAX. With TensorFlow, `MultiWorkerMirroredStrategy` fails at the first `fit` of Keras 3.
"""

from __future__ import annotations

from dataclasses import dataclass

import keras
import numpy as np


@dataclass(frozen=True)
class Cluster:
    """The processes that train together.

    Attributes:
        address: host:port of the first process; all others must reach it.
        processes: how many there are.
        index: which one this is, from 0. Only the first one keeps the trained network.
    """

    address: str
    processes: int
    index: int

    def join(self) -> None:
        """Wait for the other processes; from then on, every batch is shared.

        Raises:
            ValueError: if Keras runs on another backend than JAX.
            ConnectionError: if the other processes do not arrive in time.
        """
        if keras.backend.backend() != "jax":
            raise ValueError(
                "training with several processes needs JAX: "
                "pip install 'digitre[jax]' and set KERAS_BACKEND=jax"
            )
        import jax

        jax.config.update("jax_cpu_collectives_implementation", "gloo")
        try:
            jax.distributed.initialize(self.address, self.processes, self.index)
        except RuntimeError as error:
            raise ConnectionError(
                f"cannot reach the processes at {self.address}: {error}"
            ) from None
        devices = [str(device) for device in keras.distribution.list_devices()]
        keras.distribution.set_distribution(keras.distribution.DataParallel(devices=devices))


def batches(pictures: np.ndarray, targets: np.ndarray, size: int):
    """An epoch as a dataset that Keras splits between the processes; an incomplete batch is dropped."""
    import tensorflow as tf

    dataset = tf.data.Dataset.from_tensor_slices((pictures, targets))
    return dataset.batch(size, drop_remainder=True)


def detach(network: keras.Model) -> keras.Model:
    """A copy of the trained network that belongs to this process only."""
    weights = [np.asarray(each) for each in network.get_weights()]
    keras.distribution.set_distribution(None)
    copy = keras.Sequential.from_config(network.get_config())
    copy.set_weights(weights)
    return copy

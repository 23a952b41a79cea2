"""The networks, each as a list of its layers."""

from __future__ import annotations

import keras
import numpy as np
from keras import layers


def digitre() -> keras.Sequential:
    """The shipped network: two convolutional layers, eleven outputs (0 to 9, and "not a digit").

    Takes (n, 28, 28, 1) float32 in [0, 1] and gives (n, 11) logits. There is no padding: the digit
    lies four pixels from the border, and a convolution over a blank margin learns nothing.
    """
    return keras.Sequential(
        [
            keras.Input((28, 28, 1), name="drawing"),
            layers.Conv2D(32, 5, use_bias=False),  # 24 x 24
            layers.BatchNormalization(),
            layers.ReLU(),
            layers.MaxPooling2D(),  # 12 x 12
            layers.Conv2D(96, 5, use_bias=False),  # 8 x 8
            layers.BatchNormalization(),
            layers.ReLU(),
            layers.MaxPooling2D(),  # 4 x 4
            layers.Flatten(),
            layers.Dropout(0.1),
            layers.Dense(384, use_bias=False),
            layers.BatchNormalization(),
            layers.ReLU(),
            layers.Dropout(0.2),
            layers.Dense(11, name="logits"),
        ],
        name="digitre",
    )


def teacher() -> keras.Sequential:
    """A deeper network that the shipped one learns from: five convolutions, too slow to serve.

    Takes (n, 28, 28, 1) float32 in [0, 1] and gives (n, 11) logits.
    """
    return keras.Sequential(
        [
            keras.Input((28, 28, 1), name="drawing"),
            layers.Conv2D(48, 5, use_bias=False),  # 24 x 24
            layers.BatchNormalization(),
            layers.ReLU(),
            layers.MaxPooling2D(),  # 12 x 12
            layers.Conv2D(64, 3, padding="same", use_bias=False),
            layers.BatchNormalization(),
            layers.ReLU(),
            layers.Conv2D(64, 3, use_bias=False),  # 10 x 10
            layers.BatchNormalization(),
            layers.ReLU(),
            layers.MaxPooling2D(),  # 5 x 5
            layers.Conv2D(96, 3, padding="same", use_bias=False),
            layers.BatchNormalization(),
            layers.ReLU(),
            layers.Conv2D(96, 3, use_bias=False),  # 3 x 3
            layers.BatchNormalization(),
            layers.ReLU(),
            layers.Flatten(),
            layers.Dropout(0.2),
            layers.Dense(256, use_bias=False),
            layers.BatchNormalization(),
            layers.ReLU(),
            layers.Dropout(0.3),
            layers.Dense(11, name="logits"),
        ],
        name="teacher",
    )


def digitre_2017() -> keras.Sequential:
    """The network of the Digitre of 2017: two convolutions, each with pooling and a local response
    normalisation, a dense layer of 1,024.

    Takes (n, 28, 28, 1) float32 in [0, 1] and gives (n, 10) probabilities.
    """
    decay = keras.regularizers.L2(5e-4)
    return keras.Sequential(
        [
            keras.Input((28, 28, 1), name="drawing"),
            layers.Conv2D(32, 5, padding="same", activation="relu", kernel_regularizer=decay),
            layers.MaxPooling2D(),  # 14 x 14
            LocalResponseNormalization(),
            layers.Conv2D(64, 5, padding="same", activation="relu", kernel_regularizer=decay),
            layers.MaxPooling2D(),  # 7 x 7
            LocalResponseNormalization(),
            layers.Flatten(),
            layers.Dense(1024, activation="relu", kernel_regularizer=decay),
            layers.Dropout(0.5),
            layers.Dense(10, activation="softmax"),
        ],
        name="digitre-2017",
    )


def cnn_3x3() -> keras.Sequential:
    """Two convolutions of 3 x 3. Takes (n, 28, 28, 1) in [0, 1], gives (n, 10) probabilities."""
    return keras.Sequential(
        [
            keras.Input((28, 28, 1), name="drawing"),
            layers.Conv2D(32, 3, activation="relu"),
            layers.MaxPooling2D(),
            layers.Conv2D(64, 3, activation="relu"),
            layers.MaxPooling2D(),
            layers.Flatten(),
            layers.Dropout(0.5),
            layers.Dense(10, activation="softmax"),
        ],
        name="cnn-3x3",
    )


def mlp_256() -> keras.Sequential:
    """One hidden layer. Takes (n, 28, 28, 1) standardised, gives (n, 10) probabilities."""
    # The demo starts from Xavier's uniform weights, which is Keras's default (Glorot's).
    return _perceptron("mlp-256", 256)


def mlp_3x128() -> keras.Sequential:
    """Three hidden layers. Takes (n, 28, 28, 1), rows of length one, gives (n, 10) probabilities."""
    return _perceptron("mlp-3x128", 128, 128, 128)


def mlp_2x128() -> keras.Sequential:
    """Two hidden layers. Takes (n, 28, 28, 1) in [0, 1], gives (n, 10) probabilities."""
    return _perceptron("mlp-2x128", 128, 128)


def _perceptron(name: str, *widths: int) -> keras.Sequential:
    return keras.Sequential(
        [
            keras.Input((28, 28, 1), name="drawing"),
            layers.Flatten(),
            *(layers.Dense(width, activation="relu") for width in widths),
            layers.Dense(10, activation="softmax"),
        ],
        name=name,
    )


@keras.saving.register_keras_serializable("digitre")
class LocalResponseNormalization(layers.Layer):
    """Divides each value by the strength of the neighbouring channels (Krizhevsky et al. 2012).

    The radius and constants are those of TensorFlow's first tutorials: 4, 1, 0.001 / 9, 0.75.
    """

    RADIUS, BIAS, ALPHA = 4, 1.0, 0.001 / 9

    def build(self, input_shape):
        index = np.arange(input_shape[-1])
        near = np.abs(index[:, None] - index) <= self.RADIUS
        self.weights_of_neighbours = (self.ALPHA * near).astype(np.float32)

    def call(self, inputs):
        # A product with a band matrix adds up the neighbours, eight times as fast as shifted sums.
        root = keras.ops.sqrt(
            self.BIAS + keras.ops.matmul(inputs * inputs, self.weights_of_neighbours)
        )
        return inputs / (root * keras.ops.sqrt(root))  # to the power of 0.75

    def compute_output_shape(self, input_shape):
        return input_shape

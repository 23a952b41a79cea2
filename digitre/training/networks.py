"""Each network as one literal list of layers."""

from __future__ import annotations

import keras
from keras import layers


def digitre() -> keras.Sequential:
    """The shipped network: two convolutional layers, eleven outputs (0 to 9, and no digit).

    Takes (n, 28, 28, 1) float32 in [0, 1] and gives (n, 11) logits. Nothing is padded: the digit
    keeps four pixels from the frame, and a convolution over blank margin teaches nothing.
    """
    return keras.Sequential(
        [
            keras.Input((28, 28, 1), name="drawing"),
            layers.Conv2D(48, 5, use_bias=False),  # 24 x 24
            layers.BatchNormalization(),
            layers.ReLU(),
            layers.MaxPooling2D(),  # 12 x 12
            layers.Conv2D(96, 5, use_bias=False),  # 8 x 8
            layers.BatchNormalization(),
            layers.ReLU(),
            layers.MaxPooling2D(),  # 4 x 4
            layers.Flatten(),
            layers.Dropout(0.15),
            layers.Dense(384, use_bias=False),
            layers.BatchNormalization(),
            layers.ReLU(),
            layers.Dropout(0.3),
            layers.Dense(11, name="logits"),
        ],
        name="digitre",
    )


def teacher() -> keras.Sequential:
    """A deeper network, too slow to serve, for the shipped one to learn from: five convolutions.

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
    """The network of the Digitre of 2017, to compare with: its layers, without the two local
    response normalisations, which cost time and changed little.

    Takes (n, 28, 28, 1) float32 in [0, 1] and gives (n, 10) logits.
    """
    return keras.Sequential(
        [
            keras.Input((28, 28, 1), name="drawing"),
            layers.Conv2D(32, 5, padding="same", activation="relu"),
            layers.MaxPooling2D(),  # 14 x 14
            layers.Conv2D(64, 5, padding="same", activation="relu"),
            layers.MaxPooling2D(),  # 7 x 7
            layers.Flatten(),
            layers.Dense(1024, activation="relu"),
            layers.Dropout(0.5),
            layers.Dense(10, name="logits"),
        ],
        name="digitre-2017",
    )

"""What becomes of a network's weights before and after its training."""

from __future__ import annotations

import numpy as np
import pytest


def test_calibrating_is_taken_back() -> None:
    """Training goes on from the logits that training left."""
    import keras

    from digitre.training import fit

    network = keras.Sequential([keras.Input((4,)), keras.layers.Dense(11, name="logits")])
    kernel, bias = network.get_layer("logits").get_weights()
    bias += np.arange(11)
    calibrated = bias / 0.6
    calibrated[10] -= 1.3
    network.get_layer("logits").set_weights([kernel / 0.6, calibrated])
    fit.uncalibrate(network, {"temperature": 0.6, "no_digit_offset": -1.3})
    for found, was in zip(network.get_layer("logits").get_weights(), (kernel, bias), strict=True):
        assert found == pytest.approx(was, abs=1e-5)

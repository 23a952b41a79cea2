"""The weights of a network before and after its training."""

from __future__ import annotations

import numpy as np
import pytest


def test_calibration_is_undone() -> None:
    """Training continues from the logits that training produced."""
    import keras

    from digitre.training.calibration import uncalibrate

    network = keras.Sequential([keras.Input((4,)), keras.layers.Dense(11, name="logits")])
    kernel, bias = network.get_layer("logits").get_weights()
    bias += np.arange(11)
    calibrated = bias / 0.6
    calibrated[10] -= 1.3
    network.get_layer("logits").set_weights([kernel / 0.6, calibrated])
    uncalibrate(network, {"temperature": 0.6, "no_digit_offset": -1.3})
    for after, before in zip(
        network.get_layer("logits").get_weights(), (kernel, bias), strict=True
    ):
        assert after == pytest.approx(before, abs=1e-5)

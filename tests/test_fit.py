"""What becomes of a network's weights before and after its training."""

from __future__ import annotations

from pathlib import Path

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


def test_averaged_weights_are_of_the_last_epochs(tmp_path: Path) -> None:
    """The mean over the last so many epochs, array by array; an earlier epoch has no say."""
    from digitre.training import fit

    for epoch, value in enumerate((100, 1, 4)):
        arrays = [np.full((2, 3), value, np.float32)] + 11 * [np.full(4, -value, np.float32)]
        np.savez(tmp_path / f"weights-{epoch}.npz", *arrays)
    mean = fit._mean_weights(tmp_path, fit.Settings(epochs=3, averaged=2))
    assert [array.shape for array in mean] == [(2, 3)] + 11 * [(4,)]
    assert (mean[0] == 2.5).all()
    assert all((array == -2.5).all() and array.dtype == np.float32 for array in mean[1:])

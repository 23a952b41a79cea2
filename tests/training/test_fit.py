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


def test_labels_and_teachers_are_mixed() -> None:
    """The mean of the teachers' answers is learned, and the label instead or mixed with it."""
    from digitre.training import distillation

    class Teacher:
        def __init__(self, best: int) -> None:
            self.best = best

        def predict(self, pictures, **_):
            return np.tile(8 * np.eye(11, dtype=np.float32)[self.best], (len(pictures), 1))

    targets = distillation.targets(
        np.array([10, 10, 10]),
        np.zeros((3, 28, 28, 1), np.float32),
        [Teacher(3), Teacher(5)],
        np.array([0, 0.5, 1], np.float32),
    )
    assert targets[:, 0].tolist() == [10, 10, 10]
    assert targets[:, [4, 6, 11]].tolist() == [[4, 4, 0], [2, 2, 5], [0, 0, 10]]

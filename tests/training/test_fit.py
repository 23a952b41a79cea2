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


@pytest.mark.parametrize(
    ("wrong", "lowest", "highest"), [(["unipen"], 0.5, 0.5), (["mnist", "drawn"], 0.9, 2)]
)
def test_the_temperature(
    wrong: list[str], lowest: float, highest: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It lowers a confidence that is too high, but not because of UNIPEN's wrong labels."""
    from digitre.training import calibration

    class Network:
        kernel, bias = np.ones((1, 11)), np.zeros(11)

        def predict(self, pictures, **_):
            return np.tile(7 * np.eye(11)[3], (len(pictures), 1))

        def get_layer(self, _):
            return self

        def get_weights(self):
            return self.kernel, self.bias

        def set_weights(self, weights):
            self.kernel, self.bias = weights

    pictures = np.zeros((1000, 28, 28), np.uint8)
    found = {name: (pictures, np.full(1000, 3)) for name in ("mnist", "drawn", "unipen")}
    for name in wrong:
        found[name][1][::20] = 4
    monkeypatch.setattr(calibration.sets, "validation_sets", lambda: found)
    network = Network()
    calibrated = calibration.calibrate(network)
    assert lowest <= calibrated["temperature"] <= highest
    assert network.kernel == pytest.approx(1 / calibrated["temperature"])
    assert network.bias[10] == calibrated["no_digit_offset"]


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

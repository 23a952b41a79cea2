"""The average of two networks' weights."""

from __future__ import annotations

import keras
import numpy as np
import pytest

from digitre.training.averaging import average


def network(units: int, value: float) -> keras.Sequential:
    """A small network whose weights all have one value."""
    built = keras.Sequential([keras.Input((4,)), keras.layers.Dense(units, name="logits")])
    built.set_weights([np.full_like(weights, value) for weights in built.get_weights()])
    return built


def test_the_share_is_the_second_one_s() -> None:
    """A quarter of the way from weights of 1 to weights of 3 is 1.5; the first network stays as it was."""
    first = network(11, 1)
    averaged = average(first, network(11, 3), 0.25)
    assert all((weights == 1.5).all() for weights in averaged.get_weights())
    assert all((weights == 1).all() for weights in first.get_weights())


def test_networks_of_other_layers_have_no_average() -> None:
    """Weights of two kinds of networks are not mixed."""
    with pytest.raises(ValueError, match="different layers"):
        average(network(11, 1), network(10, 1), 0.5)

"""The lattice: its best path, its posteriors and its texts, compared with all paths one by one."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest

from digitre.recognition.lattice import DIGITS, TEMPERATURE, Arc, solve


def random_arcs(random: np.random.Generator, nodes: int) -> list[Arc]:
    """Arcs between nodes that are at most three apart, each with two digits or a sign."""
    arcs = []
    for start, end in itertools.combinations(range(nodes + 1), 2):
        if end - start <= 3 and (end - start == 1 or random.uniform() < 0.7):
            digits = random.choice([*DIGITS], 2, replace=False)
            labels = dict(zip(digits, random.dirichlet([1, 1, 0.3])[:2], strict=True))
            if random.uniform() < 0.2:
                labels["-"] = 1e-3
            arcs.append(
                Arc(start, end, {str(k): float(v) for k, v in labels.items()}, end - start, -0.1)
            )
    return arcs


def all_paths(arcs: list[Arc], node: int, end: int):
    """Each path as a list of arcs and labels, with its score."""
    if node == end:
        yield [], 0.0
    for arc in arcs:
        if arc.start == node:
            for rest, score in all_paths(arcs, arc.end, end):
                for label, value in arc.scores:
                    yield [(arc, label), *rest], value + score


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("length", [None, 3])
def test_a_lattice_says_what_all_its_paths_say(seed: int, length: int | None) -> None:
    """Best path, probability of its text and posteriors are those of a sum over all paths."""
    arcs = random_arcs(np.random.default_rng(seed), 5)
    paths = [
        (path, score)
        for path, score in all_paths(arcs, 0, 5)
        if length is None or sum(label in DIGITS for _, label in path) == length
    ]
    answer = solve(arcs, 5, length)
    assert answer is not None
    best, _ = max(paths, key=lambda each: each[1])
    assert answer.arcs == tuple(arc for arc, _ in best)
    text = "".join(label for _, label in best)
    assert answer.text == text
    whole = math.fsum(math.exp(score) for _, score in paths)
    of_text = math.fsum(
        math.exp(score) for path, score in paths if "".join(label for _, label in path) == text
    )
    certainty = math.prod(arc.is_character for arc, _ in best)
    assert answer.certainty == pytest.approx(certainty)
    calibrated = certainty ** (1 / TEMPERATURE)
    assert answer.probability == pytest.approx(of_text / whole * calibrated, rel=0.02)
    for arc, posterior in zip(answer.arcs, answer.posteriors, strict=True):
        through = math.fsum(
            math.exp(score) for path, score in paths if any(each is arc for each, _ in path)
        )
        assert posterior == pytest.approx(through / whole)


def test_a_length_that_no_path_has_gives_no_answer() -> None:
    """There is no answer if no path has so many digits."""
    arcs = [Arc(0, 1, {"1": 0.9}), Arc(1, 2, {"2": 0.9})]
    assert solve(arcs, 2, 3) is None
    assert solve(arcs, 2, 2) is not None


def test_forty_digits_do_not_underflow() -> None:
    """A long path of improbable characters has a probability, and the right text."""
    arcs = [Arc(k, k + 1, {"1": 1e-9, "2": 1e-10}) for k in range(40)]
    answer = solve(arcs, 40)
    assert answer is not None
    assert answer.text == "1" * 40
    assert 0 <= answer.probability < 1e-6
